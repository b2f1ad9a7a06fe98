/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_recover.c - makes catalog and files agree after whatever happened.
 *
 * Bronze on disk is the truth: what lies there published becomes a batch, and silver is a product
 * that can be made again as long as its bronze is there. Each step commits by itself and finds
 * nothing to do when it is repeated, so that a crash in here is a reason to run it again, no more.
 * Silver's files are judged by existence and size; checksums are the doctor's business. */
#include "lake/catalog_private.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "wrap/digest.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

/* SQLite's check reads 100 MB/s and more: a start must not wait longer than two seconds for it. */
enum { ADOPTIONS_PER_COMMIT = 500, CHECK_BYTES_MAX = 128 * 1024 * 1024 };

struct recovery {
	struct catalog *catalog;
	const struct layout *layout;
	const char *folder; /* that is walked, relative to the root */
	int64_t uncommitted;
	struct file_path synced; /* the folder of the last file that was adopted */
	bool backup_renewed;
	bool keeps_unnamed; /* no room for a new backup: the old one may name them */
	struct catalog_recovery report;
};

static bool walk(struct recovery *recovery, const char *folder,
		 bool (*visit)(void *context, const char *relative_path, struct err *err),
		 struct err *err)
{
	struct file_path path;
	recovery->folder = folder;
	return layout_absolute(recovery->layout, folder, &path, err)
	       && file_walk(path.text, visit, recovery, err);
}

static bool is_named(struct catalog *catalog, const char *path, bool *named_out, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM file WHERE path = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, path);
	return sqlite_step(statement, named_out, err);
}

/* ---- leftovers ---- */

static bool remove_file(struct recovery *recovery, const char *relative, struct err *err)
{
	struct file_path path;
	if (!layout_absolute(recovery->layout, relative, &path, err)
	    || !file_remove(path.text, err))
		return false;
	recovery->report.files_removed++;
	return true;
}

static bool visit_leftover(void *context, const char *relative_path, struct err *err)
{
	struct recovery *recovery = context;
	struct file_path relative;
	return file_path_make(&relative, err, "%s/%s", recovery->folder, relative_path)
	       && remove_file(recovery, relative.text, err);
}

static bool remove_leftovers(struct recovery *recovery, struct err *err)
{
	FAILPOINT_SCOPE("recover.leftovers");
	int64_t drafts = 0;
	if (!file_sweep_drafts(recovery->layout->root.text, &drafts, err))
		return false;
	recovery->report.files_removed += drafts;
	return walk(recovery, "staging", visit_leftover, err)
	       && walk(recovery, "tmp", visit_leftover, err);
}

/* ---- bronze without a batch ---- */

static bool add_to_batch(struct catalog *catalog, int64_t seq, int64_t events, struct err *err)
{
	static const char sql[] = "UPDATE batch SET received = received + ?2,"
				  " bronze_rows = bronze_rows + ?2 WHERE seq = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, seq);
	sqlite_bind_integer(statement, 2, events);
	return sqlite_execute(statement, err);
}

static bool start_batch(struct recovery *recovery, int64_t seq, const struct bronze_file *file,
			struct err *err)
{
	struct batch batch = {
		.seq = seq,
		.state = BATCH_BRONZE,
		.received_at_us = file->received_at_us,
		.received = file->events,
		.bronze_rows = file->events,
	};
	_Static_assert(sizeof(batch.source) == sizeof(file->source), "copied whole");
	memcpy(batch.source, file->source, sizeof(batch.source));
	recovery->report.batches_adopted++;
	return catalog_insert_batch(recovery->catalog, &batch, err);
}

/* A program that was killed may have renamed the file, or made its folder, without the fsync that follows:
 * what the catalog names has to be there after a power failure. */
static bool sync_folders(struct recovery *recovery, const char *relative, struct err *err)
{
	struct file_path path;
	if (!layout_absolute(recovery->layout, relative, &path, err))
		return false;
	*strrchr(path.text, '/') = '\0';
	if (strcmp(path.text, recovery->synced.text) == 0)
		return true;
	recovery->synced = path;
	for (;;) {
		if (!file_sync_folder(path.text, err))
			return false;
		if (strcmp(path.text, recovery->layout->root.text) == 0)
			return true;
		*strrchr(path.text, '/') = '\0';
	}
}

static bool count_adopted(struct recovery *recovery, struct err *err)
{
	recovery->report.files_adopted++;
	if (++recovery->uncommitted < ADOPTIONS_PER_COMMIT)
		return true;
	recovery->uncommitted = 0;
	return sqlite_commit(recovery->catalog->database, err) && catalog_begin(recovery->catalog, err);
}

/* Into the batch whose number it bears; when silver has already taken that one, into a new one. */
static bool adopt(struct recovery *recovery, const struct bronze_file *file, struct err *err)
{
	struct catalog *catalog = recovery->catalog;
	struct batch batch;
	int64_t seq = file->batch;
	bool found = false;
	bool joined = false;
	if (!sync_folders(recovery, file->path.text, err) || !catalog_read_batch(catalog, seq, &batch, &found, err))
		return false;
	if (!found) {
		joined = start_batch(recovery, seq, file, err);
	} else if (batch.state == BATCH_BRONZE) {
		joined = add_to_batch(catalog, seq, file->events, err);
	} else {
		joined = catalog_reserve_batch(catalog, &seq, err)
			 && start_batch(recovery, seq, file, err);
	}
	if (!joined || !catalog_insert_bronze(catalog, seq, file, err))
		return false;
	return count_adopted(recovery, err);
}

/* An imported hour has no header: its name says all that has to be known. */
static bool adopt_archive(struct recovery *recovery, const char *relative, int64_t hour_us, int64_t seq,
			  struct err *err)
{
	struct file_path path;
	struct digest digest;
	struct lake_file file = {.layer = LAYER_BRONZE, .date_us = hour_us == INT64_MIN ? 0 : hour_us};
	if (!file_path_make(&file.path, err, "%s", relative) || !sync_folders(recovery, relative, err)
	    || !layout_absolute(recovery->layout, relative, &path, err)
	    || !digest_of_file(path.text, &digest, &file.size_bytes, err))
		return false;
	memcpy(file.sha256, digest.hex, sizeof(file.sha256));
	file.created_at_us = file_modified_us(path.text);
	recovery->report.batches_adopted++;
	return catalog_adopt_archive(recovery->catalog, &file, hour_us, &seq, err) && count_adopted(recovery, err);
}

static bool set_aside(struct recovery *recovery, const char *relative, struct err *err)
{
	FAILPOINT_SCOPE("recover.aside");
	struct file_path path;
	struct file_path aside;
	if (!layout_absolute(recovery->layout, relative, &path, err)
	    || !file_set_aside(path.text, &aside, err))
		return false;
	recovery->report.files_damaged++;
	return true;
}

static bool visit_bronze(void *context, const char *relative_path, struct err *err)
{
	struct recovery *recovery = context;
	struct file_path relative;
	struct bronze_file file;
	struct err damage = {0};
	int64_t batch;
	int64_t hour_us;
	bool named = false;
	if (!file_path_make(&relative, err, "bronze/%s", relative_path))
		return false;
	if (!layout_parse_batch(relative.text, &batch))
		return true;
	if (!is_named(recovery->catalog, relative.text, &named, err))
		return false;
	if (named)
		return true;
	if (layout_parse_archive(relative.text, &hour_us, &batch))
		return adopt_archive(recovery, relative.text, hour_us, batch, err);
	if (bronze_inspect(recovery->layout, relative.text, &file, &damage))
		return adopt(recovery, &file, err);
	if (damage.kind == ERR_INPUT)
		return set_aside(recovery, relative.text, err);
	*err = damage;
	return false;
}

static bool adopt_bronze(struct recovery *recovery, struct err *err)
{
	FAILPOINT_SCOPE("recover.adopt");
	if (!catalog_begin(recovery->catalog, err))
		return false;
	return catalog_end(recovery->catalog, walk(recovery, "bronze", visit_bronze, err), err);
}

/* ---- silver without a file ---- */

static bool is_whole(const struct recovery *recovery, const struct lake_file *file, bool *whole_out,
		     struct err *err)
{
	struct file_path path;
	struct stat status;
	if (!layout_absolute(recovery->layout, file->path.text, &path, err))
		return false;
	*whole_out = lstat(path.text, &status) == 0 && S_ISREG(status.st_mode)
		     && (int64_t)status.st_size == file->size_bytes;
	return true;
}

static bool find_missing(struct recovery *recovery, enum lake_layer layer, struct arena *arena, struct err *err)
{
	const struct lake_file *files;
	size_t count;
	if (!catalog_list_files(recovery->catalog, layer, arena, &files, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool whole;
		if (!is_whole(recovery, &files[i], &whole, err))
			return false;
		if (whole || files[i].sha256[0] == '\0')
			continue;
		if (!catalog_lose_silver(recovery->catalog, &files[i], err))
			return false;
		recovery->report.files_missing++;
		LOG_EVENT(LOG_ERROR, "silver damaged: making it again from bronze",
			  log_text("file", files[i].path.text), log_text("is", "missing or of another size"));
	}
	return true;
}

static bool remake_missing(struct recovery *recovery, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = (size_t)1 << 30};
	return find_missing(recovery, LAYER_SILVER_LIVE, &arena, err)
	       && find_missing(recovery, LAYER_SILVER, &arena, err);
}

/* ---- silver without a name ---- */

/* A rebuild was killed before it renewed the backup: with the files that only that one names, what only
 * silver has would be gone when the catalog is lost next. */
static bool renew_backup(struct recovery *recovery, struct err *err)
{
	if (recovery->backup_renewed || recovery->keeps_unnamed || !retention_has_backup(recovery->catalog))
		return true;
	recovery->backup_renewed = retention_back_up(recovery->catalog, err);
	recovery->keeps_unnamed = !recovery->backup_renewed && err->no_space;
	return recovery->backup_renewed || recovery->keeps_unnamed;
}

static bool visit_silver(void *context, const char *relative_path, struct err *err)
{
	FAILPOINT_SCOPE("recover.silver");
	struct recovery *recovery = context;
	struct file_path relative;
	bool named = false;
	/* A file under another name is not ours, and this may be somebody's only copy of it. */
	if (!file_path_make(&relative, err, "silver/%s", relative_path))
		return false;
	if (!layout_is_silver(relative.text))
		return true;
	if (!is_named(recovery->catalog, relative.text, &named, err))
		return false;
	return named
	       || (renew_backup(recovery, err)
		       && (recovery->keeps_unnamed || remove_file(recovery, relative.text, err)));
}

bool catalog_check(struct catalog *catalog, int64_t bytes_max, bool *checked_out, struct err *err)
{
	static const char sql[] =
		"SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
	int64_t size_bytes = 0;
	if (!catalog_ask(catalog, sql, &size_bytes, err)
	    || (size_bytes <= bytes_max && !sqlite_check(catalog->database, err)))
		return false;
	*checked_out = size_bytes <= bytes_max;
	return true;
}
/* SQLite has no checksums either: what its own check cannot see shows where numbers that must agree do
 * not. */
static bool check_sums(struct recovery *recovery, struct err *err)
{
	static const char totals[] =
		"SELECT count(*) FROM totals t, (SELECT count(*) AS batches, total(received) AS received,"
		" total(duplicates) AS duplicates, total(filtered) AS filtered, total(quarantined) AS quarantined,"
		" total(bronze_rows) AS bronze_rows, total(silver_rows) AS silver_rows,"
		" total(silver_duplicates) AS silver_duplicates, total(silver_quarantined) AS silver_quarantined,"
		" total(gold_rows) AS gold_rows, total(gold_duplicates) AS gold_duplicates,"
		" total(gold_quarantined) AS gold_quarantined,"
		" total(state = 'bronze') AS waiting_silver, total(state = 'silver') AS waiting_gold FROM batch) s"
		" WHERE t.batches = s.batches AND t.received = s.received AND t.duplicates = s.duplicates"
		" AND t.filtered = s.filtered AND t.quarantined = s.quarantined AND t.bronze_rows = s.bronze_rows"
		" AND t.silver_rows = s.silver_rows AND t.silver_duplicates = s.silver_duplicates"
		" AND t.silver_quarantined = s.silver_quarantined AND t.gold_rows = s.gold_rows"
		" AND t.gold_duplicates = s.gold_duplicates AND t.gold_quarantined = s.gold_quarantined"
		" AND t.batches_waiting_silver = s.waiting_silver AND t.batches_waiting_gold = s.waiting_gold";
	int64_t agree = 0;
	if (!catalog_ask(recovery->catalog, totals, &agree, err))
		return false;
	return agree == 1 || err_set(err, ERR_INPUT, "the catalog's totals are not the sums of its batches");
}

static bool check_catalog(struct recovery *recovery, struct err *err)
{
	bool checked;
	return catalog_check(recovery->catalog, CHECK_BYTES_MAX, &checked, err) && check_sums(recovery, err)
	       && catalog_check_identity(recovery->catalog, err);
}

/* A folder that a killed program made may not be durable in its parent, and a file that we publish in it
 * would go with it. One that has files already was fsynced before them, or by `adopt`. */
static bool sync_empty_folders(struct recovery *recovery, struct err *err)
{
	FAILPOINT_SCOPE("recover.folders");
	static const char *const layers[] = {"bronze", "silver"};
	for (size_t i = 0; i < ARRAY_COUNT(layers); i++) {
		struct file_path path;
		if (!layout_absolute(recovery->layout, layers[i], &path, err)
		    || !file_sync_empty_folders(path.text, err))
			return false;
	}
	return file_sync_folder(recovery->layout->root.text, err);
}

static bool recover(struct recovery *recovery, struct err *err)
{
	int64_t removed = 0;
	/* What retention forgot goes before what is unnamed is adopted. */
	if (!check_catalog(recovery, err) || !remove_leftovers(recovery, err)
	    || !retention_finish(recovery->catalog, &removed, NULL, err)
	    || !catalog_remember_numbers(recovery->catalog, err) || !adopt_bronze(recovery, err)
	    || !remake_missing(recovery, err) || !walk(recovery, "silver", visit_silver, err)
	    || !sync_empty_folders(recovery, err))
		return err_wrap(err, "recovery");
	recovery->report.files_removed += removed;
	return true;
}

bool catalog_recover(struct catalog *catalog, const struct layout *layout,
		     struct catalog_recovery *report_out, struct err *err)
{
	struct recovery recovery = {.catalog = catalog, .layout = layout};
	struct err trouble;
	assert(!catalog->read_only);
	if (recover(&recovery, err)) {
		*report_out = recovery.report;
		return true;
	}
	if (catalog->restored && err->kind == ERR_INPUT && !catalog_set_backup_aside(layout, &trouble))
		*err = trouble;
	return false;
}
