/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "fake_github/etag.h"
#include "fake_github/paging.h"

#include <stdio.h>
#include <string.h>

static void parameters_are_read_as_github_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		unsigned page, per_page;
	} cases[] = {
		{NULL, 1, 30},          {"", 1, 30},
		{"per_page=100", 1, 100}, {"per_page=500&page=2", 2, 100},
		{"page=3&per_page=1", 3, 1}, {"per_page=0&page=0", 1, 30},
		{"per_page=-5&page=x", 1, 30}, {"page=&per_page=", 1, 30},
		{"xpage=7&page=2", 2, 30}, {"page=99999999999999999999", 1, 30},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct paging paging = paging_parse(span_of(cases[i].query));
		assert_int_equal(paging.page, cases[i].page);
		assert_int_equal(paging.per_page, cases[i].per_page);
	}
}

static void window_ends_at_300(void **state)
{
	(void)state;
	assert_false(paging_is_beyond_window((struct paging){3, 100, true}));
	assert_true(paging_is_beyond_window((struct paging){4, 100, true}));
	assert_false(paging_is_beyond_window((struct paging){10, 30, false}));
	assert_true(paging_is_beyond_window((struct paging){11, 30, false}));
	assert_true(paging_is_beyond_window((struct paging){1000000, 100, true}));
}

static void check_range(unsigned page, unsigned per_page, size_t count, size_t first, size_t end)
{
	size_t got_first;
	size_t got_end;
	paging_range((struct paging){page, per_page, true}, count, &got_first, &got_end);
	assert_int_equal(got_first, first);
	assert_int_equal(got_end, end);
}

static void ranges_stay_inside(void **state)
{
	(void)state;
	check_range(1, 100, 0, 0, 0);
	check_range(1, 100, 43, 0, 43);
	check_range(2, 100, 43, 43, 43);
	check_range(3, 100, 1000, 200, 300);
	check_range(2, 70, 150, 70, 140);
	check_range(5, 70, 1000, 280, 300);
}

static void check_link(unsigned page, unsigned per_page, bool given, size_t count,
		       const char *expected)
{
	struct buf out;
	buf_init(&out, 4096);
	paging_append_link((struct paging){page, per_page, given}, count, span_of("h:1"),
			   span_of("/events"), &out);
	assert_string_equal(out.data ? out.data : "", expected);
	buf_finish(&out);
}

static void links_have_githubs_form(void **state)
{
	(void)state;
	check_link(1, 30, false, 30, "");
	check_link(
		1, 30, false, 300,
		"<http://h:1/events?page=2>; rel=\"next\", <http://h:1/events?page=10>; rel=\"last\"");
	check_link(2, 100, true, 250,
		   "<http://h:1/events?per_page=100&page=1>; rel=\"prev\", "
		   "<http://h:1/events?per_page=100&page=3>; rel=\"next\", "
		   "<http://h:1/events?per_page=100&page=3>; rel=\"last\", "
		   "<http://h:1/events?per_page=100&page=1>; rel=\"first\"");
	check_link(3, 100, true, 9000,
		   "<http://h:1/events?per_page=100&page=2>; rel=\"prev\", "
		   "<http://h:1/events?per_page=100&page=1>; rel=\"first\"");
	check_link(2, 100, true, 40,
		   "<http://h:1/events?per_page=100&page=1>; rel=\"prev\", "
		   "<http://h:1/events?per_page=100&page=1>; rel=\"first\"");
}

static void tags_match_with_their_quotes_only(void **state)
{
	(void)state;
	struct etag tag = etag_make(span_of("body"), 7);
	struct etag other_body = etag_make(span_of("bodx"), 7);
	struct etag other_salt = etag_make(span_of("body"), 8);
	assert_string_not_equal(tag.text, other_body.text);
	assert_string_not_equal(tag.text, other_salt.text);
	assert_int_equal(strlen(tag.text), 4 + 64);
	assert_true(span_starts_with(span_of(tag.text), "W/\""));

	char text[256];
	assert_true(etag_matches(span_of(tag.text), &tag));
	assert_true(etag_matches(span_of(tag.text + 2), &tag)); /* without W/ */
	assert_false(etag_matches(span_make(tag.text + 3, 64), &tag)); /* without quotes */
	assert_false(etag_matches(span_of(other_body.text), &tag));
	assert_false(etag_matches(span_of("*"), &tag));
	assert_false(etag_matches(span_of(""), &tag));
	assert_false(etag_matches((struct span){0}, &tag));
	(void)snprintf(text, sizeof(text), "%s , %s", other_body.text, tag.text);
	assert_true(etag_matches(span_of(text), &tag));
	assert_false(etag_matches(span_of(text), &other_salt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_read_as_github_reads_them),
		cmocka_unit_test(window_ends_at_300),
		cmocka_unit_test(ranges_stay_inside),
		cmocka_unit_test(links_have_githubs_form),
		cmocka_unit_test(tags_match_with_their_quotes_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
