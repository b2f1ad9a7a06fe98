/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/limits.h"

#include <assert.h>

enum { SECOND_US = 1000000 };

void limits_init(struct limits *limits, const struct limits_options *options)
{
	assert(options->window_seconds > 0);
	*limits = (struct limits){.options = *options};
}

static struct identity *find_or_add(struct limits *limits, uint64_t token_hash)
{
	for (size_t i = 0; i < limits->count; i++)
		if (limits->identities[i].token_hash == token_hash)
			return &limits->identities[i];
	if (limits->count == LIMITS_IDENTITIES_MAX)
		return &limits->identities[LIMITS_IDENTITIES_MAX - 1];
	struct identity *identity = &limits->identities[limits->count++];
	*identity = (struct identity){.token_hash = token_hash};
	return identity;
}

struct identity *limits_identity(struct limits *limits, struct span token, int64_t now_us)
{
	uint64_t token_hash = token.data ? span_hash(token, 0) | 1 : 0;
	struct identity *identity = find_or_add(limits, token_hash);
	int64_t now_seconds = now_us / SECOND_US;
	if (now_seconds >= identity->reset_seconds) {
		identity->used = 0;
		identity->limit = token.data ? limits->options.token_requests
					     : limits->options.anonymous_requests;
		identity->reset_seconds = now_seconds + limits->options.window_seconds;
		identity->exhausted_status = 403;
	}
	return identity;
}

int64_t identity_remaining(const struct identity *identity)
{
	return identity->used < identity->limit ? identity->limit - identity->used : 0;
}

void identity_consume(struct identity *identity)
{
	if (identity->used < identity->limit)
		identity->used++;
}

void identity_exhaust(struct identity *identity, int64_t seconds, int status, int64_t now_us)
{
	identity->used = identity->limit;
	identity->reset_seconds = now_us / SECOND_US + 1 + seconds;
	identity->exhausted_status = status;
}
