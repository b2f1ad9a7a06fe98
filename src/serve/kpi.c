/* SPDX-License-Identifier: Apache-2.0 */
/* kpi.c - /kpi/{id}: the first system's answer, frozen. Unknown parameters are ignored, as they
 * were there, but named in a header. */
#include "serve/handlers.h"
#include "serve/render.h"
#include "serve/serve_private.h"
#include "serve/text.h"

enum { IGNORED_NAMED_MAX = 20 };

/* Names that mean something elsewhere, and nothing here. */
static bool is_ignored_here(struct span name)
{
	return span_equal_text(name, "format") || span_equal_text(name, "cursor");
}

static void append_name(struct buf *names, struct span name)
{
	buf_append_text(names, names->size > 0 ? ", " : "");
	text_append_url(names, name);
}

static void name_ignored(struct call *call, const struct metric_result *result)
{
	CLEANUP(buf_finish) struct buf names = {.size_max = 8 * 1024};
	for (size_t i = 0; i < result->ignored_count && i < IGNORED_NAMED_MAX; i++)
		append_name(&names, result->ignored[i]);
	for (size_t i = 0; i < call->request->query_count; i++)
		if (is_ignored_here(call->request->query[i].name))
			append_name(&names, call->request->query[i].name);
	if (names.size == 0 || names.failed)
		return;
	struct span value = arena_copy(call->request->arena, buf_span(&names));
	if (value.data)
		http_reply_header(call->reply, "X-Ignored-Parameters", value);
}

static void answer(struct call *call, const struct metric *metric)
{
	struct metric_request request = {
		.metric = metric, .ignore_unknown = true, .unlimited = true};
	struct metric_result result;
	request.arguments = call_read_arguments(call, &request.argument_count);
	if (!call_evaluate(call, &request, &result))
		return;
	reply_begin(call->reply, 200, REPLY_JSON, "no-cache");
	name_ignored(call, &result);
	struct json_writer json;
	json_writer_init(&json, &call->reply->body);
	json_begin_object(&json);
	render_seed_members(metric, &result.table, &json);
	json_end_object(&json);
	buf_append_byte(&call->reply->body, '\n');
	reply_tag(call->reply, call->request, buf_span(&call->reply->body));
}

void handle_kpi(struct call *call)
{
	call_with_metric(call, answer);
}
