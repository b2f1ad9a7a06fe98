/* SPDX-License-Identifier: Apache-2.0 */
/* gold_coverage.c - the minutes that sweeps covered, out of the catalog's ledger. */
#include "gold/gold_private.h"

#include "lake/retention.h"

enum { SWEEPS_MAX = 1000, SWEEP_DAYS_MAX = 400 };

static bool is_covering(const struct sweep *sweep)
{
	return sweep->covered_from_us > 0 && sweep->covered_to_us >= sweep->covered_from_us;
}

static bool add_intervals(const struct gold *gold, struct duck_connection *connection, const struct value *begins,
			  const struct value *ends, size_t count, int64_t *added_out, struct err *err)
{
	static const char count_sql[] = "SELECT count(*) FROM coverage";
	const struct value values[] = {
		value_list(VALUE_TIME, begins, count),
		value_list(VALUE_TIME, ends, count),
		value_time(gold->kept_from_us),
	};
	int64_t before = 0;
	int64_t after = 0;
	if (!duck_query_integer(connection, count_sql, NULL, 0, 0, &before, err)
	    || !gold_schema_run(connection, "load_coverage.sql", values, ARRAY_COUNT(values), err)
	    || !duck_query_integer(connection, count_sql, NULL, 0, 0, &after, err))
		return false;
	*added_out = after - before;
	return true;
}

bool gold_coverage_add_joined(const struct gold *gold, struct duck_connection *connection, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	const struct retention_interval *intervals;
	size_t count;
	int64_t added;
	if (!retention_list_covered(gold->options.catalog, &arena, &intervals, &count, err))
		return err_wrap(err, "coverage");
	struct value *begins = arena_allocate(&arena, count, sizeof(*begins));
	struct value *ends = arena_allocate(&arena, count, sizeof(*ends));
	if (!begins || !ends)
		return err_set(err, ERR_LOCAL, "too many intervals");
	for (size_t i = 0; i < count; i++) {
		begins[i] = value_time(intervals[i].from_us);
		ends[i] = value_time(intervals[i].to_us - 1); /* that minute is not in it */
	}
	return count == 0 || add_intervals(gold, connection, begins, ends, count, &added, err);
}

bool gold_coverage_add(const struct gold *gold, struct duck_connection *connection, int64_t sweep,
		       int64_t *sweep_out, int64_t *added_out, struct err *err)
{
	/* An interval without an end would be a fault of ours; it shall not fill the disk. */
	static const int64_t interval_us_max = SWEEP_DAYS_MAX * INT64_C(86400) * 1000000;
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	const struct sweep *sweeps;
	size_t sweep_count;
	if (!catalog_list_sweeps(gold->options.catalog, sweep, false, SWEEPS_MAX, &arena, &sweeps, &sweep_count,
		    err))
		return err_wrap(err, "coverage");
	struct value begins[SWEEPS_MAX];
	struct value ends[SWEEPS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < sweep_count; i++) {
		sweep = sweeps[i].id;
		if (!is_covering(&sweeps[i]))
			continue;
		int64_t from_us = sweeps[i].covered_from_us;
		int64_t to_us = sweeps[i].covered_to_us;
		begins[count] = value_time(to_us - from_us > interval_us_max ? to_us - interval_us_max : from_us);
		ends[count] = value_time(to_us);
		count++;
	}
	*added_out = 0;
	if (count > 0 && !add_intervals(gold, connection, begins, ends, count, added_out, err))
		return err_wrap(err, "coverage");
	*sweep_out = sweep;
	return true;
}
