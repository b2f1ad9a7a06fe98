/* SPDX-License-Identifier: Apache-2.0 */
/* metric_source.h - the user's files: which there are, whether they changed, which version of each
 * is in force. Belongs to the thread that reloads. */
#ifndef METRICS_METRIC_SOURCE_H
#define METRICS_METRIC_SOURCE_H

#include "base/file.h"
#include "metrics/metric_file.h"

struct metric_source {
	struct file_path path;
	int64_t size_bytes; /* -1: not there */
	int64_t modified_us;
	struct metric_file *latest; /* its problems are shown */
	struct metric_file *good;   /* the last one without errors, or NULL */
};

struct metric_sources {
	struct metric_source *items;
	size_t count;
	bool too_many;
};

/* Lists `paths`, folders by their *.yaml and *.yml in name order. Nothing is loaded yet. */
void metric_sources_list(
	const char *const *paths, size_t path_count, struct metric_sources *sources_out);
void metric_sources_finish(struct metric_sources *sources);

/* Moves the versions of the same paths from `before` and loads what is new or changed (`force`: all
 * of it). True when something was loaded, or a file is gone. */
bool metric_sources_load(struct metric_sources *sources, struct metric_sources *before, bool force,
	struct metric_file *built_in, const struct metric_engine *engine);

/* The version that counts: the latest when it has no errors, else the last good one, else the
 * latest with what is sound in it. */
struct metric_file *metric_source_in_force(const struct metric_source *source);

#endif
