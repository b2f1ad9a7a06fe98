/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_recover_test.c - what a crash, a lost catalog or a careless hand leaves, and what recovery
 * makes of it. Each test ends with a second recovery, which must find nothing to do. */
#include "tests/unit/lake/lake_support.h"

#include "wrap/digest.h"
#include "wrap/sqlite.h"
#include "wrap/zstd_stream.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct catalog_recovery recover(struct lake *lake)
{
	struct catalog_recovery report;
	struct err err = {0};
	REQUIRE(catalog_recover(lake->catalog, &lake->layout, &report, &err));
	return report;
}

static void assert_report(struct catalog_recovery report, struct catalog_recovery expected)
{
	assert_int_equal(report.batches_adopted, expected.batches_adopted);
	assert_int_equal(report.files_adopted, expected.files_adopted);
	assert_int_equal(report.files_removed, expected.files_removed);
	assert_int_equal(report.files_damaged, expected.files_damaged);
	assert_int_equal(report.files_missing, expected.files_missing);
}

static void assert_nothing_to_do(struct lake *lake)
{
	assert_report(recover(lake), (struct catalog_recovery){0});
}

static void lose_catalog(struct lake *lake)
{
	struct err err = {0};
	catalog_close(&lake->catalog);
	REQUIRE(file_remove(lake_path(lake, "catalog.sqlite").text, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
}

static void lose(const struct lake *lake, const char *relative)
{
	struct err err = {0};
	assert_true(lake_has(lake, relative));
	REQUIRE(file_remove(lake_path(lake, relative).text, &err));
}

/* What the catalog says of a batch's files against the disk: sizes and digests. */
static void assert_files_are_true(struct lake *lake, int64_t batch, size_t expected_count)
{
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	REQUIRE(catalog_list_bronze(lake->catalog, batch, &lake->arena, &files, &count, &err));
	assert_int_equal(count, expected_count);
	int64_t rows = 0;
	for (size_t i = 0; i < count; i++) {
		struct digest digest;
		int64_t size;
		REQUIRE(digest_of_file(lake_path(lake, files[i].path.text).text, &digest, &size, &err));
		assert_string_equal(digest.hex, files[i].sha256);
		assert_int_equal(size, files[i].size_bytes);
		rows += files[i].rows;
	}
	assert_int_equal(rows, lake_batch(lake, batch).bronze_rows);
}

static const char stars_1[] = "bronze/WatchEvent/date=2026-09-20/000000000001.ndjson.zst";
static const char push_1[] = "bronze/PushEvent/date=2026-09-20/000000000001.ndjson.zst";
static const char stars_2[] = "bronze/WatchEvent/date=2026-09-20/000000000002.ndjson.zst";
static const char push_2[] = "bronze/PushEvent/date=2026-09-20/000000000002.ndjson.zst";
static const char live_1[] = "silver/_live/000000000001.parquet";
static const char live_2[] = "silver/_live/000000000002.parquet";

static void a_lake_in_order_is_left_alone(void **state)
{
	struct lake *lake = *state;
	assert_nothing_to_do(lake);
	lake_store(lake, 1);
	lake_store(lake, 2);
	lake_store_silver(lake, 1);
	lake_store_silver(lake, 2);
	lake_store_gold(lake, 1);
	struct catalog_totals before = lake_totals(lake);
	assert_nothing_to_do(lake);
	struct catalog_totals after = lake_totals(lake);
	assert_memory_equal(&before, &after, sizeof(after));
	assert_true(lake_has(lake, live_1) && lake_has(lake, live_2) && lake_has(lake, stars_1));
}

static void a_published_batch_is_adopted(void **state)
{
	struct lake *lake = *state;
	size_t count;
	lake_store(lake, 1);
	(void)lake_publish(lake, 2, &count);
	assert_report(recover(lake), (struct catalog_recovery){.batches_adopted = 1, .files_adopted = 2});
	struct batch batch = lake_batch(lake, 2);
	assert_int_equal(batch.state, BATCH_BRONZE);
	assert_string_equal(batch.source, "api");
	assert_int_equal(batch.received_at_us, lake_time("2026-09-21T00:00:01.5Z"));
	assert_int_equal(batch.received, 3);
	assert_int_equal(batch.bronze_rows, 3);
	assert_files_are_true(lake, 2, 2);
	assert_nothing_to_do(lake);
}

/* The child stores batch 1, publishes batch 2, and is killed before it can store that. */
static void what_was_stored_outlives_a_kill(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	catalog_close(&lake->catalog);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		size_t count;
		if (!catalog_open(&lake->layout, false, &lake->catalog, &err))
			_exit(1);
		lake_store(lake, 1);
		(void)lake_publish(lake, 2, &count);
		(void)raise(SIGKILL);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_files_are_true(lake, 1, 2);
	assert_report(recover(lake), (struct catalog_recovery){.batches_adopted = 1, .files_adopted = 2});
	assert_files_are_true(lake, 2, 2);
	assert_nothing_to_do(lake);
}

static void half_a_publication_is_adopted_and_its_draft_removed(void **state)
{
	struct lake *lake = *state;
	size_t count;
	(void)lake_publish(lake, 1, &count);
	lose(lake, stars_1);
	FILE *draft = fopen(
		lake_path(lake, "bronze/WatchEvent/date=2026-09-20/.000000000001.ndjson.zst.tmp").text, "wb");
	assert_non_null(draft);
	assert_int_equal(fclose(draft), 0);
	assert_report(recover(lake),
		(struct catalog_recovery){.batches_adopted = 1, .files_adopted = 1, .files_removed = 1});
	assert_int_equal(lake_batch(lake, 1).received, 1);
	assert_files_are_true(lake, 1, 1);
	assert_nothing_to_do(lake);
}

/* Stores batch `seq` with its push alone; its stars lie there unnamed. */
static void store_half(struct lake *lake, int64_t seq)
{
	struct batch batch = {.seq = seq, .source = "api", .received = 2, .filtered = 1, .bronze_rows = 1};
	struct batch_write write = {.batch = &batch};
	struct err err = {0};
	write.files = lake_publish(lake, seq, &write.file_count);
	write.file_count = 1;
	assert_string_equal(write.files[0].type, "PushEvent");
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
}

static void a_file_joins_its_batch_while_silver_has_not_taken_it(void **state)
{
	struct lake *lake = *state;
	store_half(lake, 1);
	assert_report(recover(lake), (struct catalog_recovery){.files_adopted = 1});
	assert_int_equal(lake_batch(lake, 1).received, 4);
	assert_int_equal(lake_batch(lake, 1).filtered, 1);
	assert_files_are_true(lake, 1, 2);
	assert_nothing_to_do(lake);
}

static void a_file_of_a_batch_in_silver_becomes_a_batch_of_its_own(void **state)
{
	struct lake *lake = *state;
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	store_half(lake, 1);
	lake_store_silver(lake, 1);
	(void)lake_publish(lake, 5, &count); /* adopted later in the walk: its number is taken */
	assert_report(recover(lake), (struct catalog_recovery){.batches_adopted = 2, .files_adopted = 3});
	assert_int_equal(lake_batch(lake, 1).state, BATCH_SILVER);
	assert_int_equal(lake_batch(lake, 1).received, 2);
	assert_int_equal(lake_batch(lake, 6).state, BATCH_BRONZE);
	assert_int_equal(lake_batch(lake, 6).received, 2);
	assert_files_are_true(lake, 1, 1);
	assert_files_are_true(lake, 5, 2);
	assert_files_are_true(lake, 6, 1);
	REQUIRE(catalog_list_bronze(lake->catalog, 6, &lake->arena, &files, &count, &err));
	assert_string_equal(files[0].path.text, stars_1);
	assert_nothing_to_do(lake);
}

static void a_lost_catalog_is_made_again_from_bronze(void **state)
{
	struct lake *lake = *state;
	struct lake_file compacted = {.layer = LAYER_SILVER, .type = "WatchEvent", .batch_first = 1,
		.batch_last = 1, .size_bytes = 4,
		.path = {"silver/type=WatchEvent/date=2026-09-20/000000000001-000000000001.parquet"}};
	struct file_path removed = {"silver/_live/000000000001.parquet"};
	int64_t seq;
	struct err err = {0};
	for (seq = 1; seq <= 3; seq++)
		lake_store(lake, seq);
	lake_store_silver(lake, 1);
	lake_store_silver(lake, 2);
	lake_write(lake, compacted.path.text, "PAR1");
	REQUIRE(catalog_swap_silver(lake->catalog, &compacted, 1, &removed, 1, &err));
	lake_write(lake, "gold/gold-1.duckdb", "gold");
	lose_catalog(lake);
	/* The swapped file was never removed from the disk: three silver files. */
	assert_report(recover(lake),
		(struct catalog_recovery){.batches_adopted = 3, .files_adopted = 6, .files_removed = 3});
	for (seq = 1; seq <= 3; seq++) {
		assert_int_equal(lake_batch(lake, seq).state, BATCH_BRONZE);
		assert_int_equal(lake_batch(lake, seq).received, 3);
		assert_files_are_true(lake, seq, 2);
	}
	assert_false(lake_has(lake, compacted.path.text) || lake_has(lake, live_1) || lake_has(lake, live_2));
	assert_true(lake_has(lake, "gold/gold-1.duckdb"));
	assert_int_equal(lake_totals(lake).newest_event_us, lake_time("2026-09-20T23:59:59Z"));
	REQUIRE(catalog_next_batch(lake->catalog, &seq, &err));
	assert_int_equal(seq, 4);
	assert_nothing_to_do(lake);
}

/* The page where the tree of `cursor` begins: nothing reads it while recovery works. */
static size_t cursor_page_offset(const struct lake *lake)
{
	struct sqlite_database *database CLEANUP(sqlite_close) = NULL;
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	struct err err = {0};
	bool row = false;
	REQUIRE(sqlite_open(lake_path(lake, "catalog.sqlite").text, false, &database, &err));
	REQUIRE(sqlite_prepare(database,
		"SELECT (rootpage - 1) * page_size FROM sqlite_schema, pragma_page_size"
		" WHERE name = 'cursor'",
		&statement, &err));
	REQUIRE(sqlite_step(statement, &row, &err));
	assert_true(row);
	return (size_t)sqlite_column_integer(statement, 0);
}

static void a_catalog_damaged_inside_is_noticed_and_replaced(void **state)
{
	struct lake *lake = *state;
	struct buf content CLEANUP(buf_finish) = {0};
	struct catalog_recovery report;
	struct file_path aside;
	struct err err = {0};
	for (int64_t seq = 1; seq <= 3; seq++)
		lake_store(lake, seq);
	catalog_close(&lake->catalog);
	size_t offset = cursor_page_offset(lake);
	buf_init(&content, 1 << 24);
	REQUIRE(file_read(lake_path(lake, "catalog.sqlite").text, &content, &err));
	assert_true(offset >= 4096 && offset + 4096 <= content.size);
	memset(content.data + offset, 0xa5, 4096);
	REQUIRE(file_write(lake_path(lake, "catalog.sqlite").text, buf_span(&content), &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_false(catalog_recover(lake->catalog, &lake->layout, &report, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	catalog_close(&lake->catalog);
	REQUIRE(catalog_set_aside(&lake->layout, &aside, &err));
	REQUIRE(catalog_open(&lake->layout, false, &lake->catalog, &err));
	assert_report(recover(lake), (struct catalog_recovery){.batches_adopted = 3, .files_adopted = 6});
	assert_nothing_to_do(lake);
}

static void truncate_to(const struct lake *lake, const char *relative, size_t size)
{
	struct buf content CLEANUP(buf_finish) = {0};
	struct err err = {0};
	buf_init(&content, 1 << 20);
	REQUIRE(file_read(lake_path(lake, relative).text, &content, &err));
	assert_true(size < content.size);
	REQUIRE(file_write(lake_path(lake, relative).text, span_make(content.data, size), &err));
}

static void flip_last_byte_but(const struct lake *lake, const char *relative, size_t from_end)
{
	struct buf content CLEANUP(buf_finish) = {0};
	struct err err = {0};
	buf_init(&content, 1 << 20);
	REQUIRE(file_read(lake_path(lake, relative).text, &content, &err));
	content.data[content.size - from_end] = (char)~content.data[content.size - from_end];
	REQUIRE(file_write(lake_path(lake, relative).text, buf_span(&content), &err));
}

static void damaged_bronze_is_set_aside_and_the_rest_adopted(void **state)
{
	struct lake *lake = *state;
	size_t count;
	char aside[FILE_PATH_BYTES_MAX];
	for (int64_t seq = 1; seq <= 3; seq++)
		(void)lake_publish(lake, seq, &count);
	truncate_to(lake, stars_1, 0);
	truncate_to(lake, push_1, 250);
	flip_last_byte_but(lake, stars_2, 1); /* in the checksum */
	flip_last_byte_but(lake, push_2, 8);  /* in the lines */
	assert_report(recover(lake),
		(struct catalog_recovery){.batches_adopted = 1, .files_adopted = 2, .files_damaged = 4});
	assert_files_are_true(lake, 3, 2);
	static const char *const damaged[] = {stars_1, push_1, stars_2, push_2};
	for (size_t i = 0; i < ARRAY_COUNT(damaged); i++) {
		(void)snprintf(aside, sizeof(aside), "%s.damaged-1", damaged[i]);
		assert_false(lake_has(lake, damaged[i]));
		assert_true(lake_has(lake, aside));
	}
	assert_nothing_to_do(lake);
}

/* A bronze file that is named but damaged is for silver to find: recovery takes nothing away. */
static void named_bronze_is_not_judged(void **state)
{
	struct lake *lake = *state;
	lake_store(lake, 1);
	truncate_to(lake, stars_1, 10);
	lose(lake, push_1);
	assert_nothing_to_do(lake);
	assert_true(lake_has(lake, stars_1));
	assert_int_equal(lake_batch(lake, 1).bronze_rows, 3);
}

static void write_newer_file(const struct lake *lake, const char *relative)
{
	static const struct span header = SPAN_LITERAL("{\"format\":\"octolake-bronze\",\"version\":2}");
	struct buf content CLEANUP(buf_finish) = {0};
	struct err err = {0};
	buf_init(&content, 4096);
	zstd_append_skippable(&content, header);
	REQUIRE(file_write(lake_path(lake, relative).text, buf_span(&content), &err));
}

static void a_newer_file_stops_recovery_until_it_is_gone(void **state)
{
	struct lake *lake = *state;
	static const char name[] = "bronze/ReleaseEvent/date=2026-09-20/000000000009.ndjson.zst";
	struct catalog_recovery report;
	struct err err = {0};
	size_t count;
	(void)lake_publish(lake, 1, &count);
	write_newer_file(lake, name);
	assert_false(catalog_recover(lake->catalog, &lake->layout, &report, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(err.exit_code, 4);
	assert_true(lake_has(lake, name));
	assert_int_equal(lake_totals(lake).batches, 0); /* PushEvent came before it in the walk */
	lose(lake, name);
	assert_report(recover(lake), (struct catalog_recovery){.batches_adopted = 1, .files_adopted = 2});
	assert_nothing_to_do(lake);
}

static void leftovers_go_and_what_is_not_ours_stays(void **state)
{
	struct lake *lake = *state;
	static const char *const stays[] = {"README", "bronze/README", "bronze/archive/2026-09-20-7.json.gz",
		"bronze/WatchEvent/notes.txt", "silver/README.md", "gold/gold-1.duckdb", "gold/other",
		/* Another system's, which had its folder under our name: nobody may have another copy. */
		"silver/WatchEvent/2024-05-01.parquet", "silver/watchevent.parquet", "silver/_live/99.parquet",
		"silver/type=WatchEvent/date=2026-09-20/part-0.parquet"};
	static const char *const goes[] = {"staging/000000000001.parquet", "staging/below/x.parquet",
		"tmp/duckdb_temp_storage-0.tmp", "silver/_live/000000000099.parquet",
		"silver/type=WatchEvent/date=2026-09-20/000000000001-000000000002.parquet"};
	for (size_t i = 0; i < ARRAY_COUNT(stays); i++)
		lake_write(lake, stays[i], "x");
	for (size_t i = 0; i < ARRAY_COUNT(goes); i++)
		lake_write(lake, goes[i], "x");
	assert_report(recover(lake), (struct catalog_recovery){.files_removed = ARRAY_COUNT(goes)});
	for (size_t i = 0; i < ARRAY_COUNT(stays); i++)
		if (!lake_has(lake, stays[i]))
			fail_msg("%s is gone", stays[i]);
	for (size_t i = 0; i < ARRAY_COUNT(goes); i++)
		if (lake_has(lake, goes[i]))
			fail_msg("%s is still there", goes[i]);
	assert_true(lake_has(lake, "staging"));
	assert_nothing_to_do(lake);
}

static void live_silver_that_is_gone_is_made_again(void **state)
{
	struct lake *lake = *state;
	for (int64_t seq = 1; seq <= 3; seq++) {
		lake_store(lake, seq);
		lake_store_silver(lake, seq);
		lake_store_gold(lake, seq);
	}
	lose(lake, live_1);
	lake_write(lake, live_2, "PAR1 of another size");
	assert_report(recover(lake), (struct catalog_recovery){.files_missing = 2});
	assert_int_equal(lake_batch(lake, 1).state, BATCH_BRONZE);
	assert_int_equal(lake_batch(lake, 1).silver_rows, 0);
	assert_int_equal(lake_batch(lake, 2).state, BATCH_BRONZE);
	assert_int_equal(lake_batch(lake, 3).state, BATCH_GOLD);
	assert_int_equal(lake_totals(lake).live_files, 1);
	assert_false(lake_has(lake, live_2));
	assert_nothing_to_do(lake);
}

/* Batches 1 and 2 compacted into one file, 3 live. */
static void store_compacted(struct lake *lake, struct lake_file *file_out)
{
	struct lake_file file = {.layer = LAYER_SILVER, .type = "WatchEvent", .batch_first = 1, .batch_last = 2,
		.size_bytes = 4, .sha256 = "5a", .path = {"silver/type=WatchEvent/date=2026-09-20/000000000001-000000000002.parquet"}};
	struct file_path removed[2] = {{"silver/_live/000000000001.parquet"},
		{"silver/_live/000000000002.parquet"}};
	struct err err = {0};
	for (int64_t seq = 1; seq <= 3; seq++) {
		lake_store(lake, seq);
		lake_store_silver(lake, seq);
		lake_store_gold(lake, seq);
	}
	lake_write(lake, file.path.text, "PAR1");
	REQUIRE(catalog_swap_silver(lake->catalog, &file, 1, removed, 2, &err));
	lose(lake, live_1);
	lose(lake, live_2);
	*file_out = file;
}

static int64_t setting(struct lake *lake, const char *key)
{
	struct err err = {0};
	int64_t value = -1;
	REQUIRE(catalog_read_setting(lake->catalog, key, 0, &value, &err));
	return value;
}

/* Its batches stay where they are: it alone is made again, in its place. */
static void compacted_silver_that_is_gone_waits_to_be_mended(void **state)
{
	struct lake *lake = *state;
	struct lake_file file;
	const struct lake_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	store_compacted(lake, &file);
	assert_nothing_to_do(lake);
	lose(lake, file.path.text);
	assert_report(recover(lake), (struct catalog_recovery){.files_missing = 1});
	for (int64_t seq = 1; seq <= 3; seq++)
		assert_int_equal(lake_batch(lake, seq).state, BATCH_GOLD);
	assert_int_equal(lake_totals(lake).silver_files, 2);
	assert_int_equal(setting(lake, SILVER_TO_MEND_SETTING), 1);
	assert_int_equal(setting(lake, SILVER_DAMAGED_SETTING), 1);
	REQUIRE(catalog_list_to_mend(lake->catalog, &lake->arena, &files, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(files[0].path.text, file.path.text);
	assert_nothing_to_do(lake);

	/* One row of batch 2 cannot be made again. */
	const struct batch before = lake_batch(lake, 2);
	const struct batch_loss loss = {2, 1};
	REQUIRE(catalog_mend_silver(lake->catalog, file.path.text, NULL, &loss, 1, NULL, 0, &err));
	const struct batch after = lake_batch(lake, 2);
	assert_int_equal(after.silver_rows, before.silver_rows - 1);
	assert_int_equal(after.silver_quarantined, before.silver_quarantined + 1);
	assert_int_equal(after.state, BATCH_SILVER);
	assert_int_equal(lake_batch(lake, 1).state, BATCH_GOLD);
	assert_int_equal(setting(lake, SILVER_TO_MEND_SETTING), 0);
	assert_int_equal(lake_totals(lake).silver_files, 1);
}

/* A live file whose bronze is gone stays named until it is known what that costs. */
static void live_silver_without_bronze_waits_too(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	lake_store(lake, 1);
	lake_store_silver(lake, 1);
	lose(lake, live_1);
	struct sqlite_database *database CLEANUP(sqlite_close) = NULL;
	REQUIRE(sqlite_open(lake_path(lake, "catalog.sqlite").text, false, &database, &err));
	REQUIRE(sqlite_run(database, "DELETE FROM file WHERE layer = 'bronze'", &err));
	lose(lake, "bronze/PushEvent/date=2026-09-20/000000000001.ndjson.zst");
	lose(lake, "bronze/WatchEvent/date=2026-09-20/000000000001.ndjson.zst");
	assert_report(recover(lake), (struct catalog_recovery){.files_missing = 1});
	assert_int_equal(lake_batch(lake, 1).state, BATCH_SILVER);
	assert_int_equal(setting(lake, SILVER_TO_MEND_SETTING), 1);
}

static void many_files_are_adopted_in_steps(void **state)
{
	struct lake *lake = *state;
	enum { DAYS = 600, STEP = 500 };
	static const char newer[] = "bronze/WatchEventNew/date=2026-09-20/000000000009.ndjson.zst";
	struct catalog_recovery report;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	const struct bronze_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	for (int i = 0; i < DAYS; i++) {
		struct event event = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
		event.created_at_us -= INT64_C(86400000000) * i;
		REQUIRE(bronze_writer_add(writer, &event, (struct span)SPAN_LITERAL("{}"), &err));
	}
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	/* It is stopped after all of them: what was committed stays. */
	write_newer_file(lake, newer);
	assert_false(catalog_recover(lake->catalog, &lake->layout, &report, &err));
	assert_int_equal(lake_totals(lake).bronze_files, STEP);
	lose(lake, newer);
	assert_report(recover(lake), (struct catalog_recovery){.files_adopted = DAYS - STEP});
	assert_files_are_true(lake, 1, DAYS);
	assert_nothing_to_do(lake);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lake_set_up, lake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lake_in_order_is_left_alone),
		TEST(a_published_batch_is_adopted),
		TEST(what_was_stored_outlives_a_kill),
		TEST(half_a_publication_is_adopted_and_its_draft_removed),
		TEST(a_file_joins_its_batch_while_silver_has_not_taken_it),
		TEST(a_file_of_a_batch_in_silver_becomes_a_batch_of_its_own),
		TEST(a_lost_catalog_is_made_again_from_bronze),
		TEST(a_catalog_damaged_inside_is_noticed_and_replaced),
		TEST(damaged_bronze_is_set_aside_and_the_rest_adopted),
		TEST(named_bronze_is_not_judged),
		TEST(a_newer_file_stops_recovery_until_it_is_gone),
		TEST(leftovers_go_and_what_is_not_ours_stays),
		TEST(live_silver_that_is_gone_is_made_again),
		TEST(compacted_silver_that_is_gone_waits_to_be_mended),
		TEST(live_silver_without_bronze_waits_too),
		TEST(many_files_are_adopted_in_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
