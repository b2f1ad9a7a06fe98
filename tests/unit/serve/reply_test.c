/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/serve/serve_support.h"

#include "serve/reply.h"
#include "serve/serve.h"

struct fixture {
	struct arena arena;
	struct http_reply reply;
	struct http_request request;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){0};
	arena_init(&f.arena, (size_t)1024 * 1024);
	buf_init(&f.reply.body, (size_t)1024 * 1024);
	f.request.arena = &f.arena;
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->reply.body);
	arena_finish(&f->arena);
	return 0;
}

/* The one header of that name; absent when there is none. */
static struct span header(const struct http_reply *reply, const char *name)
{
	struct span value = {0};
	for (size_t i = 0; i < reply->header_count; i++) {
		if (!span_equal_ignore_case(reply->headers[i].name, span_of(name)))
			continue;
		if (value.data)
			fail_msg("%s twice", name);
		value = reply->headers[i].value;
	}
	return value;
}

static void test_every_reply_has_security_headers(void **state)
{
	struct fixture *f = *state;
	reply_begin(&f->reply, 200, REPLY_JSON, "no-store");
	assert_true(span_equal_text(header(&f->reply, "Content-Security-Policy"),
		"default-src 'none'; frame-ancestors 'none'"));
	assert_true(span_equal_text(header(&f->reply, "Referrer-Policy"), "no-referrer"));
	assert_true(span_equal_text(header(&f->reply, "Cache-Control"), "no-store"));
	reply_begin(&f->reply, 200, REPLY_HTML, "no-cache");
	struct span policy = header(&f->reply, "Content-Security-Policy");
	check_has(policy, "default-src 'none'");
	check_has(policy, "script-src 'self'");
	check_has(policy, "form-action 'none'");
	check_lacks(policy, "unsafe");
	check_lacks(policy, "*");
}

static void test_beginning_again_forgets(void **state)
{
	struct fixture *f = *state;
	reply_begin(&f->reply, 200, REPLY_JSON, "no-store");
	http_reply_header(&f->reply, "X-Old", span_of("1"));
	buf_append_text(&f->reply.body, "half a reply");
	f->reply.body.failed = true;
	reply_problem(&f->reply, &(struct problem){.kind = PROBLEM_BUSY}, 1);
	assert_null(header(&f->reply, "X-Old").data);
	assert_false(f->reply.body.failed);
	check_lacks(buf_span(&f->reply.body), "half");
}

static void test_problem_document(void **state)
{
	static const char *const keys[] = {
		"type", "title", "status", "instance", "detail", "error", "errors"};
	struct fixture *f = *state;
	struct argument_fault faults[] = {
		{span_of("ofset"), "unknown", span_of("Unknown parameter 'ofset'."),
			span_of("offset")},
		{span_of("limit"), "range", span_of("limit <must> be less"), {0}},
	};
	struct problem problem = problem_of_faults(faults, ARRAY_COUNT(faults));
	reply_problem(&f->reply, &problem, 42);
	assert_int_equal(f->reply.status, 422);
	assert_string_equal(f->reply.content_type, "application/problem+json");
	assert_true(span_equal_text(header(&f->reply, "Cache-Control"), "no-store"));
	assert_null(header(&f->reply, "Retry-After").data);

	const struct json_node *root = parse(buf_span(&f->reply.body), &f->arena);
	check_keys(root, keys, ARRAY_COUNT(keys));
	check_text(root, "type", "/problems/invalid-parameter");
	check_text(root, "title", "Invalid parameter");
	check_integer(root, "status", 422);
	check_text(root, "instance", "/requests/42");
	check_text(root, "detail", "Unknown parameter 'ofset'.");
	check_text(root, "error", "Unknown parameter 'ofset'.");
	assert_int_equal(at(root, "errors")->count, 2);
	check_text(root, "errors/0/in", "query");
	check_text(root, "errors/0/name", "ofset");
	check_text(root, "errors/0/code", "unknown");
	check_text(root, "errors/0/suggestion", "offset");
	check_text(root, "errors/1/detail", "limit <must> be less");
	assert_null(json_get(at(root, "errors/1"), "suggestion"));
	check_lacks(buf_span(&f->reply.body), "<must>");
}

static void test_faults_without_a_server(void **state)
{
	struct fixture *f = *state;
	struct argument_fault fault = {span_of("x"), "type", span_of("x must be a number"), {0}};
	serve_render_faults(&fault, 1, 7, &f->reply.body);
	const struct json_node *root = parse(buf_span(&f->reply.body), &f->arena);
	check_text(root, "instance", "/requests/7");
	check_text(root, "errors/0/code", "type");
}

static void test_kinds_of_problems(void **state)
{
	static const struct {
		enum problem_kind kind;
		int status;
		const char *type;
		bool passes;
	} kinds[] = {
		{PROBLEM_INVALID_PARAMETER, 422, "/problems/invalid-parameter", false},
		{PROBLEM_UNKNOWN_METRIC, 404, "/problems/unknown-metric", false},
		{PROBLEM_NOT_FOUND, 404, "/problems/not-found", false},
		{PROBLEM_METHOD_NOT_ALLOWED, 405, "/problems/method-not-allowed", false},
		{PROBLEM_WRONG_HOST, 421, "/problems/wrong-host", false},
		{PROBLEM_METRIC_BROKEN, 503, "/problems/metric-broken", true},
		{PROBLEM_BUSY, 503, "/problems/busy", true},
		{PROBLEM_REBUILDING, 503, "/problems/rebuilding", true},
		{PROBLEM_UNAVAILABLE, 503, "/problems/unavailable", true},
		{PROBLEM_QUERY_TIMEOUT, 504, "/problems/query-timeout", true},
	};
	struct fixture *f = *state;
	assert_int_equal(ARRAY_COUNT(kinds), PROBLEM_KIND_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		reply_problem(&f->reply, &(struct problem){.kind = kinds[i].kind}, 1);
		const struct json_node *root = parse(buf_span(&f->reply.body), &f->arena);
		assert_int_equal(f->reply.status, kinds[i].status);
		check_integer(root, "status", kinds[i].status);
		check_text(root, "type", kinds[i].type);
		assert_true(at(root, "detail")->text.size > 0);
		assert_null(json_get(root, "errors"));
		assert_int_equal(header(&f->reply, "Retry-After").data != NULL, kinds[i].passes);
		assert_int_equal(header(&f->reply, "Allow").data != NULL, kinds[i].status == 405);
	}
}

static void test_tag_lists(void **state)
{
	(void)state;
	struct span tag = span_of("\"ab\"");
	static const char *const same[] = {
		"\"ab\"", "W/\"ab\"", " \"x\" , \"ab\"", "*", "\"x\",W/\"ab\",\"y\""};
	static const char *const other[] = {
		"", "ab", "\"abc\"", "\"a\"", "w/\"ab\"", ",", "W/", "\"x\",\"y\""};
	for (size_t i = 0; i < ARRAY_COUNT(same); i++)
		if (!reply_tag_matches(span_of(same[i]), tag))
			fail_msg("%s does not match", same[i]);
	for (size_t i = 0; i < ARRAY_COUNT(other); i++)
		if (reply_tag_matches(span_of(other[i]), tag))
			fail_msg("%s matches", other[i]);
	assert_false(reply_tag_matches((struct span){0}, tag));
}

static void answer(struct fixture *f, const char *body)
{
	reply_begin(&f->reply, 200, REPLY_JSON, "no-cache");
	buf_append_text(&f->reply.body, body);
	reply_tag(&f->reply, &f->request, buf_span(&f->reply.body));
}

static void test_a_known_tag_is_not_modified(void **state)
{
	struct fixture *f = *state;
	answer(f, "one");
	assert_int_equal(f->reply.status, 200);
	struct span tag = header(&f->reply, "ETag");
	assert_int_equal(tag.size, 34);
	assert_int_equal(tag.data[0], '"');

	struct http_pair condition = {span_of("if-none-match"), tag};
	f->request.headers = &condition;
	f->request.header_count = 1;
	answer(f, "one");
	assert_int_equal(f->reply.status, 304);
	assert_int_equal(f->reply.body.size, 0);
	assert_null(f->reply.content_type);
	assert_true(span_equal(header(&f->reply, "ETag"), tag));
	assert_non_null(header(&f->reply, "Cache-Control").data);

	answer(f, "two");
	assert_int_equal(f->reply.status, 200);
	assert_true(span_equal_text(buf_span(&f->reply.body), "two"));
	assert_false(span_equal(header(&f->reply, "ETag"), tag));
}

static void test_redirect(void **state)
{
	struct fixture *f = *state;
	reply_redirect(&f->reply, "/docs");
	assert_int_equal(f->reply.status, 302);
	assert_true(span_equal_text(header(&f->reply, "Location"), "/docs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_every_reply_has_security_headers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_beginning_again_forgets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_problem_document, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_faults_without_a_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kinds_of_problems, set_up, tear_down),
		cmocka_unit_test(test_tag_lists),
		cmocka_unit_test_setup_teardown(
			test_a_known_tag_is_not_modified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_redirect, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
