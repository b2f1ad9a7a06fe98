/* SPDX-License-Identifier: Apache-2.0 */
/* import_table.c - rows of the first system's Parquet files and of the base tables of its DuckDB file.
 *
 * Both are read by an engine of their own that may touch nothing else: for Parquet it is allowed the
 * file's folder, for DuckDB the file is attached read-only before the engine is locked. Views, macros and
 * generated columns are the file's expressions: they are not read. */
#include "base/memory.h"
#include "ingest/import_private.h"
#include "wrap/duck.h"

#include <stdlib.h>
#include <string.h>

enum {
	SQL_BYTES_MAX = 1024 * 1024,
	PIECE_BYTES_MAX = 512 * 1024 * 1024, /* of some thousand rows */
	LIST_BYTES_MAX = 64 * 1024 * 1024,
	COLUMN_COUNT_MAX = 2000,
	LISTED_COLUMNS_MAX = 20000,
};

struct engine {
	struct duck_database *database;
	struct duck_connection *connection;
};

static void engine_close(struct engine *engine)
{
	duck_disconnect(&engine->connection);
	duck_close(&engine->database);
}

static bool engine_open(struct engine *engine, const struct import *import, const char *folder, const char *file,
			struct err *err)
{
	const struct duck_options options = {
		.memory_bytes_max = import->options->memory_bytes_max,
		.allowed_folder = folder,
		.attached_path = file,
		.preserve_insertion_order = true, /* so that a row's number says which it is */
	};
	return duck_open(&options, &engine->database, err)
	       && duck_connect(engine->database, &engine->connection, err);
}

static void append_name(struct buf *sql, struct span name)
{
	buf_append_byte(sql, '"');
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] == '"')
			buf_append_byte(sql, '"');
		buf_append_byte(sql, name.data[i]);
	}
	buf_append_byte(sql, '"');
}

/* Values that have members; everything else has a text of its own. */
static bool is_nested(struct span type)
{
	static const char *const starts[] = {"STRUCT", "MAP", "UNION", "VARIANT", "JSON"};
	for (size_t i = 0; i < ARRAY_COUNT(starts); i++)
		if (span_starts_with(type, starts[i]))
			return true;
	return span_ends_with(type, "]");
}

/* The engine's words without the statement that it shows behind them: that one is ours. */
static bool note_failure(struct import *import, int64_t row, const struct err *failure)
{
	const char *statement = strstr(failure->text, "  LINE ");
	int size = statement ? (int)(statement - failure->text) : (int)strlen(failure->text);
	if (row > 0)
		return import_note_damage(import, "read up to row %lld only: %.*s", (long long)row, size,
			failure->text);
	return import_note_damage(import, "cannot be read: %.*s", size, failure->text);
}

/* The event type that `text` (a path, a table's name) names in any case: exactly one of today's. */
static struct span find_type(const char *text)
{
	struct span found = {0};
	for (size_t i = 0; i < event_types_today_count; i++) {
		const char *type = event_types_today[i];
		if (!strcasestr(text, type))
			continue;
		if (found.data)
			return (struct span){0};
		found = span_of(type);
	}
	return found;
}

/* A table being read. */
struct source {
	const char *from;  /* what stands behind FROM */
	const char *named; /* what may name the event type */
	struct table columns; /* "name", "type" */
	int64_t row;
};

static bool append_select(const struct source *source, bool *is_json, struct buf *sql, struct err *err)
{
	buf_append_text(sql, "SELECT ");
	for (size_t i = 0; i < source->columns.row_count; i++) {
		struct span name = table_value(&source->columns, i, 0)->text;
		is_json[i] = is_nested(table_value(&source->columns, i, 1)->text);
		buf_append_text(sql, i > 0 ? ", " : "");
		if (is_json[i])
			buf_append_text(sql, "CAST(system.main.to_json(");
		append_name(sql, name);
		buf_append_text(sql, is_json[i] ? ") AS VARCHAR) AS " : " AS ");
		append_name(sql, name);
	}
	buf_printf(sql, " FROM %s", source->from);
	return !sql->failed || err_set(err, ERR_INPUT, "too many columns");
}

/* What happened: an error of the file is noted and ends it, one of the lake ends the import. */
static bool take_rows(struct import *import, struct source *source, const struct import_columns *columns,
		      const struct table *rows, struct err *err)
{
	CLEANUP(buf_finish) struct buf json = {.size_max = SCAN_EVENT_BYTES_MAX};
	for (size_t i = 0; i < rows->row_count; i++, source->row++) {
		if (import_is_stopped(import))
			return true;
		buf_clear(&json);
		import_row_render(columns, table_value(rows, i, 0), &json);
		bool taken = json.failed ? import_set_aside(import, scan_reason_name(SCAN_TOO_LARGE),
						   "the row is larger than an event may be", source->row,
						   span_of(""), err)
					 : import_take(import, buf_span(&json), source->row, err);
		if (!taken)
			return false;
	}
	return true;
}

/* *failure gets what is wrong with the file; false is for the lake. */
static bool stream_rows(struct import *import, struct duck_connection *connection, struct source *source,
			const char *sql, const bool *is_json, struct err *failure, struct err *err)
{
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = PIECE_BYTES_MAX};
	if (!duck_query_stream(connection, sql, NULL, 0, &result, failure))
		return true;
	for (;;) {
		struct table rows;
		arena_reset(&arena);
		if (!duck_result_next(result, &arena, &rows, failure) || rows.row_count == 0
		    || import_is_stopped(import))
			return true;
		CLEANUP(import_columns_finish) struct import_columns columns;
		import_columns_init(&columns, rows.columns, is_json, rows.column_count, find_type(source->named));
		if (!take_rows(import, source, &columns, &rows, err))
			return false;
	}
}

static bool has_column(const struct table *columns, const char *name)
{
	for (size_t i = 0; i < columns->row_count; i++)
		if (span_equal_text(table_value(columns, i, 0)->text, name))
			return true;
	return false;
}

/* All rows of one table. */
static bool read_source(struct import *import, struct duck_connection *connection, struct source *source,
			struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SQL_BYTES_MAX};
	struct err failure = {0};
	if (!has_column(&source->columns, "id") || !has_column(&source->columns, "created_at"))
		return import_note_left_out(import, "no events: it has no columns \"id\" and \"created_at\"");
	bool *is_json = memory_allocate(source->columns.row_count, sizeof(*is_json));
	bool ok = true;
	if (source->columns.row_count > COLUMN_COUNT_MAX)
		(void)err_set(&failure, ERR_INPUT, "more than %d columns", COLUMN_COUNT_MAX);
	else if (append_select(source, is_json, &sql, &failure))
		ok = stream_rows(import, connection, source, sql.data, is_json, &failure, err);
	free(is_json);
	if (!ok || failure.kind == ERR_NONE)
		return ok;
	return note_failure(import, source->row, &failure);
}

/* ---- Parquet ---- */

/* read_parquet takes patterns: what has a meaning in them is put into brackets. */
static bool append_pattern(struct buf *out, const char *path)
{
	CLEANUP(buf_finish) struct buf pattern = {.size_max = (size_t)4 * FILE_PATH_BYTES_MAX};
	for (const char *c = path; *c != '\0'; c++)
		if (strchr("*?[", *c))
			buf_printf(&pattern, "[%c]", *c);
		else
			buf_append_byte(&pattern, *c);
	return !pattern.failed && duck_quote_text(out, buf_span(&pattern));
}

bool import_parquet_file(struct import *import, const char *path, struct err *err)
{
	CLEANUP(engine_close) struct engine engine = {0};
	CLEANUP(buf_finish) struct buf from = {.size_max = SQL_BYTES_MAX};
	CLEANUP(buf_finish) struct buf all = {.size_max = SQL_BYTES_MAX};
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	struct err failure = {0};
	struct source source = {.named = import->path};
	size_t parameter_count;
	buf_append_text(&from, "system.main.read_parquet(");
	if (!append_pattern(&from, path))
		return import_note_damage(import, "its name is not UTF-8, or too long");
	buf_append_text(&from, ", hive_partitioning=false, union_by_name=false)");
	buf_printf(&all, "SELECT * FROM %s", from.data);
	source.from = from.data;
	if (!engine_open(&engine, import, import->report->folder.text, NULL, &failure)
	    || !duck_describe(engine.connection, all.data, NULL, 0, &arena, &source.columns, &parameter_count,
		    &failure))
		return note_failure(import, 0, &failure);
	return read_source(import, engine.connection, &source, err);
}

/* ---- DuckDB ---- */

/* One row a column, of base tables only; not those that are computed: in a table that has any, no column
 * with an expression. */
static const char columns_sql[] =
	"SELECT c.schema_name, c.table_name, c.column_name, c.data_type"
	" FROM system.main.duckdb_columns() c JOIN system.main.duckdb_tables() t"
	" USING (database_name, schema_name, table_name)"
	" WHERE c.database_name = 'foreign_file' AND NOT t.internal AND NOT t.temporary"
	" AND NOT (contains(t.sql, 'GENERATED ALWAYS AS') AND c.column_default IS NOT NULL)"
	" ORDER BY c.schema_name, c.table_name, c.column_index";

static bool is_same_table(const struct table *columns, size_t a, size_t b)
{
	return span_equal(table_value(columns, a, 0)->text, table_value(columns, b, 0)->text)
	       && span_equal(table_value(columns, a, 1)->text, table_value(columns, b, 1)->text);
}

/* The table whose columns are the rows first to last of `listed`. */
static bool read_table(struct import *import, struct duck_connection *connection, const struct table *listed,
		       size_t first, size_t last, struct err *err)
{
	static const struct table_column description[] = {
		{SPAN_LITERAL("name"), VALUE_TEXT},
		{SPAN_LITERAL("type"), VALUE_TEXT},
	};
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	CLEANUP(buf_finish) struct buf from = {.size_max = SQL_BYTES_MAX};
	size_t count = last - first + 1;
	struct value *values = arena_allocate(&arena, count, ARRAY_COUNT(description) * sizeof(*values));
	struct source source = {.named = arena_copy_text(&arena, table_value(listed, first, 1)->text)};
	buf_append_text(&from, "foreign_file.");
	append_name(&from, table_value(listed, first, 0)->text);
	buf_append_byte(&from, '.');
	append_name(&from, table_value(listed, first, 1)->text);
	if (arena.failed || from.failed)
		return err_set(err, ERR_LOCAL, "%s: a table of too many columns", import->path);
	for (size_t i = 0; i < count; i++) {
		values[2 * i] = *table_value(listed, first + i, 2);
		values[2 * i + 1] = *table_value(listed, first + i, 3);
	}
	source.from = from.data;
	source.columns = (struct table){
		.columns = description,
		.column_count = ARRAY_COUNT(description),
		.values = values,
		.row_count = count,
	};
	import->table = source.named;
	bool ok = read_source(import, connection, &source, err);
	import->table = NULL;
	return ok;
}

bool import_duckdb_file(struct import *import, const char *path, struct err *err)
{
	CLEANUP(engine_close) struct engine engine = {0};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	struct err failure = {0};
	struct table listed = {0};
	if (!engine_open(&engine, import, NULL, path, &failure)
	    || !duck_query(engine.connection, columns_sql, NULL, 0, &result, &failure)
	    || !duck_result_read(result, &arena, LISTED_COLUMNS_MAX, &listed, &failure))
		return note_failure(import, 0, &failure);
	if (listed.truncated)
		(void)import_note_damage(import, "more than %d columns in all: what is behind them is not read",
			LISTED_COLUMNS_MAX);
	for (size_t first = 0, last = 0; first < listed.row_count; first = last + 1) {
		last = first;
		while (last + 1 < listed.row_count && is_same_table(&listed, first, last + 1))
			last++;
		if (import_is_stopped(import))
			return true;
		if (duck_database_is_broken(engine.database))
			return import_note_damage(import, "its other tables cannot be read any more");
		if (!read_table(import, engine.connection, &listed, first, last, err))
			return false;
	}
	return true;
}
