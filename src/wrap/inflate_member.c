/* SPDX-License-Identifier: Apache-2.0 */
/* inflate_member.c - gzip's members, one after the other, and what stands between them.
 *
 * Heads are read here and not by ISA-L, which loses its place in one that two reads share. Blocks and
 * the checksum behind them are its work. */
#include "wrap/inflate_private.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	INPUT_BYTES = 128 * 1024,
	/* RFC 1952, 2.3 */
	MAGIC_1 = 0x1f,
	MAGIC_2 = 0x8b,
	METHOD_DEFLATE = 8,
	HEAD_REST_BYTES = 6, /* time, extra flags, system */
	FLAG_HEAD_CHECKSUM = 2,
	FLAG_EXTRA = 4,
	FLAG_NAME = 8,
	FLAG_COMMENT = 16,
	FLAGS_RESERVED = 0xe0,
	MAGIC_BYTES = 4, /* what tells a member's first bytes from others: magic, method, flags */
};

void inflater_init(struct inflater *inflater, int descriptor, size_t window_bytes)
{
	*inflater = (struct inflater){
		.descriptor = descriptor,
		.wake = -1,
		.window_bytes = window_bytes,
		.input = memory_allocate(INPUT_BYTES + INFLATER_SLACK_BYTES, 1),
		.blocks = memory_allocate(1, sizeof(struct inflate_state)),
	};
}

void inflater_finish(struct inflater *inflater)
{
	free(inflater->input);
	free(inflater->blocks);
}

/* ---- input ---- */

static size_t waiting(const struct inflater *inflater)
{
	return inflater->input_size - inflater->input_at;
}

static int64_t file_offset(const struct inflater *inflater)
{
	return inflater->read_bytes - (int64_t)waiting(inflater);
}

static bool wait_readable(const struct inflater *inflater, struct err *err)
{
	struct pollfd watched[] = {{inflater->descriptor, POLLIN, 0}, {inflater->wake, POLLIN, 0}};
	while (inflater->wake >= 0) {
		int count = poll(watched, ARRAY_COUNT(watched), -1);
		if (count < 0 && errno != EINTR)
			return err_set_errno(err, ERR_LOCAL, errno, "gzip: poll");
		if (count > 0 && watched[1].revents != 0)
			return err_set(err, ERR_LOCAL, "gzip: stopped");
		if (count > 0)
			break;
	}
	return true;
}

/* One read into `target`; 0 at the end. */
static bool read_some(
	struct inflater *inflater, unsigned char *target, size_t room, size_t *size_out, struct err *err)
{
	if (!wait_readable(inflater, err))
		return false;
	ssize_t size;
	do
		size = read(inflater->descriptor, target, room);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "reading");
	inflater->input_ended = size == 0;
	inflater->read_bytes += size;
	*size_out = (size_t)size;
	return true;
}

/* More input behind what waits, which moves to the front. */
static bool load(struct inflater *inflater, struct err *err)
{
	size_t rest = waiting(inflater);
	size_t size;
	assert(rest < INPUT_BYTES);
	memmove(inflater->input, inflater->input + inflater->input_at, rest);
	inflater->input_at = 0;
	inflater->input_size = rest;
	if (!read_some(inflater, inflater->input + rest, INPUT_BYTES - rest, &size, err))
		return false;
	inflater->input_size += size;
	return true;
}

/* At least `count` bytes waiting, or all that there are. */
static bool look_ahead(struct inflater *inflater, size_t count, struct err *err)
{
	while (waiting(inflater) < count && !inflater->input_ended)
		if (!load(inflater, err))
			return false;
	return true;
}

static bool is_at_member(const struct inflater *inflater)
{
	const unsigned char *at = inflater->input + inflater->input_at;
	return waiting(inflater) >= 2 && at[0] == MAGIC_1 && at[1] == MAGIC_2;
}

/* ---- damage ---- */

static void set_damage(
	struct inflater *inflater, enum inflate_damage damage, const char *words, int64_t offset)
{
	inflater->state = INFLATER_SKIP;
	inflater->damage_count++;
	inflater->damage = (struct inflate_piece){
		.kind = INFLATE_DAMAGE,
		.damage = damage,
		.file_offset = offset,
		.words = words,
	};
}

/* Passes `count` waiting bytes over, the first of them into the slot. */
static void skip_bytes(struct inflater *inflater, struct inflate_slot *slot, size_t count)
{
	size_t kept_max = inflater->window_bytes;
	if (kept_max > INFLATE_DAMAGE_BYTES_MAX)
		kept_max = INFLATE_DAMAGE_BYTES_MAX;
	size_t kept = count < kept_max - slot->size ? count : kept_max - slot->size;
	memcpy(slot->window + slot->size, inflater->input + inflater->input_at, kept);
	slot->size += kept;
	inflater->input_at += count;
	inflater->damage.file_bytes += (int64_t)count;
}

/* Where a member may begin in what waits: its offset there; the number of waiting bytes when nowhere.
 * The last MAGIC_BYTES - 1 of them may still become one. */
static size_t find_member(const struct inflater *inflater)
{
	const unsigned char *begin = inflater->input + inflater->input_at;
	const unsigned char *end = inflater->input + inflater->input_size;
	const unsigned char *at = begin;
	while (end - at >= MAGIC_BYTES) {
		at = memchr(at, MAGIC_1, (size_t)(end - at) - (MAGIC_BYTES - 1));
		if (!at)
			break;
		if (at[1] == MAGIC_2 && at[2] == METHOD_DEFLATE && (at[3] & FLAGS_RESERVED) == 0)
			return (size_t)(at - begin);
		at++;
	}
	return waiting(inflater);
}

static bool skip_damage(struct inflater *inflater, struct inflate_slot *slot, struct err *err)
{
	bool stop = inflater->damage.damage == INFLATE_BOMB || inflater->damage_count >= INFLATE_DAMAGE_COUNT_MAX;
	if (stop)
		inflater->state = INFLATER_END;
	while (inflater->state == INFLATER_SKIP) {
		size_t found = find_member(inflater);
		if (found < waiting(inflater)) {
			skip_bytes(inflater, slot, found);
			inflater->state = INFLATER_HEAD;
		} else if (inflater->input_ended) {
			skip_bytes(inflater, slot, waiting(inflater));
			inflater->state = INFLATER_END;
		} else {
			if (waiting(inflater) >= MAGIC_BYTES)
				skip_bytes(inflater, slot, waiting(inflater) - (MAGIC_BYTES - 1));
			if (!load(inflater, err))
				return false;
		}
	}
	slot->piece = inflater->damage;
	return true;
}

/* ---- head ---- */

enum head_outcome { HEAD_GOOD, HEAD_CUT, HEAD_BAD };

struct head {
	struct inflater *inflater;
	enum head_outcome outcome;
	const char *words;
	uint32_t checksum;
	int last; /* the byte that was taken last */
};

/* The next byte into head->last. False at the end of the file (HEAD_CUT stands), or with an error. */
static bool take_byte(struct head *head, struct err *err)
{
	struct inflater *inflater = head->inflater;
	if (!look_ahead(inflater, 1, err))
		return false;
	if (waiting(inflater) == 0) {
		head->outcome = HEAD_CUT;
		return false;
	}
	const unsigned char *byte = inflater->input + inflater->input_at++;
	head->checksum = crc32_gzip_refl(head->checksum, byte, 1);
	head->last = *byte;
	return true;
}

static bool take_bytes(struct head *head, int count, struct err *err)
{
	for (int i = 0; i < count; i++)
		if (!take_byte(head, err))
			return false;
	return true;
}

static bool take_number(struct head *head, int *number_out, struct err *err)
{
	if (!take_byte(head, err))
		return false;
	int low = head->last;
	if (!take_byte(head, err))
		return false;
	*number_out = low | head->last << 8;
	return true;
}

static bool take_text(struct head *head, struct err *err)
{
	do
		if (!take_byte(head, err))
			return false;
	while (head->last != 0);
	return true;
}

static bool refuse_head(struct head *head, const char *words)
{
	head->outcome = HEAD_BAD;
	head->words = words;
	return false;
}

/* All of a head, from its first byte on, which is the magic's. False: see head->outcome and err->kind. */
static bool take_head(struct head *head, struct err *err)
{
	int number = 0;
	if (!take_bytes(head, 3, err))
		return false;
	if (head->last != METHOD_DEFLATE)
		return refuse_head(head, "a method of compression that is not deflate");
	if (!take_byte(head, err))
		return false;
	int flags = head->last;
	if ((flags & FLAGS_RESERVED) != 0)
		return refuse_head(head, "flags in the head that do not exist");
	if (!take_bytes(head, HEAD_REST_BYTES, err))
		return false;
	if ((flags & FLAG_EXTRA) != 0 && (!take_number(head, &number, err) || !take_bytes(head, number, err)))
		return false;
	if ((flags & FLAG_NAME) != 0 && !take_text(head, err))
		return false;
	if ((flags & FLAG_COMMENT) != 0 && !take_text(head, err))
		return false;
	uint32_t checksum = head->checksum & 0xffff;
	if ((flags & FLAG_HEAD_CHECKSUM) != 0) {
		if (!take_number(head, &number, err))
			return false;
		if ((uint32_t)number != checksum)
			return refuse_head(head, "the checksum of the head does not agree");
	}
	return true;
}

static bool begin_member(struct inflater *inflater, struct err *err)
{
	int64_t offset = file_offset(inflater);
	struct head head = {.inflater = inflater};
	struct err reading = {0};
	if (take_head(&head, &reading)) {
		isal_inflate_init(inflater->blocks);
		inflater->blocks->crc_flag = ISAL_GZIP_NO_HDR_VER;
		inflater->state = INFLATER_BODY;
	} else if (reading.kind != ERR_NONE) {
		*err = reading;
		return false;
	} else if (head.outcome == HEAD_CUT) {
		set_damage(inflater, INFLATE_TRUNCATED, "the file ends in the head of a member", offset);
	} else {
		set_damage(inflater, INFLATE_BAD_DATA, head.words, offset);
	}
	return true;
}

/* ---- blocks ---- */

static void refuse_blocks(struct inflater *inflater, int code)
{
	const char *words = "blocks that make no progress";
	if (code == ISAL_INVALID_BLOCK)
		words = "a block that makes no sense";
	else if (code == ISAL_INVALID_SYMBOL)
		words = "a code that does not exist";
	else if (code == ISAL_INVALID_LOOKBACK)
		words = "a reference to before the beginning";
	/* What ISA-L has taken of the input and not looked at may be the next member's first bytes. */
	size_t ahead = inflater->blocks->read_in_length > 0 ? (size_t)inflater->blocks->read_in_length / 8 : 0;
	inflater->input_at -= ahead < inflater->input_at ? ahead : inflater->input_at;
	set_damage(inflater, INFLATE_BAD_DATA, words, file_offset(inflater));
}

/* One call of ISA-L's; *moved_out whether it brought anything forward. */
static int inflate_some(struct inflater *inflater, struct inflate_slot *slot, bool *moved_out)
{
	struct inflate_state *blocks = inflater->blocks;
	size_t room = inflater->window_bytes - slot->size;
	enum isal_block_state state_before = blocks->block_state;
	blocks->next_in = inflater->input + inflater->input_at;
	blocks->avail_in = (uint32_t)waiting(inflater);
	blocks->next_out = slot->window + slot->size;
	blocks->avail_out = (uint32_t)room;
	int code = isal_inflate(blocks);
	/* Its fast loop reads a few bytes beyond the input, and when it meets damage there says so. */
	if (code < 0 && blocks->avail_in > waiting(inflater))
		blocks->avail_in = 0;
	assert(blocks->avail_in <= waiting(inflater) && blocks->avail_out <= room);
	*moved_out = blocks->avail_in < waiting(inflater) || blocks->avail_out < room
		     || blocks->block_state != state_before;
	inflater->input_at = inflater->input_size - blocks->avail_in;
	slot->size = inflater->window_bytes - blocks->avail_out;
	return code;
}

/* Until the window is full or the member has no more for it. */
static bool inflate_member(struct inflater *inflater, struct inflate_slot *slot, struct err *err)
{
	while (inflater->state == INFLATER_BODY && slot->size < inflater->window_bytes) {
		bool moved;
		int code = inflate_some(inflater, slot, &moved);
		if (code == ISAL_INCORRECT_CHECKSUM) {
			set_damage(inflater, INFLATE_BAD_CHECKSUM, "the checksum of a member does not agree",
				file_offset(inflater));
		} else if (code != ISAL_DECOMP_OK) {
			refuse_blocks(inflater, code);
		} else if (inflater->blocks->block_state == ISAL_BLOCK_FINISH) {
			inflater->members++;
			inflater->state = INFLATER_BETWEEN;
		} else if (slot->size == inflater->window_bytes) {
			break;
		} else if (waiting(inflater) > 0) {
			if (!moved)
				refuse_blocks(inflater, ISAL_DECOMP_OK);
		} else if (inflater->input_ended) {
			set_damage(inflater, INFLATE_TRUNCATED, "the file ends within a member", file_offset(inflater));
		} else if (!load(inflater, err)) {
			return false;
		}
	}
	return true;
}

static bool pass_between(struct inflater *inflater, struct err *err)
{
	if (!look_ahead(inflater, 2, err))
		return false;
	if (is_at_member(inflater))
		inflater->state = INFLATER_HEAD;
	else if (waiting(inflater) == 0)
		inflater->state = INFLATER_END;
	else
		set_damage(inflater, INFLATE_TRAILING, "bytes behind a member that are no gzip", file_offset(inflater));
	return true;
}

/* ---- windows ---- */

static bool start(struct inflater *inflater, struct err *err)
{
	if (!look_ahead(inflater, 2, err))
		return false;
	inflater->is_gzip = is_at_member(inflater);
	inflater->state = inflater->is_gzip ? INFLATER_HEAD : INFLATER_PLAIN;
	return true;
}

static bool copy_plain(struct inflater *inflater, struct inflate_slot *slot, struct err *err)
{
	size_t size = waiting(inflater) < inflater->window_bytes ? waiting(inflater) : inflater->window_bytes;
	memcpy(slot->window, inflater->input + inflater->input_at, size);
	inflater->input_at += size;
	slot->size = size;
	while (slot->size < inflater->window_bytes && !inflater->input_ended) {
		if (!read_some(inflater, slot->window + slot->size, inflater->window_bytes - slot->size, &size, err))
			return false;
		slot->size += size;
	}
	if (inflater->input_ended && waiting(inflater) == 0)
		inflater->state = INFLATER_END;
	return true;
}

static bool step(struct inflater *inflater, struct inflate_slot *slot, struct err *err)
{
	assert(inflater->state < INFLATER_SKIP);
	switch (inflater->state) {
	case INFLATER_START:
		return start(inflater, err);
	case INFLATER_PLAIN:
		return copy_plain(inflater, slot, err);
	case INFLATER_HEAD:
		return begin_member(inflater, err);
	case INFLATER_BODY:
		return inflate_member(inflater, slot, err);
	case INFLATER_BETWEEN:
		return pass_between(inflater, err);
	case INFLATER_SKIP:
	case INFLATER_END:
		break;
	}
	return false;
}

static void check_ratio(struct inflater *inflater)
{
	if (inflater->state != INFLATER_SKIP && inflater->is_gzip && inflater->bytes > INFLATE_RATIO_FREE_BYTES
		&& inflater->bytes / INFLATE_RATIO_MAX > file_offset(inflater))
		set_damage(inflater, INFLATE_BOMB, "more than 200 times as large as what it was compressed to",
			file_offset(inflater));
}

bool inflater_fill(struct inflater *inflater, struct inflate_slot *slot, struct err *err)
{
	slot->size = 0;
	slot->piece = (struct inflate_piece){.kind = INFLATE_END};
	while (inflater->state < INFLATER_SKIP && slot->size < inflater->window_bytes)
		if (!step(inflater, slot, err))
			return false;
	if (slot->size > 0) {
		slot->piece.kind = INFLATE_WINDOW;
		inflater->bytes += (int64_t)slot->size;
		check_ratio(inflater);
	} else if (inflater->state == INFLATER_SKIP && !skip_damage(inflater, slot, err)) {
		return false;
	}
	slot->is_gzip = inflater->is_gzip;
	slot->piece.bytes = span_make((const char *)slot->window, slot->size);
	slot->piece.totals = (struct inflate_totals){file_offset(inflater), inflater->bytes, inflater->members};
	return true;
}
