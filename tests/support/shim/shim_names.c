/* SPDX-License-Identifier: Apache-2.0 */
/* shim_names.c - the calls that make, name and remove files: open, rename, unlink, mkdir and theirs. */
#include "tests/support/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int error_number)
{
	errno = error_number;
	return -1;
}

/* ---- open ---- */

static int open_inside(const char *path, const char *relative, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...) = shim_find_real("open");
	struct stat status;
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_OPEN);
	if (error_number > 0) {
		shim_unlock();
		return fail(error_number);
	}
	bool existed = !(flags & O_CREAT) || lstat(path, &status) == 0;
	int descriptor = real(path, flags, mode);
	if (descriptor >= 0) {
		shim_watch(descriptor, true);
		bool truncated = (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY && existed;
		shim_log_path(SHIM_OPEN, relative, descriptor,
			(existed ? 0 : SHIM_CREATED) | (truncated ? SHIM_TRUNCATED : 0));
	}
	shim_unlock();
	return descriptor;
}

static int open_any(const char *path, int flags, mode_t mode)
{
	const char *relative;
	if (shim_is_inside(path, &relative) && (flags & O_TMPFILE) != O_TMPFILE)
		return open_inside(path, relative, flags, mode);
	int (*real)(const char *, int, ...) = shim_find_real("open");
	return real(path, flags, mode);
}

#define OPEN_LIKE(name)                                                                            \
	SHIM_EXPORT int name(const char *path, int flags, ...);                                    \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;     \
		va_end(arguments);                                                                 \
		return open_any(path, flags, mode);                                                \
	}
#define OPENAT_LIKE(name)                                                                          \
	SHIM_EXPORT int name(int folder, const char *path, int flags, ...);                        \
	int name(int folder, const char *path, int flags, ...)                                     \
	{                                                                                          \
		va_list arguments;                                                                 \
		va_start(arguments, flags);                                                        \
		mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;     \
		va_end(arguments);                                                                 \
		if (path && path[0] == '/')                                                        \
			return open_any(path, flags, mode);                                        \
		int (*real)(int, const char *, int, ...) = shim_find_real("openat");               \
		return real(folder, path, flags, mode);                                            \
	}
OPEN_LIKE(open)
OPEN_LIKE(open64)
OPEN_LIKE(__open_2)
OPEN_LIKE(__open64_2)
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)
OPENAT_LIKE(__openat_2)
OPENAT_LIKE(__openat64_2)

SHIM_EXPORT int creat(const char *path, mode_t mode);
int creat(const char *path, mode_t mode)
{
	return open_any(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

SHIM_EXPORT int close(int descriptor);
int close(int descriptor)
{
	int (*real)(int) = shim_find_real("close");
	if (!shim_is_watched(descriptor))
		return real(descriptor);
	shim_lock();
	shim_watch(descriptor, false);
	const struct shim_record record = {.operation = SHIM_CLOSE, .descriptor = descriptor};
	shim_log(&record, NULL, NULL, 0);
	int result = real(descriptor);
	shim_unlock();
	return result;
}

/* ---- names ---- */

SHIM_EXPORT int rename(const char *from, const char *to);
int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = shim_find_real("rename");
	const char *relative_from;
	const char *relative_to;
	if (!shim_is_inside(from, &relative_from) || !shim_is_inside(to, &relative_to))
		return real(from, to);
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_RENAME);
	int result = error_number > 0 ? fail(error_number) : real(from, to);
	if (result == 0) {
		const struct shim_record record = {.operation = SHIM_RENAME,
			.payload_size = (uint32_t)strlen(relative_from) + 1};
		shim_log(&record, relative_from, relative_to, strlen(relative_to));
	}
	shim_unlock();
	return result;
}

/* Nothing here uses these two on the folder: better to end than to miss one. */
SHIM_EXPORT int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
	(void)from_folder;
	(void)to_folder;
	return flags == 0 ? rename(from, to) : fail(ENOSYS);
}

SHIM_EXPORT int link(const char *from, const char *to);
int link(const char *from, const char *to)
{
	const char *relative;
	int (*real)(const char *, const char *) = shim_find_real("link");
	return shim_is_inside(to, &relative) ? fail(ENOSYS) : real(from, to);
}

static int change_name(const char *real_name, const char *path, enum shim_class class, enum shim_operation operation)
{
	int (*real)(const char *) = shim_find_real(real_name);
	const char *relative;
	if (!shim_is_inside(path, &relative))
		return real(path);
	shim_lock();
	int error_number = shim_count(class);
	int result = error_number > 0 ? fail(error_number) : real(path);
	if (result == 0)
		shim_log_path(operation, relative, -1, 0);
	shim_unlock();
	return result;
}

SHIM_EXPORT int unlink(const char *path);
int unlink(const char *path)
{
	return change_name("unlink", path, SHIM_CLASS_UNLINK, SHIM_UNLINK);
}

SHIM_EXPORT int rmdir(const char *path);
int rmdir(const char *path)
{
	return change_name("rmdir", path, SHIM_CLASS_UNLINK, SHIM_RMDIR);
}

SHIM_EXPORT int remove(const char *path);
int remove(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) ? rmdir(path) : unlink(path);
}

SHIM_EXPORT int mkdir(const char *path, mode_t mode);
int mkdir(const char *path, mode_t mode)
{
	int (*real)(const char *, mode_t) = shim_find_real("mkdir");
	const char *relative;
	if (!shim_is_inside(path, &relative))
		return real(path, mode);
	shim_lock();
	int error_number = shim_count(SHIM_CLASS_MKDIR);
	int result = error_number > 0 ? fail(error_number) : real(path, mode);
	if (result == 0)
		shim_log_path(SHIM_MKDIR, relative, -1, 0);
	shim_unlock();
	return result;
}
