/* SPDX-License-Identifier: Apache-2.0 */
/* metric_call.c - from a request to a metric and its result; every way in which that goes wrong
 * ends here, in a reply for the client and a line for the log. */
#include "base/log.h"
#include "base/suggest.h"
#include "serve/serve_private.h"

enum { ID_SHOWN_BYTES_MAX = 64 };

static const char *suggest_metric(struct call *call, const struct metric_catalogue *catalogue)
{
	struct arena *arena = call->request->arena;
	const char **candidates =
		arena_allocate(arena, catalogue->metric_count, sizeof(*candidates));
	for (size_t i = 0; candidates && i < catalogue->metric_count; i++)
		candidates[i] = arena_copy_text(arena, catalogue->metrics[i].id);
	return arena->failed ? NULL : suggest_word(call->id, candidates, catalogue->metric_count);
}

static void reply_unknown_metric(struct call *call, const struct metric_catalogue *catalogue)
{
	struct arena *arena = call->request->arena;
	const char *near = suggest_metric(call, catalogue);
	struct span shown = call->id;
	if (shown.size > ID_SHOWN_BYTES_MAX)
		shown.size = ID_SHOWN_BYTES_MAX;
	const char *detail =
		near ? arena_printf(arena, "There is no metric '%.*s'. Did you mean '%s'?",
			SPAN_ARGUMENTS(shown), near)
		     : arena_printf(arena, "There is no metric '%.*s'. /api/v1/metrics lists them.",
			     SPAN_ARGUMENTS(shown));
	struct argument_fault fault = {span_of("id"), "unknown", span_of(detail), span_of(near)};
	struct problem problem = {PROBLEM_UNKNOWN_METRIC, span_of(detail), "path", &fault, 1};
	reply_problem(call->reply, &problem, call->request->number);
}

void call_with_metric(
	struct call *call, void (*answer)(struct call *call, const struct metric *metric))
{
	struct metrics *metrics = call->serve->options.metrics;
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	const struct metric *metric = metric_find(catalogue, call->id);
	if (metric)
		answer(call, metric);
	else
		reply_unknown_metric(call, catalogue);
	metrics_release(metrics, catalogue);
}

const struct metric_argument *call_read_arguments(struct call *call, size_t *count_out)
{
	const struct http_request *request = call->request;
	struct metric_argument *arguments =
		arena_allocate(request->arena, request->query_count, sizeof(*arguments));
	*count_out = 0;
	for (size_t i = 0; arguments && i < request->query_count; i++)
		arguments[(*count_out)++] =
			(struct metric_argument){request->query[i].name, request->query[i].value};
	return arguments;
}

/* No place free, or nothing to answer from: then with how far the rebuild is. */
static void reply_busy(struct call *call)
{
	struct gold_stamp stamp;
	gold_read_stamp(call->serve->options.gold, &stamp);
	if (stamp.state == GOLD_READY) {
		call_problem(call, PROBLEM_BUSY);
		return;
	}
	const char *detail = arena_printf(call->request->arena,
		"Gold is being built again from silver: %lld of %lld rows so far. Answers come when it is done.",
		(long long)stamp.rebuild_rows_done, (long long)stamp.rebuild_rows_total);
	struct problem problem = {.kind = PROBLEM_REBUILDING, .detail = span_of(detail)};
	reply_problem(call->reply, &problem, call->request->number);
}

static void reply_failure(struct call *call, const struct metric *metric,
	enum metric_outcome outcome, struct err *err)
{
	(void)err_wrap(err, "metric %.*s", SPAN_ARGUMENTS(metric->id));
	switch (outcome) {
	case METRIC_TIMEOUT: /* gold counts it */
		log_err(LOG_WARNING, "query over its time limit", err);
		call_problem(call, PROBLEM_QUERY_TIMEOUT);
		break;
	case METRIC_BUSY:
		log_err(LOG_DEBUG, "query refused", err);
		reply_busy(call);
		break;
	default:
		log_err(LOG_ERROR, "query failed", err);
		call_problem(call, PROBLEM_METRIC_BROKEN);
		break;
	}
}

bool call_evaluate(
	struct call *call, const struct metric_request *request, struct metric_result *result_out)
{
	const struct argument_fault *faults = NULL;
	size_t fault_count = 0;
	struct err err = {0};
	if (atomic_load(&call->serve->stopping)) {
		call_problem(call, PROBLEM_BUSY);
		return false;
	}
	enum metric_outcome outcome = metric_evaluate(call->serve->options.metrics, request,
		call->request->arena, result_out, &faults, &fault_count, &err);
	if (outcome == METRIC_OK)
		return true;
	if (outcome == METRIC_BAD_ARGUMENTS) {
		struct problem problem = problem_of_faults(faults, fault_count);
		reply_problem(call->reply, &problem, call->request->number);
	} else {
		reply_failure(call, request->metric, outcome, &err);
	}
	return false;
}
