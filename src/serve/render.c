/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/render.h"

#include "base/clock.h"
#include "serve/serve.h"

#include <stdio.h>
#include <string.h>

static const double us_per_second = 1e6;

void render_value(const struct value *value, struct json_writer *json)
{
	switch (value->type) {
	case VALUE_NULL:
		json_put_null(json);
		break;
	case VALUE_BOOLEAN:
		json_put_boolean(json, value->boolean);
		break;
	case VALUE_INTEGER:
		json_put_integer(json, value->integer);
		break;
	case VALUE_REAL:
		json_put_real(json, value->real);
		break;
	case VALUE_TEXT:
		json_put_string(json, value->text);
		break;
	case VALUE_TIME:
		json_put_time(json, value->time_us);
		break;
	case VALUE_DATE:
		json_put_text(json, time_render_date(value->time_us).text);
		break;
	case VALUE_INTERVAL:
		json_put_real(json, (double)value->interval_us / us_per_second);
		break;
	case VALUE_LIST:
		json_begin_array(json);
		for (size_t i = 0; i < value->list.count; i++)
			render_value(&value->list.elements[i], json);
		json_end_array(json);
		break;
	}
}

void render_seed_members(
	const struct metric *metric, const struct table *table, struct json_writer *json)
{
	json_put_key_string(json, "id", metric->id);
	json_put_key_string(json, "name", metric->name);
	json_put_key_string(json, "visualisation", metric->visualisation);
	json_put_key(json, "data");
	json_begin_array(json);
	for (size_t row = 0; row < table->row_count; row++) {
		json_begin_object(json);
		for (size_t column = 0; column < table->column_count; column++) {
			json_put_key_span(json, table->columns[column].name);
			render_value(table_value(table, row, column), json);
		}
		json_end_object(json);
	}
	json_end_array(json);
}

struct render_hint render_hint(const struct metric *metric, const struct metric_result *result)
{
	struct render_hint hint = {0};
	const struct gold_stamp *stamp = &result->stamp;
	if (result->table.row_count > 0)
		return hint;
	if (stamp->newest_event_us == 0)
		(void)snprintf(hint.text, sizeof(hint.text), "no events are stored yet");
	else if (metric->uses_as_of && result->as_of_us > stamp->newest_event_us)
		(void)snprintf(hint.text, sizeof(hint.text), "data ends %s; try as_of=data",
			time_render(stamp->newest_event_us).text);
	else if (metric->uses_as_of && result->as_of_us < stamp->oldest_event_us)
		(void)snprintf(hint.text, sizeof(hint.text), "data begins %s, after as_of",
			time_render(stamp->oldest_event_us).text);
	return hint;
}

static const struct metric_column *find_column(const struct metric *metric, struct span name)
{
	for (size_t i = 0; i < metric->column_count; i++)
		if (span_equal(metric->columns[i].name, name))
			return &metric->columns[i];
	return NULL;
}

static void put_columns(
	const struct metric *metric, const struct table *table, struct json_writer *json)
{
	json_put_key(json, "columns");
	json_begin_array(json);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct metric_column *column = find_column(metric, table->columns[i].name);
		json_begin_object(json);
		json_put_key_string(json, "name", table->columns[i].name);
		json_put_key_text(json, "type", value_type_name(table->columns[i].type));
		json_put_key_string(json, "unit", column ? column->unit : (struct span){0});
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_parameters(
	const struct metric *metric, const struct metric_result *result, struct json_writer *json)
{
	json_put_key(json, "parameters");
	json_begin_object(json);
	for (size_t i = 0; i < metric->parameter_count; i++) {
		json_put_key_span(json, metric->parameters[i].name);
		render_value(&result->parameters[i], json);
	}
	json_end_object(json);
}

static void put_stable_meta(
	const struct metric *metric, const struct metric_result *result, struct json_writer *json)
{
	struct render_hint hint = render_hint(metric, result);
	put_parameters(metric, result, json);
	json_put_key_integer(json, "rows", (int64_t)result->table.row_count);
	json_put_key_boolean(json, "truncated", result->truncated);
	json_put_key(json, "limit");
	if (result->limit > 0)
		json_put_integer(json, result->limit);
	else
		json_put_null(json);
	put_columns(metric, &result->table, json);
	json_put_key_text(json, "hint", hint.text[0] != '\0' ? hint.text : NULL);
	json_put_key_string(json, "caveat", metric->caveat);
}

static void put_momentary_meta(const struct metric_result *result, struct json_writer *json)
{
	const struct gold_stamp *stamp = &result->stamp;
	json_put_key(json, "as_of");
	json_put_time(json, result->as_of_us);
	json_put_key_time(json, "data_from", stamp->oldest_event_us);
	json_put_key_time(json, "data_to", stamp->newest_event_us);
	json_put_key(json, "lag_seconds");
	if (stamp->newest_event_us == 0)
		json_put_null(json);
	else
		json_put_integer(
			json, result->as_of_us > stamp->newest_event_us
				      ? (result->as_of_us - stamp->newest_event_us) / 1000000
				      : 0);
	json_put_key_integer(json, "generation", stamp->generation);
	json_put_key_integer(json, "loads", stamp->loads);
	json_put_key_boolean(json, "from_rollup", result->from_rollup);
	json_put_key_integer(json, "elapsed_ms", result->elapsed_us / 1000);
}

size_t render_data(const struct metric *metric, const struct metric_result *result, struct buf *out)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	render_seed_members(metric, &result->table, &json);
	json_put_key(&json, "meta");
	json_begin_object(&json);
	put_stable_meta(metric, result, &json);
	size_t stable_size = out->size;
	put_momentary_meta(result, &json);
	json_end_object(&json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
	return stable_size;
}

void serve_render_data(
	const struct metric *metric, const struct metric_result *result, struct buf *out)
{
	(void)render_data(metric, result, out);
}

/* ---- CSV ---- */

static void put_quoted(struct span text, struct buf *out)
{
	buf_append_byte(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '"')
			buf_append_byte(out, '"');
		buf_append_byte(out, text.data[i]);
	}
	buf_append_byte(out, '"');
}

static bool looks_like_formula(struct span text)
{
	double number;
	if (text.size == 0 || !memchr("=+-@\t\r", text.data[0], strlen("=+-@\t\r")))
		return false;
	return !span_parse_double(text, &number);
}

/* Empty text is quoted, which tells it from NULL. */
static void put_text_cell(struct span text, struct buf *out)
{
	bool formula = looks_like_formula(text);
	bool quote = text.size == 0;
	for (size_t i = 0; i < text.size && !quote; i++)
		quote = memchr(",\"\r\n", text.data[i], strlen(",\"\r\n"));
	if (!quote) {
		buf_append_text(out, formula ? "'" : "");
		buf_append_span(out, text);
		return;
	}
	CLEANUP(buf_finish) struct buf cell = {.size_max = out->size_max};
	buf_append_text(&cell, formula ? "'" : "");
	buf_append_span(&cell, text);
	put_quoted(buf_span(&cell), out);
}

/* What JSON writes, without its quotes and nulls. */
static void put_plain_cell(const struct value *value, struct buf *out)
{
	CLEANUP(buf_finish) struct buf cell = {.size_max = out->size_max};
	struct json_writer json;
	json_writer_init(&json, &cell);
	render_value(value, &json);
	struct span text = buf_span(&cell);
	if (value->type == VALUE_LIST) {
		put_quoted(text, out);
		return;
	}
	if (span_equal_text(text, "null"))
		return;
	if (span_starts_with(text, "\""))
		text = (struct span){text.data + 1, text.size - 2};
	buf_append_span(out, text);
}

void render_csv(const struct table *table, struct buf *out)
{
	for (size_t column = 0; column < table->column_count; column++) {
		buf_append_text(out, column > 0 ? "," : "");
		put_text_cell(table->columns[column].name, out);
	}
	buf_append_text(out, "\r\n");
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t column = 0; column < table->column_count; column++) {
			const struct value *value = table_value(table, row, column);
			buf_append_text(out, column > 0 ? "," : "");
			if (value->type == VALUE_TEXT)
				put_text_cell(value->text, out);
			else
				put_plain_cell(value, out);
		}
		buf_append_text(out, "\r\n");
	}
}
