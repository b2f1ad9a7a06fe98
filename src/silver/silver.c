/* SPDX-License-Identifier: Apache-2.0 */
/* silver.c - opening and closing, and the way of a file from the engine to its final name. */
#include "silver/silver_private.h"

#include "base/memory.h"
#include "lake/silver_file.h"
#include "wrap/digest.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITION_ROWS_MAX = 32768 };

bool silver_open(const struct silver_options *options, struct silver **silver_out, struct err *err)
{
	assert(options->layout && options->catalog && options->fields);
	/* A folder of its own: engines that share one would overwrite each other's spilled data. */
	struct file_path spill;
	if (!file_path_make(&spill, err, "%s/tmp/silver-%d", options->layout->root.text, options->worker))
		return false;
	const struct duck_options engine = {
		.memory_bytes_max = options->memory_bytes_max,
		.temporary_folder = spill.text,
		.allowed_folder = options->layout->root.text,
		.partition_rows_max = PARTITION_ROWS_MAX,
	};
	CLEANUP(silver_close) struct silver *silver = memory_allocate(1, sizeof(*silver));
	silver->options = *options;
	silver->plan = scan_plan_create(options->fields);
	if (!duck_open(&engine, &silver->database, err)
	    || !duck_connect(silver->database, &silver->connection, err))
		return err_wrap(err, "silver");
	*silver_out = silver;
	silver = NULL;
	return true;
}

void silver_close(struct silver **silver)
{
	if (!*silver)
		return;
	duck_disconnect(&(*silver)->connection);
	duck_close(&(*silver)->database);
	scan_plan_destroy(&(*silver)->plan);
	free(*silver);
	*silver = NULL;
}

bool silver_stage_path(const struct silver *silver, const char *name, struct file_path *path_out,
		       struct err *err)
{
	return file_path_make(path_out, err, "%s/staging/%s", silver->options.layout->root.text, name);
}

static bool append_target(struct buf *sql, const struct silver *silver, const struct file_path *path,
			  int64_t first, int64_t last, const char *more, struct err *err)
{
	buf_append_text(sql, " TO ");
	if (!duck_quote_text(sql, span_of(path->text)))
		return err_set(err, ERR_LOCAL, "the data folder's path is not UTF-8");
	buf_printf(sql,
		" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {octolake_format: '" SILVER_FORMAT_VERSION "',"
		" octolake_fingerprint: '%s', octolake_batches: '%" PRId64 "-%" PRId64 "'}%s)",
		silver->options.fields->fingerprint, first, last, more);
	return !sql->failed || err_set(err, ERR_LOCAL, "the statement is too long");
}

bool silver_append_target(struct buf *sql, const struct silver *silver, const struct file_path *path,
			  int64_t first, int64_t last, struct err *err)
{
	return append_target(sql, silver, path, first, last, "", err);
}

bool silver_append_partitions(struct buf *sql, const struct silver *silver, const struct file_path *path,
			      const char *column, int64_t first, int64_t last, struct err *err)
{
	char more[64];
	(void)snprintf(more, sizeof(more), ", PARTITION_BY (%s)", column);
	return append_target(sql, silver, path, first, last, more, err);
}

bool silver_publish(const struct silver *silver, const struct file_path *staged, struct lake_file *file,
		    struct err *err)
{
	struct file_path path;
	struct digest digest;
	if (!digest_of_file(staged->text, &digest, &file->size_bytes, err)
	    || !layout_absolute(silver->options.layout, file->path.text, &path, err)
	    || !file_publish(staged->text, path.text, err))
		return err_wrap(err, "%s", file->path.text);
	memcpy(file->sha256, digest.hex, sizeof(file->sha256));
	memcpy(file->fingerprint, silver->options.fields->fingerprint, sizeof(file->fingerprint));
	file->created_at_us = clock_wall_us(clock_system());
	return true;
}
