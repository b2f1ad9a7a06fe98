/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/ledger.h"

#include "base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_init(struct ledger *ledger, int64_t now_ms)
{
	*ledger = (struct ledger){.start_ms = now_ms};
	keyset_init(&ledger->keys);
}

void ledger_finish(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->ring_capacity; i++)
		free(ledger->ring[i].target);
	free(ledger->ring);
	for (size_t i = 0; i < ledger->violations_kept; i++)
		free(ledger->violations[i].detail);
	free(ledger->violations);
	keyset_finish(&ledger->keys);
	*ledger = (struct ledger){0};
}

static int stream_index(struct ledger *ledger, const struct stream *stream)
{
	for (size_t i = 0; i < ledger->stream_count; i++)
		if (strcmp(ledger->streams[i].key, stream->key) == 0)
			return (int)i;
	if (ledger->stream_count == LEDGER_STREAMS_MAX)
		return -1;
	memcpy(ledger->streams[ledger->stream_count].key, stream->key, sizeof(stream->key));
	return (int)ledger->stream_count++;
}

static struct ledger_request *ring_slot(struct ledger *ledger, uint64_t seq)
{
	size_t index = (size_t)((seq - 1) % LEDGER_REQUESTS_MAX);
	if (index >= ledger->ring_capacity) {
		size_t capacity = ledger->ring_capacity ? 2 * ledger->ring_capacity : 256;
		if (capacity > LEDGER_REQUESTS_MAX)
			capacity = LEDGER_REQUESTS_MAX;
		ledger->ring = memory_resize(ledger->ring, capacity * sizeof(*ledger->ring));
		memset(ledger->ring + ledger->ring_capacity, 0,
		       (capacity - ledger->ring_capacity) * sizeof(*ledger->ring));
		ledger->ring_capacity = capacity;
	}
	return &ledger->ring[index];
}

struct ledger_request *ledger_arrive(struct ledger *ledger, const struct http_request *request,
				     const struct stream *stream, unsigned page, int64_t now_ms)
{
	uint64_t seq = ++ledger->request_count;
	struct ledger_request *entry = ring_slot(ledger, seq);
	struct span target = request->target;
	if (target.size > LEDGER_TARGET_BYTES_MAX)
		target.size = LEDGER_TARGET_BYTES_MAX;
	free(entry->target);
	*entry = (struct ledger_request){
		.seq = seq,
		.at_ms = now_ms - ledger->start_ms,
		.target = memory_copy_span(target),
		.stream = stream ? stream_index(ledger, stream) : -1,
		.page = stream ? page : 0,
		.conditional = http_request_header(request, "If-None-Match").data != NULL,
		.remaining = -1,
	};
	(void)snprintf(entry->method, sizeof(entry->method), "%.*s",
		       SPAN_ARGUMENTS(request->method));
	if (entry->stream >= 0) {
		ledger->streams[entry->stream].requests++;
		ledger->streams[entry->stream].sweeps += page == 1;
	}
	return entry;
}

struct ledger_request *ledger_find(struct ledger *ledger, uint64_t seq)
{
	if (seq == 0 || seq > ledger->request_count)
		return NULL;
	struct ledger_request *entry = ring_slot(ledger, seq);
	return entry->seq == seq ? entry : NULL;
}

void ledger_violate(struct ledger *ledger, const char *kind, uint64_t seq, const char *format, ...)
{
	ledger->violation_count++;
	if (ledger->violations_kept == LEDGER_VIOLATIONS_MAX)
		return;
	char detail[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	size_t kept = ledger->violations_kept;
	if ((kept & (kept - 1)) == 0)
		ledger->violations = memory_resize(ledger->violations, (kept ? 2 * kept : 1)
							* sizeof(*ledger->violations));
	ledger->violations[ledger->violations_kept++] = (struct ledger_violation){
		.kind = kind,
		.seq = seq,
		.detail = memory_copy_text(detail),
	};
}

void ledger_check_poll(struct ledger *ledger, const struct ledger_request *request)
{
	if (request->stream < 0 || request->page != 1)
		return;
	const struct ledger_stream *stream = &ledger->streams[request->stream];
	int64_t since_ms = request->at_ms - stream->polled_at_ms;
	if (stream->polled && since_ms + LEDGER_POLL_TOLERANCE_MS < stream->interval_ms)
		ledger_violate(ledger, "inside-poll-interval", request->seq,
			       "%s: %" PRId64 " ms after the poll before, asked for %" PRId64 " ms",
			       stream->key, since_ms, stream->interval_ms);
}

void ledger_answer(struct ledger *ledger, struct ledger_request *request, int status, bool honest,
		   int64_t interval_ms)
{
	request->status = status;
	if (request->stream < 0)
		return;
	struct ledger_stream *stream = &ledger->streams[request->stream];
	bool good = status == 200 || status == 304;
	stream->modified += status == 200;
	stream->not_modified += status == 304;
	stream->failed += !good;
	if (honest && good && request->page == 1 && !request->foreign) {
		stream->polled = true;
		stream->polled_at_ms = request->at_ms;
		stream->interval_ms = interval_ms;
	}
}

void ledger_serve(struct ledger *ledger, struct ledger_request *request,
		  const struct event_key *keys, size_t key_count)
{
	request->events = key_count;
	ledger->served_events += key_count;
	if (request->stream >= 0)
		ledger->streams[request->stream].served_events += key_count;
	for (size_t i = 0; i < key_count; i++) {
		ledger->spoiled_events += keys[i].spoiled;
		keyset_add(&ledger->keys, &keys[i]);
	}
}

/* ---- JSON ---- */

static void write_request(const struct ledger *ledger, const struct ledger_request *request,
			  struct json_writer *json)
{
	static const char *const token_names[] = {"none", "good", "bad"};
	json_begin_object(json);
	json_put_key_integer(json, "seq", (int64_t)request->seq);
	json_put_key_integer(json, "t_ms", request->at_ms);
	json_put_key_text(json, "method", request->method);
	json_put_key_text(json, "target", request->target);
	json_put_key_text(json, "stream",
		      request->stream >= 0 ? ledger->streams[request->stream].key : NULL);
	json_put_key_integer(json, "page", request->page);
	json_put_key_integer(json, "status", request->status);
	json_put_key_integer(json, "events", (int64_t)request->events);
	json_put_key_boolean(json, "etag_presented", request->conditional);
	json_put_key_text(json, "token", token_names[request->token]);
	json_put_key(json, "remaining");
	if (request->remaining >= 0)
		json_put_integer(json, request->remaining);
	else
		json_put_null(json);
	json_put_key_text(json, "scenario", request->scenario);
	json_put_key_boolean(json, "foreign", request->foreign);
	json_put_key_boolean(json, "sent", request->sent);
	json_end_object(json);
}

static void write_requests(const struct ledger *ledger, struct json_writer *json)
{
	json_put_key(json, "requests");
	json_begin_array(json);
	uint64_t first = ledger->request_count > LEDGER_REQUESTS_MAX
				 ? ledger->request_count - LEDGER_REQUESTS_MAX
				 : 0;
	for (uint64_t i = first; i < ledger->request_count; i++)
		write_request(ledger, &ledger->ring[i % LEDGER_REQUESTS_MAX], json);
	json_end_array(json);
}

static void write_violations(const struct ledger *ledger, struct json_writer *json)
{
	json_put_key_integer(json, "violation_count", (int64_t)ledger->violation_count);
	json_put_key(json, "violations");
	json_begin_array(json);
	for (size_t i = 0; i < ledger->violations_kept; i++) {
		json_begin_object(json);
		json_put_key_text(json, "kind", ledger->violations[i].kind);
		json_put_key_integer(json, "seq", (int64_t)ledger->violations[i].seq);
		json_put_key_text(json, "detail", ledger->violations[i].detail);
		json_end_object(json);
	}
	json_end_array(json);
}

static void write_streams(const struct ledger *ledger, struct json_writer *json)
{
	json_put_key(json, "streams");
	json_begin_object(json);
	for (size_t i = 0; i < ledger->stream_count; i++) {
		const struct ledger_stream *stream = &ledger->streams[i];
		json_put_key(json, stream->key);
		json_begin_object(json);
		json_put_key_integer(json, "requests", (int64_t)stream->requests);
		json_put_key_integer(json, "sweeps", (int64_t)stream->sweeps);
		json_put_key_integer(json, "modified", (int64_t)stream->modified);
		json_put_key_integer(json, "not_modified", (int64_t)stream->not_modified);
		json_put_key_integer(json, "failed", (int64_t)stream->failed);
		json_put_key_integer(json, "served_events", (int64_t)stream->served_events);
		json_end_object(json);
	}
	json_end_object(json);
}

void ledger_write(const struct ledger *ledger, bool keys, struct json_writer *json)
{
	json_put_key_integer(json, "request_count", (int64_t)ledger->request_count);
	json_put_key_integer(json, "served_events", (int64_t)ledger->served_events);
	json_put_key_integer(json, "unique_events", (int64_t)keyset_storable_count(&ledger->keys));
	json_put_key_integer(json, "spoiled_events", (int64_t)ledger->spoiled_events);
	json_put_key_integer(json, "spoiled_unique", (int64_t)ledger->keys.spoiled_count);
	json_put_key_integer(json, "conflicting_events", (int64_t)ledger->keys.conflict_count);
	json_put_key_boolean(json, "complete", !ledger->keys.full);
	json_put_key(json, "per_type");
	keyset_write_types(&ledger->keys, json);
	write_streams(ledger, json);
	write_violations(ledger, json);
	write_requests(ledger, json);
	if (keys) {
		json_put_key(json, "keys");
		keyset_write_keys(&ledger->keys, json);
	}
}
