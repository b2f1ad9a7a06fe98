/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - cuts the top-level array of a JSON text into its elements without changing a byte.
 *
 * A recorded page must be served again exactly as GitHub sent it, so elements are never parsed and
 * rendered anew. Only brackets and strings are looked at: elements that are themselves broken
 * (bad UTF-8, bad numbers) pass, as they must for pages that are broken on purpose. */
#ifndef FAKE_GITHUB_SLICE_H
#define FAKE_GITHUB_SLICE_H

#include "base/err.h"
#include "base/span.h"

enum { SLICE_DEPTH_MAX = 256 };

struct slice_list {
	struct span *elements; /* borrowed from the text that was cut */
	size_t count;
	size_t capacity;
};

/* Cuts `text`, which may be pretty printed, into its elements. ERR_INPUT when it is not one array
 * with nothing but blanks around it, or when a bracket or string is not closed. On success finish
 * the list with slice_finish. */
MUST_CHECK bool slice_array(struct span text, struct slice_list *list_out, struct err *err);

void slice_finish(struct slice_list *list); /* a zeroed list is fine */

#endif
