/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - allocation that cannot fail: out of memory ends the process, which is safe because
 * every stage can restart from what is on disk. Only base/ and `_create` functions allocate. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/span.h"

/* The end itself, for those to whom a library says so: a line on stderr, abort. */
_Noreturn void memory_exhausted(const char *what);

/* Zeroed; `count * size` may be 0. Free with free(). */
void *memory_allocate(size_t count, size_t size);

/* As realloc; new bytes are not zeroed. */
void *memory_resize(void *memory, size_t size);

char *memory_copy_text(const char *text);       /* NULL gives NULL */
char *memory_copy_span(struct span s);          /* NUL-terminated copy */
void memory_free_text(char **text);             /* for CLEANUP: frees and sets NULL */

#endif
