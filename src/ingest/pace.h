/* SPDX-License-Identifier: Apache-2.0 */
/* pace.h - when the next request may go out: GitHub's limits as arithmetic, without clock or
 * network, so that tests can walk through hours in no time.
 *
 * All waiting is on the monotonic clock; instants that GitHub names (reset, Retry-After as a date)
 * become waits by the answer's own Date header, so a wrong clock here does not matter (FACTS D 8).
 * Rules: docs.github.com "Rate limits for the REST API" and "Best practices" (FACTS A). */
#ifndef INGEST_PACE_H
#define INGEST_PACE_H

#include "wrap/http_client.h"

/* No wait that GitHub asks for is believed to be longer: a reset is never further off than an hour. */
enum { PACE_WAIT_MS_MAX = 2 * 3600 * 1000 };

struct pace {
	bool anonymous;
	int64_t quota_limit; /* -1: not known */
	int64_t quota_remaining;
	int64_t reset_at_ms;     /* monotonic; meaningful when quota_remaining >= 0 */
	int64_t reset_us;        /* as GitHub named it, for people */
	int64_t blocked_until_ms; /* monotonic; no request before it */
	int64_t refused_until_ms; /* likewise, after a 401; not to be kept across a restart: that may bring
				   * another token */
	int64_t secondary_in_row; /* secondary limits without Retry-After, for the exponential wait */
	int64_t limited_in_row;   /* answers that meant a limit, since the last good one */
	int64_t refused_in_row;
	bool clock_known;        /* an answer said what time it is there */
	int64_t clock_ahead_us;  /* our clock less GitHub's, by the last such answer; for people */
};

/* A clock that differs by more is said to be off. */
enum { PACE_CLOCK_TOLERANCE_S = 60 };
bool pace_clock_is_off(const struct pace *pace);

void pace_init(struct pace *pace, bool anonymous);

enum pace_verdict {
	PACE_OK,           /* 200 */
	PACE_NOT_MODIFIED, /* 304 */
	PACE_LIMITED,      /* 403 or 429 that mean a limit: blocked_until_ms is set */
	PACE_REDIRECT,     /* 301, 302, 307, 308 */
	PACE_END,          /* 422: past the end of the window */
	PACE_UNAUTHORIZED, /* 401: refused_until_ms is set, a minute ahead, doubling up to an hour */
	PACE_GONE,         /* 404, 410, 451, 403 without a limit: this stream is not to be had now */
	PACE_FAILED,       /* everything else */
};

/* Takes in an answer that arrived at `now_ms` (monotonic) and `wall_us`. */
enum pace_verdict pace_observe(struct pace *pace, const struct http_client_response *response, int64_t now_ms,
			       int64_t wall_us);

/* What time it is at GitHub, to the second, by an answer that arrived at `wall_us` of our clock. */
int64_t pace_server_now_us(const struct http_client_response *response, int64_t wall_us);

/* When limits let the next request go out: blocked_until_ms, or the reset when nothing remains. This is
 * what holds across a restart. */
int64_t pace_limit_ends_ms(const struct pace *pace, int64_t now_ms);

/* Earliest instant at which any request may go out: a limit, or a refusal that is waited out. */
int64_t pace_allowed_at_ms(const struct pace *pace, int64_t now_ms);

/* Least time between the starts of two sweeps that spreads what remains over the time to the reset,
 * when a sweep costs `requests_per_sweep`. 0 while there is plenty: with a token, until half of the
 * budget is used. Anonymous budgets are always spread. */
int64_t pace_sweep_gap_ms(const struct pace *pace, int64_t now_ms, int64_t requests_per_sweep);

/* Wait after the nth failure in a row (from 1): 1 s doubling to 5 minutes, `random` (any number)
 * taking up to half of it off. */
int64_t pace_backoff_ms(int64_t failures_in_row, uint64_t random);

/* X-Poll-Interval of an answer in seconds, at most an hour; `missing` when it is not there or no number. */
int64_t pace_poll_interval_s(const struct http_client_response *response, int64_t missing);

#endif
