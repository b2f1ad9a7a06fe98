/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_recover.c - makes catalog and files agree after whatever happened.
 *
 * Bronze on disk is the truth: what lies there published becomes a batch, and silver is a product
 * that can be made again as long as its bronze is there. Each step commits by itself and finds
 * nothing to do when it is repeated, so that a crash in here is a reason to run it again, no more.
 * Silver's files are judged by existence and size; checksums are the doctor's business. */
#include "lake/catalog_private.h"

#include "base/failpoint.h"

#include <assert.h>
#include <string.h>

/* SQLite's check reads 100 MB/s and more: a start must not wait longer than two seconds for it. */
enum { ADOPTIONS_PER_COMMIT = 500, CHECK_BYTES_MAX = 128 * 1024 * 1024 };

struct recovery {
	struct catalog *catalog;
	const struct layout *layout;
	const char *folder; /* that is walked, relative to the root */
	int64_t uncommitted;
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

/* Into the batch whose number it bears; when silver has already taken that one, into a new one. */
static bool adopt(struct recovery *recovery, const struct bronze_file *file, struct err *err)
{
	struct catalog *catalog = recovery->catalog;
	struct batch batch;
	int64_t seq = file->batch;
	bool found = false;
	bool joined = false;
	if (!catalog_read_batch(catalog, seq, &batch, &found, err))
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
	recovery->report.files_adopted++;
	if (++recovery->uncommitted < ADOPTIONS_PER_COMMIT)
		return true;
	recovery->uncommitted = 0;
	return sqlite_commit(catalog->database, err) && catalog_begin(catalog, err);
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
	bool named = false;
	if (!file_path_make(&relative, err, "bronze/%s", relative_path))
		return false;
	if (!layout_parse_batch(relative.text, &batch))
		return true;
	if (!is_named(recovery->catalog, relative.text, &named, err))
		return false;
	if (named)
		return true;
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

static bool is_whole(const struct recovery *recovery, struct span relative, int64_t size_bytes,
		     bool *whole_out, struct err *err)
{
	struct file_path path;
	if (!file_path_make(&path, err, "%s/%.*s", recovery->layout->root.text,
		    SPAN_ARGUMENTS(relative)))
		return false;
	*whole_out = file_size(path.text) == size_bytes;
	return true;
}

struct missing {
	struct buf live_batches; /* int64_t each */
	int64_t compacted;
};

static void finish_missing(struct missing *missing)
{
	buf_finish(&missing->live_batches);
}

static bool find_missing(struct recovery *recovery, struct missing *missing, struct err *err)
{
	static const char sql[] = "SELECT layer, path, size_bytes, batch_first FROM file"
				  " WHERE layer IN ('live', 'silver')";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(recovery->catalog->database, sql, &statement, err))
		return false;
	while (sqlite_step(statement, &row, err)) {
		bool whole = false;
		if (!row)
			return !missing->live_batches.failed
			       || err_set(err, ERR_LOCAL, "too many silver files are missing");
		if (!is_whole(recovery, sqlite_column_text(statement, 1),
			    sqlite_column_integer(statement, 2), &whole, err))
			return false;
		int64_t batch = sqlite_column_integer(statement, 3);
		if (whole)
			continue;
		if (span_equal_text(sqlite_column_text(statement, 0), "live"))
			buf_append(&missing->live_batches, &batch, sizeof(batch));
		else
			missing->compacted++;
	}
	return false;
}

/* Whether all bronze files that the catalog names are there; `batch` 0: of all batches. */
static bool has_bronze(struct recovery *recovery, int64_t batch, bool *has_out, struct err *err)
{
	const char *sql = batch == 0
		? "SELECT path, size_bytes FROM file WHERE layer = 'bronze'"
		: "SELECT path, size_bytes FROM file WHERE layer = 'bronze' AND batch_first = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	bool whole = true;
	if (!sqlite_prepare(recovery->catalog->database, sql, &statement, err))
		return false;
	if (batch != 0)
		sqlite_bind_integer(statement, 1, batch);
	int64_t count = 0;
	while (whole && sqlite_step(statement, &row, err)) {
		if (!row) {
			*has_out = batch == 0 || count > 0;
			return true;
		}
		count++;
		if (!is_whole(recovery, sqlite_column_text(statement, 0),
			    sqlite_column_integer(statement, 1), &whole, err))
			return false;
	}
	if (whole)
		return false;
	*has_out = false;
	return true;
}

static bool remake_live(struct recovery *recovery, const struct missing *missing, struct err *err)
{
	const int64_t *batches = (const void *)missing->live_batches.data;
	size_t count = missing->live_batches.size / sizeof(*batches);
	for (size_t i = 0; i < count; i++) {
		bool has = false;
		if (!has_bronze(recovery, batches[i], &has, err))
			return false;
		if (!has)
			recovery->report.files_missing++;
		else if (!catalog_reset_batch(recovery->catalog, batches[i], err))
			return false;
		else
			recovery->report.batches_remade++;
	}
	return true;
}

/* A compacted file holds rows of many batches, and other files hold the rest of theirs: all or
 * nothing. */
static bool remake_all(struct recovery *recovery, int64_t missing, bool *remade_out,
		       struct err *err)
{
	static const char waiting[] = "SELECT batches_waiting_silver FROM totals";
	static const char silver_only[] =
		"SELECT EXISTS (SELECT 1 FROM batch WHERE silver_rows > 0 AND seq NOT IN"
		" (" CATALOG_WHOLE_BATCHES "))";
	int64_t without = 0;
	int64_t before = 0;
	int64_t after = 0;
	bool has = false;
	if (!catalog_ask(recovery->catalog, silver_only, &without, err)
	    || !has_bronze(recovery, 0, &has, err))
		return false;
	*remade_out = has && without == 0;
	if (!*remade_out) {
		recovery->report.files_missing += missing;
		return true;
	}
	if (!catalog_ask(recovery->catalog, waiting, &before, err)
	    || !catalog_reset_all(recovery->catalog, BATCH_BRONZE, err)
	    || !catalog_ask(recovery->catalog, waiting, &after, err))
		return false;
	recovery->report.batches_remade += after - before;
	return true;
}

static bool remake_missing(struct recovery *recovery, struct err *err)
{
	FAILPOINT_SCOPE("recover.remake");
	struct missing missing CLEANUP(finish_missing) = {0};
	bool remade = false;
	buf_init(&missing.live_batches, (size_t)64 * 1024 * 1024);
	if (!find_missing(recovery, &missing, err) || !catalog_begin(recovery->catalog, err))
		return false;
	bool ok = (missing.compacted == 0 || remake_all(recovery, missing.compacted, &remade, err))
		  && (remade || remake_live(recovery, &missing, err));
	return catalog_end(recovery->catalog, ok, err);
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

static bool check_catalog(struct recovery *recovery, struct err *err)
{
	bool checked;
	return catalog_check(recovery->catalog, CHECK_BYTES_MAX, &checked, err);
}

static bool recover(struct recovery *recovery, struct err *err)
{
	int64_t removed = 0;
	/* What retention forgot goes before what is unnamed is adopted. */
	if (!check_catalog(recovery, err) || !remove_leftovers(recovery, err)
	    || !retention_finish(recovery->catalog, &removed, NULL, err)
	    || !catalog_remember_numbers(recovery->catalog, err) || !adopt_bronze(recovery, err)
	    || !remake_missing(recovery, err) || !walk(recovery, "silver", visit_silver, err))
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
