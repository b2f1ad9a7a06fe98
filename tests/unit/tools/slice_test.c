/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "fake_github/slice.h"

#include <string.h>

static void check_slices(const char *text, size_t count, const char *const *expected)
{
	struct slice_list list;
	struct err err = {0};
	assert_true(slice_array(span_of(text), &list, &err));
	assert_int_equal(list.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(span_equal_text(list.elements[i], expected[i]));
	slice_finish(&list);
}

static void cuts_without_changing_bytes(void **state)
{
	(void)state;
	check_slices("[]", 0, NULL);
	check_slices(" [ \n ] \r\n", 0, NULL);
	check_slices("[1]", 1, (const char *const[]){"1"});
	check_slices("[ {\"a\": [1, 2] } ,\n\t{\"b\":{}}\n]\n", 2,
		     (const char *const[]){"{\"a\": [1, 2] }", "{\"b\":{}}"});
	check_slices("[[1,[2]],\"x\",null]", 3, (const char *const[]){"[1,[2]]", "\"x\"", "null"});
}

static void brackets_inside_strings_are_text(void **state)
{
	(void)state;
	check_slices("[{\"a\":\"]},[\"},{\"b\":\"\\\"],\\\\\"}]", 2,
		     (const char *const[]){"{\"a\":\"]},[\"}", "{\"b\":\"\\\"],\\\\\"}"});
	check_slices("[\"\\u005d\",\"\xff,\"]", 2,
		     (const char *const[]){"\"\\u005d\"", "\"\xff,\""});
}

static void what_is_no_array_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",      "   ",     "{}",      "[",         "[1",       "[1,",     "[1,]",
		"[,1]",  "[1,,2]",  "[] x",    "[1] [2]",   "[{]}]",    "[\"a]",   "[\"\\\"]",
		"[{}}]", "[{\"a\":[}]", "null", "[{\"a\":1]",
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct slice_list list = {0};
		struct err err = {0};
		if (slice_array(span_of(texts[i]), &list, &err))
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_null(list.elements);
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char text[2 * (SLICE_DEPTH_MAX + 2) + 1];
	for (size_t extra = 0; extra < 2; extra++) {
		size_t depth = SLICE_DEPTH_MAX + 1 + extra; /* the outer array is not counted */
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		struct slice_list list = {0};
		struct err err = {0};
		assert_int_equal(slice_array(span_make(text, 2 * depth), &list, &err), extra == 0);
		slice_finish(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_without_changing_bytes),
		cmocka_unit_test(brackets_inside_strings_are_text),
		cmocka_unit_test(what_is_no_array_is_refused),
		cmocka_unit_test(depth_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
