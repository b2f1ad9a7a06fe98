/* SPDX-License-Identifier: Apache-2.0 */
/* inflate_private.h - what fills the windows of an inflate_stream; for inflate_*.c only. */
#ifndef WRAP_INFLATE_PRIVATE_H
#define WRAP_INFLATE_PRIVATE_H

#include "wrap/inflate_stream.h"

/* Behind each buffer that ISA-L works on. */
enum { INFLATER_SLACK_BYTES = 64 };

struct inflate_slot {
	unsigned char *window; /* inflater.window_bytes, and slack */
	size_t size;           /* in use, by whatever kind of piece */
	bool is_gzip;
	struct inflate_piece piece;
};

enum inflater_state {
	INFLATER_START,   /* nothing read: gzip or not? */
	INFLATER_PLAIN,   /* not: the bytes are the content */
	INFLATER_HEAD,    /* at a member's first byte */
	INFLATER_BODY,    /* in its blocks or its checksum */
	INFLATER_BETWEEN, /* behind it */
	INFLATER_SKIP,    /* damage is known: to where reading goes on */
	INFLATER_END,
};

/* From a descriptor to windows, one at a time, by one thread. */
struct inflater {
	int descriptor;
	int wake; /* a descriptor that is readable when to stop; -1: none */
	size_t window_bytes;
	enum inflater_state state;
	bool is_gzip;
	unsigned char *input; /* its bytes from input_at to input_size wait */
	size_t input_at;
	size_t input_size;
	bool input_ended;
	int64_t read_bytes; /* from the descriptor */
	int64_t bytes;      /* of content */
	int64_t members;
	int damage_count;
	struct inflate_piece damage; /* in INFLATER_SKIP: what will be said of it */
	struct inflate_state *blocks; /* ISA-L's */
};

void inflater_init(struct inflater *inflater, int descriptor, size_t window_bytes);
void inflater_finish(struct inflater *inflater);
/* The next piece. False: ERR_LOCAL, also when `wake` became readable. */
MUST_CHECK bool inflater_fill(struct inflater *inflater, struct inflate_slot *slot, struct err *err);

#endif
