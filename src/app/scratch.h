/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - an empty lake in a temporary folder, with an empty gold of the configured columns: what
 * metric files are prepared against by commands that need no data folder and must lock none. */
#ifndef APP_SCRATCH_H
#define APP_SCRATCH_H

#include "app/session.h"
#include "gold/gold.h"

struct scratch {
	struct file_path folder;
	struct session session;
	struct gold *gold;
};

/* A zeroed scratch may be finished. */
MUST_CHECK bool scratch_open(struct scratch *scratch, struct config *config, struct err *err);
void scratch_finish(struct scratch *scratch); /* removes the folder */

#endif
