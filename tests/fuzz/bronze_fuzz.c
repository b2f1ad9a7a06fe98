/* SPDX-License-Identifier: Apache-2.0 */
/* bronze_fuzz.c - libFuzzer target: the reader of bronze files.
 *
 * The first byte chooses. Even: the rest is a whole file, whatever it holds. Odd: the rest is content
 * for a good file, whose zstd frame then suffers; see `damage`. An undamaged file gives back its
 * lines; a damaged one gives lines that are all good, or says so: damage never passes unnoticed. */
#include "lake/bronze_format.h"
#include "lake/scan.h"
#include "wrap/zstd_stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAMAGE_BYTES = 4, DAMAGES_MAX = 3 };

/* A file in memory, under the path by which the reader opens it. Made once: its content is replaced. */
static const char *memory_file(struct span content)
{
	static int descriptor = -1;
	static char path[64];
	if (descriptor < 0) {
		descriptor = memfd_create("bronze", MFD_CLOEXEC);
		assert(descriptor >= 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	}
	assert(ftruncate(descriptor, 0) == 0);
	assert(pwrite(descriptor, content.data, content.size, 0) == (ssize_t)content.size);
	return path;
}

static int64_t count_lines(struct span text)
{
	int64_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == '\n';
	return count;
}

/* Appends every line that the reader gives, each with its line feed. True when it came to the end
 * without a word of damage. */
static bool read_all(const char *path, struct buf *lines)
{
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	struct err err = {0};
	bool opened = bronze_reader_open(path, &reader, &err);
	if (!opened) {
		assert(err.kind == ERR_INPUT || err.exit_code == 4);
		return false;
	}
	assert(event_type_is_plain(span_of(bronze_reader_header(reader)->type))
	       || strcmp(bronze_reader_header(reader)->type, "_other") == 0);
	for (bool end = false;;) {
		struct span line;
		int64_t offset;
		if (!bronze_reader_next(reader, &line, &offset, &end, &err)) {
			assert(err.kind == ERR_INPUT);
			return false;
		}
		if (end)
			return true;
		assert(offset == (int64_t)lines->size);
		assert(!memchr(line.data, '\n', line.size) && line.size <= SCAN_EVENT_BYTES_MAX + 256 * 1024);
		buf_append_span(lines, line);
		buf_append_byte(lines, '\n');
	}
}

/* Each four bytes: what to do (flip a byte, cut, put zeros, append one), and where in the frame. */
static bool damage(struct buf *file, size_t frame_at, const uint8_t *orders, size_t count)
{
	bool changed = false;
	for (size_t i = 0; i < count && file->size > frame_at; i++) {
		const uint8_t *order = orders + i * DAMAGE_BYTES;
		size_t frame_size = file->size - frame_at;
		size_t at = frame_at + (size_t)(order[1] << 8 | order[2]) % frame_size;
		char *byte = file->data + at;
		char before = *byte;
		switch (order[0] % 4) {
		case 0:
			*byte = (char)(*byte ^ (order[3] ? order[3] : 1));
			changed = true;
			break;
		case 1:
			file->size = at;
			changed = true;
			break;
		case 2:
			*byte = 0;
			changed = changed || before != 0;
			break;
		default:
			buf_append_byte(file, (char)order[3]);
			changed = true;
			break;
		}
	}
	return changed;
}

static void check_written(const uint8_t *data, size_t size)
{
	size_t orders = size > 0 ? data[0] % (DAMAGES_MAX + 1) : 0;
	if (size < 1 + orders * DAMAGE_BYTES)
		return;
	struct span content = span_make((const char *)data + 1 + orders * DAMAGE_BYTES,
		size - 1 - orders * DAMAGE_BYTES);
	int64_t lines = count_lines(content);
	if (lines == 0 || content.data[content.size - 1] != '\n')
		return;
	CLEANUP(buf_finish) struct buf file = {.size_max = 64 * 1024 * 1024};
	CLEANUP(buf_finish) struct buf got = {.size_max = 64 * 1024 * 1024};
	char header[512];
	struct err err = {0};
	(void)snprintf(header, sizeof(header),
		"{\"format\":\"" BRONZE_FORMAT_NAME "\",\"version\":1,\"batch\":7,\"type\":\"WatchEvent\","
		"\"date\":\"2026-09-20\",\"events\":%" PRId64 ",\"received_at\":\"2026-09-20T12:00:00Z\","
		"\"source\":\"api\",\"time_min\":\"2026-09-20T11:00:00Z\",\"time_max\":\"2026-09-20T11:00:00Z\"}",
		lines);
	zstd_append_skippable(&file, span_of(header));
	size_t frame_at = file.size;
	bool compressed = zstd_compress(content, 1, &file, &err);
	assert(compressed);
	bool damaged = damage(&file, frame_at, data + 1, orders);
	bool whole = read_all(memory_file(buf_span(&file)), &got);
	if (!damaged)
		assert(whole);
	if (whole)
		assert(span_equal(buf_span(&got), content));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 1) {
		check_written(data + 1, size - 1);
		return 0;
	}
	CLEANUP(buf_finish) struct buf got = {.size_max = 1024 * 1024 * 1024};
	(void)read_all(memory_file(span_make((const char *)data + 1, size - 1)), &got);
	return 0;
}
