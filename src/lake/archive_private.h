/* SPDX-License-Identifier: Apache-2.0 */
/* archive_private.h - what the bytes of an archive look like; for archive_*.c only. */
#ifndef LAKE_ARCHIVE_PRIVATE_H
#define LAKE_ARCHIVE_PRIVATE_H

#include "base/span.h"

/* Spaces, tabs, line ends, or nothing. */
bool archive_is_blank(struct span s);

/* `{`, blanks, a quote, a letter: what every event begins with. In valid JSON that is always an object's
 * beginning, never text: a quote inside of a string has a backslash before it, and the quote that ends
 * one (`"a{"`) has no letter behind it. */
bool archive_is_object_start(struct span s, size_t at);

/* Where in `line` the last object begins that follows another object's bracket, which valid JSON has
 * nowhere: 0 when none. */
size_t archive_find_last_seam(struct span line);

/* What a file is that begins like this and is no JSON lines, in words; NULL when it may be some. `whole`:
 * there is no more of it. Short beginnings of a long file (under 4 KiB) are judged by their marks alone. */
const char *archive_foreign_name(struct span first, bool whole);

#endif
