// SPDX-License-Identifier: Apache-2.0
// Each stage as a command of its own, what holds a data folder, the small commands, and lakes that
// somebody damaged: they heal to the same rows, or say what is wrong with the right exit code.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { batchTotals, bronzeEvents, countBy, filesBelow, goldKeys, keyOf, ownMetrics, query, runBatch, shownEvents,
	TOKEN, typeCounts } from "../support/lake";
import { get, getJson, runOctolake, startFake, startOctolake, temporaryFolder, type Fake } from "../support/processes";

const STILL = ["--synthetic", "9", "--rate", "0", "--backlog", "300", "--poll-interval", "0"];
const ENV = { GITHUB_TOKEN: TOKEN };

async function stillFeed(context: TestContext): Promise<Fake> {
	const fake = await startFake(STILL);
	context.after(() => fake.stop());
	return fake;
}

async function stage(name: string[], data: string, args: string[] = []): Promise<Record<string, any>> {
	const run = await runOctolake([...name, "--data", data, "--types", "all", ...args], { env: ENV });
	assert.equal(run.code, 0, run.stderr);
	const line = run.logs.find((one) => one.event === `${name[0]} done`);
	assert.ok(line, run.stderr);
	return line;
}

test("ingest, transform, materialise, serve give what run gives", async (context) => {
	const fake = await stillFeed(context as TestContext);
	const whole = path.join(temporaryFolder(), "lake");
	assert.equal((await runBatch(fake, whole)).code, 0);
	const expected = await goldKeys(whole);
	assert.equal(expected.length, 300);

	const data = path.join(temporaryFolder(), "lake");
	const ingested = await stage(["ingest"], data, ["--until-quiet", "--api-url", fake.url]);
	assert.equal(ingested.stored, 300);
	assert.deepEqual(filesBelow(path.join(data, "silver")), [], "ingest writes no silver");
	const transformed = await stage(["transform"], data);
	assert.equal(transformed.rows, 300);
	assert.equal(transformed.batches, ingested.batches);
	assert.equal((await stage(["materialise"], data)).rows, 300);
	assert.equal((await stage(["transform"], data)).batches, 0, "a second time there is nothing to do");
	assert.equal((await stage(["materialise"], data)).batches, 0, "a second time there is nothing to do");

	const server = await startOctolake(["serve", "--data", data, "--types", "all", "--metrics", ownMetrics()]);
	context.after(() => server.stop());
	assert.deepEqual(await goldKeys(data), expected, "asked through the server that holds the folder");
	const pipeline = await getJson(`${server.api}/api/v1/pipeline`);
	assert.equal(pipeline.mode, "serve");
	assert.equal(pipeline.polling.running, false);
	assert.equal((await server.stop()).code, 0);
});

test("LIVE=false is batch mode, and keeps serving", async (context) => {
	const fake = await stillFeed(context as TestContext);
	const octolake = await startOctolake(["--until-quiet", "--api-url", fake.url], { env: { ...ENV, LIVE: "false" } });
	context.after(() => octolake.stop());
	await octolake.waitForLog("batch done", 60_000);
	assert.equal(batchTotals(octolake.logs).stored, 300);
	const pipeline = await getJson(`${octolake.api}/api/v1/pipeline`);
	assert.equal(pipeline.mode, "batch");
	assert.equal(pipeline.layers.gold.rows, 300);
	assert.equal((await octolake.stop()).code, 0);
});

test("one process works on a data folder; the second says who", async (context) => {
	const fake = await stillFeed(context as TestContext);
	const octolake = await startOctolake(["--api-url", fake.url, "--types", "all", "--metrics", ownMetrics()],
		{ env: ENV });
	context.after(() => octolake.stop());
	await octolake.waitForLog("gold loaded");
	for (const command of ["run", "ingest", "transform", "materialise", "serve", "rebuild"]) {
		const second = await runOctolake([command, "--data", octolake.data, "--api-port", "0", "--ui-port", "0"]);
		assert.equal(second.code, 6, `${command}: ${second.stderr}`);
		assert.match(second.stderr, new RegExp(`octolake run \\(pid ${octolake.pid}, ${octolake.api}\\)`), command);
	}
	assert.equal((await goldKeys(octolake.data)).length, 300, "query asks the server");
	assert.equal((await bronzeEvents(octolake.data)).length, 300, "cat works beside it");

	const unknown = await runOctolake(["query", "event_count_ofset", "--data", octolake.data]);
	assert.equal(unknown.code, 2);
	assert.match(unknown.stderr, /event_count_offset/);
	const wrong = await runOctolake(["query", "event_count_offset", "offset=0", "--data", octolake.data]);
	assert.equal(wrong.code, 2);
	assert.match(wrong.stderr, /offset/);

	const port = new URL(octolake.api).port;
	const taken = await runOctolake(["serve", "--data", path.join(temporaryFolder(), "lake"), "--api-port", port,
		"--ui-port", "0"]);
	assert.equal(taken.code, 6, taken.stderr);
	assert.ok(taken.stderr.includes(port), taken.stderr);
	assert.equal((await octolake.stop()).code, 0);
});

test("query prints a table, JSON, CSV; cat prints bronze as it was received", async (context) => {
	const fake = await stillFeed(context as TestContext);
	const data = path.join(temporaryFolder(), "lake");
	assert.equal((await runBatch(fake, data)).code, 0);
	const shown = new Map((await shownEvents(fake)).map((event) => [keyOf(event), event]));
	const types = countBy(shown.values(), (event) => event.type);
	const ask = (...args: string[]) => runOctolake(["query", "test_types", "--data", data, "--types", "all",
		"--metrics", ownMetrics(), ...args]);
	const names = Object.keys(types).sort();

	const csv = await ask("-o", "csv");
	assert.equal(csv.stdout, ["type,count", ...names.map((name) => `${name},${types[name]}`), ""].join("\r\n"));
	const table = (await ask()).stdout.trimEnd().split("\n").map((line) => line.trim().split(/\s+/));
	assert.deepEqual(table, [["type", "count"], ...names.map((name) => [name, String(types[name])])]);
	const none = await runOctolake(["query", "avg_pr_time", "repo=no/such", "as_of=2001-01-01T00:00:00Z", "-o", "json",
		"--data", data]);
	assert.equal(none.code, 0);
	assert.deepEqual(JSON.parse(none.stdout), []);
	assert.match(none.stderr, /no rows/);

	const bronze = await bronzeEvents(data);
	assert.equal(bronze.length, shown.size);
	for (const event of bronze)
		assert.deepEqual(event, shown.get(keyOf(event)));
	const pushes = await runOctolake(["cat", "PushEvent", "--data", data]);
	assert.equal(pushes.stdout.trimEnd().split("\n").length, types.PushEvent);
	const file = filesBelow(path.join(data, "bronze", "WatchEvent")).find((name) => name.endsWith(".zst"))!;
	assert.equal((await runOctolake(["cat", file, "--data", data])).code, 0);
	assert.equal((await runOctolake(["cat", "NoSuchEvent", "--data", data])).code, 2);

	cutHalf(file);
	const damaged = await runOctolake(["cat", "--data", data]);
	assert.equal(damaged.code, 4, damaged.stderr);
	assert.ok(damaged.stderr.includes(path.basename(file)), damaged.stderr);
	assert.ok(damaged.stdout.split("\n").length > shown.size - types.WatchEvent, "the other files are printed");
});

test("check FILE", async () => {
	const folder = temporaryFolder();
	const good = path.join(folder, "good.yaml");
	const bad = path.join(folder, "bad.yaml");
	fs.copyFileSync(ownMetrics(), good);
	fs.writeFileSync(bad, "version: 2\nkpis:\n  - id: broken\n    name: Broken\n    description: Broken.\n"
		+ "    visualisation: table\n    sql: SELECT no_such_column FROM events\n"
		+ "  - id: misspelt\n    name: M\n    desciption: M.\n    visualisation: table\n    sql: SELECT 1\n");
	const checked = await runOctolake(["check", good]);
	assert.equal(checked.code, 0, checked.stderr);
	const count = fs.readFileSync(good, "utf8").match(/^  - id:/gm)!.length;
	assert.match(checked.stdout, new RegExp(`ok, ${count} metrics`));
	const failed = await runOctolake(["check", good, bad]);
	assert.equal(failed.code, 2);
	assert.match(failed.stdout, /bad\.yaml:7:\d+: .*no_such_column/);
	assert.match(failed.stdout, /bad\.yaml:10:\d+: .*description/);
	assert.equal((await runOctolake(["check", path.join(folder, "none.yaml")])).code, 2);
	assert.deepEqual(fs.readdirSync(folder).sort(), ["bad.yaml", "good.yaml"], "checking leaves nothing behind");
});

test("config names values and sources; flag > environment > file", async () => {
	const cwd = temporaryFolder();
	fs.writeFileSync(path.join(cwd, "octolake.yaml"), "api_port: 9101\nui_port: 9102\nworkers: 3\n");
	const run = await runOctolake(["config", "--ui-port", "9302"],
		{ cwd, env: { OCTOLAKE_API_PORT: "9201", OCTOLAKE_UI_PORT: "9202", GITHUB_TOKEN: "ghp_secret" } });
	assert.equal(run.code, 0);
	const line = (name: string) => run.stdout.split("\n").find((one) => one.startsWith(name)) ?? "";
	assert.match(line("ui-port"), /9302.*flag/);
	assert.match(line("api-port"), /9201.*OCTOLAKE_API_PORT/);
	assert.match(line("workers"), /3.*octolake\.yaml:3/);
	assert.match(line("flush-events"), /1000.*default/);
	assert.ok(!(run.stdout + run.stderr).includes("ghp_secret"));
	assert.match(run.stdout, /GITHUB_TOKEN/);
	assert.deepEqual(fs.readdirSync(cwd), ["octolake.yaml"], "nothing is made for it");

	fs.writeFileSync(path.join(cwd, "octolake.yaml"), "api_port: 9101\nuiport: 9102\n");
	const wrong = await runOctolake(["config"], { cwd });
	assert.equal(wrong.code, 2);
	assert.match(wrong.stderr, /octolake\.yaml:2:\d+: .*ui_port/);
});

test("help, version, and what is misspelt", async () => {
	const help = await runOctolake(["--help"]);
	assert.equal(help.code, 0);
	for (const word of ["--until-quiet", "materialise", "OCTOLAKE_", "Exit codes"])
		assert.ok(help.stdout.includes(word), word);
	const version = await runOctolake(["--version"]);
	assert.equal(version.code, 0);
	assert.match(version.stdout, /^octolake \d+\.\d+\.\d+ \(DuckDB v?1\.5\.\d+\)\n$/);
	const mistakes: [string[], RegExp][] = [
		[["--duratoin", "5s"], /--duration/],
		[["ingset"], /ingest/],
		[["run", "--api-port", "90000"], /api-port.*65535/],
		[["run", "--duration", "soon"], /duration.*20s/],
		[["run", "--api-url", "http://127.0.0.1:1/", "--data", path.join(temporaryFolder(), "x")], /api-url/],
		[["rebuild", "bronze"], /silver/],
		[["run", "--types", ","], /type/i],
		[["query"], /metric/],
	];
	for (const [args, expected] of mistakes) {
		const run = await runOctolake(args);
		assert.equal(run.code, 2, `${args.join(" ")}: ${run.stderr}`);
		assert.match(run.stderr, expected);
		assert.equal(run.stdout, "", "messages go to stderr");
	}
});

function overwriteStart(file: string): void {
	const size = fs.statSync(file).size;
	const handle = fs.openSync(file, "r+");
	fs.writeSync(handle, Buffer.alloc(Math.min(65_536, size), 0xa5), 0, Math.min(65_536, size), 0);
	fs.closeSync(handle);
}

const cut = (file: string, size: number) => fs.truncateSync(file, size);
const cutHalf = (file: string) => cut(file, Math.floor(fs.statSync(file).size / 2));
const each = (files: string[], damage: (file: string) => void) => files.forEach((file) => damage(file));
const removeLayer = (data: string, layer: string) => fs.rmSync(path.join(data, layer), { recursive: true });

function removeCatalog(data: string): void {
	for (const suffix of ["", "-wal", "-shm"])
		fs.rmSync(path.join(data, `catalog.sqlite${suffix}`), { force: true });
}

const goldFiles = (data: string) => filesBelow(path.join(data, "gold")).filter((name) => name.endsWith(".duckdb"));
const silverFiles = (data: string) => filesBelow(path.join(data, "silver")).filter((name) => name.endsWith(".parquet"));

/** What gold alone lost, `query` makes good itself; the rest the next run. */
const DAMAGES: { name: string; damage: (data: string) => void; healed_by: "query" | "run" | "rebuild" }[] = [
	{ name: "gold overwritten", healed_by: "query", damage: (data) => each(goldFiles(data), overwriteStart) },
	{ name: "gold cut", healed_by: "query", damage: (data) => each(goldFiles(data), (file) => cut(file, 5000)) },
	{ name: "gold empty", healed_by: "query", damage: (data) => each(goldFiles(data), (file) => cut(file, 0)) },
	{ name: "gold gone", healed_by: "query", damage: (data) => removeLayer(data, "gold") },
	{ name: "catalog gone", healed_by: "query", damage: removeCatalog },
	{ name: "catalog overwritten", healed_by: "query", damage: (data) => {
		fs.rmSync(path.join(data, "catalog.sqlite-wal"), { force: true });
		overwriteStart(path.join(data, "catalog.sqlite"));
	} },
	{ name: "catalog gone, a bronze file cut", healed_by: "run", damage: (data) => {
		removeCatalog(data);
		cutHalf(filesBelow(path.join(data, "bronze"))[0]);
	} },
	{ name: "silver cut, gold gone", healed_by: "run", damage: (data) => {
		cutHalf(silverFiles(data)[0]);
		removeLayer(data, "gold");
	} },
	{ name: "one silver file gone, gold gone", healed_by: "run", damage: (data) => {
		fs.rmSync(silverFiles(data)[0]);
		removeLayer(data, "gold");
	} },
	{ name: "silver cut", healed_by: "rebuild", damage: (data) => each(silverFiles(data), cutHalf) },
	{ name: "only bronze is left", healed_by: "run", damage: (data) => {
		removeLayer(data, "gold");
		removeLayer(data, "silver");
		removeCatalog(data);
	} },
];

test("damaged lakes heal to the same rows", async (context) => {
	const fake = await stillFeed(context as TestContext);
	const origin = path.join(temporaryFolder(), "lake");
	assert.equal((await runBatch(fake, origin)).code, 0);
	const keys = await goldKeys(origin);
	for (const { name, damage, healed_by } of DAMAGES)
		await context.test(name, async () => {
			const data = path.join(temporaryFolder(), "lake");
			fs.cpSync(origin, data, { recursive: true });
			damage(data);
			if (healed_by === "rebuild")
				await stage(["rebuild", "silver"], data);
			if (healed_by !== "run")
				assert.deepEqual(await goldKeys(data), keys);
			const run = await runBatch(fake, data);
			assert.equal(run.code, 0, run.stderr);
			const totals = batchTotals(run.logs);
			assert.equal(totals.stored, 300, "the feed shown again changes nothing");
			assert.equal(totals.quarantined, 0);
			assert.deepEqual(await goldKeys(data), keys);
		});
	await context.test("rebuild gold, rebuild silver", async () => {
		const answers = await query(origin, "event_count_offset", ["as_of=data", "offset=43200"]);
		for (const what of ["gold", "silver"]) {
			assert.equal((await stage(["rebuild", what], origin)).rows, 300);
			assert.deepEqual(await goldKeys(origin), keys);
			assert.deepEqual(await query(origin, "event_count_offset", ["as_of=data", "offset=43200"]), answers);
		}
		assert.deepEqual(await typeCounts(origin), countBy(await shownEvents(fake), (event) => event.type));
	});
	await context.test("a live start on a damaged gold serves while it heals", async () => {
		each(goldFiles(origin), (file) => cut(file, 5000));
		const server = await startOctolake(["serve", "--data", origin, "--types", "all", "--metrics", ownMetrics()]);
		const end = Date.now() + 30_000;
		let ready = await get(`${server.api}/readyz`);
		while (ready.status !== 200 && Date.now() < end)
			ready = await get(`${server.api}/readyz`);
		assert.equal(ready.status, 200);
		assert.deepEqual(await goldKeys(origin), keys);
		assert.equal((await server.stop()).code, 0);
	});
});
