/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_content.c - odd events, put into the feed beside its own. */
#include "fake_github/scenario.h"

#include "base/clock.h"

#include <inttypes.h>

enum { EVENT_BYTES_MAX = 8192 };

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
};

static bool insert_odd(struct feed *feed, int64_t now_us, const struct odd_event *event)
{
	struct buf text;
	buf_init(&text, EVENT_BYTES_MAX);
	buf_append_byte(&text, '{');
	if (event->number >= 0)
		buf_printf(&text, "\"id\":\"%" PRId64 "\",", odd_id_first + event->number);
	buf_printf(&text, "\"type\":\"%s\",", event->type);
	if (event->actor)
		buf_printf(&text, "\"actor\":%s,", event->actor);
	if (event->repo)
		buf_printf(&text, "\"repo\":%s,", event->repo);
	buf_printf(&text, "\"payload\":%s,\"public\":true,\"created_at\":\"%s\"}", event->payload,
		   time_render(now_us / 1000000 * 1000000).text);
	bool inserted = !text.failed && feed->operations->insert(feed, buf_span(&text), now_us);
	buf_finish(&text);
	return inserted;
}

static bool insert_literal(struct feed *feed, int64_t now_us, const char *text)
{
	return feed->operations->insert(feed, span_of(text), now_us);
}

static const char push_payload[] =
	"{\"repository_id\":1296269,\"push_id\":39806989356,\"ref\":\"refs/heads/main\","
	"\"head\":\"15c0e70e4432cc04e549e90e9f9326d03708bb4c\","
	"\"before\":\"eb2119bcd8df5f4da9d1b70cfb9c69b83c775bc0\"}";
static const char watch_payload[] = "{\"action\":\"started\"}";

bool scenario_insert_bad_utf8(struct feed *feed, int64_t now_us)
{
	/* A stray continuation byte, a cut sequence and an overlong slash. */
	return insert_odd(
		feed, now_us,
		&(struct odd_event){10, "CreateEvent", actor_json, repo_json,
				    "{\"ref\":\"\x80-\xe2\x82-\xc0\xaf\",\"ref_type\":\"branch\","
				    "\"master_branch\":\"main\",\"description\":null,"
				    "\"pusher_type\":\"user\"}"});
}

bool scenario_insert_lone_surrogate(struct feed *feed, int64_t now_us)
{
	return insert_odd(
		feed, now_us,
		&(struct odd_event){20, "CreateEvent", actor_json, repo_json,
				    "{\"ref\":\"half-\\ud800-pair\",\"ref_type\":\"branch\","
				    "\"master_branch\":\"main\",\"description\":null,"
				    "\"pusher_type\":\"user\"}"});
}

bool scenario_insert_unknown_type(struct feed *feed, int64_t now_us)
{
	return insert_odd(feed, now_us,
			  &(struct odd_event){30, "SparkleEvent", actor_json, repo_json,
					      "{\"action\":\"sparkled\",\"shine\":{\"level\":11}}"})
	       && insert_odd(feed, now_us,
			     &(struct odd_event){31, "Bad-Type!", actor_json, repo_json, "{}"});
}

bool scenario_insert_null_actor(struct feed *feed, int64_t now_us)
{
	return insert_odd(feed, now_us,
			  &(struct odd_event){40, "WatchEvent", "null", repo_json, watch_payload})
	       && insert_odd(feed, now_us,
			     &(struct odd_event){41, "PushEvent", NULL, repo_json, push_payload})
	       && insert_odd(
		       feed, now_us,
		       &(struct odd_event){42, "WatchEvent", actor_json, NULL, watch_payload});
}

bool scenario_insert_broken(struct feed *feed, int64_t now_us)
{
	return insert_odd(
		       feed, now_us,
		       &(struct odd_event){-1, "WatchEvent", actor_json, repo_json, watch_payload})
	       && insert_literal(feed, now_us, "42") && insert_literal(feed, now_us, "\"an event\"")
	       && insert_literal(feed, now_us, "null");
}

bool scenario_insert_duplicate(struct feed *feed, int64_t now_us)
{
	const struct odd_event event = {50, "WatchEvent", actor_json, repo_json, watch_payload};
	return insert_odd(feed, now_us, &event) && insert_odd(feed, now_us, &event);
}

bool scenario_insert_id_reuse(struct feed *feed, int64_t now_us)
{
	return insert_odd(
		       feed, now_us,
		       &(struct odd_event){60, "WatchEvent", actor_json, repo_json, watch_payload})
	       && insert_odd(feed, now_us,
			     &(struct odd_event){60, "WatchEvent", actor_json, other_repo_json,
						 watch_payload});
}
