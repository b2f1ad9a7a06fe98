/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/mask.h"

#include <string.h>

static void user_information_is_masked(void **state)
{
	(void)state;
	static const struct {
		const char *given;
		const char *shown;
	} cases[] = {
		{"https://api.github.com", "https://api.github.com"},
		{"http://user:secret@proxy:3128/x", "http://***@proxy:3128/x"},
		{"http://secret@proxy", "http://***@proxy"},
		{"user:secret@proxy:3128", "***@proxy:3128"},
		{"http://u:se@cret@proxy", "http://***@proxy"},
		{"http://u:se/cret@proxy", "http://***@proxy"},
		{"a,http://u:p@b,c", "a,http://***@b,c"},
		{"could not reach \"http://u:p@b\" now", "could not reach \"http://***@b\" now"},
		{"http://@proxy", "http://***@proxy"},
		{"", ""},
		{"./data", "./data"},
		{"/home/me@work/x:y", "/home/me@work/x:y"},
		{"me@work", "me@work"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct buf out CLEANUP(buf_finish) = {.size_max = 4096};
		buf_append_text(&out, ">");
		mask_append_urls(&out, span_of(cases[i].given));
		assert_string_equal(out.data + 1, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(user_information_is_masked)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
