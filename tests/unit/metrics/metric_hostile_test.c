/* SPDX-License-Identifier: Apache-2.0 */
/* metric_hostile_test.c - hostile values and names in every parameter of every type, on a real
 * database: refused, or the same answer as a value that matches nothing; nothing changes. */
#include "duck_engine.h"

#include "base/file.h"

#include <stdlib.h>

struct fixture {
	struct duck_engine duck;
	struct metric_engine engine;
	struct check_path folder;
	struct metrics *metrics;
	const struct metric_catalogue *catalogue;
	struct arena arena;
	char *megabyte;
};

enum { MEGABYTE = 1024 * 1024 };

#define BYTES(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static const struct span hostile[] = {
	BYTES("'"),
	BYTES("''"),
	BYTES("\""),
	BYTES("\\"),
	BYTES("\\'"),
	BYTES(";"),
	BYTES("; DROP TABLE events"),
	BYTES("'; DROP TABLE events; --"),
	BYTES("1; DELETE FROM events"),
	BYTES("' OR '1'='1"),
	BYTES("1 OR 1=1"),
	BYTES("') OR ('1'='1"),
	BYTES("1' MINUTE UNION ALL SELECT 'x', 1 --"),
	BYTES("30' MINUTE; DROP TABLE events; --"),
	BYTES("--"),
	BYTES("a--b"),
	BYTES("/*"),
	BYTES("*/ OR 1=1 /*"),
	BYTES("${as_of}"),
	BYTES("${p}"),
	BYTES("${"),
	BYTES("$1"),
	BYTES("$$"),
	BYTES("$$; DROP TABLE events; $$"),
	BYTES("?"),
	BYTES("::INTEGER"),
	BYTES("1::INTEGER"),
	BYTES("CAST(1 AS INTEGER)"),
	BYTES("NULL::VARCHAR"),
	BYTES("current_timestamp()"),
	BYTES("(SELECT 1)"),
	BYTES("read_text('/etc/hostname')"),
	BYTES("a/b' OR 'a'='a"),
	BYTES("a/b;--"),
	BYTES("a/b/c"),
	BYTES("../../etc/passwd"),
	BYTES("a\0b"),
	BYTES("\0"),
	BYTES("a/b\0"),
	BYTES("1\0"),
	BYTES("\xff\xfe"),
	BYTES("a/\xc3"),
	BYTES("\xc0\xaf"),
	BYTES("\xed\xa0\x80"),
	BYTES("\xf4\x90\x80\x80"),
	BYTES("\xe2\x80\x98 OR 1=1 --"),
	BYTES("\xf0\x9f\x90\x99"),
	BYTES("\xe2\x80\xae"
	      "gnp"),
	BYTES("\r\n"),
	BYTES("\x1b[2J"),
	BYTES("9223372036854775808"),
	BYTES("-9223372036854775809"),
	BYTES("99999999999999999999999999"),
	BYTES("1e400"),
	BYTES("nan"),
	BYTES("inf"),
	BYTES("0x10"),
	BYTES("1_000"),
	BYTES("+1"),
	BYTES(" 1"),
	BYTES("1 "),
	BYTES("\xd9\xa1"),
	BYTES("<script>alert(1)</script>"),
	BYTES("{\"a\": 1}"),
	BYTES("%s%n%x"),
	BYTES("9999999999d"),
	BYTES("1h; DROP TABLE events"),
	BYTES("1 hour"),
	BYTES("-1h"),
	BYTES("2026-09-20"),
	BYTES("2026-13-45T99:99:99Z"),
	BYTES("2026-09-20T12:00:00Z'"),
	BYTES("infinity"),
	BYTES("epoch"),
	BYTES("true' OR 'a'='a"),
	BYTES("TRUE;"),
	BYTES(","),
	BYTES(",,,,,,,,,,"),
	BYTES("'],['"),
};

static const char metrics_text[] =
	"version: 2\nkpis:\n"
	"  - {id: of_integer, name: N, description: D, parameters: {p: {type: integer}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE number = ${p}'}\n"
	"  - {id: of_number, name: N, description: D, parameters: {p: {type: number}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE number = ${p}'}\n"
	"  - {id: of_string, name: N, description: D, parameters: {p: {type: string}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE repo_name = ${p} OR type = ''${p}'''}\n"
	"  - {id: of_part, name: N, description: D, parameters: {p: {type: string}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE contains(actor_login, ''(${p})'')'}\n"
	"  - {id: of_boolean, name: N, description: D, parameters: {p: {type: boolean}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE merged = ${p}'}\n"
	"  - {id: of_enum, name: N, description: D, parameters: {p: {type: enum, values: [x, "
	"y]}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE repo_name = ${p}'}\n"
	"  - {id: of_enum_from, name: N, description: D, parameters: {p: {type: enum, values_from: "
	"repos}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE repo_name = ${p}'}\n"
	"  - {id: of_enum_interval, name: N, description: D,\n"
	"     parameters: {p: {type: enum, values: [1m], cast: interval}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE created_at > now()::TIMESTAMP + ${p}'}\n"
	"  - {id: of_duration, name: N, description: D, parameters: {p: {type: duration}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE created_at > ${as_of} + ${p}'}\n"
	"  - {id: of_timestamp, name: N, description: D, parameters: {p: {type: timestamp}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE created_at = ${p}'}\n"
	"  - {id: of_repo, name: N, description: D, parameters: {p: {type: repo}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE repo_name = ${p}'}\n"
	"  - {id: of_login, name: N, description: D, parameters: {p: {type: login}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE actor_login = ${p}'}\n"
	"  - {id: of_strings, name: N, description: D, parameters: {p: {type: string, multiple: "
	"true}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE list_contains(${p}, repo_name)'}\n"
	"  - {id: of_integers, name: N, description: D, parameters: {p: {type: integer, multiple: "
	"true}},\n"
	"     sql: 'SELECT COUNT(*) AS n FROM events WHERE list_contains(${p}, number)'}\n";

/* In a metric of version 1 every parameter is a text, at most cast by its SQL. */
static const char metrics_text_of_version_1[] =
	"kpis:\n"
	"  - id: v1_text\n    name: N\n"
	"    sql: SELECT COUNT(*) AS n FROM events WHERE repo_name = '${p}' OR type = ${p}\n"
	"  - id: v1_interval\n    name: N\n"
	"    sql: SELECT COUNT(*) AS n FROM events WHERE created_at > now()::TIMESTAMP + INTERVAL "
	"'${p}' MINUTE\n"
	"  - id: v1_time\n    name: N\n"
	"    sql: SELECT COUNT(*) AS n FROM events WHERE created_at = TIMESTAMP '${p}'\n"
	"  - id: v1_number\n    name: N\n"
	"    sql: SELECT COUNT(*) AS n FROM events WHERE number = -${p}::BIGINT\n";

static int64_t query_integer(struct fixture *f, const char *sql)
{
	int64_t value = 0;
	struct err err;
	if (!duck_query_integer(f->duck.connection, sql, NULL, 0, -1, &value, &err))
		fail_msg("%s", err.text);
	return value;
}

static void assert_nothing_changed(struct fixture *f)
{
	assert_int_equal(query_integer(f, "SELECT COUNT(*) FROM events"), 3);
	assert_int_equal(query_integer(f, "SELECT COUNT(*) FROM event_types"), 4);
	assert_int_equal(query_integer(f, "SELECT COUNT(*) FROM duckdb_tables()"), 5);
	assert_int_equal(
		query_integer(f, "SELECT COUNT(*) FROM duckdb_views() WHERE NOT internal"), 3);
}

static void assert_clean(struct span text)
{
	assert_true(span_is_utf8(text));
	assert_true(text.size < 2000);
	for (size_t i = 0; i < text.size; i++)
		assert_true((unsigned char)text.data[i] >= ' ');
}

static enum metric_outcome evaluate(struct fixture *f, const struct metric *metric,
	struct metric_argument argument, struct metric_result *result_out)
{
	const struct argument_fault *faults = NULL;
	size_t fault_count = 0;
	struct err err = {0};
	struct metric_request request = {
		.metric = metric, .arguments = &argument, .argument_count = 1};
	/* The bytes end where the argument ends. */
	char *exact =
		memcpy(malloc(argument.value.size + 1), argument.value.data, argument.value.size);
	exact = realloc(exact, argument.value.size + (argument.value.size == 0));
	argument.value.data = exact;
	arena_reset(&f->arena);
	enum metric_outcome outcome = metric_evaluate(
		f->metrics, &request, &f->arena, result_out, &faults, &fault_count, &err);
	free(exact);
	if (outcome == METRIC_BROKEN)
		fail_msg("%.*s: %s", SPAN_ARGUMENTS(metric->id), err.text);
	assert_true(outcome == METRIC_OK || fault_count > 0);
	for (size_t i = 0; i < fault_count && outcome != METRIC_OK; i++) {
		assert_clean(faults[i].name);
		assert_clean(faults[i].detail);
	}
	return outcome;
}

/* COUNT(*) metrics: refused or 0. */
static void assert_no_match(struct fixture *f, const struct metric *metric, struct span value)
{
	struct metric_result result = {0};
	struct metric_argument argument = {span_of("p"), value};
	if (evaluate(f, metric, argument, &result) == METRIC_OK) {
		assert_int_equal(result.table.row_count, 1);
		if (table_value(&result.table, 0, 0)->integer != 0)
			fail_msg("%.*s matches %.*s", SPAN_ARGUMENTS(metric->id),
				SPAN_ARGUMENTS(value));
	}
	assert_nothing_changed(f);
}

static void start(struct fixture *f, const char *text)
{
	struct err err;
	struct check_path path = path_below(&f->folder, "m.yaml");
	if (!file_write(path.text, span_of(text), &err))
		fail_msg("%s", err.text);
	const char *paths[] = {path.text};
	struct metrics_options options = {.paths = paths, .path_count = 1, .clock = clock_system()};
	f->metrics = metrics_create_on(&options, &f->engine);
	f->catalogue = metrics_acquire(f->metrics);
	for (size_t i = 0; i < f->catalogue->problem_count; i++)
		fail_msg("%d:%d %.*s", f->catalogue->problems[i].line,
			f->catalogue->problems[i].column,
			SPAN_ARGUMENTS(f->catalogue->problems[i].text));
}

static void try_all_values(struct fixture *f, const char *id_start, size_t metric_count)
{
	size_t tried = 0;
	for (size_t i = 0; i < f->catalogue->metric_count; i++) {
		const struct metric *metric = &f->catalogue->metrics[i];
		if (!span_starts_with(metric->id, id_start))
			continue;
		tried++;
		for (size_t j = 0; j < ARRAY_COUNT(hostile); j++)
			assert_no_match(f, metric, hostile[j]);
		assert_no_match(f, metric, (struct span){f->megabyte, MEGABYTE});
		assert_no_match(f, metric, (struct span){"", 0});
	}
	assert_int_equal(tried, metric_count);
}

static void every_type_holds(void **state)
{
	struct fixture *f = *state;
	start(f, metrics_text);
	try_all_values(f, "of_", 14);
}

static void version_1_holds(void **state)
{
	struct fixture *f = *state;
	start(f, metrics_text_of_version_1);
	try_all_values(f, "v1_", 4);
}

static void values_that_match_do_match(void **state)
{
	struct fixture *f = *state;
	start(f, metrics_text);
	static const char *const matching[][2] = {
		{"of_integer", "7"},
		{"of_string", "it's; --"},
		{"of_part", "x"},
		{"of_strings", "x,it's; --"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(matching); i++) {
		struct metric_result result = {0};
		struct metric_argument argument = {span_of("p"), span_of(matching[i][1])};
		const struct metric *metric = metric_find(f->catalogue, span_of(matching[i][0]));
		assert_int_equal(evaluate(f, metric, argument, &result), METRIC_OK);
		assert_int_equal(table_value(&result.table, 0, 0)->integer, 1);
	}
}

/* Rows of the same metric with a value that matches nothing, or -1 when such a value is refused. */
static int64_t rows_without_match(struct fixture *f, const struct metric *metric, struct span name)
{
	struct metric_result result = {0};
	bool is_repo = span_equal_text(name, "repo");
	struct metric_argument argument = {name, span_of(is_repo ? "no/such" : "NoSuchThing")};
	if (evaluate(f, metric, argument, &result) != METRIC_OK)
		return -1;
	return (int64_t)result.table.row_count;
}

static void built_in_metrics_hold(void **state)
{
	struct fixture *f = *state;
	start(f, "kpis: []\n");
	size_t tried = 0;
	for (size_t i = 0; i < f->catalogue->metric_count; i++) {
		const struct metric *metric = &f->catalogue->metrics[i];
		for (size_t j = 0; j < metric->parameter_count + 2; j++) {
			struct span name = j == 0   ? span_of("as_of")
					   : j == 1 ? span_of("limit")
						    : metric->parameters[j - 2].name;
			int64_t rows = rows_without_match(f, metric, name);
			for (size_t k = 0; k < ARRAY_COUNT(hostile); k++) {
				struct metric_result result = {0};
				struct metric_argument argument = {name, hostile[k]};
				bool is_none =
					span_equal_text(name, "types") && hostile[k].data[0] == ',';
				if (evaluate(f, metric, argument, &result) == METRIC_OK && !is_none)
					assert_int_equal(result.table.row_count, rows);
				tried++;
			}
		}
	}
	assert_true(tried > 20 * ARRAY_COUNT(hostile));
	assert_nothing_changed(f);
}

static void hostile_names_are_unknown(void **state)
{
	struct fixture *f = *state;
	start(f, metrics_text);
	const struct metric *metric = metric_find(f->catalogue, span_of("of_string"));
	for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
		struct metric_result result = {0};
		struct metric_argument argument = {hostile[i], span_of("x")};
		assert_int_equal(evaluate(f, metric, argument, &result), METRIC_BAD_ARGUMENTS);
	}
	struct metric_result result = {0};
	struct metric_argument argument = {{f->megabyte, MEGABYTE}, span_of("x")};
	assert_int_equal(evaluate(f, metric, argument, &result), METRIC_BAD_ARGUMENTS);
	assert_nothing_changed(f);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	struct fixture *f = &fixture;
	arena_init(&f->arena, (size_t)16 * 1024 * 1024);
	duck_engine_open(&f->duck);
	f->engine = duck_engine_face(&f->duck);
	f->folder = temporary_folder_create();
	f->megabyte = malloc(MEGABYTE);
	assert_non_null(f->megabyte);
	memset(f->megabyte, '\'', MEGABYTE);
	duck_engine_sql(&f->duck, "INSERT INTO events (id, type, created_at, repo_name, number, "
				  "actor_login, merged) VALUES"
				  " (1, 'WatchEvent', '2020-01-01', 'it''s; --', 7, 'a', true),"
				  " (2, 'PushEvent', '2020-01-01', 'a/b', 8, '<(x)>', true),"
				  " (3, 'PullRequestEvent', '2020-01-01', 'a/b', 9, 'b', false)");
	duck_engine_fill_rollups(&f->duck);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	metrics_release(f->metrics, f->catalogue);
	metrics_destroy(&f->metrics);
	temporary_folder_remove(&f->folder);
	duck_engine_close(&f->duck);
	arena_finish(&f->arena);
	free(f->megabyte);
	return 0;
}

#define WITH_EVENTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_EVENTS(every_type_holds),
		WITH_EVENTS(version_1_holds),
		WITH_EVENTS(values_that_match_do_match),
		WITH_EVENTS(built_in_metrics_hold),
		WITH_EVENTS(hostile_names_are_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
