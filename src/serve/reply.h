/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - what all replies have in common: security headers, entity tags, problem documents
 * (RFC 9457) with the keys of UX 3. */
#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

#include "metrics/metrics.h"
#include "wrap/http_server.h"

#define REPLY_JSON "application/json"
#define REPLY_PROBLEM "application/problem+json"
#define REPLY_HTML "text/html; charset=utf-8"
#define REPLY_CSV "text/csv; charset=utf-8; header=present"

/* Starts the reply over: status, type, Cache-Control and the security headers; an empty body. HTML
 * may load scripts and styles of our own, everything else nothing at all. The texts are literals or
 * live in the request's arena. */
void reply_begin(
	struct http_reply *reply, int status, const char *content_type, const char *cache_control);
/* 302 to a literal path. */
void reply_redirect(struct http_reply *reply, const char *location);
/* Gives the reply the tag of `tagged`; a request that has this tag already gets 304. Last, when the
 * body is complete. */
void reply_tag(struct http_reply *reply, const struct http_request *request, struct span tagged);
/* If-None-Match (RFC 9110, 13.1.2): a list of tags, weak ones included, or "*". */
bool reply_tag_matches(struct span if_none_match, struct span tag);

/* Order of problem_kinds[] in reply.c. */
enum problem_kind {
	PROBLEM_INVALID_PARAMETER,
	PROBLEM_UNKNOWN_METRIC,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_WRONG_HOST,
	PROBLEM_METRIC_BROKEN,
	PROBLEM_BUSY,
	PROBLEM_REBUILDING,
	PROBLEM_UNAVAILABLE,
	PROBLEM_QUERY_TIMEOUT,
	PROBLEM_KIND_COUNT,
};

struct problem {
	enum problem_kind kind;
	struct span detail; /* absent: the kind's own */
	const char *place;  /* of the faults: "query", "path", "header" */
	const struct argument_fault *faults;
	size_t fault_count;
};

/* Replaces whatever the reply held. Retry-After comes with the kinds that pass. */
void reply_problem(
	struct http_reply *reply, const struct problem *problem, uint64_t request_number);
void problem_render(const struct problem *problem, uint64_t request_number, struct buf *out);
/* The problem of bad arguments in the query string. Its detail is the first fault's. */
struct problem problem_of_faults(const struct argument_fault *faults, size_t fault_count);

/* For documentation. */
const char *problem_name(enum problem_kind kind); /* "unknown-metric" */
int problem_status(enum problem_kind kind);
const char *problem_title(enum problem_kind kind);

#endif
