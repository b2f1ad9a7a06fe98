/* SPDX-License-Identifier: Apache-2.0 */
/* scan.h - the JSON scanner: picks an event's columns out of its JSON in one pass and validates
 * what it skips.
 *
 * The fields of a field_set are compiled into a plan (one trie of keys: the type that decides which
 * fields an event has may stand last). Any key order works, escaped keys are decoded, the last of
 * duplicate keys wins. Validation: brackets matched by kind, strings closed, no raw control characters
 * in them, UTF-8 everywhere, escapes well formed (a lone surrogate is refused), numbers and literals
 * well formed, depth at most 64. A full JSON parser is the oracle in tests: what it accepts we accept
 * with equal values, what it refuses we refuse (decision 0005). Inputs are untrusted; no call reads
 * outside its span. */
#ifndef LAKE_SCAN_H
#define LAKE_SCAN_H

#include "base/buf.h"
#include "lake/field_set.h"

enum { SCAN_DEPTH_MAX = 64, SCAN_EVENT_BYTES_MAX = 16 * 1024 * 1024 };

/* Why bytes were set aside: the word in the quarantine. */
enum scan_reason {
	SCAN_OK,
	SCAN_INVALID_JSON,
	SCAN_INVALID_UTF8,
	SCAN_TOO_DEEP,
	SCAN_TOO_LARGE,
	SCAN_NOT_AN_OBJECT,
	SCAN_ID_MISSING,         /* since 2015; or not an integer, or a string of digits, of 63 bits */
	SCAN_TYPE_MISSING,       /* or not a string */
	SCAN_CREATED_AT_MISSING, /* or not a time */
	SCAN_BAD_VALUE,          /* a common column with the wrong kind of value: a number as login */
};
const char *scan_reason_name(enum scan_reason reason); /* "invalid-json", "invalid-utf8", … */

struct scan_problem {
	enum scan_reason reason;
	size_t offset;      /* of the byte where it showed */
	char detail[160];   /* in words, printable */
};

struct scan_plan;
/* Compiles the plan. `fields` is borrowed and must outlive it. Immutable afterwards: any thread. */
struct scan_plan *scan_plan_create(const struct field_set *fields);
void scan_plan_destroy(struct scan_plan **plan);

/* Scans one event. Spans of event_out point into `json` or `arena`, event_out->fields into `arena` or
 * the plan. Takes at most 3 × json.size bytes and one struct value a field from the arena; where it has
 * no room for them the answer is SCAN_TOO_LARGE (and arena->failed says that it is not the event's
 * fault). An event from before 2015 without an id gets one, for which derived_id.h takes memory of its own.
 * False: *problem_out says why and event_out is untouched. A configured field whose value has
 * another kind than its type is NULL (strings keep any scalar as its text); null, absent or
 * empty-object actor, repo, org are absent. */
MUST_CHECK bool scan_event(const struct scan_plan *plan, struct span json, struct arena *arena,
			   struct event *event_out, struct scan_problem *problem_out);

/* Walks the elements of a JSON array: a page of the Events API. */
struct scan_array {
	struct span body;
	size_t at;
	bool begun;
	bool ended;
};
void scan_array_init(struct scan_array *array, struct span body);
/* The next element (its exact bytes, blanks trimmed) in *element_out, *end_out true after the last.
 * An element is found by its brackets and quotes alone, so one with bad UTF-8 or bad literals inside
 * is still delivered (scan_event then says what is wrong with it). False when the array itself is
 * broken: not an array, cut, bytes between elements; *problem_out says where. */
MUST_CHECK bool scan_array_next(struct scan_array *array, struct span *element_out, bool *end_out,
				struct scan_problem *problem_out);

/* Writes `json` as one line: line feeds and carriage returns (legal only between tokens) become
 * spaces; all other bytes stay as received. */
void scan_append_line(struct buf *out, struct span json);

#endif
