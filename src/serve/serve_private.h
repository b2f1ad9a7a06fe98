/* SPDX-License-Identifier: Apache-2.0 */
/* serve_private.h - what the handlers share. Private to serve/. */
#ifndef SERVE_SERVE_PRIVATE_H
#define SERVE_SERVE_PRIVATE_H

#include "serve/reply.h"
#include "serve/router.h"
#include "serve/serve.h"

#include <stdatomic.h>

struct serve {
	struct serve_options options; /* host is a copy of our own */
	char *host;
	bool is_loopback;
	struct http_server *server;
	struct catalog **catalogs; /* one per worker, opened and used by it alone; NULL: not open */
	atomic_int ui_port;   /* the one in use; handlers run before http_server_start returns */
	atomic_bool stopping; /* no query may begin any more */
};

/* The calling worker's own catalog, opened when it is needed first. */
MUST_CHECK bool serve_open_catalog(
	struct call *call, struct catalog **catalog_out, struct err *err);
/* After a failure: the next request opens it anew. */
void serve_close_catalog(struct call *call);

/* ---- metric_call.c ---- */
/* Calls `answer` with the metric of call->id, whose version stays while it runs; or replies that
 * there is none. */
void call_with_metric(
	struct call *call, void (*answer)(struct call *call, const struct metric *metric));
/* The query string as arguments, in the request's arena. */
const struct metric_argument *call_read_arguments(struct call *call, size_t *count_out);
/* False: the reply tells why, and what must be logged is. */
bool call_evaluate(
	struct call *call, const struct metric_request *request, struct metric_result *result_out);

static inline void call_problem(struct call *call, enum problem_kind kind)
{
	reply_problem(call->reply, &(struct problem){.kind = kind}, call->request->number);
}

#endif
