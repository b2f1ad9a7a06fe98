/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.h - an HTTP/1.1 server over libmicrohttpd: sockets and parsing on its threads, every
 * handler in a bounded pool of workers, so that a slow query never blocks a connection.
 *
 * Limits: 16 KiB of headers (431), 4 KiB of URI (414), 1 MiB of body (413), 15 s for the client's
 * request (then closed), 30 s idle, 1,024 connections over all ports, 256 waiting requests (then
 * 503 with Retry-After). Refused with 400: Content-Length together with Transfer-Encoding, not exactly
 * one Host header, NUL in the decoded path or query, bad percent escapes. GET, HEAD and POST only
 * (405 otherwise). These refusals are problem documents; what is not HTTP at all the library
 * answers in its own words, or by closing. */
#ifndef WRAP_HTTP_SERVER_H
#define WRAP_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct http_server;

/* The library's version, "0.9.75". */
const char *http_server_library(void);

struct http_pair {
	struct span name;
	struct span value;
};

struct http_request {
	const char *method;           /* "GET", "HEAD" or "POST" */
	struct span path;             /* decoded, starts with "/" */
	const struct http_pair *query; /* decoded, in order, repeats kept; "+" is a space */
	size_t query_count;
	const struct http_pair *headers;
	size_t header_count;
	struct span body;
	int port;                     /* of the listener that took it */
	int worker;                   /* index of the worker that runs the handler, 0.. */
	uint64_t number;              /* 1, 2, … in this server: for request ids */
	struct arena *arena;          /* lives as long as the request; 64 MiB */
};

enum { HTTP_REPLY_HEADERS_MAX = 16 };

struct http_reply {
	int status;
	const char *content_type;     /* literal or from the request's arena */
	struct buf body;              /* owned; the server frees it; set up for 1 GiB. One that
				       * failed is answered with 500. HEAD and 304 send its size. */
	struct http_pair headers[HTTP_REPLY_HEADERS_MAX]; /* literals or from the arena */
	size_t header_count;
};

struct http_server_options {
	const char *host;             /* "127.0.0.1" */
	const int *ports;             /* 0 picks a free one */
	size_t port_count;            /* at most 4; all serve the same handler */
	int worker_count;
	void (*handle)(void *context, struct http_request *request, struct http_reply *reply);
	void *context;
	int64_t request_wait_ms_max;  /* for the client's whole request; 0: 15 s */
};

/* Starts listening. A taken port is ERR_LOCAL with exit_code 6, naming the port. */
MUST_CHECK bool http_server_start(const struct http_server_options *options, struct http_server **server_out,
				  struct err *err);
/* The port really bound for options->ports[index]. */
int http_server_port(const struct http_server *server, size_t index);
/* Stops accepting, lets running handlers end (the owner interrupts slow ones first), answers those
 * that still wait with 503, gives the replies up to 2 s to leave, closes. For CLEANUP. */
void http_server_stop(struct http_server **server);

/* For handlers, which must set a status from 200 to 599. Control bytes in header values are sent as
 * spaces, empty values not at all. Every reply gets "X-Content-Type-Options: nosniff". */
void http_reply_header(struct http_reply *reply, const char *name, struct span value);
/* First value of that name, absent when there is none. Header names in any case. */
struct span http_request_header(const struct http_request *request, const char *name);
struct span http_request_query(const struct http_request *request, const char *name);

#endif
