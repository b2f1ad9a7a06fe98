/* SPDX-License-Identifier: Apache-2.0 */
/* duck.h - a thin face over libduckdb's C API: databases, connections, queries with bound values,
 * results, and table functions fed from C.
 *
 * A database is one instance; the same file must never be opened twice in one process (two of three
 * inserts were lost). A connection belongs to one thread at a time; only duck_interrupt may come
 * from another. Every statement is checked; COMMIT after a failed statement would report success,
 * so transactions go through duck_begin and duck_commit. Texts of errors come from DuckDB and may
 * hold SQL: they go to logs, never to HTTP clients. */
#ifndef WRAP_DUCK_H
#define WRAP_DUCK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/table.h"

struct duck_database;
struct duck_connection;
struct duck_result;

struct duck_options {
	const char *path;              /* NULL: in memory */
	int64_t memory_bytes_max;      /* 0: 256 MiB */
	int threads;                   /* 0: 1 */
	const char *temporary_folder;  /* NULL: no spilling to disk; else SQL may write there too */
	int64_t temporary_bytes_max;   /* 0: 4 GiB; what spilling may take of the disk */
	const char *allowed_folder;    /* NULL: none; else files below it may be read and written */
	/* A database file of somebody else's that is attached as `foreign_file` before anything is locked;
	 * NULL: none. It and its write-ahead log are read, never written, and need no rights but to be
	 * read. Of its content only what a query names as foreign_file.SCHEMA.TABLE takes part: its
	 * views and macros do not stand in for ours. Generated columns are its expressions: leave them
	 * out. Damage, another version or no such file: ERR_INPUT; in use by a writer: ERR_LOCAL. */
	const char *attached_path;
	bool read_only;                /* of a file: nothing is written, its log is replayed in memory */
	/* Rows that a COPY with PARTITION_BY keeps in memory, of all partitions, before it writes them as a row
	 * group each; 0: DuckDB's 524,288. */
	int64_t partition_rows_max;
	bool preserve_insertion_order; /* default false: true serialises table functions */
};

/* Opens and locks down: no extension loading, no stored secrets, external access limited to
 * `allowed_folder`, configuration locked, time zone UTC. ERR_LOCAL (also: another process has the
 * file); a damaged file, one of another version or a WAL that cannot be replayed is ERR_INPUT, so
 * that the caller can set it aside and rebuild. */
MUST_CHECK bool duck_open(const struct duck_options *options, struct duck_database **database_out,
			  struct err *err);
/* All connections are gone by then. Checkpoints a file. */
void duck_close(struct duck_database **database);

/* True once a statement hit a fatal or internal error, or a damaged block, of this database: drain,
 * close, open again (no committed row is lost by that); exit when that fails. From any thread. */
bool duck_database_is_broken(const struct duck_database *database);

/* Whether an ERR_RETRY was for want of memory within memory_bytes_max. */
bool duck_err_is_memory(const struct err *err);

MUST_CHECK bool duck_connect(struct duck_database *database,
			     struct duck_connection **connection_out, struct err *err);
/* An open transaction is rolled back. Results are freed by then. */
void duck_disconnect(struct duck_connection **connection);

/* Ends the running query of `connection` from any thread; harmless when idle outside of a
 * transaction. The query returns ERR_RETRY "interrupted", mostly within milliseconds, but not
 * before the end of one long scalar call. */
void duck_interrupt(struct duck_connection *connection);

/* Runs one or more statements without values or result; stops at the first that fails. Not for
 * BEGIN, COMMIT, ROLLBACK. Errors as duck_query. */
MUST_CHECK bool duck_run(struct duck_connection *connection, const char *sql, struct err *err);

enum { DUCK_LIST_COUNT_MAX = 65536 };

/* Runs exactly one statement with `values` bound in order to $1, $2, … (as many as it has; lists
 * become LIST values of their element type, times TIMESTAMP). *result_out NULL is allowed when the
 * rows are of no interest. Errors:
 * - ERR_RETRY: "interrupted", out of the memory limit, or in conflict with another transaction;
 * - ERR_LOCAL: I/O, or a broken database (see above; the text starts with "fatal");
 * - ERR_INPUT: the rest (syntax, types, conversions, constraints, files that may not be touched,
 *   texts that are not UTF-8, lists of mixed types or longer than DUCK_LIST_COUNT_MAX). */
MUST_CHECK bool duck_query(struct duck_connection *connection, const char *sql,
			   const struct value *values, size_t value_count,
			   struct duck_result **result_out, struct err *err);
void duck_result_free(struct duck_result **result); /* for CLEANUP */

/* Copies a result into a table (arena of the caller); once per result. More than `row_count_max`
 * rows: the rest is left out and table->truncated set. The arena's cap: ERR_INPUT "result too
 * large". Types map as base/table.h says, DECIMAL is REAL; integers beyond 64 bits, infinite times
 * and types without a mapping (STRUCT, UUID, BLOB, …) arrive as their text, whatever the column's
 * type says. The few types that have no text here (BIGNUM, GEOMETRY, VARIANT) are ERR_INPUT. */
MUST_CHECK bool duck_result_read(struct duck_result *result, struct arena *arena,
				 size_t row_count_max, struct table *table_out, struct err *err);
/* As duck_query for one SELECT whose rows come as they are made: whatever its size, the engine holds a
 * few thousand of them. Read it with duck_result_next, to its end or not, before the connection runs
 * anything else. */
MUST_CHECK bool duck_query_stream(struct duck_connection *connection, const char *sql,
				  const struct value *values, size_t value_count,
				  struct duck_result **result_out, struct err *err);
/* The next rows (2,048 at most) as duck_result_read gives them; *table_out has none at the end. Errors
 * of the query come from here as well as from duck_query_stream. */
MUST_CHECK bool duck_result_next(struct duck_result *result, struct arena *arena, struct table *table_out,
				 struct err *err);
/* Rows changed by an INSERT, UPDATE or DELETE, or written by a COPY; 0 otherwise. */
int64_t duck_result_changed(const struct duck_result *result);

/* First column of the first row as an integer; no row or NULL gives `missing`. Another type is
 * ERR_INPUT. */
MUST_CHECK bool duck_query_integer(struct duck_connection *connection, const char *sql,
				   const struct value *values, size_t value_count, int64_t missing,
				   int64_t *value_out, struct err *err);

/* Names and types of the columns that `sql` (one SELECT) would return, without running it, as a
 * table with two text columns "name" and "type" (DuckDB's type names). Types may depend on those of
 * the parameters: `values` are of their types (value_null(type) will do), those beyond
 * `value_count` are NULL of no type. ERR_INPUT when it does not prepare, or is not exactly one
 * SELECT. Parameters count in *parameter_count_out. */
MUST_CHECK bool duck_describe(struct duck_connection *connection, const char *sql,
			      const struct value *values, size_t value_count, struct arena *arena,
			      struct table *table_out, size_t *parameter_count_out,
			      struct err *err);

/* Appends `text` as an SQL string literal, quotes included, for the paths in COPY … TO and the
 * like, which cannot be bound; everything else is bound. False, and nothing appended, when it holds
 * NUL or is not UTF-8; also when `out` is full. */
MUST_CHECK bool duck_quote_text(struct buf *out, struct span text);

/* ---- BEGIN/COMMIT with the traps covered ---- */
/* No transaction is open before. */
MUST_CHECK bool duck_begin(struct duck_connection *connection, struct err *err);
/* As duck_begin; statements that change the database then fail with ERR_INPUT. */
MUST_CHECK bool duck_begin_read_only(struct duck_connection *connection, struct err *err);
/* After a failed statement it rolls back and fails with the kind of the first failure. After it no
 * transaction is open, whatever it returns. */
MUST_CHECK bool duck_commit(struct duck_connection *connection, struct err *err);
/* Never fails visibly: after it no transaction is open. Without a transaction: nothing happens. */
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
	 * threads, one at a time; not again after the end or a failure, nor when the query needs no
	 * more rows. On failure its err ends the query. */
	bool (*fill)(void *context, struct duck_chunk *chunk, size_t row_count_max,
		     size_t *row_count_out, struct err *err);
	void *context;
};

/* A cell that is not filled is NULL. Cells of columns that the query does not want are ignored.
 * Text is copied; text that is not UTF-8 ends the query with ERR_INPUT, absent text is NULL. */
void duck_fill_null(struct duck_chunk *chunk, size_t column, size_t row);
void duck_fill_boolean(struct duck_chunk *chunk, size_t column, size_t row, bool value);
void duck_fill_integer(struct duck_chunk *chunk, size_t column, size_t row, int64_t value);
void duck_fill_real(struct duck_chunk *chunk, size_t column, size_t row, double value);
void duck_fill_time(struct duck_chunk *chunk, size_t column, size_t row, int64_t time_us);
void duck_fill_text(struct duck_chunk *chunk, size_t column, size_t row, struct span value);

/* Runs `sql`, one statement (COPY and INSERT too) in which the table function
 * `octolake_source($1)` yields the rows of `source` ($1 is bound by this function; further values
 * of the caller follow as $2, …). The source must outlive the call and can be scanned once: a
 * second `octolake_source($1)` in the statement is ERR_INPUT. Other connections cannot reach it.
 * Projection is pushed down: fill may be asked for fewer columns through duck_chunk_wants. An err
 * of the source comes back with its own kind. */
MUST_CHECK bool duck_query_source(struct duck_connection *connection, const char *sql,
				  const struct duck_source *source, const struct value *values,
				  size_t value_count, struct duck_result **result_out,
				  struct err *err);
bool duck_chunk_wants(const struct duck_chunk *chunk, size_t column);

/* The library's version, "v1.5.5". */
const char *duck_version(void);

#endif
