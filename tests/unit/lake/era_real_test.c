/* SPDX-License-Identifier: Apache-2.0 */
/* era_real_test.c - recorded hours and pages of all eras, counted through the scanner and through a full
 * JSON parser that reads each era's own keys; the totals below come from a third program. */
#include "tests/support/check.h"

#include "tests/fuzz/canonical_oracle.c"

#include "base/clock.h"
#include "base/file.h"
#include "lake/scan.h"

#include <time.h>
#include <zlib.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

struct scanner {
	struct field_set *fields;
	struct scan_plan *plan;
	struct arena arena;
};

static int set_up(void **state)
{
	struct scanner *scanner = calloc(1, sizeof(*scanner));
	struct err err = {0};
	if (!field_set_create_default(&scanner->fields, &err))
		fail_msg("%s", err.text);
	scanner->plan = scan_plan_create(scanner->fields);
	arena_init(&scanner->arena, FILE_BYTES_MAX);
	*state = scanner;
	return 0;
}

static int tear_down(void **state)
{
	struct scanner *scanner = *state;
	arena_finish(&scanner->arena);
	scan_plan_destroy(&scanner->plan);
	field_set_destroy(&scanner->fields);
	free(scanner);
	return 0;
}

/* Read through zlib, which passes what is no gzip as it is. */
static void read_recording(const char *name, struct buf *content)
{
	struct check_path path = real_data_path_or_skip(name);
	gzFile file = gzopen(path.text, "rb");
	assert_non_null(file);
	buf_init(content, FILE_BYTES_MAX);
	char chunk[65536];
	int size;
	while ((size = gzread(file, chunk, sizeof(chunk))) > 0)
		buf_append(content, chunk, (size_t)size);
	assert_int_equal(size, 0);
	assert_int_equal(gzclose(file), Z_OK);
	assert_false(content->failed);
}

/* ---- tallies: {"what": {"value": count}} ---- */

static void count(json_t *tally, const char *what, struct span value)
{
	char key[512];
	(void)snprintf(key, sizeof(key), "%.*s", SPAN_ARGUMENTS(value));
	json_t *group = json_object_get(tally, what);
	if (!group) {
		group = json_object();
		assert_int_equal(json_object_set_new(tally, what, group), 0);
	}
	json_int_t before = json_integer_value(json_object_get(group, key));
	assert_int_equal(json_object_set_new(group, key, json_integer(before + 1)), 0);
}

/* Absent values are not counted. */
static void count_text(json_t *tally, const char *what, struct span value)
{
	if (value.data)
		count(tally, what, value);
}

static void count_number(json_t *tally, const char *what, int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	if (value != 0)
		count(tally, what, span_of(text));
}

static void count_of_type(json_t *tally, const char *what, struct span type, struct span value)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "%.*s %.*s", SPAN_ARGUMENTS(type), SPAN_ARGUMENTS(value));
	if (value.data)
		count(tally, what, span_of(text));
}

static void count_number_of_type(json_t *tally, const char *what, struct span type, int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	if (value != 0)
		count_of_type(tally, what, type, span_of(text));
}

static void count_event(json_t *tally, const struct event *event)
{
	count(tally, "type", event->type);
	count_number(tally, "id", event->id);
	count_number(tally, "time", event->created_at_us);
	count_number(tally, "actor id", event->actor_id);
	count_text(tally, "actor", event->actor_login);
	count_number(tally, "repository id", event->repo_id);
	count_text(tally, "repository", event->repo_name);
	count_text(tally, "organization", event->org_login);
	count_of_type(tally, "action", event->type, event->action);
	count_of_type(tally, "ref type", event->type, event->ref_type);
	count_number_of_type(tally, "number", event->type, event->number);
	count(tally, "era", span_of(event_era_name(event->era)));
	if (event->merged_known)
		count_of_type(tally, "merged", event->type, span_of(event->merged ? "true" : "false"));
}

/* ---- the parser's side ---- */

static struct span text_of(const json_t *value)
{
	return json_is_string(value) ? (struct span){json_string_value(value), json_string_length(value)}
				     : (struct span){0};
}

static const json_t *member(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

static int64_t parsed_time(const json_t *value)
{
	struct tm tm = {0};
	int hours = 0;
	char zone[2] = "";
	assert_true(sscanf(json_string_value(value), "%d-%d-%dT%d:%d:%d%1[Z-]%d", &tm.tm_year, &tm.tm_mon,
		&tm.tm_mday,
			    &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone, &hours)
		    >= 7);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return ((int64_t)timegm(&tm) + hours * 3600) * 1000000;
}

/* The page of an issue or a pull request. */
static int64_t parsed_number(const json_t *event, const json_t *payload)
{
	static const char *const holders[] = {"pull_request", "issue", "discussion"};
	long long number = 0;
	const json_t *given = member(payload, "number");
	for (size_t i = 0; i < ARRAY_COUNT(holders) && !given; i++)
		given = member(member(payload, holders[i]), "number");
	if (given)
		return json_integer_value(given);
	const char *url = json_string_value(member(event, "url"));
	if (url && sscanf(url, "https://github.com/%*[^/]/%*[^/]/issues/%lld", &number) != 1)
		(void)sscanf(url, "https://github.com/%*[^/]/%*[^/]/pull/%lld", &number);
	return number;
}

static int64_t parsed_id(const json_t *event)
{
	if (member(event, "id"))
		return strtoll(json_string_value(member(event, "id")), NULL, 10);
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, DERIVED_ID_TEXT_BYTES_MAX);
	canonical_event(&text, event);
	return -(int64_t)(derived_id_hash(buf_span(&text)) >> 1);
}

static void count_timeline_names(json_t *tally, const json_t *event)
{
	const json_t *repository = member(event, "repository");
	struct span actor = text_of(member(event, "actor"));
	count_text(tally, "actor", actor);
	count_text(tally, "organization", text_of(member(repository, "organization")));
	if (!repository)
		return;
	char name[512];
	(void)snprintf(name, sizeof(name), "%s/%s", json_string_value(member(repository, "owner")),
		json_string_value(member(repository, "name")));
	count(tally, "repository", span_of(name));
}

static void count_names(json_t *tally, const json_t *event)
{
	count_number(tally, "actor id", json_integer_value(member(member(event, "actor"), "id")));
	count_text(tally, "actor", text_of(member(member(event, "actor"), "login")));
	count_number(tally, "repository id", json_integer_value(member(member(event, "repo"), "id")));
	count_text(tally, "repository", text_of(member(member(event, "repo"), "name")));
	count_text(tally, "organization", text_of(member(member(event, "org"), "login")));
}

static void count_parsed(json_t *tally, const json_t *event, const char *era)
{
	const json_t *payload = member(event, "payload");
	const json_t *merged = member(member(payload, "pull_request"), "merged");
	struct span type = text_of(member(event, "type"));
	struct span action = text_of(member(payload, "action"));
	count(tally, "type", type);
	count_number(tally, "id", parsed_id(event));
	count_number(tally, "time", parsed_time(member(event, "created_at")));
	if (strcmp(era, "timeline") == 0)
		count_timeline_names(tally, event);
	else
		count_names(tally, event);
	count_of_type(tally, "action", type, action);
	count_of_type(tally, "ref type", type, text_of(member(payload, "ref_type")));
	count_number_of_type(tally, "number", type, parsed_number(event, payload));
	count(tally, "era", span_of(era));
	if (json_is_boolean(merged))
		count_of_type(tally, "merged", type, span_of(json_is_true(merged) ? "true" : "false"));
	else if (strcmp(era, "thin") == 0 && span_equal_text(type, "PullRequestEvent"))
		count_of_type(tally, "merged", type, span_of(span_equal_text(action, "merged") ? "true" : "false"));
}

/* ---- recordings ---- */

struct tallies {
	struct scanner *scanner;
	const char *era;
	json_t *scanned;
	json_t *parsed;
	json_t *texts; /* canonical ones of events without id */
	size_t events;
};

static void tally_one(struct tallies *tallies, struct span json)
{
	struct event event;
	struct scan_problem problem;
	arena_reset(&tallies->scanner->arena);
	if (!scan_event(tallies->scanner->plan, json, &tallies->scanner->arena, &event, &problem))
		fail_msg("%s: %.*s", problem.detail, SPAN_ARGUMENTS(json));
	count_event(tallies->scanned, &event);
	json_t *document = json_loadb(json.data, json.size, 0, NULL);
	assert_non_null(document);
	count_parsed(tallies->parsed, document, tallies->era);
	if (!member(document, "id")) {
		CLEANUP(buf_finish) struct buf text = {0};
		buf_init(&text, DERIVED_ID_TEXT_BYTES_MAX);
		canonical_event(&text, document);
		assert_int_equal(json_object_set_new(tallies->texts, text.data, json_true()), 0);
	}
	json_decref(document);
	tallies->events++;
}

/* A page, lines, or one event on many lines. */
static void tally_all(struct tallies *tallies, struct span content)
{
	struct span line;
	if (content.data[0] == '[') {
		struct scan_array array;
		struct scan_problem problem;
		struct span element;
		bool ended = false;
		scan_array_init(&array, content);
		for (;;) {
			assert_true(scan_array_next(&array, &element, &ended, &problem));
			if (ended)
				return;
			tally_one(tallies, element);
		}
	}
	if (content.size > 1 && content.data[1] == '\n') {
		tally_one(tallies, content);
		return;
	}
	while (span_split(content, '\n', &line, &content))
		if (line.size > 0)
			tally_one(tallies, line);
	if (content.size > 0)
		tally_one(tallies, content);
}

struct recording {
	const char *name;
	const char *era;
	size_t events;
	size_t actors;
	size_t repositories;
	size_t opened, closed, reopened; /* pull requests */
	size_t merged;                   /* of pull requests, by the column */
};

static size_t counted(const json_t *tally, const char *what, const char *value)
{
	return (size_t)json_integer_value(member(member(tally, what), value));
}

static void check_recording(struct tallies *tallies, const struct recording *recording)
{
	CLEANUP(buf_finish) struct buf content = {0};
	read_recording(recording->name, &content);
	tallies->era = recording->era;
	tally_all(tallies, buf_span(&content));
	const char *what;
	json_t *group;
	json_object_foreach(tallies->parsed, what, group)
		if (!json_equal(group, member(tallies->scanned, what)))
			fail_msg("%s: scanner and parser differ about \"%s\"", recording->name, what);
	assert_true(json_equal(tallies->parsed, tallies->scanned));
	const json_t *scanned = tallies->scanned;
	const struct recording found = {recording->name, recording->era, tallies->events,
		json_object_size(member(scanned, "actor")), json_object_size(member(scanned, "repository")),
		counted(scanned, "action", "PullRequestEvent opened"), counted(scanned, "action",
			"PullRequestEvent closed"),
		counted(scanned, "action", "PullRequestEvent reopened"), counted(scanned, "merged",
			"PullRequestEvent true")};
	if (memcmp(&found, recording, sizeof(found)) != 0)
		fail_msg("%s: %zu events, %zu actors, %zu repositories, %zu opened, %zu closed,"
			" %zu reopened, %zu merged",
			found.name, found.events, found.actors, found.repositories, found.opened, found.closed,
			found.reopened, found.merged);
}

static void tallies_begin(struct tallies *tallies, struct scanner *scanner)
{
	*tallies = (struct tallies){scanner, NULL, json_object(), json_object(), json_object(), 0};
}

static void tallies_end(struct tallies *tallies)
{
	json_decref(tallies->scanned);
	json_decref(tallies->parsed);
	json_decref(tallies->texts);
}

static void check_types(const json_t *tally, const char *types)
{
	json_t *expected = json_loads(types, 0, NULL);
	assert_non_null(expected);
	if (!json_equal(expected, member(tally, "type")))
		fail_msg("not %s", types);
	json_decref(expected);
}

static void the_hour_of_2012(void **state)
{
	static const struct recording hour = {"gharchive-hours/2012-06-14-15.json.gz", "timeline", 5313,
		2729, 2708, 97, 80, 2, 52};
	struct tallies tallies;
	tallies_begin(&tallies, *state);
	check_recording(&tallies, &hour);
	check_types(tallies.scanned, "{\"PushEvent\":2724,\"CreateEvent\":508,\"WatchEvent\":445,"
		"\"IssueCommentEvent\":404,"
				     "\"IssuesEvent\":255,\"GistEvent\":207,\"PullRequestEvent\":179,"
					"\"ForkEvent\":141,"
				     "\"FollowEvent\":130,\"GollumEvent\":94,\"CommitCommentEvent\":84,"
				     "\"PullRequestReviewCommentEvent\":67,\"DeleteEvent\":43,\"MemberEvent\":19,"
				     "\"DownloadEvent\":11,\"PublicEvent\":2}");
	/* One event was delivered twice, with its keys in another order: the closing of pull request 965 of
	 * EllisLab/CodeIgniter. No two others share an id. */
	assert_int_equal(json_object_size(tallies.texts), 5312);
	assert_int_equal(json_object_size(member(tallies.scanned, "id")), 5312);
	/* Every comment on an issue or a pull request knows which one. */
	size_t numbered = 0;
	const char *number;
	json_t *times;
	json_object_foreach(json_object_get(tallies.scanned, "number"), number, times)
		numbered += (size_t)json_integer_value(times);
	assert_int_equal(numbered, 255 + 179 + 404 + 67);
	tallies_end(&tallies);
}

/* The sum of the ids over the hour, by a program in another language. */
static void the_ids_of_2012(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf content = {0};
	read_recording("gharchive-hours/2012-06-14-15.json.gz", &content);
	struct span rest = buf_span(&content);
	struct span line;
	uint64_t sum = 0;
	while (span_split(rest, '\n', &line, &rest)) {
		int64_t id = derived_id(line);
		assert_true(id < 0);
		sum += (uint64_t)id;
	}
	assert_true((int64_t)sum == INT64_C(114765221470975134));
}

static void the_hour_of_2015(void **state)
{
	static const struct recording hour = {"gharchive-hours/2015-01-01-1.json.gz", "full", 7427, 3416,
		3832, 179, 114, 0, 89};
	struct tallies tallies;
	tallies_begin(&tallies, *state);
	check_recording(&tallies, &hour);
	check_types(tallies.scanned, "{\"PushEvent\":4150,\"CreateEvent\":727,\"IssueCommentEvent\":651,"
		"\"WatchEvent\":649,"
				     "\"IssuesEvent\":330,\"PullRequestEvent\":293,\"ForkEvent\":222,"
					"\"GollumEvent\":106,"
				     "\"PullRequestReviewCommentEvent\":92,\"DeleteEvent\":81,"
					"\"CommitCommentEvent\":62,"
				     "\"ReleaseEvent\":43,\"MemberEvent\":13,\"PublicEvent\":8}");
	tallies_end(&tallies);
}

static void samples_of_the_other_eras(void **state)
{
	static const struct recording recordings[] = {
		{"gharchive-hours/2021-07-21-6to9.200-each.json", "full", 800, 573, 623, 33, 31, 0, 25},
		{"gharchive-hours/2016-07-07-0.head2000.rebuilt.jsonl", "full", 2000, 1271, 1337, 53, 63, 0, 53},
		{"api-bodies/events-2013-01-10.json", "full", 30, 29, 29, 0, 0, 0, 0},
		{"api-bodies/events-2014-08-05.json", "full", 30, 30, 30, 0, 0, 0, 0},
		{"api-bodies/gharchive-2024-05-21-0.one-push.json", "full", 1, 1, 1, 0, 0, 0, 0},
		{"trimmed/gharchive-2025-12-15-0.one-push.json", "thin", 1, 1, 1, 0, 0, 0, 0},
		{"trimmed/gharchive-2026-08-12-14.four-examples.jsonl", "thin", 4, 4, 4, 0, 0, 0, 0},
		{"trimmed/user-V1KHYAT-2026-07.json", "thin", 30, 1, 1, 0, 0, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(recordings); i++) {
		struct tallies tallies;
		tallies_begin(&tallies, *state);
		check_recording(&tallies, &recordings[i]);
		tallies_end(&tallies);
	}
}

struct polls {
	struct tallies tallies;
	struct scanner *scanner;
};

static bool tally_poll(void *context, const char *relative_path, struct err *err)
{
	struct polls *polls = context;
	char name[FILE_PATH_BYTES_MAX];
	CLEANUP(buf_finish) struct buf content = {0};
	(void)err;
	if (!span_ends_with(span_of(relative_path), ".json"))
		return true;
	(void)snprintf(name, sizeof(name), "trimmed/series-azaidrahman/%s", relative_path);
	read_recording(name, &content);
	tally_all(&polls->tallies, buf_span(&content));
	return true;
}

static void polls_of_the_thin_era(void **state)
{
	struct check_path folder = real_data_path_or_skip("trimmed/series-azaidrahman");
	struct polls polls = {.scanner = *state};
	struct err err = {0};
	tallies_begin(&polls.tallies, polls.scanner);
	polls.tallies.era = "thin";
	if (!file_walk(folder.text, tally_poll, &polls, &err))
		fail_msg("%s", err.text);
	assert_int_equal(polls.tallies.events, 15451);
	assert_true(json_equal(polls.tallies.parsed, polls.tallies.scanned));
	assert_int_equal(json_object_size(member(polls.tallies.scanned, "id")), 647);
	tallies_end(&polls.tallies);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_hour_of_2012),
		TEST(the_ids_of_2012),
		TEST(the_hour_of_2015),
		TEST(samples_of_the_other_eras),
		TEST(polls_of_the_thin_era),
	};
	return cmocka_run_group_tests_name("era_real", tests, NULL, NULL);
}
