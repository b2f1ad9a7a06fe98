/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/gold/gold_support.h"

#include "gold/gold_private.h"

#include <signal.h>
#include <sys/resource.h>

enum { BATCHES = 6 };

/* Gold with some batches; its file's path. */
static struct check_path begin_filled(struct gold_fixture *f)
{
	gold_fixture_begin(f, NULL);
	for (int seq = 1; seq <= BATCHES; seq++)
		gold_fixture_put(f, seq, gold_random_rows(seq * 17, 400, 1500).sql);
	(void)gold_fixture_load(f);
	return test_lake_path(&f->lake, "gold/gold-1.duckdb");
}

static int64_t generation(struct gold_fixture *f)
{
	struct gold_stamp stamp;
	gold_read_stamp(f->gold, &stamp);
	return stamp.generation;
}

static bool count_one(void *context, const char *relative_path, struct err *err)
{
	(void)relative_path;
	(void)err;
	++*(int *)context;
	return true;
}

static int file_count(struct gold_fixture *f, const char *folder)
{
	struct err err = {0};
	int count = 0;
	OR_FAIL(file_walk(test_lake_path(&f->lake, folder).text, count_one, &count, &err));
	return count;
}

static void a_restart_keeps_everything(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct gold_stamp before;
	struct gold_stamp after;
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	gold_read_stamp(f.gold, &before);
	gold_fixture_restart(&f, false);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_read_stamp(f.gold, &after);
	assert_int_equal(after.generation, before.generation);
	assert_int_equal(after.loads, before.loads);
	assert_int_equal(after.rows, before.rows);
	assert_int_equal(after.newest_event_us, before.newest_event_us);
	assert_int_equal(after.oldest_event_us, before.oldest_event_us);
	assert_int_equal(after.batch, before.batch);
	assert_int_equal(gold_fixture_load(&f).batches, 0);
	gold_fixture_end(&f);
}

static void a_load_that_the_catalog_was_not_told_of_is_mirrored(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	struct batch before = test_lake_batch(&f.lake, BATCHES);
	/* The kill came between gold's commit and the catalog's. */
	OR_FAIL(catalog_reset_batches(f.lake.catalog, BATCH_SILVER, &err));
	gold_fixture_restart(&f, false);
	struct gold_report report = gold_fixture_load(&f);
	assert_int_equal(report.batches, BATCHES);
	struct batch after = test_lake_batch(&f.lake, BATCHES);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(generation(&f), 1);
	gold_fixture_end(&f);
}

static void batches_that_gold_lacks_are_loaded_again(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct check_path path = begin_filled(&f);
	struct err err = {0};
	struct gold_answer digest;
	/* An older copy of gold comes back. */
	gold_close(&f.gold);
	CLEANUP(buf_finish) struct buf copy = {.size_max = 256 << 20};
	OR_FAIL(file_read(path.text, &copy, &err));
	gold_fixture_open(&f, false);
	gold_fixture_put(&f, BATCHES + 1, gold_random_rows(99, 300, 3000).sql);
	(void)gold_fixture_load(&f);
	digest = gold_digest(&f);
	gold_close(&f.gold);
	OR_FAIL(file_write(path.text, buf_span(&copy), &err));
	gold_fixture_open(&f, false);
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(generation(&f), 2);
	assert_false(file_exists(path.text));
	gold_fixture_end(&f);
}

static void batches_that_the_catalog_lacks_are_forgotten(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	(void)begin_filled(&f);
	/* An older catalog comes back: it knows neither batch 6 nor its files. */
	gold_close(&f.gold);
	catalog_close(&f.lake.catalog);
	OR_FAIL(file_remove(test_lake_path(&f.lake, "catalog.sqlite").text, &err));
	OR_FAIL(file_remove(test_lake_path(&f.lake, "catalog.sqlite-wal").text, &err));
	OR_FAIL(file_remove(test_lake_path(&f.lake, "catalog.sqlite-shm").text, &err));
	OR_FAIL(catalog_open(&f.lake.layout, false, &f.lake.catalog, &err));
	f.options.catalog = f.lake.catalog;
	gold_fixture_open(&f, true);
	/* It goes on answering until it is rebuilt. */
	assert_true(gold_needs_rebuild(f.gold));
	assert_string_not_equal(gold_ask(&f, "SELECT count(*) FROM events").text, "0");
	(void)gold_fixture_rebuild(&f);
	ASK(&f, "SELECT count(*) FROM events", "0");
	assert_int_equal(generation(&f), 2);
	assert_int_equal(file_count(&f, "gold"), 1);
	gold_fixture_end(&f);
}

static void rebuild_switches_and_tidies(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct gold_stamp before;
	struct gold_stamp after;
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	gold_read_stamp(f.gold, &before);
	struct gold_report report = gold_fixture_rebuild(&f);
	assert_int_equal(report.batches, BATCHES);
	assert_int_equal(report.rows, before.rows);
	gold_read_stamp(f.gold, &after);
	assert_int_equal(after.generation, 2);
	assert_int_equal(after.loads, before.loads + 1);
	assert_int_equal(after.rows, before.rows);
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(file_count(&f, "gold"), 1);
	assert_int_equal(file_count(&f, "staging"), 0);
	/* What a kill in a rebuild leaves is no generation, and the next one does not mind. */
	struct err err = {0};
	OR_FAIL(file_write(test_lake_path(&f.lake, "staging/gold-3.duckdb").text, span_of("half"), &err));
	OR_FAIL(file_write(test_lake_path(&f.lake, "staging/gold-3.duckdb.wal").text, span_of("half"), &err));
	(void)gold_fixture_rebuild(&f);
	assert_string_equal(gold_digest(&f).text, digest.text);
	/* A kill between publication and the setting leaves a whole generation that does not count. */
	gold_close(&f.gold);
	OR_FAIL(catalog_write_setting(f.lake.catalog, "gold_generation", 7, &err));
	gold_fixture_open(&f, false);
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(generation(&f), 8);
	assert_int_equal(file_count(&f, "gold"), 1);
	/* A start that has to rebuild sweeps nothing: the rebuild does. */
	OR_FAIL(file_write(test_lake_path(&f.lake, "gold/gold-20.duckdb").text, span_of("not the one"), &err));
	(void)gold_fixture_rebuild(&f);
	assert_int_equal(generation(&f), 21);
	assert_int_equal(file_count(&f, "gold"), 1);
	gold_fixture_end(&f);
}

static void a_rebuild_heeds_stop_and_leaves_the_old_one(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	struct gold_report report;
	struct stop_flag stop;
	stop_flag_init(&stop);
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	gold_close(&f.gold);
	f.options.stop = &stop;
	gold_fixture_open(&f, false);
	stop_flag_set(&stop);
	assert_false(gold_rebuild(f.gold, &report, &err));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(generation(&f), 1);
	gold_fixture_restart(&f, false);
	assert_int_equal(generation(&f), 1);
	assert_int_equal(file_count(&f, "staging"), 0);
	stop_flag_finish(&stop);
	gold_fixture_end(&f);
}

static void without_a_setting_the_highest_that_opens_counts(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	gold_close(&f.gold);
	OR_FAIL(catalog_write_setting(f.lake.catalog, "gold_generation", 0, &err));
	OR_FAIL(file_write(test_lake_path(&f.lake, "gold/gold-5.duckdb").text, span_of("no database"), &err));
	gold_fixture_open(&f, false);
	assert_int_equal(generation(&f), 1);
	assert_string_equal(gold_digest(&f).text, digest.text);
	int64_t setting = 0;
	OR_FAIL(catalog_read_setting(f.lake.catalog, "gold_generation", 0, &setting, &err));
	assert_int_equal(setting, 1);
	gold_fixture_end(&f);
}

static void damage_is_set_aside_and_rebuilt(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	struct gold_report report;
	enum { HEAD, TRUNCATED, GARBAGE, EMPTY, BLOCKS, KINDS };
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	for (int kind = 0; kind < KINDS; kind++) {
		CLEANUP(buf_finish) struct buf bytes = {.size_max = 256 << 20};
		struct file_path relative;
		OR_FAIL(layout_gold(generation(&f), &relative, &err));
		struct check_path path = test_lake_path(&f.lake, relative.text);
		gold_close(&f.gold);
		OR_FAIL(file_read(path.text, &bytes, &err));
		if (kind == HEAD)
			memset(bytes.data, 0x5a, 4096);
		else if (kind == TRUNCATED)
			bytes.size /= 3;
		else if (kind == GARBAGE)
			memset(bytes.data, 0x5a, bytes.size);
		else if (kind == EMPTY)
			bytes.size = 0;
		else if (kind == BLOCKS)
			/* Behind the three headers: what is in the blocks. */
			for (size_t i = 12288 + 1000; i < bytes.size; i += 4096)
				bytes.data[i] = (char)(bytes.data[i] ^ 0x40);
		OR_FAIL(file_write(path.text, buf_span(&bytes), &err));
		gold_fixture_open(&f, true);
		struct gold_stamp stamp;
		gold_read_stamp(f.gold, &stamp);
		if (!gold_needs_rebuild(f.gold)) {
			/* The blocks that opening reads were whole: a query or the next load meets the others. */
			CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
			const struct gold_query query = {.sql = "SELECT max(e::VARCHAR) FROM events e", .row_count_max = 1};
			struct table table;
			assert_int_equal(kind, BLOCKS);
			assert_false(gold_run_query(f.gold, &query, &arena, &table, NULL, &err));
			assert_int_equal(err.kind, ERR_RETRY);
			OR_FAIL(gold_load_pending(f.gold, NULL, &report, &err));
			assert_true(gold_needs_rebuild(f.gold));
			gold_read_stamp(f.gold, &stamp);
		}
		print_message("damage %d: state %d\n", kind, (int)stamp.state);
		if (stamp.state == GOLD_REBUILDING) {
			CLEANUP(arena_finish) struct arena arena = {.size_max = 1 << 20};
			const struct gold_query query = {.sql = "SELECT 1", .row_count_max = 1};
			struct table table;
			assert_false(gold_run_query(f.gold, &query, &arena, &table, NULL, &err));
			assert_int_equal(err.kind, ERR_RETRY);
		}
		OR_FAIL(gold_rebuild(f.gold, &report, &err));
		assert_string_equal(gold_digest(&f).text, digest.text);
		/* One damaged file is kept for a look, with its log perhaps; not all that ever were. */
		assert_in_range(file_count(&f, "gold"), 1, 3);
	}
	gold_fixture_end(&f);
}

/* One bad block among many good ones: opening does not meet it, a query may. */
static void damage_that_a_query_meets_leads_to_a_rebuild(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	struct gold_report report;
	enum { HEADERS_BYTES = 12288, BLOCK_BYTES = 262144 };
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
				" md5(i::VARCHAR) AS actor_login FROM range(60000) t(i)");
	(void)gold_fixture_load(&f);
	struct gold_answer digest = gold_digest(&f);
	gold_close(&f.gold);
	struct check_path path = test_lake_path(&f.lake, "gold/gold-1.duckdb");
	CLEANUP(buf_finish) struct buf bytes = {.size_max = 256 << 20};
	OR_FAIL(file_read(path.text, &bytes, &err));
	bool met = false;
	for (size_t at = HEADERS_BYTES + BLOCK_BYTES / 2; at < bytes.size && !met; at += BLOCK_BYTES) {
		bytes.data[at] ^= 1;
		OR_FAIL(file_write(path.text, buf_span(&bytes), &err));
		bytes.data[at] ^= 1;
		OR_FAIL(catalog_write_setting(f.lake.catalog, "gold_generation", 1, &err));
		gold_fixture_open(&f, true);
		if (!gold_needs_rebuild(f.gold)) {
			CLEANUP(arena_finish) struct arena arena = {.size_max = 64 << 20};
			const struct gold_query query = {.sql = "SELECT max(e::VARCHAR) FROM events e", .row_count_max = 1};
			struct table table;
			met = !gold_run_query(f.gold, &query, &arena, &table, NULL, &err);
			if (met)
				assert_int_equal(err.kind, ERR_RETRY);
		}
		if (!met)
			gold_close(&f.gold);
	}
	assert_true(met);
	OR_FAIL(gold_load_pending(f.gold, NULL, &report, &err));
	assert_true(gold_needs_rebuild(f.gold));
	(void)gold_fixture_rebuild(&f);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_fixture_end(&f);
}

static void a_failed_checkpoint_breaks_nothing(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	struct gold_report report = {0};
	struct rlimit old;
	enum { MARK = 42 };
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
				" md5(i::VARCHAR) AS actor_login FROM range(100000) t(i)");
	(void)gold_fixture_load(&f);
	gold_fixture_restart(&f, false); /* checkpoints */
	/* A type that is new makes a view, and a view a checkpoint. */
	gold_fixture_put(&f, 2, "SELECT i AS id, 'NovelEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
				" md5(i::VARCHAR) AS actor_login FROM range(20000) t(i)");
	f.gold->current->readers[GOLD_READERS_MAX - 1].deadline_ms = MARK;
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &old));
	const struct rlimit tight = {
		.rlim_cur = (rlim_t)file_size(test_lake_path(&f.lake, "gold/gold-1.duckdb").text),
		.rlim_max = old.rlim_max,
	};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &tight));
	bool loaded = gold_load_pending(f.gold, NULL, &report, &err);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &old));
	if (!loaded)
		OR_FAIL(gold_load_pending(f.gold, NULL, &report, &err));
	/* It was another instance that told the catalog. */
	assert_int_not_equal(f.gold->current->readers[GOLD_READERS_MAX - 1].deadline_ms, MARK);
	assert_int_equal(test_lake_batch(&f.lake, 2).state, BATCH_GOLD);
	assert_int_equal(test_lake_batch(&f.lake, 2).gold_rows, 20000);
	assert_int_equal(generation(&f), 1);
	ASK(&f, "SELECT count(*) FROM novelevent", "20000");
	gold_fixture_end(&f);
}

/* The two files as they are on disk while gold is open: what a kill leaves. */
struct remains {
	struct check_path paths[2];
	struct buf bytes[2];
};

static void take_remains(struct gold_fixture *f, struct remains *remains)
{
	struct err err = {0};
	remains->paths[0] = test_lake_path(&f->lake, "gold/gold-1.duckdb");
	remains->paths[1] = test_lake_path(&f->lake, "gold/gold-1.duckdb.wal");
	for (int i = 0; i < 2; i++) {
		buf_init(&remains->bytes[i], 256 << 20);
		OR_FAIL(file_read(remains->paths[i].text, &remains->bytes[i], &err));
		assert_true(remains->bytes[i].size > 0);
	}
}

static void put_remains(struct gold_fixture *f, struct remains *remains)
{
	struct err err = {0};
	gold_close(&f->gold);
	for (int i = 0; i < 2; i++) {
		OR_FAIL(file_write(remains->paths[i].text, buf_span(&remains->bytes[i]), &err));
		buf_finish(&remains->bytes[i]);
	}
}

static void a_kill_loses_no_committed_load(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct remains remains;
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	take_remains(&f, &remains);
	put_remains(&f, &remains);
	gold_fixture_open(&f, true);
	assert_false(gold_needs_rebuild(f.gold));
	assert_int_equal(generation(&f), 1);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_fixture_end(&f);
}

static void a_log_torn_by_power_loss_leads_to_a_rebuild(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct remains remains;
	static const char zeros[4096];
	(void)begin_filled(&f);
	struct gold_answer digest = gold_digest(&f);
	take_remains(&f, &remains);
	buf_append(&remains.bytes[1], zeros, sizeof(zeros));
	put_remains(&f, &remains);
	gold_fixture_open(&f, false);
	assert_int_equal(generation(&f), 2);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_fixture_end(&f);
}

static void another_field_set_means_another_generation(void **state)
{
	(void)state;
	struct gold_fixture f;
	gold_fixture_begin(&f, "version: 2\nfields:\n  PushEvent:\n    - {path: payload.old, type: string}\n");
	gold_fixture_put(&f, 1, "SELECT 9 AS id, 'PushEvent' AS type, '2026-09-20 12:00:00' AS created_at,"
				" 'x' AS \"payload.old\"");
	(void)gold_fixture_load(&f);
	gold_close(&f.gold);
	test_lake_configure(&f.lake, "version: 2\nfields:\n  PushEvent:\n    - {path: payload.fresh, type: integer}\n");
	gold_fixture_open(&f, true);
	assert_true(gold_needs_rebuild(f.gold));
	ASK(&f, "SELECT \"payload.old\" FROM events", "x"); /* answers go on meanwhile */
	(void)gold_fixture_rebuild(&f);
	assert_int_equal(generation(&f), 2);
	gold_fixture_put(&f, 2, "SELECT 10 AS id, 'PushEvent' AS type, '2026-09-20 12:00:00' AS created_at,"
				" 5 AS \"payload.fresh\"");
	(void)gold_fixture_load(&f);
	ASK(&f, "SELECT id, \"payload.fresh\" FROM pushevent ORDER BY id", "9,NULL;10,5");
	gold_fixture_end(&f);
}

static void other_rollups_mean_another_generation(void **state)
{
	(void)state;
	struct gold_fixture f;
	(void)begin_filled(&f);
	gold_close(&f.gold);
	struct rollup other = test_rollups[1];
	other.filter = NULL;
	f.options.rollups = &other;
	f.options.rollup_count = 1;
	gold_fixture_open(&f, true);
	struct gold_stamp stamp;
	gold_read_stamp(f.gold, &stamp);
	assert_int_equal(stamp.state, GOLD_REBUILDING); /* the old rollup would answer wrongly */
	(void)gold_fixture_rebuild(&f);
	ASK(&f, "SELECT (SELECT sum(opened) FROM rollup_pull_request_gaps) = (SELECT count(*) FROM events)", "true");
	gold_fixture_end(&f);
}

static void silver_made_anew_means_another_generation(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	(void)begin_filled(&f);
	gold_close(&f.gold);
	OR_FAIL(catalog_write_setting(f.lake.catalog, SILVER_REBUILDS_SETTING, 1, &err));
	gold_fixture_open(&f, false);
	assert_int_equal(generation(&f), 2);
	gold_fixture_restart(&f, true);
	assert_false(gold_needs_rebuild(f.gold));
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_keeps_everything),
		cmocka_unit_test(a_load_that_the_catalog_was_not_told_of_is_mirrored),
		cmocka_unit_test(batches_that_gold_lacks_are_loaded_again),
		cmocka_unit_test(batches_that_the_catalog_lacks_are_forgotten),
		cmocka_unit_test(rebuild_switches_and_tidies),
		cmocka_unit_test(a_rebuild_heeds_stop_and_leaves_the_old_one),
		cmocka_unit_test(without_a_setting_the_highest_that_opens_counts),
		cmocka_unit_test(damage_is_set_aside_and_rebuilt),
		cmocka_unit_test(damage_that_a_query_meets_leads_to_a_rebuild),
		cmocka_unit_test(a_failed_checkpoint_breaks_nothing),
		cmocka_unit_test(a_kill_loses_no_committed_load),
		cmocka_unit_test(a_log_torn_by_power_loss_leads_to_a_rebuild),
		cmocka_unit_test(another_field_set_means_another_generation),
		cmocka_unit_test(other_rollups_mean_another_generation),
		cmocka_unit_test(silver_made_anew_means_another_generation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
