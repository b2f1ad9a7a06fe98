/* SPDX-License-Identifier: Apache-2.0 */
/* failpoint_table.c - the table of failpoints: what is written, and how. Each operation is two
 * points, before and after. */
#include "base/failpoint_table.h"

#include <stddef.h>

const struct failpoint_scope failpoint_scopes[] = {
	/* the data folder and who works in it */
	{"lake", {"make-folder", "sync-folder"}},
	{"lock", {"write"}},
	{"asked", {"write"}},
	{"ballast", {"create", "write", "fsync", "rename", "sync-folder"}},
	/* the catalog: the file, then its transactions */
	{"catalog.open", {"open", "commit", "sync-folder"}},
	{"catalog.close", {"close"}},
	{"catalog.aside", {"set-aside", "sync-folder", "remove"}},
	{"catalog.next-batch", {"commit"}},
	{"catalog.store-batch", {"commit"}},
	{"catalog.store-archive", {"commit"}},
	{"catalog.note-archive", {"commit"}},
	{"catalog.store-silver", {"commit"}},
	{"catalog.store-archive-silver", {"commit"}},
	{"catalog.store-gold", {"commit"}},
	{"catalog.swap-silver", {"commit"}},
	{"catalog.reset", {"commit"}},
	{"catalog.lose-silver", {"set-aside", "sync-folder", "commit"}},
	{"catalog.mend-silver", {"commit"}},
	/* recovery at start */
	{"recover.leftovers", {"remove"}},
	{"recover.identity", {"create", "write", "fsync", "rename", "sync-folder"}},
	{"recover.adopt", {"sync-folder", "commit"}},
	{"recover.aside", {"set-aside", "sync-folder"}},
	{"recover.silver", {"remove"}},
	{"recover.folders", {"sync-folder"}},
	/* bronze */
	{"bronze", {"make-folder", "create", "write", "fsync", "rename", "sync-folder"}},
	/* files of an archive: a piece with a note beside it; copied or linked from a person's folder; into bronze,
	 * or gone, because it is there already */
	{"archive.part", {"make-folder", "create", "write", "fsync", "rename", "sync-folder"}},
	{"archive.note", {"create", "write", "fsync", "rename", "sync-folder", "remove"}},
	{"archive.take", {"make-folder", "create", "write", "remove", "link", "fsync", "rename", "sync-folder"}},
	{"archive", {"fsync", "rename", "sync-folder", "remove"}},
	/* silver: a batch's live file; imported hours, then without what earlier ones have; partitions, then the
	 * live files they replace; all of it again */
	{"silver.live", {"copy", "fsync", "rename", "sync-folder", "remove"}},
	{"silver.archive", {"copy", "make-folder", "fsync", "rename", "sync-folder"}},
	{"silver.archive-live", {"copy", "fsync", "rename", "sync-folder"}},
	{"silver.merged", {"number", "copy", "fsync", "rename", "sync-folder", "remove", "done"}},
	{"silver.compacted", {"copy", "make-folder", "fsync", "rename", "sync-folder"}},
	{"silver.replaced", {"remove"}},
	{"silver.mended", {"copy", "fsync", "rename", "sync-folder"}},
	{"silver.rebuild", {"count", "remove"}},
	/* what is no longer kept, and the backup that tells of it; what silver alone still has */
	{"retention", {"commit", "remove", "fsync", "rename", "sync-folder"}},
	{"catalog.restore", {"remove", "create", "write", "fsync", "rename", "sync-folder"}},
	{"silver.kept", {"copy", "fsync", "rename", "sync-folder"}},
	/* gold: loads; a new generation, its publication, the switch to it, the old one's end */
	{"gold.load", {"commit", "checkpoint"}},
	{"gold.views", {"commit", "checkpoint"}},
	{"gold.expire", {"commit", "checkpoint"}},
	{"gold.rebuild", {"remove", "commit", "checkpoint"}},
	{"gold.publish", {"fsync", "rename", "sync-folder"}},
	{"gold.switch", {"setting"}},
	{"gold.close", {"close"}},
	{"gold.retired", {"remove"}},
	{"gold.other", {"remove"}},
	{"gold.aside", {"set-aside", "sync-folder", "remove"}},
	{NULL, {NULL}},
};
