/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct check_path folder;
	struct buf seen;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temporary_folder_create()};
	buf_init(&fixture.seen, 10000);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->seen);
	temporary_folder_remove(&f->folder);
	return 0;
}

static void add_file(struct fixture *f, const char *name)
{
	struct check_path path = path_below(&f->folder, name);
	if (!file_write(path.text, span_of(name), &f->err))
		fail_msg("%s", f->err.text);
}

static bool note(void *context, const char *relative_path, struct err *err)
{
	struct buf *seen = context;
	if (strcmp(relative_path, "b/stop") == 0)
		return err_set(err, ERR_RETRY, "stopped");
	buf_printf(seen, "%s ", relative_path);
	return true;
}

static void assert_walked(struct fixture *f, const char *expected)
{
	buf_clear(&f->seen);
	if (!file_walk(f->folder.text, note, &f->seen, &f->err))
		fail_msg("%s", f->err.text);
	assert_true(span_equal_text(buf_span(&f->seen), expected));
}

static void walk_shows_files_in_order_without_drafts(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {
		"b/2", "b/1", "a", "c/d/e", ".draft.tmp", "b/.x.tmp", ".hidden", "plain.tmp"};
	assert_walked(f, "");
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		add_file(f, names[i]);
	struct check_path link = path_below(&f->folder, "link");
	struct check_path empty = path_below(&f->folder, "empty");
	assert_int_equal(symlink(f->folder.text, link.text), 0);
	assert_true(file_make_folder(empty.text, &f->err));
	assert_walked(f, ".hidden a b/1 b/2 c/d/e plain.tmp ");
	int64_t removed = -1;
	assert_true(file_sweep_drafts(f->folder.text, &removed, &f->err));
	assert_int_equal(removed, 2);
	assert_walked(f, ".hidden a b/1 b/2 c/d/e plain.tmp ");
	assert_true(file_sweep_drafts(f->folder.text, &removed, &f->err));
	assert_int_equal(removed, 0);
}

/* That the fsync comes is seen by the test of power failures. */
static void folders_made_durable_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct check_path empty = path_below(&f->folder, "a/b/empty");
	struct check_path missing = path_below(&f->folder, "missing");
	assert_true(file_make_folder(empty.text, &f->err));
	add_file(f, "a/file");
	assert_true(file_sync_empty_folders(f->folder.text, &f->err));
	assert_true(file_exists(empty.text));
	assert_walked(f, "a/file ");
	assert_true(file_sync_empty_folders(missing.text, &f->err));
	struct check_path deep = path_below(&f->folder, "1/2/3/4/5/6/7/8/9/10/11");
	assert_true(file_make_folder(deep.text, &f->err));
	assert_false(file_sync_empty_folders(f->folder.text, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
}

static void visitor_stops_the_walk(void **state)
{
	struct fixture *f = *state;
	add_file(f, "a");
	add_file(f, "b/stop");
	add_file(f, "c");
	assert_false(file_walk(f->folder.text, note, &f->seen, &f->err));
	assert_int_equal(f->err.kind, ERR_RETRY);
	assert_string_equal(f->seen.data, "a ");
}

static void missing_folder_has_no_files(void **state)
{
	struct fixture *f = *state;
	struct check_path missing = path_below(&f->folder, "missing");
	int64_t removed = -1;
	assert_true(file_walk(missing.text, note, &f->seen, &f->err));
	assert_true(file_sweep_drafts(missing.text, &removed, &f->err));
	assert_int_equal(removed, 0);
	assert_true(file_remove_folder(missing.text, &f->err));
	assert_false(file_sync_folder(missing.text, &f->err));
	assert_int_equal(f->seen.size, 0);
}

static void depth_is_limited(void **state)
{
	struct fixture *f = *state;
	add_file(f, "1/2/3/4/5/6/7/8/9/10/file");
	assert_walked(f, "1/2/3/4/5/6/7/8/9/10/file ");
	add_file(f, "1/2/3/4/5/6/7/8/9/10/11/file");
	assert_false(file_walk(f->folder.text, note, &f->seen, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
}

static void folders_are_made_and_removed_whole(void **state)
{
	struct fixture *f = *state;
	struct check_path deep = path_below(&f->folder, "x/y/z");
	struct check_path top = path_below(&f->folder, "x");
	struct check_path link = path_below(&deep, "link");
	struct check_path below_file = path_below(&f->folder, "kept/below");
	assert_true(file_make_folder(deep.text, &f->err));
	assert_true(file_make_folder(deep.text, &f->err));
	add_file(f, "x/y/file");
	add_file(f, "kept");
	assert_int_equal(symlink(below_file.text, link.text), 0);
	assert_false(file_make_folder(below_file.text, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_true(file_remove_folder(top.text, &f->err));
	assert_false(file_exists(top.text));
	assert_walked(f, "kept ");
}

static void links_are_removed_and_not_what_they_name(void **state)
{
	struct fixture *f = *state;
	struct check_path link = path_below(&f->folder, "doomed/link");
	struct check_path kept = path_below(&f->folder, "kept");
	struct check_path doomed = path_below(&f->folder, "doomed");
	add_file(f, "kept/file");
	add_file(f, "doomed/file");
	assert_int_equal(symlink(kept.text, link.text), 0);
	assert_true(file_remove_folder(doomed.text, &f->err));
	assert_walked(f, "kept/file ");
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(walk_shows_files_in_order_without_drafts),
		IN_A_FOLDER(folders_made_durable_stay_as_they_are),
		IN_A_FOLDER(visitor_stops_the_walk),
		IN_A_FOLDER(missing_folder_has_no_files),
		IN_A_FOLDER(depth_is_limited),
		IN_A_FOLDER(folders_are_made_and_removed_whole),
		IN_A_FOLDER(links_are_removed_and_not_what_they_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
