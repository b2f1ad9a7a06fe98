/* SPDX-License-Identifier: Apache-2.0 */
/* field_set_parse.c - events.yaml in both forms. Fields are collected as drafts, one a path,
 * because a path may be listed for many event types and name its type at any of them. */
#include "lake/field_set_private.h"

#include "base/suggest.h"
#include "lake/well_known_fields.h"
#include "wrap/yaml_document.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOCUMENT_BYTES_MAX = 64 * 1024 * 1024, /* the tree of a document of 1 MiB, with room */
	LOGIN_BYTES_MAX = 100,
};

struct field_draft {
	struct span path;
	enum value_type type;
	bool has_type; /* events.yaml names its type */
	int line;      /* where it does; else where the path stands first */
	const char *event_types[EVENT_TYPE_COUNT_MAX];
	size_t event_type_count;
};

struct parsing {
	const char *name;
	struct field_set *fields;
	struct arena document; /* the YAML tree and the drafts */
	struct field_draft *drafts;
	size_t draft_count;
	struct err *err;
};

static void parsing_finish(struct parsing *parsing)
{
	arena_finish(&parsing->document);
}

static bool check_keys(struct parsing *parsing, const struct yaml_node *mapping,
	const char *const *known, size_t known_count)
{
	for (size_t i = 0; i < mapping->count; i++) {
		const struct yaml_node *key = mapping->keys[i];
		bool found = false;
		for (size_t j = 0; j < known_count && !found; j++)
			found = span_equal_text(key->text, known[j]);
		if (found)
			continue;
		const char *near = suggest_word(key->text, known, known_count);
		return yaml_err(parsing->err, parsing->name, key, "unknown key \"%.*s\"%s%s%s",
			SPAN_ARGUMENTS(key->text), near ? ": did you mean \"" : "",
			near ? near : "", near ? "\"?" : "");
	}
	return true;
}

static bool check_event_type(struct parsing *parsing, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR && event_type_is_plain(node->text))
		return true;
	return yaml_err(parsing->err, parsing->name, node,
		"\"%.*s\" is no event type: letters only, as in PushEvent",
		SPAN_ARGUMENTS(node->text));
}

/* The names of `count` nodes as the kept types. */
static bool keep_types(struct parsing *parsing, const struct yaml_node *const *nodes, size_t count)
{
	struct field_set *fields = parsing->fields;
	const char **types = arena_allocate(&fields->arena, count, sizeof(*types));
	for (size_t i = 0; i < count; i++) {
		if (!check_event_type(parsing, nodes[i]))
			return false;
		if (i == EVENT_TYPE_COUNT_MAX)
			return yaml_err(parsing->err, parsing->name, nodes[i],
				"more than %d event types", EVENT_TYPE_COUNT_MAX);
		types[i] = arena_copy_text(&fields->arena, nodes[i]->text);
	}
	fields->types = types;
	fields->type_count = count;
	return true;
}

static bool parse_types(struct parsing *parsing, const struct yaml_node *node)
{
	bool is_all = !node || (node->kind == YAML_SCALAR && span_equal_text(node->text, "all"));
	parsing->fields->all_types = is_all;
	if (is_all)
		return true;
	if (node->kind != YAML_SEQUENCE || node->count == 0)
		return yaml_err(parsing->err, parsing->name, node,
			"types must be \"all\" or a list such as [WatchEvent, PushEvent]");
	return keep_types(parsing, node->values, node->count);
}

/* ---- fields ---- */

static bool is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
	       || c == '_' || c == '-' || c == '+';
}

static bool check_path(struct parsing *parsing, const struct yaml_node *node)
{
	struct span path = node->text;
	size_t depth = 1;
	bool well_formed = node->kind == YAML_SCALAR && path.size > 0;
	for (size_t i = 0; i < path.size && well_formed; i++) {
		bool is_dot = path.data[i] == '.';
		bool key_before = i > 0 && path.data[i - 1] != '.';
		well_formed = is_dot ? key_before && i + 1 < path.size : is_key_byte(path.data[i]);
		depth += is_dot;
	}
	if (!well_formed)
		return yaml_err(parsing->err, parsing->name, node,
			"a path is keys joined by dots, as in payload.issue.state; "
			"keys have letters, digits, _, - and +");
	if (path.size > FIELD_PATH_BYTES_MAX)
		return yaml_err(parsing->err, parsing->name, node, "a path of more than %d bytes",
			FIELD_PATH_BYTES_MAX);
	if (depth > FIELD_DEPTH_MAX)
		return yaml_err(parsing->err, parsing->name, node, "a path of more than %d keys",
			FIELD_DEPTH_MAX);
	return true;
}

/* The common column that `path` names, or NULL. */
static const struct event_column *find_common(struct span path)
{
	for (size_t i = 0; i < EVENT_COLUMN_COUNT; i++)
		if (event_columns[i].path && span_equal_text(path, event_columns[i].path))
			return &event_columns[i];
	return NULL;
}

/* Engines ignore the case of column names. */
static bool check_column_name(struct parsing *parsing, const struct yaml_node *node)
{
	for (size_t i = 0; i < EVENT_COLUMN_COUNT; i++)
		if (span_equal_ignore_case(node->text, span_of(event_columns[i].name)))
			return yaml_err(parsing->err, parsing->name, node,
				"\"%s\" is the name of a column that every event has",
				event_columns[i].name);
	for (size_t i = 0; i < parsing->draft_count; i++)
		if (span_equal_ignore_case(node->text, parsing->drafts[i].path))
			return yaml_err(parsing->err, parsing->name, node,
				"\"%.*s\" differs from the path on line %d only by case",
				SPAN_ARGUMENTS(node->text), parsing->drafts[i].line);
	return true;
}

/* The draft of `path`, made when it is new. NULL on error. */
static struct field_draft *find_draft(struct parsing *parsing, const struct yaml_node *path)
{
	for (size_t i = 0; i < parsing->draft_count; i++)
		if (span_equal(parsing->drafts[i].path, path->text))
			return &parsing->drafts[i];
	if (!check_column_name(parsing, path))
		return NULL;
	if (parsing->draft_count == FIELD_COUNT_MAX) {
		(void)yaml_err(
			parsing->err, parsing->name, path, "more than %d fields", FIELD_COUNT_MAX);
		return NULL;
	}
	struct field_draft *draft = &parsing->drafts[parsing->draft_count++];
	draft->path = path->text;
	draft->line = path->line;
	return draft;
}

static bool parse_type(
	struct parsing *parsing, const struct yaml_node *node, enum value_type *type_out)
{
	static const enum value_type types[] = {
		VALUE_BOOLEAN, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_TIME};
	const char *names[ARRAY_COUNT(types)];
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		names[i] = value_type_name(types[i]);
		if (node->kind == YAML_SCALAR && span_equal_text(node->text, names[i])) {
			*type_out = types[i];
			return true;
		}
	}
	const char *near = suggest_word(node->text, names, ARRAY_COUNT(names));
	return yaml_err(parsing->err, parsing->name, node,
		"unknown type \"%.*s\"%s%s%s: boolean, integer, number, string or timestamp",
		SPAN_ARGUMENTS(node->text), near ? " (did you mean \"" : "", near ? near : "",
		near ? "\"?)" : "");
}

static bool set_draft_type(struct parsing *parsing, struct field_draft *draft,
	const struct yaml_node *node, enum value_type type)
{
	if (draft->has_type && draft->type != type)
		return yaml_err(parsing->err, parsing->name, node,
			"%.*s is %s on line %d and %s here: a path has one type",
			SPAN_ARGUMENTS(draft->path), value_type_name(draft->type), draft->line,
			value_type_name(type));
	if (!draft->has_type)
		draft->line = node->line;
	draft->has_type = true;
	draft->type = type;
	return true;
}

static bool parse_field(
	struct parsing *parsing, const char *event_type, const struct yaml_node *item)
{
	static const char *const keys[] = {"path", "type"};
	const struct yaml_node *path = item;
	const struct yaml_node *type_node = NULL;
	enum value_type type = VALUE_TEXT;
	if (item->kind == YAML_MAPPING) {
		if (!check_keys(parsing, item, keys, ARRAY_COUNT(keys)))
			return false;
		path = yaml_get(item, "path");
		type_node = yaml_get(item, "type");
		if (!path)
			return yaml_err(
				parsing->err, parsing->name, item, "a field without a path");
	}
	if (!check_path(parsing, path) || (type_node && !parse_type(parsing, type_node, &type)))
		return false;
	const struct event_column *common = find_common(path->text);
	if (common && type_node && type != common->type)
		return yaml_err(parsing->err, parsing->name, type_node,
			"%s is the column %s, which every event has, and its type is %s",
			common->path, common->name, value_type_name(common->type));
	if (common)
		return true;
	struct field_draft *draft = find_draft(parsing, path);
	if (!draft || (type_node && !set_draft_type(parsing, draft, type_node, type)))
		return false;
	bool listed = draft->event_type_count > 0
		      && strcmp(draft->event_types[draft->event_type_count - 1], event_type) == 0;
	if (!listed)
		draft->event_types[draft->event_type_count++] = event_type;
	return true;
}

static bool parse_field_list(
	struct parsing *parsing, const struct yaml_node *type, const struct yaml_node *list)
{
	if (!list || yaml_is_null(list))
		return true;
	if (list->kind != YAML_SEQUENCE)
		return yaml_err(parsing->err, parsing->name, list, "a list of paths expected");
	const char *event_type = arena_copy_text(&parsing->fields->arena, type->text);
	for (size_t i = 0; i < list->count; i++)
		if (!parse_field(parsing, event_type, list->values[i]))
			return false;
	return true;
}

static bool parse_fields(struct parsing *parsing, const struct yaml_node *node)
{
	if (!node || yaml_is_null(node))
		return true;
	if (node->kind != YAML_MAPPING)
		return yaml_err(parsing->err, parsing->name, node,
			"fields must be a mapping of event types to lists of paths");
	for (size_t i = 0; i < node->count; i++) {
		if (!check_event_type(parsing, node->keys[i]))
			return false;
		if (i == EVENT_TYPE_COUNT_MAX)
			return yaml_err(parsing->err, parsing->name, node->keys[i],
				"more than %d event types", EVENT_TYPE_COUNT_MAX);
		if (!parse_field_list(parsing, node->keys[i], node->values[i]))
			return false;
	}
	return true;
}

static int compare_drafts(const void *left, const void *right)
{
	return span_compare(((const struct field_draft *)left)->path,
		((const struct field_draft *)right)->path);
}

static void store_fields(struct parsing *parsing)
{
	struct arena *arena = &parsing->fields->arena;
	struct field *stored = arena_allocate(arena, parsing->draft_count, sizeof(*stored));
	qsort(parsing->drafts, parsing->draft_count, sizeof(parsing->drafts[0]), compare_drafts);
	for (size_t i = 0; i < parsing->draft_count; i++) {
		const struct field_draft *draft = &parsing->drafts[i];
		const char **types = arena_allocate(arena, draft->event_type_count, sizeof(*types));
		memcpy(types, draft->event_types, draft->event_type_count * sizeof(*types));
		stored[i] = (struct field){
			.path = arena_copy_text(arena, draft->path),
			.type = draft->has_type ? draft->type : well_known_field_type(draft->path),
			.event_types = types,
			.event_type_count = draft->event_type_count,
		};
	}
	parsing->fields->fields = stored;
	parsing->fields->field_count = parsing->draft_count;
}

/* ---- documents ---- */

static bool parse_bots(struct parsing *parsing, const struct yaml_node *node)
{
	if (!node || yaml_is_null(node))
		return true;
	if (node->kind != YAML_SEQUENCE)
		return yaml_err(parsing->err, parsing->name, node, "bots must be a list of logins");
	if (node->count > FIELD_BOT_COUNT_MAX)
		return yaml_err(parsing->err, parsing->name, node, "more than %d bots",
			FIELD_BOT_COUNT_MAX);
	struct arena *arena = &parsing->fields->arena;
	const char **bots = arena_allocate(arena, node->count, sizeof(*bots));
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *login = node->values[i];
		if (login->kind != YAML_SCALAR || login->text.size == 0
			|| login->text.size > LOGIN_BYTES_MAX)
			return yaml_err(parsing->err, parsing->name, login,
				"a login of 1 to %d bytes expected", LOGIN_BYTES_MAX);
		bots[i] = arena_copy_text(arena, login->text);
	}
	qsort(bots, node->count, sizeof(*bots), field_set_compare_logins);
	parsing->fields->bots = bots;
	parsing->fields->bot_count = node->count;
	return true;
}

static bool parse_second_form(struct parsing *parsing, const struct yaml_node *root)
{
	static const char *const keys[] = {"version", "types", "fields", "bots"};
	int64_t version;
	const struct yaml_node *node = yaml_get(root, "version");
	if (!yaml_to_integer(node, &version) || version != 2)
		return yaml_err(parsing->err, parsing->name, node, "version must be 2");
	return check_keys(parsing, root, keys, ARRAY_COUNT(keys))
	       && parse_types(parsing, yaml_get(root, "types"))
	       && parse_fields(parsing, yaml_get(root, "fields"))
	       && parse_bots(parsing, yaml_get(root, "bots"));
}

static bool parse_first_form(struct parsing *parsing, const struct yaml_node *root)
{
	static const char *const keys[] = {"fields"};
	static const char *const second_form_keys[] = {"types", "fields", "bots"};
	for (size_t i = 0; i < root->count; i++)
		for (size_t j = 0; j < ARRAY_COUNT(second_form_keys); j++)
			if (span_equal_text(root->keys[i]->text, second_form_keys[j]))
				return yaml_err(parsing->err, parsing->name, root->keys[i],
					"\"%s\" needs \"version: 2\" above it",
					second_form_keys[j]);
	if (!keep_types(parsing, root->keys, root->count))
		return false;
	for (size_t i = 0; i < root->count; i++) {
		const struct yaml_node *value = root->values[i];
		if (yaml_is_null(value))
			continue;
		if (value->kind != YAML_MAPPING)
			return yaml_err(
				parsing->err, parsing->name, value, "\"fields: [...]\" expected");
		if (!check_keys(parsing, value, keys, ARRAY_COUNT(keys))
			|| !parse_field_list(parsing, root->keys[i], yaml_get(value, "fields")))
			return false;
	}
	return true;
}

bool field_set_parse(struct span text, const char *name, struct field_set *fields, struct err *err)
{
	CLEANUP(parsing_finish) struct parsing parsing = {.name = name, .fields = fields, .err = err};
	arena_init(&parsing.document, DOCUMENT_BYTES_MAX);
	parsing.drafts =
		arena_allocate(&parsing.document, FIELD_COUNT_MAX, sizeof(*parsing.drafts));
	assert(parsing.drafts);
	const struct yaml_node *root = NULL;
	if (!yaml_parse(text, name, &parsing.document, &root, err))
		return false;
	if (!root || root->kind != YAML_MAPPING || root->count == 0)
		return yaml_err(
			err, name, root, "a mapping expected: version, types, fields, bots");
	if (!(yaml_get(root, "version") ? parse_second_form(&parsing, root)
					: parse_first_form(&parsing, root)))
		return false;
	store_fields(&parsing);
	return true;
}
