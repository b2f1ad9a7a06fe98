/* SPDX-License-Identifier: Apache-2.0 */
/* scan_variant_test.c - all variants of the scanner over the same inputs, and beside a full JSON parser on
 * the generator's events with single bytes changed.
 *
 * OCTOLAKE_SCAN_MUTATIONS=N: all 255 changes of every byte of N generated events, instead of a few changes
 * of every byte of a few events. Each failure prints its input. */
#include "tests/support/check.h"

#include "tests/fuzz/scan_oracle.c"
#include "tests/fuzz/scan_variants.c"

#include "base/file.h"
#include "fake_github/synthetic_event.h"

enum {
	FILE_BYTES_MAX = 256 * 1024 * 1024,
	GENERATED_EVENTS = 400,
	GENERATED_BYTES_MAX = 16 * 1024 * 1024,
	FEW_EVENTS = 6,
};

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

static void check_variants(struct oracle *oracle, struct span json)
{
	const char *difference = variants_differ(oracle->plan, json);
	if (difference)
		fail_msg("%s\n%.*s", difference, (int)json.size, json.data);
}

static bool portable_accepts(struct oracle *oracle, struct span json)
{
	static struct scan_slot slots[SCAN_NODE_COUNT_MAX];
	struct scan_problem problem;
	assert_true(scan_plan_set_variant(oracle->plan, SCAN_PORTABLE));
	bool accepted = scan_walk(oracle->plan, json, slots, &problem);
	assert_true(scan_plan_set_variant(oracle->plan, scan_variant_best()));
	return accepted;
}

/* The generator's events, a line each. */
static void generate(struct buf *out, size_t event_count)
{
	buf_init(out, GENERATED_BYTES_MAX);
	struct world *world = world_create(&(struct world_shape){
		.seed = 4, .repositories = WORLD_REPOSITORIES, .people = WORLD_PEOPLE});
	struct world_random random = {4};
	struct event_sequences sequences = {12000000000, 6000000000};
	for (size_t i = 0; i < event_count; i++) {
		struct event_plan plan = event_plan_next(
			world, &sequences, &random, INT64_C(1790000000000000) + (int64_t)i * 1000000);
		event_render(world, &plan, out);
		buf_append_byte(out, '\n');
	}
	world_destroy(&world);
	assert_false(out->failed);
}

/* ---- the same in all variants ---- */

/* What stands between `{"p":"…",` and `}`: each is moved through all places of a block. */
static const char *const members[] = {
	"\"id\":\"1\",\"type\":\"A\",\"payload\":{\"x\":true,\"pull_request\":{\"title\":\"a\\\"b\"}}",
	"\"x\":[],\"y\":{},\"payload\":[{},[],[[1,2],{\"a\":[null]}],\"s\",-1.5e+3,0,0.5,10]",
	"\"x\":{\"y\":123456789012345678},\"actor\":{\"id\":12345678,\"login\":\"\"}",
	"\"id\":1,\"id\":2,\"payload\":{\"commits\":[1,{\"a\":2}],\"x\":1},\"payload\":{\"x\":\"z\"}",
	"\"\\u0069d\":\"\\\\\",\"ty\\u0070e\":\"\\ud83d\\ude00\\ud83d\\ude00\",\"a\\\\\":\"\\\\\\\"\"",
	"\"q\\\"id\":7,\"q\\\\\\\"type\":8,\"\\\"x\":9",
	"\"\":false,\"a\":true,\"b\":null,\"c\":falsy",
	"\"a\":truE,\"b\":1", "\"a\":true1", "\"a\":1true", "\"a\":01", "\"a\":-01", "\"a\":-", "\"a\":1.",
	"\"a\":1e", "\"a\":nullnull", "\"a\":1 ", "\"a\":\"\\x\"", "\"a\":\"\\ud83d\"", "\"a\":\"\\ude00\"",
	"\"a\":\"\x01\"", "\"a\":\"\xc3\"", "\"a\":\"\xc3\xa9\"", "\"a\":[1,]", "\"a\":[,1]", "\"a\":[1 2]",
	"\"a\":{,}", "\"a\":{\"b\"}", "\"a\":{\"b\":}", "\"a\":{\"b\":1,}", "\"a\":{1:2}", "\"a\":{[]:2}",
	"\"a\":[\"b\":1]", "\"a\"\"b\":1", "\"a\":\"b\"\"c\"", "\"a\":1\"b\"", "\"a\":{}{}", "\"a\":[}",
	"\"a\":{]", "\"a\"::1", "\"a\":1:2", "\"a\":1,,\"b\":1", "\"a\":\\\"b\"", "\"a\":1}", "\"a\":1}}",
	"\"a\":1},{\"b\":1", "\"a\":[[1]],\"b\":[{\"c\":[]}],\"d\":[[],[]]", "\"a\":\"{[:,]}\\\\\",\"b\":\"\\\"\"",
	"\"a\":[1,\"b\",\"c\",{\"d\":\"e\"},\"f\"]", "\"a\":\"\\\\\\\\\\\\\\\\\\\\\\\\\",\"b\":1", "\"a\":tru",
	"\"a\":\"b", "\"a", "\"a\":\"\\", "\"a\":[", "a:1", "\"a\" :1", "\"a\": 1", "\"a\":1 ,\"b\":2",
};

static void all_places_in_a_block(void **state)
{
	char text[1024];
	for (size_t i = 0; i < ARRAY_COUNT(members); i++)
		for (int size = 0; size <= 130; size++) {
			int written = snprintf(text, sizeof(text), "{\"p\":\"%.*s\",%s}", size,
				"------------------------------------------------------------------------"
				"------------------------------------------------------------------------",
				members[i]);
			assert_in_range(written, 1, sizeof(text) - 1);
			check_variants(*state, (struct span){text, (size_t)written});
			if (!oracle_agrees(*state, (struct span){text, (size_t)written}))
				fail_msg("%s\n%s", ((struct oracle *)*state)->complaint, text);
		}
}

static void rows_of_backslashes(void **state)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024);
	for (size_t before = 0; before < 66; before++)
		for (size_t count = 0; count < 140; count++) {
			buf_clear(&text);
			buf_append_text(&text, "{\"x\":\"");
			for (size_t i = 0; i < before; i++)
				buf_append_byte(&text, '-');
			for (size_t i = 0; i < count; i++)
				buf_append_byte(&text, '\\');
			buf_append_text(&text, "\",\"id\":\"7\"}");
			check_variants(*state, buf_span(&text));
		}
}

static void levels_up_to_the_limit(void **state)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 4096);
	for (size_t levels = 60; levels < 70; levels++)
		for (size_t kind = 0; kind < 3; kind++) {
			buf_clear(&text);
			buf_append_text(&text, "{\"payload\":");
			for (size_t i = 1; i < levels; i++)
				buf_append_text(&text, kind == 0 || (kind == 2 && i % 2) ? "[" : "{\"x\":");
			buf_append_text(&text, "1");
			for (size_t i = levels - 1; i > 0; i--)
				buf_append_byte(&text, kind == 0 || (kind == 2 && i % 2) ? ']' : '}');
			buf_append_byte(&text, '}');
			check_variants(*state, buf_span(&text));
			assert_int_equal(portable_accepts(*state, buf_span(&text)), levels <= SCAN_DEPTH_MAX);
		}
}

static void every_prefix_of_generated_events(void **state)
{
	CLEANUP(buf_finish) struct buf text = {0};
	generate(&text, 12);
	struct span rest = buf_span(&text);
	struct span line;
	while (span_split(rest, '\n', &line, &rest))
		for (size_t size = 0; size <= line.size; size++)
			check_variants(*state, (struct span){line.data, size});
}

static void check_lines(struct oracle *oracle, const char *name)
{
	struct check_path path = real_data_path_or_skip(name);
	CLEANUP(buf_finish) struct buf text = {0};
	struct err err = {0};
	buf_init(&text, FILE_BYTES_MAX);
	if (!file_read(path.text, &text, &err))
		fail_msg("%s", err.text);
	struct span rest = buf_span(&text);
	struct span line;
	while (span_split(rest, '\n', &line, &rest))
		check_variants(oracle, line);
}

static void recorded_events(void **state)
{
	check_lines(*state, "gharchive-hours/2021-07-21-6to9.200-each.json");
	check_lines(*state, "gharchive-hours/2016-07-07-0.head2000.rebuilt.jsonl");
	check_lines(*state, "trimmed/gharchive-2026-08-12-14.four-examples.jsonl");
}

/* "No" of scan_walk_blocks would be right, only slow: in these two it must be "yes". */
static void escapes_and_fractions_are_read_by_blocks(void **state)
{
	static const char json[] = "{\"id\":1,\"\\u0078\":\"\\ud83d\\ude00\\ud83d\\ude00\\u00e9\\n\\r\\t\\b\\f\\/\\\\\\\"\","
				   "\"y\":[-1,0,0.5,1e9,-0,12345678901234567890,true,false,null,{},[]]}";
	struct oracle *oracle = *state;
	static struct scan_slot slots[SCAN_NODE_COUNT_MAX];
	for (enum scan_variant variant = SCAN_SSE2; variant <= scan_variant_best(); variant++) {
		memset(slots, 0, oracle->plan->node_count * sizeof(slots[0]));
		assert_true(scan_walk_blocks(oracle->plan, span_of(json), slots, scan_mask_of(variant)));
	}
}

static void usual_events_are_read_by_blocks(void **state)
{
	struct oracle *oracle = *state;
	static struct scan_slot slots[SCAN_NODE_COUNT_MAX];
	CLEANUP(buf_finish) struct buf text = {0};
	generate(&text, GENERATED_EVENTS);
	for (enum scan_variant variant = SCAN_SSE2; variant <= scan_variant_best(); variant++) {
		scan_mask_function mask = scan_mask_of(variant);
		assert_non_null(mask);
		struct span rest = buf_span(&text);
		struct span line;
		while (span_split(rest, '\n', &line, &rest)) {
			memset(slots, 0, oracle->plan->node_count * sizeof(slots[0]));
			if (!scan_walk_blocks(oracle->plan, line, slots, mask))
				fail_msg("%s: %.*s", scan_variant_name(variant), (int)line.size, line.data);
		}
	}
}

/* ---- the generator's events with one byte changed ---- */

static void check_changed(struct oracle *oracle, struct span json)
{
	check_variants(oracle, json);
	if (!oracle_agrees(oracle, json))
		fail_msg("%s\n%.*s", oracle->complaint, (int)json.size, json.data);
}

static void change_bytes(struct oracle *oracle, struct span line, size_t number, bool all)
{
	static const unsigned char usual[] = "\"\\{}[],:0 9-+.eutn\n\x1f\x80\xbf\xc3\xe2\xf0";
	char *changed = malloc(line.size);
	assert_non_null(changed);
	memcpy(changed, line.data, line.size);
	for (size_t at = 0; at < line.size; at++) {
		if (all) {
			for (unsigned change = 1; change < 256; change++) {
				changed[at] = (char)((unsigned char)line.data[at] ^ change);
				check_changed(oracle, (struct span){changed, line.size});
			}
		} else {
			/* Three of them each time, others at the next byte and in the next event. */
			for (size_t i = 0; i < 3; i++) {
				size_t index = (7 * at + 5 * number + 8 * i) % (sizeof(usual) - 1);
				changed[at] = (char)usual[index];
				check_changed(oracle, (struct span){changed, line.size});
			}
		}
		changed[at] = line.data[at];
	}
	free(changed);
}

static void generated_events_with_a_byte_changed(void **state)
{
	const char *wish = getenv("OCTOLAKE_SCAN_MUTATIONS");
	size_t event_count = wish ? strtoul(wish, NULL, 10) : FEW_EVENTS;
	CLEANUP(buf_finish) struct buf text = {0};
	generate(&text, event_count);
	struct span rest = buf_span(&text);
	struct span line;
	for (size_t number = 0; span_split(rest, '\n', &line, &rest); number++)
		change_bytes(*state, line, number, wish != NULL);
}

int main(void)
{
#define VARIANT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		VARIANT_TEST(all_places_in_a_block),
		VARIANT_TEST(rows_of_backslashes),
		VARIANT_TEST(levels_up_to_the_limit),
		VARIANT_TEST(every_prefix_of_generated_events),
		VARIANT_TEST(escapes_and_fractions_are_read_by_blocks),
		VARIANT_TEST(usual_events_are_read_by_blocks),
		VARIANT_TEST(recorded_events),
		VARIANT_TEST(generated_events_with_a_byte_changed),
	};
	return cmocka_run_group_tests_name("scan_variant", tests, NULL, NULL);
}
