/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_batch.c - batches: their numbers, the transaction that stores one, reading them back, and
 * the totals. */
#include "lake/catalog_private.h"

#include "base/failpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const char *const state_names[] = {"bronze", "silver", "gold"};
static const char LAST_GIVEN[] = "last_batch_given";

/* The last batch in a compacted silver file's name: of batches whose bronze is no longer kept, only
 * such names may be left. */
static bool parse_last(struct span relative, int64_t *batch_out)
{
	enum { DIGITS = 12, SUFFIX_BYTES = sizeof(".parquet") - 1 };
	if (!span_starts_with(relative, "silver/type=") || !span_ends_with(relative, ".parquet"))
		return false;
	const char *digits = relative.data + relative.size - SUFFIX_BYTES - DIGITS;
	return span_parse_int64((struct span){digits, DIGITS}, batch_out);
}

static bool visit_name(void *context, const char *relative_path, struct err *err)
{
	int64_t *highest = context;
	struct file_path path;
	int64_t batch;
	if (!file_path_make(&path, err, "%s", relative_path))
		return false;
	/* A file that was set aside still tells that its number was given. */
	char *aside = strstr(path.text, ".damaged-");
	if (aside)
		*aside = '\0';
	bool is_batch = layout_parse_batch(path.text, &batch) || parse_last(span_of(path.text), &batch);
	if (is_batch && batch > *highest)
		*highest = batch;
	return true;
}

/* What catalog_recover does not adopt counts too: until it ran, only the names know. */
static bool search_disk(struct catalog *catalog, struct err *err)
{
	int64_t highest = 0;
	if (!file_walk(catalog->layout.root.text, visit_name, &highest, err))
		return false;
	catalog->disk_batch = highest;
	return true;
}

bool catalog_reserve_batch(struct catalog *catalog, int64_t *seq_out, struct err *err)
{
	int64_t highest = 0;
	int64_t stored = 0;
	if (!catalog_ask(catalog, "SELECT max(seq) FROM batch", &stored, err)
	    || !catalog_read_setting(catalog, LAST_GIVEN, 0, &highest, err))
		return false;
	if (stored > highest)
		highest = stored;
	if (catalog->disk_batch < 0 && !search_disk(catalog, err))
		return false;
	if (catalog->disk_batch > highest)
		highest = catalog->disk_batch;
	if (!catalog_write_setting(catalog, LAST_GIVEN, highest + 1, err))
		return false;
	*seq_out = highest + 1;
	return true;
}

bool catalog_remember_numbers(struct catalog *catalog, struct err *err)
{
	int64_t given = 0;
	if (!catalog_read_setting(catalog, LAST_GIVEN, 0, &given, err)
	    || (catalog->disk_batch < 0 && !search_disk(catalog, err)))
		return false;
	return given >= catalog->disk_batch || catalog_write_setting(catalog, LAST_GIVEN, catalog->disk_batch, err);
}

bool catalog_next_batch(struct catalog *catalog, int64_t *seq_out, struct err *err)
{
	FAILPOINT_SCOPE("catalog.next-batch");
	int64_t seq = 0;
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = catalog_reserve_batch(catalog, &seq, err);
	if (!catalog_end(catalog, ok, err))
		return false;
	*seq_out = seq;
	return true;
}

bool catalog_insert_batch(struct catalog *catalog, const struct batch *batch, struct err *err)
{
	static const char sql[] =
		"INSERT INTO batch (seq, received_at_us, received, duplicates, filtered,"
		" quarantined, bronze_rows, state, source)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const int64_t values[] = {
		batch->seq, batch->received_at_us, batch->received, batch->duplicates,
		batch->filtered, batch->quarantined, batch->bronze_rows,
	};
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_integers(statement, 1, values, ARRAY_COUNT(values));
	catalog_bind_text(statement, 8, state_names[batch->state]);
	catalog_bind_text(statement, 9, batch->source);
	return sqlite_execute(statement, err) || err_wrap(err, "batch %" PRId64, batch->seq);
}

static bool write_batch(struct catalog *catalog, const struct batch_write *write, struct err *err)
{
	struct batch batch = *write->batch;
	batch.state = write->file_count > 0 ? BATCH_BRONZE : BATCH_GOLD;
	if (!catalog_insert_batch(catalog, &batch, err))
		return false;
	int64_t rows = 0;
	for (size_t i = 0; i < write->file_count; i++) {
		assert(write->files[i].batch == batch.seq);
		rows += write->files[i].events;
		if (!catalog_insert_bronze(catalog, batch.seq, &write->files[i], err))
			return false;
	}
	if (rows != batch.bronze_rows)
		return err_set(err, ERR_LOCAL,
			"batch %" PRId64 ": %" PRId64 " rows, %" PRId64 " in its files", batch.seq,
			batch.bronze_rows, rows);
	return true;
}

static bool write_all(struct catalog *catalog, const struct batch_write *write, struct err *err)
{
	if (write->batch && !write_batch(catalog, write, err))
		return false;
	for (size_t i = 0; i < write->cursor_count; i++)
		if (!catalog_write_cursor(catalog, &write->cursors[i], err))
			return false;
	for (size_t i = 0; i < write->sweep_count; i++)
		if (!catalog_insert_sweep(catalog, &write->sweeps[i], err))
			return false;
	return catalog_insert_quarantined(catalog, write->quarantined, write->quarantined_count,
		err);
}

bool catalog_store_batch(struct catalog *catalog, const struct batch_write *write, struct err *err)
{
	FAILPOINT_SCOPE("catalog.store-batch");
	assert(write->batch || write->file_count == 0);
	if (!catalog_begin(catalog, err))
		return false;
	return catalog_end(catalog, write_all(catalog, write, err), err);
}

#define BATCH_COLUMNS                                                                              \
	"state, source, seq, received_at_us, received, duplicates, filtered, quarantined,"         \
	" bronze_rows, silver_rows, silver_duplicates, silver_quarantined, gold_rows,"             \
	" gold_duplicates, gold_quarantined"

static bool take_batch(struct sqlite_statement *statement, struct arena *arena, void *record,
			struct err *err)
{
	(void)arena;
	struct batch *batch = record;
	int state = 0;
	if (!catalog_take_name(statement, 0, state_names, ARRAY_COUNT(state_names), &state, err)
	    || !catalog_take_text(statement, 1, batch->source, sizeof(batch->source), err))
		return false;
	batch->state = (enum batch_state)state;
	int64_t *const numbers[] = {
		&batch->seq, &batch->received_at_us, &batch->received, &batch->duplicates,
		&batch->filtered, &batch->quarantined, &batch->bronze_rows, &batch->silver_rows,
		&batch->silver_duplicates, &batch->silver_quarantined, &batch->gold_rows,
		&batch->gold_duplicates, &batch->gold_quarantined,
	};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		*numbers[i] = sqlite_column_integer(statement, 2 + (int)i);
	return true;
}

bool catalog_list_batches(struct catalog *catalog, enum batch_state state, int64_t after,
			  size_t count_max, struct arena *arena, const struct batch **batches_out,
			  size_t *count_out, struct err *err)
{
	static const char sql[] = "SELECT " BATCH_COLUMNS " FROM batch"
				  " WHERE state = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, state_names[state]);
	sqlite_bind_integer(statement, 2, after);
	sqlite_bind_integer(statement, 3, (int64_t)count_max);
	if (!catalog_collect(statement, take_batch, sizeof(struct batch), arena, &kept, count_out, err))
		return false;
	*batches_out = kept;
	return true;
}

bool catalog_read_batch(struct catalog *catalog, int64_t seq, struct batch *batch_out,
			bool *found_out, struct err *err)
{
	static const char sql[] = "SELECT " BATCH_COLUMNS " FROM batch WHERE seq = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	struct batch batch = {0};
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	sqlite_bind_integer(statement, 1, seq);
	if (!sqlite_step(statement, &row, err) || (row && !take_batch(statement, NULL, &batch, err)))
		return false;
	if (row)
		*batch_out = batch;
	*found_out = row;
	return true;
}

bool catalog_read_totals(struct catalog *catalog, struct catalog_totals *totals_out,
			 struct err *err)
{
	static const char sql[] =
		"SELECT batches, batches_waiting_silver, batches_waiting_gold, received,"
		" duplicates, filtered, quarantined, bronze_rows, silver_rows, silver_duplicates,"
		" silver_quarantined, gold_rows, gold_duplicates, gold_quarantined, bronze_files,"
		" bronze_bytes, silver_files, silver_bytes, live_files, quarantine_entries,"
		" quarantine_bytes, sweeps, gaps, newest_event_us, last_batch_at_us FROM totals";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	struct catalog_totals t = {0};
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err)
	    || !sqlite_step(statement, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_INPUT, "the catalog has lost its totals");
	int64_t *const numbers[] = {
		&t.batches, &t.batches_waiting_silver, &t.batches_waiting_gold, &t.received,
		&t.duplicates, &t.filtered, &t.quarantined, &t.bronze_rows, &t.silver_rows,
		&t.silver_duplicates,
		&t.silver_quarantined, &t.gold_rows, &t.gold_duplicates, &t.gold_quarantined,
		&t.bronze_files, &t.bronze_bytes, &t.silver_files, &t.silver_bytes, &t.live_files,
		&t.quarantine_entries, &t.quarantine_bytes, &t.sweeps, &t.gaps, &t.newest_event_us,
		&t.last_batch_at_us,
	};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		*numbers[i] = sqlite_column_integer(statement, (int)i);
	*totals_out = t;
	return true;
}
