/* SPDX-License-Identifier: Apache-2.0 */
/* file_system.h - what kind of file system a folder lies on, and what that means for a lake: locks,
 * fsync and rename must mean what they say, and files must still be there tomorrow. */
#ifndef BASE_FILE_SYSTEM_H
#define BASE_FILE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

struct file_system {
	const char *name;    /* "ext4", "nfs"; "unknown" for what is not in the table */
	const char *concern; /* what to know before a lake lies there; NULL: nothing */
	bool read_only;
};

/* Of an existing path. False when it cannot be asked. */
bool file_system_of(const char *path, struct file_system *system_out);
/* The table alone: by the number that statfs(2) gives. */
struct file_system file_system_of_magic(uint64_t magic);

#endif
