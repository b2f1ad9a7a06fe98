/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/synthetic_object.h"

#include "base/clock.h"
#include "fake_github/synthetic_prose.h"
#include "fake_github/synthetic_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void object_context_init(struct object_context *context, const struct world *world,
			 const struct event_plan *plan)
{
	*context = (struct object_context){
		.world = world,
		.plan = plan,
		.repository = &world->repositories[plan->repository],
		.actor = world_account_of(world, plan->actor),
		.random = {plan->seed},
	};
	(void)snprintf(context->full_name, sizeof(context->full_name), "%s/%s",
		       context->repository->owner.login, context->repository->name);
}

struct time_text object_time(const struct object_context *context, int64_t seconds_before)
{
	return time_render((context->plan->created_us / 1000000 - seconds_before) * 1000000);
}

void object_append_user(struct buf *out, const struct world_account *account)
{
	const char *login = account->login;
	buf_printf(out,
		   "{\"login\":\"%s\",\"id\":%" PRId64 ",\"node_id\":\"U_kgDO%08" PRIx64 "\","
		   "\"avatar_url\":\"https://avatars.githubusercontent.com/u/%" PRId64 "?v=4\","
		   "\"gravatar_id\":\"\",\"url\":\"https://api.github.com/users/%s\","
		   "\"html_url\":\"https://github.com/%s\"",
		   login, account->id, (uint64_t)account->id, account->id, login, login);
	static const char *const members[][2] = {
		{"followers_url", "/followers"},
		{"following_url", "/following{/other_user}"},
		{"gists_url", "/gists{/gist_id}"},
		{"starred_url", "/starred{/owner}{/repo}"},
		{"subscriptions_url", "/subscriptions"},
		{"organizations_url", "/orgs"},
		{"repos_url", "/repos"},
		{"events_url", "/events{/privacy}"},
		{"received_events_url", "/received_events"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(members); i++)
		buf_printf(out, ",\"%s\":\"https://api.github.com/users/%s%s\"", members[i][0],
			   login, members[i][1]);
	const char *type = account->is_bot            ? "Bot"
			   : account->is_organisation ? "Organization"
						      : "User";
	buf_printf(out, ",\"type\":\"%s\",\"user_view_type\":\"public\",\"site_admin\":false}",
		   type);
}

void object_append_title(const struct object_context *context, struct world_random *random, struct buf *out)
{
	if (context->world->shape.prose)
		prose_append_title(out, random);
	else
		text_append(out, text_pick_title(random));
}

void object_append_body(const struct object_context *context, struct world_random *random, struct buf *out)
{
	if (context->world->shape.prose)
		prose_append_body(out, random);
	else
		text_append(out, text_pick_body(random));
}

/* The stub of 2026: who made it, its title and its counts are no longer told. */
static void append_pull_stub(struct object_context *context, struct buf *out)
{
	const struct world_repository *repository = context->repository;
	const char *full_name = context->full_name;
	/* Head and base stay the same over a pull request's life: they follow from its id. */
	struct world_random random = {(uint64_t)context->plan->item_id};
	bool from_fork = world_random_below(&random, 3) == 0;
	struct world_account author =
		world_account_of(context->world, context->plan->item_author);
	const char *head_owner = from_fork ? author.login : repository->owner.login;
	buf_printf(out,
		   "{\"url\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "\",\"id\":%" PRId64
		   ",\"number\":%" PRIu32 ",\"head\":{\"ref\":\"%s\",\"sha\":\"",
		   full_name, context->plan->number, context->plan->item_id, context->plan->number,
		   text_pick_branch(&random));
	text_append_sha(out, &random);
	buf_printf(out,
		   "\",\"repo\":{\"id\":%" PRId64 ",\"url\":\"https://api.github.com/repos/%s/%s\","
		   "\"name\":\"%s\"}},\"base\":{\"ref\":\"main\",\"sha\":\"",
		   from_fork ? repository->id + 400000000 : repository->id, head_owner,
		   repository->name, repository->name);
	text_append_sha(out, &random);
	buf_printf(out,
		   "\",\"repo\":{\"id\":%" PRId64 ",\"url\":\"https://api.github.com/repos/%s\","
		   "\"name\":\"%s\"}}}",
		   repository->id, full_name, repository->name);
}

void object_append_pull(struct object_context *context, struct buf *out)
{
	if (context->world->shape.full_payloads)
		full_append_pull(context, out);
	else
		append_pull_stub(context, out);
}

void object_append_label(struct object_context *context, struct buf *out)
{
	static const char *const names[] = {"bug", "enhancement", "good first issue", "P2",
					    "status: \"blocked\"", "種類/不具合"};
	const char *name = names[world_random_below(&context->random, ARRAY_COUNT(names))];
	int64_t id = 6000000000 + (int64_t)world_random_below(&context->random, 1000000000);
	buf_printf(out,
		   "{\"id\":%" PRId64 ",\"node_id\":\"LA_kwDO%08" PRIx64
		   "\",\"url\":\"https://api.github.com/repos/%s/labels/%" PRId64 "\",\"name\":",
		   id, (uint64_t)id, context->full_name, id);
	text_append(out, name);
	buf_append_text(out, ",\"color\":\"d73a4a\",\"default\":false,\"description\":null}");
}

void object_append_reactions(const char *full_name, const char *kind, uint64_t id, struct buf *out)
{
	buf_printf(out,
		   "{\"url\":\"https://api.github.com/repos/%s/%s/%" PRIu64 "/reactions\","
		   "\"total_count\":0,\"+1\":0,\"-1\":0,\"laugh\":0,\"hooray\":0,\"confused\":0,"
		   "\"heart\":0,\"rocket\":0,\"eyes\":0}",
		   full_name, kind, id);
}

static void append_issue_urls(const struct object_context *context, struct buf *out)
{
	const char *full_name = context->full_name;
	uint32_t number = context->plan->number;
	buf_printf(out,
		   "\"url\":\"https://api.github.com/repos/%s/issues/%" PRIu32 "\","
		   "\"repository_url\":\"https://api.github.com/repos/%s\","
		   "\"labels_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32
		   "/labels{/name}\","
		   "\"comments_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32
		   "/comments\","
		   "\"events_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32 "/events\","
		   "\"html_url\":\"https://github.com/%s/%s/%" PRIu32 "\",",
		   full_name, number, full_name, full_name, number, full_name, number, full_name,
		   number, full_name, context->plan->on_pull ? "pull" : "issues", number);
}

void object_append_issue(struct object_context *context, struct buf *out)
{
	const struct event_plan *plan = context->plan;
	/* Title and body stay the same over an issue's life. */
	struct world_random random = {(uint64_t)plan->item_id};
	struct world_account author = world_account_of(context->world, plan->item_author);
	bool closed = plan->action && strcmp(plan->action, "closed") == 0;
	int64_t age_seconds = plan->action && strcmp(plan->action, "opened") == 0
				      ? 1
				      : 60 + (int64_t)world_random_below(&context->random, 500000);
	buf_append_byte(out, '{');
	append_issue_urls(context, out);
	buf_printf(out, "\"id\":%" PRId64 ",\"node_id\":\"I_kwDO%08" PRIx64 "\",\"number\":%" PRIu32
		   ",\"title\":",
		   plan->item_id, (uint64_t)plan->item_id, plan->number);
	object_append_title(context, &random, out);
	buf_append_text(out, ",\"user\":");
	object_append_user(out, &author);
	buf_append_text(out, ",\"labels\":[");
	if (world_random_below(&random, 3) == 0)
		object_append_label(context, out);
	buf_printf(out,
		   "],\"state\":\"%s\",\"locked\":false,\"assignees\":[],\"milestone\":null,"
		   "\"comments\":%" PRIu64 ",\"created_at\":\"%s\",\"updated_at\":\"%s\",",
		   closed ? "closed" : "open", world_random_below(&random, 12),
		   object_time(context, age_seconds).text, object_time(context, 0).text);
	if (closed)
		buf_printf(out, "\"closed_at\":\"%s\",", object_time(context, 0).text);
	else
		buf_append_text(out, "\"closed_at\":null,");
	buf_append_text(out, "\"assignee\":null,\"issue_field_values\":[],\"type\":null,"
			     "\"active_lock_reason\":null,");
	if (plan->on_pull)
		buf_printf(out,
			   "\"draft\":false,\"pull_request\":{\"url\":"
			   "\"https://api.github.com/repos/%s/pulls/%" PRIu32
			   "\",\"merged_at\":null},",
			   context->full_name, plan->number);
	buf_append_text(
		out, "\"sub_issues_summary\":{\"total\":0,\"completed\":0,\"percent_completed\":0},"
		     "\"body\":");
	object_append_body(context, &random, out);
	buf_append_text(out, ",\"reactions\":");
	object_append_reactions(context->full_name, "issues", plan->number, out);
	buf_printf(out,
		   ",\"timeline_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32
		   "/timeline\","
		   "\"performed_via_github_app\":null,\"state_reason\":%s,\"pinned_comment\":null}",
		   context->full_name, plan->number, closed ? "\"completed\"" : "null");
}

void object_append_comment(struct object_context *context, const char *kind, struct buf *out)
{
	const struct event_plan *plan = context->plan;
	uint64_t id = 3000000000U + plan->id % 1000000000U;
	buf_printf(out, "{\"url\":\"https://api.github.com/repos/%s/%s/%" PRIu64 "\",",
		   context->full_name, kind, id);
	if (strcmp(kind, "comments") == 0) {
		buf_printf(out, "\"html_url\":\"https://github.com/%s/commit/", context->full_name);
		text_append_sha(out, &context->random);
		buf_printf(out,
			   "#commitcomment-%" PRIu64
			   "\",\"position\":null,\"line\":null,\"path\":null,"
			   "\"commit_id\":\"",
			   id);
		text_append_sha(out, &context->random);
		buf_append_text(out, "\",");
	} else {
		buf_printf(out,
			   "\"html_url\":\"https://github.com/%s/%s/%" PRIu32 "#comment-%" PRIu64
			   "\",",
			   context->full_name, plan->on_pull ? "pull" : "issues", plan->number, id);
	}
	buf_printf(out, "\"id\":%" PRIu64 ",\"node_id\":\"IC_kwDO%08" PRIx64 "\",\"user\":", id,
		   id);
	object_append_user(out, &context->actor);
	buf_printf(out, ",\"created_at\":\"%s\",\"updated_at\":\"%s\",\"body\":",
		   object_time(context, 1).text, object_time(context, 1).text);
	object_append_body(context, &context->random, out);
	buf_append_text(out, ",\"reactions\":");
	object_append_reactions(context->full_name, kind, id, out);
	buf_append_byte(out, '}');
}
