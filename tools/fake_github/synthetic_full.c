/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_full.c - what GitHub sent until 2025-10-07 and no longer does: the commits of a push, all
 * members of a pull request and of the repositories inside it. Keys and their order are those of an
 * hour recorded in 2021. */
#include "fake_github/synthetic_object.h"

#include "base/clock.h"
#include "fake_github/synthetic_prose.h"
#include "fake_github/synthetic_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PUSH_COMMITS_MAX = 20 }; /* GitHub's own */

static uint64_t pick_commit_count(struct world_random *random)
{
	/* Measured in 2021: 85 % one, 2 % none, 1 % twenty (or more); in 2015 there were more with several. */
	uint64_t draw = world_random_below(random, 100);
	if (draw < 2)
		return 0;
	if (draw < 76)
		return 1;
	if (draw < 97)
		return 2 + world_random_below(random, 5);
	return 7 + world_random_below(random, PUSH_COMMITS_MAX - 6);
}

static void append_commit(const struct object_context *context, const char *sha, struct world_random *random,
			  struct buf *out)
{
	static const char *const domains[] = {"gmail.com", "users.noreply.github.com", "example.org", "outlook.com"};
	/* Mostly the pusher's own; GH Archive hashes what is before the @. */
	struct world_random author = {(uint64_t)context->actor.id};
	struct world_account account = context->actor;
	if (world_random_below(random, 5) == 0) {
		uint32_t other = (uint32_t)world_random_below(random, context->world->shape.people);
		account = world_account_of(context->world, other);
		author.state = (uint64_t)account.id;
	}
	buf_printf(out, "{\"sha\":\"%s\",\"author\":{\"name\":\"%s\",\"email\":\"", sha, account.login);
	text_append_sha(out, &author);
	buf_printf(out, "@%s\"},\"message\":", domains[world_random_below(&author, ARRAY_COUNT(domains))]);
	if (context->world->shape.prose)
		prose_append_message(out, random);
	else
		text_append(out, text_pick_title(random));
	buf_printf(out, ",\"distinct\":%s,\"url\":\"https://api.github.com/repos/%s/commits/%s\"}",
		   world_random_below(random, 10) ? "true" : "false", context->full_name, sha);
}

static void append_branch(const struct object_context *context, struct world_random *random, struct buf *out)
{
	if (context->world->shape.prose)
		prose_append_branch(out, random);
	else
		buf_append_text(out, text_pick_branch(random));
}

struct sha_text {
	char text[41];
};

static struct sha_text make_sha(struct world_random *random)
{
	struct sha_text sha;
	(void)snprintf(sha.text, sizeof(sha.text), "%016" PRIx64 "%016" PRIx64 "%08" PRIx32,
		       world_random_next(random), world_random_next(random), (uint32_t)world_random_next(random));
	return sha;
}

void full_append_push(struct object_context *context, struct buf *out)
{
	struct world_random *random = &context->random;
	uint64_t count = pick_commit_count(random);
	struct sha_text head = make_sha(random);
	struct sha_text before = make_sha(random);
	buf_printf(out,
		   "{\"repository_id\":%" PRId64 ",\"push_id\":%" PRIu64 ",\"size\":%" PRIu64
		   ",\"distinct_size\":%" PRIu64 ",\"ref\":\"refs/heads/",
		   context->repository->id, context->plan->id % 40000000000U + 1000000000U, count, count);
	append_branch(context, random, out);
	buf_printf(out, "\",\"head\":\"%s\",\"before\":\"%s\",\"commits\":[", head.text, before.text);
	for (uint64_t i = 0; i < count; i++) {
		struct sha_text sha = i + 1 == count ? head : make_sha(random);
		if (i > 0)
			buf_append_byte(out, ',');
		append_commit(context, sha.text, random, out);
	}
	buf_append_text(out, "]}");
}

static void append_repository_urls(const char *owner, const char *name, struct buf *out)
{
	static const char *const members[][2] = {
		{"forks_url", "/forks"},
		{"keys_url", "/keys{/key_id}"},
		{"collaborators_url", "/collaborators{/collaborator}"},
		{"teams_url", "/teams"},
		{"hooks_url", "/hooks"},
		{"issue_events_url", "/issues/events{/number}"},
		{"events_url", "/events"},
		{"assignees_url", "/assignees{/user}"},
		{"branches_url", "/branches{/branch}"},
		{"tags_url", "/tags"},
		{"blobs_url", "/git/blobs{/sha}"},
		{"git_tags_url", "/git/tags{/sha}"},
		{"git_refs_url", "/git/refs{/sha}"},
		{"trees_url", "/git/trees{/sha}"},
		{"statuses_url", "/statuses/{sha}"},
		{"languages_url", "/languages"},
		{"stargazers_url", "/stargazers"},
		{"contributors_url", "/contributors"},
		{"subscribers_url", "/subscribers"},
		{"subscription_url", "/subscription"},
		{"commits_url", "/commits{/sha}"},
		{"git_commits_url", "/git/commits{/sha}"},
		{"comments_url", "/comments{/number}"},
		{"issue_comment_url", "/issues/comments{/number}"},
		{"contents_url", "/contents/{+path}"},
		{"compare_url", "/compare/{base}...{head}"},
		{"merges_url", "/merges"},
		{"archive_url", "/{archive_format}{/ref}"},
		{"downloads_url", "/downloads"},
		{"issues_url", "/issues{/number}"},
		{"pulls_url", "/pulls{/number}"},
		{"milestones_url", "/milestones{/number}"},
		{"notifications_url", "/notifications{?since,all,participating}"},
		{"labels_url", "/labels{/name}"},
		{"releases_url", "/releases{/id}"},
		{"deployments_url", "/deployments"},
	};
	char base[2 * WORLD_NAME_BYTES + 64];
	(void)snprintf(base, sizeof(base), "https://api.github.com/repos/%s/%s", owner, name);
	buf_printf(out, ",\"url\":\"%s\"", base);
	for (size_t i = 0; i < ARRAY_COUNT(members); i++)
		buf_printf(out, ",\"%s\":\"%s%s\"", members[i][0], base, members[i][1]);
}

void object_append_repository(const struct object_context *context, const struct world_account *owner,
			      const char *name, int64_t id, struct buf *out)
{
	static const char *const languages[] = {"\"JavaScript\"", "\"Python\"", "\"C\"", "\"Go\"", "\"Rust\"",
						"\"TypeScript\"", "\"Java\"", "null"};
	/* The same in every event: it follows from the id. */
	struct world_random random = {(uint64_t)id};
	const char *login = owner->login;
	buf_printf(out,
		   "{\"id\":%" PRId64 ",\"node_id\":\"R_kgDO%08" PRIx64
		   "\",\"name\":\"%s\",\"full_name\":\"%s/%s\",\"private\":false,\"owner\":",
		   id, (uint64_t)id, name, login, name);
	object_append_user(out, owner);
	buf_printf(out, ",\"html_url\":\"https://github.com/%s/%s\",\"description\":", login, name);
	object_append_title(context, &random, out);
	buf_append_text(out, ",\"fork\":false");
	append_repository_urls(login, name, out);
	uint64_t stars = world_random_below(&random, 1 + world_random_below(&random, 3000));
	uint64_t forks = stars / (1 + world_random_below(&random, 9));
	uint64_t issues = world_random_below(&random, 90);
	buf_printf(out,
		   ",\"created_at\":\"%s\",\"updated_at\":\"%s\",\"pushed_at\":\"%s\",\"git_url\":"
		   "\"git://github.com/%s/%s.git\",\"ssh_url\":\"git@github.com:%s/%s.git\",\"clone_url\":"
		   "\"https://github.com/%s/%s.git\",\"svn_url\":\"https://github.com/%s/%s\",\"homepage\":null,",
		   object_time(context, 10000000 + (int64_t)world_random_below(&random, 100000000)).text,
		   object_time(context, (int64_t)world_random_below(&random, 900000)).text,
		   object_time(context, (int64_t)world_random_below(&random, 90000)).text, login, name, login, name,
		   login, name, login, name);
	buf_printf(out,
		   "\"size\":%" PRIu64 ",\"stargazers_count\":%" PRIu64 ",\"watchers_count\":%" PRIu64
		   ",\"language\":%s,\"has_issues\":true,\"has_projects\":true,\"has_downloads\":true,"
		   "\"has_wiki\":%s,\"has_pages\":false,\"forks_count\":%" PRIu64 ",\"mirror_url\":null,"
		   "\"archived\":false,\"disabled\":false,\"open_issues_count\":%" PRIu64
		   ",\"license\":{\"key\":\"mit\",\"name\":\"MIT License\",\"spdx_id\":\"MIT\",\"url\":"
		   "\"https://api.github.com/licenses/mit\",\"node_id\":\"MDc6TGljZW5zZTEz\"},\"forks\":%" PRIu64
		   ",\"open_issues\":%" PRIu64 ",\"watchers\":%" PRIu64 ",\"default_branch\":\"main\"}",
		   world_random_below(&random, 90000), stars, stars,
		   languages[world_random_below(&random, ARRAY_COUNT(languages))],
		   world_random_below(&random, 2) ? "true" : "false", forks, issues, forks, issues, stars);
}

/* One end of a pull request: "head" or "base". */
static void append_end(const struct object_context *context, const char *which, const struct world_account *owner,
		       bool is_fork, const char *sha, struct world_random *branch, struct buf *out)
{
	const struct world_repository *repository = context->repository;
	struct buf ref;
	buf_init(&ref, 256);
	if (branch)
		append_branch(context, branch, &ref);
	else
		buf_append_text(&ref, "main");
	buf_printf(out, ",\"%s\":{\"label\":\"%s:%s\",\"ref\":\"%s\",\"sha\":\"%s\",\"user\":", which, owner->login,
		   ref.data, ref.data, sha);
	buf_finish(&ref);
	object_append_user(out, owner);
	buf_append_text(out, ",\"repo\":");
	object_append_repository(context, owner, repository->name,
				 is_fork ? repository->id + 400000000 : repository->id, out);
	buf_append_byte(out, '}');
}

static void append_pull_links(const struct object_context *context, const char *sha, struct buf *out)
{
	static const char *const links[][3] = {
		{"self", "https://api.github.com/repos/", "/pulls/"},
		{"html", "https://github.com/", "/pull/"},
		{"issue", "https://api.github.com/repos/", "/issues/"},
	};
	const char *full_name = context->full_name;
	uint32_t number = context->plan->number;
	buf_append_text(out, ",\"_links\":{");
	for (size_t i = 0; i < ARRAY_COUNT(links); i++)
		buf_printf(out, "\"%s\":{\"href\":\"%s%s%s%" PRIu32 "\"},", links[i][0], links[i][1], full_name,
			   links[i][2], number);
	buf_printf(out,
		   "\"comments\":{\"href\":\"https://api.github.com/repos/%s/issues/%" PRIu32 "/comments\"},"
		   "\"review_comments\":{\"href\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "/comments\"},"
		   "\"review_comment\":{\"href\":\"https://api.github.com/repos/%s/pulls/comments{/number}\"},"
		   "\"commits\":{\"href\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "/commits\"},"
		   "\"statuses\":{\"href\":\"https://api.github.com/repos/%s/statuses/%s\"}}",
		   full_name, number, full_name, number, full_name, full_name, number, full_name, sha);
}

static void append_pull_start(const struct object_context *context, const struct world_account *author, bool closed,
			      struct world_random *random, struct buf *out)
{
	const struct event_plan *plan = context->plan;
	const char *full_name = context->full_name;
	uint32_t number = plan->number;
	buf_printf(out,
		   "{\"url\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "\",\"id\":%" PRId64
		   ",\"node_id\":\"PR_kwDO%08" PRIx64 "\",\"html_url\":\"https://github.com/%s/pull/%" PRIu32
		   "\",\"diff_url\":\"https://github.com/%s/pull/%" PRIu32
		   ".diff\",\"patch_url\":\"https://github.com/%s/pull/%" PRIu32
		   ".patch\",\"issue_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32 "\",\"number\":%" PRIu32
		   ",\"state\":\"%s\",\"locked\":false,\"title\":",
		   full_name, number, plan->item_id, (uint64_t)plan->item_id, full_name, number, full_name, number,
		   full_name, number, full_name, number, number, closed ? "closed" : "open");
	object_append_title(context, random, out);
	buf_append_text(out, ",\"user\":");
	object_append_user(out, author);
	buf_append_text(out, ",\"body\":");
	object_append_body(context, random, out);
}

static void append_pull_end(const struct object_context *context, struct world_random *random, struct buf *out)
{
	bool merged = context->plan->merged;
	buf_printf(out,
		   ",\"author_association\":\"%s\",\"auto_merge\":null,\"active_lock_reason\":null,\"merged\":%s,"
		   "\"mergeable\":null,\"rebaseable\":null,\"mergeable_state\":\"unknown\",\"merged_by\":",
		   world_random_below(random, 2) ? "CONTRIBUTOR" : "NONE", merged ? "true" : "false");
	if (merged)
		object_append_user(out, &context->actor);
	else
		buf_append_text(out, "null");
	buf_printf(out,
		   ",\"comments\":%" PRIu64 ",\"review_comments\":%" PRIu64
		   ",\"maintainer_can_modify\":false,\"commits\":%" PRIu64 ",\"additions\":%" PRIu64
		   ",\"deletions\":%" PRIu64 ",\"changed_files\":%" PRIu64 "}",
		   world_random_below(random, 9), world_random_below(random, 5), 1 + world_random_below(random, 7),
		   world_random_below(random, 900), world_random_below(random, 300),
		   1 + world_random_below(random, 30));
}

void full_append_pull(struct object_context *context, struct buf *out)
{
	const struct event_plan *plan = context->plan;
	/* Title, body, head and base stay the same over a pull request's life. */
	struct world_random random = {(uint64_t)plan->item_id};
	struct world_account author = world_account_of(context->world, plan->item_author);
	bool closed = plan->action && strcmp(plan->action, "closed") == 0;
	bool from_fork = world_random_below(&random, 3) == 0;
	struct sha_text head = make_sha(&random);
	struct sha_text base = make_sha(&random);
	struct sha_text merge = make_sha(&random);
	const char *full_name = context->full_name;
	uint32_t number = plan->number;
	append_pull_start(context, &author, closed, &random, out);
	buf_printf(out, ",\"created_at\":\"%s\",\"updated_at\":\"%s\",",
		   object_time(context, 60 + (int64_t)world_random_below(&context->random, 500000)).text,
		   object_time(context, 0).text);
	struct time_text now = object_time(context, 0);
	const char *quote = closed ? "\"" : "";
	const char *merge_quote = plan->merged ? "\"" : "";
	buf_printf(out,
		   "\"closed_at\":%s%s%s,\"merged_at\":%s%s%s,\"merge_commit_sha\":\"%s\",\"assignee\":null,"
		   "\"assignees\":[],\"requested_reviewers\":[],\"requested_teams\":[],\"labels\":[",
		   quote, closed ? now.text : "null", quote, merge_quote, plan->merged ? now.text : "null",
		   merge_quote, merge.text);
	if (world_random_below(&random, 3) == 0)
		object_append_label(context, out);
	buf_printf(out,
		   "],\"milestone\":null,\"draft\":false,"
		   "\"commits_url\":\"https://api.github.com/repos/%s/pulls/%" PRIu32 "/commits\","
		   "\"review_comments_url\":\"https://api.github.com/repos/%s/pulls/%" PRIu32
		   "/comments\",\"review_comment_url\":\"https://api.github.com/repos/%s/pulls/comments{/number}\","
		   "\"comments_url\":\"https://api.github.com/repos/%s/issues/%" PRIu32
		   "/comments\",\"statuses_url\":\"https://api.github.com/repos/%s/statuses/%s\"",
		   full_name, number, full_name, number, full_name, full_name, number, full_name, head.text);
	append_end(context, "head", from_fork ? &author : &context->repository->owner, from_fork, head.text, &random,
		   out);
	append_end(context, "base", &context->repository->owner, false, base.text, NULL, out);
	append_pull_links(context, head.text, out);
	append_pull_end(context, &random, out);
}
