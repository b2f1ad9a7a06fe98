/* SPDX-License-Identifier: Apache-2.0 */
/* scan_refusal_test.c - what a scan refuses, for which reason and at which byte. */
#include "tests/unit/lake/scan_fixture.h"

static void malformed_json_is_refused_where_it_is_malformed(void **state)
{
	static const struct {
		const char *json;
		size_t offset;
	} cases[] = {
		{"", 0},
		{" ", 1},
		{"{", 1},
		{"nul", 0},
		{"{]", 1},
		{"{,}", 1},
		{"{\"a\"}", 4},
		{"{\"a\":}", 5},
		{"{\"a\":1,}", 7},
		{"{\"a\":1 \"b\":2}", 7},
		{"{\"a\":1", 6},
		{"{\"a\":[1}", 7},
		{"{\"a\":{]}", 6},
		{"{\"a\":[1,]}", 8},
		{"{\"a\":[,1]}", 6},
		{"{\"a\":[1 2]}", 8},
		{"{\"a\":tru}", 5},
		{"{\"a\":nulL}", 5},
		{"{\"a\":truex}", 9},
		{"{\"a\":01}", 6},
		{"{\"a\":-}", 6},
		{"{\"a\":1.}", 7},
		{"{\"a\":.5}", 5},
		{"{\"a\":1e}", 7},
		{"{\"a\":1e+}", 8},
		{"{\"a\":+1}", 5},
		{"{\"a\":0x1}", 6},
		{"{\"a\":NaN}", 5},
		{"{\"a\":\"", 5},
		{"{\"a\":\"\\", 6},
		{"{\"a\":\"\\x\"}", 6},
		{"{\"a\":\"\\u12\"}", 6},
		{"{\"a\":\"\\u12g4\"}", 6},
		{"{\"a\":\"\\ud800\"}", 6},
		{"{\"a\":\"\\udc00\"}", 6},
		{"{\"a\":\"\\ud800\\u0041\"}", 6},
		{"{\"a\":\"\\ud800x\"}", 6},
		{"{\"a\":\"\\ud800\\n12345\"}", 6},
		{"{\"a\":\"x\ny\"}", 7},
		{"{\"a\":\"x\x1fy\"}", 7},
		{"{\"\x01\":1}", 2},
		{"{a:1}", 1},
		{"{'a':1}", 1},
		{"{\"a\":1}x", 7},
		{"{\"a\":1}{\"b\":2}", 7},
		{"{\"a\" 1}", 5},
		{"\xef\xbb\xbf{}", 0},
		{"{\"a\":1\v}", 6},
		{"{\"a\":/**/1}", 5},
		{"[1,2", 4},
		{"\"abc", 0},
		{"1 2", 2},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		check_refused(state, cases[i].json, SCAN_INVALID_JSON, cases[i].offset);
	check_refused_span(state, (struct span){"{\"a\":\"x\0y\"}", 11}, SCAN_INVALID_JSON, 7);
	check_refused_span(state, (struct span){"{\"a\":\"\\\0\"}", 10}, SCAN_INVALID_JSON, 6);
	check_refused_span(state, (struct span){"{\0}", 3}, SCAN_INVALID_JSON, 1);
	check_refused_span(state, (struct span){NULL, 0}, SCAN_INVALID_JSON, 0);
}

static void control_characters_are_found_at_every_place_of_a_word(void **state)
{
	char json[] = "{\"a\":\"0123456789abcdefghijklmnopqrstuv\"}";
	for (size_t i = 6; i < 6 + 32; i++) {
		char kept = json[i];
		for (char byte = 1; byte < 0x20; byte++) {
			json[i] = byte;
			check_refused(state, json, SCAN_INVALID_JSON, i);
		}
		json[i] = kept;
	}
}

static void other_documents_are_no_events(void **state)
{
	static const char *const documents[] = {"[]", "[{}]", "\"x\"", "1", "null", "true"};
	for (size_t i = 0; i < ARRAY_COUNT(documents); i++)
		check_refused(state, documents[i], SCAN_NOT_AN_OBJECT, 0);
	check_refused(state, "  [1] ", SCAN_NOT_AN_OBJECT, 2);
}

static void bytes_that_are_not_utf8_are_found(void **state)
{
	check_refused(state, "{\"a\":\"\xff\"}", SCAN_INVALID_UTF8, 6);
	check_refused(state, "{\"a\":\"\xc0\x80\"}", SCAN_INVALID_UTF8, 6);
	check_refused(state, "{\"a\":\"\xed\xa0\x80\"}", SCAN_INVALID_UTF8, 6);
	check_refused(state, "{\"a\":\"\xc3\xa9\xf4\x90\x80\x80\"}", SCAN_INVALID_UTF8, 8);
	check_refused(state, "{\"a\":\"\xe2\x82", SCAN_INVALID_UTF8, 6);
	check_refused(state, "\x80", SCAN_INVALID_UTF8, 0);
}

static struct span nested(char *json, size_t levels)
{
	size_t size = (size_t)snprintf(json, 512, "{" PUSH ",\"x\":");
	memset(json + size, '[', levels);
	memset(json + size + levels, ']', levels);
	size += 2 * levels;
	json[size++] = '}';
	return (struct span){json, size};
}

static void depth_has_a_limit(void **state)
{
	char json[512];
	assert_true(try_scan_span(*state, nested(json, SCAN_DEPTH_MAX - 1)));
	size_t opening = strlen("{" PUSH ",\"x\":") + SCAN_DEPTH_MAX - 1;
	check_refused_span(state, nested(json, SCAN_DEPTH_MAX), SCAN_TOO_DEEP, opening);
	check_refused_span(state, nested(json, 100), SCAN_TOO_DEEP, opening);
}

static void size_has_a_limit(void **state)
{
	size_t size = SCAN_EVENT_BYTES_MAX;
	char *json = memory_allocate(size + 1, 1);
	memset(json, ' ', size + 1);
	memcpy(json, "{" PUSH "}", strlen("{" PUSH "}"));
	assert_true(try_scan_span(*state, (struct span){json, size}));
	check_refused_span(state, (struct span){json, size + 1}, SCAN_TOO_LARGE, 0);
	free(json);
}

static void a_full_arena_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct span json = span_of(
		"{" PULL
		",\"actor\":{\"login\":\"\\u0061bc\"},\"payload\":{\"pull_request\":{\"state\":"
		"\"\\u006fpen\"}},\"repo\":{\"name\":\"\\u0061/b\"}}");
	bool accepted = false;
	for (size_t size_max = 1; !accepted; size_max++) {
		assert_true(size_max < 3 * json.size + 6 * sizeof(struct value));
		CLEANUP(arena_finish) struct arena small = {0};
		arena_init(&small, size_max);
		accepted =
			scan_event(fixture->plan, json, &small, &fixture->event, &fixture->problem);
		assert_int_equal(small.failed, !accepted);
		if (!accepted)
			assert_int_equal(fixture->problem.reason, SCAN_TOO_LARGE);
	}
}

static void every_prefix_is_refused(void **state)
{
	static const char json[] = "{" PULL ",\"actor\":{\"id\":1,\"login\":"
				   "\"\\u0061\\ud83d\\ude00\"},\"payload\":{\"score\":-1."
				   "5e+3,\"x\":[true,false,null,{\"y\":[]}]}}";
	struct fixture *fixture = *state;
	assert_true(try_scan_span(fixture, span_of(json)));
	for (size_t size = 0; size < strlen(json); size++) {
		if (try_scan_span(fixture, (struct span){json, size}))
			fail_msg("accepted: %.*s", (int)size, json);
		assert_int_equal(fixture->problem.reason, SCAN_INVALID_JSON);
		assert_true(fixture->problem.offset <= size);
	}
}

static void reasons_have_names(void **state)
{
	(void)state;
	assert_string_equal(scan_reason_name(SCAN_INVALID_JSON), "invalid-json");
	assert_string_equal(scan_reason_name(SCAN_BAD_VALUE), "bad-value");
	for (int i = SCAN_OK; i <= SCAN_BAD_VALUE; i++)
		assert_true(strlen(scan_reason_name((enum scan_reason)i)) > 0);
}

int main(void)
{
#define SCAN_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCAN_TEST(malformed_json_is_refused_where_it_is_malformed),
		SCAN_TEST(control_characters_are_found_at_every_place_of_a_word),
		SCAN_TEST(other_documents_are_no_events),
		SCAN_TEST(bytes_that_are_not_utf8_are_found),
		SCAN_TEST(depth_has_a_limit),
		SCAN_TEST(size_has_a_limit),
		SCAN_TEST(a_full_arena_is_told),
		SCAN_TEST(every_prefix_is_refused),
		cmocka_unit_test(reasons_have_names),
	};
	return cmocka_run_group_tests_name("scan_refusal", tests, NULL, NULL);
}
