/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void memory_exhausted(const char *what)
{
	(void)fprintf(stderr, "octolake: out of memory (%s); stopping, nothing stored is lost\n", what);
	abort();
}

static void *out_of_memory(size_t size)
{
	char what[48];
	(void)snprintf(what, sizeof(what), "%zu bytes wanted", size);
	memory_exhausted(what);
}

void *memory_allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	return memory ? memory : out_of_memory(size);
}

void *memory_resize(void *memory, size_t size)
{
	void *resized = realloc(memory, size ? size : 1);
	return resized ? resized : out_of_memory(size);
}

char *memory_copy_span(struct span s)
{
	char *copy = memory_allocate(s.size + 1, 1);
	if (s.size > 0)
		memcpy(copy, s.data, s.size);
	return copy;
}

char *memory_copy_text(const char *text)
{
	return text ? memory_copy_span(span_of(text)) : NULL;
}

void memory_free_text(char **text)
{
	free(*text);
	*text = NULL;
}
