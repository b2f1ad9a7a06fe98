/* SPDX-License-Identifier: Apache-2.0 */
#include "app/retention.h"

#include "base/log.h"
#include "lake/lake_verify.h"

#include <stdio.h>

enum {
	FILES_PER_COMMIT = 1000,
	COMMITS_MAX = 10, /* of a layer, in one call */
	ROWS_PER_CALL = 20000, /* of the ledger and the quarantine */
	CHOICE_BYTES_MAX = 64 * 1024 * 1024,
	DRY_FILES_MAX = 10000000,
};

#define DRY_CHOICE_BYTES_MAX ((size_t)4 << 30)

static const int64_t DAY_US = INT64_C(86400) * 1000000;

/* ---- limits ---- */

void retention_limits_read(const struct config *config, struct retention_limits *limits_out)
{
	static const enum config_option ages[RETENTION_LAYER_COUNT] = {
		[RETENTION_BRONZE] = OPTION_KEEP_BRONZE,
		[RETENTION_SILVER] = OPTION_KEEP_SILVER,
		[RETENTION_GOLD] = OPTION_KEEP_GOLD,
		[RETENTION_QUARANTINE] = OPTION_KEEP_QUARANTINE,
		[RETENTION_SWEEPS] = OPTION_KEEP_SWEEPS,
	};
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++) {
		limits_out->age_ms[i] = config_duration_ms(config, ages[i]);
		limits_out->bytes_max[i] = INT64_MAX;
	}
	limits_out->bytes_max[RETENTION_BRONZE] = config_size_bytes(config, OPTION_BRONZE_MAX, INT64_MAX);
	limits_out->bytes_max[RETENTION_SILVER] = config_size_bytes(config, OPTION_SILVER_MAX, INT64_MAX);
	limits_out->bytes_max[RETENTION_GOLD] = config_size_bytes(config, OPTION_GOLD_MAX, INT64_MAX);
	limits_out->bytes_max[RETENTION_QUARANTINE] = config_size_bytes(config, OPTION_QUARANTINE_MAX, INT64_MAX);
}

static bool is_limited(const struct retention_limits *limits, enum retention_layer layer)
{
	return limits->age_ms[layer] > 0 || limits->bytes_max[layer] < INT64_MAX;
}

bool retention_limits_are_full(const struct retention_limits *limits)
{
	/* Gold is made from silver, so silver's limit is gold's too. */
	return is_limited(limits, RETENTION_BRONZE) && is_limited(limits, RETENTION_SILVER);
}

/* INT64_MIN: for ever. The day in which the limit falls is kept whole. */
static int64_t before(const struct retention_work *work, enum retention_layer layer)
{
	int64_t age_ms = work->limits->age_ms[layer];
	if (age_ms == 0)
		return INT64_MIN;
	int64_t at_us = clock_wall_us(work->clock) - age_ms * 1000;
	return at_us - (at_us % DAY_US + DAY_US) % DAY_US;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* ---- files ---- */

struct step {
	const struct retention_work *work;
	struct retention_report report;
};

static bool choose(const struct step *step, enum retention_layer layer, struct arena *arena,
		   struct retention_choice *choice_out, struct err *err)
{
	const struct retention_work *work = step->work;
	return retention_choose(work->catalog, layer, before(work, layer), work->limits->bytes_max[layer],
		work->dry_run ? (size_t)DRY_FILES_MAX : (size_t)FILES_PER_COMMIT, arena, choice_out, err);
}

static bool expire_gold(struct step *step, int64_t before_us, struct err *err)
{
	const struct retention_work *work = step->work;
	int64_t rows = 0;
	bool is_set = before_us != INT64_MIN;
	/* Without a limit of today there may still be rows that a crash left of yesterday's. */
	bool done = work->dry_run ? !is_set || gold_count_expired(work->gold, before_us, &rows, err)
				  : (!is_set || retention_move(work->catalog, RETENTION_GOLD, before_us, err))
					    && gold_expire(work->gold, work->stop, &rows, err);
	struct retention_total *total = &step->report.totals[RETENTION_GOLD];
	total->rows = work->dry_run ? rows : total->rows + rows;
	total->kept_from_us = later(total->kept_from_us, before_us);
	return done;
}

/* The layer is kept from here on, once the choice is gone. */
static int64_t kept_from(const struct step *step, enum retention_layer layer, const struct retention_choice *choice)
{
	int64_t from_us = before(step->work, layer);
	return choice->count > 0 ? later(from_us, choice->newest_us + 1) : from_us;
}

static bool forget(struct step *step, enum retention_layer layer, const struct retention_choice *choice,
		   int64_t from_us, struct err *err)
{
	const struct retention_work *work = step->work;
	struct retention_total *total = &step->report.totals[layer];
	total->rows += choice->rows;
	total->files += (int64_t)choice->count;
	total->bytes += choice->bytes;
	total->kept_from_us = from_us == INT64_MIN ? 0 : from_us;
	if (work->dry_run)
		return true;
	if (from_us != INT64_MIN && !retention_move(work->catalog, layer, from_us, err))
		return false;
	if (choice->count == 0)
		return true;
	return retention_forget(work->catalog, layer, choice, err);
}

/* Whether silver can stand for bronze that goes. What is found damaged is made again when silver is built
 * the next time: until then that bronze is all there is of it. */
static bool is_backed(const struct step *step, const struct retention_choice *choice, struct arena *arena,
		      bool *backed_out, struct err *err)
{
	struct catalog *catalog = step->work->catalog;
	const struct lake_file *files;
	size_t count;
	if (!retention_list_backing(catalog, choice, arena, &files, &count, err))
		return false;
	*backed_out = lake_verify_silver(catalog, step->work->layout, files, count, err);
	return *backed_out || err->kind == ERR_RETRY;
}

/* Silver lets go of what gold has let go of before: gold is always a part of silver. */
static bool expire_files(struct step *step, enum retention_layer layer, struct err *err)
{
	const struct retention_work *work = step->work;
	for (int commits = 0; commits < COMMITS_MAX; commits++) {
		struct arena arena CLEANUP(arena_finish) = {
			.size_max = work->dry_run ? DRY_CHOICE_BYTES_MAX : (size_t)CHOICE_BYTES_MAX};
		struct retention_choice choice;
		if (!choose(step, layer, &arena, &choice, err))
			return false;
		if (choice.needs_compaction && work->may_compact && !work->dry_run && !step->report.compacted) {
			struct silver_report compacted;
			if (!silver_compact(work->silver, 1, &compacted, err))
				return false;
			step->report.compacted = true;
			continue;
		}
		bool backed = true;
		if (layer == RETENTION_BRONZE && !work->dry_run && !is_backed(step, &choice, &arena, &backed, err))
			return false;
		if (!backed)
			return true;
		int64_t from_us = kept_from(step, layer, &choice);
		if ((layer == RETENTION_SILVER && !expire_gold(step, from_us, err))
		    || !forget(step, layer, &choice, from_us, err))
			return false;
		if (work->dry_run || choice.count < FILES_PER_COMMIT || (work->stop && stop_flag_is_set(work->stop)))
			return true;
	}
	step->report.more = true;
	return true;
}

static bool unlink_forgotten(struct step *step, struct err *err)
{
	int64_t count;
	bool backed_up = true;
	if (!retention_finish(step->work->catalog, &count, &backed_up, err))
		return false;
	step->report.not_backed_up = !backed_up;
	return true;
}

/* ---- all of it ---- */

static bool expire_events(struct step *step, struct err *err)
{
	const struct retention_work *work = step->work;
	int64_t chosen_us = 0;
	if (!gold_choose_expired(work->gold, work->limits->bytes_max[RETENTION_GOLD], &chosen_us, err))
		return false;
	int64_t before_us = before(work, RETENTION_GOLD);
	return expire_gold(step, chosen_us > 0 ? later(before_us, chosen_us) : before_us, err)
	       && expire_files(step, RETENTION_SILVER, err) && expire_files(step, RETENTION_BRONZE, err)
	       && (work->dry_run || unlink_forgotten(step, err));
}

static bool expire_rows(struct step *step, struct err *err)
{
	const struct retention_work *work = step->work;
	struct retention_total *totals = step->report.totals;
	size_t count_max = work->dry_run ? (size_t)INT32_MAX : (size_t)ROWS_PER_CALL;
	return retention_remove_sweeps(work->catalog, before(work, RETENTION_SWEEPS), gold_last_sweep(work->gold),
		       count_max, work->dry_run, &totals[RETENTION_SWEEPS].rows, err)
	       && retention_remove_quarantined(work->catalog, before(work, RETENTION_QUARANTINE),
		       work->limits->bytes_max[RETENTION_QUARANTINE], count_max, work->dry_run,
		       &totals[RETENTION_QUARANTINE].rows, err);
}

bool retention_run(const struct retention_work *work, struct retention_report *report_out, struct err *err)
{
	struct step step = {.work = work};
	if (!expire_events(&step, err) || !expire_rows(&step, err))
		return err_wrap(err, "retention");
	step.report.more = step.report.more || step.report.totals[RETENTION_SWEEPS].rows == ROWS_PER_CALL
			   || step.report.totals[RETENTION_QUARANTINE].rows == ROWS_PER_CALL;
	*report_out = step.report;
	return true;
}

void retention_log(const struct retention_report *report)
{
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++) {
		const struct retention_total *total = &report->totals[i];
		char from[TIME_TEXT_BYTES] = "";
		if (total->rows == 0 && total->files == 0)
			continue;
		if (total->kept_from_us > 0)
			(void)snprintf(from, sizeof(from), "%s", time_render(total->kept_from_us).text);
		LOG_EVENT(LOG_INFO, "no longer kept", log_text("layer", retention_layer_name((enum retention_layer)i)),
			  log_int("rows", total->rows), log_int("files", total->files),
			  log_int("bytes", total->bytes), log_text("kept_from", from[0] ? from : NULL));
	}
}
