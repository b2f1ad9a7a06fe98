/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/elements.h"

#include "base/memory.h"

#include <stdlib.h>

void element_list_add(struct element_list *list, struct span bytes)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 8;
		list->items = memory_resize(list->items, list->capacity * sizeof(*list->items));
	}
	list->items[list->count++] = (struct element){
		.bytes = memory_copy_span(bytes),
		.size = bytes.size,
		.key = event_key_read(bytes),
	};
}

void element_list_finish(struct element_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].bytes);
	free(list->items);
	*list = (struct element_list){0};
}

struct span element_span(const struct element *element)
{
	return span_make(element->bytes, element->size);
}
