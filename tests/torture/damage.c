/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/torture.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOUND_MAX = 4096 };

/* splitmix64 */
uint64_t random_next(struct random *random)
{
	uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

int64_t random_below(struct random *random, int64_t below)
{
	return (int64_t)(random_next(random) % (uint64_t)below);
}

struct found {
	struct file_path paths[FOUND_MAX];
	size_t count;
	const char *ending;
};

static bool note_file(void *context, const char *relative_path, struct err *err)
{
	struct found *found = context;
	if (!span_ends_with(span_of(relative_path), found->ending) || found->count == FOUND_MAX)
		return true;
	return file_path_make(&found->paths[found->count++], err, "%s", relative_path);
}

/* One of the files with that ending below `folder`, by chance; false when there is none. */
static bool pick(const char *folder, const char *ending, struct random *random, struct file_path *path_out)
{
	static struct found found;
	struct err err;
	found.count = 0;
	found.ending = ending;
	if (!file_walk(folder, note_file, &found, &err) || found.count == 0)
		return false;
	const char *name = found.paths[random_below(random, (int64_t)found.count)].text;
	return file_path_make(path_out, &err, "%s/%s", folder, name);
}

/* Writes over the file's first page. */
static bool spoil(const char *path, struct random *random)
{
	uint64_t noise[512];
	for (size_t i = 0; i < ARRAY_COUNT(noise); i++)
		noise[i] = random_next(random);
	int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	bool ok = descriptor >= 0 && pwrite(descriptor, noise, sizeof(noise), 0) == (ssize_t)sizeof(noise);
	if (!ok)
		perror(path);
	(void)close(descriptor);
	return ok;
}

static bool plant(const char *folder, const char *name, struct random *random)
{
	struct file_path path;
	struct file_path parent;
	struct err err;
	/* The life before may have died before it made its folders. */
	if (!file_path_make(&path, &err, "%s/%s", folder, name) || !file_path_make(&parent, &err, "%s", path.text))
		return false;
	*strrchr(parent.text, '/') = '\0';
	return file_make_folder(parent.text, &err) && spoil(path.text, random);
}

/* What kills leave behind, all at once, and a bronze file that never was one. */
static bool leave_things(const char *lake, struct random *random)
{
	char name[128];
	(void)snprintf(name, sizeof(name), "bronze/PushEvent/date=2020-01-01/%012" PRId64 ".ndjson.zst",
		1 + random_below(random, 20));
	return plant(lake, name, random) && plant(lake, "bronze/PushEvent/.000000000001.ndjson.zst.tmp", random)
	       && plant(lake, "staging/silver-1.parquet", random)
	       && plant(lake, "silver/_live/000000999999.parquet", random)
	       && plant(lake, "gold/gold-999.duckdb", random);
}

static bool lose_catalog(const char *lake, struct ledger *ledger)
{
	static const char *const names[] = {"catalog.sqlite-wal", "catalog.sqlite-shm", "catalog.sqlite"};
	struct file_path path;
	struct err err;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!file_path_make(&path, &err, "%s/%s", lake, names[i]) || !file_remove(path.text, &err))
			return false;
	ledger->duplicates = ledger->filtered = ledger->quarantined = 0;
	return true;
}

static bool damage_catalog(const char *lake, struct ledger *ledger, struct random *random)
{
	struct file_path log;
	struct err err;
	ledger->duplicates = ledger->filtered = ledger->quarantined = 0;
	/* A whole log could bring the first page back, and then nothing would be damaged. */
	return plant(lake, "catalog.sqlite", random) && file_path_make(&log, &err, "%s/catalog.sqlite-wal", lake)
	       && spoil(log.text, random);
}

static bool damage_gold(const char *lake, struct random *random)
{
	struct file_path gold;
	struct file_path path;
	struct err err;
	return file_path_make(&gold, &err, "%s/gold", lake)
	       && (!pick(gold.text, ".duckdb", random, &path) || spoil(path.text, random))
	       && plant(lake, "gold/gold-1.duckdb.damaged-1", random);
}

static bool lose_silver(const char *lake, struct random *random)
{
	struct file_path silver;
	struct file_path path;
	struct err err;
	if (!file_path_make(&silver, &err, "%s/silver", lake))
		return false;
	if (!pick(silver.text, ".parquet", random, &path))
		return true;
	return random_below(random, 2) == 0 ? truncate(path.text, 100) == 0 : file_remove(path.text, &err);
}

bool damage_do(enum scenario scenario, const char *folder, struct ledger *ledger, struct random *random)
{
	struct file_path lake;
	struct err err;
	if (!file_path_make(&lake, &err, "%s/lake", folder))
		return false;
	struct file_path backup;
	bool is_loss = scenario == SCENARIO_LOST_CATALOG || scenario == SCENARIO_DAMAGED_CATALOG;
	if (!file_path_make(&backup, &err, "%s/catalog.backup.sqlite", lake.text))
		return false;
	/* Two losses at once: the catalog, and the backup that tells what only silver has. */
	if (is_loss && ledger->retained && !file_exists(backup.text))
		return damage_do(SCENARIO_NEW_LAKE, folder, ledger, random);
	switch (scenario) {
	case SCENARIO_NEW_LAKE:
		*ledger = (struct ledger){0};
		return file_remove_folder(lake.text, &err);
	case SCENARIO_LEFTOVERS:
		return leave_things(lake.text, random);
	case SCENARIO_LOST_CATALOG:
		return lose_catalog(lake.text, ledger);
	case SCENARIO_DAMAGED_CATALOG:
		return damage_catalog(lake.text, ledger, random);
	case SCENARIO_DAMAGED_GOLD:
		return damage_gold(lake.text, random);
	case SCENARIO_LOST_SILVER:
		if (ledger->retained)
			return damage_do(SCENARIO_NEW_LAKE, folder, ledger, random);
		return lose_silver(lake.text, random);
	default:
		return true;
	}
}
