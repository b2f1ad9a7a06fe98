/* SPDX-License-Identifier: Apache-2.0 */
/* duck.h - a thin face over libduckdb's C API: databases, connections, queries with bound values,
 * results, and table functions fed from C.
 *
 * A database is one instance; the same file must never be opened twice in one process (two of three
 * inserts were lost, FACTS C9). A connection belongs to one thread at a time; only
 * duck_connection_interrupt may come from another. Every statement is checked; after any error
 * inside a transaction the caller rolls back, because COMMIT after a failed statement reports
 * success (FACTS C8). Texts of errors come from DuckDB and may hold SQL: they go to logs, never to
 * HTTP clients. */
#ifndef WRAP_DUCK_H
#define WRAP_DUCK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/table.h"

struct duck_database;
struct duck_connection;
struct duck_result;

struct duck_options {
	const char *path;               /* NULL: in memory */
	int64_t memory_bytes_max;       /* 0: 256 MiB */
	int threads;                    /* 0: 1 */
	const char *temporary_folder;   /* NULL: no spilling to disk */
	const char *allowed_folder;     /* NULL: none; else files below it may be read and written */
	bool preserve_insertion_order;  /* default false: true serialises table functions */
};

/* Opens and locks down: no extension loading, external access limited to `allowed_folder`,
 * configuration locked (in the order that FACTS C "Sandbox" gives), time zone UTC. ERR_LOCAL; a
 * damaged file is ERR_INPUT, so that the caller can set it aside and rebuild. */
MUST_CHECK bool duck_open(const struct duck_options *options, struct duck_database **database_out, struct err *err);
void duck_close(struct duck_database **database);

MUST_CHECK bool duck_connect(struct duck_database *database, struct duck_connection **connection_out,
			     struct err *err);
void duck_disconnect(struct duck_connection **connection);

/* Ends the running query of `connection` from any thread; harmless when idle outside of a
 * transaction. The query returns ERR_RETRY "interrupted". */
void duck_interrupt(struct duck_connection *connection);

/* Runs one or more statements without values or result. */
MUST_CHECK bool duck_run(struct duck_connection *connection, const char *sql, struct err *err);

/* Runs exactly one statement with `values` bound in order to $1, $2, … (lists become LIST values of
 * their element type). *result_out NULL is allowed when the rows are of no interest. Errors:
 * ERR_RETRY when interrupted or out of the memory limit, ERR_LOCAL for I/O, ERR_INPUT for the rest
 * (syntax, types, conversions). */
MUST_CHECK bool duck_query(struct duck_connection *connection, const char *sql, const struct value *values,
			   size_t value_count, struct duck_result **result_out, struct err *err);
void duck_result_free(struct duck_result **result); /* for CLEANUP */

/* Copies a result into a table (arena of the caller). More than `row_count_max` rows: the rest is
 * left out and table->truncated set. The arena's cap: ERR_INPUT "result too large". Types map as
 * base/table.h says; types without a mapping arrive as their text. */
MUST_CHECK bool duck_result_read(struct duck_result *result, struct arena *arena, size_t row_count_max,
				 struct table *table_out, struct err *err);
/* Rows changed by an INSERT, UPDATE or DELETE; 0 otherwise. */
int64_t duck_result_changed(const struct duck_result *result);

/* First column of the first row as an integer; no row or NULL gives `missing`. */
MUST_CHECK bool duck_query_integer(struct duck_connection *connection, const char *sql, const struct value *values,
				   size_t value_count, int64_t missing, int64_t *value_out, struct err *err);

/* Names and types of the columns that `sql` (one SELECT) would return, without running it, as a
 * table with two text columns "name" and "type" (DuckDB's type names). ERR_INPUT when it does not
 * prepare, or is not exactly one SELECT. Parameters count in *parameter_count_out. */
MUST_CHECK bool duck_describe(struct duck_connection *connection, const char *sql, struct arena *arena,
			      struct table *table_out, size_t *parameter_count_out, struct err *err);

/* ---- BEGIN/COMMIT with the traps covered ---- */
MUST_CHECK bool duck_begin(struct duck_connection *connection, struct err *err);
MUST_CHECK bool duck_commit(struct duck_connection *connection, struct err *err);
/* Never fails visibly: after it no transaction is open. */
void duck_rollback(struct duck_connection *connection);

/* ---- rows from C ---- */
struct duck_column {
	const char *name;
	enum value_type type; /* BOOLEAN, INTEGER (BIGINT), REAL, TEXT, TIME (TIMESTAMP) */
};

/* A vector batch being filled: see duck_fill_*. */
struct duck_chunk;

struct duck_source {
	const struct duck_column *columns;
	size_t column_count;
	/* Fills up to `row_count_max` rows; sets *row_count_out, 0 at the end. Called from DuckDB's
	 * threads, one at a time. On failure its err ends the query. Text must be valid UTF-8: it is
	 * copied, and DuckDB would turn a bad one into NULL in silence (FACTS C13). */
	bool (*fill)(void *context, struct duck_chunk *chunk, size_t row_count_max, size_t *row_count_out,
		     struct err *err);
	void *context;
};

void duck_fill_null(struct duck_chunk *chunk, size_t column, size_t row);
void duck_fill_boolean(struct duck_chunk *chunk, size_t column, size_t row, bool value);
void duck_fill_integer(struct duck_chunk *chunk, size_t column, size_t row, int64_t value);
void duck_fill_real(struct duck_chunk *chunk, size_t column, size_t row, double value);
void duck_fill_time(struct duck_chunk *chunk, size_t column, size_t row, int64_t time_us);
void duck_fill_text(struct duck_chunk *chunk, size_t column, size_t row, struct span value);

/* Runs `sql`, one statement in which the table function `octolake_source($1)` yields the rows of
 * `source` ($1 is bound by this function; further values of the caller follow as $2, …). The source
 * must outlive the call. Projection is pushed down: fill may be asked for fewer columns through
 * duck_chunk_wants. An err of the source comes back with its own kind. */
MUST_CHECK bool duck_query_source(struct duck_connection *connection, const char *sql,
				  const struct duck_source *source, const struct value *values, size_t value_count,
				  struct duck_result **result_out, struct err *err);
bool duck_chunk_wants(const struct duck_chunk *chunk, size_t column);

/* The library's version, "v1.5.5". */
const char *duck_version(void);

#endif
