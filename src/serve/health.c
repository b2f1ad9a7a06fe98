/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_writer.h"
#include "serve/handlers.h"
#include "serve/pipeline.h"
#include "serve/serve_private.h"

void handle_health(struct call *call)
{
	reply_begin(call->reply, 200, REPLY_JSON, "no-store");
	buf_append_text(&call->reply->body, "{\"status\":\"ok\"}\n");
}

/* Faults in metric files do not count: the others answer. */
void handle_ready(struct call *call)
{
	struct metrics *metrics = call->serve->options.metrics;
	struct gold_stamp stamp;
	gold_read_stamp(call->serve->options.gold, &stamp);
	bool ready = stamp.state == GOLD_READY;
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	size_t metric_count = catalogue->metric_count;
	size_t problem_count = catalogue->problem_count;
	metrics_release(metrics, catalogue);

	struct json_writer json;
	reply_begin(call->reply, ready ? 200 : 503, REPLY_JSON, "no-store");
	if (!ready)
		http_reply_header(call->reply, "Retry-After", span_of("5"));
	json_writer_init(&json, &call->reply->body);
	json_begin_object(&json);
	json_put_key_text(&json, "status", ready ? "ready" : "not-ready");
	json_put_key_text(&json, "gold", ready ? "ready" : "rebuilding");
	pipeline_put_rebuild(&stamp, &json);
	json_put_key_integer(&json, "metrics", (int64_t)metric_count);
	json_put_key_integer(&json, "problems", (int64_t)problem_count);
	json_end_object(&json);
	buf_append_byte(&call->reply->body, '\n');
}
