/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/table.h"

static void values_carry_type_and_content(void **state)
{
	(void)state;
	struct value value = value_boolean(true);
	assert_true(value.type == VALUE_BOOLEAN && value.boolean);
	value = value_integer(INT64_MIN);
	assert_true(value.type == VALUE_INTEGER && value.integer == INT64_MIN);
	value = value_real(0.5);
	assert_true(value.type == VALUE_REAL && value.real == 0.5);
	value = value_time(5);
	assert_true(value.type == VALUE_TIME && value.time_us == 5);
	value = value_interval(-6);
	assert_true(value.type == VALUE_INTERVAL && value.interval_us == -6);
	value = value_text(span_of("x"));
	assert_true(value.type == VALUE_TEXT && span_equal_text(value.text, "x"));
	value = value_text(span_of(""));
	assert_int_equal(value.type, VALUE_TEXT);
	value = value_null(VALUE_TIME);
	assert_true(value.type == VALUE_NULL && value.inner_type == VALUE_TIME);
	/* An absent text is a NULL that still is a text to the engine. */
	value = value_text((struct span){0});
	assert_true(value.type == VALUE_NULL && value.inner_type == VALUE_TEXT);
	struct value elements[] = {value_integer(1), value_integer(2)};
	value = value_list(VALUE_INTEGER, elements, 2);
	assert_true(value.type == VALUE_LIST && value.inner_type == VALUE_INTEGER);
	assert_ptr_equal(value.list.elements, elements);
	assert_int_equal(value.list.count, 2);
}

static void types_have_the_names_of_the_api(void **state)
{
	(void)state;
	static const char *const names[] = {"null", "boolean", "integer", "number", "string",
		"timestamp", "date", "interval", "list"};
	assert_int_equal(ARRAY_COUNT(names), VALUE_LIST + 1);
	for (int type = VALUE_NULL; type <= VALUE_LIST; type++)
		assert_string_equal(value_type_name((enum value_type)type), names[type]);
}

static void cells_are_found_by_row_and_column(void **state)
{
	(void)state;
	const struct table_column columns[] = {
		{SPAN_LITERAL("repo.name"), VALUE_TEXT}, {SPAN_LITERAL("stars"), VALUE_INTEGER}};
	const struct value values[] = {value_text(span_of("a/b")), value_integer(3),
		value_text(span_of("c/d")), value_integer(4)};
	const struct table table = {columns, 2, values, 2, false};
	assert_true(span_equal_text(table_value(&table, 0, 0)->text, "a/b"));
	assert_int_equal(table_value(&table, 0, 1)->integer, 3);
	assert_true(span_equal_text(table_value(&table, 1, 0)->text, "c/d"));
	assert_int_equal(table_value(&table, 1, 1)->integer, 4);
	assert_int_equal(table_find_column(&table, "repo.name"), 0);
	assert_int_equal(table_find_column(&table, "stars"), 1);
	assert_int_equal(table_find_column(&table, "Stars"), 2);
	assert_int_equal(table_find_column(&(struct table){0}, "stars"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_carry_type_and_content),
		cmocka_unit_test(types_have_the_names_of_the_api),
		cmocka_unit_test(cells_are_found_by_row_and_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
