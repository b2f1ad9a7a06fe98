/* SPDX-License-Identifier: Apache-2.0 */
/* archive_fuzz.c - libFuzzer target: a file of GH Archive, from its bytes to records.
 *
 * The first byte chooses (see `MODE_…`): the rest is a file as it is, or content that is wrapped into
 * gzip of one or two members, which then suffers; and in what windows it is read. What must hold:
 * zlib's content is ours wherever zlib finds no fault; every byte of the content is in a line, in damage
 * or between lines, as a slower splitter here finds them; salvage_check.h for every line. */
#include "lake/archive_reader.h"
#include "tests/support/gzip_make.h"
#include "tests/support/salvage_check.h"
#include "wrap/inflate_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MODE_WRAP = 3, /* 0: as it is, 1: one member, 2: two members, 3: one, stored */
	MODE_ORDERS_SHIFT = 2,
	MODE_WINDOW_SHIFT = 4,
	ORDER_BYTES = 4,
	FILE_BYTES_MAX = 64 * 1024 * 1024,
};

static const size_t window_sizes[] = {16, 17, 31, 100, 1000, 4096, 32768, 65536};

/* Each four bytes: what to do (flip, cut, zero, append), and where. */
static void damage(struct buf *file, const uint8_t *orders, size_t count)
{
	for (size_t i = 0; i < count && file->size > 0; i++) {
		const uint8_t *order = orders + i * ORDER_BYTES;
		size_t at = (size_t)(order[1] << 8 | order[2]) % file->size;
		if (order[0] % 4 == 0)
			file->data[at] = (char)(file->data[at] ^ (order[3] ? order[3] : 1));
		else if (order[0] % 4 == 1)
			file->size = at;
		else if (order[0] % 4 == 2)
			file->data[at] = 0;
		else
			buf_append_byte(file, (char)order[3]);
	}
}

/* False: not a fault of one byte in it, or no gzip. */
static bool zlib_reads(struct span file, struct buf *content)
{
	z_stream stream = {0};
	bool good = file.size > 0 && inflateInit2(&stream, 15 + 16) == Z_OK;
	stream.next_in = (unsigned char *)(uintptr_t)file.data;
	stream.avail_in = (unsigned)file.size;
	while (good) {
		unsigned char bytes[65536];
		stream.next_out = bytes;
		stream.avail_out = sizeof(bytes);
		int code = inflate(&stream, Z_NO_FLUSH);
		good = code == Z_OK || code == Z_STREAM_END;
		buf_append(content, bytes, sizeof(bytes) - stream.avail_out);
		if (code != Z_STREAM_END)
			continue;
		if (stream.avail_in == 0)
			break;
		good = inflateReset(&stream) == Z_OK;
	}
	(void)inflateEnd(&stream);
	return good;
}

/* All content; true when there was no damage. */
static bool inflate_all(struct span file, struct inflate_options options, struct buf *content, bool *is_gzip)
{
	struct err err = {0};
	struct inflate_piece piece;
	bool good = true;
	CLEANUP(memory_file_close) int descriptor = memory_file_open(file);
	CLEANUP(inflate_stream_close) struct inflate_stream *stream = NULL;
	bool ok = inflate_stream_open(descriptor, &options, &stream, &err);
	assert(ok);
	int damages = 0;
	do {
		ok = inflate_stream_next(stream, &piece, &err);
		assert(ok);
		if (piece.kind == INFLATE_WINDOW)
			buf_append_span(content, piece.bytes);
		good = good && piece.kind != INFLATE_DAMAGE;
		damages += piece.kind == INFLATE_DAMAGE;
		assert(piece.totals.bytes == (int64_t)content->size && !content->failed);
	} while (piece.kind != INFLATE_END);
	assert(damages <= INFLATE_DAMAGE_COUNT_MAX);
	if (damages < INFLATE_DAMAGE_COUNT_MAX)
		assert(piece.totals.compressed_bytes == (int64_t)file.size);
	*is_gzip = inflate_stream_is_gzip(stream);
	return good;
}

/* The lines and runs of NUL bytes of `content`, one a line. */
static void split_slowly(struct span content, struct buf *out)
{
	size_t at = content.size >= 3 && memcmp(content.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	while (at < content.size) {
		size_t begin = at;
		if (content.data[at] == '\0') {
			while (at < content.size && content.data[at] == '\0')
				at++;
			buf_printf(out, "%zu NUL\n", at - begin);
			continue;
		}
		while (at < content.size && content.data[at] != '\n' && content.data[at] != '\0')
			at++;
		size_t end = at > begin && content.data[at - 1] == '\r' ? at - 1 : at;
		struct span line = span_make(content.data + begin, end - begin);
		if (strspn(line.data, " \t\r") < line.size) {
			buf_append_span(out, line);
			buf_append_byte(out, '\n');
		}
		at += at < content.size && content.data[at] == '\n';
	}
}

static void check_line(const struct scan_plan *plan, struct span line)
{
	struct arena arena;
	struct event event;
	struct scan_problem problem;
	arena_init(&arena, (size_t)64 * 1024 * 1024);
	bool good = scan_event(plan, line, &arena, &event, &problem);
	arena_finish(&arena);
	struct salvage_sums sums = salvage_check(plan, line);
	if (!good)
		return;
	SALVAGE_DEMAND(sums.records == 1 && sums.rubbish == 0, line);
	/* Two places, which the line decides about. */
	size_t first = (size_t)(span_hash(line, 0) % line.size);
	for (size_t cut = first; cut < line.size; cut += 1 + line.size / 2)
		salvage_check_cut(plan, line, cut);
}

struct outcome {
	struct buf text; /* as split_slowly has it */
	bool refused;    /* not an archive, or an empty file */
	bool good;       /* no damage by gzip */
};

static void add_item(const struct archive_item *item, struct outcome *outcome)
{
	if (item->kind == ARCHIVE_LINE) {
		buf_append_span(&outcome->text, item->bytes);
		buf_append_byte(&outcome->text, '\n');
	} else if (item->kind == ARCHIVE_DAMAGE) {
		assert(item->reason && item->detail[0] && item->bytes.size <= ARCHIVE_DAMAGE_BYTES_MAX);
		assert((int64_t)item->bytes.size <= item->size);
		if (strcmp(item->reason, "nul-bytes") == 0)
			buf_printf(&outcome->text, "%lld NUL\n", (long long)item->size);
		else if (strncmp(item->reason, "gzip-", 5) == 0)
			outcome->good = false;
		else
			outcome->refused = true;
	}
}

static void read_archive(struct span file, struct archive_reader_options options, const struct scan_plan *plan,
	struct outcome *outcome)
{
	struct err err = {0};
	struct archive_item item = {0};
	struct archive_totals totals;
	CLEANUP(memory_file_close) int descriptor = memory_file_open(file);
	CLEANUP(archive_reader_close) struct archive_reader *reader = NULL;
	bool ok = archive_reader_open(memory_file_path(descriptor).text, &options, &reader, &err);
	assert(ok);
	int64_t offset = 0;
	int64_t line = 1;
	while (item.kind != ARCHIVE_END) {
		ok = archive_reader_next(reader, &item, &err);
		assert(ok && item.offset >= offset && item.line >= line);
		offset = item.offset + (item.kind == ARCHIVE_LINE ? (int64_t)item.bytes.size : 0);
		line = item.line;
		if (item.kind == ARCHIVE_LINE) {
			assert(!memchr(item.bytes.data, '\n', item.bytes.size) && !memchr(item.bytes.data, 0, item.bytes.size));
			check_line(plan, item.bytes);
		}
		add_item(&item, outcome);
		item.bytes = (struct span){0};
	}
	archive_reader_totals(reader, &totals);
	assert(totals.bytes == totals.line_bytes + totals.damage_bytes + totals.skipped_bytes);
	assert(totals.line_bytes >= 0 && totals.damage_bytes >= 0 && totals.skipped_bytes >= 0);
}

static void check_file(struct span file, struct archive_reader_options options, const struct scan_plan *plan)
{
	CLEANUP(buf_finish) struct buf expected = {.size_max = FILE_BYTES_MAX};
	CLEANUP(buf_finish) struct buf content = {.size_max = FILE_BYTES_MAX};
	CLEANUP(buf_finish) struct buf slow = {.size_max = 2 * FILE_BYTES_MAX};
	struct outcome outcome = {.good = true, .text = {.size_max = 2 * FILE_BYTES_MAX}};
	bool is_gzip;
	bool good = inflate_all(file, (struct inflate_options){options.inflate_ahead, options.window_bytes}, &content,
		&is_gzip);
	if (zlib_reads(file, &expected))
		assert(good && is_gzip && span_equal(buf_span(&content), buf_span(&expected)));
	else if (!is_gzip)
		assert(good && span_equal(buf_span(&content), file));
	read_archive(file, options, plan, &outcome);
	assert(outcome.good == good || outcome.refused);
	buf_clear(&slow);
	split_slowly(buf_span(&content), &slow);
	if (good && !outcome.refused)
		assert(span_equal(buf_span(&outcome.text), buf_span(&slow)));
	buf_finish(&outcome.text);
}

static const struct scan_plan *the_plan(void)
{
	static struct scan_plan *plan; /* for the life of the process, with its fields */
	static struct field_set *fields;
	struct err err = {0};
	if (!plan) {
		bool ok = field_set_create_default(&fields, &err);
		assert(ok);
		plan = scan_plan_create(fields);
	}
	return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	size_t orders = data[0] >> MODE_ORDERS_SHIFT & 3;
	unsigned window = data[0] >> MODE_WINDOW_SHIFT;
	unsigned wrap = data[0] & MODE_WRAP;
	if (size < 1 + orders * ORDER_BYTES)
		return 0;
	struct span content = span_make((const char *)data + 1 + orders * ORDER_BYTES, size - 1 - orders * ORDER_BYTES);
	CLEANUP(buf_finish) struct buf file = {.size_max = FILE_BYTES_MAX};
	size_t half = content.size / 2;
	if (wrap == 0)
		buf_append_span(&file, content);
	else if (wrap == 2)
		gzip_append(&file, span_make(content.data, half), 6, NULL);
	else
		gzip_append(&file, content, wrap == 3 ? 0 : 6, NULL);
	if (wrap == 2)
		gzip_append(&file, span_make(content.data + half, content.size - half), 1, NULL);
	damage(&file, data + 1, orders);
	/* A thread for a part of them only: it costs more than all the rest. */
	bool ahead = window == 15 && content.size % 8 == 0;
	struct archive_reader_options options = {ahead, window_sizes[window % ARRAY_COUNT(window_sizes)]};
	check_file(buf_span(&file), options, the_plan());
	return 0;
}
