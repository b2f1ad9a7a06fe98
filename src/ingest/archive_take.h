/* SPDX-License-Identifier: Apache-2.0 */
/* archive_take.h - a file that a person has, or what comes through a pipe, as a durable file of ours. The content
 * is not looked at: an empty file is taken as one. */
#ifndef INGEST_ARCHIVE_TAKE_H
#define INGEST_ARCHIVE_TAKE_H

#include "base/clock.h"
#include "base/file.h"
#include "wrap/digest.h"

enum archive_keep {
	ARCHIVE_KEEP, /* a copy, of shared blocks where the file system can (btrfs, xfs) */
	ARCHIVE_LINK, /* a second name for the person's own file, where that can be; else a copy. Whoever then
		       * writes into the file changes ours too; to replace it is harmless. */
};

enum archive_way { ARCHIVE_COPIED, ARCHIVE_SHARED, ARCHIVE_LINKED };
const char *archive_way_name(enum archive_way way); /* "copied", "shared", "linked" */

struct archive_taken {
	enum archive_way way;
	int64_t size;
	struct digest sha256; /* of what lies under the new name */
};

/* `from` as `path`, durable, in place of what was there. A pipe is read to its end. ERR_INPUT: missing, a folder,
 * larger than `bytes_max`; ERR_RETRY "stopped" (`stop` may be NULL); ERR_LOCAL for all else. On failure `path` is
 * as it was. */
MUST_CHECK bool archive_take_file(const char *from, enum archive_keep keep, const char *path, int64_t bytes_max,
				  struct stop_flag *stop, struct archive_taken *taken_out, struct err *err);

/* What `descriptor` gives until its end, as `path`; the same errors. It is looked at the stop flag ten times a
 * second while nothing comes. Does not close it. */
MUST_CHECK bool archive_take_stream(int descriptor, const char *path, int64_t bytes_max, struct stop_flag *stop,
				    struct archive_taken *taken_out, struct err *err);

#endif
