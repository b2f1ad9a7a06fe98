/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_peers.c - shuts connections whose request takes too long to arrive.
 *
 * The library's own time limit begins anew with every byte, so a client that sends one byte now and
 * then would keep its connection for ever. A thread looks at all connections a few times per limit.
 * A peer is in the list exactly while its socket is open: the library tells before it closes. */
#include "wrap/http_server_internal.h"

#include "base/memory.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { CHECKS_PER_LIMIT = 15, CLOCK_SLACK_MS = 50 };

/* The first byte of the next request shows nowhere but in the kernel's record of the socket. The
 * slack keeps the last bytes of the request before from being taken for it. */
static bool has_received_since(int socket, int64_t since_ms, int64_t now_ms)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	return now_ms - (int64_t)info.tcpi_last_data_recv > since_ms + CLOCK_SLACK_MS;
}

static void check_peers(struct http_peers *peers)
{
	int64_t now_ms = clock_monotonic_ms(clock_system());
	pthread_mutex_lock(&peers->mutex);
	for (struct http_peer *peer = peers->first; peer; peer = peer->next) {
		if (peer->state == HTTP_PEER_IDLE
		    && has_received_since(peer->socket, peer->since_ms, now_ms)) {
			peer->state = HTTP_PEER_RECEIVING;
			peer->since_ms = now_ms;
		}
		if (peer->state == HTTP_PEER_RECEIVING
		    && now_ms - peer->since_ms >= peers->request_wait_ms_max)
			(void)shutdown(peer->socket, SHUT_RDWR);
	}
	pthread_mutex_unlock(&peers->mutex);
}

static void *run_checks(void *context)
{
	struct http_peers *peers = context;
	int64_t step_ms = peers->request_wait_ms_max / CHECKS_PER_LIMIT + 1;
	while (!stop_flag_wait(&peers->stop, step_ms))
		check_peers(peers);
	return NULL;
}

bool http_peers_start(struct http_peers *peers, int64_t request_wait_ms_max, struct err *err)
{
	assert(request_wait_ms_max > 0);
	*peers = (struct http_peers){.request_wait_ms_max = request_wait_ms_max};
	pthread_mutex_init(&peers->mutex, NULL);
	stop_flag_init(&peers->stop);
	int failure = pthread_create(&peers->thread, NULL, run_checks, peers);
	if (failure != 0) {
		stop_flag_finish(&peers->stop);
		pthread_mutex_destroy(&peers->mutex);
		return err_set_errno(err, ERR_LOCAL, failure, "thread for connections");
	}
	peers->started = true;
	return true;
}

void http_peers_stop(struct http_peers *peers)
{
	if (!peers->started)
		return;
	assert(!peers->first);
	stop_flag_set(&peers->stop);
	pthread_join(peers->thread, NULL);
	stop_flag_finish(&peers->stop);
	pthread_mutex_destroy(&peers->mutex);
	peers->started = false;
}

struct http_peer *http_peers_add(struct http_peers *peers, int socket)
{
	struct http_peer *peer = memory_allocate(1, sizeof(*peer));
	peer->socket = socket;
	peer->since_ms = clock_monotonic_ms(clock_system());
	pthread_mutex_lock(&peers->mutex);
	peer->next = peers->first;
	if (peer->next)
		peer->next->previous = peer;
	peers->first = peer;
	pthread_mutex_unlock(&peers->mutex);
	return peer;
}

void http_peers_remove(struct http_peers *peers, struct http_peer *peer)
{
	pthread_mutex_lock(&peers->mutex);
	if (peer->next)
		peer->next->previous = peer->previous;
	if (peer->previous)
		peer->previous->next = peer->next;
	else
		peers->first = peer->next;
	pthread_mutex_unlock(&peers->mutex);
	free(peer);
}

void http_peers_receiving(struct http_peers *peers, struct http_peer *peer)
{
	int64_t now_ms = clock_monotonic_ms(clock_system());
	pthread_mutex_lock(&peers->mutex);
	/* The clock of a request whose first bytes were noticed already goes on. */
	if (peer->state != HTTP_PEER_RECEIVING) {
		peer->state = HTTP_PEER_RECEIVING;
		peer->since_ms = now_ms;
	}
	pthread_mutex_unlock(&peers->mutex);
}

static void set_state(struct http_peers *peers, struct http_peer *peer, enum http_peer_state state)
{
	int64_t now_ms = clock_monotonic_ms(clock_system());
	pthread_mutex_lock(&peers->mutex);
	peer->state = state;
	peer->since_ms = now_ms;
	pthread_mutex_unlock(&peers->mutex);
}

void http_peers_answering(struct http_peers *peers, struct http_peer *peer)
{
	set_state(peers, peer, HTTP_PEER_ANSWERING);
}

void http_peers_idle(struct http_peers *peers, struct http_peer *peer)
{
	set_state(peers, peer, HTTP_PEER_IDLE);
}
