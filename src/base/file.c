/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/failpoint.h"
#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct file_draft {
	int descriptor;
	struct file_path path;  /* final name */
	struct file_path draft; /* name until published */
};

bool file_path_make(struct file_path *path_out, struct err *err, const char *format, ...)
{
	struct file_path path;
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(path.text, sizeof(path.text), format, arguments);
	va_end(arguments);
	if (size < 0 || (size_t)size >= sizeof(path.text))
		return err_set(err, ERR_LOCAL, "path longer than %d bytes", FILE_PATH_BYTES_MAX - 1);
	*path_out = path;
	return true;
}

static void close_descriptor(const int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
}

/* The folder part of `path`: "a/b" -> "a", "b" -> ".", "/b" -> "/". */
static bool folder_of(const char *path, struct file_path *folder_out, struct err *err)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return file_path_make(folder_out, err, ".");
	struct file_path folder;
	if (!file_path_make(&folder, err, "%s", path))
		return false;
	folder.text[slash == path ? 1 : slash - path] = '\0';
	*folder_out = folder;
	return true;
}

static bool sync_folder_of(const char *path, struct err *err)
{
	struct file_path folder;
	return folder_of(path, &folder, err) && file_sync_folder(folder.text, err);
}

bool file_sync_folder(const char *path, struct err *err)
{
	int descriptor CLEANUP(close_descriptor) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "open folder %s", path);
	if (FAILPOINT("sync-folder", fsync(descriptor)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "fsync folder %s", path);
	return true;
}

bool file_make_folder(const char *path, struct err *err)
{
	struct stat status;
	if (stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return true;
		return err_set(err, ERR_LOCAL, "%s is not a folder", path);
	}
	struct file_path parent;
	if (!folder_of(path, &parent, err)
	    || (strcmp(parent.text, path) != 0 && !file_make_folder(parent.text, err)))
		return false;
	if (FAILPOINT("make-folder", mkdir(path, 0777)) != 0 && errno != EEXIST)
		return err_set_errno(err, ERR_LOCAL, errno, "make folder %s", path);
	return file_sync_folder(parent.text, err);
}

/* `draft_path` in the folder of `path`, which is made. */
static bool open_draft(const char *path, const struct file_path *draft_path, int flags, struct file_draft **draft_out,
		       struct err *err)
{
	struct file_path folder;
	struct file_path final_path;
	if (!folder_of(path, &folder, err) || !file_path_make(&final_path, err, "%s", path)
	    || !file_make_folder(folder.text, err))
		return false;
	flags |= O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	int descriptor = (int)FAILPOINT("create", open(draft_path->text, flags, 0666));
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "create %s", draft_path->text);
	struct file_draft *draft = memory_allocate(1, sizeof(*draft));
	draft->descriptor = descriptor;
	draft->draft = *draft_path;
	draft->path = final_path;
	*draft_out = draft;
	return true;
}

/* "a/b" -> "a/.b" + ending */
static bool make_draft_path(const char *path, const char *ending, struct file_path *draft_path_out, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct file_path folder;
	return folder_of(path, &folder, err)
	       && file_path_make(draft_path_out, err, "%s/.%s%s", folder.text, name, ending);
}

bool file_draft_create(const char *path, struct file_draft **draft_out, struct err *err)
{
	struct file_path draft_path;
	return make_draft_path(path, ".tmp", &draft_path, err)
	       && open_draft(path, &draft_path, O_TRUNC, draft_out, err);
}

bool file_draft_resume(const char *path, int64_t keep_bytes, struct file_draft **draft_out, struct err *err)
{
	struct file_path part;
	struct file_draft *draft CLEANUP(file_draft_keep) = NULL;
	struct stat status;
	if (!file_path_make(&part, err, "%s.part", path) || !open_draft(path, &part, 0, &draft, err))
		return false;
	if (fstat(draft->descriptor, &status) != 0 || ftruncate(draft->descriptor, (off_t)keep_bytes) != 0
	    || lseek(draft->descriptor, 0, SEEK_END) != (off_t)keep_bytes)
		return err_set_errno(err, ERR_LOCAL, errno, "resume %s", part.text);
	if (status.st_size < keep_bytes)
		return err_set(err, ERR_LOCAL, "%s has fewer than %lld bytes", part.text, (long long)keep_bytes);
	*draft_out = draft;
	draft = NULL;
	return true;
}

void file_draft_keep(struct file_draft **draft)
{
	if (!*draft)
		return;
	close_descriptor(&(*draft)->descriptor);
	free(*draft);
	*draft = NULL;
}

bool file_draft_clone(struct file_draft *draft, int descriptor)
{
	return FAILPOINT("write", ioctl(draft->descriptor, FICLONE, descriptor)) == 0;
}

bool file_draft_write(struct file_draft *draft, const void *data, size_t size, struct err *err)
{
	const char *from = data;
	while (size > 0) {
		ssize_t written = FAILPOINT("write", write(draft->descriptor, from, size));
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_set_errno(err, ERR_LOCAL, errno, "write %s", draft->draft.text);
		from += written;
		size -= (size_t)written;
	}
	return true;
}

bool file_draft_publish(struct file_draft **draft, bool sync_folder, struct err *err)
{
	struct file_draft *d = *draft;
	if (FAILPOINT("fsync", fsync(d->descriptor)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "fsync %s", d->draft.text);
	int descriptor = d->descriptor;
	d->descriptor = -1;
	if (close(descriptor) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "close %s", d->draft.text);
	if (FAILPOINT("rename", rename(d->draft.text, d->path.text)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "rename to %s", d->path.text);
	if (sync_folder && !sync_folder_of(d->path.text, err))
		return false;
	free(d);
	*draft = NULL;
	return true;
}

void file_draft_discard(struct file_draft **draft)
{
	if (!*draft)
		return;
	close_descriptor(&(*draft)->descriptor);
	(void)unlink((*draft)->draft.text);
	free(*draft);
	*draft = NULL;
}

bool file_publish(const char *staged, const char *path, struct err *err)
{
	struct file_path folder;
	if (!folder_of(path, &folder, err) || !file_make_folder(folder.text, err))
		return false;
	int descriptor CLEANUP(close_descriptor) = open(staged, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "open %s", staged);
	if (FAILPOINT("fsync", fsync(descriptor)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "fsync %s", staged);
	if (FAILPOINT("rename", rename(staged, path)) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "rename %s to %s", staged, path);
	return file_sync_folder(folder.text, err) && sync_folder_of(staged, err);
}

/* Appends what `descriptor` still gives. */
static bool read_all(int descriptor, const char *path, struct buf *buf, struct err *err)
{
	for (;;) {
		enum { STEP_BYTES = 64 * 1024 };
		size_t left = buf->size_max - buf->size;
		size_t step = left < STEP_BYTES ? left : STEP_BYTES;
		char probe;
		char *room = step > 0 ? buf_reserve(buf, step) : &probe;
		ssize_t got = read(descriptor, room, step > 0 ? step : 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_LOCAL, errno, "read %s", path);
		if (got == 0)
			return true;
		if (step == 0)
			return err_set(err, ERR_INPUT, "%s is larger than %zu bytes", path, buf->size_max);
		buf_commit(buf, (size_t)got);
	}
}

bool file_read(const char *path, struct buf *buf, struct err *err)
{
	assert(!buf->failed);
	int descriptor CLEANUP(close_descriptor) = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		/* Only a missing file is the input's fault, not a lack of descriptors. */
		enum err_kind kind = errno == ENOENT || errno == ENOTDIR ? ERR_INPUT : ERR_LOCAL;
		return err_set_errno(err, kind, errno, "%s", path);
	}
	size_t size_before = buf->size;
	if (read_all(descriptor, path, buf, err))
		return true;
	buf->size = size_before;
	if (buf->data)
		buf->data[size_before] = '\0';
	return false;
}

bool file_write(const char *path, struct span content, struct err *err)
{
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	return file_draft_create(path, &draft, err) && file_draft_write(draft, content.data, content.size, err)
	       && file_draft_publish(&draft, true, err);
}

static bool copy_all(int descriptor, const char *from, struct file_draft *draft, struct err *err)
{
	char piece[64 * 1024];
	for (;;) {
		ssize_t got = read(descriptor, piece, sizeof(piece));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(err, ERR_LOCAL, errno, "read %s", from);
		if (got == 0)
			return true;
		if (!file_draft_write(draft, piece, (size_t)got, err))
			return false;
	}
}

bool file_copy(const char *from, const char *path, struct err *err)
{
	int descriptor CLEANUP(close_descriptor) = open(from, O_RDONLY | O_CLOEXEC);
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "open %s", from);
	return file_draft_create(path, &draft, err) && copy_all(descriptor, from, draft, err)
	       && file_draft_publish(&draft, true, err);
}

static bool cannot_link(int error_number)
{
	static const int numbers[] = {EXDEV, EPERM, EACCES, EMLINK, EOPNOTSUPP, ENOSYS};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		if (error_number == numbers[i])
			return true;
	return false;
}

bool file_link(const char *from, const char *path, bool *linked_out, struct err *err)
{
	struct file_path folder;
	struct file_path draft;
	char *real CLEANUP(memory_free_text) = realpath(from, NULL);
	if (!real)
		return err_set_errno(err, ERR_LOCAL, errno, "%s", from);
	/* Not a draft's name: what a kill leaves there is the other's own file, which a draft would cut off. */
	if (!folder_of(path, &folder, err) || !make_draft_path(path, ".link.tmp", &draft, err)
	    || !file_make_folder(folder.text, err) || !file_remove(draft.text, err))
		return false;
	if (FAILPOINT("link", link(real, draft.text)) != 0) {
		if (!cannot_link(errno))
			return err_set_errno(err, ERR_LOCAL, errno, "link %s to %s", real, draft.text);
		*linked_out = false;
		return true;
	}
	if (!file_publish(draft.text, path, err)) {
		(void)unlink(draft.text);
		return false;
	}
	/* Between two names of one file rename(2) does nothing. */
	*linked_out = true;
	return file_remove(draft.text, err);
}

bool file_exists(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0;
}

int64_t file_size(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

int64_t file_modified_us(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return 0;
	return (int64_t)status.st_mtim.tv_sec * 1000000 + status.st_mtim.tv_nsec / 1000;
}

bool file_remove(const char *path, struct err *err)
{
	if (FAILPOINT("remove", unlink(path)) != 0 && errno != ENOENT)
		return err_set_errno(err, ERR_LOCAL, errno, "remove %s", path);
	return true;
}

bool file_set_aside(const char *path, struct file_path *aside_out, struct err *err)
{
	enum { ASIDE_COUNT_MAX = 10000 };
	for (int number = 1; number <= ASIDE_COUNT_MAX; number++) {
		struct file_path aside;
		if (!file_path_make(&aside, err, "%s.damaged-%d", path, number))
			return false;
		if (file_exists(aside.text))
			continue;
		if (FAILPOINT("set-aside", rename(path, aside.text)) != 0)
			return err_set_errno(err, ERR_LOCAL, errno, "set %s aside", path);
		*aside_out = aside;
		return sync_folder_of(path, err);
	}
	return err_set(err, ERR_LOCAL, "%s: more than %d damaged copies, remove some", path, ASIDE_COUNT_MAX);
}

int64_t file_free_bytes(const char *path)
{
	struct statvfs status;
	if (statvfs(path, &status) != 0)
		return -1;
	return (int64_t)status.f_bavail * (int64_t)status.f_frsize;
}

int64_t file_system_bytes(const char *path)
{
	struct statvfs status;
	if (statvfs(path, &status) != 0)
		return -1;
	return (int64_t)status.f_blocks * (int64_t)status.f_frsize;
}

void file_remove_empty_folder_of(const char *path)
{
	struct file_path folder;
	struct err ignored;
	if (!file_path_make(&folder, &ignored, "%s", path))
		return;
	do {
		char *slash = strrchr(folder.text, '/');
		if (!slash || slash == folder.text)
			return;
		*slash = '\0';
	} while (rmdir(folder.text) == 0);
}
