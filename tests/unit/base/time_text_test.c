/* SPDX-License-Identifier: Apache-2.0 */
/* time_text_test.c - instants and durations there and back. Expected numbers: `date -u +%s`. */
#include "tests/support/check.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const int64_t SECOND_US = 1000000;

static void known_instants(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t time_us;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1969-12-31T23:59:59Z", -1000000},
		{"1969-12-31T23:59:59.999999Z", -1},
		{"2000-02-29T12:34:56Z", INT64_C(951827696000000)},
		{"2012-06-14T22:00:00Z", INT64_C(1339711200000000)},
		{"2026-09-20T12:00:00.000001Z", INT64_C(1789905600000001)},
		{"0000-01-01T00:00:00Z", INT64_C(-62167219200000000)},
		{"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int64_t time_us = 77;
		assert_true(time_parse(span_of(cases[i].text), &time_us));
		assert_true(time_us == cases[i].time_us);
		assert_string_equal(time_render(cases[i].time_us).text, cases[i].text);
		assert_memory_equal(time_render_date(cases[i].time_us).text, cases[i].text, 10);
		assert_int_equal(strlen(time_render_date(cases[i].time_us).text), 10);
	}
	assert_string_equal(time_render(INT64_MAX).text, "9999-12-31T23:59:59.999999Z");
	assert_string_equal(time_render(INT64_MIN).text, "0000-01-01T00:00:00Z");
}

static void each_day_of_four_centuries(void **state)
{
	(void)state;
	static const int days_of_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t time_us = INT64_C(-11676096000) * SECOND_US; /* 1600-01-01 */
	char text[64];
	for (int year = 1600; year < 2000; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		for (int month = 1; month <= 12; month++)
			for (int day = 1; day <= days_of_month[month - 1] + (month == 2 && leap);
				day++) {
				(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year,
					month, day);
				int64_t parsed = 0;
				assert_true(time_parse(span_of(text), &parsed));
				assert_true(parsed == time_us);
				assert_string_equal(time_render(time_us).text, text);
				time_us += 86400 * SECOND_US;
			}
	}
	assert_true(time_us == INT64_C(946684800) * SECOND_US);
}

static void forms_of_the_same_instant(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"2012-06-14T22:00:00Z",
		"2012-06-14 22:00:00z",
		"2012-06-14t22:00:00.0Z",
		"2012/06/14 15:00:00 -0700",
		"2012-06-14T15:00:00-07:00",
		"2012-06-15T03:30:00+05:30",
		"2012-06-14T22:00:00.000000999Z",
		"2012-06-14T21:59:60Z",
		"2012-06-13T22:01:00-23:59",
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		int64_t time_us = 0;
		assert_true(time_parse(span_of(texts[i]), &time_us));
		assert_true(time_us == INT64_C(1339711200) * SECOND_US);
	}
	int64_t time_us = 0;
	assert_true(time_parse(span_of("2012-06-14T22:00:00.5Z"), &time_us));
	assert_true(time_us == INT64_C(1339711200500000));
}

static void times_that_do_not_exist(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"2012",
		"2012-06-14",
		"2012-06-14T22:00:00",
		"2012-06-14T22:00Z",
		"2012-13-01T00:00:00Z",
		"2012-00-01T00:00:00Z",
		"2012-01-00T00:00:00Z",
		"2012-06-31T00:00:00Z",
		"2011-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2012-06-14T24:00:00Z",
		"2012-06-14T00:60:00Z",
		"2012-06-14T00:00:61Z",
		"2012-06-14T22:00:00.Z",
		"2012-06-14T22:00:00.1234567890Z",
		"2012-06-14T22:00:00Z ",
		" 2012-06-14T22:00:00Z",
		"2012-06-14T22:00:00+24:00",
		"2012-06-14T22:00:00+01:60",
		"2012-06-14T22:00:00+1",
		"2012-06-14T22:00:00 Z",
		"-012-06-14T22:00:00Z",
		"2012-06/14T22:00:00Z",
		"2012-06-14X22:00:00Z",
		"12012-06-14T22:00:00Z",
		"2012-6-14T22:00:00Z",
	};
	int64_t time_us = 77;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (time_parse(span_of(texts[i]), &time_us))
			fail_msg("taken: %s", texts[i]);
	assert_false(time_parse((struct span){"2012-06-14\0T22:00:00Z", 21}, &time_us));
	assert_false(time_parse((struct span){0}, &time_us));
	assert_int_equal(time_us, 77);
}

static void http_dates(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t time_us;
	} cases[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000000)},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Wed, 31 Dec 1969 23:59:59 GMT", -1000000},
		{"Thu, 29 Feb 2024 23:59:59 GMT", INT64_C(1709251199000000)},
		{"Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799000000)},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		int64_t time_us = 77;
		assert_true(time_parse_http(span_of(cases[i].text), &time_us));
		assert_true(time_us == cases[i].time_us);
		assert_string_equal(time_render_http(time_us).text, cases[i].text);
	}
	static const char *const bad[] = {
		"",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 06 ovD 1994 08:49:37 GMT",
	};
	int64_t time_us = 77;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(time_parse_http(span_of(bad[i]), &time_us));
	assert_int_equal(time_us, 77);
}

static void durations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t duration_ms;
	} good[] = {
		{"90s", 90000},
		{"15m", 900000},
		{"2h", 7200000},
		{"7d", 604800000},
		{"500ms", 500},
		{"1ms", 1},
		{"60", 60000},
		{"36525d", INT64_C(3155760000000)},
	};
	static const char *const bad[] = {"", "s", "ms", "0", "0s", "-1s", "+1s", "1.5h", "1 h",
		"1H", "1w", "1h30m", "36526d", "99999999999999999d", "9223372036854775808", "s1"};
	int64_t duration_ms = 77;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		if (duration_parse(span_of(bad[i]), &duration_ms))
			fail_msg("taken: %s", bad[i]);
	assert_false(duration_parse((struct span){0}, &duration_ms));
	assert_int_equal(duration_ms, 77);
	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		assert_true(duration_parse(span_of(good[i].text), &duration_ms));
		assert_true(duration_ms == good[i].duration_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_instants),
		cmocka_unit_test(each_day_of_four_centuries),
		cmocka_unit_test(forms_of_the_same_instant),
		cmocka_unit_test(times_that_do_not_exist),
		cmocka_unit_test(http_dates),
		cmocka_unit_test(durations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
