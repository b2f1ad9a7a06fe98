/* SPDX-License-Identifier: Apache-2.0 */
/* archive_rows.c - lines of imported hours to rows. */
#include "silver/archive_rows.h"

#include "base/memory.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESSED_EVENT_BYTES = 500, SCRATCH_BYTES_MAX = 3 * SCAN_EVENT_BYTES_MAX, KEPT_BYTES_MAX = 256 * 1024 * 1024 };

static const int64_t DAY_US = INT64_C(86400) * 1000000;

void archive_rows_init(struct archive_rows *source, const struct silver *silver, const struct batch *batches,
			 const struct lake_file *files, size_t count)
{
	*source = (struct archive_rows){
		.silver = silver,
		.batches = batches,
		.files = files,
		.count = count,
		.now_us = clock_wall_us(clock_system()),
		.columns = silver_row_columns(silver->options.fields, 1),
		.column_count = silver_column_count(silver->options.fields),
		.results = memory_allocate(count, sizeof(*source->results)),
	};
	source->columns[source->column_count] = (struct duck_column){ARCHIVE_PARTITION_COLUMN, VALUE_INTEGER};
	key_set_init(&source->keys, SIZE_MAX); /* a file has a maximum */
	arena_init(&source->scratch, SCRATCH_BYTES_MAX);
	arena_init(&source->kept, KEPT_BYTES_MAX);
	buf_init(&source->set_aside, KEPT_BYTES_MAX);
	for (size_t i = 0; i < count; i++)
		source->results[i].batch = batches[i];
}

void archive_rows_finish(struct archive_rows *source)
{
	if (source->salvages)
		archive_salvage_finish(&source->salvage);
	archive_reader_close(&source->reader);
	key_set_finish(&source->keys);
	arena_finish(&source->scratch);
	arena_finish(&source->kept);
	buf_finish(&source->set_aside);
	free(source->columns);
	free(source->results);
	source->columns = NULL;
	source->results = NULL;
}

const struct quarantined *archive_rows_set_aside(const struct archive_rows *source, size_t *count_out)
{
	*count_out = source->set_aside.size / sizeof(struct quarantined);
	return (const struct quarantined *)(const void *)source->set_aside.data;
}

static struct batch *counts_of(struct archive_rows *source)
{
	return &source->results[source->index].batch;
}

static void note_entry(struct archive_rows *source, const char *reason, const char *detail, int64_t offset,
		       struct span raw)
{
	struct span start = {raw.data, raw.size < ARCHIVE_ASIDE_RAW_BYTES_MAX ? raw.size : ARCHIVE_ASIDE_RAW_BYTES_MAX};
	struct quarantined entry = {
		.batch = source->batches[source->index].seq,
		.stage = "silver",
		.reason = reason,
		.detail = arena_copy_text(&source->kept, span_of(detail)),
		.path = source->files[source->index].path.text,
		.offset = offset,
		.raw = arena_copy(&source->kept, start),
	};
	buf_append(&source->set_aside, &entry, sizeof(entry));
}

/* One record, or one damaged place, that becomes no row. */
static bool set_aside(struct archive_rows *source, const char *reason, const char *detail, int64_t offset,
		      struct span raw, struct err *err)
{
	counts_of(source)->silver_quarantined++;
	if (source->only) /* its entries are there already */
		return true;
	if (source->aside_count++ < ARCHIVE_ASIDE_MAX)
		note_entry(source, reason, detail, offset, raw);
	if (source->kept.failed || source->set_aside.failed)
		return err_set(err, ERR_LOCAL, "%s: too much of it is malformed",
			source->files[source->index].path.text);
	return true;
}

/* ---- files ---- */

static void leave_file(struct archive_rows *source)
{
	struct archive_silver *result = &source->results[source->index];
	struct batch *counts = &result->batch;
	if (source->aside_count > ARCHIVE_ASIDE_MAX) {
		note_entry(source, "more", arena_printf(&source->kept, "%zu more entries of this file are counted only",
			source->aside_count - ARCHIVE_ASIDE_MAX), 0, span_of(""));
	}
	counts->bronze_rows = counts->received - counts->filtered;
	if (source->row.time_min_us <= source->row.time_max_us) {
		result->time_min_us = source->row.time_min_us;
		result->time_max_us = source->row.time_max_us;
	}
	source->rows += counts->silver_rows;
	if (source->reader) {
		struct archive_totals totals;
		archive_reader_totals(source->reader, &totals);
		source->bytes += totals.bytes;
	}
	archive_reader_close(&source->reader);
	source->index++;
}

static bool open_file(struct archive_rows *source, struct err *err)
{
	struct file_path path;
	const struct archive_reader_options options = {.inflate_ahead = source->inflate_ahead};
	source->row = silver_row_start(source->silver, &source->batches[source->index]);
	source->aside_count = 0;
	*counts_of(source) = (struct batch){
		.seq = source->batches[source->index].seq,
		.received_at_us = source->batches[source->index].received_at_us,
	};
	/* Growing step by step would need half as much memory more, in the end. */
	key_set_clear(&source->keys, (size_t)(source->files[source->index].size_bytes / COMPRESSED_EVENT_BYTES));
	if (!layout_absolute(source->silver->options.layout, source->files[source->index].path.text, &path, err))
		return false;
	if (file_exists(path.text))
		return archive_reader_open(path.text, &options, &source->reader, err);
	counts_of(source)->received++;
	source->results[source->index].reason = "bronze-missing";
	if (!set_aside(source, "bronze-missing", "the file is gone", 0, span_of(""), err))
		return false;
	leave_file(source);
	return true;
}

/* ---- records ---- */

/* The partition of an event, made when it is new. */
static bool find_partition(struct archive_rows *source, const struct event *event, int64_t date_us,
			   struct err *err)
{
	for (size_t n = 0; n < source->partition_count; n++) {
		size_t i = (source->partition_last + n) % source->partition_count;
		struct archive_partition *partition = &source->partitions[i];
		if (partition->date_us == date_us && span_equal_text(event->type, partition->type)) {
			source->partition_last = i;
			return true;
		}
	}
	if (source->partition_count == ARCHIVE_PARTITIONS_MAX) {
		source->too_many_partitions = true;
		return err_set(err, ERR_INPUT, "events of more than %d types and days", ARCHIVE_PARTITIONS_MAX);
	}
	source->partition_last = source->partition_count++;
	struct archive_partition *partition = &source->partitions[source->partition_last];
	*partition = (struct archive_partition){
		.date_us = date_us, .time_min_us = INT64_MAX, .time_max_us = INT64_MIN};
	assert(event->type.size < sizeof(partition->type));
	memcpy(partition->type, event->type.data, event->type.size);
	return true;
}

static void count_partition(struct archive_partition *partition, const struct event *event)
{
	partition->rows++;
	if (event->created_at_us < partition->time_min_us)
		partition->time_min_us = event->created_at_us;
	if (event->created_at_us > partition->time_max_us)
		partition->time_max_us = event->created_at_us;
}

/* As for polled events: at most EVENT_TYPE_COUNT_MAX types have a folder. */
static struct span route_type(struct archive_rows *source, struct span type)
{
	static const struct span other = SPAN_LITERAL("_other");
	for (size_t i = 0; i < source->type_count; i++)
		if (span_equal_text(type, source->types[i]))
			return type;
	if (source->type_count == EVENT_TYPE_COUNT_MAX || span_equal(type, other))
		return other;
	memcpy(source->types[source->type_count], type.data, type.size);
	source->types[source->type_count++][type.size] = '\0';
	return type;
}

static bool is_of(const struct event *event, const struct lake_file *file)
{
	return span_equal_text(event->type, file->type)
	       && event->created_at_us - event->created_at_us % DAY_US == file->date_us;
}

/* *is_row_out false when the event is no row of its own. */
static bool judge_event(struct archive_rows *source, struct event *event, struct span record, int64_t offset,
			bool *is_row_out, struct err *err)
{
	struct batch *counts = counts_of(source);
	const char *fault = event_time_fault(event, source->now_us);
	*is_row_out = false;
	if (fault)
		return set_aside(source, fault, time_render(event->created_at_us).text, offset, record, err);
	if (!field_set_accepts(source->silver->options.fields, event->type)) {
		counts->filtered++;
		return true;
	}
	event->type = route_type(source, event->type);
	key_set_prefetch(&source->keys, event);
	bool is_wanted = !source->only || is_of(event, source->only);
	int64_t date_us = event->created_at_us - event->created_at_us % DAY_US;
	if (source->has_partitions && !find_partition(source, event, date_us, err))
		return false;
	switch (key_set_add(&source->keys, event)) {
	case KEY_NEW:
		if (!is_wanted)
			return true;
		*is_row_out = true;
		counts->silver_rows++;
		if (source->has_partitions)
			count_partition(&source->partitions[source->partition_last], event);
		return true;
	case KEY_DUPLICATE:
		counts->silver_duplicates++;
		return true;
	case KEY_CONFLICT:
		return set_aside(source, "key-conflict",
			"an event before it in the file has its id, type and time, but another repository", offset,
			record, err);
	case KEY_FULL:
		break;
	}
	assert(false && "types are bounded, and the set is not");
	return true;
}

/* The next piece of a line that is taken apart. */
static bool take_piece(struct archive_rows *source, struct event *event_out, bool *is_row_out, struct err *err)
{
	struct archive_salvage_item piece;
	struct scan_problem problem;
	*is_row_out = false;
	if (!archive_salvage_next(&source->salvage, &piece)) {
		archive_salvage_finish(&source->salvage);
		source->salvages = false;
		return true;
	}
	int64_t offset = source->line_offset + (int64_t)piece.offset;
	counts_of(source)->received++;
	arena_reset(&source->scratch);
	if (!piece.is_record)
		return set_aside(source, piece.reason, piece.detail, offset, piece.bytes, err);
	if (!scan_event(source->silver->plan, piece.bytes, &source->scratch, event_out, &problem))
		return set_aside(source, scan_reason_name(problem.reason), problem.detail, offset, piece.bytes, err);
	return judge_event(source, event_out, piece.bytes, offset, is_row_out, err);
}

static bool take_line(struct archive_rows *source, const struct archive_item *item, struct event *event_out,
		      bool *is_row_out, struct err *err)
{
	struct scan_problem problem;
	arena_reset(&source->scratch);
	if (scan_event(source->silver->plan, item->bytes, &source->scratch, event_out, &problem)) {
		counts_of(source)->received++;
		return judge_event(source, event_out, item->bytes, item->offset, is_row_out, err);
	}
	archive_salvage_init(&source->salvage, source->silver->plan, item->bytes);
	source->salvages = true;
	source->line_offset = item->offset;
	return true;
}

/* The next row; *end_out true behind the last of the last file. */
static bool next_row(struct archive_rows *source, struct event *event_out, bool *end_out, struct err *err)
{
	while (source->index < source->count) {
		struct archive_item item;
		bool is_row = false;
		if (!source->reader) {
			if (!open_file(source, err))
				return false;
			continue;
		}
		if (source->salvages) {
			if (!take_piece(source, event_out, &is_row, err))
				return false;
		} else {
			if (!archive_reader_next(source->reader, &item, err))
				return false;
			if (item.kind == ARCHIVE_END) {
				leave_file(source);
			} else if (item.kind == ARCHIVE_LINE) {
				if (!take_line(source, &item, event_out, &is_row, err))
					return false;
			} else {
				counts_of(source)->received++;
				source->results[source->index].reason = item.reason;
				if (!set_aside(source, item.reason, item.detail, item.offset, item.bytes, err))
					return false;
			}
		}
		if (is_row) {
			*end_out = false;
			return true;
		}
	}
	*end_out = true;
	return true;
}

static bool fill(void *context, struct duck_chunk *chunk, size_t row_count_max, size_t *row_count_out,
		 struct err *err)
{
	struct archive_rows *source = context;
	size_t row = 0;
	while (row < row_count_max) {
		struct event event;
		bool end;
		if (!next_row(source, &event, &end, err))
			return false;
		if (end)
			break;
		silver_row_fill(&source->row, chunk, row, &event);
		if (source->has_partitions)
			duck_fill_integer(chunk, source->column_count, row, (int64_t)source->partition_last);
		row++;
	}
	*row_count_out = row;
	return true;
}

struct duck_source archive_rows_duck(struct archive_rows *source)
{
	return (struct duck_source){
		.columns = source->columns,
		.column_count = source->column_count + source->has_partitions,
		.fill = fill,
		.context = source,
	};
}
