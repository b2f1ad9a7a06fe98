/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - octolake-fake-github: options to a running server, until SIGTERM or SIGINT. */
#include "base/clock.h"
#include "fake_github/github.h"
#include "fake_github/options.h"
#include "fake_github/scenario.h"
#include "fake_github/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	EXIT_USAGE = 2,
	TEXT_BYTES_MAX = 64 * 1024,
};

static int print(void (*render)(struct buf *out))
{
	struct buf text;
	buf_init(&text, TEXT_BYTES_MAX);
	render(&text);
	bool printed = !text.failed && fwrite(text.data, 1, text.size, stdout) == text.size
		       && fflush(stdout) == 0;
	buf_finish(&text);
	return printed ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void render_version(struct buf *out)
{
	buf_append_text(out, "octolake-fake-github " OCTOLAKE_VERSION "\n");
}

static bool open_feed(const struct options *options, struct feed **feed_out, struct err *err)
{
	if (options->replay)
		return feed_replay_open(options->replay, feed_out, err);
	*feed_out = feed_synthetic_create(&(struct synthetic_options){
		.seed = (uint64_t)options->synthetic_seed,
		.events_per_second = options->rate,
		.backlog_events = (uint64_t)options->backlog,
		.stop_after = (uint64_t)options->stop_after,
		.delay_ms = 1000 * options->delay_seconds,
		.start_us = clock_wall_us(clock_system()),
	});
	return true;
}

static struct github_options github_options_of(const struct options *options)
{
	return (struct github_options){
		.limits = {
			.anonymous_requests = options->limit_anonymous,
			.token_requests = options->limit_token,
			.window_seconds = options->window_seconds,
		},
		.poll_interval_seconds = options->poll_interval_seconds,
		.token = options->token,
		.scenario_times = (unsigned)options->scenario_times,
	};
}

/* Serves until a signal of `signals`, which are blocked, asks for the end. */
static bool serve(struct github *github, const struct options *options, const sigset_t *signals,
		  struct err *err)
{
	if (options->scenario && !github_choose_scenario(github, span_of(options->scenario), err))
		return false;
	struct server *server = NULL;
	if (!server_open(options->host, (uint16_t)options->port, github, &server, err))
		return false;
	(void)printf("octolake-fake-github: listening on http://%s:%u\n", options->host,
		     server_port(server));
	(void)fflush(stdout);
	int signal_number;
	(void)sigwait(signals, &signal_number);
	server_close(&server);
	return true;
}

static bool run(const struct options *options, struct err *err)
{
	/* Blocked before any thread starts, so that only sigwait sees them. */
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	struct feed *feed = NULL;
	if (!open_feed(options, &feed, err))
		return false;
	struct github github;
	struct github_options github_options = github_options_of(options);
	github_init(&github, feed, &github_options, clock_system());
	bool served = serve(&github, options, &signals, err);
	github_finish(&github);
	return served;
}

int main(int count, char **arguments)
{
	struct err err = {0};
	struct options options;
	if (!options_parse(count, arguments, &options, &err)) {
		(void)fprintf(stderr, "octolake-fake-github: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (options.help)
		return print(options_print_help);
	if (options.version)
		return print(render_version);
	if (options.list_scenarios)
		return print(scenario_print_all);
	if (!run(&options, &err)) {
		(void)fprintf(stderr, "octolake-fake-github: %s\n", err.text);
		return err.kind == ERR_INPUT ? EXIT_USAGE : EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
