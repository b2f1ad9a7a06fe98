/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/synthetic_event.h"

#include "base/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Shares per mille of a whole feed (not of its first page, which shows almost only pushes), today and
 * while payloads were full (between those recorded in 2015 and in 2021). */
static const struct {
	const char *name;
	unsigned share;
	unsigned full_share;
	bool bots_too;
	bool push_sequence;
} types[EVENT_TYPES] = {
	[EVENT_PUSH] = {"PushEvent", 450, 559, true, true},
	[EVENT_CREATE] = {"CreateEvent", 130, 125, true, true},
	[EVENT_DELETE] = {"DeleteEvent", 40, 32, true, true},
	[EVENT_PULL_REQUEST] = {"PullRequestEvent", 110, 41, true, false},
	[EVENT_PULL_REQUEST_REVIEW] = {"PullRequestReviewEvent", 30, 14, true, false},
	[EVENT_PULL_REQUEST_REVIEW_COMMENT] = {"PullRequestReviewCommentEvent", 18, 11, true, false},
	[EVENT_ISSUES] = {"IssuesEvent", 35, 35, true, false},
	[EVENT_ISSUE_COMMENT] = {"IssueCommentEvent", 70, 70, true, false},
	[EVENT_WATCH] = {"WatchEvent", 75, 74, false, false},
	[EVENT_FORK] = {"ForkEvent", 17, 22, false, false},
	[EVENT_RELEASE] = {"ReleaseEvent", 10, 5, true, false},
	[EVENT_DISCUSSION] = {"DiscussionEvent", 4, 0, false, false},
	[EVENT_GOLLUM] = {"GollumEvent", 3, 4, false, false},
	[EVENT_MEMBER] = {"MemberEvent", 3, 4, false, false},
	[EVENT_COMMIT_COMMENT] = {"CommitCommentEvent", 3, 2, true, false},
	[EVENT_PUBLIC] = {"PublicEvent", 2, 2, false, false},
};

const char *event_type_name(enum event_type type)
{
	assert(type < EVENT_TYPES);
	return types[type].name;
}

static enum event_type pick_type(const struct world *world, struct world_random *random)
{
	uint64_t draw = world_random_below(random, 1000);
	unsigned sum = 0;
	for (enum event_type type = 0; type < EVENT_TYPES; type++) {
		sum += world->shape.full_payloads ? types[type].full_share : types[type].share;
		if (draw < sum)
			return type;
	}
	return EVENT_PUSH;
}

/* ---- issues and pull requests that live on ---- */

static void open_item(struct world_repository *repository, struct world_item *items,
		      uint32_t *count, struct event_plan *plan, int64_t id_base)
{
	if (*count == WORLD_OPEN_ITEMS_MAX) {
		for (uint32_t i = 1; i < WORLD_OPEN_ITEMS_MAX; i++)
			items[i - 1] = items[i];
		(*count)--;
	}
	struct world_item item = {
		.number = ++repository->last_number,
		.id = id_base + (int64_t)(plan->id % 1000000000U),
		.author = plan->actor,
	};
	items[(*count)++] = item;
	plan->number = item.number;
	plan->item_id = item.id;
	plan->item_author = item.author;
}

static void take_item(struct world_item *items, uint32_t *count, bool closes,
		      struct event_plan *plan, struct world_random *random)
{
	assert(*count > 0);
	uint32_t index = (uint32_t)world_random_below(random, *count);
	plan->number = items[index].number;
	plan->item_id = items[index].id;
	plan->item_author = items[index].author;
	if (closes)
		items[index] = items[--(*count)];
}

struct action_share {
	const char *name;
	unsigned percent;
	bool closes;
};

static const struct action_share pull_actions[] = {
	{"opened", 46, false},
	{"merged", 28, true},
	{"closed", 9, true},
	{"reopened", 2, false},
	{"labeled", 10, false},
	{"unlabeled", 2, false},
	{"assigned", 3, false},
};
static const struct action_share issue_actions[] = {
	{"opened", 50, false},
	{"closed", 32, true},
	{"reopened", 3, false},
	{"labeled", 9, false},
	{"unlabeled", 2, false},
	{"assigned", 3, false},
	{"unassigned", 1, false},
};

static const struct action_share *pick_action(const struct action_share *actions, size_t count,
					      struct world_random *random)
{
	uint64_t draw = world_random_below(random, 100);
	unsigned sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += actions[i].percent;
		if (draw < sum)
			return &actions[i];
	}
	return &actions[0];
}

static void plan_pull(struct world_repository *repository, struct event_plan *plan,
		      struct world_random *random)
{
	const struct action_share *action =
		pick_action(pull_actions, ARRAY_COUNT(pull_actions), random);
	if (repository->open_pull_count == 0)
		action = &pull_actions[0];
	plan->action = action->name;
	if (action == &pull_actions[0])
		open_item(repository, repository->open_pulls, &repository->open_pull_count, plan,
			  3400000000);
	else
		take_item(repository->open_pulls, &repository->open_pull_count, action->closes,
			  plan, random);
}

static void plan_issue(struct world_repository *repository, struct event_plan *plan,
		       struct world_random *random)
{
	const struct action_share *action =
		pick_action(issue_actions, ARRAY_COUNT(issue_actions), random);
	if (repository->open_issue_count == 0)
		action = &issue_actions[0];
	plan->action = action->name;
	if (action == &issue_actions[0])
		open_item(repository, repository->open_issues, &repository->open_issue_count, plan,
			  5100000000);
	else
		take_item(repository->open_issues, &repository->open_issue_count, action->closes,
			  plan, random);
}

/* A comment or review speaks about something open, or about something long closed. */
static void plan_talk(struct world_repository *repository, bool on_pull, struct event_plan *plan,
		      struct world_random *random)
{
	plan->action = "created";
	plan->on_pull = on_pull;
	struct world_item *items = on_pull ? repository->open_pulls : repository->open_issues;
	uint32_t *count = on_pull ? &repository->open_pull_count : &repository->open_issue_count;
	if (*count > 0) {
		take_item(items, count, false, plan, random);
		return;
	}
	uint64_t known = repository->last_number ? repository->last_number : 1;
	plan->number = 1 + (uint32_t)world_random_below(random, known);
	plan->item_id = (on_pull ? 3300000000 : 5000000000) + plan->number;
	plan->item_author = plan->actor;
}

struct event_plan event_plan_next(struct world *world, struct event_sequences *sequences,
				  struct world_random *random, int64_t created_us)
{
	struct event_plan plan = {.created_us = created_us, .type = pick_type(world, random)};
	bool from_higher = types[plan.type].push_sequence && !world->shape.full_payloads;
	uint64_t *sequence = from_higher ? &sequences->push_id : &sequences->other_id;
	*sequence += 1 + world_random_below(random, 5);
	plan.id = *sequence;
	plan.repository = world_pick_repository(world, random);
	plan.actor = world_pick_actor(world, plan.repository, types[plan.type].bots_too, random);
	plan.seed = world_random_next(random);
	struct world_repository *repository = &world->repositories[plan.repository];
	switch (plan.type) {
	case EVENT_PULL_REQUEST:
		plan_pull(repository, &plan, random);
		if (world->shape.full_payloads && strcmp(plan.action, "merged") == 0) {
			plan.merged = true;
			plan.action = "closed";
		}
		break;
	case EVENT_ISSUES:
		plan_issue(repository, &plan, random);
		break;
	case EVENT_PULL_REQUEST_REVIEW:
	case EVENT_PULL_REQUEST_REVIEW_COMMENT:
		plan_talk(repository, true, &plan, random);
		break;
	case EVENT_ISSUE_COMMENT:
		plan_talk(repository, world_random_below(random, 2) == 0, &plan, random);
		break;
	case EVENT_WATCH:
		plan.action = "started";
		break;
	case EVENT_FORK:
		plan.action = "forked";
		break;
	case EVENT_RELEASE:
		plan.action = "published";
		break;
	case EVENT_MEMBER:
		plan.action = "added";
		break;
	case EVENT_DISCUSSION:
	case EVENT_COMMIT_COMMENT:
		plan.action = "created";
		break;
	default:
		break;
	}
	return plan;
}

void event_render(const struct world *world, const struct event_plan *plan, struct buf *out)
{
	const struct world_repository *repository = &world->repositories[plan->repository];
	const struct world_account *owner = &repository->owner;
	struct world_account actor = world_account_of(world, plan->actor);
	buf_printf(out, "{\"id\":\"%" PRIu64 "\",\"type\":\"%s\",", plan->id,
		   event_type_name(plan->type));
	buf_printf(out,
		   "\"actor\":{\"id\":%" PRId64 ",\"login\":\"%s\",\"display_login\":\"%.*s\","
		   "\"gravatar_id\":\"\",\"url\":\"https://api.github.com/users/%s\","
		   "\"avatar_url\":\"https://avatars.githubusercontent.com/u/%" PRId64 "?\"},",
		   actor.id, actor.login, (int)strcspn(actor.login, "["), actor.login, actor.login,
		   actor.id);
	buf_printf(out,
		   "\"repo\":{\"id\":%" PRId64 ",\"name\":\"%s/%s\","
		   "\"url\":\"https://api.github.com/repos/%s/%s\"},\"payload\":",
		   repository->id, owner->login, repository->name, owner->login, repository->name);
	event_render_payload(world, plan, out);
	buf_printf(out, ",\"public\":true,\"created_at\":\"%s\"",
		   time_render(plan->created_us / 1000000 * 1000000).text);
	if (owner->is_organisation)
		buf_printf(out,
			   ",\"org\":{\"id\":%" PRId64 ",\"login\":\"%s\",\"gravatar_id\":\"\","
			   "\"url\":\"https://api.github.com/orgs/%s\","
			   "\"avatar_url\":\"https://avatars.githubusercontent.com/u/%" PRId64
			   "?\"}",
			   owner->id, owner->login, owner->login, owner->id);
	buf_append_byte(out, '}');
}
