/* SPDX-License-Identifier: Apache-2.0 */
/* key_set.h - the identities that one batch has brought so far, compared exactly: a hash alone would
 * lose an event some day. Grows with the batch, which bronze bounds (BRONZE_BATCH_BYTES_MAX). */
#ifndef SILVER_KEY_SET_H
#define SILVER_KEY_SET_H

#include "base/arena.h"
#include "lake/bronze.h"

struct key_entry;

struct key_set {
	struct key_entry *entries; /* capacity is a power of two; type 0: free */
	size_t capacity;
	size_t count;
	struct arena names; /* of event types */
	struct span types[BRONZE_BATCH_FILES_MAX];
	size_t type_count;
	size_t type_last; /* files are routed by type: mostly the next event's type too */
};

enum key_verdict {
	KEY_NEW,
	KEY_DUPLICATE, /* was there, of the same repository */
	KEY_CONFLICT,  /* was there, of another repository */
	KEY_FULL,      /* more event types than a batch has files */
};

void key_set_init(struct key_set *set);
void key_set_finish(struct key_set *set);
enum key_verdict key_set_add(struct key_set *set, const struct event *event);

#endif
