/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 16 * 1024 };

/* The one mutable global beside the counters: every thread writes to the same stderr. */
static struct {
	enum log_level level_min;
	bool json;
	pthread_mutex_t mutex;
} logger = {LOG_INFO, false, PTHREAD_MUTEX_INITIALIZER};

void log_configure(enum log_level level_min, enum log_format format)
{
	logger.level_min = level_min;
	logger.json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !isatty(STDERR_FILENO));
}

bool log_is_text(void)
{
	return !logger.json;
}

struct log_pair log_text(const char *key, const char *value)
{
	return (struct log_pair){.key = key, .kind = LOG_VALUE_TEXT, .text = value};
}

struct log_pair log_int(const char *key, int64_t value)
{
	return (struct log_pair){.key = key, .kind = LOG_VALUE_INT, .integer = value};
}

struct log_pair log_real(const char *key, double value)
{
	return (struct log_pair){.key = key, .kind = LOG_VALUE_REAL, .real = value};
}

static const char *level_name(enum log_level level)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	return names[level];
}

static void append_printable(struct buf *line, struct span s)
{
	while (s.size > 0) {
		size_t size = span_printable_size(s);
		buf_append(line, size > 0 ? s.data : "?", size > 0 ? size : 1);
		size += size == 0;
		s = (struct span){s.data + size, s.size - size};
	}
}

static void append_pair_text(struct buf *line, const struct log_pair *pair)
{
	buf_printf(line, "  %s=", pair->key);
	switch (pair->kind) {
	case LOG_VALUE_INT:
		buf_printf(line, "%lld", (long long)pair->integer);
		break;
	case LOG_VALUE_REAL:
		buf_printf(line, "%.3f", pair->real);
		break;
	case LOG_VALUE_TEXT:
		append_printable(line, span_of(pair->text ? pair->text : "-"));
		break;
	}
}

static void append_text_line(struct buf *line, enum log_level level, const char *event, const struct log_pair *pairs)
{
	struct time_text now = time_render(clock_wall_us(clock_system()) / 1000000 * 1000000);
	buf_printf(line, "%.8s %-7s %s", now.text + 11, level_name(level), event);
	for (const struct log_pair *pair = pairs; pair->key; pair++)
		append_pair_text(line, pair);
}

static void append_json_line(struct buf *line, enum log_level level, const char *event, const struct log_pair *pairs)
{
	struct json_writer json;
	json_writer_init(&json, line);
	json_begin_object(&json);
	json_put_key_text(&json, "at", time_render(clock_wall_us(clock_system())).text);
	json_put_key_text(&json, "level", level_name(level));
	json_put_key_text(&json, "event", event);
	for (const struct log_pair *pair = pairs; pair->key; pair++) {
		json_put_key(&json, pair->key);
		if (pair->kind == LOG_VALUE_INT)
			json_put_integer(&json, pair->integer);
		else if (pair->kind == LOG_VALUE_REAL)
			json_put_real(&json, pair->real);
		else if (pair->text)
			json_put_string(&json, span_of(pair->text));
		else
			json_put_null(&json);
	}
	json_end_object(&json);
}

static void append_line(struct buf *line, enum log_level level, const char *event,
			const struct log_pair *pairs)
{
	if (logger.json)
		append_json_line(line, level, event, pairs);
	else
		append_text_line(line, level, event, pairs);
	buf_append_byte(line, '\n');
}

void log_write(enum log_level level, const char *event, const struct log_pair *pairs)
{
	if (level < logger.level_min)
		return;
	struct buf line CLEANUP(buf_finish) = {0};
	buf_init(&line, LINE_BYTES_MAX);
	append_line(&line, level, event, pairs);
	if (line.failed) {
		/* A line cut anywhere would be no JSON and would run into the next one. */
		buf_clear(&line);
		const struct log_pair pairs_instead[] = {log_text("left_out", "values too long"), {0}};
		append_line(&line, level, event, pairs_instead);
	}
	(void)pthread_mutex_lock(&logger.mutex);
	(void)fwrite(line.data ? line.data : "", 1, line.size, stderr);
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&logger.mutex);
}

void log_note(enum log_level level, const char *event)
{
	log_write(level, event, &(const struct log_pair){0});
}

void log_err(enum log_level level, const char *event, const struct err *err)
{
	LOG_EVENT(level, event, log_text("kind", err_kind_name(err->kind)), log_text("error", err->text));
}
