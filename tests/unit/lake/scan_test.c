/* SPDX-License-Identifier: Apache-2.0 */
/* scan_test.c - what a scan gives for one event at a time. That it agrees with a full parser on
 * everything is scan_oracle_test.c's business, what it refuses scan_refusal_test.c's. */
#include "tests/unit/lake/scan_fixture.h"

static void an_event_of_the_api_gives_all_columns(void **state)
{
	const struct event *event = must_scan(state,
		"{\"id\":\"17244207336\",\"type\":\"DeleteEvent\",\"actor\":{\"id\":71354125,"
		"\"login\":"
		"\"aws[bot]\",\"display_login\":\"aws\",\"gravatar_id\":\"\"},\"repo\":{\"id\":"
		"318651349,\"name\":"
		"\"a/"
		"b\",\"url\":\"x\"},\"payload\":{\"ref\":\"r\",\"ref_type\":\"branch\"},\"public\":"
		"true,"
		"\"created_at\":\"2021-07-21T06:00:00Z\",\"org\":{\"id\":5,\"login\":\"acme\"}}");
	assert_int_equal(event->id, 17244207336);
	check_text(event->type, "DeleteEvent");
	assert_int_equal(event->created_at_us, INT64_C(1626847200000000));
	assert_int_equal(event->actor_id, 71354125);
	check_text(event->actor_login, "aws[bot]");
	assert_true(event->is_bot);
	assert_int_equal(event->repo_id, 318651349);
	check_text(event->repo_name, "a/b");
	check_text(event->org_login, "acme");
	check_text(event->ref_type, "branch");
	check_text(event->action, NULL);
	assert_int_equal(event->number, 0);
	assert_false(event->merged_known);
	assert_int_equal(event->era, EVENT_ERA_FULL);
	for (size_t i = 0; i <= FIELD_SCORE; i++)
		assert_int_equal(event->fields[i].type, VALUE_NULL);
	assert_int_equal(event->fields[FIELD_PR_ID].inner_type, VALUE_INTEGER);
	assert_int_equal(event->fields[FIELD_PR_CREATED_AT].inner_type, VALUE_TIME);
}

static void null_absent_and_empty_objects_are_absent(void **state)
{
	static const char *const jsons[] = {
		"{" PUSH "}",
		"{" PUSH ",\"actor\":null,\"repo\":null,\"org\":null,\"payload\":null}",
		"{" PUSH ",\"actor\":{},\"repo\":{},\"org\":{},\"payload\":{}}",
		"{" PUSH ",\"actor\":{\"id\":null,\"login\":null},\"repo\":{\"name\":null},"
		"\"payload\":{\"action\":null,"
		"\"number\":null,\"ref_type\":null,\"pull_request\":null,\"issue\":[]}}",
		"{" PUSH ",\"payload\":\"text\"}",
	};
	for (size_t i = 0; i < ARRAY_COUNT(jsons); i++) {
		const struct event *event = must_scan(state, jsons[i]);
		assert_int_equal(event->actor_id, 0);
		check_text(event->actor_login, NULL);
		assert_false(event->is_bot);
		assert_int_equal(event->repo_id, 0);
		check_text(event->repo_name, NULL);
		check_text(event->org_login, NULL);
		check_text(event->action, NULL);
		assert_int_equal(event->number, 0);
		check_text(event->ref_type, NULL);
	}
	const struct event *event = must_scan(state, "{" PUSH ",\"actor\":{\"login\":\"\"}}");
	check_text(event->actor_login, "");
}

static void listed_logins_are_bots(void **state)
{
	assert_true(must_scan(state, "{" PUSH ",\"actor\":{\"login\":\"Renovate-Bot\"}}")->is_bot);
	assert_false(must_scan(state, "{" PUSH ",\"actor\":{\"login\":\"renovate\"}}")->is_bot);
	assert_false(must_scan(state, "{" PUSH ",\"actor\":{\"login\":\"x[bot]y\"}}")->is_bot);
}

static void ids_are_digits_or_integers(void **state)
{
	static const char rest[] =
		"\"type\":\"PushEvent\",\"created_at\":\"2020-01-02T03:04:05Z\"}";
	static const struct {
		const char *id;
		int64_t value; /* -1: refused */
	} cases[] = {
		{"7", 7},
		{"\"7\"", 7},
		{"0", 0},
		{"\"007\"", 7},
		{"\"\\u0037\"", 7},
		{"9223372036854775807", INT64_MAX},
		{"\"9223372036854775807\"", INT64_MAX},
		{"9223372036854775808", -1},
		{"\"9223372036854775808\"", -1},
		{"-1", -1},
		{"\"-1\"", -1},
		{"-0", 0},
		{"\"-0\"", -1},
		{"1.0", -1},
		{"1e3", -1},
		{"\"\"", -1},
		{"\" 7\"", -1},
		{"\"7a\"", -1},
		{"\"7\\u0000\"", -1},
		{"null", -1},
		{"true", -1},
		{"{}", -1},
		{"[7]", -1},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char json[256];
		(void)snprintf(json, sizeof(json), "{\"id\":%s,%s", cases[i].id, rest);
		if (cases[i].value >= 0)
			assert_int_equal(must_scan(state, json)->id, cases[i].value);
		else
			check_refused(state, json, SCAN_ID_MISSING, cases[i].id[0] == '"' ? 7 : 6);
	}
	char json[256];
	(void)snprintf(json, sizeof(json), "{%s", rest);
	check_refused(state, json, SCAN_ID_MISSING, 0);
}

static void type_and_time_are_needed(void **state)
{
	check_refused(
		state, "{\"id\":1,\"created_at\":\"2020-01-02T03:04:05Z\"}", SCAN_TYPE_MISSING, 0);
	check_refused(state, "{\"id\":1,\"type\":null}", SCAN_TYPE_MISSING, 15);
	check_refused(state, "{\"id\":1,\"type\":5}", SCAN_TYPE_MISSING, 15);
	check_refused(state, "{\"id\":1,\"type\":\"A\"}", SCAN_CREATED_AT_MISSING, 0);
	check_refused(state, "{\"id\":1,\"type\":\"A\",\"created_at\":1577934245}",
		SCAN_CREATED_AT_MISSING, 32);
	check_refused(state, "{\"id\":1,\"type\":\"A\",\"created_at\":\"2020-02-30T00:00:00Z\"}",
		SCAN_CREATED_AT_MISSING, 33);
}

static void strange_types_become_other(void **state)
{
	static const char *const types[] = {"", "../../etc", "Push Event", "P\\u00fcsh",
		"Push\\u0000Event",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		char json[256];
		(void)snprintf(json, sizeof(json), "{" HEAD "\"type\":\"%s\"}", types[i]);
		check_text(must_scan(state, json)->type, "_other");
	}
	check_text(must_scan(state, "{" HEAD "\"type\":\"TomorrowEvent\"}")->type, "TomorrowEvent");
}

static void wrong_kinds_of_common_columns_are_refused(void **state)
{
	static const char *const members[] = {
		"\"actor\":5",
		"\"actor\":[]",
		"\"actor\":true",
		"\"actor\":{\"login\":5}",
		"\"actor\":{\"id\":\"5\"}",
		"\"actor\":{\"id\":1.5}",
		"\"actor\":{\"id\":9223372036854775808}",
		"\"actor\":{\"login\":{}}",
		"\"repo\":\"a/b\"",
		"\"repo\":{\"name\":5}",
		"\"repo\":{\"id\":\"5\"}",
		"\"org\":\"x\"",
		"\"org\":{\"login\":false}",
		"\"payload\":{\"action\":1}",
		"\"payload\":{\"ref_type\":[]}",
		"\"payload\":{\"number\":\"3\"}",
		"\"payload\":{\"issue\":{\"number\":3.0}}",
		"\"repository\":{\"owner\":{}}",
		"\"repository\":{\"name\":1}",
		"\"repository\":{\"id\":\"1\"}",
		"\"repository\":{\"organization\":1}",
		"\"actor_attributes\":{\"login\":1}",
	};
	for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
		char json[256];
		(void)snprintf(json, sizeof(json), "{" PUSH ",%s}", members[i]);
		struct fixture *fixture = *state;
		if (try_scan_span(fixture, span_of(json)))
			fail_msg("accepted: %s", json);
		assert_int_equal(fixture->problem.reason, SCAN_BAD_VALUE);
		assert_true(fixture->problem.offset > strlen("{" PUSH));
	}
}

static void number_is_the_first_given(void **state)
{
	assert_int_equal(
		must_scan(state, "{" PUSH ",\"payload\":{\"number\":3,\"issue\":{\"number\":4}}}")
			->number,
		3);
	assert_int_equal(
		must_scan(
			state, "{" PUSH ",\"payload\":{\"issue\":{\"number\":4},\"number\":null}}")
			->number,
		4);
	assert_int_equal(
		must_scan(state, "{" PUSH ",\"payload\":{\"pull_request\":{\"number\":5}}}")
			->number,
		5);
	assert_int_equal(
		must_scan(state, "{" PUSH ",\"payload\":{\"discussion\":{\"number\":6}}}")->number,
		6);
	assert_int_equal(must_scan(state, "{" PUSH ",\"payload\":{\"issue\":5082481}}")->number, 0);
}

static void merged_means_the_same_in_all_eras(void **state)
{
	static const struct {
		const char *json;
		bool known;
		bool merged;
	} cases[] = {
		{"{" PULL
		 ",\"payload\":{\"action\":\"closed\",\"pull_request\":{\"merged\":true}}}",
			true, true},
		{"{" PULL
		 ",\"payload\":{\"action\":\"closed\",\"pull_request\":{\"merged\":false}}}",
			true, false},
		{"{" PULL ",\"payload\":{\"action\":\"merged\"}}", true, true},
		/* The flag was sent in that era: without it nothing is known. */
		{"{" PULL ",\"payload\":{\"action\":\"closed\"}}", false, false},
		{"{" PULL ",\"payload\":{\"action\":\"opened\"}}", true, false},
		{"{" PULL_THIN ",\"payload\":{\"action\":\"closed\"}}", true, false},
		{"{" PULL
		 ",\"payload\":{\"action\":\"merged\",\"pull_request\":{\"merged\":null}}}",
			true, true},
		{"{" PULL
		 ",\"payload\":{\"action\":\"merged\",\"pull_request\":{\"merged\":\"no\"}}}",
			true, true},
		{"{" PULL "}", false, false},
		{"{" PUSH ",\"payload\":{\"action\":\"merged\"}}", false, false},
		{"{" HEAD
		 "\"type\":\"PullRequestEv\\u0065nt\",\"payload\":{\"action\":\"m\\u0065rged\"}}",
			true, true},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct event *event = must_scan(state, cases[i].json);
		assert_int_equal(event->merged_known, cases[i].known);
		assert_int_equal(event->merged, cases[i].merged);
	}
}

static void eras_are_told_apart(void **state)
{
#define AT(time, type) "{\"id\":1,\"created_at\":\"" time "\",\"type\":\"" type "\""
	assert_int_equal(
		must_scan(state, AT("2025-10-06T23:59:59Z", "PushEvent") "}")->era, EVENT_ERA_FULL);
	assert_int_equal(
		must_scan(state, AT("2025-10-07T00:00:00Z", "PushEvent") "}")->era, EVENT_ERA_THIN);
	assert_int_equal(must_scan(state, AT("2026-01-01T00:00:00Z",
						  "PushEvent") ",\"payload\":{\"commits\":[]}}")
				 ->era,
		EVENT_ERA_FULL);
	assert_int_equal(must_scan(state, AT("2026-01-01T00:00:00Z",
						  "WatchEvent") ",\"payload\":{\"commits\":[]}}")
				 ->era,
		EVENT_ERA_THIN);
	assert_int_equal(
		must_scan(state, AT("2026-01-01T00:00:00Z",
					 "PullRequestEvent") ",\"payload\":{\"pull_request\":{"
							     "\"state\":\"open\"}}}")
			->era,
		EVENT_ERA_FULL);
	assert_int_equal(
		must_scan(state,
			AT("2026-01-01T00:00:00Z",
				"PullRequestEvent") ",\"payload\":{\"pull_request\":{\"id\":1}}}")
			->era,
		EVENT_ERA_THIN);
	assert_int_equal(
		must_scan(state, AT("2026-01-01T00:00:00Z", "WatchEvent") ",\"actor\":\"x\"}")->era,
		EVENT_ERA_TIMELINE);
	assert_int_equal(
		must_scan(state, AT("2026-01-01T00:00:00Z", "WatchEvent") ",\"repository\":{}}")
			->era,
		EVENT_ERA_TIMELINE);
	assert_int_equal(
		must_scan(state, AT("2012-01-01T00:00:00Z", "WatchEvent") ",\"repository\":\"x\"}")
			->era,
		EVENT_ERA_FULL);
#undef AT
}

static void timeline_events_map_to_the_same_columns(void **state)
{
	const struct event *event =
		must_scan(state, "{\"repository\":{\"organization\":\"plexinc\",\"name\":"
				 "\"Services\",\"id\":99,\"owner\":\"plex\"},"
				 "\"actor_attributes\":{\"login\":\"other\"},\"created_at\":\"2012/"
				 "06/14 15:01:42 -0700\","
				 "\"actor\":\"mikedm139\",\"payload\":{\"number\":294,\"action\":"
				 "\"opened\",\"issue\":5082481},"
				 "\"type\":\"IssuesEvent\",\"id\":1}");
	assert_int_equal(event->created_at_us, INT64_C(1339711302000000));
	check_text(event->repo_name, "plex/Services");
	assert_int_equal(event->repo_id, 99);
	check_text(event->actor_login, "mikedm139");
	check_text(event->org_login, "plexinc");
	assert_int_equal(event->number, 294);
	check_text(event->action, "opened");
	assert_int_equal(event->era, EVENT_ERA_TIMELINE);
	event = must_scan(state,
		"{" PUSH
		",\"actor\":null,\"actor_attributes\":{\"login\":\"z\"},\"repository\":{\"name\":"
		"\"only\"}}");
	check_text(event->actor_login, "z");
	check_text(event->repo_name, NULL);
	event = must_scan(state, "{\"type\":\"PushEvent\",\"created_at\":\"2012/06/14 15:01:42 "
				 "-0700\",\"actor\":\"a\"}");
	assert_true(event->id < 0);
}

static void fields_have_their_types(void **state)
{
	const struct event *event =
		must_scan(state, "{" PULL ",\"payload\":{\"score\":-1.5e2,\"pull_request\":{"
				 "\"state\":\"op\\u0065n\",\"id\":12,"
				 "\"draft\":true,\"created_at\":\"2020-01-01T00:00:00+01:00\"}}}");
	assert_int_equal(event->fields[FIELD_SCORE].type, VALUE_REAL);
	assert_true(event->fields[FIELD_SCORE].real == -150.0);
	assert_int_equal(event->fields[FIELD_PR_ID].type, VALUE_INTEGER);
	assert_int_equal(event->fields[FIELD_PR_ID].integer, 12);
	assert_int_equal(event->fields[FIELD_PR_DRAFT].type, VALUE_BOOLEAN);
	assert_true(event->fields[FIELD_PR_DRAFT].boolean);
	assert_int_equal(event->fields[FIELD_PR_CREATED_AT].type, VALUE_TIME);
	assert_int_equal(event->fields[FIELD_PR_CREATED_AT].time_us, INT64_C(1577833200000000));
	check_text(event->fields[FIELD_PR_STATE].text, "open");
	check_text(event->fields[FIELD_PR].text,
		"{\"state\":\"op\\u0065n\",\"id\":12,\"draft\":true,\"created_at\":"
		"\"2020-01-01T00:00:00+01:00\"}");
}

static void values_of_another_kind_are_null(void **state)
{
	const struct event *event =
		must_scan(state, "{" PULL ",\"payload\":{\"score\":\"1\",\"pull_request\":{"
				 "\"state\":null,\"id\":1.0,\"draft\":1,"
				 "\"created_at\":1577836800}}}");
	for (size_t i = FIELD_PR_CREATED_AT; i <= FIELD_SCORE; i++)
		assert_int_equal(event->fields[i].type, VALUE_NULL);
	event = must_scan(state,
		"{" PULL
		",\"payload\":{\"score\":1e999,\"pull_request\":{\"id\":9223372036854775808,"
		"\"draft\":\"true\",\"created_at\":\"yesterday\"}}}");
	for (size_t i = FIELD_PR_CREATED_AT; i <= FIELD_SCORE; i++)
		assert_int_equal(event->fields[i].type, VALUE_NULL);
	event = must_scan(state,
		"{" HEAD
		"\"type\":\"IssuesEvent\",\"payload\":{\"pull_request\":{\"state\":\"open\"}}}");
	assert_int_equal(event->fields[FIELD_PR_STATE].type, VALUE_NULL);
}

static void text_fields_keep_any_value_as_its_text(void **state)
{
	static const struct {
		const char *json;
		const char *text;
	} cases[] = {
		{"\"a\\n\\u00e9\\ud83d\\ude00\\/\"", "a\n\xc3\xa9\xf0\x9f\x98\x80/"},
		{"\"\"", ""},
		{"-12.50e+1", "-12.50e+1"},
		{"true", "true"},
		{"false", "false"},
		{"[1, {\"a\" :null} ]", "[1, {\"a\" :null} ]"},
		{"{}", "{}"},
		{"12345678901234567890", "12345678901234567890"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char json[512];
		(void)snprintf(json, sizeof(json),
			"{" PULL ",\"payload\":{\"pull_request\":{\"state\": %s }}}",
			cases[i].json);
		const struct value *value = &must_scan(state, json)->fields[FIELD_PR_STATE];
		assert_int_equal(value->type, VALUE_TEXT);
		check_text(value->text, cases[i].text);
	}
	const struct value *value = &must_scan(
		state, "{" PULL ",\"payload\":{\"pull_request\":{\"state\":\"a\\u0000b\"}}}")
					     ->fields[FIELD_PR_STATE];
	assert_int_equal(value->text.size, 3);
	assert_memory_equal(value->text.data, "a\0b", 3);
}

static void long_numbers_are_read_whole(void **state)
{
	char digits[400] = "0.";
	memset(digits + 2, '0', 300);
	memcpy(digits + 302, "1e301", 6);
	char json[1024];
	(void)snprintf(json, sizeof(json), "{" PULL ",\"payload\":{\"score\":%s}}", digits);
	const struct value *value = &must_scan(state, json)->fields[FIELD_SCORE];
	assert_int_equal(value->type, VALUE_REAL);
	assert_true(value->real == 1.0);
}

static void the_last_of_duplicate_keys_wins_however_deep(void **state)
{
	const struct event *event =
		must_scan(state, "{" PULL ",\"payload\":{\"action\":\"opened\",\"number\":1,\"pull_"
				 "request\":{\"state\":\"open\"}},"
				 "\"payload\":{\"number\":2},\"actor\":{\"id\":1,\"login\":\"a\"},"
				 "\"actor\":{\"id\":2}}");
	check_text(event->action, NULL);
	assert_int_equal(event->number, 2);
	assert_int_equal(event->fields[FIELD_PR_STATE].type, VALUE_NULL);
	assert_int_equal(event->fields[FIELD_PR].type, VALUE_NULL);
	assert_int_equal(event->actor_id, 2);
	check_text(event->actor_login, NULL);
	event = must_scan(state, "{" PULL ",\"actor\":{\"login\":\"a\"},\"\\u0061ctor\":null}");
	check_text(event->actor_login, NULL);
	event = must_scan(state, "{" PULL ",\"payload\":{\"action\":\"x\"},\"payload\":[1]}");
	check_text(event->action, NULL);
	event = must_scan(state, "{\"id\":true,\"id\":[{\"id\":5}],\"id\":9,\"type\":null,\"type\":"
				 "\"A\",\"created_at\":\"\","
				 "\"created_at\":\"2020-01-02T03:04:05Z\"}");
	assert_int_equal(event->id, 9);
}

static void keys_match_whole_and_decoded(void **state)
{
	const struct event *event = must_scan(state,
		"{\"\\u0069d\":1,\"ty\\u0070e\":\"A\",\"created\\u005fat\":\"2020-01-02T03:04:"
		"05Z\",\"idx\":{},\"i\":0,"
		"\"ID\":3,\"id\\u0000\":4,\"\":5,\"payload.action\":\"no\","
		"\"p\\u0061yload\":{\"\\u0061\\u0063\\u0074\\u0069\\u006f\\u006e\":\"yes\"}}");
	assert_int_equal(event->id, 1);
	check_text(event->action, "yes");
}

static void order_and_blanks_do_not_matter(void **state)
{
	const struct event *event = must_scan(state,
		" \t\r\n{ \"payload\" : { \"pull_request\" : { \"id\" : 5 , \"state\" : \"open\" } "
		", \"action\" :"
		" \"opened\" } ,\n\"created_at\" : \"2020-01-02T03:04:05Z\" , \"x\" : [ ] , \"y\" "
		": { } , \"z\" : [ 1 ,"
		" [ { } , 2 ] ] , \"id\" : 5 , \"type\" : \"PullRequestEvent\" } \n");
	check_text(event->action, "opened");
	check_text(event->fields[FIELD_PR_STATE].text, "open");
	assert_int_equal(event->fields[FIELD_PR_ID].integer, 5);
}

static void plan_takes_the_largest_field_set(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	buf_append_text(&text, "version: 2\nfields:\n  A:\n");
	for (int i = 0; i < FIELD_COUNT_MAX; i++)
		buf_printf(&text,
			"    - {path: f%d.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p%d, type: integer}\n", i, i);
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	struct err err = {0};
	if (!field_set_create(buf_span(&text), "t.yaml", &fields, &err))
		fail_msg("%s", err.text);
	CLEANUP(scan_plan_destroy) struct scan_plan *plan = scan_plan_create(fields);
	buf_clear(&text);
	buf_append_text(&text, "{" HEAD "\"type\":\"A\"");
	for (int i = 0; i < FIELD_COUNT_MAX; i++)
		buf_printf(&text,
			",\"f%d\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":{"
			"\"k\":{\"l\":{\"m\":{\"n\":"
			"{\"o\":{\"p%d\":%d}}}}}}}}}}}}}}}",
			i, i, i);
	buf_append_text(&text, "}");
	CLEANUP(arena_finish) struct arena arena = {0};
	arena_init(&arena, 1024 * 1024);
	struct event event;
	struct scan_problem problem;
	assert_true(scan_event(plan, buf_span(&text), &arena, &event, &problem));
	for (size_t i = 0; i < FIELD_COUNT_MAX; i++) {
		char path[64];
		int64_t number = event.fields[i].integer;
		(void)snprintf(path, sizeof(path), "f%d.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p%d",
			(int)number, (int)number);
		assert_int_equal(event.fields[i].type, VALUE_INTEGER);
		assert_string_equal(fields->fields[i].path, path);
	}
}

static void append_line_keeps_all_but_line_ends(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf out = {0};
	buf_init(&out, 100);
	buf_append_text(&out, "a\n");
	scan_append_line(&out, span_of("{\n\"a\":\r\n \"\\n\t\xc3\xa9\"}"));
	assert_string_equal(out.data, "a\n{ \"a\":   \"\\n\t\xc3\xa9\"}");
}

int main(void)
{
#define SCAN_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCAN_TEST(an_event_of_the_api_gives_all_columns),
		SCAN_TEST(null_absent_and_empty_objects_are_absent),
		SCAN_TEST(listed_logins_are_bots),
		SCAN_TEST(ids_are_digits_or_integers),
		SCAN_TEST(type_and_time_are_needed),
		SCAN_TEST(strange_types_become_other),
		SCAN_TEST(wrong_kinds_of_common_columns_are_refused),
		SCAN_TEST(number_is_the_first_given),
		SCAN_TEST(merged_means_the_same_in_all_eras),
		SCAN_TEST(eras_are_told_apart),
		SCAN_TEST(timeline_events_map_to_the_same_columns),
		SCAN_TEST(fields_have_their_types),
		SCAN_TEST(values_of_another_kind_are_null),
		SCAN_TEST(text_fields_keep_any_value_as_its_text),
		SCAN_TEST(long_numbers_are_read_whole),
		SCAN_TEST(the_last_of_duplicate_keys_wins_however_deep),
		SCAN_TEST(keys_match_whole_and_decoded),
		SCAN_TEST(order_and_blanks_do_not_matter),
		cmocka_unit_test(plan_takes_the_largest_field_set),
		cmocka_unit_test(append_line_keeps_all_but_line_ends),
	};
	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
