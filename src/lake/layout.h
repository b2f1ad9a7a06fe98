/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - where everything lies in the data folder. All names are made here, of numbers, dates
 * and checked type names only.
 *
 *     LOCK                                            who works here
 *     BALLAST                                         room to start on a full disk
 *     ASKED                                           until when GitHub wants to be left alone
 *     LAKE_ID                                         which lake this is: as the catalog says
 *     catalog.sqlite
 *     catalog.backup.sqlite                           with retention only
 *     incoming/                                       archives that are being fetched, and go on after a stop
 *     bronze/<EventType>/date=YYYY-MM-DD/<batch, 12 digits>.ndjson.zst
 *     bronze/archive/<YYYY-MM-DD-H or "file">.<batch>.json[.gz]        an imported hour, as it was fetched
 *     silver/_live/<batch>.parquet                    one small file a batch
 *     silver/type=<EventType>/date=YYYY-MM-DD/<first>-<last>.parquet   compacted, or of imported hours
 *     staging/                                        files that libraries are still writing
 *     gold/gold-<n>.duckdb
 *     tmp/                                            spilled query state */
#ifndef LAKE_LAYOUT_H
#define LAKE_LAYOUT_H

#include "base/file.h"

struct layout {
	struct file_path root; /* absolute */
};

/* Makes `folder` (and the layer folders) and its absolute form. ERR_LOCAL. */
MUST_CHECK bool layout_init(struct layout *layout, const char *folder, struct err *err);

/* Paths relative to the root, as the catalog stores them, and absolute ones. */
MUST_CHECK bool layout_absolute(const struct layout *layout, const char *relative, struct file_path *path_out,
				struct err *err);
MUST_CHECK bool layout_bronze(struct span type, int64_t date_us, int64_t batch, struct file_path *relative_out,
			      struct err *err);
MUST_CHECK bool layout_silver_live(int64_t batch, struct file_path *relative_out, struct err *err);
MUST_CHECK bool layout_silver(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
			      struct file_path *relative_out, struct err *err);
/* `hour_us` INT64_MIN: a file that is no hour of GH Archive. GH Archive's names: the hour has no leading zero. */
MUST_CHECK bool layout_archive(int64_t hour_us, int64_t batch, bool is_gzip, struct file_path *relative_out,
			       struct err *err);
/* A compacted file that the `rebuild`-th rebuild of silver wrote again: <first>-r<rebuild>-<last>. */
MUST_CHECK bool layout_silver_kept(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
				   int64_t rebuild, struct file_path *relative_out, struct err *err);
/* A file that the `merge`-th merge wrote again, without what earlier batches have: <first>-m<merge>-<last>. */
MUST_CHECK bool layout_silver_merged(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
				     int64_t merge, struct file_path *relative_out, struct err *err);
MUST_CHECK bool layout_gold(int64_t generation, struct file_path *relative_out, struct err *err);

/* The batch sequence in a bronze, archive or live silver file's name; false when it is not such a name. */
bool layout_parse_batch(const char *relative, int64_t *batch_out);
/* The <EventType> and date of a bronze path. */
bool layout_parse_bronze(const char *relative, struct span *type_out, int64_t *date_us_out, int64_t *batch_out);
/* The hour (INT64_MIN: none) and batch of a path that layout_archive makes. */
bool layout_parse_archive(const char *relative, int64_t *hour_us_out, int64_t *batch_out);
/* Whether it is a path that layout_silver_live, layout_silver, layout_silver_kept or layout_silver_merged makes. */
bool layout_is_silver(const char *relative);
/* The <n> of gold/gold-<n>.duckdb. */
bool layout_parse_gold(const char *relative, int64_t *generation_out);

#endif
