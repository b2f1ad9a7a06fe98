/* SPDX-License-Identifier: Apache-2.0 */
/* router.h - the one route table, and the way of a request to its handler.
 *
 * The table is read by the dispatcher, the docs page and the hints of 404. Order matters where two
 * patterns fit one path: the first wins. */
#ifndef SERVE_ROUTER_H
#define SERVE_ROUTER_H

#include "wrap/http_server.h"

#include <stddef.h>

struct serve;

/* One request on its way; lives on the worker's stack. */
struct call {
	struct serve *serve;
	const struct http_request *request;
	struct http_reply *reply;
	struct span id; /* what stood for {id}; absent when the pattern has none */
};

struct route {
	const char *method;  /* "GET"; HEAD comes with it */
	const char *pattern; /* "{id}" stands for one segment that is not empty */
	void (*handle)(struct call *call);
	const char *summary;
};

/* routes.c */
extern const struct route routes[];
extern const size_t route_count;

/* NULL when no pattern fits. */
const struct route *router_find(
	const struct route *table, size_t count, struct span path, struct span *id_out);
/* The path that was probably meant, in `arena`; NULL when none is near. */
const char *router_suggest(
	const struct route *table, size_t count, struct span path, struct arena *arena);
/* True when `host` (a Host header) names this machine itself: localhost, 127.0.0.1, [::1] or
 * `bound`, with any port. Other names that lead here are another site's (DNS rebinding). */
bool router_host_is_local(struct span host, const char *bound);
/* True for addresses that only this machine reaches. */
bool router_address_is_loopback(const char *address);

#endif
