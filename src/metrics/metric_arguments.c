/* SPDX-License-Identifier: Apache-2.0 */
/* metric_arguments.c - hostile input ends here: what leaves is typed values, and sentences of our
 * own in which no more than a short, clean name was taken over. */
#include "metrics/metric_arguments.h"

#include "base/suggest.h"

#include <string.h>

enum { NAME_SHOWN_BYTES_MAX = 64, CANDIDATE_COUNT_MAX = METRIC_PARAMETER_COUNT_MAX + 4 };

static const char *const reserved[] = {"as_of", "limit", "format", "cursor"};

static void add_fault(struct arguments *arguments, const struct argument_fault *fault)
{
	if (arguments->faults && arguments->fault_count < ARGUMENT_FAULT_COUNT_MAX)
		arguments->faults[arguments->fault_count++] = *fault;
}

static void add_text_fault(
	struct arguments *arguments, struct span name, const char *code, const char *detail)
{
	struct argument_fault fault = {.name = name, .code = code, .detail = span_of(detail)};
	add_fault(arguments, &fault);
}

/* The name as it may be repeated to its sender and to logs. */
static struct span clean_name(struct span name, struct arena *arena)
{
	size_t size = name.size < NAME_SHOWN_BYTES_MAX ? name.size : NAME_SHOWN_BYTES_MAX;
	struct span copy = arena_copy(arena, (struct span){name.data ? name.data : "", size});
	for (size_t i = 0; copy.data && i < size; i++) {
		char c = copy.data[i];
		if (c < ' ' || c == 0x7f || (unsigned char)c >= 0x80)
			((char *)(uintptr_t)copy.data)[i] = '?';
	}
	return copy;
}

static void add_unknown(struct arguments *arguments, const struct metric *metric, struct span name,
	struct arena *arena)
{
	const char *candidates[CANDIDATE_COUNT_MAX];
	size_t count = 0;
	for (size_t i = 0; i < metric->parameter_count; i++)
		candidates[count++] = arena_copy_text(arena, metric->parameters[i].name);
	for (size_t i = 0; i < ARRAY_COUNT(reserved); i++)
		candidates[count++] = reserved[i];
	if (arena->failed)
		return;
	const char *near = suggest_word(name, candidates, count);
	struct span shown = clean_name(name, arena);
	char *detail =
		near ? arena_printf(arena, "Unknown parameter '%.*s'. Did you mean '%s'?",
			SPAN_ARGUMENTS(shown), near)
		     : arena_printf(arena, "Unknown parameter '%.*s'.", SPAN_ARGUMENTS(shown));
	struct argument_fault fault = {shown, "unknown", span_of(detail), span_of(near)};
	add_fault(arguments, &fault);
}

static bool is_reserved(struct span name)
{
	for (size_t i = 0; i < ARRAY_COUNT(reserved); i++)
		if (span_equal_text(name, reserved[i]))
			return true;
	return false;
}

static bool is_parameter(const struct metric *metric, struct span name)
{
	for (size_t i = 0; i < metric->parameter_count; i++)
		if (span_equal(metric->parameters[i].name, name))
			return true;
	return false;
}

static void read_unknown(
	const struct metric_request *request, struct arena *arena, struct arguments *out)
{
	for (size_t i = 0; i < request->argument_count; i++) {
		struct span name = request->arguments[i].name;
		if (is_reserved(name) || is_parameter(request->metric, name))
			continue;
		if (!request->ignore_unknown)
			add_unknown(out, request->metric, name, arena);
		else if (out->ignored)
			out->ignored[out->ignored_count++] = clean_name(name, arena);
	}
}

/* The texts that the request has for `name`, in `texts`; their number. */
static size_t find_texts(const struct metric_request *request, struct span name, struct span *texts)
{
	size_t count = 0;
	for (size_t i = 0; i < request->argument_count; i++) {
		struct span value = request->arguments[i].value;
		if (span_equal(request->arguments[i].name, name))
			texts[count++] = (struct span){value.data ? value.data : "", value.size};
	}
	return count;
}

static void read_parameter(const struct metric_request *request, size_t index, struct span *texts,
	struct arena *arena, struct arguments *out)
{
	const struct metric_parameter *parameter = &request->metric->parameters[index];
	size_t count = find_texts(request, parameter->name, texts);
	struct argument_fault fault = {.name = parameter->name};
	if (count > 1 && !parameter->multiple) {
		fault.code = "repeated";
		fault.detail = span_of(arena_printf(
			arena, "%.*s may be given once", SPAN_ARGUMENTS(parameter->name)));
		add_fault(out, &fault);
		return;
	}
	if (count == 0 && parameter->required) {
		fault.code = "required";
		fault.detail = span_of(
			arena_printf(arena, "%.*s is required", SPAN_ARGUMENTS(parameter->name)));
		add_fault(out, &fault);
		return;
	}
	out->given[index] = count > 0;
	if (count == 0 && parameter->default_text.data) {
		texts[0] = parameter->default_text;
		count = 1;
	}
	if (!parameter_parse(parameter, texts, count, arena, &out->values[index], &fault))
		add_fault(out, &fault);
}

static void read_as_of(
	const struct metric_request *request, struct span *texts, struct arguments *out)
{
	struct span name = span_of("as_of");
	size_t count = find_texts(request, name, texts);
	if (count > 1)
		add_text_fault(out, name, "repeated", "as_of may be given once");
	if (count != 1 || span_equal_text(texts[0], "now"))
		return;
	if (span_equal_text(texts[0], "data"))
		out->as_of = AS_OF_DATA;
	else if (time_parse(texts[0], &out->as_of_us))
		out->as_of = AS_OF_GIVEN;
	else
		add_text_fault(out, name, "type",
			"as_of must be now, data or a time like 2026-09-20T12:00:00Z");
}

static void read_limit(const struct metric_request *request, struct span *texts,
	struct arena *arena, struct arguments *out)
{
	const struct metric *metric = request->metric;
	struct span name = span_of("limit");
	size_t count = find_texts(request, name, texts);
	out->limit = request->unlimited ? 0 : metric->limit_default;
	int64_t limit;
	if (count > 1) {
		add_text_fault(out, name, "repeated", "limit may be given once");
	} else if (count == 1) {
		bool is_integer = span_parse_int64(texts[0], &limit);
		if (is_integer && limit >= 1 && limit <= metric->limit_max)
			out->limit = limit;
		else
			add_text_fault(out, name, is_integer ? "range" : "type",
				arena_printf(arena, "limit must be an integer from 1 to %lld",
					(long long)metric->limit_max));
	}
}

void arguments_read(
	const struct metric_request *request, struct arena *arena, struct arguments *out)
{
	*out = (struct arguments){0};
	out->faults = arena_allocate(arena, ARGUMENT_FAULT_COUNT_MAX, sizeof(*out->faults));
	out->ignored = arena_allocate(arena, request->argument_count, sizeof(*out->ignored));
	struct span *texts = arena_allocate(arena, request->argument_count + 1, sizeof(*texts));
	if (!texts || !out->faults)
		return;
	read_unknown(request, arena, out);
	read_as_of(request, texts, out);
	read_limit(request, texts, arena, out);
	for (size_t i = 0; i < request->metric->parameter_count; i++)
		read_parameter(request, i, texts, arena, out);
}
