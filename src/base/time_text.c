/* SPDX-License-Identifier: Apache-2.0 */
/* time_text.c - instants as text. Calendar arithmetic is ours (days from civil, proleptic
 * Gregorian), because mktime depends on the zone of the process. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const int64_t SECOND_US = 1000000;
static const int64_t DAY_US = INT64_C(86400) * 1000000;

struct civil {
	int64_t year;
	int month; /* 1..12 */
	int day;   /* 1..31 */
};

/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_civil(struct civil date)
{
	int64_t year = date.month <= 2 ? date.year - 1 : date.year;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static struct civil civil_from_days(int64_t days)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month_shifted = (int)((5 * day_of_year + 2) / 153);
	int day = (int)(day_of_year - (153 * month_shifted + 2) / 5 + 1);
	int month = month_shifted < 10 ? month_shifted + 3 : month_shifted - 9;
	return (struct civil){year_of_era + era * 400 + (month <= 2), month, day};
}

static int64_t floor_divide(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static int64_t clamp_to_four_digit_years(int64_t time_us)
{
	int64_t first = days_from_civil((struct civil){0, 1, 1}) * DAY_US;
	int64_t last = days_from_civil((struct civil){10000, 1, 1}) * DAY_US - 1;
	return time_us < first ? first : time_us > last ? last : time_us;
}

struct time_text time_render(int64_t time_us)
{
	time_us = clamp_to_four_digit_years(time_us);
	int64_t days = floor_divide(time_us, DAY_US);
	int64_t of_day_us = time_us - days * DAY_US;
	struct civil date = civil_from_days(days);
	int64_t second = of_day_us / SECOND_US;
	struct time_text out;
	int size = snprintf(out.text, sizeof(out.text), "%04d-%02d-%02dT%02d:%02d:%02d", (int)date.year & 0x3fff,
			    date.month & 31, date.day & 63, (int)(second / 3600) & 31, (int)(second / 60 % 60) & 63,
			    (int)(second % 60) & 63);
	int fraction = (int)(of_day_us % SECOND_US);
	if (fraction != 0)
		(void)snprintf(out.text + size, sizeof(out.text) - (size_t)size, ".%06dZ", fraction & 0xfffff);
	else
		(void)snprintf(out.text + size, sizeof(out.text) - (size_t)size, "Z");
	return out;
}

struct time_text time_render_date(int64_t time_us)
{
	struct time_text out = time_render(time_us);
	out.text[10] = '\0';
	return out;
}

/* Reads exactly `count` digits at `*at`. */
static bool take_digits(struct span s, size_t *at, size_t count, int *value_out)
{
	if (s.size - *at < count)
		return false;
	int value = 0;
	for (size_t i = 0; i < count; i++) {
		char c = s.data[*at + i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += count;
	*value_out = value;
	return true;
}

static bool take_byte(struct span s, size_t *at, const char *accepted)
{
	if (*at >= s.size || s.data[*at] == '\0' || !strchr(accepted, s.data[*at]))
		return false;
	(*at)++;
	return true;
}

static bool is_date(struct civil date)
{
	static const int days_of_month[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (date.month < 1 || date.month > 12 || date.day < 1)
		return false;
	bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
	return date.day <= days_of_month[date.month - 1] + (date.month == 2 && leap);
}

static bool take_fraction(struct span s, size_t *at, int64_t *fraction_us_out)
{
	int64_t fraction_us = 0;
	size_t digits = 0;
	int64_t unit_us = SECOND_US / 10;
	while (*at < s.size && s.data[*at] >= '0' && s.data[*at] <= '9' && digits < 9) {
		fraction_us += unit_us * (s.data[*at] - '0');
		unit_us /= 10;
		digits++;
		(*at)++;
	}
	*fraction_us_out = fraction_us;
	return digits > 0;
}

static bool take_zone(struct span s, size_t *at, int64_t *offset_s_out)
{
	*offset_s_out = 0;
	if (take_byte(s, at, "Zz"))
		return true;
	(void)take_byte(s, at, " ");
	bool west = *at < s.size && s.data[*at] == '-';
	int hours = 0;
	int minutes = 0;
	if (!take_byte(s, at, "+-") || !take_digits(s, at, 2, &hours))
		return false;
	(void)take_byte(s, at, ":");
	if (!take_digits(s, at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset_s_out = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}

bool time_parse(struct span s, int64_t *time_us_out)
{
	int year, month, day, hour, minute, second;
	int64_t fraction_us = 0;
	int64_t offset_s = 0;
	size_t at = 0;
	if (!take_digits(s, &at, 4, &year) || !take_byte(s, &at, "-/") || !take_digits(s, &at, 2, &month)
	    || !take_byte(s, &at, "-/") || !take_digits(s, &at, 2, &day) || !take_byte(s, &at, "Tt ")
	    || !take_digits(s, &at, 2, &hour) || !take_byte(s, &at, ":") || !take_digits(s, &at, 2, &minute)
	    || !take_byte(s, &at, ":") || !take_digits(s, &at, 2, &second))
		return false;
	if (s.data[4] != s.data[7])
		return false;
	if (take_byte(s, &at, ".") && !take_fraction(s, &at, &fraction_us))
		return false;
	if (!take_zone(s, &at, &offset_s) || at != s.size)
		return false;
	struct civil date = {year, month, day};
	/* A leap second (":60") is the first instant of the next minute to us, as to DuckDB. */
	if (!is_date(date) || hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t seconds = days_from_civil(date) * 86400 + hour * 3600 + minute * 60 + second - offset_s;
	*time_us_out = seconds * SECOND_US + fraction_us;
	return true;
}

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char WEEKDAYS[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */

bool time_parse_http(struct span s, int64_t *time_us_out)
{
	int day, year, hour, minute, second;
	size_t at = 5;
	if (s.size != 29 || s.data[3] != ',' || s.data[4] != ' ' || memcmp(s.data + 25, " GMT", 4) != 0)
		return false;
	if (!take_digits(s, &at, 2, &day) || !take_byte(s, &at, " "))
		return false;
	int month = 0;
	for (int i = 0; i < 12; i++)
		if (memcmp(s.data + at, MONTHS + (ptrdiff_t)3 * i, 3) == 0)
			month = i + 1;
	at += 3;
	if (!take_byte(s, &at, " ") || !take_digits(s, &at, 4, &year) || !take_byte(s, &at, " ")
	    || !take_digits(s, &at, 2, &hour) || !take_byte(s, &at, ":") || !take_digits(s, &at, 2, &minute)
	    || !take_byte(s, &at, ":") || !take_digits(s, &at, 2, &second))
		return false;
	struct civil date = {year, month, day};
	if (!is_date(date) || hour > 23 || minute > 59 || second > 60)
		return false;
	*time_us_out = (days_from_civil(date) * 86400 + hour * 3600 + minute * 60 + second) * SECOND_US;
	return true;
}

struct time_text time_render_http(int64_t time_us)
{
	time_us = clamp_to_four_digit_years(time_us);
	int64_t days = floor_divide(time_us, DAY_US);
	struct civil date = civil_from_days(days);
	int second = (int)((time_us - days * DAY_US) / SECOND_US);
	int weekday = (int)(days % 7 < 0 ? days % 7 + 7 : days % 7);
	struct time_text out;
	(void)snprintf(out.text, sizeof(out.text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		       WEEKDAYS + (ptrdiff_t)3 * weekday, date.day & 63, MONTHS + (ptrdiff_t)3 * (date.month - 1),
		       (int)date.year & 0x3fff, second / 3600 & 31, second / 60 % 60 & 63, second % 60 & 63);
	return out;
}

bool duration_parse(struct span s, int64_t *duration_ms_out)
{
	static const struct {
		const char *suffix;
		int64_t unit_ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}};
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!span_ends_with(s, units[i].suffix))
			continue;
		struct span digits = {s.data, s.size - strlen(units[i].suffix)};
		int64_t count;
		int64_t duration_ms;
		if (!span_parse_int64(digits, &count) || count < 0
		    || __builtin_mul_overflow(count, units[i].unit_ms, &duration_ms)
		    || duration_ms < 1 || duration_ms > INT64_C(3155760000000))
			return false;
		*duration_ms_out = duration_ms;
		return true;
	}
	return false;
}
