/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - what was asked, what was served and which of GitHub's rules a client broke: the truth
 * that tests compare a client with. Its JSON form is described in README.md.
 *
 * An event counts as served when its whole body was handed to the socket. Bodies that a scenario
 * damaged on the wire count nothing. Not thread-safe: github.c holds its lock around every call. */
#ifndef FAKE_GITHUB_LEDGER_H
#define FAKE_GITHUB_LEDGER_H

#include "base/json_writer.h"
#include "fake_github/feed.h"
#include "fake_github/http.h"
#include "fake_github/keyset.h"

enum {
	LEDGER_REQUESTS_MAX = 100000, /* older ones leave the ring; sums stay right */
	LEDGER_VIOLATIONS_MAX = 10000,
	LEDGER_STREAMS_MAX = 256,
	LEDGER_TARGET_BYTES_MAX = 512,
	LEDGER_POLL_TOLERANCE_MS = 50, /* for timers that wake a little early */
};

enum ledger_token { LEDGER_TOKEN_NONE, LEDGER_TOKEN_GOOD, LEDGER_TOKEN_BAD };

struct ledger_request {
	uint64_t seq; /* from 1 */
	int64_t at_ms; /* since the ledger's start */
	char method[12];
	char *target; /* cut at LEDGER_TARGET_BYTES_MAX */
	int stream;   /* index, or -1 */
	unsigned page; /* 0 when the request is for no stream */
	int status;    /* 0: not answered (yet) */
	size_t events;
	bool conditional; /* If-None-Match came with it */
	enum ledger_token token;
	int64_t remaining; /* of the budget after the answer; -1: not told */
	const char *scenario; /* that took part in the answer, or NULL; a constant */
	bool foreign;         /* came in on the other host */
	bool sent;            /* the whole answer was handed to the socket */
};

struct ledger_stream {
	char key[STREAM_KEY_BYTES];
	uint64_t requests;
	uint64_t sweeps; /* requests for page 1 */
	uint64_t modified;
	uint64_t not_modified;
	uint64_t failed;
	uint64_t served_events;
	bool polled;         /* page 1 was answered by 200 or 304 */
	int64_t polled_at_ms; /* when that request arrived */
	int64_t interval_ms;  /* and what X-Poll-Interval it was told */
};

struct ledger_violation {
	const char *kind; /* a constant */
	uint64_t seq;
	char *detail;
};

struct ledger {
	int64_t start_ms;
	struct ledger_request *ring; /* the request `seq` lies at (seq - 1) % LEDGER_REQUESTS_MAX */
	size_t ring_capacity;
	uint64_t request_count;
	struct ledger_stream streams[LEDGER_STREAMS_MAX];
	size_t stream_count;
	struct ledger_violation *violations;
	size_t violations_kept;
	uint64_t violation_count;
	struct keyset keys;
	uint64_t served_events;
	uint64_t spoiled_events; /* of these, elements that no client can store */
};

void ledger_init(struct ledger *ledger, int64_t now_ms);
void ledger_finish(struct ledger *ledger);

/* Enters a request; its stream when there is one. Returns the entry, valid until the next one. */
struct ledger_request *ledger_arrive(struct ledger *ledger, const struct http_request *request,
				     const struct stream *stream, unsigned page, int64_t now_ms);

/* The entry of `seq`, or NULL when it has left the ring. */
struct ledger_request *ledger_find(struct ledger *ledger, uint64_t seq);

/* Notes "inside-poll-interval" when page 1 of a stream is asked for sooner than it was told by the
 * answer of 200 or 304 before it. */
void ledger_check_poll(struct ledger *ledger, const struct ledger_request *request);

void ledger_violate(struct ledger *ledger, const char *kind, uint64_t seq, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The answer is decided. `honest`: no scenario spoils it, so `interval_ms`, which its X-Poll-Interval
 * names, counts from it. */
void ledger_answer(struct ledger *ledger, struct ledger_request *request, int status, bool honest,
		   int64_t interval_ms);

/* The body with these events was handed over. */
void ledger_serve(struct ledger *ledger, struct ledger_request *request,
		  const struct event_key *keys, size_t key_count);

/* Writes members into an open object: requests, violations, streams, sums; all served keys too when
 * `keys` is set. */
void ledger_write(const struct ledger *ledger, bool keys, struct json_writer *json);

#endif
