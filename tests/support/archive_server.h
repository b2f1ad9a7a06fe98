/* SPDX-License-Identifier: Apache-2.0 */
/* archive_server.h - an archive for tests: one file at every path of 127.0.0.1, with ETag, Last-Modified, ranges
 * and If-Range, and with answers that go wrong as they are told to. */
#ifndef TESTS_SUPPORT_ARCHIVE_SERVER_H
#define TESTS_SUPPORT_ARCHIVE_SERVER_H

#include "base/buf.h"

/* How one answer goes wrong; all zero: it does not. */
struct archive_answer_plan {
	int status;               /* 0: 200, 206 or 416 as the request says; else this one, with `body` */
	const char *body;         /* NULL: the file, or nothing with a status */
	const char *headers;      /* complete lines, added */
	bool ignores_range;       /* 200 and all of it */
	bool wrong_range;         /* 206 of as many bytes as were asked for, but from the file's start */
	bool without_length;      /* the end of the connection is the end of the body */
	size_t cut_at;            /* bytes of body, then the connection closes; 0: none. Needs that many. */
	bool resets;              /* with cut_at: by RST */
	size_t stall_at;          /* bytes of body, then nothing for 20 s, or until client or test leave */
	const char *changes_file; /* afterwards the file is this text, with another ETag */
	bool without_validators;  /* neither ETag nor Last-Modified */
	bool weak_etag;
};

struct archive_server;

/* The `n`-th request is answered by plans[n], those after them by the last one; no plans: well. Both are
 * borrowed until stop. Connections are served one after the other, one request each. */
struct archive_server *archive_server_start(struct span file, const struct archive_answer_plan *plans, size_t count);
/* "http://127.0.0.1:PORT" */
const char *archive_server_url(const struct archive_server *server);
int archive_server_requests(struct archive_server *server);
/* Appends the heads of all requests, unless NULL. */
void archive_server_stop(struct archive_server **server, struct buf *requests);

#endif
