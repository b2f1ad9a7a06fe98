/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/pace.h"

#include "base/clock.h"

#include <strings.h>

enum {
	SECONDARY_WAIT_MS = 60 * 1000,       /* "wait at least one minute" */
	SECONDARY_WAIT_MS_MAX = 3600 * 1000,
	REFUSED_WAIT_MS = 60 * 1000,
	REFUSED_WAIT_MS_MAX = 3600 * 1000,
	QUOTA_MAX = 1000 * 1000 * 1000,      /* more is no budget but nonsense */
	MARGIN_MS = 50,
	BACKOFF_MS_MAX = 5 * 60 * 1000,
	POLL_INTERVAL_S_MAX = 3600,
};

void pace_init(struct pace *pace, bool anonymous)
{
	*pace = (struct pace){.anonymous = anonymous, .quota_limit = -1, .quota_remaining = -1};
}

static int64_t header_integer(const struct http_client_response *response, const char *name, int64_t missing)
{
	int64_t value;
	const char *text = http_client_header_get(response, name);
	return text && span_parse_int64(span_trim(span_of(text)), &value) && value >= 0 ? value : missing;
}

/* The server's clock by its Date header, which is cut to the second: never later than the truth, so
 * waits that are reckoned from it are never too short. */
int64_t pace_server_now_us(const struct http_client_response *response, int64_t wall_us)
{
	int64_t date_us;
	const char *date = http_client_header_get(response, "Date");
	if (date && time_parse_http(span_trim(span_of(date)), &date_us))
		return date_us;
	return wall_us - 1000000;
}

/* For people only: no wait depends on it. A cache between us may be why the Date is old; it says how
 * old (Age, RFC 9111). */
static void observe_clock(struct pace *pace, const struct http_client_response *response, int64_t wall_us)
{
	int64_t date_us;
	const char *date = http_client_header_get(response, "Date");
	if (!date || !time_parse_http(span_trim(span_of(date)), &date_us))
		return;
	int64_t age_s = header_integer(response, "Age", 0);
	if (age_s > PACE_WAIT_MS_MAX)
		return;
	pace->clock_known = true;
	pace->clock_ahead_us = wall_us - date_us - age_s * 1000000;
}

bool pace_clock_is_off(const struct pace *pace)
{
	int64_t tolerance_us = (int64_t)PACE_CLOCK_TOLERANCE_S * 1000000;
	return pace->clock_known && (pace->clock_ahead_us > tolerance_us || pace->clock_ahead_us < -tolerance_us);
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static void observe_quota(struct pace *pace, const struct http_client_response *response, int64_t now_ms,
			  int64_t wall_us)
{
	int64_t remaining = header_integer(response, "x-ratelimit-remaining", -1);
	int64_t reset_s = header_integer(response, "x-ratelimit-reset", -1);
	if (remaining < 0 || remaining > QUOTA_MAX || reset_s < 0 || reset_s > INT64_C(100000000000))
		return;
	int64_t wait_ms = (reset_s * 1000000 - pace_server_now_us(response, wall_us)) / 1000;
	int64_t limit = header_integer(response, "x-ratelimit-limit", pace->quota_limit);
	pace->quota_limit = clamp(limit, -1, QUOTA_MAX);
	pace->quota_remaining = remaining;
	pace->reset_us = reset_s * 1000000;
	pace->reset_at_ms = now_ms + clamp(wait_ms, 0, PACE_WAIT_MS_MAX) + MARGIN_MS;
}

/* Retry-After (RFC 9110, 10.2.3): seconds or a date. -1: none that can be read. */
static int64_t retry_after_ms(const struct http_client_response *response, int64_t wall_us)
{
	const char *text = http_client_header_get(response, "Retry-After");
	int64_t value;
	if (!text)
		return -1;
	if (span_parse_int64(span_trim(span_of(text)), &value) && value >= 0)
		return clamp(value, 0, PACE_WAIT_MS_MAX / 1000) * 1000;
	if (time_parse_http(span_trim(span_of(text)), &value))
		return clamp((value - pace_server_now_us(response, wall_us)) / 1000, 0, PACE_WAIT_MS_MAX);
	return -1;
}

static bool mentions_limit(struct span body)
{
	static const char *const words[] = {"rate limit", "abuse", "secondary"};
	for (size_t i = 0; i < body.size && i < 4096; i++)
		for (size_t w = 0; w < ARRAY_COUNT(words); w++) {
			size_t size = span_of(words[w]).size;
			if (body.size - i >= size && strncasecmp(body.data + i, words[w], size) == 0)
				return true;
		}
	return false;
}

static enum pace_verdict observe_limit(struct pace *pace, const struct http_client_response *response, int64_t now_ms,
				       int64_t wall_us)
{
	int64_t wait_ms = retry_after_ms(response, wall_us);
	int64_t until_ms;
	if (wait_ms >= 0) {
		until_ms = now_ms + wait_ms + MARGIN_MS;
	} else if (pace->quota_remaining == 0 && header_integer(response, "x-ratelimit-remaining", -1) == 0) {
		until_ms = pace->reset_at_ms;
	} else if (response->status == 429 || mentions_limit(response->body)) {
		int64_t doublings = clamp(pace->secondary_in_row++, 0, 6);
		until_ms = now_ms + clamp((int64_t)SECONDARY_WAIT_MS << doublings, 0, SECONDARY_WAIT_MS_MAX);
	} else {
		return PACE_GONE;
	}
	/* "Wait for nothing", said again and again, must not make us ask again and again. */
	int64_t least_ms = now_ms + pace_backoff_ms(++pace->limited_in_row, 0);
	if (until_ms < least_ms)
		until_ms = least_ms;
	if (until_ms > pace->blocked_until_ms)
		pace->blocked_until_ms = until_ms;
	return PACE_LIMITED;
}

enum pace_verdict pace_observe(struct pace *pace, const struct http_client_response *response, int64_t now_ms,
			       int64_t wall_us)
{
	observe_quota(pace, response, now_ms, wall_us);
	observe_clock(pace, response, wall_us);
	int status = response->status;
	if (status == 403 || status == 429)
		return observe_limit(pace, response, now_ms, wall_us);
	if (status == 503 && retry_after_ms(response, wall_us) >= 0)
		return observe_limit(pace, response, now_ms, wall_us);
	if (status == 200 || status == 304) {
		pace->secondary_in_row = 0;
		pace->limited_in_row = 0;
		pace->refused_in_row = 0;
		return status == 200 ? PACE_OK : PACE_NOT_MODIFIED;
	}
	switch (status) {
	case 301:
	case 302:
	case 307:
	case 308:
		return PACE_REDIRECT;
	case 401: {
		int64_t doublings = clamp(pace->refused_in_row++, 0, 6);
		pace->refused_until_ms =
			now_ms + clamp((int64_t)REFUSED_WAIT_MS << doublings, 0, REFUSED_WAIT_MS_MAX);
		return PACE_UNAUTHORIZED;
	}
	case 404:
	case 410:
	case 451:
		return PACE_GONE;
	case 422:
		return PACE_END;
	default:
		return PACE_FAILED;
	}
}

int64_t pace_limit_ends_ms(const struct pace *pace, int64_t now_ms)
{
	int64_t allowed_ms = pace->blocked_until_ms;
	if (pace->quota_remaining == 0 && pace->reset_at_ms > allowed_ms)
		allowed_ms = pace->reset_at_ms;
	return allowed_ms > now_ms ? allowed_ms : now_ms;
}

int64_t pace_allowed_at_ms(const struct pace *pace, int64_t now_ms)
{
	int64_t allowed_ms = pace_limit_ends_ms(pace, now_ms);
	return pace->refused_until_ms > allowed_ms ? pace->refused_until_ms : allowed_ms;
}

int64_t pace_sweep_gap_ms(const struct pace *pace, int64_t now_ms, int64_t requests_per_sweep)
{
	int64_t left_ms = pace->reset_at_ms - now_ms;
	if (pace->quota_remaining < 0 || left_ms <= 0)
		return 0;
	if (!pace->anonymous && pace->quota_remaining * 2 > pace->quota_limit)
		return 0;
	int64_t sweeps = pace->quota_remaining / clamp(requests_per_sweep, 1, 100);
	return sweeps > 0 ? left_ms / sweeps : left_ms;
}

int64_t pace_backoff_ms(int64_t failures_in_row, uint64_t random)
{
	int64_t wait_ms = clamp(INT64_C(1000) << clamp(failures_in_row - 1, 0, 10), 0, BACKOFF_MS_MAX);
	return wait_ms - (int64_t)(random % (uint64_t)(wait_ms / 2));
}

int64_t pace_poll_interval_s(const struct http_client_response *response, int64_t missing)
{
	int64_t interval_s = header_integer(response, "X-Poll-Interval", -1);
	return interval_s < 0 ? missing : clamp(interval_s, 0, POLL_INTERVAL_S_MAX);
}
