/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_value.c - the small readers: a text, a number, a duration, known keys. */
#include "metrics/metric_loading.h"

#include "base/clock.h"

#include <string.h>

enum { LIMIT_MAX = 100000 };

bool loading_check_keys(struct loading *loading, const struct yaml_node *mapping,
	const char *const *keys, size_t key_count)
{
	if (!mapping)
		return true;
	if (mapping->kind != YAML_MAPPING) {
		loading_fault(loading, mapping, "a mapping (key: value) is expected here");
		return false;
	}
	for (size_t i = 0; i < mapping->count; i++) {
		size_t known = 0;
		while (known < key_count && !span_equal_text(mapping->keys[i]->text, keys[known]))
			known++;
		if (known == key_count)
			loading_fault_unknown(loading, mapping->keys[i], "key", keys, key_count);
	}
	return true;
}

static bool is_scalar(struct loading *loading, const struct yaml_node *node)
{
	if (node && node->kind != YAML_SCALAR)
		loading_fault(loading, node, "a single value is expected here");
	return node && node->kind == YAML_SCALAR;
}

static size_t count_characters(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += (text.data[i] & 0xc0) != 0x80;
	return count;
}

void loading_read_text(struct loading *loading, const struct yaml_node *node, size_t characters_max,
	struct span *out)
{
	if (!is_scalar(loading, node))
		return;
	if (yaml_is_null(node) || node->text.size == 0)
		loading_fault(loading, node, "a text is expected here");
	else if (count_characters(node->text) > characters_max)
		loading_fault(loading, node, "longer than %zu characters", characters_max);
	else
		*out = node->text;
}

void loading_read_boolean(struct loading *loading, const struct yaml_node *node, bool *out)
{
	if (is_scalar(loading, node) && !yaml_to_boolean(node, out))
		loading_fault(loading, node, "true or false is expected here");
}

void loading_read_integer(struct loading *loading, const struct yaml_node *node, int64_t min,
	int64_t max, int64_t *out)
{
	int64_t value;
	if (!is_scalar(loading, node))
		return;
	if (!yaml_to_integer(node, &value) || value < min || value > max)
		loading_fault(loading, node, "an integer from %lld to %lld is expected here",
			(long long)min, (long long)max);
	else
		*out = value;
}

bool loading_read_real(struct loading *loading, const struct yaml_node *node, double *out)
{
	if (!is_scalar(loading, node))
		return false;
	if (yaml_to_real(node, out))
		return true;
	loading_fault(loading, node, "a number is expected here");
	return false;
}

void loading_read_duration(struct loading *loading, const struct yaml_node *node, int64_t *out_ms)
{
	int64_t value_ms;
	if (!is_scalar(loading, node))
		return;
	char unit = node->text.size > 1 ? node->text.data[node->text.size - 1] : '\0';
	bool has_unit = unit != '\0' && strchr("smhd", unit) && !span_ends_with(node->text, "ms");
	if (!has_unit || !duration_parse(node->text, &value_ms))
		loading_fault(loading, node, "a duration like 30s, 15m, 2h or 7d is expected here");
	else
		*out_ms = value_ms;
}

void loading_read_limit(struct loading *loading, const struct yaml_node *node, int64_t *default_out,
	int64_t *max_out)
{
	static const char *const keys[] = {"default", "max"};
	if (!node || !loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	loading_read_integer(loading, yaml_get(node, "max"), 1, LIMIT_MAX, max_out);
	loading_read_integer(loading, yaml_get(node, "default"), 1, LIMIT_MAX, default_out);
	if (*default_out > *max_out)
		loading_fault(loading, node, "the default limit %lld is above the maximum %lld",
			(long long)*default_out, (long long)*max_out);
}

bool loading_is_name(struct span name, size_t bytes_max)
{
	for (size_t i = 0; i < name.size; i++) {
		char c = name.data[i];
		bool is_letter = c >= 'a' && c <= 'z';
		if (!is_letter && (i == 0 || (c != '_' && (c < '0' || c > '9'))))
			return false;
	}
	return name.size > 0 && name.size <= bytes_max;
}
