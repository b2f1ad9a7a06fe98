/* SPDX-License-Identifier: Apache-2.0 */
/* serve_support.h - reading what was rendered. */
#ifndef TESTS_UNIT_SERVE_SERVE_SUPPORT_H
#define TESTS_UNIT_SERVE_SERVE_SUPPORT_H

#include "tests/support/check.h"

#include "base/clock.h"
#include "wrap/json_document.h"

#include <string.h>

#define REQUIRE(call)                                                                              \
	do {                                                                                       \
		if (!(call))                                                                       \
			fail_msg("%s: %s", #call, err.text);                                       \
	} while (0)

/* Fails the test when the text is no JSON, or has a key twice. */
static inline const struct json_node *parse(struct span text, struct arena *arena)
{
	const struct json_node *root = NULL;
	struct err err = {0};
	if (!json_parse(text, arena, &root, &err))
		fail_msg("%s in: %.*s", err.text, SPAN_ARGUMENTS(text));
	return root;
}

/* The member at "a/b/0/c" below `root`. */
static inline const struct json_node *at(const struct json_node *root, const char *path)
{
	struct span rest = span_of(path);
	for (bool more = true; more;) {
		struct span step = rest;
		char key[128] = {0};
		int64_t index;
		more = span_split(rest, '/', &step, &rest);
		memcpy(key, step.data, step.size < sizeof(key) ? step.size : sizeof(key) - 1);
		if (root->kind == JSON_NODE_ARRAY && span_parse_int64(step, &index)
			&& (size_t)index < root->count)
			root = root->values[index];
		else
			root = json_get(root, key);
		if (!root)
			fail_msg("nothing at %s of %s", key, path);
	}
	return root;
}

static inline void check_text(const struct json_node *root, const char *path, const char *wanted)
{
	const struct json_node *node = at(root, path);
	if (node->kind != JSON_NODE_STRING || !span_equal_text(node->text, wanted))
		fail_msg("%s is \"%.*s\" (kind %d), not \"%s\"", path, SPAN_ARGUMENTS(node->text),
			node->kind, wanted);
}

static inline void check_integer(const struct json_node *root, const char *path, int64_t wanted)
{
	const struct json_node *node = at(root, path);
	if (node->kind != JSON_NODE_INTEGER || node->integer != wanted)
		fail_msg("%s is %lld (kind %d), not %lld", path, (long long)node->integer,
			node->kind, (long long)wanted);
}

static inline void check_boolean(const struct json_node *root, const char *path, bool wanted)
{
	const struct json_node *node = at(root, path);
	if (node->kind != JSON_NODE_BOOLEAN || node->boolean != wanted)
		fail_msg("%s is not %s", path, wanted ? "true" : "false");
}

static inline void check_null(const struct json_node *root, const char *path)
{
	if (at(root, path)->kind != JSON_NODE_NULL)
		fail_msg("%s is not null", path);
}

static inline void check_keys(
	const struct json_node *object, const char *const *keys, size_t key_count)
{
	assert_int_equal(object->kind, JSON_NODE_OBJECT);
	assert_int_equal(object->count, key_count);
	for (size_t i = 0; i < key_count; i++)
		if (!span_equal_text(object->keys[i], keys[i]))
			fail_msg("key %zu is %.*s, not %s", i, SPAN_ARGUMENTS(object->keys[i]),
				keys[i]);
}

static inline void check_has(struct span text, const char *wanted)
{
	if (!text.data || !memmem(text.data, text.size, wanted, strlen(wanted)))
		fail_msg("no \"%s\" in:\n%.*s", wanted, SPAN_ARGUMENTS(text));
}

static inline void check_lacks(struct span text, const char *unwanted)
{
	if (text.data && memmem(text.data, text.size, unwanted, strlen(unwanted)))
		fail_msg("\"%s\" in:\n%.*s", unwanted, SPAN_ARGUMENTS(text));
}

static inline int64_t time_of(const char *text)
{
	int64_t time_us = 0;
	assert_true(time_parse(span_of(text), &time_us));
	return time_us;
}

#endif
