/* SPDX-License-Identifier: Apache-2.0 */
/* silver_build.c - one batch of bronze to its live file. The catalog's transaction comes last: a
 * crash before it leaves the batch waiting, and the redo overwrites the file under the same name. */
#include "silver/batch_source.h"

#include "base/failpoint.h"
#include "lake/catalog_archive.h"
#include "lake/silver_file.h"

#include <inttypes.h>
#include <stdio.h>

enum { BATCH_LIST_BYTES_MAX = 16 * 1024 * 1024, STAGE_NAME_BYTES_MAX = 64 };

/* Writes the source's rows to `staged`, sorted. */
static bool write_rows(const struct silver *silver, struct batch_source *source,
		       const struct file_path *staged, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	const struct duck_source rows = batch_source_duck(source);
	const struct batch *batch = source->batch;
	buf_append_text(&sql, "COPY (SELECT * FROM octolake_source($1) ORDER BY created_at, id)");
	if (!silver_append_target(&sql, silver, staged, batch->seq, batch->seq, err)
	    || !FAILPOINT("copy",
		    duck_query_source(silver->connection, sql.data, &rows, NULL, 0, &result, err)))
		return false;
	if (duck_result_changed(result) != source->rows)
		return err_set(err, ERR_LOCAL, "%" PRId64 " rows written of %" PRId64,
			duck_result_changed(result), source->rows);
	return true;
}

static bool store(const struct silver *silver, const struct batch_source *source,
		  const struct file_path *staged, struct batch *batch, struct err *err)
{
	struct lake_file file = {
		.layer = LAYER_SILVER_LIVE,
		.batch_first = batch->seq,
		.batch_last = batch->seq,
		.rows = source->rows,
		.time_min_us = source->row.time_min_us,
		.time_max_us = source->row.time_max_us,
	};
	bool has_rows = source->rows > 0;
	if (has_rows ? !layout_silver_live(batch->seq, &file.path, err)
			       || !silver_publish(silver, staged, &file, err)
		     : !file_remove(staged->text, err))
		return false;
	batch->state = BATCH_SILVER;
	batch->silver_rows = source->rows;
	batch->silver_duplicates = source->duplicates;
	batch->silver_quarantined = source->quarantined;
	size_t set_aside_count;
	const struct quarantined *set_aside = batch_source_set_aside(source, &set_aside_count);
	return catalog_store_silver(silver->options.catalog, batch, has_rows ? &file : NULL, set_aside,
		set_aside_count, err);
}

static bool build(const struct silver *silver, struct batch *batch, struct arena *arena, struct err *err)
{
	FAILPOINT_SCOPE("silver.live");
	const struct lake_file *files;
	size_t file_count;
	struct file_path staged;
	char name[STAGE_NAME_BYTES_MAX];
	(void)snprintf(name, sizeof(name), "silver-%" PRId64 ".parquet", batch->seq);
	if (!catalog_list_bronze(silver->options.catalog, batch->seq, arena, &files, &file_count, err)
	    || !silver_stage_path(silver, name, &staged, err))
		return false;
	CLEANUP(batch_source_finish) struct batch_source source = {0};
	batch_source_init(&source, silver, batch, files, file_count);
	if (write_rows(silver, &source, &staged, err) && store(silver, &source, &staged, batch, err))
		return true;
	struct err ignored; /* what is left there goes at the next start at the latest */
	(void)!file_remove(staged.text, &ignored);
	return false;
}

static bool build_archive(struct silver *silver, struct batch *batch, struct err *err)
{
	struct silver_report report;
	bool found;
	return silver_build_archives(silver, batch, 1, &report, err)
	       && catalog_read_batch(silver->options.catalog, batch->seq, batch, &found, err);
}

bool silver_build_next(struct silver *silver, struct batch *batch_out, bool *built_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = BATCH_LIST_BYTES_MAX};
	const struct batch *batches;
	size_t batch_count;
	if (!silver_mend(silver, err))
		return err_wrap(err, "silver");
	if (!catalog_list_batches(silver->options.catalog, BATCH_BRONZE, 0, 1, &arena, &batches, &batch_count,
		    err))
		return err_wrap(err, "silver");
	if (batch_count == 0) {
		*built_out = false;
		return true;
	}
	struct batch batch = batches[0];
	bool built = batch_is_archive(&batch) ? build_archive(silver, &batch, err)
					      : build(silver, &batch, &arena, err);
	if (!built) {
		/* Bad bytes never end here: they are set aside. What else the engine refuses is ours. */
		if (err->kind == ERR_INPUT)
			err->kind = ERR_LOCAL;
		return err_wrap(err, "silver of batch %" PRId64, batch.seq);
	}
	*batch_out = batch;
	*built_out = true;
	return true;
}
