/* SPDX-License-Identifier: Apache-2.0 */
/* metric_parameter.h - the parameter types: what they are for the engine, and what a request or a
 * default may say. */
#ifndef METRICS_METRIC_PARAMETER_H
#define METRICS_METRIC_PARAMETER_H

#include "metrics/metrics.h"

enum {
	PARAMETER_TEXT_BYTES_MAX = 256, /* of a text without max_length */
	PARAMETER_ELEMENT_COUNT_MAX = 100,
};

/* False: no such type. */
bool parameter_type_parse(struct span name, enum parameter_type *type_out);

/* What values are CAST to: "BIGINT", "INTERVAL[]". A constant. */
const char *parameter_sql_type(const struct metric_parameter *parameter);
/* How values are bound; for several, the type of an element. */
enum value_type parameter_value_type(const struct metric_parameter *parameter);

/* A parameter's value in the two forms in which it is needed. */
struct parameter_value {
	struct value bound; /* for the engine */
	struct value shown; /* for people: durations as they were written */
};

/* Reads what a request says about `parameter`: `count` texts (several only for `multiple`; those
 * may also hold several values with commas between). No text at all: NULL. On a fault *fault_out is
 * set and all is in `arena`, nothing of the texts in it. */
bool parameter_parse(const struct metric_parameter *parameter, const struct span *texts,
	size_t count, struct arena *arena, struct parameter_value *value_out,
	struct argument_fault *fault_out);

/* "offset must be an integer from 1 to 43200". */
struct span parameter_describe(const struct metric_parameter *parameter, struct arena *arena);

#endif
