/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_support.h"

#include "serve/pipeline.h"

struct fixture {
	struct arena arena;
	struct buf out;
	struct serve_pipeline pipeline;
	struct pipeline_view view;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){
		.pipeline = {.mode = "live",
			.polling = true,
			.ingest = {.running = true,
				.has_token = true,
				.streams = 2,
				.last_poll_us = time_of("2026-09-20T11:59:50Z"),
				.next_poll_us = time_of("2026-09-20T12:00:50Z"),
				.quota_limit = 5000,
				.quota_remaining = 4999,
				.quota_reset_us = time_of("2026-09-20T12:30:00Z"),
				.poll_interval_s = 60}},
		.view = {.now_us = time_of("2026-09-20T12:00:00Z"),
			.gold = {.state = GOLD_READY,
				.generation = 1,
				.loads = 4,
				.rows = 70,
				.newest_event_us = time_of("2026-09-20T11:55:00Z")},
			/* 100 received: 5 + 2 + 3 duplicates, 10 filtered, 1 + 2 + 3 quarantined,
			 * 70 in gold, 4 waiting for gold */
			.totals = {.batches = 9,
				.batches_waiting_gold = 1,
				.received = 100,
				.duplicates = 5,
				.filtered = 10,
				.quarantined = 1,
				.bronze_rows = 84,
				.silver_rows = 80,
				.silver_duplicates = 2,
				.silver_quarantined = 2,
				.gold_rows = 70,
				.gold_duplicates = 3,
				.gold_quarantined = 3,
				.bronze_files = 11,
				.bronze_bytes = 1234,
				.silver_files = 6,
				.silver_bytes = 999,
				.live_files = 2,
				.sweeps = 40,
				.gaps = 3}},
	};
	arena_init(&f.arena, (size_t)4 * 1024 * 1024);
	buf_init(&f.out, (size_t)1024 * 1024);
	f.view.pipeline = &f.pipeline;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->out);
	arena_finish(&f->arena);
	return 0;
}

static const struct json_node *render(struct fixture *f)
{
	buf_clear(&f->out);
	pipeline_render(&f->view, &f->out);
	return parse(buf_span(&f->out), &f->arena);
}

static void test_layers_and_lag(void **state)
{
	const struct json_node *root = render(*state);
	check_text(root, "mode", "live");
	check_boolean(root, "demo", false);
	check_text(root, "as_of", "2026-09-20T12:00:00Z");
	check_integer(root, "layers/bronze/files", 11);
	check_integer(root, "layers/bronze/bytes", 1234);
	check_integer(root, "layers/bronze/events", 84);
	check_integer(root, "layers/silver/live_files", 2);
	check_integer(root, "layers/gold/rows", 70);
	check_integer(root, "layers/gold/loads", 4);
	check_text(root, "layers/gold/state", "ready");
	check_text(root, "layers/gold/newest_event", "2026-09-20T11:55:00Z");
	check_null(root, "layers/gold/oldest_event");
	check_integer(root, "lag_seconds", 300);
	check_integer(root, "gaps", 3);
	check_integer(root, "counters/events_received", 0);
	check_null(root, "stage_error");
}

static void test_share_and_clock(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root = render(f);
	/* Not known is never 0. */
	check_null(root, "seen/public");
	check_null(root, "seen/watched");
	check_null(root, "polling/clock/ahead_seconds");
	check_boolean(root, "polling/clock/off", false);

	f->view.public_share = (struct feed_share){.known = true,
		.streams = 1,
		.sweeps = 3,
		.covered_us = 10000000,
		.elapsed_us = 40000000,
		.from_us = time_of("2026-09-20T11:55:00Z"),
		.to_us = time_of("2026-09-20T11:55:40Z")};
	f->pipeline.ingest.clock_known = true;
	f->pipeline.ingest.clock_off = true;
	f->pipeline.ingest.clock_ahead_s = -86400;
	root = render(f);
	assert_true(at(root, "seen/public/share")->real == 0.25);
	check_integer(root, "seen/public/sweeps", 3);
	check_text(root, "seen/public/to", "2026-09-20T11:55:40Z");
	check_null(root, "seen/watched");
	check_integer(root, "polling/clock/ahead_seconds", -86400);
	check_boolean(root, "polling/clock/off", true);
}

static void test_ledger_adds_up(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root = render(f);
	check_integer(root, "ledger/received", 100);
	check_integer(root, "ledger/stored", 70);
	check_integer(root, "ledger/duplicates", 10);
	check_integer(root, "ledger/filtered", 10);
	check_integer(root, "ledger/quarantined", 6);
	check_integer(root, "ledger/waiting", 4);
	check_integer(root, "ledger/batches", 9);
	check_integer(root, "ledger/waiting_silver", 0);
	check_integer(root, "ledger/waiting_gold", 1);
	check_boolean(root, "ledger/balanced", true);

	f->view.totals.gold_duplicates += 4;
	f->view.totals.batches_waiting_gold = 0;
	root = render(f);
	check_integer(root, "ledger/waiting", 0);
	check_boolean(root, "ledger/balanced", true);
}

static void test_lost_events_are_told(void **state)
{
	struct fixture *f = *state;
	/* Nothing waits, and yet four are nowhere. */
	f->view.totals.batches_waiting_gold = 0;
	check_boolean(render(f), "ledger/balanced", false);
	f->view.totals.batches_waiting_gold = 1;
	f->view.totals.received++;
	check_boolean(render(f), "ledger/balanced", false);
	f->view.totals.received--;
	f->view.totals.gold_rows += 5;
	check_boolean(render(f), "ledger/balanced", false);
	f->view.totals.gold_rows -= 5;
	f->view.totals.silver_rows--;
	check_boolean(render(f), "ledger/balanced", false);
}

static void test_polling(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root = render(f);
	check_boolean(root, "polling/running", true);
	check_boolean(root, "polling/has_token", true);
	check_integer(root, "polling/streams", 2);
	check_text(root, "polling/next_poll", "2026-09-20T12:00:50Z");
	check_null(root, "polling/last_answer");
	check_integer(root, "polling/quota/limit", 5000);
	check_integer(root, "polling/quota/remaining", 4999);
	check_text(root, "polling/quota/reset", "2026-09-20T12:30:00Z");
	check_null(root, "polling/limited_until");
	check_null(root, "polling/last_error");

	f->pipeline.polling = false;
	root = render(f);
	check_boolean(root, "polling/running", false);
	check_integer(root, "polling/streams", 0);
	check_null(root, "polling/quota/limit");
	check_null(root, "polling/quota/remaining");
	check_null(root, "polling/last_poll");
}

static void test_sweeps(void **state)
{
	struct fixture *f = *state;
	const struct sweep sweeps[] = {
		{.stream = "/events",
			.status = SWEEP_OK,
			.started_at_us = f->view.now_us,
			.pages = 3,
			.received = 300,
			.fresh = 280,
			.overlap = 0,
			.gap = true,
			.gap_from_us = f->view.now_us - 60000000,
			.gap_to_us = f->view.now_us - 1000000},
		{.stream = "/orgs/o/events",
			.status = SWEEP_FAILED,
			.overlap = -1,
			.gap_from_us = 5,
			.error = "disk: /home/someone/data/x: full"},
	};
	f->view.sweeps = sweeps;
	f->view.sweep_count = ARRAY_COUNT(sweeps);
	const struct json_node *root = render(f);
	assert_int_equal(at(root, "sweeps")->count, 2);
	check_text(root, "sweeps/0/stream", "/events");
	check_text(root, "sweeps/0/status", "ok");
	check_integer(root, "sweeps/0/pages", 3);
	check_integer(root, "sweeps/0/received", 300);
	check_integer(root, "sweeps/0/fresh", 280);
	assert_true(at(root, "sweeps/0/overlap")->real == 0);
	check_boolean(root, "sweeps/0/gap", true);
	check_text(root, "sweeps/0/gap_from", "2026-09-20T11:59:00Z");
	check_text(root, "sweeps/0/gap_to", "2026-09-20T11:59:59Z");
	check_null(root, "sweeps/0/error");
	check_text(root, "sweeps/1/status", "failed");
	check_null(root, "sweeps/1/overlap");
	check_null(root, "sweeps/1/gap_from");
	check_text(root, "sweeps/1/error", "disk: x: full");
}

static void test_quarantine_shows_hostile_bytes_as_text(void **state)
{
	struct fixture *f = *state;
	const struct quarantine_entry entry = {
		.id = 1,
		.at_us = f->view.now_us,
		.batch = 7,
		.stage = span_of("silver"),
		.reason = span_of("bad-utf8"),
		.detail = span_of("in /home/someone/data/bronze/x"),
		.path = span_of("bronze/WatchEvent/date=2026-09-20/000000000007.ndjson.zst"),
		.offset = 4096,
		.size_bytes = 9000,
		.raw = span_make("\"<script>\xff\x00\x1b[0m", 15),
	};
	f->view.quarantine = &entry;
	f->view.quarantine_count = 1;
	f->view.totals.quarantine_entries = 5;
	const struct json_node *root = render(f);
	check_integer(root, "quarantine_entries", 5);
	check_text(root, "quarantine/0/path", "000000000007.ndjson.zst");
	check_text(root, "quarantine/0/detail", "in x");
	check_text(root, "quarantine/0/stage", "silver");
	check_integer(root, "quarantine/0/offset", 4096);
	check_integer(root, "quarantine/0/bytes", 9000);
	struct span shown = at(root, "quarantine/0/first_bytes")->text;
	assert_true(span_starts_with(shown, "\"<script>\xef\xbf\xbd"));
	check_lacks(buf_span(&f->out), "<script>");
	check_lacks(buf_span(&f->out), "\x1b");
}

static void test_stage_error_has_no_folders(void **state)
{
	struct fixture *f = *state;
	f->pipeline = (struct serve_pipeline){.mode = "serve",
		.stage_error = "gold: write /srv/secret/gold/gold-1.duckdb: No space left",
		.stage_error_at_us = f->view.now_us};
	f->view.demo = true;
	f->view.gold = (struct gold_stamp){.state = GOLD_REBUILDING};
	const struct json_node *root = render(f);
	check_text(root, "stage_error/text", "gold: write gold-1.duckdb: No space left");
	check_text(root, "stage_error/at", "2026-09-20T12:00:00Z");
	check_boolean(root, "demo", true);
	check_text(root, "layers/gold/state", "rebuilding");
	check_null(root, "lag_seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_layers_and_lag, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_share_and_clock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ledger_adds_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_events_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_polling, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sweeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_quarantine_shows_hostile_bytes_as_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stage_error_has_no_folders, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
