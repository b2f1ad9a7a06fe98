/* SPDX-License-Identifier: Apache-2.0 */
/* field_set.c - the set once it is parsed: life, fingerprint, questions. */
#include "lake/field_set_private.h"

#include "base/embedded.h"
#include "base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* At most FIELD_COUNT_MAX fields for EVENT_TYPE_COUNT_MAX types each, and texts out of one YAML
 * document (1 MiB). */
enum { FIELD_SET_BYTES_MAX = 8 * 1024 * 1024 };

static uint64_t hash_column(uint64_t hash, const char *name, enum value_type type)
{
	static const struct span colon = SPAN_LITERAL(":");
	static const struct span line_feed = SPAN_LITERAL("\n");
	hash = span_hash(colon, span_hash(span_of(name), hash));
	return span_hash(line_feed, span_hash(span_of(value_type_name(type)), hash));
}

static void set_fingerprint(struct field_set *fields)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < EVENT_COLUMN_COUNT; i++)
		hash = hash_column(hash, event_columns[i].name, event_columns[i].type);
	for (size_t i = 0; i < fields->field_count; i++)
		hash = hash_column(hash, fields->fields[i].path, fields->fields[i].type);
	(void)snprintf(fields->fingerprint, sizeof(fields->fingerprint), "%016" PRIx64, hash);
}

bool field_set_create(
	struct span text, const char *name, struct field_set **fields_out, struct err *err)
{
	assert(name);
	CLEANUP(field_set_destroy) struct field_set *fields = memory_allocate(1, sizeof(*fields));
	arena_init(&fields->arena, FIELD_SET_BYTES_MAX);
	if (!field_set_parse(text, name, fields, err))
		return false;
	assert(!fields->arena.failed);
	set_fingerprint(fields);
	*fields_out = fields;
	fields = NULL;
	return true;
}

bool field_set_create_default(struct field_set **fields_out, struct err *err)
{
	const struct embedded_file *file = embedded_find(embedded_config, "events.yaml");
	assert(file);
	return field_set_create(
		span_make((const char *)file->data, file->size), "events.yaml", fields_out, err);
}

void field_set_destroy(struct field_set **fields)
{
	if (!*fields)
		return;
	arena_finish(&(*fields)->arena);
	free(*fields);
	*fields = NULL;
}

bool field_set_restrict(struct field_set *fields, struct span types, struct err *err)
{
	if (span_equal_text(span_trim(types), "all")) {
		fields->all_types = true;
		fields->type_count = 0;
		return true;
	}
	struct span names[EVENT_TYPE_COUNT_MAX];
	size_t count = 0;
	struct span name;
	for (bool more = true; more;) {
		more = span_split(types, ',', &name, &types);
		if (!more)
			name = types;
		name = span_trim(name);
		if (!event_type_is_plain(name))
			return err_set(err, ERR_INPUT,
				"\"%.*s\" is no event type: letters only, as in PushEvent",
				SPAN_ARGUMENTS(name));
		if (count == EVENT_TYPE_COUNT_MAX)
			return err_set(
				err, ERR_INPUT, "more than %d event types", EVENT_TYPE_COUNT_MAX);
		names[count++] = name;
	}
	const char **kept = arena_allocate(&fields->arena, count, sizeof(*kept));
	for (size_t i = 0; i < count && kept; i++)
		kept[i] = arena_copy_text(&fields->arena, names[i]);
	if (fields->arena.failed)
		return err_set(err, ERR_LOCAL, "the types were replaced too often");
	fields->all_types = false;
	fields->types = kept;
	fields->type_count = count;
	return true;
}

static bool contains(const char *const *words, size_t word_count, struct span word)
{
	for (size_t i = 0; i < word_count; i++)
		if (span_equal_text(word, words[i]))
			return true;
	return false;
}

bool field_set_accepts(const struct field_set *fields, struct span type)
{
	return fields->all_types || contains(fields->types, fields->type_count, type);
}

bool field_is_for(const struct field *field, struct span type)
{
	return contains(field->event_types, field->event_type_count, type);
}

int field_set_compare_logins(const void *left, const void *right)
{
	return strcasecmp(*(const char *const *)left, *(const char *const *)right);
}

static int compare_login(struct span login, const char *bot)
{
	size_t bot_size = strlen(bot);
	int order = strncasecmp(login.data, bot, login.size < bot_size ? login.size : bot_size);
	if (order != 0)
		return order;
	return login.size < bot_size ? -1 : login.size > bot_size;
}

bool field_set_is_bot(const struct field_set *fields, struct span login)
{
	if (login.size == 0)
		return false;
	size_t low = 0;
	size_t high = fields->bot_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_login(login, fields->bots[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
