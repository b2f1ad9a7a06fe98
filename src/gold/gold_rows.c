/* SPDX-License-Identifier: Apache-2.0 */
/* gold_rows.c - the rows of silver that become events: each key once, the lowest batch first.
 *
 * Temporary tables carry the steps: incoming (all rows, ranked), existing (what events has of those
 * keys), fresh (what is new). They exist inside of one transaction only. */
#include "gold/gold_private.h"

#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>

/* More ranges than this are looked up as one: planning them would take longer than the scan. */
enum { RANGES_MAX = 200, HOURS_MAX = 100000 };

#define HOUR_US (INT64_C(3600) * 1000000)

bool gold_rows_stage(const struct gold *gold, struct duck_connection *connection,
		     const struct lake_file *files, size_t file_count, const char *condition,
		     const struct value *values, size_t value_count, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = GOLD_SQL_BYTES_MAX};
	buf_append_text(&sql, "CREATE OR REPLACE TEMP TABLE incoming AS"
			      " SELECT *, row_number() OVER gold_key AS gold_rank,"
			      " first_value(batch) OVER gold_key AS gold_first_batch,"
			      " first_value(repo_id) OVER gold_key AS gold_first_repo_id,"
			      " first_value(repo_name) OVER gold_key AS gold_first_repo_name FROM ");
	if (!silver_append_relation(&sql, gold->options.layout, gold->options.fields, files, file_count, err))
		return false;
	if (condition) {
		buf_append_text(&sql, " WHERE ");
		buf_append_text(&sql, condition);
	}
	/* A batch has a key once, so this order leaves nothing to chance. */
	buf_append_text(&sql, " WINDOW gold_key AS (PARTITION BY id, type, created_at ORDER BY batch)");
	if (sql.failed)
		return err_set(err, ERR_LOCAL, "too many silver files for one statement");
	return duck_query(connection, sql.data, values, value_count, NULL, err)
	       || err_wrap(err, "reading silver");
}

static void append_range(struct buf *sql, bool first, int64_t from_us, int64_t to_us)
{
	buf_printf(sql,
		"%sSELECT id, type, created_at, repo_id, repo_name, batch FROM events"
		" WHERE created_at >= make_timestamp(%" PRId64 ") AND created_at < make_timestamp(%" PRId64 ")",
		first ? "" : " UNION ALL ", from_us, to_us);
}

/* The parts of events that the incoming rows can touch, hour by hour: a range from the oldest to the
 * newest would read everything when one event is years late. */
static void append_ranges(struct buf *sql, const struct table *hours)
{
	size_t count = 0;
	for (size_t i = 0; i < hours->row_count; i++)
		if (i == 0
		    || table_value(hours, i, 0)->time_us != table_value(hours, i - 1, 0)->time_us + HOUR_US)
			count++;
	bool one = count > RANGES_MAX || hours->truncated;
	for (size_t i = 0, next; i < hours->row_count; i = next) {
		int64_t from_us = table_value(hours, i, 0)->time_us;
		int64_t to_us = from_us + HOUR_US;
		for (next = i + 1; next < hours->row_count; next++) {
			int64_t hour_us = table_value(hours, next, 0)->time_us;
			if (!one && hour_us != to_us)
				break;
			to_us = hour_us + HOUR_US;
		}
		append_range(sql, i == 0, from_us, hours->truncated ? INT64_MAX : to_us);
	}
}

bool gold_rows_match(struct duck_connection *connection, bool none, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	CLEANUP(buf_finish) struct buf sql = {.size_max = GOLD_SQL_BYTES_MAX};
	struct table hours = {0};
	if (!none) {
		CLEANUP(duck_result_free) struct duck_result *result = NULL;
		if (!duck_query(connection,
			    "SELECT DISTINCT date_trunc('hour', created_at) AS hour FROM incoming ORDER BY hour",
			    NULL, 0, &result, err)
		    || !duck_result_read(result, &arena, HOURS_MAX, &hours, err))
			return err_wrap(err, "hours");
	}
	buf_append_text(&sql, "CREATE OR REPLACE TEMP TABLE existing AS"
			      " SELECT e.id, e.type, e.created_at, e.repo_id, e.repo_name, e.batch FROM (");
	if (hours.row_count > 0)
		append_ranges(&sql, &hours);
	else
		buf_append_text(&sql, "SELECT * FROM events WHERE false");
	buf_append_text(&sql, ") e SEMI JOIN incoming USING (id, type, created_at)");
	assert(!sql.failed);
	return duck_run(connection, sql.data, err) || err_wrap(err, "looking for duplicates");
}

bool gold_rows_decide(struct duck_connection *connection, struct err *err)
{
	return gold_schema_run(connection, "load_conflicts.sql", NULL, 0, err)
	       && gold_schema_run(connection, "load_fresh.sql", NULL, 0, err);
}

bool gold_rows_insert(struct duck_connection *connection, int64_t kept_from_us, struct err *err)
{
	const struct value from = value_time(kept_from_us);
	return (kept_from_us == 0
		       || duck_query(connection, "DELETE FROM fresh WHERE created_at < $1", &from, 1, NULL, err))
	       && gold_schema_run(connection, "load_events.sql", NULL, 0, err);
}

bool gold_rows_drop(struct duck_connection *connection, struct err *err)
{
	return duck_run(connection, "DROP TABLE incoming; DROP TABLE existing; DROP TABLE fresh", err);
}
