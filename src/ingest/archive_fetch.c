/* SPDX-License-Identifier: Apache-2.0 */
/* archive_fetch.c - attempts at one file, mirror after mirror. One attempt is archive_request.c's. */
#include "ingest/archive_fetch.h"

#include "base/log.h"
#include "base/memory.h"
#include "ingest/archive_hour.h"
#include "ingest/archive_request.h"
#include "wrap/http_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BACKOFF_MS_MAX = 60 * 1000,
	PROGRESS_BYTES = 1024 * 1024,
	REQUEST_ARENA_BYTES_MAX = 1024 * 1024,
};

const char *archive_outcome_name(enum archive_outcome outcome)
{
	static const char *const names[] = {"fetched", "missing", "unavailable", "damaged", "stopped"};
	return names[outcome];
}

bool archive_fetcher_create(struct archive_mirrors *mirrors, struct archive_fetcher **fetcher_out, struct err *err)
{
	struct http_client *client = NULL;
	if (!archive_mirrors_enter(mirrors))
		return err_set(err, ERR_LOCAL, "more than %d connections to archives", ARCHIVE_FETCHERS_MAX);
	if (!http_client_create(&client, err)) {
		archive_mirrors_leave(mirrors);
		return false;
	}
	struct archive_fetcher *fetcher = memory_allocate(1, sizeof(*fetcher));
	*fetcher = (struct archive_fetcher){.mirrors = mirrors, .client = client};
	arena_init(&fetcher->arena, REQUEST_ARENA_BYTES_MAX);
	fetcher->random = ((uint64_t)clock_wall_us(mirrors->options.clock) ^ (uint64_t)(uintptr_t)fetcher) | 1;
	*fetcher_out = fetcher;
	return true;
}

void archive_fetcher_destroy(struct archive_fetcher **fetcher)
{
	if (!*fetcher)
		return;
	http_client_destroy(&(*fetcher)->client);
	arena_finish(&(*fetcher)->arena);
	archive_mirrors_leave((*fetcher)->mirrors);
	free(*fetcher);
	*fetcher = NULL;
}

/* ---- attempts ---- */

static int64_t backoff_ms(struct archive_request *request)
{
	struct archive_fetcher *fetcher = request->fetcher;
	int shift = request->failures < 16 ? request->failures : 16;
	int64_t wait_ms = archive_request_options(request)->backoff_ms << (shift > 0 ? shift - 1 : 0);
	wait_ms = wait_ms < BACKOFF_MS_MAX ? wait_ms : BACKOFF_MS_MAX;
	/* xorshift64: only spreads retries. */
	fetcher->random ^= fetcher->random << 13;
	fetcher->random ^= fetcher->random >> 7;
	fetcher->random ^= fetcher->random << 17;
	return wait_ms - (int64_t)(fetcher->random % (uint64_t)(wait_ms / 2 + 1));
}

/* Until it may ask. False with the outcome when that is too long, or it was stopped. */
static bool wait_for_turn(struct archive_request *request)
{
	const struct archive_fetch_options *options = archive_request_options(request);
	for (;;) {
		int64_t until_ms = request->not_before_ms;
		int64_t blocked_ms = request->has_mirror ? archive_mirrors_blocked_until_ms(request->fetcher->mirrors,
											  request->result->mirror)
						       : 0;
		until_ms = blocked_ms > until_ms ? blocked_ms : until_ms;
		int64_t wait_ms = until_ms - clock_monotonic_ms(options->clock);
		if (archive_request_is_stopped(request)) {
			(void)archive_request_end(request, ARCHIVE_STOPPED, "stopped");
			return false;
		}
		if (wait_ms <= 0)
			return true;
		if (wait_ms > options->retry_after_ms_max) {
			(void)archive_request_end(request, ARCHIVE_UNAVAILABLE, "asks to be left alone for %lld s",
				       (long long)(wait_ms + 999) / 1000);
			request->result->retry_after_ms = wait_ms;
			return false;
		}
		if (options->stop)
			(void)stop_flag_wait(options->stop, wait_ms);
		else
			clock_sleep_ms(wait_ms);
	}
}

/* True when that was the last attempt. */
static bool note_failure(struct archive_request *request, int64_t bytes_before)
{
	struct archive_result *result = request->result;
	bool advanced = request->part.bytes - bytes_before >= PROGRESS_BYTES;
	request->failures = advanced ? 1 : request->failures + 1;
	if (request->failures >= archive_request_options(request)->attempts_max
	    || result->requests >= ARCHIVE_REQUESTS_MAX) {
		size_t size = strlen(result->reason);
		(void)snprintf(result->reason + size, sizeof(result->reason) - size, " (after %d requests)",
			       result->requests);
		return true;
	}
	int64_t wait_ms = backoff_ms(request);
	int64_t until_ms = clock_monotonic_ms(archive_request_options(request)->clock) + wait_ms;
	request->not_before_ms = until_ms > request->not_before_ms ? until_ms : request->not_before_ms;
	LOG_EVENT(LOG_INFO, "archive: trying again", log_text("url", request->url), log_text("reason", result->reason),
		  log_int("wait_ms", wait_ms));
	return false;
}

static bool run_attempts(struct archive_request *request, struct err *err)
{
	for (;;) {
		int64_t bytes_before = request->part.bytes;
		enum archive_step step;
		if (!wait_for_turn(request))
			return true;
		if (!archive_request_try(request, &step, err))
			return false;
		if (step == ARCHIVE_STEP_END || note_failure(request, bytes_before))
			return true;
	}
}

static void finish_fetch(struct archive_request *request)
{
	archive_part_finish(&request->part);
}

/* `path` NULL: a probe. `mirror` of an hour; has_mirror false: of none. */
static bool run_fetch(struct archive_fetcher *fetcher, const char *url, size_t mirror, bool has_mirror,
		      const char *path, struct archive_result *result_out, struct err *err)
{
	struct archive_result result = {.mirror = mirror, .size = -1};
	struct archive_request request CLEANUP(finish_fetch) = {.fetcher = fetcher,
						    .url = result.url,
						    .has_mirror = has_mirror,
						    .probing = !path,
						    .part = {.origin = {.length = -1}},
						    .result = &result};
	struct err reason;
	enum archive_step ignored;
	bool is_url = http_client_check_url(url, &reason) && strlen(url) < sizeof(result.url);
	(void)snprintf(result.url, sizeof(result.url), "%s", is_url ? url : "");
	struct span name = span_make(url, strcspn(url, "?#"));
	request.must_be_gzip = has_mirror || span_ends_with(name, ".gz");
	bool ok = true;
	if (!is_url)
		(void)archive_request_end(&request, ARCHIVE_UNAVAILABLE, "no URL, or one of more than %d bytes",
			       ARCHIVE_URL_BYTES_MAX - 1);
	else if (path)
		ok = archive_part_load(&request.part, path, url, err);
	request.loaded_bytes = request.part.bytes;
	if (ok && is_url) {
		bool is_there = request.part.bytes > 0 && request.part.bytes == request.part.origin.length;
		ok = is_there ? archive_request_finish_whole(&request, &ignored, err) : run_attempts(&request, err);
	}
	if (!ok)
		return err_wrap(err, "fetch %.200s", url);
	*result_out = result;
	return true;
}

/* ---- hours, URLs ---- */

static bool run_hour(struct archive_fetcher *fetcher, int64_t hour_us, size_t mirror, const char *path,
		     struct archive_result *result_out, struct err *err)
{
	char url[ARCHIVE_URL_BYTES_MAX];
	(void)snprintf(url, sizeof(url), "%s/%s.json.gz", archive_mirrors_base(fetcher->mirrors, mirror),
		       archive_hour_name(hour_us).text);
	return run_fetch(fetcher, url, mirror, true, path, result_out, err);
}

/* The worse an outcome is for those who want the hour, the later it comes; only the first ends the search. */
static int rank_of(enum archive_outcome outcome)
{
	static const int ranks[] = {
		[ARCHIVE_FETCHED] = 4, [ARCHIVE_STOPPED] = 3, [ARCHIVE_UNAVAILABLE] = 2, [ARCHIVE_DAMAGED] = 1,
		[ARCHIVE_MISSING] = 0,
	};
	return ranks[outcome];
}

static bool run_any(struct archive_fetcher *fetcher, int64_t hour_us, const char *path,
		    struct archive_result *result_out, struct err *err)
{
	struct archive_result best = {0};
	struct buf reasons CLEANUP(buf_finish) = {.size_max = ARCHIVE_MIRRORS_MAX * (ARCHIVE_REASON_BYTES_MAX + 1100)};
	size_t count = archive_mirrors_count(fetcher->mirrors);
	int requests = 0;
	for (size_t i = 0; i < count; i++) {
		struct archive_result result;
		if (!run_hour(fetcher, hour_us, i, path, &result, err))
			return false;
		requests += result.requests;
		if (i == 0 || rank_of(result.outcome) > rank_of(best.outcome))
			best = result;
		if (result.outcome == ARCHIVE_FETCHED || result.outcome == ARCHIVE_STOPPED)
			break;
		buf_printf(&reasons, "%s%s: %s", i > 0 ? "; " : "", archive_mirrors_base(fetcher->mirrors, i),
			   result.reason);
	}
	best.requests = requests;
	if (rank_of(best.outcome) <= rank_of(ARCHIVE_UNAVAILABLE) && count > 1)
		(void)snprintf(best.reason, sizeof(best.reason), "%s", reasons.data);
	*result_out = best;
	return true;
}

bool archive_fetch_hour(struct archive_fetcher *fetcher, int64_t hour_us, size_t mirror, const char *path,
			struct archive_result *result_out, struct err *err)
{
	assert(path);
	return run_hour(fetcher, hour_us, mirror, path, result_out, err);
}

bool archive_fetch_any(struct archive_fetcher *fetcher, int64_t hour_us, const char *path,
		       struct archive_result *result_out, struct err *err)
{
	assert(path);
	return run_any(fetcher, hour_us, path, result_out, err);
}

bool archive_fetch_url(struct archive_fetcher *fetcher, const char *url, const char *path,
		       struct archive_result *result_out, struct err *err)
{
	assert(path);
	return run_fetch(fetcher, url, 0, false, path, result_out, err);
}

bool archive_probe_hour(struct archive_fetcher *fetcher, int64_t hour_us, size_t mirror,
			struct archive_result *result_out, struct err *err)
{
	return run_hour(fetcher, hour_us, mirror, NULL, result_out, err);
}

bool archive_probe_any(struct archive_fetcher *fetcher, int64_t hour_us, struct archive_result *result_out,
		       struct err *err)
{
	return run_any(fetcher, hour_us, NULL, result_out, err);
}

bool archive_probe_url(struct archive_fetcher *fetcher, const char *url, struct archive_result *result_out,
		       struct err *err)
{
	return run_fetch(fetcher, url, 0, false, NULL, result_out, err);
}
