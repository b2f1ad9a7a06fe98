/* SPDX-License-Identifier: Apache-2.0 */
/* hours.h - made-up hours of GH Archive: gzip files of JSON lines with the names, the shapes and about
 * the sizes of real ones, for benchmarks and tests that must not depend on a download.
 *
 * The bytes of an hour follow from the options and the hour alone: not from the number of threads, nor
 * from which other hours are made. All hours of one seed tell of the same repositories and people; ids
 * are unique over all hours of one number of events. What they are not:
 * - every hour has the same number of events and the same mix of types; real ones follow the day;
 * - repositories and people are a fixed set drawn from by rank (1/(rank + 3)); real ones grow by the hour;
 * - an issue or pull request lives within its hour; the one of the next hour has another number;
 * - texts are words at random (fake_github/synthetic_prose.h) and shorter than the longest real ones (no
 *   line beyond some 40 kB; real ones reach 35 MB); with full payloads issues, comments, releases and
 *   forks have the keys of today;
 * - no line is damaged, every line ends in a newline, no two keys of one hour are equal;
 * - the two id sequences of thin hours are further apart than GitHub's;
 * - gzip: one member and zlib's level 6 as real files, but with an empty stored block after each 512
 *   events, because several threads compress; 5.5 : 1, where recorded hours have 6.6 (2015) and 7.9 (2021).
 * docs/benchmarks.md holds the figures beside those of a real hour. */
#ifndef MAKE_HOURS_HOURS_H
#define MAKE_HOURS_HOURS_H

#include "base/err.h"
#include "base/span.h"

enum hours_era {
	HOURS_ERA_BY_DATE, /* thin from 2025-10-07 on */
	HOURS_ERA_FULL,
	HOURS_ERA_THIN,
};

enum {
	HOURS_EVENTS_MAX = 5000000,
	HOURS_OVERLAP_PERCENT_MAX = 50,
	HOURS_THREADS_MAX = 64,
};

struct hours_options {
	uint64_t seed;
	uint32_t events;          /* lines of a file, 1 to HOURS_EVENTS_MAX */
	/* Lines that are, byte for byte, the last ones of the hour before; none where the era changes. */
	uint32_t overlap_percent;
	uint32_t repositories;
	uint32_t people;
	enum hours_era era;
	int threads;
	int level; /* zlib's, 1 to 9 */
};

struct hours_report {
	uint64_t raw_bytes;
	uint64_t gzip_bytes;
};

struct hours_maker;

/* The world that the hours tell of. Heap. */
struct hours_maker *hours_create(const struct hours_options *options);
void hours_destroy(struct hours_maker **maker);

/* Writes the hour that begins at `start_us` (a whole hour since 2015-01-01) to `path`, replacing what is
 * there. ERR_LOCAL when it cannot be written. */
MUST_CHECK bool hours_write(struct hours_maker *maker, int64_t start_us, const char *path,
			    struct hours_report *report_out, struct err *err);

/* "2026-09-20-7" to its start; false when it is no hour since 2015-01-01. A padded hour is none: GH
 * Archive has no such names. */
MUST_CHECK bool hours_parse_name(const char *name, int64_t *start_us_out);
struct hours_name {
	char text[24];
};
struct hours_name hours_name_of(int64_t start_us);

#endif
