/* SPDX-License-Identifier: Apache-2.0 */
/* silver_file.h - silver's Parquet files as SQL sees them: their columns, and the relation that
 * reads listed files. docs/formats/silver.md is the contract.
 *
 * Columns are event_columns and then the field set's fields, under those names. Files of another
 * fingerprint are read by name: a column that a file lacks is NULL in its rows, a value that does
 * not fit today's type too, a column that is no longer configured is left out. Files are always
 * listed, never globbed. */
#ifndef LAKE_SILVER_FILE_H
#define LAKE_SILVER_FILE_H

#include "lake/catalog.h"

/* Written into each file's key-value metadata, with octolake_fingerprint and octolake_batches. */
#define SILVER_FORMAT_VERSION "1"

/* The catalog's setting that counts how often silver was made anew from bronze: a gold that was built
 * at a smaller count has to be rebuilt. */
#define SILVER_REBUILDS_SETTING "silver_rebuilds"

struct silver_column {
	const char *name;
	enum value_type type;
};
size_t silver_column_count(const struct field_set *fields);
struct silver_column silver_column_at(const struct field_set *fields, size_t index);

/* "BIGINT" for VALUE_INTEGER and so on. */
const char *silver_sql_type(enum value_type type);
/* Appends `name` as an SQL identifier in quotes. */
void silver_append_name(struct buf *sql, struct span name);

/* Appends "(SELECT … FROM read_parquet([…]))": the rows of `files` (at least one) with the columns
 * of `fields` in their order. ERR_LOCAL when a path is not UTF-8 or `sql` is full. */
MUST_CHECK bool silver_append_relation(struct buf *sql, const struct layout *layout, const struct field_set *fields,
				       const struct lake_file *files, size_t file_count, struct err *err);

#endif
