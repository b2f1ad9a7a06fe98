/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.c - start, stop, and what the library calls.
 *
 * One daemon with one thread per listener; all share one queue and its workers. Order of stopping:
 * no new connections, workers end (so no connection is suspended any more, as the library demands),
 * their replies leave, daemons end, then what they used is freed. */
#include "wrap/http_server_internal.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EXIT_PORT_IN_USE = 6,
	/* Read buffer, parsed headers and reply headers of one connection. Touched as needed. */
	CONNECTION_MEMORY_BYTES = 64 * 1024,
};

/* ---- called by the library ---- */

static struct http_peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	assert(info && info->socket_context);
	return info->socket_context;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_listener *listener = context;
	struct http_peers *peers = &listener->server->peers;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		*socket_context = http_peers_add(peers, info->connect_fd);
	} else {
		http_peers_remove(peers, *socket_context);
		*socket_context = NULL;
	}
}

/* The only place where the library shows the target as it was sent. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
	struct http_listener *listener = context;
	struct http_peer *peer = peer_of(connection);
	http_peers_receiving(&listener->server->peers, peer);
	return http_exchange_create(listener, peer, target);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context,
			 enum MHD_RequestTerminationCode code)
{
	(void)connection;
	(void)code;
	struct http_listener *listener = context;
	struct http_exchange *exchange = *request_context;
	if (!exchange)
		return;
	http_queue_forget(listener->server, exchange);
	http_peers_idle(&listener->server->peers, exchange->peer);
	http_exchange_destroy(&exchange);
	*request_context = NULL;
}

static enum MHD_Result start_answer(struct http_listener *listener, struct http_exchange *exchange)
{
	http_peers_answering(&listener->server->peers, exchange->peer);
	return http_exchange_send(exchange);
}

/* Called when the headers are read, for each piece of the body, at its end, and after resuming. A
 * refused request is still read to its end, or the client might never see the reply. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request_context)
{
	(void)url;
	struct http_listener *listener = context;
	struct http_exchange *exchange = *request_context;
	assert(exchange);
	if (!exchange->started) {
		if (!http_exchange_read_head(exchange, connection, method, version)
		    && exchange->at_once)
			return start_answer(listener, exchange);
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		if (!exchange->answered)
			buf_append(&exchange->body, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!exchange->answered && exchange->body.failed) {
		exchange->close = true;
		http_exchange_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
				     "The body is larger than 1 MiB.");
	}
	if (!exchange->answered) {
		exchange->request.body = buf_span(&exchange->body);
		http_peers_answering(&listener->server->peers, exchange->peer);
		if (http_queue_push(listener->server, exchange))
			return MHD_YES;
	}
	return start_answer(listener, exchange);
}

/* ---- start and stop ---- */

const char *http_server_library(void)
{
	return MHD_get_version();
}

static void close_socket(int *socket)
{
	if (*socket >= 0)
		(void)close(*socket);
	*socket = -1;
}

static bool bind_socket(int listening, const struct addrinfo *address, const char *host, int port,
			struct err *err)
{
	int on = 1;
	int off = 0;
	if (setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "SO_REUSEADDR");
	if (address->ai_family == AF_INET6
	    && setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "IPV6_V6ONLY");
	if (bind(listening, address->ai_addr, address->ai_addrlen) == 0
	    && listen(listening, SOMAXCONN) == 0)
		return true;
	if (errno != EADDRINUSE)
		return err_set_errno(err, ERR_LOCAL, errno, "listening on %s port %d", host, port);
	(void)err_set(err, ERR_LOCAL, "port %d is in use", port);
	err->exit_code = EXIT_PORT_IN_USE;
	return false;
}

static bool open_socket(const char *host, int port, int *socket_out, struct err *err)
{
	char service[16];
	(void)snprintf(service, sizeof(service), "%d", port);
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	int failure = getaddrinfo(host, service, &hints, &addresses);
	if (failure != 0)
		return err_set(err, ERR_LOCAL, "host %s: %s", host, gai_strerror(failure));
	CLEANUP(close_socket) int listening =
		socket(addresses->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool bound = listening >= 0
			     ? bind_socket(listening, addresses, host, port, err)
			     : err_set_errno(err, ERR_LOCAL, errno, "socket for %s", host);
	freeaddrinfo(addresses);
	if (!bound)
		return false;
	*socket_out = listening;
	listening = -1;
	return true;
}

static bool read_port(int listening, int *port_out, struct err *err)
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);
	if (getsockname(listening, (struct sockaddr *)&address, &size) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "port of the listener");
	in_port_t port = address.ss_family == AF_INET6
				 ? ((const struct sockaddr_in6 *)&address)->sin6_port
				 : ((const struct sockaddr_in *)&address)->sin_port;
	*port_out = ntohs(port);
	return true;
}

static bool start_listener(struct http_server *server, const char *host, int port,
			   unsigned connections_max, struct err *err)
{
	struct http_listener *listener = &server->listeners[server->listener_count];
	CLEANUP(close_socket) int listening = -1;
	listener->server = server;
	if (!open_socket(host, port, &listening, err)
	    || !read_port(listening, &listener->port, err))
		return false;
	listener->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request,
		listener, MHD_OPTION_LISTEN_SOCKET, listening, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)HTTP_IDLE_WAIT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_URI_LOG_CALLBACK, on_target, listener,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, listener, MHD_OPTION_END);
	/* From here on the library closes it, on some failures too. */
	listening = -1;
	if (!listener->daemon)
		return err_set(err, ERR_LOCAL, "the HTTP library does not start on port %d", port);
	server->listener_count++;
	return true;
}

bool http_server_start(const struct http_server_options *options, struct http_server **server_out,
		       struct err *err)
{
	assert(options->handle && options->host);
	assert(options->port_count > 0 && options->port_count <= HTTP_SERVER_PORTS_MAX);
	CLEANUP(http_server_stop) struct http_server *server = memory_allocate(1, sizeof(*server));
	server->options = *options;
	server->options.host = NULL;
	server->options.ports = NULL;
	pthread_mutex_init(&server->mutex, NULL);
	pthread_cond_init(&server->changed, NULL);
	int64_t wait_ms = options->request_wait_ms_max ? options->request_wait_ms_max
						       : HTTP_REQUEST_WAIT_MS;
	if (!http_peers_start(&server->peers, wait_ms, err) || !http_queue_start(server, err))
		return err_wrap(err, "HTTP server");
	unsigned connections_max = HTTP_CONNECTIONS_MAX / (unsigned)options->port_count;
	for (size_t i = 0; i < options->port_count; i++)
		if (!start_listener(server, options->host, options->ports[i], connections_max, err))
			return err_wrap(err, "HTTP server");
	*server_out = server;
	server = NULL;
	return true;
}

int http_server_port(const struct http_server *server, size_t index)
{
	assert(index < server->listener_count);
	return server->listeners[index].port;
}

void http_server_stop(struct http_server **server)
{
	struct http_server *stopped = *server;
	if (!stopped)
		return;
	int listening[HTTP_SERVER_PORTS_MAX];
	for (size_t i = 0; i < stopped->listener_count; i++) {
		listening[i] = MHD_quiesce_daemon(stopped->listeners[i].daemon);
		(void)shutdown(listening[i], SHUT_RDWR);
	}
	http_queue_stop(stopped);
	http_queue_flush(stopped);
	for (size_t i = 0; i < stopped->listener_count; i++) {
		MHD_stop_daemon(stopped->listeners[i].daemon);
		/* Not before: the daemon's thread may look at it once more. */
		close_socket(&listening[i]);
	}
	http_peers_stop(&stopped->peers);
	pthread_cond_destroy(&stopped->changed);
	pthread_mutex_destroy(&stopped->mutex);
	free(stopped);
	*server = NULL;
}
