/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_value.c - what a parsed node means to its reader, by YAML 1.2's core schema. */
#include "wrap/yaml_document.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (span_equal_text(mapping->keys[i]->text, key))
			return mapping->values[i];
	return NULL;
}

static bool is_plain_word(const struct yaml_node *node, const char *const *words, size_t count)
{
	if (!node || node->kind != YAML_SCALAR || !node->plain)
		return false;
	for (size_t i = 0; i < count; i++)
		if (span_equal_text(node->text, words[i]))
			return true;
	return false;
}

bool yaml_is_null(const struct yaml_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	return is_plain_word(node, words, ARRAY_COUNT(words));
}

bool yaml_to_boolean(const struct yaml_node *node, bool *value_out)
{
	static const char *const words_for_true[] = {"true", "True", "TRUE"};
	static const char *const words_for_false[] = {"false", "False", "FALSE"};
	bool value = is_plain_word(node, words_for_true, ARRAY_COUNT(words_for_true));
	if (!value && !is_plain_word(node, words_for_false, ARRAY_COUNT(words_for_false)))
		return false;
	*value_out = value;
	return true;
}

bool yaml_to_integer(const struct yaml_node *node, int64_t *value_out)
{
	if (!node || node->kind != YAML_SCALAR || !node->plain)
		return false;
	struct span digits = node->text;
	if (digits.size > 1 && digits.data[0] == '+' && digits.data[1] != '-')
		digits = (struct span){digits.data + 1, digits.size - 1};
	return span_parse_int64(digits, value_out);
}

bool yaml_to_real(const struct yaml_node *node, double *value_out)
{
	return node && node->kind == YAML_SCALAR && node->plain
	       && span_parse_double(node->text, value_out);
}

bool yaml_err(
	struct err *err, const char *name, const struct yaml_node *node, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert(size >= 0);
	return err_set(err, ERR_INPUT, "%s:%d:%d: %s", name, node ? node->line : 1,
		node ? node->column : 1, text);
}
