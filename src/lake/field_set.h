/* SPDX-License-Identifier: Apache-2.0 */
/* field_set.h - which event types are kept, and which nested fields become columns: events.yaml.
 *
 * Two forms load. Ours:
 *
 *     version: 2
 *     types: all                       # or [WatchEvent, PushEvent]
 *     fields:
 *       PullRequestEvent:
 *         - payload.pull_request.state
 *         - {path: payload.pull_request.id, type: integer}   # boolean integer number string timestamp
 *     bots: [renovate-bot]             # logins counted as bots besides those ending in [bot]
 *
 * and the first system's (filtered_events.yaml): a mapping of event type to {fields: [...]}, which
 * restricts the types to those named. Paths that are common columns (event.h) name no new column. A
 * path listed for several types is one column. The type of a path without one comes from a table of
 * well-known GitHub fields, else string (objects and arrays as their JSON text). A path with two
 * types is an error with file and line. */
#ifndef LAKE_FIELD_SET_H
#define LAKE_FIELD_SET_H

#include "base/err.h"
#include "lake/event.h"

enum { FIELD_COUNT_MAX = 200, FIELD_PATH_BYTES_MAX = 200, FIELD_DEPTH_MAX = 16, FIELD_BOT_COUNT_MAX = 1000 };

struct field {
	const char *path;      /* "payload.pull_request.state": also its column's name */
	enum value_type type;
	/* Event types that the field is listed for. */
	const char *const *event_types;
	size_t event_type_count;
};

struct field_set {
	bool all_types;
	const char *const *types; /* when not all */
	size_t type_count;
	const struct field *fields; /* sorted by path: the order of silver's columns */
	size_t field_count;
	const char *const *bots;
	size_t bot_count;
	/* 16 hexadecimal digits over the columns' names and types (common and configured): silver files
	 * and gold with the same fingerprint have the same columns. Types kept and bots do not count. */
	char fingerprint[17];
	struct arena arena;
};

/* Parses `text`; `name` is for messages. ERR_INPUT "NAME:LINE:COLUMN: …". Heap. */
MUST_CHECK bool field_set_create(struct span text, const char *name, struct field_set **fields_out, struct err *err);
/* The embedded config/events.yaml. */
MUST_CHECK bool field_set_create_default(struct field_set **fields_out, struct err *err);
void field_set_destroy(struct field_set **fields);

/* Replaces the kept types: "all" or a comma-separated list. Names must be plain type names; an
 * unknown one is fine (future types). ERR_INPUT. */
MUST_CHECK bool field_set_restrict(struct field_set *fields, struct span types, struct err *err);

bool field_set_accepts(const struct field_set *fields, struct span type);
bool field_set_is_bot(const struct field_set *fields, struct span login);
/* True when `field` is listed for `type`. */
bool field_is_for(const struct field *field, struct span type);

#endif
