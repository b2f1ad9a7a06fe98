/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - a TCP port that can be closed for a while and opened again. */
#ifndef FAKE_GITHUB_LISTENER_H
#define FAKE_GITHUB_LISTENER_H

#include "base/err.h"

#include <netinet/in.h>

struct listener {
	int descriptor; /* -1: none */
	struct sockaddr_in address; /* with the real port once open */
};

/* Binds and listens. ERR_LOCAL. */
MUST_CHECK bool listener_open(struct listener *listener, const char *host, uint16_t port,
			      struct err *err);

/* Stops listening but keeps the port: connections are refused, waiting ones are reset. */
MUST_CHECK bool listener_pause(struct listener *listener, struct err *err);
MUST_CHECK bool listener_resume(struct listener *listener, struct err *err);

uint16_t listener_port(const struct listener *listener);
void listener_close(struct listener *listener);

#endif
