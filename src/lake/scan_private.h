/* SPDX-License-Identifier: Apache-2.0 */
/* scan_private.h - the parts of the scanner, for scan_*.c (and canonical_text.c) only.
 *
 *   scan_token.c  bytes to tokens: all validation and all skipping of JSON is there, once
 *   scan_plan.c   the paths that are wanted, as a trie of keys
 *   scan_walk.c   one pass over the JSON beside the trie: fills one slot a node
 *   scan_value.c  slots to values: strings, integers, configured fields
 *   scan_event.c  slots to struct event: the eras become one set of columns
 *   scan_array.c  pages: finds the elements, looks at brackets and quotes only */
#ifndef LAKE_SCAN_PRIVATE_H
#define LAKE_SCAN_PRIVATE_H

#include "lake/scan.h"

/* ---- tokens (scan_token.c) ---- */

enum scan_kind {
	SCAN_KIND_ABSENT = 0,
	SCAN_KIND_NULL,
	SCAN_KIND_FALSE,
	SCAN_KIND_TRUE,
	SCAN_KIND_INTEGER, /* a number without fraction and exponent */
	SCAN_KIND_REAL,    /* any other number */
	SCAN_KIND_STRING,
	SCAN_KIND_OBJECT,
	SCAN_KIND_ARRAY,
};

/* A validated value where it stands: its bytes, of a string those between the quotes. */
struct scan_slot {
	const char *data;
	uint32_t size;
	uint8_t kind; /* enum scan_kind */
	bool escaped; /* a string with a backslash in it */
};

/* Reads forward over one JSON text that is UTF-8. `at` never passes `end`. */
struct scan_cursor {
	const char *begin;
	const char *at;
	const char *end;
	unsigned depth; /* open objects and arrays */
	struct scan_problem *problem;
};

/* Fills cursor->problem with `at` and the words; returns false. */
bool scan_fail(struct scan_cursor *cursor, enum scan_reason reason, const char *at,
	const char *format, ...) PRINTF_LIKE(4, 5);
void scan_skip_blanks(struct scan_cursor *cursor);
/* The value at the cursor, blanks before it included, validated to its end. */
MUST_CHECK bool scan_take_value(struct scan_cursor *cursor, struct scan_slot *slot_out);
/* `"key" :` with the blanks around, up to the value. */
MUST_CHECK bool scan_take_key(struct scan_cursor *cursor, struct scan_slot *key_out);
/* Enters the object or array whose opening bracket is at the cursor, up to its first element;
 * *empty_out true when there is none and the closing bracket was passed too. */
MUST_CHECK bool scan_enter(struct scan_cursor *cursor, bool *empty_out);
/* Behind an element: passes the comma, or (*closed_out true) the bracket `closing`. */
MUST_CHECK bool scan_take_separator(struct scan_cursor *cursor, char closing, bool *closed_out);

/* Decodes the escapes of a validated string into `out`, which has room for `size` bytes (decoded
 * text is never longer). Returns the decoded size. */
size_t scan_decode_string(const char *data, size_t size, char *out);

/* ---- plan (scan_plan.c) ---- */

/* The paths behind the common columns, always in the trie. */
enum scan_path {
	SCAN_PATH_ID,
	SCAN_PATH_TYPE,
	SCAN_PATH_CREATED_AT,
	SCAN_PATH_ACTOR,
	SCAN_PATH_ACTOR_ID,
	SCAN_PATH_ACTOR_LOGIN,
	SCAN_PATH_REPO,
	SCAN_PATH_REPO_ID,
	SCAN_PATH_REPO_NAME,
	SCAN_PATH_ORG,
	SCAN_PATH_ORG_LOGIN,
	SCAN_PATH_ACTION,
	SCAN_PATH_NUMBER,
	SCAN_PATH_PULL_REQUEST_NUMBER,
	SCAN_PATH_ISSUE_NUMBER,
	SCAN_PATH_DISCUSSION_NUMBER,
	SCAN_PATH_REF_TYPE,
	SCAN_PATH_PULL_REQUEST_MERGED,
	SCAN_PATH_PULL_REQUEST_STATE,
	SCAN_PATH_COMMITS,
	/* Timeline era */
	SCAN_PATH_REPOSITORY,
	SCAN_PATH_REPOSITORY_ID,
	SCAN_PATH_REPOSITORY_OWNER,
	SCAN_PATH_REPOSITORY_NAME,
	SCAN_PATH_REPOSITORY_ORGANIZATION,
	SCAN_PATH_ACTOR_ATTRIBUTES_LOGIN,
	SCAN_PATH_OBJECT, /* 2011's name of ref_type */
	SCAN_PATH_URL,
	SCAN_PATH_COUNT,
};

enum { SCAN_NODE_COUNT_MAX = 1 + 4 * SCAN_PATH_COUNT + FIELD_COUNT_MAX * FIELD_DEPTH_MAX };

/* The trie is one array in preorder: a node's subtree is the nodes up to `end`, its first child the
 * node behind it, the next sibling the node at `end`. Siblings stand in order of key size, then
 * bytes.
 *
 *     0 (root)                      end 8       {"id": …,
 *     1   id                        end 2        "actor": {"id": …,
 *     2   actor                     end 5                  "login": …},
 *     3     id                      end 4        "payload": {"action": …,
 *     4     login                   end 5                    …},
 *     5   payload                   end 7        … }
 *     6     action                  end 7
 *     7   created_at                end 8
 *
 * Each node has the slot of the same index during a scan. A subtree's slots lie side by side, so
 * that a second value for the same key forgets the first one, however deep, by one memset. */
struct scan_node {
	const char *key; /* NUL-terminated */
	uint16_t key_size;
	uint16_t end;
	/* Bit (size % 64) is set for the size of each child's key: most keys end here. */
	uint64_t child_sizes;
};

/* The fields that one event type has. */
struct scan_type_fields {
	const char *type;
	const uint16_t *field_indexes;
	size_t field_count;
};

struct scan_plan {
	const struct field_set *fields;
	const struct scan_node *nodes;
	size_t node_count;
	uint16_t path_nodes[SCAN_PATH_COUNT];
	const uint16_t *field_nodes;     /* by field index */
	const struct value *null_values; /* by field index */
	const struct scan_type_fields *types;
	size_t type_count;
	struct arena arena;
};

/* The child of `parent` that an object's key names, decoded when it has escapes; 0 when none. */
size_t scan_find_child(const struct scan_plan *plan, size_t parent, const struct scan_slot *key);

/* ---- walk (scan_walk.c) ---- */

/* Passes over the whole of `json`, which must be one object, and fills `slots`, one for each node
 * of the plan; the last of duplicate keys wins. */
MUST_CHECK bool scan_walk(const struct scan_plan *plan, struct span json, struct scan_slot *slots,
	struct scan_problem *problem_out);

/* ---- values (scan_value.c) ---- */

/* The text of a string slot: points into the JSON, or into the arena when it has escapes. False
 * when the arena is full. */
MUST_CHECK bool scan_read_string(
	const struct scan_slot *slot, struct arena *arena, struct span *text_out);
/* False when it is no integer of 64 bits. */
MUST_CHECK bool scan_read_integer(const struct scan_slot *slot, int64_t *value_out);
/* The configured fields of an event of `type` (all the others NULL), in arena memory. False when
 * the arena is full. */
MUST_CHECK bool scan_read_fields(const struct scan_plan *plan, const struct scan_slot *slots,
	struct span type, struct arena *arena, const struct value **fields_out);

#endif
