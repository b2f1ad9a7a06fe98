/* SPDX-License-Identifier: Apache-2.0 */
/* canonical_oracle.c - an event's canonical text (lake/derived_id.h) by way of a full JSON parser's
 * document: the other implementation of that page. Included by scan_oracle.c and by the tests of eras. */
#include "lake/derived_id.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void canonical_string(struct buf *out, const char *data, size_t size)
{
	buf_append_byte(out, '"');
	for (size_t i = 0; i < size; i++) {
		switch (data[i]) {
		case '"':
			buf_append_text(out, "\\\"");
			break;
		case '\\':
			buf_append_text(out, "\\\\");
			break;
		case '\b':
			buf_append_text(out, "\\b");
			break;
		case '\f':
			buf_append_text(out, "\\f");
			break;
		case '\n':
			buf_append_text(out, "\\n");
			break;
		case '\r':
			buf_append_text(out, "\\r");
			break;
		case '\t':
			buf_append_text(out, "\\t");
			break;
		default:
			if ((unsigned char)data[i] < ' ')
				buf_printf(out, "\\u%04x", (unsigned)data[i]);
			else
				buf_append_byte(out, data[i]);
		}
	}
	buf_append_byte(out, '"');
}

struct canonical_key {
	struct buf text;
	const json_t *value;
};

static int compare_canonical_keys(const void *left, const void *right)
{
	const struct buf *a = &((const struct canonical_key *)left)->text;
	const struct buf *b = &((const struct canonical_key *)right)->text;
	/* Without the closing quotes, which are greater than a space. */
	return span_compare((struct span){a->data, a->size - 1}, (struct span){b->data, b->size - 1});
}

static void canonical_value(struct buf *out, const json_t *value, const char *path);

static void canonical_object(struct buf *out, const json_t *object, const char *path)
{
	struct canonical_key *keys = calloc(json_object_size(object) + 1, sizeof(*keys));
	if (!keys)
		abort();
	size_t count = 0;
	for (void *i = json_object_iter((json_t *)object); i;
		i = json_object_iter_next((json_t *)object, i)) {
		const char *key = json_object_iter_key(i);
		size_t size = json_object_iter_key_len(i);
		const json_t *value = json_object_iter_value(i);
		if (json_is_null(value) || (size == 5 && memcmp(key, "email", 5) == 0))
			continue;
		buf_init(&keys[count].text, DERIVED_ID_TEXT_BYTES_MAX);
		canonical_string(&keys[count].text, key, size);
		keys[count++].value = value;
	}
	qsort(keys, count, sizeof(*keys), compare_canonical_keys);
	buf_append_byte(out, '{');
	for (size_t i = 0; i < count; i++) {
		const char *inner = "";
		if (path && *path == '\0' && span_equal_text(buf_span(&keys[i].text), "\"payload\""))
			inner = "payload";
		else if (path && strcmp(path, "payload") == 0
			 && span_equal_text(buf_span(&keys[i].text), "\"shas\""))
			inner = "shas";
		else
			inner = NULL;
		if (i > 0)
			buf_append_byte(out, ',');
		buf_append_span(out, buf_span(&keys[i].text));
		buf_append_byte(out, ':');
		canonical_value(out, keys[i].value, inner);
		buf_finish(&keys[i].text);
	}
	buf_append_byte(out, '}');
	free(keys);
}

static void canonical_array(struct buf *out, const json_t *array, const char *path)
{
	bool is_commit = path && strcmp(path, "commit") == 0;
	const char *inner = path && strcmp(path, "shas") == 0 ? "commit" : NULL;
	buf_append_byte(out, '[');
	bool first = true;
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (is_commit && i == 1)
			continue;
		if (!first)
			buf_append_byte(out, ',');
		first = false;
		canonical_value(out, json_array_get(array, i), inner);
	}
	buf_append_byte(out, ']');
}

/* `path`: "" of the event, "payload", "shas", "commit", NULL of all else. */
static void canonical_value(struct buf *out, const json_t *value, const char *path)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		canonical_object(out, value, path);
		break;
	case JSON_ARRAY:
		canonical_array(out, value, path);
		break;
	case JSON_STRING:
		canonical_string(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		buf_printf(out, "%.17g", fpclassify(json_real_value(value)) == FP_ZERO
						 ? 0.0
						 : json_real_value(value));
		break;
	case JSON_TRUE:
		buf_append_text(out, "true");
		break;
	case JSON_FALSE:
		buf_append_text(out, "false");
		break;
	default:
		buf_append_text(out, "null");
		break;
	}
}

/* Appends to `out`. */
static void canonical_event(struct buf *out, const json_t *event)
{
	canonical_value(out, event, "");
}
