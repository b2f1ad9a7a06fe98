/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/archive_part.h"

#include "base/failpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_BYTES_MAX = 8 * 1024, READ_STEP_BYTES = 64 * 1024 };

static const char NOTE_FIRST_LINE[] = "octolake part 1";

const char *archive_origin_validator(const struct archive_origin *origin)
{
	/* A weak one says that the meaning is the same, not the bytes (RFC 9110, 13.1.5). */
	if (origin->etag[0] != '\0' && strncmp(origin->etag, "W/", 2) != 0)
		return origin->etag;
	return origin->date_is_strong ? origin->last_modified : "";
}

static bool part_path(const struct archive_part *part, struct file_path *path_out, struct err *err)
{
	return file_path_make(path_out, err, "%s.part", part->path.text);
}

static bool note_path(const struct archive_part *part, struct file_path *path_out, struct err *err)
{
	return file_path_make(path_out, err, "%s.part.from", part->path.text);
}

static void take_start(struct archive_part *part, struct span bytes)
{
	size_t room = sizeof(part->start) - part->start_size;
	size_t size = bytes.size < room ? bytes.size : room;
	if (size > 0)
		memcpy(part->start + part->start_size, bytes.data, size);
	part->start_size += size;
}

static void forget(struct archive_part *part)
{
	file_draft_keep(&part->draft);
	part->origin = (struct archive_origin){.length = -1};
	part->bytes = part->noted_bytes = 0;
	part->start_size = 0;
	digest_stream_reset(part->digest);
}

/* ---- the note ---- */

static void print_note(const struct archive_part *part, struct buf *note)
{
	const struct archive_origin *origin = &part->origin;
	buf_printf(note, "%s\nurl %s\netag %s\nmodified %s\nstrong %d\n", NOTE_FIRST_LINE, origin->url, origin->etag,
		   origin->last_modified, origin->date_is_strong);
	buf_printf(note, "length %" PRId64 "\nbytes %" PRId64 "\nsha256 %s\n", origin->length, part->bytes,
		   digest_stream_get(part->digest).hex);
}

static bool write_note(struct archive_part *part, struct err *err)
{
	FAILPOINT_SCOPE("archive.note");
	struct file_path path;
	struct buf note CLEANUP(buf_finish) = {.size_max = NOTE_BYTES_MAX};
	part->noted_bytes = part->bytes;
	if (archive_origin_validator(&part->origin)[0] == '\0')
		return true;
	print_note(part, &note);
	assert(!note.failed);
	return note_path(part, &path, err) && file_write(path.text, buf_span(&note), err);
}

static bool remove_note(const struct archive_part *part, struct err *err)
{
	FAILPOINT_SCOPE("archive.note");
	struct file_path path;
	return note_path(part, &path, err) && file_remove(path.text, err);
}

/* The value of the next line, which must begin with `key` and a blank. */
static bool take_line(struct span *rest, const char *key, struct span *value_out)
{
	struct span line;
	if (!span_split(*rest, '\n', &line, rest) || !span_starts_with(line, key))
		return false;
	size_t size = strlen(key) + 1;
	if (line.size < size || line.data[size - 1] != ' ')
		return false;
	*value_out = span_make(line.data + size, line.size - size);
	return true;
}

static bool take_text(struct span *rest, const char *key, char *text, size_t size)
{
	struct span value;
	if (!take_line(rest, key, &value) || value.size >= size || memchr(value.data, '\0', value.size))
		return false;
	memcpy(text, value.data, value.size);
	text[value.size] = '\0';
	return true;
}

static bool take_number(struct span *rest, const char *key, int64_t *number_out)
{
	struct span value;
	return take_line(rest, key, &value) && span_parse_int64(value, number_out);
}

static bool parse_note(struct span note, struct archive_origin *origin, int64_t *bytes_out, struct digest *sum_out)
{
	struct span rest;
	struct span first;
	int64_t is_strong;
	bool ok = span_split(note, '\n', &first, &rest) && span_equal_text(first, NOTE_FIRST_LINE)
		  && take_text(&rest, "url", origin->url, sizeof(origin->url))
		  && take_text(&rest, "etag", origin->etag, sizeof(origin->etag))
		  && take_text(&rest, "modified", origin->last_modified, sizeof(origin->last_modified))
		  && take_number(&rest, "strong", &is_strong) && take_number(&rest, "length", &origin->length)
		  && take_number(&rest, "bytes", bytes_out)
		  && take_text(&rest, "sha256", sum_out->hex, sizeof(sum_out->hex)) && rest.size == 0;
	origin->date_is_strong = ok && is_strong == 1;
	return ok && *bytes_out > 0 && (origin->length == -1 || *bytes_out <= origin->length);
}

/* ---- what an earlier attempt left ---- */

static void close_descriptor(const int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
}

/* Sums the first `bytes`; fewer of them are summed as they are. */
static bool sum_up(struct archive_part *part, int64_t bytes, struct err *err)
{
	struct file_path path;
	if (!part_path(part, &path, err))
		return false;
	int descriptor CLEANUP(close_descriptor) = open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return errno == ENOENT || err_set_errno(err, ERR_LOCAL, errno, "%s", path.text);
	while (bytes > 0) {
		char step[READ_STEP_BYTES];
		size_t wanted = bytes < READ_STEP_BYTES ? (size_t)bytes : READ_STEP_BYTES;
		ssize_t got = read(descriptor, step, wanted);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_LOCAL, errno, "read %s", path.text);
		if (got == 0)
			return true;
		digest_stream_add(part->digest, span_make(step, (size_t)got));
		take_start(part, span_make(step, (size_t)got));
		part->bytes += got;
		bytes -= got;
	}
	return true;
}

bool archive_part_load(struct archive_part *part, const char *path, const char *url, struct err *err)
{
	struct file_path note_name;
	struct buf note CLEANUP(buf_finish) = {.size_max = NOTE_BYTES_MAX};
	struct archive_origin origin = {.length = -1};
	struct digest sum;
	struct err ignored;
	int64_t bytes;
	*part = (struct archive_part){.digest = digest_stream_create()};
	forget(part);
	if (!file_path_make(&part->path, err, "%s", path) || !note_path(part, &note_name, err))
		return false;
	if (!file_read(note_name.text, &note, &ignored) || !parse_note(buf_span(&note), &origin, &bytes, &sum)
	    || strcmp(origin.url, url) != 0 || archive_origin_validator(&origin)[0] == '\0')
		return true;
	if (!sum_up(part, bytes, err))
		return false;
	if (part->bytes != bytes || strcmp(digest_stream_get(part->digest).hex, sum.hex) != 0) {
		forget(part);
		return true;
	}
	part->origin = origin;
	part->noted_bytes = bytes;
	return true;
}

/* ---- more ---- */

static bool open_draft(struct archive_part *part, struct err *err)
{
	FAILPOINT_SCOPE("archive.part");
	file_draft_keep(&part->draft);
	return file_draft_resume(part->path.text, part->bytes, &part->draft, err);
}

bool archive_part_continue(struct archive_part *part, struct err *err)
{
	return open_draft(part, err);
}

bool archive_part_restart(struct archive_part *part, const struct archive_origin *origin, struct err *err)
{
	struct archive_origin kept = *origin; /* it may be the part's own */
	forget(part);
	part->origin = kept;
	return remove_note(part, err) && open_draft(part, err);
}

bool archive_part_add(struct archive_part *part, struct span bytes, struct err *err)
{
	FAILPOINT_SCOPE("archive.part");
	assert(part->draft);
	if (!file_draft_write(part->draft, bytes.data, bytes.size, err))
		return false;
	digest_stream_add(part->digest, bytes);
	take_start(part, bytes);
	part->bytes += (int64_t)bytes.size;
	return part->bytes - part->noted_bytes < ARCHIVE_NOTE_EVERY_BYTES || write_note(part, err);
}

bool archive_part_pause(struct archive_part *part, struct err *err)
{
	file_draft_keep(&part->draft);
	return part->bytes == 0 || part->noted_bytes == part->bytes || write_note(part, err);
}

static bool publish(struct archive_part *part, struct err *err)
{
	FAILPOINT_SCOPE("archive.part");
	return file_draft_publish(&part->draft, true, err);
}

bool archive_part_publish(struct archive_part *part, struct err *err)
{
	return (part->draft || open_draft(part, err)) && publish(part, err) && remove_note(part, err);
}

bool archive_part_discard(struct archive_part *part, struct err *err)
{
	FAILPOINT_SCOPE("archive.note");
	struct file_path path;
	forget(part);
	return remove_note(part, err) && part_path(part, &path, err) && file_remove(path.text, err);
}

void archive_part_finish(struct archive_part *part)
{
	file_draft_keep(&part->draft);
	digest_stream_destroy(&part->digest);
}
