/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_system.h"

#include "base/attributes.h"

#include <stddef.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define NETWORK "a network file system: locks and mapped files of SQLite and DuckDB are not safe there"
#define FOREIGN "no POSIX file system: renames over open files, locks and rights differ there"

/* Numbers of linux/magic.h and of the file systems' own sources. */
static const struct {
	uint64_t magic;
	const char *name;
	const char *concern;
} table[] = {
	{0xEF53, "ext2/3/4", NULL},
	{0x58465342, "xfs", NULL},
	{0x9123683E, "btrfs", NULL},
	{0x2FC12FC1, "zfs", NULL},
	{0xF2F52010, "f2fs", NULL},
	{0xCA451A4E, "bcachefs", NULL},
	{0x3153464A, "jfs", NULL},
	{0x52654973, "reiserfs", NULL},
	{0x61756673, "aufs", "a container's own layer: gone with the container; mount a volume"},
	{0x794C7630, "overlayfs", "a container's own layer: gone with the container; mount a volume"},
	{0x01021994, "tmpfs", "in memory: gone at the next restart of the machine"},
	{0x858458F6, "ramfs", "in memory: gone at the next restart of the machine"},
	{0x6969, "nfs", NETWORK},
	{0x517B, "smb", NETWORK},
	{0xFF534D42, "cifs", NETWORK},
	{0xFE534D42, "smb2", NETWORK},
	{0x00C36400, "ceph", NETWORK},
	{0x5346414F, "afs", NETWORK},
	{0x47504653, "gpfs", NETWORK},
	{0x0BD00BD0, "lustre", NETWORK},
	{0x01021997, "9p", "a folder of the host (WSL's /mnt/c, a virtual machine's share): slow, and its locks "
	"are not safe"},
	{0x6A656A62, "virtiofs/fuse", "a folder of the host: its locks may not be safe"},
	{0x65735546, "fuse", "a file system of a program (sshfs, gcsfuse, a container's share): its fsync and "
	"locks may not be safe"},
	{0x4D44, "vfat", FOREIGN},
	{0x2011BAB0, "exfat", FOREIGN},
	{0x5346544E, "ntfs", FOREIGN},
	{0x7366746E, "ntfs3", FOREIGN},
};

struct file_system file_system_of_magic(uint64_t magic)
{
	for (size_t i = 0; i < ARRAY_COUNT(table); i++)
		if (table[i].magic == magic)
			return (struct file_system){.name = table[i].name, .concern = table[i].concern};
	return (struct file_system){.name = "unknown"};
}

bool file_system_of(const char *path, struct file_system *system_out)
{
	struct statfs status;
	struct statvfs flags;
	if (statfs(path, &status) != 0 || statvfs(path, &flags) != 0)
		return false;
	/* The field is signed on some architectures: only its 32 bits are the number. */
	*system_out = file_system_of_magic((uint32_t)status.f_type);
	system_out->read_only = (flags.f_flag & ST_RDONLY) != 0;
	return true;
}
