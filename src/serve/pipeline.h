/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.h - the state of the pipeline as JSON: what came in, where it is, what is missing. */
#ifndef SERVE_PIPELINE_H
#define SERVE_PIPELINE_H

#include "base/json_writer.h"
#include "lake/retention.h"
#include "lake/feed_share.h"
#include "serve/serve.h"

struct pipeline_view {
	const struct serve_pipeline *pipeline;
	bool demo;
	int64_t now_us;
	struct gold_stamp gold;
	struct catalog_totals totals;
	struct retention_total retention[RETENTION_LAYER_COUNT];
	struct feed_share public_share;  /* of the last hour */
	struct feed_share watched_share;
	const struct sweep *sweeps; /* newest first */
	size_t sweep_count;
	const struct quarantine_entry *quarantine; /* newest first */
	size_t quarantine_count;
};

/* What the catalog knows of it: totals, retention, shares, lists. `now_us` is set before; the lists live in
 * `arena`. */
MUST_CHECK bool pipeline_read(struct catalog *catalog, struct pipeline_view *view, struct arena *arena,
			      struct err *err);
/* The key "rebuild": why gold is built again and how far that is, or null. */
void pipeline_put_rebuild(const struct gold_stamp *gold, struct json_writer *json);
void pipeline_render(const struct pipeline_view *view, struct buf *out);

#endif
