/* SPDX-License-Identifier: Apache-2.0 */
/* bare_inflate FILE...: what decompressing alone costs: ISA-L through a window of 512 KiB that is written over
 * and over, checksum on, one thread, nothing done with the bytes. Prints the bytes that came out. It is the
 * limit that an import is held against, so it shares no code with it. */
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_BYTES = 512 * 1024, INPUT_BYTES = 128 * 1024 };

static bool inflate_file(int descriptor, uint8_t *input, uint8_t *window, uint64_t *bytes)
{
	static struct inflate_state state; /* some 80 KiB */
	isal_inflate_init(&state);
	state.crc_flag = ISAL_GZIP;
	while (state.block_state != ISAL_BLOCK_FINISH) {
		if (state.avail_in == 0) {
			ssize_t got = read(descriptor, input, INPUT_BYTES);
			if (got <= 0)
				return false;
			state.next_in = input;
			state.avail_in = (uint32_t)got;
		}
		state.next_out = window;
		state.avail_out = WINDOW_BYTES;
		if (isal_inflate(&state) != ISAL_DECOMP_OK)
			return false;
		*bytes += WINDOW_BYTES - state.avail_out;
	}
	return true;
}

int main(int count, char **arguments)
{
	uint64_t bytes = 0;
	uint8_t *input = malloc(INPUT_BYTES);
	uint8_t *window = malloc(WINDOW_BYTES);
	bool ok = input && window;
	for (int i = 1; ok && i < count; i++) {
		int descriptor = open(arguments[i], O_RDONLY | O_CLOEXEC);
		ok = descriptor >= 0 && inflate_file(descriptor, input, window, &bytes);
		if (descriptor >= 0)
			(void)close(descriptor);
		if (!ok)
			(void)fprintf(stderr, "bare_inflate: %s: not a whole gzip file\n", arguments[i]);
	}
	free(input);
	free(window);
	(void)printf("%llu\n", (unsigned long long)bytes);
	return ok ? 0 : 1;
}
