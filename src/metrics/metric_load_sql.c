/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_sql.c - a metric's SQL: placeholders resolved against its parameters, then prepared
 * by the engine, whose complaints are brought back to the place in the YAML. */
#include "metrics/metric_loading.h"
#include "metrics/metric_parameter.h"

#include "base/suggest.h"

#include <string.h>

struct compilation {
	struct loading *loading;
	const struct yaml_node *sql;
	struct metric *metric;
	struct arena *scratch;
};

static void tell_fault(void *context, size_t offset, const char *text)
{
	const struct compilation *compilation = context;
	loading_fault_at(compilation->loading,
		loading_place(compilation->loading, compilation->sql, offset), "%s", text);
}

static size_t find_parameter(const struct metric *metric, struct span name)
{
	size_t i = 0;
	while (i < metric->parameter_count && !span_equal(metric->parameters[i].name, name))
		i++;
	return i;
}

/* The built-in metric of the same id, if any: what its parameters are, the first system's users
 * expect here too. */
static const struct metric_parameter *find_borrowed(
	const struct compilation *compilation, struct span name)
{
	const struct metric_file *built_in = compilation->loading->built_in;
	for (size_t i = 0; built_in && i < built_in->metric_count; i++) {
		const struct metric *metric = &built_in->metrics[i];
		if (!span_equal(metric->id, compilation->metric->id))
			continue;
		size_t at = find_parameter(metric, name);
		return at < metric->parameter_count ? &metric->parameters[at] : NULL;
	}
	return NULL;
}

/* Version 1 declares nothing: a placeholder is a parameter by being there. */
static bool add_parameter(const struct compilation *compilation, struct span name, size_t offset)
{
	struct metric *metric = compilation->metric;
	if (loading_is_reserved(name)) {
		tell_fault((void *)compilation, offset, "this name is reserved");
		return false;
	}
	if (metric->parameter_count == METRIC_PARAMETER_COUNT_MAX) {
		tell_fault((void *)compilation, offset, "too many parameters");
		return false;
	}
	const struct metric_parameter *borrowed = find_borrowed(compilation, name);
	struct metric_parameter *parameters = loading_allocate(
		compilation->loading, metric->parameter_count + 1, sizeof(*parameters));
	if (metric->parameter_count > 0)
		memcpy(parameters, metric->parameters,
			metric->parameter_count * sizeof(*parameters));
	struct metric_parameter plain = {.name = arena_copy(compilation->loading->arena, name),
		.type = PARAMETER_STRING,
		.required = true,
		.length_max = PARAMETER_TEXT_BYTES_MAX};
	struct metric_parameter *parameter = &parameters[metric->parameter_count++];
	*parameter = borrowed ? *borrowed : plain;
	/* The first system had no upper bound: its users look back over years of imported events. */
	if (borrowed)
		parameter->maximum = (struct span){0};
	metric->parameters = parameters;
	return true;
}

static void tell_undeclared(struct compilation *compilation, struct span name, size_t offset)
{
	const char *names[METRIC_PARAMETER_COUNT_MAX + 2] = {"as_of", "limit"};
	for (size_t i = 0; i < compilation->metric->parameter_count; i++)
		names[i + 2] = compilation->metric->parameters[i].name.data;
	const char *near = suggest_word(name, names, compilation->metric->parameter_count + 2);
	struct place place = loading_place(compilation->loading, compilation->sql, offset);
	loading_fault_at(compilation->loading, place,
		"the parameter \"%.*s\" is not declared%s%s%s", SPAN_ARGUMENTS(name),
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static bool resolve_name(
	void *context, struct span name, size_t offset, struct metric_sql_name *name_out)
{
	struct compilation *compilation = context;
	struct metric *metric = compilation->metric;
	if (span_equal_text(name, "as_of") || span_equal_text(name, "limit")) {
		bool is_limit = span_equal_text(name, "limit");
		metric->uses_limit = metric->uses_limit || is_limit;
		metric->uses_as_of = metric->uses_as_of || !is_limit;
		*name_out = is_limit ? (struct metric_sql_name){SLOT_LIMIT, "BIGINT", false}
				     : (struct metric_sql_name){SLOT_AS_OF, "TIMESTAMP", false};
		return true;
	}
	size_t at = find_parameter(metric, name);
	if (at == metric->parameter_count && compilation->loading->version == 2) {
		tell_undeclared(compilation, name, offset);
		return false;
	}
	if (at == metric->parameter_count && !add_parameter(compilation, name, offset))
		return false;
	const struct metric_parameter *parameter = &metric->parameters[at];
	*name_out = (struct metric_sql_name){
		SLOT_PARAMETER + at, parameter_sql_type(parameter), parameter->multiple};
	return true;
}

static struct span take_line(struct span *rest)
{
	struct span line = *rest;
	if (span_split(*rest, '\n', &line, rest))
		return line;
	*rest = (struct span){0};
	return line;
}

/* What the engine shows of a statement behind a complaint: "LINE 3: <line>" and below it a caret.
 * Line breaks have become spaces by now (err.h). */
struct excerpt {
	struct span shown; /* the line, or a window of it: "...part..." */
	size_t caret;      /* column in `shown`, in what the screen takes */
	bool has_caret;
};

static const char excerpt_mark[] = "  LINE ";

static struct span trim_end(struct span text)
{
	while (text.size > 0 && text.data[text.size - 1] == ' ')
		text.size--;
	return text;
}

static struct span nth_line(const struct metric_sql *sql, int64_t number)
{
	struct span text = span_of(sql->text);
	struct span line = take_line(&text);
	for (int64_t i = 1; i < number && text.data; i++)
		line = take_line(&text);
	return line;
}

/* True when `shown` is (a window of) `line`: other control characters than line ends became spaces.
 */
static bool shows_line(struct span shown, struct span line)
{
	if (span_starts_with(shown, "..."))
		shown = (struct span){shown.data + 3, shown.size - 3};
	if (span_ends_with(shown, "..."))
		shown.size -= 3;
	for (size_t at = 0; at + shown.size <= line.size; at++) {
		size_t i = 0;
		while (i < shown.size
			&& (shown.data[i] == line.data[at + i]
				|| (shown.data[i] == ' ' && line.data[at + i] < ' ')))
			i++;
		if (i == shown.size)
			return true;
	}
	return false;
}

/* The excerpt and the line of the made statement that it is of; the spaces at that line's end show
 * in the excerpt too. */
static bool read_excerpt(struct span complaint, const struct metric_sql *sql, struct excerpt *out,
	struct span *line_out)
{
	const char *told =
		memmem(complaint.data, complaint.size, excerpt_mark, strlen(excerpt_mark));
	if (!told)
		return false;
	told += strlen(excerpt_mark);
	struct span rest = {told, complaint.size - (size_t)(told - complaint.data)};
	struct span number;
	int64_t line_number;
	if (!span_split(rest, ':', &number, &rest) || !span_parse_int64(number, &line_number)
		|| rest.size < 2)
		return false;
	rest = (struct span){rest.data + 1, rest.size - 1};
	out->has_caret = span_ends_with(rest, "^");
	rest.size -= out->has_caret;
	out->shown = trim_end(rest);
	/* The engine may have put the statement into one of its own, a line further down. */
	struct span line = nth_line(sql, line_number);
	if (line_number > 1 && !shows_line(out->shown, line))
		line = nth_line(sql, line_number - 1);
	if (!span_ends_with(out->shown, "..."))
		out->shown.size += line.size - trim_end(line).size;
	/* Below stand as many spaces as "LINE 3: " is wide, then the caret's column. */
	size_t indentation = strlen("LINE : ") + number.size + 1;
	out->has_caret = out->has_caret && rest.size >= out->shown.size + indentation;
	out->caret = out->has_caret ? rest.size - out->shown.size - indentation : 0;
	*line_out = line;
	return true;
}

/* The byte of `line` under the caret. Only ASCII takes one column a byte, and tabs take none. */
static bool find_caret(const struct excerpt *excerpt, struct span line, size_t *offset_out)
{
	struct span shown = excerpt->shown;
	size_t caret = excerpt->caret;
	size_t shift = 0;
	for (size_t i = 0; i < shown.size && i < caret; i++)
		if ((unsigned char)shown.data[i] >= 0x80)
			return false;
	if (span_starts_with(shown, "...") && caret >= 3) {
		shown = (struct span){shown.data + 3, shown.size - 3};
		if (span_ends_with(shown, "..."))
			shown.size -= 3;
		const char *found = memmem(line.data, line.size, shown.data, shown.size);
		if (!found)
			return false;
		shift = (size_t)(found - line.data);
		caret -= 3;
	}
	size_t offset = shift;
	for (; offset < line.size && (caret > 0 || line.data[offset] == '\t'); offset++)
		caret -= line.data[offset] != '\t';
	*offset_out = offset;
	return caret == 0;
}

/* Where the engine's complaint stands in the written SQL; at least its line. */
static bool find_place_told(
	struct span complaint, const struct metric_sql *sql, size_t *written_out)
{
	struct excerpt excerpt;
	struct span line;
	if (!read_excerpt(complaint, sql, &excerpt, &line))
		return false;
	size_t offset;
	if (!excerpt.has_caret || !find_caret(&excerpt, line, &offset))
		offset = 0;
	*written_out = metric_sql_written_offset(sql, (size_t)(line.data - sql->text) + offset);
	return true;
}

/* The complaint without its excerpt. */
static struct span shorten_complaint(struct span complaint)
{
	const char *told =
		memmem(complaint.data, complaint.size, excerpt_mark, strlen(excerpt_mark));
	if (told)
		complaint.size = (size_t)(told - complaint.data);
	return span_trim(complaint);
}

static void tell_complaint(
	struct compilation *compilation, const struct metric_sql *sql, const struct err *err)
{
	struct span text = shorten_complaint(span_of(err->text));
	size_t written = 0;
	struct place place = {compilation->sql->line, compilation->sql->column};
	if (find_place_told(span_of(err->text), sql, &written))
		place = loading_place(compilation->loading, compilation->sql, written);
	compilation->loading->is_refused = true;
	loading_fault_at(compilation->loading, place, "%.*s", SPAN_ARGUMENTS(text));
}

static bool describe(
	struct compilation *compilation, const struct metric_sql *sql, struct table *described_out)
{
	struct loading *loading = compilation->loading;
	struct err err = {0};
	size_t parameter_count = 0;
	if (!loading->engine->describe(loading->engine->context, sql->text, compilation->scratch,
		    described_out, &parameter_count, &err)) {
		if (err.kind == ERR_INPUT)
			tell_complaint(compilation, sql, &err);
		else
			loading->is_pending = true;
		return false;
	}
	if (parameter_count == sql->slot_count)
		return true;
	tell_fault(compilation, 0, "the SQL has parameters of its own: write ${name}");
	return false;
}

void loading_compile(struct loading *loading, const struct yaml_node *sql, struct metric *metric,
	struct arena *scratch, struct metric_sql *sql_out, struct table *described_out)
{
	*described_out = (struct table){0};
	struct compilation compilation = {loading, sql, metric, scratch};
	struct metric_sql_options options = {&compilation, resolve_name, tell_fault};
	struct table described;
	if (!metric_sql_compile(sql->text, &options, loading->arena, sql_out))
		return;
	if (loading->engine && describe(&compilation, sql_out, &described))
		*described_out = described;
}
