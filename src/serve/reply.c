/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reply.h"

#include "base/json_writer.h"
#include "wrap/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TAG_DIGITS = 32 };

static const struct {
	const char *name;
	const char *title;
	const char *detail;
	int status;
	const char *retry_after_s; /* NULL: asking again does not help */
} problem_kinds[] = {
	[PROBLEM_INVALID_PARAMETER] = {"invalid-parameter", "Invalid parameter",
		"A parameter is not valid.", 422, NULL},
	[PROBLEM_UNKNOWN_METRIC] = {"unknown-metric", "Unknown metric", "There is no such metric.",
		404, NULL},
	[PROBLEM_NOT_FOUND] = {"not-found", "Not found", "There is no such page.", 404, NULL},
	[PROBLEM_METHOD_NOT_ALLOWED] = {"method-not-allowed", "Method not allowed",
		"Everything here is read: use GET or HEAD.", 405, NULL},
	[PROBLEM_WRONG_HOST] = {"wrong-host", "Wrong host",
		"This server answers to localhost, 127.0.0.1 and [::1] only.", 421, NULL},
	[PROBLEM_METRIC_BROKEN] = {"metric-broken", "Metric broken",
		"The metric's query failed. The server's log has the reason.", 503, "60"},
	[PROBLEM_BUSY] = {"busy", "Busy", "No place was free for the query. Try again.", 503, "2"},
	[PROBLEM_REBUILDING] = {"rebuilding", "Rebuilding",
		"Gold is being built again from silver; answers come when it is done.", 503, "5"},
	[PROBLEM_UNAVAILABLE] = {"unavailable", "Unavailable",
		"This cannot be answered now. The server's log has the reason.", 503, "5"},
	[PROBLEM_QUERY_TIMEOUT] = {"query-timeout", "Query timeout",
		"The query took longer than the metric's time limit.", 504, "10"},
};
_Static_assert(ARRAY_COUNT(problem_kinds) == PROBLEM_KIND_COUNT, "one row per kind");

const char *problem_name(enum problem_kind kind)
{
	return problem_kinds[kind].name;
}

int problem_status(enum problem_kind kind)
{
	return problem_kinds[kind].status;
}

const char *problem_title(enum problem_kind kind)
{
	return problem_kinds[kind].title;
}

void reply_begin(
	struct http_reply *reply, int status, const char *content_type, const char *cache_control)
{
	static const char page_policy[] =
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"connect-src 'self'; "
		"frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
	static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'";
	bool is_page = content_type && strcmp(content_type, REPLY_HTML) == 0;
	reply->status = status;
	reply->content_type = content_type;
	reply->header_count = 0;
	buf_clear(&reply->body);
	http_reply_header(reply, "Cache-Control", span_of(cache_control));
	http_reply_header(
		reply, "Content-Security-Policy", span_of(is_page ? page_policy : data_policy));
	http_reply_header(reply, "Referrer-Policy", span_of("no-referrer"));
}

void reply_redirect(struct http_reply *reply, const char *location)
{
	reply_begin(reply, 302, NULL, "no-cache");
	http_reply_header(reply, "Location", span_of(location));
}

bool reply_tag_matches(struct span if_none_match, struct span tag)
{
	struct span rest = if_none_match;
	bool more = rest.size > 0;
	while (more) {
		struct span one = rest;
		more = span_split(rest, ',', &one, &rest);
		one = span_trim(one);
		if (span_starts_with(one, "W/"))
			one = (struct span){one.data + 2, one.size - 2};
		if (span_equal(one, tag) || span_equal_text(one, "*"))
			return true;
	}
	return false;
}

void reply_tag(struct http_reply *reply, const struct http_request *request, struct span tagged)
{
	struct digest digest = digest_of(tagged);
	char *tag = arena_printf(request->arena, "\"%.*s\"", TAG_DIGITS, digest.hex);
	if (!tag || reply->body.failed)
		return;
	http_reply_header(reply, "ETag", span_of(tag));
	if (!reply_tag_matches(http_request_header(request, "If-None-Match"), span_of(tag)))
		return;
	reply->status = 304;
	reply->content_type = NULL;
	buf_clear(&reply->body);
}

static void put_faults(struct json_writer *json, const struct problem *problem)
{
	json_put_key(json, "errors");
	json_begin_array(json);
	for (size_t i = 0; i < problem->fault_count; i++) {
		const struct argument_fault *fault = &problem->faults[i];
		json_begin_object(json);
		json_put_key_text(json, "in", problem->place);
		json_put_key_string(json, "name", fault->name);
		json_put_key_text(json, "code", fault->code);
		json_put_key_string(json, "detail", fault->detail);
		if (fault->suggestion.data)
			json_put_key_string(json, "suggestion", fault->suggestion);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_key_path(
	struct json_writer *json, const char *key, const char *folder, const char *name)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "%s%s", folder, name);
	json_put_key_text(json, key, path);
}

void problem_render(const struct problem *problem, uint64_t request_number, struct buf *out)
{
	assert(problem->kind < PROBLEM_KIND_COUNT);
	struct span detail = problem->detail;
	if (!detail.data)
		detail = span_of(problem_kinds[problem->kind].detail);
	char number[24];
	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)request_number);
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	put_key_path(&json, "type", "/problems/", problem_kinds[problem->kind].name);
	json_put_key_text(&json, "title", problem_kinds[problem->kind].title);
	json_put_key_integer(&json, "status", problem_kinds[problem->kind].status);
	put_key_path(&json, "instance", "/requests/", number);
	json_put_key_string(&json, "detail", detail);
	json_put_key_string(&json, "error", detail); /* where clients of the first system look */
	if (problem->fault_count > 0)
		put_faults(&json, problem);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

struct problem problem_of_faults(const struct argument_fault *faults, size_t fault_count)
{
	assert(fault_count > 0);
	return (struct problem){
		.kind = PROBLEM_INVALID_PARAMETER,
		.detail = faults[0].detail,
		.place = "query",
		.faults = faults,
		.fault_count = fault_count,
	};
}

void reply_problem(struct http_reply *reply, const struct problem *problem, uint64_t request_number)
{
	const char *retry_after_s = problem_kinds[problem->kind].retry_after_s;
	reply_begin(reply, problem_kinds[problem->kind].status, REPLY_PROBLEM, "no-store");
	if (retry_after_s)
		http_reply_header(reply, "Retry-After", span_of(retry_after_s));
	if (problem->kind == PROBLEM_METHOD_NOT_ALLOWED)
		http_reply_header(reply, "Allow", span_of("GET, HEAD"));
	problem_render(problem, request_number, &reply->body);
}
