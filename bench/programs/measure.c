/* SPDX-License-Identifier: Apache-2.0 */
/* measure PROGRAM ARGUMENT...: runs the program and writes one line of JSON to descriptor 3: wall clock, CPU
 * time in user and system mode of it and all its children, the largest resident set of any one of them,
 * exit code (128 + signal when killed). Small on purpose: a child's peak begins with that of who forks it. */
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_DESCRIPTOR = 3, EXIT_NOT_STARTED = 127 };

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int count, char **arguments)
{
	if (count < 2) {
		(void)fprintf(stderr, "measure PROGRAM ARGUMENT... 3>REPORT\n");
		return 2;
	}
	int64_t start_ms = clock_monotonic_ms(clock_system());
	pid_t child = fork();
	if (child == 0) {
		(void)close(REPORT_DESCRIPTOR);
		(void)execvp(arguments[1], arguments + 1);
		(void)fprintf(stderr, "measure: %s: %s\n", arguments[1], strerror(errno));
		_exit(EXIT_NOT_STARTED);
	}
	int status = 0;
	struct rusage usage;
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		(void)fprintf(stderr, "measure: %s\n", strerror(errno));
		return 1;
	}
	double wall = (double)(clock_monotonic_ms(clock_system()) - start_ms) / 1e3;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	int written = dprintf(REPORT_DESCRIPTOR,
			      "{\"wall_s\":%.3f,\"user_s\":%.6f,\"sys_s\":%.6f,\"maxrss_kib\":%ld,\"code\":%d}\n", wall,
			      seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss, code);
	return written > 0 ? 0 : 1;
}
