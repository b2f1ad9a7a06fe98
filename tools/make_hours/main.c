/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - octolake-make-hours: hours of GH Archive that nobody lived through (see hours.h). */
#include "base/file.h"
#include "make_hours/hours.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2, HOURS_COUNT_MAX = 100000, SIZE_MAX_WORLD = 4000000 };

static const char usage[] =
	"octolake-make-hours: made-up hours of GH Archive, the same for the same options\n\n"
	"Usage: octolake-make-hours FOLDER [options]\n\n"
	"Writes FOLDER/YYYY-MM-DD-H.json.gz and, on stdout, a line for each: name, events, bytes of JSON,\n"
	"bytes of gzip, with tabs between.\n\n"
	"  --from HOUR        the first hour (2024-01-15-0)\n"
	"  --hours N          how many (1)\n"
	"  --events N         lines of each file (200000)\n"
	"  --overlap PERCENT  lines that the hour before has too, 0 to 50 (0)\n"
	"  --era ERA          payloads: full, thin, or by date: thin from 2025-10-07 on (date)\n"
	"  --seed N           another world (1)\n"
	"  --repositories N   how many there are (200000)\n"
	"  --people N         likewise (150000)\n"
	"  --threads N        (2); the bytes do not depend on it\n"
	"  --level N          of gzip, 1 to 9 (6)\n"
	"  --help, --version\n";

struct arguments {
	const char *folder;
	int64_t first_us;
	uint32_t hours;
	struct hours_options maker;
};

static bool parse_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *value_out,
			 struct err *err)
{
	int64_t value;
	if (!span_parse_int64(span_of(text), &value) || value < min || value > max)
		return err_set(err, ERR_INPUT, "--%s wants a whole number from %" PRId64 " to %" PRId64, name, min,
			       max);
	*value_out = value;
	return true;
}

static bool set_era(const char *text, enum hours_era *era_out, struct err *err)
{
	static const char *const names[] = {"date", "full", "thin"};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*era_out = (enum hours_era)i;
			return true;
		}
	}
	return err_set(err, ERR_INPUT, "--era wants date, full or thin");
}

/* `letter`: of the table in parse. */
static bool set_option(int letter, const char *name, const char *text, struct arguments *arguments, struct err *err)
{
	struct hours_options *maker = &arguments->maker;
	int64_t value = 0;
	switch (letter) {
	case 'f':
		return hours_parse_name(text, &arguments->first_us)
		       || err_set(err, ERR_INPUT, "--from wants an hour such as 2024-01-15-0, from 2015-01-01-0 on");
	case 'e':
		return set_era(text, &maker->era, err);
	case 'h':
		if (!parse_number(name, text, 1, HOURS_COUNT_MAX, &value, err))
			return false;
		arguments->hours = (uint32_t)value;
		return true;
	case 'n':
		if (!parse_number(name, text, 1, HOURS_EVENTS_MAX, &value, err))
			return false;
		maker->events = (uint32_t)value;
		return true;
	case 'o':
		if (!parse_number(name, text, 0, HOURS_OVERLAP_PERCENT_MAX, &value, err))
			return false;
		maker->overlap_percent = (uint32_t)value;
		return true;
	case 's':
		if (!parse_number(name, text, 0, INT64_MAX, &value, err))
			return false;
		maker->seed = (uint64_t)value;
		return true;
	case 'r':
	case 'p':
		if (!parse_number(name, text, 1, SIZE_MAX_WORLD, &value, err))
			return false;
		*(letter == 'r' ? &maker->repositories : &maker->people) = (uint32_t)value;
		return true;
	case 't':
	case 'l':
		if (!parse_number(name, text, 1, letter == 't' ? HOURS_THREADS_MAX : 9, &value, err))
			return false;
		*(letter == 't' ? &maker->threads : &maker->level) = (int)value;
		return true;
	default:
		return err_set(err, ERR_INPUT, "unknown option; see --help");
	}
}

static bool parse(int count, char **texts, struct arguments *arguments, struct err *err)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},    {"hours", required_argument, NULL, 'h'},
		{"events", required_argument, NULL, 'n'},  {"overlap", required_argument, NULL, 'o'},
		{"era", required_argument, NULL, 'e'},     {"seed", required_argument, NULL, 's'},
		{"people", required_argument, NULL, 'p'},  {"repositories", required_argument, NULL, 'r'},
		{"threads", required_argument, NULL, 't'}, {"level", required_argument, NULL, 'l'},
		{0},
	};
	opterr = 0;
	for (int index = 0, letter; (letter = getopt_long(count, texts, "", options, &index)) != -1;)
		if (!set_option(letter, options[index].name, optarg, arguments, err))
			return false;
	if (optind + 1 != count)
		return err_set(err, ERR_INPUT, "one folder is wanted; see --help");
	arguments->folder = texts[optind];
	return true;
}

static bool run(const struct arguments *arguments, struct err *err)
{
	struct hours_maker *maker CLEANUP(hours_destroy) = hours_create(&arguments->maker);
	for (uint32_t i = 0; i < arguments->hours; i++) {
		int64_t start_us = arguments->first_us + (int64_t)i * 3600000000;
		struct hours_name name = hours_name_of(start_us);
		struct hours_report report;
		struct file_path path;
		if (!file_path_make(&path, err, "%s/%s.json.gz", arguments->folder, name.text)
		    || !hours_write(maker, start_us, path.text, &report, err))
			return false;
		(void)printf("%s\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\n", name.text, arguments->maker.events,
			     report.raw_bytes, report.gzip_bytes);
		(void)fflush(stdout);
	}
	return true;
}

int main(int count, char **texts)
{
	struct err err = {0};
	struct arguments arguments = {
		.first_us = 1705276800000000, /* 2024-01-15-0 */
		.hours = 1,
		.maker = {
			.seed = 1,
			.events = 200000,
			.repositories = 200000,
			.people = 150000,
			.threads = 2,
			.level = 6,
		},
	};
	if (count == 2 && strcmp(texts[1], "--help") == 0)
		return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	if (count == 2 && strcmp(texts[1], "--version") == 0)
		return puts("octolake-make-hours " OCTOLAKE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	bool understood = parse(count, texts, &arguments, &err);
	if (understood && run(&arguments, &err))
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "octolake-make-hours: %s\n", err.text);
	return understood ? EXIT_FAILURE : EXIT_USAGE;
}
