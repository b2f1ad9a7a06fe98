/* SPDX-License-Identifier: Apache-2.0 */
/* silver_support.h - a lake and a silver stage on it. Whatever fails here fails the test in progress. */
#ifndef TESTS_UNIT_SILVER_SILVER_SUPPORT_H
#define TESTS_UNIT_SILVER_SILVER_SUPPORT_H

#include "tests/support/check.h"

#include "tests/support/lake.h"

#include "lake/silver_file.h"
#include "silver/silver.h"
#include "wrap/duck.h"

struct silver_fixture {
	struct test_lake lake;
	struct silver *silver;
};

static inline void silver_fixture_open(struct silver_fixture *f)
{
	struct err err = {0};
	const struct silver_options options = {
		.layout = &f->lake.layout,
		.catalog = f->lake.catalog,
		.fields = f->lake.fields,
		.memory_bytes_max = 64 << 20,
	};
	OR_FAIL(silver_open(&options, &f->silver, &err));
}

static inline void silver_fixture_begin(struct silver_fixture *f, const char *events_yaml)
{
	*f = (struct silver_fixture){0};
	test_lake_open(&f->lake, events_yaml);
	silver_fixture_open(f);
}

static inline void silver_fixture_end(struct silver_fixture *f)
{
	silver_close(&f->silver);
	test_lake_close(&f->lake);
}

static inline int64_t silver_fixture_build(struct silver_fixture *f)
{
	struct err err = {0};
	struct batch batch;
	bool built = true;
	int64_t count = 0;
	for (;; count++) {
		OR_FAIL(silver_build_next(f->silver, &batch, &built, &err));
		if (!built)
			return count;
		assert_int_equal(batch.state, BATCH_SILVER);
		assert_int_equal(batch.bronze_rows,
			batch.silver_rows + batch.silver_duplicates + batch.silver_quarantined);
	}
}

/* Says of every batch that gold has it. */
static inline void silver_fixture_mark_gold(struct silver_fixture *f, int64_t first, int64_t last)
{
	struct err err = {0};
	for (int64_t seq = first; seq <= last; seq++) {
		struct batch batch = test_lake_batch(&f->lake, seq);
		batch.gold_rows = batch.silver_rows;
		OR_FAIL(catalog_store_gold(f->lake.catalog, &batch, NULL, 0, &err));
	}
}

/* The answer of `sql`, in which %s stands for the listed files of silver, as one text: cells with
 * commas, rows with semicolons. */
static inline const char *silver_fixture_ask(struct silver_fixture *f, const char *sql)
{
	static char answer[8192];
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
	CLEANUP(buf_finish) struct buf text = {.size_max = 1 << 20};
	CLEANUP(duck_close) struct duck_database *database = NULL;
	CLEANUP(duck_disconnect) struct duck_connection *connection = NULL;
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	const struct duck_options options = {.allowed_folder = f->lake.layout.root.text};
	struct table table;
	const char *at = strstr(sql, "%s");
	buf_append(&text, sql, at ? (size_t)(at - sql) : strlen(sql));
	if (at) {
		const struct lake_file *live;
		const struct lake_file *compacted;
		size_t live_count;
		size_t compacted_count;
		OR_FAIL(catalog_list_files(f->lake.catalog, LAYER_SILVER_LIVE, &arena, &live, &live_count, &err));
		OR_FAIL(catalog_list_files(f->lake.catalog, LAYER_SILVER, &arena, &compacted, &compacted_count, &err));
		struct lake_file *all = arena_allocate(&arena, live_count + compacted_count, sizeof(*all));
		for (size_t i = 0; i < live_count; i++)
			all[i] = live[i];
		for (size_t i = 0; i < compacted_count; i++)
			all[live_count + i] = compacted[i];
		OR_FAIL(silver_append_relation(&text, &f->lake.layout, f->lake.fields, all,
			live_count + compacted_count, &err));
		buf_append_text(&text, at + 2);
	}
	OR_FAIL(duck_open(&options, &database, &err));
	OR_FAIL(duck_connect(database, &connection, &err));
	OR_FAIL(duck_query(connection, text.data, NULL, 0, &result, &err));
	OR_FAIL(duck_result_read(result, &arena, 1000, &table, &err));
	buf_clear(&text);
	test_table_append(&text, &table, ";", "NULL");
	assert_false(text.failed);
	assert_true(text.size < sizeof(answer));
	memcpy(answer, text.data ? text.data : "", text.size + 1);
	return answer;
}

#endif
