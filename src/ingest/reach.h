/* SPDX-License-Identifier: Apache-2.0 */
/* reach.h - how far back a full window of a feed reaches.
 *
 * A window that was cut off by its size holds the newest events, and stragglers: events that came into the
 * feed minutes or hours late (30 s to 6 h, FACTS A). The oldest of all would claim the time since the latest
 * straggler as covered, though nearly all of it was never shown. */
#ifndef INGEST_REACH_H
#define INGEST_REACH_H

#include <stddef.h>
#include <stdint.h>

/* The time that all but a twentieth of the events are not older than: claims a little less than was
 * seen, never more for stragglers up to that share. Sorts `times_us` in place. `count` > 0. */
int64_t reach_oldest_us(int64_t *times_us, size_t count);

/* The oldest time that lies at most `span_us` before the newest: an event of another year says nothing
 * about the time since. `count` > 0. */
int64_t reach_oldest_within_us(const int64_t *times_us, size_t count, int64_t span_us);

#endif
