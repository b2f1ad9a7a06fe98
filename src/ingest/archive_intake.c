/* SPDX-License-Identifier: Apache-2.0 */
/* archive_intake.c - fetched hours and files become bronze. The number of the batch is in the file's name
 * before the file is there: a crash between leaves a name that the next start adopts. */
#include "ingest/archive_intake.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/archive_fetch.h"
#include "ingest/archive_hour.h"

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

/* A file that is durable below staging/, with what is known of it. */
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

static void set_name(const struct archive_source *source, const char *mirror, struct archive *archive)
{
	const char *name = source->name;
	char absolute[ARCHIVE_ORIGIN_BYTES_MAX + 1] = "";
	if (source->kind == ARCHIVE_FILE) {
		char *real = realpath(source->name, NULL);
		(void)snprintf(absolute, sizeof(absolute), "%s", real ? real : source->name);
		free(real);
	}
	if (source->kind == ARCHIVE_STDIN)
		name = "stdin";
	(void)snprintf(archive->name, sizeof(archive->name), "%s", last_part(name));
	(void)snprintf(archive->origin, sizeof(archive->origin), "%s",
		mirror ? mirror : source->kind == ARCHIVE_FILE ? absolute : source->name);
	archive->at_us = clock_wall_us(clock_system());
}

static void tell(const struct archive *archive, struct archive_intake_result *result)
{
	result->state = archive->state;
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
	if (found) {
		tell(&known, result);
		return file_remove(arrival->path.text, err);
	}
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

static bool stage_path(const struct archive_intake *intake, const char *name, struct file_path *path_out,
		       struct err *err)
{
	return file_path_make(path_out, err, "%s/staging/archive-%s", intake->options.layout->root.text, name);
}

/* ---- local files ---- */

static bool starts_as_gzip(const char *path)
{
	unsigned char magic[2] = {0};
	FILE *file = fopen(path, "rbe");
	size_t got = file ? fread(magic, 1, sizeof(magic), file) : 0;
	if (file)
		(void)fclose(file);
	return got == sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b;
}

static bool bring(const struct archive_intake *intake, const char *from, const char *to, struct err *err)
{
	bool linked = false;
	if (intake->options.link && !file_link(from, to, &linked, err))
		return false;
	return linked || file_copy(from, to, err);
}

static bool take_file(struct archive_intake *intake, const struct archive_source *source, struct archive *archive,
		      struct archive_intake_result *result, struct err *err)
{
	char name[64];
	struct arrival arrival = {0};
	struct archive known;
	bool found;
	const char *from = archive->origin;
	if (access(from, R_OK) != 0)
		return note_absence(intake, archive, ARCHIVE_IS_UNAVAILABLE, "the file cannot be read", result, err);
	(void)snprintf(name, sizeof(name), "file-%016" PRIx64, (uint64_t)(uintptr_t)intake);
	if (!digest_of_file(from, &arrival.digest, &arrival.size_bytes, err)
	    || !catalog_find_archive_content(intake->options.catalog, arrival.digest.hex, &known, &found, err))
		return false;
	if (found) {
		tell(&known, result);
		return true;
	}
	/* What was copied counts, not what was read before: the file may be written to. */
	if (!stage_path(intake, name, &arrival.path, err) || !bring(intake, from, arrival.path.text, err)
	    || !digest_of_file(arrival.path.text, &arrival.digest, &arrival.size_bytes, err))
		return false;
	arrival.is_gzip = starts_as_gzip(arrival.path.text);
	return store(intake, source, &arrival, archive, result, err);
}

bool archive_intake_take(struct archive_intake *intake, const struct archive_source *source, const char *mirror,
			 struct archive_intake_result *result_out, struct err *err)
{
	struct archive kept = {0}; /* some 5 KiB */
	struct archive *archive = &kept;
	struct archive_intake_result result = {0};
	bool found = false;
	set_name(source, mirror, archive);
	assert((source->kind == ARCHIVE_HOUR) == (mirror != NULL));
	if (source->kind != ARCHIVE_FILE && source->kind != ARCHIVE_STDIN
	    && !catalog_find_archive(intake->options.catalog, archive->name, archive->origin, archive, &found, err))
		return err_wrap(err, "%s", source->name);
	bool ok = true;
	if (found)
		tell(archive, &result);
	else if (source->kind == ARCHIVE_FILE)
		ok = take_file(intake, source, archive, &result, err);
	else
		ok = err_set(err, ERR_LOCAL, "not yet");
	if (!ok)
		return err_wrap(err, "%s", source->name);
	*result_out = result;
	return true;
}
