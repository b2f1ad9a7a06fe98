/* SPDX-License-Identifier: Apache-2.0 */
/* gold_support.h - a lake with silver written by SQL, and gold on top of it. Whatever fails here fails
 * the test in progress. */
#ifndef TESTS_UNIT_GOLD_GOLD_SUPPORT_H
#define TESTS_UNIT_GOLD_GOLD_SUPPORT_H

#include "tests/support/check.h"

#include "tests/support/lake.h"

#include "gold/gold.h"
#include "lake/silver_file.h"
#include "wrap/digest.h"
#include "wrap/duck.h"

static const struct rollup test_rollups[] = {
	{
		.name = "events_per_minute",
		.keys = {{"minute", "date_trunc('minute', created_at)", "TIMESTAMP"}, {"type", "type", "VARCHAR"}},
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
			{"last_at", ROLLUP_MAX, "created_at", "TIMESTAMP"},
			{"numbers", ROLLUP_SUM, "number", "BIGINT"}},
		.measure_count = 4,
	},
};

struct gold_fixture {
	struct test_lake lake;
	struct gold *gold;
	struct gold_options options;
	struct duck_database *engine; /* writes silver */
	struct duck_connection *writer;
};

static inline void gold_fixture_open(struct gold_fixture *f, bool defer_rebuild)
{
	struct err err = {0};
	f->options.layout = &f->lake.layout;
	f->options.catalog = f->lake.catalog;
	f->options.fields = f->lake.fields;
	f->options.clock = clock_system();
	f->options.memory_bytes_max = 96 << 20;
	OR_FAIL(gold_open(&f->options, defer_rebuild, &f->gold, &err));
}

static inline void gold_fixture_begin(struct gold_fixture *f, const char *events_yaml)
{
	*f = (struct gold_fixture){
		.options = {.rollups = test_rollups, .rollup_count = ARRAY_COUNT(test_rollups)},
	};
	struct err err = {0};
	test_lake_open(&f->lake, events_yaml);
	const struct duck_options engine = {.allowed_folder = f->lake.layout.root.text};
	OR_FAIL(duck_open(&engine, &f->engine, &err));
	OR_FAIL(duck_connect(f->engine, &f->writer, &err));
	gold_fixture_open(f, false);
}

static inline void gold_fixture_end(struct gold_fixture *f)
{
	gold_close(&f->gold);
	duck_disconnect(&f->writer);
	duck_close(&f->engine);
	test_lake_close(&f->lake);
}

/* Closes gold and opens it again, as a start after a stop or a kill. */
static inline void gold_fixture_restart(struct gold_fixture *f, bool defer_rebuild)
{
	gold_close(&f->gold);
	(void)test_lake_restart(&f->lake);
	gold_fixture_open(f, defer_rebuild);
}

/* Runs SQL on an engine of its own that may write below the data folder. Rows written; integer_out (may
 * be NULL): what it answers. */
static inline int64_t gold_fixture_run(struct gold_fixture *f, const char *sql, int64_t *integer_out)
{
	struct err err = {0};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	OR_FAIL(duck_query(f->writer, sql, NULL, 0, &result, &err));
	if (integer_out)
		OR_FAIL(duck_query_integer(f->writer, sql, NULL, 0, 0, integer_out, &err));
	return duck_result_changed(result);
}

/* Writes the live file of batch `seq`. `rows` is a SELECT with at least id, type, created_at; columns
 * of the same names as silver's are taken over. */
static inline struct lake_file gold_fixture_write(struct gold_fixture *f, int64_t seq, const char *rows)
{
	struct err err = {0};
	CLEANUP(buf_finish) struct buf sql = {.size_max = 1 << 20};
	struct lake_file file = {.layer = LAYER_SILVER_LIVE, .batch_first = seq, .batch_last = seq};
	struct file_path path;
	OR_FAIL(layout_silver_live(seq, &file.path, &err));
	OR_FAIL(layout_absolute(&f->lake.layout, file.path.text, &path, &err));
	OR_FAIL(file_make_folder(test_lake_path(&f->lake, "silver/_live").text, &err));
	memcpy(file.fingerprint, f->lake.fields->fingerprint, sizeof(file.fingerprint));
	buf_append_text(&sql, "COPY (SELECT * FROM (SELECT ");
	for (size_t i = 0; i < silver_column_count(f->lake.fields); i++) {
		struct silver_column column = silver_column_at(f->lake.fields, i);
		buf_printf(&sql, "%sCAST(NULL AS %s) AS ", i > 0 ? "," : "", silver_sql_type(column.type));
		silver_append_name(&sql, span_of(column.name));
	}
	buf_printf(&sql,
		" WHERE false) UNION ALL BY NAME SELECT * REPLACE (created_at::TIMESTAMP AS created_at), 'api' AS source,"
		" 'thin' AS era, %" PRId64 "::BIGINT AS batch FROM (%s) ORDER BY created_at, id) TO ",
		seq, rows);
	assert_true(duck_quote_text(&sql, span_of(path.text)));
	buf_append_text(&sql, " (FORMAT parquet)");
	file.rows = gold_fixture_run(f, sql.data, NULL);
	struct digest digest;
	OR_FAIL(digest_of_file(path.text, &digest, &file.size_bytes, &err));
	memcpy(file.sha256, digest.hex, sizeof(file.sha256));
	for (int newest = 0; newest < 2; newest++) {
		buf_clear(&sql);
		buf_printf(&sql, "SELECT epoch_us(%s(created_at)) FROM ", newest ? "max" : "min");
		assert_true(duck_quote_text(&sql, span_of(path.text)));
		(void)gold_fixture_run(f, sql.data, newest ? &file.time_max_us : &file.time_min_us);
	}
	return file;
}

/* Batch `seq` in state BRONZE in the catalog, with `rows` rows. */
static inline struct batch gold_fixture_announce(struct gold_fixture *f, int64_t seq, int64_t rows)
{
	struct err err = {0};
	struct bronze_file bronze = {.type = "PushEvent", .batch = seq, .events = rows, .source = "api"};
	struct batch batch = {.seq = seq, .source = "api", .received = rows, .bronze_rows = rows};
	OR_FAIL(layout_bronze(span_of("PushEvent"), 0, seq, &bronze.path, &err));
	const struct batch_write write = {.batch = &batch, .files = &bronze, .file_count = 1};
	OR_FAIL(catalog_store_batch(f->lake.catalog, &write, &err));
	return batch;
}

/* A whole batch in state SILVER. */
static inline void gold_fixture_put(struct gold_fixture *f, int64_t seq, const char *rows)
{
	struct err err = {0};
	struct lake_file file = gold_fixture_write(f, seq, rows);
	struct batch batch = gold_fixture_announce(f, seq, file.rows);
	batch.silver_rows = file.rows;
	OR_FAIL(catalog_store_silver(f->lake.catalog, &batch, file.rows > 0 ? &file : NULL, NULL, 0, &err));
}

static inline struct gold_report gold_fixture_load(struct gold_fixture *f)
{
	struct err err = {0};
	struct gold_report report = {0};
	OR_FAIL(gold_load_pending(f->gold, NULL, &report, &err));
	return report;
}

static inline struct gold_report gold_fixture_rebuild(struct gold_fixture *f)
{
	struct err err = {0};
	struct gold_report report = {0};
	OR_FAIL(gold_rebuild(f->gold, &report, &err));
	return report;
}

struct gold_answer {
	char text[8192];
};

/* What gold answers: cells with commas, rows with semicolons. */
static inline struct gold_answer gold_ask(struct gold_fixture *f, const char *sql)
{
	struct err err = {0};
	struct gold_answer answer = {{0}};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
	CLEANUP(buf_finish) struct buf text = {.size_max = sizeof(answer.text) - 1};
	const struct gold_query query = {.sql = sql, .row_count_max = 1000, .wait_ms_max = 60000};
	struct table table;
	if (!gold_run_query(f->gold, &query, &arena, &table, NULL, &err))
		fail_msg("%s: %s", sql, err.text);
	test_table_append(&text, &table, ";", "NULL");
	assert_false(text.failed);
	memcpy(answer.text, text.data ? text.data : "", text.size);
	return answer;
}

#define ASK(f, sql, expected) assert_string_equal(gold_ask((f), (sql)).text, (expected))

/* All that must be the same whatever way led to a generation: events, rollups, batches, types,
 * coverage. */
static inline struct gold_answer gold_digest(struct gold_fixture *f)
{
	return gold_ask(f,
		"SELECT (SELECT sum(md5_number_lower(e::VARCHAR)::HUGEINT)::VARCHAR FROM events e),"
		" (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT)::VARCHAR FROM rollup_events_per_minute r),"
		" (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT)::VARCHAR FROM rollup_pull_request_gaps r),"
		" (SELECT sum(md5_number_lower(b::VARCHAR)::HUGEINT)::VARCHAR FROM"
		"  (SELECT batch, rows, duplicates, quarantined FROM loaded_batches) b),"
		" (SELECT string_agg(type, '|' ORDER BY type) FROM event_types),"
		" (SELECT count(*) FROM coverage), (SELECT count(*) FROM events)");
}

/* The rollups against a full recomputation; true texts are empty. */
static inline void gold_check_rollups(struct gold_fixture *f)
{
	static const char minutes[] = "SELECT date_trunc('minute', created_at) AS minute, type, count(*) AS events"
				      " FROM events GROUP BY ALL";
	static const char gaps[] =
		"SELECT repo_name, count(*) AS opened, min(created_at) AS first_at, max(created_at) AS last_at,"
		" sum(number)::BIGINT AS numbers FROM events WHERE type = 'PullRequestEvent' AND action = 'opened'"
		" AND repo_name IS NOT NULL GROUP BY repo_name";
	char sql[2048];
	const char *const pairs[][2] = {
		{"rollup_events_per_minute", minutes},
		{"rollup_pull_request_gaps", gaps},
	};
	for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
		(void)snprintf(sql, sizeof(sql),
			"SELECT (SELECT count(*) FROM (FROM %s EXCEPT ALL (%s))), (SELECT count(*) FROM ((%s) EXCEPT ALL FROM %s))",
			pairs[i][0], pairs[i][1], pairs[i][1], pairs[i][0]);
		ASK(f, sql, "0,0");
	}
}

/* Rows for gold_fixture_put: `count` events out of `ids` possible ones from `seed` on; the same id
 * always has the same type and time; now and then another repository. */
struct gold_rows {
	char sql[1024];
};
static inline struct gold_rows gold_random_rows(int seed, int count, int ids)
{
	struct gold_rows rows;
	(void)snprintf(rows.sql, sizeof(rows.sql),
		"SELECT DISTINCT ON (id) id, ['PushEvent','PullRequestEvent','WatchEvent'][(1 + id %% 3)::INT] AS type,"
		" TIMESTAMP '2026-09-20 10:00:00' + to_seconds(id * 37) AS created_at,"
		" id %% 11 + (hash(i + %d) %% 20 = 0)::INT AS repo_id, 'owner/repo-' || (id %% 11) AS repo_name,"
		" ['opened','closed'][(1 + id %% 2)::INT] AS action, id %% 13 AS number"
		" FROM (SELECT i, (hash(i * 7919 + %d) %% %d)::BIGINT AS id FROM range(%d) t(i)) ORDER BY id, repo_id",
		seed, seed, ids, count);
	return rows;
}

#endif
