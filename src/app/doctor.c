/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - `octolake doctor`: runs the parts, then prints what they found, for people or as JSON
 * (docs/formats/doctor.md). */
#include "app/doctor.h"

#include "app/commands.h"
#include "base/json_writer.h"
#include "base/mask.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY_BYTES_MAX = 256 * 1024 * 1024, OUTPUT_BYTES_MAX = 4 * 1024 * 1024, TEXT_BYTES_MAX = 2048 };

static const char *const status_names[] = {"ok", "warn", "fail"};

/* ---- what the parts say ---- */

void doctor_say_at(struct doctor *doctor, const char *name, enum doctor_status status, const char *at,
		   const char *fix, const char *text)
{
	struct buf masked CLEANUP(buf_finish) = {.size_max = 4 * TEXT_BYTES_MAX};
	assert(doctor->check_count < DOCTOR_CHECK_COUNT_MAX);
	mask_append_urls(&masked, span_of(text));
	doctor->checks[doctor->check_count++] = (struct doctor_check){
		.group = doctor->group,
		.name = name,
		.status = status,
		.text = arena_copy_text(&doctor->arena, buf_span(&masked)),
		.fix = fix ? arena_copy_text(&doctor->arena, span_of(fix)) : NULL,
		.at = at ? arena_copy_text(&doctor->arena, span_of(at)) : NULL,
	};
}

void doctor_say(struct doctor *doctor, const char *name, enum doctor_status status, const char *fix,
		const char *format, ...)
{
	char text[TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	doctor_say_at(doctor, name, status, NULL, fix, text);
}

const char *doctor_text(struct doctor *doctor, const char *format, ...)
{
	char text[TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return arena_copy_text(&doctor->arena, span_of(text));
}

const char *doctor_bytes(struct doctor *doctor, int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1000 && unit + 1 < ARRAY_COUNT(units); unit++)
		value /= 1000;
	return doctor_text(doctor, "%.*f %s", unit > 0 && value < 100 ? 1 : 0, value, units[unit]);
}

const char *doctor_seconds(struct doctor *doctor, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	for (size_t i = 0; i < ARRAY_COUNT(units); i++)
		if (seconds >= 2 * units[i].seconds || i + 1 == ARRAY_COUNT(units))
			return doctor_text(doctor, "%" PRId64 " %s",
					   (seconds + units[i].seconds / 2) / units[i].seconds, units[i].name);
	return "";
}

/* ---- printing ---- */

static size_t count_status(const struct doctor *doctor, enum doctor_status status)
{
	size_t count = 0;
	for (size_t i = 0; i < doctor->check_count; i++)
		count += doctor->checks[i].status == status;
	return count;
}

/* Names of files and hosts may hold anything: a terminal is shown only what prints. */
static void append_printable(struct buf *out, const char *text)
{
	struct span rest = span_of(text);
	while (rest.size > 0) {
		size_t size = span_printable_size(rest);
		if (size == 0)
			buf_append_byte(out, '?');
		else
			buf_append(out, rest.data, size);
		size = size > 0 ? size : 1;
		rest = (struct span){rest.data + size, rest.size - size};
	}
}

static void append_lines(const struct doctor *doctor, struct buf *out)
{
	const char *group = "";
	for (size_t i = 0; i < doctor->check_count; i++) {
		const struct doctor_check *check = &doctor->checks[i];
		if (strcmp(group, check->group) != 0)
			buf_printf(out, "%s%s\n", i > 0 ? "\n" : "", check->group);
		group = check->group;
		buf_printf(out, "  %-4s  %-12s ", status_names[check->status], check->name);
		if (check->at) {
			append_printable(out, check->at);
			buf_append_text(out, ": ");
		}
		append_printable(out, check->text);
		buf_append_byte(out, '\n');
		if (check->fix && check->status != DOCTOR_OK) {
			buf_printf(out, "  %-4s  %-12s -> ", "", "");
			append_printable(out, check->fix);
			buf_append_byte(out, '\n');
		}
	}
	buf_printf(out, "\n%zu ok, %zu to look at, %zu failed\n", count_status(doctor, DOCTOR_OK),
		   count_status(doctor, DOCTOR_WARN), count_status(doctor, DOCTOR_FAIL));
}

static void append_json(const struct doctor *doctor, struct buf *out)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_text(&json, "octolake", OCTOLAKE_VERSION);
	json_put_key_time(&json, "at", clock_wall_us(clock_system()));
	json_put_key_boolean(&json, "healthy", count_status(doctor, DOCTOR_FAIL) == 0);
	for (size_t i = 0; i < ARRAY_COUNT(status_names); i++)
		json_put_key_integer(&json, status_names[i], (int64_t)count_status(doctor, (enum doctor_status)i));
	json_put_key(&json, "checks");
	json_begin_array(&json);
	for (size_t i = 0; i < doctor->check_count; i++) {
		const struct doctor_check *check = &doctor->checks[i];
		json_begin_object(&json);
		json_put_key_text(&json, "group", check->group);
		json_put_key_text(&json, "name", check->name);
		json_put_key_text(&json, "status", status_names[check->status]);
		json_put_key_text(&json, "text", check->text);
		json_put_key_text(&json, "fix", check->fix);
		json_put_key_text(&json, "at", check->at);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}

static void finish(struct doctor *doctor)
{
	catalog_close(&doctor->catalog);
	arena_finish(&doctor->arena);
}

bool command_doctor(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	static const struct {
		const char *group;
		void (*check)(struct doctor *doctor);
	} parts[] = {
		{"environment", doctor_check_environment}, {"data", doctor_check_data},
		{"ports", doctor_check_ports},             {"network", doctor_check_network},
		{"pipeline", doctor_check_pipeline},       {"definitions", doctor_check_definitions},
	};
	if (word_count > 0)
		return command_usage_err(err, "doctor takes no word \"%.100s\"; see octolake --help", words[0]);
	struct doctor doctor CLEANUP(finish) = {.config = config, .deep = config_flag(config, OPTION_DEEP)};
	struct buf out CLEANUP(buf_finish) = {.size_max = OUTPUT_BYTES_MAX};
	arena_init(&doctor.arena, MEMORY_BYTES_MAX);
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		doctor.group = parts[i].group;
		parts[i].check(&doctor);
	}
	if (config_flag(config, OPTION_JSON))
		append_json(&doctor, &out);
	else
		append_lines(&doctor, &out);
	(void)fwrite(out.data, 1, out.size, stdout);
	size_t failed = count_status(&doctor, DOCTOR_FAIL);
	return failed == 0 || err_set(err, ERR_LOCAL, "%zu of %zu checks failed", failed, doctor.check_count);
}
