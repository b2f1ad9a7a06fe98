/* SPDX-License-Identifier: Apache-2.0 */
/* paging.h - GitHub's page arithmetic over its window of 300 events, and the Link header.
 *
 * Source: REST documentation "Events" and "Using pagination", and recorded exchanges. Asking for
 * more than 100 a page silently gives 100; asking beyond the window is an error (422). */
#ifndef FAKE_GITHUB_PAGING_H
#define FAKE_GITHUB_PAGING_H

#include "base/buf.h"

enum {
	PAGING_WINDOW_EVENTS = 300,
	PAGING_PER_PAGE_DEFAULT = 30,
	PAGING_PER_PAGE_MAX = 100,
};

struct paging {
	unsigned page; /* from 1 */
	unsigned per_page;
	bool per_page_given; /* Link repeats the parameter only when the client gave it */
};

/* Reads `page` and `per_page` from a query string (without '?'). Values that are no positive
 * numbers count as absent, as at GitHub. */
struct paging paging_parse(struct span query);

/* True when the page starts behind the window: the answer is 422. */
bool paging_is_beyond_window(struct paging paging);

/* The half-open range of a stream of `count` events that this page shows; empty past the end. */
void paging_range(struct paging paging, size_t count, size_t *first_out, size_t *end_out);

/* Appends the value of the Link header (prev, next, last, first in GitHub's order) for `path`,
 * e.g. "/events", at `host`, e.g. "127.0.0.1:8080". Appends nothing when all fits one page. */
void paging_append_link(struct paging paging, size_t count, struct span host, struct span path,
			struct buf *out);

#endif
