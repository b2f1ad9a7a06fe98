/* SPDX-License-Identifier: Apache-2.0 */
/* bronze_writer.c - a batch in memory, one buffer of lines per type and day, and its publication.
 *
 * The lines are kept until every file and every folder is durable, so that a publication that
 * failed half way can be repeated. Compression happens one file at a time at the end: its output is
 * the only thing held beside the lines. */
#include "lake/bronze.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "lake/bronze_format.h"
#include "lake/scan.h"
#include "wrap/digest.h"
#include "wrap/zstd_stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A frame ends with the line that fills it: damage costs the lines of one frame. */
enum { ZSTD_LEVEL = 3, FRAME_BYTES = 64 * 1024 };
static const int64_t DAY_US = INT64_C(86400) * 1000000;
/* 0000-01-01 and 9999-12-31: dates have no names beyond them. */
static const int64_t DAY_FIRST_US = INT64_C(-62167219200) * 1000000;
static const int64_t DAY_LAST_US = INT64_C(253402214400) * 1000000;

struct group {
	char type[EVENT_TYPE_BYTES_MAX + 1];
	int64_t date_us;
	int64_t events;
	int64_t time_min_us;
	int64_t time_max_us;
	struct buf lines;
};

struct bronze_writer {
	const struct layout *layout; /* borrowed */
	struct group *groups[BRONZE_BATCH_FILES_MAX];
	size_t group_count;
	int64_t events;
	int64_t size_bytes; /* of all lines */
};

/* What all files of one publication have in common. */
struct publication {
	const struct layout *layout;
	int64_t batch;
	int64_t received_at_us;
	const char *source;
};

struct bronze_writer *bronze_writer_create(const struct layout *layout)
{
	struct bronze_writer *writer = memory_allocate(1, sizeof(*writer));
	writer->layout = layout;
	return writer;
}

static void forget_events(struct bronze_writer *writer)
{
	for (size_t i = 0; i < writer->group_count; i++) {
		buf_finish(&writer->groups[i]->lines);
		free(writer->groups[i]);
	}
	writer->group_count = 0;
	writer->events = 0;
	writer->size_bytes = 0;
}

void bronze_writer_destroy(struct bronze_writer **writer)
{
	if (!*writer)
		return;
	forget_events(*writer);
	free(*writer);
	*writer = NULL;
}

static int64_t day_of(int64_t time_us)
{
	if (time_us < DAY_FIRST_US)
		return DAY_FIRST_US;
	if (time_us > DAY_LAST_US)
		return DAY_LAST_US;
	return time_us - (time_us % DAY_US + DAY_US) % DAY_US;
}

static struct group *find_group(const struct bronze_writer *writer, struct span type,
				int64_t date_us)
{
	for (size_t i = 0; i < writer->group_count; i++) {
		struct group *group = writer->groups[i];
		if (group->date_us == date_us && span_equal_text(type, group->type))
			return group;
	}
	return NULL;
}

static struct group *add_group(struct bronze_writer *writer, const struct event *event)
{
	struct group *group = memory_allocate(1, sizeof(*group));
	memcpy(group->type, event->type.data, event->type.size);
	group->date_us = day_of(event->created_at_us);
	group->time_min_us = event->created_at_us;
	group->time_max_us = event->created_at_us;
	buf_init(&group->lines, BRONZE_BATCH_BYTES_MAX);
	writer->groups[writer->group_count++] = group;
	return group;
}

bool bronze_writer_add(struct bronze_writer *writer, const struct event *event, struct span json,
		       struct err *err)
{
	assert(event->type.size >= 1 && event->type.size <= EVENT_TYPE_BYTES_MAX);
	if (json.size > SCAN_EVENT_BYTES_MAX)
		return err_set(err, ERR_INPUT, "event of %zu bytes, at most %d", json.size,
			SCAN_EVENT_BYTES_MAX);
	if (writer->size_bytes + (int64_t)json.size + 1 > BRONZE_BATCH_BYTES_MAX)
		return err_set(err, ERR_INPUT, "batch full: %d bytes", BRONZE_BATCH_BYTES_MAX);
	struct group *group = find_group(writer, event->type, day_of(event->created_at_us));
	if (!group && writer->group_count == BRONZE_BATCH_FILES_MAX)
		return err_set(err, ERR_INPUT, "batch full: %d files", BRONZE_BATCH_FILES_MAX);
	if (!group)
		group = add_group(writer, event);
	if (event->created_at_us < group->time_min_us)
		group->time_min_us = event->created_at_us;
	if (event->created_at_us > group->time_max_us)
		group->time_max_us = event->created_at_us;
	scan_append_line(&group->lines, json);
	buf_append_byte(&group->lines, '\n');
	assert(!group->lines.failed);
	group->events++;
	writer->events++;
	writer->size_bytes += (int64_t)json.size + 1;
	return true;
}

int64_t bronze_writer_events(const struct bronze_writer *writer)
{
	return writer->events;
}

int64_t bronze_writer_bytes(const struct bronze_writer *writer)
{
	return writer->size_bytes;
}

static void render_header(const struct bronze_file *file, struct buf *out)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_text(&json, "format", BRONZE_FORMAT_NAME);
	json_put_key_integer(&json, "version", BRONZE_FORMAT_VERSION);
	json_put_key_integer(&json, "batch", file->batch);
	json_put_key_text(&json, "type", file->type);
	json_put_key_text(&json, "date", time_render_date(file->date_us).text);
	json_put_key_integer(&json, "events", file->events);
	json_put_key(&json, "received_at");
	json_put_time(&json, file->received_at_us);
	json_put_key_text(&json, "source", file->source);
	json_put_key(&json, "time_min");
	json_put_time(&json, file->time_min_us);
	json_put_key(&json, "time_max");
	json_put_time(&json, file->time_max_us);
	json_end_object(&json);
}

static bool describe(const struct publication *publication, const struct group *group,
		     struct bronze_file *file_out, struct err *err)
{
	struct bronze_file file = {
		.date_us = group->date_us,
		.batch = publication->batch,
		.events = group->events,
		.received_at_us = publication->received_at_us,
		.time_min_us = group->time_min_us,
		.time_max_us = group->time_max_us,
	};
	memcpy(file.type, group->type, sizeof(file.type));
	memcpy(file.source, publication->source, strlen(publication->source) + 1);
	if (!layout_bronze(span_of(file.type), file.date_us, file.batch, &file.path, err))
		return false;
	*file_out = file;
	return true;
}

static bool compress_lines(struct span lines, struct buf *out, struct err *err)
{
	while (lines.size > 0) {
		size_t size = lines.size;
		if (size > FRAME_BYTES) {
			const char *feed = memchr(lines.data + FRAME_BYTES - 1, '\n', size - FRAME_BYTES + 1);
			size = (size_t)(feed - lines.data) + 1;
		}
		if (!zstd_compress((struct span){lines.data, size}, ZSTD_LEVEL, out, err))
			return false;
		lines = (struct span){lines.data + size, lines.size - size};
	}
	return true;
}

/* Writes, fsyncs and renames one file. Fills in its size and digest. */
static bool publish_file(const struct publication *publication, const struct group *group,
			 struct bronze_file *file, struct err *err)
{
	struct buf header CLEANUP(buf_finish) = {0};
	struct buf content CLEANUP(buf_finish) = {0};
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	struct file_path path;
	buf_init(&header, BRONZE_HEADER_BYTES_MAX);
	buf_init(&content, BRONZE_FILE_BYTES_MAX);
	render_header(file, &header);
	assert(!header.failed);
	zstd_append_skippable(&content, buf_span(&header));
	if (!compress_lines(buf_span(&group->lines), &content, err)
	    || !layout_absolute(publication->layout, file->path.text, &path, err)
	    || !file_draft_create(path.text, &draft, err)
	    || !file_draft_write(draft, content.data, content.size, err)
	    || !file_draft_publish(&draft, false, err))
		return false;
	file->size_bytes = (int64_t)content.size;
	struct digest digest = digest_of(buf_span(&content));
	memcpy(file->sha256, digest.hex, sizeof(file->sha256));
	return true;
}

static bool sync_folder_of(const struct layout *layout, const struct bronze_file *file,
			   struct err *err)
{
	struct file_path path;
	if (!layout_absolute(layout, file->path.text, &path, err))
		return false;
	*strrchr(path.text, '/') = '\0';
	return file_sync_folder(path.text, err);
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *left = *(struct group *const *)a;
	const struct group *right = *(struct group *const *)b;
	/* As the paths compare: the slash behind a type sorts before every letter. */
	int order = strcmp(left->type, right->type);
	return order ? order : (left->date_us > right->date_us) - (left->date_us < right->date_us);
}

bool bronze_writer_publish(struct bronze_writer *writer, int64_t batch, int64_t received_at_us,
			   const char *source, struct arena *arena,
			   const struct bronze_file **files_out, size_t *file_count_out,
			   struct err *err)
{
	FAILPOINT_SCOPE("bronze");
	assert(bronze_source_is_plain(span_of(source)));
	const struct publication publication = {writer->layout, batch, received_at_us, source};
	size_t count = writer->group_count;
	struct bronze_file *files = arena_allocate(arena, count, sizeof(*files));
	if (!files)
		return err_set(err, ERR_LOCAL, "batch %" PRId64 ": no memory for %zu files", batch,
			count);
	qsort(writer->groups, count, sizeof(struct group *), compare_groups);
	for (size_t i = 0; i < count; i++)
		if (!describe(&publication, writer->groups[i], &files[i], err)
		    || !publish_file(&publication, writer->groups[i], &files[i], err))
			return err_wrap(err, "batch %" PRId64, batch);
	/* One batch has one file in each folder. */
	for (size_t i = 0; i < count; i++)
		if (!sync_folder_of(writer->layout, &files[i], err))
			return err_wrap(err, "batch %" PRId64, batch);
	forget_events(writer);
	*files_out = files;
	*file_count_out = count;
	return true;
}
