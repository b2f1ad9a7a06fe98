/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_kpi.c - one metric, in either version of the format. */
#include "metrics/metric_loading.h"

#include <string.h>

enum { ID_BYTES_MAX = 64, SCRATCH_BYTES_MAX = 16 * 1024 * 1024 };

static const char *const visualisations[] = {"bar", "line", "value", "table"};

static void read_id(struct loading *loading, const struct yaml_node *node, struct metric *out)
{
	loading_read_text(loading, node, ID_BYTES_MAX, &out->id);
	if (!out->id.data)
		return;
	bool is_good = out->id.size <= ID_BYTES_MAX;
	if (loading->version == 2)
		is_good = loading_is_name(out->id, ID_BYTES_MAX);
	for (size_t i = 0; loading->version == 1 && i < out->id.size; i++) {
		char c = out->id.data[i];
		is_good = is_good && (unsigned char)c > ' ' && c != '/' && c != 0x7f;
	}
	if (!is_good)
		loading_fault(loading, node,
			"an id is up to %d small letters, digits and _, a letter first",
			ID_BYTES_MAX);
}

/* Version 1 echoes whatever stands there, as the first system did. */
static void read_visualisation(
	struct loading *loading, const struct yaml_node *node, struct metric *out)
{
	if (!node || yaml_is_null(node))
		return;
	for (size_t i = 0; i < ARRAY_COUNT(visualisations); i++)
		if (span_equal_text(node->text, visualisations[i]))
			out->visualisation = node->text;
	if (out->visualisation.data)
		return;
	if (loading->version == 1 && node->kind == YAML_SCALAR) {
		out->visualisation = node->text;
		loading_warn(loading, node, "visualisation is bar, line, value, table or null");
	} else {
		loading_fault_unknown(loading, node, "visualisation", visualisations,
			ARRAY_COUNT(visualisations));
	}
}

static void read_parameters(
	struct loading *loading, const struct yaml_node *node, struct metric *out)
{
	if (!node)
		return;
	if (node->kind != YAML_MAPPING || node->count > METRIC_PARAMETER_COUNT_MAX) {
		loading_fault(loading, node, "a mapping of at most %d parameters is expected here",
			METRIC_PARAMETER_COUNT_MAX);
		return;
	}
	struct metric_parameter *parameters =
		loading_allocate(loading, node->count, sizeof(*parameters));
	for (size_t i = 0; i < node->count; i++)
		loading_read_parameter(loading, node->keys[i], node->values[i], &parameters[i]);
	out->parameters = parameters;
	out->parameter_count = node->count;
}

static void check_parameters_used(struct loading *loading, const struct yaml_node *node,
	const struct metric_sql *sql, const struct metric *metric)
{
	for (size_t i = 0; sql->text && i < metric->parameter_count; i++) {
		size_t slot = 0;
		while (slot < sql->slot_count && sql->slots[slot] != SLOT_PARAMETER + i)
			slot++;
		if (slot == sql->slot_count)
			loading_fault(loading, node->keys[i],
				"the SQL does not use the parameter \"%.*s\"",
				SPAN_ARGUMENTS(metric->parameters[i].name));
	}
}

static bool is_known_rollup(struct span name)
{
	size_t count;
	const struct rollup *rollups = metrics_rollups(&count);
	for (size_t i = 0; i < count; i++)
		if (span_equal_text(name, rollups[i].name))
			return true;
	return false;
}

static bool same_columns(const struct table *a, const struct table *b)
{
	bool same = a->row_count == b->row_count;
	for (size_t row = 0; same && row < a->row_count; row++)
		for (size_t i = 0; i < 2; i++)
			same = same
			       && span_equal(
				       table_value(a, row, i)->text, table_value(b, row, i)->text);
	return same;
}

static void read_rollup(struct loading *loading, const struct yaml_node *node,
	const struct table *described, struct arena *scratch, struct metric *out,
	struct metric_sql *sql_out)
{
	static const char *const keys[] = {"name", "sql"};
	if (!node || !loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	const struct yaml_node *name = yaml_get(node, "name");
	const struct yaml_node *sql = yaml_get(node, "sql");
	if (!name || !sql || sql->kind != YAML_SCALAR) {
		loading_fault(loading, node, "a rollup has a name and an sql");
		return;
	}
	if (is_known_rollup(name->text))
		out->rollup = name->text;
	else
		loading_fault(
			loading, name, "there is no rollup \"%.*s\"", SPAN_ARGUMENTS(name->text));
	struct table rollup_described;
	loading_compile(loading, sql, out, scratch, sql_out, &rollup_described);
	if (described->row_count > 0 && rollup_described.row_count > 0
		&& !same_columns(described, &rollup_described))
		loading_fault(loading, sql, "the columns are not those of the metric's sql");
}

static void read_details(struct loading *loading, const struct yaml_node *node, struct metric *out)
{
	loading_read_text(loading, yaml_get(node, "description"), 500, &out->description);
	loading_read_text(loading, yaml_get(node, "caveat"), 300, &out->caveat);
	loading_read_text(loading, yaml_get(node, "group"), 60, &out->group);
	loading_read_boolean(loading, yaml_get(node, "hidden"), &out->hidden);
	loading_read_limit(loading, yaml_get(node, "limit"), &out->limit_default, &out->limit_max);
	loading_read_duration(loading, yaml_get(node, "refresh"), &out->refresh_ms);
	loading_read_duration(loading, yaml_get(node, "cache"), &out->cache_ms);
	loading_read_duration(loading, yaml_get(node, "timeout"), &out->timeout_ms);
	loading_read_columns(loading, yaml_get(node, "columns"), out);
	loading_read_chart(loading, yaml_get(node, "chart"), &out->chart);
	read_parameters(loading, yaml_get(node, "parameters"), out);
}

static void check_keys(struct loading *loading, const struct yaml_node *node)
{
	static const char *const keys[] = {"id", "name", "description", "caveat", "group", "hidden",
		"sql", "parameters", "columns", "limit", "visualisation", "chart", "refresh",
		"cache", "timeout", "rollup"};
	static const char *const keys_of_version_1[] = {"id", "name", "sql", "visualisation"};
	if (loading->version == 2) {
		(void)loading_check_keys(loading, node, keys, ARRAY_COUNT(keys));
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		size_t known = 0;
		while (known < ARRAY_COUNT(keys_of_version_1)
			&& !span_equal_text(node->keys[i]->text, keys_of_version_1[known]))
			known++;
		if (known == ARRAY_COUNT(keys_of_version_1))
			loading_warn(loading, node->keys[i],
				"\"%.*s\" is not read without \"version: 2\" at the top",
				SPAN_ARGUMENTS(node->keys[i]->text));
	}
}

static bool has_required_keys(struct loading *loading, const struct yaml_node *node)
{
	static const char *const keys[] = {"id", "name", "sql", "description"};
	size_t errors_before = loading->error_count;
	for (size_t i = 0; i < ARRAY_COUNT(keys) - (loading->version == 1); i++)
		if (!yaml_get(node, keys[i]))
			loading_fault(loading, node, "a metric needs the key \"%s\"", keys[i]);
	const struct yaml_node *sql = yaml_get(node, "sql");
	if (sql && sql->kind != YAML_SCALAR)
		loading_fault(loading, sql, "a text is expected here");
	return loading->error_count == errors_before;
}

void loading_read_kpi(struct loading *loading, const struct yaml_node *node, struct metric *out)
{
	*out = (struct metric){
		.version = loading->version,
		.built_in = !loading->built_in,
		.file = loading->name,
		.line = node->line,
		.limit_default = loading->defaults.limit_default,
		.limit_max = loading->defaults.limit_max,
		.refresh_ms = loading->defaults.refresh_ms,
		.cache_ms = loading->defaults.cache_ms,
		.timeout_ms = loading->defaults.timeout_ms,
	};
	if (node->kind != YAML_MAPPING) {
		loading_fault(loading, node, "a metric (id: …, name: …, sql: …) is expected here");
		return;
	}
	check_keys(loading, node);
	if (!has_required_keys(loading, node))
		return;
	read_id(loading, yaml_get(node, "id"), out);
	loading_read_text(loading, yaml_get(node, "name"), 80, &out->name);
	read_visualisation(loading, yaml_get(node, "visualisation"), out);
	if (loading->version == 2)
		read_details(loading, node, out);
	const struct yaml_node *sql = yaml_get(node, "sql");
	out->sql = sql->text;
	struct metric_compiled *compiled = loading_allocate(loading, 1, sizeof(*compiled));
	CLEANUP(arena_finish) struct arena scratch = {.size_max = SCRATCH_BYTES_MAX};
	struct table described;
	loading_compile(loading, sql, out, &scratch, &compiled->query, &described);
	if (loading->version == 2) {
		check_parameters_used(loading, yaml_get(node, "parameters"), &compiled->query, out);
		read_rollup(loading, yaml_get(node, "rollup"), &described, &scratch, out,
			&compiled->rollup);
	}
	if (described.row_count > 0)
		loading_join_columns(loading, node, &described, out);
	out->compiled = compiled;
}
