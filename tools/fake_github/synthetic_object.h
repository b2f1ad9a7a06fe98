/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_object.h - the larger JSON objects inside payloads: users, issues, comments, pull
 * request stubs, repositories. Each function appends one complete object. */
#ifndef FAKE_GITHUB_SYNTHETIC_OBJECT_H
#define FAKE_GITHUB_SYNTHETIC_OBJECT_H

#include "fake_github/synthetic_event.h"

/* What all of them need. */
struct object_context {
	const struct world *world;
	const struct event_plan *plan;
	const struct world_repository *repository;
	struct world_account actor;
	char full_name[2 * WORLD_NAME_BYTES]; /* "owner/name" */
	struct world_random random; /* of this event's texts */
};

void object_context_init(struct object_context *context, const struct world *world,
			 const struct event_plan *plan);

void object_append_user(struct buf *out, const struct world_account *account);
/* A pull request of the world's era (that of the full one: synthetic_full.c). */
void object_append_pull(struct object_context *context, struct buf *out);
void object_append_issue(struct object_context *context, struct buf *out);
/* `kind`: the path in which such comments live: "issues/comments", "pulls/comments", "comments". */
void object_append_comment(struct object_context *context, const char *kind, struct buf *out);
/* All members of a repository that is a fork of nothing. */
void object_append_repository(const struct object_context *context, const struct world_account *owner,
			      const char *name, int64_t id, struct buf *out);
/* Texts as JSON strings, by `random`, which need not be the context's. */
void object_append_title(const struct object_context *context, struct world_random *random,
			 struct buf *out);
void object_append_body(const struct object_context *context, struct world_random *random,
			struct buf *out);
void object_append_label(struct object_context *context, struct buf *out);
void object_append_reactions(const char *full_name, const char *kind, uint64_t id, struct buf *out);
/* "2026-09-20T12:00:00Z", that many seconds before the event. */
struct time_text object_time(const struct object_context *context, int64_t seconds_before);

/* synthetic_full.c: the payload of a push with its commits, and a pull request as of 2021. */
void full_append_push(struct object_context *context, struct buf *out);
void full_append_pull(struct object_context *context, struct buf *out);

#endif
