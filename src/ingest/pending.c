/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/pending.h"

#include "base/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_BYTES_MAX = 512 * 1024 * 1024 };

struct pending {
	const struct layout *layout;
	struct catalog *catalog;
	const struct clock *clock;
	const char *source;
	struct bronze_writer *writer;
	struct arena arena;
	struct pending_counts counts;
	struct quarantined *quarantined;
	size_t quarantined_count;
	struct sweep *sweeps;
	size_t sweep_count;
	struct cursor *cursors;
	size_t cursor_count;
	int64_t since_ms;
	int64_t received_at_us;
	/* Given at the first try and kept: a store that is tried again writes over the files that the try
	 * before it had published already, instead of leaving them as a batch of their own. */
	int64_t batch_reserved;
	/* Set once the files of a store are durable, so that a failed transaction is repeated alone. */
	int64_t batch_published;
	struct arena files_arena; /* of one try */
	const struct bronze_file *files;
	size_t file_count;
};

struct pending *pending_create(const struct layout *layout, struct catalog *catalog, const struct clock *clock,
			       const char *source)
{
	struct pending *pending = memory_allocate(1, sizeof(*pending));
	pending->layout = layout;
	pending->catalog = catalog;
	pending->clock = clock;
	pending->source = source;
	pending->writer = bronze_writer_create(layout);
	arena_init(&pending->arena, MEMORY_BYTES_MAX);
	arena_init(&pending->files_arena, MEMORY_BYTES_MAX);
	return pending;
}

void pending_destroy(struct pending **pending)
{
	if (!*pending)
		return;
	bronze_writer_destroy(&(*pending)->writer);
	arena_finish(&(*pending)->arena);
	arena_finish(&(*pending)->files_arena);
	free((*pending)->quarantined);
	free((*pending)->sweeps);
	free((*pending)->cursors);
	free(*pending);
	*pending = NULL;
}

static void mark_received(struct pending *pending)
{
	if (pending->since_ms == 0) {
		pending->since_ms = clock_monotonic_ms(pending->clock);
		pending->received_at_us = clock_wall_us(pending->clock);
	}
}

bool pending_add_event(struct pending *pending, const struct event *event, struct span json, struct err *err)
{
	assert(pending->batch_published == 0);
	if (!bronze_writer_add(pending->writer, event, json, err))
		return false;
	mark_received(pending);
	pending->counts.received++;
	pending->counts.stored++;
	return true;
}

void pending_count_duplicate(struct pending *pending)
{
	mark_received(pending);
	pending->counts.received++;
	pending->counts.duplicates++;
}

void pending_count_filtered(struct pending *pending)
{
	mark_received(pending);
	pending->counts.received++;
	pending->counts.filtered++;
}

/* Room for one more record behind `count` of them. */
static void *grow(void *records, size_t count, size_t record_size)
{
	bool is_power_of_two = (count & (count - 1)) == 0;
	return is_power_of_two ? memory_resize(records, (count ? count * 2 : 1) * record_size) : records;
}

void pending_add_quarantined(struct pending *pending, const char *reason, const char *detail, const char *stream,
			     int64_t offset, struct span raw, bool counted)
{
	mark_received(pending);
	pending->quarantined =
		grow(pending->quarantined, pending->quarantined_count, sizeof(*pending->quarantined));
	pending->quarantined[pending->quarantined_count++] = (struct quarantined){
		.stage = "ingest",
		.reason = reason,
		.detail = arena_copy_text(&pending->arena, span_of(detail)),
		.path = arena_copy_text(&pending->arena, span_of(stream)),
		.offset = offset,
		.raw = arena_copy(&pending->arena, raw),
	};
	if (counted) {
		pending->counts.received++;
		pending->counts.quarantined++;
	}
}

void pending_add_sweep(struct pending *pending, const struct sweep *sweep, const struct cursor *cursor)
{
	mark_received(pending);
	pending->sweeps = grow(pending->sweeps, pending->sweep_count, sizeof(*pending->sweeps));
	pending->sweeps[pending->sweep_count++] = *sweep;
	if (!cursor)
		return;
	pending->cursors = grow(pending->cursors, pending->cursor_count, sizeof(*pending->cursors));
	pending->cursors[pending->cursor_count++] = *cursor;
}

bool pending_is_empty(const struct pending *pending)
{
	return pending->since_ms == 0;
}

int64_t pending_events(const struct pending *pending)
{
	return bronze_writer_events(pending->writer);
}

int64_t pending_bytes(const struct pending *pending)
{
	return bronze_writer_bytes(pending->writer) + (int64_t)pending->arena.size;
}

int64_t pending_since_ms(const struct pending *pending)
{
	return pending->since_ms;
}

static void forget(struct pending *pending)
{
	arena_reset(&pending->arena);
	arena_reset(&pending->files_arena);
	pending->counts = (struct pending_counts){0};
	pending->quarantined_count = 0;
	pending->sweep_count = 0;
	pending->cursor_count = 0;
	pending->since_ms = 0;
	pending->batch_reserved = 0;
	pending->batch_published = 0;
	pending->files = NULL;
	pending->file_count = 0;
}

static bool publish(struct pending *pending, struct err *err)
{
	if (pending->batch_published != 0 || pending->counts.received == 0)
		return true;
	if (pending->batch_reserved == 0 && !catalog_next_batch(pending->catalog, &pending->batch_reserved, err))
		return false;
	arena_reset(&pending->files_arena);
	if (bronze_writer_events(pending->writer) > 0
	    && !bronze_writer_publish(pending->writer, pending->batch_reserved, pending->received_at_us,
				      pending->source, &pending->files_arena, &pending->files,
				      &pending->file_count, err))
		return err_wrap(err, "store batch %lld", (long long)pending->batch_reserved);
	pending->batch_published = pending->batch_reserved;
	return true;
}

bool pending_store(struct pending *pending, int64_t *batch_out, struct pending_counts *counts_out, struct err *err)
{
	if (!publish(pending, err))
		return false;
	const struct pending_counts *counts = &pending->counts;
	struct batch batch = {
		.seq = pending->batch_published,
		.state = pending->file_count > 0 ? BATCH_BRONZE : BATCH_GOLD,
		.received_at_us = pending->received_at_us,
		.received = counts->received,
		.duplicates = counts->duplicates,
		.filtered = counts->filtered,
		.quarantined = counts->quarantined,
		.bronze_rows = counts->stored,
	};
	(void)snprintf(batch.source, sizeof(batch.source), "%s", pending->source);
	assert(counts->received == counts->duplicates + counts->filtered + counts->quarantined + counts->stored);
	for (size_t i = 0; i < pending->quarantined_count; i++)
		pending->quarantined[i].batch = batch.seq;
	for (size_t i = 0; i < pending->sweep_count; i++)
		pending->sweeps[i].batch = batch.seq;
	struct batch_write write = {
		.batch = batch.seq != 0 ? &batch : NULL,
		.files = pending->files,
		.file_count = pending->file_count,
		.cursors = pending->cursors,
		.cursor_count = pending->cursor_count,
		.sweeps = pending->sweeps,
		.sweep_count = pending->sweep_count,
		.quarantined = pending->quarantined,
		.quarantined_count = pending->quarantined_count,
	};
	if (!catalog_store_batch(pending->catalog, &write, err))
		return err_wrap(err, "store batch %lld", (long long)batch.seq);
	*batch_out = batch.seq;
	*counts_out = *counts;
	forget(pending);
	return true;
}
