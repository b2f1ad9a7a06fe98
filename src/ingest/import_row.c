/* SPDX-License-Identifier: Apache-2.0 */
/* import_row.c - a row of the first system's tables as the JSON of an event: its columns have dotted
 * names ("payload.pull_request.number"), which say where in the event they came from. Nothing is added
 * but the type that the table is named after. */
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/memory.h"
#include "ingest/import_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 40 }; /* of a name; the scanner takes 64 levels in all */

/* Dots sort lowest: what belongs below "a" follows "a" at once. */
static int compare_paths(struct span a, struct span b)
{
	for (size_t i = 0; i < a.size && i < b.size; i++) {
		unsigned char x = (unsigned char)a.data[i];
		unsigned char y = (unsigned char)b.data[i];
		if (x != y)
			return (x == '.' ? -1 : x) < (y == '.' ? -1 : y) ? -1 : 1;
	}
	return (a.size > b.size) - (a.size < b.size);
}

/* Insertion: a table has tens of columns, and this is once a file. */
void import_columns_init(struct import_columns *columns, const struct table_column *list, const bool *is_json,
			 size_t count, struct span type)
{
	*columns = (struct import_columns){list, is_json, count, memory_allocate(count, sizeof(*columns->order)), type};
	for (size_t i = 0; i < count; i++) {
		size_t at = i;
		for (; at > 0 && compare_paths(list[columns->order[at - 1]].name, list[i].name) > 0; at--)
			columns->order[at] = columns->order[at - 1];
		columns->order[at] = i;
	}
}

void import_columns_finish(struct import_columns *columns)
{
	free(columns->order);
	columns->order = NULL;
}

/* ---- values ---- */

static void put_number(struct json_writer *json, double number)
{
	static const double exact_max = 9007199254740992.0; /* 2^53 */
	char text[40];
	/* An integer column with gaps became a column of doubles on its way through data frames. */
	if (number != floor(number) || fabs(number) > exact_max) {
		json_put_real(json, number);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.0f", number);
	json_put_raw(json, span_of(text));
}

static void put_integer(struct json_writer *json, int64_t number)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	json_put_raw(json, span_of(text));
}

static void put_value(struct json_writer *json, const struct value *value, bool is_json)
{
	switch (value->type) {
	case VALUE_BOOLEAN:
		json_put_boolean(json, value->boolean);
		return;
	case VALUE_INTEGER:
		put_integer(json, value->integer);
		return;
	case VALUE_REAL:
		put_number(json, value->real);
		return;
	case VALUE_TEXT:
		if (is_json)
			json_put_raw(json, value->text);
		else
			json_put_string(json, value->text);
		return;
	case VALUE_TIME:
	case VALUE_DATE:
		json_put_time(json, value->time_us);
		return;
	case VALUE_INTERVAL:
		put_integer(json, value->interval_us);
		return;
	case VALUE_LIST: /* comes as JSON */
	case VALUE_NULL:
		break;
	}
	json_put_null(json);
}

/* GitHub sends ids as strings of digits. */
static void put_id(struct json_writer *json, const struct value *value)
{
	char text[40];
	if (value->type == VALUE_INTEGER)
		(void)snprintf(text, sizeof(text), "%lld", (long long)value->integer);
	else if (value->type == VALUE_REAL)
		(void)snprintf(text, sizeof(text), "%.0f", value->real);
	else {
		put_value(json, value, false);
		return;
	}
	json_put_text(json, text);
}

/* A time without a zone is GitHub's UTC. */
static void put_created_at(struct json_writer *json, const struct value *value)
{
	char text[48];
	int64_t ignored;
	bool zoneless = value->type == VALUE_TEXT && value->text.size < sizeof(text) - 1
			&& !time_parse(value->text, &ignored);
	if (zoneless) {
		(void)snprintf(text, sizeof(text), "%.*sZ", SPAN_ARGUMENTS(value->text));
		zoneless = time_parse(span_of(text), &ignored);
	}
	if (zoneless)
		json_put_text(json, text);
	else
		put_value(json, value, false);
}

static bool is_given(const struct value *value)
{
	return value->type != VALUE_NULL && !(value->type == VALUE_REAL && !isfinite(value->real));
}

/* ---- places ---- */

/* Where the object ends in which `path` lies: "a.b" of "a.b.c", "" of "a". */
static struct span parent_of(struct span path)
{
	size_t size = path.size;
	while (size > 0 && path.data[size - 1] != '.')
		size--;
	return span_make(path.data, size > 0 ? size - 1 : 0);
}

static bool is_below(struct span path, struct span above)
{
	return above.size == 0
	       || (path.size > above.size && path.data[above.size] == '.'
		   && memcmp(path.data, above.data, above.size) == 0);
}

static bool is_same_or_below(struct span path, struct span above)
{
	return span_equal(path, above) || is_below(path, above);
}

/* Whether a value of that name has a place of its own: not with an empty step, nor when `*above`, the
 * last that had one, is a value where this name wants an object. */
static bool has_place(struct span name, struct span *above)
{
	size_t depth = 0;
	bool after_dot = true;
	for (size_t i = 0; i < name.size; i++) {
		bool dot = name.data[i] == '.';
		if (dot && after_dot)
			return false; /* an empty step */
		after_dot = dot;
		depth += dot;
	}
	if (after_dot || depth >= DEPTH_MAX || (above->data && is_below(name, *above)))
		return false;
	*above = name;
	return true;
}

/* Closes and opens objects until the one at `wanted` is open. */
static void move_to(struct json_writer *json, struct span *open, struct span wanted)
{
	while (!is_same_or_below(wanted, *open)) {
		json_end_object(json);
		*open = parent_of(*open);
	}
	while (open->size < wanted.size) {
		size_t from = open->size > 0 ? open->size + 1 : 0;
		size_t to = from;
		while (to < wanted.size && wanted.data[to] != '.')
			to++;
		json_put_key_span(json, span_make(wanted.data + from, to - from));
		json_begin_object(json);
		*open = span_make(wanted.data, to);
	}
}

static void put_cell(struct json_writer *json, const struct import_columns *columns, size_t column, struct span key,
		     const struct value *value)
{
	struct span name = columns->columns[column].name;
	json_put_key_span(json, key);
	if (span_equal_text(name, "id"))
		put_id(json, value);
	else if (span_equal_text(name, "created_at"))
		put_created_at(json, value);
	else
		put_value(json, value, columns->is_json[column]);
}

void import_row_render(const struct import_columns *columns, const struct value *row, struct buf *out)
{
	struct json_writer json;
	struct span open = span_of("");
	struct span above = {0};
	bool has_type = false;
	json_writer_init(&json, out);
	json_begin_object(&json);
	for (size_t i = 0; i < columns->count; i++) {
		size_t column = columns->order[i];
		struct span name = columns->columns[column].name;
		if (!is_given(&row[column]) || !has_place(name, &above))
			continue;
		has_type = has_type || span_equal_text(name, "type");
		struct span parent = parent_of(name);
		size_t skipped = parent.size > 0 ? parent.size + 1 : 0;
		move_to(&json, &open, parent);
		put_cell(&json, columns, column, span_make(name.data + skipped, name.size - skipped), &row[column]);
	}
	move_to(&json, &open, span_of(""));
	if (!has_type && columns->type.data)
		json_put_key_string(&json, "type", columns->type);
	/* What has no place below a value ("repo.name" where "repo" is one already) keeps its whole name. */
	above = (struct span){0};
	for (size_t i = 0; i < columns->count; i++) {
		size_t column = columns->order[i];
		struct span name = columns->columns[column].name;
		if (is_given(&row[column]) && !has_place(name, &above))
			put_cell(&json, columns, column, name, &row[column]);
	}
	json_end_object(&json);
}
