/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - an error says what the caller should do about it, then what happened, in words.
 *
 * Fallible functions return bool and take `struct err *` last. They write their outputs only on
 * success. Each level that knows more adds context in front; only the loop that decides what to do
 * logs the error, once, and counts it. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attributes.h"

#include <stdbool.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_RETRY, /* the world may recover: network, server, busy. Try again later. */
	ERR_INPUT, /* these bytes are bad and stay bad: set them aside, count, go on. */
	ERR_LOCAL, /* this machine or our own state is the trouble: stop this stage. */
};

enum { ERR_TEXT_BYTES_MAX = 1024 };

struct err {
	enum err_kind kind;
	int exit_code; /* 0: the command decides; else the exit code that this error asks for. */
	bool no_space; /* the disk, or somebody's quota of it, is full: it works again when there is room */
	char text[ERR_TEXT_BYTES_MAX]; /* one line, printable UTF-8; cut at the end when too long */
};

/* Sets the error and returns false, so that callers can write `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set, with ": " and the text of `error_number` (an errno value) at the end. */
bool err_set_errno(struct err *err, enum err_kind kind, int error_number, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* Whether that errno value says that there is no room: ENOSPC, EDQUOT. err_set_errno asks it. */
bool err_number_is_no_space(int error_number);

/* Puts "context: " in front of the text; all else stays. Returns false. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* "retry", "input", "local" or "none": for logs and counters. */
const char *err_kind_name(enum err_kind kind);

#endif
