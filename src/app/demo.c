/* SPDX-License-Identifier: Apache-2.0 */
/* demo.c - the whole pipeline on made-up events: starts octolake-fake-github beside this program
 * and polls it, with a data folder of its own, labelled as a demo everywhere. */
#include "app/commands.h"
#include "app/daemon.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_WAIT_MS_MAX = 5000, LINE_BYTES_MAX = 256 };

struct child {
	pid_t pid; /* 0: none */
	int output;
};

static void child_finish(struct child *child)
{
	if (child->pid > 0) {
		(void)kill(child->pid, SIGTERM);
		(void)waitpid(child->pid, NULL, 0);
	}
	if (child->output > 0)
		(void)close(child->output);
	*child = (struct child){0};
}

/* The feed's program stands beside ours, in the build folder and when installed. */
static bool find_program(struct file_path *path_out, struct err *err)
{
	struct file_path self = {0};
	ssize_t size = readlink("/proc/self/exe", self.text, sizeof(self.text) - 1);
	char *slash = size > 0 ? strrchr(self.text, '/') : NULL;
	if (!slash)
		return err_set(err, ERR_LOCAL, "cannot tell where this program lies (/proc/self/exe)");
	*slash = '\0';
	if (!file_path_make(path_out, err, "%s/octolake-fake-github", self.text))
		return false;
	if (access(path_out->text, X_OK) != 0)
		return err_set(err, ERR_LOCAL, "%s is missing: the demo's feed comes from it", path_out->text);
	return true;
}

static void run_child(const char *path, int output, pid_t parent)
{
	/* The feed must not outlive us, however we die. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(output, STDOUT_FILENO) < 0)
		_exit(1);
	/* Ctrl-C on the terminal goes to the whole group: the feed should stay until we are done. */
	(void)setpgid(0, 0);
	execl(path, path, "--port", "0", "--synthetic", "7", "--rate", "12", "--backlog", "300", "--poll-interval",
	      "2", "--limit-token", "1000000", (char *)NULL);
	_exit(127);
}

static bool start_child(struct child *child, struct err *err)
{
	struct file_path path;
	int ends[2];
	if (!find_program(&path, err))
		return false;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "pipe");
	pid_t parent = getpid();
	child->pid = fork();
	if (child->pid == 0)
		run_child(path.text, ends[1], parent);
	(void)close(ends[1]);
	child->output = ends[0];
	if (child->pid < 0) {
		child->pid = 0;
		return err_set_errno(err, ERR_LOCAL, errno, "fork");
	}
	return true;
}

/* "octolake-fake-github: listening on http://127.0.0.1:PORT" */
static bool read_address(const struct child *child, char address[LINE_BYTES_MAX], struct err *err)
{
	char line[LINE_BYTES_MAX] = {0};
	size_t size = 0;
	struct pollfd descriptor = {.fd = child->output, .events = POLLIN};
	while (size + 1 < sizeof(line) && !memchr(line, '\n', size)) {
		if (poll(&descriptor, 1, START_WAIT_MS_MAX) <= 0)
			return err_set(err, ERR_LOCAL, "the demo's feed does not start");
		ssize_t got = read(child->output, line + size, sizeof(line) - 1 - size);
		if (got <= 0)
			return err_set(err, ERR_LOCAL, "the demo's feed ended at once");
		size += (size_t)got;
	}
	const char *start = strstr(line, "http://");
	if (!start)
		return err_set(err, ERR_LOCAL, "the demo's feed said no address");
	size_t length = strcspn(start, " \r\n");
	memcpy(address, start, length);
	address[length] = '\0';
	return true;
}

bool command_demo(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	struct child child CLEANUP(child_finish) = {0};
	struct session session CLEANUP(session_close) = {0};
	char address[LINE_BYTES_MAX];
	if (word_count > 0)
		return command_usage_err(err, "demo takes no word \"%.100s\"", words[0]);
	if (!config_is_set(config, OPTION_DATA))
		config_override(config, OPTION_DATA, "./data-demo", "demo");
	if (!start_child(&child, err) || !read_address(&child, address, err))
		return false;
	config_override(config, OPTION_API_URL, address, "demo");
	config_override(config, OPTION_PUBLIC_FEED, "true", "demo");
	config_override_token(config, "demo");
	LOG_EVENT(LOG_INFO, "demo: all events are made up", log_text("feed", address),
		  log_text("data", config_text(config, OPTION_DATA)));
	struct daemon_options options = {.mode = DAEMON_LIVE, .demo = true, .command = "demo"};
	return session_open(&session, config, "demo", err) && daemon_run(&session, &options, err);
}
