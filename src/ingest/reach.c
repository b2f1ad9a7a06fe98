/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/reach.h"

#include <assert.h>
#include <stdlib.h>

enum { STRAGGLERS_ONE_IN = 20 };

static int compare_times(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

int64_t reach_oldest_us(int64_t *times_us, size_t count)
{
	assert(count > 0);
	qsort(times_us, count, sizeof(*times_us), compare_times);
	return times_us[count / STRAGGLERS_ONE_IN];
}

int64_t reach_oldest_within_us(const int64_t *times_us, size_t count, int64_t span_us)
{
	assert(count > 0);
	int64_t newest_us = times_us[0];
	for (size_t i = 1; i < count; i++)
		if (times_us[i] > newest_us)
			newest_us = times_us[i];
	int64_t oldest_us = newest_us;
	for (size_t i = 0; i < count; i++)
		if (times_us[i] < oldest_us && newest_us - times_us[i] <= span_us)
			oldest_us = times_us[i];
	return oldest_us;
}
