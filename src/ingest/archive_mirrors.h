/* SPDX-License-Identifier: Apache-2.0 */
/* archive_mirrors.h - what fetchers share: options, base URLs, until when a mirror wants to be left alone.
 * For archive_*.c only. */
#ifndef INGEST_ARCHIVE_MIRRORS_H
#define INGEST_ARCHIVE_MIRRORS_H

#include "ingest/archive_fetch.h"

/* Filled in at creation and then only read, but for the last two. */
struct archive_mirrors {
	struct archive_fetch_options options; /* no field is 0 that has a default */
	char *user_agent;
	char *bases[ARCHIVE_MIRRORS_MAX];
	size_t count;
	pthread_mutex_t mutex;
	int64_t blocked_until_ms[ARCHIVE_MIRRORS_MAX]; /* monotonic */
	int fetchers;
};

/* False when there are ARCHIVE_FETCHERS_MAX already. */
MUST_CHECK bool archive_mirrors_enter(struct archive_mirrors *mirrors);
void archive_mirrors_leave(struct archive_mirrors *mirrors);
/* Of the mirror's blocks the latest holds. */
void archive_mirrors_block(struct archive_mirrors *mirrors, size_t mirror, int64_t until_ms);
int64_t archive_mirrors_blocked_until_ms(struct archive_mirrors *mirrors, size_t mirror);

#endif
