/* SPDX-License-Identifier: Apache-2.0 */
/* stages.h - the stages one by one, as commands and as the daemon use them. */
#ifndef APP_STAGES_H
#define APP_STAGES_H

#include "app/session.h"
#include "gold/gold.h"
#include "ingest/ingest.h"
#include "silver/silver.h"

/* Ingest as configured. `stored` may be NULL. The texts that it needs live in `session`'s config. */
MUST_CHECK bool stages_create_ingest(struct session *session, struct stop_flag *stop, bool bounded,
				     void (*stored)(void *context, int64_t batch), void *context,
				     struct ingest **ingest_out, struct err *err);

MUST_CHECK bool stages_open_silver(struct session *session, struct silver **silver_out, struct err *err);
/* `stop` (may be NULL) ends a rebuild early. */
MUST_CHECK bool stages_open_gold(struct session *session, bool defer_rebuild, struct stop_flag *stop,
				 struct gold **gold_out, struct err *err);

/* The hidden command `try-gold FILE` (gold.h, options.opener): 0, 4 when it is damaged, 1 otherwise. */
int stages_try_gold(const char *path);

/* Builds every waiting batch. Stops early (true, *rest_out true) when `stop` is set. */
MUST_CHECK bool stages_transform(struct silver *silver, struct stop_flag *stop, struct silver_report *report_out,
				 bool *rest_out, struct err *err);

/* Loads what waits into gold, or builds it anew when that is due. Silver that is found damaged is made
 * again first, with `silver` (NULL: with one opened for it). */
MUST_CHECK bool stages_load(struct session *session, struct silver *silver, struct gold *gold,
			    struct stop_flag *stop, struct gold_report *report_out, struct err *err);
/* The same, but gold is built anew in any case. */
MUST_CHECK bool stages_rebuild(struct session *session, struct silver *silver, struct gold *gold,
			       struct stop_flag *stop, struct gold_report *report_out, struct err *err);

#endif
