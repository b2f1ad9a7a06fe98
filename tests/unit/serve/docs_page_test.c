/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_support.h"

#include "serve/docs_page.h"

#define HOSTILE "</code><script>alert('\"1\"')</script>"

static const struct span values[] = {SPAN_LITERAL(HOSTILE)};
static const struct metric_parameter parameters[] = {
	{.name = SPAN_LITERAL("offset"),
		.type = PARAMETER_INTEGER,
		.default_text = SPAN_LITERAL("60"),
		.minimum = SPAN_LITERAL("1"),
		.maximum = SPAN_LITERAL("43200")},
	{.name = SPAN_LITERAL("repo"), .type = PARAMETER_REPO, .required = true},
	{.name = SPAN_LITERAL("optional"), .type = PARAMETER_STRING},
	{.name = SPAN_LITERAL("evil"),
		.type = PARAMETER_ENUM,
		.required = true,
		.description = SPAN_LITERAL(HOSTILE),
		.unit = SPAN_LITERAL(HOSTILE),
		.values = values,
		.value_count = 1},
};
static const struct metric_column columns[] = {
	{.name = SPAN_LITERAL(HOSTILE),
		.unit = SPAN_LITERAL(HOSTILE),
		.description = SPAN_LITERAL(HOSTILE)},
};

static void nothing(struct call *call)
{
	(void)call;
}

static const struct route table[] = {{"GET", "/kpi/{id}", nothing, "One & all"}};

static void render(const struct metric *metric, bool demo, struct buf *out)
{
	const struct metric_problem problem = {.file = span_of("/home/someone/" HOSTILE),
		.line = 3,
		.column = 4,
		.text = span_of(HOSTILE)};
	const struct metric_catalogue catalogue = {metric, 1, &problem, 1, 1};
	const struct docs_page page = {&catalogue, table, 1, span_of("127.0.0.1:9000"), demo};
	docs_page_render(&page, out);
	assert_false(out->failed);
}

static void test_page_tells_metrics_and_routes(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf out = {.size_max = 1024 * 1024};
	const struct metric metric = {
		.id = span_of("event_count_offset"),
		.name = span_of("Event Counts"),
		.group = span_of("Activity"),
		.description = span_of("Events of each type."),
		.caveat = span_of("A sample."),
		.built_in = true,
		.parameters = parameters,
		.parameter_count = 3,
	};
	render(&metric, false, &out);
	struct span page = buf_span(&out);
	check_has(page, "<h2>Event Counts</h2>");
	check_has(page, "href=\"#metric-event_count_offset\"");
	check_has(page, "id=\"metric-event_count_offset\"");
	check_has(page, "Events of each type.");
	check_has(page, "A sample.");
	check_has(page, "1 to 43200");
	check_has(page, "curl &#39;http://127.0.0.1:9000/api/v1/metrics/event_count_offset/data"
			"?offset=60&amp;repo=owner%2Fname&#39;");
	check_has(page, "href=\"/api/v1/metrics/event_count_offset/"
			"data.csv?offset=60&amp;repo=owner%2Fname\"");
	check_has(page, "href=\"/kpi/event_count_offset?");
	check_has(page, "<code>GET /kpi/{id}</code>");
	check_has(page, "One &amp; all");
	check_has(page, "/problems/query-timeout");
	check_lacks(page, "Demo");
	check_lacks(page, "style=");
	check_lacks(page, "<script");
}

static void test_hostile_texts_stay_text(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf out = {.size_max = 1024 * 1024};
	const struct metric metric = {
		.id = span_of("a\"><script>b"),
		.name = span_of(HOSTILE),
		.group = span_of(HOSTILE),
		.description = span_of(HOSTILE),
		.caveat = span_of(HOSTILE),
		.parameters = parameters,
		.parameter_count = ARRAY_COUNT(parameters),
		.columns = columns,
		.column_count = 1,
	};
	render(&metric, true, &out);
	struct span page = buf_span(&out);
	check_lacks(page, "<script");
	check_lacks(page, "alert('");
	check_lacks(page, "a\"><");
	check_lacks(page, "someone");
	check_has(page, "&lt;script&gt;");
	check_has(page, "Demo: all events are made up.");
}

static void test_real_routes_have_summaries(void **state)
{
	(void)state;
	assert_true(route_count > 10);
	for (size_t i = 0; i < route_count; i++) {
		struct span id = {0};
		assert_true(routes[i].summary[0] != '\0');
		assert_string_equal(routes[i].method, "GET");
		/* None is hidden by one before it. */
		assert_ptr_equal(router_find(routes, route_count, span_of(routes[i].pattern), &id),
			&routes[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_tells_metrics_and_routes),
		cmocka_unit_test(test_hostile_texts_stay_text),
		cmocka_unit_test(test_real_routes_have_summaries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
