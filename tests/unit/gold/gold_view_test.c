/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gold/gold_support.h"

/* The first system's metrics, word for word but for the placeholder. */
static const char avg_pr_time[] =
	"WITH ordered AS (\n"
	"  SELECT \"repo.name\", created_at,\n"
	"         LEAD(created_at) OVER (PARTITION BY \"repo.name\" ORDER BY created_at) AS following\n"
	"  FROM pullrequestevent\n"
	"  WHERE \"payload.pull_request.state\" = 'open'\n"
	")\n"
	"SELECT \"repo.name\", AVG(EXTRACT(EPOCH FROM following - created_at) / 60) AS avg_minutes\n"
	"FROM ordered\n"
	"WHERE following IS NOT NULL\n"
	"GROUP BY \"repo.name\" -- the end";
static const char event_count_offset[] =
	"SELECT 'pullrequestevent' AS event_type, COUNT(*) AS count FROM pullrequestevent\n"
	"WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL (CAST($1 AS VARCHAR)) MINUTE\n"
	"UNION ALL\n"
	"SELECT 'watchevent' AS event_type, COUNT(*) AS count FROM watchevent\n"
	"WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL (CAST($1 AS VARCHAR)) MINUTE";

static void seed_metrics_answer_over_full_and_thin_events(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1,
		"SELECT *, 7 AS repo_id, 'o/r' AS repo_name, 'PullRequestEvent' AS type FROM (VALUES"
		" (1, '2025-01-01 12:00:00', 'opened', 'open'), (2, '2025-01-01 12:10:00', 'closed', 'closed'),"
		" (3, '2025-11-01 12:30:00', 'opened', NULL), (4, '2025-11-01 12:40:00', 'merged', NULL),"
		" (5, '2025-11-01 12:40:00', 'labeled', NULL), (6, '2025-11-01 12:50:00', 'reopened', NULL),"
		" (7, '2025-01-01 13:00:00', 'synchronize', 'open'))"
		" t(id, created_at, action, \"payload.pull_request.state\")");
	gold_fixture_put(&f, 2, "SELECT 9 AS id, 'WatchEvent' AS type, now() - INTERVAL 5 MINUTE AS created_at");
	(void)gold_fixture_load(&f);
	ASK(&f, "SELECT string_agg(id || ':' || coalesce(\"payload.pull_request.state\", '-'), ' ' ORDER BY id)"
		" FROM pullrequestevent",
		"1:open 2:closed 3:open 4:closed 5:- 6:open 7:open");
	char expected[64];
	/* From the first of four open ones to the last. */
	(void)snprintf(expected, sizeof(expected), "o/r,%g", (304 * 1440 + 50) / 3.0);
	ASK(&f, avg_pr_time, expected);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct value offset = value_text(span_of("10"));
	const struct gold_query query = {
		.sql = event_count_offset, .values = &offset, .value_count = 1, .row_count_max = 10};
	struct table table;
	OR_FAIL(gold_run_query(f.gold, &query, &arena, &table, NULL, &err));
	assert_int_equal(table.row_count, 2);
	assert_int_equal(table_value(&table, 0, 1)->integer, 0);
	assert_int_equal(table_value(&table, 1, 1)->integer, 1);
	gold_fixture_end(&f);
}

static void views_have_the_dotted_names(void **state)
{
	(void)state;
	struct gold_fixture f;
	gold_fixture_begin(&f, "version: 2\nfields:\n  IssuesEvent:\n    - payload.issue.title\n"
			       "    - {path: payload.issue.number, type: integer}\n");
	static const char columns[] = "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index)"
				      " FROM duckdb_columns() WHERE table_name = '%s'";
	char sql[512];
	(void)snprintf(sql, sizeof(sql), columns, "pullrequestevent");
	ASK(&f, sql,
		"id BIGINT, type VARCHAR, created_at TIMESTAMP WITH TIME ZONE, actor.id BIGINT, actor.login VARCHAR,"
		" repo.id BIGINT, repo.name VARCHAR, org.login VARCHAR, payload.action VARCHAR, payload.number BIGINT,"
		" payload.ref_type VARCHAR, payload.pull_request.number BIGINT, payload.pull_request.merged BOOLEAN,"
		" payload.pull_request.state VARCHAR");
	(void)snprintf(sql, sizeof(sql), columns, "issuesevent");
	ASK(&f, sql,
		"id BIGINT, type VARCHAR, created_at TIMESTAMP WITH TIME ZONE, actor.id BIGINT, actor.login VARCHAR,"
		" repo.id BIGINT, repo.name VARCHAR, org.login VARCHAR, payload.action VARCHAR, payload.number BIGINT,"
		" payload.ref_type VARCHAR, payload.issue.number BIGINT, payload.issue.title VARCHAR");
	gold_fixture_put(&f, 1, "SELECT 9 AS id, 'IssuesEvent' AS type, '2026-09-20 12:00:00' AS created_at, 3 AS actor_id,"
				" 'it''s' AS actor_login, 4 AS repo_id, 'o/r' AS repo_name, 'o' AS org_login,"
				" 'opened' AS action, 5 AS number, 'A title' AS \"payload.issue.title\"");
	(void)gold_fixture_load(&f);
	ASK(&f, "FROM issuesevent", "9,IssuesEvent,2026-09-20T12:00:00Z,3,it's,4,o/r,o,opened,5,NULL,5,A title");
	gold_fixture_end(&f);
}

static void new_types_get_views_at_once(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct gold_answer digest;
	gold_fixture_begin(&f, NULL);
	/* Names of tables, of another type in other letters, and beyond the limit. */
	gold_fixture_put(&f, 1,
		"SELECT i AS id, t AS type, '2026-09-20 12:00:00' AS created_at FROM (VALUES (1, 'NovelEvent'),"
		" (2, 'Events'), (3, 'meta'), (4, '_other'), (5, 'WATCHEVENT'), (6, 'select')) v(i, t)");
	(void)gold_fixture_load(&f);
	ASK(&f, "SELECT count(*) FROM novelevent", "1");
	ASK(&f, "SELECT count(*) FROM events", "6");
	ASK(&f, "SELECT count(*) FROM _other", "1");
	ASK(&f, "SELECT count(*) FROM \"select\"", "1");
	ASK(&f, "SELECT count(*) FROM event_types", "22");
	ASK(&f, "SELECT count(*) FROM watchevent", "1"); /* WATCHEVENT comes first in the alphabet */
	gold_fixture_put(&f, 2,
		"SELECT i AS id, 'Type' || chr((65 + i // 26)::INT) || chr((65 + i % 26)::INT) AS type,"
		" '2026-09-20 12:00:00' AS created_at FROM range(100) t(i)");
	(void)gold_fixture_load(&f);
	ASK(&f, "SELECT count(*) FROM event_types", "64");
	ASK(&f, "SELECT count(*) FROM events", "106");
	ASK(&f, "SELECT count(*) FROM typeaa", "1");
	digest = gold_digest(&f);
	gold_fixture_restart(&f, false);
	assert_string_equal(gold_digest(&f).text, digest.text);
	ASK(&f, "SELECT count(*) FROM typeaa", "1");
	gold_fixture_end(&f);
}

static void fields_that_move_between_types_change_views_in_place(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct gold_stamp stamp;
	gold_fixture_begin(&f, "version: 2\nfields:\n  PushEvent:\n    - {path: payload.x, type: string}\n");
	gold_fixture_put(&f, 1, "SELECT 9 AS id, 'WatchEvent' AS type, '2026-09-20 12:00:00' AS created_at,"
				" 'x' AS \"payload.x\"");
	(void)gold_fixture_load(&f);
	gold_close(&f.gold);
	test_lake_configure(&f.lake, "version: 2\nfields:\n  WatchEvent:\n    - {path: payload.x, type: string}\n");
	gold_fixture_open(&f, false);
	ASK(&f, "SELECT \"payload.x\" FROM watchevent", "x");
	gold_read_stamp(f.gold, &stamp);
	assert_int_equal(stamp.generation, 1);
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_metrics_answer_over_full_and_thin_events),
		cmocka_unit_test(views_have_the_dotted_names),
		cmocka_unit_test(new_types_get_views_at_once),
		cmocka_unit_test(fields_that_move_between_types_change_views_in_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
