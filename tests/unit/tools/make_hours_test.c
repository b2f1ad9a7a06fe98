/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/buf.h"
#include "base/file.h"
#include "make_hours/hours.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { EVENTS = 1500, RAW_BYTES_MAX = 64 * 1024 * 1024 };

static char folder[] = "/tmp/octolake-make-hours-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	struct err err = {0};
	return file_remove_folder(folder, &err) ? 0 : -1;
}

static struct hours_options small_options(void)
{
	return (struct hours_options){
		.seed = 7, .events = EVENTS, .repositories = 500, .people = 800, .threads = 1, .level = 1};
}

/* The hour `name` of `options`: its gzip bytes and its lines. */
static void make(const struct hours_options *options, const char *name, struct buf *gzip, struct buf *lines)
{
	struct err err = {0};
	struct file_path path;
	struct hours_report report;
	int64_t start_us;
	assert_true(hours_parse_name(name, &start_us));
	assert_true(file_path_make(&path, &err, "%s/%s.json.gz", folder, name));
	struct hours_maker *maker = hours_create(options);
	if (!hours_write(maker, start_us, path.text, &report, &err))
		fail_msg("%s", err.text);
	hours_destroy(&maker);
	buf_init(gzip, RAW_BYTES_MAX);
	buf_init(lines, RAW_BYTES_MAX);
	assert_true(file_read(path.text, gzip, &err));
	z_stream stream = {.next_in = (Bytef *)gzip->data, .avail_in = (uInt)gzip->size};
	assert_int_equal(inflateInit2(&stream, 16 + 15), Z_OK);
	stream.next_out = (Bytef *)buf_reserve(lines, report.raw_bytes + 1);
	stream.avail_out = (uInt)report.raw_bytes + 1;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END); /* one member, its sum right */
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, report.raw_bytes);
	assert_int_equal(gzip->size, report.gzip_bytes);
	buf_commit(lines, stream.total_out);
	(void)inflateEnd(&stream);
}

static void finish(struct buf *gzip, struct buf *lines)
{
	buf_finish(gzip);
	buf_finish(lines);
}

static void bytes_do_not_depend_on_threads(void **state)
{
	(void)state;
	struct hours_options options = small_options();
	struct buf gzip[2];
	struct buf lines[2];
	make(&options, "2024-01-15-7", &gzip[0], &lines[0]);
	options.threads = 3;
	make(&options, "2024-01-15-7", &gzip[1], &lines[1]);
	assert_int_equal(gzip[0].size, gzip[1].size);
	assert_memory_equal(gzip[0].data, gzip[1].data, gzip[0].size);
	finish(&gzip[1], &lines[1]);
	options.seed = 8;
	make(&options, "2024-01-15-7", &gzip[1], &lines[1]);
	assert_true(gzip[0].size != gzip[1].size || memcmp(gzip[0].data, gzip[1].data, gzip[0].size) != 0);
	finish(&gzip[0], &lines[0]);
	finish(&gzip[1], &lines[1]);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines of JSON, created in the hour; ids to `ids_out`; bytes of pull requests and of commits. */
static void check_lines(const struct buf *lines, const char *hour, char **ids_out, size_t *commits_out)
{
	struct span rest = buf_span(lines);
	struct span line;
	size_t count = 0;
	size_t commits = 0;
	while (rest.size > 0) {
		assert_true(span_split(rest, '\n', &line, &rest));
		json_error_t why;
		json_t *event = json_loadb(line.data, line.size, JSON_REJECT_DUPLICATES, &why);
		if (!event)
			fail_msg("line %zu: %s", count, why.text);
		const char *created_at = json_string_value(json_object_get(event, "created_at"));
		if (strncmp(created_at, hour, strlen(hour)) != 0)
			fail_msg("%s is not in %s", created_at, hour);
		assert_true(count < EVENTS);
		ids_out[count++] = strdup(json_string_value(json_object_get(event, "id")));
		commits += json_array_size(json_object_get(json_object_get(event, "payload"), "commits"));
		json_decref(event);
	}
	assert_int_equal(count, EVENTS);
	*commits_out = commits;
}

static void lines_are_events_of_the_hour(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *hour;
		bool full;
	} hours[] = {
		{"2024-01-15-0", "2024-01-15T00:", true},
		{"2024-01-15-1", "2024-01-15T01:", true},
		{"2026-01-15-23", "2026-01-15T23:", false},
	};
	struct hours_options options = small_options();
	static char *ids[3 * EVENTS];
	for (size_t i = 0; i < ARRAY_COUNT(hours); i++) {
		struct buf gzip;
		struct buf lines;
		size_t commits;
		make(&options, hours[i].name, &gzip, &lines);
		check_lines(&lines, hours[i].hour, ids + i * EVENTS, &commits);
		assert_int_equal(commits > 0, hours[i].full);
		finish(&gzip, &lines);
	}
	qsort(ids, ARRAY_COUNT(ids), sizeof(*ids), compare_ids);
	for (size_t i = 1; i < ARRAY_COUNT(ids); i++)
		assert_string_not_equal(ids[i - 1], ids[i]);
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
		free(ids[i]);
}

static size_t count_lines(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == '\n';
	return count;
}

static void overlap_is_the_end_of_the_hour_before(void **state)
{
	(void)state;
	struct hours_options options = small_options();
	options.overlap_percent = 20;
	struct buf gzip[2];
	struct buf lines[2];
	make(&options, "2024-01-15-3", &gzip[0], &lines[0]);
	make(&options, "2024-01-15-4", &gzip[1], &lines[1]);
	/* The first 300 lines of the later hour are the last 300 of the earlier one. */
	struct span first = buf_span(&lines[1]);
	size_t size = 0;
	for (size_t seen = 0; seen < EVENTS / 5; size++)
		seen += first.data[size] == '\n';
	assert_int_equal(count_lines((struct span){first.data, size}), EVENTS / 5);
	assert_memory_equal(lines[0].data + lines[0].size - size, first.data, size);
	assert_int_equal(count_lines(first), EVENTS);
	finish(&gzip[0], &lines[0]);
	finish(&gzip[1], &lines[1]);
}

static void names(void **state)
{
	(void)state;
	static const char *const bad[] = {"2024-01-15-07", "2024-01-15-24", "2024-01-15", "2014-12-31-23", "x",
					  "2024-02-30-1", "2024-01-15-", "2024-01-15-1x"};
	int64_t start_us;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		if (hours_parse_name(bad[i], &start_us))
			fail_msg("%s is no hour", bad[i]);
	static const char *const good[] = {"2015-01-01-0", "2024-02-29-9", "2026-12-31-23"};
	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		assert_true(hours_parse_name(good[i], &start_us));
		assert_string_equal(hours_name_of(start_us).text, good[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_do_not_depend_on_threads),
		cmocka_unit_test(lines_are_events_of_the_hour),
		cmocka_unit_test(overlap_is_the_end_of_the_hour_before),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
