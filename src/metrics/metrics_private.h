/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_private.h - what evaluation needs of the catalogue's owner. */
#ifndef METRICS_METRICS_PRIVATE_H
#define METRICS_METRICS_PRIVATE_H

#include "metrics/metric_engine.h"

const struct metric_engine *metrics_engine(struct metrics *metrics); /* NULL: none */
const struct clock *metrics_clock(struct metrics *metrics);

#endif
