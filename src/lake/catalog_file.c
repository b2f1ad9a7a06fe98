/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_file.c - which files are current, and the steps of a batch that change that: silver's
 * file, compaction's swap, the ways back. */
#include "lake/catalog_private.h"

#include "base/failpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *const layer_names[] = {"bronze", "live", "silver"};

bool catalog_insert_file(struct catalog *catalog, const struct lake_file *file, struct err *err)
{
	static const char sql[] =
		"INSERT INTO file (path, layer, type, sha256, fingerprint, date_us, batch_first,"
		" batch_last, rows, size_bytes, created_at_us, time_min_us, time_max_us)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {
		file->date_us, file->batch_first, file->batch_last, file->rows, file->size_bytes,
		file->created_at_us, file->time_min_us, file->time_max_us,
	};
	assert(file->layer >= LAYER_BRONZE && file->layer <= LAYER_SILVER);
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, file->path.text);
	catalog_bind_text(statement, 2, layer_names[file->layer]);
	catalog_bind_text(statement, 3, file->type);
	catalog_bind_text(statement, 4, file->sha256);
	catalog_bind_text(statement, 5, file->fingerprint);
	catalog_bind_integers(statement, 6, values, ARRAY_COUNT(values));
	return sqlite_execute(statement, err) || err_wrap(err, "file %s", file->path.text);
}

bool catalog_insert_bronze(struct catalog *catalog, int64_t batch, const struct bronze_file *file,
			   struct err *err)
{
	struct lake_file entry = {
		.path = file->path,
		.layer = LAYER_BRONZE,
		.date_us = file->date_us,
		.batch_first = batch,
		.batch_last = batch,
		.rows = file->events,
		.size_bytes = file->size_bytes,
		.created_at_us = file->received_at_us,
		.time_min_us = file->time_min_us,
		.time_max_us = file->time_max_us,
	};
	memcpy(entry.type, file->type, sizeof(entry.type));
	memcpy(entry.sha256, file->sha256, sizeof(entry.sha256));
	return catalog_insert_file(catalog, &entry, err);
}

bool catalog_change_path(struct catalog *catalog, const char *sql, const char *path, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, path);
	return sqlite_execute(statement, err);
}

bool catalog_forget_file(struct catalog *catalog, const char *path, struct err *err)
{
	if (!catalog_change_path(catalog, "DELETE FROM file WHERE path = ?1", path, err))
		return false;
	if (sqlite_changes(catalog->database) != 1)
		return err_set(err, ERR_LOCAL, "the catalog has no file %s", path);
	return true;
}

static bool take_file(struct sqlite_statement *statement, struct arena *arena, void *record,
			struct err *err)
{
	(void)arena;
	struct lake_file *file = record;
	int layer = 0;
	if (!catalog_take_text(statement, 0, file->path.text, sizeof(file->path.text), err)
	    || !catalog_take_name(statement, 1, layer_names, ARRAY_COUNT(layer_names), &layer, err)
	    || !catalog_take_text(statement, 2, file->type, sizeof(file->type), err)
	    || !catalog_take_text(statement, 3, file->sha256, sizeof(file->sha256), err)
	    || !catalog_take_text(statement, 4, file->fingerprint, sizeof(file->fingerprint), err))
		return false;
	file->layer = (enum lake_layer)layer;
	int64_t *const numbers[] = {
		&file->date_us, &file->batch_first, &file->batch_last, &file->rows,
		&file->size_bytes, &file->created_at_us, &file->time_min_us, &file->time_max_us,
	};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		*numbers[i] = sqlite_column_integer(statement, 5 + (int)i);
	return true;
}

bool catalog_collect_files(struct sqlite_statement *statement, struct arena *arena,
			   const struct lake_file **files_out, size_t *count_out, struct err *err)
{
	const void *kept = NULL;
	if (!catalog_collect(statement, take_file, sizeof(struct lake_file), arena, &kept, count_out, err))
		return false;
	*files_out = kept;
	return true;
}

/* `batch` 0: of all batches. */
static bool list_files(struct catalog *catalog, enum lake_layer layer, int64_t batch,
		       struct arena *arena, const struct lake_file **files_out, size_t *count_out,
		       struct err *err)
{
	const char *sql = batch == 0
		? "SELECT " CATALOG_FILE_COLUMNS " FROM file WHERE layer = ?1 ORDER BY batch_first, path"
		: "SELECT " CATALOG_FILE_COLUMNS " FROM file WHERE layer = ?1 AND batch_first = ?2"
		  " ORDER BY path";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, layer_names[layer]);
	if (batch != 0)
		sqlite_bind_integer(statement, 2, batch);
	return catalog_collect_files(statement, arena, files_out, count_out, err);
}

bool catalog_list_bronze(struct catalog *catalog, int64_t batch, struct arena *arena,
			 const struct lake_file **files_out, size_t *count_out, struct err *err)
{
	assert(batch >= 1);
	return list_files(catalog, LAYER_BRONZE, batch, arena, files_out, count_out, err);
}

bool catalog_list_files(struct catalog *catalog, enum lake_layer layer, struct arena *arena,
			const struct lake_file **files_out, size_t *count_out, struct err *err)
{
	return list_files(catalog, layer, 0, arena, files_out, count_out, err);
}

bool catalog_update_batch(struct catalog *catalog, const char *sql, int64_t seq, const int64_t *values, size_t count,
			  struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, seq);
	catalog_bind_integers(statement, 2, values, count);
	if (!sqlite_execute(statement, err))
		return err_wrap(err, "batch %" PRId64, seq);
	if (sqlite_changes(catalog->database) != 1)
		return err_set(err, ERR_LOCAL, "the catalog has no batch %" PRId64, seq);
	return true;
}

static bool forget_live_file(struct catalog *catalog, int64_t batch, struct err *err)
{
	static const char sql[] = "DELETE FROM file WHERE layer = 'live' AND batch_first = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, batch);
	return sqlite_execute(statement, err);
}

bool catalog_store_silver(struct catalog *catalog, const struct batch *batch,
			  const struct lake_file *file, const struct quarantined *quarantined,
			  size_t quarantined_count, struct err *err)
{
	static const char sql[] =
		"UPDATE batch SET state = 'silver', silver_rows = ?2, silver_duplicates = ?3,"
		" silver_quarantined = ?4, gold_rows = 0, gold_duplicates = 0, gold_quarantined = 0"
		" WHERE seq = ?1";
	FAILPOINT_SCOPE("catalog.store-silver");
	const int64_t values[] = {
		batch->silver_rows, batch->silver_duplicates, batch->silver_quarantined};
	assert(!file || (file->layer == LAYER_SILVER_LIVE && file->batch_first == batch->seq));
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = catalog_update_batch(catalog, sql, batch->seq, values, ARRAY_COUNT(values), err)
		  && forget_live_file(catalog, batch->seq, err)
		  && (!file || catalog_insert_file(catalog, file, err))
		  && catalog_forget_quarantined(catalog, batch->seq, "silver", err)
		  && catalog_forget_quarantined(catalog, batch->seq, "gold", err)
		  && catalog_insert_quarantined(catalog, quarantined, quarantined_count, err);
	return catalog_end(catalog, ok, err);
}

bool catalog_store_gold(struct catalog *catalog, const struct batch *batch,
			const struct quarantined *quarantined, size_t quarantined_count,
			struct err *err)
{
	static const char sql[] =
		"UPDATE batch SET state = 'gold', gold_rows = ?2, gold_duplicates = ?3,"
		" gold_quarantined = ?4 WHERE seq = ?1";
	FAILPOINT_SCOPE("catalog.store-gold");
	const int64_t values[] = {
		batch->gold_rows, batch->gold_duplicates, batch->gold_quarantined};
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = catalog_update_batch(catalog, sql, batch->seq, values, ARRAY_COUNT(values), err)
		  && catalog_forget_quarantined(catalog, batch->seq, "gold", err)
		  && catalog_insert_quarantined(catalog, quarantined, quarantined_count, err);
	return catalog_end(catalog, ok, err);
}

static bool swap_files(struct catalog *catalog, const struct lake_file *added, size_t added_count,
		       const struct file_path *removed, size_t removed_count, struct err *err)
{
	for (size_t i = 0; i < removed_count; i++)
		if (!catalog_forget_file(catalog, removed[i].text, err))
			return false;
	for (size_t i = 0; i < added_count; i++) {
		assert(added[i].layer == LAYER_SILVER);
		if (!catalog_insert_file(catalog, &added[i], err))
			return false;
	}
	return true;
}

bool catalog_swap_silver(struct catalog *catalog, const struct lake_file *added, size_t added_count,
			 const struct file_path *removed, size_t removed_count, struct err *err)
{
	FAILPOINT_SCOPE("catalog.swap-silver");
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog, swap_files(catalog, added, added_count, removed, removed_count, err), err);
}

bool catalog_reset_all(struct catalog *catalog, enum batch_state state, struct err *err)
{
	static const char to_bronze[] =
		"DELETE FROM file WHERE layer <> 'bronze';"
		"DELETE FROM quarantine WHERE stage IN ('silver', 'gold');"
		"UPDATE batch SET state = 'bronze', silver_rows = 0, silver_duplicates = 0,"
		" silver_quarantined = 0, gold_rows = 0, gold_duplicates = 0, gold_quarantined = 0"
		" WHERE state <> 'bronze' AND seq IN (" CATALOG_WHOLE_BATCHES ")";
	static const char to_silver[] =
		"DELETE FROM quarantine WHERE stage = 'gold';"
		"UPDATE batch SET state = 'silver', gold_rows = 0, gold_duplicates = 0,"
		" gold_quarantined = 0 WHERE state = 'gold' AND EXISTS"
		" (SELECT 1 FROM file WHERE layer = 'bronze' AND batch_first = seq)";
	assert(state == BATCH_BRONZE || state == BATCH_SILVER);
	return sqlite_run(catalog->database, state == BATCH_BRONZE ? to_bronze : to_silver, err);
}

bool catalog_remake_silver(struct catalog *catalog, const struct lake_file *added, size_t added_count,
			   const struct file_path *removed, size_t removed_count, struct err *err)
{
	static const char sql[] =
		"DELETE FROM quarantine WHERE stage IN ('silver', 'gold')"
		" AND batch IN (" CATALOG_WHOLE_BATCHES ");"
		"UPDATE batch SET state = 'bronze', silver_rows = 0, silver_duplicates = 0,"
		" silver_quarantined = 0, gold_rows = 0, gold_duplicates = 0, gold_quarantined = 0"
		" WHERE state <> 'bronze' AND seq IN (" CATALOG_WHOLE_BATCHES ")";
	FAILPOINT_SCOPE("catalog.reset");
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog,
		swap_files(catalog, added, added_count, removed, removed_count, err)
			&& sqlite_run(catalog->database, sql, err),
		err);
}

bool catalog_reset_batches(struct catalog *catalog, enum batch_state state, struct err *err)
{
	FAILPOINT_SCOPE("catalog.reset");
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog, catalog_reset_all(catalog, state, err), err);
}

bool catalog_reset_batch(struct catalog *catalog, int64_t seq, struct err *err)
{
	static const char sql[] =
		"UPDATE batch SET state = 'bronze', silver_rows = 0, silver_duplicates = 0,"
		" silver_quarantined = 0, gold_rows = 0, gold_duplicates = 0, gold_quarantined = 0"
		" WHERE seq = ?1";
	return catalog_update_batch(catalog, sql, seq, NULL, 0, err) && forget_live_file(catalog, seq, err)
	       && catalog_forget_quarantined(catalog, seq, "silver", err)
	       && catalog_forget_quarantined(catalog, seq, "gold", err);
}
