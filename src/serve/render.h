/* SPDX-License-Identifier: Apache-2.0 */
/* render.h - results as JSON and CSV. docs/formats/api.md says how each type of value looks. */
#ifndef SERVE_RENDER_H
#define SERVE_RENDER_H

#include "base/json_writer.h"
#include "metrics/metrics.h"

void render_value(const struct value *value, struct json_writer *json);
/* The members id, name, visualisation, data of an object that is open: the first system's shape. */
void render_seed_members(
	const struct metric *metric, const struct table *table, struct json_writer *json);
/* The document of /api/v1/metrics/{id}/data. Returns the size of the part at its front that tells
 * the data and what they are; behind it stands what changes from moment to moment. */
size_t render_data(
	const struct metric *metric, const struct metric_result *result, struct buf *out);
/* RFC 4180 with a header row. Text that a spreadsheet would take for a formula gets a ' in front.
 */
void render_csv(const struct table *table, struct buf *out);

struct render_hint {
	char text[160]; /* "": none */
};
/* Why there may be no rows, and what to try. */
struct render_hint render_hint(const struct metric *metric, const struct metric_result *result);

#endif
