/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_payload.c - the payload of each of the 16 types, as the Events API sends it since
 * 2025-10-07: pushes without commits, pull requests as a stub. What a world with full payloads has
 * instead is in synthetic_full.c. */
#include "fake_github/synthetic_event.h"

#include "base/clock.h"
#include "fake_github/synthetic_object.h"
#include "fake_github/synthetic_text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Every other time there is no text. */
static void append_or_null(struct object_context *context,
			   void (*append)(const struct object_context *context, struct world_random *random,
					  struct buf *out),
			   struct buf *out)
{
	if (world_random_below(&context->random, 2))
		append(context, &context->random, out);
	else
		buf_append_text(out, "null");
}

static void append_push(struct object_context *context, struct buf *out)
{
	if (context->world->shape.full_payloads) {
		full_append_push(context, out);
		return;
	}
	buf_printf(out,
		   "{\"repository_id\":%" PRId64 ",\"push_id\":%" PRIu64
		   ",\"ref\":\"refs/heads/%s\",\"head\":\"",
		   context->repository->id, context->plan->id + 22000000000U,
		   text_pick_branch(&context->random));
	text_append_sha(out, &context->random);
	buf_append_text(out, "\",\"before\":\"");
	text_append_sha(out, &context->random);
	buf_append_text(out, "\"}");
}

static void append_create(struct object_context *context, struct buf *out)
{
	uint64_t draw = world_random_below(&context->random, 10);
	const char *branch = text_pick_branch(&context->random);
	uint64_t minor = world_random_below(&context->random, 40);
	if (draw < 7)
		buf_printf(out,
			   "{\"ref\":\"%s\",\"ref_type\":\"branch\",\"full_ref\":\"refs/heads/%s\"",
			   branch, branch);
	else if (draw < 9)
		buf_printf(out,
			   "{\"ref\":\"v1.%" PRIu64 ".0\",\"ref_type\":\"tag\","
			   "\"full_ref\":\"refs/tags/v1.%" PRIu64 ".0\"",
			   minor, minor);
	else
		buf_append_text(out, "{\"ref\":null,\"ref_type\":\"repository\",\"full_ref\":null");
	buf_append_text(out, ",\"master_branch\":\"main\",\"description\":");
	append_or_null(context, object_append_title, out);
	buf_append_text(out, ",\"pusher_type\":\"user\"}");
}

static void append_delete(struct object_context *context, struct buf *out)
{
	const char *branch = text_pick_branch(&context->random);
	buf_printf(out,
		   "{\"ref\":\"%s\",\"ref_type\":\"branch\",\"full_ref\":\"refs/heads/%s\","
		   "\"pusher_type\":\"user\"}",
		   branch, branch);
}

/* For actions on labels and people: what was changed, and all there is now. */
static void append_change(struct object_context *context, struct buf *out)
{
	const char *action = context->plan->action;
	if (strstr(action, "label")) {
		buf_append_text(out, ",\"label\":");
		struct object_context again = *context;
		object_append_label(context, out);
		buf_append_text(out, ",\"labels\":[");
		object_append_label(&again, out);
		buf_append_byte(out, ']');
	} else if (strstr(action, "assigned")) {
		buf_append_text(out, ",\"assignee\":");
		object_append_user(out, &context->actor);
		buf_append_text(out, ",\"assignees\":[");
		object_append_user(out, &context->actor);
		buf_append_byte(out, ']');
	}
}

static void append_pull_request(struct object_context *context, struct buf *out)
{
	buf_printf(out, "{\"action\":\"%s\",\"number\":%" PRIu32 ",\"pull_request\":",
		   context->plan->action, context->plan->number);
	object_append_pull(context, out);
	append_change(context, out);
	buf_append_byte(out, '}');
}

static void append_review(struct object_context *context, struct buf *out)
{
	static const char *const states[] = {"approved", "commented", "changes_requested",
					     "approved"};
	uint64_t id = 4900000000U + context->plan->id % 100000000U;
	const char *full_name = context->full_name;
	uint32_t number = context->plan->number;
	buf_printf(out,
		   "{\"action\":\"created\",\"review\":{\"id\":%" PRIu64
		   ",\"node_id\":\"PRR_kwDO%08" PRIx64 "\",\"user\":",
		   id, id);
	object_append_user(out, &context->actor);
	buf_append_text(out, ",\"body\":");
	append_or_null(context, object_append_body, out);
	buf_append_text(out, ",\"commit_id\":\"");
	text_append_sha(out, &context->random);
	buf_printf(out,
		   "\",\"submitted_at\":\"%s\",\"state\":\"%s\",\"html_url\":"
		   "\"https://github.com/%s/pull/%" PRIu32 "#pullrequestreview-%" PRIu64 "\","
		   "\"pull_request_url\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "\","
		   "\"_links\":{\"html\":{\"href\":\"https://github.com/%s/pull/%" PRIu32
		   "#pullrequestreview-%" PRIu64 "\"},\"pull_request\":{\"href\":"
		   "\"https://api.github.com/repos/%s/pulls/%" PRIu32 "\"}},\"updated_at\":\"%s\"},"
		   "\"pull_request\":",
		   object_time(context, 2).text,
		   states[world_random_below(&context->random, ARRAY_COUNT(states))], full_name,
		   number, id, full_name, number, full_name, number, id, full_name, number,
		   object_time(context, 2).text);
	object_append_pull(context, out);
	buf_append_byte(out, '}');
}

static void append_review_comment(struct object_context *context, struct buf *out)
{
	buf_append_text(out, "{\"action\":\"created\",\"pull_request\":");
	object_append_pull(context, out);
	buf_append_text(out, ",\"comment\":");
	object_append_comment(context, "pulls/comments", out);
	buf_append_byte(out, '}');
}

static void append_issues(struct object_context *context, struct buf *out)
{
	buf_printf(out, "{\"action\":\"%s\",\"issue\":", context->plan->action);
	object_append_issue(context, out);
	append_change(context, out);
	buf_append_byte(out, '}');
}

static void append_issue_comment(struct object_context *context, struct buf *out)
{
	buf_append_text(out, "{\"action\":\"created\",\"issue\":");
	object_append_issue(context, out);
	buf_append_text(out, ",\"comment\":");
	object_append_comment(context, "issues/comments", out);
	buf_append_byte(out, '}');
}

static void append_watch(struct object_context *context, struct buf *out)
{
	buf_printf(out, "{\"action\":\"%s\"}", context->plan->action);
}

static void append_fork(struct object_context *context, struct buf *out)
{
	static const char *const languages[] = {"\"C\"", "\"Rust\"", "\"TypeScript\"", "\"Python\"",
						"null"};
	const char *login = context->actor.login;
	const char *name = context->repository->name;
	int64_t id = context->repository->id + 400000000 + (int64_t)(context->plan->id % 1000000U);
	uint64_t language = world_random_below(&context->random, ARRAY_COUNT(languages));
	buf_printf(out,
		   "{\"action\":\"forked\",\"forkee\":{\"id\":%" PRId64
		   ",\"node_id\":\"R_kgDO%08" PRIx64
		   "\",\"name\":\"%s\",\"full_name\":\"%s/%s\",\"private\":false,\"owner\":",
		   id, (uint64_t)id, name, login, name);
	object_append_user(out, &context->actor);
	buf_printf(out, ",\"html_url\":\"https://github.com/%s/%s\",\"description\":", login, name);
	object_append_title(context, &context->random, out);
	buf_printf(out, ",\"fork\":true,\"url\":\"https://api.github.com/repos/%s/%s\"", login,
		   name);
	static const char *const members[] = {"forks", "keys", "teams", "hooks", "events", "tags",
					      "languages", "stargazers", "subscribers", "merges"};
	for (size_t i = 0; i < ARRAY_COUNT(members); i++)
		buf_printf(out, ",\"%s_url\":\"https://api.github.com/repos/%s/%s/%s\"", members[i],
			   login, name, members[i]);
	buf_printf(
		out,
		",\"created_at\":\"%s\",\"updated_at\":\"%s\",\"pushed_at\":\"%s\",\"homepage\":\"\","
		"\"size\":%" PRIu64 ",\"stargazers_count\":0,\"watchers_count\":0,\"language\":%s,"
		"\"has_issues\":false,\"has_projects\":true,\"has_wiki\":true,\"has_pages\":false,"
		"\"forks_count\":0,\"mirror_url\":null,\"archived\":false,\"disabled\":false,"
		"\"open_issues_count\":0,\"license\":null,\"allow_forking\":true,"
		"\"is_template\":false,\"topics\":[],\"visibility\":\"public\",\"forks\":0,"
		"\"open_issues\":0,\"watchers\":0,\"default_branch\":\"main\"}}",
		object_time(context, 0).text, object_time(context, 3600).text,
		object_time(context, 7200).text, world_random_below(&context->random, 90000),
		languages[language]);
}

static void append_release(struct object_context *context, struct buf *out)
{
	const char *full_name = context->full_name;
	uint64_t id = 240000000U + context->plan->id % 10000000U;
	uint64_t major = world_random_below(&context->random, 9);
	uint64_t minor = world_random_below(&context->random, 30);
	buf_printf(
		out,
		"{\"action\":\"published\",\"release\":{\"url\":\"https://api.github.com/repos/%s/"
		"releases/%" PRIu64
		"\",\"assets_url\":\"https://api.github.com/repos/%s/releases/%" PRIu64
		"/assets\",\"html_url\":\"https://github.com/%s/releases/tag/v%" PRIu64 ".%" PRIu64
		".0\",\"id\":%" PRIu64 ",\"author\":",
		full_name, id, full_name, id, full_name, major, minor, id);
	object_append_user(out, &context->actor);
	buf_printf(out,
		   ",\"node_id\":\"RE_kwDO%08" PRIx64 "\",\"tag_name\":\"v%" PRIu64 ".%" PRIu64
		   ".0\",\"target_commitish\":\"main\",\"name\":",
		   id, major, minor);
	object_append_title(context, &context->random, out);
	buf_printf(out,
		   ",\"draft\":false,\"immutable\":false,\"prerelease\":%s,\"created_at\":\"%s\","
		   "\"updated_at\":\"%s\",\"published_at\":\"%s\",\"assets\":[],\"tarball_url\":"
		   "\"https://api.github.com/repos/%s/tarball/v%" PRIu64 ".%" PRIu64
		   ".0\",\"body\":",
		   world_random_below(&context->random, 5) ? "false" : "true",
		   object_time(context, 600).text, object_time(context, 0).text,
		   object_time(context, 0).text, full_name, major, minor);
	object_append_body(context, &context->random, out);
	buf_append_text(out, ",\"short_description_html\":null,"
			     "\"is_short_description_html_truncated\":false}}");
}

static void append_discussion(struct object_context *context, struct buf *out)
{
	uint64_t id = 8000000U + context->plan->id % 1000000U;
	uint64_t number = 1 + world_random_below(&context->random, 900);
	buf_printf(
		out,
		"{\"action\":\"created\",\"discussion\":{\"repository_url\":"
		"\"https://api.github.com/repos/%s\",\"category\":{\"id\":41,\"name\":\"Q&A\","
		"\"is_answerable\":true},\"answer_html_url\":null,\"answer_chosen_at\":null,"
		"\"answer_chosen_by\":null,\"html_url\":\"https://github.com/%s/discussions/%" PRIu64
		"\",\"id\":%" PRIu64 ",\"node_id\":\"D_kwDO%08" PRIx64 "\",\"number\":%" PRIu64
		",\"title\":",
		context->full_name, context->full_name, number, id, id, number);
	object_append_title(context, &context->random, out);
	buf_append_text(out, ",\"user\":");
	object_append_user(out, &context->actor);
	buf_printf(
		out,
		",\"state\":\"open\",\"state_reason\":null,\"locked\":false,\"comments\":0,"
		"\"created_at\":\"%s\",\"updated_at\":\"%s\",\"active_lock_reason\":null,\"body\":",
		object_time(context, 1).text, object_time(context, 1).text);
	object_append_body(context, &context->random, out);
	buf_append_text(out, ",\"labels\":[]}}");
}

static void append_gollum(struct object_context *context, struct buf *out)
{
	static const char *const pages[] = {"Home", "Installation", "FAQ", "Schöne-Seite"};
	const char *page = pages[world_random_below(&context->random, ARRAY_COUNT(pages))];
	buf_printf(out,
		   "{\"pages\":[{\"page_name\":\"%s\",\"title\":\"%s\",\"summary\":null,"
		   "\"action\":\"edited\",\"sha\":\"",
		   page, page);
	text_append_sha(out, &context->random);
	buf_printf(out, "\",\"html_url\":\"https://github.com/%s/wiki/%s\"}]}", context->full_name,
		   page);
}

static void append_member(struct object_context *context, struct buf *out)
{
	uint32_t number = (uint32_t)world_random_below(&context->random, context->world->shape.people);
	struct world_account member = world_account_of(context->world, number);
	buf_append_text(out, "{\"action\":\"added\",\"member\":");
	object_append_user(out, &member);
	buf_append_byte(out, '}');
}

static void append_commit_comment(struct object_context *context, struct buf *out)
{
	buf_append_text(out, "{\"action\":\"created\",\"comment\":");
	object_append_comment(context, "comments", out);
	buf_append_byte(out, '}');
}

static void append_public(struct object_context *context, struct buf *out)
{
	(void)context;
	buf_append_text(out, "{}");
}

void event_render_payload(const struct world *world, const struct event_plan *plan, struct buf *out)
{
	static void (*const append[EVENT_TYPES])(struct object_context * context,
						 struct buf * out) = {
		[EVENT_PUSH] = append_push,
		[EVENT_CREATE] = append_create,
		[EVENT_DELETE] = append_delete,
		[EVENT_PULL_REQUEST] = append_pull_request,
		[EVENT_PULL_REQUEST_REVIEW] = append_review,
		[EVENT_PULL_REQUEST_REVIEW_COMMENT] = append_review_comment,
		[EVENT_ISSUES] = append_issues,
		[EVENT_ISSUE_COMMENT] = append_issue_comment,
		[EVENT_WATCH] = append_watch,
		[EVENT_FORK] = append_fork,
		[EVENT_RELEASE] = append_release,
		[EVENT_DISCUSSION] = append_discussion,
		[EVENT_GOLLUM] = append_gollum,
		[EVENT_MEMBER] = append_member,
		[EVENT_COMMIT_COMMENT] = append_commit_comment,
		[EVENT_PUBLIC] = append_public,
	};
	assert(append[plan->type]);
	struct object_context context;
	object_context_init(&context, world, plan);
	append[plan->type](&context, out);
}
