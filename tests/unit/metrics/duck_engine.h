/* SPDX-License-Identifier: Apache-2.0 */
/* duck_engine.h - an engine for tests of metrics: a real database in memory with the tables that
 * gold promises, filled by hand. */
#ifndef TESTS_UNIT_METRICS_DUCK_ENGINE_H
#define TESTS_UNIT_METRICS_DUCK_ENGINE_H

#include "tests/support/check.h"

#include "metrics/metric_engine.h"
#include "wrap/duck.h"

#include <string.h>

struct duck_engine {
	struct duck_database *database;
	struct duck_connection *connection;
	struct gold_stamp stamp;
	int64_t rollup_newest_us;
	/* Answers every query with this when its kind is not ERR_NONE. */
	struct err failure;
	int run_count;
	int64_t wait_ms_max; /* of the last query */
	bool heavy;
	bool is_busy; /* describe cannot say */
};

static inline bool duck_engine_describe(void *context, const char *sql, struct arena *arena,
	struct table *columns_out, size_t *parameter_count_out, struct err *err)
{
	struct duck_engine *engine = context;
	if (engine->is_busy)
		return err_set(err, ERR_RETRY, "rebuilding");
	return duck_describe(
		engine->connection, sql, NULL, 0, arena, columns_out, parameter_count_out, err);
}

static inline bool duck_engine_run(void *context, const struct gold_query *query,
	struct arena *arena, struct table *table_out, struct gold_stamp *stamp_out, struct err *err)
{
	struct duck_engine *engine = context;
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	engine->run_count++;
	engine->wait_ms_max = query->wait_ms_max;
	engine->heavy = query->heavy;
	if (engine->failure.kind != ERR_NONE) {
		*err = engine->failure;
		return false;
	}
	if (!duck_query(
		    engine->connection, query->sql, query->values, query->value_count, &result, err)
		|| !duck_result_read(result, arena, query->row_count_max, table_out, err))
		return err_wrap(err, "query");
	*stamp_out = engine->stamp;
	return true;
}

static inline void duck_engine_read_stamp(void *context, struct gold_stamp *stamp_out)
{
	*stamp_out = ((struct duck_engine *)context)->stamp;
}

static inline int64_t duck_engine_rollup_newest_us(void *context)
{
	return ((struct duck_engine *)context)->rollup_newest_us;
}

static inline bool duck_engine_err_is_timeout(const struct err *err)
{
	return strstr(err->text, "over time") != NULL;
}

static inline struct metric_engine duck_engine_face(struct duck_engine *engine)
{
	return (struct metric_engine){
		engine,
		duck_engine_describe,
		duck_engine_run,
		duck_engine_read_stamp,
		duck_engine_rollup_newest_us,
		duck_engine_err_is_timeout,
	};
}

static inline void duck_engine_sql(struct duck_engine *engine, const char *sql)
{
	struct err err;
	if (!duck_run(engine->connection, sql, &err))
		fail_msg("%s: %s", sql, err.text);
}

/* The rollups as gold keeps them, from the definitions of metrics_rollups. */
static inline void duck_engine_fill_rollups(struct duck_engine *engine)
{
	static const char *const operations[] = {"COUNT", "SUM", "MIN", "MAX"};
	size_t count;
	const struct rollup *rollups = metrics_rollups(&count);
	for (size_t i = 0; i < count; i++) {
		const struct rollup *rollup = &rollups[i];
		CLEANUP(buf_finish) struct buf sql = {0};
		buf_init(&sql, 4096);
		buf_printf(&sql, "CREATE OR REPLACE TABLE rollup_%s AS SELECT ", rollup->name);
		for (size_t j = 0; j < rollup->key_count; j++)
			buf_printf(&sql, "CAST(%s AS %s) AS %s, ", rollup->keys[j].expression,
				rollup->keys[j].type, rollup->keys[j].name);
		for (size_t j = 0; j < rollup->measure_count; j++) {
			const struct rollup_measure *measure = &rollup->measures[j];
			buf_printf(&sql, "CAST(%s(%s) AS %s) AS %s, ",
				operations[measure->operation],
				measure->expression ? measure->expression : "*", measure->type,
				measure->name);
		}
		buf_printf(&sql, "FROM events WHERE %s GROUP BY ALL HAVING true",
			rollup->filter ? rollup->filter : "true");
		for (size_t j = 0; j < rollup->key_count; j++)
			buf_printf(&sql, " AND %s IS NOT NULL", rollup->keys[j].name);
		duck_engine_sql(engine, buf_span(&sql).data);
	}
}

static inline void duck_engine_open(struct duck_engine *engine)
{
	struct duck_options options = {0};
	struct err err;
	*engine = (struct duck_engine){.stamp = {.state = GOLD_READY, .loads = 1}};
	if (!duck_open(&options, &engine->database, &err)
		|| !duck_connect(engine->database, &engine->connection, &err))
		fail_msg("%s", err.text);
	duck_engine_sql(engine,
		"CREATE TABLE events (id BIGINT, type VARCHAR, created_at TIMESTAMP, actor_id "
		"BIGINT,"
		" actor_login VARCHAR, is_bot BOOLEAN, repo_id BIGINT, repo_name VARCHAR,"
		" org_login VARCHAR, action VARCHAR, number BIGINT, merged BOOLEAN,"
		" ref_type VARCHAR, era VARCHAR, source VARCHAR, batch BIGINT);"
		"CREATE TABLE event_types (type VARCHAR);"
		"INSERT INTO event_types VALUES ('PullRequestEvent'), ('WatchEvent'),"
		" ('IssuesEvent'), ('PushEvent');"
		"CREATE TABLE coverage (minute TIMESTAMP)");
	static const char *const types[] = {"PullRequestEvent", "WatchEvent", "IssuesEvent"};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		CLEANUP(buf_finish) struct buf sql = {0};
		buf_init(&sql, 4096);
		buf_printf(&sql,
			"CREATE VIEW %s AS SELECT id, created_at::TIMESTAMPTZ AS created_at,"
			" repo_name AS \"repo.name\", actor_login AS \"actor.login\","
			" CASE WHEN action IN ('opened', 'reopened') THEN 'open' END"
			" AS \"payload.pull_request.state\" FROM events WHERE type = '%s'",
			types[i], types[i]);
		duck_engine_sql(engine, buf_span(&sql).data);
	}
	duck_engine_fill_rollups(engine);
}

static inline void duck_engine_close(struct duck_engine *engine)
{
	duck_disconnect(&engine->connection);
	duck_close(&engine->database);
}

#endif
