/* SPDX-License-Identifier: Apache-2.0 */
/* silver_compact.c - live files to partitions by type and day.
 *
 * The rows pass once through a table of the engine (spilled when large), because opening hundreds of
 * small files again for every partition would cost more than all the rest. New files are published,
 * then swapped in one catalog transaction, then the old ones removed: whatever a crash leaves
 * unnamed, catalog_recover removes. */
#include "silver/silver_private.h"

#include "base/failpoint.h"
#include "base/memory.h"
#include "lake/lake_verify.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPACT_FILES_MAX = 500, COMPACT_ROWS_MAX = 2000000, PARTITIONS_MAX = 100000, STAGE_NAME_BYTES_MAX = 64 };

#define LIST_BYTES_MAX ((size_t)1 << 30)

struct compaction {
	struct silver *silver;
	struct arena arena;
	const struct lake_file *live; /* what is compacted, lowest batch first */
	size_t live_count;
	int64_t batch_first;
	int64_t batch_last;
	struct lake_file *added;
	size_t added_count;
};

static void compaction_finish(struct compaction *compaction)
{
	arena_finish(&compaction->arena);
}

static int compare_batch(const void *left, const void *right)
{
	const struct lake_file *a = left;
	const struct lake_file *b = right;
	return (a->batch_first > b->batch_first) - (a->batch_first < b->batch_first);
}

/* The oldest live files whose batches are in gold, within the limits; none when there are too few. */
static bool choose_files(struct compaction *compaction, int64_t live_files_min, struct err *err)
{
	struct catalog *catalog = compaction->silver->options.catalog;
	const struct lake_file *listed;
	size_t listed_count;
	if (!catalog_list_files(catalog, LAYER_SILVER_LIVE, &compaction->arena, &listed, &listed_count, err))
		return false;
	if ((int64_t)listed_count < live_files_min || listed_count == 0)
		return true;
	struct lake_file *chosen = arena_allocate(&compaction->arena, listed_count, sizeof(*chosen));
	if (!chosen)
		return err_set(err, ERR_LOCAL, "too many live files");
	size_t count = 0;
	for (size_t i = 0; i < listed_count; i++) {
		struct batch batch;
		bool found;
		if (!catalog_read_batch(catalog, listed[i].batch_first, &batch, &found, err))
			return false;
		if (found && batch.state == BATCH_GOLD)
			chosen[count++] = listed[i];
	}
	if ((int64_t)count < live_files_min)
		return true;
	qsort(chosen, count, sizeof(*chosen), compare_batch);
	int64_t rows = 0;
	for (size_t i = 0; i < count && i < COMPACT_FILES_MAX; i++) {
		rows += chosen[i].rows;
		if (i > 0 && rows > COMPACT_ROWS_MAX)
			break;
		compaction->live_count = i + 1;
		compaction->batch_last = chosen[i].batch_last;
	}
	compaction->live = chosen;
	compaction->batch_first = count > 0 ? chosen[0].batch_first : 0;
	return true;
}

/* Of equal keys and repository the lowest batch stays; of other repositories all stay: which of them
 * is the event is for gold to say. */
static bool gather_rows(const struct compaction *compaction, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver *silver = compaction->silver;
	buf_append_text(&sql, "CREATE OR REPLACE TEMP TABLE compacted AS SELECT * FROM ");
	if (!silver_append_relation(&sql, silver->options.layout, silver->options.fields, compaction->live,
		    compaction->live_count, err))
		return false;
	buf_append_text(&sql, " QUALIFY row_number() OVER (PARTITION BY id, type, created_at, repo_id"
			      " ORDER BY batch) = 1");
	return duck_run(silver->connection, sql.data, err);
}

static bool list_partitions(struct compaction *compaction, struct table *table_out, struct err *err)
{
	static const char sql[] =
		"SELECT type, date_trunc('day', created_at)::TIMESTAMP, count(*), min(created_at), max(created_at)"
		" FROM compacted GROUP BY 1, 2 ORDER BY 1, 2";
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	if (!duck_query(compaction->silver->connection, sql, NULL, 0, &result, err)
	    || !duck_result_read(result, &compaction->arena, PARTITIONS_MAX, table_out, err))
		return false;
	if (table_out->truncated)
		return err_set(err, ERR_LOCAL, "more than %d types and days in %zu live files", PARTITIONS_MAX,
			compaction->live_count);
	return true;
}

/* One row of list_partitions becomes one file. */
static bool write_partition(struct compaction *compaction, const struct value *row, struct err *err)
{
	FAILPOINT_SCOPE("silver.compacted");
	static const char name[] = "silver-partition.parquet";
	static const int64_t day_us = INT64_C(86400) * 1000000;
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver *silver = compaction->silver;
	struct file_path staged;
	struct lake_file file = {
		.layer = LAYER_SILVER,
		.date_us = row[1].time_us,
		.batch_first = compaction->batch_first,
		.batch_last = compaction->batch_last,
		.rows = row[2].integer,
		.time_min_us = row[3].time_us,
		.time_max_us = row[4].time_us,
	};
	assert(row[0].text.size < sizeof(file.type));
	memcpy(file.type, row[0].text.data, row[0].text.size);
	buf_append_text(&sql, "COPY (SELECT * FROM compacted WHERE type = $1 AND created_at >= $2"
			      " AND created_at < $3 ORDER BY created_at, id)");
	const struct value values[] = {row[0], value_time(file.date_us), value_time(file.date_us + day_us)};
	if (!layout_silver(row[0].text, file.date_us, file.batch_first, file.batch_last, &file.path, err)
	    || !silver_stage_path(silver, name, &staged, err)
	    || !silver_append_target(&sql, silver, &staged, file.batch_first, file.batch_last, err)
	    || !FAILPOINT("copy",
		    duck_query(silver->connection, sql.data, values, ARRAY_COUNT(values), NULL, err))
	    || !silver_publish(silver, &staged, &file, err))
		return err_wrap(err, "%s", file.path.text);
	compaction->added[compaction->added_count++] = file;
	return true;
}

static bool write_partitions(struct compaction *compaction, struct err *err)
{
	struct table partitions;
	if (!list_partitions(compaction, &partitions, err))
		return false;
	compaction->added =
		arena_allocate(&compaction->arena, partitions.row_count, sizeof(*compaction->added));
	if (!compaction->added)
		return err_set(err, ERR_LOCAL, "too many types and days");
	for (size_t i = 0; i < partitions.row_count; i++)
		if (!write_partition(compaction, table_value(&partitions, i, 0), err))
			return false;
	return true;
}

/* Files that nothing names would lie there until the next start, and on a full disk in the way. */
static void remove_partitions(const struct compaction *compaction)
{
	for (size_t i = 0; i < compaction->added_count; i++) {
		struct file_path path;
		struct err ignored;
		if (layout_absolute(compaction->silver->options.layout, compaction->added[i].path.text, &path,
			    &ignored))
			(void)!file_remove(path.text, &ignored);
	}
}

static bool swap_files(struct compaction *compaction, struct err *err)
{
	FAILPOINT_SCOPE("silver.replaced");
	const struct silver *silver = compaction->silver;
	struct file_path *removed =
		arena_allocate(&compaction->arena, compaction->live_count, sizeof(*removed));
	if (!removed)
		return err_set(err, ERR_LOCAL, "too many live files");
	for (size_t i = 0; i < compaction->live_count; i++)
		removed[i] = compaction->live[i].path;
	if (!catalog_swap_silver(silver->options.catalog, compaction->added, compaction->added_count, removed,
		    compaction->live_count, err))
		return false;
	for (size_t i = 0; i < compaction->live_count; i++) {
		struct file_path path;
		if (!layout_absolute(silver->options.layout, removed[i].text, &path, err)
		    || !file_remove(path.text, err))
			return false;
	}
	return true;
}

bool silver_compact(struct silver *silver, int64_t live_files_min, struct silver_report *report_out,
		    struct err *err)
{
	CLEANUP(compaction_finish)
	struct compaction compaction = {.silver = silver, .arena = {.size_max = LIST_BYTES_MAX}};
	struct silver_report report = {0};
	if (!choose_files(&compaction, live_files_min, err))
		return err_wrap(err, "compacting silver");
	if (compaction.live_count == 0) {
		*report_out = report;
		return true;
	}
	if (!lake_verify_silver(silver->options.catalog, silver->options.layout, compaction.live,
		    compaction.live_count, err)) {
		/* The next one, when it is there again. */
		*report_out = report;
		return err->kind == ERR_RETRY || err_wrap(err, "compacting silver");
	}
	bool written = gather_rows(&compaction, err) && write_partitions(&compaction, err);
	if (!written)
		remove_partitions(&compaction);
	bool done = written && swap_files(&compaction, err);
	struct err ignored; /* the next compaction replaces it in any case */
	(void)!duck_run(silver->connection, "DROP TABLE IF EXISTS compacted", &ignored);
	if (!done)
		return err_wrap(err, "compacting silver");
	report.batches = (int64_t)compaction.live_count;
	report.files_replaced = (int64_t)compaction.live_count;
	report.files_written = (int64_t)compaction.added_count;
	for (size_t i = 0; i < compaction.added_count; i++)
		report.rows += compaction.added[i].rows;
	for (size_t i = 0; i < compaction.live_count; i++)
		report.duplicates += compaction.live[i].rows;
	report.duplicates -= report.rows;
	*report_out = report;
	return true;
}
