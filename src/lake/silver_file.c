/* SPDX-License-Identifier: Apache-2.0 */
/* silver_file.c - builds the SQL of silver_file.h. Names and paths are quoted here and nowhere
 * else. */
#include "lake/silver_file.h"

#include "wrap/duck.h"

#include <assert.h>
#include <string.h>

size_t silver_column_count(const struct field_set *fields)
{
	return EVENT_COLUMN_COUNT + fields->field_count;
}

struct silver_column silver_column_at(const struct field_set *fields, size_t index)
{
	assert(index < silver_column_count(fields));
	if (index < EVENT_COLUMN_COUNT)
		return (struct silver_column){event_columns[index].name, event_columns[index].type};
	const struct field *field = &fields->fields[index - EVENT_COLUMN_COUNT];
	return (struct silver_column){field->path, field->type};
}

const char *silver_sql_type(enum value_type type)
{
	switch (type) {
	case VALUE_BOOLEAN:
		return "BOOLEAN";
	case VALUE_INTEGER:
		return "BIGINT";
	case VALUE_REAL:
		return "DOUBLE";
	case VALUE_TIME:
		return "TIMESTAMP";
	case VALUE_TEXT:
		return "VARCHAR";
	case VALUE_NULL:
	case VALUE_DATE:
	case VALUE_INTERVAL:
	case VALUE_LIST:
		break;
	}
	assert(false && "no type of a silver column");
	return "";
}

void silver_append_name(struct buf *sql, struct span name)
{
	buf_append_byte(sql, '"');
	for (size_t i = 0; i < name.size; i++) {
		if (name.data[i] == '"')
			buf_append_byte(sql, '"');
		buf_append_byte(sql, name.data[i]);
	}
	buf_append_byte(sql, '"');
}

static bool append_read(struct buf *sql, const struct layout *layout, const struct lake_file *files,
			size_t file_count, bool by_name, struct err *err)
{
	buf_append_text(sql, "read_parquet([");
	for (size_t i = 0; i < file_count; i++) {
		struct file_path path;
		if (i > 0)
			buf_append_byte(sql, ',');
		if (!layout_absolute(layout, files[i].path.text, &path, err))
			return false;
		if (!duck_quote_text(sql, span_of(path.text)))
			return err_set(err, ERR_LOCAL, "the path of a silver file cannot be put into SQL");
	}
	/* The folders' names look like partitions, but every file has all columns itself. */
	buf_append_text(sql, "],hive_partitioning=false");
	buf_append_text(sql, by_name ? ",union_by_name=true)" : ")");
	return true;
}

static bool are_of_today(const struct field_set *fields, const struct lake_file *files, size_t file_count)
{
	for (size_t i = 0; i < file_count; i++)
		if (strcmp(files[i].fingerprint, fields->fingerprint) != 0)
			return false;
	return true;
}

enum column_form { COLUMN_PLAIN, COLUMN_CAST, COLUMN_NULL };

static void append_columns(struct buf *sql, const struct field_set *fields, enum column_form form)
{
	for (size_t i = 0; i < silver_column_count(fields); i++) {
		struct silver_column column = silver_column_at(fields, i);
		const char *type = silver_sql_type(column.type);
		if (i > 0)
			buf_append_byte(sql, ',');
		if (form == COLUMN_NULL)
			buf_printf(sql, "CAST(NULL AS %s) AS ", type);
		if (form == COLUMN_CAST) {
			buf_append_text(sql, "TRY_CAST(");
			silver_append_name(sql, span_of(column.name));
			buf_printf(sql, " AS %s) AS ", type);
		}
		silver_append_name(sql, span_of(column.name));
	}
}

bool silver_append_relation(struct buf *sql, const struct layout *layout, const struct field_set *fields,
			    const struct lake_file *files, size_t file_count, struct err *err)
{
	assert(file_count > 0);
	bool same = are_of_today(fields, files, file_count);
	buf_append_text(sql, "(SELECT ");
	append_columns(sql, fields, same ? COLUMN_PLAIN : COLUMN_CAST);
	buf_append_text(sql, " FROM ");
	if (!same) {
		/* No row, but every column, so that each can be named whatever the files have. */
		buf_append_text(sql, "(SELECT ");
		append_columns(sql, fields, COLUMN_NULL);
		buf_append_text(sql, " WHERE false UNION ALL BY NAME SELECT * FROM ");
	}
	if (!append_read(sql, layout, files, file_count, !same, err))
		return false;
	buf_append_text(sql, same ? ")" : "))");
	if (sql->failed)
		return err_set(err, ERR_LOCAL, "too many silver files for one statement");
	return true;
}
