/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commands.h"

#include "app/daemon.h"
#include "app/retention.h"
#include "app/signals.h"
#include "app/stages.h"
#include "base/log.h"
#include "wrap/duck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool command_usage_err(struct err *err, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	err_set(err, ERR_INPUT, "%s", text);
	err->exit_code = 2;
	return false;
}

void command_print(const struct buf *out)
{
	for (size_t i = 0; i < out->size;) {
		struct span rest = span_make(out->data + i, out->size - i);
		size_t size = out->data[i] == '\n' ? 1 : span_printable_size(rest);
		if (size == 0)
			(void)fputc('?', stdout);
		else
			(void)fwrite(rest.data, 1, size, stdout);
		i += size > 0 ? size : 1;
	}
}

static bool no_words(const char *command, const char *const *words, size_t word_count, struct err *err)
{
	if (word_count == 0)
		return true;
	return command_usage_err(err, "%s takes no word \"%.100s\"; see octolake --help", command, words[0]);
}

static bool run_daemon(struct config *config, enum daemon_mode mode, const char *command, struct err *err)
{
	struct session session CLEANUP(session_close) = {0};
	struct daemon_options options = {.mode = mode, .command = command};
	return session_open(&session, config, command, err) && daemon_run(&session, &options, err);
}

static bool command_run(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	if (!no_words("run", words, word_count, err))
		return false;
	/* The stronger word wins; between equals --batch, which is never there by default. */
	bool batch = config_flag(config, OPTION_BATCH) || !config_flag(config, OPTION_LIVE)
		     || config_flag(config, OPTION_UNTIL_QUIET) || config_flag(config, OPTION_EXIT);
	return run_daemon(config, batch ? DAEMON_BATCH : DAEMON_LIVE, "run", err);
}

static bool command_serve(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	return no_words("serve", words, word_count, err) && run_daemon(config, DAEMON_SERVE, "serve", err);
}

static bool command_ingest(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct ingest *ingest CLEANUP(ingest_destroy) = NULL;
	struct ingest_report report = {0};
	bool bounded = config_flag(config, OPTION_BATCH) || config_flag(config, OPTION_UNTIL_QUIET)
		       || config_is_set(config, OPTION_DURATION) || !config_flag(config, OPTION_LIVE);
	stop_flag_init(&stop);
	if (!no_words("ingest", words, word_count, err))
		return false;
	signals_start(&stop);
	if (!session_open(&session, config, "ingest", err)
	    || !stages_create_ingest(&session, &stop, bounded, NULL, NULL, &ingest, err))
		return false;
	bool ok = ingest_run(ingest, &report, err);
	LOG_EVENT(LOG_INFO, "ingest done", log_int("batches", report.batches), log_int("requests", report.requests),
		  log_int("received", report.received), log_int("stored", report.stored),
		  log_int("duplicates", report.duplicates), log_int("filtered", report.filtered),
		  log_int("quarantined", report.quarantined), log_int("gaps", report.gaps));
	return ok;
}

static bool command_transform(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct silver_report report = {0};
	bool rest = false;
	stop_flag_init(&stop);
	if (!no_words("transform", words, word_count, err))
		return false;
	signals_start(&stop);
	if (!session_open(&session, config, "transform", err) || !stages_open_silver(&session, &silver, err)
	    || !stages_transform(silver, &stop, &report, &rest, err))
		return false;
	LOG_EVENT(LOG_INFO, "transform done", log_int("batches", report.batches), log_int("rows", report.rows),
		  log_int("duplicates", report.duplicates), log_int("quarantined", report.quarantined));
	return true;
}

static bool log_gold(const char *event, const struct gold_report *report)
{
	LOG_EVENT(LOG_INFO, event, log_int("batches", report->batches), log_int("rows", report->rows),
		  log_int("duplicates", report->duplicates), log_int("quarantined", report->quarantined));
	return true;
}

static bool command_materialise(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct gold_report report = {0};
	stop_flag_init(&stop);
	if (!no_words("materialise", words, word_count, err))
		return false;
	signals_start(&stop);
	return session_open(&session, config, "materialise", err) && stages_open_gold(&session, true, &stop, &gold, err)
	       && stages_load(&session, NULL, gold, &stop, &report, err) && log_gold("materialise done", &report);
}

static bool show_rebuild_progress(void *context, int64_t done, int64_t total)
{
	struct stop_flag *stop = context;
	if (done % 100 == 0 || done == total)
		LOG_EVENT(LOG_INFO, "building silver again", log_int("done", done), log_int("total", total));
	return !stop_flag_is_set(stop);
}

static bool command_rebuild(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct silver_report silver_report = {0};
	struct gold_report report = {0};
	bool from_bronze = word_count == 1 && strcmp(words[0], "silver") == 0;
	bool gold_only = word_count == 0 || (word_count == 1 && strcmp(words[0], "gold") == 0);
	if (!from_bronze && !gold_only)
		return command_usage_err(err, "rebuild takes \"silver\" (silver and gold from bronze) or \"gold\" "
					      "(gold from silver, the default)");
	stop_flag_init(&stop);
	signals_start(&stop);
	if (!session_open(&session, config, "rebuild", err))
		return false;
	if (from_bronze
	    && (!stages_open_silver(&session, &silver, err)
		|| !silver_rebuild(silver, show_rebuild_progress, &stop, &silver_report, err)))
		return false;
	return stages_open_gold(&session, true, &stop, &gold, err)
	       && stages_rebuild(&session, silver, gold, &stop, &report, err) && log_gold("rebuild done", &report);
}

static void print_retention(const struct retention_report *report, bool dry_run)
{
	(void)printf("%-11s %15s %9s %15s  %s\n", dry_run ? "would go" : "went", "rows", "files", "bytes", "kept from");
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++) {
		const struct retention_total *total = &report->totals[i];
		(void)printf("%-11s %15" PRId64 " %9" PRId64 " %15" PRId64 "  %s\n",
			     retention_layer_name((enum retention_layer)i), total->rows, total->files, total->bytes,
			     total->kept_from_us > 0 ? time_render(total->kept_from_us).text : "-");
	}
}

static void add_report(struct retention_report *sum, const struct retention_report *report)
{
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++) {
		struct retention_total *total = &sum->totals[i];
		total->rows += report->totals[i].rows;
		total->files += report->totals[i].files;
		total->bytes += report->totals[i].bytes;
		if (report->totals[i].kept_from_us > total->kept_from_us)
			total->kept_from_us = report->totals[i].kept_from_us;
	}
}

static bool command_retain(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct retention_limits limits;
	struct retention_report sum = {0};
	struct retention_report report = {0};
	stop_flag_init(&stop);
	if (!no_words("retain", words, word_count, err))
		return false;
	signals_start(&stop);
	retention_limits_read(config, &limits);
	if (!session_open(&session, config, "retain", err) || !stages_open_silver(&session, &silver, err)
	    || !stages_open_gold(&session, true, &stop, &gold, err))
		return false;
	const struct retention_work work = {
		.limits = &limits,
		.layout = &session.layout,
		.catalog = session.catalog,
		.silver = silver,
		.gold = gold,
		.clock = clock_system(),
		.stop = &stop,
		.may_compact = true,
		.dry_run = config_flag(config, OPTION_DRY_RUN),
	};
	do {
		if (!retention_run(&work, &report, err))
			return false;
		add_report(&sum, &report);
	} while (report.more && !stop_flag_is_set(&stop));
	print_retention(&sum, work.dry_run);
	return true;
}

static bool command_config(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
	if (!no_words("config", words, word_count, err))
		return false;
	if (config_flag(config, OPTION_JSON))
		config_append_json(config, &out);
	else
		config_append_values(config, &out);
	(void)fwrite(out.data, 1, out.size, stdout);
	return true;
}

static bool command_version(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	(void)config;
	(void)words;
	(void)word_count;
	(void)err;
	(void)printf("octolake %s (DuckDB %s)\n", OCTOLAKE_VERSION, duck_version());
	return true;
}

static bool command_help(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
	(void)config;
	(void)words;
	(void)word_count;
	(void)err;
	buf_append_text(&out, "Octolake: GitHub events as a lake of files and a set of live metrics.\n\n"
			      "  octolake                                live pipeline, API and dashboard\n"
			      "  octolake demo                           the same without network or token\n"
			      "  octolake --batch --duration 5m          each stage once, then serve\n"
			      "  octolake query avg_pr_time -o csv       one metric to stdout\n\n"
			      "Usage: octolake [command] [options]\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		buf_printf(&out, "  %-11s %-18s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	buf_append_text(&out, "\nOptions (also OCTOLAKE_NAME in the environment and name: in octolake.yaml):\n");
	config_append_help(&out);
	buf_append_text(&out, "\nThe GitHub token comes from GITHUB_TOKEN or --token-file. Exit codes: 0 ok, 1 "
			      "failure, 2 usage,\n3 partial, 4 data corrupt or newer, 5 network or quota, 6 port or "
			      "folder in use, 130 interrupted.\n");
	(void)fwrite(out.data, 1, out.size, stdout);
	return true;
}

const struct command commands[] = {
	{"run", "", "poll GitHub, build the layers, serve (default)", command_run},
	{"ingest", "", "GitHub to bronze only", command_ingest},
	{"transform", "", "bronze to silver only", command_transform},
	{"materialise", "", "silver to gold only", command_materialise},
	{"import", "HOUR|FILE|URL|-...", "GH Archive into the lake; or the first system's data (--from-gh-events DIR)",
	 command_import},
	{"serve", "", "API and dashboard on what is there, no polling", command_serve},
	{"health", "", "whether the server of the data folder answers (exit code 0 or 1)", command_health},
	{"query", "METRIC [k=v ...]", "one metric to stdout (-o table|json|csv)", command_query},
	{"check", "[FILE ...]", "validate metric files", command_check},
	{"cat", "[FILE|TYPE ...]", "events of bronze files as JSON lines", command_cat},
	{"rebuild", "[gold|silver]", "make gold again from silver, or both from bronze", command_rebuild},
	{"retain", "", "remove what is older or more than the limits (--dry-run says what)", command_retain},
	{"demo", "", "made-up events from a built-in feed, no network", command_demo},
	{"doctor", "", "look for what is wrong, with the way to mend it (--json, --deep)", command_doctor},
	{"config", "", "settings in force and where each came from", command_config},
	{"version", "", "version of octolake and of its engine", command_version},
	{"help", "", "this text", command_help},
};
const size_t command_count = ARRAY_COUNT(commands);
