/* SPDX-License-Identifier: Apache-2.0 */
/* silver_private.h - what the silver_*.c files share. For these files only. */
#ifndef SILVER_SILVER_PRIVATE_H
#define SILVER_SILVER_PRIVATE_H

#include "lake/scan.h"
#include "silver/silver.h"
#include "wrap/duck.h"

struct silver {
	struct silver_options options;
	struct scan_plan *plan;
	struct duck_database *database; /* in memory */
	struct duck_connection *connection;
};

/* Files of batches up to this one have been compared with each other (silver_merge.c). */
#define SILVER_MERGED_SETTING "silver_merged_batch"

enum { SILVER_SQL_BYTES_MAX = 4 * 1024 * 1024 };

/* The file that the engine writes for `name` before it is published: below staging/. */
MUST_CHECK bool silver_stage_path(const struct silver *silver, const char *name, struct file_path *path_out,
				  struct err *err);
/* Appends "TO '<path>' (FORMAT parquet, …)" with the metadata of batches `first` to `last`. */
MUST_CHECK bool silver_append_target(struct buf *sql, const struct silver *silver, const struct file_path *path,
				     int64_t first, int64_t last, struct err *err);
/* The same for a folder of partitions by `column`, which is no column of the files. */
MUST_CHECK bool silver_append_partitions(struct buf *sql, const struct silver *silver, const struct file_path *path,
					 const char *column, int64_t first, int64_t last, struct err *err);
/* Publishes `staged` as file->path and fills in size, checksum, fingerprint and time of making. */
MUST_CHECK bool silver_publish(const struct silver *silver, const struct file_path *staged, struct lake_file *file,
			       struct err *err);
/* Makes the files that are damaged (catalog_lose_silver) again from bronze. */
MUST_CHECK bool silver_mend(const struct silver *silver, struct err *err);

/* ---- silver_row.c ---- */
/* Rows of one batch, and the created_at of the oldest and newest of them. */
struct silver_row {
	const struct batch *batch;
	struct span source; /* the batch's */
	size_t field_count;
	int64_t time_min_us; /* INT64_MAX: none yet */
	int64_t time_max_us;
};
static inline struct silver_row silver_row_start(const struct silver *silver, const struct batch *batch)
{
	return (struct silver_row){batch, span_of(batch->source), silver->options.fields->field_count, INT64_MAX,
		INT64_MIN};
}
/* Silver's columns for a duck_source, and room for `more`; free(). */
struct duck_column *silver_row_columns(const struct field_set *fields, size_t more);
void silver_row_fill(struct silver_row *into, struct duck_chunk *chunk, size_t row, const struct event *event);

/* ---- silver_kept.c ---- */
struct silver_kept {
	const int64_t *batches; /* that are not made again, ascending */
	size_t batch_count;
	struct file_path *removed; /* files that give way: their rows are made again, or are in `added` */
	size_t removed_count;
	struct lake_file *added; /* published, not yet in the catalog */
	size_t added_count;
};
/* What a rebuild, the `rebuild`-th, leaves of silver. All of kept_out lives in `arena`. */
MUST_CHECK bool silver_kept_plan(const struct silver *silver, int64_t rebuild, struct arena *arena,
				 struct silver_kept *kept_out, struct err *err);

#endif
