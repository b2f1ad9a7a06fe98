/* SPDX-License-Identifier: Apache-2.0 */
/* archive_salvage_test.c - records in lines that are not one: several, cut, glued, with rubbish around;
 * and that nothing inside an event ever becomes one. */
#include "tests/unit/lake/archive_fixture.h"

/* Letters of the parts: R record, C cut, D doubtful, N no record, J invalid JSON, S by the scanner. */
static void check_parts(void **state, struct span line, const char *expected)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(archive_salvage_finish) struct archive_salvage salvage;
	struct archive_salvage_item item;
	char parts[1000] = "";
	size_t count = 0;
	(void)salvage_check(fixture->plan, line);
	archive_salvage_init(&salvage, fixture->plan, line);
	while (archive_salvage_next(&salvage, &item) && count < sizeof(parts) - 1) {
		static const char *const reasons[] = {"record-cut", "record-doubtful", "no-record", "invalid-json"};
		char letter = item.is_record ? 'R' : 'S';
		for (size_t i = 0; i < ARRAY_COUNT(reasons); i++)
			if (!item.is_record && strcmp(item.reason, reasons[i]) == 0)
				letter = "CDNJ"[i];
		parts[count++] = letter;
	}
	if (strcmp(parts, expected) != 0)
		fail_msg("%s, not %s: %.*s", parts, expected, SPAN_ARGUMENTS(line));
}

/* `pattern` with A, B, C for three events, ' ' and other characters as they are. */
static void check_pattern(void **state, const char *pattern, const char *expected)
{
	CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
	for (const char *c = pattern; *c; c++)
		if (*c >= 'A' && *c <= 'C')
			buf_append_text(&line, event_text(*c - 'A' + 1).text);
		else
			buf_append_byte(&line, *c);
	check_parts(state, buf_span(&line), expected);
}

static void several_objects_on_a_line(void **state)
{
	static const char *const cases[][2] = {
		{"", ""}, {"  \t", ""}, {"A", "R"}, {"  A ", "R"}, {"AB", "RR"}, {"A B", "RR"}, {"ABC", "RRR"},
		{"A \r B", "RR"},
		/* lists */
		{"A,", "R"}, {"A,B", "RR"}, {"A , B,C,", "RRR"},
		/* rubbish around, which is no bracket or comma */
		{"xA", "NR"}, {"Ax", "RN"}, {"AxB", "RNR"}, {"\xef\xbb\xbf" "A", "NR"}, {"garbage A garbage B", "NRNR"},
		{"\"text\" A", "NR"}, {"null A", "NR"}, {"17 A", "NR"},
		/* what may be the middle of something */
		{"A}", "DN"}, {"A]", "DN"}, {"A}B", "DNR"}, {"A,\"x\":1}", "DN"}, {"A,B]", "DN"}, {"[A]", "N"},
		{"[A,B]", "N"}, {"\"x\":A", "N"}, {",A", "N"}, {"\"x\":A}B", "NR"},
		/* good brackets, no event */
		{"{}", "S"}, {"{}A", "SR"}, {"A{}B", "RSR"}, {"{\"a\":[{\"b\":1}]}A", "SR"}, {"{\"a\":A}", "S"},
		{"{\"a\":A}B", "SR"}, {"{\"id\":[A,B],\"type\":\"PushEvent\"}", "S"},
		/* bad brackets */
		{"{", "C"}, {"{A", "CR"}, {"{{{A", "JR"}, {"{]A", "JR"}, {"{\"a\"]A", "JR"}, {"{\"a\":1]B", "JR"}, {"{\"a\":[1}B", "JR"},
		{"{\"a\":A", "C"}, {"{\"a\":[1,A", "C"}, {"{\"a\":AB", "CR"}, {"{\"a\" A", "CR"}, {"{\"a\":1 A", "CR"},
		{"{\"a\":1,A", "CR"}, {"{\"a\":\"tA", "CR"}, {"{\"a\":\"t\\A", "CR"}, {"{\"a\":\"t\\u00A", "CR"},
		{"{\"a\":truA", "CR"}, {"{\"a\":12A", "CR"}, {"{\"aA", "CR"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		check_pattern(state, cases[i][0], cases[i][1]);
}

static void nul_bytes_between_records(void **state)
{
	CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
	for (int i = 0; i < 2; i++) {
		buf_append_text(&line, event_text(1).text);
		buf_append(&line, "\0\0\0", 3);
	}
	check_parts(state, buf_span(&line), "RNRN");
}

/* Cut anywhere, the next one glued on: found wherever it cannot be a value of the first. */
static void glued_at_every_byte(void **state)
{
	struct archive_fixture *fixture = *state;
	const struct event_text a = event_text(1);
	const struct event_text b = event_text(2);
	size_t size = strlen(a.text);
	size_t found = 0;
	for (size_t cut = 1; cut < size; cut++) {
		CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
		buf_append(&line, a.text, cut);
		buf_append_text(&line, b.text);
		buf_append_text(&line, b.text);
		struct salvage_sums sums = salvage_check(fixture->plan, buf_span(&line));
		assert_true(span_equal_text(sums.last_record, b.text));
		assert_in_range(sums.records, 1, 2);
		assert_int_equal(sums.rubbish, 1);
		found += sums.records == 2;
		if (sums.records == 1)
			assert_non_null(strchr(":,[", a.text[cut - 1]));
	}
	assert_true(found > size * 90 / 100);
}

/* An event with events in its payload, as no real one has. */
static void nested(struct buf *out, bool in_list)
{
	buf_printf(out, "{\"id\":\"9\",\"payload\":{\"event\":%s,\"more\":[%s,%s],\"x\":\"y\"},\"type\":\"PushEvent\","
			"\"actor\":{\"id\":1,\"login\":\"a\"},\"repo\":{\"id\":2,\"name\":\"o/n\"},"
			"\"created_at\":\"2020-01-01T00:00:00Z\"%s}",
		event_text(3).text, event_text(4).text, event_text(5).text, in_list ? ",\"last\":{}" : "");
}

static void nothing_nested_is_an_event(void **state)
{
	struct archive_fixture *fixture = *state;
	for (int kind = 0; kind < 2; kind++) {
		CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
		nested(&line, kind != 0);
		check_parts(state, buf_span(&line), "R");
		/* Heads, tails, and a head with the whole behind it: in salvage_check_cut. */
		for (size_t cut = 1; cut < line.size; cut++)
			salvage_check_cut(fixture->plan, buf_span(&line), cut);
	}
}

/* One byte taken out, put in or changed: at most the event itself comes of it, never one inside. */
static void nothing_nested_is_an_event_after_damage(void **state)
{
	struct archive_fixture *fixture = *state;
	static const char bytes[] = "{}[],:\"\\ x\0\xff";
	CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
	nested(&line, false);
	for (size_t at = 0; at < line.size; at++)
		for (size_t change = 0; change < 2 * sizeof(bytes) - 1; change++) {
			CLEANUP(buf_finish) struct buf damaged = {.size_max = 100000};
			bool replace = change < sizeof(bytes) - 1;
			bool remove = change == 2 * sizeof(bytes) - 2;
			buf_append(&damaged, line.data, at);
			if (!remove)
				buf_append_byte(&damaged, bytes[change % (sizeof(bytes) - 1)]);
			buf_append(&damaged, line.data + at + (replace || remove), line.size - at - (replace || remove));
			struct salvage_sums sums = salvage_check(fixture->plan, buf_span(&damaged));
			assert_in_range(sums.records, 0, 1);
			if (sums.records == 1 && sums.last_record.size < line.size - 2)
				fail_msg("%zu, change %zu: %.*s", at, change, SPAN_ARGUMENTS(buf_span(&damaged)));
		}
}

static void behind_damage_it_must_look_like_an_event(void **state)
{
	static const char *const cases[][2] = {
		{"{\"id\":\"1\",\"x\":\"a{\"id\":\"2\",\"type\":\"User\",\"created_at\":\"2020-01-01T00:00:00Z\",\"actor\":{\"id\":1}}", "CD"},
		{"{\"id\":\"1\",\"x\":\"a{\"id\":\"2\",\"type\":\"PushEvent\",\"created_at\":\"2020-01-01T00:00:00Z\"}", "CD"},
		{"{\"id\":\"1\",\"x\":\"a{\"id\":\"2\",\"type\":\"PushEvent\",\"created_at\":\"2020-01-01T00:00:00Z\",\"actor\":{\"id\":1}}", "CR"},
		{"{\"id\":\"1\",\"x\":\"a{\"id\":\"2\",\"type\":\"PushEvent\",\"created_at\":\"x\",\"actor\":{\"id\":1}}", "CS"},
		/* at a line's beginning the scanner alone decides */
		{"{\"id\":\"2\",\"type\":\"User\",\"created_at\":\"2020-01-01T00:00:00Z\"}", "R"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		check_parts(state, span_of(cases[i][0]), cases[i][1]);
}

/* 2017-11-08-1 and 2021-09-11-9: three records, the middle one cut by the third. */
static void cut_and_glued_as_published(void **state)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(archive_salvage_finish) struct archive_salvage salvage;
	struct archive_salvage_item item;
	static const char line[] =
		"{\"id\":\"6823685750\",\"type\":\"PushEvent\",\"actor\":{\"id\":1,\"login\":\"a\",\"avatar_url\":\"https://av"
		"{\"id\":\"6823705857\",\"type\":\"WatchEvent\",\"actor\":{\"id\":2,\"login\":\"b\"},\"repo\":{\"id\":3,"
		"\"name\":\"o/r\"},\"payload\":{\"action\":\"started\"},\"public\":true,\"created_at\":\"2017-11-08T01:59:59Z\"}";
	archive_salvage_init(&salvage, fixture->plan, span_of(line));
	assert_true(archive_salvage_next(&salvage, &item));
	assert_false(item.is_record);
	assert_string_equal(item.reason, "record-cut");
	assert_int_equal(item.offset, 0);
	assert_true(span_ends_with(item.bytes, "https://av"));
	assert_true(archive_salvage_next(&salvage, &item));
	assert_true(item.is_record);
	assert_true(span_starts_with(item.bytes, "{\"id\":\"6823705857\""));
	assert_true(span_ends_with(item.bytes, "59:59Z\"}"));
	assert_false(archive_salvage_next(&salvage, &item));
}

/* Much of the same: in one pass, and few pieces. A quadratic walk would take hours. */
static void hostile_lines(void **state)
{
	static const char *const units[] = {"{", "[", "{\"a", "{\"a\":", "{\"id\":{\"id\"", "}", "{}", "{ ", "\"", "\\\"",
		"{\"a\":1}", "{\"a\":1},", "x{\"a\":1}", "{\"a\":\"b{\"a\"", ",", "   {\"", "{\"a\":1}]", "\0"};
	struct archive_fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		CLEANUP(buf_finish) struct buf line = {.size_max = (size_t)4 * 1024 * 1024};
		size_t unit = units[i][0] ? strlen(units[i]) : 1;
		while (line.size < 300000)
			buf_append(&line, units[i], unit);
		for (int good = 0; good < 2; good++) {
			struct salvage_sums sums = salvage_check(fixture->plan, buf_span(&line));
			assert_in_range(sums.rubbish, 0, ARCHIVE_SALVAGE_RUBBISH_MAX + 1);
			buf_append_text(&line, "\x01\x01");
			buf_append_text(&line, event_text(1).text);
		}
	}
}

/* With much rubbish in pieces of their own, later records are found still. */
static void records_behind_much_rubbish(void **state)
{
	struct archive_fixture *fixture = *state;
	CLEANUP(buf_finish) struct buf line = {.size_max = (size_t)4 * 1024 * 1024};
	for (int i = 0; i < 1000; i++) {
		buf_append_text(&line, "{\"id\":\"cut{\"a\":1}{\"b\":2}");
		if (i % 10 == 0)
			buf_append_text(&line, event_text(i).text);
	}
	struct salvage_sums sums = salvage_check(fixture->plan, buf_span(&line));
	assert_int_equal(sums.records, 100);
	assert_in_range(sums.rubbish, 100, 200);
}

static void an_event_deeper_than_the_scanner_goes(void **state)
{
	CLEANUP(buf_finish) struct buf line = {.size_max = 100000};
	for (int depth = 60; depth <= 2000; depth = depth * 2) {
		buf_clear(&line);
		buf_append_text(&line, "{\"id\":\"1\",\"x\":");
		for (int i = 0; i < depth; i++)
			buf_append_text(&line, "[");
		buf_append_text(&line, event_text(1).text);
		for (int i = 0; i < depth; i++)
			buf_append_text(&line, "]");
		buf_append_text(&line, "}");
		buf_append_text(&line, event_text(2).text);
		check_parts(state, buf_span(&line), depth < 1000 ? "SR" : "JR");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_objects_on_a_line),
		cmocka_unit_test(nul_bytes_between_records),
		cmocka_unit_test(glued_at_every_byte),
		cmocka_unit_test(nothing_nested_is_an_event),
		cmocka_unit_test(nothing_nested_is_an_event_after_damage),
		cmocka_unit_test(behind_damage_it_must_look_like_an_event),
		cmocka_unit_test(cut_and_glued_as_published),
		cmocka_unit_test(hostile_lines),
		cmocka_unit_test(records_behind_much_rubbish),
		cmocka_unit_test(an_event_deeper_than_the_scanner_goes),
	};
	return cmocka_run_group_tests(tests, archive_set_up, archive_tear_down);
}
