/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/file.h"
#include "fake_github/feed.h"
#include "fake_github/keyset.h"

#include <stdio.h>
#include <string.h>

/* Odd blanks and escapes on purpose: they must come back as they are. */
#define EVENT_A                                                                                    \
	"{ \"id\":\"7\" , \"type\":\"WatchEvent\",\"repo\":{\"id\":1},\"x\":\"\\u0041/\\/\","      \
	"\"created_at\":\"2026-01-02T03:04:05Z\"}"
#define EVENT_B                                                                                    \
	"{\"id\":\"8\",\"type\":\"PushEvent\",\"repo\":{\"id\":2},\"created_at\":\"2026-01-02T03:04:06Z\"}"

static struct check_path folder;

static int make_folder(void **state)
{
	(void)state;
	folder = temporary_folder_create();
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	temporary_folder_remove(&folder);
	return 0;
}

static void write_text(const char *name, const char *text)
{
	struct err err = {0};
	struct check_path path = path_below(&folder, name);
	assert_true(file_write(path.text, span_of(text), &err));
}

static struct feed *open_feed(const char *path)
{
	struct feed *feed = NULL;
	struct err err = {0};
	if (!feed_replay_open(path, &feed, &err))
		fail_msg("%s", err.text);
	return feed;
}


static void ask(struct feed *feed, const char *path, const char *query, const char *tag,
		struct feed_page *page)
{
	struct stream stream;
	assert_true(stream_parse(span_of(path), &stream));
	struct feed_question question = {
		.stream = &stream,
		.paging = paging_parse(span_of(query)),
		.if_none_match = span_of(tag),
	};
	feed_page_init(page);
	feed->operations->read_page(feed, &question, page);
}

static void bytes_are_served_unchanged(void **state)
{
	(void)state;
	write_text("page.json", "[\n  " EVENT_A " ,\n\n" EVENT_B "\n]\n");
	struct feed *feed = open_feed(path_below(&folder, "page.json").text);
	struct feed_page page;
	ask(feed, "/events", "", NULL, &page);
	assert_string_equal(page.body.data, "[" EVENT_A "," EVENT_B "]");
	assert_int_equal(page.key_count, 2);
	assert_string_equal(page.keys[0].id, "7");
	assert_string_equal(page.keys[1].type, "PushEvent");
	assert_int_equal(page.keys[1].repo_id, 2);
	assert_int_equal(page.window_count, 2);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void position_moves_with_the_tag_of_page_one_only(void **state)
{
	(void)state;
	struct check_path polls = path_below(&folder, "polls");
	write_text("polls/1.json", "[" EVENT_A "," EVENT_B "]");
	write_text("polls/2.json", "[" EVENT_A "," EVENT_B "]"); /* the same bytes, another state */
	write_text("polls/3.json", "[]");
	write_text("polls/readme.txt", "not a state");
	struct feed *feed = open_feed(polls.text);
	struct feed_page first;
	struct feed_page page;
	ask(feed, "/events", "per_page=1", NULL, &first);
	assert_false(first.not_modified);

	/* Asked again without the tag, and on page 2 with or without tags: still the first state.
	 */
	ask(feed, "/events", "per_page=1", NULL, &page);
	assert_string_equal(page.etag.text, first.etag.text);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=1&page=2", first.etag.text, &page);
	assert_false(page.not_modified);
	struct etag second_page = page.etag;
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=1&page=2", second_page.text, &page);
	assert_true(page.not_modified);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=1", second_page.text, &page);
	assert_string_equal(page.etag.text, first.etag.text);
	feed_page_finish(&page);

	/* Another stream has a position of its own. */
	ask(feed, "/orgs/o/events", "per_page=1", first.etag.text, &page);
	assert_false(page.not_modified);
	feed_page_finish(&page);

	ask(feed, "/events", "per_page=1", first.etag.text, &page);
	assert_false(page.not_modified);
	assert_string_not_equal(page.etag.text, first.etag.text);
	assert_string_equal(page.body.data, first.body.data);
	struct etag second = page.etag;
	feed_page_finish(&page);
	/* A client that was killed and still has the old tag sees the second state again. */
	ask(feed, "/events", "per_page=1", first.etag.text, &page);
	assert_string_equal(page.etag.text, second.text);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=1", second.text, &page);
	assert_string_equal(page.body.data, "[]");
	struct etag last = page.etag;
	feed_page_finish(&page);
	for (int i = 0; i < 3; i++) {
		ask(feed, "/events", "per_page=1", last.text, &page);
		assert_true(page.not_modified);
		feed_page_finish(&page);
	}
	feed_page_finish(&first);
	feed_destroy(&feed);
}

static void peeking_does_not_move(void **state)
{
	(void)state;
	write_text("peek/1.json", "[" EVENT_A "]");
	write_text("peek/2.json", "[" EVENT_B "]");
	struct feed *feed = open_feed(path_below(&folder, "peek").text);
	struct stream stream;
	assert_true(stream_parse(span_of("/events"), &stream));
	struct feed_page page;
	ask(feed, "/events", "", NULL, &page);
	struct etag tag = page.etag;
	feed_page_finish(&page);
	struct feed_question question = {
		.stream = &stream,
		.paging = paging_parse((struct span){0}),
		.if_none_match = span_of(tag.text),
		.peek = true,
	};
	feed_page_init(&page);
	feed->operations->read_page(feed, &question, &page);
	assert_true(page.not_modified);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void exchanges_that_are_no_event_pages_are_left_out(void **state)
{
	(void)state;
	write_text(
		"x.jsonl",
		"{\"status\":200,\"body\":\"[{\\\"id\\\":1,\\\"title\\\":\\\"an issue\\\"}]\"}\n"
		"{\"status\":304,\"body\":\"\"}\n"
		"\n"
		"{\"status\":200,\"body\":\"{}\"}\n"
		"{\"status\":403,\"body\":\"[]\"}\n"
		"{\"status\":200,\"body\":\"[ {\\\"id\\\":\\\"9\\\",\\\"type\\\":\\\"ForkEvent\\\","
		"\\\"created_at\\\":\\\"2026-01-01T00:00:00Z\\\"} ]\"}\n"
		"{\"status\":200,\"body\":\"[]\"}\n");
	struct feed *feed = open_feed(path_below(&folder, "x.jsonl").text);
	struct feed_page page;
	ask(feed, "/events", "", NULL, &page);
	assert_int_equal(page.key_count, 1);
	assert_string_equal(page.keys[0].type, "ForkEvent");
	assert_false(page.keys[0].has_repo_id);
	struct etag tag = page.etag;
	feed_page_finish(&page);
	ask(feed, "/events", "", tag.text, &page);
	assert_string_equal(page.body.data, "[]");
	assert_false(page.not_modified);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void bad_recordings_are_told(void **state)
{
	(void)state;
	struct feed *feed = NULL;
	struct err err = {0};
	write_text("broken/1.json", "[" EVENT_A);
	write_text("none.jsonl", "{\"status\":500,\"body\":\"\"}\n");
	write_text("cut.jsonl", "{\"status\":200");
	static const char *const names[] = {"broken", "broken/1.json", "none.jsonl", "cut.jsonl",
					    "missing", "missing.json"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		assert_false(feed_replay_open(path_below(&folder, names[i]).text, &feed, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_null(feed);
	}
}

static void spoiled_elements_are_known(void **state)
{
	(void)state;
	assert_false(event_key_read(span_of(EVENT_A)).spoiled);
	static const char *const spoiled[] = {
		"42",
		"null",
		"{}",
		"{\"type\":\"PushEvent\",\"created_at\":\"2026-01-02T03:04:05Z\"}",
		"{\"id\":\"x\",\"type\":\"PushEvent\",\"created_at\":\"2026-01-02T03:04:05Z\"}",
		"{\"id\":\"1\",\"type\":\"PushEvent\",\"created_at\":\"yesterday\"}",
		"{\"id\":\"1\",\"type\":\"\xff\",\"created_at\":\"2026-01-02T03:04:05Z\"}",
	};
	for (size_t i = 0; i < ARRAY_COUNT(spoiled); i++)
		assert_true(event_key_read(span_of(spoiled[i])).spoiled);
}

/* Walks every state as a client does and counts what it was shown. */
static void check_recording(const char *name, size_t shown_wanted, size_t unique_wanted)
{
	struct check_path path = real_data_path_or_skip(name);
	struct feed *feed = open_feed(path.text);
	struct keyset keys;
	keyset_init(&keys);
	struct etag tag = {""};
	size_t shown = 0;
	for (bool more = true; more;) {
		struct feed_page page;
		for (int number = 1; number <= 3; number++) {
			char query[64];
			(void)snprintf(query, sizeof(query), "per_page=100&page=%d", number);
			ask(feed, "/events", query, number == 1 ? tag.text : NULL, &page);
			if (number == 1)
				tag = page.etag;
			more = number > 1 || !page.not_modified;
			for (size_t i = 0; more && i < page.key_count; i++, shown++)
				keyset_add(&keys, &page.keys[i]);
			feed_page_finish(&page);
			if (!more)
				break;
		}
	}
	assert_int_equal(shown, shown_wanted);
	assert_int_equal(keyset_storable_count(&keys), unique_wanted);
	assert_int_equal(keys.spoiled_count, 0);
	keyset_finish(&keys);
	feed_destroy(&feed);
}

static void recorded_pages_of_2019(void **state)
{
	(void)state;
	check_recording("http/hub4j-2019-public-events-10pages.jsonl", 281, 155);
}

static void recorded_series_of_2026(void **state)
{
	(void)state;
	check_recording("trimmed/series-azaidrahman", 15451, 647);
}

static void recordings_of_2017(void **state)
{
	(void)state;
	check_recording("http/github3py-2017-user-and-public.jsonl", 344, 344);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_served_unchanged),
		cmocka_unit_test(position_moves_with_the_tag_of_page_one_only),
		cmocka_unit_test(peeking_does_not_move),
		cmocka_unit_test(exchanges_that_are_no_event_pages_are_left_out),
		cmocka_unit_test(bad_recordings_are_told),
		cmocka_unit_test(spoiled_elements_are_known),
		cmocka_unit_test(recorded_pages_of_2019),
		cmocka_unit_test(recorded_series_of_2026),
		cmocka_unit_test(recordings_of_2017),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
