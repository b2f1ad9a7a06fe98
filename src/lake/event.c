/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - identity, type names and the columns that all events share. */
#include "lake/event.h"

#include <assert.h>

const char *const event_types_today[] = {
	"CommitCommentEvent",
	"CreateEvent",
	"DeleteEvent",
	"DiscussionEvent",
	"ForkEvent",
	"GollumEvent",
	"IssueCommentEvent",
	"IssuesEvent",
	"MemberEvent",
	"PublicEvent",
	"PullRequestEvent",
	"PullRequestReviewCommentEvent",
	"PullRequestReviewEvent",
	"PushEvent",
	"ReleaseEvent",
	"WatchEvent",
};
const size_t event_types_today_count = ARRAY_COUNT(event_types_today);

const struct event_column event_columns[EVENT_COLUMN_COUNT] = {
	[EVENT_COLUMN_ID] = {"id", VALUE_INTEGER, "id"},
	[EVENT_COLUMN_TYPE] = {"type", VALUE_TEXT, "type"},
	[EVENT_COLUMN_CREATED_AT] = {"created_at", VALUE_TIME, "created_at"},
	[EVENT_COLUMN_ACTOR_ID] = {"actor_id", VALUE_INTEGER, "actor.id"},
	[EVENT_COLUMN_ACTOR_LOGIN] = {"actor_login", VALUE_TEXT, "actor.login"},
	[EVENT_COLUMN_IS_BOT] = {"is_bot", VALUE_BOOLEAN, NULL},
	[EVENT_COLUMN_REPO_ID] = {"repo_id", VALUE_INTEGER, "repo.id"},
	[EVENT_COLUMN_REPO_NAME] = {"repo_name", VALUE_TEXT, "repo.name"},
	[EVENT_COLUMN_ORG_LOGIN] = {"org_login", VALUE_TEXT, "org.login"},
	[EVENT_COLUMN_ACTION] = {"action", VALUE_TEXT, "payload.action"},
	[EVENT_COLUMN_NUMBER] = {"number", VALUE_INTEGER, "payload.pull_request.number"},
	[EVENT_COLUMN_MERGED] = {"merged", VALUE_BOOLEAN, "payload.pull_request.merged"},
	[EVENT_COLUMN_REF_TYPE] = {"ref_type", VALUE_TEXT, "payload.ref_type"},
	[EVENT_COLUMN_ERA] = {"era", VALUE_TEXT, NULL},
	[EVENT_COLUMN_SOURCE] = {"source", VALUE_TEXT, NULL},
	[EVENT_COLUMN_BATCH] = {"batch", VALUE_INTEGER, NULL},
};

const char *event_era_name(enum event_era era)
{
	static const char *const names[] = {
		[EVENT_ERA_TIMELINE] = "timeline",
		[EVENT_ERA_FULL] = "full",
		[EVENT_ERA_THIN] = "thin",
	};
	assert(era < ARRAY_COUNT(names));
	return names[era];
}

const char *event_time_fault(const struct event *event, int64_t now_us)
{
	static const int64_t future_us = INT64_C(86400) * 1000000;
	static const int64_t first_event_us = INT64_C(1199145600) * 1000000; /* 2008-01-01 */
	if (event->created_at_us - now_us > future_us)
		return "created-at-future";
	return event->created_at_us < first_event_us ? "created-at-past" : NULL;
}

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t bits)
{
	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

/* Arithmetic on values, not on their bytes: cursors keep these hashes on disk, and a data folder
 * may move to a machine with the other byte order. */
uint64_t event_key_hash(const struct event *event)
{
	uint64_t hash = span_hash(event->type, 0);
	hash = mix(hash ^ (uint64_t)event->id);
	return mix(hash + (uint64_t)event->created_at_us);
}

bool event_key_equal(const struct event *a, const struct event *b)
{
	return a->id == b->id && a->created_at_us == b->created_at_us
	       && span_equal(a->type, b->type);
}

bool event_type_is_plain(struct span type)
{
	if (type.size == 0 || type.size > EVENT_TYPE_BYTES_MAX)
		return false;
	for (size_t i = 0; i < type.size; i++) {
		char c = type.data[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}
