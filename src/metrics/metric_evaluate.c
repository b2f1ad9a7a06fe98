/* SPDX-License-Identifier: Apache-2.0 */
/* metric_evaluate.c - one question: arguments to values, values to a statement, rows to a result.
 */
#include "metrics/metric_arguments.h"
#include "metrics/metric_file.h"
#include "metrics/metrics_private.h"

#include <assert.h>
#include <string.h>

struct evaluation {
	const struct metric_engine *engine;
	const struct metric_request *request;
	const struct metric_compiled *compiled;
	struct arguments arguments;
	int64_t as_of_us;
	struct table table;
	struct gold_stamp stamp;
	bool from_rollup;
};

/* One more row than is wanted tells whether there are more. */
static int64_t bound_limit(const struct evaluation *evaluation)
{
	int64_t limit = evaluation->arguments.limit;
	return limit == 0 ? INT64_MAX : limit + 1;
}

static void fill_values(
	const struct evaluation *evaluation, const struct metric_sql *sql, struct value *values)
{
	for (size_t i = 0; i < sql->slot_count; i++) {
		size_t slot = sql->slots[i];
		if (slot == SLOT_AS_OF)
			values[i] = value_time(evaluation->as_of_us);
		else if (slot == SLOT_LIMIT)
			values[i] = value_integer(bound_limit(evaluation));
		else
			values[i] = evaluation->arguments.values[slot - SLOT_PARAMETER].bound;
	}
}

static bool run(struct evaluation *evaluation, const struct metric_sql *sql, bool heavy,
	struct arena *arena, struct err *err)
{
	struct value values[METRIC_SQL_SLOT_COUNT_MAX];
	fill_values(evaluation, sql, values);
	int64_t limit = evaluation->arguments.limit;
	struct gold_query query = {
		.sql = sql->text,
		.values = values,
		.value_count = sql->slot_count,
		.row_count_max = limit == 0 ? SIZE_MAX : (size_t)limit,
		.wait_ms_max = evaluation->request->metric->timeout_ms,
		.heavy = heavy,
	};
	return evaluation->engine->run(evaluation->engine->context, &query, arena,
		&evaluation->table, &evaluation->stamp, err);
}

/* A rollup holds all events there are: it answers only when none of them is after as_of. */
static bool rollup_holds(const struct evaluation *evaluation)
{
	int64_t newest_us = evaluation->engine->rollup_newest_us(evaluation->engine->context);
	return newest_us != 0 && evaluation->as_of_us >= newest_us;
}

static bool run_best(struct evaluation *evaluation, struct arena *arena, struct err *err)
{
	const struct metric_compiled *compiled = evaluation->compiled;
	if (compiled->rollup.text && rollup_holds(evaluation)) {
		if (!run(evaluation, &compiled->rollup, false, arena, err))
			return false;
		/* A load may have come between the question and the answer. */
		evaluation->from_rollup = rollup_holds(evaluation);
		if (evaluation->from_rollup)
			return true;
	}
	return run(evaluation, &compiled->query, true, arena, err);
}

/* What the engine says about a value that a statement cannot use: "abc" as minutes in a metric of
 * version 1, a span of time beyond the calendar. */
static bool blames_a_value(const struct err *err)
{
	static const char *const signs[] = {
		"Conversion Error", "Out of Range Error", "Invalid Input Error"};
	for (size_t i = 0; err->kind == ERR_INPUT && i < ARRAY_COUNT(signs); i++)
		if (strstr(err->text, signs[i]))
			return true;
	return false;
}

/* Only values that the caller chose can be the caller's fault. False: none was. */
static bool blame_arguments(struct evaluation *evaluation, struct arena *arena)
{
	const struct metric *metric = evaluation->request->metric;
	struct arguments *arguments = &evaluation->arguments;
	for (size_t i = 0; i < metric->parameter_count; i++) {
		if (!arguments->given[i])
			continue;
		struct span name = metric->parameters[i].name;
		char *detail = arena_printf(
			arena, "the metric cannot use this value of %.*s", SPAN_ARGUMENTS(name));
		arguments->faults[arguments->fault_count++] = (struct argument_fault){
			.name = name, .code = "value", .detail = span_of(detail)};
	}
	return arguments->fault_count > 0;
}

static enum metric_outcome judge_failure(
	struct evaluation *evaluation, struct arena *arena, const struct err *err)
{
	if (blames_a_value(err) && blame_arguments(evaluation, arena) && !arena->failed)
		return METRIC_BAD_ARGUMENTS;
	if (err->kind != ERR_RETRY)
		return METRIC_BROKEN;
	return evaluation->engine->err_is_timeout(err) ? METRIC_TIMEOUT : METRIC_BUSY;
}

static void decide_as_of(struct evaluation *evaluation, const struct clock *clock)
{
	struct gold_stamp stamp;
	evaluation->engine->read_stamp(evaluation->engine->context, &stamp);
	if (evaluation->arguments.as_of == AS_OF_GIVEN)
		evaluation->as_of_us = evaluation->arguments.as_of_us;
	else if (evaluation->arguments.as_of == AS_OF_DATA && stamp.newest_event_us != 0)
		evaluation->as_of_us = stamp.newest_event_us;
	else
		evaluation->as_of_us = clock_wall_us(clock);
}

static bool fill_result(
	const struct evaluation *evaluation, struct arena *arena, struct metric_result *out)
{
	size_t count = evaluation->request->metric->parameter_count;
	struct value *parameters = arena_allocate(arena, count, sizeof(*parameters));
	for (size_t i = 0; parameters && i < count; i++)
		parameters[i] = evaluation->arguments.values[i].shown;
	*out = (struct metric_result){
		.table = evaluation->table,
		.truncated = evaluation->table.truncated,
		.as_of_us = evaluation->as_of_us,
		.limit = evaluation->arguments.limit,
		.parameters = parameters,
		.stamp = evaluation->stamp,
		.from_rollup = evaluation->from_rollup,
		.ignored = evaluation->arguments.ignored,
		.ignored_count = evaluation->arguments.ignored_count,
	};
	return !arena->failed;
}

static enum metric_outcome out_of_room(struct err *err)
{
	err_set(err, ERR_LOCAL, "no room for the question");
	return METRIC_BROKEN;
}

enum metric_outcome metric_evaluate(struct metrics *metrics, const struct metric_request *request,
	struct arena *arena, struct metric_result *result_out,
	const struct argument_fault **faults_out, size_t *fault_count_out, struct err *err)
{
	const struct clock *clock = metrics_clock(metrics);
	int64_t start_ms = clock_monotonic_ms(clock);
	struct evaluation evaluation = {
		.engine = metrics_engine(metrics),
		.request = request,
		.compiled = request->metric->compiled,
	};
	assert(evaluation.engine);
	arguments_read(request, arena, &evaluation.arguments);
	if (arena->failed)
		return out_of_room(err);
	enum metric_outcome outcome = METRIC_OK;
	if (evaluation.arguments.fault_count > 0) {
		outcome = METRIC_BAD_ARGUMENTS;
	} else {
		decide_as_of(&evaluation, clock);
		if (!run_best(&evaluation, arena, err))
			outcome = judge_failure(&evaluation, arena, err);
	}
	if (outcome == METRIC_BAD_ARGUMENTS) {
		*faults_out = evaluation.arguments.faults;
		*fault_count_out = evaluation.arguments.fault_count;
	}
	if (outcome != METRIC_OK)
		return outcome;
	struct metric_result result;
	if (!fill_result(&evaluation, arena, &result))
		return out_of_room(err);
	result.elapsed_us = (clock_monotonic_ms(clock) - start_ms) * 1000;
	*result_out = result;
	return METRIC_OK;
}
