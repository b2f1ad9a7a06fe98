/* SPDX-License-Identifier: Apache-2.0 */
/* gold_instance.c - the files of generations. A file is removed, renamed or opened again only while
 * this process has it closed: two instances of one file lose inserts, and closing one of two
 * descriptors drops the engine's lock (FACTS C9). */
#include "gold/gold_private.h"

#include "base/failpoint.h"
#include "base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* At most one damaged gold is kept for a look: it is a cache, and may be large. */
#define ASIDE_MARK ".damaged-"

bool gold_instance_open(const struct gold *gold, const char *path, int64_t generation,
			size_t reader_count, struct gold_instance **instance_out, struct err *err)
{
	struct file_path silver;
	struct file_path spill;
	const struct layout *layout = gold->options.layout;
	assert(reader_count <= GOLD_READERS_MAX);
	/* Only silver is to be read. A folder for each generation: two may be open at once. */
	if (!layout_absolute(layout, "silver", &silver, err)
	    || !file_path_make(&spill, err, "%s/tmp/gold-%" PRId64, layout->root.text, generation))
		return false;
	const struct duck_options engine = {
		.path = path,
		.memory_bytes_max = gold->options.memory_bytes_max,
		.threads = gold->options.threads,
		.temporary_folder = spill.text,
		.allowed_folder = silver.text,
		.preserve_insertion_order = true,
	};
	CLEANUP(gold_instance_close)
	struct gold_instance *instance = memory_allocate(1, sizeof(*instance));
	instance->generation = generation;
	if (!file_path_make(&instance->path, err, "%s", path)
	    || !duck_open(&engine, &instance->database, err)
	    || !duck_connect(instance->database, &instance->loader, err))
		return false;
	for (; instance->reader_count < reader_count; instance->reader_count++)
		if (!duck_connect(instance->database, &instance->readers[instance->reader_count].connection, err))
			return false;
	*instance_out = instance;
	instance = NULL;
	return true;
}

void gold_instance_close(struct gold_instance **instance)
{
	FAILPOINT_SCOPE("gold.close");
	if (!*instance)
		return;
	assert((*instance)->busy_count == 0);
	for (size_t i = 0; i < (*instance)->reader_count; i++)
		duck_disconnect(&(*instance)->readers[i].connection);
	duck_disconnect(&(*instance)->loader);
	FAILPOINT_DO("close", duck_close(&(*instance)->database));
	free(*instance);
	*instance = NULL;
}

bool gold_instance_path(const struct gold *gold, int64_t generation, struct file_path *path_out,
			struct err *err)
{
	struct file_path relative;
	return layout_gold(generation, &relative, err)
	       && layout_absolute(gold->options.layout, relative.text, path_out, err);
}

static bool log_path(const char *path, struct file_path *path_out, struct err *err)
{
	return file_path_make(path_out, err, "%s.wal", path);
}

bool gold_instance_remove(const char *path, struct err *err)
{
	struct file_path log;
	/* The log first: one that outlived its file would be replayed into the next of that name. */
	return log_path(path, &log, err) && file_remove(log.text, err) && file_remove(path, err);
}

struct walk {
	const struct gold *gold;
	int64_t keep;
	int64_t below;
	int64_t highest;
};

static bool remove_aside(void *context, const char *relative_path, struct err *err)
{
	const struct walk *walk = context;
	struct file_path path;
	if (!strstr(relative_path, ASIDE_MARK))
		return true;
	return file_path_make(&path, err, "%s/gold/%s", walk->gold->options.layout->root.text, relative_path)
	       && file_remove(path.text, err);
}

static bool walk_gold(struct walk *walk,
		      bool (*visit)(void *context, const char *relative_path, struct err *err),
		      struct err *err)
{
	struct file_path folder;
	return layout_absolute(walk->gold->options.layout, "gold", &folder, err)
	       && file_walk(folder.text, visit, walk, err);
}

bool gold_instance_set_aside(const struct gold *gold, const char *path, struct err *err)
{
	FAILPOINT_SCOPE("gold.aside");
	struct walk walk = {.gold = gold};
	struct file_path log;
	struct file_path aside;
	return walk_gold(&walk, remove_aside, err) && log_path(path, &log, err)
	       && (!file_exists(log.text) || file_set_aside(log.text, &aside, err))
	       && (!file_exists(path) || file_set_aside(path, &aside, err));
}

static bool remove_other(void *context, const char *relative_path, struct err *err)
{
	const struct walk *walk = context;
	struct file_path relative;
	struct file_path path;
	int64_t generation;
	if (!file_path_make(&relative, err, "gold/%s", relative_path))
		return false;
	size_t size = strlen(relative.text);
	if (size > 4 && strcmp(relative.text + size - 4, ".wal") == 0)
		relative.text[size - 4] = '\0';
	if (!layout_parse_gold(relative.text, &generation) || generation == walk->keep)
		return true;
	return file_path_make(&path, err, "%s/gold/%s", walk->gold->options.layout->root.text, relative_path)
	       && file_remove(path.text, err);
}

bool gold_instance_sweep(const struct gold *gold, int64_t generation, struct err *err)
{
	FAILPOINT_SCOPE("gold.other");
	struct walk walk = {.gold = gold, .keep = generation};
	return walk_gold(&walk, remove_other, err);
}

static bool find_highest(void *context, const char *relative_path, struct err *err)
{
	struct walk *walk = context;
	struct file_path relative;
	int64_t generation;
	if (!file_path_make(&relative, err, "gold/%s", relative_path))
		return false;
	if (layout_parse_gold(relative.text, &generation) && generation < walk->below
	    && generation > walk->highest)
		walk->highest = generation;
	return true;
}

bool gold_instance_find(const struct gold *gold, int64_t below, int64_t *generation_out, struct err *err)
{
	struct walk walk = {.gold = gold, .below = below};
	if (!walk_gold(&walk, find_highest, err))
		return false;
	*generation_out = walk.highest;
	return true;
}

bool gold_instance_drop_retired(struct gold *gold, struct err *err)
{
	FAILPOINT_SCOPE("gold.retired");
	struct gold_instance *idle = NULL;
	(void)pthread_mutex_lock(&gold->mutex);
	for (struct gold_instance **link = &gold->retired; *link;) {
		struct gold_instance *instance = *link;
		if (instance->busy_count > 0) {
			link = &instance->next;
			continue;
		}
		*link = instance->next;
		instance->next = idle;
		idle = instance;
	}
	(void)pthread_mutex_unlock(&gold->mutex);
	bool removed = true;
	while (idle) {
		struct gold_instance *instance = idle;
		const struct file_path path = instance->path;
		idle = instance->next;
		gold_instance_close(&instance);
		removed = removed && gold_instance_remove(path.text, err);
	}
	return removed;
}
