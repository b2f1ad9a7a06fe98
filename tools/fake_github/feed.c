/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/feed.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_BYTES_MAX = 256 * 1024 * 1024 };

/* Copies a string member when it fits; false otherwise. */
static bool copy_member(const json_t *object, const char *name, char *out, size_t out_bytes)
{
	const json_t *value = json_object_get(object, name);
	size_t size = json_string_length(value);
	if (!json_is_string(value) || size == 0 || size >= out_bytes
	    || memchr(json_string_value(value), '\0', size))
		return false;
	memcpy(out, json_string_value(value), size + 1);
	return true;
}

/* A number of at most 63 bits, as text or as an integer; as text without more in `out`. */
static bool copy_id(const json_t *event, char out[EVENT_ID_BYTES])
{
	const json_t *value = json_object_get(event, "id");
	int64_t number = -1;
	if (json_is_integer(value))
		number = (int64_t)json_integer_value(value);
	else if (!copy_member(event, "id", out, EVENT_ID_BYTES) || out[0] == '-'
		 || !span_parse_int64(span_of(out), &number))
		return false;
	(void)snprintf(out, EVENT_ID_BYTES, "%" PRId64, number);
	return number >= 0;
}

static bool copy_time(const json_t *event, char out[EVENT_TIME_BYTES])
{
	int64_t time_us;
	if (!copy_member(event, "created_at", out, EVENT_TIME_BYTES)
	    || !time_parse(span_of(out), &time_us))
		return false;
	(void)snprintf(out, EVENT_TIME_BYTES, "%s", time_render(time_us).text);
	return true;
}

struct event_key event_key_read(struct span element)
{
	struct event_key key = {.byte_hash = span_hash(element, 0)};
	json_t *event = json_loadb(element.data, element.size, JSON_ALLOW_NUL | JSON_DECODE_ANY,
				   NULL);
	bool has_id = copy_id(event, key.id);
	bool has_type = copy_member(event, "type", key.type, sizeof(key.type));
	bool has_time = copy_time(event, key.created_at);
	const json_t *repo_id = json_object_get(json_object_get(event, "repo"), "id");
	key.has_repo_id = json_is_integer(repo_id);
	key.repo_id = key.has_repo_id ? (int64_t)json_integer_value(repo_id) : 0;
	key.spoiled = !has_id || !has_type || !has_time;
	json_decref(event);
	return key;
}

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.size; i++) {
		char c = s.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!letter && !(c >= '0' && c <= '9') && !strchr("._-", c))
			return false;
	}
	return s.size > 0;
}

bool stream_parse(struct span path, struct stream *stream_out)
{
	struct stream stream = {.kind = STREAM_PUBLIC};
	if (path.size >= sizeof(stream.key) || memchr(path.data, '\0', path.size))
		return false;
	memcpy(stream.key, path.data, path.size);
	struct span kind;
	struct span owner;
	struct span rest = path;
	if (span_equal_text(path, "/events")) {
		*stream_out = stream;
		return true;
	}
	if (!span_starts_with(path, "/")
	    || !span_split(span_make(path.data + 1, path.size - 1), '/', &kind, &rest)
	    || !span_split(rest, '/', &owner, &rest) || !is_name(owner))
		return false;
	(void)snprintf(stream.owner, sizeof(stream.owner), "%.*s", SPAN_ARGUMENTS(owner));
	if (span_equal_text(kind, "orgs")) {
		stream.kind = STREAM_ORGANISATION;
	} else if (span_equal_text(kind, "repos")) {
		struct span repository;
		if (!span_split(rest, '/', &repository, &rest) || !is_name(repository))
			return false;
		stream.kind = STREAM_REPOSITORY;
		(void)snprintf(stream.name, sizeof(stream.name), "%.*s/%.*s", SPAN_ARGUMENTS(owner),
			       SPAN_ARGUMENTS(repository));
	} else {
		return false;
	}
	if (!span_equal_text(rest, "events"))
		return false;
	*stream_out = stream;
	return true;
}

void feed_page_init(struct feed_page *page)
{
	*page = (struct feed_page){0};
	buf_init(&page->body, PAGE_BYTES_MAX);
	buf_append_text(&page->body, "[]");
}

void feed_page_finish(struct feed_page *page)
{
	buf_finish(&page->body);
}

void feed_page_add(struct feed_page *page, struct span element, const struct event_key *key)
{
	assert(page->key_count < PAGING_WINDOW_EVENTS);
	page->body.size--; /* the closing bracket */
	if (page->key_count > 0)
		buf_append_byte(&page->body, ',');
	buf_append_span(&page->body, element);
	page->ends[page->key_count] = page->body.size;
	buf_append_byte(&page->body, ']');
	page->keys[page->key_count++] = *key;
}

struct span feed_page_element(const struct feed_page *page, size_t index)
{
	assert(index < page->key_count);
	size_t start = index > 0 ? page->ends[index - 1] + 1 : 1; /* behind a comma or the bracket */
	return span_make(page->body.data + start, page->ends[index] - start);
}

void feed_destroy(struct feed **feed)
{
	if (*feed)
		(*feed)->operations->destroy(*feed);
	*feed = NULL;
}
