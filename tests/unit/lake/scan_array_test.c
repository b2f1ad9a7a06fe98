/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "lake/scan.h"

#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 16 };

struct walk {
	char *body; /* exactly as large as the page: reading outside it is caught */
	struct span elements[ELEMENTS_MAX];
	size_t count;
	bool ended;
	struct scan_problem problem;
};

static void walk_span(struct walk *walk, struct span body)
{
	*walk = (struct walk){.body = malloc(body.size)};
	if (body.size > 0)
		memcpy(walk->body, body.data, body.size);
	struct scan_array array;
	scan_array_init(&array, (struct span){walk->body, body.size});
	struct span element;
	while (walk->count < ELEMENTS_MAX
		&& scan_array_next(&array, &element, &walk->ended, &walk->problem) && !walk->ended)
		walk->elements[walk->count++] = element;
	/* What was said once is said again. */
	struct scan_problem again = {0};
	bool ended = false;
	bool ok = scan_array_next(&array, &element, &ended, &again);
	assert_int_equal(ok && ended, walk->ended);
	if (!ok)
		assert_int_equal(again.offset, walk->problem.offset);
}

static void walk_finish(struct walk *walk)
{
	free(walk->body);
}

static void check_elements(const char *body, const char *const *expected, size_t count)
{
	CLEANUP(walk_finish) struct walk walk = {0};
	walk_span(&walk, span_of(body));
	if (!walk.ended)
		fail_msg("%s at %zu: %s", body, walk.problem.offset, walk.problem.detail);
	assert_int_equal(walk.count, count);
	for (size_t i = 0; i < count; i++)
		if (!span_equal_text(walk.elements[i], expected[i]))
			fail_msg("%.*s is not %s", SPAN_ARGUMENTS(walk.elements[i]), expected[i]);
}

static void check_broken(const char *body, size_t good, size_t offset)
{
	CLEANUP(walk_finish) struct walk walk = {0};
	walk_span(&walk, span_of(body));
	if (walk.ended)
		fail_msg("accepted: %s", body);
	if (walk.count != good || walk.problem.offset != offset)
		fail_msg("%s: %zu elements, offset %zu (%s)", body, walk.count, walk.problem.offset,
			walk.problem.detail);
	assert_int_equal(walk.problem.reason, SCAN_INVALID_JSON);
	assert_true(walk.problem.detail[0] != '\0');
}

static void elements_are_exact_bytes(void **state)
{
	(void)state;
	check_elements("[]", NULL, 0);
	check_elements(" \n[ \t] \r\n", NULL, 0);
	check_elements("[{}]", (const char *const[]){"{}"}, 1);
	check_elements(" [ {\"a\" : [1,2]} ,\n\t{\"b\":{}} ] ",
		(const char *const[]){"{\"a\" : [1,2]}", "{\"b\":{}}"}, 2);
	check_elements("[1,\"a,]\",null , [ ], -1.5e3]",
		(const char *const[]){"1", "\"a,]\"", "null", "[ ]", "-1.5e3"}, 5);
}

static void brackets_and_quotes_in_strings_do_not_count(void **state)
{
	(void)state;
	check_elements("[{\"a\":\"}]\\\"{[\"},{\"\\\\\":\"\\\\\"}]",
		(const char *const[]){"{\"a\":\"}]\\\"{[\"}", "{\"\\\\\":\"\\\\\"}"}, 2);
}

static void bad_elements_do_not_take_others_with_them(void **state)
{
	(void)state;
	check_elements(
		"[{\"a\":nul},{\"b\":\"\xff\"},{\"c\" 1},{\"d\":[}},xyz,{\"e\":\"\n\"},{\"f\":1}]",
		(const char *const[]){"{\"a\":nul}", "{\"b\":\"\xff\"}", "{\"c\" 1}", "{\"d\":[}}",
			"xyz", "{\"e\":\"\n\"}", "{\"f\":1}"},
		7);
}

static void broken_arrays_give_their_good_elements_first(void **state)
{
	(void)state;
	check_broken("", 0, 0);
	check_broken("  ", 0, 2);
	check_broken("{\"message\":\"Not Found\"}", 0, 0);
	check_broken("<html>", 0, 0);
	check_broken("null", 0, 0);
	check_broken("[", 0, 1);
	check_broken("[,{}]", 0, 1);
	check_broken("[{},]", 1, 4);
	check_broken("[{}", 1, 3);
	check_broken("[{},", 1, 4);
	check_broken("[{},{\"a\":1", 1, 4);
	check_broken("[{},{\"a\":\"", 1, 4);
	check_broken("[{},\"a\\", 1, 4);
	check_broken("[{} {}]", 1, 4);
	check_broken("[{}x]", 1, 3);
	check_broken("[1{}]", 1, 2);
	check_broken("[1 2]", 1, 3);
	check_broken("[{}}]", 1, 3);
	check_broken("[{}]]", 1, 4);
	check_broken("[{}] x", 1, 5);
	check_broken("[]{}", 0, 2);
}

static void every_prefix_is_broken(void **state)
{
	(void)state;
	static const char body[] = "[ {\"a\":\"\\\"]\",\"b\":[1,{}]}, {\"c\":null} ]";
	for (size_t size = 0; size < strlen(body); size++) {
		CLEANUP(walk_finish) struct walk walk = {0};
		walk_span(&walk, (struct span){body, size});
		assert_false(walk.ended);
		assert_true(walk.problem.offset <= size);
	}
}

static void nul_bytes_and_the_absent_span_are_broken(void **state)
{
	(void)state;
	CLEANUP(walk_finish) struct walk walk = {0};
	walk_span(&walk, (struct span){"[{}\0]", 5});
	assert_false(walk.ended);
	struct scan_array array;
	scan_array_init(&array, (struct span){0});
	struct span element;
	bool ended;
	assert_false(scan_array_next(&array, &element, &ended, &walk.problem));
}

static void deep_elements_are_cut_out_whole(void **state)
{
	(void)state;
	enum { LEVELS = 100000 };
	char *body = malloc(2 * LEVELS + 2);
	body[0] = '[';
	memset(body + 1, '[', LEVELS);
	memset(body + 1 + LEVELS, ']', LEVELS);
	body[2 * LEVELS + 1] = ']';
	CLEANUP(walk_finish) struct walk walk = {0};
	walk_span(&walk, (struct span){body, 2 * LEVELS + 2});
	free(body);
	assert_true(walk.ended);
	assert_int_equal(walk.count, 1);
	assert_int_equal(walk.elements[0].size, 2 * LEVELS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_exact_bytes),
		cmocka_unit_test(brackets_and_quotes_in_strings_do_not_count),
		cmocka_unit_test(bad_elements_do_not_take_others_with_them),
		cmocka_unit_test(broken_arrays_give_their_good_elements_first),
		cmocka_unit_test(every_prefix_is_broken),
		cmocka_unit_test(nul_bytes_and_the_absent_span_are_broken),
		cmocka_unit_test(deep_elements_are_cut_out_whole),
	};
	return cmocka_run_group_tests_name("scan_array", tests, NULL, NULL);
}
