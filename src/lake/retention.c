/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - which files go, and the way in which they go; the catalog's backup.
 * retention_ledger.c has what is removed row by row. */
#include "lake/retention.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "lake/catalog_private.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char BACKUP_NAME[] = "catalog.backup.sqlite";

enum { FINISH_PER_COMMIT = 1000, PATHS_BYTES_MAX = 16 * 1024 * 1024 };

static const char *const layer_names[RETENTION_LAYER_COUNT] = {
	"bronze", "silver", "gold", "quarantine", "sweeps"};

const char *retention_layer_name(enum retention_layer layer)
{
	return layer_names[layer];
}

/* ---- totals ---- */

bool retention_read(struct catalog *catalog, struct retention_total totals_out[RETENTION_LAYER_COUNT],
		    struct err *err)
{
	static const char sql[] = "SELECT layer, kept_from_us, rows, files, bytes, at_us FROM retention";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	struct retention_total totals[RETENTION_LAYER_COUNT] = {0};
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	while (sqlite_step(statement, &row, err)) {
		int layer = 0;
		if (!row) {
			memcpy(totals_out, totals, sizeof(totals));
			return true;
		}
		if (!catalog_take_name(statement, 0, layer_names, RETENTION_LAYER_COUNT, &layer, err))
			return false;
		totals[layer] = (struct retention_total){
			.kept_from_us = sqlite_column_integer(statement, 1),
			.rows = sqlite_column_integer(statement, 2),
			.files = sqlite_column_integer(statement, 3),
			.bytes = sqlite_column_integer(statement, 4),
			.at_us = sqlite_column_integer(statement, 5),
		};
	}
	return false;
}

bool retention_read_expired(struct catalog *catalog, int64_t *before_us_out, struct err *err)
{
	/* min() of all three: one that is 0 keeps everything. */
	return catalog_ask(catalog,
		"SELECT max(0, min(kept_from_us)) FROM retention WHERE layer IN ('bronze', 'silver', 'gold')",
		before_us_out, err);
}

bool retention_move(struct catalog *catalog, enum retention_layer layer, int64_t kept_from_us, struct err *err)
{
	static const char sql[] = "UPDATE retention SET kept_from_us = ?2 WHERE layer = ?1 AND kept_from_us < ?2";
	FAILPOINT_SCOPE("retention");
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = sqlite_prepare(catalog->database, sql, &statement, err);
	if (ok) {
		catalog_bind_text(statement, 1, layer_names[layer]);
		sqlite_bind_integer(statement, 2, kept_from_us);
		ok = sqlite_execute(statement, err);
	}
	sqlite_finish(&statement);
	return catalog_end(catalog, ok, err);
}

bool catalog_count_removed(struct catalog *catalog, enum retention_layer layer, int64_t rows, int64_t files,
			   int64_t bytes, struct err *err)
{
	static const char sql[] = "UPDATE retention SET rows = rows + ?2, files = files + ?3, bytes = bytes + ?4,"
				  " at_us = ?5 WHERE layer = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {rows, files, bytes, clock_wall_us(clock_system())};
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, layer_names[layer]);
	catalog_bind_integers(statement, 2, values, ARRAY_COUNT(values));
	return sqlite_execute(statement, err);
}

/* ---- which files ---- */

/* Those that may go at all, oldest first. Bronze behind a live file of silver waits for compaction:
 * what compaction has written stays as it is, so that the catalog's backup names it. */
static bool list_eligible(struct catalog *catalog, enum retention_layer layer, size_t count_max,
			  struct arena *arena, const struct lake_file **files_out, size_t *count_out,
			  struct err *err)
{
	static const char bronze[] =
		"SELECT " CATALOG_FILE_COLUMNS " FROM file WHERE layer = 'bronze'"
		" AND EXISTS (SELECT 1 FROM batch WHERE seq = file.batch_first AND state = 'gold')"
		" AND NOT EXISTS (SELECT 1 FROM file AS live WHERE live.layer = 'live'"
		"  AND live.batch_first = file.batch_first)"
		" ORDER BY time_max_us LIMIT ?1";
	static const char silver[] =
		"SELECT " CATALOG_FILE_COLUMNS " FROM file WHERE layer IN ('silver', 'live')"
		/* Compacted files were in gold before they were made, those of imported hours were not. */
		" AND NOT EXISTS (SELECT 1 FROM batch WHERE seq BETWEEN file.batch_first AND file.batch_last"
		"  AND state <> 'gold')"
		" ORDER BY time_max_us LIMIT ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, layer == RETENTION_BRONZE ? bronze : silver, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, (int64_t)count_max);
	return catalog_collect_files(statement, arena, files_out, count_out, err);
}

/* Live files of batches in gold that have events of before `before_us`, and are in the way: bronze
 * waits for all of them, silver for those that also have newer ones. */
static bool find_waiting(struct catalog *catalog, enum retention_layer layer, int64_t before_us, bool *found_out,
			 struct err *err)
{
	static const char sql[] =
		"SELECT 1 FROM file JOIN batch ON batch.seq = file.batch_first WHERE layer = 'live'"
		" AND state = 'gold' AND time_min_us < ?1 AND (?2 OR time_max_us >= ?1) LIMIT 1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, before_us);
	sqlite_bind_integer(statement, 2, layer == RETENTION_BRONZE);
	return sqlite_step(statement, found_out, err);
}

bool retention_choose(struct catalog *catalog, enum retention_layer layer, int64_t before_us, int64_t bytes_max,
		      size_t count_max, struct arena *arena, struct retention_choice *choice_out, struct err *err)
{
	struct retention_choice choice = {.newest_us = INT64_MIN};
	struct catalog_totals totals;
	const struct lake_file *files;
	size_t count;
	assert(layer == RETENTION_BRONZE || layer == RETENTION_SILVER);
	if (!catalog_read_totals(catalog, &totals, err)
	    || !list_eligible(catalog, layer, count_max, arena, &files, &count, err)
	    || !find_waiting(catalog, layer, before_us, &choice.needs_compaction, err))
		return false;
	int64_t held_bytes = layer == RETENTION_BRONZE ? totals.bronze_bytes : totals.silver_bytes;
	/* A tenth more than needed: each removal costs a backup of the catalog. */
	int64_t over_bytes = held_bytes > bytes_max ? held_bytes - (bytes_max - bytes_max / 10) : 0;
	choice.files = files;
	while (choice.count < count) {
		const struct lake_file *file = &files[choice.count];
		if (file->time_max_us >= before_us && choice.bytes >= over_bytes)
			break;
		choice.count++;
		choice.rows += file->rows;
		choice.bytes += file->size_bytes;
		choice.newest_us = file->time_max_us;
	}
	if (choice.count == count && count < count_max && choice.bytes < over_bytes && totals.live_files > 0)
		choice.needs_compaction = true;
	*choice_out = choice;
	return true;
}

bool retention_list_backing(struct catalog *catalog, const struct retention_choice *choice, struct arena *arena,
			    const struct lake_file **files_out, size_t *count_out, struct err *err)
{
	static const char sql[] =
		"SELECT " CATALOG_FILE_COLUMNS " FROM file AS silver WHERE layer = 'silver' AND EXISTS"
		" (SELECT 1 FROM file AS bronze WHERE bronze.layer = 'bronze' AND bronze.time_max_us <= ?1"
		"  AND (bronze.type = '' OR (bronze.type = silver.type AND bronze.date_us = silver.date_us))"
		"  AND bronze.batch_first BETWEEN silver.batch_first AND silver.batch_last)";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, choice->newest_us);
	return catalog_collect_files(statement, arena, files_out, count_out, err);
}

/* ---- the way in which they go ---- */

bool retention_forget(struct catalog *catalog, enum retention_layer layer, const struct retention_choice *choice,
		      struct err *err)
{
	FAILPOINT_SCOPE("retention");
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = catalog_count_removed(catalog, layer, choice->rows, (int64_t)choice->count, choice->bytes, err);
	for (size_t i = 0; i < choice->count && ok; i++)
		ok = catalog_forget_file(catalog, choice->files[i].path.text, err)
		     && catalog_change_path(catalog, "INSERT OR IGNORE INTO removal (path) VALUES (?1)",
			     choice->files[i].path.text, err);
	return catalog_end(catalog, ok, err) || err_wrap(err, "retention of %s", layer_names[layer]);
}

static bool take_path(struct sqlite_statement *statement, struct arena *arena, void *record, struct err *err)
{
	(void)arena;
	struct file_path *path = record;
	return catalog_take_text(statement, 0, path->text, sizeof(path->text), err);
}

static bool unlink_files(struct catalog *catalog, const struct file_path *paths, size_t count, int64_t *removed,
			 struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct file_path path;
		if (!layout_absolute(&catalog->layout, paths[i].text, &path, err))
			return false;
		*removed += file_exists(path.text);
		if (!file_remove(path.text, err))
			return false;
		file_remove_empty_folder_of(path.text);
	}
	return true;
}

/* The unlinks need not be durable before the notes go: a file that a crash of the machine brings back
 * without its note would be adopted. So the folders are what the notes wait for. */
static bool sync_folders(struct catalog *catalog, const struct file_path *paths, size_t count, struct err *err)
{
	char before[FILE_PATH_BYTES_MAX] = "";
	for (size_t i = 0; i < count; i++) {
		struct file_path path;
		if (!layout_absolute(&catalog->layout, paths[i].text, &path, err))
			return false;
		do
			*strrchr(path.text, '/') = '\0';
		while (!file_exists(path.text));
		if (strcmp(path.text, before) == 0)
			continue;
		if (!file_sync_folder(path.text, err))
			return false;
		memcpy(before, path.text, sizeof(before));
	}
	return true;
}

static bool forget_notes(struct catalog *catalog, const struct file_path *paths, size_t count, struct err *err)
{
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = true;
	for (size_t i = 0; i < count && ok; i++)
		ok = catalog_change_path(catalog, "DELETE FROM removal WHERE path = ?1", paths[i].text, err);
	return catalog_end(catalog, ok, err);
}

static bool back_up_first(struct catalog *catalog, bool *backed_up_out, struct err *err)
{
	int64_t notes = 0;
	if (!catalog_ask(catalog, "SELECT count(*) FROM removal", &notes, err))
		return false;
	bool backed_up = notes == 0 || retention_back_up(catalog, err);
	if (!backed_up && !err->no_space)
		return false;
	if (backed_up_out)
		*backed_up_out = backed_up;
	return true;
}

bool retention_finish(struct catalog *catalog, int64_t *count_out, bool *backed_up_out, struct err *err)
{
	static const char sql[] = "SELECT path FROM removal ORDER BY path LIMIT ?1";
	FAILPOINT_SCOPE("retention");
	int64_t removed = 0;
	if (!back_up_first(catalog, backed_up_out, err))
		return err_wrap(err, "retention");
	for (;;) {
		struct arena arena CLEANUP(arena_finish) = {.size_max = PATHS_BYTES_MAX};
		struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
		const void *paths = NULL;
		size_t count = 0;
		if (!sqlite_prepare(catalog->database, sql, &statement, err))
			return false;
		sqlite_bind_integer(statement, 1, FINISH_PER_COMMIT);
		if (!catalog_collect(statement, take_path, sizeof(struct file_path), &arena, &paths, &count, err))
			return false;
		sqlite_finish(&statement);
		if (count == 0)
			break;
		if (!unlink_files(catalog, paths, count, &removed, err)
		    || !sync_folders(catalog, paths, count, err) || !forget_notes(catalog, paths, count, err))
			return err_wrap(err, "retention");
	}
	*count_out = removed;
	return true;
}

/* ---- what can be made again ---- */

bool retention_list_kept_batches(struct catalog *catalog, struct arena *arena, const int64_t **batches_out,
				 size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT seq FROM batch WHERE state <> 'bronze' AND silver_rows > 0"
				  " AND seq NOT IN (" CATALOG_WHOLE_BATCHES ") ORDER BY seq";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err)
	    || !catalog_collect(statement, catalog_take_number, sizeof(int64_t), arena, &kept, count_out, err))
		return false;
	*batches_out = kept;
	return true;
}

/* ---- the backup ---- */

bool retention_has_backup(const struct catalog *catalog)
{
	struct file_path path;
	struct err ignored;
	return layout_absolute(&catalog->layout, BACKUP_NAME, &path, &ignored) && file_exists(path.text);
}

bool retention_back_up(struct catalog *catalog, struct err *err)
{
	FAILPOINT_SCOPE("retention");
	struct buf sql CLEANUP(buf_finish) = {.size_max = 4 * FILE_PATH_BYTES_MAX};
	struct file_path staged;
	struct file_path path;
	struct err ignored;
	if (!layout_absolute(&catalog->layout, BACKUP_NAME, &path, err)
	    || !file_path_make(&staged, err, "%s/staging/%s", catalog->layout.root.text, BACKUP_NAME)
	    || !file_remove(staged.text, err))
		return false;
	buf_append_text(&sql, "VACUUM INTO '");
	for (const char *c = staged.text; *c != '\0'; c++)
		buf_printf(&sql, *c == '\'' ? "''" : "%c", *c);
	buf_append_byte(&sql, '\'');
	assert(!sql.failed);
	if (sqlite_run(catalog->database, sql.data, err) && file_publish(staged.text, path.text, err))
		return true;
	(void)!file_remove(staged.text, &ignored);
	return err_wrap(err, "backup of the catalog");
}

bool catalog_restore(const struct layout *layout, const char *path, bool *restored_out, struct err *err)
{
	FAILPOINT_SCOPE("catalog.restore");
	struct file_path backup;
	struct file_path log;
	struct file_path shared;
	if (!layout_absolute(layout, BACKUP_NAME, &backup, err) || !file_path_make(&log, err, "%s-wal", path)
	    || !file_path_make(&shared, err, "%s-shm", path))
		return false;
	*restored_out = file_exists(backup.text);
	/* The log of the catalog that was lost would be played over the backup. */
	if (*restored_out && (!file_remove(log.text, err) || !file_remove(shared.text, err)))
		return false;
	/* It stays: until the next backup, a second loss would else lose what only silver has. */
	return !*restored_out || file_copy(backup.text, path, err);
}

bool catalog_set_backup_aside(const struct layout *layout, struct err *err)
{
	FAILPOINT_SCOPE("catalog.aside");
	struct file_path backup;
	struct file_path aside;
	return layout_absolute(layout, BACKUP_NAME, &backup, err)
	       && (!file_exists(backup.text) || file_set_aside(backup.text, &aside, err));
}
