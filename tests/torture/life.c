/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/torture.h"

#include "app/retention.h"
#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DIGEST_BYTES_MAX = 256, LIST_BYTES_MAX = 64 * 1024 * 1024 };

struct life {
	const struct life_options *options;
	struct ledger *ledger;
	struct config *config;
	struct session session;
	struct silver *silver;
	struct gold *gold;
	struct feed feed;
};

static void end_life(struct life *life)
{
	feed_close(&life->feed);
	gold_close(&life->gold);
	silver_close(&life->silver);
	session_close(&life->session);
	config_destroy(&life->config);
}

/* As octolake's own start: options, lock, recovery, engines. */
static bool begin(struct life *life, struct err *err)
{
	struct file_path data;
	struct file_path events;
	const char *folder = life->options->folder;
	if (!file_path_make(&data, err, "%s/lake", folder)
	    || !file_path_make(&events, err, "%s/events-%s.yaml", folder, life->options->other_views ? "b" : "a"))
		return false;
	char *arguments[] = {"octolake", "--data", data.text, "--events", events.text, "--workers", "1", NULL};
	return config_create((int)ARRAY_COUNT(arguments) - 1, arguments, &life->config, err)
	       && session_open(&life->session, life->config, "torture", err)
	       && stages_open_silver(&life->session, &life->silver, err)
	       && stages_open_gold(&life->session, life->options->defer_rebuild, NULL, &life->gold, err);
}

static bool refresh(struct life *life, struct err *err)
{
	struct silver_report silver_report;
	struct gold_report report;
	bool rest;
	/* A second load, because the first may have found that a rebuild is due, which is then done. */
	return stages_transform(life->silver, NULL, &silver_report, &rest, err)
	       && stages_load(&life->session, life->silver, life->gold, NULL, &report, err)
	       && stages_load(&life->session, life->silver, life->gold, NULL, &report, err);
}

static bool compact(struct life *life, struct err *err)
{
	struct silver_report report = {.files_replaced = 1};
	int64_t found_damaged = 0;
	while (report.files_replaced > 0) {
		if (silver_compact(life->silver, 1, &report, err))
			continue;
		/* A file that a life before this one spoilt: it is made again, then compaction has its turn. */
		if (err->kind != ERR_RETRY || found_damaged++ > 0 || !refresh(life, err))
			return false;
		report.files_replaced = 1;
	}
	return true;
}

static bool rebuild(struct life *life, bool from_bronze, struct err *err)
{
	struct silver_report silver_report;
	struct gold_report report;
	return (!from_bronze || silver_rebuild(life->silver, NULL, NULL, &silver_report, err))
	       && stages_rebuild(&life->session, life->silver, life->gold, NULL, &report, err);
}

/* One byte of the layer's first file is another one, as on a bad disk: neither its size nor its time says so. */
static bool spoil_silver(struct life *life, enum lake_layer layer, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	const struct lake_file *files;
	size_t count;
	struct retention_total removed[RETENTION_LAYER_COUNT];
	struct file_path path;
	char byte;
	if (!retention_read(life->session.catalog, removed, err))
		return false;
	/* Without bronze it would be lost indeed. */
	if (removed[RETENTION_BRONZE].files > 0)
		return true;
	if (!catalog_list_files(life->session.catalog, layer, &arena, &files, &count, err)
	    || !file_path_make(&path, err, "%s/lake/%s", life->options->folder, count > 0 ? files[0].path.text : ""))
		return false;
	if (count == 0)
		return err_set(err, ERR_LOCAL, "there is no silver to spoil");
	int descriptor = open(path.text, O_RDWR | O_CLOEXEC);
	off_t middle = (off_t)(files[0].size_bytes / 2);
	bool spoilt = descriptor >= 0 && pread(descriptor, &byte, 1, middle) == 1;
	byte = (char)(spoilt ? byte ^ 1 : 0);
	spoilt = spoilt && pwrite(descriptor, &byte, 1, middle) == 1;
	if (!spoilt)
		(void)err_set_errno(err, ERR_LOCAL, errno, "%s", path.text);
	if (descriptor >= 0)
		(void)close(descriptor);
	return spoilt;
}

static bool compare_with_rebuild(struct life *life, struct err *err)
{
	char before[DIGEST_BYTES_MAX];
	char after[DIGEST_BYTES_MAX];
	int64_t rows;
	/* A catalog that was lost may have forgotten the horizon, until the next pass of retention. */
	if (!retention_move(life->session.catalog, RETENTION_GOLD, life->ledger->gone_before_us, err)
	    || !gold_expire(life->gold, NULL, &rows, err) || !verify_digest(life->gold, before, sizeof(before), err) || !rebuild(life, true, err)
	    || !verify_digest(life->gold, after, sizeof(after), err))
		return false;
	life->ledger->compared = true;
	return strcmp(before, after) == 0
	       || err_set(err, ERR_LOCAL, "a rebuild gives \"%s\" instead of \"%s\"", after, before);
}

/* Passes of retention in which `layer` has a limit, and the others none. */
static bool retain(struct life *life, enum retention_layer layer, int64_t bytes_max, struct err *err)
{
	struct retention_limits limits = {{0}, {0}};
	struct retention_report report = {.more = true};
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++)
		limits.bytes_max[i] = INT64_MAX;
	limits.bytes_max[layer] = bytes_max;
	const struct retention_work retention = {
		.limits = &limits,
		.layout = &life->session.layout,
		.catalog = life->session.catalog,
		.silver = life->silver,
		.gold = life->gold,
		.clock = clock_system(),
		.may_compact = true,
	};
	while (report.more)
		if (!retention_run(&retention, &report, err))
			return false;
	return true;
}

static bool retain_bronze(struct life *life, struct err *err)
{
	struct catalog_totals totals;
	life->ledger->retained = true;
	return catalog_read_totals(life->session.catalog, &totals, err)
	       && retain(life, RETENTION_BRONZE, totals.bronze_bytes / 2, err);
}

static bool retain_gold(struct life *life, struct err *err)
{
	int64_t used_bytes;
	int64_t before_us;
	struct gold_stamp stamp;
	/* Nine tenths of this are left: three quarters. What goes is to be known before it may be gone. */
	if (!verify_gold_bytes(life->gold, &used_bytes, err)
	    || !gold_choose_expired(life->gold, used_bytes * 5 / 6, &before_us, err))
		return false;
	if (life->ledger->gone_before_us < before_us)
		life->ledger->gone_before_us = before_us;
	if (!retain(life, RETENTION_GOLD, used_bytes * 5 / 6, err))
		return false;
	gold_read_stamp(life->gold, &stamp);
	return (stamp.rows > 0 && stamp.oldest_event_us >= before_us)
	       || err_set(err, ERR_LOCAL, "gold does not keep just what came after its horizon");
}

static bool store_and_refresh(struct life *life, struct err *err)
{
	return feed_store(&life->feed, err) && refresh(life, err);
}

static struct import_lake lake_of(struct life *life)
{
	return (struct import_lake){life->options, &life->session, life->silver, life->gold, life->ledger};
}

/* What was polled is imported, and what is imported is polled. */
static bool import(struct life *life, struct err *err)
{
	const struct import_lake lake = lake_of(life);
	return store_and_refresh(life, err) && import_begin(&lake, life->feed.position, err)
	       && import_finish(&lake, err) && store_and_refresh(life, err) && compact(life, err);
}

static bool work(struct life *life, struct err *err)
{
	switch (life->options->scenario) {
	case SCENARIO_ARCHIVE:
		return archive_live(life->options->folder, err);
	case SCENARIO_COMPACT:
		return store_and_refresh(life, err) && store_and_refresh(life, err) && compact(life, err);
	case SCENARIO_IMPORT:
	case SCENARIO_IMPORT_FAR:
	case SCENARIO_IMPORT_FETCHED:
	case SCENARIO_IMPORT_DROP:
		return import(life, err);
	case SCENARIO_EXPIRED_GOLD:
		return store_and_refresh(life, err) && retain_gold(life, err) && store_and_refresh(life, err);
	case SCENARIO_RETENTION:
		/* So many that some of them stay whole: only then a file of silver is written again. */
		return feed_store(&life->feed, err) && feed_store(&life->feed, err) && store_and_refresh(life, err)
		       && compact(life, err) && retain_bronze(life, err) && rebuild(life, true, err);
	case SCENARIO_SPOILT_SILVER:
		return store_and_refresh(life, err) && store_and_refresh(life, err) && compact(life, err)
		       && store_and_refresh(life, err) && spoil_silver(life, LAYER_SILVER, err)
		       && spoil_silver(life, LAYER_SILVER_LIVE, err) && rebuild(life, false, err)
		       && refresh(life, err);
	case SCENARIO_REBUILD_SILVER:
		return feed_store(&life->feed, err) && rebuild(life, true, err);
	case SCENARIO_REBUILD_GOLD:
		return store_and_refresh(life, err) && rebuild(life, false, err);
	case SCENARIO_POLL:
	case SCENARIO_NEW_LAKE:
		/* One batch alone, then two that share a load. */
		return store_and_refresh(life, err) && feed_store(&life->feed, err)
		       && feed_store_garbage(&life->feed, err) && store_and_refresh(life, err);
	default:
		return store_and_refresh(life, err);
	}
}

static bool verify(struct life *life, struct err *err)
{
	return verify_lake(&life->session, life->gold, life->ledger)
	       || err_set(err, ERR_LOCAL, "%s", life->ledger->violation);
}

static bool finish_import(struct life *life, struct err *err)
{
	const struct import_lake lake = lake_of(life);
	return !life->ledger->import.begun || import_finish(&lake, err);
}

static bool live(struct life *life, struct err *err)
{
	if (!begin(life, err) || (life->options->finish_first && !finish_import(life, err)) || !refresh(life, err))
		return false;
	if (!feed_open(&life->feed, &life->session, life->ledger, err))
		return false;
	/* What the cursor says is stored, whether or not the life before lived to hear it. */
	if (life->ledger->promised < life->feed.position)
		life->ledger->promised = life->feed.position;
	if (!verify(life, err))
		return false;
	life->ledger->verified = true;
	if (life->ledger->import.begun && (!finish_import(life, err) || !verify(life, err)))
		return false;
	return (!life->options->rebuild || compare_with_rebuild(life, err)) && work(life, err);
}

bool life_run(const struct life_options *options, struct ledger *ledger)
{
	struct err err = {0};
	struct life life = {.options = options, .ledger = ledger};
	bool ok = live(&life, &err);
	if (!ok && ledger->violation[0] == '\0')
		(void)ledger_violate(ledger, "the life failed: %s", err.text);
	end_life(&life);
	if (ok && failpoint_stray())
		ok = ledger_violate(ledger, "%s is not in the table of failpoints", failpoint_stray());
	for (size_t i = 0; i < failpoint_count(); i++)
		ledger->hits[i] = failpoint_hits(i);
	ledger->finished = ok;
	return ok;
}
