/* SPDX-License-Identifier: Apache-2.0 */
/* metric_sql.h - turns the SQL of a metric, with its ${placeholders}, into SQL with bound
 * parameters $1, $2, …
 *
 * A value never becomes text of a statement: whatever the tokenizer makes of an odd statement, a
 * placeholder either is a bound parameter inside a CAST or the metric is refused. What the words
 * between mean is the engine's business (it prepares the result). */
#ifndef METRICS_METRIC_SQL_H
#define METRICS_METRIC_SQL_H

#include "base/arena.h"
#include "base/buf.h"

enum { METRIC_SQL_BYTES_MAX = 64 * 1024, METRIC_SQL_SLOT_COUNT_MAX = 32 };

/* One placeholder: which bytes of the written SQL became which bytes of the made one. */
struct metric_sql_piece {
	size_t written_start, written_end;
	size_t made_start, made_end;
};

struct metric_sql {
	const char *text; /* NUL-terminated */
	/* slots[n - 1]: what is bound to $n, by the number that `resolve` gave it. */
	size_t slots[METRIC_SQL_SLOT_COUNT_MAX];
	size_t slot_count;
	const struct metric_sql_piece *pieces;
	size_t piece_count;
};

/* What a name stands for. */
struct metric_sql_name {
	size_t slot;      /* any number of the caller's */
	const char *type; /* "BIGINT", "VARCHAR[]": the target of the CAST */
	bool is_list;
};

struct metric_sql_options {
	void *context;
	/* False: there is no such name; it has told the fault itself. */
	bool (*resolve)(
		void *context, struct span name, size_t offset, struct metric_sql_name *name_out);
	/* Told once for each fault, with the place (in bytes) in the written SQL. */
	void (*fault)(void *context, size_t offset, const char *text);
};

/* Makes the statement, in `arena`, or tells the faults. The forms:
 *   ${x}       CAST($1 AS T)
 *   '${x}'     (CAST($1 AS T)), so that INTERVAL '${x}' MINUTE works; TIMESTAMP '${x}' (also DATE,
 *              TIME, TIMESTAMPTZ) becomes CAST((CAST($1 AS T)) AS TIMESTAMP)
 *   'a ${x} b' ('a ' || CAST($1 AS VARCHAR) || ' b')
 *   in comments: stays a comment
 * Faults: in "identifiers", E'', X'', B'' and $$ strings, as a part of a word, and inside functions
 * that run or open what a text names (query(), read_csv(), …); parameters of the engine's own ($1,
 * ?); a second statement; no SELECT; what is not closed; more than the limits above. A semicolon at
 * the end is left out. A name that is used twice is one parameter. */
bool metric_sql_compile(struct span sql, const struct metric_sql_options *options,
	struct arena *arena, struct metric_sql *sql_out);

/* Where a byte of the made statement was written. */
size_t metric_sql_written_offset(const struct metric_sql *sql, size_t made_offset);

#endif
