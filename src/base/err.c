/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/span.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts travel to logs and terminals: bytes that could move a cursor or fake a line do not pass. */
static void make_printable(char *text)
{
	struct span rest = span_of(text);
	while (rest.size > 0) {
		size_t size = span_printable_size(rest);
		if (size == 0) {
			*text = ' ';
			size = 1;
		}
		text += size;
		rest = (struct span){text, rest.size - size};
	}
}

bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	assert(err);
	assert(kind != ERR_NONE);
	/* The old text may be an argument of the new one, so it is rendered aside first. */
	char text[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	err->kind = kind;
	err->exit_code = 0;
	err->no_space = false;
	memcpy(err->text, text, sizeof(text));
	make_printable(err->text);
	return false;
}

bool err_set_errno(struct err *err, enum err_kind kind, int error_number, const char *format, ...)
{
	assert(err);
	char text[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	char reason[128];
	(void)err_set(err, kind, "%s: %s", text, strerror_r(error_number, reason, sizeof(reason)));
	err->no_space = err_number_is_no_space(error_number);
	return false;
}

bool err_number_is_no_space(int error_number)
{
	return error_number == ENOSPC || error_number == EDQUOT;
}

bool err_wrap(struct err *err, const char *format, ...)
{
	assert(err);
	assert(err->kind != ERR_NONE);
	char context[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	char text[2 * ERR_TEXT_BYTES_MAX + 2];
	(void)snprintf(text, sizeof(text), "%s: %s", context, err->text);
	memcpy(err->text, text, sizeof(err->text) - 1);
	err->text[sizeof(err->text) - 1] = '\0';
	make_printable(err->text);
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE:
		return "none";
	case ERR_RETRY:
		return "retry";
	case ERR_INPUT:
		return "input";
	case ERR_LOCAL:
		return "local";
	}
	return "none";
}
