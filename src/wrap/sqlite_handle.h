/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_handle.h - what sqlite.c and sqlite_value.c share. For these two files only. */
#ifndef WRAP_SQLITE_HANDLE_H
#define WRAP_SQLITE_HANDLE_H

#include "wrap/sqlite.h"

struct sqlite3_stmt;

struct sqlite_statement {
	struct sqlite3_stmt *handle;
	struct sqlite_database *database; /* borrowed */
	const char *sql;                  /* borrowed: a literal */
	uint64_t used_at;
	bool lent;   /* between sqlite_prepare and sqlite_finish */
	bool cached; /* else it dies with sqlite_finish */
};

/* Sets `err` from SQLite's result code; must follow the failed call. Returns false. */
bool sqlite_fail(struct sqlite_database *database, int code, struct err *err);

#endif
