/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"

#include "base/counter.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/sweep.h"
#include "lake/retention.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEEN_KEYS_MAX = 300000,
	SWEEPS_REMEMBERED_MAX = 2000,
	STORE_RETRY_MS = 2000,
	STORE_RETRIES_MAX = 5, /* for other reasons than a full disk */
	REQUESTS_PER_SWEEP_MAX = 3,
	FAILURES_GIVEN_UP = 5,
};

/* A longer wait than GitHub ever asks for shows that our clock was set since. */
static const int64_t REMEMBERED_WAIT_US_MAX = (INT64_C(60000) + PACE_WAIT_MS_MAX) * 1000;

struct ingest {
	struct ingest_options options;
	struct arena texts; /* copies of the options' texts */
	struct stream *streams;
	struct fetcher fetcher;
	struct catalog *catalog;
	struct scan_plan *plan;
	struct seen *seen;
	struct type_guard types;
	struct pending *pending;
	struct ingest_report report;
	int64_t sweep_started_ms; /* of the last sweep, any stream */
	bool answered;            /* GitHub ever gave 200 or 304 */
	bool clock_warned;
	bool paused;              /* for want of disk */
	pthread_mutex_t status_mutex;
	struct ingest_status status;
};

static bool is_stream_name(struct span name)
{
	if (name.size > STREAM_NAME_BYTES_MAX || !span_starts_with(name, "/") || !span_ends_with(name, "/events"))
		return false;
	for (size_t i = 0; i < name.size; i++) {
		unsigned char c = (unsigned char)name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && !strchr("/-_.", c))
			return false;
		if (c == '.' && i + 1 < name.size && name.data[i + 1] == '.')
			return false;
	}
	return true;
}

static bool check_options(const struct ingest_options *options, struct span *origin_out, struct err *err)
{
	struct span url = span_of(options->api_url);
	bool ok = fetch_parse_origin(url, origin_out) && url.size < 512 && !span_ends_with(url, "/")
		  && !strpbrk(options->api_url, "?#");
	if (!ok)
		err_set(err, ERR_INPUT, "api-url must be like https://api.github.com, without a slash at its end");
	for (size_t i = 0; ok && i < options->stream_count; i++) {
		ok = is_stream_name(span_of(options->streams[i]));
		if (!ok)
			err_set(err, ERR_INPUT, "not a stream: %.100s (like /repos/owner/name/events)",
				options->streams[i]);
	}
	if (ok && (options->stream_count == 0 || options->stream_count > INGEST_STREAM_COUNT_MAX))
		ok = err_set(err, ERR_INPUT, "need 1 to %d streams", INGEST_STREAM_COUNT_MAX);
	for (const char *c = options->token; ok && c && *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f)
			ok = err_set(err, ERR_INPUT, "the token holds a blank or a byte that no token has");
	if (!ok)
		err->exit_code = 2;
	return ok;
}

static void refresh_status(void *context)
{
	struct ingest *ingest = context;
	const struct clock *clock = ingest->options.clock;
	const struct pace *pace = &ingest->fetcher.pace;
	int64_t now_ms = clock_monotonic_ms(clock);
	int64_t wall_us = clock_wall_us(clock);
	(void)pthread_mutex_lock(&ingest->status_mutex);
	struct ingest_status *status = &ingest->status;
	status->quota_limit = pace->quota_limit;
	status->quota_remaining = pace->quota_remaining;
	status->clock_known = pace->clock_known;
	status->clock_off = pace_clock_is_off(pace);
	status->clock_ahead_s = pace->clock_ahead_us / 1000000;
	/* Of a clock that is off, the countdown is still right. */
	bool has_reset = pace->quota_remaining >= 0;
	status->quota_reset_us = has_reset ? pace->reset_us + (status->clock_off ? pace->clock_ahead_us : 0) : 0;
	int64_t allowed_ms = pace_allowed_at_ms(pace, now_ms);
	status->limited_until_us = allowed_ms > now_ms ? wall_us + (allowed_ms - now_ms) * 1000 : 0;
	status->last_poll_us = wall_us;
	(void)pthread_mutex_unlock(&ingest->status_mutex);
}

static void copy_texts(struct ingest *ingest)
{
	struct ingest_options *options = &ingest->options;
	struct arena *texts = &ingest->texts;
	arena_init(texts, 4 * 1024 * 1024);
	options->api_url = arena_copy_text(texts, span_of(options->api_url));
	options->user_agent = arena_copy_text(texts, span_of(options->user_agent));
	if (options->token)
		options->token = arena_copy_text(texts, span_of(options->token));
	const char **streams = arena_allocate(texts, options->stream_count, sizeof(*streams));
	for (size_t i = 0; i < options->stream_count; i++)
		streams[i] = arena_copy_text(texts, span_of(options->streams[i]));
	options->streams = streams;
	assert(!texts->failed);
}

static bool open_streams(struct ingest *ingest, struct err *err)
{
	ingest->streams = memory_allocate(ingest->options.stream_count, sizeof(*ingest->streams));
	for (size_t i = 0; i < ingest->options.stream_count; i++) {
		struct cursor *cursor = &ingest->streams[i].cursor;
		bool found;
		if (!catalog_read_cursor(ingest->catalog, ingest->options.streams[i], cursor, &found, err))
			return false;
		if (!found)
			*cursor = (struct cursor){0};
		(void)snprintf(cursor->stream, sizeof(cursor->stream), "%s", ingest->options.streams[i]);
	}
	return true;
}

/* The last request may not have come into the ledger. */
static void remember_last_ask(struct ingest *ingest, int64_t not_before_us)
{
	const struct clock *clock = ingest->options.clock;
	int64_t wait_us = not_before_us - clock_wall_us(clock);
	if (wait_us <= 0 || wait_us > REMEMBERED_WAIT_US_MAX)
		return;
	int64_t until_ms = clock_monotonic_ms(clock) + wait_us / 1000 + 1;
	for (size_t i = 0; i < ingest->options.stream_count; i++)
		if (ingest->streams[i].due_ms < until_ms)
			ingest->streams[i].due_ms = until_ms;
}

/* What GitHub asked for holds across a restart too: each stream goes on when its last sweep said, and
 * a limit that was met still stands. */
static bool remember_waits(struct ingest *ingest, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = 16 * 1024 * 1024};
	const struct clock *clock = ingest->options.clock;
	const struct sweep *sweeps;
	size_t count;
	if (!catalog_list_sweeps(ingest->catalog, 0, true, SWEEPS_REMEMBERED_MAX, &arena, &sweeps, &count, err))
		return false;
	int64_t now_ms = clock_monotonic_ms(clock);
	int64_t wall_us = clock_wall_us(clock);
	for (size_t i = 0; i < count; i++) {
		int64_t wait_us = sweeps[i].next_poll_us - wall_us;
		if (wait_us <= 0 || wait_us > REMEMBERED_WAIT_US_MAX)
			continue;
		int64_t until_ms = now_ms + wait_us / 1000 + 1;
		bool limited = sweeps[i].status == SWEEP_LIMITED || sweeps[i].quota_remaining == 0;
		if (limited && i == 0)
			ingest->fetcher.pace.blocked_until_ms = until_ms;
		for (size_t s = 0; s < ingest->options.stream_count; s++)
			if (ingest->streams[s].due_ms == 0
			    && strcmp(ingest->streams[s].cursor.stream, sweeps[i].stream) == 0)
				ingest->streams[s].due_ms = until_ms;
	}
	return true;
}

static bool polls_public_feed(const struct ingest_options *options)
{
	for (size_t i = 0; i < options->stream_count; i++)
		if (strcmp(options->streams[i], "/events") == 0)
			return true;
	return false;
}

bool ingest_create(const struct ingest_options *options, struct ingest **ingest_out, struct err *err)
{
	struct span origin;
	if (!check_options(options, &origin, err))
		return false;
	struct ingest *ingest CLEANUP(ingest_destroy) = memory_allocate(1, sizeof(*ingest));
	ingest->options = *options;
	(void)pthread_mutex_init(&ingest->status_mutex, NULL);
	ingest->fetcher.note.descriptor = -1;
	copy_texts(ingest);
	ingest->status = (struct ingest_status){
		.has_token = options->token != NULL,
		.streams = (int64_t)options->stream_count,
		.public_feed = polls_public_feed(options),
		.quota_limit = -1,
		.quota_remaining = -1,
	};
	if (!catalog_open(options->layout, false, &ingest->catalog, err) || !open_streams(ingest, err)
	    || !type_guard_init(&ingest->types, options->layout, err))
		return false;
	ingest->plan = scan_plan_create(options->fields);
	ingest->seen = seen_create(SEEN_KEYS_MAX);
	ingest->pending = pending_create(options->layout, ingest->catalog, options->clock, "api");
	ingest->fetcher = (struct fetcher){
		.options = &ingest->options,
		.origin = {ingest->options.api_url, origin.size},
		.random = (uint64_t)clock_wall_us(options->clock) | 1,
		.note = {.descriptor = -1},
		.changed = refresh_status,
		.changed_context = ingest,
	};
	pace_init(&ingest->fetcher.pace, options->token == NULL);
	int64_t not_before_us;
	ask_note_open(&ingest->fetcher.note, options->layout, &not_before_us);
	if (!http_client_create(&ingest->fetcher.client, err) || !remember_waits(ingest, err))
		return false;
	remember_last_ask(ingest, not_before_us);
	*ingest_out = ingest;
	ingest = NULL;
	return true;
}

void ingest_destroy(struct ingest **ingest_owner)
{
	struct ingest *ingest = *ingest_owner;
	if (!ingest)
		return;
	http_client_destroy(&ingest->fetcher.client);
	ask_note_close(&ingest->fetcher.note);
	pending_destroy(&ingest->pending);
	seen_destroy(&ingest->seen);
	scan_plan_destroy(&ingest->plan);
	catalog_close(&ingest->catalog);
	free(ingest->streams);
	arena_finish(&ingest->texts);
	(void)pthread_mutex_destroy(&ingest->status_mutex);
	free(ingest);
	*ingest_owner = NULL;
}

static void count_batch(struct ingest *ingest, int64_t batch, const struct pending_counts *counts)
{
	struct ingest_report *report = &ingest->report;
	report->received += counts->received;
	report->duplicates += counts->duplicates;
	report->filtered += counts->filtered;
	report->quarantined += counts->quarantined;
	report->stored += counts->stored;
	counter_add(COUNTER_EVENTS_RECEIVED, counts->received);
	counter_add(COUNTER_EVENTS_DUPLICATE, counts->duplicates);
	counter_add(COUNTER_EVENTS_FILTERED, counts->filtered);
	counter_add(COUNTER_EVENTS_QUARANTINED, counts->quarantined);
	if (batch == 0)
		return;
	report->batches++;
	counter_add(COUNTER_BATCHES_STORED, 1);
	LOG_EVENT(LOG_INFO, "batch stored", log_int("batch", batch), log_int("received", counts->received),
		  log_int("stored", counts->stored), log_int("duplicates", counts->duplicates),
		  log_int("filtered", counts->filtered), log_int("quarantined", counts->quarantined));
}

static bool store_now(struct ingest *ingest, struct err *err)
{
	const struct ingest_options *options = &ingest->options;
	int64_t batch;
	struct pending_counts counts;
	if (pending_is_empty(ingest->pending))
		return true;
	if (!pending_store(ingest->pending, &batch, &counts, err))
		return false;
	count_batch(ingest, batch, &counts);
	for (size_t i = 0; i < options->stream_count; i++)
		ingest->streams[i].unstored = false;
	if (batch != 0 && options->stored)
		options->stored(options->stored_context, batch);
	return true;
}

static void measure(const struct ingest *ingest, struct disk_room *room_out)
{
	disk_measure(ingest->options.layout->root.text, ingest->options.disk_reserve_bytes, room_out);
}

/* Said once per change. `cause` NULL: the reserve is reached; else what could not be written. */
static void set_paused(struct ingest *ingest, bool paused, const struct err *cause)
{
	struct disk_room room;
	if (ingest->paused == paused)
		return;
	ingest->paused = paused;
	measure(ingest, &room);
	(void)pthread_mutex_lock(&ingest->status_mutex);
	ingest->status.paused_since_us = paused ? clock_wall_us(ingest->options.clock) : 0;
	(void)pthread_mutex_unlock(&ingest->status_mutex);
	if (paused)
		LOG_EVENT(LOG_ERROR, "disk full: polling paused", log_int("free_bytes", room.free_bytes),
			  log_int("reserve_bytes", room.reserve_bytes),
			  log_text("cause", cause ? cause->text : "less free than the reserve"),
			  log_text("fix", "free some space, or keep less (octolake retain, --keep-bronze 30d): "
					  "it goes on by itself"));
	else
		LOG_EVENT(LOG_INFO, "disk has room again: polling goes on", log_int("free_bytes", room.free_bytes),
			  log_int("reserve_bytes", room.reserve_bytes));
}

/* Stores what is pending. A full disk is waited out: nothing more is asked for meanwhile, the API
 * goes on, and ingestion resumes by itself when there is room. */
static bool store(void *context, struct err *err)
{
	struct ingest *ingest = context;
	for (int attempt = 1;; attempt++) {
		if (store_now(ingest, err))
			return true;
		struct disk_room room;
		measure(ingest, &room);
		counter_add(COUNTER_STAGE_FAILURES, 1);
		bool full = err->no_space || disk_is_full(&room);
		if (full) {
			set_paused(ingest, true, err);
			attempt = 1;
		} else {
			log_err(LOG_ERROR, "could not store, trying again", err);
		}
		if (attempt == STORE_RETRIES_MAX)
			return false;
		if (stop_flag_wait(ingest->options.stop, STORE_RETRY_MS))
			return store_now(ingest, err);
	}
}

/* Below the reserve nothing is asked for. What is pending is stored all the same: the reserve is for
 * that. *end_out: stopped, or the time is over. */
static bool wait_for_room(struct ingest *ingest, bool *end_out, struct err *err)
{
	*end_out = false;
	for (;;) {
		struct disk_room room;
		measure(ingest, &room);
		if (ingest->paused ? room.free_bytes >= room.resume_bytes : !disk_is_low(&room))
			break;
		set_paused(ingest, true, NULL);
		if (!store(ingest, err))
			return false;
		*end_out = fetch_wait(&ingest->fetcher,
			clock_monotonic_ms(ingest->options.clock) + STORE_RETRY_MS);
		if (*end_out)
			return true;
	}
	set_paused(ingest, false, NULL);
	return true;
}

static struct stream *next_due(const struct ingest *ingest)
{
	struct stream *next = &ingest->streams[0];
	for (size_t i = 1; i < ingest->options.stream_count; i++)
		if (ingest->streams[i].due_ms < next->due_ms)
			next = &ingest->streams[i];
	return next;
}

/* A stream that fails again and again (gone, or the network is) will not become quiet: a batch that
 * waits for quiet does not wait for it for ever. */
static bool is_quiet(const struct ingest *ingest)
{
	for (size_t i = 0; i < ingest->options.stream_count; i++)
		if (!ingest->streams[i].quiet && ingest->streams[i].failures_in_row < FAILURES_GIVEN_UP)
			return false;
	return true;
}

/* When the next sweep starts: the stream's turn, the limits, and the spread of the budget. */
static int64_t next_sweep_ms(const struct ingest *ingest, const struct stream *stream)
{
	const struct pace *pace = &ingest->fetcher.pace;
	int64_t now_ms = clock_monotonic_ms(ingest->options.clock);
	int64_t at_ms = pace_allowed_at_ms(pace, now_ms);
	int64_t spread_ms = ingest->sweep_started_ms + pace_sweep_gap_ms(pace, now_ms, REQUESTS_PER_SWEEP_MAX);
	if (ingest->sweep_started_ms != 0 && spread_ms > at_ms)
		at_ms = spread_ms;
	return stream->due_ms > at_ms ? stream->due_ms : at_ms;
}

static void note_sweep(struct ingest *ingest, const struct stream *stream, const struct sweep *record)
{
	bool good = record->status == SWEEP_OK || record->status == SWEEP_NOT_MODIFIED;
	ingest->answered = ingest->answered || good;
	ingest->report.sweeps++;
	ingest->report.gaps += record->gap;
	(void)pthread_mutex_lock(&ingest->status_mutex);
	struct ingest_status *status = &ingest->status;
	status->poll_interval_s = record->poll_interval_s;
	status->failures_in_row = stream->failures_in_row;
	if (good)
		status->last_answer_us = record->finished_at_us;
	(void)snprintf(status->last_error, sizeof(status->last_error), "%s", record->error);
	(void)pthread_mutex_unlock(&ingest->status_mutex);
}

/* Said once: it stays to be seen in the pipeline's status and in `octolake doctor`. */
static void warn_of_clock(struct ingest *ingest)
{
	const struct pace *pace = &ingest->fetcher.pace;
	if (ingest->clock_warned || !pace_clock_is_off(pace))
		return;
	ingest->clock_warned = true;
	LOG_EVENT(LOG_WARNING, "this machine's clock is off: \"the last hour\" is another hour than GitHub's; set it "
			       "(timedatectl set-ntp true)",
		  log_int("seconds_ahead", pace->clock_ahead_us / 1000000));
}

static void announce_next(struct ingest *ingest, int64_t at_ms)
{
	int64_t wait_ms = at_ms - clock_monotonic_ms(ingest->options.clock);
	(void)pthread_mutex_lock(&ingest->status_mutex);
	ingest->status.next_poll_us = clock_wall_us(ingest->options.clock) + (wait_ms > 0 ? wait_ms : 0) * 1000;
	(void)pthread_mutex_unlock(&ingest->status_mutex);
}

/* Waits for the next sweep; what is pending is stored before its time is up, and before its stream
 * is asked again, because new ETags must not be shown before their events are durable. */
static bool wait_for_turn(struct ingest *ingest, const struct stream *stream, bool *end_out, struct err *err)
{
	const struct ingest_options *options = &ingest->options;
	int64_t at_ms = next_sweep_ms(ingest, stream);
	announce_next(ingest, at_ms);
	int64_t since_ms = pending_since_ms(ingest->pending);
	bool over_time = since_ms != 0 && at_ms - since_ms >= options->flush_ms;
	if ((over_time || stream->unstored) && !store(ingest, err))
		return false;
	*end_out = fetch_wait(&ingest->fetcher, at_ms);
	return *end_out || wait_for_room(ingest, end_out, err);
}

static bool poll(struct ingest *ingest, struct err *err)
{
	const struct ingest_options *options = &ingest->options;
	struct sweeper sweeper = {
		.options = options,
		.fetcher = &ingest->fetcher,
		.plan = ingest->plan,
		.seen = ingest->seen,
		.types = &ingest->types,
		.pending = ingest->pending,
		.store = store,
		.store_context = ingest,
	};
	for (;;) {
		struct stream *stream = next_due(ingest);
		bool end = false;
		struct sweep record;
		if (!wait_for_turn(ingest, stream, &end, err))
			return false;
		if (end)
			return true;
		if (options->drop_expired
		    && !retention_read_expired(ingest->catalog, &sweeper.expired_before_us, err))
			return false;
		ingest->sweep_started_ms = clock_monotonic_ms(options->clock);
		/* A server that had good answers serves on, and a token may be good again (decision 0011). */
		bool bounded = options->duration_ms > 0 || options->until_quiet;
		sweeper.bears_refusal = ingest->answered && !bounded;
		enum sweep_outcome outcome = sweep_stream(&sweeper, stream, &record, err);
		if (outcome == SWEEP_FATAL)
			return false;
		if (outcome == SWEEP_STOPPED)
			return true;
		note_sweep(ingest, stream, &record);
		warn_of_clock(ingest);
		if (options->until_quiet && is_quiet(ingest)) {
			ingest->report.quiet = true;
			return true;
		}
	}
}

bool ingest_run(struct ingest *ingest, struct ingest_report *report_out, struct err *err)
{
	const struct ingest_options *options = &ingest->options;
	ingest->report = (struct ingest_report){0};
	if (options->duration_ms > 0)
		ingest->fetcher.deadline_ms = clock_monotonic_ms(options->clock) + options->duration_ms;
	(void)pthread_mutex_lock(&ingest->status_mutex);
	ingest->status.running = true;
	(void)pthread_mutex_unlock(&ingest->status_mutex);
	bool ok = poll(ingest, err);
	/* Also after a failure: what was received should not wait for the next start. */
	struct err store_err = {0};
	if (!store(ingest, &store_err) && ok) {
		*err = store_err;
		ok = false;
	}
	(void)pthread_mutex_lock(&ingest->status_mutex);
	ingest->status.running = false;
	if (!ok)
		(void)snprintf(ingest->status.last_error, sizeof(ingest->status.last_error), "%.255s", err->text);
	(void)pthread_mutex_unlock(&ingest->status_mutex);
	ingest->report.requests = ingest->fetcher.requests;
	*report_out = ingest->report;
	bool bounded = options->duration_ms > 0 || options->until_quiet;
	if (ok && bounded && !ingest->answered && !stop_flag_is_set(options->stop)) {
		err_set(err, ERR_RETRY, "GitHub gave no good answer: %.200s",
			ingest->status.last_error[0] ? ingest->status.last_error : "no answer at all");
		err->exit_code = 5;
		return false;
	}
	return ok;
}

void ingest_read_status(struct ingest *ingest, struct ingest_status *status_out)
{
	(void)pthread_mutex_lock(&ingest->status_mutex);
	*status_out = ingest->status;
	(void)pthread_mutex_unlock(&ingest->status_mutex);
}
