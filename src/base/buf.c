/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t size_max)
{
	assert(size_max > 0 && size_max < SIZE_MAX / 2);
	*buf = (struct buf){.size_max = size_max};
}

void buf_finish(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){.size_max = buf->size_max};
}

void buf_clear(struct buf *buf)
{
	buf->size = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t size)
{
	assert(buf->size_max > 0);
	if (buf->failed || size > buf->size_max - buf->size) {
		buf->failed = true;
		return NULL;
	}
	size_t needed = buf->size + size + 1;
	if (needed > buf->capacity) {
		size_t capacity = buf->capacity ? buf->capacity : 256;
		while (capacity < needed)
			capacity *= 2;
		if (capacity > buf->size_max + 1)
			capacity = buf->size_max + 1;
		buf->data = memory_resize(buf->data, capacity);
		buf->capacity = capacity;
	}
	return buf->data + buf->size;
}

void buf_commit(struct buf *buf, size_t size)
{
	assert(size < buf->capacity - buf->size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
	char *room = buf_reserve(buf, size);
	if (!room)
		return;
	if (size > 0)
		memcpy(room, data, size);
	buf_commit(buf, size);
}

void buf_append_span(struct buf *buf, struct span s)
{
	buf_append(buf, s.data, s.size);
}

void buf_append_text(struct buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void buf_append_byte(struct buf *buf, char byte)
{
	buf_append(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(size >= 0);
	char *room = buf_reserve(buf, (size_t)size);
	if (room) {
		(void)vsnprintf(room, (size_t)size + 1, format, again);
		buf_commit(buf, (size_t)size);
	}
	va_end(again);
}

void buf_consume(struct buf *buf, size_t size)
{
	assert(size <= buf->size);
	if (size == 0)
		return;
	memmove(buf->data, buf->data + size, buf->size - size + 1);
	buf->size -= size;
}

struct span buf_span(const struct buf *buf)
{
	return (struct span){buf->data ? buf->data : "", buf->size};
}

char *buf_take(struct buf *buf, size_t *size_out)
{
	if (buf->failed)
		return NULL;
	char *data = buf_reserve(buf, 0);
	assert(data);
	*data = '\0';
	data = buf->data;
	*size_out = buf->size;
	*buf = (struct buf){.size_max = buf->size_max};
	return data;
}
