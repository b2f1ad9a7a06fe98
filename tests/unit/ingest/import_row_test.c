/* SPDX-License-Identifier: Apache-2.0 */
/* Columns with dotted names become the event that they came from, and nothing that they do not say. */
#include "tests/support/check.h"

#include "ingest/import_private.h"

#include <math.h>
#include <stdio.h>

struct cell {
	const char *name;
	struct value value;
	bool is_json;
};

enum { CELLS_MAX = 12 };

#define TEXT(text) value_text(span_of(text))
#define INTEGER(number) value_integer(number)
#define REAL(number) value_real(number)
#define TIME(us) value_time(us)
#define NOTHING value_null(VALUE_NULL)

static void assert_renders(const struct cell *cells, const char *type, const char *expected)
{
	struct table_column columns[CELLS_MAX];
	struct value row[CELLS_MAX];
	bool is_json[CELLS_MAX];
	size_t count = 0;
	for (; cells[count].name; count++) {
		columns[count] = (struct table_column){span_of(cells[count].name), VALUE_TEXT};
		row[count] = cells[count].value;
		is_json[count] = cells[count].is_json;
	}
	CLEANUP(import_columns_finish) struct import_columns plan;
	CLEANUP(buf_finish) struct buf json = {.size_max = 4096};
	import_columns_init(&plan, columns, is_json, count, span_of(type));
	import_row_render(&plan, row, &json);
	assert_string_equal(json.data, expected);
}

static void dots_are_objects(void **state)
{
	(void)state;
	const struct cell seed[] = {
		{"id", TEXT("12"), false},
		{"type", TEXT("PullRequestEvent"), false},
		{"created_at", TIME(1714565000000000), false},
		{"repo.name", TEXT("o/r"), false},
		{"payload.pull_request.state", TEXT("open"), false},
		{"payload.action", TEXT("opened"), false},
		{"payload.pull_request.number", REAL(7.0), false},
		{"actor.login", TEXT("a\"b<é"), false},
		{.name = NULL},
	};
	assert_renders(seed, NULL,
		"{\"actor\":{\"login\":\"a\\\"b\\u003cé\"},\"created_at\":\"2024-05-01T12:03:20Z\",\"id\":\"12\","
		"\"payload\":{\"action\":\"opened\",\"pull_request\":{\"number\":7,\"state\":\"open\"}},"
		"\"repo\":{\"name\":\"o/r\"},\"type\":\"PullRequestEvent\"}");
}

static void what_is_not_said_is_not_there(void **state)
{
	(void)state;
	const struct cell cells[] = {
		{"id", INTEGER(12), false},
		{"payload.pull_request.merged", NOTHING, false},
		{"payload.pull_request.number", REAL(NAN), false},
		{"a.b.c", NOTHING, false},
		{.name = NULL},
	};
	assert_renders(cells, NULL, "{\"id\":\"12\"}");
	/* The type that the table is named after, where the row has none. */
	assert_renders(cells, "WatchEvent", "{\"id\":\"12\",\"type\":\"WatchEvent\"}");
}

static void values_keep_their_kind(void **state)
{
	(void)state;
	const struct cell cells[] = {
		{"b", value_boolean(true), false},
		{"d", (struct value){.type = VALUE_DATE, .time_us = 86400000000}, false},
		{"id", REAL(40000000000.0), false},
		{"i", INTEGER(INT64_MIN), false},
		{"j", TEXT("{\"x\":[1,null]}"), true},
		{"r", REAL(0.1), false},
		{"s", TEXT("{\"x\":1}"), false},
		{.name = NULL},
	};
	assert_renders(cells, NULL,
		"{\"b\":true,\"d\":\"1970-01-02T00:00:00Z\",\"i\":-9223372036854775808,\"id\":\"40000000000\","
		"\"j\":{\"x\":[1,null]},\"r\":0.1,\"s\":\"{\\\"x\\\":1}\"}");
}

static void times_without_a_zone_are_utc(void **state)
{
	(void)state;
	const struct cell bare[] = {{"created_at", TEXT("2024-05-01 12:03:20"), false}, {.name = NULL}};
	const struct cell zoned[] = {{"created_at", TEXT("2024-05-01T12:03:20+02:00"), false}, {.name = NULL}};
	const struct cell wrong[] = {{"created_at", TEXT("yesterday"), false}, {.name = NULL}};
	assert_renders(bare, NULL, "{\"created_at\":\"2024-05-01 12:03:20Z\"}");
	assert_renders(zoned, NULL, "{\"created_at\":\"2024-05-01T12:03:20+02:00\"}");
	assert_renders(wrong, NULL, "{\"created_at\":\"yesterday\"}");
}

static void what_finds_no_place_keeps_its_name(void **state)
{
	(void)state;
	const struct cell cells[] = {
		{"payload", TEXT("{\"action\":\"started\"}"), true},
		{"payload.action", TEXT("started"), false},
		{"payload.x.y", INTEGER(1), false},
		{"payload-x", INTEGER(2), false},
		{"repo", NOTHING, false},
		{"repo.name", TEXT("o/r"), false},
		{"..", INTEGER(3), false},
		{"a.", INTEGER(4), false},
		{.name = NULL},
	};
	assert_renders(cells, NULL,
		"{\"payload\":{\"action\":\"started\"},\"payload-x\":2,"
		"\"repo\":{\"name\":\"o/r\"},\"..\":3,\"a.\":4,\"payload.action\":\"started\",\"payload.x.y\":1}");
}

static void names_of_any_depth_are_bounded(void **state)
{
	(void)state;
	char name[2 * 64] = "";
	char expected[256];
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		name[i] = 'a', name[i + 1] = '.';
	name[sizeof(name) - 2] = 'a';
	const struct cell cells[] = {{name, INTEGER(1), false}, {.name = NULL}};
	(void)snprintf(expected, sizeof(expected), "{\"%s\":1}", name);
	assert_renders(cells, NULL, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_objects),
		cmocka_unit_test(what_is_not_said_is_not_there),
		cmocka_unit_test(values_keep_their_kind),
		cmocka_unit_test(times_without_a_zone_are_utc),
		cmocka_unit_test(what_finds_no_place_keeps_its_name),
		cmocka_unit_test(names_of_any_depth_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
