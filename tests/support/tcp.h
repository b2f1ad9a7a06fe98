/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h - plain sockets for tests: a client that may send anything, and a server that answers
 * whatever it was told to, however wrong. Trouble of the machine's own fails the test. */
#ifndef TESTS_SUPPORT_TCP_H
#define TESTS_SUPPORT_TCP_H

#include "base/buf.h"

/* Connects to 127.0.0.1. Reads wait 10 s at most. Close it with close(). */
int tcp_connect(int port);
/* Sends all of it. False when the other side has closed. */
bool tcp_send(int socket, struct span bytes);
/* Appends what arrives until the other side closes. */
void tcp_receive_all(int socket, struct buf *received);
/* Appends what arrives until `received` contains `wanted`; false when the end came before. */
bool tcp_receive_until(int socket, struct buf *received, const char *wanted);

struct tcp_step {
	int wait_ms; /* before sending */
	struct span bytes;
};

struct tcp_server;

/* Listens on a free port of 127.0.0.1. Each connection, one after the other: reads up to the empty
 * line that ends the headers, plays the steps (borrowed until stop), closes. */
struct tcp_server *tcp_server_start(const struct tcp_step *steps, size_t step_count);
int tcp_server_port(const struct tcp_server *server);
/* Breaks off what is being played. Appends the requests that came, unless `requests` is NULL. */
void tcp_server_stop(struct tcp_server **server, struct buf *requests);

#endif
