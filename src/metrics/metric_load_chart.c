/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_chart.c - what a metric says about its columns and its chart, and whether the result
 * has those columns. */
#include "metrics/metric_loading.h"

#include "base/suggest.h"

#include <assert.h>
#include <string.h>

static const char *const chart_kinds[] = {
	[CHART_NONE] = "none",
	[CHART_VALUE] = "value",
	[CHART_BAR] = "bar",
	[CHART_LINE] = "line",
	[CHART_AREA] = "area",
	[CHART_TABLE] = "table",
};

const char *chart_kind_name(enum chart_kind kind)
{
	return chart_kinds[kind];
}

static void read_kind(
	struct loading *loading, const struct yaml_node *chart, struct metric_chart *out)
{
	const struct yaml_node *node = yaml_get(chart, "kind");
	if (!node) {
		loading_fault(loading, chart, "a chart needs a kind");
		return;
	}
	for (size_t kind = CHART_VALUE; kind < ARRAY_COUNT(chart_kinds); kind++) {
		if (!span_equal_text(node->text, chart_kinds[kind]))
			continue;
		out->kind = (enum chart_kind)kind;
		return;
	}
	loading_fault_unknown(
		loading, node, "kind of chart", chart_kinds + 1, ARRAY_COUNT(chart_kinds) - 1);
}

static void read_y(struct loading *loading, const struct yaml_node *node, struct metric_chart *out)
{
	if (!node)
		return;
	if (node->kind == YAML_SEQUENCE && node->count > 0 && node->count <= ARRAY_COUNT(out->y)) {
		out->y_count = node->count;
		for (size_t i = 0; i < node->count; i++)
			loading_read_text(loading, node->values[i], 200, &out->y[i]);
	} else if (node->kind == YAML_SCALAR) {
		out->y_count = 1;
		loading_read_text(loading, node, 200, &out->y[0]);
	} else {
		loading_fault(loading, node, "y is a column or a list of 1 to %zu columns",
			ARRAY_COUNT(out->y));
	}
}

void loading_read_chart(
	struct loading *loading, const struct yaml_node *node, struct metric_chart *out)
{
	static const char *const keys[] = {"kind", "x", "y", "series", "max_series", "stacked",
		"orient", "y_min", "y_max", "reference"};
	static const char *const orients[] = {"vertical", "horizontal"};
	if (!node || !loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	read_kind(loading, node, out);
	read_y(loading, yaml_get(node, "y"), out);
	loading_read_text(loading, yaml_get(node, "x"), 200, &out->x);
	loading_read_text(loading, yaml_get(node, "series"), 200, &out->series);
	loading_read_integer(loading, yaml_get(node, "max_series"), 1, 8, &out->series_max);
	loading_read_boolean(loading, yaml_get(node, "stacked"), &out->stacked);
	const struct yaml_node *orient = yaml_get(node, "orient");
	out->horizontal = orient && span_equal_text(orient->text, "horizontal");
	if (orient && !out->horizontal && !span_equal_text(orient->text, "vertical"))
		loading_fault_unknown(
			loading, orient, "orientation", orients, ARRAY_COUNT(orients));
	out->has_y_min = loading_read_real(loading, yaml_get(node, "y_min"), &out->y_min);
	out->has_y_max = loading_read_real(loading, yaml_get(node, "y_max"), &out->y_max);
	out->has_reference =
		loading_read_real(loading, yaml_get(node, "reference"), &out->reference);
}

/* [a-z][a-z/ ]* */
static bool is_unit(struct span unit)
{
	for (size_t i = 0; i < unit.size; i++) {
		char c = unit.data[i];
		if ((c < 'a' || c > 'z') && (i == 0 || (c != '/' && c != ' ')))
			return false;
	}
	return true;
}

static void read_column(
	struct loading *loading, const struct yaml_node *node, struct metric_column *out)
{
	static const char *const keys[] = {
		"label", "description", "unit", "decimals", "link", "hidden"};
	if (!loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	loading_read_text(loading, yaml_get(node, "label"), 60, &out->label);
	loading_read_text(loading, yaml_get(node, "description"), 300, &out->description);
	loading_read_text(loading, yaml_get(node, "unit"), 24, &out->unit);
	if (out->unit.data && !is_unit(out->unit))
		loading_fault(loading, yaml_get(node, "unit"),
			"a unit is made of small letters, / and spaces");
	int64_t decimals = -1;
	loading_read_integer(loading, yaml_get(node, "decimals"), 0, 6, &decimals);
	out->decimals = (int)decimals;
	const struct yaml_node *link = yaml_get(node, "link");
	loading_read_text(loading, link, 200, &out->link);
	/* A path on this server: "//host" would be another one. */
	bool is_path = out->link.size > 1 && out->link.data[0] == '/' && out->link.data[1] != '/';
	if (out->link.data && !is_path)
		loading_fault(loading, link, "a link is a path that starts with one /");
	loading_read_boolean(loading, yaml_get(node, "hidden"), &out->hidden);
}

void loading_read_columns(
	struct loading *loading, const struct yaml_node *node, struct metric *metric)
{
	if (!node)
		return;
	if (node->kind != YAML_MAPPING || node->count > METRIC_COLUMN_COUNT_MAX) {
		loading_fault(loading, node, "a mapping of at most %d columns is expected here",
			METRIC_COLUMN_COUNT_MAX);
		return;
	}
	struct metric_column *columns = loading_allocate(loading, node->count, sizeof(*columns));
	for (size_t i = 0; i < node->count; i++) {
		columns[i] = (struct metric_column){
			.name = node->keys[i]->text, .decimals = -1, .declared = true};
		read_column(loading, node->values[i], &columns[i]);
	}
	metric->columns = columns;
	metric->column_count = node->count;
}

/* DuckDB's names, without what follows in parentheses. */
static enum value_type result_type(struct span name)
{
	static const struct {
		const char *prefix;
		enum value_type type;
	} types[] = {
		{"BOOLEAN", VALUE_BOOLEAN},
		{"TINYINT", VALUE_INTEGER},
		{"SMALLINT", VALUE_INTEGER},
		{"INTEGER", VALUE_INTEGER},
		{"BIGINT", VALUE_INTEGER},
		{"HUGEINT", VALUE_INTEGER},
		{"UTINYINT", VALUE_INTEGER},
		{"USMALLINT", VALUE_INTEGER},
		{"UINTEGER", VALUE_INTEGER},
		{"UBIGINT", VALUE_INTEGER},
		{"UHUGEINT", VALUE_INTEGER},
		{"FLOAT", VALUE_REAL},
		{"DOUBLE", VALUE_REAL},
		{"DECIMAL", VALUE_REAL},
		{"TIMESTAMP", VALUE_TIME},
		{"DATE", VALUE_DATE},
		{"INTERVAL", VALUE_INTERVAL},
	};
	if (span_ends_with(name, "[]"))
		return VALUE_LIST;
	for (size_t i = 0; i < ARRAY_COUNT(types); i++)
		if (span_starts_with(name, types[i].prefix))
			return types[i].type;
	return VALUE_TEXT;
}

static const struct metric_column *find_column(
	const struct metric_column *columns, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(columns[i].name, name))
			return &columns[i];
	return NULL;
}

static void check_column(struct loading *loading, const struct yaml_node *node, struct span name,
	const struct metric *metric)
{
	if (!name.data || find_column(metric->columns, metric->column_count, name))
		return;
	const char **names = loading_allocate(loading, metric->column_count, sizeof(*names));
	for (size_t i = 0; i < metric->column_count; i++)
		names[i] = metric->columns[i].name.data;
	loading_fault_unknown(loading, node, "column of the result", names, metric->column_count);
}

static void check_chart(
	struct loading *loading, const struct yaml_node *chart, const struct metric *metric)
{
	check_column(loading, yaml_get(chart, "x"), metric->chart.x, metric);
	check_column(loading, yaml_get(chart, "series"), metric->chart.series, metric);
	const struct yaml_node *y = yaml_get(chart, "y");
	for (size_t i = 0; i < metric->chart.y_count; i++)
		check_column(loading, y->kind == YAML_SEQUENCE ? y->values[i] : y,
			metric->chart.y[i], metric);
}

void loading_join_columns(struct loading *loading, const struct yaml_node *kpi,
	const struct table *described, struct metric *metric)
{
	const struct yaml_node *sql = yaml_get(kpi, "sql");
	if (described->row_count > METRIC_COLUMN_COUNT_MAX) {
		loading_fault(loading, sql, "the result has more than %d columns",
			METRIC_COLUMN_COUNT_MAX);
		return;
	}
	struct metric_column *columns =
		loading_allocate(loading, described->row_count, sizeof(*columns));
	for (size_t i = 0; i < described->row_count; i++) {
		struct span name = table_value(described, i, 0)->text;
		const struct metric_column *declared =
			find_column(metric->columns, metric->column_count, name);
		if (find_column(columns, i, name))
			loading_fault(loading, sql, "the result has two columns \"%.*s\"",
				SPAN_ARGUMENTS(name));
		columns[i] = declared ? *declared : (struct metric_column){.decimals = -1};
		columns[i].name = arena_copy(loading->arena, name);
		columns[i].type = result_type(table_value(described, i, 1)->text);
	}
	metric->columns = columns;
	metric->column_count = described->row_count;
	const struct yaml_node *declared = loading->version == 2 ? yaml_get(kpi, "columns") : NULL;
	for (size_t i = 0; declared && declared->kind == YAML_MAPPING && i < declared->count; i++)
		check_column(loading, declared->keys[i], declared->keys[i]->text, metric);
	if (loading->version == 2)
		check_chart(loading, yaml_get(kpi, "chart"), metric);
}
