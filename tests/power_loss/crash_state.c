/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/power_loss/crash_state.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, SECTOR_BYTES = 512, MAPPED_BYTES = 32 * 1024 };

uint64_t dice_next(struct dice *dice)
{
	uint64_t mixed = dice->state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
	return dice_next(dice) % sides;
}

static void fill_with_garbage(struct dice *dice, uint8_t *bytes, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)dice_next(dice);
}

/* ---- content ---- */

/* The moments between which a page may be: behind `from`, at most `to`; the size is that of `size`. */
struct window {
	size_t from;
	size_t size;
	size_t to;
};

static struct window choose_window(const struct disk_inode *inode, struct dice *dice)
{
	size_t moment = (size_t)dice_roll(dice, inode->change_count + 1);
	struct window window = {0, moment, inode->change_count};
	uint64_t size = inode->size;
	for (size_t i = 0; i < inode->change_count; i++) {
		uint64_t next = disk_size_after(&(struct disk_inode){.size = size, .changes = &inode->changes[i]}, 1);
		bool shrinks = next < size;
		size = next;
		if (shrinks && i < moment)
			window.from = i + 1;
		if (shrinks && i >= moment) {
			window.to = i;
			break;
		}
	}
	return window;
}

struct page_writer {
	const struct disk_inode *inode;
	struct window window;
	uint8_t *content; /* of `room` bytes */
	uint64_t room;
	bool ordered; /* pages behind the durable end are written before the size */
	uint64_t durable_size;
	uint64_t seed;
};

/* Up to which change page `page` was written back. */
static size_t page_moment(const struct page_writer *writer, uint64_t page)
{
	struct dice dice = {writer->seed ^ (page * UINT64_C(0x9e3779b97f4a7c15))};
	const struct window *window = &writer->window;
	size_t least = window->from;
	if (writer->ordered && (page + 1) * PAGE_BYTES > writer->durable_size)
		least = window->size > least ? window->size : least;
	switch (dice_roll(&dice, 4)) {
	case 0:
		return least;
	case 1:
		return window->to;
	default:
		return least + (size_t)dice_roll(&dice, window->to - least + 1);
	}
}

static void write_part(const struct page_writer *writer, size_t index, uint64_t begin, uint64_t end, bool torn)
{
	const struct disk_change *change = &writer->inode->changes[index];
	while (begin < end) {
		uint64_t next = (begin / SECTOR_BYTES + 1) * SECTOR_BYTES;
		next = next < end ? next : end;
		struct dice dice = {writer->seed ^ (begin / SECTOR_BYTES) ^ ((uint64_t)index << 40)};
		if (!torn || dice_roll(&dice, 2) == 0)
			memcpy(writer->content + begin, change->data + (begin - change->offset), next - begin);
		begin = next;
	}
}

static void write_pages(const struct page_writer *writer)
{
	for (size_t i = writer->window.from; i < writer->window.to; i++) {
		const struct disk_change *change = &writer->inode->changes[i];
		if (!change->data)
			continue;
		uint64_t end = change->offset + change->size;
		for (uint64_t begin = change->offset; begin < end;) {
			uint64_t page = begin / PAGE_BYTES;
			uint64_t next = (page + 1) * PAGE_BYTES < end ? (page + 1) * PAGE_BYTES : end;
			size_t moment = page_moment(writer, page);
			if (i < moment)
				write_part(writer, i, begin, next, false);
			else if (i == moment && page % 2 == 0)
				write_part(writer, i, begin, next, true);
			begin = next;
		}
	}
}

static uint8_t *mix_content(const struct disk *disk, const struct disk_inode *inode, struct dice *dice,
	uint64_t *size_out)
{
	struct page_writer writer = {.inode = inode, .window = choose_window(inode, dice), .seed = dice_next(dice)};
	uint64_t base_size;
	uint8_t *base = disk_content_after(inode, writer.window.from, &base_size);
	writer.room = base_size;
	for (size_t i = writer.window.from; i < writer.window.to; i++) {
		uint64_t end = inode->changes[i].offset + inode->changes[i].size;
		writer.room = end > writer.room ? end : writer.room;
	}
	writer.content = memory_allocate(1, writer.room);
	if (base_size > 0)
		memcpy(writer.content, base, base_size);
	free(base);
	writer.ordered = disk->model == DISK_JOURNAL;
	writer.durable_size = base_size;
	if (!writer.ordered && dice_roll(dice, 4) == 0)
		fill_with_garbage(dice, writer.content + base_size, writer.room - base_size);
	write_pages(&writer);
	*size_out = disk_size_after(inode, writer.window.size);
	return writer.content;
}

static uint8_t *choose_content(const struct disk *disk, const struct disk_inode *inode, enum crash_choice choice,
	struct dice *dice, uint64_t *size_out)
{
	size_t count = inode->change_count;
	if (choice == CRASH_ALL_KEPT || count == 0)
		return disk_content_after(inode, count, size_out);
	switch (dice_roll(dice, 6)) {
	case 0:
		return disk_content_after(inode, 0, size_out);
	case 1:
		return disk_content_after(inode, count, size_out);
	case 2:
		return disk_content_after(inode, (size_t)dice_roll(dice, count + 1), size_out);
	default:
		return mix_content(disk, inode, dice, size_out);
	}
}

static uint8_t *choose_mapped(struct dice *dice, uint64_t *size_out)
{
	uint8_t *content = memory_allocate(1, MAPPED_BYTES);
	if (dice_roll(dice, 2) == 0)
		fill_with_garbage(dice, content, MAPPED_BYTES);
	*size_out = MAPPED_BYTES;
	return content;
}

/* ---- names ---- */

static struct disk_names choose_names(const struct disk *disk, enum crash_choice choice, struct dice *dice)
{
	struct disk_names names = disk_copy_names(&disk->durable);
	size_t count = disk->waiting_count;
	/* One choice in three keeps all, so that content is what is tested. */
	bool all = choice == CRASH_ALL_KEPT || dice_roll(dice, 3) == 0;
	size_t first = disk->model == DISK_JOURNAL && !all ? (size_t)dice_roll(dice, count + 1) : count;
	for (size_t i = 0; i < first; i++)
		if (all || disk->model == DISK_JOURNAL || dice_roll(dice, 2) == 0)
			disk_change_name(&names, &disk->waiting[i]);
	return names;
}

/* ---- building ---- */

static _Noreturn void fail(const char *path)
{
	(void)fprintf(stderr, "power_loss_check: %s: %s\n", path, strerror(errno));
	exit(2);
}

static void write_file(const char *path, const uint8_t *content, uint64_t size)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (descriptor < 0)
		fail(path);
	for (uint64_t done = 0; done < size;) {
		ssize_t written = write(descriptor, content + done, size - done);
		if (written < 0)
			fail(path);
		done += (uint64_t)written;
	}
	(void)close(descriptor);
}

struct builder {
	const struct disk *disk;
	enum crash_choice choice;
	struct dice *dice;
	const struct disk_names *names;
	uint64_t hash;
};

static void build_file(struct builder *builder, int index, const char *path)
{
	const struct disk_inode *inode = &builder->disk->inodes[index];
	uint64_t size;
	if (inode->is_mapped && (builder->choice == CRASH_ALL_KEPT || dice_roll(builder->dice, 3) == 0))
		return;
	uint8_t *content = inode->is_mapped
		? choose_mapped(builder->dice, &size)
		: choose_content(builder->disk, inode, builder->choice, builder->dice, &size);
	write_file(path, content, size);
	if (!inode->is_mapped)
		builder->hash += span_hash((struct span){(const char *)content, size}, span_hash(span_of(path), 0));
	free(content);
}

static void build_folder(struct builder *builder, int folder, const char *path)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		fail(path);
	for (size_t i = 0; i < builder->names->count; i++) {
		const struct disk_name *name = &builder->names->names[i];
		char below[FILE_PATH_BYTES_MAX];
		if (name->folder != folder)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, name->text);
		if (builder->disk->inodes[name->inode].is_folder)
			build_folder(builder, name->inode, below);
		else
			build_file(builder, name->inode, below);
	}
}

uint64_t crash_state_build(const struct disk *disk, enum crash_choice choice, struct dice *dice, const char *folder)
{
	struct disk_names names = choose_names(disk, choice, dice);
	struct builder builder = {disk, choice, dice, &names, 0};
	build_folder(&builder, DISK_ROOT, folder);
	free(names.names);
	return builder.hash;
}
