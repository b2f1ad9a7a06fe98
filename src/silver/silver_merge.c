/* SPDX-License-Identifier: Apache-2.0 */
/* silver_merge.c - one row for each key of a type and day, also where several imports brought it. Only the
 * stretch of time that two files share is compared, so hours that follow one another cost nothing. */
#include "silver/silver_private.h"

#include "base/failpoint.h"
#include "lake/catalog_archive.h"
#include "lake/lake_verify.h"
#include "lake/retention.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX ((size_t)1 << 30)

/* Counts file names, so that none comes twice. */
#define MERGES_SETTING "silver_merges"

struct merge {
	struct silver *silver;
	struct arena arena;
	struct lake_file *files; /* compacted and imported ones, by type, day and first batch */
	size_t count;
	int64_t merged_batch;
	int64_t last_batch;
	const char **replaced; /* no longer named by the catalog, but by its backup */
	size_t replaced_count;
	struct silver_report report;
};

static void merge_finish(struct merge *merge)
{
	arena_finish(&merge->arena);
}

static int compare_place(const void *left, const void *right)
{
	const struct lake_file *a = left;
	const struct lake_file *b = right;
	int type = strcmp(a->type, b->type);
	if (type != 0)
		return type;
	if (a->date_us != b->date_us)
		return a->date_us < b->date_us ? -1 : 1;
	return (a->batch_first > b->batch_first) - (a->batch_first < b->batch_first);
}

static bool list_files(struct merge *merge, struct err *err)
{
	const struct lake_file *listed;
	size_t count;
	struct catalog *catalog = merge->silver->options.catalog;
	if (!catalog_read_setting(catalog, SILVER_MERGED_SETTING, 0, &merge->merged_batch, err)
	    || !catalog_list_files(catalog, LAYER_SILVER, &merge->arena, &listed, &count, err))
		return false;
	merge->files = arena_allocate(&merge->arena, count, sizeof(*merge->files));
	merge->replaced = arena_allocate(&merge->arena, count, sizeof(*merge->replaced));
	if (!merge->files || !merge->replaced)
		return err_set(err, ERR_LOCAL, "too many silver files");
	for (size_t i = 0; i < count; i++) {
		if (listed[i].sha256[0] != '\0' && listed[i].rows > 0)
			merge->files[merge->count++] = listed[i];
		if (listed[i].batch_last > merge->last_batch)
			merge->last_batch = listed[i].batch_last;
	}
	qsort(merge->files, merge->count, sizeof(*merge->files), compare_place);
	return true;
}

static bool overlaps(const struct lake_file *a, const struct lake_file *b)
{
	return a->time_min_us <= b->time_max_us && b->time_min_us <= a->time_max_us;
}

struct stretch {
	int64_t from_us; /* empty: INT64_MAX */
	int64_t to_us;
};

static void widen(struct stretch *stretch, int64_t from_us, int64_t to_us)
{
	if (from_us < stretch->from_us)
		stretch->from_us = from_us;
	if (to_us > stretch->to_us)
		stretch->to_us = to_us;
}

static bool is_same_place(const struct lake_file *a, const struct lake_file *b)
{
	return a->date_us == b->date_us && strcmp(a->type, b->type) == 0;
}

/* Files of the same type and day that share time with it and may have rows of an earlier batch than it, and the
 * stretch that they share. Batches that were compacted together may lie around it. */
static size_t choose_earlier(const struct merge *merge, size_t index, struct lake_file *earlier,
			     struct stretch *stretch)
{
	const struct lake_file *file = &merge->files[index];
	size_t count = 0;
	size_t i = index;
	while (i > 0 && is_same_place(&merge->files[i - 1], file))
		i--;
	for (; i < merge->count && is_same_place(&merge->files[i], file); i++) {
		const struct lake_file *other = &merge->files[i];
		if (i == index || other->rows == 0 || other->batch_first >= file->batch_last || !overlaps(other, file))
			continue;
		earlier[count++] = *other;
		widen(stretch, other->time_min_us > file->time_min_us ? other->time_min_us : file->time_min_us,
			other->time_max_us < file->time_max_us ? other->time_max_us : file->time_max_us);
	}
	return count;
}

/* The stretch that imported hours in one file share with each other. */
static bool find_shared_inside(const struct merge *merge, const struct lake_file *file, struct stretch *stretch,
			       struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	const struct archive *archives;
	size_t count;
	if (file->batch_first == file->batch_last)
		return true;
	if (!catalog_list_archives_of(merge->silver->options.catalog, file->batch_first, file->batch_last, &arena,
		    &archives, &count, err))
		return false;
	for (size_t i = 1; i < count; i++) {
		for (size_t n = 0; n < i; n++) {
			const struct archive *a = &archives[i];
			const struct archive *b = &archives[n];
			if (a->time_min_us <= b->time_max_us && b->time_min_us <= a->time_max_us)
				widen(stretch, a->time_min_us > b->time_min_us ? a->time_min_us : b->time_min_us,
					a->time_max_us < b->time_max_us ? a->time_max_us : b->time_max_us);
		}
	}
	return true;
}

static bool insert_met(const struct merge *merge, struct buf *sql, const struct stretch *stretch, struct err *err)
{
	const struct value range[] = {value_time(stretch->from_us), value_time(stretch->to_us)};
	if (sql->failed)
		return err_set(err, ERR_LOCAL, "the statement is too long");
	return duck_query(merge->silver->connection, sql->data, range, ARRAY_COUNT(range), NULL, err);
}

/* Into `met`: the rows of `file` in the stretch that one of `earlier` has of an earlier batch. */
static bool find_met(const struct merge *merge, const struct lake_file *file, const struct lake_file *earlier,
		     size_t earlier_count, const struct stretch *stretch, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver_options *options = &merge->silver->options;
	buf_append_text(&sql, "INSERT INTO met SELECT id, created_at, repo_id, batch FROM ");
	if (!silver_append_relation(&sql, options->layout, options->fields, file, 1, err))
		return false;
	buf_append_text(&sql, " later WHERE created_at BETWEEN $1 AND $2 AND EXISTS (SELECT 1 FROM ");
	if (!silver_append_relation(&sql, options->layout, options->fields, earlier, earlier_count, err))
		return false;
	buf_append_text(&sql, " earlier WHERE earlier.created_at BETWEEN $1 AND $2 AND earlier.id = later.id"
			      " AND earlier.created_at = later.created_at AND earlier.batch < later.batch"
			      " AND earlier.repo_id IS NOT DISTINCT FROM later.repo_id)");
	return insert_met(merge, &sql, stretch, err);
}

/* Into `met`: the rows of `file` in the stretch that an earlier batch in the same file has too. */
static bool find_met_inside(const struct merge *merge, const struct lake_file *file, const struct stretch *stretch,
			    struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver_options *options = &merge->silver->options;
	buf_append_text(&sql, "INSERT INTO met SELECT id, created_at, repo_id, batch FROM"
			      " (SELECT id, created_at, repo_id, batch, row_number() OVER"
			      " (PARTITION BY id, created_at, repo_id ORDER BY batch) AS place FROM ");
	if (!silver_append_relation(&sql, options->layout, options->fields, file, 1, err))
		return false;
	buf_append_text(&sql, " WHERE created_at BETWEEN $1 AND $2) WHERE place > 1");
	return insert_met(merge, &sql, stretch, err);
}

static bool collect_met(const struct merge *merge, size_t index, const struct lake_file *earlier, size_t count,
			const struct stretch *shared, const struct stretch *inside, int64_t *met_out, struct err *err)
{
	const struct lake_file *file = &merge->files[index];
	struct duck_connection *connection = merge->silver->connection;
	return duck_run(connection, "CREATE OR REPLACE TEMP TABLE met (id BIGINT, created_at TIMESTAMP, repo_id BIGINT,"
				    " batch BIGINT)", err)
	       && (count == 0 || find_met(merge, file, earlier, count, shared, err))
	       && (inside->from_us == INT64_MAX || find_met_inside(merge, file, inside, err))
	       && duck_query_integer(connection, "SELECT count(*) FROM (SELECT DISTINCT * FROM met)", NULL, 0, 0,
		       met_out, err);
}

static bool measure(const struct merge *merge, const struct file_path *staged, struct lake_file *merged,
		    struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1024 * 1024};
	struct table table;
	buf_append_text(&sql, "SELECT count(*), min(created_at), max(created_at) FROM read_parquet(");
	if (!duck_quote_text(&sql, span_of(staged->text)))
		return err_set(err, ERR_LOCAL, "the data folder's path is not UTF-8");
	buf_append_byte(&sql, ')');
	if (!duck_query(merge->silver->connection, sql.data, NULL, 0, &result, err)
	    || !duck_result_read(result, &arena, 1, &table, err))
		return false;
	merged->rows = table_value(&table, 0, 0)->integer;
	merged->time_min_us = table_value(&table, 0, 1)->time_us;
	merged->time_max_us = table_value(&table, 0, 2)->time_us;
	return true;
}

/* `file` without the rows of `met`, published under a new name; merged_out->rows 0: nothing was left. */
static bool write_merged(const struct merge *merge, const struct lake_file *file, int64_t met,
			 struct lake_file *merged_out, struct err *err)
{
	FAILPOINT_SCOPE("silver.merged");
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver *silver = merge->silver;
	struct catalog *catalog = silver->options.catalog;
	struct file_path staged;
	int64_t merges;
	*merged_out = *file;
	merged_out->rows = 0;
	if (met == file->rows)
		return true;
	buf_append_text(&sql, "COPY (SELECT * FROM ");
	if (!silver_append_relation(&sql, silver->options.layout, silver->options.fields, file, 1, err))
		return false;
	buf_append_text(&sql, " ANTI JOIN met USING (id, created_at, batch) ORDER BY created_at, id)");
	if (!catalog_read_setting(catalog, MERGES_SETTING, 0, &merges, err)
	    || !FAILPOINT("number", catalog_write_setting(catalog, MERGES_SETTING, merges + 1, err))
	    || !layout_silver_merged(span_of(file->type), file->date_us, file->batch_first, file->batch_last,
		    merges + 1, &merged_out->path, err)
	    || !silver_stage_path(silver, "silver-merged.parquet", &staged, err)
	    || !silver_append_target(&sql, silver, &staged, file->batch_first, file->batch_last, err)
	    || !FAILPOINT("copy", duck_run(silver->connection, sql.data, err))
	    || !measure(merge, &staged, merged_out, err))
		return false;
	if (merged_out->rows != file->rows - met)
		return err_set(err, ERR_LOCAL, "%" PRId64 " rows merged to %" PRId64 " instead of %" PRId64,
			file->rows, merged_out->rows, file->rows - met);
	return silver_publish(silver, &staged, merged_out, err);
}

static bool remove_file(const struct merge *merge, const char *relative, struct err *err)
{
	struct file_path path;
	return layout_absolute(merge->silver->options.layout, relative, &path, err) && file_remove(path.text, err);
}

/* What bronze can no longer give again must be in a file that the backup names, if the catalog is lost. */
static bool replace(struct merge *merge, struct lake_file *file, const struct lake_file *merged, struct err *err)
{
	FAILPOINT_SCOPE("silver.merged");
	struct catalog *catalog = merge->silver->options.catalog;
	const char *old = arena_copy_text(&merge->arena, span_of(file->path.text));
	if (!old)
		return err_set(err, ERR_LOCAL, "too many silver files");
	if (!catalog_swap_silver(catalog, merged, merged->rows > 0 ? 1 : 0, &file->path, 1, err))
		return false;
	*file = *merged;
	if (!retention_has_backup(catalog))
		return remove_file(merge, old, err);
	merge->replaced[merge->replaced_count++] = old;
	return true;
}

/* One backup for all of them. Without it they stay, as leftovers of the next start. */
static bool remove_replaced(const struct merge *merge, struct err *err)
{
	FAILPOINT_SCOPE("silver.merged");
	if (merge->replaced_count > 0 && !retention_back_up(merge->silver->options.catalog, err))
		return false;
	for (size_t i = 0; i < merge->replaced_count; i++)
		if (!remove_file(merge, merge->replaced[i], err))
			return false;
	return true;
}

static bool merge_file(struct merge *merge, size_t index, struct lake_file *earlier, struct err *err)
{
	struct lake_file *file = &merge->files[index];
	struct lake_file merged;
	struct stretch shared = {INT64_MAX, INT64_MIN};
	struct stretch inside = {INT64_MAX, INT64_MIN};
	int64_t met = 0;
	const struct silver_options *options = &merge->silver->options;
	if (file->batch_last <= merge->merged_batch)
		return true;
	size_t count = choose_earlier(merge, index, earlier, &shared);
	if (!find_shared_inside(merge, file, &inside, err))
		return false;
	if (count == 0 && inside.from_us == INT64_MAX)
		return true;
	if (!lake_verify_silver(options->catalog, options->layout, earlier, count, err)
	    || !lake_verify_silver(options->catalog, options->layout, file, 1, err)) {
		/* The next merge, when it is there again. */
		return err->kind == ERR_RETRY;
	}
	if (!collect_met(merge, index, earlier, count, &shared, &inside, &met, err))
		return false;
	if (met == 0)
		return true;
	merge->report.files_replaced++;
	if (!write_merged(merge, file, met, &merged, err))
		return false;
	merge->report.files_written += merged.rows > 0;
	merge->report.rows += merged.rows;
	merge->report.duplicates += met;
	return replace(merge, file, &merged, err);
}

/* All of them have been compared. */
static bool note_merged(const struct merge *merge, struct err *err)
{
	FAILPOINT_SCOPE("silver.merged");
	return merge->last_batch <= merge->merged_batch
	       || FAILPOINT("done", catalog_write_setting(merge->silver->options.catalog, SILVER_MERGED_SETTING,
						merge->last_batch, err));
}

bool silver_merge(struct silver *silver, struct stop_flag *stop, struct silver_report *report_out, struct err *err)
{
	CLEANUP(merge_finish) struct merge merge = {.silver = silver, .arena = {.size_max = LIST_BYTES_MAX}};
	if (!list_files(&merge, err))
		return err_wrap(err, "merging silver");
	struct lake_file *earlier = arena_allocate(&merge.arena, merge.count, sizeof(*earlier));
	if (!earlier)
		return err_set(err, ERR_LOCAL, "too many silver files");
	bool ok = true;
	bool stopped = false;
	for (size_t i = 0; i < merge.count && ok && !stopped; i++) {
		ok = merge_file(&merge, i, earlier, err) || err_wrap(err, "%s", merge.files[i].path.text);
		stopped = stop && stop_flag_is_set(stop);
	}
	struct err ignored; /* the next one replaces it in any case */
	(void)!duck_run(silver->connection, "DROP TABLE IF EXISTS met", &ignored);
	if (!ok || !remove_replaced(&merge, err) || (!stopped && !note_merged(&merge, err)))
		return err_wrap(err, "merging silver");
	*report_out = merge.report;
	return true;
}
