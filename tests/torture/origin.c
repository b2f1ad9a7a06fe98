/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - an archive on loopback. A process of its own, so that its port outlives the lives, and what one
 * of them had fetched can be gone on with. */
#include "tests/torture/torture.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES_MAX = 16 * 1024, BODY_BYTES_MAX = 1024 * 1024 };

static bool send_all(int client, struct span bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(client, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes = span_make(bytes.data + sent, bytes.size - (size_t)sent);
	}
	return true;
}

/* Up to the empty line. */
static bool receive_head(int client, char head[HEAD_BYTES_MAX])
{
	size_t size = 0;
	while (size + 1 < HEAD_BYTES_MAX) {
		ssize_t got = recv(client, head + size, HEAD_BYTES_MAX - 1 - size, 0);
		if (got <= 0)
			return false;
		size += (size_t)got;
		head[size] = '\0';
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
	return false;
}

/* All of a file has one ETag, and a range of it must be asked for with that. */
static void answer(int client, const char *folder, const char *head)
{
	CLEANUP(buf_finish) struct buf body = {.size_max = BODY_BYTES_MAX};
	CLEANUP(buf_finish) struct buf out = {.size_max = HEAD_BYTES_MAX};
	struct file_path path;
	struct err err;
	char name[64] = "";
	char etag[32];
	int64_t first = 0;
	(void)sscanf(head, "GET /%63[a-z0-9.-]", name);
	if (!file_path_make(&path, &err, "%s/%s", folder, name) || !file_read(path.text, &body, &err)) {
		(void)send_all(client, span_of("HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
		return;
	}
	(void)snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", span_hash(buf_span(&body), 0));
	const char *range = strstr(head, "\r\nRange: bytes=");
	if (range && strstr(head, etag))
		first = strtoll(range + strlen("\r\nRange: bytes="), NULL, 10);
	if (first <= 0 || first >= (int64_t)body.size)
		first = 0;
	buf_printf(&out, "HTTP/1.1 %d Here\r\nETag: %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
		first > 0 ? 206 : 200, etag, body.size - (size_t)first);
	if (first > 0)
		buf_printf(&out, "Content-Range: bytes %" PRId64 "-%zu/%zu\r\n", first, body.size - 1, body.size);
	buf_append_text(&out, "\r\n");
	size_t end = first > 0 ? body.size : body.size / 2;
	if (send_all(client, buf_span(&out)))
		(void)send_all(client, span_make(body.data + first, end - (size_t)first));
}

static _Noreturn void serve(int listening, const char *folder)
{
	for (;;) {
		static char head[HEAD_BYTES_MAX];
		int client = accept(listening, NULL, NULL);
		if (client < 0)
			continue;
		if (receive_head(client, head))
			answer(client, folder, head);
		(void)close(client);
	}
}

bool origin_start(const char *folder, char url[64], pid_t *pid_out)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 16) != 0
	    || getsockname(listening, (struct sockaddr *)&address, &size) != 0) {
		perror("origin");
		return false;
	}
	(void)snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		serve(listening, folder);
	}
	(void)close(listening);
	if (child < 0)
		perror("origin");
	*pid_out = child;
	return child > 0;
}
