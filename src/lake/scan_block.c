/* SPDX-License-Identifier: Apache-2.0 */
/* scan_block.c - scan_walk, 64 bytes at a time: bytes become masks (scan_mask.c), one bit a byte, and the
 * grammar of JSON becomes arithmetic on masks, so that what is not wanted costs the same few instructions
 * whatever stands in it. Bit 0 is the first byte; drawn from left to right:
 *
 *     bytes      { " i d " : 1 2 , " a \ " " : [ t r u e ] }
 *     quotes     . 1 . . 1 . . . . 1 . . . 1 . . . . . . . .   without the escaped one
 *     in_string  . 1 1 1 . . . . . 1 1 1 1 . . . . . . . . .   each bit the xor of all quotes up to it
 *     scalars    . . . . . . 1 1 . . . . . . . . 1 1 1 1 . .   outside strings and no punctuation
 *     in_array   . . . . . . . . . . . . . . . . 1 1 1 1 1 .   from the stack of brackets
 *
 * RFC 8259 without blanks is a rule for each pair of neighbouring tokens, once it is known whether a comma
 * stands in an object or in an array, and whether a string is a key. A pair is checked by moving the masks
 * of all left partners by one: behind(colons) & ~(opening quotes | opening brackets | first bytes of
 * scalars) is not 0 when a colon is followed by what is no value. Whether a string is a key is known at
 * its opening quote (behind a '{', or behind a comma in an object); adding that bit to in_string carries it
 * to the closing quote, behind which there must be a colon, and nowhere else:
 *
 *     in_string  . 1 1 1 . . .
 *   + keys       . 1 . . . . .
 *                . . . . 1 . .   the closing quotes of keys
 *
 * Brackets (one in 200 bytes) are followed one by one, for their kind and depth; the colons between them
 * only where the trie has a node for the object that they are in. Words that are no plain integers, and
 * escapes, are looked at one by one too.
 *
 * Whatever is unusual (blanks between tokens, and everything that is wrong) is answered with "no": then
 * scan_walk passes over the text again, token by token, and says what is wrong with it, if anything. So
 * "yes" needs to be right, "no" only to be rare. */
#include "lake/scan_private.h"

#include <assert.h>
#include <string.h>

enum {
	BLOCK_BYTES = 64,
	BATCH_BLOCKS = 16,
	NO_NODE = 0, /* the root is nobody's child */
};

/* Into the loop over the blocks: there the carries stay in registers. */
#define INLINE static inline __attribute__((always_inline))

/* An object that is being walked beside the trie. */
struct level {
	size_t node;
	const char *start;
};

struct blocks {
	const struct scan_plan *plan;
	struct scan_slot *slots;
	struct scan_cursor cursor; /* only for tokens that are taken whole */
	const char *escapes_end;   /* of a surrogate pair that was looked at */

	/* Objects of the trie are entered one inside the other, so that they are the outermost levels:
	 * levels[1 … wanted_depth]. */
	unsigned depth;
	unsigned wanted_depth;
	uint64_t arrays; /* bit n: level n is an array */
	uint64_t in_array; /* what is open now: all bits or none */
	struct level levels[SCAN_DEPTH_MAX + 1];
	size_t expected_node;  /* of the bracket that comes next */
	struct level captured; /* a container that is wanted as it stands, one level below the wanted ones */
};

/* What a block leaves to the next one: bit 0 or none, in_string all bits or none. */
struct carries {
	uint64_t in_string;
	uint64_t escape;
	uint64_t key;
	uint64_t behind_colon;
	uint64_t behind_open_or_comma;
	uint64_t behind_key;
	uint64_t behind_word;
};

/* One block, once quotes are understood. */
struct block {
	const char *text;
	const struct scan_masks *masks;
	uint64_t in_string; /* opening quote included, closing quote not */
	uint64_t quote;     /* without the escaped ones */
};

static inline unsigned first_bit(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask);
}

/* The bytes behind those of `mask`; the last bit waits in *carry for the next block. */
INLINE uint64_t behind(uint64_t mask, uint64_t *carry)
{
	uint64_t moved = (mask << 1) + *carry;
	*carry = mask >> 63;
	return moved;
}

/* ---- strings ---- */

/* The bytes that a backslash escapes. Only every second backslash of a row does: where a row begins at an
 * odd place, adding it to itself turns "even" into "odd" for what is behind it. */
static uint64_t find_escaped(uint64_t backslash, uint64_t *carry)
{
	static const uint64_t even_bits = UINT64_C(0x5555555555555555);
	uint64_t row = backslash & ~*carry;
	uint64_t follows = row << 1 | *carry;
	uint64_t odd_starts = row & ~even_bits & ~follows;
	uint64_t sum;
	*carry = __builtin_add_overflow(odd_starts, row, &sum);
	return (even_bits ^ (sum << 1)) & follows;
}

static bool pass_escapes(struct blocks *blocks, const char *text, uint64_t escaped)
{
	for (; escaped; escaped &= escaped - 1) {
		const char *at = text + first_bit(escaped);
		if (*at == 'n' || *at == 'r' || *at == '"' || at < blocks->escapes_end)
			continue;
		blocks->cursor.at = at - 1;
		if (!scan_skip_escape(&blocks->cursor))
			return false;
		blocks->escapes_end = blocks->cursor.at;
	}
	return true;
}

/* ---- numbers and literals ---- */

/* How many of the 16 bytes at `at` are digits, from the first on. */
static inline unsigned count_digits_of_16(const char *at)
{
	static const uint64_t high_halves = UINT64_C(0xf0f0f0f0f0f0f0f0);
	static const uint64_t zeros = UINT64_C(0x3030303030303030);
	for (unsigned count = 0; count < 16; count += 8) {
		uint64_t bytes;
		memcpy(&bytes, at + count, sizeof(bytes));
		/* 0x30 … 0x39 keep their high half when 6 is added; what carries over only spoils later bytes. */
		uint64_t others = ((bytes & high_halves) ^ zeros)
				  | (((bytes + UINT64_C(0x0606060606060606)) & high_halves) ^ zeros);
		if (others)
			return count + first_bit(others) / 8;
	}
	return 16;
}

/* True for what may stand right behind a value. */
static inline bool ends_value(char byte)
{
	return byte == ',' || byte == '}' || byte == ']';
}

/* True when the word at `at` is well formed and ends where a value may end. */
static bool check_token(struct blocks *blocks, const char *at)
{
	struct scan_slot unused;
	struct scan_cursor *cursor = &blocks->cursor;
	cursor->at = at;
	return scan_take_value(cursor, &unused) && cursor->at < cursor->end && ends_value(*cursor->at);
}

/* True when the `size` bytes at `at`, of which 16 can be read, are a literal or a plain integer. */
static inline bool is_usual_word(const char *at, unsigned size)
{
	uint32_t bytes;
	memcpy(&bytes, at, sizeof(bytes));
	switch (*at) {
	case 't':
		return size == 4 && bytes == 0x65757274; /* true */
	case 'n':
		return size == 4 && bytes == 0x6c6c756e; /* null */
	case 'f':
		return size == 5 && bytes == 0x736c6166 && at[4] == 'e'; /* false */
	case '0':
		return size == 1;
	default:
		return size <= 16 && count_digits_of_16(at) >= size;
	}
}

/* `words`: bytes of numbers and literals; `starts`: the first one of each. */
static bool check_words(struct blocks *blocks, const char *text, uint64_t words, uint64_t starts)
{
	const char *end = blocks->cursor.end;
	for (; starts; starts &= starts - 1) {
		unsigned index = first_bit(starts);
		const char *at = text + index;
		/* To the end of the block, where it may go on in the next one. */
		unsigned size = first_bit(~(words >> index) | UINT64_C(1) << 63);
		bool is_whole = index + size < BLOCK_BYTES && end - at > 16;
		if (!(is_whole && is_usual_word(at, size)) && !check_token(blocks, at))
			return false;
	}
	return true;
}

/* ---- wanted values ---- */

/* The opening quote of the key that ends at `end`, by looking backwards: a quote behind a backslash is not
 * yet it. NULL when there is none. */
static const char *find_opening(const struct blocks *blocks, const char *end)
{
	const char *begin = blocks->cursor.begin + 1; /* behind the root's bracket */
	const char *at = end;
	do {
		at = at > begin ? memrchr(begin, '"', (size_t)(at - begin)) : NULL;
	} while (at && at[-1] == '\\');
	return at;
}

/* The node of the key before the colon that is bit `colon` of the block; NO_NODE also for what is no key,
 * which check_neighbours finds. */
static inline size_t find_node(
	const struct blocks *blocks, const struct block *block, unsigned colon, size_t parent)
{
	uint64_t before = (UINT64_C(1) << colon) - 1;
	uint64_t opening = block->quote & block->in_string & before;
	const char *end = block->text + colon - 1;
	const char *start;
	bool escaped;
	if (opening) {
		unsigned index = 63 - (unsigned)__builtin_clzll(opening);
		start = block->text + index + 1;
		escaped = (block->masks->backslash & before) >> index != 0;
	} else {
		start = find_opening(blocks, end);
		if (!start)
			return NO_NODE;
		start++;
		escaped = memchr(start, '\\', (size_t)(end - start)) != NULL;
	}
	size_t size = (size_t)(end - start);
	return escaped ? scan_find_escaped_child(blocks->plan, parent, start, size)
		       : scan_find_child(blocks->plan, parent, start, size);
}

/* The value behind that colon, which is no container. Strings that end in the block are validated by it. */
static inline bool take_scalar(
	struct blocks *blocks, const struct block *block, unsigned colon, struct scan_slot *slot)
{
	const char *at = block->text + colon + 1;
	uint64_t behind_quote = colon < BLOCK_BYTES - 2 ? ~UINT64_C(0) << (colon + 2) : 0;
	uint64_t closing = block->quote & ~block->in_string & behind_quote;
	if (closing && *at == '"') {
		uint64_t inside = (closing - 1) & ~closing & behind_quote;
		const char *end = block->text + first_bit(closing);
		*slot = (struct scan_slot){at + 1, (uint32_t)(end - at - 1), SCAN_KIND_STRING,
			(block->masks->backslash & inside) != 0};
		return true;
	}
	if (blocks->cursor.end - at > 16 && *at >= '1' && *at <= '9') {
		unsigned size = count_digits_of_16(at);
		if (size < 16 && ends_value(at[size])) {
			*slot = (struct scan_slot){at, size, SCAN_KIND_INTEGER, false};
			return true;
		}
	}
	blocks->cursor.at = at;
	return scan_take_value(&blocks->cursor, slot);
}

/* Members of an object of the trie, by their colons. */
INLINE bool take_members(struct blocks *blocks, const struct block *block, uint64_t colons)
{
	const struct scan_plan *plan = blocks->plan;
	size_t parent = blocks->levels[blocks->wanted_depth].node;
	for (; colons; colons &= colons - 1) {
		unsigned colon = first_bit(colons);
		size_t node = find_node(blocks, block, colon, parent);
		if (node == NO_NODE)
			continue;
		struct scan_slot *slot = &blocks->slots[node];
		if (slot->kind != SCAN_KIND_ABSENT)
			memset(slot, 0, (plan->nodes[node].end - node) * sizeof(*slot));
		const char *value = block->text + colon + 1;
		if (value == blocks->cursor.end)
			return false;
		if (*value == '{' || *value == '[')
			blocks->expected_node = node;
		else if (!take_scalar(blocks, block, colon, slot))
			return false;
	}
	return true;
}

static inline bool open_bracket(struct blocks *blocks, const char *at)
{
	if (blocks->depth == SCAN_DEPTH_MAX)
		return false;
	bool is_array = *at == '[';
	blocks->arrays = blocks->arrays << 1 | is_array;
	blocks->in_array = (uint64_t)0 - is_array;
	blocks->depth++;
	size_t node = blocks->expected_node;
	if (node == NO_NODE)
		return true;
	blocks->expected_node = NO_NODE;
	bool has_children = blocks->plan->nodes[node].end > node + 1;
	if (has_children && !is_array)
		blocks->levels[++blocks->wanted_depth] = (struct level){node, at};
	else
		blocks->captured = (struct level){node, at};
	return true;
}

static void fill_slot(struct blocks *blocks, const struct level *level, const char *end)
{
	uint8_t kind = *level->start == '{' ? SCAN_KIND_OBJECT : SCAN_KIND_ARRAY;
	blocks->slots[level->node] =
		(struct scan_slot){level->start, (uint32_t)(end - level->start), kind, false};
}

static inline bool close_bracket(struct blocks *blocks, const char *at)
{
	bool closes_array = *at == ']';
	if (blocks->depth == 0 || (blocks->arrays & 1) != closes_array || at[-1] == ',' || at[-1] == ':')
		return false;
	if (blocks->depth == blocks->wanted_depth) {
		if (blocks->depth > 1)
			fill_slot(blocks, &blocks->levels[blocks->wanted_depth], at + 1);
		blocks->wanted_depth--;
	}
	blocks->depth--;
	blocks->arrays >>= 1;
	blocks->in_array = (uint64_t)0 - (blocks->arrays & 1);
	if (blocks->depth == blocks->wanted_depth && blocks->captured.node != NO_NODE) {
		fill_slot(blocks, &blocks->captured, at + 1);
		blocks->captured.node = NO_NODE;
	}
	/* Nothing may follow the event. */
	return blocks->depth > 0 || at + 1 == blocks->cursor.end;
}

/* Follows the brackets of the block and takes the members between them that are wanted. Returns for each
 * byte whether it is an array that is open before it. *ok_out false: no. */
static uint64_t follow_brackets(struct blocks *blocks, const char *text,
	const struct scan_masks *masks, uint64_t in_string, uint64_t quote, bool *ok_out)
{
	const struct block block = {text, masks, in_string, quote};
	uint64_t outside = ~(in_string | quote);
	uint64_t open = masks->open & outside;
	uint64_t colons = masks->colon & outside;
	uint64_t in_array = blocks->in_array;
	uint64_t brackets = open | (masks->close & outside);
	for (;;) {
		/* Up to the next bracket, or all. */
		uint64_t bracket = brackets & (0 - brackets);
		uint64_t before = bracket - 1;
		if (blocks->depth == blocks->wanted_depth
			&& !take_members(blocks, &block, colons & before))
			break;
		if (!bracket)
			return in_array;
		const char *at = text + first_bit(bracket);
		if (!(open & bracket ? open_bracket(blocks, at) : close_bracket(blocks, at)))
			break;
		uint64_t behind_bracket = ~(before | bracket);
		colons &= behind_bracket;
		brackets ^= bracket;
		in_array = (in_array & ~behind_bracket) | (blocks->in_array & behind_bracket);
	}
	*ok_out = false;
	return in_array;
}

/* ---- grammar ---- */

/* `valid`: the bytes that belong to the event. */
INLINE bool pass_block(struct blocks *blocks, const char *text, const struct scan_masks *masks,
	uint64_t valid, struct carries *carries)
{
	uint64_t quote = masks->quote;
	uint64_t in_string = masks->in_string ^ carries->in_string;
	if (__builtin_expect((masks->backslash | carries->escape) != 0, false)) {
		uint64_t escaped = find_escaped(masks->backslash, &carries->escape);
		quote &= ~escaped;
		in_string = scan_xor_of_prefix(quote) ^ carries->in_string;
		/* A backslash outside strings belongs to a word, which then is none. */
		if (!pass_escapes(blocks, text, escaped & valid))
			return false;
	} else if (!masks->quote && carries->in_string)
		return true; /* the inside of a long string: no carry changes */
	carries->in_string = 0 - (in_string >> 63);

	uint64_t opening = quote & in_string;
	uint64_t outside = ~(in_string | quote);
	uint64_t open = masks->open & outside;
	uint64_t colon = masks->colon & outside;
	uint64_t comma = masks->comma & outside;
	uint64_t brackets = open | (masks->close & outside);

	uint64_t in_array = blocks->in_array;
	bool ok = true;
	if (brackets || (colon && blocks->depth == blocks->wanted_depth))
		in_array = follow_brackets(blocks, text, masks, in_string, quote, &ok);

	uint64_t words = outside & ~(brackets | colon | comma) & valid;
	uint64_t word_starts = words & ~behind(words, &carries->behind_word);
	uint64_t values = opening | word_starts | open;
	uint64_t behind_colon = behind(colon, &carries->behind_colon);
	uint64_t behind_open_or_comma = behind(open | comma, &carries->behind_open_or_comma);
	uint64_t before_value = behind_colon | behind_open_or_comma;
	uint64_t key_places = behind_open_or_comma & ~in_array;

	/* See the drawing at the top; a key may have begun in an earlier block. */
	uint64_t sum;
	uint64_t keys = opening & key_places;
	carries->key = __builtin_add_overflow(in_string, keys | carries->key, &sum);
	uint64_t behind_key = behind(sum & quote & ~in_string, &carries->behind_key);

	/* Neighbours that are not allowed; close_bracket looks at what is before a closing bracket. */
	uint64_t wrong = (values & ~before_value) | (comma & before_value)
			 | (key_places & (word_starts | open)) | (behind_key ^ colon);
	return ok && wrong == 0 && (!word_starts || check_words(blocks, text, words, word_starts));
}

/* The last block, which is not full. */
static bool pass_tail(
	struct blocks *blocks, struct span tail, scan_mask_function mask, struct carries *carries,
	bool *not_ascii)
{
	char padded[BLOCK_BYTES];
	struct scan_masks masks;
	uint64_t valid = (UINT64_C(1) << tail.size) - 1;
	memset(padded, 'x', sizeof(padded));
	memcpy(padded, tail.data, tail.size);
	return mask(padded, 1, &masks, not_ascii) && pass_block(blocks, tail.data, &masks, valid, carries);
}

bool scan_walk_blocks(const struct scan_plan *plan, struct span json, struct scan_slot *slots,
	scan_mask_function mask)
{
	struct span left = json;
	bool not_ascii = false;
	struct scan_problem unused;
	struct blocks blocks;
	blocks.plan = plan;
	blocks.slots = slots;
	blocks.cursor = (struct scan_cursor){json.data, json.data, json.data + json.size, 0, &unused};
	blocks.escapes_end = json.data;
	blocks.depth = 0;
	blocks.wanted_depth = 1; /* the root's, which the first bracket opens */
	blocks.arrays = 0;
	blocks.in_array = 0;
	blocks.expected_node = NO_NODE;
	blocks.captured.node = NO_NODE;
	blocks.levels[1] = (struct level){0, json.data};
	/* As if a colon stood before the event: a value must follow. */
	struct carries carries = {.behind_colon = 1};
	if (json.size == 0 || json.data[0] != '{')
		return false;
	while (left.size >= BLOCK_BYTES) {
		struct scan_masks masks[BATCH_BLOCKS];
		size_t block_count = left.size / BLOCK_BYTES;
		block_count = block_count < BATCH_BLOCKS ? block_count : BATCH_BLOCKS;
		if (!mask(left.data, block_count, masks, &not_ascii))
			return false;
		for (size_t i = 0; i < block_count; i++) {
			if (!pass_block(&blocks, left.data, &masks[i], ~UINT64_C(0), &carries))
				return false;
			left.data += BLOCK_BYTES;
			left.size -= BLOCK_BYTES;
		}
	}
	if (left.size > 0 && !pass_tail(&blocks, left, mask, &carries, &not_ascii))
		return false;
	return blocks.depth == 0 && (!not_ascii || span_is_utf8(json));
}
