/* SPDX-License-Identifier: Apache-2.0 */
/* connection.h - one client's connection: reads requests, writes answers as (mis)behaved as they
 * are. */
#ifndef FAKE_GITHUB_CONNECTION_H
#define FAKE_GITHUB_CONNECTION_H

#include "fake_github/github.h"

struct connection {
	int descriptor; /* owned by the caller */
	bool foreign;   /* came in on the foreign host's port */
	struct github *github;
	/* Called before the answer that asks for it: from its return on the port refuses
	 * connections for `refuse_ms`, and all other connections are ended. */
	void (*refuse)(void *context, int64_t refuse_ms);
	void *context;
};

/* Serves until the client leaves, an error, or an answer that ends the connection. */
void connection_serve(const struct connection *connection);

#endif
