/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "ingest/seen.h"

static struct seen_key key_of(int64_t id)
{
	return (struct seen_key){.id = id, .created_at_us = 1, .type_hash = 2};
}

static void test_each_key_once(void **state)
{
	(void)state;
	struct seen *seen = seen_create(100);
	assert_true(seen_add(seen, key_of(1)));
	assert_false(seen_add(seen, key_of(1)));
	/* The same id of another type or time is another event. */
	assert_true(seen_add(seen, (struct seen_key){1, 1, 0, 3}));
	assert_true(seen_add(seen, (struct seen_key){1, 2, 0, 2}));
	/* A key that stands for another repository is not dropped here: gold sets it aside. */
	assert_true(seen_add(seen, (struct seen_key){1, 1, 77, 2}));
	seen_destroy(&seen);
	assert_null(seen);
}

static void test_the_oldest_are_forgotten(void **state)
{
	(void)state;
	struct seen *seen = seen_create(1000);
	/* Against a plain model: the last 1,000 distinct keys are known, all others are not. */
	for (int64_t id = 0; id < 50000; id++) {
		assert_true(seen_add(seen, key_of(id * 7919)));
		if (id >= 999 && id % 97 == 0)
			for (int64_t back = 0; back < 1000; back += 37)
				assert_false(seen_add(seen, key_of((id - back) * 7919)));
	}
	assert_true(seen_add(seen, key_of(48999 * INT64_C(7919))));
	seen_destroy(&seen);
}

static void test_bytes_and_events_do_not_meet(void **state)
{
	(void)state;
	struct seen *seen = seen_create(16);
	assert_true(seen_add(seen, seen_key_of_bytes(span_of("{"))));
	assert_false(seen_add(seen, seen_key_of_bytes(span_of("{"))));
	assert_true(seen_add(seen, seen_key_of_bytes(span_of("}"))));
	seen_destroy(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_key_once),
		cmocka_unit_test(test_the_oldest_are_forgotten),
		cmocka_unit_test(test_bytes_and_events_do_not_meet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
