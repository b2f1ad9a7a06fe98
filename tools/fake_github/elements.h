/* SPDX-License-Identifier: Apache-2.0 */
/* elements.h - an owned list of array elements with their keys. */
#ifndef FAKE_GITHUB_ELEMENTS_H
#define FAKE_GITHUB_ELEMENTS_H

#include "fake_github/feed.h"

struct element {
	char *bytes;
	size_t size;
	struct event_key key;
};

struct element_list {
	struct element *items;
	size_t count;
	size_t capacity;
};

/* Copies the bytes and reads the key. */
void element_list_add(struct element_list *list, struct span bytes);
void element_list_finish(struct element_list *list);

struct span element_span(const struct element *element);

#endif
