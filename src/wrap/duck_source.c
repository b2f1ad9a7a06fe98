/* SPDX-License-Identifier: Apache-2.0 */
/* duck_source.c - the table function octolake_source, which yields the rows of a struct duck_source.
 *
 * SQL can only name a source by a number. The database keeps the sources of running calls; a number
 * counts for the connection that registered it, and no longer than the call. DuckDB scans on threads
 * of its own, one at a time and within the call, but may let go of a scan just after it: entries are
 * counted, and a scan's end touches neither source nor caller. */
#include "base/memory.h"
#include "wrap/duck_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64 };

/* One column of the batch; nothing but `filled` when the query does not want it. */
struct chunk_column {
	bool wanted;
	idx_t position; /* among the wanted ones */
	duckdb_vector vector;
	void *data;
	uint64_t *filled; /* a bit a row */
};

struct duck_chunk {
	const struct duck_source *source;
	struct chunk_column *columns;
	uint64_t *filled; /* of all columns */
	size_t column_count;
	size_t row_count_max;
	bool ended;
};

struct duck_source_entry {
	struct duck_source_entry *next;
	int64_t id;
	idx_t connection_id;
	const struct duck_source *source;
	pthread_mutex_t mutex; /* guards what follows */
	int reference_count;   /* the call and its scan */
	bool scanned;
	struct duck_chunk chunk;
	struct err err; /* what ended the scan; ERR_NONE: nothing */
};

static size_t chunk_words(const struct duck_chunk *chunk)
{
	return (chunk->row_count_max + WORD_BITS - 1) / WORD_BITS;
}

static void entry_release(void *data)
{
	struct duck_source_entry *entry = data;
	pthread_mutex_lock(&entry->mutex);
	bool last = --entry->reference_count == 0;
	pthread_mutex_unlock(&entry->mutex);
	if (!last)
		return;
	pthread_mutex_destroy(&entry->mutex);
	free(entry->chunk.columns);
	free(entry->chunk.filled);
	free(entry);
}

/* Locks. DuckDB passes an entry from thread to thread under locks of its own; going through the
 * one that it was published under, too, shows ThreadSanitizer the order. */
static void entry_enter(struct duck_database *database, struct duck_source_entry *entry)
{
	pthread_mutex_lock(&database->sources_mutex);
	pthread_mutex_unlock(&database->sources_mutex);
	pthread_mutex_lock(&entry->mutex);
}

/* ---- one batch ---- */

static void chunk_start(struct duck_chunk *chunk, duckdb_data_chunk output)
{
	for (size_t i = 0; i < chunk->column_count; i++) {
		struct chunk_column *column = &chunk->columns[i];
		if (!column->wanted)
			continue;
		column->vector = duckdb_data_chunk_get_vector(output, column->position);
		column->data = duckdb_vector_get_data(column->vector);
		memset(column->filled, 0, chunk_words(chunk) * sizeof(*column->filled));
	}
}

/* The rows of `word` that exist. */
static uint64_t word_mask(size_t word, size_t row_count)
{
	size_t rest = row_count - word * WORD_BITS;
	return rest >= WORD_BITS ? UINT64_MAX : (UINT64_C(1) << rest) - 1;
}

/* Gives DuckDB the NULLs. A column without any is left without a mask, which DuckDB handles
 * faster. A text that is filled yet NULL was not UTF-8: DuckDB says so in no other way. */
static bool chunk_settle_column(const struct duck_chunk *chunk, size_t index, size_t row_count,
				struct err *err)
{
	const struct chunk_column *column = &chunk->columns[index];
	const uint64_t *validity = duckdb_vector_get_validity(column->vector);
	size_t word_count = (row_count + WORD_BITS - 1) / WORD_BITS;
	bool has_null = false;
	for (size_t word = 0; word < word_count; word++) {
		uint64_t rows = word_mask(word, row_count);
		if (validity && (column->filled[word] & ~validity[word] & rows) != 0)
			return err_set(err, ERR_INPUT, "column \"%s\": text that is not UTF-8",
				       chunk->source->columns[index].name);
		has_null = has_null || (column->filled[word] & rows) != rows;
	}
	if (has_null) {
		duckdb_vector_ensure_validity_writable(column->vector);
		memcpy(duckdb_vector_get_validity(column->vector), column->filled,
		       word_count * sizeof(*column->filled));
	}
	return true;
}

static bool chunk_fill(struct duck_chunk *chunk, duckdb_data_chunk output, size_t *row_count_out,
		       struct err *err)
{
	size_t row_count = 0;
	chunk_start(chunk, output);
	if (!chunk->source->fill(chunk->source->context, chunk, chunk->row_count_max, &row_count,
				 err))
		return false;
	assert(row_count <= chunk->row_count_max);
	for (size_t i = 0; i < chunk->column_count; i++)
		if (chunk->columns[i].wanted && !chunk_settle_column(chunk, i, row_count, err))
			return false;
	*row_count_out = row_count;
	return true;
}

/* The column to write `row` into, counted as filled; NULL when the query does not want it. */
static struct chunk_column *chunk_cell(struct duck_chunk *chunk, size_t column, size_t row,
				       enum value_type type)
{
	assert(column < chunk->column_count && row < chunk->row_count_max);
	assert(chunk->source->columns[column].type == type);
	struct chunk_column *cells = &chunk->columns[column];
	if (!cells->wanted)
		return NULL;
	cells->filled[row / WORD_BITS] |= UINT64_C(1) << (row % WORD_BITS);
	return cells;
}

bool duck_chunk_wants(const struct duck_chunk *chunk, size_t column)
{
	assert(column < chunk->column_count);
	return chunk->columns[column].wanted;
}

void duck_fill_null(struct duck_chunk *chunk, size_t column, size_t row)
{
	assert(column < chunk->column_count && row < chunk->row_count_max);
	struct chunk_column *cells = &chunk->columns[column];
	if (cells->wanted)
		cells->filled[row / WORD_BITS] &= ~(UINT64_C(1) << (row % WORD_BITS));
}

void duck_fill_boolean(struct duck_chunk *chunk, size_t column, size_t row, bool value)
{
	struct chunk_column *cells = chunk_cell(chunk, column, row, VALUE_BOOLEAN);
	if (cells)
		((bool *)cells->data)[row] = value;
}

void duck_fill_integer(struct duck_chunk *chunk, size_t column, size_t row, int64_t value)
{
	struct chunk_column *cells = chunk_cell(chunk, column, row, VALUE_INTEGER);
	if (cells)
		((int64_t *)cells->data)[row] = value;
}

void duck_fill_real(struct duck_chunk *chunk, size_t column, size_t row, double value)
{
	struct chunk_column *cells = chunk_cell(chunk, column, row, VALUE_REAL);
	if (cells)
		((double *)cells->data)[row] = value;
}

void duck_fill_time(struct duck_chunk *chunk, size_t column, size_t row, int64_t time_us)
{
	struct chunk_column *cells = chunk_cell(chunk, column, row, VALUE_TIME);
	if (cells)
		((duckdb_timestamp *)cells->data)[row].micros = time_us;
}

void duck_fill_text(struct duck_chunk *chunk, size_t column, size_t row, struct span value)
{
	if (!value.data) {
		duck_fill_null(chunk, column, row);
		return;
	}
	struct chunk_column *cells = chunk_cell(chunk, column, row, VALUE_TEXT);
	if (cells)
		duckdb_vector_assign_string_element_len(cells->vector, row, value.data, value.size);
}

/* ---- what DuckDB calls ---- */

static struct duck_source_entry *find_entry(struct duck_database *database, duckdb_bind_info info)
{
	duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
	/* Asked for the integer of NULL, DuckDB would throw through this frame. */
	int64_t id = duckdb_is_null_value(parameter) ? 0 : duckdb_get_int64(parameter);
	duckdb_destroy_value(&parameter);
	duckdb_client_context context = NULL;
	duckdb_table_function_get_client_context(info, &context);
	idx_t connection_id = duckdb_client_context_get_connection_id(context);
	duckdb_destroy_client_context(&context);

	pthread_mutex_lock(&database->sources_mutex);
	struct duck_source_entry *entry = database->sources;
	while (entry && (entry->id != id || entry->connection_id != connection_id))
		entry = entry->next;
	pthread_mutex_unlock(&database->sources_mutex);
	return entry;
}

static void source_bind(duckdb_bind_info info)
{
	struct duck_source_entry *entry = find_entry(duckdb_bind_get_extra_info(info), info);
	if (!entry) {
		duckdb_bind_set_error(info, "octolake_source: there is no such source");
		return;
	}
	for (size_t i = 0; i < entry->source->column_count; i++) {
		const struct duck_column *column = &entry->source->columns[i];
		CLEANUP(duckdb_destroy_logical_type)
		duckdb_logical_type type = duck_value_logical_type(column->type);
		assert(type);
		duckdb_bind_add_result_column(info, column->name, type);
	}
	duckdb_bind_set_bind_data(info, entry, NULL);
}

static void source_init(duckdb_init_info info)
{
	struct duck_source_entry *entry = duckdb_init_get_bind_data(info);
	entry_enter(duckdb_init_get_extra_info(info), entry);
	if (entry->scanned) {
		duckdb_init_set_error(info, "octolake_source: a source can be scanned once");
		pthread_mutex_unlock(&entry->mutex);
		return;
	}
	entry->scanned = true;
	idx_t wanted_count = duckdb_init_get_column_count(info);
	for (idx_t position = 0; position < wanted_count; position++) {
		idx_t index = duckdb_init_get_column_index(info, position);
		assert(index < entry->chunk.column_count);
		entry->chunk.columns[index].wanted = true;
		entry->chunk.columns[index].position = position;
	}
	entry->reference_count++;
	duckdb_init_set_max_threads(info, 1);
	duckdb_init_set_init_data(info, entry, entry_release);
	pthread_mutex_unlock(&entry->mutex);
}

static void source_scan(duckdb_function_info info, duckdb_data_chunk output)
{
	struct duck_source_entry *entry = duckdb_function_get_init_data(info);
	entry_enter(duckdb_function_get_extra_info(info), entry);
	size_t row_count = 0;
	if (!entry->chunk.ended && !chunk_fill(&entry->chunk, output, &row_count, &entry->err))
		duckdb_function_set_error(info, entry->err.text);
	entry->chunk.ended = row_count == 0;
	duckdb_data_chunk_set_size(output, row_count);
	pthread_mutex_unlock(&entry->mutex);
}

bool duck_source_register(struct duck_connection *connection, struct err *err)
{
	duckdb_table_function function = duckdb_create_table_function();
	duckdb_table_function_set_name(function, "octolake_source");
	duckdb_logical_type id_type = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
	duckdb_table_function_add_parameter(function, id_type);
	duckdb_destroy_logical_type(&id_type);
	duckdb_table_function_set_extra_info(function, connection->database, NULL);
	duckdb_table_function_set_bind(function, source_bind);
	duckdb_table_function_set_init(function, source_init);
	duckdb_table_function_set_function(function, source_scan);
	duckdb_table_function_supports_projection_pushdown(function, true);
	duckdb_state state = duckdb_register_table_function(connection->handle, function);
	duckdb_destroy_table_function(&function);
	if (state != DuckDBSuccess)
		return err_set(err, ERR_LOCAL, "octolake_source cannot be registered");
	return true;
}

/* ---- the call ---- */

static struct duck_source_entry *entry_create(struct duck_connection *connection,
					      const struct duck_source *source)
{
	struct duck_database *database = connection->database;
	struct duck_source_entry *entry = memory_allocate(1, sizeof(*entry));
	struct duck_chunk *chunk = &entry->chunk;
	*chunk = (struct duck_chunk){
		.source = source,
		.column_count = source->column_count,
		.row_count_max = (size_t)duckdb_vector_size(),
	};
	chunk->columns = memory_allocate(chunk->column_count, sizeof(*chunk->columns));
	chunk->filled = memory_allocate(chunk->column_count,
					chunk_words(chunk) * sizeof(*chunk->filled));
	for (size_t i = 0; i < chunk->column_count; i++)
		chunk->columns[i].filled = &chunk->filled[i * chunk_words(chunk)];
	entry->source = source;
	entry->reference_count = 1;
	pthread_mutex_init(&entry->mutex, NULL);
	duckdb_client_context context = NULL;
	duckdb_connection_get_client_context(connection->handle, &context);
	entry->connection_id = duckdb_client_context_get_connection_id(context);
	duckdb_destroy_client_context(&context);
	pthread_mutex_lock(&database->sources_mutex);
	entry->id = ++database->source_id_last;
	entry->next = database->sources;
	database->sources = entry;
	pthread_mutex_unlock(&database->sources_mutex);
	return entry;
}

/* Ends the call's part in the entry; gives what ended the scan. */
static struct err entry_end(struct duck_database *database, struct duck_source_entry *entry)
{
	pthread_mutex_lock(&database->sources_mutex);
	struct duck_source_entry **link = &database->sources;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	pthread_mutex_unlock(&database->sources_mutex);
	entry_enter(database, entry);
	struct err err = entry->err;
	pthread_mutex_unlock(&entry->mutex);
	entry_release(entry);
	return err;
}

bool duck_query_source(struct duck_connection *connection, const char *sql,
		       const struct duck_source *source, const struct value *values,
		       size_t value_count, struct duck_result **result_out, struct err *err)
{
	bool had_failed = connection->transaction_failure.kind != ERR_NONE;
	struct duck_source_entry *entry = entry_create(connection, source);
	const struct value id = value_integer(entry->id);
	bool ran = duck_query_after(connection, sql, &id, values, value_count, result_out, err);
	struct err source_err = entry_end(connection->database, entry);
	if (!ran && source_err.kind != ERR_NONE) {
		*err = source_err;
		/* DuckDB's words for it are noted already, of a kind that is not the source's. */
		if (connection->in_transaction && !had_failed)
			connection->transaction_failure = source_err;
	}
	return ran;
}
