/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/power_loss/disk.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- small growing arrays: doubled whenever their count is a power of two ---- */

static void *grow(void *array, size_t count, size_t size)
{
	bool full = (count & (count - 1)) == 0;
	return full ? memory_resize(array, (count ? 2 * count : 1) * size) : array;
}

static int add_inode(struct disk *disk, bool is_folder)
{
	disk->inodes = grow(disk->inodes, (size_t)disk->inode_count, sizeof(*disk->inodes));
	disk->inodes[disk->inode_count] = (struct disk_inode){.is_folder = is_folder};
	return disk->inode_count++;
}

struct disk *disk_create(enum disk_model model)
{
	struct disk *disk = memory_allocate(1, sizeof(*disk));
	disk->model = model;
	(void)add_inode(disk, true);
	return disk;
}

/* ---- names ---- */

static size_t name_index(const struct disk_names *names, int folder, const char *text)
{
	size_t i = 0;
	while (i < names->count && (names->names[i].folder != folder || strcmp(names->names[i].text, text) != 0))
		i++;
	return i;
}

int disk_find(const struct disk_names *names, int folder, const char *text)
{
	size_t index = name_index(names, folder, text);
	return index < names->count ? names->names[index].inode : DISK_NONE;
}

static void set_name(struct disk_names *names, const struct disk_name *name)
{
	size_t index = name_index(names, name->folder, name->text);
	if (name->inode == DISK_NONE) {
		if (index < names->count)
			names->names[index] = names->names[--names->count];
		return;
	}
	if (index == names->count) {
		/* Grown by one: the array may be a copy of exact size. */
		names->names = memory_resize(names->names, (names->count + 1) * sizeof(*names->names));
		names->count++;
	}
	names->names[index] = *name;
}

void disk_change_name(struct disk_names *names, const struct disk_name_change *change)
{
	const struct disk_name *old = &change->old;
	if (change->is_rename && disk_find(names, old->folder, old->text) == change->name.inode)
		set_name(names, &(struct disk_name){old->folder, old->text, DISK_NONE});
	set_name(names, &change->name);
}

struct disk_names disk_copy_names(const struct disk_names *names)
{
	struct disk_names copy = {memory_allocate(names->count, sizeof(*copy.names)), names->count};
	if (names->count > 0)
		memcpy(copy.names, names->names, names->count * sizeof(*copy.names));
	return copy;
}

static void add_name_change(struct disk *disk, struct disk_name_change change)
{
	disk_change_name(&disk->seen, &change);
	disk->waiting = grow(disk->waiting, disk->waiting_count, sizeof(*disk->waiting));
	disk->waiting[disk->waiting_count++] = change;
}

/* The folder and the last part of a path in the program's view. */
static struct disk_name resolve(struct disk *disk, const char *path, size_t size)
{
	int folder = DISK_ROOT;
	for (;;) {
		const char *slash = memchr(path, '/', size);
		size_t part = slash ? (size_t)(slash - path) : size;
		char *text = memory_copy_span((struct span){path, part});
		if (!slash)
			return (struct disk_name){folder, text, disk_find(&disk->seen, folder, text)};
		folder = disk_find(&disk->seen, folder, text);
		free(text);
		assert(folder != DISK_NONE);
		path += part + 1;
		size -= part + 1;
	}
}

/* ---- content ---- */

static uint64_t size_with(uint64_t size, const struct disk_change *change)
{
	uint64_t end = change->offset + change->size;
	return change->data && end < size ? size : end;
}

uint64_t disk_size_after(const struct disk_inode *inode, size_t count)
{
	uint64_t size = inode->size;
	for (size_t i = 0; i < count; i++)
		size = size_with(size, &inode->changes[i]);
	return size;
}

uint8_t *disk_content_after(const struct disk_inode *inode, size_t count, uint64_t *size_out)
{
	uint64_t size = inode->size;
	uint64_t most = size;
	for (size_t i = 0; i < count; i++) {
		size = size_with(size, &inode->changes[i]);
		most = size > most ? size : most;
	}
	uint8_t *content = memory_allocate(1, most);
	uint64_t now = inode->size;
	if (inode->size > 0)
		memcpy(content, inode->content, inode->size);
	for (size_t i = 0; i < count; i++) {
		const struct disk_change *change = &inode->changes[i];
		uint64_t next = size_with(now, change);
		if (change->data)
			memcpy(content + change->offset, change->data, change->size);
		else if (next < now)
			memset(content + next, 0, now - next);
		now = next;
	}
	*size_out = size;
	return content;
}

static void add_change(struct disk *disk, int inode_index, struct disk_change change)
{
	struct disk_inode *inode = &disk->inodes[inode_index];
	inode->changes = grow(inode->changes, inode->change_count, sizeof(*inode->changes));
	inode->changes[inode->change_count++] = change;
}

static void sync_content(struct disk_inode *inode)
{
	uint64_t size;
	uint8_t *content = disk_content_after(inode, inode->change_count, &size);
	free(inode->content);
	inode->content = content;
	inode->size = size;
	inode->change_count = 0;
}

static bool same_name(const struct disk_name *a, const struct disk_name *b)
{
	return a->folder == b->folder && strcmp(a->text, b->text) == 0;
}

static bool share_a_name(const struct disk_name_change *a, const struct disk_name_change *b)
{
	return same_name(&a->name, &b->name) || (a->is_rename && same_name(&a->old, &b->name))
	       || (b->is_rename && same_name(&a->name, &b->old))
	       || (a->is_rename && b->is_rename && same_name(&a->old, &b->old));
}

/* A change that becomes durable takes along what happened to its names before. */
static void mark_durable(const struct disk *disk, int inode, bool *marks)
{
	for (size_t i = disk->waiting_count; i-- > 0;) {
		const struct disk_name_change *change = &disk->waiting[i];
		marks[i] = disk->model == DISK_JOURNAL || change->name.folder == inode
			   || (change->is_rename && change->old.folder == inode);
		for (size_t later = i + 1; later < disk->waiting_count && !marks[i]; later++)
			marks[i] = marks[later] && share_a_name(change, &disk->waiting[later]);
	}
}

static void sync_names(struct disk *disk, int inode)
{
	bool *marks = memory_allocate(disk->waiting_count, sizeof(*marks));
	size_t kept = 0;
	mark_durable(disk, inode, marks);
	for (size_t i = 0; i < disk->waiting_count; i++) {
		const struct disk_name_change change = disk->waiting[i];
		if (marks[i])
			disk_change_name(&disk->durable, &change);
		else
			disk->waiting[kept++] = change;
	}
	free(marks);
	disk->waiting_count = kept;
	/* Grown by doubling: the room has to fit the count again. */
	size_t room = 1;
	while (room < kept)
		room *= 2;
	disk->waiting = memory_resize(disk->waiting, room * sizeof(*disk->waiting));
}

/* ---- records ---- */

static void open_file(struct disk *disk, const struct shim_record *record, const char *path)
{
	struct disk_name name = {.inode = DISK_ROOT};
	if (record->payload_size > 0)
		name = resolve(disk, path, record->payload_size);
	if (record->flags & SHIM_CREATED) {
		name.inode = add_inode(disk, false);
		add_name_change(disk, (struct disk_name_change){.name = name});
	}
	assert(name.inode != DISK_NONE);
	if (record->flags & SHIM_TRUNCATED)
		add_change(disk, name.inode, (struct disk_change){0});
	disk->descriptors[record->descriptor] = name.inode + 1;
}

static int inode_of(const struct disk *disk, const struct shim_record *record)
{
	assert(record->descriptor >= 0 && record->descriptor < 65536);
	int inode = disk->descriptors[record->descriptor] - 1;
	assert(inode >= 0);
	return inode;
}

static void rename_file(struct disk *disk, const struct shim_record *record, const char *paths)
{
	size_t from_size = strlen(paths);
	struct disk_name from = resolve(disk, paths, from_size);
	struct disk_name to = resolve(disk, paths + from_size + 1, record->payload_size - from_size - 1);
	assert(from.inode != DISK_NONE);
	to.inode = from.inode;
	add_name_change(disk, (struct disk_name_change){.name = to, .is_rename = true, .old = from});
}

static void change_path(struct disk *disk, const struct shim_record *record, const char *path)
{
	if (record->payload_size == 0)
		return; /* the folder itself: its durability is not ours to test */
	struct disk_name name = resolve(disk, path, record->payload_size);
	name.inode = record->operation == SHIM_MKDIR ? add_inode(disk, true) : DISK_NONE;
	add_name_change(disk, (struct disk_name_change){.name = name});
}

void disk_apply(struct disk *disk, const struct shim_record *record, const char *payload)
{
	switch ((enum shim_operation)record->operation) {
	case SHIM_START:
		memset(disk->descriptors, 0, sizeof(disk->descriptors));
		break;
	case SHIM_OPEN:
		open_file(disk, record, payload);
		break;
	case SHIM_CLOSE:
		disk->descriptors[record->descriptor] = 0;
		break;
	case SHIM_WRITE:
		add_change(disk, inode_of(disk, record),
			(struct disk_change){record->offset, record->payload_size, (const uint8_t *)payload});
		break;
	case SHIM_TRUNCATE:
		add_change(disk, inode_of(disk, record), (struct disk_change){.offset = record->offset});
		break;
	case SHIM_SYNC: {
		int inode = inode_of(disk, record);
		if (!disk->inodes[inode].is_folder)
			sync_content(&disk->inodes[inode]);
		sync_names(disk, inode);
		break;
	}
	case SHIM_RENAME:
		rename_file(disk, record, payload);
		break;
	case SHIM_UNLINK:
	case SHIM_RMDIR:
	case SHIM_MKDIR:
		change_path(disk, record, payload);
		break;
	case SHIM_MAP:
		disk->inodes[inode_of(disk, record)].is_mapped = true;
		break;
	case SHIM_REQUEST:
		break;
	}
}
