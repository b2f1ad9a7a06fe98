/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline.c - rendering and reading of the pipeline's state. Texts of errors lose the folders of
 * their paths; raw bytes of events are shown as text, escaped. */
#include "serve/pipeline.h"

#include "base/counter.h"
#include "base/log.h"
#include "serve/handlers.h"
#include "serve/serve_private.h"
#include "serve/text.h"

enum { SWEEPS_SHOWN = 20, QUARANTINE_SHOWN = 20 };

static void put_public(const char *key, struct span text, struct json_writer *json)
{
	CLEANUP(buf_finish) struct buf shown = {.size_max = 64 * 1024};
	text_append_public(&shown, text);
	json_put_key_string(json, key, text.size > 0 ? buf_span(&shown) : (struct span){0});
}

/* -1: not known. */
static void put_known(const char *key, int64_t value, struct json_writer *json)
{
	json_put_key(json, key);
	if (value >= 0)
		json_put_integer(json, value);
	else
		json_put_null(json);
}

void pipeline_put_rebuild(const struct gold_stamp *gold, struct json_writer *json)
{
	json_put_key(json, "rebuild");
	if (!gold->rebuild_reason) {
		json_put_null(json);
		return;
	}
	json_begin_object(json);
	json_put_key_text(json, "reason", gold->rebuild_reason);
	json_put_key_integer(json, "rows_done", gold->rebuild_rows_done);
	json_put_key_integer(json, "rows_total", gold->rebuild_rows_total);
	json_put_key_integer(json, "files_done", gold->rebuild_files_done);
	json_put_key_integer(json, "files_total", gold->rebuild_files_total);
	json_end_object(json);
}

static void put_layers(const struct pipeline_view *view, struct json_writer *json)
{
	const struct catalog_totals *totals = &view->totals;
	const struct gold_stamp *gold = &view->gold;
	json_put_key(json, "layers");
	json_begin_object(json);
	json_put_key(json, "bronze");
	json_begin_object(json);
	json_put_key_integer(json, "files", totals->bronze_files);
	json_put_key_integer(json, "bytes", totals->bronze_bytes);
	json_put_key_integer(json, "events", totals->bronze_rows - view->retention[RETENTION_BRONZE].rows);
	json_end_object(json);
	json_put_key(json, "silver");
	json_begin_object(json);
	json_put_key_integer(json, "files", totals->silver_files);
	json_put_key_integer(json, "live_files", totals->live_files);
	json_put_key_integer(json, "bytes", totals->silver_bytes);
	json_put_key_integer(json, "events", totals->silver_rows - view->retention[RETENTION_SILVER].rows);
	json_end_object(json);
	json_put_key(json, "gold");
	json_begin_object(json);
	json_put_key_integer(json, "rows", gold->rows);
	json_put_key_integer(json, "bytes", gold->file_bytes);
	json_put_key_integer(json, "generation", gold->generation);
	json_put_key_integer(json, "loads", gold->loads);
	json_put_key_time(json, "newest_event", gold->newest_event_us);
	json_put_key_time(json, "oldest_event", gold->oldest_event_us);
	json_put_key_time(json, "loaded_at", gold->loaded_at_us);
	json_put_key_text(json, "state", gold->state == GOLD_READY ? "ready" : "rebuilding");
	pipeline_put_rebuild(gold, json);
	json_end_object(json);
	json_end_object(json);
}

/* Each event that came in is in one of the sums; those under way are in `waiting`, and nothing may
 * be under way where no batch waits. */
static void put_ledger(const struct catalog_totals *totals, struct json_writer *json)
{
	int64_t waiting_silver = totals->bronze_rows - totals->silver_rows
				 - totals->silver_duplicates - totals->silver_quarantined;
	int64_t waiting_gold = totals->silver_rows - totals->gold_rows - totals->gold_duplicates
			       - totals->gold_quarantined;
	int64_t duplicates =
		totals->duplicates + totals->silver_duplicates + totals->gold_duplicates;
	int64_t quarantined =
		totals->quarantined + totals->silver_quarantined + totals->gold_quarantined;
	int64_t waiting = waiting_silver + waiting_gold;
	bool balanced = waiting_silver >= 0 && waiting_gold >= 0
			&& (totals->batches_waiting_silver > 0 || waiting_silver == 0)
			&& (totals->batches_waiting_gold > 0 || waiting_gold == 0)
			&& totals->received
				   == totals->gold_rows + duplicates + totals->filtered
					      + quarantined + waiting;
	json_put_key(json, "ledger");
	json_begin_object(json);
	json_put_key_integer(json, "received", totals->received);
	json_put_key_integer(json, "stored", totals->gold_rows);
	json_put_key_integer(json, "duplicates", duplicates);
	json_put_key_integer(json, "filtered", totals->filtered);
	json_put_key_integer(json, "quarantined", quarantined);
	json_put_key_integer(json, "waiting", waiting);
	json_put_key_integer(json, "batches", totals->batches);
	json_put_key_integer(json, "waiting_silver", totals->batches_waiting_silver);
	json_put_key_integer(json, "waiting_gold", totals->batches_waiting_gold);
	json_put_key_boolean(json, "balanced", balanced);
	json_end_object(json);
}

static void put_share(const char *key, const struct feed_share *share, struct json_writer *json)
{
	json_put_key(json, key);
	if (!share->known) {
		json_put_null(json);
		return;
	}
	json_begin_object(json);
	json_put_key_real(json, "share", feed_share_ratio(share));
	json_put_key_integer(json, "streams", share->streams);
	json_put_key_integer(json, "sweeps", share->sweeps);
	json_put_key_time(json, "from", share->from_us);
	json_put_key_time(json, "to", share->to_us);
	json_end_object(json);
}

static void put_clock(const struct ingest_status *status, struct json_writer *json)
{
	json_put_key(json, "clock");
	json_begin_object(json);
	json_put_key_boolean(json, "off", status->clock_off);
	json_put_key(json, "ahead_seconds");
	if (status->clock_known)
		json_put_integer(json, status->clock_ahead_s);
	else
		json_put_null(json);
	json_end_object(json);
}

/* Sums above are of all that ever came; this is what of it is no longer kept. */
static void put_retention(const struct pipeline_view *view, struct json_writer *json)
{
	json_put_key(json, "retention");
	json_begin_object(json);
	for (size_t i = 0; i < RETENTION_LAYER_COUNT; i++) {
		const struct retention_total *total = &view->retention[i];
		json_put_key(json, retention_layer_name((enum retention_layer)i));
		json_begin_object(json);
		json_put_key_time(json, "kept_from", total->kept_from_us);
		json_put_key_integer(json, "removed", i == RETENTION_GOLD ? view->gold.removed : total->rows);
		json_put_key_integer(json, "removed_files", total->files);
		json_put_key_integer(json, "removed_bytes", total->bytes);
		json_put_key_time(json, "removed_at", total->at_us);
		json_end_object(json);
	}
	json_end_object(json);
}

static void put_polling(const struct serve_pipeline *pipeline, struct json_writer *json)
{
	static const struct ingest_status none = {.quota_limit = -1, .quota_remaining = -1};
	const struct ingest_status *status = pipeline->polling ? &pipeline->ingest : &none;
	json_put_key(json, "polling");
	json_begin_object(json);
	json_put_key_boolean(json, "running", status->running);
	json_put_key_boolean(json, "has_token", status->has_token);
	json_put_key_boolean(json, "public_feed", status->public_feed);
	json_put_key_integer(json, "streams", status->streams);
	json_put_key_time(json, "last_poll", status->last_poll_us);
	json_put_key_time(json, "last_answer", status->last_answer_us);
	json_put_key_time(json, "next_poll", status->next_poll_us);
	json_put_key(json, "quota");
	json_begin_object(json);
	put_known("limit", status->quota_limit, json);
	put_known("remaining", status->quota_remaining, json);
	json_put_key_time(json, "reset", status->quota_reset_us);
	json_end_object(json);
	json_put_key_time(json, "limited_until", status->limited_until_us);
	json_put_key_integer(json, "poll_interval_seconds", status->poll_interval_s);
	json_put_key_integer(json, "failures_in_row", status->failures_in_row);
	put_public("last_error", span_of(status->last_error), json);
	put_clock(status, json);
	json_end_object(json);
}

static const char *sweep_status_name(enum sweep_status status)
{
	static const char *const names[] = {
		[SWEEP_OK] = "ok",
		[SWEEP_NOT_MODIFIED] = "not-modified",
		[SWEEP_LIMITED] = "limited",
		[SWEEP_FAILED] = "failed",
	};
	return (size_t)status < ARRAY_COUNT(names) ? names[status] : "unknown";
}

static void put_sweep(const struct sweep *sweep, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_text(json, "stream", sweep->stream);
	json_put_key_text(json, "status", sweep_status_name(sweep->status));
	json_put_key_time(json, "started_at", sweep->started_at_us);
	json_put_key_time(json, "finished_at", sweep->finished_at_us);
	json_put_key_integer(json, "pages", sweep->pages);
	json_put_key_integer(json, "received", sweep->received);
	json_put_key_integer(json, "fresh", sweep->fresh);
	json_put_key(json, "overlap");
	if (sweep->overlap >= 0)
		json_put_real(json, sweep->overlap);
	else
		json_put_null(json);
	json_put_key_boolean(json, "gap", sweep->gap);
	json_put_key_time(json, "gap_from", sweep->gap ? sweep->gap_from_us : 0);
	json_put_key_time(json, "gap_to", sweep->gap ? sweep->gap_to_us : 0);
	put_public("error", span_of(sweep->error), json);
	json_end_object(json);
}

static void put_quarantined(const struct quarantine_entry *entry, struct json_writer *json)
{
	json_begin_object(json);
	json_put_key_time(json, "at", entry->at_us);
	json_put_key_integer(json, "batch", entry->batch);
	json_put_key_string(json, "stage", entry->stage);
	json_put_key_string(json, "reason", entry->reason);
	put_public("detail", entry->detail, json);
	json_put_key_string(json, "path", text_base_name(entry->path));
	json_put_key_integer(json, "offset", entry->offset);
	json_put_key_integer(json, "bytes", entry->size_bytes);
	json_put_key_string(json, "first_bytes", entry->raw.data ? entry->raw : span_of(""));
	json_end_object(json);
}

static void put_lists(const struct pipeline_view *view, struct json_writer *json)
{
	json_put_key_integer(json, "gaps", view->totals.gaps);
	json_put_key(json, "sweeps");
	json_begin_array(json);
	for (size_t i = 0; i < view->sweep_count; i++)
		put_sweep(&view->sweeps[i], json);
	json_end_array(json);
	json_put_key_integer(json, "quarantine_entries", view->totals.quarantine_entries);
	json_put_key(json, "quarantine");
	json_begin_array(json);
	for (size_t i = 0; i < view->quarantine_count; i++)
		put_quarantined(&view->quarantine[i], json);
	json_end_array(json);
}

static void put_counters(struct json_writer *json)
{
	json_put_key(json, "counters");
	json_begin_object(json);
	for (int i = 0; i < COUNTER_COUNT; i++)
		json_put_key_integer(
			json, counter_name((enum counter)i), counter_read((enum counter)i));
	json_end_object(json);
}

/* "ok"; "low": polling is paused; "full": silver and gold wait too. */
static void put_disk(const struct serve_pipeline *pipeline, struct json_writer *json)
{
	const struct disk_room *room = &pipeline->disk;
	bool known = room->free_bytes < INT64_MAX;
	int64_t paused_since_us = pipeline->polling ? pipeline->ingest.paused_since_us : 0;
	json_put_key(json, "disk");
	json_begin_object(json);
	json_put_key_text(json, "state", disk_is_full(room) ? "full" : disk_is_low(room) ? "low" : "ok");
	put_known("free_bytes", known ? room->free_bytes : -1, json);
	put_known("total_bytes", room->total_bytes > 0 ? room->total_bytes : -1, json);
	json_put_key_integer(json, "reserve_bytes", room->reserve_bytes);
	json_put_key_boolean(json, "polling_paused", paused_since_us != 0);
	json_put_key_time(json, "paused_since", paused_since_us);
	json_end_object(json);
}

static void put_stage_error(const struct serve_pipeline *pipeline, struct json_writer *json)
{
	json_put_key(json, "stage_error");
	if (pipeline->stage_error[0] == '\0') {
		json_put_null(json);
		return;
	}
	json_begin_object(json);
	json_put_key_time(json, "at", pipeline->stage_error_at_us);
	put_public("text", span_of(pipeline->stage_error), json);
	json_end_object(json);
}

void pipeline_render(const struct pipeline_view *view, struct buf *out)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_text(&json, "mode", view->pipeline->mode);
	json_put_key_boolean(&json, "demo", view->demo);
	json_put_key_time(&json, "as_of", view->now_us);
	json_put_key_text(&json, "version", OCTOLAKE_VERSION);
	put_layers(view, &json);
	put_ledger(&view->totals, &json);
	put_retention(view, &json);
	put_polling(view->pipeline, &json);
	put_disk(view->pipeline, &json);
	int64_t lag_us = view->now_us - view->gold.newest_event_us;
	put_known("lag_seconds",
		view->gold.newest_event_us == 0 ? -1
		: lag_us > 0                    ? lag_us / 1000000
						: 0,
		&json);
	json_put_key(&json, "seen");
	json_begin_object(&json);
	put_share("public", &view->public_share, &json);
	put_share("watched", &view->watched_share, &json);
	json_end_object(&json);
	put_lists(view, &json);
	put_counters(&json);
	put_stage_error(view->pipeline, &json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

bool pipeline_read(struct catalog *catalog, struct pipeline_view *view, struct arena *arena, struct err *err)
{
	return catalog_read_totals(catalog, &view->totals, err)
	       && retention_read(catalog, view->retention, err)
	       && feed_share_read(catalog, view->now_us, &view->public_share, &view->watched_share, err)
	       && catalog_list_sweeps(catalog, 0, true, SWEEPS_SHOWN, arena, &view->sweeps,
		       &view->sweep_count, err)
	       && catalog_list_quarantine(catalog, QUARANTINE_SHOWN, arena, &view->quarantine,
		       &view->quarantine_count, err);
}

static bool read_catalog(struct call *call, struct pipeline_view *view, struct err *err)
{
	struct catalog *catalog;
	return serve_open_catalog(call, &catalog, err)
	       && pipeline_read(catalog, view, call->request->arena, err);
}

void handle_pipeline(struct call *call)
{
	const struct serve_options *options = &call->serve->options;
	struct serve_pipeline pipeline = {0};
	struct pipeline_view view = {.pipeline = &pipeline, .demo = options->demo};
	struct err err = {0};
	options->read_pipeline(options->pipeline_context, &pipeline);
	gold_read_stamp(options->gold, &view.gold);
	view.now_us = clock_wall_us(options->clock);
	if (!read_catalog(call, &view, &err)) {
		serve_close_catalog(call);
		log_err(LOG_ERROR, "catalog not readable", &err);
		call_problem(call, PROBLEM_UNAVAILABLE);
		return;
	}
	reply_begin(call->reply, 200, REPLY_JSON, "no-store");
	pipeline_render(&view, &call->reply->body);
}
