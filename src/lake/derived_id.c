/* SPDX-License-Identifier: Apache-2.0 */
/* derived_id.c - one pass writes the canonical text. Members are written as they come, each with a
 * comma behind it; where an object closes, its own are put into order. What is nested is in order by
 * then, so each byte is moved at most once a level. The tokens are read without checks: the scanner
 * made them. */
#include "lake/derived_id.h"

#include "lake/scan_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a value stands: payload.shas is an array of arrays, the e-mail address their second. */
enum place {
	PLACE_EVENT,
	PLACE_PAYLOAD,
	PLACE_SHAS,
	PLACE_COMMIT,
	PLACE_ELSEWHERE,
};

/* A member in the text: "key":value, */
struct member {
	const char *key; /* behind its quote; set while sorting */
	uint32_t key_size;
	uint32_t at;
	uint32_t size; /* 0: to be left out */
};

/* Of five bytes each. */
enum { MEMBERS_BYTES_MAX = SCAN_EVENT_BYTES_MAX / 5 * (int)sizeof(struct member) + 4096 };

struct writer {
	const char *at;
	const char *end;
	unsigned depth;
	struct buf *text;
	struct buf members; /* of the objects that are open, the innermost last */
};

static void skip_blanks(struct writer *writer)
{
	while (writer->at < writer->end
		&& (*writer->at == ' ' || *writer->at == '\n' || *writer->at == '\r' || *writer->at == '\t'))
		writer->at++;
	assert(writer->at < writer->end);
}

/* ---- strings ---- */

static void write_character(struct buf *text, char c)
{
	static const char letters[] = "btnfr";
	static const char controls[] = "\b\t\n\f\r";
	const char *control = c != '\0' ? strchr(controls, c) : NULL;
	if (c == '"' || c == '\\') {
		buf_append_byte(text, '\\');
		buf_append_byte(text, c);
	} else if (control) {
		buf_append_byte(text, '\\');
		buf_append_byte(text, letters[control - controls]);
	} else if ((unsigned char)c < 0x20) {
		buf_printf(text, "\\u%04x", (unsigned)(unsigned char)c);
	} else {
		buf_append_byte(text, c);
	}
}

/* The escape at the reader, passed. */
static void write_escape(struct writer *writer)
{
	size_t size = 2;
	if (writer->at[1] == 'u') {
		/* D800 to DBFF: the first half of a pair. */
		bool is_pair = (writer->at[2] == 'd' || writer->at[2] == 'D') && strchr("89abAB", writer->at[3]);
		size = is_pair ? 12 : 6;
	}
	assert((size_t)(writer->end - writer->at) > size);
	char decoded[12];
	size_t decoded_size = scan_decode_string(writer->at, size, decoded);
	if (decoded_size == 1)
		write_character(writer->text, decoded[0]);
	else
		buf_append(writer->text, decoded, decoded_size);
	writer->at += size;
}

static void write_string(struct writer *writer)
{
	const char *from = writer->at; /* the opening quote */
	writer->at++;
	for (;;) {
		while (writer->at < writer->end && *writer->at != '"' && *writer->at != '\\')
			writer->at++;
		assert(writer->at < writer->end);
		if (*writer->at == '"')
			break;
		buf_append(writer->text, from, (size_t)(writer->at - from));
		write_escape(writer);
		from = writer->at;
	}
	writer->at++;
	buf_append(writer->text, from, (size_t)(writer->at - from));
}

/* ---- numbers and literals ---- */

static void write_scalar(struct writer *writer)
{
	const char *from = writer->at;
	bool is_real = false;
	while (writer->at < writer->end && !strchr(",]} \t\r\n", *writer->at)) {
		is_real = is_real || *writer->at == '.' || *writer->at == 'e' || *writer->at == 'E';
		writer->at++;
	}
	struct buf *text = writer->text;
	size_t size = (size_t)(writer->at - from);
	bool is_number = *from == '-' || (*from >= '0' && *from <= '9');
	size_t text_size = text->size;
	buf_append(text, from, size);
	if (!is_number || text->failed)
		return;
	if (is_real) {
		double value = strtod(text->data + text_size, NULL);
		text->size = text_size;
		buf_printf(text, "%.17g", value);
	}
	/* No other number that begins with "-0" ends there. */
	if (text->size == text_size + 2 && memcmp(text->data + text_size, "-0", 2) == 0) {
		text->size = text_size;
		buf_append_byte(text, '0');
	}
}

/* ---- objects and arrays ---- */

static void write_value(struct writer *writer, enum place place);

static int compare_members(const void *left, const void *right)
{
	const struct member *a = left;
	const struct member *b = right;
	size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order = memcmp(a->key, b->key, size);
	if (order != 0)
		return order;
	if (a->key_size != b->key_size)
		return a->key_size < b->key_size ? -1 : 1;
	return a->at < b->at ? -1 : a->at > b->at; /* duplicates: the last stays the last */
}

/* Members mostly come a dozen at a time: cheaper than a call of qsort. */
static void sort_members(struct member *members, size_t count)
{
	enum { FEW = 40 };
	if (count > FEW) {
		qsort(members, count, sizeof(*members), compare_members);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct member moving = members[i];
		size_t to = i;
		for (; to > 0 && compare_members(&members[to - 1], &moving) > 0; to--)
			members[to] = members[to - 1];
		members[to] = moving;
	}
}

/* Puts the members, which stand side by side up to the text's end, into order, and drops those that
 * do not count. */
static void order_members(struct buf *text, struct member *members, size_t count)
{
	size_t begin = members[0].at;
	size_t size = text->size - begin;
	for (size_t i = 0; i < count; i++)
		members[i].key = text->data + members[i].at + 1;
	sort_members(members, count);
	char *sorted = buf_reserve(text, size);
	if (!sorted)
		return;
	size_t sorted_size = 0;
	for (size_t i = 0; i < count; i++) {
		bool overruled = i + 1 < count && members[i].key_size == members[i + 1].key_size
				 && memcmp(text->data + members[i].at + 1, text->data + members[i + 1].at + 1,
					    members[i].key_size) == 0;
		if (overruled)
			continue;
		memcpy(sorted + sorted_size, text->data + members[i].at, members[i].size);
		sorted_size += members[i].size;
	}
	memmove(text->data + begin, sorted, sorted_size);
	text->size = begin + sorted_size;
}

/* Closes the list that was opened at `begin`: the comma behind the last element becomes the bracket. */
static void close_list(struct buf *text, size_t begin, char bracket)
{
	if (text->size > begin + 1)
		text->size--;
	buf_append_byte(text, bracket);
}

/* Behind an element: true where another one follows. */
static bool take_comma(struct writer *writer)
{
	skip_blanks(writer);
	char c = *writer->at++;
	assert(c == ',' || c == '}' || c == ']');
	return c == ',';
}

static enum place place_of_member(enum place place, struct span key)
{
	if (place == PLACE_EVENT && span_equal_text(key, "payload"))
		return PLACE_PAYLOAD;
	if (place == PLACE_PAYLOAD && span_equal_text(key, "shas"))
		return PLACE_SHAS;
	return PLACE_ELSEWHERE;
}

static void write_member(struct writer *writer, enum place place)
{
	struct buf *text = writer->text;
	struct member member = {.at = (uint32_t)text->size};
	skip_blanks(writer);
	assert(*writer->at == '"');
	write_string(writer);
	if (text->failed)
		return;
	struct span key = {text->data + member.at + 1, text->size - member.at - 2};
	member.key_size = (uint32_t)key.size;
	bool is_email = span_equal_text(key, "email");
	place = place_of_member(place, key);
	skip_blanks(writer);
	assert(*writer->at == ':');
	writer->at++;
	buf_append_byte(text, ':');
	skip_blanks(writer);
	bool is_null = *writer->at == 'n';
	write_value(writer, place);
	buf_append_byte(text, ',');
	if (is_email) {
		text->size = member.at;
		return;
	}
	member.size = is_null ? 0 : (uint32_t)(text->size - member.at);
	buf_append(&writer->members, &member, sizeof(member));
}

static void write_object(struct writer *writer, enum place place)
{
	struct buf *text = writer->text;
	size_t begin = text->size;
	size_t outer_size = writer->members.size;
	buf_append_byte(text, '{');
	writer->at++;
	skip_blanks(writer);
	if (*writer->at == '}')
		writer->at++;
	else
		do
			write_member(writer, place);
		while (take_comma(writer) && !text->failed);
	if (text->failed || writer->members.failed)
		return;
	struct buf *members = &writer->members;
	size_t count = (members->size - outer_size) / sizeof(struct member);
	if (count > 0)
		order_members(text, (struct member *)(void *)(members->data + outer_size), count);
	members->size = outer_size;
	close_list(text, begin, '}');
}

static void write_array(struct writer *writer, enum place place)
{
	struct buf *text = writer->text;
	size_t begin = text->size;
	enum place inner = place == PLACE_SHAS ? PLACE_COMMIT : PLACE_ELSEWHERE;
	buf_append_byte(text, '[');
	writer->at++;
	skip_blanks(writer);
	size_t index = 0;
	if (*writer->at == ']')
		writer->at++;
	else
		do {
			size_t element_at = text->size;
			write_value(writer, inner);
			buf_append_byte(text, ',');
			if (place == PLACE_COMMIT && index == 1)
				text->size = element_at;
			index++;
		} while (take_comma(writer) && !text->failed);
	if (!text->failed)
		close_list(text, begin, ']');
}

static void write_value(struct writer *writer, enum place place)
{
	skip_blanks(writer);
	assert(writer->depth <= SCAN_DEPTH_MAX);
	switch (*writer->at) {
	case '"':
		write_string(writer);
		break;
	case '{':
		writer->depth++;
		write_object(writer, place);
		writer->depth--;
		break;
	case '[':
		writer->depth++;
		write_array(writer, place);
		writer->depth--;
		break;
	default:
		write_scalar(writer);
		break;
	}
}

void derived_id_write_text(struct span json, struct buf *text_out)
{
	assert(json.size <= SCAN_EVENT_BYTES_MAX && text_out->size_max == DERIVED_ID_TEXT_BYTES_MAX);
	struct writer writer = {.at = json.data, .end = json.data + json.size, .text = text_out};
	buf_init(&writer.members, MEMBERS_BYTES_MAX);
	buf_clear(text_out);
	/* Room at once for the text and what is sorted beside it. */
	(void)buf_reserve(text_out, json.size + json.size);
	skip_blanks(&writer);
	assert(*writer.at == '{');
	write_value(&writer, PLACE_EVENT);
	assert(!text_out->failed && !writer.members.failed);
	buf_finish(&writer.members);
}

/* ---- hash ---- */

static const uint64_t PRIME_1 = UINT64_C(0x9e3779b185ebca87);
static const uint64_t PRIME_2 = UINT64_C(0xc2b2ae3d27d4eb4f);
static const uint64_t PRIME_3 = UINT64_C(0x165667b19e3779f9);
static const uint64_t PRIME_4 = UINT64_C(0x85ebca77c2b2ae63);
static const uint64_t PRIME_5 = UINT64_C(0x27d4eb2f165667c5);

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* Little-endian on every machine. */
static uint64_t read_word(const unsigned char *at, size_t size)
{
	uint64_t word = 0;
	for (size_t i = 0; i < size; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

static uint64_t mix_lane(uint64_t lane, uint64_t word)
{
	return rotate(lane + word * PRIME_2, 31) * PRIME_1;
}

static uint64_t hash_stripes(const unsigned char **at, const unsigned char *end)
{
	uint64_t lanes[4] = {PRIME_1 + PRIME_2, PRIME_2, 0, 0 - PRIME_1};
	while (end - *at >= 32) {
		for (size_t i = 0; i < 4; i++)
			lanes[i] = mix_lane(lanes[i], read_word(*at + 8 * i, 8));
		*at += 32;
	}
	uint64_t hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12)
			+ rotate(lanes[3], 18);
	for (size_t i = 0; i < 4; i++)
		hash = (hash ^ mix_lane(0, lanes[i])) * PRIME_1 + PRIME_4;
	return hash;
}

uint64_t derived_id_hash(struct span text)
{
	const unsigned char *at = (const unsigned char *)(text.data ? text.data : "");
	const unsigned char *end = at + text.size;
	uint64_t hash = (text.size >= 32 ? hash_stripes(&at, end) : PRIME_5) + text.size;
	for (; end - at >= 8; at += 8)
		hash = rotate(hash ^ mix_lane(0, read_word(at, 8)), 27) * PRIME_1 + PRIME_4;
	if (end - at >= 4) {
		hash = rotate(hash ^ (read_word(at, 4) * PRIME_1), 23) * PRIME_2 + PRIME_3;
		at += 4;
	}
	for (; at < end; at++)
		hash = rotate(hash ^ (*at * PRIME_5), 11) * PRIME_1;
	hash = (hash ^ hash >> 33) * PRIME_2;
	hash = (hash ^ hash >> 29) * PRIME_3;
	return hash ^ hash >> 32;
}

int64_t derived_id(struct span json)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, DERIVED_ID_TEXT_BYTES_MAX);
	derived_id_write_text(json, &text);
	uint64_t bits = derived_id_hash(buf_span(&text)) >> 1;
	return bits == 0 ? -1 : -(int64_t)bits;
}
