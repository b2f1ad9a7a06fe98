/* SPDX-License-Identifier: Apache-2.0 */
/* Silver that is damaged after its bronze has gone: what is lost is counted, and nothing stands still. */
#include "tests/unit/silver/silver_support.h"

#include "lake/lake_verify.h"
#include "lake/retention.h"

#include <stdlib.h>

enum { EVENTS_PER_DAY = 10 };

static void store_day(struct silver_fixture *f, int64_t first_id, const char *type, const char *created_at)
{
	struct test_event events[EVENTS_PER_DAY];
	const char *lines[EVENTS_PER_DAY];
	for (size_t i = 0; i < EVENTS_PER_DAY; i++) {
		events[i] = test_event(first_id + (int64_t)i, type, created_at, 7, "");
		lines[i] = events[i].text;
	}
	test_lake_store(&f->lake, 0, lines, EVENTS_PER_DAY);
}

/* Zeros instead of the listed file of silver: its size and name do not tell. */
static struct lake_file spoil(struct silver_fixture *f, const char *type, const char *date)
{
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct lake_file *files;
	size_t count;
	OR_FAIL(catalog_list_files(f->lake.catalog, LAYER_SILVER, &arena, &files, &count, &err));
	for (size_t i = 0; i < count; i++) {
		if (strcmp(files[i].type, type) != 0 || !strstr(files[i].path.text, date))
			continue;
		struct check_path path = test_lake_path(&f->lake, files[i].path.text);
		char *zeros = calloc(1, (size_t)files[i].size_bytes);
		assert_non_null(zeros);
		OR_FAIL(file_write(path.text, (struct span){zeros, (size_t)files[i].size_bytes}, &err));
		free(zeros);
		return files[i];
	}
	fail_msg("no silver of %s on %s", type, date);
	return (struct lake_file){0};
}

/* Bronze lets go of its `count` oldest files. */
static void remove_bronze(struct silver_fixture *f, size_t count)
{
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct retention_choice choice;
	int64_t removed;
	OR_FAIL(retention_choose(f->lake.catalog, RETENTION_BRONZE, INT64_MAX, INT64_MAX, count, &arena, &choice, &err));
	assert_int_equal(choice.count, count);
	OR_FAIL(retention_forget(f->lake.catalog, RETENTION_BRONZE, &choice, &err));
	OR_FAIL(retention_finish(f->lake.catalog, &removed, NULL, &err));
	assert_int_equal(removed, count);
}

static void begin_compacted(struct silver_fixture *f, int64_t batches)
{
	struct err err = {0};
	struct silver_report report;
	silver_fixture_build(f);
	silver_fixture_mark_gold(f, 1, batches);
	OR_FAIL(silver_compact(f->silver, 1, &report, &err));
	assert_int_equal(report.files_replaced, batches);
}

/* A rebuild keeps what silver alone has, as far as it is what was written. */
static void rebuild_counts_what_was_lost_with_silver(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct silver_report report;
	silver_fixture_begin(&f, NULL);
	store_day(&f, 100, "PushEvent", "2026-09-20T12:00:00Z");
	store_day(&f, 200, "PushEvent", "2026-09-21T12:00:00Z");
	store_day(&f, 300, "PushEvent", "2026-09-22T12:00:00Z");
	begin_compacted(&f, 3);
	remove_bronze(&f, 2);
	(void)spoil(&f, "PushEvent", "2026-09-20");
	OR_FAIL(silver_rebuild(f.silver, NULL, NULL, &report, &err));
	struct batch lost = test_lake_batch(&f.lake, 1);
	assert_int_equal(lost.silver_rows, 0);
	assert_int_equal(lost.silver_quarantined, EVENTS_PER_DAY);
	assert_int_equal(test_lake_batch(&f.lake, 2).silver_rows, EVENTS_PER_DAY);
	assert_string_equal(silver_fixture_ask(&f, "SELECT min(id), max(id), count(*) FROM %s"), "200,309,20");
	silver_fixture_end(&f);
}

/* How much of a batch is lost is read from its other files, which may be damaged as well. */
static void a_second_damaged_file_does_not_stop_the_mending_of_the_first(void **state)
{
	(void)state;
	struct silver_fixture f;
	struct err err = {0};
	struct batch batch;
	bool built;
	struct test_event push = test_event(1, "PushEvent", "2026-09-20T12:00:00Z", 7, "");
	struct test_event watch = test_event(2, "WatchEvent", "2026-09-20T13:00:00Z", 7, "");
	const char *lines[] = {push.text, watch.text};
	silver_fixture_begin(&f, NULL);
	test_lake_store(&f.lake, 0, lines, 2);
	begin_compacted(&f, 1);
	remove_bronze(&f, 1);
	struct lake_file known = spoil(&f, "PushEvent", "2026-09-20");
	assert_false(lake_verify_silver(f.lake.catalog, &f.lake.layout, &known, 1, &err));
	assert_int_equal(err.kind, ERR_RETRY);
	(void)spoil(&f, "WatchEvent", "2026-09-20");
	OR_FAIL(silver_build_next(f.silver, &batch, &built, &err));
	OR_FAIL(silver_build_next(f.silver, &batch, &built, &err));
	assert_false(built);
	batch = test_lake_batch(&f.lake, 1);
	assert_int_equal(batch.silver_rows, 1);
	assert_int_equal(batch.silver_quarantined, 1);
	assert_string_equal(silver_fixture_ask(&f, "SELECT id, type FROM %s"), "2,WatchEvent");
	silver_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rebuild_counts_what_was_lost_with_silver),
		cmocka_unit_test(a_second_damaged_file_does_not_stop_the_mending_of_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
