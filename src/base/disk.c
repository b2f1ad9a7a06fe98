/* SPDX-License-Identifier: Apache-2.0 */
#include "base/disk.h"

#include "base/file.h"

#define MEBIBYTE (INT64_C(1) << 20)

static int64_t automatic_reserve(int64_t total_bytes)
{
	int64_t reserve_bytes = total_bytes / 20;
	if (reserve_bytes < 64 * MEBIBYTE)
		reserve_bytes = 64 * MEBIBYTE;
	if (reserve_bytes > 2048 * MEBIBYTE)
		reserve_bytes = 2048 * MEBIBYTE;
	return reserve_bytes > total_bytes / 5 ? total_bytes / 5 : reserve_bytes;
}

void disk_measure(const char *folder, int64_t reserve_bytes, struct disk_room *room_out)
{
	int64_t free_bytes = file_free_bytes(folder);
	int64_t total_bytes = file_system_bytes(folder);
	if (reserve_bytes < 0)
		reserve_bytes = total_bytes > 0 ? automatic_reserve(total_bytes) : 0;
	*room_out = (struct disk_room){
		.free_bytes = free_bytes >= 0 ? free_bytes : INT64_MAX,
		.total_bytes = total_bytes > 0 ? total_bytes : 0,
		.reserve_bytes = reserve_bytes,
		.resume_bytes = reserve_bytes + reserve_bytes / 4,
	};
}

bool disk_is_low(const struct disk_room *room)
{
	return room->free_bytes < room->reserve_bytes;
}

bool disk_is_full(const struct disk_room *room)
{
	return room->free_bytes < room->reserve_bytes / 4;
}
