/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/clock.h"
#include "base/file.h"
#include "ingest/archive_hour.h"
#include "ingest/archive_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	struct check_path folder;
	char old_folder[4096];
	struct arena arena;
	struct archive_sources sources;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temporary_folder_create()};
	arena_init(&fixture.arena, ARCHIVE_SOURCES_ARENA_BYTES);
	assert_non_null(getcwd(fixture.old_folder, sizeof(fixture.old_folder)));
	assert_int_equal(chdir(fixture.folder.text), 0);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(chdir(f->old_folder), 0);
	arena_finish(&f->arena);
	temporary_folder_remove(&f->folder);
	return 0;
}

static int64_t time_of(const char *text)
{
	int64_t time_us;
	assert_true(time_parse(span_of(text), &time_us));
	return time_us;
}

/* Noon of the day after the seed's own example. */
static bool parse(struct fixture *f, const char *const *arguments, size_t count)
{
	return archive_sources_parse(arguments, count, time_of("2026-09-28T12:30:00Z"), &f->arena, &f->sources,
				     &f->err);
}

static void touch(struct fixture *f, const char *path)
{
	if (!file_write(path, span_of("x"), &f->err))
		fail_msg("%s", f->err.text);
}

/* The names, a blank between them; the first 400 bytes. */
static void check_names(struct fixture *f, const char *const *arguments, size_t count, const char *wanted)
{
	struct buf names = {0};
	buf_init(&names, 1 << 20);
	if (!parse(f, arguments, count))
		fail_msg("%s: %s", arguments[0], f->err.text);
	for (size_t i = 0; i < f->sources.count; i++)
		buf_printf(&names, "%s%s", i > 0 ? " " : "", f->sources.items[i].name);
	assert_string_equal(names.data, wanted);
	buf_finish(&names);
}

static void check_one(struct fixture *f, const char *argument, const char *wanted)
{
	check_names(f, &argument, 1, wanted);
}

static void check_refused(struct fixture *f, const char *argument, const char *words)
{
	f->err = (struct err){0};
	if (parse(f, &argument, 1))
		fail_msg("%s gives %zu sources", argument, f->sources.count);
	if (!strstr(f->err.text, words))
		fail_msg("%s: %s", argument, f->err.text);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_int_equal(f->err.exit_code, 2);
}

static void check_hours(struct fixture *f, const char *argument, size_t count, const char *first, const char *last)
{
	if (!parse(f, &argument, 1))
		fail_msg("%s: %s", argument, f->err.text);
	assert_int_equal(f->sources.count, count);
	assert_string_equal(f->sources.items[0].name, first);
	assert_string_equal(f->sources.items[count - 1].name, last);
	for (size_t i = 0; i < count; i++) {
		int64_t hour_us;
		assert_int_equal(f->sources.items[i].kind, ARCHIVE_HOUR);
		assert_true(archive_hour_parse(span_of(f->sources.items[i].name), &hour_us));
		assert_int_equal(f->sources.items[i].hour_us, hour_us);
	}
}

static void test_hours_have_names(void **state)
{
	(void)state;
	int64_t hour_us;
	assert_true(archive_hour_parse(span_of("2026-09-20-7"), &hour_us));
	assert_int_equal(hour_us, time_of("2026-09-20T07:00:00Z"));
	assert_string_equal(archive_hour_name(hour_us + 59 * 60 * INT64_C(1000000)).text, "2026-09-20-7");
	assert_true(archive_hour_parse(span_of("2026-09-20-07"), &hour_us));
	assert_string_equal(archive_hour_name(hour_us).text, "2026-09-20-7");
	assert_string_equal(archive_hour_name(ARCHIVE_HOUR_FIRST_US).text, "2011-02-12-0");
	static const char *const bad[] = {"", "2026-09-20", "2026-09-20-", "2026-09-20-24", "2026-09-20-007",
					  "2026-09-20--1", "2026-09-20-+1", "2026-09-31-1", "2026-02-29-1",
					  "2026-13-01-1", "2026-9-20-1", "2026-09-20 1", "2026-09-20-1 ", "20260920-1"};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		if (archive_hour_parse(span_of(bad[i]), &hour_us))
			fail_msg("\"%s\" is an hour", bad[i]);
	int64_t wanted = time_of("2015-01-01T15:00:00Z");
	assert_int_equal(archive_hour_of_path(span_of("a.b/2015-01-01-15.json.gz")), wanted);
	assert_int_equal(archive_hour_of_path(span_of("2015-01-01-15")), wanted);
	assert_int_equal(archive_hour_of_path(span_of("https://h/2015-01-01-15.json.gz?a=/b#/c")), wanted);
	assert_int_equal(archive_hour_of_path(span_of("2015-01-01-15/other.json")), 0);
	assert_int_equal(archive_hour_of_path(span_of("x2015-01-01-15.json")), 0);
	assert_int_equal(archive_hour_of_path(span_of("2010-01-01-15.json")), 0);
	assert_int_equal(archive_hour_of_path(span_of("")), 0);
}

static void test_hours_days_and_ranges(void **state)
{
	struct fixture *f = *state;
	check_hours(f, "2026-09-20-7", 1, "2026-09-20-7", "2026-09-20-7");
	check_hours(f, "2014-12-01-09", 1, "2014-12-01-9", "2014-12-01-9");
	check_hours(f, "2026-09-20", 24, "2026-09-20-0", "2026-09-20-23");
	check_hours(f, "2011-02-12", 24, "2011-02-12-0", "2011-02-12-23");
	check_hours(f, "2026-09-20..2026-09-27", 8 * 24, "2026-09-20-0", "2026-09-27-23");
	check_hours(f, "2026-09-20-5..2026-09-21-3", 23, "2026-09-20-5", "2026-09-21-3");
	check_hours(f, "2026-09-20-5..2026-09-20-5", 1, "2026-09-20-5", "2026-09-20-5");
	check_hours(f, "2026-09-20-22..2026-09-21", 26, "2026-09-20-22", "2026-09-21-23");
	check_hours(f, "2026-09-20..2026-09-21-1", 26, "2026-09-20-0", "2026-09-21-1");
	check_hours(f, "2015-12-31..2016-03-01", 62 * 24, "2015-12-31-0", "2016-03-01-23");
	check_hours(f, "2011-02-12..2026-09-27", 136968, "2011-02-12-0", "2026-09-27-23");
}

static void test_of_today_what_is_over(void **state)
{
	struct fixture *f = *state;
	check_hours(f, "2026-09-28", 12, "2026-09-28-0", "2026-09-28-11");
	assert_int_equal(f->sources.unfinished, 12);
	check_hours(f, "2026-09-27..2026-09-28", 36, "2026-09-27-0", "2026-09-28-11");
	check_hours(f, "2026-09-28-11", 1, "2026-09-28-11", "2026-09-28-11");
	assert_int_equal(f->sources.unfinished, 0);
	check_refused(f, "2026-09-28-12", "the newest hour that is over is 2026-09-28-11 (UTC)");
	check_refused(f, "2026-09-27..2026-09-28-12", "2026-09-28-11");
	check_refused(f, "2026-09-29", "2026-09-28-11");
	check_refused(f, "2026-09-27..2026-09-29", "2026-09-28-11");
	check_refused(f, "2026-09-28-{0..23}", "2026-09-28-12: the newest");
	/* Just after midnight nothing of the day is over. */
	const char *day = "2026-09-28";
	assert_false(archive_sources_parse(&day, 1, time_of("2026-09-28T00:59:59Z"), &f->arena, &f->sources, &f->err));
	assert_non_null(strstr(f->err.text, "2026-09-27-23"));
	assert_true(archive_sources_parse(&day, 1, time_of("2026-09-28T01:00:00Z"), &f->arena, &f->sources, &f->err));
	assert_int_equal(f->sources.count, 1);
}

static void test_bad_hours_are_said(void **state)
{
	struct fixture *f = *state;
	check_refused(f, "2011-02-11", "begins with 2011-02-12");
	check_refused(f, "2010-01-01-5..2026-01-01", "begins with 2011-02-12");
	check_refused(f, "2026-09-20-24", "from 0 to 23");
	check_refused(f, "2026-02-29", "no hour");
	check_refused(f, "2026-09", "no hour");
	check_refused(f, "2026-09-27..2026-09-20", "ends before it begins");
	check_refused(f, "2026-09-20-5..2026-09-20-4", "ends before it begins");
	check_refused(f, "2026-09-20..", "no hour");
	check_refused(f, "2026-09-20..2026-09-21..2026-09-22", "no hour");
	check_refused(f, "2026-09-20...2026-09-21", "no hour");
	check_refused(f, "", "names nothing");
	check_refused(f, "yesterday", "no such file, and no hour");
	check_refused(f, "2015-01-01-05.json.gz", "write 2015-01-01-5");
	assert_false(parse(f, NULL, 0));
	assert_non_null(strstr(f->err.text, "nothing to import"));
}

static void test_braces(void **state)
{
	struct fixture *f = *state;
	check_hours(f, "2026-09-20-{0..23}", 24, "2026-09-20-0", "2026-09-20-23");
	check_hours(f, "2026-09-{20..27}-{0..23}", 8 * 24, "2026-09-20-0", "2026-09-27-23");
	check_one(f, "2026-09-20-{7,9,08}", "2026-09-20-7 2026-09-20-9 2026-09-20-8");
	check_one(f, "2026-09-{08..10}-{1,0}",
		  "2026-09-08-1 2026-09-08-0 2026-09-09-1 2026-09-09-0 2026-09-10-1 2026-09-10-0");
	check_one(f, "2026-09-20-{3..1}", "2026-09-20-3 2026-09-20-2 2026-09-20-1");
	check_one(f, "https://h/2026-09-20-{0..1}.json.gz",
		  "https://h/2026-09-20-0.json.gz https://h/2026-09-20-1.json.gz");
	check_hours(f, "2026-09-{20,22}..2026-09-23", 96, "2026-09-20-0", "2026-09-23-23");
	assert_int_equal(f->sources.duplicates, 48);
	check_refused(f, "2026-09-20-{0..24}", "2026-09-20-24");
	check_refused(f, "2026-09-20-{0..}", "no such file");
	check_refused(f, "2026-09-20-{7}", "no such file");
	check_refused(f, "2026-09-20-{7", "no such file");
	check_refused(f, "{,}{,}{,}{,}{,}{,}{,}{,}{,}", "more than 8 pairs");
	check_refused(f, "https://h/{0..999999999}", "more than 200000");
	check_refused(f, "{1,2}{a..b,c", "no such file");
}

static void test_files_folders_and_patterns(void **state)
{
	struct fixture *f = *state;
	static const char *const files[] = {"d/2015-01-01-10.json.gz", "d/2015-01-01-9.json.gz", "d/a.json",
					    "d/b.ndjson", "d/c.jsonl", "d/e.jsonl.gz", "d/readme.txt", "d/.f.json",
					    "d/x.json/y.json", "n{1,2}.json", "other.txt", "d/c.gz"};
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		touch(f, files[i]);
	check_one(f, "d", "d/2015-01-01-9.json.gz d/2015-01-01-10.json.gz d/a.json d/b.ndjson d/c.jsonl d/e.jsonl.gz");
	assert_int_equal(f->sources.items[1].kind, ARCHIVE_FILE);
	assert_int_equal(f->sources.items[1].hour_us, time_of("2015-01-01T10:00:00Z"));
	assert_int_equal(f->sources.items[2].hour_us, 0);
	check_one(f, "d/", "d/2015-01-01-9.json.gz d/2015-01-01-10.json.gz d/a.json d/b.ndjson d/c.jsonl d/e.jsonl.gz");
	check_one(f, "d/2015-*", "d/2015-01-01-9.json.gz d/2015-01-01-10.json.gz");
	check_one(f, "d/2015-01-01-{9..10}.json.gz", "d/2015-01-01-9.json.gz d/2015-01-01-10.json.gz");
	check_one(f, "d/{a,b}.*json", "d/a.json d/b.ndjson");
	check_one(f, "other.txt", "other.txt");
	check_one(f, "n{1,2}.json", "n{1,2}.json");
	check_refused(f, "d/*.zip", "nothing matches");
	check_refused(f, "d/none.json", "no such file");
	assert_int_equal(mkdir("empty", 0700), 0);
	check_refused(f, "empty", "no *.json");
	/* A date is a date; the folder of that name needs a path. */
	touch(f, "2026-09-20/a.json");
	check_hours(f, "2026-09-20", 24, "2026-09-20-0", "2026-09-20-23");
	check_one(f, "./2026-09-20", "./2026-09-20/a.json");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	check_one(f, "pipe", "pipe");
}

static void test_urls_and_stdin(void **state)
{
	struct fixture *f = *state;
	check_one(f, "http://127.0.0.1:1/2015-01-01-9.json.gz?a=b", "http://127.0.0.1:1/2015-01-01-9.json.gz?a=b");
	assert_int_equal(f->sources.items[0].kind, ARCHIVE_URL);
	assert_int_equal(f->sources.items[0].hour_us, time_of("2015-01-01T09:00:00Z"));
	check_one(f, "-", "-");
	assert_int_equal(f->sources.items[0].kind, ARCHIVE_STDIN);
	check_refused(f, "ftp://h/x", "no http or https URL");
	check_refused(f, "file:///etc/passwd", "no http or https URL");
	check_refused(f, "https://user:secret@h/x", "without user and password");
	assert_null(strstr(f->err.text, "secret"));
}

static void test_order_is_kept_and_nothing_comes_twice(void **state)
{
	struct fixture *f = *state;
	touch(f, "a.json");
	assert_int_equal(symlink("a.json", "b.json"), 0);
	static const char *const arguments[] = {"2026-09-20-7", "a.json",      "-", "2026-09-20-6..2026-09-20-8",
						"./a.json",     "https://h/x", "-", "https://h/x",
						"b.json",       "https://h/X", "2026-09-20-06"};
	check_names(f, arguments, ARRAY_COUNT(arguments),
		    "2026-09-20-7 a.json - 2026-09-20-6 2026-09-20-8 https://h/x https://h/X");
	assert_int_equal(f->sources.duplicates, 6);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	char longer[ARCHIVE_ARGUMENT_BYTES_MAX + 2];
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	check_refused(f, longer, "more than 2048 bytes");
	memcpy(longer, "{1,2}", 5);
	longer[ARCHIVE_ARGUMENT_BYTES_MAX] = '\0';
	check_refused(f, longer, "no such file"); /* shorter once open */

	const char *day = "2026-09-20";
	struct arena small;
	arena_init(&small, 100);
	assert_false(archive_sources_parse(&day, 1, time_of("2026-09-28T12:30:00Z"), &small, &f->sources, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.text, "do not fit"));
	arena_finish(&small);

	/* As many as there may be, and one more. */
	static const char *const many[] = {"https://h/{1..200000}", "2026-09-20-7"};
	assert_true(parse(f, many, 1));
	assert_int_equal(f->sources.count, ARCHIVE_SOURCES_MAX);
	assert_false(parse(f, many, 2));
	assert_non_null(strstr(f->err.text, "more than 200000"));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hours_have_names),
		IN_A_FOLDER(test_hours_days_and_ranges),
		IN_A_FOLDER(test_of_today_what_is_over),
		IN_A_FOLDER(test_bad_hours_are_said),
		IN_A_FOLDER(test_braces),
		IN_A_FOLDER(test_files_folders_and_patterns),
		IN_A_FOLDER(test_urls_and_stdin),
		IN_A_FOLDER(test_order_is_kept_and_nothing_comes_twice),
		IN_A_FOLDER(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
