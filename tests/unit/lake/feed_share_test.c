/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "lake/feed_share.h"

#include <math.h>

#define SECONDS(n) (INT64_C(n) * 1000000)

static void check_ratio(const struct feed_share *share, double expected)
{
	assert_true(share->known);
	if (fabs(feed_share_ratio(share) - expected) > 1e-9)
		fail_msg("share %f, not %f", feed_share_ratio(share), expected);
}

static void one_sweep_tells_nothing(void **state)
{
	(void)state;
	const struct sweep_coverage coverages[] = {{"/events", SECONDS(100), SECONDS(105)}};
	struct feed_share seen;
	struct feed_share watched;
	feed_share_measure(coverages, 0, &seen, &watched);
	assert_false(seen.known);
	feed_share_measure(coverages, 1, &seen, &watched);
	assert_false(seen.known);
	assert_false(watched.known);
}

static void a_sample_is_covered_over_elapsed(void **state)
{
	(void)state;
	/* Five seconds of each minute: the first sweep only starts the measurement. */
	const struct sweep_coverage coverages[] = {
		{"/events", SECONDS(95), SECONDS(100)},
		{"/events", SECONDS(155), SECONDS(160)},
		{"/events", SECONDS(215), SECONDS(220)},
	};
	struct feed_share seen;
	struct feed_share watched;
	feed_share_measure(coverages, 3, &seen, &watched);
	check_ratio(&seen, 10.0 / 120);
	assert_int_equal(seen.sweeps, 3);
	assert_int_equal(seen.from_us, SECONDS(100));
	assert_int_equal(seen.to_us, SECONDS(220));
	assert_false(watched.known);
}

static void overlaps_count_once_and_repeats_not_at_all(void **state)
{
	(void)state;
	const struct sweep_coverage coverages[] = {
		{"/events", SECONDS(90), SECONDS(100)}, {"/events", SECONDS(80), SECONDS(110)},
		{"/events", SECONDS(100), SECONDS(110)}, {"/events", SECONDS(105), SECONDS(108)},
		{"/events", SECONDS(115), SECONDS(120)},
	};
	struct feed_share seen;
	struct feed_share watched;
	feed_share_measure(coverages, 5, &seen, &watched);
	check_ratio(&seen, 15.0 / 20);
}

static void streams_are_measured_each_on_its_own(void **state)
{
	(void)state;
	const struct sweep_coverage coverages[] = {
		{"/events", SECONDS(0), SECONDS(10)},      {"/events", SECONDS(15), SECONDS(20)},
		{"/orgs/a/events", SECONDS(0), SECONDS(9)}, {"/repos/a/b/events", SECONDS(0), SECONDS(10)},
		{"/repos/a/b/events", SECONDS(10), SECONDS(40)}, {"/repos/a/c/events", SECONDS(0), SECONDS(10)},
		{"/repos/a/c/events", SECONDS(20), SECONDS(20)},
	};
	struct feed_share seen;
	struct feed_share watched;
	feed_share_measure(coverages, ARRAY_COUNT(coverages), &seen, &watched);
	check_ratio(&seen, 0.5);
	check_ratio(&watched, 30.0 / 40);
	assert_int_equal(watched.streams, 3);
	assert_int_equal(watched.sweeps, 4);
}

static void no_event_time_between_is_not_known(void **state)
{
	(void)state;
	const struct sweep_coverage coverages[] = {
		{"/events", SECONDS(0), SECONDS(10)},
		{"/events", SECONDS(0), SECONDS(10)},
	};
	struct feed_share seen;
	struct feed_share watched;
	feed_share_measure(coverages, 2, &seen, &watched);
	assert_false(seen.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_sweep_tells_nothing),
		cmocka_unit_test(a_sample_is_covered_over_elapsed),
		cmocka_unit_test(overlaps_count_once_and_repeats_not_at_all),
		cmocka_unit_test(streams_are_measured_each_on_its_own),
		cmocka_unit_test(no_event_time_between_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
