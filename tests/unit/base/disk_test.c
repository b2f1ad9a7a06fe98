/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/disk.h"
#include "base/err.h"
#include "base/size_text.h"

#include <errno.h>

#define MIB (INT64_C(1) << 20)

static void test_levels(void **state)
{
	(void)state;
	struct disk_room room = {.reserve_bytes = 100 * MIB, .free_bytes = 100 * MIB};
	assert_false(disk_is_low(&room));
	room.free_bytes--;
	assert_true(disk_is_low(&room));
	room.free_bytes = 25 * MIB;
	assert_false(disk_is_full(&room));
	room.free_bytes--;
	assert_true(disk_is_full(&room));
}

static void test_measure(void **state)
{
	(void)state;
	struct disk_room room;
	disk_measure("/", DISK_RESERVE_AUTOMATIC, &room);
	assert_true(room.total_bytes > 0 && room.free_bytes >= 0 && room.free_bytes <= room.total_bytes);
	assert_true(room.reserve_bytes <= room.total_bytes / 5);
	assert_true(room.reserve_bytes >= 64 * MIB || room.reserve_bytes == room.total_bytes / 5);
	assert_true(room.reserve_bytes <= 2048 * MIB);
	assert_int_equal(room.resume_bytes, room.reserve_bytes + room.reserve_bytes / 4);
	disk_measure("/", 7, &room);
	assert_int_equal(room.reserve_bytes, 7);
	/* What cannot be measured stops nobody. */
	disk_measure("/nowhere/at/all", DISK_RESERVE_AUTOMATIC, &room);
	assert_false(disk_is_low(&room));
	assert_false(disk_is_full(&room));
}

static void test_a_quota_is_a_full_disk(void **state)
{
	(void)state;
	struct err err = {0};
	(void)err_set_errno(&err, ERR_LOCAL, EDQUOT, "write");
	assert_true(err.no_space);
	(void)err_wrap(&err, "batch");
	assert_true(err.no_space);
	(void)err_set_errno(&err, ERR_LOCAL, EIO, "write");
	assert_false(err.no_space);
	(void)err_set_errno(&err, ERR_LOCAL, ENOSPC, "write");
	assert_true(err.no_space);
	(void)err_set(&err, ERR_LOCAL, "other");
	assert_false(err.no_space);
}

static void test_sizes(void **state)
{
	(void)state;
	int64_t bytes = -1;
	assert_true(size_parse(span_of("4096"), &bytes) && bytes == 4096);
	assert_true(size_parse(span_of("0"), &bytes) && bytes == 0);
	assert_true(size_parse(span_of("512KiB"), &bytes) && bytes == 524288);
	assert_true(size_parse(span_of("10GiB"), &bytes) && bytes == INT64_C(10737418240));
	assert_true(size_parse(span_of("2TB"), &bytes) && bytes == INT64_C(2000000000000));
	static const char *const bad[] = {"", "MiB", "1.5GiB", "-1", "5 MiB", "5mib", "9999999TiB", "1KiBx"};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		bytes = 77;
		assert_false(size_parse(span_of(bad[i]), &bytes));
		assert_int_equal(bytes, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_measure),
		cmocka_unit_test(test_a_quota_is_a_full_disk),
		cmocka_unit_test(test_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
