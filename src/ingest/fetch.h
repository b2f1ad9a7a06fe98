/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - one page of the Events API: the request with its headers, retries by error kind,
 * redirects on the same host, limits taken in. */
#ifndef INGEST_FETCH_H
#define INGEST_FETCH_H

#include "ingest/ask_note.h"
#include "ingest/ingest.h"
#include "ingest/pace.h"

struct fetcher {
	const struct ingest_options *options;
	struct http_client *client;
	struct pace pace;
	struct span origin;        /* "scheme://host:port" of options->api_url, borrowed from it */
	uint64_t random;           /* state of the jitter */
	int64_t requests;          /* sent so far */
	int64_t interval_ms;       /* that the stream asked for is to be left alone after the next request */
	struct ask_note note;      /* of both, for the next start */
	int64_t deadline_ms;       /* monotonic end of the run; 0: none */
	/* Told before each wait and after each answer, to keep the status fresh. */
	void (*changed)(void *context);
	void *changed_context;
};

enum fetch_outcome {
	FETCH_PAGE,         /* 200: body */
	FETCH_NOT_MODIFIED, /* 304 */
	FETCH_END,          /* 422: no more pages */
	FETCH_LIMITED,      /* a limit: pace says until when */
	FETCH_STOPPED,      /* we were asked to stop, or the run's time is over */
	FETCH_FAILED,       /* after retries; err says why */
	FETCH_UNAUTHORIZED, /* 401; err says what to do */
};

struct page {
	struct span body;
	const char *etag;      /* NULL: none */
	const char *next_url;  /* from Link, NULL: none */
	int64_t poll_interval_s; /* -1: not said */
	int64_t server_us;     /* when it arrived, by GitHub's clock */
	int64_t arrived_ms;
};

/* Waits until `pace` allows it, then asks for `url`. `etag` "" sends none. Everything of page_out
 * lives in `arena`. Retries ERR_RETRY and 5xx up to three times with backoff. */
enum fetch_outcome fetch_page(struct fetcher *fetcher, const char *url, const char *etag, struct arena *arena,
			      struct page *page_out, struct err *err);

/* Notes that GitHub is not to be asked before `until_ms` (monotonic), so that a start after a kill knows. */
void fetch_keep_wait(struct fetcher *fetcher, int64_t until_ms);

/* Sleeps on the stop flag until `until_ms` or the run's end. True when the run should end. */
bool fetch_wait(struct fetcher *fetcher, int64_t until_ms);

/* "scheme://host[:port]" of a URL; false when it is not http(s) or carries user information. */
bool fetch_parse_origin(struct span url, struct span *origin_out);
/* The URL of rel="next" in a Link header (RFC 8288: any case, quoted or not, one of several relations),
 * absent when there is none. */
struct span fetch_link_next(struct span link);

#endif
