/* SPDX-License-Identifier: Apache-2.0 */
/* gold_load.h - what gold_load.c (transactions) and gold_load_group.c (what goes into one) share. */
#ifndef GOLD_GOLD_LOAD_H
#define GOLD_GOLD_LOAD_H

#include "gold/gold_private.h"

enum {
	GROUP_BATCHES_MAX = 50,
	GROUP_FILES_MAX = 1000,
	GROUP_ROWS_MAX = 200000, /* bounds what the engine has to hold for one transaction */
};

/* One call of gold_load_pending. */
struct load {
	struct gold *gold;
	struct duck_connection *connection;
	struct arena arena;
	const struct lake_file *live; /* by batch; NULL: not listed yet */
	size_t live_count;
	const struct lake_file *archives; /* silver's files of type and day; NULL: not listed yet */
	bool *verified; /* of those, in this load */
	size_t archive_count;
	struct gold_report report;
};

/* What one transaction is to bring. */
struct group {
	struct batch batches[GROUP_BATCHES_MAX];
	struct lake_file files[GROUP_FILES_MAX];
	size_t count;
	size_t file_count; /* batches without rows have no file */
	int64_t rows;
	/* Imported hours: they share files, of which only the rows of this group's batches are meant, and a
	 * merge may have left out those that an earlier batch has. */
	bool of_archives;
};

/* Adds `batch` to the group; *full_out when it has to wait for the next one, also when it was found that a
 * rebuild is due. ERR_RETRY: a file is damaged, and is made again when silver is built next. */
MUST_CHECK bool gold_load_add(struct load *load, struct group *group, const struct batch *batch, bool *full_out,
			      struct err *err);

#endif
