/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_value.c - values into a statement, steps, columns out of it. */
#include "wrap/sqlite_handle.h"

#include "base/memory.h"

#include <assert.h>
#include <sqlite3.h>

/* What remains beside memory is a bug of ours: a wrong position, or a bind between two steps. */
static void check_bound(int code)
{
	if ((code & 0xff) == SQLITE_NOMEM)
		memory_exhausted("SQLite");
	assert(code == SQLITE_OK);
}

void sqlite_bind_integer(struct sqlite_statement *statement, int position, int64_t value)
{
	check_bound(sqlite3_bind_int64(statement->handle, position, value));
}

void sqlite_bind_real(struct sqlite_statement *statement, int position, double value)
{
	check_bound(sqlite3_bind_double(statement->handle, position, value));
}

void sqlite_bind_text(struct sqlite_statement *statement, int position, struct span value)
{
	check_bound(sqlite3_bind_text64(statement->handle, position, value.data, value.size,
		SQLITE_TRANSIENT, SQLITE_UTF8));
}

void sqlite_bind_blob(struct sqlite_statement *statement, int position, struct span value)
{
	check_bound(sqlite3_bind_blob64(
		statement->handle, position, value.data, value.size, SQLITE_TRANSIENT));
}

void sqlite_bind_null(struct sqlite_statement *statement, int position)
{
	check_bound(sqlite3_bind_null(statement->handle, position));
}

bool sqlite_step(struct sqlite_statement *statement, bool *row_out, struct err *err)
{
	int code = sqlite3_step(statement->handle);
	if (code != SQLITE_ROW && code != SQLITE_DONE) {
		(void)sqlite_fail(statement->database, code, err);
		/* Lets go of the locks now, not when the caller comes to finish it. */
		(void)sqlite3_reset(statement->handle);
		return false;
	}
	*row_out = code == SQLITE_ROW;
	return true;
}

bool sqlite_execute(struct sqlite_statement *statement, struct err *err)
{
	bool row = false;
	if (!sqlite_step(statement, &row, err))
		return false;
	assert(!row);
	int code = sqlite3_reset(statement->handle);
	return code == SQLITE_OK || sqlite_fail(statement->database, code, err);
}

static sqlite3_stmt *row_of(struct sqlite_statement *statement, int column)
{
	assert(column >= 0 && column < sqlite3_data_count(statement->handle));
	return statement->handle;
}

int64_t sqlite_column_integer(struct sqlite_statement *statement, int column)
{
	return sqlite3_column_int64(row_of(statement, column), column);
}

double sqlite_column_real(struct sqlite_statement *statement, int column)
{
	return sqlite3_column_double(row_of(statement, column), column);
}

/* SQLite gives NULL also for an empty blob. */
static struct span column_span(sqlite3_stmt *row, int column, const void *data)
{
	struct span s = {data, (size_t)sqlite3_column_bytes(row, column)};
	if (!s.data && (s.size > 0 || sqlite3_errcode(sqlite3_db_handle(row)) == SQLITE_NOMEM))
		memory_exhausted("SQLite");
	if (!s.data)
		s.data = "";
	return s;
}

struct span sqlite_column_text(struct sqlite_statement *statement, int column)
{
	sqlite3_stmt *row = row_of(statement, column);
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return (struct span){0};
	return column_span(row, column, sqlite3_column_text(row, column));
}

struct span sqlite_column_blob(struct sqlite_statement *statement, int column)
{
	sqlite3_stmt *row = row_of(statement, column);
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return (struct span){0};
	return column_span(row, column, sqlite3_column_blob(row, column));
}

bool sqlite_column_is_null(struct sqlite_statement *statement, int column)
{
	return sqlite3_column_type(row_of(statement, column), column) == SQLITE_NULL;
}
