/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the catalogue: the built-in file and the user's files joined into one version, which
 * is swapped as a whole.
 *
 * One thread reloads and owns the sources; any thread takes the current catalogue. What crosses is
 * `current` and the counts of its users, both behind the mutex. */
#include "base/memory.h"
#include "metrics/metric_source.h"
#include "metrics/metrics_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CATALOGUE_BYTES_MAX = 64 * 1024 * 1024, CATALOGUE_PROBLEM_COUNT_MAX = 2000 };

/* What stands around a struct metric_catalogue. */
struct version {
	struct metric_catalogue catalogue; /* first: a pointer to it is one to the version */
	int user_count;
	struct arena arena;
	struct metric_file *files[METRIC_FILE_COUNT_MAX * 2 + 1];
	size_t file_count;
};

struct metrics {
	struct metric_engine engine;
	bool has_engine;
	const struct clock *clock;
	char **paths;
	size_t path_count;
	struct metric_file *built_in;
	struct metric_sources sources;
	int64_t loads_seen; /* gold's, when SQL was last prepared */
	pthread_mutex_t mutex;
	struct version *current; /* holds one user count itself */
	int64_t revision;
};

static void version_destroy(struct version *version)
{
	for (size_t i = 0; i < version->file_count; i++)
		metric_file_release(&version->files[i]);
	arena_finish(&version->arena);
	free(version);
}

/* ---- making a version ---- */
struct joining {
	struct version *version;
	struct metric *metrics;
	size_t metric_count;
	struct metric_problem *problems;
	size_t problem_count;
};

static void hold_file(struct joining *joining, struct metric_file *file)
{
	assert(joining->version->file_count < ARRAY_COUNT(joining->version->files));
	joining->version->files[joining->version->file_count++] = metric_file_acquire(file);
}

static void join_problems(struct joining *joining, const struct metric_file *file)
{
	for (size_t i = 0;
		i < file->problem_count && joining->problem_count < CATALOGUE_PROBLEM_COUNT_MAX;
		i++)
		joining->problems[joining->problem_count++] = file->problems[i];
}

static void add_problem(struct joining *joining, struct span file, int line, const char *text)
{
	if (joining->problem_count < CATALOGUE_PROBLEM_COUNT_MAX)
		joining->problems[joining->problem_count++] = (struct metric_problem){
			.file = file, .line = line, .column = 1, .text = span_of(text)};
}

static struct metric *find_joined(struct joining *joining, struct span id)
{
	for (size_t i = 0; i < joining->metric_count; i++)
		if (span_equal(joining->metrics[i].id, id))
			return &joining->metrics[i];
	return NULL;
}

static void join_metric(struct joining *joining, const struct metric *metric)
{
	struct metric *earlier = find_joined(joining, metric->id);
	if (earlier && earlier->built_in) {
		*earlier = *metric;
	} else if (earlier) {
		char *text = arena_printf(&joining->version->arena,
			"the id \"%.*s\" stands in %.*s:%d already; that one counts",
			SPAN_ARGUMENTS(metric->id), SPAN_ARGUMENTS(earlier->file), earlier->line);
		add_problem(joining, metric->file, metric->line, text);
	} else if (joining->metric_count == METRIC_COUNT_MAX) {
		add_problem(joining, metric->file, metric->line,
			"too many metrics: this one is left out");
	} else {
		joining->metrics[joining->metric_count++] = *metric;
	}
}

static struct version *make_version(struct metrics *metrics)
{
	struct version *version = memory_allocate(1, sizeof(*version));
	version->user_count = 1;
	arena_init(&version->arena, CATALOGUE_BYTES_MAX);
	struct joining joining = {
		.version = version,
		.metrics = arena_allocate(&version->arena, METRIC_COUNT_MAX, sizeof(struct metric)),
		.problems = arena_allocate(&version->arena, CATALOGUE_PROBLEM_COUNT_MAX,
			sizeof(struct metric_problem)),
	};
	assert(joining.metrics && joining.problems);
	hold_file(&joining, metrics->built_in);
	join_problems(&joining, metrics->built_in);
	for (size_t i = 0; i < metrics->built_in->metric_count; i++)
		join_metric(&joining, &metrics->built_in->metrics[i]);
	for (size_t i = 0; i < metrics->sources.count; i++) {
		const struct metric_source *source = &metrics->sources.items[i];
		struct metric_file *file = metric_source_in_force(source);
		hold_file(&joining, file);
		hold_file(&joining, source->latest);
		join_problems(&joining, source->latest);
		for (size_t j = 0; j < file->metric_count; j++)
			join_metric(&joining, &file->metrics[j]);
	}
	if (metrics->sources.too_many)
		add_problem(&joining, span_of("metrics"), 1,
			"too many files of metrics: some are left out");
	version->catalogue = (struct metric_catalogue){
		.metrics = joining.metrics,
		.metric_count = joining.metric_count,
		.problems = joining.problems,
		.problem_count = joining.problem_count,
		.revision = ++metrics->revision,
	};
	return version;
}

/* ---- loading ---- */
static const struct metric_engine *engine_of(struct metrics *metrics)
{
	return metrics->has_engine ? &metrics->engine : NULL;
}

static void publish(struct metrics *metrics)
{
	struct version *version = make_version(metrics);
	pthread_mutex_lock(&metrics->mutex);
	struct version *before = metrics->current;
	metrics->current = version;
	bool unused = before && --before->user_count == 0;
	pthread_mutex_unlock(&metrics->mutex);
	if (unused)
		version_destroy(before);
}

static struct gold_stamp read_stamp(struct metrics *metrics)
{
	struct gold_stamp stamp = {0};
	if (metrics->has_engine)
		metrics->engine.read_stamp(metrics->engine.context, &stamp);
	return stamp;
}

/* SQL that was not prepared is asked again; SQL that was refused, once gold holds something new. */
static bool wants_another_look(struct metrics *metrics, const struct gold_stamp *stamp)
{
	bool is_pending = metrics->built_in->is_pending;
	bool is_refused = metrics->built_in->is_refused;
	for (size_t i = 0; i < metrics->sources.count; i++) {
		is_pending = is_pending || metrics->sources.items[i].latest->is_pending;
		is_refused = is_refused || metrics->sources.items[i].latest->is_refused;
	}
	return (is_pending && stamp->state == GOLD_READY)
	       || (is_refused && stamp->loads != metrics->loads_seen);
}

bool metrics_reload(struct metrics *metrics, bool force)
{
	struct gold_stamp stamp = read_stamp(metrics);
	force = force || wants_another_look(metrics, &stamp);
	if (force) {
		metric_file_release(&metrics->built_in);
		metrics->built_in = metric_file_load_built_in(engine_of(metrics));
		metrics->loads_seen = stamp.loads;
	}
	struct metric_sources before = metrics->sources;
	metric_sources_list(
		(const char *const *)metrics->paths, metrics->path_count, &metrics->sources);
	bool changed = metric_sources_load(
		&metrics->sources, &before, force, metrics->built_in, engine_of(metrics));
	metric_sources_finish(&before);
	if (!changed && !force)
		return false;
	publish(metrics);
	return true;
}

struct metrics *metrics_create_on(
	const struct metrics_options *options, const struct metric_engine *engine)
{
	struct metrics *metrics = memory_allocate(1, sizeof(*metrics));
	metrics->has_engine = engine != NULL;
	if (engine)
		metrics->engine = *engine;
	metrics->clock = options->clock;
	metrics->path_count = options->path_count;
	metrics->paths = memory_allocate(options->path_count, sizeof(*metrics->paths));
	for (size_t i = 0; i < options->path_count; i++)
		metrics->paths[i] = memory_copy_text(options->paths[i]);
	(void)pthread_mutex_init(&metrics->mutex, NULL);
	metrics->loads_seen = read_stamp(metrics).loads;
	metrics->built_in = metric_file_load_built_in(engine);
	(void)metrics_reload(metrics, false);
	if (!metrics->current)
		publish(metrics);
	return metrics;
}

void metrics_destroy(struct metrics **metrics_pointer)
{
	struct metrics *metrics = *metrics_pointer;
	if (!metrics)
		return;
	assert(metrics->current->user_count == 1);
	version_destroy(metrics->current);
	metric_sources_finish(&metrics->sources);
	metric_file_release(&metrics->built_in);
	for (size_t i = 0; i < metrics->path_count; i++)
		memory_free_text(&metrics->paths[i]);
	free(metrics->paths);
	(void)pthread_mutex_destroy(&metrics->mutex);
	free(metrics);
	*metrics_pointer = NULL;
}

/* ---- use ---- */
const struct metric_catalogue *metrics_acquire(struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->mutex);
	struct version *version = metrics->current;
	version->user_count++;
	pthread_mutex_unlock(&metrics->mutex);
	return &version->catalogue;
}

void metrics_release(struct metrics *metrics, const struct metric_catalogue *catalogue)
{
	struct version *version = (struct version *)(uintptr_t)catalogue;
	pthread_mutex_lock(&metrics->mutex);
	assert(version->user_count > 0);
	bool unused = --version->user_count == 0;
	pthread_mutex_unlock(&metrics->mutex);
	if (unused)
		version_destroy(version);
}

const struct metric *metric_find(const struct metric_catalogue *catalogue, struct span id)
{
	for (size_t i = 0; i < catalogue->metric_count; i++)
		if (span_equal(catalogue->metrics[i].id, id))
			return &catalogue->metrics[i];
	return NULL;
}

const struct metric_engine *metrics_engine(struct metrics *metrics)
{
	return engine_of(metrics);
}

const struct clock *metrics_clock(struct metrics *metrics)
{
	return metrics->clock;
}

static const struct metric_problem *copy_problems(
	const struct metric_file *file, struct arena *arena)
{
	struct metric_problem *problems =
		arena_allocate(arena, file->problem_count, sizeof(*problems));
	for (size_t i = 0; problems && i < file->problem_count; i++) {
		problems[i] = file->problems[i];
		problems[i].file = arena_copy(arena, problems[i].file);
		problems[i].text = arena_copy(arena, problems[i].text);
	}
	return problems;
}

bool metrics_check_on(const struct metric_engine *engine, struct span text, const char *name,
	struct arena *arena, const struct metric_problem **problems_out, size_t *problem_count_out,
	size_t *metric_count_out)
{
	CLEANUP(metric_file_release) struct metric_file *built_in = metric_file_load_built_in(NULL);
	struct metric_file_source source = {name, text, built_in, engine};
	CLEANUP(metric_file_release) struct metric_file *file = metric_file_load(&source);
	const struct metric_problem *problems = copy_problems(file, arena);
	*problems_out = problems;
	*problem_count_out = arena->failed ? 0 : file->problem_count;
	*metric_count_out = file->metric_count;
	return file->error_count == 0;
}
