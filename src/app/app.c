/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

#include "app/commands.h"
#include "app/signals.h"
#include "app/stages.h"
#include "base/log.h"
#include "base/suggest.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_COUNT_MAX = 32, EXIT_INTERRUPTED = 130 };

static void configure_log(const struct config *config)
{
	static const char *const levels[] = {"debug", "info", "warning", "error"};
	enum log_level level = LOG_INFO;
	for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
		if (strcmp(config_text(config, OPTION_LOG_LEVEL), levels[i]) == 0)
			level = (enum log_level)i;
	if (config_flag(config, OPTION_QUIET))
		level = LOG_WARNING;
	if (config_flag(config, OPTION_VERBOSE))
		level = LOG_DEBUG;
	const char *name = config_text(config, OPTION_LOG_FORMAT);
	enum log_format format = LOG_FORMAT_AUTO;
	if (strcmp(name, "text") == 0)
		format = LOG_FORMAT_TEXT;
	if (strcmp(name, "json") == 0)
		format = LOG_FORMAT_JSON;
	log_configure(level, format);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static bool unknown_command(const char *name, struct err *err)
{
	const char *names[COMMAND_COUNT_MAX];
	for (size_t i = 0; i < command_count; i++)
		names[i] = commands[i].name;
	const char *near = suggest_word(span_of(name), names, command_count);
	if (near)
		return command_usage_err(err, "unknown command %.100s; did you mean %s?", name, near);
	return command_usage_err(err, "unknown command %.100s; see octolake --help", name);
}

static bool run(struct config *config, struct err *err)
{
	size_t word_count;
	const char *const *words = config_words(config, &word_count);
	const char *name = word_count > 0 ? words[0] : "run";
	if (config_flag(config, OPTION_HELP))
		name = "help";
	else if (config_flag(config, OPTION_VERSION))
		name = "version";
	const struct command *command = find_command(name);
	if (!command)
		return unknown_command(name, err);
	size_t own = word_count > 0 ? 1 : 0;
	return command->run(config, words + own, word_count - own, err);
}

int app_main(int argument_count, char **arguments)
{
	struct err err = {0};
	if (argument_count == 3 && strcmp(arguments[1], "try-gold") == 0)
		return stages_try_gold(arguments[2]);
	struct config *config CLEANUP(config_destroy) = NULL;
	bool ok = config_create(argument_count, arguments, &config, &err);
	if (ok) {
		configure_log(config);
		ok = run(config, &err);
	}
	if (!ok)
		(void)fprintf(stderr, "octolake: %s\n", err.text);
	if (fflush(stdout) != 0 && ok)
		return 1;
	if (signals_received() == SIGINT)
		return EXIT_INTERRUPTED;
	if (ok)
		return 0;
	return err.exit_code != 0 ? err.exit_code : 1;
}
