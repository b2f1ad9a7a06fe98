/* SPDX-License-Identifier: Apache-2.0 */
/* metric_gold_test.c - metrics on gold itself: what the seam of the other tests promises holds
 * there. */
#include "tests/unit/gold/gold_support.h"

#include "metrics/metrics.h"

#include <math.h>
#include <stdio.h>

struct fixture {
	struct gold_fixture gold;
	struct check_path folder;
	struct metrics *metrics;
	const struct metric_catalogue *catalogue;
	struct arena arena;
	struct metric_result result;
	struct err err;
};

static void start(struct fixture *f, const char *text)
{
	struct check_path path = path_below(&f->folder, "m.yaml");
	const char *paths[] = {path.text};
	struct err err;
	OR_FAIL(file_write(path.text, span_of(text), &err));
	struct metrics_options options = {
		.gold = f->gold.gold, .paths = paths, .path_count = 1, .clock = clock_system()};
	f->metrics = metrics_create(&options);
	f->catalogue = metrics_acquire(f->metrics);
	for (size_t i = 0; i < f->catalogue->problem_count; i++)
		fail_msg("%d:%d %.*s", f->catalogue->problems[i].line,
			f->catalogue->problems[i].column,
			SPAN_ARGUMENTS(f->catalogue->problems[i].text));
}

static enum metric_outcome evaluate(
	struct fixture *f, const char *id, const char *name, const char *value)
{
	struct metric_argument argument = {span_of(name), span_of(value)};
	struct metric_request request = {.metric = metric_find(f->catalogue, span_of(id)),
		.arguments = &argument,
		.argument_count = 1};
	const struct argument_fault *faults;
	size_t fault_count;
	assert_non_null(request.metric);
	arena_reset(&f->arena);
	return metric_evaluate(
		f->metrics, &request, &f->arena, &f->result, &faults, &fault_count, &f->err);
}

static void built_in_metrics_answer(void **state)
{
	struct fixture *f = *state;
	start(f, "kpis: []\n");
	for (size_t i = 0; i < f->catalogue->metric_count; i++) {
		const struct metric *metric = &f->catalogue->metrics[i];
		assert_true(metric->column_count > 0);
		if (evaluate(f, metric->id.data, "as_of", "data") != METRIC_OK)
			fail_msg("%s: %s", metric->id.data, f->err.text);
		assert_int_equal(f->result.table.column_count, metric->column_count);
		assert_int_equal(f->result.stamp.rows, 4);
	}
	static const char *const as_ofs[] = {"now", "2026-09-20T11:31:00Z"};
	for (size_t i = 0; i < ARRAY_COUNT(as_ofs); i++) {
		assert_int_equal(evaluate(f, "avg_pr_time", "as_of", as_ofs[i]), METRIC_OK);
		assert_int_equal(f->result.from_rollup, i == 0);
		assert_int_equal(f->result.table.row_count, 1);
		assert_true(span_equal_text(table_value(&f->result.table, 0, 0)->text, "a/b"));
		assert_true(fabs(table_value(&f->result.table, 0, 1)->real - 45) < 1e-9);
	}
	assert_int_equal(evaluate(f, "events_per_minute", "as_of", "now"), METRIC_OK);
	assert_true(f->result.from_rollup);
}

static void views_of_the_first_system_answer(void **state)
{
	struct fixture *f = *state;
	start(f, "kpis:\n  - id: event_count_offset\n    name: N\n    sql: |\n"
		 "      SELECT 'watchevent' AS event_type, COUNT(*) AS count FROM watchevent\n"
		 "      WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL '${offset}' MINUTE;\n"
		 "  - id: open\n    name: N\n    sql: |\n"
		 "      SELECT \"repo.name\", COUNT(*) AS n FROM pullrequestevent\n"
		 "      WHERE \"payload.pull_request.state\" = 'open' AND \"repo.name\" = "
		 "'${name}' GROUP BY 1\n");
	assert_int_equal(evaluate(f, "event_count_offset", "offset", "30"), METRIC_OK);
	assert_int_equal(table_value(&f->result.table, 0, 1)->integer, 0);
	assert_int_equal(
		evaluate(f, "event_count_offset", "offset", "1' MINUTE --"), METRIC_BAD_ARGUMENTS);
	assert_int_equal(evaluate(f, "open", "name", "a/b"), METRIC_OK);
	assert_int_equal(table_value(&f->result.table, 0, 1)->integer, 3);
	assert_int_equal(evaluate(f, "open", "name", "' OR ''='"), METRIC_OK);
	assert_int_equal(f->result.table.row_count, 0);
}

static void slow_ones_are_broken_off(void **state)
{
	struct fixture *f = *state;
	start(f, "version: 2\nkpis:\n  - {id: slow, name: N, description: D, timeout: 1s,\n"
		 "     sql: 'SELECT COUNT(*) AS n FROM range(1000000) a, range(1000000) b WHERE "
		 "a.range * b.range % 7 = 3'}\n"
		 "  - {id: cast, name: N, description: D, parameters: {m: {type: integer, default: "
		 "1}},\n"
		 "     sql: 'SELECT to_minutes(${m}) AS n'}\n");
	assert_int_equal(evaluate(f, "slow", "as_of", "now"), METRIC_TIMEOUT);
	assert_int_equal(evaluate(f, "cast", "m", "9223372036854775807"), METRIC_BAD_ARGUMENTS);
	assert_int_equal(evaluate(f, "cast", "m", "1"), METRIC_OK);
}

static void complaints_have_their_place(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *sql;
		int line, column;
	} cases[] = {
		{"SELECT a,\n        b FORM c", 7, 16},
		{"SELECT 1\n      FROM nowhere", 7, 12},
		{"SELECT nothere FROM events", 6, 14},
		{"SELECT lowr('a') AS a", 6, 14},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct metric_problem *problems;
		size_t problem_count;
		size_t metric_count;
		char *text = arena_printf(&f->arena,
			"kpis:\n  - {id: a, name: A, sql: SELECT 1}\n"
			"  - id: m\n    name: M\n    sql: |\n      %s\n",
			cases[i].sql);
		assert_false(metrics_check(f->gold.gold, span_of(text), "m.yaml", &f->arena,
			&problems, &problem_count, &metric_count));
		assert_int_equal(metric_count, 1);
		assert_int_equal(problem_count, 1);
		if (problems[0].line != cases[i].line || problems[0].column != cases[i].column)
			fail_msg("%s: %d:%d %.*s", cases[i].sql, problems[0].line,
				problems[0].column, SPAN_ARGUMENTS(problems[0].text));
	}
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	struct fixture *f = &fixture;
	arena_init(&f->arena, (size_t)16 * 1024 * 1024);
	f->gold.options.rollups = metrics_rollups(&f->gold.options.rollup_count);
	gold_fixture_begin(&f->gold, NULL);
	gold_fixture_put(&f->gold, 1,
		"SELECT i AS id, 'PullRequestEvent' AS type, t AS created_at, 'a/b' AS repo_name, "
		"10 AS repo_id,"
		" 'opened' AS action, i AS number, false AS is_bot FROM (VALUES (1, '2026-09-20 "
		"10:00:00'),"
		" (2, '2026-09-20 10:30:00'), (3, '2026-09-20 11:30:00')) v(i, t)"
		" UNION ALL SELECT 4, 'WatchEvent', '2026-09-20 11:32:00', 'c/d', 11, 'started', "
		"NULL, false");
	(void)gold_fixture_load(&f->gold);
	f->folder = temporary_folder_create();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	if (f->catalogue)
		metrics_release(f->metrics, f->catalogue);
	metrics_destroy(&f->metrics);
	gold_fixture_end(&f->gold);
	temporary_folder_remove(&f->folder);
	arena_finish(&f->arena);
	return 0;
}

#define WITH_GOLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_GOLD(built_in_metrics_answer),
		WITH_GOLD(views_of_the_first_system_answer),
		WITH_GOLD(slow_ones_are_broken_off),
		WITH_GOLD(complaints_have_their_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
