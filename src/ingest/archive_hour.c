/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/archive_hour.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum { DATE_BYTES = 10 };

struct archive_hour_name archive_hour_name(int64_t hour_us)
{
	struct archive_hour_name name;
	int hour = (int)(hour_us / ARCHIVE_HOUR_US % 24);
	(void)snprintf(name.text, sizeof(name.text), "%.10s-%d", time_render_date(hour_us).text, hour);
	return name;
}

bool archive_hour_parse_day(struct span name, int64_t *hour_us_out)
{
	char text[DATE_BYTES + sizeof("T00:00:00Z")];
	if (name.size != DATE_BYTES)
		return false;
	(void)snprintf(text, sizeof(text), "%.10sT00:00:00Z", name.data);
	return time_parse(span_of(text), hour_us_out);
}

bool archive_hour_parse(struct span name, int64_t *hour_us_out)
{
	int64_t day_us;
	int64_t hour;
	if (name.size < DATE_BYTES + 2 || name.size > DATE_BYTES + 3 || name.data[DATE_BYTES] != '-')
		return false;
	struct span digits = span_make(name.data + DATE_BYTES + 1, name.size - DATE_BYTES - 1);
	if (digits.data[0] == '-' || !span_parse_int64(digits, &hour) || hour > 23
	    || !archive_hour_parse_day(span_make(name.data, DATE_BYTES), &day_us))
		return false;
	*hour_us_out = day_us + hour * ARCHIVE_HOUR_US;
	return true;
}

int64_t archive_hour_of_path(struct span path)
{
	int64_t hour_us;
	size_t end = 0;
	while (end < path.size && path.data[end] != '?' && path.data[end] != '#')
		end++;
	size_t start = end;
	while (start > 0 && path.data[start - 1] != '/')
		start--;
	struct span name = span_make(path.data + start, end - start);
	struct span rest;
	(void)span_split(name, '.', &name, &rest);
	return archive_hour_parse(name, &hour_us) && hour_us >= ARCHIVE_HOUR_FIRST_US ? hour_us : 0;
}
