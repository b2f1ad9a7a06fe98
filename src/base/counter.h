/* SPDX-License-Identifier: Apache-2.0 */
/* counter.h - the process's running totals, for logs, the pipeline panel and later /metrics.
 * Any thread may add; a reader sees each counter whole, not all of them at one instant. */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stdint.h>

enum counter {
	COUNTER_POLL_REQUESTS,       /* answers of any status from GitHub */
	COUNTER_POLL_NOT_MODIFIED,   /* of them, 304 */
	COUNTER_POLL_LIMITED,        /* of them, 403 and 429 that mean a limit */
	COUNTER_POLL_FAILURES,       /* requests that ended in an error of any kind */
	COUNTER_EVENTS_RECEIVED,
	COUNTER_EVENTS_STORED,
	COUNTER_EVENTS_DUPLICATE,
	COUNTER_EVENTS_FILTERED,
	COUNTER_EVENTS_QUARANTINED,
	COUNTER_BATCHES_STORED,
	COUNTER_GOLD_LOADS,
	COUNTER_STAGE_FAILURES,
	COUNTER_HTTP_REQUESTS,
	COUNTER_HTTP_ERRORS,         /* of them, status 500 and above */
	COUNTER_QUERY_TIMEOUTS,
	COUNTER_COUNT,
};

void counter_add(enum counter counter, int64_t amount);
int64_t counter_read(enum counter counter);
const char *counter_name(enum counter counter); /* "events_received" */

#endif
