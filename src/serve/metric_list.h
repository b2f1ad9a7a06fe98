/* SPDX-License-Identifier: Apache-2.0 */
/* metric_list.h - definitions as JSON. Files are named without their folders. */
#ifndef SERVE_METRIC_LIST_H
#define SERVE_METRIC_LIST_H

#include "base/json_writer.h"
#include "metrics/metrics.h"

/* {"metrics": […], "problems": […], "revision": n} */
void metric_list_render(const struct metric_catalogue *catalogue, struct buf *out);
/* One object. */
void metric_render(const struct metric *metric, struct json_writer *json);

#endif
