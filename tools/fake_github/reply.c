/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/reply.h"

#include "base/clock.h"
#include "base/json_writer.h"

#include <inttypes.h>
#include <stdio.h>

void reply_common_headers(struct http_response *response, uint64_t seq, int64_t now_us)
{
	http_response_header(response, "Server", "github.com");
	http_response_header(response, "Date", "%s", time_render_http(now_us).text);
	http_response_header(response, "X-GitHub-Media-Type", "github.v3; format=json");
	http_response_header(response, "Access-Control-Allow-Origin", "*");
	http_response_header(response, "X-Content-Type-Options", "nosniff");
	http_response_header(response, "X-GitHub-Request-Id", "FA4E:%" PRIX64 ":%" PRIX64, seq,
			     (uint64_t)now_us);
}

void reply_error(struct http_response *response, int status, const char *message,
		 const char *documentation)
{
	char status_text[16];
	(void)snprintf(status_text, sizeof(status_text), "%d", status);
	response->status = status;
	buf_clear(&response->body);
	struct json_writer json;
	json_writer_init(&json, &response->body);
	json_begin_object(&json);
	json_put_key_text(&json, "message", message);
	json_put_key_text(&json, "documentation_url",
		      documentation ? documentation : "https://docs.github.com/rest");
	json_put_key_text(&json, "status", status_text);
	json_end_object(&json);
	http_response_header(response, "Content-Type", "application/json; charset=utf-8");
}

void reply_body(struct http_response *response, int status, const char *content_type,
		struct span body)
{
	response->status = status;
	buf_clear(&response->body);
	buf_append_span(&response->body, body);
	http_response_header(response, "Content-Type", "%s", content_type);
}
