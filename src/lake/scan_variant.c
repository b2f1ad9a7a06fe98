/* SPDX-License-Identifier: Apache-2.0 */
/* scan_variant.c - which variants of the scanner this processor has. */
#include "lake/scan_private.h"

#include <assert.h>

const char *scan_variant_name(enum scan_variant variant)
{
	static const char *const names[SCAN_VARIANT_COUNT] = {
		[SCAN_PORTABLE] = "portable",
		[SCAN_SSE2] = "sse2",
		[SCAN_AVX2] = "avx2",
	};
	assert(variant < SCAN_VARIANT_COUNT);
	return names[variant];
}

enum scan_variant scan_variant_best(void)
{
#ifdef __x86_64__
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") ? SCAN_AVX2 : SCAN_SSE2;
#else
	return SCAN_PORTABLE;
#endif
}

bool scan_plan_set_variant(struct scan_plan *plan, enum scan_variant variant)
{
	if (variant > scan_variant_best())
		return false;
	plan->variant = variant;
	return true;
}
