/* SPDX-License-Identifier: Apache-2.0 */
/* gold_private.h - what the gold_*.c files share. For these files only.
 *
 *   gold.c           opening, closing, what is true now
 *   gold_trial.c     a file that may crash the engine, opened in a child
 *   gold_instance.c  one generation's file: open, make, publish, remove
 *   gold_schema.c    its tables, and whether it still fits the catalog
 *   gold_view.c      a view for each event type
 *   gold_rows.c      silver's rows into events, each key once
 *   gold_rollup.c    the rollups' SQL
 *   gold_coverage.c  minutes that sweeps covered
 *   gold_load.c      waiting batches, one transaction after the other
 *   gold_rebuild.c   everything again, aside
 *   gold_expire.c    what is no longer kept
 *   gold_reader.c    queries, their places and their time
 *
 * Two kinds of threads: the loading one, which owns every connection called `loader` and the fields
 * marked (loader); and readers with the watchdog, which meet it only under `mutex`. */
#ifndef GOLD_GOLD_PRIVATE_H
#define GOLD_GOLD_PRIVATE_H

#include "gold/gold.h"
#include "wrap/duck.h"

enum {
	GOLD_FORMAT_VERSION = 1,
	GOLD_READERS_MAX = 64,
	GOLD_SQL_BYTES_MAX = 16 * 1024 * 1024,
	GOLD_LIST_BYTES_MAX = 1024 * 1024 * 1024,
};

#define GOLD_GENERATION_SETTING "gold_generation" /* of the catalog */

/* A place for one query. */
struct gold_reader {
	struct duck_connection *connection;
	bool busy;
	bool timed_out; /* the watchdog ended it */
	bool stopped;   /* gold_interrupt ended it */
	int64_t deadline_ms; /* monotonic; INT64_MAX: none */
};

/* One open generation. */
struct gold_instance {
	struct gold_instance *next; /* retired before it */
	int64_t generation;
	struct file_path path; /* absolute */
	struct duck_database *database;
	struct duck_connection *loader;
	size_t reader_count;
	int busy_count;
	bool damaged; /* a query met a block that cannot be read */
	struct gold_reader readers[GOLD_READERS_MAX];
};

struct gold {
	struct gold_options options; /* defaults filled in */
	char rollups[17]; /* fingerprint of their definitions */
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* a place became free, another instance current, gold is closing */
	pthread_cond_t watch;   /* for the watchdog: there is something to watch */
	pthread_t watchdog;
	bool watchdog_runs;
	bool closing;
	bool reopening; /* the current instance comes back in a moment */
	struct gold_instance *current; /* NULL: nothing to answer from */
	int64_t adoptions; /* how often `current` was set */
	struct gold_instance *retired; /* still answering a query */
	int heavy_count;
	int waiting_count; /* threads that wait for a place */
	struct gold_stamp stamp;
	bool damage_found;          /* (loader) a file was set aside since gold_open */
	const char *rebuild_reason; /* NULL: none is due */
	int64_t generation;   /* (loader) of the catalog's setting; 0: none yet */
	int64_t kept_from_us; /* (loader) events before it are not kept; 0: all are */
	int64_t sweep;        /* (loader) coverage of sweeps up to here was looked at */
	int64_t uncheckpointed; /* (loader) loads since the last checkpoint */
};

/* ---- gold_trial.c ---- */
/* Whether the file at `path`, of generation `generation`, can be opened without harm; *damaged_out says
 * that it cannot. A file that was closed by us and not changed since is not tried. From here on it
 * counts as not closed. */
MUST_CHECK bool gold_trial_run(const struct gold *gold, const char *path, bool *damaged_out, struct err *err);
/* The file at `path` was closed in good order. */
void gold_trial_note_closed(const struct gold *gold, const char *path);

/* ---- gold_instance.c ---- */
/* Opens the file at `path` (made when missing) with its loader and `reader_count` readers. Errors as
 * duck_open. */
MUST_CHECK bool gold_instance_open(const struct gold *gold, const char *path, int64_t generation,
				   size_t reader_count, struct gold_instance **instance_out, struct err *err);
void gold_instance_close(struct gold_instance **instance);
/* Absolute path of generation `generation`. */
MUST_CHECK bool gold_instance_path(const struct gold *gold, int64_t generation, struct file_path *path_out,
				   struct err *err);
/* Removes a closed file and its log. */
MUST_CHECK bool gold_instance_remove(const char *path, struct err *err);
/* Sets a closed file and its log aside; what was set aside before is removed. */
MUST_CHECK bool gold_instance_set_aside(const struct gold *gold, const char *path, struct err *err);
/* Removes every generation on disk but `generation`. */
MUST_CHECK bool gold_instance_sweep(const struct gold *gold, int64_t generation, struct err *err);
/* The highest generation on disk below `below`; 0: none. */
MUST_CHECK bool gold_instance_find(const struct gold *gold, int64_t below, int64_t *generation_out,
				   struct err *err);
/* Closes retired instances that no reader uses any more, and removes their files. */
MUST_CHECK bool gold_instance_drop_retired(struct gold *gold, struct err *err);

/* ---- gold_schema.c ---- */
struct gold_meta {
	int64_t format;
	char fingerprint[17];
	char rollups[17];
	char views[17];
	int64_t silver_rebuilds;
	int64_t loads;
	int64_t sweep;
	bool rebuild_due;
};
/* The tables of an empty generation, with today's fingerprints, and the types of today. */
MUST_CHECK bool gold_schema_create(const struct gold *gold, struct duck_connection *connection, int64_t loads,
				   struct err *err);
MUST_CHECK bool gold_schema_read_meta(struct duck_connection *connection, struct gold_meta *meta_out,
				      struct err *err);
/* Do its batches agree with the catalog? *lacks_out: not all are there that the catalog says it has, or
 * not all of their rows. *knows_others_out: it has one that the catalog has not. */
MUST_CHECK bool gold_schema_check_batches(const struct gold *gold, struct duck_connection *connection,
					  bool *lacks_out, bool *knows_others_out, struct err *err);
/* Runs the embedded statements `name`. */
MUST_CHECK bool gold_schema_run(struct duck_connection *connection, const char *name, const struct value *values,
				size_t value_count, struct err *err);

/* ---- gold_view.c ---- */
/* Makes the views of all event_types when their texts are not those that are there. *made_out: DDL
 * was run, so a checkpoint has to follow the commit. */
MUST_CHECK bool gold_view_make(const struct gold *gold, struct duck_connection *connection, bool *made_out,
			       struct err *err);

/* ---- gold_rows.c: all inside of the caller's transaction ---- */
/* Puts the rows of `files` with `condition` (SQL, may be NULL) into the temporary table incoming,
 * ranked within each key by batch. */
MUST_CHECK bool gold_rows_stage(const struct gold *gold, struct duck_connection *connection,
				const struct lake_file *files, size_t file_count, const char *condition,
				const struct value *values, size_t value_count, struct err *err);
/* Finds the rows of events that have a key of incoming: temporary table existing. With `none` it is
 * known that there are none. */
MUST_CHECK bool gold_rows_match(struct duck_connection *connection, bool none, struct err *err);
/* Temporary table fresh: the rows that are new; the conflicts into conflicts. */
MUST_CHECK bool gold_rows_decide(struct duck_connection *connection, struct err *err);
/* Takes events of before `kept_from_us` (0: none) out of fresh, and puts the rest into events. */
MUST_CHECK bool gold_rows_insert(struct duck_connection *connection, int64_t kept_from_us, struct err *err);
/* Drops the temporary tables. */
MUST_CHECK bool gold_rows_drop(struct duck_connection *connection, struct err *err);

/* ---- gold_rollup.c ---- */
/* 16 hexadecimal digits over all definitions. */
void gold_rollup_fingerprint(const struct rollup *rollups, size_t count, char fingerprint_out[17]);
MUST_CHECK bool gold_rollup_create(struct duck_connection *connection, const struct rollup *rollup,
				   struct err *err);
/* Adds the rows of `table` (fresh, or events for all of them) to the rollup. */
MUST_CHECK bool gold_rollup_add(struct duck_connection *connection, const struct rollup *rollup,
				const char *table, struct err *err);

/* ---- gold_coverage.c ---- */
/* Adds what sweeps behind `sweep` covered, at most one page of them. *sweep_out: the last one seen;
 * *added_out: minutes that are new. */
MUST_CHECK bool gold_coverage_add(const struct gold *gold, struct duck_connection *connection, int64_t sweep,
				  int64_t *sweep_out, int64_t *added_out, struct err *err);

/* ---- gold_load.c ---- */
/* Tells the catalog what loaded_batches says of `batches` (ascending), with their conflicts, where it
 * does not know. found_out (may be NULL, else one for each): loaded_batches has it. */
MUST_CHECK bool gold_load_mirror(struct gold *gold, struct duck_connection *connection,
				 const struct batch *batches, size_t count, bool *found_out,
				 struct gold_report *report, struct err *err);
/* The rows of loaded_batches for `batches`, whose new events are in `table` (fresh or events).
 * `expired` (may be NULL) names a table (batch, count) of those that were new too but are not kept. */
MUST_CHECK bool gold_load_record(const struct gold *gold, struct duck_connection *connection,
				 const struct batch *batches, size_t count, const char *table,
				 const char *expired, struct err *err);
/* The same with the numbers that the catalog has of them. */
MUST_CHECK bool gold_load_copy(const struct gold *gold, struct duck_connection *connection,
			       const struct batch *batches, size_t count, struct err *err);
/* A checkpoint where one is due (`at_once`: in any case), and there is room for it. False when the
 * instance broke in it. */
MUST_CHECK bool gold_load_checkpoint(struct gold *gold, struct duck_connection *connection, bool at_once,
				     struct err *err);

/* ---- gold_reader.c ---- */
MUST_CHECK bool gold_reader_start(struct gold *gold, struct err *err); /* the watchdog */
void gold_reader_stop(struct gold *gold);
/* Interrupts the queries of `instance` until none runs. The mutex is held. */
void gold_reader_drain(struct gold *gold, struct gold_instance *instance);

/* Adds what sweeps covered that the catalog no longer has. */
MUST_CHECK bool gold_coverage_add_joined(const struct gold *gold, struct duck_connection *connection,
					 struct err *err);

/* ---- gold_expire.c ---- */
/* Reads kept_from_us from the catalog. */
MUST_CHECK bool gold_expire_read(struct gold *gold, struct err *err);

/* ---- gold.c ---- */
/* Reads what the current instance holds, for readers. */
MUST_CHECK bool gold_refresh_stamp(struct gold *gold, struct err *err);
/* What readers are told from now on; the file's size is filled in. */
void gold_set_stamp(struct gold *gold, const struct gold_stamp *stamp);
/* Makes *instance the one that answers, and takes it; the one before is retired. */
MUST_CHECK bool gold_adopt(struct gold *gold, struct gold_instance **instance, struct err *err);
/* A rebuild is due, for this reason (a literal); NULL: not any more. */
void gold_set_rebuild_due(struct gold *gold, const char *reason);
void gold_set_progress(struct gold *gold, int64_t rows_done, int64_t rows_total, int64_t files_done,
		       int64_t files_total);
/* A query on `instance` failed so: was it damage? */
void gold_note_damage(struct gold *gold, struct gold_instance *instance, const struct err *err);
/* There is no instance, or it has to be opened again. */
bool gold_is_broken(struct gold *gold);
/* Closes the current instance and opens its file again. What will not open is set aside, and a
 * rebuild is due. */
MUST_CHECK bool gold_reopen(struct gold *gold, struct err *err);

#endif
