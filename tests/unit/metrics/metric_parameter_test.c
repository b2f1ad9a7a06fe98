/* SPDX-License-Identifier: Apache-2.0 */
/* metric_parameter_test.c - for each type: what is taken, as which value, and what is refused. */
#include "tests/support/check.h"

#include "metrics/metric_parameter.h"

#include <string.h>

static struct arena arena;
static struct argument_fault fault;

static struct metric_parameter make(enum parameter_type type)
{
	return (struct metric_parameter){
		.name = span_of("p"), .type = type, .length_max = PARAMETER_TEXT_BYTES_MAX};
}

static struct parameter_value take(const struct metric_parameter *parameter, const char *text)
{
	struct parameter_value value = {0};
	struct span span = span_of(text);
	if (!parameter_parse(parameter, &span, 1, &arena, &value, &fault))
		fail_msg("%s: %s", text, fault.code);
	return value;
}

static void refuse_span(
	const struct metric_parameter *parameter, struct span text, const char *code)
{
	struct parameter_value value;
	assert_false(parameter_parse(parameter, &text, 1, &arena, &value, &fault));
	assert_string_equal(fault.code, code);
	assert_true(span_equal_text(fault.name, "p"));
	assert_non_null(fault.detail.data);
}

static void refuse(const struct metric_parameter *parameter, const char *text, const char *code)
{
	refuse_span(parameter, span_of(text), code);
}

static void assert_rule(const struct metric_parameter *parameter, const char *rule)
{
	assert_string_equal(parameter_describe(parameter, &arena).data, rule);
}

static void types_have_names(void **state)
{
	(void)state;
	for (int i = 0; i <= PARAMETER_LOGIN; i++) {
		enum parameter_type type;
		assert_true(parameter_type_parse(
			span_of(parameter_type_name((enum parameter_type)i)), &type));
		assert_int_equal(type, i);
	}
	enum parameter_type type;
	assert_false(parameter_type_parse(span_of("int"), &type));
	assert_false(parameter_type_parse((struct span){0}, &type));
}

static void integers(void **state)
{
	(void)state;
	struct metric_parameter p = make(PARAMETER_INTEGER);
	assert_string_equal(parameter_sql_type(&p), "BIGINT");
	assert_int_equal(take(&p, "-9223372036854775808").bound.integer, INT64_MIN);
	refuse(&p, "9223372036854775808", "type");
	refuse(&p, "1.0", "type");
	refuse(&p, "", "type");
	assert_rule(&p, "p must be an integer");
	p.minimum = span_of("1");
	assert_rule(&p, "p must be an integer of at least 1");
	p.maximum = span_of("10");
	assert_rule(&p, "p must be an integer from 1 to 10");
	assert_int_equal(take(&p, "1").bound.integer, 1);
	assert_int_equal(take(&p, "10").shown.integer, 10);
	refuse(&p, "0", "range");
	refuse(&p, "11", "range");
}

static void numbers(void **state)
{
	(void)state;
	struct metric_parameter p = make(PARAMETER_NUMBER);
	p.minimum = span_of("-0.5");
	p.maximum = span_of("1e3");
	assert_true(take(&p, "1e3").bound.real >= 1000.0);
	refuse(&p, "1000.1", "range");
	refuse(&p, "-1", "range");
	refuse(&p, "nan", "type");
	refuse(&p, "inf", "type");
	refuse(&p, "1 ", "type");
}

static void texts(void **state)
{
	(void)state;
	struct metric_parameter p = make(PARAMETER_STRING);
	assert_true(span_equal_text(take(&p, "it's").bound.text, "it's"));
	assert_int_equal(take(&p, "").bound.type, VALUE_TEXT);
	refuse_span(&p, (struct span){"a\0b", 3}, "value");
	refuse(&p, "\xff", "value");
	char text[300];
	memset(text, 'a', sizeof(text));
	struct span span = {text, 256};
	struct parameter_value value;
	assert_true(parameter_parse(&p, &span, 1, &arena, &value, &fault));
	refuse_span(&p, (struct span){text, 257}, "length");
	p.length_min = 2;
	refuse(&p, "a", "length");
	assert_rule(&p, "p must be a text in UTF-8 of 2 to 256 bytes");
	struct metric_parameter from = make(PARAMETER_ENUM);
	from.values_from = span_of("repos");
	assert_true(span_equal_text(take(&from, "any/thing").bound.text, "any/thing"));
	refuse(&from, "\xc0\xaf", "value");
}

static void booleans_and_enums(void **state)
{
	(void)state;
	struct metric_parameter b = make(PARAMETER_BOOLEAN);
	assert_true(take(&b, "true").bound.boolean);
	assert_false(take(&b, "false").bound.boolean);
	refuse(&b, "1", "type");
	refuse(&b, "True", "type");
	static const struct span values[] = {
		SPAN_LITERAL("15m"), SPAN_LITERAL("1h"), SPAN_LITERAL("daily")};
	struct metric_parameter e = make(PARAMETER_ENUM);
	e.values = values;
	e.value_count = 3;
	assert_true(span_equal_text(take(&e, "daily").bound.text, "daily"));
	refuse(&e, "dayly", "value");
	assert_true(span_equal_text(fault.suggestion, "daily"));
	assert_true(span_equal_text(fault.detail, "p must be one of 15m, 1h, daily"));
	refuse(&e, "something else", "value");
	assert_null(fault.suggestion.data);
	e.value_count = 2;
	e.cast_interval = true;
	assert_string_equal(parameter_sql_type(&e), "INTERVAL");
	assert_int_equal(parameter_value_type(&e), VALUE_INTERVAL);
	struct parameter_value value = take(&e, "15m");
	assert_true(value.bound.interval_us == INT64_C(900000000));
	assert_true(span_equal_text(value.shown.text, "15m"));
	refuse(&e, "16m", "value");
}

static void durations_and_times(void **state)
{
	(void)state;
	struct metric_parameter d = make(PARAMETER_DURATION);
	d.minimum = span_of("1m");
	d.maximum = span_of("30d");
	assert_true(take(&d, "2h").bound.interval_us == INT64_C(7200000000));
	assert_true(span_equal_text(take(&d, "2h").shown.text, "2h"));
	refuse(&d, "59s", "range");
	refuse(&d, "31d", "range");
	refuse(&d, "2 h", "type");
	refuse(&d, "-2h", "type");
	struct metric_parameter t = make(PARAMETER_TIMESTAMP);
	t.minimum = span_of("2020-01-01T00:00:00Z");
	assert_true(
		take(&t, "2026-09-20T14:00:00+02:00").bound.time_us == INT64_C(1789905600000000));
	refuse(&t, "2019-12-31T23:59:59Z", "range");
	refuse(&t, "2026-09-20", "type");
	refuse(&t, "2026-02-30T00:00:00Z", "type");
}

static void names(void **state)
{
	(void)state;
	struct metric_parameter r = make(PARAMETER_REPO);
	assert_true(span_equal_text(
		take(&r, "rust-lang/rust.vim_2").bound.text, "rust-lang/rust.vim_2"));
	static const char *const no_repos[] = {
		"a", "a/", "/b", "a/b/c", "a.b/c", "a/b c", "a/b'", "\xc3\xa9/b", ""};
	for (size_t i = 0; i < ARRAY_COUNT(no_repos); i++)
		refuse(&r, no_repos[i], "type");
	struct metric_parameter l = make(PARAMETER_LOGIN);
	assert_true(span_equal_text(take(&l, "dependabot[bot]").bound.text, "dependabot[bot]"));
	(void)take(&l, "octo-cat");
	static const char *const no_logins[] = {"[bot]", "a[bot]b", "a b", "a/b", "", "a'"};
	for (size_t i = 0; i < ARRAY_COUNT(no_logins); i++)
		refuse(&l, no_logins[i], "type");
}

static void several(void **state)
{
	(void)state;
	struct metric_parameter p = make(PARAMETER_INTEGER);
	p.multiple = true;
	p.maximum = span_of("9");
	assert_string_equal(parameter_sql_type(&p), "BIGINT[]");
	const struct span texts[] = {SPAN_LITERAL("1,2"), SPAN_LITERAL(""), SPAN_LITERAL("3")};
	struct parameter_value value;
	assert_true(parameter_parse(&p, texts, 3, &arena, &value, &fault));
	assert_int_equal(value.bound.type, VALUE_LIST);
	assert_int_equal(value.bound.inner_type, VALUE_INTEGER);
	assert_int_equal(value.bound.list.count, 3);
	assert_int_equal(value.bound.list.elements[2].integer, 3);
	refuse(&p, "1,10", "range");
	refuse(&p, "1,", "type");
	refuse(&p, ",", "type");
	assert_int_equal(take(&p, "").bound.type, VALUE_NULL);
	assert_true(parameter_parse(&p, NULL, 0, &arena, &value, &fault));
	assert_int_equal(value.bound.type, VALUE_NULL);
	char many[2 * PARAMETER_ELEMENT_COUNT_MAX + 2];
	for (size_t i = 0; i < sizeof(many); i++)
		many[i] = i % 2 ? ',' : '1';
	refuse_span(&p, (struct span){many, sizeof(many) - 1}, "length");
	struct span most = {many, sizeof(many) - 3};
	assert_true(parameter_parse(&p, &most, 1, &arena, &value, &fault));
	assert_int_equal(value.bound.list.count, PARAMETER_ELEMENT_COUNT_MAX);
	assert_rule(&p, "p must be an integer of at most 9 (several: repeated, or with commas)");
	struct metric_parameter d = make(PARAMETER_DURATION);
	d.multiple = true;
	value = take(&d, "1m,2h");
	assert_int_equal(value.bound.inner_type, VALUE_INTERVAL);
	assert_int_equal(value.shown.inner_type, VALUE_TEXT);
	assert_true(span_equal_text(value.shown.list.elements[1].text, "2h"));
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 1024 * 1024);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(types_have_names),
		WITH_ARENA(integers),
		WITH_ARENA(numbers),
		WITH_ARENA(texts),
		WITH_ARENA(booleans_and_enums),
		WITH_ARENA(durations_and_times),
		WITH_ARENA(names),
		WITH_ARENA(several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
