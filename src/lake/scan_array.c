/* SPDX-License-Identifier: Apache-2.0 */
/* scan_array.c - cuts a page into its elements without judging them: only quotes, backslashes and
 * brackets count, so that one bad element does not take the others with it. */
#include "lake/scan_private.h"

#include <assert.h>
#include <string.h>

void scan_array_init(struct scan_array *array, struct span body)
{
	*array = (struct scan_array){.body = body.data ? body : span_of("")};
}

static bool is_next(const struct scan_cursor *cursor, char byte)
{
	return cursor->at < cursor->end && *cursor->at == byte;
}

/* Behind the string whose opening quote is at `at`; NULL when it is not closed. */
static const char *pass_string(const char *at, const char *end)
{
	at++;
	while (at < end && *at != '"')
		at += *at == '\\' && end - at > 1 ? 2 : 1;
	return at < end ? at + 1 : NULL;
}

/* Behind the object or array at `at`, NULL when it is not closed. Kinds of brackets are not told
 * apart: scan_event will. */
static const char *pass_brackets(const char *at, const char *end)
{
	size_t depth = 0;
	while (at && at < end) {
		if (*at == '"') {
			at = pass_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
		at++;
	}
	return NULL;
}

/* As pass_brackets, for any value; `at` when there is none. */
static const char *pass_element(const char *at, const char *end)
{
	if (at < end && (*at == '{' || *at == '['))
		return pass_brackets(at, end);
	if (at < end && *at == '"')
		return pass_string(at, end);
	while (at < end && (*at == '\0' || !strchr(" \n\r\t,[]{}\"", *at)))
		at++;
	return at;
}

/* To the next element: passes '[' or, once the array has begun, a comma. *ended_out true when the
 * array ends instead. */
static bool pass_separator(struct scan_cursor *cursor, bool begun, bool *ended_out)
{
	scan_skip_blanks(cursor);
	bool closed = begun && is_next(cursor, ']');
	if (!closed) {
		if (!is_next(cursor, begun ? ',' : '['))
			return scan_fail(cursor, SCAN_INVALID_JSON, cursor->at, "%s",
				begun ? "a comma or ']' expected behind an event" : "not an array");
		cursor->at++;
		scan_skip_blanks(cursor);
		closed = !begun && is_next(cursor, ']');
	}
	if (closed) {
		cursor->at++;
		scan_skip_blanks(cursor);
		if (cursor->at < cursor->end)
			return scan_fail(cursor, SCAN_INVALID_JSON, cursor->at,
				"more bytes behind the array");
	}
	*ended_out = closed;
	return true;
}

bool scan_array_next(struct scan_array *array, struct span *element_out, bool *end_out,
	struct scan_problem *problem_out)
{
	const char *body = array->body.data;
	assert(body && array->at <= array->body.size);
	struct scan_cursor cursor = {
		body, body + array->at, body + array->body.size, 0, problem_out};
	if (!array->ended && !pass_separator(&cursor, array->begun, &array->ended))
		return false;
	if (array->ended) {
		*end_out = true;
		return true;
	}
	const char *behind = pass_element(cursor.at, cursor.end);
	if (!behind)
		return scan_fail(
			&cursor, SCAN_INVALID_JSON, cursor.at, "an event that does not end");
	if (behind == cursor.at)
		return scan_fail(&cursor, SCAN_INVALID_JSON, cursor.at, "an event expected");
	array->begun = true;
	array->at = (size_t)(behind - body);
	*element_out = span_make(cursor.at, (size_t)(behind - cursor.at));
	*end_out = false;
	return true;
}

void scan_append_line(struct buf *out, struct span json)
{
	size_t start = out->size;
	buf_append_span(out, json);
	for (size_t i = start; i < out->size; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = ' ';
}
