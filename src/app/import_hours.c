/* SPDX-License-Identifier: Apache-2.0 */
#include "app/import_hours.h"

#include "app/commands.h"
#include "app/hours_work.h"
#include "app/signals.h"
#include "app/stages.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/size_text.h"
#include "lake/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OUTPUT_BYTES_MAX = 4 * 1024 * 1024,
	PROBLEMS_PRINTED_MAX = 100,
	TERMINAL_MS = 200,
	LOG_MS = 10 * 1000,
	/* Of the engine: one builder on one file stays below 128 MiB in all, with as many fields as the first
	 * system had; each one more is a column more in every open file. */
	BUILDER_MEMORY_BYTES = 48 * 1024 * 1024,
	FIELDS_INCLUDED = 8,
	FIELD_MEMORY_BYTES = 2 * 1024 * 1024,
	EXIT_INCOMPLETE = 3,
};

struct import {
	struct config *config;
	struct session session;
	struct archive_sources sources;
	struct archive_mirrors *mirrors;
	int64_t started_ms;
	int64_t silver_ms; /* how long fetching and building took */
	struct hours_totals totals;
	const struct hours_problem *problems;
	size_t problem_count;
	struct silver_report merged;
	struct gold_report gold;
	bool to_gold;
	bool stopped;
};

static int64_t elapsed_ms(const struct import *import)
{
	return clock_monotonic_ms(clock_system()) - import->started_ms;
}

/* ---- progress ---- */

static double per_second(int64_t amount, int64_t ms)
{
	return ms > 0 ? (double)amount * 1000.0 / (double)ms : 0;
}

/* Sources that are settled: there before, not there at all, or in silver. */
static int64_t settled(const struct hours_totals *totals)
{
	return totals->looked_at - totals->fetched + totals->built;
}

static void append_eta(struct buf *out, const struct import *import, const struct hours_totals *totals)
{
	int64_t left = totals->sources - settled(totals);
	if (totals->built == 0 || left <= 0)
		return;
	int64_t seconds = elapsed_ms(import) * left / totals->built / 1000;
	buf_printf(out, ", %" PRId64 ":%02" PRId64 ":%02" PRId64 " left", seconds / 3600, seconds / 60 % 60,
		   seconds % 60);
}

static void show_line(const struct import *import, const struct hours_totals *totals)
{
	struct buf line CLEANUP(buf_finish) = {.size_max = 4096};
	int64_t ms = elapsed_ms(import);
	buf_printf(&line, "\r\033[K%" PRId64 " of %" PRId64 " files, %.0f events/s, %.0f MB/s of JSON", settled(totals),
		   totals->sources, per_second(totals->received, ms), per_second(totals->built_bytes, ms) / 1e6);
	if (totals->quarantined > 0)
		buf_printf(&line, ", %" PRId64 " bad records", totals->quarantined);
	append_eta(&line, import, totals);
	(void)fwrite(line.data, 1, line.size, stderr);
	(void)fflush(stderr);
}

static void log_line(const struct import *import, const struct hours_totals *totals)
{
	int64_t ms = elapsed_ms(import);
	int64_t left = totals->sources - settled(totals);
	LOG_EVENT(LOG_INFO, "importing", log_int("files", settled(totals)), log_int("of", totals->sources),
		  log_int("events", totals->received),
		  log_int("events_per_s", (int64_t)per_second(totals->received, ms)),
		  log_int("json_mb_per_s", (int64_t)(per_second(totals->built_bytes, ms) / 1e6)),
		  log_int("bad_records", totals->quarantined),
		  log_int("seconds_left", totals->built > 0 ? ms * left / totals->built / 1000 : -1));
}

static void watch(struct import *import, struct hours_work *work)
{
	bool on_terminal = isatty(STDERR_FILENO) && !config_flag(import->config, OPTION_QUIET);
	int64_t said_ms = 0;
	bool done = false;
	while (!done) {
		hours_work_wait(work, TERMINAL_MS, &import->totals, &done);
		int64_t now_ms = elapsed_ms(import);
		if (on_terminal) {
			show_line(import, &import->totals);
		} else if (now_ms - said_ms >= LOG_MS) {
			log_line(import, &import->totals);
			said_ms = now_ms;
		}
	}
	if (on_terminal)
		(void)fputs("\r\033[K", stderr);
}

/* ---- the report ---- */

static void append_problems(struct buf *out, const struct import *import)
{
	if (import->totals.problem_count == 0)
		return;
	buf_append_text(out, "\nNot there, or not whole:\n");
	for (size_t i = 0; i < import->problem_count && i < PROBLEMS_PRINTED_MAX; i++)
		buf_printf(out, "  %s: %s%s%s\n", import->problems[i].name, import->problems[i].state,
			   import->problems[i].reason[0] ? ", " : "", import->problems[i].reason);
	if (import->totals.problem_count > PROBLEMS_PRINTED_MAX)
		buf_printf(out, "  and %" PRId64 " more, see the log\n",
			   import->totals.problem_count - PROBLEMS_PRINTED_MAX);
}

static void append_text(struct buf *out, const struct import *import)
{
	const struct hours_totals *totals = &import->totals;
	buf_printf(out,
		   "%" PRId64 " of %" PRId64 " files imported, %" PRId64 " were there before\n\n"
		   "received     %12" PRId64 "  records, and places that are damaged\n"
		   "filtered     %12" PRId64 "  of types that are not configured; --types all keeps them\n"
		   "quarantined  %12" PRId64 "  damaged, kept with file, offset and reason\n"
		   "duplicates   %12" PRId64 "  within a file\n"
		   "in silver    %12" PRId64 "\n",
		   totals->built, totals->sources, totals->known, totals->received, totals->filtered,
		   totals->quarantined, totals->duplicates, totals->rows);
	if (import->merged.duplicates > 0)
		buf_printf(out, "merged       %12" PRId64 "  were in silver from an earlier file already\n",
			   import->merged.duplicates);
	if (import->to_gold)
		buf_printf(out, "new in gold  %12" PRId64 "\n", import->gold.rows);
	buf_printf(out, "\n%.1f s, %.0f events/s, %.0f MB/s of JSON\n", (double)elapsed_ms(import) / 1000,
		   per_second(totals->received, import->silver_ms),
		   per_second(totals->built_bytes, import->silver_ms) / 1e6);
	append_problems(out, import);
	if (import->stopped)
		buf_append_text(out, "\nStopped before its end: run the same command again, it goes on.\n");
}

static void append_json(struct buf *out, const struct import *import)
{
	const struct hours_totals *totals = &import->totals;
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_integer(&json, "files", totals->sources);
	json_put_key_integer(&json, "imported", totals->built);
	json_put_key_integer(&json, "known", totals->known);
	json_put_key_integer(&json, "fetched_bytes", totals->fetched_bytes);
	json_put_key_integer(&json, "json_bytes", totals->built_bytes);
	json_put_key_integer(&json, "received", totals->received);
	json_put_key_integer(&json, "filtered", totals->filtered);
	json_put_key_integer(&json, "quarantined", totals->quarantined);
	json_put_key_integer(&json, "duplicates", totals->duplicates);
	json_put_key_integer(&json, "silver_rows", totals->rows);
	json_put_key_integer(&json, "silver_files", totals->files_written);
	json_put_key_integer(&json, "merged", import->merged.duplicates);
	json_put_key_integer(&json, "gold_rows", import->gold.rows);
	json_put_key_integer(&json, "silver_ms", import->silver_ms);
	json_put_key_integer(&json, "all_ms", elapsed_ms(import));
	json_put_key_boolean(&json, "stopped", import->stopped);
	json_put_key_integer(&json, "problem_count", totals->problem_count);
	json_put_key(&json, "problems");
	json_begin_array(&json);
	for (size_t i = 0; i < import->problem_count; i++) {
		json_begin_object(&json);
		json_put_key_text(&json, "name", import->problems[i].name);
		json_put_key_text(&json, "state", import->problems[i].state);
		json_put_key_text(&json, "reason", import->problems[i].reason);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

static void print_report(const struct import *import)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = OUTPUT_BYTES_MAX};
	if (config_flag(import->config, OPTION_JSON))
		append_json(&out, import);
	else
		append_text(&out, import);
	command_print(&out);
}

/* ---- the work ---- */

static int thread_count(const struct config *config)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (config_is_set(config, OPTION_THREADS))
		return (int)config_integer(config, OPTION_THREADS);
	if (processors < 1)
		return 1;
	return processors < HOURS_THREADS_MAX ? (int)processors : HOURS_THREADS_MAX;
}

static int64_t builder_memory_bytes(const struct field_set *fields)
{
	int64_t more = (int64_t)fields->field_count - FIELDS_INCLUDED;
	return BUILDER_MEMORY_BYTES + (more > 0 ? more * FIELD_MEMORY_BYTES : 0);
}

static bool create_mirrors(struct config *config, struct stop_flag *stop, struct archive_mirrors **mirrors_out,
			   struct err *err)
{
	struct archive_fetch_options options = {
		.user_agent = "octolake/" OCTOLAKE_VERSION,
		.stop = stop,
		.clock = clock_system(),
	};
	options.mirrors = config_list(config, OPTION_MIRROR, &options.mirror_count);
	return archive_mirrors_create(&options, mirrors_out, err);
}

static bool build_silver(struct import *import, struct stop_flag *stop, struct hours_work **work, struct err *err)
{
	struct hours_work_options options = {
		.session = &import->session,
		.stop = stop,
		.sources = import->sources.items,
		.source_count = import->sources.count,
		.mirrors = import->mirrors,
		.threads = thread_count(import->config),
		.link = strcmp(config_text(import->config, OPTION_BRONZE), "link") == 0,
		.drop = strcmp(config_text(import->config, OPTION_BRONZE), "drop") == 0,
		.memory_bytes_max = builder_memory_bytes(import->session.fields),
	};
	if (!hours_work_start(&options, work, err))
		return false;
	watch(import, *work);
	import->silver_ms = elapsed_ms(import);
	import->problems = hours_work_problems(*work, &import->problem_count);
	import->stopped = stop_flag_is_set(stop);
	return hours_work_result(*work, err);
}

static bool remove_dropped(struct import *import, struct err *err)
{
	int64_t removed;
	return strcmp(config_text(import->config, OPTION_BRONZE), "drop") != 0
	       || retention_finish(import->session.catalog, &removed, NULL, err);
}

/* Only what is unavailable now may go on where it was. */
static bool clear_incoming(const struct import *import, struct err *err)
{
	for (size_t i = 0; i < import->problem_count; i++)
		if (strcmp(import->problems[i].state, archive_state_name(ARCHIVE_IS_UNAVAILABLE)) == 0)
			return true;
	return import->stopped || archive_intake_clear(&import->session.layout, err);
}

/* What polled batches left waiting goes along. */
static bool build_gold(struct import *import, struct stop_flag *stop, struct err *err)
{
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct silver_report report;
	bool rest = false;
	if (!stages_open_silver(&import->session, &silver, err) || !silver_merge(silver, stop, &import->merged, err))
		return false;
	return !import->to_gold || stop_flag_is_set(stop)
	       || (stages_transform(silver, stop, &report, &rest, err)
		       && stages_open_gold(&import->session, true, stop, &gold, err)
		       && stages_load(&import->session, silver, gold, stop, &import->gold, err));
}

static bool run(struct import *import, struct stop_flag *stop, struct err *err)
{
	struct hours_work *work CLEANUP(hours_work_destroy) = NULL;
	bool ok = build_silver(import, stop, &work, err);
	ok = ok && remove_dropped(import, err) && clear_incoming(import, err)
	     && (import->stopped || build_gold(import, stop, err));
	import->stopped = import->stopped || stop_flag_is_set(stop);
	if (work)
		print_report(import);
	if (!ok)
		return false;
	if (!import->stopped && import->totals.problem_count == 0)
		return true;
	if (import->stopped)
		(void)err_set(err, ERR_LOCAL, "stopped before its end; run the same command again");
	else
		(void)err_set(err, ERR_INPUT, "%" PRId64 " hours or files are missing or not whole",
			      import->totals.problem_count);
	err->exit_code = EXIT_INCOMPLETE;
	return false;
}

bool import_hours(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static struct stop_flag stop;
	struct arena arena CLEANUP(arena_finish) = {.size_max = ARCHIVE_SOURCES_ARENA_BYTES};
	struct import import = {.config = config, .started_ms = clock_monotonic_ms(clock_system())};
	import.to_gold = strcmp(config_text(config, OPTION_TO), "gold") == 0;
	if (!archive_sources_parse(words, word_count, clock_wall_us(clock_system()), &arena, &import.sources, err))
		return false;
	stop_flag_init(&stop);
	signals_start(&stop);
	bool ok = create_mirrors(config, &stop, &import.mirrors, err)
		  && (config_flag(config, OPTION_DRY_RUN)
				  ? import_hours_probe(config, &import.sources, import.mirrors, &stop, err)
				  : session_open(&import.session, config, "import", err) && run(&import, &stop, err));
	session_close(&import.session);
	archive_mirrors_destroy(&import.mirrors);
	return ok;
}
