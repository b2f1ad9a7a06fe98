/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/etag.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static uint64_t mix(uint64_t value)
{
	value ^= value >> 30;
	value *= 0xbf58476d1ce4e5b9U;
	value ^= value >> 27;
	value *= 0x94d049bb133111ebU;
	return value ^ (value >> 31);
}

struct etag etag_make(struct span body, uint64_t salt)
{
	uint64_t hash = span_hash(body, mix(salt + 0x9e3779b97f4a7c15U));
	uint64_t words[4];
	for (unsigned i = 0; i < 4; i++)
		words[i] = mix(hash + (i + 1) * 0x9e3779b97f4a7c15U);
	struct etag etag;
	int size = snprintf(etag.text, sizeof(etag.text),
			    "W/\"%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "\"",
			    words[0], words[1], words[2], words[3]);
	assert(size > 0 && (size_t)size < sizeof(etag.text));
	return etag;
}

static struct span without_weak_mark(struct span tag)
{
	return span_starts_with(tag, "W/") ? span_make(tag.data + 2, tag.size - 2) : tag;
}

bool etag_matches(struct span if_none_match, const struct etag *etag)
{
	struct span wanted = without_weak_mark(span_of(etag->text));
	struct span rest = if_none_match;
	struct span item;
	while (span_split(rest, ',', &item, &rest))
		if (span_equal(without_weak_mark(span_trim(item)), wanted))
			return true;
	return rest.data && span_equal(without_weak_mark(span_trim(rest)), wanted);
}
