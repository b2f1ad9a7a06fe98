/* SPDX-License-Identifier: Apache-2.0 */
/* archive_salvage.h - the good records in a line that scan_event refused: several on one line, one cut
 * and the next glued on, rubbish around.
 *
 * One pass over the line by its brackets and quotes. An object that is complete is a record when
 * scan_event accepts it. Where the grammar breaks and an object begins at that very place, a record was
 * cut there and the next one glued on:
 *
 *     {"id":"1","actor":{"login":"oc{"id":"2","type":"PushEvent",…}
 *     └─────── cut ────────────────┘└─────────── record ──────────┘
 *                                  the string that the quote behind `{` ends is followed by no comma
 *
 * Elsewhere behind a break only an object counts that stands where no value can stand: not behind a
 * colon, a comma or `[`. Objects inside an event, good or cut, are never events of their own: nothing
 * inside brackets is looked at, and behind a break a record must besides look like an event (a type that
 * ends in "Event", an actor or a repository) and not be followed by a comma or a closing bracket, as what
 * is nested must. The price: a record that is glued on right behind a colon of the cut one (or a comma or
 * bracket of an array), where it may as well be its value, goes with it.
 *
 * Work and memory are linear in the line: a break moves on, nothing is looked at twice. */
#ifndef LAKE_ARCHIVE_SALVAGE_H
#define LAKE_ARCHIVE_SALVAGE_H

#include "base/arena.h"
#include "lake/scan.h"

/* From the so manieth piece of rubbish on, all up to the next record is one piece. */
enum { ARCHIVE_SALVAGE_RUBBISH_MAX = 64 };

struct archive_salvage {
	const struct scan_plan *plan;
	struct span line;
	size_t at;
	bool broken;  /* something before `at` was rubbish: what level of brackets this is, is a guess */
	bool list_known;
	bool is_list; /* objects with commas between them, to the line's end */
	int rubbish_count;
	struct arena arena;
};

/* A part of the line. All bytes but blanks, and the commas of a line that is nothing but objects with
 * commas between them or behind the last, are in exactly one. */
struct archive_salvage_item {
	bool is_record;      /* scan_event accepts it */
	struct span bytes;   /* of the line, without blanks around; never empty */
	size_t offset;       /* in the line */
	/* ---- when it is no record ---- */
	/* A literal: "record-cut" (breaks off, at the next record or the line's end), "record-doubtful" (a
	 * whole object that may be part of a broken one), "no-record" (no object), "invalid-json", or the
	 * scanner's reason for a whole object. */
	const char *reason;
	char detail[160];    /* in words, printable */
};

/* `plan` and `line` are borrowed. Also for lines that scan_event accepts: then there is one record. */
void archive_salvage_init(struct archive_salvage *salvage, const struct scan_plan *plan, struct span line);
/* The next part, in order; false: there are no more, and *item_out is untouched. */
MUST_CHECK bool archive_salvage_next(struct archive_salvage *salvage, struct archive_salvage_item *item_out);
void archive_salvage_finish(struct archive_salvage *salvage); /* may be called twice */

#endif
