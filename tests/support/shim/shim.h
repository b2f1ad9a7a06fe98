/* SPDX-License-Identifier: Apache-2.0 */
/* shim.h - a library to put in front of the C library (LD_PRELOAD) that logs or fails the calls with
 * which a program changes one folder. For tests; what a program does elsewhere is left alone. Decision
 * 0013 says why no existing tool does.
 *
 *   OCTOLAKE_SHIM_FOLDER   absolute path of the folder (it need not be there yet); needed
 *   OCTOLAKE_SHIM_LOG      log of everything that changes it (shim_record.h), appended to
 *   OCTOLAKE_SHIM_KILL     "N": SIGKILL behind the N-th record of this process
 *   OCTOLAKE_SHIM_FAULT    "CLASS:ERROR:N": the N-th call of the class fails, "CLASS:ERROR:N+": and
 *                          all that follow; ERROR is an errno's name or, for write, SHORT
 *   OCTOLAKE_SHIM_COUNTS   a file that holds the number of calls of each class (uint64 each, in the
 *                          order of enum shim_class) at any time
 *
 * Classes: open, write (write, pwrite and theirs, fallocate), truncate, sync, rename, unlink (also
 * rmdir), mkdir. One mutex is held around each call, so the log's order is the real one.
 * Allocations are failed by a library of their own, shim_memory.c: it cannot live beside a sanitizer.
 *
 * Not seen: calls that the C library makes inside itself (fopen for writing, which nothing here uses on
 * the data folder) and bare system calls. The replay's self-test would show either as a difference. */
#ifndef TESTS_SUPPORT_SHIM_H
#define TESTS_SUPPORT_SHIM_H

#include "tests/support/shim/shim_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SHIM_EXPORT __attribute__((visibility("default")))

enum shim_class {
	SHIM_CLASS_OPEN,
	SHIM_CLASS_WRITE,
	SHIM_CLASS_TRUNCATE,
	SHIM_CLASS_SYNC,
	SHIM_CLASS_RENAME,
	SHIM_CLASS_UNLINK,
	SHIM_CLASS_MKDIR,
	SHIM_CLASS_MEMORY, /* shim_memory.c */
	SHIM_CLASS_COUNT,
};

/* errno's number by name; 0 when unknown; SHIM_SHORT_WRITE for "SHORT". */
enum { SHIM_SHORT_WRITE = -1 };
int shim_parse_error(const char *name, size_t size);

/* A shared mapping of the counts' file, or of memory when none is named. */
uint64_t *shim_map_counts(void);

struct shim_fault {
	int class;  /* -1: none */
	int error;
	uint64_t nth;
	bool lasting;
};
/* From OCTOLAKE_SHIM_FAULT; ends the process when that is none. */
struct shim_fault shim_parse_fault(void);

/* ---- inside the lock ---- */
void shim_lock(void);
void shim_unlock(void);

/* True when `path` lies in the folder; *relative_out then points behind "FOLDER/" in it, or at "". */
bool shim_is_inside(const char *path, const char **relative_out);
bool shim_is_watched(int descriptor);
void shim_watch(int descriptor, bool watched);

/* Counts a call; the error with which it must fail, SHIM_SHORT_WRITE, or 0. */
int shim_count(enum shim_class class);

void shim_log(const struct shim_record *record, const void *payload, const void *more, size_t more_size);
void shim_log_path(enum shim_operation operation, const char *path, int descriptor, uint32_t flags);
bool shim_is_logging(void);

/* The C library's function of that name. */
void *shim_find_real(const char *name);

#endif
