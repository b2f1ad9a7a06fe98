/* SPDX-License-Identifier: Apache-2.0 */
/* metric_problem.c - faults of a file with their places. */
#include "metrics/metric_loading.h"

#include "base/suggest.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PROBLEM_BYTES_MAX = 600 };

void *loading_allocate(struct loading *loading, size_t count, size_t size)
{
	void *memory = arena_allocate(loading->arena, count, size);
	assert(memory);
	return memory;
}

static bool is_told(const struct loading *loading, struct place place, const char *text)
{
	for (size_t i = 0; i < loading->problem_count; i++) {
		const struct metric_problem *problem = &loading->problems[i];
		if (problem->line == place.line && problem->column == place.column
			&& span_equal_text(problem->text, text))
			return true;
	}
	return false;
}

/* A shared definition is read once for each use: its faults are told once. */
static void tell(struct loading *loading, struct place place, bool warning, const char *text)
{
	loading->error_count += !warning;
	if (loading->problem_count == PROBLEM_COUNT_MAX || is_told(loading, place, text))
		return;
	if (loading->problem_count == PROBLEM_COUNT_MAX - 1)
		text = "more problems follow";
	loading->problems[loading->problem_count++] = (struct metric_problem){
		.file = loading->name,
		.line = place.line,
		.column = place.column,
		.warning = warning,
		.text = arena_copy(loading->arena, span_of(text)),
	};
}

static struct place node_place(const struct yaml_node *node)
{
	return node ? (struct place){node->line, node->column} : (struct place){1, 1};
}

PRINTF_LIKE(4, 0)
static void tell_formatted(struct loading *loading, struct place place, bool warning,
	const char *format, va_list arguments)
{
	char text[PROBLEM_BYTES_MAX];
	int size = vsnprintf(text, sizeof(text), format, arguments);
	assert(size >= 0);
	tell(loading, place, warning, text);
}

void loading_fault_at(struct loading *loading, struct place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell_formatted(loading, place, false, format, arguments);
	va_end(arguments);
}

void loading_fault(struct loading *loading, const struct yaml_node *node, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell_formatted(loading, node_place(node), false, format, arguments);
	va_end(arguments);
}

void loading_warn(struct loading *loading, const struct yaml_node *node, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tell_formatted(loading, node_place(node), true, format, arguments);
	va_end(arguments);
}

void loading_fault_unknown(struct loading *loading, const struct yaml_node *node, const char *what,
	const char *const *words, size_t word_count)
{
	const char *near = suggest_word(node->text, words, word_count);
	if (near)
		loading_fault(loading, node, "unknown %s \"%.*s\"; did you mean \"%s\"?", what,
			SPAN_ARGUMENTS(node->text), near);
	else
		loading_fault(
			loading, node, "unknown %s \"%.*s\"", what, SPAN_ARGUMENTS(node->text));
}

/* The first byte of a node in the source, or the end of it. */
static struct span source_from(const struct loading *loading, const struct yaml_node *node)
{
	struct span rest = loading->source;
	if (span_starts_with(rest, "\xef\xbb\xbf"))
		rest = (struct span){rest.data + 3, rest.size - 3};
	for (int line = 1; line < node->line; line++) {
		size_t i = 0;
		while (i < rest.size && rest.data[i] != '\n' && rest.data[i] != '\r')
			i++;
		i += i + 1 < rest.size && rest.data[i] == '\r' && rest.data[i + 1] == '\n';
		i += i < rest.size;
		rest = (struct span){rest.data + i, rest.size - i};
	}
	size_t i = 0;
	for (int column = 1; column < node->column && i < rest.size; column++)
		for (i++; i < rest.size && (rest.data[i] & 0xc0) == 0x80;)
			i++;
	return (struct span){rest.data + i, rest.size - i};
}

/* Folded and quoted texts keep their places in the first line only. */
struct place loading_place(
	const struct loading *loading, const struct yaml_node *scalar, size_t offset)
{
	struct place place = {scalar->text_line, scalar->text_column};
	bool is_literal = span_starts_with(source_from(loading, scalar), "|");
	for (size_t i = 0; i < offset && i < scalar->text.size; i++) {
		char c = scalar->text.data[i];
		if (c == '\n' && !is_literal)
			return node_place(scalar);
		if (c == '\n')
			place = (struct place){place.line + 1, scalar->text_column};
		else
			place.column += (c & 0xc0) != 0x80;
	}
	return place;
}
