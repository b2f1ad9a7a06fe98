/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_support.h"

#include "serve/render.h"
#include "serve/serve.h"

#include <math.h>

struct fixture {
	struct arena arena;
	struct buf out;
	struct metric metric;
	struct metric_result result;
};

static const struct metric_parameter parameters[] = {
	{.name = SPAN_LITERAL("window"), .type = PARAMETER_DURATION},
	{.name = SPAN_LITERAL("bots"), .type = PARAMETER_BOOLEAN},
	{.name = SPAN_LITERAL("repo"), .type = PARAMETER_REPO},
};
static const struct metric_column columns[] = {
	{.name = SPAN_LITERAL("stars"), .unit = SPAN_LITERAL("stars"), .type = VALUE_INTEGER},
};
static const struct table_column table_columns[] = {
	{SPAN_LITERAL("repo.name"), VALUE_TEXT},
	{SPAN_LITERAL("stars"), VALUE_INTEGER},
};

static int set_up(void **state)
{
	static struct fixture f;
	static struct value values[4];
	static struct value shown[3];
	values[0] = value_text(span_of("a/b"));
	values[1] = value_integer(3);
	values[2] = value_text(span_of("<script>"));
	values[3] = value_null(VALUE_INTEGER);
	shown[0] = value_text(span_of("1d"));
	shown[1] = value_boolean(false);
	shown[2] = value_null(VALUE_TEXT);
	f = (struct fixture){
		.metric = {.id = span_of("top_repos"),
			.name = span_of("Top"),
			.caveat = span_of("A sample."),
			.parameters = parameters,
			.parameter_count = ARRAY_COUNT(parameters),
			.columns = columns,
			.column_count = ARRAY_COUNT(columns),
			.uses_as_of = true},
		.result = {.table = {table_columns, 2, values, 2, true},
			.truncated = true,
			.as_of_us = time_of("2026-09-20T12:00:00Z"),
			.limit = 2,
			.parameters = shown,
			.stamp = {.generation = 3,
				.loads = 17,
				.oldest_event_us = time_of("2026-09-19T00:00:00Z"),
				.newest_event_us = time_of("2026-09-20T11:59:00Z")},
			.elapsed_us = 16900},
	};
	arena_init(&f.arena, (size_t)4 * 1024 * 1024);
	buf_init(&f.out, (size_t)1024 * 1024);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->out);
	arena_finish(&f->arena);
	return 0;
}

static void test_seed_shape(void **state)
{
	struct fixture *f = *state;
	struct json_writer json;
	json_writer_init(&json, &f->out);
	json_begin_object(&json);
	render_seed_members(&f->metric, &f->result.table, &json);
	json_end_object(&json);
	assert_string_equal(f->out.data,
		"{\"id\":\"top_repos\",\"name\":\"Top\",\"visualisation\":null,\"data\":["
		"{\"repo.name\":\"a/b\",\"stars\":3},"
		"{\"repo.name\":\"\\u003cscript\\u003e\",\"stars\":null}]}");
}

static void test_visualisation_is_echoed(void **state)
{
	struct fixture *f = *state;
	struct json_writer json;
	f->metric.visualisation = span_of("pie \"chart\"");
	f->result.table.row_count = 0;
	json_writer_init(&json, &f->out);
	json_begin_object(&json);
	render_seed_members(&f->metric, &f->result.table, &json);
	json_end_object(&json);
	assert_string_equal(f->out.data, "{\"id\":\"top_repos\",\"name\":\"Top\","
					 "\"visualisation\":\"pie \\\"chart\\\"\",\"data\":[]}");
}

static void test_data_document(void **state)
{
	static const char *const keys[] = {"id", "name", "visualisation", "data", "meta"};
	struct fixture *f = *state;
	serve_render_data(&f->metric, &f->result, &f->out);
	const struct json_node *root = parse(buf_span(&f->out), &f->arena);
	check_keys(root, keys, ARRAY_COUNT(keys));
	check_text(root, "data/0/repo.name", "a/b");
	check_text(root, "data/1/repo.name", "<script>");
	check_text(root, "meta/as_of", "2026-09-20T12:00:00Z");
	check_text(root, "meta/parameters/window", "1d");
	check_boolean(root, "meta/parameters/bots", false);
	check_null(root, "meta/parameters/repo");
	check_integer(root, "meta/rows", 2);
	check_boolean(root, "meta/truncated", true);
	check_integer(root, "meta/limit", 2);
	check_integer(root, "meta/elapsed_ms", 16);
	check_text(root, "meta/columns/0/name", "repo.name");
	check_text(root, "meta/columns/0/type", "string");
	check_null(root, "meta/columns/0/unit");
	check_text(root, "meta/columns/1/unit", "stars");
	check_text(root, "meta/data_from", "2026-09-19T00:00:00Z");
	check_text(root, "meta/data_to", "2026-09-20T11:59:00Z");
	check_integer(root, "meta/lag_seconds", 60);
	check_integer(root, "meta/generation", 3);
	check_integer(root, "meta/loads", 17);
	check_boolean(root, "meta/from_rollup", false);
	check_null(root, "meta/hint");
	check_text(root, "meta/caveat", "A sample.");
}

static void test_the_front_is_stable(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_finish) struct buf later = {.size_max = 1024 * 1024};
	CLEANUP(buf_finish) struct buf other = {.size_max = 1024 * 1024};
	size_t size = render_data(&f->metric, &f->result, &f->out);
	f->result.as_of_us += 5000000;
	f->result.elapsed_us = 1;
	f->result.stamp.loads++;
	assert_int_equal(render_data(&f->metric, &f->result, &later), size);
	assert_memory_equal(f->out.data, later.data, size);
	check_has(span_make(later.data, size), "\"repo.name\":\"a/b\"");
	/* Another limit makes other data of the same rows. */
	f->result.truncated = false;
	size_t other_size = render_data(&f->metric, &f->result, &other);
	assert_false(span_equal(span_make(later.data, size), span_make(other.data, other_size)));
}

static const char *render_one(struct fixture *f, struct value value)
{
	struct json_writer json;
	buf_clear(&f->out);
	json_writer_init(&json, &f->out);
	render_value(&value, &json);
	return f->out.data;
}

static void test_values_as_json(void **state)
{
	struct fixture *f = *state;
	const struct value elements[] = {value_integer(1), value_null(VALUE_INTEGER)};
	struct value date = value_time(time_of("2026-09-20T00:00:00Z"));
	date.type = VALUE_DATE;
	assert_string_equal(render_one(f, value_null(VALUE_TEXT)), "null");
	assert_string_equal(render_one(f, value_boolean(true)), "true");
	assert_string_equal(render_one(f, value_integer(9007199254740992)), "9007199254740992");
	assert_string_equal(render_one(f, value_integer(9007199254740993)), "\"9007199254740993\"");
	assert_string_equal(render_one(f, value_integer(INT64_MIN)), "\"-9223372036854775808\"");
	assert_string_equal(render_one(f, value_real(0.1)), "0.1");
	assert_string_equal(render_one(f, value_real(NAN)), "null");
	assert_string_equal(render_one(f, value_real(INFINITY)), "null");
	assert_string_equal(render_one(f, value_time(time_of("2026-09-20T12:00:00.5Z"))),
		"\"2026-09-20T12:00:00.500000Z\"");
	assert_string_equal(render_one(f, value_time(-1000000)), "\"1969-12-31T23:59:59Z\"");
	assert_string_equal(render_one(f, date), "\"2026-09-20\"");
	assert_string_equal(render_one(f, value_interval(90500000)), "90.5");
	assert_string_equal(render_one(f, value_list(VALUE_INTEGER, elements, 2)), "[1,null]");
	assert_string_equal(render_one(f, value_list(VALUE_INTEGER, NULL, 0)), "[]");
}

static void check_hint(struct fixture *f, const char *as_of, const char *wanted)
{
	f->result.as_of_us = time_of(as_of);
	assert_string_equal(render_hint(&f->metric, &f->result).text, wanted);
}

static void test_hints_for_no_rows(void **state)
{
	struct fixture *f = *state;
	check_hint(f, "2026-09-20T12:00:00Z", "");
	f->result.table.row_count = 0;
	check_hint(f, "2026-09-20T12:00:00Z", "data ends 2026-09-20T11:59:00Z; try as_of=data");
	check_hint(f, "2026-09-20T11:59:00Z", "");
	check_hint(f, "2026-09-18T00:00:00Z", "data begins 2026-09-19T00:00:00Z, after as_of");
	f->metric.uses_as_of = false;
	check_hint(f, "2026-09-20T12:00:00Z", "");
	f->result.stamp = (struct gold_stamp){0};
	check_hint(f, "2026-09-20T12:00:00Z", "no events are stored yet");
	serve_render_data(&f->metric, &f->result, &f->out);
	const struct json_node *root = parse(buf_span(&f->out), &f->arena);
	check_text(root, "meta/hint", "no events are stored yet");
	check_null(root, "meta/lag_seconds");
	check_null(root, "meta/data_from");
	check_null(root, "meta/data_to");
}

static void test_no_limit_is_null(void **state)
{
	struct fixture *f = *state;
	f->result.limit = 0;
	serve_render_data(&f->metric, &f->result, &f->out);
	check_null(parse(buf_span(&f->out), &f->arena), "meta/limit");
}

static void check_csv(
	struct fixture *f, const struct value *values, size_t count, const char *wanted)
{
	static const struct table_column one[] = {{SPAN_LITERAL("x"), VALUE_TEXT}};
	struct table table = {one, 1, values, count, false};
	buf_clear(&f->out);
	render_csv(&table, &f->out);
	assert_string_equal(f->out.data, wanted);
}

static void test_csv_quotes(void **state)
{
	struct fixture *f = *state;
	render_csv(&f->result.table, &f->out);
	assert_string_equal(f->out.data, "repo.name,stars\r\na/b,3\r\n<script>,\r\n");
	const struct value texts[] = {
		value_text(span_of("a,b")),
		value_text(span_of("say \"hi\"")),
		value_text(span_of("two\r\nlines")),
		value_text(span_of("")),
		value_null(VALUE_TEXT),
		value_text(span_of("Zoë")),
	};
	check_csv(f, texts, ARRAY_COUNT(texts),
		"x\r\n\"a,b\"\r\n\"say \"\"hi\"\"\"\r\n\"two\r\nlines\"\r\n\"\"\r\n\r\nZoë\r\n");
}

static void test_csv_defuses_formulas(void **state)
{
	struct fixture *f = *state;
	const struct value texts[] = {
		value_text(span_of("=1+1")),
		value_text(span_of("+cmd|' /C calc'!A0")),
		value_text(span_of("-2+3")),
		value_text(span_of("@SUM(A1)")),
		value_text(span_of("\t=1")),
		value_text(span_of("\r=1")),
		value_text(span_of("=HYPERLINK(\"http://x\",\"y\")")),
		value_text(span_of("-170141183460469231731687303715884105728")),
		value_text(span_of("a=b")),
	};
	check_csv(f, texts, ARRAY_COUNT(texts),
		"x\r\n'=1+1\r\n'+cmd|' /C calc'!A0\r\n'-2+3\r\n'@SUM(A1)\r\n'\t=1\r\n\"'\r=1\"\r\n"
		"\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\r\n"
		"-170141183460469231731687303715884105728\r\na=b\r\n");
}

static void test_csv_of_other_types(void **state)
{
	struct fixture *f = *state;
	const struct value elements[] = {value_text(span_of("a")), value_text(span_of("b"))};
	const struct value values[] = {
		value_integer(-5),
		value_integer(9007199254740993),
		value_real(0.25),
		value_real(NAN),
		value_boolean(true),
		value_time(time_of("2026-09-20T12:00:00Z")),
		value_list(VALUE_TEXT, elements, 2),
	};
	check_csv(f, values, ARRAY_COUNT(values),
		"x\r\n-5\r\n9007199254740993\r\n0.25\r\n\r\ntrue\r\n2026-09-20T12:00:00Z\r\n"
		"\"[\"\"a\"\",\"\"b\"\"]\"\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seed_shape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_visualisation_is_echoed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_data_document, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_front_is_stable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_values_as_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hints_for_no_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_limit_is_null, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_csv_quotes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_csv_defuses_formulas, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_csv_of_other_types, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
