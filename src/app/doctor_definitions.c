/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_definitions.c - events.yaml and metric files, as a start would read them. */
#include "app/doctor.h"

#include "app/scratch.h"
#include "metrics/metrics.h"

#include <inttypes.h>

enum { PROBLEMS_SHOWN_MAX = 50 };

static bool check_events(struct doctor *doctor)
{
	struct field_set *fields CLEANUP(field_set_destroy) = NULL;
	char file[FILE_PATH_BYTES_MAX];
	struct err err;
	if (!session_load_fields(doctor->config, &fields, file, &err)) {
		doctor_say(doctor, "events", DOCTOR_FAIL, "mend the file, or choose another with --events FILE",
			   "%s", err.text);
		return false;
	}
	doctor_say(doctor, "events", DOCTOR_OK, NULL, "%s", file[0] ? file : "built in");
	return true;
}

static void say_problem(struct doctor *doctor, const struct metric_problem *problem)
{
	const char *at = doctor_text(doctor, "%.*s:%d:%d", SPAN_ARGUMENTS(problem->file), problem->line,
				     problem->column);
	doctor_say_at(doctor, "metrics", problem->warning ? DOCTOR_WARN : DOCTOR_FAIL, at,
		      doctor_text(doctor, "mend it, then: octolake check %.*s", SPAN_ARGUMENTS(problem->file)),
		      doctor_text(doctor, "%.*s", SPAN_ARGUMENTS(problem->text)));
}

static void check_metrics(struct doctor *doctor)
{
	struct scratch scratch CLEANUP(scratch_finish) = {0};
	struct err err;
	if (!scratch_open(&scratch, doctor->config, &err)) {
		doctor_say(doctor, "metrics", DOCTOR_WARN, NULL, "not looked at: %s", err.text);
		return;
	}
	struct metrics_options options = {.gold = scratch.gold, .clock = clock_system()};
	options.paths = session_metric_paths(doctor->config, &options.path_count);
	struct metrics *metrics CLEANUP(metrics_destroy) = metrics_create(&options);
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	size_t errors = 0;
	for (size_t i = 0; i < catalogue->problem_count; i++) {
		if (i < PROBLEMS_SHOWN_MAX)
			say_problem(doctor, &catalogue->problems[i]);
		errors += !catalogue->problems[i].warning;
	}
	if (catalogue->problem_count > PROBLEMS_SHOWN_MAX)
		doctor_say(doctor, "metrics", errors > 0 ? DOCTOR_FAIL : DOCTOR_WARN,
			   "octolake check FILE shows them all",
			   "%zu problems, the first %d above", catalogue->problem_count, PROBLEMS_SHOWN_MAX);
	if (errors == 0)
		doctor_say(doctor, "metrics", DOCTOR_OK, NULL, "%zu metrics, %zu paths besides the built-in ones",
			   catalogue->metric_count, options.path_count);
	metrics_release(metrics, catalogue);
}

void doctor_check_definitions(struct doctor *doctor)
{
	if (check_events(doctor))
		check_metrics(doctor);
}
