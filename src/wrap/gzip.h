/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.h - gzip (RFC 1952) decompressed in memory, over zlib, with a maximum. */
#ifndef WRAP_GZIP_H
#define WRAP_GZIP_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the content of all members. ERR_INPUT: damaged, cut short, bytes behind the last member,
 * or more than `out` may hold (then out->failed is set). What came before it has been appended. */
MUST_CHECK bool gzip_decompress(struct span compressed, struct buf *out, struct err *err);

#endif
