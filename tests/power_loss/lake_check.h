/* SPDX-License-Identifier: Apache-2.0 */
/* lake_check.h - opens a data folder as the program does and holds it against what was served.
 *
 * The feed's states are numbered in the order in which they were served; each event belongs to the
 * first state that showed it. A state is acknowledged once the program presented its ETag: from then on
 * the feed may have forgotten what the state showed. */
#ifndef TESTS_POWER_LOSS_LAKE_CHECK_H
#define TESTS_POWER_LOSS_LAKE_CHECK_H

#include "base/buf.h"
#include "base/err.h"

struct served_event {
	char key[96]; /* "id|type|2026-09-20T12:00:00Z"; "!id" of what is no event: for the quarantine */
	int64_t state;
};

struct served {
	struct served_event *events; /* by key */
	size_t count;
	char (*tags)[80]; /* ETag of each state that was acknowledged, in order */
	size_t tag_count;
	bool complete; /* every event has to be there */
};

/* Lines "STATE KEY". */
MUST_CHECK bool served_read(const char *path, struct served *served_out, struct err *err);

/* Recovers, transforms and materialises the folder, then checks:
 * - the stages succeed, and nothing waits behind them,
 * - no event is in gold twice; gold holds what published bronze holds; nothing else was served,
 * - what is no event is in quarantine instead, with its bytes,
 * - every event of the first `acknowledged` states is there, and of all states up to the catalog's
 *   cursor, so that a resumed feed skips nothing,
 * - the catalog's counts add up.
 * False: ERR_INPUT with the violation. Ends the process on an assert of the program's, of course. */
MUST_CHECK bool lake_check(const char *folder, const struct served *served, size_t acknowledged, struct err *err);

#endif
