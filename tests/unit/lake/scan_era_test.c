/* SPDX-License-Identifier: Apache-2.0 */
/* scan_era_test.c - what each era of the archive calls a column, on events of ours that have its
 * oddities. */
#include "tests/unit/lake/scan_fixture.h"

#include "base/clock.h"

#define TIMELINE_TIME "\"created_at\":\"2012-06-14T15:01:42-07:00\""

/* Scanned from memory of its own: *event keeps pointing to nothing. */
static int64_t id_of(void **state, const char *json)
{
	return must_scan(state, json)->id;
}

/* ---- identity ---- */

static const char push[] =
	"{\"repository\":{\"name\":\"n\",\"owner\":\"o\"},\"actor_attributes\":{\"login\":\"a\","
		"\"email\":\"a@example.org\"},"
	TIMELINE_TIME ",\"public\":true,\"actor\":\"a\",\"payload\":{\"shas\":[[\"5f\",\"a@example.org\","
		"\"caf\\u00e9 / bar\",\"A\",true]],"
	"\"size\":1},\"type\":\"PushEvent\",\"url\":\"https://github.com/o/n/compare/1...2\"}";

static void editions_of_an_event_agree(void **state)
{
	static const char *const editions[] = {
		/* keys in another order, blanks, escapes, the e-mail's local part hashed */
		"{ \"url\":\"https:\\/\\/github.com\\/o\\/n\\/compare\\/1...2\","
			" \"type\":\"Push\\u0045vent\", \"payload\":{\"size\":1,"
		"\"shas\":[[\"5f\",\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8@example.org\","
			"\"caf\xc3\xa9 \\/ bar\",\"A\",true]]},"
		"\"actor\":\"a\",\"public\":true," TIMELINE_TIME ",\"actor_attributes\":{\"email\":"
		"\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8@example.org\",\"login\":\"a\"},"
		"\"repository\":{\"owner\":\"o\",\"name\":\"n\"}}",
		/* the e-mail dropped or null, and a null more */
		"{\"repository\":{\"name\":\"n\",\"owner\":\"o\",\"language\":null},"
			"\"actor_attributes\":{\"login\":\"a\"},"
		TIMELINE_TIME ",\"public\":true,\"actor\":\"a\",\"payload\":{\"shas\":[[\"5f\",null,"
			"\"caf\\u00e9 / bar\",\"A\",true]],"
		"\"size\":1},\"type\":\"PushEvent\",\"url\":\"https://github.com/o/n/compare/1...2\",\"id\":null}",
	};
	int64_t id = id_of(state, push);
	assert_true(id < 0);
	for (size_t i = 0; i < ARRAY_COUNT(editions); i++)
		assert_true(id_of(state, editions[i]) == id);
}

/* Any other byte of it changes the id, or makes it no event. */
static void other_differences_are_other_events(void **state)
{
	struct fixture *fixture = *state;
	char changed[sizeof(push)];
	int64_t id = id_of(state, push);
	size_t accepted = 0;
	for (size_t at = 0; push[at]; at++) {
		const char *email = "a@example.org";
		bool in_email = false;
		for (size_t i = 0; i < strlen(email); i++)
			in_email = in_email || (at >= i && strncmp(push + at - i, email, strlen(email)) == 0);
		memcpy(changed, push, sizeof(push));
		changed[at] = push[at] == 'x' ? 'y' : 'x';
		if (!try_scan_span(fixture, span_of(changed)))
			continue;
		accepted++;
		assert_true((fixture->event.id == id) == in_email);
	}
	assert_in_range(accepted, 100, sizeof(push));
}

static void who_may_lack_an_id(void **state)
{
	static const struct {
		const char *json;
		bool accepted;
	} cases[] = {
		/* 2011 and 2012, whatever their form */
		{"{\"type\":\"GistEvent\",\"created_at\":\"2012-06-14T15:01:57-07:00\",\"public\":true,"
			"\"actor\":null}", true},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2011-03-15T21:00:00Z\","
			"\"actor\":{\"login\":\"a\"},\"repo\":{\"name\":\"o/n\"}}", true},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2014-12-31T23:59:59Z\"}", true},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2015-01-01T00:00:00Z\"}", false},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2015-01-01T00:00:00Z\","
			"\"actor\":{\"login\":\"a\"},\"repo\":{\"name\":\"o/n\"}}", false},
		/* the Timeline's year ended in California */
		{"{\"type\":\"PushEvent\",\"created_at\":\"2014-12-31T23:59:59-08:00\",\"actor\":\"a\"}", true},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2014-12-31T23:59:59-08:00\",\"repository\":{}}", true},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2015-01-01T00:00:00-08:00\",\"actor\":\"a\"}", false},
		{"{\"type\":\"PushEvent\",\"created_at\":\"2026-01-01T00:00:00Z\",\"actor\":\"a\","
			"\"repository\":{}}", false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		if (!cases[i].accepted) {
			check_refused(state, cases[i].json, SCAN_ID_MISSING, 0);
			continue;
		}
		const struct event *event = must_scan(state, cases[i].json);
		assert_true(event->id < 0);
		assert_int_equal(event->era, EVENT_ERA_TIMELINE);
	}
	/* An id that is there, but none, is not replaced. */
	check_refused(state, "{\"id\":\"\",\"type\":\"PushEvent\"," TIMELINE_TIME ",\"actor\":\"a\"}",
		SCAN_ID_MISSING, 7);
	check_refused(state, "{\"id\":-5,\"type\":\"PushEvent\"," TIMELINE_TIME ",\"actor\":\"a\"}",
		SCAN_ID_MISSING, 6);
	/* What else is missing is called by its name. */
	check_refused(state, "{" TIMELINE_TIME ",\"actor\":\"a\"}", SCAN_TYPE_MISSING, 0);
	check_refused(state, "{\"type\":\"PushEvent\",\"actor\":\"a\"}", SCAN_CREATED_AT_MISSING, 0);
	check_refused(state, "{\"type\":\"PushEvent\",\"actor\":\"a\",\"created_at\":\"2012\"}",
		SCAN_CREATED_AT_MISSING, 46);
	check_refused(state, "{\"type\":\"PushEvent\",\"created_at\":\"2012\"}", SCAN_ID_MISSING, 0);
}

/* ---- Timeline ---- */

static void clocks_of_the_timeline(void **state)
{
	static const struct {
		const char *text;
		const char *utc;
	} cases[] = {
		{"2012-06-14T15:01:42-07:00", "2012-06-14T22:01:42Z"},
		{"2012/06/14 15:01:42 -0700", "2012-06-14T22:01:42Z"},
		{"2012\\/01\\/31 23:30:00 -0800", "2012-02-01T07:30:00Z"},
		{"2013-12-31T23:59:59-08:00", "2014-01-01T07:59:59Z"},
		{"2011-02-12T00:00:00Z", "2011-02-12T00:00:00Z"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char json[256];
		(void)snprintf(json, sizeof(json), "{\"type\":\"WatchEvent\",\"actor\":\"a\","
			"\"created_at\":\"%s\"}", cases[i].text);
		assert_string_equal(time_render(must_scan(state, json)->created_at_us).text, cases[i].utc);
	}
}

static void blank_and_missing_names(void **state)
{
	const struct event *event = must_scan(state, "{\"type\":\"GistEvent\"," TIMELINE_TIME ","
		"\"actor\":\"\",\"url\":\"https://gist.github.com/1\"}");
	check_text(event->actor_login, NULL);
	check_text(event->repo_name, NULL);
	check_text(event->org_login, NULL);
	assert_int_equal(event->actor_id, 0);
	assert_int_equal(event->repo_id, 0);
	assert_int_equal(event->number, 0);
	assert_false(event->merged_known);
	assert_int_equal(event->era, EVENT_ERA_TIMELINE);
	event = must_scan(state, "{\"type\":\"FollowEvent\"," TIMELINE_TIME ",\"actor\":\"\","
		"\"actor_attributes\":{\"login\":\"b\"}}");
	check_text(event->actor_login, "b");
	event = must_scan(state, "{\"type\":\"FollowEvent\"," TIMELINE_TIME ",\"actor\":null,"
		"\"actor_attributes\":{\"login\":\"\"},"
				 "\"repository\":{\"name\":\"\",\"owner\":\"o\",\"organization\":\"\",\"id\":null}}");
	check_text(event->actor_login, NULL);
	check_text(event->repo_name, NULL);
	check_text(event->org_login, NULL);
	event = must_scan(state, "{\"type\":\"WatchEvent\"," TIMELINE_TIME ",\"actor\":\"a\","
		"\"payload\":{\"action\":\"started\"},"
				 "\"repository\":{\"id\":3,\"name\":\"n\",\"owner\":\"o\",\"organization\":\"g\"}}");
	check_text(event->repo_name, "o/n");
	check_text(event->org_login, "g");
	check_text(event->action, "started");
	assert_int_equal(event->repo_id, 3);
	/* A payload that is null, as of PublicEvents. */
	event = must_scan(state, "{\"type\":\"PublicEvent\"," TIMELINE_TIME ",\"actor\":\"a\",\"payload\":null}");
	check_text(event->action, NULL);
}

#define NUMBERED(type, payload, url) \
	"{\"type\":\"" type "\"," TIMELINE_TIME ",\"actor\":\"a\",\"payload\":" payload ",\"url\":\"" url "\"}"

static void numbers_of_the_timeline(void **state)
{
	static const struct {
		const char *json;
		int64_t number;
	} cases[] = {
		{NUMBERED("IssuesEvent", "{\"number\":294,\"action\":\"opened\",\"issue\":5082481}",
			"https://github.com/o/n/issues/1"), 294},
		{NUMBERED("PullRequestEvent", "{\"pull_request\":{\"number\":7}}",
			"https://github.com/o/n/pull/1"), 7},
		{NUMBERED("IssueCommentEvent", "{\"issue_id\":3497442,\"comment_id\":6344615}",
			 "https://github.com/o/n/issues/500#issuecomment-6344615"), 500},
		{NUMBERED("IssueCommentEvent", "{}",
			"https:\\/\\/github.com\\/o\\/n\\/pull\\/12#issuecomment-1"), 12},
		{NUMBERED("PullRequestReviewCommentEvent", "{\"comment\":{}}",
			"http://github.com/o/n/pull/228#r989247"), 228},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/9"), 9},
		/* none of them an issue's or a pull request's */
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/-9"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/9x"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/9/1"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/wiki/9"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/issues/9"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://github.com/o/n/issues/9223372036854775808"), 0},
		{NUMBERED("IssuesEvent", "{}", "https://example.org/github.com/o/n/issues/9"), 0},
		{NUMBERED("CommitCommentEvent", "{}", "https://github.com/o/n/issues/9"), 0},
		{"{" PUSH ",\"url\":\"https://github.com/o/n/issues/9\"}", 0},
		{"{\"id\":1,\"created_at\":\"2016-01-01T00:00:00Z\",\"type\":\"IssuesEvent\","
			"\"url\":\"https://github.com/o/n/issues/9\"}", 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (must_scan(state, cases[i].json)->number != cases[i].number)
			fail_msg("%s", cases[i].json);
}

static void check_merged(void **state, const char *json, bool known, bool merged)
{
	const struct event *event = must_scan(state, json);
	if (event->merged_known != known || event->merged != merged)
		fail_msg("%s", json);
}

/* Four ways to say it, one meaning. */
static void merged_means_the_same_in_all_eras(void **state)
{
#define OLD "{\"type\":\"PullRequestEvent\"," TIMELINE_TIME ",\"actor\":\"a\",\"payload\":"
#define OLDER "{\"id\":\"1\",\"type\":\"PullRequestEvent\",\"created_at\":\"2011-02-12T16:45:04Z\"," \
	"\"repo\":{\"name\":\"o/n\"},\"payload\":"
	check_merged(state, OLD "{\"action\":\"closed\",\"number\":1,\"pull_request\":{\"merged\":true}}}",
		true, true);
	check_merged(state, OLD "{\"action\":\"closed\",\"number\":1,\"pull_request\":{\"merged\":false}}}",
		true, false);
	check_merged(state, OLD "{\"action\":\"opened\",\"number\":1,\"pull_request\":{\"merged\":false}}}",
		true, false);
	/* 2011 did not say whether what was closed was merged. */
	check_merged(state, OLDER "{\"action\":\"closed\",\"number\":1,\"pull_request\":{\"number\":1,"
		"\"id\":71911}}}", false, false);
	check_merged(state, OLDER "{\"action\":\"opened\",\"number\":1,\"pull_request\":{\"number\":1,"
		"\"id\":71911}}}", true, false);
	check_merged(state, "{" PULL ",\"payload\":{\"action\":\"closed\","
		"\"pull_request\":{\"merged\":true}}}", true, true);
	check_merged(state, "{" PULL_THIN ",\"payload\":{\"action\":\"merged\","
		"\"pull_request\":{\"number\":1}}}", true, true);
	check_merged(state, "{" PULL_THIN ",\"payload\":{\"action\":\"closed\","
		"\"pull_request\":{\"number\":1}}}", true, false);
#undef OLD
#undef OLDER
}

/* ---- 2011: the Events API's envelope around the Timeline's payloads ---- */

static void events_of_2011(void **state)
{
	const struct event *event = must_scan(state,
		"{\"repo\":{\"id\":355634,\"url\":\"https://api.github.dev/repos/o/n\",\"name\":\"o/n\"},"
			"\"type\":\"CreateEvent\","
		"\"org\":{\"id\":120516,\"login\":\"o\"},\"public\":true,\"created_at\":\"2011-02-12T00:00:00Z\","
		"\"payload\":{\"object\":\"branch\",\"object_name\":\"master\",\"name\":\"n\","
			"\"repo\":\"o/n\",\"actor\":\"b\"},"
		"\"actor\":{\"id\":65608,\"login\":\"b\"},\"id\":\"1127195475\"}");
	assert_int_equal(event->id, 1127195475);
	check_text(event->ref_type, "branch");
	check_text(event->repo_name, "o/n");
	check_text(event->org_login, "o");
	check_text(event->actor_login, "b");
	assert_int_equal(event->actor_id, 65608);
	assert_int_equal(event->era, EVENT_ERA_FULL);
	/* Today's name is the stronger one; other types have no such thing. */
	event = must_scan(state, "{" HEAD "\"type\":\"CreateEvent\",\"payload\":{\"ref_type\":\"tag\","
		"\"object\":\"branch\"}}");
	check_text(event->ref_type, "tag");
	event = must_scan(state, "{" PUSH ",\"payload\":{\"object\":\"branch\"}}");
	check_text(event->ref_type, NULL);
	event = must_scan(state, "{" HEAD "\"type\":\"CreateEvent\",\"payload\":{\"object\":{}}}");
	check_text(event->ref_type, NULL);
	/* A gist is in no repository. */
	event = must_scan(state, "{\"id\":\"1\",\"type\":\"GistEvent\",\"created_at\":\"2011-02-12T00:00:00Z\","
				 "\"repo\":{\"name\":\"/\",\"url\":\"https://api.github.dev/repos//\"}}");
	check_text(event->repo_name, NULL);
	event = must_scan(state, "{\"id\":\"1\",\"type\":\"IssuesEvent\",\"created_at\":\"2011-05-26T14:58:17Z\","
				 "\"payload\":{\"number\":12,\"issue\":959102,\"action\":\"opened\"}}");
	assert_int_equal(event->number, 12);
	check_text(event->action, "opened");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(editions_of_an_event_agree),
		TEST(other_differences_are_other_events),
		TEST(who_may_lack_an_id),
		TEST(clocks_of_the_timeline),
		TEST(blank_and_missing_names),
		TEST(numbers_of_the_timeline),
		TEST(merged_means_the_same_in_all_eras),
		TEST(events_of_2011),
	};
	return cmocka_run_group_tests_name("scan_era", tests, NULL, NULL);
}
