/* SPDX-License-Identifier: Apache-2.0 */
/* silver_rebuild.c - silver again from bronze, but for what only silver still has. The catalog forgets
 * the files before they are removed: a crash between leaves files that nothing names, which
 * catalog_recover removes. */
#include "silver/silver_private.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "lake/lake_verify.h"
#include "lake/retention.h"
#include "lake/silver_file.h"

enum { FILE_LIST_BYTES_MAX = 1024 * 1024 * 1024 };

static bool remove_files(const struct silver *silver, const struct file_path *files, size_t count,
			 struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct file_path path;
		if (!layout_absolute(silver->options.layout, files[i].text, &path, err)
		    || !file_remove(path.text, err))
			return false;
	}
	return true;
}

/* Tells gold that what it holds was made from files that are no more. */
static bool count_rebuild(struct catalog *catalog, int64_t *rebuild_out, struct err *err)
{
	int64_t rebuilds;
	if (!catalog_read_setting(catalog, SILVER_REBUILDS_SETTING, 0, &rebuilds, err)
	    || !catalog_write_setting(catalog, SILVER_REBUILDS_SETTING, rebuilds + 1, err))
		return false;
	*rebuild_out = rebuilds + 1;
	return true;
}

/* The backup names the files that are to go: until there is a new one they stay, as leftovers of the next
 * start, so that a catalog that is lost meanwhile finds them. */
static bool renew_backup(struct catalog *catalog, struct err *err)
{
	return !retention_has_backup(catalog) || retention_back_up(catalog, err);
}

static bool judge_bronze(const struct silver *silver, struct arena *arena, struct err *err)
{
	struct catalog *catalog = silver->options.catalog;
	const struct lake_file *files;
	size_t count;
	int64_t damaged = 0;
	if (!catalog_list_files(catalog, LAYER_BRONZE, arena, &files, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		enum lake_verdict verdict;
		if (!lake_verify_file(silver->options.layout, &files[i], &verdict, err))
			return false;
		damaged += verdict != LAKE_FILE_INTACT;
		if (verdict != LAKE_FILE_INTACT && !catalog_note_damaged_bronze(catalog, files[i].path.text, err))
			return false;
	}
	if (damaged > 0)
		LOG_EVENT(LOG_WARNING, "bronze damaged: what silver has of these batches is kept",
			log_int("files", damaged));
	return true;
}

/* A batch whose bronze was removed, or is not what was written, keeps what silver has of it: that has to
 * be sound then. */
static bool judge_files(const struct silver *silver, struct arena *arena, struct err *err)
{
	struct catalog *catalog = silver->options.catalog;
	const struct layout *layout = silver->options.layout;
	const struct lake_file *files;
	const int64_t *kept;
	size_t count;
	if (!judge_bronze(silver, arena, err) || !retention_list_kept_batches(catalog, arena, &kept, &count, err))
		return false;
	if (count == 0)
		return true;
	for (enum lake_layer layer = LAYER_SILVER_LIVE; layer <= LAYER_SILVER; layer++)
		if (!catalog_list_files(catalog, layer, arena, &files, &count, err)
		    || (!lake_verify_silver(catalog, layout, files, count, err) && err->kind != ERR_RETRY))
			return false;
	return silver_mend(silver, err);
}

static bool forget_all(const struct silver *silver, int64_t *removed_out, struct err *err)
{
	FAILPOINT_SCOPE("silver.rebuild");
	CLEANUP(arena_finish) struct arena arena = {.size_max = FILE_LIST_BYTES_MAX};
	struct catalog *catalog = silver->options.catalog;
	struct silver_kept kept;
	int64_t rebuild = 0;
	if (!judge_files(silver, &arena, err) || !FAILPOINT("count", count_rebuild(catalog, &rebuild, err))
	    || !catalog_write_setting(catalog, SILVER_MERGED_SETTING, 0, err)
	    || !silver_kept_plan(silver, rebuild, &arena, &kept, err)
	    || !catalog_remake_silver(catalog, kept.added, kept.added_count, kept.removed, kept.removed_count, err)
	    || !renew_backup(catalog, err))
		return false;
	*removed_out = (int64_t)kept.removed_count;
	return remove_files(silver, kept.removed, kept.removed_count, err);
}

bool silver_rebuild(struct silver *silver, bool (*progress)(void *context, int64_t done, int64_t total),
		    void *context, struct silver_report *report_out, struct err *err)
{
	struct silver_report report = {0};
	struct catalog_totals totals;
	if (!forget_all(silver, &report.files_replaced, err)
	    || !catalog_read_totals(silver->options.catalog, &totals, err))
		return err_wrap(err, "rebuilding silver");
	for (;;) {
		struct batch batch;
		bool built;
		if (!silver_build_next(silver, &batch, &built, err))
			return err_wrap(err, "rebuilding silver");
		if (!built)
			break;
		report.batches++;
		report.rows += batch.silver_rows;
		report.duplicates += batch.silver_duplicates;
		report.quarantined += batch.silver_quarantined;
		report.files_written += batch.silver_rows > 0;
		if (progress && !progress(context, report.batches, totals.batches_waiting_silver))
			return err_set(err, ERR_RETRY, "stopped");
	}
	struct silver_report merged;
	if (!silver_merge(silver, NULL, &merged, err))
		return err_wrap(err, "rebuilding silver");
	report.duplicates += merged.duplicates;
	*report_out = report;
	return true;
}
