/* SPDX-License-Identifier: Apache-2.0 */
/* archive_request.h - one attempt at one file of an archive, redirects included: what is asked, what of the answer
 * goes to disk, what comes of it. For archive_*.c only. */
#ifndef INGEST_ARCHIVE_REQUEST_H
#define INGEST_ARCHIVE_REQUEST_H

#include "ingest/archive_mirrors.h"
#include "wrap/http_client.h"

struct archive_fetcher {
	struct archive_mirrors *mirrors;
	struct http_client *client;
	struct arena arena;
	uint64_t random; /* of the jitter */
};

/* One file from one place. */
struct archive_request {
	struct archive_fetcher *fetcher;
	const char *url;
	bool has_mirror; /* result->mirror is one */
	bool probing;
	bool must_be_gzip;
	struct archive_part part;
	int64_t loaded_bytes; /* of the part, from before */
	struct archive_result *result;
	int failures; /* in a row, without progress */
	int64_t not_before_ms;
	/* ---- of the request in progress ---- */
	bool ranged;
	bool is_content;
	bool is_other_range;
	bool is_too_large;
	bool local_trouble; /* while writing: not the server's fault */
	int64_t retry_after_ms;
	char location[ARCHIVE_URL_BYTES_MAX];
	char start[ARCHIVE_START_BYTES]; /* of a body that is no content */
	size_t start_size;
	int64_t page_bytes;
};

enum archive_step { ARCHIVE_STEP_END, ARCHIVE_STEP_AGAIN };

/* Asks once. The end: the outcome is in request->result, and PATH is published if it was fetched. Again: the
 * outcome so far is UNAVAILABLE with its reason, and what came is kept. ERR_LOCAL. */
MUST_CHECK bool archive_request_try(struct archive_request *request, enum archive_step *step_out, struct err *err);
/* What is on disk is the whole file: judges and publishes it. ERR_LOCAL. */
MUST_CHECK bool archive_request_finish_whole(struct archive_request *request, enum archive_step *step_out,
					     struct err *err);

const struct archive_fetch_options *archive_request_options(const struct archive_request *request);
bool archive_request_is_stopped(void *request);
/* Sets outcome and reason. */
enum archive_step archive_request_end(struct archive_request *request, enum archive_outcome outcome,
				      const char *format, ...) PRINTF_LIKE(3, 4);

#endif
