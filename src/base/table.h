/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - values and small tables of values: what is bound to a query and what comes back,
 * whatever the engine. Text and lists are borrowed (from an arena or the caller). */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/arena.h"

enum value_type {
	VALUE_NULL,
	VALUE_BOOLEAN,
	VALUE_INTEGER,  /* 64 bits; wider integers arrive as text of digits */
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_TIME,     /* instant, microseconds since 1970, UTC */
	VALUE_DATE,     /* midnight of that day, microseconds since 1970 */
	VALUE_INTERVAL, /* microseconds; months count as 30 days */
	VALUE_LIST,     /* elements of one type */
};

struct value {
	enum value_type type;
	/* With type NULL: the type that the NULL has for the engine (VALUE_NULL: unknown). With type
	 * LIST: the element type. */
	enum value_type inner_type;
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct span text;
		int64_t time_us;
		int64_t interval_us;
		struct {
			const struct value *elements;
			size_t count;
		} list;
	};
};

struct value value_null(enum value_type type);
struct value value_boolean(bool boolean);
struct value value_integer(int64_t integer);
struct value value_real(double real);
struct value value_text(struct span text);
struct value value_time(int64_t time_us);
struct value value_interval(int64_t interval_us);
struct value value_list(enum value_type inner_type, const struct value *elements, size_t count);

/* "boolean", "integer", "number", "string", "timestamp", "date", "interval", "list", "null": the
 * names that the API shows. */
const char *value_type_name(enum value_type type);

struct table_column {
	struct span name;
	enum value_type type;
};

struct table {
	const struct table_column *columns;
	size_t column_count;
	const struct value *values; /* row by row: values[row * column_count + column] */
	size_t row_count;
	bool truncated; /* there were more rows */
};

const struct value *table_value(const struct table *table, size_t row, size_t column);
/* Index of the column of that name; column_count when there is none. */
size_t table_find_column(const struct table *table, const char *name);

#endif
