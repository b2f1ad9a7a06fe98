/* SPDX-License-Identifier: Apache-2.0 */
/* import.c - which files there are and in which order they come; what becomes of one event. */
#include "ingest/import_private.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	BATCH_EVENTS = 20000,
	BATCH_BYTES = 32 * 1024 * 1024,
	NAMES_BYTES_MAX = 256 * 1024 * 1024,
	SCRATCH_BYTES_MAX = 4 * SCAN_EVENT_BYTES_MAX,
	PROGRESS_MS = 10 * 1000,
};

static const char *const folders[] = {"bronze", "silver", "gold", "db"};

const char *import_kind_name(enum import_kind kind)
{
	static const char *const names[] = {"json", "parquet", "duckdb"};
	return names[kind];
}

/* ---- the folder ---- */

static bool is_folder(const char *folder, const char *name)
{
	struct file_path path;
	struct err ignored;
	struct stat status;
	return file_path_make(&path, &ignored, "%s/%s", folder, name) && stat(path.text, &status) == 0
	       && S_ISDIR(status.st_mode);
}

bool import_find_folder(const char *given, struct file_path *folder_out, struct err *err)
{
	static const char *const below[] = {"", "/data"};
	for (size_t i = 0; i < ARRAY_COUNT(below); i++) {
		struct file_path path;
		struct file_path resolved;
		if (!file_path_make(&path, err, "%s%s", given, below[i]))
			return false;
		char *real = realpath(path.text, NULL);
		bool fits = real && file_path_make(&resolved, err, "%s", real);
		free(real);
		for (size_t n = 0; fits && n < ARRAY_COUNT(folders); n++)
			if (is_folder(resolved.text, folders[n])) {
				*folder_out = resolved;
				return true;
			}
	}
	err_set(err, ERR_INPUT, "%.500s holds no bronze, silver or db folder, nor does its data folder", given);
	err->exit_code = 2;
	return false;
}

/* ---- what is told ---- */

bool import_is_stopped(const struct import *import)
{
	return stop_flag_is_set(import->options->stop);
}

static void note(struct import *import, bool is_damage, const char *reason)
{
	struct import_report *report = import->report;
	struct import_problem problem = {.is_damage = is_damage};
	(void)snprintf(problem.path, sizeof(problem.path), "%s%s%s", import->path, import->table ? "#" : "",
		       import->table ? import->table : "");
	(void)snprintf(problem.reason, sizeof(problem.reason), "%s", reason);
	if (is_damage)
		report->damage_count++;
	else
		report->left_out_count++;
	LOG_EVENT(is_damage ? LOG_WARNING : LOG_INFO, is_damage ? "import: not all could be read" : "import: left out",
		  log_text("path", problem.path), log_text("reason", problem.reason));
	if (report->problem_count < IMPORT_PROBLEMS_SHOWN_MAX)
		report->problems[report->problem_count++] = problem;
}

bool import_note_damage(struct import *import, const char *format, ...)
{
	char reason[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	note(import, true, reason);
	return true;
}

bool import_note_left_out(struct import *import, const char *format, ...)
{
	char reason[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	note(import, false, reason);
	return true;
}

/* ---- one event ---- */

static bool store(struct import *import, struct err *err)
{
	struct pending_counts counts;
	int64_t batch;
	if (pending_is_empty(import->pending))
		return true;
	if (!pending_store(import->pending, &batch, &counts, err))
		return false;
	struct import_counts *sums = &import->report->kinds[import->kind];
	sums->received += counts.received;
	sums->stored += counts.stored;
	sums->duplicates += counts.duplicates;
	sums->filtered += counts.filtered;
	sums->quarantined += counts.quarantined;
	import->report->batches++;
	LOG_EVENT(LOG_INFO, "batch stored", log_int("batch", batch), log_int("received", counts.received),
		  log_int("stored", counts.stored), log_int("duplicates", counts.duplicates),
		  log_int("filtered", counts.filtered), log_int("quarantined", counts.quarantined),
		  log_text("file", import->path));
	return true;
}

static bool store_if_full(struct import *import, struct err *err)
{
	if (pending_events(import->pending) < BATCH_EVENTS && pending_bytes(import->pending) < BATCH_BYTES)
		return true;
	return store(import, err);
}

bool import_set_aside(struct import *import, const char *reason, const char *detail, int64_t offset, struct span raw,
		      struct err *err)
{
	struct file_path path;
	bool found = false;
	if (!file_path_make(&path, err, "gh-events/%s%s%s", import->path, import->table ? "#" : "",
		    import->table ? import->table : "")
	    || !catalog_find_quarantined(import->options->catalog, path.text, offset, raw, &found, err))
		return false;
	if (found)
		pending_count_duplicate(import->pending);
	else
		pending_add_quarantined(import->pending, reason, detail, path.text, offset, raw, true);
	return store_if_full(import, err);
}

bool import_take(struct import *import, struct span json, int64_t offset, struct err *err)
{
	struct scan_problem problem;
	struct event event;
	bool is_new = false;
	arena_reset(&import->scratch);
	if (!scan_event(import->plan, json, &import->scratch, &event, &problem))
		return import_set_aside(import, scan_reason_name(problem.reason), problem.detail,
					offset + (int64_t)problem.offset, json, err);
	if (!field_set_accepts(import->options->fields, event.type)) {
		pending_count_filtered(import->pending);
		return true;
	}
	struct span route = type_guard_route(&import->types, event.type);
	if (!import_keys_add(import, &event, route, &is_new, err))
		return false;
	if (!is_new) {
		pending_count_duplicate(import->pending);
		return true;
	}
	event.type = route;
	if (pending_add_event(import->pending, &event, json, err))
		return store_if_full(import, err);
	/* As many days and types as a batch may have files: the next one takes it. */
	return err->kind == ERR_INPUT && store(import, err) && pending_add_event(import->pending, &event, json, err);
}

/* ---- the files ---- */

struct listing {
	struct import *import;
	const char *folder; /* bronze, … */
	struct arena names;
	const char **files[IMPORT_KIND_COUNT];
	size_t counts[IMPORT_KIND_COUNT];
	size_t capacities[IMPORT_KIND_COUNT];
};

static void listing_finish(struct listing *listing)
{
	for (size_t i = 0; i < IMPORT_KIND_COUNT; i++)
		free(listing->files[i]);
	arena_finish(&listing->names);
}

/* False for files that are of no kind. */
static bool kind_of(struct span name, enum import_kind *kind_out)
{
	static const struct {
		const char *ending;
		enum import_kind kind;
	} endings[] = {
		{".json", IMPORT_JSON},     {".jsonl", IMPORT_JSON},    {".ndjson", IMPORT_JSON},
		{".parquet", IMPORT_PARQUET}, {".duckdb", IMPORT_DUCKDB}, {".db", IMPORT_DUCKDB},
	};
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++)
		if (span_ends_with(name, endings[i].ending)) {
			*kind_out = endings[i].kind;
			return true;
		}
	return false;
}

static bool visit(void *context, const char *relative_path, struct err *err)
{
	struct listing *listing = context;
	struct import *import = listing->import;
	const char *slash = strrchr(relative_path, '/');
	const char *name = slash ? slash + 1 : relative_path;
	enum import_kind kind;
	/* A write-ahead log is read with its database; hidden files are the system's. */
	if (name[0] == '.' || span_ends_with(span_of(name), ".wal"))
		return true;
	char *path = arena_printf(&listing->names, "%s/%s", listing->folder, relative_path);
	if (!path || listing->counts[0] + listing->counts[1] + listing->counts[2] >= IMPORT_FILES_MAX)
		return err_set(err, ERR_LOCAL, "more than %d files: import them in parts", IMPORT_FILES_MAX);
	import->path = path;
	if (!kind_of(span_of(name), &kind))
		return import_note_left_out(import, "no kind of file that is imported (.json, .parquet, .duckdb)");
	if (listing->counts[kind] == listing->capacities[kind]) {
		listing->capacities[kind] = listing->capacities[kind] ? 2 * listing->capacities[kind] : 64;
		listing->files[kind] = memory_resize(listing->files[kind],
			listing->capacities[kind] * sizeof(*listing->files[kind]));
	}
	listing->files[kind][listing->counts[kind]++] = path;
	return true;
}

static bool list_files(struct import *import, struct listing *listing, struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(folders); i++) {
		struct file_path path;
		listing->folder = folders[i];
		if (!file_path_make(&path, err, "%s/%s", import->report->folder.text, folders[i])
		    || !file_walk(path.text, visit, listing, err))
			return false;
	}
	return true;
}

static bool import_file(struct import *import, const char *path, struct err *err)
{
	switch (import->kind) {
	case IMPORT_JSON:
		return import_json_file(import, path, err);
	case IMPORT_PARQUET:
		return import_parquet_file(import, path, err);
	case IMPORT_DUCKDB:
	case IMPORT_KIND_COUNT:
		break;
	}
	return import_duckdb_file(import, path, err);
}

/* All files of one kind, as batches of one source. */
static bool import_kind(struct import *import, const struct listing *listing, enum import_kind kind, struct err *err)
{
	const struct import_options *options = import->options;
	int64_t said_ms = clock_monotonic_ms(options->clock);
	import->kind = kind;
	import->pending = pending_create(options->layout, options->catalog, options->clock,
					 kind == IMPORT_JSON ? "gh-events" : "gh-events-row");
	bool ok = true;
	for (size_t i = 0; ok && i < listing->counts[kind] && !import_is_stopped(import); i++) {
		struct file_path path;
		import->path = listing->files[kind][i];
		ok = file_path_make(&path, err, "%s/%s", import->report->folder.text, import->path)
		     && import_file(import, path.text, err);
		import->report->kinds[kind].files++;
		/* Before a library reads another database: it may know a way to end this process. */
		if (ok && kind != IMPORT_JSON)
			ok = store(import, err);
		int64_t now_ms = clock_monotonic_ms(options->clock);
		if (now_ms - said_ms < PROGRESS_MS)
			continue;
		LOG_EVENT(LOG_INFO, "importing", log_text("kind", import_kind_name(kind)),
			  log_int("files", (int64_t)i + 1), log_int("of", (int64_t)listing->counts[kind]));
		said_ms = now_ms;
	}
	ok = ok && store(import, err);
	pending_destroy(&import->pending);
	return ok;
}

bool import_run(const struct import_options *options, const struct file_path *folder,
		struct import_report *report_out, struct err *err)
{
	struct import import = {.options = options, .report = report_out, .path = ""};
	struct listing listing CLEANUP(listing_finish) = {.import = &import};
	*report_out = (struct import_report){.folder = *folder};
	arena_init(&import.scratch, SCRATCH_BYTES_MAX);
	arena_init(&listing.names, NAMES_BYTES_MAX);
	import.plan = scan_plan_create(options->fields);
	bool ok = type_guard_init(&import.types, options->layout, err) && import_keys_init(&import, err)
		  && list_files(&import, &listing, err);
	for (enum import_kind kind = 0; ok && kind < IMPORT_KIND_COUNT; kind++)
		ok = import_kind(&import, &listing, kind, err);
	import_keys_finish(&import);
	scan_plan_destroy(&import.plan);
	arena_finish(&import.scratch);
	report_out->stopped = import_is_stopped(&import);
	return ok || err_wrap(err, "import");
}
