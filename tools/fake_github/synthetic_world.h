/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_world.h - the repositories, people and bots of the generated feed: who they are and how
 * often they act. All of it follows from a seed. Popularity is skewed as in reality (Zipf), and a
 * repository's events come mostly from a few people of its own. Only the parts marked below change as
 * events are planned; the rest may be read by several threads. */
#ifndef FAKE_GITHUB_SYNTHETIC_WORLD_H
#define FAKE_GITHUB_SYNTHETIC_WORLD_H

#include "base/span.h"

enum {
	WORLD_REPOSITORIES = 4000, /* of the feed */
	WORLD_PEOPLE = 12000,
	WORLD_COUNT_MAX = 4000000,
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
	uint32_t first_number; /* of its issues and pull requests before anything happened */
	/* Changes as events happen. */
	uint32_t last_number;
	struct world_item open_pulls[WORLD_OPEN_ITEMS_MAX];
	uint32_t open_pull_count;
	struct world_item open_issues[WORLD_OPEN_ITEMS_MAX];
	uint32_t open_issue_count;
};

struct world_shape {
	uint64_t seed;
	uint32_t repositories; /* 1 to WORLD_COUNT_MAX */
	uint32_t people;       /* likewise */
	bool full_payloads;    /* those of 2015 to October 2025, not those of today */
	bool prose;            /* texts are made up word by word, not picked from a few hostile ones */
};

struct world {
	struct world_shape shape;
	struct world_repository *repositories;
	double *repository_weights; /* cumulative, last is 1 */
	double *person_weights;
};

struct world *world_create(const struct world_shape *shape);
void world_destroy(struct world **world);
/* Forgets what happened: no open items, numbers `offset` higher than in a new world. */
void world_reset(struct world *world, uint32_t offset);

uint32_t world_pick_repository(const struct world *world, struct world_random *random);
/* An account number: below shape.people a person, above a bot. */
uint32_t world_pick_actor(const struct world *world, uint32_t repository, bool bots_too,
			  struct world_random *random);
struct world_account world_account_of(const struct world *world, uint32_t account);

#endif
