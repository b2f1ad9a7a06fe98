/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.h - what runs when: the poll loop, the refresh (the only writer of silver and gold), the
 * API and the dashboard in one process. ARCHITECTURE.md lists the threads and what crosses them. */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "app/session.h"

enum daemon_mode {
	DAEMON_LIVE,  /* poll for ever, refresh as batches come */
	DAEMON_BATCH, /* ingestion for its time, then silver, then gold, then serve (or leave) */
	DAEMON_SERVE, /* no polling: what is there */
};

struct daemon_options {
	enum daemon_mode mode;
	bool demo;
	const char *command; /* for the lock file */
};

/* Runs until a signal asks to stop (or the batch is done, with --exit). ERR's exit code is the
 * program's. */
MUST_CHECK bool daemon_run(struct session *session, const struct daemon_options *options, struct err *err);

#endif
