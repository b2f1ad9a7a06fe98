/* SPDX-License-Identifier: Apache-2.0 */
/* derived_id_test.c - the canonical text of an event, its hash and its id. The ids below were computed by
 * a program in another language from the page in derived_id.h: they never change. */
#include "tests/support/check.h"

#include "lake/derived_id.h"
#include "lake/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of `json`, whose memory is exactly as large. */
static void write_text(const char *json, struct buf *text)
{
	size_t size = strlen(json);
	char *exact = malloc(size);
	memcpy(exact, json, size);
	buf_init(text, DERIVED_ID_TEXT_BYTES_MAX);
	derived_id_write_text((struct span){exact, size}, text);
	free(exact);
}

static void check_text_of(const char *json, const char *expected)
{
	CLEANUP(buf_finish) struct buf text = {0};
	write_text(json, &text);
	if (!span_equal_text(buf_span(&text), expected))
		fail_msg("%s\ngives %s\nnot   %s", json, text.data, expected);
}

static void members_are_sorted_without_blanks(void **state)
{
	(void)state;
	check_text_of("{}", "{}");
	check_text_of(" { } ", "{}");
	check_text_of("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}");
	check_text_of("\t{\r\n \"b\" : [ ] , \"a\" : { \"d\" : [ 1 , { \"f\" : 0 , \"e\" : [ ] } ] , "
		      "\"c\" : { } } } \n",
		"{\"a\":{\"c\":{},\"d\":[1,{\"e\":[],\"f\":0}]},\"b\":[]}");
	/* The shorter first; keys that agree in their first eight bytes and more. */
	check_text_of("{\"ab\":1,\"a!\":2,\"a\":3,\"\":4,\"a\\u0000\":5}",
		"{\"\":4,\"a\":3,\"a!\":2,\"a\\u0000\":5,\"ab\":1}");
	check_text_of("{\"abcdefghij\":1,\"abcdefgh\":2,\"abcdefghi\":3,\"abcdefg\":4,\"abcdefgg\":5}",
		"{\"abcdefg\":4,\"abcdefgg\":5,\"abcdefgh\":2,\"abcdefghi\":3,\"abcdefghij\":1}");
	/* Bytes, not signed characters. */
	check_text_of("{\"\xc3\xa9\":1,\"z\":2}", "{\"z\":2,\"\xc3\xa9\":1}");
}

static void many_members_are_sorted(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf json = {0};
	CLEANUP(buf_finish) struct buf expected = {0};
	buf_init(&json, 1024 * 1024);
	buf_init(&expected, 1024 * 1024);
	buf_append_byte(&json, '{');
	buf_append_byte(&expected, '{');
	for (int i = 0; i < 1000; i++) {
		/* 7 and 1000 have no common divisor: each number once, and a second value for some. */
		buf_printf(&json, "%s\"key-%04d\":%d", i ? "," : "", i * 7 % 1000, i % 3 ? i * 7 % 1000 : -1);
		buf_printf(&expected, "%s\"key-%04d\":%d", i ? "," : "", i, i);
	}
	for (int i = 0; i < 1000; i++)
		if (i % 3 == 0)
			buf_printf(&json, ",\"key-%04d\":%d", i * 7 % 1000, i * 7 % 1000);
	buf_append_byte(&json, '}');
	buf_append_byte(&expected, '}');
	check_text_of(json.data, expected.data);
}

static void the_last_of_duplicates_counts(void **state)
{
	(void)state;
	check_text_of("{\"a\":1,\"b\":2,\"\\u0061\":3}", "{\"a\":3,\"b\":2}");
	check_text_of("{\"a\":1,\"a\":null}", "{}");
	check_text_of("{\"a\":null,\"a\":1}", "{\"a\":1}");
	check_text_of("{\"abcdefghij\":{\"x\":1},\"abcdefghij\":{\"y\":1},\"abcdefghik\":0}",
		"{\"abcdefghij\":{\"y\":1},\"abcdefghik\":0}");
}

static void strings_have_the_fewest_escapes(void **state)
{
	(void)state;
	check_text_of("{\"a\":\"\\/\\u002f\\u00E9\\u20ac\\ud83D\\uDe00\"}",
		"{\"a\":\"//\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}");
	check_text_of("{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}", "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}");
	check_text_of("{\"a\":\"\\u0022\\u005C\\u0008\\u000c\\u000A\\u000d\\u0009\"}",
		"{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}");
	check_text_of("{\"a\":\"\\u0000\\u001F\\u007F\x7f\"}", "{\"a\":\"\\u0000\\u001f\x7f\x7f\"}");
	check_text_of("{\"a\":\"plain and long enough for words, then \\u0041 and more of it\"}",
		"{\"a\":\"plain and long enough for words, then A and more of it\"}");
}

static void numbers_mean_the_same(void **state)
{
	(void)state;
	check_text_of("{\"a\":[0,-0,1,-12,123456789012345678901234567890]}",
		"{\"a\":[0,0,1,-12,123456789012345678901234567890]}");
	check_text_of("{\"a\":[1.0,1.50,15e-1,0.1,1e2,-0.0,-0e5,1E400,-1e400]}",
		"{\"a\":[1,1.5,1.5,0.10000000000000001,100,0,0,inf,-inf]}");
	check_text_of("{\"a\":[true,false,null]}", "{\"a\":[true,false,null]}");
	/* Many that become longer: the room is made. */
	CLEANUP(buf_finish) struct buf json = {0};
	CLEANUP(buf_finish) struct buf expected = {0};
	buf_init(&json, 1024 * 1024);
	buf_init(&expected, 1024 * 1024);
	buf_append_text(&json, "{\"a\":[");
	buf_append_text(&expected, "{\"a\":[");
	for (int i = 0; i < 5000; i++) {
		buf_printf(&json, "%s0.1", i ? "," : "");
		buf_printf(&expected, "%s0.10000000000000001", i ? "," : "");
	}
	buf_append_text(&json, "]}");
	buf_append_text(&expected, "]}");
	check_text_of(json.data, expected.data);
}

static void null_is_absent(void **state)
{
	(void)state;
	check_text_of("{\"a\":null}", "{}");
	check_text_of("{\"a\":{\"b\":null,\"c\":[null]},\"d\":null,\"n\":\"null\"}",
		"{\"a\":{\"c\":[null]},\"n\":\"null\"}");
}

static void addresses_are_left_out(void **state)
{
	(void)state;
	check_text_of("{\"email\":\"a@b\",\"a\":{\"email\":null},\"b\":[{\"\\u0065mail\":{\"x\":1}}],"
		      "\"Email\":1,\"email2\":2}",
		"{\"Email\":1,\"a\":{},\"b\":[{}],\"email2\":2}");
	check_text_of("{\"payload\":{\"shas\":[[\"s\",\"a@b\",\"m\",\"n\",true],[\"s\"],"
		      "[],\"t\",[\"s\",[1,2]],[\"u\",null]]}}",
		"{\"payload\":{\"shas\":[[\"s\",\"m\",\"n\",true],[\"s\"],[],\"t\",[\"s\"],[\"u\"]]}}");
	/* Nowhere else. */
	check_text_of("{\"shas\":[[1,2]],\"payload\":{\"x\":{\"shas\":[[1,2]]},\"shas\":{\"shas\":[[1,2]]}}}",
		"{\"payload\":{\"shas\":{\"shas\":[[1,2]]},\"x\":{\"shas\":[[1,2]]}},\"shas\":[[1,2]]}");
	check_text_of("{\"payload\":{\"shas\":[[[1,2],3]]},\"x\":{\"payload\":{\"shas\":[[1,2]]}}}",
		"{\"payload\":{\"shas\":[[[1,2]]]},\"x\":{\"payload\":{\"shas\":[[1,2]]}}}");
	check_text_of("{\"payload\":[{\"shas\":[[1,2]]}]}", "{\"payload\":[{\"shas\":[[1,2]]}]}");
}

static void the_deepest_event(void **state)
{
	(void)state;
	char json[512] = "{\"a\":";
	size_t size = strlen(json);
	memset(json + size, '[', 63);
	memset(json + size + 63, ']', 63);
	json[size + 126] = '}';
	check_text_of(json, json);
	/* Objects: each level has its last comma for a moment. */
	CLEANUP(buf_finish) struct buf deep = {0};
	buf_init(&deep, 4096);
	for (int i = 0; i < 64; i++)
		buf_append_text(&deep, "{\"\":");
	buf_append_byte(&deep, '0');
	for (int i = 0; i < 64; i++)
		buf_append_byte(&deep, '}');
	check_text_of(deep.data, deep.data);
}

/* `piece` as often as the largest event has room for, between `head` and `tail`. */
static void write_largest(const char *head, const char *piece, const char *tail, struct buf *text)
{
	CLEANUP(buf_finish) struct buf json = {0};
	buf_init(&json, SCAN_EVENT_BYTES_MAX);
	buf_append_text(&json, head);
	while (json.size + strlen(piece) + strlen(tail) < SCAN_EVENT_BYTES_MAX)
		buf_append_text(&json, piece);
	json.size--; /* the last comma */
	buf_append_text(&json, tail);
	assert_false(json.failed);
	buf_init(text, DERIVED_ID_TEXT_BYTES_MAX);
	derived_id_write_text(buf_span(&json), text);
}

/* What takes the most memory fits in its maxima. */
static void the_largest_events(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf text = {0};
	write_largest("{\"a\":{\"b\":[", "0.1,", "]}}", &text);
	assert_in_range(text.size, (size_t)79 << 20, (size_t)80 << 20);
	buf_finish(&text);
	write_largest("{", "\"\":0,", "}", &text);
	assert_string_equal(text.data, "{\"\":0}");
}

static void the_hash_is_xxh64(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t hash;
	} cases[] = {
		{"", UINT64_C(0xef46db3751d8e999)},
		{"a", UINT64_C(0xd24ec4f1a98c6e5b)},
		{"as", UINT64_C(0x1c330fb2d66be179)},
		{"asd", UINT64_C(0x631c37ce72a97393)},
		{"asdf", UINT64_C(0x415872f599cea71e)},
		{"Call me Ishmael. Some years ago--never mind how long precisely-",
			UINT64_C(0x02a2e85470d6fd96)},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_true(derived_id_hash(span_of(cases[i].text)) == cases[i].hash);
}

static void ids_are_for_ever(void **state)
{
	(void)state;
	static const char event[] =
		"{\"type\":\"PushEvent\",\"created_at\":\"2012/06/14 15:01:42 -0700\",\"actor\":\"a\","
		"\"payload\":{\"size\":1,\"shas\":[[\"s\",\"e@x\",\"m\",\"n\",true]]}}";
	assert_true(derived_id(span_of(event)) == INT64_C(-1784204864270302111));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_sorted_without_blanks),
		cmocka_unit_test(many_members_are_sorted),
		cmocka_unit_test(the_last_of_duplicates_counts),
		cmocka_unit_test(strings_have_the_fewest_escapes),
		cmocka_unit_test(numbers_mean_the_same),
		cmocka_unit_test(null_is_absent),
		cmocka_unit_test(addresses_are_left_out),
		cmocka_unit_test(the_deepest_event),
		cmocka_unit_test(the_largest_events),
		cmocka_unit_test(the_hash_is_xxh64),
		cmocka_unit_test(ids_are_for_ever),
	};
	return cmocka_run_group_tests_name("derived_id", tests, NULL, NULL);
}
