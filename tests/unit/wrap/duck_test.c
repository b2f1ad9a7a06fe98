/* SPDX-License-Identifier: Apache-2.0 */
/* duck_test.c - opening and its sandbox, damaged files, kinds of errors, interrupts, transactions. */
#include "tests/unit/wrap/duck_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Takes minutes, and little memory. */
static const char endless_sql[] =
	"SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1";

static void expect_kind(struct duck_connection *connection, const char *sql, enum err_kind kind)
{
	struct err err = {0};
	if (duck_run(connection, sql, &err))
		fail_msg("accepted: %s", sql);
	if (err.kind != kind)
		fail_msg("%s: %s: %s", sql, err_kind_name(err.kind), err.text);
}

static void write_at(const char *path, off_t offset, const void *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(size, pwrite(file, bytes, size, offset));
	assert_int_equal(0, close(file));
}

static void write_new(const char *path, const void *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	assert_int_equal(0, close(file));
	write_at(path, 0, bytes, size);
}

/* ---- opening ---- */

static void test_opens_locked_down(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	assert_string_equal("v1.5.5", duck_version());
	static const char *const settings[] = {
		"SELECT (current_setting('TimeZone') = 'UTC')::INTEGER",
		"SELECT (current_setting('memory_limit') = '256.0 MiB')::INTEGER",
		"SELECT (current_setting('threads') = 1)::INTEGER",
		"SELECT (NOT current_setting('preserve_insertion_order'))::INTEGER",
		"SELECT (current_setting('temp_directory') = '')::INTEGER",
	};
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++)
		if (integer_or_fail(connection, settings[i]) != 1)
			fail_msg("%s", settings[i]);
	static const char *const refused[] = {
		"SET threads = 4",
		"RESET threads",
		"SET lock_configuration = false",
		"SET enable_external_access = true",
		"PRAGMA memory_limit = '8GB'",
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM '/etc/passwd'",
		"SELECT * FROM read_text('/proc/self/environ')",
		"SELECT * FROM glob('/*')",
		"ATTACH '/etc/octolake-none.db'",
		"INSTALL httpfs",
		"LOAD httpfs",
		"COPY (SELECT 1) TO '/etc/octolake-none.csv'",
	};
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++)
		expect_kind(connection, refused[i], ERR_INPUT);
	assert_false(duck_database_is_broken(database));
}

static void test_options_reach_the_database(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	const struct duck_options options = {
		.memory_bytes_max = INT64_C(96) << 20,
		.threads = 2,
		.temporary_folder = folder.text,
		.temporary_bytes_max = INT64_C(512) << 20,
		.preserve_insertion_order = true,
	};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	assert_int_equal(1, integer_or_fail(connection, "SELECT (current_setting('threads') = 2 AND"
							" current_setting('memory_limit') = '96.0 MiB' AND"
							" current_setting('max_temp_directory_size')"
							" = '512.0 MiB' AND"
							" current_setting('preserve_insertion_order')"
							")::INTEGER"));
	/* 260 MB of rows to sort: this works only by spilling. */
	assert_int_equal(4000000, integer_or_fail(connection,
						  "SELECT count(*) FROM (SELECT range::VARCHAR || "
						  "repeat('x', 60) AS t FROM range(4000000) ORDER BY "
						  "hash(range), t)"));
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

static void test_reaches_only_the_allowed_folder(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path allowed = path_below(&folder, "it's; SELECT \"1\"]");
	struct check_path sibling = path_below(&folder, "it's; SELECT \"1\"]2");
	assert_int_equal(0, mkdir(allowed.text, 0700));
	assert_int_equal(0, mkdir(sibling.text, 0700));
	const struct duck_options options = {.allowed_folder = allowed.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);

	struct check_path inside = path_below(&allowed, "a'b.parquet");
	struct check_path sql = sql_with_path("COPY (SELECT 42 AS x) TO ", &inside, "");
	run_or_fail(connection, sql.text);
	assert_int_equal(0, access(inside.text, F_OK));
	sql = sql_with_path("SELECT x FROM read_parquet(", &inside, ")");
	assert_int_equal(42, integer_or_fail(connection, sql.text));

	struct check_path outside = path_below(&sibling, "c.parquet");
	sql = sql_with_path("COPY (SELECT 42 AS x) TO ", &outside, "");
	expect_kind(connection, sql.text, ERR_INPUT);
	assert_int_not_equal(0, access(outside.text, F_OK));
	write_new(outside.text, "x\n1\n", 4);
	sql = sql_with_path("SELECT * FROM read_csv(", &outside, ")");
	expect_kind(connection, sql.text, ERR_INPUT);
	struct check_path around = path_below(&allowed, "../it's; SELECT \"1\"]2/c.parquet");
	sql = sql_with_path("SELECT * FROM read_csv(", &around, ")");
	expect_kind(connection, sql.text, ERR_INPUT);
	/* Missing folders inside are the machine's trouble. */
	struct check_path missing = path_below(&allowed, "none/a.parquet");
	sql = sql_with_path("COPY (SELECT 42 AS x) TO ", &missing, "");
	expect_kind(connection, sql.text, ERR_LOCAL);
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

/* A database with a checkpointed table t of 200,000 rows. */
static struct check_path file_database_make(const struct check_path *folder)
{
	struct check_path path = path_below(folder, "gold.duckdb");
	const struct duck_options options = {.path = path.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t AS SELECT range AS a, hash(range)::VARCHAR AS b "
				"FROM range(200000); CHECKPOINT");
	return path;
}

static void expect_open(const char *path, enum err_kind kind)
{
	const struct duck_options options = {.path = path};
	struct duck_database *database = NULL;
	struct err err = {0};
	if (duck_open(&options, &database, &err))
		fail_msg("opened: %s", path);
	assert_null(database);
	if (err.kind != kind)
		fail_msg("%s: %s", err_kind_name(err.kind), err.text);
}

static void test_a_file_keeps_its_rows(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = file_database_make(&folder);
	const struct duck_options options = {.path = path.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	assert_int_equal(200000, integer_or_fail(connection, "SELECT count(*) FROM t"));
	run_or_fail(connection, "DELETE FROM t; CHECKPOINT");
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

static void test_damaged_files_are_input(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = file_database_make(&folder);
	static const char junk[] = "this is not what was written here";
	write_at(path.text, 4096 + 16, junk, sizeof(junk));
	write_at(path.text, 8192 + 16, junk, sizeof(junk));
	expect_open(path.text, ERR_INPUT); /* checksums of both headers */
	write_at(path.text, 8, junk, sizeof(junk));
	expect_open(path.text, ERR_INPUT); /* magic */
	static const off_t cuts[] = {300000, 100, 0};
	for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
		assert_int_equal(0, unlink(path.text));
		path = file_database_make(&folder);
		assert_int_equal(0, truncate(path.text, cuts[i]));
		expect_open(path.text, ERR_INPUT);
	}
	temporary_folder_remove(&folder);
}

static void test_other_trouble_at_opening_is_local(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path missing = path_below(&folder, "Corrupt WAL version/gold.duckdb");
	expect_open(missing.text, ERR_LOCAL);
	const struct duck_options refused = {.threads = -3};
	struct duck_database *database = NULL;
	struct err err = {0};
	assert_false(duck_open(&refused, &database, &err));
	assert_int_equal(ERR_LOCAL, err.kind);
	temporary_folder_remove(&folder);
}

/* What this program does when started with a path: a database with rows in its WAL only, then one
 * byte on the output, and death at the end of the input. */
static int write_and_die(const char *path)
{
	const struct duck_options options = {.path = path};
	struct duck_database *database = NULL;
	struct duck_connection *connection = NULL;
	struct err err = {0};
	char byte = 0;
	_exit(duck_open(&options, &database, &err) && duck_connect(database, &connection, &err)
			      && duck_run(connection, "CREATE TABLE t AS FROM range(5000)", &err)
			      && write(STDOUT_FILENO, &byte, 1) == 1
			      && read(STDIN_FILENO, &byte, 1) == 0
		      ? 0
		      : 1);
}

static pid_t start_writer(const char *path, int *stop_out)
{
	int ready[2];
	int stop[2];
	assert_int_equal(0, pipe2(ready, O_CLOEXEC));
	assert_int_equal(0, pipe2(stop, O_CLOEXEC));
	posix_spawn_file_actions_t actions;
	assert_int_equal(0, posix_spawn_file_actions_init(&actions));
	assert_int_equal(0, posix_spawn_file_actions_adddup2(&actions, stop[0], STDIN_FILENO));
	assert_int_equal(0, posix_spawn_file_actions_adddup2(&actions, ready[1], STDOUT_FILENO));
	char self[] = "/proc/self/exe";
	char *const arguments[] = {self, (char *)(uintptr_t)path, NULL};
	pid_t child = 0;
	assert_int_equal(0, posix_spawn(&child, self, &actions, NULL, arguments, environ));
	assert_int_equal(0, posix_spawn_file_actions_destroy(&actions));
	(void)close(ready[1]);
	(void)close(stop[0]);
	char byte = 0;
	assert_int_equal(1, read(ready[0], &byte, 1));
	(void)close(ready[0]);
	*stop_out = stop[1];
	return child;
}

static void test_locks_and_wal_of_a_process_that_died(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "gold.duckdb");
	struct check_path wal = path_below(&folder, "gold.duckdb.wal");
	int stop = -1;
	pid_t child = start_writer(path.text, &stop);
	expect_open(path.text, ERR_LOCAL); /* locked */
	(void)close(stop);
	int status = 1;
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_int_equal(0, status);

	struct stat file;
	assert_int_equal(0, stat(wal.text, &file));
	const char zeros[4096] = {0};
	write_at(wal.text, file.st_size, zeros, sizeof(zeros));
	expect_open(path.text, ERR_INPUT); /* what a loss of power can leave */
	assert_int_equal(0, truncate(wal.text, file.st_size));
	const struct duck_options options = {.path = path.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	assert_int_equal(5000, integer_or_fail(connection, "SELECT count(*) FROM t"));
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

static void test_damage_found_by_a_query_breaks_the_database(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = file_database_make(&folder);
	static const char junk[] = "this is not what was written here";
	for (off_t block = 0; block < 4; block++)
		write_at(path.text, 12288 + block * 262144 + 3000, junk, sizeof(junk));
	const struct duck_options options = {.path = path.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	assert_false(duck_database_is_broken(database));
	expect_kind(connection, "SELECT sum(a), sum(length(b)) FROM t", ERR_LOCAL);
	assert_true(duck_database_is_broken(database));
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

/* What a full disk does in a checkpoint, shown with a limit on the size of files. */
static void test_a_failed_checkpoint_breaks_the_database(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "gold.duckdb");
	struct check_path wal = path_below(&folder, "gold.duckdb.wal");
	const struct duck_options options = {.path = path.text};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t AS SELECT hash(range) AS a FROM range(20000)");
	struct stat file;
	struct rlimit old;
	assert_int_equal(0, stat(wal.text, &file));
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
	const struct rlimit tight = {.rlim_cur = (rlim_t)file.st_size, .rlim_max = old.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &tight));
	struct err err = {0};
	bool ran = duck_run(connection, "CHECKPOINT", &err);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));
	assert_false(ran);
	assert_int_equal(ERR_LOCAL, err.kind);
	assert_non_null(strstr(err.text, "fatal: "));
	assert_true(duck_database_is_broken(database));
	expect_kind(connection, "SELECT 1", ERR_LOCAL);
	assert_false(duck_begin(connection, &err));

	duck_disconnect(&connection);
	duck_close(&database);
	database = open_or_fail(&options);
	connection = connect_or_fail(database);
	assert_int_equal(20000, integer_or_fail(connection, "SELECT count(*) FROM t"));
	assert_false(duck_database_is_broken(database));
	duck_disconnect(&connection);
	duck_close(&database);
	temporary_folder_remove(&folder);
}

/* ---- errors ---- */

static void test_kinds_of_errors(void **state)
{
	(void)state;
	const struct duck_options options = {.memory_bytes_max = INT64_C(32) << 20};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
	expect_kind(connection, "SELEC 1", ERR_INPUT);
	expect_kind(connection, "SELECT * FROM nothing", ERR_INPUT);
	expect_kind(connection, "SELECT 'x'::INTEGER", ERR_INPUT);
	expect_kind(connection, "INSERT INTO t VALUES (1)", ERR_INPUT);
	expect_kind(connection, "SELECT error('boo')", ERR_INPUT);
	expect_kind(connection, "SELECT '\xff'", ERR_INPUT);
	expect_kind(connection, "SELECT list(range) FROM range(100000000)", ERR_RETRY);
	struct err err = {0};
	assert_false(duck_run(connection, "SELECT 1; SELECT * FROM nothing; DROP TABLE t", &err));
	assert_int_equal(1, integer_or_fail(connection, "SELECT count(*) FROM t"));
	assert_false(duck_query(connection, "SELECT 1; SELECT 2", NULL, 0, NULL, &err));
	assert_int_equal(ERR_INPUT, err.kind);
	assert_false(duck_query(connection, "", NULL, 0, NULL, &err));
	assert_int_equal(ERR_INPUT, err.kind);
	assert_false(duck_database_is_broken(database));
}

static void test_quotes_text(void **state)
{
	(void)state;
	static const struct {
		struct span text;
		const char *quoted;
	} cases[] = {
		{SPAN_LITERAL(""), "''"},
		{SPAN_LITERAL("a"), "'a'"},
		{SPAN_LITERAL("'"), "''''"},
		{SPAN_LITERAL("'; DROP TABLE t; --"), "'''; DROP TABLE t; --'"},
		{SPAN_LITERAL("\\' \" $1 \xc3\xbc\n"), "'\\'' \" $1 \xc3\xbc\n'"},
	};
	CLEANUP(buf_finish) struct buf out;
	buf_init(&out, 64);
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		buf_clear(&out);
		buf_append_text(&out, "SELECT ($1 = ");
		assert_true(duck_quote_text(&out, cases[i].text));
		assert_string_equal(cases[i].quoted, out.data + strlen("SELECT ($1 = "));
		buf_append_text(&out, ")::INT");
		const struct value value = value_text(cases[i].text);
		int64_t same = 0;
		struct err err = {0};
		if (!duck_query_integer(connection, out.data, &value, 1, 0, &same, &err))
			fail_msg("%s: %s", out.data, err.text);
		assert_int_equal(1, same);
	}
	buf_clear(&out);
	buf_append_text(&out, "x");
	assert_false(duck_quote_text(&out, (struct span)SPAN_LITERAL("a\0b")));
	assert_false(duck_quote_text(&out, (struct span)SPAN_LITERAL("\xff")));
	assert_string_equal("x", out.data);
	char large[65];
	memset(large, '\'', sizeof(large));
	assert_false(duck_quote_text(&out, span_make(large, sizeof(large))));
	assert_string_equal("x", out.data);
}

/* ---- interrupts ---- */

struct interrupter {
	struct duck_connection *connection;
	atomic_bool done;
};

static void *interrupt_until_done(void *data)
{
	struct interrupter *interrupter = data;
	while (!atomic_load(&interrupter->done)) {
		(void)usleep(20000);
		duck_interrupt(interrupter->connection);
	}
	return NULL;
}

static void test_interrupts_a_query_of_another_thread(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	struct interrupter interrupter = {.connection = connection};
	pthread_t thread;
	assert_int_equal(0, pthread_create(&thread, NULL, interrupt_until_done, &interrupter));
	struct err err = {0};
	bool ran = duck_query(connection, endless_sql, NULL, 0, NULL, &err);
	atomic_store(&interrupter.done, true);
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_false(ran);
	assert_int_equal(ERR_RETRY, err.kind);
	assert_string_equal("interrupted", err.text);
	assert_false(duck_database_is_broken(database));
	duck_interrupt(connection); /* idle */
	assert_int_equal(3, integer_or_fail(connection, "SELECT count(*) FROM range(3)"));
}

static void *interrupt_without_pause(void *data)
{
	struct interrupter *interrupter = data;
	while (!atomic_load(&interrupter->done))
		duck_interrupt(interrupter->connection);
	return NULL;
}

/* An interrupt may come while a transaction begins or ends: the next one must not suffer from it. */
static void test_a_transaction_ends_under_interrupts(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	struct interrupter interrupter = {.connection = connection};
	pthread_t thread;
	assert_int_equal(0, pthread_create(&thread, NULL, interrupt_without_pause, &interrupter));
	struct err err = {0};
	struct err other = {0};
	for (int round = 0; round < 3000; round++) {
		if (duck_begin_read_only(connection, &err)) {
			(void)!duck_run(connection, "SELECT 1", &err);
			duck_rollback(connection);
		} else if (!strstr(err.text, "interrupted")) {
			other = err;
		}
	}
	atomic_store(&interrupter.done, true);
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_string_equal("", other.text);
	if (!duck_begin_read_only(connection, &err))
		fail_msg("%s", err.text);
	duck_rollback(connection);
}

/* ---- transactions ---- */

static void test_commit_after_a_failed_statement_fails(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t (a INTEGER)");
	struct err err = {0};
	assert_true(duck_begin(connection, &err));
	run_or_fail(connection, "INSERT INTO t VALUES (1)");
	assert_false(duck_run(connection, "INSERT INTO t VALUES ('x')", &err));
	err = (struct err){0};
	assert_false(duck_commit(connection, &err));
	assert_int_equal(ERR_INPUT, err.kind);
	assert_non_null(strstr(err.text, "'x'"));
	assert_int_equal(0, integer_or_fail(connection, "SELECT count(*) FROM t"));

	/* A statement that does not even bind leaves DuckDB's transaction alive: ours is not. */
	assert_true(duck_begin(connection, &err));
	run_or_fail(connection, "INSERT INTO t VALUES (1)");
	assert_false(duck_query(connection, "SELECT * FROM nothing", NULL, 0, NULL, &err));
	assert_false(duck_commit(connection, &err));
	assert_true(duck_begin(connection, &err));
	run_or_fail(connection, "INSERT INTO t VALUES (1)");
	const struct value bad = value_text((struct span)SPAN_LITERAL("\xff"));
	assert_false(duck_query(connection, "SELECT $1", &bad, 1, NULL, &err));
	assert_false(duck_commit(connection, &err));
	assert_int_equal(0, integer_or_fail(connection, "SELECT count(*) FROM t"));

	assert_true(duck_begin(connection, &err));
	run_or_fail(connection, "INSERT INTO t VALUES (1)");
	assert_true(duck_commit(connection, &err));
	assert_int_equal(1, integer_or_fail(connection, "SELECT count(*) FROM t"));
}

static void test_rollback_always_ends_the_transaction(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t (a INTEGER)");
	struct err err = {0};
	duck_rollback(connection);
	for (int failed = 0; failed < 2; failed++) {
		assert_true(duck_begin(connection, &err));
		run_or_fail(connection, "INSERT INTO t VALUES (1)");
		if (failed)
			expect_kind(connection, "SELECT error('boo')", ERR_INPUT);
		duck_rollback(connection);
		assert_int_equal(0, integer_or_fail(connection, "SELECT count(*) FROM t"));
	}
	assert_true(duck_begin(connection, &err));
	assert_true(duck_commit(connection, &err));
}

static void test_conflicts_can_be_retried(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *first = connect_or_fail(database);
	CLEANUP(duck_disconnect) struct duck_connection *second = connect_or_fail(database);
	run_or_fail(first, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
	struct err err = {0};
	assert_true(duck_begin(first, &err));
	assert_true(duck_begin(second, &err));
	run_or_fail(first, "UPDATE t SET a = 2");
	expect_kind(second, "UPDATE t SET a = 3", ERR_RETRY);
	assert_false(duck_commit(second, &err));
	assert_int_equal(ERR_RETRY, err.kind);
	assert_true(duck_commit(first, &err));
	assert_true(duck_begin(second, &err));
	run_or_fail(second, "UPDATE t SET a = 3");
	assert_true(duck_commit(second, &err));
	assert_int_equal(3, integer_or_fail(first, "SELECT a FROM t"));
}

static void test_read_only_transactions_read_only(void **state)
{
	(void)state;
	const struct duck_options options = {0};
	CLEANUP(duck_close) struct duck_database *database = open_or_fail(&options);
	CLEANUP(duck_disconnect) struct duck_connection *connection = connect_or_fail(database);
	run_or_fail(connection, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)");
	struct err err = {0};
	assert_true(duck_begin_read_only(connection, &err));
	assert_int_equal(1, integer_or_fail(connection, "SELECT count(*) FROM t"));
	expect_kind(connection, "INSERT INTO t VALUES (2)", ERR_INPUT);
	duck_rollback(connection);
	assert_int_equal(1, integer_or_fail(connection, "SELECT count(*) FROM t"));
	assert_true(duck_begin(connection, &err));
	run_or_fail(connection, "INSERT INTO t VALUES (2)");
	assert_true(duck_commit(connection, &err));
	assert_int_equal(2, integer_or_fail(connection, "SELECT count(*) FROM t"));
}

int main(int argument_count, char **arguments)
{
	if (argument_count > 1)
		return write_and_die(arguments[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_locked_down),
		cmocka_unit_test(test_options_reach_the_database),
		cmocka_unit_test(test_reaches_only_the_allowed_folder),
		cmocka_unit_test(test_a_file_keeps_its_rows),
		cmocka_unit_test(test_damaged_files_are_input),
		cmocka_unit_test(test_other_trouble_at_opening_is_local),
		cmocka_unit_test(test_locks_and_wal_of_a_process_that_died),
		cmocka_unit_test(test_damage_found_by_a_query_breaks_the_database),
		cmocka_unit_test(test_a_failed_checkpoint_breaks_the_database),
		cmocka_unit_test(test_kinds_of_errors),
		cmocka_unit_test(test_quotes_text),
		cmocka_unit_test(test_interrupts_a_query_of_another_thread),
		cmocka_unit_test(test_a_transaction_ends_under_interrupts),
		cmocka_unit_test(test_commit_after_a_failed_statement_fails),
		cmocka_unit_test(test_rollback_always_ends_the_transaction),
		cmocka_unit_test(test_conflicts_can_be_retried),
		cmocka_unit_test(test_read_only_transactions_read_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
