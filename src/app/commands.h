/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the commands of the program, each its own function of the configuration. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "app/config.h"

/* False with err: exit code err->exit_code, or 1. `words` are those after the command's own. */
struct command {
	const char *name;
	const char *arguments; /* "METRIC [k=v ...]" or "" */
	const char *help;
	bool (*run)(struct config *config, const char *const *words, size_t word_count, struct err *err);
};
extern const struct command commands[];
extern const size_t command_count;

/* In files of their own. */
bool command_query(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_cat(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_check(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_import(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_health(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_doctor(struct config *config, const char *const *words, size_t word_count, struct err *err);
bool command_demo(struct config *config, const char *const *words, size_t word_count, struct err *err);

/* To stdout, control characters as "?": those of file names stay on their side of the terminal. */
void command_print(const struct buf *out);

/* ERR_INPUT with exit code 2. Returns false. */
bool command_usage_err(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
