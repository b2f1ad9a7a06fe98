/* SPDX-License-Identifier: Apache-2.0 */
/* fake_github_test.c - requests against the whole of github.h, with a clock of the test's own. */
#include "tests/support/check.h"

#include "base/file.h"
#include "fake_github/github.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t wall_start_us = 1780000000LL * 1000000 + 250000;

struct test_clock {
	int64_t passed_ms;
};

static int64_t wall_us(const struct clock *clock)
{
	return wall_start_us + 1000 * ((const struct test_clock *)clock->state)->passed_ms;
}

static int64_t monotonic_ms(const struct clock *clock)
{
	return 500 + ((const struct test_clock *)clock->state)->passed_ms;
}

struct fixture {
	struct github github;
	struct test_clock time;
	struct clock clock;
};

struct reply {
	int status;
	char headers[4096];
	struct buf body;
	bool encoded;
	size_t body_bytes_cut;
	int64_t length_offset;
	enum http_reset reset;
};

static struct fixture *fixture_create(const struct github_options *options, uint64_t backlog,
				      double rate)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->clock = (struct clock){wall_us, monotonic_ms, &fixture->time};
	struct feed *feed = feed_synthetic_create(&(struct synthetic_options){
		.seed = 1,
		.events_per_second = rate,
		.backlog_events = backlog,
		.start_us = wall_start_us,
	});
	github_init(&fixture->github, feed, options, &fixture->clock);
	(void)snprintf(fixture->github.foreign_host, HOST_BYTES_MAX, "127.0.0.2:9");
	return fixture;
}

static void fixture_destroy(struct fixture *fixture)
{
	github_finish(&fixture->github);
	free(fixture);
}

static struct github_options calm_options(void)
{
	return (struct github_options){
		.limits = {.anonymous_requests = 60,
			   .token_requests = 5000,
			   .window_seconds = 3600},
	};
}

/* Sends a request made of a request line and header lines; `foreign` as in github_answer. */
static struct reply send_to(struct fixture *fixture, bool foreign, const char *line,
			    const char *headers)
{
	char head[2048];
	(void)snprintf(head, sizeof(head), "%s HTTP/1.1\r\nHost: api.test:80\r\n%s\r\n", line,
		       headers);
	struct http_request request;
	struct err err = {0};
	if (!http_request_parse(span_of(head), &request, &err))
		fail_msg("%s", err.text);
	struct http_response response;
	http_response_init(&response);
	struct github_exchange exchange;
	github_answer(&fixture->github, &request, foreign, &response, &exchange);
	github_sent(&fixture->github, &exchange, response.reset == HTTP_RESET_NONE);
	struct reply reply = {
		.status = response.status,
		.body = response.body,
		.encoded = response.encoded,
		.body_bytes_cut = response.body_bytes_cut,
		.length_offset = response.length_offset,
		.reset = response.reset,
	};
	(void)snprintf(reply.headers, sizeof(reply.headers), "\r\n%s", response.headers.data);
	response.body = (struct buf){.size_max = 1};
	http_response_finish(&response);
	return reply;
}

static void reply_finish(struct reply *reply)
{
	buf_finish(&reply->body);
}

#define AGENT "User-Agent: test\r\n"

/* The status alone. */
static int status_of(struct fixture *fixture, const char *line, const char *headers)
{
	struct reply reply = send_to(fixture, false, line, headers);
	reply_finish(&reply);
	return reply.status;
}

/* The value of a header; "" when it is not there. Static storage. */
static const char *header_of(const struct reply *reply, const char *name)
{
	static char value[1024];
	char start[128];
	(void)snprintf(start, sizeof(start), "\r\n%s: ", name);
	const char *at = strstr(reply->headers, start);
	value[0] = '\0';
	if (at) {
		at += strlen(start);
		(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	}
	return value;
}

static json_t *read_ledger(struct fixture *fixture)
{
	struct reply reply = send_to(fixture, false, "GET /_ledger?keys=1", "");
	assert_int_equal(reply.status, 200);
	json_t *ledger = json_loadb(reply.body.data, reply.body.size, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(ledger);
	reply_finish(&reply);
	return ledger;
}

static json_int_t integer_of(const json_t *object, const char *name)
{
	assert_true(json_is_integer(json_object_get(object, name)));
	return json_integer_value(json_object_get(object, name));
}

/* How often the ledger names that violation. */
static unsigned count_violations(struct fixture *fixture, const char *kind)
{
	json_t *ledger = read_ledger(fixture);
	unsigned count = 0;
	size_t index;
	const json_t *violation;
	json_array_foreach(json_object_get(ledger, "violations"), index, violation)
		count += strcmp(json_string_value(json_object_get(violation, "kind")), kind) == 0;
	json_decref(ledger);
	return count;
}

static unsigned all_violations(struct fixture *fixture)
{
	json_t *ledger = read_ledger(fixture);
	unsigned count = (unsigned)integer_of(ledger, "violation_count");
	json_decref(ledger);
	return count;
}

/* ---- routes and clients ---- */

static void clients_are_turned_away_as_at_github(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(status_of(f, "HEAD /events", AGENT), 200);
	assert_int_equal(status_of(f, "GET /repos/o/r/events", AGENT), 200);
	assert_int_equal(status_of(f, "GET /orgs/o/events", AGENT), 200);
	assert_int_equal(status_of(f, "GET /rate_limit", AGENT), 200);
	static const char *const unknown[] = {"GET /", "GET /events/", "GET /repos/o/events",
					      "GET /users/o/events", "POST /events",
					      "GET /repos/o/r%00/events"};
	for (size_t i = 0; i < ARRAY_COUNT(unknown); i++)
		assert_int_equal(status_of(f, unknown[i], AGENT), 404);
	assert_int_equal(status_of(f, "GET /events", AGENT "X-GitHub-Api-Version: 2022-11-28\r\n"),
			 200);
	assert_int_equal(status_of(f, "GET /events", AGENT "X-GitHub-Api-Version: 2026-03-10\r\n"),
			 200);
	assert_int_equal(status_of(f, "GET /events", AGENT "X-GitHub-Api-Version: 2024-01-01\r\n"),
			 400);
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: Bearer fine\r\n"), 200);
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: token fine\r\n"), 200);
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: Bearer bad1\r\n"), 401);
	assert_int_equal(all_violations(f), 0);
	assert_int_equal(status_of(f, "GET /events", ""), 403);
	assert_int_equal(count_violations(f, "no-user-agent"), 1);
	assert_int_equal(status_of(f, "GET /events?per_page=100&page=3", AGENT), 200);
	assert_int_equal(status_of(f, "GET /events?per_page=100&page=4", AGENT), 422);
	assert_int_equal(count_violations(f, "beyond-window"), 1);
	fixture_destroy(f);
}

static void the_one_token_is_told_from_others(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	options.token = "s3cret";
	struct fixture *f = fixture_create(&options, 10, 0);
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: Bearer s3cret\r\n"),
			 200);
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: Bearer s3cre\r\n"), 401);
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	fixture_destroy(f);
}

static void pages_carry_githubs_headers(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	options.poll_interval_seconds = 7;
	struct fixture *f = fixture_create(&options, 150, 0);
	struct reply reply = send_to(
		f, false, "GET /events?per_page=100",
		AGENT "Authorization: Bearer t\r\nAccept-Encoding: gzip, deflate\r\n");
	assert_int_equal(reply.status, 200);
	assert_true(reply.encoded);
	assert_string_equal(header_of(&reply, "Content-Encoding"), "gzip");
	assert_string_equal(header_of(&reply, "X-Poll-Interval"), "7");
	assert_string_equal(header_of(&reply, "X-RateLimit-Limit"), "5000");
	assert_string_equal(header_of(&reply, "X-RateLimit-Remaining"), "4999");
	assert_string_equal(header_of(&reply, "X-RateLimit-Used"), "1");
	assert_string_equal(header_of(&reply, "X-RateLimit-Reset"), "1780003600");
	assert_string_equal(header_of(&reply, "X-RateLimit-Resource"), "core");
	assert_string_equal(header_of(&reply, "Date"), "Thu, 28 May 2026 20:26:40 GMT");
	assert_string_not_equal(header_of(&reply, "Last-Modified"), "");
	assert_string_not_equal(header_of(&reply, "X-GitHub-Request-Id"), "");
	assert_string_equal(header_of(&reply, "Link"),
			    "<http://api.test:80/events?per_page=100&page=2>; rel=\"next\", "
			    "<http://api.test:80/events?per_page=100&page=2>; rel=\"last\"");
	reply_finish(&reply);
	fixture_destroy(f);
}

static void not_modified_costs_nothing(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	struct reply reply = send_to(f, false, "GET /events", AGENT);
	char headers[256];
	(void)snprintf(headers, sizeof(headers), AGENT "If-None-Match: %s\r\n",
		       header_of(&reply, "ETag"));
	assert_string_equal(header_of(&reply, "X-RateLimit-Remaining"), "59");
	reply_finish(&reply);
	for (int i = 0; i < 3; i++) {
		reply = send_to(f, false, "GET /events", headers);
		assert_int_equal(reply.status, 304);
		assert_int_equal(reply.body.size, 0);
		assert_string_equal(header_of(&reply, "X-RateLimit-Remaining"), "59");
		reply_finish(&reply);
	}
	json_t *ledger = read_ledger(f);
	assert_int_equal(integer_of(ledger, "served_events"), 10);
	assert_int_equal(integer_of(ledger, "unique_events"), 10);
	assert_int_equal(json_array_size(json_object_get(ledger, "keys")), 10);
	json_decref(ledger);
	fixture_destroy(f);
}

/* ---- limits ---- */

static void budget_ends_and_comes_back_at_the_reset(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	options.limits.anonymous_requests = 2;
	options.limits.window_seconds = 3;
	struct fixture *f = fixture_create(&options, 10, 0);
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(status_of(f, "GET /rate_limit", AGENT), 200);
	assert_int_equal(status_of(f, "GET /nothing", AGENT), 404);
	assert_int_equal(all_violations(f), 0);
	struct reply reply = send_to(f, false, "GET /events", AGENT);
	assert_int_equal(reply.status, 403);
	assert_string_equal(header_of(&reply, "X-RateLimit-Remaining"), "0");
	assert_string_equal(header_of(&reply, "X-RateLimit-Reset"), "1780000003");
	assert_non_null(strstr(reply.body.data, "API rate limit exceeded"));
	reply_finish(&reply);
	assert_int_equal(count_violations(f, "before-reset"), 1);
	assert_int_equal(status_of(f, "GET /rate_limit", AGENT), 200);
	/* A token has a budget of its own. */
	assert_int_equal(status_of(f, "GET /events", AGENT "Authorization: Bearer t\r\n"), 200);
	f->time.passed_ms = 2749; /* a millisecond before the reset */
	assert_int_equal(status_of(f, "GET /events", AGENT), 403);
	assert_int_equal(count_violations(f, "before-reset"), 2);
	f->time.passed_ms = 2750;
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(all_violations(f), 2);
	fixture_destroy(f);
}

static void polling_too_soon_is_noted(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	options.poll_interval_seconds = 2;
	struct fixture *f = fixture_create(&options, 300, 10);
	assert_int_equal(status_of(f, "GET /events?per_page=100", AGENT), 200);
	assert_int_equal(status_of(f, "GET /events?per_page=100&page=2", AGENT), 200);
	assert_int_equal(status_of(f, "GET /orgs/o/events", AGENT), 200);
	f->time.passed_ms = 1960; /* inside the tolerance for timers */
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(all_violations(f), 0);
	f->time.passed_ms += 1900;
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(count_violations(f, "inside-poll-interval"), 1);
	fixture_destroy(f);
}

static void choose(struct fixture *fixture, const char *name)
{
	struct err err = {0};
	if (!github_choose_scenario(&fixture->github, span_of(name), &err))
		fail_msg("%s", err.text);
}

static void failures_may_be_retried_inside_the_poll_interval(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	options.poll_interval_seconds = 60;
	struct fixture *f = fixture_create(&options, 300, 10);
	choose(f, "truncated-body");
	struct reply reply = send_to(f, false, "GET /events", AGENT);
	assert_int_equal(reply.status, 200);
	assert_true(reply.body_bytes_cut > 0);
	reply_finish(&reply);
	choose(f, "error-500");
	f->time.passed_ms = 1000;
	assert_int_equal(status_of(f, "GET /events", AGENT), 500);
	choose(f, "none");
	f->time.passed_ms = 2000;
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(all_violations(f), 0);
	f->time.passed_ms = 3000;
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	assert_int_equal(count_violations(f, "inside-poll-interval"), 1);
	fixture_destroy(f);
}

static void waits_that_were_asked_for_are_watched(void **state)
{
	(void)state;
	static const char *const names[] = {"abuse-403", "secondary-429", "secondary-date",
					    "secondary-silent"};
	static const int64_t waits_ms[] = {2000, 2000, 2750, 60000};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct github_options options = calm_options();
		options.scenario_times = 1;
		struct fixture *f = fixture_create(&options, 10, 0);
		choose(f, names[i]);
		struct reply reply = send_to(f, false, "GET /events", AGENT);
		assert_true(reply.status == 403 || reply.status == 429);
		bool silent = strcmp(names[i], "secondary-silent") == 0;
		assert_int_equal(header_of(&reply, "Retry-After")[0] == '\0', silent);
		assert_string_not_equal(header_of(&reply, "X-RateLimit-Remaining"), "0");
		reply_finish(&reply);
		f->time.passed_ms = waits_ms[i] - 100;
		assert_int_equal(status_of(f, "GET /rate_limit", AGENT), 200);
		assert_int_equal(all_violations(f), 0);
		assert_int_equal(status_of(f, "GET /orgs/o/events", AGENT), 200);
		assert_int_equal(count_violations(f, "inside-retry-after"), 1);
		f->time.passed_ms = waits_ms[i];
		assert_int_equal(status_of(f, "GET /events", AGENT), 200);
		assert_int_equal(all_violations(f), 1);
		fixture_destroy(f);
	}
}

static void primary_limit_scenarios_empty_the_budget(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int status;
	} cases[] = {{"primary-limit-403", 403}, {"primary-limit-429", 429}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct github_options options = calm_options();
		struct fixture *f = fixture_create(&options, 10, 0);
		choose(f, cases[i].name);
		for (int64_t round = 0; round < 2; round++) {
			struct reply reply = send_to(f, false, "GET /events", AGENT);
			assert_int_equal(reply.status, cases[i].status);
			assert_string_equal(header_of(&reply, "X-RateLimit-Remaining"), "0");
			int64_t reset = strtoll(header_of(&reply, "X-RateLimit-Reset"), NULL, 10);
			reply_finish(&reply);
			f->time.passed_ms = (reset * 1000000 - wall_start_us) / 1000;
		}
		assert_int_equal(status_of(f, "GET /events", AGENT), 200);
		assert_int_equal(all_violations(f), 0);
		fixture_destroy(f);
	}
}

/* ---- scenarios ---- */

static void a_token_that_follows_a_redirect_is_noted(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	choose(f, "redirect-other-host");
	struct reply reply = send_to(f, false, "GET /events?per_page=9",
				     AGENT "Authorization: Bearer t\r\n");
	assert_int_equal(reply.status, 302);
	assert_string_equal(header_of(&reply, "Location"), "http://127.0.0.2:9/events?per_page=9");
	reply_finish(&reply);
	reply = send_to(f, true, "GET /events?per_page=9", AGENT);
	assert_int_equal(reply.status, 200);
	reply_finish(&reply);
	assert_int_equal(all_violations(f), 0);
	reply = send_to(f, true, "GET /events?per_page=9", AGENT "Authorization: Bearer t\r\n");
	reply_finish(&reply);
	assert_int_equal(count_violations(f, "token-to-foreign-host"), 1);
	fixture_destroy(f);
}

static void faults_pass_and_damaged_pages_count_nothing(void **state)
{
	(void)state;
	size_t count;
	const struct scenario *scenarios = scenario_table(&count);
	assert_in_range(count, 20, 200);
	for (size_t i = 0; i < count; i++) {
		const struct scenario *scenario = &scenarios[i];
		assert_int_equal((scenario->answer != NULL) + (scenario->damage_page != NULL)
					 + (scenario->damage_wire != NULL) + (scenario->dress != NULL)
					 + (scenario->arrange != NULL) + (scenario->insert != NULL),
				 1);
		assert_int_equal(scenario->times > 0, scenario->insert == NULL);
		/* Good pages, which the next test looks at; a wait of years; what is large. */
		if (scenario->dress || scenario->arrange || strcmp(scenario->name, "stale-304") == 0
		    || strcmp(scenario->name, "retry-after-years") == 0
		    || strcmp(scenario->name, "page-100mb") == 0
		    || strcmp(scenario->name, "large-event") == 0)
			continue;
		struct github_options options = calm_options();
		struct fixture *f = fixture_create(&options, 10, 0);
		choose(f, scenario->name);
		for (unsigned hit = 0; hit < scenario->times; hit++) {
			struct reply reply = send_to(f, false, "GET /events",
						     AGENT "Accept-Encoding: gzip\r\n");
			reply_finish(&reply);
			f->time.passed_ms += 61000;
			json_t *ledger = read_ledger(f);
			assert_int_equal(integer_of(ledger, "served_events"), 0);
			assert_int_equal(integer_of(ledger, "scenario_hits"), hit + 1);
			json_decref(ledger);
		}
		struct reply reply = send_to(f, false, "GET /events", AGENT);
		assert_int_equal(reply.status, 200);
		assert_int_equal(reply.body_bytes_cut + (size_t)reply.reset
					 + (size_t)reply.length_offset,
				 0);
		reply_finish(&reply);
		json_t *ledger = read_ledger(f);
		assert_true(integer_of(ledger, "served_events") >= 10);
		assert_int_equal(integer_of(ledger, "violation_count"), 0);
		json_decref(ledger);
		fixture_destroy(f);
	}
}

/* Walks all pages by Link with a token; the number of events shown. */
static json_int_t walk(struct fixture *f, json_int_t *duplicates_out)
{
	char line[512] = "GET /events?per_page=100";
	json_t *ledger = read_ledger(f);
	json_int_t before = integer_of(ledger, "served_events");
	json_decref(ledger);
	for (int page = 1; page <= 3 && line[0] != '\0'; page++) {
		struct reply reply = send_to(f, false, line, AGENT "Authorization: Bearer t\r\n");
		assert_int_equal(reply.status, 200);
		const char *next = strstr(header_of(&reply, "Link"), "page=");
		bool has_next = strstr(header_of(&reply, "Link"), "rel=\"next\"") != NULL && next;
		line[0] = '\0';
		if (has_next)
			(void)snprintf(line, sizeof(line), "GET /events?per_page=100&page=%d", page + 1);
		reply_finish(&reply);
	}
	ledger = read_ledger(f);
	json_int_t shown = integer_of(ledger, "served_events") - before;
	*duplicates_out = integer_of(ledger, "served_events") - integer_of(ledger, "unique_events");
	assert_int_equal(integer_of(ledger, "violation_count"), 0);
	json_decref(ledger);
	return shown;
}

static void arranged_windows_are_counted_as_shown(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		json_int_t shown[2], duplicates;
	} cases[] = {
		{"order-reversed", {250, 250}, 250}, {"order-shuffled", {250, 250}, 250},
		{"page-shrunk", {10, 250}, 10},      {"empty-window", {250, 0}, 0},
		{"page-overlap", {350, 350}, 450},   {"page-large", {250, 250}, 250},
		{"stale-page", {250, 210}, 210},     {"empty-page", {150, 250}, 150},
		{"stale-304", {250, 250}, 250},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct github_options options = calm_options();
		struct fixture *f = fixture_create(&options, 250, 0);
		json_int_t duplicates;
		choose(f, cases[i].name);
		for (int n = 0; n < 2; n++)
			if (walk(f, &duplicates) != cases[i].shown[n])
				fail_msg("%s: walk %d", cases[i].name, n);
		assert_int_equal(duplicates, cases[i].duplicates);
		fixture_destroy(f);
	}
}

static void a_stuck_cache_says_304_to_every_tag(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	choose(f, "stale-304");
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	for (int i = 0; i < 50; i++)
		assert_int_equal(status_of(f, "GET /events", AGENT "If-None-Match: \"any\"\r\n"), 304);
	fixture_destroy(f);
}

static void a_renamed_repository_is_found_by_its_number(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 150, 0);
	choose(f, "redirect-renamed");
	assert_int_equal(status_of(f, "GET /orgs/o/events", AGENT), 301);
	struct reply reply = send_to(f, false, "GET /events?per_page=100", AGENT);
	assert_int_equal(reply.status, 301);
	char line[512];
	assert_string_equal(header_of(&reply, "Location"),
			    "http://api.test:80/repositories/1296270/events?per_page=100");
	(void)snprintf(line, sizeof(line), "GET %s", strstr(header_of(&reply, "Location"), "/repositories"));
	reply_finish(&reply);
	reply = send_to(f, false, line, AGENT);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(header_of(&reply, "Link"), "/repositories/1296270/events?per_page=100&page=2>"));
	reply_finish(&reply);
	assert_int_equal(status_of(f, "GET /repositories/1296299/events", AGENT), 404);
	json_t *ledger = read_ledger(f);
	const json_t *stream = json_object_get(json_object_get(ledger, "streams"), "/events");
	assert_int_equal(integer_of(stream, "served_events"), 100);
	json_decref(ledger);
	fixture_destroy(f);
}

static void odd_events_are_counted_by_what_a_client_can_do(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		json_int_t served, unique, spoiled, conflicting;
	} cases[] = {
		{"bad-utf8", 11, 10, 1, 0},         {"lone-surrogate", 11, 10, 1, 0},
		{"unknown-type", 12, 12, 0, 0},     {"null-actor", 13, 13, 0, 0},
		{"one-broken-event", 14, 10, 4, 0}, {"duplicate-in-page", 12, 11, 0, 0},
		{"id-reuse", 12, 11, 0, 1},         {"id-months", 13, 13, 0, 0},
		{"id-other-type", 12, 12, 0, 0},    {"odd-ids", 26, 13, 13, 0},
		{"odd-times", 21, 13, 8, 0},        {"deep-event", 12, 11, 1, 0},
		{"duplicate-keys", 11, 11, 0, 0},   {"nul-bytes", 12, 11, 1, 0},
		{"mixed-eras", 18, 18, 0, 0},       {"late-event", 12, 12, 0, 0},
		{"odd-types", 20, 20, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct github_options options = calm_options();
		struct fixture *f = fixture_create(&options, 10, 0);
		assert_int_equal(status_of(f, "GET /_control?scenario=none", ""), 405);
		char line[128];
		(void)snprintf(line, sizeof(line), "POST /_control?scenario=%s", cases[i].name);
		assert_int_equal(status_of(f, line, ""), 200);
		assert_int_equal(status_of(f, "GET /events", AGENT), 200);
		json_t *ledger = read_ledger(f);
		assert_int_equal(integer_of(ledger, "served_events"), cases[i].served);
		assert_int_equal(integer_of(ledger, "unique_events"), cases[i].unique);
		assert_int_equal(integer_of(ledger, "spoiled_events"), cases[i].spoiled);
		assert_int_equal(integer_of(ledger, "conflicting_events"), cases[i].conflicting);
		json_decref(ledger);
		fixture_destroy(f);
	}
}

static void control_refuses_nonsense(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	static const char *const lines[] = {"POST /_control", "POST /_control?scenario=nope",
					    "POST /_control?rate=-1", "POST /_control?rate=x",
					    "POST /_control?poll-interval=1.5"};
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		assert_int_equal(status_of(f, lines[i], ""), 422);
	assert_int_equal(status_of(f, "POST /_control?rate=2.5&poll-interval=3", ""), 200);
	struct reply reply = send_to(f, false, "GET /events", AGENT);
	assert_string_equal(header_of(&reply, "X-Poll-Interval"), "3");
	reply_finish(&reply);
	fixture_destroy(f);
}

static void unsent_answers_count_nothing(void **state)
{
	(void)state;
	struct github_options options = calm_options();
	struct fixture *f = fixture_create(&options, 10, 0);
	choose(f, "reset-in-body");
	assert_int_equal(status_of(f, "GET /events", AGENT), 200);
	json_t *ledger = read_ledger(f);
	assert_int_equal(integer_of(ledger, "served_events"), 0);
	const json_t *request = json_array_get(json_object_get(ledger, "requests"), 0);
	assert_true(json_is_false(json_object_get(request, "sent")));
	assert_string_equal(json_string_value(json_object_get(request, "scenario")),
			    "reset-in-body");
	json_decref(ledger);
	fixture_destroy(f);
}

static void the_readme_describes_every_scenario(void **state)
{
	(void)state;
	const char *source = getenv("OCTOLAKE_SOURCE_DIR");
	if (!source) {
		print_message("OCTOLAKE_SOURCE_DIR is not set: skipped\n");
		skip();
	}
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/tools/fake_github/README.md", source);
	struct buf text;
	buf_init(&text, 1024 * 1024);
	struct err err = {0};
	if (!file_read(path, &text, &err))
		fail_msg("%s", err.text);
	size_t count;
	const struct scenario *scenarios = scenario_table(&count);
	for (size_t i = 0; i < count; i++) {
		char cell[128];
		(void)snprintf(cell, sizeof(cell), "| `%s` |", scenarios[i].name);
		if (!strstr(text.data, cell) || !strstr(text.data, scenarios[i].what)
		    || !strstr(text.data, scenarios[i].end_state))
			fail_msg("README.md does not describe %s", scenarios[i].name);
	}
	buf_finish(&text);
}

static void the_ring_of_requests_is_bounded(void **state)
{
	(void)state;
	struct ledger ledger;
	ledger_init(&ledger, 0);
	struct http_request request = {
		.method = span_of("GET"), .target = span_of("/x"), .path = span_of("/x")};
	for (int i = 0; i < LEDGER_REQUESTS_MAX + 10; i++)
		(void)ledger_arrive(&ledger, &request, NULL, 1, i);
	assert_null(ledger_find(&ledger, 10));
	assert_null(ledger_find(&ledger, 0));
	assert_null(ledger_find(&ledger, LEDGER_REQUESTS_MAX + 11));
	assert_int_equal(ledger_find(&ledger, 11)->at_ms, 10);
	assert_int_equal(ledger_find(&ledger, LEDGER_REQUESTS_MAX + 10)->at_ms,
			 LEDGER_REQUESTS_MAX + 9);
	ledger_finish(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_turned_away_as_at_github),
		cmocka_unit_test(the_one_token_is_told_from_others),
		cmocka_unit_test(pages_carry_githubs_headers),
		cmocka_unit_test(not_modified_costs_nothing),
		cmocka_unit_test(budget_ends_and_comes_back_at_the_reset),
		cmocka_unit_test(polling_too_soon_is_noted),
		cmocka_unit_test(failures_may_be_retried_inside_the_poll_interval),
		cmocka_unit_test(waits_that_were_asked_for_are_watched),
		cmocka_unit_test(primary_limit_scenarios_empty_the_budget),
		cmocka_unit_test(a_token_that_follows_a_redirect_is_noted),
		cmocka_unit_test(faults_pass_and_damaged_pages_count_nothing),
		cmocka_unit_test(arranged_windows_are_counted_as_shown),
		cmocka_unit_test(a_stuck_cache_says_304_to_every_tag),
		cmocka_unit_test(a_renamed_repository_is_found_by_its_number),
		cmocka_unit_test(odd_events_are_counted_by_what_a_client_can_do),
		cmocka_unit_test(control_refuses_nonsense),
		cmocka_unit_test(unsent_answers_count_nothing),
		cmocka_unit_test(the_readme_describes_every_scenario),
		cmocka_unit_test(the_ring_of_requests_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
