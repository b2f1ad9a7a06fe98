/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "ingest/ask_note.h"

struct fixture {
	struct check_path folder;
	struct layout layout;
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct err err = {0};
	fixture.folder = temporary_folder_create();
	if (!layout_init(&fixture.layout, path_below(&fixture.folder, "lake").text, &err))
		fail_msg("%s", err.text);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	temporary_folder_remove(&fixture->folder);
	return 0;
}

static int64_t reopen(struct ask_note *note, const struct layout *layout)
{
	int64_t not_before_us = -1;
	ask_note_close(note);
	ask_note_open(note, layout, &not_before_us);
	return not_before_us;
}

static void the_latest_time_outlives_the_handle(void **state)
{
	const struct layout *layout = &((const struct fixture *)*state)->layout;
	struct ask_note note = {.descriptor = -1};
	assert_int_equal(reopen(&note, layout), 0);
	ask_note_write(&note, 1780000000000000);
	ask_note_write(&note, 1770000000000000);
	assert_int_equal(reopen(&note, layout), 1780000000000000);
	/* Each start begins anew: our clock may have been set back. */
	ask_note_write(&note, 17);
	assert_int_equal(reopen(&note, layout), 17);
	ask_note_close(&note);
}

static void what_cannot_be_read_is_no_time(void **state)
{
	const struct layout *layout = &((const struct fixture *)*state)->layout;
	static const char *const texts[] = {"", "12", "garbage garbage garbage", "99999999999999999999\n",
					    "        1780000000x0\n"};
	struct file_path path;
	struct err err = {0};
	assert_true(layout_absolute(layout, "ASKED", &path, &err));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct ask_note note = {.descriptor = -1};
		assert_true(file_write(path.text, span_of(texts[i]), &err));
		assert_int_equal(reopen(&note, layout), 0);
		ask_note_write(&note, 1780000000000000);
		assert_int_equal(reopen(&note, layout), 1780000000000000);
		ask_note_close(&note);
	}
}

static void without_a_file_nothing_is_kept(void **state)
{
	(void)state;
	struct layout nowhere = {.root = {"/nonexistent/lake"}};
	struct ask_note note = {.descriptor = -1};
	assert_int_equal(reopen(&note, &nowhere), 0);
	ask_note_write(&note, 5);
	assert_int_equal(note.descriptor, -1);
	ask_note_close(&note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_latest_time_outlives_the_handle, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_no_time, setup, teardown),
		cmocka_unit_test(without_a_file_nothing_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
