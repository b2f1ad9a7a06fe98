/* SPDX-License-Identifier: Apache-2.0 */
/* silver_kept.c - what of silver stays in a rebuild, because bronze can no longer give it: the rows of
 * batches that are not whole (lake/retention.h). A compacted file that has such rows beside others is
 * written again with them alone, under a name of its own. */
#include "silver/silver_private.h"

#include "base/failpoint.h"
#include "lake/retention.h"
#include "lake/silver_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_kept(const struct silver_kept *kept, int64_t batch)
{
	size_t low = 0;
	size_t high = kept->batch_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (kept->batches[middle] < batch)
			low = middle + 1;
		else
			high = middle;
	}
	return low < kept->batch_count && kept->batches[low] == batch;
}

static bool list_batches(const struct silver *silver, const struct silver_kept *kept, struct arena *arena,
			 struct err *err)
{
	struct value *numbers = arena_allocate(arena, kept->batch_count, sizeof(*numbers));
	if (!numbers)
		return err_set(err, ERR_LOCAL, "too many batches");
	for (size_t i = 0; i < kept->batch_count; i++)
		numbers[i] = value_integer(kept->batches[i]);
	const struct value list = value_list(VALUE_INTEGER, numbers, kept->batch_count);
	return duck_query(silver->connection,
		"CREATE OR REPLACE TEMP TABLE kept AS SELECT unnest($1::BIGINT[]) AS batch", &list, 1, NULL, err);
}

/* Rows of the file in all, and those that stay with their times. */
static bool count_rows(const struct silver *silver, const struct lake_file *file, struct arena *arena,
		       int64_t *rows_out, struct lake_file *stays_out, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table;
	buf_append_text(&sql, "SELECT sum(n)::BIGINT, sum(n) FILTER (stays)::BIGINT, min(a) FILTER (stays),"
			      " max(b) FILTER (stays) FROM (SELECT batch IN (SELECT batch FROM kept) AS stays,"
			      " count(*) AS n, min(created_at) AS a, max(created_at) AS b FROM ");
	if (!silver_append_relation(&sql, silver->options.layout, silver->options.fields, file, 1, err))
		return false;
	buf_append_text(&sql, " GROUP BY stays)");
	if (!duck_query(silver->connection, sql.data, NULL, 0, &result, err)
	    || !duck_result_read(result, arena, 1, &table, err))
		return false;
	const struct value *row = table_value(&table, 0, 0);
	*rows_out = row[0].integer;
	*stays_out = *file;
	stays_out->rows = row[1].type == VALUE_NULL ? 0 : row[1].integer;
	if (stays_out->rows > 0) {
		stays_out->time_min_us = row[2].time_us;
		stays_out->time_max_us = row[3].time_us;
	}
	return true;
}

static bool write_stays(const struct silver *silver, const struct lake_file *file, int64_t rebuild,
			struct lake_file *stays, struct err *err)
{
	static const char name[] = "silver-kept.parquet";
	FAILPOINT_SCOPE("silver.kept");
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	struct file_path staged;
	buf_append_text(&sql, "COPY (SELECT * FROM ");
	if (!silver_append_relation(&sql, silver->options.layout, silver->options.fields, file, 1, err))
		return false;
	buf_append_text(&sql, " WHERE batch IN (SELECT batch FROM kept) ORDER BY created_at, id)");
	return layout_silver_kept(span_of(file->type), file->date_us, file->batch_first, file->batch_last, rebuild,
		       &stays->path, err)
	       && silver_stage_path(silver, name, &staged, err)
	       && silver_append_target(&sql, silver, &staged, file->batch_first, file->batch_last, err)
	       && FAILPOINT("copy", duck_query(silver->connection, sql.data, NULL, 0, NULL, err))
	       && silver_publish(silver, &staged, stays, err);
}

static bool plan_file(const struct silver *silver, struct silver_kept *kept, const struct lake_file *file,
		      int64_t rebuild, struct arena *arena, struct err *err)
{
	int64_t rows;
	struct lake_file stays;
	if (file->layer == LAYER_SILVER_LIVE) {
		if (!is_kept(kept, file->batch_first))
			kept->removed[kept->removed_count++] = file->path;
		return true;
	}
	rows = file->rows;
	stays.rows = 0;
	if (kept->batch_count > 0 && !count_rows(silver, file, arena, &rows, &stays, err))
		return false;
	/* A name that may come again is not kept: compaction names files by the first and last batch that
	 * it found live, and these are among them only when they are made again. */
	if (stays.rows == rows && is_kept(kept, file->batch_first) && is_kept(kept, file->batch_last))
		return true;
	kept->removed[kept->removed_count++] = file->path;
	if (stays.rows == 0)
		return true;
	if (!write_stays(silver, file, rebuild, &stays, err))
		return err_wrap(err, "%s", file->path.text);
	kept->added[kept->added_count++] = stays;
	return true;
}

bool silver_kept_plan(const struct silver *silver, int64_t rebuild, struct arena *arena,
		      struct silver_kept *kept_out, struct err *err)
{
	struct catalog *catalog = silver->options.catalog;
	struct silver_kept kept = {0};
	const struct lake_file *files[2];
	size_t counts[2];
	if (!retention_list_kept_batches(catalog, arena, &kept.batches, &kept.batch_count, err)
	    || !catalog_list_files(catalog, LAYER_SILVER_LIVE, arena, &files[0], &counts[0], err)
	    || !catalog_list_files(catalog, LAYER_SILVER, arena, &files[1], &counts[1], err)
	    || (kept.batch_count > 0 && !list_batches(silver, &kept, arena, err)))
		return false;
	kept.removed = arena_allocate(arena, counts[0] + counts[1], sizeof(*kept.removed));
	kept.added = arena_allocate(arena, counts[1], sizeof(*kept.added));
	if (!kept.removed || !kept.added)
		return err_set(err, ERR_LOCAL, "too many silver files");
	for (size_t layer = 0; layer < ARRAY_COUNT(files); layer++)
		for (size_t i = 0; i < counts[layer]; i++)
			if (!plan_file(silver, &kept, &files[layer][i], rebuild, arena, err))
				return false;
	*kept_out = kept;
	return true;
}
