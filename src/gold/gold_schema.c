/* SPDX-License-Identifier: Apache-2.0 */
/* gold_schema.c - the tables of a generation, and whether a generation still fits the catalog. */
#include "gold/gold_private.h"

#include "lake/retention.h"

#include "base/embedded.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SCHEMA_SQL_BYTES_MAX = 1024 * 1024, META_BYTES_MAX = 64 * 1024, BATCHES_MAX = 10000 };

static const char STEP_PREFIX[] = "load_"; /* files of that name are statements, not tables */

static bool run_embedded(struct duck_connection *connection, const struct embedded_file *file,
			 const struct value *values, size_t value_count, struct err *err)
{
	const char *sql = (const char *)file->data;
	return duck_query(connection, sql, values, value_count, NULL, err) || err_wrap(err, "%s", file->name);
}

bool gold_schema_run(struct duck_connection *connection, const char *name, const struct value *values,
		     size_t value_count, struct err *err)
{
	const struct embedded_file *file = embedded_find(embedded_gold_sql, name);
	assert(file);
	return run_embedded(connection, file, values, value_count, err);
}

static bool create_events(const struct field_set *fields, struct duck_connection *connection, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SCHEMA_SQL_BYTES_MAX};
	for (size_t i = 0; i < silver_column_count(fields); i++) {
		struct silver_column column = silver_column_at(fields, i);
		bool is_required = i == EVENT_COLUMN_ID || i == EVENT_COLUMN_TYPE
				   || i == EVENT_COLUMN_CREATED_AT || i == EVENT_COLUMN_BATCH;
		buf_append_text(&sql, i > 0 ? ", " : "CREATE TABLE events (");
		silver_append_name(&sql, span_of(column.name));
		buf_printf(&sql, " %s%s", silver_sql_type(column.type), is_required ? " NOT NULL" : "");
	}
	buf_append_byte(&sql, ')');
	assert(!sql.failed);
	return duck_run(connection, sql.data, err);
}

static bool insert_types(struct duck_connection *connection, struct err *err)
{
	struct value types[EVENT_TYPE_COUNT_MAX];
	assert(event_types_today_count <= EVENT_TYPE_COUNT_MAX);
	for (size_t i = 0; i < event_types_today_count; i++)
		types[i] = value_text(span_of(event_types_today[i]));
	const struct value list = value_list(VALUE_TEXT, types, event_types_today_count);
	return duck_query(connection, "INSERT INTO event_types SELECT unnest($1)", &list, 1, NULL, err);
}

static bool create_all(const struct gold *gold, struct duck_connection *connection, int64_t loads,
		       struct err *err)
{
	int64_t rebuilds;
	for (const struct embedded_file *file = embedded_gold_sql; file->name; file++)
		if (strncmp(file->name, STEP_PREFIX, sizeof(STEP_PREFIX) - 1) != 0
		    && !run_embedded(connection, file, NULL, 0, err))
			return false;
	for (size_t i = 0; i < gold->options.rollup_count; i++)
		if (!gold_rollup_create(connection, &gold->options.rollups[i], err))
			return false;
	if (!create_events(gold->options.fields, connection, err) || !insert_types(connection, err)
	    || !catalog_read_setting(gold->options.catalog, SILVER_REBUILDS_SETTING, 0, &rebuilds, err))
		return false;
	const struct value values[] = {
		value_integer(GOLD_FORMAT_VERSION),
		value_text(span_of(gold->options.fields->fingerprint)),
		value_text(span_of(gold->rollups)),
		value_integer(rebuilds),
		value_integer(loads),
	};
	return duck_query(connection, "INSERT INTO meta VALUES ($1, $2, $3, '', $4, $5, 0, false)", values,
		ARRAY_COUNT(values), NULL, err);
}

bool gold_schema_create(const struct gold *gold, struct duck_connection *connection, int64_t loads,
			struct err *err)
{
	if (!duck_begin(connection, err))
		return false;
	if (!create_all(gold, connection, loads, err)) {
		duck_rollback(connection);
		return err_wrap(err, "making the tables");
	}
	return duck_commit(connection, err);
}

static void take_fingerprint(char fingerprint[17], const struct value *value)
{
	if (value->type == VALUE_TEXT && value->text.size == 16)
		memcpy(fingerprint, value->text.data, 16);
}

bool gold_schema_read_meta(struct duck_connection *connection, struct gold_meta *meta_out, struct err *err)
{
	static const char sql[] = "SELECT format, fingerprint, rollups, views, silver_rebuilds, loads, sweep,"
				  " rebuild_due FROM meta";
	CLEANUP(arena_finish) struct arena arena = {.size_max = META_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table;
	if (!duck_query(connection, sql, NULL, 0, &result, err)
	    || !duck_result_read(result, &arena, 2, &table, err))
		return err_wrap(err, "meta");
	if (table.row_count != 1)
		return err_set(err, ERR_INPUT, "meta has %zu rows", table.row_count);
	const struct value *row = table_value(&table, 0, 0);
	struct gold_meta meta = {
		.format = row[0].integer,
		.silver_rebuilds = row[4].integer,
		.loads = row[5].integer,
		.sweep = row[6].integer,
		.rebuild_due = row[7].boolean,
	};
	take_fingerprint(meta.fingerprint, &row[1]);
	take_fingerprint(meta.rollups, &row[2]);
	take_fingerprint(meta.views, &row[3]);
	*meta_out = meta;
	return true;
}

/* The batches of one state into the temporary table known. */
static bool copy_batches(const struct gold *gold, struct duck_connection *connection, enum batch_state state,
			 struct err *err)
{
	int64_t after = 0;
	for (;;) {
		CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
		const struct batch *batches;
		size_t count;
		if (!catalog_list_batches(gold->options.catalog, state, after, BATCHES_MAX, &arena, &batches,
			    &count, err))
			return false;
		if (count == 0)
			return true;
		after = batches[count - 1].seq;
		struct value *numbers = arena_allocate(&arena, 2 * count, sizeof(*numbers));
		if (!numbers)
			return err_set(err, ERR_LOCAL, "too many batches");
		for (size_t i = 0; i < count; i++) {
			numbers[i] = value_integer(batches[i].seq);
			numbers[count + i] = value_boolean(state == BATCH_GOLD && batches[i].silver_rows > 0);
		}
		const struct value lists[] = {
			value_list(VALUE_INTEGER, numbers, count),
			value_list(VALUE_BOOLEAN, numbers + count, count),
		};
		if (!duck_query(connection, "INSERT INTO known SELECT unnest($1), unnest($2)", lists,
			    ARRAY_COUNT(lists), NULL, err))
			return false;
	}
}

bool gold_schema_check_batches(const struct gold *gold, struct duck_connection *connection, bool *lacks_out,
			       bool *knows_others_out, struct err *err)
{
	static const char other_sql[] = "SELECT count(*) FROM loaded_batches ANTI JOIN known USING (batch)";
	static const char lacking_sql[] =
		"SELECT (SELECT count(*) FROM known ANTI JOIN loaded_batches USING (batch) WHERE known.needed)"
		/* Once retention took rows away there are fewer than were loaded. */
		" + (SELECT count(*) FROM (SELECT (SELECT count(*) FROM events) AS a,"
		" (SELECT coalesce(sum(rows), 0) FROM loaded_batches) AS b) WHERE a > b OR (a < b AND NOT $1))";
	struct retention_total removed[RETENTION_LAYER_COUNT];
	int64_t others;
	int64_t lacking;
	if (!retention_read(gold->options.catalog, removed, err)
	    || !duck_run(connection, "CREATE OR REPLACE TEMP TABLE known (batch BIGINT, needed BOOLEAN)", err))
		return false;
	const struct value retained = value_boolean(removed[RETENTION_GOLD].kept_from_us != 0);
	for (enum batch_state state = BATCH_BRONZE; state <= BATCH_GOLD; state++)
		if (!copy_batches(gold, connection, state, err))
			return err_wrap(err, "comparing batches");
	if (!duck_query_integer(connection, other_sql, NULL, 0, 0, &others, err)
	    || !duck_query_integer(connection, lacking_sql, &retained, 1, 0, &lacking, err)
	    || !duck_run(connection, "DROP TABLE known", err))
		return err_wrap(err, "comparing batches");
	*lacks_out = lacking != 0;
	*knows_others_out = others != 0;
	return true;
}
