/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES_MIN = 4096, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t capacity;
	_Alignas(ALIGNMENT) char data[];
};

void arena_init(struct arena *arena, size_t size_max)
{
	assert(size_max > 0 && size_max < SIZE_MAX / 4);
	*arena = (struct arena){.size_max = size_max};
}

void arena_finish(struct arena *arena)
{
	struct arena_block *block = arena->blocks;
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	*arena = (struct arena){.size_max = arena->size_max};
}

void arena_reset(struct arena *arena)
{
	struct arena_block *kept = arena->blocks;
	if (kept) {
		arena->blocks = kept->next;
		kept->next = NULL;
	}
	arena_finish(arena);
	if (kept) {
		memset(kept->data, 0, kept->used);
		kept->used = 0;
	}
	arena->blocks = kept;
}

void *arena_allocate(struct arena *arena, size_t count, size_t size)
{
	assert(arena->size_max > 0);
	size_t bytes;
	if (arena->failed || __builtin_mul_overflow(count, size, &bytes)
	    || bytes > arena->size_max - arena->size) {
		arena->failed = true;
		return NULL;
	}
	size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct arena_block *block = arena->blocks;
	if (!block || rounded > block->capacity - block->used) {
		/* Blocks double, so a large unit of work takes few of them. */
		size_t capacity = block ? block->capacity * 2 : BLOCK_BYTES_MIN;
		if (capacity > 1024 * 1024)
			capacity = 1024 * 1024;
		if (capacity < rounded)
			capacity = rounded;
		block = memory_allocate(1, sizeof(*block) + capacity);
		block->capacity = capacity;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	void *memory = block->data + block->used;
	block->used += rounded;
	arena->size += bytes;
	return memory;
}

struct span arena_copy(struct arena *arena, struct span s)
{
	if (!s.data)
		return s;
	char *copy = arena_allocate(arena, s.size + 1, 1);
	if (!copy)
		return (struct span){0};
	memcpy(copy, s.data, s.size);
	return (struct span){copy, s.size};
}

char *arena_copy_text(struct arena *arena, struct span s)
{
	char *copy = arena_allocate(arena, s.size + 1, 1);
	if (copy && s.size > 0)
		memcpy(copy, s.data, s.size);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	assert(size >= 0);
	char *text = arena_allocate(arena, (size_t)size + 1, 1);
	if (text)
		(void)vsnprintf(text, (size_t)size + 1, format, again);
	va_end(again);
	return text;
}
