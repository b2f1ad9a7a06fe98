/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/suggest.h"

#include <string.h>

static const char *const words[] = {"window", "bucket", "repo", "limit", "as_of", "", "WatchEvent"};

static void assert_suggested(const char *word, const char *expected)
{
	const char *found = suggest_word(span_of(word), words, ARRAY_COUNT(words));
	if (!expected)
		assert_null(found);
	else if (!found)
		fail_msg("%s: nothing, wanted %s", word, expected);
	else
		assert_string_equal(found, expected);
}

static void nearest_word_is_found(void **state)
{
	(void)state;
	assert_suggested("window", "window");
	assert_suggested("windw", "window");
	assert_suggested("wnidow", "window"); /* one swap */
	assert_suggested("winddow", "window");
	assert_suggested("BUKCET", "bucket");
	assert_suggested("watchevnt", "WatchEvent");
	assert_suggested("rep", "repo");
	assert_suggested("erpo", "repo");
}

static void far_words_are_not_suggested(void **state)
{
	(void)state;
	assert_suggested("", NULL);
	assert_suggested("x", NULL);
	assert_suggested("re", NULL);
	assert_suggested("lamb", NULL);
	assert_suggested("completely", NULL);
	assert_null(suggest_word(span_of("repo"), words, 0));
}

static void longest_words_and_longer_ones(void **state)
{
	(void)state;
	char word[66];
	char near[66];
	memset(word, 'a', sizeof(word));
	word[64] = '\0';
	memcpy(near, word, sizeof(near));
	near[0] = 'b';
	const char *const candidates[] = {near};
	assert_ptr_equal(suggest_word(span_of(word), candidates, 1), near);
	assert_null(suggest_word((struct span){memset(word, 'a', 65), 65}, candidates, 1));
	near[64] = 'a';
	near[65] = '\0';
	assert_null(suggest_word((struct span){word, 64}, candidates, 1));
}

static void first_of_equals_wins(void **state)
{
	(void)state;
	static const char *const equals[] = {"cat", "bat", "at"};
	assert_string_equal(suggest_word(span_of("hat"), equals, 3), "cat");
	assert_string_equal(suggest_word(span_of("bat"), equals, 3), "bat");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_word_is_found),
		cmocka_unit_test(far_words_are_not_suggested),
		cmocka_unit_test(longest_words_and_longer_ones),
		cmocka_unit_test(first_of_equals_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
