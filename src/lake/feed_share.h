/* SPDX-License-Identifier: Apache-2.0 */
/* feed_share.h - what share of a feed was seen, from what the sweeps measured: the event time that
 * they covered over the event time that went by between the first and the last of them.
 *
 * The first sweep only starts the clock: what it covered lies before. Fewer than two sweeps with
 * events, or no event time between them, and the share is not known. */
#ifndef LAKE_FEED_SHARE_H
#define LAKE_FEED_SHARE_H

#include "lake/catalog.h"

struct feed_share {
	bool known;
	int64_t streams;
	int64_t sweeps;     /* that were compared, the first of each stream included */
	int64_t covered_us; /* event time, added up over the streams */
	int64_t elapsed_us;
	int64_t from_us;    /* the stretch that was measured */
	int64_t to_us;
};

/* 0..1; only when it is known. */
double feed_share_ratio(const struct feed_share *share);

/* Of coverages as catalog_list_coverage gives them (by stream, then in order): those of `/events`,
 * and of all other streams together. */
void feed_share_measure(const struct sweep_coverage *coverages, size_t count, struct feed_share *public_out,
			struct feed_share *watched_out);

/* The same over the sweeps that started in the last hour before `now_us`. */
MUST_CHECK bool feed_share_read(struct catalog *catalog, int64_t now_us, struct feed_share *public_out,
				struct feed_share *watched_out, struct err *err);

#endif
