/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_reply.c - replies on their way to the library, and the server's own refusals. */
#include "wrap/http_server_internal.h"

#include "base/json_writer.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum { PROBLEM_BYTES_MAX = 4096 };

static const struct refusal {
	int status;
	const char *title;
} refusals[] = {
	{MHD_HTTP_BAD_REQUEST, "Bad Request"},
	{MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed"},
	{MHD_HTTP_CONTENT_TOO_LARGE, "Content Too Large"},
	{MHD_HTTP_URI_TOO_LONG, "URI Too Long"},
	{MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large"},
	{MHD_HTTP_INTERNAL_SERVER_ERROR, "Internal Server Error"},
	{MHD_HTTP_SERVICE_UNAVAILABLE, "Service Unavailable"},
};

static const char *title_of(int status)
{
	size_t i = 0;
	while (refusals[i].status != status) {
		i++;
		assert(i < ARRAY_COUNT(refusals));
	}
	return refusals[i].title;
}

void http_reply_header(struct http_reply *reply, const char *name, struct span value)
{
	assert(reply->header_count < HTTP_REPLY_HEADERS_MAX);
	assert(name && name[0] != '\0');
	reply->headers[reply->header_count++] = (struct http_pair){span_of(name), value};
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *detail)
{
	struct http_reply *reply = &exchange->reply;
	buf_finish(&reply->body);
	*reply = (struct http_reply){.status = status, .content_type = "application/problem+json"};
	buf_init(&reply->body, PROBLEM_BYTES_MAX);

	struct json_writer json;
	json_writer_init(&json, &reply->body);
	json_begin_object(&json);
	json_put_key_text(&json, "type", "about:blank");
	json_put_key_text(&json, "title", title_of(status));
	json_put_key_integer(&json, "status", status);
	json_put_key_text(&json, "detail", detail);
	json_end_object(&json);
	assert(!reply->body.failed);

	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		http_reply_header(reply, "Allow", span_of("GET, HEAD, POST"));
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		http_reply_header(reply, "Retry-After", span_of("1"));
	exchange->answered = true;
}

/* Values may carry what a client sent: no byte of it can end a header. */
static bool add_header(struct MHD_Response *response, struct http_pair pair)
{
	CLEANUP(memory_free_text) char *name = memory_copy_span(pair.name);
	CLEANUP(memory_free_text) char *value = memory_copy_span(span_trim(pair.value));
	for (char *c = value; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	/* The library takes no empty values. */
	return *value == '\0' || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct http_exchange *exchange)
{
	const struct http_reply *reply = &exchange->reply;
	bool added = true;
	if (reply->content_type)
		added = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
						reply->content_type)
			== MHD_YES;
	added = added
		&& MHD_add_response_header(response, "X-Content-Type-Options", "nosniff")
			   == MHD_YES;
	if (exchange->close)
		added = added
			&& MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close")
				   == MHD_YES;
	for (size_t i = 0; i < reply->header_count && added; i++)
		added = add_header(response, reply->headers[i]);
	return added;
}

static struct MHD_Response *create_response(struct http_reply *reply)
{
	size_t size = 0;
	char *body = reply->body.size > 0 ? buf_take(&reply->body, &size) : NULL;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		size, body, body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
	if (!response)
		free(body);
#if MHD_VERSION >= 0x00097701
	/* Older ones then claim that the content which a 304 leaves out has a length of 0. */
	else if (reply->status == MHD_HTTP_NOT_MODIFIED && size == 0)
		(void)MHD_set_response_options(response, MHD_RF_HEAD_ONLY_RESPONSE, MHD_RO_END);
#endif
	return response;
}

enum MHD_Result http_exchange_send(struct http_exchange *exchange)
{
	assert(exchange->answered);
	struct http_reply *reply = &exchange->reply;
	if (reply->body.failed)
		http_exchange_refuse(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR,
				     "The reply is larger than the server can send.");

	struct MHD_Response *response = create_response(reply);
	if (!response)
		return MHD_NO;
	enum MHD_Result result = MHD_NO;
	if (add_headers(response, exchange))
		result = MHD_queue_response(exchange->connection, (unsigned)reply->status,
					    response);
	MHD_destroy_response(response);
	return result;
}
