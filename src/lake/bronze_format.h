/* SPDX-License-Identifier: Apache-2.0 */
/* bronze_format.h - what bronze_writer.c and bronze_reader.c share. For these two files only. */
#ifndef LAKE_BRONZE_FORMAT_H
#define LAKE_BRONZE_FORMAT_H

#include "lake/bronze.h"

#define BRONZE_FORMAT_NAME "octolake-bronze"

enum {
	BRONZE_FORMAT_VERSION = 1,
	BRONZE_HEADER_BYTES_MAX = 4096,
	/* A full batch in one file of bytes that do not compress. */
	BRONZE_FILE_BYTES_MAX = BRONZE_BATCH_BYTES_MAX + BRONZE_BATCH_BYTES_MAX / 128 + 1024 * 1024,
};

/* 1 to BRONZE_SOURCE_BYTES_MAX lower-case letters and hyphens. */
bool bronze_source_is_plain(struct span source);

#endif
