/* SPDX-License-Identifier: Apache-2.0 */
/* shim_record.h - the log that liboctolake_shim.so writes and tests/power_loss/ replays: one record
 * after the other, each a header and `payload_size` bytes. Paths are relative to the data folder, ""
 * is the folder itself. Records stand in the order in which the calls had their effect; calls that
 * failed are not there. */
#ifndef TESTS_SUPPORT_SHIM_RECORD_H
#define TESTS_SUPPORT_SHIM_RECORD_H

#include <stdint.h>

enum shim_operation {
	SHIM_START = 1, /* a process began: descriptors of the one before are void */
	SHIM_OPEN,      /* path; descriptor; flags */
	SHIM_CLOSE,     /* descriptor */
	SHIM_WRITE,     /* descriptor, offset; the data */
	SHIM_TRUNCATE,  /* descriptor, offset: the new size */
	SHIM_SYNC,      /* descriptor, of a file or folder: it returned success */
	SHIM_RENAME,    /* from, NUL, to */
	SHIM_UNLINK,    /* path */
	SHIM_MKDIR,     /* path */
	SHIM_RMDIR,     /* path */
	SHIM_MAP,       /* descriptor: mapped for writing, so its content is not known from here on */
	SHIM_REQUEST,   /* the head of an HTTP request, before it is sent */
};

enum { SHIM_CREATED = 1, SHIM_TRUNCATED = 2 };

struct shim_record {
	uint32_t operation;
	uint32_t flags;
	uint32_t payload_size;
	int32_t descriptor;
	uint64_t offset;
};

#endif
