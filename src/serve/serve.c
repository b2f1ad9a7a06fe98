/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - life of the server, and the first steps of every request: host, path, method. */
#include "serve/serve_private.h"

#include "base/counter.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, PORT_API = 0, PORT_UI = 1, PORTS = 2, PATH_SHOWN_BYTES_MAX = 100 };

/* ---- requests ---- */

static void reply_not_found(struct call *call)
{
	struct arena *arena = call->request->arena;
	struct span shown = call->request->path;
	const char *near = router_suggest(routes, route_count, shown, arena);
	if (shown.size > PATH_SHOWN_BYTES_MAX)
		shown.size = PATH_SHOWN_BYTES_MAX;
	const char *detail =
		near ? arena_printf(arena, "There is no page '%.*s'. Did you mean '%s'?",
			SPAN_ARGUMENTS(shown), near)
		     : arena_printf(arena, "There is no page '%.*s'. /docs lists them.",
			     SPAN_ARGUMENTS(shown));
	struct argument_fault fault = {span_of("path"), "unknown", span_of(detail), span_of(near)};
	struct problem problem = {PROBLEM_NOT_FOUND, span_of(detail), "path", &fault, 1};
	reply_problem(call->reply, &problem, call->request->number);
}

static bool method_fits(const struct route *route, const char *method)
{
	return strcmp(route->method, method) == 0
	       || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void dispatch(struct call *call)
{
	const struct http_request *request = call->request;
	const struct serve *serve = call->serve;
	if (serve->is_loopback
		&& !router_host_is_local(http_request_header(request, "Host"), serve->host)) {
		call_problem(call, PROBLEM_WRONG_HOST);
		return;
	}
	const struct route *route = router_find(routes, route_count, request->path, &call->id);
	if (!route)
		reply_not_found(call);
	else if (!method_fits(route, request->method))
		call_problem(call, PROBLEM_METHOD_NOT_ALLOWED);
	else
		route->handle(call);
}

static void handle(void *context, struct http_request *request, struct http_reply *reply)
{
	struct call call = {.serve = context, .request = request, .reply = reply};
	counter_add(COUNTER_HTTP_REQUESTS, 1);
	dispatch(&call);
	/* Whatever needed memory that was not there is not in the reply. */
	if (request->arena->failed && reply->status < 400) {
		log_note(LOG_ERROR, "a reply outgrew the memory of a request");
		call_problem(&call, PROBLEM_UNAVAILABLE);
	}
	if (reply->status >= 500 || reply->body.failed)
		counter_add(COUNTER_HTTP_ERRORS, 1);
}

/* ---- catalogs ---- */

bool serve_open_catalog(struct call *call, struct catalog **catalog_out, struct err *err)
{
	assert(call->request->worker < call->serve->options.worker_count);
	struct catalog **catalog = &call->serve->catalogs[call->request->worker];
	if (!*catalog && !catalog_open(call->serve->options.layout, true, catalog, err))
		return err_wrap(err, "catalog");
	*catalog_out = *catalog;
	return true;
}

void serve_close_catalog(struct call *call)
{
	catalog_close(&call->serve->catalogs[call->request->worker]);
}

/* ---- life ---- */

bool serve_start(const struct serve_options *options, struct serve **serve_out, struct err *err)
{
	assert(options->layout && options->gold && options->metrics && options->clock
		&& options->read_pipeline);
	CLEANUP(serve_stop) struct serve *serve = memory_allocate(1, sizeof(*serve));
	serve->options = *options;
	serve->host = memory_copy_text(options->host);
	serve->options.host = serve->host;
	serve->is_loopback = router_address_is_loopback(serve->host);
	if (serve->options.worker_count == 0)
		serve->options.worker_count = WORKERS;
	serve->catalogs =
		memory_allocate((size_t)serve->options.worker_count, sizeof(struct catalog *));
	/* With port 0 nobody knows the UI's port before it is set below. */
	atomic_store(&serve->ui_port, options->ui_port);
	const int ports[PORTS] = {[PORT_API] = options->api_port, [PORT_UI] = options->ui_port};
	struct http_server_options server_options = {
		.host = serve->host,
		.ports = ports,
		.port_count = PORTS,
		.worker_count = serve->options.worker_count,
		.handle = handle,
		.context = serve,
	};
	if (!http_server_start(&server_options, &serve->server, err))
		return false;
	atomic_store(&serve->ui_port, http_server_port(serve->server, PORT_UI));
	*serve_out = serve;
	serve = NULL;
	return true;
}

int serve_api_port(const struct serve *serve)
{
	return http_server_port(serve->server, PORT_API);
}

int serve_ui_port(const struct serve *serve)
{
	return http_server_port(serve->server, PORT_UI);
}

void serve_stop(struct serve **serve_pointer)
{
	struct serve *serve = *serve_pointer;
	if (!serve)
		return;
	atomic_store(&serve->stopping, true);
	if (serve->server)
		gold_interrupt(serve->options.gold);
	http_server_stop(&serve->server);
	for (int i = 0; i < serve->options.worker_count; i++)
		catalog_close(&serve->catalogs[i]);
	free(serve->catalogs);
	free(serve->host);
	free(serve);
	*serve_pointer = NULL;
}

void serve_render_faults(const struct argument_fault *faults, size_t fault_count,
	uint64_t request_number, struct buf *out)
{
	struct problem problem = problem_of_faults(faults, fault_count);
	problem_render(&problem, request_number, out);
}
