/* SPDX-License-Identifier: Apache-2.0 */
/* gold.c - opening and closing, which generation answers, and what it holds.
 *
 * A generation on disk is always complete: it is built in staging/ and published whole. Which one
 * counts is a setting of the catalog; without one (a lost catalog) the highest that opens. */
#include "gold/gold_private.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "lake/silver_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { READERS_DEFAULT = 4, HEAVY_READERS_DEFAULT = 2, THREADS_DEFAULT = 2, NUMBERS_BYTES_MAX = 1024 * 1024 };

#define MEMORY_BYTES_DEFAULT (INT64_C(256) << 20)

/* ---- what is true now ---- */

void gold_read_stamp(struct gold *gold, struct gold_stamp *stamp_out)
{
	(void)pthread_mutex_lock(&gold->mutex);
	*stamp_out = gold->stamp;
	stamp_out->state = gold->current || gold->reopening ? GOLD_READY : GOLD_REBUILDING;
	stamp_out->rebuild_reason = gold->rebuild_reason;
	if (!gold->current && !gold->reopening && !gold->rebuild_reason)
		stamp_out->rebuild_reason = "there is no gold yet";
	(void)pthread_mutex_unlock(&gold->mutex);
}

static void set_stamp(struct gold *gold, const struct gold_stamp *stamp, int64_t file_bytes)
{
	struct gold_stamp before = gold->stamp;
	gold->stamp = *stamp;
	gold->stamp.rebuild_rows_done = before.rebuild_rows_done;
	gold->stamp.rebuild_rows_total = before.rebuild_rows_total;
	gold->stamp.rebuild_files_done = before.rebuild_files_done;
	gold->stamp.rebuild_files_total = before.rebuild_files_total;
	gold->stamp.file_bytes = file_bytes > 0 ? file_bytes : 0;
}

void gold_set_stamp(struct gold *gold, const struct gold_stamp *stamp)
{
	int64_t file_bytes = file_size(gold->current->path.text);
	(void)pthread_mutex_lock(&gold->mutex);
	set_stamp(gold, stamp, file_bytes);
	(void)pthread_mutex_unlock(&gold->mutex);
}

int64_t gold_rollup_newest_us(struct gold *gold)
{
	struct gold_stamp stamp;
	gold_read_stamp(gold, &stamp);
	return stamp.newest_event_us;
}

bool gold_needs_rebuild(struct gold *gold)
{
	(void)pthread_mutex_lock(&gold->mutex);
	bool due = gold->rebuild_reason != NULL;
	(void)pthread_mutex_unlock(&gold->mutex);
	return due;
}

void gold_set_progress(struct gold *gold, int64_t rows_done, int64_t rows_total, int64_t files_done,
		       int64_t files_total)
{
	(void)pthread_mutex_lock(&gold->mutex);
	gold->stamp.rebuild_rows_done = rows_done;
	gold->stamp.rebuild_rows_total = rows_total;
	gold->stamp.rebuild_files_done = files_done;
	gold->stamp.rebuild_files_total = files_total;
	(void)pthread_mutex_unlock(&gold->mutex);
}

void gold_set_rebuild_due(struct gold *gold, const char *reason)
{
	(void)pthread_mutex_lock(&gold->mutex);
	gold->rebuild_reason = reason;
	(void)pthread_cond_broadcast(&gold->changed);
	(void)pthread_mutex_unlock(&gold->mutex);
}

static int64_t time_or_none(const struct value *value)
{
	return value->type == VALUE_TIME ? value->time_us : 0;
}

static bool read_numbers(const struct gold_instance *instance, struct gold_stamp *stamp_out, struct err *err)
{
	static const char sql[] =
		"SELECT (SELECT count(*) FROM events), (SELECT max(created_at) FROM events),"
		" (SELECT min(created_at) FROM events),"
		" (SELECT max(loaded_at) FROM loaded_batches WHERE rows > 0),"
		" (SELECT coalesce(max(batch), 0) FROM loaded_batches), (SELECT loads FROM meta),"
		" (SELECT coalesce(sum(rows), 0)::BIGINT FROM loaded_batches)";
	CLEANUP(arena_finish) struct arena arena = {.size_max = NUMBERS_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table;
	if (!duck_query(instance->loader, sql, NULL, 0, &result, err)
	    || !duck_result_read(result, &arena, 1, &table, err))
		return false;
	const struct value *row = table_value(&table, 0, 0);
	*stamp_out = (struct gold_stamp){
		.generation = instance->generation,
		.rows = row[0].integer,
		.newest_event_us = time_or_none(&row[1]),
		.oldest_event_us = time_or_none(&row[2]),
		.loaded_at_us = time_or_none(&row[3]),
		.batch = row[4].integer,
		.loads = row[5].integer,
		.removed = row[6].integer - row[0].integer,
	};
	return true;
}

bool gold_refresh_stamp(struct gold *gold, struct err *err)
{
	struct gold_stamp stamp;
	if (!read_numbers(gold->current, &stamp, err))
		return false;
	gold_set_stamp(gold, &stamp);
	return true;
}

/* A catalog that was lost counts its sweeps anew. */
static bool last_sweep(const struct gold *gold, int64_t *id_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = NUMBERS_BYTES_MAX};
	const struct sweep *sweeps;
	size_t count;
	if (!catalog_list_sweeps(gold->options.catalog, 0, true, 1, &arena, &sweeps, &count, err))
		return false;
	*id_out = count > 0 ? sweeps[0].id : 0;
	return true;
}

bool gold_adopt(struct gold *gold, struct gold_instance **instance, struct err *err)
{
	struct gold_stamp stamp;
	struct gold_meta meta;
	int64_t sweep;
	if (!read_numbers(*instance, &stamp, err) || !gold_schema_read_meta((*instance)->loader, &meta, err)
	    || !last_sweep(gold, &sweep, err))
		return false;
	int64_t file_bytes = file_size((*instance)->path.text);
	(void)pthread_mutex_lock(&gold->mutex);
	if (gold->current) {
		gold->current->next = gold->retired;
		gold->retired = gold->current;
	}
	gold->current = *instance;
	gold->adoptions++;
	set_stamp(gold, &stamp, file_bytes);
	(void)pthread_cond_broadcast(&gold->changed);
	(void)pthread_mutex_unlock(&gold->mutex);
	gold->generation = stamp.generation;
	gold->sweep = meta.sweep <= sweep ? meta.sweep : 0;
	gold->uncheckpointed = 0;
	*instance = NULL;
	return true;
}

/* ---- an instance that broke ---- */

/* Anything else that fails (a full disk, mostly) leaves a file that opens again. A silver file that
 * cannot be read is no damage of gold's, hence the path. */
static bool is_damage(const char *path, const char *text)
{
	return strstr(text, "Corrupt database file") || strstr(text, "checksum")
	       || (strstr(text, "Could not read enough bytes") && strstr(text, path));
}

void gold_note_damage(struct gold *gold, struct gold_instance *instance, const struct err *err)
{
	if (!is_damage(instance->path.text, err->text))
		return;
	(void)pthread_mutex_lock(&gold->mutex);
	instance->damaged = true;
	(void)pthread_mutex_unlock(&gold->mutex);
}

bool gold_is_broken(struct gold *gold)
{
	(void)pthread_mutex_lock(&gold->mutex);
	bool broken = !gold->current || gold->current->damaged
		      || duck_database_is_broken(gold->current->database);
	(void)pthread_mutex_unlock(&gold->mutex);
	return broken;
}

/* Takes the current instance away from readers, who wait, and closes it. */
static void close_current(struct gold *gold, bool *damaged_out)
{
	(void)pthread_mutex_lock(&gold->mutex);
	struct gold_instance *instance = gold->current;
	gold->current = NULL;
	gold->reopening = true;
	if (instance)
		gold_reader_drain(gold, instance);
	*damaged_out = instance && instance->damaged;
	(void)pthread_mutex_unlock(&gold->mutex);
	gold_instance_close(&instance);
}

static void end_reopening(struct gold *gold)
{
	(void)pthread_mutex_lock(&gold->mutex);
	gold->reopening = false;
	(void)pthread_cond_broadcast(&gold->changed);
	(void)pthread_mutex_unlock(&gold->mutex);
}

static const char DAMAGED[] = "gold was damaged; it is set aside and built again from silver";
static const char MISSING[] = "gold is missing; it is built again from silver";

static bool set_aside(struct gold *gold, const char *path, struct err *err)
{
	gold->damage_found = true;
	LOG_EVENT(LOG_ERROR, "gold damaged: set aside, building it again from silver", log_text("file", path));
	return gold_instance_set_aside(gold, path, err);
}

static const char *missing_reason(const struct gold *gold)
{
	return gold->damage_found ? DAMAGED : MISSING;
}

/* Opens generation `generation` into *instance_out; NULL when it has to be built again: it is gone,
 * or damaged and set aside. */
static bool open_generation(struct gold *gold, int64_t generation, struct gold_instance **instance_out,
			    struct err *err)
{
	struct file_path path;
	struct err open_err = {0};
	bool damaged;
	*instance_out = NULL;
	if (!gold_instance_path(gold, generation, &path, err))
		return false;
	if (!file_exists(path.text))
		return true;
	if (!gold_trial_run(gold, path.text, &damaged, err))
		return false;
	if (damaged)
		return set_aside(gold, path.text, err);
	if (gold_instance_open(gold, path.text, generation, (size_t)gold->options.readers, instance_out,
		    &open_err))
		return true;
	if (open_err.kind != ERR_INPUT) {
		*err = open_err;
		return false;
	}
	log_err(LOG_ERROR, "gold will not open", &open_err);
	return set_aside(gold, path.text, err);
}

static bool adopt_again(struct gold *gold, bool damaged, struct err *err)
{
	CLEANUP(gold_instance_close) struct gold_instance *instance = NULL;
	struct file_path path;
	if (damaged)
		return gold_instance_path(gold, gold->generation, &path, err) && set_aside(gold, path.text, err);
	return open_generation(gold, gold->generation, &instance, err)
	       && (!instance || gold_adopt(gold, &instance, err));
}

bool gold_reopen(struct gold *gold, struct err *err)
{
	bool damaged;
	close_current(gold, &damaged);
	bool adopted = adopt_again(gold, damaged, err);
	if (adopted && !gold->current)
		gold_set_rebuild_due(gold, missing_reason(gold));
	end_reopening(gold);
	return adopted || err_wrap(err, "opening gold again");
}

/* ---- opening ---- */

/* The generation to open and its instance; NULL when there is none that opens. */
static bool find_instance(struct gold *gold, struct gold_instance **instance_out, struct err *err)
{
	FAILPOINT_SCOPE("gold.switch");
	struct catalog *catalog = gold->options.catalog;
	*instance_out = NULL;
	if (!catalog_read_setting(catalog, GOLD_GENERATION_SETTING, 0, &gold->generation, err))
		return false;
	if (gold->generation > 0)
		return open_generation(gold, gold->generation, instance_out, err);
	int64_t generation = INT64_MAX;
	while (!*instance_out) {
		if (!gold_instance_find(gold, generation, &generation, err))
			return false;
		if (generation == 0)
			return true;
		if (!open_generation(gold, generation, instance_out, err))
			return false;
	}
	gold->generation = generation;
	return FAILPOINT("setting", catalog_write_setting(catalog, GOLD_GENERATION_SETTING, generation, err));
}

/* Readers may be answered from an instance that has to be built again, unless its tables would
 * answer wrongly. */
static bool judge_instance(struct gold *gold, struct gold_instance *instance, bool *usable_out,
			   const char **due_out, struct err *err)
{
	struct gold_meta meta;
	int64_t rebuilds;
	bool lacks = false;
	bool knows_others = false;
	if (!gold_schema_read_meta(instance->loader, &meta, err)
	    || !catalog_read_setting(gold->options.catalog, SILVER_REBUILDS_SETTING, 0, &rebuilds, err))
		return false;
	gold->stamp.loads = meta.loads;
	*usable_out = meta.format == GOLD_FORMAT_VERSION && strcmp(meta.rollups, gold->rollups) == 0;
	if (*usable_out && !gold_schema_check_batches(gold, instance->loader, &lacks, &knows_others, err))
		return false;
	*due_out = !*usable_out	    ? "gold has another format, or other rollups"
		   : lacks	    ? "gold lost batches that it had; it is built again from silver"
		   : knows_others   ? "gold has batches that the catalog has not; it is built again from silver"
		   : meta.rebuild_due ? "an event came with an earlier batch than the one that gold has"
		   : rebuilds > meta.silver_rebuilds ? "silver was made anew"
		   : strcmp(meta.fingerprint, gold->options.fields->fingerprint) != 0
			   ? "events.yaml has other columns"
			   : NULL;
	/* Answers that lack what was counted as loaded before would be wrong, not just old. */
	*usable_out = *usable_out && !lacks;
	return true;
}

/* Fields may have moved between event types: their columns are the same, the views are not. */
static bool refresh_views(struct gold *gold, struct duck_connection *connection, struct err *err)
{
	FAILPOINT_SCOPE("gold.views");
	bool made;
	if (!duck_begin(connection, err))
		return false;
	if (!gold_view_make(gold, connection, &made, err)) {
		duck_rollback(connection);
		return false;
	}
	return duck_commit(connection, err)
	       && (!made || FAILPOINT("checkpoint", duck_run(connection, "CHECKPOINT", err)));
}

static bool adopt_found(struct gold *gold, struct gold_instance **instance, struct err *err)
{
	bool usable;
	const char *due;
	if (!judge_instance(gold, *instance, &usable, &due, err))
		return false;
	gold->rebuild_reason = due;
	if (!usable) {
		gold_instance_close(instance);
		return true;
	}
	return (due || refresh_views(gold, (*instance)->loader, err)) && gold_adopt(gold, instance, err);
}

/* What opens but cannot be read is damaged as well. */
static bool adopt_or_set_aside(struct gold *gold, struct gold_instance **instance, struct err *err)
{
	struct err adopt_err = {0};
	const struct file_path path = (*instance)->path;
	if (adopt_found(gold, instance, &adopt_err))
		return true;
	if (!*instance || adopt_err.no_space
		|| (adopt_err.kind != ERR_INPUT && !duck_database_is_broken((*instance)->database)
			&& !is_damage(path.text, adopt_err.text))) {
		*err = adopt_err;
		return false;
	}
	log_err(LOG_ERROR, "gold will not be read", &adopt_err);
	gold_instance_close(instance);
	gold->rebuild_reason = DAMAGED;
	return set_aside(gold, path.text, err);
}

static bool start(struct gold *gold, bool defer_rebuild, struct err *err)
{
	CLEANUP(gold_instance_close) struct gold_instance *instance = NULL;
	struct catalog_totals totals;
	struct gold_report report;
	if (!find_instance(gold, &instance, err)
	    || !catalog_read_totals(gold->options.catalog, &totals, err))
		return false;
	if (!instance)
		gold->rebuild_reason = missing_reason(gold);
	else if (!adopt_or_set_aside(gold, &instance, err))
		return false;
	/* Without silver a new generation is made in an instant. */
	if (gold->rebuild_reason && (!defer_rebuild || (!gold->current && totals.silver_files == 0))
	    && !gold_rebuild(gold, &report, err))
		return false;
	return !gold->current || gold_instance_sweep(gold, gold->current->generation, err);
}

static void set_defaults(struct gold_options *options)
{
	if (options->memory_bytes_max == 0)
		options->memory_bytes_max = MEMORY_BYTES_DEFAULT;
	if (options->threads == 0)
		options->threads = THREADS_DEFAULT;
	if (options->readers == 0)
		options->readers = READERS_DEFAULT;
	if (options->heavy_readers == 0)
		options->heavy_readers = HEAVY_READERS_DEFAULT;
	if (options->readers > GOLD_READERS_MAX)
		options->readers = GOLD_READERS_MAX;
}

bool gold_open(const struct gold_options *options, bool defer_rebuild, struct gold **gold_out,
	       struct err *err)
{
	assert(options->layout && options->catalog && options->fields && options->clock);
	assert(options->rollup_count <= ROLLUP_COUNT_MAX);
	CLEANUP(gold_close) struct gold *gold = memory_allocate(1, sizeof(*gold));
	gold->options = *options;
	set_defaults(&gold->options);
	gold_rollup_fingerprint(options->rollups, options->rollup_count, gold->rollups);
	pthread_condattr_t attributes;
	(void)pthread_mutex_init(&gold->mutex, NULL);
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&gold->changed, &attributes);
	(void)pthread_cond_init(&gold->watch, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (!gold_reader_start(gold, err) || !start(gold, defer_rebuild, err))
		return err_wrap(err, "gold");
	*gold_out = gold;
	gold = NULL;
	return true;
}

void gold_close(struct gold **gold)
{
	if (!*gold)
		return;
	struct gold *g = *gold;
	gold_reader_stop(g);
	const struct file_path path = g->current ? g->current->path : (struct file_path){{0}};
	gold_instance_close(&g->current);
	if (path.text[0] != '\0')
		gold_trial_note_closed(g, path.text);
	while (g->retired) {
		struct gold_instance *instance = g->retired;
		g->retired = instance->next;
		gold_instance_close(&instance);
	}
	(void)pthread_cond_destroy(&g->watch);
	(void)pthread_cond_destroy(&g->changed);
	(void)pthread_mutex_destroy(&g->mutex);
	free(g);
	*gold = NULL;
}
