/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h - "did you mean": the nearest known word to a misspelt one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include "base/span.h"

/* The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours),
 * ignoring case, when that distance is at most a third of the word's length (at least 1); else
 * NULL. Words over 64 bytes have no neighbour. */
const char *suggest_word(struct span word, const char *const *candidates, size_t candidate_count);

#endif
