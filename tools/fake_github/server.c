/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/server.h"

#include "base/memory.h"
#include "fake_github/connection.h"
#include "fake_github/listener.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* A client on another host: curl and its like compare names, so another loopback address will do.
 */
static const char foreign_address[] = "127.0.0.2";
static const char foreign_address_fallback[] = "127.0.0.1";

enum slot_state { SLOT_FREE, SLOT_RUNNING, SLOT_ENDED };

struct slot {
	struct server *server;
	enum slot_state state;
	int descriptor;
	bool foreign;
	pthread_t thread;
};

struct server {
	struct github *github;
	struct listener main_listener;
	struct listener foreign_listener;
	uint16_t port; /* fixed once open */
	int wake_descriptor; /* wakes the accepting thread */
	pthread_t accept_thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	bool stopping;
	bool refusal_wanted;
	int64_t refuse_until_ms; /* monotonic; 0: the port is open */
	struct slot slots[SERVER_CONNECTIONS_MAX];
};

static void wake(struct server *server)
{
	uint64_t one = 1;
	ssize_t size = write(server->wake_descriptor, &one, sizeof(one));
	assert(size == (ssize_t)sizeof(one));
}

/* Ends every connection but `except`; their threads close them. The lock is held. */
static void shut_connections(struct server *server, const struct slot *except)
{
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		struct slot *slot = &server->slots[i];
		if (slot->state == SLOT_RUNNING && slot != except)
			(void)shutdown(slot->descriptor, SHUT_RDWR);
	}
}

static void refuse(void *context, int64_t refuse_ms)
{
	struct slot *slot = context;
	struct server *server = slot->server;
	(void)pthread_mutex_lock(&server->lock);
	server->refuse_until_ms = clock_monotonic_ms(clock_system()) + refuse_ms;
	server->refusal_wanted = true;
	wake(server);
	/* The client must not get through between our reset and the port's closing. */
	while (server->refusal_wanted && !server->stopping)
		(void)pthread_cond_wait(&server->changed, &server->lock);
	shut_connections(server, slot);
	(void)pthread_mutex_unlock(&server->lock);
}

static void *serve_connection(void *argument)
{
	struct slot *slot = argument;
	struct connection connection = {
		.descriptor = slot->descriptor,
		.foreign = slot->foreign,
		.github = slot->server->github,
		.refuse = refuse,
		.context = slot,
	};
	connection_serve(&connection);
	(void)pthread_mutex_lock(&slot->server->lock);
	(void)close(slot->descriptor);
	slot->state = SLOT_ENDED;
	wake(slot->server);
	(void)pthread_mutex_unlock(&slot->server->lock);
	return NULL;
}

/* Joins ended threads and returns a free slot, or NULL. The lock is held. */
static struct slot *find_slot(struct server *server)
{
	struct slot *found = NULL;
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		struct slot *slot = &server->slots[i];
		if (slot->state == SLOT_ENDED) {
			(void)pthread_join(slot->thread, NULL);
			slot->state = SLOT_FREE;
		}
		if (slot->state == SLOT_FREE && !found)
			found = slot;
	}
	return found;
}

static void accept_one(struct server *server, struct slot *slot, const struct listener *listener)
{
	int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC);
	if (descriptor < 0)
		return;
	struct timeval wait = {.tv_sec = SERVER_IDLE_SECONDS_MAX};
	int on = 1;
	(void)setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	slot->server = server;
	slot->descriptor = descriptor;
	slot->foreign = listener == &server->foreign_listener;
	slot->state = SLOT_RUNNING;
	if (pthread_create(&slot->thread, NULL, serve_connection, slot) != 0) {
		(void)close(descriptor);
		slot->state = SLOT_FREE;
	}
}

/* Closes or reopens the port when a refusal begins or ends. Returns the milliseconds until the next
 * change, -1 for none. The lock is held. */
static int64_t keep_refusal(struct server *server)
{
	struct err err = {0};
	if (server->refuse_until_ms == 0)
		return -1;
	if (server->refusal_wanted) {
		if (!listener_pause(&server->main_listener, &err))
			(void)fprintf(stderr, "octolake-fake-github: %s\n", err.text);
		server->refusal_wanted = false;
		(void)pthread_cond_broadcast(&server->changed);
	}
	int64_t left_ms = server->refuse_until_ms - clock_monotonic_ms(clock_system());
	if (left_ms > 0)
		return left_ms;
	server->refuse_until_ms = 0;
	if (!listener_resume(&server->main_listener, &err))
		(void)fprintf(stderr, "octolake-fake-github: %s\n", err.text);
	return -1;
}

static void *accept_connections(void *argument)
{
	struct server *server = argument;
	(void)pthread_mutex_lock(&server->lock);
	while (!server->stopping) {
		int64_t wait_ms = keep_refusal(server);
		bool has_room = find_slot(server) != NULL;
		struct pollfd polls[] = {
			{.fd = server->wake_descriptor, .events = POLLIN},
			{.fd = has_room ? server->foreign_listener.descriptor : -1,
			 .events = POLLIN},
			{.fd = has_room && wait_ms < 0 ? server->main_listener.descriptor : -1,
			 .events = POLLIN},
		};
		(void)pthread_mutex_unlock(&server->lock);
		(void)poll(polls, ARRAY_COUNT(polls), (int)wait_ms);
		(void)pthread_mutex_lock(&server->lock);
		if (server->stopping)
			break;
		uint64_t count;
		if (polls[0].revents != 0
		    && read(server->wake_descriptor, &count, sizeof(count)) < 0)
			assert(errno == EAGAIN);
		struct slot *slot = find_slot(server);
		if (slot && polls[1].revents != 0)
			accept_one(server, slot, &server->foreign_listener);
		slot = find_slot(server);
		if (slot && polls[2].revents != 0)
			accept_one(server, slot, &server->main_listener);
	}
	(void)pthread_mutex_unlock(&server->lock);
	return NULL;
}

static bool open_foreign(struct server *server, struct err *err)
{
	const char *address = foreign_address;
	if (!listener_open(&server->foreign_listener, address, 0, err)) {
		address = foreign_address_fallback;
		if (!listener_open(&server->foreign_listener, address, 0, err))
			return false;
	}
	(void)snprintf(server->github->foreign_host, sizeof(server->github->foreign_host), "%s:%u",
		       address, listener_port(&server->foreign_listener));
	return true;
}

static void free_server(struct server *server)
{
	listener_close(&server->main_listener);
	listener_close(&server->foreign_listener);
	if (server->wake_descriptor >= 0)
		(void)close(server->wake_descriptor);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}

bool server_open(const char *host, uint16_t port, struct github *github, struct server **server_out,
		 struct err *err)
{
	struct server *server = memory_allocate(1, sizeof(*server));
	server->github = github;
	server->main_listener.descriptor = -1;
	server->foreign_listener.descriptor = -1;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->changed, NULL);
	server->wake_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bool opened = server->wake_descriptor >= 0
		      || err_set_errno(err, ERR_LOCAL, errno, "eventfd");
	opened = opened && listener_open(&server->main_listener, host, port, err)
		 && open_foreign(server, err);
	server->port = opened ? listener_port(&server->main_listener) : 0;
	if (opened && pthread_create(&server->accept_thread, NULL, accept_connections, server) != 0)
		opened = err_set(err, ERR_LOCAL, "no thread to be had");
	if (!opened) {
		free_server(server);
		return err_wrap(err, "listen on %s port %u", host, port);
	}
	*server_out = server;
	return true;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

void server_close(struct server **server)
{
	struct server *ending = *server;
	*server = NULL;
	if (!ending)
		return;
	(void)pthread_mutex_lock(&ending->lock);
	ending->stopping = true;
	wake(ending);
	(void)pthread_cond_broadcast(&ending->changed);
	shut_connections(ending, NULL);
	(void)pthread_mutex_unlock(&ending->lock);
	(void)pthread_join(ending->accept_thread, NULL);
	for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++) {
		(void)pthread_mutex_lock(&ending->lock);
		bool used = ending->slots[i].state != SLOT_FREE;
		(void)pthread_mutex_unlock(&ending->lock);
		if (used)
			(void)pthread_join(ending->slots[i].thread, NULL);
	}
	free_server(ending);
}
