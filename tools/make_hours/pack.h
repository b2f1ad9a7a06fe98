/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - one gzip member made by several threads: chunks are rendered and compressed side by side and
 * written in order. Each chunk but the first knows the last 32 KiB before it, and ends on a byte (an empty
 * stored block); the bytes do not depend on the number of threads. */
#ifndef MAKE_HOURS_PACK_H
#define MAKE_HOURS_PACK_H

#include "base/buf.h"
#include "base/err.h"

struct pack_job {
	size_t chunk_count; /* at least 1 */
	size_t chunk_bytes_max;
	int threads; /* at least 1; the caller's is one of them */
	int level;   /* zlib's, 1 to 9 */
	/* Appends chunk `chunk` to `out`; the same whenever it is called. From any of the threads. */
	void (*render)(void *context, size_t chunk, struct buf *out);
	/* Takes the file's next bytes; false ends the job with its err. From the caller's thread. */
	bool (*write)(void *context, const void *data, size_t size, struct err *err);
	void *render_context;
	void *write_context;
};

/* ERR_LOCAL also when a thread cannot be started. A chunk beyond its maximum is a bug. */
MUST_CHECK bool pack_run(const struct pack_job *job, uint64_t *raw_bytes_out, uint64_t *gzip_bytes_out,
			 struct err *err);

#endif
