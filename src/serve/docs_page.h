/* SPDX-License-Identifier: Apache-2.0 */
/* docs_page.h - /docs: plain HTML made from the route table and the metrics' definitions. Needs no
 * script and nothing from elsewhere. */
#ifndef SERVE_DOCS_PAGE_H
#define SERVE_DOCS_PAGE_H

#include "metrics/metrics.h"
#include "serve/router.h"

struct docs_page {
	const struct metric_catalogue *catalogue;
	const struct route *routes;
	size_t route_count;
	struct span address; /* "127.0.0.1:9000", for the examples; any bytes */
	bool demo;
};

void docs_page_render(const struct docs_page *page, struct buf *out);

#endif
