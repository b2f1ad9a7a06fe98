/* SPDX-License-Identifier: Apache-2.0 */
/* gold_expire.c - events that are no longer kept. The catalog says from when on gold keeps them, before
 * anything goes: a crash between leaves rows that the next call takes out. */
#include "gold/gold_private.h"

#include "base/failpoint.h"
#include "lake/retention.h"

#include <inttypes.h>
#include <stdio.h>

enum { EXPIRE_ROWS_MAX = 2000000, SQL_BYTES_MAX = 128 };

#define DAY_US (INT64_C(86400) * 1000000)
#define MINUTE_US (INT64_C(60) * 1000000)

bool gold_expire_read(struct gold *gold, struct err *err)
{
	struct retention_total totals[RETENTION_LAYER_COUNT];
	if (!retention_read(gold->options.catalog, totals, err))
		return false;
	gold->kept_from_us = totals[RETENTION_GOLD].kept_from_us;
	return true;
}

int64_t gold_last_sweep(const struct gold *gold)
{
	return gold->sweep;
}

/* All groups again: a minimum cannot be taken back from, and the scan is the same for one group as for
 * all of them. */
static bool remake_rollups(const struct gold *gold, struct duck_connection *connection, struct err *err)
{
	for (size_t i = 0; i < gold->options.rollup_count; i++) {
		const struct rollup *rollup = &gold->options.rollups[i];
		char sql[SQL_BYTES_MAX];
		(void)snprintf(sql, sizeof(sql), "DELETE FROM rollup_%s", rollup->name);
		if (!duck_run(connection, sql, err) || !gold_rollup_add(connection, rollup, "events", err))
			return false;
	}
	return true;
}

static bool remove_rows(const struct gold *gold, struct duck_connection *connection, int64_t before_us,
			struct err *err)
{
	const struct value before = value_time(before_us);
	return duck_query(connection, "DELETE FROM events WHERE created_at < $1", &before, 1, NULL, err)
	       && duck_query(connection, "DELETE FROM coverage WHERE minute < $1", &before, 1, NULL, err)
	       && remake_rollups(gold, connection, err)
	       && duck_run(connection, "UPDATE meta SET loads = loads + 1", err);
}

static bool remove_before(struct gold *gold, int64_t before_us, struct err *err)
{
	struct duck_connection *connection = gold->current->loader;
	if (!duck_begin(connection, err))
		return false;
	if (!remove_rows(gold, connection, before_us, err)) {
		duck_rollback(connection);
		return false;
	}
	return duck_commit(connection, err) && gold_refresh_stamp(gold, err)
	       && gold_load_checkpoint(gold, connection, true, err);
}

static bool count_before(const struct gold *gold, int64_t before_us, int64_t *count_out, struct err *err)
{
	const struct value before = value_time(before_us);
	static const char sql[] = "SELECT count(*) FROM events WHERE created_at < $1";
	return duck_query_integer(gold->current->loader, sql, &before, 1, 0, count_out, err);
}

/* Up to where one transaction goes: all of it, or, when that is much, the oldest day. */
static bool choose_step(const struct gold *gold, int64_t *before_us_out, int64_t *rows_out, struct err *err)
{
	*before_us_out = gold->kept_from_us;
	if (!count_before(gold, *before_us_out, rows_out, err))
		return false;
	if (*rows_out <= EXPIRE_ROWS_MAX)
		return true;
	int64_t day_us = gold->stamp.oldest_event_us - gold->stamp.oldest_event_us % DAY_US + DAY_US;
	if (day_us < *before_us_out)
		*before_us_out = day_us;
	return count_before(gold, *before_us_out, rows_out, err);
}

bool gold_expire(struct gold *gold, struct stop_flag *stop, int64_t *rows_out, struct err *err)
{
	FAILPOINT_SCOPE("gold.expire");
	int64_t removed = 0;
	*rows_out = 0;
	if (!gold_expire_read(gold, err))
		return err_wrap(err, "retention of gold");
	while (gold->kept_from_us != 0 && !gold_needs_rebuild(gold) && !gold_is_broken(gold)
		&& !(stop && stop_flag_is_set(stop))) {
		int64_t before_us;
		int64_t rows;
		int64_t oldest_us = gold->stamp.oldest_event_us;
		if (gold->stamp.rows == 0 || oldest_us >= gold->kept_from_us)
			break;
		if (!choose_step(gold, &before_us, &rows, err) || !remove_before(gold, before_us, err))
			return err_wrap(err, "retention of gold");
		removed += rows;
	}
	*rows_out = removed;
	return true;
}

bool gold_choose_expired(struct gold *gold, int64_t bytes_max, int64_t *before_us_out, struct err *err)
{
	static const char used_sql[] = "SELECT sum(used_blocks * block_size)::BIGINT FROM pragma_database_size()"
				       " WHERE database_name = current_database()";
	char time_sql[SQL_BYTES_MAX];
	int64_t used_bytes;
	*before_us_out = 0;
	if (gold_needs_rebuild(gold) || gold_is_broken(gold) || gold->stamp.rows == 0)
		return true;
	if (!duck_query_integer(gold->current->loader, used_sql, NULL, 0, 0, &used_bytes, err))
		return err_wrap(err, "size of gold");
	if (used_bytes <= bytes_max)
		return true;
	/* A tenth more than needed, so that it is not done again for every few rows. */
	(void)snprintf(time_sql, sizeof(time_sql), "SELECT approx_quantile(epoch_us(created_at), %.6f) FROM events",
		1.0 - 0.9 * (double)bytes_max / (double)used_bytes);
	int64_t time_us;
	if (!duck_query_integer(gold->current->loader, time_sql, NULL, 0, 0, &time_us, err))
		return err_wrap(err, "size of gold");
	*before_us_out = time_us - time_us % MINUTE_US;
	return true;
}

bool gold_count_expired(struct gold *gold, int64_t before_us, int64_t *rows_out, struct err *err)
{
	*rows_out = 0;
	return gold_is_broken(gold) || count_before(gold, before_us, rows_out, err);
}
