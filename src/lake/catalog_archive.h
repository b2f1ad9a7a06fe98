/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_archive.h - the catalog's account of GH Archive: which hours and files were imported, from where,
 * and which are missing. docs/formats/catalog.md has the table.
 *
 * An imported file is one batch, its bronze the file as it was fetched (layout_archive). How many events are
 * in it is known when silver has read it: until then all counts of the batch are 0. Then
 * received = filtered + bronze_rows, bronze_rows = silver_rows + silver_duplicates + silver_quarantined. */
#ifndef LAKE_CATALOG_ARCHIVE_H
#define LAKE_CATALOG_ARCHIVE_H

#include "lake/catalog.h"

/* The `source` of batches and rows that an import of hours brought. */
#define ARCHIVE_SOURCE "gharchive"

enum { ARCHIVE_NAME_BYTES_MAX = 255, ARCHIVE_ORIGIN_BYTES_MAX = 4095, ARCHIVE_NOTE_BYTES_MAX = 255 };

enum archive_state {
	ARCHIVE_IS_STORED,
	ARCHIVE_IS_MISSING,     /* the origin does not have it now: asked again by the next import */
	ARCHIVE_IS_UNAVAILABLE, /* the origin did not answer: asked again as well */
	ARCHIVE_IS_DAMAGED,     /* what the origin sent is no archive at all */
};
const char *archive_state_name(enum archive_state state);

struct archive {
	char name[ARCHIVE_NAME_BYTES_MAX + 1];     /* "2012-06-14-15", or a file's name */
	char origin[ARCHIVE_ORIGIN_BYTES_MAX + 1]; /* URL or path it came from; "": not known any more */
	enum archive_state state;
	int64_t batch; /* 0 unless stored */
	int64_t size_bytes;
	char sha256[65]; /* "" unless stored */
	int64_t lines;   /* records and damaged places, once silver has read it */
	int64_t bad_lines;
	int64_t time_min_us; /* of its events that came into silver; both 0: none, or not yet */
	int64_t time_max_us;
	char reason[ARCHIVE_NOTE_BYTES_MAX + 1]; /* why it is not there, or not whole; "": it is */
	int64_t at_us;
};

bool batch_is_archive(const struct batch *batch);

/* Batch `archive->batch` with its file, which is published already, in state BRONZE. One transaction. */
MUST_CHECK bool catalog_store_archive(struct catalog *catalog, const struct archive *archive,
				      const struct lake_file *file, struct err *err);
/* Notes why an archive is not there, or (STORED) that another one, of `batch`, has its content. One that was
 * stored before stays as it was. */
MUST_CHECK bool catalog_note_archive(struct catalog *catalog, const struct archive *archive, struct err *err);
/* The stored one of that name from that origin, or from one that is not known any more. */
MUST_CHECK bool catalog_find_archive(struct catalog *catalog, const char *name, const char *origin,
				     struct archive *archive_out, bool *found_out, struct err *err);
/* A stored one with that content. */
MUST_CHECK bool catalog_find_archive_content(struct catalog *catalog, const char *sha256, struct archive *archive_out,
					     bool *found_out, struct err *err);
/* The one that a batch holds. */
MUST_CHECK bool catalog_find_archive_batch(struct catalog *catalog, int64_t batch, struct archive *archive_out,
					   bool *found_out, struct err *err);
/* Bronze of an archive that is in silver is no longer kept: as retention_forget does. retention_finish
 * removes it. Behind a live file it stays, as with retention. */
MUST_CHECK bool catalog_drop_archive(struct catalog *catalog, int64_t batch, struct err *err);
/* Those of batches `first` to `last`, by batch. */
MUST_CHECK bool catalog_list_archives_of(struct catalog *catalog, int64_t first, int64_t last, struct arena *arena,
					 const struct archive **archives_out, size_t *count_out, struct err *err);
/* What silver found in one archive. */
struct archive_silver {
	struct batch batch; /* all counts but gold's; state does not matter */
	int64_t time_min_us; /* of its events that are in silver; both 0: none */
	int64_t time_max_us;
	const char *reason; /* damage of the file as a whole; NULL: none */
};
/* The archives are in silver, in `files` (SILVER: of several batches; SILVER_LIVE: of one). One transaction. */
MUST_CHECK bool catalog_store_archive_silver(struct catalog *catalog, const struct archive_silver *archives,
					     size_t archive_count, const struct lake_file *files, size_t file_count,
					     const struct quarantined *quarantined, size_t quarantined_count,
					     struct err *err);

#endif
