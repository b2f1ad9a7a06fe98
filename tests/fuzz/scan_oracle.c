/* SPDX-License-Identifier: Apache-2.0 */
/* scan_oracle.c - what an event means by a full JSON parser (jansson), compared with the scanner.
 *
 * Included by scan_fuzz.c and by tests/unit/lake/scan_{oracle,random}_test.c. Both ways: what the parser
 * accepts the scanner accepts with equal columns, or refuses for the reason that the parsed
 * document gives; what the parser refuses the scanner refuses as malformed. Jansson's own limits
 * are the exceptions: numbers beyond 64 bits or the range of doubles, and keys with U+0000, leave
 * nothing to compare; and it overlooks a NUL byte right behind a number or a literal, which JSON
 * has nowhere. */
#include "tests/fuzz/canonical_oracle.c"

#include "base/buf.h"
#include "base/clock.h"
#include "lake/scan.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORACLE_ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const char oracle_fields_yaml[] =
	"version: 2\n"
	"fields:\n"
	"  PullRequestEvent:\n"
	"    - payload.pull_request\n"
	"    - payload.pull_request.state\n"
	"    - payload.pull_request.id\n"
	"    - payload.pull_request.draft\n"
	"    - payload.pull_request.created_at\n"
	"    - payload.pull_request.head.repo.language\n"
	"    - {path: payload.number, type: number}\n"
	"    - payload.pull_request.title\n"
	"  IssuesEvent: [payload.issue.title, payload.issue.state, payload.issue.labels, "
	"payload.issue.comments]\n"
	"  PushEvent: [payload.size, payload.commits, payload.ref, public]\n"
	"  IssueCommentEvent: [payload.comment.body, payload.issue.title, "
	"payload.comment.created_at]\n"
	"  A: [x, payload, actor, {path: x.y, type: number}, {path: payload.x, type: boolean}]\n"
	"bots: [dependabot-preview, someone]\n";

struct oracle {
	struct field_set *fields;
	struct scan_plan *plan;
	struct arena arena;
	struct scan_problem problem; /* of the last scan that was refused */
	bool accepted;               /* by the scanner */
	char complaint[512];
};

/* An event as the parser sees it. Spans point into the document. */
struct expectation {
	enum scan_reason reason; /* the others hold when it is SCAN_OK */
	struct event event;
	char repo_name[4096];
};

static void oracle_init(struct oracle *oracle)
{
	struct err err = {0};
	*oracle = (struct oracle){0};
	if (!field_set_create(span_of(oracle_fields_yaml), "oracle", &oracle->fields, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	oracle->plan = scan_plan_create(oracle->fields);
	arena_init(&oracle->arena, ORACLE_ARENA_BYTES_MAX);
}

static inline void oracle_finish(struct oracle *oracle)
{
	arena_finish(&oracle->arena);
	scan_plan_destroy(&oracle->plan);
	field_set_destroy(&oracle->fields);
}

/* The value at a dotted path; NULL when absent or null. */
static const json_t *oracle_at(const json_t *document, const char *path)
{
	while (document && *path) {
		size_t size = strcspn(path, ".");
		document = json_object_getn(document, path, size);
		path += size + (path[size] == '.');
	}
	return json_is_null(document) ? NULL : document;
}

static struct span oracle_text(const json_t *value)
{
	return json_is_string(value)
		       ? (struct span){json_string_value(value), json_string_length(value)}
		       : (struct span){0};
}

/* As oracle_text; "" is nothing too. */
static struct span oracle_name(const json_t *value)
{
	return json_string_length(value) > 0 ? oracle_text(value) : (struct span){0};
}

/* The deepest nesting of brackets in well-formed JSON. */
static size_t oracle_depth(struct span json)
{
	size_t depth = 0;
	size_t deepest = 0;
	bool in_string = false;
	for (size_t i = 0; i < json.size; i++) {
		char c = json.data[i];
		if (in_string) {
			i += c == '\\';
			in_string = c != '"';
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			depth++;
			deepest = depth > deepest ? depth : deepest;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return deepest;
}

static bool is_text_or_nothing(const json_t *value)
{
	return !value || json_is_string(value);
}

static bool is_integer_or_nothing(const json_t *value)
{
	return !value || json_is_integer(value);
}

static bool is_timeline_form(const json_t *document)
{
	return json_is_object(oracle_at(document, "repository"))
	       || json_is_string(oracle_at(document, "actor"));
}

static int64_t time_of(const char *text)
{
	int64_t time_us = 0;
	if (!time_parse(span_of(text), &time_us))
		abort();
	return time_us;
}

/* Whether an id is to be derived for an event that has none. */
static bool may_lack_id(const json_t *document)
{
	int64_t time_us;
	if (!time_parse(oracle_text(oracle_at(document, "created_at")), &time_us))
		return is_timeline_form(document);
	return time_us < time_of("2015-01-01T00:00:00Z")
	       || (is_timeline_form(document) && time_us < time_of("2015-01-01T00:00:00-08:00"));
}

static int64_t derive_id(const json_t *document)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, DERIVED_ID_TEXT_BYTES_MAX);
	canonical_event(&text, document);
	int64_t bits = (int64_t)(derived_id_hash(buf_span(&text)) / 2);
	return bits ? -bits : -1;
}

static bool expect_id(const json_t *document, int64_t *id_out)
{
	const json_t *id = oracle_at(document, "id");
	if (!id && may_lack_id(document)) {
		*id_out = derive_id(document);
		return true;
	}
	struct span text = oracle_text(id);
	if (json_is_integer(id) && json_integer_value(id) >= 0) {
		*id_out = json_integer_value(id);
		return true;
	}
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.size > 0 && span_parse_int64(text, id_out);
}

static bool expect_actor(const json_t *document, struct event *event)
{
	const json_t *actor = oracle_at(document, "actor");
	const json_t *login = actor;
	if (!actor || (json_is_string(actor) && json_string_length(actor) == 0))
		login = oracle_at(document, "actor_attributes.login");
	else if (json_is_object(actor))
		login = oracle_at(actor, "login");
	const json_t *id = json_is_object(actor) ? oracle_at(actor, "id") : NULL;
	event->actor_id = json_integer_value(id);
	event->actor_login = json_is_object(actor) ? oracle_text(login) : oracle_name(login);
	static const char bot[] = "[bot]";
	size_t size = event->actor_login.size;
	event->is_bot = (size >= 5 && memcmp(event->actor_login.data + size - 5, bot, 5) == 0)
			|| span_equal_ignore_case(event->actor_login, span_of("dependabot-preview"))
			|| span_equal_ignore_case(event->actor_login, span_of("someone"));
	return is_text_or_nothing(login) && is_integer_or_nothing(id)
	       && (!actor || json_is_object(actor) || json_is_string(actor));
}

static bool expect_repo_and_org(const json_t *document, struct expectation *expected)
{
	const json_t *repo = oracle_at(document, "repo");
	const json_t *org = oracle_at(document, "org");
	const json_t *repository = oracle_at(document, "repository");
	bool timeline_repo = !repo && json_is_object(repository);
	bool timeline_org = !org && json_is_object(repository);
	const json_t *id = oracle_at(timeline_repo ? repository : repo, "id");
	const json_t *name = oracle_at(timeline_repo ? repository : repo, "name");
	const json_t *owner = timeline_repo ? oracle_at(repository, "owner") : NULL;
	const json_t *login =
		timeline_org ? oracle_at(repository, "organization") : oracle_at(org, "login");
	struct event *event = &expected->event;
	event->repo_id = json_integer_value(id);
	event->org_login = timeline_org ? oracle_name(login) : oracle_text(login);
	event->repo_name = oracle_text(name);
	if (span_equal_text(event->repo_name, "/"))
		event->repo_name = (struct span){0};
	if (timeline_repo) {
		struct span first = oracle_name(owner);
		struct span second = oracle_name(name);
		event->repo_name = (struct span){0};
		if (first.data && second.data
			&& first.size + second.size < sizeof(expected->repo_name)) {
			char *at = expected->repo_name;
			memcpy(at, first.data, first.size);
			at[first.size] = '/';
			memcpy(at + first.size + 1, second.data, second.size);
			event->repo_name = (struct span){at, first.size + 1 + second.size};
		}
	}
	return (!repo || json_is_object(repo)) && (!org || json_is_object(org))
	       && is_integer_or_nothing(id) && is_text_or_nothing(name) && is_text_or_nothing(owner)
	       && is_text_or_nothing(login);
}

/* The number in "https://github.com/o/n/issues/500#issuecomment-6344615" for what the Timeline does
 * not number itself. */
static int64_t number_of_url(const json_t *document, struct span type)
{
	struct span url = oracle_text(oracle_at(document, "url"));
	if (!url.data || !is_timeline_form(document)
		|| !(span_equal_text(type, "IssueCommentEvent") || span_equal_text(type, "IssuesEvent")
			|| span_equal_text(type, "PullRequestEvent")
			|| span_equal_text(type, "PullRequestReviewCommentEvent")))
		return 0;
	/* Where the parts between slashes begin; the last ends at a '#', or at the end. */
	size_t starts[8] = {0};
	size_t parts = 1;
	size_t end = 0;
	for (; end < url.size && parts < 8 && !(parts == 7 && url.data[end] == '#'); end++)
		if (url.data[end] == '/')
			starts[parts++] = end + 1;
	if (parts != 7)
		return 0;
	struct span host = {url.data, starts[3]};
	struct span page = {url.data + starts[5], starts[6] - starts[5]};
	struct span digits = {url.data + starts[6], end - starts[6]};
	int64_t number = 0;
	for (size_t i = 0; i < digits.size; i++)
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return 0;
	return (span_equal_text(host, "https://github.com/") || span_equal_text(host, "http://github.com/"))
			       && (span_equal_text(page, "issues/") || span_equal_text(page, "pull/"))
			       && span_parse_int64(digits, &number)
		       ? number
		       : 0;
}

static bool expect_payload(const json_t *document, struct event *event)
{
	static const char *const number_paths[] = {
		"payload.number",
		"payload.pull_request.number",
		"payload.issue.number",
		"payload.discussion.number",
	};
	const json_t *number = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(number_paths) && !number; i++)
		number = oracle_at(document, number_paths[i]);
	const json_t *action = oracle_at(document, "payload.action");
	const json_t *ref_type = oracle_at(document, "payload.ref_type");
	const json_t *merged = oracle_at(document, "payload.pull_request.merged");
	event->number = number ? json_integer_value(number) : number_of_url(document, event->type);
	if (!ref_type && span_equal_text(event->type, "CreateEvent")
		&& json_is_string(oracle_at(document, "payload.object")))
		ref_type = oracle_at(document, "payload.object");
	event->action = oracle_text(action);
	event->ref_type = oracle_text(ref_type);
	if (json_is_boolean(merged)) {
		event->merged_known = true;
		event->merged = json_is_true(merged);
	} else if (span_equal_text(event->type, "PullRequestEvent") && action) {
		event->merged_known = true;
		event->merged = span_equal_text(event->action, "merged");
	}
	return is_integer_or_nothing(number) && is_text_or_nothing(action)
	       && is_text_or_nothing(ref_type);
}

static enum event_era expect_era(const json_t *document, const struct event *event)
{
	if (is_timeline_form(document) || event->id < 0)
		return EVENT_ERA_TIMELINE;
	int64_t switch_us = time_of("2025-10-07T00:00:00Z");
	bool enterprise = (span_equal_text(event->type, "PullRequestEvent")
				  && oracle_at(document, "payload.pull_request.state"))
			  || (span_equal_text(event->type, "PushEvent")
				  && oracle_at(document, "payload.commits"));
	return event->created_at_us >= switch_us && !enterprise ? EVENT_ERA_THIN : EVENT_ERA_FULL;
}

static void expect_event(const json_t *document, struct expectation *expected)
{
	struct event *event = &expected->event;
	struct span created_at = oracle_text(oracle_at(document, "created_at"));
	event->type = oracle_text(oracle_at(document, "type"));
	bool has_type = event->type.data;
	if (!event_type_is_plain(event->type))
		event->type = span_of("_other");
	if (!json_is_object(document))
		expected->reason = SCAN_NOT_AN_OBJECT;
	else if (!expect_id(document, &event->id))
		expected->reason = SCAN_ID_MISSING;
	else if (!has_type)
		expected->reason = SCAN_TYPE_MISSING;
	else if (!created_at.data || !time_parse(created_at, &event->created_at_us))
		expected->reason = SCAN_CREATED_AT_MISSING;
	else if (!expect_actor(document, event) || !expect_repo_and_org(document, expected)
		 || !expect_payload(document, event))
		expected->reason = SCAN_BAD_VALUE;
	event->era = expect_era(document, event);
	/* Where GitHub sent the flag, its absence says nothing. */
	if (event->era != EVENT_ERA_THIN && span_equal_text(event->action, "closed")
		&& !json_is_boolean(oracle_at(document, "payload.pull_request.merged")))
		event->merged_known = false;
}

static bool same_text(struct span a, struct span b)
{
	return !a.data == !b.data && span_equal(a, b);
}

/* The text of a value that is no string: a literal, a number, or JSON that means the same. */
static bool same_json_text(struct span text, const json_t *value)
{
	json_t *parsed = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool same = parsed && json_equal(parsed, value);
	json_decref(parsed);
	return same;
}

static bool same_field(const struct value *value, enum value_type type, const json_t *expected)
{
	int64_t time_us;
	struct span text = oracle_text(expected);
	switch (type) {
	case VALUE_BOOLEAN:
		return json_is_boolean(expected)
			       ? value->type == VALUE_BOOLEAN
					 && value->boolean == json_is_true(expected)
			       : value->type == VALUE_NULL;
	case VALUE_INTEGER:
		return json_is_integer(expected)
			       ? value->type == VALUE_INTEGER
					 && value->integer == json_integer_value(expected)
			       : value->type == VALUE_NULL;
	case VALUE_REAL:
		return json_is_number(expected)
			       ? value->type == VALUE_REAL
					 && !(value->real < json_number_value(expected))
					 && !(value->real > json_number_value(expected))
			       : value->type == VALUE_NULL;
	case VALUE_TIME:
		return text.data && time_parse(text, &time_us)
			       ? value->type == VALUE_TIME && value->time_us == time_us
			       : value->type == VALUE_NULL;
	default:
		if (!expected)
			return value->type == VALUE_NULL;
		if (value->type != VALUE_TEXT)
			return false;
		return text.data ? same_text(value->text, text)
				 : same_json_text(value->text, expected);
	}
}

/* The name of the first column that differs, or NULL. */
static const char *find_difference(const struct oracle *oracle, const struct event *event,
	const struct event *expected, const json_t *document)
{
	const struct {
		const char *name;
		bool same;
	} columns[] = {
		{"id", event->id == expected->id},
		{"type", same_text(event->type, expected->type)},
		{"created_at", event->created_at_us == expected->created_at_us},
		{"actor_id", event->actor_id == expected->actor_id},
		{"actor_login", same_text(event->actor_login, expected->actor_login)},
		{"is_bot", event->is_bot == expected->is_bot},
		{"repo_id", event->repo_id == expected->repo_id},
		{"repo_name", same_text(event->repo_name, expected->repo_name)},
		{"org_login", same_text(event->org_login, expected->org_login)},
		{"action", same_text(event->action, expected->action)},
		{"number", event->number == expected->number},
		{"merged_known", event->merged_known == expected->merged_known},
		{"merged", event->merged == expected->merged},
		{"ref_type", same_text(event->ref_type, expected->ref_type)},
		{"era", event->era == expected->era},
	};
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		if (!columns[i].same)
			return columns[i].name;
	for (size_t i = 0; i < oracle->fields->field_count; i++) {
		const struct field *field = &oracle->fields->fields[i];
		bool listed = field_is_for(field, expected->type);
		const json_t *value = listed ? oracle_at(document, field->path) : NULL;
		if (!same_field(&event->fields[i], field->type, value))
			return field->path;
	}
	return NULL;
}

/* `scanner` is what the scanner says, `parser` what the parser says; returns false. */
static bool complain(struct oracle *oracle, const char *scanner, const char *parser)
{
	(void)snprintf(oracle->complaint, sizeof(oracle->complaint), "scanner: %s; parser: %s",
		scanner, parser);
	return false;
}

static bool is_malformed(enum scan_reason reason)
{
	return reason == SCAN_INVALID_JSON || reason == SCAN_INVALID_UTF8
	       || reason == SCAN_TOO_DEEP;
}

static bool agrees_with_refusal(struct oracle *oracle, const char *why)
{
	if (oracle->accepted)
		return complain(oracle, "ok", why);
	return is_malformed(oracle->problem.reason)
	       || complain(oracle, scan_reason_name(oracle->problem.reason), why);
}

static bool agrees_without_document(struct oracle *oracle, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);
	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key
	       || agrees_with_refusal(oracle, error->text);
}

static bool agrees_with_document(
	struct oracle *oracle, struct span json, const struct event *event, const json_t *document)
{
	struct expectation expected = {0};
	if (oracle_depth(json) > SCAN_DEPTH_MAX)
		expected.reason = SCAN_TOO_DEEP;
	else
		expect_event(document, &expected);
	enum scan_reason reason = oracle->accepted ? SCAN_OK : oracle->problem.reason;
	if (reason != expected.reason)
		return complain(
			oracle, scan_reason_name(reason), scan_reason_name(expected.reason));
	const char *column =
		oracle->accepted ? find_difference(oracle, event, &expected.event, document) : NULL;
	return !column || complain(oracle, column, "another value");
}

/* True when scanner and parser agree about `json`; else oracle->complaint says what differs. */
static bool oracle_agrees(struct oracle *oracle, struct span json)
{
	arena_reset(&oracle->arena);
	/* Memory of the exact size: sanitizers see each byte read beside it. */
	char *copy = malloc(json.size);
	if (!copy)
		abort();
	if (json.size > 0)
		memcpy(copy, json.data, json.size);
	struct span exact = {copy, json.size};
	struct event event;
	oracle->accepted =
		scan_event(oracle->plan, exact, &oracle->arena, &event, &oracle->problem);
	json_error_t error;
	json_t *document = json_loadb(
		json.size ? json.data : "", json.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	bool agrees;
	if (json.size > 0 && memchr(json.data, '\0', json.size))
		agrees = agrees_with_refusal(oracle, "a NUL byte");
	else if (document)
		agrees = agrees_with_document(oracle, exact, &event, document);
	else
		agrees = agrees_without_document(oracle, &error);
	if (!oracle->accepted && oracle->problem.offset > json.size)
		agrees = complain(oracle, "an offset behind the text", "-");
	json_decref(document);
	free(copy);
	return agrees;
}
