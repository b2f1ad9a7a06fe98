/* SPDX-License-Identifier: Apache-2.0 */
/* gold.h - the engine that answers: one wide `events` table in time order, views per event type,
 * rollups; DuckDB behind this face, other engines later.
 *
 * Gold is a cache: it can always be made again from silver. One thread loads; any thread reads.
 * A load and the record of that load (`loaded_batches`) are one transaction; gold alone says what
 * gold holds. Tables that metrics may use (docs/formats/gold.md): events, event_types(type),
 * coverage(minute), rollup_*, and a view per event type in lower case (pullrequestevent) with the
 * first system's dotted column names. */
#ifndef GOLD_GOLD_H
#define GOLD_GOLD_H

#include "base/clock.h"
#include "gold/rollup.h"
#include "lake/catalog.h"

struct gold_options {
	const struct layout *layout;
	struct catalog *catalog; /* of the loading thread; borrowed; not used by readers */
	const struct field_set *fields;
	const struct rollup *rollups; /* borrowed */
	size_t rollup_count;
	const struct clock *clock;
	int64_t memory_bytes_max; /* 0: 256 MiB */
	int threads;              /* 0: 2 */
	int readers;              /* connections for queries; 0: 4 */
	int heavy_readers;        /* heavy queries at once; 0: 2 */
	/* A program that is run as `OPENER try-gold FILE` before a file is opened that we did not close, so
	 * that what crashes or hangs the engine ends a child: see gold_try. NULL: not tried. */
	const char *opener;
	struct stop_flag *stop;   /* may be NULL; once set, a rebuild ends early (ERR_RETRY "stopped") */
};

struct gold;

/* Opens the current generation. One that is missing or will not open, has another fingerprint, other
 * rollups or another format, is damaged, was built before silver was made anew, knows batches that
 * the catalog does not, or lacks such as the catalog says it has: a new generation is built aside
 * from silver, then switched to; what cannot be opened is set aside (the last such file is kept),
 * whatever it is. A file that was not closed by us is first opened in a child (options.opener).
 * With `defer_rebuild` that is left to gold_rebuild (the caller's refresh thread), unless silver is
 * empty; meanwhile the old generation answers, where its answers are right, else gold says
 * GOLD_REBUILDING. ERR_LOCAL: another process has the file, the disk, the catalog. */
MUST_CHECK bool gold_open(const struct gold_options *options, bool defer_rebuild, struct gold **gold_out,
			  struct err *err);
/* What the child does: opens `path` read-only and reads what opening gold reads. ERR_INPUT: damaged.
 * ERR_LOCAL: the machine. It may as well crash, or not return. */
MUST_CHECK bool gold_try(const char *path, struct err *err);
void gold_close(struct gold **gold); /* interrupts and waits for readers first */

/* A look at the file of the generation in force by one who does not work with it. Only while nobody else
 * can open it (the caller holds the data folder's lock): the engine locks the file meanwhile. */
struct gold_probe {
	bool found; /* false: there is none yet, and the rest is 0 */
	int64_t generation;
	int64_t rows;
	int64_t file_bytes;
};
/* Errors as duck_open: ERR_INPUT when the file is damaged. */
MUST_CHECK bool gold_probe(const struct layout *layout, struct catalog *catalog, struct gold_probe *probe_out,
			   struct err *err);

enum gold_state { GOLD_READY, GOLD_REBUILDING };

/* What gold holds now; in memory, any thread, never waits for a load. */
struct gold_stamp {
	enum gold_state state;
	int64_t generation;
	int64_t loads;           /* changes whenever an answer may change */
	int64_t rows;
	int64_t removed;         /* rows that it held, or would have, and that are no longer kept */
	int64_t newest_event_us; /* 0: none */
	int64_t oldest_event_us;
	int64_t loaded_at_us;    /* wall time of the last load that brought rows */
	int64_t batch;           /* highest loaded */
	int64_t file_bytes;
	/* Why a rebuild is due or runs, a literal; NULL: none. Answers, if any, come from the generation
	 * before it, which holds all that it should. */
	const char *rebuild_reason;
	int64_t rebuild_rows_done, rebuild_rows_total;   /* of silver; 0 of 0: not begun */
	int64_t rebuild_files_done, rebuild_files_total;
};
void gold_read_stamp(struct gold *gold, struct gold_stamp *stamp_out);

/* ---- loading: one thread ---- */
struct gold_report {
	int64_t batches;
	int64_t rows;
	int64_t duplicates;
	int64_t quarantined; /* same key, other repository */
};
/* Loads every batch that waits in state SILVER, in order, and coverage of sweeps that it has not
 * seen; mirrors the counts into the catalog. Several batches may share a transaction. A batch that
 * gold already has is only mirrored. A broken instance (FATAL, FACTS C7) is closed and opened again;
 * one with damage is set aside, and a rebuild is due. While a rebuild is due, nothing is loaded, and
 * the report is empty. A batch with a lower number than one that has the same event makes a rebuild
 * due: of equal keys the lowest batch counts. `stop` may be NULL: checked between transactions. */
MUST_CHECK bool gold_load_pending(struct gold *gold, struct stop_flag *stop, struct gold_report *report_out,
				  struct err *err);
/* True when gold_open deferred a rebuild, or a load found that one is due. */
bool gold_needs_rebuild(struct gold *gold);
/* Builds generation n+1 from silver's files, switches readers over, removes older ones. On failure the
 * old one stays as it is. */
MUST_CHECK bool gold_rebuild(struct gold *gold, struct gold_report *report_out, struct err *err);

/* The loading thread: takes out what is older than the catalog says gold keeps (lake/retention.h), a
 * bounded number of rows a transaction; rollups and coverage follow in the same one, and rows that come
 * later than that never get in. Does nothing while a rebuild is due, which keeps to it too. *rows_out:
 * rows taken out. `stop` may be NULL. */
MUST_CHECK bool gold_expire(struct gold *gold, struct stop_flag *stop, int64_t *rows_out, struct err *err);
/* The instant from which on gold's events take about `bytes_max` of its file; 0 when all of them fit. */
MUST_CHECK bool gold_choose_expired(struct gold *gold, int64_t bytes_max, int64_t *before_us_out,
				    struct err *err);
/* Events of before `before_us`. */
MUST_CHECK bool gold_count_expired(struct gold *gold, int64_t before_us, int64_t *rows_out, struct err *err);
/* The last sweep of the catalog whose coverage gold has. */
int64_t gold_last_sweep(const struct gold *gold);

/* ---- reading: any thread ---- */
struct gold_query {
	const char *sql; /* one SELECT with $1, $2, … */
	const struct value *values;
	size_t value_count;
	size_t row_count_max;
	int64_t wait_ms_max; /* 0: none. Over it the query is interrupted. */
	bool heavy;          /* takes one of the few places for heavy queries, waiting its turn */
};
/* Runs in a read-only transaction on a connection of its own. ERR_RETRY: over time
 * (gold_err_is_timeout), no place free in time, rebuilding or closing, interrupted, or out of memory;
 * ERR_INPUT: the SQL or its values; ERR_LOCAL: the rest. *stamp_out (may be NULL) is what gold held
 * at least: a load may have come between. The SQL runs as a subquery, so a statement that is no
 * SELECT, or more than one, is ERR_INPUT; columns of equal names get _1, _2, … behind them. */
MUST_CHECK bool gold_run_query(struct gold *gold, const struct gold_query *query, struct arena *arena,
			       struct table *table_out, struct gold_stamp *stamp_out, struct err *err);
bool gold_err_is_timeout(const struct err *err);
/* Columns ("name", "type") of one SELECT and its number of parameters. ERR_INPUT when it does not
 * prepare. */
MUST_CHECK bool gold_describe(struct gold *gold, const char *sql, struct arena *arena, struct table *columns_out,
			      size_t *parameter_count_out, struct err *err);
/* Interrupts all running queries, for shutdown. */
void gold_interrupt(struct gold *gold);
/* The newest event that the rollups hold: a rollup may serve questions whose as_of is not before it
 * (the events it counted are all within the question). 0: none. */
int64_t gold_rollup_newest_us(struct gold *gold);

#endif
