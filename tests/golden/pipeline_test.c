/* SPDX-License-Identifier: Apache-2.0 */
/* Bronze in, expected rows out of gold: made events of all eras, then what GitHub really sent. */
#include "tests/support/check.h"

#include "tests/support/lake.h"

#include "gold/gold.h"
#include "metrics/metrics.h"
#include "silver/silver.h"
#include "wrap/json_document.h"

#include <stdlib.h>

enum { BODY_BYTES_MAX = 64 * 1024 * 1024, BODY_EVENTS_MAX = 1000 };

struct pipeline {
	struct test_lake lake;
	struct silver *silver;
	struct gold *gold;
	int64_t received;
};

static void begin(struct pipeline *p, const char *events_yaml)
{
	struct err err = {0};
	*p = (struct pipeline){0};
	test_lake_open(&p->lake, events_yaml);
	const struct silver_options silver_options = {
		.layout = &p->lake.layout, .catalog = p->lake.catalog, .fields = p->lake.fields};
	struct gold_options gold_options = {
		.layout = &p->lake.layout,
		.catalog = p->lake.catalog,
		.fields = p->lake.fields,
		.clock = clock_system(),
	};
	gold_options.rollups = metrics_rollups(&gold_options.rollup_count);
	OR_FAIL(silver_open(&silver_options, &p->silver, &err));
	OR_FAIL(gold_open(&gold_options, false, &p->gold, &err));
}

static void end(struct pipeline *p)
{
	gold_close(&p->gold);
	silver_close(&p->silver);
	test_lake_close(&p->lake);
}

static void refresh(struct pipeline *p)
{
	struct err err = {0};
	struct batch batch;
	struct gold_report report;
	for (bool built = true; built;)
		OR_FAIL(silver_build_next(p->silver, &batch, &built, &err));
	OR_FAIL(gold_load_pending(p->gold, NULL, &report, &err));
}

static void compact(struct pipeline *p)
{
	struct err err = {0};
	struct silver_report report = {.files_replaced = 1};
	while (report.files_replaced > 0)
		OR_FAIL(silver_compact(p->silver, 1, &report, &err));
	assert_int_equal(test_lake_file_count(&p->lake, LAYER_SILVER_LIVE), 0);
}

static void rebuild(struct pipeline *p, bool from_bronze)
{
	struct err err = {0};
	struct silver_report silver_report;
	struct gold_report gold_report;
	if (from_bronze)
		OR_FAIL(silver_rebuild(p->silver, NULL, NULL, &silver_report, &err));
	OR_FAIL(gold_rebuild(p->gold, &gold_report, &err));
}

struct answer {
	char text[8192];
};

static struct answer ask(struct pipeline *p, const char *sql)
{
	struct err err = {0};
	struct answer answer = {{0}};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 16 << 20};
	CLEANUP(buf_finish) struct buf text = {.size_max = sizeof(answer.text) - 1};
	const struct gold_query query = {.sql = sql, .row_count_max = 1000};
	struct table table;
	if (!gold_run_query(p->gold, &query, &arena, &table, NULL, &err))
		fail_msg("%s: %s", sql, err.text);
	test_table_append(&text, &table, "\n", "-");
	assert_false(text.failed);
	memcpy(answer.text, text.data ? text.data : "", text.size);
	return answer;
}

/* Everything in gold that a person could see. */
static struct answer digest(struct pipeline *p)
{
	return ask(p, "SELECT (SELECT sum(md5_number_lower(e::VARCHAR)::HUGEINT)::VARCHAR FROM events e),"
		      " (SELECT count(*) FROM events),"
		      " (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT)::VARCHAR FROM rollup_events_per_minute r),"
		      " (SELECT sum(md5_number_lower(r::VARCHAR)::HUGEINT)::VARCHAR FROM rollup_pull_request_gaps r),"
		      " (SELECT string_agg(b::VARCHAR, ' ' ORDER BY batch) FROM"
		      "  (SELECT batch, rows, duplicates, quarantined FROM loaded_batches ORDER BY batch LIMIT 20) b)");
}

/* received = stored + duplicates + quarantined, from the catalog. */
static void check_sums(struct pipeline *p)
{
	struct err err = {0};
	struct catalog_totals totals;
	OR_FAIL(catalog_read_totals(p->lake.catalog, &totals, &err));
	assert_int_equal(totals.batches_waiting_silver, 0);
	assert_int_equal(totals.batches_waiting_gold, 0);
	assert_int_equal(totals.bronze_rows, p->received);
	assert_int_equal(
		totals.bronze_rows, totals.silver_rows + totals.silver_duplicates + totals.silver_quarantined);
	assert_int_equal(totals.silver_rows, totals.gold_rows + totals.gold_duplicates + totals.gold_quarantined);
}

/* However gold came to be, it says the same. */
static void check_all_ways(struct pipeline *p)
{
	struct answer grown = digest(p);
	check_sums(p);
	rebuild(p, false);
	assert_string_equal(digest(p).text, grown.text);
	compact(p);
	rebuild(p, false);
	assert_string_equal(digest(p).text, grown.text);
	check_sums(p);
	rebuild(p, true);
	assert_string_equal(digest(p).text, grown.text);
	check_sums(p);
}

static const char events_yaml[] = "version: 2\n"
				  "fields:\n"
				  "  PullRequestEvent: [payload.pull_request.state, payload.pull_request.title]\n"
				  "  IssuesEvent: [payload.issue.title]\n"
				  "bots: [renovate-bot]\n";

static const char *const first_batch[] = {
	/* Timeline era: one string for the actor, `repository`, another form of time. */
	"{\"id\":1,\"type\":\"WatchEvent\",\"public\":true,\"actor\":\"old-hand\",\"actor_attributes\":{\"login\":\"old-hand\"},"
	"\"repository\":{\"id\":10,\"name\":\"rep\",\"owner\":\"own\",\"organization\":\"own\"},\"payload\":{\"action\":\"started\"},"
	"\"created_at\":\"2012/06/14 15:00:00 -0700\"}",
	/* Full era. */
	"{\"id\":\"20\",\"type\":\"PullRequestEvent\",\"actor\":{\"id\":5,\"login\":\"dependabot[bot]\"},"
	"\"repo\":{\"id\":10,\"name\":\"own/rep\"},\"org\":{\"id\":3,\"login\":\"own\"},\"payload\":{\"action\":\"closed\",\"number\":44,"
	"\"pull_request\":{\"number\":44,\"state\":\"closed\",\"merged\":true,\"title\":\"caf\\u00e9 \\\"x\\\", '; DROP TABLE events\"}},"
	"\"public\":true,\"created_at\":\"2024-05-01T10:00:00Z\"}",
	/* Thin era, keys in another order, an escaped key, the last of two equal keys. */
	"{\"created_at\":\"2026-03-01T10:00:30Z\",\"payload\":{\"pull_request\":{\"id\":9,\"number\":7},\"act\\u0069on\":\"wrong\","
	"\"action\":\"opened\",\"number\":7},\"repo\":{\"name\":\"own/rep\",\"id\":10},\"actor\":{\"login\":\"ann\",\"id\":6},"
	"\"type\":\"PullRequestEvent\",\"id\":\"30\"}",
	"{\"id\":\"31\",\"type\":\"PullRequestEvent\",\"actor\":{\"id\":6,\"login\":\"ann\"},\"repo\":{\"id\":10,\"name\":\"own/rep\"},"
	"\"payload\":{\"action\":\"merged\",\"number\":7},\"created_at\":\"2026-03-01T11:00:30Z\"}",
	"{\"id\":\"32\",\"type\":\"IssuesEvent\",\"actor\":{\"id\":8,\"login\":\"renovate-bot\"},\"repo\":{\"id\":11,\"name\":\"own/two\"},"
	"\"payload\":{\"action\":\"opened\",\"issue\":{\"number\":3,\"title\":\"A title\"}},\"created_at\":\"2026-03-01T11:00:30Z\"}",
	"{\"id\":\"33\",\"type\":\"CreateEvent\",\"actor\":null,\"repo\":{},\"payload\":{\"ref\":\"main\",\"ref_type\":\"branch\"},"
	"\"created_at\":\"2026-03-01T11:00:31Z\"}",
	"{\"id\":\"34\",\"type\":\"Brand-new event!\",\"payload\":{},\"created_at\":\"2026-03-01T11:00:32Z\"}",
};

static const char *const second_batch[] = {
	/* Known, of another repository, the id once more in the other sequence, new, and not JSON. */
	"{\"id\":\"30\",\"type\":\"PullRequestEvent\",\"actor\":{\"id\":6,\"login\":\"ann\"},\"repo\":{\"id\":10,\"name\":\"own/renamed\"},"
	"\"payload\":{\"action\":\"opened\",\"number\":7},\"created_at\":\"2026-03-01T10:00:30Z\"}",
	"{\"id\":\"31\",\"type\":\"PullRequestEvent\",\"actor\":{\"id\":6,\"login\":\"ann\"},\"repo\":{\"id\":12,\"name\":\"own/three\"},"
	"\"payload\":{\"action\":\"merged\",\"number\":7},\"created_at\":\"2026-03-01T11:00:30Z\"}",
	"{\"id\":\"30\",\"type\":\"PushEvent\",\"actor\":{\"id\":6,\"login\":\"ann\"},\"repo\":{\"id\":10,\"name\":\"own/rep\"},"
	"\"payload\":{},\"created_at\":\"2026-03-01T10:00:30Z\"}",
	"{\"id\":\"40\",\"type\":\"PullRequestEvent\",\"actor\":{\"id\":6,\"login\":\"ann\"},\"repo\":{\"id\":10,\"name\":\"own/rep\"},"
	"\"payload\":{\"action\":\"opened\",\"number\":8},\"created_at\":\"2026-03-02T10:00:30Z\"}",
	"{\"id\":\"41\",\"type\":\"PushEvent\",",
};

static void made_events_of_all_eras(void **state)
{
	(void)state;
	struct pipeline p;
	begin(&p, events_yaml);
	test_lake_store(&p.lake, 0, first_batch, ARRAY_COUNT(first_batch));
	refresh(&p);
	test_lake_store(&p.lake, 0, second_batch, ARRAY_COUNT(second_batch));
	refresh(&p);
	p.received = (int64_t)(ARRAY_COUNT(first_batch) + ARRAY_COUNT(second_batch));
	assert_string_equal(
		ask(&p, "SELECT id, type, created_at, actor_id, actor_login, is_bot, repo_id, repo_name, org_login, action,"
			" number, merged, ref_type, era, source, batch FROM events ORDER BY created_at, id, type")
			.text,
		"1,WatchEvent,2012-06-14T22:00:00Z,-,old-hand,false,10,own/rep,own,started,-,-,-,timeline,api,1\n"
		"20,PullRequestEvent,2024-05-01T10:00:00Z,5,dependabot[bot],true,10,own/rep,own,closed,44,true,-,full,api,1\n"
		"30,PullRequestEvent,2026-03-01T10:00:30Z,6,ann,false,10,own/rep,-,opened,7,false,-,thin,api,1\n"
		"30,PushEvent,2026-03-01T10:00:30Z,6,ann,false,10,own/rep,-,-,-,-,-,thin,api,2\n"
		"31,PullRequestEvent,2026-03-01T11:00:30Z,6,ann,false,10,own/rep,-,merged,7,true,-,thin,api,1\n"
		"32,IssuesEvent,2026-03-01T11:00:30Z,8,renovate-bot,true,11,own/two,-,opened,3,-,-,thin,api,1\n"
		"33,CreateEvent,2026-03-01T11:00:31Z,-,-,false,-,-,-,-,-,-,branch,thin,api,1\n"
		"34,_other,2026-03-01T11:00:32Z,-,-,false,-,-,-,-,-,-,-,thin,api,1\n"
		"40,PullRequestEvent,2026-03-02T10:00:30Z,6,ann,false,10,own/rep,-,opened,8,false,-,thin,api,2");
	assert_string_equal(
		ask(&p, "SELECT id, \"payload.pull_request.state\", \"payload.pull_request.title\","
			" \"payload.pull_request.merged\" FROM pullrequestevent ORDER BY id")
			.text,
		"20,closed,caf\xc3\xa9 \"x\", '; DROP TABLE events,true\n30,open,-,false\n31,closed,-,true\n40,open,-,false");
	assert_string_equal(ask(&p, "SELECT \"payload.issue.title\" FROM issuesevent").text, "A title");
	assert_string_equal(
		ask(&p, "SELECT batch, rows, duplicates, quarantined FROM loaded_batches ORDER BY 1").text,
		"1,7,0,0\n2,2,1,1");
	assert_string_equal(
		ask(&p, "SELECT repo_name, opened, (epoch(last_at) - epoch(first_at)) / 60 / (opened - 1)"
			" FROM rollup_pull_request_gaps")
			.text,
		"own/rep,2,1440");
	check_all_ways(&p);
	end(&p);
}

/* ---- recorded events ---- */

/* One recorded body, a page's array, becomes one batch. */
static void store_body(struct pipeline *p, struct span body)
{
	static char *events[BODY_EVENTS_MAX];
	struct scan_array array;
	struct scan_problem problem;
	struct span element;
	size_t count = 0;
	scan_array_init(&array, body);
	for (;;) {
		bool last;
		if (!scan_array_next(&array, &element, &last, &problem))
			fail_msg("a recorded body is no array: %s", problem.detail);
		if (last)
			break;
		assert_true(count < BODY_EVENTS_MAX);
		events[count++] = strndup(element.data, element.size);
	}
	if (count > 0)
		test_lake_store(&p->lake, 0, (const char *const *)events, count);
	p->received += (int64_t)count;
	for (size_t i = 0; i < count; i++)
		free(events[i]);
}

static bool store_file(void *context, const char *relative_path, struct err *err)
{
	struct pipeline *p = context;
	struct check_path folder = real_data_path_or_skip("trimmed/series-azaidrahman");
	struct check_path path = path_below(&folder, relative_path);
	CLEANUP(buf_finish) struct buf body = {.size_max = BODY_BYTES_MAX};
	if (!span_ends_with(span_of(relative_path), ".json"))
		return true;
	if (!file_read(path.text, &body, err))
		return false;
	store_body(p, buf_span(&body));
	return true;
}

/* Exchanges as JSON lines; bodies that are no array are not events. */
static void store_exchanges(struct pipeline *p, const char *name)
{
	struct err err = {0};
	struct check_path path = real_data_path_or_skip(name);
	CLEANUP(buf_finish) struct buf text = {.size_max = BODY_BYTES_MAX};
	OR_FAIL(file_read(path.text, &text, &err));
	struct span rest = buf_span(&text);
	struct span line;
	while (span_split(rest, '\n', &line, &rest)) {
		CLEANUP(arena_finish) struct arena arena = {.size_max = BODY_BYTES_MAX};
		const struct json_node *exchange;
		OR_FAIL(json_parse(line, &arena, &exchange, &err));
		struct span body = json_get_text(exchange, "body");
		if (body.size > 0 && body.data[0] == '[')
			store_body(p, body);
	}
}

static void recorded_pages_of_2019(void **state)
{
	(void)state;
	struct pipeline p;
	(void)real_data_path_or_skip("http/hub4j-2019-public-events-10pages.jsonl");
	begin(&p, NULL);
	store_exchanges(&p, "http/hub4j-2019-public-events-10pages.jsonl");
	refresh(&p);
	assert_int_equal(p.received, 281);
	assert_string_equal(ask(&p, "SELECT count(*) FROM events").text, "155");
	check_all_ways(&p);
	end(&p);
}

static void recorded_pages_of_2017(void **state)
{
	(void)state;
	struct pipeline p;
	(void)real_data_path_or_skip("http/github3py-2017-user-and-public.jsonl");
	begin(&p, NULL);
	store_exchanges(&p, "http/github3py-2017-user-and-public.jsonl");
	refresh(&p);
	assert_int_equal(p.received, 344);
	assert_string_equal(ask(&p, "SELECT count(*) FROM events").text, "344");
	check_all_ways(&p);
	end(&p);
}

static void recorded_series_of_2026(void **state)
{
	(void)state;
	struct pipeline p;
	struct err err = {0};
	struct check_path folder = real_data_path_or_skip("trimmed/series-azaidrahman");
	begin(&p, NULL);
	OR_FAIL(file_walk(folder.text, store_file, &p, &err));
	refresh(&p);
	assert_int_equal(p.received, 15451);
	assert_string_equal(ask(&p, "SELECT count(*) FROM events").text, "647");
	assert_string_equal(
		ask(&p, "SELECT (epoch(last_at) - epoch(first_at)) / 60 / (opened - 1) FROM rollup_pull_request_gaps"
			" WHERE repo_name = 'azaidrahman/azaidsani'")
			.text,
		"18.1519");
	check_all_ways(&p);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_events_of_all_eras),
		cmocka_unit_test(recorded_pages_of_2019),
		cmocka_unit_test(recorded_pages_of_2017),
		cmocka_unit_test(recorded_series_of_2026),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
