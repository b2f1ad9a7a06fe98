/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/gzip.h"

#include <assert.h>
#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
	STEP_BYTES = 16 * 1024,
	/* zlib: the largest window, and a gzip head is demanded. */
	WINDOW_BITS = 15 + 16,
};

static void finish_stream(z_stream *stream)
{
	(void)inflateEnd(stream);
}

/* One step of at most STEP_BYTES. */
static bool step(z_stream *stream, struct buf *out, int *result_out, struct err *err)
{
	unsigned char bytes[STEP_BYTES];
	stream->next_out = bytes;
	stream->avail_out = sizeof(bytes);
	int result = inflate(stream, Z_NO_FLUSH);
	if (result == Z_MEM_ERROR)
		return err_set(err, ERR_LOCAL, "gzip: out of memory");
	if (result == Z_BUF_ERROR)
		return err_set(err, ERR_INPUT, "gzip: cut short");
	if (result != Z_OK && result != Z_STREAM_END)
		return err_set(err, ERR_INPUT, "gzip: %s",
			       stream->msg ? stream->msg : "damaged");
	buf_append(out, bytes, sizeof(bytes) - stream->avail_out);
	if (out->failed)
		return err_set(err, ERR_INPUT, "gzip: the content is larger than %zu bytes",
			       out->size_max);
	*result_out = result;
	return true;
}

bool gzip_decompress(struct span compressed, struct buf *out, struct err *err)
{
	if (compressed.size == 0)
		return err_set(err, ERR_INPUT, "gzip: cut short");
	if (compressed.size > UINT_MAX)
		return err_set(err, ERR_INPUT, "gzip: larger than %u bytes", UINT_MAX);
	CLEANUP(finish_stream) z_stream stream = {0};
	if (inflateInit2(&stream, WINDOW_BITS) != Z_OK)
		return err_set(err, ERR_LOCAL, "gzip: zlib does not start");
	stream.next_in = (const unsigned char *)compressed.data;
	stream.avail_in = (unsigned)compressed.size;
	for (;;) {
		int result;
		if (!step(&stream, out, &result, err))
			return false;
		if (result != Z_STREAM_END)
			continue;
		if (stream.avail_in == 0)
			return true;
		result = inflateReset(&stream);
		assert(result == Z_OK);
	}
}
