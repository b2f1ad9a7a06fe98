/* SPDX-License-Identifier: Apache-2.0 */
/* signals.h - SIGTERM, SIGINT and SIGHUP as a request to stop, taken by a thread of their own.
 *
 * The first asks for a clean end; a second, or ten seconds without one, ends the process at once,
 * which loses nothing that was acknowledged. One that is ignored when we start (nohup) stays ignored. */
#ifndef APP_SIGNALS_H
#define APP_SIGNALS_H

#include "base/clock.h"

/* Before any other thread is started. `stop` must outlive the process's threads. */
void signals_start(struct stop_flag *stop);
/* The signal that asked to stop, or 0. */
int signals_received(void);

#endif
