/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/torture.h"

#include "ingest/ask_note.h"
#include "ingest/pending.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BATCH_EVENTS = 12, AGAIN_EVENTS = 3, REWIND_EVENTS = 20, NEW_TYPE_EVERY = 24 };

static const char STREAM[] = "/events";
static const int64_t FIRST_US = INT64_C(1767225600) * 1000000; /* 2026-01-01 */
static const int64_t STEP_US = INT64_C(90) * 1000000;

int64_t feed_time_us(int64_t index)
{
	return FIRST_US + index * STEP_US;
}

/* Three types of today, and now and then one that nobody has seen before. */
static void type_of(int64_t index, char type[EVENT_TYPE_BYTES_MAX + 1])
{
	static const char *const types[] = {"PushEvent", "WatchEvent", "PullRequestEvent"};
	if (index % NEW_TYPE_EVERY != 5) {
		(void)snprintf(type, EVENT_TYPE_BYTES_MAX + 1, "%s", types[index % 3]);
		return;
	}
	int64_t number = index / NEW_TYPE_EVERY;
	(void)snprintf(type, EVENT_TYPE_BYTES_MAX + 1, "New%c%cEvent", (char)('A' + number / 26 % 26),
		(char)('a' + number % 26));
}

static struct event make_event(int64_t index, char type[EVENT_TYPE_BYTES_MAX + 1])
{
	type_of(index, type);
	return (struct event){.id = 5000000 + index, .type = span_of(type), .created_at_us = feed_time_us(index)};
}

uint64_t feed_key(int64_t index)
{
	char type[EVENT_TYPE_BYTES_MAX + 1];
	const struct event event = make_event(index, type);
	return event_key_hash(&event);
}

void feed_render(int64_t index, int64_t repo_shift, char line[FEED_LINE_BYTES])
{
	char type[EVENT_TYPE_BYTES_MAX + 1];
	const struct event event = make_event(index, type);
	int64_t repo = 1 + index % 11 + repo_shift;
	(void)snprintf(line, FEED_LINE_BYTES,
		"{\"id\":\"%" PRId64 "\",\"type\":\"%s\",\"actor\":{\"id\":7,\"login\":\"somebody\"},"
		"\"repo\":{\"id\":%" PRId64 ",\"name\":\"owner/repo-%" PRId64 "\"},\"payload\":{\"action\":"
		"\"opened\",\"number\":%" PRId64 "},\"public\":true,\"created_at\":\"%s\"}",
		event.id, type, repo, repo, index, time_render(event.created_at_us).text);
}

static bool add(struct feed *feed, int64_t index, int64_t repo_shift, struct err *err)
{
	char type[EVENT_TYPE_BYTES_MAX + 1];
	char line[FEED_LINE_BYTES];
	const struct event event = make_event(index, type);
	feed_render(index, repo_shift, line);
	return pending_add_event(feed->pending, &event, span_of(line), err);
}

/* Counts what a batch counts, so that the next life can hold the catalog against it. */
static bool store(struct feed *feed, struct err *err)
{
	int64_t batch;
	struct pending_counts counts;
	if (!pending_store(feed->pending, &batch, &counts, err))
		return false;
	feed->ledger->duplicates += counts.duplicates;
	feed->ledger->filtered += counts.filtered;
	feed->ledger->quarantined += counts.quarantined;
	if (feed->ledger->promised < feed->position)
		feed->ledger->promised = feed->position;
	return true;
}

bool feed_open(struct feed *feed, struct session *session, struct ledger *ledger, struct err *err)
{
	struct cursor cursor;
	bool found;
	if (!catalog_read_cursor(session->catalog, STREAM, &cursor, &found, err))
		return false;
	int64_t rewound = ledger->promised > REWIND_EVENTS ? ledger->promised - REWIND_EVENTS : 0;
	*feed = (struct feed){
		.session = session,
		.ledger = ledger,
		.pending = pending_create(&session->layout, session->catalog, clock_system(), "api"),
		.position = found ? cursor.newest_us : rewound,
	};
	return true;
}

void feed_close(struct feed *feed)
{
	pending_destroy(&feed->pending);
}

/* As before each request; the number only has to grow. */
static void note_ask(const struct feed *feed)
{
	struct ask_note note;
	int64_t not_before_us;
	ask_note_open(&note, &feed->session->layout, &not_before_us);
	ask_note_write(&note, not_before_us + 1);
	ask_note_close(&note);
}

bool feed_store(struct feed *feed, struct err *err)
{
	note_ask(feed);
	int64_t first = feed->position;
	/* Stored again, as after a kill that was too quick for the cursor; once under another repository. */
	for (int64_t i = first - AGAIN_EVENTS; i < first; i++)
		if (i >= 0 && !add(feed, i, i % 5 == 0 ? 100 : 0, err))
			return false;
	for (int64_t i = first; i < first + BATCH_EVENTS; i++)
		if (!add(feed, i, 0, err))
			return false;
	feed->position = first + BATCH_EVENTS;
	pending_count_duplicate(feed->pending);
	pending_count_filtered(feed->pending);
	pending_add_quarantined(feed->pending, "invalid-json", "made so", STREAM, 0, span_of("{\"id\":"), true);
	struct sweep sweep = {
		.status = SWEEP_OK,
		.requests = 1,
		.received = BATCH_EVENTS,
		.covered_from_us = feed_time_us(first),
		.covered_to_us = feed_time_us(feed->position),
	};
	struct cursor cursor = {.newest_us = feed->position};
	memcpy(sweep.stream, STREAM, sizeof(STREAM));
	memcpy(cursor.stream, STREAM, sizeof(STREAM));
	pending_add_sweep(feed->pending, &sweep, &cursor);
	return store(feed, err);
}

bool feed_store_garbage(struct feed *feed, struct err *err)
{
	const struct event event = {.type = span_of("PushEvent"), .created_at_us = FIRST_US};
	for (int i = 0; i < 3; i++)
		if (!pending_add_event(feed->pending, &event, span_of("{\"id\":\"1\",\"type\":"), err))
			return false;
	return store(feed, err);
}
