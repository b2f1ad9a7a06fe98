/* SPDX-License-Identifier: Apache-2.0 */
/* gzip_make.h - gzip files and temporary files for tests, made with zlib. Whatever fails here ends the
 * program. Needs no check.h, so that fuzz targets can have it too. */
#ifndef TESTS_SUPPORT_GZIP_MAKE_H
#define TESTS_SUPPORT_GZIP_MAKE_H

#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* Appends `content` as one member; `head` NULL: the plainest one. */
static inline void gzip_append(struct buf *out, struct span content, int level, gz_header *head)
{
	z_stream stream = {0};
	int code = deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert(code == Z_OK);
	if (head) {
		code = deflateSetHeader(&stream, head);
		assert(code == Z_OK);
	}
	size_t bound = deflateBound(&stream, content.size) + 100000;
	char *room = buf_reserve(out, bound);
	assert(room);
	stream.next_in = (unsigned char *)(uintptr_t)content.data;
	stream.avail_in = (unsigned)content.size;
	stream.next_out = (unsigned char *)room;
	stream.avail_out = (unsigned)bound;
	code = deflate(&stream, Z_FINISH);
	assert(code == Z_STREAM_END);
	buf_commit(out, bound - stream.avail_out);
	(void)deflateEnd(&stream);
}

/* A file in memory that begins with `content`, to be closed. Its path: memory_file_path. */
static inline int memory_file_open(struct span content)
{
	int descriptor = memfd_create("test", MFD_CLOEXEC);
	assert(descriptor >= 0);
	size_t done = 0;
	while (done < content.size) {
		ssize_t size = pwrite(descriptor, content.data + done, content.size - done, (off_t)done);
		assert(size > 0);
		done += (size_t)size;
	}
	return descriptor;
}

struct memory_file_path {
	char text[64];
};

static inline struct memory_file_path memory_file_path(int descriptor)
{
	struct memory_file_path path;
	(void)snprintf(path.text, sizeof(path.text), "/proc/self/fd/%d", descriptor);
	return path;
}

static inline void memory_file_close(const int *descriptor)
{
	(void)close(*descriptor);
}

#endif
