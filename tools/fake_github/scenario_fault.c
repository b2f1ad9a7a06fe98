/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_fault.c - answers that fail. Texts and headers are those of recorded exchanges where
 * there are any (the 403 of 2018, the HTML 503 of 2012); waits are short so that tests are quick.
 */
#include "fake_github/scenario.h"

#include "base/clock.h"
#include "fake_github/reply.h"

#include <string.h>

enum {
	WAIT_SECONDS = 2,
	DATE_WAIT_SECONDS = 3,
	SILENT_WAIT_SECONDS = 60, /* what GitHub's documentation demands without a header */
	PAST_SECONDS = 1000,
	YEARS_SECONDS = 10 * 365 * 86400,
};

static const char limits_page[] =
	"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api";

static void answer_primary(struct scenario_call *call, int status)
{
	identity_exhaust(call->identity, WAIT_SECONDS, status, call->now_us);
	reply_error(call->response, status, "API rate limit exceeded", limits_page);
}

void scenario_answer_primary_403(struct scenario_call *call)
{
	answer_primary(call, 403);
}

void scenario_answer_primary_429(struct scenario_call *call)
{
	answer_primary(call, 429);
}

static void must_wait(struct scenario_call *call, int64_t seconds)
{
	call->identity->retry_after_until_ms = call->now_ms + 1000 * seconds;
}

void scenario_answer_abuse_403(struct scenario_call *call)
{
	must_wait(call, WAIT_SECONDS);
	http_response_header(call->response, "Retry-After", "%d", WAIT_SECONDS);
	reply_error(
		call->response, 403,
		"You have triggered an abuse detection mechanism. Please wait a few minutes before "
		"you try again.",
		"https://developer.github.com/v3/#abuse-rate-limits");
}

static void answer_secondary(struct scenario_call *call, int status)
{
	reply_error(
		call->response, status,
		"You have exceeded a secondary rate limit. Please wait a few minutes before you try "
		"again.",
		limits_page);
}

void scenario_answer_secondary_429(struct scenario_call *call)
{
	must_wait(call, WAIT_SECONDS);
	http_response_header(call->response, "Retry-After", "%d", WAIT_SECONDS);
	answer_secondary(call, 429);
}

void scenario_answer_secondary_date(struct scenario_call *call)
{
	/* The date has whole seconds, so the wait it asks for ends at that second's start. */
	int64_t until_us = (call->now_us / 1000000 + DATE_WAIT_SECONDS) * 1000000;
	call->identity->retry_after_until_ms = call->now_ms + (until_us - call->now_us) / 1000;
	http_response_header(call->response, "Retry-After", "%s", time_render_http(until_us).text);
	answer_secondary(call, 429);
}

void scenario_answer_secondary_silent(struct scenario_call *call)
{
	must_wait(call, SILENT_WAIT_SECONDS);
	answer_secondary(call, 403);
}

void scenario_answer_500(struct scenario_call *call)
{
	reply_error(call->response, 500, "Internal Server Error", NULL);
}

void scenario_answer_502(struct scenario_call *call)
{
	reply_error(call->response, 502, "Server Error", NULL);
}

void scenario_answer_504(struct scenario_call *call)
{
	reply_error(call->response, 504, "We couldn't respond to your request in time", NULL);
}

void scenario_answer_503_retry(struct scenario_call *call)
{
	must_wait(call, WAIT_SECONDS);
	http_response_header(call->response, "Retry-After", "%d", WAIT_SECONDS);
	reply_error(call->response, 503, "Service unavailable", NULL);
}

void scenario_answer_403_forbidden(struct scenario_call *call)
{
	reply_error(call->response, 403, "Resource not accessible by personal access token", NULL);
}

void scenario_answer_404(struct scenario_call *call)
{
	reply_error(call->response, 404, "Not Found", NULL);
}

void scenario_answer_422(struct scenario_call *call)
{
	reply_error(call->response, 422, "Validation Failed", NULL);
}

void scenario_answer_401(struct scenario_call *call)
{
	reply_error(call->response, 401, "Bad credentials", NULL);
}

void scenario_answer_reset_past(struct scenario_call *call)
{
	call->own_limits = true;
	http_response_header(call->response, "X-RateLimit-Limit", "5000");
	http_response_header(call->response, "X-RateLimit-Remaining", "0");
	http_response_header(call->response, "X-RateLimit-Reset", "%lld",
			     (long long)(call->now_us / 1000000 - PAST_SECONDS));
	reply_error(call->response, 403, "API rate limit exceeded", limits_page);
}

void scenario_answer_retry_after_years(struct scenario_call *call)
{
	must_wait(call, YEARS_SECONDS);
	http_response_header(call->response, "Retry-After", "%d", YEARS_SECONDS);
	answer_secondary(call, 429);
}

void scenario_answer_503_html(struct scenario_call *call)
{
	struct span body = SPAN_LITERAL("<html><body><h1>503 Service Unavailable</h1>No server is "
					"available to handle this request.</body></html>");
	reply_body(call->response, 503, "application/json; charset=utf-8", body);
}

void scenario_answer_redirect_other_host(struct scenario_call *call)
{
	buf_printf(&call->response->headers, "Location: http://%s", call->foreign_host);
	buf_append_span(&call->response->headers, call->request->target);
	buf_append_text(&call->response->headers, "\r\n");
	if (call->hit % 2 == 0)
		reply_error(call->response, 302, "Found", NULL);
	else
		reply_error(call->response, 301, "Moved Permanently", NULL);
}

void scenario_answer_redirect_same_host(struct scenario_call *call)
{
	struct buf *headers = &call->response->headers;
	buf_printf(headers, "Location: http://%s", call->own_host);
	buf_append_span(headers, call->request->target);
	bool has_query = call->request->query.data != NULL;
	buf_printf(headers, "%c" SCENARIO_MOVED_MARK "\r\n", has_query ? '&' : '?');
	reply_error(call->response, 301, "Moved Permanently",
		    "https://docs.github.com/v3/#http-redirects");
}

void scenario_answer_redirect_renamed(struct scenario_call *call)
{
	struct buf *headers = &call->response->headers;
	buf_printf(headers, "Location: http://%s/repositories/%d/events", call->own_host,
		   SCENARIO_REPOSITORY_ID_FIRST + call->stream_index);
	if (call->request->query.data) {
		buf_append_byte(headers, '?');
		buf_append_span(headers, call->request->query);
	}
	buf_append_text(headers, "\r\n");
	reply_error(call->response, 301, "Moved Permanently",
		    "https://docs.github.com/v3/#http-redirects");
}

void scenario_answer_redirect_loop(struct scenario_call *call)
{
	buf_append_text(&call->response->headers, "Location: ");
	buf_append_span(&call->response->headers, call->request->target);
	buf_append_text(&call->response->headers, "\r\n");
	reply_error(call->response, 302, "Found", NULL);
}

void scenario_answer_redirect_nowhere(struct scenario_call *call)
{
	reply_error(call->response, 301, "Moved Permanently", NULL);
}

void scenario_answer_refuse(struct scenario_call *call)
{
	reply_error(call->response, 503, "Service unavailable", NULL);
	call->response->reset = HTTP_RESET_BEFORE_HEAD;
	call->response->refuse_ms = 1000 * WAIT_SECONDS;
}

void scenario_answer_reset(struct scenario_call *call)
{
	reply_error(call->response, 503, "Service unavailable", NULL);
	call->response->reset = HTTP_RESET_BEFORE_HEAD;
}

void scenario_answer_not_an_array(struct scenario_call *call)
{
	struct span body = SPAN_LITERAL("{\"message\":\"Here should be a list\",\"events\":[]}");
	reply_body(call->response, 200, "application/json; charset=utf-8", body);
}

void scenario_answer_html(struct scenario_call *call)
{
	struct span body = SPAN_LITERAL("<!DOCTYPE html>\n<html><title>Sign in to the network</title>"
					"<body>Welcome to this hotel.</body></html>");
	reply_body(call->response, 200, "text/html; charset=utf-8", body);
}

/* A cache that holds each tag to be good for ever and listens to nobody. */
void scenario_answer_stale_304(struct scenario_call *call)
{
	call->declined = !http_request_header(call->request, "If-None-Match").data;
	if (call->declined)
		return;
	call->response->status = 304;
	http_response_header(call->response, "X-Poll-Interval", "%lld",
			     (long long)call->poll_interval_seconds);
}

void scenario_answer_empty_body(struct scenario_call *call)
{
	reply_body(call->response, 200, "application/json; charset=utf-8", (struct span){"", 0});
}
