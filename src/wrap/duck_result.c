/* SPDX-License-Identifier: Apache-2.0 */
/* duck_result.c - results as tables of our values. The columns that metrics return are decoded
 * here; types without a mapping are left to duck_cell.c, which gives their text. */
#include "wrap/duck_private.h"

#include <assert.h>
#include <stdlib.h>

enum { LIST_DEPTH_MAX = 8 };

#define DAY_US INT64_C(86400000000)
#define MONTH_DAYS 30

static enum value_type value_type_of(duckdb_type type)
{
	switch (type) {
	case DUCKDB_TYPE_BOOLEAN:
		return VALUE_BOOLEAN;
	case DUCKDB_TYPE_TINYINT:
	case DUCKDB_TYPE_SMALLINT:
	case DUCKDB_TYPE_INTEGER:
	case DUCKDB_TYPE_BIGINT:
	case DUCKDB_TYPE_UTINYINT:
	case DUCKDB_TYPE_USMALLINT:
	case DUCKDB_TYPE_UINTEGER:
	case DUCKDB_TYPE_UBIGINT:
	case DUCKDB_TYPE_HUGEINT:
	case DUCKDB_TYPE_UHUGEINT:
		return VALUE_INTEGER;
	case DUCKDB_TYPE_FLOAT:
	case DUCKDB_TYPE_DOUBLE:
	case DUCKDB_TYPE_DECIMAL:
		return VALUE_REAL;
	case DUCKDB_TYPE_TIMESTAMP:
	case DUCKDB_TYPE_TIMESTAMP_S:
	case DUCKDB_TYPE_TIMESTAMP_MS:
	case DUCKDB_TYPE_TIMESTAMP_NS:
	case DUCKDB_TYPE_TIMESTAMP_TZ:
		return VALUE_TIME;
	case DUCKDB_TYPE_DATE:
		return VALUE_DATE;
	case DUCKDB_TYPE_INTERVAL:
		return VALUE_INTERVAL;
	case DUCKDB_TYPE_LIST:
		return VALUE_LIST;
	case DUCKDB_TYPE_SQLNULL:
		return VALUE_NULL;
	default:
		return VALUE_TEXT;
	}
}

/* False: more than 64 bits. */
static bool read_integer(const void *data, duckdb_type type, idx_t row, int64_t *integer_out)
{
	switch (type) {
	case DUCKDB_TYPE_TINYINT:
		*integer_out = ((const int8_t *)data)[row];
		return true;
	case DUCKDB_TYPE_SMALLINT:
		*integer_out = ((const int16_t *)data)[row];
		return true;
	case DUCKDB_TYPE_INTEGER:
		*integer_out = ((const int32_t *)data)[row];
		return true;
	case DUCKDB_TYPE_BIGINT:
		*integer_out = ((const int64_t *)data)[row];
		return true;
	case DUCKDB_TYPE_UTINYINT:
		*integer_out = ((const uint8_t *)data)[row];
		return true;
	case DUCKDB_TYPE_USMALLINT:
		*integer_out = ((const uint16_t *)data)[row];
		return true;
	case DUCKDB_TYPE_UINTEGER:
		*integer_out = ((const uint32_t *)data)[row];
		return true;
	case DUCKDB_TYPE_UBIGINT: {
		uint64_t integer = ((const uint64_t *)data)[row];
		*integer_out = (int64_t)integer;
		return integer <= INT64_MAX;
	}
	case DUCKDB_TYPE_HUGEINT: {
		/* SUM of BIGINT is HUGEINT, so this is the common case of wide integers. */
		duckdb_hugeint huge = ((const duckdb_hugeint *)data)[row];
		*integer_out = (int64_t)huge.lower;
		return huge.upper == (*integer_out < 0 ? -1 : 0);
	}
	case DUCKDB_TYPE_UHUGEINT: {
		duckdb_uhugeint huge = ((const duckdb_uhugeint *)data)[row];
		*integer_out = (int64_t)huge.lower;
		return huge.upper == 0 && huge.lower <= INT64_MAX;
	}
	default:
		return false;
	}
}

static double read_decimal(const void *data, duckdb_logical_type type, idx_t row)
{
	duckdb_decimal decimal = {
		.width = duckdb_decimal_width(type),
		.scale = duckdb_decimal_scale(type),
	};
	duckdb_type stored = duckdb_decimal_internal_type(type);
	if (stored == DUCKDB_TYPE_HUGEINT) {
		decimal.value = ((const duckdb_hugeint *)data)[row];
	} else {
		int64_t integer = 0;
		bool fits = read_integer(data, stored, row, &integer);
		assert(fits);
		decimal.value.lower = (uint64_t)integer;
		decimal.value.upper = integer < 0 ? -1 : 0;
	}
	return duckdb_decimal_to_double(decimal);
}

/* False: infinite, or beyond our range. */
static bool read_time(const void *data, duckdb_type type, idx_t row, int64_t *time_us_out)
{
	int64_t count = ((const int64_t *)data)[row];
	if (!duckdb_is_finite_timestamp((duckdb_timestamp){count}))
		return false;
	switch (type) {
	case DUCKDB_TYPE_TIMESTAMP_S:
		return !__builtin_mul_overflow(count, INT64_C(1000000), time_us_out);
	case DUCKDB_TYPE_TIMESTAMP_MS:
		return !__builtin_mul_overflow(count, INT64_C(1000), time_us_out);
	case DUCKDB_TYPE_TIMESTAMP_NS:
		*time_us_out = count / 1000 - (count % 1000 < 0);
		return true;
	default:
		*time_us_out = count;
		return true;
	}
}

static bool read_interval(duckdb_interval interval, int64_t *interval_us_out)
{
	int64_t days = (int64_t)interval.months * MONTH_DAYS + interval.days;
	int64_t days_us;
	return !__builtin_mul_overflow(days, DAY_US, &days_us)
	       && !__builtin_add_overflow(days_us, interval.micros, interval_us_out);
}

/* The value of a cell whose type is as wide as ours; false when this cell's value is wider. */
static bool read_scalar(const void *data, duckdb_logical_type logical, duckdb_type type, idx_t row,
			struct value *value_out)
{
	struct value value = {.type = value_type_of(type)};
	bool fits = true;
	switch (value.type) {
	case VALUE_BOOLEAN:
		value.boolean = ((const bool *)data)[row];
		break;
	case VALUE_INTEGER:
		fits = read_integer(data, type, row, &value.integer);
		break;
	case VALUE_REAL:
		if (type == DUCKDB_TYPE_FLOAT)
			value.real = (double)((const float *)data)[row];
		else if (type == DUCKDB_TYPE_DOUBLE)
			value.real = ((const double *)data)[row];
		else
			value.real = read_decimal(data, logical, row);
		break;
	case VALUE_TIME:
		fits = read_time(data, type, row, &value.time_us);
		break;
	case VALUE_DATE: {
		duckdb_date date = ((const duckdb_date *)data)[row];
		fits = duckdb_is_finite_date(date)
		       && !__builtin_mul_overflow(date.days, DAY_US, &value.time_us);
		break;
	}
	case VALUE_INTERVAL:
		fits = read_interval(((const duckdb_interval *)data)[row], &value.interval_us);
		break;
	case VALUE_NULL:
	case VALUE_TEXT:
	case VALUE_LIST:
		fits = false;
		break;
	}
	if (fits)
		*value_out = value;
	return fits;
}

static bool copy_text(struct arena *arena, struct span text, struct value *value_out,
		      struct err *err)
{
	struct span copy = arena_copy(arena, text);
	if (!copy.data)
		return err_set(err, ERR_INPUT, "result too large");
	*value_out = value_text(copy);
	return true;
}

static bool read_other(struct arena *arena, duckdb_vector vector, duckdb_logical_type logical,
		       idx_t row, struct value *value_out, struct err *err)
{
	char *text = duck_cell_text(vector, logical, row);
	if (!text)
		return err_set(err, ERR_INPUT, "a type that cannot be read; cast it to VARCHAR");
	bool copied = copy_text(arena, span_of(text), value_out, err);
	duckdb_free(text);
	return copied;
}

static bool read_cell(struct arena *arena, duckdb_vector vector, duckdb_logical_type logical,
		      idx_t row, int depth, struct value *value_out, struct err *err);

static bool read_list(struct arena *arena, duckdb_vector vector, duckdb_logical_type logical,
		      idx_t row, int depth, struct value *value_out, struct err *err)
{
	if (depth >= LIST_DEPTH_MAX)
		return err_set(err, ERR_INPUT, "lists nested more than %d deep", LIST_DEPTH_MAX);
	duckdb_list_entry entry = ((const duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
	struct value *elements = arena_allocate(arena, entry.length, sizeof(*elements));
	if (!elements)
		return err_set(err, ERR_INPUT, "result too large");
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type inner = duckdb_list_type_child_type(logical);
	duckdb_vector child = duckdb_list_vector_get_child(vector);
	for (idx_t i = 0; i < entry.length; i++)
		if (!read_cell(arena, child, inner, entry.offset + i, depth + 1, &elements[i], err))
			return false;
	*value_out = value_list(value_type_of(duckdb_get_type_id(inner)), elements, entry.length);
	return true;
}

static bool read_cell(struct arena *arena, duckdb_vector vector, duckdb_logical_type logical,
		      idx_t row, int depth, struct value *value_out, struct err *err)
{
	duckdb_type type = duckdb_get_type_id(logical);
	uint64_t *validity = duckdb_vector_get_validity(vector);
	if (type == DUCKDB_TYPE_SQLNULL
	    || (validity && !duckdb_validity_row_is_valid(validity, row))) {
		*value_out = value_null(value_type_of(type));
		return true;
	}
	if (type == DUCKDB_TYPE_LIST)
		return read_list(arena, vector, logical, row, depth, value_out, err);
	void *data = duckdb_vector_get_data(vector);
	if (type == DUCKDB_TYPE_VARCHAR) {
		duckdb_string_t *text = &((duckdb_string_t *)data)[row];
		struct span span = {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
		return copy_text(arena, span, value_out, err);
	}
	if (type == DUCKDB_TYPE_ENUM || !read_scalar(data, logical, type, row, value_out))
		return read_other(arena, vector, logical, row, value_out, err);
	return true;
}

/* The columns of one result while it is read. */
struct reader {
	struct arena *arena;
	struct table_column *columns;
	duckdb_logical_type *types; /* in the arena, the types themselves are DuckDB's */
	size_t column_count;
};

static void reader_finish(struct reader *reader)
{
	for (size_t i = 0; reader->types && i < reader->column_count; i++)
		duckdb_destroy_logical_type(&reader->types[i]);
}

static bool reader_init(struct reader *reader, duckdb_result *result, struct err *err)
{
	struct arena *arena = reader->arena;
	reader->column_count = (size_t)duckdb_column_count(result);
	reader->columns = arena_allocate(arena, reader->column_count, sizeof(*reader->columns));
	reader->types = arena_allocate(arena, reader->column_count, sizeof(duckdb_logical_type));
	for (size_t i = 0; reader->types && i < reader->column_count; i++) {
		reader->types[i] = duckdb_column_logical_type(result, i);
		reader->columns[i] = (struct table_column){
			.name = arena_copy(arena, span_of(duckdb_column_name(result, i))),
			.type = value_type_of(duckdb_get_type_id(reader->types[i])),
		};
	}
	if (arena->failed)
		return err_set(err, ERR_INPUT, "result too large");
	return true;
}

static bool read_chunk(const struct reader *reader, duckdb_data_chunk chunk, size_t row_count,
		       struct value *values, struct err *err)
{
	for (size_t column = 0; column < reader->column_count; column++) {
		duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
		for (size_t row = 0; row < row_count; row++)
			if (!read_cell(reader->arena, vector, reader->types[column], row, 0,
				       &values[row * reader->column_count + column], err))
				return err_wrap(err, "column \"%.*s\"",
						SPAN_ARGUMENTS(reader->columns[column].name));
	}
	return true;
}

bool duck_result_read(struct duck_result *result, struct arena *arena, size_t row_count_max,
		      struct table *table_out, struct err *err)
{
	assert(!result->was_read && !result->connection);
	result->was_read = true;
	CLEANUP(reader_finish) struct reader reader = {.arena = arena};
	if (!reader_init(&reader, &result->handle, err))
		return false;
	size_t row_count = (size_t)duckdb_row_count(&result->handle);
	bool truncated = row_count > row_count_max;
	if (truncated)
		row_count = row_count_max;
	size_t row_bytes = reader.column_count * sizeof(struct value);
	struct value *values = arena_allocate(arena, row_count, row_bytes);
	if (!values)
		return err_set(err, ERR_INPUT, "result too large");
	for (size_t row = 0; row < row_count;) {
		CLEANUP(duckdb_destroy_data_chunk)
		duckdb_data_chunk chunk = duckdb_fetch_chunk(result->handle);
		assert(chunk);
		size_t count = (size_t)duckdb_data_chunk_get_size(chunk);
		if (count > row_count - row)
			count = row_count - row;
		if (!read_chunk(&reader, chunk, count, &values[row * reader.column_count], err))
			return false;
		row += count;
	}
	*table_out = (struct table){
		.columns = reader.columns,
		.column_count = reader.column_count,
		.values = values,
		.row_count = row_count,
		.truncated = truncated,
	};
	return true;
}

bool duck_result_next(struct duck_result *result, struct arena *arena, struct table *table_out,
		      struct err *err)
{
	assert(result->connection);
	CLEANUP(reader_finish) struct reader reader = {.arena = arena};
	CLEANUP(duckdb_destroy_data_chunk)
	duckdb_data_chunk chunk = duckdb_fetch_chunk(result->handle);
	const char *failure = chunk ? NULL : duckdb_result_error(&result->handle);
	if (failure && failure[0] != '\0')
		return duck_fail(result->connection, duckdb_result_error_type(&result->handle), failure, err);
	if (!reader_init(&reader, &result->handle, err))
		return false;
	size_t row_count = chunk ? (size_t)duckdb_data_chunk_get_size(chunk) : 0;
	struct value *values = arena_allocate(arena, row_count, reader.column_count * sizeof(*values));
	if (!values)
		return err_set(err, ERR_INPUT, "result too large");
	if (row_count > 0 && !read_chunk(&reader, chunk, row_count, values, err))
		return false;
	*table_out = (struct table){
		.columns = reader.columns,
		.column_count = reader.column_count,
		.values = values,
		.row_count = row_count,
	};
	return true;
}

int64_t duck_result_changed(const struct duck_result *result)
{
	return result->changed_count;
}

void duck_result_free(struct duck_result **result)
{
	if (!*result)
		return;
	duckdb_destroy_result(&(*result)->handle);
	free(*result);
	*result = NULL;
}
