/* SPDX-License-Identifier: Apache-2.0 */
/* ingest.h - polls GitHub's Events API and stores what it shows as bronze.
 *
 * A sweep of a stream walks pages of 100 by Link: all three while there is budget to spare, else until
 * one brings nothing new. What it found goes, with other streams', into a batch that is stored by count,
 * bytes or seconds, and always before the stream is asked again: no ETag is presented whose events are
 * not durable. X-Poll-Interval, x-ratelimit-* and Retry-After are obeyed to the letter, also across a
 * kill; the remaining budget is spread over the time to its reset. A redirect is followed on the same host only. */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "base/clock.h"
#include "base/disk.h"
#include "lake/catalog.h"

enum { INGEST_STREAM_COUNT_MAX = 1000 };

struct ingest_options {
	const struct layout *layout;
	const struct field_set *fields;
	const struct clock *clock;
	struct stop_flag *stop;        /* ends the run; also ends a request under way */
	const char *api_url;           /* "https://api.github.com" or an Enterprise Server's …/api/v3 */
	const char *token;             /* NULL: anonymous. Sent to api_url's host only, never logged. */
	const char *user_agent;
	const char *const *streams;    /* "/events", "/repos/o/r/events", "/orgs/o/events" */
	size_t stream_count;
	int64_t poll_interval_ms_min;  /* 0: what GitHub says; more: poll more seldom */
	int64_t flush_events;          /* store when so many events wait … */
	int64_t flush_bytes;
	int64_t flush_ms;              /* … or the oldest has waited so long */
	int64_t body_bytes_max;        /* of a page; 32 MiB */
	int64_t request_wait_ms_max;   /* 30 s */
	int64_t duration_ms;           /* 0: until stopped */
	int64_t disk_reserve_bytes;    /* base/disk.h; DISK_RESERVE_AUTOMATIC */
	bool drop_expired;             /* events that no layer keeps any more (lake/retention.h) are filtered */
	bool until_quiet;              /* end once every stream, asked again, had nothing new (or failed
					* five sweeps in a row) */
	/* Called on the poll thread after each stored batch. May be NULL. */
	void (*stored)(void *context, int64_t batch);
	void *stored_context;
};

struct ingest_report {
	int64_t batches;
	int64_t requests;
	int64_t sweeps;
	int64_t gaps;
	int64_t received;
	int64_t duplicates;
	int64_t filtered;
	int64_t quarantined;
	int64_t stored;
	bool quiet; /* ended because the feed was quiet */
};

/* What a person wants to see now. A copy; any thread. */
struct ingest_status {
	bool running;
	bool has_token;
	bool public_feed;          /* /events is among the streams */
	int64_t streams;
	int64_t last_poll_us;      /* 0: none yet */
	int64_t last_answer_us;    /* of status 200 or 304 */
	int64_t next_poll_us;
	int64_t quota_limit;       /* -1: not known */
	int64_t quota_remaining;
	int64_t quota_reset_us;    /* by our clock, as all times here */
	int64_t limited_until_us;  /* 0: not limited */
	int64_t poll_interval_s;
	int64_t failures_in_row;
	bool clock_known;
	bool clock_off;            /* by more than PACE_CLOCK_TOLERANCE_S */
	int64_t clock_ahead_s;     /* our clock less GitHub's */
	char last_error[256];      /* "" after success */
	int64_t paused_since_us;   /* for want of disk; 0: not paused */
};

struct ingest;
/* ERR_INPUT for a malformed URL or stream name (exit code 2). Options are copied but for layout,
 * fields, clock, stop, which must outlive it. */
MUST_CHECK bool ingest_create(const struct ingest_options *options, struct ingest **ingest_out, struct err *err);
void ingest_destroy(struct ingest **ingest);

/* Polls until stopped, over the duration, or quiet; stores what still waits before it returns. Logs
 * and survives everything that is ERR_RETRY or ERR_INPUT; other ERR_LOCAL ends it. While the disk has
 * less room than the reserve it is paused: nothing is asked for, what is pending is stored as soon as
 * that works, and it goes on by itself (base/disk.h); each change is logged once. *report_out is
 * written in every case. A bad token (401) ends it with ERR_LOCAL, exit code 5, unless the run has
 * neither duration nor until_quiet and GitHub gave a good answer before: then it is waited out (decision
 * 0011). until_quiet or a duration ends it with exit code 5 when no answer was ever good. */
MUST_CHECK bool ingest_run(struct ingest *ingest, struct ingest_report *report_out, struct err *err);

void ingest_read_status(struct ingest *ingest, struct ingest_status *status_out);

#endif
