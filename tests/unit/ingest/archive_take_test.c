/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/file.h"
#include "ingest/archive_take.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1000 * 1000 };

struct fixture {
	struct check_path folder;
	struct check_path from;
	struct check_path path;
	struct buf content;
	struct archive_taken taken;
	struct stop_flag stop;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	*f = (struct fixture){.folder = temporary_folder_create()};
	f->from = path_below(&f->folder, "from.json.gz");
	f->path = path_below(&f->folder, "lake/to.json.gz");
	buf_init(&f->content, FILE_BYTES);
	while (f->content.size < FILE_BYTES)
		buf_append(&f->content, "0123456789", 10);
	assert_true(file_write(f->from.text, buf_span(&f->content), &f->err));
	stop_flag_init(&f->stop);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->content);
	stop_flag_finish(&f->stop);
	temporary_folder_remove(&f->folder);
	return 0;
}

static bool take(struct fixture *f, enum archive_keep keep, int64_t bytes_max)
{
	return archive_take_file(f->from.text, keep, f->path.text, bytes_max, &f->stop, &f->taken, &f->err);
}

static void check_taken(struct fixture *f, struct span wanted)
{
	struct buf content = {0};
	struct digest sum = digest_of(wanted);
	int64_t removed = 0;
	buf_init(&content, FILE_BYTES);
	assert_true(file_read(f->path.text, &content, &f->err));
	assert_true(span_equal(buf_span(&content), wanted));
	assert_int_equal(f->taken.size, wanted.size);
	assert_string_equal(f->taken.sha256.hex, sum.hex);
	buf_finish(&content);
	assert_true(file_sweep_drafts(f->folder.text, &removed, &f->err));
	assert_int_equal(removed, 0);
}

static void test_a_copy_is_ours(void **state)
{
	struct fixture *f = *state;
	struct stat from;
	struct stat to;
	assert_true(file_write(f->path.text, span_of("old"), &f->err));
	assert_true(take(f, ARCHIVE_KEEP, FILE_BYTES));
	check_taken(f, buf_span(&f->content));
	assert_int_not_equal(f->taken.way, ARCHIVE_LINKED);
	assert_int_equal(stat(f->from.text, &from), 0);
	assert_int_equal(stat(f->path.text, &to), 0);
	assert_int_not_equal(from.st_ino, to.st_ino);
}

static void test_a_link_is_theirs(void **state)
{
	struct fixture *f = *state;
	struct stat from;
	struct stat to;
	for (int i = 0; i < 2; i++) {
		assert_true(take(f, ARCHIVE_LINK, FILE_BYTES));
		check_taken(f, buf_span(&f->content));
		assert_int_equal(f->taken.way, ARCHIVE_LINKED);
		assert_int_equal(stat(f->from.text, &from), 0);
		assert_int_equal(stat(f->path.text, &to), 0);
		assert_int_equal(from.st_ino, to.st_ino);
		assert_int_equal(from.st_nlink, 2);
	}
}

static void test_what_cannot_be_linked_is_copied(void **state)
{
	struct fixture *f = *state;
	/* Of another file system. */
	struct stat own;
	struct stat other;
	assert_int_equal(stat(f->folder.text, &own), 0);
	if (stat("/proc/sys/kernel/ostype", &other) != 0 || own.st_dev == other.st_dev)
		skip();
	assert_true(archive_take_file("/proc/sys/kernel/ostype", ARCHIVE_LINK, f->path.text, 100, NULL, &f->taken, &f->err));
	assert_int_equal(f->taken.way, ARCHIVE_COPIED);
	check_taken(f, span_of("Linux\n"));
}

static void test_empty_is_a_file_too(void **state)
{
	struct fixture *f = *state;
	assert_true(file_write(f->from.text, span_of(""), &f->err));
	assert_true(take(f, ARCHIVE_KEEP, FILE_BYTES));
	check_taken(f, span_of(""));
}

static void check_refused(struct fixture *f, bool done, enum err_kind kind, const char *words)
{
	int64_t removed = 0;
	assert_false(done);
	if (f->err.kind != kind || !strstr(f->err.text, words))
		fail_msg("%s: %s", err_kind_name(f->err.kind), f->err.text);
	assert_int_equal(file_size(f->path.text), 3);
	assert_true(file_sweep_drafts(f->folder.text, &removed, &f->err));
	assert_int_equal(removed, 0);
}

static void test_what_is_not_taken_leaves_all_as_it_was(void **state)
{
	struct fixture *f = *state;
	assert_true(file_write(f->path.text, span_of("old"), &f->err));
	for (int keep = 0; keep < 2; keep++) {
		check_refused(f, take(f, (enum archive_keep)keep, FILE_BYTES - 1), ERR_INPUT, "larger than 999999");
		stop_flag_set(&f->stop);
		check_refused(f, take(f, (enum archive_keep)keep, FILE_BYTES), ERR_RETRY, "stopped");
		f->stop.stopped = false;
	}
	bool done = archive_take_file(f->folder.text, ARCHIVE_KEEP, f->path.text, 100, NULL, &f->taken, &f->err);
	check_refused(f, done, ERR_INPUT, "directory");
	f->from = path_below(&f->folder, "none");
	check_refused(f, take(f, ARCHIVE_KEEP, 100), ERR_INPUT, "No such file");
}

struct writer {
	int descriptor;
	struct span bytes;
	bool close;
};

static void *write_all(void *context)
{
	const struct writer *writer = context;
	for (size_t at = 0; at < writer->bytes.size; at += 1000) {
		if (write(writer->descriptor, writer->bytes.data + at, 1000) < 0)
			break;
		if (at % 100000 == 0)
			clock_sleep_ms(1);
	}
	if (writer->close)
		(void)close(writer->descriptor);
	return NULL;
}

static void test_a_pipe_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	int ends[2];
	pthread_t thread;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct writer writer = {ends[1], buf_span(&f->content), true};
	assert_int_equal(pthread_create(&thread, NULL, write_all, &writer), 0);
	assert_true(archive_take_stream(ends[0], f->path.text, FILE_BYTES, &f->stop, &f->taken, &f->err));
	assert_int_equal(pthread_join(thread, NULL), 0);
	check_taken(f, buf_span(&f->content));
	assert_int_equal(f->taken.way, ARCHIVE_COPIED);
	assert_int_equal(close(ends[0]), 0);
}

static void *stop_soon(void *context)
{
	clock_sleep_ms(100);
	stop_flag_set(context);
	return NULL;
}

static void test_a_pipe_has_a_limit_and_can_be_left(void **state)
{
	struct fixture *f = *state;
	int ends[2];
	pthread_t thread;
	assert_true(file_write(f->path.text, span_of("old"), &f->err));
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "12345", 5), 5);
	bool done = archive_take_stream(ends[0], f->path.text, 4, &f->stop, &f->taken, &f->err);
	check_refused(f, done, ERR_INPUT, "larger than 4 bytes");
	/* Nothing comes, and nobody closes it. */
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, &f->stop), 0);
	done = archive_take_stream(ends[0], f->path.text, 100, &f->stop, &f->taken, &f->err);
	check_refused(f, done, ERR_RETRY, "stopped");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(close(ends[0]) + close(ends[1]), 0);
}

static void *write_fifo(void *context)
{
	const struct fixture *f = context;
	struct writer writer = {open(f->from.text, O_WRONLY | O_CLOEXEC), buf_span(&f->content), true};
	return write_all(&writer);
}

/* As a shell's <(zcat ...) is: not to be linked, whatever is wanted. */
static void test_a_named_pipe_is_a_pipe(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;
	f->from = path_below(&f->folder, "fifo");
	assert_int_equal(mkfifo(f->from.text, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_fifo, f), 0);
	assert_true(take(f, ARCHIVE_LINK, FILE_BYTES));
	assert_int_equal(pthread_join(thread, NULL), 0);
	check_taken(f, buf_span(&f->content));
	assert_int_equal(f->taken.way, ARCHIVE_COPIED);
}

#define TAKE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TAKE_TEST(test_a_copy_is_ours),
		TAKE_TEST(test_a_link_is_theirs),
		TAKE_TEST(test_what_cannot_be_linked_is_copied),
		TAKE_TEST(test_empty_is_a_file_too),
		TAKE_TEST(test_what_is_not_taken_leaves_all_as_it_was),
		TAKE_TEST(test_a_pipe_is_read_to_its_end),
		TAKE_TEST(test_a_pipe_has_a_limit_and_can_be_left),
		TAKE_TEST(test_a_named_pipe_is_a_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
