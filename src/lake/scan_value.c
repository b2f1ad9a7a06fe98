/* SPDX-License-Identifier: Apache-2.0 */
/* scan_value.c - what a slot means as a value of a given type. */
#include "lake/scan_private.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool scan_read_string(const struct scan_slot *slot, struct arena *arena, struct span *text_out)
{
	if (!slot->escaped) {
		*text_out = (struct span){slot->data, slot->size};
		return true;
	}
	char *text = arena_allocate(arena, slot->size, 1);
	if (!text)
		return false;
	*text_out = (struct span){text, scan_decode_string(slot->data, slot->size, text)};
	return true;
}

bool scan_read_integer(const struct scan_slot *slot, int64_t *value_out)
{
	return slot->kind == SCAN_KIND_INTEGER
	       && span_parse_int64((struct span){slot->data, slot->size}, value_out);
}

/* The nearest double; *finite_out false beyond the range. False when the arena is full. */
static bool read_real(
	const struct scan_slot *slot, struct arena *arena, double *value_out, bool *finite_out)
{
	struct span text = {slot->data, slot->size};
	*finite_out = true;
	if (span_parse_double(text, value_out))
		return true;
	/* More digits than span_parse_double reads, or too large. */
	const char *copy = arena_copy_text(arena, text);
	if (!copy)
		return false;
	*value_out = strtod(copy, NULL);
	*finite_out = isfinite(*value_out);
	return true;
}

static bool read_text(const struct scan_slot *slot, struct arena *arena, struct span *text_out)
{
	if (slot->kind == SCAN_KIND_STRING)
		return scan_read_string(slot, arena, text_out);
	*text_out = (struct span){slot->data, slot->size};
	return true;
}

/* Writes *value_out when the slot has the kind that `type` asks for. False when the arena is full.
 */
static bool read_field(const struct scan_slot *slot, enum value_type type, struct arena *arena,
	struct value *value_out)
{
	struct span text = {0};
	double real = 0;
	bool finite = false;
	int64_t number = 0;
	switch (type) {
	case VALUE_BOOLEAN:
		if (slot->kind == SCAN_KIND_TRUE || slot->kind == SCAN_KIND_FALSE)
			*value_out = value_boolean(slot->kind == SCAN_KIND_TRUE);
		return true;
	case VALUE_INTEGER:
		if (scan_read_integer(slot, &number))
			*value_out = value_integer(number);
		return true;
	case VALUE_REAL:
		if (slot->kind != SCAN_KIND_INTEGER && slot->kind != SCAN_KIND_REAL)
			return true;
		if (!read_real(slot, arena, &real, &finite))
			return false;
		if (finite)
			*value_out = value_real(real);
		return true;
	case VALUE_TIME:
		if (slot->kind != SCAN_KIND_STRING)
			return true;
		if (!scan_read_string(slot, arena, &text))
			return false;
		if (time_parse(text, &number))
			*value_out = value_time(number);
		return true;
	default:
		if (!read_text(slot, arena, &text))
			return false;
		*value_out = value_text(text);
		return true;
	}
}

bool scan_read_fields(const struct scan_plan *plan, const struct scan_slot *slots, struct span type,
	struct arena *arena, const struct value **fields_out)
{
	*fields_out = plan->null_values;
	const struct scan_type_fields *own = NULL;
	for (size_t i = 0; i < plan->type_count && !own; i++)
		if (span_equal_text(type, plan->types[i].type))
			own = &plan->types[i];
	if (!own)
		return true;
	size_t field_count = plan->fields->field_count;
	struct value *values = arena_allocate(arena, field_count, sizeof(*values));
	if (!values)
		return false;
	memcpy(values, plan->null_values, field_count * sizeof(*values));
	for (size_t i = 0; i < own->field_count; i++) {
		size_t field = own->field_indexes[i];
		const struct scan_slot *slot = &slots[plan->field_nodes[field]];
		if (slot->kind == SCAN_KIND_ABSENT || slot->kind == SCAN_KIND_NULL)
			continue;
		if (!read_field(slot, plan->fields->fields[field].type, arena, &values[field]))
			return false;
	}
	*fields_out = values;
	return true;
}
