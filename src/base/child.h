/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - another program run to its end, with a time limit: for work that may crash or hang. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/err.h"

#include <stdint.h>

struct child_end {
	bool timed_out; /* it was killed */
	int signal;     /* that ended it; 0: it ended by itself */
	int exit_code;
};

/* Runs arguments[0] (a path) with the arguments up to NULL, our environment, and no signal blocked; its
 * output goes nowhere. Waits for its end, at most `wait_ms_max`. ERR_LOCAL when it cannot be started. */
MUST_CHECK bool child_run(const char *const *arguments, int64_t wait_ms_max, struct child_end *end_out,
			  struct err *err);

#endif
