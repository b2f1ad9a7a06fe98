/* SPDX-License-Identifier: Apache-2.0 */
/* archive_fixture.h - what the archive tests share: a plan, events as text, files in memory, and all that
 * comes of one, written down in one text. */
#ifndef TESTS_UNIT_LAKE_ARCHIVE_FIXTURE_H
#define TESTS_UNIT_LAKE_ARCHIVE_FIXTURE_H

#include "tests/support/check.h"

#include "lake/archive_reader.h"
#include "lake/archive_salvage.h"
#include "tests/support/gzip_make.h"
#include "tests/support/salvage_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct archive_fixture {
	struct field_set *fields;
	struct scan_plan *plan;
	struct buf text; /* what came, see read_archive */
	struct archive_totals totals;
	int64_t records; /* good ones, as an importer would count them */
	int64_t rubbish; /* pieces that it would set aside, damage of the file among them */
};

static inline int archive_set_up(void **state)
{
	struct archive_fixture *fixture = calloc(1, sizeof(*fixture));
	struct err err = {0};
	assert_non_null(fixture);
	if (!field_set_create_default(&fixture->fields, &err))
		fail_msg("%s", err.text);
	fixture->plan = scan_plan_create(fixture->fields);
	buf_init(&fixture->text, (size_t)64 * 1024 * 1024);
	*state = fixture;
	return 0;
}

static inline int archive_tear_down(void **state)
{
	struct archive_fixture *fixture = *state;
	buf_finish(&fixture->text);
	scan_plan_destroy(&fixture->plan);
	field_set_destroy(&fixture->fields);
	free(fixture);
	return 0;
}

struct event_text {
	char text[512];
};

static inline struct event_text event_text(int id)
{
	struct event_text event;
	int size = snprintf(event.text, sizeof(event.text),
		"{\"id\":\"%d\",\"type\":\"PushEvent\",\"actor\":{\"id\":5,\"login\":\"octo: cat, {\"},\"repo\":{\"id\":7,"
		"\"name\":\"o/r\"},\"payload\":{\"commits\":[{\"sha\":\"ab\",\"message\":\"say \\\"{\\\\\"},{\"n\":[1,2]}],"
		"\"size\":%d},\"public\":true,\"created_at\":\"2017-11-08T01:00:00Z\"}",
		id, id % 10);
	assert_in_range(size, 1, sizeof(event.text) - 1);
	return event;
}

/* What an importer does with a line. Adds `R<offset>` per record, `X<offset>:<reason>` per piece of
 * rubbish, with offsets in the content. */
static inline void take_line(struct archive_fixture *fixture, const struct archive_item *line)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = (size_t)64 * 1024 * 1024};
	CLEANUP(archive_salvage_finish) struct archive_salvage salvage;
	struct archive_salvage_item item;
	struct event event;
	struct scan_problem problem;
	(void)salvage_check(fixture->plan, line->bytes);
	archive_salvage_init(&salvage, fixture->plan, line->bytes);
	if (scan_event(fixture->plan, line->bytes, &arena, &event, &problem)) {
		buf_printf(&fixture->text, "R%" PRId64 " ", line->offset);
		fixture->records++;
		assert_true(archive_salvage_next(&salvage, &item));
		assert_true(item.is_record);
		assert_false(archive_salvage_next(&salvage, &item));
		return;
	}
	while (archive_salvage_next(&salvage, &item)) {
		int64_t offset = line->offset + (int64_t)item.offset;
		if (item.is_record)
			buf_printf(&fixture->text, "R%" PRId64 " ", offset);
		else
			buf_printf(&fixture->text, "X%" PRId64 ":%s ", offset, item.reason);
		fixture->records += item.is_record;
		fixture->rubbish += !item.is_record;
	}
}

/* Reads a file as an importer would, into fixture->text: `D<offset>:<reason>` per damage, see take_line
 * for the others. Checks that all bytes are accounted for. */
static inline void read_archive_path(struct archive_fixture *fixture, const char *path,
				     struct archive_reader_options options)
{
	struct err err = {0};
	struct archive_item item;
	CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
	buf_clear(&fixture->text);
	fixture->records = fixture->rubbish = 0;
	int64_t line_bytes = 0;
	int64_t lines = 0;
	if (!archive_reader_open(path, &options, &reader, &err))
		fail_msg("%s", err.text);
	for (;;) {
		if (!archive_reader_next(reader, &item, &err))
			fail_msg("%s", err.text);
		if (item.kind == ARCHIVE_END)
			break;
		if (item.kind == ARCHIVE_LINE) {
			lines++;
			line_bytes += (int64_t)item.bytes.size;
			take_line(fixture, &item);
			continue;
		}
		buf_printf(&fixture->text, "D%" PRId64 ":%s ", item.offset, item.reason);
		fixture->rubbish++;
		assert_in_range(item.bytes.size, 0, ARCHIVE_DAMAGE_BYTES_MAX);
		assert_true(item.detail[0] != '\0');
		for (const char *c = item.detail; *c; c++)
			assert_in_range(*c, ' ', '~');
	}
	assert_true(archive_reader_next(reader, &item, &err));
	assert_int_equal(item.kind, ARCHIVE_END);
	archive_reader_totals(reader, &fixture->totals);
	assert_int_equal(fixture->totals.lines, lines);
	assert_int_equal(fixture->totals.line_bytes, line_bytes);
	assert_int_equal(fixture->totals.bytes, line_bytes + fixture->totals.damage_bytes + fixture->totals.skipped_bytes);
}

static inline void read_archive(struct archive_fixture *fixture, struct span file,
				struct archive_reader_options options)
{
	CLEANUP(memory_file_close) int descriptor = memory_file_open(file);
	read_archive_path(fixture, memory_file_path(descriptor).text, options);
}

static inline void check_text(struct archive_fixture *fixture, const char *expected)
{
	if (!span_equal_text(buf_span(&fixture->text), expected))
		fail_msg("\"%.*s\", not \"%s\"", SPAN_ARGUMENTS(buf_span(&fixture->text)), expected);
}

#endif
