// SPDX-License-Identifier: Apache-2.0
// Power failures: the program's every write, fsync and rename is logged while it lives, dies and lives
// again; then the log is replayed into states that a disk may have been left in, each opened and checked
// (tests/power_loss/). OCTOLAKE_POWER_LOSS_STATES (30) says how many, OCTOLAKE_POWER_LOSS_SEED repeats.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { filesBelow, TOKEN } from "../support/lake";
import { runOctolake, startFake, startOctolake, waitFor, type Fake } from "../support/processes";
import { knownFeed, knownFile, memoryFolder, runCheck, shimEnvironment, type KnownFile } from "../support/shim";

const STATES = Number(process.env.OCTOLAKE_POWER_LOSS_STATES ?? 30);
const SEED = Number(process.env.OCTOLAKE_POWER_LOSS_SEED ?? Date.now() % 1_000_000);
const IMPORT_STATES = Number(process.env.OCTOLAKE_POWER_LOSS_STATES ?? 30);
const FEED_STATES = 20;
/** Records behind which a life ends: in the first stores, in loads and compactions, in recoveries. */
const LIVES = [400, 150, 900, 90, 1500, 40].map((records, i) => records + (SEED * (i + 3)) % 97);

async function live(fake: Fake, data: string, log: string, records: number): Promise<void> {
	const kill: Record<string, string> = records > 0 ? { KILL: String(records) } : {};
	const octolake = await startOctolake(["--api-url", fake.url, "--data", data, "--types", "all",
		"--poll-interval", "100ms", "--compact-files", "3"],
		{ env: { GITHUB_TOKEN: TOKEN, ...shimEnvironment({ FOLDER: data, LOG: log, ...kill }) }, at_once: true });
	const quiet = async () => octolake.exit || (await fake.ledger()).requests.at(-1)?.status === 304;
	await waitFor(quiet, 60_000, "the end of the feed");
	if (!octolake.exit)
		await octolake.waitForLog("gold loaded", 30_000).catch(() => undefined);
	/* The kill may come while it stops. */
	octolake.child.kill("SIGTERM");
	const exit = await octolake.exited;
	octolake.assertClean();
	assert.ok(exit.code === 0 || exit.signal === "SIGKILL", octolake.stderr.slice(-3000));
}

/** One life that ends at a failpoint. */
async function dieAt(failpoint: string, fake: Fake, data: string, log: string): Promise<void> {
	const octolake = await startOctolake(["--api-url", fake.url, "--data", data, "--types", "all"],
		{ env: { GITHUB_TOKEN: TOKEN, OCTOLAKE_FAILPOINT: failpoint, ...shimEnvironment({ FOLDER: data, LOG: log }) },
			at_once: true });
	assert.equal((await octolake.exited).signal, "SIGKILL", octolake.stderr.slice(-3000));
}

/** The log misses nothing: replayed to its end it gives the folder, byte for byte. */
function assertSameFolder(data: string, replayed: string): void {
	const names = (folder: string) => filesBelow(folder).map((name) => path.relative(folder, name))
		.filter((name) => !name.endsWith("-shm"));
	assert.deepEqual(names(replayed), names(data));
	for (const name of names(data))
		assert.ok(fs.readFileSync(path.join(data, name)).equals(fs.readFileSync(path.join(replayed, name))), name);
}

/* Killed between a change of a folder and the fsync that makes it last; the next life stores beside it. */
const UNSYNCED = { "what a start adopts stays adopted": "bronze.rename.after:5",
	"what lies in a folder that a killed program made stays there": "bronze.make-folder.after:4" };

for (const [name, failpoint] of Object.entries(UNSYNCED)) test(name, async (context) => {
	const folder = memoryFolder();
	const [data, log] = [path.join(folder, "lake"), path.join(folder, "log")];
	const feed = knownFeed(2, 15, true);
	const fake = await startFake(["--replay", feed.folder, "--poll-interval", "0", "--limit-token", "1000000"]);
	context.after(() => fake.stop());
	await dieAt(failpoint, fake, data, log);
	await live(fake, data, log, 0);
	const check = runCheck(["states", log, feed.served, path.join(folder, "state"), String(SEED), "30"], 600_000);
	assert.equal(check.code, 0, check.output.split("\n").slice(-20).join("\n"));
});

test(`power failures, ${STATES} states`, async (context) => {
	context.diagnostic(`OCTOLAKE_POWER_LOSS_SEED=${SEED}`);
	const folder = memoryFolder();
	const [data, log] = [path.join(folder, "lake"), path.join(folder, "log")];
	const feed = knownFeed(FEED_STATES, 15, true);
	const fake = await startFake(["--replay", feed.folder, "--poll-interval", "0", "--limit-token", "1000000"]);
	context.after(() => fake.stop());
	for (const records of [...LIVES, 0])
		await live(fake, data, log, records);
	const rebuild = await runOctolake(["rebuild", "silver", "--data", data, "--types", "all"],
		{ env: shimEnvironment({ FOLDER: data, LOG: log }) });
	assert.equal(rebuild.code, 0, rebuild.stderr);

	const replayed = path.join(folder, "replayed");
	runCheck(["replay", log, replayed]);
	assertSameFolder(data, replayed);
	assert.deepEqual(runCheck(["lake", data, feed.served]), { code: 0, output: "" });

	const state = path.join(folder, "state");
	const check = runCheck(["states", log, feed.served, state, String(SEED), String(STATES)], 3_600_000);
	const lines = check.output.trim().split("\n");
	assert.equal(check.code, 0, lines.slice(-60).join("\n"));
	const figures = JSON.parse(lines.at(-1)!);
	context.diagnostic(lines.at(-1)!);
	assert.equal(figures.opened, STATES);
	assert.equal(figures.acknowledged, FEED_STATES, "every state of the feed was acknowledged");
	assert.ok(figures.distinct > STATES / 2, "states differ");
});

/** One life of `octolake import`; killed behind so many records, 0: lives to its end. */
async function importOnce(files: KnownFile[], data: string, log: string, records: number): Promise<void> {
	const kill: Record<string, string> = records > 0 ? { KILL: String(records) } : {};
	const finished = await runOctolake(["import", ...files.map((file) => file.path), "--data", data, "--types", "all"],
		{ env: shimEnvironment({ FOLDER: data, LOG: log, ...kill }) });
	assert.ok(records > 0 ? finished.signal === "SIGKILL" : finished.code === 0, finished.stderr.slice(-3000));
}

/* Records behind which an import ends: in its first stores, in silver and merges, in gold, in recoveries. */
const IMPORT_KILLS = [90, 150, 40, 220].map((records, i) => records + (SEED * (i + 3)) % 60);

test(`power failures in imports, ${IMPORT_STATES} states`, async (context) => {
	context.diagnostic(`OCTOLAKE_POWER_LOSS_SEED=${SEED}`);
	const folder = memoryFolder();
	const [data, log, state] = ["lake", "log", "state"].map((name) => path.join(folder, name));
	/* The second shares events with the first, the third with both. */
	const files = [knownFile("2026-09-20-22.json", 0, 90), knownFile("2026-09-20-23.json", 60, 90),
		knownFile("more.json", 30, 180)];
	const served = new Map<string, number>();
	let processes = 0;
	for (const count of [2, 3]) {
		for (const records of [...IMPORT_KILLS, 0]) {
			await importOnce(files.slice(0, count), data, log, records);
			processes++;
		}
		for (const key of files.slice(0, count).flatMap((file) => file.keys))
			served.set(key, served.get(key) ?? processes);
	}
	fs.writeFileSync(path.join(folder, "served"), [...served].map(([key, process]) => `${process} ${key}\n`).join(""));

	const replayed = path.join(folder, "replayed");
	runCheck(["replay", log, replayed]);
	assertSameFolder(data, replayed);
	assert.deepEqual(runCheck(["lake", data, path.join(folder, "served")]), { code: 0, output: "" });

	const check = runCheck(["states", log, path.join(folder, "served"), state, String(SEED), String(IMPORT_STATES),
		...files.map((file) => file.path)], 3_600_000);
	const lines = check.output.trim().split("\n");
	assert.equal(check.code, 0, lines.slice(-60).join("\n"));
	const figures = JSON.parse(lines.at(-1)!);
	context.diagnostic(lines.at(-1)!);
	assert.equal(figures.opened, IMPORT_STATES);
	assert.ok(figures.distinct > IMPORT_STATES / 2, "states differ");
});
