/* SPDX-License-Identifier: Apache-2.0 */
/* archive_reader_test.c - files to lines and damage, in windows of every size; the anomalies of GH Archive
 * are in archive_anomaly_test.c. */
#include "tests/unit/lake/archive_fixture.h"

#include "wrap/inflate_stream.h"

#include <malloc.h>
#include <sys/resource.h>

/* Sanitizers keep what was freed. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static const size_t window_sizes[] = {16, 17, 18, 19, 23, 64, 65, 4096, 0};

/* The same outcome for `content` plain, as gzip and as gzip of two members cut at any place, in all windows. */
static void check_content(void **state, struct span content, const char *expected)
{
	struct archive_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_COUNT(window_sizes) * 6; i++) {
		CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)1024 * 1024};
		size_t half = content.size * (i % 7) / 7;
		size_t kind = i % 3;
		if (kind == 0)
			buf_append_span(&file, content);
		else if (kind == 1)
			gzip_append(&file, content, 6, NULL);
		if (kind == 2) {
			gzip_append(&file, span_make(content.data, half), 6, NULL);
			gzip_append(&file, span_make(content.data + half, content.size - half), 6, NULL);
		}
		read_archive(fixture, buf_span(&file),
			(struct archive_reader_options){i / 3 % 2 != 0, window_sizes[i / 6]});
		check_text(fixture, expected);
		assert_int_equal(fixture->totals.bytes, content.size);
		assert_int_equal(fixture->totals.compressed_bytes, file.size);
		assert_int_equal(fixture->totals.members, kind);
	}
}

static void append_event(struct buf *buf, int id, const char *end)
{
	buf_append_text(buf, event_text(id).text);
	buf_append_text(buf, end);
}

static void line_ends_and_blank_lines(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	char expected[200];
	size_t size = strlen(event_text(1).text);
	append_event(&content, 1, "\n");
	append_event(&content, 2, "\r\n");
	buf_append_text(&content, "\n\n  \t\r\n\r\n"); /* four lines of nothing */
	append_event(&content, 3, " \n");
	append_event(&content, 4, "");
	(void)snprintf(expected, sizeof(expected), "R0 R%zu R%zu R%zu ", size + 1, 2 * size + 12, 3 * size + 14);
	check_content(state, buf_span(&content), expected);
	struct archive_fixture *fixture = *state;
	assert_int_equal(fixture->totals.lines, 4);
	assert_int_equal(fixture->totals.line_feeds, 7);
}

static void line_numbers(void **state)
{
	(void)state;
	struct err err = {0};
	struct archive_item item;
	static const char content[] = "{\"a\":1}\n\n\n{\"b\":1}\0\0{\"c\":1}\nx\r\n\0";
	static const int64_t lines[] = {1, 4, 4, 4, 5, 6};
	static const size_t sizes[] = {7, 7, 0, 7, 1, 0};
	static const int64_t offsets[] = {0, 10, 17, 19, 27, 30};
	CLEANUP(memory_file_close) int descriptor = memory_file_open(span_make(content, sizeof(content) - 1));
	CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
	const struct archive_reader_options options = {0};
	assert_true(archive_reader_open(memory_file_path(descriptor).text, &options, &reader, &err));
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		assert_true(archive_reader_next(reader, &item, &err));
		assert_int_equal(item.line, lines[i]);
		assert_int_equal(item.bytes.size, sizes[i]);
		assert_int_equal(item.offset, offsets[i]);
	}
	assert_true(archive_reader_next(reader, &item, &err));
	assert_int_equal(item.kind, ARCHIVE_END);
}

/* Every length around the windows' sizes, so that each byte of a line, its end and its NUL bytes come to
 * stand at each side of a boundary. */
static void every_boundary(void **state)
{
	struct archive_fixture *fixture = *state;
	for (size_t padding = 0; padding < 70; padding++) {
		CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
		char expected[300];
		for (size_t i = 0; i < padding; i++)
			buf_append_byte(&content, i % 9 == 8 ? '\n' : ' ');
		size_t size = strlen(event_text(1).text);
		append_event(&content, 1, "\r\n");
		append_event(&content, 2, "");
		buf_append(&content, "\0\0\0", 3);
		append_event(&content, 3, "\n");
		size_t at = padding;
		size_t blanks = padding < 9 ? padding : padding % 9; /* stay at the line's front */
		(void)snprintf(expected, sizeof(expected), "R%zu R%zu D%zu:nul-bytes R%zu ", at - blanks, at + size + 2,
			at + 2 * size + 2, at + 2 * size + 5);
		for (size_t w = 0; w < ARRAY_COUNT(window_sizes); w++) {
			read_archive(fixture, buf_span(&content), (struct archive_reader_options){false, window_sizes[w]});
			check_text(fixture, expected);
		}
	}
}

/* A line of `size` bytes with `body` in it as often as it fits. */
static void append_long(struct buf *buf, size_t size, const char *body)
{
	size_t end = buf->size + size;
	size_t unit = strlen(body);
	while (buf->size + unit <= end)
		buf_append(buf, body, unit);
	while (buf->size < end)
		buf_append_byte(buf, ' ');
}

static int64_t peak_kib(void)
{
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static size_t held_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

static void lines_of_the_greatest_length(void **state)
{
	struct archive_fixture *fixture = *state;
	static const struct {
		size_t more;
		const char *expected;
	} cases[] = {{0, "R0 R16777217 "}, {1, "D0:line-too-long R16777218 "}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)40 * 1024 * 1024};
		size_t size = SCAN_EVENT_BYTES_MAX + cases[i].more;
		append_event(&content, 1, "");
		append_long(&content, size - content.size, " ");
		buf_append_byte(&content, '\n');
		append_event(&content, 2, "\n");
		read_archive(fixture, buf_span(&content), (struct archive_reader_options){0});
		check_text(fixture, cases[i].expected);
	}
}

/* 35 MB in one string: one piece of damage, in the memory of the longest line that is taken. */
static void a_line_that_is_too_long(void **state)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)64 * 1024 * 1024};
	const size_t size = 35000000;
	{
		CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)40 * 1024 * 1024};
		append_event(&content, 1, "\n{\"id\":\"2\",\"payload\":\"");
		append_long(&content, size, "x");
		append_event(&content, 3, "\n");
		append_event(&content, 4, "\n");
		gzip_append(&file, buf_span(&content), 1, NULL);
	}
	int descriptor = memory_file_open(buf_span(&file));
	struct err err = {0};
	struct archive_item item;
	CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
	const struct archive_reader_options options = {0};
	size_t first = strlen(event_text(1).text);
	assert_true(archive_reader_open(memory_file_path(descriptor).text, &options, &reader, &err));
	assert_true(archive_reader_next(reader, &item, &err));
	assert_int_equal(item.kind, ARCHIVE_LINE);
	assert_true(archive_reader_next(reader, &item, &err));
	assert_int_equal(item.kind, ARCHIVE_DAMAGE);
	assert_string_equal(item.reason, "line-too-long");
	assert_int_equal(item.offset, first + 1);
	assert_int_equal(item.line, 2);
	assert_int_equal(item.bytes.size, ARCHIVE_DAMAGE_BYTES_MAX);
	assert_true(span_starts_with(item.bytes, "{\"id\":\"2\",\"payload\":\"xxxx"));
	assert_int_equal(item.size, size + 21 + first);
	assert_true(archive_reader_next(reader, &item, &err));
	assert_true(span_equal_text(item.bytes, event_text(4).text));
	assert_int_equal(item.line, 3);
	memory_file_close(&descriptor);
	read_archive(fixture, buf_span(&file), (struct archive_reader_options){true, 0});
	assert_int_equal(fixture->records, 2);
	assert_int_equal(fixture->rubbish, 1);
}

/* Three lines as long as may be, and one of 35 MB, need the memory of one that is as long as may be. */
static void memory_is_flat(void **state)
{
	(void)state;
	enum { CHUNK = 1024 * 1024, CHUNKS = 48 };
	if (SANITIZED)
		skip();
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)16 * 1024 * 1024};
	CLEANUP(buf_finish) struct buf chunk = {.size_max = CHUNK};
	append_long(&chunk, CHUNK, "x{\"a\"");
	for (int kind = 0; kind < 2; kind++) {
		buf_clear(&file);
		for (int i = 0; i < (kind ? 35 : CHUNKS); i++) {
			bool ends = kind == 0 && i % 16 == 15;
			chunk.data[CHUNK - 1] = ends ? '\n' : 'x';
			gzip_append(&file, buf_span(&chunk), 6, NULL);
		}
		struct err err = {0};
		struct archive_item item = {0};
		CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
		CLEANUP(memory_file_close) int descriptor = memory_file_open(buf_span(&file));
		int64_t before = peak_kib();
		size_t held = held_bytes();
		int items = 0;
		assert_true(archive_reader_open(memory_file_path(descriptor).text,
			&(struct archive_reader_options){false, 0}, &reader, &err));
		for (; item.kind != ARCHIVE_END; items++)
			assert_true(archive_reader_next(reader, &item, &err));
		assert_int_equal(items, kind ? 2 : 4);
		assert_in_range(peak_kib() - before, 0, 20 * 1024);
		assert_in_range(held_bytes() - held, 0, 2 * 1024 * 1024); /* given back behind the line */
	}
}

/* A whole hour on one line, more than fits: it is taken apart between objects. */
static void a_very_long_line_of_many_objects(void **state)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)48 * 1024 * 1024};
	int count = 0;
	while (content.size < (size_t)40 * 1024 * 1024)
		append_event(&content, ++count, "");
	buf_append_text(&content, "\n");
	append_event(&content, ++count, "\n");
	struct err err = {0};
	struct archive_item item = {0};
	CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
	CLEANUP(memory_file_close) int descriptor = memory_file_open(buf_span(&content));
	assert_true(archive_reader_open(memory_file_path(descriptor).text, &(struct archive_reader_options){0}, &reader,
		&err));
	int found = 0;
	int64_t offset = 0;
	for (;;) {
		assert_true(archive_reader_next(reader, &item, &err));
		if (item.kind == ARCHIVE_END)
			break;
		assert_int_equal(item.kind, ARCHIVE_LINE);
		assert_int_equal(item.offset, offset + (item.line == 2));
		assert_memory_equal(item.bytes.data, content.data + item.offset, item.bytes.size);
		offset = item.offset + (int64_t)item.bytes.size;
		found += salvage_check(fixture->plan, item.bytes).records;
	}
	assert_int_equal(item.line, 3);
	assert_int_equal(found, count);
}

static void text_that_is_no_archive(void **state)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(buf_finish) struct buf noise = {.size_max = 100000};
	CLEANUP(buf_finish) struct buf prose = {.size_max = 100000};
	unsigned random = 7;
	for (int i = 0; i < 20000; i++) {
		random = random * 1103515245 + 12345;
		buf_append_byte(&noise, (char)(random >> 16));
		buf_append_byte(&prose, (char)('a' + random % 20));
	}
	noise.data[0] = 'N';
	const struct span files[] = {buf_span(&noise), buf_span(&prose), SPAN_LITERAL("404: Not Found\n"),
		SPAN_LITERAL("PK\x03\x04 and so on {"), SPAN_LITERAL("\x28\xb5\x2f\xfd {"), SPAN_LITERAL("PAR1{}"),
		SPAN_LITERAL("BZh91AY{"), SPAN_LITERAL("<html><body>{}</body>")};
	for (size_t i = 0; i < ARRAY_COUNT(files) * 2; i++) {
		CLEANUP(buf_finish) struct buf file = {.size_max = 400000};
		if (i % 2 == 0)
			buf_append_span(&file, files[i / 2]);
		else
			gzip_append(&file, files[i / 2], 6, NULL);
		read_archive(fixture, buf_span(&file), (struct archive_reader_options){i % 4 < 2, 0});
		check_text(fixture, "D0:not-an-archive ");
	}
	/* Nothing of this makes a file foreign. */
	check_content(state, span_of("\n \n"), "");
	check_content(state, span_make("\0\0\0\0\0\0", 6), "D0:nul-bytes ");
	check_content(state, span_of("rubbish, then {\n"), "X0:no-record ");
}

static void paths_that_cannot_be_opened(void **state)
{
	(void)state;
	static const char *const paths[] = {"/nonexistent/2015-01-01-1.json.gz", "/", ""};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		struct err err = {0};
		struct archive_reader *reader = NULL;
		const struct archive_reader_options options = {0};
		assert_false(archive_reader_open(paths[i], &options, &reader, &err));
		assert_int_equal(err.kind, ERR_LOCAL);
		assert_null(reader);
	}
}

static void real_hours(void **state)
{
	static const struct {
		const char *name;
		int64_t lines, bytes, compressed_bytes;
	} hours[] = {
		{"gharchive-hours/2012-06-14-15.json.gz", 5313, 6511096, 1467774},
		{"gharchive-hours/2015-01-01-1.json.gz", 7427, 17649671, 2657872},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(hours) * 4; i++) {
		struct err err = {0};
		struct archive_item item = {0};
		struct archive_totals totals;
		const struct archive_reader_options options = {i % 2 != 0, i / 2 % 2 ? 1000 : 0};
		CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
		struct check_path path = real_data_path_or_skip(hours[i / 4].name);
		assert_true(archive_reader_open(path.text, &options, &reader, &err));
		do
			assert_true(archive_reader_next(reader, &item, &err));
		while (item.kind == ARCHIVE_LINE);
		assert_int_equal(item.kind, ARCHIVE_END);
		archive_reader_totals(reader, &totals);
		assert_int_equal(totals.lines, hours[i / 4].lines);
		assert_int_equal(totals.bytes, hours[i / 4].bytes);
		assert_int_equal(totals.compressed_bytes, hours[i / 4].compressed_bytes);
		assert_int_equal(totals.bytes, totals.line_bytes + totals.skipped_bytes);
		assert_int_equal(totals.damages, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends_and_blank_lines),
		cmocka_unit_test(line_numbers),
		cmocka_unit_test(every_boundary),
		cmocka_unit_test(memory_is_flat), /* before the tests that need more themselves */
		cmocka_unit_test(lines_of_the_greatest_length),
		cmocka_unit_test(a_line_that_is_too_long),
		cmocka_unit_test(a_very_long_line_of_many_objects),
		cmocka_unit_test(text_that_is_no_archive),
		cmocka_unit_test(paths_that_cannot_be_opened),
		cmocka_unit_test(real_hours),
	};
	return cmocka_run_group_tests(tests, archive_set_up, archive_tear_down);
}
