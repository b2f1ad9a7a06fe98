/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/options.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_INTEGER, OPTION_REAL };

struct option_line {
	const char *name;
	const char *argument; /* NULL for flags */
	enum option_kind kind;
	size_t offset; /* of the field in struct options */
	int64_t min;
	int64_t max;
	const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct option_line lines[] = {
	{"--port", "N", OPTION_INTEGER, AT(port), 0, 65535, "port to listen on; 0 takes a free one (8080)"},
	{"--host", "ADDRESS", OPTION_TEXT, AT(host), 0, 0, "IPv4 address to listen on (127.0.0.1)"},
	{"--replay", "PATH", OPTION_TEXT, AT(replay), 0, 0,
	 "serve recorded states: a page array .json, a folder of them in name order, or a .jsonl of "
	 "exchanges"},
	{"--synthetic", "SEED", OPTION_INTEGER, AT(synthetic_seed), 0, INT64_MAX,
	 "serve generated events, the same for the same seed (the default, with seed 1)"},
	{"--rate", "N", OPTION_REAL, AT(rate), 0, 100000, "generated events per second (10); 0: a still feed"},
	{"--backlog", "N", OPTION_INTEGER, AT(backlog), 0, 1000000, "events there from the start (300)"},
	{"--stop-after", "N", OPTION_INTEGER, AT(stop_after), 0, INT64_MAX,
	 "generate so many events in all, the backlog included; 0: no end (0)"},
	{"--delay", "SECONDS", OPTION_INTEGER, AT(delay_seconds), 0, 86400,
	 "events show up so long after their created_at (0)"},
	{"--poll-interval", "SECONDS", OPTION_INTEGER, AT(poll_interval_seconds), 0, 86400,
	 "X-Poll-Interval, watched by the ledger (60); 0: clients need not wait"},
	{"--limit-anonymous", "N", OPTION_INTEGER, AT(limit_anonymous), 0, INT64_MAX,
	 "requests per window without a token (60)"},
	{"--limit-token", "N", OPTION_INTEGER, AT(limit_token), 0, INT64_MAX,
	 "requests per window of each token (5000)"},
	{"--window-seconds", "N", OPTION_INTEGER, AT(window_seconds), 1, 86400,
	 "length of the budget's window (3600)"},
	{"--token", "TOKEN", OPTION_TEXT, AT(token), 0, 0,
	 "the only token that is accepted; without this option any but those starting with \"bad\""},
	{"--scenario", "NAME", OPTION_TEXT, AT(scenario), 0, 0, "misbehave; see --scenarios"},
	{"--scenario-times", "K", OPTION_INTEGER, AT(scenario_times), 0, 1000000,
	 "requests that a fault takes part in; 0: the scenario's own number (0)"},
	{"--scenarios", NULL, OPTION_FLAG, AT(list_scenarios), 0, 0, "list the scenarios and leave"},
	{"--help", NULL, OPTION_FLAG, AT(help), 0, 0, "print this help and leave"},
	{"--version", NULL, OPTION_FLAG, AT(version), 0, 0, "print the version and leave"},
};

static const struct option_line *find_line(struct span name)
{
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		if (span_equal_text(name, lines[i].name))
			return &lines[i];
	return NULL;
}

static bool set_value(const struct option_line *line, const char *text, struct options *options,
		      struct err *err)
{
	char *field = (char *)options + line->offset;
	switch (line->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return true;
	case OPTION_TEXT:
		memcpy(field, &text, sizeof(text));
		return true;
	case OPTION_INTEGER: {
		int64_t value;
		if (!span_parse_int64(span_of(text), &value) || value < line->min
		    || value > line->max)
			return err_set(err, ERR_INPUT,
				       "%s wants a whole number from %" PRId64 " to %" PRId64
				       ", not \"%s\"",
				       line->name, line->min, line->max, text);
		memcpy(field, &value, sizeof(value));
		return true;
	}
	case OPTION_REAL: {
		double value;
		if (!span_parse_double(span_of(text), &value) || value < (double)line->min
		    || value > (double)line->max)
			return err_set(err, ERR_INPUT,
				       "%s wants a number from %" PRId64 " to %" PRId64
				       ", not \"%s\"",
				       line->name, line->min, line->max, text);
		memcpy(field, &value, sizeof(value));
		return true;
	}
	}
	return false;
}

bool options_parse(int count, char *const *arguments, struct options *options_out, struct err *err)
{
	struct options options = {
		.host = "127.0.0.1",
		.port = 8080,
		.synthetic_seed = -1,
		.rate = 10,
		.backlog = 300,
		.poll_interval_seconds = 60,
		.limit_anonymous = 60,
		.limit_token = 5000,
		.window_seconds = 3600,
	};
	for (int i = 1; i < count; i++) {
		struct span name = span_of(arguments[i]);
		struct span joined = {0};
		if (span_split(name, '=', &name, &joined))
			joined.data = arguments[i] + name.size + 1;
		const struct option_line *line = find_line(name);
		if (!line || (joined.data && !line->argument))
			return err_set(err, ERR_INPUT, "unknown option %s; see --help",
				       arguments[i]);
		const char *value = joined.data;
		if (line->argument && !value) {
			if (i + 1 == count)
				return err_set(err, ERR_INPUT, "%s wants %s", line->name,
					       line->argument);
			value = arguments[++i];
		}
		if (!set_value(line, value, &options, err))
			return false;
	}
	options.synthetic = options.synthetic_seed >= 0;
	if (options.replay && options.synthetic)
		return err_set(err, ERR_INPUT, "choose one of --replay and --synthetic");
	if (!options.synthetic)
		options.synthetic_seed = 1;
	*options_out = options;
	return true;
}

void options_print_help(struct buf *out)
{
	buf_append_text(
		out, "octolake-fake-github: a server on loopback that behaves as GitHub's Events "
		     "API, for tests and demos\n\nUsage: octolake-fake-github [options]\n\n");
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		buf_printf(out, "  %s%s%s\n      %s\n", lines[i].name, lines[i].argument ? " " : "",
			   lines[i].argument ? lines[i].argument : "", lines[i].help);
	buf_append_text(
		out,
		"\nPrints its address on stdout when it is ready. GET /_ledger tells what was "
		"served;\nPOST /_control?scenario=NAME, rate=N or poll-interval=SECONDS changes "
		"it while it runs.\n");
}
