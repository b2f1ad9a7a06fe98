/* SPDX-License-Identifier: Apache-2.0 */
/* hours_work.h - the threads of `octolake import HOUR...`: some fetch into bronze, some build silver from what
 * was fetched. They meet in a bounded queue of batches; each has its own handle of the catalog, and each
 * builder its own engine. */
#ifndef APP_HOURS_WORK_H
#define APP_HOURS_WORK_H

#include "app/session.h"
#include "ingest/archive_intake.h"
#include "silver/silver.h"

enum {
	HOURS_QUEUE_MAX = 4096,
	HOURS_THREADS_MAX = 256,
	HOURS_FETCHERS_MAX = 4, /* connections to one archive at once: it is somebody's gift */
	HOURS_GROUP_MAX = 6,    /* hours that one statement writes: fewer and larger files */
	HOURS_PROBLEMS_MAX = 1000,
	/* An hour of the archive with fewer events is listed: one a minute would have been a quiet day of 2011. */
	HOURS_EVENTS_MIN = 60,
	/* So many sources in a row that did not answer: the network is gone, and the others are not asked. */
	HOURS_UNANSWERED_MAX = 8,
};

/* An hour or file that is not there, or not whole. */
struct hours_problem {
	char name[ARCHIVE_NAME_BYTES_MAX + 1];
	const char *state; /* "missing", "unavailable", "damaged", "thin": it is there, and nearly empty */
	char reason[ARCHIVE_NOTE_BYTES_MAX + 1];
};

struct hours_totals {
	int64_t sources;     /* to be looked at: hours times mirrors, files */
	int64_t looked_at;
	int64_t known;       /* of those: there before */
	int64_t fetched;
	int64_t fetched_bytes;
	int64_t built;       /* in silver now */
	int64_t built_bytes; /* of JSON, as it was before gzip; 0 while it is not known */
	int64_t received, filtered, rows, duplicates, quarantined;
	int64_t files_written;
	int64_t problem_count;
};

struct hours_work_options {
	struct session *session;
	struct stop_flag *stop;
	const struct archive_source *sources;
	size_t source_count;
	struct archive_mirrors *mirrors; /* of hours */
	int threads;
	bool link;
	bool drop; /* bronze goes once it is in silver and sound */
	bool inflate_ahead; /* set by hours_work_start */
	int64_t memory_bytes_max; /* of each builder's engine */
};

struct hours_work;
/* Starts the threads; batches that wait since an import that was interrupted are built first. */
MUST_CHECK bool hours_work_start(const struct hours_work_options *options, struct hours_work **work_out,
				 struct err *err);
/* Waits until all is done, or `wait_ms` passed; *done_out. What is so far in *totals_out. */
void hours_work_wait(struct hours_work *work, int64_t wait_ms, struct hours_totals *totals_out, bool *done_out);
/* After the end: the first failure of a thread, if there was one. */
MUST_CHECK bool hours_work_result(struct hours_work *work, struct err *err);
/* Of those that are kept (HOURS_PROBLEMS_MAX); in the order of names. After the end. */
const struct hours_problem *hours_work_problems(struct hours_work *work, size_t *count_out);
/* Asks the threads to stop, and waits for them. */
void hours_work_destroy(struct hours_work **work);

#endif
