/* SPDX-License-Identifier: Apache-2.0 */
/* archive_reader.h - an hour of GH Archive (JSON lines, gzip or plain) as lines and damage.
 *
 * Everything that the file holds is accounted for, in order: a line, a piece of damage, or bytes that
 * mean nothing (line ends, blank lines, a byte order mark). docs/formats/archive.md says for every kind
 * of broken file that was ever published what comes of it. Whether a line is an event is for scan_event
 * to say, and what can be had of one that is not for archive_salvage.
 *
 *     {"id":"1",…}⏎      LINE 1              gzip that breaks off, or breaks:
 *     {"id":"2",…}␍⏎     LINE 2                  …⏎{"id":"8",…   LINE (the rest of it is gone)
 *     ⏎                  –  (line 3)                             DAMAGE gzip-truncated
 *     ␀␀␀{"id":"3"}⏎     DAMAGE, LINE 4
 *     {"id":"4",…}       LINE 5, END
 *
 * Memory is flat: the stream's windows and, for a line that windows share, at most
 * SCAN_EVENT_BYTES_MAX, given back behind it. Input is untrusted. */
#ifndef LAKE_ARCHIVE_READER_H
#define LAKE_ARCHIVE_READER_H

#include "base/err.h"
#include "base/span.h"

enum { ARCHIVE_DAMAGE_BYTES_MAX = 64 * 1024 };

struct archive_reader;

struct archive_reader_options {
	bool inflate_ahead;  /* a thread inflates while the caller scans: for one file on several cores */
	size_t window_bytes; /* for tests: 0, else from 16 on, at most INFLATE_WINDOW_BYTES_MAX */
};

enum archive_item_kind { ARCHIVE_LINE, ARCHIVE_DAMAGE, ARCHIVE_END };

struct archive_item {
	enum archive_item_kind kind;
	/* LINE: without CR and LF, not blank, no NUL byte, at most SCAN_EVENT_BYTES_MAX; not a whole line of
	 * the file where one is cut at NUL bytes, by damage, or (too long) between two objects. DAMAGE: at
	 * most ARCHIVE_DAMAGE_BYTES_MAX of what is damaged, maybe none: of the file for "gzip-…", else of
	 * the content. Borrowed until the next call. */
	struct span bytes;
	int64_t offset; /* in the content, of the first byte */
	int64_t line;   /* from 1, by line feeds: pieces of one line have the same number */
	/* ---- DAMAGE ---- */
	/* The quarantine's word, a literal:
	 * "gzip-truncated"       the file ends within gzip
	 * "gzip-damaged"         bad blocks, a bad head, a checksum that does not agree
	 * "gzip-trailing-bytes"  bytes behind gzip that are no gzip
	 * "gzip-bomb"            inflates to more than INFLATE_RATIO_MAX times; nothing more is read
	 * "not-an-archive"       the whole file: XML, UTF-16, binary, text without one object; nothing more
	 *                        is read
	 * "empty-file"           the whole file: not one byte. (An hour without events is gzip of nothing.)
	 * "line-too-long"        over SCAN_EVENT_BYTES_MAX, and no second object in it
	 * "nul-bytes"            a run of them, however long */
	const char *reason;
	int64_t size;     /* damaged bytes, of which `bytes` are the first; 0 where the damage is a loss */
	char detail[160]; /* in words, printable */
};

struct archive_totals {
	int64_t compressed_bytes; /* of the file, read so far; so is `bytes` of its content */
	int64_t bytes;
	int64_t lines;   /* items of kind LINE */
	int64_t members; /* of gzip, read to their end with the right checksum; 0: a plain file */
	/* At the end, bytes = line_bytes + damage_bytes + skipped_bytes. */
	int64_t line_bytes;
	int64_t damage_bytes;  /* of content */
	int64_t skipped_bytes; /* line ends, blank lines, the byte order mark */
	int64_t damages;       /* items of kind DAMAGE */
	int64_t line_feeds;
};

/* Opens `path` ("-" is a name like any other). ERR_LOCAL: cannot be opened, a folder, no thread. Damage
 * is never an error: it is an item. */
MUST_CHECK bool archive_reader_open(const char *path, const struct archive_reader_options *options,
				    struct archive_reader **reader_out, struct err *err);
/* At any time, also before the end. */
void archive_reader_close(struct archive_reader **reader);
/* The next item; ARCHIVE_END again and again once it came. ERR_LOCAL: the file cannot be read. */
MUST_CHECK bool archive_reader_next(struct archive_reader *reader, struct archive_item *item_out, struct err *err);
/* Of what was handed out so far. */
void archive_reader_totals(const struct archive_reader *reader, struct archive_totals *totals_out);

#endif
