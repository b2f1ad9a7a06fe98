/* SPDX-License-Identifier: Apache-2.0 */
#include "lake/feed_share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS_MAX = 5000, MEMORY_BYTES_MAX = 4 * 1024 * 1024 };

static const int64_t WINDOW_US = INT64_C(3600) * 1000000;

double feed_share_ratio(const struct feed_share *share)
{
	assert(share->known && share->elapsed_us > 0);
	return (double)share->covered_us / (double)share->elapsed_us;
}

static bool is_public(const struct sweep_coverage *coverage)
{
	return strcmp(coverage->stream, "/events") == 0;
}

/* Sweeps come in the order in which they were made, so each can only add what lies behind the end of
 * all before it: what an older one left out, a later one does not claim. */
static void add_stream(const struct sweep_coverage *coverages, size_t count, struct feed_share *share)
{
	int64_t start_us = coverages[0].to_us;
	int64_t end_us = start_us;
	int64_t covered_us = 0;
	share->streams++;
	for (size_t i = 1; i < count; i++) {
		int64_t from_us = coverages[i].from_us > end_us ? coverages[i].from_us : end_us;
		if (coverages[i].to_us <= end_us)
			continue;
		covered_us += coverages[i].to_us - from_us;
		end_us = coverages[i].to_us;
	}
	if (end_us == start_us)
		return;
	if (!share->known || start_us < share->from_us)
		share->from_us = start_us;
	if (end_us > share->to_us)
		share->to_us = end_us;
	share->known = true;
	share->sweeps += (int64_t)count;
	share->covered_us += covered_us;
	share->elapsed_us += end_us - start_us;
}

void feed_share_measure(const struct sweep_coverage *coverages, size_t count, struct feed_share *public_out,
			struct feed_share *watched_out)
{
	*public_out = (struct feed_share){0};
	*watched_out = (struct feed_share){0};
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && strcmp(coverages[next].stream, coverages[i].stream) == 0)
			next++;
		add_stream(coverages + i, next - i, is_public(&coverages[i]) ? public_out : watched_out);
	}
}

bool feed_share_read(struct catalog *catalog, int64_t now_us, struct feed_share *public_out,
		     struct feed_share *watched_out, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = MEMORY_BYTES_MAX};
	const struct sweep_coverage *coverages;
	size_t count;
	if (!catalog_list_coverage(catalog, now_us - WINDOW_US, SWEEPS_MAX, &arena, &coverages, &count, err))
		return false;
	feed_share_measure(coverages, count, public_out, watched_out);
	return true;
}
