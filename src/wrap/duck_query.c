/* SPDX-License-Identifier: Apache-2.0 */
/* duck_query.c - one prepared statement with bound values, and what its columns would be. */
#include "base/memory.h"
#include "wrap/duck_private.h"

#include <assert.h>
#include <stdlib.h>

enum { SQL_BYTES_MAX = 1024 * 1024, DESCRIPTION_ROWS_MAX = 10000, INTEGER_BYTES_MAX = 64 * 1024 };

static bool statement_prepare(struct duck_connection *connection, const char *sql,
			      duckdb_prepared_statement *statement_out, struct err *err)
{
	duckdb_prepared_statement statement = NULL;
	if (duckdb_prepare(connection->handle, sql, &statement) == DuckDBSuccess) {
		*statement_out = statement;
		return true;
	}
	duck_fail(connection, DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement), err);
	duckdb_destroy_prepare(&statement);
	return false;
}

static bool statement_bind(struct duck_connection *connection, duckdb_prepared_statement statement,
			   idx_t index, const struct value *value, struct err *err)
{
	duckdb_value bound = NULL;
	if (!duck_value_make(value, &bound, err)) {
		err_wrap(err, "value $%zu", (size_t)index);
		return duck_fail_noted(connection, err);
	}
	duckdb_state state = duckdb_bind_value(statement, index, bound);
	duckdb_destroy_value(&bound);
	if (state != DuckDBSuccess)
		return duck_fail(connection, DUCKDB_ERROR_INVALID, duckdb_prepare_error(statement),
				 err);
	return true;
}

static bool statement_execute(struct duck_connection *connection,
			      duckdb_prepared_statement statement, bool stream,
			      struct duck_result **result_out, struct err *err)
{
	CLEANUP(duck_result_free) struct duck_result *result = memory_allocate(1, sizeof(*result));
	duckdb_state state = stream
				     ? duckdb_execute_prepared_streaming(statement, &result->handle)
				     : duckdb_execute_prepared(statement, &result->handle);
	if (stream)
		result->connection = connection;
	if (state != DuckDBSuccess)
		return duck_fail(connection, duckdb_result_error_type(&result->handle),
				 duckdb_result_error(&result->handle), err);
	if (duckdb_result_return_type(result->handle) == DUCKDB_RESULT_TYPE_CHANGED_ROWS)
		result->changed_count = (int64_t)duckdb_rows_changed(&result->handle);
	if (result_out) {
		*result_out = result;
		result = NULL;
	}
	return true;
}

/* `first` (may be NULL) is bound to $1, the values behind it. */
static bool query(struct duck_connection *connection, const char *sql, const struct value *first,
		  const struct value *values, size_t value_count, bool stream,
		  struct duck_result **result_out, struct err *err)
{
	CLEANUP(duckdb_destroy_prepare) duckdb_prepared_statement statement = NULL;
	if (!statement_prepare(connection, sql, &statement, err))
		return false;
	size_t first_count = first ? 1 : 0;
	size_t parameter_count = (size_t)duckdb_nparams(statement);
	if (parameter_count != first_count + value_count) {
		err_set(err, ERR_INPUT, "the statement has %zu parameters, %zu values are given",
			parameter_count, first_count + value_count);
		return duck_fail_noted(connection, err);
	}
	if (first && !statement_bind(connection, statement, 1, first, err))
		return false;
	for (size_t i = 0; i < value_count; i++)
		if (!statement_bind(connection, statement, first_count + i + 1, &values[i], err))
			return false;
	return statement_execute(connection, statement, stream, result_out, err);
}

bool duck_query_after(struct duck_connection *connection, const char *sql,
		      const struct value *first, const struct value *values, size_t value_count,
		      struct duck_result **result_out, struct err *err)
{
	return query(connection, sql, first, values, value_count, false, result_out, err);
}

bool duck_query_stream(struct duck_connection *connection, const char *sql,
		       const struct value *values, size_t value_count,
		       struct duck_result **result_out, struct err *err)
{
	return query(connection, sql, NULL, values, value_count, true, result_out, err);
}

bool duck_query(struct duck_connection *connection, const char *sql, const struct value *values,
		size_t value_count, struct duck_result **result_out, struct err *err)
{
	return query(connection, sql, NULL, values, value_count, false, result_out, err);
}

bool duck_query_integer(struct duck_connection *connection, const char *sql,
			const struct value *values, size_t value_count, int64_t missing,
			int64_t *value_out, struct err *err)
{
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = INTEGER_BYTES_MAX};
	struct table table;
	if (!duck_query(connection, sql, values, value_count, &result, err)
	    || !duck_result_read(result, &arena, 1, &table, err))
		return false;
	const struct value *value = table.row_count > 0 ? table_value(&table, 0, 0) : NULL;
	if (value && value->type != VALUE_INTEGER && value->type != VALUE_NULL)
		return err_set(err, ERR_INPUT, "a %s where an integer is asked for",
			       value_type_name(value->type));
	*value_out = value && value->type == VALUE_INTEGER ? value->integer : missing;
	return true;
}

/* The first two of DESCRIBE's columns, under our names. */
static bool narrow_description(const struct table *described, struct arena *arena,
			       struct table *table_out, struct err *err)
{
	static const struct table_column columns[] = {
		{SPAN_LITERAL("name"), VALUE_TEXT},
		{SPAN_LITERAL("type"), VALUE_TEXT},
	};
	assert(described->column_count >= ARRAY_COUNT(columns));
	struct value *values = arena_allocate(arena, described->row_count,
					      ARRAY_COUNT(columns) * sizeof(*values));
	if (!values)
		return err_set(err, ERR_INPUT, "result too large");
	for (size_t row = 0; row < described->row_count; row++)
		for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
			values[row * ARRAY_COUNT(columns) + i] = *table_value(described, row, i);
	*table_out = (struct table){
		.columns = columns,
		.column_count = ARRAY_COUNT(columns),
		.values = values,
		.row_count = described->row_count,
		.truncated = described->truncated,
	};
	return true;
}

/* Runs DESCRIBE for a statement that is known to be one SELECT. */
static bool run_description(struct duck_connection *connection, const char *sql,
			    const struct value *values, size_t value_count,
			    struct duck_result **result_out, struct err *err)
{
	CLEANUP(buf_finish) struct buf describe = {.size_max = SQL_BYTES_MAX};
	buf_append_text(&describe, "DESCRIBE\n");
	buf_append_text(&describe, sql);
	if (describe.failed)
		return err_set(err, ERR_INPUT, "the statement is too long");
	CLEANUP(duckdb_destroy_prepare) duckdb_prepared_statement statement = NULL;
	if (!statement_prepare(connection, describe.data, &statement, err))
		return false;
	size_t parameter_count = (size_t)duckdb_nparams(statement);
	const struct value untyped = value_null(VALUE_NULL);
	for (size_t i = 0; i < parameter_count; i++)
		if (!statement_bind(connection, statement, i + 1,
				    i < value_count ? &values[i] : &untyped, err))
			return false;
	return statement_execute(connection, statement, false, result_out, err);
}

bool duck_describe(struct duck_connection *connection, const char *sql, const struct value *values,
		   size_t value_count, struct arena *arena, struct table *table_out,
		   size_t *parameter_count_out, struct err *err)
{
	CLEANUP(duckdb_destroy_prepare) duckdb_prepared_statement statement = NULL;
	if (!statement_prepare(connection, sql, &statement, err))
		return false;
	size_t parameter_count = (size_t)duckdb_nparams(statement);
	if (duckdb_prepared_statement_type(statement) != DUCKDB_STATEMENT_TYPE_SELECT)
		return err_set(err, ERR_INPUT, "not a SELECT");
	if (value_count > parameter_count)
		return err_set(err, ERR_INPUT, "the statement has %zu parameters, %zu are given",
			       parameter_count, value_count);
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table described;
	if (!run_description(connection, sql, values, value_count, &result, err)
	    || !duck_result_read(result, arena, DESCRIPTION_ROWS_MAX, &described, err)
	    || !narrow_description(&described, arena, table_out, err))
		return false;
	*parameter_count_out = parameter_count;
	return true;
}
