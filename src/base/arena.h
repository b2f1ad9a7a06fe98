/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory for one unit of work (a request, a batch, a page), freed all at once.
 *
 * Zeroed, aligned for any type, capped: past `size_max` bytes arena_allocate returns NULL and
 * `failed` stays set, so a unit of work may check once at the end where NULL is not followed. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t size;                /* bytes handed out */
	size_t size_max;
	bool failed;
};

void arena_init(struct arena *arena, size_t size_max);
void arena_finish(struct arena *arena); /* frees all; a zeroed arena is fine; may be called twice */
void arena_reset(struct arena *arena);  /* forgets all, keeps one block, clears `failed` */

void *arena_allocate(struct arena *arena, size_t count, size_t size);
/* A copy that is NUL-terminated behind its size. Absent span (data NULL) stays absent; so does
 * every copy after the cap was hit. */
struct span arena_copy(struct arena *arena, struct span s);
char *arena_copy_text(struct arena *arena, struct span s);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
