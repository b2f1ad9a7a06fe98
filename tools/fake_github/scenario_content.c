/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_content.c - odd events, put into the feed beside its own. */
#include "fake_github/scenario.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	EVENT_BYTES_MAX = 32 * 1024 * 1024,
	DEEP_LEVELS = 100000,
	BEARABLE_LEVELS = 60, /* inside an event: a client must take 64 in all */
	LARGE_EVENT_BYTES = 20 * 1024 * 1024,
	LATE_BELOW = 240, /* a place in the window's third page */
};

/* Ids of a range that neither feed reaches, so that an odd event never meets a feed's own. */
static const int64_t odd_id_first = 99000000001;

static const char actor_json[] =
	"{\"id\":583231,\"login\":\"octocat\",\"display_login\":\"octocat\",\"gravatar_id\":\"\","
	"\"url\":\"https://api.github.com/users/octocat\","
	"\"avatar_url\":\"https://avatars.githubusercontent.com/u/583231?\"}";
static const char repo_json[] = "{\"id\":1296269,\"name\":\"octocat/Hello-World\","
				"\"url\":\"https://api.github.com/repos/octocat/Hello-World\"}";
static const char other_repo_json[] =
	"{\"id\":1300192,\"name\":\"octocat/Spoon-Knife\","
	"\"url\":\"https://api.github.com/repos/octocat/Spoon-Knife\"}";

/* NULL members are left out of the event. */
struct odd_event {
	int number; /* tells ids apart; below 0: no id at all */
	const char *type;
	const char *actor;
	const char *repo;
	const char *payload;
	const char *id;         /* JSON, in place of the number */
	const char *created_at; /* JSON, in place of now; "" leaves it out */
	const char *org;
	int64_t later_s;        /* created_at is so far ahead of now */
	uint64_t below;         /* so many newer events stand above it */
};

static bool insert_odd(struct feed *feed, int64_t now_us, const struct odd_event *event)
{
	struct buf text;
	buf_init(&text, EVENT_BYTES_MAX);
	buf_append_byte(&text, '{');
	if (event->id)
		buf_printf(&text, "\"id\":%s,", event->id);
	else if (event->number >= 0)
		buf_printf(&text, "\"id\":\"%" PRId64 "\",", odd_id_first + event->number);
	buf_printf(&text, "\"type\":\"%s\",", event->type);
	if (event->actor)
		buf_printf(&text, "\"actor\":%s,", event->actor);
	if (event->repo)
		buf_printf(&text, "\"repo\":%s,", event->repo);
	if (event->org)
		buf_printf(&text, "\"org\":%s,", event->org);
	buf_append_text(&text, "\"payload\":");
	buf_append_text(&text, event->payload);
	buf_append_text(&text, ",\"public\":true");
	int64_t created_us = (now_us / 1000000 + event->later_s) * 1000000;
	if (!event->created_at)
		buf_printf(&text, ",\"created_at\":\"%s\"", time_render(created_us).text);
	else if (event->created_at[0] != '\0')
		buf_printf(&text, ",\"created_at\":%s", event->created_at);
	buf_append_byte(&text, '}');
	bool inserted = !text.failed && feed->operations->insert(feed, buf_span(&text), event->below, now_us);
	buf_finish(&text);
	return inserted;
}

static bool insert_literal(struct feed *feed, int64_t now_us, const char *text)
{
	return feed->operations->insert(feed, span_of(text), 0, now_us);
}

static const char push_payload[] =
	"{\"repository_id\":1296269,\"push_id\":39806989356,\"ref\":\"refs/heads/main\","
	"\"head\":\"15c0e70e4432cc04e549e90e9f9326d03708bb4c\","
	"\"before\":\"eb2119bcd8df5f4da9d1b70cfb9c69b83c775bc0\"}";
static const char watch_payload[] = "{\"action\":\"started\"}";

/* An event with octocat's actor and repository, of type WatchEvent unless it says another. */
static bool insert_watch(struct feed *feed, int64_t now_us, struct odd_event event)
{
	if (!event.type)
		event.type = "WatchEvent";
	event.actor = actor_json;
	event.repo = repo_json;
	if (!event.payload)
		event.payload = watch_payload;
	return insert_odd(feed, now_us, &event);
}

/* A branch whose name is `ref`, the inside of a JSON string. */
static bool insert_branch(struct feed *feed, int64_t now_us, int number, const char *ref)
{
	char payload[256];
	(void)snprintf(payload, sizeof(payload),
		       "{\"ref\":\"%s\",\"ref_type\":\"branch\",\"master_branch\":\"main\","
		       "\"description\":null,\"pusher_type\":\"user\"}",
		       ref);
	return insert_watch(feed, now_us,
			    (struct odd_event){.number = number, .type = "CreateEvent", .payload = payload});
}

bool scenario_insert_bad_utf8(struct feed *feed, int64_t now_us)
{
	/* A stray continuation byte, a cut sequence and an overlong slash. */
	return insert_branch(feed, now_us, 10, "\x80-\xe2\x82-\xc0\xaf");
}

bool scenario_insert_lone_surrogate(struct feed *feed, int64_t now_us)
{
	return insert_branch(feed, now_us, 20, "half-\\ud800-pair");
}

bool scenario_insert_unknown_type(struct feed *feed, int64_t now_us)
{
	static const char payload[] = "{\"action\":\"sparkled\",\"shine\":{\"level\":11}}";
	return insert_watch(feed, now_us,
			    (struct odd_event){.number = 30, .type = "SparkleEvent", .payload = payload})
	       && insert_watch(feed, now_us,
			       (struct odd_event){.number = 31, .type = "Bad-Type!", .payload = "{}"});
}

bool scenario_insert_null_actor(struct feed *feed, int64_t now_us)
{
	const struct odd_event events[] = {
		{.number = 40, .actor = "null", .repo = repo_json},
		{.number = 41, .repo = repo_json},
		{.number = 42, .actor = actor_json},
	};
	for (size_t i = 0; i < ARRAY_COUNT(events); i++) {
		struct odd_event event = events[i];
		event.type = "WatchEvent";
		event.payload = watch_payload;
		if (!insert_odd(feed, now_us, &event))
			return false;
	}
	return true;
}

bool scenario_insert_broken(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us, (struct odd_event){.number = -1})
	       && insert_literal(feed, now_us, "42") && insert_literal(feed, now_us, "\"an event\"")
	       && insert_literal(feed, now_us, "null");
}

bool scenario_insert_duplicate(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us, (struct odd_event){.number = 50})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 50});
}

bool scenario_insert_id_reuse(struct feed *feed, int64_t now_us)
{
	const struct odd_event elsewhere = {
		.number = 60,
		.type = "WatchEvent",
		.actor = actor_json,
		.repo = other_repo_json,
		.payload = watch_payload,
	};
	return insert_watch(feed, now_us, (struct odd_event){.number = 60})
	       && insert_odd(feed, now_us, &elsewhere);
}

/* An event with arrays in arrays in its payload. */
static bool insert_nested(struct feed *feed, int64_t now_us, int number, size_t levels)
{
	struct buf payload;
	buf_init(&payload, EVENT_BYTES_MAX);
	buf_append_text(&payload, "{\"action\":\"started\",\"deep\":");
	for (size_t i = 0; i < levels; i++)
		buf_append_byte(&payload, '[');
	for (size_t i = 0; i < levels; i++)
		buf_append_byte(&payload, ']');
	buf_append_byte(&payload, '}');
	bool inserted = insert_watch(feed, now_us,
				     (struct odd_event){.number = number, .payload = payload.data});
	buf_finish(&payload);
	return inserted;
}

bool scenario_insert_deep(struct feed *feed, int64_t now_us)
{
	return insert_nested(feed, now_us, 70, DEEP_LEVELS)
	       && insert_nested(feed, now_us, 71, BEARABLE_LEVELS);
}

bool scenario_insert_duplicate_keys(struct feed *feed, int64_t now_us)
{
	/* The last of each wins: id, type and time too. */
	return insert_literal(
		feed, now_us,
		"{\"id\":\"1\",\"type\":\"PushEvent\",\"created_at\":\"2001-01-01T00:00:00Z\",\"id\":"
		"\"99000000081\",\"type\":\"WatchEvent\",\"actor\":{\"id\":1,\"login\":\"first\",\"login\":"
		"\"octocat\",\"id\":583231},\"repo\":{\"id\":2,\"name\":\"a/b\"},\"repo\":{\"id\":1296269,"
		"\"name\":\"octocat/Hello-World\"},\"payload\":{},\"payload\":{\"action\":\"started\"},"
		"\"public\":true,\"created_at\":\"2026-06-01T12:00:00Z\"}");
}

bool scenario_insert_nul_bytes(struct feed *feed, int64_t now_us)
{
	static const char raw[] = "{\"id\":\"99000000091\",\"type\":\"WatchEvent\",\"repo\":{\"id\":1296269,"
				  "\"name\":\"octocat/Hello\0World\"},\"payload\":{\"action\":\"started\"},"
				  "\"created_at\":\"2026-06-01T12:00:00Z\"}";
	return feed->operations->insert(feed, span_make(raw, sizeof(raw) - 1), 0, now_us)
	       && insert_watch(feed, now_us,
			       (struct odd_event){.number = 92,
						  .type = "CreateEvent",
						  .payload = "{\"ref\":\"before\\u0000behind\","
							     "\"ref_type\":\"branch\\u0000\"}"});
}

bool scenario_insert_20mb(struct feed *feed, int64_t now_us)
{
	static const char begin[] = "{\"action\":\"started\",\"text\":\"";
	struct buf payload;
	buf_init(&payload, EVENT_BYTES_MAX);
	buf_append_text(&payload, begin);
	for (size_t i = 0; i < LARGE_EVENT_BYTES / 32; i++)
		buf_printf(&payload, "%031zx ", i * 0x9e3779b97f4a7c15U);
	buf_append_text(&payload, "\"}");
	bool inserted = insert_watch(feed, now_us,
				     (struct odd_event){.number = 100, .payload = payload.data});
	buf_finish(&payload);
	return inserted;
}

bool scenario_insert_id_months(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us,
			    (struct odd_event){.number = 110, .created_at = "\"2016-11-03T08:15:00Z\""})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 110, .later_s = -86400 * 92})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 110});
}

bool scenario_insert_id_other_type(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us, (struct odd_event){.number = 120})
	       && insert_watch(feed, now_us,
			       (struct odd_event){.number = 120, .type = "PushEvent", .payload = push_payload});
			  
}

bool scenario_insert_odd_ids(struct feed *feed, int64_t now_us)
{
	static const char *const ids[] = {
		/* Set aside: */
		"\"-5\"", "-5", "\"9223372036854775808\"", "9223372036854775808", "1.5", "\"1.5\"", "1e3",
		"\"abc\"", "\"\"", "null", "true", "[1]", "\"12 \"",
		/* Stored: */
		"\"9223372036854775807\"", "99000000131", "\"0\"",
	};
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++)
		if (!insert_watch(feed, now_us, (struct odd_event){.id = ids[i]}))
			return false;
	return true;
}

bool scenario_insert_odd_types(struct feed *feed, int64_t now_us)
{
	static const char *const types[] = {"../../x", "a/b", ".", "..", "/etc/passwd", "C:\\\\x",
					    "Watch Event", "W\\u00e4tchEvent", "con%2f"};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++)
		if (!insert_watch(feed, now_us,
				  (struct odd_event){.number = 140 + (int)i, .type = types[i]}))
			return false;
	char long_type[301];
	memset(long_type, 'T', sizeof(long_type) - 1);
	long_type[sizeof(long_type) - 1] = '\0';
	return insert_watch(feed, now_us, (struct odd_event){.number = 160, .type = long_type});
}

bool scenario_insert_odd_times(struct feed *feed, int64_t now_us)
{
	static const char *const times[] = {
		/* Set aside: */
		"", "null", "1750000000", "\"yesterday\"", "\"2026-02-30T12:00:00Z\"",
		"\"2026-06-01T25:00:00Z\"", "\"2026-06-01\"", "\"2026-06-01T12:00:00\"",
		/* Stored: */
		"\"2016-12-31T23:59:60Z\"", "\"2026-06-01T12:00:00+05:30\"", "\"2026-06-01T12:00:00-08:00\"",
	};
	for (size_t i = 0; i < ARRAY_COUNT(times); i++)
		if (!insert_watch(feed, now_us,
				  (struct odd_event){.number = 170 + (int)i, .created_at = times[i]}))
			return false;
	return true;
}

bool scenario_insert_future(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us,
			    (struct odd_event){.number = 190, .created_at = "\"9999-12-31T23:59:59Z\""})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 191, .later_s = 90000})
	       && insert_watch(feed, now_us,
			       (struct odd_event){.number = 192, .created_at = "\"0000-01-01T00:00:00Z\""})
	       && insert_watch(feed, now_us,
			       (struct odd_event){.number = 193, .created_at = "\"1999-12-31T23:59:59Z\""})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 194, .later_s = 80000});
}

/* The same action in the shapes of 2015 and of today, on both sides of the change. */
bool scenario_insert_eras(struct feed *feed, int64_t now_us)
{
	static const char thin[] =
		"{\"action\":\"merged\",\"number\":7,\"pull_request\":{\"url\":\"https://api.github.com/x\","
		"\"id\":1,\"number\":7,\"head\":{\"ref\":\"a\",\"sha\":\"b\"},\"base\":{\"ref\":\"main\"}}}";
	static const char full[] =
		"{\"action\":\"closed\",\"number\":8,\"pull_request\":{\"id\":2,\"number\":8,\"state\":"
		"\"closed\",\"title\":\"Full\",\"merged\":true,\"additions\":3,\"user\":{\"login\":\"octocat\"}}}";
	static const char old_push[] =
		"{\"push_id\":5,\"size\":1,\"distinct_size\":1,\"ref\":\"refs/heads/main\",\"head\":\"a\","
		"\"before\":\"b\",\"commits\":[{\"sha\":\"a\",\"message\":\"m\"}]}";
	static const char *const times[] = {"\"2025-10-06T23:59:59Z\"", "\"2025-10-07T00:00:01Z\""};
	for (int i = 0; i < 2; i++) {
		const struct odd_event events[] = {
			{.number = 200 + i, .type = "PullRequestEvent", .payload = thin},
			{.number = 210 + i, .type = "PullRequestEvent", .payload = full},
			{.number = 220 + i, .type = "PushEvent", .payload = old_push},
			{.number = 230 + i, .type = "PushEvent", .payload = push_payload},
		};
		for (size_t k = 0; k < ARRAY_COUNT(events); k++) {
			struct odd_event event = events[k];
			event.created_at = times[i];
			if (!insert_watch(feed, now_us, event))
				return false;
		}
	}
	return true;
}

bool scenario_insert_late(struct feed *feed, int64_t now_us)
{
	return insert_watch(feed, now_us,
			    (struct odd_event){.number = 240, .later_s = -3000, .below = LATE_BELOW})
	       && insert_watch(feed, now_us, (struct odd_event){.number = 241});
}

bool scenario_insert_no_org(struct feed *feed, int64_t now_us)
{
	static const char *const orgs[] = {NULL, "null", "{}", "{\"login\":null}",
					   "{\"id\":9919,\"login\":\"github\"}"};
	for (size_t i = 0; i < ARRAY_COUNT(orgs); i++)
		if (!insert_watch(feed, now_us,
				  (struct odd_event){.number = 250 + (int)i, .org = orgs[i]}))
			return false;
	return true;
}
