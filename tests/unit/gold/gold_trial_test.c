/* SPDX-License-Identifier: Apache-2.0 */
/* gold_trial_test.c - a gold that was not closed by us is opened by somebody else first, once. */
#include "tests/unit/gold/gold_support.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { BATCHES = 3 };

/* A program that is called as the opener, notes it in the file "tried", and ends as `end` says. */
static void set_opener(struct gold_fixture *f, struct check_path *program, const char *end)
{
	struct err err = {0};
	char script[sizeof(program->text) * 2];
	*program = test_lake_path(&f->lake, "opener");
	(void)snprintf(script, sizeof(script), "#!/bin/sh\n[ \"$1\" = try-gold ] && [ -f \"$2\" ] && echo x >> '%s'\n%s\n",
		test_lake_path(&f->lake, "tried").text, end);
	OR_FAIL(file_write(program->text, span_of(script), &err));
	assert_int_equal(chmod(program->text, 0700), 0);
	f->options.opener = program->text;
}

static int tries(struct gold_fixture *f)
{
	int64_t bytes = file_size(test_lake_path(&f->lake, "tried").text);
	return bytes > 0 ? (int)bytes / 2 : 0;
}

static struct gold_answer begin_filled(struct gold_fixture *f)
{
	gold_fixture_begin(f, NULL);
	for (int seq = 1; seq <= BATCHES; seq++)
		gold_fixture_put(f, seq, gold_random_rows(seq * 17, 400, 1500).sql);
	(void)gold_fixture_load(f);
	return gold_digest(f);
}

/* As after a kill: not as the last close left it. */
static void touch(struct gold_fixture *f, const char *name)
{
	const struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
	assert_int_equal(utimensat(AT_FDCWD, test_lake_path(&f->lake, name).text, times, 0), 0);
}

static struct gold_stamp stamp_of(struct gold_fixture *f)
{
	struct gold_stamp stamp;
	gold_read_stamp(f->gold, &stamp);
	return stamp;
}

static void only_what_was_not_closed_is_tried(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct check_path program;
	struct gold_answer digest = begin_filled(&f);
	set_opener(&f, &program, "exit 0");
	gold_fixture_restart(&f, true);
	assert_int_equal(tries(&f), 0);
	gold_close(&f.gold);
	touch(&f, "gold/gold-1.duckdb");
	gold_fixture_open(&f, true);
	assert_int_equal(tries(&f), 1);
	assert_string_equal(gold_digest(&f).text, digest.text);
	assert_int_equal(stamp_of(&f).generation, 1);
	gold_fixture_restart(&f, true);
	assert_int_equal(tries(&f), 1);
	gold_fixture_end(&f);
}

/* The opener ends as `end` says: gold is set aside, readers hear that it is built again, and then it is
 * there; the start after that finds nothing to do. */
static void check_set_aside(const char *end)
{
	struct gold_fixture f;
	struct check_path program;
	struct gold_answer digest = begin_filled(&f);
	set_opener(&f, &program, end);
	gold_close(&f.gold);
	touch(&f, "gold/gold-1.duckdb");
	gold_fixture_open(&f, true);
	assert_int_equal(tries(&f), 1);
	assert_int_equal(stamp_of(&f).state, GOLD_REBUILDING);
	assert_non_null(strstr(stamp_of(&f).rebuild_reason, "damaged"));
	assert_true(gold_needs_rebuild(f.gold));
	assert_false(file_exists(test_lake_path(&f.lake, "gold/gold-1.duckdb").text));
	(void)gold_fixture_rebuild(&f);
	assert_int_equal(stamp_of(&f).state, GOLD_READY);
	assert_string_equal(gold_digest(&f).text, digest.text);
	int64_t generation = stamp_of(&f).generation;
	gold_fixture_restart(&f, true);
	assert_int_equal(tries(&f), 1);
	assert_false(gold_needs_rebuild(f.gold));
	assert_int_equal(stamp_of(&f).generation, generation);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_fixture_end(&f);
}

static void what_kills_the_opener_is_set_aside(void **state)
{
	(void)state;
	check_set_aside("kill -ABRT $$");
}

static void what_the_opener_calls_damaged_is_set_aside(void **state)
{
	(void)state;
	check_set_aside("exit 4");
}

static void an_opener_that_fails_for_its_own_reasons_changes_nothing(void **state)
{
	(void)state;
	struct gold_fixture f;
	struct check_path program;
	struct gold_answer digest = begin_filled(&f);
	set_opener(&f, &program, "exit 1");
	gold_close(&f.gold);
	touch(&f, "gold/gold-1.duckdb");
	gold_fixture_open(&f, true);
	assert_int_equal(tries(&f), 1);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_close(&f.gold);
	touch(&f, "gold/gold-1.duckdb");
	f.options.opener = "/nonexistent/opener";
	gold_fixture_open(&f, true);
	assert_string_equal(gold_digest(&f).text, digest.text);
	gold_fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_not_closed_is_tried),
		cmocka_unit_test(what_kills_the_opener_is_set_aside),
		cmocka_unit_test(what_the_opener_calls_damaged_is_set_aside),
		cmocka_unit_test(an_opener_that_fails_for_its_own_reasons_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
