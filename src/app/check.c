/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - `octolake check`: metric files validated as the server would load them, each SQL
 * prepared against an empty gold of the same columns. Every fault of every file, then exit 2. */
#include "app/commands.h"
#include "app/scratch.h"
#include "metrics/metrics.h"

#include <stdio.h>

enum { METRIC_FILE_BYTES_MAX = 1024 * 1024, MEMORY_BYTES_MAX = 64 * 1024 * 1024 };

/* True when the file has no error. */
static bool check_file(struct gold *gold, const char *path, struct err *err)
{
	struct buf text CLEANUP(buf_finish) = {.size_max = METRIC_FILE_BYTES_MAX};
	struct arena arena CLEANUP(arena_finish) = {.size_max = MEMORY_BYTES_MAX};
	const struct metric_problem *problems = NULL;
	size_t problem_count = 0;
	size_t metric_count = 0;
	if (!file_read(path, &text, err)) {
		(void)printf("%s\n", err->text);
		return false;
	}
	bool ok = metrics_check(gold, buf_span(&text), path, &arena, &problems, &problem_count, &metric_count);
	for (size_t i = 0; i < problem_count; i++)
		(void)printf("%.*s:%d:%d: %s%.*s\n", SPAN_ARGUMENTS(problems[i].file), problems[i].line,
			     problems[i].column, problems[i].warning ? "warning: " : "",
			     SPAN_ARGUMENTS(problems[i].text));
	if (ok)
		(void)printf("%s: ok, %zu metrics\n", path, metric_count);
	return ok;
}

bool command_check(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	struct scratch scratch CLEANUP(scratch_finish) = {0};
	size_t bad = 0;
	if (word_count == 0)
		words = session_metric_paths(config, &word_count);
	if (word_count == 0)
		return command_usage_err(err, "check needs a metric file (there is no ./metrics.yaml)");
	if (!scratch_open(&scratch, config, err))
		return false;
	for (size_t i = 0; i < word_count; i++)
		bad += !check_file(scratch.gold, words[i], err);
	if (bad == 0)
		return true;
	return command_usage_err(err, "%zu of %zu files have errors", bad, word_count);
}
