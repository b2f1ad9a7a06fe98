/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"

#include "app/ports.h"
#include "app/retention.h"
#include "app/signals.h"
#include "app/stages.h"
#include "base/counter.h"
#include "base/disk.h"
#include "base/log.h"
#include "serve/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REFRESH_MS = 2000,      /* also without a new batch: coverage of quiet sweeps */
	FAILURE_WAIT_MS = 1000, /* doubled up to: */
	FAILURE_WAIT_MS_MAX = 30000,
	HOUSEKEEPING_MS = 1000,
	RETENTION_MS = 5000,
	RETENTION_COMPACT_MS = 3600 * 1000, /* not for every few late events */
	LOAD_BATCHES_MAX = 50,  /* silver files built before gold gets its turn */
};

struct daemon {
	struct session *session;
	const struct daemon_options *options;
	struct stop_flag *stop;        /* everything */
	struct stop_flag refresh_wake; /* nudged by stored batches; set when the refresh should end */
	struct silver *silver;
	struct gold *gold;
	struct metrics *metrics;
	struct ingest *ingest;
	struct serve *serve;
	int64_t gold_generation;
	int64_t retained_at_ms;  /* of the refresh thread, monotonic; 0: not yet */
	int64_t compacted_at_ms; /* for retention */
	pthread_mutex_t state_mutex; /* guards these four */
	char stage_error[256];
	int64_t stage_error_at_us;
	bool disk_full_said;
	bool polling;
	bool ingest_ok; /* written by the ingest thread, read after it is joined */
	struct ingest_report ingest_report;
	struct err ingest_err;
};

static void note_stage_failure(struct daemon *daemon, const char *stage, const struct err *err)
{
	counter_add(COUNTER_STAGE_FAILURES, 1);
	(void)pthread_mutex_lock(&daemon->state_mutex);
	/* A disk that stays full fails every try; it is said once until a try went well. */
	bool is_said = err->no_space && daemon->disk_full_said;
	daemon->disk_full_said = err->no_space;
	(void)snprintf(daemon->stage_error, sizeof(daemon->stage_error), "%s: %.200s", stage, err->text);
	daemon->stage_error_at_us = clock_wall_us(clock_system());
	(void)pthread_mutex_unlock(&daemon->state_mutex);
	if (!is_said)
		log_err(LOG_ERROR, stage, err);
}

static void clear_stage_failure(struct daemon *daemon)
{
	(void)pthread_mutex_lock(&daemon->state_mutex);
	daemon->disk_full_said = false;
	daemon->stage_error[0] = '\0';
	(void)pthread_mutex_unlock(&daemon->state_mutex);
}

static void measure_disk(const struct daemon *daemon, struct disk_room *room_out)
{
	const struct session *session = daemon->session;
	disk_measure(session->layout.root.text,
		     config_size_bytes(session->config, OPTION_DISK_RESERVE, DISK_RESERVE_AUTOMATIC), room_out);
}

static void read_pipeline(void *context, struct serve_pipeline *pipeline_out)
{
	static const char *const modes[] = {"live", "batch", "serve"};
	struct daemon *daemon = context;
	struct serve_pipeline pipeline = {.mode = modes[daemon->options->mode]};
	(void)pthread_mutex_lock(&daemon->state_mutex);
	pipeline.polling = daemon->polling;
	memcpy(pipeline.stage_error, daemon->stage_error, sizeof(pipeline.stage_error));
	pipeline.stage_error_at_us = daemon->stage_error_at_us;
	if (pipeline.polling)
		ingest_read_status(daemon->ingest, &pipeline.ingest);
	(void)pthread_mutex_unlock(&daemon->state_mutex);
	measure_disk(daemon, &pipeline.disk);
	*pipeline_out = pipeline;
}

/* ---- refresh: the only writer of silver and gold ---- */

static void log_load(const struct gold_report *report)
{
	if (report->batches > 0)
		LOG_EVENT(LOG_INFO, "gold loaded", log_int("batches", report->batches), log_int("rows", report->rows),
			  log_int("duplicates", report->duplicates), log_int("quarantined", report->quarantined));
}

static bool load_gold(struct daemon *daemon, struct err *err)
{
	struct gold_report report = {0};
	if (!stages_load(daemon->session, daemon->silver, daemon->gold, NULL, &report, err))
		return false;
	counter_add(COUNTER_GOLD_LOADS, report.batches);
	counter_add(COUNTER_EVENTS_STORED, report.rows);
	log_load(&report);
	return true;
}

/* Everything that waits goes to gold, a few batches at a time, so that answers stay fresh while
 * much waits. `drain` goes on although a stop was asked for. */
static bool refresh_all(struct daemon *daemon, bool drain, struct err *err)
{
	for (;;) {
		bool built = true;
		int64_t count = 0;
		while (built && count < LOAD_BATCHES_MAX) {
			struct batch batch;
			if (!drain && stop_flag_is_set(&daemon->refresh_wake))
				break;
			if (!silver_build_next(daemon->silver, &batch, &built, err))
				return err_wrap(err, "silver");
			count += built;
		}
		if (!load_gold(daemon, err))
			return false;
		if (count == 0 || !built || (!drain && stop_flag_is_set(&daemon->refresh_wake)))
			return true;
	}
}

static bool compact(struct daemon *daemon, int64_t live_files_min, struct err *err)
{
	for (;;) {
		struct silver_report report;
		if (!silver_compact(daemon->silver, live_files_min, &report, err))
			return err_wrap(err, "compaction");
		if (report.files_replaced == 0)
			return true;
		LOG_EVENT(LOG_INFO, "silver compacted", log_int("files_replaced", report.files_replaced),
			  log_int("files_written", report.files_written), log_int("rows", report.rows));
	}
}

/* Makes room before anything else asks for some. */
static bool retain(struct daemon *daemon, bool is_low, struct err *err)
{
	int64_t now_ms = clock_monotonic_ms(clock_system());
	struct retention_limits limits;
	struct retention_report report = {0};
	if (daemon->retained_at_ms != 0 && now_ms - daemon->retained_at_ms < RETENTION_MS)
		return true;
	retention_limits_read(daemon->session->config, &limits);
	const struct retention_work work = {
		.limits = &limits,
		.layout = &daemon->session->layout,
		.catalog = daemon->session->catalog,
		.silver = daemon->silver,
		.gold = daemon->gold,
		.clock = clock_system(),
		.stop = &daemon->refresh_wake,
		.may_compact = !is_low && (daemon->compacted_at_ms == 0
						  || now_ms - daemon->compacted_at_ms >= RETENTION_COMPACT_MS),
	};
	if (!retention_run(&work, &report, err))
		return false;
	retention_log(&report);
	daemon->retained_at_ms = report.more ? 0 : now_ms;
	if (report.compacted)
		daemon->compacted_at_ms = now_ms;
	return true;
}

/* What is left of the disk goes in this order: bronze of what was received, silver and gold of what
 * waits (while a quarter of the reserve is left), compaction (not below the reserve: it writes again
 * what is there, and needs as much once more). */
static bool refresh_within_room(struct daemon *daemon, int64_t live_files_min, struct err *err)
{
	struct disk_room room;
	measure_disk(daemon, &room);
	struct err retain_err = {0};
	bool retained = retain(daemon, disk_is_low(&room), &retain_err);
	measure_disk(daemon, &room);
	if (disk_is_full(&room)) {
		err_set(err, ERR_LOCAL, "%lld bytes free: silver and gold wait for room", (long long)room.free_bytes);
		err->no_space = true;
		return false;
	}
	if (!refresh_all(daemon, false, err))
		return false;
	measure_disk(daemon, &room);
	if (!disk_is_low(&room)) {
		session_keep_ballast(daemon->session);
		if (!compact(daemon, live_files_min, err))
			return false;
	}
	/* It holds up nobody else. */
	if (!retained)
		*err = retain_err;
	return retained;
}

static void *refresh_thread(void *context)
{
	struct daemon *daemon = context;
	int64_t live_files_min = config_integer(daemon->session->config, OPTION_COMPACT_FILES);
	int64_t wait_ms = 0;
	int64_t failure_wait_ms = FAILURE_WAIT_MS;
	while (!stop_flag_wait(&daemon->refresh_wake, wait_ms)) {
		struct err err = {0};
		if (refresh_within_room(daemon, live_files_min, &err)) {
			clear_stage_failure(daemon);
			wait_ms = REFRESH_MS;
			failure_wait_ms = FAILURE_WAIT_MS;
			continue;
		}
		note_stage_failure(daemon, "refresh failed, trying again", &err);
		if (err.no_space) {
			wait_ms = REFRESH_MS;
			continue;
		}
		wait_ms = failure_wait_ms;
		failure_wait_ms = failure_wait_ms * 2 > FAILURE_WAIT_MS_MAX ? FAILURE_WAIT_MS_MAX : failure_wait_ms * 2;
	}
	/* What ingestion stored last should be in gold when we are gone. */
	struct err err = {0};
	if (!refresh_all(daemon, true, &err))
		note_stage_failure(daemon, "last refresh failed; the next start does it", &err);
	return NULL;
}

/* ---- ingest ---- */

static void wake_refresh(void *context, int64_t batch)
{
	(void)batch;
	struct daemon *daemon = context;
	stop_flag_nudge(&daemon->refresh_wake);
}

static void *ingest_thread(void *context)
{
	struct daemon *daemon = context;
	daemon->ingest_ok = ingest_run(daemon->ingest, &daemon->ingest_report, &daemon->ingest_err);
	if (!daemon->ingest_ok) {
		note_stage_failure(daemon, "ingestion ended", &daemon->ingest_err);
		/* Live without ingestion is no live: a refused token ends the program with its reason. */
		if (daemon->options->mode == DAEMON_LIVE)
			stop_flag_set(daemon->stop);
	}
	return NULL;
}

static void set_polling(struct daemon *daemon, bool polling)
{
	(void)pthread_mutex_lock(&daemon->state_mutex);
	daemon->polling = polling;
	(void)pthread_mutex_unlock(&daemon->state_mutex);
}

/* ---- serving ---- */

static void announce(struct daemon *daemon, const char *api_url, const char *ui_url)
{
	LOG_EVENT(LOG_INFO, "listening", log_text("api", api_url), log_text("dashboard", ui_url),
		  log_text("data", daemon->session->layout.root.text));
	if (!log_is_text())
		return;
	(void)fprintf(stderr, "\n  %-10s %s\n  %-10s %s/docs\n\n", "dashboard", ui_url, "API docs", api_url);
	(void)fflush(stderr);
}

static bool start_serving(struct daemon *daemon, struct err *err)
{
	struct config *config = daemon->session->config;
	const char *host = config_text(config, OPTION_LISTEN);
	struct serve_options options = {
		.layout = &daemon->session->layout,
		.gold = daemon->gold,
		.metrics = daemon->metrics,
		.clock = clock_system(),
		.host = host,
		.api_port = (int)config_integer(config, OPTION_API_PORT),
		.ui_port = (int)config_integer(config, OPTION_UI_PORT),
		.worker_count = (int)config_integer(config, OPTION_WORKERS),
		.demo = daemon->options->demo,
		.read_pipeline = read_pipeline,
		.pipeline_context = daemon,
	};
	if (!serve_start(&options, &daemon->serve, err)) {
		if (err->exit_code == 6)
			ports_explain_err(config, err);
		return false;
	}
	bool is_loopback = strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
	if (!is_loopback)
		LOG_EVENT(LOG_WARNING, "open to everyone who reaches this address", log_text("listen", host));
	const char *shown = is_loopback || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "127.0.0.1" : host;
	char api_url[300];
	char ui_url[300];
	(void)snprintf(api_url, sizeof(api_url), "http://%s:%d", shown, serve_api_port(daemon->serve));
	(void)snprintf(ui_url, sizeof(ui_url), "http://%s:%d", shown, serve_ui_port(daemon->serve));
	announce(daemon, api_url, ui_url);
	return session_announce(daemon->session, daemon->options->command, api_url, err);
}

static void keep_house(struct daemon *daemon)
{
	struct gold_stamp stamp;
	gold_read_stamp(daemon->gold, &stamp);
	bool new_generation = stamp.generation != daemon->gold_generation;
	daemon->gold_generation = stamp.generation;
	if (metrics_reload(daemon->metrics, new_generation))
		log_note(LOG_INFO, "metrics read again");
}

static void serve_until_stopped(struct daemon *daemon)
{
	while (!stop_flag_wait(daemon->stop, HOUSEKEEPING_MS))
		keep_house(daemon);
}

static void report_problems(struct daemon *daemon)
{
	const struct metric_catalogue *catalogue = metrics_acquire(daemon->metrics);
	for (size_t i = 0; i < catalogue->problem_count; i++) {
		const struct metric_problem *problem = &catalogue->problems[i];
		char place[FILE_PATH_BYTES_MAX + 32];
		char text[512];
		(void)snprintf(place, sizeof(place), "%.*s:%d:%d", SPAN_ARGUMENTS(problem->file), problem->line,
			       problem->column);
		(void)snprintf(text, sizeof(text), "%.*s", SPAN_ARGUMENTS(problem->text));
		LOG_EVENT(LOG_WARNING, "metric file", log_text("at", place), log_text("problem", text));
	}
	metrics_release(daemon->metrics, catalogue);
}

/* ---- batch mode: each stage once ---- */

static void report_batch(struct daemon *daemon)
{
	struct catalog_totals totals;
	struct err err;
	if (!catalog_read_totals(daemon->session->catalog, &totals, &err))
		return;
	int64_t duplicates = totals.duplicates + totals.silver_duplicates + totals.gold_duplicates;
	int64_t quarantined = totals.quarantined + totals.silver_quarantined + totals.gold_quarantined;
	LOG_EVENT(LOG_INFO, "batch done", log_int("received", daemon->ingest_report.received),
		  log_int("requests", daemon->ingest_report.requests), log_int("total_received", totals.received),
		  log_int("total_stored", totals.gold_rows), log_int("total_duplicates", duplicates),
		  log_int("total_filtered", totals.filtered), log_int("total_quarantined", quarantined));
}

static bool run_batch(struct daemon *daemon, struct err *err)
{
	set_polling(daemon, true);
	bool ok = ingest_run(daemon->ingest, &daemon->ingest_report, &daemon->ingest_err);
	if (!ok)
		note_stage_failure(daemon, "ingestion ended", &daemon->ingest_err);
	if (!refresh_all(daemon, true, err) || !compact(daemon, 1, err))
		return false;
	report_batch(daemon);
	if (!ok)
		*err = daemon->ingest_err;
	return ok;
}

/* ---- life ---- */

static bool open_all(struct daemon *daemon, struct err *err)
{
	struct session *session = daemon->session;
	bool batch = daemon->options->mode == DAEMON_BATCH;
	bool serve_only = daemon->options->mode == DAEMON_SERVE;
	if (!stages_open_silver(session, &daemon->silver, err)
	    || !stages_open_gold(session, true, &daemon->refresh_wake, &daemon->gold, err))
		return false;
	size_t path_count;
	struct metrics_options options = {
		.gold = daemon->gold,
		.paths = session_metric_paths(session->config, &path_count),
		.clock = clock_system(),
	};
	options.path_count = path_count;
	daemon->metrics = metrics_create(&options);
	struct gold_stamp stamp;
	gold_read_stamp(daemon->gold, &stamp);
	daemon->gold_generation = stamp.generation;
	report_problems(daemon);
	return serve_only
	       || stages_create_ingest(session, daemon->stop, batch, batch ? NULL : wake_refresh, daemon,
				       &daemon->ingest, err);
}

static void close_all(struct daemon *daemon)
{
	if (daemon->gold)
		gold_interrupt(daemon->gold);
	serve_stop(&daemon->serve);
	set_polling(daemon, false);
	ingest_destroy(&daemon->ingest);
	metrics_destroy(&daemon->metrics);
	gold_close(&daemon->gold);
	silver_close(&daemon->silver);
}

static bool run_threads(struct daemon *daemon, struct err *err)
{
	bool live = daemon->options->mode == DAEMON_LIVE;
	pthread_t refresh;
	pthread_t ingest;
	daemon->ingest_ok = true;
	if (pthread_create(&refresh, NULL, refresh_thread, daemon) != 0)
		return err_set(err, ERR_LOCAL, "could not start a thread");
	if (live) {
		set_polling(daemon, true);
		if (pthread_create(&ingest, NULL, ingest_thread, daemon) != 0)
			abort();
	}
	serve_until_stopped(daemon);
	if (live)
		(void)pthread_join(ingest, NULL);
	stop_flag_set(&daemon->refresh_wake);
	(void)pthread_join(refresh, NULL);
	if (!daemon->ingest_ok)
		*err = daemon->ingest_err;
	return daemon->ingest_ok;
}

static bool run_mode(struct daemon *daemon, struct err *err)
{
	bool batch = daemon->options->mode == DAEMON_BATCH;
	bool leave = batch && config_flag(daemon->session->config, OPTION_EXIT);
	if (!leave && !start_serving(daemon, err))
		return false;
	if (batch && !run_batch(daemon, err)) {
		if (leave)
			return false;
		/* What is there can still be looked at, with the reason beside it. */
		note_stage_failure(daemon, "batch failed", err);
	}
	if (leave || stop_flag_is_set(daemon->stop))
		return true;
	return run_threads(daemon, err);
}

bool daemon_run(struct session *session, const struct daemon_options *options, struct err *err)
{
	/* The signal thread uses its flag until the process ends: it is never taken down. */
	static struct stop_flag stop;
	struct daemon daemon = {.session = session, .options = options, .stop = &stop};
	stop_flag_init(&stop);
	stop_flag_init(&daemon.refresh_wake);
	(void)pthread_mutex_init(&daemon.state_mutex, NULL);
	signals_start(&stop);
	bool ok = open_all(&daemon, err) && run_mode(&daemon, err);
	close_all(&daemon);
	if (ok)
		log_note(LOG_INFO, "stopped");
	return ok;
}
