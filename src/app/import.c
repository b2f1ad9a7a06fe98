/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - other systems' data into the lake, through all three layers; what came of it on stdout. */
#include "ingest/import.h"

#include "app/commands.h"
#include "app/import_hours.h"
#include "app/signals.h"
#include "app/stages.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_BYTES_MAX = 1024 * 1024 };

static struct import_counts sum_of(const struct import_report *report)
{
	struct import_counts sum = {0};
	for (size_t i = 0; i < IMPORT_KIND_COUNT; i++) {
		sum.files += report->kinds[i].files;
		sum.received += report->kinds[i].received;
		sum.stored += report->kinds[i].stored;
		sum.duplicates += report->kinds[i].duplicates;
		sum.filtered += report->kinds[i].filtered;
		sum.quarantined += report->kinds[i].quarantined;
	}
	return sum;
}

/* ---- printing ---- */

static void append_counts(struct buf *out, const char *name, const struct import_counts *counts)
{
	buf_printf(out, "%-8s %8lld %10lld %10lld %10lld %10lld %11lld\n", name, (long long)counts->files,
		   (long long)counts->received, (long long)counts->stored, (long long)counts->duplicates,
		   (long long)counts->filtered, (long long)counts->quarantined);
}

static void append_problems(struct buf *out, const struct import_report *report, bool is_damage, const char *title)
{
	int64_t count = is_damage ? report->damage_count : report->left_out_count;
	int64_t shown = 0;
	if (count > 0)
		buf_printf(out, "%s:\n", title);
	for (size_t i = 0; i < report->problem_count; i++) {
		const struct import_problem *problem = &report->problems[i];
		if (problem->is_damage != is_damage)
			continue;
		buf_printf(out, "  %s: %s\n", problem->path, problem->reason);
		shown++;
	}
	if (shown < count)
		buf_printf(out, "  and %lld more, see the log\n", (long long)(count - shown));
}

static void append_report(struct buf *out, const struct import_report *report, const struct gold_report *gold)
{
	struct import_counts sum = sum_of(report);
	buf_printf(out, "imported from %s\n\n%-8s %8s %10s %10s %10s %10s %11s\n", report->folder.text, "kind", "files",
		   "received", "stored", "duplicates", "filtered", "quarantined");
	for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++)
		append_counts(out, import_kind_name(kind), &report->kinds[kind]);
	append_counts(out, "all", &sum);
	buf_printf(out, "\n%lld rows are new in gold.\n", (long long)gold->rows);
	if (sum.filtered > 0)
		buf_append_text(out, "Filtered are events of types that the events file does not name; --types all "
				     "keeps them.\n");
	if (sum.quarantined > 0)
		buf_append_text(out, "Quarantined are broken events, kept with their bytes in the catalog.\n");
	append_problems(out, report, true, "Not or not wholly read");
	append_problems(out, report, false, "Left out");
	if (report->stopped)
		buf_append_text(out, "Stopped before its end: run the same command again, nothing comes twice.\n");
}

static void put_counts(struct json_writer *json, const char *name, const struct import_counts *counts)
{
	json_put_key(json, name);
	json_begin_object(json);
	json_put_key_integer(json, "files", counts->files);
	json_put_key_integer(json, "received", counts->received);
	json_put_key_integer(json, "stored", counts->stored);
	json_put_key_integer(json, "duplicates", counts->duplicates);
	json_put_key_integer(json, "filtered", counts->filtered);
	json_put_key_integer(json, "quarantined", counts->quarantined);
	json_end_object(json);
}

static void append_json(struct buf *out, const struct import_report *report, const struct gold_report *gold)
{
	struct json_writer json;
	struct import_counts sum = sum_of(report);
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_text(&json, "folder", report->folder.text);
	for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++)
		put_counts(&json, import_kind_name(kind), &report->kinds[kind]);
	put_counts(&json, "all", &sum);
	json_put_key_integer(&json, "batches", report->batches);
	json_put_key_integer(&json, "gold_rows", gold->rows);
	json_put_key_boolean(&json, "stopped", report->stopped);
	json_put_key_integer(&json, "damaged", report->damage_count);
	json_put_key_integer(&json, "left_out", report->left_out_count);
	json_put_key(&json, "problems");
	json_begin_array(&json);
	for (size_t i = 0; i < report->problem_count; i++) {
		json_begin_object(&json);
		json_put_key_text(&json, "path", report->problems[i].path);
		json_put_key_text(&json, "reason", report->problems[i].reason);
		json_put_key_boolean(&json, "damage", report->problems[i].is_damage);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

static void print_report(const struct config *config, const struct import_report *report,
			 const struct gold_report *gold)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = OUTPUT_BYTES_MAX};
	if (config_flag(config, OPTION_JSON))
		append_json(&out, report, gold);
	else
		append_report(&out, report, gold);
	command_print(&out);
}

/* ---- the command ---- */

/* The first system kept its data in ./data, where ours is by default too. */
static bool check_folders(struct config *config, const struct file_path *folder, struct err *err)
{
	const char *data = config_text(config, OPTION_DATA);
	char *own = realpath(data, NULL);
	bool same = own && strcmp(own, folder->text) == 0;
	free(own);
	return !same || command_usage_err(err, "%.400s is the folder to import from and this lake's own: give the lake "
			 "another one with --data", data);
}

static bool build_layers(struct session *session, struct stop_flag *stop, struct gold_report *report_out,
			 struct err *err)
{
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct silver_report report;
	bool rest;
	return stages_open_silver(session, &silver, err) && stages_transform(silver, stop, &report, &rest, err)
	       && stages_open_gold(session, true, stop, &gold, err)
	       && stages_load(session, silver, gold, stop, report_out, err);
}

static bool import_folder(struct config *config, struct import_report *report, struct err *err)
{
	static struct stop_flag stop;
	struct session session CLEANUP(session_close) = {0};
	struct file_path folder;
	struct gold_report gold = {0};
	stop_flag_init(&stop);
	if (!import_find_folder(config_text(config, OPTION_FROM_GH_EVENTS), &folder, err)
	    || !check_folders(config, &folder, err))
		return false;
	signals_start(&stop);
	if (!session_open(&session, config, "import", err))
		return false;
	struct import_options options = {
		.layout = &session.layout,
		.catalog = session.catalog,
		.fields = session.fields,
		.clock = clock_system(),
		.stop = &stop,
	};
	bool ok = import_run(&options, &folder, report, err);
	/* What is in bronze goes on, also of an import that came to an early end. */
	ok = ok && (stop_flag_is_set(&stop) || build_layers(&session, &stop, &gold, err));
	print_report(config, report, &gold);
	if (ok && report->stopped) {
		err_set(err, ERR_LOCAL, "stopped before its end; run the same command again");
		err->exit_code = 3;
		return false;
	}
	if (!ok || report->damage_count == 0)
		return ok;
	err_set(err, ERR_INPUT, "%lld files or tables could not be read, or not to their end",
		(long long)report->damage_count);
	err->exit_code = 3;
	return false;
}

bool command_import(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	bool from_folder = config_text(config, OPTION_FROM_GH_EVENTS) != NULL;
	if (from_folder && word_count > 0)
		return command_usage_err(err, "\"%.100s\" and --from-gh-events: one import at a time", words[0]);
	if (!from_folder && word_count == 0)
		return command_usage_err(err, "import needs to be told what: hours of GH Archive (2026-09-20-7,"
					      " 2026-09-20, 2026-09-20..2026-09-27), files, URLs or -; or"
					      " --from-gh-events DIR");
	if (!from_folder)
		return import_hours(config, words, word_count, err);
	struct import_report *report = memory_allocate(1, sizeof(*report));
	bool ok = import_folder(config, report, err);
	free(report);
	return ok;
}
