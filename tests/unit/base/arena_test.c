/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	struct arena arena CLEANUP(arena_finish) = {0};
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	char *pieces[200];
	for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
		size_t size = 1 + i * 37 % 9000;
		pieces[i] = arena_allocate(&arena, size, 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
		size_t size = 1 + i * 37 % 9000;
		assert_int_equal((unsigned char)pieces[i][0], i + 1);
		assert_int_equal((unsigned char)pieces[i][size - 1], i + 1);
	}
}

static void maximum_gives_null_and_stays(void **state)
{
	(void)state;
	struct arena arena CLEANUP(arena_finish) = {0};
	arena_init(&arena, 100);
	assert_non_null(arena_allocate(&arena, 10, 10));
	assert_non_null(arena_allocate(&arena, 0, 8));
	assert_false(arena.failed);
	assert_null(arena_allocate(&arena, 1, 1));
	assert_true(arena.failed);
	assert_null(arena_allocate(&arena, 0, 1));
	assert_null(arena_copy(&arena, span_of("x")).data);
	assert_null(arena_copy_text(&arena, span_of("x")));
	assert_null(arena_printf(&arena, "x"));
	arena_reset(&arena);
	assert_false(arena.failed);
	assert_non_null(arena_allocate(&arena, 100, 1));
	arena_reset(&arena);
	assert_null(arena_allocate(&arena, SIZE_MAX / 2, 3));
	assert_true(arena.failed);
}

static void reset_memory_is_zeroed_again(void **state)
{
	(void)state;
	struct arena arena CLEANUP(arena_finish) = {0};
	arena_init(&arena, 100000);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 20; i++) {
			char *piece = arena_allocate(&arena, 3000, 1);
			for (size_t k = 0; k < 3000; k++)
				assert_int_equal(piece[k], 0);
			memset(piece, 0xff, 3000);
		}
		arena_reset(&arena);
		assert_int_equal(arena.size, 0);
	}
}

static void copies_end_in_nul_and_keep_absence(void **state)
{
	(void)state;
	struct arena arena CLEANUP(arena_finish) = {0};
	arena_init(&arena, 1000);
	struct span copy = arena_copy(&arena, (struct span){"abcdef", 3});
	assert_int_equal(copy.size, 3);
	assert_string_equal(copy.data, "abc");
	assert_null(arena_copy(&arena, (struct span){0}).data);
	struct span empty = arena_copy(&arena, span_of(""));
	assert_non_null(empty.data);
	assert_int_equal(empty.size, 0);
	assert_string_equal(arena_copy_text(&arena, (struct span){0}), "");
	assert_string_equal(arena_copy_text(&arena, span_of("text")), "text");
	assert_string_equal(arena_printf(&arena, "%s-%03d", "n", 7), "n-007");
	assert_false(arena.failed);
}

static void finish_may_come_twice(void **state)
{
	(void)state;
	struct arena arena = {0};
	arena_finish(&arena);
	arena_init(&arena, 1000);
	(void)arena_allocate(&arena, 1, 10);
	arena_finish(&arena);
	arena_finish(&arena);
	assert_non_null(arena_allocate(&arena, 1, 1000));
	arena_finish(&arena);
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(maximum_gives_null_and_stays),
		cmocka_unit_test(reset_memory_is_zeroed_again),
		cmocka_unit_test(copies_end_in_nul_and_keep_absence),
		cmocka_unit_test(finish_may_come_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
