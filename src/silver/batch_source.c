/* SPDX-License-Identifier: Apache-2.0 */
/* batch_source.c - bronze lines to rows. A damaged file gives what it still holds; the rows that it
 * should have had count as quarantined, so that the batch's sums stay true. */
#include "silver/batch_source.h"

#include "lake/silver_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES_MAX = 2 * SCAN_EVENT_BYTES_MAX };

void batch_source_init(struct batch_source *source, const struct silver *silver, const struct batch *batch,
		       const struct lake_file *files, size_t file_count)
{
	*source = (struct batch_source){
		.silver = silver,
		.batch = batch,
		.files = files,
		.file_count = file_count,
		.row = silver_row_start(silver, batch),
	};
	key_set_init(&source->keys, SIZE_MAX); /* bronze bounds a batch */
	arena_init(&source->scratch, SCRATCH_BYTES_MAX);
	arena_init(&source->kept, BATCH_SOURCE_RAW_BYTES_MAX);
	buf_init(&source->set_aside, BATCH_SOURCE_RAW_BYTES_MAX);
	source->columns = silver_row_columns(silver->options.fields, 0);
}

void batch_source_finish(struct batch_source *source)
{
	bronze_reader_close(&source->reader);
	key_set_finish(&source->keys);
	arena_finish(&source->scratch);
	arena_finish(&source->kept);
	buf_finish(&source->set_aside);
	free(source->columns);
	source->columns = NULL;
}

const struct quarantined *batch_source_set_aside(const struct batch_source *source, size_t *count_out)
{
	*count_out = source->set_aside.size / sizeof(struct quarantined);
	return (const struct quarantined *)(const void *)source->set_aside.data;
}

/* `rows` of the file at hand are lost by it. */
static bool set_aside(struct batch_source *source, const char *reason, const char *detail, int64_t offset,
		      struct span raw, int64_t rows, struct err *err)
{
	struct quarantined entry = {
		.batch = source->batch->seq,
		.stage = "silver",
		.reason = reason,
		.detail = arena_copy_text(&source->kept, span_of(detail)),
		.path = source->files[source->file_index].path.text,
		.offset = offset,
		.raw = arena_copy(&source->kept, raw),
	};
	buf_append(&source->set_aside, &entry, sizeof(entry));
	source->quarantined += rows;
	source->lost += raw.size == 0 && rows > 0 ? rows : 0;
	if (source->kept.failed || source->set_aside.failed)
		return err_set(err, ERR_LOCAL, "batch %" PRId64 ": too much of it is malformed",
			source->batch->seq);
	return true;
}

static int64_t file_rows_left(const struct batch_source *source)
{
	return source->files[source->file_index].rows - source->file_lines;
}

static void leave_file(struct batch_source *source)
{
	bronze_reader_close(&source->reader);
	source->file_index++;
	source->file_lines = 0;
}

/* Ends the file at hand for damage; errors of the machine are passed on. */
static bool give_up_file(struct batch_source *source, const char *reason, const struct err *damage,
			 int64_t offset, struct err *err)
{
	static const struct span nothing = {"", 0};
	if (damage->kind != ERR_INPUT) {
		*err = *damage;
		return false;
	}
	if (!set_aside(source, reason, damage->text, offset, nothing, file_rows_left(source), err))
		return false;
	leave_file(source);
	return true;
}

static bool open_file(struct batch_source *source, struct err *err)
{
	struct file_path path;
	struct err damage = {.kind = ERR_INPUT, .text = "the file is gone"};
	const struct layout *layout = source->silver->options.layout;
	const struct lake_file *file = &source->files[source->file_index];
	if (!layout_absolute(layout, file->path.text, &path, err))
		return false;
	if (!file_exists(path.text))
		return give_up_file(source, "bronze-missing", &damage, 0, err);
	if (!bronze_reader_open_known(layout, file->path.text, file->sha256, &source->reader, &damage))
		return give_up_file(source, "bronze-damaged", &damage, 0, err);
	return true;
}

/* The next line of the batch; *end_out true behind the last. */
static bool next_line(struct batch_source *source, struct span *line_out, int64_t *offset_out, bool *end_out,
		      struct err *err)
{
	while (source->file_index < source->file_count) {
		struct err damage = {0};
		bool end = false;
		if (!source->reader) {
			if (!open_file(source, err))
				return false;
			continue;
		}
		*offset_out = 0;
		bool read = bronze_reader_next(source->reader, line_out, offset_out, &end, &damage);
		if (read && !end && file_rows_left(source) > 0) {
			source->file_lines++;
			*end_out = false;
			return true;
		}
		if (read && end && file_rows_left(source) == 0) {
			leave_file(source);
			continue;
		}
		if (read)
			err_set(&damage, ERR_INPUT, "it has %s lines than the catalog says", end ? "fewer" : "more");
		if (!give_up_file(source, "bronze-damaged", &damage, *offset_out, err))
			return false;
	}
	*end_out = true;
	return true;
}

/* Decides about one line; *is_row_out false when it is no row of its own. */
static bool judge_line(struct batch_source *source, struct span line, int64_t offset, struct event *event_out,
		       bool *is_row_out, struct err *err)
{
	struct scan_problem problem;
	*is_row_out = false;
	arena_reset(&source->scratch);
	if (!scan_event(source->silver->plan, line, &source->scratch, event_out, &problem))
		return set_aside(source, scan_reason_name(problem.reason), problem.detail, offset, line, 1, err);
	/* Ingest decided under which type it is stored: "_other" also for types beyond the 64th. */
	event_out->type = span_of(source->files[source->file_index].type);
	switch (key_set_add(&source->keys, event_out)) {
	case KEY_NEW:
		*is_row_out = true;
		return true;
	case KEY_DUPLICATE:
		source->duplicates++;
		return true;
	case KEY_CONFLICT:
		return set_aside(source, "key-conflict",
			"an event before it in the batch has its id, type and time, but another repository",
			offset, line, 1, err);
	case KEY_FULL:
		break;
	}
	return set_aside(source, "too-many-types", "the batch has more event types than are possible", offset,
		line, 1, err);
}

static bool fill(void *context, struct duck_chunk *chunk, size_t row_count_max, size_t *row_count_out,
		 struct err *err)
{
	struct batch_source *source = context;
	size_t row = 0;
	while (row < row_count_max) {
		struct span line;
		struct event event;
		int64_t offset;
		bool end;
		bool is_row;
		if (!next_line(source, &line, &offset, &end, err))
			return false;
		if (end)
			break;
		if (!judge_line(source, line, offset, &event, &is_row, err))
			return false;
		if (is_row)
			silver_row_fill(&source->row, chunk, row++, &event);
	}
	source->rows += (int64_t)row;
	*row_count_out = row;
	return true;
}

struct duck_source batch_source_duck(struct batch_source *source)
{
	return (struct duck_source){
		.columns = source->columns,
		.column_count = silver_column_count(source->silver->options.fields),
		.fill = fill,
		.context = source,
	};
}
