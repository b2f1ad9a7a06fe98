/* SPDX-License-Identifier: Apache-2.0 */
#include "make_hours/hours.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "fake_github/synthetic_event.h"
#include "make_hours/pack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_EVENTS = 512,
	HOUR_SECONDS = 3600,
	ID_STEP_MAX = 5,      /* event_plan_next's */
	JITTER_US = 4000000,  /* how far lines are out of order */
	NUMBERS_AN_HOUR = 64, /* that the issues of one repository may take without meeting those of the next */
	LINE_BYTES_MAX = 4 * 1024 * 1024,
};

static const int64_t hour_us = 3600000000;
static const int64_t first_us = 1420070400000000; /* 2015-01-01 */
static const int64_t thin_us = 1759795200000000;  /* 2025-10-07 */

struct hours_maker {
	struct hours_options options;
	struct world *world;
	struct event_plan *lines; /* of the hour in the making */
};

struct hours_maker *hours_create(const struct hours_options *options)
{
	assert(options->events > 0 && options->events <= HOURS_EVENTS_MAX);
	assert(options->overlap_percent <= HOURS_OVERLAP_PERCENT_MAX);
	assert(options->threads > 0 && options->threads <= HOURS_THREADS_MAX);
	struct hours_maker *maker = memory_allocate(1, sizeof(*maker));
	maker->options = *options;
	maker->world = world_create(&(struct world_shape){
		.seed = options->seed,
		.repositories = options->repositories,
		.people = options->people,
		.prose = true,
	});
	maker->lines = memory_allocate(options->events, sizeof(*maker->lines));
	return maker;
}

void hours_destroy(struct hours_maker **maker)
{
	if (!*maker)
		return;
	world_destroy(&(*maker)->world);
	free((*maker)->lines);
	free(*maker);
	*maker = NULL;
}

/* ---- planning ---- */

static bool is_full(const struct hours_maker *maker, int64_t start_us)
{
	return maker->options.era == HOURS_ERA_FULL
	       || (maker->options.era == HOURS_ERA_BY_DATE && start_us < thin_us);
}

/* Decides the `count` events that are the hour's own. */
static void plan_hour(struct hours_maker *maker, int64_t start_us, struct event_plan *plans, uint32_t count)
{
	uint64_t hour = (uint64_t)((start_us - first_us) / hour_us);
	uint64_t first_id = hour * ID_STEP_MAX * maker->options.events;
	struct event_sequences sequences = {.push_id = 400000000000 + first_id, .other_id = 2489651045 + first_id};
	struct world_random random = {maker->options.seed * 0x9e3779b97f4a7c15U + hour};
	(void)world_random_next(&random);
	world_reset(maker->world, (uint32_t)hour * NUMBERS_AN_HOUR);
	for (uint32_t i = 0; i < count; i++) {
		int64_t at_us = (int64_t)((uint64_t)i * (uint64_t)hour_us / count);
		at_us -= (int64_t)world_random_below(&random, JITTER_US);
		plans[i] = event_plan_next(maker->world, &sequences, &random, start_us + (at_us > 0 ? at_us : 0));
	}
}

/* Lines of the hour that are the hour before's. An event looks the same wherever it is: none is carried into
 * another era. */
static uint32_t count_again(const struct hours_maker *maker, int64_t start_us)
{
	if (start_us == first_us || is_full(maker, start_us - hour_us) != is_full(maker, start_us))
		return 0;
	return (uint32_t)((uint64_t)maker->options.events * maker->options.overlap_percent / 100);
}

static void plan_lines(struct hours_maker *maker, int64_t start_us)
{
	uint32_t again = count_again(maker, start_us);
	maker->world->shape.full_payloads = is_full(maker, start_us);
	if (again > 0) {
		/* The last ones of the hour before go first: `again` is at most half of all. */
		uint32_t own_before = maker->options.events - count_again(maker, start_us - hour_us);
		plan_hour(maker, start_us - hour_us, maker->lines, own_before);
		memmove(maker->lines, maker->lines + (own_before - again), again * sizeof(*maker->lines));
	}
	plan_hour(maker, start_us, maker->lines + again, maker->options.events - again);
}

/* ---- writing ---- */

static void render_chunk(void *context, size_t chunk, struct buf *out)
{
	const struct hours_maker *maker = context;
	size_t end = (chunk + 1) * CHUNK_EVENTS;
	if (end > maker->options.events)
		end = maker->options.events;
	for (size_t i = chunk * CHUNK_EVENTS; i < end; i++) {
		event_render(maker->world, &maker->lines[i], out);
		buf_append_byte(out, '\n');
	}
}

static bool write_draft(void *context, const void *data, size_t size, struct err *err)
{
	return file_draft_write(context, data, size, err);
}

bool hours_write(struct hours_maker *maker, int64_t start_us, const char *path, struct hours_report *report_out,
		 struct err *err)
{
	assert(start_us >= first_us && (start_us - first_us) % hour_us == 0);
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	struct hours_report report = {0};
	if (!file_draft_create(path, &draft, err))
		return false;
	plan_lines(maker, start_us);
	const struct pack_job job = {
		.chunk_count = (maker->options.events + CHUNK_EVENTS - 1) / CHUNK_EVENTS,
		.chunk_bytes_max = (size_t)CHUNK_EVENTS * LINE_BYTES_MAX,
		.threads = maker->options.threads,
		.level = maker->options.level,
		.render = render_chunk,
		.write = write_draft,
		.render_context = maker,
		.write_context = draft,
	};
	if (!pack_run(&job, &report.raw_bytes, &report.gzip_bytes, err) || !file_draft_publish(&draft, true, err))
		return false;
	*report_out = report;
	return true;
}

/* ---- names ---- */

bool hours_parse_name(const char *name, int64_t *start_us_out)
{
	struct span text = span_of(name);
	/* 2026-09-20-7: the date, then one or two digits. */
	if (text.size < 12 || text.size > 13 || name[10] != '-' || (text.size == 13 && name[11] == '0'))
		return false;
	char full[32];
	(void)snprintf(full, sizeof(full), "%.10sT%s%s:00:00Z", name, text.size == 12 ? "0" : "", name + 11);
	int64_t start_us;
	if (!time_parse(span_of(full), &start_us) || start_us < first_us)
		return false;
	*start_us_out = start_us;
	return true;
}

struct hours_name hours_name_of(int64_t start_us)
{
	struct hours_name name;
	(void)snprintf(name.text, sizeof(name.text), "%.10s-%" PRId64, time_render_date(start_us).text,
		       start_us / hour_us % 24);
	return name;
}
