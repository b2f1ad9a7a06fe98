/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/attributes.h"
#include "ingest/reach.h"

static void stragglers_do_not_stretch_the_window(void **state)
{
	(void)state;
	int64_t times_us[300];
	/* Newest first, as the feed shows them: four seconds, and fifteen events that came hours late. */
	for (size_t i = 0; i < ARRAY_COUNT(times_us); i++)
		times_us[i] = INT64_C(10000000000) - (int64_t)(i * 4000000 / ARRAY_COUNT(times_us));
	for (size_t i = 0; i < 15; i++)
		times_us[i * 20] -= INT64_C(7200) * 1000000 + (int64_t)i;
	int64_t oldest_us = reach_oldest_us(times_us, ARRAY_COUNT(times_us));
	assert_true(oldest_us >= INT64_C(10000000000) - 4000000);
	assert_true(oldest_us < INT64_C(10000000000) - 3500000);
}

static void few_events_are_taken_as_they_are(void **state)
{
	(void)state;
	int64_t one[] = {7};
	int64_t some[] = {9, 8, 5, 6, 7};
	assert_int_equal(reach_oldest_us(one, 1), 7);
	assert_int_equal(reach_oldest_us(some, 5), 5);
}

static void an_event_of_another_year_is_left_out(void **state)
{
	(void)state;
	int64_t times_us[] = {500, 1000, 3, 400, 700};
	assert_int_equal(reach_oldest_within_us(times_us, 5, 600), 400);
	assert_int_equal(reach_oldest_within_us(times_us, 5, 599), 500);
	assert_int_equal(reach_oldest_within_us(times_us, 5, 997), 3);
	assert_int_equal(reach_oldest_within_us(times_us, 1, 0), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stragglers_do_not_stretch_the_window),
		cmocka_unit_test(few_events_are_taken_as_they_are),
		cmocka_unit_test(an_event_of_another_year_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
