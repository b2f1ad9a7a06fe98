/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gold/gold_support.h"

#include "gold/gold_private.h"

#include <pthread.h>
#include <stdatomic.h>

static const char endless[] = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range + b.range = -1";

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static void begin_with(struct gold_fixture *f, int readers, int heavy_readers)
{
	gold_fixture_begin(f, NULL);
	gold_close(&f->gold);
	f->options.readers = readers;
	f->options.heavy_readers = heavy_readers;
	gold_fixture_open(f, false);
	gold_fixture_put(f, 1, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
			       " i % 7 AS repo_id FROM range(5000) t(i)");
	(void)gold_fixture_load(f);
}

/* Runs a query that must fail; its kind and how long it took. */
static struct err failing(struct gold_fixture *f, const struct gold_query *query)
{
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct table table = {0};
	assert_false(gold_run_query(f->gold, query, &arena, &table, NULL, &err));
	assert_null(table.values);
	return err;
}

static void values_are_bound_and_rows_are_capped(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	begin_with(&f, 2, 1);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	const struct value values[] = {value_text(span_of("x' OR 1=1 --")), value_integer(4990)};
	const struct gold_query query = {
		.sql = "SELECT id, $1 AS text FROM events WHERE id >= $2 ORDER BY id DESC -- no semicolon",
		.values = values,
		.value_count = 2,
		.row_count_max = 4,
	};
	struct table table;
	struct gold_stamp stamp;
	OR_FAIL(gold_run_query(f.gold, &query, &arena, &table, &stamp, &err));
	assert_int_equal(table.row_count, 4);
	assert_true(table.truncated);
	assert_int_equal(table_value(&table, 0, 0)->integer, 4999);
	assert_int_equal(table_value(&table, 3, 0)->integer, 4996);
	assert_true(span_equal(table_value(&table, 0, 1)->text, values[0].text));
	assert_int_equal(stamp.rows, 5000);
	assert_int_equal(stamp.batch, 1);
	const struct gold_query all = {
		.sql = "SELECT id FROM events WHERE id < 10", .row_count_max = 10};
	OR_FAIL(gold_run_query(f.gold, &all, &arena, &table, NULL, &err));
	assert_int_equal(table.row_count, 10);
	assert_false(table.truncated);
	gold_fixture_end(&f);
}

static void order_survives_the_cap(void **state)
{
	(void)state;
	struct gold_fixture f;
	begin_with(&f, 2, 1);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
	struct err err = {0};
	struct table table;
	const struct gold_query query = {
		.sql = "SELECT hash(id) % 1000000 AS h, id FROM events ORDER BY h, id", .row_count_max = 100000};
	OR_FAIL(gold_run_query(f.gold, &query, &arena, &table, NULL, &err));
	assert_int_equal(table.row_count, 5000);
	for (size_t i = 1; i < table.row_count; i++)
		assert_true(table_value(&table, i - 1, 0)->integer <= table_value(&table, i, 0)->integer);
	gold_fixture_end(&f);
}

static void only_one_select_runs(void **state)
{
	(void)state;
	struct gold_fixture f;
	static const char *const texts[] = {
		"DELETE FROM events", "SELECT 1; DROP TABLE events", "COPY events TO '/tmp/octolake-out.csv'",
		"CREATE TABLE t (a INTEGER)", "ATTACH ':memory:' AS m", "SET memory_limit = '1GB'", "SELECT nothing",
		"SELECT 1) ; DROP TABLE events; SELECT (1", "", "FROM read_text('/etc/hostname')",
		"SELECT * FROM read_csv('/proc/self/environ')", "PRAGMA database_list", "CHECKPOINT",
	};
	begin_with(&f, 2, 1);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		const struct gold_query query = {.sql = texts[i], .row_count_max = 10};
		struct err err = failing(&f, &query);
		if (err.kind != ERR_INPUT)
			fail_msg("%s: %s: %s", texts[i], err_kind_name(err.kind), err.text);
	}
	ASK(&f, "SELECT count(*) FROM events", "5000");
	gold_fixture_end(&f);
}

static void overdue_queries_are_ended_and_the_next_is_not(void **state)
{
	(void)state;
	struct gold_fixture f;
	begin_with(&f, 1, 1);
	const struct gold_query query = {.sql = endless, .row_count_max = 10, .wait_ms_max = 200, .heavy = true};
	for (int i = 0; i < 5; i++) {
		int64_t began_ms = now_ms();
		struct err err = failing(&f, &query);
		assert_true(gold_err_is_timeout(&err));
		assert_int_equal(err.kind, ERR_RETRY);
		assert_in_range(now_ms() - began_ms, 190, 5000);
		ASK(&f, "SELECT count(*) FROM events", "5000");
	}
	/* A limit that is over before the engine has started. */
	const struct gold_query hasty = {.sql = endless, .row_count_max = 10, .wait_ms_max = 1};
	for (int i = 0; i < 20; i++) {
		struct err err = failing(&f, &hasty);
		assert_int_equal(err.kind, ERR_RETRY);
	}
	gold_fixture_end(&f);
}

struct background {
	struct gold_fixture *f;
	struct gold_query query;
	struct err err;
	bool ok;
	pthread_t thread;
	atomic_bool done;
};

static void *run_background(void *context)
{
	struct background *background = context;
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct table table;
	background->ok = gold_run_query(
		background->f->gold, &background->query, &arena, &table, NULL, &background->err);
	atomic_store(&background->done, true);
	return NULL;
}

static void start(struct background *background, struct gold_fixture *f, const struct gold_query *query)
{
	background->f = f;
	background->query = *query;
	background->err = (struct err){0};
	atomic_init(&background->done, false);
	assert_int_equal(0, pthread_create(&background->thread, NULL, run_background, background));
}

/* Until so many queries run and so many wait for a place. */
static void wait_for(struct gold_fixture *f, int busy, int waiting)
{
	for (int64_t began_ms = now_ms(); now_ms() - began_ms < 30000; clock_sleep_ms(5)) {
		(void)pthread_mutex_lock(&f->gold->mutex);
		bool there = f->gold->current->busy_count == busy && f->gold->waiting_count == waiting;
		(void)pthread_mutex_unlock(&f->gold->mutex);
		if (there)
			return;
	}
	fail_msg("the queries did not start");
}

static void join(struct background *background)
{
	assert_int_equal(0, pthread_join(background->thread, NULL));
}

static void heavy_queries_wait_their_turn(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct background background;
	begin_with(&f, 3, 1);
	const struct gold_query slow = {.sql = endless, .row_count_max = 1, .wait_ms_max = 20000, .heavy = true};
	start(&background, &f, &slow);
	wait_for(&f, 1, 0);
	/* Light ones pass by; a heavy one finds no place in its time. */
	ASK(&f, "SELECT count(*) FROM events", "5000");
	const struct gold_query heavy = {.sql = "SELECT 1", .row_count_max = 1, .wait_ms_max = 200, .heavy = true};
	struct err err = failing(&f, &heavy);
	assert_int_equal(err.kind, ERR_RETRY);
	assert_false(gold_err_is_timeout(&err));
	assert_non_null(strstr(err.text, "no place"));
	assert_false(atomic_load(&background.done));
	gold_interrupt(f.gold);
	join(&background);
	assert_false(background.ok);
	assert_int_equal(background.err.kind, ERR_RETRY);
	assert_false(gold_err_is_timeout(&background.err));
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct table table;
	OR_FAIL(gold_run_query(f.gold, &heavy, &arena, &table, NULL, &err));
	gold_fixture_end(&f);
}

static void closing_ends_what_runs(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct background running[2];
	begin_with(&f, 1, 1);
	const struct gold_query slow = {.sql = endless, .row_count_max = 1};
	for (size_t i = 0; i < ARRAY_COUNT(running); i++)
		start(&running[i], &f, &slow); /* one runs, one waits */
	wait_for(&f, 1, 1);
	int64_t began_ms = now_ms();
	gold_close(&f.gold);
	assert_in_range(now_ms() - began_ms, 0, 5000);
	for (size_t i = 0; i < ARRAY_COUNT(running); i++) {
		join(&running[i]);
		assert_false(running[i].ok);
		assert_int_equal(running[i].err.kind, ERR_RETRY);
	}
	gold_fixture_end(&f);
}

static void a_rebuild_does_not_disturb_running_queries(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct background background;
	struct gold_stamp stamp;
	begin_with(&f, 2, 1);
	const struct gold_query slow = {.sql = endless, .row_count_max = 1, .wait_ms_max = 60000};
	start(&background, &f, &slow);
	wait_for(&f, 1, 0);
	(void)gold_fixture_rebuild(&f);
	gold_read_stamp(f.gold, &stamp);
	assert_int_equal(stamp.generation, 2);
	/* The old file stays as long as it is read from. */
	assert_true(file_exists(test_lake_path(&f.lake, "gold/gold-1.duckdb").text));
	assert_false(atomic_load(&background.done));
	ASK(&f, "SELECT count(*) FROM events", "5000");
	gold_interrupt(f.gold);
	join(&background);
	(void)gold_fixture_load(&f);
	assert_false(file_exists(test_lake_path(&f.lake, "gold/gold-1.duckdb").text));
	gold_fixture_end(&f);
}

static void describe_tells_columns_and_parameters(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	begin_with(&f, 1, 1);
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
	struct table columns;
	size_t parameter_count;
	OR_FAIL(gold_describe(f.gold, "SELECT \"repo.name\", created_at, 1.5 AS a FROM pushevent WHERE id = $1 LIMIT $2",
		&arena, &columns, &parameter_count, &err));
	assert_int_equal(parameter_count, 2);
	assert_int_equal(columns.row_count, 3);
	assert_true(span_equal_text(table_value(&columns, 0, 0)->text, "repo.name"));
	assert_true(span_equal_text(table_value(&columns, 1, 1)->text, "TIMESTAMP WITH TIME ZONE"));
	assert_false(gold_describe(f.gold, "SELECT nothing FROM nowhere", &arena, &columns, &parameter_count, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	gold_fixture_end(&f);
}

struct crowd {
	struct gold_fixture *f;
	atomic_bool stop;
	atomic_int answers;
	atomic_int failures;
};

/* Within one answer the parts must be of one moment: a load is all or nothing. */
static void *ask_again_and_again(void *context)
{
	static const char sql[] = "SELECT (SELECT count(*) FROM events) - (SELECT sum(events) FROM rollup_events_per_minute),"
				  " (SELECT count(*) FROM events) - (SELECT sum(rows) FROM loaded_batches)";
	struct crowd *crowd = context;
	while (!atomic_load(&crowd->stop)) {
		CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
		struct err err = {0};
		struct table table;
		struct gold_stamp stamp;
		const struct gold_query query = {.sql = sql, .row_count_max = 1, .wait_ms_max = 30000, .heavy = true};
		if (!gold_run_query(crowd->f->gold, &query, &arena, &table, &stamp, &err)
			|| table_value(&table, 0, 0)->type == VALUE_NULL) {
			atomic_fetch_add(&crowd->failures, 1);
			print_message("%s\n", err.text);
			continue;
		}
		struct value first = *table_value(&table, 0, 0);
		struct value second = *table_value(&table, 0, 1);
		bool zero = (first.type == VALUE_INTEGER ? first.integer == 0 : span_equal_text(first.text, "0"))
			    && (second.type == VALUE_INTEGER ? second.integer == 0
							     : span_equal_text(second.text, "0"));
		atomic_fetch_add(zero ? &crowd->answers : &crowd->failures, 1);
	}
	return NULL;
}

static void readers_see_whole_loads_only(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct crowd crowd = {.f = &f};
	pthread_t threads[3];
	begin_with(&f, 2, 2);
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, ask_again_and_again, &crowd));
	for (int seq = 2; seq < 14; seq++) {
		gold_fixture_put(&f, seq, gold_random_rows(seq, 200, 100000).sql);
		(void)gold_fixture_load(&f);
		if (seq % 4 == 0)
			(void)gold_fixture_rebuild(&f);
	}
	atomic_store(&crowd.stop, true);
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(0, pthread_join(threads[i], NULL));
	print_message("%d answers\n", atomic_load(&crowd.answers));
	assert_int_equal(atomic_load(&crowd.failures), 0);
	assert_true(atomic_load(&crowd.answers) > 10);
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_bound_and_rows_are_capped),
		cmocka_unit_test(order_survives_the_cap),
		cmocka_unit_test(only_one_select_runs),
		cmocka_unit_test(overdue_queries_are_ended_and_the_next_is_not),
		cmocka_unit_test(heavy_queries_wait_their_turn),
		cmocka_unit_test(closing_ends_what_runs),
		cmocka_unit_test(a_rebuild_does_not_disturb_running_queries),
		cmocka_unit_test(describe_tells_columns_and_parameters),
		cmocka_unit_test(readers_see_whole_loads_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
