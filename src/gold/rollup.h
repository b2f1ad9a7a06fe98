/* SPDX-License-Identifier: Apache-2.0 */
/* rollup.h - the plain definition of a rollup: a small table that gold keeps equal to a GROUP BY
 * over all its events, inside each load's transaction.
 *
 * Table `rollup_<name>`; one row per combination of keys. Only events that survived the dedupe
 * count. SQL fragments come from our own code or from checked metric files, never from requests. */
#ifndef GOLD_ROLLUP_H
#define GOLD_ROLLUP_H

#include <stddef.h>

enum rollup_operation { ROLLUP_COUNT, ROLLUP_SUM, ROLLUP_MIN, ROLLUP_MAX };

struct rollup_key {
	const char *name;
	const char *expression; /* over columns of events; may be NULL for a row: such rows are left out */
	const char *type;       /* DuckDB's: "TIMESTAMP", "VARCHAR", "BIGINT" */
};

struct rollup_measure {
	const char *name;
	enum rollup_operation operation;
	const char *expression; /* NULL for COUNT */
	const char *type;
};

enum { ROLLUP_KEY_COUNT_MAX = 4, ROLLUP_MEASURE_COUNT_MAX = 8, ROLLUP_COUNT_MAX = 64 };

struct rollup {
	const char *name;   /* [a-z][a-z0-9_]* */
	const char *filter; /* boolean SQL over columns of events; NULL: all */
	struct rollup_key keys[ROLLUP_KEY_COUNT_MAX];
	size_t key_count;
	struct rollup_measure measures[ROLLUP_MEASURE_COUNT_MAX];
	size_t measure_count;
};

#endif
