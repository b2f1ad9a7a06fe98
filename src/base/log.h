/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line per happening on stderr: text on a terminal, JSON lines otherwise.
 *
 * Only loops that decide call it; libraries return errors. Values are escaped: no byte of an event
 * or a header can fake a line or move a cursor. Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Once, before other threads start. AUTO: text when stderr is a terminal. */
void log_configure(enum log_level level_min, enum log_format format);

/* True when lines are text for people: then a banner may stand between them. */
bool log_is_text(void);

/* `event` is a short constant text in plain words ("batch stored"); then pairs made by log_text,
 * log_int and log_real, ended by NULL key (done by the macro). */
struct log_pair {
	const char *key;
	enum { LOG_VALUE_TEXT, LOG_VALUE_INT, LOG_VALUE_REAL } kind;
	const char *text; /* NULL prints as "-" / null */
	int64_t integer;
	double real;
};

struct log_pair log_text(const char *key, const char *value);
struct log_pair log_int(const char *key, int64_t value);
struct log_pair log_real(const char *key, double value);

void log_write(enum log_level level, const char *event, const struct log_pair *pairs);

#define LOG_EVENT(level, event, ...)                                                               \
	log_write((level), (event), (const struct log_pair[]){__VA_ARGS__, {0}})

/* An event without values. */
void log_note(enum log_level level, const char *event);

/* An error with its kind, after `event`. */
void log_err(enum log_level level, const char *event, const struct err *err);

#endif
