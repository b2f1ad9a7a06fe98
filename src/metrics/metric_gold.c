/* SPDX-License-Identifier: Apache-2.0 */
/* metric_gold.c - metrics on gold: the only file that calls it. */
#include "metrics/metric_engine.h"

static bool describe(void *context, const char *sql, struct arena *arena, struct table *columns_out,
	size_t *parameter_count_out, struct err *err)
{
	return gold_describe(context, sql, arena, columns_out, parameter_count_out, err);
}

static bool run(void *context, const struct gold_query *query, struct arena *arena,
	struct table *table_out, struct gold_stamp *stamp_out, struct err *err)
{
	return gold_run_query(context, query, arena, table_out, stamp_out, err);
}

static void read_stamp(void *context, struct gold_stamp *stamp_out)
{
	gold_read_stamp(context, stamp_out);
}

static int64_t rollup_newest_us(void *context)
{
	return gold_rollup_newest_us(context);
}

static struct metric_engine engine_on(struct gold *gold)
{
	return (struct metric_engine){
		gold, describe, run, read_stamp, rollup_newest_us, gold_err_is_timeout};
}

struct metrics *metrics_create(const struct metrics_options *options)
{
	struct metric_engine engine = engine_on(options->gold);
	return metrics_create_on(options, options->gold ? &engine : NULL);
}

bool metrics_check(struct gold *gold, struct span text, const char *name, struct arena *arena,
	const struct metric_problem **problems_out, size_t *problem_count_out,
	size_t *metric_count_out)
{
	struct metric_engine engine = engine_on(gold);
	return metrics_check_on(gold ? &engine : NULL, text, name, arena, problems_out,
		problem_count_out, metric_count_out);
}
