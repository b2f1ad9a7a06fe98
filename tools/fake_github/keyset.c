/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/keyset.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS_BYTES_MAX = 1024 * 1024 * 1024 };

void keyset_init(struct keyset *keyset)
{
	*keyset = (struct keyset){0};
	buf_init(&keyset->texts, TEXTS_BYTES_MAX);
}

void keyset_finish(struct keyset *keyset)
{
	free(keyset->entries);
	free(keyset->slots);
	buf_finish(&keyset->texts);
	*keyset = (struct keyset){0};
}

struct entry_texts {
	const char *id;
	const char *type;
	const char *created_at;
};

static struct entry_texts texts_of(const struct keyset *keyset, const struct keyset_entry *entry)
{
	const char *id = keyset->texts.data + entry->text_offset;
	const char *type = id + strlen(id) + 1;
	return (struct entry_texts){id, type, type + strlen(type) + 1};
}

static uint64_t hash_of(const struct event_key *key)
{
	if (key->spoiled)
		return key->byte_hash;
	uint64_t hash = span_hash(span_of(key->id), 0);
	hash = span_hash(span_of(key->type), hash);
	return span_hash(span_of(key->created_at), hash);
}

static bool is_same(const struct keyset *keyset, const struct keyset_entry *entry,
		    const struct event_key *key, uint64_t hash)
{
	if (entry->hash != hash || entry->spoiled != key->spoiled)
		return false;
	if (key->spoiled)
		return true;
	struct entry_texts texts = texts_of(keyset, entry);
	return strcmp(texts.id, key->id) == 0 && strcmp(texts.type, key->type) == 0
	       && strcmp(texts.created_at, key->created_at) == 0;
}

/* The slot of the key: its own, or the free one where it belongs. */
static size_t find_slot(const struct keyset *keyset, const struct event_key *key, uint64_t hash)
{
	size_t mask = keyset->slot_count - 1;
	size_t slot = (size_t)(hash ^ (hash >> 32)) & mask;
	while (keyset->slots[slot] != 0
	       && !is_same(keyset, &keyset->entries[keyset->slots[slot] - 1], key, hash))
		slot = (slot + 1) & mask;
	return slot;
}

static void grow_slots(struct keyset *keyset)
{
	keyset->slot_count = keyset->slot_count ? 2 * keyset->slot_count : 1024;
	free(keyset->slots);
	keyset->slots = memory_allocate(keyset->slot_count, sizeof(*keyset->slots));
	size_t mask = keyset->slot_count - 1;
	for (size_t i = 0; i < keyset->count; i++) {
		uint64_t hash = keyset->entries[i].hash;
		size_t slot = (size_t)(hash ^ (hash >> 32)) & mask;
		while (keyset->slots[slot] != 0)
			slot = (slot + 1) & mask;
		keyset->slots[slot] = (uint32_t)(i + 1);
	}
}

static void count_type(struct keyset *keyset, const char *name)
{
	size_t i = 0;
	while (i < keyset->type_count && strcmp(keyset->types[i].name, name) != 0)
		i++;
	if (i == KEYSET_TYPES_MAX) {
		keyset->full = true;
		return;
	}
	if (i == keyset->type_count)
		memcpy(keyset->types[keyset->type_count++].name, name, strlen(name) + 1);
	keyset->types[i].count++;
}

static void add_entry(struct keyset *keyset, const struct event_key *key, uint64_t hash)
{
	if (keyset->count == keyset->capacity) {
		keyset->capacity = keyset->capacity ? 2 * keyset->capacity : 1024;
		keyset->entries = memory_resize(keyset->entries,
						keyset->capacity * sizeof(*keyset->entries));
	}
	keyset->entries[keyset->count++] = (struct keyset_entry){
		.hash = hash,
		.text_offset = keyset->texts.size,
		.repo_id = key->repo_id,
		.has_repo_id = key->has_repo_id,
		.spoiled = key->spoiled,
	};
	if (key->spoiled) {
		keyset->spoiled_count++;
		return;
	}
	buf_append(&keyset->texts, key->id, strlen(key->id) + 1);
	buf_append(&keyset->texts, key->type, strlen(key->type) + 1);
	buf_append(&keyset->texts, key->created_at, strlen(key->created_at) + 1);
	count_type(keyset, key->type);
}

void keyset_add(struct keyset *keyset, const struct event_key *key)
{
	if (2 * (keyset->count + 1) > keyset->slot_count)
		grow_slots(keyset);
	uint64_t hash = hash_of(key);
	size_t slot = find_slot(keyset, key, hash);
	if (keyset->slots[slot] != 0) {
		const struct keyset_entry *known = &keyset->entries[keyset->slots[slot] - 1];
		if (known->has_repo_id != key->has_repo_id || known->repo_id != key->repo_id)
			keyset->conflict_count++;
		return;
	}
	if (keyset->count == KEYSET_KEYS_MAX) {
		keyset->full = true;
		return;
	}
	add_entry(keyset, key, hash);
	keyset->slots[slot] = (uint32_t)keyset->count;
}

uint64_t keyset_storable_count(const struct keyset *keyset)
{
	return keyset->count - keyset->spoiled_count;
}

void keyset_write_keys(const struct keyset *keyset, struct json_writer *json)
{
	json_begin_array(json);
	for (size_t i = 0; i < keyset->count; i++) {
		const struct keyset_entry *entry = &keyset->entries[i];
		if (entry->spoiled)
			continue;
		struct entry_texts texts = texts_of(keyset, entry);
		json_begin_array(json);
		json_put_text(json, texts.id);
		json_put_text(json, texts.type);
		json_put_text(json, texts.created_at);
		if (entry->has_repo_id)
			json_put_integer(json, entry->repo_id);
		else
			json_put_null(json);
		json_end_array(json);
	}
	json_end_array(json);
}

void keyset_write_types(const struct keyset *keyset, struct json_writer *json)
{
	json_begin_object(json);
	for (size_t i = 0; i < keyset->type_count; i++)
		json_put_key_integer(json, keyset->types[i].name, (int64_t)keyset->types[i].count);
	json_end_object(json);
}
