/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - the main of fuzz targets where there is no libFuzzer: gives each file of the named
 * folders to the target, then mutations of it, always the same ones. A crash names its input, which
 * is left in the working folder. */
#include "base/buf.h"
#include "base/file.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATIONS = 40, INPUT_BYTES_MAX = 1024 * 1024, MUTATED_BYTES_MAX = 8192 };

static struct buf input = {.size_max = INPUT_BYTES_MAX + 8};

struct replay {
	const char *folder;
	uint64_t random;
	int64_t files;
	int64_t executions;
};

static uint64_t next_random(struct replay *replay)
{
	replay->random ^= replay->random << 13;
	replay->random ^= replay->random >> 7;
	replay->random ^= replay->random << 17;
	return replay->random;
}

/* In a signal handler: writes with what is safe there. */
static void keep_input(int signal_number)
{
	static const char text[] = "the input is in ./fuzz-crash\n";
	FILE *file = fopen("fuzz-crash", "wb");
	if (file && fwrite(input.data, 1, input.size, file) == input.size)
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	if (file)
		(void)fclose(file);
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number);
}

static void execute(struct replay *replay)
{
	/* Of its exact size, so that a read beyond shows. */
	uint8_t *copy = malloc(input.size ? input.size : 1);
	if (!copy)
		abort();
	if (input.size > 0)
		memcpy(copy, input.data, input.size);
	(void)LLVMFuzzerTestOneInput(copy, input.size);
	free(copy);
	replay->executions++;
}

static void mutate(struct replay *replay)
{
	size_t at = input.size > 0 ? next_random(replay) % input.size : 0;
	switch (next_random(replay) % 4) {
	case 0:
		if (input.size > 0)
			input.data[at] = (char)(input.data[at] ^ (1 << next_random(replay) % 8));
		break;
	case 1:
		if (input.size > 0)
			input.data[at] = (char)next_random(replay);
		break;
	case 2:
		input.size = at;
		break;
	default:
		buf_append_byte(&input, (char)next_random(replay));
		break;
	}
}

static bool visit(void *context, const char *relative_path, struct err *err)
{
	struct replay *replay = context;
	struct file_path path;
	CLEANUP(buf_finish) struct buf content = {.size_max = INPUT_BYTES_MAX};
	if (!file_path_make(&path, err, "%s/%s", replay->folder, relative_path)
	    || !file_read(path.text, &content, err))
		return false;
	replay->files++;
	for (int i = 0; i <= MUTATIONS; i++) {
		buf_clear(&input);
		buf_append_span(&input, buf_span(&content));
		for (int changes = 0; changes < i % 4 + (i > 0); changes++)
			mutate(replay);
		execute(replay);
		if (content.size > MUTATED_BYTES_MAX)
			break;
	}
	return true;
}

int main(int argument_count, char **arguments)
{
	struct replay replay = {.random = 0x9e3779b97f4a7c15};
	struct err err = {0};
	(void)signal(SIGABRT, keep_input);
	for (int i = 1; i < argument_count; i++) {
		replay.folder = arguments[i];
		if (!file_walk(replay.folder, visit, &replay, &err)) {
			(void)fprintf(stderr, "%s\n", err.text);
			return 1;
		}
	}
	(void)printf("%lld files, %lld executions\n", (long long)replay.files, (long long)replay.executions);
	buf_finish(&input);
	return replay.files > 0 ? 0 : 1;
}
