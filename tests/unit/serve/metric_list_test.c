/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_support.h"

#include "serve/metric_list.h"

static const struct span enum_values[] = {SPAN_LITERAL("1m"), SPAN_LITERAL("1h")};

static const struct metric_parameter parameters[] = {
	{.name = SPAN_LITERAL("offset"),
		.type = PARAMETER_INTEGER,
		.label = SPAN_LITERAL("Minutes"),
		.description = SPAN_LITERAL("Minutes to look back"),
		.unit = SPAN_LITERAL("minutes"),
		.default_text = SPAN_LITERAL("60"),
		.minimum = SPAN_LITERAL("1"),
		.maximum = SPAN_LITERAL("43200")},
	{.name = SPAN_LITERAL("share"),
		.type = PARAMETER_NUMBER,
		.default_text = SPAN_LITERAL("0.5"),
		.step = SPAN_LITERAL("0.1")},
	{.name = SPAN_LITERAL("bots"),
		.type = PARAMETER_BOOLEAN,
		.default_text = SPAN_LITERAL("false")},
	{.name = SPAN_LITERAL("bucket"),
		.type = PARAMETER_ENUM,
		.default_text = SPAN_LITERAL("1m"),
		.values = enum_values,
		.value_count = ARRAY_COUNT(enum_values)},
	{.name = SPAN_LITERAL("types"),
		.type = PARAMETER_ENUM,
		.multiple = true,
		.default_text = SPAN_LITERAL("A,B"),
		.values_from = SPAN_LITERAL("event_types")},
	{.name = SPAN_LITERAL("repo"), .type = PARAMETER_REPO, .required = true},
};

static const struct metric_column columns[] = {
	{.name = SPAN_LITERAL("event_type"), .type = VALUE_TEXT, .decimals = -1},
	{.name = SPAN_LITERAL("secret"), .type = VALUE_INTEGER, .decimals = -1, .hidden = true},
	{.name = SPAN_LITERAL("count"),
		.type = VALUE_INTEGER,
		.unit = SPAN_LITERAL("events"),
		.label = SPAN_LITERAL("Events"),
		.decimals = 0,
		.link = SPAN_LITERAL("/repo/{value}")},
	{.name = SPAN_LITERAL("rate"), .type = VALUE_REAL, .decimals = 2},
};

static struct metric sample(void)
{
	return (struct metric){
		.id = span_of("event_count_offset"),
		.name = span_of("Event Counts"),
		.group = span_of("Activity"),
		.version = 2,
		.built_in = true,
		.file = span_of("/home/someone/metrics.yaml"),
		.chart = {.kind = CHART_BAR,
			.x = span_of("event_type"),
			.y = {span_of("count")},
			.y_count = 1,
			.horizontal = true,
			.has_y_min = true,
			.y_min = 0},
		.parameters = parameters,
		.parameter_count = ARRAY_COUNT(parameters),
		.columns = columns,
		.column_count = ARRAY_COUNT(columns),
		.sql = span_of("SELECT '<x>' AS y"),
		.limit_default = 100,
		.limit_max = 10000,
		.refresh_ms = 15000,
		.cache_ms = 10000,
		.timeout_ms = 5000,
	};
}

struct fixture {
	struct arena arena;
	struct buf out;
};

static int set_up(void **state)
{
	static struct fixture f;
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

static const struct json_node *render(struct fixture *f, const struct metric *metric)
{
	struct json_writer json;
	json_writer_init(&json, &f->out);
	metric_render(metric, &json);
	return parse(buf_span(&f->out), &f->arena);
}

static void test_parameters_are_typed(void **state)
{
	struct metric metric = sample();
	const struct json_node *root = render(*state, &metric);
	check_text(root, "parameters/0/name", "offset");
	check_text(root, "parameters/0/type", "integer");
	check_text(root, "parameters/0/label", "Minutes");
	check_text(root, "parameters/0/unit", "minutes");
	check_integer(root, "parameters/0/default", 60);
	check_integer(root, "parameters/0/min", 1);
	check_integer(root, "parameters/0/max", 43200);
	check_null(root, "parameters/0/step");
	check_null(root, "parameters/0/values");
	assert_true(at(root, "parameters/1/default")->real == 0.5);
	assert_true(at(root, "parameters/1/step")->real == 0.1);
	check_text(root, "parameters/1/label", "share");
	check_null(root, "parameters/1/description");
	check_boolean(root, "parameters/2/default", false);
	check_text(root, "parameters/3/default", "1m");
	check_text(root, "parameters/3/values/1", "1h");
	check_null(root, "parameters/3/values_from");
	check_boolean(root, "parameters/4/multiple", true);
	check_text(root, "parameters/4/default/0", "A");
	check_text(root, "parameters/4/default/1", "B");
	check_text(root, "parameters/4/values_from", "event_types");
	check_boolean(root, "parameters/5/required", true);
	check_null(root, "parameters/5/default");
}

static void test_definition(void **state)
{
	struct metric metric = sample();
	const struct json_node *root = render(*state, &metric);
	check_text(root, "id", "event_count_offset");
	check_text(root, "group", "Activity");
	check_null(root, "description");
	check_null(root, "visualisation");
	check_integer(root, "version", 2);
	check_boolean(root, "built_in", true);
	check_boolean(root, "hidden", false);
	check_text(root, "columns/2/name", "count");
	check_text(root, "columns/2/type", "integer");
	check_text(root, "columns/2/label", "Events");
	check_integer(root, "columns/2/decimals", 0);
	check_text(root, "columns/2/link", "/repo/{value}");
	check_null(root, "columns/0/decimals");
	check_boolean(root, "columns/1/hidden", true);
	check_text(root, "chart/kind", "bar");
	check_text(root, "chart/x", "event_type");
	check_text(root, "chart/y/0", "count");
	check_null(root, "chart/series");
	check_null(root, "chart/max_series");
	check_text(root, "chart/orient", "horizontal");
	assert_true(at(root, "chart/y_min")->real == 0);
	check_null(root, "chart/y_max");
	check_integer(root, "limit/default", 100);
	check_integer(root, "limit/max", 10000);
	check_integer(root, "refresh_ms", 15000);
	check_integer(root, "cache_ms", 10000);
	check_integer(root, "timeout_ms", 5000);
	check_text(root, "sql", "SELECT '<x>' AS y");
	check_text(root, "data_url", "/api/v1/metrics/event_count_offset/data");
	check_lacks(buf_span(&((struct fixture *)*state)->out), "/home/someone");
}

static void test_chart_comes_from_visualisation(void **state)
{
	struct metric metric = sample();
	metric.chart = (struct metric_chart){0};
	metric.visualisation = span_of("line");
	const struct json_node *root = render(*state, &metric);
	check_text(root, "chart/kind", "line");
	check_text(root, "chart/x", "event_type");
	assert_int_equal(at(root, "chart/y")->count, 2);
	check_text(root, "chart/y/0", "count");
	check_text(root, "chart/y/1", "rate");
	check_text(root, "visualisation", "line");
}

static void test_other_visualisations_are_tables(void **state)
{
	struct metric metric = sample();
	metric.chart = (struct metric_chart){0};
	metric.visualisation = span_of("pie");
	const struct json_node *root = render(*state, &metric);
	check_text(root, "chart/kind", "table");
	check_text(root, "visualisation", "pie");
}

static void test_ids_of_version_1_are_encoded(void **state)
{
	struct metric metric = sample();
	metric.id = span_of("a?b#c");
	check_text(render(*state, &metric), "data_url", "/api/v1/metrics/a%3Fb%23c/data");
}

static void test_list_has_problems_without_folders(void **state)
{
	struct fixture *f = *state;
	struct metric metrics[] = {sample(), sample()};
	const struct metric_problem problems[] = {
		{.file = span_of("/home/someone/m.yaml"),
			.line = 3,
			.column = 7,
			.text = span_of(
				"the id \"x\" stands in /home/someone/other.yaml:9 already")},
		{.file = span_of("built-in"),
			.line = 1,
			.column = 1,
			.warning = true,
			.text = span_of("w")},
	};
	const struct metric_catalogue catalogue = {metrics, 2, problems, 2, 12};
	metrics[1].id = span_of("second");
	metric_list_render(&catalogue, &f->out);
	const struct json_node *root = parse(buf_span(&f->out), &f->arena);
	assert_int_equal(at(root, "metrics")->count, 2);
	check_text(root, "metrics/1/id", "second");
	check_text(root, "problems/0/file", "m.yaml");
	check_integer(root, "problems/0/line", 3);
	check_integer(root, "problems/0/column", 7);
	check_boolean(root, "problems/0/warning", false);
	check_text(root, "problems/0/text", "the id \"x\" stands in other.yaml:9 already");
	check_boolean(root, "problems/1/warning", true);
	check_integer(root, "revision", 12);
	check_lacks(buf_span(&f->out), "someone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parameters_are_typed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_definition, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_chart_comes_from_visualisation, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_other_visualisations_are_tables, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_ids_of_version_1_are_encoded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_list_has_problems_without_folders, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
