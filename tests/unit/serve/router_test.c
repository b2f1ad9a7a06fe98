/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "serve/router.h"

static void nothing(struct call *call)
{
	(void)call;
}

static const struct route table[] = {
	{"GET", "/", nothing, "root"},
	{"GET", "/kpi/{id}", nothing, "kpi"},
	{"GET", "/api/v1/metrics", nothing, "list"},
	{"GET", "/api/v1/metrics/{id}", nothing, "one"},
	{"GET", "/api/v1/metrics/{id}/data", nothing, "data"},
	{"GET", "/api/v1/metrics/{id}/data.csv", nothing, "csv"},
	{"GET", "/docs", nothing, "docs"},
};

static void check_route(const char *path, const char *summary, const char *id)
{
	struct span found_id = {0};
	const struct route *route =
		router_find(table, ARRAY_COUNT(table), span_of(path), &found_id);
	if (!summary) {
		if (route)
			fail_msg("%s led to %s", path, route->summary);
		return;
	}
	if (!route)
		fail_msg("%s led nowhere", path);
	else
		assert_string_equal(route->summary, summary);
	if (!id)
		assert_null(found_id.data);
	else if (!span_equal_text(found_id, id))
		fail_msg("%s: id %.*s", path, SPAN_ARGUMENTS(found_id));
}

static void test_paths_lead_to_routes(void **state)
{
	(void)state;
	check_route("/", "root", NULL);
	check_route("/kpi/a", "kpi", "a");
	check_route("/kpi/a b", "kpi", "a b");
	check_route("/api/v1/metrics", "list", NULL);
	check_route("/api/v1/metrics/x", "one", "x");
	check_route("/api/v1/metrics/data", "one", "data");
	check_route("/api/v1/metrics/x/data", "data", "x");
	check_route("/api/v1/metrics/x/data.csv", "csv", "x");
	check_route("/docs", "docs", NULL);
}

static void test_other_paths_lead_nowhere(void **state)
{
	(void)state;
	check_route("", NULL, NULL);
	check_route("//", NULL, NULL);
	check_route("/kpi", NULL, NULL);
	check_route("/kpi/", NULL, NULL);
	check_route("/kpi/a/", NULL, NULL);
	check_route("/kpi/a/b", NULL, NULL);
	check_route("/docs/", NULL, NULL);
	check_route("/doc", NULL, NULL);
	check_route("/docs2", NULL, NULL);
	check_route("/api/v1/metrics//data", NULL, NULL);
	check_route("docs", NULL, NULL);
	check_route("/DOCS", NULL, NULL);
}

static void check_suggestion(const char *path, const char *wanted)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = 64 * 1024};
	const char *near = router_suggest(table, ARRAY_COUNT(table), span_of(path), &arena);
	if (wanted && near)
		assert_string_equal(near, wanted);
	else if (wanted || near)
		fail_msg("%s: suggested %s", path, near ? near : "nothing");
}

static void test_near_paths_are_suggested(void **state)
{
	(void)state;
	check_suggestion("/doc", "/docs");
	check_suggestion("/docs/", "/docs");
	check_suggestion("/kpis/event_count_offset", "/kpi/event_count_offset");
	check_suggestion("/api/v1/metric", "/api/v1/metrics");
	check_suggestion("/api/v1/metrics/stars/dat", "/api/v1/metrics/stars/data");
	check_suggestion("/api/v2/metrics/stars/data", "/api/v1/metrics/stars/data");
	check_suggestion("/wp-admin/setup-config.php", NULL);
	check_suggestion("/api/metrics", "/api/v1/metrics");
	check_suggestion("/api/v1/metric/x", "/api/v1/metrics/x");
	check_suggestion("/kpi/a/", "/kpi/a");
	check_suggestion("/kpi/", NULL);
	check_suggestion("", NULL);
}

static void test_local_hosts(void **state)
{
	(void)state;
	static const char *const local[] = {"localhost", "LocalHost:9000", "127.0.0.1",
		"127.0.0.1:1", "[::1]", "[::1]:8501", "127.0.0.2:9000"};
	static const char *const other[] = {"", ":9000", "evil.example", "evil.example:9000",
		"localhost.evil.example", "127.0.0.1.evil.example", "localhost:9000.evil.example",
		"127.0.0.1:80a", "[::1", "[::1]x", "[::1].evil.example", "[::2]", "10.0.0.1",
		"127.0.0.3", "localhost:9000:9000", "user@localhost", "localhost "};
	for (size_t i = 0; i < ARRAY_COUNT(local); i++)
		if (!router_host_is_local(span_of(local[i]), "127.0.0.2"))
			fail_msg("%s refused", local[i]);
	for (size_t i = 0; i < ARRAY_COUNT(other); i++)
		if (router_host_is_local(span_of(other[i]), "127.0.0.2"))
			fail_msg("%s taken", other[i]);
	assert_false(router_host_is_local((struct span){0}, "127.0.0.1"));
}

static void test_loopback_addresses(void **state)
{
	(void)state;
	assert_true(router_address_is_loopback("127.0.0.1"));
	assert_true(router_address_is_loopback("localhost"));
	assert_true(router_address_is_loopback("::1"));
	assert_false(router_address_is_loopback("0.0.0.0"));
	assert_false(router_address_is_loopback("::"));
	assert_false(router_address_is_loopback("192.168.127.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_lead_to_routes),
		cmocka_unit_test(test_other_paths_lead_nowhere),
		cmocka_unit_test(test_near_paths_are_suggested),
		cmocka_unit_test(test_local_hosts),
		cmocka_unit_test(test_loopback_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
