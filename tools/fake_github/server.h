/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - sockets and threads: a listener for GitHub, one for the "foreign host" on another
 * loopback address, and a thread per connection.
 *
 * Threads: one accepts, up to SERVER_CONNECTIONS_MAX serve. They share the server's lock (the slot
 * table and the refusal) and, inside github.h, GitHub's. Further clients wait in the backlog. */
#ifndef FAKE_GITHUB_SERVER_H
#define FAKE_GITHUB_SERVER_H

#include "fake_github/github.h"

enum {
	SERVER_CONNECTIONS_MAX = 128,
	SERVER_IDLE_SECONDS_MAX = 60,
};

struct server;

/* Listens on `host` (an IPv4 address) and `port` (0: a free one), starts serving `github`, which is
 * borrowed and must live until server_close, and tells it the foreign host's name. ERR_LOCAL. */
MUST_CHECK bool server_open(const char *host, uint16_t port, struct github *github,
			    struct server **server_out, struct err *err);

uint16_t server_port(const struct server *server);

/* Ends all connections and threads; NULL is fine. */
void server_close(struct server **server);

#endif
