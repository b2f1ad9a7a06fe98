/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process is ended, and where not. tests/torture has what becomes of the data. */
#include "tests/support/check.h"

#include "base/failpoint.h"
#include "base/file.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef OCTOLAKE_FAILPOINTS

/* Writes a file as bronze does, `count` times, in a process of its own; how that ended. */
static int write_elsewhere(const char *configuration, const char *path, int count)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		FAILPOINT_SCOPE("bronze");
		struct err err;
		bool ok = failpoint_configure(configuration, &err);
		for (int i = 0; i < count && ok; i++)
			ok = file_write(path, span_of("text"), &err);
		_exit(ok && !failpoint_stray() ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static bool was_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void test_kill_before_and_after(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "file");
	struct check_path draft = path_below(&folder, ".file.tmp");
	assert_true(was_killed(write_elsewhere("bronze.rename.before:1", path.text, 1)));
	assert_int_equal(file_size(path.text), -1);
	assert_int_equal(file_size(draft.text), 4);
	assert_true(was_killed(write_elsewhere("bronze.rename.after:1", path.text, 1)));
	assert_int_equal(file_size(path.text), 4);
	assert_int_equal(file_size(draft.text), -1);
	temporary_folder_remove(&folder);
}

static void test_nth_hit(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "file");
	assert_int_equal(write_elsewhere("bronze.fsync.after:3", path.text, 2), 0);
	assert_true(was_killed(write_elsewhere("bronze.fsync.after:3", path.text, 3)));
	/* Another scope's operation of that name is another point; a wait is no end. */
	assert_int_equal(write_elsewhere("silver.live.fsync.after:1", path.text, 3), 0);
	assert_int_equal(write_elsewhere("bronze.fsync.after:1:sleep=1", path.text, 3), 0);
	temporary_folder_remove(&folder);
}

static void publish_gold(void)
{
	FAILPOINT_SCOPE("gold.publish");
	FAILPOINT_DO("rename", errno = 0);
}

static void test_scopes_and_strays(void **state)
{
	(void)state;
	size_t before = failpoint_count();
	for (size_t i = 0; i < failpoint_count(); i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(failpoint_name(i).text, failpoint_name(j).text);
	for (size_t i = 0; i < failpoint_count(); i++)
		if (strcmp(failpoint_name(i).text, "bronze.rename.before") == 0)
			before = i;
	assert_true(before < failpoint_count());
	failpoint_arm(before, 0);
	{
		FAILPOINT_SCOPE("bronze");
		errno = ENOSPC;
		assert_int_equal(FAILPOINT("rename", -1), -1);
		assert_int_equal(errno, ENOSPC);
		publish_gold();
		FAILPOINT_DO("rename", errno = 0);
	}
	assert_int_equal(failpoint_hits(before), 2);
	assert_int_equal(failpoint_hits(before + 1), 2);
	assert_null(failpoint_stray());
	FAILPOINT_DO("rename", errno = 0);
	assert_string_equal(failpoint_stray(), "(no scope).rename.before");
	assert_int_equal(failpoint_hits(before), 2);
}

static void test_configuration(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "bronze", "bronze.fsync.before", "bronze.fsync.before:0",
		"bronze.fsync.before:x", "bronze.fsync.before:1:", "bronze.fsync.before:1:wait",
		"bronze.fsync.before:1:sleep=0", "bronze.fsync:1", "bronze.fsync.before:1:sleep=1:"};
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		assert_false(failpoint_configure(bad[i], &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
	assert_true(failpoint_configure("bronze.fsync.before:1000000", &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_before_and_after),
		cmocka_unit_test(test_nth_hit),
		cmocka_unit_test(test_scopes_and_strays),
		cmocka_unit_test(test_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void test_not_built(void **state)
{
	(void)state;
	struct err err = {0};
	FAILPOINT_SCOPE("bronze");
	assert_int_equal(FAILPOINT("rename", 3), 3);
	assert_false(failpoint_configure("bronze.rename.before:1", &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_not_built)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
