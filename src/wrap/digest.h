/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - SHA-256 (FIPS 180-4) of bytes and files, as 64 lower-case hexadecimal digits. */
#ifndef WRAP_DIGEST_H
#define WRAP_DIGEST_H

#include "base/err.h"
#include "base/span.h"

struct digest {
	char hex[65];
};

struct digest digest_of(struct span bytes);
/* Reads the file in steps. ERR_INPUT when it is missing, ERR_LOCAL when reading fails. */
MUST_CHECK bool digest_of_file(const char *path, struct digest *digest_out, int64_t *size_out,
			       struct err *err);

/* The same over bytes that come piece by piece. Heap; out of memory ends the process. */
struct digest_stream;
struct digest_stream *digest_stream_create(void);
void digest_stream_add(struct digest_stream *stream, struct span bytes);
/* Of all bytes so far; more may follow. */
struct digest digest_stream_get(const struct digest_stream *stream);
void digest_stream_reset(struct digest_stream *stream);
void digest_stream_destroy(struct digest_stream **stream); /* NULL inside is fine */

#endif
