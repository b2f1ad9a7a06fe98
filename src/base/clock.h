/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - the seam through which all code sees time, and the text forms of instants.
 *
 * Wall time is for labels (UTC, microseconds since 1970), monotonic time for waiting and measuring.
 * Tests hand in a clock of their own. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/span.h"

#include <pthread.h>

struct clock {
	int64_t (*wall_us)(const struct clock *clock);
	int64_t (*monotonic_ms)(const struct clock *clock);
	void *state; /* for clocks of tests */
};

/* The machine's clocks. Lives for ever. */
const struct clock *clock_system(void);

int64_t clock_wall_us(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);

/* Sleeps on the machine's monotonic clock. For tools and tests: daemons wait on a stop_flag. */
void clock_sleep_ms(int64_t duration_ms);

/* A flag that many threads may wait on: set once, from any thread, and from signal handlers through
 * the daemon's signal thread. */
struct stop_flag {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool stopped;
	bool nudged; /* an early wake-up was asked for; taken by the waiter */
};

void stop_flag_init(struct stop_flag *flag);
void stop_flag_finish(struct stop_flag *flag);
void stop_flag_set(struct stop_flag *flag);
bool stop_flag_is_set(struct stop_flag *flag);
/* Wakes one stop_flag_wait early without stopping. */
void stop_flag_nudge(struct stop_flag *flag);
/* Waits until stopped, nudged, or `wait_ms` passed. True when stopped. */
bool stop_flag_wait(struct stop_flag *flag, int64_t wait_ms);

enum { TIME_TEXT_BYTES = 32 };

/* "2026-09-20T12:00:00Z", with ".123456" before the Z when there are microseconds. Years 0 to 9999;
 * outside them the nearest end. */
struct time_text {
	char text[TIME_TEXT_BYTES];
};
struct time_text time_render(int64_t time_us);

/* "2026-09-20" (UTC). */
struct time_text time_render_date(int64_t time_us);

/* RFC 3339 date-time: "T" or space, optional fraction (up to 9 digits, cut to microseconds), "Z" or
 * an offset; also the archive's "2012/06/14 15:00:00 -0700". The whole span. False when it is not a
 * time that exists. */
bool time_parse(struct span s, int64_t *time_us_out);

/* HTTP's "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7; only the preferred form). */
bool time_parse_http(struct span s, int64_t *time_us_out);
struct time_text time_render_http(int64_t time_us);

/* "90s", "15m", "2h", "7d", also "500ms" and a bare number of seconds. 1 ms to 100 years. */
bool duration_parse(struct span s, int64_t *duration_ms_out);

#endif
