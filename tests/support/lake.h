/* SPDX-License-Identifier: Apache-2.0 */
/* lake.h - a lake in a temporary folder for the tests of the stages: real files, a real catalog.
 * Whatever fails here fails the test in progress. Include it after tests/support/check.h. */
#ifndef TESTS_SUPPORT_LAKE_H
#define TESTS_SUPPORT_LAKE_H

#include "tests/support/check.h"

#include "base/clock.h"
#include "base/table.h"
#include "lake/catalog.h"
#include "lake/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OR_FAIL(call)                                                                              \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s: %s", #call, err.text);                                       \
	} while (0)

struct test_lake {
	struct check_path folder;
	struct layout layout;
	struct catalog *catalog;
	struct field_set *fields;
	struct scan_plan *plan;
};

/* `events_yaml` NULL: the default one. */
static inline void test_lake_open(struct test_lake *lake, const char *events_yaml)
{
	struct err err = {0};
	*lake = (struct test_lake){.folder = temporary_folder_create()};
	OR_FAIL(layout_init(&lake->layout, lake->folder.text, &err));
	OR_FAIL(catalog_open(&lake->layout, false, &lake->catalog, &err));
	if (events_yaml)
		OR_FAIL(field_set_create(span_of(events_yaml), "events.yaml", &lake->fields, &err));
	else
		OR_FAIL(field_set_create_default(&lake->fields, &err));
	lake->plan = scan_plan_create(lake->fields);
}

static inline void test_lake_close(struct test_lake *lake)
{
	scan_plan_destroy(&lake->plan);
	field_set_destroy(&lake->fields);
	catalog_close(&lake->catalog);
	temporary_folder_remove(&lake->folder);
}

static inline struct check_path test_lake_path(const struct test_lake *lake, const char *relative)
{
	return path_below(&lake->folder, relative);
}

/* Closes the catalog and opens it again with recovery, as a start does. */
static inline struct catalog_recovery test_lake_restart(struct test_lake *lake)
{
	struct err err = {0};
	struct catalog_recovery recovery = {0};
	catalog_close(&lake->catalog);
	OR_FAIL(catalog_open(&lake->layout, false, &lake->catalog, &err));
	OR_FAIL(catalog_recover(lake->catalog, &lake->layout, &recovery, &err));
	return recovery;
}

/* Another events.yaml from here on. */
static inline void test_lake_configure(struct test_lake *lake, const char *events_yaml)
{
	struct err err = {0};
	scan_plan_destroy(&lake->plan);
	field_set_destroy(&lake->fields);
	OR_FAIL(field_set_create(span_of(events_yaml), "events.yaml", &lake->fields, &err));
	lake->plan = scan_plan_create(lake->fields);
}

/* Stores the events as batch `seq` (0: the next) of the poller; JSON texts, one event each. A line
 * that the scanner refuses is stored under the type and time of the event before it. */
static inline int64_t test_lake_store(struct test_lake *lake, int64_t seq, const char *const *events,
				      size_t event_count)
{
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 * 1024 * 1024};
	CLEANUP(bronze_writer_destroy) struct bronze_writer *writer = bronze_writer_create(&lake->layout);
	const struct bronze_file *files;
	size_t file_count;
	struct event event = {.type = span_of("PushEvent")};
	for (size_t i = 0; i < event_count; i++) {
		struct scan_problem problem;
		if (!scan_event(lake->plan, span_of(events[i]), &arena, &event, &problem))
			event.id++;
		OR_FAIL(bronze_writer_add(writer, &event, span_of(events[i]), &err));
	}
	if (seq == 0)
		OR_FAIL(catalog_next_batch(lake->catalog, &seq, &err));
	int64_t now_us = clock_wall_us(clock_system());
	OR_FAIL(bronze_writer_publish(writer, seq, now_us, "api", &arena, &files, &file_count, &err));
	const struct batch batch = {
		.seq = seq,
		.source = "api",
		.received_at_us = now_us,
		.received = (int64_t)event_count,
		.bronze_rows = (int64_t)event_count,
	};
	const struct batch_write write = {.batch = &batch, .files = files, .file_count = file_count};
	OR_FAIL(catalog_store_batch(lake->catalog, &write, &err));
	return seq;
}

static inline struct batch test_lake_batch(struct test_lake *lake, int64_t seq)
{
	struct err err = {0};
	struct batch batch = {0};
	bool found = false;
	OR_FAIL(catalog_read_batch(lake->catalog, seq, &batch, &found, &err));
	if (!found)
		fail_msg("no batch %" PRId64, seq);
	return batch;
}

static inline size_t test_lake_file_count(struct test_lake *lake, enum lake_layer layer)
{
	struct err err = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 * 1024 * 1024};
	const struct lake_file *files;
	size_t count;
	OR_FAIL(catalog_list_files(lake->catalog, layer, &arena, &files, &count, &err));
	return count;
}

/* An event's JSON text. */
struct test_event {
	char text[1024];
};

/* `created_at` as "2026-09-20T12:00:00Z"; `payload` as the JSON inside of the braces. */
static inline struct test_event test_event(int64_t id, const char *type, const char *created_at, int64_t repo_id,
					   const char *payload)
{
	struct test_event event;
	int size = snprintf(event.text, sizeof(event.text),
		"{\"id\":\"%" PRId64 "\",\"type\":\"%s\",\"actor\":{\"id\":%" PRId64 ",\"login\":\"user-%" PRId64
		"\"},\"repo\":{\"id\":%" PRId64 ",\"name\":\"owner/repo-%" PRId64 "\"},\"payload\":{%s},"
		"\"public\":true,\"created_at\":\"%s\"}",
		id, type, 100 + id % 7, id % 7, repo_id, repo_id, payload, created_at);
	assert_in_range(size, 1, sizeof(event.text) - 1);
	return event;
}

/* Rows as text: columns parted by commas, rows by `between`; a value without a form of its own is
 * `missing`. */
static inline void test_table_append(struct buf *text, const struct table *table, const char *between,
				     const char *missing)
{
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t column = 0; column < table->column_count; column++) {
			const struct value *value = table_value(table, row, column);
			buf_append_text(text, column > 0 ? "," : row > 0 ? between : "");
			if (value->type == VALUE_TEXT)
				buf_append_span(text, value->text);
			else if (value->type == VALUE_INTEGER)
				buf_printf(text, "%" PRId64, value->integer);
			else if (value->type == VALUE_TIME)
				buf_append_text(text, time_render(value->time_us).text);
			else if (value->type == VALUE_BOOLEAN)
				buf_append_text(text, value->boolean ? "true" : "false");
			else if (value->type == VALUE_REAL)
				buf_printf(text, "%.6g", value->real);
			else
				buf_append_text(text, missing);
		}
}

#endif
