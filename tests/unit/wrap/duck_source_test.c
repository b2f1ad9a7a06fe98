/* SPDX-License-Identifier: Apache-2.0 */
/* duck_source_test.c - rows from C through octolake_source: into tables, files and queries. */
#include "tests/unit/wrap/duck_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROW_COUNT = 20000 };

enum { COLUMN_ID, COLUMN_NAME, COLUMN_SCORE, COLUMN_IS_BOT, COLUMN_CREATED_AT, COLUMN_COUNT };

static const struct duck_column columns[COLUMN_COUNT] = {
	{"id", VALUE_INTEGER},	 {"name", VALUE_TEXT},	     {"score", VALUE_REAL},
	{"is_bot", VALUE_BOOLEAN}, {"created_at", VALUE_TIME},
};

/* Yields rows that row_name and the like compute again, and fails where it is told to. */
struct maker {
	int64_t row_count;
	int64_t next;
	int64_t bad_text_row;	 /* -1: none */
	enum err_kind fail_kind; /* after the last row; ERR_NONE: a regular end */
	int64_t endless;	 /* 1: never ends */
	bool wanted[COLUMN_COUNT];
	int calls_after_end;
	bool ended;
};

static bool row_has_name(int64_t row)
{
	return row % 7 != 0;
}

static struct span row_name(int64_t row, char *text, size_t size)
{
	static const char *const words[] = {"", "ascii", "\xc3\xbcml\xc3\xa4ut",
					    "\xf0\x9f\xa6\x86 is a duck", "a\tb\"c'd\\e\n"};
	int length = snprintf(text, size, "%s%lld%s", words[row % 5], (long long)row,
			      row % 3 == 0 ? " with a tail of more than twelve bytes" : "");
	return span_make(text, (size_t)length);
}

static bool maker_fill(void *context, struct duck_chunk *chunk, size_t row_count_max,
		       size_t *row_count_out, struct err *err)
{
	struct maker *maker = context;
	maker->calls_after_end += maker->ended;
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		maker->wanted[i] = duck_chunk_wants(chunk, i);
	size_t count = 0;
	/* Batches of uneven sizes, as real ones are. */
	size_t batch = maker->next % 2 == 0 ? row_count_max : 100;
	for (; count < batch && (maker->endless || maker->next < maker->row_count); count++) {
		int64_t row = maker->next++;
		char text[128];
		duck_fill_integer(chunk, COLUMN_ID, count, row);
		if (row == maker->bad_text_row)
			duck_fill_text(chunk, COLUMN_NAME, count, span_of("not \xff UTF-8, and long"));
		else if (row_has_name(row))
			duck_fill_text(chunk, COLUMN_NAME, count, row_name(row, text, sizeof(text)));
		if (row % 2 == 0)
			duck_fill_real(chunk, COLUMN_SCORE, count, (double)row / 4);
		duck_fill_boolean(chunk, COLUMN_IS_BOT, count, row % 3 == 0);
		if (row % 11 == 0)
			duck_fill_null(chunk, COLUMN_IS_BOT, count);
		duck_fill_time(chunk, COLUMN_CREATED_AT, count, row * 1000000);
	}
	if (count == 0) {
		maker->ended = true;
		if (maker->fail_kind != ERR_NONE)
			return err_set(err, maker->fail_kind, "the source broke at %lld",
				       (long long)maker->next);
	}
	*row_count_out = count;
	return true;
}

static struct maker maker_of(int64_t row_count)
{
	return (struct maker){.row_count = row_count, .bad_text_row = -1};
}

static struct duck_source source_of(struct maker *maker)
{
	return (struct duck_source){columns, COLUMN_COUNT, maker_fill, maker};
}

static struct duck_database *database;
static struct duck_connection *connection;
static struct check_path folder;

static int start(void **state)
{
	(void)state;
	folder = temporary_folder_create();
	const struct duck_options options = {.allowed_folder = folder.text, .threads = 2};
	database = open_or_fail(&options);
	connection = connect_or_fail(database);
	return 0;
}

static int end(void **state)
{
	(void)state;
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
	return 0;
}

/* Runs `sql` over the maker's rows; gives the rows changed. */
static int64_t run_source_or_fail(struct maker *maker, const char *sql, const struct value *values,
				  size_t value_count)
{
	const struct duck_source source = source_of(maker);
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct err err = {0};
	if (!duck_query_source(connection, sql, &source, values, value_count, &result, &err))
		fail_msg("%s: %s", sql, err.text);
	assert_int_equal(0, maker->calls_after_end);
	return duck_result_changed(result);
}

/* All ROW_COUNT rows that `sql` selects, in order, are those that a maker yields. */
static void expect_rows(const char *sql)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table = {0};
	struct err err = {0};
	if (!duck_query(connection, sql, NULL, 0, &result, &err)
	    || !duck_result_read(result, &arena, ROW_COUNT + 1, &table, &err))
		fail_msg("%s: %s", sql, err.text);
	assert_int_equal(ROW_COUNT, table.row_count);
	for (int64_t row = 0; row < ROW_COUNT; row++) {
		const struct value *cells = table_value(&table, (size_t)row, 0);
		char text[128];
		assert_int_equal(row, cells[COLUMN_ID].integer);
		assert_int_equal(row_has_name(row) ? VALUE_TEXT : VALUE_NULL, cells[COLUMN_NAME].type);
		if (row_has_name(row)
		    && !span_equal(cells[COLUMN_NAME].text, row_name(row, text, sizeof(text))))
			fail_msg("row %lld: %.*s", (long long)row,
				 SPAN_ARGUMENTS(cells[COLUMN_NAME].text));
		assert_int_equal(row % 2 == 0 ? VALUE_REAL : VALUE_NULL, cells[COLUMN_SCORE].type);
		if (row % 2 == 0)
			assert_true(cells[COLUMN_SCORE].real == (double)row / 4);
		assert_int_equal(row % 11 == 0 ? VALUE_NULL : VALUE_BOOLEAN,
				 cells[COLUMN_IS_BOT].type);
		if (row % 11 != 0)
			assert_int_equal(row % 3 == 0, cells[COLUMN_IS_BOT].boolean);
		assert_int_equal(row * 1000000, cells[COLUMN_CREATED_AT].time_us);
	}
}

static void test_fills_a_table(void **state)
{
	(void)state;
	struct maker maker = maker_of(ROW_COUNT);
	run_source_or_fail(&maker, "CREATE OR REPLACE TABLE t AS SELECT * FROM octolake_source($1)",
			   NULL, 0);
	assert_true(maker.ended);
	expect_rows("SELECT * FROM t ORDER BY id");
	maker = maker_of(ROW_COUNT);
	run_or_fail(connection, "DELETE FROM t");
	assert_int_equal(ROW_COUNT,
			 run_source_or_fail(&maker, "INSERT INTO t SELECT * FROM octolake_source($1)",
					    NULL, 0));
	expect_rows("SELECT * FROM t ORDER BY id");
}

static void test_fills_a_parquet_file_with_further_values(void **state)
{
	(void)state;
	struct check_path path = path_below(&folder, "it's.parquet");
	struct check_path sql = sql_with_path("COPY (SELECT * FROM octolake_source($1) WHERE id < $2 "
					      "ORDER BY created_at) TO ",
					      &path, " (FORMAT parquet, COMPRESSION zstd)");
	struct maker maker = maker_of(ROW_COUNT + 5000);
	const struct value limit = value_integer(ROW_COUNT);
	assert_int_equal(ROW_COUNT, run_source_or_fail(&maker, sql.text, &limit, 1));
	sql = sql_with_path("SELECT * FROM read_parquet(", &path, ") ORDER BY id");
	expect_rows(sql.text);
}

static void test_asks_only_for_wanted_columns(void **state)
{
	(void)state;
	struct maker maker = maker_of(ROW_COUNT);
	const struct duck_source source = source_of(&maker);
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = 4096};
	struct table table = {0};
	struct err err = {0};
	assert_true(duck_query_source(connection,
				      "SELECT max(created_at), sum(score), count(score) FROM "
				      "octolake_source($1)",
				      &source, NULL, 0, &result, &err));
	assert_true(duck_result_read(result, &arena, 1, &table, &err));
	assert_int_equal((ROW_COUNT - 1) * INT64_C(1000000), table.values[0].time_us);
	assert_true(table.values[1].real == (double)ROW_COUNT * (ROW_COUNT - 2) / 4 / 4);
	assert_int_equal(ROW_COUNT / 2, table.values[2].integer);
	static const bool expected[COLUMN_COUNT] = {false, false, true, false, true};
	assert_memory_equal(expected, maker.wanted, sizeof(expected));

	/* count(*) alone has to want one of them. */
	duck_result_free(&result);
	maker = maker_of(ROW_COUNT);
	assert_true(duck_query_source(connection, "SELECT count(*) FROM octolake_source($1)",
				      &source, NULL, 0, &result, &err));
	assert_true(duck_result_read(result, &arena, 1, &table, &err));
	assert_int_equal(ROW_COUNT, table.values[0].integer);
	static const bool first[COLUMN_COUNT] = {true};
	assert_memory_equal(first, maker.wanted, sizeof(first));
}

static void test_takes_no_more_than_needed_and_copes_with_no_rows(void **state)
{
	(void)state;
	struct maker maker = maker_of(0);
	maker.endless = 1;
	run_source_or_fail(&maker, "SELECT id FROM octolake_source($1) LIMIT 10", NULL, 0);
	assert_true(maker.next < 1000000);
	maker = maker_of(0);
	run_source_or_fail(&maker, "CREATE OR REPLACE TABLE t AS SELECT * FROM octolake_source($1)",
			   NULL, 0);
	assert_int_equal(0, integer_or_fail(connection, "SELECT count(*) FROM t"));
}

static void test_errors_of_the_source_keep_their_kind(void **state)
{
	(void)state;
	static const enum err_kind kinds[] = {ERR_RETRY, ERR_INPUT, ERR_LOCAL};
	struct check_path path = path_below(&folder, "failed.parquet");
	struct check_path sql =
		sql_with_path("COPY (SELECT * FROM octolake_source($1)) TO ", &path, "");
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		struct maker maker = maker_of(5000);
		maker.fail_kind = kinds[i];
		const struct duck_source source = source_of(&maker);
		struct duck_result *result = NULL;
		struct err err = {0};
		assert_true(duck_begin(connection, &err));
		assert_false(duck_query_source(connection, sql.text, &source, NULL, 0, &result,
					       &err));
		assert_null(result);
		assert_int_equal(kinds[i], err.kind);
		assert_string_equal("the source broke at 5000", err.text);
		assert_int_equal(0, maker.calls_after_end);
		assert_false(duck_commit(connection, &err));
		assert_int_equal(kinds[i], err.kind);
	}
	assert_false(duck_database_is_broken(database));
}

static void test_bad_text_ends_the_query(void **state)
{
	(void)state;
	static const int64_t rows[] = {0, 63, 64, 2047, 2048, 4999};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct maker maker = maker_of(5000);
		maker.bad_text_row = rows[i];
		const struct duck_source source = source_of(&maker);
		struct err err = {0};
		assert_false(duck_query_source(connection,
					       "SELECT count(name) FROM octolake_source($1)", &source,
					       NULL, 0, NULL, &err));
		assert_int_equal(ERR_INPUT, err.kind);
		assert_non_null(strstr(err.text, "\"name\""));
	}
}

static void test_statements_that_misuse_a_source(void **state)
{
	(void)state;
	static const char *const statements[] = {
		"SELECT * FROM octolake_source($1) a, octolake_source($1) b",
		"SELECT * FROM octolake_source($1 + 1)",
		"SELECT * FROM octolake_source(NULL)",
		"SELECT 1",
		"SELECT nothing FROM octolake_source($1)",
		"SELECT rowid FROM octolake_source($1)",
		"SELECT * FROM octolake_source($1); SELECT 1",
		"SELECT * FROM octolake_source($1) WHERE id = $2",
	};
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		struct maker maker = maker_of(10);
		const struct duck_source source = source_of(&maker);
		struct err err = {0};
		if (duck_query_source(connection, statements[i], &source, NULL, 0, NULL, &err))
			fail_msg("accepted: %s", statements[i]);
		if (err.kind != ERR_INPUT)
			fail_msg("%s: %s", statements[i], err.text);
	}
	struct err err = {0};
	assert_false(duck_run(connection, "SELECT * FROM octolake_source(1)", &err));
	assert_int_equal(ERR_INPUT, err.kind);
}

/* While a source is scanned, another connection guesses its number. */
struct thief {
	struct maker maker;
	struct duck_connection *connection;
	int stolen_count;
	int tried_count;
};

static bool thief_fill(void *context, struct duck_chunk *chunk, size_t row_count_max,
		       size_t *row_count_out, struct err *err)
{
	struct thief *thief = context;
	for (int id = 0; id < 200; id++) {
		char sql[80];
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM octolake_source(%d)", id);
		struct err ignored = {0};
		thief->stolen_count += duck_run(thief->connection, sql, &ignored);
		thief->tried_count++;
	}
	return maker_fill(&thief->maker, chunk, row_count_max, row_count_out, err);
}

static void test_other_connections_cannot_reach_a_source(void **state)
{
	(void)state;
	CLEANUP(duck_disconnect) struct duck_connection *other = connect_or_fail(database);
	struct thief thief = {.maker = maker_of(10), .connection = other};
	const struct duck_source source = {columns, COLUMN_COUNT, thief_fill, &thief};
	struct err err = {0};
	if (!duck_query_source(connection, "SELECT sum(id) FROM octolake_source($1)", &source, NULL,
			       0, NULL, &err))
		fail_msg("%s", err.text);
	assert_int_equal(400, thief.tried_count);
	assert_int_equal(0, thief.stolen_count);
}

/* Two connections load at the same time. */
struct loader {
	const char *sql;
	struct maker maker;
	struct err err;
	bool ran;
};

static void *load(void *data)
{
	struct loader *loader = data;
	CLEANUP(duck_disconnect) struct duck_connection *own = NULL;
	const struct duck_source source = source_of(&loader->maker);
	loader->ran = duck_connect(database, &own, &loader->err)
		      && duck_query_source(own, loader->sql, &source, NULL, 0, NULL, &loader->err);
	return NULL;
}

static void test_sources_of_two_threads(void **state)
{
	(void)state;
	run_or_fail(connection, "CREATE OR REPLACE TABLE a (id BIGINT); "
				"CREATE OR REPLACE TABLE b (id BIGINT)");
	struct loader loaders[] = {
		{.sql = "INSERT INTO a SELECT id FROM octolake_source($1)", .maker = maker_of(30000)},
		{.sql = "INSERT INTO b SELECT id FROM octolake_source($1)", .maker = maker_of(40000)},
	};
	pthread_t threads[ARRAY_COUNT(loaders)];
	for (size_t i = 0; i < ARRAY_COUNT(loaders); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, load, &loaders[i]));
	for (size_t i = 0; i < ARRAY_COUNT(loaders); i++)
		assert_int_equal(0, pthread_join(threads[i], NULL));
	for (size_t i = 0; i < ARRAY_COUNT(loaders); i++)
		if (!loaders[i].ran)
			fail_msg("%s", loaders[i].err.text);
	assert_int_equal(30000, integer_or_fail(connection, "SELECT count(DISTINCT id) FROM a"));
	assert_int_equal(40000, integer_or_fail(connection, "SELECT count(DISTINCT id) FROM b"));
}

struct interrupter {
	atomic_bool done;
};

static void *interrupt_until_done(void *data)
{
	struct interrupter *interrupter = data;
	while (!atomic_load(&interrupter->done)) {
		(void)usleep(20000);
		duck_interrupt(connection);
	}
	return NULL;
}

static void test_interrupts_a_load(void **state)
{
	(void)state;
	struct maker maker = maker_of(0);
	maker.endless = 1;
	const struct duck_source source = source_of(&maker);
	struct interrupter interrupter = {0};
	pthread_t thread;
	assert_int_equal(0, pthread_create(&thread, NULL, interrupt_until_done, &interrupter));
	struct err err = {0};
	bool ran = duck_query_source(connection, "SELECT count(id) FROM octolake_source($1)",
				     &source, NULL, 0, NULL, &err);
	atomic_store(&interrupter.done, true);
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_false(ran);
	assert_int_equal(ERR_RETRY, err.kind);
	assert_string_equal("interrupted", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills_a_table),
		cmocka_unit_test(test_fills_a_parquet_file_with_further_values),
		cmocka_unit_test(test_asks_only_for_wanted_columns),
		cmocka_unit_test(test_takes_no_more_than_needed_and_copes_with_no_rows),
		cmocka_unit_test(test_errors_of_the_source_keep_their_kind),
		cmocka_unit_test(test_bad_text_ends_the_query),
		cmocka_unit_test(test_statements_that_misuse_a_source),
		cmocka_unit_test(test_other_connections_cannot_reach_a_source),
		cmocka_unit_test(test_sources_of_two_threads),
		cmocka_unit_test(test_interrupts_a_load),
	};
	return cmocka_run_group_tests(tests, start, end);
}
