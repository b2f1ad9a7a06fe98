/* SPDX-License-Identifier: Apache-2.0 */
/* config_fuzz.c - libFuzzer target: the YAML that people write. The first byte chooses the reader:
 * octolake.yaml, events.yaml, metric files, or the tree alone. Each must end with a result or with
 * "NAME:LINE:COLUMN: what", and with the same one when it is asked again. */
#include "app/config.c"

#include "lake/field_set.h"
#include "metrics/metrics.h"
#include "metrics/metric_file.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TREE_BYTES_MAX = 64 * 1024 * 1024, TREE_DEPTH_MAX = 20 };

static const char NAME[] = "fuzz.yaml";

static void check_err(const struct err *err)
{
	assert(err->kind == ERR_INPUT && strlen(err->text) < ERR_TEXT_BYTES_MAX);
	for (const char *c = err->text; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void check_node(const struct yaml_node *node, size_t size, int depth)
{
	assert(depth <= TREE_DEPTH_MAX && node->line >= 1 && node->column >= 1 && (size_t)node->line <= size + 1);
	int64_t integer;
	double real;
	bool boolean;
	if (node->kind == YAML_SCALAR) {
		/* What is one thing is not another. */
		int kinds = yaml_is_null(node) + yaml_to_boolean(node, &boolean)
			    + (yaml_to_integer(node, &integer) || yaml_to_real(node, &real));
		assert(kinds <= 1);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == YAML_MAPPING) {
			check_node(node->keys[i], size, depth + 1);
			for (size_t k = 0; k < i; k++)
				assert(!span_equal(node->keys[i]->text, node->keys[k]->text));
		}
		check_node(node->values[i], size, depth + 1);
	}
}

static void check_tree(struct span text)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = TREE_BYTES_MAX};
	const struct yaml_node *root = NULL;
	struct err err = {0};
	if (!yaml_parse(text, NAME, &arena, &root, &err))
		check_err(&err);
	else if (root && text.size < 4096)
		check_node(root, text.size, 0);
}

static void check_fields(struct span text)
{
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	CLEANUP(field_set_destroy) struct field_set *again = NULL;
	struct err err = {0};
	struct err err_again = {0};
	if (!field_set_create(text, NAME, &fields, &err)) {
		check_err(&err);
		return;
	}
	bool repeated = field_set_create(text, NAME, &again, &err_again);
	assert(repeated && strcmp(fields->fingerprint, again->fingerprint) == 0);
	assert(fields->field_count <= FIELD_COUNT_MAX && fields->bot_count <= FIELD_BOT_COUNT_MAX);
	for (size_t i = 1; i < fields->field_count; i++)
		assert(strcmp(fields->fields[i - 1].path, fields->fields[i].path) < 0);
	for (size_t i = 0; i < fields->type_count; i++)
		assert(event_type_is_plain(span_of(fields->types[i])));
}

static void check_metrics(struct span text)
{
	static struct metric_file *built_in;
	if (!built_in)
		built_in = metric_file_load_built_in(NULL);
	const struct metric_file_source source = {
		.name = NAME, .text = text, .built_in = metric_file_acquire(built_in)};
	struct metric_file *file = metric_file_load(&source);
	metric_file_release(&built_in);
	built_in = file->built_in;
	(void)metric_file_acquire(built_in);
	for (size_t i = 0; i < file->problem_count; i++)
		assert(file->problems[i].line >= 1 && file->problems[i].column >= 1 && file->problems[i].text.size > 0);
	assert(file->error_count == 0 || file->problem_count > 0);
	metric_file_release(&file);
}

static void check_settings(struct span text)
{
	CLEANUP(config_destroy) struct config *config = memory_allocate(1, sizeof(*config));
	CLEANUP(arena_finish) struct arena arena = {.size_max = TREE_BYTES_MAX};
	CLEANUP(buf_finish) struct buf shown = {.size_max = TREE_BYTES_MAX};
	const struct yaml_node *root = NULL;
	struct err err = {0};
	arena_init(&config->arena, TREE_BYTES_MAX);
	set_defaults(config);
	if (!yaml_parse(text, NAME, &arena, &root, &err)
	    || (root && !read_settings(config, NAME, root, RANK_FILE, &err))) {
		check_err(&err);
		return;
	}
	/* What was accepted can be read as what it is: asserted inside. */
	for (enum config_option i = 0; i < OPTION_COUNT; i++) {
		if (config_definitions[i].type == OPTION_IS_INTEGER && config_text(config, i))
			(void)config_integer(config, i);
		if (config_definitions[i].type == OPTION_IS_DURATION)
			(void)config_duration_ms(config, i);
		size_t count;
		if (config_definitions[i].type == OPTION_IS_TEXT && config_text(config, i))
			(void)config_list(config, i, &count);
	}
	config_append_values(config, &shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct span text = span_make((const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		check_tree(text);
		break;
	case 1:
		check_fields(text);
		break;
	case 2:
		check_metrics(text);
		break;
	default:
		check_settings(text);
		break;
	}
	return 0;
}
