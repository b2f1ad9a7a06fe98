/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.h - files that travel inside the binary.
 * The build generates one table per group (cmake/embed.cmake), in name order, ended by an entry
 * whose name is NULL; a group whose folder has no files is a table of that entry alone. Each table
 * belongs to the library of the layer named beside it: only that layer and those above link it. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *name;          /* path below the group's folder: "events.sql" */
	const unsigned char *data; /* `size` bytes, then a NUL that `size` does not count */
	size_t size;
};

extern const struct embedded_file embedded_config[];   /* lake: config/ *.yaml */
extern const struct embedded_file embedded_gold_sql[]; /* gold: src/gold/sql/ *.sql */
extern const struct embedded_file embedded_web[];      /* serve: index.html, app.js, app.css */

/* The entry called exactly `name`, or NULL. */
const struct embedded_file *embedded_find(const struct embedded_file *table, const char *name);

#endif
