/* SPDX-License-Identifier: Apache-2.0 */
/* archive_reader.c - windows to lines. Lines are found inside the windows and lie there; only one that
 * windows share is copied. */
#include "lake/archive_reader.h"

#include "base/buf.h"
#include "base/memory.h"
#include "lake/archive_private.h"
#include "lake/scan.h"
#include "wrap/inflate_stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A longer line's memory is given back behind it. */
enum { CARRY_KEPT_BYTES = 1024 * 1024 };

/* What comes when the bytes at hand are used up. */
enum boundary { BOUNDARY_NONE, BOUNDARY_DAMAGE, BOUNDARY_END };

struct archive_reader {
	int descriptor;
	size_t window_bytes;
	struct inflate_stream *stream;
	struct inflate_piece piece; /* the window, or what stands behind `boundary` */
	enum boundary boundary;
	bool begun;
	bool ended;
	/* ---- in the window ---- */
	const char *at;
	const char *end;
	const char *nul; /* the first NUL byte from `at` on; `end` when none */
	/* ---- of the line at `at` ---- */
	struct buf carry;      /* its bytes from windows before */
	size_t carry_lent;     /* of them in the caller's hands: gone with the next call */
	int64_t too_long;      /* over 0: so many bytes of it are passed over, carry holds the first */
	int64_t nul_count;     /* of the run of NUL bytes that ends at `at` */
	int64_t offset;        /* of `at` */
	int64_t line;
	struct archive_totals totals;
};

static void close_file(struct archive_reader *reader)
{
	if (reader->descriptor >= 0)
		(void)close(reader->descriptor);
}

bool archive_reader_open(const char *path, const struct archive_reader_options *options,
	struct archive_reader **reader_out, struct err *err)
{
	struct archive_reader *reader CLEANUP(archive_reader_close) = memory_allocate(1, sizeof(*reader));
	struct stat status;
	reader->line = 1;
	reader->window_bytes = options->window_bytes > 0 ? options->window_bytes : INFLATE_WINDOW_BYTES_MAX;
	assert(reader->window_bytes >= 16);
	buf_init(&reader->carry, SCAN_EVENT_BYTES_MAX);
	reader->descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (reader->descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "%.900s", path);
	if (fstat(reader->descriptor, &status) == 0 && S_ISDIR(status.st_mode))
		return err_set_errno(err, ERR_LOCAL, EISDIR, "%.900s", path);
	const struct inflate_options inflate_options = {options->inflate_ahead, reader->window_bytes};
	if (!inflate_stream_open(reader->descriptor, &inflate_options, &reader->stream, err))
		return err_wrap(err, "%.900s", path);
	*reader_out = reader;
	reader = NULL;
	return true;
}

void archive_reader_close(struct archive_reader **reader)
{
	if (!*reader)
		return;
	inflate_stream_close(&(*reader)->stream);
	close_file(*reader);
	buf_finish(&(*reader)->carry);
	free(*reader);
	*reader = NULL;
}

void archive_reader_totals(const struct archive_reader *reader, struct archive_totals *totals_out)
{
	*totals_out = reader->totals;
	totals_out->compressed_bytes = reader->piece.totals.compressed_bytes;
	totals_out->bytes = reader->piece.totals.bytes;
	totals_out->members = reader->piece.totals.members;
}

/* ---- items ---- */

static void give_damage(struct archive_reader *reader, const char *reason, struct span bytes, int64_t size,
	struct archive_item *item)
{
	if (bytes.size > ARCHIVE_DAMAGE_BYTES_MAX)
		bytes.size = ARCHIVE_DAMAGE_BYTES_MAX;
	*item = (struct archive_item){
		.kind = ARCHIVE_DAMAGE,
		.bytes = bytes,
		.offset = reader->offset,
		.line = reader->line,
		.reason = reason,
		.size = size,
	};
	reader->totals.damages++;
}

/* A line or a piece of one that ends before `at`, by `behind` bytes. False when it is blank. */
static bool give_line(struct archive_reader *reader, struct span line, size_t behind, struct archive_item *item)
{
	int64_t offset = reader->offset - (int64_t)(line.size + behind);
	size_t size = line.size;
	if (size > 0 && line.data[size - 1] == '\r')
		line.size--;
	if (archive_is_blank(line))
		line.size = 0;
	reader->totals.skipped_bytes += (int64_t)(size - line.size);
	if (line.size == 0)
		return false;
	*item = (struct archive_item){.kind = ARCHIVE_LINE, .bytes = line, .offset = offset, .line = reader->line};
	reader->totals.lines++;
	reader->totals.line_bytes += (int64_t)line.size;
	return true;
}

/* The bytes in carry as a line, to be dropped with the next call. */
static bool give_carry(struct archive_reader *reader, size_t size, size_t behind, struct archive_item *item)
{
	reader->carry_lent = size;
	return give_line(reader, span_make(reader->carry.data, size), behind, item);
}

static bool give_too_long(struct archive_reader *reader, size_t behind, struct archive_item *item)
{
	int64_t size = reader->too_long;
	reader->too_long = 0;
	reader->carry_lent = reader->carry.size;
	give_damage(reader, "line-too-long", buf_span(&reader->carry), size, item);
	item->offset -= size + (int64_t)behind;
	(void)snprintf(item->detail, sizeof(item->detail), "a line of %" PRId64 " bytes, at most %d are read", size,
		SCAN_EVENT_BYTES_MAX);
	reader->totals.damage_bytes += size;
	return true;
}

static bool give_nul(struct archive_reader *reader, struct archive_item *item)
{
	int64_t count = reader->nul_count;
	reader->nul_count = 0;
	give_damage(reader, "nul-bytes", (struct span){0}, count, item);
	item->offset -= count;
	(void)snprintf(item->detail, sizeof(item->detail), "%" PRId64 " NUL bytes", count);
	reader->totals.damage_bytes += count;
	return true;
}

/* What of a line or a run is open when the window, or the file, ends. False: nothing. */
static bool give_rest(struct archive_reader *reader, struct archive_item *item)
{
	if (reader->nul_count > 0)
		return give_nul(reader, item);
	if (reader->too_long > 0)
		return give_too_long(reader, 0, item);
	return reader->carry.size > 0 && give_carry(reader, reader->carry.size, 0, item);
}

/* ---- from the stream ---- */

static void give_stream_damage(struct archive_reader *reader, struct archive_item *item)
{
	static const char *const reasons[] = {
		[INFLATE_TRUNCATED] = "gzip-truncated",
		[INFLATE_BAD_DATA] = "gzip-damaged",
		[INFLATE_BAD_CHECKSUM] = "gzip-damaged",
		[INFLATE_TRAILING] = "gzip-trailing-bytes",
		[INFLATE_BOMB] = "gzip-bomb",
	};
	const struct inflate_piece *piece = &reader->piece;
	assert(piece->damage < ARRAY_COUNT(reasons));
	give_damage(reader, reasons[piece->damage], piece->bytes, piece->file_bytes, item);
	(void)snprintf(item->detail, sizeof(item->detail),
		"%s, at byte %" PRId64 " of the file; %" PRId64 " bytes of it are not read", piece->words,
		piece->file_offset, piece->file_bytes);
}

/* The whole file is something else: all that was read of it is damage. */
static void refuse_file(struct archive_reader *reader, const char *reason, const char *what,
	struct archive_item *item)
{
	give_damage(reader, reason, span_make(reader->at, (size_t)(reader->end - reader->at)),
		reader->end - reader->at, item);
	(void)snprintf(item->detail, sizeof(item->detail), "%s", what);
	reader->totals.damage_bytes += reader->end - reader->at;
	reader->at = reader->end;
	reader->boundary = BOUNDARY_END;
}

static void skip(struct archive_reader *reader, size_t count)
{
	reader->at += count;
	reader->offset += (int64_t)count;
}

/* Looks at the file's first window. True: it is no archive, *item says so. */
static bool refuse_first_window(struct archive_reader *reader, struct archive_item *item)
{
	static const char mark[] = "\xef\xbb\xbf";
	enum { MARK_BYTES = sizeof(mark) - 1 };
	if (reader->boundary == BOUNDARY_END && reader->piece.totals.compressed_bytes == 0) {
		refuse_file(reader, "empty-file", "not one byte", item);
		return true;
	}
	if (reader->boundary != BOUNDARY_NONE)
		return false;
	bool whole = reader->piece.bytes.size < reader->window_bytes;
	const char *what = archive_foreign_name(reader->piece.bytes, whole);
	if (what) {
		refuse_file(reader, "not-an-archive", what, item);
		return true;
	}
	if (reader->end - reader->at >= MARK_BYTES && memcmp(reader->at, mark, MARK_BYTES) == 0) {
		skip(reader, MARK_BYTES);
		reader->totals.skipped_bytes += MARK_BYTES;
	}
	return false;
}

static void find_nul(struct archive_reader *reader)
{
	reader->nul = reader->end;
	if (reader->at == reader->end)
		return;
	const char *found = memchr(reader->at, '\0', (size_t)(reader->end - reader->at));
	if (found)
		reader->nul = found;
}

/* The next window, or a boundary. */
static bool load(struct archive_reader *reader, struct err *err)
{
	if (!inflate_stream_next(reader->stream, &reader->piece, err))
		return false;
	reader->at = reader->end = NULL;
	if (reader->piece.kind == INFLATE_WINDOW) {
		reader->at = reader->piece.bytes.data;
		reader->end = reader->at + reader->piece.bytes.size;
	} else {
		reader->boundary = reader->piece.kind == INFLATE_END ? BOUNDARY_END : BOUNDARY_DAMAGE;
	}
	return true;
}

/* ---- lines ---- */

/* No end in sight: what the window still holds goes into carry, as far as a line may go. */
static bool carry_on(struct archive_reader *reader, size_t size, struct archive_item *item)
{
	size_t room = SCAN_EVENT_BYTES_MAX - reader->carry.size;
	if (reader->too_long > 0) {
		reader->too_long += (int64_t)size;
		skip(reader, size);
		return false;
	}
	size_t taken = size < room ? size : room;
	buf_append(&reader->carry, reader->at, taken);
	skip(reader, taken);
	if (taken == size)
		return false;
	/* A whole hour on one line: all but the last object, which may not be complete. */
	size_t seam = archive_find_last_seam(buf_span(&reader->carry));
	if (seam > 0) {
		size_t behind = reader->carry.size - seam;
		return give_carry(reader, seam, behind, item);
	}
	reader->too_long = (int64_t)reader->carry.size;
	reader->carry.size = ARCHIVE_DAMAGE_BYTES_MAX;
	return false;
}

/* What stands from `at` to `stop`, where its end is: a line feed or a NUL byte. */
static bool end_line(struct archive_reader *reader, const char *stop, struct archive_item *item)
{
	size_t size = (size_t)(stop - reader->at);
	size_t terminator = *stop == '\n';
	bool given = false;
	/* Too much for carry: as much as goes, and once more from there. */
	if (reader->too_long == 0 && size > SCAN_EVENT_BYTES_MAX - reader->carry.size)
		return carry_on(reader, size, item);
	if (reader->too_long > 0) {
		(void)carry_on(reader, size, item);
		skip(reader, terminator);
		given = give_too_long(reader, terminator, item);
	} else if (reader->carry.size > 0) {
		buf_append(&reader->carry, reader->at, size);
		skip(reader, size + terminator);
		given = give_carry(reader, reader->carry.size, terminator, item);
	} else {
		const char *begin = reader->at;
		skip(reader, size + terminator);
		given = give_line(reader, span_make(begin, size), terminator, item);
	}
	reader->totals.skipped_bytes += (int64_t)terminator;
	reader->totals.line_feeds += (int64_t)terminator;
	reader->line += (int64_t)terminator;
	return given;
}

static bool pass_nul_bytes(struct archive_reader *reader, struct archive_item *item)
{
	const char *at = reader->at;
	while (at < reader->end && *at == '\0')
		at++;
	reader->nul_count += at - reader->at;
	skip(reader, (size_t)(at - reader->at));
	find_nul(reader);
	return reader->at < reader->end && give_nul(reader, item);
}

/* A step forward in the window. True: *item came of it. */
static bool step(struct archive_reader *reader, struct archive_item *item)
{
	bool open = reader->carry.size > 0;
	if (reader->at == reader->nul && !open)
		return pass_nul_bytes(reader, item);
	if (reader->nul_count > 0)
		return give_nul(reader, item);
	const char *stop = memchr(reader->at, '\n', (size_t)(reader->nul - reader->at));
	if (!stop && reader->nul == reader->end)
		return carry_on(reader, (size_t)(reader->end - reader->at), item);
	return end_line(reader, stop ? stop : reader->nul, item);
}

/* Drops what the caller had until now. */
static void take_back(struct archive_reader *reader)
{
	struct buf *carry = &reader->carry;
	if (reader->carry_lent == 0)
		return;
	if (reader->carry_lent < carry->size)
		buf_consume(carry, reader->carry_lent);
	else if (carry->capacity > CARRY_KEPT_BYTES)
		buf_finish(carry);
	else
		buf_clear(carry);
	reader->carry_lent = 0;
}

/* At the end of the window: what is open there, then what the stream has to say. True: *item came. */
static bool pass_boundary(struct archive_reader *reader, struct archive_item *item)
{
	if (give_rest(reader, item))
		return true;
	take_back(reader);
	if (reader->boundary == BOUNDARY_DAMAGE) {
		give_stream_damage(reader, item);
		reader->boundary = BOUNDARY_NONE;
	} else {
		*item = (struct archive_item){.kind = ARCHIVE_END, .offset = reader->offset, .line = reader->line};
	}
	return true;
}

bool archive_reader_next(struct archive_reader *reader, struct archive_item *item_out, struct err *err)
{
	struct archive_item item;
	take_back(reader);
	for (;;) {
		if (reader->at < reader->end) {
			if (step(reader, &item))
				break;
			take_back(reader);
		} else if (reader->boundary != BOUNDARY_NONE) {
			if (pass_boundary(reader, &item))
				break;
		} else {
			if (!load(reader, err))
				return false;
			bool first = !reader->begun;
			reader->begun = true;
			if (first && refuse_first_window(reader, &item))
				break;
			find_nul(reader);
		}
	}
	*item_out = item;
	return true;
}
