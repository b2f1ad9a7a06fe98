/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metric_list.h"

#include "serve/handlers.h"
#include "serve/serve_private.h"
#include "serve/text.h"

/* ---- parameters ---- */

/* As the API takes and shows values of this type. */
static void put_typed(enum parameter_type type, struct span text, struct json_writer *json)
{
	int64_t integer;
	double real;
	if (type == PARAMETER_INTEGER && span_parse_int64(text, &integer))
		json_put_integer(json, integer);
	else if (type == PARAMETER_NUMBER && span_parse_double(text, &real))
		json_put_real(json, real);
	else if (type == PARAMETER_BOOLEAN && text.data)
		json_put_boolean(json, span_equal_text(text, "true"));
	else
		json_put_string(json, text);
}

static void put_default(const struct metric_parameter *parameter, struct json_writer *json)
{
	struct span rest = parameter->default_text;
	json_put_key(json, "default");
	if (!rest.data || !parameter->multiple) {
		put_typed(parameter->type, rest, json);
		return;
	}
	json_begin_array(json);
	for (bool more = rest.size > 0; more;) {
		struct span one = rest;
		more = span_split(rest, ',', &one, &rest);
		put_typed(parameter->type, one, json);
	}
	json_end_array(json);
}

static void put_values(const struct metric_parameter *parameter, struct json_writer *json)
{
	json_put_key(json, "values");
	if (parameter->value_count == 0) {
		json_put_null(json);
		return;
	}
	json_begin_array(json);
	for (size_t i = 0; i < parameter->value_count; i++)
		json_put_string(json, parameter->values[i]);
	json_end_array(json);
}

static void put_bound(const char *key, const struct metric_parameter *parameter, struct span text,
	struct json_writer *json)
{
	json_put_key(json, key);
	put_typed(parameter->type, text, json);
}

static void put_parameter(const struct metric_parameter *parameter, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_string(json, "name", parameter->name);
	json_put_key_text(json, "type", parameter_type_name(parameter->type));
	json_put_key_string(
		json, "label", parameter->label.data ? parameter->label : parameter->name);
	json_put_key_string(json, "description", parameter->description);
	json_put_key_string(json, "unit", parameter->unit);
	put_default(parameter, json);
	json_put_key_boolean(json, "required", parameter->required);
	json_put_key_boolean(json, "multiple", parameter->multiple);
	put_values(parameter, json);
	json_put_key_string(json, "values_from", parameter->values_from);
	put_bound("min", parameter, parameter->minimum, json);
	put_bound("max", parameter, parameter->maximum, json);
	put_bound("step", parameter, parameter->step, json);
	json_end_object(json);
}

/* ---- columns and chart ---- */

static void put_column(const struct metric_column *column, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_string(json, "name", column->name);
	json_put_key_text(json, "type", value_type_name(column->type));
	json_put_key_string(json, "unit", column->unit);
	json_put_key_string(json, "label", column->label);
	json_put_key(json, "decimals");
	if (column->decimals >= 0)
		json_put_integer(json, column->decimals);
	else
		json_put_null(json);
	json_put_key_string(json, "description", column->description);
	json_put_key_string(json, "link", column->link);
	json_put_key_boolean(json, "hidden", column->hidden);
	json_end_object(json);
}

static bool is_numeric(const struct metric_column *column)
{
	return column->type == VALUE_INTEGER || column->type == VALUE_REAL;
}

/* A metric without a chart of its own is drawn as its visualisation says: the first column that is
 * no number against those that are. */
static struct metric_chart derive_chart(const struct metric *metric)
{
	static const enum chart_kind kinds[] = {CHART_VALUE, CHART_BAR, CHART_LINE};
	struct metric_chart chart = {.kind = CHART_TABLE};
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (span_equal_text(metric->visualisation, chart_kind_name(kinds[i])))
			chart.kind = kinds[i];
	for (size_t i = 0; i < metric->column_count; i++) {
		const struct metric_column *column = &metric->columns[i];
		if (column->hidden)
			continue;
		if (is_numeric(column) && chart.y_count < ARRAY_COUNT(chart.y))
			chart.y[chart.y_count++] = column->name;
		else if (!is_numeric(column) && !chart.x.data)
			chart.x = column->name;
	}
	return chart;
}

static void put_optional_real(const char *key, bool has, double value, struct json_writer *json)
{
	json_put_key(json, key);
	if (has)
		json_put_real(json, value);
	else
		json_put_null(json);
}

static void put_chart(const struct metric *metric, struct json_writer *json)
{
	struct metric_chart chart =
		metric->chart.kind == CHART_NONE ? derive_chart(metric) : metric->chart;
	json_put_key(json, "chart");
	json_begin_object(json);
	json_put_key_text(json, "kind", chart_kind_name(chart.kind));
	json_put_key_string(json, "x", chart.x);
	json_put_key(json, "y");
	json_begin_array(json);
	for (size_t i = 0; i < chart.y_count; i++)
		json_put_string(json, chart.y[i]);
	json_end_array(json);
	json_put_key_string(json, "series", chart.series);
	json_put_key(json, "max_series");
	if (chart.series_max > 0)
		json_put_integer(json, chart.series_max);
	else
		json_put_null(json);
	json_put_key_boolean(json, "stacked", chart.stacked);
	json_put_key_text(json, "orient", chart.horizontal ? "horizontal" : "vertical");
	put_optional_real("y_min", chart.has_y_min, chart.y_min, json);
	put_optional_real("y_max", chart.has_y_max, chart.y_max, json);
	put_optional_real("reference", chart.has_reference, chart.reference, json);
	json_end_object(json);
}

/* ---- metrics ---- */

static void put_data_url(const struct metric *metric, struct json_writer *json)
{
	CLEANUP(buf_finish) struct buf url = {.size_max = 1024};
	buf_append_text(&url, "/api/v1/metrics/");
	text_append_url(&url, metric->id);
	buf_append_text(&url, "/data");
	json_put_key_string(json, "data_url", buf_span(&url));
}

static void put_lists(const struct metric *metric, struct json_writer *json)
{
	json_put_key(json, "parameters");
	json_begin_array(json);
	for (size_t i = 0; i < metric->parameter_count; i++)
		put_parameter(&metric->parameters[i], json);
	json_end_array(json);
	json_put_key(json, "columns");
	json_begin_array(json);
	for (size_t i = 0; i < metric->column_count; i++)
		put_column(&metric->columns[i], json);
	json_end_array(json);
}

void metric_render(const struct metric *metric, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_string(json, "id", metric->id);
	json_put_key_string(json, "name", metric->name);
	json_put_key_string(json, "group", metric->group);
	json_put_key_string(json, "description", metric->description);
	json_put_key_string(json, "caveat", metric->caveat);
	json_put_key_integer(json, "version", metric->version);
	json_put_key_boolean(json, "built_in", metric->built_in);
	json_put_key_boolean(json, "hidden", metric->hidden);
	put_lists(metric, json);
	put_chart(metric, json);
	json_put_key_string(json, "visualisation", metric->visualisation);
	json_put_key(json, "limit");
	json_begin_object(json);
	json_put_key_integer(json, "default", metric->limit_default);
	json_put_key_integer(json, "max", metric->limit_max);
	json_end_object(json);
	json_put_key_boolean(json, "uses_as_of", metric->uses_as_of);
	json_put_key_integer(json, "refresh_ms", metric->refresh_ms);
	json_put_key_integer(json, "cache_ms", metric->cache_ms);
	json_put_key_integer(json, "timeout_ms", metric->timeout_ms);
	json_put_key_string(json, "sql", metric->sql);
	put_data_url(metric, json);
	json_end_object(json);
}

static void put_problem(const struct metric_problem *problem, struct json_writer *json)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = 64 * 1024};
	text_append_public(&text, problem->text);
	json_begin_object(json);
	json_put_key_string(json, "file", text_base_name(problem->file));
	json_put_key_integer(json, "line", problem->line);
	json_put_key_integer(json, "column", problem->column);
	json_put_key_string(json, "text", buf_span(&text));
	json_put_key_boolean(json, "warning", problem->warning);
	json_end_object(json);
}

void metric_list_render(const struct metric_catalogue *catalogue, struct buf *out)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key(&json, "metrics");
	json_begin_array(&json);
	for (size_t i = 0; i < catalogue->metric_count; i++)
		metric_render(&catalogue->metrics[i], &json);
	json_end_array(&json);
	json_put_key(&json, "problems");
	json_begin_array(&json);
	for (size_t i = 0; i < catalogue->problem_count; i++)
		put_problem(&catalogue->problems[i], &json);
	json_end_array(&json);
	json_put_key_integer(&json, "revision", catalogue->revision);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

void handle_metric_list(struct call *call)
{
	struct metrics *metrics = call->serve->options.metrics;
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	reply_begin(call->reply, 200, REPLY_JSON, "no-cache");
	metric_list_render(catalogue, &call->reply->body);
	metrics_release(metrics, catalogue);
	reply_tag(call->reply, call->request, buf_span(&call->reply->body));
}

static void answer_definition(struct call *call, const struct metric *metric)
{
	struct json_writer json;
	reply_begin(call->reply, 200, REPLY_JSON, "no-cache");
	json_writer_init(&json, &call->reply->body);
	metric_render(metric, &json);
	buf_append_byte(&call->reply->body, '\n');
	reply_tag(call->reply, call->request, buf_span(&call->reply->body));
}

void handle_metric(struct call *call)
{
	call_with_metric(call, answer_definition);
}
