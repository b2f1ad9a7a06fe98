/* SPDX-License-Identifier: Apache-2.0 */
/* scan_event.c - from slots to an event: what each era of GitHub's payloads calls a column (FACTS
 * A: Timeline until 2014, full payloads from 2015, thin ones since October 2025). */
#include "lake/scan_private.h"

#include "base/clock.h"
#include "lake/derived_id.h"

#include <assert.h>
#include <string.h>

/* 2025-10-07T00:00:00Z: GitHub's final switch to thin payloads. */
static const int64_t THIN_SINCE_US = INT64_C(1759795200) * 1000000;

/* 2015-01-01T00:00:00Z: GH Archive's switch from the Timeline API to the Events API, whose events all
 * have ids. The Timeline's hours were cut by California's clock, eight hours later. */
static const int64_t EVENTS_API_SINCE_US = INT64_C(1420070400) * 1000000;
static const int64_t TIMELINE_UNTIL_US = (INT64_C(1420070400) + 8 * 3600) * 1000000;

struct reading {
	const struct scan_plan *plan;
	const struct scan_slot *slots;
	struct arena *arena;
	struct scan_cursor place; /* for problems only: its `at` stays at the event's first byte */
};

const char *scan_reason_name(enum scan_reason reason)
{
	static const char *const names[] = {
		[SCAN_OK] = "ok",
		[SCAN_INVALID_JSON] = "invalid-json",
		[SCAN_INVALID_UTF8] = "invalid-utf8",
		[SCAN_TOO_DEEP] = "too-deep",
		[SCAN_TOO_LARGE] = "too-large",
		[SCAN_NOT_AN_OBJECT] = "not-an-object",
		[SCAN_ID_MISSING] = "id-missing",
		[SCAN_TYPE_MISSING] = "type-missing",
		[SCAN_CREATED_AT_MISSING] = "created-at-missing",
		[SCAN_BAD_VALUE] = "bad-value",
	};
	assert(reason < ARRAY_COUNT(names));
	return names[reason];
}

static const struct scan_slot *slot_of(const struct reading *reading, enum scan_path path)
{
	return &reading->slots[reading->plan->path_nodes[path]];
}

static bool has_kind(const struct reading *reading, enum scan_path path, enum scan_kind kind)
{
	return slot_of(reading, path)->kind == kind;
}

static bool is_given(const struct reading *reading, enum scan_path path)
{
	return slot_of(reading, path)->kind > SCAN_KIND_NULL;
}

/* A problem with the value at `path`, or with its absence. */
static bool fail_at(
	struct reading *reading, enum scan_path path, enum scan_reason reason, const char *what)
{
	const struct scan_slot *slot = slot_of(reading, path);
	return scan_fail(&reading->place, reason, slot->data ? slot->data : reading->place.begin,
		"%s", what);
}

static bool read_decoded(struct reading *reading, enum scan_path path, struct span *text_out)
{
	return scan_read_string(slot_of(reading, path), reading->arena, text_out)
	       || fail_at(
		       reading, path, SCAN_TOO_LARGE, "no room left in the memory for this scan");
}

/* Absent and null leave *text_out as it is. */
static bool read_text(
	struct reading *reading, enum scan_path path, const char *what, struct span *text_out)
{
	if (!is_given(reading, path))
		return true;
	if (!has_kind(reading, path, SCAN_KIND_STRING))
		return fail_at(reading, path, SCAN_BAD_VALUE, what);
	return read_decoded(reading, path, text_out);
}

static bool read_integer(
	struct reading *reading, enum scan_path path, const char *what, int64_t *value_out)
{
	return !is_given(reading, path) || scan_read_integer(slot_of(reading, path), value_out)
	       || fail_at(reading, path, SCAN_BAD_VALUE, what);
}

/* A value that may be an object, null or not there. */
static bool check_object(struct reading *reading, enum scan_path path, const char *what)
{
	return !is_given(reading, path) || has_kind(reading, path, SCAN_KIND_OBJECT)
	       || fail_at(reading, path, SCAN_BAD_VALUE, what);
}

/* ---- identity ---- */

/* What only the Timeline API sent. */
static bool is_timeline_form(const struct reading *reading)
{
	return has_kind(reading, SCAN_PATH_REPOSITORY, SCAN_KIND_OBJECT)
	       || has_kind(reading, SCAN_PATH_ACTOR, SCAN_KIND_STRING);
}

/* *old_out true: the event is so old that it may lack an id. Where its form says so and it has no time,
 * read_created_at will say what is wrong. */
static bool read_age(struct reading *reading, bool *old_out)
{
	struct span text;
	int64_t created_at_us;
	*old_out = is_timeline_form(reading);
	if (!has_kind(reading, SCAN_PATH_CREATED_AT, SCAN_KIND_STRING))
		return true;
	if (!read_decoded(reading, SCAN_PATH_CREATED_AT, &text))
		return false;
	if (time_parse(text, &created_at_us))
		*old_out = created_at_us < (*old_out ? TIMELINE_UNTIL_US : EVENTS_API_SINCE_US);
	return true;
}

/* *derived_out true: the id is to be derived once the rest has proved sound. */
static bool read_id(struct reading *reading, struct event *event, bool *derived_out)
{
	static const char *const what = "id is no number of at most 63 bits";
	struct span digits;
	*derived_out = false;
	if (has_kind(reading, SCAN_PATH_ID, SCAN_KIND_STRING)) {
		if (!read_decoded(reading, SCAN_PATH_ID, &digits))
			return false;
		bool is_signed = digits.size > 0 && digits.data[0] == '-';
		return (!is_signed && span_parse_int64(digits, &event->id))
		       || fail_at(reading, SCAN_PATH_ID, SCAN_ID_MISSING, what);
	}
	if (!is_given(reading, SCAN_PATH_ID))
		return read_age(reading, derived_out)
		       && (*derived_out
			       || fail_at(reading, SCAN_PATH_ID, SCAN_ID_MISSING, "no id"));
	return (scan_read_integer(slot_of(reading, SCAN_PATH_ID), &event->id) && event->id >= 0)
	       || fail_at(reading, SCAN_PATH_ID, SCAN_ID_MISSING, what);
}

static bool read_type(struct reading *reading, struct event *event)
{
	static const struct span other = SPAN_LITERAL("_other");
	if (!has_kind(reading, SCAN_PATH_TYPE, SCAN_KIND_STRING))
		return fail_at(reading, SCAN_PATH_TYPE, SCAN_TYPE_MISSING,
			is_given(reading, SCAN_PATH_TYPE) ? "type is not a string" : "no type");
	if (!read_decoded(reading, SCAN_PATH_TYPE, &event->type))
		return false;
	if (!event_type_is_plain(event->type))
		event->type = other;
	return true;
}

static bool read_created_at(struct reading *reading, struct event *event)
{
	struct span text;
	if (!has_kind(reading, SCAN_PATH_CREATED_AT, SCAN_KIND_STRING))
		return fail_at(reading, SCAN_PATH_CREATED_AT, SCAN_CREATED_AT_MISSING,
			is_given(reading, SCAN_PATH_CREATED_AT) ? "created_at is not a string"
								: "no created_at");
	if (!read_decoded(reading, SCAN_PATH_CREATED_AT, &text))
		return false;
	return time_parse(text, &event->created_at_us)
	       || fail_at(reading, SCAN_PATH_CREATED_AT, SCAN_CREATED_AT_MISSING,
		       "created_at is not a time");
}

/* ---- who and where ---- */

/* As read_text, but "" is absent too: so the Timeline wrote who was not known. */
static bool read_name(
	struct reading *reading, enum scan_path path, const char *what, struct span *name_out)
{
	struct span name = {0};
	if (!read_text(reading, path, what, &name))
		return false;
	if (name.size > 0)
		*name_out = name;
	return true;
}

static bool read_actor(struct reading *reading, struct event *event)
{
	bool ok;
	if (has_kind(reading, SCAN_PATH_ACTOR, SCAN_KIND_STRING))
		ok = read_name(reading, SCAN_PATH_ACTOR, "", &event->actor_login);
	else
		ok = check_object(
			     reading, SCAN_PATH_ACTOR, "actor is neither an object nor a login")
		     && read_integer(reading, SCAN_PATH_ACTOR_ID,
			     "actor.id is no integer of 64 bits", &event->actor_id)
		     && read_text(reading, SCAN_PATH_ACTOR_LOGIN, "actor.login is not a string",
			     &event->actor_login);
	if (ok && !event->actor_login.data && !has_kind(reading, SCAN_PATH_ACTOR, SCAN_KIND_OBJECT))
		ok = read_name(reading, SCAN_PATH_ACTOR_ATTRIBUTES_LOGIN,
			"actor_attributes.login is not a string", &event->actor_login);
	if (!ok)
		return false;
	event->is_bot = span_ends_with(event->actor_login, "[bot]")
			|| field_set_is_bot(reading->plan->fields, event->actor_login);
	return true;
}

/* The Timeline's `repository`: owner and name make the name of today. */
static bool read_repository(struct reading *reading, struct event *event)
{
	struct span owner = {0};
	struct span name = {0};
	if (!read_integer(reading, SCAN_PATH_REPOSITORY_ID,
		    "repository.id is no integer of 64 bits", &event->repo_id)
		|| !read_name(reading, SCAN_PATH_REPOSITORY_OWNER,
			"repository.owner is not a string", &owner)
		|| !read_name(reading, SCAN_PATH_REPOSITORY_NAME, "repository.name is not a string",
			&name))
		return false;
	if (!owner.data || !name.data)
		return true;
	struct buf joined;
	buf_init(&joined, owner.size + name.size + 2);
	buf_append_span(&joined, owner);
	buf_append_byte(&joined, '/');
	buf_append_span(&joined, name);
	event->repo_name = arena_copy(reading->arena, buf_span(&joined));
	buf_finish(&joined);
	return event->repo_name.data
	       || fail_at(reading, SCAN_PATH_REPOSITORY, SCAN_TOO_LARGE,
		       "no room left in the memory for this scan");
}

static bool read_repo(struct reading *reading, struct event *event)
{
	if (!is_given(reading, SCAN_PATH_REPO)
		&& has_kind(reading, SCAN_PATH_REPOSITORY, SCAN_KIND_OBJECT))
		return read_repository(reading, event);
	bool ok = check_object(reading, SCAN_PATH_REPO, "repo is not an object")
		  && read_integer(reading, SCAN_PATH_REPO_ID, "repo.id is no integer of 64 bits",
			  &event->repo_id)
		  && read_text(reading, SCAN_PATH_REPO_NAME, "repo.name is not a string",
			  &event->repo_name);
	/* 2011's events without a repository (gists, follows) say {"name": "/"}. */
	if (ok && span_equal_text(event->repo_name, "/"))
		event->repo_name = (struct span){0};
	return ok;
}

static bool read_org(struct reading *reading, struct event *event)
{
	if (!is_given(reading, SCAN_PATH_ORG)
		&& has_kind(reading, SCAN_PATH_REPOSITORY, SCAN_KIND_OBJECT))
		return read_name(reading, SCAN_PATH_REPOSITORY_ORGANIZATION,
			"repository.organization is not a string", &event->org_login);
	return check_object(reading, SCAN_PATH_ORG, "org is not an object")
	       && read_text(reading, SCAN_PATH_ORG_LOGIN, "org.login is not a string",
		       &event->org_login);
}

/* ---- payload ---- */

/* "https://github.com/OWNER/NAME/issues/500#issuecomment-6344615", likewise "/pull/228#r989247". */
static bool number_of_url(struct span url, int64_t *number_out)
{
	static const char *const hosts[] = {"https://github.com/", "http://github.com/"};
	size_t host = 0;
	while (host < ARRAY_COUNT(hosts) && !span_starts_with(url, hosts[host]))
		host++;
	if (host == ARRAY_COUNT(hosts))
		return false;
	struct span part;
	struct span rest = {url.data + strlen(hosts[host]), url.size - strlen(hosts[host])};
	if (!span_split(rest, '/', &part, &rest) || !span_split(rest, '/', &part, &rest)
		|| !span_split(rest, '/', &part, &rest)
		|| (!span_equal_text(part, "issues") && !span_equal_text(part, "pull")))
		return false;
	(void)span_split(rest, '#', &rest, &part);
	return !span_starts_with(rest, "-") && span_parse_int64(rest, number_out);
}

/* Comments of the Timeline name their issue or pull request in their address only. */
static bool read_number_of_url(struct reading *reading, struct event *event)
{
	static const char *const types[] = {"IssueCommentEvent", "IssuesEvent", "PullRequestEvent",
		"PullRequestReviewCommentEvent"};
	struct span url;
	if (!is_timeline_form(reading) || !has_kind(reading, SCAN_PATH_URL, SCAN_KIND_STRING))
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (!span_equal_text(event->type, types[i]))
			continue;
		if (!read_decoded(reading, SCAN_PATH_URL, &url))
			return false;
		(void)number_of_url(url, &event->number);
	}
	return true;
}

/* The first that is given, in this order. */
static bool read_number(struct reading *reading, struct event *event)
{
	static const enum scan_path paths[] = {
		SCAN_PATH_NUMBER,
		SCAN_PATH_PULL_REQUEST_NUMBER,
		SCAN_PATH_ISSUE_NUMBER,
		SCAN_PATH_DISCUSSION_NUMBER,
	};
	for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
		if (is_given(reading, paths[i]))
			return read_integer(reading, paths[i], "number is no integer of 64 bits",
				&event->number);
	return read_number_of_url(reading, event);
}

static bool read_ref_type(struct reading *reading, struct event *event)
{
	if (!is_given(reading, SCAN_PATH_REF_TYPE) && span_equal_text(event->type, "CreateEvent")
		&& has_kind(reading, SCAN_PATH_OBJECT, SCAN_KIND_STRING))
		return read_decoded(reading, SCAN_PATH_OBJECT, &event->ref_type);
	return read_text(reading, SCAN_PATH_REF_TYPE, "payload.ref_type is not a string",
		&event->ref_type);
}

static void read_merged(const struct reading *reading, struct event *event)
{
	bool sent_true = has_kind(reading, SCAN_PATH_PULL_REQUEST_MERGED, SCAN_KIND_TRUE);
	bool sent = sent_true || has_kind(reading, SCAN_PATH_PULL_REQUEST_MERGED, SCAN_KIND_FALSE);
	bool from_action = event->action.data && span_equal_text(event->type, "PullRequestEvent");
	/* Where GitHub sent the flag, a "closed" without it (imported columns) says nothing of a merge. */
	if (event->era != EVENT_ERA_THIN && span_equal_text(event->action, "closed"))
		from_action = false;
	event->merged_known = sent || from_action;
	event->merged = sent ? sent_true : from_action && span_equal_text(event->action, "merged");
}

static enum event_era read_era(
	const struct reading *reading, const struct event *event, bool is_derived)
{
	if (is_timeline_form(reading) || is_derived)
		return EVENT_ERA_TIMELINE;
	if (event->created_at_us < THIN_SINCE_US)
		return EVENT_ERA_FULL;
	/* GitHub Enterprise Server went on sending full payloads. */
	bool is_full = (span_equal_text(event->type, "PullRequestEvent")
			       && is_given(reading, SCAN_PATH_PULL_REQUEST_STATE))
		       || (span_equal_text(event->type, "PushEvent")
			       && is_given(reading, SCAN_PATH_COMMITS));
	return is_full ? EVENT_ERA_FULL : EVENT_ERA_THIN;
}

bool scan_event(const struct scan_plan *plan, struct span json, struct arena *arena,
	struct event *event_out, struct scan_problem *problem_out)
{
	assert(plan->node_count <= SCAN_NODE_COUNT_MAX);
	struct scan_slot slots[SCAN_NODE_COUNT_MAX];
	if (!scan_walk(plan, json, slots, problem_out))
		return false;
	struct reading reading = {
		plan,
		slots,
		arena,
		{json.data, json.data, json.data + json.size, 0, problem_out},
	};
	struct event event = {0};
	bool is_derived;
	if (!read_id(&reading, &event, &is_derived) || !read_type(&reading, &event)
		|| !read_created_at(&reading, &event) || !read_actor(&reading, &event)
		|| !read_repo(&reading, &event) || !read_org(&reading, &event)
		|| !read_text(
			&reading, SCAN_PATH_ACTION, "payload.action is not a string", &event.action)
		|| !read_number(&reading, &event) || !read_ref_type(&reading, &event))
		return false;
	event.era = read_era(&reading, &event, is_derived);
	read_merged(&reading, &event);
	if (!scan_read_fields(plan, slots, event.type, arena, &event.fields))
		return scan_fail(&reading.place, SCAN_TOO_LARGE, json.data,
			"no room left in the memory for this scan");
	if (is_derived)
		event.id = derived_id(json);
	*event_out = event;
	return true;
}
