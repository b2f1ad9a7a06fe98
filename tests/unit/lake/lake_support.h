/* SPDX-License-Identifier: Apache-2.0 */
/* lake_support.h - a data folder in a temporary one, events to put into it, a look at its files.
 * Failures of what must work end the test with the error's text. */
#ifndef TESTS_UNIT_LAKE_LAKE_SUPPORT_H
#define TESTS_UNIT_LAKE_LAKE_SUPPORT_H

#include "tests/support/check.h"

#include "base/clock.h"
#include "lake/catalog.h"

#include <stdio.h>
#include <string.h>

#define REQUIRE(call)                                                                              \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s: %s", #call, err.text);                                       \
	} while (0)

struct lake {
	struct check_path folder;
	struct layout layout;
	struct catalog *catalog;
	struct arena arena;
};

static inline int lake_set_up(void **state)
{
	static struct lake lake;
	struct err err = {0};
	lake = (struct lake){.folder = temporary_folder_create()};
	arena_init(&lake.arena, (size_t)64 * 1024 * 1024);
	if (!layout_init(&lake.layout, lake.folder.text, &err)
	    || !catalog_open(&lake.layout, false, &lake.catalog, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	*state = &lake;
	return 0;
}

static inline int lake_tear_down(void **state)
{
	struct lake *lake = *state;
	catalog_close(&lake->catalog);
	arena_finish(&lake->arena);
	temporary_folder_remove(&lake->folder);
	return 0;
}

static inline int64_t lake_time(const char *text)
{
	int64_t time_us = 0;
	assert_true(time_parse(span_of(text), &time_us));
	return time_us;
}

static inline struct event lake_event(const char *type, const char *created_at)
{
	return (struct event){.type = span_of(type), .created_at_us = lake_time(created_at)};
}

static inline struct file_path lake_path(const struct lake *lake, const char *relative)
{
	struct file_path path;
	struct err err = {0};
	REQUIRE(layout_absolute(&lake->layout, relative, &path, &err));
	return path;
}

static inline bool lake_has(const struct lake *lake, const char *relative)
{
	return file_exists(lake_path(lake, relative).text);
}

static inline void lake_write(const struct lake *lake, const char *relative, const char *content)
{
	struct err err = {0};
	REQUIRE(file_write(lake_path(lake, relative).text, span_of(content), &err));
}

/* Publishes `batch` with two stars and a push: two files. */
static inline const struct bronze_file *lake_publish(struct lake *lake, int64_t batch, size_t *count_out)
{
	struct bronze_writer *writer CLEANUP(bronze_writer_destroy) = bronze_writer_create(&lake->layout);
	struct event star = lake_event("WatchEvent", "2026-09-20T12:00:00Z");
	struct event push = lake_event("PushEvent", "2026-09-20T23:59:59Z");
	const struct bronze_file *files = NULL;
	struct err err = {0};
	char json[64];
	for (int i = 0; i < 3; i++) {
		(void)snprintf(json, sizeof(json), "{\"id\":\"%d\"}", (int)batch * 10 + i);
		REQUIRE(bronze_writer_add(writer, i < 2 ? &star : &push, span_of(json), &err));
	}
	REQUIRE(bronze_writer_publish(writer, batch, lake_time("2026-09-21T00:00:01.5Z"), "api", &lake->arena,
		&files, count_out, &err));
	assert_int_equal(*count_out, 2);
	return files;
}

/* Publishes and stores `batch`. */
static inline void lake_store(struct lake *lake, int64_t batch)
{
	struct err err = {0};
	struct batch_write write = {
		.batch = &(struct batch){.seq = batch,
			.source = "api",
			.received_at_us = lake_time("2026-09-21T00:00:01.5Z"),
			.received = 3,
			.bronze_rows = 3},
	};
	write.files = lake_publish(lake, batch, &write.file_count);
	REQUIRE(catalog_store_batch(lake->catalog, &write, &err));
}

static inline struct batch lake_batch(struct lake *lake, int64_t seq)
{
	struct batch batch = {0};
	struct err err = {0};
	bool found = false;
	REQUIRE(catalog_read_batch(lake->catalog, seq, &batch, &found, &err));
	if (!found)
		fail_msg("no batch %d", (int)seq);
	return batch;
}

static inline struct catalog_totals lake_totals(struct lake *lake)
{
	struct catalog_totals totals = {0};
	struct err err = {0};
	REQUIRE(catalog_read_totals(lake->catalog, &totals, &err));
	return totals;
}

/* A live silver file with three rows for `batch`: the file and the catalog's record. */
static inline void lake_store_silver(struct lake *lake, int64_t batch)
{
	struct batch counts = lake_batch(lake, batch);
	struct lake_file file = {.layer = LAYER_SILVER_LIVE,
		.batch_first = batch,
		.batch_last = batch,
		.rows = 3,
		.size_bytes = 4,
		.sha256 = "5a",
		.fingerprint = "0123456789abcdef"};
	struct err err = {0};
	counts.silver_rows = counts.bronze_rows;
	REQUIRE(layout_silver_live(batch, &file.path, &err));
	lake_write(lake, file.path.text, "PAR1");
	REQUIRE(catalog_store_silver(lake->catalog, &counts, &file, NULL, 0, &err));
}

static inline void lake_store_gold(struct lake *lake, int64_t batch)
{
	struct batch counts = lake_batch(lake, batch);
	struct err err = {0};
	counts.gold_rows = counts.silver_rows;
	REQUIRE(catalog_store_gold(lake->catalog, &counts, NULL, 0, &err));
}

#endif
