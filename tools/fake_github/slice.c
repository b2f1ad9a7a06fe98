/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/slice.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static size_t skip_blanks(struct span text, size_t at)
{
	while (at < text.size && is_blank(text.data[at]))
		at++;
	return at;
}

/* The position behind the closing quote, or text.size when there is none. */
static size_t skip_string(struct span text, size_t at)
{
	assert(text.data[at] == '"');
	for (at++; at < text.size; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '"')
			return at + 1;
	}
	return text.size;
}

/* The position of the ',' or ']' that ends the element starting at `at`; text.size when it does
 * not end or its brackets do not match. */
static size_t find_element_end(struct span text, size_t at)
{
	char open[SLICE_DEPTH_MAX];
	size_t depth = 0;
	while (at < text.size) {
		char byte = text.data[at];
		if (byte == '"') {
			at = skip_string(text, at);
			continue;
		}
		if (depth == 0 && (byte == ',' || byte == ']'))
			return at;
		if (byte == '{' || byte == '[') {
			if (depth == SLICE_DEPTH_MAX)
				return text.size;
			open[depth++] = byte;
		} else if (byte == '}' || byte == ']') {
			if (depth == 0 || open[depth - 1] != (byte == '}' ? '{' : '['))
				return text.size;
			depth--;
		}
		at++;
	}
	return text.size;
}

static void add_element(struct slice_list *list, struct span element)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 128;
		list->elements = memory_resize(list->elements,
					       list->capacity * sizeof(*list->elements));
	}
	list->elements[list->count++] = element;
}

bool slice_array(struct span text, struct slice_list *list_out, struct err *err)
{
	CLEANUP(slice_finish) struct slice_list list = {0};
	size_t at = skip_blanks(text, 0);
	if (at == text.size || text.data[at] != '[')
		return err_set(err, ERR_INPUT, "not a JSON array");
	at = skip_blanks(text, at + 1);
	bool closed = at < text.size && text.data[at] == ']';
	while (!closed) {
		size_t end = find_element_end(text, at);
		if (end == text.size)
			return err_set(err, ERR_INPUT, "array is not closed near byte %zu", at);
		struct span element = span_trim(span_make(text.data + at, end - at));
		if (element.size == 0)
			return err_set(err, ERR_INPUT, "empty array element at byte %zu", at);
		add_element(&list, element);
		closed = text.data[end] == ']';
		at = closed ? end : skip_blanks(text, end + 1);
	}
	if (skip_blanks(text, at + 1) != text.size)
		return err_set(err, ERR_INPUT, "bytes behind the array at byte %zu", at + 1);
	*list_out = list;
	list = (struct slice_list){0};
	return true;
}

void slice_finish(struct slice_list *list)
{
	free(list->elements);
	*list = (struct slice_list){0};
}
