/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "ingest/fetch.h"

static void expect_origin(const char *url, const char *origin)
{
	struct span found;
	bool ok = fetch_parse_origin(span_of(url), &found);
	assert_int_equal(ok, origin != NULL);
	if (origin)
		assert_true(span_equal_text(found, origin));
}

static void test_origin(void **state)
{
	(void)state;
	expect_origin("https://api.github.com/events?page=2", "https://api.github.com");
	expect_origin("http://127.0.0.1:8080", "http://127.0.0.1:8080");
	expect_origin("https://ghe.example/api/v3", "https://ghe.example");
	/* Tricks that would send the token elsewhere. */
	expect_origin("https://api.github.com@evil.example/", NULL);
	expect_origin("https://api.github.com\\@evil.example/", NULL);
	expect_origin("ftp://api.github.com/", NULL);
	expect_origin("//api.github.com/", NULL);
	expect_origin("https://", NULL);
	expect_origin("https://api.github.com\r\nX: 1", NULL);
}

static void test_link_next(void **state)
{
	(void)state;
	struct span link = span_of("<https://api.github.com/user/240830/events?page=3>; rel=\"prev\", "
				   "<https://api.github.com/user/240830/events?page=4>; rel=\"next\", "
				   "<https://api.github.com/x?page=9>; rel=\"last\"");
	assert_true(span_equal_text(fetch_link_next(link), "https://api.github.com/user/240830/events?page=4"));
	assert_null(fetch_link_next(span_of("<https://api.github.com/x?page=1>; rel=\"first\"")).data);
	assert_null(fetch_link_next(span_of("")).data);
	assert_null(fetch_link_next(span_of("<unclosed; rel=\"next\"")).data);
	assert_null(fetch_link_next(span_of("<a>")).data);
}

static void expect_next(const char *link, const char *url)
{
	struct span next = fetch_link_next(span_of(link));
	if (url)
		assert_true(span_equal_text(next, url));
	else
		assert_int_equal(next.size, 0);
}

static void test_link_in_all_its_forms(void **state)
{
	(void)state;
	expect_next("<a>;rel=next", "a");
	expect_next("<a> ; REL = \"Next\" ; title=x", "a");
	expect_next("<a>; rel=\"last next\"", "a");
	expect_next("<a>; title=\"x, y; rel=next\"; rel=last, <b>; rel=next", "b");
	expect_next("<a>; title=\"quote \\\", rel=next\"; rel=\"next\"", "a");
	expect_next("<https://h/x,y;rel=\"next\">; rel=item, <b>; rel=\"next\"", "b");
	/* What only looks like it. */
	expect_next("<a>; rel=\"nextish item-next\"", NULL);
	expect_next("<a>; xrel=next", NULL);
	expect_next("<a>; rel=prev; rel=next", NULL);
	expect_next("<a>; title=\"rel=\\\"next\\\"\"", NULL);
	expect_next("<>; rel=next", NULL);
	expect_next("a; rel=next", NULL);
	expect_next("<a>; rel=\"next", NULL);
	expect_next("<a>,,;;, ,; rel=next", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_link_next),
		cmocka_unit_test(test_link_in_all_its_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
