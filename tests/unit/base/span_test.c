/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/span.h"

#include <string.h>

static struct span bytes(const char *data, size_t size)
{
	return (struct span){data, size};
}

static void absent_and_empty_are_equal_but_told_apart(void **state)
{
	(void)state;
	struct span absent = span_of(NULL);
	struct span empty = span_of("");
	assert_null(absent.data);
	assert_non_null(empty.data);
	assert_true(span_equal(absent, empty));
	assert_true(span_equal_ignore_case(absent, empty));
	assert_int_equal(span_compare(absent, empty), 0);
	assert_true(span_is_utf8(absent));
	assert_int_equal(span_trim(absent).size, 0);
	assert_true(span_starts_with(absent, ""));
	assert_true(span_ends_with(absent, ""));
	assert_true(span_hash(absent, 0) == span_hash(empty, 0));
}

static void comparisons_see_every_byte(void **state)
{
	(void)state;
	assert_true(span_equal(bytes("a\0b", 3), bytes("a\0b", 3)));
	assert_false(span_equal(bytes("a\0b", 3), bytes("a\0c", 3)));
	assert_false(span_equal_ignore_case(bytes("a\0b", 3), bytes("a\0c", 3)));
	assert_true(span_equal_ignore_case(span_of("Octo-Cat[Bot]"), span_of("oCTO-cAT[bOT]")));
	assert_false(span_equal_ignore_case(span_of("@"), span_of("`")));
	assert_false(span_equal_ignore_case(span_of("["), span_of("{")));
	assert_false(span_equal_ignore_case(span_of("\xc3\x89"), span_of("\xc3\xa9")));
	assert_true(span_compare(span_of("a"), span_of("ab")) < 0);
	assert_true(span_compare(span_of("ab"), span_of("a")) > 0);
	assert_true(span_compare(span_of("\x7f"), span_of("\x80")) < 0);
	assert_true(span_compare(bytes("a\0a", 3), bytes("a\0b", 3)) < 0);
	assert_true(span_equal_text(span_make("abc", 2), "ab"));
}

static void ends_and_middle(void **state)
{
	(void)state;
	assert_true(span_starts_with(span_of("payload.action"), "payload."));
	assert_false(span_starts_with(span_of("pay"), "payload."));
	assert_true(span_ends_with(span_of("file.tmp"), ".tmp"));
	assert_false(span_ends_with(span_of("tmp"), ".tmp"));
	assert_true(span_equal_text(span_trim(span_of(" \t\r\na b \n")), "a b"));
	assert_int_equal(span_trim(span_of(" \t ")).size, 0);
	struct span head = span_of("untouched");
	struct span rest = head;
	assert_false(span_split(span_of("abc"), '/', &head, &rest));
	assert_true(span_equal_text(head, "untouched") && span_equal_text(rest, "untouched"));
	assert_true(span_split(span_of("owner/name/x"), '/', &head, &rest));
	assert_true(span_equal_text(head, "owner") && span_equal_text(rest, "name/x"));
	assert_true(span_split(span_of("/"), '/', &head, &rest));
	assert_true(head.size == 0 && rest.size == 0);
	assert_false(span_split(span_of(NULL), '/', &head, &rest));
}

static void integers(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {{"0", 0}, {"-0", 0}, {"007", 7}, {"-12", -12},
		{"9223372036854775807", INT64_MAX}, {"-9223372036854775808", INT64_MIN}};
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "--1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999", "\xd9\xa1"};
	int64_t value = 77;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(span_parse_int64(span_of(bad[i]), &value));
	assert_false(span_parse_int64(bytes("1\0", 2), &value));
	assert_int_equal(value, 77);
	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		assert_true(span_parse_int64(span_of(good[i].text), &value));
		assert_true(value == good[i].value);
	}
	assert_true(span_parse_int64(bytes("123456", 3), &value));
	assert_int_equal(value, 123);
}

static void reals(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} good[] = {{"0", 0}, {"1.5", 1.5}, {"-.5", -0.5}, {"2.", 2}, {"1e3", 1000}, {"+2", 2},
		{"1E-2", 0.01}};
	static const char *const bad[] = {"", "-", ".", "e1", "1e", "1 ", " 1", "inf", "nan",
		"0x10", "1e999", "1,5", "1-2", "1e5.5"};
	double value = 77;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		assert_false(span_parse_double(span_of(bad[i]), &value));
	assert_false(span_parse_double(bytes("1\0", 2), &value));
	char longer[65];
	memset(longer, '1', sizeof(longer));
	assert_false(span_parse_double(bytes(longer, sizeof(longer)), &value));
	assert_true(value == 77);
	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		assert_true(span_parse_double(span_of(good[i].text), &value));
		assert_true(value == good[i].value);
	}
}

static void utf8_is_that_of_rfc_3629(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
		"\xc2\x7f", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82\x7f", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff"};
	char text[64];
	/* At every place of an 8-byte step, because plain ASCII is passed over in such steps. */
	for (size_t before = 0; before < 17; before++) {
		memset(text, 'x', sizeof(text));
		for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
			size_t size = strlen(good[i]);
			memcpy(text + before, good[i], size);
			assert_true(span_is_utf8(bytes(text, before + size)));
			assert_int_equal(span_utf8_size(bytes(text + before, 40)), size);
		}
		for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
			size_t size = strlen(bad[i]);
			memcpy(text + before, bad[i], size);
			assert_false(span_is_utf8(bytes(text, before + size)));
			assert_int_equal(span_utf8_size(bytes(text + before, size)), 0);
		}
	}
	assert_true(span_is_utf8(bytes("\0", 1)));
	assert_int_equal(span_utf8_size(span_of("")), 0);
}

static void control_characters_are_not_printable(void **state)
{
	(void)state;
	static const char *const controls[] = {
		"\x01", "\x1b[31m", "\n", "\x7f", "\xc2\x80", "\xc2\x9b", "\x9b", ""};
	for (size_t i = 0; i < ARRAY_COUNT(controls); i++)
		assert_int_equal(span_printable_size(span_of(controls[i])), 0);
	assert_int_equal(span_printable_size(bytes("\0", 1)), 0);
	assert_int_equal(span_printable_size(span_of(" ")), 1);
	assert_int_equal(span_printable_size(span_of("\xc2\xa0")), 2);
	assert_int_equal(span_printable_size(span_of("\xf0\x9f\x90\x99")), 4);
}

static void hash_is_fnv_1a_and_goes_on(void **state)
{
	(void)state;
	/* Test vectors of the algorithm's authors (draft-eastlake-fnv). */
	assert_true(span_hash(span_of(""), 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(span_hash(span_of("a"), 0) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(span_hash(span_of("foobar"), 0) == UINT64_C(0x85944171f73967e8));
	assert_true(span_hash(span_of("bar"), span_hash(span_of("foo"), 0))
		    == span_hash(span_of("foobar"), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_and_empty_are_equal_but_told_apart),
		cmocka_unit_test(comparisons_see_every_byte),
		cmocka_unit_test(ends_and_middle),
		cmocka_unit_test(integers),
		cmocka_unit_test(reals),
		cmocka_unit_test(utf8_is_that_of_rfc_3629),
		cmocka_unit_test(control_characters_are_not_printable),
		cmocka_unit_test(hash_is_fnv_1a_and_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
