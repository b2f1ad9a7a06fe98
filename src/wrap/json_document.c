/* SPDX-License-Identifier: Apache-2.0 */
/* json_document.c - jansson's values copied into an arena, so that they need no counting and no
 * freeing. */
#include "wrap/json_document.h"

#include "base/memory.h"

#include <assert.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

enum { LEVEL_COUNT_MAX = 64 };

/* Looked at before jansson, which allows 2,048 levels of its own recursion. */
static bool check_levels(struct span text, struct err *err)
{
	int level = 0;
	int line = 1;
	size_t line_start = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c == '\n') {
			line++;
			line_start = i + 1;
		} else if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			size_t column = i - line_start + 1;
			if (++level > LEVEL_COUNT_MAX)
				return err_set(err, ERR_INPUT,
					"line %d, column %zu: more than %d levels", line, column,
					LEVEL_COUNT_MAX);
		} else if (c == ']' || c == '}') {
			level--;
		}
	}
	return true;
}

static const struct json_node *copy_value(json_t *value, struct arena *arena);

static struct span copy_text(const json_t *value, struct arena *arena)
{
	return arena_copy(
		arena, (struct span){json_string_value(value), json_string_length(value)});
}

static void copy_array(const json_t *value, struct arena *arena, struct json_node *node)
{
	size_t count = json_array_size(value);
	const struct json_node **values = arena_allocate(arena, count, sizeof(*values));
	for (size_t i = 0; i < count && !arena->failed; i++)
		values[i] = copy_value(json_array_get(value, i), arena);
	node->values = values;
	node->count = count;
}

static void copy_object(json_t *value, struct arena *arena, struct json_node *node)
{
	size_t count = json_object_size(value);
	struct span *keys = arena_allocate(arena, count, sizeof(*keys));
	const struct json_node **values = arena_allocate(arena, count, sizeof(*values));
	void *member = json_object_iter(value);
	for (size_t i = 0; i < count && !arena->failed; i++) {
		assert(member);
		keys[i] = arena_copy(arena, span_of(json_object_iter_key(member)));
		values[i] = copy_value(json_object_iter_value(member), arena);
		member = json_object_iter_next(value, member);
	}
	node->keys = keys;
	node->values = values;
	node->count = count;
}

/* NULL, and arena->failed, when there is no room. */
static const struct json_node *copy_value(json_t *value, struct arena *arena)
{
	struct json_node *node = arena_allocate(arena, 1, sizeof(*node));
	if (!node)
		return NULL;
	switch (json_typeof(value)) {
	case JSON_NULL:
		node->kind = JSON_NODE_NULL;
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		node->kind = JSON_NODE_BOOLEAN;
		node->boolean = json_is_true(value);
		break;
	case JSON_INTEGER:
		node->kind = JSON_NODE_INTEGER;
		node->integer = json_integer_value(value);
		node->real = (double)node->integer;
		break;
	case JSON_REAL:
		node->kind = JSON_NODE_REAL;
		node->real = json_real_value(value);
		break;
	case JSON_STRING:
		node->kind = JSON_NODE_STRING;
		node->text = copy_text(value, arena);
		break;
	case JSON_ARRAY:
		node->kind = JSON_NODE_ARRAY;
		copy_array(value, arena, node);
		break;
	case JSON_OBJECT:
		node->kind = JSON_NODE_OBJECT;
		copy_object(value, arena, node);
		break;
	}
	return node;
}

static void release_value(json_t **value)
{
	json_decref(*value);
}

/* jansson tells "no memory" as a fault of the text, and files would be set aside for it. */
static void *allocate(size_t size)
{
	return memory_allocate(1, size);
}

static void use_own_memory(void)
{
	json_set_alloc_funcs(allocate, free);
}

bool json_parse(
	struct span text, struct arena *arena, const struct json_node **root_out, struct err *err)
{
	if (!check_levels(text, err))
		return false;
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, use_own_memory);
	json_error_t problem;
	json_t *value CLEANUP(release_value) = json_loadb(text.data ? text.data : "", text.size,
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
	if (!value)
		return err_set(err, ERR_INPUT, "line %d, column %d: %s", problem.line,
			problem.column, problem.text);
	const struct json_node *root = copy_value(value, arena);
	if (arena->failed)
		return err_set(err, ERR_INPUT, "line 1, column 1: too large for %zu bytes",
			arena->size_max);
	*root_out = root;
	return true;
}

const struct json_node *json_get(const struct json_node *object, const char *key)
{
	if (!object || object->kind != JSON_NODE_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->count; i++)
		if (span_equal_text(object->keys[i], key))
			return object->values[i];
	return NULL;
}

struct span json_get_text(const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(object, key);
	return node && node->kind == JSON_NODE_STRING ? node->text : (struct span){0};
}

int64_t json_get_integer(const struct json_node *object, const char *key, int64_t missing)
{
	const struct json_node *node = json_get(object, key);
	return node && node->kind == JSON_NODE_INTEGER ? node->integer : missing;
}
