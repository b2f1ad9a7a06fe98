/* SPDX-License-Identifier: Apache-2.0 */
#include "base/size_text.h"

#include <string.h>

bool size_parse(struct span s, int64_t *bytes_out)
{
	static const struct {
		const char *suffix;
		int64_t unit;
	} units[] = {
		{"KiB", INT64_C(1) << 10}, {"MiB", INT64_C(1) << 20}, {"GiB", INT64_C(1) << 30},
		{"TiB", INT64_C(1) << 40}, {"KB", 1000},              {"MB", 1000000},
		{"GB", 1000000000},        {"TB", 1000000000000},     {"", 1},
	};
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (!span_ends_with(s, units[i].suffix))
			continue;
		struct span digits = {s.data, s.size - strlen(units[i].suffix)};
		int64_t count;
		int64_t bytes;
		if (!span_parse_int64(digits, &count) || count < 0
		    || __builtin_mul_overflow(count, units[i].unit, &bytes))
			return false;
		*bytes_out = bytes;
		return true;
	}
	return false;
}
