/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/docs_page.h"

#include "serve/handlers.h"
#include "serve/serve_private.h"
#include "serve/text.h"

#include <string.h>

static const char style[] =
	":root{color-scheme:light "
	"dark;--text:#1b1f24;--quiet:#57606a;--ground:#ffffff;--panel:#f6f8fa;"
	"--line:#d0d7de;--accent:#1858b7;--warn:#8a4500}\n"
	"@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--quiet:#9da7b3;--ground:#0f1419;"
	"--panel:#171d24;--line:#2f3842;--accent:#71b1d4;--warn:#eb8f59}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--ground);color:var(--text);font:14px/1.5 "
	"system-ui,sans-serif;"
	"font-variant-numeric:tabular-nums}\n"
	"main{max-width:960px;margin:0 auto;padding:16px}\n"
	"h1{font-size:20px;margin:8px 0}h2{font-size:16px;margin:24px 0 "
	"4px}h3{font-size:14px;margin:12px 0 4px}\n"
	"a{color:var(--accent)}a:focus-visible{outline:2px solid "
	"var(--accent);outline-offset:2px}\n"
	"section.metric{border-top:1px solid var(--line);margin-top:24px}\n"
	".quiet{color:var(--quiet)}.caveat,.demo{color:var(--warn)}.demo{font-weight:600}\n"
	"code,pre{font-family:ui-monospace,monospace;font-size:13px}\n"
	"pre{background:var(--panel);border:1px solid var(--line);padding:8px;overflow-x:auto}\n"
	".frame{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%}\n"
	"th,td{border-bottom:1px solid var(--line);padding:4px 8px 4px "
	"0;text-align:left;vertical-align:top}\n";

/* ---- small parts ---- */

static void put_element(const char *name, struct span text, struct buf *out)
{
	if (!text.data)
		return;
	buf_printf(out, "<%s>", name);
	text_append_html(out, text);
	buf_printf(out, "</%s>", name);
}

static void put_cell(struct span text, struct buf *out)
{
	buf_append_text(out, "<td>");
	text_append_html(out, text);
	buf_append_text(out, "</td>");
}

static void put_code_cell(struct span text, struct buf *out)
{
	buf_append_text(out, "<td>");
	put_element("code", text, out);
	buf_append_text(out, "</td>");
}

static void begin_table(const char *head, struct buf *out)
{
	buf_printf(out, "<div class=\"frame\"><table><thead><tr>%s</tr></thead><tbody>\n", head);
}

static void end_table(struct buf *out)
{
	buf_append_text(out, "</tbody></table></div>\n");
}

/* ---- one metric ---- */

static void append_values(const struct metric_parameter *parameter, struct buf *out)
{
	for (size_t i = 0; i < parameter->value_count; i++) {
		buf_append_text(out, i > 0 ? ", " : "");
		buf_append_span(out, parameter->values[i]);
	}
	if (parameter->values_from.data)
		buf_printf(out, "one of the %.*s seen", SPAN_ARGUMENTS(parameter->values_from));
	struct span minimum = parameter->minimum;
	struct span maximum = parameter->maximum;
	if (minimum.data && maximum.data)
		buf_printf(out, "%.*s to %.*s", SPAN_ARGUMENTS(minimum), SPAN_ARGUMENTS(maximum));
	else if (minimum.data)
		buf_printf(out, "at least %.*s", SPAN_ARGUMENTS(minimum));
	else if (maximum.data)
		buf_printf(out, "at most %.*s", SPAN_ARGUMENTS(maximum));
	if (parameter->unit.data)
		buf_printf(out, " %.*s", SPAN_ARGUMENTS(parameter->unit));
}

static void put_parameter(const struct metric_parameter *parameter, struct buf *out)
{
	CLEANUP(buf_finish) struct buf type = {.size_max = 256};
	CLEANUP(buf_finish) struct buf values = {.size_max = 64 * 1024};
	buf_printf(&type, "%s%s", parameter_type_name(parameter->type),
		parameter->multiple ? ", several" : "");
	append_values(parameter, &values);
	buf_append_text(out, "<tr>");
	put_code_cell(parameter->name, out);
	put_cell(buf_span(&type), out);
	if (parameter->required)
		put_cell(span_of("required"), out);
	else
		put_code_cell(parameter->default_text, out);
	put_cell(buf_span(&values), out);
	put_cell(parameter->description, out);
	buf_append_text(out, "</tr>\n");
}

static void put_parameters(const struct metric *metric, struct buf *out)
{
	if (metric->parameter_count == 0)
		return;
	buf_append_text(out, "<h3>Parameters</h3>\n");
	begin_table(
		"<th>Name</th><th>Type</th><th>Default</th><th>Values</th><th>Meaning</th>", out);
	for (size_t i = 0; i < metric->parameter_count; i++)
		put_parameter(&metric->parameters[i], out);
	end_table(out);
}

static void put_columns(const struct metric *metric, struct buf *out)
{
	if (metric->column_count == 0)
		return;
	buf_append_text(out, "<h3>Columns</h3>\n");
	begin_table("<th>Name</th><th>Type</th><th>Unit</th><th>Meaning</th>", out);
	for (size_t i = 0; i < metric->column_count; i++) {
		const struct metric_column *column = &metric->columns[i];
		buf_append_text(out, "<tr>");
		put_code_cell(column->name, out);
		put_cell(span_of(value_type_name(column->type)), out);
		put_cell(column->unit, out);
		put_cell(column->description, out);
		buf_append_text(out, "</tr>\n");
	}
	end_table(out);
}

/* A value that the parameter takes: its default when there is one. */
static struct span sample_of(const struct metric_parameter *parameter)
{
	static const char *const samples[] = {
		[PARAMETER_INTEGER] = "1",
		[PARAMETER_NUMBER] = "1",
		[PARAMETER_STRING] = "text",
		[PARAMETER_BOOLEAN] = "true",
		[PARAMETER_ENUM] = "value",
		[PARAMETER_DURATION] = "1h",
		[PARAMETER_TIMESTAMP] = "2026-09-20T12:00:00Z",
		[PARAMETER_REPO] = "owner/name",
		[PARAMETER_LOGIN] = "login",
	};
	if (parameter->default_text.data)
		return parameter->default_text;
	if (parameter->value_count > 0)
		return parameter->values[0];
	return parameter->minimum.data ? parameter->minimum : span_of(samples[parameter->type]);
}

/* Required parameters, and those with a default: what a reader would change. */
static void append_query(const struct metric *metric, struct buf *url)
{
	char separator = '?';
	for (size_t i = 0; i < metric->parameter_count; i++) {
		const struct metric_parameter *parameter = &metric->parameters[i];
		if (!parameter->required && !parameter->default_text.data)
			continue;
		buf_append_byte(url, separator);
		text_append_url(url, parameter->name);
		buf_append_byte(url, '=');
		text_append_url(url, sample_of(parameter));
		separator = '&';
	}
}

static void append_url(
	const struct metric *metric, const char *before, const char *after, struct buf *url)
{
	buf_append_text(url, before);
	text_append_url(url, metric->id);
	buf_append_text(url, after);
	append_query(metric, url);
}

static void put_link(const struct metric *metric, const char *before, const char *after,
	const char *label, struct buf *out)
{
	CLEANUP(buf_finish) struct buf url = {.size_max = 64 * 1024};
	append_url(metric, before, after, &url);
	buf_append_text(out, "<a href=\"");
	text_append_html(out, buf_span(&url));
	buf_printf(out, "\">%s</a> ", label);
}

static void put_example(const struct docs_page *page, const struct metric *metric, struct buf *out)
{
	CLEANUP(buf_finish) struct buf command = {.size_max = 64 * 1024};
	buf_printf(&command, "curl 'http://%.*s", SPAN_ARGUMENTS(page->address));
	append_url(metric, "/api/v1/metrics/", "/data", &command);
	buf_append_byte(&command, '\'');
	buf_append_text(out, "<pre><code>");
	text_append_html(out, buf_span(&command));
	buf_append_text(out, "</code></pre>\n<p>");
	put_link(metric, "/api/v1/metrics/", "/data", "JSON", out);
	put_link(metric, "/api/v1/metrics/", "/data.csv", "CSV", out);
	put_link(metric, "/kpi/", "", "/kpi", out);
	buf_append_text(out, "</p>\n");
}

static void put_anchor(const struct metric *metric, struct buf *out)
{
	buf_append_text(out, "metric-");
	text_append_html(out, metric->id);
}

static void put_metric(const struct docs_page *page, const struct metric *metric, struct buf *out)
{
	buf_append_text(out, "<section class=\"metric\" id=\"");
	put_anchor(metric, out);
	buf_append_text(out, "\">\n");
	put_element("h2", metric->name, out);
	buf_append_text(out, "<p class=\"quiet\">");
	put_element("code", metric->id, out);
	if (metric->group.data)
		buf_append_text(out, " in ");
	text_append_html(out, metric->group);
	buf_printf(out, ", %s</p>\n", metric->built_in ? "built in" : "from a file of metrics");
	put_element("p", metric->description, out);
	if (metric->caveat.data) {
		buf_append_text(out, "<p class=\"caveat\">");
		text_append_html(out, metric->caveat);
		buf_append_text(out, "</p>\n");
	}
	put_parameters(metric, out);
	put_columns(metric, out);
	put_example(page, metric, out);
	buf_append_text(out, "</section>\n");
}

/* ---- the page ---- */

static void put_contents(const struct metric_catalogue *catalogue, struct buf *out)
{
	buf_append_text(out, "<h2>Metrics</h2>\n<ul>\n");
	for (size_t i = 0; i < catalogue->metric_count; i++) {
		const struct metric *metric = &catalogue->metrics[i];
		CLEANUP(buf_finish) struct buf fragment = {.size_max = 1024};
		text_append_url(&fragment, metric->id);
		buf_append_text(out, "<li><a href=\"#metric-");
		buf_append_span(out, buf_span(&fragment));
		buf_append_text(out, "\">");
		text_append_html(out, metric->name);
		buf_append_text(out, "</a></li>\n");
	}
	buf_append_text(out, "</ul>\n");
}

static void put_routes(const struct docs_page *page, struct buf *out)
{
	buf_append_text(out, "<h2>Pages</h2>\n");
	begin_table("<th>Request</th><th>Answer</th>", out);
	for (size_t i = 0; i < page->route_count; i++) {
		buf_printf(out, "<tr><td><code>%s %s</code></td>", page->routes[i].method,
			page->routes[i].pattern);
		put_cell(span_of(page->routes[i].summary), out);
		buf_append_text(out, "</tr>\n");
	}
	end_table(out);
}

static void put_problem_kinds(struct buf *out)
{
	buf_append_text(
		out, "<h2>Errors</h2>\n<p>Every error is a problem document (RFC 9457).</p>\n");
	begin_table("<th>Type</th><th>Status</th><th>Title</th>", out);
	for (int i = 0; i < PROBLEM_KIND_COUNT; i++) {
		enum problem_kind kind = (enum problem_kind)i;
		buf_printf(out,
			"<tr><td><code>/problems/%s</code></td><td>%d</td><td>%s</td></tr>\n",
			problem_name(kind), problem_status(kind), problem_title(kind));
	}
	end_table(out);
}

static void put_file_problems(const struct metric_catalogue *catalogue, struct buf *out)
{
	if (catalogue->problem_count == 0)
		return;
	buf_append_text(out, "<h2>Faults in files of metrics</h2>\n");
	begin_table("<th>Place</th><th>What</th>", out);
	for (size_t i = 0; i < catalogue->problem_count; i++) {
		const struct metric_problem *problem = &catalogue->problems[i];
		CLEANUP(buf_finish) struct buf text = {.size_max = 64 * 1024};
		text_append_public(&text, problem->text);
		buf_append_text(out, "<tr><td>");
		text_append_html(out, text_base_name(problem->file));
		buf_printf(out, ":%d:%d</td>", problem->line, problem->column);
		put_cell(buf_span(&text), out);
		buf_append_text(out, "</tr>\n");
	}
	end_table(out);
}

void docs_page_render(const struct docs_page *page, struct buf *out)
{
	buf_append_text(out,
		"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<title>Octolake API</title>\n<link rel=\"stylesheet\" "
		"href=\"/docs.css\">\n</head>\n<body>\n<main>\n"
		"<h1>Octolake API</h1>\n");
	if (page->demo)
		buf_append_text(out, "<p class=\"demo\">Demo: all events are made up.</p>\n");
	buf_append_text(out, "<p>Every metric answers as JSON and CSV. Besides its own parameters "
			     "each takes <code>as_of</code> "
			     "(<code>now</code>, <code>data</code> or a time like "
			     "<code>2026-09-20T12:00:00Z</code>) and "
			     "<code>limit</code>. Times are UTC.</p>\n");
	put_contents(page->catalogue, out);
	put_file_problems(page->catalogue, out);
	for (size_t i = 0; i < page->catalogue->metric_count; i++)
		put_metric(page, &page->catalogue->metrics[i], out);
	put_routes(page, out);
	put_problem_kinds(out);
	buf_append_text(out, "</main>\n</body>\n</html>\n");
}

/* ---- requests ---- */

/* The address that the reader used, when it is one. */
static struct span address_of(const struct call *call)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
	struct span host = http_request_header(call->request, "Host");
	for (size_t i = 0; i < host.size; i++)
		if (!memchr(allowed, host.data[i], sizeof(allowed) - 1))
			host.size = 0;
	if (host.size > 0)
		return host;
	return span_of(arena_printf(call->request->arena, "127.0.0.1:%d", call->request->port));
}

void handle_docs(struct call *call)
{
	struct metrics *metrics = call->serve->options.metrics;
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	struct docs_page page = {
		.catalogue = catalogue,
		.routes = routes,
		.route_count = route_count,
		.address = address_of(call),
		.demo = call->serve->options.demo,
	};
	reply_begin(call->reply, 200, REPLY_HTML, "no-cache");
	docs_page_render(&page, &call->reply->body);
	metrics_release(metrics, catalogue);
	reply_tag(call->reply, call->request, buf_span(&call->reply->body));
}

void handle_docs_style(struct call *call)
{
	reply_begin(call->reply, 200, "text/css; charset=utf-8", "no-cache");
	buf_append_text(&call->reply->body, style);
	reply_tag(call->reply, call->request, buf_span(&call->reply->body));
}
