/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/torture.h"

#include "lake/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1000000, QUERY_BYTES_MAX = 256 * 1024 * 1024 };

struct keys {
	struct buf hashes; /* uint64_t each */
	int64_t lines;
	int64_t files;
	/* for the walk */
	struct session *session;
	struct scan_plan *plan;
	struct arena arena;
};

static void finish_keys(struct keys *keys)
{
	buf_finish(&keys->hashes);
	scan_plan_destroy(&keys->plan);
	arena_finish(&keys->arena);
}

static int compare_hashes(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

static const uint64_t *sort_hashes(struct keys *keys, size_t *count_out)
{
	*count_out = keys->hashes.size / sizeof(uint64_t);
	if (*count_out > 0)
		qsort(keys->hashes.data, *count_out, sizeof(uint64_t), compare_hashes);
	return (const void *)keys->hashes.data;
}

static void add_key(struct keys *keys, const struct event *event)
{
	uint64_t hash = event_key_hash(event);
	buf_append(&keys->hashes, &hash, sizeof(hash));
}

/* ---- bronze, as it lies on disk ---- */

static bool read_bronze_file(void *context, const char *relative_path, struct err *err)
{
	struct keys *keys = context;
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	struct file_path path;
	int64_t batch;
	if (!file_path_make(&path, err, "bronze/%s", relative_path))
		return false;
	if (!layout_parse_batch(path.text, &batch))
		return true; /* set aside */
	if (!file_path_make(&path, err, "%s/bronze/%s", keys->session->layout.root.text, relative_path)
	    || !bronze_reader_open(path.text, &reader, err))
		return false;
	keys->files++;
	for (;;) {
		struct span line;
		int64_t offset;
		bool end;
		struct event event;
		struct scan_problem problem;
		if (!bronze_reader_next(reader, &line, &offset, &end, err))
			return false;
		if (end)
			return true;
		keys->lines++;
		arena_reset(&keys->arena);
		if (scan_event(keys->plan, line, &keys->arena, &event, &problem))
			add_key(keys, &event);
	}
}

static bool read_bronze(struct session *session, struct keys *keys, struct err *err)
{
	struct file_path folder;
	keys->session = session;
	keys->plan = scan_plan_create(session->fields);
	return layout_absolute(&session->layout, "bronze", &folder, err)
	       && file_walk(folder.text, read_bronze_file, keys, err);
}

/* ---- gold ---- */

static bool ask(struct gold *gold, const char *sql, struct arena *arena, struct table *table_out, struct err *err)
{
	const struct gold_query query = {.sql = sql, .row_count_max = ROWS_MAX};
	return gold_run_query(gold, &query, arena, table_out, NULL, err);
}

static bool read_gold(struct gold *gold, struct keys *keys, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = QUERY_BYTES_MAX};
	struct table table;
	if (!ask(gold, "SELECT id, type, created_at FROM events", &arena, &table, err))
		return false;
	for (size_t i = 0; i < table.row_count; i++) {
		const struct value *row = table_value(&table, i, 0);
		const struct event event = {
			.id = row[0].integer, .type = row[1].text, .created_at_us = row[2].time_us};
		add_key(keys, &event);
	}
	return true;
}

bool verify_digest(struct gold *gold, char *text, size_t size, struct err *err)
{
	static const char sql[] =
		"SELECT concat_ws(' ', (SELECT count(*) FROM events),"
		" (SELECT sum(md5_number_lower(e::VARCHAR)::HUGEINT) FROM events e),"
		" (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT) FROM rollup_events_per_minute r),"
		" (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT) FROM rollup_pull_request_gaps r))";
	CLEANUP(arena_finish) struct arena arena = {.size_max = QUERY_BYTES_MAX};
	struct table table;
	if (!ask(gold, sql, &arena, &table, err))
		return false;
	struct span digest = table_value(&table, 0, 0)->text;
	(void)snprintf(text, size, "%.*s", SPAN_ARGUMENTS(digest));
	return true;
}

/* ---- what has to hold ---- */

static bool check_keys(struct keys *bronze, struct keys *gold, bool bronze_is_whole, struct ledger *ledger)
{
	size_t bronze_count;
	size_t gold_count;
	const uint64_t *in_bronze = sort_hashes(bronze, &bronze_count);
	const uint64_t *in_gold = sort_hashes(gold, &gold_count);
	for (size_t i = 1; i < gold_count; i++)
		if (in_gold[i] == in_gold[i - 1])
			return ledger_violate(ledger, "an event is in gold twice (%zu rows)", gold_count);
	for (size_t i = 0; i < bronze_count; i++)
		if (gold_count == 0 || !bsearch(&in_bronze[i], in_gold, gold_count, sizeof(*in_gold), compare_hashes))
			return ledger_violate(ledger, "an event of bronze (%zu lines) is not in gold (%zu rows)",
				bronze_count, gold_count);
	for (size_t i = 0; i < gold_count && bronze_is_whole; i++)
		if (bronze_count == 0
		    || !bsearch(&in_gold[i], in_bronze, bronze_count, sizeof(*in_bronze), compare_hashes))
			return ledger_violate(ledger, "an event of gold (%zu rows) is not in bronze (%zu lines)",
				gold_count, bronze_count);
	for (int64_t i = 0; i < ledger->promised; i++) {
		uint64_t key = feed_key(i);
		if (gold_count == 0 || !bsearch(&key, in_gold, gold_count, sizeof(*in_gold), compare_hashes))
			return ledger_violate(ledger, "event %" PRId64 " of %" PRId64 " stored ones is lost", i,
				ledger->promised);
	}
	ledger->events = (int64_t)gold_count;
	return true;
}

static bool check_sums(struct session *session, const struct keys *bronze, struct ledger *ledger)
{
	struct catalog_totals t;
	struct retention_total gone[RETENTION_LAYER_COUNT];
	struct err err = {0};
	if (!catalog_read_totals(session->catalog, &t, &err) || !retention_read(session->catalog, gone, &err))
		return ledger_violate(ledger, "totals: %s", err.text);
	if (t.received != t.bronze_rows + t.duplicates + t.filtered + t.quarantined)
		return ledger_violate(ledger, "received %" PRId64 " <> stored + duplicate + filtered + quarantined",
			t.received);
	if (t.bronze_rows != t.silver_rows + t.silver_duplicates + t.silver_quarantined)
		return ledger_violate(ledger, "bronze rows %" PRId64 " <> silver's %" PRId64 " + %" PRId64 " + %" PRId64,
			t.bronze_rows, t.silver_rows, t.silver_duplicates, t.silver_quarantined);
	if (t.silver_rows != t.gold_rows + t.gold_duplicates + t.gold_quarantined)
		return ledger_violate(ledger, "silver rows %" PRId64 " <> gold's %" PRId64 " + %" PRId64 " + %" PRId64,
			t.silver_rows, t.gold_rows, t.gold_duplicates, t.gold_quarantined);
	if (t.bronze_rows != bronze->lines + gone[RETENTION_BRONZE].rows || t.bronze_files != bronze->files)
		return ledger_violate(ledger,
			"%" PRId64 " lines in %" PRId64 " files of bronze, the catalog has %" PRId64 " in %" PRId64,
			bronze->lines, bronze->files, t.bronze_rows, t.bronze_files);
	if (t.gold_rows != ledger->events)
		return ledger_violate(ledger, "gold has %" PRId64 " rows, the catalog says %" PRId64, ledger->events,
			t.gold_rows);
	if (t.duplicates < ledger->duplicates || t.filtered < ledger->filtered
	    || t.quarantined < ledger->quarantined)
		return ledger_violate(ledger, "what was counted is counted no more");
	if (t.batches_waiting_silver + t.batches_waiting_gold > 0)
		return ledger_violate(ledger, "a batch still waits");
	return true;
}

static bool check_tables(struct gold *gold, struct ledger *ledger)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM ((SELECT date_trunc('minute', created_at), type, count(*) FROM events"
		" GROUP BY ALL) EXCEPT (SELECT minute, type, events FROM rollup_events_per_minute))),"
		" (SELECT coalesce(sum(events), 0)::BIGINT FROM rollup_events_per_minute),"
		" (SELECT coalesce(sum(opened), 0)::BIGINT FROM rollup_pull_request_gaps),"
		" (SELECT count(*) FROM events WHERE type = 'PullRequestEvent' AND action = 'opened'),"
		" (SELECT coalesce(sum(rows), 0)::BIGINT FROM loaded_batches)";
	CLEANUP(arena_finish) struct arena arena = {.size_max = QUERY_BYTES_MAX};
	struct table table;
	struct err err = {0};
	if (!ask(gold, sql, &arena, &table, &err))
		return ledger_violate(ledger, "rollups: %s", err.text);
	const struct value *row = table_value(&table, 0, 0);
	if (row[0].integer != 0 || row[1].integer != ledger->events || row[2].integer != row[3].integer)
		return ledger_violate(ledger, "a rollup differs from its GROUP BY");
	if (row[4].integer != ledger->events)
		return ledger_violate(ledger, "loaded_batches says %" PRId64 " rows of %" PRId64, row[4].integer,
			ledger->events);
	return true;
}

/* ---- nothing lies about ---- */

struct files {
	int64_t silver;
	int64_t gold;
	int64_t other;
};

static bool count_file(void *context, const char *relative_path, struct err *err)
{
	struct files *files = context;
	int64_t generation;
	(void)err;
	if (span_starts_with(span_of(relative_path), "staging/"))
		files->other++;
	files->silver += span_ends_with(span_of(relative_path), ".parquet");
	files->gold += layout_parse_gold(relative_path, &generation);
	return true;
}

static bool check_files(struct session *session, struct ledger *ledger)
{
	struct err err = {0};
	struct files files = {0};
	struct catalog_totals totals;
	int64_t drafts = 0;
	if (!file_walk(session->layout.root.text, count_file, &files, &err)
	    || !file_sweep_drafts(session->layout.root.text, &drafts, &err)
	    || !catalog_read_totals(session->catalog, &totals, &err))
		return ledger_violate(ledger, "files: %s", err.text);
	if (files.silver != totals.silver_files)
		return ledger_violate(ledger, "%" PRId64 " files of silver, the catalog names %" PRId64, files.silver,
			totals.silver_files);
	if (files.gold != 1 || files.other + drafts != 0)
		return ledger_violate(ledger,
			"%" PRId64 " generations of gold, %" PRId64 " staged files, %" PRId64 " drafts", files.gold,
			files.other, drafts);
	return true;
}

bool verify_lake(struct session *session, struct gold *gold, struct ledger *ledger)
{
	struct err err = {0};
	CLEANUP(finish_keys) struct keys bronze = {.arena = {.size_max = 1 << 20}};
	CLEANUP(finish_keys) struct keys golden = {0};
	buf_init(&bronze.hashes, (size_t)64 << 20);
	buf_init(&golden.hashes, (size_t)64 << 20);
	if (!read_bronze(session, &bronze, &err) || !read_gold(gold, &golden, &err))
		return ledger_violate(ledger, "reading: %s", err.text);
	return check_keys(&bronze, &golden, !ledger->retained, ledger) && check_sums(session, &bronze, ledger)
	       && check_tables(gold, ledger) && check_files(session, ledger);
}
