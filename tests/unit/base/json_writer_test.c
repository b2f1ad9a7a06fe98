/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/json_writer.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct buf out;
	struct json_writer json;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	buf_init(&fixture.out, 100000);
	json_writer_init(&fixture.json, &fixture.out);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->out);
	return 0;
}

/* What was written since the last look. */
static void assert_written(struct fixture *f, const char *text)
{
	assert_false(f->out.failed);
	assert_string_equal(f->out.data ? f->out.data : "", text);
	buf_clear(&f->out);
	json_writer_init(&f->json, &f->out);
}

static void commas_stand_between_values(void **state)
{
	struct fixture *f = *state;
	struct json_writer *json = &f->json;
	json_begin_object(json);
	json_put_key(json, "a");
	json_begin_array(json);
	json_put_integer(json, 1);
	json_begin_array(json);
	json_end_array(json);
	json_begin_object(json);
	json_end_object(json);
	json_put_null(json);
	json_end_array(json);
	json_put_key_text(json, "b", "x");
	json_put_key_string(json, "c", (struct span){0});
	json_put_key_integer(json, "d", -1);
	json_put_key_real(json, "e", 0.5);
	json_put_key_boolean(json, "f", true);
	json_put_key_time(json, "g", 1);
	json_put_key_time(json, "h", 0);
	json_put_key_time(json, "i", -5);
	json_put_key_text(json, "j", NULL);
	json_put_key(json, "k");
	json_put_raw(json, span_of("[1]"));
	json_put_key_span(json, (struct span){"l\"m", 2});
	json_put_boolean(json, false);
	json_end_object(json);
	assert_written(f,
		"{\"a\":[1,[],{},null],\"b\":\"x\",\"c\":null,\"d\":-1,\"e\":0.5,\"f\":true,"
		"\"g\":\"1970-01-01T00:00:00.000001Z\",\"h\":null,\"i\":null,\"j\":null,"
		"\"k\":[1],\"l\\\"\":false}");
}

static void strings_are_escaped(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		const char *written;
	} cases[] = {
		{"", "\"\""},
		{"plain caf\xc3\xa9 \xf0\x9f\x90\x99", "\"plain caf\xc3\xa9 \xf0\x9f\x90\x99\""},
		{"\"\\\b\f\n\r\t/", "\"\\\"\\\\\\b\\f\\n\\r\\t/\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
		{"</script>&", "\"\\u003c/script\\u003e\\u0026\""},
		{"a\xe2\x80\xa8"
		 "b\xe2\x80\xa9",
			"\"a\\u2028b\\u2029\""},
		{"\xe2\x80\xaa", "\"\xe2\x80\xaa\""},
		{"x\xffy\xc3", "\"x\\ufffdy\\ufffd\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
		{"\xe2\x80", "\"\\ufffd\\ufffd\""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		json_put_text(&f->json, cases[i].text);
		assert_written(f, cases[i].written);
	}
	json_put_string(&f->json, (struct span){"a\0b", 3});
	assert_written(f, "\"a\\u0000b\"");
	json_put_string(&f->json, (struct span){0});
	assert_written(f, "null");
}

static void every_byte_pair_gives_utf8_without_bare_controls(void **state)
{
	struct fixture *f = *state;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char text[3] = {(char)a, (char)b, 'x'};
			json_put_string(&f->json, (struct span){text, 3});
			assert_true(span_is_utf8(buf_span(&f->out)));
			assert_int_equal(f->out.data[f->out.size - 2], 'x');
			for (size_t i = 0; i < f->out.size; i++)
				assert_true((unsigned char)f->out.data[i] >= 0x20);
			buf_clear(&f->out);
			json_writer_init(&f->json, &f->out);
		}
}

static void integers_beyond_a_doubles_are_text(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int64_t value;
		const char *written;
	} cases[] = {
		{0, "0"},
		{-7, "-7"},
		{INT64_C(9007199254740992), "9007199254740992"},
		{INT64_C(-9007199254740992), "-9007199254740992"},
		{INT64_C(9007199254740993), "\"9007199254740993\""},
		{INT64_C(-9007199254740993), "\"-9007199254740993\""},
		{INT64_MAX, "\"9223372036854775807\""},
		{INT64_MIN, "\"-9223372036854775808\""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		json_put_integer(&f->json, cases[i].value);
		assert_written(f, cases[i].written);
	}
}

static void reals_are_short_and_read_back(void **state)
{
	struct fixture *f = *state;
	static const struct {
		double value;
		const char *written;
	} cases[] = {{0, "0.0"}, {1, "1.0"}, {0.1, "0.1"}, {-2.5, "-2.5"}, {1e22, "1e+22"},
		{100, "100.0"}, {1.0 / 3, "0.3333333333333333"}, {NAN, "null"}, {INFINITY, "null"},
		{-INFINITY, "null"}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		json_put_real(&f->json, cases[i].value);
		assert_written(f, cases[i].written);
	}
	static const double hard[] = {DBL_MAX, DBL_MIN, -DBL_MAX, 4.9406564584124654e-324,
		DBL_EPSILON, 2.0 / 3, 0.1 + 0.2, 9007199254740993.0, 123456789.123456789};
	for (size_t i = 0; i < ARRAY_COUNT(hard); i++) {
		json_put_real(&f->json, hard[i]);
		assert_true(strtod(f->out.data, NULL) == hard[i]);
		buf_clear(&f->out);
		json_writer_init(&f->json, &f->out);
	}
}

static void full_buffer_is_remembered(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->out);
	buf_init(&f->out, 20);
	json_begin_array(&f->json);
	for (int i = 0; i < 10; i++)
		json_put_text(&f->json, "some text");
	json_end_array(&f->json);
	assert_true(f->out.failed);
	assert_true(f->out.size <= 20);
}

#define WITH_WRITER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WRITER(commas_stand_between_values),
		WITH_WRITER(strings_are_escaped),
		WITH_WRITER(every_byte_pair_gives_utf8_without_bare_controls),
		WITH_WRITER(integers_beyond_a_doubles_are_text),
		WITH_WRITER(reals_are_short_and_read_back),
		WITH_WRITER(full_buffer_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
