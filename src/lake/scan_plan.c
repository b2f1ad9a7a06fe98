/* SPDX-License-Identifier: Apache-2.0 */
/* scan_plan.c - compiles the wanted paths into the trie of scan_private.h. Paths sorted key by key
 * stand in the trie's own order, so that each path adds nodes only for the keys in which it differs
 * from the path before it. */
#include "lake/scan_private.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const common_paths[SCAN_PATH_COUNT] = {
	[SCAN_PATH_ID] = "id",
	[SCAN_PATH_TYPE] = "type",
	[SCAN_PATH_CREATED_AT] = "created_at",
	[SCAN_PATH_ACTOR] = "actor",
	[SCAN_PATH_ACTOR_ID] = "actor.id",
	[SCAN_PATH_ACTOR_LOGIN] = "actor.login",
	[SCAN_PATH_REPO] = "repo",
	[SCAN_PATH_REPO_ID] = "repo.id",
	[SCAN_PATH_REPO_NAME] = "repo.name",
	[SCAN_PATH_ORG] = "org",
	[SCAN_PATH_ORG_LOGIN] = "org.login",
	[SCAN_PATH_ACTION] = "payload.action",
	[SCAN_PATH_NUMBER] = "payload.number",
	[SCAN_PATH_PULL_REQUEST_NUMBER] = "payload.pull_request.number",
	[SCAN_PATH_ISSUE_NUMBER] = "payload.issue.number",
	[SCAN_PATH_DISCUSSION_NUMBER] = "payload.discussion.number",
	[SCAN_PATH_REF_TYPE] = "payload.ref_type",
	[SCAN_PATH_PULL_REQUEST_MERGED] = "payload.pull_request.merged",
	[SCAN_PATH_PULL_REQUEST_STATE] = "payload.pull_request.state",
	[SCAN_PATH_COMMITS] = "payload.commits",
	[SCAN_PATH_REPOSITORY] = "repository",
	[SCAN_PATH_REPOSITORY_ID] = "repository.id",
	[SCAN_PATH_REPOSITORY_OWNER] = "repository.owner",
	[SCAN_PATH_REPOSITORY_NAME] = "repository.name",
	[SCAN_PATH_REPOSITORY_ORGANIZATION] = "repository.organization",
	[SCAN_PATH_ACTOR_ATTRIBUTES_LOGIN] = "actor_attributes.login",
	[SCAN_PATH_OBJECT] = "payload.object",
	[SCAN_PATH_URL] = "url",
};

enum {
	WANTED_COUNT_MAX = SCAN_PATH_COUNT + FIELD_COUNT_MAX,
	/* Nodes, their keys and the lists of field indexes of the largest field_set. */
	PLAN_BYTES_MAX = 8 * 1024 * 1024,
};

_Static_assert(SCAN_NODE_COUNT_MAX <= UINT16_MAX, "node indexes are 16 bits");

struct wanted {
	struct span path;
	uint16_t *node_out;
};

/* Cuts the first key off `path`. False when none is left. */
static bool take_key(struct span *path, struct span *key_out)
{
	if (path->size == 0)
		return false;
	if (!span_split(*path, '.', key_out, path)) {
		*key_out = *path;
		path->size = 0;
	}
	return true;
}

static int compare_keys(struct span a, struct span b)
{
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return memcmp(a.data, b.data, a.size);
}

static int compare_wanted(const void *left, const void *right)
{
	struct span a = ((const struct wanted *)left)->path;
	struct span b = ((const struct wanted *)right)->path;
	for (;;) {
		struct span a_key;
		struct span b_key;
		bool a_more = take_key(&a, &a_key);
		bool b_more = take_key(&b, &b_key);
		if (!a_more || !b_more)
			return a_more - b_more;
		int order = compare_keys(a_key, b_key);
		if (order != 0)
			return order;
	}
}

static bool key_equal(const struct scan_node *node, struct span key)
{
	return node->key_size == key.size && memcmp(node->key, key.data, key.size) == 0;
}

/* Appends the nodes for the keys of `path` that the path before it (the nodes in `open`, from the
 * root) does not share. Returns the node of the last key. */
static uint16_t add_path(struct scan_plan *plan, struct scan_node *nodes, struct span path,
	uint16_t *open, size_t *open_count)
{
	size_t level = 1;
	struct span key;
	while (take_key(&path, &key)) {
		assert(key.size > 0 && level <= FIELD_DEPTH_MAX);
		if (level < *open_count && key_equal(&nodes[open[level]], key)) {
			level++;
			continue;
		}
		assert(plan->node_count < SCAN_NODE_COUNT_MAX);
		uint16_t node = (uint16_t)plan->node_count++;
		nodes[node].key = arena_copy_text(&plan->arena, key);
		nodes[node].key_size = (uint16_t)key.size;
		open[level] = node;
		*open_count = ++level;
	}
	*open_count = level;
	/* For now each subtree on the way ends behind the newest node. */
	for (size_t i = 0; i < level; i++)
		nodes[open[i]].end = (uint16_t)plan->node_count;
	return open[level - 1];
}

static void build_trie(struct scan_plan *plan)
{
	const struct field_set *fields = plan->fields;
	struct wanted wanted[WANTED_COUNT_MAX];
	size_t wanted_count = 0;
	for (size_t i = 0; i < SCAN_PATH_COUNT; i++)
		wanted[wanted_count++] =
			(struct wanted){span_of(common_paths[i]), &plan->path_nodes[i]};
	uint16_t *field_nodes =
		arena_allocate(&plan->arena, fields->field_count, sizeof(*field_nodes));
	for (size_t i = 0; i < fields->field_count; i++)
		wanted[wanted_count++] =
			(struct wanted){span_of(fields->fields[i].path), &field_nodes[i]};
	qsort(wanted, wanted_count, sizeof(wanted[0]), compare_wanted);

	struct scan_node *nodes = arena_allocate(&plan->arena, SCAN_NODE_COUNT_MAX, sizeof(*nodes));
	assert(nodes);
	uint16_t open[FIELD_DEPTH_MAX + 1] = {0};
	size_t open_count = 1;
	plan->node_count = 1;
	for (size_t i = 0; i < wanted_count; i++)
		*wanted[i].node_out = add_path(plan, nodes, wanted[i].path, open, &open_count);
	for (size_t parent = 0; parent < plan->node_count; parent++)
		for (size_t child = parent + 1; child < nodes[parent].end; child = nodes[child].end) {
			uint16_t *first = &nodes[parent].first_of_size[scan_place_of_size(nodes[child].key_size)];
			*first = *first ? *first : (uint16_t)child;
		}
	plan->nodes = nodes;
	plan->field_nodes = field_nodes;
}

static void add_type(struct scan_plan *plan, struct scan_type_fields *types, const char *type)
{
	const struct field_set *fields = plan->fields;
	for (size_t i = 0; i < plan->type_count; i++)
		if (strcmp(types[i].type, type) == 0)
			return;
	uint16_t *indexes = arena_allocate(&plan->arena, fields->field_count, sizeof(*indexes));
	assert(indexes && plan->type_count < EVENT_TYPE_COUNT_MAX);
	size_t count = 0;
	for (size_t i = 0; i < fields->field_count; i++)
		if (field_is_for(&fields->fields[i], span_of(type)))
			indexes[count++] = (uint16_t)i;
	types[plan->type_count++] = (struct scan_type_fields){type, indexes, count};
}

static void build_types(struct scan_plan *plan)
{
	const struct field_set *fields = plan->fields;
	struct scan_type_fields *types =
		arena_allocate(&plan->arena, EVENT_TYPE_COUNT_MAX, sizeof(*types));
	struct value *nulls = arena_allocate(&plan->arena, fields->field_count, sizeof(*nulls));
	for (size_t i = 0; i < fields->field_count; i++) {
		const struct field *field = &fields->fields[i];
		nulls[i] = value_null(field->type);
		for (size_t j = 0; j < field->event_type_count; j++)
			add_type(plan, types, field->event_types[j]);
	}
	plan->types = types;
	plan->null_values = nulls;
}

struct scan_plan *scan_plan_create(const struct field_set *fields)
{
	assert(fields && fields->field_count <= FIELD_COUNT_MAX);
	struct scan_plan *plan = memory_allocate(1, sizeof(*plan));
	arena_init(&plan->arena, PLAN_BYTES_MAX);
	plan->fields = fields;
	plan->variant = scan_variant_best();
	build_trie(plan);
	build_types(plan);
	assert(!plan->arena.failed);
	return plan;
}

void scan_plan_destroy(struct scan_plan **plan)
{
	if (!*plan)
		return;
	arena_finish(&(*plan)->arena);
	free(*plan);
	*plan = NULL;
}

size_t scan_find_escaped_child(
	const struct scan_plan *plan, size_t parent, const char *key, size_t key_size)
{
	/* Six bytes of an escape (\u0070) can stand for one. */
	char decoded[6 * FIELD_PATH_BYTES_MAX];
	return key_size > sizeof(decoded) ? 0
					  : scan_find_child(plan, parent, decoded,
						    scan_decode_string(key, key_size, decoded));
}
