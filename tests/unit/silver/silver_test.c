/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/silver/silver_support.h"

#include "lake/retention.h"

#include <stdlib.h>

static void columns_of_each_kind_arrive(void **state)
{
	static const char yaml[] = "version: 2\n"
					 "fields:\n"
					 "  PullRequestEvent:\n"
					 "    - {path: payload.flag, type: boolean}\n"
					 "    - {path: payload.ratio, type: number}\n"
					 "    - {path: payload.note, type: string}\n"
					 "    - {path: payload.at, type: timestamp}\n"
					 "    - {path: payload.count, type: integer}\n";
	(void)state;
	struct silver_fixture f;
	silver_fixture_begin(&f, yaml);
	struct test_event events[] = {
		test_event(12, "PullRequestEvent", "2026-09-20T12:00:05Z", 7,
			"\"action\":\"merged\",\"number\":44,\"flag\":true,\"ratio\":0.5,\"note\":\"it's \\u0000 ok\","
			"\"at\":\"2026-01-02T03:04:05Z\",\"count\":-9,\"pull_request\":{\"number\":44}"),
		test_event(11, "WatchEvent", "2026-09-20T12:00:05Z", 8, "\"action\":\"started\",\"flag\":true"),
		test_event(13, "WatchEvent", "2026-09-19T23:59:59Z", 8, "\"action\":\"started\""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text};
	assert_int_equal(test_lake_store(&f.lake, 0, lines, 3), 1);
	assert_int_equal(silver_fixture_build(&f), 1);
	assert_int_equal(test_lake_batch(&f.lake, 1).silver_rows, 3);
	/* As the file has them: sorted by time, then id. */
	assert_string_equal(silver_fixture_ask(&f, "SELECT id, type, created_at, actor_id, actor_login, is_bot, repo_id, repo_name,"
				    " org_login, action, number, merged, ref_type, era, source, batch FROM %s"),
		"13,WatchEvent,2026-09-19T23:59:59Z,106,user-6,false,8,owner/repo-8,NULL,started,NULL,NULL,NULL,thin,api,1;"
		"11,WatchEvent,2026-09-20T12:00:05Z,104,user-4,false,8,owner/repo-8,NULL,started,NULL,NULL,NULL,thin,api,1;"
		"12,PullRequestEvent,2026-09-20T12:00:05Z,105,user-5,false,7,owner/repo-7,NULL,merged,44,true,NULL,thin,api,1");
	assert_string_equal(
		silver_fixture_ask(&f, "SELECT \"payload.flag\", \"payload.ratio\", length(\"payload.note\"), \"payload.at\","
			" \"payload.count\" FROM %s WHERE id IN (11, 12) ORDER BY id"),
		"NULL,NULL,NULL,NULL,NULL;true,0.5,9,2026-01-02T03:04:05Z,-9");
	silver_fixture_end(&f);
}

static void files_carry_metadata_and_catalog_entry(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	silver_fixture_begin(&f, NULL);
	struct test_event event = test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 7, "");
	const char *line = event.text;
	test_lake_store(&f.lake, 0, &line, 1);
	silver_fixture_build(&f);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct lake_file *files;
	size_t count;
	OR_FAIL(catalog_list_files(f.lake.catalog, LAYER_SILVER_LIVE, &arena, &files, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(files[0].path.text, "silver/_live/000000000001.parquet");
	assert_string_equal(files[0].fingerprint, f.lake.fields->fingerprint);
	assert_int_equal(files[0].rows, 1);
	struct check_path path = test_lake_path(&f.lake, files[0].path.text);
	assert_int_equal(files[0].size_bytes, file_size(path.text));
	assert_string_equal(time_render(files[0].time_min_us).text, "2026-09-20T12:00:05Z");
	assert_int_equal(files[0].time_min_us, files[0].time_max_us);
	assert_int_equal(strlen(files[0].sha256), 64);
	char sql[8192];
	char expected[256];
	(void)snprintf(sql, sizeof(sql),
		"SELECT decode(key), decode(value) FROM parquet_kv_metadata('%s') WHERE decode(key) LIKE 'octolake%%'"
		" ORDER BY 1",
		path.text);
	(void)snprintf(expected, sizeof(expected),
		"octolake_batches,1-1;octolake_fingerprint,%s;octolake_format,1", f.lake.fields->fingerprint);
	assert_string_equal(silver_fixture_ask(&f, sql), expected);
	(void)snprintf(sql, sizeof(sql), "SELECT DISTINCT compression FROM parquet_metadata('%s')", path.text);
	assert_string_equal(silver_fixture_ask(&f, sql), "ZSTD");
	silver_fixture_end(&f);
}

static void first_of_equal_keys_wins_and_conflicts_are_set_aside(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	silver_fixture_begin(&f, NULL);
	struct test_event events[] = {
		test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 7, "\"action\":\"first\""),
		test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 7, "\"action\":\"second\""),
		test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 8, "\"action\":\"other repository\""),
		test_event(5, "PushEvent", "2026-09-20T12:00:06Z", 8, "\"action\":\"other time\""),
		test_event(5, "WatchEvent", "2026-09-20T12:00:05Z", 8, "\"action\":\"other type\""),
		test_event(5, "WatchEvent", "2026-09-20T12:00:05Z", 0, "\"action\":\"no repository known\""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text, events[3].text, events[4].text,
		events[5].text, "{\"id\":\"6\",\"type\":\"WatchEvent\",\"created_at\":\"yesterday\"}"};
	test_lake_store(&f.lake, 0, lines, 7);
	silver_fixture_build(&f);
	struct batch batch = test_lake_batch(&f.lake, 1);
	assert_int_equal(batch.silver_rows, 3);
	assert_int_equal(batch.silver_duplicates, 2);
	assert_int_equal(batch.silver_quarantined, 2);
	assert_string_equal(silver_fixture_ask(&f, "SELECT string_agg(action, '|' ORDER BY action) FROM %s"),
		"first|other time|other type");
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct quarantine_entry *entries;
	size_t count;
	OR_FAIL(catalog_list_quarantine(f.lake.catalog, 10, &arena, &entries, &count, &err));
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		bool conflict = span_equal_text(entries[i].reason, "key-conflict");
		if (!conflict)
			assert_true(span_equal_text(entries[i].reason, "created-at-missing"));
		assert_true(span_equal_text(entries[i].stage, "silver"));
		assert_true(span_starts_with(entries[i].path, "bronze/"));
		assert_true(span_equal(entries[i].raw, span_of(conflict ? lines[2] : lines[6])));
	}
	silver_fixture_end(&f);
}

static void keys_of_a_large_batch_are_all_remembered(void **state)
{
	(void)state;
	enum { EVENTS = 3000, IDS = 2000 };
	struct silver_fixture f;
	silver_fixture_begin(&f, NULL);
	struct test_event *events = calloc(EVENTS, sizeof(*events));
	const char **lines = calloc(EVENTS, sizeof(*lines));
	assert_true(events && lines);
	for (int64_t i = 0; i < EVENTS; i++) {
		int64_t id = i % IDS;
		/* The second time every tenth is of another repository. */
		events[i] = test_event(id, id % 3 ? "PushEvent" : "WatchEvent", "2026-09-20T12:00:05Z",
			i >= IDS && id % 10 == 0 ? 8 : 7, "");
		lines[i] = events[i].text;
	}
	test_lake_store(&f.lake, 0, lines, EVENTS);
	free(events);
	free(lines);
	silver_fixture_build(&f);
	struct batch batch = test_lake_batch(&f.lake, 1);
	assert_int_equal(batch.silver_rows, IDS);
	assert_int_equal(batch.silver_duplicates, 900);
	assert_int_equal(batch.silver_quarantined, 100);
	assert_string_equal(silver_fixture_ask(&f, "SELECT count(DISTINCT id), min(repo_id), max(repo_id) FROM %s"), "2000,7,7");
	silver_fixture_end(&f);
}

static void batch_without_rows_has_no_file(void **state)
{
	(void)state;
	struct silver_fixture f;
	silver_fixture_begin(&f, NULL);
	const char *line = "{\"id\":\"6\",\"type\":\"WatchEvent\"}";
	test_lake_store(&f.lake, 0, &line, 1);
	assert_int_equal(silver_fixture_build(&f), 1);
	assert_int_equal(test_lake_batch(&f.lake, 1).state, BATCH_SILVER);
	assert_int_equal(test_lake_batch(&f.lake, 1).silver_quarantined, 1);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER_LIVE), 0);
	struct check_path live = test_lake_path(&f.lake, "silver/_live/000000000001.parquet");
	struct check_path staged = test_lake_path(&f.lake, "staging/silver-1.parquet");
	assert_false(file_exists(live.text));
	assert_false(file_exists(staged.text));
	silver_fixture_end(&f);
}

static void damaged_and_missing_bronze_is_counted(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	silver_fixture_begin(&f, NULL);
	struct test_event events[3] = {
		test_event(1, "PushEvent", "2026-09-20T12:00:05Z", 7, ""),
		test_event(2, "PushEvent", "2026-09-20T12:00:05Z", 7, ""),
		test_event(3, "WatchEvent", "2026-09-20T12:00:05Z", 7, ""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text};
	test_lake_store(&f.lake, 0, lines, 3);
	test_lake_store(&f.lake, 0, lines, 3);
	struct check_path missing = test_lake_path(&f.lake, "bronze/PushEvent/date=2026-09-20/000000000001.ndjson.zst");
	struct check_path damaged = test_lake_path(&f.lake, "bronze/WatchEvent/date=2026-09-20/000000000002.ndjson.zst");
	OR_FAIL(file_remove(missing.text, &err));
	OR_FAIL(file_write(damaged.text, span_of("no zstd at all"), &err));
	assert_int_equal(silver_fixture_build(&f), 2);
	struct batch batch = test_lake_batch(&f.lake, 1);
	assert_int_equal(batch.silver_rows, 1);
	assert_int_equal(batch.silver_quarantined, 2);
	batch = test_lake_batch(&f.lake, 2);
	assert_int_equal(batch.silver_rows, 2);
	assert_int_equal(batch.silver_quarantined, 1);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct quarantine_entry *entries;
	size_t count;
	OR_FAIL(catalog_list_quarantine(f.lake.catalog, 10, &arena, &entries, &count, &err));
	assert_int_equal(count, 2);
	assert_true(span_equal_text(entries[0].reason, "bronze-damaged"));
	assert_true(span_equal_text(entries[1].reason, "bronze-missing"));
	silver_fixture_end(&f);
}

static void redo_after_a_crash_before_the_catalog_overwrites(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	silver_fixture_begin(&f, NULL);
	struct test_event event = test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 7, "");
	const char *line = event.text;
	test_lake_store(&f.lake, 0, &line, 1);
	/* What a kill in the middle leaves: a half staged file and a published one that no one names. */
	struct check_path staged = test_lake_path(&f.lake, "staging/silver-1.parquet");
	struct check_path live = test_lake_path(&f.lake, "silver/_live/000000000001.parquet");
	OR_FAIL(file_write(staged.text, span_of("PAR1half"), &err));
	OR_FAIL(file_write(live.text, span_of("an older one"), &err));
	assert_int_equal(silver_fixture_build(&f), 1);
	assert_string_equal(silver_fixture_ask(&f, "SELECT id FROM %s"), "5");
	assert_false(file_exists(staged.text));
	silver_fixture_end(&f);
}

static void compaction_rewrites_into_partitions(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	silver_fixture_begin(&f, NULL);
	struct test_event events[] = {
		test_event(1, "PushEvent", "2026-09-20T23:59:59Z", 7, "\"action\":\"one\""),
		test_event(2, "PushEvent", "2026-09-21T00:00:00Z", 7, ""),
		test_event(3, "WatchEvent", "2026-09-20T12:00:05Z", 7, ""),
		/* In the second batch: a duplicate, a conflict, a new one. */
		test_event(1, "PushEvent", "2026-09-20T23:59:59Z", 7, "\"action\":\"two\""),
		test_event(3, "WatchEvent", "2026-09-20T12:00:05Z", 9, ""),
		test_event(4, "WatchEvent", "2026-09-20T12:00:04Z", 9, ""),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text, events[3].text, events[4].text,
		events[5].text};
	test_lake_store(&f.lake, 0, lines, 3);
	test_lake_store(&f.lake, 0, lines + 3, 3);
	test_lake_store(&f.lake, 0, lines, 1);
	assert_int_equal(silver_fixture_build(&f), 3);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	assert_int_equal(report.files_replaced, 0); /* none of them is in gold */
	silver_fixture_mark_gold(&f, 1, 2);
	OR_FAIL(silver_compact(f.silver, 3, &report, &err));
	assert_int_equal(report.files_replaced, 0); /* two are fewer than three */
	OR_FAIL(silver_compact(f.silver, 2, &report, &err));
	assert_int_equal(report.files_replaced, 2);
	assert_int_equal(report.files_written, 3);
	assert_int_equal(report.rows, 5);
	assert_int_equal(report.duplicates, 1);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER_LIVE), 1);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER), 3);
	struct check_path push = test_lake_path(&f.lake,
		"silver/type=PushEvent/date=2026-09-20/000000000001-000000000002.parquet");
	struct check_path watch = test_lake_path(&f.lake,
		"silver/type=WatchEvent/date=2026-09-20/000000000001-000000000002.parquet");
	struct check_path old = test_lake_path(&f.lake, "silver/_live/000000000001.parquet");
	assert_false(file_exists(old.text));
	char sql[8192];
	(void)snprintf(sql, sizeof(sql), "SELECT id, action, batch FROM read_parquet('%s', hive_partitioning=false)",
		push.text);
	assert_string_equal(silver_fixture_ask(&f, sql), "1,one,1");
	(void)snprintf(sql, sizeof(sql), "SELECT id, repo_id, batch FROM read_parquet('%s', hive_partitioning=false)",
		watch.text);
	assert_string_equal(silver_fixture_ask(&f, sql), "4,9,2;3,7,1;3,9,2");
	assert_string_equal(silver_fixture_ask(&f, "SELECT count(*) FROM %s"), "6");
	/* Nothing that recovery would have to tidy. */
	struct catalog_recovery recovery = {0};
	OR_FAIL(catalog_recover(f.lake.catalog, &f.lake.layout, &recovery, &err));
	assert_int_equal(recovery.files_removed, 0);
	assert_int_equal(recovery.files_missing, 0);
	silver_fixture_end(&f);
}

static void another_field_set_reads_old_files_by_name(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	silver_fixture_begin(&f, "version: 2\nfields:\n  PushEvent:\n    - {path: payload.size, type: string}\n"
		  "    - {path: payload.gone, type: string}\n");
	struct test_event events[] = {
		test_event(1, "PushEvent", "2026-09-20T12:00:00Z", 7, "\"size\":\"12\",\"gone\":\"x\""),
		test_event(2, "PushEvent", "2026-09-20T12:00:01Z", 7, "\"size\":\"many\",\"gone\":\"x\""),
		test_event(3, "PushEvent", "2026-09-20T12:00:02Z", 7, "\"size\":5,\"fresh\":true"),
	};
	const char *lines[] = {events[0].text, events[1].text, events[2].text};
	test_lake_store(&f.lake, 0, lines, 2);
	silver_fixture_build(&f);
	silver_close(&f.silver);
	test_lake_configure(&f.lake, "version: 2\nfields:\n  PushEvent:\n    - {path: payload.size, type: integer}\n"
				     "    - {path: payload.fresh, type: boolean}\n");
	silver_fixture_open(&f);
	test_lake_store(&f.lake, 0, lines + 2, 1);
	silver_fixture_build(&f);
	static const char sql[] = "SELECT id, \"payload.size\", \"payload.fresh\" FROM %s ORDER BY id";
	static const char expected[] = "1,12,NULL;2,NULL,NULL;3,5,true";
	assert_string_equal(silver_fixture_ask(&f, sql), expected);
	silver_fixture_mark_gold(&f, 1, 2);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	assert_int_equal(report.files_written, 1);
	assert_string_equal(silver_fixture_ask(&f, sql), expected);
	silver_fixture_end(&f);
}

struct counting {
	int64_t calls;
	int64_t stop_at;
	int64_t total;
};

static bool count_progress(void *context, int64_t done, int64_t total)
{
	struct counting *counting = context;
	counting->calls++;
	counting->total = total;
	return done != counting->stop_at;
}

static void rebuild_gives_the_same_rows(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	char before[8192];
	static const char sql[] = "SELECT count(*), CAST(bit_xor(hash(s)) AS VARCHAR) FROM %s s";
	silver_fixture_begin(&f, NULL);
	for (int64_t batch = 1; batch <= 4; batch++) {
		struct test_event events[10];
		const char *lines[10];
		for (size_t i = 0; i < 10; i++) {
			events[i] = test_event(batch * 100 + (int64_t)i, i % 2 ? "PushEvent" : "WatchEvent",
				i % 3 ? "2026-09-20T12:00:00Z" : "2026-09-21T12:00:00Z", 7, "");
			lines[i] = events[i].text;
		}
		test_lake_store(&f.lake, 0, lines, 10);
	}
	silver_fixture_build(&f);
	(void)snprintf(before, sizeof(before), "%s", silver_fixture_ask(&f, sql));
	silver_fixture_mark_gold(&f, 1, 3);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	assert_int_equal(report.files_written, 4);
	assert_string_equal(silver_fixture_ask(&f, sql), before);
	struct counting counting = {.stop_at = 2};
	assert_false(silver_rebuild(f.silver, count_progress, &counting, &report, &err));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(counting.calls, 2);
	assert_int_equal(counting.total, 4);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER), 0);
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER_LIVE), 2);
	OR_FAIL(silver_rebuild(f.silver, NULL, NULL, &report, &err));
	assert_int_equal(report.batches, 4);
	assert_int_equal(report.rows, 40);
	assert_int_equal(report.files_written, 4);
	assert_string_equal(silver_fixture_ask(&f, sql), before);
	int64_t rebuilds = 0;
	OR_FAIL(catalog_read_setting(f.lake.catalog, SILVER_REBUILDS_SETTING, 0, &rebuilds, &err));
	assert_int_equal(rebuilds, 2);
	silver_fixture_end(&f);
}

static void rebuild_without_a_new_backup_keeps_the_old_files(void **state)
{
	(void)state;
	static const char path[] = "silver/type=PushEvent/date=2026-09-20/000000000001-000000000001.parquet";
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	silver_fixture_begin(&f, NULL);
	struct test_event event = test_event(5, "PushEvent", "2026-09-20T12:00:05Z", 7, "");
	const char *line = event.text;
	test_lake_store(&f.lake, 0, &line, 1);
	silver_fixture_build(&f);
	silver_fixture_mark_gold(&f, 1, 1);
	OR_FAIL(silver_compact(f.silver, 1, &report, &err));
	OR_FAIL(retention_back_up(f.lake.catalog, &err));
	struct check_path old = test_lake_path(&f.lake, path);
	struct check_path staged = test_lake_path(&f.lake, "staging/catalog.backup.sqlite");
	/* A folder is in the way of the next backup. */
	OR_FAIL(file_make_folder(staged.text, &err));
	assert_false(silver_rebuild(f.silver, NULL, NULL, &report, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_true(file_exists(old.text));
	OR_FAIL(file_remove_folder(staged.text, &err));
	/* What the backup names is there for a catalog that is lost now. */
	struct check_path catalog = test_lake_path(&f.lake, "catalog.sqlite");
	catalog_close(&f.lake.catalog);
	OR_FAIL(file_remove(catalog.text, &err));
	OR_FAIL(catalog_open(&f.lake.layout, false, &f.lake.catalog, &err));
	struct catalog_recovery recovery = test_lake_restart(&f.lake);
	assert_int_equal(recovery.files_missing, 0);
	assert_true(file_exists(old.text));
	assert_int_equal(test_lake_file_count(&f.lake, LAYER_SILVER), 1);
	silver_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_of_each_kind_arrive),
		cmocka_unit_test(files_carry_metadata_and_catalog_entry),
		cmocka_unit_test(first_of_equal_keys_wins_and_conflicts_are_set_aside),
		cmocka_unit_test(keys_of_a_large_batch_are_all_remembered),
		cmocka_unit_test(batch_without_rows_has_no_file),
		cmocka_unit_test(damaged_and_missing_bronze_is_counted),
		cmocka_unit_test(redo_after_a_crash_before_the_catalog_overwrites),
		cmocka_unit_test(compaction_rewrites_into_partitions),
		cmocka_unit_test(another_field_set_reads_old_files_by_name),
		cmocka_unit_test(rebuild_gives_the_same_rows),
		cmocka_unit_test(rebuild_without_a_new_backup_keeps_the_old_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
