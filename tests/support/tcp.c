/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tcp.h"

#include "base/clock.h"
#include "base/memory.h"
#include "tests/support/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { RECEIVE_WAIT_S = 10, REQUESTS_BYTES_MAX = 1024 * 1024, CHUNK_BYTES = 16 * 1024 };

struct tcp_server {
	const struct tcp_step *steps;
	size_t step_count;
	int listening;
	int port;
	pthread_t thread;
	struct stop_flag stop;
	struct buf requests; /* the thread's until it is joined */
};

static void require(bool condition, const char *what)
{
	if (!condition)
		fail_msg("%s: %s", what, strerror(errno));
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((in_port_t)port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void limit_waiting(int socket)
{
	struct timeval wait = {.tv_sec = RECEIVE_WAIT_S};
	(void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

int tcp_connect(int port)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(client >= 0, "socket");
	limit_waiting(client);
	struct sockaddr_in address = loopback(port);
	require(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	return client;
}

bool tcp_send(int socket, struct span bytes)
{
	while (bytes.size > 0) {
		ssize_t sent = send(socket, bytes.data, bytes.size, MSG_NOSIGNAL);
		if (sent < 0)
			return false;
		bytes.data += sent;
		bytes.size -= (size_t)sent;
	}
	return true;
}

static bool receive_some(int socket, struct buf *received)
{
	char *room = buf_reserve(received, CHUNK_BYTES);
	if (!room)
		return false;
	ssize_t size = recv(socket, room, CHUNK_BYTES, 0);
	if (size <= 0)
		return false;
	buf_commit(received, (size_t)size);
	return true;
}

void tcp_receive_all(int socket, struct buf *received)
{
	while (receive_some(socket, received))
		continue;
}

static bool contains(const struct buf *received, const char *wanted)
{
	return received->size > 0
	       && memmem(received->data, received->size, wanted, strlen(wanted));
}

bool tcp_receive_until(int socket, struct buf *received, const char *wanted)
{
	while (!contains(received, wanted))
		if (!receive_some(socket, received))
			return false;
	return true;
}

static void play(struct tcp_server *server, int client)
{
	struct buf request;
	buf_init(&request, REQUESTS_BYTES_MAX);
	limit_waiting(client);
	if (tcp_receive_until(client, &request, "\r\n\r\n")) {
		buf_append_span(&server->requests, buf_span(&request));
		for (size_t i = 0; i < server->step_count; i++)
			if (stop_flag_wait(&server->stop, server->steps[i].wait_ms)
			    || !tcp_send(client, server->steps[i].bytes))
				break;
	}
	buf_finish(&request);
}

static void *serve(void *context)
{
	struct tcp_server *server = context;
	int client;
	while ((client = accept4(server->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		play(server, client);
		(void)close(client);
	}
	return NULL;
}

struct tcp_server *tcp_server_start(const struct tcp_step *steps, size_t step_count)
{
	struct tcp_server *server = memory_allocate(1, sizeof(*server));
	server->steps = steps;
	server->step_count = step_count;
	buf_init(&server->requests, REQUESTS_BYTES_MAX);
	stop_flag_init(&server->stop);
	server->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(server->listening >= 0, "socket");
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	require(bind(server->listening, (struct sockaddr *)&address, size) == 0, "bind");
	require(listen(server->listening, 16) == 0, "listen");
	require(getsockname(server->listening, (struct sockaddr *)&address, &size) == 0, "port");
	server->port = ntohs(address.sin_port);
	require(pthread_create(&server->thread, NULL, serve, server) == 0, "thread");
	return server;
}

int tcp_server_port(const struct tcp_server *server)
{
	return server->port;
}

void tcp_server_stop(struct tcp_server **server, struct buf *requests)
{
	struct tcp_server *stopped = *server;
	if (!stopped)
		return;
	stop_flag_set(&stopped->stop);
	(void)shutdown(stopped->listening, SHUT_RDWR);
	pthread_join(stopped->thread, NULL);
	(void)close(stopped->listening);
	if (requests)
		buf_append_span(requests, buf_span(&stopped->requests));
	buf_finish(&stopped->requests);
	stop_flag_finish(&stopped->stop);
	free(stopped);
	*server = NULL;
}
