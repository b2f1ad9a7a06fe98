/* SPDX-License-Identifier: Apache-2.0 */
/* http_server_internal.h - what the files of the HTTP server share; nobody else includes it.
 *
 * One exchange is one request and its reply. It belongs to the library's thread from the request
 * line until it is queued, then to one worker, and after MHD_resume_connection to the library's
 * thread again, which frees it when the reply is sent or the client has gone. While an exchange is
 * queued or worked on its connection is suspended, so nothing else touches either. */
#ifndef WRAP_HTTP_SERVER_INTERNAL_H
#define WRAP_HTTP_SERVER_INTERNAL_H

#include "base/clock.h"
#include "wrap/http_server.h"

#include <microhttpd.h>
#include <pthread.h>

enum {
	HTTP_SERVER_PORTS_MAX = 4,
	HTTP_SERVER_WORKERS_MAX = 256,
	HTTP_TARGET_BYTES_MAX = 4 * 1024,
	HTTP_HEADER_BYTES_MAX = 16 * 1024,
	HTTP_BODY_BYTES_MAX = 1024 * 1024,
	HTTP_REPLY_BYTES_MAX = 1024 * 1024 * 1024,
	HTTP_ARENA_BYTES_MAX = 64 * 1024 * 1024,
	HTTP_CONNECTIONS_MAX = 1024,
	HTTP_WAITING_MAX = 256,
	HTTP_REQUEST_WAIT_MS = 15 * 1000,
	HTTP_IDLE_WAIT_S = 30,
};

/* ---- peers: the time limit of a request, which the library does not have ---- */

enum http_peer_state { HTTP_PEER_IDLE, HTTP_PEER_RECEIVING, HTTP_PEER_ANSWERING };

/* One connection. Created when it is accepted, freed when the library is about to close it. */
struct http_peer {
	struct http_peer *previous;
	struct http_peer *next;
	int socket;
	enum http_peer_state state;
	int64_t since_ms; /* monotonic: when it came into this state */
};

struct http_peers {
	pthread_mutex_t mutex;
	struct http_peer *first;
	struct stop_flag stop;
	int64_t request_wait_ms_max;
	pthread_t thread;
	bool started;
};

MUST_CHECK bool http_peers_start(struct http_peers *peers, int64_t request_wait_ms_max,
				 struct err *err);
/* Only after the last connection was closed. */
void http_peers_stop(struct http_peers *peers);
struct http_peer *http_peers_add(struct http_peers *peers, int socket);
void http_peers_remove(struct http_peers *peers, struct http_peer *peer);
void http_peers_receiving(struct http_peers *peers, struct http_peer *peer);
void http_peers_answering(struct http_peers *peers, struct http_peer *peer);
void http_peers_idle(struct http_peers *peers, struct http_peer *peer);

/* ---- exchanges ---- */

struct http_listener {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	int port;
};

struct http_exchange {
	struct http_exchange *next; /* in the queue */
	struct http_listener *listener;
	struct http_peer *peer;
	struct MHD_Connection *connection; /* set when the headers are read */
	struct arena arena;
	struct span target; /* of the request line, as received; absent when it was too long */
	struct buf body;
	struct http_request request;
	struct http_reply reply;
	bool started;  /* the headers were read */
	bool queued;   /* it was handed to the workers once */
	bool answered; /* the reply is ready to be sent */
	bool close;    /* the connection ends after the reply */
	bool at_once;  /* the rest of the request must not be read before the reply is sent */
};

struct http_exchange *http_exchange_create(struct http_listener *listener, struct http_peer *peer,
					   const char *target);
void http_exchange_destroy(struct http_exchange **exchange);

/* Reads and checks request line and headers into exchange->request. False: the exchange is
 * answered with a refusal. */
bool http_exchange_read_head(struct http_exchange *exchange, struct MHD_Connection *connection,
			     const char *method, const char *version);

/* Makes the reply a problem document (RFC 9457); whatever the reply was before is dropped. */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *detail);

/* Hands the reply to the library. MHD_NO: it could not, and the library closes the connection. */
enum MHD_Result http_exchange_send(struct http_exchange *exchange);

/* ---- the server ---- */

struct http_worker {
	struct http_server *server;
	int index;
	pthread_t thread;
};

struct http_server {
	struct http_server_options options; /* host and ports are not kept */
	struct http_listener listeners[HTTP_SERVER_PORTS_MAX];
	size_t listener_count;
	struct http_peers peers;
	pthread_mutex_t mutex; /* over all below */
	pthread_cond_t changed;
	struct http_exchange *first; /* waiting for a worker */
	struct http_exchange *last;
	size_t waiting_count;
	size_t unfinished_count; /* waiting, worked on, or not yet sent */
	uint64_t request_number;
	bool stopping;
	struct http_worker *workers;
	int worker_count;
};

/* Suspends the connection and hands the exchange to the workers; false, with the exchange refused,
 * when too many wait or the server stops. */
bool http_queue_push(struct http_server *server, struct http_exchange *exchange);
/* The exchange is over for the library: takes it from the counts. */
void http_queue_forget(struct http_server *server, struct http_exchange *exchange);
MUST_CHECK bool http_queue_start(struct http_server *server, struct err *err);
/* Exchanges in the queue are refused, running handlers end; then all workers are gone. */
void http_queue_stop(struct http_server *server);
/* Waits until the replies of the workers are sent, for a short time only. */
void http_queue_flush(struct http_server *server);

#endif
