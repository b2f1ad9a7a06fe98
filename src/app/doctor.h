/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.h - what the parts of `octolake doctor` share. Each part looks at one field, says what it
 * found line by line, and goes on whatever it found: one trouble must not hide the next.
 *
 * The doctor reads. It makes no folder and takes no lock; the one exception is the moment in which it
 * opens gold while nobody works on the data folder, in which it holds the folder's lock (decision
 * 0010). Nothing it says holds a secret: texts that may are masked. */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/session.h"
#include "gold/gold.h"
#include "wrap/json_document.h"

enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor_check {
	const char *group; /* "environment", "data", "ports", "network", "pipeline", "definitions" */
	const char *name;  /* stable, unique but for the files of "definitions" */
	enum doctor_status status;
	const char *text; /* in the arena, as all texts here */
	const char *fix;  /* NULL: nothing to do */
	const char *at;   /* "metrics.yaml:3:5", or NULL */
};

/* More lines than the parts have together; those of metric files are bounded for themselves. */
enum { DOCTOR_CHECK_COUNT_MAX = 200 };

struct doctor {
	struct config *config;
	bool deep;
	struct arena arena;
	const char *group; /* of the part at work */
	struct doctor_check checks[DOCTOR_CHECK_COUNT_MAX];
	size_t check_count;
	bool has_folder; /* the data folder exists; layout is its */
	struct layout layout;
	bool held; /* by whom: */
	struct session_holder holder;
	struct catalog *catalog; /* read-only; NULL: none, or not to be opened */
	struct gold_probe gold; /* found: it was opened */
	const struct json_node *pipeline; /* as /api/v1/pipeline tells it; NULL: not to be had */
};

/* A line. `fix` may be NULL; it is shown as it is. */
void doctor_say(struct doctor *doctor, const char *name, enum doctor_status status, const char *fix,
		const char *format, ...) PRINTF_LIKE(5, 6);
/* The same with the place in a file that it is about. */
void doctor_say_at(struct doctor *doctor, const char *name, enum doctor_status status, const char *at,
		   const char *fix, const char *text);
/* printf into the doctor's arena. */
const char *doctor_text(struct doctor *doctor, const char *format, ...) PRINTF_LIKE(2, 3);
/* "1.2 GB". */
const char *doctor_bytes(struct doctor *doctor, int64_t bytes);
/* "5 min", "3 h": the largest unit that fits. */
const char *doctor_seconds(struct doctor *doctor, int64_t seconds);

/* The parts, in the order in which they run: each fills what later ones need. */
void doctor_check_environment(struct doctor *doctor);
void doctor_check_data(struct doctor *doctor);
void doctor_check_ports(struct doctor *doctor);
void doctor_check_network(struct doctor *doctor);
void doctor_check_pipeline(struct doctor *doctor);
void doctor_check_definitions(struct doctor *doctor);

#endif
