/* SPDX-License-Identifier: Apache-2.0 */
/* duck_result_test.c - values bound, results read, statements described. */
#include "tests/unit/wrap/duck_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024 };

#define DAY_US INT64_C(86400000000)

struct fixture {
	struct duck_database *database;
	struct duck_connection *connection;
	struct arena arena;
};

static int fixture_start(void **state)
{
	static struct fixture fixture;
	const struct duck_options options = {0};
	fixture.database = open_or_fail(&options);
	fixture.connection = connect_or_fail(fixture.database);
	arena_init(&fixture.arena, ARENA_BYTES_MAX);
	*state = &fixture;
	return 0;
}

static int fixture_end(void **state)
{
	struct fixture *fixture = *state;
	arena_finish(&fixture->arena);
	duck_disconnect(&fixture->connection);
	duck_close(&fixture->database);
	return 0;
}

static struct table query_or_fail(struct fixture *fixture, const char *sql,
				  const struct value *values, size_t value_count)
{
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table = {0};
	struct err err = {0};
	if (!duck_query(fixture->connection, sql, values, value_count, &result, &err)
	    || !duck_result_read(result, &fixture->arena, 10000, &table, &err))
		fail_msg("%s: %s", sql, err.text);
	return table;
}

/* The only cell of `expression`. */
static struct value cell_or_fail(struct fixture *fixture, const char *expression)
{
	char sql[1024];
	(void)snprintf(sql, sizeof(sql), "SELECT %s AS x", expression);
	struct table table = query_or_fail(fixture, sql, NULL, 0);
	assert_int_equal(1, table.row_count);
	assert_int_equal(1, table.column_count);
	return *table_value(&table, 0, 0);
}

static void expect_integer(struct fixture *fixture, const char *expression, int64_t expected)
{
	struct value value = cell_or_fail(fixture, expression);
	if (value.type != VALUE_INTEGER || value.integer != expected)
		fail_msg("%s: %s %lld", expression, value_type_name(value.type),
			 (long long)value.integer);
}

static void expect_text(struct fixture *fixture, const char *expression, const char *expected)
{
	struct value value = cell_or_fail(fixture, expression);
	if (value.type != VALUE_TEXT || !span_equal_text(value.text, expected))
		fail_msg("%s: %s %.*s", expression, value_type_name(value.type),
			 value.type == VALUE_TEXT ? (int)value.text.size : 0,
			 value.type == VALUE_TEXT ? value.text.data : "");
}

static void expect_time(struct fixture *fixture, const char *expression, enum value_type type,
			int64_t expected_us)
{
	struct value value = cell_or_fail(fixture, expression);
	if (value.type != type || value.time_us != expected_us)
		fail_msg("%s: %s %lld", expression, value_type_name(value.type),
			 (long long)value.time_us);
}

static void test_reads_integers(void **state)
{
	expect_integer(*state, "(-128)::TINYINT", -128);
	expect_integer(*state, "(-32768)::SMALLINT", -32768);
	expect_integer(*state, "(-2147483648)::INTEGER", INT32_MIN);
	expect_integer(*state, "(-9223372036854775808)::BIGINT", INT64_MIN);
	expect_integer(*state, "255::UTINYINT", 255);
	expect_integer(*state, "65535::USMALLINT", 65535);
	expect_integer(*state, "4294967295::UINTEGER", INT64_C(4294967295));
	expect_integer(*state, "9223372036854775807::UBIGINT", INT64_MAX);
	expect_text(*state, "18446744073709551615::UBIGINT", "18446744073709551615");
	expect_integer(*state, "9223372036854775807::HUGEINT", INT64_MAX);
	expect_integer(*state, "(-9223372036854775808)::HUGEINT", INT64_MIN);
	expect_text(*state, "9223372036854775808::HUGEINT", "9223372036854775808");
	expect_text(*state, "(-9223372036854775809)::HUGEINT", "-9223372036854775809");
	expect_integer(*state, "7::UHUGEINT", 7);
	expect_text(*state, "340282366920938463463374607431768211455::UHUGEINT",
		    "340282366920938463463374607431768211455");
	expect_integer(*state, "(SELECT sum(range) FROM range(10))", 45);
	expect_integer(*state, "(SELECT count(*)::HUGEINT FROM range(10))", 10);
}

static void test_reads_reals_and_booleans(void **state)
{
	struct value value = cell_or_fail(*state, "1.5::FLOAT");
	assert_int_equal(VALUE_REAL, value.type);
	assert_true(value.real == 1.5);
	value = cell_or_fail(*state, "(-0.1)::DOUBLE");
	assert_true(value.type == VALUE_REAL && value.real == -0.1);
	value = cell_or_fail(*state, "'nan'::DOUBLE");
	assert_true(value.type == VALUE_REAL && isnan(value.real));
	static const char *const decimals[] = {
		"(-12.25)::DECIMAL(4,2)",
		"(-12.25)::DECIMAL(9,2)",
		"(-12.25)::DECIMAL(18,2)",
		"(-12.25)::DECIMAL(38,2)",
	};
	for (size_t i = 0; i < ARRAY_COUNT(decimals); i++) {
		value = cell_or_fail(*state, decimals[i]);
		assert_true(value.type == VALUE_REAL && value.real == -12.25);
	}
	value = cell_or_fail(*state, "true");
	assert_true(value.type == VALUE_BOOLEAN && value.boolean);
	value = cell_or_fail(*state, "false");
	assert_true(value.type == VALUE_BOOLEAN && !value.boolean);
}

static void test_reads_times(void **state)
{
	expect_time(*state, "TIMESTAMP '2024-02-29 12:34:56.789012'", VALUE_TIME,
		    INT64_C(1709210096789012));
	expect_time(*state, "TIMESTAMP_S '2024-02-29 12:34:56'", VALUE_TIME,
		    INT64_C(1709210096000000));
	expect_time(*state, "TIMESTAMP_MS '2024-02-29 12:34:56.789'", VALUE_TIME,
		    INT64_C(1709210096789000));
	expect_time(*state, "TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", VALUE_TIME, -1);
	expect_time(*state, "TIMESTAMPTZ '2024-02-29 13:34:56+01'", VALUE_TIME,
		    INT64_C(1709210096000000));
	expect_time(*state, "'2024-02-29 12:34:56'::TIMESTAMPTZ", VALUE_TIME,
		    INT64_C(1709210096000000));
	expect_time(*state, "DATE '1969-12-31'", VALUE_DATE, -DAY_US);
	expect_text(*state, "'infinity'::TIMESTAMP", "infinity");
	expect_text(*state, "'-infinity'::DATE", "-infinity");
	expect_text(*state, "DATE '2000-01-01' + 200000000", "549581-05-27");
	struct value value = cell_or_fail(*state, "INTERVAL '1 month 2 days 3 seconds'");
	assert_int_equal(VALUE_INTERVAL, value.type);
	assert_int_equal(32 * DAY_US + 3000000, value.interval_us);
	value = cell_or_fail(*state, "TIMESTAMP '2024-01-01' - TIMESTAMP '2024-01-02'");
	assert_true(value.type == VALUE_INTERVAL && value.interval_us == -DAY_US);
}

static void test_reads_texts_and_what_has_no_mapping(void **state)
{
	expect_text(*state, "''", "");
	expect_text(*state, "'twelve chars'", "twelve chars");
	expect_text(*state, "'thirteen chars'", "thirteen chars");
	expect_text(*state, "repeat('\xc3\xbc\xf0\x9f\xa6\x86', 3)",
		    "\xc3\xbc\xf0\x9f\xa6\x86\xc3\xbc\xf0\x9f\xa6\x86\xc3\xbc\xf0\x9f\xa6\x86");
	expect_text(*state, "'{\"a\": 1}'::JSON", "{\"a\": 1}");
	expect_text(*state, "'b'::ENUM('a', 'b')", "b");
	expect_text(*state, "UUID '6e1f0b5c-8a3d-4c1e-9f00-0123456789ab'",
		    "6e1f0b5c-8a3d-4c1e-9f00-0123456789ab");
	expect_text(*state, "'a\\x00\\xFFb'::BLOB", "a\\x00\\xFFb");
	expect_text(*state, "'10110'::BIT", "10110");
	expect_text(*state, "TIME '12:34:56.5'", "12:34:56.5");
	expect_text(*state, "TIMETZ '12:34:56+02'", "12:34:56+02");
	expect_text(*state, "{'a': 1, 'b': [NULL, 2.50], 'c': {'d': 'x'::ENUM('x')}}",
		    "{'a': 1, 'b': [NULL, 2.50], 'c': {'d': x}}");
	expect_text(*state, "MAP {'k': 1, 'l': NULL}", "{k=1, l=NULL}");
	expect_text(*state, "array_value(1, 2, 3)", "[1, 2, 3]");
	expect_text(*state, "union_value(n := 7)", "7");
	expect_text(*state, "{'a': 170141183460469231731687303715884105727::HUGEINT, 'b': true,"
			    " 'c': DATE '2024-02-29', 'd': TIMESTAMP '2024-02-29 01:02:03',"
			    " 'e': 1.5::DOUBLE, 'f': INTERVAL 1 DAY, 'g': 3::UTINYINT}",
		    "{'a': 170141183460469231731687303715884105727, 'b': true, 'c': 2024-02-29, "
		    "'d': '2024-02-29 01:02:03', 'e': 1.5, 'f': 1 day, 'g': 3}");
}

static void test_what_cannot_be_read_is_input(void **state)
{
	struct fixture *fixture = *state;
	static const char *const statements[] = {
		"SELECT 12345678901234567890::BIGNUM AS x",
		"SELECT {'a': [1::VARIANT]} AS x",
		"SELECT 'POINT(0 0)'::GEOMETRY AS x",
		"SELECT [[[[[[[[[1]]]]]]]]] AS x",
	};
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		CLEANUP(duck_result_free) struct duck_result *result = NULL;
		struct table table = {0};
		struct err err = {0};
		assert_true(duck_query(fixture->connection, statements[i], NULL, 0, &result, &err));
		assert_false(duck_result_read(result, &fixture->arena, 10, &table, &err));
		assert_int_equal(ERR_INPUT, err.kind);
		assert_non_null(strstr(err.text, "\"x\""));
	}
}

static void test_reads_lists_and_nulls(void **state)
{
	struct value list = cell_or_fail(*state, "['a', NULL, 'a long text of the list']");
	assert_int_equal(VALUE_LIST, list.type);
	assert_int_equal(VALUE_TEXT, list.inner_type);
	assert_int_equal(3, list.list.count);
	assert_int_equal(VALUE_NULL, list.list.elements[1].type);
	assert_true(span_equal_text(list.list.elements[2].text, "a long text of the list"));
	list = cell_or_fail(*state, "[[1, 2], [], [3]]");
	assert_int_equal(VALUE_LIST, list.inner_type);
	assert_int_equal(0, list.list.elements[1].list.count);
	assert_int_equal(3, list.list.elements[2].list.elements[0].integer);
	list = cell_or_fail(*state, "[]::TIMESTAMP[]");
	assert_true(list.type == VALUE_LIST && list.inner_type == VALUE_TIME);
	assert_int_equal(0, list.list.count);
	struct value null = cell_or_fail(*state, "NULL::DATE");
	assert_true(null.type == VALUE_NULL && null.inner_type == VALUE_DATE);
	null = cell_or_fail(*state, "NULL");
	assert_int_equal(VALUE_NULL, null.type);
}

static void test_reads_many_rows_in_order_and_cuts(void **state)
{
	struct fixture *fixture = *state;
	const char *sql = "SELECT range AS a, CASE WHEN range % 3 = 0 THEN NULL ELSE range::VARCHAR "
			  "END AS b FROM range(5000) ORDER BY a";
	struct table table = query_or_fail(fixture, sql, NULL, 0);
	assert_int_equal(5000, table.row_count);
	assert_false(table.truncated);
	assert_int_equal(1, table_find_column(&table, "b"));
	assert_int_equal(VALUE_TEXT, table.columns[1].type);
	for (size_t row = 0; row < table.row_count; row++) {
		assert_int_equal(row, table_value(&table, row, 0)->integer);
		const struct value *text = table_value(&table, row, 1);
		assert_int_equal(row % 3 == 0 ? VALUE_NULL : VALUE_TEXT, text->type);
	}
	static const size_t cuts[] = {0, 1, 2048, 2049, 4999};
	for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
		CLEANUP(duck_result_free) struct duck_result *result = NULL;
		struct err err = {0};
		assert_true(duck_query(fixture->connection, sql, NULL, 0, &result, &err));
		assert_true(duck_result_read(result, &fixture->arena, cuts[i], &table, &err));
		assert_int_equal(cuts[i], table.row_count);
		assert_true(table.truncated);
	}
	table = query_or_fail(fixture, "SELECT 1 AS a, 2 AS b WHERE false", NULL, 0);
	assert_int_equal(0, table.row_count);
	assert_int_equal(2, table.column_count);
}

static void test_arena_bounds_a_result(void **state)
{
	struct fixture *fixture = *state;
	static const char *const statements[] = {
		"SELECT range FROM range(1000)",
		"SELECT repeat('x', 5000)",
		"SELECT list(range) FROM range(1000)",
		"SELECT repeat('x', 5000)::BLOB",
	};
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		CLEANUP(arena_finish) struct arena small = {.size_max = 4000};
		CLEANUP(duck_result_free) struct duck_result *result = NULL;
		struct table table = {0};
		struct err err = {0};
		assert_true(duck_query(fixture->connection, statements[i], NULL, 0, &result, &err));
		assert_false(duck_result_read(result, &small, 1000, &table, &err));
		assert_int_equal(ERR_INPUT, err.kind);
		assert_non_null(strstr(err.text, "result too large"));
	}
}

static void test_binds_every_type(void **state)
{
	struct fixture *fixture = *state;
	const struct value texts[] = {
		value_text((struct span)SPAN_LITERAL("a'b")),
		value_null(VALUE_TEXT),
	};
	const struct value times[] = {value_time(INT64_C(1709210096789012))};
	const struct value numbers[] = {value_integer(3), value_integer(INT64_MIN)};
	const struct value values[] = {
		value_boolean(true),
		value_integer(INT64_MIN),
		value_real(-0.1),
		value_text((struct span)SPAN_LITERAL("\xf0\x9f\xa6\x86 '; DROP TABLE t; --")),
		value_time(INT64_C(1709210096789012)),
		{.type = VALUE_DATE, .time_us = -1},
		value_interval(90000000),
		value_list(VALUE_TEXT, texts, 2),
		value_list(VALUE_TIME, times, 1),
		value_list(VALUE_INTEGER, numbers, 2),
		value_list(VALUE_REAL, NULL, 0),
		value_null(VALUE_TIME),
		value_null(VALUE_NULL),
		value_text((struct span)SPAN_LITERAL("")),
	};
	static const char *const types[] = {
		"BOOLEAN",   "BIGINT",	  "DOUBLE",	 "VARCHAR",  "TIMESTAMP",
		"DATE",	     "INTERVAL",  "VARCHAR[]",	 "TIMESTAMP[]", "BIGINT[]",
		"DOUBLE[]",  "TIMESTAMP", "\"NULL\"",	 "VARCHAR",
	};
	assert_int_equal(ARRAY_COUNT(values), ARRAY_COUNT(types));
	struct table table = query_or_fail(
		fixture, "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14", values,
		ARRAY_COUNT(values));
	const struct value *row = table.values;
	assert_true(row[0].type == VALUE_BOOLEAN && row[0].boolean);
	assert_int_equal(INT64_MIN, row[1].integer);
	assert_true(row[2].real == -0.1);
	assert_true(span_equal(values[3].text, row[3].text));
	assert_true(row[4].type == VALUE_TIME && row[4].time_us == values[4].time_us);
	assert_true(row[5].type == VALUE_DATE && row[5].time_us == -DAY_US);
	assert_true(row[6].type == VALUE_INTERVAL && row[6].interval_us == 90000000);
	assert_true(span_equal_text(row[7].list.elements[0].text, "a'b"));
	assert_int_equal(VALUE_NULL, row[7].list.elements[1].type);
	assert_int_equal(times[0].time_us, row[8].list.elements[0].time_us);
	assert_int_equal(INT64_MIN, row[9].list.elements[1].integer);
	assert_true(row[10].type == VALUE_LIST && row[10].list.count == 0);
	assert_true(row[11].type == VALUE_NULL && row[11].inner_type == VALUE_TIME);
	assert_int_equal(VALUE_NULL, row[12].type);
	assert_true(row[13].type == VALUE_TEXT && row[13].text.size == 0);
	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		table = query_or_fail(fixture, "SELECT typeof($1)", &values[i], 1);
		if (!span_equal_text(table.values[0].text, types[i]))
			fail_msg("%.*s, not %s", SPAN_ARGUMENTS(table.values[0].text), types[i]);
	}
}

static void test_refuses_bad_values(void **state)
{
	struct fixture *fixture = *state;
	const struct value bad_text = value_text((struct span)SPAN_LITERAL("a\xff"));
	const struct value bad_word = value_text((struct span)SPAN_LITERAL("word"));
	struct value *many = calloc(DUCK_LIST_COUNT_MAX + 1, sizeof(*many));
	assert_non_null(many);
	for (size_t i = 0; i <= DUCK_LIST_COUNT_MAX; i++)
		many[i] = value_integer((int64_t)i);
	const struct value longest = value_list(VALUE_INTEGER, many, DUCK_LIST_COUNT_MAX);
	struct table table = query_or_fail(fixture, "SELECT list_sum($1)::BIGINT", &longest, 1);
	assert_int_equal(INT64_C(65536) * 65535 / 2, table.values[0].integer);
	const struct value wrong[] = {
		bad_text,
		value_list(VALUE_TEXT, &bad_text, 1),
		value_list(VALUE_INTEGER, &bad_word, 1),
		value_list(VALUE_INTEGER, many, DUCK_LIST_COUNT_MAX + 1),
	};
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct err err = {0};
		assert_false(duck_query(fixture->connection, "SELECT $1", &wrong[i], 1, NULL, &err));
		assert_int_equal(ERR_INPUT, err.kind);
	}
	free(many);
	const struct value two[] = {value_integer(1), value_integer(2)};
	static const char *const statements[] = {"SELECT 1", "SELECT $1", "SELECT $1, $3",
						 "SELECT $1, $2, $3"};
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		struct err err = {0};
		if (duck_query(fixture->connection, statements[i], two, 2, NULL, &err))
			fail_msg("accepted: %s", statements[i]);
		assert_int_equal(ERR_INPUT, err.kind);
		if (strcmp(statements[i], "SELECT $1, $3") != 0)
			assert_non_null(strstr(err.text, "parameters, 2 values are given"));
	}
}

static void test_counts_changed_rows(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *sql;
		int64_t changed;
	} cases[] = {
		{"CREATE OR REPLACE TABLE t (a BIGINT)", 0},
		{"INSERT INTO t SELECT * FROM range(5)", 5},
		{"UPDATE t SET a = a + 1 WHERE a > 2", 2},
		{"DELETE FROM t WHERE a = 0", 1},
		{"DELETE FROM t WHERE a = 77", 0},
		{"SELECT * FROM t", 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		CLEANUP(duck_result_free) struct duck_result *result = NULL;
		struct err err = {0};
		assert_true(duck_query(fixture->connection, cases[i].sql, NULL, 0, &result, &err));
		if (duck_result_changed(result) != cases[i].changed)
			fail_msg("%s: %lld", cases[i].sql,
				 (long long)duck_result_changed(result));
	}
}

static void test_queries_an_integer(void **state)
{
	struct fixture *fixture = *state;
	const struct value value = value_integer(20);
	int64_t integer = 0;
	struct err err = {0};
	assert_true(duck_query_integer(fixture->connection, "SELECT sum(range) FROM range($1)",
				       &value, 1, -1, &integer, &err));
	assert_int_equal(190, integer);
	assert_int_equal(-1, integer_or_fail(fixture->connection, "SELECT NULL::BIGINT"));
	assert_int_equal(-1, integer_or_fail(fixture->connection, "SELECT 1 WHERE false"));
	integer = 5;
	assert_false(duck_query_integer(fixture->connection, "SELECT 'x'", NULL, 0, -1, &integer,
					&err));
	assert_int_equal(ERR_INPUT, err.kind);
	assert_int_equal(5, integer);
}

static void test_describes(void **state)
{
	struct fixture *fixture = *state;
	run_or_fail(fixture->connection, "CREATE OR REPLACE TABLE d (a BIGINT, b DECIMAL(9,2))");
	static const char sql[] = "SELECT a, b, date_trunc('hour', $1) AS hour, [a] AS l,"
				  " error('not run') AS e FROM d LIMIT $2; -- comment";
	const struct value values[] = {value_null(VALUE_TIME)};
	struct table table = {0};
	size_t parameter_count = 0;
	struct err err = {0};
	if (!duck_describe(fixture->connection, sql, values, 1, &fixture->arena, &table,
			   &parameter_count, &err))
		fail_msg("%s", err.text);
	assert_int_equal(2, parameter_count);
	assert_int_equal(2, table.column_count);
	assert_int_equal(1, table_find_column(&table, "type"));
	static const char *const expected[][2] = {{"a", "BIGINT"},
						  {"b", "DECIMAL(9,2)"},
						  {"hour", "TIMESTAMP"},
						  {"l", "BIGINT[]"},
						  {"e", "INTEGER"}};
	assert_int_equal(ARRAY_COUNT(expected), table.row_count);
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
		for (size_t j = 0; j < 2; j++)
			if (!span_equal_text(table_value(&table, i, j)->text, expected[i][j]))
				fail_msg("%.*s, not %s",
					 SPAN_ARGUMENTS(table_value(&table, i, j)->text),
					 expected[i][j]);
}

static void test_describes_nothing_but_one_select(void **state)
{
	struct fixture *fixture = *state;
	run_or_fail(fixture->connection, "CREATE OR REPLACE TABLE d (a BIGINT, b DECIMAL(9,2))");
	static const char *const refused[] = {
		"",
		"d",
		"SELECT",
		"SELECT nothing FROM d",
		"SELECT 1; SELECT 2",
		"INSERT INTO d VALUES (1, 2)",
		"DROP TABLE d",
		"CREATE TABLE e AS SELECT 1",
		"COPY d TO 'd.csv'",
		"EXPLAIN SELECT 1",
		"SELECT $1",
	};
	const struct value values[] = {value_integer(1), value_integer(2)};
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct table table = {0};
		size_t parameter_count = 77;
		struct err err = {0};
		if (duck_describe(fixture->connection, refused[i], values, 2, &fixture->arena,
				  &table, &parameter_count, &err))
			fail_msg("described: %s", refused[i]);
		assert_int_equal(ERR_INPUT, err.kind);
		assert_int_equal(77, parameter_count);
	}
	assert_int_equal(0, integer_or_fail(fixture->connection, "SELECT count(*) FROM d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_integers),
		cmocka_unit_test(test_reads_reals_and_booleans),
		cmocka_unit_test(test_reads_times),
		cmocka_unit_test(test_reads_texts_and_what_has_no_mapping),
		cmocka_unit_test(test_what_cannot_be_read_is_input),
		cmocka_unit_test(test_reads_lists_and_nulls),
		cmocka_unit_test(test_reads_many_rows_in_order_and_cuts),
		cmocka_unit_test(test_arena_bounds_a_result),
		cmocka_unit_test(test_binds_every_type),
		cmocka_unit_test(test_refuses_bad_values),
		cmocka_unit_test(test_counts_changed_rows),
		cmocka_unit_test(test_queries_an_integer),
		cmocka_unit_test(test_describes),
		cmocka_unit_test(test_describes_nothing_but_one_select),
	};
	return cmocka_run_group_tests(tests, fixture_start, fixture_end);
}
