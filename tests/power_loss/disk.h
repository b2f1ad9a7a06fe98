/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - a folder on a disk with a cache in front of it: what a program sees, what is durable, and
 * what was changed since. Fed by the shim's log (tests/support/shim/shim_record.h).
 *
 * Files and folders are inodes. An inode has its durable content and a list of changes since its last
 * fsync; a name (folder, text) leads to an inode, in the program's view and, maybe another one, on the
 * disk. Changes of names wait in one list, in order. What is fsynced goes from the lists to the disk:
 *
 *   POSIX    fsync of a file: its content and size, none of its names. fsync of a folder: the changes
 *            of the names in it (a rename between two folders with either).
 *   JOURNAL  (ext4, XFS) any fsync also takes all changes of names before it along: they are one log.
 *
 * A rename is atomic in both. power_loss.c makes crash states of it. Malformed logs end the process. */
#ifndef TESTS_POWER_LOSS_DISK_H
#define TESTS_POWER_LOSS_DISK_H

#include "tests/support/shim/shim_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disk_model { DISK_POSIX, DISK_JOURNAL };

/* `data` NULL: the size became `offset`, else `size` bytes were written at `offset`. */
struct disk_change {
	uint64_t offset;
	uint64_t size;
	const uint8_t *data; /* in the log */
};

struct disk_inode {
	bool is_folder;
	bool is_mapped; /* written through memory: nothing is known of its content */
	uint8_t *content; /* durable */
	uint64_t size;
	struct disk_change *changes;
	size_t change_count;
};

enum { DISK_ROOT = 0, DISK_NONE = -1 };

struct disk_name {
	int folder;
	const char *text; /* in the log's copy of names */
	int inode;
};

/* `name.inode` at `name` from now on (DISK_NONE: nothing), and no longer at `old` (a rename). */
struct disk_name_change {
	struct disk_name name;
	bool is_rename;
	struct disk_name old;
};

struct disk_names {
	struct disk_name *names;
	size_t count;
};

struct disk {
	enum disk_model model;
	struct disk_inode *inodes;
	int inode_count;
	struct disk_names seen;    /* by the program */
	struct disk_names durable;
	struct disk_name_change *waiting;
	size_t waiting_count;
	int descriptors[65536]; /* inode + 1; 0: closed */
};

struct disk *disk_create(enum disk_model model);
/* `payload` has to live as long as the disk. */
void disk_apply(struct disk *disk, const struct shim_record *record, const char *payload);

/* The inode behind a name, or DISK_NONE. */
int disk_find(const struct disk_names *names, int folder, const char *text);
void disk_change_name(struct disk_names *names, const struct disk_name_change *change);
struct disk_names disk_copy_names(const struct disk_names *names);
/* Content and size after the first `count` changes, in memory of its own. */
uint8_t *disk_content_after(const struct disk_inode *inode, size_t count, uint64_t *size_out);
/* The size alone. */
uint64_t disk_size_after(const struct disk_inode *inode, size_t count);

#endif
