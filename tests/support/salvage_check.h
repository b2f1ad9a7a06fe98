/* SPDX-License-Identifier: Apache-2.0 */
/* salvage_check.h - what must hold of archive_salvage on any line, for unit tests and the fuzz target. A
 * broken property ends the program. */
#ifndef TESTS_SUPPORT_SALVAGE_CHECK_H
#define TESTS_SUPPORT_SALVAGE_CHECK_H

#include "lake/archive_salvage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct salvage_sums {
	int records;
	int rubbish;
	struct span last_record;
};

#define SALVAGE_DEMAND(condition, line)                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n%.*s\n", __FILE__, __LINE__, #condition,        \
				(int)(line).size, (line).data);                                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Blanks, and the commas of a list. */
static inline bool salvage_may_skip(struct span s)
{
	for (size_t i = 0; i < s.size; i++)
		if (s.data[i] == '\0' || !strchr(" \t\r\n,", s.data[i]))
			return false;
	return true;
}

/* Parts in order, disjoint, and all of the line in them; each record accepted by the scanner. */
static inline struct salvage_sums salvage_check(const struct scan_plan *plan, struct span line)
{
	struct salvage_sums sums = {0};
	CLEANUP(archive_salvage_finish) struct archive_salvage salvage;
	struct archive_salvage_item item;
	static struct arena arena = {.size_max = (size_t)64 * 1024 * 1024}; /* kept: it is asked often */
	size_t at = 0;
	bool comma = false;
	bool broken = false;
	archive_salvage_init(&salvage, plan, line);
	while (archive_salvage_next(&salvage, &item)) {
		SALVAGE_DEMAND(item.offset >= at && item.bytes.size > 0, line);
		SALVAGE_DEMAND(item.bytes.data == line.data + item.offset, line);
		SALVAGE_DEMAND(item.bytes.size <= line.size - item.offset, line);
		struct span between = span_make(line.data + at, item.offset - at);
		SALVAGE_DEMAND(salvage_may_skip(between), line);
		comma = comma || (between.size > 0 && memchr(between.data, ',', between.size));
		at = item.offset + item.bytes.size;
		if (item.is_record) {
			struct event event;
			struct scan_problem problem;
			SALVAGE_DEMAND(scan_event(plan, item.bytes, &arena, &event, &problem), line);
			SALVAGE_DEMAND(item.bytes.data[0] == '{' && item.bytes.data[item.bytes.size - 1] == '}', line);
			arena_reset(&arena);
			sums.records++;
			sums.last_record = item.bytes;
		} else {
			SALVAGE_DEMAND(item.reason && item.detail[0] != '\0', line);
			sums.rubbish++;
			broken = broken || item.bytes.data[0] != '{';
		}
	}
	SALVAGE_DEMAND(salvage_may_skip(span_make(line.data + at, line.size - at)), line);
	SALVAGE_DEMAND(!comma || !broken, line);
	return sums;
}

/* For a line that is one good event, cut at `cut`: its head has no event in it, its tail neither, and
 * where it follows its own head, it alone is found, if anything is. */
static inline void salvage_check_cut(const struct scan_plan *plan, struct span line, size_t cut)
{
	struct buf glued = {.size_max = 2 * SCAN_EVENT_BYTES_MAX};
	struct span event = line;
	while (event.size > 0 && event.data[0] != '{')
		event = span_make(event.data + 1, event.size - 1);
	while (event.size > 0 && event.data[event.size - 1] != '}')
		event.size--;
	if (event.size == 0 || cut == 0 || cut >= event.size)
		return;
	SALVAGE_DEMAND(salvage_check(plan, span_make(event.data, cut)).records == 0, line);
	SALVAGE_DEMAND(salvage_check(plan, span_make(event.data + cut, event.size - cut)).records == 0, line);
	buf_append(&glued, event.data, cut);
	buf_append_span(&glued, event);
	struct salvage_sums sums = salvage_check(plan, buf_span(&glued));
	SALVAGE_DEMAND(sums.records <= 1, buf_span(&glued));
	SALVAGE_DEMAND(sums.records == 0 || span_equal(sums.last_record, event), buf_span(&glued));
	buf_finish(&glued);
}

#endif
