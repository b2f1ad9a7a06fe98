/* SPDX-License-Identifier: Apache-2.0 */
/* zstd_stream.h - zstd frames (RFC 8878) written to and read from memory, with maxima.
 *
 * A file may begin with one skippable frame that carries our own header; `zstd -dc` passes over
 * it. */
#ifndef WRAP_ZSTD_STREAM_H
#define WRAP_ZSTD_STREAM_H

#include "base/buf.h"
#include "base/err.h"

/* Appends a skippable frame (magic 0x184D2A50) with `content` (under 4 GiB); see `out->failed`. */
void zstd_append_skippable(struct buf *out, struct span content);
/* Reads the skippable frame at the front of `bytes`. False when there is none or it is cut. */
bool zstd_read_skippable(struct span bytes, struct span *content_out, size_t *frame_size_out);

/* Appends one frame with a content checksum holding `content`. `level` 1..19. ERR_LOCAL, also when
 * it is more than the buffer may hold; then nothing was appended. */
MUST_CHECK bool zstd_compress(struct span content, int level, struct buf *out, struct err *err);

/* Is there a frame at the front of `bytes` that has a content checksum, and agrees with it? Its size and
 * its last decompressed byte (0: it is empty). False: no, whatever else it may be. */
bool zstd_frame_is_sound(struct span bytes, size_t *frame_size_out, char *last_out);
/* Where in `bytes` the next frame may begin, at `from` or behind it; bytes.size when nowhere. */
size_t zstd_find_frame(struct span bytes, size_t from);

/* Pulls decompressed bytes from memory that holds skippable frames and frames, none with a window
 * over 128 MiB. `compressed` is borrowed until the reader is closed; empty input is at its end. */
struct zstd_reader;
MUST_CHECK bool zstd_reader_open(struct span compressed, struct zstd_reader **reader_out,
				 struct err *err);
/* Appends up to `size_wanted` bytes (fewer only at the end); *end_out true when the input is
 * finished. Damaged or truncated input, or more than `out` may hold: ERR_INPUT; what came before it
 * has been appended, and so it stays with each further read. No memory: ERR_LOCAL. */
MUST_CHECK bool zstd_reader_read(struct zstd_reader *reader, struct buf *out, size_t size_wanted,
				 bool *end_out, struct err *err);
void zstd_reader_close(struct zstd_reader **reader);

#endif
