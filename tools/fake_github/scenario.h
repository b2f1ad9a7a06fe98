/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.h - the ways in which the server can misbehave, one table.
 *
 * A fault takes part in the first few requests for page 1 of any stream (`times`), and where it
 * leaves a page readable also in the pages behind it; then service is normal again, so that "every
 * event of the feed is stored" can be demanded at the end. A content scenario instead puts odd
 * events into the feed once, when it is chosen. To add a scenario, write its hook and a line of the
 * table in scenario.c; README.md's table is printed by --scenarios. */
#ifndef FAKE_GITHUB_SCENARIO_H
#define FAKE_GITHUB_SCENARIO_H

#include "fake_github/feed.h"
#include "fake_github/http.h"
#include "fake_github/limits.h"

struct scenario_call {
	unsigned hit; /* 0 for the first request for page 1 that the fault takes part in */
	unsigned page;
	int64_t now_us;
	int64_t now_ms;
	struct identity *identity; /* of the client; for `answer` only */
	const struct http_request *request;
	int stream_index; /* of the ledger: what /repositories/N/events leads to */
	int64_t poll_interval_seconds;
	const char *own_host;     /* as the client calls it */
	const char *foreign_host; /* "127.0.0.2:PORT" */
	struct http_response *response;
	bool own_limits; /* set by `answer`: it told the budget itself */
	bool declined; /* set by `answer`: this request is served honestly and is no hit */
};

/* What a page shows of the window: `order` are places in it, newest first from 0. */
struct scenario_window {
	size_t order[PAGING_WINDOW_EVENTS];
	size_t count;
	size_t first; /* the page, a half-open range of `order` */
	size_t end;
	size_t linked; /* events that the Link header reckons with */
};

struct scenario {
	const char *name;
	const char *what;      /* what the server does */
	const char *end_state; /* what a right client has reached at the end */
	unsigned times;        /* by default; 0 for content scenarios */
	int64_t skew_us;       /* while it is chosen the server's clock is off by so much */

	/* Exactly one of these. */
	void (*answer)(
		struct scenario_call *call); /* instead of the service; the feed does not move */
	void (*damage_page)(
		struct scenario_call *call); /* to a page (200) before it is encoded, or */
	void (*damage_wire)(
		struct scenario_call *call); /* after that; it then counts as unserved */
	void (*dress)(struct scenario_call *call); /* to a page or 304 that stays good: it is served */
	void (*arrange)(struct scenario_call *call, struct scenario_window *window); /* likewise */
	bool (*insert)(struct feed *feed, int64_t now_us);
};

/* The table; `count_out` gets its size. */
const struct scenario *scenario_table(size_t *count_out);

/* NULL when there is none of that name. */
const struct scenario *scenario_find(struct span name);

/* One paragraph per scenario, for --scenarios. */
void scenario_print_all(struct buf *out);

/* Where /repositories/N/events begins to count: N less this is a stream of the ledger. */
enum { SCENARIO_REPOSITORY_ID_FIRST = 1296269 };

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
void scenario_answer_504(struct scenario_call *call);
void scenario_answer_503_retry(struct scenario_call *call);
void scenario_answer_403_forbidden(struct scenario_call *call);
void scenario_answer_404(struct scenario_call *call);
void scenario_answer_422(struct scenario_call *call);
void scenario_answer_401(struct scenario_call *call);
void scenario_answer_reset_past(struct scenario_call *call);
void scenario_answer_retry_after_years(struct scenario_call *call);
void scenario_answer_redirect_renamed(struct scenario_call *call);
void scenario_answer_redirect_loop(struct scenario_call *call);
void scenario_answer_redirect_nowhere(struct scenario_call *call);
void scenario_answer_html(struct scenario_call *call);
void scenario_answer_stale_304(struct scenario_call *call);
void scenario_damage_utf16(struct scenario_call *call);
void scenario_damage_bom(struct scenario_call *call);
void scenario_damage_garbage_behind(struct scenario_call *call);
void scenario_damage_two_arrays(struct scenario_call *call);
void scenario_damage_page_100mb(struct scenario_call *call);
void scenario_damage_gzip_cut(struct scenario_call *call);
void scenario_damage_gzip_bomb(struct scenario_call *call);
void scenario_damage_unknown_coding(struct scenario_call *call);
void scenario_damage_bad_chunk(struct scenario_call *call);
void scenario_damage_length_text(struct scenario_call *call);
void scenario_damage_slow_head(struct scenario_call *call);
void scenario_damage_slow_body(struct scenario_call *call);
void scenario_damage_stall(struct scenario_call *call);
void scenario_damage_huge_header(struct scenario_call *call);
void scenario_damage_many_headers(struct scenario_call *call);
void scenario_dress_chunked(struct scenario_call *call);
void scenario_dress_http_1_0(struct scenario_call *call);
void scenario_dress_early_hints(struct scenario_call *call);
void scenario_dress_close_unsaid(struct scenario_call *call);
void scenario_dress_etag_missing(struct scenario_call *call);
void scenario_dress_etag_flapping(struct scenario_call *call);
void scenario_dress_etag_huge(struct scenario_call *call);
void scenario_dress_etag_strong(struct scenario_call *call);
void scenario_dress_interval_missing(struct scenario_call *call);
void scenario_dress_interval_absurd(struct scenario_call *call);
void scenario_dress_limits_absurd(struct scenario_call *call);
void scenario_dress_limits_missing(struct scenario_call *call);
void scenario_dress_link_missing(struct scenario_call *call);
void scenario_dress_link_loop(struct scenario_call *call);
void scenario_dress_link_other_host(struct scenario_call *call);
void scenario_dress_link_malformed(struct scenario_call *call);
void scenario_dress_link_very_long(struct scenario_call *call);
void scenario_dress_date_missing(struct scenario_call *call);
void scenario_arrange_reversed(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_shuffled(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_shrunk(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_hole(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_overlap(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_big(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_stale(struct scenario_call *call, struct scenario_window *window);
void scenario_arrange_empty(struct scenario_call *call, struct scenario_window *window);
bool scenario_insert_deep(struct feed *feed, int64_t now_us);
bool scenario_insert_duplicate_keys(struct feed *feed, int64_t now_us);
bool scenario_insert_nul_bytes(struct feed *feed, int64_t now_us);
bool scenario_insert_20mb(struct feed *feed, int64_t now_us);
bool scenario_insert_id_months(struct feed *feed, int64_t now_us);
bool scenario_insert_id_other_type(struct feed *feed, int64_t now_us);
bool scenario_insert_odd_ids(struct feed *feed, int64_t now_us);
bool scenario_insert_odd_types(struct feed *feed, int64_t now_us);
bool scenario_insert_odd_times(struct feed *feed, int64_t now_us);
bool scenario_insert_future(struct feed *feed, int64_t now_us);
bool scenario_insert_eras(struct feed *feed, int64_t now_us);
bool scenario_insert_late(struct feed *feed, int64_t now_us);
bool scenario_insert_no_org(struct feed *feed, int64_t now_us);
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
