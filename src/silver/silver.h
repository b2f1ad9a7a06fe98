/* SPDX-License-Identifier: Apache-2.0 */
/* silver.h - turns bronze JSON into typed Parquet, one live file a batch, later compacted.
 *
 * A batch's file holds each (id, type, created_at) once: the first wins, a later one of the same
 * repository is a duplicate, of another repository a quarantined key-conflict. Rows are sorted by
 * created_at, id. All or nothing: staging, fsync, rename, catalog. Compaction rewrites live files
 * into partitions by type and day of created_at, keeps per key and repository the row of the lowest
 * batch, and swaps in one catalog transaction. docs/formats/silver.md is the contract. One thread at
 * a time. */
#ifndef SILVER_SILVER_H
#define SILVER_SILVER_H

#include "base/clock.h"
#include "lake/catalog.h"

struct silver_options {
	const struct layout *layout;
	struct catalog *catalog; /* the calling thread's handle; borrowed */
	const struct field_set *fields;
	int64_t memory_bytes_max; /* of the engine; 0: 256 MiB */
	/* Of several that work side by side on one lake, each with a catalog handle and a thread of its own;
	 * 0 is the one that polled batches go through. */
	int worker;
	bool inflate_ahead; /* of imported hours: a thread more for each file */
};

struct silver;
MUST_CHECK bool silver_open(const struct silver_options *options, struct silver **silver_out, struct err *err);
void silver_close(struct silver **silver);

struct silver_report {
	int64_t batches;
	/* Imported hours only: */
	int64_t bytes;    /* of JSON */
	int64_t received; /* records and damaged places */
	int64_t filtered;
	int64_t rows;
	int64_t duplicates;
	int64_t quarantined;
	int64_t files_written;
	int64_t files_replaced;
};

/* Makes silver files again that were found damaged, then builds the oldest waiting batch. *built_out
 * false when none waits. Malformed lines are quarantined
 * with reason and raw bytes; a damaged bronze file: its good lines are kept, the file's damage is one
 * quarantine entry. ERR_LOCAL otherwise. */
MUST_CHECK bool silver_build_next(struct silver *silver, struct batch *batch_out, bool *built_out, struct err *err);

/* Builds waiting batches of imported hours (lake/catalog_archive.h), in order of their numbers, all or none of
 * them: one file for each type and day that they have together; where those are more than 48, each
 * file alone, and one that has that many by itself as a live file. Rows are in the order of the files. A
 * record that is damaged is set aside, at most a thousand entries a file with 16 KiB each (the file itself
 * is bronze). Keys that two files share stay in both: see silver_merge. */
MUST_CHECK bool silver_build_archives(struct silver *silver, const struct batch *batches, size_t count,
				      struct silver_report *report_out, struct err *err);

/* Files of one type and day whose times overlap may hold a key twice, and so may one file of several hours:
 * hours that were imported from two mirrors, that are named by the wrong clock, or that were polled too. The
 * row of the lowest batch stays, as in gold: files are written again without the rows that an earlier batch
 * has with the same repository. Where the catalog has a backup, that is renewed before what gave way is
 * removed. Rows left out are counted in report_out->duplicates; the batches' own counts stay, as with
 * compaction. At most one file is rewritten a transaction; `stop` (may be NULL) is looked at between them
 * (true, the rest undone). */
MUST_CHECK bool silver_merge(struct silver *silver, struct stop_flag *stop, struct silver_report *report_out,
			     struct err *err);

/* Compacts live files whose batches are in gold (state GOLD) when at least `live_files_min` of them
 * exist; `live_files_min` 1 takes all. At most 500 files in one go; call again while
 * report_out->files_replaced > 0. */
MUST_CHECK bool silver_compact(struct silver *silver, int64_t live_files_min, struct silver_report *report_out,
			       struct err *err);

/* Forgets silver and makes it again from bronze, batch by batch in order; rows of batches whose bronze is
 * damaged, or no longer whole (lake/retention.h), stay. `progress` (may be
 * NULL) is told after each batch and may return false to stop (ERR_RETRY "stopped"). The caller
 * rebuilds gold afterwards. */
MUST_CHECK bool silver_rebuild(struct silver *silver, bool (*progress)(void *context, int64_t done, int64_t total),
			       void *context, struct silver_report *report_out, struct err *err);

#endif
