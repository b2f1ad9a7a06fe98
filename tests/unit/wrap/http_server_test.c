/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "tests/support/tcp.h"
#include "wrap/http_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 8 * 1024 * 1024, WAIT_STEP_MS = 5, WAIT_STEPS_MAX = 2000 };

/* What the handler sees and does; shared with the workers. */
struct fixture {
	struct http_server *server;
	atomic_int running;   /* handlers that are inside now */
	atomic_int handled;
	struct stop_flag gate; /* lets the handlers of /block go */
	struct buf answer;
};

static void append_pairs(struct buf *body, const char *kind, const struct http_pair *pairs,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_printf(body, "%s %.*s=[%.*s]\n", kind, SPAN_ARGUMENTS(pairs[i].name),
			   SPAN_ARGUMENTS(pairs[i].value));
}

/* Echoes the request, except for a few paths that ask for something else. */
static void handle(void *context, struct http_request *request, struct http_reply *reply)
{
	struct fixture *f = context;
	atomic_fetch_add(&f->running, 1);
	if (span_equal_text(request->path, "/block"))
		(void)stop_flag_wait(&f->gate, 60000);
	reply->status = 200;
	reply->content_type = "text/plain";
	if (span_equal_text(request->path, "/unmodified")) {
		reply->status = 304;
		reply->content_type = NULL;
		if (request->query_count > 0) {
			memset(buf_reserve(&reply->body, 1000), 'x', 1000);
			buf_commit(&reply->body, 1000);
		}
		http_reply_header(reply, "ETag", span_of("\"1\""));
	} else if (span_equal_text(request->path, "/hostile-header")) {
		http_reply_header(reply, "X-Echo", http_request_query(request, "v"));
		http_reply_header(reply, "X-Empty", span_of(""));
	} else if (span_equal_text(request->path, "/large")) {
		char *room = buf_reserve(&reply->body, 1000000);
		memset(room, 'x', 1000000);
		buf_commit(&reply->body, 1000000);
	} else if (span_equal_text(request->path, "/too-large")) {
		buf_finish(&reply->body);
		buf_init(&reply->body, 10);
		buf_append_text(&reply->body, "more than ten bytes");
	} else {
		buf_printf(&reply->body, "%s [%.*s]\n", request->method,
			   SPAN_ARGUMENTS(request->path));
		append_pairs(&reply->body, "query", request->query, request->query_count);
		append_pairs(&reply->body, "header", request->headers, request->header_count);
		buf_printf(&reply->body, "port %d number %llu body %zu [%.*s]\n", request->port,
			   (unsigned long long)request->number, request->body.size,
			   SPAN_ARGUMENTS(request->body));
	}
	atomic_fetch_add(&f->handled, 1);
	atomic_fetch_sub(&f->running, 1);
}

static bool start_at(struct fixture *f, const char *host, const int *ports, size_t port_count,
		     int worker_count, int64_t request_wait_ms_max, struct err *err)
{
	return http_server_start(&(struct http_server_options){.host = host,
							       .ports = ports,
							       .port_count = port_count,
							       .worker_count = worker_count,
							       .handle = handle,
							       .context = f,
							       .request_wait_ms_max =
								       request_wait_ms_max},
				 &f->server, err);
}

static void start(struct fixture *f, int worker_count)
{
	struct err err = {0};
	int port = 0;
	if (!start_at(f, "127.0.0.1", &port, 1, worker_count, 0, &err))
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct fixture *f = memory_allocate(1, sizeof(*f));
	stop_flag_init(&f->gate);
	buf_init(&f->answer, ANSWER_BYTES_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stop_flag_set(&f->gate);
	http_server_stop(&f->server);
	stop_flag_finish(&f->gate);
	buf_finish(&f->answer);
	free(f);
	return 0;
}

static int connect_to(struct fixture *f)
{
	return tcp_connect(http_server_port(f->server, 0));
}

/* Sends `request` on a connection of its own and returns all that comes back. */
static const char *ask_bytes(struct fixture *f, struct span request)
{
	int client = connect_to(f);
	(void)tcp_send(client, request);
	buf_clear(&f->answer);
	tcp_receive_all(client, &f->answer);
	(void)close(client);
	return f->answer.data ? f->answer.data : "";
}

static const char *ask(struct fixture *f, const char *request)
{
	return ask_bytes(f, span_of(request));
}

static void check_has(const char *answer, const char *wanted)
{
	if (!strstr(answer, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, answer);
}

static void check_lacks(const char *answer, const char *unwanted)
{
	if (strcasestr(answer, unwanted))
		fail_msg("\"%s\" in:\n%s", unwanted, answer);
}

static void wait_for(atomic_int *counter, int wanted)
{
	for (int i = 0; i < WAIT_STEPS_MAX && atomic_load(counter) != wanted; i++)
		clock_sleep_ms(WAIT_STEP_MS);
	assert_int_equal(atomic_load(counter), wanted);
}

#define CLOSING "Host: h\r\nConnection: close\r\n"

static void test_request_is_decoded(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer = ask(f, "GET /a%20b/c+d%2Fe?x=1&y=a+b%26&x=2&&flag&=v HTTP/1.1\r\n"
				    CLOSING "X-One: first\r\nX-ONE: second\r\n\r\n");
	check_has(answer, "HTTP/1.1 200 OK\r\n");
	check_has(answer, "GET [/a b/c+d/e]\n");
	check_has(answer, "query x=[1]\nquery y=[a b&]\nquery x=[2]\nquery flag=[]\nquery =[v]\n");
	check_has(answer, "header X-One=[first]\nheader X-ONE=[second]\n");
	check_has(answer, "number 1 body 0");
	check_has(answer, "Content-Type: text/plain\r\n");
	check_has(answer, "X-Content-Type-Options: nosniff\r\n");
	check_lacks(answer, "\r\nServer:");
}

static void test_lookups_take_the_first(void **state)
{
	(void)state;
	const struct http_pair headers[] = {{span_of("HOST"), span_of("a")},
					    {span_of("Host"), span_of("b")}};
	const struct http_pair query[] = {{span_of("X"), span_of("1")},
					  {span_of("x"), span_of("2")}};
	const struct http_request request = {
		.headers = headers, .header_count = 2, .query = query, .query_count = 2};
	assert_true(span_equal_text(http_request_header(&request, "host"), "a"));
	assert_null(http_request_header(&request, "hos").data);
	assert_true(span_equal_text(http_request_query(&request, "x"), "2"));
	assert_null(http_request_query(&request, "y").data);
}

static void test_head_has_the_length_of_get(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer = ask(f, "HEAD /large HTTP/1.1\r\n" CLOSING "\r\n");
	check_has(answer, "HTTP/1.1 200 OK\r\n");
	check_has(answer, "Content-Length: 1000000\r\n");
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	check_has(ask(f, "GET /large HTTP/1.1\r\n" CLOSING "\r\n"), "Content-Length: 1000000\r\n");
	assert_true(f->answer.size > 1000000 && f->answer.size < 1001000);
}

static void test_unmodified_has_no_body(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer = ask(f, "GET /unmodified HTTP/1.1\r\nHost: h\r\n\r\n"
				    "GET /unmodified?of=large HTTP/1.1\r\n" CLOSING "\r\n");
	check_has(answer, "HTTP/1.1 304 Not Modified\r\n");
	check_has(answer, "ETag: \"1\"\r\n");
	check_lacks(answer, "Transfer-Encoding");
	const char *second = strstr(answer, "\r\n\r\n") + 4;
	assert_memory_equal(second, "HTTP/1.1 304 ", 13);
	check_has(second, "Content-Length: 1000\r\n");
	assert_string_equal(strstr(second, "\r\n\r\n"), "\r\n\r\n");
}

static void test_header_values_cannot_split_the_reply(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer =
		ask(f, "GET /hostile-header?v=a%0d%0aX-Evil:+b%09c HTTP/1.1\r\n" CLOSING "\r\n");
	check_has(answer, "\r\nX-Echo: a  X-Evil: b c\r\n");
	check_lacks(answer, "\r\nX-Evil");
	check_lacks(answer, "X-Empty");
}

static void test_reply_past_its_maximum_is_500(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer = ask(f, "GET /too-large HTTP/1.1\r\n" CLOSING "\r\n");
	check_has(answer, "HTTP/1.1 500 ");
	check_has(answer, "application/problem+json");
}

static void test_bodies(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	check_has(ask(f, "POST /p HTTP/1.1\r\n" CLOSING "Content-Length: 5\r\n\r\nhello"),
		  "body 5 [hello]\n");
	check_has(ask(f, "POST /p HTTP/1.1\r\n" CLOSING "Transfer-Encoding: chunked\r\n\r\n"
			 "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
		  "body 5 [hello]\n");
	check_has(ask(f, "GET /g HTTP/1.1\r\n" CLOSING "Content-Length: 5\r\n\r\nhello"),
		  "body 5 [hello]\n");
}

/* `body_size` bytes, sent as one piece or in chunks of 64 KiB. */
static const char *post(struct fixture *f, size_t body_size, bool chunked)
{
	struct buf request;
	buf_init(&request, ANSWER_BYTES_MAX);
	buf_append_text(&request, "POST /p HTTP/1.1\r\n" CLOSING);
	if (!chunked)
		buf_printf(&request, "Content-Length: %zu\r\n\r\n", body_size);
	else
		buf_append_text(&request, "Transfer-Encoding: chunked\r\n\r\n");
	enum { CHUNK_SIZE = 0x10000 };
	for (size_t size = body_size; size > 0;) {
		size_t part = size < CHUNK_SIZE ? size : CHUNK_SIZE;
		if (chunked)
			buf_printf(&request, "%zx\r\n", part);
		memset(buf_reserve(&request, part), 'b', part);
		buf_commit(&request, part);
		if (chunked)
			buf_append_text(&request, "\r\n");
		size -= part;
	}
	if (chunked)
		buf_append_text(&request, "0\r\n\r\n");
	const char *answer = ask_bytes(f, buf_span(&request));
	buf_finish(&request);
	return answer;
}

static void test_body_limit(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	for (int chunked = 0; chunked < 2; chunked++) {
		check_has(post(f, 1024 * 1024, chunked), "body 1048576 [bbb");
		const char *answer = post(f, 1024 * 1024 + 1, chunked);
		check_has(answer, "HTTP/1.1 413 ");
		check_has(answer, "\"status\":413");
	}
	assert_int_equal(atomic_load(&f->handled), 2);
}

static void test_too_large_body_is_refused_before_it_is_sent(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	const char *answer = ask(f, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n"
				    "Expect: 100-continue\r\n\r\n");
	check_has(answer, "HTTP/1.1 413 ");
	check_lacks(answer, "100 Continue");

	int client = connect_to(f);
	buf_clear(&f->answer);
	assert_true(tcp_send(client, span_of("POST /p HTTP/1.1\r\n" CLOSING "Content-Length: 5\r\n"
					     "Expect: 100-continue\r\n\r\n")));
	assert_true(tcp_receive_until(client, &f->answer, "100 Continue\r\n\r\n"));
	assert_true(tcp_send(client, span_of("hello")));
	assert_true(tcp_receive_until(client, &f->answer, "body 5 [hello]"));
	(void)close(client);
}

static void test_other_methods_are_refused(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW"};
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		char request[256];
		(void)snprintf(request, sizeof(request),
			       "%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
			       methods[i]);
		const char *answer = ask(f, request);
		check_has(answer, "HTTP/1.1 405 Method Not Allowed\r\n");
		check_has(answer, "\r\nAllow: GET, HEAD, POST\r\n");
		check_has(answer, "\r\nConnection: close\r\n");
		check_has(answer, "\r\nContent-Type: application/problem+json\r\n");
		check_has(answer, "\r\nX-Content-Type-Options: nosniff\r\n");
		check_has(answer, "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\","
				  "\"status\":405,\"detail\":");
	}
	assert_int_equal(atomic_load(&f->handled), 0);
}

static void test_malformed_requests_are_refused(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	static const char *const requests[] = {
		"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /?a=%00 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /% HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /?a=%f HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /a\001b HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nX: a\001b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
		"\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"
		"\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\na",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
		const char *answer = ask(f, requests[i]);
		if (!strstr(answer, "HTTP/1.1 400 Bad Request\r\n"))
			fail_msg("%s is answered with\n%s", requests[i], answer);
		check_has(answer, "\r\nConnection: close\r\n");
	}
	/* Here the library just closes the connection. */
	check_lacks(ask(f, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"), " 200 ");
	/* A smuggled second request behind a doubtful length is never looked at. */
	const char *answer = ask(f, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
				    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
				    "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
	check_lacks(answer, "smuggled");
	assert_int_equal(atomic_load(&f->handled), 0);
}

static const char *ask_sized(struct fixture *f, size_t target_size, size_t header_size)
{
	struct buf request;
	buf_init(&request, ANSWER_BYTES_MAX);
	buf_append_text(&request, "GET /");
	for (size_t i = 1; i < target_size; i++)
		buf_append_byte(&request, 'a');
	buf_append_text(&request, " HTTP/1.1\r\n" CLOSING);
	for (size_t i = 0; header_size > 0 && i < header_size / 64; i++)
		buf_printf(&request, "X-%04zu: %.*s\r\n", i, 54,
			   "------------------------------------------------------------");
	buf_append_text(&request, "\r\n");
	const char *answer = ask_bytes(f, buf_span(&request));
	buf_finish(&request);
	return answer;
}

static void test_head_limits(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	check_has(ask_sized(f, 4096, 0), "HTTP/1.1 200 ");
	check_has(ask_sized(f, 4097, 0), "HTTP/1.1 414 ");
	check_has(f->answer.data, "\"status\":414");
	check_has(ask_sized(f, 4096, 15 * 1024), "HTTP/1.1 200 ");
	check_has(ask_sized(f, 10, 17 * 1024), "HTTP/1.1 431 ");
	check_has(f->answer.data, "\"status\":431");
	check_has(ask_sized(f, 100000, 0), "HTTP/1.1 414 ");
	check_has(ask_sized(f, 10, 100000), "HTTP/1.1 431 ");
	assert_int_equal(atomic_load(&f->handled), 2);
}

static void test_connection_is_kept(void **state)
{
	struct fixture *f = *state;
	start(f, 2);
	int client = connect_to(f);
	assert_true(tcp_send(client, span_of("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
					     "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")));
	assert_true(tcp_receive_until(client, &f->answer, "number 2 body"));
	assert_true(tcp_send(client, span_of("GET /3 HTTP/1.1\r\nHost: h\r\n\r\n")));
	assert_true(tcp_receive_until(client, &f->answer, "number 3 body"));
	(void)close(client);
	const char *first = strstr(f->answer.data, "[/1]");
	const char *second = strstr(f->answer.data, "[/2]");
	assert_true(first && second && first < second);
}

static void test_slow_handlers_block_nobody_else(void **state)
{
	struct fixture *f = *state;
	start(f, 2);
	int client = connect_to(f);
	assert_true(tcp_send(client, span_of("GET /block HTTP/1.1\r\n" CLOSING "\r\n")));
	wait_for(&f->running, 1);
	check_has(ask(f, "GET /other HTTP/1.1\r\n" CLOSING "\r\n"), "[/other]");
	stop_flag_set(&f->gate);
	buf_clear(&f->answer);
	assert_true(tcp_receive_until(client, &f->answer, "[/block]"));
	(void)close(client);
}

static void test_too_many_waiting_requests_are_refused(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	enum { WAITING_MAX = 256, COUNT = WAITING_MAX + 1 };
	int clients[COUNT];
	for (int i = 0; i < COUNT; i++) {
		clients[i] = connect_to(f);
		assert_true(tcp_send(clients[i],
				     span_of("GET /block HTTP/1.1\r\n" CLOSING "\r\n")));
		if (i == 0)
			wait_for(&f->running, 1);
	}
	/* The answer to one more can only be had once all others were read. */
	const char *answer = "";
	for (int i = 0; i < 5 && !strstr(answer, "503"); i++) {
		clock_sleep_ms(200);
		int client = connect_to(f);
		assert_true(tcp_send(client, span_of("GET / HTTP/1.1\r\n" CLOSING "\r\n")));
		buf_clear(&f->answer);
		(void)tcp_receive_until(client, &f->answer, "}");
		answer = f->answer.data;
		(void)close(client);
	}
	check_has(answer, "HTTP/1.1 503 ");
	check_has(answer, "\r\nRetry-After: 1\r\n");
	check_has(answer, "\"status\":503");
	stop_flag_set(&f->gate);
	for (int i = 0; i < COUNT; i++) {
		buf_clear(&f->answer);
		assert_true(tcp_receive_until(clients[i], &f->answer, "[/block]"));
		(void)close(clients[i]);
	}
	assert_int_equal(atomic_load(&f->handled), COUNT);
}

static void test_clients_may_leave_early(void **state)
{
	struct fixture *f = *state;
	start(f, 2);
	static const char *const pieces[] = {
		"",
		"GET",
		"GET / HTTP/1.1\r\nHost: h\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
		"GET /block HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /block HTTP/1.1\r\nHost: h\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
		int client = connect_to(f);
		assert_true(tcp_send(client, span_of(pieces[i])));
		(void)close(client);
	}
	wait_for(&f->running, 2);
	stop_flag_set(&f->gate);
	wait_for(&f->handled, 2);
	check_has(ask(f, "GET /after HTTP/1.1\r\n" CLOSING "\r\n"), "[/after]");
}

static void test_request_must_arrive_in_time(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int port = 0;
	assert_true(start_at(f, "127.0.0.1", &port, 1, 1, 300, &err));
	int idle = connect_to(f);
	int kept = connect_to(f);
	assert_true(tcp_send(kept, span_of("GET /kept HTTP/1.1\r\nHost: h\r\n\r\n")));
	assert_true(tcp_receive_until(kept, &f->answer, "number 1 body"));

	static const char *const beginnings[] = {
		"G",
		"GET / HTTP/1.1\r\nHost: h\r\nX: ",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
		int client = connect_to(f);
		clock_sleep_ms(100);
		assert_true(tcp_send(client, span_of(beginnings[i])));
		int64_t start_ms = clock_monotonic_ms(clock_system());
		bool open = true;
		while (open && clock_monotonic_ms(clock_system()) - start_ms < 5000) {
			clock_sleep_ms(20);
			open = tcp_send(client, span_of("a"));
		}
		assert_false(open);
		assert_true(clock_monotonic_ms(clock_system()) - start_ms >= 250);
		(void)close(client);
	}
	/* Waiting before a request is not bound by it: more than 900 ms have passed. */
	buf_clear(&f->answer);
	assert_true(tcp_send(idle, span_of("GET /idle HTTP/1.1\r\n" CLOSING "\r\n")));
	assert_true(tcp_receive_until(idle, &f->answer, "[/idle]"));
	assert_true(tcp_send(kept, span_of("GET /again HTTP/1.1\r\n" CLOSING "\r\n")));
	assert_true(tcp_receive_until(kept, &f->answer, "[/again]"));
	(void)close(idle);
	(void)close(kept);
}

static void test_time_limit_leaves_handlers_alone(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int port = 0;
	assert_true(start_at(f, "127.0.0.1", &port, 1, 1, 200, &err));
	int client = connect_to(f);
	assert_true(tcp_send(client, span_of("GET /block HTTP/1.1\r\n" CLOSING "\r\n")));
	clock_sleep_ms(500);
	stop_flag_set(&f->gate);
	assert_true(tcp_receive_until(client, &f->answer, "[/block]"));
	(void)close(client);
}

static void test_two_ports_share_the_handler(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	assert_true(start_at(f, "127.0.0.1", (const int[]){0, 0}, 2, 1, 0, &err));
	for (size_t i = 0; i < 2; i++) {
		int port = http_server_port(f->server, i);
		int client = tcp_connect(port);
		assert_true(tcp_send(client, span_of("GET / HTTP/1.1\r\n" CLOSING "\r\n")));
		buf_clear(&f->answer);
		tcp_receive_all(client, &f->answer);
		(void)close(client);
		char wanted[64];
		(void)snprintf(wanted, sizeof(wanted), "port %d number %zu", port, i + 1);
		check_has(f->answer.data, wanted);
	}
	assert_int_not_equal(http_server_port(f->server, 0), http_server_port(f->server, 1));
}

static void test_taken_port_is_named(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	int port = http_server_port(f->server, 0);
	struct fixture other = {0};
	struct err err = {0};
	assert_false(start_at(&other, "127.0.0.1", (const int[]){0, port}, 2, 1, 0, &err));
	assert_null(other.server);
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(err.exit_code, 6);
	char wanted[64];
	(void)snprintf(wanted, sizeof(wanted), "port %d is in use", port);
	check_has(err.text, wanted);
	check_has(ask(f, "GET / HTTP/1.1\r\n" CLOSING "\r\n"), "HTTP/1.1 200 ");
}

static void test_hosts(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	int port = 0;
	static const char *const hosts[] = {"0.0.0.0", "::", "localhost"};
	for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
		if (!start_at(f, hosts[i], &port, 1, 1, 0, &err)) {
			/* A machine without IPv6. */
			assert_string_equal(hosts[i], "::");
			continue;
		}
		if (i < 2)
			check_has(ask(f, "GET / HTTP/1.1\r\n" CLOSING "\r\n"), "HTTP/1.1 200 ");
		http_server_stop(&f->server);
	}
	assert_false(start_at(f, "192.0.2.1", &port, 1, 1, 0, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(err.exit_code, 0);
	assert_false(start_at(f, "no such host", &port, 1, 1, 0, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
}

static void *open_gate(void *context)
{
	struct fixture *f = context;
	clock_sleep_ms(300);
	stop_flag_set(&f->gate);
	return NULL;
}

static void test_stop_lets_handlers_end(void **state)
{
	struct fixture *f = *state;
	start(f, 1);
	int running = connect_to(f);
	assert_true(tcp_send(running, span_of("GET /block HTTP/1.1\r\nHost: h\r\n\r\n")));
	wait_for(&f->running, 1);
	int waiting = connect_to(f);
	assert_true(tcp_send(waiting, span_of("GET /block HTTP/1.1\r\nHost: h\r\n\r\n")));
	int idle = connect_to(f);
	int half = connect_to(f);
	assert_true(tcp_send(half, span_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
					   "\r\na")));
	clock_sleep_ms(100);

	pthread_t opener;
	assert_int_equal(pthread_create(&opener, NULL, open_gate, f), 0);
	http_server_stop(&f->server);
	assert_null(f->server);
	pthread_join(opener, NULL);
	tcp_receive_all(running, &f->answer);
	check_has(f->answer.data, "[/block]");
	buf_clear(&f->answer);
	tcp_receive_all(waiting, &f->answer);
	check_has(f->answer.data, "HTTP/1.1 503 ");
	assert_int_equal(atomic_load(&f->handled), 1);
	(void)close(running);
	(void)close(waiting);
	(void)close(idle);
	(void)close(half);
}

enum { CLIENT_COUNT = 8, REQUESTS_EACH = 100 };

static void *ask_often(void *context)
{
	int port = *(const int *)context;
	int client = tcp_connect(port);
	struct buf answer;
	buf_init(&answer, ANSWER_BYTES_MAX);
	size_t answered = 0;
	for (int i = 0; i < REQUESTS_EACH; i++) {
		buf_clear(&answer);
		if (tcp_send(client, span_of("GET /many HTTP/1.1\r\nHost: h\r\n\r\n"))
		    && tcp_receive_until(client, &answer, "body 0 []\n"))
			answered++;
	}
	buf_finish(&answer);
	(void)close(client);
	return answered == REQUESTS_EACH ? NULL : "some were not answered";
}

static void test_many_at_once(void **state)
{
	struct fixture *f = *state;
	start(f, 4);
	int port = http_server_port(f->server, 0);
	pthread_t threads[CLIENT_COUNT];
	for (int i = 0; i < CLIENT_COUNT; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &port), 0);
	for (int i = 0; i < CLIENT_COUNT; i++) {
		void *complaint;
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
	assert_int_equal(atomic_load(&f->handled), CLIENT_COUNT * REQUESTS_EACH);
}

#define SERVER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookups_take_the_first),
		SERVER_TEST(test_request_is_decoded),
		SERVER_TEST(test_head_has_the_length_of_get),
		SERVER_TEST(test_unmodified_has_no_body),
		SERVER_TEST(test_header_values_cannot_split_the_reply),
		SERVER_TEST(test_reply_past_its_maximum_is_500),
		SERVER_TEST(test_bodies),
		SERVER_TEST(test_body_limit),
		SERVER_TEST(test_too_large_body_is_refused_before_it_is_sent),
		SERVER_TEST(test_other_methods_are_refused),
		SERVER_TEST(test_malformed_requests_are_refused),
		SERVER_TEST(test_head_limits),
		SERVER_TEST(test_connection_is_kept),
		SERVER_TEST(test_slow_handlers_block_nobody_else),
		SERVER_TEST(test_too_many_waiting_requests_are_refused),
		SERVER_TEST(test_clients_may_leave_early),
		SERVER_TEST(test_request_must_arrive_in_time),
		SERVER_TEST(test_time_limit_leaves_handlers_alone),
		SERVER_TEST(test_two_ports_share_the_handler),
		SERVER_TEST(test_taken_port_is_named),
		SERVER_TEST(test_hosts),
		SERVER_TEST(test_stop_lets_handlers_end),
		SERVER_TEST(test_many_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
