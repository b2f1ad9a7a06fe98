/* SPDX-License-Identifier: Apache-2.0 */
/* archive_answer.h - what an answer of an archive's server means. Pure. For archive_*.c only. */
#ifndef INGEST_ARCHIVE_ANSWER_H
#define INGEST_ARCHIVE_ANSWER_H

#include "ingest/archive_part.h"
#include "wrap/http_client.h"

enum archive_verdict {
	ARCHIVE_CONTENT,   /* 200, 206 */
	ARCHIVE_GONE,      /* 404, 410, 403 with S3's NoSuchKey */
	ARCHIVE_MOVED,     /* 301, 302, 303, 307, 308 */
	ARCHIVE_TRY_AGAIN, /* 5xx, 408, 425, 429 */
	ARCHIVE_NO_RANGE,  /* 416 */
	ARCHIVE_REFUSED,   /* all else: asking again brings the same */
};

/* `start`: the first bytes of the body, as far as there are any. */
enum archive_verdict archive_answer_judge(int status, struct span start);

/* Of which file the answer is, but for the URL. Headers too long to be kept count as missing. */
void archive_answer_origin(const struct http_client_response *response, struct archive_origin *origin_out);

/* Content-Range (RFC 9110, 14.4): first byte and the whole's length (-1: not known). False when missing or wrong. */
bool archive_answer_range(const struct http_client_response *response, int64_t *first_out, int64_t *length_out);

/* Retry-After (RFC 9110, 10.2.3) in milliseconds from now; 0 when there is none. At most a day. */
int64_t archive_answer_retry_after_ms(const struct http_client_response *response, int64_t wall_us);

/* What a file that begins so is, when it is no archive: "an XML document (NoSuchKey)", in text[size]. */
enum { ARCHIVE_KIND_BYTES = 80 };
void archive_answer_describe(struct span start, char text[ARCHIVE_KIND_BYTES]);
bool archive_answer_is_gzip(struct span start);
/* Lines of JSON, as far as their first byte tells. */
bool archive_answer_is_json(struct span start);

#endif
