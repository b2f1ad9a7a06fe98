/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/scenario.h"

#define ALL_STORED "every event of the feed is stored"
#define NO_VIOLATION ", and the ledger shows no violation"

static const struct scenario scenarios[] = {
	{"primary-limit-403", "empties the budget: 403, remaining 0, reset in 2 to 3 s",
	 "the client waits for the reset; " ALL_STORED NO_VIOLATION, 2,
	 .answer = scenario_answer_primary_403},
	{"primary-limit-429", "the same with status 429",
	 "the client waits for the reset; " ALL_STORED NO_VIOLATION, 2,
	 .answer = scenario_answer_primary_429},
	{"abuse-403", "403 of the abuse detection, Retry-After 2",
	 "the client waits 2 s; " ALL_STORED NO_VIOLATION, 2, .answer = scenario_answer_abuse_403},
	{"secondary-429", "429 of the secondary limit, Retry-After 2",
	 "the client waits 2 s; " ALL_STORED NO_VIOLATION, 2, .answer = scenario_answer_secondary_429},
	{"secondary-date", "429 of the secondary limit, Retry-After as an HTTP date 3 s ahead",
	 "the client waits for that instant; " ALL_STORED NO_VIOLATION, 2,
	 .answer = scenario_answer_secondary_date},
	{"secondary-silent", "403 of the secondary limit without Retry-After",
	 "the client waits at least 60 s (a slow test); " ALL_STORED NO_VIOLATION, 1,
	 .answer = scenario_answer_secondary_silent},
	{"error-500", "500 with a JSON error", "the client retries with growing waits; " ALL_STORED, 3,
	 .answer = scenario_answer_500},
	{"error-502", "502 with a JSON error", "the client retries with growing waits; " ALL_STORED, 3,
	 .answer = scenario_answer_502},
	{"error-503-html", "503 with an HTML body under a JSON content type",
	 "the client retries with growing waits; " ALL_STORED, 3, .answer = scenario_answer_503_html},
	{"truncated-body", "Content-Length promises the page, half of it is sent, then the end",
	 "nothing of a cut page is stored, the client retries; " ALL_STORED, 2,
	 .damage_wire = scenario_damage_truncate},
	{"short-length", "Content-Length is smaller than the body, which goes on behind it",
	 "the cut page is refused, the client retries; " ALL_STORED, 2,
	 .damage_wire = scenario_damage_short_length},
	{"bad-gzip", "the body is gzip with damaged bytes",
	 "nothing of the page is stored, the client retries; " ALL_STORED, 2,
	 .damage_wire = scenario_damage_gzip},
	{"cut-json", "a complete HTTP answer whose JSON ends in the middle of an event",
	 "the page is refused, the client retries; " ALL_STORED, 2, .damage_page = scenario_damage_json_cut},
	{"not-an-array", "200 with a JSON object in place of the array",
	 "the body is refused, the client retries; " ALL_STORED, 2,
	 .answer = scenario_answer_not_an_array},
	{"empty-body", "200 with no byte of body", "the body is refused, the client retries; " ALL_STORED,
	 2, .answer = scenario_answer_empty_body},
	{"redirect-other-host", "302, then 301, to a server on another address that serves the page",
	 "followed without the token or not at all: no token-to-foreign-host; " ALL_STORED, 2,
	 .answer = scenario_answer_redirect_other_host},
	{"redirect-same-host", "301 to another URL of the same host",
	 "the redirect is followed; " ALL_STORED, 2, .answer = scenario_answer_redirect_same_host},
	{"connection-refused", "the connection is dropped, then the port refuses for 2 s",
	 "the client retries with growing waits; " ALL_STORED, 2, .answer = scenario_answer_refuse},
	{"reset-connection", "the connection is reset before a byte of the answer",
	 "the client retries; " ALL_STORED, 2, .answer = scenario_answer_reset},
	{"reset-in-body", "the connection is reset in the middle of the page",
	 "nothing of the page is stored, the client retries; " ALL_STORED, 2,
	 .damage_wire = scenario_damage_reset_in_body},
	{"bad-utf8", "one more event, with bytes in a string that are not UTF-8",
	 "that element is set aside with its bytes (spoiled_unique 1), every other event is stored", 0,
	 .insert = scenario_insert_bad_utf8},
	{"lone-surrogate", "one more event, with an escaped half of a surrogate pair in a string",
	 "that element is set aside with its bytes (spoiled_unique 1), every other event is stored", 0,
	 .insert = scenario_insert_lone_surrogate},
	{"unknown-type", "two more events: of type SparkleEvent and of type Bad-Type!",
	 "both are kept, the second under _other; " ALL_STORED, 0, .insert = scenario_insert_unknown_type},
	{"null-actor", "three more events: actor null, actor missing, repo missing",
	 "each is stored with NULLs or set aside with a reason; every other event is stored", 0,
	 .insert = scenario_insert_null_actor},
	{"one-broken-event", "four more elements: an event without id, a number, a text, null",
	 "these are set aside with a reason (spoiled_unique 4), every other event is stored", 0,
	 .insert = scenario_insert_broken},
	{"duplicate-in-page", "one more event, twice in the same page",
	 "it is stored once and counted once as a duplicate; " ALL_STORED, 0,
	 .insert = scenario_insert_duplicate},
	{"id-reuse", "two more events with equal id, type and created_at, of different repositories",
	 "one of them is stored, the other set aside (conflicting_events in the ledger)", 0,
	 .insert = scenario_insert_id_reuse},
};

const struct scenario *scenario_table(size_t *count_out)
{
	*count_out = ARRAY_COUNT(scenarios);
	return scenarios;
}

const struct scenario *scenario_find(struct span name)
{
	for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++)
		if (span_equal_text(name, scenarios[i].name))
			return &scenarios[i];
	return NULL;
}

void scenario_print_all(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(scenarios); i++) {
		buf_printf(out, "%s\n    server: %s", scenarios[i].name, scenarios[i].what);
		if (scenarios[i].times > 0)
			buf_printf(out, " (first %u requests for a page 1)", scenarios[i].times);
		buf_printf(out, "\n    client: %s\n", scenarios[i].end_state);
	}
}
