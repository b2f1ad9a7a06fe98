/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_test.c - the catalog's engine on real files: values, transactions, cache, damage, busy. */
#include "tests/support/check.h"

#include "base/file.h"
#include "wrap/sqlite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct fixture {
	struct check_path folder;
	struct check_path path;
	struct sqlite_database *database;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temporary_folder_create()};
	fixture.path = path_below(&fixture.folder, "catalog.sqlite");
	*state = &fixture;
	return !sqlite_open(fixture.path.text, false, &fixture.database, &fixture.err);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	sqlite_close(&f->database);
	temporary_folder_remove(&f->folder);
	return 0;
}

/* The first column of the only row. */
static int64_t ask_integer(struct fixture *f, struct sqlite_database *database, const char *sql)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(database, sql, &statement, &f->err)
		|| !sqlite_step(statement, &row, &f->err))
		fail_msg("%s: %s", sql, f->err.text);
	assert_true(row);
	return sqlite_column_integer(statement, 0);
}

static void run(struct fixture *f, const char *sql)
{
	if (!sqlite_run(f->database, sql, &f->err))
		fail_msg("%s: %s", sql, f->err.text);
}

static void connection_is_durable_and_strict(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(ask_integer(f, f->database, "PRAGMA synchronous"), 2);
	assert_int_equal(ask_integer(f, f->database, "PRAGMA foreign_keys"), 1);
	assert_int_equal(ask_integer(f, f->database, "PRAGMA trusted_schema"), 0);
	assert_int_equal(ask_integer(f, f->database, "PRAGMA busy_timeout"), 10000);
	struct sqlite_statement *statement = NULL;
	bool row = false;
	assert_true(sqlite_prepare(f->database, "PRAGMA journal_mode", &statement, &f->err));
	assert_true(sqlite_step(statement, &row, &f->err));
	assert_true(span_equal_text(sqlite_column_text(statement, 0), "wal"));
	sqlite_finish(&statement);
	assert_null(statement);
	run(f, "CREATE TABLE a (id INTEGER PRIMARY KEY);"
	       "CREATE TABLE b (a INTEGER REFERENCES a (id))");
	assert_false(sqlite_run(f->database, "INSERT INTO b VALUES (7)", &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_non_null(strstr(f->err.text, "FOREIGN KEY"));
	/* In double quotes stand names only: a misspelt one is an error and not a text. */
	assert_false(sqlite_run(f->database, "SELECT \"no_such_column\" FROM a", &f->err));
}

static void values_come_back_as_they_went_in(void **state)
{
	struct fixture *f = *state;
	struct sqlite_statement *insert CLEANUP(sqlite_finish) = NULL;
	struct sqlite_statement *select CLEANUP(sqlite_finish) = NULL;
	static const char sql[] = "INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	run(f, "CREATE TABLE v (i INTEGER, r REAL, t TEXT, b BLOB, et TEXT, eb BLOB, n1, n2)");
	assert_true(sqlite_prepare(f->database, sql, &insert, &f->err));
	char text[] = "caf\xc3\xa9\0tail";
	char text_again[] = "caf\xc3\xa9\0tail";
	sqlite_bind_integer(insert, 1, INT64_MIN);
	sqlite_bind_real(insert, 2, 0.1);
	sqlite_bind_text(insert, 3, (struct span){text, sizeof(text) - 1});
	sqlite_bind_blob(insert, 4, (struct span){"\0\xff\1", 3});
	sqlite_bind_text(insert, 5, span_of(""));
	sqlite_bind_blob(insert, 6, span_of(""));
	sqlite_bind_text(insert, 7, (struct span){0});
	sqlite_bind_null(insert, 8);
	memset(text, 'x', sizeof(text)); /* bound by copy */
	assert_true(sqlite_execute(insert, &f->err));
	assert_int_equal(sqlite_last_row_id(f->database), 1);
	assert_int_equal(sqlite_changes(f->database), 1);

	bool row = false;
	assert_true(sqlite_prepare(f->database, "SELECT * FROM v", &select, &f->err));
	assert_true(sqlite_step(select, &row, &f->err));
	assert_true(row);
	assert_true(sqlite_column_integer(select, 0) == INT64_MIN);
	assert_true(sqlite_column_real(select, 1) == 0.1);
	assert_true(span_equal(sqlite_column_text(select, 2), (struct span){text_again, 10}));
	assert_true(span_equal(sqlite_column_blob(select, 3), (struct span){"\0\xff\1", 3}));
	assert_non_null(sqlite_column_text(select, 4).data);
	assert_int_equal(sqlite_column_text(select, 4).size, 0);
	assert_non_null(sqlite_column_blob(select, 5).data);
	assert_int_equal(sqlite_column_blob(select, 5).size, 0);
	for (int column = 0; column < 8; column++)
		assert_int_equal(sqlite_column_is_null(select, column), column >= 6);
	assert_null(sqlite_column_text(select, 6).data);
	assert_null(sqlite_column_blob(select, 7).data);
	assert_true(sqlite_step(select, &row, &f->err));
	assert_false(row);
}

static void unfinished_transaction_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	run(f, "CREATE TABLE t (x)");
	sqlite_rollback(f->database);
	assert_true(sqlite_begin(f->database, &f->err));
	run(f, "INSERT INTO t VALUES (1)");
	assert_int_equal(ask_integer(f, f->database, "SELECT count(*) FROM t"), 1);
	sqlite_rollback(f->database);
	assert_int_equal(ask_integer(f, f->database, "SELECT count(*) FROM t"), 0);
	assert_true(sqlite_begin(f->database, &f->err));
	run(f, "INSERT INTO t VALUES (2)");
	assert_true(sqlite_commit(f->database, &f->err));
	sqlite_close(&f->database);
	assert_true(sqlite_open(f->path.text, true, &f->database, &f->err));
	assert_int_equal(ask_integer(f, f->database, "SELECT x FROM t"), 2);
	assert_false(sqlite_run(f->database, "DELETE FROM t", &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
}

static void finished_statements_forget_their_values(void **state)
{
	struct fixture *f = *state;
	static const char sql[] = "SELECT ?1 IS NULL";
	struct sqlite_statement *first = NULL;
	struct sqlite_statement *second = NULL;
	struct sqlite_statement *third = NULL;
	bool row = false;
	assert_true(sqlite_prepare(f->database, sql, &first, &f->err));
	sqlite_bind_integer(first, 1, 5);
	assert_true(sqlite_step(first, &row, &f->err));
	/* The same SQL while the first is in the middle of its rows: a statement of its own. */
	assert_true(sqlite_prepare(f->database, sql, &second, &f->err));
	assert_ptr_not_equal(first, second);
	assert_true(sqlite_step(second, &row, &f->err));
	assert_int_equal(sqlite_column_integer(second, 0), 1);
	assert_int_equal(sqlite_column_integer(first, 0), 0);
	struct sqlite_statement *cached = first;
	sqlite_finish(&first);
	assert_true(sqlite_prepare(f->database, sql, &third, &f->err));
	assert_ptr_equal(third, cached);
	assert_true(sqlite_step(third, &row, &f->err));
	assert_int_equal(sqlite_column_integer(third, 0), 1);
	sqlite_finish(&second);
	sqlite_finish(&third);
	sqlite_finish(&third);
}

static void more_statements_than_the_cache_holds(void **state)
{
	enum { STATEMENT_COUNT = 150 };
	struct fixture *f = *state;
	static char sql[STATEMENT_COUNT][32];
	static struct sqlite_statement *statements[STATEMENT_COUNT];
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		(void)snprintf(sql[i], sizeof(sql[i]), "SELECT %d", i);
		assert_true(sqlite_prepare(f->database, sql[i], &statements[i], &f->err));
	}
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		bool row = false;
		assert_true(sqlite_step(statements[i], &row, &f->err));
		assert_int_equal(sqlite_column_integer(statements[i], 0), i);
		sqlite_finish(&statements[i]);
	}
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < STATEMENT_COUNT; i++)
			assert_int_equal(ask_integer(f, f->database, sql[i]), i);
}

static void wrong_sql_names_file_and_reason(void **state)
{
	struct fixture *f = *state;
	struct sqlite_statement *statement = NULL;
	assert_false(sqlite_prepare(f->database, "SELECT nonsense", &statement, &f->err));
	assert_null(statement);
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_non_null(strstr(f->err.text, "catalog.sqlite"));
	assert_non_null(strstr(f->err.text, "nonsense"));
}

static void failed_step_can_be_repeated(void **state)
{
	struct fixture *f = *state;
	struct sqlite_statement *insert CLEANUP(sqlite_finish) = NULL;
	run(f, "CREATE TABLE u (x UNIQUE)");
	assert_true(sqlite_prepare(f->database, "INSERT INTO u VALUES (?)", &insert, &f->err));
	sqlite_bind_integer(insert, 1, 1);
	assert_true(sqlite_execute(insert, &f->err));
	assert_false(sqlite_execute(insert, &f->err));
	assert_non_null(strstr(f->err.text, "UNIQUE"));
	sqlite_bind_integer(insert, 1, 2);
	assert_true(sqlite_execute(insert, &f->err));
	assert_int_equal(ask_integer(f, f->database, "SELECT sum(x) FROM u"), 3);
}

static void other_files_are_refused(void **state)
{
	struct fixture *f = *state;
	struct sqlite_database *database = NULL;
	struct check_path text = path_below(&f->folder, "text");
	struct check_path missing = path_below(&f->folder, "missing");
	char content[2048];
	memset(content, 'a', sizeof(content));
	assert_true(file_write(text.text, (struct span){content, sizeof(content)}, &f->err));
	for (int read_only = 0; read_only < 2; read_only++) {
		assert_false(sqlite_open(text.text, read_only, &database, &f->err));
		assert_int_equal(f->err.kind, ERR_INPUT);
	}
	assert_false(sqlite_open(missing.text, true, &database, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_false(file_exists(missing.text));
	assert_false(sqlite_open(f->folder.text, false, &database, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_null(database);
}

static void damage_is_found(void **state)
{
	struct fixture *f = *state;
	run(f, "CREATE TABLE t (x TEXT); CREATE INDEX t_x ON t (x);"
	       "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
	       "INSERT INTO t SELECT printf('row %d', i) FROM n");
	assert_true(sqlite_check(f->database, &f->err));
	sqlite_close(&f->database);
	FILE *file = fopen(f->path.text, "r+b");
	assert_non_null(file);
	for (long page = 5; page < 20; page++) {
		assert_int_equal(fseek(file, page * 4096, SEEK_SET), 0);
		for (int i = 0; i < 64; i++)
			(void)fputc(0xee, file);
	}
	assert_int_equal(fclose(file), 0);
	assert_true(sqlite_open(f->path.text, false, &f->database, &f->err));
	assert_false(sqlite_check(f->database, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_false(sqlite_run(f->database, "SELECT sum(length(x)) FROM t NOT INDEXED", &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
}

static void second_writer_is_told_to_retry(void **state)
{
	struct fixture *f = *state;
	struct sqlite_database *other = NULL;
	assert_true(sqlite_open(f->path.text, false, &other, &f->err));
	assert_true(sqlite_run(other, "PRAGMA busy_timeout = 50", &f->err));
	assert_true(sqlite_begin(f->database, &f->err));
	assert_false(sqlite_begin(other, &f->err));
	assert_int_equal(f->err.kind, ERR_RETRY);
	sqlite_rollback(other);
	assert_true(sqlite_commit(f->database, &f->err));
	assert_true(sqlite_begin(other, &f->err));
	sqlite_rollback(other);
	sqlite_close(&other);
	assert_null(other);
}

static void *add_rows(void *path)
{
	struct sqlite_database *database CLEANUP(sqlite_close) = NULL;
	struct err err = {0};
	if (!sqlite_open(path, false, &database, &err))
		return "open failed";
	if (!sqlite_run(database, "CREATE TABLE IF NOT EXISTS t (x)", &err))
		return "create failed";
	for (int i = 0; i < 20; i++)
		if (!sqlite_begin(database, &err)
			|| !sqlite_run(database, "INSERT INTO t VALUES (1)", &err)
			|| !sqlite_commit(database, &err))
			return "insert failed";
	return NULL;
}

static void threads_share_a_new_file(void **state)
{
	enum { THREAD_COUNT = 4 };
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "new.sqlite");
	pthread_t threads[THREAD_COUNT];
	for (int i = 0; i < THREAD_COUNT; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_rows, path.text), 0);
	const char *complaint = NULL;
	for (int i = 0; i < THREAD_COUNT; i++) {
		void *result = NULL;
		assert_int_equal(pthread_join(threads[i], &result), 0);
		complaint = result ? result : complaint;
	}
	if (complaint)
		fail_msg("%s", complaint);
	struct sqlite_database *database CLEANUP(sqlite_close) = NULL;
	assert_true(sqlite_open(path.text, true, &database, &f->err));
	assert_int_equal(ask_integer(f, database, "SELECT count(*) FROM t"), THREAD_COUNT * 20);
}

#define ON_A_DATABASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_DATABASE(connection_is_durable_and_strict),
		ON_A_DATABASE(values_come_back_as_they_went_in),
		ON_A_DATABASE(unfinished_transaction_leaves_nothing),
		ON_A_DATABASE(finished_statements_forget_their_values),
		ON_A_DATABASE(more_statements_than_the_cache_holds),
		ON_A_DATABASE(wrong_sql_names_file_and_reason),
		ON_A_DATABASE(failed_step_can_be_repeated),
		ON_A_DATABASE(other_files_are_refused),
		ON_A_DATABASE(damage_is_found),
		ON_A_DATABASE(second_writer_is_told_to_retry),
		ON_A_DATABASE(threads_share_a_new_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
