/* SPDX-License-Identifier: Apache-2.0 */
/* archive_fetch.h - an hour of GH Archive, or a URL, to a file that lies durable under a name of the caller's.
 *
 * An hour is MIRROR/2026-09-20-7.json.gz. Whatever the mirrors do, it ends with one of the outcomes below; only
 * this machine's own trouble is an error. Between two attempts, and after the end of the process, what has come
 * is kept as PATH.part (archive_part.h) and continued by Range with If-Range; a file that changed at the server
 * begins anew.
 *
 * Tried again, after 1, 2, 4 ... s (half of it by chance, at most a minute), five times in a row without as much
 * as 1 MiB of progress: the network, a transfer that stalled for a minute or was cut, 5xx, 408, 425, 429. A
 * Retry-After is obeyed, for all who ask that mirror; one of more than five minutes ends the attempts. Not tried
 * again: 404, 410, other refusals, an answer that is no archive, certificates.
 *
 * Redirects are followed five times a request, never from https to http. No credentials are sent, and no cookies.
 * Politeness: one connection a fetcher, at most ARCHIVE_FETCHERS_MAX fetchers of a set of mirrors. */
#ifndef INGEST_ARCHIVE_FETCH_H
#define INGEST_ARCHIVE_FETCH_H

#include "base/clock.h"
#include "base/file.h"
#include "ingest/archive_part.h"

#define ARCHIVE_MIRROR_DEFAULT "https://data.gharchive.org"
#define ARCHIVE_BYTES_MAX (INT64_C(4) * 1024 * 1024 * 1024) /* of an hour; the largest seen has 0.35 GB */

enum {
	ARCHIVE_MIRRORS_MAX = 8,
	ARCHIVE_FETCHERS_MAX = 4,
	ARCHIVE_REDIRECTS_MAX = 5,
	ARCHIVE_REQUESTS_MAX = 200, /* for one file at one mirror, redirects included */
	ARCHIVE_REASON_BYTES_MAX = 512,
};

struct archive_fetch_options {
	const char *const *mirrors; /* base URLs, in order of preference; none: ARCHIVE_MIRROR_DEFAULT */
	size_t mirror_count;
	const char *user_agent;
	int64_t bytes_max;          /* of one file; 0: ARCHIVE_BYTES_MAX */
	int attempts_max;           /* in a row without progress; 0: 5 */
	int64_t backoff_ms;         /* the first wait; 0: 1 s */
	int64_t retry_after_ms_max; /* 0: 5 min */
	int64_t slow_wait_ms_max;   /* a transfer below 1000 bytes/s for so long is cut; 0: 1 min */
	struct stop_flag *stop;     /* NULL: never stopped */
	const struct clock *clock;  /* for labels and waits */
	/* Told of bytes as they come, on the thread that fetches; they count again when a transfer begins anew.
	 * May be NULL. */
	void (*progress)(void *context, int64_t bytes);
	void *progress_context;
};

/* The mirrors, and what they asked of all of us. Shared between threads; outlives its fetchers. */
struct archive_mirrors;
/* Copies what it needs. ERR_INPUT with exit_code 2: too many mirrors, or one that is no http(s) URL without
 * user, password, query and fragment. */
MUST_CHECK bool archive_mirrors_create(const struct archive_fetch_options *options,
				       struct archive_mirrors **mirrors_out, struct err *err);
void archive_mirrors_destroy(struct archive_mirrors **mirrors);
size_t archive_mirrors_count(const struct archive_mirrors *mirrors);
/* Without a slash at its end. */
const char *archive_mirrors_base(const struct archive_mirrors *mirrors, size_t mirror);

/* Belongs to one thread at a time. ERR_LOCAL, also beyond ARCHIVE_FETCHERS_MAX. */
struct archive_fetcher;
MUST_CHECK bool archive_fetcher_create(struct archive_mirrors *mirrors, struct archive_fetcher **fetcher_out,
				       struct err *err);
void archive_fetcher_destroy(struct archive_fetcher **fetcher);

enum archive_outcome {
	ARCHIVE_FETCHED,     /* it is there */
	ARCHIVE_MISSING,     /* 404, 410, or 403 with S3's NoSuchKey: not there now, which is not for ever */
	ARCHIVE_UNAVAILABLE, /* not to be had now: attempts used up, refused, a redirect that is not followed */
	ARCHIVE_DAMAGED,     /* what is there is no archive: empty, XML, HTML, too large */
	ARCHIVE_STOPPED,     /* we were asked to stop */
};
const char *archive_outcome_name(enum archive_outcome outcome); /* "fetched", "missing", ... */

struct archive_result {
	enum archive_outcome outcome;
	char reason[ARCHIVE_REASON_BYTES_MAX]; /* for people; "" when fetched */
	size_t mirror;      /* which one this is about; 0 for a URL */
	char url[ARCHIVE_URL_BYTES_MAX]; /* asked for */
	int status;         /* of the last answer; 0: there was none */
	int64_t size;       /* fetched: of the file; probed: announced, -1 when not; else -1 */
	bool length_known;  /* the size was announced: a file that ends early ends so at the server */
	struct digest sha256; /* fetched only; else "" */
	char etag[ARCHIVE_ETAG_BYTES_MAX]; /* as sent, "" when not */
	char last_modified[64];
	int64_t retry_after_ms; /* unavailable: not before; 0: not said */
	int64_t resumed_bytes;  /* fetched: kept from before this call */
	int requests;
};

/* The hour from one mirror: FETCHED says that `path` holds it, durable, in place of what was there. It begins as
 * gzip; whether it ends well shows when it is read. Everything else leaves `path` alone. An outcome is success;
 * false: ERR_LOCAL (disk full is here), `path` as it was. */
MUST_CHECK bool archive_fetch_hour(struct archive_fetcher *fetcher, int64_t hour_us, size_t mirror, const char *path,
				   struct archive_result *result_out, struct err *err);
/* From the first mirror that has it. When none has: UNAVAILABLE if one may have it later, else DAMAGED if one has
 * something else, else MISSING; the reason names them all, the rest is of the mirror that decided. */
MUST_CHECK bool archive_fetch_any(struct archive_fetcher *fetcher, int64_t hour_us, const char *path,
				  struct archive_result *result_out, struct err *err);
/* Any other URL; gzip when the URL's name ends in .gz, else that or JSON. */
MUST_CHECK bool archive_fetch_url(struct archive_fetcher *fetcher, const char *url, const char *path,
				  struct archive_result *result_out, struct err *err);

/* The same questions by HEAD, for a dry run: FETCHED says that it is there, of `size` bytes. */
MUST_CHECK bool archive_probe_hour(struct archive_fetcher *fetcher, int64_t hour_us, size_t mirror,
				   struct archive_result *result_out, struct err *err);
MUST_CHECK bool archive_probe_any(struct archive_fetcher *fetcher, int64_t hour_us,
				  struct archive_result *result_out, struct err *err);
MUST_CHECK bool archive_probe_url(struct archive_fetcher *fetcher, const char *url,
				  struct archive_result *result_out, struct err *err);

#endif
