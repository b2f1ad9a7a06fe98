/* SPDX-License-Identifier: Apache-2.0 */
/* A store that fails half way and is tried again, as on a disk that was full for a while. */
#include "tests/unit/lake/lake_support.h"

#include "ingest/pending.h"

enum { TRIES = 3 };

static bool count_file(void *context, const char *relative_path, struct err *err)
{
	(void)relative_path;
	(void)err;
	++*(int *)context;
	return true;
}

static void test_a_store_tried_again_leaves_no_second_batch(void **state)
{
	struct lake *lake = *state;
	struct err err = {0};
	struct pending *pending CLEANUP(pending_destroy) =
		pending_create(&lake->layout, lake->catalog, clock_system(), "api");
	static const char *const types[] = {"IssuesEvent", "WatchEvent"};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		struct event event = lake_event(types[i], "2026-01-02T03:04:05Z");
		event.id = (int64_t)i + 1;
		REQUIRE(pending_add_event(pending, &event, span_of("{\"id\":\"1\"}"), &err));
	}
	/* A file lies where the second type's folder is to be: the first one is published every time. */
	lake_write(lake, "bronze/WatchEvent", "in the way");
	int64_t batch = 0;
	struct pending_counts counts;
	for (int i = 0; i < TRIES; i++)
		assert_false(pending_store(pending, &batch, &counts, &err));
	REQUIRE(file_remove(lake_path(lake, "bronze/WatchEvent").text, &err));
	REQUIRE(pending_store(pending, &batch, &counts, &err));
	assert_int_equal(counts.stored, 2);
	int files = 0;
	REQUIRE(file_walk(lake_path(lake, "bronze").text, count_file, &files, &err));
	assert_int_equal(files, 2);
	/* Nothing is left for the next start to take for a batch. */
	struct catalog_recovery recovery = {0};
	REQUIRE(catalog_recover(lake->catalog, &lake->layout, &recovery, &err));
	assert_int_equal(recovery.batches_adopted, 0);
	assert_true(pending_is_empty(pending));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_store_tried_again_leaves_no_second_batch, lake_set_up,
						lake_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
