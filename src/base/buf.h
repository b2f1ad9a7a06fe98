/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - a growing byte buffer that has a maximum and remembers its first failure.
 *
 * Append as often as you like and check `failed` once at the end: after a failure (the maximum
 * would be passed) nothing more is appended. The content is always followed by a NUL byte that is
 * not counted in `size`. Out of memory aborts: every stage can restart. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct buf {
	char *data;
	size_t size;
	size_t capacity;
	size_t size_max;
	bool failed;
};

void buf_init(struct buf *buf, size_t size_max);
void buf_finish(struct buf *buf); /* frees; may be called twice; a zeroed buf is fine */
void buf_clear(struct buf *buf);  /* keeps the memory, clears `failed` */

void buf_append(struct buf *buf, const void *data, size_t size);
void buf_append_span(struct buf *buf, struct span s);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_byte(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/* Room for `size` more bytes, to be written by the caller and then counted with buf_commit. NULL
 * after a failure. */
char *buf_reserve(struct buf *buf, size_t size);
void buf_commit(struct buf *buf, size_t size);

/* Removes `size` bytes at the front. */
void buf_consume(struct buf *buf, size_t size);

struct span buf_span(const struct buf *buf);

/* Hands the memory out (free() it) and leaves the buffer empty. NULL when it failed. */
char *buf_take(struct buf *buf, size_t *size_out);

#endif
