/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's side of retention: what may go, in which order, and what a crash in between leaves. */
#include "tests/unit/lake/lake_support.h"

#include "lake/retention.h"

enum { FILE_EVENTS = 3 };

/* Batch `seq` with a file of one type for each date given, published and in gold. */
static void store_batch(struct lake *lake, int64_t seq, const char *const *dates, size_t count, bool live)
{
	struct err err = {0};
	CLEANUP(bronze_writer_destroy) struct bronze_writer *writer = bronze_writer_create(&lake->layout);
	const struct bronze_file *files;
	size_t file_count;
	for (size_t i = 0; i < count; i++) {
		char time[32];
		(void)snprintf(time, sizeof(time), "%sT12:00:00Z", dates[i]);
		struct event event = lake_event("PushEvent", time);
		for (int n = 0; n < FILE_EVENTS; n++)
			REQUIRE(bronze_writer_add(writer, &event, span_of("{\"id\":\"1\"}"), &err));
	}
	REQUIRE(bronze_writer_publish(writer, seq, 1, "api", &lake->arena, &files, &file_count, &err));
	int64_t rows = (int64_t)count * FILE_EVENTS;
	struct batch batch = {.seq = seq, .source = "api", .received = rows, .bronze_rows = rows};
	const struct batch_write write = {.batch = &batch, .files = files, .file_count = file_count};
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	struct lake_file silver = {.layer = LAYER_SILVER_LIVE, .batch_first = seq, .batch_last = seq, .rows = rows,
		.size_bytes = 7, .time_min_us = files[0].time_min_us, .time_max_us = files[file_count - 1].time_max_us};
	REQUIRE(layout_silver_live(seq, &silver.path, &err));
	lake_write(lake, silver.path.text, "parquet");
	batch.silver_rows = rows;
	batch.gold_rows = rows;
	REQUIRE(catalog_store_silver(lake->catalog, &batch, &silver, NULL, 0, &err));
	REQUIRE(catalog_store_gold(lake->catalog, &batch, NULL, 0, &err));
	if (live)
		return;
	struct lake_file compacted = silver;
	compacted.layer = LAYER_SILVER;
	memcpy(compacted.type, "PushEvent", sizeof("PushEvent"));
	REQUIRE(layout_silver(span_of("PushEvent"), 0, seq, seq, &compacted.path, &err));
	lake_write(lake, compacted.path.text, "parquet");
	REQUIRE(catalog_swap_silver(lake->catalog, &compacted, 1, &silver.path, 1, &err));
	REQUIRE(file_remove(lake_path(lake, silver.path.text).text, &err));
}

static struct retention_choice choose(struct lake *lake, enum retention_layer layer, const char *before, int64_t bytes)
{
	struct err err = {0};
	struct retention_choice choice;
	REQUIRE(retention_choose(lake->catalog, layer, before ? lake_time(before) : INT64_MIN, bytes, 100, &lake->arena,
		&choice, &err));
	return choice;
}

static struct catalog_totals totals(struct lake *lake)
{
	struct err err = {0};
	struct catalog_totals t;
	REQUIRE(catalog_read_totals(lake->catalog, &t, &err));
	return t;
}

static struct catalog_recovery restart(struct lake *lake)
{
	struct err err = {0};
	struct catalog_recovery recovery = {0};
	catalog_close(&lake->catalog);
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	REQUIRE(catalog_recover(lake->catalog, &lake->layout, &recovery, &err));
	return recovery;
}

static const char *const two_days[] = {"2026-01-01", "2026-01-02"};
static const char *const third_day[] = {"2026-01-03"};
static const char day_1[] = "bronze/PushEvent/date=2026-01-01/000000000001.ndjson.zst";
static const char day_2[] = "bronze/PushEvent/date=2026-01-02/000000000001.ndjson.zst";

static void test_only_what_has_arrived_above_may_go(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	store_batch(lake, 1, two_days, 2, false);
	store_batch(lake, 2, third_day, 1, true);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, "2026-01-02T00:00:00Z", INT64_MAX);
	assert_int_equal(choice.count, 1);
	assert_string_equal(choice.files[0].path.text, day_1);
	assert_false(choice.needs_compaction);
	/* The batch behind a live file waits for compaction, whatever its age. */
	choice = choose(lake, RETENTION_BRONZE, "2026-02-01T00:00:00Z", INT64_MAX);
	assert_int_equal(choice.count, 2);
	assert_true(choice.needs_compaction);
	/* Silver may go while it is live, once gold has it. */
	choice = choose(lake, RETENTION_SILVER, "2026-02-01T00:00:00Z", INT64_MAX);
	assert_int_equal(choice.count, 2);
	/* A batch that silver does not have yet keeps its bronze. */
	REQUIRE(catalog_reset_batches(lake->catalog, BATCH_BRONZE, &err));
	assert_int_equal(choose(lake, RETENTION_BRONZE, "2026-02-01T00:00:00Z", INT64_MAX).count, 0);
	/* Events of before 1970 are not older than no limit. */
	assert_int_equal(choose(lake, RETENTION_BRONZE, NULL, INT64_MAX).count, 0);
}

static void test_bytes_go_oldest_first(void **state)
{
	struct lake *lake = *state;
	store_batch(lake, 2, third_day, 1, false);
	store_batch(lake, 1, two_days, 2, false);
	int64_t held = totals(lake).bronze_bytes;
	assert_int_equal(choose(lake, RETENTION_BRONZE, NULL, held).count, 0);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, NULL, held - 1);
	assert_int_equal(choice.count, 1);
	assert_string_equal(choice.files[0].path.text, day_1);
	choice = choose(lake, RETENTION_BRONZE, NULL, 1);
	assert_int_equal(choice.count, 3);
	assert_int_equal(choice.newest_us, lake_time("2026-01-03T12:00:00Z"));
}

static void test_a_crash_between_brings_nothing_back(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	struct retention_total kept[RETENTION_LAYER_COUNT];
	store_batch(lake, 1, two_days, 2, false);
	store_batch(lake, 2, third_day, 1, false);
	struct catalog_totals before = totals(lake);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, "2026-01-02T00:00:00Z", INT64_MAX);
	REQUIRE(retention_move(lake->catalog, RETENTION_BRONZE, lake_time("2026-01-02T00:00:00Z"), &err));
	REQUIRE(retention_move(lake->catalog, RETENTION_BRONZE, lake_time("2025-01-02T00:00:00Z"), &err));
	REQUIRE(retention_forget(lake->catalog, RETENTION_BRONZE, &choice, &err));
	assert_true(lake_has(lake, day_1));
	/* Killed here. */
	struct catalog_recovery recovery = restart(lake);
	assert_int_equal(recovery.batches_adopted, 0);
	assert_int_equal(recovery.files_adopted, 0);
	assert_int_equal(recovery.files_removed, 1);
	assert_false(lake_has(lake, day_1));
	assert_false(lake_has(lake, "bronze/PushEvent/date=2026-01-01"));
	assert_true(lake_has(lake, day_2));
	assert_int_equal(restart(lake).files_removed, 0);
	/* What came is counted as before; what is gone is counted beside it. */
	assert_int_equal(totals(lake).received, before.received);
	assert_int_equal(totals(lake).bronze_rows, before.bronze_rows);
	REQUIRE(retention_read(lake->catalog, kept, &err));
	assert_int_equal(kept[RETENTION_BRONZE].rows, FILE_EVENTS);
	assert_int_equal(kept[RETENTION_BRONZE].files, 1);
	assert_int_equal(kept[RETENTION_BRONZE].bytes, before.bronze_bytes - totals(lake).bronze_bytes);
	assert_int_equal(kept[RETENTION_BRONZE].kept_from_us, lake_time("2026-01-02T00:00:00Z"));
	/* Batch 1 can no longer be made again, batch 2 can. */
	const int64_t *batches;
	size_t count;
	REQUIRE(retention_list_kept_batches(lake->catalog, &lake->arena, &batches, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(batches[0], 1);
}

static void test_a_lost_catalog_comes_back_from_its_backup(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	int64_t removed = 0;
	store_batch(lake, 1, two_days, 2, false);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, "2026-01-02T00:00:00Z", INT64_MAX);
	REQUIRE(retention_forget(lake->catalog, RETENTION_BRONZE, &choice, &err));
	assert_false(retention_has_backup(lake->catalog));
	REQUIRE(retention_back_up(lake->catalog, &err));
	REQUIRE(retention_finish(lake->catalog, &removed, NULL, &err));
	assert_int_equal(removed, 1);
	store_batch(lake, 2, third_day, 1, false);
	catalog_close(&lake->catalog);
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	struct catalog_recovery recovery = restart(lake);
	/* Batch 1 is as it was; batch 2 is adopted, and its silver is made again. */
	(void)recovery;
	struct batch batch;
	bool found;
	REQUIRE(catalog_read_batch(lake->catalog, 1, &batch, &found, &err));
	assert_true(found && batch.state == BATCH_GOLD && batch.bronze_rows == 2 * FILE_EVENTS);
	REQUIRE(catalog_read_batch(lake->catalog, 2, &batch, &found, &err));
	assert_true(found && batch.state == BATCH_BRONZE && batch.bronze_rows == FILE_EVENTS);
	assert_true(lake_has(lake, "silver/type=PushEvent/date=1970-01-01/000000000001-000000000001.parquet"));
	int64_t seq;
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 3);
}

static const char BACKUP[] = "catalog.backup.sqlite";

/* Batch 1, of which bronze has the second day only, and a backup that says so. */
static void store_cut_batch(struct lake *lake)
{
	struct err err = {0};
	int64_t removed = 0;
	store_batch(lake, 1, two_days, 2, false);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, "2026-01-02T00:00:00Z", INT64_MAX);
	REQUIRE(retention_forget(lake->catalog, RETENTION_BRONZE, &choice, &err));
	REQUIRE(retention_back_up(lake->catalog, &err));
	REQUIRE(retention_finish(lake->catalog, &removed, NULL, &err));
}

static void lose_catalog(struct lake *lake)
{
	struct err err = {0};
	catalog_close(&lake->catalog);
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
}

static void test_a_backup_serves_a_second_loss(void **state)
{
	struct lake *lake = *state;
	store_cut_batch(lake);
	for (int loss = 0; loss < 2; loss++) {
		lose_catalog(lake);
		(void)restart(lake);
		struct batch batch = lake_batch(lake, 1);
		assert_true(batch.state == BATCH_GOLD && batch.bronze_rows == 2 * FILE_EVENTS);
		assert_true(lake_has(lake, "silver/type=PushEvent/date=1970-01-01/000000000001-000000000001.parquet"));
		assert_true(lake_has(lake, BACKUP));
	}
}

/* Killed between "forgotten" and the backup: the next start unlinks, and then the catalog is lost. Found
 * by the torture. */
static void test_a_start_backs_up_before_it_unlinks(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	store_batch(lake, 1, two_days, 2, false);
	struct retention_choice choice = choose(lake, RETENTION_BRONZE, "2026-01-02T00:00:00Z", INT64_MAX);
	REQUIRE(retention_forget(lake->catalog, RETENTION_BRONZE, &choice, &err));
	(void)restart(lake);
	assert_true(lake_has(lake, BACKUP));
	lose_catalog(lake);
	(void)restart(lake);
	struct batch batch = lake_batch(lake, 1);
	assert_true(batch.state == BATCH_GOLD && batch.bronze_rows == 2 * FILE_EVENTS);
	assert_true(lake_has(lake, "silver/type=PushEvent/date=1970-01-01/000000000001-000000000001.parquet"));
}

/* A log that is left without its catalog is of another state than the backup. */
static void test_a_log_without_its_catalog_is_not_played_over_the_backup(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	struct file_path log = lake_path(lake, "catalog.sqlite-wal");
	struct file_path kept = lake_path(lake, "kept-wal");
	int64_t value = -1;
	store_cut_batch(lake);
	REQUIRE(catalog_write_setting(lake->catalog, "only_in_the_log", 1, &err));
	REQUIRE(file_copy(log.text, kept.text, &err));
	catalog_close(&lake->catalog);
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	REQUIRE(file_copy(kept.text, log.text, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	REQUIRE(catalog_read_setting(lake->catalog, "only_in_the_log", 0, &value, &err));
	assert_int_equal(value, 0);
	assert_int_equal(lake_batch(lake, 1).bronze_rows, 2 * FILE_EVENTS);
}

static void test_a_damaged_backup_is_set_aside(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	CLEANUP(buf_finish) struct buf content = {.size_max = 1 << 20};
	struct catalog_recovery recovery;
	store_cut_batch(lake);
	REQUIRE(file_read(lake_path(lake, BACKUP).text, &content, &err));
	lake_write(lake, BACKUP, "no catalog at all");
	lose_catalog(lake);
	assert_false(lake_has(lake, BACKUP));
	assert_true(lake_has(lake, "catalog.backup.sqlite.damaged-1"));
	assert_int_equal(restart(lake).batches_adopted, 1);
	/* One that opens, and has a page that is not what it was. */
	memset(content.data + 2 * 4096, 7, 4096);
	REQUIRE(file_write(lake_path(lake, BACKUP).text, buf_span(&content), &err));
	lose_catalog(lake);
	assert_false(catalog_recover(lake->catalog, &lake->layout, &recovery, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_false(lake_has(lake, BACKUP));
	lose_catalog(lake);
	assert_int_equal(restart(lake).batches_adopted, 1);
}

static void test_files_go_after_a_backup_that_does_not_name_them(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	const struct lake_file *files;
	size_t count;
	store_cut_batch(lake);
	REQUIRE(catalog_list_files(lake->catalog, LAYER_SILVER, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 1);
	struct lake_file kept = files[0];
	REQUIRE(layout_silver_kept(span_of("PushEvent"), 0, 1, 1, 1, &kept.path, &err));
	lake_write(lake, kept.path.text, "parquet");
	REQUIRE(catalog_remake_silver(lake->catalog, &kept, 1, &files[0].path, 1, &err));
	/* Killed here: the backup names what the catalog does not. */
	assert_int_equal(restart(lake).files_removed, 1);
	assert_false(lake_has(lake, files[0].path.text));
	lose_catalog(lake);
	struct catalog_recovery recovery = restart(lake);
	assert_int_equal(recovery.files_missing, 0);
	assert_true(lake_has(lake, kept.path.text));
}

static void test_numbers_in_silver_names_are_not_given_again(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	int64_t seq;
	catalog_close(&lake->catalog);
	lake_write(lake, "silver/type=PushEvent/date=2026-01-01/000000000003-r2-000000000041.parquet", "x");
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	(void)restart(lake);
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 42);
}

/* One a minute from the first on, each covering ten seconds of it; the fourth covers nothing. */
static void store_sweeps(struct lake *lake, int64_t count)
{
	struct err err = {0};
	struct sweep *sweeps = arena_allocate(&lake->arena, (size_t)count, sizeof(*sweeps));
	assert_non_null(sweeps);
	for (int64_t i = 1; i <= count; i++) {
		int64_t at_us = i * 60000000;
		sweeps[i - 1] = (struct sweep){.stream = "/events", .finished_at_us = at_us + 1, .overlap = -1,
			.covered_from_us = i == 4 ? 0 : at_us + 10000000, .covered_to_us = i == 4 ? 0 : at_us + 20000000};
	}
	const struct batch_write write = {.sweeps = sweeps, .sweep_count = (size_t)count};
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
}

static void test_sweeps_go_and_their_coverage_stays(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	int64_t count;
	enum { SWEEPS = RETENTION_SWEEPS_KEPT_MIN + 10 };
	store_sweeps(lake, SWEEPS);
	int64_t before_us = INT64_C(60000000) * (SWEEPS + 1);
	REQUIRE(retention_remove_sweeps(lake->catalog, before_us, INT64_MAX, 1000, true, &count, &err));
	assert_int_equal(count, 10);
	/* Gold has seen the first six only. */
	REQUIRE(retention_remove_sweeps(lake->catalog, before_us, 6, 1000, false, &count, &err));
	assert_int_equal(count, 6);
	REQUIRE(retention_remove_sweeps(lake->catalog, before_us, INT64_MAX, 1000, false, &count, &err));
	assert_int_equal(count, 4);
	REQUIRE(retention_remove_sweeps(lake->catalog, before_us, INT64_MAX, 1000, false, &count, &err));
	assert_int_equal(count, 0);
	const struct retention_interval *intervals;
	size_t interval_count;
	REQUIRE(retention_list_covered(lake->catalog, &lake->arena, &intervals, &interval_count, &err));
	assert_int_equal(interval_count, 2);
	assert_int_equal(intervals[0].from_us, 60000000);
	assert_int_equal(intervals[0].to_us, 4 * 60000000);
	assert_int_equal(intervals[1].from_us, 5 * 60000000);
	assert_int_equal(intervals[1].to_us, 11 * 60000000);
	assert_int_equal(totals(lake).sweeps, SWEEPS);
}

static void test_the_oldest_of_the_quarantine_go(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	struct quarantined entries[5];
	int64_t count;
	for (size_t i = 0; i < ARRAY_COUNT(entries); i++)
		entries[i] = (struct quarantined){.stage = "ingest", .reason = "test", .detail = "", .path = "",
			.raw = span_of("0123456789")};
	const struct batch_write write = {.quarantined = entries, .quarantined_count = ARRAY_COUNT(entries)};
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
	int64_t each = 10 + CATALOG_QUARANTINE_ENTRY_BYTES;
	REQUIRE(retention_remove_quarantined(lake->catalog, INT64_MIN, 5 * each, 100, false, &count, &err));
	assert_int_equal(count, 0);
	REQUIRE(retention_remove_quarantined(lake->catalog, INT64_MIN, 3 * each + 1, 100, false, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(totals(lake).quarantine_entries, 3);
	REQUIRE(retention_remove_quarantined(lake->catalog, INT64_MAX, INT64_MAX, 2, false, &count, &err));
	assert_int_equal(count, 2);
	assert_int_equal(totals(lake).quarantine_bytes, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lake_set_up, lake_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_has_arrived_above_may_go),
		TEST(test_bytes_go_oldest_first),
		TEST(test_a_crash_between_brings_nothing_back),
		TEST(test_a_lost_catalog_comes_back_from_its_backup),
		TEST(test_a_backup_serves_a_second_loss),
		TEST(test_a_start_backs_up_before_it_unlinks),
		TEST(test_a_log_without_its_catalog_is_not_played_over_the_backup),
		TEST(test_a_damaged_backup_is_set_aside),
		TEST(test_files_go_after_a_backup_that_does_not_name_them),
		TEST(test_numbers_in_silver_names_are_not_given_again),
		TEST(test_sweeps_go_and_their_coverage_stays),
		TEST(test_the_oldest_of_the_quarantine_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
