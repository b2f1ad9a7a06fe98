// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments, again and again on one data folder while the feed goes on: while it
// polls, in a rebuild, in the recovery from the kill before, and, where the build has failpoints, at
// some of them. In the end everything that a published bronze file holds or the feed still shows is
// in gold exactly once. OCTOLAKE_CRASH_CYCLES (20) says how often, OCTOLAKE_CRASH_SEED repeats a
// run's moments. (tests/torture kills at every failpoint, but not the whole program.)
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { batchTotals, bronzeKeys, goldKeys, keyOf, query, randomNumbers, runBatch, shownEvents, TOKEN, typeCounts }
	from "../support/lake";
import { runOctolake, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Fake, type Ledger,
	type Octolake }
	from "../support/processes";

const CYCLES = Number(process.env.OCTOLAKE_CRASH_CYCLES ?? 20);
const SEED = Number(process.env.OCTOLAKE_CRASH_SEED ?? Date.now() % 1_000_000);
const KILL_AFTER_MS = { min: 50, max: 1500 };
const REBUILD_KILL_AFTER_MS_MAX = 600;
const REBUILD_WAIT_MS = 900_000; /* after thousands of cycles */
const FAILPOINT_WAIT_MS = 8000;
const SLOWNESS_MAX = 8;
/** Those that a live program passes again and again, of every stage. */
const FAILPOINTS = ["bronze.create", "bronze.write", "bronze.fsync", "bronze.rename", "bronze.sync-folder",
	"catalog.next-batch.commit", "catalog.store-batch.commit", "catalog.store-silver.commit",
	"catalog.store-gold.commit", "catalog.swap-silver.commit", "recover.adopt.commit", "silver.live.copy",
	"silver.live.fsync", "silver.live.rename", "silver.compacted.copy", "silver.compacted.rename",
	"silver.replaced.remove", "gold.load.commit", "gold.views.commit"];
const RATE = 300;
/** After so long the feed shows nothing of what it showed before (its window is 300 events). */
const WINDOW_PASSES_MS = 1300;
const ENV = { GITHUB_TOKEN: TOKEN };

function arguments_(fake: Fake, data: string): string[] {
	/* Few files make a compaction, so that some cycles die in one. */
	return ["--api-url", fake.url, "--data", data, "--types", "all", "--poll-interval", "200ms",
		"--compact-files", "4"];
}

interface Life {
	/** It found what the kill before left half done. */
	recovered: boolean;
	stored: boolean;
	compacted: boolean;
	served: boolean;
}

function lifeOf(octolake: Octolake): Life {
	const logged = (event: string) => octolake.logs.some((line) => line.event.startsWith(event));
	return { recovered: logged("recovered "), stored: logged("batch stored"), compacted: logged("silver compacted"),
		served: logged("listening") };
}

/** One life: from the start, or (every other cycle) from when it serves, to the kill. */
async function liveAndDie(fake: Fake, data: string, from_serving: boolean, wait_ms: number): Promise<Life> {
	const octolake = await startOctolake(arguments_(fake, data), { env: ENV, at_once: true });
	if (from_serving)
		await octolake.waitForLog("listening", 60_000);
	await sleep(wait_ms);
	assert.equal(octolake.exit, null, `ended by itself: ${octolake.stderr.slice(-3000)}`);
	assert.equal((await octolake.stop("SIGKILL")).signal, "SIGKILL");
	return lifeOf(octolake);
}

/** Whether the program ends at failpoints when it is told to. */
async function hasFailpoints(): Promise<boolean> {
	return (await runOctolake(["version"], { env: { OCTOLAKE_FAILPOINT: "bronze.fsync.before:1" } })).code === 0;
}

/** One life that ends at a failpoint; killed after some seconds when it does not get there. */
async function liveUntil(failpoint: string, fake: Fake, data: string): Promise<Life> {
	const env = { ...ENV, OCTOLAKE_FAILPOINT: failpoint };
	const octolake = await startOctolake(arguments_(fake, data), { env, at_once: true });
	await Promise.race([octolake.exited, sleep(FAILPOINT_WAIT_MS)]);
	const exit = await octolake.stop("SIGKILL");
	assert.equal(exit.signal, "SIGKILL", `${failpoint}: ${octolake.stderr.slice(-3000)}`);
	return lifeOf(octolake);
}

/** A rebuild from bronze that is killed, or done before. */
async function rebuildAndDie(data: string, wait_ms: number): Promise<void> {
	const rebuild = await startOctolake(["rebuild", "silver", "--data", data, "--types", "all"], { at_once: true });
	await sleep(wait_ms);
	const exit = await rebuild.stop("SIGKILL");
	assert.ok(exit.signal === "SIGKILL" || exit.code === 0, rebuild.stderr.slice(-3000));
}

function pick<T>(choices: T[], random: () => number): T {
	return choices[Math.floor(random() * choices.length)];
}

function feedKeys(ledger: Ledger): Set<string> {
	return new Set(ledger.keys!.map(([id, type, created_at]) => `${id}|${type}|${created_at}`));
}

async function checkLake(fake: Fake, data: string, shown: Set<string>): Promise<void> {
	/* A clean stop left nothing to do. */
	for (const stage of ["transform", "materialise"]) {
		const run = await runOctolake([stage, "--data", data, "--types", "all"], { wait_ms: REBUILD_WAIT_MS });
		assert.equal(run.code, 0, run.stderr);
		assert.equal(run.logs.find((line) => line.event === `${stage} done`)?.batches, 0, "no batch waits");
	}
	const bronze = await bronzeKeys(data);
	const rows = await goldKeys(data);
	const gold = new Set(rows);
	assert.equal(gold.size, rows.length, "an event is in gold twice");
	assert.deepEqual([...bronze].filter((key) => !gold.has(key)), [], "in bronze, not in gold");
	assert.deepEqual([...gold].filter((key) => !bronze.has(key)), [], "in gold, not in bronze");
	assert.deepEqual([...shown].filter((key) => !gold.has(key)), [], "shown by the feed, not in gold");
	const served = feedKeys(await fake.ledger("keys=1"));
	assert.deepEqual([...gold].filter((key) => !served.has(key)), [], "in gold, never served");
	const [counts] = await query(data, "test_rows");
	assert.deepEqual(counts, { rows: rows.length, keys: rows.length });
}

test(`kill -9, ${CYCLES} times`, async (context) => {
	context.diagnostic(`OCTOLAKE_CRASH_SEED=${SEED}`);
	const random = randomNumbers(SEED);
	const data = path.join(temporaryFolder(), "lake");
	const fake = await startFake(["--synthetic", "5", "--rate", String(RATE), "--poll-interval", "0",
		"--limit-token", "1000000"]);
	context.after(() => fake.stop());
	const lives: Life[] = [];
	const at_failpoints = await hasFailpoints();
	/* What a start takes here: with sanitizers, or on a busy machine, lives have to be longer. */
	let start_ms = 300;
	for (let cycle = 0; cycle < CYCLES; cycle++) {
		const slowness = Math.min(Math.max(start_ms / 300, 1), SLOWNESS_MAX);
		const wait_ms = slowness * (KILL_AFTER_MS.min + random() * (KILL_AFTER_MS.max - KILL_AFTER_MS.min));
		const point = `${pick(FAILPOINTS, random)}.${pick(["before", "after"], random)}:${pick([1, 1, 2, 5], random)}`;
		if (at_failpoints && cycle % 4 === 3) {
			lives.push(await liveUntil(point, fake, data));
		} else {
			const began = Date.now();
			lives.push(await liveAndDie(fake, data, cycle % 2 === 1, wait_ms));
			if (cycle % 2 === 1)
				start_ms = Date.now() - began - wait_ms;
		}
		/* Again within the recovery. */
		if (cycle % 4 === 2)
			lives.push(await liveAndDie(fake, data, false, random() * start_ms));
		/* What the kill left on disk must then come from there, not from the feed again. */
		if (cycle % 2 === 0)
			await sleep(WINDOW_PASSES_MS);
		/* Not in the second half: a rebuild would also mend what a load did wrong. */
		if (cycle < CYCLES / 2 && cycle % 3 === 2)
			await rebuildAndDie(data, random() * REBUILD_KILL_AFTER_MS_MAX);
	}

	const last = await startOctolake(arguments_(fake, data), { env: ENV });
	context.after(() => last.stop());
	await sleep(1000);
	await fake.control("rate=0");
	const requests = (await fake.ledger()).request_count;
	await waitFor(async () => (await fake.ledger()).request_count >= requests + 8, 30_000, "polls of the still feed");
	assert.equal((await last.stop()).code, 0, last.stderr.slice(-3000));
	const shown = new Set((await shownEvents(fake)).map(keyOf));
	await checkLake(fake, data, shown);

	const run = await runBatch(fake, data, ["--duration", "20s"]);
	assert.equal(run.code, 0, run.stderr);
	const totals = batchTotals(run.logs);
	assert.equal(totals.stored, (await goldKeys(data)).length);
	assert.equal(totals.quarantined, 0);
	assert.ok(totals.stored > 300, "the cycles stored something");
	const count = (is: (life: Life) => boolean) => lives.filter(is).length;
	context.diagnostic(`${totals.stored} events; of ${lives.length} lives ${count((life) => life.stored)} stored some, `
		+ `${count((life) => life.compacted)} compacted, ${count((life) => life.recovered)} found something half done, `
		+ `${count((life) => !life.served)} were killed before they served${at_failpoints ? ", a fifth at failpoints" : ""}`);
	assert.ok(lives.filter((life) => life.stored).length >= CYCLES / 4, "most lives are long enough to store");
	const ledger = await fake.ledger();
	assert.ok(totals.received <= ledger.served_events);
	assert.deepEqual(ledger.violations, []);

	const types = await typeCounts(data);
	const rebuild = await runOctolake(["rebuild", "silver", "--data", data, "--types", "all"],
		{ wait_ms: REBUILD_WAIT_MS });
	assert.equal(rebuild.code, 0, rebuild.stderr);
	assert.deepEqual(await typeCounts(data), types, "a rebuild from bronze gives the same");
});
