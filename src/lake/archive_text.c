/* SPDX-License-Identifier: Apache-2.0 */
#include "lake/archive_private.h"

#include "base/attributes.h"

#include <string.h>

/* How far into a file its nature is looked for. */
enum { JUDGED_BYTES = 4096 };

static bool is_blank_byte(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool archive_is_blank(struct span s)
{
	size_t at = 0;
	while (at < s.size && is_blank_byte(s.data[at]))
		at++;
	return at == s.size;
}

static size_t pass_blanks(struct span s, size_t at)
{
	while (at < s.size && is_blank_byte(s.data[at]))
		at++;
	return at;
}

bool archive_is_object_start(struct span s, size_t at)
{
	if (at >= s.size || s.data[at] != '{')
		return false;
	at = pass_blanks(s, at + 1);
	if (s.size - at < 2 || s.data[at] != '"')
		return false;
	char letter = s.data[at + 1];
	return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}

size_t archive_find_last_seam(struct span line)
{
	size_t at = line.size;
	while (at > 0) {
		const char *found = memrchr(line.data, '{', at);
		if (!found)
			break;
		at = (size_t)(found - line.data);
		size_t before = at;
		while (before > 0 && is_blank_byte(line.data[before - 1]))
			before--;
		if (before > 0 && line.data[before - 1] == '}' && archive_is_object_start(line, at))
			return at;
	}
	return 0;
}

/* Every other byte is NUL: Latin text in UTF-16. */
static const char *utf16_name(struct span s)
{
	static const char *const name = "text in UTF-16, not in UTF-8";
	if (s.size < 2)
		return NULL;
	if (memcmp(s.data, "\xff\xfe", 2) == 0 || memcmp(s.data, "\xfe\xff", 2) == 0)
		return name;
	if (s.size < 4)
		return NULL;
	if (memcmp(s.data, "\0\0\xfe\xff", 4) == 0)
		return "text in UTF-32, not in UTF-8";
	bool little = s.data[0] && !s.data[1] && s.data[2] && !s.data[3];
	bool big = !s.data[0] && s.data[1] && !s.data[2] && s.data[3];
	return little || big ? name : NULL;
}

/* Control characters that no text has, more than one in sixteen bytes; random bytes have one in ten. */
static bool is_binary(struct span s)
{
	size_t controls = 0;
	size_t others = 0;
	for (size_t i = 0; i < s.size; i++) {
		unsigned char byte = (unsigned char)s.data[i];
		if (byte != 0 && byte < ' ' && !is_blank_byte(s.data[i]))
			controls++;
		else if (byte != 0)
			others++;
	}
	return controls > others / 16;
}

static bool has_object(struct span s)
{
	bool meaning = false;
	for (size_t i = 0; i < s.size && !meaning; i++)
		meaning = s.data[i] != 0 && !is_blank_byte(s.data[i]);
	return !meaning || memchr(s.data, '{', s.size);
}

const char *archive_foreign_name(struct span first, bool whole)
{
	static const char *const marks[][2] = {
		{"PK\x03\x04", "a zip file"},
		{"\x28\xb5\x2f\xfd", "a zstd file"},
		{"\xfd" "7zXZ", "an xz file"},
		{"BZh", "a bzip2 file"},
		{"PAR1", "a Parquet file"},
	};
	const char *name = utf16_name(first);
	if (name)
		return name;
	if (span_starts_with(first, "\xef\xbb\xbf"))
		first = span_make(first.data + 3, first.size - 3);
	size_t at = pass_blanks(first, 0);
	if (at < first.size && first.data[at] == '<')
		return "XML or HTML, not JSON";
	for (size_t i = 0; i < ARRAY_COUNT(marks); i++)
		if (span_starts_with(first, marks[i][0]))
			return marks[i][1];
	if (!whole && first.size < JUDGED_BYTES)
		return NULL;
	if (first.size > JUDGED_BYTES)
		first.size = JUDGED_BYTES;
	if (is_binary(first))
		return "binary, not JSON";
	return has_object(first) ? NULL : "text without a JSON object";
}
