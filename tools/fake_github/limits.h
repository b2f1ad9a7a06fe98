/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - GitHub's primary budget, one for each identity (a token, or all anonymous requests),
 * and the waits that an identity was told to keep.
 *
 * A window opens with an identity's first request and ends on a whole second, which is what
 * x-ratelimit-reset names. Source: REST documentation "Rate limits". */
#ifndef FAKE_GITHUB_LIMITS_H
#define FAKE_GITHUB_LIMITS_H

#include "base/span.h"

enum {
	LIMITS_IDENTITIES_MAX = 64,
	LIMITS_ANONYMOUS_DEFAULT = 60,
	LIMITS_TOKEN_DEFAULT = 5000,
	LIMITS_WINDOW_SECONDS_DEFAULT = 3600,
};

struct limits_options {
	int64_t anonymous_requests;
	int64_t token_requests;
	int64_t window_seconds;
};

struct identity {
	uint64_t token_hash; /* 0: anonymous */
	int64_t limit;
	int64_t used;
	int64_t reset_seconds; /* since 1970; 0 before the first request */
	int exhausted_status;  /* 403, or 429 when a scenario wants that */
	int64_t retry_after_until_ms; /* monotonic; 0: nothing to keep */
};

struct limits {
	struct limits_options options;
	struct identity identities[LIMITS_IDENTITIES_MAX];
	size_t count;
};

void limits_init(struct limits *limits, const struct limits_options *options);

/* The identity of a token (absent span: anonymous), its window opened or renewed. Past
 * LIMITS_IDENTITIES_MAX tokens the newest ones share one identity. Borrowed from `limits`. */
struct identity *limits_identity(struct limits *limits, struct span token, int64_t now_us);

int64_t identity_remaining(const struct identity *identity);

/* Counts one request; nothing when the budget is empty. */
void identity_consume(struct identity *identity);

/* Empties the budget until the end of the second that lies `seconds` ahead; requests until then are
 * answered with `status`. */
void identity_exhaust(struct identity *identity, int64_t seconds, int status, int64_t now_us);

#endif
