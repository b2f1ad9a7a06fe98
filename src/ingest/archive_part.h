/* SPDX-License-Identifier: Apache-2.0 */
/* archive_part.h - a file of an archive while it is fetched: PATH.part holds its first bytes, PATH.part.from
 * is a note of where they come from, which version of the file they are of, how many, and their SHA-256.
 *
 * The note is renewed every 16 MiB and when a transfer ends early; both outlive the process. What the note
 * says is checked against the bytes before anything is added to them, so it does not matter what a crash or a
 * power failure left. Without a validator (a strong ETag, or a date older than a minute) there is no note, and
 * the next attempt begins anew. One process at a time may work on a PATH. For archive_*.c only. */
#ifndef INGEST_ARCHIVE_PART_H
#define INGEST_ARCHIVE_PART_H

#include "base/file.h"
#include "wrap/digest.h"

enum {
	ARCHIVE_URL_BYTES_MAX = 2048,
	ARCHIVE_ETAG_BYTES_MAX = 256,
	ARCHIVE_NOTE_EVERY_BYTES = 16 * 1024 * 1024,
	ARCHIVE_START_BYTES = 1024,
};

/* One version of a file at a server. */
struct archive_origin {
	char url[ARCHIVE_URL_BYTES_MAX]; /* that was asked for, before redirects */
	char etag[ARCHIVE_ETAG_BYTES_MAX]; /* "": none */
	char last_modified[64];            /* as sent; "": none */
	bool date_is_strong;               /* more than a minute older than the answer (RFC 9110, 8.8.2.2) */
	int64_t length;                    /* of the whole file; -1: not announced */
};

/* What If-Range may name; "": nothing. */
const char *archive_origin_validator(const struct archive_origin *origin);

struct archive_part {
	struct file_path path; /* final */
	struct archive_origin origin;
	int64_t bytes; /* there, of that origin; only these count */
	int64_t noted_bytes;
	char start[ARCHIVE_START_BYTES]; /* the first of them */
	size_t start_size;
	struct digest_stream *digest;
	struct file_draft *draft; /* NULL: not open for more */
};

/* Looks for what an earlier attempt left for the same `url`; nothing usable: 0 bytes. Asks nobody. ERR_LOCAL. */
MUST_CHECK bool archive_part_load(struct archive_part *part, const char *path, const char *url, struct err *err);
/* Open for more: behind the bytes that are there (the origin must be the same), or anew. ERR_LOCAL. */
MUST_CHECK bool archive_part_continue(struct archive_part *part, struct err *err);
MUST_CHECK bool archive_part_restart(struct archive_part *part, const struct archive_origin *origin, struct err *err);
MUST_CHECK bool archive_part_add(struct archive_part *part, struct span bytes, struct err *err);
/* Writes the note and closes; more may follow after archive_part_continue. ERR_LOCAL. */
MUST_CHECK bool archive_part_pause(struct archive_part *part, struct err *err);
/* It is whole: durable as PATH, the note removed. ERR_LOCAL. */
MUST_CHECK bool archive_part_publish(struct archive_part *part, struct err *err);
/* Removes both. ERR_LOCAL. */
MUST_CHECK bool archive_part_discard(struct archive_part *part, struct err *err);
/* For CLEANUP: closes and leaves both as they are. A zeroed one is fine. */
void archive_part_finish(struct archive_part *part);

#endif
