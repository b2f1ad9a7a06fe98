/* SPDX-License-Identifier: Apache-2.0 */
/* key_set.c - open addressing with linear probing, at most half full. */
#include "lake/key_set.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct key_entry {
	int64_t id;
	int64_t created_at_us;
	int64_t repo_id;
	uint32_t hash; /* the low half: spares most comparisons */
	uint32_t type; /* index in types, plus one; 0: free */
};

enum { CAPACITY_FIRST = 1024, NAMES_BYTES_MAX = 256 * 1024, RESERVED_MAX = 1 << 20 };

/* Every look-up misses the caches; at least it need not miss the table of pages too. */
static struct key_entry *allocate_entries(size_t capacity)
{
	enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024 };
	size_t size = capacity * sizeof(struct key_entry);
	void *entries = NULL;
	if (size < HUGE_PAGE_BYTES || posix_memalign(&entries, HUGE_PAGE_BYTES, size) != 0)
		return memory_allocate(capacity, sizeof(struct key_entry));
	(void)madvise(entries, size, MADV_HUGEPAGE);
	memset(entries, 0, size);
	return entries;
}

void key_set_init(struct key_set *set, size_t count_max)
{
	*set = (struct key_set){.capacity = CAPACITY_FIRST, .count_max = count_max};
	set->entries = allocate_entries(set->capacity);
	arena_init(&set->names, NAMES_BYTES_MAX);
}

void key_set_finish(struct key_set *set)
{
	free(set->entries);
	set->entries = NULL;
	arena_finish(&set->names);
}

void key_set_clear(struct key_set *set, size_t count)
{
	size_t capacity = CAPACITY_FIRST;
	while (capacity < 2 * count && capacity < 2 * (size_t)RESERVED_MAX)
		capacity *= 2;
	set->count = 0;
	set->type_count = 0;
	set->type_last = 0;
	arena_reset(&set->names);
	if (capacity == set->capacity) {
		memset(set->entries, 0, capacity * sizeof(*set->entries));
		return;
	}
	free(set->entries);
	set->capacity = capacity;
	set->entries = allocate_entries(capacity);
}

/* 0 when there are too many. */
static uint32_t intern_type(struct key_set *set, struct span type)
{
	if (set->type_count > 0 && span_equal(set->types[set->type_last], type))
		return (uint32_t)set->type_last + 1;
	size_t i = 0;
	while (i < set->type_count && !span_equal(set->types[i], type))
		i++;
	if (i == set->type_count) {
		struct span name = arena_copy(&set->names, type);
		if (i == ARRAY_COUNT(set->types) || !name.data)
			return 0;
		set->types[set->type_count++] = name;
	}
	set->type_last = i;
	return (uint32_t)i + 1;
}

static void grow(struct key_set *set)
{
	struct key_entry *old = set->entries;
	size_t old_capacity = set->capacity;
	set->capacity *= 2;
	set->entries = allocate_entries(set->capacity);
	for (size_t i = 0; i < old_capacity; i++) {
		if (old[i].type == 0)
			continue;
		size_t at = old[i].hash & (set->capacity - 1);
		while (set->entries[at].type != 0)
			at = (at + 1) & (set->capacity - 1);
		set->entries[at] = old[i];
	}
	free(old);
}

/* An event that does not say its repository does not say that it is another one either. */
static bool is_other(int64_t repo_id, int64_t other_repo_id)
{
	return repo_id != 0 && other_repo_id != 0 && repo_id != other_repo_id;
}

enum key_verdict key_set_add(struct key_set *set, const struct event *event)
{
	struct key_entry entry = {
		.id = event->id,
		.created_at_us = event->created_at_us,
		.repo_id = event->repo_id,
		.hash = (uint32_t)event_key_hash(event),
		.type = intern_type(set, event->type),
	};
	if (entry.type == 0)
		return KEY_FULL;
	size_t at = entry.hash & (set->capacity - 1);
	for (; set->entries[at].type != 0; at = (at + 1) & (set->capacity - 1)) {
		const struct key_entry *there = &set->entries[at];
		if (there->hash == entry.hash && there->type == entry.type && there->id == entry.id
		    && there->created_at_us == entry.created_at_us)
			return is_other(there->repo_id, entry.repo_id) ? KEY_CONFLICT : KEY_DUPLICATE;
	}
	if (set->count == set->count_max)
		return KEY_FULL;
	set->entries[at] = entry;
	if (++set->count * 2 > set->capacity)
		grow(set);
	return KEY_NEW;
}

void key_set_prefetch(const struct key_set *set, const struct event *event)
{
	__builtin_prefetch(&set->entries[(uint32_t)event_key_hash(event) & (set->capacity - 1)], 1);
}
