/* SPDX-License-Identifier: Apache-2.0 */
/* feed_replay.c - a feed of recorded states. Every stream shows the same states, each stream at a
 * position of its own. A position moves by one exactly when its client presents the tag of page 1
 * of the state it is at: a killed client that lost what it read asks without that tag and gets the
 * same state again. Behind the last state the tag is answered by 304 for ever. */
#include "fake_github/feed.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "fake_github/elements.h"
#include "fake_github/slice.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	REPLAY_FILE_BYTES_MAX = 512 * 1024 * 1024,
	REPLAY_STATES_MAX = 100000,
	REPLAY_STREAMS_MAX = 256,
};

struct position {
	char stream_key[STREAM_KEY_BYTES];
	size_t state;
};

struct replay {
	struct feed feed;
	struct element_list *states;
	size_t state_count;
	size_t state_capacity;
	struct element_list inserted; /* oldest first; shown in front of every state */
	struct position positions[REPLAY_STREAMS_MAX];
	size_t position_count;
};

/* ---- loading ---- */

static bool add_state(struct replay *replay, struct span text, struct err *err)
{
	CLEANUP(slice_finish) struct slice_list slices = {0};
	if (!slice_array(text, &slices, err))
		return false;
	if (replay->state_count == REPLAY_STATES_MAX)
		return err_set(err, ERR_INPUT, "more than %d states", REPLAY_STATES_MAX);
	if (replay->state_count == replay->state_capacity) {
		replay->state_capacity = replay->state_capacity ? 2 * replay->state_capacity : 16;
		replay->states = memory_resize(replay->states,
					       replay->state_capacity * sizeof(*replay->states));
	}
	struct element_list *state = &replay->states[replay->state_count++];
	*state = (struct element_list){0};
	for (size_t i = 0; i < slices.count; i++)
		element_list_add(state, slices.elements[i]);
	return true;
}

static void finish_buf(struct buf *buf)
{
	buf_finish(buf);
}

static bool add_page_file(struct replay *replay, const char *path, struct err *err)
{
	CLEANUP(finish_buf) struct buf text = {.size_max = REPLAY_FILE_BYTES_MAX};
	if (!file_read(path, &text, err))
		return false;
	return add_state(replay, buf_span(&text), err) || err_wrap(err, "%s", path);
}

struct folder_walk {
	struct replay *replay;
	const char *folder;
};

static bool visit_folder_file(void *context, const char *relative_path, struct err *err)
{
	struct folder_walk *walk = context;
	struct file_path path;
	if (strchr(relative_path, '/') || !span_ends_with(span_of(relative_path), ".json"))
		return true;
	if (!file_path_make(&path, err, "%s/%s", walk->folder, relative_path))
		return false;
	return add_page_file(walk->replay, path.text, err);
}

/* Events are told from other recorded arrays (issues, labels) by their two necessary members. */
static bool is_event_page(const json_t *page)
{
	if (!json_is_array(page))
		return false;
	size_t index;
	const json_t *element;
	json_array_foreach(page, index, element) {
		if (!json_object_get(element, "type") || !json_object_get(element, "created_at"))
			return false;
	}
	return true;
}

static bool add_exchange(struct replay *replay, struct span line, struct err *err)
{
	json_error_t why;
	json_t *exchange = json_loadb(line.data, line.size, JSON_ALLOW_NUL, &why);
	if (!exchange)
		return err_set(err, ERR_INPUT, "not JSON: %s", why.text);
	const json_t *body = json_object_get(exchange, "body");
	bool good = true;
	if (json_integer_value(json_object_get(exchange, "status")) == 200
	    && json_is_string(body)) {
		struct span text = {json_string_value(body), json_string_length(body)};
		json_t *page = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
		if (is_event_page(page))
			good = add_state(replay, text, err);
		json_decref(page);
	}
	json_decref(exchange);
	return good;
}

static bool add_exchange_file(struct replay *replay, const char *path, struct err *err)
{
	CLEANUP(finish_buf) struct buf text = {.size_max = REPLAY_FILE_BYTES_MAX};
	if (!file_read(path, &text, err))
		return false;
	struct span rest = buf_span(&text);
	for (size_t number = 1; rest.data; number++) {
		struct span line = rest;
		if (!span_split(rest, '\n', &line, &rest))
			rest = (struct span){0};
		line = span_trim(line);
		if (line.size > 0 && !add_exchange(replay, line, err))
			return err_wrap(err, "%s line %zu", path, number);
	}
	return true;
}

/* ---- serving ---- */

static struct position *position_of(struct replay *replay, const struct stream *stream)
{
	for (size_t i = 0; i < replay->position_count; i++)
		if (strcmp(replay->positions[i].stream_key, stream->key) == 0)
			return &replay->positions[i];
	/* Streams past the bound share the last position: a test with that many has its own bug. */
	if (replay->position_count == REPLAY_STREAMS_MAX)
		return &replay->positions[REPLAY_STREAMS_MAX - 1];
	struct position *position = &replay->positions[replay->position_count++];
	memcpy(position->stream_key, stream->key, sizeof(position->stream_key));
	return position;
}

static void render_state(const struct replay *replay, size_t state_index, struct paging paging,
			 struct feed_page *page)
{
	const struct element_list *state = &replay->states[state_index];
	const struct element_list *inserted = &replay->inserted;
	size_t count = inserted->count + state->count;
	size_t first;
	size_t end;
	paging_range(paging, count, &first, &end);
	feed_page_finish(page);
	feed_page_init(page);
	for (size_t i = first; i < end; i++) {
		const struct element *element = i < inserted->count
							? &inserted->items[inserted->count - 1 - i]
							: &state->items[i - inserted->count];
		feed_page_add(page, element_span(element), &element->key);
		int64_t time_us;
		if (time_parse(span_of(element->key.created_at), &time_us)
		    && time_us > page->last_modified_us)
			page->last_modified_us = time_us;
	}
	page->window_count = count < PAGING_WINDOW_EVENTS ? count : PAGING_WINDOW_EVENTS;
	page->etag = etag_make(buf_span(&page->body), ((uint64_t)state_index << 32)
							      + ((uint64_t)paging.page << 16)
							      + paging.per_page);
}

static void replay_read_page(struct feed *feed, const struct feed_question *question,
			     struct feed_page *page)
{
	struct replay *replay = (struct replay *)feed;
	struct position *position = position_of(replay, question->stream);
	render_state(replay, position->state, question->paging, page);
	if (!etag_matches(question->if_none_match, &page->etag))
		return;
	bool moves = question->paging.page == 1 && !question->peek
		     && position->state + 1 < replay->state_count;
	if (moves)
		render_state(replay, ++position->state, question->paging, page);
	else
		page->not_modified = true;
}

static bool replay_insert(struct feed *feed, struct span element, uint64_t below, int64_t now_us)
{
	(void)below;
	(void)now_us;
	struct replay *replay = (struct replay *)feed;
	if (replay->inserted.count == FEED_INSERTED_MAX)
		return false;
	element_list_add(&replay->inserted, element);
	return true;
}

static void replay_set_rate(struct feed *feed, double events_per_second, int64_t now_us)
{
	(void)feed;
	(void)events_per_second;
	(void)now_us;
}

static void replay_describe(struct feed *feed, int64_t now_us, bool keys, struct json_writer *json)
{
	(void)now_us;
	(void)keys;
	const struct replay *replay = (const struct replay *)feed;
	json_put_key_text(json, "kind", "replay");
	json_put_key_integer(json, "states", (int64_t)replay->state_count);
	json_put_key(json, "positions");
	json_begin_object(json);
	for (size_t i = 0; i < replay->position_count; i++)
		json_put_key_integer(json, replay->positions[i].stream_key,
				 (int64_t)replay->positions[i].state + 1);
	json_end_object(json);
}

static void replay_destroy(struct feed *feed)
{
	struct replay *replay = (struct replay *)feed;
	for (size_t i = 0; i < replay->state_count; i++)
		element_list_finish(&replay->states[i]);
	free(replay->states);
	element_list_finish(&replay->inserted);
	free(replay);
}

static const struct feed_operations replay_operations = {
	.read_page = replay_read_page,
	.insert = replay_insert,
	.set_rate = replay_set_rate,
	.describe = replay_describe,
	.destroy = replay_destroy,
};

bool feed_replay_open(const char *path, struct feed **feed_out, struct err *err)
{
	struct replay *replay = memory_allocate(1, sizeof(*replay));
	replay->feed.operations = &replay_operations;
	CLEANUP(feed_destroy) struct feed *feed = &replay->feed;
	struct span name = span_of(path);
	struct folder_walk walk = {replay, path};
	bool loaded;
	if (!file_exists(path))
		loaded = err_set(err, ERR_INPUT, "no such file or folder");
	else if (span_ends_with(name, ".jsonl"))
		loaded = add_exchange_file(replay, path, err);
	else if (span_ends_with(name, ".json"))
		loaded = add_page_file(replay, path, err);
	else
		loaded = file_walk(path, visit_folder_file, &walk, err);
	if (loaded && replay->state_count == 0)
		loaded = err_set(err, ERR_INPUT, "no recorded page of events in it");
	if (!loaded)
		return err_wrap(err, "replay %s", path);
	*feed_out = feed;
	feed = NULL;
	return true;
}
