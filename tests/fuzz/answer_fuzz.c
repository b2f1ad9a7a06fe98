/* SPDX-License-Identifier: Apache-2.0 */
/* answer_fuzz.c - libFuzzer target: what GitHub (or whoever answers in its name) puts into the head of
 * an answer: header lines as curl hands them over, limits, Link, redirects.
 *
 * The first byte chooses the status, the second how many lines are interim and trailers; the rest is
 * header lines, and after an empty line the body. No answer may make us ask too early for ever, wait
 * for more than what GitHub's documents allow, or lead to another host. */
#include "ingest/fetch.c"

/* Both files have a judge of their own. */
#define judge judge_transfer
#include "wrap/http_client.c"
#undef judge
#include "wrap/http_client_url.c"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BLOCK_MS_LONGEST = 2 * 3600 * 1000 + 1000, NOW_MS = 1000000 };

static const int64_t WALL_US = INT64_C(1789905600) * 1000000;
static const char API_URL[] = "https://api.github.com";

static const int statuses[] = {200, 304, 301, 302, 307, 308, 401, 403, 404, 410, 422, 429, 451, 500, 502, 503};

/* As curl would, line by line. False when it was told to stop. */
static bool take_head(struct transfer *transfer, struct span *rest)
{
	struct span line;
	while (span_split(*rest, '\n', &line, rest)) {
		/* curl's lines end with their line feed, which stands behind the split's. */
		if (take_header((char *)(uintptr_t)line.data, 1, line.size + 1, transfer) != line.size + 1)
			return false;
		if (span_trim(line).size == 0)
			return true;
	}
	return true;
}

static void check_pace(const struct http_client_response *response)
{
	for (int anonymous = 0; anonymous < 2; anonymous++) {
		struct pace pace;
		pace_init(&pace, anonymous == 1);
		for (int i = 0; i < 3; i++) {
			enum pace_verdict verdict = pace_observe(&pace, response, NOW_MS, WALL_US);
			int64_t allowed_ms = pace_allowed_at_ms(&pace, NOW_MS);
			assert(allowed_ms >= NOW_MS && allowed_ms <= NOW_MS + BLOCK_MS_LONGEST);
			assert(verdict != PACE_LIMITED || pace.blocked_until_ms >= NOW_MS);
			assert((response->status == 200) == (verdict == PACE_OK));
			int64_t gap_ms = pace_sweep_gap_ms(&pace, NOW_MS, 3);
			assert(gap_ms >= 0 && gap_ms <= BLOCK_MS_LONGEST);
		}
		int64_t interval_s = pace_poll_interval_s(response, -1);
		assert(interval_s >= -1 && interval_s <= 3600);
	}
}

static void check_leads(const struct http_client_response *response, struct arena *arena)
{
	struct span own = span_of(API_URL);
	struct span origin;
	struct fetcher fetcher = {.origin = own};
	const char *link = http_client_header_get(response, "Link");
	if (link) {
		struct span next = fetch_link_next(span_of(link));
		assert(next.size == 0 || (next.data >= link && next.data + next.size <= link + strlen(link)));
		if (next.size > 0 && fetch_parse_origin(next, &origin))
			assert(origin.data == next.data && origin.size <= next.size);
	}
	char url[URL_BYTES_MAX];
	struct err err = {0};
	if (response->status / 100 == 3 && response->status != 304
	    && follow_redirect(&fetcher, response, url, &err)) {
		assert(fetch_parse_origin(span_of(url), &origin) && span_equal(origin, own));
		/* And libcurl, which is what asks, sees the same host. */
		CLEANUP(close_url) CURLU *parsed = curl_url();
		CLEANUP(free_text) char *host = NULL;
		if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK
		    && curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK)
			assert(strcmp(host, "api.github.com") == 0);
	}
	struct page page;
	fill_page(response, clock_system(), arena, &page);
	assert(!page.etag || strlen(page.etag) <= STREAM_ETAG_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	CLEANUP(transfer_finish) struct transfer transfer = {0};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 4 * 1024 * 1024};
	buf_init(&transfer.headers, HEADER_BYTES_MAX);
	buf_init(&transfer.body, 1024 * 1024);
	struct http_client_response response = {.status = statuses[data[0] % ARRAY_COUNT(statuses)]};
	const struct http_client_request request = {.body_bytes_max = 1024 * 1024};
	/* A copy with a line feed at its end, as sanitizers see what is read beyond. */
	CLEANUP(buf_finish) struct buf input = {.size_max = 8 * 1024 * 1024};
	buf_append(&input, (const char *)data + 2, size - 2);
	buf_append_byte(&input, '\n');
	struct span rest = buf_span(&input);
	for (int heads = data[1] % 3; heads >= 0; heads--)
		if (!take_head(&transfer, &rest))
			return 0;
	if (take_body((char *)(uintptr_t)rest.data, 1, rest.size, &transfer) != rest.size
	    || !take_head(&transfer, &rest))
		return 0;
	if (!read_headers(buf_span(&transfer.headers), &arena, &response))
		return 0;
	for (size_t i = 0; i < response.header_count; i++)
		assert(!strpbrk(response.headers[i].name, "\n") && !strpbrk(response.headers[i].value, "\n"));
	struct err err = {0};
	if (!decode_body(&response, &request, &transfer, &err))
		return 0;
	assert(transfer.body.size <= request.body_bytes_max);
	response.body = buf_span(&transfer.body);
	check_pace(&response);
	check_leads(&response, &arena);
	return 0;
}
