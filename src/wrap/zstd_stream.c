/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/zstd_stream.h"

#include "base/memory.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

/* RFC 8878, 3.1.2: magic and size, both little-endian, then the content. */
static const uint32_t SKIPPABLE_MAGIC = 0x184D2A50;
enum { SKIPPABLE_HEADER_BYTES = 8 };

/* What `zstd -d` takes without being asked: a hostile frame may claim up to 2 GiB of window. */
enum { WINDOW_LOG_MAX = 27 };

enum { READ_STEP_BYTES = 128 * 1024 };

struct zstd_reader {
	ZSTD_DCtx *context;
	ZSTD_inBuffer in;
	bool in_frame; /* a frame has begun and not ended */
	bool failed;
};

void zstd_append_skippable(struct buf *out, struct span content)
{
	assert(content.size <= UINT32_MAX);
	uint32_t header[2] = {htole32(SKIPPABLE_MAGIC), htole32((uint32_t)content.size)};
	buf_append(out, header, sizeof(header));
	buf_append_span(out, content);
}

bool zstd_read_skippable(struct span bytes, struct span *content_out, size_t *frame_size_out)
{
	uint32_t header[2];
	static_assert(sizeof(header) == SKIPPABLE_HEADER_BYTES, "as RFC 8878 has it");
	if (bytes.size < sizeof(header))
		return false;
	memcpy(header, bytes.data, sizeof(header));
	size_t size = le32toh(header[1]);
	if (le32toh(header[0]) != SKIPPABLE_MAGIC || size > bytes.size - sizeof(header))
		return false;
	*content_out = (struct span){bytes.data + sizeof(header), size};
	*frame_size_out = sizeof(header) + size;
	return true;
}

static void free_compressor(ZSTD_CCtx **context)
{
	(void)ZSTD_freeCCtx(*context);
}

bool zstd_compress(struct span content, int level, struct buf *out, struct err *err)
{
	assert(level >= 1 && level <= 19);
	ZSTD_CCtx *context CLEANUP(free_compressor) = ZSTD_createCCtx();
	if (!context)
		return err_set(err, ERR_LOCAL, "zstd: out of memory");
	if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level))
		|| ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))
		return err_set(err, ERR_LOCAL, "zstd: level %d or checksum refused", level);
	size_t room = out->size_max - out->size;
	size_t bound = ZSTD_compressBound(content.size);
	if (room > bound)
		room = bound;
	char *target = buf_reserve(out, room);
	if (!target)
		return err_set(err, ERR_LOCAL, "zstd: a buffer that failed before");
	size_t size = ZSTD_compress2(context, target, room, content.data, content.size);
	if (ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall)
		return err_set(err, ERR_LOCAL, "zstd: more than %zu bytes", out->size_max);
	if (ZSTD_isError(size))
		return err_set(err, ERR_LOCAL, "zstd: %s", ZSTD_getErrorName(size));
	buf_commit(out, size);
	return true;
}

static void free_decompressor(ZSTD_DCtx **context)
{
	(void)ZSTD_freeDCtx(*context);
}

/* The magic number and the descriptor, whose bit 2 says that a checksum follows (RFC 8878, 3.1.1). */
static bool starts_checked_frame(struct span bytes)
{
	enum { MAGIC_BYTES = 4, CHECKSUM_FLAG = 4 };
	return bytes.size > MAGIC_BYTES && zstd_find_frame((struct span){bytes.data, MAGIC_BYTES}, 0) == 0
	       && (bytes.data[MAGIC_BYTES] & CHECKSUM_FLAG) != 0;
}

bool zstd_frame_is_sound(struct span bytes, size_t *frame_size_out, char *last_out)
{
	char target[16 * 1024];
	char last = 0;
	ZSTD_inBuffer in = {bytes.data, bytes.size, 0};
	ZSTD_DCtx *context CLEANUP(free_decompressor) = NULL;
	if (!starts_checked_frame(bytes))
		return false;
	context = ZSTD_createDCtx();
	if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return false;
	for (;;) {
		ZSTD_outBuffer out = {target, sizeof(target), 0};
		size_t in_before = in.pos;
		size_t code = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(code) || (code != 0 && out.pos == 0 && in.pos == in_before))
			return false;
		if (out.pos > 0)
			last = target[out.pos - 1];
		if (code == 0)
			break;
	}
	*frame_size_out = in.pos;
	*last_out = last;
	return true;
}

size_t zstd_find_frame(struct span bytes, size_t from)
{
	const uint32_t magic = htole32(ZSTD_MAGICNUMBER);
	if (from >= bytes.size)
		return bytes.size;
	const char *found = memmem(bytes.data + from, bytes.size - from, &magic, sizeof(magic));
	return found ? (size_t)(found - bytes.data) : bytes.size;
}

bool zstd_reader_open(struct span compressed, struct zstd_reader **reader_out, struct err *err)
{
	struct zstd_reader *reader CLEANUP(zstd_reader_close) = memory_allocate(1, sizeof(*reader));
	reader->in = (ZSTD_inBuffer){compressed.data, compressed.size, 0};
	reader->context = ZSTD_createDCtx();
	if (!reader->context)
		return err_set(err, ERR_LOCAL, "zstd: out of memory");
	size_t code = ZSTD_DCtx_setParameter(reader->context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	if (ZSTD_isError(code))
		return err_set(err, ERR_LOCAL, "zstd: %s", ZSTD_getErrorName(code));
	*reader_out = reader;
	reader = NULL;
	return true;
}

void zstd_reader_close(struct zstd_reader **reader)
{
	if (!*reader)
		return;
	(void)ZSTD_freeDCtx((*reader)->context);
	free(*reader);
	*reader = NULL;
}

static bool fail_reader(struct zstd_reader *reader, const char *what, struct err *err)
{
	reader->failed = true;
	return err_set(err, ERR_INPUT, "zstd: %s at byte %zu", what, reader->in.pos);
}

/* One step into `target`: *size_out 0 when the input ended, or gave nothing but frame heads. */
static bool pull(
	struct zstd_reader *reader, char *target, size_t size, size_t *size_out, struct err *err)
{
	ZSTD_outBuffer out = {target, size, 0};
	size_t code = ZSTD_decompressStream(reader->context, &out, &reader->in);
	*size_out = out.pos;
	/* No fault of the bytes: they must not be set aside for it. */
	if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
		return err_set(err, ERR_LOCAL, "zstd: out of memory");
	if (ZSTD_isError(code))
		return fail_reader(reader, ZSTD_getErrorName(code), err);
	reader->in_frame = code != 0;
	if (reader->in_frame && reader->in.pos == reader->in.size && out.pos < out.size)
		return fail_reader(reader, "cut off", err);
	return true;
}

static bool is_at_end(const struct zstd_reader *reader)
{
	return !reader->in_frame && reader->in.pos == reader->in.size;
}

bool zstd_reader_read(struct zstd_reader *reader, struct buf *out, size_t size_wanted,
	bool *end_out, struct err *err)
{
	if (reader->failed)
		return fail_reader(reader, "damaged", err);
	while (size_wanted > 0 && !is_at_end(reader)) {
		size_t left = out->size_max - out->size;
		size_t step = size_wanted < READ_STEP_BYTES ? size_wanted : READ_STEP_BYTES;
		if (step > left)
			step = left;
		/* With no room left, one byte more tells whether the content was at its end. */
		char probe;
		char *target = step > 0 ? buf_reserve(out, step) : &probe;
		if (!target)
			return err_set(err, ERR_LOCAL, "zstd: a buffer that failed before");
		size_t size = 0;
		bool ok = pull(reader, target, step > 0 ? step : 1, &size, err);
		if (step == 0 && size > 0) {
			reader->failed = true;
			return err_set(err, ERR_INPUT, "zstd: more than %zu bytes", out->size_max);
		}
		if (size > 0)
			buf_commit(out, size);
		if (!ok)
			return false;
		size_wanted -= size;
	}
	*end_out = is_at_end(reader);
	return true;
}
