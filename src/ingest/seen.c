/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/seen.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* A ring of keys in order of arrival, and a table of ring positions hashed by key (open addressing,
 * linear probing, at most half full; a removal shifts the run behind it back). */
struct seen {
	struct seen_key *ring;
	size_t ring_size;
	size_t oldest;
	size_t count;
	uint32_t *slots; /* ring position + 1; 0: free */
	size_t slot_mask;
};

struct seen *seen_create(size_t count_max)
{
	assert(count_max > 0 && count_max < UINT32_MAX / 4);
	size_t slot_count = 16;
	while (slot_count < count_max * 2)
		slot_count *= 2;
	struct seen *seen = memory_allocate(1, sizeof(*seen));
	seen->ring = memory_allocate(count_max, sizeof(*seen->ring));
	seen->ring_size = count_max;
	seen->slots = memory_allocate(slot_count, sizeof(*seen->slots));
	seen->slot_mask = slot_count - 1;
	return seen;
}

void seen_destroy(struct seen **seen)
{
	if (!*seen)
		return;
	free((*seen)->ring);
	free((*seen)->slots);
	free(*seen);
	*seen = NULL;
}

static size_t slot_of(const struct seen *seen, const struct seen_key *key)
{
	return (size_t)span_hash((struct span){(const char *)key, sizeof(*key)}, 0) & seen->slot_mask;
}

static bool key_equal(const struct seen_key *a, const struct seen_key *b)
{
	return a->id == b->id && a->created_at_us == b->created_at_us && a->repo_id == b->repo_id
	       && a->type_hash == b->type_hash;
}

static void forget_oldest(struct seen *seen)
{
	size_t slot = slot_of(seen, &seen->ring[seen->oldest]);
	while (seen->slots[slot] != seen->oldest + 1)
		slot = (slot + 1) & seen->slot_mask;
	size_t hole = slot;
	for (size_t next = (hole + 1) & seen->slot_mask; seen->slots[next] != 0; next = (next + 1) & seen->slot_mask) {
		size_t home = slot_of(seen, &seen->ring[seen->slots[next] - 1]);
		/* An entry may move into the hole when its home is not between the hole and itself. */
		if (((next - home) & seen->slot_mask) >= ((next - hole) & seen->slot_mask)) {
			seen->slots[hole] = seen->slots[next];
			hole = next;
		}
	}
	seen->slots[hole] = 0;
	seen->oldest = (seen->oldest + 1) % seen->ring_size;
	seen->count--;
}

bool seen_add(struct seen *seen, struct seen_key key)
{
	size_t slot = slot_of(seen, &key);
	for (; seen->slots[slot] != 0; slot = (slot + 1) & seen->slot_mask)
		if (key_equal(&seen->ring[seen->slots[slot] - 1], &key))
			return false;
	if (seen->count == seen->ring_size) {
		forget_oldest(seen);
		slot = slot_of(seen, &key);
		while (seen->slots[slot] != 0)
			slot = (slot + 1) & seen->slot_mask;
	}
	size_t position = (seen->oldest + seen->count) % seen->ring_size;
	seen->ring[position] = key;
	seen->slots[slot] = (uint32_t)position + 1;
	seen->count++;
	return true;
}

struct seen_key seen_key_of_event(const struct event *event)
{
	return (struct seen_key){event->id, event->created_at_us, event->repo_id, span_hash(event->type, 0)};
}

struct seen_key seen_key_of_bytes(struct span bytes)
{
	/* Two hashes of different seeds and the size; no event has an id below zero and this time. */
	return (struct seen_key){-(int64_t)(span_hash(bytes, 0) >> 1) - 1, INT64_MIN + (int64_t)bytes.size, 0,
				 span_hash(bytes, UINT64_C(0x9e3779b97f4a7c15))};
}
