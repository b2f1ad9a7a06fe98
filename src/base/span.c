/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

struct span span_of(const char *text)
{
	return (struct span){text, text ? strlen(text) : 0};
}

struct span span_make(const char *data, size_t size)
{
	assert(data || size == 0);
	return (struct span){data, size};
}

bool span_equal(struct span a, struct span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool span_equal_text(struct span a, const char *text)
{
	return span_equal(a, span_of(text));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool span_equal_ignore_case(struct span a, struct span b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool span_starts_with(struct span s, const char *prefix)
{
	size_t size = strlen(prefix);
	return s.size >= size && (size == 0 || memcmp(s.data, prefix, size) == 0);
}

bool span_ends_with(struct span s, const char *suffix)
{
	size_t size = strlen(suffix);
	return s.size >= size && (size == 0 || memcmp(s.data + s.size - size, suffix, size) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.size > 0 && is_blank(s.data[0])) {
		s.data++;
		s.size--;
	}
	while (s.size > 0 && is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

int span_compare(struct span a, struct span b)
{
	size_t shared = a.size < b.size ? a.size : b.size;
	int order = shared ? memcmp(a.data, b.data, shared) : 0;
	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

bool span_split(struct span s, char separator, struct span *head_out, struct span *rest_out)
{
	const char *at = s.size ? memchr(s.data, separator, s.size) : NULL;
	if (!at)
		return false;
	size_t head_size = (size_t)(at - s.data);
	*head_out = (struct span){s.data, head_size};
	*rest_out = (struct span){at + 1, s.size - head_size - 1};
	return true;
}

bool span_parse_int64(struct span s, int64_t *value_out)
{
	bool negative = s.size > 0 && s.data[0] == '-';
	size_t i = negative ? 1 : 0;
	if (i == s.size)
		return false;
	int64_t value = 0;
	for (; i < s.size; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return false;
		int digit = s.data[i] - '0';
		if (__builtin_mul_overflow(value, 10, &value)
		    || __builtin_sub_overflow(value, digit, &value))
			return false;
	}
	/* Summed up as a negative number, because INT64_MIN has no positive twin. */
	if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return false;
	*value_out = value;
	return true;
}

bool span_parse_double(struct span s, double *value_out)
{
	char text[64];
	if (s.size == 0 || s.size >= sizeof(text))
		return false;
	memcpy(text, s.data, s.size);
	text[s.size] = '\0';
	/* strtod also reads hexadecimal, "inf" and "nan": none of them is a number to us. */
	if (strspn(text, "0123456789+-.eE") != s.size)
		return false;
	char *end = NULL;
	double value = strtod(text, &end);
	if (end != text + s.size || !isfinite(value))
		return false;
	*value_out = value;
	return true;
}

/* Bytes of the UTF-8 sequence at `p` (at most `left`), 0 when malformed. RFC 3629, section 4. */
static size_t utf8_sequence_size(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t size;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		size = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		size = 3;
		low = p[0] == 0xe0 ? 0xa0 : low;
		high = p[0] == 0xed ? 0x9f : high;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		size = 4;
		low = p[0] == 0xf0 ? 0x90 : low;
		high = p[0] == 0xf4 ? 0x8f : high;
	} else {
		return 0;
	}
	if (left < size || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

size_t span_utf8_size(struct span s)
{
	return s.size > 0 ? utf8_sequence_size((const unsigned char *)s.data, s.size) : 0;
}

size_t span_printable_size(struct span s)
{
	size_t size = span_utf8_size(s);
	unsigned char first = size > 0 ? (unsigned char)s.data[0] : 0;
	bool is_c1 = first == 0xc2 && (unsigned char)s.data[1] < 0xa0;
	return first < 0x20 || first == 0x7f || is_c1 ? 0 : size;
}

/* Passes ASCII, 64 bytes at a time and then 16 (8 where there is no SSE2), up to the byte beyond it or close
 * to the end. */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
#ifdef __SSE2__
	for (; end - at >= 64; at += 64) {
		const __m128i *words = (const __m128i *)(const void *)at;
		__m128i low = _mm_or_si128(_mm_loadu_si128(words), _mm_loadu_si128(words + 1));
		__m128i high = _mm_or_si128(_mm_loadu_si128(words + 2), _mm_loadu_si128(words + 3));
		if (_mm_movemask_epi8(_mm_or_si128(low, high)) != 0)
			break;
	}
	for (; end - at >= 16; at += 16) {
		int beyond = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)at));
		if (beyond != 0)
			return at + __builtin_ctz((unsigned)beyond);
	}
#else
	for (uint64_t word; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
#endif
	while (at < end && *at < 0x80)
		at++;
	return at;
}

bool span_is_utf8(struct span s)
{
	const unsigned char *at = (const unsigned char *)s.data;
	const unsigned char *end = at + s.size;
	while (s.size > 0 && (at = skip_ascii(at, end)) < end)
		/* Who writes in one script goes on in it, with single blanks between. */
		do {
			size_t size = utf8_sequence_size(at, (size_t)(end - at));
			if (size == 0)
				return false;
			at += size;
		} while (at < end && (*at >= 0x80 || (end - at > 1 && at[1] >= 0x80)));
	return true;
}

uint64_t span_hash(struct span s, uint64_t seed)
{
	uint64_t hash = seed ? seed : UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < s.size; i++) {
		hash ^= (unsigned char)s.data[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}
