/* SPDX-License-Identifier: Apache-2.0 */
/* metric_parameter.c - one table of types, one reader for each. A reader says which rule was broken
 * by its code; the sentence is made from the definition, never from what came. */
#include "metrics/metric_parameter.h"

#include "base/suggest.h"

#include <assert.h>
#include <string.h>

enum { VALUES_SHOWN_MAX = 30, NAME_PART_BYTES_MAX = 100 };

struct reading {
	const struct metric_parameter *parameter;
	struct span text;
	struct value *bound;
};

/* NULL when it was read, else the code of the fault. */
typedef const char *reader_function(const struct reading *reading);

static const char *read_integer(const struct reading *reading)
{
	int64_t value;
	int64_t bound;
	if (!span_parse_int64(reading->text, &value))
		return "type";
	if (span_parse_int64(reading->parameter->minimum, &bound) && value < bound)
		return "range";
	if (span_parse_int64(reading->parameter->maximum, &bound) && value > bound)
		return "range";
	*reading->bound = value_integer(value);
	return NULL;
}

static const char *read_number(const struct reading *reading)
{
	double value;
	double bound;
	if (!span_parse_double(reading->text, &value))
		return "type";
	if (span_parse_double(reading->parameter->minimum, &bound) && value < bound)
		return "range";
	if (span_parse_double(reading->parameter->maximum, &bound) && value > bound)
		return "range";
	*reading->bound = value_real(value);
	return NULL;
}

static bool is_text(struct span text)
{
	return span_is_utf8(text) && (text.size == 0 || !memchr(text.data, '\0', text.size));
}

/* The bytes are looked at only when they are few. */
static const char *read_text(const struct reading *reading)
{
	const struct metric_parameter *parameter = reading->parameter;
	if ((int64_t)reading->text.size > parameter->length_max
		|| (int64_t)reading->text.size < parameter->length_min)
		return "length";
	if (!is_text(reading->text))
		return "value";
	*reading->bound = value_text(reading->text.data ? reading->text : span_of(""));
	return NULL;
}

static const char *read_boolean(const struct reading *reading)
{
	bool value = span_equal_text(reading->text, "true");
	if (!value && !span_equal_text(reading->text, "false"))
		return "type";
	*reading->bound = value_boolean(value);
	return NULL;
}

static const char *read_duration(const struct reading *reading)
{
	int64_t value_ms;
	int64_t bound_ms;
	if (!duration_parse(reading->text, &value_ms))
		return "type";
	if (duration_parse(reading->parameter->minimum, &bound_ms) && value_ms < bound_ms)
		return "range";
	if (duration_parse(reading->parameter->maximum, &bound_ms) && value_ms > bound_ms)
		return "range";
	*reading->bound = value_interval(value_ms * 1000);
	return NULL;
}

static const char *read_timestamp(const struct reading *reading)
{
	int64_t value_us;
	int64_t bound_us;
	if (!time_parse(reading->text, &value_us))
		return "type";
	if (time_parse(reading->parameter->minimum, &bound_us) && value_us < bound_us)
		return "range";
	if (time_parse(reading->parameter->maximum, &bound_us) && value_us > bound_us)
		return "range";
	*reading->bound = value_time(value_us);
	return NULL;
}

static const char *read_enum(const struct reading *reading)
{
	const struct metric_parameter *parameter = reading->parameter;
	if (parameter->values_from.data)
		return read_text(reading);
	size_t i = 0;
	while (i < parameter->value_count && !span_equal(parameter->values[i], reading->text))
		i++;
	if (i == parameter->value_count)
		return "value";
	if (parameter->cast_interval)
		return read_duration(reading);
	*reading->bound = value_text(parameter->values[i]);
	return NULL;
}

static bool is_name_byte(char c, bool with_dot)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	       || c == '-' || c == '_' || (with_dot && c == '.');
}

static bool is_name(struct span text, bool with_dot)
{
	for (size_t i = 0; i < text.size; i++)
		if (!is_name_byte(text.data[i], with_dot))
			return false;
	return text.size > 0 && text.size <= NAME_PART_BYTES_MAX;
}

static const char *read_repo(const struct reading *reading)
{
	struct span owner;
	struct span name;
	if (!span_split(reading->text, '/', &owner, &name) || !is_name(owner, false)
		|| !is_name(name, true))
		return "type";
	*reading->bound = value_text(reading->text);
	return NULL;
}

static const char *read_login(const struct reading *reading)
{
	struct span name = reading->text;
	if (span_ends_with(name, "[bot]"))
		name.size -= strlen("[bot]");
	if (!is_name(name, false))
		return "type";
	*reading->bound = value_text(reading->text);
	return NULL;
}

static const struct {
	const char *name;
	enum value_type value_type;
	const char *sql_type;
	const char *sql_list_type;
	reader_function *read;
} types[] = {
	[PARAMETER_INTEGER] = {"integer", VALUE_INTEGER, "BIGINT", "BIGINT[]", read_integer},
	[PARAMETER_NUMBER] = {"number", VALUE_REAL, "DOUBLE", "DOUBLE[]", read_number},
	[PARAMETER_STRING] = {"string", VALUE_TEXT, "VARCHAR", "VARCHAR[]", read_text},
	[PARAMETER_BOOLEAN] = {"boolean", VALUE_BOOLEAN, "BOOLEAN", "BOOLEAN[]", read_boolean},
	[PARAMETER_ENUM] = {"enum", VALUE_TEXT, "VARCHAR", "VARCHAR[]", read_enum},
	[PARAMETER_DURATION] = {"duration", VALUE_INTERVAL, "INTERVAL", "INTERVAL[]",
		read_duration},
	[PARAMETER_TIMESTAMP] = {"timestamp", VALUE_TIME, "TIMESTAMP", "TIMESTAMP[]",
		read_timestamp},
	[PARAMETER_REPO] = {"repo", VALUE_TEXT, "VARCHAR", "VARCHAR[]", read_repo},
	[PARAMETER_LOGIN] = {"login", VALUE_TEXT, "VARCHAR", "VARCHAR[]", read_login},
};

const char *parameter_type_name(enum parameter_type type)
{
	return types[type].name;
}

bool parameter_type_parse(struct span name, enum parameter_type *type_out)
{
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (!span_equal_text(name, types[i].name))
			continue;
		*type_out = (enum parameter_type)i;
		return true;
	}
	return false;
}

static enum parameter_type engine_type(const struct metric_parameter *parameter)
{
	return parameter->cast_interval ? PARAMETER_DURATION : parameter->type;
}

const char *parameter_sql_type(const struct metric_parameter *parameter)
{
	enum parameter_type type = engine_type(parameter);
	return parameter->multiple ? types[type].sql_list_type : types[type].sql_type;
}

enum value_type parameter_value_type(const struct metric_parameter *parameter)
{
	return types[engine_type(parameter)].value_type;
}

static void append_bounds(const struct metric_parameter *parameter, struct buf *text)
{
	struct span minimum = parameter->minimum;
	struct span maximum = parameter->maximum;
	if (minimum.data && maximum.data)
		buf_printf(text, " from %.*s to %.*s", SPAN_ARGUMENTS(minimum),
			SPAN_ARGUMENTS(maximum));
	else if (minimum.data)
		buf_printf(text, " of at least %.*s", SPAN_ARGUMENTS(minimum));
	else if (maximum.data)
		buf_printf(text, " of at most %.*s", SPAN_ARGUMENTS(maximum));
}

static void append_values(const struct metric_parameter *parameter, struct buf *text)
{
	buf_append_text(text, parameter->multiple ? "some of " : "one of ");
	for (size_t i = 0; i < parameter->value_count && i < VALUES_SHOWN_MAX; i++)
		buf_printf(text, "%s%.*s", i > 0 ? ", " : "", SPAN_ARGUMENTS(parameter->values[i]));
	if (parameter->value_count > VALUES_SHOWN_MAX)
		buf_append_text(text, ", …");
}

static void append_text_rule(const struct metric_parameter *parameter, struct buf *text)
{
	buf_append_text(text, "a text in UTF-8 of ");
	if (parameter->length_min > 0)
		buf_printf(text, "%lld to ", (long long)parameter->length_min);
	else
		buf_append_text(text, "at most ");
	buf_printf(text, "%lld bytes", (long long)parameter->length_max);
}

static void append_rule(const struct metric_parameter *parameter, struct buf *text)
{
	static const char *const words[] = {
		[PARAMETER_INTEGER] = "an integer",
		[PARAMETER_NUMBER] = "a number",
		[PARAMETER_BOOLEAN] = "true or false",
		[PARAMETER_DURATION] = "a duration like 90s, 15m, 2h or 7d",
		[PARAMETER_TIMESTAMP] = "a time like 2026-09-20T12:00:00Z",
		[PARAMETER_REPO] = "a repository (owner/name)",
		[PARAMETER_LOGIN] = "the login of an account",
	};
	if (parameter->type == PARAMETER_ENUM && !parameter->values_from.data) {
		append_values(parameter, text);
		return;
	}
	if (parameter->type == PARAMETER_STRING || parameter->type == PARAMETER_ENUM) {
		append_text_rule(parameter, text);
	} else {
		buf_append_text(text, words[parameter->type]);
		append_bounds(parameter, text);
	}
	if (parameter->multiple)
		buf_append_text(text, " (several: repeated, or with commas)");
}

struct span parameter_describe(const struct metric_parameter *parameter, struct arena *arena)
{
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, (size_t)64 * 1024);
	buf_printf(&text, "%.*s must be ", SPAN_ARGUMENTS(parameter->name));
	append_rule(parameter, &text);
	return arena_copy(arena, buf_span(&text));
}

static struct span suggest_value(
	const struct metric_parameter *parameter, struct span text, struct arena *arena)
{
	if (parameter->value_count == 0)
		return (struct span){0};
	const char **candidates =
		arena_allocate(arena, parameter->value_count, sizeof(*candidates));
	for (size_t i = 0; candidates && i < parameter->value_count; i++)
		candidates[i] = arena_copy_text(arena, parameter->values[i]);
	if (arena->failed)
		return (struct span){0};
	return span_of(suggest_word(text, candidates, parameter->value_count));
}

static bool fail(const struct reading *reading, const char *code, struct arena *arena,
	struct argument_fault *fault_out)
{
	*fault_out = (struct argument_fault){
		.name = reading->parameter->name,
		.code = code,
		.detail = parameter_describe(reading->parameter, arena),
		.suggestion = suggest_value(reading->parameter, reading->text, arena),
	};
	return false;
}

/* Durations are shown as they were written; everything else is its own best form. */
static struct value shown_value(const struct reading *reading, struct arena *arena)
{
	if (reading->bound->type != VALUE_INTERVAL)
		return *reading->bound;
	return value_text(arena_copy(arena, reading->text));
}

static size_t count_elements(const struct span *texts, size_t count)
{
	size_t elements = 0;
	for (size_t i = 0; i < count; i++) {
		if (texts[i].size == 0)
			continue;
		elements++;
		for (size_t j = 0; j < texts[i].size && elements <= PARAMETER_ELEMENT_COUNT_MAX;
			j++)
			elements += texts[i].data[j] == ',';
	}
	return elements;
}

static bool parse_list(const struct metric_parameter *parameter, const struct span *texts,
	size_t count, struct arena *arena, struct parameter_value *value_out,
	struct argument_fault *fault_out)
{
	struct reading reading = {.parameter = parameter};
	size_t element_count = count_elements(texts, count);
	if (element_count > PARAMETER_ELEMENT_COUNT_MAX)
		return fail(&reading, "length", arena, fault_out);
	struct value *bound = arena_allocate(arena, element_count, sizeof(*bound));
	struct value *shown = arena_allocate(arena, element_count, sizeof(*shown));
	if (!bound || !shown)
		return fail(&reading, "length", arena, fault_out);
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		struct span rest = texts[i];
		bool more = rest.size > 0;
		while (more) {
			reading.text = rest;
			more = span_split(rest, ',', &reading.text, &rest);
			reading.bound = &bound[at];
			const char *code = types[parameter->type].read(&reading);
			if (code)
				return fail(&reading, code, arena, fault_out);
			shown[at++] = shown_value(&reading, arena);
		}
	}
	assert(at == element_count);
	enum value_type type = parameter_value_type(parameter);
	value_out->bound = value_list(type, bound, element_count);
	value_out->shown =
		value_list(type == VALUE_INTERVAL ? VALUE_TEXT : type, shown, element_count);
	return true;
}

bool parameter_parse(const struct metric_parameter *parameter, const struct span *texts,
	size_t count, struct arena *arena, struct parameter_value *value_out,
	struct argument_fault *fault_out)
{
	enum value_type type = parameter_value_type(parameter);
	if (count == 0 || (parameter->multiple && count_elements(texts, count) == 0)) {
		value_out->bound = value_null(parameter->multiple ? VALUE_LIST : type);
		value_out->shown = value_null(type);
		return true;
	}
	if (parameter->multiple)
		return parse_list(parameter, texts, count, arena, value_out, fault_out);
	assert(count == 1);
	struct value bound;
	struct reading reading = {parameter, texts[0], &bound};
	const char *code = types[parameter->type].read(&reading);
	if (code)
		return fail(&reading, code, arena, fault_out);
	value_out->shown = shown_value(&reading, arena);
	value_out->bound = bound;
	return true;
}
