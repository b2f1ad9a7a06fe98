/* SPDX-License-Identifier: Apache-2.0 */
/* The whole layer over sockets, on a real gold with a few events and metrics from a file. */
#include "tests/unit/gold/gold_support.h"
#include "tests/unit/serve/serve_support.h"

#include "base/counter.h"
#include "serve/router.h"
#include "serve/serve.h"
#include "tests/support/tcp.h"

#include <pthread.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024, CLIENTS = 4, REQUESTS_PER_CLIENT = 15 };

static const char events[] =
	"SELECT 1::BIGINT AS id, 'WatchEvent' AS type, '2026-09-20 12:00:00' AS created_at,"
	" 5::BIGINT AS repo_id, '<b>x</b>' AS repo_name"
	" UNION ALL SELECT 2, 'PushEvent', '2026-09-20 12:30:00', 6, 'a/b'";

static const char own_metrics[] =
	"version: 2\n"
	"kpis:\n"
	"  - id: test_rows\n"
	"    name: Rows\n"
	"    description: As many rows as asked for.\n"
	"    caveat: Made up.\n"
	"    parameters:\n"
	"      n: {type: integer, default: 3, min: 0, max: 100000}\n"
	"      text: {type: string, default: null}\n"
	"    limit: {default: 2, max: 5}\n"
	"    cache: 7s\n"
	"    visualisation: table\n"
	"    sql: SELECT range AS i, coalesce(${text}, '=1+1') AS word FROM range(${n}) ORDER BY "
	"i\n"
	"  - id: test_window\n"
	"    name: Window\n"
	"    description: Events of one minute.\n"
	"    sql: |\n"
	"      SELECT id, repo_name, created_at FROM events\n"
	"      WHERE created_at > ${as_of} - INTERVAL 1 MINUTE AND created_at <= ${as_of}\n"
	"    visualisation: null\n"
	"  - id: test_slow\n"
	"    name: Slow\n"
	"    description: Never ends by itself.\n"
	"    parameters:\n"
	"      seed: {type: integer, default: 1}\n"
	"    timeout: 1s\n"
	"    visualisation: value\n"
	"    sql: |\n"
	"      SELECT SUM(hash(a.range, b.range, c.range, ${seed}) % 7) AS total\n"
	"      FROM range(100000) a CROSS JOIN range(100000) b CROSS JOIN range(100000) c\n"
	"  - id: test_endless\n"
	"    name: Endless\n"
	"    description: The same with more patience.\n"
	"    timeout: 60s\n"
	"    visualisation: value\n"
	"    sql: |\n"
	"      SELECT SUM(hash(a.range, b.range, c.range) % 7) AS total\n"
	"      FROM range(100000) a CROSS JOIN range(100000) b CROSS JOIN range(100000) c\n"
	"  - id: test_broken\n"
	"    name: Broken\n"
	"    description: Fails when there are events.\n"
	"    visualisation: table\n"
	"    sql: |\n"
	"      SELECT CASE WHEN COUNT(*) > 0 THEN error('secret of /etc/passwd') ELSE 'x' END AS x "
	"FROM events\n";

static const char first_system_metrics[] =
	"kpis:\n"
	"  - id: old_word\n"
	"    name: Old Word\n"
	"    visualisation: bar\n"
	"    sql: SELECT '${word}' AS word, COUNT(*) AS count FROM events\n";

struct fixture {
	struct gold_fixture gold;
	struct metrics *metrics;
	struct serve *serve;
	struct serve_options options;
	struct check_path metrics_folder;
	struct arena arena;
};

struct answer {
	struct buf bytes;
	int status;
	struct span head; /* status line and headers */
	struct span body;
};

static void read_pipeline(void *context, struct serve_pipeline *pipeline_out)
{
	(void)context;
	*pipeline_out = (struct serve_pipeline){.mode = "serve"};
}

static void write_metrics(struct fixture *f, const char *name, const char *text)
{
	struct err err = {0};
	REQUIRE(file_write(path_below(&f->metrics_folder, name).text, span_of(text), &err));
}

static void start(struct fixture *f)
{
	struct err err = {0};
	REQUIRE(serve_start(&f->options, &f->serve, &err));
}

/* The metrics of this test are sound. */
static bool show_problems(struct metrics *metrics)
{
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	size_t count = catalogue->problem_count;
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stderr, "%d: %.*s\n", catalogue->problems[i].line,
			SPAN_ARGUMENTS(catalogue->problems[i].text));
	metrics_release(metrics, catalogue);
	return count > 0;
}

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){0};
	gold_fixture_begin(&f.gold, NULL);
	gold_fixture_put(&f.gold, 1, events);
	(void)gold_fixture_load(&f.gold);
	f.metrics_folder = temporary_folder_create();
	write_metrics(&f, "own.yaml", own_metrics);
	write_metrics(&f, "old.yaml", first_system_metrics);
	const char *const paths[] = {f.metrics_folder.text};
	f.metrics = metrics_create(&(struct metrics_options){
		.gold = f.gold.gold, .paths = paths, .path_count = 1, .clock = clock_system()});
	f.options = (struct serve_options){
		.layout = &f.gold.lake.layout,
		.gold = f.gold.gold,
		.metrics = f.metrics,
		.clock = clock_system(),
		.host = "127.0.0.1",
		.read_pipeline = read_pipeline,
	};
	arena_init(&f.arena, (size_t)64 * 1024 * 1024);
	*state = &f;
	if (show_problems(f.metrics))
		return 1;
	start(&f);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	serve_stop(&f->serve);
	metrics_destroy(&f->metrics);
	gold_fixture_end(&f->gold);
	temporary_folder_remove(&f->metrics_folder);
	arena_finish(&f->arena);
	return 0;
}

static void answer_finish(struct answer *answer)
{
	buf_finish(&answer->bytes);
}

/* `headers`: whole lines. */
static struct answer ask_with(int port, const char *method, const char *target, const char *headers)
{
	struct answer answer = {.bytes = {.size_max = ANSWER_BYTES_MAX}};
	CLEANUP(buf_finish) struct buf request = {.size_max = 1024 * 1024};
	buf_printf(
		&request, "%s %s HTTP/1.1\r\nConnection: close\r\n%s\r\n", method, target, headers);
	int client = tcp_connect(port);
	(void)tcp_send(client, buf_span(&request));
	tcp_receive_all(client, &answer.bytes);
	(void)close(client);
	struct span bytes = buf_span(&answer.bytes);
	const char *end = bytes.data ? memmem(bytes.data, bytes.size, "\r\n\r\n", 4) : NULL;
	int64_t status = 0;
	if (!end || !span_parse_int64(span_make(bytes.data + strlen("HTTP/1.1 "), 3), &status))
		fail_msg("no answer to %s", target);
	answer.status = (int)status;
	answer.head = span_make(bytes.data, (size_t)(end - bytes.data) + 2);
	answer.body = span_make(end + 4, bytes.size - (size_t)(end + 4 - bytes.data));
	return answer;
}

static struct answer ask(struct fixture *f, const char *target)
{
	return ask_with(serve_api_port(f->serve), "GET", target, "Host: localhost\r\n");
}

static const struct json_node *ask_json(struct fixture *f, const char *target, int status)
{
	CLEANUP(answer_finish) struct answer answer = ask(f, target);
	if (answer.status != status)
		fail_msg("%s: %.*s%.*s", target, SPAN_ARGUMENTS(answer.head),
			SPAN_ARGUMENTS(answer.body));
	return parse(arena_copy(&f->arena, answer.body), &f->arena);
}

/* The header's line, with its end. */
static struct span header_line(const struct answer *answer, const char *name)
{
	char start[64];
	(void)snprintf(start, sizeof(start), "\n%s", name);
	const char *line = memmem(answer->head.data, answer->head.size, start, strlen(start));
	if (!line)
		fail_msg("no %s in %.*s", name, SPAN_ARGUMENTS(answer->head));
	const char *end = strstr(++line, "\r\n");
	return span_make(line, (size_t)(end - line) + 2);
}

/* ---- /kpi ---- */

static void test_kpi_has_four_keys_and_no_limit(void **state)
{
	static const char *const keys[] = {"id", "name", "visualisation", "data"};
	const struct json_node *root = ask_json(*state, "/kpi/test_rows?n=20000", 200);
	check_keys(root, keys, ARRAY_COUNT(keys));
	check_text(root, "id", "test_rows");
	check_text(root, "visualisation", "table");
	assert_int_equal(at(root, "data")->count, 20000);
	check_integer(root, "data/19999/i", 19999);
	check_integer(ask_json(*state, "/kpi/test_rows?n=9&limit=4", 200), "data/3/i", 3);
}

static void test_kpi_names_what_it_ignores(void **state)
{
	struct fixture *f = *state;
	CLEANUP(answer_finish)
	struct answer some = ask(f, "/kpi/test_rows?ofset=5&n=1&a%0d%0aX-Evil:%201=2&format=csv");
	assert_int_equal(some.status, 200);
	check_has(header_line(&some, "X-Ignored-Parameters"), "ofset");
	check_has(header_line(&some, "X-Ignored-Parameters"), "format");
	check_lacks(some.head, "\nX-Evil");
	CLEANUP(answer_finish) struct answer none = ask(f, "/kpi/test_rows?n=1");
	check_lacks(none.head, "X-Ignored");
}

static void test_kpi_refuses_bad_values(void **state)
{
	const struct json_node *root = ask_json(*state, "/kpi/test_rows?n=abc", 422);
	check_text(root, "type", "/problems/invalid-parameter");
	check_text(root, "errors/0/name", "n");
	check_text(root, "errors/0/code", "type");
	assert_true(span_equal(at(root, "error")->text, at(root, "detail")->text));
	root = ask_json(*state, "/kpi/test_row", 404);
	check_text(root, "type", "/problems/unknown-metric");
	check_text(root, "errors/0/suggestion", "test_rows");
}

static void test_metrics_of_the_first_form(void **state)
{
	check_text(ask_json(*state, "/kpi/old_word", 422), "errors/0/code", "required");
	const struct json_node *root = ask_json(*state, "/kpi/old_word?word=it's%20%3B%20--", 200);
	check_text(root, "data/0/word", "it's ; --");
	check_integer(root, "data/0/count", 2);
	root = ask_json(*state, "/api/v1/metrics/old_word", 200);
	check_text(root, "chart/kind", "bar");
	check_text(root, "chart/x", "word");
	check_text(root, "chart/y/0", "count");
}

/* ---- data ---- */

static void test_data_is_strict_and_limited(void **state)
{
	const struct json_node *root = ask_json(*state, "/api/v1/metrics/test_rows/data?n=4", 200);
	assert_int_equal(at(root, "data")->count, 2);
	check_integer(root, "meta/rows", 2);
	check_boolean(root, "meta/truncated", true);
	check_integer(root, "meta/limit", 2);
	check_integer(root, "meta/parameters/n", 4);
	check_null(root, "meta/parameters/text");
	check_text(root, "meta/caveat", "Made up.");
	check_text(root, "meta/data_to", "2026-09-20T12:30:00Z");
	root = ask_json(*state, "/api/v1/metrics/test_rows/data.json?limit=5&n=5", 200);
	check_boolean(root, "meta/truncated", false);

	root = ask_json(*state, "/api/v1/metrics/test_rows/data?m=1&n=-1&limit=9&as_of=x", 422);
	assert_int_equal(at(root, "errors")->count, 4);
	check_text(root, "errors/0/code", "unknown");
	check_text(root, "errors/0/in", "query");
	check_text(ask_json(*state, "/api/v1/metrics/test_rows/data?format=xml", 422),
		"errors/0/name", "format");
	check_text(ask_json(*state, "/api/v1/metrics/test_rows/data.csv?format=json", 422),
		"errors/0/code", "value");
	check_text(ask_json(*state, "/api/v1/metrics/test_rows/data?format=csv&format=csv", 422),
		"errors/0/code", "repeated");
	check_text(ask_json(*state, "/api/v1/metrics/test_rows/data?cursor=1", 422),
		"errors/0/name", "cursor");
}

static void test_hints(void **state)
{
	const struct json_node *root = ask_json(*state, "/api/v1/metrics/test_window/data", 200);
	check_text(root, "meta/hint", "data ends 2026-09-20T12:30:00Z; try as_of=data");
	assert_int_equal(at(root, "data")->count, 0);
	root = ask_json(*state, "/api/v1/metrics/test_window/data?as_of=data", 200);
	check_integer(root, "data/0/id", 2);
	check_integer(root, "meta/lag_seconds", 0);
	root = ask_json(*state, "/api/v1/metrics/test_window/data?as_of=2026-09-20T12:00:30Z", 200);
	check_text(root, "data/0/repo_name", "<b>x</b>");
	check_text(root, "data/0/created_at", "2026-09-20T12:00:00Z");
	root = ask_json(*state, "/api/v1/metrics/test_window/data?as_of=2026-09-01T00:00:00Z", 200);
	check_text(root, "meta/hint", "data begins 2026-09-20T12:00:00Z, after as_of");
}

static void test_csv_download(void **state)
{
	struct fixture *f = *state;
	CLEANUP(answer_finish)
	struct answer all = ask(f, "/api/v1/metrics/test_rows/data.csv?n=4&as_of=data");
	assert_int_equal(all.status, 200);
	check_has(header_line(&all, "Content-Type"), "text/csv");
	check_has(header_line(&all, "X-Truncated"), "false");
	check_has(header_line(&all, "Content-Disposition"),
		"attachment; filename=\"test_rows_n-4_2026-09-20T12-30-00Z.csv\"");
	assert_true(span_equal_text(
		all.body, "i,word\r\n0,'=1+1\r\n1,'=1+1\r\n2,'=1+1\r\n3,'=1+1\r\n"));
	CLEANUP(answer_finish)
	struct answer cut = ask(f, "/api/v1/metrics/test_rows/data?n=9&format=csv");
	check_has(header_line(&cut, "X-Truncated"), "true");
	check_has(cut.body, "\r\n4,");
	check_lacks(cut.body, "\r\n5,");
	CLEANUP(answer_finish)
	struct answer named =
		ask(f, "/api/v1/metrics/test_rows/data.csv?text=%22%0d%0aX:%20../../e");
	check_has(header_line(&named, "Content-Disposition"), "filename=\"test_rows_n-3_text-");
	check_lacks(header_line(&named, "Content-Disposition"), "/");
	check_lacks(named.head, "\nX: ");
}

static void test_same_data_is_not_sent_again(void **state)
{
	static const char *const targets[] = {"/api/v1/metrics/test_rows/data", "/kpi/test_rows",
		"/api/v1/metrics/test_rows/data.csv", "/api/v1/metrics",
		"/api/v1/metrics/test_rows", "/docs"};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
		CLEANUP(answer_finish) struct answer first = ask(f, targets[i]);
		CLEANUP(buf_finish) struct buf headers = {.size_max = 1024};
		struct span tag = header_line(&first, "ETag: ");
		assert_int_equal(first.status, 200);
		buf_append_text(&headers, "Host: localhost\r\nIf-None-Match: ");
		buf_append(&headers, tag.data + 6, tag.size - 6);
		CLEANUP(answer_finish)
		struct answer again =
			ask_with(serve_api_port(f->serve), "GET", targets[i], headers.data);
		if (again.status != 304 || again.body.size > 0)
			fail_msg("%s: %d", targets[i], again.status);
		assert_true(span_equal(header_line(&again, "ETag: "), tag));
	}
	CLEANUP(answer_finish) struct answer one = ask(f, "/api/v1/metrics/test_rows/data?n=1");
	CLEANUP(answer_finish) struct answer two = ask(f, "/api/v1/metrics/test_rows/data?n=2");
	assert_false(span_equal(header_line(&one, "ETag: "), header_line(&two, "ETag: ")));
	check_has(header_line(&one, "Cache-Control"), "max-age=7, stale-while-revalidate=30");
}

/* ---- what goes wrong ---- */

static void test_slow_queries_end_and_hold_up_nobody(void **state)
{
	struct fixture *f = *state;
	int64_t timeouts = counter_read(COUNTER_QUERY_TIMEOUTS);
	CLEANUP(answer_finish) struct answer slow = ask(f, "/kpi/test_slow");
	assert_int_equal(slow.status, 504);
	check_has(header_line(&slow, "Retry-After"), "10");
	check_has(slow.body, "/problems/query-timeout");
	assert_int_equal(counter_read(COUNTER_QUERY_TIMEOUTS), timeouts + 1);
	(void)ask_json(f, "/kpi/test_rows", 200);
}

static void test_broken_metrics_tell_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t failures = counter_read(COUNTER_HTTP_ERRORS);
	CLEANUP(answer_finish) struct answer broken = ask(f, "/api/v1/metrics/test_broken/data");
	assert_int_equal(broken.status, 503);
	check_has(broken.body, "/problems/metric-broken");
	check_lacks(broken.body, "secret");
	check_lacks(broken.body, "passwd");
	check_lacks(broken.body, "SELECT");
	assert_int_equal(counter_read(COUNTER_HTTP_ERRORS), failures + 1);
}

static void test_paths_and_methods(void **state)
{
	struct fixture *f = *state;
	const struct json_node *root = ask_json(f, "/api/v1/metric", 404);
	check_text(root, "type", "/problems/not-found");
	check_text(root, "errors/0/suggestion", "/api/v1/metrics");
	(void)ask_json(f, "/nowhere/%3Cscript%3E", 404);
	CLEANUP(answer_finish)
	struct answer post = ask_with(serve_api_port(f->serve), "POST", "/kpi/test_rows",
		"Host: localhost\r\nContent-Length: 0\r\n");
	assert_int_equal(post.status, 405);
	check_has(header_line(&post, "Allow"), "GET, HEAD");
	CLEANUP(answer_finish)
	struct answer head =
		ask_with(serve_api_port(f->serve), "HEAD", "/kpi/test_rows", "Host: localhost\r\n");
	assert_int_equal(head.status, 200);
	assert_int_equal(head.body.size, 0);
}

static void test_other_sites_names_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const targets[] = {"/", "/kpi/test_rows", "/healthz", "/nowhere"};
	for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
		CLEANUP(answer_finish)
		struct answer answer = ask_with(serve_ui_port(f->serve), "GET", targets[i],
			"Host: rebind.example:8501\r\n");
		assert_int_equal(answer.status, 421);
		check_has(answer.body, "/problems/wrong-host");
	}
	CLEANUP(answer_finish)
	struct answer ours =
		ask_with(serve_ui_port(f->serve), "GET", "/healthz", "Host: 127.0.0.1:1\r\n");
	assert_int_equal(ours.status, 200);
}

static void test_a_taken_port_is_named(void **state)
{
	struct fixture *f = *state;
	struct serve *second = NULL;
	struct err err = {0};
	struct serve_options options = f->options;
	options.api_port = serve_api_port(f->serve);
	assert_false(serve_start(&options, &second, &err));
	assert_null(second);
	assert_int_equal(err.exit_code, 6);
}

/* ---- the rest ---- */

static void test_every_route_answers_on_both_ports(void **state)
{
	struct fixture *f = *state;
	const int ports[] = {serve_api_port(f->serve), serve_ui_port(f->serve)};
	for (size_t i = 0; i < route_count * 2; i++) {
		char target[128];
		const char *pattern = routes[i / 2].pattern;
		const char *id = strstr(pattern, "{id}");
		(void)snprintf(target, sizeof(target), "%.*s%s%s",
			(int)(id ? id - pattern : (ptrdiff_t)strlen(pattern)), pattern,
			id ? "test_rows" : "", id ? id + strlen("{id}") : "");
		CLEANUP(answer_finish)
		struct answer answer = ask_with(ports[i % 2], "GET", target, "Host: localhost\r\n");
		/* A build without the dashboard has none of its files. */
		if (answer.status >= 400
			&& !(answer.status == 404 && strncmp(target, "/app.", 5) == 0))
			fail_msg("%s: %d", target, answer.status);
		check_has(header_line(&answer, "X-Content-Type-Options"), "nosniff");
		check_has(header_line(&answer, "Referrer-Policy"), "no-referrer");
		check_has(header_line(&answer, "Content-Security-Policy"), "default-src 'none'");
		(void)header_line(&answer, "Cache-Control");
	}
}

static void test_the_ports_open_at_their_pages(void **state)
{
	struct fixture *f = *state;
	CLEANUP(answer_finish) struct answer api = ask(f, "/");
	assert_int_equal(api.status, 302);
	check_has(header_line(&api, "Location"), "/docs\r\n");
	CLEANUP(answer_finish)
	struct answer ui = ask_with(serve_ui_port(f->serve), "GET", "/", "Host: localhost\r\n");
	assert_int_equal(ui.status, 200);
	check_has(header_line(&ui, "Content-Type"), "text/html");
	CLEANUP(answer_finish) struct answer docs = ask(f, "/docs");
	check_has(docs.body, "test_rows");
	check_has(docs.body, "avg_pr_time");
	check_has(docs.body, "curl &#39;http://localhost/api/v1/metrics/test_rows/data?n=3&#39;");
}

static void test_health(void **state)
{
	check_text(ask_json(*state, "/healthz", 200), "status", "ok");
	const struct json_node *root = ask_json(*state, "/readyz", 200);
	check_text(root, "status", "ready");
	check_text(root, "gold", "ready");
	check_integer(root, "problems", 0);
}

static void test_list_follows_the_files(void **state)
{
	struct fixture *f = *state;
	int64_t revision = at(ask_json(f, "/api/v1/metrics", 200), "revision")->integer;
	write_metrics(f, "faulty.yaml", "version: 2\nkpis:\n  - id: x\n    nam: y\n");
	assert_true(metrics_reload(f->metrics, false));
	CLEANUP(answer_finish) struct answer list = ask(f, "/api/v1/metrics");
	const struct json_node *root = parse(list.body, &f->arena);
	assert_true(at(root, "revision")->integer > revision);
	check_text(root, "problems/0/file", "faulty.yaml");
	check_lacks(list.body, f->metrics_folder.text);
	CLEANUP(answer_finish) struct answer docs = ask(f, "/docs");
	check_has(docs.body, "faulty.yaml:");
	check_lacks(docs.body, f->metrics_folder.text);
}

static void test_pipeline_reads_the_catalog(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	const struct quarantined bad = {.stage = "ingest",
		.reason = "not-json",
		.detail = "at byte 0",
		.path = "/events",
		.raw = span_of("<html>")};
	const struct sweep sweep = {.stream = "/events",
		.status = SWEEP_OK,
		.started_at_us = 1700000000000000,
		.finished_at_us = 1700000001000000,
		.pages = 1,
		.overlap = -1,
		.quota_limit = -1,
		.quota_remaining = -1};
	const struct batch_write write = {
		.quarantined = &bad, .quarantined_count = 1, .sweeps = &sweep, .sweep_count = 1};
	const struct json_node *root = ask_json(f, "/api/v1/pipeline", 200);
	check_text(root, "mode", "serve");
	check_integer(root, "ledger/received", 2);
	check_integer(root, "ledger/stored", 2);
	check_boolean(root, "ledger/balanced", true);
	check_integer(root, "layers/gold/rows", 2);
	assert_int_equal(at(root, "quarantine")->count, 0);
	REQUIRE(catalog_store_batch(f->gold.lake.catalog, &write, &err));
	root = ask_json(f, "/api/v1/pipeline", 200);
	check_text(root, "quarantine/0/first_bytes", "<html>");
	check_text(root, "sweeps/0/status", "ok");
}

static void *be_a_client(void *context)
{
	static const char *const targets[] = {"/kpi/test_rows?n=100", "/api/v1/pipeline",
		"/api/v1/metrics", "/api/v1/metrics/event_count_offset/data", "/docs"};
	struct fixture *f = context;
	size_t good = 0;
	for (size_t i = 0; i < REQUESTS_PER_CLIENT; i++) {
		CLEANUP(answer_finish)
		struct answer answer = ask(f, targets[i % ARRAY_COUNT(targets)]);
		good += answer.status == 200;
	}
	return (void *)good;
}

static void test_many_clients_while_files_change(void **state)
{
	struct fixture *f = *state;
	pthread_t clients[CLIENTS];
	for (size_t i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&clients[i], NULL, be_a_client, f), 0);
	for (int i = 0; i < 5; i++)
		(void)metrics_reload(f->metrics, true);
	for (size_t i = 0; i < CLIENTS; i++) {
		void *good = NULL;
		(void)pthread_join(clients[i], &good);
		assert_int_equal((size_t)good, REQUESTS_PER_CLIENT);
	}
}

static void *ask_endless(void *context)
{
	CLEANUP(answer_finish) struct answer answer = ask(context, "/kpi/test_endless");
	return (void *)(intptr_t)answer.status;
}

static void test_stopping_interrupts_queries(void **state)
{
	struct fixture *f = *state;
	pthread_t client;
	void *status = NULL;
	assert_int_equal(pthread_create(&client, NULL, ask_endless, f), 0);
	clock_sleep_ms(300);
	int64_t begun_ms = clock_monotonic_ms(clock_system());
	serve_stop(&f->serve);
	assert_true(clock_monotonic_ms(clock_system()) - begun_ms < 10000);
	(void)pthread_join(client, &status);
	assert_true((intptr_t)status == 503 || (intptr_t)status == 504);
	start(f);
	(void)ask_json(f, "/kpi/test_rows", 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kpi_has_four_keys_and_no_limit),
		cmocka_unit_test(test_kpi_names_what_it_ignores),
		cmocka_unit_test(test_kpi_refuses_bad_values),
		cmocka_unit_test(test_metrics_of_the_first_form),
		cmocka_unit_test(test_data_is_strict_and_limited),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_csv_download),
		cmocka_unit_test(test_same_data_is_not_sent_again),
		cmocka_unit_test(test_slow_queries_end_and_hold_up_nobody),
		cmocka_unit_test(test_broken_metrics_tell_nothing),
		cmocka_unit_test(test_paths_and_methods),
		cmocka_unit_test(test_other_sites_names_are_refused),
		cmocka_unit_test(test_a_taken_port_is_named),
		cmocka_unit_test(test_every_route_answers_on_both_ports),
		cmocka_unit_test(test_the_ports_open_at_their_pages),
		cmocka_unit_test(test_health),
		cmocka_unit_test(test_many_clients_while_files_change),
		cmocka_unit_test(test_pipeline_reads_the_catalog),
		cmocka_unit_test(test_list_follows_the_files),
		cmocka_unit_test(test_stopping_interrupts_queries),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
