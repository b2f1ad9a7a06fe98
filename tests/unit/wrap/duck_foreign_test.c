/* SPDX-License-Identifier: Apache-2.0 */
/* A database file of somebody else's, attached to be read; results that come in pieces. */
#include "tests/unit/wrap/duck_support.h"

#include "base/file.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Leaves without closing, so that what follows the checkpoint stays in the write-ahead log. */
static void make_with_log(const struct check_path *path)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = {0};
		struct duck_database *database = NULL;
		struct duck_connection *connection = NULL;
		bool ok = duck_open(&(struct duck_options){.path = path->text}, &database, &err)
			  && duck_connect(database, &connection, &err)
			  && duck_run(connection, "CREATE TABLE \"t\"\"x\" AS SELECT range AS i FROM range(5000); CHECKPOINT;"
						  "CREATE TABLE late AS SELECT 7 AS i; CREATE MACRO abs(x) AS 99", &err);
		_exit(ok ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void read_whole(const char *path, struct buf *buf)
{
	struct err err = {0};
	if (!file_read(path, buf, &err))
		fail_msg("%s", err.text);
}

static void an_attached_file_is_read_and_stays_as_it_is(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "o'ther.duckdb");
	struct check_path log = path_below(&folder, "o'ther.duckdb.wal");
	CLEANUP(buf_finish) struct buf before = {.size_max = 1 << 24};
	CLEANUP(buf_finish) struct buf after = {.size_max = 1 << 24};
	make_with_log(&path);
	read_whole(path.text, &before);
	read_whole(log.text, &before);
	struct duck_database *database = open_or_fail(&(struct duck_options){.attached_path = path.text});
	struct duck_connection *connection = connect_or_fail(database);
	assert_int_equal(integer_or_fail(connection, "SELECT count(*) FROM foreign_file.main.\"t\"\"x\""), 5000);
	assert_int_equal(integer_or_fail(connection, "SELECT abs(-i) FROM foreign_file.main.late"), 7);
	struct err err = {0};
	assert_false(duck_run(connection, "INSERT INTO foreign_file.main.late VALUES (8)", &err));
	assert_false(duck_run(connection, "ATTACH ':memory:' AS other; DETACH foreign_file; COPY (SELECT 1) TO 'x'", &err));
	duck_disconnect(&connection);
	duck_close(&database);
	read_whole(path.text, &after);
	read_whole(log.text, &after);
	assert_true(span_equal(buf_span(&before), buf_span(&after)));
	temporary_folder_remove(&folder);
}

static void a_file_that_is_none_is_input(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "x.duckdb");
	struct duck_database *database = NULL;
	struct err err = {0};
	assert_false(duck_open(&(struct duck_options){.attached_path = path.text}, &database, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_true(file_write(path.text, span_of("SQLite format 3"), &err));
	assert_false(duck_open(&(struct duck_options){.attached_path = path.text}, &database, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "not a valid DuckDB database file"));
	assert_null(database);
	temporary_folder_remove(&folder);
}

static void a_stream_comes_in_pieces(void **state)
{
	(void)state;
	struct err err = {0};
	struct duck_database *database = open_or_fail(&(struct duck_options){.preserve_insertion_order = true});
	struct duck_connection *connection = connect_or_fail(database);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct duck_result *result = NULL;
	const struct value count = value_integer(10000);
	struct table piece = {.row_count = 1};
	int64_t next = 0;
	if (!duck_query_stream(connection, "SELECT range AS i, 'x' || range FROM range($1)", &count, 1, &result, &err))
		fail_msg("%s", err.text);
	while (piece.row_count > 0) {
		arena_reset(&arena);
		if (!duck_result_next(result, &arena, &piece, &err))
			fail_msg("%s", err.text);
		assert_in_range(piece.row_count, 0, 2048);
		for (size_t row = 0; row < piece.row_count; row++)
			assert_int_equal(table_value(&piece, row, 0)->integer, next++);
	}
	assert_int_equal(next, 10000);
	assert_int_equal(piece.column_count, 2);
	duck_result_free(&result);
	/* An error in the middle is told by the piece that meets it. */
	bool begun = duck_query_stream(connection, "SELECT CAST(CASE WHEN range = 900000 THEN 'x' ELSE '1' END AS INTEGER)"
						   " FROM range(1000000)", NULL, 0, &result, &err);
	bool ok = begun;
	next = 0;
	for (piece.row_count = 1; ok && piece.row_count > 0; next += (int64_t)piece.row_count) {
		arena_reset(&arena);
		ok = duck_result_next(result, &arena, &piece, &err);
	}
	assert_false(ok);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_in_range(next, 2048, 900001); /* more than an engine's buffer */
	duck_result_free(&result);
	/* Left early, the connection goes on. */
	assert_true(duck_query_stream(connection, "FROM range(1000000)", NULL, 0, &result, &err));
	assert_true(duck_result_next(result, &arena, &piece, &err));
	duck_result_free(&result);
	assert_int_equal(integer_or_fail(connection, "SELECT 3"), 3);
	duck_disconnect(&connection);
	duck_close(&database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attached_file_is_read_and_stays_as_it_is),
		cmocka_unit_test(a_file_that_is_none_is_input),
		cmocka_unit_test(a_stream_comes_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
