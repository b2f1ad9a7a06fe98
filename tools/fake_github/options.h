/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of octolake-fake-github: one table for parsing and help. */
#ifndef FAKE_GITHUB_OPTIONS_H
#define FAKE_GITHUB_OPTIONS_H

#include "base/buf.h"
#include "base/err.h"

struct options {
	const char *host;
	int64_t port; /* 0: a free one */
	const char *replay; /* NULL: not given */
	int64_t synthetic_seed;
	bool synthetic;
	double rate;
	int64_t backlog;
	int64_t stop_after;
	int64_t delay_seconds;
	int64_t poll_interval_seconds;
	int64_t limit_anonymous;
	int64_t limit_token;
	int64_t window_seconds;
	const char *token; /* NULL: any that does not start with "bad" */
	const char *scenario;
	int64_t scenario_times;
	bool list_scenarios;
	bool help;
	bool version;
};

/* Texts are borrowed from `arguments`. ERR_INPUT names the option that is wrong. */
MUST_CHECK bool options_parse(int count, char *const *arguments, struct options *options_out,
			      struct err *err);

void options_print_help(struct buf *out);

#endif
