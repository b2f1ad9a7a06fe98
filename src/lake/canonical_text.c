/* SPDX-License-Identifier: Apache-2.0 */
/* canonical_text.c - one pass writes the canonical text of derived_id.h. Members are written as they
 * come, each with a comma behind it; where an object closes, its own are put into order. What is nested
 * is in order by then, so each byte is moved at most once a level. The tokens are not validated: the
 * scanner did that.
 *
 * But for numbers with a fraction or an exponent a token is never longer in the text than in the JSON.
 * So there is always room for what is left of the JSON (reserve_rest), and bytes are written without
 * asking; those numbers and the sorting make their own. */
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
	uint64_t key_head; /* its first eight bytes, big-endian: most comparisons end with them */
	uint32_t key_size;
	uint32_t at;
	uint32_t size; /* 0: to be left out */
};

enum {
	/* Of five bytes each. */
	MEMBERS_BYTES_MAX = SCAN_EVENT_BYTES_MAX / 5 * (int)sizeof(struct member) + 4096,
	/* The commas behind the last elements of what is open, and the words that copy_plain writes
	 * and head_of_key reads beyond. */
	SLACK_BYTES = SCAN_DEPTH_MAX + 32,
};

struct writer {
	const char *at;
	const char *end;
	char *out;
	unsigned depth;
	struct buf *text;   /* its size is not kept up to date */
	struct buf members; /* of the objects that are open, the innermost last */
};

static size_t text_size(const struct writer *writer)
{
	return (size_t)(writer->out - writer->text->data);
}

/* Makes room for `size` bytes and what is left of the JSON. */
static void reserve_rest(struct writer *writer, size_t size)
{
	struct buf *text = writer->text;
	char *out = buf_reserve(text, size + (size_t)(writer->end - writer->at) + SLACK_BYTES);
	assert(out); /* DERIVED_ID_TEXT_BYTES_MAX is enough for all that the scanner accepts */
	writer->out = out;
}

static void skip_blanks(struct writer *writer)
{
	const char *at = writer->at;
	while (at < writer->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	assert(at < writer->end);
	writer->at = at;
}

/* ---- strings ---- */

static void write_character(struct writer *writer, char c)
{
	static const char letters[] = "btnfr";
	static const char controls[] = "\b\t\n\f\r";
	const char *control = c != '\0' ? strchr(controls, c) : NULL;
	if (c == '"' || c == '\\' || control) {
		*writer->out++ = '\\';
		*writer->out++ = control ? letters[control - controls] : c;
	} else if ((unsigned char)c < 0x20) {
		char escape[8];
		(void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(unsigned char)c);
		memcpy(writer->out, escape, 6);
		writer->out += 6;
	} else {
		*writer->out++ = c;
	}
}

/* The escape at the reader, passed. */
static void write_escape(struct writer *writer)
{
	size_t size = 2;
	assert(writer->end - writer->at > 2);
	if (writer->at[1] == 'u') {
		assert(writer->end - writer->at > 6);
		/* D800 to DBFF: the first half of a pair. */
		bool is_pair = (writer->at[2] == 'd' || writer->at[2] == 'D') && strchr("89abAB", writer->at[3]);
		size = is_pair ? 12 : 6;
	}
	assert((size_t)(writer->end - writer->at) > size);
	char decoded[12];
	size_t decoded_size = scan_decode_string(writer->at, size, decoded);
	if (decoded_size == 1) {
		write_character(writer, decoded[0]);
	} else {
		memcpy(writer->out, decoded, decoded_size);
		writer->out += decoded_size;
	}
	writer->at += size;
}

static uint64_t has_byte(uint64_t word, uint64_t bytes)
{
	word ^= bytes;
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Up to the next quote or backslash. */
static void copy_plain(struct writer *writer)
{
	const char *at = writer->at;
	char *out = writer->out;
	uint64_t word;
	while ((size_t)(writer->end - at) >= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		memcpy(out, &word, sizeof(word));
		if (has_byte(word, UINT64_C(0x2222222222222222)) | has_byte(word, UINT64_C(0x5c5c5c5c5c5c5c5c)))
			break;
		at += sizeof(word);
		out += sizeof(word);
	}
	while (at < writer->end && *at != '"' && *at != '\\')
		*out++ = *at++;
	assert(at < writer->end);
	writer->at = at;
	writer->out = out;
}

static void write_string(struct writer *writer)
{
	*writer->out++ = *writer->at++;
	for (;;) {
		copy_plain(writer);
		if (*writer->at == '"')
			break;
		write_escape(writer);
	}
	*writer->out++ = *writer->at++;
}

/* ---- numbers and literals ---- */

static bool ends_scalar(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The number that stands at `begin` in the text. */
static void rewrite_real(struct writer *writer, size_t begin)
{
	char printed[40];
	*writer->out = '\0';
	double value = strtod(writer->text->data + begin, NULL);
	int size = snprintf(printed, sizeof(printed), "%.17g", value);
	assert(size > 0 && (size_t)size < sizeof(printed));
	writer->text->size = begin;
	reserve_rest(writer, (size_t)size);
	memcpy(writer->out, printed, (size_t)size);
	writer->out += size;
}

static void write_scalar(struct writer *writer)
{
	size_t begin = text_size(writer);
	char first = *writer->at;
	bool is_number = first == '-' || (first >= '0' && first <= '9');
	bool is_real = false;
	while (writer->at < writer->end && !ends_scalar(*writer->at)) {
		is_real = is_real || *writer->at == '.' || *writer->at == 'e' || *writer->at == 'E';
		*writer->out++ = *writer->at++;
	}
	if (!is_number)
		return;
	if (is_real)
		rewrite_real(writer, begin);
	/* No other number that begins with "-0" ends there. */
	if (text_size(writer) == begin + 2 && memcmp(writer->out - 2, "-0", 2) == 0) {
		writer->out--;
		writer->out[-1] = '0';
	}
}

/* ---- members in order ---- */

/* There is room behind the key, so that eight bytes can be read whatever its size. */
static uint64_t head_of_key(const char *key, size_t size)
{
	const unsigned char *at = (const unsigned char *)key;
	uint64_t head = (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40
			| (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16
			| (uint64_t)at[6] << 8 | (uint64_t)at[7];
	if (size >= sizeof(head))
		return head;
	return size > 0 ? head & UINT64_MAX << (64 - 8 * size) : 0;
}

static const char *key_of(const char *text, const struct member *member)
{
	return text + member->at + 1;
}

/* By the keys' bytes, the shorter first. Duplicates: the last stays the last. */
static bool is_before(const char *text, const struct member *a, const struct member *b)
{
	if (a->key_head != b->key_head)
		return a->key_head < b->key_head;
	size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order = memcmp(key_of(text, a), key_of(text, b), size);
	if (order != 0)
		return order < 0;
	if (a->key_size != b->key_size)
		return a->key_size < b->key_size;
	return a->at < b->at;
}

/* Lets members[root] sink in the heap of `count` members whose top is the last in order. */
static void sink(const char *text, struct member *members, size_t root, size_t count)
{
	struct member sinking = members[root];
	for (;;) {
		size_t child = 2 * root + 1;
		if (child >= count)
			break;
		if (child + 1 < count && is_before(text, &members[child], &members[child + 1]))
			child++;
		if (!is_before(text, &sinking, &members[child]))
			break;
		members[root] = members[child];
		root = child;
	}
	members[root] = sinking;
}

/* The archive's objects have few members, and those of some editions are in order; a hostile one may
 * have millions. */
static void sort_members(const char *text, struct member *members, size_t count)
{
	enum { FEW = 64 };
	if (count <= FEW) {
		for (size_t i = 1; i < count; i++) {
			struct member moving = members[i];
			size_t to = i;
			for (; to > 0 && is_before(text, &moving, &members[to - 1]); to--)
				members[to] = members[to - 1];
			members[to] = moving;
		}
		return;
	}
	for (size_t root = count / 2; root > 0; root--)
		sink(text, members, root - 1, count);
	for (size_t last = count - 1; last > 0; last--) {
		struct member top = members[0];
		members[0] = members[last];
		members[last] = top;
		sink(text, members, 0, last);
	}
}

static bool is_overruled(const char *text, const struct member *members, size_t count, size_t index)
{
	const struct member *member = &members[index];
	return index + 1 < count && member->key_head == member[1].key_head
	       && member->key_size == member[1].key_size
	       && memcmp(key_of(text, member), key_of(text, &member[1]), member->key_size) == 0;
}

/* Puts the members, which stand side by side up to the text's end, into order, and drops those that
 * do not count. */
static void order_members(struct writer *writer, struct member *members, size_t count)
{
	size_t begin = members[0].at;
	size_t size = text_size(writer) - begin;
	writer->text->size = text_size(writer);
	reserve_rest(writer, size);
	char *text = writer->text->data;
	sort_members(text, members, count);
	char *sorted_end = writer->out;
	for (size_t i = 0; i < count; i++) {
		if (members[i].size == 0 || is_overruled(text, members, count, i))
			continue;
		memcpy(sorted_end, text + members[i].at, members[i].size);
		sorted_end += members[i].size;
	}
	size_t sorted_size = (size_t)(sorted_end - writer->out);
	memcpy(text + begin, writer->out, sorted_size);
	writer->out = text + begin + sorted_size;
}

/* ---- objects and arrays ---- */

static void write_value(struct writer *writer, enum place place);

/* Closes the list that was opened at `begin`: the comma behind the last element becomes the bracket. */
static void close_list(struct writer *writer, size_t begin, char bracket)
{
	if (text_size(writer) > begin + 1)
		writer->out--;
	*writer->out++ = bracket;
}

/* Enters the list at the reader; false when it is empty, and passed. */
static bool enter_list(struct writer *writer)
{
	*writer->out++ = *writer->at++;
	skip_blanks(writer);
	bool is_empty = *writer->at == '}' || *writer->at == ']';
	writer->at += is_empty;
	return !is_empty;
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
	struct member member = {.at = (uint32_t)text_size(writer)};
	skip_blanks(writer);
	assert(*writer->at == '"');
	write_string(writer);
	struct span key = {key_of(writer->text->data, &member), text_size(writer) - member.at - 2};
	member.key_head = head_of_key(key.data, key.size);
	member.key_size = (uint32_t)key.size;
	bool is_email = key.size == 5 && memcmp(key.data, "email", 5) == 0;
	if (place != PLACE_ELSEWHERE)
		place = place_of_member(place, key);
	skip_blanks(writer);
	assert(*writer->at == ':');
	*writer->out++ = *writer->at++;
	skip_blanks(writer);
	bool is_null = *writer->at == 'n';
	write_value(writer, place);
	*writer->out++ = ',';
	member.size = is_null ? 0 : (uint32_t)(text_size(writer) - member.at);
	if (is_email)
		writer->out = writer->text->data + member.at;
	else
		buf_append(&writer->members, &member, sizeof(member));
}

static void write_object(struct writer *writer, enum place place)
{
	size_t begin = text_size(writer);
	struct buf *members = &writer->members;
	size_t outer_size = members->size;
	if (enter_list(writer))
		do
			write_member(writer, place);
		while (take_comma(writer));
	assert(!members->failed);
	size_t count = (members->size - outer_size) / sizeof(struct member);
	if (count > 0)
		order_members(writer, (struct member *)(void *)(members->data + outer_size), count);
	members->size = outer_size;
	close_list(writer, begin, '}');
}

static void write_array(struct writer *writer, enum place place)
{
	size_t begin = text_size(writer);
	enum place inner = place == PLACE_SHAS ? PLACE_COMMIT : PLACE_ELSEWHERE;
	size_t index = 0;
	if (enter_list(writer))
		do {
			size_t element_at = text_size(writer);
			write_value(writer, inner);
			*writer->out++ = ',';
			if (place == PLACE_COMMIT && index == 1)
				writer->out = writer->text->data + element_at;
			index++;
		} while (take_comma(writer));
	close_list(writer, begin, ']');
}

/* Recursion is as deep as the event, which is at most SCAN_DEPTH_MAX. */
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
	/* At once for what is sorted beside it, too. */
	reserve_rest(&writer, json.size);
	skip_blanks(&writer);
	assert(*writer.at == '{');
	write_value(&writer, PLACE_EVENT);
	*writer.out = '\0';
	text_out->size = text_size(&writer);
	buf_finish(&writer.members);
}
