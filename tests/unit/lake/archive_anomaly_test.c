/* SPDX-License-Identifier: Apache-2.0 */
/* archive_anomaly_test.c - every kind of broken file that GH Archive has published, made small, with what
 * comes of it: docs/formats/archive.md has the same table. Good records around the damage are kept, and
 * the sums add up (archive_fixture.h). */
#include "tests/unit/lake/archive_fixture.h"

enum { EVENT = 300 }; /* bytes of an event and its line feed, filled up with blanks */

/* `count` events from `id` on, EVENT bytes each. */
static void append_events(struct buf *buf, int id, int count)
{
	for (int i = 0; i < count; i++) {
		const struct event_text event = event_text(id + i);
		size_t size = strlen(event.text);
		assert_in_range(size, 200, EVENT - 2);
		buf_append(buf, event.text, size - 1);
		while (size++ < EVENT - 1)
			buf_append_byte(buf, ' ');
		buf_append_text(buf, "}\n");
	}
}

/* As published: gzip. In several windows, ahead and not. */
static void check_file(void **state, struct span file, const char *expected)
{
	static const size_t windows[] = {0, 16, 299, 300, 301, 4096};
	for (size_t i = 0; i < ARRAY_COUNT(windows) * 2; i++) {
		read_archive(*state, file, (struct archive_reader_options){i % 2 != 0, windows[i / 2]});
		check_text(*state, expected);
	}
}

static void check_content(void **state, struct span content, const char *expected)
{
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)1024 * 1024};
	gzip_append(&file, content, 6, NULL);
	check_file(state, buf_span(&file), expected);
	check_file(state, content, expected); /* and unpacked by somebody */
}

/* 2017-11-08-1 (#169), 2021-09-11-9 (#271) */
static void record_cut_and_next_glued_on(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	append_events(&content, 1, 2);
	content.size -= 200; /* in the middle of the second */
	append_events(&content, 3, 2);
	check_content(state, buf_span(&content), "R0 X300:record-cut R400 R700 ");
}

/* 2020-10-30-17 (#241) */
static void last_line_cut(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	append_events(&content, 1, 2);
	buf_append_text(&content, "{\"id\":\"3\",\"type\":\"PushEvent\",\"repo\":nul");
	check_content(state, buf_span(&content), "R0 R300 X600:record-cut ");
}

/* 2018-06-08-2, 2023-05-14-19 (#190) */
static void runs_of_nul_bytes(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 1000000};
	CLEANUP(buf_finish) struct buf inside = {.size_max = 1000000};
	append_events(&content, 1, 2);
	memset(buf_reserve(&content, 100000), 0, 100000);
	buf_commit(&content, 100000);
	append_events(&content, 3, 2);
	check_content(state, buf_span(&content), "R0 R300 D600:nul-bytes R100600 R100900 ");
	append_events(&inside, 1, 2);
	memset(inside.data + 400, 0, 50);
	append_events(&inside, 3, 1);
	check_content(state, buf_span(&inside), "R0 X300:record-cut D400:nul-bytes X450:no-record R600 ");
}

/* 2011-03-15-21 and others (#53) */
static void several_objects_on_one_line(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	append_events(&content, 1, 4);
	content.data[299] = content.data[599] = content.data[899] = ' ';
	check_content(state, buf_span(&content), "R0 R300 R600 R900 ");
}

/* 2012-12-22-18 (#221) */
static void hour_without_content(void **state)
{
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	gzip_append(&file, (struct span){0}, 6, NULL);
	assert_int_equal(file.size, 20);
	check_file(state, buf_span(&file), "");
	check_file(state, (struct span){0}, "D0:empty-file ");
}

/* 2015-01-05-20 and others (#175, #210) */
static void hour_of_one_event(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	append_events(&content, 1, 1);
	check_content(state, buf_span(&content), "R0 ");
	check_content(state, span_make(content.data, content.size - 1), "R0 ");
}

/* 2016-08-20-15, 2016-08-21-6, 2016-08-22-8 and others (#225): in the middle of a block that nothing
 * makes smaller, so that the place is known. */
static void gzip_cut(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	append_events(&content, 1, 3);
	gzip_append(&file, buf_span(&content), 0, NULL);
	size_t head = file.size - 8 - content.size;
	check_file(state, span_make(file.data, head + 750), "R0 R300 X600:record-cut D750:gzip-truncated ");
	check_file(state, span_make(file.data, head + 600), "R0 R300 D600:gzip-truncated ");
	check_file(state, span_make(file.data, head + 900), "R0 R300 R600 D900:gzip-truncated ");
	check_file(state, span_make(file.data, head + 899), "R0 R300 R600 D899:gzip-truncated "); /* no line feed */
	check_file(state, span_make(file.data, 7), "D0:gzip-truncated ");
}

static void gzip_broken(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	append_events(&content, 1, 2);
	gzip_append(&file, buf_span(&content), 0, NULL);
	file.data[file.size - 30] ^= 1; /* in the last blanks of the second */
	check_file(state, buf_span(&file), "R0 X300:invalid-json D600:gzip-damaged ");
	file.data[file.size - 30] ^= 1;
	size_t first = file.size;
	gzip_append(&file, buf_span(&content), 6, NULL);
	size_t second = file.size;
	gzip_append(&file, buf_span(&content), 6, NULL);
	file.data[first + 10] = (char)0xff; /* a block of the kind that there is not */
	check_file(state, buf_span(&file), "R0 R300 D600:gzip-damaged R600 R900 ");
	assert_true(second > first);
}

static void gzip_of_several_members(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	append_events(&content, 1, 3);
	for (size_t i = 0; i < content.size; i += 100) /* lines go on in the next member */
		gzip_append(&file, span_make(content.data + i, 100), 6, NULL);
	check_file(state, buf_span(&file), "R0 R300 R600 ");
	buf_append_text(&file, "rubbish");
	check_file(state, buf_span(&file), "R0 R300 R600 D900:gzip-trailing-bytes ");
}

/* 2016-01-28-1 (#136), 2016-08-21-21 and others (#225) */
static void xml_instead_of_gzip(void **state)
{
	static const char xml[] = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code>"
				  "<Message>The specified key does not exist.</Message></Error>";
	check_content(state, span_of(xml), "D0:not-an-archive ");
	check_content(state, span_of("\xef\xbb\xbf  \n<Error/>"), "D0:not-an-archive ");
}

static void marks_of_byte_order(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	buf_append_text(&content, "\xef\xbb\xbf");
	append_events(&content, 1, 1);
	check_content(state, buf_span(&content), "R3 ");
	buf_append_text(&content, "\xef\xbb\xbf"); /* where two such files were put together */
	append_events(&content, 2, 1);
	check_content(state, buf_span(&content), "R3 X303:no-record R306 ");
}

static void utf16_is_refused(void **state)
{
	const struct event_text event = event_text(1);
	for (int kind = 0; kind < 4; kind++) {
		CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
		bool little = kind % 2 != 0;
		if (kind / 2)
			buf_append_text(&content, little ? "\xff\xfe" : "\xfe\xff");
		for (const char *c = event.text; *c; c++) {
			buf_append_byte(&content, little ? *c : '\0');
			buf_append_byte(&content, little ? '\0' : *c);
		}
		check_content(state, buf_span(&content), "D0:not-an-archive ");
	}
}

static void characters_that_are_none(void **state)
{
	CLEANUP(buf_finish) struct buf content = {.size_max = 100000};
	append_events(&content, 1, 3);
	memcpy(strstr(content.data + 300, "octo"), "\xff\xfe\xc3\x28", 4);
	check_content(state, buf_span(&content), "R0 X300:invalid-utf8 R600 ");
	memcpy(strstr(content.data + 300, "\xff\xfe"), "octo", 4);
	memcpy(strstr(content.data + 300, "octo: "), "\\ud83d", 6); /* half of a pair */
	check_content(state, buf_span(&content), "R0 X300:invalid-json R600 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_cut_and_next_glued_on),
		cmocka_unit_test(last_line_cut),
		cmocka_unit_test(runs_of_nul_bytes),
		cmocka_unit_test(several_objects_on_one_line),
		cmocka_unit_test(hour_without_content),
		cmocka_unit_test(hour_of_one_event),
		cmocka_unit_test(gzip_cut),
		cmocka_unit_test(gzip_broken),
		cmocka_unit_test(gzip_of_several_members),
		cmocka_unit_test(xml_instead_of_gzip),
		cmocka_unit_test(marks_of_byte_order),
		cmocka_unit_test(utf16_is_refused),
		cmocka_unit_test(characters_that_are_none),
	};
	return cmocka_run_group_tests(tests, archive_set_up, archive_tear_down);
}
