/* SPDX-License-Identifier: Apache-2.0 */
/* ask_note.h - until when GitHub wants not to be asked again, kept over a kill.
 *
 * The poll ledger knows a sweep only once it is stored, which is a moment after GitHub was asked: a kill
 * in between would forget the poll and with it the interval that GitHub told. So each request first
 * writes a line over the small file ASKED in the data folder. No fsync and no transaction: what was
 * written outlives the process, which is what matters here; after a power loss it may be old, and the
 * ledger's word holds. One line for all streams: after a start none is asked before it. */
#ifndef INGEST_ASK_NOTE_H
#define INGEST_ASK_NOTE_H

#include "lake/layout.h"

struct ask_note {
	int descriptor; /* -1: no file, nothing is kept */
	int64_t not_before_us;
};

/* Opens or makes the file. *not_before_us_out: the wall time that it holds, 0 when it holds none that can
 * be read. A file that cannot be opened is logged, not an error: polling goes on. */
void ask_note_open(struct ask_note *note, const struct layout *layout, int64_t *not_before_us_out);
void ask_note_close(struct ask_note *note);

/* Writes the later of `not_before_us` (wall time) and what is there. Failures are passed over. */
void ask_note_write(struct ask_note *note, int64_t not_before_us);

#endif
