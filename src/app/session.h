/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - a data folder opened for work: locked, recovered, with its catalog and field set.
 *
 * One process works on a data folder at a time (decision 0001). The lock file says who: pid, command
 * and, once it serves, the API's address, so that `query` can ask there instead. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/config.h"
#include "lake/catalog.h"
#include "lake/field_set.h"

struct session {
	struct config *config; /* borrowed */
	struct layout layout;
	struct file_lock *lock;
	struct field_set *fields;
	struct catalog *catalog;
	char events_file[FILE_PATH_BYTES_MAX]; /* where the field set came from; "" : built in */
};

/* Locks, sweeps drafts, opens the catalog (a damaged one is set aside and rebuilt from the files)
 * and recovers what a crash left. In use: ERR_LOCAL, exit code 6, naming the holder. */
MUST_CHECK bool session_open(struct session *session, struct config *config, const char *command, struct err *err);
void session_close(struct session *session);
/* BALLAST in the data folder is half a megabyte that the next start may give up when the disk is full
 * to the last byte, so that it can open the catalog, serve, and wait for room. Makes it where it is
 * missing and there is room; any thread. */
void session_keep_ballast(const struct session *session);

/* Tells others in the lock file where the API is. */
MUST_CHECK bool session_announce(struct session *session, const char *command, const char *api_url, struct err *err);

/* Who holds a data folder. A look only: nothing is locked or made. */
struct session_holder {
	int64_t pid;       /* 0: not told */
	char command[64];  /* "run"; "" : not told */
	char api[300];     /* "" : does not serve */
};
/* True when some process holds `folder`. */
bool session_find_holder(const char *folder, struct session_holder *holder_out);

/* The API address of the process that holds the data folder, when one does and serves. */
bool session_find_server(struct config *config, struct buf *api_url_out);

/* The field set that the configuration names; `events_file_out` as in struct session. */
MUST_CHECK bool session_load_fields(struct config *config, struct field_set **fields_out,
				    char events_file_out[FILE_PATH_BYTES_MAX], struct err *err);

/* User's metric files: --metrics, else ./metrics.yaml when it is there. */
const char *const *session_metric_paths(struct config *config, size_t *count_out);

#endif
