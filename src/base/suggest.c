/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

#include <ctype.h>
#include <string.h>

enum { WORD_BYTES_MAX = 64 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance. */
static size_t distance(struct span a, struct span b)
{
	size_t rows[3][WORD_BYTES_MAX + 1];
	for (size_t j = 0; j <= b.size; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			int from = tolower((unsigned char)a.data[i - 1]);
			int to = tolower((unsigned char)b.data[j - 1]);
			row[j] = smaller(smaller(above[j] + 1, row[j - 1] + 1), above[j - 1] + (from != to));
			bool swapped = i > 1 && j > 1 && from == tolower((unsigned char)b.data[j - 2])
				       && to == tolower((unsigned char)a.data[i - 2]);
			if (swapped)
				row[j] = smaller(row[j], rows[(i - 2) % 3][j - 2] + 1);
		}
	}
	return rows[a.size % 3][b.size];
}

const char *suggest_word(struct span word, const char *const *candidates, size_t candidate_count)
{
	if (word.size == 0 || word.size > WORD_BYTES_MAX)
		return NULL;
	const char *nearest = NULL;
	size_t nearest_distance = word.size / 3 > 0 ? word.size / 3 : 1;
	for (size_t i = 0; i < candidate_count; i++) {
		struct span candidate = span_of(candidates[i]);
		if (candidate.size == 0 || candidate.size > WORD_BYTES_MAX)
			continue;
		size_t found = distance(word, candidate);
		if (found < nearest_distance || (found == nearest_distance && !nearest)) {
			nearest = candidates[i];
			nearest_distance = found;
		}
	}
	return nearest;
}
