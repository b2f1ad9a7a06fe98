/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_damage.c - silver's files that are lost, and how the catalog gets over it: sent back to bronze,
 * made again in their place, or counted as lost. */
#include "lake/catalog_private.h"

#include "base/failpoint.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <sys/stat.h>

static bool add_to_setting(struct catalog *catalog, const char *key, int64_t change, struct err *err)
{
	int64_t value;
	return catalog_read_setting(catalog, key, 0, &value, err)
	       && catalog_write_setting(catalog, key, value + change, err);
}

static bool count_to_mend(struct catalog *catalog, struct err *err)
{
	int64_t count;
	return catalog_ask(catalog, "SELECT count(*) FROM file WHERE layer <> 'bronze' AND sha256 = ''", &count, err)
	       && catalog_write_setting(catalog, SILVER_TO_MEND_SETTING, count, err);
}

static bool has_bronze(struct catalog *catalog, int64_t batch, bool *has_out, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM file WHERE layer = 'bronze' AND batch_first = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, batch);
	return sqlite_step(statement, has_out, err);
}

static bool mark_to_mend(struct catalog *catalog, const char *path, struct err *err)
{
	return catalog_change_path(catalog, "UPDATE file SET sha256 = '' WHERE path = ?1", path, err);
}

bool catalog_forget_silver(struct catalog *catalog, const struct lake_file *file, bool *remade_out,
			   struct err *err)
{
	bool has = false;
	assert(file->layer != LAYER_BRONZE);
	*remade_out = false;
	if (file->sha256[0] == '\0')
		return true;
	if (file->layer == LAYER_SILVER_LIVE && !has_bronze(catalog, file->batch_first, &has, err))
		return false;
	*remade_out = has;
	return add_to_setting(catalog, SILVER_DAMAGED_SETTING, 1, err)
	       && (has ? catalog_reset_batch(catalog, file->batch_first, err)
		       : mark_to_mend(catalog, file->path.text, err) && count_to_mend(catalog, err));
}

bool catalog_lose_silver(struct catalog *catalog, const struct lake_file *file, struct err *err)
{
	FAILPOINT_SCOPE("catalog.lose-silver");
	struct file_path path;
	struct file_path aside;
	struct stat status;
	bool remade;
	if (!layout_absolute(&catalog->layout, file->path.text, &path, err))
		return false;
	if (file->sha256[0] != '\0' && lstat(path.text, &status) == 0 && !file_set_aside(path.text, &aside, err))
		return false;
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog, catalog_forget_silver(catalog, file, &remade, err), err);
}

bool catalog_list_to_mend(struct catalog *catalog, struct arena *arena, const struct lake_file **files_out,
			  size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT " CATALOG_FILE_COLUMNS
				  " FROM file WHERE layer <> 'bronze' AND sha256 = '' ORDER BY path";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	int64_t count;
	if (!catalog_read_setting(catalog, SILVER_TO_MEND_SETTING, 0, &count, err))
		return false;
	*count_out = 0;
	return count == 0
	       || (sqlite_prepare(catalog->database, sql, &statement, err)
		       && catalog_collect_files(statement, arena, files_out, count_out, err));
}

bool catalog_list_bronze_of_day(struct catalog *catalog, const char *type, int64_t date_us, int64_t first,
				int64_t last, struct arena *arena, const struct lake_file **files_out,
				size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT " CATALOG_FILE_COLUMNS " FROM file WHERE layer = 'bronze'"
				  " AND (type = '' OR (type = ?1 AND date_us = ?2))"
				  " AND batch_first BETWEEN ?3 AND ?4 ORDER BY batch_first, path";
	const int64_t values[] = {date_us, first, last};
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, type);
	catalog_bind_integers(statement, 2, values, ARRAY_COUNT(values));
	return catalog_collect_files(statement, arena, files_out, count_out, err);
}

static bool lose_rows(struct catalog *catalog, const struct batch_loss *loss, struct err *err)
{
	static const char sql[] =
		"UPDATE batch SET silver_rows = silver_rows - ?2, silver_quarantined = silver_quarantined + ?2,"
		" state = iif(state = 'gold', 'silver', state),"
		" gold_rows = 0, gold_duplicates = 0, gold_quarantined = 0 WHERE seq = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, loss->seq);
	sqlite_bind_integer(statement, 2, loss->rows);
	return sqlite_execute(statement, err)
	       && catalog_forget_quarantined(catalog, loss->seq, "gold", err);
}

static bool write_mended(struct catalog *catalog, const char *path, const struct lake_file *file,
			 const struct batch_loss *losses, size_t loss_count,
			 const struct quarantined *quarantined, size_t quarantined_count, struct err *err)
{
	if (!catalog_forget_file(catalog, path, err) || (file && !catalog_insert_file(catalog, file, err)))
		return false;
	for (size_t i = 0; i < loss_count; i++)
		if (!lose_rows(catalog, &losses[i], err))
			return false;
	return catalog_insert_quarantined(catalog, quarantined, quarantined_count, err)
	       && (loss_count == 0 || add_to_setting(catalog, SILVER_REBUILDS_SETTING, 1, err))
	       && count_to_mend(catalog, err);
}

bool catalog_mend_silver(struct catalog *catalog, const char *path, const struct lake_file *file,
			 const struct batch_loss *losses, size_t loss_count,
			 const struct quarantined *quarantined, size_t quarantined_count, struct err *err)
{
	FAILPOINT_SCOPE("catalog.mend-silver");
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog,
		write_mended(catalog, path, file, losses, loss_count, quarantined, quarantined_count, err), err);
}

bool catalog_note_damaged_bronze(struct catalog *catalog, const char *path, struct err *err)
{
	return mark_to_mend(catalog, path, err);
}

bool catalog_list_short_of_bronze(struct catalog *catalog, struct arena *arena, const int64_t **batches_out,
				  size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT seq FROM batch WHERE silver_rows > 0 AND bronze_rows >"
				  " (SELECT coalesce(sum(rows), 0) FROM file WHERE layer = 'bronze'"
				  "  AND batch_first = seq) ORDER BY seq";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err)
	    || !catalog_collect(statement, catalog_take_number, sizeof(int64_t), arena, &kept, count_out, err))
		return false;
	*batches_out = kept;
	return true;
}
