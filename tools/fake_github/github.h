/* SPDX-License-Identifier: Apache-2.0 */
/* github.h - the Events API itself: routes, authentication, budget, paging, conditional requests,
 * and what scenarios make of them. Requests in, responses out; no sockets.
 *
 * Thread-safe: one lock guards the feed, the budgets, the ledger and the scenario. */
#ifndef FAKE_GITHUB_GITHUB_H
#define FAKE_GITHUB_GITHUB_H

#include "base/clock.h"
#include "fake_github/feed.h"
#include "fake_github/http.h"
#include "fake_github/ledger.h"
#include "fake_github/limits.h"
#include "fake_github/scenario.h"

enum { HOST_BYTES_MAX = 256 };

struct github_options {
	struct limits_options limits;
	int64_t poll_interval_seconds; /* X-Poll-Interval; 0: clients need not wait */
	const char *token;      /* the only good one; NULL: any that does not start with "bad" */
	unsigned scenario_times; /* 0: the scenario's own number */
};

struct github {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct github_options options;
	char foreign_host[HOST_BYTES_MAX]; /* set before the first request */
	struct feed *feed;
	struct limits limits;
	struct ledger ledger;
	const struct scenario *scenario; /* NULL: honest */
	unsigned scenario_hits;
	bool scenario_in_walk; /* the last page 1 was dressed or arranged: so are those behind it */
};

/* What must be remembered between an answer and its sending. */
struct github_exchange {
	uint64_t seq; /* 0: not in the ledger */
	struct event_key *keys; /* to be counted as served; heap */
	size_t key_count;
};

/* Takes over `feed`. */
void github_init(struct github *github, struct feed *feed, const struct github_options *options,
		 const struct clock *clock);
void github_finish(struct github *github);

/* Chooses a scenario ("none": back to honest service) and starts counting its requests anew.
 * ERR_INPUT when there is none of that name. */
MUST_CHECK bool github_choose_scenario(struct github *github, struct span name, struct err *err);

/* Answers one request. `foreign` says that it came in on the other host's port. Follow up with
 * github_sent, once. */
void github_answer(struct github *github, const struct http_request *request, bool foreign,
		   struct http_response *response, struct github_exchange *exchange_out);

/* The answer was written to the socket, wholly or not. Frees what `exchange` holds. */
void github_sent(struct github *github, struct github_exchange *exchange, bool sent);

#endif
