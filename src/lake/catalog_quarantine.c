/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_quarantine.c - bytes that were set aside: bounded in sum, kept as received. */
#include "base/clock.h"
#include "lake/catalog_private.h"

#include <assert.h>
#include <string.h>

static bool check_room(struct catalog *catalog, const struct quarantined *entries, size_t count,
		       struct err *err)
{
	static const char sql[] = "SELECT quarantine_bytes + quarantine_entries * 256 FROM totals";
	_Static_assert(CATALOG_QUARANTINE_ENTRY_BYTES == 256, "as in the SQL above");
	int64_t used;
	if (!catalog_ask(catalog, sql, &used, err))
		return false;
	for (size_t i = 0; i < count; i++)
		used += (int64_t)entries[i].raw.size + CATALOG_QUARANTINE_ENTRY_BYTES;
	if (used > CATALOG_QUARANTINE_BYTES_MAX)
		return err_set(err, ERR_LOCAL, "the quarantine is full: it would pass %d bytes",
			CATALOG_QUARANTINE_BYTES_MAX);
	return true;
}

bool catalog_insert_quarantined(struct catalog *catalog, const struct quarantined *entries,
				size_t count, struct err *err)
{
	static const char sql[] =
		"INSERT INTO quarantine (at_us, batch, stage, reason, detail, path, offset,"
		" size_bytes, raw) VALUES (?1, nullif(?2, 0), ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (count == 0)
		return true;
	if (!check_room(catalog, entries, count, err)
	    || !sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, clock_wall_us(clock_system()));
	for (size_t i = 0; i < count; i++) {
		const struct quarantined *entry = &entries[i];
		struct span raw = entry->raw.data ? entry->raw : span_of("");
		sqlite_bind_integer(statement, 2, entry->batch);
		catalog_bind_text(statement, 3, entry->stage);
		catalog_bind_text(statement, 4, entry->reason);
		catalog_bind_text(statement, 5, entry->detail);
		catalog_bind_text(statement, 6, entry->path);
		sqlite_bind_integer(statement, 7, entry->offset);
		sqlite_bind_integer(statement, 8, (int64_t)raw.size);
		sqlite_bind_blob(statement, 9, raw);
		if (!sqlite_execute(statement, err))
			return err_wrap(err, "quarantine");
	}
	return true;
}

bool catalog_forget_quarantined(struct catalog *catalog, int64_t batch, const char *stage,
				struct err *err)
{
	static const char sql[] = "DELETE FROM quarantine WHERE batch = ?1 AND stage = ?2";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, batch);
	catalog_bind_text(statement, 2, stage);
	return sqlite_execute(statement, err);
}

bool catalog_find_quarantined(struct catalog *catalog, const char *path, int64_t offset,
			      struct span raw, bool *found_out, struct err *err)
{
	static const char sql[] = "SELECT 1 FROM quarantine WHERE stage = 'ingest' AND path = ?1"
				  " AND offset = ?2 AND size_bytes = ?3 AND raw = ?4";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, path);
	sqlite_bind_integer(statement, 2, offset);
	sqlite_bind_integer(statement, 3, (int64_t)raw.size);
	sqlite_bind_blob(statement, 4, raw.data ? raw : span_of(""));
	return sqlite_step(statement, found_out, err);
}

static bool take_entry(struct sqlite_statement *statement, struct arena *arena, void *record,
		       struct err *err)
{
	(void)err;
	struct quarantine_entry *entry = record;
	*entry = (struct quarantine_entry){
		.id = sqlite_column_integer(statement, 0),
		.at_us = sqlite_column_integer(statement, 1),
		.batch = sqlite_column_integer(statement, 2),
		.stage = arena_copy(arena, sqlite_column_text(statement, 3)),
		.reason = arena_copy(arena, sqlite_column_text(statement, 4)),
		.detail = arena_copy(arena, sqlite_column_text(statement, 5)),
		.path = arena_copy(arena, sqlite_column_text(statement, 6)),
		.offset = sqlite_column_integer(statement, 7),
		.size_bytes = sqlite_column_integer(statement, 8),
		.raw = arena_copy(arena, sqlite_column_blob(statement, 9)),
	};
	return true;
}

bool catalog_list_quarantine(struct catalog *catalog, size_t count_max, struct arena *arena,
			     const struct quarantine_entry **entries_out, size_t *count_out,
			     struct err *err)
{
	static const char sql[] =
		"SELECT id, at_us, coalesce(batch, 0), stage, reason, detail, path, offset,"
		" size_bytes, substr(raw, 1, 256) FROM quarantine ORDER BY id DESC LIMIT ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, (int64_t)count_max);
	if (!catalog_collect(statement, take_entry, sizeof(struct quarantine_entry), arena, &kept,
		    count_out, err))
		return false;
	*entries_out = kept;
	return true;
}
