/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/sweep.h"

#include "base/counter.h"
#include "base/log.h"
#include "ingest/reach.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	PAGE_MEMORY_BYTES_MAX = 256 * 1024 * 1024,
	POLL_INTERVAL_S_DEFAULT = 60,
};

/* A quiet stream's coverage is carried on to now only over the time that GitHub's window reaches
 * back (30 days, FACTS A): beyond it events could have come and gone unseen. */
static const int64_t WINDOW_US = INT64_C(30) * 86400 * 1000000;

/* An event that claims to be of later than this after GitHub's own Date, or of before there were events
 * (GitHub opened in 2008), would be the newest for ever or claim the coverage of years: it is set
 * aside. */

/* The walk in the making. */
struct walk {
	struct sweeper *sweeper;
	struct stream *stream;
	struct sweep record;
	struct cursor cursor; /* as it will be if the walk comes to its end */
	int64_t previous_met; /* keys of the stored sweep before that were met again */
	int64_t page_fresh;
	int64_t page_elements;
	int64_t server_us; /* when the page arrived */
	const char *urls[STREAM_PAGE_COUNT_MAX]; /* of the pages */
	int64_t oldest_us;
	int64_t newest_us;
	int64_t hole_from_us; /* of a hole in the walk: newest event before it, and its end; 0: none */
	int64_t hole_to_us;
	int64_t times_us[STREAM_KEYS_MAX]; /* created_at of the events whose keys are in `cursor` */
	bool window_filled;
	bool untagged;      /* asked without tags, because 304 is not believed */
	uint64_t window_hash; /* of the pages so far */
	int pages_next_min; /* the next walk's walk_pages_min */
};

static bool met_before(const struct cursor *cursor, uint64_t key)
{
	for (size_t i = 0; i < cursor->key_count; i++)
		if (cursor->keys[i] == key)
			return true;
	return false;
}

static void note_event(struct walk *walk, const struct event *event)
{
	uint64_t key = event_key_hash(event);
	if (met_before(&walk->stream->cursor, key))
		walk->previous_met++;
	if (walk->cursor.key_count < STREAM_KEYS_MAX) {
		walk->times_us[walk->cursor.key_count] = event->created_at_us;
		walk->cursor.keys[walk->cursor.key_count++] = key;
	}
	if (walk->oldest_us == 0 || event->created_at_us < walk->oldest_us)
		walk->oldest_us = event->created_at_us;
	if (event->created_at_us > walk->newest_us)
		walk->newest_us = event->created_at_us;
}

static bool store_if_full(struct sweeper *sweeper, struct err *err)
{
	const struct ingest_options *options = sweeper->options;
	if (pending_events(sweeper->pending) < options->flush_events
	    && pending_bytes(sweeper->pending) < options->flush_bytes)
		return true;
	return sweeper->store(sweeper->store_context, err);
}

/* A broken event stays in the window for many sweeps: it is set aside once. */
static void set_element_aside(struct walk *walk, struct span element, int64_t offset, const char *reason,
			      const char *detail)
{
	struct sweeper *sweeper = walk->sweeper;
	if (!seen_add(sweeper->seen, seen_key_of_bytes(element))) {
		pending_count_duplicate(sweeper->pending);
		return;
	}
	pending_add_quarantined(sweeper->pending, reason, detail, walk->record.stream, offset, element, true);
	LOG_EVENT(LOG_WARNING, "event quarantined", log_text("reason", reason), log_text("detail", detail),
		  log_text("stream", walk->record.stream));
}

/* Sorts one element of a page: fresh and kept, duplicate, filtered or quarantined. */
static bool take_element(struct walk *walk, struct span element, int64_t offset, struct arena *arena, struct err *err)
{
	struct sweeper *sweeper = walk->sweeper;
	struct scan_problem problem;
	struct event event;
	walk->page_elements++;
	walk->record.received++;
	if (!scan_event(sweeper->plan, element, arena, &event, &problem)) {
		set_element_aside(walk, element, offset + (int64_t)problem.offset, scan_reason_name(problem.reason),
				  problem.detail);
		return true;
	}
	const char *fault = event_time_fault(&event, walk->server_us);
	if (fault) {
		set_element_aside(walk, element, offset, fault, time_render(event.created_at_us).text);
		return true;
	}
	note_event(walk, &event);
	if (!seen_add(sweeper->seen, seen_key_of_event(&event))) {
		pending_count_duplicate(sweeper->pending);
		return true;
	}
	walk->page_fresh++;
	walk->record.fresh++;
	if (!field_set_accepts(sweeper->options->fields, event.type)
	    || event.created_at_us < sweeper->expired_before_us) {
		pending_count_filtered(sweeper->pending);
		return true;
	}
	event.type = type_guard_route(sweeper->types, event.type);
	return pending_add_event(sweeper->pending, &event, element, err) && store_if_full(sweeper, err);
}

/* A 200 whose body is not what a page is: kept once, so that nothing is lost, and the walk fails. */
static void set_page_aside(struct walk *walk, struct span body, int64_t element_count,
			   const struct scan_problem *problem, struct err *err)
{
	const char *reason = element_count == 0 ? "body-not-an-array" : scan_reason_name(problem->reason);
	if (seen_add(walk->sweeper->seen, seen_key_of_bytes(body)))
		pending_add_quarantined(walk->sweeper->pending, reason, problem->detail, walk->record.stream,
					(int64_t)problem->offset, body, false);
	(void)err_set(err, ERR_RETRY, "page is not an array of events: %s", problem->detail);
}

/* All of a page or nothing: one that was cut in its middle is asked for again, and events of it that
 * came whole would be counted twice. */
static bool check_page(struct walk *walk, struct span body, struct err *err)
{
	struct scan_array array;
	struct scan_problem problem;
	int64_t element_count = 0;
	scan_array_init(&array, body);
	for (bool end = false; !end; element_count++) {
		struct span element;
		if (!scan_array_next(&array, &element, &end, &problem)) {
			set_page_aside(walk, body, element_count, &problem, err);
			return false;
		}
	}
	return true;
}

enum page_result { PAGE_TAKEN, PAGE_BROKEN, PAGE_NOT_STORED };

static enum page_result take_page(struct walk *walk, struct span body, struct arena *arena, struct err *err)
{
	struct scan_array array;
	struct scan_problem problem;
	walk->page_fresh = 0;
	walk->page_elements = 0;
	if (!check_page(walk, body, err))
		return PAGE_BROKEN;
	scan_array_init(&array, body);
	for (;;) {
		struct span element;
		bool end;
		bool whole = scan_array_next(&array, &element, &end, &problem);
		assert(whole);
		if (end)
			return PAGE_TAKEN;
		if (!take_element(walk, element, element.data - body.data, arena, err))
			return PAGE_NOT_STORED;
	}
}

/* Between two pages the feed may move on by more than a walk shows (the process was stopped, the
 * machine slept): a page that is newer than all before it leaves a hole, unless a later page closes it.
 * `first` is the page's first key. */
static void note_page(struct walk *walk, size_t first, int64_t newest_before_us)
{
	if (walk->cursor.key_count == first)
		return;
	int64_t reach_us = reach_oldest_us(walk->times_us + first, walk->cursor.key_count - first);
	if (newest_before_us != 0 && reach_us > newest_before_us) {
		walk->hole_from_us = newest_before_us;
		walk->hole_to_us = reach_us;
	} else if (reach_us <= walk->hole_from_us) {
		walk->hole_from_us = 0;
	} else if (reach_us < walk->hole_to_us) {
		walk->hole_to_us = reach_us;
	}
}

static void copy_etag(char to[STREAM_ETAG_BYTES_MAX + 1], const char *etag)
{
	(void)snprintf(to, STREAM_ETAG_BYTES_MAX + 1, "%s", etag ? etag : "");
}

/* Overlap, gap and coverage, known once the walk is over. */
static void conclude(struct walk *walk, bool modified)
{
	const struct cursor *before = &walk->stream->cursor;
	struct sweep *record = &walk->record;
	bool had_before = before->key_count > 0;
	record->overlap = had_before ? (double)walk->previous_met / (double)before->key_count : -1;
	if (record->overlap > 1)
		record->overlap = 1;
	bool hole = walk->hole_from_us != 0;
	record->gap = hole || (had_before && walk->window_filled && walk->previous_met == 0);
	if (record->gap) {
		record->gap_from_us = hole ? walk->hole_from_us : before->newest_us;
		record->gap_to_us = hole ? walk->hole_to_us : walk->oldest_us;
		LOG_EVENT(LOG_WARNING, "gap: events between two sweeps were not seen",
			  log_text("stream", record->stream), log_text("from", time_render(record->gap_from_us).text),
			  log_text("to", time_render(record->gap_to_us).text));
	}
	bool joined = !hole && had_before && walk->previous_met > 0 && before->covered_to_us != 0;
	if (walk->newest_us != 0) {
		bool cut_off = walk->window_filled;
		record->covered_from_us =
			cut_off ? reach_oldest_us(walk->times_us, walk->cursor.key_count)
				: reach_oldest_within_us(walk->times_us, walk->cursor.key_count, WINDOW_US);
		if (hole)
			record->covered_from_us = walk->hole_to_us;
		record->covered_to_us = walk->newest_us < walk->server_us ? walk->newest_us : walk->server_us;
		if (joined && before->covered_to_us < record->covered_from_us)
			record->covered_from_us = before->covered_to_us;
	}
	/* Times of events are GitHub's: where our clock is off, "until now" means its now. */
	const struct pace *pace = &walk->sweeper->fetcher->pace;
	int64_t now_us = record->started_at_us - (pace_clock_is_off(pace) ? pace->clock_ahead_us : 0);
	/* A window that is suddenly empty is not believed: what was in it a moment ago is known still. */
	bool emptied = modified && walk->cursor.key_count == 0 && had_before
		       && now_us - before->newest_us < WINDOW_US;
	if (emptied) {
		memcpy(walk->cursor.keys, before->keys, sizeof(before->keys));
		walk->cursor.key_count = before->key_count;
	}
	bool nothing_new = record->fresh == 0 && before->covered_to_us != 0 && !emptied;
	if (nothing_new && now_us - before->covered_to_us < WINDOW_US && now_us > before->covered_to_us) {
		record->covered_from_us = before->covered_to_us;
		record->covered_to_us = now_us;
	}
	if (record->covered_to_us > walk->cursor.covered_to_us)
		walk->cursor.covered_to_us = record->covered_to_us;
	if (walk->newest_us > walk->cursor.newest_us)
		walk->cursor.newest_us = walk->newest_us;
}

/* With budget to spare all pages of a window that has changed are looked at, because events also come
 * late, below known ones, and in odd orders; else the first page without news is the last. */
static bool has_plenty(const struct sweeper *sweeper)
{
	const struct pace *pace = &sweeper->fetcher->pace;
	int64_t now_ms = clock_monotonic_ms(sweeper->options->clock);
	return !pace->anonymous && pace_sweep_gap_ms(pace, now_ms, STREAM_PAGE_COUNT_MAX) == 0;
}

/* A full page with news and without Link may be all that there is, or have lost its Link on the way:
 * then its tag would hide the rest for as long as the page stays. An empty page that leads on is as
 * odd. So the next walk looks once more, without tags, and believes what it sees then. */
static bool is_doubtful(const struct walk *walk, bool leads_on)
{
	if (walk->record.fresh == 0)
		return false;
	return leads_on ? walk->page_elements == 0
			: walk->page_elements >= SWEEP_PAGE_EVENTS && walk->page_fresh > 0;
}

/* Keeps page `number` (from 0) and decides whether the walk goes on. Where Link leads on, it is followed:
 * GitHub leaves events out of full pages. */
static bool wants_next_page(struct walk *walk, int number, const struct page *page)
{
	bool is_last = number + 1 == STREAM_PAGE_COUNT_MAX;
	copy_etag(walk->cursor.etags[number], page->etag);
	/* For the same reason a window counts as full from nine tenths on. */
	walk->window_filled =
		walk->record.received * 10 >= (int64_t)9 * STREAM_PAGE_COUNT_MAX * SWEEP_PAGE_EVENTS;
	if (!is_last && is_doubtful(walk, page->next_url != NULL))
		walk->pages_next_min = STREAM_PAGE_COUNT_MAX;
	if (!page->next_url)
		return false;
	if (is_last || number + 1 < walk->stream->walk_pages_min)
		return !is_last;
	return walk->page_fresh > 0 || walk->page_elements == 0 || has_plenty(walk->sweeper);
}

static bool follow_link(struct walk *walk, int number, const char *next_url, struct arena *urls, struct err *err)
{
	struct span origin;
	if (!fetch_parse_origin(span_of(next_url), &origin)
	    || !span_equal(origin, walk->sweeper->fetcher->origin))
		return err_set(err, ERR_RETRY, "Link leads to another host");
	for (int i = 0; i <= number; i++)
		if (strcmp(walk->urls[i], next_url) == 0)
			return err_set(err, ERR_RETRY, "Link leads back to page %d", i + 1);
	walk->urls[number + 1] = arena_copy_text(urls, span_of(next_url));
	return walk->urls[number + 1] || err_set(err, ERR_RETRY, "Link is too long");
}

static int64_t interval_ms_of(const struct sweeper *sweeper, int64_t interval_s)
{
	int64_t least_ms = sweeper->options->poll_interval_ms_min;
	return interval_s * 1000 > least_ms ? interval_s * 1000 : least_ms;
}

static void note_interval(struct walk *walk, const struct page *page)
{
	int64_t told_before_s = walk->stream->cursor.poll_interval_s;
	int64_t interval_s = page->poll_interval_s >= 0 ? page->poll_interval_s
			     : told_before_s > 0	? told_before_s
							: POLL_INTERVAL_S_DEFAULT;
	walk->record.poll_interval_s = interval_s;
	walk->cursor.poll_interval_s = interval_s;
	walk->stream->due_ms = page->arrived_ms + interval_ms_of(walk->sweeper, interval_s);
	fetch_keep_wait(walk->sweeper->fetcher, walk->stream->due_ms);
}

/* Walks. FETCH_PAGE stands for "came to its end", FETCH_NOT_MODIFIED for "nothing changed". */
static enum fetch_outcome walk_pages(struct walk *walk, int *pages_out, bool *fatal_out, struct err *err)
{
	struct sweeper *sweeper = walk->sweeper;
	struct stream *stream = walk->stream;
	struct arena urls CLEANUP(arena_finish) = {.size_max = 64 * 1024};
	walk->urls[0] = arena_printf(&urls, "%s%s?per_page=%d", sweeper->options->api_url, stream->cursor.stream,
				     SWEEP_PAGE_EVENTS);
	for (int number = 0;; number++) {
		struct arena arena CLEANUP(arena_finish) = {.size_max = PAGE_MEMORY_BYTES_MAX};
		struct page page;
		*pages_out = number;
		sweeper->fetcher->interval_ms =
			number == 0 ? interval_ms_of(sweeper, stream->cursor.poll_interval_s) : 0;
		const char *etag = walk->untagged ? "" : stream->cursor.etags[number];
		enum fetch_outcome outcome =
			fetch_page(sweeper->fetcher, walk->urls[number], etag, &arena, &page, err);
		/* What names no interval may be no page of GitHub's: that shows below. */
		bool told = (outcome == FETCH_PAGE && page.poll_interval_s >= 0) || outcome == FETCH_NOT_MODIFIED;
		if (number == 0 && told)
			note_interval(walk, &page);
		if (outcome == FETCH_END && number == 0)
			(void)err_set(err, ERR_RETRY, "status 422 for page 1");
		if (number > 0 && (outcome == FETCH_END || outcome == FETCH_NOT_MODIFIED))
			return FETCH_PAGE;
		if (outcome != FETCH_PAGE)
			return outcome;
		walk->record.pages++;
		int64_t newest_before_us = walk->newest_us;
		size_t first = walk->cursor.key_count;
		walk->server_us = page.server_us;
		walk->window_hash = span_hash(page.body, walk->window_hash);
		enum page_result result = take_page(walk, page.body, &arena, err);
		if (result != PAGE_TAKEN) {
			*fatal_out = result == PAGE_NOT_STORED;
			return FETCH_FAILED;
		}
		note_page(walk, first, newest_before_us);
		if (number == 0 && !told)
			note_interval(walk, &page);
		if (!wants_next_page(walk, number, &page))
			return FETCH_PAGE;
		if (!follow_link(walk, number, page.next_url, &urls, err))
			return FETCH_FAILED;
	}
}

static void begin_walk(struct walk *walk, struct sweeper *sweeper, struct stream *stream)
{
	*walk = (struct walk){.sweeper = sweeper, .stream = stream, .cursor = stream->cursor};
	walk->cursor.key_count = 0;
	memset(walk->cursor.etags, 0, sizeof(walk->cursor.etags));
	memcpy(walk->record.stream, stream->cursor.stream, sizeof(walk->record.stream));
	walk->record.started_at_us = clock_wall_us(sweeper->options->clock);
	walk->record.poll_interval_s = stream->cursor.poll_interval_s;
	walk->untagged = stream->not_modified_in_row >= SWEEP_NOT_MODIFIED_MAX
			 || stream->stale_in_row == SWEEP_STALE_MAX;
}

static void finish_record(struct walk *walk, enum sweep_status status, const struct err *err, int64_t requests)
{
	const struct pace *pace = &walk->sweeper->fetcher->pace;
	const struct clock *clock = walk->sweeper->options->clock;
	struct sweep *record = &walk->record;
	record->status = status;
	record->finished_at_us = clock_wall_us(clock);
	record->requests = requests;
	record->quota_limit = pace->quota_limit;
	record->quota_remaining = pace->quota_remaining;
	record->quota_reset_us = pace->reset_us;
	int64_t now_ms = clock_monotonic_ms(clock);
	/* The next start may bring another token: it need not wait for this one's refusal to pass. */
	int64_t next_ms = pace_limit_ends_ms(pace, now_ms);
	if (walk->stream->due_ms > next_ms)
		next_ms = walk->stream->due_ms;
	record->next_poll_us = record->finished_at_us + (next_ms - now_ms) * 1000;
	if (status == SWEEP_LIMITED || status == SWEEP_FAILED)
		(void)snprintf(record->error, sizeof(record->error), "%.255s", err->text);
}

/* Rows of 304, and whether they were true: a cache that is stale once may be by chance of the moment. */
static void judge_tags(struct walk *walk, bool modified)
{
	struct stream *stream = walk->stream;
	if (!modified) {
		stream->not_modified_in_row++;
		return;
	}
	stream->not_modified_in_row = 0;
	if (stream->stale_in_row == SWEEP_STALE_MAX)
		return;
	bool was_stale = walk->untagged && walk->record.fresh > 0;
	stream->stale_in_row = was_stale ? stream->stale_in_row + 1 : 0;
	if (stream->stale_in_row == SWEEP_STALE_MAX)
		LOG_EVENT(LOG_WARNING, "answers of 304 came from a stale cache; the stream is asked without tags now",
			  log_text("stream", walk->record.stream));
}

/* Nothing has changed: as 304 says. Where tags are missing, or change by themselves, only the bytes of
 * the pages can show it; where a tag changed once with the same bytes, the next may bring news
 * (recorded polls do), and a look without a tag was not meant to tell. */
static bool is_quiet(const struct walk *walk, bool modified, bool looked_again)
{
	struct stream *stream = walk->stream;
	if (!modified)
		return true;
	bool same_window = walk->window_hash == stream->window_hash;
	stream->window_hash = walk->window_hash;
	stream->same_window_in_row = same_window ? stream->same_window_in_row + 1 : 0;
	bool has_tag = walk->cursor.etags[0][0] != '\0';
	return same_window && walk->record.fresh == 0 && !looked_again
	       && (!has_tag || stream->same_window_in_row >= SWEEP_SAME_WINDOW_QUIET);
}

/* The walk came to its end, or there was nothing to walk. */
static void succeed(struct walk *walk, bool modified, int64_t requests)
{
	struct stream *stream = walk->stream;
	if (!modified) {
		walk->cursor = stream->cursor;
		walk->cursor.poll_interval_s = walk->record.poll_interval_s;
	}
	conclude(walk, modified);
	if (!modified)
		walk->record.overlap = 1;
	judge_tags(walk, modified);
	if (walk->pages_next_min > 0)
		walk->cursor.etags[0][0] = '\0';
	bool looked_again = stream->walk_pages_min > 0;
	stream->failures_in_row = 0;
	stream->walk_pages_min = walk->pages_next_min;
	stream->quiet = is_quiet(walk, modified, looked_again);
	stream->cursor = walk->cursor;
	stream->unstored = true;
	finish_record(walk, modified ? SWEEP_OK : SWEEP_NOT_MODIFIED, NULL, requests);
	pending_add_sweep(walk->sweeper->pending, &walk->record, &stream->cursor);
}

/* A broken walk: what it brought is kept, its cursor is not, and the next one goes at least as far. */
static void fail(struct walk *walk, bool limited, int pages, int64_t requests, const struct err *err)
{
	struct sweeper *sweeper = walk->sweeper;
	struct stream *stream = walk->stream;
	int64_t now_ms = clock_monotonic_ms(sweeper->options->clock);
	stream->quiet = false;
	stream->failures_in_row += limited ? 0 : 1;
	if (walk->record.pages > 0)
		stream->walk_pages_min = pages + 1;
	/* ETags of what was met but not finished must not be presented: 304 would hide the rest. */
	if (walk->record.pages > 0)
		memset(stream->cursor.etags, 0, sizeof(stream->cursor.etags));
	int64_t retry_ms = limited ? now_ms : now_ms + pace_backoff_ms(stream->failures_in_row, (uint64_t)now_ms);
	if (retry_ms > stream->due_ms)
		stream->due_ms = retry_ms;
	finish_record(walk, limited ? SWEEP_LIMITED : SWEEP_FAILED, err, requests);
	pending_add_sweep(sweeper->pending, &walk->record, NULL);
	log_err(LOG_WARNING, limited ? "limited by GitHub" : "sweep failed", err);
}

enum sweep_outcome sweep_stream(struct sweeper *sweeper, struct stream *stream, struct sweep *record_out,
				struct err *err)
{
	struct walk walk;
	int pages = 0;
	bool fatal = false;
	begin_walk(&walk, sweeper, stream);
	int64_t requests_before = sweeper->fetcher->requests;
	enum fetch_outcome outcome = walk_pages(&walk, &pages, &fatal, err);
	int64_t requests = sweeper->fetcher->requests - requests_before;
	enum sweep_outcome result = SWEEP_DONE;
	switch (outcome) {
	case FETCH_PAGE:
		succeed(&walk, true, requests);
		break;
	case FETCH_NOT_MODIFIED:
		succeed(&walk, false, requests);
		break;
	case FETCH_STOPPED:
		result = SWEEP_STOPPED;
		break;
	case FETCH_UNAUTHORIZED:
	case FETCH_LIMITED:
	case FETCH_FAILED:
	case FETCH_END:
		fatal = fatal || (outcome == FETCH_UNAUTHORIZED && !sweeper->bears_refusal);
		fail(&walk, outcome == FETCH_LIMITED, pages, requests, err);
		result = fatal ? SWEEP_FATAL : SWEEP_DONE;
		break;
	}
	*record_out = walk.record;
	return result;
}
