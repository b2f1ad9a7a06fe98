/* SPDX-License-Identifier: Apache-2.0 */
/* crash_state.h - what a power failure may leave of a disk, chosen by a seed.
 *
 * Names that wait: JOURNAL keeps a beginning of the list, POSIX any part of it.
 * Content that waits, per file: nothing of it, all of it, or something between. Between means: the
 * size is that of some moment m since the last fsync; each page of 4 KiB holds what it held at some
 * moment, its own (a shrinking at or before m has happened to it, one after m has not), and the write
 * that came next may have reached any part of its sectors of 512 bytes. Pages that the file got by
 * growing: JOURNAL (data=ordered) has them written before the size; POSIX may leave zeros or, as
 * file systems that journal no data do, garbage.
 * A file that was mapped (SQLite's -shm) is gone, zeros or garbage. */
#ifndef TESTS_POWER_LOSS_CRASH_STATE_H
#define TESTS_POWER_LOSS_CRASH_STATE_H

#include "tests/power_loss/disk.h"

/* splitmix64 */
struct dice {
	uint64_t state;
};
uint64_t dice_next(struct dice *dice);
/* 0 to below `sides`. */
uint64_t dice_roll(struct dice *dice, uint64_t sides);

enum crash_choice { CRASH_ALL_KEPT, CRASH_CHOSEN };

/* Builds such a state in `folder`, which must be empty or missing. ALL_KEPT: what the program saw,
 * without mapped files. Returns a hash over names and contents. */
uint64_t crash_state_build(const struct disk *disk, enum crash_choice choice, struct dice *dice,
	const char *folder);

#endif
