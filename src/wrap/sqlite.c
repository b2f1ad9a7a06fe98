/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.c - opening, transactions, and the cache of prepared statements.
 *
 * A cached statement is lent to one user at a time: a second user of the same SQL gets one of his
 * own, which dies with sqlite_finish. sqlite_value.c binds and reads. */
#include "wrap/sqlite_handle.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/memory.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENT_CACHE_COUNT_MAX = 64, BUSY_WAIT_MS_MAX = 10000, BUSY_STEP_MS = 20 };

struct sqlite_database {
	sqlite3 *handle;
	char *path; /* for error texts */
	struct sqlite_statement *cache[STATEMENT_CACHE_COUNT_MAX];
	size_t cache_count;
	uint64_t use_count; /* counts sqlite_prepare: orders the cache by last use */
	size_t lent_count;  /* statements that are not finished yet */
	bool stuck;         /* a transaction could not be rolled back */
};

static enum err_kind kind_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_RETRY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_INPUT;
	default:
		return ERR_LOCAL;
	}
}

bool sqlite_fail(struct sqlite_database *database, int code, struct err *err)
{
	sqlite3 *handle = database->handle; /* NULL when even that could not be had */
	const char *what = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
	int primary = code & 0xff;
	int system = handle ? sqlite3_system_errno(handle) : 0;
	if (system != 0 && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR))
		return err_set_errno(err, kind_of(code), system, "%s: %s", database->path, what);
	(void)err_set(err, kind_of(code), "%s: %s", database->path, what);
	err->no_space = primary == SQLITE_FULL;
	return false;
}

/* The first column of the first row of a pragma is `wanted`. */
static bool ask_pragma(struct sqlite_database *database, const char *sql, const char *wanted,
	bool *equal_out, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(database, sql, &statement, err) || !sqlite_step(statement, &row, err))
		return false;
	*equal_out = row && span_equal_text(sqlite_column_text(statement, 0), wanted);
	return true;
}

/* SQLite does not call the busy handler for the switch to WAL, so waiting is done here. */
static bool switch_to_wal(struct sqlite_database *database, struct err *err)
{
	bool is_wal = false;
	for (int waited_ms = 0; waited_ms <= BUSY_WAIT_MS_MAX; waited_ms += BUSY_STEP_MS) {
		if (ask_pragma(database, "PRAGMA journal_mode = WAL", "wal", &is_wal, err))
			return is_wal || err_set(err, ERR_LOCAL, "%s: no WAL here", database->path);
		if (err->kind != ERR_RETRY)
			return false;
		clock_sleep_ms(BUSY_STEP_MS);
	}
	return false;
}

static bool configure(struct sqlite_database *database, bool read_only, struct err *err)
{
	sqlite3 *handle = database->handle;
	(void)sqlite3_extended_result_codes(handle, 1);
	(void)sqlite3_busy_timeout(handle, BUSY_WAIT_MS_MAX);
	/* An older library may not know one of these: they are belts beside the braces. */
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	if (!sqlite_run(database,
		    "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;"
		    "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON",
		    err))
		return false;
	/* Either one reads the first page, so that a file of something else is found here. */
	return read_only ? sqlite_run(database, "PRAGMA schema_version", err)
			 : switch_to_wal(database, err);
}

bool sqlite_open(
	const char *path, bool read_only, struct sqlite_database **database_out, struct err *err)
{
	struct sqlite_database *database CLEANUP(sqlite_close) =
		memory_allocate(1, sizeof(*database));
	database->path = memory_copy_text(path);
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int code = sqlite3_open_v2(path, &database->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return sqlite_fail(database, code, err);
	if (!configure(database, read_only, err))
		return false;
	*database_out = database;
	database = NULL;
	return true;
}

static void destroy_statement(struct sqlite_statement *statement)
{
	(void)sqlite3_finalize(statement->handle);
	free(statement);
}

void sqlite_close(struct sqlite_database **database)
{
	struct sqlite_database *d = *database;
	if (!d)
		return;
	assert(d->lent_count == 0);
	for (size_t i = 0; i < d->cache_count; i++)
		destroy_statement(d->cache[i]);
	int code = sqlite3_close(d->handle);
	assert(code == SQLITE_OK);
	free(d->path);
	free(d);
	*database = NULL;
}

bool sqlite_run(struct sqlite_database *database, const char *sql, struct err *err)
{
	int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK || sqlite_fail(database, code, err);
}

const char *sqlite_library(void)
{
	return sqlite3_libversion();
}

bool sqlite_check(struct sqlite_database *database, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(database, "PRAGMA integrity_check(1)", &statement, err)
		|| !sqlite_step(statement, &row, err))
		return false;
	struct span verdict = row ? sqlite_column_text(statement, 0) : span_of("no verdict");
	if (!span_equal_text(verdict, "ok"))
		return err_set(err, ERR_INPUT, "%s: %.*s", database->path, SPAN_ARGUMENTS(verdict));
	return true;
}

bool sqlite_begin(struct sqlite_database *database, struct err *err)
{
	if (database->stuck && !sqlite_run(database, "ROLLBACK", err))
		return err_wrap(err, "undoing what was begun before");
	database->stuck = false;
	assert(sqlite3_get_autocommit(database->handle));
	return sqlite_run(database, "BEGIN IMMEDIATE", err);
}

bool sqlite_commit(struct sqlite_database *database, struct err *err)
{
	return FAILPOINT("commit", sqlite_run(database, "COMMIT", err));
}

void sqlite_rollback(struct sqlite_database *database)
{
	/* Without memory even this may fail: the next sqlite_begin repeats it, or closing undoes it. */
	if (!sqlite3_get_autocommit(database->handle))
		database->stuck = sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK
				  && !sqlite3_get_autocommit(database->handle);
}

static struct sqlite_statement *find_cached(const struct sqlite_database *database, const char *sql)
{
	for (size_t i = 0; i < database->cache_count; i++) {
		struct sqlite_statement *statement = database->cache[i];
		if (!statement->lent && (statement->sql == sql || strcmp(statement->sql, sql) == 0))
			return statement;
	}
	return NULL;
}

/* Puts `statement` into a free place or that of the longest unused one; when all are lent it stays
 * outside. */
static void keep(struct sqlite_database *database, struct sqlite_statement *statement)
{
	size_t place = STATEMENT_CACHE_COUNT_MAX;
	if (database->cache_count < STATEMENT_CACHE_COUNT_MAX) {
		place = database->cache_count++;
	} else {
		uint64_t oldest = UINT64_MAX;
		for (size_t i = 0; i < database->cache_count; i++) {
			if (database->cache[i]->lent || database->cache[i]->used_at >= oldest)
				continue;
			oldest = database->cache[i]->used_at;
			place = i;
		}
		if (place == STATEMENT_CACHE_COUNT_MAX)
			return;
		destroy_statement(database->cache[place]);
	}
	database->cache[place] = statement;
	statement->cached = true;
}

bool sqlite_prepare(struct sqlite_database *database, const char *sql,
	struct sqlite_statement **statement_out, struct err *err)
{
	struct sqlite_statement *statement = find_cached(database, sql);
	if (!statement) {
		sqlite3_stmt *handle = NULL;
		const char *tail = NULL;
		int code = sqlite3_prepare_v3(
			database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
		if (code != SQLITE_OK)
			return sqlite_fail(database, code, err);
		assert(handle && *tail == '\0');
		statement = memory_allocate(1, sizeof(*statement));
		*statement = (struct sqlite_statement){
			.handle = handle, .database = database, .sql = sql};
		keep(database, statement);
	}
	statement->lent = true;
	statement->used_at = ++database->use_count;
	database->lent_count++;
	*statement_out = statement;
	return true;
}

void sqlite_finish(struct sqlite_statement **statement)
{
	struct sqlite_statement *s = *statement;
	if (!s)
		return;
	assert(s->lent);
	s->lent = false;
	s->database->lent_count--;
	if (s->cached) {
		(void)sqlite3_reset(s->handle);
		(void)sqlite3_clear_bindings(s->handle);
	} else {
		destroy_statement(s);
	}
	*statement = NULL;
}

int64_t sqlite_last_row_id(struct sqlite_database *database)
{
	return sqlite3_last_insert_rowid(database->handle);
}

int64_t sqlite_changes(struct sqlite_database *database)
{
	return sqlite3_changes64(database->handle);
}
