/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - the identities of recent events, so that a page that is shown again is not stored again.
 * An optimisation only: gold's dedupe is authoritative. Bounded: the oldest identity is forgotten
 * first. Entries are whole identities (the type as a hash), so a collision cannot lose an event; the
 * repository belongs to it, so that a key that was reused elsewhere reaches gold's quarantine. */
#ifndef INGEST_SEEN_H
#define INGEST_SEEN_H

#include "lake/event.h"

struct seen_key {
	int64_t id;
	int64_t created_at_us;
	int64_t repo_id;
	uint64_t type_hash;
};

struct seen;
struct seen *seen_create(size_t count_max);
void seen_destroy(struct seen **seen);
/* True when the key was not there before. */
bool seen_add(struct seen *seen, struct seen_key key);

struct seen_key seen_key_of_event(const struct event *event);
/* For bytes that have no identity: broken elements and pages. */
struct seen_key seen_key_of_bytes(struct span bytes);

#endif
