/* SPDX-License-Identifier: Apache-2.0 */
/* layout_test.c - names there and back, and the names that nobody may make. */
#include "tests/unit/lake/lake_support.h"

static const int64_t DAY_US = INT64_C(86400) * 1000000;

static void data_folder_is_made_with_its_layers(void **state)
{
	struct lake *lake = *state;
	static const char *const below[] = {"bronze", "silver/_live", "staging", "gold", "tmp"};
	struct check_path nested = path_below(&lake->folder, "a/../a/b");
	struct layout layout;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_COUNT(below); i++)
		assert_true(lake_has(lake, below[i]));
	REQUIRE(file_make_folder(path_below(&lake->folder, "a").text, &err));
	REQUIRE(layout_init(&layout, nested.text, &err));
	assert_string_equal(layout.root.text, path_below(&lake->folder, "a/b").text);
	REQUIRE(layout_init(&layout, nested.text, &err)); /* again: all is there */
}

static void a_file_in_the_folders_place_is_an_error(void **state)
{
	struct lake *lake = *state;
	struct layout layout;
	struct err err = {0};
	lake_write(lake, "file", "x");
	assert_false(layout_init(&layout, lake_path(lake, "file").text, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
}

static void names_are_made_of_type_day_and_batch(void **state)
{
	(void)state;
	struct file_path path;
	struct err err = {0};
	int64_t day_us = lake_time("2026-09-20T00:00:00Z");
	REQUIRE(layout_bronze(span_of("WatchEvent"), day_us, 7, &path, &err));
	assert_string_equal(path.text, "bronze/WatchEvent/date=2026-09-20/000000000007.ndjson.zst");
	REQUIRE(layout_bronze(span_of("_other"), day_us, 999999999999, &path, &err));
	assert_string_equal(path.text, "bronze/_other/date=2026-09-20/999999999999.ndjson.zst");
	REQUIRE(layout_silver_live(12, &path, &err));
	assert_string_equal(path.text, "silver/_live/000000000012.parquet");
	REQUIRE(layout_silver(span_of("PushEvent"), day_us, 3, 19, &path, &err));
	assert_string_equal(path.text,
		"silver/type=PushEvent/date=2026-09-20/000000000003-000000000019.parquet");
	REQUIRE(layout_gold(4, &path, &err));
	assert_string_equal(path.text, "gold/gold-4.duckdb");
}

static void a_type_that_is_no_plain_name_makes_no_path(void **state)
{
	(void)state;
	static const char *const types[] = {"", ".", "..", "a/b", "../../etc", "Watch Event", "Wätch", "_x",
		"type=a", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"};
	struct file_path path;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct err err = {0};
		assert_false(layout_bronze(span_of(types[i]), 0, 1, &path, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_false(layout_silver(span_of(types[i]), 0, 1, 1, &path, &err));
	}
	struct err err = {0};
	assert_false(layout_bronze(span_make("Wa\0tch", 6), 0, 1, &path, &err));
}

static void bronze_names_are_read_back(void **state)
{
	(void)state;
	static const char *const types[] = {"WatchEvent", "_other", "a"};
	static const int64_t days[] = {0, -1, 20000, -719528, 2932896};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++)
		for (size_t j = 0; j < ARRAY_COUNT(days); j++) {
			struct file_path path;
			struct err err = {0};
			struct span type;
			int64_t day_us;
			int64_t batch;
			int64_t batch_too;
			REQUIRE(layout_bronze(span_of(types[i]), days[j] * DAY_US, 42, &path, &err));
			assert_true(layout_parse_bronze(path.text, &type, &day_us, &batch));
			assert_true(span_equal_text(type, types[i]));
			assert_int_equal(day_us, days[j] * DAY_US);
			assert_int_equal(batch, 42);
			assert_true(layout_parse_batch(path.text, &batch_too));
			assert_int_equal(batch_too, 42);
		}
}

static void other_names_are_not_ours(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", "bronze", "bronze/", "bronze/WatchEvent/date=2026-09-20/",
		"bronze/WatchEvent/date=2026-09-20/7.ndjson.zst",
		"bronze/WatchEvent/date=2026-09-20/0000000000007.ndjson.zst",
		"bronze/WatchEvent/date=2026-09-20/000000000000.ndjson.zst",
		"bronze/WatchEvent/date=2026-09-20/-00000000007.ndjson.zst",
		"bronze/WatchEvent/date=2026-09-20/000000000007.ndjson",
		"bronze/WatchEvent/date=2026-09-20/000000000007.ndjson.zst.damaged-1",
		"bronze/WatchEvent/date=2026-02-30/000000000007.ndjson.zst",
		"bronze/WatchEvent/date=2026/09/20/000000000007.ndjson.zst",
		"bronze/WatchEvent/date=2026-09-20/x/000000000007.ndjson.zst",
		"bronze/Watch-Event/date=2026-09-20/000000000007.ndjson.zst",
		"bronze/../date=2026-09-20/000000000007.ndjson.zst",
		"bronze/archive/2026-09-20-7.json.gz",
		"/bronze/WatchEvent/date=2026-09-20/000000000007.ndjson.zst",
		"silver/_live/000000000007.parquet.tmp", "silver/_live/7.parquet",
		"silver/type=WatchEvent/date=2026-09-20/000000000003-000000000019.parquet",
	};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct span type = {0};
		int64_t day_us = -5;
		int64_t batch = -5;
		if (layout_parse_bronze(names[i], &type, &day_us, &batch))
			fail_msg("%s was taken for bronze", names[i]);
		if (layout_parse_batch(names[i], &batch))
			fail_msg("%s was taken for a batch", names[i]);
		assert_int_equal(batch, -5);
		assert_int_equal(day_us, -5);
	}
}

static void live_and_gold_names_are_read_back(void **state)
{
	(void)state;
	static const char *const wrong[] = {"gold/gold-.duckdb", "gold/gold-0.duckdb", "gold/gold-01.duckdb",
		"gold/gold--1.duckdb", "gold/gold-1.duckdb.wal", "gold/gold-1x.duckdb", "gold-1.duckdb"};
	int64_t number = 0;
	assert_true(layout_parse_batch("silver/_live/000000000012.parquet", &number));
	assert_int_equal(number, 12);
	assert_true(layout_parse_gold("gold/gold-17.duckdb", &number));
	assert_int_equal(number, 17);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		assert_false(layout_parse_gold(wrong[i], &number));
	assert_int_equal(number, 17);
}

/* What recovery may remove when the catalog does not name it. */
static void all_forms_of_silver_are_ours(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"silver/type=PushEvent/date=2026-01-01/000000000001-r0-000000000002.parquet",
		"silver/type=PushEvent/date=2026-01-01/000000000001-r01-000000000002.parquet",
		"silver/type=PushEvent/date=2026-01-01/000000000001-r-000000000002.parquet",
		"silver/type=PushEvent/date=2026-01-01/000000000001-r1000000000002.parquet",
		"silver/type=PushEvent/date=2026-01-01/mine.parquet"};
	struct err err = {0};
	struct file_path path;
	struct span type = span_of("PushEvent");
	assert_true(layout_silver_live(3, &path, &err) && layout_is_silver(path.text));
	assert_true(layout_silver(type, 0, 1, 2, &path, &err) && layout_is_silver(path.text));
	assert_true(layout_silver_kept(type, 0, 1, 2, 7, &path, &err) && layout_is_silver(path.text));
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		assert_false(layout_is_silver(wrong[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_folder_is_made_with_its_layers, lake_set_up, lake_tear_down),
		cmocka_unit_test_setup_teardown(a_file_in_the_folders_place_is_an_error, lake_set_up,
			lake_tear_down),
		cmocka_unit_test(names_are_made_of_type_day_and_batch),
		cmocka_unit_test(a_type_that_is_no_plain_name_makes_no_path),
		cmocka_unit_test(bronze_names_are_read_back),
		cmocka_unit_test(other_names_are_not_ours),
		cmocka_unit_test(live_and_gold_names_are_read_back),
		cmocka_unit_test(all_forms_of_silver_are_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
