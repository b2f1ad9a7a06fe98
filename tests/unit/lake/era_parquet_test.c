/* SPDX-License-Identifier: Apache-2.0 */
/* era_parquet_test.c - a third party's Parquet of two thousand events of 2016, read by DuckDB, beside the
 * same events as JSON, read by us: every column, event by event. */
#include "tests/support/lake.h"

#include "base/file.h"
#include "lake/scan.h"
#include "wrap/duck.h"

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

static bool same_text(struct span text, const struct value *value)
{
	return value->type == VALUE_NULL ? !text.data : value->type == VALUE_TEXT && span_equal(text, value->text);
}

static bool same_integer(int64_t integer, const struct value *value)
{
	return value->type == VALUE_NULL ? integer == 0 : value->type == VALUE_INTEGER && value->integer == integer;
}

static void check_row(const struct event *event, const struct value *row)
{
	const struct {
		const char *column;
		bool same;
	} columns[] = {
		{"id", same_integer(event->id, &row[0])},
		{"type", same_text(event->type, &row[1])},
		{"created_at", row[2].type == VALUE_TIME && row[2].time_us == event->created_at_us},
		{"actor.id", same_integer(event->actor_id, &row[3])},
		{"actor.login", same_text(event->actor_login, &row[4])},
		{"repo.id", same_integer(event->repo_id, &row[5])},
		{"repo.name", same_text(event->repo_name, &row[6])},
		{"org.login", same_text(event->org_login, &row[7])},
		{"payload.action", same_text(event->action, &row[8])},
		{"number", same_integer(event->number, &row[9])},
		{"merged", row[10].type == VALUE_NULL
				   ? !event->merged_known
				   : event->merged_known && row[10].boolean == event->merged},
		{"payload.ref_type", same_text(event->ref_type, &row[11])},
	};
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		if (!columns[i].same)
			fail_msg("event %lld: %s", (long long)event->id, columns[i].column);
}

static void read_parquet(struct arena *arena, struct table *table)
{
	CLEANUP(duck_close) struct duck_database *database = NULL;
	CLEANUP(duck_disconnect) struct duck_connection *connection = NULL;
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(buf_finish) struct buf sql = {0};
	struct check_path path = real_data_path_or_skip("gharchive-hours/2016-07-07-0.head2000.gz.parquet");
	struct check_path folder = real_data_path_or_skip("gharchive-hours");
	const struct duck_options options = {.allowed_folder = folder.text, .preserve_insertion_order = true};
	struct err err = {0};
	buf_init(&sql, 4096);
	buf_append_text(&sql, "SELECT id::BIGINT, type, created_at::TIMESTAMP, actor.id, actor.login,"
		" repo.id, repo.name, "
			      "org.login, payload.action, coalesce(payload.number, payload.pull_request.number, "
			      "payload.issue.number), payload.pull_request.merged,"
				" payload.ref_type FROM read_parquet(");
	assert_true(duck_quote_text(&sql, span_of(path.text)));
	buf_append_text(&sql, ")");
	OR_FAIL(duck_open(&options, &database, &err));
	OR_FAIL(duck_connect(database, &connection, &err));
	OR_FAIL(duck_query(connection, sql.data, NULL, 0, &result, &err));
	OR_FAIL(duck_result_read(result, arena, 10000, table, &err));
}

static void the_parquet_of_2016_agrees_with_its_json(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	CLEANUP(scan_plan_destroy) struct scan_plan *plan = NULL;
	CLEANUP(buf_finish) struct buf content = {0};
	struct check_path path = real_data_path_or_skip("gharchive-hours/2016-07-07-0.head2000.rebuilt.jsonl");
	struct err err = {0};
	struct table table;
	struct arena arena;
	arena_init(&arena, FILE_BYTES_MAX);
	read_parquet(&arena, &table);
	assert_int_equal(table.row_count, 2000);
	OR_FAIL(field_set_create_default(&fields, &err));
	plan = scan_plan_create(fields);
	buf_init(&content, FILE_BYTES_MAX);
	OR_FAIL(file_read(path.text, &content, &err));
	struct span rest = buf_span(&content);
	struct span line;
	size_t row = 0;
	while (span_split(rest, '\n', &line, &rest)) {
		struct event event;
		struct scan_problem problem;
		assert_true(row < table.row_count);
		assert_true(scan_event(plan, line, &arena, &event, &problem));
		check_row(&event, table_value(&table, row++, 0));
	}
	assert_int_equal(row, 2000);
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parquet_of_2016_agrees_with_its_json),
	};
	return cmocka_run_group_tests_name("era_parquet", tests, NULL, NULL);
}
