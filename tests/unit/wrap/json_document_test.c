/* SPDX-License-Identifier: Apache-2.0 */
/* json_document_test.c - values, strictness, limits. */
#include "tests/support/check.h"

#include "base/buf.h"
#include "wrap/json_document.h"

#include <stdlib.h>
#include <string.h>

struct fixture {
	struct arena arena;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	arena_init(&fixture.arena, (size_t)1024 * 1024);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_finish(&f->arena);
	return 0;
}

static const struct json_node *parse(struct fixture *f, const char *text)
{
	const struct json_node *root = NULL;
	/* A copy without the NUL behind it, so that a read past the end is seen. */
	size_t size = strlen(text);
	char *exact = malloc(size + (size == 0));
	assert_non_null(exact);
	memcpy(exact, text, size);
	bool ok = json_parse((struct span){exact, size}, &f->arena, &root, &f->err);
	free(exact);
	if (!ok)
		fail_msg("%s: %s", text, f->err.text);
	return root;
}

static void refuse(struct fixture *f, const char *text, const char *words)
{
	const struct json_node *root = NULL;
	if (json_parse(span_of(text), &f->arena, &root, &f->err))
		fail_msg("taken: %s", text);
	assert_null(root);
	assert_int_equal(f->err.kind, ERR_INPUT);
	if (!strstr(f->err.text, words))
		fail_msg("%s: wanted \"%s\", got \"%s\"", text, words, f->err.text);
}

static void values_keep_their_kinds(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root =
		parse(f, "{\"z\": null, \"a\": [true, false, 9007199254740993, -1, 1.5, 1e2, \"\"],"
			 " \"t\": \"caf\\u00e9 \\ud83d\\ude00\\u0000!\", \"o\": {}}");
	assert_int_equal(root->kind, JSON_NODE_OBJECT);
	assert_int_equal(root->count, 4);
	assert_true(span_equal_text(root->keys[0], "z"));
	assert_true(span_equal_text(root->keys[3], "o"));
	assert_int_equal(json_get(root, "z")->kind, JSON_NODE_NULL);
	assert_int_equal(json_get(root, "o")->count, 0);
	const struct json_node *a = json_get(root, "a");
	assert_int_equal(a->kind, JSON_NODE_ARRAY);
	assert_int_equal(a->count, 7);
	assert_true(a->values[0]->kind == JSON_NODE_BOOLEAN && a->values[0]->boolean);
	assert_true(a->values[1]->kind == JSON_NODE_BOOLEAN && !a->values[1]->boolean);
	assert_true(a->values[2]->kind == JSON_NODE_INTEGER);
	assert_true(a->values[2]->integer == INT64_C(9007199254740993));
	assert_true(a->values[3]->integer == -1 && a->values[3]->real == -1.0);
	assert_true(a->values[4]->kind == JSON_NODE_REAL && a->values[4]->real == 1.5);
	assert_true(a->values[5]->kind == JSON_NODE_REAL && a->values[5]->real == 100.0);
	assert_true(a->values[6]->kind == JSON_NODE_STRING && a->values[6]->text.size == 0);
	char text[] = "caf\xc3\xa9 \xf0\x9f\x98\x80\0!";
	assert_true(span_equal(json_get_text(root, "t"), (struct span){text, sizeof(text) - 1}));
}

static void members_are_asked_with_a_fallback(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root = parse(f, "{\"n\": 7, \"s\": \"x\", \"r\": 1.0}");
	assert_int_equal(json_get_integer(root, "n", -1), 7);
	assert_int_equal(json_get_integer(root, "s", -1), -1);
	assert_int_equal(json_get_integer(root, "r", -1), -1);
	assert_int_equal(json_get_integer(root, "absent", -1), -1);
	assert_true(span_equal_text(json_get_text(root, "s"), "x"));
	assert_null(json_get_text(root, "n").data);
	assert_null(json_get(json_get(root, "n"), "s"));
	assert_null(json_get(NULL, "s"));
}

static void any_value_may_be_the_root(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(parse(f, " 12 ")->integer, 12);
	assert_true(span_equal_text(parse(f, "\"x\"")->text, "x"));
	assert_int_equal(parse(f, "null")->kind, JSON_NODE_NULL);
	assert_int_equal(parse(f, "[]")->count, 0);
}

static void what_is_not_json_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"[1,]",
		"{\"a\":1,}",
		"{a:1}",
		"'a'",
		"01",
		"1.",
		"+1",
		"NaN",
		"tru",
		"[1] [2]",
		"\"\\x\"",
		"\"\\ud800\"",
		"\"\xff\"",
		"\"\xed\xa0\x80\"",
		"\"a\nb\"",
		"// c\n1",
		"[1 2]",
		"]",
		"\"\\",
		"1e999",
		"\xef\xbb\xbf[]",
		"9223372036854775808",
		"{\"a\\u0000b\": 1}",
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		refuse(f, texts[i], "line 1, column ");
	refuse(f, "{\n \"a\": 1,\n \"b\" 2\n}", "line 3, ");
	refuse(f, "{\"a\": 1, \"a\": 1}", "duplicate");
}

static void levels_are_limited(void **state)
{
	struct fixture *f = *state;
	char text[300] = "";
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	assert_int_equal(parse(f, text)->count, 1);
	text[0] = '\n';
	memset(text + 1, '[', 65);
	memset(text + 66, ']', 65);
	refuse(f, text, "line 2, column 65: more than 64 levels");
	/* Brackets inside text are no levels, escaped quotes do not end it. */
	memset(text, '[', 200);
	memcpy(text, "\"\\\"\\\\", 5);
	memcpy(text + 200, "\"", 2);
	assert_int_equal(parse(f, text)->text.size, 197);
}

static void small_arena_is_no_crash(void **state)
{
	struct fixture *f = *state;
	for (size_t size_max = 1; size_max < 1500; size_max += 5) {
		struct arena arena CLEANUP(arena_finish) = {0};
		arena_init(&arena, size_max);
		const struct json_node *root = NULL;
		struct span text = span_of("{\"a\": [1, {\"b\": \"c\"}], \"d\": 2}");
		if (json_parse(text, &arena, &root, &f->err))
			assert_int_equal(root->count, 2);
		else
			assert_non_null(strstr(f->err.text, "too large"));
		assert_int_equal(root == NULL, arena.failed);
	}
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(values_keep_their_kinds),
		WITH_ARENA(members_are_asked_with_a_fallback),
		WITH_ARENA(any_value_may_be_the_root),
		WITH_ARENA(what_is_not_json_is_refused),
		WITH_ARENA(levels_are_limited),
		WITH_ARENA(small_arena_is_no_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
