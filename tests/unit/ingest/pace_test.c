/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/clock.h"
#include "ingest/pace.h"

#include <stdio.h>

static const int64_t NOW_MS = 1000000;
static const char DATE[] = "Tue, 15 Sep 2026 12:00:00 GMT";

static struct http_client_response make_response(int status, const struct http_client_header *headers, size_t count,
						 const char *body)
{
	struct http_client_response response = {.status = status, .headers = headers, .header_count = count};
	response.body = span_of(body);
	return response;
}

static int64_t date_us(void)
{
	int64_t time_us;
	assert_true(time_parse_http(span_of(DATE), &time_us));
	return time_us;
}

static enum pace_verdict observe(struct pace *pace, int status, const struct http_client_header *headers, size_t count,
				 const char *body)
{
	struct http_client_response response = make_response(status, headers, count, body);
	/* Our clock is a day off: waits must not change. */
	return pace_observe(pace, &response, NOW_MS, date_us() + INT64_C(86400) * 1000000);
}

static void test_exhausted_budget_waits_for_reset(void **state)
{
	(void)state;
	char reset[32];
	(void)snprintf(reset, sizeof(reset), "%lld", (long long)(date_us() / 1000000 + 90));
	struct http_client_header headers[] = {{"Date", DATE},
					       {"x-ratelimit-limit", "60"},
					       {"x-ratelimit-remaining", "0"},
					       {"x-ratelimit-reset", reset}};
	struct pace pace;
	pace_init(&pace, true);
	assert_int_equal(observe(&pace, 200, headers, 4, "[]"), PACE_OK);
	assert_int_equal(pace_allowed_at_ms(&pace, NOW_MS), NOW_MS + 90000 + 50);
	assert_int_equal(pace_allowed_at_ms(&pace, NOW_MS + 90051), NOW_MS + 90051);
	pace_init(&pace, true);
	assert_int_equal(observe(&pace, 403, headers, 4, "{\"message\":\"API rate limit exceeded\"}"), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 90000 + 50);
	pace_init(&pace, true);
	assert_int_equal(observe(&pace, 429, headers, 4, ""), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 90000 + 50);
}

static void test_the_clock_is_compared(void **state)
{
	(void)state;
	struct http_client_header none[] = {{"Server", "x"}};
	struct http_client_header fresh[] = {{"Date", DATE}};
	struct http_client_header cached[] = {{"Date", DATE}, {"Age", "86300"}};
	struct pace pace;
	pace_init(&pace, true);
	(void)observe(&pace, 200, none, 1, "[]");
	assert_false(pace.clock_known);
	assert_false(pace_clock_is_off(&pace));
	(void)observe(&pace, 200, fresh, 1, "[]");
	assert_true(pace_clock_is_off(&pace));
	assert_int_equal(pace.clock_ahead_us, INT64_C(86400) * 1000000);
	/* An old answer from a cache is no wrong clock. */
	(void)observe(&pace, 200, cached, 2, "[]");
	assert_int_equal(pace.clock_ahead_us, INT64_C(100) * 1000000);
	pace.clock_ahead_us = INT64_C(-61) * 1000000;
	assert_true(pace_clock_is_off(&pace));
	pace.clock_ahead_us = INT64_C(-60) * 1000000;
	assert_false(pace_clock_is_off(&pace));
}

static void test_retry_after_in_both_forms(void **state)
{
	(void)state;
	struct http_client_header seconds[] = {{"Date", DATE}, {"Retry-After", "30"}};
	struct http_client_header date[] = {{"Date", DATE}, {"Retry-After", "Tue, 15 Sep 2026 12:02:00 GMT"}};
	struct pace pace;
	pace_init(&pace, false);
	assert_int_equal(observe(&pace, 403, seconds, 2, "abuse"), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 30050);
	pace_init(&pace, false);
	assert_int_equal(observe(&pace, 429, date, 2, ""), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 120050);
}

static void test_secondary_limit_without_time_doubles(void **state)
{
	(void)state;
	struct http_client_header headers[] = {{"Date", DATE}};
	struct pace pace;
	pace_init(&pace, false);
	const char body[] = "{\"message\":\"You have exceeded a secondary rate limit\"}";
	assert_int_equal(observe(&pace, 403, headers, 1, body), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 60000);
	assert_int_equal(observe(&pace, 403, headers, 1, body), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 120000);
	/* A good answer ends the doubling. */
	assert_int_equal(observe(&pace, 200, headers, 1, "[]"), PACE_OK);
	assert_int_equal(pace.secondary_in_row, 0);
}

static void test_forbidden_without_limit_is_not_waited_for(void **state)
{
	(void)state;
	struct http_client_header headers[] = {{"x-ratelimit-remaining", "4000"}, {"x-ratelimit-reset", "1900000000"}};
	struct pace pace;
	pace_init(&pace, false);
	assert_int_equal(observe(&pace, 403, headers, 2, "{\"message\":\"Resource not accessible\"}"), PACE_GONE);
	assert_int_equal(pace.blocked_until_ms, 0);
}

static void test_other_verdicts(void **state)
{
	(void)state;
	static const struct {
		int status;
		enum pace_verdict verdict;
	} cases[] = {{304, PACE_NOT_MODIFIED}, {301, PACE_REDIRECT}, {302, PACE_REDIRECT}, {307, PACE_REDIRECT},
		     {308, PACE_REDIRECT},     {401, PACE_UNAUTHORIZED}, {404, PACE_GONE}, {422, PACE_END},
		     {500, PACE_FAILED},       {502, PACE_FAILED},   {503, PACE_FAILED},   {418, PACE_FAILED}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct pace pace;
		pace_init(&pace, false);
		assert_int_equal(observe(&pace, cases[i].status, NULL, 0, ""), cases[i].verdict);
	}
}

static void test_spread(void **state)
{
	(void)state;
	struct pace pace;
	pace_init(&pace, true);
	assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 0);
	pace.quota_limit = 60;
	pace.quota_remaining = 57;
	pace.reset_at_ms = NOW_MS + 3600000;
	assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 3600000 / 19);
	pace.quota_remaining = 2;
	assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 3600000);
	/* With a token there is plenty until half is used. */
	pace.anonymous = false;
	pace.quota_limit = 5000;
	pace.quota_remaining = 2501;
	assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 0);
	pace.quota_remaining = 2400;
	assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 3600000 / 800);
}

static void test_backoff_grows_within_bounds(void **state)
{
	(void)state;
	for (int64_t n = 1; n < 100; n++)
		for (uint64_t random = 0; random < 5000; random += 997) {
			int64_t wait_ms = pace_backoff_ms(n, random);
			assert_true(wait_ms >= 500 && wait_ms <= 300000);
		}
	assert_int_equal(pace_backoff_ms(1, 0), 1000);
	assert_int_equal(pace_backoff_ms(4, 0), 8000);
	assert_int_equal(pace_backoff_ms(60, 0), 300000);
}

static void test_hostile_headers(void **state)
{
	(void)state;
	struct http_client_header headers[] = {{"x-ratelimit-remaining", "-5"},
					       {"x-ratelimit-reset", "99999999999999999999"},
					       {"Retry-After", "soon"},
					       {"X-Poll-Interval", "86400000"}};
	struct pace pace;
	pace_init(&pace, false);
	assert_int_equal(observe(&pace, 200, headers, 4, "[]"), PACE_OK);
	assert_int_equal(pace.quota_remaining, -1);
	struct http_client_response response = make_response(200, headers, 4, "");
	assert_int_equal(pace_poll_interval_s(&response, 60), 3600);
	struct http_client_header huge[] = {{"Retry-After", "9999999999"}};
	assert_int_equal(observe(&pace, 429, huge, 1, ""), PACE_LIMITED);
	assert_true(pace.blocked_until_ms <= NOW_MS + 2 * 3600 * 1000 + 50);
}

/* A budget as large as the integers hold once overflowed when it was doubled. */
static void test_absurd_budgets_are_not_believed(void **state)
{
	(void)state;
	static const char *const odd[] = {"9223372036854775807", "-1", "enough", "1e9", "99999999999999999999"};
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		struct http_client_header headers[] = {{"Date", DATE},
						       {"x-ratelimit-limit", odd[i]},
						       {"x-ratelimit-remaining", odd[i]},
						       {"x-ratelimit-reset", "99999999999"}};
		struct pace pace;
		pace_init(&pace, false);
		assert_int_equal(observe(&pace, 200, headers, 4, "[]"), PACE_OK);
		assert_int_equal(pace.quota_remaining, -1);
		assert_int_equal(pace_sweep_gap_ms(&pace, NOW_MS, 3), 0);
		assert_int_equal(pace_allowed_at_ms(&pace, NOW_MS), NOW_MS);
	}
}

static void test_an_interval_that_is_not_said_is_missing(void **state)
{
	(void)state;
	struct http_client_header odd[][1] = {{{"X-Poll-Interval", "-5"}}, {{"X-Poll-Interval", "soon"}}, {{"Date", DATE}}};
	for (size_t i = 0; i < ARRAY_COUNT(odd); i++) {
		struct http_client_response response = make_response(200, odd[i], 1, "");
		assert_int_equal(pace_poll_interval_s(&response, -1), -1);
		assert_int_equal(pace_poll_interval_s(&response, 60), 60);
	}
	struct http_client_header none[] = {{"X-Poll-Interval", "0"}};
	struct http_client_response response = make_response(200, none, 1, "");
	assert_int_equal(pace_poll_interval_s(&response, -1), 0);
}

static void test_a_limit_that_asks_for_no_wait_is_waited_for_all_the_same(void **state)
{
	(void)state;
	struct http_client_header past[] = {{"Date", DATE},
					    {"x-ratelimit-remaining", "0"},
					    {"x-ratelimit-reset", "1500000000"}};
	struct http_client_header zero[] = {{"Date", DATE}, {"Retry-After", "0"}};
	struct pace pace;
	pace_init(&pace, false);
	assert_int_equal(observe(&pace, 403, past, 3, ""), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 1000);
	assert_int_equal(observe(&pace, 429, zero, 2, ""), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 2000);
	for (int i = 0; i < 20; i++)
		assert_int_equal(observe(&pace, 403, past, 3, ""), PACE_LIMITED);
	assert_int_equal(pace.blocked_until_ms, NOW_MS + 300000);
	assert_int_equal(observe(&pace, 304, zero, 1, ""), PACE_NOT_MODIFIED);
	assert_int_equal(pace.limited_in_row, 0);
}

static void test_a_refused_token_is_not_shown_again_soon(void **state)
{
	(void)state;
	struct pace pace;
	pace_init(&pace, false);
	static const int64_t waits_ms[] = {60000, 120000, 240000, 480000, 960000, 1920000, 3600000, 3600000};
	for (size_t i = 0; i < ARRAY_COUNT(waits_ms); i++) {
		assert_int_equal(observe(&pace, 401, NULL, 0, ""), PACE_UNAUTHORIZED);
		assert_int_equal(pace_allowed_at_ms(&pace, NOW_MS), NOW_MS + waits_ms[i]);
	}
	/* Not for the next start, which may bring another token. */
	assert_int_equal(pace_limit_ends_ms(&pace, NOW_MS), NOW_MS);
	assert_int_equal(observe(&pace, 200, NULL, 0, "[]"), PACE_OK);
	assert_int_equal(pace.refused_in_row, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exhausted_budget_waits_for_reset),
		cmocka_unit_test(test_the_clock_is_compared),
		cmocka_unit_test(test_retry_after_in_both_forms),
		cmocka_unit_test(test_secondary_limit_without_time_doubles),
		cmocka_unit_test(test_forbidden_without_limit_is_not_waited_for),
		cmocka_unit_test(test_other_verdicts),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_backoff_grows_within_bounds),
		cmocka_unit_test(test_hostile_headers),
		cmocka_unit_test(test_absurd_budgets_are_not_believed),
		cmocka_unit_test(test_an_interval_that_is_not_said_is_missing),
		cmocka_unit_test(test_a_limit_that_asks_for_no_wait_is_waited_for_all_the_same),
		cmocka_unit_test(test_a_refused_token_is_not_shown_again_soon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
