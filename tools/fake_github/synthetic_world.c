/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/synthetic_world.h"

#include "base/attributes.h"
#include "base/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BOT_PERCENT = 20,          /* of the events that bots take part in; measured: 10 to 20 % */
	OWN_PEOPLE_PERCENT = 70,   /* of a repository's events come from its own few people */
	ORGANISATION_PERCENT = 45, /* of repositories */
};

static const char *const first_words[] = {
	"amber",  "ancient", "arctic", "atomic", "autumn", "bitter", "blue",   "bold",  "brave",
	"bright", "calm",    "clever", "cosmic", "crisp",  "dark",   "deep",   "dusty", "early",
	"fast",   "frosty",  "gentle", "golden", "green",  "happy",  "hidden", "icy",   "jolly",
	"keen",   "late",    "lively", "lucky",  "lunar",  "misty",  "mellow", "noble", "odd",
	"quiet",  "rapid",   "red",    "rustic", "salty",  "silent", "solar",  "spicy", "swift",
	"tiny",   "vivid",   "warm",   "wild",   "young",
};
static const char *const second_words[] = {
	"anchor",  "badger", "beacon",  "bridge", "cache",  "canyon",  "cedar",  "cipher", "comet",
	"compass", "coral",  "crane",   "delta",  "dragon", "engine",  "falcon", "forge",  "garden",
	"harbor",  "heron",  "island",  "kernel", "ladder", "lantern", "lemur",  "lotus",  "maple",
	"meadow",  "mirror", "mosaic",  "nebula", "oasis",  "octopus", "orchid", "otter",  "panda",
	"parser",  "pebble", "pixel",   "plasma", "prism",  "quartz",  "raven",  "relay",  "river",
	"rocket",  "router", "sensor",  "signal", "spark",  "sprout",  "stream", "summit", "tensor",
	"thunder", "tunnel", "turbine", "valley", "vertex", "willow",
};

/* Real ids, so that bots look the same in every feed. */
static const struct world_account bots[WORLD_BOTS] = {
	{49699333, "dependabot[bot]", true, false},
	{41898282, "github-actions[bot]", true, false},
	{29139614, "renovate[bot]", true, false},
	{136622811, "coderabbitai[bot]", true, false},
	{198982749, "copilot-swe-agent[bot]", true, false},
	{39814207, "pull[bot]", true, false},
	{66853113, "pre-commit-ci[bot]", true, false},
	{35613825, "vercel[bot]", true, false},
	{22429695, "codecov[bot]", true, false},
	{37929162, "mergify[bot]", true, false},
	{46447321, "allcontributors[bot]", true, false},
	{26384082, "stale[bot]", true, false},
};

uint64_t world_random_next(struct world_random *random)
{
	uint64_t value = random->state += 0x9e3779b97f4a7c15U;
	value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
	value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
	return value ^ (value >> 31);
}

uint64_t world_random_below(struct world_random *random, uint64_t bound)
{
	assert(bound > 0);
	return world_random_next(random) % bound;
}

static double random_unit(struct world_random *random)
{
	return (double)(world_random_next(random) >> 11) / 9007199254740992.0;
}

static struct world_random random_for(const struct world *world, uint64_t kind, uint64_t number)
{
	return (struct world_random){world->shape.seed * 0x9e3779b97f4a7c15U + (kind << 56) + number};
}

/* Weight 1/(rank + 3): steep at the front, a long tail. */
static void fill_weights(double *weights, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		weights[i] = sum += 1.0 / ((double)i + 3.0);
	for (size_t i = 0; i < count; i++)
		weights[i] /= sum;
	weights[count - 1] = 1.0;
}

static uint32_t pick_weighted(const double *weights, size_t count, struct world_random *random)
{
	double wanted = random_unit(random);
	size_t low = 0;
	size_t high = count - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (weights[middle] > wanted)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

static const char *pick_word(const char *const *words, size_t count, struct world_random *random)
{
	return words[world_random_below(random, count)];
}

/* From one id to the next, so that all lie in a span as GitHub's do. */
static uint64_t id_stride(uint64_t span, uint32_t count)
{
	return span / count > 0 ? span / count : 1;
}

struct world_account world_account_of(const struct world *world, uint32_t account)
{
	assert(account < world->shape.people + WORLD_BOTS);
	if (account >= world->shape.people)
		return bots[account - world->shape.people];
	struct world_random random = random_for(world, 1, account);
	uint64_t stride = id_stride(17389 * (uint64_t)WORLD_PEOPLE, world->shape.people);
	struct world_account person = {.id = 20000000 + (int64_t)(stride * account)};
	person.id += (int64_t)world_random_below(&random, stride);
	const char *first = pick_word(first_words, ARRAY_COUNT(first_words), &random);
	const char *second = pick_word(second_words, ARRAY_COUNT(second_words), &random);
	(void)snprintf(person.login, sizeof(person.login), "%s%s%" PRIu32, first, second, account);
	return person;
}

static struct world_account organisation_of(const struct world *world, uint32_t number)
{
	struct world_random random = random_for(world, 2, number);
	struct world_account organisation = {.id = 1000000 + 9973 * (int64_t)number,
					     .is_organisation = true};
	static const char *const endings[] = {"labs", "hq", "io", "org", "dev", "works", "systems"};
	const char *word = pick_word(second_words, ARRAY_COUNT(second_words), &random);
	const char *ending = pick_word(endings, ARRAY_COUNT(endings), &random);
	(void)snprintf(organisation.login, sizeof(organisation.login), "%s-%s-%" PRIu32, word,
		       ending, number);
	return organisation;
}

static void fill_repository(struct world *world, uint32_t number)
{
	struct world_repository *repository = &world->repositories[number];
	struct world_random random = random_for(world, 3, number);
	uint64_t stride = id_stride(79301 * (uint64_t)WORLD_REPOSITORIES, world->shape.repositories);
	repository->id = 850000000 + (int64_t)(stride * number + world_random_below(&random, stride));
	const char *first = pick_word(first_words, ARRAY_COUNT(first_words), &random);
	const char *second = pick_word(second_words, ARRAY_COUNT(second_words), &random);
	static const char *const joints[] = {"-", "_", ".", ""};
	(void)snprintf(repository->name, sizeof(repository->name), "%s%s%s", first,
		       pick_word(joints, ARRAY_COUNT(joints), &random), second);
	/* Popular repositories belong to organisations more often. */
	uint64_t percent = number < 200 ? 80 : ORGANISATION_PERCENT;
	if (world_random_below(&random, 100) < percent)
		repository->owner = organisation_of(
			world, (uint32_t)world_random_below(&random, WORLD_ORGANISATIONS));
	else
		repository->owner = world_account_of(
			world, (uint32_t)world_random_below(&random, world->shape.people));
	repository->first_number = (uint32_t)world_random_below(&random, number < 200 ? 20000 : 300);
	repository->last_number = repository->first_number;
}

struct world *world_create(const struct world_shape *shape)
{
	assert(shape->repositories > 0 && shape->repositories <= WORLD_COUNT_MAX);
	assert(shape->people > 0 && shape->people <= WORLD_COUNT_MAX);
	struct world *world = memory_allocate(1, sizeof(*world));
	world->shape = *shape;
	world->repositories = memory_allocate(shape->repositories, sizeof(*world->repositories));
	world->repository_weights = memory_allocate(shape->repositories, sizeof(double));
	world->person_weights = memory_allocate(shape->people, sizeof(double));
	for (uint32_t i = 0; i < shape->repositories; i++)
		fill_repository(world, i);
	fill_weights(world->repository_weights, shape->repositories);
	fill_weights(world->person_weights, shape->people);
	return world;
}

void world_destroy(struct world **world)
{
	if (!*world)
		return;
	free((*world)->repositories);
	free((*world)->repository_weights);
	free((*world)->person_weights);
	free(*world);
	*world = NULL;
}

void world_reset(struct world *world, uint32_t offset)
{
	for (uint32_t i = 0; i < world->shape.repositories; i++) {
		struct world_repository *repository = &world->repositories[i];
		repository->last_number = repository->first_number + offset;
		repository->open_pull_count = 0;
		repository->open_issue_count = 0;
	}
}

uint32_t world_pick_repository(const struct world *world, struct world_random *random)
{
	return pick_weighted(world->repository_weights, world->shape.repositories, random);
}

uint32_t world_pick_actor(const struct world *world, uint32_t repository, bool bots_too,
			  struct world_random *random)
{
	if (bots_too && world_random_below(random, 100) < BOT_PERCENT) {
		/* The smaller of two draws: the first bots of the table are the busiest. */
		uint64_t one = world_random_below(random, WORLD_BOTS);
		uint64_t other = world_random_below(random, WORLD_BOTS);
		return world->shape.people + (uint32_t)(one < other ? one : other);
	}
	if (world_random_below(random, 100) < OWN_PEOPLE_PERCENT) {
		struct world_random own = random_for(world, 4, repository);
		uint64_t team_size = 1 + world_random_below(&own, repository < 200 ? 40 : 4);
		own.state += world_random_below(random, team_size);
		return (uint32_t)world_random_below(&own, world->shape.people);
	}
	return pick_weighted(world->person_weights, world->shape.people, random);
}
