/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/connection.h"

#include "fake_github/reply.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	REQUEST_BODY_BYTES_MAX = 1024 * 1024,
	CHUNK_BYTES = 7000,
	DRIBBLE_MS = 50,
	DRIBBLE_MS_MAX = 120 * 1000, /* a client that bears more is given up */
};

/* Reads some bytes more; false at the end of the stream, after an error or a too long wait. */
static bool receive(int descriptor, struct buf *in)
{
	char *room = buf_reserve(in, 4096);
	if (!room)
		return false;
	for (;;) {
		ssize_t size = recv(descriptor, room, 4096, 0);
		if (size > 0) {
			buf_commit(in, (size_t)size);
			return true;
		}
		if (size == 0 || errno != EINTR)
			return false;
	}
}

static bool send_all(int descriptor, const char *data, size_t size, int flags)
{
	while (size > 0) {
		ssize_t sent = send(descriptor, data, size, MSG_NOSIGNAL | flags);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* Makes the coming close() send a reset in place of an orderly end. */
static void arm_reset(int descriptor)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	(void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static bool send_chunk(int descriptor, const char *data, size_t size)
{
	struct buf head;
	buf_init(&head, 64);
	buf_printf(&head, "%zx\r\n", size);
	bool sent = send_all(descriptor, head.data, head.size, MSG_MORE)
		    && send_all(descriptor, data, size, MSG_MORE)
		    && send_all(descriptor, "\r\n", 2, size > 0 ? MSG_MORE : 0);
	buf_finish(&head);
	return sent;
}

static bool send_chunks(int descriptor, const struct http_response *response)
{
	bool bad = response->framing == HTTP_FRAMING_BAD_CHUNK;
	size_t end = bad ? response->body.size / 2 : response->body.size;
	for (size_t at = 0; at < end; at += CHUNK_BYTES) {
		size_t size = end - at < CHUNK_BYTES ? end - at : CHUNK_BYTES;
		if (!send_chunk(descriptor, response->body.data + at, size))
			return false;
	}
	return bad ? send_all(descriptor, "so-many\r\n", 9, 0) : send_chunk(descriptor, "", 0);
}

static bool has_left(int descriptor)
{
	char byte;
	return recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* A byte now and then until the client has enough of it. */
static void dribble(int descriptor, struct span bytes)
{
	for (int64_t passed_ms = 0; passed_ms < DRIBBLE_MS_MAX; passed_ms += DRIBBLE_MS) {
		clock_sleep_ms(DRIBBLE_MS);
		if (has_left(descriptor))
			return;
		if (bytes.size == 0)
			continue;
		if (!send_all(descriptor, bytes.data, 1, 0))
			return;
		bytes = span_make(bytes.data + 1, bytes.size - 1);
	}
}

static void send_slowly(int descriptor, const struct http_response *response, struct span head)
{
	struct span body = buf_span(&response->body);
	if (response->pace == HTTP_PACE_SLOW_HEAD) {
		dribble(descriptor, head);
		return;
	}
	size_t at_once = response->pace == HTTP_PACE_STALL ? body.size / 2 : 0;
	if (send_all(descriptor, head.data, head.size, at_once > 0 ? MSG_MORE : 0)
	    && send_all(descriptor, body.data, at_once, 0))
		dribble(descriptor, response->pace == HTTP_PACE_STALL
					    ? (struct span){0}
					    : span_make(body.data + at_once, body.size - at_once));
}

/* True when the whole answer (as far as its misbehaviour lets it) was handed to the socket. */
static bool send_response(int descriptor, const struct http_response *response, bool keep_alive)
{
	if (response->reset != HTTP_RESET_NONE)
		arm_reset(descriptor);
	if (response->reset == HTTP_RESET_BEFORE_HEAD)
		return false;
	size_t body_size = response->head_only ? 0 : response->body.size - response->body_bytes_cut;
	if (response->reset == HTTP_RESET_IN_BODY)
		body_size /= 2;
	struct buf head;
	buf_init(&head, 2 * HTTP_ANSWER_HEAD_BYTES_MAX);
	if (response->interim)
		buf_append_text(&head, response->interim);
	http_response_render_head(response, keep_alive, &head);
	if (response->pace != HTTP_PACE_FULL) {
		send_slowly(descriptor, response, buf_span(&head));
		buf_finish(&head);
		return false;
	}
	bool chunked = (response->framing == HTTP_FRAMING_CHUNKED
			|| response->framing == HTTP_FRAMING_BAD_CHUNK)
		       && !response->head_only;
	bool sent = !head.failed
		    && send_all(descriptor, head.data, head.size, body_size > 0 ? MSG_MORE : 0)
		    && (chunked ? send_chunks(descriptor, response)
				: send_all(descriptor, response->body.data, body_size, 0));
	buf_finish(&head);
	return sent;
}

/* Answers one request; false when the connection is to end. */
static bool answer(const struct connection *connection, const struct http_request *request)
{
	struct http_response response;
	http_response_init(&response);
	struct github_exchange exchange;
	github_answer(connection->github, request, connection->foreign, &response, &exchange);
	if (response.refuse_ms > 0)
		connection->refuse(connection->context, response.refuse_ms);
	bool keep_alive = http_request_keeps_alive(request) && !response.close
			  && response.framing != HTTP_FRAMING_BAD_CHUNK
			  && response.framing != HTTP_FRAMING_UNTIL_CLOSE
			  && response.body_bytes_cut == 0 && response.reset == HTTP_RESET_NONE;
	bool sent = send_response(connection->descriptor, &response, keep_alive);
	github_sent(connection->github, &exchange, sent);
	bool goes_on = sent && keep_alive && !response.close_unsaid;
	http_response_finish(&response);
	return goes_on;
}

static void answer_bad_request(const struct connection *connection, const char *message)
{
	struct http_response response;
	http_response_init(&response);
	reply_error(&response, 400, message, NULL);
	(void)send_response(connection->descriptor, &response, false);
	http_response_finish(&response);
}

/* Takes the request's body, which no route needs, off the stream. */
static bool skip_body(const struct connection *connection, const struct http_request *request,
		      size_t head_size, struct buf *in)
{
	struct span length = http_request_header(request, "Content-Length");
	int64_t size = 0;
	if (http_request_header(request, "Transfer-Encoding").data
	    || (length.data && (!span_parse_int64(length, &size) || size < 0
				|| size > REQUEST_BODY_BYTES_MAX)))
		return false;
	while (in->size - head_size < (size_t)size)
		if (!receive(connection->descriptor, in))
			return false;
	buf_consume(in, head_size + (size_t)size);
	return true;
}

/* Reads and answers the next request; false when the connection is to end. */
static bool serve_next(const struct connection *connection, struct buf *in)
{
	size_t head_size;
	while ((head_size = http_head_size(buf_span(in))) == 0) {
		if (in->size > HTTP_HEAD_BYTES_MAX) {
			answer_bad_request(connection, "Request head is too large");
			return false;
		}
		if (!receive(connection->descriptor, in))
			return false;
	}
	/* The request borrows its bytes, and taking a body off the stream may move them. */
	struct buf head;
	buf_init(&head, head_size);
	buf_append(&head, in->data, head_size);
	struct http_request request;
	struct err err = {0};
	bool goes_on = http_request_parse(buf_span(&head), &request, &err);
	if (!goes_on)
		answer_bad_request(connection, err.text);
	goes_on = goes_on && skip_body(connection, &request, head_size, in)
		  && answer(connection, &request);
	buf_finish(&head);
	return goes_on;
}

void connection_serve(const struct connection *connection)
{
	struct buf in;
	buf_init(&in, HTTP_HEAD_BYTES_MAX + REQUEST_BODY_BYTES_MAX + 8192);
	while (serve_next(connection, &in))
		continue;
	buf_finish(&in);
}
