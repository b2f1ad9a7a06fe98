/* SPDX-License-Identifier: Apache-2.0 */
/* metric_evaluate_test.c - what metrics answer on a real database, and what they say to arguments
 * that they cannot use. */
#include "duck_engine.h"

#include "base/file.h"

#include <stdio.h>

#define NOON_US INT64_C(1789905600000000) /* 2026-09-20T12:00:00Z */

struct fixture {
	struct duck_engine duck;
	struct metric_engine engine;
	struct clock clock;
	struct check_path folder;
	struct metrics *metrics;
	const struct metric_catalogue *catalogue;
	struct arena arena;
	struct metric_result result;
	const struct argument_fault *faults;
	size_t fault_count;
	struct err err;
};

static int64_t noon(const struct clock *clock)
{
	(void)clock;
	return NOON_US;
}

static int64_t no_time(const struct clock *clock)
{
	(void)clock;
	return 0;
}

static void start(struct fixture *f, const char *text)
{
	if (f->catalogue)
		metrics_release(f->metrics, f->catalogue);
	metrics_destroy(&f->metrics);
	struct check_path path = path_below(&f->folder, "m.yaml");
	const char *paths[] = {path.text};
	if (text && !file_write(path.text, span_of(text), &f->err))
		fail_msg("%s", f->err.text);
	struct metrics_options options = {
		.paths = paths, .path_count = text ? 1 : 0, .clock = &f->clock};
	f->metrics = metrics_create_on(&options, &f->engine);
	f->catalogue = metrics_acquire(f->metrics);
	for (size_t i = 0; i < f->catalogue->problem_count; i++)
		fail_msg("%d:%d %.*s", f->catalogue->problems[i].line,
			f->catalogue->problems[i].column,
			SPAN_ARGUMENTS(f->catalogue->problems[i].text));
}

static enum metric_outcome evaluate_request(
	struct fixture *f, const char *id, struct metric_request *request)
{
	arena_reset(&f->arena);
	request->metric = metric_find(f->catalogue, span_of(id));
	assert_non_null(request->metric);
	f->result = (struct metric_result){0};
	f->err = (struct err){0};
	f->fault_count = 0;
	return metric_evaluate(
		f->metrics, request, &f->arena, &f->result, &f->faults, &f->fault_count, &f->err);
}

/* Arguments as "name=value" split at '&'. */
static enum metric_outcome evaluate_with(
	struct fixture *f, const char *id, const char *query, struct metric_request request)
{
	struct metric_argument arguments[16];
	struct span rest = span_of(query);
	while (rest.size > 0) {
		struct span head = rest;
		if (!span_split(rest, '&', &head, &rest))
			rest = (struct span){0};
		struct metric_argument *argument = &arguments[request.argument_count++];
		assert_true(span_split(head, '=', &argument->name, &argument->value));
	}
	request.arguments = arguments;
	return evaluate_request(f, id, &request);
}

static enum metric_outcome evaluate(struct fixture *f, const char *id, const char *query)
{
	return evaluate_with(f, id, query, (struct metric_request){0});
}

static const char *shown(const struct value *value)
{
	static char text[64];
	switch (value->type) {
	case VALUE_NULL:
		return "-";
	case VALUE_BOOLEAN:
		return value->boolean ? "true" : "false";
	case VALUE_INTEGER:
		(void)snprintf(text, sizeof(text), "%lld", (long long)value->integer);
		return text;
	case VALUE_REAL:
		(void)snprintf(text, sizeof(text), "%.9g", value->real);
		return text;
	case VALUE_TEXT:
		(void)snprintf(text, sizeof(text), "%.*s", SPAN_ARGUMENTS(value->text));
		return text;
	case VALUE_TIME:
		(void)snprintf(text, sizeof(text), "%s", time_render(value->time_us).text);
		return text;
	default:
		return "?";
	}
}

/* Rows as "a|b\n". */
static void answers(struct fixture *f, const char *id, const char *query, const char *rows)
{
	enum metric_outcome outcome = evaluate(f, id, query);
	if (outcome != METRIC_OK)
		fail_msg("%s?%s: outcome %d %s %.*s", id, query, outcome, f->err.text,
			SPAN_ARGUMENTS(f->fault_count > 0 ? f->faults[0].detail : span_of("")));
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	const struct table *table = &f->result.table;
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t column = 0; column < table->column_count; column++)
			buf_printf(&text, "%s%c", shown(table_value(table, row, column)),
				column + 1 == table->column_count ? '\n' : '|');
	assert_string_equal(text.data ? text.data : "", rows);
}

/* Faults as "name code detail (suggestion)\n". */
static void objects(struct fixture *f, const char *id, const char *query, const char *faults)
{
	assert_int_equal(evaluate(f, id, query), METRIC_BAD_ARGUMENTS);
	char *text = arena_printf(&f->arena, "%s", "");
	for (size_t i = 0; i < f->fault_count; i++) {
		const struct argument_fault *fault = &f->faults[i];
		text = arena_printf(&f->arena, "%s%.*s %s: %.*s%s%.*s\n", text,
			SPAN_ARGUMENTS(fault->name), fault->code, SPAN_ARGUMENTS(fault->detail),
			fault->suggestion.data ? " -> " : "", SPAN_ARGUMENTS(fault->suggestion));
	}
	assert_string_equal(text, faults);
}

static void pull_requests_by_rows_and_by_rollup(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	for (int i = 0; i < 2; i++) {
		f->duck.rollup_newest_us = i == 0 ? 0 : NOON_US;
		answers(f, "avg_pr_time", "", "a/b|45|3\nc/d|10|2\n");
		assert_int_equal(f->result.from_rollup, i == 1);
		assert_int_equal(f->duck.heavy, i == 0);
		answers(f, "avg_pr_time", "repo=C/D", "c/d|10|2\n");
		answers(f, "avg_pr_time", "limit=1", "a/b|45|3\n");
		assert_true(f->result.truncated);
		assert_int_equal(f->result.limit, 1);
		answers(f, "avg_pr_time", "limit=2", "a/b|45|3\nc/d|10|2\n");
		assert_false(f->result.truncated);
	}
	answers(f, "avg_pr_time", "as_of=2026-09-20T10:45:00Z", "c/d|10|2\na/b|30|2\n");
	assert_false(f->result.from_rollup);
	assert_true(span_equal_text(f->result.table.columns[0].name, "repo.name"));
}

static void a_rollup_that_moved_on_meanwhile_is_not_used(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	f->duck.rollup_newest_us = NOON_US;
	f->duck.run_count = 0;
	answers(f, "avg_pr_time", "as_of=2026-09-20T12:00:00Z", "a/b|45|3\nc/d|10|2\n");
	assert_int_equal(f->duck.run_count, 1);
	f->duck.rollup_newest_us = NOON_US + 1;
	answers(f, "avg_pr_time", "as_of=2026-09-20T12:00:00Z", "a/b|45|3\nc/d|10|2\n");
	assert_int_equal(f->duck.run_count, 2);
	assert_true(f->duck.heavy);
}

static void counts_look_back_from_an_instant(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	/* From the rows, then from the rollup with the cut minutes at both ends: the same to the event. */
	for (int i = 0; i < 2; i++) {
		f->duck.rollup_newest_us = i == 0 ? INT64_MAX : f->duck.stamp.newest_event_us;
		answers(f, "event_count_offset", "",
			"watchevent|3\npullrequestevent|2\nissuesevent|0\npushevent|0\n");
		assert_int_equal(f->result.from_rollup, i);
		assert_int_equal(f->result.as_of_us, NOON_US);
		assert_int_equal(f->result.parameters[0].integer, 60);
		answers(f, "event_count_offset", "offset=30",
			"pullrequestevent|1\nissuesevent|0\npushevent|0\nwatchevent|0\n");
		answers(f, "event_count_offset", "as_of=data&offset=1",
			"pullrequestevent|1\nissuesevent|0\npushevent|0\nwatchevent|0\n");
		assert_int_equal(f->result.as_of_us, f->duck.stamp.newest_event_us);
	}
	f->duck.stamp.newest_event_us = 0;
	(void)evaluate(f, "event_count_offset", "as_of=data");
	assert_int_equal(f->result.as_of_us, NOON_US);
}

static void minutes_that_nobody_watched_are_null(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	/* Pull requests 11:30 and 11:58; stars 11:01 (two), 11:10; polls covered 11:30 to 11:31. */
	static const char rows[] = "2026-09-20T11:00:00Z|WatchEvent|0.2\n"
				   "2026-09-20T11:15:00Z|WatchEvent|-\n"
				   "2026-09-20T11:30:00Z|WatchEvent|0\n"
				   "2026-09-20T11:45:00Z|WatchEvent|0\n"
				   "2026-09-20T12:00:00Z|WatchEvent|-\n";
	for (int i = 0; i < 2; i++) {
		f->duck.rollup_newest_us = i == 0 ? 0 : NOON_US;
		answers(f, "events_per_minute", "bucket=15m&types=WatchEvent", rows);
		assert_int_equal(f->result.from_rollup, i == 1);
		assert_int_equal(evaluate(f, "events_per_minute", ""), METRIC_OK);
		assert_int_equal(f->result.table.row_count, 61 * 4);
		answers(f, "events_per_minute",
			"window=1m&types=WatchEvent,PushEvent&types=IssuesEvent&bucket=1d",
			"2026-09-20T00:00:00Z|IssuesEvent|0\n2026-09-20T00:00:00Z|PushEvent|0\n"
			"2026-09-20T00:00:00Z|WatchEvent|0.00208333333\n");
		answers(f, "events_per_minute", "types=Nothing", "");
	}
	assert_true(span_equal_text(f->result.parameters[0].text, "1h"));
	assert_true(span_equal_text(f->result.parameters[2].list.elements[0].text, "Nothing"));
}

static void stars_merges_and_organisations(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	answers(f, "top_repos_by_stars", "", "s/new|2\n");
	answers(f, "top_repos_by_stars", "bots=true", "s/new|3\n");
	answers(f, "top_repos_by_stars", "window=1m", "");
	answers(f, "pr_merge_rate", "bucket=1d", "2026-09-19T00:00:00Z|2|1|0.5\n");
	answers(f, "pr_merge_rate", "bucket=1d&repo=a/b", "2026-09-19T00:00:00Z|2|1|0.5\n");
	answers(f, "pr_merge_rate", "bucket=1d&repo=a/c", "");
	answers(f, "busiest_orgs", "", "acme|2|2|1\n");
	answers(f, "busiest_orgs", "bots=true", "acme|3|3|1\n");
}

static void faults_are_told_together(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	objects(f, "event_count_offset", "ofset=5",
		"ofset unknown: Unknown parameter 'ofset'. Did you mean 'offset'? -> offset\n");
	objects(f, "event_count_offset", "offset=0&asof=now&limit=x&as_of=later",
		"asof unknown: Unknown parameter 'asof'. Did you mean 'as_of'? -> as_of\n"
		"as_of type: as_of must be now, data or a time like 2026-09-20T12:00:00Z\n"
		"limit type: limit must be an integer from 1 to 10000\n"
		"offset range: offset must be an integer from 1 to 43200\n");
	objects(f, "event_count_offset", "offset=1&offset=2&limit=0",
		"limit range: limit must be an integer from 1 to 10000\n"
		"offset repeated: offset may be given once\n");
	objects(f, "events_per_minute", "bucket=5x&window=31d",
		"window range: window must be a duration like 90s, 15m, 2h or 7d from 1m to 30d\n"
		"bucket value: bucket must be one of 1m, 5m, 15m, 1h, 1d -> 5m\n");
	assert_int_equal(
		evaluate_with(f, "event_count_offset", "format=csv&cursor=3&foo=1&offset=5",
			(struct metric_request){.ignore_unknown = true}),
		METRIC_OK);
	assert_int_equal(f->result.ignored_count, 1);
	assert_true(span_equal_text(f->result.ignored[0], "foo"));
	assert_int_equal(evaluate_with(f, "event_count_offset", "foo=1&offset=x",
				 (struct metric_request){.ignore_unknown = true}),
		METRIC_BAD_ARGUMENTS);
}

static void limits_cut_and_tell(void **state)
{
	struct fixture *f = *state;
	start(f, "version: 2\ndefaults: {limit: {default: 3, max: 5}}\nkpis:\n"
		 "  - {id: plain, name: N, description: D, sql: 'SELECT * FROM range(10)'}\n"
		 "  - {id: own, name: N, description: D, sql: 'SELECT * FROM range(4) LIMIT "
		 "${limit}'}\n");
	answers(f, "plain", "", "0\n1\n2\n");
	assert_true(f->result.truncated);
	answers(f, "plain", "limit=5", "0\n1\n2\n3\n4\n");
	objects(f, "plain", "limit=6", "limit range: limit must be an integer from 1 to 5\n");
	answers(f, "own", "limit=4", "0\n1\n2\n3\n");
	assert_false(f->result.truncated);
	answers(f, "own", "", "0\n1\n2\n");
	assert_true(f->result.truncated);
	struct metric_request all = {.unlimited = true};
	assert_int_equal(evaluate_request(f, "plain", &all), METRIC_OK);
	assert_int_equal(f->result.table.row_count, 10);
	assert_int_equal(f->result.limit, 0);
	assert_int_equal(evaluate_request(f, "own", &all), METRIC_OK);
	assert_int_equal(f->result.table.row_count, 4);
}

static void each_type_is_bound_as_itself(void **state)
{
	struct fixture *f = *state;
	start(f, "version: 2\nkpis:\n  - id: m\n    name: N\n    description: D\n    parameters:\n"
		 "      i: {type: integer, default: -3}\n      n: {type: number, default: 1.5}\n"
		 "      s: {type: string, default: 'it''s'}\n      b: {type: boolean, default: "
		 "true}\n"
		 "      d: {type: duration, default: 90s}\n      t: {type: timestamp}\n"
		 "      r: {type: repo}\n      l: {type: login}\n"
		 "      many: {type: integer, multiple: true, default: '1,2'}\n"
		 "      e: {type: enum, values: [1m, 2h], cast: interval, multiple: true}\n"
		 "    sql: SELECT ${i} + 1 AS i, ${n} * 2 AS n, ${s} AS s, NOT ${b} AS b, "
		 "epoch(${d}) AS d, ${t} AS t,"
		 " ${r} AS r, ${l} AS l, len(${many}) AS many, epoch(CAST(${e}[2] AS INTERVAL)) AS "
		 "e, '<${i}|${s}>' AS x\n");
	answers(f, "m", "", "-2|3|it's|false|90|-|-|-|2|-|<-3|it's>\n");
	answers(f, "m",
		"i=41&n=-2.5e1&s=%'${i}&b=false&d=2h&t=2026-09-20T14:00:00+02:00&r=A-b/"
		"c.d_e&l=x[bot]"
		"&many=7&many=8,9&e=1m,2h",
		"42|-50|%'${i}|true|7200|2026-09-20T12:00:00Z|A-b/"
		"c.d_e|x[bot]|3|7200|<41|%'${i}>\n");
}

static void version_1_answers_like_the_first_system(void **state)
{
	struct fixture *f = *state;
	start(f, "kpis:\n  - id: event_count_offset\n    name: N\n    sql: |\n"
		 "      SELECT 'watchevent' AS event_type, COUNT(*) AS count FROM watchevent\n"
		 "      WHERE created_at >= '2026-09-20 12:00:00+00'::TIMESTAMPTZ - INTERVAL "
		 "'${offset}' MINUTE;\n"
		 "    visualisation: null\n"
		 "  - id: other\n    name: N\n    sql: |\n"
		 "      SELECT COUNT(*) AS count FROM watchevent\n"
		 "      WHERE created_at >= TIMESTAMPTZ '2026-09-20 12:00:00+00' - INTERVAL "
		 "'${minutes}' MINUTE\n"
		 "        AND \"repo.name\" LIKE '%${name}%'\n");
	answers(f, "event_count_offset", "", "watchevent|3\n");
	answers(f, "event_count_offset", "offset=55", "watchevent|1\n");
	objects(f, "event_count_offset", "offset=1' MINUTE UNION ALL SELECT 1 --",
		"offset type: offset must be an integer of at least 1\n");
	answers(f, "other", "minutes=60&name=/", "3\n");
	answers(f, "other", "minutes=60&name=' OR ''='", "0\n");
	objects(f, "other", "minutes=abc&name=/",
		"minutes value: the metric cannot use this value of minutes\n"
		"name value: the metric cannot use this value of name\n");
	objects(f, "other", "minutes=1' MINUTE --&name=/",
		"minutes value: the metric cannot use this value of minutes\n"
		"name value: the metric cannot use this value of name\n");
	objects(f, "other", "",
		"minutes required: minutes is required\nname required: name is required\n");
}

static void failures_have_their_outcome(void **state)
{
	struct fixture *f = *state;
	start(f, "kpis:\n  - {id: broken, name: N, sql: 'SELECT ''a''::INT AS a'}\n"
		 "  - {id: far, name: N, sql: 'SELECT to_minutes(CAST(${m} AS BIGINT)) AS a'}\n");
	assert_int_equal(evaluate(f, "broken", ""), METRIC_BROKEN);
	assert_true(f->err.kind == ERR_INPUT);
	objects(f, "far", "m=9223372036854775807",
		"m value: the metric cannot use this value of m\n");
	err_set(&f->duck.failure, ERR_RETRY, "interrupted: over time");
	assert_int_equal(evaluate(f, "event_count_offset", ""), METRIC_TIMEOUT);
	assert_int_equal(f->duck.wait_ms_max, 5000);
	err_set(&f->duck.failure, ERR_RETRY, "rebuilding");
	assert_int_equal(evaluate(f, "event_count_offset", ""), METRIC_BUSY);
	assert_string_equal(f->err.text, "rebuilding");
	err_set(&f->duck.failure, ERR_LOCAL, "fatal: Conversion Error");
	assert_int_equal(evaluate(f, "event_count_offset", "offset=5"), METRIC_BROKEN);
	f->duck.failure = (struct err){0};
	struct arena small CLEANUP(arena_finish) = {0};
	for (size_t size_max = 64; size_max < 8192; size_max += 64) {
		arena_finish(&small);
		arena_init(&small, size_max);
		struct metric_request request = {
			.metric = metric_find(f->catalogue, span_of("avg_pr_time"))};
		enum metric_outcome outcome = metric_evaluate(f->metrics, &request, &small,
			&f->result, &f->faults, &f->fault_count, &f->err);
		assert_true(outcome == METRIC_OK || outcome == METRIC_BROKEN);
	}
}

static void recorded_metrics_file_answers(void **state)
{
	struct fixture *f = *state;
	struct check_path path = real_data_path_or_skip("seed-form/metrics.yaml");
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	if (!file_read(path.text, &text, &f->err))
		fail_msg("%s", f->err.text);
	start(f, text.data);
	assert_int_equal(evaluate(f, "avg_pr_time", ""), METRIC_OK);
	assert_int_equal(f->result.table.row_count, 2);
	assert_int_equal(evaluate(f, "event_count_offset", "offset=30"), METRIC_OK);
	assert_int_equal(f->result.table.row_count, 3);
	assert_int_equal(evaluate(f, "event_count_offset", "offset=x"), METRIC_BAD_ARGUMENTS);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.clock = {noon, no_time, NULL}};
	struct fixture *f = &fixture;
	arena_init(&f->arena, (size_t)16 * 1024 * 1024);
	duck_engine_open(&f->duck);
	f->engine = duck_engine_face(&f->duck);
	f->folder = temporary_folder_create();
	duck_engine_sql(&f->duck,
		"INSERT INTO events (id, type, created_at, actor_id, is_bot, repo_id, repo_name, "
		"org_login, action,"
		" number, merged) VALUES"
		" (1, 'PullRequestEvent', '2026-09-20 10:00:00', 1, false, 10, 'a/b', NULL, "
		"'opened', 1, NULL),"
		" (2, 'PullRequestEvent', '2026-09-20 10:30:00', 1, false, 10, 'a/b', NULL, "
		"'opened', 2, NULL),"
		" (3, 'PullRequestEvent', '2026-09-20 11:30:00', 1, false, 10, 'a/b', NULL, "
		"'opened', 3, NULL),"
		" (4, 'PullRequestEvent', '2026-09-20 09:00:00', 1, false, 11, 'c/d', NULL, "
		"'opened', 1, NULL),"
		" (5, 'PullRequestEvent', '2026-09-20 09:10:00', 1, false, 11, 'c/d', NULL, "
		"'opened', 2, NULL),"
		" (6, 'PullRequestEvent', '2026-09-20 09:10:00', 1, false, 12, 'e/f', NULL, "
		"'opened', 2, NULL),"
		" (7, 'PullRequestEvent', '2026-09-20 11:58:00', 1, false, 10, 'a/b', NULL, "
		"'labeled', 2, NULL),"
		" (8, 'PullRequestEvent', '2026-09-19 11:58:00', 1, false, 10, 'a/b', NULL, "
		"'closed', 2, false),"
		" (9, 'PullRequestEvent', '2026-09-19 11:58:00', 1, false, 10, 'a/b', NULL, "
		"'merged', 2, true),"
		" (10, 'PullRequestEvent', '2026-09-19 11:59:00', 1, false, 10, 'a/b', NULL, "
		"'closed', 3, false),"
		" (11, 'WatchEvent', '2026-09-20 11:01:00', 1, false, 20, 's/old', 'acme', "
		"'started', NULL, NULL),"
		" (12, 'WatchEvent', '2026-09-20 11:01:30', 2, NULL, 20, 's/new', 'acme', "
		"'started', NULL, NULL),"
		" (13, 'WatchEvent', '2026-09-20 11:10:00', 3, true, 20, 's/new', 'acme', "
		"'started', NULL, NULL);"
		"INSERT INTO coverage VALUES ('2026-09-20 11:30:00'), ('2026-09-20 11:31:00')");
	duck_engine_fill_rollups(&f->duck);
	f->duck.stamp.newest_event_us = NOON_US - INT64_C(120) * 1000000;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	/* A skipped test never started. */
	if (f->catalogue)
		metrics_release(f->metrics, f->catalogue);
	metrics_destroy(&f->metrics);
	temporary_folder_remove(&f->folder);
	duck_engine_close(&f->duck);
	arena_finish(&f->arena);
	return 0;
}

#define WITH_EVENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_EVENTS(pull_requests_by_rows_and_by_rollup),
		WITH_EVENTS(a_rollup_that_moved_on_meanwhile_is_not_used),
		WITH_EVENTS(counts_look_back_from_an_instant),
		WITH_EVENTS(minutes_that_nobody_watched_are_null),
		WITH_EVENTS(stars_merges_and_organisations),
		WITH_EVENTS(faults_are_told_together),
		WITH_EVENTS(limits_cut_and_tell),
		WITH_EVENTS(each_type_is_bound_as_itself),
		WITH_EVENTS(version_1_answers_like_the_first_system),
		WITH_EVENTS(failures_have_their_outcome),
		WITH_EVENTS(recorded_metrics_file_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
