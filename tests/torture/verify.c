/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/torture.h"

#include "lake/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1000000, QUERY_BYTES_MAX = 256 * 1024 * 1024, ARCHIVE_TEXT_BYTES_MAX = 1024 * 1024 };

struct key {
	uint64_t hash;
	int64_t time_us;
};

struct keys {
	struct buf all; /* struct key each */
	int64_t lines;
	int64_t files;
	/* for the walk */
	struct session *session;
	struct scan_plan *plan;
	struct arena arena;
};

static void finish_keys(struct keys *keys)
{
	buf_finish(&keys->all);
	scan_plan_destroy(&keys->plan);
	arena_finish(&keys->arena);
}

static int compare_keys(const void *left, const void *right)
{
	uint64_t a = ((const struct key *)left)->hash;
	uint64_t b = ((const struct key *)right)->hash;
	return (a > b) - (a < b);
}

static const struct key *sort_keys(struct keys *keys, size_t *count_out)
{
	*count_out = keys->all.size / sizeof(struct key);
	if (*count_out > 0)
		qsort(keys->all.data, *count_out, sizeof(struct key), compare_keys);
	return (const void *)keys->all.data;
}

static bool has_key(const struct key *sorted, size_t count, const struct key *key)
{
	return count > 0 && bsearch(key, sorted, count, sizeof(*key), compare_keys);
}

static void add_key(struct keys *keys, const struct event *event)
{
	const struct key key = {.hash = event_key_hash(event), .time_us = event->created_at_us};
	buf_append(&keys->all, &key, sizeof(key));
}

/* ---- bronze, as it lies on disk ---- */

static void add_line(struct keys *keys, struct span line)
{
	struct event event;
	struct scan_problem problem;
	keys->lines++;
	arena_reset(&keys->arena);
	if (scan_event(keys->plan, line, &keys->arena, &event, &problem))
		add_key(keys, &event);
}

/* As imports.c wrote it. */
static bool read_archive(struct keys *keys, const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = ARCHIVE_TEXT_BYTES_MAX};
	struct span line;
	if (!file_read(path, &text, err))
		return false;
	keys->files++;
	for (struct span rest = buf_span(&text); span_split(rest, '\n', &line, &rest);)
		add_line(keys, line);
	return true;
}

static bool read_bronze_file(void *context, const char *relative_path, struct err *err)
{
	struct keys *keys = context;
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	struct file_path path;
	int64_t batch;
	int64_t hour_us;
	if (!file_path_make(&path, err, "bronze/%s", relative_path))
		return false;
	if (!layout_parse_batch(path.text, &batch))
		return true; /* set aside */
	bool is_archive = layout_parse_archive(path.text, &hour_us, &batch);
	if (!file_path_make(&path, err, "%s/bronze/%s", keys->session->layout.root.text, relative_path))
		return false;
	if (is_archive)
		return read_archive(keys, path.text, err);
	if (!bronze_reader_open(path.text, &reader, err))
		return false;
	keys->files++;
	for (;;) {
		struct span line;
		int64_t offset;
		bool end;
		if (!bronze_reader_next(reader, &line, &offset, &end, err))
			return false;
		if (end)
			return true;
		add_line(keys, line);
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

bool verify_gold_bytes(struct gold *gold, int64_t *bytes_out, struct err *err)
{
	static const char sql[] = "SELECT sum(used_blocks * block_size)::BIGINT FROM pragma_database_size()"
				  " WHERE database_name = current_database()";
	CLEANUP(arena_finish) struct arena arena = {.size_max = QUERY_BYTES_MAX};
	struct table table;
	if (!ask(gold, sql, &arena, &table, err))
		return false;
	*bytes_out = table_value(&table, 0, 0)->integer;
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

/* Those of the script that gold was told to let go of, and that it does not have. */
static int64_t count_gone(const struct key *in_gold, size_t gold_count, const struct ledger *ledger)
{
	int64_t gone = 0;
	for (int64_t i = 0; i < ledger->promised && feed_time_us(i) < ledger->gone_before_us; i++) {
		const struct key key = {.hash = feed_key(i)};
		gone += !has_key(in_gold, gold_count, &key);
	}
	return gone;
}

/* What a finished import brought and nobody polls. */
static bool check_far(const struct key *in_gold, size_t gold_count, struct ledger *ledger)
{
	for (int64_t number = 0; number < IMPORTS_MAX; number++) {
		for (int64_t i = 0; i < IMPORT_FAR_EVENTS && ledger->has_far[number]; i++) {
			const struct event event = import_far_event(number, i);
			const struct key key = {.hash = event_key_hash(&event)};
			if (event.created_at_us >= ledger->gone_before_us && !has_key(in_gold, gold_count, &key))
				return ledger_violate(ledger, "event %" PRId64 " of import %" PRId64 " is lost", i, number);
		}
	}
	return true;
}

static bool check_keys(struct keys *bronze, struct keys *gold, int64_t *gone_out, struct ledger *ledger)
{
	size_t bronze_count;
	size_t gold_count;
	const struct key *in_bronze = sort_keys(bronze, &bronze_count);
	const struct key *in_gold = sort_keys(gold, &gold_count);
	for (size_t i = 1; i < gold_count; i++)
		if (in_gold[i].hash == in_gold[i - 1].hash)
			return ledger_violate(ledger, "an event is in gold twice (%zu rows)", gold_count);
	for (size_t i = 0; i < bronze_count; i++)
		if (in_bronze[i].time_us >= ledger->gone_before_us && !has_key(in_gold, gold_count, &in_bronze[i]))
			return ledger_violate(ledger, "an event of bronze (%zu lines) is not in gold (%zu rows)",
				bronze_count, gold_count);
	for (size_t i = 0; i < gold_count && !ledger->retained; i++)
		if (!has_key(in_bronze, bronze_count, &in_gold[i]))
			return ledger_violate(ledger, "an event of gold (%zu rows) is not in bronze (%zu lines)",
				gold_count, bronze_count);
	for (int64_t i = 0; i < ledger->promised; i++) {
		const struct key key = {.hash = feed_key(i)};
		bool must = feed_time_us(i) >= ledger->gone_before_us;
		if (must && !has_key(in_gold, gold_count, &key))
			return ledger_violate(ledger, "event %" PRId64 " of %" PRId64 " stored ones is lost", i,
				ledger->promised);
		/* Bronze is to make gold again, whatever gold keeps. */
		if (!must && !ledger->retained && !has_key(in_bronze, bronze_count, &key))
			return ledger_violate(ledger, "event %" PRId64 " is lost in bronze", i);
	}
	ledger->events = (int64_t)gold_count;
	*gone_out = count_gone(in_gold, gold_count, ledger);
	return check_far(in_gold, gold_count, ledger);
}

/* `gone`: events that gold does not have any more, at least. */
static bool check_gold_sums(struct gold *gold, const struct catalog_totals *totals, int64_t gone,
			    struct ledger *ledger)
{
	struct gold_stamp stamp;
	gold_read_stamp(gold, &stamp);
	if (totals->gold_rows != ledger->events + stamp.removed)
		return ledger_violate(ledger,
			"gold has %" PRId64 " rows and let go of %" PRId64 ", the catalog says %" PRId64, ledger->events,
			stamp.removed, totals->gold_rows);
	if (stamp.removed < gone || (ledger->gone_before_us == 0 && stamp.removed != 0))
		return ledger_violate(ledger, "gold counts %" PRId64 " rows that it let go of, which were %" PRId64,
			stamp.removed, gone);
	return true;
}

static bool check_sums(struct session *session, struct gold *gold, const struct keys *bronze, int64_t gone_of_gold,
		       struct ledger *ledger)
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
	if (t.duplicates < ledger->duplicates || t.filtered < ledger->filtered
	    || t.quarantined < ledger->quarantined)
		return ledger_violate(ledger, "what was counted is counted no more");
	if (t.batches_waiting_silver + t.batches_waiting_gold > 0)
		return ledger_violate(ledger, "a batch still waits");
	return check_gold_sums(gold, &t, gone_of_gold, ledger);
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
	struct gold_stamp stamp;
	gold_read_stamp(gold, &stamp);
	if (row[4].integer != ledger->events + stamp.removed)
		return ledger_violate(ledger, "loaded_batches says %" PRId64 " rows of %" PRId64, row[4].integer,
			ledger->events + stamp.removed);
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
	buf_init(&bronze.all, (size_t)64 << 20);
	buf_init(&golden.all, (size_t)64 << 20);
	if (!read_bronze(session, &bronze, &err) || !read_gold(gold, &golden, &err))
		return ledger_violate(ledger, "reading: %s", err.text);
	int64_t gone = 0;
	return check_keys(&bronze, &golden, &gone, ledger) && check_sums(session, gold, &bronze, gone, ledger)
	       && check_tables(gold, ledger) && check_files(session, ledger);
}
