/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/err.h"
#include "base/span.h"

#include <errno.h>
#include <string.h>

static void context_comes_in_front_and_kind_stays(void **state)
{
	(void)state;
	struct err err = {.exit_code = 9};
	assert_false(err_set(&err, ERR_RETRY, "status %d", 503));
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(err.exit_code, 0);
	err.exit_code = 6;
	assert_false(err_wrap(&err, "GET %s", "/events"));
	assert_string_equal(err.text, "GET /events: status 503");
	assert_int_equal(err.kind, ERR_RETRY);
	assert_int_equal(err.exit_code, 6);
}

static void own_text_may_be_an_argument(void **state)
{
	(void)state;
	struct err err = {0};
	(void)err_set(&err, ERR_LOCAL, "inner");
	(void)err_set(&err, ERR_INPUT, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	(void)err_wrap(&err, "<%s>", err.text);
	assert_string_equal(err.text, "<outer (inner)>: outer (inner)");
	assert_int_equal(err.kind, ERR_INPUT);
}

static void errno_is_told_in_words(void **state)
{
	(void)state;
	struct err err = {0};
	assert_false(err_set_errno(&err, ERR_LOCAL, ENOSPC, "write %s", "f"));
	assert_string_equal(err.text, "write f: No space left on device");
	assert_false(err_set_errno(&err, ERR_LOCAL, 99999, "x"));
	assert_non_null(strstr(err.text, "99999"));
}

static void long_texts_are_cut(void **state)
{
	(void)state;
	struct err err = {0};
	char text[3000];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_LOCAL, "%s", text);
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES_MAX - 1);
	(void)err_set(&err, ERR_LOCAL, "inner");
	(void)err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES_MAX - 1);
	(void)err_wrap(&err, "front");
	assert_true(span_starts_with(span_of(err.text), "front: aaa"));
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES_MAX - 1);
	(void)err_set(&err, ERR_LOCAL, "x%s", "");
	for (int i = 0; i < 600; i++)
		(void)err_wrap(&err, "\xe2\x82\xac");
	assert_true(span_is_utf8(span_of(err.text)));
}

static void no_byte_moves_a_cursor_or_fakes_a_line(void **state)
{
	(void)state;
	struct err err = {0};
	(void)err_set(&err, ERR_INPUT,
		"a\nb\x1b[2Jc\x7f\xc2\x9b"
		"d\xff\x9b"
		"e\xc3\xa9");
	assert_string_equal(err.text, "a b [2Jc   d  e\xc3\xa9");
	(void)err_set(&err, ERR_INPUT, "x");
	(void)err_wrap(&err, "\r\n%s", "\x1b");
	assert_string_equal(err.text, "   : x");
	(void)err_set_errno(&err, ERR_INPUT, EPERM, "\t");
	assert_string_equal(err.text, " : Operation not permitted");
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(err_kind_name(ERR_NONE), "none");
	assert_string_equal(err_kind_name(ERR_RETRY), "retry");
	assert_string_equal(err_kind_name(ERR_INPUT), "input");
	assert_string_equal(err_kind_name(ERR_LOCAL), "local");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_comes_in_front_and_kind_stays),
		cmocka_unit_test(own_text_may_be_an_argument),
		cmocka_unit_test(errno_is_told_in_words),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(no_byte_moves_a_cursor_or_fakes_a_line),
		cmocka_unit_test(kinds_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
