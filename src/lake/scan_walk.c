/* SPDX-License-Identifier: Apache-2.0 */
/* scan_walk.c - one pass over an event, beside the trie: objects that have wanted keys are entered,
 * everything else is passed over (and validated) as one value. Recursion is as deep as the trie. */
#include "lake/scan_private.h"

#include <string.h>

struct walk {
	const struct scan_plan *plan;
	struct scan_cursor cursor;
	struct scan_slot *slots;
};

static bool walk_object(struct walk *walk, size_t node);

static bool walk_value(struct walk *walk, size_t node)
{
	struct scan_cursor *cursor = &walk->cursor;
	struct scan_slot *slot = &walk->slots[node];
	size_t end = walk->plan->nodes[node].end;
	if (slot->kind != SCAN_KIND_ABSENT)
		memset(slot, 0, (end - node) * sizeof(*slot));
	bool has_children = end > node + 1;
	if (!has_children || cursor->at == cursor->end || *cursor->at != '{')
		return scan_take_value(cursor, slot);
	const char *start = cursor->at;
	if (!walk_object(walk, node))
		return false;
	*slot = (struct scan_slot){start, (uint32_t)(cursor->at - start), SCAN_KIND_OBJECT, false};
	return true;
}

static bool walk_object(struct walk *walk, size_t node)
{
	struct scan_cursor *cursor = &walk->cursor;
	bool closed;
	if (!scan_enter(cursor, &closed))
		return false;
	while (!closed) {
		struct scan_slot key;
		if (!scan_take_key(cursor, &key))
			return false;
		struct scan_slot skipped;
		size_t child = key.escaped
				       ? scan_find_escaped_child(walk->plan, node, key.data, key.size)
				       : scan_find_child(walk->plan, node, key.data, key.size);
		if (!(child ? walk_value(walk, child) : scan_take_value(cursor, &skipped))
			|| !scan_take_separator(cursor, '}', &closed))
			return false;
	}
	return true;
}

/* The offset of the first byte that does not belong to well-formed UTF-8. */
static size_t find_bad_utf8(struct span json)
{
	size_t at = 0;
	while (at < json.size) {
		size_t size = 1;
		while (size <= 4 && size <= json.size - at
			&& !span_is_utf8(span_make(json.data + at, size)))
			size++;
		if (size > 4 || size > json.size - at)
			break;
		at += size;
	}
	return at;
}

bool scan_walk(const struct scan_plan *plan, struct span json, struct scan_slot *slots,
	struct scan_problem *problem_out)
{
	if (!json.data)
		json = span_of("");
	struct walk walk = {
		plan, {json.data, json.data, json.data + json.size, 0, problem_out}, slots};
	struct scan_cursor *cursor = &walk.cursor;
	memset(slots, 0, plan->node_count * sizeof(*slots));
	if (json.size > SCAN_EVENT_BYTES_MAX)
		return scan_fail(cursor, SCAN_TOO_LARGE, json.data, "%zu bytes, at most %d",
			json.size, SCAN_EVENT_BYTES_MAX);
	scan_mask_function mask = scan_mask_of(plan->variant);
	if (mask) {
		if (scan_walk_blocks(plan, json, slots, mask))
			return true;
		memset(slots, 0, plan->node_count * sizeof(*slots));
	}
	if (!span_is_utf8(json))
		return scan_fail(cursor, SCAN_INVALID_UTF8, json.data + find_bad_utf8(json),
			"bytes that are not UTF-8");
	scan_skip_blanks(cursor);
	const char *start = cursor->at;
	bool is_object = start < cursor->end && *start == '{';
	if (!(is_object ? walk_object(&walk, 0) : scan_take_value(cursor, &slots[0])))
		return false;
	scan_skip_blanks(cursor);
	if (cursor->at < cursor->end)
		return scan_fail(
			cursor, SCAN_INVALID_JSON, cursor->at, "more bytes behind the event");
	return is_object
	       || scan_fail(cursor, SCAN_NOT_AN_OBJECT, start, "an event must be an object");
}
