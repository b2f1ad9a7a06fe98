/* SPDX-License-Identifier: Apache-2.0 */
/* archive_request.c - what an answer means is archive_answer.c's, what is on disk archive_part.c's. */
#include "ingest/archive_request.h"

#include "ingest/archive_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	CONNECT_WAIT_MS = 20 * 1000,
	TOTAL_WAIT_MS = 12 * 3600 * 1000, /* 4 GiB at 100 kB/s */
	PAGE_BYTES_MAX = 1024 * 1024, /* of an error's page, before its reading is given up */
};

/* ---- the answer, as it comes ---- */

const struct archive_fetch_options *archive_request_options(const struct archive_request *request)
{
	return &request->fetcher->mirrors->options;
}

static bool begin_whole(struct archive_request *request, const struct archive_origin *origin, struct err *err)
{
	if (origin->length > archive_request_options(request)->bytes_max) {
		request->is_too_large = true;
		return err_set(err, ERR_INPUT, "too large");
	}
	request->is_content = true;
	request->loaded_bytes = 0;
	request->local_trouble = !archive_part_restart(&request->part, origin, err);
	return !request->local_trouble;
}

/* If-Range should have kept every other answer away, but servers differ. */
static bool begin_rest(struct archive_request *request, const struct http_client_response *head,
		       const struct archive_origin *origin, struct err *err)
{
	const struct archive_origin *own = &request->part.origin;
	int64_t first;
	int64_t length;
	bool same = request->ranged && archive_answer_range(head, &first, &length) && first == request->part.bytes
		    && (own->length == -1 || length == -1 || length == own->length)
		    && (own->etag[0] == '\0' || origin->etag[0] == '\0' || strcmp(own->etag, origin->etag) == 0)
		    && (own->etag[0] != '\0' || strcmp(own->last_modified, origin->last_modified) == 0);
	if (!same) {
		request->is_other_range = true;
		return err_set(err, ERR_RETRY, "another part of the file than was asked for");
	}
	request->is_content = true;
	request->local_trouble = !archive_part_continue(&request->part, err);
	return !request->local_trouble;
}

static bool begin(void *context, const struct http_client_response *head, struct err *err)
{
	struct archive_request *request = context;
	struct archive_result *result = request->result;
	struct archive_origin origin;
	const char *location = http_client_header_get(head, "Location");
	archive_answer_origin(head, &origin);
	(void)snprintf(origin.url, sizeof(origin.url), "%s", request->url);
	result->status = head->status;
	int64_t now_us = clock_wall_us(archive_request_options(request)->clock);
	request->retry_after_ms = archive_answer_retry_after_ms(head, now_us);
	if (location && strlen(location) < sizeof(request->location))
		memcpy(request->location, location, strlen(location) + 1);
	if (request->probing && head->status == 200) {
		request->part.origin = origin;
		return true;
	}
	if (request->probing || (head->status != 200 && head->status != 206))
		return true;
	return head->status == 200 ? begin_whole(request, &origin, err) : begin_rest(request, head, &origin, err);
}

static bool take(void *context, struct span bytes, struct err *err)
{
	struct archive_request *request = context;
	const struct archive_fetch_options *options = archive_request_options(request);
	if (!request->is_content) {
		size_t room = sizeof(request->start) - request->start_size;
		size_t size = bytes.size < room ? bytes.size : room;
		memcpy(request->start + request->start_size, bytes.data, size);
		request->start_size += size;
		request->page_bytes += (int64_t)bytes.size;
		return request->page_bytes <= PAGE_BYTES_MAX || err_set(err, ERR_INPUT, "a long page");
	}
	if ((int64_t)bytes.size > options->bytes_max - request->part.bytes) {
		request->is_too_large = true;
		return err_set(err, ERR_INPUT, "too large");
	}
	request->local_trouble = !archive_part_add(&request->part, bytes, err);
	if (request->local_trouble)
		return false;
	if (options->progress)
		options->progress(options->progress_context, (int64_t)bytes.size);
	return true;
}

/* ---- the request ---- */

bool archive_request_is_stopped(void *context)
{
	const struct archive_request *request = context;
	struct stop_flag *stop = archive_request_options(request)->stop;
	return stop && stop_flag_is_set(stop);
}

static void forget_request(struct archive_request *request)
{
	request->ranged = request->is_content = request->is_other_range = request->is_too_large = false;
	request->retry_after_ms = 0;
	request->location[0] = '\0';
	request->start_size = 0;
	request->page_bytes = 0;
	request->result->status = 0;
}

static bool send_request(struct archive_request *request, const char *url, struct err *err)
{
	const struct archive_fetch_options *options = archive_request_options(request);
	const struct http_client_sink sink = {begin, take, request};
	const char *validator = archive_origin_validator(&request->part.origin);
	struct http_client_header headers[3] = {{"User-Agent", request->fetcher->mirrors->user_agent}};
	struct http_client_response response;
	char range[48];
	size_t count = 1;
	forget_request(request);
	arena_reset(&request->fetcher->arena);
	request->ranged = !request->probing && request->part.bytes > 0 && validator[0] != '\0';
	if (request->ranged) {
		(void)snprintf(range, sizeof(range), "bytes=%lld-", (long long)request->part.bytes);
		headers[count++] = (struct http_client_header){"Range", range};
		headers[count++] = (struct http_client_header){"If-Range", validator};
	}
	const struct http_client_request asked = {
		.method = request->probing ? "HEAD" : NULL,
		.url = url,
		.headers = headers,
		.header_count = count,
		.sink = &sink,
		.body_bytes_max = (size_t)(options->bytes_max + PAGE_BYTES_MAX),
		.connect_wait_ms_max = CONNECT_WAIT_MS,
		.total_wait_ms_max = TOTAL_WAIT_MS,
		.slow_wait_ms_max = options->slow_wait_ms_max,
		.stopped = archive_request_is_stopped,
		.stopped_context = request,
	};
	request->result->requests++;
	return http_client_send(request->fetcher->client, &asked, &request->fetcher->arena, &response, err);
}

/* ---- what comes of it ---- */

enum archive_step archive_request_end(struct archive_request *request, enum archive_outcome outcome,
				      const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(request->result->reason, sizeof(request->result->reason), format, arguments);
	va_end(arguments);
	request->result->outcome = outcome;
	return ARCHIVE_STEP_END;
}

static enum archive_step again(struct archive_request *request, const char *reason)
{
	(void)archive_request_end(request, ARCHIVE_UNAVAILABLE, "%s", reason);
	return ARCHIVE_STEP_AGAIN;
}

static bool end_too_large(struct archive_request *request, enum archive_step *step_out, struct err *err)
{
	*step_out = archive_request_end(request, ARCHIVE_DAMAGED, "larger than %lld bytes",
			     (long long)archive_request_options(request)->bytes_max);
	return archive_part_discard(&request->part, err);
}

/* All bytes are there that were announced. */
bool archive_request_finish_whole(struct archive_request *request, enum archive_step *step_out, struct err *err)
{
	struct archive_part *part = &request->part;
	struct archive_result *result = request->result;
	struct span start = span_make(part->start, part->start_size);
	char kind[ARCHIVE_KIND_BYTES];
	if (!archive_answer_is_gzip(start) && (request->must_be_gzip || !archive_answer_is_json(start))) {
		archive_answer_describe(start, kind);
		*step_out = archive_request_end(request, ARCHIVE_DAMAGED, "no archive but %s, of %lld bytes", kind,
				     (long long)part->bytes);
		return archive_part_discard(part, err);
	}
	if (!archive_part_publish(part, err))
		return false;
	*step_out = archive_request_end(request, ARCHIVE_FETCHED, "%s", "");
	result->retry_after_ms = 0;
	result->size = part->bytes;
	result->length_known = part->origin.length >= 0;
	result->sha256 = digest_stream_get(part->digest);
	result->resumed_bytes = request->loaded_bytes;
	(void)snprintf(result->etag, sizeof(result->etag), "%s", part->origin.etag);
	(void)snprintf(result->last_modified, sizeof(result->last_modified), "%s", part->origin.last_modified);
	return true;
}

static bool finish_content(struct archive_request *request, enum archive_step *step_out, struct err *err)
{
	struct archive_part *part = &request->part;
	if (part->origin.length >= 0 && part->bytes > part->origin.length) {
		*step_out = again(request, "more bytes than were announced");
		return archive_part_discard(part, err);
	}
	if (part->origin.length >= 0 && part->bytes < part->origin.length) {
		*step_out = again(request, "fewer bytes than were announced");
		return archive_part_pause(part, err);
	}
	return archive_request_finish_whole(request, step_out, err);
}

static enum archive_step finish_probe(struct archive_request *request)
{
	const struct archive_origin *origin = &request->part.origin;
	struct archive_result *result = request->result;
	result->retry_after_ms = 0;
	result->size = origin->length;
	result->length_known = origin->length >= 0;
	(void)snprintf(result->etag, sizeof(result->etag), "%s", origin->etag);
	(void)snprintf(result->last_modified, sizeof(result->last_modified), "%s", origin->last_modified);
	if (origin->length == 0)
		return archive_request_end(request, ARCHIVE_DAMAGED, "no archive but nothing, of 0 bytes");
	if (origin->length > archive_request_options(request)->bytes_max)
		return archive_request_end(request, ARCHIVE_DAMAGED, "larger than %lld bytes",
				(long long)archive_request_options(request)->bytes_max);
	return archive_request_end(request, ARCHIVE_FETCHED, "%s", "");
}

/* The transfer broke off, or never was. */
static bool finish_broken(struct archive_request *request, const struct err *failure, enum archive_step *step_out,
			  struct err *err)
{
	if (request->is_too_large)
		return end_too_large(request, step_out, err);
	*step_out = failure->kind == ERR_RETRY ? again(request, failure->text)
					       : archive_request_end(request, ARCHIVE_UNAVAILABLE, "%s", failure->text);
	if (archive_request_is_stopped(request))
		*step_out = archive_request_end(request, ARCHIVE_STOPPED, "stopped");
	/* Even without a note the next attempt must not be asked for the same. */
	return request->is_other_range ? archive_part_discard(&request->part, err)
				     : archive_part_pause(&request->part, err);
}

static enum archive_step finish_refused(struct archive_request *request, enum archive_verdict verdict)
{
	char kind[ARCHIVE_KIND_BYTES] = "";
	struct span start = span_make(request->start, request->start_size);
	int status = request->result->status;
	if (start.size > 0)
		archive_answer_describe(start, kind);
	if (verdict == ARCHIVE_GONE)
		return archive_request_end(request, ARCHIVE_MISSING, "status %d%s", status,
					   status == 403 ? " (NoSuchKey)" : "");
	if (verdict != ARCHIVE_TRY_AGAIN)
		return archive_request_end(request, ARCHIVE_UNAVAILABLE, "refused with status %d%s%s", status,
				kind[0] ? ", " : "", kind);
	int64_t now_ms = clock_monotonic_ms(archive_request_options(request)->clock);
	int64_t until_ms = now_ms + request->retry_after_ms;
	if (request->retry_after_ms > 0 && request->has_mirror)
		archive_mirrors_block(request->fetcher->mirrors, request->result->mirror, until_ms);
	request->not_before_ms = until_ms;
	request->result->retry_after_ms = request->retry_after_ms;
	(void)archive_request_end(request, ARCHIVE_UNAVAILABLE, "status %d", status);
	return ARCHIVE_STEP_AGAIN;
}

/* Into `url`. False with the outcome when it leads nowhere. */
static bool follow(struct archive_request *request, int hop, char url[ARCHIVE_URL_BYTES_MAX])
{
	static const enum archive_outcome outcome = ARCHIVE_UNAVAILABLE;
	char target[ARCHIVE_URL_BYTES_MAX];
	struct err reason;
	int status = request->result->status;
	if (hop == ARCHIVE_REDIRECTS_MAX)
		(void)archive_request_end(request, outcome, "more than %d redirects", ARCHIVE_REDIRECTS_MAX);
	else if (request->location[0] == '\0')
		(void)archive_request_end(request, outcome, "status %d without a usable Location", status);
	else if (!http_client_resolve(url, request->location, target, sizeof(target), &reason))
		(void)archive_request_end(request, outcome, "a redirect that is not followed: %.200s", reason.text);
	else if (strncasecmp(url, "https:", 6) == 0 && strncmp(target, "https:", 6) != 0)
		(void)archive_request_end(request, outcome, "a redirect that is not followed: from https to http");
	else
		return memcpy(url, target, sizeof(target)) != NULL;
	return false;
}

/* One attempt, with redirects. */
bool archive_request_try(struct archive_request *request, enum archive_step *step_out, struct err *err)
{
	char url[ARCHIVE_URL_BYTES_MAX];
	(void)snprintf(url, sizeof(url), "%s", request->url);
	for (int hop = 0;; hop++) {
		struct err failure = {0};
		bool is_whole = send_request(request, url, &failure);
		if (request->local_trouble) {
			*err = failure;
			return false;
		}
		int status = request->result->status;
		enum archive_verdict verdict =
			archive_answer_judge(status, span_make(request->start, request->start_size));
		/* Of a refusal the status is enough, but not of a stop. */
		if (!is_whole && (status == 0 || verdict == ARCHIVE_CONTENT || archive_request_is_stopped(request)))
			return finish_broken(request, &failure, step_out, err);
		if (verdict == ARCHIVE_CONTENT && request->probing) {
			*step_out = finish_probe(request);
			return true;
		}
		if (verdict == ARCHIVE_CONTENT)
			return finish_content(request, step_out, err);
		if (verdict == ARCHIVE_NO_RANGE && request->ranged) {
			*step_out = again(request, "the file is shorter than before");
			return archive_part_discard(&request->part, err);
		}
		if (verdict != ARCHIVE_MOVED) {
			*step_out = finish_refused(request, verdict);
			return true;
		}
		if (!follow(request, hop, url)) {
			*step_out = ARCHIVE_STEP_END;
			return true;
		}
	}
}
