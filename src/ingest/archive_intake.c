/* SPDX-License-Identifier: Apache-2.0 */
/* archive_intake.c - fetched hours and files become bronze. The number of the batch is in the file's name
 * before the file is there: a crash between leaves a name that the next start adopts. */
#include "ingest/archive_intake.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/archive_fetch.h"
#include "ingest/archive_take.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct archive_intake {
	struct archive_intake_options options;
	struct archive_fetcher *fetcher; /* made when it is first needed; NULL before */
};

/* A file that is durable below incoming/, with what is known of it. */
struct arrival {
	struct file_path path;
	int64_t size_bytes;
	struct digest digest;
	bool is_gzip;
};

bool archive_intake_create(const struct archive_intake_options *options, struct archive_intake **intake_out,
			   struct err *err)
{
	(void)err;
	struct archive_intake *intake = memory_allocate(1, sizeof(*intake));
	intake->options = *options;
	*intake_out = intake;
	return true;
}

void archive_intake_destroy(struct archive_intake **intake)
{
	if (!*intake)
		return;
	archive_fetcher_destroy(&(*intake)->fetcher);
	free(*intake);
	*intake = NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] != '\0' ? slash + 1 : path;
}

static int64_t hour_of(const struct archive_source *source)
{
	return source->hour_us != 0 ? source->hour_us : INT64_MIN;
}

/* ---- what the catalog says of it ---- */

static void set_name(const struct archive_intake *intake, const struct archive_source *source, size_t mirror,
		     struct archive *archive)
{
	const char *name = source->kind == ARCHIVE_STDIN ? "stdin" : source->name;
	const char *origin = source->name;
	char *real = NULL;
	if (source->kind == ARCHIVE_HOUR)
		origin = archive_mirrors_base(intake->options.mirrors, mirror);
	if (source->kind == ARCHIVE_FILE)
		real = realpath(source->name, NULL);
	(void)snprintf(archive->name, sizeof(archive->name), "%s", last_part(name));
	(void)snprintf(archive->origin, sizeof(archive->origin), "%s", real ? real : origin);
	free(real);
	archive->at_us = clock_wall_us(clock_system());
}

static void tell(const struct archive *archive, struct archive_intake_result *result)
{
	result->state = archive->state;
	result->seq = archive->batch;
	result->size_bytes = archive->size_bytes;
	memcpy(result->name, archive->name, sizeof(result->name));
	memcpy(result->reason, archive->reason, sizeof(result->reason));
}

static bool note_absence(struct archive_intake *intake, struct archive *archive, enum archive_state state,
			 const char *reason, struct archive_intake_result *result, struct err *err)
{
	archive->state = state;
	(void)snprintf(archive->reason, sizeof(archive->reason), "%s", reason);
	LOG_EVENT(LOG_WARNING, "archive not imported", log_text("name", archive->name),
		log_text("origin", archive->origin), log_text("is", archive_state_name(state)),
		log_text("reason", archive->reason));
	tell(archive, result);
	return catalog_note_archive(intake->options.catalog, archive, err);
}

/* What came is there under another name, or from another mirror: the next import need not fetch it again. */
static bool note_same(struct archive_intake *intake, const struct archive *archive, const struct archive *known,
		      struct archive_intake_result *result, struct err *err)
{
	struct archive same = *known;
	memcpy(same.name, archive->name, sizeof(same.name));
	memcpy(same.origin, archive->origin, sizeof(same.origin));
	same.at_us = archive->at_us;
	tell(&same, result);
	return catalog_note_archive(intake->options.catalog, &same, err);
}

/* ---- into bronze ---- */

/* The file at arrival->path becomes bronze, and the batch waits. What has the same content is there already. */
static bool store(struct archive_intake *intake, const struct archive_source *source, struct arrival *arrival,
		  struct archive *archive, struct archive_intake_result *result, struct err *err)
{
	FAILPOINT_SCOPE("archive");
	struct catalog *catalog = intake->options.catalog;
	const struct layout *layout = intake->options.layout;
	struct archive known;
	bool found;
	struct file_path path;
	int64_t seq;
	struct lake_file file = {
		.layer = LAYER_BRONZE,
		.size_bytes = arrival->size_bytes,
		.created_at_us = archive->at_us,
		.date_us = source->hour_us,
	};
	if (!catalog_find_archive_content(catalog, arrival->digest.hex, &known, &found, err))
		return false;
	if (found)
		return note_same(intake, archive, &known, result, err) && file_remove(arrival->path.text, err);
	if (!catalog_next_batch(catalog, &seq, err)
	    || !layout_archive(hour_of(source), seq, arrival->is_gzip, &file.path, err)
	    || !layout_absolute(layout, file.path.text, &path, err)
	    || !file_publish(arrival->path.text, path.text, err))
		return false;
	memcpy(file.sha256, arrival->digest.hex, sizeof(file.sha256));
	file.batch_first = file.batch_last = seq;
	archive->state = ARCHIVE_IS_STORED;
	archive->batch = seq;
	archive->size_bytes = arrival->size_bytes;
	memcpy(archive->sha256, arrival->digest.hex, sizeof(archive->sha256));
	if (!catalog_store_archive(catalog, archive, &file, err)
	    || !catalog_read_batch(catalog, seq, &result->batch, &found, err))
		return false;
	assert(found);
	result->is_new = true;
	tell(archive, result);
	return true;
}

/* Where it lies until it is bronze: the same name for the same source, so that a fetch goes on. */
static bool incoming_path(const struct archive_intake *intake, const struct archive *archive,
			  struct file_path *path_out, struct err *err)
{
	char text[ARCHIVE_NAME_BYTES_MAX + ARCHIVE_ORIGIN_BYTES_MAX + 3];
	(void)snprintf(text, sizeof(text), "%s %s", archive->origin, archive->name);
	return file_path_make(path_out, err, "%s/incoming/%.32s", intake->options.layout->root.text,
		digest_of(span_of(text)).hex);
}

static bool starts_as_gzip(const char *path)
{
	unsigned char magic[2] = {0};
	FILE *file = fopen(path, "rbe");
	size_t got = file ? fread(magic, 1, sizeof(magic), file) : 0;
	if (file)
		(void)fclose(file);
	return got == sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
}

/* A person's file, or a pipe. */
static bool take_local(struct archive_intake *intake, const struct archive_source *source, struct archive *archive,
		       struct archive_intake_result *result, struct err *err)
{
	struct arrival arrival = {0};
	struct archive_taken taken;
	struct err trouble = {0};
	enum archive_keep keep = intake->options.link ? ARCHIVE_LINK : ARCHIVE_KEEP;
	if (!incoming_path(intake, archive, &arrival.path, err))
		return false;
	bool ok = source->kind == ARCHIVE_STDIN
			  ? archive_take_stream(STDIN_FILENO, arrival.path.text, ARCHIVE_BYTES_MAX,
				    intake->options.stop, &taken, &trouble)
			  : archive_take_file(source->name, keep, arrival.path.text, ARCHIVE_BYTES_MAX,
				    intake->options.stop, &taken, &trouble);
	if (!ok && trouble.kind == ERR_INPUT)
		return note_absence(intake, archive, ARCHIVE_IS_UNAVAILABLE, trouble.text, result, err);
	if (!ok) {
		*err = trouble;
		return false;
	}
	arrival.size_bytes = taken.size;
	arrival.digest = taken.sha256;
	arrival.is_gzip = starts_as_gzip(arrival.path.text);
	return store(intake, source, &arrival, archive, result, err);
}

/* ---- fetched ones ---- */

static bool fetch(struct archive_intake *intake, const struct archive_source *source, size_t mirror,
		  const struct file_path *path, struct archive_result *result, struct err *err)
{
	if (!intake->fetcher && !archive_fetcher_create(intake->options.mirrors, &intake->fetcher, err))
		return false;
	return source->kind == ARCHIVE_HOUR
		       ? archive_fetch_hour(intake->fetcher, source->hour_us, mirror, path->text, result, err)
		       : archive_fetch_url(intake->fetcher, source->name, path->text, result, err);
}

static bool take_fetched(struct archive_intake *intake, const struct archive_source *source, size_t mirror,
			 struct archive *archive, struct archive_intake_result *result, struct err *err)
{
	static const enum archive_state states[] = {
		[ARCHIVE_MISSING] = ARCHIVE_IS_MISSING,
		[ARCHIVE_UNAVAILABLE] = ARCHIVE_IS_UNAVAILABLE,
		[ARCHIVE_DAMAGED] = ARCHIVE_IS_DAMAGED,
	};
	struct arrival arrival = {0};
	struct archive_result fetched;
	if (!incoming_path(intake, archive, &arrival.path, err)
	    || !fetch(intake, source, mirror, &arrival.path, &fetched, err))
		return false;
	if (fetched.outcome == ARCHIVE_STOPPED)
		return err_set(err, ERR_RETRY, "stopped");
	if (fetched.outcome != ARCHIVE_FETCHED)
		return note_absence(intake, archive, states[fetched.outcome], fetched.reason, result, err);
	arrival.size_bytes = fetched.size;
	arrival.digest = fetched.sha256;
	arrival.is_gzip = starts_as_gzip(arrival.path.text);
	return store(intake, source, &arrival, archive, result, err);
}

/* ---- all of them ---- */

bool archive_intake_take(struct archive_intake *intake, const struct archive_source *source, size_t mirror,
			 struct archive_intake_result *result_out, struct err *err)
{
	struct archive archive = {0};
	struct archive_intake_result result = {0};
	bool is_local = source->kind == ARCHIVE_FILE || source->kind == ARCHIVE_STDIN;
	bool found = false;
	set_name(intake, source, mirror, &archive);
	if (!is_local
	    && !catalog_find_archive(intake->options.catalog, archive.name, archive.origin, &archive, &found, err))
		return err_wrap(err, "%s", source->name);
	bool ok = true;
	if (found)
		tell(&archive, &result);
	else if (is_local)
		ok = take_local(intake, source, &archive, &result, err);
	else
		ok = take_fetched(intake, source, mirror, &archive, &result, err);
	if (!ok)
		return err_wrap(err, "%s", source->name);
	*result_out = result;
	return true;
}

bool archive_intake_clear(const struct layout *layout, struct err *err)
{
	struct file_path path;
	return layout_absolute(layout, "incoming", &path, err) && file_remove_folder(path.text, err);
}
