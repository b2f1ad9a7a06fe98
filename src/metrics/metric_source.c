/* SPDX-License-Identifier: Apache-2.0 */
/* metric_source.c - watching by size and time: two calls a second for a handful of files need no
 * inotify, and work on every file system. */
#include "metrics/metric_source.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_BYTES_MAX = 2 * 1024 * 1024 };

struct listing {
	struct metric_sources *sources;
	const char *folder;
};

static void add_source(struct metric_sources *sources, const struct file_path *path)
{
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->items[i].path.text, path->text) == 0)
			return;
	if (sources->count == METRIC_FILE_COUNT_MAX) {
		sources->too_many = true;
		return;
	}
	sources->items[sources->count++] = (struct metric_source){
		.path = *path,
		.size_bytes = file_size(path->text),
		.modified_us = file_modified_us(path->text),
	};
}

static bool visit_file(void *context, const char *relative, struct err *err)
{
	struct listing *listing = context;
	struct span name = span_of(relative);
	if (strchr(relative, '/')
		|| (!span_ends_with(name, ".yaml") && !span_ends_with(name, ".yml")))
		return true;
	struct file_path path;
	if (!file_path_make(&path, err, "%s/%s", listing->folder, relative))
		return false;
	add_source(listing->sources, &path);
	return true;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

void metric_sources_list(
	const char *const *paths, size_t path_count, struct metric_sources *sources_out)
{
	*sources_out = (struct metric_sources){
		.items = memory_allocate(METRIC_FILE_COUNT_MAX, sizeof(struct metric_source))};
	for (size_t i = 0; i < path_count; i++) {
		struct listing listing = {sources_out, paths[i]};
		struct file_path path;
		struct err err;
		/* A folder that cannot be walked shows as a source that cannot be read. */
		if (is_folder(paths[i]) && file_walk(paths[i], visit_file, &listing, &err))
			continue;
		if (file_path_make(&path, &err, "%s", paths[i]))
			add_source(sources_out, &path);
	}
}

void metric_sources_finish(struct metric_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		metric_file_release(&sources->items[i].latest);
		metric_file_release(&sources->items[i].good);
	}
	free(sources->items);
	*sources = (struct metric_sources){0};
}

static struct metric_file *load(const struct metric_source *source, struct metric_file *built_in,
	const struct metric_engine *engine)
{
	CLEANUP(buf_finish) struct buf text = {0};
	struct err err;
	buf_init(&text, TEXT_BYTES_MAX);
	if (!file_read(source->path.text, &text, &err))
		return metric_file_missing(source->path.text, err.text);
	struct metric_file_source file = {source->path.text, buf_span(&text), built_in, engine};
	return metric_file_load(&file);
}

static struct metric_source *find_source(
	struct metric_sources *sources, const struct file_path *path)
{
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->items[i].path.text, path->text) == 0)
			return &sources->items[i];
	return NULL;
}

static void move_versions(struct metric_source *from, struct metric_source *to)
{
	to->latest = from->latest;
	to->good = from->good;
	from->latest = NULL;
	from->good = NULL;
}

bool metric_sources_load(struct metric_sources *sources, struct metric_sources *before, bool force,
	struct metric_file *built_in, const struct metric_engine *engine)
{
	size_t kept_count = 0;
	bool loaded = false;
	for (size_t i = 0; i < sources->count; i++) {
		struct metric_source *source = &sources->items[i];
		struct metric_source *earlier = find_source(before, &source->path);
		bool is_same = earlier && earlier->size_bytes == source->size_bytes
			       && earlier->modified_us == source->modified_us;
		if (earlier) {
			move_versions(earlier, source);
			kept_count++;
		}
		if (is_same && !force)
			continue;
		metric_file_release(&source->latest);
		source->latest = load(source, built_in, engine);
		loaded = true;
		if (source->latest->error_count > 0)
			continue;
		metric_file_release(&source->good);
		source->good = metric_file_acquire(source->latest);
	}
	return loaded || kept_count != before->count;
}

struct metric_file *metric_source_in_force(const struct metric_source *source)
{
	return source->good ? source->good : source->latest;
}
