/* SPDX-License-Identifier: Apache-2.0 */
/* metric_file.h - one version of one file of metrics, loaded and checked.
 *
 * Immutable once loaded and counted by reference (from any thread), because catalogues of different
 * age share it. */
#ifndef METRICS_METRIC_FILE_H
#define METRICS_METRIC_FILE_H

#include "metrics/metric_engine.h"
#include "metrics/metric_sql.h"

#include <stdatomic.h>

/* What $n is bound to: one of the reserved, or SLOT_PARAMETER + the parameter's index. */
enum { SLOT_AS_OF, SLOT_LIMIT, SLOT_PARAMETER };

/* Behind metric->compiled. */
struct metric_compiled {
	struct metric_sql query;
	struct metric_sql rollup; /* text NULL: none */
};

struct metric_file {
	atomic_int reference_count;
	struct arena arena;
	struct metric_file
		*built_in; /* counted; metrics borrow declarations from it. NULL: it is it */
	const struct metric *metrics; /* those without errors */
	size_t metric_count;
	const struct metric_problem *problems; /* as they stand in the file */
	size_t problem_count;
	size_t error_count;
	/* The engine was asked and could not say (busy, rebuilding): some SQL is unchecked. */
	bool is_pending;
	/* The engine refused some SQL: another load may bring the table that it names. */
	bool is_refused;
};

struct metric_file_source {
	const char *name; /* for places; "built-in" */
	struct span text;
	struct metric_file *built_in; /* gets one more reference; NULL: this is the built-in file */
	const struct metric_engine *engine; /* NULL: SQL is not prepared */
};

/* Never fails: faults are problems. With one reference. */
struct metric_file *metric_file_load(const struct metric_file_source *source);
/* A version without metrics and one problem: the file could not be read. */
struct metric_file *metric_file_missing(const char *name, const char *what);
/* The embedded config/metrics.yaml. Its own faults, other than those that the engine finds, are
 * asserted away. */
struct metric_file *metric_file_load_built_in(const struct metric_engine *engine);
struct metric_file *metric_file_acquire(struct metric_file *file);
void metric_file_release(struct metric_file **file); /* the last one frees it */

#endif
