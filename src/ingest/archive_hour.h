/* SPDX-License-Identifier: Apache-2.0 */
/* archive_hour.h - names of GH Archive's hours: "2026-09-20-7" is 07:00 to 08:00 UTC of that day.
 *
 * The archive's own names carry no padding: with it they have been 404 ever since (gharchive.org issue 105).
 * Padded ones are understood here, and never written. */
#ifndef INGEST_ARCHIVE_HOUR_H
#define INGEST_ARCHIVE_HOUR_H

#include "base/span.h"

/* 2011-02-12-0, the first hour that there is. */
#define ARCHIVE_HOUR_FIRST_US (INT64_C(1297468800) * 1000000)
#define ARCHIVE_HOUR_US (INT64_C(3600) * 1000000)

struct archive_hour_name {
	char text[24];
};
/* Of the hour that the instant lies in, without padding. */
struct archive_hour_name archive_hour_name(int64_t hour_us);

/* "2026-09-20-7" or "2026-09-20-07", the whole span. False for what is no hour of the calendar; not bounded to
 * the archive's years. */
bool archive_hour_parse(struct span name, int64_t *hour_us_out);
/* "2026-09-20": its first hour. */
bool archive_hour_parse_day(struct span name, int64_t *hour_us_out);

/* The hour that a path or URL is named after ("x/2015-01-01-15.json.gz": what stands before the first "." of
 * its last part), or 0. A hint only: which hours are inside, the events say. */
int64_t archive_hour_of_path(struct span path);

#endif
