/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_test.c - what is stored comes back in every field, all or nothing, and the totals follow. */
#include "tests/unit/lake/lake_support.h"

#include "wrap/sqlite.h"

/* The catalog file beside our handle, as another process would see it. */
static struct sqlite_database *open_file(const struct lake *lake)
{
	struct sqlite_database *database = NULL;
	struct err err = {0};
	REQUIRE(sqlite_open(lake_path(lake, "catalog.sqlite").text, false, &database, &err));
	return database;
}

static void run(const struct lake *lake, const char *sql)
{
	struct sqlite_database *database CLEANUP(sqlite_close) = open_file(lake);
	struct err err = {0};
	REQUIRE(sqlite_run(database, sql, &err));
}

static void reopen(struct lake *lake)
{
	struct err err = {0};
	catalog_close(&lake->catalog);
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
}

static void a_new_catalog_is_empty(void **state)
{
	struct lake *lake = *state;
	const struct catalog_totals nothing = {0};
	struct catalog_totals totals = lake_totals(lake);
	const struct batch *batches = NULL;
	struct cursor cursor;
	size_t count = 9;
	bool found = true;
	struct err err = {0};
	assert_memory_equal(&totals, &nothing, sizeof(totals));
	REQUIRE(catalog_list_batches(lake->catalog, BATCH_BRONZE, 0, 10, &lake->arena, &batches, &count, &err));
	assert_int_equal(count, 0);
	REQUIRE(catalog_read_cursor(lake->catalog, "/events", &cursor, &found, &err));
	assert_false(found);
	reopen(lake);
	totals = lake_totals(lake);
	assert_memory_equal(&totals, &nothing, sizeof(totals));
}

static void a_newer_catalog_is_refused(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	run(lake, "PRAGMA user_version = 99");
	catalog_close(&lake->catalog);
	assert_false(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(err.exit_code, 4);
	assert_null(lake->catalog);
}

static void damage_and_strangers_are_input_errors(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	catalog_close(&lake->catalog);
	lake_write(lake, "catalog.sqlite", "this is no database, and it is longer than its header");
	assert_false(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	run(lake, "CREATE TABLE mine (x)");
	assert_false(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static void a_catalog_that_is_set_aside_leaves_a_clean_place(void **state)
{
	struct lake *lake = *state;
	struct file_path aside = {0};
	struct err err = {0};
	lake_store(lake, 1);
	catalog_close(&lake->catalog);
	/* As after a kill. */
	lake_write(lake, "catalog.sqlite-wal", "left by a crash");
	lake_write(lake, "catalog.sqlite-shm", "left by a crash");
	REQUIRE(catalog_set_aside(&lake->layout, &aside, &err));
	assert_string_equal(aside.text, lake_path(lake, "catalog.sqlite.damaged-1").text);
	assert_true(lake_has(lake, "catalog.sqlite.damaged-1"));
	assert_true(lake_has(lake, "catalog.sqlite-wal.damaged-1"));
	assert_false(lake_has(lake, "catalog.sqlite-wal"));
	assert_false(lake_has(lake, "catalog.sqlite-shm"));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_int_equal(lake_totals(lake).batches, 0);
}

static void a_reader_sees_what_is_committed_and_changes_nothing(void **state)
{
	struct lake *lake = *state;
	struct catalog *reader CLEANUP(catalog_close) = NULL;
	struct catalog_totals totals;
	struct err err = {0};
	REQUIRE(catalog_open(&lake->layout, true, &reader, &err));
	lake_store(lake, 1);
	REQUIRE(catalog_read_totals(reader, &totals, &err));
	assert_int_equal(totals.batches, 1);
}

static void batch_numbers_are_given_once(void **state)
{
	struct lake *lake = *state;
	struct catalog *other CLEANUP(catalog_close) = NULL;
	struct err err = {0};
	size_t count;
	int64_t seq = 0;
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 1);
	lake_store(lake, 1);
	REQUIRE(catalog_open(&lake->layout, false, &other, &err));
	REQUIRE(catalog_next_batch(other, &seq, &err));
	assert_int_equal(seq, 2);
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 3);
	lake_store(lake, 40);
	REQUIRE(catalog_next_batch(other, &seq, &err));
	assert_int_equal(seq, 41);
	/* Left by a crash, or set aside: only the names know. */
	(void)lake_publish(lake, 60, &count);
	lake_write(lake, "bronze/WatchEvent/date=2026-09-20/000000000070.ndjson.zst.damaged-1", "x");
	lake_write(lake, "bronze/WatchEvent/date=2026-09-20/000000000099.txt", "x");
	reopen(lake);
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 71);
}

static const struct batch full_batch = {
	.seq = 7,
	.source = "archive",
	.received_at_us = 1789862401500000,
	.received = 3 + 11 + 12 + 13,
	.duplicates = 11,
	.filtered = 12,
	.quarantined = 13,
	.bronze_rows = 3,
};

static void every_field_of_a_batch_comes_back(void **state)
{
	struct lake *lake = *state;
	struct batch_write write = {.batch = &full_batch};
	struct batch counts = full_batch;
	struct err err = {0};
	write.files = lake_publish(lake, 7, &write.file_count);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	struct batch batch = lake_batch(lake, 7);
	assert_int_equal(batch.seq, 7);
	assert_int_equal(batch.state, BATCH_BRONZE);
	assert_string_equal(batch.source, "archive");
	assert_int_equal(batch.received_at_us, 1789862401500000);
	assert_int_equal(batch.received, 39);
	assert_int_equal(batch.duplicates, 11);
	assert_int_equal(batch.filtered, 12);
	assert_int_equal(batch.quarantined, 13);
	assert_int_equal(batch.bronze_rows, 3);
	assert_int_equal(batch.silver_rows + batch.silver_duplicates + batch.silver_quarantined, 0);

	/* silver's numbers come by their own call; what else the struct says does not count then. */
	counts.received = 999;
	counts.silver_rows = 1;
	counts.silver_duplicates = 2;
	counts.gold_rows = 5;
	REQUIRE(catalog_store_silver(lake->catalog, &counts, NULL, NULL, 0, &err));
	batch = lake_batch(lake, 7);
	assert_int_equal(batch.state, BATCH_SILVER);
	assert_int_equal(batch.received, 39);
	assert_int_equal(batch.silver_rows, 1);
	assert_int_equal(batch.silver_duplicates, 2);
	assert_int_equal(batch.gold_rows, 0);

	counts = (struct batch){.seq = 7, .gold_duplicates = 0, .gold_quarantined = 1};
	REQUIRE(catalog_store_gold(lake->catalog, &counts, NULL, 0, &err));
	batch = lake_batch(lake, 7);
	assert_int_equal(batch.state, BATCH_GOLD);
	assert_int_equal(batch.silver_duplicates, 2);
	assert_int_equal(batch.gold_quarantined, 1);
}

static void a_batch_without_files_is_done(void **state)
{
	struct lake *lake = *state;
	struct batch batch = {.seq = 1, .source = "api", .received = 4, .duplicates = 3, .filtered = 1};
	struct err err = {0};
	REQUIRE(catalog_store_batch(lake->catalog, &(struct batch_write){.batch = &batch}, &err));
	assert_int_equal(lake_batch(lake, 1).state, BATCH_GOLD);
	assert_int_equal(lake_totals(lake).batches_waiting_silver, 0);
	bool found = true;
	REQUIRE(catalog_read_batch(lake->catalog, 2, &batch, &found, &err));
	assert_false(found);
}

static void every_field_of_a_bronze_file_comes_back(void **state)
{
	struct lake *lake = *state;
	struct batch_write write = {.batch = &full_batch};
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	lake_store(lake, 6);
	write.files = lake_publish(lake, 7, &write.file_count);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	REQUIRE(catalog_list_bronze(lake->catalog, 7, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(files[i].path.text, write.files[i].path.text);
		assert_int_equal(files[i].layer, LAYER_BRONZE);
		assert_string_equal(files[i].type, write.files[i].type);
		assert_int_equal(files[i].date_us, lake_time("2026-09-20T00:00:00Z"));
		assert_int_equal(files[i].batch_first, 7);
		assert_int_equal(files[i].batch_last, 7);
		assert_int_equal(files[i].rows, write.files[i].events);
		assert_int_equal(files[i].size_bytes, write.files[i].size_bytes);
		assert_int_equal(files[i].created_at_us, write.files[i].received_at_us);
		assert_int_equal(files[i].time_min_us, write.files[i].time_min_us);
		assert_int_equal(files[i].time_max_us, write.files[i].time_max_us);
		assert_string_equal(files[i].sha256, write.files[i].sha256);
		assert_string_equal(files[i].fingerprint, "");
	}
	REQUIRE(catalog_list_files(lake->catalog, LAYER_BRONZE, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 4);
	assert_int_equal(files[0].batch_first, 6);
}

/* Every member has a value of its own, so that two columns in each other's place show. */
static struct sweep make_sweep(void)
{
	return (struct sweep){.stream = "/repos/o/r/events", .status = SWEEP_LIMITED, .started_at_us = 101,
		.finished_at_us = 102, .requests = 103, .pages = 104, .received = 105, .fresh = 106,
		.overlap = 0.25, .gap = true, .gap_from_us = 107, .gap_to_us = 108, .covered_from_us = 109,
		.covered_to_us = 110, .quota_limit = 111, .quota_remaining = 0, .quota_reset_us = 113,
		.poll_interval_s = 114, .next_poll_us = 115, .batch = 7, .error = "403 \"rate\" limit"};
}

static void assert_sweep(const struct sweep *sweep, const struct sweep *expected)
{
	assert_string_equal(sweep->stream, expected->stream);
	assert_int_equal(sweep->status, expected->status);
	assert_int_equal(sweep->started_at_us, expected->started_at_us);
	assert_int_equal(sweep->finished_at_us, expected->finished_at_us);
	assert_int_equal(sweep->requests, expected->requests);
	assert_int_equal(sweep->pages, expected->pages);
	assert_int_equal(sweep->received, expected->received);
	assert_int_equal(sweep->fresh, expected->fresh);
	assert_true(sweep->overlap == expected->overlap);
	assert_int_equal(sweep->gap, expected->gap);
	assert_int_equal(sweep->gap_from_us, expected->gap_from_us);
	assert_int_equal(sweep->gap_to_us, expected->gap_to_us);
	assert_int_equal(sweep->covered_from_us, expected->covered_from_us);
	assert_int_equal(sweep->covered_to_us, expected->covered_to_us);
	assert_int_equal(sweep->quota_limit, expected->quota_limit);
	assert_int_equal(sweep->quota_remaining, expected->quota_remaining);
	assert_int_equal(sweep->quota_reset_us, expected->quota_reset_us);
	assert_int_equal(sweep->poll_interval_s, expected->poll_interval_s);
	assert_int_equal(sweep->next_poll_us, expected->next_poll_us);
	assert_int_equal(sweep->batch, expected->batch);
	assert_string_equal(sweep->error, expected->error);
}

static int64_t ask(const struct lake *lake, const char *sql)
{
	struct sqlite_database *database CLEANUP(sqlite_close) = open_file(lake);
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	struct err err = {0};
	REQUIRE(sqlite_prepare(database, sql, &statement, &err));
	REQUIRE(sqlite_step(statement, &row, &err));
	assert_true(row);
	return sqlite_column_integer(statement, 0);
}

static void every_field_of_a_sweep_comes_back(void **state)
{
	struct lake *lake = *state;
	const struct sweep silent = {.stream = "/events", .status = SWEEP_FAILED, .overlap = -1,
		.quota_limit = -1, .quota_remaining = -1, .quota_reset_us = -1, .poll_interval_s = -1};
	const struct sweep written[] = {make_sweep(), silent};
	const struct batch_write write = {.sweeps = written, .sweep_count = 2};
	const struct sweep *sweeps = NULL;
	size_t count = 0;
	struct err err = {0};
	lake_store(lake, 7);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	REQUIRE(catalog_list_sweeps(lake->catalog, 0, false, 10, &lake->arena, &sweeps, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(sweeps[0].id, 1);
	assert_sweep(&sweeps[0], &written[0]);
	assert_int_equal(sweeps[1].id, 2);
	assert_sweep(&sweeps[1], &silent);
	/* What was not said is NULL for those who read the tables. */
	assert_int_equal(ask(lake, "SELECT count(*) FROM sweep WHERE coalesce(overlap, gap_from_us, gap_to_us,"
				   " covered_from_us, covered_to_us, quota_limit, quota_remaining,"
				   " quota_reset_us, poll_interval_s, next_poll_us, batch) IS NULL"),
		1);
	assert_int_equal(lake_totals(lake).sweeps, 2);
	assert_int_equal(lake_totals(lake).gaps, 1);

	REQUIRE(catalog_list_sweeps(lake->catalog, 0, true, 1, &lake->arena, &sweeps, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(sweeps[0].id, 2);
	REQUIRE(catalog_list_sweeps(lake->catalog, 1, false, 10, &lake->arena, &sweeps, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(sweeps[0].id, 2);
}

static void every_field_of_a_cursor_comes_back(void **state)
{
	struct lake *lake = *state;
	struct cursor cursors[2] = {
		{.stream = "/events", .etags = {"W/\"a'b\"", "", "c"}, .key_count = STREAM_KEYS_MAX,
			.newest_us = 21, .covered_to_us = 22, .poll_interval_s = 60},
		{.stream = "/orgs/o/events"},
	};
	struct cursor found_cursor;
	struct err err = {0};
	bool found = false;
	for (size_t i = 0; i < STREAM_KEYS_MAX; i++)
		cursors[0].keys[i] = UINT64_C(0xfedcba9876543210) ^ (i * UINT64_C(0x9e3779b97f4a7c15));
	const struct batch_write write = {.cursors = cursors, .cursor_count = 2};
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	reopen(lake);
	REQUIRE(catalog_read_cursor(lake->catalog, "/events", &found_cursor, &found, &err));
	assert_true(found);
	assert_memory_equal(&found_cursor, &cursors[0], sizeof(found_cursor));
	REQUIRE(catalog_read_cursor(lake->catalog, "/orgs/o/events", &found_cursor, &found, &err));
	assert_int_equal(found_cursor.key_count, 0);

	cursors[0].key_count = 1;
	cursors[0].newest_us = 23;
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	REQUIRE(catalog_read_cursor(lake->catalog, "/events", &found_cursor, &found, &err));
	assert_int_equal(found_cursor.key_count, 1);
	assert_int_equal(found_cursor.newest_us, 23);
	assert_true(found_cursor.keys[0] == cursors[0].keys[0]);
}

static void quarantine_keeps_the_bytes(void **state)
{
	struct lake *lake = *state;
	char raw[300];
	memset(raw, 0xff, sizeof(raw));
	raw[0] = '\0';
	const struct quarantined written[] = {
		{.stage = "ingest", .reason = "body-not-an-array", .detail = "at 0", .path = "/events"},
		{.batch = 7, .stage = "ingest", .reason = "invalid-json", .detail = "at 3", .path = "p",
			.offset = 17, .raw = {raw, sizeof(raw)}},
	};
	const struct batch_write write = {.quarantined = written, .quarantined_count = 2};
	const struct quarantine_entry *entries = NULL;
	size_t count = 0;
	struct err err = {0};
	int64_t now_us = clock_wall_us(clock_system());
	lake_store(lake, 7);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	REQUIRE(catalog_list_quarantine(lake->catalog, 10, &lake->arena, &entries, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(entries[0].id, 2);
	assert_int_equal(entries[0].batch, 7);
	assert_true(span_equal_text(entries[0].stage, "ingest"));
	assert_true(span_equal_text(entries[0].reason, "invalid-json"));
	assert_true(span_equal_text(entries[0].detail, "at 3"));
	assert_true(span_equal_text(entries[0].path, "p"));
	assert_int_equal(entries[0].offset, 17);
	assert_int_equal(entries[0].size_bytes, 300);
	assert_true(span_equal(entries[0].raw, span_make(raw, 256)));
	assert_true(entries[0].at_us >= now_us && entries[0].at_us < now_us + 60000000);
	assert_int_equal(entries[1].batch, 0);
	assert_int_equal(entries[1].size_bytes, 0);
	assert_int_equal(lake_totals(lake).quarantine_entries, 2);
	assert_int_equal(lake_totals(lake).quarantine_bytes, 300);
	REQUIRE(catalog_list_quarantine(lake->catalog, 1, &lake->arena, &entries, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(entries[0].id, 2);
}

static void a_full_quarantine_stops_the_whole_write(void **state)
{
	struct lake *lake = *state;
	const struct quarantined entry = {.stage = "ingest", .reason = "r", .raw = SPAN_LITERAL("0123456789")};
	const struct cursor cursor = {.stream = "/events"};
	struct batch_write write = {.quarantined = &entry, .quarantined_count = 1, .cursors = &cursor,
		.cursor_count = 1};
	struct cursor found_cursor;
	struct err err = {0};
	bool found = true;
	char sql[128];
	(void)snprintf(sql, sizeof(sql), "UPDATE totals SET quarantine_bytes = %d",
		CATALOG_QUARANTINE_BYTES_MAX - CATALOG_QUARANTINE_ENTRY_BYTES - 9);
	run(lake, sql);
	assert_false(catalog_store_batch(lake->catalog, &write, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	REQUIRE(catalog_read_cursor(lake->catalog, "/events", &found_cursor, &found, &err));
	assert_false(found);
	run(lake, "UPDATE totals SET quarantine_bytes = quarantine_bytes - 1");
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
}

static void a_batch_is_stored_whole_or_not_at_all(void **state)
{
	struct lake *lake = *state;
	struct batch batch = full_batch;
	const struct cursor cursor = {.stream = "/events"};
	struct sweep sweep = make_sweep();
	struct batch_write write = {.batch = &batch, .cursors = &cursor, .cursor_count = 1, .sweeps = &sweep,
		.sweep_count = 1};
	struct cursor found_cursor;
	struct err err = {0};
	bool found = true;
	write.files = lake_publish(lake, 7, &write.file_count);
	const struct catalog_totals before = lake_totals(lake);

	batch.received++; /* one event is missing */
	assert_false(catalog_store_batch(lake->catalog, &write, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	batch.received--;
	batch.bronze_rows--; /* adds up, but the files hold another number */
	batch.filtered++;
	assert_false(catalog_store_batch(lake->catalog, &write, &err));
	batch = full_batch;
	sweep.batch = 8; /* no such batch */
	assert_false(catalog_store_batch(lake->catalog, &write, &err));
	struct catalog_totals after = lake_totals(lake);
	assert_memory_equal(&before, &after, sizeof(after));
	REQUIRE(catalog_read_cursor(lake->catalog, "/events", &found_cursor, &found, &err));
	assert_false(found);

	sweep.batch = 7;
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	assert_false(catalog_store_batch(lake->catalog, &write, &err)); /* a second time */
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(lake_totals(lake).batches, 1);
	assert_int_equal(lake_totals(lake).sweeps, 1);
}

static void batches_are_listed_by_state_in_order(void **state)
{
	struct lake *lake = *state;
	const struct batch *batches = NULL;
	size_t count = 0;
	struct err err = {0};
	static const int64_t stored[] = {5, 2, 9, 3};
	for (size_t i = 0; i < ARRAY_COUNT(stored); i++)
		lake_store(lake, stored[i]);
	lake_store_silver(lake, 3);
	REQUIRE(catalog_list_batches(lake->catalog, BATCH_BRONZE, 0, 2, &lake->arena, &batches, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(batches[0].seq, 2);
	assert_int_equal(batches[1].seq, 5);
	REQUIRE(catalog_list_batches(lake->catalog, BATCH_BRONZE, 5, 2, &lake->arena, &batches, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(batches[0].seq, 9);
	REQUIRE(catalog_list_batches(lake->catalog, BATCH_SILVER, 0, 2, &lake->arena, &batches, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(batches[0].seq, 3);
}

static void rows_that_do_not_fit_are_an_error(void **state)
{
	struct lake *lake = *state;
	struct arena small CLEANUP(arena_finish) = {0};
	const struct batch *batches = NULL;
	size_t count = 0;
	struct err err = {0};
	arena_init(&small, 2 * sizeof(struct batch));
	lake_store(lake, 1);
	lake_store(lake, 2);
	REQUIRE(catalog_list_batches(lake->catalog, BATCH_BRONZE, 0, 9, &small, &batches, &count, &err));
	arena_reset(&small);
	lake_store(lake, 3);
	assert_false(catalog_list_batches(lake->catalog, BATCH_BRONZE, 0, 9, &small, &batches, &count, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
}

static void storing_silver_again_replaces(void **state)
{
	struct lake *lake = *state;
	struct batch counts = {.seq = 1, .silver_rows = 2, .silver_quarantined = 1};
	const struct quarantined entries[] = {
		{.batch = 1, .stage = "silver", .reason = "bad-value", .raw = SPAN_LITERAL("{}")},
		{.batch = 1, .stage = "gold", .reason = "key-conflict", .raw = SPAN_LITERAL("{}")},
	};
	struct lake_file file = {.layer = LAYER_SILVER_LIVE, .batch_first = 1, .batch_last = 1, .rows = 2,
		.size_bytes = 11, .created_at_us = 12, .time_min_us = 13, .time_max_us = 14, .sha256 = "5a",
		.fingerprint = "0123456789abcdef", .path = {"silver/_live/000000000001.parquet"}};
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	lake_store(lake, 1);
	for (int i = 0; i < 2; i++) {
		file.size_bytes = 11 + i;
		REQUIRE(catalog_store_silver(lake->catalog, &counts, &file, entries, 1, &err));
		assert_int_equal(lake_totals(lake).live_files, 1);
		assert_int_equal(lake_totals(lake).silver_bytes, 11 + i);
		assert_int_equal(lake_totals(lake).silver_rows, 2);
		assert_int_equal(lake_totals(lake).quarantine_entries, 1);
		counts.gold_rows = 1;
		counts.gold_quarantined = 1;
		REQUIRE(catalog_store_gold(lake->catalog, &counts, &entries[1], 1, &err));
		assert_int_equal(lake_totals(lake).quarantine_entries, 2);
	}
	REQUIRE(catalog_list_files(lake->catalog, LAYER_SILVER_LIVE, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(files[0].path.text, file.path.text);
	assert_string_equal(files[0].type, "");
	assert_string_equal(files[0].sha256, "5a");
	assert_string_equal(files[0].fingerprint, "0123456789abcdef");
	assert_int_equal(files[0].rows, 2);
	assert_int_equal(files[0].size_bytes, 12);
	assert_int_equal(files[0].created_at_us, 12);
	assert_int_equal(files[0].time_min_us, 13);
	assert_int_equal(files[0].time_max_us, 14);
	REQUIRE(catalog_list_bronze(lake->catalog, 1, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 2);

	/* No row was left. */
	counts = (struct batch){.seq = 1, .silver_quarantined = 3};
	REQUIRE(catalog_store_silver(lake->catalog, &counts, NULL, NULL, 0, &err));
	assert_int_equal(lake_totals(lake).live_files, 0);
	assert_int_equal(lake_totals(lake).quarantine_entries, 0);
	assert_int_equal(lake_totals(lake).batches_waiting_gold, 1);
}

static void numbers_that_do_not_add_up_are_refused(void **state)
{
	struct lake *lake = *state;
	struct batch counts = {.seq = 1, .silver_rows = 2};
	struct err err = {0};
	lake_store(lake, 1);
	assert_false(catalog_store_silver(lake->catalog, &counts, NULL, NULL, 0, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(lake_batch(lake, 1).state, BATCH_BRONZE);
	lake_store_silver(lake, 1);
	counts.gold_rows = 4;
	assert_false(catalog_store_gold(lake->catalog, &counts, NULL, 0, &err));
	counts.seq = 2;
	assert_false(catalog_store_gold(lake->catalog, &counts, NULL, 0, &err));
	assert_non_null(strstr(err.text, "no batch 2"));
	assert_int_equal(lake_batch(lake, 1).state, BATCH_SILVER);
}

static struct lake_file compacted(const char *path, int64_t first, int64_t last)
{
	struct lake_file file = {.layer = LAYER_SILVER, .type = "WatchEvent", .batch_first = first,
		.batch_last = last, .rows = 6, .size_bytes = 100, .date_us = 55};
	(void)snprintf(file.path.text, sizeof(file.path.text), "%s", path);
	return file;
}

static void compaction_swaps_in_one_step(void **state)
{
	struct lake *lake = *state;
	const struct lake_file added = compacted("silver/type=WatchEvent/a.parquet", 1, 2);
	struct file_path removed[3] = {{"silver/_live/000000000001.parquet"},
		{"silver/_live/000000000002.parquet"}, {"silver/_live/000000000003.parquet"}};
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	for (int64_t seq = 1; seq <= 2; seq++) {
		lake_store(lake, seq);
		lake_store_silver(lake, seq);
	}
	assert_false(catalog_swap_silver(lake->catalog, &added, 1, removed, 3, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(lake_totals(lake).live_files, 2);
	REQUIRE(catalog_swap_silver(lake->catalog, &added, 1, removed, 2, &err));
	assert_int_equal(lake_totals(lake).live_files, 0);
	assert_int_equal(lake_totals(lake).silver_files, 1);
	assert_int_equal(lake_totals(lake).silver_bytes, 100);
	REQUIRE(catalog_list_files(lake->catalog, LAYER_SILVER, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(files[0].path.text, added.path.text);
	assert_string_equal(files[0].type, "WatchEvent");
	assert_int_equal(files[0].batch_first, 1);
	assert_int_equal(files[0].batch_last, 2);
	assert_int_equal(files[0].date_us, 55);
	/* The same partition once more, under the same name. */
	REQUIRE(catalog_swap_silver(lake->catalog, &added, 1, &added.path, 1, &err));
	assert_int_equal(lake_totals(lake).silver_files, 1);
}

static void a_rebuild_sends_batches_back(void **state)
{
	struct lake *lake = *state;
	struct batch empty = {.seq = 4, .source = "api", .received = 1, .filtered = 1};
	const struct quarantined entries[] = {
		{.batch = 1, .stage = "ingest", .reason = "r"},
		{.batch = 1, .stage = "silver", .reason = "r"},
		{.batch = 1, .stage = "gold", .reason = "r"},
	};
	const struct batch_write write = {.batch = &empty, .quarantined = entries, .quarantined_count = 3};
	struct err err = {0};
	for (int64_t seq = 1; seq <= 3; seq++)
		lake_store(lake, seq);
	lake_store_silver(lake, 1);
	lake_store_silver(lake, 2);
	lake_store_gold(lake, 1);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));

	REQUIRE(catalog_reset_batches(lake->catalog, BATCH_SILVER, &err));
	assert_int_equal(lake_batch(lake, 1).state, BATCH_SILVER);
	assert_int_equal(lake_batch(lake, 1).silver_rows, 3);
	assert_int_equal(lake_batch(lake, 1).gold_rows, 0);
	assert_int_equal(lake_batch(lake, 2).state, BATCH_SILVER);
	assert_int_equal(lake_batch(lake, 3).state, BATCH_BRONZE);
	assert_int_equal(lake_batch(lake, 4).state, BATCH_GOLD);
	assert_int_equal(lake_totals(lake).live_files, 2);
	assert_int_equal(lake_totals(lake).quarantine_entries, 2);

	lake_store_gold(lake, 1);
	REQUIRE(catalog_reset_batches(lake->catalog, BATCH_BRONZE, &err));
	for (int64_t seq = 1; seq <= 3; seq++) {
		assert_int_equal(lake_batch(lake, seq).state, BATCH_BRONZE);
		assert_int_equal(lake_batch(lake, seq).silver_rows, 0);
		assert_int_equal(lake_batch(lake, seq).gold_rows, 0);
		assert_int_equal(lake_batch(lake, seq).bronze_rows, 3);
	}
	assert_int_equal(lake_batch(lake, 4).state, BATCH_GOLD);
	struct catalog_totals totals = lake_totals(lake);
	assert_int_equal(totals.silver_files, 0);
	assert_int_equal(totals.silver_bytes, 0);
	assert_int_equal(totals.live_files, 0);
	assert_int_equal(totals.silver_rows, 0);
	assert_int_equal(totals.gold_rows, 0);
	assert_int_equal(totals.bronze_files, 6);
	assert_int_equal(totals.batches_waiting_silver, 3);
	assert_int_equal(totals.quarantine_entries, 1);
}

static void settings_are_kept(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	int64_t value = 0;
	REQUIRE(catalog_read_setting(lake->catalog, "gold_generation", -7, &value, &err));
	assert_int_equal(value, -7);
	REQUIRE(catalog_write_setting(lake->catalog, "gold_generation", 1, &err));
	REQUIRE(catalog_write_setting(lake->catalog, "gold_generation", INT64_MAX, &err));
	reopen(lake);
	REQUIRE(catalog_read_setting(lake->catalog, "gold_generation", -7, &value, &err));
	assert_true(value == INT64_MAX);
}

/* The totals against what the tables say when they are added up. */
static void totals_equal_the_tables(void **state)
{
	struct lake *lake = *state;
	static const char sql[] =
		"SELECT count(*) FROM totals WHERE batches = (SELECT count(*) FROM batch)"
		" AND batches_waiting_silver = (SELECT count(*) FROM batch WHERE state = 'bronze')"
		" AND batches_waiting_gold = (SELECT count(*) FROM batch WHERE state = 'silver')"
		" AND (received, duplicates, filtered, quarantined, bronze_rows)"
		" = (SELECT sum(received), sum(duplicates), sum(filtered), sum(quarantined), sum(bronze_rows)"
		" FROM batch)"
		" AND (silver_rows, silver_duplicates, silver_quarantined, gold_rows, gold_duplicates,"
		" gold_quarantined) = (SELECT sum(silver_rows), sum(silver_duplicates), sum(silver_quarantined),"
		" sum(gold_rows), sum(gold_duplicates), sum(gold_quarantined) FROM batch)"
		" AND (bronze_files, bronze_bytes) = (SELECT count(*), sum(size_bytes) FROM file"
		" WHERE layer = 'bronze')"
		" AND (silver_files, silver_bytes) = (SELECT count(*), sum(size_bytes) FROM file"
		" WHERE layer <> 'bronze')"
		" AND live_files = (SELECT count(*) FROM file WHERE layer = 'live')"
		" AND newest_event_us = (SELECT max(time_max_us) FROM file)"
		" AND last_batch_at_us = (SELECT max(received_at_us) FROM batch)";
	struct batch_write write = {.batch = &full_batch};
	const struct lake_file added = compacted("silver/type=WatchEvent/a.parquet", 2, 2);
	const struct file_path removed = {"silver/_live/000000000002.parquet"};
	struct err err = {0};
	for (int64_t seq = 1; seq <= 5; seq++)
		lake_store(lake, seq);
	write.files = lake_publish(lake, 7, &write.file_count);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	for (int64_t seq = 1; seq <= 3; seq++)
		lake_store_silver(lake, seq);
	struct batch counts = {.seq = 7, .silver_rows = 1, .silver_duplicates = 1, .silver_quarantined = 1};
	REQUIRE(catalog_store_silver(lake->catalog, &counts, NULL, NULL, 0, &err));
	lake_store_gold(lake, 1);
	REQUIRE(catalog_swap_silver(lake->catalog, &added, 1, &removed, 1, &err));

	counts.gold_duplicates = 1;
	for (int i = 0; i < 2; i++)
		REQUIRE(catalog_store_gold(lake->catalog, &counts, NULL, 0, &err));

	assert_int_equal(ask(lake, sql), 1);
	assert_int_equal(lake_totals(lake).newest_event_us, lake_time("2026-09-20T23:59:59Z"));
	assert_int_equal(lake_totals(lake).last_batch_at_us, lake_time("2026-09-21T00:00:01.5Z"));
}

static void totals_and_lists_are_quick_at_50000_batches(void **state)
{
	struct lake *lake = *state;
	enum { REPEATS = 100, BUDGET_MS = 500 };
	const struct batch *batches = NULL;
	size_t count = 0;
	struct err err = {0};
	run(lake, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
		  " INSERT INTO batch (seq, state, source, received_at_us, received, duplicates, filtered,"
		  " quarantined, bronze_rows, silver_rows, gold_rows)"
		  " SELECT i, iif(i < 49990, 'gold', 'bronze'), 'api', i, 3, 1, 1, 0, 1, 1, 1 FROM n");
	int64_t start_ms = clock_monotonic_ms(clock_system());
	for (int i = 0; i < REPEATS; i++) {
		arena_reset(&lake->arena);
		assert_int_equal(lake_totals(lake).received, 150000);
		REQUIRE(catalog_list_batches(lake->catalog, BATCH_BRONZE, 0, 100, &lake->arena, &batches,
			&count, &err));
		assert_int_equal(count, 11);
	}
	int64_t took_ms = clock_monotonic_ms(clock_system()) - start_ms;
	/* 5 ms for each pair, under sanitizers and beside other work; a scan would take ten times that. */
	if (took_ms > BUDGET_MS)
		fail_msg("%d readings took %d ms", REPEATS, (int)took_ms);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lake_set_up, lake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_catalog_is_empty),
		TEST(a_newer_catalog_is_refused),
		TEST(damage_and_strangers_are_input_errors),
		TEST(a_catalog_that_is_set_aside_leaves_a_clean_place),
		TEST(a_reader_sees_what_is_committed_and_changes_nothing),
		TEST(batch_numbers_are_given_once),
		TEST(every_field_of_a_batch_comes_back),
		TEST(a_batch_without_files_is_done),
		TEST(every_field_of_a_bronze_file_comes_back),
		TEST(every_field_of_a_sweep_comes_back),
		TEST(every_field_of_a_cursor_comes_back),
		TEST(quarantine_keeps_the_bytes),
		TEST(a_full_quarantine_stops_the_whole_write),
		TEST(a_batch_is_stored_whole_or_not_at_all),
		TEST(batches_are_listed_by_state_in_order),
		TEST(rows_that_do_not_fit_are_an_error),
		TEST(storing_silver_again_replaces),
		TEST(numbers_that_do_not_add_up_are_refused),
		TEST(compaction_swaps_in_one_step),
		TEST(a_rebuild_sends_batches_back),
		TEST(settings_are_kept),
		TEST(totals_equal_the_tables),
		TEST(totals_and_lists_are_quick_at_50000_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
