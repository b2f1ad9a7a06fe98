/* SPDX-License-Identifier: Apache-2.0 */
/* gold_rollup.c - the SQL that keeps a rollup equal to a GROUP BY over all events: the new rows are
 * grouped, groups that exist are merged, the others inserted. No index: updates of indexed columns
 * are the engine's weak spot, and a scan of the keys costs milliseconds. */
#include "gold/gold_private.h"

#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROLLUP_SQL_BYTES_MAX = 256 * 1024 };

static uint64_t hash_text(uint64_t hash, const char *text)
{
	static const struct span end = {"", 1};
	return span_hash(end, span_hash(span_of(text ? text : ""), hash));
}

void gold_rollup_fingerprint(const struct rollup *rollups, size_t count, char fingerprint_out[17])
{
	uint64_t hash = 0;
	for (size_t i = 0; i < count; i++) {
		const struct rollup *rollup = &rollups[i];
		hash = hash_text(hash_text(hash, rollup->name), rollup->filter);
		for (size_t j = 0; j < rollup->key_count; j++) {
			const struct rollup_key *key = &rollup->keys[j];
			hash = hash_text(hash_text(hash_text(hash, key->name), key->expression), key->type);
		}
		hash = hash_text(hash, "measures");
		for (size_t j = 0; j < rollup->measure_count; j++) {
			static const char *const operations[] = {"count", "sum", "min", "max"};
			const struct rollup_measure *measure = &rollup->measures[j];
			hash = hash_text(hash_text(hash, measure->name), operations[measure->operation]);
			hash = hash_text(hash_text(hash, measure->expression), measure->type);
		}
	}
	(void)snprintf(fingerprint_out, 17, "%016" PRIx64, hash);
}

static void check(const struct rollup *rollup)
{
	assert(rollup->key_count >= 1 && rollup->key_count <= ROLLUP_KEY_COUNT_MAX);
	assert(rollup->measure_count >= 1 && rollup->measure_count <= ROLLUP_MEASURE_COUNT_MAX);
}

static void append_table(struct buf *sql, const struct rollup *rollup)
{
	buf_printf(sql, "rollup_%s", rollup->name);
}

bool gold_rollup_create(struct duck_connection *connection, const struct rollup *rollup, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = ROLLUP_SQL_BYTES_MAX};
	check(rollup);
	buf_append_text(&sql, "CREATE TABLE ");
	append_table(&sql, rollup);
	for (size_t i = 0; i < rollup->key_count; i++) {
		buf_append_text(&sql, i > 0 ? ", " : " (");
		silver_append_name(&sql, span_of(rollup->keys[i].name));
		buf_printf(&sql, " %s NOT NULL", rollup->keys[i].type);
	}
	for (size_t i = 0; i < rollup->measure_count; i++) {
		buf_append_text(&sql, ", ");
		silver_append_name(&sql, span_of(rollup->measures[i].name));
		buf_printf(&sql, " %s", rollup->measures[i].type);
	}
	buf_append_byte(&sql, ')');
	assert(!sql.failed);
	return duck_run(connection, sql.data, err) || err_wrap(err, "rollup %s", rollup->name);
}

static void append_measure(struct buf *sql, const struct rollup_measure *measure)
{
	static const char *const functions[] = {
		[ROLLUP_COUNT] = "count", [ROLLUP_SUM] = "sum", [ROLLUP_MIN] = "min", [ROLLUP_MAX] = "max"};
	buf_printf(sql, "CAST(%s(%s) AS %s) AS ", functions[measure->operation],
		measure->operation == ROLLUP_COUNT ? "*" : measure->expression, measure->type);
	silver_append_name(sql, span_of(measure->name));
}

static void append_delta(struct buf *sql, const struct rollup *rollup, const char *table)
{
	buf_append_text(sql, "CREATE OR REPLACE TEMP TABLE rollup_delta AS SELECT * FROM (SELECT ");
	for (size_t i = 0; i < rollup->key_count; i++) {
		buf_printf(sql, "CAST(%s AS %s) AS ", rollup->keys[i].expression, rollup->keys[i].type);
		silver_append_name(sql, span_of(rollup->keys[i].name));
		buf_append_text(sql, ", ");
	}
	for (size_t i = 0; i < rollup->measure_count; i++) {
		buf_append_text(sql, i > 0 ? ", " : "");
		append_measure(sql, &rollup->measures[i]);
	}
	buf_printf(sql, " FROM %s WHERE %s GROUP BY ", table, rollup->filter ? rollup->filter : "true");
	for (size_t i = 0; i < rollup->key_count; i++)
		buf_printf(sql, "%s%zu", i > 0 ? ", " : "", i + 1);
	for (size_t i = 0; i < rollup->key_count; i++) {
		buf_append_text(sql, i > 0 ? " AND " : ") WHERE ");
		silver_append_name(sql, span_of(rollup->keys[i].name));
		buf_append_text(sql, " IS NOT NULL");
	}
}

/* "m = <merge of t.m and d.m>": a NULL side gives way to the other. */
static void append_merge(struct buf *sql, const struct rollup_measure *measure)
{
	struct span name = span_of(measure->name);
	silver_append_name(sql, name);
	buf_append_text(sql, " = ");
	if (measure->operation == ROLLUP_MIN || measure->operation == ROLLUP_MAX) {
		buf_append_text(sql, measure->operation == ROLLUP_MIN ? "least(t." : "greatest(t.");
		silver_append_name(sql, name);
		buf_append_text(sql, ", d.");
		silver_append_name(sql, name);
		buf_append_byte(sql, ')');
		return;
	}
	buf_append_text(sql, "coalesce(t.");
	silver_append_name(sql, name);
	buf_append_text(sql, " + d.");
	silver_append_name(sql, name);
	buf_append_text(sql, ", t.");
	silver_append_name(sql, name);
	buf_append_text(sql, ", d.");
	silver_append_name(sql, name);
	buf_append_byte(sql, ')');
}

static void append_update(struct buf *sql, const struct rollup *rollup)
{
	buf_append_text(sql, "UPDATE ");
	append_table(sql, rollup);
	buf_append_text(sql, " AS t SET ");
	for (size_t i = 0; i < rollup->measure_count; i++) {
		buf_append_text(sql, i > 0 ? ", " : "");
		append_merge(sql, &rollup->measures[i]);
	}
	buf_append_text(sql, " FROM rollup_delta AS d");
	for (size_t i = 0; i < rollup->key_count; i++) {
		buf_append_text(sql, i > 0 ? " AND t." : " WHERE t.");
		silver_append_name(sql, span_of(rollup->keys[i].name));
		buf_append_text(sql, " = d.");
		silver_append_name(sql, span_of(rollup->keys[i].name));
	}
}

static void append_insert(struct buf *sql, const struct rollup *rollup)
{
	buf_append_text(sql, "INSERT INTO ");
	append_table(sql, rollup);
	buf_append_text(sql, " SELECT * FROM rollup_delta ANTI JOIN ");
	append_table(sql, rollup);
	for (size_t i = 0; i < rollup->key_count; i++) {
		buf_append_text(sql, i > 0 ? ", " : " USING (");
		silver_append_name(sql, span_of(rollup->keys[i].name));
	}
	buf_append_text(sql, ") ORDER BY ALL");
}

bool gold_rollup_add(struct duck_connection *connection, const struct rollup *rollup, const char *table,
		     struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = ROLLUP_SQL_BYTES_MAX};
	check(rollup);
	append_delta(&sql, rollup, table);
	buf_append_text(&sql, ";\n");
	append_update(&sql, rollup);
	buf_append_text(&sql, ";\n");
	append_insert(&sql, rollup);
	buf_append_text(&sql, ";\nDROP TABLE rollup_delta");
	assert(!sql.failed);
	return duck_run(connection, sql.data, err) || err_wrap(err, "rollup %s", rollup->name);
}
