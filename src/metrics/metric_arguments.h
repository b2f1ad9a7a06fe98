/* SPDX-License-Identifier: Apache-2.0 */
/* metric_arguments.h - a request's arguments as the values of a metric's parameters, or everything
 * that is wrong with them. */
#ifndef METRICS_METRIC_ARGUMENTS_H
#define METRICS_METRIC_ARGUMENTS_H

#include "metrics/metric_parameter.h"

enum { ARGUMENT_FAULT_COUNT_MAX = 32 };

enum as_of_kind { AS_OF_NOW, AS_OF_DATA, AS_OF_GIVEN };

struct arguments {
	struct parameter_value values[METRIC_PARAMETER_COUNT_MAX]; /* by the metric's order */
	bool given[METRIC_PARAMETER_COUNT_MAX]; /* by the request, not by default */
	enum as_of_kind as_of;
	int64_t as_of_us; /* given */
	int64_t limit;    /* 0: none */
	struct span *ignored;
	size_t ignored_count;
	struct argument_fault *faults; /* ARGUMENT_FAULT_COUNT_MAX at most: the rest is not told */
	size_t fault_count;
};

/* All in `arena` (check arena->failed). Faults: look at fault_count. */
void arguments_read(
	const struct metric_request *request, struct arena *arena, struct arguments *out);

#endif
