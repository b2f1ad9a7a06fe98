/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_world.h - the repositories, people and bots of the generated feed: who they are and how
 * often they act. All of it follows from a seed. Popularity is skewed as in reality (Zipf), and a
 * repository's events come mostly from a few people of its own. */
#ifndef FAKE_GITHUB_SYNTHETIC_WORLD_H
#define FAKE_GITHUB_SYNTHETIC_WORLD_H

#include "base/span.h"

enum {
	WORLD_REPOSITORIES = 4000,
	WORLD_PEOPLE = 12000,
	WORLD_BOTS = 12,
	WORLD_ORGANISATIONS = 250,
	WORLD_NAME_BYTES = 64,
	WORLD_OPEN_ITEMS_MAX = 6,
};

/* splitmix64: small, fast and good enough for shapes. */
struct world_random {
	uint64_t state;
};
uint64_t world_random_next(struct world_random *random);
/* From 0 to `bound` - 1. */
uint64_t world_random_below(struct world_random *random, uint64_t bound);

struct world_account {
	int64_t id;
	char login[WORLD_NAME_BYTES];
	bool is_bot;
	bool is_organisation;
};

/* An issue or pull request that is open. */
struct world_item {
	uint32_t number;
	int64_t id;
	uint32_t author; /* person or bot */
};

struct world_repository {
	int64_t id;
	char name[WORLD_NAME_BYTES]; /* without the owner */
	struct world_account owner;
	/* Changes as events happen. */
	uint32_t last_number;
	struct world_item open_pulls[WORLD_OPEN_ITEMS_MAX];
	uint32_t open_pull_count;
	struct world_item open_issues[WORLD_OPEN_ITEMS_MAX];
	uint32_t open_issue_count;
};

struct world {
	uint64_t seed;
	struct world_repository repositories[WORLD_REPOSITORIES];
	double repository_weights[WORLD_REPOSITORIES]; /* cumulative, last is 1 */
	double person_weights[WORLD_PEOPLE];
};

struct world *world_create(uint64_t seed);
void world_destroy(struct world **world);

uint32_t world_pick_repository(const struct world *world, struct world_random *random);
/* An account number: below WORLD_PEOPLE a person, above a bot. */
uint32_t world_pick_actor(const struct world *world, uint32_t repository, bool bots_too,
			  struct world_random *random);
struct world_account world_account_of(const struct world *world, uint32_t account);

#endif
