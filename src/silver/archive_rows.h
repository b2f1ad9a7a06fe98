/* SPDX-License-Identifier: Apache-2.0 */
/* archive_rows.h - the rows of imported hours for the engine: file after file, line after line, scanned,
 * each key of a file once. Good records around damage are kept, the damage is set aside with file, offset and
 * reason; of each file received = filtered + rows + duplicates + quarantined. */
#ifndef SILVER_ARCHIVE_ROWS_H
#define SILVER_ARCHIVE_ROWS_H

#include "lake/archive_reader.h"
#include "lake/archive_salvage.h"
#include "lake/catalog_archive.h"
#include "lake/key_set.h"
#include "silver/silver_private.h"

enum {
	/* Open Parquet writers take about a MiB each: seventeen types on two days, and some more. */
	ARCHIVE_PARTITIONS_MAX = 48,
	/* Entries of one file in the quarantine; what is beyond them is counted, and is still in bronze. */
	ARCHIVE_ASIDE_MAX = 1000,
	ARCHIVE_ASIDE_RAW_BYTES_MAX = 16 * 1024, /* of one entry: its first bytes */
};

/* The number of the row's partition, behind silver's columns, where partitions are wanted: a number is
 * cheaper to sort rows by than a type and a day. */
#define ARCHIVE_PARTITION_COLUMN "octolake_partition"

/* The rows of one type and day. */
struct archive_partition {
	char type[EVENT_TYPE_BYTES_MAX + 1];
	int64_t date_us;
	int64_t rows;
	int64_t time_min_us;
	int64_t time_max_us;
};

struct archive_rows {
	const struct silver *silver; /* borrowed, as all that is given */
	const struct batch *batches;
	const struct lake_file *files;
	size_t count;
	bool inflate_ahead;
	const struct lake_file *only; /* only rows of its type and day; NULL: all. Before the first fill. */
	bool has_partitions; /* before archive_rows_duck */

	size_t index; /* the file at hand */
	struct archive_reader *reader;
	bool salvages; /* the line at hand is taken apart */
	struct archive_salvage salvage;
	int64_t line_offset;
	int64_t now_us;
	struct key_set keys;
	struct arena scratch;
	struct arena kept;
	struct buf set_aside; /* struct quarantined */
	size_t aside_count;   /* of the file at hand */
	struct duck_column *columns; /* silver's, and one more */
	size_t column_count; /* of silver's */
	struct silver_row row;
	struct archive_silver *results; /* one a file */
	struct archive_partition partitions[ARCHIVE_PARTITIONS_MAX];
	size_t partition_count;
	size_t partition_last;
	char types[EVENT_TYPE_COUNT_MAX][EVENT_TYPE_BYTES_MAX + 1];
	size_t type_count;
	bool too_many_partitions; /* why the fill failed */
	int64_t rows;             /* of all files */
	int64_t bytes;            /* of their JSON */
};

/* `files[i]` is the bronze of `batches[i]`. */
void archive_rows_init(struct archive_rows *source, const struct silver *silver, const struct batch *batches,
			 const struct lake_file *files, size_t count);
void archive_rows_finish(struct archive_rows *source);
/* For duck_query_source. A file that is missing or cannot be opened as what the catalog says is damage. */
struct duck_source archive_rows_duck(struct archive_rows *source);
const struct quarantined *archive_rows_set_aside(const struct archive_rows *source, size_t *count_out);

#endif
