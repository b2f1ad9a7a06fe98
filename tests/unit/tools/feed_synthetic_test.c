/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "fake_github/feed.h"
#include "fake_github/synthetic_event.h"

#include <jansson.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

enum { SECOND_US = 1000000 };

static const int64_t start_us = 1780000000LL * SECOND_US;

static struct feed *make_feed(uint64_t seed, double rate, uint64_t backlog, uint64_t stop_after)
{
	return feed_synthetic_create(&(struct synthetic_options){
		.seed = seed,
		.events_per_second = rate,
		.backlog_events = backlog,
		.stop_after = stop_after,
		.start_us = start_us,
	});
}

static void ask(struct feed *feed, const char *path, const char *query, const char *tag,
		int64_t now_us, struct feed_page *page)
{
	struct stream stream;
	assert_true(stream_parse(span_of(path), &stream));
	struct feed_question question = {
		.stream = &stream,
		.paging = paging_parse(span_of(query)),
		.if_none_match = span_of(tag),
		.now_us = now_us,
	};
	feed_page_init(page);
	feed->operations->read_page(feed, &question, page);
}

static json_t *parse_page(const struct feed_page *page)
{
	json_error_t why;
	json_t *events = json_loadb(page->body.data, page->body.size, JSON_REJECT_DUPLICATES, &why);
	if (!events)
		fail_msg("page is not JSON: %s", why.text);
	return events;
}

static void same_seed_same_events(void **state)
{
	(void)state;
	struct feed *one = make_feed(42, 100, 300, 0);
	struct feed *other = make_feed(42, 100, 300, 0);
	struct feed *different = make_feed(43, 100, 300, 0);
	struct feed_page page_one;
	struct feed_page page_other;
	struct feed_page page_different;
	/* One is asked often, the other once: what is generated must not depend on it. */
	for (int i = 1; i < 20; i++) {
		ask(one, "/events", "per_page=100", NULL, start_us + i * 123457, &page_one);
		feed_page_finish(&page_one);
	}
	int64_t now_us = start_us + 3 * SECOND_US;
	ask(one, "/events", "per_page=100", NULL, now_us, &page_one);
	ask(other, "/events", "per_page=100", NULL, now_us, &page_other);
	ask(different, "/events", "per_page=100", NULL, now_us, &page_different);
	assert_string_equal(page_one.body.data, page_other.body.data);
	assert_string_equal(page_one.etag.text, page_other.etag.text);
	assert_string_not_equal(page_one.body.data, page_different.body.data);
	feed_page_finish(&page_one);
	feed_page_finish(&page_other);
	feed_page_finish(&page_different);
	feed_destroy(&one);
	feed_destroy(&other);
	feed_destroy(&different);
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	assert_non_null(text);
	return text;
}

static void check_event(const json_t *event, bool seen[EVENT_TYPES], unsigned *with_org,
			unsigned *bots)
{
	const char *type = text_of(event, "type");
	json_int_t id = (json_int_t)strtoll(text_of(event, "id"), NULL, 10);
	bool push_sequence = strcmp(type, "PushEvent") == 0 || strcmp(type, "CreateEvent") == 0
			     || strcmp(type, "DeleteEvent") == 0;
	assert_int_equal(id > 17000000000, push_sequence);
	for (enum event_type t = 0; t < EVENT_TYPES; t++)
		seen[t] = seen[t] || strcmp(type, event_type_name(t)) == 0;
	const json_t *actor = json_object_get(event, "actor");
	assert_true(json_is_integer(json_object_get(actor, "id")));
	*bots += strstr(text_of(actor, "login"), "[bot]") != NULL;
	*with_org += json_object_get(event, "org") != NULL;
	assert_non_null(strchr(text_of(json_object_get(event, "repo"), "name"), '/'));
	const json_t *payload = json_object_get(event, "payload");
	assert_true(json_is_object(payload));
	if (strcmp(type, "PushEvent") == 0)
		assert_int_equal(json_object_size(payload), 5);
	if (strcmp(type, "PullRequestEvent") == 0) {
		assert_int_equal(json_object_size(json_object_get(payload, "pull_request")), 5);
		assert_true(json_is_integer(json_object_get(payload, "number")));
	}
}

static void all_types_in_thin_form(void **state)
{
	(void)state;
	struct feed *feed = make_feed(5, 100, 0, 0);
	bool seen[EVENT_TYPES] = {false};
	unsigned with_org = 0;
	unsigned bots = 0;
	unsigned count = 0;
	for (int second = 1; second <= 60; second++) {
		struct feed_page page;
		ask(feed, "/events", "per_page=100", NULL, start_us + (int64_t)second * SECOND_US,
		    &page);
		json_t *events = parse_page(&page);
		size_t index;
		const json_t *event;
		json_array_foreach(events, index, event) {
			check_event(event, seen, &with_org, &bots);
			assert_false(page.keys[index].spoiled);
			assert_string_equal(page.keys[index].id, text_of(event, "id"));
			assert_string_equal(page.keys[index].created_at,
					    text_of(event, "created_at"));
			count++;
		}
		json_decref(events);
		feed_page_finish(&page);
	}
	assert_int_equal(count, 6000);
	for (enum event_type t = 0; t < EVENT_TYPES; t++)
		if (!seen[t])
			fail_msg("no %s among %u events", event_type_name(t), count);
	assert_in_range(bots, count / 10, count / 4);
	assert_in_range(with_org, count / 4, count * 9 / 10);
	feed_destroy(&feed);
}

static void pages_drift_while_they_are_walked(void **state)
{
	(void)state;
	struct feed *feed = make_feed(6, 100, 300, 0);
	struct feed_page first;
	struct feed_page second;
	ask(feed, "/events", "per_page=100", NULL, start_us, &first);
	ask(feed, "/events", "per_page=100&page=2", NULL, start_us + SECOND_US / 10, &second);
	/* Ten events came in between: the last ten of page 1 are the first ten of page 2. */
	for (size_t i = 0; i < 10; i++)
		assert_string_equal(first.keys[90 + i].id, second.keys[i].id);
	assert_int_equal(second.window_count, 300);
	feed_page_finish(&first);
	feed_page_finish(&second);
	feed_destroy(&feed);
}

static void quiet_feed_answers_its_tag(void **state)
{
	(void)state;
	struct feed *feed = make_feed(7, 1000, 50, 250);
	struct feed_page page;
	ask(feed, "/events", "per_page=100&page=3", NULL, start_us + 3600LL * SECOND_US, &page);
	assert_int_equal(page.window_count, 250);
	assert_int_equal(page.key_count, 50);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=100", NULL, start_us + 3601LL * SECOND_US, &page);
	struct etag tag = page.etag;
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=100", tag.text, start_us + 9000LL * SECOND_US, &page);
	assert_true(page.not_modified);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=50", tag.text, start_us + 9000LL * SECOND_US, &page);
	assert_false(page.not_modified);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void rate_can_change(void **state)
{
	(void)state;
	struct feed *feed = make_feed(8, 10, 0, 0);
	struct feed_page page;
	feed->operations->set_rate(feed, 0, start_us + 2 * SECOND_US);
	ask(feed, "/events", "", NULL, start_us + 50 * SECOND_US, &page);
	assert_int_equal(page.window_count, 20);
	feed_page_finish(&page);
	feed->operations->set_rate(feed, 3, start_us + 60 * SECOND_US);
	ask(feed, "/events", "", NULL, start_us + 70 * SECOND_US, &page);
	assert_int_equal(page.window_count, 50);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void streams_show_their_own_events(void **state)
{
	(void)state;
	struct feed *feed = make_feed(9, 1000, 0, 0);
	int64_t now_us = start_us + 30 * SECOND_US;
	struct feed_page page;
	ask(feed, "/events", "", NULL, now_us, &page);
	json_t *events = parse_page(&page);
	char repository[512] = "";
	char organisation[512] = "";
	size_t index;
	const json_t *event;
	json_array_foreach(events, index, event) {
		const json_t *org = json_object_get(event, "org");
		if (!org)
			continue;
		(void)snprintf(repository, sizeof(repository), "/repos/%s/events",
			       text_of(json_object_get(event, "repo"), "name"));
		(void)snprintf(organisation, sizeof(organisation), "/orgs/%s/events",
			       text_of(org, "login"));
		break;
	}
	json_decref(events);
	feed_page_finish(&page);

	ask(feed, repository, "per_page=100", NULL, now_us, &page);
	assert_true(page.key_count > 0);
	for (size_t i = 1; i < page.key_count; i++)
		assert_int_equal(page.keys[i].repo_id, page.keys[0].repo_id);
	size_t of_repository = page.window_count;
	feed_page_finish(&page);
	ask(feed, organisation, "per_page=100", NULL, now_us, &page);
	assert_true(page.window_count >= of_repository);
	feed_page_finish(&page);
	ask(feed, "/repos/nobody/nothing/events", "", NULL, now_us, &page);
	assert_string_equal(page.body.data, "[]");
	assert_int_equal(page.window_count, 0);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

static void inserted_events_drift_with_the_others(void **state)
{
	(void)state;
	struct feed *feed = make_feed(10, 10, 300, 0);
	assert_true(feed->operations->insert(feed, span_of("\"odd\""), 0, start_us));
	struct feed_page page;
	ask(feed, "/events", "per_page=1", NULL, start_us, &page);
	assert_string_equal(page.body.data, "[\"odd\"]");
	assert_true(page.keys[0].spoiled);
	feed_page_finish(&page);
	ask(feed, "/events", "per_page=1&page=11", NULL, start_us + SECOND_US, &page);
	assert_string_equal(page.body.data, "[\"odd\"]");
	feed_page_finish(&page);
	for (int i = 1; i < FEED_INSERTED_MAX; i++)
		assert_true(feed->operations->insert(feed, span_of("1"), 0, start_us));
	assert_false(feed->operations->insert(feed, span_of("1"), 0, start_us));
	feed_destroy(&feed);
}

static void a_long_silence_is_caught_up_quickly(void **state)
{
	(void)state;
	struct feed *feed = make_feed(11, 100000, 10, 0);
	struct feed_page page;
	ask(feed, "/events", "per_page=100", NULL, start_us + 86400LL * SECOND_US, &page);
	assert_int_equal(page.key_count, 100);
	assert_true(page.last_modified_us > start_us + 86399LL * SECOND_US);
	feed_page_finish(&page);
	feed_destroy(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_events),
		cmocka_unit_test(all_types_in_thin_form),
		cmocka_unit_test(pages_drift_while_they_are_walked),
		cmocka_unit_test(quiet_feed_answers_its_tag),
		cmocka_unit_test(rate_can_change),
		cmocka_unit_test(streams_show_their_own_events),
		cmocka_unit_test(inserted_events_drift_with_the_others),
		cmocka_unit_test(a_long_silence_is_caught_up_quickly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
