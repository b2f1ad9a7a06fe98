/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files and folders; the only place that renames.
 *
 * A file appears by draft: written under a name that starts with "." and ends in ".tmp" in its
 * final folder, fsynced, renamed, folder fsynced. A crash leaves at most such a draft, which
 * file_sweep_drafts removes at start. Paths are bytes without NUL, at most FILE_PATH_BYTES_MAX. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

enum { FILE_PATH_BYTES_MAX = 1024 };

struct file_path {
	char text[FILE_PATH_BYTES_MAX];
};

/* printf into a path; too long is ERR_LOCAL. */
MUST_CHECK bool file_path_make(struct file_path *path_out, struct err *err, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* ---- drafts ---- */
struct file_draft;

/* Opens a draft for `path`; missing folders above it are made and fsynced. Heap; end it with
 * file_draft_publish or file_draft_discard. ERR_LOCAL. */
MUST_CHECK bool file_draft_create(const char *path, struct file_draft **draft_out, struct err *err);
/* Short writes are continued. ERR_LOCAL (disk full is here). */
MUST_CHECK bool file_draft_write(struct file_draft *draft, const void *data, size_t size, struct err *err);
/* fsync, rename over `path`, fsync folder. On success the draft is gone (*draft NULL); on failure
 * it is left to be discarded. `sync_folder` false leaves the folder to file_sync_folder, for those
 * who publish many files into one. */
MUST_CHECK bool file_draft_publish(struct file_draft **draft, bool sync_folder, struct err *err);
/* For CLEANUP: removes the draft file; no-op on NULL. */
void file_draft_discard(struct file_draft **draft);

/* A draft that outlives its process, for what comes in pieces: its name is `path` + ".part", so that neither
 * file_sweep_drafts nor a crash takes it away. Goes on behind its first `keep_bytes` (0: anew), the rest is
 * cut off. What of it a power failure leaves is not known: whoever resumes keeps a sum of it. ERR_LOCAL, also
 * when it has fewer bytes. */
MUST_CHECK bool file_draft_resume(const char *path, int64_t keep_bytes, struct file_draft **draft_out,
				  struct err *err);
/* For CLEANUP: closes such a draft and leaves its file there; no-op on NULL. */
void file_draft_keep(struct file_draft **draft);
/* Makes an empty draft a copy of the file behind `descriptor` by sharing its blocks (FICLONE). False when the
 * file systems cannot: then nothing is in it. */
MUST_CHECK bool file_draft_clone(struct file_draft *draft, int descriptor);

/* Publishes a file that a library wrote at `staged` (same file system): fsync, rename to `path`
 * (folders made), fsync of both folders. ERR_LOCAL. */
MUST_CHECK bool file_publish(const char *staged, const char *path, struct err *err);

/* ---- whole files ---- */
/* Appends the file's content to `buf` (its maximum holds: a larger file is ERR_INPUT). Missing:
 * ERR_INPUT "…: No such file or directory"; see file_exists. Any other trouble: ERR_LOCAL. */
MUST_CHECK bool file_read(const char *path, struct buf *buf, struct err *err);
/* Publishes `content` as `path`. */
MUST_CHECK bool file_write(const char *path, struct span content, struct err *err);
/* Publishes a copy of `from` as `path`, as file_write does; of any size. `from` missing or unreadable:
 * ERR_LOCAL. */
MUST_CHECK bool file_copy(const char *from, const char *path, struct err *err);
/* Publishes `from` under a second name, `path`: one file, which whoever changes it changes for both. Links are
 * followed. *linked_out false: the file systems cannot (another disk, too many names, no right to), and
 * nothing was done. ERR_LOCAL. */
MUST_CHECK bool file_link(const char *from, const char *path, bool *linked_out, struct err *err);
bool file_exists(const char *path);
/* Size in bytes, or -1 when there is none. */
int64_t file_size(const char *path);
/* Modification time, microseconds since 1970, or 0. Changes of a watched file show here. */
int64_t file_modified_us(const char *path);
/* Removes a file; a missing one is fine. */
MUST_CHECK bool file_remove(const char *path, struct err *err);
/* Removes the folder that `path` lies in, and those above it, while they are empty. */
void file_remove_empty_folder_of(const char *path);
/* Sets a damaged file aside: renames `path` to `path` + ".damaged-N" (first free N). */
MUST_CHECK bool file_set_aside(const char *path, struct file_path *aside_out, struct err *err);

/* ---- folders ---- */
/* As mkdir -p; each new folder's parent is fsynced. */
MUST_CHECK bool file_make_folder(const char *path, struct err *err);
MUST_CHECK bool file_sync_folder(const char *path, struct err *err);
/* Removes a folder with everything below it; missing is fine. Does not follow links. */
MUST_CHECK bool file_remove_folder(const char *path, struct err *err);

/* Makes every empty folder below `folder` durable in its parent, as one may not be that a killed program
 * made. Links are not followed. A missing `folder` has none. At most 10 levels deep. ERR_LOCAL. */
MUST_CHECK bool file_sync_empty_folders(const char *folder, struct err *err);

/* Calls `visit` for each regular file below `folder`, in name order, with its path relative to
 * `folder`; stops at the first false (and returns false with the visitor's err). A missing folder
 * has no files. At most 10 levels deep. Drafts are not shown. */
MUST_CHECK bool file_walk(const char *folder,
			  bool (*visit)(void *context, const char *relative_path, struct err *err), void *context,
			  struct err *err);
/* Calls `visit` with the name of each folder directly in `folder`, in name order; stops at the first
 * false, as file_walk does. A missing folder has none. */
MUST_CHECK bool file_list_folders(const char *folder,
				  bool (*visit)(void *context, const char *name, struct err *err), void *context,
				  struct err *err);
/* Removes drafts left below `folder` by a crash. Count in *removed_out. */
MUST_CHECK bool file_sweep_drafts(const char *folder, int64_t *removed_out, struct err *err);

/* The file system of `path`: bytes free for us, or -1; its size, or -1. */
int64_t file_free_bytes(const char *path);
int64_t file_system_bytes(const char *path);

/* ---- lock ---- */
struct file_lock;
enum { FILE_LOCK_HOLDER_BYTES_MAX = 4096 };

/* Takes the exclusive flock on `path` (made when missing) and writes `holder` (free text) into it.
 * Held by another process: ERR_LOCAL with exit_code 6, and the holder's text in *holder_out when
 * not NULL. The kernel drops the lock with the process, however it dies. */
MUST_CHECK bool file_lock_take(const char *path, const char *holder, struct file_lock **lock_out,
			       struct buf *holder_out, struct err *err);
/* Replaces the text that others see. */
MUST_CHECK bool file_lock_describe(struct file_lock *lock, const char *holder, struct err *err);
void file_lock_release(struct file_lock **lock);
/* True and the holder's text when some process holds the lock now. */
bool file_lock_is_held(const char *path, struct buf *holder_out);

#endif
