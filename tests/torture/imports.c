/* SPDX-License-Identifier: Apache-2.0 */
/* imports.c - what `octolake import` does with hours and files, in a life that may end at any point of it.
 *
 * What is in the files follows from the note in the ledger alone, so that a later life imports the same:
 *
 *     script   …p-14……………p……p+7……p+10…p+12……p+16……p+20
 *     a         [────────────────────)                    was polled up to p; files of earlier imports have some
 *     b                      [─────────────────)          with a line that is broken
 *     c                                 [────────────)    all will be polled
 */
#include "tests/torture/torture.h"

#include "app/hours_work.h"
#include "lake/retention.h"
#include "wrap/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	EVENTS_BEFORE = 14,
	EVENTS_NEW = 20,
	SOURCE_BYTES_MAX = 1024 * 1024,
	ENGINE_BYTES = 80 * 1024 * 1024,
	WAIT_MS = 1000,
	WORDS_MAX = 4,
};

static const int64_t FAR_US = INT64_C(1420070400) * 1000000; /* 2015-01-01 */
static const int64_t DAY_US = INT64_C(86400) * 1000000;

/* ---- files ---- */

/* Under a new inode: bronze may be a second name of the old one. */
static bool write_source(const struct import_lake *lake, const char *name, const struct buf *text, struct err *err)
{
	struct file_path path;
	struct file_path draft;
	if (text->failed)
		return err_set(err, ERR_LOCAL, "%s: too long", name);
	if (!file_path_make(&path, err, "%s/%s", lake->options->folder, name)
	    || !file_path_make(&draft, err, "%s.new", path.text))
		return false;
	FILE *file = fopen(draft.text, "we");
	bool ok = file && fwrite(text->data, 1, text->size, file) == text->size;
	ok = file && fclose(file) == 0 && ok;
	return (ok && rename(draft.text, path.text) == 0) || err_set_errno(err, ERR_LOCAL, errno, "%s", path.text);
}

/* No two imports have a file in common: its content would be there already. */
static void append_line(struct buf *text, const struct import_note *note, const char *event)
{
	buf_printf(text, "%.*s,\"import\":%" PRId64 "}\n", (int)strlen(event) - 1, event, note->number);
}

static void append_events(struct buf *text, const struct import_note *note, int64_t first, int64_t end)
{
	char line[FEED_LINE_BYTES];
	for (int64_t i = first < 0 ? 0 : first; i < end; i++) {
		feed_render(i, 0, line);
		append_line(text, note, line);
	}
}

static bool write_a(const struct import_lake *lake, const struct import_note *note, const char *name, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = SOURCE_BYTES_MAX};
	char line[FEED_LINE_BYTES];
	append_events(&text, note, note->position - EVENTS_BEFORE, note->position + 10);
	/* Twice, and once more in another repository. */
	for (int64_t repo_shift = 0; repo_shift <= 100; repo_shift += 100) {
		feed_render(note->position + 1, repo_shift, line);
		append_line(&text, note, line);
	}
	return write_source(lake, name, &text, err);
}

static bool write_b(const struct import_lake *lake, const struct import_note *note, const char *name, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = SOURCE_BYTES_MAX};
	append_events(&text, note, note->position + 7, note->position + 12);
	buf_append_text(&text, "{\"id\":\"1\",\"type\":\n");
	append_events(&text, note, note->position + 12, note->position + 16);
	return write_source(lake, name, &text, err);
}

static bool write_c(const struct import_lake *lake, const struct import_note *note, const char *name, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = SOURCE_BYTES_MAX};
	append_events(&text, note, note->position + 12, note->position + EVENTS_NEW);
	return write_source(lake, name, &text, err);
}

struct event import_far_event(int64_t number, int64_t index)
{
	return (struct event){
		.id = INT64_C(7000000) + number * 1000 + index,
		.type = span_of("PushEvent"),
		.created_at_us = FAR_US + index * DAY_US,
	};
}

static bool write_far(const struct import_lake *lake, const struct import_note *note, const char *name,
		      struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = SOURCE_BYTES_MAX};
	for (int64_t i = 0; i < IMPORT_FAR_EVENTS; i++) {
		const struct event event = import_far_event(note->number, i);
		buf_printf(&text,
			"{\"id\":\"%" PRId64 "\",\"type\":\"%s\",\"actor\":{\"id\":7,\"login\":\"somebody\"},"
			"\"repo\":{\"id\":1,\"name\":\"owner/repo-1\"},\"payload\":{},\"public\":true,\"created_at\":\"%s\"}\n",
			event.id, event.type.data, time_render(event.created_at_us).text);
	}
	append_events(&text, note, note->position, note->position + EVENTS_NEW);
	return write_source(lake, name, &text, err);
}

/* ---- the command ---- */

struct run {
	const struct import_lake *lake;
	struct stop_flag stop;
	struct archive_mirrors *mirrors;
	struct hours_work *work;
	int64_t missing; /* sources that are not to be had */
	bool drop;
};

static void finish_run(struct run *run)
{
	hours_work_destroy(&run->work);
	archive_mirrors_destroy(&run->mirrors);
	stop_flag_finish(&run->stop);
}

static bool wait_for_silver(struct run *run, struct err *err)
{
	struct hours_totals totals;
	size_t count;
	bool done = false;
	while (!done)
		hours_work_wait(run->work, WAIT_MS, &totals, &done);
	if (!hours_work_result(run->work, err))
		return false;
	const struct hours_problem *problems = hours_work_problems(run->work, &count);
	if (totals.looked_at != totals.sources || totals.built < totals.fetched || (int64_t)count != run->missing)
		return err_set(err, ERR_LOCAL,
			"the import looked at %" PRId64 " of %" PRId64 ", built %" PRId64 " of %" PRId64 ": %s %s",
			totals.looked_at, totals.sources, totals.built, totals.fetched, count > 0 ? problems[0].name : "",
			count > 0 ? problems[0].reason : "");
	return true;
}

static bool build_silver(struct run *run, const struct archive_sources *sources, struct err *err)
{
	const struct import_lake *lake = run->lake;
	const struct archive_fetch_options fetch = {
		.user_agent = "torture", .backoff_ms = 1, .stop = &run->stop, .clock = clock_system()};
	if (!archive_mirrors_create(&fetch, &run->mirrors, err))
		return false;
	const struct hours_work_options options = {
		.session = lake->session,
		.stop = &run->stop,
		.sources = sources->items,
		.source_count = sources->count,
		.mirrors = run->mirrors,
		.threads = 1,
		.link = lake->ledger->import.number % 2 == 0,
		.drop = run->drop,
		.memory_bytes_max = ENGINE_BYTES,
	};
	return hours_work_start(&options, &run->work, err) && wait_for_silver(run, err);
}

static bool note_leftover(void *context, const char *relative_path, struct err *err)
{
	(void)context;
	return err_set(err, ERR_LOCAL, "incoming/%s was left", relative_path);
}

static bool clear(const struct import_lake *lake, struct err *err)
{
	struct file_path incoming;
	return archive_intake_clear(&lake->session->layout, err)
	       && layout_absolute(&lake->session->layout, "incoming", &incoming, err)
	       && file_walk(incoming.text, note_leftover, NULL, err);
}

/* As app/import_hours.c. */
static bool run_command(const struct import_lake *lake, const char *const *words, size_t count, int64_t missing,
			struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = SOURCE_BYTES_MAX};
	CLEANUP(finish_run) struct run run = {.lake = lake, .missing = missing};
	struct archive_sources sources;
	struct layout layout;
	struct silver_report silver_report;
	struct gold_report gold_report;
	int64_t removed;
	bool rest;
	run.drop = lake->ledger->import.scenario == SCENARIO_IMPORT_DROP;
	stop_flag_init(&run.stop);
	/* Each command is a start, which makes the folders that retention may have removed. */
	return layout_init(&layout, lake->session->layout.root.text, err)
	       && archive_sources_parse(words, count, clock_wall_us(clock_system()), &arena, &sources, err)
	       && build_silver(&run, &sources, err)
	       && (!run.drop || retention_finish(lake->session->catalog, &removed, NULL, err)) && clear(lake, err)
	       && silver_merge(lake->silver, NULL, &silver_report, err)
	       && stages_transform(lake->silver, NULL, &silver_report, &rest, err)
	       && stages_load(lake->session, lake->silver, lake->gold, NULL, &gold_report, err);
}

/* ---- each scenario ---- */

static bool import_files(const struct import_lake *lake, const struct import_note *note, struct err *err)
{
	char names[3][FILE_PATH_BYTES_MAX];
	struct file_path words[3];
	/* Two are named as hours are. */
	(void)snprintf(names[0], sizeof(names[0]), "2026-01-01-%d.json", (int)(note->number % 24));
	(void)snprintf(names[1], sizeof(names[1]), "b-%" PRId64 ".ndjson", note->number);
	(void)snprintf(names[2], sizeof(names[2]), "2026-01-02-%d.json", (int)(note->number % 24));
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!file_path_make(&words[i], err, "%s/%s", lake->options->folder, names[i]))
			return false;
	const char *const all[] = {words[0].text, words[1].text, words[2].text};
	if (!write_a(lake, note, names[0], err) || !write_b(lake, note, names[1], err)
	    || !write_c(lake, note, names[2], err))
		return false;
	/* The second command finds one of its files imported. */
	return (run_command(lake, all, 1, 0, err) || err_wrap(err, "the first import"))
	       && (run_command(lake, all, ARRAY_COUNT(all), 0, err) || err_wrap(err, "the second import"));
}

/* Whichever life built them. Behind a live file they may stay: those have far events. One with a broken line
 * stays too. */
static bool check_dropped(const struct import_lake *lake, const char *path, bool dropped, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = SOURCE_BYTES_MAX};
	struct digest digest;
	struct archive archive;
	const struct lake_file *files;
	int64_t size;
	size_t count;
	bool found;
	if (!digest_of_file(path, &digest, &size, err)
	    || !catalog_find_archive_content(lake->session->catalog, digest.hex, &archive, &found, err)
	    || (found && !catalog_list_bronze(lake->session->catalog, archive.batch, &arena, &files, &count, err)))
		return false;
	return (found && (count == 0) == dropped)
	       || err_set(err, ERR_LOCAL, "%s: bronze was to be %s", path, dropped ? "dropped" : "kept");
}

static bool import_dropped(const struct import_lake *lake, const struct import_note *note, struct err *err)
{
	struct file_path words[3];
	lake->ledger->retained = true;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (!file_path_make(&words[i], err, "%s/%c.ndjson", lake->options->folder, "bcf"[i]))
			return false;
	const char *const all[] = {words[0].text, words[1].text, words[2].text};
	return write_b(lake, note, "b.ndjson", err) && write_c(lake, note, "c.ndjson", err)
	       && write_far(lake, note, "f.ndjson", err) && run_command(lake, all, ARRAY_COUNT(all), 0, err)
	       && check_dropped(lake, all[0], false, err) && check_dropped(lake, all[1], true, err);
}

static bool import_far(const struct import_lake *lake, const struct import_note *note, struct err *err)
{
	struct file_path word;
	const char *const all[] = {word.text};
	return file_path_make(&word, err, "%s/far.json", lake->options->folder)
	       && write_far(lake, note, "far.json", err) && run_command(lake, all, ARRAY_COUNT(all), 0, err);
}

static bool import_fetched(const struct import_lake *lake, const struct import_note *note, struct err *err)
{
	char name[64];
	struct file_path words[2];
	const char *const all[] = {words[0].text, words[1].text};
	(void)snprintf(name, sizeof(name), "fetched-%" PRId64 ".json", note->number);
	return file_path_make(&words[0], err, "%s/%s", lake->options->origin_url, name)
	       && file_path_make(&words[1], err, "%s/none-%s", lake->options->origin_url, name)
	       && write_a(lake, note, name, err) && run_command(lake, all, ARRAY_COUNT(all), 1, err);
}

bool import_begin(const struct import_lake *lake, int64_t position, struct err *err)
{
	struct import_note *note = &lake->ledger->import;
	if (note->begun)
		return err_set(err, ERR_LOCAL, "an import was not finished");
	if (note->number + 1 == IMPORTS_MAX)
		return err_set(err, ERR_LOCAL, "too many imports");
	*note = (struct import_note){note->number + 1, position, lake->options->scenario, true};
	return true;
}

bool import_finish(const struct import_lake *lake, struct err *err)
{
	struct import_note *note = &lake->ledger->import;
	int64_t events_new = EVENTS_NEW;
	bool ok = false;
	switch (note->scenario) {
	case SCENARIO_IMPORT_FAR:
		ok = import_far(lake, note, err);
		break;
	case SCENARIO_IMPORT_FETCHED:
		ok = import_fetched(lake, note, err);
		events_new = 10;
		break;
	case SCENARIO_IMPORT_DROP:
		ok = import_dropped(lake, note, err);
		break;
	default:
		ok = import_files(lake, note, err);
	}
	if (!ok)
		return err_wrap(err, "import %" PRId64, note->number);
	if (lake->ledger->promised < note->position + events_new)
		lake->ledger->promised = note->position + events_new;
	lake->ledger->has_far[note->number] =
		note->scenario == SCENARIO_IMPORT_FAR || note->scenario == SCENARIO_IMPORT_DROP;
	note->begun = false;
	return true;
}
