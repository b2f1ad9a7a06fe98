/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.h - one walk over a stream's pages, from the newest event back to what is known.
 *
 * The walk ends at a page that brings nothing new, at a short page, or at page 3. Its cursor (ETags,
 * keys met) moves only when the walk came to such an end: after a failure in the middle the next
 * sweep walks again, at least as far as this one failed. */
#ifndef INGEST_SWEEP_H
#define INGEST_SWEEP_H

#include "ingest/fetch.h"
#include "ingest/pending.h"
#include "ingest/seen.h"
#include "ingest/type_guard.h"

enum { SWEEP_PAGE_EVENTS = 100 };

/* One stream between its sweeps. */
struct stream {
	struct cursor cursor;
	int64_t due_ms;          /* monotonic; when to ask again */
	int64_t failures_in_row;
	int walk_pages_min;      /* the sweep before failed on this page, or doubted that it was the last: do
				  * not stop earlier. 0: none */
	bool quiet;              /* its last sweep found nothing to walk */
	bool unstored;           /* its cursor moved in memory only: store before asking again */
	uint64_t window_hash;    /* of the pages as they were last shown */
	int64_t same_window_in_row; /* answers of 200 that showed them again */
	int64_t not_modified_in_row;
	int64_t stale_in_row;    /* rows of 304 that only an answer without a tag ended, with news */
};

enum {
	/* So many answers of 304 in a row, and the stream is asked without its tag: a stale cache would
	 * say 304 for ever. Half an hour at GitHub's pace. */
	SWEEP_NOT_MODIFIED_MAX = 30,
	/* After so many rows of 304 that hid news, the stream's tags are not believed any more. */
	SWEEP_STALE_MAX = 2,
	/* After the same pages so often in a row under changing tags, the stream counts as quiet. */
	SWEEP_SAME_WINDOW_QUIET = 3,
};

/* What a sweep works with. */
struct sweeper {
	const struct ingest_options *options;
	struct fetcher *fetcher;
	struct scan_plan *plan;
	struct seen *seen;
	struct type_guard *types;
	struct pending *pending;
	int64_t expired_before_us; /* events of before it are filtered; 0: none are */
	/* Called when `pending` has reached the options' count or bytes. */
	bool (*store)(void *context, struct err *err);
	void *store_context;
	bool bears_refusal; /* a refused token is waited out, not fatal */
};

enum sweep_outcome {
	SWEEP_DONE,    /* its record, whatever its status, waits in pending */
	SWEEP_STOPPED, /* asked to stop: what was received waits in pending, the cursor stays */
	SWEEP_FATAL,   /* err says why ingestion ends: a refused token, or storing failed */
};

/* Sweeps and sets stream->due_ms by X-Poll-Interval, or by backoff after a failure. */
enum sweep_outcome sweep_stream(struct sweeper *sweeper, struct stream *stream, struct sweep *record_out,
				struct err *err);

#endif
