/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_dress.c - pages that arrive whole, with odd headers or in odd wrappings, or that show the
 * window in an odd order. They are served: a right client takes every event of them. */
#include "fake_github/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OVERLAP_EVENTS = 50, SHRUNK_EVENTS = 10, STALE_EVENTS = 40, LINK_OTHERS = 300 };

void scenario_dress_chunked(struct scenario_call *call)
{
	if (call->response->status == 200)
		call->response->framing = HTTP_FRAMING_CHUNKED;
}

void scenario_dress_http_1_0(struct scenario_call *call)
{
	call->response->framing = HTTP_FRAMING_UNTIL_CLOSE;
}

void scenario_dress_early_hints(struct scenario_call *call)
{
	call->response->interim = "HTTP/1.1 100 Continue\r\n\r\n"
				  "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n"
				  "Link: <https://early.example/x?page=2>; rel=\"next\"\r\n\r\n";
}

void scenario_dress_close_unsaid(struct scenario_call *call)
{
	call->response->close_unsaid = true;
}

void scenario_dress_etag_missing(struct scenario_call *call)
{
	http_response_remove(call->response, "ETag");
}

void scenario_dress_etag_flapping(struct scenario_call *call)
{
	http_response_remove(call->response, "ETag");
	http_response_header(call->response, "ETag", "W/\"%016" PRIx64 "%u\"", (uint64_t)call->now_us,
			     call->hit);
}

void scenario_dress_etag_huge(struct scenario_call *call)
{
	http_response_remove(call->response, "ETag");
	http_response_header(call->response, "ETag", "W/\"%0900d\"", 7);
}

void scenario_dress_etag_strong(struct scenario_call *call)
{
	struct buf *headers = &call->response->headers;
	char *mark = headers->size > 0 ? memmem(headers->data, headers->size, "ETag: W/", 8) : NULL;
	if (!mark)
		return;
	memmove(mark + 6, mark + 8, headers->size - (size_t)(mark + 8 - headers->data));
	headers->size -= 2;
}

void scenario_dress_interval_missing(struct scenario_call *call)
{
	http_response_remove(call->response, "X-Poll-Interval");
}

void scenario_dress_interval_absurd(struct scenario_call *call)
{
	http_response_remove(call->response, "X-Poll-Interval");
	http_response_header(call->response, "X-Poll-Interval", "9223372036854775807");
}

void scenario_dress_limits_absurd(struct scenario_call *call)
{
	static const struct {
		const char *limit, *remaining, *reset;
	} odd[] = {
		{"9223372036854775807", "9223372036854775807", "99999999999"},
		{"-9223372036854775808", "-1", "-1"},
		{"many", "enough", "soon"},
		{"0", "9223372036854775806", "0"},
		{"99999999999999999999999", "1e9", "0x7fffffff"},
	};
	size_t i = (call->hit + call->page - 1) % ARRAY_COUNT(odd);
	scenario_dress_limits_missing(call);
	http_response_header(call->response, "X-RateLimit-Limit", "%s", odd[i].limit);
	http_response_header(call->response, "X-RateLimit-Remaining", "%s", odd[i].remaining);
	http_response_header(call->response, "X-RateLimit-Reset", "%s", odd[i].reset);
}

void scenario_dress_limits_missing(struct scenario_call *call)
{
	static const char *const names[] = {"X-RateLimit-Limit", "X-RateLimit-Remaining",
					    "X-RateLimit-Used", "X-RateLimit-Reset",
					    "X-RateLimit-Resource"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		http_response_remove(call->response, names[i]);
}

void scenario_dress_date_missing(struct scenario_call *call)
{
	http_response_remove(call->response, "Date");
}

/* ---- Link ---- */

void scenario_dress_link_missing(struct scenario_call *call)
{
	http_response_remove(call->response, "Link");
}

static void put_link(struct scenario_call *call, const char *scheme_and_host, const char *behind)
{
	http_response_remove(call->response, "Link");
	buf_printf(&call->response->headers, "Link: <%s", scheme_and_host);
	buf_append_span(&call->response->headers, call->request->target);
	buf_printf(&call->response->headers, "%s\r\n", behind);
}

void scenario_dress_link_loop(struct scenario_call *call)
{
	char host[512];
	(void)snprintf(host, sizeof(host), "http://%s", call->own_host);
	put_link(call, host, ">; rel=\"next\"");
}

void scenario_dress_link_other_host(struct scenario_call *call)
{
	char host[512];
	(void)snprintf(host, sizeof(host), "http://%s", call->foreign_host);
	put_link(call, host, "&page=2>; rel=\"next\"");
}

void scenario_dress_link_malformed(struct scenario_call *call)
{
	put_link(call, "", "; rel=\"next\", <>; rel=next, >; rel=\"next, ,,;;");
}

/* The next page stands behind many others, with the blanks and cases that RFC 8288 allows. */
void scenario_dress_link_very_long(struct scenario_call *call)
{
	struct http_response *response = call->response;
	struct buf headers;
	struct span rest = buf_span(&response->headers);
	struct span line;
	buf_init(&headers, HTTP_ANSWER_HEAD_BYTES_MAX);
	while (span_split(rest, '\n', &line, &rest)) {
		if (!span_starts_with(line, "Link: ")) {
			buf_append_span(&headers, line);
			buf_append_byte(&headers, '\n');
			continue;
		}
		buf_append_text(&headers, "Link: ");
		for (int i = 0; i < LINK_OTHERS; i++)
			buf_printf(&headers,
				   "<https://example.org/%d,a;rel=\"next\">; title=\"a, b; rel=next\"; "
				   "rel=\"item nextish\", ",
				   i);
		buf_append_span(&headers, span_make(line.data + 6, line.size - 6));
		buf_append_byte(&headers, '\n');
	}
	buf_finish(&response->headers);
	response->headers = headers;
}

/* ---- the window ---- */

void scenario_arrange_reversed(struct scenario_call *call, struct scenario_window *window)
{
	(void)call;
	for (size_t i = 0; i < window->count; i++)
		window->order[i] = window->count - 1 - i;
}

void scenario_arrange_shuffled(struct scenario_call *call, struct scenario_window *window)
{
	/* The same for all pages of a walk, another one for the next. */
	uint64_t state = 0x9e3779b97f4a7c15U + call->hit;
	for (size_t i = window->count; i > 1; i--) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		size_t j = (size_t)(state >> 33) % i;
		size_t kept = window->order[i - 1];
		window->order[i - 1] = window->order[j];
		window->order[j] = kept;
	}
}

void scenario_arrange_shrunk(struct scenario_call *call, struct scenario_window *window)
{
	if (call->hit % 2 == 1)
		return;
	window->end = window->first + SHRUNK_EVENTS < window->end ? window->first + SHRUNK_EVENTS
								  : window->end;
	window->linked = SHRUNK_EVENTS;
}

void scenario_arrange_hole(struct scenario_call *call, struct scenario_window *window)
{
	if (call->page == 2)
		window->end = window->first;
}

void scenario_arrange_overlap(struct scenario_call *call, struct scenario_window *window)
{
	if (call->page > 1 && window->first >= OVERLAP_EVENTS)
		window->first -= OVERLAP_EVENTS;
}

void scenario_arrange_big(struct scenario_call *call, struct scenario_window *window)
{
	window->first = call->page == 1 ? 0 : window->count;
	window->end = window->count;
	window->linked = 0;
}

/* Every other walk is answered by a cache that has not seen the newest events. */
void scenario_arrange_stale(struct scenario_call *call, struct scenario_window *window)
{
	if (call->hit % 2 == 0)
		return;
	size_t stale = window->count < STALE_EVENTS ? window->count : STALE_EVENTS;
	memmove(window->order, window->order + stale,
		(window->count - stale) * sizeof(window->order[0]));
	size_t left = window->count - stale;
	window->first = window->first < left ? window->first : left;
	window->end = window->end < left ? window->end : left;
	window->linked = left;
}

void scenario_arrange_empty(struct scenario_call *call, struct scenario_window *window)
{
	if (call->hit == 0)
		return;
	window->end = window->first;
	window->linked = 0;
}
