/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_document.c - libyaml's events built into a tree, with what libyaml leaves to us: limits,
 * duplicate keys, refusals, and where the text of a block scalar stands.
 *
 * Children wait on one stack until their collection ends, so each array is made in its final size.
 * libyaml's positions count characters; a cursor that only walks forward turns them into bytes. */
#include "wrap/yaml_document.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { TEXT_BYTES_MAX = 1024 * 1024, LEVEL_COUNT_MAX = 20, NODE_COUNT_MAX = 100000 };

struct reading {
	struct span text;
	const char *name;
	struct arena *arena;
	yaml_parser_t parser;
	size_t node_count;
	const struct yaml_node **pending; /* children of the collections that are open */
	size_t pending_count;
	size_t pending_capacity;
	size_t cursor_index; /* characters before the cursor */
	size_t cursor;       /* bytes before it */
};

static void finish_reading(struct reading *reading)
{
	yaml_parser_delete(&reading->parser);
	free(reading->pending);
}

static struct yaml_node node_at(yaml_mark_t mark)
{
	return (struct yaml_node){.line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

/* The line and column (of characters) of a byte. */
static struct yaml_node node_at_offset(struct span text, size_t offset)
{
	struct yaml_node node = {.line = 1, .column = 1};
	size_t i = span_starts_with(text, "\xef\xbb\xbf") ? 3 : 0;
	for (; i < offset && i < text.size; i++) {
		char next = i + 1 < text.size ? text.data[i + 1] : '\0';
		if (text.data[i] == '\n' || (text.data[i] == '\r' && next != '\n')) {
			node.line++;
			node.column = 1;
		} else if ((text.data[i] & 0xc0) != 0x80) {
			node.column++;
		}
	}
	return node;
}

/* U+0085, U+2028 and U+2029 break lines in YAML 1.1, so to libyaml, and not in 1.2 and editors. */
static bool is_disputed_break(struct span s)
{
	return span_starts_with(s, "\xc2\x85") || span_starts_with(s, "\xe2\x80\xa8")
	       || span_starts_with(s, "\xe2\x80\xa9");
}

static bool check_text(struct span text, const char *name, struct err *err)
{
	if (text.size > TEXT_BYTES_MAX)
		return yaml_err(err, name, NULL, "larger than %d bytes", TEXT_BYTES_MAX);
	for (size_t i = 0; i < text.size;) {
		struct span rest = {text.data + i, text.size - i};
		size_t size = span_utf8_size(rest);
		if (size == 0 || is_disputed_break(rest)) {
			struct yaml_node node = node_at_offset(text, i);
			return yaml_err(err, name, &node, "%s",
				size == 0 ? "not UTF-8"
					  : "a line break of this kind is not allowed");
		}
		i += size;
	}
	return true;
}

static bool fail_parser(const struct reading *reading, struct err *err)
{
	const yaml_parser_t *parser = &reading->parser;
	const char *problem = parser->problem ? parser->problem : "not YAML";
	if (parser->error == YAML_MEMORY_ERROR)
		return err_set(err, ERR_LOCAL, "%s: out of memory", reading->name);
	if (parser->error == YAML_READER_ERROR) {
		struct yaml_node node = node_at_offset(reading->text, parser->problem_offset);
		return yaml_err(err, reading->name, &node, "%s", problem);
	}
	struct yaml_node node = node_at(parser->problem_mark);
	if (!parser->context)
		return yaml_err(err, reading->name, &node, "%s", problem);
	return yaml_err(err, reading->name, &node, "%s (%s that starts on line %zu)", problem,
		parser->context, parser->context_mark.line + 1);
}

static bool next_event(struct reading *reading, yaml_event_t *event, struct err *err)
{
	yaml_event_delete(event);
	return yaml_parser_parse(&reading->parser, event) || fail_parser(reading, err);
}

/* What follows `mark` in the text. Marks come in order; one that does not is found all the same. */
static struct span text_from(struct reading *reading, yaml_mark_t mark)
{
	if (mark.index < reading->cursor_index) {
		reading->cursor_index = 0;
		reading->cursor = 0;
	}
	struct span text = reading->text;
	if (reading->cursor == 0 && span_starts_with(text, "\xef\xbb\xbf"))
		reading->cursor = 3;
	while (reading->cursor_index < mark.index && reading->cursor < text.size) {
		reading->cursor++;
		while (reading->cursor < text.size && (text.data[reading->cursor] & 0xc0) == 0x80)
			reading->cursor++;
		reading->cursor_index++;
	}
	return (struct span){text.data + reading->cursor, text.size - reading->cursor};
}

static struct span after_line(struct span s)
{
	size_t i = 0;
	while (i < s.size && s.data[i] != '\n' && s.data[i] != '\r')
		i++;
	if (i + 1 < s.size && s.data[i] == '\r' && s.data[i + 1] == '\n')
		i++;
	i += i < s.size;
	return (struct span){s.data + i, s.size - i};
}

static int count_spaces(struct span s)
{
	size_t count = 0;
	while (count < s.size && s.data[count] == ' ')
		count++;
	return (int)count;
}

/* The first line with content shows the indentation: the spaces it has in the file and no longer
 * has in the text. The empty lines above it are line breaks in the text. */
static int block_indentation(struct span source, struct span text)
{
	size_t empty_lines = 0;
	while (empty_lines < text.size && text.data[empty_lines] == '\n')
		empty_lines++;
	if (empty_lines == text.size)
		return 0;
	source = after_line(source);
	for (size_t i = 0; i < empty_lines; i++)
		source = after_line(source);
	struct span content = {text.data + empty_lines, text.size - empty_lines};
	return count_spaces(source) - count_spaces(content);
}

/* "!" alone leaves no trace in the event, so the text is asked too. */
static bool refuse_properties(struct reading *reading, const yaml_event_t *event, bool has_anchor,
	bool has_tag, struct err *err)
{
	struct yaml_node node = node_at(event->start_mark);
	if (has_anchor)
		return yaml_err(err, reading->name, &node, "anchors and aliases are not allowed");
	if (has_tag || span_starts_with(text_from(reading, event->start_mark), "!"))
		return yaml_err(err, reading->name, &node, "tags are not allowed");
	return true;
}

static bool fail_arena(const struct reading *reading, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s: too large for the %zu bytes it may take", reading->name,
		reading->arena->size_max);
}

static struct yaml_node *add_node(
	struct reading *reading, yaml_mark_t mark, enum yaml_kind kind, struct err *err)
{
	struct yaml_node place = node_at(mark);
	if (++reading->node_count > NODE_COUNT_MAX) {
		(void)yaml_err(err, reading->name, &place, "more than %d nodes", NODE_COUNT_MAX);
		return NULL;
	}
	struct yaml_node *node = arena_allocate(reading->arena, 1, sizeof(*node));
	if (!node) {
		(void)fail_arena(reading, err);
		return NULL;
	}
	*node = place;
	node->kind = kind;
	return node;
}

static bool read_scalar(struct reading *reading, const yaml_event_t *event,
	const struct yaml_node **node_out, struct err *err)
{
	if (!refuse_properties(
		    reading, event, event->data.scalar.anchor, event->data.scalar.tag, err))
		return false;
	struct yaml_node *node = add_node(reading, event->start_mark, YAML_SCALAR, err);
	if (!node)
		return false;
	const char *value = (const char *)event->data.scalar.value;
	node->text = arena_copy(reading->arena, (struct span){value, event->data.scalar.length});
	if (!node->text.data)
		return fail_arena(reading, err);
	node->text_line = node->line;
	node->text_column = node->column;
	switch (event->data.scalar.style) {
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		node->text_line++;
		node->text_column =
			1 + block_indentation(text_from(reading, event->start_mark), node->text);
		break;
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		node->text_column++;
		break;
	default:
		node->plain = true;
		break;
	}
	*node_out = node;
	return true;
}

static void push_pending(struct reading *reading, const struct yaml_node *node)
{
	if (reading->pending_count == reading->pending_capacity) {
		size_t capacity = reading->pending_capacity ? reading->pending_capacity * 2 : 64;
		reading->pending = memory_resize(reading->pending, capacity * sizeof(node));
		reading->pending_capacity = capacity;
	}
	reading->pending[reading->pending_count++] = node;
}

static bool stands_before(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

static int compare_keys(const void *left, const void *right)
{
	const struct yaml_node *a = *(const struct yaml_node *const *)left;
	const struct yaml_node *b = *(const struct yaml_node *const *)right;
	int order = span_compare(a->text, b->text);
	if (order != 0)
		return order;
	return stands_before(a, b) ? -1 : stands_before(b, a);
}

/* Sorted, because comparing each with each would let a file of 1 MiB take minutes. */
static bool refuse_duplicates(
	const struct reading *reading, const struct yaml_node *mapping, struct err *err)
{
	if (mapping->count < 2)
		return true;
	const struct yaml_node **sorted = memory_allocate(mapping->count, sizeof(*sorted));
	memcpy(sorted, mapping->keys, mapping->count * sizeof(*sorted));
	qsort(sorted, mapping->count, sizeof(*sorted), compare_keys);
	const struct yaml_node *first = NULL;
	const struct yaml_node *again = NULL;
	for (size_t i = 1; i < mapping->count; i++) {
		if (!span_equal(sorted[i - 1]->text, sorted[i]->text)
			|| (again && stands_before(again, sorted[i])))
			continue;
		first = sorted[i - 1];
		again = sorted[i];
	}
	free(sorted);
	return !again
	       || yaml_err(err, reading->name, again, "key \"%.*s\" stands on line %d already",
		       SPAN_ARGUMENTS(again->text), first->line);
}

/* Moves what waits above `pending_start` into `node`. */
static bool take_children(
	struct reading *reading, size_t pending_start, struct yaml_node *node, struct err *err)
{
	size_t stride = node->kind == YAML_MAPPING ? 2 : 1;
	size_t count = (reading->pending_count - pending_start) / stride;
	const struct yaml_node **values = arena_allocate(reading->arena, count, sizeof(*values));
	const struct yaml_node **keys =
		stride == 2 ? arena_allocate(reading->arena, count, sizeof(*keys)) : NULL;
	if (reading->arena->failed)
		return fail_arena(reading, err);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node **child = &reading->pending[pending_start + i * stride];
		if (keys)
			keys[i] = *child++;
		values[i] = *child;
	}
	reading->pending_count = pending_start;
	node->keys = keys;
	node->values = values;
	node->count = count;
	return node->kind != YAML_MAPPING || refuse_duplicates(reading, node, err);
}

static bool read_node(struct reading *reading, const yaml_event_t *event, int level,
	const struct yaml_node **node_out, struct err *err);

static bool read_collection(struct reading *reading, const yaml_event_t *start, int level,
	const struct yaml_node **node_out, struct err *err)
{
	bool is_mapping = start->type == YAML_MAPPING_START_EVENT;
	struct yaml_node *node = add_node(
		reading, start->start_mark, is_mapping ? YAML_MAPPING : YAML_SEQUENCE, err);
	if (!node)
		return false;
	if (level > LEVEL_COUNT_MAX)
		return yaml_err(err, reading->name, node, "more than %d levels", LEVEL_COUNT_MAX);
	size_t pending_start = reading->pending_count;
	for (;;) {
		yaml_event_t event CLEANUP(yaml_event_delete) = {0};
		const struct yaml_node *child = NULL;
		if (!next_event(reading, &event, err))
			return false;
		if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT)
			break;
		bool is_key = is_mapping && (reading->pending_count - pending_start) % 2 == 0;
		if (!read_node(reading, &event, level + 1, &child, err))
			return false;
		if (is_key && child->kind != YAML_SCALAR)
			return yaml_err(err, reading->name, child, "a key must be a scalar");
		push_pending(reading, child);
	}
	if (!take_children(reading, pending_start, node, err))
		return false;
	*node_out = node;
	return true;
}

static bool read_node(struct reading *reading, const yaml_event_t *event, int level,
	const struct yaml_node **node_out, struct err *err)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(reading, event, node_out, err);
	case YAML_SEQUENCE_START_EVENT:
		return refuse_properties(reading, event, event->data.sequence_start.anchor,
			       event->data.sequence_start.tag, err)
		       && read_collection(reading, event, level, node_out, err);
	case YAML_MAPPING_START_EVENT:
		return refuse_properties(reading, event, event->data.mapping_start.anchor,
			       event->data.mapping_start.tag, err)
		       && read_collection(reading, event, level, node_out, err);
	default:
		assert(event->type == YAML_ALIAS_EVENT);
		return refuse_properties(reading, event, true, false, err);
	}
}

static bool read_document(
	struct reading *reading, const struct yaml_node **root_out, struct err *err)
{
	yaml_event_t event CLEANUP(yaml_event_delete) = {0};
	const struct yaml_node *root = NULL;
	if (!next_event(reading, &event, err) || !next_event(reading, &event, err))
		return false;
	if (event.type == YAML_DOCUMENT_START_EVENT) {
		if (!next_event(reading, &event, err) || !read_node(reading, &event, 1, &root, err)
			|| !next_event(reading, &event, err) || !next_event(reading, &event, err))
			return false;
	}
	if (event.type != YAML_STREAM_END_EVENT) {
		struct yaml_node node = node_at(event.start_mark);
		return yaml_err(err, reading->name, &node, "only one document is allowed");
	}
	if (root && root->kind == YAML_SCALAR && root->plain && root->text.size == 0)
		root = NULL;
	*root_out = root;
	return true;
}

bool yaml_parse(struct span text, const char *name, struct arena *arena,
	const struct yaml_node **root_out, struct err *err)
{
	if (!check_text(text, name, err))
		return false;
	struct reading reading CLEANUP(finish_reading) = {
		.text = text, .name = name, .arena = arena};
	if (!yaml_parser_initialize(&reading.parser))
		return err_set(err, ERR_LOCAL, "%s: out of memory", name);
	const char *data = text.data ? text.data : "";
	yaml_parser_set_input_string(&reading.parser, (const unsigned char *)data, text.size);
	return read_document(&reading, root_out, err);
}
