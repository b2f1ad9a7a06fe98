/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "lake/silver_file.h"

#include <string.h>

static struct field_set *fields_or_fail(const char *yaml)
{
	struct err err = {0};
	struct field_set *fields = NULL;
	if (!field_set_create(span_of(yaml), "events.yaml", &fields, &err))
		fail_msg("%s", err.text);
	return fields;
}

static void columns_are_the_common_ones_and_then_the_fields(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy) struct field_set *fields = fields_or_fail(
		"version: 2\nfields:\n  PushEvent:\n    - {path: payload.size, type: integer}\n    - payload.head\n");
	assert_int_equal(silver_column_count(fields), EVENT_COLUMN_COUNT + 2);
	assert_string_equal(silver_column_at(fields, 0).name, "id");
	assert_string_equal(silver_column_at(fields, EVENT_COLUMN_COUNT - 1).name, "batch");
	assert_string_equal(silver_column_at(fields, EVENT_COLUMN_COUNT).name, "payload.head");
	assert_int_equal(silver_column_at(fields, EVENT_COLUMN_COUNT + 1).type, VALUE_INTEGER);
	assert_string_equal(silver_sql_type(VALUE_REAL), "DOUBLE");
}

static void names_and_paths_are_quoted(void **state)
{
	(void)state;
	struct err err = {0};
	CLEANUP(field_set_destroy) struct field_set *fields = fields_or_fail("version: 2\n");
	CLEANUP(buf_finish) struct buf sql = {.size_max = 1 << 20};
	struct layout layout = {.root = {"/lake's \"data\""}};
	struct lake_file files[2] = {
		{.path = {"silver/_live/000000000001.parquet"}}, {.path = {"silver/_live/000000000002.parquet"}}};
	silver_append_name(&sql, span_of("a\"b.c"));
	assert_string_equal(sql.data, "\"a\"\"b.c\"");
	for (size_t i = 0; i < 2; i++)
		memcpy(files[i].fingerprint, fields->fingerprint, sizeof(files[i].fingerprint));
	buf_clear(&sql);
	assert_true(silver_append_relation(&sql, &layout, fields, files, 2, &err));
	assert_non_null(strstr(sql.data, "read_parquet(['/lake''s \"data\"/silver/_live/000000000001.parquet',"
					 "'/lake''s \"data\"/silver/_live/000000000002.parquet']"));
	assert_null(strstr(sql.data, "TRY_CAST"));
	/* One file of another field set, and all are read by name. */
	files[1].fingerprint[0] = (char)(files[1].fingerprint[0] ^ 1);
	buf_clear(&sql);
	assert_true(silver_append_relation(&sql, &layout, fields, files, 2, &err));
	assert_non_null(strstr(sql.data, "TRY_CAST(\"id\" AS BIGINT) AS \"id\""));
	assert_non_null(strstr(sql.data, "union_by_name=true"));
	/* What cannot be SQL is refused, not cut. */
	layout.root.text[1] = (char)0xff;
	buf_clear(&sql);
	assert_false(silver_append_relation(&sql, &layout, fields, files, 2, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_the_common_ones_and_then_the_fields),
		cmocka_unit_test(names_and_paths_are_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
