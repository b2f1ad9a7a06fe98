/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - how much room there is, and how much of it is kept back.
 *
 * Whoever brings new data (ingestion) stops asking for it below the reserve, so that what is under
 * way can still be finished: bronze of what was received, the catalog's and gold's logs, silver and
 * gold of what waits. It goes on at `resume_bytes`, which is a little more, so that it does not stop
 * and go at every file. Decision 0014. */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum { DISK_RESERVE_AUTOMATIC = -1 };

struct disk_room {
	int64_t free_bytes;    /* for us; INT64_MAX when the system does not say */
	int64_t total_bytes;   /* of the file system; 0: not known */
	int64_t reserve_bytes; /* below: low */
	int64_t resume_bytes;
};

/* The file system of `folder`. The automatic reserve is 5 % of it, from 64 MiB to 2 GiB, but never
 * more than a fifth of it: a small one shall be used too. */
void disk_measure(const char *folder, int64_t reserve_bytes, struct disk_room *room_out);

/* Nothing new should be begun. */
bool disk_is_low(const struct disk_room *room);
/* Nothing that can wait should be written: three quarters of the reserve are used. */
bool disk_is_full(const struct disk_room *room);

#endif
