/* SPDX-License-Identifier: Apache-2.0 */
/* scan_fixture.h - what the scan tests share: a plan, an arena, and scans of exactly sized memory.
 */
#ifndef TESTS_UNIT_LAKE_SCAN_FIXTURE_H
#define TESTS_UNIT_LAKE_SCAN_FIXTURE_H

#include "tests/support/check.h"

#include "base/memory.h"
#include "lake/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char fields_yaml[] = "version: 2\n"
				  "fields:\n"
				  "  PullRequestEvent:\n"
				  "    - payload.pull_request.state\n"
				  "    - payload.pull_request.id\n"
				  "    - payload.pull_request\n"
				  "    - payload.pull_request.created_at\n"
				  "    - payload.pull_request.draft\n"
				  "    - {path: payload.score, type: number}\n"
				  "  IssuesEvent: [payload.issue.state]\n"
				  "bots: [renovate-bot]\n";

enum {
	FIELD_ISSUE_STATE,
	FIELD_PR,
	FIELD_PR_CREATED_AT,
	FIELD_PR_DRAFT,
	FIELD_PR_ID,
	FIELD_PR_STATE,
	FIELD_SCORE
};

#define HEAD "\"id\":\"7\",\"created_at\":\"2020-01-02T03:04:05Z\","
#define PUSH HEAD "\"type\":\"PushEvent\""
#define PULL HEAD "\"type\":\"PullRequestEvent\""
/* Since October 2025 the flag of a merge is not sent. */
#define PULL_THIN "\"id\":\"7\",\"created_at\":\"2026-01-02T03:04:05Z\",\"type\":\"PullRequestEvent\""

struct fixture {
	struct field_set *fields;
	struct scan_plan *plan;
	struct arena arena;
	char *memory; /* exactly as large as the JSON: reading outside it is caught */
	struct event event;
	struct scan_problem problem;
};

static inline int set_up(void **state)
{
	struct fixture *fixture = memory_allocate(1, sizeof(*fixture));
	struct err err = {0};
	if (!field_set_create(span_of(fields_yaml), "t.yaml", &fixture->fields, &err))
		fail_msg("%s", err.text);
	fixture->plan = scan_plan_create(fixture->fields);
	arena_init(&fixture->arena, 64 * 1024 * 1024);
	*state = fixture;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;
	free(fixture->memory);
	arena_finish(&fixture->arena);
	scan_plan_destroy(&fixture->plan);
	assert_null(fixture->plan);
	field_set_destroy(&fixture->fields);
	free(fixture);
	return 0;
}

static inline bool try_scan_span(struct fixture *fixture, struct span json)
{
	free(fixture->memory);
	fixture->memory = malloc(json.size);
	if (json.size > 0)
		memcpy(fixture->memory, json.data, json.size);
	memset(&fixture->problem, 0, sizeof(fixture->problem));
	return scan_event(fixture->plan,
		(struct span){json.data ? fixture->memory : NULL, json.size}, &fixture->arena,
		&fixture->event, &fixture->problem);
}

static inline const struct event *must_scan(void **state, const char *json)
{
	struct fixture *fixture = *state;
	if (!try_scan_span(fixture, span_of(json)))
		fail_msg("%s at %zu: %s\n%s", scan_reason_name(fixture->problem.reason),
			fixture->problem.offset, fixture->problem.detail, json);
	return &fixture->event;
}

static inline void check_refused_span(
	void **state, struct span json, enum scan_reason reason, size_t offset)
{
	struct fixture *fixture = *state;
	fixture->event = (struct event){.id = 42};
	if (try_scan_span(fixture, json))
		fail_msg("accepted: %.*s", SPAN_ARGUMENTS(json));
	if (fixture->problem.reason != reason || fixture->problem.offset != offset)
		fail_msg("%s at %zu (%s), not %s at %zu, for %.*s",
			scan_reason_name(fixture->problem.reason), fixture->problem.offset,
			fixture->problem.detail, scan_reason_name(reason), offset,
			SPAN_ARGUMENTS(json));
	assert_true(fixture->problem.detail[0] != '\0');
	for (const char *c = fixture->problem.detail; *c; c++)
		assert_in_range(*c, ' ', '~');
	assert_int_equal(fixture->event.id, 42);
}

static inline void check_refused(
	void **state, const char *json, enum scan_reason reason, size_t offset)
{
	check_refused_span(state, span_of(json), reason, offset);
}

static inline void check_text(struct span text, const char *expected)
{
	if (!expected) {
		assert_null(text.data);
		return;
	}
	assert_non_null(text.data);
	if (!span_equal_text(text, expected))
		fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARGUMENTS(text), expected);
}

#endif
