/* SPDX-License-Identifier: Apache-2.0 */
/* scan_token.c - tokens of JSON (RFC 8259), for any processor, and the words about what is wrong. Strings
 * are passed over in one place (skip_plain_bytes) and containers in one loop, without recursion: what is
 * open is one bit a level. UTF-8 was checked before, for the whole text. */
#include "lake/scan_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(SCAN_DEPTH_MAX <= 64, "the open brackets are the bits of one word");
_Static_assert(SCAN_EVENT_BYTES_MAX <= UINT32_MAX, "slots keep their size in 32 bits");

bool scan_fail(struct scan_cursor *cursor, enum scan_reason reason, const char *at,
	const char *format, ...)
{
	struct scan_problem *problem = cursor->problem;
	problem->reason = reason;
	problem->offset = (size_t)(at - cursor->begin);
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(problem->detail, sizeof(problem->detail), format, arguments);
	va_end(arguments);
	return false;
}

/* "`what` expected" at the cursor, with what stands there instead. */
static bool fail_expected(struct scan_cursor *cursor, const char *what)
{
	if (cursor->at == cursor->end)
		return scan_fail(cursor, SCAN_INVALID_JSON, cursor->at,
			"%s expected, but the text ends", what);
	unsigned char byte = (unsigned char)*cursor->at;
	if (byte > ' ' && byte < 0x7f)
		return scan_fail(
			cursor, SCAN_INVALID_JSON, cursor->at, "%s expected, not '%c'", what, byte);
	return scan_fail(
		cursor, SCAN_INVALID_JSON, cursor->at, "%s expected, not byte 0x%02x", what, byte);
}

static bool is_next(const struct scan_cursor *cursor, char byte)
{
	return cursor->at < cursor->end && *cursor->at == byte;
}

void scan_skip_blanks(struct scan_cursor *cursor)
{
	const char *at = cursor->at;
	while (at < cursor->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	cursor->at = at;
}

/* ---- strings ---- */

static uint64_t has_zero_byte(uint64_t word)
{
	return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Not 0 when one of the eight bytes is a quote, a backslash or a control character. */
static uint64_t has_special_byte(uint64_t word)
{
	uint64_t control =
		(word - UINT64_C(0x2020202020202020)) & ~word & UINT64_C(0x8080808080808080);
	return has_zero_byte(word ^ UINT64_C(0x2222222222222222))
	       | has_zero_byte(word ^ UINT64_C(0x5c5c5c5c5c5c5c5c)) | control;
}

/* To the next quote, backslash or control character, or to the end. Most of an event's bytes pass
 * through here. */
static const char *skip_plain_bytes(const char *at, const char *end)
{
	uint64_t word;
	while ((size_t)(end - at) >= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		if (has_special_byte(word))
			break;
		at += sizeof(word);
	}
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	return at;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_of_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four hexadecimal digits at `at` as a number, or -1. */
static int32_t unit_of_hex(const char *at, const char *end)
{
	if (end - at < 4)
		return -1;
	int32_t unit = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = digit_of_hex(at[i]);
		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

bool scan_skip_escape(struct scan_cursor *cursor)
{
	const char *start = cursor->at;
	const char *end = cursor->end;
	if (end - start < 2)
		return scan_fail(cursor, SCAN_INVALID_JSON, start, "a string is not closed");
	if (start[1] != 'u') {
		if (start[1] == '\0' || !strchr("\"\\/bfnrt", start[1]))
			return scan_fail(
				cursor, SCAN_INVALID_JSON, start, "no such escape in a string");
		cursor->at += 2;
		return true;
	}
	int32_t unit = unit_of_hex(start + 2, end);
	if (unit < 0)
		return scan_fail(
			cursor, SCAN_INVALID_JSON, start, "\\u without four hexadecimal digits");
	cursor->at += 6;
	if (is_low_surrogate(unit))
		return scan_fail(cursor, SCAN_INVALID_JSON, start, "half of a surrogate pair");
	if (is_high_surrogate(unit)) {
		if (end - start < 12 || start[6] != '\\' || start[7] != 'u'
			|| !is_low_surrogate(unit_of_hex(start + 8, end)))
			return scan_fail(
				cursor, SCAN_INVALID_JSON, start, "half of a surrogate pair");
		cursor->at += 6;
	}
	return true;
}

/* The string whose opening quote is at the cursor. */
static bool take_string(struct scan_cursor *cursor, struct scan_slot *slot_out)
{
	const char *start = ++cursor->at;
	bool escaped = false;
	for (;;) {
		cursor->at = skip_plain_bytes(cursor->at, cursor->end);
		if (cursor->at == cursor->end)
			return scan_fail(
				cursor, SCAN_INVALID_JSON, start - 1, "a string is not closed");
		if (*cursor->at == '"')
			break;
		if (*cursor->at != '\\')
			return scan_fail(cursor, SCAN_INVALID_JSON, cursor->at,
				"control character 0x%02x in a string", (unsigned)*cursor->at);
		escaped = true;
		if (!scan_skip_escape(cursor))
			return false;
	}
	*slot_out = (struct scan_slot){
		start, (uint32_t)(cursor->at - start), SCAN_KIND_STRING, escaped};
	cursor->at++;
	return true;
}

/* Appends one code point as UTF-8. */
static char *put_code_point(char *out, int32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

size_t scan_decode_string(const char *data, size_t size, char *out)
{
	static const char letters[] = "bfnrt";
	static const char controls[] = "\b\f\n\r\t";
	const char *end = data + size;
	char *out_begin = out;
	while (data < end) {
		const char *backslash = memchr(data, '\\', (size_t)(end - data));
		size_t plain_size = (size_t)((backslash ? backslash : end) - data);
		memcpy(out, data, plain_size);
		out += plain_size;
		data += plain_size;
		if (!backslash)
			break;
		const char *letter = strchr(letters, data[1]);
		if (data[1] != 'u') {
			*out++ = letter ? controls[letter - letters] : data[1];
			data += 2;
			continue;
		}
		int32_t code = unit_of_hex(data + 2, end);
		data += 6;
		if (is_high_surrogate(code)) {
			code = 0x10000 + ((code - 0xd800) << 10)
			       + (unit_of_hex(data + 2, end) - 0xdc00);
			data += 6;
		}
		out = put_code_point(out, code);
	}
	return (size_t)(out - out_begin);
}

/* ---- numbers and literals ---- */

static bool skip_digits(struct scan_cursor *cursor)
{
	const char *start = cursor->at;
	while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
		cursor->at++;
	return cursor->at > start || fail_expected(cursor, "a digit");
}

static bool take_number(struct scan_cursor *cursor, struct scan_slot *slot_out)
{
	const char *start = cursor->at;
	enum scan_kind kind = SCAN_KIND_INTEGER;
	if (is_next(cursor, '-'))
		cursor->at++;
	if (is_next(cursor, '0')) {
		cursor->at++;
	} else if (!skip_digits(cursor)) {
		return false;
	}
	if (is_next(cursor, '.')) {
		kind = SCAN_KIND_REAL;
		cursor->at++;
		if (!skip_digits(cursor))
			return false;
	}
	if (is_next(cursor, 'e') || is_next(cursor, 'E')) {
		kind = SCAN_KIND_REAL;
		cursor->at++;
		if (is_next(cursor, '+') || is_next(cursor, '-'))
			cursor->at++;
		if (!skip_digits(cursor))
			return false;
	}
	*slot_out = (struct scan_slot){start, (uint32_t)(cursor->at - start), (uint8_t)kind, false};
	return true;
}

static bool take_literal(struct scan_cursor *cursor, const char *word, enum scan_kind kind,
	struct scan_slot *slot_out)
{
	size_t size = strlen(word);
	if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0)
		return fail_expected(cursor, "a value");
	*slot_out = (struct scan_slot){cursor->at, (uint32_t)size, (uint8_t)kind, false};
	cursor->at += size;
	return true;
}

static bool take_scalar(struct scan_cursor *cursor, struct scan_slot *slot_out)
{
	if (cursor->at == cursor->end)
		return fail_expected(cursor, "a value");
	switch (*cursor->at) {
	case '"':
		return take_string(cursor, slot_out);
	case 't':
		return take_literal(cursor, "true", SCAN_KIND_TRUE, slot_out);
	case 'f':
		return take_literal(cursor, "false", SCAN_KIND_FALSE, slot_out);
	case 'n':
		return take_literal(cursor, "null", SCAN_KIND_NULL, slot_out);
	default:
		if (*cursor->at == '-' || (*cursor->at >= '0' && *cursor->at <= '9'))
			return take_number(cursor, slot_out);
		return fail_expected(cursor, "a value");
	}
}

/* ---- objects and arrays ---- */

bool scan_take_key(struct scan_cursor *cursor, struct scan_slot *key_out)
{
	scan_skip_blanks(cursor);
	if (!is_next(cursor, '"'))
		return fail_expected(cursor, "a key in quotes");
	if (!take_string(cursor, key_out))
		return false;
	scan_skip_blanks(cursor);
	if (!is_next(cursor, ':'))
		return fail_expected(cursor, "a colon");
	cursor->at++;
	scan_skip_blanks(cursor);
	return true;
}

bool scan_enter(struct scan_cursor *cursor, bool *empty_out)
{
	char closing = *cursor->at == '{' ? '}' : ']';
	if (cursor->depth == SCAN_DEPTH_MAX)
		return scan_fail(
			cursor, SCAN_TOO_DEEP, cursor->at, "more than %d levels", SCAN_DEPTH_MAX);
	cursor->at++;
	scan_skip_blanks(cursor);
	*empty_out = is_next(cursor, closing);
	if (*empty_out)
		cursor->at++;
	else
		cursor->depth++;
	return true;
}

bool scan_take_separator(struct scan_cursor *cursor, char closing, bool *closed_out)
{
	scan_skip_blanks(cursor);
	*closed_out = is_next(cursor, closing);
	if (*closed_out) {
		cursor->at++;
		cursor->depth--;
		return true;
	}
	if (!is_next(cursor, ','))
		return fail_expected(cursor, closing == '}' ? "a comma or '}'" : "a comma or ']'");
	cursor->at++;
	return true;
}

/* Behind a value: leaves every container that ends here, down to `depth_base`, then stands before
 * the next value. *done_out true when depth_base is reached. */
static bool skip_to_next_value(
	struct scan_cursor *cursor, uint64_t objects, unsigned depth_base, bool *done_out)
{
	while (cursor->depth > depth_base) {
		bool in_object = objects >> (cursor->depth - 1) & 1;
		bool closed;
		if (!scan_take_separator(cursor, in_object ? '}' : ']', &closed))
			return false;
		if (closed)
			continue;
		*done_out = false;
		struct scan_slot key;
		return !in_object || scan_take_key(cursor, &key);
	}
	*done_out = true;
	return true;
}

bool scan_take_value(struct scan_cursor *cursor, struct scan_slot *slot_out)
{
	scan_skip_blanks(cursor);
	if (!is_next(cursor, '{') && !is_next(cursor, '['))
		return take_scalar(cursor, slot_out);
	const char *start = cursor->at;
	unsigned depth_base = cursor->depth;
	uint64_t objects = 0; /* bit n: level n + 1 is an object */
	bool done = false;
	while (!done) {
		scan_skip_blanks(cursor);
		bool is_object = is_next(cursor, '{');
		bool empty = true;
		struct scan_slot skipped;
		if (is_object || is_next(cursor, '[')) {
			if (!scan_enter(cursor, &empty))
				return false;
		} else if (!take_scalar(cursor, &skipped)) {
			return false;
		}
		if (empty) {
			if (!skip_to_next_value(cursor, objects, depth_base, &done))
				return false;
			continue;
		}
		uint64_t bit = UINT64_C(1) << (cursor->depth - 1);
		objects = is_object ? objects | bit : objects & ~bit;
		if (is_object && !scan_take_key(cursor, &skipped))
			return false;
	}
	uint8_t kind = *start == '{' ? SCAN_KIND_OBJECT : SCAN_KIND_ARRAY;
	*slot_out = (struct scan_slot){start, (uint32_t)(cursor->at - start), kind, false};
	return true;
}
