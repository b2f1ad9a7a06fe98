/* SPDX-License-Identifier: Apache-2.0 */
/* archive_intake.h - one hour or file of GH Archive into bronze: fetched or copied, durable, then named by the
 * catalog as a batch that waits for silver (decision 0003's order). What is there already is not fetched
 * again: hours by name and mirror, files by content. */
#ifndef INGEST_ARCHIVE_INTAKE_H
#define INGEST_ARCHIVE_INTAKE_H

#include "base/clock.h"
#include "ingest/archive_fetch.h"
#include "ingest/archive_hour.h"
#include "ingest/archive_source.h"
#include "lake/catalog_archive.h"

struct archive_intake_options {
	const struct layout *layout;
	struct catalog *catalog; /* the calling thread's; borrowed */
	struct stop_flag *stop;
	struct archive_mirrors *mirrors; /* of hours; shared by all threads */
	bool link; /* local files get a second name instead of a copy, where the file systems can */
};

struct archive_intake;
MUST_CHECK bool archive_intake_create(const struct archive_intake_options *options,
				      struct archive_intake **intake_out, struct err *err);
void archive_intake_destroy(struct archive_intake **intake);

struct archive_intake_result {
	bool is_new;            /* `batch` waits for silver; else it was there before, or is not there at all */
	enum archive_state state;
	struct batch batch;     /* when new */
	int64_t seq;            /* of the batch that has it, when stored */
	char name[ARCHIVE_NAME_BYTES_MAX + 1]; /* the hour's, or the file's */
	int64_t size_bytes;
	char reason[ARCHIVE_NOTE_BYTES_MAX + 1]; /* unless stored */
};
/* Hours come from the `mirror`-th of the mirrors. A source that is not there is no failure: it is noted in the
 * catalog and told. What has come of one when it is stopped lies below incoming/, where the next import goes
 * on. ERR_LOCAL: the lake cannot take more. ERR_RETRY: stopped. */
MUST_CHECK bool archive_intake_take(struct archive_intake *intake, const struct archive_source *source,
				    size_t mirror, struct archive_intake_result *result_out, struct err *err);

/* Removes what is below incoming/: after an import that left nothing to go on with. */
MUST_CHECK bool archive_intake_clear(const struct layout *layout, struct err *err);

#endif
