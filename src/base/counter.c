/* SPDX-License-Identifier: Apache-2.0 */
#include "base/counter.h"

#include <assert.h>
#include <stdatomic.h>

static _Atomic int64_t totals[COUNTER_COUNT];

void counter_add(enum counter counter, int64_t amount)
{
	assert(counter < COUNTER_COUNT);
	atomic_fetch_add_explicit(&totals[counter], amount, memory_order_relaxed);
}

int64_t counter_read(enum counter counter)
{
	assert(counter < COUNTER_COUNT);
	return atomic_load_explicit(&totals[counter], memory_order_relaxed);
}

const char *counter_name(enum counter counter)
{
	static const char *const names[COUNTER_COUNT] = {
		[COUNTER_POLL_REQUESTS] = "poll_requests",
		[COUNTER_POLL_NOT_MODIFIED] = "poll_not_modified",
		[COUNTER_POLL_LIMITED] = "poll_limited",
		[COUNTER_POLL_FAILURES] = "poll_failures",
		[COUNTER_EVENTS_RECEIVED] = "events_received",
		[COUNTER_EVENTS_STORED] = "events_stored",
		[COUNTER_EVENTS_DUPLICATE] = "events_duplicate",
		[COUNTER_EVENTS_FILTERED] = "events_filtered",
		[COUNTER_EVENTS_QUARANTINED] = "events_quarantined",
		[COUNTER_BATCHES_STORED] = "batches_stored",
		[COUNTER_GOLD_LOADS] = "gold_loads",
		[COUNTER_STAGE_FAILURES] = "stage_failures",
		[COUNTER_HTTP_REQUESTS] = "http_requests",
		[COUNTER_HTTP_ERRORS] = "http_errors",
		[COUNTER_QUERY_TIMEOUTS] = "query_timeouts",
	};
	assert(counter < COUNTER_COUNT);
	return names[counter];
}
