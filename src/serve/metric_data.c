/* SPDX-License-Identifier: Apache-2.0 */
/* metric_data.c - /api/v1/metrics/{id}/data: strict about every parameter, with meta beside the
 * data. */
#include "serve/handlers.h"
#include "serve/render.h"
#include "serve/serve_private.h"
#include "serve/text.h"

enum { FILE_NAME_BYTES_MAX = 200, STALE_SECONDS = 30 };

enum format { FORMAT_JSON, FORMAT_CSV };

static bool reply_fault(struct call *call, struct argument_fault fault)
{
	struct problem problem = problem_of_faults(&fault, 1);
	reply_problem(call->reply, &problem, call->request->number);
	return false;
}

static bool parse_format(struct span text, enum format *format_out)
{
	bool is_csv = span_equal_text(text, "csv");
	*format_out = is_csv ? FORMAT_CSV : FORMAT_JSON;
	return is_csv || span_equal_text(text, "json");
}

/* The arguments that are this layer's own: format, and cursor, which nothing uses yet. `suffix`:
 * the path says the format, and a parameter may only repeat it. False: replied. */
static bool read_own_arguments(struct call *call, bool suffix, enum format *format)
{
	bool seen = false;
	for (size_t i = 0; i < call->request->query_count; i++) {
		const struct http_pair *pair = &call->request->query[i];
		enum format wanted;
		if (span_equal_text(pair->name, "cursor"))
			return reply_fault(call,
				(struct argument_fault){pair->name, "unknown",
					span_of("cursor is not in use: answers have no pages"),
					{0}});
		if (!span_equal_text(pair->name, "format"))
			continue;
		if (seen)
			return reply_fault(call, (struct argument_fault){pair->name, "repeated",
							 span_of("format may be given once"), {0}});
		if (!parse_format(pair->value, &wanted))
			return reply_fault(
				call, (struct argument_fault){pair->name, "value",
					      span_of("format must be one of json, csv"), {0}});
		if (suffix && wanted != *format)
			return reply_fault(call,
				(struct argument_fault){pair->name, "value",
					span_of("format contradicts the end of the path"), {0}});
		*format = wanted;
		seen = true;
	}
	return true;
}

/* A file is wanted whole: without a limit of its own it gets the metric's highest. */
static void raise_limit(struct call *call, struct metric_request *request)
{
	struct arena *arena = call->request->arena;
	if (http_request_query(call->request, "limit").data || request->metric->limit_max <= 0)
		return;
	struct metric_argument *arguments =
		arena_allocate(arena, request->argument_count + 1, sizeof(*arguments));
	const char *limit = arena_printf(arena, "%lld", (long long)request->metric->limit_max);
	if (!arguments || !limit)
		return;
	for (size_t i = 0; i < request->argument_count; i++)
		arguments[i] = request->arguments[i];
	arguments[request->argument_count++] =
		(struct metric_argument){span_of("limit"), span_of(limit)};
	request->arguments = arguments;
}

/* id, parameters and instant: what the file holds. */
static struct span disposition(
	struct call *call, const struct metric *metric, const struct metric_result *result)
{
	CLEANUP(buf_finish) struct buf name = {.size_max = 64 * 1024};
	text_append_file_name(&name, metric->id);
	for (size_t i = 0; i < metric->parameter_count; i++) {
		const struct value *value = &result->parameters[i];
		CLEANUP(buf_finish) struct buf text = {.size_max = 16 * 1024};
		struct json_writer json;
		if (value->type == VALUE_NULL)
			continue;
		json_writer_init(&json, &text);
		render_value(value, &json);
		struct span shown = buf_span(&text);
		if (span_starts_with(shown, "\"") && shown.size >= 2)
			shown = (struct span){shown.data + 1, shown.size - 2};
		buf_append_byte(&name, '_');
		text_append_file_name(&name, metric->parameters[i].name);
		buf_append_byte(&name, '-');
		text_append_file_name(&name, shown);
	}
	struct span shown = buf_span(&name);
	if (shown.size > FILE_NAME_BYTES_MAX)
		shown.size = FILE_NAME_BYTES_MAX;
	CLEANUP(buf_finish) struct buf instant = {.size_max = 64};
	text_append_file_name(&instant, span_of(time_render(result->as_of_us).text));
	return span_of(arena_printf(call->request->arena, "attachment; filename=\"%.*s_%.*s.csv\"",
		SPAN_ARGUMENTS(shown), SPAN_ARGUMENTS(buf_span(&instant))));
}

static void begin_data(struct call *call, const struct metric *metric, const char *content_type)
{
	const char *cache =
		arena_printf(call->request->arena, "max-age=%lld, stale-while-revalidate=%d",
			(long long)(metric->cache_ms / 1000), STALE_SECONDS);
	reply_begin(call->reply, 200, content_type, cache ? cache : "no-store");
}

static void answer_in(
	struct call *call, const struct metric *metric, enum format format, bool suffix)
{
	struct http_reply *reply = call->reply;
	struct metric_request request = {.metric = metric};
	struct metric_result result;
	request.arguments = call_read_arguments(call, &request.argument_count);
	if (!read_own_arguments(call, suffix, &format))
		return;
	if (format == FORMAT_CSV)
		raise_limit(call, &request);
	if (!call_evaluate(call, &request, &result))
		return;
	size_t tagged_size;
	if (format == FORMAT_CSV) {
		begin_data(call, metric, REPLY_CSV);
		http_reply_header(reply, "Content-Disposition", disposition(call, metric, &result));
		http_reply_header(
			reply, "X-Truncated", span_of(result.truncated ? "true" : "false"));
		render_csv(&result.table, &reply->body);
		tagged_size = reply->body.size;
	} else {
		begin_data(call, metric, REPLY_JSON);
		tagged_size = render_data(metric, &result, &reply->body);
	}
	reply_tag(reply, call->request, (struct span){reply->body.data, tagged_size});
}

static void answer_any(struct call *call, const struct metric *metric)
{
	answer_in(call, metric, FORMAT_JSON, false);
}

static void answer_json(struct call *call, const struct metric *metric)
{
	answer_in(call, metric, FORMAT_JSON, true);
}

static void answer_csv(struct call *call, const struct metric *metric)
{
	answer_in(call, metric, FORMAT_CSV, true);
}

void handle_metric_data(struct call *call)
{
	call_with_metric(call, answer_any);
}

void handle_metric_data_json(struct call *call)
{
	call_with_metric(call, answer_json);
}

void handle_metric_data_csv(struct call *call)
{
	call_with_metric(call, answer_csv);
}
