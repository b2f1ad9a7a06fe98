/* SPDX-License-Identifier: Apache-2.0 */
/* rollups.c - the small tables that the built-in metrics keep in gold, so that they answer at once.
 */
#include "metrics/metrics.h"

static const struct rollup rollups[] = {
	{
		.name = "events_per_minute",
		.keys = {{"minute", "date_trunc('minute', created_at)", "TIMESTAMP"},
			{"type", "type", "VARCHAR"}},
		.key_count = 2,
		.measures = {{"events", ROLLUP_COUNT, NULL, "BIGINT"}},
		.measure_count = 1,
	},
	{
		.name = "pull_request_gaps",
		.filter = "type = 'PullRequestEvent' AND action = 'opened'",
		.keys = {{"repo_name", "repo_name", "VARCHAR"}},
		.key_count = 1,
		.measures = {{"opened", ROLLUP_COUNT, NULL, "BIGINT"},
			{"first_at", ROLLUP_MIN, "created_at", "TIMESTAMP"},
			{"last_at", ROLLUP_MAX, "created_at", "TIMESTAMP"}},
		.measure_count = 3,
	},
};

const struct rollup *metrics_rollups(size_t *count_out)
{
	*count_out = ARRAY_COUNT(rollups);
	return rollups;
}
