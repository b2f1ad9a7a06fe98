/* SPDX-License-Identifier: Apache-2.0 */
/* file_test.c - whole files and drafts. Folders and locks: folder_test.c, file_lock_test.c. */
#include "tests/support/check.h"

#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct check_path folder;
	struct buf content;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temporary_folder_create()};
	buf_init(&fixture.content, 300000);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->content);
	temporary_folder_remove(&f->folder);
	return 0;
}

static void assert_file(struct fixture *f, const char *path, const char *text)
{
	buf_clear(&f->content);
	if (!file_read(path, &f->content, &f->err))
		fail_msg("%s", f->err.text);
	assert_true(span_equal_text(buf_span(&f->content), text));
}

static void write_text(struct fixture *f, const char *path, const char *text)
{
	if (!file_write(path, span_of(text), &f->err))
		fail_msg("%s", f->err.text);
}

static void written_file_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "a/b/file");
	assert_false(file_exists(path.text));
	assert_int_equal(file_size(path.text), -1);
	assert_int_equal(file_modified_us(path.text), 0);
	write_text(f, path.text, "one");
	assert_file(f, path.text, "one");
	write_text(f, path.text, "");
	assert_file(f, path.text, "");
	write_text(f, path.text, "three");
	assert_true(file_exists(path.text));
	assert_int_equal(file_size(path.text), 5);
	assert_true(file_modified_us(path.text) > INT64_C(1700000000000000));
	assert_true(file_remove(path.text, &f->err));
	assert_false(file_exists(path.text));
	assert_true(file_remove(path.text, &f->err));
	assert_true(file_free_bytes(f->folder.text) > 0);
	assert_int_equal(file_free_bytes(path.text), -1);
}

static void reading_appends_and_has_a_maximum(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "file");
	struct buf large CLEANUP(buf_finish) = {0};
	buf_init(&large, 300000);
	for (int i = 0; i < 200000; i++)
		buf_append_byte(&large, (char)('a' + i % 26));
	assert_true(file_write(path.text, buf_span(&large), &f->err));
	struct check_path copy = path_below(&f->folder, "copy");
	assert_true(file_write(copy.text, span_of("what was there before"), &f->err));
	assert_true(file_copy(path.text, copy.text, &f->err));
	buf_append_text(&f->content, "before ");
	assert_true(file_read(copy.text, &f->content, &f->err));
	assert_int_equal(f->content.size, 200007);
	assert_memory_equal(f->content.data + 7, large.data, 200000);

	struct buf exact CLEANUP(buf_finish) = {0};
	buf_init(&exact, 200000);
	assert_true(file_read(path.text, &exact, &f->err));
	assert_int_equal(exact.size, 200000);
	struct buf small CLEANUP(buf_finish) = {0};
	buf_init(&small, 199999);
	buf_append_text(&small, "kept");
	assert_false(file_read(path.text, &small, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_string_equal(small.data, "kept");
	assert_int_equal(small.size, 4);
	struct check_path missing = path_below(&f->folder, "missing");
	assert_false(file_copy(missing.text, copy.text, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_int_equal(file_size(copy.text), 200000);
}

static void missing_is_not_unreadable(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "file");
	struct check_path below_file = path_below(&path, "x");
	assert_false(file_read(path.text, &f->content, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.text, "No such file or directory"));
	write_text(f, path.text, "x");
	assert_false(file_read(below_file.text, &f->content, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_false(file_read(f->folder.text, &f->content, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	/* With no descriptor left, a good file must not pass for a bad one. */
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit none = {3, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	bool ok = file_read(path.text, &f->content, &f->err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_false(ok);
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_int_equal(f->content.size, 0);
}

static void draft_shows_only_when_published(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "sub/file");
	struct check_path draft_path = path_below(&f->folder, "sub/.file.tmp");
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	assert_true(file_draft_create(path.text, &draft, &f->err));
	assert_true(file_draft_write(draft, "ab", 2, &f->err));
	assert_true(file_draft_write(draft, "cd", 2, &f->err));
	assert_false(file_exists(path.text));
	assert_true(file_exists(draft_path.text));
	file_draft_discard(&draft);
	assert_null(draft);
	assert_false(file_exists(draft_path.text));

	assert_true(file_draft_create(path.text, &draft, &f->err));
	assert_true(file_draft_write(draft, "ef", 2, &f->err));
	assert_true(file_draft_publish(&draft, false, &f->err));
	assert_null(draft);
	assert_file(f, path.text, "ef");
	assert_false(file_exists(draft_path.text));

	/* A draft that cannot take its name leaves what was there, and goes away. */
	struct check_path folder = path_below(&f->folder, "sub/taken/x");
	write_text(f, folder.text, "inside");
	struct check_path taken = path_below(&f->folder, "sub/taken");
	assert_true(file_draft_create(taken.text, &draft, &f->err));
	assert_false(file_draft_publish(&draft, true, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_non_null(draft);
	file_draft_discard(&draft);
	assert_file(f, folder.text, "inside");
}

static void full_disk_is_a_local_error(void **state)
{
	struct fixture *f = *state;
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	struct check_path link = path_below(&f->folder, ".file.tmp");
	struct check_path path = path_below(&f->folder, "file");
	/* A draft name that is a link is not followed out of the folder. */
	assert_int_equal(symlink("/dev/full", link.text), 0);
	assert_false(file_draft_create(path.text, &draft, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_int_equal(unlink(link.text), 0);
	assert_true(file_draft_create(path.text, &draft, &f->err));
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	struct rlimit small = {1000, limit.rlim_max};
	void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	char content[4000] = "";
	bool ok = file_draft_write(draft, content, sizeof(content), &f->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	(void)signal(SIGXFSZ, old);
	assert_false(ok);
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_non_null(strstr(f->err.text, "File too large"));
}

static void staged_file_is_published(void **state)
{
	struct fixture *f = *state;
	struct check_path staged = path_below(&f->folder, "staged");
	struct check_path path = path_below(&f->folder, "new/folder/file");
	write_text(f, staged.text, "content");
	assert_true(file_publish(staged.text, path.text, &f->err));
	assert_false(file_exists(staged.text));
	assert_file(f, path.text, "content");
	assert_false(file_publish(staged.text, path.text, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_file(f, path.text, "content");
}

static void damaged_files_are_numbered(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "file");
	struct check_path first = path_below(&f->folder, "file.damaged-1");
	struct check_path second = path_below(&f->folder, "file.damaged-2");
	struct file_path aside;
	write_text(f, path.text, "1");
	assert_true(file_set_aside(path.text, &aside, &f->err));
	assert_string_equal(aside.text, first.text);
	write_text(f, path.text, "2");
	assert_true(file_set_aside(path.text, &aside, &f->err));
	assert_string_equal(aside.text, second.text);
	assert_file(f, first.text, "1");
	assert_file(f, second.text, "2");
	assert_false(file_set_aside(path.text, &aside, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
}

static void long_paths_are_refused_whole(void **state)
{
	struct fixture *f = *state;
	struct file_path path;
	char name[FILE_PATH_BYTES_MAX + 1];
	memset(name, 'n', sizeof(name));
	name[FILE_PATH_BYTES_MAX] = '\0';
	assert_false(file_path_make(&path, &f->err, "%s", name));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	name[FILE_PATH_BYTES_MAX - 1] = '\0';
	assert_true(file_path_make(&path, &f->err, "%s", name));

	/* Folders of 100 bytes each: a path that must not be cut and then made elsewhere. */
	struct check_path longer = f->folder;
	for (int i = 0; i < 12; i++) {
		memset(name, 'a' + i, 100);
		name[100] = '\0';
		longer = path_below(&longer, name);
	}
	struct file_draft *draft = NULL;
	assert_false(file_draft_create(longer.text, &draft, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_false(file_make_folder(longer.text, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_false(file_publish(f->folder.text, longer.text, &f->err));
	assert_null(draft);
	assert_int_equal(rmdir(f->folder.text), 0);
	assert_int_equal(mkdir(f->folder.text, 0700), 0);
}

static void part_outlives_and_goes_on(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "a/file");
	struct check_path part = path_below(&f->folder, "a/file.part");
	struct file_draft *draft = NULL;
	int64_t removed;
	assert_true(file_draft_resume(path.text, 0, &draft, &f->err));
	assert_true(file_draft_write(draft, "abcdef", 6, &f->err));
	file_draft_keep(&draft);
	assert_null(draft);
	file_draft_keep(&draft);
	assert_true(file_sweep_drafts(f->folder.text, &removed, &f->err));
	assert_file(f, part.text, "abcdef");
	assert_false(file_exists(path.text));

	assert_true(file_draft_resume(path.text, 4, &draft, &f->err));
	assert_true(file_draft_write(draft, "XY", 2, &f->err));
	assert_true(file_draft_publish(&draft, true, &f->err));
	assert_file(f, path.text, "abcdXY");
	assert_false(file_exists(part.text));

	/* Bytes that are not there any more are not made up. */
	assert_true(file_draft_resume(path.text, 0, &draft, &f->err));
	assert_true(file_draft_write(draft, "ab", 2, &f->err));
	file_draft_keep(&draft);
	assert_false(file_draft_resume(path.text, 3, &draft, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_null(draft);
	assert_true(file_draft_resume(path.text, 0, &draft, &f->err));
	file_draft_discard(&draft);
	assert_false(file_exists(part.text));
}

static void link_is_a_second_name(void **state)
{
	struct fixture *f = *state;
	struct check_path from = path_below(&f->folder, "from");
	struct check_path soft = path_below(&f->folder, "soft");
	struct check_path path = path_below(&f->folder, "a/to");
	struct stat first;
	struct stat second;
	bool linked = false;
	write_text(f, from.text, "text");
	write_text(f, path.text, "old");
	assert_int_equal(symlink("from", soft.text), 0);
	/* Twice, also through a link: the second time both names are of one file. */
	for (int i = 0; i < 2; i++) {
		linked = false;
		assert_true(file_link(i == 0 ? from.text : soft.text, path.text, &linked, &f->err));
		assert_true(linked);
		assert_int_equal(lstat(from.text, &first), 0);
		assert_int_equal(lstat(path.text, &second), 0);
		assert_int_equal(first.st_ino, second.st_ino);
		assert_int_equal(second.st_nlink, 2);
	}
	assert_file(f, path.text, "text");
	assert_false(file_link(path_below(&f->folder, "none").text, path.text, &linked, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);

	/* A kill in between leaves a name of the other's file: nothing may ever write through it. */
	struct check_path left = path_below(&f->folder, "a/.to.link.tmp");
	assert_int_equal(link(from.text, left.text), 0);
	write_text(f, path.text, "own");
	assert_file(f, from.text, "text");
	assert_true(file_link(from.text, path.text, &linked, &f->err));
	assert_file(f, from.text, "text");
	assert_false(file_exists(left.text));

	/* From another file system: said, not done. */
	struct check_path other = path_below(&f->folder, "other");
	assert_true(file_link("/proc/self/status", other.text, &linked, &f->err));
	assert_false(linked);
	assert_false(file_exists(other.text));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(written_file_is_read_back),
		IN_A_FOLDER(reading_appends_and_has_a_maximum),
		IN_A_FOLDER(missing_is_not_unreadable),
		IN_A_FOLDER(draft_shows_only_when_published),
		IN_A_FOLDER(full_disk_is_a_local_error),
		IN_A_FOLDER(staged_file_is_published),
		IN_A_FOLDER(damaged_files_are_numbered),
		IN_A_FOLDER(long_paths_are_refused_whole),
		IN_A_FOLDER(part_outlives_and_goes_on),
		IN_A_FOLDER(link_is_a_second_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
