/* SPDX-License-Identifier: Apache-2.0 */
/* feed_synthetic.c - a feed of generated events that arrive in real time: pages drift while they
 * are walked. No thread: each question first generates what has become due. What is generated
 * follows from the seed alone; only created_at follows from the clock. */
#include "fake_github/feed.h"

#include "base/clock.h"
#include "base/memory.h"
#include "fake_github/elements.h"
#include "fake_github/synthetic_event.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HISTORY_EVENTS = 65536, /* what streams of a repository or organisation look back on */
	KEYS_MAX = 5000000,
	CATCH_UP_EVENTS_MAX = 2000000,
	SECOND_US = 1000000,
	EVENT_BYTES_MAX = 1024 * 1024,
};

struct generated_key {
	uint64_t id;
	int64_t repo_id;
	uint32_t created_seconds;
	uint16_t type;
};

struct synthetic {
	struct feed feed;
	struct synthetic_options options;
	struct world *world;
	struct world_random random;
	struct event_sequences sequences;
	struct event_plan *history; /* event number n lies at n % HISTORY_EVENTS */
	uint64_t count;             /* events generated */
	uint64_t per_type[EVENT_TYPES];
	uint64_t live_base;  /* live events before the rate was last set */
	int64_t live_since_us;
	double events_per_second;
	struct generated_key *keys; /* the first KEYS_MAX */
	size_t key_count;
	size_t key_capacity;
	struct element_list inserted;                /* oldest first */
	uint64_t inserted_after[FEED_INSERTED_MAX]; /* events there when it was inserted */
};

/* ---- generating ---- */

static void generate_one(struct synthetic *synthetic, int64_t created_us)
{
	struct event_plan *plan = &synthetic->history[synthetic->count++ % HISTORY_EVENTS];
	*plan = event_plan_next(synthetic->world, &synthetic->sequences, &synthetic->random,
				created_us);
	synthetic->per_type[plan->type]++;
	if (synthetic->key_count == KEYS_MAX)
		return;
	if (synthetic->key_count == synthetic->key_capacity) {
		synthetic->key_capacity = synthetic->key_capacity ? 2 * synthetic->key_capacity
								  : 1024;
		synthetic->keys = memory_resize(synthetic->keys,
						synthetic->key_capacity * sizeof(*synthetic->keys));
	}
	synthetic->keys[synthetic->key_count++] = (struct generated_key){
		.id = plan->id,
		.repo_id = synthetic->world->repositories[plan->repository].id,
		.created_seconds = (uint32_t)(created_us / SECOND_US),
		.type = (uint16_t)plan->type,
	};
}

static bool is_quiet(const struct synthetic *synthetic)
{
	return synthetic->options.stop_after > 0
	       && synthetic->count >= synthetic->options.stop_after;
}

static void generate_backlog(struct synthetic *synthetic)
{
	const struct synthetic_options *options = &synthetic->options;
	double spacing_us = SECOND_US;
	if (options->events_per_second > 1)
		spacing_us = (double)SECOND_US / options->events_per_second;
	int64_t start_us = options->start_us - 1000 * options->delay_ms;
	for (uint64_t i = options->backlog_events; i > 0 && !is_quiet(synthetic); i--)
		generate_one(synthetic, start_us - (int64_t)((double)i * spacing_us));
}

/* Generates the events that are due at `now_us`. */
static void advance(struct synthetic *synthetic, int64_t now_us)
{
	double passed_us = (double)(now_us - synthetic->live_since_us);
	if (passed_us <= 0 || synthetic->events_per_second <= 0)
		return;
	uint64_t due = (uint64_t)(passed_us * synthetic->events_per_second / (double)SECOND_US);
	/* After hours without a question at a high rate, answering must still take less than a
	 * second: the clock is moved on as if nothing had happened in the time before. */
	if (due > synthetic->live_base + CATCH_UP_EVENTS_MAX) {
		synthetic->live_since_us = now_us
					   - (int64_t)((double)CATCH_UP_EVENTS_MAX * (double)SECOND_US
						       / synthetic->events_per_second);
		synthetic->live_base = 0;
		due = CATCH_UP_EVENTS_MAX;
	}
	for (; synthetic->live_base < due && !is_quiet(synthetic); synthetic->live_base++) {
		double after_us = (double)(synthetic->live_base + 1) * (double)SECOND_US
				  / synthetic->events_per_second;
		generate_one(synthetic, synthetic->live_since_us + (int64_t)after_us
						- 1000 * synthetic->options.delay_ms);
	}
}

/* ---- serving ---- */

static bool belongs(const struct synthetic *synthetic, const struct event_plan *plan,
		    const struct stream *stream)
{
	const struct world_repository *repository =
		&synthetic->world->repositories[plan->repository];
	const struct world_account *owner = &repository->owner;
	struct span stream_owner = span_of(stream->owner);
	if (stream->kind == STREAM_PUBLIC)
		return true;
	if (!span_equal_ignore_case(span_of(owner->login), stream_owner))
		return false;
	if (stream->kind == STREAM_ORGANISATION)
		return owner->is_organisation;
	struct span name = span_of(stream->name + stream_owner.size + 1);
	return span_equal_ignore_case(span_of(repository->name), name);
}

static struct event_key key_of(const struct synthetic *synthetic, const struct event_plan *plan)
{
	struct event_key key = {
		.repo_id = synthetic->world->repositories[plan->repository].id,
		.has_repo_id = true,
	};
	(void)snprintf(key.id, sizeof(key.id), "%" PRIu64, plan->id);
	(void)snprintf(key.type, sizeof(key.type), "%s", event_type_name(plan->type));
	(void)snprintf(key.created_at, sizeof(key.created_at), "%s",
		       time_render(plan->created_us / SECOND_US * SECOND_US).text);
	return key;
}

/* A walk over the window of one stream, newest first. */
struct window_walk {
	struct synthetic *synthetic;
	const struct stream *stream;
	struct feed_page *page;
	size_t first; /* of the events that the page shows */
	size_t end;
	size_t seen;
	struct buf text;
};

static void see_inserted(struct window_walk *walk, const struct element *element)
{
	if (walk->seen >= walk->first && walk->seen < walk->end)
		feed_page_add(walk->page, element_span(element), &element->key);
	walk->seen++;
}

static void see_event(struct window_walk *walk, const struct event_plan *plan)
{
	if (walk->seen >= walk->first && walk->seen < walk->end) {
		struct event_key key = key_of(walk->synthetic, plan);
		buf_clear(&walk->text);
		event_render(walk->synthetic->world, plan, &walk->text);
		assert(!walk->text.failed);
		feed_page_add(walk->page, buf_span(&walk->text), &key);
		if (plan->created_us > walk->page->last_modified_us)
			walk->page->last_modified_us = plan->created_us;
	}
	walk->seen++;
}

static void walk_window(struct window_walk *walk)
{
	struct synthetic *synthetic = walk->synthetic;
	uint64_t oldest = synthetic->count > HISTORY_EVENTS ? synthetic->count - HISTORY_EVENTS : 0;
	size_t inserted_left = synthetic->inserted.count;
	for (uint64_t number = synthetic->count;
	     number > oldest && walk->seen < PAGING_WINDOW_EVENTS; number--) {
		while (inserted_left > 0 && synthetic->inserted_after[inserted_left - 1] >= number)
			see_inserted(walk, &synthetic->inserted.items[--inserted_left]);
		const struct event_plan *plan = &synthetic->history[(number - 1) % HISTORY_EVENTS];
		if (belongs(synthetic, plan, walk->stream))
			see_event(walk, plan);
	}
	while (inserted_left > 0 && walk->seen < PAGING_WINDOW_EVENTS)
		see_inserted(walk, &synthetic->inserted.items[--inserted_left]);
}

static void synthetic_read_page(struct feed *feed, const struct feed_question *question,
				struct feed_page *page)
{
	struct synthetic *synthetic = (struct synthetic *)feed;
	advance(synthetic, question->now_us);
	struct window_walk walk = {
		.synthetic = synthetic,
		.stream = question->stream,
		.page = page,
	};
	paging_range(question->paging, PAGING_WINDOW_EVENTS, &walk.first, &walk.end);
	buf_init(&walk.text, EVENT_BYTES_MAX);
	walk_window(&walk);
	buf_finish(&walk.text);
	page->window_count = walk.seen < PAGING_WINDOW_EVENTS ? walk.seen : PAGING_WINDOW_EVENTS;
	page->etag = etag_make(buf_span(&page->body),
			       ((uint64_t)question->paging.page << 16) + question->paging.per_page);
	page->not_modified = etag_matches(question->if_none_match, &page->etag);
}

static bool synthetic_insert(struct feed *feed, struct span element, uint64_t below, int64_t now_us)
{
	struct synthetic *synthetic = (struct synthetic *)feed;
	if (synthetic->inserted.count == FEED_INSERTED_MAX)
		return false;
	advance(synthetic, now_us);
	element_list_add(&synthetic->inserted, element);
	/* In the order in which they lie in the feed, which is how a window is walked. */
	uint64_t after = synthetic->count > below ? synthetic->count - below : 0;
	struct element *items = synthetic->inserted.items;
	size_t at = synthetic->inserted.count - 1;
	struct element added = items[at];
	for (; at > 0 && synthetic->inserted_after[at - 1] > after; at--) {
		items[at] = items[at - 1];
		synthetic->inserted_after[at] = synthetic->inserted_after[at - 1];
	}
	items[at] = added;
	synthetic->inserted_after[at] = after;
	return true;
}

static void synthetic_set_rate(struct feed *feed, double events_per_second, int64_t now_us)
{
	struct synthetic *synthetic = (struct synthetic *)feed;
	advance(synthetic, now_us);
	synthetic->live_base = 0;
	synthetic->live_since_us = now_us;
	synthetic->events_per_second = events_per_second;
}

static void describe_keys(const struct synthetic *synthetic, struct json_writer *json)
{
	json_put_key(json, "generated_keys");
	json_begin_array(json);
	for (size_t i = 0; i < synthetic->key_count; i++) {
		const struct generated_key *key = &synthetic->keys[i];
		char id[EVENT_ID_BYTES];
		(void)snprintf(id, sizeof(id), "%" PRIu64, key->id);
		json_begin_array(json);
		json_put_text(json, id);
		json_put_text(json, event_type_name(key->type));
		json_put_text(json, time_render((int64_t)key->created_seconds * SECOND_US).text);
		json_put_integer(json, key->repo_id);
		json_end_array(json);
	}
	json_end_array(json);
}

static void synthetic_describe(struct feed *feed, int64_t now_us, bool keys,
			       struct json_writer *json)
{
	struct synthetic *synthetic = (struct synthetic *)feed;
	advance(synthetic, now_us);
	json_put_key_text(json, "kind", "synthetic");
	json_put_key_integer(json, "seed", (int64_t)synthetic->options.seed);
	json_put_key_real(json, "rate", synthetic->events_per_second);
	json_put_key_boolean(json, "quiet", is_quiet(synthetic));
	json_put_key_integer(json, "generated", (int64_t)synthetic->count);
	json_put_key_integer(json, "inserted", (int64_t)synthetic->inserted.count);
	json_put_key(json, "generated_per_type");
	json_begin_object(json);
	for (enum event_type type = 0; type < EVENT_TYPES; type++)
		json_put_key_integer(json, event_type_name(type),
				     (int64_t)synthetic->per_type[type]);
	json_end_object(json);
	json_put_key(json, "busiest_repositories");
	json_begin_array(json);
	for (size_t i = 0; i < 5; i++) {
		const struct world_repository *repository = &synthetic->world->repositories[i];
		char name[2 * WORLD_NAME_BYTES];
		(void)snprintf(name, sizeof(name), "%s/%s", repository->owner.login,
			       repository->name);
		json_put_text(json, name);
	}
	json_end_array(json);
	if (keys)
		describe_keys(synthetic, json);
}

static void synthetic_destroy(struct feed *feed)
{
	struct synthetic *synthetic = (struct synthetic *)feed;
	world_destroy(&synthetic->world);
	element_list_finish(&synthetic->inserted);
	free(synthetic->history);
	free(synthetic->keys);
	free(synthetic);
}

static const struct feed_operations synthetic_operations = {
	.read_page = synthetic_read_page,
	.insert = synthetic_insert,
	.set_rate = synthetic_set_rate,
	.describe = synthetic_describe,
	.destroy = synthetic_destroy,
};

struct feed *feed_synthetic_create(const struct synthetic_options *options)
{
	struct synthetic *synthetic = memory_allocate(1, sizeof(*synthetic));
	synthetic->feed.operations = &synthetic_operations;
	synthetic->options = *options;
	synthetic->world = world_create(&(struct world_shape){
		.seed = options->seed,
		.repositories = WORLD_REPOSITORIES,
		.people = WORLD_PEOPLE,
	});
	synthetic->random.state = options->seed ^ 0x5eed5eed5eed5eedU;
	/* Where the two sequences stood on 2026-08-12. */
	synthetic->sequences = (struct event_sequences){.push_id = 17486924228,
							.other_id = 13170607218};
	synthetic->history = memory_allocate(HISTORY_EVENTS, sizeof(*synthetic->history));
	synthetic->live_since_us = options->start_us;
	synthetic->events_per_second = options->events_per_second;
	generate_backlog(synthetic);
	return &synthetic->feed;
}
