/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/archive_server.h"

#include "base/clock.h"
#include "base/memory.h"
#include "tests/support/check.h"
#include "tests/support/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS_BYTES_MAX = 4 * 1024 * 1024, STALL_MS = 20 * 1000, STALL_STEP_MS = 20 };

static const char HONEST_MODIFIED[] = "Sun, 06 Nov 1994 08:49:37 GMT";

struct archive_server {
	struct span file;
	int version; /* of the file, in its ETag */
	const struct archive_answer_plan *plans;
	size_t count;
	int listening;
	char url[64];
	pthread_t thread;
	struct stop_flag stop;
	atomic_int requests_count;
	struct buf requests; /* the thread's until it is joined */
};

static bool find_header(struct span head, const char *name, char *value, size_t size)
{
	const char *found = strcasestr(head.data, name);
	if (!found)
		return false;
	found += strlen(name) + 2;
	(void)snprintf(value, size, "%.*s", (int)strcspn(found, "\r\n"), found);
	return true;
}

static void render_etag(const struct archive_server *server, const struct archive_answer_plan *plan, char etag[32])
{
	(void)snprintf(etag, 32, "%s\"v%d\"", plan->weak_etag ? "W/" : "", server->version);
}

/* Where the answer starts in the file: 0 for all of it, -1 beyond its end. */
static int64_t find_start(const struct archive_server *server, const struct archive_answer_plan *plan, struct span head)
{
	char range[64];
	char condition[64];
	char etag[32];
	render_etag(server, plan, etag);
	if (plan->ignores_range || !find_header(head, "\r\nRange", range, sizeof(range)))
		return 0;
	if (find_header(head, "\r\nIf-Range", condition, sizeof(condition)) && strcmp(condition, etag) != 0
	    && (server->version > 1 || strcmp(condition, HONEST_MODIFIED) != 0))
		return 0;
	int64_t start = strtoll(range + strlen("bytes="), NULL, 10);
	return start < (int64_t)server->file.size ? start : -1;
}

static void add_head(const struct archive_server *server, const struct archive_answer_plan *plan, int64_t start,
		     struct span body, struct buf *out)
{
	int status = plan->status ? plan->status : start < 0 ? 416 : start > 0 ? 206 : 200;
	char etag[32];
	size_t first = plan->wrong_range ? 0 : (size_t)(start > 0 ? start : 0);
	render_etag(server, plan, etag);
	buf_printf(out, "HTTP/1.1 %d Said\r\nConnection: close\r\nDate: Sun, 20 Sep 2026 12:00:00 GMT\r\n", status);
	if (!plan->without_length)
		buf_printf(out, "Content-Length: %zu\r\n", body.size);
	if (!plan->status && !plan->without_validators)
		buf_printf(out, "ETag: %s\r\nLast-Modified: %s\r\n", etag, HONEST_MODIFIED);
	if (status == 206)
		buf_printf(out, "Content-Range: bytes %zu-%zu/%zu\r\n", first, first + body.size - 1, server->file.size);
	buf_printf(out, "%s\r\n", plan->headers ? plan->headers : "");
}

static void reset(int client)
{
	/* Else the client's library may lose bytes that it has not read when the RST comes. */
	clock_sleep_ms(200);
	const struct linger linger = {.l_onoff = 1};
	(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* Until the client leaves. */
static void stall(struct archive_server *server, int client)
{
	char byte;
	for (int waited_ms = 0; waited_ms < STALL_MS; waited_ms += STALL_STEP_MS)
		if (stop_flag_wait(&server->stop, STALL_STEP_MS)
		    || recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
			return;
}

static void answer(struct archive_server *server, const struct archive_answer_plan *plan, struct span head, int client)
{
	int64_t start = find_start(server, plan, head);
	struct span body = server->file;
	struct buf out CLEANUP(buf_finish) = {.size_max = REQUESTS_BYTES_MAX};
	if (plan->status || plan->body || start < 0)
		body = span_of(plan->body ? plan->body : "");
	else
		body = span_make(body.data + (plan->wrong_range ? 0 : start), body.size - (size_t)start);
	add_head(server, plan, start, body, &out);
	size_t limit = plan->cut_at ? plan->cut_at : plan->stall_at ? plan->stall_at : body.size;
	bool is_head = span_starts_with(head, "HEAD ");
	if (limit < body.size)
		body.size = limit;
	if (tcp_send(client, buf_span(&out)) && !is_head && tcp_send(client, body)) {
		if (plan->stall_at)
			stall(server, client);
		if (plan->cut_at && plan->resets)
			reset(client);
	}
	if (plan->changes_file) {
		server->file = span_of(plan->changes_file);
		server->version++;
	}
}

static void serve_one(struct archive_server *server, int client)
{
	static const struct archive_answer_plan well = {0};
	struct buf head CLEANUP(buf_finish) = {.size_max = 64 * 1024};
	if (!tcp_receive_until(client, &head, "\r\n\r\n"))
		return;
	buf_append_span(&server->requests, buf_span(&head));
	size_t number = (size_t)atomic_fetch_add(&server->requests_count, 1);
	size_t last = server->count > 0 ? server->count - 1 : 0;
	const struct archive_answer_plan *plan = server->count > 0 ? &server->plans[number < last ? number : last] : &well;
	answer(server, plan, buf_span(&head), client);
}

static void *serve(void *context)
{
	struct archive_server *server = context;
	int client;
	while ((client = accept4(server->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		serve_one(server, client);
		(void)close(client);
	}
	return NULL;
}

struct archive_server *archive_server_start(struct span file, const struct archive_answer_plan *plans, size_t count)
{
	struct archive_server *server = memory_allocate(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	server->file = file;
	server->version = 1;
	server->plans = plans;
	server->count = count;
	buf_init(&server->requests, REQUESTS_BYTES_MAX);
	stop_flag_init(&server->stop);
	server->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listening < 0 || bind(server->listening, (struct sockaddr *)&address, size) != 0
	    || listen(server->listening, 16) != 0
	    || getsockname(server->listening, (struct sockaddr *)&address, &size) != 0
	    || pthread_create(&server->thread, NULL, serve, server) != 0)
		fail_msg("archive server: %s", strerror(errno));
	(void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	return server;
}

const char *archive_server_url(const struct archive_server *server)
{
	return server->url;
}

int archive_server_requests(struct archive_server *server)
{
	return atomic_load(&server->requests_count);
}

void archive_server_stop(struct archive_server **server, struct buf *requests)
{
	struct archive_server *old = *server;
	if (!old)
		return;
	stop_flag_set(&old->stop);
	(void)shutdown(old->listening, SHUT_RDWR);
	(void)pthread_join(old->thread, NULL);
	(void)close(old->listening);
	if (requests)
		buf_append_span(requests, buf_span(&old->requests));
	buf_finish(&old->requests);
	stop_flag_finish(&old->stop);
	free(old);
	*server = NULL;
}
