/* SPDX-License-Identifier: Apache-2.0 */
/* keyset.h - the distinct events that were served, by (id, type, created_at), and how many of each
 * type. Spoiled elements, which have no such key, are told apart by their bytes. */
#ifndef FAKE_GITHUB_KEYSET_H
#define FAKE_GITHUB_KEYSET_H

#include "base/json_writer.h"
#include "fake_github/feed.h"

enum {
	KEYSET_KEYS_MAX = 5000000,
	KEYSET_TYPES_MAX = 256,
};

struct keyset_entry {
	uint64_t hash;
	size_t text_offset; /* id NUL type NUL created_at NUL; for spoiled ones empty texts */
	int64_t repo_id;
	bool has_repo_id;
	bool spoiled;
};

struct keyset_type {
	char name[EVENT_TYPE_BYTES];
	uint64_t count;
};

struct keyset {
	struct keyset_entry *entries;
	size_t count;
	size_t capacity;
	uint32_t *slots; /* index + 1 of an entry; 0 is free */
	size_t slot_count; /* a power of two, or 0 */
	struct buf texts;
	struct keyset_type types[KEYSET_TYPES_MAX];
	size_t type_count;
	uint64_t spoiled_count;
	uint64_t conflict_count; /* sightings of a known key with another repository */
	bool full;               /* KEYSET_KEYS_MAX was hit: counts are no longer complete */
};

void keyset_init(struct keyset *keyset);
void keyset_finish(struct keyset *keyset);

void keyset_add(struct keyset *keyset, const struct event_key *key);

/* Distinct events that a client can store: without the spoiled ones. */
uint64_t keyset_storable_count(const struct keyset *keyset);

/* Writes an array of [id, type, created_at, repo id or null], in order of first sight, without the
 * spoiled ones. */
void keyset_write_keys(const struct keyset *keyset, struct json_writer *json);
/* Writes an object of type to distinct count. */
void keyset_write_types(const struct keyset *keyset, struct json_writer *json);

#endif
