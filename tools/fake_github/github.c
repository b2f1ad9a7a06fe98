/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/github.h"

#include "base/memory.h"
#include "fake_github/control.h"
#include "fake_github/reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One request on its way through the checks; the lock is held all along. */
struct visit {
	struct github *github;
	const struct http_request *request;
	struct http_response *response;
	struct ledger_request *entry;
	struct identity *identity;
	struct stream stream;
	bool has_stream;
	struct paging paging;
	struct span token; /* absent: anonymous */
	char own_host[HOST_BYTES_MAX];
	int64_t now_us;
	int64_t now_ms;
	bool consumes; /* this answer costs a request of the budget */
	const struct scenario *scenario; /* that has a hand in the answer, or NULL */
	unsigned hit;
	struct feed_page page;
	size_t linked; /* events that the Link header reckons with */
	bool own_limits; /* the scenario told the budget itself */
};

void github_init(struct github *github, struct feed *feed, const struct github_options *options,
		 const struct clock *clock)
{
	*github = (struct github){.clock = clock, .options = *options, .feed = feed};
	(void)pthread_mutex_init(&github->lock, NULL);
	limits_init(&github->limits, &options->limits);
	ledger_init(&github->ledger, clock_monotonic_ms(clock));
}

void github_finish(struct github *github)
{
	feed_destroy(&github->feed);
	ledger_finish(&github->ledger);
	(void)pthread_mutex_destroy(&github->lock);
}

bool github_choose_scenario(struct github *github, struct span name, struct err *err)
{
	const struct scenario *scenario = scenario_find(name);
	if (!scenario && !span_equal_text(name, "none"))
		return err_set(err, ERR_INPUT, "no scenario \"%.*s\"; --scenarios lists them",
			       SPAN_ARGUMENTS(name));
	(void)pthread_mutex_lock(&github->lock);
	github->scenario = scenario;
	github->scenario_hits = 0;
	github->scenario_in_walk = false;
	bool inserted = !scenario || !scenario->insert
			|| scenario->insert(github->feed, clock_wall_us(github->clock));
	(void)pthread_mutex_unlock(&github->lock);
	return inserted || err_set(err, ERR_INPUT, "too many odd events in the feed already");
}

/* ---- who asks ---- */

static struct span read_token(const struct http_request *request)
{
	struct span value = http_request_header(request, "Authorization");
	struct span method;
	struct span token;
	if (!value.data || !span_split(value, ' ', &method, &token))
		return value;
	return span_trim(token);
}

static bool is_good_token(const struct github *github, struct span token)
{
	if (github->options.token)
		return span_equal_text(token, github->options.token);
	return token.size > 0 && !span_starts_with(token, "bad");
}

/* Links and redirects repeat the Host header: nothing but a plain name may come back in them. */
static void read_own_host(struct visit *visit)
{
	struct span host = http_request_header(visit->request, "Host");
	bool plain = host.size > 0 && host.size < sizeof(visit->own_host);
	for (size_t i = 0; plain && i < host.size; i++) {
		char c = host.data[i];
		plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			|| strchr(".:-_[]", c);
	}
	(void)snprintf(visit->own_host, sizeof(visit->own_host), "%.*s", plain ? (int)host.size : 9,
		       plain ? host.data : "localhost");
}

static bool is_rate_limit(const struct visit *visit)
{
	return span_equal_text(visit->request->path, "/rate_limit");
}

/* Notes what the client should not have done by asking now. */
static void check_manners(struct visit *visit)
{
	struct ledger *ledger = &visit->github->ledger;
	const struct identity *identity = visit->identity;
	uint64_t seq = visit->entry->seq;
	if (http_request_header(visit->request, "User-Agent").size == 0)
		ledger_violate(ledger, "no-user-agent", seq, "no User-Agent header");
	if (is_rate_limit(visit))
		return;
	int64_t early_ms = identity->retry_after_until_ms - visit->now_ms;
	if (early_ms > LEDGER_POLL_TOLERANCE_MS)
		ledger_violate(ledger, "inside-retry-after", seq, "%" PRId64 " ms too early",
			       early_ms);
	if (identity_remaining(identity) == 0)
		ledger_violate(ledger, "before-reset", seq,
			       "budget is empty until %" PRId64 ", now is %" PRId64,
			       identity->reset_seconds, visit->now_us / 1000000);
	ledger_check_poll(ledger, visit->entry);
}

/* ---- answers ---- */

/* True when the client was turned away before the route mattered. */
static bool refuse_client(struct visit *visit)
{
	struct http_response *response = visit->response;
	const struct http_request *request = visit->request;
	struct span version = http_request_header(request, "X-GitHub-Api-Version");
	bool get = span_equal_text(request->method, "GET")
		   || span_equal_text(request->method, "HEAD");
	if (http_request_header(request, "User-Agent").size == 0)
		reply_error(
			response, 403,
			"Request forbidden by administrative rules. Please make sure your request has a "
			"User-Agent header.",
			"https://docs.github.com/rest/overview/resources-in-the-rest-api#user-agent-required");
	else if (visit->entry->token == LEDGER_TOKEN_BAD)
		reply_error(response, 401, "Bad credentials", NULL);
	else if (version.data && !span_equal_text(version, "2022-11-28")
		 && !span_equal_text(version, "2026-03-10"))
		reply_error(response, 400, "The version in X-GitHub-Api-Version is not supported",
			    "https://docs.github.com/rest/about-the-rest-api/api-versions");
	else if (!get)
		reply_error(response, 404, "Not Found", NULL);
	else
		return false;
	return true;
}

static void answer_exhausted(struct visit *visit)
{
	reply_error(
		visit->response, visit->identity->exhausted_status,
		visit->token.data
			? "API rate limit exceeded for user ID 583231."
			: "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated "
			  "requests get a higher rate limit. Check out the documentation for more details.)",
		"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api");
}

static void write_budget(const struct identity *identity, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_integer(json, "limit", identity->limit);
	json_put_key_integer(json, "used", identity->limit - identity_remaining(identity));
	json_put_key_integer(json, "remaining", identity_remaining(identity));
	json_put_key_integer(json, "reset", identity->reset_seconds);
	json_put_key_text(json, "resource", "core");
	json_end_object(json);
}

static void answer_rate_limit(struct visit *visit)
{
	reply_body(visit->response, 200, "application/json; charset=utf-8", (struct span){"", 0});
	struct json_writer json;
	json_writer_init(&json, &visit->response->body);
	json_begin_object(&json);
	json_put_key(&json, "resources");
	json_begin_object(&json);
	json_put_key(&json, "core");
	write_budget(visit->identity, &json);
	json_end_object(&json);
	/* The newer API version dropped the old summary. */
	struct span version = http_request_header(visit->request, "X-GitHub-Api-Version");
	if (!span_equal_text(version, "2026-03-10")) {
		json_put_key(&json, "rate");
		write_budget(visit->identity, &json);
	}
	json_end_object(&json);
}

static struct scenario_call make_call(struct visit *visit)
{
	return (struct scenario_call){
		.hit = visit->hit,
		.page = visit->paging.page,
		.now_us = visit->now_us,
		.now_ms = visit->now_ms,
		.identity = visit->identity,
		.request = visit->request,
		.stream_index = visit->entry->stream,
		.poll_interval_seconds = visit->github->options.poll_interval_seconds,
		.own_host = visit->own_host,
		.foreign_host = visit->github->foreign_host,
		.response = visit->response,
	};
}

/* The scenario that takes part in this answer, or NULL. */
static const struct scenario *take_scenario(struct visit *visit)
{
	struct github *github = visit->github;
	const struct scenario *scenario = github->scenario;
	struct span target = visit->request->target;
	if (!scenario || scenario->times == 0 || visit->entry->foreign
	    || !span_equal_text(visit->request->method, "GET")
	    || memmem(target.data, target.size, SCENARIO_MOVED_MARK, strlen(SCENARIO_MOVED_MARK))
	    || span_starts_with(target, "/repositories/"))
		return NULL;
	bool stays_good = scenario->dress || scenario->arrange;
	if (visit->paging.page > 1) {
		visit->hit = github->scenario_hits - 1;
		return stays_good && github->scenario_in_walk ? scenario : NULL;
	}
	unsigned times = github->options.scenario_times ? github->options.scenario_times
							 : scenario->times;
	bool takes_part = github->scenario_hits < times;
	github->scenario_in_walk = takes_part && stays_good;
	visit->hit = github->scenario_hits;
	return takes_part ? scenario : NULL;
}

/* True when a fault of the scenario takes the place of the service. */
static bool meets_fault(struct visit *visit)
{
	visit->scenario = take_scenario(visit);
	if (!visit->scenario || !visit->scenario->answer)
		return false;
	struct scenario_call call = make_call(visit);
	visit->scenario->answer(&call);
	visit->own_limits = call.own_limits;
	if (call.declined) {
		visit->scenario = NULL;
		return false;
	}
	return true;
}

static void add_page_headers(struct visit *visit)
{
	struct http_response *response = visit->response;
	const struct feed_page *page = &visit->page;
	http_response_header(response, "ETag", "%s", page->etag.text);
	http_response_header(response, "X-Poll-Interval", "%" PRId64,
			     visit->github->options.poll_interval_seconds);
	http_response_header(response, "Cache-Control", "%s, max-age=60, s-maxage=60",
			     visit->token.data ? "private" : "public");
	http_response_header(response, "Vary",
			     "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding");
	if (page->last_modified_us > 0)
		http_response_header(response, "Last-Modified", "%s",
				     time_render_http(page->last_modified_us).text);
	size_t before = response->headers.size;
	buf_append_text(&response->headers, "Link: ");
	size_t empty = response->headers.size;
	paging_append_link(visit->paging, visit->linked, span_of(visit->own_host),
			   visit->request->path, &response->headers);
	if (response->headers.size > empty)
		buf_append_text(&response->headers, "\r\n");
	else
		response->headers.size = before;
}

/* Reads the whole window and makes the page of it that the scenario wants. */
static void read_arranged(struct visit *visit, struct feed_question *question)
{
	struct feed *feed = visit->github->feed;
	struct span if_none_match = question->if_none_match;
	struct feed_page whole;
	feed_page_init(&whole);
	question->if_none_match = (struct span){0};
	question->paging = (struct paging){.page = 1, .per_page = PAGING_WINDOW_EVENTS};
	feed->operations->read_page(feed, question, &whole);
	struct scenario_window window = {.count = whole.key_count, .linked = whole.key_count};
	for (size_t i = 0; i < window.count; i++)
		window.order[i] = i;
	paging_range(visit->paging, window.count, &window.first, &window.end);
	struct scenario_call call = make_call(visit);
	visit->scenario->arrange(&call, &window);
	for (size_t i = window.first; i < window.end; i++) {
		size_t place = window.order[i];
		feed_page_add(&visit->page, feed_page_element(&whole, place), &whole.keys[place]);
	}
	visit->page.window_count = whole.window_count;
	visit->page.last_modified_us = whole.last_modified_us;
	visit->linked = window.linked;
	visit->page.etag = etag_make(buf_span(&visit->page.body), visit->paging.page);
	visit->page.not_modified = etag_matches(if_none_match, &visit->page.etag);
	feed_page_finish(&whole);
}

static void answer_events(struct visit *visit)
{
	if (paging_is_beyond_window(visit->paging)) {
		ledger_violate(&visit->github->ledger, "beyond-window", visit->entry->seq,
			       "page %u of %u events each was asked for", visit->paging.page,
			       visit->paging.per_page);
		reply_error(
			visit->response, 422,
			"In order to keep the API fast for everyone, pagination is limited for this "
			"resource. Check the rel=last link relation in the Link response header to see how "
			"far back you can traverse.",
			"https://docs.github.com/v3/#pagination");
		return;
	}
	struct feed_question question = {
		.stream = &visit->stream,
		.paging = visit->paging,
		.if_none_match = http_request_header(visit->request, "If-None-Match"),
		.peek = visit->entry->foreign || span_equal_text(visit->request->method, "HEAD"),
		.now_us = clock_wall_us(visit->github->clock),
	};
	/* Tags of another host say nothing here: a client that mixes them up would miss pages. */
	if (visit->entry->foreign)
		question.if_none_match = (struct span){0};
	if (visit->scenario && visit->scenario->arrange) {
		read_arranged(visit, &question);
	} else {
		visit->github->feed->operations->read_page(visit->github->feed, &question,
							   &visit->page);
		visit->linked = visit->page.window_count;
	}
	if (visit->entry->foreign)
		visit->page.etag = etag_make(span_of(visit->page.etag.text), 0);
	if (visit->page.not_modified) {
		visit->response->status = 304;
		visit->consumes = false;
	} else {
		reply_body(visit->response, 200, "application/json; charset=utf-8",
			   buf_span(&visit->page.body));
	}
	add_page_headers(visit);
}

static void answer_api(struct visit *visit)
{
	if (refuse_client(visit))
		return;
	if (is_rate_limit(visit)) {
		answer_rate_limit(visit);
		return;
	}
	if (!visit->entry->foreign && identity_remaining(visit->identity) == 0) {
		answer_exhausted(visit);
		return;
	}
	visit->consumes = !visit->entry->foreign;
	if (!visit->has_stream)
		reply_error(visit->response, 404, "Not Found", NULL);
	else if (!meets_fault(visit))
		answer_events(visit);
}

/* ---- around the answer ---- */

/* /repositories/N/events, where a renamed repository's events are found. */
static void find_renamed(struct visit *visit)
{
	const struct ledger *ledger = &visit->github->ledger;
	struct span rest = visit->request->path;
	struct span number;
	int64_t id;
	if (!span_starts_with(rest, "/repositories/") || !span_ends_with(rest, "/events"))
		return;
	rest = span_make(rest.data + strlen("/repositories/"), rest.size - strlen("/repositories/"));
	if (!span_split(rest, '/', &number, &rest) || !span_parse_int64(number, &id))
		return;
	int64_t index = id - SCENARIO_REPOSITORY_ID_FIRST;
	if (index >= 0 && index < (int64_t)ledger->stream_count)
		visit->has_stream =
			stream_parse(span_of(ledger->streams[index].key), &visit->stream);
}

static void arrive(struct visit *visit, bool foreign)
{
	struct github *github = visit->github;
	visit->has_stream = stream_parse(visit->request->path, &visit->stream);
	visit->paging = paging_parse(visit->request->query);
	if (!visit->has_stream)
		find_renamed(visit);
	visit->token = read_token(visit->request);
	read_own_host(visit);
	visit->identity = limits_identity(&github->limits, visit->token, visit->now_us);
	visit->entry = ledger_arrive(&github->ledger, visit->request,
				     visit->has_stream ? &visit->stream : NULL, visit->paging.page,
				     visit->now_ms);
	visit->entry->foreign = foreign;
	if (visit->token.data)
		visit->entry->token =
			is_good_token(github, visit->token) ? LEDGER_TOKEN_GOOD : LEDGER_TOKEN_BAD;
	if (foreign && visit->token.data)
		ledger_violate(&github->ledger, "token-to-foreign-host", visit->entry->seq,
			       "an Authorization header reached %s", github->foreign_host);
	if (!foreign)
		check_manners(visit);
}

static void add_budget_headers(struct visit *visit)
{
	const struct identity *identity = visit->identity;
	int64_t remaining = identity_remaining(identity);
	http_response_header(visit->response, "X-RateLimit-Limit", "%" PRId64, identity->limit);
	http_response_header(visit->response, "X-RateLimit-Remaining", "%" PRId64, remaining);
	http_response_header(visit->response, "X-RateLimit-Used", "%" PRId64,
			     identity->limit - remaining);
	http_response_header(visit->response, "X-RateLimit-Reset", "%" PRId64,
			     identity->reset_seconds);
	http_response_header(visit->response, "X-RateLimit-Resource", "core");
	visit->entry->remaining = remaining;
}

/* Counts what the scenario did, and hands the page's keys to the exchange when they will really be
 * delivered. */
static void settle(struct visit *visit, struct github_exchange *exchange)
{
	struct github *github = visit->github;
	const struct scenario *scenario = visit->scenario;
	bool shown = visit->response->status == 200 && visit->page.window_count > 0
		     && !visit->response->head_only;
	bool damages = scenario && (scenario->damage_page || scenario->damage_wire);
	if (damages && !shown)
		scenario = visit->scenario = NULL;
	if (scenario) {
		github->scenario_hits += visit->paging.page == 1;
		visit->entry->scenario = scenario->name;
	}
	if (shown && !damages && !(scenario && scenario->answer) && visit->page.key_count > 0) {
		size_t size = visit->page.key_count * sizeof(*exchange->keys);
		exchange->keys = memory_allocate(1, size);
		exchange->key_count = visit->page.key_count;
		memcpy(exchange->keys, visit->page.keys, size);
	}
	bool honest = !scenario || scenario->dress || scenario->arrange;
	ledger_answer(&github->ledger, visit->entry, visit->response->status, honest,
		      1000 * github->options.poll_interval_seconds);
}

static bool accepts_gzip(const struct http_request *request)
{
	struct span value = http_request_header(request, "Accept-Encoding");
	return value.size > 0 && memmem(value.data, value.size, "gzip", 4)
	       && !memmem(value.data, value.size, "gzip;q=0", 8);
}

void github_answer(struct github *github, const struct http_request *request, bool foreign,
		   struct http_response *response, struct github_exchange *exchange_out)
{
	*exchange_out = (struct github_exchange){0};
	if (control_is_for(request)) {
		control_answer(github, request, response);
		return;
	}
	struct visit visit = {
		.github = github,
		.request = request,
		.response = response,
	};
	feed_page_init(&visit.page);
	response->head_only = span_equal_text(request->method, "HEAD");
	(void)pthread_mutex_lock(&github->lock);
	visit.now_us = clock_wall_us(github->clock) + (github->scenario ? github->scenario->skew_us : 0);
	visit.now_ms = clock_monotonic_ms(github->clock);
	arrive(&visit, foreign);
	exchange_out->seq = visit.entry->seq;
	reply_common_headers(response, exchange_out->seq, visit.now_us);
	answer_api(&visit);
	if (visit.consumes)
		identity_consume(visit.identity);
	if (!foreign && !visit.own_limits)
		add_budget_headers(&visit);
	settle(&visit, exchange_out);
	const struct scenario *scenario = visit.scenario;
	struct scenario_call call = make_call(&visit);
	if (scenario && scenario->dress)
		scenario->dress(&call);
	(void)pthread_mutex_unlock(&github->lock);
	feed_page_finish(&visit.page);

	/* Without the lock: these make large bodies, and look at the response alone. */
	if (scenario && scenario->damage_page)
		scenario->damage_page(&call);
	if (response->body.size > 0 && !response->encoded && accepts_gzip(request))
		http_response_gzip(response);
	if (scenario && scenario->damage_wire)
		scenario->damage_wire(&call);
}

void github_sent(struct github *github, struct github_exchange *exchange, bool sent)
{
	if (exchange->seq > 0) {
		(void)pthread_mutex_lock(&github->lock);
		struct ledger_request *entry = ledger_find(&github->ledger, exchange->seq);
		if (entry)
			entry->sent = sent;
		if (entry && sent)
			ledger_serve(&github->ledger, entry, exchange->keys, exchange->key_count);
		(void)pthread_mutex_unlock(&github->lock);
	}
	free(exchange->keys);
	*exchange = (struct github_exchange){0};
}
