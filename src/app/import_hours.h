/* SPDX-License-Identifier: Apache-2.0 */
/* import_hours.h - `octolake import HOUR|RANGE|FILE|URL|-...`: GH Archive into the lake. docs/formats/archive.md
 * says what becomes of what. */
#ifndef APP_IMPORT_HOURS_H
#define APP_IMPORT_HOURS_H

#include "app/config.h"
#include "ingest/archive_intake.h"

/* Exit code 3 when hours are missing or damaged, or it was stopped: run again, it goes on where it was. */
MUST_CHECK bool import_hours(struct config *config, const char *const *words, size_t word_count, struct err *err);

/* --dry-run: asks what is there and how much it is; fetches and makes nothing. */
MUST_CHECK bool import_hours_probe(struct config *config, const struct archive_sources *sources,
				   struct archive_mirrors *mirrors, struct stop_flag *stop, struct err *err);

#endif
