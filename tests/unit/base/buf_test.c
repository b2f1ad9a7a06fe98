/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

static void assert_content(const struct buf *buf, const char *text)
{
	assert_int_equal(buf->size, strlen(text));
	assert_string_equal(buf->data ? buf->data : "", text);
}

static void appends_of_every_kind_end_in_nul(void **state)
{
	(void)state;
	struct buf buf CLEANUP(buf_finish) = {0};
	buf_init(&buf, 1000);
	assert_int_equal(buf_span(&buf).size, 0);
	assert_non_null(buf_span(&buf).data);
	buf_append_text(&buf, "a");
	buf_append_byte(&buf, 'b');
	buf_append_span(&buf, (struct span){"cde", 2});
	buf_append_span(&buf, (struct span){0});
	buf_append(&buf, "ef", 2);
	buf_printf(&buf, "%d%s", 12, "gh");
	assert_content(&buf, "abcdef12gh");
	buf_append(&buf, "\0x", 2);
	assert_int_equal(buf.size, 12);
	assert_int_equal(buf.data[12], '\0');
	assert_false(buf.failed);
}

static void maximum_is_exact_and_failure_stays(void **state)
{
	(void)state;
	struct buf buf CLEANUP(buf_finish) = {0};
	buf_init(&buf, 10);
	buf_append_text(&buf, "12345");
	buf_printf(&buf, "%05d", 67890);
	assert_false(buf.failed);
	assert_content(&buf, "1234567890");
	buf_append(&buf, "", 0);
	assert_false(buf.failed);
	buf_append_byte(&buf, 'x');
	assert_true(buf.failed);
	buf_consume(&buf, 5);
	buf_append_byte(&buf, 'y'); /* there would be room now */
	assert_content(&buf, "67890");
	size_t size = 99;
	assert_null(buf_take(&buf, &size));
	assert_int_equal(size, 99);
	assert_null(buf_reserve(&buf, 0));
	buf_clear(&buf);
	assert_false(buf.failed);
	buf_append_text(&buf, "again");
	assert_content(&buf, "again");
	buf_printf(&buf, "%s", "too long");
	assert_true(buf.failed);
	assert_content(&buf, "again");
	assert_true(buf.capacity <= 11);
}

static void growth_keeps_content(void **state)
{
	(void)state;
	struct buf buf CLEANUP(buf_finish) = {0};
	buf_init(&buf, 100000);
	for (int i = 0; i < 100000; i++)
		buf_append_byte(&buf, (char)('a' + i % 26));
	assert_false(buf.failed);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	buf_consume(&buf, 99998);
	assert_content(&buf, "cd");
	buf_consume(&buf, 0);
	buf_consume(&buf, 2);
	assert_content(&buf, "");
}

static void reserved_room_counts_when_committed(void **state)
{
	(void)state;
	struct buf buf CLEANUP(buf_finish) = {0};
	buf_init(&buf, 300);
	char *room = buf_reserve(&buf, 300);
	assert_non_null(room);
	memset(room, 'z', 300);
	buf_commit(&buf, 2);
	assert_content(&buf, "zz");
	assert_null(buf_reserve(&buf, 299));
}

static void taken_memory_is_the_callers(void **state)
{
	(void)state;
	struct buf buf CLEANUP(buf_finish) = {0};
	size_t size = 99;
	buf_init(&buf, 100);
	char *text = buf_take(&buf, &size);
	assert_string_equal(text, "");
	assert_int_equal(size, 0);
	free(text);
	buf_append_text(&buf, "mine");
	text = buf_take(&buf, &size);
	assert_string_equal(text, "mine");
	assert_int_equal(size, 4);
	free(text);
	assert_int_equal(buf.size, 0);
	buf_append_text(&buf, "next");
	assert_content(&buf, "next");
}

static void finish_may_come_twice(void **state)
{
	(void)state;
	struct buf buf = {0};
	buf_finish(&buf);
	buf_init(&buf, 10);
	buf_append_text(&buf, "x");
	buf_finish(&buf);
	buf_finish(&buf);
	assert_null(buf.data);
	buf_append_text(&buf, "usable");
	assert_content(&buf, "usable");
	buf_finish(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_of_every_kind_end_in_nul),
		cmocka_unit_test(maximum_is_exact_and_failure_stays),
		cmocka_unit_test(growth_keeps_content),
		cmocka_unit_test(reserved_room_counts_when_committed),
		cmocka_unit_test(taken_memory_is_the_callers),
		cmocka_unit_test(finish_may_come_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
