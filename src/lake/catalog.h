/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - catalog.sqlite, the only control state: batches, files with checksums and lineage,
 * poll ledger, cursors, quarantine. docs/formats/catalog.md is the contract.
 *
 * A handle belongs to one thread; each thread opens its own. Every change is one transaction with
 * synchronous=FULL. The order that makes crashes harmless (decision 0003): bronze files are durable
 * before catalog_store_batch names them; silver files before catalog_store_silver; gold's own
 * loaded_batches alone says what gold holds, catalog_store_gold only mirrors its numbers. */
#ifndef LAKE_CATALOG_H
#define LAKE_CATALOG_H

#include "lake/bronze.h"
#include "lake/scan.h"

struct catalog;

/* Opens or makes the catalog; brings an older format up (with `read_only` that is ERR_RETRY: the next
 * start does it); refuses a newer one (ERR_LOCAL, exit code 4). A damaged file: ERR_INPUT (the caller
 * sets it aside and calls catalog_recover). */
MUST_CHECK bool catalog_open(const struct layout *layout, bool read_only, struct catalog **catalog_out,
			     struct err *err);
void catalog_close(struct catalog **catalog);

/* For a catalog that is damaged: renames it and its write-ahead log beside their names, so that
 * catalog_open makes a new one and catalog_recover fills it from the files. No handle may be open.
 * *aside_out: the catalog's new path, absolute. */
MUST_CHECK bool catalog_set_aside(const struct layout *layout, struct file_path *aside_out, struct err *err);

/* Run once at start, before any stage, with the data folder locked; repeating it changes nothing.
 * It checks the catalog itself (up to 128 MiB; ERR_INPUT when damaged: set it aside, open anew, call
 * again), then makes catalog and files agree:
 * - Drafts, staged files and spilled query state are removed.
 * - Published bronze files that the catalog does not name (left by a crash between rename and
 *   commit; all of them when the catalog was lost) join the batch of their sequence; a sequence
 *   whose batch is already in silver is left alone and the file becomes a batch with a new one.
 *   Damaged files are set aside.
 * - A silver file that is missing or has another size is lost (catalog_lose_silver): it is made again
 *   from bronze.
 * - Silver files under names of layout.h that the catalog does not name are removed: all of them when
 *   it was lost, because the adopted batches are in state BRONZE. Where there is a backup of the catalog
 *   it is renewed first; on a disk too full for that they stay. Gold's files are left to gold.
 * A catalog that came from its backup and is damaged: the backup is set aside too. */
struct catalog_recovery {
	int64_t batches_adopted;
	int64_t files_adopted;
	int64_t files_removed;
	int64_t files_damaged; /* bronze that could not be read: set aside beside its name */
	int64_t files_missing; /* silver that is gone or cut: it is made again */
};
MUST_CHECK bool catalog_recover(struct catalog *catalog, const struct layout *layout,
				struct catalog_recovery *report_out, struct err *err);

/* Has the catalog's pages checked, one larger than `bytes_max` excepted (true, and *checked_out false): 100 MB
 * take about a second. ERR_INPUT when it is damaged. */
MUST_CHECK bool catalog_check(struct catalog *catalog, int64_t bytes_max, bool *checked_out, struct err *err);

/* ---- batches ---- */
enum batch_state { BATCH_BRONZE, BATCH_SILVER, BATCH_GOLD };

struct batch {
	int64_t seq; /* from 1 */
	enum batch_state state;
	char source[16];
	int64_t received_at_us;
	/* received = bronze_rows + duplicates + filtered + quarantined (ingest's view) */
	int64_t received;
	int64_t duplicates;
	int64_t filtered;
	int64_t quarantined;
	int64_t bronze_rows;
	/* bronze_rows = silver_rows + silver_duplicates + silver_quarantined */
	int64_t silver_rows;
	int64_t silver_duplicates;
	int64_t silver_quarantined;
	/* silver_rows = gold_rows + gold_duplicates + gold_quarantined */
	int64_t gold_rows;
	int64_t gold_duplicates;
	int64_t gold_quarantined;
};

/* One more than the highest batch ever stored, left on disk, or given by this call before: no number
 * is given twice, by whatever handle, so that a batch whose publication was given up is never
 * overwritten by another. Numbers that are not used leave harmless gaps. */
MUST_CHECK bool catalog_next_batch(struct catalog *catalog, int64_t *seq_out, struct err *err);

struct quarantined {
	int64_t batch;       /* 0: none (a whole page); else one that is stored, or being stored */
	const char *stage;   /* "ingest", "silver" or "gold" */
	const char *reason;  /* scan_reason_name, "key-conflict", "body-not-an-array", … */
	const char *detail;
	const char *path;    /* relative bronze path or stream name */
	int64_t offset;
	struct span raw;     /* bytes as received */
};
/* Of all entries: their raw bytes, and CATALOG_QUARANTINE_ENTRY_BYTES for each. */
enum { CATALOG_QUARANTINE_BYTES_MAX = 1024 * 1024 * 1024, CATALOG_QUARANTINE_ENTRY_BYTES = 256 };

/* ---- streams: what is polled ---- */
enum { STREAM_NAME_BYTES_MAX = 200, STREAM_PAGE_COUNT_MAX = 3, STREAM_ETAG_BYTES_MAX = 256, STREAM_KEYS_MAX = 300 };

struct cursor {
	char stream[STREAM_NAME_BYTES_MAX + 1]; /* "/events", "/repos/o/r/events" */
	char etags[STREAM_PAGE_COUNT_MAX][STREAM_ETAG_BYTES_MAX + 1]; /* "" : none */
	uint64_t keys[STREAM_KEYS_MAX]; /* event_key_hash of all events of the last stored sweep */
	size_t key_count;
	int64_t newest_us; /* created_at of the newest event ever stored from this stream; 0: none */
	int64_t covered_to_us; /* end of the newest interval that a sweep covered; 0: none */
	int64_t poll_interval_s;
};

enum sweep_status { SWEEP_OK, SWEEP_NOT_MODIFIED, SWEEP_LIMITED, SWEEP_FAILED };

struct sweep {
	int64_t id; /* given by the catalog */
	char stream[STREAM_NAME_BYTES_MAX + 1];
	enum sweep_status status;
	int64_t started_at_us;
	int64_t finished_at_us;
	int64_t requests;
	int64_t pages;
	int64_t received;
	int64_t fresh; /* events not seen before */
	/* Share of the sweep before it that was met again, 0..1; -1 when there was none to compare. */
	double overlap;
	/* The whole window was filled without meeting the stored sweep before it, or the feed moved on
	 * by more than that between two pages. */
	bool gap;
	int64_t gap_from_us; /* newest event before */
	int64_t gap_to_us;   /* oldest event behind it */
	/* Interval of event time that this sweep (joined to the one before when they overlap) covers;
	 * both 0: none. */
	int64_t covered_from_us;
	int64_t covered_to_us;
	/* As GitHub's headers said; -1: did not say. */
	int64_t quota_limit;
	int64_t quota_remaining;
	int64_t quota_reset_us;
	int64_t poll_interval_s;
	int64_t next_poll_us; /* planned */
	int64_t batch; /* that holds its events; 0: none */
	char error[256];
};

struct batch_write {
	/* seq, source, received_at and ingest's counts; state is set: BRONZE with files, else GOLD.
	 * NULL: no batch, cursors and sweeps only. */
	const struct batch *batch;
	const struct bronze_file *files;
	size_t file_count;
	const struct cursor *cursors;
	size_t cursor_count;
	const struct sweep *sweeps;
	size_t sweep_count;
	const struct quarantined *quarantined;
	size_t quarantined_count;
};
/* One transaction: the moment at which cursors move. ERR_LOCAL also when the quarantine is full, the
 * batch is stored already, or its numbers do not add up. */
MUST_CHECK bool catalog_store_batch(struct catalog *catalog, const struct batch_write *write, struct err *err);

MUST_CHECK bool catalog_read_cursor(struct catalog *catalog, const char *stream, struct cursor *cursor_out,
				    bool *found_out, struct err *err);

/* Batches in one state with seq > after, lowest first, at most `count_max`. */
MUST_CHECK bool catalog_list_batches(struct catalog *catalog, enum batch_state state, int64_t after, size_t count_max,
				     struct arena *arena, const struct batch **batches_out, size_t *count_out,
				     struct err *err);
MUST_CHECK bool catalog_read_batch(struct catalog *catalog, int64_t seq, struct batch *batch_out, bool *found_out,
				   struct err *err);

/* ---- files ---- */
enum lake_layer { LAYER_BRONZE, LAYER_SILVER_LIVE, LAYER_SILVER };

struct lake_file {
	struct file_path path; /* relative */
	enum lake_layer layer;
	char type[EVENT_TYPE_BYTES_MAX + 1]; /* "" for live silver */
	int64_t date_us;                     /* 0 for live silver */
	int64_t batch_first;
	int64_t batch_last;
	int64_t rows;
	int64_t size_bytes;
	int64_t created_at_us;
	int64_t time_min_us; /* created_at of its oldest and newest event */
	int64_t time_max_us;
	char sha256[65]; /* "": it is damaged, and waits to be made again */
	char fingerprint[17]; /* silver: the field_set's */
};

MUST_CHECK bool catalog_list_bronze(struct catalog *catalog, int64_t batch, struct arena *arena,
				    const struct lake_file **files_out, size_t *count_out, struct err *err);
MUST_CHECK bool catalog_list_files(struct catalog *catalog, enum lake_layer layer, struct arena *arena,
				   const struct lake_file **files_out, size_t *count_out, struct err *err);

/* Batch `batch->seq` got its live silver file (NULL when no row was left) and silver's counts; state
 * SILVER. One transaction. Repeating it replaces. */
MUST_CHECK bool catalog_store_silver(struct catalog *catalog, const struct batch *batch, const struct lake_file *file,
				     const struct quarantined *quarantined, size_t quarantined_count,
				     struct err *err);
/* Silver's file `file` is damaged or missing: what is there is set aside beside its name, and the file
 * counts in the setting SILVER_DAMAGED_SETTING. A live one whose bronze is there sends its batch back to
 * BRONZE. Any other one keeps its row, with an empty sha256, until catalog_mend_silver: silver_build_next
 * makes it again before anything else. Repeating it changes nothing. */
#define SILVER_DAMAGED_SETTING "silver_files_damaged" /* ever */
#define SILVER_TO_MEND_SETTING "silver_files_to_mend" /* now */
MUST_CHECK bool catalog_lose_silver(struct catalog *catalog, const struct lake_file *file, struct err *err);
/* Files that wait to be made again, of both layers. */
MUST_CHECK bool catalog_list_to_mend(struct catalog *catalog, struct arena *arena, const struct lake_file **files_out,
				     size_t *count_out, struct err *err);
/* Bronze files in batches `first` to `last` that may have events of one type and day, lowest batch first:
 * those of that type and day, and imported hours, whose type is "". */
MUST_CHECK bool catalog_list_bronze_of_day(struct catalog *catalog, const char *type, int64_t date_us, int64_t first,
					   int64_t last, struct arena *arena, const struct lake_file **files_out,
					   size_t *count_out, struct err *err);
struct batch_loss {
	int64_t seq;
	int64_t rows; /* of silver_rows: counted as quarantined from now on */
};
/* `path`, lost before, is there again as `file` (NULL: no row of it is left). What could not be made again
 * is in `losses` and `quarantined`; with losses, gold has to be rebuilt. One transaction. */
MUST_CHECK bool catalog_mend_silver(struct catalog *catalog, const char *path, const struct lake_file *file,
				    const struct batch_loss *losses, size_t loss_count,
				    const struct quarantined *quarantined, size_t quarantined_count, struct err *err);
/* Bronze file `path` is not what was written, or gone: its sha256 becomes empty, and its batch, once in
 * silver, is not made again from it (retention.h: it is not whole). */
MUST_CHECK bool catalog_note_damaged_bronze(struct catalog *catalog, const char *path, struct err *err);
/* Batches whose silver has rows, and of whose bronze something was removed. */
MUST_CHECK bool catalog_list_short_of_bronze(struct catalog *catalog, struct arena *arena,
					     const int64_t **batches_out, size_t *count_out, struct err *err);
/* Compaction: `added` become current, `removed` (paths) are forgotten. One transaction. A path may
 * be in both: its file was replaced. ERR_LOCAL when a removed path is not current. */
MUST_CHECK bool catalog_swap_silver(struct catalog *catalog, const struct lake_file *added, size_t added_count,
				    const struct file_path *removed, size_t removed_count, struct err *err);
/* Mirrors what gold's own record says; state GOLD. */
MUST_CHECK bool catalog_store_gold(struct catalog *catalog, const struct batch *batch,
				   const struct quarantined *quarantined, size_t quarantined_count, struct err *err);
/* Every batch with bronze files back to `state` (BRONZE or SILVER; one that is in BRONZE stays
 * there): for rebuilds. Going to BRONZE forgets all silver files, their quarantine entries and
 * silver's counts; both forget gold's. */
MUST_CHECK bool catalog_reset_batches(struct catalog *catalog, enum batch_state state, struct err *err);

/* A rebuild of silver: `removed` (paths) are forgotten, `added` become current, and every batch that is
 * whole (lake/retention.h) goes back to BRONZE, with what silver and gold set aside of it. One
 * transaction. */
MUST_CHECK bool catalog_remake_silver(struct catalog *catalog, const struct lake_file *added, size_t added_count,
				      const struct file_path *removed, size_t removed_count, struct err *err);

/* ---- small settings ("gold_generation", …) ---- */
MUST_CHECK bool catalog_read_setting(struct catalog *catalog, const char *key, int64_t missing, int64_t *value_out,
				     struct err *err);
MUST_CHECK bool catalog_write_setting(struct catalog *catalog, const char *key, int64_t value, struct err *err);

/* ---- reading for people ---- */
/* Sweeps with id > after, in order, at most count_max; newest_first turns the order round. */
MUST_CHECK bool catalog_list_sweeps(struct catalog *catalog, int64_t after, bool newest_first, size_t count_max,
				    struct arena *arena, const struct sweep **sweeps_out, size_t *count_out,
				    struct err *err);

/* The event time that a sweep covered. */
struct sweep_coverage {
	char stream[STREAM_NAME_BYTES_MAX + 1];
	int64_t from_us;
	int64_t to_us;
};
/* Of the newest `count_max` sweeps those that started at or after `since_us` and covered something: by
 * stream, then in the order in which they were made. */
MUST_CHECK bool catalog_list_coverage(struct catalog *catalog, int64_t since_us, size_t count_max,
				      struct arena *arena, const struct sweep_coverage **coverages_out,
				      size_t *count_out, struct err *err);

/* Kept up to date inside each transaction: reading them costs the same at any size. */
struct catalog_totals {
	int64_t batches;
	int64_t batches_waiting_silver; /* state BRONZE */
	int64_t batches_waiting_gold;   /* state SILVER */
	int64_t received, duplicates, filtered, quarantined, bronze_rows;
	int64_t silver_rows, silver_duplicates, silver_quarantined;
	int64_t gold_rows, gold_duplicates, gold_quarantined;
	int64_t bronze_files, bronze_bytes;
	int64_t silver_files, silver_bytes; /* live included */
	int64_t live_files;
	int64_t quarantine_entries, quarantine_bytes;
	int64_t sweeps, gaps;
	int64_t newest_event_us; /* 0: none */
	int64_t last_batch_at_us;
};
MUST_CHECK bool catalog_read_totals(struct catalog *catalog, struct catalog_totals *totals_out, struct err *err);

struct quarantine_entry {
	int64_t id;
	int64_t at_us;
	int64_t batch;
	struct span stage, reason, detail, path;
	int64_t offset;
	int64_t size_bytes;
	struct span raw; /* the first 256 bytes */
};
/* Whether ingest has set aside these very bytes of `path` at `offset` before. */
MUST_CHECK bool catalog_find_quarantined(struct catalog *catalog, const char *path, int64_t offset, struct span raw,
					 bool *found_out, struct err *err);
/* Newest first. */
MUST_CHECK bool catalog_list_quarantine(struct catalog *catalog, size_t count_max, struct arena *arena,
					const struct quarantine_entry **entries_out, size_t *count_out,
					struct err *err);

#endif
