/* SPDX-License-Identifier: Apache-2.0 */
/* feed.h - what a feed is: for every stream a window of at most 300 events, newest first, of which
 * a page can be read.
 *
 * Two feeds exist: recorded states (feed_replay.c) and generated events (feed_synthetic.c). A feed
 * is not thread-safe: github.c holds its lock around every call. */
#ifndef FAKE_GITHUB_FEED_H
#define FAKE_GITHUB_FEED_H

#include "base/buf.h"
#include "base/json_writer.h"
#include "base/err.h"
#include "fake_github/etag.h"
#include "fake_github/paging.h"

enum {
	EVENT_ID_BYTES = 32,
	EVENT_TYPE_BYTES = 320,
	EVENT_TIME_BYTES = 32,
	FEED_INSERTED_MAX = 64,
	STREAM_KEY_BYTES = 256,
};

/* What tells events apart; taken from the element's own bytes. Texts are empty when the element
 * lacks the field or holds it in another form. The id is its number without more, the time is in UTC:
 * so they compare with what a client that reads them has stored. */
struct event_key {
	char id[EVENT_ID_BYTES];
	char type[EVENT_TYPE_BYTES];
	char created_at[EVENT_TIME_BYTES];
	int64_t repo_id;
	bool has_repo_id;
	bool spoiled;       /* no client can store this element as an event: it must set it aside */
	uint64_t byte_hash; /* of the element: tells spoiled elements apart */
};

/* Reads the key of one element. An element that is no JSON object with id, type and created_at
 * comes out spoiled. */
struct event_key event_key_read(struct span element);

enum stream_kind { STREAM_PUBLIC, STREAM_REPOSITORY, STREAM_ORGANISATION };

struct stream {
	enum stream_kind kind;
	char key[STREAM_KEY_BYTES]; /* the path: "/events", "/repos/o/r/events", "/orgs/o/events" */
	char owner[STREAM_KEY_BYTES]; /* or the organisation; empty for /events */
	char name[STREAM_KEY_BYTES]; /* "o/r" for repositories */
};

/* False when the path is none of the three streams or longer than STREAM_KEY_BYTES. */
bool stream_parse(struct span path, struct stream *stream_out);

struct feed_question {
	const struct stream *stream;
	struct paging paging;
	struct span if_none_match; /* absent: unconditional */
	bool peek;                 /* HEAD and foreign hosts: show, but never move on */
	int64_t now_us;            /* wall clock */
};

struct feed_page {
	struct buf body;    /* JSON array */
	struct event_key keys[PAGING_WINDOW_EVENTS];
	size_t ends[PAGING_WINDOW_EVENTS]; /* behind each element in the body */
	size_t key_count;
	size_t window_count; /* events of the stream in the window */
	struct etag etag;
	bool not_modified;   /* the question's tag is current: body and keys are not to be served */
	int64_t last_modified_us;
};

void feed_page_init(struct feed_page *page);
void feed_page_finish(struct feed_page *page);
/* Adds one element to the body and its key to the list. */
void feed_page_add(struct feed_page *page, struct span element, const struct event_key *key);
/* The bytes of an element. */
struct span feed_page_element(const struct feed_page *page, size_t index);

struct feed;

struct feed_operations {
	/* Never fails: a stream without events has an empty window. */
	void (*read_page)(struct feed *feed, const struct feed_question *question,
			  struct feed_page *page);
	/* Puts an element in front of what every stream shows now, or behind the `below` newest
	 * events of it (a replay knows only 0); kept when new events arrive. The bytes are copied.
	 * At most FEED_INSERTED_MAX; false beyond. */
	bool (*insert)(struct feed *feed, struct span element, uint64_t below, int64_t now_us);
	/* Events per second from now on; a replay ignores it. */
	void (*set_rate)(struct feed *feed, double events_per_second, int64_t now_us);
	/* Adds members about the feed to an open JSON object; `keys` asks for the list of all
	 * generated keys too. */
	void (*describe)(struct feed *feed, int64_t now_us, bool keys, struct json_writer *json);
	void (*destroy)(struct feed *feed);
};

/* First member of every feed. */
struct feed {
	const struct feed_operations *operations;
};

void feed_destroy(struct feed **feed);

/* Reads recorded states from a page array (.json), a folder of them in name order, or a list of
 * exchanges (.jsonl). ERR_INPUT when a file is broken or nothing is in it. */
MUST_CHECK bool feed_replay_open(const char *path, struct feed **feed_out, struct err *err);

struct synthetic_options {
	uint64_t seed;
	double events_per_second;
	uint64_t backlog_events; /* there from the start */
	uint64_t stop_after;     /* all events ever, the backlog included; 0: no end */
	int64_t delay_ms;        /* created_at is that much before an event shows up */
	int64_t start_us;        /* wall clock at which live events begin */
};

struct feed *feed_synthetic_create(const struct synthetic_options *options);

#endif
