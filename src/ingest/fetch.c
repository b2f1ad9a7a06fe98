/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/fetch.h"

#include "base/counter.h"
#include "base/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ATTEMPTS_MAX = 3, REDIRECTS_MAX = 3, URL_BYTES_MAX = 2048, NOTE_MARGIN_MS = 50 };

/* The newest version of which the events endpoints only drop keys that nobody reads is 2026-03-10
 * (FACTS A); the older one is also known to Enterprise Servers. */
static const char API_VERSION[] = "2022-11-28";

bool fetch_parse_origin(struct span url, struct span *origin_out)
{
	size_t scheme = span_starts_with(url, "https://") ? 8 : span_starts_with(url, "http://") ? 7 : 0;
	size_t end = scheme;
	if (scheme == 0)
		return false;
	while (end < url.size && !strchr("/?#", url.data[end])) {
		unsigned char byte = (unsigned char)url.data[end];
		if (byte == '@' || byte <= ' ' || byte == '\\' || byte >= 0x7f)
			return false;
		end++;
	}
	if (end == scheme)
		return false;
	*origin_out = (struct span){url.data, end};
	return true;
}

/* Cuts the next piece off `rest`, which ends at `separator` outside of quotes. */
static struct span take_until(struct span *rest, char separator)
{
	bool quoted = false;
	size_t size = 0;
	while (size < rest->size && (quoted || rest->data[size] != separator)) {
		if (quoted && rest->data[size] == '\\' && size + 1 < rest->size)
			size++;
		else if (rest->data[size] == '"')
			quoted = !quoted;
		size++;
	}
	struct span piece = {rest->data, size};
	size_t passed = size < rest->size ? size + 1 : size;
	*rest = (struct span){rest->data + passed, rest->size - passed};
	return piece;
}

/* True when `parameters` ("; rel=next; title=x") name the relation. The first rel counts (RFC 8288, 3.3). */
static bool has_relation(struct span parameters, const char *relation)
{
	while (parameters.size > 0) {
		struct span parameter = take_until(&parameters, ';');
		struct span name;
		struct span value;
		if (!span_split(parameter, '=', &name, &value)
		    || !span_equal_ignore_case(span_trim(name), span_of("rel")))
			continue;
		value = span_trim(value);
		if (value.size >= 2 && value.data[0] == '"' && value.data[value.size - 1] == '"')
			value = (struct span){value.data + 1, value.size - 2};
		while (value.size > 0)
			if (span_equal_ignore_case(take_until(&value, ' '), span_of(relation)))
				return true;
		return false;
	}
	return false;
}

struct span fetch_link_next(struct span link)
{
	while (link.size > 0) {
		const char *open = memchr(link.data, '<', link.size);
		if (!open)
			break;
		struct span rest = {open + 1, link.size - (size_t)(open + 1 - link.data)};
		struct span url;
		if (!span_split(rest, '>', &url, &link))
			break;
		if (has_relation(take_until(&link, ','), "next"))
			return url;
	}
	return (struct span){0};
}

bool fetch_wait(struct fetcher *fetcher, int64_t until_ms)
{
	const struct clock *clock = fetcher->options->clock;
	for (;;) {
		int64_t now_ms = clock_monotonic_ms(clock);
		if (fetcher->deadline_ms != 0 && now_ms >= fetcher->deadline_ms)
			return true;
		if (now_ms >= until_ms)
			return stop_flag_is_set(fetcher->options->stop);
		int64_t wait_ms = until_ms - now_ms;
		if (fetcher->deadline_ms != 0 && fetcher->deadline_ms - now_ms < wait_ms)
			wait_ms = fetcher->deadline_ms - now_ms;
		if (stop_flag_wait(fetcher->options->stop, wait_ms))
			return true;
	}
}

void fetch_keep_wait(struct fetcher *fetcher, int64_t until_ms)
{
	const struct clock *clock = fetcher->options->clock;
	int64_t wait_ms = until_ms - clock_monotonic_ms(clock);
	if (wait_ms > 0)
		ask_note_write(&fetcher->note, clock_wall_us(clock) + (wait_ms + NOTE_MARGIN_MS) * 1000);
}

static uint64_t next_random(struct fetcher *fetcher)
{
	/* xorshift64: only spreads retries, no secret hangs on it. */
	fetcher->random ^= fetcher->random << 13;
	fetcher->random ^= fetcher->random >> 7;
	fetcher->random ^= fetcher->random << 17;
	return fetcher->random;
}

static bool is_stopped(void *context)
{
	const struct fetcher *fetcher = context;
	return stop_flag_is_set(fetcher->options->stop);
}

static bool send_request(struct fetcher *fetcher, const char *url, const char *etag, struct arena *arena,
			 struct http_client_response *response_out, struct err *err)
{
	const struct ingest_options *options = fetcher->options;
	struct http_client_header headers[6];
	size_t count = 0;
	headers[count++] = (struct http_client_header){"Accept", "application/vnd.github+json"};
	headers[count++] = (struct http_client_header){"X-GitHub-Api-Version", API_VERSION};
	headers[count++] = (struct http_client_header){"User-Agent", options->user_agent};
	/* Caches on the way must not answer without asking. GitHub's own 304 still costs nothing. */
	headers[count++] = (struct http_client_header){"Cache-Control", "no-cache"};
	if (etag[0] != '\0')
		headers[count++] = (struct http_client_header){"If-None-Match", etag};
	struct span origin;
	bool own_host = fetch_parse_origin(span_of(url), &origin) && span_equal(origin, fetcher->origin);
	assert(own_host);
	if (options->token) {
		const char *value = arena_printf(arena, "Bearer %s", options->token);
		headers[count++] = (struct http_client_header){"Authorization", value};
	}
	struct http_client_request request = {
		.url = url,
		.headers = headers,
		.header_count = count,
		.body_bytes_max = (size_t)options->body_bytes_max,
		.connect_wait_ms_max = 10000,
		.total_wait_ms_max = options->request_wait_ms_max,
		.stopped = is_stopped,
		.stopped_context = fetcher,
	};
	fetcher->requests++;
	return http_client_send(fetcher->client, &request, arena, response_out, err);
}

static void fill_page(const struct http_client_response *response, const struct clock *clock, struct arena *arena,
		      struct page *page)
{
	const char *link = http_client_header_get(response, "Link");
	struct span next = link ? fetch_link_next(span_of(link)) : (struct span){0};
	const char *etag = http_client_header_get(response, "ETag");
	bool usable = etag && strlen(etag) <= STREAM_ETAG_BYTES_MAX;
	*page = (struct page){
		.body = response->body,
		.etag = usable ? etag : NULL,
		.next_url = next.size > 0 ? arena_copy_text(arena, next) : NULL,
		.poll_interval_s = pace_poll_interval_s(response, -1),
		.server_us = pace_server_now_us(response, clock_wall_us(clock)),
		.arrived_ms = clock_monotonic_ms(clock),
	};
}

/* The target of a redirect that stays on the API's own host: the token must not travel, and a
 * stranger's answer is not GitHub's. */
static bool follow_redirect(const struct fetcher *fetcher, const struct http_client_response *response,
			    char url[URL_BYTES_MAX], struct err *err)
{
	const char *location = http_client_header_get(response, "Location");
	struct span origin;
	if (!location)
		return err_set(err, ERR_RETRY, "status %d without Location", response->status);
	if (location[0] == '/' && location[1] != '/') {
		int size = snprintf(url, URL_BYTES_MAX, "%.*s%s", SPAN_ARGUMENTS(fetcher->origin), location);
		return (size > 0 && size < URL_BYTES_MAX) || err_set(err, ERR_RETRY, "redirect to a URL too long");
	}
	if (!fetch_parse_origin(span_of(location), &origin) || !span_equal(origin, fetcher->origin))
		return err_set(err, ERR_RETRY, "refused a redirect to another host (%.80s)", location);
	if (strlen(location) >= URL_BYTES_MAX)
		return err_set(err, ERR_RETRY, "redirect to a URL too long");
	memcpy(url, location, strlen(location) + 1);
	return true;
}

static enum fetch_outcome judge(struct fetcher *fetcher, const struct http_client_response *response,
				enum pace_verdict verdict, struct err *err)
{
	switch (verdict) {
	case PACE_OK:
		return FETCH_PAGE;
	case PACE_NOT_MODIFIED:
		counter_add(COUNTER_POLL_NOT_MODIFIED, 1);
		return FETCH_NOT_MODIFIED;
	case PACE_END:
		return FETCH_END;
	case PACE_LIMITED:
		counter_add(COUNTER_POLL_LIMITED, 1);
		(void)err_set(err, ERR_RETRY, "GitHub limits us (status %d), waiting %lld s", response->status,
			      (long long)((fetcher->pace.blocked_until_ms - clock_monotonic_ms(fetcher->options->clock)
					   + 999) / 1000));
		return FETCH_LIMITED;
	case PACE_UNAUTHORIZED:
		(void)err_set(err, ERR_LOCAL, "GitHub refuses the token (401): check GITHUB_TOKEN, or unset it to "
					      "poll without one");
		err->exit_code = 5;
		return FETCH_UNAUTHORIZED;
	case PACE_GONE:
		(void)err_set(err, ERR_INPUT, "status %d: not found, or not allowed for this token", response->status);
		return FETCH_FAILED;
	case PACE_REDIRECT:
	case PACE_FAILED:
		break;
	}
	(void)err_set(err, ERR_RETRY, "status %d", response->status);
	return FETCH_FAILED;
}

/* One try, with redirects. */
static enum fetch_outcome try_once(struct fetcher *fetcher, const char *first_url, const char *etag,
				   struct arena *arena, struct page *page, struct err *err)
{
	const struct clock *clock = fetcher->options->clock;
	char url[URL_BYTES_MAX];
	if (snprintf(url, sizeof(url), "%s", first_url) >= (int)sizeof(url)) {
		(void)err_set(err, ERR_INPUT, "URL too long");
		return FETCH_FAILED;
	}
	for (int hop = 0; hop <= REDIRECTS_MAX; hop++) {
		int64_t allowed_ms = pace_allowed_at_ms(&fetcher->pace, clock_monotonic_ms(clock));
		if (fetch_wait(fetcher, allowed_ms))
			return FETCH_STOPPED;
		fetch_keep_wait(fetcher, clock_monotonic_ms(clock) + fetcher->interval_ms);
		struct http_client_response response;
		if (!send_request(fetcher, url, etag, arena, &response, err))
			return is_stopped(fetcher) ? FETCH_STOPPED : FETCH_FAILED;
		counter_add(COUNTER_POLL_REQUESTS, 1);
		enum pace_verdict verdict =
			pace_observe(&fetcher->pace, &response, clock_monotonic_ms(clock), clock_wall_us(clock));
		fetch_keep_wait(fetcher, pace_limit_ends_ms(&fetcher->pace, clock_monotonic_ms(clock)));
		if (verdict != PACE_REDIRECT) {
			fill_page(&response, clock, arena, page);
			return judge(fetcher, &response, verdict, err);
		}
		if (!follow_redirect(fetcher, &response, url, err))
			return FETCH_FAILED;
	}
	(void)err_set(err, ERR_RETRY, "more than %d redirects", REDIRECTS_MAX);
	return FETCH_FAILED;
}

enum fetch_outcome fetch_page(struct fetcher *fetcher, const char *url, const char *etag, struct arena *arena,
			      struct page *page_out, struct err *err)
{
	const struct clock *clock = fetcher->options->clock;
	for (int attempt = 1;; attempt++) {
		enum fetch_outcome outcome = try_once(fetcher, url, etag, arena, page_out, err);
		fetcher->changed(fetcher->changed_context);
		if (outcome != FETCH_FAILED)
			return outcome;
		counter_add(COUNTER_POLL_FAILURES, 1);
		if (err->kind != ERR_RETRY || attempt == ATTEMPTS_MAX)
			return outcome;
		int64_t wait_ms = pace_backoff_ms(attempt, next_random(fetcher));
		LOG_EVENT(LOG_INFO, "request failed, trying again", log_text("error", err->text),
			  log_int("attempt", attempt), log_int("wait_ms", wait_ms));
		if (fetch_wait(fetcher, clock_monotonic_ms(clock) + wait_ms))
			return FETCH_STOPPED;
	}
}
