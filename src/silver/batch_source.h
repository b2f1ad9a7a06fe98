/* SPDX-License-Identifier: Apache-2.0 */
/* batch_source.h - the rows of one batch for the engine: its bronze files line by line, scanned,
 * each key once. What cannot become a row is set aside with reason and bytes; nothing is dropped
 * uncounted: the files' rows = rows + duplicates + quarantined. */
#ifndef SILVER_BATCH_SOURCE_H
#define SILVER_BATCH_SOURCE_H

#include "lake/key_set.h"
#include "silver/silver_private.h"

enum { BATCH_SOURCE_RAW_BYTES_MAX = 2 * BRONZE_BATCH_BYTES_MAX };

struct batch_source {
	const struct silver *silver; /* borrowed */
	const struct batch *batch;
	const struct lake_file *files;
	size_t file_count;
	size_t file_index;
	struct bronze_reader *reader; /* of files[file_index]; NULL: not opened yet */
	int64_t file_lines;           /* taken from it */
	struct key_set keys;
	struct arena scratch; /* of one event */
	struct arena kept;    /* of what was set aside */
	struct buf set_aside; /* struct quarantined, one behind the other */
	struct duck_column *columns;
	int64_t rows;
	int64_t duplicates;
	int64_t quarantined;
	int64_t lost; /* of those: lines that could not be read */
	struct silver_row row;
};

/* Files in the order in which their lines count: of equal keys the first wins. Borrows everything. */
void batch_source_init(struct batch_source *source, const struct silver *silver, const struct batch *batch,
		       const struct lake_file *files, size_t file_count);
void batch_source_finish(struct batch_source *source);

/* For duck_query_source; context of its fill is `source`. */
struct duck_source batch_source_duck(struct batch_source *source);

const struct quarantined *batch_source_set_aside(const struct batch_source *source, size_t *count_out);

#endif
