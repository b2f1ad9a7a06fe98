/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_private.h - what the catalog_*.c files share. For these files only.
 *
 * Functions that take a catalog and change it expect an open transaction, unless catalog.h declares
 * them. Every statement is finished before its function returns. */
#ifndef LAKE_CATALOG_PRIVATE_H
#define LAKE_CATALOG_PRIVATE_H

#include "lake/catalog.h"
#include "lake/retention.h"
#include "wrap/sqlite.h"

struct catalog {
	struct sqlite_database *database;
	struct layout layout;
	bool read_only;
	bool restored;      /* from its backup, by this handle */
	int64_t disk_batch; /* highest in bronze's names when the handle first asked; -1: not yet */
};

/* ---- catalog_schema.c ---- */
enum { CATALOG_VERSION = 3 };
/* Brings an empty or older catalog up to CATALOG_VERSION; with `read_only` only checks. */
MUST_CHECK bool catalog_prepare_schema(struct sqlite_database *database, bool read_only, struct err *err);

/* ---- catalog.c ---- */
MUST_CHECK bool catalog_begin(struct catalog *catalog, struct err *err);
/* Commits when `ok`; else, or when that fails, rolls back and returns false with err as it was set. */
MUST_CHECK bool catalog_end(struct catalog *catalog, bool ok, struct err *err);
/* Positions from `position` on. */
void catalog_bind_integers(struct sqlite_statement *statement, int position, const int64_t *values,
			   size_t count);
void catalog_bind_text(struct sqlite_statement *statement, int position, const char *text); /* NULL: "" */
/* A text column into text[size]. ERR_INPUT when it is longer: we never wrote such. */
MUST_CHECK bool catalog_take_text(struct sqlite_statement *statement, int column, char *text, size_t size,
				  struct err *err);
/* A text column as the index of its name; ERR_INPUT when there is none of that name. */
MUST_CHECK bool catalog_take_name(struct sqlite_statement *statement, int column, const char *const *names,
				  size_t count, int *index_out, struct err *err);
/* Reads one row into `record`, which is zeroed; texts that it borrows are copied into the arena. */
typedef bool catalog_take_record(struct sqlite_statement *statement, struct arena *arena,
				 void *record, struct err *err);
/* Runs a prepared statement to its end and gives its rows, each read by `take`, as an array of
 * records of record_size bytes in the arena. ERR_LOCAL when they do not fit. */
MUST_CHECK bool catalog_collect(struct sqlite_statement *statement, catalog_take_record *take,
				size_t record_size, struct arena *arena, const void **records_out,
				size_t *count_out, struct err *err);
/* A catalog_take_record for one number: the first column, as int64_t. */
bool catalog_take_number(struct sqlite_statement *statement, struct arena *arena, void *record, struct err *err);
/* The only column of the only row; 0 for NULL or no row. `sql` is a literal without values. */
MUST_CHECK bool catalog_ask(struct catalog *catalog, const char *sql, int64_t *value_out, struct err *err);

/* ---- catalog_batch.c ---- */
MUST_CHECK bool catalog_reserve_batch(struct catalog *catalog, int64_t *seq_out, struct err *err);
/* The numbers in the names of all files count as given, also once the files are gone. */
MUST_CHECK bool catalog_remember_numbers(struct catalog *catalog, struct err *err);
/* The batch as it is given, state and all. */
MUST_CHECK bool catalog_insert_batch(struct catalog *catalog, const struct batch *batch, struct err *err);

/* ---- catalog_file.c ---- */
/* Rows of `statement` whose first columns are CATALOG_FILE_COLUMNS. */
#define CATALOG_FILE_COLUMNS                                                                       \
	"path, layer, type, sha256, fingerprint, date_us, batch_first, batch_last, rows,"          \
	" size_bytes, created_at_us, time_min_us, time_max_us"
MUST_CHECK bool catalog_collect_files(struct sqlite_statement *statement, struct arena *arena,
				      const struct lake_file **files_out, size_t *count_out, struct err *err);
MUST_CHECK bool catalog_insert_file(struct catalog *catalog, const struct lake_file *file, struct err *err);
MUST_CHECK bool catalog_insert_bronze(struct catalog *catalog, int64_t batch, const struct bronze_file *file,
				      struct err *err);
/* One change by `sql`, whose only parameter is a path. */
MUST_CHECK bool catalog_change_path(struct catalog *catalog, const char *sql, const char *path, struct err *err);
MUST_CHECK bool catalog_forget_file(struct catalog *catalog, const char *path, struct err *err);
/* `sql`, whose ?1 is a batch and what follows `values`; exactly one batch changes. */
MUST_CHECK bool catalog_update_batch(struct catalog *catalog, const char *sql, int64_t seq, const int64_t *values,
				     size_t count, struct err *err);
/* As catalog_reset_batches. */
MUST_CHECK bool catalog_reset_all(struct catalog *catalog, enum batch_state state, struct err *err);
/* One batch back to BRONZE, its live silver file forgotten. */
MUST_CHECK bool catalog_reset_batch(struct catalog *catalog, int64_t seq, struct err *err);

/* SQL: the batches that can be made again from bronze: all of it is there and, once they are in silver, is
 * not known to be damaged, and nothing of it has been taken out of silver by retention. */
#define CATALOG_WHOLE_BATCHES                                                                      \
	"SELECT batch.seq FROM batch JOIN (SELECT batch_first, sum(rows) AS rows,"                 \
	" sum(sha256 = '') AS damaged,"                                                            \
	" min(time_min_us) AS oldest_us FROM file WHERE layer = 'bronze' GROUP BY batch_first) AS held" \
	" ON held.batch_first = batch.seq"                                                         \
	" WHERE held.rows >= batch.bronze_rows AND (batch.state = 'bronze'"                        \
	"  OR (held.damaged = 0 AND NOT EXISTS"                                                    \
	"   (SELECT 1 FROM retention WHERE layer = 'silver' AND kept_from_us > 0"                  \
	"    AND held.oldest_us < kept_from_us)))"

/* ---- retention.c ---- */
MUST_CHECK bool catalog_count_removed(struct catalog *catalog, enum retention_layer layer, int64_t rows,
				      int64_t files, int64_t bytes, struct err *err);
/* Copies the backup, where there is one, to `path`, where the catalog belongs. */
MUST_CHECK bool catalog_restore(const struct layout *layout, const char *path, bool *restored_out,
				struct err *err);
/* A backup that gave a damaged catalog: the next one is to be made from the files alone. */
MUST_CHECK bool catalog_set_backup_aside(const struct layout *layout, struct err *err);

/* ---- catalog_identity.c ---- */
/* ERR_INPUT when it is another lake's. Marks a lake that has no mark. */
MUST_CHECK bool catalog_check_identity(struct catalog *catalog, struct err *err);

/* ---- catalog_damage.c ---- */
/* As catalog_lose_silver, inside of the caller's transaction. */
MUST_CHECK bool catalog_forget_silver(struct catalog *catalog, const struct lake_file *file, bool *remade_out,
				      struct err *err);

/* ---- catalog_archive.c ---- */
/* A file of bronze/archive/ that nothing names joins as a batch of its own; *seq is its number, or where that
 * is taken a new one. Inside of the caller's transaction. */
MUST_CHECK bool catalog_adopt_archive(struct catalog *catalog, const struct lake_file *file, int64_t hour_us,
				      int64_t *seq, struct err *err);

/* ---- catalog_sweep.c ---- */
MUST_CHECK bool catalog_write_cursor(struct catalog *catalog, const struct cursor *cursor, struct err *err);
MUST_CHECK bool catalog_insert_sweep(struct catalog *catalog, const struct sweep *sweep, struct err *err);

/* ---- catalog_quarantine.c ---- */
MUST_CHECK bool catalog_insert_quarantined(struct catalog *catalog, const struct quarantined *entries,
					   size_t count, struct err *err);
/* What `stage` set aside of one batch. */
MUST_CHECK bool catalog_forget_quarantined(struct catalog *catalog, int64_t batch, const char *stage,
					   struct err *err);

#endif
