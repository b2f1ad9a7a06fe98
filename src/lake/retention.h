/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h - what is no longer kept: the catalog's side of it, for all layers. Decision 0014.
 *
 * Whole files go, oldest first by the newest event in them, and only of batches that are in gold and
 * in compacted silver. First one transaction forgets the files and notes their paths as removals; only
 * then they are unlinked, and the notes go. A crash between leaves notes, and the next start finishes
 * (catalog_recover calls retention_finish): a file that was forgotten on purpose is never adopted again.
 * What was removed stays counted in `batch` and `totals`, whose sums are of all that ever came;
 * `retention` says how much of it is gone. */
#ifndef LAKE_RETENTION_H
#define LAKE_RETENTION_H

#include "lake/catalog.h"

enum retention_layer {
	RETENTION_BRONZE,
	RETENTION_SILVER,
	RETENTION_GOLD,
	RETENTION_QUARANTINE,
	RETENTION_SWEEPS,
	RETENTION_LAYER_COUNT,
};
const char *retention_layer_name(enum retention_layer layer);

/* Of one layer, over all time. */
struct retention_total {
	int64_t kept_from_us; /* events before this instant are not kept; 0: all are */
	int64_t rows;         /* events, entries, sweeps; gold's are counted by gold itself */
	int64_t files;
	int64_t bytes;
	int64_t at_us;        /* of the last removal; 0: none */
};
MUST_CHECK bool retention_read(struct catalog *catalog, struct retention_total totals_out[RETENTION_LAYER_COUNT],
			       struct err *err);
/* Events before this instant are in no layer any more; 0 while one of them keeps everything. */
MUST_CHECK bool retention_read_expired(struct catalog *catalog, int64_t *before_us_out, struct err *err);

/* Moves the layer's kept_from on; it never goes back. */
MUST_CHECK bool retention_move(struct catalog *catalog, enum retention_layer layer, int64_t kept_from_us,
			       struct err *err);

/* Files of RETENTION_BRONZE or RETENTION_SILVER that may go: those whose events are all before
 * `before_us`, and, where the layer holds more than `bytes_max`, the oldest down to nine tenths of it; at most
 * `count_max`.
 * Silver's live files are among them, bronze of a batch with a live file is not. */
struct retention_choice {
	const struct lake_file *files; /* in the arena */
	size_t count;
	int64_t rows;
	int64_t bytes;
	int64_t newest_us; /* of all of them; INT64_MIN: none */
	/* Files that would have to go hide behind live silver: compact, then choose again. */
	bool needs_compaction;
};
MUST_CHECK bool retention_choose(struct catalog *catalog, enum retention_layer layer, int64_t before_us,
				 int64_t bytes_max, size_t count_max, struct arena *arena,
				 struct retention_choice *choice_out, struct err *err);
/* The compacted files of silver that stand for chosen bronze once it is gone, and perhaps some more: to be
 * verified before (lake/lake_verify.h), for after that nothing could make them again. */
MUST_CHECK bool retention_list_backing(struct catalog *catalog, const struct retention_choice *choice,
				       struct arena *arena, const struct lake_file **files_out, size_t *count_out,
				       struct err *err);
/* One transaction: the files are forgotten, noted as removals, and counted. They are still there. */
MUST_CHECK bool retention_forget(struct catalog *catalog, enum retention_layer layer,
				 const struct retention_choice *choice, struct err *err);
/* Unlinks what is noted, and takes the notes away. *count_out: files that were there. Before the first
 * of them goes there is a backup of the catalog that no longer names them: an older one, with the files
 * gone, would lose what only silver has. On a full disk there may be no room for it, and room is what
 * this is about: then *backed_up_out (may be NULL) is false. */
MUST_CHECK bool retention_finish(struct catalog *catalog, int64_t *count_out, bool *backed_up_out,
				 struct err *err);

/* Sweeps that ended before `before_us` and whose id is at most `id_max` (gold has their coverage); the
 * newest SWEEPS_KEPT_MIN stay in any case. What they covered is kept, joined, as `covered`. At most
 * `count_max`; *count_out: removed, or with `dry_run` those that would be. */
enum { RETENTION_SWEEPS_KEPT_MIN = 2000 };
MUST_CHECK bool retention_remove_sweeps(struct catalog *catalog, int64_t before_us, int64_t id_max,
					size_t count_max, bool dry_run, int64_t *count_out, struct err *err);
/* Entries of before `before_us`, and the oldest while all of them take more than `bytes_max` (as
 * CATALOG_QUARANTINE_BYTES_MAX counts). At most `count_max`. Their batches still count them. */
MUST_CHECK bool retention_remove_quarantined(struct catalog *catalog, int64_t before_us, int64_t bytes_max,
					     size_t count_max, bool dry_run, int64_t *count_out,
					     struct err *err);

/* What sweeps that are gone covered, in order, no two touching. */
struct retention_interval {
	int64_t from_us;
	int64_t to_us;
};
MUST_CHECK bool retention_list_covered(struct catalog *catalog, struct arena *arena,
				       const struct retention_interval **intervals_out, size_t *count_out,
				       struct err *err);

/* A batch is whole while all of its bronze is there and silver holds all of its rows: only then it can
 * be made again. The numbers of those that are not, ascending, of batches with rows in silver. */
MUST_CHECK bool retention_list_kept_batches(struct catalog *catalog, struct arena *arena,
					    const int64_t **batches_out, size_t *count_out, struct err *err);

/* Copies the catalog to catalog.backup.sqlite, from which catalog_open brings back one that is lost:
 * without it, what only silver still holds could not be told from leftovers. */
MUST_CHECK bool retention_back_up(struct catalog *catalog, struct err *err);
bool retention_has_backup(const struct catalog *catalog);

#endif
