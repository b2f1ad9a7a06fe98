/* SPDX-License-Identifier: Apache-2.0 */
/* metric_engine.h - what metrics need of an engine. Gold in production (metric_gold.c); a small
 * database in memory in tests. */
#ifndef METRICS_METRIC_ENGINE_H
#define METRICS_METRIC_ENGINE_H

#include "metrics/metrics.h"

/* Functions as in gold.h, whose words hold; `context` comes first. Any thread. */
struct metric_engine {
	void *context;
	bool (*describe)(void *context, const char *sql, struct arena *arena,
		struct table *columns_out, size_t *parameter_count_out, struct err *err);
	bool (*run)(void *context, const struct gold_query *query, struct arena *arena,
		struct table *table_out, struct gold_stamp *stamp_out, struct err *err);
	void (*read_stamp)(void *context, struct gold_stamp *stamp_out);
	int64_t (*rollup_newest_us)(void *context);
	bool (*err_is_timeout)(const struct err *err);
};

/* metrics_create and metrics_check on any engine; NULL: syntax and placeholders only. The engine is
 * copied; options->gold is not looked at. */
struct metrics *metrics_create_on(
	const struct metrics_options *options, const struct metric_engine *engine);
bool metrics_check_on(const struct metric_engine *engine, struct span text, const char *name,
	struct arena *arena, const struct metric_problem **problems_out, size_t *problem_count_out,
	size_t *metric_count_out);

#endif
