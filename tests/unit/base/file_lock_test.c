/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/clock.h"
#include "base/file.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	struct check_path folder;
	struct check_path path;
	struct buf holder;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temporary_folder_create()};
	fixture.path = path_below(&fixture.folder, "lock");
	buf_init(&fixture.holder, FILE_LOCK_HOLDER_BYTES_MAX);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->holder);
	temporary_folder_remove(&f->folder);
	return 0;
}

static void second_taker_learns_who_holds_it(void **state)
{
	struct fixture *f = *state;
	struct file_lock *first CLEANUP(file_lock_release) = NULL;
	struct file_lock *second CLEANUP(file_lock_release) = NULL;
	assert_false(file_lock_is_held(f->path.text, &f->holder));
	assert_true(file_lock_take(f->path.text, "process 1, starting", &first, NULL, &f->err));
	assert_true(file_lock_describe(first, "process 1", &f->err));
	assert_false(file_lock_take(f->path.text, "process 2", &second, &f->holder, &f->err));
	assert_null(second);
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_int_equal(f->err.exit_code, 6);
	assert_string_equal(f->holder.data, "process 1");
	assert_false(file_lock_take(f->path.text, "process 2", &second, NULL, &f->err));
	buf_clear(&f->holder);
	assert_true(file_lock_is_held(f->path.text, &f->holder));
	assert_string_equal(f->holder.data, "process 1");
	assert_true(file_lock_is_held(f->path.text, NULL));
	file_lock_release(&first);
	assert_null(first);
	assert_false(file_lock_is_held(f->path.text, NULL));
	assert_true(file_lock_take(f->path.text, "process 2", &second, NULL, &f->err));
}

static void long_holder_is_cut(void **state)
{
	struct fixture *f = *state;
	struct file_lock *lock CLEANUP(file_lock_release) = NULL;
	char text[FILE_LOCK_HOLDER_BYTES_MAX + 100];
	memset(text, 'h', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(file_lock_take(f->path.text, text, &lock, NULL, &f->err));
	assert_true(file_lock_is_held(f->path.text, &f->holder));
	assert_int_equal(f->holder.size, FILE_LOCK_HOLDER_BYTES_MAX);
	assert_false(f->holder.failed);
}

static void killed_holder_holds_nothing(void **state)
{
	struct fixture *f = *state;
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct file_lock *lock = NULL;
		bool ok = file_lock_take(f->path.text, "child", &lock, NULL, &f->err);
		(void)!write(ready[1], ok ? "y" : "n", 1);
		for (;;)
			(void)pause();
	}
	char answer = '?';
	assert_int_equal(read(ready[0], &answer, 1), 1);
	bool held = file_lock_is_held(f->path.text, NULL);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(ready[0]);
	(void)close(ready[1]);
	assert_int_equal(answer, 'y');
	assert_true(held);
	struct file_lock *lock CLEANUP(file_lock_release) = NULL;
	assert_true(file_lock_take(f->path.text, "parent", &lock, NULL, &f->err));
}

static void asking_does_not_lock_others_out(void **state)
{
	struct fixture *f = *state;
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)!write(ready[1], "y", 1);
		for (;;) {
			(void)file_lock_is_held(f->path.text, NULL);
			clock_sleep_ms(1);
		}
	}
	char answer = '?';
	bool ok = read(ready[0], &answer, 1) == 1;
	for (int i = 0; i < 2000 && ok; i++) {
		struct file_lock *lock CLEANUP(file_lock_release) = NULL;
		ok = file_lock_take(f->path.text, "parent", &lock, NULL, &f->err);
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(ready[0]);
	(void)close(ready[1]);
	if (!ok)
		fail_msg("%s", f->err.text);
}

static void lock_needs_its_folder(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "missing/lock");
	struct file_lock *lock = NULL;
	assert_false(file_lock_take(path.text, "x", &lock, NULL, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_int_equal(f->err.exit_code, 0);
	assert_null(lock);
	file_lock_release(&lock);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(second_taker_learns_who_holds_it),
		IN_A_FOLDER(long_holder_is_cut),
		IN_A_FOLDER(killed_holder_holds_nothing),
		IN_A_FOLDER(asking_does_not_lock_others_out),
		IN_A_FOLDER(lock_needs_its_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
