/* SPDX-License-Identifier: Apache-2.0 */
/* scan_private.h - the parts of the scanner, for scan_*.c (and canonical_text.c) only.
 *
 *   scan_token.c  bytes to tokens: validation and skipping of JSON, with words about what is wrong
 *   scan_plan.c   the paths that are wanted, as a trie of keys
 *   scan_walk.c   one pass over the JSON beside the trie: fills one slot a node
 *   scan_block.c  the same 64 bytes at a time: much faster, but knows only "yes" and "not sure"
 *   scan_mask.c   64 bytes to masks: the processor's own instructions are there, and only there
 *   scan_variant.c  which of them this processor has
 *   scan_value.c  slots to values: strings, integers, configured fields
 *   scan_event.c  slots to struct event: the eras become one set of columns
 *   scan_array.c  pages: finds the elements, looks at brackets and quotes only */
#ifndef LAKE_SCAN_PRIVATE_H
#define LAKE_SCAN_PRIVATE_H

#include "lake/scan.h"

#include <string.h>

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

/* Passes the escape whose backslash is at the cursor. */
MUST_CHECK bool scan_skip_escape(struct scan_cursor *cursor);

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

enum { SCAN_SIZE_COUNT = 24 };

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
	/* The first child with a key of that many bytes, or of more in the last place; 0 when none. */
	uint16_t first_of_size[SCAN_SIZE_COUNT];
};

/* How the bytes are looked at: results are the same, only the speed differs. */
enum scan_variant {
	SCAN_PORTABLE, /* token by token: everywhere */
	SCAN_SSE2,     /* 64 bytes at a time, by masks: every x86-64 */
	SCAN_AVX2,
	SCAN_VARIANT_COUNT,
};
const char *scan_variant_name(enum scan_variant variant); /* "portable", "sse2", "avx2" */
/* The fastest one that this processor has. */
enum scan_variant scan_variant_best(void);

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
	enum scan_variant variant; /* scan_variant_best() */
	struct arena arena;
};

/* For tests and measurements, before the plan is used: another variant. False (and nothing changed)
 * where this processor has not got it. */
MUST_CHECK bool scan_plan_set_variant(struct scan_plan *plan, enum scan_variant variant);

/* The place of a key in first_of_size. */
static inline size_t scan_place_of_size(size_t key_size)
{
	return key_size < SCAN_SIZE_COUNT ? key_size : SCAN_SIZE_COUNT - 1;
}

static inline uint64_t scan_load(const char *at, size_t size)
{
	uint64_t word = 0;
	memcpy(&word, at, size);
	return word;
}

/* Of the same size. A call of memcmp would cost more than the comparison: the first and the last bytes,
 * which may overlap, are loaded at once. */
static inline bool scan_same_bytes(const char *a, const char *b, size_t size)
{
	if (size > 16)
		return memcmp(a, b, size) == 0;
	size_t half = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : size;
	const char *a_last = a + size - half;
	const char *b_last = b + size - half;
	switch (half) {
	case 8:
		return scan_load(a, 8) == scan_load(b, 8) && scan_load(a_last, 8) == scan_load(b_last, 8);
	case 4:
		return scan_load(a, 4) == scan_load(b, 4) && scan_load(a_last, 4) == scan_load(b_last, 4);
	case 2:
		return scan_load(a, 2) == scan_load(b, 2) && scan_load(a_last, 2) == scan_load(b_last, 2);
	default:
		return size == 0 || *a == *b;
	}
}

/* The child of `parent` that an object's key names; 0 when none. */
static inline size_t scan_find_child(
	const struct scan_plan *plan, size_t parent, const char *key, size_t key_size)
{
	const struct scan_node *nodes = plan->nodes;
	size_t child = nodes[parent].first_of_size[scan_place_of_size(key_size)];
	if (child == 0)
		return 0; /* most keys end here */
	for (; child < nodes[parent].end && nodes[child].key_size <= key_size; child = nodes[child].end)
		if (nodes[child].key_size == key_size && scan_same_bytes(nodes[child].key, key, key_size))
			return child;
	return 0;
}
/* The same for a key with escapes. */
size_t scan_find_escaped_child(
	const struct scan_plan *plan, size_t parent, const char *key, size_t key_size);

/* ---- walk (scan_walk.c) ---- */

/* Passes over the whole of `json`, which must be one object, and fills `slots`, one for each node
 * of the plan; the last of duplicate keys wins. */
MUST_CHECK bool scan_walk(const struct scan_plan *plan, struct span json, struct scan_slot *slots,
	struct scan_problem *problem_out);

/* ---- the same by blocks (scan_block.c, scan_mask.c) ---- */

/* Of 64 bytes, in the order of the bytes from bit 0: those that are … */
struct scan_masks {
	uint64_t quote;
	uint64_t in_string; /* between quotes, if none is escaped and the first one opens */
	uint64_t backslash;
	uint64_t open;  /* { or [ */
	uint64_t close; /* } or ] */
	uint64_t colon;
	uint64_t comma;
};

/* Bit n becomes the xor of the bits 0 … n: an opening quote and all up to its closing quote. */
static inline uint64_t scan_xor_of_prefix(uint64_t mask)
{
	mask ^= mask << 1;
	mask ^= mask << 2;
	mask ^= mask << 4;
	mask ^= mask << 8;
	mask ^= mask << 16;
	return mask ^ mask << 32;
}

/* Fills a set of masks for each 64 bytes; sets *not_ascii when there is a byte beyond 0x7f. False (masks
 * undefined) when there is a control character. */
typedef bool (*scan_mask_function)(
	const char *bytes, size_t block_count, struct scan_masks *masks_out, bool *not_ascii);
scan_mask_function scan_mask_of(enum scan_variant variant); /* NULL for SCAN_PORTABLE */

/* As scan_walk with zeroed slots, but "no" may also mean "not sure": then the slots hold
 * anything. Always "no" when there are blanks between tokens. */
MUST_CHECK bool scan_walk_blocks(const struct scan_plan *plan, struct span json, struct scan_slot *slots,
	scan_mask_function mask);

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
