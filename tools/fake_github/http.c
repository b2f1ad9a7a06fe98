/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/http.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

size_t http_head_size(struct span bytes)
{
	const char *end = bytes.size ? memmem(bytes.data, bytes.size, "\r\n\r\n", 4) : NULL;
	return end ? (size_t)(end - bytes.data) + 4 : 0;
}

static bool parse_request_line(struct span line, struct http_request *request)
{
	struct span version;
	if (!span_split(line, ' ', &request->method, &version)
	    || !span_split(version, ' ', &request->target, &version))
		return false;
	if (span_equal_text(version, "HTTP/1.1"))
		request->version_minor = 1;
	else if (!span_equal_text(version, "HTTP/1.0"))
		return false;
	if (request->method.size == 0 || !span_starts_with(request->target, "/"))
		return false;
	/* Redirects and links repeat the target: a control byte in it could fake a header. */
	for (size_t i = 0; i < request->target.size; i++)
		if ((unsigned char)request->target.data[i] <= ' '
		    || request->target.data[i] == 0x7f)
			return false;
	if (!span_split(request->target, '?', &request->path, &request->query))
		request->path = request->target;
	return true;
}

static bool next_line(struct span *rest, struct span *line_out)
{
	if (!span_split(*rest, '\n', line_out, rest))
		return false;
	if (!span_ends_with(*line_out, "\r"))
		return false;
	line_out->size--;
	return true;
}

bool http_request_parse(struct span head, struct http_request *request_out, struct err *err)
{
	struct http_request request = {0};
	struct span rest = head;
	struct span line;
	if (!next_line(&rest, &line) || !parse_request_line(line, &request))
		return err_set(err, ERR_INPUT, "not an HTTP/1.1 request line");
	while (next_line(&rest, &line) && line.size > 0) {
		struct http_header header;
		if (!span_split(line, ':', &header.name, &header.value) || header.name.size == 0)
			return err_set(err, ERR_INPUT, "bad header line");
		if (request.header_count == HTTP_HEADERS_MAX)
			return err_set(err, ERR_INPUT, "more than %d headers", HTTP_HEADERS_MAX);
		header.value = span_trim(header.value);
		request.headers[request.header_count++] = header;
	}
	*request_out = request;
	return true;
}

struct span http_request_header(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (span_equal_ignore_case(request->headers[i].name, span_of(name)))
			return request->headers[i].value;
	return (struct span){0};
}

bool http_request_keeps_alive(const struct http_request *request)
{
	struct span value = http_request_header(request, "Connection");
	if (request->version_minor == 0)
		return span_equal_ignore_case(value, span_of("keep-alive"));
	return !span_equal_ignore_case(value, span_of("close"));
}

struct span http_query_value(struct span query, const char *name)
{
	struct span rest = query;
	while (rest.data) {
		struct span pair = rest;
		if (!span_split(rest, '&', &pair, &rest))
			rest = (struct span){0};
		struct span key;
		struct span value;
		if (span_split(pair, '=', &key, &value) && span_equal_text(key, name))
			return value;
	}
	return (struct span){0};
}

void http_response_init(struct http_response *response)
{
	*response = (struct http_response){0};
	buf_init(&response->headers, HTTP_ANSWER_HEAD_BYTES_MAX);
	buf_init(&response->body, HTTP_BODY_BYTES_MAX);
}

void http_response_finish(struct http_response *response)
{
	buf_finish(&response->headers);
	buf_finish(&response->body);
}

void http_response_header(struct http_response *response, const char *name, const char *format, ...)
{
	char value[1024];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	assert(size >= 0 && (size_t)size < sizeof(value));
	assert(!strpbrk(value, "\r\n"));
	buf_printf(&response->headers, "%s: %s\r\n", name, value);
}

void http_response_remove(struct http_response *response, const char *name)
{
	struct buf kept;
	buf_init(&kept, HTTP_ANSWER_HEAD_BYTES_MAX);
	struct span rest = buf_span(&response->headers);
	struct span line;
	while (span_split(rest, '\n', &line, &rest)) {
		struct span own_name;
		struct span value;
		if (span_split(line, ':', &own_name, &value)
		    && span_equal_ignore_case(own_name, span_of(name)))
			continue;
		buf_append_span(&kept, line);
		buf_append_byte(&kept, '\n');
	}
	buf_finish(&response->headers);
	response->headers = kept;
}

void http_response_gzip(struct http_response *response)
{
	z_stream stream = {0};
	int code = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert(code == Z_OK);
	struct buf packed;
	buf_init(&packed, HTTP_BODY_BYTES_MAX);
	uLong bound = deflateBound(&stream, (uLong)response->body.size);
	char *room = buf_reserve(&packed, bound);
	assert(room);
	stream.next_in = (Bytef *)response->body.data;
	stream.avail_in = (uInt)response->body.size;
	stream.next_out = (Bytef *)room;
	stream.avail_out = (uInt)bound;
	code = deflate(&stream, Z_FINISH);
	assert(code == Z_STREAM_END);
	buf_commit(&packed, stream.total_out);
	(void)deflateEnd(&stream);
	buf_finish(&response->body);
	response->body = packed;
	response->encoded = true;
	http_response_header(response, "Content-Encoding", "gzip");
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{200, "OK"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{422, "Unprocessable Entity"},
		{429, "Too Many Requests"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Status";
}

void http_response_render_head(const struct http_response *response, bool keep_alive,
			       struct buf *out)
{
	assert(!response->headers.failed && !response->body.failed);
	bool until_close = response->framing == HTTP_FRAMING_UNTIL_CLOSE;
	buf_printf(out, "HTTP/1.%d %d %s\r\n", until_close ? 0 : 1, response->status,
		   reason_of(response->status));
	buf_append_span(out, buf_span(&response->headers));
	if (response->length_text)
		buf_printf(out, "Content-Length: %s\r\n", response->length_text);
	else if (response->framing == HTTP_FRAMING_CHUNKED
		 || response->framing == HTTP_FRAMING_BAD_CHUNK)
		buf_append_text(out, "Transfer-Encoding: chunked\r\n");
	else if (response->status != 304 && !until_close)
		buf_printf(out, "Content-Length: %" PRId64 "\r\n",
			   (int64_t)response->body.size + response->length_offset);
	buf_append_text(out, keep_alive ? "Connection: keep-alive\r\n\r\n"
					: "Connection: close\r\n\r\n");
}
