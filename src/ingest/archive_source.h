/* SPDX-License-Identifier: Apache-2.0 */
/* archive_source.h - what an import reads from, as a person writes it: arguments to a bounded list.
 *
 *     2026-09-20-7                     one hour, UTC (2026-09-20-07 is the same)
 *     2026-09-20                       a day; of today the hours that are over
 *     2026-09-20..2026-09-27           from and to, both inside; hours and days may be mixed
 *     2026-09-{20..27}-{0..23}         braces as in bash: {a..b} and {a,b,c}, at most 8 in an argument; in
 *                                      paths and URLs too
 *     data/2015-01-01-15.json.gz       a file; or a pipe, which is read as "-" is
 *     'data/2015-*.json.gz'            a pattern, when the shell left it alone
 *     data/                            the files *.json, *.ndjson, *.jsonl, also with .gz, directly in it
 *     https://host/2015-01-01-15.json.gz
 *     -                                standard input
 *
 * In the order given; within a folder or pattern by name with numbers as numbers, so 2015-01-01-9 comes before
 * 2015-01-01-10. What is named twice comes once: hours by time, files by inode, URLs by text. What looks like a
 * date is one: a folder of that name is written ./2026-09-20. */
#ifndef INGEST_ARCHIVE_SOURCE_H
#define INGEST_ARCHIVE_SOURCE_H

#include "base/arena.h"
#include "base/err.h"

enum {
	ARCHIVE_SOURCES_MAX = 200 * 1000, /* 22 years of hours */
	ARCHIVE_ARGUMENT_BYTES_MAX = 2048,
	ARCHIVE_BRACES_MAX = 8,
	/* Carries as many hours, and as many files of 200 bytes each. */
	ARCHIVE_SOURCES_ARENA_BYTES = 80 * 1024 * 1024,
};

enum archive_source_kind { ARCHIVE_HOUR, ARCHIVE_FILE, ARCHIVE_URL, ARCHIVE_STDIN };
const char *archive_source_kind_name(enum archive_source_kind kind); /* "hour", "file", "url", "stdin" */

struct archive_source {
	enum archive_source_kind kind;
	const char *name; /* the hour's name without padding, the path or URL as given, "-" */
	int64_t hour_us;  /* of an hour, or of the one that a file or URL is named after; else 0 */
};

struct archive_sources {
	const struct archive_source *items;
	size_t count;      /* at least 1 */
	size_t duplicates; /* named once more, left out */
	size_t unfinished; /* hours of today that are not over, left out */
};

/* Reads the arguments; files are looked for, nothing is opened or asked. `now_us` decides which hours are over.
 * ERR_INPUT with exit_code 2, in words for the person who wrote them: nothing named; no such hour, day or
 * file; nothing matches; days before 2011-02-12 and hours that are not over; a URL that is neither http nor
 * https or holds a password; more than ARCHIVE_SOURCES_MAX. Everything lives in `arena`. */
MUST_CHECK bool archive_sources_parse(const char *const *arguments, size_t count, int64_t now_us, struct arena *arena,
				      struct archive_sources *sources_out, struct err *err);

#endif
