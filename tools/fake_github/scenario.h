/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.h - the ways in which the server can misbehave, one table.
 *
 * A fault takes part in the first few requests for page 1 of any stream (`times`), then service is
 * normal again, so that "every event of the feed is stored" can be demanded at the end. A content
 * scenario instead puts odd events into the feed once, when it is chosen. To add a scenario, write
 * its hook and a line of the table in scenario.c; README.md's table is printed by --scenarios. */
#ifndef FAKE_GITHUB_SCENARIO_H
#define FAKE_GITHUB_SCENARIO_H

#include "fake_github/feed.h"
#include "fake_github/http.h"
#include "fake_github/limits.h"

struct scenario_call {
	unsigned hit; /* 0 for the first request that the fault takes part in */
	int64_t now_us;
	int64_t now_ms;
	struct identity *identity; /* of the client; for `answer` only */
	struct span target;
	const char *own_host;     /* as the client calls it */
	const char *foreign_host; /* "127.0.0.2:PORT" */
	struct http_response *response;
};

struct scenario {
	const char *name;
	const char *what;      /* what the server does */
	const char *end_state; /* what a right client has reached at the end */
	unsigned times;        /* by default; 0 for content scenarios */

	/* Exactly one of these. */
	void (*answer)(
		struct scenario_call *call); /* instead of the service; the feed does not move */
	void (*damage_page)(
		struct scenario_call *call); /* to a page (200) before it is encoded, or */
	void (*damage_wire)(
		struct scenario_call *call); /* after that; it then counts as unserved */
	bool (*insert)(struct feed *feed, int64_t now_us);
};

/* The table; `count_out` gets its size. */
const struct scenario *scenario_table(size_t *count_out);

/* NULL when there is none of that name. */
const struct scenario *scenario_find(struct span name);

/* One paragraph per scenario, for --scenarios. */
void scenario_print_all(struct buf *out);

/* Hooks, for the table only. */
void scenario_answer_primary_403(struct scenario_call *call);
void scenario_answer_primary_429(struct scenario_call *call);
void scenario_answer_abuse_403(struct scenario_call *call);
void scenario_answer_secondary_429(struct scenario_call *call);
void scenario_answer_secondary_date(struct scenario_call *call);
void scenario_answer_secondary_silent(struct scenario_call *call);
void scenario_answer_500(struct scenario_call *call);
void scenario_answer_502(struct scenario_call *call);
void scenario_answer_503_html(struct scenario_call *call);
void scenario_answer_redirect_other_host(struct scenario_call *call);
void scenario_answer_redirect_same_host(struct scenario_call *call);
void scenario_answer_refuse(struct scenario_call *call);
void scenario_answer_reset(struct scenario_call *call);
void scenario_answer_not_an_array(struct scenario_call *call);
void scenario_answer_empty_body(struct scenario_call *call);
void scenario_damage_truncate(struct scenario_call *call);
void scenario_damage_reset_in_body(struct scenario_call *call);
void scenario_damage_short_length(struct scenario_call *call);
void scenario_damage_gzip(struct scenario_call *call);
void scenario_damage_json_cut(struct scenario_call *call);
bool scenario_insert_bad_utf8(struct feed *feed, int64_t now_us);
bool scenario_insert_lone_surrogate(struct feed *feed, int64_t now_us);
bool scenario_insert_unknown_type(struct feed *feed, int64_t now_us);
bool scenario_insert_null_actor(struct feed *feed, int64_t now_us);
bool scenario_insert_broken(struct feed *feed, int64_t now_us);
bool scenario_insert_duplicate(struct feed *feed, int64_t now_us);
bool scenario_insert_id_reuse(struct feed *feed, int64_t now_us);

/* The mark in a target by which a same-host redirect is known to have been followed. */
#define SCENARIO_MOVED_MARK "moved=1"

#endif
