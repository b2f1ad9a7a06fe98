/* SPDX-License-Identifier: Apache-2.0 */
/* file_lock.c - the part of file.h that keeps two processes apart. */
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct file_lock {
	int descriptor;
	struct file_path path;
};

static void read_holder(int descriptor, struct buf *holder_out)
{
	char text[FILE_LOCK_HOLDER_BYTES_MAX];
	ssize_t size = pread(descriptor, text, sizeof(text), 0);
	if (size > 0)
		buf_append(holder_out, text, (size_t)size);
}

/* file_lock_is_held holds a shared lock for a moment: to be met by it is not to be locked out. */
static bool lock_exclusively(int descriptor)
{
	enum { ATTEMPT_COUNT = 5, WAIT_MS = 20 };
	for (int attempt = 1; flock(descriptor, LOCK_EX | LOCK_NB) != 0; attempt++) {
		if (errno != EWOULDBLOCK || attempt == ATTEMPT_COUNT)
			return false;
		clock_sleep_ms(WAIT_MS);
	}
	return true;
}

bool file_lock_take(const char *path, const char *holder, struct file_lock **lock_out, struct buf *holder_out,
		    struct err *err)
{
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (descriptor < 0 && errno == EISDIR) {
		(void)err_set(err, ERR_LOCAL, "%s is a folder, where the lock file belongs: remove it (rmdir %s)",
			path, path);
		err->exit_code = 4;
		return false;
	}
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "open lock %s", path);
	if (!lock_exclusively(descriptor)) {
		bool held = errno == EWOULDBLOCK;
		(void)err_set_errno(err, ERR_LOCAL, errno, "lock %s", path);
		err->exit_code = held ? 6 : 0;
		if (held && holder_out)
			read_holder(descriptor, holder_out);
		(void)close(descriptor);
		return false;
	}
	struct file_lock *lock = memory_allocate(1, sizeof(*lock));
	lock->descriptor = descriptor;
	if (!file_path_make(&lock->path, err, "%s", path) || !file_lock_describe(lock, holder, err)) {
		file_lock_release(&lock);
		return false;
	}
	*lock_out = lock;
	return true;
}

bool file_lock_describe(struct file_lock *lock, const char *holder, struct err *err)
{
	size_t size = strlen(holder);
	if (size > FILE_LOCK_HOLDER_BYTES_MAX)
		size = FILE_LOCK_HOLDER_BYTES_MAX;
	FAILPOINT_SCOPE("lock");
	/* In this order a full disk is no hindrance: the block that the text lies in stays ours. Where there
	 * is none yet, the lock holds all the same; others will just not read by whom. */
	ssize_t written = FAILPOINT("write", pwrite(lock->descriptor, holder, size, 0));
	if (written < 0 && err_number_is_no_space(errno))
		return true;
	if (written != (ssize_t)size || ftruncate(lock->descriptor, (off_t)size) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "write lock %s", lock->path.text);
	return true;
}

void file_lock_release(struct file_lock **lock)
{
	if (!*lock)
		return;
	(void)close((*lock)->descriptor);
	free(*lock);
	*lock = NULL;
}

bool file_lock_is_held(const char *path, struct buf *holder_out)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return false;
	bool held = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (held && holder_out)
		read_holder(descriptor, holder_out);
	(void)close(descriptor);
	return held;
}
