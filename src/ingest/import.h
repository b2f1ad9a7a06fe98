/* SPDX-License-Identifier: Apache-2.0 */
/* import.h - the first system's data folder into bronze, through the same batches as polled events.
 *
 * docs/formats/import.md is the contract: which files are read, and how columns become an event. Raw
 * JSON first, kept as it is (source "gh-events"); then the rows of Parquet and of the DuckDB file whose
 * key (id, type, created_at) is not in the lake, as JSON of what their columns say and no more (source
 * "gh-events-row"). The folder is only read; nothing in it is run.
 *
 * received = stored + duplicate + filtered + quarantined, for each kind of file. What the lake has
 * already, from whatever source, is a duplicate; so an import that was interrupted is simply run again.
 * For that the keys of the days that the files touch are held: at most IMPORT_KEYS_MAX, beyond which
 * duplicates are left to gold, whose dedupe is authoritative. */
#ifndef INGEST_IMPORT_H
#define INGEST_IMPORT_H

#include "base/clock.h"
#include "lake/catalog.h"

enum {
	IMPORT_KEYS_MAX = 4 * 1024 * 1024,    /* 32 bytes each, 256 MiB in all */
	IMPORT_FILES_MAX = 1000 * 1000,
	IMPORT_PROBLEMS_SHOWN_MAX = 100,      /* the others are logged only */
	IMPORT_QUARANTINE_BYTES_MAX = 65536,  /* of a broken element too large for an event: its start */
};

enum import_kind { IMPORT_JSON, IMPORT_PARQUET, IMPORT_DUCKDB, IMPORT_KIND_COUNT };
const char *import_kind_name(enum import_kind kind); /* "json", "parquet", "duckdb" */

struct import_counts {
	int64_t files;
	int64_t received;
	int64_t stored;
	int64_t duplicates;
	int64_t filtered;
	int64_t quarantined;
};

/* A file, or a table of one, that is not in the lake, or not all of it. */
struct import_problem {
	bool is_damage;   /* it should have been read; else it holds no events */
	char path[256];   /* in the folder, "PATH#TABLE" for a table; cut when longer */
	char reason[512];
};

struct import_report {
	struct file_path folder; /* that was read: with bronze/, silver/, db/ in it */
	struct import_counts kinds[IMPORT_KIND_COUNT];
	int64_t batches;
	int64_t damage_count;
	int64_t left_out_count;
	size_t problem_count; /* of those that are shown */
	struct import_problem problems[IMPORT_PROBLEMS_SHOWN_MAX];
	bool stopped; /* by options->stop: what was read is stored */
};

struct import_options {
	const struct layout *layout;
	struct catalog *catalog;
	const struct field_set *fields; /* events of other types are filtered, as the poller does */
	const struct clock *clock;
	struct stop_flag *stop;
	int64_t memory_bytes_max; /* of the engine that reads Parquet and DuckDB files; 0: 256 MiB */
};

/* The folder that holds bronze/, silver/ or db/: `given` itself or its data/, absolute and without
 * links. ERR_INPUT with exit code 2 when there is none. */
MUST_CHECK bool import_find_folder(const char *given, struct file_path *folder_out, struct err *err);

/* Reads all of `folder` (from import_find_folder). Trouble with its files is noted in the report and
 * the import goes on; false (ERR_LOCAL, ERR_RETRY) when the lake cannot take more. *report_out, some
 * 80 KiB, is written in every case. */
MUST_CHECK bool import_run(const struct import_options *options, const struct file_path *folder,
			   struct import_report *report_out, struct err *err);

#endif
