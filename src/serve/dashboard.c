/* SPDX-License-Identifier: Apache-2.0 */
/* dashboard.c - the page's files, which travel inside the binary. A binary that was built without
 * them says so and points to the docs. */
#include "base/embedded.h"
#include "serve/handlers.h"
#include "serve/serve_private.h"

#include <string.h>

static const char page_missing[] =
	"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Octolake</title>\n"
	"<link rel=\"stylesheet\" href=\"/docs.css\"></head><body><main><h1>Octolake</h1>\n"
	"<p>This binary was built without the dashboard. The API is complete: see <a "
	"href=\"/docs\">its "
	"pages</a>.</p>\n</main></body></html>\n";

static const char *type_of(const char *name)
{
	const char *end = strrchr(name, '.');
	if (end && strcmp(end, ".js") == 0)
		return "text/javascript; charset=utf-8";
	if (end && strcmp(end, ".css") == 0)
		return "text/css; charset=utf-8";
	return REPLY_HTML;
}

static bool reply_file(struct call *call, const char *name)
{
	const struct embedded_file *file = embedded_find(embedded_web, name);
	if (!file)
		return false;
	struct span content = span_make((const char *)file->data, file->size);
	reply_begin(call->reply, 200, type_of(name), "no-cache");
	buf_append_span(&call->reply->body, content);
	reply_tag(call->reply, call->request, content);
	return true;
}

static void reply_page(struct call *call)
{
	if (reply_file(call, "index.html"))
		return;
	reply_begin(call->reply, 200, REPLY_HTML, "no-store");
	buf_append_text(&call->reply->body, page_missing);
}

void handle_root(struct call *call)
{
	if (call->request->port == atomic_load(&call->serve->ui_port))
		reply_page(call);
	else
		reply_redirect(call->reply, "/docs");
}

void handle_dashboard_file(struct call *call)
{
	struct span path = call->request->path;
	if (span_equal_text(path, "/index.html")) {
		reply_page(call);
		return;
	}
	const char *name =
		arena_copy_text(call->request->arena, span_make(path.data + 1, path.size - 1));
	if (!name || !reply_file(call, name))
		call_problem(call, PROBLEM_NOT_FOUND);
}

void handle_icon(struct call *call)
{
	reply_begin(call->reply, 204, NULL, "max-age=86400");
}
