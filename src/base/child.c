/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

extern char **environ;

static int start(const char *const *arguments, pid_t *pid_out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	(void)sigemptyset(&none);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	int error_number =
		posix_spawn(pid_out, arguments[0], &files, &attributes, (char *const *)arguments, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	return error_number;
}

bool child_run(const char *const *arguments, int64_t wait_ms_max, struct child_end *end_out, struct err *err)
{
	pid_t pid = 0;
	int status = 0;
	int error_number = start(arguments, &pid);
	if (error_number != 0)
		return err_set_errno(err, ERR_LOCAL, error_number, "start %s", arguments[0]);
	struct child_end end = {0};
	int64_t end_ms = clock_monotonic_ms(clock_system()) + wait_ms_max;
	for (;;) {
		pid_t ended = waitpid(pid, &status, end.timed_out ? 0 : WNOHANG);
		if (ended == pid)
			break;
		if (ended < 0 && errno != EINTR)
			return err_set_errno(err, ERR_LOCAL, errno, "wait for %s", arguments[0]);
		if (ended == 0 && clock_monotonic_ms(clock_system()) >= end_ms) {
			(void)kill(pid, SIGKILL);
			end.timed_out = true;
		} else if (ended == 0) {
			clock_sleep_ms(LOOK_MS);
		}
	}
	end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	*end_out = end;
	return true;
}
