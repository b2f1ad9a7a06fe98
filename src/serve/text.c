/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/text.h"

#include <string.h>

static const char *html_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void text_append_html(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.size;) {
		struct span rest = {text.data + i, text.size - i};
		char c = text.data[i];
		const char *entity = html_entity(c);
		size_t size = span_printable_size(rest);
		if (entity)
			buf_append_text(out, entity);
		else if (size > 0)
			buf_append(out, rest.data, size);
		else if (c == '\t' || c == '\n' || c == '\r')
			buf_append_byte(out, c);
		else
			buf_append_text(out, "\xef\xbf\xbd");
		i += size > 0 ? size : 1;
	}
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void text_append_url(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (is_letter_or_digit(c) || c == '-' || c == '_' || c == '.' || c == '~')
			buf_append_byte(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned char)c);
	}
}

void text_append_file_name(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		buf_append_byte(out, is_letter_or_digit(c) || c == '.' || c == '_' ? c : '-');
	}
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

void text_append_public(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.size;) {
		bool starts = text.data[i] == '/'
			      && (i == 0 || is_one_of(text.data[i - 1], " \t\"'(=[<,"));
		if (!starts) {
			buf_append_byte(out, text.data[i++]);
			continue;
		}
		size_t end = i + 1;
		while (end < text.size && !is_one_of(text.data[end], " \t\"')]>,;:"))
			end++;
		struct span path = {text.data + i, end - i};
		bool has_folder = memchr(path.data + 1, '/', path.size - 1);
		buf_append_span(out, has_folder ? text_base_name(path) : path);
		i = end;
	}
}

struct span text_base_name(struct span path)
{
	size_t start = path.size;
	while (start > 0 && path.data[start - 1] != '/')
		start--;
	return (struct span){path.data ? path.data + start : NULL, path.size - start};
}
