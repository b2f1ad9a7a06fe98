/* SPDX-License-Identifier: Apache-2.0 */
/* gold_load.c - waiting batches into events. A load and the record of it are one transaction; the
 * catalog is told afterwards, and told again by the next load when a crash came between. */
#include "gold/gold_load.h"

#include "base/failpoint.h"
#include "base/memory.h"
#include "lake/lake_verify.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { MIRROR_CONFLICTS_MAX = 1000, CHECKPOINT_LOADS = 100, CHECKPOINT_BYTES_MIN = 1024 * 1024 };

/* What it brought. */
struct change {
	int64_t arrived; /* rows that were new */
	int64_t rows;    /* of them, those that are kept */
	int64_t oldest_us;
	int64_t newest_us;
	int64_t sweep;
	int64_t minutes;
	bool views_made;
	bool rebuild_due;
};

static void load_finish(struct load *load)
{
	arena_finish(&load->arena);
}

/* ---- the catalog's copy ---- */

static bool read_counts(struct duck_connection *connection, int64_t first, int64_t last,
			struct arena *arena, struct table *table_out, struct err *err)
{
	static const char sql[] = "SELECT batch, rows, duplicates, quarantined FROM loaded_batches"
				  " WHERE batch BETWEEN $1 AND $2 ORDER BY batch";
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	const struct value range[] = {value_integer(first), value_integer(last)};
	return duck_query(connection, sql, range, ARRAY_COUNT(range), &result, err)
	       && duck_result_read(result, arena, SIZE_MAX, table_out, err);
}

static bool read_conflicts(struct duck_connection *connection, int64_t batch, struct arena *arena,
			   const struct quarantined **entries_out, size_t *count_out, struct err *err)
{
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	const struct value value = value_integer(batch);
	struct table table;
	if (!duck_query(connection, "SELECT detail, raw FROM conflicts WHERE batch = $1 ORDER BY raw", &value, 1,
		    &result, err)
	    || !duck_result_read(result, arena, MIRROR_CONFLICTS_MAX, &table, err))
		return false;
	struct quarantined *entries = arena_allocate(arena, table.row_count, sizeof(*entries));
	for (size_t i = 0; i < table.row_count && entries; i++)
		entries[i] = (struct quarantined){
			.batch = batch,
			.stage = "gold",
			.reason = "key-conflict",
			.detail = arena_copy_text(arena, table_value(&table, i, 0)->text),
			.path = "",
			.raw = table_value(&table, i, 1)->text,
		};
	if (arena->failed)
		return err_set(err, ERR_LOCAL, "too many conflicts");
	*entries_out = entries;
	*count_out = table.row_count;
	return true;
}

/* Gold may have loaded more of a batch than is left: the catalog was lost and, with it, a bronze file
 * damaged. Such numbers would never add up; a new generation holds what silver holds. */
static bool adds_up(const struct batch *batch)
{
	return batch->gold_rows + batch->gold_duplicates + batch->gold_quarantined == batch->silver_rows;
}

static bool mirror_batch(struct gold *gold, struct duck_connection *connection,
			 const struct batch *batch, const struct value *counts,
			 struct gold_report *report, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	struct batch counted = *batch;
	const struct quarantined *entries = NULL;
	size_t entry_count = 0;
	counted.state = BATCH_GOLD;
	counted.gold_rows = counts[1].integer;
	counted.gold_duplicates = counts[2].integer;
	counted.gold_quarantined = counts[3].integer;
	if (!adds_up(&counted)) {
		gold_set_rebuild_due(gold, "its counts are not those of silver");
		return true;
	}
	report->batches++;
	report->rows += counted.gold_rows;
	report->duplicates += counted.gold_duplicates;
	report->quarantined += counted.gold_quarantined;
	if (batch->state == BATCH_GOLD && batch->gold_rows == counted.gold_rows
	    && batch->gold_duplicates == counted.gold_duplicates
	    && batch->gold_quarantined == counted.gold_quarantined)
		return true;
	return (counted.gold_quarantined == 0
		       || read_conflicts(connection, batch->seq, &arena, &entries, &entry_count, err))
	       && catalog_store_gold(gold->options.catalog, &counted, entries, entry_count, err);
}

bool gold_load_mirror(struct gold *gold, struct duck_connection *connection,
		      const struct batch *batches, size_t count, bool *found_out,
		      struct gold_report *report, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	struct table counts = {0};
	if (count > 0
	    && !read_counts(connection, batches[0].seq, batches[count - 1].seq, &arena, &counts, err))
		return err_wrap(err, "loaded_batches");
	for (size_t i = 0, row = 0; i < count; i++) {
		while (row < counts.row_count && table_value(&counts, row, 0)->integer < batches[i].seq)
			row++;
		bool found =
			row < counts.row_count && table_value(&counts, row, 0)->integer == batches[i].seq;
		if (found_out)
			found_out[i] = found;
		if (found
		    && !mirror_batch(gold, connection, &batches[i], table_value(&counts, row, 0), report, err))
			return err_wrap(err, "batch %" PRId64, batches[i].seq);
	}
	return true;
}

/* ---- one transaction ---- */

bool gold_load_record(const struct gold *gold, struct duck_connection *connection,
		      const struct batch *batches, size_t count, const char *table, const char *expired,
		      struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = GOLD_SQL_BYTES_MAX};
	struct value *numbers = memory_allocate(2 * count, sizeof(*numbers));
	for (size_t i = 0; i < count; i++) {
		numbers[i] = value_integer(batches[i].seq);
		numbers[count + i] = value_integer(batches[i].silver_rows);
	}
	const struct value values[] = {
		value_list(VALUE_INTEGER, numbers, count),
		value_list(VALUE_INTEGER, numbers + count, count),
		value_time(clock_wall_us(gold->options.clock)),
	};
	buf_printf(&sql,
		"CREATE OR REPLACE TEMP TABLE arrived AS SELECT batch, count(*) AS count FROM %s"
		" WHERE batch BETWEEN %" PRId64 " AND %" PRId64 " GROUP BY batch",
		table, batches[0].seq, batches[count - 1].seq);
	if (expired)
		buf_printf(&sql,
			"; INSERT INTO arrived FROM %s; CREATE OR REPLACE TEMP TABLE arrived AS"
			" SELECT batch, sum(count)::BIGINT AS count FROM arrived GROUP BY batch",
			expired);
	bool recorded = duck_run(connection, sql.data, err)
			&& gold_schema_run(connection, "load_batches.sql", values, ARRAY_COUNT(values), err)
			&& duck_run(connection, "DROP TABLE arrived", err);
	free(numbers);
	return recorded;
}

bool gold_load_copy(const struct gold *gold, struct duck_connection *connection, const struct batch *batches,
		    size_t count, struct err *err)
{
	static const char sql[] = "INSERT INTO loaded_batches SELECT unnest($1::BIGINT[]), unnest($2::BIGINT[]),"
				  " unnest($3::BIGINT[]), unnest($4::BIGINT[]), $5::TIMESTAMP";
	struct value *numbers = memory_allocate(4 * count, sizeof(*numbers));
	for (size_t i = 0; i < count; i++) {
		numbers[i] = value_integer(batches[i].seq);
		numbers[count + i] = value_integer(batches[i].gold_rows);
		numbers[2 * count + i] = value_integer(batches[i].gold_duplicates);
		numbers[3 * count + i] = value_integer(batches[i].gold_quarantined);
	}
	const struct value values[] = {
		value_list(VALUE_INTEGER, numbers, count),
		value_list(VALUE_INTEGER, numbers + count, count),
		value_list(VALUE_INTEGER, numbers + 2 * count, count),
		value_list(VALUE_INTEGER, numbers + 3 * count, count),
		value_time(clock_wall_us(gold->options.clock)),
	};
	bool copied = duck_query(connection, sql, values, ARRAY_COUNT(values), NULL, err);
	free(numbers);
	return copied;
}

/* A file with fewer rows than silver wrote is damaged; nothing of the group may count as loaded. */
static bool check_rows(const struct load *load, const struct group *group, struct err *err)
{
	int64_t rows;
	if (!duck_query_integer(load->connection, "SELECT count(*) FROM incoming", NULL, 0, 0, &rows, err))
		return false;
	if (group->of_archives ? rows > group->rows : rows != group->rows)
		return err_set(err, ERR_LOCAL,
			"silver has %" PRId64 " rows instead of %" PRId64 " for batches %" PRId64 " to %" PRId64
			": `octolake rebuild silver` makes it again",
			rows, group->rows, group->batches[0].seq, group->batches[group->count - 1].seq);
	return true;
}

/* The lowest batch of a key counts. One that comes after a higher batch with the same event cannot
 * take its place in rollups, so everything is built again; that takes two writers and is rare. */
static bool check_order(const struct load *load, struct change *change, struct err *err)
{
	static const char sql[] = "SELECT count(*) FROM incoming i JOIN existing e USING (id, type, created_at)"
				  " WHERE i.batch < e.batch";
	int64_t late;
	if (!duck_query_integer(load->connection, sql, NULL, 0, 0, &late, err))
		return false;
	change->rebuild_due = late > 0;
	return late == 0 || duck_run(load->connection, "UPDATE meta SET rebuild_due = true", err);
}

static bool measure_fresh(const struct load *load, struct change *change, struct err *err)
{
	static const char sql[] = "SELECT count(*), min(created_at), max(created_at) FROM fresh";
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1024 * 1024};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table;
	if (!duck_query(load->connection, sql, NULL, 0, &result, err)
	    || !duck_result_read(result, &arena, 1, &table, err))
		return false;
	change->rows = table_value(&table, 0, 0)->integer;
	if (change->rows > 0) {
		change->oldest_us = table_value(&table, 0, 1)->time_us;
		change->newest_us = table_value(&table, 0, 2)->time_us;
	}
	return true;
}

static bool count_fresh(const struct load *load, int64_t *count_out, struct err *err)
{
	return duck_query_integer(load->connection, "SELECT count(*) FROM fresh", NULL, 0, 0, count_out, err);
}

static bool stage_rows(const struct load *load, const struct group *group, struct err *err)
{
	/* The range is what row groups are passed over by. */
	static const char condition[] = "batch BETWEEN $1 AND $2 AND list_contains($3::BIGINT[], batch)";
	struct value numbers[GROUP_BATCHES_MAX];
	for (size_t i = 0; i < group->count; i++)
		numbers[i] = value_integer(group->batches[i].seq);
	const struct value values[] = {numbers[0], numbers[group->count - 1],
		value_list(VALUE_INTEGER, numbers, group->count)};
	return group->of_archives
		       ? gold_rows_stage(load->gold, load->connection, group->files, group->file_count, condition,
				 values, ARRAY_COUNT(values), err)
		       : gold_rows_stage(load->gold, load->connection, group->files, group->file_count, NULL, NULL, 0,
				 err);
}

static bool load_rows(const struct load *load, const struct group *group, struct change *change,
		      struct err *err)
{
	const struct gold *gold = load->gold;
	struct duck_connection *connection = load->connection;
	const struct value limit = value_integer(EVENT_TYPE_COUNT_MAX);
	if ((!group->of_archives /* those were verified when they were first met */
		    && !lake_verify_silver(gold->options.catalog, gold->options.layout, group->files,
			    group->file_count, err))
	    || !stage_rows(load, group, err)
	    || !check_rows(load, group, err) || !gold_rows_match(connection, false, err)
	    || !check_order(load, change, err) || !gold_rows_decide(connection, err)
	    || !gold_load_record(gold, connection, group->batches, group->count, "fresh", NULL, err)
	    || !count_fresh(load, &change->arrived, err)
	    || !gold_rows_insert(connection, gold->kept_from_us, err) || !measure_fresh(load, change, err)
	    || !gold_schema_run(connection, "load_event_types.sql", &limit, 1, err))
		return false;
	for (size_t i = 0; i < gold->options.rollup_count; i++)
		if (!gold_rollup_add(connection, &gold->options.rollups[i], "fresh", err))
			return false;
	return gold_rows_drop(connection, err)
	       && gold_view_make(gold, connection, &change->views_made, err);
}

static bool run_transaction(const struct load *load, const struct group *group, struct change *change,
			    struct err *err)
{
	struct duck_connection *connection = load->connection;
	if (!gold_coverage_add(load->gold, connection, load->gold->sweep, &change->sweep, &change->minutes, err))
		return false;
	if (group->file_count > 0) {
		if (!load_rows(load, group, change, err))
			return false;
	} else if (group->count > 0
		   && !gold_load_record(load->gold, connection, group->batches, group->count, "events", NULL,
			   err)) {
		return false;
	}
	bool is_new = change->rows > 0 || change->minutes > 0;
	const struct value values[] = {value_integer(change->sweep), value_integer(is_new)};
	return (!is_new && group->count == 0)
	       || duck_query(connection, "UPDATE meta SET sweep = $1, loads = loads + $2", values,
		       ARRAY_COUNT(values), NULL, err);
}

/* Writes the log into the file: after so many loads, or when the log takes up much of the room that
 * is left; not where there is too little room for it, because a checkpoint that finds the disk full
 * breaks the instance (FACTS C7). Any other failure is none of the load's: the next one tries again. */
bool gold_load_checkpoint(struct gold *gold, struct duck_connection *connection, bool at_once, struct err *err)
{
	struct file_path log;
	if (!file_path_make(&log, err, "%s.wal", gold->current->path.text))
		return false;
	int64_t log_bytes = file_size(log.text);
	int64_t free_bytes = file_free_bytes(gold->current->path.text);
	gold->uncheckpointed = at_once ? CHECKPOINT_LOADS : gold->uncheckpointed + 1;
	bool is_due = gold->uncheckpointed >= CHECKPOINT_LOADS
		      || (log_bytes > CHECKPOINT_BYTES_MIN && log_bytes > free_bytes / 8);
	if (!is_due || (free_bytes >= 0 && free_bytes < CHECKPOINT_BYTES_MIN + 2 * log_bytes))
		return true;
	if (FAILPOINT("checkpoint", duck_run(connection, "CHECKPOINT", err))) {
		gold->uncheckpointed = 0;
		return true;
	}
	return !gold_is_broken(gold);
}

static void tell_readers(struct gold *gold, const struct group *group, const struct change *change)
{
	struct gold_stamp stamp;
	gold_read_stamp(gold, &stamp);
	stamp.loads += change->rows > 0 || change->minutes > 0;
	stamp.removed += change->arrived - change->rows;
	if (change->rows > 0) {
		if (stamp.rows == 0 || change->oldest_us < stamp.oldest_event_us)
			stamp.oldest_event_us = change->oldest_us;
		if (stamp.rows == 0 || change->newest_us > stamp.newest_event_us)
			stamp.newest_event_us = change->newest_us;
		stamp.rows += change->rows;
		stamp.loaded_at_us = clock_wall_us(gold->options.clock);
	}
	if (group->count > 0 && group->batches[group->count - 1].seq > stamp.batch)
		stamp.batch = group->batches[group->count - 1].seq;
	gold_set_stamp(gold, &stamp);
}

static bool load_group(struct load *load, const struct group *group, struct err *err)
{
	FAILPOINT_SCOPE("gold.load");
	struct gold *gold = load->gold;
	struct change change = {0};
	if (!duck_begin(load->connection, err))
		return false;
	if (!run_transaction(load, group, &change, err)) {
		duck_rollback(load->connection);
		return false;
	}
	if (!duck_commit(load->connection, err))
		return false;
	gold->sweep = change.sweep;
	if (group->count == 0 && change.minutes == 0)
		return true;
	tell_readers(gold, group, &change);
	if (change.rebuild_due)
		gold_set_rebuild_due(gold, "an event came with an earlier batch than the one that gold has");
	return gold_load_checkpoint(gold, load->connection, change.views_made, err)
	       && gold_load_mirror(gold, load->connection, group->batches, group->count, NULL, &load->report, err);
}

/* ---- what waits ---- */

/* Mirrors what is loaded already, and loads the others of the next waiting batches; *after is the
 * last one dealt with, *end_out true when none waits. */
static bool load_next(struct load *load, int64_t *after, bool *end_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = GOLD_LIST_BYTES_MAX};
	const struct batch *batches;
	size_t count;
	bool found[GROUP_BATCHES_MAX];
	bool full = false;
	struct group *group = arena_allocate(&arena, 1, sizeof(*group));
	assert(group);
	if (!catalog_list_batches(load->gold->options.catalog, BATCH_SILVER, *after, GROUP_BATCHES_MAX, &arena,
		    &batches, &count, err)
	    || !gold_load_mirror(load->gold, load->connection, batches, count, found, &load->report, err))
		return false;
	for (size_t i = 0; i < count && !full; i++) {
		if (!found[i] && !gold_load_add(load, group, &batches[i], &full, err))
			return false;
		if (!full)
			*after = batches[i].seq;
	}
	*end_out = count == 0;
	/* An empty group brings the coverage of sweeps without events. */
	return (group->count == 0 && count > 0) || load_group(load, group, err);
}

/* Sees to it that there is an instance to load into; *ready_out false when a rebuild is due. */
static bool prepare(struct gold *gold, bool *ready_out, struct err *err)
{
	*ready_out = false;
	if (!gold_instance_drop_retired(gold, err))
		return false;
	if (gold_needs_rebuild(gold))
		return true;
	if (gold_is_broken(gold) && !gold_reopen(gold, err))
		return false;
	*ready_out = !gold_needs_rebuild(gold);
	return true;
}

static bool load_once(struct gold *gold, struct stop_flag *stop, struct gold_report *report_out,
		      struct err *err)
{
	bool ready;
	if (!prepare(gold, &ready, err) || !gold_expire_read(gold, err))
		return false;
	if (!ready) {
		*report_out = (struct gold_report){0};
		return true;
	}
	CLEANUP(load_finish) struct load load = {
		.gold = gold,
		.connection = gold->current->loader,
		.arena = {.size_max = GOLD_LIST_BYTES_MAX},
	};
	int64_t after = 0;
	bool end = false;
	while (!end && !gold_needs_rebuild(gold) && !(stop && stop_flag_is_set(stop)))
		if (!load_next(&load, &after, &end, err)) {
			gold_note_damage(gold, gold->current, err);
			return err_wrap(err, "loading gold");
		}
	*report_out = load.report;
	return true;
}

bool gold_load_pending(struct gold *gold, struct stop_flag *stop, struct gold_report *report_out,
		       struct err *err)
{
	if (load_once(gold, stop, report_out, err))
		return true;
	/* What a broken instance had committed is not lost, and loading goes on where it stood. */
	if (!gold->current || !gold_is_broken(gold))
		return false;
	return load_once(gold, stop, report_out, err);
}
