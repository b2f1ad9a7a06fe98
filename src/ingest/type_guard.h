/* SPDX-License-Identifier: Apache-2.0 */
/* type_guard.h - at most EVENT_TYPE_COUNT_MAX event types get a folder of their own; later ones
 * share "_other". A feed that makes up type names cannot fill the disk with folders.
 *
 * Known from the start: the types of today and those that bronze has. A type once known stays so. */
#ifndef INGEST_TYPE_GUARD_H
#define INGEST_TYPE_GUARD_H

#include "lake/event.h"
#include "lake/layout.h"

struct type_guard {
	char names[EVENT_TYPE_COUNT_MAX][EVENT_TYPE_BYTES_MAX + 1];
	size_t count;
};

/* ERR_LOCAL when the bronze folder cannot be listed. */
MUST_CHECK bool type_guard_init(struct type_guard *guard, const struct layout *layout, struct err *err);

/* The type under which an event of `type` is stored: itself, or "_other". */
struct span type_guard_route(struct type_guard *guard, struct span type);

#endif
