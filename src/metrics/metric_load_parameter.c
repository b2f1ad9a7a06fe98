/* SPDX-License-Identifier: Apache-2.0 */
/* metric_load_parameter.c - parameter definitions. A use of a shared one is two mappings, of which
 * the nearer wins key by key. */
#include "metrics/metric_loading.h"
#include "metrics/metric_parameter.h"

#include <string.h>

enum { NAME_BYTES_MAX = 32, LENGTH_MAX = 1024, VALUE_COUNT_MAX = 1000 };

static const char *const keys[] = {
	"use",
	"type",
	"label",
	"description",
	"default",
	"required",
	"min",
	"max",
	"step",
	"min_length",
	"max_length",
	"values",
	"values_from",
	"multiple",
	"cast",
	"unit",
	"examples",
};

static const char *const type_names[] = {
	"integer",
	"number",
	"string",
	"boolean",
	"enum",
	"duration",
	"timestamp",
	"repo",
	"login",
};

bool loading_is_reserved(struct span name)
{
	static const char *const names[] = {"as_of", "limit", "format", "cursor"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (span_equal_text(name, names[i]))
			return true;
	return false;
}

/* A definition as it is read: what stands near goes before what it uses. */
struct definition {
	const struct yaml_node *near;
	const struct yaml_node *shared; /* NULL: none used */
};

static const struct yaml_node *find(const struct definition *definition, const char *key)
{
	const struct yaml_node *node = yaml_get(definition->near, key);
	return node ? node : yaml_get(definition->shared, key);
}

static const struct yaml_node *find_shared(struct loading *loading, const struct yaml_node *use)
{
	const struct yaml_node *shared = loading->shared;
	size_t count = shared && shared->kind == YAML_MAPPING ? shared->count : 0;
	const char **names = loading_allocate(loading, count, sizeof(*names));
	for (size_t i = 0; i < count; i++) {
		if (span_equal(shared->keys[i]->text, use->text))
			return shared->values[i];
		names[i] = shared->keys[i]->text.data;
	}
	loading_fault_unknown(loading, use, "shared parameter", names, count);
	return NULL;
}

static bool read_type(
	struct loading *loading, const struct definition *definition, struct metric_parameter *out)
{
	const struct yaml_node *node = find(definition, "type");
	if (!node)
		loading_fault(loading, definition->near,
			"a parameter needs a type (or use: of a shared one)");
	else if (node->kind == YAML_SCALAR && parameter_type_parse(node->text, &out->type))
		return true;
	else
		loading_fault_unknown(loading, node, "type", type_names, ARRAY_COUNT(type_names));
	return false;
}

static void read_values(
	struct loading *loading, const struct definition *definition, struct metric_parameter *out)
{
	const struct yaml_node *node = find(definition, "values");
	if (!node)
		return;
	if (node->kind != YAML_SEQUENCE || node->count == 0 || node->count > VALUE_COUNT_MAX) {
		loading_fault(loading, node, "a list of 1 to %d values is expected here",
			VALUE_COUNT_MAX);
		return;
	}
	struct span *values = loading_allocate(loading, node->count, sizeof(*values));
	for (size_t i = 0; i < node->count; i++) {
		loading_read_text(
			loading, node->values[i], PARAMETER_TEXT_BYTES_MAX / 4, &values[i]);
		for (size_t j = 0; j < i; j++)
			if (span_equal(values[j], values[i]))
				loading_fault(loading, node->values[i],
					"the value stands in the list twice");
		if (out->multiple && values[i].data && memchr(values[i].data, ',', values[i].size))
			loading_fault(loading, node->values[i],
				"a comma separates values, so none may hold one");
	}
	out->values = values;
	out->value_count = node->count;
}

static void read_enum(
	struct loading *loading, const struct definition *definition, struct metric_parameter *out)
{
	static const char *const sources[] = {"event_types", "orgs", "repos"};
	const struct yaml_node *from = find(definition, "values_from");
	const struct yaml_node *cast = find(definition, "cast");
	const struct yaml_node *values = find(definition, "values");
	if (out->type != PARAMETER_ENUM) {
		const struct yaml_node *odd = from ? from : cast ? cast : values;
		if (odd)
			loading_fault(
				loading, odd, "values, values_from and cast are for the type enum");
		return;
	}
	if (!from == !values)
		loading_fault(loading, from ? from : definition->near,
			"an enum has either values or values_from");
	read_values(loading, definition, out);
	size_t known = 0;
	while (from && known < ARRAY_COUNT(sources) && !span_equal_text(from->text, sources[known]))
		known++;
	if (from && known == ARRAY_COUNT(sources))
		loading_fault_unknown(
			loading, from, "source of values", sources, ARRAY_COUNT(sources));
	else if (from)
		out->values_from = from->text;
	out->cast_interval = cast != NULL;
	if (cast && !span_equal_text(cast->text, "interval"))
		loading_fault(loading, cast, "only cast: interval is possible");
	if (cast && from)
		loading_fault(loading, cast, "cast goes with values only");
}

/* One text that must be a value of the parameter by itself, bounds aside. */
static void read_bound(struct loading *loading, const struct yaml_node *node,
	const struct metric_parameter *of, struct span *out)
{
	if (!node)
		return;
	bool fits = of->type == PARAMETER_INTEGER || of->type == PARAMETER_NUMBER
		    || of->type == PARAMETER_DURATION || of->type == PARAMETER_TIMESTAMP;
	if (!fits) {
		loading_fault(loading, node, "the type %s has no min and max",
			parameter_type_name(of->type));
		return;
	}
	struct metric_parameter plain = {.name = of->name, .type = of->type};
	struct parameter_value value;
	struct argument_fault fault;
	if (node->kind != YAML_SCALAR
		|| !parameter_parse(&plain, &node->text, 1, loading->arena, &value, &fault))
		loading_fault(
			loading, node, "not a value of the type %s", parameter_type_name(of->type));
	else
		*out = node->text;
}

static void read_bounds(
	struct loading *loading, const struct definition *definition, struct metric_parameter *out)
{
	size_t errors_before = loading->error_count;
	const struct yaml_node *max = find(definition, "max");
	read_bound(loading, find(definition, "min"), out, &out->minimum);
	read_bound(loading, max, out, &out->maximum);
	if (loading->error_count == errors_before && out->minimum.data && max) {
		struct metric_parameter above = *out;
		above.maximum = (struct span){0};
		above.multiple = false;
		struct parameter_value value;
		struct argument_fault fault;
		if (!parameter_parse(&above, &max->text, 1, loading->arena, &value, &fault))
			loading_fault(loading, max, "max is below min");
	}
	const struct yaml_node *step = find(definition, "step");
	double number = 1;
	if (step && loading_read_real(loading, step, &number)) {
		out->step = step->text;
		if (number <= 0
			|| (out->type != PARAMETER_INTEGER && out->type != PARAMETER_NUMBER))
			loading_fault(loading, step,
				"step is above 0, and for the types integer and number");
	}
	const struct yaml_node *shortest = find(definition, "min_length");
	const struct yaml_node *longest = find(definition, "max_length");
	if ((shortest || longest) && out->type != PARAMETER_STRING)
		loading_fault(
			loading, shortest ? shortest : longest, "lengths are for the type string");
	loading_read_integer(loading, shortest, 0, LENGTH_MAX, &out->length_min);
	loading_read_integer(loading, longest, 1, LENGTH_MAX, &out->length_max);
	if (out->length_min > out->length_max)
		loading_fault(loading, shortest, "min_length is above the maximum of %lld",
			(long long)out->length_max);
}

static void read_default(
	struct loading *loading, const struct definition *definition, struct metric_parameter *out)
{
	const struct yaml_node *required = find(definition, "required");
	const struct yaml_node *value = find(definition, "default");
	loading_read_boolean(loading, required, &out->required);
	if (out->required && value && !yaml_get(definition->near, "default")
		&& yaml_get(definition->near, "required"))
		return; /* the use asks for it, whatever the shared definition offers */
	if (value && yaml_get(definition->near, "default")
		&& !yaml_get(definition->near, "required"))
		out->required = false;
	if (out->required && value) {
		loading_fault(loading, value, "a required parameter has no default");
		return;
	}
	if (!value || yaml_is_null(value))
		return;
	if (value->kind != YAML_SCALAR)
		loading_fault(loading, value, "a default is a single value%s",
			out->multiple ? ": write several with commas" : "");
	else
		out->default_text = value->text;
}

/* Every value that the definition itself names must be one that it accepts. */
static void check_own_values(struct loading *loading, const struct definition *definition,
	const struct metric_parameter *parameter)
{
	struct parameter_value value;
	struct argument_fault fault;
	if (parameter->default_text.data
		&& !parameter_parse(
			parameter, &parameter->default_text, 1, loading->arena, &value, &fault))
		loading_fault(loading, find(definition, "default"),
			"the default is none of its values: %.*s", SPAN_ARGUMENTS(fault.detail));
	const struct yaml_node *values = find(definition, "values");
	for (size_t i = 0; parameter->cast_interval && i < parameter->value_count; i++)
		if (!parameter_parse(
			    parameter, &parameter->values[i], 1, loading->arena, &value, &fault))
			loading_fault(loading, values->values[i],
				"with cast: interval a value is a duration like 15m");
}

void loading_read_parameter(struct loading *loading, const struct yaml_node *key,
	const struct yaml_node *node, struct metric_parameter *out)
{
	size_t errors_before = loading->error_count;
	*out = (struct metric_parameter){.name = key->text, .length_max = PARAMETER_TEXT_BYTES_MAX};
	if (loading_is_reserved(key->text))
		loading_fault(loading, key, "\"%.*s\" is reserved", SPAN_ARGUMENTS(key->text));
	else if (!loading_is_name(key->text, NAME_BYTES_MAX))
		loading_fault(loading, key,
			"a parameter's name is up to %d small letters, digits and _, a letter "
			"first",
			NAME_BYTES_MAX);
	if (!loading_check_keys(loading, node, keys, ARRAY_COUNT(keys)))
		return;
	struct definition definition = {.near = node};
	const struct yaml_node *use = yaml_get(node, "use");
	if (use) {
		definition.shared = find_shared(loading, use);
		if (yaml_get(node, "type"))
			loading_fault(loading, yaml_get(node, "type"),
				"use: brings the type of the shared parameter");
		if (!definition.shared || definition.shared->kind != YAML_MAPPING)
			return;
	}
	if (!read_type(loading, &definition, out))
		return;
	loading_read_text(loading, find(&definition, "label"), 60, &out->label);
	loading_read_text(loading, find(&definition, "description"), 300, &out->description);
	loading_read_text(loading, find(&definition, "unit"), 24, &out->unit);
	loading_read_boolean(loading, find(&definition, "multiple"), &out->multiple);
	read_enum(loading, &definition, out);
	read_bounds(loading, &definition, out);
	read_default(loading, &definition, out);
	if (loading->error_count == errors_before)
		check_own_values(loading, &definition, out);
}

void loading_check_shared(struct loading *loading)
{
	const struct yaml_node *shared = loading->shared;
	if (!shared)
		return;
	if (shared->kind != YAML_MAPPING || shared->count > SHARED_COUNT_MAX) {
		loading_fault(loading, shared,
			"a mapping of at most %d parameters is expected here", SHARED_COUNT_MAX);
		loading->shared = NULL;
		return;
	}
	for (size_t i = 0; i < shared->count; i++) {
		struct metric_parameter ignored;
		loading_read_parameter(loading, shared->keys[i], shared->values[i], &ignored);
		if (yaml_get(shared->values[i], "use"))
			loading_fault(loading, shared->values[i],
				"a shared parameter cannot use another one");
	}
}
