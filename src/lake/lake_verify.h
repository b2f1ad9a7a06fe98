/* SPDX-License-Identifier: Apache-2.0 */
/* lake_verify.h - whether a file of the lake is still what the catalog says. Parquet has no checksums of
 * its own, so silver is verified before it is read: a wrong byte in it would be a wrong number. */
#ifndef LAKE_LAKE_VERIFY_H
#define LAKE_LAKE_VERIFY_H

#include "lake/catalog.h"

enum lake_verdict {
	LAKE_FILE_INTACT,
	LAKE_FILE_MISSING,
	LAKE_FILE_DAMAGED, /* another size or digest, or no file at all but a folder or a link */
};

/* Reads the whole file. ERR_LOCAL: it cannot be read. */
MUST_CHECK bool lake_verify_file(const struct layout *layout, const struct lake_file *file,
				 enum lake_verdict *verdict_out, struct err *err);

/* Verifies silver's files. For each that is not intact, and not known not to be, catalog_lose_silver is
 * called, and after the last of them it fails: ERR_RETRY, for it is made again from bronze when silver is
 * built the next time. */
MUST_CHECK bool lake_verify_silver(struct catalog *catalog, const struct layout *layout,
				   const struct lake_file *files, size_t file_count, struct err *err);

#endif
