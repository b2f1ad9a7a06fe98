/* SPDX-License-Identifier: Apache-2.0 */
/* metric_file.c - a file of metrics: its frame, its list, and its life. */
#include "metrics/metric_file.h"

#include "base/embedded.h"
#include "base/memory.h"
#include "metrics/metric_loading.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* YAML of 1 MiB is at most 100,000 nodes (yaml_document.h); with what is made of them it stays far
 * below this. */
enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

static const struct metric_defaults defaults_without_words = {.refresh_ms = 15000,
	.cache_ms = 10000,
	.timeout_ms = 5000,
	.limit_default = 100,
	.limit_max = 10000};

static void read_defaults(struct loading *loading, const struct yaml_node *node)
{
	static const char *const keys[] = {"refresh", "cache", "timeout", "limit"};
	if (!node || !loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	loading_read_duration(loading, yaml_get(node, "refresh"), &loading->defaults.refresh_ms);
	loading_read_duration(loading, yaml_get(node, "cache"), &loading->defaults.cache_ms);
	loading_read_duration(loading, yaml_get(node, "timeout"), &loading->defaults.timeout_ms);
	loading_read_limit(loading, yaml_get(node, "limit"), &loading->defaults.limit_default,
		&loading->defaults.limit_max);
}

static void read_frame(struct loading *loading, const struct yaml_node *root)
{
	static const char *const keys[] = {"version", "defaults", "parameters", "kpis"};
	if (loading->version == 2) {
		(void)loading_check_keys(loading, root, keys, ARRAY_COUNT(keys));
		read_defaults(loading, yaml_get(root, "defaults"));
		loading->shared = yaml_get(root, "parameters");
		loading_check_shared(loading);
		return;
	}
	for (size_t i = 0; i < root->count; i++)
		if (!span_equal_text(root->keys[i]->text, "kpis")
			&& !span_equal_text(root->keys[i]->text, "version"))
			loading_warn(loading, root->keys[i],
				"\"%.*s\" is not read without \"version: 2\"",
				SPAN_ARGUMENTS(root->keys[i]->text));
}

static const struct metric *find_metric(const struct metric *metrics, size_t count, struct span id)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(metrics[i].id, id))
			return &metrics[i];
	return NULL;
}

static void read_kpis(
	struct loading *loading, const struct yaml_node *kpis, struct metric_file *file)
{
	if (!kpis || yaml_is_null(kpis) || kpis->kind != YAML_SEQUENCE) {
		loading_fault(loading, kpis, "a file of metrics has a list \"kpis\"");
		return;
	}
	size_t count = kpis->count < METRIC_COUNT_MAX ? kpis->count : METRIC_COUNT_MAX;
	if (kpis->count > METRIC_COUNT_MAX)
		loading_fault(loading, kpis->values[METRIC_COUNT_MAX], "more than %d metrics",
			METRIC_COUNT_MAX);
	struct metric *metrics = loading_allocate(loading, count, sizeof(*metrics));
	file->metrics = metrics;
	for (size_t i = 0; i < count; i++) {
		size_t errors_before = loading->error_count;
		struct metric *metric = &metrics[file->metric_count];
		loading_read_kpi(loading, kpis->values[i], metric);
		const struct metric *twin = find_metric(metrics, file->metric_count, metric->id);
		if (metric->id.data && twin)
			loading_fault(loading, yaml_get(kpis->values[i], "id"),
				"the id \"%.*s\" stands at line %d already",
				SPAN_ARGUMENTS(metric->id), twin->line);
		file->metric_count += loading->error_count == errors_before;
	}
}

/* "NAME:LINE:COLUMN: what", as yaml_parse says it. */
static void tell_yaml_fault(struct loading *loading, const struct err *err)
{
	struct place place = {1, 1};
	struct span text = span_of(err->text);
	struct span line;
	struct span column;
	struct span rest;
	int64_t line_number;
	int64_t column_number;
	if (text.size > loading->name.size
		&& memcmp(text.data, loading->name.data, loading->name.size) == 0) {
		text = (struct span){
			text.data + loading->name.size + 1, text.size - loading->name.size - 1};
		if (span_split(text, ':', &line, &rest) && span_split(rest, ':', &column, &rest)
			&& span_parse_int64(line, &line_number)
			&& span_parse_int64(column, &column_number)) {
			place = (struct place){(int)line_number, (int)column_number};
			text = rest;
		}
	}
	text = span_trim(text);
	loading_fault_at(loading, place, "%.*s", SPAN_ARGUMENTS(text));
}

static void read_root(
	struct loading *loading, const struct yaml_node *root, struct metric_file *file)
{
	if (!root || root->kind != YAML_MAPPING) {
		loading_fault(loading, root, "a file of metrics has a list \"kpis\"");
		return;
	}
	const struct yaml_node *version = yaml_get(root, "version");
	int64_t number = 1;
	if (version && (!yaml_to_integer(version, &number) || number < 1 || number > 2)) {
		loading_fault(loading, version, "version is 1 or 2");
		return;
	}
	loading->version = (int)number;
	read_frame(loading, root);
	read_kpis(loading, yaml_get(root, "kpis"), file);
}

static struct metric_file *make_file(struct metric_file *built_in)
{
	struct metric_file *file = memory_allocate(1, sizeof(*file));
	atomic_init(&file->reference_count, 1);
	file->built_in = built_in ? metric_file_acquire(built_in) : NULL;
	arena_init(&file->arena, FILE_BYTES_MAX);
	return file;
}

static void start_loading(struct loading *loading, struct metric_file *file, const char *name)
{
	*loading = (struct loading){
		.arena = &file->arena, .version = 1, .defaults = defaults_without_words};
	loading->name = arena_copy(&file->arena, span_of(name));
	loading->problems =
		loading_allocate(loading, PROBLEM_COUNT_MAX, sizeof(*loading->problems));
}

static int compare_problems(const void *left, const void *right)
{
	const struct metric_problem *a = left;
	const struct metric_problem *b = right;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	if (a->column != b->column)
		return a->column < b->column ? -1 : 1;
	return span_compare(a->text, b->text);
}

static void end_loading(struct loading *loading, struct metric_file *file)
{
	qsort(loading->problems, loading->problem_count, sizeof(*loading->problems),
		compare_problems);
	file->problems = loading->problems;
	file->problem_count = loading->problem_count;
	file->error_count = loading->error_count;
	file->is_pending = loading->is_pending;
	file->is_refused = loading->is_refused;
}

struct metric_file *metric_file_load(const struct metric_file_source *source)
{
	struct metric_file *file = make_file(source->built_in);
	struct loading loading;
	start_loading(&loading, file, source->name);
	loading.source = source->text;
	loading.engine = source->engine;
	loading.built_in = source->built_in;
	const struct yaml_node *root = NULL;
	struct err err;
	if (yaml_parse(source->text, loading.name.data, &file->arena, &root, &err))
		read_root(&loading, root, file);
	else
		tell_yaml_fault(&loading, &err);
	end_loading(&loading, file);
	return file;
}

struct metric_file *metric_file_missing(const char *name, const char *what)
{
	struct metric_file *file = make_file(NULL);
	struct loading loading;
	start_loading(&loading, file, name);
	loading_fault(&loading, NULL, "%s", what);
	end_loading(&loading, file);
	return file;
}

struct metric_file *metric_file_load_built_in(const struct metric_engine *engine)
{
	const struct embedded_file *embedded = embedded_find(embedded_config, "metrics.yaml");
	assert(embedded);
	struct span text = {(const char *)embedded->data, embedded->size};
	struct metric_file_source source = {.name = "built-in", .text = text, .engine = engine};
	struct metric_file *file = metric_file_load(&source);
	if (file->error_count > 0 && !file->is_refused) {
		struct metric_problem first = file->problems[0];
		(void)fprintf(stderr, "config/metrics.yaml:%d:%d: %.*s\n", first.line, first.column,
			SPAN_ARGUMENTS(first.text));
		assert(false && "the built-in metrics have faults");
	}
	return file;
}

struct metric_file *metric_file_acquire(struct metric_file *file)
{
	(void)atomic_fetch_add(&file->reference_count, 1);
	return file;
}

void metric_file_release(struct metric_file **file)
{
	if (!*file)
		return;
	int count = atomic_fetch_sub(&(*file)->reference_count, 1);
	assert(count > 0);
	if (count == 1) {
		metric_file_release(&(*file)->built_in);
		arena_finish(&(*file)->arena);
		free(*file);
	}
	*file = NULL;
}
