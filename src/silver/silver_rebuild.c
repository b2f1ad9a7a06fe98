/* SPDX-License-Identifier: Apache-2.0 */
/* silver_rebuild.c - silver again from bronze. The catalog forgets the files before they are
 * removed: a crash between leaves files that nothing names, which catalog_recover removes. */
#include "silver/silver_private.h"

#include "base/failpoint.h"
#include "lake/silver_file.h"

enum { FILE_LIST_BYTES_MAX = 1024 * 1024 * 1024 };

static bool remove_files(const struct silver *silver, const struct lake_file *files, size_t count,
			 struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct file_path path;
		if (!layout_absolute(silver->options.layout, files[i].path.text, &path, err)
		    || !file_remove(path.text, err))
			return false;
	}
	return true;
}

/* Tells gold that what it holds was made from files that are no more. */
static bool count_rebuild(struct catalog *catalog, struct err *err)
{
	int64_t rebuilds;
	return catalog_read_setting(catalog, SILVER_REBUILDS_SETTING, 0, &rebuilds, err)
	       && catalog_write_setting(catalog, SILVER_REBUILDS_SETTING, rebuilds + 1, err);
}

static bool forget_all(const struct silver *silver, int64_t *removed_out, struct err *err)
{
	FAILPOINT_SCOPE("silver.rebuild");
	CLEANUP(arena_finish) struct arena arena = {.size_max = FILE_LIST_BYTES_MAX};
	struct catalog *catalog = silver->options.catalog;
	const struct lake_file *live;
	const struct lake_file *compacted;
	size_t live_count;
	size_t compacted_count;
	if (!catalog_list_files(catalog, LAYER_SILVER_LIVE, &arena, &live, &live_count, err)
	    || !catalog_list_files(catalog, LAYER_SILVER, &arena, &compacted, &compacted_count, err)
	    || !FAILPOINT("count", count_rebuild(catalog, err)) || !catalog_reset_batches(catalog, BATCH_BRONZE, err)
	    || !remove_files(silver, live, live_count, err)
	    || !remove_files(silver, compacted, compacted_count, err))
		return false;
	*removed_out = (int64_t)(live_count + compacted_count);
	return true;
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
	*report_out = report;
	return true;
}
