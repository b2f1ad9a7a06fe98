/* SPDX-License-Identifier: Apache-2.0 */
/* duck_private.h - what the files of duck.h share; nobody else includes it. */
#ifndef WRAP_DUCK_PRIVATE_H
#define WRAP_DUCK_PRIVATE_H

#include "wrap/duck.h"

#include <duckdb.h>
#include <pthread.h>
#include <stdatomic.h>

struct duck_database {
	duckdb_database handle;
	atomic_bool broken;
	atomic_int connection_count;
	/* The sources of running duck_query_source calls, looked up when their statement is bound. */
	pthread_mutex_t sources_mutex;
	struct duck_source_entry *sources;
	int64_t source_id_last;
};

struct duck_connection {
	duckdb_connection handle;
	struct duck_database *database;
	bool in_transaction;
	struct err transaction_failure; /* the first inside the transaction; ERR_NONE: none */
};

struct duck_result {
	duckdb_result handle;
	int64_t changed_count;
	bool was_read;
	struct duck_connection *connection; /* of a stream; else NULL */
};

/* ---- duck.c ---- */
/* Sets err from DuckDB's `text`, whose kind follows from `type` (DUCKDB_ERROR_INVALID: from the
 * text), and notes what it means for the database and the open transaction. Returns false. */
bool duck_fail(struct duck_connection *connection, duckdb_error_type type, const char *text,
	       struct err *err);
/* As duck_fail for an error of our own about the statement at hand: err is set already. */
bool duck_fail_noted(struct duck_connection *connection, struct err *err);

/* ---- duck_query.c ---- */
/* duck_query with `first` (may be NULL) bound to $1 and the values behind it. */
MUST_CHECK bool duck_query_after(struct duck_connection *connection, const char *sql,
				 const struct value *first, const struct value *values,
				 size_t value_count, struct duck_result **result_out,
				 struct err *err);

/* ---- duck_value.c ---- */
/* A value to bind; *value_out is destroyed by the caller. ERR_INPUT. */
MUST_CHECK bool duck_value_make(const struct value *value, duckdb_value *value_out,
				struct err *err);
/* NULL for VALUE_NULL and VALUE_LIST, which are no type of their own. */
duckdb_logical_type duck_value_logical_type(enum value_type type);

/* ---- duck_cell.c ---- */
/* The text that DuckDB shows for a cell that is not NULL, whatever its type; free it with
 * duckdb_free. NULL when there is none. */
char *duck_cell_text(duckdb_vector vector, duckdb_logical_type type, idx_t row);

/* ---- duck_source.c ---- */
/* Makes octolake_source known to the database of `connection`. */
MUST_CHECK bool duck_source_register(struct duck_connection *connection, struct err *err);

#endif
