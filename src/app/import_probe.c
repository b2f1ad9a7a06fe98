/* SPDX-License-Identifier: Apache-2.0 */
/* import_probe.c - `octolake import --dry-run`: what would be fetched, and how much that is. */
#include "app/import_hours.h"

#include "app/commands.h"
#include "base/json_writer.h"
#include "lake/catalog_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT_BYTES_MAX = 32 * 1024 * 1024, LISTED_MAX = 200, EXIT_INCOMPLETE = 3 };

struct probe {
	struct archive_mirrors *mirrors;
	struct archive_fetcher *fetcher;
	struct catalog *catalog; /* NULL: there is no lake yet */
	struct buf lines;        /* what is not there */
	int64_t sources, known, there, absent;
	int64_t bytes;
	int64_t unsized; /* there, of a size that was not told */
};

static void probe_finish(struct probe *probe)
{
	archive_fetcher_destroy(&probe->fetcher);
	catalog_close(&probe->catalog);
	buf_finish(&probe->lines);
}

/* A look at the lake, where there is one; nothing is made. */
static bool open_catalog(struct config *config, struct probe *probe, struct err *err)
{
	struct file_path path;
	struct layout layout;
	const char *folder = config_text(config, OPTION_DATA);
	if (!file_path_make(&path, err, "%s/catalog.sqlite", folder))
		return false;
	if (!file_exists(path.text))
		return true;
	return layout_init(&layout, folder, err) && catalog_open(&layout, true, &probe->catalog, err);
}

static bool is_known(struct probe *probe, const struct archive_source *source, const char *origin,
		     bool *known_out, struct err *err)
{
	struct archive archive;
	*known_out = false;
	return !probe->catalog || catalog_find_archive(probe->catalog, source->name, origin, &archive, known_out, err);
}

static void note(struct probe *probe, const char *name, const struct archive_result *result)
{
	if (result->outcome == ARCHIVE_FETCHED) {
		probe->there++;
		probe->bytes += result->size > 0 ? result->size : 0;
		probe->unsized += result->size < 0;
		return;
	}
	if (++probe->absent <= LISTED_MAX)
		buf_printf(&probe->lines, "  %s: %s, %s\n", name, archive_outcome_name(result->outcome),
			   result->reason);
}

static bool probe_remote(struct probe *probe, const struct archive_source *source, size_t mirror, struct err *err)
{
	struct archive_result result;
	bool known;
	const char *origin = source->kind == ARCHIVE_HOUR ? archive_mirrors_base(probe->mirrors, mirror) : source->name;
	if (!is_known(probe, source, origin, &known, err))
		return false;
	probe->known += known;
	if (known)
		return true;
	if (!probe->fetcher && !archive_fetcher_create(probe->mirrors, &probe->fetcher, err))
		return false;
	bool asked = source->kind == ARCHIVE_HOUR
			     ? archive_probe_hour(probe->fetcher, source->hour_us, mirror, &result, err)
			     : archive_probe_url(probe->fetcher, source->name, &result, err);
	if (!asked)
		return false;
	if (result.outcome == ARCHIVE_STOPPED)
		return err_set(err, ERR_RETRY, "stopped");
	note(probe, source->name, &result);
	return true;
}

static bool probe_source(struct probe *probe, const struct archive_source *source, struct err *err)
{
	size_t visits = source->kind == ARCHIVE_HOUR ? archive_mirrors_count(probe->mirrors) : 1;
	struct archive_result result = {.outcome = ARCHIVE_FETCHED, .size = -1};
	for (size_t i = 0; i < visits; i++) {
		probe->sources++;
		if (source->kind == ARCHIVE_FILE)
			result.size = file_size(source->name);
		if (source->kind == ARCHIVE_FILE || source->kind == ARCHIVE_STDIN)
			note(probe, source->name, &result);
		else if (!probe_remote(probe, source, i, err))
			return false;
	}
	return true;
}

static void print_json(const struct probe *probe)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = OUTPUT_BYTES_MAX};
	struct json_writer json;
	json_writer_init(&json, &out);
	json_begin_object(&json);
	json_put_key_integer(&json, "files", probe->sources);
	json_put_key_integer(&json, "known", probe->known);
	json_put_key_integer(&json, "to_fetch", probe->there);
	json_put_key_integer(&json, "to_fetch_bytes", probe->bytes);
	json_put_key_integer(&json, "of_unknown_size", probe->unsized);
	json_put_key_integer(&json, "not_there", probe->absent);
	json_end_object(&json);
	buf_append_byte(&out, '\n');
	command_print(&out);
}

static void print_text(const struct probe *probe)
{
	struct buf out CLEANUP(buf_finish) = {.size_max = OUTPUT_BYTES_MAX};
	buf_printf(&out,
		   "%" PRId64 " files: %" PRId64 " would be imported (%.1f MB as they are stored), %" PRId64
		   " are in the lake already, %" PRId64 " are not there\n",
		   probe->sources, probe->there, (double)probe->bytes / 1e6, probe->known, probe->absent);
	if (probe->unsized > 0)
		buf_printf(&out, "of %" PRId64 " the size is not known before\n", probe->unsized);
	if (probe->absent > 0)
		buf_append_text(&out, "\nNot there:\n");
	buf_append_span(&out, buf_span(&probe->lines));
	if (probe->absent > LISTED_MAX)
		buf_printf(&out, "  and %" PRId64 " more\n", probe->absent - LISTED_MAX);
	command_print(&out);
}

bool import_hours_probe(struct config *config, const struct archive_sources *sources, struct archive_mirrors *mirrors,
			struct stop_flag *stop, struct err *err)
{
	CLEANUP(probe_finish) struct probe probe = {.mirrors = mirrors, .lines = {.size_max = OUTPUT_BYTES_MAX}};
	if (!open_catalog(config, &probe, err))
		return false;
	for (size_t i = 0; i < sources->count; i++)
		if (stop_flag_is_set(stop) || !probe_source(&probe, &sources->items[i], err))
			return stop_flag_is_set(stop) ? err_set(err, ERR_RETRY, "stopped") : false;
	if (config_flag(config, OPTION_JSON))
		print_json(&probe);
	else
		print_text(&probe);
	if (probe.absent == 0)
		return true;
	(void)err_set(err, ERR_INPUT, "%" PRId64 " hours or files are not there", probe.absent);
	err->exit_code = EXIT_INCOMPLETE;
	return false;
}
