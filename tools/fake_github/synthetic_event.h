/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_event.h - generated events: first a plan (who, where, what), later its JSON text.
 *
 * Plans are made in order, because events depend on those before them (a merged pull request was
 * opened). The text follows from the plan alone, so only events that somebody looks at are
 * rendered, and by as many threads as one likes. Payloads have the keys and the key order of recorded
 * events: the thin ones of 2026 (after 2025-10-07) or, if the world's shape says so, the full ones of
 * 2021, where pushes have their commits, pull requests and repositories all their members, and there is
 * one sequence of ids. */
#ifndef FAKE_GITHUB_SYNTHETIC_EVENT_H
#define FAKE_GITHUB_SYNTHETIC_EVENT_H

#include "base/buf.h"
#include "fake_github/synthetic_world.h"

enum event_type {
	EVENT_PUSH,
	EVENT_CREATE,
	EVENT_DELETE,
	EVENT_PULL_REQUEST,
	EVENT_PULL_REQUEST_REVIEW,
	EVENT_PULL_REQUEST_REVIEW_COMMENT,
	EVENT_ISSUES,
	EVENT_ISSUE_COMMENT,
	EVENT_WATCH,
	EVENT_FORK,
	EVENT_RELEASE,
	EVENT_DISCUSSION,
	EVENT_GOLLUM,
	EVENT_MEMBER,
	EVENT_COMMIT_COMMENT,
	EVENT_PUBLIC,
	EVENT_TYPES,
};

struct event_plan {
	uint64_t id;
	int64_t created_us; /* whole seconds are shown */
	enum event_type type;
	const char *action; /* a constant; NULL for types without */
	uint32_t repository;
	uint32_t actor;
	uint32_t number; /* of the issue or pull request */
	int64_t item_id; /* its id */
	uint32_t item_author;
	bool on_pull;    /* the comment is on a pull request */
	bool merged;     /* full payloads: a pull request closed by a merge */
	uint64_t seed;   /* of the texts, hashes and names */
};

/* Id counters of the two sequences that GitHub issues since 2025-10: Push, Create and Delete from
 * the higher one, all others from the lower. With full payloads only the lower one is used. */
struct event_sequences {
	uint64_t push_id;
	uint64_t other_id;
};

const char *event_type_name(enum event_type type);

/* Decides the next event. Changes the repository's open items. */
struct event_plan event_plan_next(struct world *world, struct event_sequences *sequences,
				  struct world_random *random, int64_t created_us);

/* Appends the event's JSON, compact. */
void event_render(const struct world *world, const struct event_plan *plan, struct buf *out);

/* For event_render: appends the payload object (synthetic_payload.c). */
void event_render_payload(const struct world *world, const struct event_plan *plan,
			  struct buf *out);

#endif
