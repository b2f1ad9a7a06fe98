/* SPDX-License-Identifier: Apache-2.0 */
/* scan_variants.c - the variants of the scanner beside each other: the same answer, the same slots, the same
 * words about what is wrong. Included by scan_fuzz.c and by tests/unit/lake/scan_variant_test.c. */
#include "lake/scan_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct variant_result {
	bool accepted;
	struct scan_problem problem;
	struct scan_slot slots[SCAN_NODE_COUNT_MAX];
};

static bool same_problem(const struct scan_problem *a, const struct scan_problem *b)
{
	return a->reason == b->reason && a->offset == b->offset && strcmp(a->detail, b->detail) == 0;
}

static bool same_slot(const struct scan_slot *a, const struct scan_slot *b)
{
	return a->data == b->data && a->size == b->size && a->kind == b->kind && a->escaped == b->escaped;
}

/* What differs between the first variant and this one, or NULL. */
static const char *find_variation(
	const struct scan_plan *plan, const struct variant_result *a, const struct variant_result *b)
{
	if (a->accepted != b->accepted)
		return "accepted by one only";
	if (!a->accepted)
		return same_problem(&a->problem, &b->problem) ? NULL : "another problem";
	for (size_t i = 0; i < plan->node_count; i++)
		if (!same_slot(&a->slots[i], &b->slots[i]))
			return i > 0 ? plan->nodes[i].key : "root";
	return NULL;
}

/* NULL when all variants that this processor has agree about `json`, else what differs. The plan has its
 * fastest variant afterwards. */
static const char *variants_differ(struct scan_plan *plan, struct span json)
{
	static struct variant_result results[SCAN_VARIANT_COUNT];
	/* Memory of the exact size: sanitizers see each byte read beside it. */
	char *copy = malloc(json.size);
	if (!copy)
		abort();
	if (json.size > 0)
		memcpy(copy, json.data, json.size);
	const char *difference = NULL;
	for (enum scan_variant variant = SCAN_PORTABLE; variant < SCAN_VARIANT_COUNT; variant++) {
		struct variant_result *result = &results[variant];
		if (!scan_plan_set_variant(plan, variant))
			break;
		/* Bytes that no scan leaves behind: each slot must be written. */
		memset(result->slots, 0xa5, plan->node_count * sizeof(result->slots[0]));
		result->problem = (struct scan_problem){0};
		result->accepted = scan_walk(
			plan, (struct span){copy, json.size}, result->slots, &result->problem);
		if (!difference)
			difference = find_variation(plan, &results[SCAN_PORTABLE], result);
	}
	free(copy);
	return difference;
}
