/* SPDX-License-Identifier: Apache-2.0 */
/* docs/options.md is the option table and nothing else: this test fails when they drift apart, and
 * says how to bring them together. */
#include "tests/support/check.h"

#include "app/config.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static void test_the_document_is_the_table(void **state)
{
	(void)state;
	const char *root = getenv("OCTOLAKE_SOURCE_DIR");
	if (!root) {
		print_message("OCTOLAKE_SOURCE_DIR is not set (ctest sets it)\n");
		skip();
	}
	struct file_path path;
	struct err err;
	struct buf document CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
	struct buf help CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
	assert_true(file_path_make(&path, &err, "%s/docs/options.md", root));
	assert_true(file_read(path.text, &document, &err));
	config_append_help(&help);
	if (!strstr(document.data, help.data))
		fail_msg("docs/options.md differs from the option table: put the options of `octolake --help` into it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_document_is_the_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
