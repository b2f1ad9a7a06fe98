/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_document_test.c - what is read, where it is said to stand, and what is refused with which
 * words. */
#include "tests/support/check.h"

#include "base/file.h"
#include "wrap/yaml_document.h"

#include <stdio.h>
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
	arena_init(&fixture.arena, (size_t)64 * 1024 * 1024);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_finish(&f->arena);
	return 0;
}

static const struct yaml_node *parse_span(struct fixture *f, struct span text)
{
	const struct yaml_node *root = NULL;
	/* A copy without the NUL behind it, so that a read past the end is seen. */
	char *exact = malloc(text.size + (text.size == 0));
	assert_non_null(exact);
	if (text.size > 0)
		memcpy(exact, text.data, text.size);
	bool ok = yaml_parse((struct span){exact, text.size}, "f.yaml", &f->arena, &root, &f->err);
	free(exact);
	if (!ok)
		fail_msg("%s", f->err.text);
	return root;
}

static const struct yaml_node *parse(struct fixture *f, const char *text)
{
	return parse_span(f, span_of(text));
}

/* Refused with an error that starts with "f.yaml:" and `position`, and holds `words`. */
static void refuse_span(
	struct fixture *f, struct span text, const char *position, const char *words)
{
	const struct yaml_node *root = NULL;
	if (yaml_parse(text, "f.yaml", &f->arena, &root, &f->err))
		fail_msg("taken: %.*s", SPAN_ARGUMENTS(text));
	assert_null(root);
	assert_int_equal(f->err.kind, ERR_INPUT);
	char start[64];
	(void)snprintf(start, sizeof(start), "f.yaml:%s: ", position);
	if (!span_starts_with(span_of(f->err.text), start) || !strstr(f->err.text, words))
		fail_msg("wanted %s...%s, got %s", start, words, f->err.text);
}

static void refuse(struct fixture *f, const char *text, const char *position, const char *words)
{
	refuse_span(f, span_of(text), position, words);
}

static void assert_text(const struct yaml_node *node, const char *text)
{
	assert_non_null(node);
	assert_int_equal(node->kind, YAML_SCALAR);
	if (!span_equal_text(node->text, text))
		fail_msg("wanted \"%s\", got \"%.*s\"", text, SPAN_ARGUMENTS(node->text));
}

static void assert_place(const struct yaml_node *node, int line, int column)
{
	assert_non_null(node);
	assert_int_equal(node->line, line);
	assert_int_equal(node->column, column);
}

static void tree_knows_where_it_stood(void **state)
{
	struct fixture *f = *state;
	const struct yaml_node *root = parse(f, "# head\n"
						"version: 2\n"
						"caf\xc3\xa9: {a: [1, \xe2\x82\xac, 'x'], b: }\n"
						"list:\n"
						"  - one\n"
						"  - two: 2\n"
						"    three:\n");
	assert_int_equal(root->kind, YAML_MAPPING);
	assert_int_equal(root->count, 3);
	assert_place(root, 2, 1);
	assert_text(root->keys[0], "version");
	assert_place(yaml_get(root, "version"), 2, 10);
	const struct yaml_node *flow = yaml_get(root, "caf\xc3\xa9");
	assert_place(flow, 3, 7);
	const struct yaml_node *a = yaml_get(flow, "a");
	assert_int_equal(a->kind, YAML_SEQUENCE);
	assert_null(a->keys);
	assert_int_equal(a->count, 3);
	assert_place(a->values[1], 3, 15);
	assert_place(a->values[2], 3, 18);
	assert_text(a->values[2], "x");
	assert_false(a->values[2]->plain);
	assert_true(yaml_is_null(yaml_get(flow, "b")));
	const struct yaml_node *list = yaml_get(root, "list");
	assert_place(list->values[0], 5, 5);
	assert_place(yaml_get(list->values[1], "two"), 6, 10);
	assert_true(yaml_is_null(yaml_get(list->values[1], "three")));
	assert_null(yaml_get(root, "absent"));
	assert_null(yaml_get(list, "two"));
	assert_null(yaml_get(NULL, "two"));
}

static void empty_documents_have_no_root(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n",
		"\xef\xbb\xbf", "%YAML 1.2\n---\n"};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		assert_null(parse(f, texts[i]));
	assert_null(parse_span(f, (struct span){0}));
	assert_text(parse(f, "null"), "null");
	assert_text(parse(f, "''"), "");
}

/* `line` of `text` (from 1) from its `column` on, without its line break. */
static struct span line_of(struct span text, int line, int column)
{
	struct span head = text;
	struct span rest = text;
	for (int i = 1; i <= line; i++)
		if (!span_split(rest, '\n', &head, &rest))
			head = rest;
	assert_true(head.size + 1 >= (size_t)column);
	return (struct span){head.data + column - 1, head.size - (size_t)column + 1};
}

/* Each line of a literal block stands in the file where the node says. */
static void assert_block_lines(struct span file, const struct yaml_node *node)
{
	struct span line;
	struct span rest = node->text;
	for (int i = node->text_line; span_split(rest, '\n', &line, &rest); i++)
		if (line.size > 0)
			assert_true(span_equal(line_of(file, i, node->text_column), line));
}

static void text_of_blocks_is_found_in_the_file(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		int line;
		int column;
	} cases[] = {
		{"sql: |\n  SELECT 1\n  FROM t\n", 2, 3},
		{"sql: |  # why\n      SELECT 1\n        FROM t\n", 2, 7},
		{"sql: |-\n\n\n   SELECT 1\n\n   FROM t\n", 2, 4},
		{"sql: |2\n     SELECT 1\n  FROM t\n", 2, 3},
		{"sql: |+2\n\n     SELECT 1\n  FROM t\n\n", 2, 3},
		{"sql: |2\n  \tSELECT 1\n", 2, 3},
		{"a: 1\nsql: |\n \n    \n    SELECT 1\n    \n    FROM t", 3, 5},
		{"\xef\xbb\xbfsql: |\n    SELECT '\xc3\xa9'\n", 2, 5},
		{"\xe2\x82\xac: \"\xf0\x9f\x90\x99\"\nsql: |\n   x\n", 3, 4},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct yaml_node *sql = yaml_get(parse(f, cases[i].text), "sql");
		assert_non_null(sql);
		assert_false(sql->plain);
		assert_int_equal(sql->text_line, cases[i].line);
		assert_int_equal(sql->text_column, cases[i].column);
		assert_block_lines(span_of(cases[i].text), sql);
	}
	const struct yaml_node *sql = yaml_get(parse(f, "sql: |\r\n  a\r\n  b\r\n"), "sql");
	assert_text(sql, "a\nb\n");
	assert_int_equal(sql->text_line, 2);
	assert_int_equal(sql->text_column, 3);
	sql = yaml_get(parse(f, "sql: |\rnext: 1\r"), "sql");
	assert_text(sql, "");
	assert_int_equal(sql->text_line, 2);
}

static void text_of_other_scalars_begins_where_said(void **state)
{
	struct fixture *f = *state;
	const struct yaml_node *root = parse(f, "plain: some\n  words\n"
						"single: 'it''s'\n"
						"double:\n  \"a\\nb\"\n"
						"folded: >\n\n\n     one\n     two\n");
	const struct yaml_node *node = yaml_get(root, "plain");
	assert_text(node, "some words");
	assert_true(node->plain);
	assert_int_equal(node->text_line, 1);
	assert_int_equal(node->text_column, 8);
	node = yaml_get(root, "single");
	assert_text(node, "it's");
	assert_int_equal(node->text_line, 3);
	assert_int_equal(node->text_column, 10);
	node = yaml_get(root, "double");
	assert_text(node, "a\nb");
	assert_place(node, 5, 3);
	assert_int_equal(node->text_line, 5);
	assert_int_equal(node->text_column, 4);
	node = yaml_get(root, "folded");
	assert_text(node, "\n\none two\n");
	assert_place(node, 6, 9);
	assert_int_equal(node->text_line, 7);
	assert_int_equal(node->text_column, 6);
}

static void duplicate_keys_name_both_lines(void **state)
{
	struct fixture *f = *state;
	refuse(f, "a: 1\nb: 2\nc: 3\nb: 4\na: 5\n", "4:1", "key \"b\" stands on line 2 already");
	refuse(f, "a: 1\n\"a\": 2\n", "2:1", "line 1");
	refuse(f, "x: {k: 1, k: 2}\n", "1:11", "\"k\"");
	refuse(f, "? a\n? a\n", "2:3", "\"a\"");
	assert_int_equal(parse(f, "x: {k: 1}\ny: {k: 1}\n")->count, 2);
}

static void sharing_and_tags_are_refused(void **state)
{
	struct fixture *f = *state;
	refuse(f, "a: &x 1\n", "1:4", "anchors");
	refuse(f, "a: &x [1]\n", "1:4", "anchors");
	refuse(f, "a: &x {b: 1}\n", "1:4", "anchors");
	refuse(f, "&x a: 1\n", "1:1", "anchors");
	refuse(f, "a: 1\nb: *x\n", "2:4", "aliases");
	refuse(f, "a: !!str 1\n", "1:4", "tags");
	refuse(f, "a: !own {}\n", "1:4", "tags");
	refuse(f, "a: ! 1\n", "1:4", "tags");
	refuse(f, "a: !!seq []\n", "1:4", "tags");
	assert_text(yaml_get(parse(f, "a: '!x'"), "a"), "!x");
}

static void structure_is_limited(void **state)
{
	struct fixture *f = *state;
	refuse(f, "a: 1\n---\nb: 2\n", "2:1", "one document");
	refuse(f, "? [a, b]\n: 1\n", "1:3", "key must be a scalar");
	refuse(f, "{a: 1}: 1\n", "1:1", "key must be a scalar");
	char text[64] = "";
	memset(text, '[', 20);
	memset(text + 20, ']', 20);
	assert_int_equal(parse_span(f, (struct span){text, 40})->count, 1);
	memset(text, '[', 21);
	memset(text + 21, ']', 21);
	refuse_span(f, (struct span){text, 42}, "1:21", "20 levels");

	struct buf big;
	buf_init(&big, (size_t)4 * 1024 * 1024);
	buf_append_byte(&big, '[');
	for (int i = 0; i < 99999; i++)
		buf_append_text(&big, "1,");
	buf_append_byte(&big, ']');
	assert_int_equal(parse_span(f, buf_span(&big))->count, 99999);
	buf_clear(&big);
	buf_append_byte(&big, '[');
	for (int i = 0; i < 100000; i++)
		buf_append_text(&big, "1,");
	buf_append_byte(&big, ']');
	refuse_span(f, buf_span(&big), "1:200000", "100000 nodes");
	buf_clear(&big);
	for (int i = 0; i < 1024 * 1024; i++)
		buf_append_byte(&big, ' ');
	assert_null(parse_span(f, buf_span(&big)));
	buf_append_byte(&big, '\n');
	refuse_span(f, buf_span(&big), "1:1", "1048576 bytes");
	buf_finish(&big);
}

static void many_keys_and_block_texts_take_no_square_of_time(void **state)
{
	struct fixture *f = *state;
	struct buf big;
	buf_init(&big, (size_t)1024 * 1024);
	for (int i = 0; i < 49000; i++)
		buf_printf(&big, "k%d: \"\xc3\xa9\"%s", i, i % 2 ? "\n" : "\r\n");
	assert_int_equal(parse_span(f, buf_span(&big))->count, 49000);
	buf_append_text(&big, "k77: x\n");
	refuse_span(f, buf_span(&big), "49001:1", "key \"k77\" stands on line 78 already");
	buf_clear(&big);
	buf_append_byte(&big, '{');
	for (int i = 0; i < 45000; i++)
		buf_printf(&big, "k%d: '\xc3\xa9', ", i);
	buf_append_byte(&big, '}');
	assert_int_equal(parse_span(f, buf_span(&big))->count, 45000);
	buf_finish(&big);
}

static void small_arena_is_no_crash(void **state)
{
	struct fixture *f = *state;
	const char text[] = "a: [1, 2, {b: c}]\nd: |\n  text\n";
	for (size_t size_max = 1; size_max < 2000; size_max += 7) {
		struct arena arena CLEANUP(arena_finish) = {0};
		arena_init(&arena, size_max);
		const struct yaml_node *root = NULL;
		if (!yaml_parse(span_of(text), "f.yaml", &arena, &root, &f->err)) {
			assert_int_equal(f->err.kind, ERR_INPUT);
			assert_non_null(strstr(f->err.text, "too large"));
		} else {
			assert_int_equal(root->count, 2);
			assert_true(size_max > 500);
		}
	}
}

static void bad_bytes_and_bad_yaml_are_located(void **state)
{
	struct fixture *f = *state;
	refuse(f, "a: 1\nb: \xff\n", "2:4", "UTF-8");
	refuse(f, "a: \xc3\xa9\xed\xa0\x80\n", "1:5", "UTF-8");
	refuse(f, "a: \xc0\xaf\n", "1:4", "UTF-8");
	refuse_span(f,
		(struct span){"\xff\xfe"
			      "a\0",
			4},
		"1:1", "UTF-8");
	refuse_span(f, (struct span){"a: \0b\n", 6}, "1:4", "control characters");
	refuse(f, "a: 1\r\n\xc3\xa9: \x1b[0m\n", "2:4", "control characters");
	refuse(f, "a: x\xe2\x80\xa8y\n", "1:5", "line break");
	refuse(f, "a: x\xc2\x85y\n", "1:5", "line break");
	refuse(f, "a: 'open\nb: 2\n", "3:1", "line 1");
	refuse(f, "a:\n\tb: 1\n", "2:1", "cannot start any token");
	refuse(f, "a: 1\n b: 2\n", "2:3", "mapping values");
	refuse(f, "a: [1, 2\nb: 3\n", "2:2", "line 1");
	refuse(f, "%", "1:2", "directive");
}

static void values_follow_the_core_schema(void **state)
{
	struct fixture *f = *state;
	const struct yaml_node *root =
		parse(f, "[true, FALSE, yes, 'true', ~, null, '', 12, +7, -3, 1_000,"
			 " 9223372036854775808, 1.5, .5, -2e3, .inf, '12', 0x10, {}, []]");
	const struct yaml_node *const *v = root->values;
	bool boolean = false;
	assert_true(yaml_to_boolean(v[0], &boolean) && boolean);
	assert_true(yaml_to_boolean(v[1], &boolean) && !boolean);
	assert_false(yaml_to_boolean(v[2], &boolean));
	assert_false(yaml_to_boolean(v[3], &boolean));
	assert_false(yaml_to_boolean(NULL, &boolean));
	for (size_t i = 0; i < root->count; i++)
		assert_int_equal(yaml_is_null(v[i]), i == 4 || i == 5);
	static const struct {
		bool is_integer;
		int64_t integer;
	} integers[20] = {[7] = {true, 12}, [8] = {true, 7}, [9] = {true, -3}};
	for (size_t i = 0; i < root->count; i++) {
		int64_t integer = 0;
		assert_int_equal(yaml_to_integer(v[i], &integer), integers[i].is_integer);
		assert_int_equal(integer, integers[i].integer);
	}
	static const double reals[20] = {[7] = 12,
		[8] = 7,
		[9] = -3,
		[11] = 9223372036854775808.0,
		[12] = 1.5,
		[13] = 0.5,
		[14] = -2000};
	for (size_t i = 0; i < root->count; i++) {
		double real = 0;
		assert_int_equal(yaml_to_real(v[i], &real), reals[i] != 0);
		assert_true(real == reals[i]);
	}
}

static void errors_name_the_place(void **state)
{
	struct fixture *f = *state;
	const struct yaml_node *root = parse(f, "a:\n  b: 1\n");
	const struct yaml_node *b = yaml_get(yaml_get(root, "a"), "b");
	assert_false(yaml_err(&f->err, "m.yaml", b, "%d is no name", 1));
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_string_equal(f->err.text, "m.yaml:2:6: 1 is no name");
	assert_false(yaml_err(&f->err, "m.yaml", NULL, "empty"));
	assert_string_equal(f->err.text, "m.yaml:1:1: empty");
}

static void read_real_file(struct fixture *f, const char *name, struct buf *content)
{
	struct check_path path = real_data_path_or_skip(name);
	if (!file_read(path.text, content, &f->err))
		fail_msg("%s", f->err.text);
}

static void earlier_metrics_file_loads_unchanged(void **state)
{
	struct fixture *f = *state;
	struct buf content CLEANUP(buf_finish) = {0};
	buf_init(&content, (size_t)1024 * 1024);
	read_real_file(f, "seed-form/metrics.yaml", &content);
	const struct yaml_node *kpis = yaml_get(parse_span(f, buf_span(&content)), "kpis");
	assert_non_null(kpis);
	assert_int_equal(kpis->count, 2);
	for (size_t i = 0; i < kpis->count; i++) {
		const struct yaml_node *sql = yaml_get(kpis->values[i], "sql");
		assert_int_equal(sql->text_column, 7);
		assert_int_equal(sql->text_line, sql->line + 1);
		assert_block_lines(buf_span(&content), sql);
		assert_true(yaml_is_null(yaml_get(kpis->values[i], "visualisation")));
	}
	assert_text(yaml_get(kpis->values[0], "id"), "avg_pr_time");
	const struct yaml_node *sql = yaml_get(kpis->values[0], "sql");
	assert_true(span_starts_with(sql->text, "WITH ordered AS (\n"));
}

static void earlier_filter_file_loads_unchanged(void **state)
{
	struct fixture *f = *state;
	struct buf content CLEANUP(buf_finish) = {0};
	buf_init(&content, (size_t)1024 * 1024);
	read_real_file(f, "seed-form/filtered_events.yaml", &content);
	const struct yaml_node *root = parse_span(f, buf_span(&content));
	assert_int_equal(root->count, 3);
	const struct yaml_node *fields = yaml_get(yaml_get(root, "IssuesEvent"), "fields");
	assert_int_equal(fields->kind, YAML_SEQUENCE);
	assert_int_equal(fields->count, 8);
	assert_text(fields->values[7], "payload.issue.state");
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(tree_knows_where_it_stood),
		WITH_ARENA(empty_documents_have_no_root),
		WITH_ARENA(text_of_blocks_is_found_in_the_file),
		WITH_ARENA(text_of_other_scalars_begins_where_said),
		WITH_ARENA(duplicate_keys_name_both_lines),
		WITH_ARENA(sharing_and_tags_are_refused),
		WITH_ARENA(structure_is_limited),
		WITH_ARENA(many_keys_and_block_texts_take_no_square_of_time),
		WITH_ARENA(small_arena_is_no_crash),
		WITH_ARENA(bad_bytes_and_bad_yaml_are_located),
		WITH_ARENA(values_follow_the_core_schema),
		WITH_ARENA(errors_name_the_place),
		WITH_ARENA(earlier_metrics_file_loads_unchanged),
		WITH_ARENA(earlier_filter_file_loads_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
