/* SPDX-License-Identifier: Apache-2.0 */
/* app/retention.h - keeps each layer within its limits of age and bytes. Decision 0014.
 *
 * In the refresh thread (the writer of silver and gold) every few seconds, and by `octolake retain`.
 * The order makes each layer a superset of what the one above was made from, as far as it is kept: gold
 * lets go first, then silver, then bronze. Ages are of the event's own time, in whole UTC days. */
#ifndef APP_RETENTION_H
#define APP_RETENTION_H

#include "app/config.h"
#include "gold/gold.h"
#include "lake/retention.h"
#include "silver/silver.h"

struct retention_limits {
	int64_t age_ms[RETENTION_LAYER_COUNT];    /* 0: for ever */
	int64_t bytes_max[RETENTION_LAYER_COUNT]; /* INT64_MAX: any */
};
void retention_limits_read(const struct config *config, struct retention_limits *limits_out);
/* None of bronze, silver and gold keeps everything. */
bool retention_limits_are_full(const struct retention_limits *limits);

struct retention_work {
	const struct retention_limits *limits;
	const struct layout *layout;
	struct catalog *catalog;
	struct silver *silver;
	struct gold *gold;
	const struct clock *clock;
	struct stop_flag *stop; /* may be NULL */
	bool may_compact;       /* live files that are in the way are compacted */
	bool dry_run;           /* only counts; what waits for compaction is not seen */
};

struct retention_report {
	struct retention_total totals[RETENTION_LAYER_COUNT]; /* what this call removed, or would */
	bool compacted;
	bool more; /* the call's bound was reached: call again */
	bool not_backed_up; /* no room for the catalog's backup; the next call tries again */
};

/* One bounded step of everything. */
MUST_CHECK bool retention_run(const struct retention_work *work, struct retention_report *report_out,
			      struct err *err);
void retention_log(const struct retention_report *report);

#endif
