/* SPDX-License-Identifier: Apache-2.0 */
/* silver_mend.c - one compacted file again, from the bronze of its type and day.
 *
 * Bronze is routed by type and day as compacted silver is, so a damaged file costs reading just the bronze
 * that it came from. Rows that bronze no longer gives (it is damaged too, or was removed) are lost: they
 * are counted as quarantined in their batches, and gold is rebuilt without them. */
#include "silver/archive_rows.h"
#include "silver/batch_source.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/memory.h"
#include "lake/lake_verify.h"
#include "lake/silver_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_BYTES_MAX ((size_t)1 << 30)

struct mend {
	const struct silver *silver;
	const struct lake_file *lost;
	struct arena arena;
	struct buf losses;  /* struct batch_loss: lines that bronze does not give any more */
	struct buf entries; /* struct quarantined */
	bool has_table;
	int64_t rows;
	struct lake_file file;
};

static void mend_finish(struct mend *mend)
{
	struct err ignored;
	(void)!duck_run(mend->silver->connection, "DROP TABLE IF EXISTS mended", &ignored);
	arena_finish(&mend->arena);
	buf_finish(&mend->losses);
	buf_finish(&mend->entries);
}

/* Only what says that a file is damaged: the lines that were set aside are in quarantine already. */
static bool note_loss(struct mend *mend, const struct batch_source *source, struct err *err)
{
	const struct batch_loss loss = {source->batch->seq, source->lost};
	size_t count;
	const struct quarantined *entries = batch_source_set_aside(source, &count);
	if (loss.rows > 0)
		buf_append(&mend->losses, &loss, sizeof(loss));
	for (size_t i = 0; i < count; i++) {
		struct quarantined entry = entries[i];
		if (strncmp(entry.reason, "bronze-", 7) != 0)
			continue;
		entry.detail = arena_copy_text(&mend->arena, span_of(entry.detail));
		buf_append(&mend->entries, &entry, sizeof(entry));
	}
	return (!mend->losses.failed && !mend->entries.failed && !mend->arena.failed)
	       || err_set(err, ERR_LOCAL, "too much is damaged");
}

static bool take_rows(struct mend *mend, const struct duck_source *rows, const char *path, struct err *err)
{
	const char *sql = mend->has_table ? "INSERT INTO mended SELECT * FROM octolake_source($1)"
					  : "CREATE OR REPLACE TEMP TABLE mended AS SELECT * FROM octolake_source($1)";
	if (!duck_query_source(mend->silver->connection, sql, rows, NULL, 0, NULL, err))
		return err_wrap(err, "%s", path);
	mend->has_table = true;
	return true;
}

/* An imported hour gives the rows of one type and day again; when it is not what it was, all that are missing
 * in the end may be its. */
static bool read_archive(struct mend *mend, const struct batch *batch, const struct lake_file *bronze, struct err *err)
{
	CLEANUP(archive_rows_finish) struct archive_rows source = {0};
	enum lake_verdict verdict;
	archive_rows_init(&source, mend->silver, batch, bronze, 1);
	source.only = mend->lost;
	const struct duck_source rows = archive_rows_duck(&source);
	if (!lake_verify_file(mend->silver->options.layout, bronze, &verdict, err)
	    || !take_rows(mend, &rows, bronze->path.text, err))
		return false;
	if (verdict == LAKE_FILE_INTACT)
		return true;
	const struct batch_loss loss = {batch->seq, mend->lost->rows};
	const struct quarantined entry = {
		.batch = batch->seq,
		.stage = "silver",
		.reason = verdict == LAKE_FILE_MISSING ? "bronze-missing" : "bronze-damaged",
		.detail = "silver was damaged too: what this file no longer gives is lost",
		.path = arena_copy_text(&mend->arena, span_of(bronze->path.text)),
	};
	buf_append(&mend->losses, &loss, sizeof(loss));
	buf_append(&mend->entries, &entry, sizeof(entry));
	return true;
}

static bool read_bronze(struct mend *mend, const struct lake_file *bronze, struct err *err)
{
	struct batch batch;
	bool found;
	if (!catalog_read_batch(mend->silver->options.catalog, bronze->batch_first, &batch, &found, err))
		return false;
	/* A batch that is not in silver yet has nothing in its files. */
	if (!found || batch.state == BATCH_BRONZE)
		return true;
	if (batch_is_archive(&batch))
		return read_archive(mend, &batch, bronze, err);
	CLEANUP(batch_source_finish) struct batch_source source = {0};
	batch_source_init(&source, mend->silver, &batch, bronze, 1);
	const struct duck_source rows = batch_source_duck(&source);
	return take_rows(mend, &rows, bronze->path.text, err) && note_loss(mend, &source, err);
}

static bool measure(struct mend *mend, struct err *err)
{
	static const char sql[] = "SELECT count(*), min(created_at), max(created_at) FROM mended";
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	struct table table;
	if (!duck_run(mend->silver->connection,
		    "CREATE OR REPLACE TEMP TABLE mended AS SELECT * FROM mended"
		    " QUALIFY row_number() OVER (PARTITION BY id, type, created_at, repo_id ORDER BY batch) = 1", err)
	    || !duck_query(mend->silver->connection, sql, NULL, 0, &result, err)
	    || !duck_result_read(result, &mend->arena, 1, &table, err))
		return false;
	mend->rows = table_value(&table, 0, 0)->integer;
	if (mend->rows > 0) {
		mend->file.time_min_us = table_value(&table, 0, 1)->time_us;
		mend->file.time_max_us = table_value(&table, 0, 2)->time_us;
	}
	return true;
}

static bool write_file(struct mend *mend, struct err *err)
{
	FAILPOINT_SCOPE("silver.mended");
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	const struct silver *silver = mend->silver;
	struct file_path staged;
	mend->file.rows = mend->rows;
	buf_append_text(&sql, "COPY (SELECT * FROM mended ORDER BY created_at, id)");
	return silver_stage_path(silver, "silver-mended.parquet", &staged, err)
	       && silver_append_target(&sql, silver, &staged, mend->lost->batch_first, mend->lost->batch_last, err)
	       && FAILPOINT("copy", duck_run(silver->connection, sql.data, err))
	       && silver_publish(silver, &staged, &mend->file, err);
}

/* How many rows of each batch all of silver still has: `table` gets batch and count. */
static bool count_left(struct mend *mend, struct table *table_out, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SILVER_SQL_BYTES_MAX};
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	const struct silver *silver = mend->silver;
	const struct lake_file *listed;
	size_t listed_count;
	size_t count = 0;
	if (!catalog_list_files(silver->options.catalog, LAYER_SILVER, &mend->arena, &listed, &listed_count, err))
		return false;
	struct lake_file *files = arena_allocate(&mend->arena, listed_count + 1, sizeof(*files));
	if (!files)
		return err_set(err, ERR_LOCAL, "too many silver files");
	for (size_t i = 0; i < listed_count; i++)
		if (listed[i].sha256[0] != '\0' && listed[i].batch_first <= mend->lost->batch_last
		    && listed[i].batch_last >= mend->lost->batch_first)
			files[count++] = listed[i];
	if (mend->rows > 0)
		files[count++] = mend->file;
	*table_out = (struct table){0};
	if (count == 0)
		return true;
	buf_append_text(&sql, "SELECT batch, count(*) FROM ");
	if (!silver_append_relation(&sql, silver->options.layout, silver->options.fields, files, count, err))
		return false;
	buf_append_text(&sql, " GROUP BY batch ORDER BY batch");
	return duck_query(silver->connection, sql.data, NULL, 0, &result, err)
	       && duck_result_read(result, &mend->arena, SIZE_MAX, table_out, err);
}

static int64_t left_of(const struct table *left, int64_t batch)
{
	for (size_t i = 0; i < left->row_count; i++)
		if (table_value(left, i, 0)->integer == batch)
			return table_value(left, i, 1)->integer;
	return 0;
}

/* Of the rows that a batch is said to have, at most those that are nowhere any more. */
static bool limit_losses(struct mend *mend, struct err *err)
{
	struct batch_loss *losses = (void *)mend->losses.data;
	size_t count = mend->losses.size / sizeof(*losses);
	struct table left;
	if (!count_left(mend, &left, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct batch batch;
		bool found;
		if (!catalog_read_batch(mend->silver->options.catalog, losses[i].seq, &batch, &found, err))
			return false;
		int64_t gone = found ? batch.silver_rows - left_of(&left, batch.seq) : 0;
		if (losses[i].rows > gone)
			losses[i].rows = gone;
	}
	return true;
}

/* What no bronze file accounts for: some bronze of those batches was removed. */
static bool add_unaccounted(struct mend *mend, struct err *err)
{
	int64_t rows = mend->lost->rows - mend->rows;
	for (size_t i = 0; i < mend->losses.size / sizeof(struct batch_loss); i++)
		rows -= ((struct batch_loss *)(void *)mend->losses.data)[i].rows;
	const int64_t *batches;
	size_t count;
	struct table left = {0};
	if (rows <= 0)
		return true;
	if (!catalog_list_short_of_bronze(mend->silver->options.catalog, &mend->arena, &batches, &count, err)
	    || !count_left(mend, &left, err))
		return false;
	for (size_t i = 0; i < count && rows > 0; i++) {
		struct batch batch;
		bool found;
		if (batches[i] < mend->lost->batch_first || batches[i] > mend->lost->batch_last)
			continue;
		if (!catalog_read_batch(mend->silver->options.catalog, batches[i], &batch, &found, err))
			return false;
		int64_t gone = batch.silver_rows - left_of(&left, batch.seq);
		struct batch_loss loss = {batch.seq, gone < rows ? gone : rows};
		const struct quarantined entry = {
			.batch = batch.seq,
			.stage = "silver",
			.reason = "silver-damaged",
			.detail = arena_printf(&mend->arena, "%" PRId64 " rows lost: their bronze is gone", loss.rows),
			.path = mend->lost->path.text,
		};
		if (loss.rows <= 0)
			continue;
		rows -= loss.rows;
		buf_append(&mend->losses, &loss, sizeof(loss));
		buf_append(&mend->entries, &entry, sizeof(entry));
	}
	return (!mend->losses.failed && !mend->entries.failed && !mend->arena.failed)
	       || err_set(err, ERR_LOCAL, "too much is damaged");
}

/* Without `may_lose` a file whose rows bronze does not give in full stays as it is, and is counted. */
static bool mend_file(const struct silver *silver, const struct lake_file *lost, bool may_lose, size_t *left_out,
		      struct err *err)
{
	CLEANUP(mend_finish) struct mend mend = {
		.silver = silver,
		.lost = lost,
		.arena = {.size_max = LIST_BYTES_MAX},
		.losses = {.size_max = LIST_BYTES_MAX},
		.entries = {.size_max = LIST_BYTES_MAX},
		.file = *lost,
	};
	const struct lake_file *bronze = NULL;
	size_t count = 0;
	if (lost->layer == LAYER_SILVER
	    && !catalog_list_bronze_of_day(silver->options.catalog, lost->type, lost->date_us, lost->batch_first,
		    lost->batch_last, &mend.arena, &bronze, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!read_bronze(&mend, &bronze[i], err))
			return false;
	if (mend.has_table && !measure(&mend, err))
		return false;
	bool is_less = mend.rows < lost->rows;
	if (is_less && !may_lose) {
		++*left_out;
		return true;
	}
	if (mend.rows > 0 && !write_file(&mend, err))
		return false;
	if (is_less && (!limit_losses(&mend, err) || !add_unaccounted(&mend, err)))
		return false;
	size_t loss_count = is_less ? mend.losses.size / sizeof(struct batch_loss) : 0;
	LOG_EVENT(loss_count > 0 ? LOG_ERROR : LOG_INFO, "silver made again from bronze",
		log_text("file", lost->path.text), log_int("rows", mend.rows),
		log_int("rows_lost", is_less ? lost->rows - mend.rows : 0));
	return catalog_mend_silver(silver->options.catalog, lost->path.text, mend.rows > 0 ? &mend.file : NULL,
		(const struct batch_loss *)(const void *)mend.losses.data, loss_count,
		(const struct quarantined *)(const void *)mend.entries.data,
		is_less ? mend.entries.size / sizeof(struct quarantined) : 0, err);
}

static bool mend_files(const struct silver *silver, bool may_lose, size_t *left_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	const struct lake_file *files;
	size_t count;
	*left_out = 0;
	if (!catalog_list_to_mend(silver->options.catalog, &arena, &files, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!mend_file(silver, &files[i], may_lose, left_out, err))
			return err_wrap(err, "making %s again", files[i].path.text);
	return true;
}

/* How much a batch has lost is told by what its other files still have: so they are to be sound first. */
static bool find_damaged(const struct silver *silver, size_t known, bool *found_out, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = LIST_BYTES_MAX};
	struct catalog *catalog = silver->options.catalog;
	const struct lake_file *files;
	size_t count;
	if (!catalog_list_files(catalog, LAYER_SILVER, &arena, &files, &count, err)
	    || (!lake_verify_silver(catalog, silver->options.layout, files, count, err) && err->kind != ERR_RETRY)
	    || !catalog_list_to_mend(catalog, &arena, &files, &count, err))
		return false;
	*found_out = count > known;
	return true;
}

bool silver_mend(const struct silver *silver, struct err *err)
{
	size_t left;
	bool found;
	do {
		if (!mend_files(silver, false, &left, err))
			return false;
		if (left == 0)
			return true;
		if (!find_damaged(silver, left, &found, err))
			return false;
	} while (found);
	return mend_files(silver, true, &left, err);
}
