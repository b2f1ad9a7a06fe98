/* SPDX-License-Identifier: Apache-2.0 */
/* import_private.h - what the files of import.h share; nobody else includes it. */
#ifndef INGEST_IMPORT_PRIVATE_H
#define INGEST_IMPORT_PRIVATE_H

#include "base/table.h"
#include "ingest/import.h"
#include "ingest/pending.h"
#include "ingest/seen.h"
#include "ingest/type_guard.h"
#include "lake/key_set.h"

struct import {
	const struct import_options *options;
	struct import_report *report;
	struct scan_plan *plan;
	struct type_guard types;
	struct pending *pending;
	struct arena scratch;          /* of one event */
	struct key_set keys;           /* of the lake's partitions that were met, and of what was stored */
	struct seen *conflicts;        /* keys that another repository had already */
	struct seen *partitions;       /* whose keys are loaded */
	struct arena listed;           /* lives as long as the import: */
	const struct lake_file *bronze; /* files there at the start, by type and day */
	size_t bronze_count;
	enum import_kind kind;
	const char *path;              /* of the file at hand, in the folder */
	const char *table;             /* of a DuckDB file, at hand; NULL: none */
};

/* ---- import.c ---- */
/* One element: stored, duplicate, filtered or quarantined; `offset` says where in the file. ERR_LOCAL
 * when the lake cannot take it. */
MUST_CHECK bool import_take(struct import *import, struct span json, int64_t offset, struct err *err);
/* One that is known to be broken. `reason` is a constant. */
MUST_CHECK bool import_set_aside(struct import *import, const char *reason, const char *detail, int64_t offset,
				 struct span raw, struct err *err);
/* Notes why the file (or table) at hand is not read, or not to its end: because it is damaged, or because
 * it holds no events. Returns true: the import goes on. */
bool import_note_damage(struct import *import, const char *format, ...) PRINTF_LIKE(2, 3);
bool import_note_left_out(struct import *import, const char *format, ...) PRINTF_LIKE(2, 3);
bool import_is_stopped(const struct import *import);

/* ---- import_keys.c ---- */
/* Lists what the lake has. */
MUST_CHECK bool import_keys_init(struct import *import, struct err *err);
void import_keys_finish(struct import *import);
/* Whether the event is new to the lake; then it counts as in it from here on. `route` is the type
 * under which it is stored. */
MUST_CHECK bool import_keys_add(struct import *import, const struct event *event, struct span route, bool *new_out,
				struct err *err);

/* ---- import_json.c ---- */
/* A file of arrays of events, of events line by line, or of single events. */
MUST_CHECK bool import_json_file(struct import *import, const char *path, struct err *err);

/* ---- import_table.c ---- */
MUST_CHECK bool import_parquet_file(struct import *import, const char *path, struct err *err);
/* Every base table of it. */
MUST_CHECK bool import_duckdb_file(struct import *import, const char *path, struct err *err);

/* ---- import_row.c ---- */
/* How a table's columns become an event: "a.b" is the member b of a. */
struct import_columns {
	const struct table_column *columns; /* borrowed */
	const bool *is_json;  /* by column: its text is JSON already. Borrowed */
	size_t count;
	size_t *order;        /* of the columns by path */
	struct span type;     /* of rows that do not say theirs; absent: none */
};
void import_columns_init(struct import_columns *columns, const struct table_column *list, const bool *is_json,
			 size_t count, struct span type);
void import_columns_finish(struct import_columns *columns);
/* Appends the row's event; NULL cells are no members. */
void import_row_render(const struct import_columns *columns, const struct value *row, struct buf *json);

#endif
