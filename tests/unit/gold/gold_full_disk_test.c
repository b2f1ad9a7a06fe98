/* SPDX-License-Identifier: Apache-2.0 */
/* A full disk under gold: the checkpoint that meets it breaks DuckDB's instance, and neither rows nor
 * answers are lost. Needs the right to mount a small disk; skipped with a word without. */
#include "tests/unit/gold/gold_support.h"

#include "gold/gold_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

static struct check_path disk;
static bool is_mounted;

static int mount_disk(void **state)
{
	(void)state;
	disk = temporary_folder_create();
	is_mounted = mount("tmpfs", disk.text, "tmpfs", 0, "size=24m") == 0;
	return is_mounted ? setenv("TMPDIR", disk.text, 1) : 0;
}

static int unmount_disk(void **state)
{
	(void)state;
	if (is_mounted)
		(void)umount2(disk.text, MNT_DETACH);
	return rmdir(disk.text);
}

static struct check_path filler(void)
{
	return path_below(&disk, "filler");
}

static void fill_disk(void)
{
	static const char block[4096];
	FILE *file = fopen(filler().text, "w");
	assert_non_null(file);
	(void)setvbuf(file, NULL, _IONBF, 0);
	while (fwrite(block, sizeof(block), 1, file) == 1)
		continue;
	(void)fclose(file);
	assert_int_equal(file_free_bytes(disk.text), 0);
}

static void *ask(void *context)
{
	struct gold_fixture *f = context;
	static struct gold_answer answer;
	answer = gold_ask(f, "SELECT count(*) FROM events");
	return answer.text;
}

static void a_broken_instance_comes_back_and_queries_wait_for_it(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	pthread_t thread;
	void *text;
	if (!is_mounted) {
		print_message("may not mount a disk of 24 MB here\n");
		skip();
	}
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
				" i % 7 AS repo_id FROM range(5000) t(i)");
	(void)gold_fixture_load(&f);
	fill_disk();
	assert_false(duck_run(f.gold->current->loader, "CHECKPOINT", &err));
	assert_true(err.no_space);
	assert_true(gold_is_broken(f.gold));
	assert_int_equal(0, pthread_create(&thread, NULL, ask, &f));
	clock_sleep_ms(300);
	/* The disk is as full as before. */
	(void)gold_fixture_load(&f);
	assert_int_equal(0, pthread_join(thread, &text));
	assert_string_equal(text, "5000");
	assert_false(gold_needs_rebuild(f.gold));
	/* The next load, without room for a checkpoint, and with. */
	assert_int_equal(0, unlink(filler().text));
	gold_fixture_put(&f, 2, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-21' + to_seconds(i) AS created_at,"
				" i % 7 AS repo_id FROM range(1000) t(i)");
	assert_int_equal(gold_fixture_load(&f).rows, 1000);
	ASK(&f, "SELECT count(*), count(DISTINCT id || type || created_at) FROM events", "6000,6000");
	gold_check_rollups(&f);
	gold_fixture_end(&f);
}

static void a_rebuild_without_room_leaves_nothing_behind(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct err err = {0};
	struct gold_report report;
	if (!is_mounted)
		skip();
	gold_fixture_begin(&f, NULL);
	gold_fixture_put(&f, 1, "SELECT i AS id, 'PushEvent' AS type, TIMESTAMP '2026-09-20' + to_seconds(i) AS created_at,"
				" hash(i)::VARCHAR AS repo_name FROM range(50000) t(i)");
	(void)gold_fixture_load(&f);
	fill_disk();
	assert_false(gold_rebuild(f.gold, &report, &err));
	assert_true(err.no_space);
	assert_false(file_exists(test_lake_path(&f.lake, "staging/gold-2.duckdb").text));
	assert_false(file_exists(test_lake_path(&f.lake, "staging/gold-2.duckdb.wal").text));
	ASK(&f, "SELECT count(*) FROM events", "50000");
	assert_int_equal(0, unlink(filler().text));
	(void)gold_fixture_rebuild(&f);
	ASK(&f, "SELECT count(*) FROM events", "50000");
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_instance_comes_back_and_queries_wait_for_it),
		cmocka_unit_test(a_rebuild_without_room_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, mount_disk, unmount_disk);
}
