/* SPDX-License-Identifier: Apache-2.0 */
/* inflate_stream.h - a gzip file (RFC 1952) read as windows of its content, over ISA-L, in flat memory.
 *
 * The first two bytes decide: 1f 8b is gzip, all else is given through as it is. Members follow one
 * another, each checksum is verified. Damage is an answer, not an error: the content before it comes
 * first, then the damage, then what can be read behind it, from the next bytes that begin a member
 * (1f 8b 08 and flags that exist). Content stands before its checksum was seen: a member whose
 * checksum turns out wrong has been handed out already.
 *
 *     [member][member]             window* end
 *     [member, cut                 window* INFLATE_TRUNCATED end
 *     [member, bad ....][member]   window* INFLATE_BAD_DATA window* end
 *     [member] rubbish             window* INFLATE_TRAILING end
 *
 * One caller; not for several threads, though one may work inside. Memory: 128 KiB of input, about 90
 * of state, and one window, or three when it inflates ahead. */
#ifndef WRAP_INFLATE_STREAM_H
#define WRAP_INFLATE_STREAM_H

#include "base/err.h"
#include "base/span.h"

enum {
	INFLATE_WINDOW_BYTES_MAX = 512 * 1024, /* ISA-L decodes the first 32 KiB of a window twice */
	INFLATE_DAMAGE_BYTES_MAX = 64 * 1024,
	/* What is larger than this and more than so many times what it was made of is an attack (deflate
	 * reaches 1,032). Hours of GH Archive come to 5 or 8, and runs of NUL bytes in them stay small. */
	INFLATE_RATIO_FREE_BYTES = 64 * 1024 * 1024,
	INFLATE_RATIO_MAX = 200,
	/* After so many of them the rest of the file is not looked at. */
	INFLATE_DAMAGE_COUNT_MAX = 16,
};

struct inflate_stream;

struct inflate_options {
	bool ahead;          /* a thread of its own fills windows while the caller works on one */
	size_t window_bytes; /* 0: INFLATE_WINDOW_BYTES_MAX, which is also the most; smaller ones for tests */
};

enum inflate_piece_kind { INFLATE_WINDOW, INFLATE_DAMAGE, INFLATE_END };
enum inflate_damage {
	INFLATE_TRUNCATED,    /* the file ends within a member */
	INFLATE_BAD_DATA,     /* a member's head or blocks make no sense */
	INFLATE_BAD_CHECKSUM, /* content or its size is not what was compressed; all of it was handed out */
	INFLATE_TRAILING,     /* bytes behind a member that begin no other one, zeros too */
	INFLATE_BOMB,         /* INFLATE_RATIO_MAX; nothing more is read */
};

struct inflate_totals {
	int64_t compressed_bytes; /* of the file */
	int64_t bytes;            /* of the content */
	int64_t members;          /* read to their end; 0 for a plain file */
};

struct inflate_piece {
	enum inflate_piece_kind kind;
	/* WINDOW: content, full (window_bytes) but before damage and at the end; never empty. DAMAGE: the
	 * first of the file's bytes that were passed over, maybe none. Borrowed until the next call. */
	struct span bytes;
	struct inflate_totals totals; /* at the end of this piece */
	/* ---- DAMAGE ---- */
	enum inflate_damage damage;
	int64_t file_offset;  /* where in the file it showed */
	int64_t file_bytes;   /* passed over there */
	const char *words;    /* what was wrong, a literal */
};

/* `descriptor` is borrowed, read from where it stands, and need not be seekable. ERR_LOCAL: no thread. */
MUST_CHECK bool inflate_stream_open(
	int descriptor, const struct inflate_options *options, struct inflate_stream **stream_out, struct err *err);
/* The next piece; INFLATE_END again and again once it came. ERR_LOCAL: the descriptor cannot be read; what
 * came before was handed out, and so it stays with each further call. */
MUST_CHECK bool inflate_stream_next(struct inflate_stream *stream, struct inflate_piece *piece_out, struct err *err);
/* Of all that was begun, at any time: does not wait for the file. */
void inflate_stream_close(struct inflate_stream **stream);
/* Whether the file began as gzip: known with the first piece. */
bool inflate_stream_is_gzip(const struct inflate_stream *stream);

#endif
