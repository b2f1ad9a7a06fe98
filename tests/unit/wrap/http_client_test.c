/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/clock.h"
#include "base/memory.h"
#include "tests/support/tcp.h"
#include "wrap/http_client.h"
#include "wrap/http_server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024, REQUESTS_BYTES_MAX = 1024 * 1024 };

struct fixture {
	struct http_client *client;
	struct http_server *server;
	struct tcp_server *raw;
	struct arena arena;
	struct buf requests; /* what the raw server was asked */
	char url[256];
	struct http_client_request request;
	struct http_client_response response;
	struct err err;
};

/* "hello, hello, hello, hello\n" as `gzip -n` writes it. */
static const char gzipped[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xd7"
			      "\x51\xc8\xc0\xa4\xb8\x00\x4b\x21\xa1\x29\x1b\x00\x00\x00";
static const char plain[] = "hello, hello, hello, hello\n";
enum { GZIPPED_BYTES = sizeof(gzipped) - 1 };

static int set_up(void **state)
{
	struct fixture *f = memory_allocate(1, sizeof(*f));
	arena_init(&f->arena, ARENA_BYTES_MAX);
	buf_init(&f->requests, REQUESTS_BYTES_MAX);
	assert_true(http_client_create(&f->client, &f->err));
	f->request = (struct http_client_request){.url = f->url,
						  .body_bytes_max = 1024 * 1024,
						  .connect_wait_ms_max = 5000,
						  .total_wait_ms_max = 10000};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	http_client_destroy(&f->client);
	http_client_destroy(&f->client);
	http_server_stop(&f->server);
	tcp_server_stop(&f->raw, NULL);
	buf_finish(&f->requests);
	arena_finish(&f->arena);
	free(f);
	return 0;
}

static bool send_request(struct fixture *f)
{
	return http_client_send(f->client, &f->request, &f->arena, &f->response, &f->err);
}

/* Asks a server that plays `steps`. */
static bool ask_steps(struct fixture *f, const struct tcp_step *steps, size_t count)
{
	tcp_server_stop(&f->raw, NULL);
	f->raw = tcp_server_start(steps, count);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/x", tcp_server_port(f->raw));
	bool done = send_request(f);
	buf_clear(&f->requests);
	tcp_server_stop(&f->raw, &f->requests);
	return done;
}

static bool ask_raw(struct fixture *f, const char *answer)
{
	return ask_steps(f, &(struct tcp_step){.bytes = span_of(answer)}, 1);
}

static void check_failure(const struct fixture *f, bool done, enum err_kind kind)
{
	if (done)
		fail_msg("succeeded with status %d", f->response.status);
	if (f->err.kind != kind)
		fail_msg("%s: %s", err_kind_name(f->err.kind), f->err.text);
	assert_int_equal(f->response.status, 0);
}

static void check_done(const struct fixture *f, bool done)
{
	if (!done)
		fail_msg("%s: %s", err_kind_name(f->err.kind), f->err.text);
}

static void check_body(const struct fixture *f, const char *wanted)
{
	assert_int_equal(f->response.body.size, strlen(wanted));
	assert_memory_equal(f->response.body.data, wanted, strlen(wanted));
}

static void check_header(const struct fixture *f, const char *name, const char *wanted)
{
	const char *value = http_client_header_get(&f->response, name);
	if (!wanted)
		assert_null(value);
	else if (!value)
		fail_msg("no header %s", name);
	else
		assert_string_equal(value, wanted);
}

/* ---- against our own server ---- */

static void handle(void *context, struct http_request *request, struct http_reply *reply)
{
	(void)context;
	reply->status = 200;
	reply->content_type = "text/plain";
	if (span_equal_text(request->path, "/redirect")) {
		reply->status = 302;
		http_reply_header(reply, "Location", span_of("/target"));
		return;
	}
	if (span_equal_text(http_request_header(request, "If-None-Match"), "\"1\"")) {
		reply->status = 304;
		return;
	}
	http_reply_header(reply, "ETag", span_of("\"1\""));
	buf_printf(&reply->body, "%s %.*s %.*s|%.*s|%.*s|%.*s", request->method,
		   SPAN_ARGUMENTS(request->path),
		   SPAN_ARGUMENTS(http_request_header(request, "Accept-Encoding")),
		   SPAN_ARGUMENTS(http_request_header(request, "Authorization")),
		   SPAN_ARGUMENTS(http_request_header(request, "Expect")),
		   SPAN_ARGUMENTS(request->body));
}

static void start_server(struct fixture *f)
{
	int port = 0;
	const struct http_server_options options = {.host = "127.0.0.1",
						    .ports = &port,
						    .port_count = 1,
						    .worker_count = 2,
						    .handle = handle};
	if (!http_server_start(&options, &f->server, &f->err))
		fail_msg("%s", f->err.text);
}

static bool ask_server(struct fixture *f, const char *path)
{
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d%s",
		       http_server_port(f->server, 0), path);
	return send_request(f);
}

static void test_get(void **state)
{
	struct fixture *f = *state;
	start_server(f);
	const struct http_client_header headers[] = {{"Authorization", "Bearer x"},
						     {"X-Empty", ""}};
	f->request.headers = headers;
	f->request.header_count = 2;
	check_done(f, ask_server(f, "/a?b=c"));
	assert_int_equal(f->response.status, 200);
	check_body(f, "GET /a gzip|Bearer x||");
	check_header(f, "etag", "\"1\"");
	check_header(f, "CONTENT-TYPE", "text/plain");
	check_header(f, "X-None", NULL);
	assert_true(f->response.elapsed_ms >= 0 && f->response.elapsed_ms < 10000);

	/* Nothing of one request is left in the next. */
	f->request.headers = NULL;
	f->request.header_count = 0;
	check_done(f, ask_server(f, "/b"));
	check_body(f, "GET /b gzip|||");
}

static void test_post_and_head(void **state)
{
	struct fixture *f = *state;
	start_server(f);
	f->request.method = "POST";
	f->request.body = span_of("some=thing");
	check_done(f, ask_server(f, "/p"));
	check_body(f, "POST /p gzip|||some=thing");
	f->request.body = (struct span){0};
	check_done(f, ask_server(f, "/p"));
	check_body(f, "POST /p gzip|||");
	f->request.method = "HEAD";
	check_done(f, ask_server(f, "/h"));
	check_body(f, "");
	check_header(f, "Content-Length", "15");
	f->request.method = NULL;
	check_done(f, ask_server(f, "/g"));
	check_body(f, "GET /g gzip|||");
}

static void test_other_statuses_are_answers(void **state)
{
	struct fixture *f = *state;
	start_server(f);
	check_done(f, ask_server(f, "/redirect"));
	assert_int_equal(f->response.status, 302);
	check_header(f, "Location", "/target");
	const struct http_client_header header = {"If-None-Match", "\"1\""};
	f->request.headers = &header;
	f->request.header_count = 1;
	check_done(f, ask_server(f, "/"));
	assert_int_equal(f->response.status, 304);
	check_body(f, "");
	f->request.method = "DELETE";
	check_done(f, ask_server(f, "/"));
	assert_int_equal(f->response.status, 405);
}

/* ---- against servers that answer as told ---- */

static void test_connection_is_reused(void **state)
{
	struct fixture *f = *state;
	/* It reads one request only, so a second one on the same connection finds this answer. */
	static const struct tcp_step steps[] = {
		{0, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")},
		{500, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")}};
	f->raw = tcp_server_start(steps, ARRAY_COUNT(steps));
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/", tcp_server_port(f->raw));
	check_done(f, send_request(f));
	check_body(f, "a");
	check_done(f, send_request(f));
	check_body(f, "b");
}

static void test_gzip_is_decoded(void **state)
{
	struct fixture *f = *state;
	const struct tcp_step steps[] = {
		{0, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")},
		{0, {gzipped, 10}},
		{50, {gzipped + 10, GZIPPED_BYTES - 10}}};
	check_done(f, ask_steps(f, steps, ARRAY_COUNT(steps)));
	check_body(f, plain);
}

static bool ask_gzip(struct fixture *f, struct span content)
{
	char head[256];
	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		       content.size);
	const struct tcp_step steps[] = {{0, span_of(head)}, {0, content}};
	return ask_steps(f, steps, ARRAY_COUNT(steps));
}

static void test_bad_gzip_is_to_be_retried(void **state)
{
	struct fixture *f = *state;
	check_failure(f, ask_gzip(f, span_of("this is not gzip at all")), ERR_RETRY);

	char damaged[GZIPPED_BYTES];
	memcpy(damaged, gzipped, GZIPPED_BYTES);
	damaged[GZIPPED_BYTES - 6] ^= 1; /* in the checksum */
	check_failure(f, ask_gzip(f, span_make(damaged, GZIPPED_BYTES)), ERR_RETRY);

	for (size_t size = 1; size < GZIPPED_BYTES; size++)
		check_failure(f, ask_gzip(f, span_make(gzipped, size)), ERR_RETRY);
}

/* Members of a gzip stream are all read: eight times a megabyte of blanks. */
static void make_bomb(struct buf *bomb)
{
	enum { MEMBER_COUNT = 8, BLANK_COUNT = 1024 * 1024 };
	unsigned char member[4096];
	struct buf blanks;
	buf_init(&blanks, BLANK_COUNT);
	memset(buf_reserve(&blanks, BLANK_COUNT), ' ', BLANK_COUNT);
	z_stream stream = {.next_in = (unsigned char *)blanks.data, .avail_in = BLANK_COUNT};
	stream.next_out = member;
	stream.avail_out = sizeof(member);
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		buf_append(bomb, member, sizeof(member) - stream.avail_out);
	(void)deflateEnd(&stream);
	buf_finish(&blanks);
}

static void test_a_gzip_bomb_is_refused_by_its_ratio(void **state)
{
	struct fixture *f = *state;
	struct buf bomb;
	buf_init(&bomb, 1024 * 1024);
	make_bomb(&bomb);
	f->request.body_bytes_max = 64 * 1024 * 1024;
	check_failure(f, ask_gzip(f, buf_span(&bomb)), ERR_INPUT);
	assert_non_null(strstr(f->err.text, "200 times"));
	buf_finish(&bomb);
}

static void test_coding_of_nothing(void **state)
{
	struct fixture *f = *state;
	f->request.method = "HEAD";
	check_done(f, ask_gzip(f, span_of("")));
	check_body(f, "");
	f->request.method = NULL;
	check_done(f, ask_raw(f, "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n"));
	assert_int_equal(f->response.status, 304);
	check_body(f, "");
}

static void test_unknown_coding_is_to_be_retried(void **state)
{
	struct fixture *f = *state;
	check_failure(f, ask_raw(f, "HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\n"
				    "Content-Length: 1\r\n\r\na"),
		      ERR_RETRY);
}

static void test_cut_bodies_are_to_be_retried(void **state)
{
	struct fixture *f = *state;
	static const char *const answers[] = {
		"",
		"HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
		"this is not HTTP\r\n\r\n",
		"SSH-2.0-other\r\n",
	};
	for (size_t i = 0; i < ARRAY_COUNT(answers); i++)
		check_failure(f, ask_raw(f, answers[i]), ERR_RETRY);
}

static void test_large_bodies_are_refused(void **state)
{
	struct fixture *f = *state;
	f->request.body_bytes_max = 5;
	check_done(f, ask_raw(f, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"));
	check_body(f, "abcde");
	f->response.status = 0;
	check_failure(f, ask_raw(f, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"),
		      ERR_INPUT);
	check_failure(f, ask_raw(f, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef"),
		      ERR_INPUT);
	check_failure(f, ask_raw(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				    "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
		      ERR_INPUT);
	/* What counts is the size after decoding. */
	f->request.body_bytes_max = sizeof(plain) - 2;
	check_failure(f, ask_gzip(f, span_make(gzipped, GZIPPED_BYTES)), ERR_INPUT);
}

static void test_large_headers_are_refused(void **state)
{
	struct fixture *f = *state;
	static const size_t value_sizes[] = {100, 1000, 300000};
	for (size_t i = 0; i < ARRAY_COUNT(value_sizes); i++) {
		struct buf answer;
		buf_init(&answer, REQUESTS_BYTES_MAX);
		buf_append_text(&answer, "HTTP/1.1 200 OK\r\n");
		while (answer.size <= 64 * 1024) {
			buf_append_text(&answer, "X: ");
			memset(buf_reserve(&answer, value_sizes[i]), 'v', value_sizes[i]);
			buf_commit(&answer, value_sizes[i]);
			buf_append_text(&answer, "\r\n");
		}
		buf_append_text(&answer, "Content-Length: 0\r\n\r\n");
		check_failure(f, ask_raw(f, answer.data), ERR_INPUT);
		buf_finish(&answer);
	}
}

static void test_headers_are_of_the_last_head(void **state)
{
	struct fixture *f = *state;
	check_done(f, ask_raw(f, "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
				 "HTTP/1.1 200 OK\r\nX-A:1\r\nX-B: a: b \r\nX-Empty:\r\nX-A: 2\r\n"
				 "Transfer-Encoding: chunked\r\n\r\n"
				 "3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n"));
	assert_int_equal(f->response.status, 200);
	check_body(f, "abc");
	check_header(f, "X-Early", NULL);
	check_header(f, "X-A", "1");
	check_header(f, "X-B", "a: b");
	check_header(f, "X-Empty", "");
	check_header(f, "X-Trailer", NULL);
	assert_int_equal(f->response.header_count, 5);
}

static void test_request_bytes(void **state)
{
	struct fixture *f = *state;
	check_done(f, ask_raw(f, "HTTP/1.1 204 No Content\r\n\r\n"));
	assert_int_equal(f->response.status, 204);
	const char *sent = f->requests.data;
	assert_memory_equal(sent, "GET /x HTTP/1.1\r\n", 17);
	assert_non_null(strstr(sent, "\r\nAccept-Encoding: gzip\r\n"));
	assert_null(strstr(sent, "Expect"));
}

static void test_slow_answers_end_at_the_limit(void **state)
{
	struct fixture *f = *state;
	f->request.total_wait_ms_max = 300;
	static const struct tcp_step late[] = {
		{5000, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}};
	static const struct tcp_step cut[] = {
		{0, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")},
		{5000, SPAN_LITERAL("b")}};
	for (int i = 0; i < 2; i++) {
		int64_t start_ms = clock_monotonic_ms(clock_system());
		check_failure(f, ask_steps(f, i == 0 ? late : cut, i == 0 ? 1 : 2), ERR_RETRY);
		int64_t elapsed_ms = clock_monotonic_ms(clock_system()) - start_ms;
		assert_true(elapsed_ms >= 250 && elapsed_ms < 3000);
	}
}

static bool is_third_look(void *context)
{
	return ++*(int *)context >= 3;
}

static void test_stopped_ends_the_request(void **state)
{
	struct fixture *f = *state;
	int looks = 0;
	f->request.stopped = is_third_look;
	f->request.stopped_context = &looks;
	int64_t start_ms = clock_monotonic_ms(clock_system());
	static const struct tcp_step late[] = {
		{5000, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}};
	check_failure(f, ask_steps(f, late, 1), ERR_RETRY);
	assert_string_equal(f->err.text, "stopped");
	assert_true(clock_monotonic_ms(clock_system()) - start_ms < 2000);

	/* The client is as good as new. */
	f->request.stopped = NULL;
	check_done(f, ask_raw(f, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
	check_body(f, "ok");
}

static void test_unreachable_server_is_to_be_retried(void **state)
{
	struct fixture *f = *state;
	f->raw = tcp_server_start(NULL, 0);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/", tcp_server_port(f->raw));
	tcp_server_stop(&f->raw, NULL);
	check_failure(f, send_request(f), ERR_RETRY);
	(void)snprintf(f->url, sizeof(f->url), "http://host.invalid/");
	check_failure(f, send_request(f), ERR_RETRY);
}

static void test_bad_urls_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const urls[] = {"",
					   "/x",
					   "file:///etc/passwd",
					   "ftp://127.0.0.1/",
					   "http://user@127.0.0.1/",
					   "http://user:secret@127.0.0.1/",
					   "http://127.0.0.1:99999/",
					   "http://127.0.0.1/a b",
					   "http://127.0.0.1/\r\nX: y"};
	for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
		f->request.url = urls[i];
		check_failure(f, send_request(f), ERR_INPUT);
		assert_null(strstr(f->err.text, "secret"));
	}
}

static void test_full_arena_is_local(void **state)
{
	struct fixture *f = *state;
	struct arena small;
	arena_init(&small, 100);
	start_server(f);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/",
		       http_server_port(f->server, 0));
	check_failure(f, http_client_send(f->client, &f->request, &small, &f->response, &f->err),
		      ERR_LOCAL);
	arena_finish(&small);
}

/* ---- bodies that go to a sink ---- */

struct sunk {
	int begun;
	int status;
	char etag[32];
	struct buf bytes;
	size_t fail_at; /* bytes; 0: never */
	bool fail_begin;
};

static bool begin_sunk(void *context, const struct http_client_response *head, struct err *err)
{
	struct sunk *sunk = context;
	const char *etag = http_client_header_get(head, "ETag");
	assert_int_equal(sunk->bytes.size, 0);
	sunk->begun++;
	sunk->status = head->status;
	(void)snprintf(sunk->etag, sizeof(sunk->etag), "%s", etag ? etag : "");
	return !sunk->fail_begin || err_set(err, ERR_LOCAL, "not begun");
}

static bool take_sunk(void *context, struct span bytes, struct err *err)
{
	struct sunk *sunk = context;
	assert_int_equal(sunk->begun, 1);
	assert_true(bytes.size > 0);
	buf_append_span(&sunk->bytes, bytes);
	return sunk->fail_at == 0 || sunk->bytes.size < sunk->fail_at || err_set(err, ERR_LOCAL, "disk full");
}

static bool sink_raw(struct fixture *f, struct sunk *sunk, const char *answer)
{
	const struct http_client_sink sink = {begin_sunk, take_sunk, sunk};
	buf_clear(&sunk->bytes);
	sunk->begun = 0;
	f->response = (struct http_client_response){0};
	f->request.sink = &sink;
	bool done = ask_raw(f, answer);
	f->request.sink = NULL;
	return done;
}

static void test_a_sink_takes_the_body_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct sunk sunk = {.bytes = {.size_max = 1024 * 1024}};
	check_done(f, sink_raw(f, &sunk, "HTTP/1.1 103 Early\r\nETag: \"early\"\r\n\r\nHTTP/1.1 200 OK\r\nETag: \"1\"\r\n"
					 "Content-Encoding: gzip\r\nContent-Length: 8\r\n\r\nnot gzip"));
	assert_int_equal(sunk.begun, 1);
	assert_int_equal(sunk.status, 200);
	assert_string_equal(sunk.etag, "\"1\"");
	assert_true(span_equal_text(buf_span(&sunk.bytes), "not gzip"));
	assert_int_equal(f->response.status, 200);
	check_body(f, "");
	check_header(f, "ETag", "\"1\"");
	assert_non_null(strstr(f->requests.data, "\r\nAccept-Encoding: identity\r\n"));
	/* It is told of answers without a body too. */
	check_done(f, sink_raw(f, &sunk, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
	assert_int_equal(sunk.begun, 1);
	assert_int_equal(sunk.status, 404);
	/* The next request goes into memory again. */
	check_done(f, ask_gzip(f, span_make(gzipped, GZIPPED_BYTES)));
	check_body(f, plain);
	buf_finish(&sunk.bytes);
}

static void test_a_sink_gets_what_came_before_a_cut(void **state)
{
	struct fixture *f = *state;
	struct sunk sunk = {.bytes = {.size_max = 1024 * 1024}};
	check_failure(f, sink_raw(f, &sunk, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd"), ERR_RETRY);
	assert_true(span_equal_text(buf_span(&sunk.bytes), "abcd"));
	check_failure(f, sink_raw(f, &sunk, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
		      ERR_RETRY);
	assert_true(span_equal_text(buf_span(&sunk.bytes), "abc"));
	check_failure(f, sink_raw(f, &sunk, ""), ERR_RETRY);
	assert_int_equal(sunk.begun, 0);
	buf_finish(&sunk.bytes);
}

static void test_a_sink_ends_the_request(void **state)
{
	struct fixture *f = *state;
	struct sunk sunk = {.bytes = {.size_max = 1024 * 1024}, .fail_at = 3};
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
	check_failure(f, sink_raw(f, &sunk, answer), ERR_LOCAL);
	assert_string_equal(f->err.text, "disk full");
	sunk.fail_begin = true;
	check_failure(f, sink_raw(f, &sunk, answer), ERR_LOCAL);
	assert_string_equal(f->err.text, "not begun");
	assert_int_equal(sunk.bytes.size, 0);
	check_failure(f, sink_raw(f, &sunk, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), ERR_LOCAL);
	assert_string_equal(f->err.text, "not begun");
	buf_finish(&sunk.bytes);
}

static void test_a_sink_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct sunk sunk = {.bytes = {.size_max = 1024 * 1024}};
	f->request.body_bytes_max = 4;
	check_done(f, sink_raw(f, &sunk, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"));
	f->response.status = 0;
	check_failure(f, sink_raw(f, &sunk, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"), ERR_INPUT);
	assert_non_null(strstr(f->err.text, "larger than 4 bytes"));
	/* Each piece alone is small enough. */
	check_failure(f, sink_raw(f, &sunk, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
					    "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"),
		      ERR_INPUT);
	assert_true(sunk.bytes.size <= 4);
	buf_finish(&sunk.bytes);
}

static void test_a_stalled_body_ends(void **state)
{
	struct fixture *f = *state;
	static const struct tcp_step steps[] = {
		{0, SPAN_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")}, {20000, SPAN_LITERAL("b")}};
	f->request.total_wait_ms_max = 60000;
	f->request.slow_wait_ms_max = 1000;
	int64_t start_ms = clock_monotonic_ms(clock_system());
	check_failure(f, ask_steps(f, steps, 2), ERR_RETRY);
	int64_t elapsed_ms = clock_monotonic_ms(clock_system()) - start_ms;
	assert_true(elapsed_ms >= 900 && elapsed_ms < 15000);
}

static void test_urls_are_joined(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *base, *reference, *wanted;
	} cases[] = {
		{"https://h/a/b?c", "d", "https://h/a/d"},
		{"https://h/a/b", "/d?e#f", "https://h/d?e"},
		{"https://h/a/b", "//other/x", "https://other/x"},
		{"https://h/a/b", "http://other:81/x", "http://other:81/x"},
		{"https://h/a/b", "../../../x", "https://h/x"},
		{"https://h/a", "ftp://h/x", NULL},
		{"https://h/a", "file:///etc/passwd", NULL},
		{"https://h/a", "https://u:secret@h/x", NULL},
		{"https://h/a", "//u@h/x", NULL},
		{"https://h/a", "https://", NULL},
		{"not a URL", "x", NULL},
		{"https://h/a", "/0123456789012345678901234567890123456789", NULL},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char text[32] = "";
		bool done = http_client_resolve(cases[i].base, cases[i].reference, text, sizeof(text), &f->err);
		if (done != (cases[i].wanted != NULL))
			fail_msg("%s at %s: \"%s\"", cases[i].reference, cases[i].base, text);
		if (done)
			assert_string_equal(text, cases[i].wanted);
		else if (f->err.kind != ERR_INPUT || strstr(f->err.text, "secret"))
			fail_msg("%s: %s", err_kind_name(f->err.kind), f->err.text);
	}
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	/* Else a machine's proxy would be asked for 127.0.0.1. */
	(void)setenv("no_proxy", "*", 1);
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_get),
		CLIENT_TEST(test_post_and_head),
		CLIENT_TEST(test_other_statuses_are_answers),
		CLIENT_TEST(test_connection_is_reused),
		CLIENT_TEST(test_gzip_is_decoded),
		CLIENT_TEST(test_bad_gzip_is_to_be_retried),
		CLIENT_TEST(test_a_gzip_bomb_is_refused_by_its_ratio),
		CLIENT_TEST(test_coding_of_nothing),
		CLIENT_TEST(test_unknown_coding_is_to_be_retried),
		CLIENT_TEST(test_cut_bodies_are_to_be_retried),
		CLIENT_TEST(test_large_bodies_are_refused),
		CLIENT_TEST(test_large_headers_are_refused),
		CLIENT_TEST(test_headers_are_of_the_last_head),
		CLIENT_TEST(test_request_bytes),
		CLIENT_TEST(test_slow_answers_end_at_the_limit),
		CLIENT_TEST(test_stopped_ends_the_request),
		CLIENT_TEST(test_unreachable_server_is_to_be_retried),
		CLIENT_TEST(test_bad_urls_are_refused),
		CLIENT_TEST(test_full_arena_is_local),
		CLIENT_TEST(test_a_sink_takes_the_body_as_it_is),
		CLIENT_TEST(test_a_sink_gets_what_came_before_a_cut),
		CLIENT_TEST(test_a_sink_ends_the_request),
		CLIENT_TEST(test_a_sink_has_a_limit),
		CLIENT_TEST(test_a_stalled_body_ends),
		CLIENT_TEST(test_urls_are_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
