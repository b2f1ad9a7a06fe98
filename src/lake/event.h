/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - one GitHub event with the columns that every layer shares.
 *
 * Identity is (id, type, created_at): ids come in two sequences, are not monotonic and were reused
 * (FACTS A). Spans point into the JSON or into the arena of the scan. A value that the event's era
 * does not carry is absent (NULL in silver), never 0. */
#ifndef LAKE_EVENT_H
#define LAKE_EVENT_H

#include "base/table.h"

enum { EVENT_TYPE_BYTES_MAX = 64, EVENT_TYPE_COUNT_MAX = 64 };

/* The form in which an event came (docs/formats/silver.md, "Eras"). */
enum event_era {
	EVENT_ERA_TIMELINE, /* until 2014, GH Archive's Timeline API: `repository`, string `actor`, no id */
	EVENT_ERA_FULL,     /* until October 2025: full payloads (Enterprise Server still; 2011's archive) */
	EVENT_ERA_THIN,     /* since 2025-10-07: trimmed payloads */
};
const char *event_era_name(enum event_era era); /* "timeline", "full", "thin" */

struct event {
	int64_t id; /* GitHub's; negative: derived from the JSON (derived_id.h) */
	/* As received when it matches [A-Za-z]{1,64}, else "_other". */
	struct span type;
	int64_t created_at_us;
	int64_t actor_id; /* 0: absent */
	struct span actor_login;
	bool is_bot;
	int64_t repo_id; /* 0: absent */
	struct span repo_name;
	struct span org_login;
	struct span action;
	int64_t number; /* of the pull request, issue or discussion; 0: absent */
	/* Pull requests: payload.pull_request.merged, or action = "merged" where GitHub no longer
	 * sends it. */
	bool merged_known;
	bool merged;
	struct span ref_type;
	enum event_era era;
	/* The configured fields, by index in the field_set; VALUE_NULL where absent or where this
	 * event type does not have the field. */
	const struct value *fields;
};

/* 64-bit hash of the identity, for in-memory sets. */
uint64_t event_key_hash(const struct event *event);
bool event_key_equal(const struct event *a, const struct event *b);

/* A created_at that cannot be one, as the quarantine's word: "created-at-future" (more than a day after
 * `now_us`: it would be the newest event for ever), "created-at-past" (before GitHub); NULL: none. */
const char *event_time_fault(const struct event *event, int64_t now_us);

/* True for [A-Za-z]{1,64}. */
bool event_type_is_plain(struct span type);
/* The 16 types that GitHub sends today (FACTS A), in alphabetical order. */
extern const char *const event_types_today[];
extern const size_t event_types_today_count;

/* Type, one word: how an event's columns are called in silver and gold, in their order. */
struct event_column {
	const char *name;
	enum value_type type;
	/* The path under which the first system knew it ("repo.name"), NULL for ours. */
	const char *path;
};
/* id, type, created_at, actor_id, actor_login, is_bot, repo_id, repo_name, org_login, action,
 * number, merged, ref_type, era, source, batch. */
enum event_column_index {
	EVENT_COLUMN_ID,
	EVENT_COLUMN_TYPE,
	EVENT_COLUMN_CREATED_AT,
	EVENT_COLUMN_ACTOR_ID,
	EVENT_COLUMN_ACTOR_LOGIN,
	EVENT_COLUMN_IS_BOT,
	EVENT_COLUMN_REPO_ID,
	EVENT_COLUMN_REPO_NAME,
	EVENT_COLUMN_ORG_LOGIN,
	EVENT_COLUMN_ACTION,
	EVENT_COLUMN_NUMBER,
	EVENT_COLUMN_MERGED,
	EVENT_COLUMN_REF_TYPE,
	EVENT_COLUMN_ERA,
	EVENT_COLUMN_SOURCE, /* "api" for the poller; imports: see ingest/import.h */
	EVENT_COLUMN_BATCH,  /* sequence of the batch that brought it: the lowest wins */
	EVENT_COLUMN_COUNT,
};
extern const struct event_column event_columns[EVENT_COLUMN_COUNT];

#endif
