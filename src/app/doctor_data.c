/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_data.c - the lake: who holds it, whether the catalog and gold open, and whether every file
 * that the catalog names is there as it was written. */
#include "app/doctor.h"

#include "serve/pipeline.h"
#include "wrap/digest.h"
#include "wrap/http_client.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
	CHECK_BYTES_MAX = 128 * 1024 * 1024, /* SQLite's check reads about 100 MB/s */
	FILES_NAMED_MAX = 3,
	DOCUMENT_BYTES_MAX = 4 * 1024 * 1024,
	ANSWER_WAIT_MS_MAX = 5000,
};

static const char START_FIX[] = "start octolake: it sets damaged files aside and makes them again from the layer below";

static const char BRONZE_FIX[] = "bronze is the original: restore these files from a backup, then start octolake";

/* ---- the lock ---- */

/* `true` when the server answered: doctor->pipeline is what it said. */
static bool ask_server(struct doctor *doctor, struct err *err)
{
	struct http_client *client CLEANUP(http_client_destroy) = NULL;
	struct http_client_response response;
	struct http_client_request request = {
		.url = doctor_text(doctor, "%s/api/v1/pipeline", doctor->holder.api),
		.body_bytes_max = DOCUMENT_BYTES_MAX,
		.connect_wait_ms_max = ANSWER_WAIT_MS_MAX,
		.total_wait_ms_max = ANSWER_WAIT_MS_MAX,
	};
	if (!http_client_create(&client, err) || !http_client_send(client, &request, &doctor->arena, &response, err))
		return false;
	if (response.status != 200)
		return err_set(err, ERR_RETRY, "status %d", response.status);
	return json_parse(response.body, &doctor->arena, &doctor->pipeline, err);
}

static void check_lock(struct doctor *doctor)
{
	struct err err;
	doctor->held = session_find_holder(doctor->layout.root.text, &doctor->holder);
	const char *who = doctor_text(doctor, "octolake %s (pid %" PRId64 ")", doctor->holder.command,
				      doctor->holder.pid);
	if (!doctor->held)
		doctor_say(doctor, "lock", DOCTOR_OK, NULL, "nobody works on it");
	else if (doctor->holder.api[0] == '\0')
		doctor_say(doctor, "lock", DOCTOR_OK, NULL, "%s works on it, without serving", who);
	else if (ask_server(doctor, &err))
		doctor_say(doctor, "lock", DOCTOR_OK, NULL, "%s works on it and answers at %s", who,
			   doctor->holder.api);
	else
		doctor_say(doctor, "lock", DOCTOR_FAIL,
			   doctor_text(doctor, "its log says why; to end it: kill %" PRId64, doctor->holder.pid),
			   "%s works on it, but does not answer at %s: %s", who, doctor->holder.api, err.text);
}

/* ---- the catalog ---- */

static void check_catalog(struct doctor *doctor)
{
	struct file_path path;
	struct err err;
	bool checked = false;
	if (!layout_absolute(&doctor->layout, "catalog.sqlite", &path, &err) || !file_exists(path.text)) {
		doctor_say(doctor, "catalog", DOCTOR_OK, NULL, "none yet: nothing was ever stored");
		return;
	}
	int64_t bytes_max = doctor->deep ? INT64_MAX : CHECK_BYTES_MAX;
	if (catalog_open(&doctor->layout, true, &doctor->catalog, &err)
	    && catalog_check(doctor->catalog, bytes_max, &checked, &err)) {
		doctor_say(doctor, "catalog", DOCTOR_OK, NULL, "%s, %s", doctor_bytes(doctor, file_size(path.text)),
			   checked ? "its check found nothing" : "not checked for its size: --deep does it");
		return;
	}
	catalog_close(&doctor->catalog);
	if (err.kind == ERR_RETRY) {
		doctor_say(doctor, "catalog", DOCTOR_WARN, "start octolake once: it brings older formats up", "%s",
			   err.text);
		return;
	}
	const char *fix = err.kind == ERR_INPUT     ? START_FIX
			  : err.exit_code == 4      ? "use the newer octolake that wrote it"
						    : "look at the rights of the folder and its files";
	doctor_say(doctor, "catalog", DOCTOR_FAIL, fix, "%s", err.text);
}

/* ---- files ---- */

struct survey {
	struct doctor *doctor;
	int64_t files;
	int64_t bytes;
	int64_t bad;
	int64_t bad_bronze;
	struct buf named; /* the first few that are bad */
};

/* NULL: nothing is wrong with it. */
static const char *find_fault(struct doctor *doctor, const struct lake_file *file)
{
	struct file_path path;
	struct digest digest;
	struct err err;
	int64_t size_bytes;
	if (!layout_absolute(&doctor->layout, file->path.text, &path, &err))
		return doctor_text(doctor, "%s", err.text);
	size_bytes = file_size(path.text);
	if (size_bytes < 0)
		return "missing";
	if (size_bytes != file->size_bytes)
		return doctor_text(doctor, "%" PRId64 " bytes instead of %" PRId64, size_bytes, file->size_bytes);
	if (!doctor->deep)
		return NULL;
	if (!digest_of_file(path.text, &digest, &size_bytes, &err))
		return doctor_text(doctor, "%s", err.text);
	return strcmp(digest.hex, file->sha256) == 0 ? NULL : "another checksum";
}

/* Beside a running server a file may be replaced between the list and the look: only what a new
 * list still names is missing. */
static bool is_named(struct doctor *doctor, const struct lake_file *file)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = 256 * 1024 * 1024};
	const struct lake_file *files;
	size_t count;
	struct err err;
	if (!doctor->held || !catalog_list_files(doctor->catalog, file->layer, &arena, &files, &count, &err))
		return true;
	for (size_t i = 0; i < count; i++)
		if (strcmp(files[i].path.text, file->path.text) == 0)
			return files[i].size_bytes == file->size_bytes;
	return false;
}

static void survey_file(struct survey *survey, const struct lake_file *file)
{
	const char *fault = find_fault(survey->doctor, file);
	survey->files++;
	survey->bytes += file->size_bytes;
	if (!fault || !is_named(survey->doctor, file))
		return;
	survey->bad++;
	survey->bad_bronze += file->layer == LAYER_BRONZE;
	if (survey->bad <= FILES_NAMED_MAX)
		buf_printf(&survey->named, "%s%s: %s", survey->bad > 1 ? "; " : "", file->path.text, fault);
}

static void check_files(struct doctor *doctor)
{
	static const enum lake_layer layers[] = {LAYER_BRONZE, LAYER_SILVER_LIVE, LAYER_SILVER};
	struct survey survey = {.doctor = doctor, .named = {.size_max = 64 * 1024}};
	struct err err;
	for (size_t i = 0; i < ARRAY_COUNT(layers); i++) {
		struct arena arena CLEANUP(arena_finish) = {.size_max = 1024 * 1024 * 1024};
		const struct lake_file *files;
		size_t count;
		if (!catalog_list_files(doctor->catalog, layers[i], &arena, &files, &count, &err)) {
			doctor_say(doctor, "files", DOCTOR_FAIL, START_FIX, "%s", err.text);
			return;
		}
		for (size_t f = 0; f < count; f++)
			survey_file(&survey, &files[f]);
	}
	const char *how = doctor->deep ? "size and checksum" : "size";
	if (survey.bad == 0)
		doctor_say(doctor, "files", DOCTOR_OK, NULL, "%" PRId64 " files, %s: all there, %s as written",
			   survey.files, doctor_bytes(doctor, survey.bytes), how);
	else
		doctor_say(doctor, "files", DOCTOR_FAIL,
			   survey.bad_bronze > 0 ? BRONZE_FIX : START_FIX,
			   "%" PRId64 " of %" PRId64 " files are not as written (%s%s)", survey.bad, survey.files,
			   survey.named.data, survey.bad > FILES_NAMED_MAX ? "; …" : "");
	buf_finish(&survey.named);
}

/* ---- gold ---- */

static void say_gold(struct doctor *doctor, int64_t generation, int64_t rows, int64_t file_bytes)
{
	doctor_say(doctor, "gold", DOCTOR_OK, NULL, "generation %" PRId64 ", %" PRId64 " events, %s", generation, rows,
		   doctor_bytes(doctor, file_bytes));
}

static void say_gold_of_server(struct doctor *doctor)
{
	const struct json_node *gold = json_get(json_get(doctor->pipeline, "layers"), "gold");
	if (span_equal_text(json_get_text(gold, "state"), "ready"))
		say_gold(doctor, json_get_integer(gold, "generation", 0), json_get_integer(gold, "rows", 0),
			 json_get_integer(gold, "bytes", 0));
	else
		doctor_say(doctor, "gold", DOCTOR_WARN, "wait: the dashboard says when it is done",
			   "it is being made again from silver");
}

/* The engine would lock the file: nobody may start meanwhile. */
static void open_gold(struct doctor *doctor)
{
	struct file_lock *lock CLEANUP(file_lock_release) = NULL;
	struct file_path path;
	struct err err;
	const char *own = doctor_text(doctor, "{\"pid\":%lld,\"command\":\"doctor\"}", (long long)getpid());
	if (!layout_absolute(&doctor->layout, "LOCK", &path, &err)
	    || !file_lock_take(path.text, own, &lock, NULL, &err))
		doctor_say(doctor, "gold", DOCTOR_WARN, "run doctor again", "not looked at: %s", err.text);
	else if (!gold_probe(&doctor->layout, doctor->catalog, &doctor->gold, &err))
		doctor_say(doctor, "gold", DOCTOR_FAIL, START_FIX, "%s", err.text);
	else if (doctor->gold.found)
		say_gold(doctor, doctor->gold.generation, doctor->gold.rows, doctor->gold.file_bytes);
	else
		doctor_say(doctor, "gold", DOCTOR_OK, NULL, "none yet: made at the next start");
}

/* ---- the pipeline's state without a server ---- */

static bool render_pipeline(struct doctor *doctor, struct err *err)
{
	struct buf text CLEANUP(buf_finish) = {.size_max = DOCUMENT_BYTES_MAX};
	struct serve_pipeline none = {.mode = "none"};
	struct pipeline_view view = {.pipeline = &none, .now_us = clock_wall_us(clock_system())};
	if (!pipeline_read(doctor->catalog, &view, &doctor->arena, err))
		return false;
	view.gold.newest_event_us = view.totals.newest_event_us;
	pipeline_render(&view, &text);
	return json_parse(buf_span(&text), &doctor->arena, &doctor->pipeline, err);
}

static void check_quarantine(struct doctor *doctor)
{
	struct catalog_totals totals;
	struct err err;
	if (!catalog_read_totals(doctor->catalog, &totals, &err))
		doctor_say(doctor, "quarantine", DOCTOR_FAIL, START_FIX, "%s", err.text);
	else if (totals.quarantine_entries == 0)
		doctor_say(doctor, "quarantine", DOCTOR_OK, NULL, "empty");
	else
		doctor_say(doctor, "quarantine", DOCTOR_WARN,
			   "the dashboard's Pipeline part shows each with its reason and first bytes",
			   "%" PRId64 " elements were set aside, %s", totals.quarantine_entries,
			   doctor_bytes(doctor, totals.quarantine_bytes));
}

/* ---- retention ---- */

static void check_retention(struct doctor *doctor)
{
	static const struct {
		const char *layer;
		enum config_option age, bytes;
	} limits[] = {
		{"bronze", OPTION_KEEP_BRONZE, OPTION_BRONZE_MAX},
		{"silver", OPTION_KEEP_SILVER, OPTION_SILVER_MAX},
		{"gold", OPTION_KEEP_GOLD, OPTION_GOLD_MAX},
	};
	struct buf text CLEANUP(buf_finish) = {.size_max = 1024};
	bool bounded = true;
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		const char *age = config_text(doctor->config, limits[i].age);
		const char *bytes = config_text(doctor->config, limits[i].bytes);
		buf_printf(&text, "%s%s %s%s%s", i > 0 ? ", " : "", limits[i].layer,
			   age ? age : bytes ? "" : "for ever", age && bytes ? " and " : "", bytes ? bytes : "");
		bounded = bounded && (age || bytes);
	}
	doctor_say(doctor, "retention", DOCTOR_OK, NULL, "kept: %s%s", text.data,
		   bounded ? "" : " (--keep-bronze, --bronze-max and so on bound it)");
}

void doctor_check_data(struct doctor *doctor)
{
	struct err err;
	if (!doctor->has_folder) {
		doctor_say(doctor, "lock", DOCTOR_OK, NULL, "there is no data folder yet");
		return;
	}
	check_lock(doctor);
	check_catalog(doctor);
	check_retention(doctor);
	if (doctor->catalog)
		check_files(doctor);
	if (doctor->pipeline)
		say_gold_of_server(doctor);
	else if (doctor->held)
		doctor_say(doctor, "gold", DOCTOR_WARN, NULL, "not looked at while octolake %s works on it",
			   doctor->holder.command);
	else if (doctor->catalog)
		open_gold(doctor);
	if (!doctor->catalog)
		return;
	check_quarantine(doctor);
	if (!doctor->pipeline && !render_pipeline(doctor, &err))
		doctor_say(doctor, "state", DOCTOR_FAIL, START_FIX, "%s", err.text);
}
