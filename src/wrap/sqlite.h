/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite.h - a thin face over SQLite for the catalog: WAL, synchronous=FULL, foreign keys on,
 * every step checked.
 *
 * A database handle belongs to one thread at a time; each thread opens its own, and busy waits up
 * to 10 s. Every failing call sets "PATH: what": damage is ERR_INPUT, busy past the wait ERR_RETRY,
 * all else (disk full, wrong SQL, a broken constraint) ERR_LOCAL. */
#ifndef WRAP_SQLITE_H
#define WRAP_SQLITE_H

#include "base/err.h"
#include "base/span.h"

struct sqlite_database;
struct sqlite_statement;

/* Opens (and makes, unless `read_only`) the file. A damaged file, or one that is no database, is
 * ERR_INPUT; else ERR_LOCAL; busy past the wait ERR_RETRY. */
MUST_CHECK bool sqlite_open(const char *path, bool read_only, struct sqlite_database **database_out,
			    struct err *err);
void sqlite_close(struct sqlite_database **database);

/* Runs one or more statements without values. */
MUST_CHECK bool sqlite_run(struct sqlite_database *database, const char *sql, struct err *err);
/* The file's own check; ERR_INPUT with its first complaint. Reads the whole file. */
/* The library's version, "3.40.1". */
const char *sqlite_library(void);

MUST_CHECK bool sqlite_check(struct sqlite_database *database, struct err *err);

/* Transactions. BEGIN IMMEDIATE, so that a writer waits at its start and not in the middle. */
MUST_CHECK bool sqlite_begin(struct sqlite_database *database, struct err *err);
MUST_CHECK bool sqlite_commit(struct sqlite_database *database, struct err *err);
void sqlite_rollback(struct sqlite_database *database); /* no-op when none is open */

/* Prepares one statement (from a per-database cache of 64 by SQL text: `sql` must be a literal).
 * Finish each (sqlite_finish, for CLEANUP: resets, clears, back to the cache) before the database is
 * closed. */
MUST_CHECK bool sqlite_prepare(struct sqlite_database *database, const char *sql,
			       struct sqlite_statement **statement_out, struct err *err);
void sqlite_finish(struct sqlite_statement **statement);

/* Values by position, from 1. Spans are copied; an absent one is NULL. Binding cannot fail but for
 * memory, which aborts. */
void sqlite_bind_integer(struct sqlite_statement *statement, int position, int64_t value);
void sqlite_bind_real(struct sqlite_statement *statement, int position, double value);
void sqlite_bind_text(struct sqlite_statement *statement, int position, struct span value);
void sqlite_bind_blob(struct sqlite_statement *statement, int position, struct span value);
void sqlite_bind_null(struct sqlite_statement *statement, int position);

/* One step: *row_out true when a row is there to be read. */
MUST_CHECK bool sqlite_step(struct sqlite_statement *statement, bool *row_out, struct err *err);
/* Runs a statement that returns no rows, then resets it for the next values; a position that is not
 * bound anew keeps its value. */
MUST_CHECK bool sqlite_execute(struct sqlite_statement *statement, struct err *err);

/* Columns of the current row, from 0. Text and blobs are borrowed until the next step; absent for
 * NULL. */
int64_t sqlite_column_integer(struct sqlite_statement *statement, int column);
double sqlite_column_real(struct sqlite_statement *statement, int column);
struct span sqlite_column_text(struct sqlite_statement *statement, int column);
struct span sqlite_column_blob(struct sqlite_statement *statement, int column);
bool sqlite_column_is_null(struct sqlite_statement *statement, int column);

int64_t sqlite_last_row_id(struct sqlite_database *database);
int64_t sqlite_changes(struct sqlite_database *database);

#endif
