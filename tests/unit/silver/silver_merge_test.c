/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/silver/silver_support.h"

#include "lake/catalog_archive.h"
#include "lake/retention.h"
#include "wrap/digest.h"

/* An imported file of these lines, as the next batch. */
static void import(struct silver_fixture *f, const char *const *lines, size_t count)
{
	struct err err = {0};
	CLEANUP(buf_finish) struct buf text = {.size_max = 1 << 20};
	struct archive archive = {.name = "file", .origin = "/somewhere", .state = ARCHIVE_IS_STORED};
	struct lake_file file = {.layer = LAYER_BRONZE};
	struct digest digest;
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s\n", lines[i]);
	OR_FAIL(catalog_next_batch(f->lake.catalog, &archive.batch, &err));
	OR_FAIL(layout_archive(INT64_MIN, archive.batch, false, &file.path, &err));
	struct check_path path = test_lake_path(&f->lake, file.path.text);
	OR_FAIL(file_write(path.text, buf_span(&text), &err));
	OR_FAIL(digest_of_file(path.text, &digest, &file.size_bytes, &err));
	memcpy(file.sha256, digest.hex, sizeof(file.sha256));
	memcpy(archive.sha256, digest.hex, sizeof(archive.sha256));
	file.batch_first = file.batch_last = archive.batch;
	OR_FAIL(catalog_store_archive(f->lake.catalog, &archive, &file, &err));
}

static struct silver_report merge(struct silver_fixture *f)
{
	struct err err = {0};
	struct silver_report report;
	OR_FAIL(silver_merge(f->silver, NULL, &report, &err));
	return report;
}

/* Which of gold's rows counts, too: the one of the lowest batch, in whichever file it is. */
static void lowest_batch_stays(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	silver_fixture_begin(&f, NULL);
	struct test_event events[] = {
		test_event(1, "PushEvent", "2026-09-20T12:00:01Z", 7, ""),
		test_event(2, "PushEvent", "2026-09-20T12:00:02Z", 7, ""),
		test_event(3, "PushEvent", "2026-09-20T12:00:03Z", 7, ""),
		test_event(3, "PushEvent", "2026-09-20T12:00:03Z", 8, ""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text, events[3].text};
	/* Polled before and after the import, and then in one file: batches 1 to 3 around batch 2. */
	test_lake_store(&f.lake, 0, lines, 1);
	import(&f, lines, 3);
	test_lake_store(&f.lake, 0, lines + 1, 1);
	test_lake_store(&f.lake, 0, lines + 3, 1);
	assert_int_equal(silver_fixture_build(&f), 4);
	silver_fixture_mark_gold(&f, 1, 4);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	assert_string_equal(silver_fixture_ask(&f, "SELECT id, batch FROM %s ORDER BY ALL"), "1,1;1,2;2,2;2,3;3,2;3,4");
	report = merge(&f);
	assert_int_equal(report.duplicates, 2);
	assert_string_equal(silver_fixture_ask(&f, "SELECT id, batch, repo_id FROM %s ORDER BY ALL"),
		"1,1,7;2,2,7;3,2,7;3,4,8");
	report = merge(&f);
	assert_int_equal(report.files_replaced, 0);
	struct catalog_recovery recovery = test_lake_restart(&f.lake);
	assert_int_equal(recovery.files_removed, 0);
	silver_fixture_end(&f);
}

/* What only the catalog's backup can find again has the name there under which it lies. */
static void backup_names_what_is_left(void **state)
{
	(void)state;
	static const char path[] = "silver/type=PushEvent/date=2026-09-20/000000000002-000000000002.parquet";
	struct silver_fixture f;
	struct err err = {0};
	int64_t removed;
	silver_fixture_begin(&f, NULL);
	struct test_event events[] = {
		test_event(1, "PushEvent", "2026-09-20T12:00:01Z", 7, ""),
		test_event(2, "PushEvent", "2026-09-20T12:00:02Z", 7, ""),
		test_event(3, "PushEvent", "2026-09-20T12:00:03Z", 7, ""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text};
	import(&f, lines, 2);
	import(&f, lines + 1, 2);
	assert_int_equal(silver_fixture_build(&f), 2);
	OR_FAIL(catalog_drop_archive(f.lake.catalog, 1, &err));
	OR_FAIL(catalog_drop_archive(f.lake.catalog, 2, &err));
	OR_FAIL(retention_finish(f.lake.catalog, &removed, NULL, &err));
	assert_int_equal(removed, 2);
	struct check_path old = test_lake_path(&f.lake, path);
	struct check_path staged = test_lake_path(&f.lake, "staging/catalog.backup.sqlite");
	/* A folder is in the way of the next backup: the old file stays, and the next merge has nothing to do. */
	struct silver_report report;
	OR_FAIL(file_make_folder(staged.text, &err));
	assert_false(silver_merge(f.silver, NULL, &report, &err));
	assert_true(file_exists(old.text));
	OR_FAIL(file_remove_folder(staged.text, &err));
	report = merge(&f);
	assert_int_equal(report.files_replaced, 0);
	assert_int_equal(test_lake_restart(&f.lake).files_removed, 1);
	assert_false(file_exists(old.text));
	struct check_path catalog = test_lake_path(&f.lake, "catalog.sqlite");
	catalog_close(&f.lake.catalog);
	OR_FAIL(file_remove(catalog.text, &err));
	OR_FAIL(catalog_open(&f.lake.layout, false, &f.lake.catalog, &err));
	assert_int_equal(test_lake_restart(&f.lake).files_missing, 0);
	assert_string_equal(silver_fixture_ask(&f, "SELECT id, batch FROM %s ORDER BY ALL"), "1,1;2,1;3,2");
	silver_fixture_end(&f);
}

/* A live file gives way to others, which no backup would name. */
static void bronze_behind_a_live_file_is_not_dropped(void **state)
{
	(void)state;
	enum { DAYS = 101 };
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	int64_t removed;
	static struct test_event events[DAYS];
	const char *lines[DAYS];
	silver_fixture_begin(&f, NULL);
	for (int64_t i = 0; i < DAYS; i++) {
		int64_t day_us = (INT64_C(1420070400) + i * 86400) * 1000000;
		events[i] = test_event(1 + i, "PushEvent", time_render(day_us).text, 7, "");
		lines[i] = events[i].text;
	}
	import(&f, lines, DAYS);
	assert_int_equal(silver_fixture_build(&f), 1);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER_LIVE), 1);
	OR_FAIL(catalog_drop_archive(f.lake.catalog, 1, &err));
	OR_FAIL(retention_finish(f.lake.catalog, &removed, NULL, &err));
	assert_int_equal(removed, 0);
	silver_fixture_mark_gold(&f, 1, 1);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER), DAYS);
	OR_FAIL(catalog_drop_archive(f.lake.catalog, 1, &err));
	OR_FAIL(retention_finish(f.lake.catalog, &removed, NULL, &err));
	assert_int_equal(removed, 1);
	silver_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowest_batch_stays),
		cmocka_unit_test(backup_names_what_is_left),
		cmocka_unit_test(bronze_behind_a_live_file_is_not_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
