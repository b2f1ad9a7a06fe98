/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - metrics defined in YAML: loading, checking, parameters, evaluation.
 *
 * The built-in file (config/metrics.yaml, embedded) and the user's files make one catalogue; a
 * user's metric replaces the built-in one of the same id. Placeholders ${name} in the SQL become
 * bound parameters with a cast, never text (UX 2 "Binding rules"). Files are read again when they
 * change; a file with faults keeps its last good version and the faults are shown. */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "gold/gold.h"

enum {
	METRIC_COUNT_MAX = 500,
	METRIC_PARAMETER_COUNT_MAX = 16,
	METRIC_COLUMN_COUNT_MAX = 64,
	METRIC_FILE_COUNT_MAX = 64,
};

enum parameter_type {
	PARAMETER_INTEGER,
	PARAMETER_NUMBER,
	PARAMETER_STRING,
	PARAMETER_BOOLEAN,
	PARAMETER_ENUM,
	PARAMETER_DURATION,
	PARAMETER_TIMESTAMP,
	PARAMETER_REPO,
	PARAMETER_LOGIN,
};
const char *parameter_type_name(enum parameter_type type);

struct metric_parameter {
	struct span name;
	enum parameter_type type;
	struct span label;         /* absent: the name */
	struct span description;   /* absent: none */
	struct span unit;
	struct span default_text;  /* as a request would write it; absent: NULL */
	bool required;
	bool multiple;
	bool cast_interval;        /* enum of durations bound as INTERVAL */
	struct span values_from;   /* "event_types", "orgs", "repos"; absent: none */
	const struct span *values; /* enum */
	size_t value_count;
	/* Bounds as text in the parameter's own form; absent: none. For strings: lengths. */
	struct span minimum, maximum, step;
	int64_t length_min, length_max;
};

struct metric_column {
	struct span name; /* as in the result */
	struct span label, description, unit, link;
	int decimals; /* -1: not given */
	bool hidden;
	enum value_type type; /* from DESCRIBE */
	bool declared;        /* in the YAML; else only in the result */
};

enum chart_kind { CHART_NONE, CHART_VALUE, CHART_BAR, CHART_LINE, CHART_AREA, CHART_TABLE };
struct metric_chart {
	enum chart_kind kind;
	struct span x, series;
	struct span y[6];
	size_t y_count;
	int64_t series_max; /* 0: not given */
	bool stacked, horizontal;
	bool has_y_min, has_y_max, has_reference;
	double y_min, y_max, reference;
};
const char *chart_kind_name(enum chart_kind kind); /* "bar", … */

struct metric {
	struct span id, name, group, description, caveat;
	int version; /* 1 or 2 */
	bool built_in;
	bool hidden;
	struct span file; /* "built-in" or the path */
	int line;
	struct span visualisation; /* echoed; absent: null */
	struct metric_chart chart; /* KIND_NONE: from visualisation */
	const struct metric_parameter *parameters;
	size_t parameter_count;
	const struct metric_column *columns; /* in the result's order */
	size_t column_count;
	struct span sql; /* as written */
	struct span rollup; /* name of the rollup that can answer; absent: none */
	int64_t limit_default, limit_max;
	bool uses_limit, uses_as_of;
	int64_t refresh_ms, cache_ms, timeout_ms;
	const void *compiled; /* private */
};

/* One fault of a file: shown with its place. */
struct metric_problem {
	struct span file;
	int line, column;
	bool warning;
	struct span text;
};

/* An immutable version of everything loaded. Hold it with metrics_acquire while you use it. */
struct metric_catalogue {
	const struct metric *metrics; /* in file order, built-in first, replaced ones in place */
	size_t metric_count;
	const struct metric_problem *problems;
	size_t problem_count;
	int64_t revision; /* grows with each change */
};

struct metrics;
struct metrics_options {
	struct gold *gold; /* for DESCRIBE and evaluation; NULL: check syntax and placeholders only */
	const char *const *paths; /* user's files or folders of *.yaml; borrowed */
	size_t path_count;
	const struct clock *clock;
};
/* Loads everything. Faults do not fail it: they are in the catalogue (a broken built-in file is an
 * assert). */
struct metrics *metrics_create(const struct metrics_options *options);
void metrics_destroy(struct metrics **metrics);
/* Looks at the files' times and sizes; loads again when something changed. True when it did. Call
 * it every second or so from one thread. Also call it with `force` after gold changed generation. */
bool metrics_reload(struct metrics *metrics, bool force);
const struct metric_catalogue *metrics_acquire(struct metrics *metrics);
void metrics_release(struct metrics *metrics, const struct metric_catalogue *catalogue);
const struct metric *metric_find(const struct metric_catalogue *catalogue, struct span id);

/* The rollups that the built-in metrics use. For gold_options. */
const struct rollup *metrics_rollups(size_t *count_out);

/* ---- evaluation ---- */
struct metric_argument {
	struct span name;
	struct span value;
};

/* A fault in the caller's arguments. */
struct argument_fault {
	struct span name;
	const char *code; /* "unknown", "type", "range", "length", "value", "required", "repeated" */
	struct span detail;     /* "offset must be an integer from 1 to 43200" */
	struct span suggestion; /* absent: none */
};

struct metric_request {
	const struct metric *metric;
	const struct metric_argument *arguments; /* decoded from query string or command line */
	size_t argument_count;
	/* Unknown names: a fault, or (the first system's /kpi) listed in `ignored`. */
	bool ignore_unknown;
	/* No `limit` unless asked for: the row cap is then the most that fits the arena. */
	bool unlimited;
};

struct metric_result {
	struct table table;
	bool truncated;       /* more rows than the limit */
	int64_t as_of_us;
	int64_t limit;        /* in force; 0: none */
	/* Parameters in force, defaults included, as JSON-able values by metric->parameters order. */
	const struct value *parameters;
	struct gold_stamp stamp;
	int64_t elapsed_us;
	bool from_rollup;
	const struct span *ignored;
	size_t ignored_count;
};

enum metric_outcome {
	METRIC_OK,
	METRIC_BAD_ARGUMENTS, /* faults_out tells them all */
	METRIC_TIMEOUT,
	METRIC_BUSY,          /* no place free, gold rebuilding */
	METRIC_BROKEN,        /* its SQL failed: a fault of the metric or ours; err says it for the log */
};

/* Evaluates. Reserved arguments: as_of (now | data | RFC 3339), limit, format, cursor (the last two
 * are the caller's business and skipped here). Everything in `arena`. err is set for all outcomes
 * but OK and BAD_ARGUMENTS. */
enum metric_outcome metric_evaluate(struct metrics *metrics, const struct metric_request *request,
				    struct arena *arena, struct metric_result *result_out,
				    const struct argument_fault **faults_out, size_t *fault_count_out,
				    struct err *err);

/* `octolake check`: loads one text as a user's file and returns its problems (errors and warnings)
 * in `arena`; with `gold` also prepares each SQL. True when there is no error. */
bool metrics_check(struct gold *gold, struct span text, const char *name, struct arena *arena,
		   const struct metric_problem **problems_out, size_t *problem_count_out, size_t *metric_count_out);

#endif
