/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - every setting in one table: its flag, environment variable, key in octolake.yaml, type,
 * default and help. Parsing, validation, --help, `octolake config` and docs/options.md come from it.
 *
 * Precedence: flag > environment (OCTOLAKE_API_PORT; the first system's LIVE) > ./octolake.yaml (or
 * --config FILE) > $XDG_CONFIG_HOME/octolake/octolake.yaml > default. The GitHub token comes from
 * GITHUB_TOKEN or a file, never from a flag, and is never printed. */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

enum config_option {
	OPTION_DATA,
	OPTION_CONFIG,
	OPTION_EVENTS,
	OPTION_METRICS,
	OPTION_TYPES,
	OPTION_API_URL,
	OPTION_TOKEN_FILE,
	OPTION_PUBLIC_FEED,
	OPTION_REPOS,
	OPTION_ORGS,
	OPTION_POLL_INTERVAL,
	OPTION_FLUSH_EVENTS,
	OPTION_FLUSH_BYTES,
	OPTION_FLUSH_SECONDS,
	OPTION_LIVE,
	OPTION_BATCH,
	OPTION_DURATION,
	OPTION_UNTIL_QUIET,
	OPTION_EXIT,
	OPTION_FROM_GH_EVENTS,
	OPTION_MIRROR,
	OPTION_TO,
	OPTION_BRONZE,
	OPTION_THREADS,
	OPTION_LISTEN,
	OPTION_API_PORT,
	OPTION_UI_PORT,
	OPTION_WORKERS,
	OPTION_MEMORY,
	OPTION_COMPACT_FILES,
	OPTION_DISK_RESERVE,
	OPTION_KEEP_BRONZE,
	OPTION_BRONZE_MAX,
	OPTION_KEEP_SILVER,
	OPTION_SILVER_MAX,
	OPTION_KEEP_GOLD,
	OPTION_GOLD_MAX,
	OPTION_KEEP_QUARANTINE,
	OPTION_QUARANTINE_MAX,
	OPTION_KEEP_SWEEPS,
	OPTION_DRY_RUN,
	OPTION_OUTPUT,
	OPTION_JSON,
	OPTION_DEEP,
	OPTION_LOG_FORMAT,
	OPTION_LOG_LEVEL,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT,
};

enum option_type {
	OPTION_IS_FLAG,
	OPTION_IS_TEXT,
	OPTION_IS_INTEGER,
	OPTION_IS_DURATION,
	OPTION_IS_SIZE,
	OPTION_IS_CHOICE,
};

struct config_definition {
	const char *name; /* "api-port": flag --api-port, key api_port, variable OCTOLAKE_API_PORT */
	char short_name;  /* 0: none */
	enum option_type type;
	const char *argument;      /* "PORT"; NULL for flags */
	const char *default_value; /* NULL: none */
	int64_t minimum, maximum;  /* integers; durations in ms; sizes in bytes */
	const char *choices;       /* "table|json|csv" */
	bool only_flag;            /* no key and no variable */
	const char *help;
};
extern const struct config_definition config_definitions[OPTION_COUNT];

struct config;

/* Reads flags out of argv (options may stand before, between and after words; "--" ends them),
 * then environment and files. Words that are no options end up in config_words. ERR_INPUT with exit
 * code 2, with a suggestion for a misspelt name and file:line:column for files. */
MUST_CHECK bool config_create(int argument_count, char **arguments, struct config **config_out, struct err *err);
void config_destroy(struct config **config);

const char *config_text(const struct config *config, enum config_option option); /* NULL: not set */
int64_t config_integer(const struct config *config, enum config_option option);
int64_t config_duration_ms(const struct config *config, enum config_option option);
/* `missing` where there is no value. */
int64_t config_size_bytes(const struct config *config, enum config_option option, int64_t missing);
bool config_flag(const struct config *config, enum config_option option);
/* True when it was given anywhere, not only by default. */
bool config_is_set(const struct config *config, enum config_option option);
/* "flag --api-port", "environment OCTOLAKE_API_PORT", "octolake.yaml:3", "default". */
const char *config_source(const struct config *config, enum config_option option);
/* Replaces a value from code (demo). */
void config_override(struct config *config, enum config_option option, const char *value, const char *source);

/* Words of the command line that are no options, the command first. */
const char *const *config_words(const struct config *config, size_t *count_out);

/* The token, or NULL. ERR_LOCAL when the file cannot be read. Trimmed. */
MUST_CHECK bool config_token(struct config *config, const char **token_out, const char **source_out,
			     struct err *err);
/* Where a token would come from ("environment GITHUB_TOKEN", or the file's path), or NULL. Reads nothing. */
const char *config_token_origin(const struct config *config);
void config_override_token(struct config *config, const char *token);

/* Splits a comma-separated option into parts (borrowed from config until the next call for that
 * option); empty parts are left out. */
const char *const *config_list(struct config *config, enum config_option option, size_t *count_out);

/* The proxy that the environment's standard variables name for a URL (as libcurl reads them), or NULL;
 * *variable_out is the variable's name. Its value may hold a password: base/mask.h. */
const char *config_proxy(const char *url, const char **variable_out);

/* The option part of --help. */
void config_append_help(struct buf *out);
/* As `octolake config` prints it: name, value, source, one a line; or one JSON object (docs/formats/doctor.md).
 * Neither holds a secret: the token is only said to be set, user information in URLs is masked. */
void config_append_values(const struct config *config, struct buf *out);
void config_append_json(const struct config *config, struct buf *out);

#endif
