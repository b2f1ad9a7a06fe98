/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_queue.c - the bounded queue between the library's threads and the workers. */
#include "wrap/http_server_internal.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum { FLUSH_STEP_MS = 5, FLUSH_WAIT_MS_MAX = 2000 };

bool http_queue_push(struct http_server *server, struct http_exchange *exchange)
{
	assert(!exchange->queued && !exchange->answered);
	pthread_mutex_lock(&server->mutex);
	bool stopping = server->stopping;
	bool accepted = !stopping && server->waiting_count < HTTP_WAITING_MAX;
	if (accepted) {
		/* Before a worker can see it: resuming what is not suspended yet would be lost. */
		MHD_suspend_connection(exchange->connection);
		exchange->queued = true;
		if (server->last)
			server->last->next = exchange;
		else
			server->first = exchange;
		server->last = exchange;
		server->waiting_count++;
		server->unfinished_count++;
		exchange->request.number = ++server->request_number;
		pthread_cond_signal(&server->changed);
	}
	pthread_mutex_unlock(&server->mutex);
	if (!accepted) {
		exchange->close = stopping;
		http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
				     stopping ? "The server is stopping."
					      : "Too many requests are waiting already.");
	}
	return accepted;
}

void http_queue_forget(struct http_server *server, struct http_exchange *exchange)
{
	if (!exchange->queued)
		return;
	pthread_mutex_lock(&server->mutex);
	assert(server->unfinished_count > 0);
	server->unfinished_count--;
	pthread_mutex_unlock(&server->mutex);
}

/* The next exchange, or NULL when the server stops and none is left. */
static struct http_exchange *pop(struct http_server *server, bool *stopping_out)
{
	pthread_mutex_lock(&server->mutex);
	while (!server->first && !server->stopping)
		pthread_cond_wait(&server->changed, &server->mutex);
	struct http_exchange *exchange = server->first;
	if (exchange) {
		server->first = exchange->next;
		if (!server->first)
			server->last = NULL;
		exchange->next = NULL;
		server->waiting_count--;
	}
	*stopping_out = server->stopping;
	pthread_mutex_unlock(&server->mutex);
	return exchange;
}

static void *work(void *context)
{
	const struct http_worker *worker = context;
	struct http_server *server = worker->server;
	struct http_exchange *exchange;
	bool stopping;
	while ((exchange = pop(server, &stopping))) {
		exchange->request.worker = worker->index;
		if (stopping) {
			exchange->close = true;
			http_exchange_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
					     "The server is stopping.");
		} else {
			server->options.handle(server->options.context, &exchange->request,
					       &exchange->reply);
			assert(exchange->reply.status >= 200 && exchange->reply.status <= 599);
			exchange->answered = true;
		}
		/* From here on the exchange may be gone at any moment. */
		MHD_resume_connection(exchange->connection);
	}
	return NULL;
}

bool http_queue_start(struct http_server *server, struct err *err)
{
	int count = server->options.worker_count;
	assert(count > 0 && count <= HTTP_SERVER_WORKERS_MAX);
	server->workers = memory_allocate((size_t)count, sizeof(*server->workers));
	for (int i = 0; i < count; i++) {
		server->workers[i] = (struct http_worker){.server = server, .index = i};
		int failure =
			pthread_create(&server->workers[i].thread, NULL, work, &server->workers[i]);
		if (failure != 0)
			return err_set_errno(err, ERR_LOCAL, failure, "thread for requests");
		server->worker_count++;
	}
	return true;
}

void http_queue_stop(struct http_server *server)
{
	pthread_mutex_lock(&server->mutex);
	server->stopping = true;
	pthread_cond_broadcast(&server->changed);
	pthread_mutex_unlock(&server->mutex);
	for (int i = 0; i < server->worker_count; i++)
		pthread_join(server->workers[i].thread, NULL);
	server->worker_count = 0;
	free(server->workers);
	server->workers = NULL;
	assert(!server->first);
}

void http_queue_flush(struct http_server *server)
{
	for (int64_t waited_ms = 0; waited_ms < FLUSH_WAIT_MS_MAX; waited_ms += FLUSH_STEP_MS) {
		pthread_mutex_lock(&server->mutex);
		size_t count = server->unfinished_count;
		pthread_mutex_unlock(&server->mutex);
		if (count == 0)
			return;
		clock_sleep_ms(FLUSH_STEP_MS);
	}
}
