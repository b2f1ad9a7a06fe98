/* SPDX-License-Identifier: Apache-2.0 */
/* scan_random_test.c - the scanner beside a full JSON parser, on random documents made of the keys
 * and values that the scanner looks for. Always the same ones; a failure prints its input. */
#include "tests/support/check.h"

#include "tests/fuzz/scan_oracle.c"

static int set_up(void **state)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	oracle_init(oracle);
	*state = oracle;
	return 0;
}

static int tear_down(void **state)
{
	oracle_finish(*state);
	free(*state);
	return 0;
}

struct random {
	uint64_t state;
	struct buf out;
};

static size_t random_below(struct random *random, size_t limit)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (size_t)(random->state >> 11) % limit;
}

static void put_string(struct random *random, const char *text)
{
	buf_append_byte(&random->out, '"');
	bool escape_some = random_below(random, 8) == 0;
	for (const char *c = text; *c; c++) {
		if (escape_some && (*c & 0x80) == 0 && *c != '\\' && random_below(random, 3) == 0)
			buf_printf(&random->out, random_below(random, 2) ? "\\u%04x" : "\\u%04X",
				(unsigned)*c);
		else
			buf_append_byte(&random->out, *c);
	}
	buf_append_byte(&random->out, '"');
}

static void put_blanks(struct random *random)
{
	static const char blanks[] = " \t\r\n";
	while (random_below(random, 10) == 0)
		buf_append_byte(&random->out, blanks[random_below(random, 4)]);
}

static void put_key(struct random *random)
{
	static const char *const keys[] = {
		"id",
		"type",
		"created_at",
		"actor",
		"login",
		"repo",
		"name",
		"org",
		"payload",
		"action",
		"number",
		"pull_request",
		"issue",
		"discussion",
		"merged",
		"state",
		"ref_type",
		"commits",
		"repository",
		"owner",
		"organization",
		"actor_attributes",
		"x",
		"y",
		"",
		"title",
		"draft",
		"comments",
		"head",
		"language",
		"comment",
		"body",
		"size",
		"public",
	};
	put_string(random, keys[random_below(random, ARRAY_COUNT(keys))]);
	put_blanks(random);
	buf_append_byte(&random->out, ':');
}

static void put_scalar(struct random *random)
{
	static const char *const scalars[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"1",
		"-17",
		"3.25",
		"1e3",
		"-2E-2",
		"9223372036854775807",
		"9223372036854775808",
		"1e400",
		"1e-400",
		"123456789012345678901234567890.5",
		"01",
		"nul",
		"1.",
		"-",
	};
	static const char *const texts[] = {
		"",
		"a",
		"PushEvent",
		"PullRequestEvent",
		"IssuesEvent",
		"A",
		"merged",
		"opened",
		"x[bot]",
		"someone",
		"2026-01-01T00:00:00Z",
		"2012/06/14 15:00:00 -0700",
		"12",
		"9223372036854775808",
		"\\n\\t\\\\\\\"\\/",
		"\\u0000",
		"\\ud83d\\ude00",
		"\\ud83d",
		"\xc3\xa9",
		"\xe2\x82\xac rather a long text beyond one word",
	};
	if (random_below(random, 2))
		put_string(random, texts[random_below(random, ARRAY_COUNT(texts))]);
	else /* the last four are malformed, and rare */
		buf_append_text(&random->out,
			scalars[random_below(random, random_below(random, 50) ? 15 : 19)]);
}

static void put_value(struct random *random, size_t depth)
{
	put_blanks(random);
	size_t choice = random_below(random, 10);
	if (depth == 0 || choice < 4) {
		put_scalar(random);
	} else {
		bool is_object = choice < 9;
		buf_append_byte(&random->out, is_object ? '{' : '[');
		size_t count = random_below(random, 5);
		for (size_t i = 0; i < count; i++) {
			if (i > 0)
				buf_append_byte(&random->out, ',');
			put_blanks(random);
			if (is_object)
				put_key(random);
			put_value(random, depth - 1);
		}
		put_blanks(random);
		buf_append_byte(&random->out, is_object ? '}' : ']');
	}
	put_blanks(random);
}

/* Mostly an event: what identifies it stands at random places among random members. */
static void put_document(struct random *random)
{
	static const char *const types[] = {
		"PushEvent", "PullRequestEvent", "IssuesEvent", "A", "_"};
	size_t members = random_below(random, 8);
	size_t places[3];
	for (size_t i = 0; i < 3; i++)
		places[i] = random_below(random, 40) ? random_below(random, members + 1) : SIZE_MAX;
	buf_clear(&random->out);
	buf_append_byte(&random->out, '{');
	const char *comma = "";
	for (size_t i = 0; i <= members; i++) {
		if (places[0] == i) {
			buf_printf(&random->out, "%s\"id\":%zu", comma, random_below(random, 1000));
			comma = ",";
		}
		if (places[1] == i) {
			buf_printf(&random->out, "%s\"type\":\"%s\"", comma,
				types[random_below(random, ARRAY_COUNT(types))]);
			comma = ",";
		}
		if (places[2] == i) {
			buf_printf(&random->out, "%s\"created_at\":\"20%zu-01-01T00:00:00Z\"",
				comma, 10 + random_below(random, 20));
			comma = ",";
		}
		if (i == members)
			break;
		buf_append_text(&random->out, comma);
		put_blanks(random);
		put_key(random);
		put_value(random, 4);
		comma = ",";
	}
	buf_append_byte(&random->out, '}');
}

static void random_documents(void **state)
{
	struct oracle *oracle = *state;
	struct random random = {.state = UINT64_C(0x9e3779b97f4a7c15)};
	buf_init(&random.out, 1024 * 1024);
	size_t accepted = 0;
	size_t refused[SCAN_BAD_VALUE + 1] = {0};
	for (size_t i = 0; i < 60000; i++) {
		put_document(&random);
		if (!oracle_agrees(oracle, buf_span(&random.out)))
			fail_msg("%s\n%s", oracle->complaint, random.out.data);
		accepted += oracle->accepted;
		refused[oracle->problem.reason] += !oracle->accepted;
	}
	buf_finish(&random.out);
	/* The generator must reach both sides of every decision. */
	assert_true(accepted > 1000);
	static const enum scan_reason reached[] = {SCAN_INVALID_JSON, SCAN_INVALID_JSON,
		SCAN_ID_MISSING, SCAN_TYPE_MISSING, SCAN_CREATED_AT_MISSING, SCAN_BAD_VALUE};
	for (size_t i = 0; i < ARRAY_COUNT(reached); i++)
		assert_true(refused[reached[i]] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_documents, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("scan_random", tests, NULL, NULL);
}
