/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_request.c - from the library's view of a request to ours, refusing what is malformed
 * or could be read differently by a proxy in front (RFC 9112, 6.1 and 3.2). */
#include "wrap/http_server_internal.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ": " and CR LF, counted with every header. */
enum { HEADER_FRAME_BYTES = 4 };

struct http_exchange *http_exchange_create(struct http_listener *listener, struct http_peer *peer,
					   const char *target)
{
	struct http_exchange *exchange = memory_allocate(1, sizeof(*exchange));
	exchange->listener = listener;
	exchange->peer = peer;
	arena_init(&exchange->arena, HTTP_ARENA_BYTES_MAX);
	buf_init(&exchange->body, HTTP_BODY_BYTES_MAX);
	buf_init(&exchange->reply.body, HTTP_REPLY_BYTES_MAX);
	exchange->request.arena = &exchange->arena;
	exchange->request.port = listener->port;
	struct span raw = span_of(target);
	if (raw.size <= HTTP_TARGET_BYTES_MAX)
		exchange->target = arena_copy(&exchange->arena, raw);
	return exchange;
}

void http_exchange_destroy(struct http_exchange **exchange)
{
	if (!*exchange)
		return;
	buf_finish(&(*exchange)->reply.body);
	buf_finish(&(*exchange)->body);
	arena_finish(&(*exchange)->arena);
	free(*exchange);
	*exchange = NULL;
}

/* ---- the target ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* False: a bad escape, a NUL, or a byte that must be escaped. */
static bool decode(struct span raw, bool plus_is_space, struct arena *arena,
		   struct span *decoded_out)
{
	char *text = arena_allocate(arena, raw.size + 1, 1);
	assert(text); /* the target is far smaller than the arena */
	size_t size = 0;
	for (size_t i = 0; i < raw.size; i++) {
		char c = raw.data[i];
		if (c == '%') {
			int high = i + 2 < raw.size ? hex_value(raw.data[i + 1]) : -1;
			int low = high >= 0 ? hex_value(raw.data[i + 2]) : -1;
			if (low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		} else if ((unsigned char)c <= 0x20 || c == 0x7f || c == '#') {
			return false;
		}
		text[size++] = c;
	}
	*decoded_out = (struct span){text, size};
	return true;
}

static bool read_pair(struct span raw, struct arena *arena, struct http_pair *pair_out)
{
	struct span name = raw;
	struct span value = span_make("", 0);
	(void)span_split(raw, '=', &name, &value);
	return decode(name, true, arena, &pair_out->name)
		&& decode(value, true, arena, &pair_out->value);
}

static bool read_query(struct http_request *request, struct span raw)
{
	size_t count_max = 1;
	for (size_t i = 0; i < raw.size; i++)
		count_max += raw.data[i] == '&';
	struct http_pair *pairs = arena_allocate(request->arena, count_max, sizeof(*pairs));
	assert(pairs);
	size_t count = 0;
	for (bool more = true; more;) {
		struct span part = raw;
		more = span_split(raw, '&', &part, &raw);
		if (part.size == 0)
			continue;
		if (!read_pair(part, request->arena, &pairs[count]))
			return false;
		count++;
	}
	request->query = pairs;
	request->query_count = count;
	return true;
}

static bool read_target(struct http_request *request, struct span target)
{
	struct span path = target;
	struct span query = span_make("", 0);
	(void)span_split(target, '?', &path, &query);
	return span_starts_with(path, "/") && decode(path, false, request->arena, &request->path)
		&& read_query(request, query);
}

/* ---- the headers ---- */

struct header_list {
	struct http_pair *pairs;
	size_t count;
	size_t count_max;
	size_t bytes;
};

static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
				   size_t name_size, const char *value, size_t value_size)
{
	(void)kind;
	struct header_list *list = context;
	if (list->count == list->count_max)
		return MHD_NO;
	list->pairs[list->count++] = (struct http_pair){span_make(name, name_size),
							span_make(value ? value : "", value_size)};
	list->bytes += name_size + value_size + HEADER_FRAME_BYTES;
	return MHD_YES;
}

/* False when there are more than the maximum. The spans borrow from the library, which keeps them
 * until the request is over. */
static bool read_headers(struct http_request *request, struct MHD_Connection *connection)
{
	int count = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
	if (count <= 0)
		return true;
	struct header_list list = {.count_max = (size_t)count};
	if (list.count_max > HTTP_HEADER_BYTES_MAX / HEADER_FRAME_BYTES)
		return false;
	list.pairs = arena_allocate(request->arena, list.count_max, sizeof(*list.pairs));
	assert(list.pairs);
	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take_header, &list);
	request->headers = list.pairs;
	request->header_count = list.count;
	return list.bytes <= HTTP_HEADER_BYTES_MAX;
}

static bool has_control_bytes(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t') || s.data[i] == 0x7f)
			return true;
	return false;
}

static size_t count_headers(const struct http_request *request, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++)
		count += span_equal_ignore_case(request->headers[i].name, span_of(name));
	return count;
}

/* How long the body is must be beyond doubt. NULL, or what is wrong. */
static const char *find_framing_fault(const struct http_request *request, int64_t *body_size_out)
{
	*body_size_out = 0;
	size_t length_count = count_headers(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	size_t coding_count = count_headers(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	if (length_count > 0 && coding_count > 0)
		return "Content-Length and Transfer-Encoding exclude each other.";
	if (length_count > 1 || coding_count > 1)
		return "The length of the body is given twice.";
	if (length_count == 1) {
		struct span length = http_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
		if (span_starts_with(length, "-") || !span_parse_int64(length, body_size_out))
			return "Content-Length is not a number.";
	}
	struct span coding = http_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	if (coding_count == 1 && !span_equal_ignore_case(coding, span_of("chunked")))
		return "The only known transfer coding is chunked.";
	return NULL;
}

static bool refuse(struct http_exchange *exchange, int status, const char *detail)
{
	exchange->close = true;
	http_exchange_refuse(exchange, status, detail);
	return false;
}

static bool check_headers(struct http_exchange *exchange, const char *version)
{
	const struct http_request *request = &exchange->request;
	int64_t body_size;
	const char *fault = find_framing_fault(request, &body_size);
	if (fault) {
		exchange->at_once = true;
		return refuse(exchange, MHD_HTTP_BAD_REQUEST, fault);
	}
	/* Who waits for "100 Continue" is told before sending; others would not listen before. */
	exchange->at_once = count_headers(request, MHD_HTTP_HEADER_EXPECT) > 0;
	for (size_t i = 0; i < request->header_count; i++)
		if (has_control_bytes(request->headers[i].name)
		    || has_control_bytes(request->headers[i].value))
			return refuse(exchange, MHD_HTTP_BAD_REQUEST,
				      "A header holds a control character.");
	size_t host_count = count_headers(request, MHD_HTTP_HEADER_HOST);
	if (host_count > 1 || (host_count == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0))
		return refuse(exchange, MHD_HTTP_BAD_REQUEST, "There must be one Host header.");
	if (body_size > HTTP_BODY_BYTES_MAX)
		return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
			      "The body is larger than 1 MiB.");
	return true;
}

static const char *known_method(const char *method)
{
	static const char *const methods[] = {"GET", "HEAD", "POST"};
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (strcmp(method, methods[i]) == 0)
			return methods[i];
	return NULL;
}

bool http_exchange_read_head(struct http_exchange *exchange, struct MHD_Connection *connection,
			     const char *method, const char *version)
{
	struct http_request *request = &exchange->request;
	exchange->started = true;
	exchange->connection = connection;
	if (!read_headers(request, connection)) {
		exchange->at_once = true;
		return refuse(exchange, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
			      "The headers are larger than 16 KiB.");
	}
	if (!check_headers(exchange, version))
		return false;
	request->method = known_method(method);
	if (!request->method)
		return refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "Use GET, HEAD or POST.");
	if (!exchange->target.data)
		return refuse(exchange, MHD_HTTP_URI_TOO_LONG,
			      "The request target is longer than 4 KiB.");
	if (!read_target(request, exchange->target))
		return refuse(exchange, MHD_HTTP_BAD_REQUEST,
			      "The request target must be a path with valid percent escapes.");
	return true;
}

/* ---- for handlers ---- */

static struct span find_value(const struct http_pair *pairs, size_t count, const char *name,
			      bool (*equal)(struct span, struct span))
{
	struct span wanted = span_of(name);
	for (size_t i = 0; i < count; i++)
		if (equal(pairs[i].name, wanted))
			return pairs[i].value;
	return (struct span){0};
}

struct span http_request_header(const struct http_request *request, const char *name)
{
	return find_value(request->headers, request->header_count, name, span_equal_ignore_case);
}

struct span http_request_query(const struct http_request *request, const char *name)
{
	return find_value(request->query, request->query_count, name, span_equal);
}
