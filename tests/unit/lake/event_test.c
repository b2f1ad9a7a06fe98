/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "lake/event.h"

#include <string.h>

static void event_types_today_are_sixteen_in_order(void **state)
{
	(void)state;
	assert_int_equal(event_types_today_count, 16);
	for (size_t i = 0; i < event_types_today_count; i++) {
		assert_true(event_type_is_plain(span_of(event_types_today[i])));
		if (i > 0)
			assert_true(strcmp(event_types_today[i - 1], event_types_today[i]) < 0);
	}
}

static void plain_types_are_letters(void **state)
{
	(void)state;
	char letters[EVENT_TYPE_BYTES_MAX + 2];
	memset(letters, 'a', sizeof(letters));
	assert_true(event_type_is_plain(span_make(letters, EVENT_TYPE_BYTES_MAX)));
	assert_false(event_type_is_plain(span_make(letters, EVENT_TYPE_BYTES_MAX + 1)));
	static const char *const others[] = {
		"", "_other", "Push Event", "Push.Event", "../x", "PushEvent\n", "P\xc3\xbc"};
	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		assert_false(event_type_is_plain(span_of(others[i])));
	assert_false(event_type_is_plain((struct span){"Push\0", 5}));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		assert_int_equal(event_type_is_plain(span_make(&byte, 1)), letter);
	}
}

static void key_is_id_type_and_time(void **state)
{
	(void)state;
	const struct event base = {.id = 7, .type = span_of("PushEvent"), .created_at_us = 1000};
	struct event same = base;
	same.type = span_of("PushEvent");
	same.repo_id = 9;
	assert_true(event_key_equal(&base, &same));
	assert_true(event_key_hash(&base) == event_key_hash(&same));
	struct event others[] = {base, base, base};
	others[0].id = 8;
	others[1].type = span_of("WatchEvent");
	others[2].created_at_us = 1001;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		assert_false(event_key_equal(&base, &others[i]));
		assert_true(event_key_hash(&base) != event_key_hash(&others[i]));
	}
	/* The hashes lie in catalogs: they must not change. */
	assert_true(event_key_hash(&base) == UINT64_C(0x57746067eda8c0f2));
}

static void neighbouring_keys_do_not_collide(void **state)
{
	(void)state;
	uint64_t seen[4096];
	size_t count = 0;
	for (int64_t id = 0; id < 64; id++) {
		for (int64_t second = 0; second < 64; second++) {
			struct event event = {.id = id,
				.type = span_of("PushEvent"),
				.created_at_us = second * 1000000};
			seen[count++] = event_key_hash(&event);
		}
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_true(seen[i] != seen[j]);
}

static void columns_have_names_types_and_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENT_COLUMN_COUNT; i++) {
		assert_non_null(event_columns[i].name);
		assert_true(event_columns[i].type != VALUE_NULL);
		for (size_t j = 0; j < i; j++)
			assert_true(strcmp(event_columns[i].name, event_columns[j].name) != 0);
	}
	assert_string_equal(event_columns[EVENT_COLUMN_REPO_NAME].path, "repo.name");
	assert_string_equal(event_columns[EVENT_COLUMN_BATCH].name, "batch");
	assert_null(event_columns[EVENT_COLUMN_IS_BOT].path);
}

static void eras_have_names(void **state)
{
	(void)state;
	assert_string_equal(event_era_name(EVENT_ERA_TIMELINE), "timeline");
	assert_string_equal(event_era_name(EVENT_ERA_FULL), "full");
	assert_string_equal(event_era_name(EVENT_ERA_THIN), "thin");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_types_today_are_sixteen_in_order),
		cmocka_unit_test(plain_types_are_letters),
		cmocka_unit_test(key_is_id_type_and_time),
		cmocka_unit_test(neighbouring_keys_do_not_collide),
		cmocka_unit_test(columns_have_names_types_and_paths),
		cmocka_unit_test(eras_have_names),
	};
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
