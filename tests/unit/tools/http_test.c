/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "fake_github/http.h"
#include "fake_github/options.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

static void heads_end_at_the_blank_line(void **state)
{
	(void)state;
	assert_int_equal(http_head_size(span_of("")), 0);
	assert_int_equal(http_head_size(span_of("GET / HTTP/1.1\r\nA: b\r\n\r")), 0);
	assert_int_equal(http_head_size(span_of("GET / HTTP/1.1\r\n\r\nbody\r\n\r\n")), 18);
}

static void requests_are_read(void **state)
{
	(void)state;
	struct http_request request;
	struct err err = {0};
	assert_true(
		http_request_parse(span_of("GET /events?page=2&per_page=9 HTTP/1.1\r\nHost: h\r\n"
					   "user-AGENT:  a b \r\nEmpty:\r\n\r\n"),
				   &request, &err));
	assert_true(span_equal_text(request.method, "GET"));
	assert_true(span_equal_text(request.path, "/events"));
	assert_true(span_equal_text(http_query_value(request.query, "page"), "2"));
	assert_true(span_equal_text(http_query_value(request.query, "per_page"), "9"));
	assert_null(http_query_value(request.query, "per").data);
	assert_true(span_equal_text(http_request_header(&request, "User-Agent"), "a b"));
	assert_int_equal(http_request_header(&request, "Empty").size, 0);
	assert_null(http_request_header(&request, "Accept").data);
	assert_true(http_request_keeps_alive(&request));
	assert_true(http_request_parse(span_of("GET / HTTP/1.0\r\n\r\n"), &request, &err));
	assert_false(http_request_keeps_alive(&request));
	assert_true(http_request_parse(span_of("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n"),
				       &request, &err));
	assert_false(http_request_keeps_alive(&request));
}

static void bad_requests_are_refused(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/2.0\r\n\r\n",
		"GET events HTTP/1.1\r\n\r\n",
		"GET /\rX: y HTTP/1.1\r\n\r\n",
		"GET /a\x01 HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\nA: b\n\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\n: no name\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		struct http_request request;
		struct err err = {0};
		if (http_request_parse(span_of(heads[i]), &request, &err))
			fail_msg("accepted: %s", heads[i]);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

static void headers_are_bounded(void **state)
{
	(void)state;
	struct buf head;
	buf_init(&head, HTTP_HEAD_BYTES_MAX);
	buf_append_text(&head, "GET / HTTP/1.1\r\n");
	for (int i = 0; i < HTTP_HEADERS_MAX; i++)
		buf_append_text(&head, "A: b\r\n");
	struct http_request request;
	struct err err = {0};
	assert_true(http_request_parse(buf_span(&head), &request, &err));
	buf_append_text(&head, "A: b\r\n");
	assert_false(http_request_parse(buf_span(&head), &request, &err));
	buf_finish(&head);
}

static void gzip_bodies_come_back(void **state)
{
	(void)state;
	struct http_response response;
	http_response_init(&response);
	response.status = 200;
	for (int i = 0; i < 20000; i++)
		buf_printf(&response.body, "%d,", i * 7919);
	size_t size = response.body.size;
	char *plain = memcpy(test_malloc(size), response.body.data, size);
	http_response_gzip(&response);
	assert_true(response.encoded);
	assert_non_null(strstr(response.headers.data, "Content-Encoding: gzip\r\n"));

	char *unpacked = test_malloc(size + 1);
	z_stream stream = {0};
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_in = (Bytef *)response.body.data;
	stream.avail_in = (uInt)response.body.size;
	stream.next_out = (Bytef *)unpacked;
	stream.avail_out = (uInt)size + 1;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, size);
	assert_memory_equal(unpacked, plain, size);
	(void)inflateEnd(&stream);
	test_free(unpacked);
	test_free(plain);
	http_response_finish(&response);
}

static void check_head(int status, int64_t length_offset, bool keep_alive, const char *expected)
{
	struct http_response response;
	http_response_init(&response);
	response.status = status;
	response.length_offset = length_offset;
	http_response_header(&response, "X-A", "%d", 1);
	if (status != 304)
		buf_append_text(&response.body, "[12345678]");
	struct buf out;
	buf_init(&out, 4096);
	http_response_render_head(&response, keep_alive, &out);
	assert_string_equal(out.data, expected);
	buf_finish(&out);
	http_response_finish(&response);
}

static void heads_are_rendered(void **state)
{
	(void)state;
	check_head(
		200, 0, true,
		"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 10\r\nConnection: keep-alive\r\n\r\n");
	check_head(422, -4, false,
		   "HTTP/1.1 422 Unprocessable Entity\r\nX-A: 1\r\nContent-Length: 6\r\n"
		   "Connection: close\r\n\r\n");
	check_head(304, 0, true,
		   "HTTP/1.1 304 Not Modified\r\nX-A: 1\r\nConnection: keep-alive\r\n\r\n");
}

/* ---- the command line ---- */

enum { ARGUMENTS_MAX = 8 };

/* Splits at spaces and parses. */
static bool parse_line(const char *line, struct options *options_out, struct err *err)
{
	static char text[256]; /* options borrow their texts */
	char *arguments[ARGUMENTS_MAX] = {"program"};
	int count = 1;
	(void)snprintf(text, sizeof(text), "%s", line);
	char *rest = text;
	for (char *word; count < ARGUMENTS_MAX && (word = strsep(&rest, " "));)
		if (*word != '\0')
			arguments[count++] = word;
	return options_parse(count, arguments, options_out, err);
}

static void options_are_read(void **state)
{
	(void)state;
	struct options options;
	struct err err = {0};
	assert_true(parse_line("", &options, &err));
	assert_int_equal(options.synthetic_seed, 1);
	assert_int_equal(options.poll_interval_seconds, 60);
	assert_int_equal(options.limit_token, 5000);
	assert_null(options.replay);
	assert_true(parse_line("--port 0 --synthetic=7 --rate 2.5 --scenario error-500", &options,
			       &err));
	assert_int_equal(options.port, 0);
	assert_int_equal(options.synthetic_seed, 7);
	assert_true(options.rate > 2.49 && options.rate < 2.51);
	assert_string_equal(options.scenario, "error-500");
	assert_true(parse_line("--replay a=b.json --scenarios", &options, &err));
	assert_string_equal(options.replay, "a=b.json");
	assert_true(options.list_scenarios);
}

static void wrong_options_are_named(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"--nope",      "port",       "--port",     "--port x",          "--port 65536",
		"--port -1",   "--rate nan", "--rate -1",  "--window-seconds 0", "--help=1",
		"--synthetic 1 --replay x",
	};
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		struct options options;
		struct err err = {0};
		if (parse_line(lines[i], &options, &err))
			fail_msg("accepted: %s", lines[i]);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_end_at_the_blank_line),
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(bad_requests_are_refused),
		cmocka_unit_test(headers_are_bounded),
		cmocka_unit_test(gzip_bodies_come_back),
		cmocka_unit_test(heads_are_rendered),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(wrong_options_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
