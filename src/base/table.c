/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

#include <assert.h>

struct value value_null(enum value_type type)
{
	return (struct value){.type = VALUE_NULL, .inner_type = type};
}

struct value value_boolean(bool boolean)
{
	return (struct value){.type = VALUE_BOOLEAN, .boolean = boolean};
}

struct value value_integer(int64_t integer)
{
	return (struct value){.type = VALUE_INTEGER, .integer = integer};
}

struct value value_real(double real)
{
	return (struct value){.type = VALUE_REAL, .real = real};
}

struct value value_text(struct span text)
{
	if (!text.data)
		return value_null(VALUE_TEXT);
	return (struct value){.type = VALUE_TEXT, .text = text};
}

struct value value_time(int64_t time_us)
{
	return (struct value){.type = VALUE_TIME, .time_us = time_us};
}

struct value value_interval(int64_t interval_us)
{
	return (struct value){.type = VALUE_INTERVAL, .interval_us = interval_us};
}

struct value value_list(enum value_type inner_type, const struct value *elements, size_t count)
{
	return (struct value){.type = VALUE_LIST, .inner_type = inner_type, .list = {elements, count}};
}

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
		[VALUE_NULL] = "null",	   [VALUE_BOOLEAN] = "boolean",	  [VALUE_INTEGER] = "integer",
		[VALUE_REAL] = "number",   [VALUE_TEXT] = "string",	  [VALUE_TIME] = "timestamp",
		[VALUE_DATE] = "date",	   [VALUE_INTERVAL] = "interval", [VALUE_LIST] = "list",
	};
	return names[type];
}

const struct value *table_value(const struct table *table, size_t row, size_t column)
{
	assert(row < table->row_count && column < table->column_count);
	return &table->values[row * table->column_count + column];
}

size_t table_find_column(const struct table *table, const char *name)
{
	size_t column = 0;
	while (column < table->column_count && !span_equal_text(table->columns[column].name, name))
		column++;
	return column;
}
