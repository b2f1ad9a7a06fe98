/* SPDX-License-Identifier: Apache-2.0 */
/* silver_archive.c - imported hours straight into partitions by type and day: one statement reads several
 * files and writes one file a partition. Where a file's events are of too many types and days for that, it
 * becomes a live file like a polled batch, and compaction takes it apart. */
#include "silver/archive_rows.h"

#include "base/failpoint.h"
#include "base/memory.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 64 * 1024 * 1024, NAME_BYTES_MAX = 64 };

/* What one statement builds. */
struct build {
	struct silver *silver;
	const struct batch *batches;
	const struct lake_file *bronze;
	size_t count;
	struct file_path staged; /* a folder, or for a live file a file */
	struct archive_rows source;
	struct lake_file files[ARCHIVE_PARTITIONS_MAX];
	size_t file_count;
};

static void build_free(struct build **build)
{
	struct err ignored;
	if (!*build)
		return;
	(void)!file_remove_folder((*build)->staged.text, &ignored);
	archive_rows_finish(&(*build)->source);
	free(*build);
	*build = NULL;
}

static bool build_start(struct silver *silver, const struct batch *batches, const struct lake_file *bronze,
			size_t count, struct build **build_out, struct err *err)
{
	struct build *build = memory_allocate(1, sizeof(*build));
	char name[NAME_BYTES_MAX];
	build->silver = silver;
	build->batches = batches;
	build->bronze = bronze;
	build->count = count;
	archive_rows_init(&build->source, silver, batches, bronze, count);
	build->source.inflate_ahead = silver->options.inflate_ahead;
	(void)snprintf(name, sizeof(name), "archive-%" PRId64, batches[0].seq);
	*build_out = build;
	return silver_stage_path(silver, name, &build->staged, err) && file_remove_folder(build->staged.text, err);
}

/* ---- partitions ---- */

static bool write_partitions(struct build *build, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	build->source.has_partitions = true;
	const struct duck_source rows = archive_rows_duck(&build->source);
	buf_append_text(&sql, "COPY (SELECT * FROM octolake_source($1))");
	if (!silver_append_partitions(&sql, build->silver, &build->staged, ARCHIVE_PARTITION_COLUMN,
		    build->batches[0].seq, build->batches[build->count - 1].seq, err)
	    || !FAILPOINT("copy",
		    duck_query_source(build->silver->connection, sql.data, &rows, NULL, 0, &result, err)))
		return false;
	if (duck_result_changed(result) != build->source.rows)
		return err_set(err, ERR_LOCAL, "%" PRId64 " rows written of %" PRId64,
			duck_result_changed(result), build->source.rows);
	return true;
}

static bool publish_partition(struct build *build, size_t index, struct err *err)
{
	const struct archive_partition *partition = &build->source.partitions[index];
	struct file_path staged;
	struct lake_file file = {
		.layer = LAYER_SILVER,
		.date_us = partition->date_us,
		.batch_first = build->batches[0].seq,
		.batch_last = build->batches[build->count - 1].seq,
		.rows = partition->rows,
		.time_min_us = partition->time_min_us,
		.time_max_us = partition->time_max_us,
	};
	memcpy(file.type, partition->type, sizeof(file.type));
	if (!file_path_make(&staged, err, "%s/" ARCHIVE_PARTITION_COLUMN "=%zu/data_0.parquet", build->staged.text,
		    index)
	    || !layout_silver(span_of(file.type), file.date_us, file.batch_first, file.batch_last, &file.path, err)
	    || !silver_publish(build->silver, &staged, &file, err))
		return false;
	build->files[build->file_count++] = file;
	return true;
}

static bool count_staged(void *context, const char *relative_path, struct err *err)
{
	(void)relative_path;
	(void)err;
	++*(size_t *)context;
	return true;
}

static bool publish_partitions(struct build *build, struct err *err)
{
	const struct archive_rows *source = &build->source;
	size_t staged = 0;
	if (!file_walk(build->staged.text, count_staged, &staged, err))
		return false;
	size_t wanted = 0;
	for (size_t i = 0; i < source->partition_count; i++) {
		/* One whose events were all duplicates has no file. */
		if (source->partitions[i].rows == 0)
			continue;
		wanted++;
		if (!publish_partition(build, i, err))
			return false;
	}
	return staged == wanted
	       || err_set(err, ERR_LOCAL, "the engine wrote %zu files for %zu types and days", staged, wanted);
}

/* ---- a live file ---- */

static bool write_live(struct build *build, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct duck_source rows = archive_rows_duck(&build->source);
	int64_t seq = build->batches[0].seq;
	buf_append_text(&sql, "COPY (SELECT * FROM octolake_source($1) ORDER BY created_at, id)");
	return silver_append_target(&sql, build->silver, &build->staged, seq, seq, err)
	       && FAILPOINT("copy",
		       duck_query_source(build->silver->connection, sql.data, &rows, NULL, 0, NULL, err));
}

static bool publish_live(struct build *build, struct err *err)
{
	const struct archive_silver *result = &build->source.results[0];
	struct lake_file file = {
		.layer = LAYER_SILVER_LIVE,
		.batch_first = build->batches[0].seq,
		.batch_last = build->batches[0].seq,
		.rows = result->batch.silver_rows,
		.time_min_us = result->time_min_us,
		.time_max_us = result->time_max_us,
	};
	if (file.rows == 0)
		return true;
	if (!layout_silver_live(file.batch_first, &file.path, err)
	    || !silver_publish(build->silver, &build->staged, &file, err))
		return false;
	build->files[build->file_count++] = file;
	return true;
}

/* ---- both ---- */

static bool store(const struct build *build, struct silver_report *report, struct err *err)
{
	size_t set_aside_count;
	const struct quarantined *set_aside = archive_rows_set_aside(&build->source, &set_aside_count);
	if (!catalog_store_archive_silver(build->silver->options.catalog, build->source.results, build->count,
		    build->files, build->file_count, set_aside, set_aside_count, err))
		return false;
	for (size_t i = 0; i < build->count; i++) {
		const struct batch *batch = &build->source.results[i].batch;
		report->batches++;
		report->received += batch->received;
		report->filtered += batch->filtered;
		report->rows += batch->silver_rows;
		report->duplicates += batch->silver_duplicates;
		report->quarantined += batch->silver_quarantined;
	}
	report->bytes += build->source.bytes;
	report->files_written += (int64_t)build->file_count;
	return true;
}

/* What nothing names would lie there until the next start. */
static void remove_published(const struct build *build)
{
	for (size_t i = 0; i < build->file_count; i++) {
		struct file_path path;
		struct err ignored;
		if (layout_absolute(build->silver->options.layout, build->files[i].path.text, &path, &ignored))
			(void)!file_remove(path.text, &ignored);
	}
}

static bool finish_build(struct build *build, bool published, struct silver_report *report, struct err *err)
{
	if (published && store(build, report, err))
		return true;
	remove_published(build);
	return false;
}

static bool build_live(struct silver *silver, const struct batch *batch, const struct lake_file *bronze,
		       struct silver_report *report, struct err *err)
{
	FAILPOINT_SCOPE("silver.archive-live");
	CLEANUP(build_free) struct build *build = NULL;
	return build_start(silver, batch, bronze, 1, &build, err)
	       && finish_build(build, write_live(build, err) && publish_live(build, err), report, err);
}

/* *scattered_out: too many types and days, and nothing was built. */
static bool build_partitions(struct silver *silver, const struct batch *batches, const struct lake_file *bronze,
			     size_t count, bool *scattered_out, struct silver_report *report, struct err *err)
{
	FAILPOINT_SCOPE("silver.archive");
	CLEANUP(build_free) struct build *build = NULL;
	if (!build_start(silver, batches, bronze, count, &build, err))
		return false;
	bool written = write_partitions(build, err);
	/* Too little memory for so many writers is the same as too many of them. */
	*scattered_out = !written
			 && (build->source.too_many_partitions || (err->kind == ERR_RETRY && duck_err_is_memory(err)));
	if (*scattered_out)
		return true;
	return finish_build(build, written && publish_partitions(build, err), report, err);
}

static bool build_group(struct silver *silver, const struct batch *batches, const struct lake_file *bronze,
			size_t count, struct silver_report *report, struct err *err)
{
	bool scattered;
	if (!build_partitions(silver, batches, bronze, count, &scattered, report, err))
		return false;
	if (!scattered)
		return true;
	if (count == 1)
		return build_live(silver, batches, bronze, report, err);
	for (size_t i = 0; i < count; i++) {
		if (!build_partitions(silver, &batches[i], &bronze[i], 1, &scattered, report, err)
		    || (scattered && !build_live(silver, &batches[i], &bronze[i], report, err)))
			return false;
	}
	return true;
}

bool silver_build_archives(struct silver *silver, const struct batch *batches, size_t count,
			   struct silver_report *report_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	struct silver_report report = {0};
	struct lake_file *bronze = arena_allocate(&arena, count, sizeof(*bronze));
	assert(count >= 1 && bronze);
	for (size_t i = 0; i < count; i++) {
		const struct lake_file *files;
		size_t file_count;
		assert(batch_is_archive(&batches[i]) && (i == 0 || batches[i].seq > batches[i - 1].seq));
		if (!catalog_list_bronze(silver->options.catalog, batches[i].seq, &arena, &files, &file_count, err))
			return err_wrap(err, "silver");
		if (file_count != 1)
			return err_set(err, ERR_LOCAL, "batch %" PRId64 " has %zu files instead of one",
				batches[i].seq, file_count);
		bronze[i] = files[0];
	}
	if (!build_group(silver, batches, bronze, count, &report, err))
		return err_wrap(err, "silver of %s", bronze[0].path.text);
	*report_out = report;
	return true;
}
