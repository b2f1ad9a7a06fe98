/* SPDX-License-Identifier: Apache-2.0 */
/* scan_oracle_test.c - the scanner beside a full JSON parser, on recorded events, on samples of
 * ours with every byte changed in turn. Each failure prints its input. */
#include "tests/support/check.h"

#include "tests/fuzz/scan_oracle.c"

#include "base/file.h"

#include <zlib.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

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

static void check_agreement(struct oracle *oracle, struct span json)
{
	if (!oracle_agrees(oracle, json))
		fail_msg("%s\n%.*s", oracle->complaint, (int)json.size, json.data);
}

/* ---- recorded events ---- */

struct tally {
	struct oracle *oracle;
	size_t accepted;
	size_t refused[SCAN_BAD_VALUE + 1];
};

static void count_event(struct tally *tally, struct span json)
{
	check_agreement(tally->oracle, json);
	if (tally->oracle->accepted)
		tally->accepted++;
	else
		tally->refused[tally->oracle->problem.reason]++;
}

/* Every element of a page; the parser must see the same ones. */
static void count_page(struct tally *tally, struct span page)
{
	json_t *document = json_loadb(page.data, page.size, JSON_ALLOW_NUL, NULL);
	assert_true(json_is_array(document));
	struct scan_array array;
	scan_array_init(&array, page);
	struct span element;
	bool ended = false;
	for (size_t i = 0;; i++) {
		struct scan_problem problem;
		assert_true(scan_array_next(&array, &element, &ended, &problem));
		if (ended) {
			assert_int_equal(i, json_array_size(document));
			break;
		}
		assert_true(same_json_text(element, json_array_get(document, i)));
		count_event(tally, element);
	}
	json_decref(document);
}

static void for_each_line(
	struct tally *tally, struct span text, void (*visit)(struct tally *, struct span))
{
	struct span line;
	while (span_split(text, '\n', &line, &text))
		if (line.size > 0)
			visit(tally, line);
	if (text.size > 0)
		visit(tally, text);
}

static void count_exchange(struct tally *tally, struct span line)
{
	json_t *exchange = json_loadb(line.data, line.size, 0, NULL);
	assert_true(json_is_object(exchange));
	struct span body = oracle_text(json_object_get(exchange, "body"));
	if (body.size > 0 && body.data[0] == '[')
		count_page(tally, body);
	else
		count_event(tally, body);
	json_decref(exchange);
}

/* Without the id that the Timeline did not send, and with one. */
static void count_timeline_event(struct tally *tally, struct span line)
{
	count_event(tally, line);
	CLEANUP(buf_finish) struct buf with_id = {0};
	buf_init(&with_id, line.size + 100);
	buf_append_text(&with_id, "{\"id\":1,");
	buf_append(&with_id, line.data + 1, line.size - 1);
	count_event(tally, buf_span(&with_id));
}

static void read_file(const char *name, struct buf *content)
{
	struct check_path path = real_data_path_or_skip(name);
	struct err err = {0};
	buf_init(content, FILE_BYTES_MAX);
	if (!file_read(path.text, content, &err))
		fail_msg("%s", err.text);
}

static void read_gzip(const char *name, struct buf *content)
{
	struct check_path path = real_data_path_or_skip(name);
	gzFile file = gzopen(path.text, "rb");
	assert_non_null(file);
	buf_init(content, FILE_BYTES_MAX);
	for (;;) {
		char chunk[65536];
		int size = gzread(file, chunk, sizeof(chunk));
		assert_true(size >= 0);
		if (size == 0)
			break;
		buf_append(content, chunk, (size_t)size);
	}
	assert_int_equal(gzclose(file), Z_OK);
	assert_false(content->failed);
}

static void whole_hours_of_the_full_era(void **state)
{
	struct tally tally = {.oracle = *state};
	CLEANUP(buf_finish) struct buf content = {0};
	read_gzip("gharchive-hours/2015-01-01-1.json.gz", &content);
	for_each_line(&tally, buf_span(&content), count_event);
	assert_int_equal(tally.accepted, 7427);
	buf_finish(&content);
	read_file("gharchive-hours/2021-07-21-6to9.200-each.json", &content);
	for_each_line(&tally, buf_span(&content), count_event);
	assert_int_equal(tally.accepted, 7427 + 800);
	buf_finish(&content);
	read_file("gharchive-hours/2016-07-07-0.head2000.rebuilt.jsonl", &content);
	for_each_line(&tally, buf_span(&content), count_event);
	assert_int_equal(tally.accepted, 7427 + 800 + 2000);
}

static void a_whole_hour_of_the_timeline_era(void **state)
{
	struct tally tally = {.oracle = *state};
	CLEANUP(buf_finish) struct buf content = {0};
	read_gzip("gharchive-hours/2012-06-14-15.json.gz", &content);
	for_each_line(&tally, buf_span(&content), count_timeline_event);
	assert_int_equal(tally.accepted, 2 * 5313);
}

static void recorded_pages_and_exchanges(void **state)
{
	static const struct {
		const char *name;
		size_t events;
	} exchanges[] = {
		{"http/pygithub-2020-public-events.jsonl", 30},
		{"http/octokit-rb-2013-events.jsonl", 188},
		{"http/github3py-2017-user-and-public.jsonl", 344},
		{"http/hub4j-2019-public-events-10pages.jsonl", 281},
		{"http/pygithub-errors.jsonl", 1}, /* a user has id, type and created_at too */
		{"http/hub4j-limits.jsonl", 0},
		{"http/octokit-fixtures-2022-redirect-404-422-paging.jsonl", 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(exchanges); i++) {
		struct tally tally = {.oracle = *state};
		CLEANUP(buf_finish) struct buf content = {0};
		read_file(exchanges[i].name, &content);
		for_each_line(&tally, buf_span(&content), count_exchange);
		assert_int_equal(tally.accepted, exchanges[i].events);
	}
	static const struct {
		const char *name;
		size_t events;
	} pages[] = {
		{"api-bodies/events-2013-01-10.json", 30},
		{"api-bodies/events-2014-08-05.json", 30},
		{"trimmed/user-V1KHYAT-2026-07.json", 30},
		{"octokit-webhooks-examples/events-api-kinds.json", 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
		struct tally tally = {.oracle = *state};
		CLEANUP(buf_finish) struct buf content = {0};
		read_file(pages[i].name, &content);
		count_page(&tally, buf_span(&content));
		assert_int_equal(tally.accepted, pages[i].events);
	}
}

static bool count_poll(void *context, const char *relative_path, struct err *err)
{
	(void)err;
	struct span name = span_of(relative_path);
	if (!span_ends_with(name, ".json"))
		return true;
	char below[FILE_PATH_BYTES_MAX];
	(void)snprintf(below, sizeof(below), "trimmed/series-azaidrahman/%s", relative_path);
	CLEANUP(buf_finish) struct buf content = {0};
	read_file(below, &content);
	count_page(context, buf_span(&content));
	return true;
}

static void recorded_events_of_the_thin_era(void **state)
{
	struct tally tally = {.oracle = *state};
	struct check_path folder = real_data_path_or_skip("trimmed/series-azaidrahman");
	struct err err = {0};
	assert_true(file_walk(folder.text, count_poll, &tally, &err));
	assert_int_equal(tally.accepted, 15451);
	CLEANUP(buf_finish) struct buf content = {0};
	read_file("trimmed/gharchive-2026-08-12-14.four-examples.jsonl", &content);
	for_each_line(&tally, buf_span(&content), count_event);
	assert_int_equal(tally.accepted, 15451 + 4);
}

static void pretty_printed_events(void **state)
{
	static const char *const names[] = {
		"api-bodies/gharchive-2024-05-21-0.one-push.json",
		"trimmed/gharchive-2025-12-15-0.one-push.json",
	};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct tally tally = {.oracle = *state};
		CLEANUP(buf_finish) struct buf content = {0};
		read_file(names[i], &content);
		count_event(&tally, buf_span(&content));
		assert_int_equal(tally.accepted, 1);
	}
}

/* ---- mutations ---- */

static const char *const samples[] = {
	"{\"id\":\"1\",\"type\":\"PullRequestEvent\",\"created_at\":\"2026-01-01T00:00:00Z\","
	"\"actor\":{\"id\":2,\"login\":"
	"\"a[bot]\"},\"repo\":{\"id\":3,\"name\":\"o/"
	"r\"},\"org\":{\"id\":4,\"login\":\"o\"},\"payload\":{\"action\":\"merged\","
	"\"number\":5,\"pull_request\":{\"id\":6,\"number\":5,\"state\":\"open\",\"head\":{"
	"\"repo\":{\"language\":\"C\"}}}}}",
	"{\"type\":\"IssuesEvent\",\"payload\":{\"issue\":{\"number\":7,\"title\":"
	"\"t\\u00e9\\ud83d\\ude00\\n\",\"labels\":[{\"a\":"
	"1.5e3},[]],\"comments\":0,\"state\":\"closed\"},\"action\":\"closed\"},\"public\":true,"
	"\"id\":8,\"created_at\":"
	"\"2020-02-29T12:00:00+02:00\"}",
	"{\"created_at\":\"2012/06/14 15:00:00 "
	"-0700\",\"actor\":\"m\",\"id\":9,\"repository\":{\"owner\":\"o\",\"name\":\"n\","
	"\"organization\":\"g\",\"id\":1},\"actor_attributes\":{\"login\":\"m\"},\"type\":"
	"\"PushEvent\",\"payload\":{\"size\":-0,"
	"\"shas\":[[\"a\",null,false]]}}",
	"{\"id\":\"10\",\"id\":\"11\",\"type\":\"PushEvent\",\"created_at\":\"2025-12-01T00:00:"
	"00Z\",\"payload\":{\"ref_type\":\"x\","
	"\"ref\":\"r\"},\"p\\u0061yload\":{\"commits\":[],\"ref\":\"s\"},\"actor\":null,\"repo\":{}"
	",\"x\":\"\\\\\\\"\\/\"}",
	" { \"id\" : 12 ,\n\"type\" : \"A\" ,\t\"created_at\" : \"2019-01-01T00:00:00Z\" , \"x\" : "
	"{ \"y\" : -1.25E-2 } ,"
	" \"payload\" : { \"x\" : true , \"discussion\" : { \"number\" : 13 } } , \"actor\" : { "
	"\"login\" : \"\xc3\xa9\" } }\r\n",
};

static const char replacements[] =
	"\"\\{}[],:0 9-+.eEutn\n\x00\x1f\x7f\x80\xbf\xc3\xe0\xed\xf4\xff";

static void check_changed(
	struct oracle *oracle, struct span json, size_t at, size_t replacement_step)
{
	char *changed = malloc(json.size + 1);
	memcpy(changed, json.data, json.size);
	for (size_t i = at % replacement_step; i < sizeof(replacements) - 1;
		i += replacement_step) {
		changed[at] = replacements[i];
		check_agreement(oracle, (struct span){changed, json.size});
	}
	memcpy(changed + at, json.data + at + 1, json.size - at - 1);
	check_agreement(oracle, (struct span){changed, json.size - 1});
	memcpy(changed, json.data, at + 1);
	memcpy(changed + at + 1, json.data + at, json.size - at);
	check_agreement(oracle, (struct span){changed, json.size + 1});
	free(changed);
}

static void every_byte_of_the_samples_changed(void **state)
{
	struct oracle *oracle = *state;
	for (size_t i = 0; i < ARRAY_COUNT(samples); i++) {
		struct span json = span_of(samples[i]);
		check_agreement(oracle, json);
		if (!oracle->accepted)
			fail_msg("sample %zu: %s", i, oracle->problem.detail);
		for (size_t at = 0; at < json.size; at++)
			check_changed(oracle, json, at, 1);
	}
}

static void every_prefix_of_the_samples(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(samples); i++)
		for (size_t size = 0; size < strlen(samples[i]); size++)
			check_agreement(*state, (struct span){samples[i], size});
}

struct mutation {
	struct oracle *oracle;
	size_t lines;
	size_t changed;
};

/* Small events byte by byte; of large ones about 100 places. */
static void change_event(struct mutation *mutation, struct span line)
{
	size_t step = line.size > 1500 ? line.size / 100 : 1;
	for (size_t at = mutation->lines % step; at < line.size; at += step)
		check_changed(mutation->oracle, line, at, 13);
	mutation->changed++;
}

static void recorded_events_changed(void **state)
{
	static const char *const names[] = {
		"gharchive-hours/2021-07-21-6to9.200-each.json",
		"trimmed/gharchive-2026-08-12-14.four-examples.jsonl",
	};
	struct mutation mutation = {.oracle = *state};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		CLEANUP(buf_finish) struct buf content = {0};
		read_file(names[i], &content);
		struct span text = buf_span(&content);
		struct span line;
		while (span_split(text, '\n', &line, &text))
			if (mutation.lines++ % 17 == 0 || i > 0)
				change_event(&mutation, line);
	}
	assert_true(mutation.changed >= 50);
}

int main(void)
{
#define ORACLE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		ORACLE_TEST(every_byte_of_the_samples_changed),
		ORACLE_TEST(every_prefix_of_the_samples),
		ORACLE_TEST(whole_hours_of_the_full_era),
		ORACLE_TEST(a_whole_hour_of_the_timeline_era),
		ORACLE_TEST(recorded_pages_and_exchanges),
		ORACLE_TEST(recorded_events_of_the_thin_era),
		ORACLE_TEST(pretty_printed_events),
		ORACLE_TEST(recorded_events_changed),
	};
	return cmocka_run_group_tests_name("scan_oracle", tests, NULL, NULL);
}
