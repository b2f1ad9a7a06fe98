/* SPDX-License-Identifier: Apache-2.0 */
/* derived_id.c - from the canonical text (canonical_text.c) to the id: XXH64 for one text at once. */
#include "lake/derived_id.h"

static const uint64_t PRIME_1 = UINT64_C(0x9e3779b185ebca87);
static const uint64_t PRIME_2 = UINT64_C(0xc2b2ae3d27d4eb4f);
static const uint64_t PRIME_3 = UINT64_C(0x165667b19e3779f9);
static const uint64_t PRIME_4 = UINT64_C(0x85ebca77c2b2ae63);
static const uint64_t PRIME_5 = UINT64_C(0x27d4eb2f165667c5);

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* Little-endian on every machine. */
static uint64_t read_four(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24;
}

static uint64_t read_eight(const unsigned char *at)
{
	return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24
	       | (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48
	       | (uint64_t)at[7] << 56;
}

static uint64_t mix_lane(uint64_t lane, uint64_t word)
{
	return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

static uint64_t hash_stripes(const unsigned char **at, const unsigned char *end)
{
	uint64_t lanes[4] = {PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1};
	while (end - *at >= 32) {
		for (size_t i = 0; i < 4; i++)
			lanes[i] = mix_lane(lanes[i], read_eight(*at + 8 * i));
		*at += 32;
	}
	uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12)
			+ rotate(lanes[3], 18);
	for (size_t i = 0; i < 4; i++)
		hash = (hash ^ mix_lane(0, lanes[i])) * PRIME_1 + PRIME_4;
	return hash;
}

uint64_t derived_id_hash(struct span text)
{
	const unsigned char *at = (const unsigned char *)(text.data ? text.data : "");
	const unsigned char *end = at + text.size;
	uint64_t hash = (text.size >= 32 ? hash_stripes(&at, end) : PRIME_5) + text.size;
	for (; end - at >= 8; at += 8)
		hash = rotate(hash ^ mix_lane(0, read_eight(at)), 27) * PRIME_1 + PRIME_4;
	if (end - at >= 4) {
		hash = rotate(hash ^ (read_four(at) * PRIME_1), 23) * PRIME_2 + PRIME_3;
		at += 4;
	}
	for (; at < end; at++)
		hash = rotate(hash ^ (*at * PRIME_5), 11) * PRIME_1;
	hash = (hash ^ hash >> 33) * PRIME_2;
	hash = (hash ^ hash >> 29) * PRIME_3;
	return hash ^ hash >> 32;
}

int64_t derived_id(struct span json)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, DERIVED_ID_TEXT_BYTES_MAX);
	derived_id_write_text(json, &text);
	uint64_t bits = derived_id_hash(buf_span(&text)) >> 1;
	return bits == 0 ? -1 : -(int64_t)bits;
}
