/* SPDX-License-Identifier: Apache-2.0 */
/* import_keys.c - what the lake has already, looked up by partition (type and day): the bronze files of
 * one are read when its first event comes, so that a large lake costs only the days that are met. */
#include "base/memory.h"
#include "ingest/import_private.h"

#include <stdlib.h>
#include <string.h>

enum {
	LISTED_BYTES_MAX = 512 * 1024 * 1024,
	PARTITIONS_MAX = 256 * 1024, /* 700 years of one type; beyond it the oldest are read again */
	CONFLICTS_MAX = 64 * 1024,
};

static const int64_t DAY_US = INT64_C(86400) * 1000000;

static int compare(const char *type, int64_t date_us, const struct lake_file *file)
{
	if (date_us != file->date_us)
		return date_us < file->date_us ? -1 : 1;
	return strcmp(type, file->type);
}

static int compare_files(const void *left, const void *right)
{
	const struct lake_file *a = left;
	int order = compare(a->type, a->date_us, right);
	return order != 0 ? order : strcmp(a->path.text, ((const struct lake_file *)right)->path.text);
}

bool import_keys_init(struct import *import, struct err *err)
{
	const struct lake_file *files;
	arena_init(&import->listed, LISTED_BYTES_MAX);
	key_set_init(&import->keys, IMPORT_KEYS_MAX);
	import->conflicts = seen_create(CONFLICTS_MAX);
	import->partitions = seen_create(PARTITIONS_MAX);
	if (!catalog_list_files(import->options->catalog, LAYER_BRONZE, &import->listed, &files,
				&import->bronze_count, err))
		return false;
	struct lake_file *sorted = arena_allocate(&import->listed, import->bronze_count, sizeof(*sorted));
	if (!sorted)
		return err_set(err, ERR_LOCAL, "the lake has too many bronze files to be listed");
	if (import->bronze_count > 0)
		memcpy(sorted, files, import->bronze_count * sizeof(*sorted));
	qsort(sorted, import->bronze_count, sizeof(*sorted), compare_files);
	import->bronze = sorted;
	return true;
}

void import_keys_finish(struct import *import)
{
	key_set_finish(&import->keys);
	seen_destroy(&import->conflicts);
	seen_destroy(&import->partitions);
	arena_finish(&import->listed);
}

/* A line that does not scan, or a file that is damaged, is no key: silver will set it aside. */
static bool load_file(struct import *import, const struct lake_file *file, struct err *err)
{
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = 4 * (size_t)SCAN_EVENT_BYTES_MAX};
	struct file_path path;
	struct err damage = {0};
	if (!layout_absolute(import->options->layout, file->path.text, &path, err))
		return false;
	bool ok = bronze_reader_open(path.text, &reader, &damage);
	for (bool end = false; ok && !end;) {
		struct span line;
		int64_t offset;
		struct event event;
		struct scan_problem problem;
		ok = bronze_reader_next(reader, &line, &offset, &end, &damage);
		arena_reset(&arena);
		if (!ok || end || !scan_event(import->plan, line, &arena, &event, &problem))
			continue;
		if (key_set_add(&import->keys, &event) == KEY_CONFLICT)
			(void)seen_add(import->conflicts, seen_key_of_event(&event));
	}
	if (ok || damage.kind == ERR_INPUT)
		return true;
	*err = damage;
	return err_wrap(err, "%s", file->path.text);
}

static bool load_partition(struct import *import, struct span type, int64_t date_us, struct err *err)
{
	char name[EVENT_TYPE_BYTES_MAX + 1] = "";
	const struct seen_key partition = {.created_at_us = date_us, .type_hash = span_hash(type, 0)};
	if (!seen_add(import->partitions, partition))
		return true;
	memcpy(name, type.data, type.size);
	size_t low = 0;
	for (size_t high = import->bronze_count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (compare(name, date_us, &import->bronze[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < import->bronze_count && compare(name, date_us, &import->bronze[low]) == 0; low++)
		if (!load_file(import, &import->bronze[low], err))
			return false;
	return true;
}

bool import_keys_add(struct import *import, const struct event *event, struct span route, bool *new_out,
		     struct err *err)
{
	int64_t time_us = event->created_at_us;
	int64_t date_us = time_us - ((time_us % DAY_US) + DAY_US) % DAY_US;
	if (!load_partition(import, route, date_us, err))
		return false;
	switch (key_set_add(&import->keys, event)) {
	case KEY_DUPLICATE:
		*new_out = false;
		return true;
	case KEY_CONFLICT:
		/* It goes on to quarantine, which says what it is in conflict with; once. */
		*new_out = seen_add(import->conflicts, seen_key_of_event(event));
		return true;
	case KEY_NEW:
	case KEY_FULL:
		break;
	}
	*new_out = true;
	return true;
}
