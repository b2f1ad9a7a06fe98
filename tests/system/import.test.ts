// SPDX-License-Identifier: Apache-2.0
// `octolake import --from-gh-events`: a data folder as the first system left it (arrays of raw JSON,
// Parquet and a DuckDB file with dotted columns), made by the test, ends in gold once: read twice, killed
// in the middle, with damaged files, while it is not changed by a byte.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { bronzeEvents, countBy, filesBelow, goldKeys, keyOf, query, typeCounts, type Event } from "../support/lake";
import { runOctolake, sleep, startOctolake, temporaryFolder, type Finished } from "../support/processes";

const DUCK_RUN = path.join(process.env.OCTOLAKE_BUILD_DIR ?? "", "tests", "duck_run");
const TYPES = ["WatchEvent", "PullRequestEvent", "IssuesEvent"];
const START = Date.parse("2024-05-01T00:00:00Z");

function makeEvent(index: number, type = TYPES[index % TYPES.length]): Event {
	const payload = type === "WatchEvent" ? { action: "started" } : {
		action: "opened", number: index,
		[type === "PullRequestEvent" ? "pull_request" : "issue"]: { number: index, state: "open", title: "ü \"1\"" },
	};
	return { id: String(38_000_000_000 + index), type, actor: { id: index % 9, login: `user-${index % 9}` },
		repo: { id: 1 + index % 4, name: `owner/repo-${index % 4}` }, payload, public: true,
		created_at: new Date(START + index * 61_000).toISOString().replace(".000Z", "Z") };
}

const events = (from: number, to: number): Event[] => Array.from({ length: to - from }, (_, i) => makeEvent(from + i));

/** The seed's columns of the rows of a JSON file: dotted names, created_at with a zone. */
function select(json: string, type: string): string {
	const part = { WatchEvent: "", PullRequestEvent: ", payload.pull_request.number::DOUBLE AS "
		+ '"payload.pull_request.number", payload.pull_request.state AS "payload.pull_request.state"',
	IssuesEvent: ', payload.action AS "payload.action", payload.issue.title AS "payload.issue.title"' }[type];
	return `SELECT id, type, created_at::TIMESTAMPTZ AS created_at, repo.name AS "repo.name", `
		+ `actor.login AS "actor.login"${part} FROM read_json('${json}') WHERE type = '${type}'`;
}

function duck(database: string, folder: string, ...statements: string[]): void {
	execFileSync(DUCK_RUN, [database, folder, ...statements], { stdio: ["ignore", "inherit", "inherit"] });
}

class Seed {
	readonly root = temporaryFolder();
	readonly data = path.join(this.root, "data");

	constructor() {
		for (const name of ["bronze", "silver", "db"])
			fs.mkdirSync(path.join(this.data, name), { recursive: true });
	}

	put(name: string, content: string): void {
		const full = path.join(this.data, name);
		fs.mkdirSync(path.dirname(full), { recursive: true });
		fs.writeFileSync(full, content);
	}

	/** Silver and gold as the first system made them of these events, the last ones only in its log. */
	putTables(silver: Event[], gold: Event[]): void {
		const scratch = temporaryFolder();
		const write = (name: string, rows: Event[]) => {
			fs.writeFileSync(path.join(scratch, name), JSON.stringify(rows));
			return path.join(scratch, name);
		};
		const silver_json = write("silver.json", silver);
		const gold_json = write("gold.json", gold);
		fs.mkdirSync(path.join(scratch, "out"));
		duck("-", scratch, ...TYPES.map((type) => `COPY (${select(silver_json, type)}) `
			+ `TO '${scratch}/out/${type.toLowerCase()}.parquet' (FORMAT parquet)`));
		for (const file of filesBelow(path.join(scratch, "out")))
			fs.copyFileSync(file, path.join(this.data, "silver", path.basename(file)));
		const database = path.join(this.data, "db", "github_events.duckdb");
		duck(database, scratch, "CREATE VIEW kpi AS SELECT 1 AS id, now() AS created_at",
			`CREATE TABLE watchevent AS ${select(gold_json, "WatchEvent")} LIMIT 0`,
			`CREATE TABLE pullrequestevent AS ${select(gold_json, "PullRequestEvent")}`,
			`CREATE TABLE issuesevent AS ${select(gold_json, "IssuesEvent")}`);
		duck(database, scratch, `INSERT INTO watchevent ${select(gold_json, "WatchEvent")}`, "crash");
	}

	digests(): string[] {
		return filesBelow(this.data).map((file) => `${file} ${fs.statSync(file).mtimeMs} `
			+ createHash("sha256").update(fs.readFileSync(file)).digest("hex"));
	}
}

interface Counts {
	files: number;
	received: number;
	stored: number;
	duplicates: number;
	filtered: number;
	quarantined: number;
}
interface Report {
	json: Counts;
	parquet: Counts;
	duckdb: Counts;
	all: Counts;
	gold_rows: number;
	damaged: number;
	problems: { path: string; reason: string; damage: boolean }[];
}

async function importSeed(seed: Seed, lake: string, code = 0, args: string[] = []): Promise<Report> {
	const finished = await runOctolake(["import", "--from-gh-events", seed.root, "--data", lake, "--json", ...args]);
	assert.equal(finished.code, code, finished.stderr);
	const report = JSON.parse(finished.stdout) as Report;
	for (const counts of [report.json, report.parquet, report.duckdb, report.all])
		assert.equal(counts.received, counts.stored + counts.duplicates + counts.filtered + counts.quarantined);
	return report;
}

const without = ({ files, ...counts }: Counts) => Object.values(counts);

test("bronze, silver and gold of the first system become one lake", async () => {
	const seed = new Seed();
	const lake = path.join(temporaryFolder(), "lake");
	/* Bronze has 0 to 300 (some twice), silver also 300 to 330, the DuckDB file also up to 360. */
	seed.put("bronze/PullRequestEvent/20240501.json", JSON.stringify(events(0, 200)));
	seed.put("bronze/20240502.json", JSON.stringify(events(150, 300), null, 2));
	seed.put("bronze/empty.json", "[]");
	seed.putTables(events(100, 330), events(200, 360));
	assert.ok(fs.existsSync(path.join(seed.data, "db", "github_events.duckdb.wal")));
	const before = seed.digests();

	const report = await importSeed(seed, lake);
	assert.deepEqual(without(report.json), [350, 300, 50, 0, 0]);
	assert.deepEqual(without(report.parquet), [230, 30, 200, 0, 0]);
	assert.deepEqual(without(report.duckdb), [160, 30, 130, 0, 0]);
	assert.equal(report.gold_rows, 360);
	assert.equal(report.damaged, 0);
	assert.deepEqual(seed.digests(), before, "the first system's folder is read only");

	const expected = events(0, 360);
	assert.deepEqual((await goldKeys(lake)).sort(), expected.map(keyOf).sort());
	assert.deepEqual(await typeCounts(lake), countBy(expected, (event) => event.type));

	/* Raw JSON is kept as received; a row says what its columns said, and no more. */
	const bronze = new Map((await bronzeEvents(lake)).map((event) => [event.id, event]));
	for (const event of events(0, 300))
		assert.deepEqual(bronze.get(event.id), event);
	for (const { id, type, created_at, repo, actor, payload } of events(300, 360)) {
		const kept = { WatchEvent: undefined,
			PullRequestEvent: { pull_request: { number: payload.pull_request?.number, state: "open" } },
			IssuesEvent: { action: "opened", issue: { title: payload.issue?.title } } }[type];
		assert.deepEqual(bronze.get(id), { id, type, created_at, repo: { name: repo!.name },
			actor: { login: actor.login }, ...(kept ? { payload: kept } : {}) });
	}
	const sources = path.join(temporaryFolder(), "sources.yaml");
	fs.writeFileSync(sources, `version: 2
kpis:
  - {id: sources, name: S, description: S, visualisation: table, sql: "SELECT source, COUNT(*) AS count FROM events GROUP BY 1 ORDER BY 1"}
`);
	assert.deepEqual(await query(lake, "sources", ["--metrics", sources]),
		[{ source: "gh-events", count: 300 }, { source: "gh-events-row", count: 60 }]);

	/* Again: nothing is new, also after bronze was moved away. */
	const again = await importSeed(seed, lake);
	assert.deepEqual(without(again.all), [740, 0, 740, 0, 0]);
	fs.rmSync(path.join(seed.data, "bronze"), { recursive: true });
	assert.deepEqual(without((await importSeed(seed, lake)).all), [390, 0, 390, 0, 0]);
	assert.equal((await goldKeys(lake)).length, 360);

	/* Without bronze from the start: rows alone, each once. */
	const rows_only = path.join(temporaryFolder(), "lake");
	assert.deepEqual(without((await importSeed(seed, rows_only)).all), [390, 260, 130, 0, 0]);
	const rebuilt = await runOctolake(["rebuild", "silver", "--data", rows_only]);
	assert.equal(rebuilt.code, 0, rebuilt.stderr);
	assert.equal((await goldKeys(rows_only)).length, 260);
});

test("types that are not kept are counted, and come when they are", async () => {
	const seed = new Seed();
	const lake = path.join(temporaryFolder(), "lake");
	seed.put("bronze/a.json", JSON.stringify(events(0, 30)));
	const report = await importSeed(seed, lake, 0, ["--types", "WatchEvent"]);
	assert.deepEqual(without(report.json), [30, 10, 0, 20, 0]);
	assert.deepEqual(without((await importSeed(seed, lake, 0, ["--types", "all"])).json), [30, 20, 10, 0, 0]);
});

test("killed in the middle and run again", async () => {
	const seed = new Seed();
	const lake = path.join(temporaryFolder(), "lake");
	for (let i = 0; i < 21; i++)
		seed.put(`bronze/${i}.json`, JSON.stringify(events(i * 1000, i * 1000 + 1200)));
	seed.putTables(events(21_000, 23_000), events(22_000, 24_000));
	let kills = 0;
	for (let i = 0; i < 4; i++) {
		const running = await startOctolake(["import", "--from-gh-events", seed.root, "--data", lake], { at_once: true });
		await Promise.race([sleep(150 + 450 * i), running.exited]);
		kills += running.exit ? 0 : 1;
		await running.stop("SIGKILL");
	}
	assert.ok(kills > 0, "no kill came in time");
	const report = await importSeed(seed, lake);
	assert.equal(report.all.received, 21 * 1200 + 2000 + 2000);
	const bronze = countBy(await bronzeEvents(lake), keyOf);
	assert.deepEqual(Object.keys(bronze).sort(), events(0, 24_000).map(keyOf).sort());
	assert.ok(Object.values(bronze).every((count) => count === 1), "nothing is in bronze twice");
	assert.equal((await goldKeys(lake)).length, 24_000);
});

test("damaged files of each kind cost what is broken in them", async () => {
	const seed = new Seed();
	const lake = path.join(temporaryFolder(), "lake");
	const good = events(0, 90);
	const array = JSON.stringify(good.slice(0, 30));
	seed.put("bronze/cut.json", array.slice(0, -30));
	seed.put("bronze/broken.json", JSON.stringify(good.slice(30, 40)).replace('"public":true', '"public":tru'));
	seed.put("bronze/html.json", "<html>rate limit</html>");
	seed.put("bronze/notes.txt", "not ours");
	seed.putTables(events(40, 60), events(60, 80));
	const parquet = path.join(seed.data, "silver", "watchevent.parquet");
	fs.truncateSync(parquet, fs.statSync(parquet).size - 10);
	fs.copyFileSync(path.join(seed.data, "db", "github_events.duckdb"), path.join(seed.data, "db", "old.duckdb"));
	fs.truncateSync(path.join(seed.data, "db", "old.duckdb"), 9000);
	seed.put("db/sqlite.db", "SQLite format 3\0".padEnd(4096, "\0"));
	const report = await importSeed(seed, lake, 3);
	assert.deepEqual(without(report.json), [40, 38, 0, 0, 2]);
	assert.deepEqual(without(report.duckdb), [20, 20, 0, 0, 0]);
	assert.deepEqual(report.problems.filter((one) => one.damage).map((one) => one.path).sort(),
		["bronze/cut.json", "bronze/html.json", "db/old.duckdb", "db/sqlite.db", "silver/watchevent.parquet"]);
	assert.deepEqual(report.problems.filter((one) => !one.damage).map((one) => one.path), ["bronze/notes.txt"]);
	const again = await importSeed(seed, lake, 3);
	assert.equal(again.all.stored + again.all.quarantined, 0);
});

test("what cannot be imported is said in one line", async () => {
	const seed = new Seed();
	const lake = path.join(temporaryFolder(), "lake");
	const fails = async (args: string[], code: number, text: RegExp): Promise<Finished> => {
		const finished = await runOctolake(["import", ...args]);
		assert.equal(finished.code, code, finished.stderr);
		assert.match(finished.stderr, text);
		return finished;
	};
	await fails([], 2, /--from-gh-events DIR/);
	await fails(["2026-09-20-1", "--from-gh-events", seed.root, "--data", lake], 2, /one import at a time/);
	await fails(["--from-gh-events", temporaryFolder(), "--data", lake], 2, /holds no bronze, silver or db folder/);
	await fails(["--from-gh-events", seed.root, "--data", seed.data], 2, /give the lake another one with --data/);
	assert.ok(!fs.existsSync(path.join(seed.data, "catalog.sqlite")) && !fs.existsSync(lake));
	const running = await startOctolake(["serve", "--data", lake]);
	await fails(["--from-gh-events", seed.root, "--data", lake], 6, new RegExp(`octolake serve \\(pid ${running.pid}`));
	await running.stop();
	seed.put("bronze/a.json", JSON.stringify(events(0, 3)));
	const finished = await runOctolake(["import", "--from-gh-events", seed.data, "--data", lake]);
	assert.equal(finished.code, 0, finished.stderr);
	assert.match(finished.stdout, /^json +1 +3 +3 +0 +0 +0$/m);
	assert.match(finished.stdout, /3 rows are new in gold/);
});
