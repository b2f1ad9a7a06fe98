/* SPDX-License-Identifier: Apache-2.0 */
/* shim_content.c - the calls that change what files hold, make it durable, or send a request. */
#include "tests/support/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = 2048 };

static int fail(int error_number)
{
	errno = error_number;
	return -1;
}

/* ---- write ---- */

static void log_write(int descriptor, off_t offset, const void *data, ssize_t size)
{
	const struct shim_record record = {.operation = SHIM_WRITE, .descriptor = descriptor,
		.offset = (uint64_t)offset, .payload_size = (uint32_t)size};
	if (size > 0)
		shim_log(&record, data, NULL, 0);
}

/* `offset` -1: at the descriptor's own position. */
static ssize_t write_inside(int descriptor, const void *data, size_t size, off_t offset)
{
	ssize_t (*real_write)(int, const void *, size_t) = shim_find_real("write");
	ssize_t (*real_pwrite)(int, const void *, size_t, off_t) = shim_find_real("pwrite");
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_WRITE);
	if (error_number > 0) {
		shim_unlock();
		return fail(error_number);
	}
	if (error_number == SHIM_SHORT_WRITE && size > 1)
		size /= 2;
	ssize_t written = offset < 0 ? real_write(descriptor, data, size)
				     : real_pwrite(descriptor, data, size, offset);
	int write_error = errno;
	if (offset < 0 && written > 0)
		offset = lseek(descriptor, 0, SEEK_CUR) - written;
	log_write(descriptor, offset, data, written);
	shim_unlock();
	errno = write_error;
	return written;
}

SHIM_EXPORT ssize_t write(int descriptor, const void *data, size_t size);
ssize_t write(int descriptor, const void *data, size_t size)
{
	ssize_t (*real)(int, const void *, size_t) = shim_find_real("write");
	return shim_is_watched(descriptor) ? write_inside(descriptor, data, size, -1)
					   : real(descriptor, data, size);
}

SHIM_EXPORT ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset);
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = shim_find_real("pwrite");
	return shim_is_watched(descriptor) ? write_inside(descriptor, data, size, offset)
					   : real(descriptor, data, size, offset);
}

SHIM_EXPORT ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset);
ssize_t pwrite64(int descriptor, const void *data, size_t size, off_t offset)
{
	return pwrite(descriptor, data, size, offset);
}

/* The first part only: a short write, which every caller has to expect. */
SHIM_EXPORT ssize_t writev(int descriptor, const struct iovec *parts, int count);
ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
	ssize_t (*real)(int, const struct iovec *, int) = shim_find_real("writev");
	if (!shim_is_watched(descriptor) || count < 1)
		return real(descriptor, parts, count);
	return write_inside(descriptor, parts[0].iov_base, parts[0].iov_len, -1);
}

SHIM_EXPORT ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset);
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset)
{
	ssize_t (*real)(int, const struct iovec *, int, off_t) = shim_find_real("pwritev");
	if (!shim_is_watched(descriptor) || count < 1)
		return real(descriptor, parts, count, offset);
	return write_inside(descriptor, parts[0].iov_base, parts[0].iov_len, offset);
}

/* ---- size ---- */

SHIM_EXPORT int ftruncate(int descriptor, off_t size);
int ftruncate(int descriptor, off_t size)
{
	int (*real)(int, off_t) = shim_find_real("ftruncate");
	if (!shim_is_watched(descriptor))
		return real(descriptor, size);
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_TRUNCATE);
	int result = error_number > 0 ? fail(error_number) : real(descriptor, size);
	const struct shim_record record = {.operation = SHIM_TRUNCATE, .descriptor = descriptor,
		.offset = (uint64_t)size};
	if (result == 0)
		shim_log(&record, NULL, NULL, 0);
	shim_unlock();
	return result;
}

SHIM_EXPORT int ftruncate64(int descriptor, off_t size);
int ftruncate64(int descriptor, off_t size)
{
	return ftruncate(descriptor, size);
}

/* Refused on the folder as by a file system that cannot: every caller has another way. */
SHIM_EXPORT int fallocate(int descriptor, int mode, off_t offset, off_t size);
int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
	int (*real)(int, int, off_t, off_t) = shim_find_real("fallocate");
	return shim_is_watched(descriptor) ? fail(EOPNOTSUPP) : real(descriptor, mode, offset, size);
}

SHIM_EXPORT int posix_fallocate(int descriptor, off_t offset, off_t size);
int posix_fallocate(int descriptor, off_t offset, off_t size)
{
	int (*real)(int, off_t, off_t) = shim_find_real("posix_fallocate");
	return shim_is_watched(descriptor) ? EOPNOTSUPP : real(descriptor, offset, size);
}

/* A copy by shared blocks would be content that no write tells of. */
SHIM_EXPORT int ioctl(int descriptor, unsigned long request, ...);
int ioctl(int descriptor, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = shim_find_real("ioctl");
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == FICLONE && shim_is_watched(descriptor))
		return fail(EOPNOTSUPP);
	return real(descriptor, request, argument);
}

/* ---- durability ---- */

static int sync_with(const char *real_name, int descriptor)
{
	int (*real)(int) = shim_find_real(real_name);
	if (!shim_is_watched(descriptor))
		return real(descriptor);
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_SYNC);
	int result = error_number > 0 ? fail(error_number) : real(descriptor);
	const struct shim_record record = {.operation = SHIM_SYNC, .descriptor = descriptor};
	if (result == 0)
		shim_log(&record, NULL, NULL, 0);
	shim_unlock();
	return result;
}

SHIM_EXPORT int fsync(int descriptor);
int fsync(int descriptor)
{
	return sync_with("fsync", descriptor);
}

SHIM_EXPORT int fdatasync(int descriptor);
int fdatasync(int descriptor)
{
	return sync_with("fdatasync", descriptor);
}

/* ---- mappings ---- */

SHIM_EXPORT void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);
	if (!real)
		real = shim_find_real("mmap");
	void *mapped = real(address, size, protection, flags, descriptor, offset);
	bool writes = (flags & MAP_TYPE) != MAP_PRIVATE && (protection & PROT_WRITE);
	if (mapped != MAP_FAILED && !(flags & MAP_ANONYMOUS) && writes && shim_is_watched(descriptor)) {
		const struct shim_record record = {.operation = SHIM_MAP, .descriptor = descriptor};
		shim_lock();
		shim_log(&record, NULL, NULL, 0);
		shim_unlock();
	}
	return mapped;
}

SHIM_EXPORT void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off_t offset);
void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off_t offset)
{
	return mmap(address, size, protection, flags, descriptor, offset);
}

/* ---- requests: what the program tells the world that it has stored ---- */

SHIM_EXPORT ssize_t send(int descriptor, const void *data, size_t size, int flags);
ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int) = shim_find_real("send");
	if (shim_is_logging() && size > 4 && memcmp(data, "GET ", 4) == 0) {
		const struct shim_record record = {.operation = SHIM_REQUEST,
			.payload_size = (uint32_t)(size < REQUEST_BYTES_MAX ? size : REQUEST_BYTES_MAX)};
		shim_lock();
		shim_log(&record, data, NULL, 0);
		shim_unlock();
	}
	return real(descriptor, data, size, flags);
}
