/* SPDX-License-Identifier: Apache-2.0 */
/* import_json.c - the first system's raw files, whatever their form: arrays of events, one event a line,
 * single events. Recognised by content and read in steps: a file may be of any size, an event of
 * SCAN_EVENT_BYTES_MAX.
 *
 * Elements are found by their brackets and quotes alone, as lake/scan_array.c does in memory, so that a
 * broken one does not take the others with it. */
#include "base/memory.h"
#include "ingest/import_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_BYTES = 256 * 1024 };

/* A file being read, and the element being cut out of it. */
struct stream {
	FILE *file;
	char *step;
	size_t at;
	size_t size;
	int64_t offset;   /* of step in the file */
	struct buf element;
	int64_t element_size; /* also of what is too much for `element` */
	int64_t element_offset;
	bool failed;      /* reading did */
	int failure;      /* errno */
};

static void stream_close(struct stream *stream)
{
	if (stream->file)
		(void)fclose(stream->file);
	free(stream->step);
	buf_finish(&stream->element);
}

/* The next byte, -1 at the end (of the file, or of what can be read of it). */
static int peek(struct stream *stream)
{
	if (stream->at < stream->size)
		return (unsigned char)stream->step[stream->at];
	if (stream->failed)
		return -1;
	stream->offset += (int64_t)stream->size;
	stream->at = 0;
	errno = 0;
	stream->size = fread(stream->step, 1, STEP_BYTES, stream->file);
	if (stream->size > 0)
		return (unsigned char)stream->step[0];
	stream->failed = ferror(stream->file) != 0;
	stream->failure = errno;
	return -1;
}

static bool is_among(int byte, const char *set)
{
	return byte > 0 && strchr(set, byte);
}

static int skip_blanks(struct stream *stream, bool commas)
{
	int byte = peek(stream);
	for (; is_among(byte, commas ? " \t\r\n," : " \t\r\n"); byte = peek(stream))
		stream->at++;
	return byte;
}

static void begin_element(struct stream *stream)
{
	buf_clear(&stream->element);
	stream->element_size = 0;
	stream->element_offset = stream->offset + (int64_t)stream->at;
}

/* Takes `size` bytes of the step into the element. */
static void take(struct stream *stream, size_t size)
{
	size_t room = stream->element.size_max - stream->element.size;
	buf_append(&stream->element, stream->step + stream->at, size < room ? size : room);
	stream->element_size += (int64_t)size;
	stream->at += size;
}

static size_t find_newline(const struct stream *stream)
{
	const char *start = stream->step + stream->at;
	const char *newline = memchr(start, '\n', stream->size - stream->at);
	return newline ? (size_t)(newline - start) : stream->size - stream->at;
}

/* The rest of the line; its line feed stays. */
static void take_line(struct stream *stream)
{
	while (peek(stream) >= 0 && peek(stream) != '\n')
		take(stream, find_newline(stream));
}

/* Where in a value its bytes have led. */
struct nesting {
	int64_t depth;
	bool in_string;
	bool escaped;
};

/* How many of the bytes belong to the object, array or string begun; *ended_out when its end is among
 * them. */
static size_t pass(struct nesting *nesting, const char *bytes, size_t size, bool *ended_out)
{
	for (size_t i = 0; i < size; i++) {
		char byte = bytes[i];
		if (nesting->in_string) {
			nesting->in_string = nesting->escaped || byte != '"';
			nesting->escaped = !nesting->escaped && byte == '\\';
		} else if (byte == '"') {
			nesting->in_string = true;
		} else if (byte == '{' || byte == '[') {
			nesting->depth++;
		} else if (byte == '}' || byte == ']') {
			nesting->depth--;
		}
		if (!nesting->in_string && nesting->depth <= 0) {
			*ended_out = true;
			return i + 1;
		}
	}
	return size;
}

/* An object, array, string, or else all up to the next blank, comma or bracket (one byte at least). False
 * when the file ends in it. */
static bool take_value(struct stream *stream)
{
	struct nesting nesting = {0};
	int first = peek(stream);
	bool ended = false;
	if (!is_among(first, "{[\"")) {
		do
			take(stream, 1);
		while (peek(stream) >= 0 && !is_among(peek(stream), " \t\r\n,[]{}\""));
		return true;
	}
	while (!ended && peek(stream) >= 0)
		take(stream, pass(&nesting, stream->step + stream->at, stream->size - stream->at, &ended));
	return ended;
}

/* ---- elements ---- */

static bool take_page(struct import *import, struct span body, int64_t offset, struct err *err)
{
	struct scan_array array;
	struct scan_problem problem;
	scan_array_init(&array, body);
	for (;;) {
		struct span element;
		bool end;
		if (!scan_array_next(&array, &element, &end, &problem)) {
			struct span rest = span_make(body.data + array.at, body.size - array.at);
			return span_trim(rest).size == 0
			       || import_set_aside(import, scan_reason_name(problem.reason), problem.detail,
				       offset + (int64_t)array.at, rest, err);
		}
		if (end)
			return true;
		if (!import_take(import, element, offset + (element.data - body.data), err))
			return false;
	}
}

/* The element that the stream holds: an event, or a page of them within the array or on a line. */
static bool take_element(struct import *import, const struct stream *stream, bool whole, struct err *err)
{
	char detail[160];
	struct span json = span_trim(buf_span(&stream->element));
	int64_t offset = stream->element_offset;
	if (json.size == 0)
		return true;
	if (stream->element_size > SCAN_EVENT_BYTES_MAX) {
		(void)snprintf(detail, sizeof(detail), "%lld bytes; these are its first",
			(long long)stream->element_size);
		return import_set_aside(import, scan_reason_name(SCAN_TOO_LARGE), detail, offset,
			span_make(json.data, IMPORT_QUARANTINE_BYTES_MAX), err);
	}
	if (!whole)
		return import_set_aside(import, scan_reason_name(SCAN_INVALID_JSON), "the file ends in this event",
			offset, json, err);
	return json.data[0] == '[' ? take_page(import, json, offset, err) : import_take(import, json, offset, err);
}

/* Behind the '[' of an array, to its ']'. */
static bool read_array(struct import *import, struct stream *stream, struct err *err)
{
	for (;;) {
		int byte = skip_blanks(stream, true);
		if (byte < 0)
			return stream->failed || import_note_damage(import, "it ends within its array of events");
		if (byte == ']') {
			stream->at++;
			return true;
		}
		begin_element(stream);
		bool whole = take_value(stream);
		if (!whole && stream->failed)
			return true;
		if (!take_element(import, stream, whole, err))
			return false;
		if (import_is_stopped(import))
			return true;
	}
}

/* An object that stands by itself. Where the first is alone on its line, each line is one from there on:
 * a broken one then ends with its line. */
static bool read_object(struct import *import, struct stream *stream, bool first, bool *by_line, struct err *err)
{
	begin_element(stream);
	bool whole = take_value(stream);
	if (!whole && stream->failed)
		return true;
	if (!whole)
		(void)import_note_damage(import, "it ends within an event");
	bool one_line = !memchr(stream->element.data, '\n', stream->element.size);
	if (!take_element(import, stream, whole, err))
		return false;
	while (is_among(peek(stream), " \t\r"))
		stream->at++;
	*by_line = first && one_line && peek(stream) == '\n';
	return true;
}

static bool read_all(struct import *import, struct stream *stream, struct err *err)
{
	bool by_line = false;
	bool began = false;
	for (;;) {
		int byte = skip_blanks(stream, false);
		if (byte < 0 || import_is_stopped(import))
			return true;
		bool ok;
		if (byte == '[' && !by_line) {
			stream->at++;
			ok = read_array(import, stream, err);
		} else if (byte == '{' && !by_line) {
			ok = read_object(import, stream, !began, &by_line, err);
		} else if (by_line) {
			begin_element(stream);
			take_line(stream);
			ok = take_element(import, stream, true, err);
		} else if (!began) {
			return import_note_damage(import, "it is no JSON: neither an array nor an object");
		} else {
			begin_element(stream);
			(void)take_value(stream);
			ok = take_element(import, stream, true, err);
		}
		if (!ok)
			return false;
		began = true;
	}
}

bool import_json_file(struct import *import, const char *path, struct err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	CLEANUP(stream_close) struct stream stream = {.file = fopen(path, "rbe")};
	if (!stream.file)
		return import_note_damage(import, "cannot be opened: %s", strerror(errno));
	stream.step = memory_allocate(STEP_BYTES, 1);
	buf_init(&stream.element, (size_t)SCAN_EVENT_BYTES_MAX + 1);
	if (peek(&stream) >= 0 && stream.size >= sizeof(mark) - 1 && memcmp(stream.step, mark, sizeof(mark) - 1) == 0)
		stream.at = sizeof(mark) - 1;
	if (!read_all(import, &stream, err))
		return false;
	if (stream.failed)
		return import_note_damage(import, "read up to byte %lld only: %s", (long long)stream.offset,
			strerror(stream.failure));
	return true;
}
