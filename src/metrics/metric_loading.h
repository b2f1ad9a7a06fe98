/* SPDX-License-Identifier: Apache-2.0 */
/* metric_loading.h - what the readers of one file's parts share; nobody else includes it.
 *
 * Readers tell faults and go on, so that one look shows all of them; whoever needs a sound result
 * compares error_count before and after. Memory comes from the file's arena, whose cap is beyond
 * what a file of the permitted size can need: allocation does not fail. */
#ifndef METRICS_METRIC_LOADING_H
#define METRICS_METRIC_LOADING_H

#include "metrics/metric_file.h"
#include "wrap/yaml_document.h"

enum { PROBLEM_COUNT_MAX = 200, SHARED_COUNT_MAX = 200 };

struct metric_defaults {
	int64_t refresh_ms, cache_ms, timeout_ms;
	int64_t limit_default, limit_max;
};

struct loading {
	struct arena *arena;
	struct span name;
	struct span source;
	int version;
	const struct metric_engine *engine;
	const struct metric_file *built_in;
	const struct yaml_node *shared; /* the top mapping "parameters", or NULL */
	struct metric_defaults defaults;
	struct metric_problem *problems; /* PROBLEM_COUNT_MAX */
	size_t problem_count;
	size_t error_count;
	bool is_pending;
	bool is_refused;
};

struct place {
	int line, column;
};

/* ---- metric_problem.c ---- */
void *loading_allocate(struct loading *loading, size_t count, size_t size);
void loading_fault_at(struct loading *loading, struct place place, const char *format, ...)
	PRINTF_LIKE(3, 4);
void loading_fault(struct loading *loading, const struct yaml_node *node, const char *format, ...)
	PRINTF_LIKE(3, 4);
void loading_warn(struct loading *loading, const struct yaml_node *node, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* "…; did you mean "x"?" when one of the words is near. */
void loading_fault_unknown(struct loading *loading, const struct yaml_node *node, const char *what,
	const char *const *words, size_t word_count);
/* Where byte `offset` of a scalar stands in the file. */
struct place loading_place(
	const struct loading *loading, const struct yaml_node *scalar, size_t offset);

/* ---- metric_load_value.c: a wrong kind is told; absent or wrong leaves *out as it is ---- */
/* False (and told): not a mapping. Keys that are not in `keys` are told. NULL is fine. */
bool loading_check_keys(struct loading *loading, const struct yaml_node *mapping,
	const char *const *keys, size_t key_count);
void loading_read_text(struct loading *loading, const struct yaml_node *node, size_t characters_max,
	struct span *out);
void loading_read_boolean(struct loading *loading, const struct yaml_node *node, bool *out);
void loading_read_integer(struct loading *loading, const struct yaml_node *node, int64_t min,
	int64_t max, int64_t *out);
/* True when there was a number. */
bool loading_read_real(struct loading *loading, const struct yaml_node *node, double *out);
/* "15s", "5m", "2h", "7d". */
void loading_read_duration(struct loading *loading, const struct yaml_node *node, int64_t *out_ms);
/* The keys default and max of a limit. */
void loading_read_limit(struct loading *loading, const struct yaml_node *node, int64_t *default_out,
	int64_t *max_out);
/* [a-z][a-z0-9_]*, at most `bytes_max`. */
bool loading_is_name(struct span name, size_t bytes_max);

/* ---- metric_load_parameter.c ---- */
bool loading_is_reserved(struct span name);
/* A definition, or a use of a shared one. */
void loading_read_parameter(struct loading *loading, const struct yaml_node *key,
	const struct yaml_node *node, struct metric_parameter *out);
void loading_check_shared(struct loading *loading);

/* ---- metric_load_chart.c ---- */
void loading_read_chart(
	struct loading *loading, const struct yaml_node *node, struct metric_chart *out);
/* What the YAML says about columns, in its order. */
void loading_read_columns(
	struct loading *loading, const struct yaml_node *node, struct metric *metric);
/* Puts the declared columns into the order of the result's (`described`: "name", "type") and checks
 * that those and the chart's exist. */
void loading_join_columns(struct loading *loading, const struct yaml_node *kpi,
	const struct table *described, struct metric *metric);

/* ---- metric_load_sql.c ---- */
/* Compiles `sql` for the metric, in version 1 adding a parameter for each new name. Prepares it on
 * the engine; *described_out (in `scratch`) has no rows when that was not done or failed. */
void loading_compile(struct loading *loading, const struct yaml_node *sql, struct metric *metric,
	struct arena *scratch, struct metric_sql *sql_out, struct table *described_out);

/* ---- metric_load_kpi.c ---- */
void loading_read_kpi(struct loading *loading, const struct yaml_node *node, struct metric *out);

#endif
