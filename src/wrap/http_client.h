/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - one GET at a time over libcurl, with every limit set.
 *
 * Never follows a redirect by itself: the caller decides where the token may go. Verifies peer and
 * host; http and https only; gzip decoded while bounded; proxy only from the environment's standard
 * variables, and never for this machine itself. A client belongs to one thread and keeps its
 * connections alive between requests. */
#ifndef WRAP_HTTP_CLIENT_H
#define WRAP_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http_client;

struct http_client_header {
	const char *name;
	const char *value;
};

struct http_client_response;

/* Takes a body as it comes, for those that are too large for memory. Both are called on the thread that
 * sends, within http_client_send; false ends the request, which then fails with their err. */
struct http_client_sink {
	/* Once for each answer, when its head is complete and before any of its body (also when it has none):
	 * status and headers, borrowed from the arena. */
	bool (*begin)(void *context, const struct http_client_response *head, struct err *err);
	/* Some bytes at a time, never 0. A body that then breaks off has been taken in part. */
	bool (*take)(void *context, struct span bytes, struct err *err);
	void *context;
};

struct http_client_request {
	const char *method;                 /* NULL: "GET" */
	const char *url;                    /* http or https, no user information */
	const struct http_client_header *headers;
	size_t header_count;
	struct span body;                   /* for POST; absent: none */
	size_t body_bytes_max;              /* after decoding: more is ERR_INPUT, as are more than 200 bytes
					     * of one (a compression bomb; 64 KiB are always let through) */
	/* NULL: the body goes into memory. Else it goes here as it is stored at the server: "identity" is
	 * asked for, and a coding that comes nevertheless is not decoded; body_bytes_max bounds it. */
	const struct http_client_sink *sink;
	int64_t connect_wait_ms_max;
	int64_t total_wait_ms_max;
	int64_t slow_wait_ms_max;           /* below 100 bytes/s (1000 with a sink) for so long: ended with
					     * ERR_RETRY, whatever else is allowed; whole seconds; 0: 30 s */
	/* Polled about ten times a second; true ends the request with ERR_RETRY "stopped". May be
	 * NULL. */
	bool (*stopped)(void *context);
	void *stopped_context;
};

struct http_client_response {
	int status;
	struct span body; /* borrowed from the arena; empty with a sink */
	const struct http_client_header *headers; /* as received, in the arena; trailers left out */
	size_t header_count;
	int64_t elapsed_ms;
};

/* The value of the first header of that name (any case), or NULL. */
const char *http_client_header_get(const struct http_client_response *response, const char *name);

/* The library's version and that of its TLS, "libcurl/7.88.1 OpenSSL/3.0.17", into text[size]. */
void http_client_library(char *text, size_t size);

MUST_CHECK bool http_client_create(struct http_client **client_out, struct err *err);
void http_client_destroy(struct http_client **client);

/* ERR_INPUT unless `url` is one for a request: http or https, no user information. */
MUST_CHECK bool http_client_check_url(const char *url, struct err *err);

/* The absolute URL that `reference` (a Location header's value) means at `base`, without a fragment, into
 * text[size]. ERR_INPUT: it is none for a request, or too long; it is not shown, for it may hold a password. */
MUST_CHECK bool http_client_resolve(const char *base, const char *reference, char *text, size_t size, struct err *err);

/* Whether its host is this machine's loopback, which no proxy could reach. */
bool http_client_is_this_machine(const char *url);

/* Any complete answer is success, whatever its status. Failures: ERR_RETRY for the network, a body
 * cut short, bad content coding or a time limit; ERR_INPUT for a body or headers past their maximum
 * (64 KiB of headers) or a malformed URL; ERR_LOCAL for a certificate or library problem, but ERR_RETRY
 * for a certificate outside its dates, with the clock named as the likely cause. Headers and values must
 * not hold CR or LF (asserted). */
MUST_CHECK bool http_client_send(struct http_client *client, const struct http_client_request *request,
				 struct arena *arena, struct http_client_response *response_out, struct err *err);

#endif
