/* SPDX-License-Identifier: Apache-2.0 */
/* key_set.h - identities of events, compared exactly: a hash alone would lose an event some day.
 * 32 bytes an identity, twice that in the worst moment and never less than half free. */
#ifndef LAKE_KEY_SET_H
#define LAKE_KEY_SET_H

#include "base/arena.h"
#include "lake/bronze.h"

struct key_entry;

struct key_set {
	struct key_entry *entries; /* capacity is a power of two; type 0: free */
	size_t capacity;
	size_t count;
	size_t count_max;
	struct arena names; /* of event types */
	struct span types[BRONZE_BATCH_FILES_MAX];
	size_t type_count;
	size_t type_last; /* files are routed by type: mostly the next event's type too */
};

enum key_verdict {
	KEY_NEW,
	KEY_DUPLICATE, /* was there, of the same repository or of one that is not known (repo_id 0) */
	KEY_CONFLICT,  /* was there, of another repository */
	KEY_FULL,      /* it is not there and cannot be kept: count_max, or more types than a batch has files */
};

/* At most `count_max` identities. */
void key_set_init(struct key_set *set, size_t count_max);
void key_set_finish(struct key_set *set);
/* Forgets all, and has room for about `count` (at most 2^20 at once) without growing. */
void key_set_clear(struct key_set *set, size_t count);
enum key_verdict key_set_add(struct key_set *set, const struct event *event);
/* Has the memory that key_set_add will look at brought near; for sets beyond the caches. */
void key_set_prefetch(const struct key_set *set, const struct event *event);

#endif
