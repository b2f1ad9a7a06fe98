/* SPDX-License-Identifier: Apache-2.0 */
/* gold_rebuild.c - a new generation from all of silver, aside.
 *
 * Silver is cut into pieces of time: equal keys have equal times, so each piece decides for itself,
 * memory stays bounded, and events come out sorted. The file lies in staging/ until it is complete,
 * checkpointed and closed; then it is published, and a setting of the catalog makes it the one. */
#include "gold/gold_private.h"

#include "lake/retention.h"

#include "base/failpoint.h"
#include "lake/lake_verify.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PIECE_ROWS = 200000, RECORD_BATCHES = 10000 };

struct rebuild {
	struct gold *gold;
	struct duck_connection *connection;
	struct arena arena;
	struct lake_file *files; /* all of silver, by oldest event */
	size_t file_count;
	struct lake_file *chosen; /* room for those of one piece */
	bool count_expired;        /* some batch has to be counted for the first time */
	bool copy_counts;          /* of batches that were in gold: parts of them are no longer there to count */
	struct gold_report report;
};

static void rebuild_finish(struct rebuild *rebuild)
{
	arena_finish(&rebuild->arena);
}

static int compare_time(const void *left, const void *right)
{
	const struct lake_file *a = left;
	const struct lake_file *b = right;
	return (a->time_min_us > b->time_min_us) - (a->time_min_us < b->time_min_us);
}

static bool list_files(struct rebuild *rebuild, struct err *err)
{
	struct catalog *catalog = rebuild->gold->options.catalog;
	const struct lake_file *live;
	const struct lake_file *compacted;
	size_t live_count;
	size_t compacted_count;
	if (!catalog_list_files(catalog, LAYER_SILVER_LIVE, &rebuild->arena, &live, &live_count, err)
	    || !catalog_list_files(catalog, LAYER_SILVER, &rebuild->arena, &compacted, &compacted_count, err))
		return false;
	size_t count = live_count + compacted_count;
	rebuild->files = arena_allocate(&rebuild->arena, count, sizeof(*rebuild->files));
	rebuild->chosen = arena_allocate(&rebuild->arena, count, sizeof(*rebuild->chosen));
	if (!rebuild->files || !rebuild->chosen)
		return err_set(err, ERR_LOCAL, "too many silver files");
	for (size_t i = 0; i < count; i++)
		rebuild->files[i] = i < live_count ? live[i] : compacted[i - live_count];
	rebuild->file_count = count;
	qsort(rebuild->files, count, sizeof(*rebuild->files), compare_time);
	return lake_verify_silver(catalog, rebuild->gold->options.layout, rebuild->files, count, err);
}

/* ---- pieces ---- */

/* Rows that are new but older than what is kept: they count as loaded, so that a batch's sums are the
 * same whenever it was loaded. */
static bool count_expired(const struct rebuild *rebuild, int64_t from_us, struct err *err)
{
	const struct value from = value_time(rebuild->gold->kept_from_us);
	bool none = rebuild->gold->kept_from_us == 0 || from_us >= rebuild->gold->kept_from_us;
	return none
	       || duck_query(rebuild->connection,
		       "INSERT INTO expired SELECT batch, count(*) FROM fresh WHERE created_at < $1 GROUP BY batch",
		       &from, 1, NULL, err);
}

static bool insert_piece(const struct rebuild *rebuild, size_t file_count, int64_t from_us, int64_t to_us,
			 struct err *err)
{
	const struct value limit = value_integer(EVENT_TYPE_COUNT_MAX);
	const struct value range[] = {value_time(from_us), value_time(to_us)};
	return gold_rows_stage(rebuild->gold, rebuild->connection, rebuild->chosen, file_count,
		       "created_at >= $1 AND created_at < $2", range, ARRAY_COUNT(range), err)
	       && gold_rows_match(rebuild->connection, true, err)
	       && gold_rows_decide(rebuild->connection, err) && count_expired(rebuild, from_us, err)
	       && gold_rows_insert(rebuild->connection, rebuild->gold->kept_from_us, err)
	       && gold_schema_run(rebuild->connection, "load_event_types.sql", &limit, 1, err)
	       && gold_rows_drop(rebuild->connection, err);
}

/* Events in [from, to). */
static bool build_piece(const struct rebuild *rebuild, int64_t from_us, int64_t to_us, struct err *err)
{
	size_t count = 0;
	for (size_t i = 0; i < rebuild->file_count && rebuild->files[i].time_min_us < to_us; i++)
		if (rebuild->files[i].time_max_us >= from_us)
			rebuild->chosen[count++] = rebuild->files[i];
	/* Of what is no longer kept only the batches that are not in gold yet have to be counted. */
	int64_t kept_from_us = rebuild->gold->kept_from_us;
	if (count == 0 || (kept_from_us != 0 && to_us <= kept_from_us && !rebuild->count_expired))
		return true;
	struct stop_flag *stop = rebuild->gold->options.stop;
	if (stop && stop_flag_is_set(stop))
		return err_set(err, ERR_RETRY, "stopped");
	if (!duck_begin(rebuild->connection, err))
		return false;
	if (!insert_piece(rebuild, count, from_us, to_us, err)) {
		duck_rollback(rebuild->connection);
		return false;
	}
	return duck_commit(rebuild->connection, err);
}

/* Files of about `rows` rows whose oldest events lie in [from, to): as many pieces as they need. */
static bool build_pieces(const struct rebuild *rebuild, int64_t from_us, int64_t to_us, int64_t rows,
			 struct err *err)
{
	int64_t pieces = 1 + rows / PIECE_ROWS;
	int64_t step_us = (to_us - from_us) / pieces + 1;
	for (int64_t at_us = from_us; at_us < to_us; at_us += step_us)
		if (!build_piece(rebuild, at_us, at_us + step_us < to_us ? at_us + step_us : to_us, err))
			return false;
	return true;
}

static bool build_events(const struct rebuild *rebuild, struct err *err)
{
	int64_t end_us = INT64_MIN;
	for (size_t i = 0; i < rebuild->file_count; i++)
		if (rebuild->files[i].time_max_us >= end_us)
			end_us = rebuild->files[i].time_max_us + 1;
	int64_t rows = 0;
	int64_t rows_done = 0;
	int64_t rows_total = 0;
	for (size_t i = 0; i < rebuild->file_count; i++)
		rows_total += rebuild->files[i].rows;
	gold_set_progress(rebuild->gold, 0, rows_total, 0, (int64_t)rebuild->file_count);
	int64_t from_us = rebuild->file_count > 0 ? rebuild->files[0].time_min_us : 0;
	for (size_t i = 0; i < rebuild->file_count; i++) {
		rows += rebuild->files[i].rows;
		bool last = i + 1 == rebuild->file_count;
		int64_t to_us = last ? end_us : rebuild->files[i + 1].time_min_us;
		if (!last && (rows < PIECE_ROWS || to_us == from_us))
			continue;
		if (!build_pieces(rebuild, from_us, to_us, rows, err))
			return false;
		from_us = to_us;
		rows_done += rows;
		rows = 0;
		gold_set_progress(rebuild->gold, rows_done, rows_total, (int64_t)i + 1, (int64_t)rebuild->file_count);
	}
	return true;
}

/* ---- the rest ---- */

/* Batches that went through silver, in one state; state by state, since a page ascends. */
static bool each_page(struct rebuild *rebuild, enum batch_state state,
		      bool (*visit)(struct rebuild *rebuild, const struct batch *batches, size_t count,
			      struct err *err),
		      struct err *err)
{
	int64_t after = 0;
	for (;;) {
		CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
		const struct batch *batches;
		size_t count;
		if (!catalog_list_batches(rebuild->gold->options.catalog, state, after, RECORD_BATCHES, &arena,
			    &batches, &count, err))
			return false;
		if (count == 0)
			return true;
		after = batches[count - 1].seq;
		struct batch *kept = arena_allocate(&arena, count, sizeof(*kept));
		if (!kept)
			return err_set(err, ERR_LOCAL, "too many batches");
		size_t kept_count = 0;
		for (size_t i = 0; i < count; i++)
			if (batches[i].bronze_rows > 0)
				kept[kept_count++] = batches[i];
		if (kept_count > 0 && !visit(rebuild, kept, kept_count, err))
			return false;
	}
}

static bool record_page(struct rebuild *rebuild, const struct batch *batches, size_t count, struct err *err)
{
	if (rebuild->copy_counts && batches[0].state == BATCH_GOLD)
		return gold_load_copy(rebuild->gold, rebuild->connection, batches, count, err);
	return gold_load_record(rebuild->gold, rebuild->connection, batches, count, "events", "expired", err);
}

static bool mirror_page(struct rebuild *rebuild, const struct batch *batches, size_t count, struct err *err)
{
	return gold_load_mirror(rebuild->gold, rebuild->connection, batches, count, NULL, &rebuild->report, err);
}

static bool build_coverage(const struct rebuild *rebuild, struct err *err)
{
	int64_t sweep = 0;
	if (!gold_coverage_add_joined(rebuild->gold, rebuild->connection, err))
		return false;
	for (;;) {
		int64_t seen;
		int64_t added;
		if (!gold_coverage_add(rebuild->gold, rebuild->connection, sweep, &seen, &added, err))
			return false;
		if (seen == sweep)
			break;
		sweep = seen;
	}
	const struct value value = value_integer(sweep);
	return duck_query(rebuild->connection, "UPDATE meta SET sweep = $1", &value, 1, NULL, err);
}

static bool read_retention(struct rebuild *rebuild, struct err *err)
{
	struct catalog *catalog = rebuild->gold->options.catalog;
	struct retention_total totals[RETENTION_LAYER_COUNT];
	struct catalog_totals sums;
	if (!gold_expire_read(rebuild->gold, err) || !retention_read(catalog, totals, err)
	    || !catalog_read_totals(catalog, &sums, err))
		return false;
	rebuild->copy_counts = totals[RETENTION_SILVER].kept_from_us > 0 || totals[RETENTION_GOLD].kept_from_us > 0;
	rebuild->count_expired = sums.batches_waiting_gold > 0;
	return true;
}

static bool build_tables(struct rebuild *rebuild, int64_t loads, struct err *err)
{
	const struct gold *gold = rebuild->gold;
	bool made;
	if (!read_retention(rebuild, err) || !gold_schema_create(gold, rebuild->connection, loads, err)
	    || !duck_run(rebuild->connection, "CREATE TEMP TABLE expired (batch BIGINT, count BIGINT)", err)
	    || !list_files(rebuild, err)
	    || !build_events(rebuild, err))
		return false;
	for (size_t i = 0; i < gold->options.rollup_count; i++)
		if (!gold_rollup_add(rebuild->connection, &gold->options.rollups[i], "events", err))
			return false;
	return each_page(rebuild, BATCH_SILVER, record_page, err)
	       && each_page(rebuild, BATCH_GOLD, record_page, err) && build_coverage(rebuild, err)
	       && gold_view_make(gold, rebuild->connection, &made, err)
	       && FAILPOINT("checkpoint", duck_run(rebuild->connection, "CHECKPOINT", err));
}

/* Leaves the complete, closed file at `staged`. */
static bool build_file(struct rebuild *rebuild, const char *staged, int64_t generation, int64_t loads,
		       struct err *err)
{
	FAILPOINT_SCOPE("gold.rebuild");
	CLEANUP(gold_instance_close) struct gold_instance *instance = NULL;
	struct file_path log;
	if (!gold_instance_remove(staged, err)
	    || !gold_instance_open(rebuild->gold, staged, generation, 0, &instance, err))
		return false;
	rebuild->connection = instance->loader;
	bool built = build_tables(rebuild, loads, err);
	rebuild->connection = NULL;
	gold_instance_close(&instance);
	if (!built || !file_path_make(&log, err, "%s.wal", staged))
		return false;
	if (file_size(log.text) > 0)
		return err_set(err, ERR_LOCAL, "the new file could not be checkpointed");
	return file_remove(log.text, err);
}

/* Half a file is of no use, and on a full disk in the way. */
static bool build_or_remove(struct rebuild *rebuild, const char *staged, int64_t generation, int64_t loads,
			    struct err *err)
{
	FAILPOINT_SCOPE("gold.rebuild");
	struct err ignored;
	if (build_file(rebuild, staged, generation, loads, err))
		return true;
	(void)!gold_instance_remove(staged, &ignored);
	return false;
}

/* Makes, publishes and opens generation `generation`. */
static bool make_generation(struct rebuild *rebuild, int64_t generation,
			    struct gold_instance **instance_out, struct err *err)
{
	FAILPOINT_SCOPE("gold.publish");
	struct gold *gold = rebuild->gold;
	struct file_path staged;
	struct file_path path;
	struct gold_stamp stamp;
	gold_read_stamp(gold, &stamp);
	return file_path_make(&staged, err, "%s/staging/gold-%" PRId64 ".duckdb",
		       gold->options.layout->root.text, generation)
	       && gold_instance_path(gold, generation, &path, err)
	       && build_or_remove(rebuild, staged.text, generation, stamp.loads + 1, err)
	       && file_publish(staged.text, path.text, err)
	       && gold_instance_open(gold, path.text, generation, (size_t)gold->options.readers, instance_out,
		       err);
}

static bool rebuild_all(struct rebuild *rebuild, struct err *err)
{
	FAILPOINT_SCOPE("gold.switch");
	CLEANUP(gold_instance_close) struct gold_instance *instance = NULL;
	struct gold *gold = rebuild->gold;
	int64_t highest;
	if (!gold_instance_drop_retired(gold, err) || !gold_instance_find(gold, INT64_MAX, &highest, err))
		return false;
	int64_t generation = 1 + (highest > gold->generation ? highest : gold->generation);
	if (!make_generation(rebuild, generation, &instance, err)
	    || !FAILPOINT("setting",
		    catalog_write_setting(gold->options.catalog, GOLD_GENERATION_SETTING, generation, err))
	    || !gold_adopt(gold, &instance, err))
		return false;
	gold_set_rebuild_due(gold, NULL);
	rebuild->connection = gold->current->loader;
	/* In this order, since mirroring moves batches from the one state to the other. */
	return each_page(rebuild, BATCH_GOLD, mirror_page, err) && each_page(rebuild, BATCH_SILVER, mirror_page, err)
	       && gold_instance_drop_retired(gold, err)
	       /* Also what a kill left; not a file that is still open. */
	       && (gold->retired || gold_instance_sweep(gold, generation, err));
}

bool gold_rebuild(struct gold *gold, struct gold_report *report_out, struct err *err)
{
	CLEANUP(rebuild_finish)
	struct rebuild rebuild = {.gold = gold, .arena = {.size_max = GOLD_LIST_BYTES_MAX}};
	if (!rebuild_all(&rebuild, err))
		return err_wrap(err, "rebuilding gold");
	*report_out = rebuild.report;
	return true;
}
