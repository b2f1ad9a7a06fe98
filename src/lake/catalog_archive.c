/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_archive.c - imported hours in the catalog. */
#include "lake/catalog_archive.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "lake/catalog_private.h"
#include "lake/retention.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {"stored", "missing", "unavailable", "damaged"};

#define ARCHIVE_COLUMNS                                                                            \
	"name, origin, state, sha256, reason, coalesce(batch, 0), size_bytes, lines, bad_lines, at_us,"   \
	" time_min_us, time_max_us"

const char *archive_state_name(enum archive_state state)
{
	assert((size_t)state < ARRAY_COUNT(state_names));
	return state_names[state];
}

bool batch_is_archive(const struct batch *batch)
{
	return strcmp(batch->source, ARCHIVE_SOURCE) == 0;
}

/* ---- writing ---- */

#define INTO_ARCHIVE                                                                               \
	" INTO archive (name, origin, state, sha256, reason, batch, size_bytes, lines, bad_lines,"  \
	" at_us, time_min_us, time_max_us) VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8, ?9,"   \
	" ?10, ?11, ?12)"

/* One that is there is kept, or replaced. */
static bool write_archive(struct catalog *catalog, const struct archive *archive, bool keep, struct err *err)
{
	const char *sql = keep ? "INSERT OR IGNORE" INTO_ARCHIVE : "INSERT OR REPLACE" INTO_ARCHIVE;
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {archive->batch, archive->size_bytes, archive->lines, archive->bad_lines,
		archive->at_us, archive->time_min_us, archive->time_max_us};
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, archive->name);
	catalog_bind_text(statement, 2, archive->origin);
	catalog_bind_text(statement, 3, archive_state_name(archive->state));
	catalog_bind_text(statement, 4, archive->sha256);
	catalog_bind_text(statement, 5, archive->reason);
	catalog_bind_integers(statement, 6, values, ARRAY_COUNT(values));
	return sqlite_execute(statement, err) || err_wrap(err, "archive %s", archive->name);
}

static bool insert_batch(struct catalog *catalog, int64_t seq, const struct lake_file *file, struct err *err)
{
	struct batch batch = {
		.seq = seq,
		.state = BATCH_BRONZE,
		.source = ARCHIVE_SOURCE,
		.received_at_us = file->created_at_us,
	};
	return catalog_insert_batch(catalog, &batch, err) && catalog_insert_file(catalog, file, err);
}

bool catalog_store_archive(struct catalog *catalog, const struct archive *archive, const struct lake_file *file,
			   struct err *err)
{
	FAILPOINT_SCOPE("catalog.store-archive");
	assert(archive->state == ARCHIVE_IS_STORED && file->layer == LAYER_BRONZE && file->type[0] == '\0');
	assert(file->batch_first == archive->batch && file->batch_last == archive->batch);
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog,
		insert_batch(catalog, archive->batch, file, err)
			&& write_archive(catalog, archive, false, err),
		err);
}

bool catalog_note_archive(struct catalog *catalog, const struct archive *archive, struct err *err)
{
	FAILPOINT_SCOPE("catalog.note-archive");
	struct archive stored;
	bool found;
	assert((archive->state == ARCHIVE_IS_STORED) == (archive->batch != 0));
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = catalog_find_archive(catalog, archive->name, archive->origin, &stored, &found, err)
		  && (found || write_archive(catalog, archive, false, err));
	return catalog_end(catalog, ok, err);
}

bool catalog_adopt_archive(struct catalog *catalog, const struct lake_file *file, int64_t hour_us, int64_t *seq,
			   struct err *err)
{
	struct batch batch;
	bool found;
	if (!catalog_read_batch(catalog, *seq, &batch, &found, err)
	    || (found && !catalog_reserve_batch(catalog, seq, err)))
		return false;
	struct lake_file adopted = *file;
	adopted.batch_first = adopted.batch_last = *seq;
	struct archive archive = {
		.state = ARCHIVE_IS_STORED,
		.batch = *seq,
		.size_bytes = file->size_bytes,
		.at_us = file->created_at_us,
	};
	memcpy(archive.sha256, file->sha256, sizeof(archive.sha256));
	if (hour_us == INT64_MIN) {
		(void)snprintf(archive.name, sizeof(archive.name), "file.%" PRId64, *seq);
	} else {
		(void)snprintf(archive.name, sizeof(archive.name), "%s-%" PRId64, time_render_date(hour_us).text,
			hour_us / (INT64_C(3600) * 1000000) % 24);
	}
	return insert_batch(catalog, *seq, &adopted, err)
	       && write_archive(catalog, &archive, true, err);
}

static bool update_bronze(struct catalog *catalog, const struct archive_silver *archive, struct err *err)
{
	static const char file_sql[] = "UPDATE file SET rows = ?2, time_min_us = ?3, time_max_us = ?4"
				       " WHERE layer = 'bronze' AND batch_first = ?1";
	static const char archive_sql[] = "UPDATE archive SET lines = ?2, bad_lines = ?3, time_min_us = ?4,"
					  " time_max_us = ?5, reason = ?6 WHERE batch = ?1";
	struct sqlite_statement *file CLEANUP(sqlite_finish) = NULL;
	struct sqlite_statement *row CLEANUP(sqlite_finish) = NULL;
	const struct batch *batch = &archive->batch;
	const int64_t of_file[] = {batch->seq, batch->bronze_rows, archive->time_min_us, archive->time_max_us};
	const int64_t of_row[] = {batch->seq, batch->received, batch->silver_quarantined,
		archive->time_min_us, archive->time_max_us};
	if (!sqlite_prepare(catalog->database, file_sql, &file, err)
	    || !sqlite_prepare(catalog->database, archive_sql, &row, err))
		return false;
	catalog_bind_integers(file, 1, of_file, ARRAY_COUNT(of_file));
	catalog_bind_integers(row, 1, of_row, ARRAY_COUNT(of_row));
	catalog_bind_text(row, 6, archive->reason);
	return sqlite_execute(file, err) && sqlite_execute(row, err);
}

static bool store_silver(struct catalog *catalog, const struct archive_silver *archive, struct err *err)
{
	static const char sql[] =
		"UPDATE batch SET state = 'silver', received = ?2, duplicates = 0, filtered = ?3, quarantined = 0,"
		" bronze_rows = ?4, silver_rows = ?5, silver_duplicates = ?6, silver_quarantined = ?7, gold_rows = 0,"
		" gold_duplicates = 0, gold_quarantined = 0 WHERE seq = ?1";
	const struct batch *batch = &archive->batch;
	const int64_t values[] = {batch->received, batch->filtered, batch->bronze_rows, batch->silver_rows,
		batch->silver_duplicates, batch->silver_quarantined};
	return catalog_update_batch(catalog, sql, batch->seq, values, ARRAY_COUNT(values), err)
	       && update_bronze(catalog, archive, err)
	       && catalog_forget_quarantined(catalog, batch->seq, "silver", err)
	       && catalog_forget_quarantined(catalog, batch->seq, "gold", err);
}

bool catalog_store_archive_silver(struct catalog *catalog, const struct archive_silver *archives,
				  size_t archive_count, const struct lake_file *files, size_t file_count,
				  const struct quarantined *quarantined, size_t quarantined_count, struct err *err)
{
	FAILPOINT_SCOPE("catalog.store-archive-silver");
	bool ok = true;
	if (!catalog_begin(catalog, err))
		return false;
	for (size_t i = 0; i < archive_count && ok; i++)
		ok = store_silver(catalog, &archives[i], err);
	for (size_t i = 0; i < file_count && ok; i++)
		ok = catalog_insert_file(catalog, &files[i], err);
	ok = ok && catalog_insert_quarantined(catalog, quarantined, quarantined_count, err);
	return catalog_end(catalog, ok, err);
}

/* ---- reading ---- */

static bool take_archive(struct sqlite_statement *statement, struct arena *arena, void *record, struct err *err)
{
	(void)arena;
	struct archive *archive = record;
	int state = 0;
	if (!catalog_take_text(statement, 0, archive->name, sizeof(archive->name), err)
	    || !catalog_take_text(statement, 1, archive->origin, sizeof(archive->origin), err)
	    || !catalog_take_name(statement, 2, state_names, ARRAY_COUNT(state_names), &state, err)
	    || !catalog_take_text(statement, 3, archive->sha256, sizeof(archive->sha256), err)
	    || !catalog_take_text(statement, 4, archive->reason, sizeof(archive->reason), err))
		return false;
	archive->state = (enum archive_state)state;
	int64_t *const numbers[] = {&archive->batch, &archive->size_bytes, &archive->lines, &archive->bad_lines,
		&archive->at_us, &archive->time_min_us, &archive->time_max_us};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		*numbers[i] = sqlite_column_integer(statement, 5 + (int)i);
	return true;
}

static bool take_first(struct sqlite_statement *statement, struct archive *archive_out, bool *found_out,
		       struct err *err)
{
	struct archive archive = {0};
	if (!sqlite_step(statement, found_out, err) || (*found_out && !take_archive(statement, NULL, &archive, err)))
		return false;
	if (*found_out)
		*archive_out = archive;
	return true;
}

bool catalog_find_archive(struct catalog *catalog, const char *name, const char *origin, struct archive *archive_out,
			  bool *found_out, struct err *err)
{
	static const char sql[] = "SELECT " ARCHIVE_COLUMNS " FROM archive"
				  " WHERE name = ?1 AND origin IN (?2, '') AND state = 'stored'";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, name);
	catalog_bind_text(statement, 2, origin);
	return take_first(statement, archive_out, found_out, err);
}

bool catalog_find_archive_content(struct catalog *catalog, const char *sha256, struct archive *archive_out,
				  bool *found_out, struct err *err)
{
	static const char sql[] = "SELECT " ARCHIVE_COLUMNS " FROM archive WHERE sha256 = ?1 AND state = 'stored'";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	assert(sha256[0] != '\0');
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, sha256);
	return take_first(statement, archive_out, found_out, err);
}

bool catalog_find_archive_batch(struct catalog *catalog, int64_t batch, struct archive *archive_out, bool *found_out,
				struct err *err)
{
	static const char sql[] = "SELECT " ARCHIVE_COLUMNS " FROM archive WHERE batch = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, batch);
	return take_first(statement, archive_out, found_out, err);
}

static bool has_live_file(struct catalog *catalog, int64_t batch, bool *has_out, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM file WHERE layer = 'live' AND batch_first = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, batch);
	return sqlite_step(statement, has_out, err);
}

bool catalog_drop_archive(struct catalog *catalog, int64_t batch, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = 1024 * 1024};
	struct retention_choice choice = {.count = 1};
	bool is_live;
	if (!has_live_file(catalog, batch, &is_live, err)
	    || !catalog_list_bronze(catalog, batch, &arena, &choice.files, &choice.count, err))
		return false;
	/* Compaction would leave the catalog's backup with the name of a file that is no more. */
	if (choice.count == 0 || is_live)
		return true;
	choice.rows = choice.files[0].rows;
	choice.bytes = choice.files[0].size_bytes;
	return retention_forget(catalog, RETENTION_BRONZE, &choice, err);
}

bool catalog_list_archives_of(struct catalog *catalog, int64_t first, int64_t last, struct arena *arena,
			      const struct archive **archives_out, size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT " ARCHIVE_COLUMNS " FROM archive"
				  " WHERE batch BETWEEN ?1 AND ?2 ORDER BY batch";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {first, last};
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_integers(statement, 1, values, ARRAY_COUNT(values));
	if (!catalog_collect(statement, take_archive, sizeof(struct archive), arena, &kept, count_out, err))
		return false;
	*archives_out = kept;
	return true;
}
