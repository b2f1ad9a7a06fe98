/* SPDX-License-Identifier: Apache-2.0 */
/* gold_load_group.c - which waiting batches share a transaction, and which files of silver they are in. */
#include "gold/gold_load.h"

#include "lake/catalog_archive.h"
#include "lake/lake_verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_batch(const void *left, const void *right)
{
	const struct lake_file *a = left;
	const struct lake_file *b = right;
	return (a->batch_first > b->batch_first) - (a->batch_first < b->batch_first);
}

static bool list_live(struct load *load, struct err *err)
{
	const struct lake_file *files;
	size_t count;
	if (!catalog_list_files(load->gold->options.catalog, LAYER_SILVER_LIVE, &load->arena, &files, &count, err))
		return false;
	struct lake_file *sorted = arena_allocate(&load->arena, count, sizeof(*sorted));
	if (!sorted)
		return err_set(err, ERR_LOCAL, "too many live files");
	for (size_t i = 0; i < count; i++)
		sorted[i] = files[i];
	qsort(sorted, count, sizeof(*sorted), compare_batch);
	load->live = sorted;
	load->live_count = count;
	return true;
}

static const struct lake_file *find_live(const struct load *load, int64_t batch)
{
	const struct lake_file key = {.batch_first = batch};
	return load->live_count == 0
		       ? NULL
		       : bsearch(&key, load->live, load->live_count, sizeof(*load->live), compare_batch);
}

static bool list_archives(struct load *load, struct err *err)
{
	const struct lake_file *files;
	if (!catalog_list_files(load->gold->options.catalog, LAYER_SILVER, &load->arena, &files, &load->archive_count,
		    err))
		return false;
	load->archives = files;
	load->verified = arena_allocate(&load->arena, load->archive_count, sizeof(*load->verified));
	return load->verified || err_set(err, ERR_LOCAL, "too many files of silver");
}

static bool has_file(const struct group *group, const struct lake_file *file)
{
	for (size_t i = 0; i < group->file_count; i++)
		if (strcmp(group->files[i].path.text, file->path.text) == 0)
			return true;
	return false;
}

/* The files of types and days that may have rows of an imported hour. */
static bool add_archive(struct load *load, struct group *group, const struct batch *batch, bool *full_out,
			struct err *err)
{
	size_t count_before = group->file_count;
	if (!load->archives && !list_archives(load, err))
		return false;
	for (size_t i = 0; i < load->archive_count && batch->silver_rows > 0; i++) {
		const struct lake_file *file = &load->archives[i];
		if (file->batch_first > batch->seq || file->batch_last < batch->seq || has_file(group, file))
			continue;
		*full_out = group->file_count == GROUP_FILES_MAX;
		if (*full_out)
			break;
		group->files[group->file_count++] = *file;
		/* Hours share files: once for all of them. */
		if (!load->verified[i]
		    && !lake_verify_silver(load->gold->options.catalog, load->gold->options.layout, file, 1, err))
			return false;
		load->verified[i] = true;
	}
	if (*full_out) {
		group->file_count = count_before;
		return group->count > 0
		       || err_set(err, ERR_LOCAL, "batch %" PRId64 " is in more than %d files of silver: `octolake"
			       " rebuild silver` makes fewer", batch->seq, GROUP_FILES_MAX);
	}
	group->batches[group->count++] = *batch;
	group->rows += batch->silver_rows;
	group->of_archives = true;
	return true;
}

bool gold_load_add(struct load *load, struct group *group, const struct batch *batch, bool *full_out,
		      struct err *err)
{
	if (!load->live && !list_live(load, err))
		return false;
	const struct lake_file *file = find_live(load, batch->seq);
	bool is_archive = batch_is_archive(batch) && !file;
	if (batch->silver_rows > 0 && !file && !is_archive) {
		/* Compacted, so gold had it: it was lost since. */
		gold_set_rebuild_due(load->gold, "gold lost batches that it had; it is built again from silver");
		*full_out = true;
		return true;
	}
	*full_out = group->count > 0
		    && (group->rows + batch->silver_rows > GROUP_ROWS_MAX || group->of_archives != is_archive);
	if (*full_out)
		return true;
	if (is_archive)
		return add_archive(load, group, batch, full_out, err);
	group->batches[group->count++] = *batch;
	group->rows += batch->silver_rows;
	if (batch->silver_rows > 0)
		group->files[group->file_count++] = *file;
	return true;
}
