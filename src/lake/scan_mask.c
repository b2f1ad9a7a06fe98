/* SPDX-License-Identifier: Apache-2.0 */
/* scan_mask.c - 64 bytes to masks, one bit a byte: the only place with instructions of one processor.
 * The two functions do the same, once with registers of 16 bytes and once with registers of 32. */
#include "lake/scan_private.h"

#include <assert.h>

#ifdef __x86_64__

#include <immintrin.h>

/* ---- SSE2: part of every x86-64 ---- */

/* 64 bytes. No arrays: compilers put those into memory, and in pieces. */
struct bytes_sse2 {
	__m128i a, b, c, d;
};

static inline struct bytes_sse2 load_sse2(const char *bytes)
{
	return (struct bytes_sse2){
		_mm_loadu_si128((const __m128i *)(const void *)bytes),
		_mm_loadu_si128((const __m128i *)(const void *)(bytes + 16)),
		_mm_loadu_si128((const __m128i *)(const void *)(bytes + 32)),
		_mm_loadu_si128((const __m128i *)(const void *)(bytes + 48)),
	};
}

static inline uint64_t find_sse2(struct bytes_sse2 bytes, char byte)
{
	__m128i wanted = _mm_set1_epi8(byte);
	unsigned a = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes.a, wanted));
	unsigned b = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes.b, wanted));
	unsigned c = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes.c, wanted));
	unsigned d = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes.d, wanted));
	return (a | b << 16) | (uint64_t)(c | d << 16) << 32;
}

/* With the bit set in which the kinds of brackets differ: [ becomes {. */
static inline struct bytes_sse2 fold_sse2(struct bytes_sse2 bytes)
{
	__m128i bit = _mm_set1_epi8(0x20);
	return (struct bytes_sse2){_mm_or_si128(bytes.a, bit), _mm_or_si128(bytes.b, bit),
		_mm_or_si128(bytes.c, bit), _mm_or_si128(bytes.d, bit)};
}

static bool mask_sse2(
	const char *bytes, size_t block_count, struct scan_masks *masks_out, bool *not_ascii)
{
	__m128i lowest = _mm_set1_epi8(' ');
	__m128i all = _mm_setzero_si128();
	for (size_t i = 0; i < block_count; i++) {
		struct bytes_sse2 plain = load_sse2(bytes + 64 * i);
		struct bytes_sse2 folded = fold_sse2(plain);
		uint64_t quote = find_sse2(plain, '"');
		masks_out[i] = (struct scan_masks){
			.quote = quote,
			.in_string = scan_xor_of_prefix(quote),
			.backslash = find_sse2(plain, '\\'),
			.open = find_sse2(folded, '{'),
			.close = find_sse2(folded, '}'),
			.colon = find_sse2(plain, ':'),
			.comma = find_sse2(plain, ','),
		};
		lowest = _mm_min_epu8(lowest, _mm_min_epu8(_mm_min_epu8(plain.a, plain.b),
						      _mm_min_epu8(plain.c, plain.d)));
		all = _mm_or_si128(all, _mm_or_si128(_mm_or_si128(plain.a, plain.b),
						_mm_or_si128(plain.c, plain.d)));
	}
	*not_ascii |= _mm_movemask_epi8(all) != 0;
	return _mm_movemask_epi8(_mm_cmpeq_epi8(lowest, _mm_set1_epi8(' '))) == 0xffff;
}

/* ---- AVX2 ---- */

#define AVX2 __attribute__((target("avx2,pclmul")))

struct bytes_avx2 {
	__m256i a, b;
};

AVX2 static inline struct bytes_avx2 load_avx2(const char *bytes)
{
	return (struct bytes_avx2){
		_mm256_loadu_si256((const __m256i *)(const void *)bytes),
		_mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32)),
	};
}

AVX2 static inline uint64_t find_avx2(struct bytes_avx2 bytes, char byte)
{
	__m256i wanted = _mm256_set1_epi8(byte);
	uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes.a, wanted));
	uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes.b, wanted));
	return a | (uint64_t)b << 32;
}

AVX2 static inline struct bytes_avx2 fold_avx2(struct bytes_avx2 bytes)
{
	__m256i bit = _mm256_set1_epi8(0x20);
	return (struct bytes_avx2){_mm256_or_si256(bytes.a, bit), _mm256_or_si256(bytes.b, bit)};
}

/* scan_xor_of_prefix: a multiplication without carries by "all bits" adds up all shifts at once. */
AVX2 static inline uint64_t xor_of_prefix_avx2(uint64_t mask)
{
	__m128i product =
		_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)mask), _mm_set1_epi8((char)0xff), 0);
	return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 static bool mask_avx2(
	const char *bytes, size_t block_count, struct scan_masks *masks_out, bool *not_ascii)
{
	__m256i lowest = _mm256_set1_epi8(' ');
	__m256i all = _mm256_setzero_si256();
	for (size_t i = 0; i < block_count; i++) {
		struct bytes_avx2 plain = load_avx2(bytes + 64 * i);
		struct bytes_avx2 folded = fold_avx2(plain);
		uint64_t quote = find_avx2(plain, '"');
		masks_out[i] = (struct scan_masks){
			.quote = quote,
			.in_string = xor_of_prefix_avx2(quote),
			.backslash = find_avx2(plain, '\\'),
			.open = find_avx2(folded, '{'),
			.close = find_avx2(folded, '}'),
			.colon = find_avx2(plain, ':'),
			.comma = find_avx2(plain, ','),
		};
		lowest = _mm256_min_epu8(lowest, _mm256_min_epu8(plain.a, plain.b));
		all = _mm256_or_si256(all, _mm256_or_si256(plain.a, plain.b));
	}
	*not_ascii |= _mm256_movemask_epi8(all) != 0;
	return _mm256_movemask_epi8(_mm256_cmpeq_epi8(lowest, _mm256_set1_epi8(' '))) == -1;
}

scan_mask_function scan_mask_of(enum scan_variant variant)
{
	static const scan_mask_function functions[SCAN_VARIANT_COUNT] = {
		[SCAN_SSE2] = mask_sse2,
		[SCAN_AVX2] = mask_avx2,
	};
	assert(variant < SCAN_VARIANT_COUNT);
	return functions[variant];
}

#else

scan_mask_function scan_mask_of(enum scan_variant variant)
{
	assert(variant == SCAN_PORTABLE);
	return NULL;
}

#endif
