/* SPDX-License-Identifier: Apache-2.0 */
/* json_document.h - small JSON documents (replies of our own API, headers of our own files) read
 * through jansson. Events never come this way: they go through lake/scan.h.
 *
 * Strict (RFC 8259, UTF-8), duplicate keys refused, at most 64 levels and the arena's size;
 * integers beyond 64 bits, reals beyond a double and NUL in a key are refused too. */
#ifndef WRAP_JSON_DOCUMENT_H
#define WRAP_JSON_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"

enum json_kind {
	JSON_NODE_NULL,
	JSON_NODE_BOOLEAN,
	JSON_NODE_INTEGER,
	JSON_NODE_REAL,
	JSON_NODE_STRING,
	JSON_NODE_ARRAY,
	JSON_NODE_OBJECT,
};

struct json_node {
	enum json_kind kind;
	bool boolean;
	int64_t integer;
	double real; /* also set for integers */
	struct span text;
	const struct span *keys;           /* object */
	const struct json_node *const *values; /* object and array */
	size_t count;
};

/* The whole document in `arena`. ERR_INPUT "line L, column C: what"; also when it does not fit. */
MUST_CHECK bool json_parse(struct span text, struct arena *arena, const struct json_node **root_out,
			   struct err *err);
/* The member, or NULL when `object` is no object or has none of that name. */
const struct json_node *json_get(const struct json_node *object, const char *key);
/* Absent when there is none or it is no string. */
struct span json_get_text(const struct json_node *object, const char *key);
/* `missing` when there is none or it is no integer. */
int64_t json_get_integer(const struct json_node *object, const char *key, int64_t missing);

#endif
