/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "serve/text.h"

#include <string.h>

static const char *shown(void (*append)(struct buf *, struct span), struct span text)
{
	static char copy[4096];
	CLEANUP(buf_finish) struct buf out = {.size_max = sizeof(copy) - 1};
	append(&out, text);
	assert_false(out.failed);
	memcpy(copy, out.data ? out.data : "", out.size);
	copy[out.size] = '\0';
	return copy;
}

static const char *html(const char *text)
{
	return shown(text_append_html, span_of(text));
}

static const char *public(const char *text)
{
	return shown(text_append_public, span_of(text));
}

static void test_html_is_escaped(void **state)
{
	(void)state;
	assert_string_equal(html("<b a=\"1\" c='2'>&amp;</b>"),
		"&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;");
	assert_string_equal(html("Zoë\tand\nmore"), "Zoë\tand\nmore");
	assert_string_equal(html("a\x1b[2Jb\x7f"), "a\xef\xbf\xbd[2Jb\xef\xbf\xbd");
	assert_string_equal(html("bad \xff\xc3"), "bad \xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(shown(text_append_html, (struct span){0}), "");
}

static void test_url_is_encoded(void **state)
{
	(void)state;
	assert_string_equal(shown(text_append_url, span_of("a-z_0.9~/ ?&=%\"'ë")),
		"a-z_0.9~%2F%20%3F%26%3D%25%22%27%C3%AB");
}

static void test_file_name_has_safe_bytes_only(void **state)
{
	(void)state;
	assert_string_equal(shown(text_append_file_name, span_of("../a b/\"c\"\r\n2026:09.csv")),
		"..-a-b--c---2026-09.csv");
}

static void test_paths_lose_their_folders(void **state)
{
	(void)state;
	assert_string_equal(
		public("open /home/me/data/x.yaml: No such file"), "open x.yaml: No such file");
	assert_string_equal(public("\"/a/b/c\" and (/d/e), '/f/g/'"), "\"c\" and (e), ''");
	assert_string_equal(public("/a/b"), "b");
	assert_string_equal(public("silver/_live/1.parquet: 3/4 rows, a/b"),
		"silver/_live/1.parquet: 3/4 rows, a/b");
	assert_string_equal(
		public("https://api.github.com/events"), "https://api.github.com/events");
	assert_string_equal(public("stream /events ended"), "stream /events ended");
	assert_string_equal(public(""), "");
}

static void test_base_name(void **state)
{
	(void)state;
	assert_true(span_equal_text(text_base_name(span_of("/a/b.c")), "b.c"));
	assert_true(span_equal_text(text_base_name(span_of("b.c")), "b.c"));
	assert_int_equal(text_base_name(span_of("a/")).size, 0);
	assert_null(text_base_name((struct span){0}).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_html_is_escaped),
		cmocka_unit_test(test_url_is_encoded),
		cmocka_unit_test(test_file_name_has_safe_bytes_only),
		cmocka_unit_test(test_paths_lose_their_folders),
		cmocka_unit_test(test_base_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
