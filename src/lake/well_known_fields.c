/* SPDX-License-Identifier: Apache-2.0 */
/* well_known_fields.c - one table. GitHub gives a key the same type wherever it stands, so that the
 * end of a path decides; a key that is a number in one object and an object in another is listed
 * with the object around it. Sources: GitHub's OpenAPI description (schemas of the events and of
 * what their payloads hold) and events recorded from 2011 to 2026. */
#include "lake/well_known_fields.h"

#include <string.h>

static const char *const integer_ends[] = {
	"+1",
	"-1",
	"additions",
	"blocked_by",
	"blocking",
	"changed_files",
	"closed_issues",
	"comment_id",
	"completed",
	"confused",
	"deletions",
	"discussion.comments",
	"distinct_size",
	"download_count",
	"eyes",
	"forks",
	"forks_count",
	"heart",
	"hooray",
	"id",
	"in_reply_to_id",
	"issue.comments",
	"issue_id",
	"laugh",
	"line",
	"mentions_count",
	"number",
	"open_issues",
	"open_issues_count",
	"original_line",
	"original_position",
	"original_start_line",
	"percent_completed",
	"position",
	"pull_request.comments",
	"pull_request.commits",
	"pull_request.review_comments",
	"pull_request_review_id",
	"push_id",
	"repository_id",
	"rocket",
	"size",
	"stargazers_count",
	"start_line",
	"subscribers_count",
	"total",
	"total_blocked_by",
	"total_blocking",
	"total_count",
	"watchers",
	"watchers_count",
};

static const char *const boolean_ends[] = {
	"allow_forking",
	"archived",
	"default",
	"disabled",
	"draft",
	"fork",
	"has_discussions",
	"has_downloads",
	"has_issues",
	"has_pages",
	"has_projects",
	"has_pull_requests",
	"has_wiki",
	"immutable",
	"is_answerable",
	"is_short_description_html_truncated",
	"is_template",
	"locked",
	"maintainer_can_modify",
	"mergeable",
	"merged",
	"prerelease",
	"private",
	"public",
	"rebaseable",
	"site_admin",
	"web_commit_signoff_required",
};

static const char *const time_ends[] = {
	"answer_chosen_at",
	"closed_at",
	"created_at",
	"due_on",
	"merged_at",
	"pinned_at",
	"published_at",
	"pushed_at",
	"submitted_at",
	"updated_at",
};

static bool ends_with_keys(struct span path, const char *keys)
{
	if (!span_ends_with(path, keys))
		return false;
	size_t before = path.size - strlen(keys);
	return before == 0 || path.data[before - 1] == '.';
}

static bool ends_with_any(struct span path, const char *const *ends, size_t end_count)
{
	for (size_t i = 0; i < end_count; i++)
		if (ends_with_keys(path, ends[i]))
			return true;
	return false;
}

enum value_type well_known_field_type(struct span path)
{
	if (ends_with_any(path, integer_ends, ARRAY_COUNT(integer_ends)))
		return VALUE_INTEGER;
	if (ends_with_any(path, boolean_ends, ARRAY_COUNT(boolean_ends)))
		return VALUE_BOOLEAN;
	if (ends_with_any(path, time_ends, ARRAY_COUNT(time_ends)))
		return VALUE_TIME;
	return VALUE_TEXT;
}
