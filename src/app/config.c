/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/size_text.h"
#include "base/suggest.h"
#include "wrap/yaml_document.h"

#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VARIABLE_BYTES_MAX = 64, FILE_BYTES_MAX = 1024 * 1024, LIST_COUNT_MAX = 1000 };

/* Later sources win. */
enum rank { RANK_DEFAULT, RANK_HOME_FILE, RANK_FILE, RANK_ENVIRONMENT, RANK_FLAG, RANK_CODE };

struct setting {
	const char *value; /* in the arena, or NULL */
	const char *source;
	enum rank rank;
	const char **list;
};

struct config {
	struct arena arena;
	struct setting settings[OPTION_COUNT];
	const char **words;
	size_t word_count;
	const char *token;
	const char *token_source;
};

static bool usage(struct err *err)
{
	err->exit_code = 2;
	return false;
}

static bool is_choice(const char *choices, const char *value)
{
	struct span rest = span_of(choices);
	struct span choice;
	while (span_split(rest, '|', &choice, &rest))
		if (span_equal_text(choice, value))
			return true;
	return span_equal_text(rest, value);
}

static bool check_value(const struct config_definition *definition, const char *value, const char *source,
			struct err *err)
{
	int64_t number = 0;
	switch (definition->type) {
	case OPTION_IS_TEXT:
		if (value[0] == '\0')
			return err_set(err, ERR_INPUT, "%s: %s is empty", source, definition->name);
		return true;
	case OPTION_IS_FLAG:
		if (!is_choice("true|false", value))
			return err_set(err, ERR_INPUT, "%s: %s is true or false, not \"%.100s\"", source,
				       definition->name, value);
		return true;
	case OPTION_IS_CHOICE:
		if (!is_choice(definition->choices, value))
			return err_set(err, ERR_INPUT, "%s: %s is one of %s, not \"%.100s\"", source, definition->name,
				       definition->choices, value);
		return true;
	case OPTION_IS_INTEGER:
		if (!span_parse_int64(span_of(value), &number) || number < definition->minimum
		    || number > definition->maximum)
			return err_set(err, ERR_INPUT, "%s: %s is a whole number from %lld to %lld, not \"%.100s\"",
				       source, definition->name, (long long)definition->minimum,
				       (long long)definition->maximum, value);
		return true;
	case OPTION_IS_DURATION:
		if (!duration_parse(span_of(value), &number) || number > definition->maximum)
			return err_set(err, ERR_INPUT, "%s: %s is a time such as 20s, 5m or 1h, not \"%.100s\"", source,
				       definition->name, value);
		return true;
	case OPTION_IS_SIZE:
		if (!size_parse(span_of(value), &number) || number < definition->minimum
		    || number > definition->maximum)
			return err_set(err, ERR_INPUT,
				       "%s: %s is a number of bytes such as 500MB, 64MiB or 10GiB, not \"%.100s\"",
				       source, definition->name, value);
		return true;
	}
	return true;
}

static bool set_value(struct config *config, size_t option, const char *value, enum rank rank, const char *source,
		      struct err *err)
{
	struct setting *setting = &config->settings[option];
	if (!check_value(&config_definitions[option], value, source, err))
		return usage(err);
	if (rank < setting->rank)
		return true;
	*setting = (struct setting){
		.value = arena_copy_text(&config->arena, span_of(value)),
		.source = arena_copy_text(&config->arena, span_of(source)),
		.rank = rank,
	};
	return true;
}

static void set_defaults(struct config *config)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		config->settings[i] = (struct setting){
			.value = config_definitions[i].default_value,
			.source = "default",
		};
}

/* ---- flags ---- */

static void fill_long_options(struct option long_options[OPTION_COUNT + 1], char short_options[2 * OPTION_COUNT + 3])
{
	char *next = short_options;
	*next++ = ':';
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct config_definition *definition = &config_definitions[i];
		bool is_flag = definition->type == OPTION_IS_FLAG;
		long_options[i] = (struct option){
			.name = definition->name,
			.has_arg = is_flag ? optional_argument : required_argument,
			.val = 1000 + (int)i,
		};
		if (definition->short_name != 0) {
			*next++ = definition->short_name;
			if (!is_flag)
				*next++ = ':';
		}
	}
	long_options[OPTION_COUNT] = (struct option){0};
	*next = '\0';
}

static bool unknown_flag(const char *given, struct err *err)
{
	const char *names[OPTION_COUNT];
	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = config_definitions[i].name;
	struct span word = span_of(given);
	while (span_starts_with(word, "-"))
		word = (struct span){word.data + 1, word.size - 1};
	struct span value;
	(void)span_split(word, '=', &word, &value);
	const char *near = suggest_word(word, names, OPTION_COUNT);
	if (near)
		err_set(err, ERR_INPUT, "unknown option %.100s; did you mean --%s?", given, near);
	else
		err_set(err, ERR_INPUT, "unknown option %.100s; see octolake --help", given);
	return usage(err);
}

static size_t option_of_short(int letter)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (config_definitions[i].short_name == letter)
			return i;
	return OPTION_COUNT;
}

static bool read_flags(struct config *config, int argument_count, char **arguments, struct err *err)
{
	struct option long_options[OPTION_COUNT + 1];
	char short_options[2 * OPTION_COUNT + 3];
	fill_long_options(long_options, short_options);
	optind = 0;
	opterr = 0;
	for (;;) {
		int at = optind > 0 ? optind : 1;
		int found = getopt_long(argument_count, arguments, short_options, long_options, NULL);
		if (found == -1)
			break;
		if (found == '?')
			return unknown_flag(arguments[optind > at ? optind - 1 : at], err);
		if (found == ':') {
			err_set(err, ERR_INPUT, "%.100s needs a value", arguments[optind - 1]);
			return usage(err);
		}
		size_t option = found >= 1000 ? (size_t)(found - 1000) : option_of_short(found);
		assert(option < OPTION_COUNT);
		char source[64];
		(void)snprintf(source, sizeof(source), "flag --%s", config_definitions[option].name);
		if (!set_value(config, option, optarg ? optarg : "true", RANK_FLAG, source, err))
			return false;
	}
	config->word_count = (size_t)(argument_count - optind);
	config->words = arena_allocate(&config->arena, config->word_count + 1, sizeof(*config->words));
	for (size_t i = 0; i < config->word_count; i++)
		config->words[i] = arguments[optind + (int)i];
	return true;
}

/* ---- environment ---- */

static void variable_name(const struct config_definition *definition, char name[VARIABLE_BYTES_MAX])
{
	int size = snprintf(name, VARIABLE_BYTES_MAX, "OCTOLAKE_%s", definition->name);
	for (int i = 0; i < size; i++)
		name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
}

static bool read_environment(struct config *config, struct err *err)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		char name[VARIABLE_BYTES_MAX];
		char source[VARIABLE_BYTES_MAX + 16];
		if (config_definitions[i].only_flag)
			continue;
		variable_name(&config_definitions[i], name);
		const char *value = getenv(name);
		(void)snprintf(source, sizeof(source), "environment %s", name);
		if (value && value[0] != '\0' && !set_value(config, i, value, RANK_ENVIRONMENT, source, err))
			return false;
	}
	const char *live = getenv("LIVE");
	if (live && live[0] != '\0')
		return set_value(config, OPTION_LIVE, live, RANK_ENVIRONMENT, "environment LIVE", err);
	return true;
}

/* ---- files ---- */

static size_t option_of_key(struct span key)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *name = config_definitions[i].name;
		bool same = !config_definitions[i].only_flag && span_of(name).size == key.size;
		for (size_t c = 0; same && c < key.size; c++)
			same = key.data[c] == (name[c] == '-' ? '_' : name[c]);
		if (same)
			return i;
	}
	return OPTION_COUNT;
}

static bool unknown_key(const char *path, const struct yaml_node *key, struct err *err)
{
	char texts[OPTION_COUNT][VARIABLE_BYTES_MAX];
	const char *names[OPTION_COUNT];
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%s", config_definitions[i].name);
		for (char *c = texts[i]; *c != '\0'; c++)
			*c = *c == '-' ? '_' : *c;
		names[i] = texts[i];
	}
	const char *near = suggest_word(key->text, names, OPTION_COUNT);
	(void)yaml_err(err, path, key, "unknown setting \"%.*s\"%s%s%s", SPAN_ARGUMENTS(key->text),
		       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return usage(err);
}

/* A scalar, or a list of scalars joined by commas. */
static bool value_of_node(const char *path, const struct yaml_node *node, struct buf *value, struct err *err)
{
	if (node->kind == YAML_SCALAR) {
		buf_append_span(value, node->text);
		return true;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind != YAML_SEQUENCE || node->values[i]->kind != YAML_SCALAR) {
			(void)yaml_err(err, path, node, "expected a value or a list of values");
			return usage(err);
		}
		if (i > 0)
			buf_append_byte(value, ',');
		buf_append_span(value, node->values[i]->text);
	}
	return true;
}

static bool read_settings(struct config *config, const char *path, const struct yaml_node *root, enum rank rank,
			  struct err *err)
{
	if (root->kind != YAML_MAPPING) {
		(void)yaml_err(err, path, root, "expected settings as `name: value` lines");
		return usage(err);
	}
	for (size_t i = 0; i < root->count; i++) {
		size_t option = option_of_key(root->keys[i]->text);
		if (option == OPTION_COUNT)
			return unknown_key(path, root->keys[i], err);
		struct buf value CLEANUP(buf_finish) = {.size_max = FILE_BYTES_MAX};
		char source[FILE_PATH_BYTES_MAX + 16];
		(void)snprintf(source, sizeof(source), "%.1000s:%d", path, root->values[i]->line);
		if (!value_of_node(path, root->values[i], &value, err))
			return false;
		if (value.size > 0 && memchr(value.data, '\0', value.size)) {
			(void)yaml_err(err, path, root->values[i], "a value with a NUL in it");
			return usage(err);
		}
		buf_append_byte(&value, '\0');
		if (!set_value(config, option, value.data, rank, source, err))
			return false;
	}
	return true;
}

static bool read_file(struct config *config, const char *path, enum rank rank, struct err *err)
{
	struct buf text CLEANUP(buf_finish) = {.size_max = FILE_BYTES_MAX};
	struct arena arena CLEANUP(arena_finish) = {.size_max = 16 * 1024 * 1024};
	const struct yaml_node *root = NULL;
	if (!file_read(path, &text, err) || !yaml_parse(buf_span(&text), path, &arena, &root, err))
		return usage(err);
	return !root || read_settings(config, path, root, rank, err);
}

static bool read_files(struct config *config, struct err *err)
{
	const char *given = config->settings[OPTION_CONFIG].value;
	const char *folder = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	struct file_path path = {0};
	if (folder && folder[0] == '/')
		(void)snprintf(path.text, sizeof(path.text), "%s/octolake/octolake.yaml", folder);
	else if (home && home[0] == '/')
		(void)snprintf(path.text, sizeof(path.text), "%s/.config/octolake/octolake.yaml", home);
	if (path.text[0] != '\0' && access(path.text, R_OK) == 0
	    && !read_file(config, path.text, RANK_HOME_FILE, err))
		return false;
	if (given)
		return read_file(config, given, RANK_FILE, err);
	return !file_exists("octolake.yaml") || read_file(config, "octolake.yaml", RANK_FILE, err);
}

bool config_create(int argument_count, char **arguments, struct config **config_out, struct err *err)
{
	struct config *config CLEANUP(config_destroy) = memory_allocate(1, sizeof(*config));
	arena_init(&config->arena, 16 * 1024 * 1024);
	set_defaults(config);
	if (!read_flags(config, argument_count, arguments, err) || !read_environment(config, err)
	    || !read_files(config, err))
		return false;
	const char *failpoint = getenv("OCTOLAKE_FAILPOINT");
	if (failpoint && failpoint[0] != '\0' && !failpoint_configure(failpoint, err))
		return usage(err);
	const char *token = getenv("GITHUB_TOKEN");
	if (token && token[0] != '\0') {
		config->token = arena_copy_text(&config->arena, span_trim(span_of(token)));
		config->token_source = "environment GITHUB_TOKEN";
	}
	*config_out = config;
	config = NULL;
	return true;
}

void config_destroy(struct config **config)
{
	if (!*config)
		return;
	arena_finish(&(*config)->arena);
	free(*config);
	*config = NULL;
}

/* ---- reading ---- */

const char *config_text(const struct config *config, enum config_option option)
{
	return config->settings[option].value;
}

int64_t config_integer(const struct config *config, enum config_option option)
{
	int64_t value = 0;
	bool ok = span_parse_int64(span_of(config->settings[option].value), &value);
	assert(ok);
	return value;
}

int64_t config_duration_ms(const struct config *config, enum config_option option)
{
	int64_t value_ms = 0;
	if (config->settings[option].value && !duration_parse(span_of(config->settings[option].value), &value_ms))
		assert(false && "checked when it was set");
	return value_ms;
}

int64_t config_size_bytes(const struct config *config, enum config_option option, int64_t missing)
{
	int64_t bytes = missing;
	if (config->settings[option].value && !size_parse(span_of(config->settings[option].value), &bytes))
		assert(false && "checked when it was set");
	return bytes;
}

bool config_flag(const struct config *config, enum config_option option)
{
	return strcmp(config->settings[option].value, "true") == 0;
}

bool config_is_set(const struct config *config, enum config_option option)
{
	return config->settings[option].rank != RANK_DEFAULT;
}

const char *config_source(const struct config *config, enum config_option option)
{
	return config->settings[option].source;
}

void config_override(struct config *config, enum config_option option, const char *value, const char *source)
{
	struct err err;
	bool ok = set_value(config, option, value, RANK_CODE, source, &err);
	assert(ok);
}

const char *const *config_words(const struct config *config, size_t *count_out)
{
	*count_out = config->word_count;
	return config->words;
}

bool config_token(struct config *config, const char **token_out, const char **source_out, struct err *err)
{
	const char *path = config->settings[OPTION_TOKEN_FILE].value;
	*token_out = config->token;
	*source_out = config->token ? config->token_source : "none";
	if (!path || config->token)
		return true;
	struct buf text CLEANUP(buf_finish) = {.size_max = 4096};
	if (!file_read(path, &text, err)) {
		err->kind = ERR_LOCAL;
		return usage(err);
	}
	*token_out = arena_copy_text(&config->arena, span_trim(buf_span(&text)));
	*source_out = path;
	return true;
}

const char *config_token_origin(const struct config *config)
{
	if (config->token)
		return config->token_source;
	return config->settings[OPTION_TOKEN_FILE].value;
}

void config_override_token(struct config *config, const char *token)
{
	config->token = arena_copy_text(&config->arena, span_of(token));
	config->token_source = "demo";
}

const char *config_proxy(const char *url, const char **variable_out)
{
	/* HTTP_PROXY in capitals is left out, as libcurl does: a web server sets it from a request. */
	static const char *const of_http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
	static const char *const of_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	bool secure = span_starts_with(span_of(url), "https://");
	const char *const *names = secure ? of_https : of_http;
	size_t count = secure ? ARRAY_COUNT(of_https) : ARRAY_COUNT(of_http);
	for (size_t i = 0; i < count; i++) {
		const char *value = getenv(names[i]);
		if (!value || value[0] == '\0')
			continue;
		*variable_out = names[i];
		return value;
	}
	return NULL;
}

const char *const *config_list(struct config *config, enum config_option option, size_t *count_out)
{
	struct setting *setting = &config->settings[option];
	struct span rest = span_of(setting->value);
	size_t count = 0;
	setting->list = arena_allocate(&config->arena, LIST_COUNT_MAX, sizeof(*setting->list));
	while (rest.size > 0 && count < LIST_COUNT_MAX) {
		struct span part;
		if (!span_split(rest, ',', &part, &rest)) {
			part = rest;
			rest.size = 0;
		}
		part = span_trim(part);
		if (part.size > 0)
			setting->list[count++] = arena_copy_text(&config->arena, part);
	}
	*count_out = count;
	return setting->list;
}

void config_append_help(struct buf *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct config_definition *definition = &config_definitions[i];
		char flag[64];
		(void)snprintf(flag, sizeof(flag), "--%s%s%s", definition->name, definition->argument ? " " : "",
			       definition->argument ? definition->argument : "");
		if (definition->short_name != 0)
			buf_printf(out, "  -%c, %-24s %s", definition->short_name, flag, definition->help);
		else
			buf_printf(out, "      %-24s %s", flag, definition->help);
		if (definition->default_value && definition->type != OPTION_IS_FLAG)
			buf_printf(out, " [%s]", definition->default_value);
		buf_append_byte(out, '\n');
	}
}
