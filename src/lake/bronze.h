/* SPDX-License-Identifier: Apache-2.0 */
/* bronze.h - bronze files: events exactly as received, one per line, zstd, routed by type and day
 * of `created_at`. docs/formats/bronze.md is the contract.
 *
 * A file starts with a skippable frame holding a JSON header (format, batch, type, date, events,
 * received_at, source), so a lost catalog can be rebuilt from the files; then zstd frames of
 * lines, each with a checksum. `zstd -dc` prints the lines. Files are published whole and never change. */
#ifndef LAKE_BRONZE_H
#define LAKE_BRONZE_H

#include "lake/event.h"
#include "lake/layout.h"

enum { BRONZE_BATCH_BYTES_MAX = 256 * 1024 * 1024, BRONZE_BATCH_FILES_MAX = 1024, BRONZE_SOURCE_BYTES_MAX = 15 };

struct bronze_file {
	struct file_path path; /* relative to the data folder */
	char type[EVENT_TYPE_BYTES_MAX + 1];
	int64_t date_us;
	int64_t batch;
	int64_t events;
	int64_t size_bytes;
	int64_t received_at_us;
	int64_t time_min_us; /* created_at of its oldest and newest event */
	int64_t time_max_us;
	char source[BRONZE_SOURCE_BYTES_MAX + 1]; /* lower-case letters and "-": "api", "gh-events" */
	char sha256[65]; /* of the whole file */
};

/* Collects one batch in memory, then publishes its files together. */
struct bronze_writer;
struct bronze_writer *bronze_writer_create(const struct layout *layout);
void bronze_writer_destroy(struct bronze_writer **writer); /* unpublished events are forgotten */
/* Adds an event whose JSON is `json`. False (ERR_INPUT "batch full", the writer unchanged) past
 * BRONZE_BATCH_BYTES_MAX or BRONZE_BATCH_FILES_MAX: publish, then add it again. ERR_INPUT also for
 * JSON over SCAN_EVENT_BYTES_MAX, which scan_event refuses before. */
MUST_CHECK bool bronze_writer_add(struct bronze_writer *writer, const struct event *event, struct span json,
				  struct err *err);
int64_t bronze_writer_events(const struct bronze_writer *writer);
int64_t bronze_writer_bytes(const struct bronze_writer *writer);
/* Writes, fsyncs and renames every file, then fsyncs every folder. On success the files (at most
 * one per type and day, in path order) are in arena memory and the writer is empty again; on failure
 * it keeps its events and may be published again under the same batch: files are overwritten. */
MUST_CHECK bool bronze_writer_publish(struct bronze_writer *writer, int64_t batch, int64_t received_at_us,
				      const char *source, struct arena *arena, const struct bronze_file **files_out,
				      size_t *file_count_out, struct err *err);

/* Reads a bronze file line by line. `path` absolute. Of a damaged file the frames that agree with their
 * checksums give their lines, and ERR_INPUT comes after the last of them; at open when not even the
 * header can be read. A file of a newer format is ERR_LOCAL, exit code 4. */
struct bronze_reader;
MUST_CHECK bool bronze_reader_open(const char *path, struct bronze_reader **reader_out, struct err *err);
/* The same for a file that the catalog names, with its digest: when it is as it was written, its frames are
 * not looked at twice; else its header may be damaged too, but must not name another place (ERR_INPUT). */
MUST_CHECK bool bronze_reader_open_known(const struct layout *layout, const char *relative, const char *sha256,
					 struct bronze_reader **reader_out, struct err *err);
void bronze_reader_close(struct bronze_reader **reader);
/* The file's header as written at publication, and its size; `path` and `sha256` are "". */
const struct bronze_file *bronze_reader_header(const struct bronze_reader *reader);
/* Next line without its line feed (borrowed until the next call) and its offset in the
 * decompressed bytes. *end_out true after the last. */
MUST_CHECK bool bronze_reader_next(struct bronze_reader *reader, struct span *line_out, int64_t *offset_out,
				   bool *end_out, struct err *err);

/* Describes a bronze file found on disk without the catalog: header plus size and sha256. Reads it
 * to its end. A file of which only a part can be read has an empty sha256, and the number of events that
 * its header says. ERR_INPUT when it is no bronze file, nothing of it can be read, or it lies under
 * another's name. */
MUST_CHECK bool bronze_inspect(const struct layout *layout, const char *relative, struct bronze_file *file_out,
			       struct err *err);

#endif
