/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - requests as bytes to struct, responses as struct to bytes. No sockets here.
 *
 * Responses can be told to misbehave on the wire (wrong length, cut body, damaged gzip, reset):
 * that is what this server is for, and why it uses no HTTP library. */
#ifndef FAKE_GITHUB_HTTP_H
#define FAKE_GITHUB_HTTP_H

#include "base/buf.h"
#include "base/err.h"

enum {
	HTTP_HEAD_BYTES_MAX = 16 * 1024,
	HTTP_HEADERS_MAX = 64,
	HTTP_ANSWER_HEAD_BYTES_MAX = 4 * 1024 * 1024, /* some answers' heads are too large on purpose */
	HTTP_BODY_BYTES_MAX = 1024 * 1024 * 1024, /* a ledger with millions of keys is large */
};

struct http_header {
	struct span name;
	struct span value;
};

struct http_request {
	struct span method;
	struct span target; /* as sent */
	struct span path;   /* the target before '?', not decoded */
	struct span query;  /* behind '?', or absent */
	int version_minor;  /* HTTP/1.x */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
};

/* The size of a request head (through its blank line) at the front of `bytes`; 0 when it is not
 * complete yet. */
size_t http_head_size(struct span bytes);

/* Reads a complete head. All spans borrow from `head`. ERR_INPUT when it is not HTTP/1.0 or 1.1. */
MUST_CHECK bool http_request_parse(struct span head, struct http_request *request_out,
				   struct err *err);

/* The first header of that name, whatever its case; absent span when there is none. */
struct span http_request_header(const struct http_request *request, const char *name);

/* True when the client wants the connection kept. */
bool http_request_keeps_alive(const struct http_request *request);

/* The value of a query parameter, not decoded (numbers and names need no decoding here); absent
 * span when it is not given. */
struct span http_query_value(struct span query, const char *name);

enum http_reset {
	HTTP_RESET_NONE,
	HTTP_RESET_BEFORE_HEAD, /* not a byte of an answer, then RST */
	HTTP_RESET_IN_BODY,     /* half of the body, then RST */
};

enum http_framing {
	HTTP_FRAMING_LENGTH,      /* Content-Length */
	HTTP_FRAMING_CHUNKED,
	HTTP_FRAMING_BAD_CHUNK,   /* chunked, with a size that is no number in its middle */
	HTTP_FRAMING_UNTIL_CLOSE, /* HTTP/1.0: the body ends with the connection */
};

enum http_pace {
	HTTP_PACE_FULL,
	HTTP_PACE_SLOW_HEAD, /* a byte of the head every 50 ms, for as long as the client listens */
	HTTP_PACE_SLOW_BODY, /* the head, then a byte of the body every 50 ms */
	HTTP_PACE_STALL,     /* half of the body, then nothing, and the connection stays open */
};

struct http_response {
	int status;
	struct buf headers; /* complete lines, "Name: value\r\n" */
	struct buf body;
	bool encoded;       /* the body is gzip, and a header says so */
	bool head_only;     /* answer to HEAD: lengths as for GET, no body */

	/* Misbehaviour; all zero for an honest answer. */
	int64_t length_offset;   /* added to Content-Length */
	size_t body_bytes_cut;   /* that many bytes at the end are not sent, then the connection
				    closes */
	enum http_reset reset;
	bool close;              /* close the connection after the answer */
	bool close_unsaid;       /* the same, after "Connection: keep-alive" */
	enum http_framing framing;
	enum http_pace pace;
	const char *interim;     /* sent before the head: answers of status 1xx; a constant, or NULL */
	const char *length_text; /* in place of the number in Content-Length; a constant, or NULL */
	int64_t refuse_ms;       /* afterwards the listener refuses connections for so long */
};

void http_response_init(struct http_response *response);
void http_response_finish(struct http_response *response);

/* Adds one header line. Values are ours or checked: never bytes of a request that hold CR or LF. */
void http_response_header(struct http_response *response, const char *name, const char *format,
			  ...) PRINTF_LIKE(3, 4);

/* Takes out every header of that name. */
void http_response_remove(struct http_response *response, const char *name);

/* Replaces the body by its gzip form and adds Content-Encoding. */
void http_response_gzip(struct http_response *response);

/* Appends status line, headers, Content-Length and Connection. */
void http_response_render_head(const struct http_response *response, bool keep_alive,
			       struct buf *out);

#endif
