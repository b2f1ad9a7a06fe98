/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_pipeline.c - what the pipeline did of late: from the running server's /api/v1/pipeline, or from
 * the catalog in the same form. */
#include "app/doctor.h"

#include <inttypes.h>

enum { FAILED_IN_ROW_WARN = 3, LAG_WARN_S = 900 };

static bool is_true(const struct json_node *object, const char *key)
{
	const struct json_node *node = json_get(object, key);
	return node && node->kind == JSON_NODE_BOOLEAN && node->boolean;
}

static void check_ledger(struct doctor *doctor)
{
	const struct json_node *ledger = json_get(doctor->pipeline, "ledger");
	int64_t received = json_get_integer(ledger, "received", 0);
	/* Without a server gold's numbers are those that the catalog mirrors. */
	if (is_true(ledger, "balanced"))
		doctor_say(doctor, "ledger", DOCTOR_OK, NULL, "%" PRId64 " events received, all accounted for",
			   received);
	else
		doctor_say(doctor, "ledger", DOCTOR_FAIL, "stop octolake, then: octolake rebuild silver",
			   "the sums differ: of %" PRId64 " events received some are not accounted for", received);
}

static void check_sweeps(struct doctor *doctor)
{
	const struct json_node *sweeps = json_get(doctor->pipeline, "sweeps");
	size_t count = sweeps ? sweeps->count : 0;
	size_t failed = 0;
	size_t gaps = 0;
	size_t compared = 0;
	double overlap = 0;
	if (count == 0) {
		doctor_say(doctor, "sweeps", DOCTOR_OK, NULL, "none yet");
		return;
	}
	while (failed < count && span_equal_text(json_get_text(sweeps->values[failed], "status"), "failed"))
		failed++;
	for (size_t i = 0; i < count; i++) {
		const struct json_node *share = json_get(sweeps->values[i], "overlap");
		gaps += is_true(sweeps->values[i], "gap");
		if (!share || (share->kind != JSON_NODE_REAL && share->kind != JSON_NODE_INTEGER))
			continue;
		overlap += share->real;
		compared++;
	}
	struct span error = json_get_text(sweeps->values[0], "error");
	if (failed >= FAILED_IN_ROW_WARN)
		doctor_say(doctor, "sweeps", DOCTOR_WARN, "see the lines of \"network\"",
			   "the last %zu failed: %.*s", failed,
			   SPAN_ARGUMENTS(error));
	else if (compared == 0)
		doctor_say(doctor, "sweeps", DOCTOR_OK, NULL, "%zu, nothing to compare yet", count);
	else
		doctor_say(doctor, "sweeps", DOCTOR_OK, NULL,
			   "the last %zu met %.0f %% of the sweep before again on average; %zu with a gap", count,
			   100 * overlap / (double)compared, gaps);
}

/* A sample is what polling the public feed gives: nothing to repair. */
static void check_seen(struct doctor *doctor, const char *key, const char *name, const char *what)
{
	const struct json_node *seen = json_get(json_get(doctor->pipeline, "seen"), key);
	const struct json_node *share = json_get(seen, "share");
	if (!share || (share->kind != JSON_NODE_REAL && share->kind != JSON_NODE_INTEGER)) {
		doctor_say(doctor, name, DOCTOR_OK, NULL,
			   "share of %s: not known, fewer than two sweeps in the last hour", what);
		return;
	}
	bool watched = seen == json_get(json_get(doctor->pipeline, "seen"), "watched");
	doctor_say(doctor, name, watched && share->real < 0.95 ? DOCTOR_WARN : DOCTOR_OK,
		   "set a token, or watch fewer repositories: the budget does not reach for all",
		   "%.*f %% of %s in the last hour, by %" PRId64 " sweeps", share->real < 0.1 ? 1 : 0,
		   100 * share->real, what,
		   json_get_integer(seen, "sweeps", 0));
}

static void check_polling(struct doctor *doctor)
{
	const struct json_node *polling = json_get(doctor->pipeline, "polling");
	const struct json_node *clock = json_get(polling, "clock");
	struct span limited = json_get_text(polling, "limited_until");
	struct span error = json_get_text(polling, "last_error");
	struct span next = json_get_text(polling, "next_poll");
	if (!is_true(polling, "running"))
		doctor_say(doctor, "polling", DOCTOR_OK, NULL, "off (mode %.*s)",
			   SPAN_ARGUMENTS(json_get_text(doctor->pipeline, "mode")));
	else if (limited.size > 0)
		doctor_say(doctor, "polling", DOCTOR_WARN, "wait: it goes on by itself", "limited by GitHub until %.*s",
			   SPAN_ARGUMENTS(limited));
	else if (error.size > 0)
		doctor_say(doctor, "polling", DOCTOR_WARN, "see the lines of \"network\"", "%.*s",
			   SPAN_ARGUMENTS(error));
	else
		doctor_say(doctor, "polling", DOCTOR_OK, NULL,
			   "next at %.*s, GitHub asks for %" PRId64 " s between polls",
			   SPAN_ARGUMENTS(next), json_get_integer(polling, "poll_interval_seconds", 0));
	if (is_true(clock, "off"))
		doctor_say(doctor, "server-clock", DOCTOR_WARN, "sudo timedatectl set-ntp true",
			   "the server finds this machine's clock %" PRId64 " s ahead of GitHub's",
			   json_get_integer(clock, "ahead_seconds", 0));
}

static void check_lag(struct doctor *doctor)
{
	int64_t lag_s = json_get_integer(doctor->pipeline, "lag_seconds", -1);
	bool polls = is_true(json_get(doctor->pipeline, "polling"), "running");
	if (lag_s < 0)
		doctor_say(doctor, "lag", DOCTOR_OK, NULL, "no events yet");
	else
		doctor_say(doctor, "lag", polls && lag_s > LAG_WARN_S ? DOCTOR_WARN : DOCTOR_OK,
			   "GitHub shows events 30 s to 6 h late; the dashboard says when the last poll was answered",
			   "the newest event is %s old", doctor_seconds(doctor, lag_s));
}

void doctor_check_pipeline(struct doctor *doctor)
{
	if (!doctor->pipeline)
		return;
	const struct json_node *stage_error = json_get(doctor->pipeline, "stage_error");
	check_ledger(doctor);
	if (doctor->holder.api[0])
		check_polling(doctor);
	check_sweeps(doctor);
	check_seen(doctor, "public", "seen", "the public feed");
	if (json_get(json_get(doctor->pipeline, "seen"), "watched")->kind != JSON_NODE_NULL)
		check_seen(doctor, "watched", "seen-watched", "what is watched");
	check_lag(doctor);
	if (stage_error && stage_error->kind == JSON_NODE_OBJECT)
		doctor_say(doctor, "stages", DOCTOR_FAIL, "the server tries again by itself; its log has more",
			   "%.*s", SPAN_ARGUMENTS(json_get_text(stage_error, "text")));
}
