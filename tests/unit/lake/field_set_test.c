/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/file.h"
#include "lake/field_set.h"

#include <stdio.h>
#include <string.h>

static struct field_set *must_create(const char *text)
{
	struct field_set *fields = NULL;
	struct err err = {0};
	if (!field_set_create(span_of(text), "t.yaml", &fields, &err))
		fail_msg("%s", err.text);
	return fields;
}

static void check_refused(const char *text, const char *message)
{
	struct field_set *fields = NULL;
	struct err err = {0};
	assert_false(field_set_create(span_of(text), "t.yaml", &fields, &err));
	assert_null(fields);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, message);
}

static const struct field *find_field(const struct field_set *fields, const char *path)
{
	for (size_t i = 0; i < fields->field_count; i++)
		if (strcmp(fields->fields[i].path, path) == 0)
			return &fields->fields[i];
	fail_msg("no field %s", path);
	return NULL;
}

static void default_keeps_all_types_and_the_two_states(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	struct err err = {0};
	if (!field_set_create_default(&fields, &err))
		fail_msg("%s", err.text);
	assert_true(fields->all_types);
	assert_true(field_set_accepts(fields, span_of("WatchEvent")));
	assert_true(field_set_accepts(fields, span_of("_other")));
	assert_int_equal(fields->field_count, 2);
	assert_string_equal(fields->fields[0].path, "payload.issue.state");
	assert_true(field_is_for(&fields->fields[0], span_of("IssuesEvent")));
	assert_false(field_is_for(&fields->fields[0], span_of("PullRequestEvent")));
	assert_string_equal(fields->fields[1].path, "payload.pull_request.state");
	assert_true(field_is_for(&fields->fields[1], span_of("PullRequestEvent")));
	assert_int_equal(fields->fields[1].type, VALUE_TEXT);
	assert_int_equal(fields->bot_count, 0);
	assert_int_equal(strlen(fields->fingerprint), 16);
	assert_int_equal(strspn(fields->fingerprint, "0123456789abcdef"), 16);
}

static void first_form_restricts_to_its_types(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields =
		must_create("PushEvent: {fields: [id, repo.name, payload.size]}\n"
			    "WatchEvent:\n  fields:\n    - id\n"
			    "ForkEvent:\n");
	assert_false(fields->all_types);
	assert_int_equal(fields->type_count, 3);
	assert_true(field_set_accepts(fields, span_of("PushEvent")));
	assert_true(field_set_accepts(fields, span_of("ForkEvent")));
	assert_false(field_set_accepts(fields, span_of("IssuesEvent")));
	assert_false(field_set_accepts(fields, span_of("_other")));
	assert_int_equal(fields->field_count, 1);
	assert_string_equal(fields->fields[0].path, "payload.size");
	assert_int_equal(fields->fields[0].type, VALUE_INTEGER);
}

static void first_systems_file_loads_unchanged(void **state)
{
	(void)state;
	struct check_path path = real_data_path_or_skip("seed-form/filtered_events.yaml");
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	struct err err = {0};
	if (!file_read(path.text, &text, &err))
		fail_msg("%s", err.text);
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	if (!field_set_create(buf_span(&text), "filtered_events.yaml", &fields, &err))
		fail_msg("%s", err.text);
	assert_false(fields->all_types);
	assert_int_equal(fields->type_count, 3);
	assert_true(field_set_accepts(fields, span_of("PullRequestEvent")));
	assert_true(field_set_accepts(fields, span_of("WatchEvent")));
	assert_true(field_set_accepts(fields, span_of("IssuesEvent")));
	assert_false(field_set_accepts(fields, span_of("PushEvent")));
	/* The others are common columns. */
	assert_int_equal(fields->field_count, 3);
	assert_string_equal(fields->fields[0].path, "payload.issue.state");
	assert_string_equal(fields->fields[1].path, "payload.issue.title");
	assert_string_equal(fields->fields[2].path, "payload.pull_request.state");
}

static void second_form_names_types_fields_and_bots(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields = must_create("version: 2\n"
					       "types: [PushEvent, WatchEvent]\n"
					       "fields:\n"
					       "  PushEvent:\n"
					       "    - {path: payload.size, type: number}\n"
					       "    - payload.commits\n"
					       "  IssuesEvent: [payload.issue.created_at, "
					       "payload.issue.locked, payload.issue.title]\n"
					       "  IssueCommentEvent:\n"
					       "    - payload.issue.title\n"
					       "bots: [Renovate-Bot, 'abc', zed]\n");
	assert_int_equal(fields->type_count, 2);
	assert_false(field_set_accepts(fields, span_of("IssuesEvent")));
	assert_int_equal(fields->field_count, 5);
	for (size_t i = 1; i < fields->field_count; i++)
		assert_true(strcmp(fields->fields[i - 1].path, fields->fields[i].path) < 0);
	assert_int_equal(find_field(fields, "payload.size")->type, VALUE_REAL);
	assert_int_equal(find_field(fields, "payload.commits")->type, VALUE_TEXT);
	assert_int_equal(find_field(fields, "payload.issue.created_at")->type, VALUE_TIME);
	assert_int_equal(find_field(fields, "payload.issue.locked")->type, VALUE_BOOLEAN);
	const struct field *title = find_field(fields, "payload.issue.title");
	assert_int_equal(title->type, VALUE_TEXT);
	assert_int_equal(title->event_type_count, 2);
	assert_true(field_is_for(title, span_of("IssueCommentEvent")));
	assert_false(field_is_for(title, span_of("PushEvent")));
	assert_true(field_set_is_bot(fields, span_of("renovate-bot")));
	assert_true(field_set_is_bot(fields, span_of("ABC")));
	assert_true(field_set_is_bot(fields, span_of("zed")));
	assert_false(field_set_is_bot(fields, span_of("ab")));
	assert_false(field_set_is_bot(fields, span_of("abcd")));
	assert_false(field_set_is_bot(fields, span_of("")));
	assert_false(field_set_is_bot(fields, (struct span){0}));
	assert_false(field_set_is_bot(fields, (struct span){"ab\0", 3}));
}

static void every_bot_of_many_is_found(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	buf_append_text(&text, "version: 2\nbots:\n");
	for (int i = 0; i < FIELD_BOT_COUNT_MAX; i++)
		buf_printf(&text, "  - %s%d\n", i % 3 ? "Bot" : "robot-", i * 7919 % 10007);
	CLEANUP(field_set_destroy) struct field_set *fields = must_create(text.data);
	assert_int_equal(fields->bot_count, FIELD_BOT_COUNT_MAX);
	for (int i = 0; i < FIELD_BOT_COUNT_MAX; i++) {
		char login[32];
		(void)snprintf(
			login, sizeof(login), "%s%d", i % 3 ? "bOT" : "ROBOT-", i * 7919 % 10007);
		assert_true(field_set_is_bot(fields, span_of(login)));
	}
	assert_false(field_set_is_bot(fields, span_of("robot-20000")));
}

static void a_type_may_stand_beside_any_mention(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields =
		must_create("version: 2\n"
			    "fields:\n"
			    "  A: [payload.x]\n"
			    "  B: [{path: payload.x, type: integer}, payload.x]\n"
			    "  C: [{path: payload.x, type: integer}]\n");
	assert_int_equal(fields->field_count, 1);
	assert_int_equal(fields->fields[0].type, VALUE_INTEGER);
	assert_int_equal(fields->fields[0].event_type_count, 3);
}

static void well_known_types_follow_the_end_of_the_path(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields = must_create("version: 2\n"
					       "fields:\n"
					       "  X:\n"
					       "    - payload.pull_request.id\n"
					       "    - payload.pull_request.commits\n"
					       "    - payload.pull_request._links.commits\n"
					       "    - payload.pull_request.merged_at\n"
					       "    - payload.pull_request.draft\n"
					       "    - payload.issue.reactions.+1\n"
					       "    - payload.issue.node_id\n"
					       "    - payload.forkee.private\n"
					       "    - public\n");
	assert_int_equal(find_field(fields, "payload.pull_request.id")->type, VALUE_INTEGER);
	assert_int_equal(find_field(fields, "payload.pull_request.commits")->type, VALUE_INTEGER);
	assert_int_equal(
		find_field(fields, "payload.pull_request._links.commits")->type, VALUE_TEXT);
	assert_int_equal(find_field(fields, "payload.pull_request.merged_at")->type, VALUE_TIME);
	assert_int_equal(find_field(fields, "payload.pull_request.draft")->type, VALUE_BOOLEAN);
	assert_int_equal(find_field(fields, "payload.issue.reactions.+1")->type, VALUE_INTEGER);
	assert_int_equal(find_field(fields, "payload.issue.node_id")->type, VALUE_TEXT);
	assert_int_equal(find_field(fields, "payload.forkee.private")->type, VALUE_BOOLEAN);
	assert_int_equal(find_field(fields, "public")->type, VALUE_BOOLEAN);
}

static void common_paths_name_no_column(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields = must_create(
		"version: 2\n"
		"fields:\n"
		"  X: [id, type, created_at, actor.id, actor.login, repo.id, repo.name, "
		"org.login,\n"
		"      payload.action, payload.pull_request.number, payload.pull_request.merged,\n"
		"      payload.ref_type, {path: id, type: integer}]\n");
	assert_int_equal(fields->field_count, 0);
}

static void fingerprint_covers_names_and_types_only(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *a = must_create("version: 2\nfields: {A: [payload.x, payload.y]}\n");
	CLEANUP(field_set_destroy)
	struct field_set *b = must_create(
		"version: 2\ntypes: [A]\nbots: [c]\nfields: {B: [payload.y], C: [payload.x]}\n");
	CLEANUP(field_set_destroy)
	struct field_set *c = must_create(
		"version: 2\nfields: {A: [payload.x, {path: payload.y, type: number}]}\n");
	CLEANUP(field_set_destroy)
	struct field_set *d = must_create("version: 2\nfields: {A: [payload.x]}\n");
	assert_string_equal(a->fingerprint, b->fingerprint);
	assert_string_not_equal(a->fingerprint, c->fingerprint);
	assert_string_not_equal(a->fingerprint, d->fingerprint);
	assert_string_not_equal(c->fingerprint, d->fingerprint);
}

static void restrict_replaces_the_kept_types(void **state)
{
	(void)state;
	CLEANUP(field_set_destroy)
	struct field_set *fields = must_create("PushEvent: {fields: [payload.size]}\n");
	struct err err = {0};
	assert_true(field_set_restrict(fields, span_of("WatchEvent, FutureEvent"), &err));
	assert_true(field_set_accepts(fields, span_of("WatchEvent")));
	assert_true(field_set_accepts(fields, span_of("FutureEvent")));
	assert_false(field_set_accepts(fields, span_of("PushEvent")));
	static const char *const refused[] = {
		"", "WatchEvent,", "Push Event", "../etc", "all,PushEvent2", ","};
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		assert_false(field_set_restrict(fields, span_of(refused[i]), &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_true(field_set_accepts(fields, span_of("WatchEvent")));
	}
	assert_true(field_set_restrict(fields, span_of(" all "), &err));
	assert_true(field_set_accepts(fields, span_of("_other")));
}

static void errors_say_where(void **state)
{
	(void)state;
	check_refused("", "t.yaml:1:1: a mapping expected: version, types, fields, bots");
	check_refused("- a\n", "t.yaml:1:1: a mapping expected: version, types, fields, bots");
	check_refused("version: 3\n", "t.yaml:1:10: version must be 2");
	check_refused("version: '2'\n", "t.yaml:1:10: version must be 2");
	check_refused("version: 2\nfeilds: {}\n",
		"t.yaml:2:1: unknown key \"feilds\": did you mean \"fields\"?");
	check_refused("version: 2\nxyzzy: {}\n", "t.yaml:2:1: unknown key \"xyzzy\"");
	check_refused("types: all\n", "t.yaml:1:1: \"types\" needs \"version: 2\" above it");
	check_refused("version: 2\ntypes: PushEvent\n",
		"t.yaml:2:8: types must be \"all\" or a list such as [WatchEvent, PushEvent]");
	check_refused("version: 2\ntypes: []\n",
		"t.yaml:2:8: types must be \"all\" or a list such as [WatchEvent, PushEvent]");
	check_refused("version: 2\ntypes: [PushEvent, push-event]\n",
		"t.yaml:2:20: \"push-event\" is no event type: letters only, as in PushEvent");
	check_refused("version: 2\nfields: [a]\n",
		"t.yaml:2:9: fields must be a mapping of event types to lists of paths");
	check_refused(
		"version: 2\nfields:\n  Push: payload.x\n", "t.yaml:3:9: a list of paths expected");
	check_refused("version: 2\nfields:\n  Push:\n    - {path: payload.x, typ: integer}\n",
		"t.yaml:4:25: unknown key \"typ\": did you mean \"type\"?");
	check_refused("version: 2\nfields:\n  Push:\n    - {type: integer}\n",
		"t.yaml:4:7: a field without a path");
	check_refused("version: 2\nfields:\n  Push:\n    - {path: payload.x, type: strng}\n",
		"t.yaml:4:31: unknown type \"strng\" (did you mean \"string\"?): boolean, integer, "
		"number, "
		"string or timestamp");
	check_refused("version: 2\nbots: me\n", "t.yaml:2:7: bots must be a list of logins");
	check_refused("version: 2\nbots: ['']\n", "t.yaml:2:8: a login of 1 to 100 bytes expected");
	check_refused("PushEvent: [id]\n", "t.yaml:1:12: \"fields: [...]\" expected");
	check_refused("PushEvent: {field: [id]}\n",
		"t.yaml:1:13: unknown key \"field\": did you mean \"fields\"?");
	check_refused("Push_Event: {fields: [id]}\n",
		"t.yaml:1:1: \"Push_Event\" is no event type: letters only, as in PushEvent");
}

static void a_path_with_two_types_names_both_lines(void **state)
{
	(void)state;
	check_refused("version: 2\n"
		      "fields:\n"
		      "  A:\n"
		      "    - payload.x\n"
		      "    - {path: payload.x, type: integer}\n"
		      "  B:\n"
		      "    - {path: payload.x, type: string}\n",
		"t.yaml:7:31: payload.x is integer on line 5 and string here: a path has one type");
	check_refused("version: 2\nfields:\n  A:\n    - {path: id, type: string}\n",
		"t.yaml:4:24: id is the column id, which every event has, and its type is integer");
}

static void paths_are_checked(void **state)
{
	(void)state;
	static const char *const malformed[] = {"''", "'a b'", "'.a'", "'a.'", "'a..b'", "'a\"b'",
		"'a;b'", "{}", "'\xc3\xbc'", "\"a\\0b\"", "~"};
	for (size_t i = 0; i < ARRAY_COUNT(malformed); i++) {
		char text[128];
		(void)snprintf(text, sizeof(text), "version: 2\nfields: {A: [{path: %s}]}\n",
			malformed[i]);
		check_refused(text, "t.yaml:2:21: a path is keys joined by dots, as in "
				    "payload.issue.state; keys "
				    "have letters, digits, _, - and +");
	}
	check_refused("version: 2\nfields: {A: [Action]}\n",
		"t.yaml:2:14: \"action\" is the name of a column that every event has");
	check_refused("version: 2\nfields:\n  A: [payload.x,\n  payload.X]\n",
		"t.yaml:4:3: \"payload.X\" differs from the path on line 3 only by case");
}

static void sizes_have_limits(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	for (int extra = 0; extra < 2; extra++) {
		buf_clear(&text);
		buf_append_text(&text, "version: 2\nfields:\n  A:\n");
		for (int i = 0; i < FIELD_COUNT_MAX + extra; i++)
			buf_printf(&text, "    - payload.f%d\n", i);
		if (extra == 0) {
			CLEANUP(field_set_destroy)
			struct field_set *fields = must_create(text.data);
			assert_int_equal(fields->field_count, FIELD_COUNT_MAX);
		} else {
			check_refused(text.data, "t.yaml:204:7: more than 200 fields");
		}
	}
	for (size_t extra = 0; extra < 2; extra++) {
		buf_clear(&text);
		buf_append_text(&text, "version: 2\nfields:\n  A:\n    - ");
		for (size_t i = 0; i < FIELD_PATH_BYTES_MAX + extra; i++)
			buf_append_byte(&text, 'x');
		if (extra == 0) {
			CLEANUP(field_set_destroy)
			struct field_set *fields = must_create(text.data);
			assert_int_equal(fields->field_count, 1);
		} else {
			check_refused(text.data, "t.yaml:4:7: a path of more than 200 bytes");
		}
	}
	check_refused("version: 2\nfields: {A: [a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q]}\n",
		"t.yaml:2:14: a path of more than 16 keys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_keeps_all_types_and_the_two_states),
		cmocka_unit_test(first_form_restricts_to_its_types),
		cmocka_unit_test(first_systems_file_loads_unchanged),
		cmocka_unit_test(second_form_names_types_fields_and_bots),
		cmocka_unit_test(every_bot_of_many_is_found),
		cmocka_unit_test(a_type_may_stand_beside_any_mention),
		cmocka_unit_test(well_known_types_follow_the_end_of_the_path),
		cmocka_unit_test(common_paths_name_no_column),
		cmocka_unit_test(fingerprint_covers_names_and_types_only),
		cmocka_unit_test(restrict_replaces_the_kept_types),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(a_path_with_two_types_names_both_lines),
		cmocka_unit_test(paths_are_checked),
		cmocka_unit_test(sizes_have_limits),
	};
	return cmocka_run_group_tests_name("field_set", tests, NULL, NULL);
}
