/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_sweep.c - the poll ledger and the cursors. What a struct says with 0 or -1 ("none", "did
 * not say") is NULL in the tables. */
#include "lake/catalog_private.h"

#include <assert.h>
#include <string.h>

static const char *const status_names[] = {"ok", "not-modified", "limited", "failed"};

enum { KEY_BYTES = 8, KEYS_BYTES_MAX = KEY_BYTES * STREAM_KEYS_MAX };

/* Little-endian, so that a catalog may move to another machine. */
static size_t render_keys(const struct cursor *cursor, char *out)
{
	for (size_t i = 0; i < cursor->key_count; i++)
		for (size_t byte = 0; byte < KEY_BYTES; byte++)
			out[i * KEY_BYTES + byte] = (char)(cursor->keys[i] >> (8 * byte) & 0xff);
	return cursor->key_count * KEY_BYTES;
}

static bool parse_keys(struct span bytes, struct cursor *cursor, struct err *err)
{
	if (bytes.size > KEYS_BYTES_MAX || bytes.size % KEY_BYTES != 0)
		return err_set(err, ERR_INPUT, "catalog: cursor keys of %zu bytes", bytes.size);
	cursor->key_count = bytes.size / KEY_BYTES;
	for (size_t i = 0; i < bytes.size; i++) {
		uint64_t byte = (unsigned char)bytes.data[i];
		cursor->keys[i / KEY_BYTES] |= byte << (8 * (i % KEY_BYTES));
	}
	return true;
}

bool catalog_write_cursor(struct catalog *catalog, const struct cursor *cursor, struct err *err)
{
	static const char sql[] =
		"INSERT INTO cursor (stream, etag_1, etag_2, etag_3, keys, newest_us,"
		" covered_to_us, poll_interval_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (stream) DO UPDATE SET etag_1 = excluded.etag_1,"
		" etag_2 = excluded.etag_2, etag_3 = excluded.etag_3, keys = excluded.keys,"
		" newest_us = excluded.newest_us, covered_to_us = excluded.covered_to_us,"
		" poll_interval_s = excluded.poll_interval_s";
	_Static_assert(STREAM_PAGE_COUNT_MAX == 3, "as in the SQL above");
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	char keys[KEYS_BYTES_MAX];
	assert(cursor->key_count <= STREAM_KEYS_MAX);
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, cursor->stream);
	for (int page = 0; page < STREAM_PAGE_COUNT_MAX; page++)
		catalog_bind_text(statement, 2 + page, cursor->etags[page]);
	sqlite_bind_blob(statement, 5, (struct span){keys, render_keys(cursor, keys)});
	sqlite_bind_integer(statement, 6, cursor->newest_us);
	sqlite_bind_integer(statement, 7, cursor->covered_to_us);
	sqlite_bind_integer(statement, 8, cursor->poll_interval_s);
	return sqlite_execute(statement, err) || err_wrap(err, "cursor");
}

bool catalog_read_cursor(struct catalog *catalog, const char *stream, struct cursor *cursor_out,
			 bool *found_out, struct err *err)
{
	static const char sql[] =
		"SELECT stream, etag_1, etag_2, etag_3, keys, newest_us, covered_to_us,"
		" poll_interval_s FROM cursor WHERE stream = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	struct cursor cursor = {0};
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, stream);
	if (!sqlite_step(statement, &row, err))
		return false;
	if (!row) {
		*found_out = false;
		return true;
	}
	if (!catalog_take_text(statement, 0, cursor.stream, sizeof(cursor.stream), err)
	    || !parse_keys(sqlite_column_blob(statement, 4), &cursor, err))
		return false;
	for (int page = 0; page < STREAM_PAGE_COUNT_MAX; page++)
		if (!catalog_take_text(statement, 1 + page, cursor.etags[page],
			    sizeof(cursor.etags[page]), err))
			return false;
	cursor.newest_us = sqlite_column_integer(statement, 5);
	cursor.covered_to_us = sqlite_column_integer(statement, 6);
	cursor.poll_interval_s = sqlite_column_integer(statement, 7);
	*cursor_out = cursor;
	*found_out = true;
	return true;
}

bool catalog_insert_sweep(struct catalog *catalog, const struct sweep *sweep, struct err *err)
{
	static const char sql[] =
		"INSERT INTO sweep (stream, status, error, overlap, started_at_us, finished_at_us,"
		" requests, pages, received, fresh, gap, gap_from_us, gap_to_us, covered_from_us,"
		" covered_to_us, quota_limit, quota_remaining, quota_reset_us, poll_interval_s,"
		" next_poll_us, batch)"
		" VALUES (?1, ?2, ?3, nullif(?4, -1.0), ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
		" nullif(?12, 0), nullif(?13, 0), nullif(?14, 0), nullif(?15, 0),"
		" nullif(?16, -1), nullif(?17, -1), nullif(?18, -1), nullif(?19, -1),"
		" nullif(?20, 0), nullif(?21, 0))";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {
		sweep->started_at_us, sweep->finished_at_us, sweep->requests, sweep->pages,
		sweep->received, sweep->fresh, sweep->gap, sweep->gap_from_us, sweep->gap_to_us,
		sweep->covered_from_us, sweep->covered_to_us, sweep->quota_limit,
		sweep->quota_remaining, sweep->quota_reset_us, sweep->poll_interval_s,
		sweep->next_poll_us, sweep->batch,
	};
	assert(sweep->status >= SWEEP_OK && sweep->status <= SWEEP_FAILED);
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, sweep->stream);
	catalog_bind_text(statement, 2, status_names[sweep->status]);
	catalog_bind_text(statement, 3, sweep->error);
	sqlite_bind_real(statement, 4, sweep->overlap);
	catalog_bind_integers(statement, 5, values, ARRAY_COUNT(values));
	return sqlite_execute(statement, err) || err_wrap(err, "sweep");
}

static bool take_sweep(struct sqlite_statement *statement, struct arena *arena, void *record,
			struct err *err)
{
	(void)arena;
	struct sweep *sweep = record;
	int status = 0;
	if (!catalog_take_text(statement, 1, sweep->stream, sizeof(sweep->stream), err)
	    || !catalog_take_name(statement, 2, status_names, ARRAY_COUNT(status_names), &status,
		    err)
	    || !catalog_take_text(statement, 3, sweep->error, sizeof(sweep->error), err))
		return false;
	sweep->id = sqlite_column_integer(statement, 0);
	sweep->status = (enum sweep_status)status;
	sweep->overlap = sqlite_column_real(statement, 4);
	int64_t *const numbers[] = {
		&sweep->started_at_us, &sweep->finished_at_us, &sweep->requests, &sweep->pages,
		&sweep->received, &sweep->fresh, &sweep->gap_from_us, &sweep->gap_to_us,
		&sweep->covered_from_us, &sweep->covered_to_us, &sweep->quota_limit,
		&sweep->quota_remaining, &sweep->quota_reset_us, &sweep->poll_interval_s,
		&sweep->next_poll_us, &sweep->batch,
	};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		*numbers[i] = sqlite_column_integer(statement, 5 + (int)i);
	sweep->gap = sqlite_column_integer(statement, 5 + (int)ARRAY_COUNT(numbers)) != 0;
	return true;
}

#define SWEEP_COLUMNS                                                                              \
	"id, stream, status, error, coalesce(overlap, -1.0), started_at_us, finished_at_us,"       \
	" requests, pages, received, fresh, coalesce(gap_from_us, 0), coalesce(gap_to_us, 0),"     \
	" coalesce(covered_from_us, 0), coalesce(covered_to_us, 0), coalesce(quota_limit, -1),"    \
	" coalesce(quota_remaining, -1), coalesce(quota_reset_us, -1),"                            \
	" coalesce(poll_interval_s, -1), coalesce(next_poll_us, 0), coalesce(batch, 0), gap"

bool catalog_list_sweeps(struct catalog *catalog, int64_t after, bool newest_first,
			 size_t count_max, struct arena *arena, const struct sweep **sweeps_out,
			 size_t *count_out, struct err *err)
{
	const char *sql = newest_first
		? "SELECT " SWEEP_COLUMNS " FROM sweep WHERE id > ?1 ORDER BY id DESC LIMIT ?2"
		: "SELECT " SWEEP_COLUMNS " FROM sweep WHERE id > ?1 ORDER BY id LIMIT ?2";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, after);
	sqlite_bind_integer(statement, 2, (int64_t)count_max);
	if (!catalog_collect(statement, take_sweep, sizeof(struct sweep), arena, &kept, count_out, err))
		return false;
	*sweeps_out = kept;
	return true;
}

static bool take_coverage(struct sqlite_statement *statement, struct arena *arena, void *record,
			  struct err *err)
{
	(void)arena;
	struct sweep_coverage *coverage = record;
	if (!catalog_take_text(statement, 0, coverage->stream, sizeof(coverage->stream), err))
		return false;
	coverage->from_us = sqlite_column_integer(statement, 1);
	coverage->to_us = sqlite_column_integer(statement, 2);
	return true;
}

bool catalog_list_coverage(struct catalog *catalog, int64_t since_us, size_t count_max,
			   struct arena *arena, const struct sweep_coverage **coverages_out,
			   size_t *count_out, struct err *err)
{
	static const char sql[] =
		"SELECT stream, covered_from_us, covered_to_us FROM sweep"
		" WHERE id > (SELECT coalesce(max(id), 0) - ?2 FROM sweep) AND started_at_us >= ?1"
		" AND covered_from_us IS NOT NULL AND covered_to_us IS NOT NULL ORDER BY stream, id";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, since_us);
	sqlite_bind_integer(statement, 2, (int64_t)count_max);
	if (!catalog_collect(statement, take_coverage, sizeof(struct sweep_coverage), arena, &kept,
		    count_out, err))
		return false;
	*coverages_out = kept;
	return true;
}
