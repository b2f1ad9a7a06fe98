/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mask.h"

#include <string.h>

static size_t find(struct span word, const char *text, size_t from)
{
	size_t size = strlen(text);
	for (size_t i = from; i + size <= word.size; i++)
		if (memcmp(word.data + i, text, size) == 0)
			return i;
	return word.size;
}

/* One word without blanks and commas. The last "@" ends the user information: a password that was
 * written without %-escapes may hold "@" and "/" itself, and none of it must be shown. */
static void append_word(struct buf *out, struct span word)
{
	size_t scheme = find(word, "://", 0);
	size_t start = scheme < word.size ? scheme + 3 : 0;
	size_t at = word.size;
	for (size_t i = find(word, "@", start); i < word.size; i = find(word, "@", i + 1))
		at = i;
	bool masked = at < word.size;
	if (scheme == word.size)
		masked = masked && find(word, ":", 0) < at && find(word, "/", 0) > at;
	if (!masked) {
		buf_append_span(out, word);
		return;
	}
	buf_append(out, word.data, start);
	buf_append_text(out, "***");
	buf_append(out, word.data + at, word.size - at);
}

void mask_append_urls(struct buf *out, struct span text)
{
	size_t start = 0;
	for (size_t i = 0; i <= text.size; i++) {
		if (i < text.size && !strchr(" \t\r\n,\"'", text.data[i]))
			continue;
		append_word(out, (struct span){text.data + start, i - start});
		if (i < text.size)
			buf_append_byte(out, text.data[i]);
		start = i + 1;
	}
}
