/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_test.c - which files load, and what is said, where, about those that do not. */
#include "duck_engine.h"

#include "base/file.h"

#include <stdlib.h>

struct fixture {
	struct arena arena;
	struct duck_engine duck;
	struct metric_engine engine;
	const struct metric_problem *problems;
	size_t problem_count;
	size_t metric_count;
};

static bool check_span(struct fixture *f, struct span text, bool with_engine)
{
	return metrics_check_on(with_engine ? &f->engine : NULL, text, "m.yaml", &f->arena,
		&f->problems, &f->problem_count, &f->metric_count);
}

/* "LINE:COLUMN text" of all problems, one a line, warnings with "warning: " in front. */
static const char *told(struct fixture *f)
{
	char *text = arena_printf(&f->arena, "%s", "");
	for (size_t i = 0; i < f->problem_count; i++) {
		const struct metric_problem *problem = &f->problems[i];
		assert_true(span_equal_text(problem->file, "m.yaml"));
		text = arena_printf(&f->arena, "%s%s%d:%d %.*s\n", text,
			problem->warning ? "warning: " : "", problem->line, problem->column,
			SPAN_ARGUMENTS(problem->text));
	}
	return text;
}

static void loads(struct fixture *f, const char *text, size_t metric_count)
{
	if (!check_span(f, span_of(text), true))
		fail_msg("%s", told(f));
	assert_string_equal(told(f), "");
	assert_int_equal(f->metric_count, metric_count);
}

static void says(struct fixture *f, const char *text, const char *problems)
{
	assert_false(check_span(f, span_of(text), true));
	assert_string_equal(told(f), problems);
}

/* The first problem begins like this. */
static void complains(struct fixture *f, const char *text, const char *beginning)
{
	assert_false(check_span(f, span_of(text), true));
	if (strncmp(told(f), beginning, strlen(beginning)) != 0)
		fail_msg("%s instead of %s", told(f), beginning);
}

/* One metric of version 2 with `more` behind its required keys; `more` starts on line 7. */
#define V2(more)                                                                                   \
	"version: 2\nkpis:\n  - id: m\n    name: M\n    description: D\n    sql: SELECT 1 AS a, "  \
	"'b' AS b\n" more

#define HEAD "version: 2\nkpis:\n  - id: m\n    name: M\n    description: D\n"

static void frames(void **state)
{
	struct fixture *f = *state;
	loads(f, "kpis: []\n", 0);
	loads(f, V2(""), 1);
	says(f, "", "1:1 a file of metrics has a list \"kpis\"\n");
	says(f, "- a\n", "1:1 a file of metrics has a list \"kpis\"\n");
	says(f, "version: 2\n", "1:1 a file of metrics has a list \"kpis\"\n");
	says(f, "version: 3\nkpis: []\n", "1:10 version is 1 or 2\n");
	says(f, "kpis: [\n",
		"2:1 did not find expected node content (while parsing a flow node that starts on "
		"line 2)\n");
	says(f, "kpis: []\nkpis: []\n", "2:1 key \"kpis\" stands on line 1 already\n");
	says(f, "version: 2\nkpi: []\nkpis: []\n",
		"2:1 unknown key \"kpi\"; did you mean \"kpis\"?\n");
	says(f, "version: 2\ndefaults: {refresh: 15, limit: {default: 9, max: 8}}\nkpis: [3]\n",
		"2:21 a duration like 30s, 15m, 2h or 7d is expected here\n"
		"2:32 the default limit 9 is above the maximum 8\n"
		"3:8 a metric (id: …, name: …, sql: …) is expected here\n");
}

static void all_faults_are_told_at_once(void **state)
{
	struct fixture *f = *state;
	says(f,
		"version: 2\n"
		"kpis:\n"
		"  - id: Bad-Id\n"
		"    name: M\n"
		"    descripton: D\n"
		"    sql: SELECT 1\n"
		"  - id: b\n"
		"    name: M\n"
		"    description: D\n"
		"    visualisation: pie\n"
		"    refresh: soon\n"
		"    limit: {default: 0, maximum: 3}\n"
		"    sql: |\n"
		"      SELECT ${a},\n"
		"             '${as_off}'\n"
		"  - id: c\n"
		"    name: C\n"
		"    description: sound\n"
		"    sql: SELECT 1 AS a\n",
		"3:5 a metric needs the key \"description\"\n"
		"5:5 unknown key \"descripton\"; did you mean \"description\"?\n"
		"10:20 unknown visualisation \"pie\"\n"
		"11:14 a duration like 30s, 15m, 2h or 7d is expected here\n"
		"12:22 an integer from 1 to 100000 is expected here\n"
		"12:25 unknown key \"maximum\"\n"
		"14:14 the parameter \"a\" is not declared\n"
		"15:15 the parameter \"as_off\" is not declared; did you mean \"as_of\"?\n");
	assert_int_equal(f->metric_count, 1);
}

static void parameters_are_checked(void **state)
{
	struct fixture *f = *state;
	loads(f,
		HEAD
		"    sql: SELECT ${a}, ${b}, ${c}, ${d}\n    parameters:\n"
		"      a: {type: integer, default: 5, min: 1, max: 9, step: 2, label: A, unit: x}\n"
		"      b: {type: enum, values: [1m, 5m], cast: interval, default: 1m}\n"
		"      c: {type: enum, multiple: true, values_from: orgs}\n"
		"      d: {type: string, required: true, max_length: 10, min_length: 2}\n",
		1);
	says(f,
		HEAD "    sql: SELECT ${a}\n    parameters: {limit: {type: integer}, a: {type: "
		     "int}, b: {type: login}}\n",
		"7:18 \"limit\" is reserved\n"
		"7:18 the SQL does not use the parameter \"limit\"\n"
		"7:52 unknown type \"int\"\n"
		"7:58 the SQL does not use the parameter \"b\"\n");
	says(f,
		HEAD
		"    sql: SELECT ${a}\n    parameters:\n      a: {type: integer, min: 5, max: 3}\n",
		"8:39 max is below min\n");
	says(f,
		HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: integer, max: 3, "
		     "default: 4}\n",
		"8:43 the default is none of its values: a must be an integer of at most 3\n");
	says(f, HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: repo, max: 3}\n",
		"8:28 the type repo has no min and max\n");
	says(f, HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: enum}\n",
		"8:10 an enum has either values or values_from\n");
	says(f,
		HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: enum, values: [x], "
		     "default: y, cast: interval}\n",
		"8:32 with cast: interval a value is a duration like 15m\n"
		"8:45 the default is none of its values: a must be one of x\n");
	says(f,
		HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: enum, multiple: true, "
		     "values: ['a,b', c, c]}\n",
		"8:48 a comma separates values, so none may hold one\n"
		"8:58 the value stands in the list twice\n");
	says(f,
		HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {type: integer, required: "
		     "true, default: 4}\n",
		"8:51 a required parameter has no default\n");
	says(f, HEAD "    sql: SELECT ${a}\n    parameters:\n      a: {label: x}\n",
		"8:10 a parameter needs a type (or use: of a shared one)\n");
}

static void shared_parameters_are_used(void **state)
{
	struct fixture *f = *state;
	loads(f,
		"version: 2\nparameters: {w: {type: duration, default: 1h, max: 30d}, r: {type: "
		"repo, default: a/b}}\n"
		"kpis:\n  - {id: m, name: M, description: D, sql: 'SELECT ${w}, ${r}',"
		" parameters: {w: {use: w, default: 7d}, r: {use: r, required: true}}}\n",
		1);
	says(f,
		"version: 2\nparameters: {w: {type: duration, default: 31d, max: 30d}}\n"
		"kpis:\n  - {id: m, name: M, description: D, sql: 'SELECT ${w}, ${v}',"
		" parameters: {w: {use: w}, v: {use: wx}}}\n",
		"2:43 the default is none of its values: w must be a duration like 90s, 15m, 2h or "
		"7d of at most 30d\n"
		"4:99 unknown shared parameter \"wx\"; did you mean \"w\"?\n");
}

static void columns_and_charts_must_exist(void **state)
{
	struct fixture *f = *state;
	loads(f,
		V2("    columns: {a: {unit: events/min, decimals: 2, link: /r/a, hidden: true}}\n"
		   "    chart: {kind: area, x: b, y: [a], series: b, max_series: 6, stacked: true, "
		   "y_min: 0, y_max: 1.5}\n"),
		1);
	says(f,
		V2("    columns: {aa: {}, b: {unit: 5 a, decimals: 7, link: //x}}\n"
		   "    chart: {kind: pie, x: bb, y: [a, cc]}\n"),
		"7:15 unknown column of the result \"aa\"; did you mean \"a\"?\n"
		"7:33 a unit is made of small letters, / and spaces\n"
		"7:48 an integer from 0 to 6 is expected here\n"
		"7:57 a link is a path that starts with one /\n"
		"8:19 unknown kind of chart \"pie\"\n"
		"8:27 unknown column of the result \"bb\"; did you mean \"b\"?\n"
		"8:38 unknown column of the result \"cc\"\n");
}

static void complaints_of_the_engine_have_their_place(void **state)
{
	struct fixture *f = *state;
	says(f, HEAD "    sql: |\n      SELECT a,\n        b FORM c\n",
		"8:16 Parser Error: syntax error at or near \"c\"\n");
	complains(f,
		HEAD "    parameters: {n: {type: integer}}\n    sql: |\n      -- one\n"
		     "      SELECT '${n}', ${n}, nothere FROM events\n",
		"9:28 Binder Error: Referenced column \"nothere\" not found in FROM clause! "
		"Candidate");
	complains(
		f, HEAD "    sql: |\n      SELECT 1,  \n      \t nothere  \n", "8:9 Binder Error");
	complains(f, HEAD "    sql: |\n      SELECT '\xc3\xa9', nothere\n", "7:7 Binder Error");
	char ones[300];
	memset(ones, '1', sizeof(ones));
	char *text = arena_printf(
		&f->arena, HEAD "    sql: SELECT %.120s + nothere + %.120s AS a\n", ones, ones);
	complains(f, text, "6:140 Binder Error");
	text = arena_printf(&f->arena, HEAD "    sql: SELECT %.120s + nothere\n", ones);
	complains(f, text, "6:140 Binder Error");
	text = arena_printf(&f->arena, HEAD "    sql: SELECT nothere + %.120s\n", ones);
	complains(f, text, "6:17 Binder Error");
	assert_false(check_span(f, span_of(HEAD "    sql: SELECT * FROM nowhere\n"), true));
	assert_true(f->problems[0].line == 6 && f->problems[0].column == 24);
	assert_false(
		check_span(f, span_of(HEAD "    sql: >\n      SELECT\n      nothere\n"), true));
	assert_true(f->problems[0].line == 7);
	assert_false(check_span(
		f, span_of(HEAD "    sql: WITH x AS (SELECT 1) DELETE FROM events\n"), true));
	assert_non_null(strstr(told(f), "6:10 not a SELECT"));
	assert_false(check_span(f, span_of(HEAD "    sql: SELECT 1 AS a, 2 AS a\n"), true));
	assert_non_null(strstr(told(f), "two columns \"a\""));
	assert_true(check_span(f, span_of(HEAD "    sql: SELECT * FROM nowhere\n"), false));
	assert_int_equal(f->metric_count, 1);
}

static void rollups_answer_alike(void **state)
{
	struct fixture *f = *state;
	loads(f, V2("    rollup: {name: pull_request_gaps, sql: \"SELECT 2 AS a, 'c' AS b\"}\n"),
		1);
	says(f, V2("    rollup: {name: none, sql: \"SELECT 'c' AS a, 'c' AS b\"}\n"),
		"7:20 there is no rollup \"none\"\n"
		"7:31 the columns are not those of the metric's sql\n");
	says(f, V2("    rollup: {name: none}\n"), "7:13 a rollup has a name and an sql\n");
	says(f, V2("    rollup: {name: pull_request_gaps, sql: 'SELECT ${x}'}\n"),
		"7:52 the parameter \"x\" is not declared\n");
}

static void version_1_needs_no_declarations(void **state)
{
	struct fixture *f = *state;
	loads(f,
		"kpis:\n  - id: Some-Id.2\n    name: N\n    sql: SELECT '${a}' || ${b};\n    "
		"visualisation: null\n",
		1);
	assert_true(check_span(f,
		span_of("title: x\nkpis:\n  - {id: a, name: N, sql: SELECT 1, visualisation: pie, "
			"caveat: c}\n"),
		true));
	assert_string_equal(told(f),
		"warning: 1:1 \"title\" is not read without \"version: 2\"\n"
		"warning: 3:52 visualisation is bar, line, value, table or null\n"
		"warning: 3:57 \"caveat\" is not read without \"version: 2\" at the top\n");
	says(f, "kpis:\n  - {id: a/b, name: N, sql: 'SELECT ${format}'}\n",
		"2:10 an id is up to 64 small letters, digits and _, a letter first\n"
		"2:37 this name is reserved\n");
	says(f, "kpis:\n  - {id: a, name: N, sql: SELECT 1}\n  - {id: a, name: N, sql: SELECT 2}\n",
		"3:10 the id \"a\" stands at line 2 already\n");
}

static void many_problems_and_metrics_are_bounded(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	buf_append_text(&text, "kpis:\n");
	for (int i = 0; i < 600; i++)
		buf_printf(&text, "  - {id: a%d, name: N, sql: SELECT 1}\n", i);
	assert_false(check_span(f, buf_span(&text), false));
	assert_string_equal(told(f), "502:5 more than 500 metrics\n");
	assert_int_equal(f->metric_count, 500);
	buf_clear(&text);
	buf_append_text(&text, "kpis:\n");
	for (int i = 0; i < 300; i++)
		buf_printf(&text, "  - {id: a%d, name: N}\n", i);
	assert_false(check_span(f, buf_span(&text), false));
	assert_int_equal(f->problem_count, 200);
	assert_int_equal(f->metric_count, 0);
}

static void cut_files_are_no_crash(void **state)
{
	struct fixture *f = *state;
	const char *text = HEAD
		"    parameters: {n: {type: integer, default: 3, min: 1}}\n"
		"    columns: {a: {unit: x}}\n    chart: {kind: bar, x: a, y: [b]}\n"
		"    limit: {default: 3}\n    sql: |\n      SELECT '${n}' AS a, 'x${n}' AS b\n";
	for (size_t size = 0; size <= strlen(text); size++) {
		char *exact = malloc(size + 1);
		memcpy(exact, text, size);
		bool ok = check_span(f, (struct span){exact, size}, true);
		assert_true(ok == (f->problem_count == 0));
		free(exact);
		arena_reset(&f->arena);
	}
}

static void earlier_file_loads_unchanged(void **state)
{
	struct fixture *f = *state;
	struct check_path path = real_data_path_or_skip("seed-form/metrics.yaml");
	CLEANUP(buf_finish) struct buf text = {0};
	struct err err;
	buf_init(&text, 1024 * 1024);
	if (!file_read(path.text, &text, &err))
		fail_msg("%s", err.text);
	if (!check_span(f, buf_span(&text), true))
		fail_msg("%s", told(f));
	assert_int_equal(f->problem_count, 0);
	assert_int_equal(f->metric_count, 2);
}

static void the_documented_example_loads(void **state)
{
	struct fixture *f = *state;
	const char *source = getenv("OCTOLAKE_SOURCE_DIR");
	if (!source)
		skip();
	CLEANUP(buf_finish) struct buf text = {0};
	struct err err;
	buf_init(&text, 1024 * 1024);
	if (!file_read(arena_printf(&f->arena, "%s/docs/formats/metrics.md", source), &text, &err))
		fail_msg("%s", err.text);
	const char *start = strstr(text.data, "```yaml\n");
	assert_non_null(start);
	start += strlen("```yaml\n");
	const char *end = strstr(start, "```");
	assert_non_null(end);
	if (!check_span(f, (struct span){start, (size_t)(end - start)}, true))
		fail_msg("%s", told(f));
	assert_int_equal(f->metric_count, 1);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	arena_init(&fixture.arena, (size_t)64 * 1024 * 1024);
	duck_engine_open(&fixture.duck);
	fixture.engine = duck_engine_face(&fixture.duck);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	duck_engine_close(&f->duck);
	arena_finish(&f->arena);
	return 0;
}

#define WITH_ENGINE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(frames),
		WITH_ENGINE(all_faults_are_told_at_once),
		WITH_ENGINE(parameters_are_checked),
		WITH_ENGINE(shared_parameters_are_used),
		WITH_ENGINE(columns_and_charts_must_exist),
		WITH_ENGINE(complaints_of_the_engine_have_their_place),
		WITH_ENGINE(rollups_answer_alike),
		WITH_ENGINE(version_1_needs_no_declarations),
		WITH_ENGINE(many_problems_and_metrics_are_bounded),
		WITH_ENGINE(cut_files_are_no_crash),
		WITH_ENGINE(earlier_file_loads_unchanged),
		WITH_ENGINE(the_documented_example_loads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
