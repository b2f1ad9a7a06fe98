/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/file_system.h"

#include <string.h>

static void what_is_safe_is_told_from_what_is_not(void **state)
{
	(void)state;
	assert_string_equal(file_system_of_magic(0xEF53).name, "ext2/3/4");
	assert_null(file_system_of_magic(0xEF53).concern);
	static const uint64_t unsafe[] = {0x6969, 0xFF534D42, 0x01021997, 0x794C7630, 0x01021994, 0x4D44};
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		assert_non_null(file_system_of_magic(unsafe[i]).concern);
	assert_string_equal(file_system_of_magic(42).name, "unknown");
	assert_null(file_system_of_magic(42).concern);
}

static void a_folder_is_asked(void **state)
{
	(void)state;
	struct file_system found;
	struct check_path folder = temporary_folder_create();
	assert_true(file_system_of(folder.text, &found));
	assert_non_null(found.name);
	assert_false(found.read_only);
	assert_true(file_system_of("/proc", &found));
	struct check_path missing = path_below(&folder, "missing");
	assert_false(file_system_of(missing.text, &found));
	temporary_folder_remove(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_safe_is_told_from_what_is_not),
		cmocka_unit_test(a_folder_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
