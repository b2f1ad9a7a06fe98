// SPDX-License-Identifier: Apache-2.0
// What is no longer kept, over events of many days: ages and bytes per layer, sums that stay true,
// rebuilds from what is left, kills in the middle, a lost catalog.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { goldKeys, ownMetrics, query, runBatch, TOKEN } from "../support/lake";
import { getJson, runOctolake, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Finished }
	from "../support/processes";

const DAYS = 12;
const DAYS_PER_PAGE = 4;
const EVENTS_PER_DAY = 22;
const TYPES = ["WatchEvent", "PushEvent", "PullRequestEvent"];
const DAY_MS = 86_400_000;
const KILLS = Number(process.env.OCTOLAKE_RETENTION_KILLS ?? 2);
const LIMITS = ["--keep-bronze", "3d", "--keep-silver", "6d", "--keep-gold", "9d"];

function day(age: number): string {
	return new Date(Date.now() - age * DAY_MS).toISOString().slice(0, 10);
}

/** Pages of a few days each, oldest first; each also repeats some events of the page before, and has one
 * event a day that is a week late. */
function writeFeed(): { feed: string; keys: string[] } {
	const feed = temporaryFolder();
	const keys: string[] = [];
	let before: object[] = [];
	let page: object[] = [];
	for (let age = DAYS; age >= 1; age--) {
		for (let i = 0; i <= EVENTS_PER_DAY; i++) {
			const late = i === EVENTS_PER_DAY;
			const created_at = `${day(late ? age + 7 : age)}T${String(i % 24).padStart(2, "0")}:00:0${i % 10}Z`;
			const type = TYPES[i % TYPES.length];
			const id = String(age * 1000 + i);
			page.push({
				id, type, created_at, public: true, actor: { id: 1 + (i % 5), login: `person-${i % 5}` },
				repo: { id: 7 + (i % 3), name: `owner/repo-${i % 3}` },
				payload: type === "PullRequestEvent" ? { action: "opened", number: i } : {},
			});
			keys.push(`${id}|${type}|${created_at}`);
		}
		if ((age - 1) % DAYS_PER_PAGE !== 0)
			continue;
		fs.writeFileSync(path.join(feed, `${String(100 - age)}.json`), JSON.stringify([...page, ...before]));
		before = page.slice(0, 5);
		page = [];
	}
	return { feed, keys };
}

/** A lake with all of it, each day a batch, made once. */
let made: Promise<{ data: string; keys: string[] }> | undefined;
function wholeLake(): Promise<{ data: string; keys: string[] }> {
	made ??= (async () => {
		const { feed, keys } = writeFeed();
		const fake = await startFake(["--replay", feed, "--poll-interval", "1"]);
		const data = path.join(temporaryFolder(), "lake");
		await runBatch(fake, data, ["--flush-seconds", "0"]);
		await fake.stop();
		return { data, keys };
	})();
	return made;
}

async function copyOfLake(): Promise<{ data: string; keys: string[] }> {
	const { data, keys } = await wholeLake();
	const copy = path.join(temporaryFolder(), "lake");
	fs.cpSync(data, copy, { recursive: true });
	return { data: copy, keys };
}

function createdAt(key: string): string {
	return key.split("|")[2];
}

/** Of `age` days and younger, as "--keep 3d" means it: the day in which the limit falls is whole. */
function keptKeys(keys: string[], age: number): string[] {
	return keys.filter((key) => createdAt(key) >= day(age)).sort();
}

function files(folder: string): string[] {
	return fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).map(String)
		.filter((name) => /\.(zst|parquet)$/.test(name)) : [];
}

function dates(folder: string): string[] {
	return [...new Set(files(folder).map((name) => /date=([0-9-]+)/.exec(name)?.[1] ?? "live"))].sort();
}

function folderBytes(folder: string): number {
	return files(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).size, 0);
}

async function run(args: string[], data: string): Promise<Finished> {
	const finished = await runOctolake([...args, "--data", data, "--types", "all"]);
	assert.equal(finished.code, 0, finished.stderr);
	return finished;
}

/** Gold has the events of six days once each, its rollups agree, and the sums are those of all that came. */
async function checkLake(data: string, keys: string[], what: string): Promise<void> {
	assert.deepEqual((await goldKeys(data)).sort(), keptKeys(keys, 6), what);
	assert.deepEqual(dates(path.join(data, "bronze")).filter((date) => date < day(3)), [], `${what}: bronze`);
	assert.deepEqual(dates(path.join(data, "silver")).filter((date) => date < day(6)), [], `${what}: silver`);
	const rollups = await query(data, "rollup_against_events", ["--metrics", rollupMetric()]);
	assert.deepEqual(rollups, [{ differences: 0 }], `${what}: rollups`);
	const server = await startOctolake(["serve", "--data", data, "--types", "all", ...LIMITS]);
	const pipeline = await getJson(`${server.api}/api/v1/pipeline`);
	assert.equal((await server.stop()).code, 0);
	assert.equal(pipeline.ledger.balanced, true, `${what}: ${JSON.stringify(pipeline.ledger)}`);
	assert.equal(pipeline.ledger.waiting, 0, what);
	assert.equal(pipeline.ledger.stored, pipeline.layers.gold.rows + pipeline.retention.gold.removed, what);
	assert.equal(pipeline.layers.gold.rows, keptKeys(keys, 6).length, what);
	assert.equal(pipeline.layers.gold.oldest_event.slice(0, 10), day(6), what);
}

let rollup_metric = "";
function rollupMetric(): string {
	if (!rollup_metric) {
		rollup_metric = path.join(temporaryFolder(), "rollup.yaml");
		fs.writeFileSync(rollup_metric, `version: 2
kpis:
  - id: rollup_against_events
    name: Differences
    description: Rows of a rollup that a GROUP BY over all events does not give, or the other way round.
    visualisation: table
    sql: |
      SELECT
        (SELECT COUNT(*) FROM (SELECT minute, type, events FROM rollup_events_per_minute EXCEPT ALL
          SELECT date_trunc('minute', created_at), type, COUNT(*) FROM events GROUP BY ALL))
        + (SELECT COUNT(*) FROM (SELECT date_trunc('minute', created_at), type, COUNT(*) FROM events GROUP BY ALL
          EXCEPT ALL SELECT minute, type, events FROM rollup_events_per_minute))
        + (SELECT COUNT(*) FROM (SELECT repo_name, opened, first_at, last_at FROM rollup_pull_request_gaps EXCEPT ALL
          SELECT repo_name, COUNT(*), MIN(created_at), MAX(created_at) FROM events
          WHERE type = 'PullRequestEvent' AND action = 'opened' GROUP BY ALL)) AS differences
`);
	}
	return rollup_metric;
}

test("ages: whole days go, gold with silver, and a dry run says so before", async () => {
	const { data, keys } = await copyOfLake();
	assert.deepEqual((await goldKeys(data)).sort(), [...keys].sort());
	const all_dates = dates(path.join(data, "bronze"));
	const dry = await run(["retain", "--dry-run", ...LIMITS], data);
	assert.deepEqual(dates(path.join(data, "bronze")), all_dates, "a dry run touches nothing");
	assert.deepEqual((await goldKeys(data)).sort(), [...keys].sort());
	const wet = await run(["retain", ...LIMITS], data);
	const gone = keys.length - keptKeys(keys, 6).length;
	for (const text of [dry.stdout, wet.stdout])
		assert.match(text, new RegExp(`gold +${gone} `), text);
	await checkLake(data, keys, "after retention");
	/* Again: nothing is left to do, and nothing to repair. */
	const again = await run(["retain", ...LIMITS], data);
	assert.match(again.stdout, /bronze +0 +0 +0/);
	const next = await run(["transform"], data);
	assert.equal(next.logs.find((line) => line.event.startsWith("recovered")), undefined, next.stderr);
});

test("rebuilds keep what only the upper layer still has", async () => {
	const { data, keys } = await copyOfLake();
	await run(["retain", ...LIMITS], data);
	await run(["rebuild", "gold"], data);
	await checkLake(data, keys, "gold again from silver");
	await run(["rebuild", "silver"], data);
	await checkLake(data, keys, "silver again from bronze");
	await run(["rebuild", "silver"], data);
	await run(["rebuild", "gold"], data);
	await checkLake(data, keys, "and again");
});

test("bronze stays until silver can stand for it", async () => {
	const { data, keys } = await copyOfLake();
	await run(["retain", "--keep-bronze", "10d"], data);
	const silver = path.join(data, "silver");
	const name = files(silver).find((file) => file.includes(`date=${day(8)}`) && file.includes("PushEvent"))!;
	const bytes = fs.readFileSync(path.join(silver, name));
	bytes[bytes.length >> 1] ^= 1;
	fs.writeFileSync(path.join(silver, name), bytes);
	const refused = await run(["retain", "--keep-bronze", "3d"], data);
	assert.match(refused.stderr, /silver damaged: making it again from bronze/);
	assert.ok(dates(path.join(data, "bronze")).includes(day(8)), "bronze of what is damaged");
	await run(["transform"], data);
	await run(["retain", "--keep-bronze", "3d"], data);
	assert.deepEqual(dates(path.join(data, "bronze")).filter((date) => date < day(3)), []);
	await run(["rebuild", "gold"], data);
	assert.deepEqual((await goldKeys(data)).sort(), [...keys].sort());
});

test("a lost catalog brings back nothing, and loses nothing that silver had", async () => {
	const { data, keys } = await copyOfLake();
	await run(["retain", ...LIMITS], data);
	for (const name of ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"])
		fs.rmSync(path.join(data, name), { force: true });
	await run(["transform"], data);
	await run(["materialise"], data);
	await checkLake(data, keys, "catalog lost");
	/* Damaged, and with it its backup: from bronze alone, which has three days. */
	const backup = path.join(data, "catalog.backup.sqlite");
	assert.ok(fs.existsSync(backup), "a backup stays, for the next loss");
	for (const name of ["catalog.sqlite", "catalog.backup.sqlite"])
		fs.writeFileSync(path.join(data, name), Buffer.alloc(8192, 7));
	await run(["transform"], data);
	await run(["materialise"], data);
	assert.deepEqual((await goldKeys(data)).sort(), keptKeys(keys, 3));
});

test("killed in the middle, again and again", async (t) => {
	/* Every kill comes later than the one before, over all that one run does. */
	let killed = 0;
	for (let cycle = 0; cycle < KILLS; cycle++) {
		const { data, keys } = await copyOfLake();
		const retain = await startOctolake(["retain", "--data", data, "--types", "all", ...LIMITS], { at_once: true });
		const start = Date.now();
		await waitFor(() => retain.exit || Date.now() - start > 40 + Math.random() * 260, 5000);
		killed += (await retain.stop("SIGKILL")).signal === "SIGKILL" ? 1 : 0;
		await run(["retain", ...LIMITS], data);
		await checkLake(data, keys, `kill ${cycle}`);
	}
	t.diagnostic(`${killed} of ${KILLS} runs were killed in time`);
});

test("what is asked for again after it was removed is filtered, not stored", async () => {
	const { feed, keys } = writeFeed();
	const data = path.join(temporaryFolder(), "lake");
	const limits = ["--keep-bronze", "4d", "--keep-silver", "4d"];
	const first = await startFake(["--replay", feed, "--poll-interval", "1"]);
	await runBatch(first, data, ["--flush-seconds", "0"]);
	await first.stop();
	await run(["retain", ...limits], data);
	assert.deepEqual((await goldKeys(data)).sort(), keptKeys(keys, 4));
	/* Another server knows no ETag of ours: all pages once more. */
	const second = await startFake(["--replay", feed, "--poll-interval", "1"]);
	const again = await runBatch(second, data, ["--flush-seconds", "0", ...limits]);
	await second.stop();
	const done = again.logs.find((line) => line.event === "batch done")!;
	assert.ok(Number(done.total_filtered) >= keys.length - keptKeys(keys, 4).length, JSON.stringify(done));
	assert.deepEqual((await goldKeys(data)).sort(), keptKeys(keys, 4));
	assert.deepEqual(dates(path.join(data, "bronze")).filter((date) => date < day(4)), []);
});

test("bytes: a running lake stays within its limits", async (t) => {
	const fake = await startFake(["--synthetic", "5", "--rate", "600", "--poll-interval", "1"]);
	const limit = 192 * 1024;
	const octolake = await startOctolake(["run", "--api-url", fake.url, "--types", "all", "--poll-interval", "200ms",
		"--compact-files", "3", "--bronze-max", "192KiB", "--silver-max", "192KiB", "--metrics", ownMetrics()],
	{ env: { GITHUB_TOKEN: TOKEN } });
	t.after(() => [octolake, fake].forEach((program) => program.child.kill("SIGKILL")));
	let most = 0;
	const end = Date.now() + 60_000;
	let state: any;
	let received = 0;
	/* Until many times the limit came. */
	while (received < 3.2 * limit && Date.now() < end) {
		await sleep(500);
		state = await getJson(`${octolake.api}/api/v1/pipeline`);
		assert.equal(state.ledger.balanced, true);
		most = Math.max(most, state.layers.bronze.bytes);
		received = state.layers.bronze.bytes + state.retention.bronze.removed_bytes;
	}
	await fake.control("rate=0");
	state = await waitFor(async () => {
		const now = await getJson(`${octolake.api}/api/v1/pipeline`);
		/* What waits for compaction cannot go yet. */
		return now.ledger.waiting === 0 && now.layers.silver.bytes <= limit && now;
	}, 15_000, "within the limits");
	t.diagnostic(`${received} bytes of bronze came, at most ${most} were there; ${state.retention.gold.removed} of `
		+ `${state.ledger.stored} events are no longer in gold`);
	assert.ok(received > 3 * limit, `only ${received} bytes came`);
	assert.ok(state.retention.gold.removed > 0 && state.layers.gold.rows > 0, "gold lets go with silver, and not of all");
	/* Between two looks (5 s) and up to the third live file more may lie there. */
	assert.ok(most < 5 * limit, `${most} bytes of bronze with a limit of ${limit}`);
	await waitFor(() => folderBytes(path.join(octolake.data, "silver")) <= limit, 15_000, "silver on disk");
	assert.equal(state.stage_error, null);
	assert.equal((await octolake.stop()).code, 0);
	await fake.stop();
});
