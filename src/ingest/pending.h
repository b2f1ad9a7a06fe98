/* SPDX-License-Identifier: Apache-2.0 */
/* pending.h - what was received and is not durable yet: one batch in the making.
 *
 * pending_store is the point of no return: bronze files fsynced and renamed, then one catalog
 * transaction that names them and moves the cursors. It can be repeated after a failure; the files
 * are then written over. */
#ifndef INGEST_PENDING_H
#define INGEST_PENDING_H

#include "ingest/ingest.h"

struct pending;

struct pending_counts {
	int64_t received;
	int64_t duplicates;
	int64_t filtered;
	int64_t quarantined;
	int64_t stored;
};

/* Borrows all. `source` is that of its batches ("api"). */
struct pending *pending_create(const struct layout *layout, struct catalog *catalog, const struct clock *clock,
			       const char *source);
void pending_destroy(struct pending **pending);

/* An accepted event. ERR_INPUT when the batch is full: store it, then add again. */
MUST_CHECK bool pending_add_event(struct pending *pending, const struct event *event, struct span json,
				  struct err *err);
/* An event that is only counted. */
void pending_count_duplicate(struct pending *pending);
void pending_count_filtered(struct pending *pending);
/* Bytes set aside. `counted` when they stand for one received event (a broken element), not when
 * they are a broken page. */
void pending_add_quarantined(struct pending *pending, const char *reason, const char *detail, const char *stream,
			     int64_t offset, struct span raw, bool counted);
/* The end of a sweep: its record and, when it may move, its cursor (NULL: stays). Copied. */
void pending_add_sweep(struct pending *pending, const struct sweep *sweep, const struct cursor *cursor);

bool pending_is_empty(const struct pending *pending);
/* Events and bytes that wait, and since when (monotonic ms; 0: nothing waits). */
int64_t pending_events(const struct pending *pending);
int64_t pending_bytes(const struct pending *pending);
int64_t pending_since_ms(const struct pending *pending);

/* Stores everything; afterwards empty. *batch_out is 0 when there was nothing but ledger entries.
 * counts_out are those of the batch. ERR_LOCAL: nothing is forgotten, call it again. */
MUST_CHECK bool pending_store(struct pending *pending, int64_t *batch_out, struct pending_counts *counts_out,
			      struct err *err);

#endif
