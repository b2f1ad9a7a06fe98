/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/paging.h"

#include "fake_github/http.h"

static unsigned read_positive(struct span query, const char *name, unsigned otherwise)
{
	struct span value = http_query_value(query, name);
	int64_t number = 0;
	if (!value.data || !span_parse_int64(value, &number) || number < 1)
		return otherwise;
	return number > 1000000 ? 1000000 : (unsigned)number;
}

struct paging paging_parse(struct span query)
{
	unsigned asked = read_positive(query, "per_page", 0);
	struct paging paging = {
		.page = read_positive(query, "page", 1),
		.per_page = asked == 0 ? PAGING_PER_PAGE_DEFAULT : asked,
		.per_page_given = asked != 0,
	};
	if (paging.per_page > PAGING_PER_PAGE_MAX)
		paging.per_page = PAGING_PER_PAGE_MAX;
	return paging;
}

bool paging_is_beyond_window(struct paging paging)
{
	return (size_t)(paging.page - 1) * paging.per_page >= PAGING_WINDOW_EVENTS;
}

static size_t visible_count(size_t count)
{
	return count < PAGING_WINDOW_EVENTS ? count : PAGING_WINDOW_EVENTS;
}

void paging_range(struct paging paging, size_t count, size_t *first_out, size_t *end_out)
{
	size_t visible = visible_count(count);
	size_t first = (size_t)(paging.page - 1) * paging.per_page;
	if (first > visible)
		first = visible;
	size_t end = first + paging.per_page;
	*first_out = first;
	*end_out = end < visible ? end : visible;
}

struct link_base {
	struct span host;
	struct span path;
	struct paging paging;
	size_t start_size; /* of the output before the first entry */
};

static void append_entry(const struct link_base *base, unsigned page, const char *relation,
			 struct buf *out)
{
	if (out->size > base->start_size)
		buf_append_text(out, ", ");
	buf_append_text(out, "<http://");
	buf_append_span(out, base->host);
	buf_append_span(out, base->path);
	buf_append_byte(out, '?');
	if (base->paging.per_page_given)
		buf_printf(out, "per_page=%u&", base->paging.per_page);
	buf_printf(out, "page=%u>; rel=\"%s\"", page, relation);
}

void paging_append_link(struct paging paging, size_t count, struct span host, struct span path,
			struct buf *out)
{
	size_t visible = visible_count(count);
	unsigned last = (unsigned)((visible + paging.per_page - 1) / paging.per_page);
	if (last <= 1 && paging.page == 1)
		return;
	struct link_base base = {host, path, paging, out->size};
	if (paging.page > 1)
		append_entry(&base, paging.page - 1, "prev", out);
	if (paging.page < last) {
		append_entry(&base, paging.page + 1, "next", out);
		append_entry(&base, last, "last", out);
	}
	if (paging.page > 1)
		append_entry(&base, 1, "first", out);
}
