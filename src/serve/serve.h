/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - HTTP: one route table for both ports, replies, the docs page, the embedded dashboard.
 *
 * The API port opens at /docs, the UI port at the dashboard; every route answers on both, so the
 * browser only ever talks to its own origin. Handlers run on workers (wrap/http_server.h); queries
 * have a time limit and few places, so slow ones never block the rest. Answers never hold SQL
 * errors, paths of this machine, or bytes of a request unescaped. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "ingest/ingest.h"
#include "metrics/metrics.h"

/* What app knows about the pipeline and a person wants to see. */
struct serve_pipeline {
	const char *mode;         /* "live", "batch", "serve": literal */
	bool polling;             /* there is an ingest now; `ingest` is filled */
	struct ingest_status ingest;
	char stage_error[256];    /* newest failure of silver or gold; "" : none */
	int64_t stage_error_at_us;
	struct disk_room disk;
};

struct serve_options {
	const struct layout *layout; /* each worker opens the catalog read-only */
	struct gold *gold;
	struct metrics *metrics;
	const struct clock *clock;
	const char *host;
	int api_port; /* 0 picks a free one */
	int ui_port;
	int worker_count; /* 0: 4 */
	bool demo;        /* says so on every page and in every pipeline answer */
	void (*read_pipeline)(void *context, struct serve_pipeline *pipeline_out);
	void *pipeline_context;
};

struct serve;
/* ERR_LOCAL with exit code 6 when a port is taken. */
MUST_CHECK bool serve_start(const struct serve_options *options, struct serve **serve_out, struct err *err);
int serve_api_port(const struct serve *serve);
int serve_ui_port(const struct serve *serve);
/* Interrupts queries, lets replies under way end, closes. */
void serve_stop(struct serve **serve);

/* The body of /api/v1/metrics/{id}/data as JSON, for `octolake query` without a server. */
void serve_render_data(const struct metric *metric, const struct metric_result *result, struct buf *out);
/* The problem+json body of bad arguments. */
void serve_render_faults(const struct argument_fault *faults, size_t fault_count, uint64_t request_number,
			 struct buf *out);

#endif
