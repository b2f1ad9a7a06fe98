/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "ingest/type_guard.h"

#include <stdio.h>

static void test_made_up_types_share_a_folder(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct layout layout;
	struct type_guard guard;
	struct err err;
	assert_true(layout_init(&layout, path_below(&folder, "lake").text, &err));
	assert_true(type_guard_init(&guard, &layout, &err));
	assert_int_equal(guard.count, event_types_today_count);
	assert_true(span_equal_text(type_guard_route(&guard, span_of("PushEvent")), "PushEvent"));
	assert_true(span_equal_text(type_guard_route(&guard, span_of("../x")), "_other"));
	assert_true(span_equal_text(type_guard_route(&guard, span_of("")), "_other"));
	size_t own = 0;
	for (int i = 0; i < 500; i++) {
		char name[EVENT_TYPE_BYTES_MAX];
		(void)snprintf(name, sizeof(name), "Made%c%cEvent", 'A' + i / 26 % 26, 'A' + i % 26);
		own += span_equal_text(type_guard_route(&guard, span_of(name)), name);
	}
	assert_int_equal(own, EVENT_TYPE_COUNT_MAX - event_types_today_count);
	assert_true(span_equal_text(type_guard_route(&guard, span_of("MadeAAEvent")), "MadeAAEvent"));
	assert_true(span_equal_text(type_guard_route(&guard, span_of("WatchEvent")), "WatchEvent"));
	temporary_folder_remove(&folder);
}

static void test_what_bronze_has_is_known(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct layout layout;
	struct type_guard guard;
	struct file_path path;
	struct err err;
	assert_true(layout_init(&layout, path_below(&folder, "lake").text, &err));
	assert_true(layout_absolute(&layout, "bronze/SparkleEvent/date=2026-01-01", &path, &err));
	assert_true(file_make_folder(path.text, &err));
	assert_true(type_guard_init(&guard, &layout, &err));
	assert_int_equal(guard.count, event_types_today_count + 1);
	guard.count = EVENT_TYPE_COUNT_MAX;
	assert_true(span_equal_text(type_guard_route(&guard, span_of("SparkleEvent")), "SparkleEvent"));
	temporary_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_up_types_share_a_folder),
		cmocka_unit_test(test_what_bronze_has_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
