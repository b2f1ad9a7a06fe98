/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stages.h"

#include "app/retention.h"
#include "base/log.h"
#include "metrics/metrics.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

enum {
	BODY_BYTES_MAX = 32 * 1024 * 1024,
	REQUEST_WAIT_MS_MAX = 30 * 1000,
	PROGRESS_MS = 10 * 1000,
	STREAM_COUNT_MAX = INGEST_STREAM_COUNT_MAX,
};

static const char USER_AGENT[] = "octolake/" OCTOLAKE_VERSION;

static int64_t memory_bytes(const struct session *session)
{
	return config_integer(session->config, OPTION_MEMORY) * 1024 * 1024;
}

/* One stream for each name in a comma-separated option. */
static bool add_streams(struct session *session, enum config_option option, const char *format_prefix,
			struct arena *arena, const char **streams, size_t *count, struct err *err)
{
	size_t name_count;
	const char *const *names = config_list(session->config, option, &name_count);
	for (size_t i = 0; i < name_count; i++) {
		if (*count == STREAM_COUNT_MAX) {
			err_set(err, ERR_INPUT, "more than %d streams", STREAM_COUNT_MAX);
			err->exit_code = 2;
			return false;
		}
		streams[(*count)++] = arena_printf(arena, "%s%s/events", format_prefix, names[i]);
	}
	return true;
}

bool stages_create_ingest(struct session *session, struct stop_flag *stop, bool bounded,
			  void (*stored)(void *context, int64_t batch), void *context, struct ingest **ingest_out,
			  struct err *err)
{
	struct config *config = session->config;
	struct arena arena CLEANUP(arena_finish) = {.size_max = 1024 * 1024};
	const char **streams = arena_allocate(&arena, STREAM_COUNT_MAX, sizeof(*streams));
	size_t stream_count = 0;
	const char *token;
	const char *token_source;
	if (strcmp(config_text(config, OPTION_PUBLIC_FEED), "true") == 0)
		streams[stream_count++] = "/events";
	if (!add_streams(session, OPTION_REPOS, "/repos/", &arena, streams, &stream_count, err)
	    || !add_streams(session, OPTION_ORGS, "/orgs/", &arena, streams, &stream_count, err)
	    || !config_token(config, &token, &token_source, err))
		return false;
	struct retention_limits limits;
	retention_limits_read(config, &limits);
	struct ingest_options options = {
		.layout = &session->layout,
		.fields = session->fields,
		.clock = clock_system(),
		.stop = stop,
		.api_url = config_text(config, OPTION_API_URL),
		.token = token,
		.user_agent = USER_AGENT,
		.streams = streams,
		.stream_count = stream_count,
		.poll_interval_ms_min = config_duration_ms(config, OPTION_POLL_INTERVAL),
		.flush_events = config_integer(config, OPTION_FLUSH_EVENTS),
		.flush_bytes = config_integer(config, OPTION_FLUSH_BYTES),
		.flush_ms = config_integer(config, OPTION_FLUSH_SECONDS) * 1000,
		.body_bytes_max = BODY_BYTES_MAX,
		.request_wait_ms_max = REQUEST_WAIT_MS_MAX,
		.duration_ms = bounded ? config_duration_ms(config, OPTION_DURATION) : 0,
		.disk_reserve_bytes = config_size_bytes(config, OPTION_DISK_RESERVE, DISK_RESERVE_AUTOMATIC),
		.drop_expired = retention_limits_are_full(&limits),
		.until_quiet = bounded && config_flag(config, OPTION_UNTIL_QUIET),
		.stored = stored,
		.stored_context = context,
	};
	/* Asked to end when quiet and given no time: the quiet decides alone. */
	if (options.until_quiet && !config_is_set(config, OPTION_DURATION))
		options.duration_ms = 0;
	return ingest_create(&options, ingest_out, err);
}

bool stages_open_silver(struct session *session, struct silver **silver_out, struct err *err)
{
	struct silver_options options = {
		.layout = &session->layout,
		.catalog = session->catalog,
		.fields = session->fields,
		.memory_bytes_max = memory_bytes(session) * 2 / 3,
	};
	return silver_open(&options, silver_out, err);
}

bool stages_open_gold(struct session *session, bool defer_rebuild, struct stop_flag *stop, struct gold **gold_out,
		      struct err *err)
{
	struct gold_options options = {
		.layout = &session->layout,
		.catalog = session->catalog,
		.fields = session->fields,
		.clock = clock_system(),
		.memory_bytes_max = memory_bytes(session),
		.readers = (int)config_integer(session->config, OPTION_WORKERS),
		.opener = "/proc/self/exe",
		.stop = stop,
	};
	options.rollups = metrics_rollups(&options.rollup_count);
	return gold_open(&options, defer_rebuild, gold_out, err);
}

int stages_try_gold(const char *path)
{
	enum { EXIT_DAMAGED = 4 };
	struct err err = {0};
	/* Whoever asked may be gone before us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (gold_try(path, &err))
		return 0;
	return err.kind == ERR_INPUT ? EXIT_DAMAGED : 1;
}

bool stages_transform(struct silver *silver, struct stop_flag *stop, struct silver_report *report_out, bool *rest_out,
		      struct err *err)
{
	struct silver_report report = {0};
	int64_t said_ms = clock_monotonic_ms(clock_system());
	for (;;) {
		struct batch batch;
		bool built;
		if (stop && stop_flag_is_set(stop)) {
			*rest_out = true;
			break;
		}
		if (!silver_build_next(silver, &batch, &built, err))
			return false;
		if (!built) {
			*rest_out = false;
			break;
		}
		report.batches++;
		report.rows += batch.silver_rows;
		report.duplicates += batch.silver_duplicates;
		report.quarantined += batch.silver_quarantined;
		int64_t now_ms = clock_monotonic_ms(clock_system());
		if (now_ms - said_ms >= PROGRESS_MS) {
			LOG_EVENT(LOG_INFO, "building silver", log_int("batches", report.batches),
				  log_int("rows", report.rows));
			said_ms = now_ms;
		}
	}
	*report_out = report;
	return true;
}

static bool load_once(struct gold *gold, bool anew, struct stop_flag *stop, struct gold_report *report_out,
		      struct err *err)
{
	bool ok = anew || gold_needs_rebuild(gold) || gold_load_pending(gold, stop, report_out, err);
	/* Loading may have found that a rebuild is due. */
	ok = ok && (!(anew || gold_needs_rebuild(gold)) || gold_rebuild(gold, report_out, err));
	return ok || err_wrap(err, "gold");
}

/* Makes again what the catalog says is lost of silver; *any_out: there was something. */
static bool mend_silver(struct session *session, struct silver *silver, struct stop_flag *stop, bool *any_out,
			struct err *err)
{
	struct silver *own CLEANUP(silver_close) = NULL;
	struct silver_report report;
	struct catalog_totals totals;
	int64_t to_mend;
	bool rest;
	if (!catalog_read_setting(session->catalog, SILVER_TO_MEND_SETTING, 0, &to_mend, err)
	    || !catalog_read_totals(session->catalog, &totals, err))
		return false;
	*any_out = to_mend > 0 || totals.batches_waiting_silver > 0;
	if (!*any_out)
		return true;
	if (!silver && !stages_open_silver(session, &own, err))
		return false;
	return stages_transform(silver ? silver : own, stop, &report, &rest, err);
}

static bool load(struct session *session, struct silver *silver, struct gold *gold, bool anew,
		 struct stop_flag *stop, struct gold_report *report_out, struct err *err)
{
	enum { ATTEMPTS = 3 };
	for (int attempt = 1;; attempt++) {
		struct err mend_err = {0};
		bool any;
		if (load_once(gold, anew, stop, report_out, err))
			return true;
		if (attempt == ATTEMPTS || err->kind != ERR_RETRY || (stop && stop_flag_is_set(stop)))
			return false;
		if (!mend_silver(session, silver, stop, &any, &mend_err)) {
			*err = mend_err;
			return false;
		}
		if (!any)
			return false;
	}
}

bool stages_load(struct session *session, struct silver *silver, struct gold *gold, struct stop_flag *stop,
		 struct gold_report *report_out, struct err *err)
{
	return load(session, silver, gold, false, stop, report_out, err);
}

bool stages_rebuild(struct session *session, struct silver *silver, struct gold *gold, struct stop_flag *stop,
		    struct gold_report *report_out, struct err *err)
{
	return load(session, silver, gold, true, stop, report_out, err);
}
