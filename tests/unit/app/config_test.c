/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "app/config.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config *create(struct err *err, int count, ...)
{
	char *arguments[16] = {(char[]){"octolake"}};
	va_list list;
	va_start(list, count);
	for (int i = 1; i <= count; i++)
		arguments[i] = va_arg(list, char *);
	va_end(list);
	struct config *config = NULL;
	return config_create(count + 1, arguments, &config, err) ? config : NULL;
}

static void test_defaults_and_flags(void **state)
{
	(void)state;
	struct err err = {0};
	struct config *config = create(&err, 5, "--api-port", "0", "query", "x", "--duration=20s");
	assert_non_null(config);
	size_t count;
	assert_int_equal(config_integer(config, OPTION_API_PORT), 0);
	assert_string_equal(config_source(config, OPTION_API_PORT), "flag --api-port");
	assert_int_equal(config_integer(config, OPTION_UI_PORT), 8501);
	assert_int_equal(config_duration_ms(config, OPTION_DURATION), 20000);
	assert_string_equal(config_words(config, &count)[0], "query");
	assert_int_equal(count, 2);
	assert_false(config_is_set(config, OPTION_UI_PORT));
	config_destroy(&config);
}

static void test_faults_name_the_fix(void **state)
{
	(void)state;
	static const struct {
		const char *argument;
		const char *expected;
	} cases[] = {
		{"--api-prot=1", "did you mean --api-port?"},
		{"--api-port=70000", "from 0 to 65535"},
		{"--duration=soon", "such as 20s"},
		{"--live=maybe", "true or false"},
		{"--output=xml", "table|json|csv"},
		{"--data", "needs a value"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct err err = {0};
		assert_null(create(&err, 1, cases[i].argument));
		assert_int_equal(err.exit_code, 2);
		if (!strstr(err.text, cases[i].expected))
			fail_msg("%s: %s", cases[i].argument, err.text);
	}
}

/* Found while the fuzz target for YAML was written: the value ended at the NUL, without a word. */
static void test_a_nul_in_a_file_is_refused(void **state)
{
	(void)state;
	struct err err = {0};
	char path[] = "/tmp/octolake-config-XXXXXX";
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	(void)close(descriptor);
	assert_true(file_write(path, span_of("data: \"a\\0b\"\n"), &err));
	assert_null(create(&err, 2, "--config", path));
	assert_int_equal(err.exit_code, 2);
	assert_non_null(strstr(err.text, ":1:7: a value with a NUL in it"));
	assert_true(file_remove(path, &err));
}

static void test_precedence(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	char before[1024];
	struct err err = {0};
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder.text), 0);
	assert_true(file_write("octolake.yaml", span_of("api_port: 1111\nui_port: 2222\nrepos: [a/b, c/d]\n"), &err));
	assert_int_equal(setenv("OCTOLAKE_UI_PORT", "3333", 1), 0);
	assert_int_equal(setenv("LIVE", "false", 1), 0);
	struct config *config = create(&err, 2, "--ui-port", "4444");
	assert_non_null(config);
	assert_int_equal(config_integer(config, OPTION_API_PORT), 1111);
	assert_int_equal(config_integer(config, OPTION_UI_PORT), 4444);
	assert_false(config_flag(config, OPTION_LIVE));
	size_t count;
	assert_string_equal(config_list(config, OPTION_REPOS, &count)[1], "c/d");
	assert_int_equal(count, 2);
	config_destroy(&config);
	config = create(&err, 0);
	assert_int_equal(config_integer(config, OPTION_UI_PORT), 3333);
	config_destroy(&config);
	assert_true(file_write("octolake.yaml", span_of("api_port: 1111\nuiport: 2222\n"), &err));
	assert_null(create(&err, 0));
	assert_non_null(strstr(err.text, "octolake.yaml:2:1"));
	assert_non_null(strstr(err.text, "ui_port"));
	assert_int_equal(unsetenv("OCTOLAKE_UI_PORT"), 0);
	assert_int_equal(unsetenv("LIVE"), 0);
	assert_int_equal(chdir(before), 0);
	temporary_folder_remove(&folder);
}

static void test_the_token_is_never_shown(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(setenv("GITHUB_TOKEN", "canary-token", 1), 0);
	struct config *config = create(&err, 0);
	struct buf out CLEANUP(buf_finish) = {.size_max = 100000};
	/* Refused when it is used, but shown before that. */
	config_override(config, OPTION_API_URL, "https://me:canary@example.org", "test");
	config_append_values(config, &out);
	config_append_json(config, &out);
	assert_null(strstr(out.data, "canary"));
	assert_non_null(strstr(out.data, "https://***@example.org"));
	assert_non_null(strstr(out.data, "GITHUB_TOKEN"));
	assert_non_null(strstr(out.data, "\"token\":{\"set\":true,\"source\":\"environment GITHUB_TOKEN\"}"));
	const char *token;
	const char *source;
	assert_true(config_token(config, &token, &source, &err));
	assert_string_equal(token, "canary-token");
	config_destroy(&config);
	assert_int_equal(unsetenv("GITHUB_TOKEN"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_and_flags),
		cmocka_unit_test(test_faults_name_the_fix),
		cmocka_unit_test(test_a_nul_in_a_file_is_refused),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_the_token_is_never_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
