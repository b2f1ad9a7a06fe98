/* SPDX-License-Identifier: Apache-2.0 */
/* Gold without what is no longer kept: rollups, coverage, late rows, rebuilds, the file's size. */
#include "tests/unit/gold/gold_support.h"

#include "lake/retention.h"

static int64_t time_of(const char *text)
{
	int64_t time_us = 0;
	assert_true(time_parse(span_of(text), &time_us));
	return time_us;
}

static int64_t expire(struct gold_fixture *f, const char *before)
{
	struct err err = {0};
	int64_t rows = 0;
	OR_FAIL(retention_move(f->lake.catalog, RETENTION_GOLD, time_of(before), &err));
	OR_FAIL(gold_expire(f->gold, NULL, &rows, &err));
	return rows;
}

static const char three_days[] =
	"SELECT i AS id, CASE i % 3 WHEN 0 THEN 'PullRequestEvent' ELSE 'PushEvent' END AS type, 'opened' AS action,"
	" TIMESTAMP '2026-09-20' + to_minutes(i * 10) AS created_at, i % 7 AS repo_id, 'r/' || i % 7 AS repo_name, i AS number"
	" FROM range(432) t(i)";

static void rollups_follow_and_late_rows_never_get_in(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct gold_stamp stamp;
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, three_days);
	(void)gold_fixture_load(&f);
	assert_int_equal(expire(&f, "2026-09-21T00:00:00Z"), 144);
	ASK(&f, "SELECT count(*), min(created_at) FROM events", "288,2026-09-21T00:00:00Z");
	gold_check_rollups(&f);
	gold_read_stamp(f.gold, &stamp);
	assert_int_equal(stamp.rows, 288);
	assert_int_equal(stamp.removed, 144);
	assert_int_equal(stamp.oldest_event_us, time_of("2026-09-21T00:00:00Z"));
	assert_int_equal(expire(&f, "2026-09-21T00:00:00Z"), 0);
	/* Two are late, one of them was here once; a third is of today. */
	gold_fixture_put(&f, 2, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_days(i * 2) AS created_at,"
				" 1 AS repo_id FROM range(2) t(i) UNION ALL SELECT 900, 'PushEvent', TIMESTAMP '2026-09-20', 1");
	struct gold_report report = gold_fixture_load(&f);
	assert_int_equal(report.rows + report.duplicates, 3);
	ASK(&f, "SELECT count(*) FROM events WHERE created_at < TIMESTAMP '2026-09-21'", "0");
	gold_check_rollups(&f);
	gold_read_stamp(f.gold, &stamp);
	assert_int_equal(stamp.rows + stamp.removed, 432 + report.rows);
	gold_fixture_end(&f);
}

static void a_rebuild_gives_the_same_rows_and_counts(void **state)
{
	(void)state;
	struct gold_fixture f;
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, three_days);
	for (int seq = 2; seq < 6; seq++)
		gold_fixture_put(&f, seq, gold_random_rows(seq, 200, 300).sql);
	(void)gold_fixture_load(&f);
	(void)expire(&f, "2026-09-21T00:00:00Z");
	struct gold_answer before = gold_digest(&f);
	(void)gold_fixture_rebuild(&f);
	assert_string_equal(gold_digest(&f).text, before.text);
	gold_check_rollups(&f);
	gold_fixture_restart(&f, false);
	assert_string_equal(gold_digest(&f).text, before.text);
	/* Batches that gold never had are counted as if they had been loaded before. */
	struct err err = {0};
	OR_FAIL(catalog_reset_batches(f.lake.catalog, BATCH_SILVER, &err));
	(void)gold_fixture_rebuild(&f);
	assert_string_equal(gold_digest(&f).text, before.text);
	gold_fixture_end(&f);
}

static void a_crash_before_the_removal_is_made_up_for(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	int64_t rows = 0;
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, three_days);
	(void)gold_fixture_load(&f);
	OR_FAIL(retention_move(f.lake.catalog, RETENTION_GOLD, time_of("2026-09-22T00:00:00Z"), &err));
	gold_fixture_restart(&f, false);
	OR_FAIL(gold_expire(f.gold, NULL, &rows, &err));
	assert_int_equal(rows, 288);
	gold_fixture_end(&f);
}

static void bytes_choose_an_instant_and_room_is_used_again(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	int64_t before_us;
	int64_t rows;
	int64_t most = 0;
	enum { LIMIT = 6 << 20, ROUNDS = 8 };
	gold_fixture_begin(&f, NULL);
	for (int seq = 1; seq <= ROUNDS; seq++) {
		char sql[512];
		(void)snprintf(sql, sizeof(sql),
			"SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-01' + to_days(%d) + to_milliseconds(i * 600)"
			" AS created_at, i %% 1000 AS repo_id, md5(i::VARCHAR) AS repo_name,"
			" md5((i + 1)::VARCHAR) AS actor_login FROM range(60000) t(i)", seq);
		gold_fixture_put(&f, seq, sql);
		(void)gold_fixture_load(&f);
		OR_FAIL(gold_choose_expired(f.gold, LIMIT, &before_us, &err));
		if (before_us == 0)
			continue;
		OR_FAIL(retention_move(f.lake.catalog, RETENTION_GOLD, before_us, &err));
		OR_FAIL(gold_expire(f.gold, NULL, &rows, &err));
		struct gold_stamp stamp;
		gold_read_stamp(f.gold, &stamp);
		print_message("round %d: %" PRId64 " rows went, %" PRId64 " left, %" PRId64 " bytes\n", seq, rows, stamp.rows,
			stamp.file_bytes);
		most = stamp.file_bytes > most ? stamp.file_bytes : most;
	}
	assert_true(most > 0);
	assert_true(most < 4 * (int64_t)LIMIT);
	gold_check_rollups(&f);
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollups_follow_and_late_rows_never_get_in),
		cmocka_unit_test(a_rebuild_gives_the_same_rows_and_counts),
		cmocka_unit_test(a_crash_before_the_removal_is_made_up_for),
		cmocka_unit_test(bytes_choose_an_instant_and_room_is_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
