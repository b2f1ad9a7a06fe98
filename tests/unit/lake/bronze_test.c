/* SPDX-License-Identifier: Apache-2.0 */
/* bronze_test.c - events into files and out of them, with every kind of damage in between. */
#include "tests/unit/lake/lake_support.h"

#include "base/memory.h"
#include "lake/scan.h"
#include "wrap/digest.h"
#include "wrap/zstd_stream.h"

#include <stdlib.h>

/* All lines of a file, each ended by a line feed; the error, if any, in *err. */
static bool read_lines(const char *path, struct buf *out, struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct span line;
	int64_t offset;
	bool end = false;
	if (!bronze_reader_open(path, &reader, err))
		return false;
	for (;;) {
		if (!bronze_reader_next(reader, &line, &offset, &end, err))
			return false;
		if (end)
			return true;
		assert_int_equal(offset, out->size);
		buf_append_span(out, line);
		buf_append_byte(out, '\n');
	}
}

static void read_bytes(const char *path, struct buf *out)
{
	struct err err = {0};
	buf_clear(out);
	REQUIRE(file_read(path, out, &err));
}

static void write_bytes(const char *path, struct span content)
{
	struct err err = {0};
	REQUIRE(file_write(path, content, &err));
}

static void a_batch_becomes_one_file_per_type_and_day(void **state)
{
	struct lake *lake = *state;
	static const struct {
		const char *type, *at, *json;
	} events[] = {
		{"WatchEvent", "2026-09-20T23:59:59Z", "{\"id\":\"1\",\n \"x\":\r\n[]}"},
		{"WatchEvent", "2026-09-21T00:00:00Z", "{\"id\":\"2\"}"},
		{"PushEvent", "2026-09-21T10:00:00Z", "{\"id\":\"3\"}"},
		{"WatchEvent", "2026-09-20T01:00:00.000001Z", "{\"id\":\"4\",\"s\":\"\xc3\xa4\xff\"}"},
		{"_other", "1969-12-31T23:59:59Z", "{}"},
	};
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct buf out CLEANUP(buf_finish) = {0};
	const struct bronze_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	buf_init(&out, 4096);
	for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
		struct event event = lake_event(events[i].type, events[i].at);
		REQUIRE(bronze_writer_add(writer, &event, span_of(events[i].json), &err));
	}
	assert_int_equal(bronze_writer_events(writer), 5);
	assert_int_equal(bronze_writer_bytes(writer), 23 + 11 + 11 + 20 + 3);
	REQUIRE(bronze_writer_publish(writer, 5, lake_time("2026-09-21T10:00:02.25Z"), "api", &lake->arena,
		&files, &count, &err));
	assert_int_equal(bronze_writer_events(writer), 0);
	assert_int_equal(bronze_writer_bytes(writer), 0);

	assert_int_equal(count, 4);
	assert_string_equal(files[0].path.text, "bronze/PushEvent/date=2026-09-21/000000000005.ndjson.zst");
	assert_string_equal(files[1].path.text, "bronze/WatchEvent/date=2026-09-20/000000000005.ndjson.zst");
	assert_string_equal(files[2].path.text, "bronze/WatchEvent/date=2026-09-21/000000000005.ndjson.zst");
	assert_string_equal(files[3].path.text, "bronze/_other/date=1969-12-31/000000000005.ndjson.zst");
	assert_string_equal(files[1].type, "WatchEvent");
	assert_int_equal(files[1].events, 2);
	assert_int_equal(files[1].batch, 5);
	assert_int_equal(files[1].date_us, lake_time("2026-09-20T00:00:00Z"));
	assert_int_equal(files[1].time_min_us, lake_time("2026-09-20T01:00:00.000001Z"));
	assert_int_equal(files[1].time_max_us, lake_time("2026-09-20T23:59:59Z"));
	assert_int_equal(files[3].date_us, lake_time("1969-12-31T00:00:00Z"));

	REQUIRE(read_lines(lake_path(lake, files[1].path.text).text, &out, &err));
	/* As received but for the line ends, in the order of arrival. */
	assert_string_equal(out.data, "{\"id\":\"1\",  \"x\":  []}\n{\"id\":\"4\",\"s\":\"\xc3\xa4\xff\"}\n");
}

static void every_field_is_found_again_on_disk(void **state)
{
	struct lake *lake = *state;
	size_t count = 0;
	const struct bronze_file *files = lake_publish(lake, 77, &count);
	struct err err = {0};
	for (size_t i = 0; i < count; i++) {
		struct bronze_file found = {0};
		struct digest digest;
		int64_t size;
		REQUIRE(bronze_inspect(&lake->layout, files[i].path.text, &found, &err));
		assert_string_equal(found.path.text, files[i].path.text);
		assert_string_equal(found.type, files[i].type);
		assert_string_equal(found.source, "api");
		assert_string_equal(found.sha256, files[i].sha256);
		assert_int_equal(found.date_us, files[i].date_us);
		assert_int_equal(found.batch, 77);
		assert_int_equal(found.events, files[i].events);
		assert_int_equal(found.size_bytes, files[i].size_bytes);
		assert_int_equal(found.received_at_us, lake_time("2026-09-21T00:00:01.5Z"));
		assert_int_equal(found.time_min_us, files[i].time_min_us);
		assert_int_equal(found.time_max_us, files[i].time_max_us);
		REQUIRE(digest_of_file(lake_path(lake, files[i].path.text).text, &digest, &size, &err));
		assert_string_equal(digest.hex, files[i].sha256);
		assert_int_equal(size, files[i].size_bytes);
	}
}

static void zstd_prints_the_lines(void **state)
{
	struct lake *lake = *state;
	size_t count = 0;
	const struct bronze_file *files = lake_publish(lake, 3, &count);
	struct buf compressed CLEANUP(buf_finish) = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	struct zstd_reader *reader CLEANUP(zstd_reader_close) = NULL;
	struct err err = {0};
	bool end = false;
	buf_init(&compressed, 65536);
	buf_init(&out, 65536);
	read_bytes(lake_path(lake, files[1].path.text).text, &compressed);
	REQUIRE(zstd_reader_open(buf_span(&compressed), &reader, &err));
	REQUIRE(zstd_reader_read(reader, &out, 4096, &end, &err));
	assert_true(end);
	assert_string_equal(out.data, "{\"id\":\"30\"}\n{\"id\":\"31\"}\n");
}

static void publishing_again_overwrites(void **state)
{
	struct lake *lake = *state;
	size_t count = 0;
	char path[FILE_PATH_BYTES_MAX];
	const struct bronze_file *files = lake_publish(lake, 9, &count);
	(void)snprintf(path, sizeof(path), "%s", lake_path(lake, files[0].path.text).text);
	write_bytes(path, span_of("half a file"));
	struct bronze_file found;
	struct err err = {0};
	assert_false(bronze_inspect(&lake->layout, files[0].path.text, &found, &err));
	(void)lake_publish(lake, 9, &count);
	REQUIRE(bronze_inspect(&lake->layout, files[0].path.text, &found, &err));
}

static void a_failed_publication_keeps_the_events(void **state)
{
	struct lake *lake = *state;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct event event = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
	const struct bronze_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	lake_write(lake, "bronze/WatchEvent", "a file where a folder must be");
	REQUIRE(bronze_writer_add(writer, &event, span_of("{}"), &err));
	assert_false(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_null(files);
	assert_int_equal(bronze_writer_events(writer), 1);
	REQUIRE(file_remove(lake_path(lake, "bronze/WatchEvent").text, &err));
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	assert_int_equal(count, 1);
	assert_int_equal(files[0].events, 1);
}

static void an_empty_batch_has_no_files(void **state)
{
	struct lake *lake = *state;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	const struct bronze_file *files = NULL;
	size_t count = 99;
	struct err err = {0};
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	assert_int_equal(count, 0);
}

static void a_batch_has_a_maximum_in_bytes_and_files(void **state)
{
	struct lake *lake = *state;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct event event = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
	struct err err = {0};
	size_t size = SCAN_EVENT_BYTES_MAX;
	char *json CLEANUP(memory_free_text) = malloc(size + 1);
	memset(json, 'x', size + 1);
	assert_false(bronze_writer_add(writer, &event, span_make(json, size + 1), &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(bronze_writer_events(writer), 0);
	for (int i = 0; i < BRONZE_BATCH_BYTES_MAX / SCAN_EVENT_BYTES_MAX - 1; i++)
		REQUIRE(bronze_writer_add(writer, &event, span_make(json, size), &err));
	/* The line feeds made the last one too much. */
	assert_false(bronze_writer_add(writer, &event, span_make(json, size), &err));
	assert_true(span_starts_with(span_of(err.text), "batch full"));
	REQUIRE(bronze_writer_add(writer, &event, span_make(json, 1000), &err));

	struct bronze_writer *wide CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	for (int i = 0; i < BRONZE_BATCH_FILES_MAX; i++) {
		event.created_at_us = INT64_C(86400000000) * i;
		REQUIRE(bronze_writer_add(wide, &event, span_of("{}"), &err));
	}
	event.created_at_us = INT64_C(86400000000) * BRONZE_BATCH_FILES_MAX;
	assert_false(bronze_writer_add(wide, &event, span_of("{}"), &err));
	assert_true(span_starts_with(span_of(err.text), "batch full"));
	event.created_at_us = 0;
	REQUIRE(bronze_writer_add(wide, &event, span_of("{}"), &err));
	assert_int_equal(bronze_writer_events(wide), BRONZE_BATCH_FILES_MAX + 1);
}

/* Beyond the years that have names two days would share one, and one file would replace another. */
static void days_without_a_name_share_one_file(void **state)
{
	struct lake *lake = *state;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	const struct bronze_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	static const char *const times[] = {"0000-01-01T00:00:00+01:00", "0000-01-01T12:00:00Z",
		"9999-12-31T12:00:00Z", "9999-12-31T23:59:59-01:00"};
	for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
		struct event event = lake_event("WatchEvent", times[i]);
		REQUIRE(bronze_writer_add(writer, &event, span_of("{}"), &err));
	}
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		struct bronze_file found;
		REQUIRE(bronze_inspect(&lake->layout, files[i].path.text, &found, &err));
		assert_int_equal(found.events, 2);
		assert_int_equal(found.date_us, files[i].date_us);
	}
}

static void long_lines_pass_through_the_window(void **state)
{
	struct lake *lake = *state;
	static const size_t sizes[] = {1, 262143, 262144, 262145, 10, SCAN_EVENT_BYTES_MAX, 3};
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct event event = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
	const struct bronze_file *files = NULL;
	char *json CLEANUP(memory_free_text) = malloc(SCAN_EVENT_BYTES_MAX);
	size_t count = 0;
	struct err err = {0};
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		memset(json, 'a' + (int)i, sizes[i]);
		REQUIRE(bronze_writer_add(writer, &event, span_make(json, sizes[i]), &err));
	}
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	REQUIRE(bronze_reader_open(lake_path(lake, files[0].path.text).text, &reader, &err));
	int64_t at = 0;
	struct span line;
	int64_t offset;
	bool end = false;
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		REQUIRE(bronze_reader_next(reader, &line, &offset, &end, &err));
		assert_false(end);
		assert_int_equal(line.size, sizes[i]);
		assert_int_equal(line.data[0], 'a' + (int)i);
		assert_int_equal(line.data[line.size - 1], 'a' + (int)i);
		assert_int_equal(offset, at);
		at += (int64_t)sizes[i] + 1;
	}
	REQUIRE(bronze_reader_next(reader, &line, &offset, &end, &err));
	assert_true(end);
}

/* Any single damaged byte, and any truncation, is ERR_INPUT or changes nothing that is told. */
static void damage_at_every_byte_is_noticed(void **state)
{
	struct lake *lake = *state;
	size_t count = 0;
	const struct bronze_file *files = lake_publish(lake, 8, &count);
	struct file_path path = lake_path(lake, files[1].path.text);
	struct buf whole CLEANUP(buf_finish) = {0};
	struct bronze_file found;
	buf_init(&whole, 65536);
	read_bytes(path.text, &whole);
	for (size_t i = 0; i < whole.size; i++) {
		struct err err = {0};
		/* Without a folder's fsync: there are hundreds of them. */
		FILE *file = fopen(path.text, "wb");
		assert_non_null(file);
		whole.data[i] = (char)(whole.data[i] ^ 0x10);
		assert_int_equal(fwrite(whole.data, 1, whole.size, file), whole.size);
		whole.data[i] = (char)(whole.data[i] ^ 0x10);
		assert_int_equal(fclose(file), 0);
		if (bronze_inspect(&lake->layout, files[1].path.text, &found, &err)) {
			/* Only a header that still makes sense can pass: it has no checksum of its own. */
			assert_string_not_equal(found.sha256, files[1].sha256);
			assert_int_equal(found.events, 2);
			assert_int_equal(found.batch, 8);
			assert_string_equal(found.type, "WatchEvent");
		} else {
			assert_true(err.kind == ERR_INPUT || err.exit_code == 4);
		}
	}
	for (size_t size = 0; size < whole.size; size++) {
		struct err err = {0};
		FILE *file = fopen(path.text, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(whole.data, 1, size, file), size);
		assert_int_equal(fclose(file), 0);
		assert_false(bronze_inspect(&lake->layout, files[1].path.text, &found, &err));
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

/* A bronze file made by hand: header text, then one frame of lines. */
static void make_file(const struct lake *lake, const char *relative, const char *header, const char *lines)
{
	struct buf content CLEANUP(buf_finish) = {0};
	struct err err = {0};
	buf_init(&content, 1 << 20);
	zstd_append_skippable(&content, span_of(header));
	REQUIRE(zstd_compress(span_of(lines), 3, &content, &err));
	write_bytes(lake_path(lake, relative).text, buf_span(&content));
}

#define HEADER(version, batch, type, date, events)                                                 \
	"{\"format\":\"octolake-bronze\",\"version\":" version ",\"batch\":" batch ",\"type\":\"" type       \
	"\",\"date\":\"" date "\",\"events\":" events                                                      \
	",\"received_at\":\"2026-09-20T00:00:00Z\",\"source\":\"api\","                                    \
	"\"time_min\":\"2026-09-20T00:00:00Z\",\"time_max\":\"2026-09-20T00:00:00Z\"}"

static void header_must_fit_the_file(void **state)
{
	struct lake *lake = *state;
	static const char name[] = "bronze/WatchEvent/date=2026-09-20/000000000008.ndjson.zst";
	static const struct {
		const char *header, *lines, *complaint;
	} cases[] = {
		{HEADER("1", "8", "WatchEvent", "2026-09-20", "1"), "{}\n", NULL},
		{HEADER("1", "8", "WatchEvent", "2026-09-20", "2"), "{}\n", NULL}, /* one is lost */
		{HEADER("1", "8", "WatchEvent", "2026-09-20", "1"), "{}\n{", "no line of it can be read"},
		{HEADER("1", "9", "WatchEvent", "2026-09-20", "1"), "{}\n", "names another place"},
		{HEADER("1", "8", "PushEvent", "2026-09-20", "1"), "{}\n", "names another place"},
		{HEADER("1", "8", "WatchEvent", "2026-09-21", "1"), "{}\n", "names another place"},
		{HEADER("1", "8", "../x", "2026-09-20", "1"), "{}\n", "damaged bronze header"},
		{HEADER("1", "-8", "WatchEvent", "2026-09-20", "1"), "{}\n", "damaged bronze header"},
		{HEADER("0", "8", "WatchEvent", "2026-09-20", "1"), "{}\n", "damaged bronze header"},
		{"[]", "{}\n", "no bronze header"},
		{"{\"format\":\"other\",\"version\":1}", "{}\n", "no bronze header"},
		{"{", "{}\n", "no bronze header"},
		{"", "{}\n", "no bronze header"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct bronze_file found;
		struct err err = {0};
		make_file(lake, name, cases[i].header, cases[i].lines);
		bool good = bronze_inspect(&lake->layout, name, &found, &err);
		assert_int_equal(good, cases[i].complaint == NULL);
		if (good)
			continue;
		assert_int_equal(err.kind, ERR_INPUT);
		if (!strstr(err.text, cases[i].complaint))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void a_newer_format_is_not_called_damage(void **state)
{
	struct lake *lake = *state;
	static const char name[] = "bronze/WatchEvent/date=2026-09-20/000000000008.ndjson.zst";
	struct bronze_file found;
	struct err err = {0};
	make_file(lake, name, HEADER("2", "8", "WatchEvent", "2026-09-20", "1"), "{}\n");
	assert_false(bronze_inspect(&lake->layout, name, &found, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_int_equal(err.exit_code, 4);
}

static void lines_before_the_damage_are_handed_out(void **state)
{
	struct lake *lake = *state;
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct event event = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
	struct buf content CLEANUP(buf_finish) = {0};
	const struct bronze_file *files = NULL;
	size_t count = 0;
	struct err err = {0};
	char json[128];
	/* Several zstd blocks, so that the cut leaves whole ones. */
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(json, sizeof(json), "{\"id\":\"%d\",\"x\":%d}", i, i * 7919 % 100003);
		REQUIRE(bronze_writer_add(writer, &event, span_of(json), &err));
	}
	REQUIRE(bronze_writer_publish(writer, 1, 1, "api", &lake->arena, &files, &count, &err));
	struct file_path path = lake_path(lake, files[0].path.text);
	buf_init(&content, 1 << 24);
	read_bytes(path.text, &content);
	write_bytes(path.text, span_make(content.data, content.size * 2 / 3));
	REQUIRE(bronze_reader_open(path.text, &reader, &err));
	assert_int_equal(bronze_reader_header(reader)->events, 20000);
	int lines = 0;
	bool end = false;
	struct span line;
	int64_t offset;
	while (bronze_reader_next(reader, &line, &offset, &end, &err)) {
		assert_false(end);
		(void)snprintf(json, sizeof(json), "{\"id\":\"%d\",\"x\":%d}", lines, lines * 7919 % 100003);
		assert_true(span_equal_text(line, json));
		lines++;
	}
	assert_int_equal(err.kind, ERR_INPUT);
	assert_true(lines > 1000 && lines < 20000);
	/* And so it stays. */
	assert_false(bronze_reader_next(reader, &line, &offset, &end, &err));
}

static void a_missing_file_is_an_input_error(void **state)
{
	struct lake *lake = *state;
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct err err = {0};
	assert_false(bronze_reader_open(lake_path(lake, "bronze/none").text, &reader, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lake_set_up, lake_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_becomes_one_file_per_type_and_day),
		TEST(every_field_is_found_again_on_disk),
		TEST(zstd_prints_the_lines),
		TEST(publishing_again_overwrites),
		TEST(a_failed_publication_keeps_the_events),
		TEST(an_empty_batch_has_no_files),
		TEST(a_batch_has_a_maximum_in_bytes_and_files),
		TEST(days_without_a_name_share_one_file),
		TEST(long_lines_pass_through_the_window),
		TEST(damage_at_every_byte_is_noticed),
		TEST(header_must_fit_the_file),
		TEST(a_newer_format_is_not_called_damage),
		TEST(lines_before_the_damage_are_handed_out),
		TEST(a_missing_file_is_an_input_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
