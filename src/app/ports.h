/* SPDX-License-Identifier: Apache-2.0 */
/* ports.h - the two ports as a person wants to hear of them: who has one that we need, and which
 * option chooses another. */
#ifndef APP_PORTS_H
#define APP_PORTS_H

#include "app/config.h"

/* For an ERR_LOCAL with exit code 6 of serve_start: names the taken port, its holder and the
 * option; where the holder cannot be found, both options. One number for both ports: exit code 2. */
void ports_explain_err(const struct config *config, struct err *err);

#endif
