// SPDX-License-Identifier: Apache-2.0
// One file of a lake is damaged, then the program is started as a user would. It must serve again (or end
// with exit code 4 and an instruction), never crash, find nothing more to mend at the second start, and give
// exactly the rows that the undamaged lake gives, less what was in the damaged bytes alone, which is counted.
// OCTOLAKE_DAMAGE_CASES (12) says how many cases, the first ones of each kind of file; OCTOLAKE_DAMAGE_SEED repeats a run, OCTOLAKE_DAMAGE_ONLY
// one case of it, OCTOLAKE_DAMAGE_KINDS=catalog,gold only files of these kinds.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { filesBelow, randomNumbers, TOKEN } from "../support/lake";
import { get, getJson, runOctolake, startFake, startOctolake, temporaryFolder, waitFor, type Octolake }
	from "../support/processes";

const CASES = Number(process.env.OCTOLAKE_DAMAGE_CASES ?? 12);
const SEED = Number(process.env.OCTOLAKE_DAMAGE_SEED ?? Date.now() % 1_000_000);
const ONLY = process.env.OCTOLAKE_DAMAGE_ONLY;
const KINDS_WANTED = process.env.OCTOLAKE_DAMAGE_KINDS?.split(",");
const ENV = { GITHUB_TOKEN: TOKEN };
const PAGE_BYTES = 4096;
const HEAL_WAIT_MS = 15_000;

/** Every column but `batch`, which an adopted file may change. */
const ROWS_METRIC = `version: 2
defaults: {timeout: 60s}
kpis:
  - id: damage_rows
    name: Every row
    description: Every row.
    visualisation: table
    limit: {default: 100000, max: 100000}
    sql: |
      SELECT concat_ws('|', id, type, created_at, actor_id, actor_login, is_bot, repo_id, repo_name, org_login, action,
        number, merged, ref_type, era, source) AS "row" FROM events ORDER BY 1 LIMIT \${limit}
`;

// ---- the lake ----

const TYPES = ["PushEvent", "WatchEvent", "IssuesEvent", "PullRequestEvent"];
const DAYS = ["2026-09-18", "2026-09-19", "2026-09-20"];

function makeEvents(first: number, count: number, random: () => number): unknown[] {
	const events: unknown[] = [];
	for (let id = first; id < first + count; id++) {
		const type = TYPES[Math.floor(random() * TYPES.length)];
		const created_at = `${DAYS[Math.floor(random() * DAYS.length)]}T${String(id % 24).padStart(2, "0")}:`
			+ `${String(id % 60).padStart(2, "0")}:${String((id * 7) % 60).padStart(2, "0")}Z`;
		const repository = 1000 + Math.floor(random() * 40);
		/* Bytes that do not compress, so that files have more than a few pages. */
		const noise = createHash("sha512").update(`${id} ${random()}`).digest("hex").repeat(1 + Math.floor(random() * 4));
		const payload: Record<string, unknown> = { noise };
		if (type === "WatchEvent")
			payload.action = "started";
		if (type === "IssuesEvent")
			Object.assign(payload, { action: "opened", issue: { number: id, title: noise.slice(0, 40) } });
		if (type === "PullRequestEvent")
			Object.assign(payload, { action: "opened", number: id, pull_request: { number: id, id } });
		events.push({ id: String(id), type, actor: { id: id % 97, login: `user-${id % 97}` },
			repo: { id: repository, name: `owner/repo-${repository}` }, payload, public: true, created_at });
	}
	return events;
}

async function ingest(folder: string, data: string, name: string, events: unknown[], flush: number): Promise<void> {
	const recording = path.join(folder, name);
	fs.mkdirSync(recording);
	for (let page = 0; page * 90 < events.length; page++)
		fs.writeFileSync(path.join(recording, `${String(page).padStart(3, "0")}.json`),
			JSON.stringify(events.slice(page * 90, page * 90 + 90)));
	const fake = await startFake(["--replay", recording, "--poll-interval", "0"]);
	await command(data, ["ingest", "--until-quiet", "--api-url", fake.url, "--flush-events", String(flush)]);
	await fake.stop();
}

async function command(data: string, args: string[]): Promise<void> {
	const run = await runOctolake([...args, "--data", data, "--types", "all"], { env: ENV });
	assert.equal(run.code, 0, run.stderr);
}

/** `still`: stopped in good order. Else killed, so that the logs of gold and catalog are there. */
async function makeLakes(folder: string): Promise<{ still: string; killed: string }> {
	const other = path.join(folder, "other");
	await ingest(folder, other, "x", makeEvents(5000, 300, randomNumbers(12)), 70);
	await command(other, ["transform"]);
	await command(other, ["materialise"]);
	catalog_of_another_lake = path.join(other, "catalog.sqlite");
	const random = randomNumbers(11);
	const still = path.join(folder, "still");
	const killed = path.join(folder, "killed");
	const broken = [{ id: "no-number", type: "PushEvent" }, 7];
	await ingest(folder, still, "a", [...makeEvents(1, 360, random), ...broken], 100);
	await command(still, ["transform"]);
	await command(still, ["materialise"]);
	const compacting = await startOctolake(["serve", "--data", still, "--types", "all", "--compact-files", "2"]);
	await compacting.waitForLog("silver compacted");
	await compacting.stop();
	await ingest(folder, still, "b", [...makeEvents(301, 240, random), ...broken], 80);
	await command(still, ["transform"]);
	await command(still, ["materialise"]);
	catalog_before = path.join(folder, "catalog-before.sqlite");
	fs.copyFileSync(path.join(still, "catalog.sqlite"), catalog_before);
	fs.cpSync(still, killed, { recursive: true });
	await ingest(folder, still, "c", makeEvents(541, 80, random), 80);
	await command(still, ["transform"]);
	await ingest(folder, still, "d", makeEvents(621, 160, random), 80);

	await ingest(folder, killed, "e", makeEvents(541, 80, random), 80);
	const server = await startOctolake(["serve", "--data", killed, "--types", "all"]);
	await server.waitForLog("gold loaded");
	await waitFor(async () => (await getJson(`${server.api}/api/v1/pipeline`)).ledger.waiting === 0, 10_000, "loaded");
	await server.stop("SIGKILL");
	assert.ok(fs.existsSync(path.join(killed, "catalog.sqlite-wal")));
	assert.ok(goldLog(killed), "gold's log is there");
	return { still, killed };
}

/** Catalogs that may be put in the place of a lake's own: a backup of its own, and one that is not its own. */
let catalog_before = "";
let catalog_of_another_lake = "";

const goldLog = (data: string) => filesBelow(path.join(data, "gold")).find((name) => name.endsWith(".wal"));

// ---- what is damaged, and how ----

type Random = () => number;
interface Case { lake: "still" | "killed"; kind: string; damage: string }

const KINDS: Record<string, (data: string) => string[]> = {
	bronze: (data) => filesBelow(path.join(data, "bronze")).filter((name) => name.endsWith(".zst")),
	live: (data) => filesBelow(path.join(data, "silver", "_live")),
	compacted: (data) => filesBelow(path.join(data, "silver")).filter((name) => !name.includes("_live")),
	gold: (data) => filesBelow(path.join(data, "gold")).filter((name) => name.endsWith(".duckdb")),
	"gold-wal": (data) => filesBelow(path.join(data, "gold")).filter((name) => name.endsWith(".wal")),
	catalog: (data) => [path.join(data, "catalog.sqlite")],
	"catalog-wal": (data) => [path.join(data, "catalog.sqlite-wal")],
	"catalog-shm": (data) => [path.join(data, "catalog.sqlite-shm")],
	lock: (data) => [path.join(data, "LOCK")],
};

function change(file: string, edit: (bytes: Buffer) => Buffer | void): void {
	const bytes = fs.readFileSync(file);
	fs.writeFileSync(file, edit(bytes) ?? bytes);
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);

function flip(file: string, count: number, random: Random): void {
	change(file, (bytes) => {
		for (let i = 0; i < count && bytes.length > 0; i++)
			bytes[below(random, bytes.length)] ^= 1 << below(random, 8);
	});
}

const DAMAGES: Record<string, (file: string, random: Random, others: string[]) => void> = {
	"flip-1": (file, random) => flip(file, 1, random),
	"flip-few": (file, random) => flip(file, 2 + below(random, 8), random),
	"flip-many": (file, random) => flip(file, 200, random),
	"cut": (file, random) => fs.truncateSync(file, below(random, fs.statSync(file).size)),
	"cut-to-0": (file) => fs.truncateSync(file, 0),
	"cut-1": (file) => fs.truncateSync(file, Math.max(0, fs.statSync(file).size - 1)),
	"zero-range": (file, random) => change(file, (bytes) => {
		const from = below(random, bytes.length);
		bytes.fill(0, from, Math.min(bytes.length, from + 1 + below(random, 200)));
	}),
	"zero-tail": (file, random) => change(file, (bytes) => {
		bytes.fill(0, below(random, bytes.length));
	}),
	"zero-page": (file, random) => change(file, (bytes) => {
		const page = below(random, Math.ceil(bytes.length / PAGE_BYTES));
		bytes.fill(0, page * PAGE_BYTES, Math.min(bytes.length, (page + 1) * PAGE_BYTES));
	}),
	"garbage-behind": (file, random) => change(file, (bytes) =>
		Buffer.concat([bytes, Buffer.from(Array.from({ length: 1 + below(random, 5000) }, () => below(random, 256)))])),
	"zeros-behind": (file) => change(file, (bytes) => Buffer.concat([bytes, Buffer.alloc(PAGE_BYTES)])),
	"swapped": (file, random, others) => {
		const other = others.filter((name) => name !== file)[below(random, Math.max(1, others.length - 1))];
		if (!other)
			return flip(file, 1, random);
		fs.copyFileSync(other, file);
	},
	"gone": (file) => fs.rmSync(file, { force: true }),
	"folder": (file) => {
		fs.rmSync(file, { force: true });
		fs.mkdirSync(file);
		fs.writeFileSync(path.join(file, "in-the-way"), "x");
	},
	"other-name": (file) => fs.renameSync(file, `${file}.bak`),
	"stray-beside": (file) => fs.writeFileSync(path.join(path.dirname(file), `stray-${path.basename(file)}`), "foreign"),
	"leftover-beside": (file) => fs.writeFileSync(path.join(path.dirname(file), `.${path.basename(file)}.tmp`), "draft"),
	"aside-beside": (file) => fs.writeFileSync(`${file}.damaged-1`, "set aside before"),
};

const replaceCatalog = (file: string, by: string) => {
	for (const suffix of ["-wal", "-shm"])
		fs.rmSync(file + suffix, { force: true });
	fs.copyFileSync(by, file);
};
const CATALOG_DAMAGES: typeof DAMAGES = {
	"older-copy": (file) => replaceCatalog(file, catalog_before),
	"of-another-lake": (file) => replaceCatalog(file, catalog_of_another_lake),
	"gone-with-log": (file) => ["-wal", "-shm", ""].forEach((suffix) => fs.rmSync(file + suffix, { force: true })),
	/* Bytes 60 to 63 are SQLite's user_version. */
	"newer-format": (file) => change(file, (bytes) => void bytes.writeUInt32BE(99, 60)),
};

function planCases(random: Random): Case[] {
	const cells: Case[] = [];
	for (const kind of Object.keys(KINDS).filter((one) => KINDS_WANTED?.includes(one) ?? true))
		for (const damage of Object.keys({ ...DAMAGES, ...(kind === "catalog" ? CATALOG_DAMAGES : {}) }))
			cells.push({ lake: "still", kind, damage });
	const cases: Case[] = [];
	for (let i = 0; i < CASES; i++) {
		if (i % cells.length === 0) {
			for (let j = cells.length - 1; j > 0; j--) {
				const k = below(random, j + 1);
				[cells[j], cells[k]] = [cells[k], cells[j]];
			}
			const seen = new Set<string>();
			const firsts = new Set(cells.filter((cell) => !seen.has(cell.kind) && seen.add(cell.kind)));
			cells.sort((a, b) => Number(firsts.has(b)) - Number(firsts.has(a)));
		}
		const cell = cells[i % cells.length];
		const needs_log = cell.kind.endsWith("-wal") || cell.kind.endsWith("-shm");
		cases.push({ ...cell, lake: needs_log || random() < 0.25 ? "killed" : "still" });
	}
	return cases;
}

// ---- what must come of it ----

interface State { rows: string[]; pipeline: any; logs: string }
interface Refusal { code: number | null; stderr: string }

/** A start of `serve` until nothing waits; how the program ended when it would not serve. */
async function heal(data: string): Promise<State | Refusal> {
	const server = await startOctolake(["serve", "--data", data, "--types", "all", "--metrics", metric_file],
		{ at_once: true });
	try {
		return await watchHealing(server);
	} catch (error) {
		throw new Error(`${String(error)}\n${server.stderr.slice(-3000)}`);
	} finally {
		await server.stop("SIGKILL");
	}
}

async function watchHealing(server: Octolake): Promise<State | Refusal> {
	await waitFor(() => server.exit || server.logs.some((line) => line.event === "listening"), HEAL_WAIT_MS, "listening");
	if (server.exit) {
		server.assertClean();
		assert.equal(server.exit.signal, null, `killed by ${server.exit.signal}`);
		return { code: server.exit.code, stderr: server.stderr };
	}
	server.api = String(server.logs.find((line) => line.event === "listening")!.api);
	let pipeline: any;
	await waitFor(async () => {
		if (server.exit)
			return true;
		pipeline = await getJson(`${server.api}/api/v1/pipeline`);
		return (await get(`${server.api}/readyz`)).status === 200 && pipeline.ledger.waiting_silver === 0
			&& pipeline.ledger.waiting_gold === 0 && pipeline.stage_error === null && !pipeline.layers.gold.rebuild;
	}, HEAL_WAIT_MS, "healed");
	assert.equal(server.exit, null, "ended while it served");
	const rows = await rowsOf(server);
	pipeline = await getJson(`${server.api}/api/v1/pipeline`);
	assert.equal((await server.stop()).code, 0);
	return { rows, pipeline, logs: server.stderr };
}

async function rowsOf(server: Octolake): Promise<string[]> {
	const answer = await getJson(`${server.api}/api/v1/metrics/damage_rows/data?limit=100000`);
	return answer.data.map((one: { row: string }) => one.row);
}

let metric_file = "";

function isState(outcome: object): outcome is State {
	return "rows" in outcome;
}

function checkLedger(state: State, what: string): void {
	const ledger = state.pipeline.ledger;
	assert.equal(ledger.balanced, true, `${what}: ${JSON.stringify(ledger)}`);
	assert.equal(ledger.stored, state.rows.length, `${what}: the ledger's stored are gold's rows`);
	assert.equal(ledger.received, ledger.stored + ledger.duplicates + ledger.filtered + ledger.quarantined, what);
	assert.equal(state.pipeline.layers.gold.rows, state.rows.length, what);
}

/** Lines of a bronze file that only bronze has, in the undamaged lake: no silver yet. */
interface Origin { clean: State; bronze_only: Set<string> }

async function runCase(one: Case, data: string, origin: Origin, random: Random): Promise<string> {
	const candidates = KINDS[one.kind](data).filter((file) => fs.existsSync(file));
	if (candidates.length === 0)
		return "nothing-there";
	const file = candidates[below(random, candidates.length)];
	const before = fs.statSync(file);
	const digest = (name: string) =>
		fs.existsSync(name) && fs.statSync(name).isFile() ? createHash("sha256").update(fs.readFileSync(name)).digest("hex") : "";
	const sum = digest(file);
	({ ...DAMAGES, ...CATALOG_DAMAGES })[one.damage](file, random, candidates);
	const what = `${one.kind} ${one.damage} ${path.relative(data, file)} (${before.size} bytes)`;

	const first = await heal(data);
	if (!isState(first)) {
		assert.equal(first.code, 4, `${what}: ${first.stderr.slice(-2000)}`);
		assert.match(first.stderr, /newer|move|remove|restore/, what);
		assert.ok(["catalog", "bronze", "lock"].includes(one.kind), `${what}: ${first.stderr.slice(-500)}`);
		return "exit-4";
	}
	checkLedger(first, what);
	const expected = new Set(origin.clean.rows);
	const given = new Set(first.rows);
	assert.equal(given.size, first.rows.length, `${what}: a row twice`);
	assert.deepEqual(first.rows.filter((row) => !expected.has(row)), [], `${what}: rows that never were`);
	const lost = origin.clean.rows.filter((row) => !given.has(row));
	const ledger = first.pipeline.ledger;
	const may_lose = one.kind === "bronze" && origin.bronze_only.has(path.relative(data, file)) && digest(file) !== sum;
	if (!may_lose) {
		assert.deepEqual(lost.slice(0, 3), [], `${what}: ${lost.length} rows lost`);
	} else {
		const entries = first.pipeline.quarantine.filter((entry: any) => /^bronze-/.test(entry.reason));
		const [, type] = path.relative(data, file).split(path.sep);
		assert.ok(lost.every((row) => row.split("|")[1] === type), `${what}: lost rows of other types`);
		assert.equal(ledger.quarantined, origin.clean.pipeline.ledger.quarantined + lost.length,
			`${what}: what was lost is counted`);
		if (lost.length > 0)
			assert.ok(entries.some((entry: any) => path.basename(file).startsWith(path.basename(entry.path))),
				`${what}: an entry names the file`);
	}

	const second = await heal(data);
	assert.ok(isState(second), `${what}: the second start does not serve`);
	checkLedger(second, `${what}, second start`);
	assert.deepEqual(second.rows, first.rows, `${what}: the second start gives the same`);
	for (const line of second.logs.split("\n"))
		assert.doesNotMatch(line, /damaged|set aside|again from|rebuilding|recovered/, `${what}: mended twice`);

	if (one.kind === "bronze" || random() < 0.15) {
		const rebuild = await runOctolake(["rebuild", "silver", "--data", data, "--types", "all"], { env: ENV });
		assert.equal(rebuild.code, 0, `${what}: ${rebuild.stderr.slice(-2000)}`);
		const third = await heal(data);
		assert.ok(isState(third), what);
		checkLedger(third, `${what}, rebuilt`);
		assert.deepEqual(third.rows, first.rows, `${what}: rebuilding silver loses nothing`);
	}
	return lost.length > 0 ? "rows-counted-as-lost" : "nothing-lost";
}

test(`${CASES} damaged files`, async (context) => {
	const folder = temporaryFolder();
	metric_file = path.join(folder, "rows.yaml");
	fs.writeFileSync(metric_file, ROWS_METRIC);
	context.diagnostic(`OCTOLAKE_DAMAGE_SEED=${SEED}`);
	const lakes = await makeLakes(folder);
	const origins: Record<string, Origin> = {};
	for (const [name, data] of Object.entries(lakes)) {
		const copy = path.join(folder, "clean");
		fs.cpSync(data, copy, { recursive: true });
		const silver = new Set(filesBelow(path.join(data, "silver")).flatMap((file) => batchesOf(path.basename(file))));
		const bronze_only = KINDS.bronze(data).filter((file) => !silver.has(batchesOf(path.basename(file))[0]));
		const clean = await heal(copy);
		assert.ok(isState(clean));
		checkLedger(clean, name);
		origins[name] = { clean, bronze_only: new Set(bronze_only.map((file) => path.relative(data, file))) };
		fs.rmSync(copy, { recursive: true });
	}
	assert.ok(origins.still.bronze_only.size > 0, "some batches are only in bronze");
	const outcomes: Record<string, Record<string, number>> = {};
	const plan = planCases(randomNumbers(SEED));
	let failures = 0;
	for (const [index, one] of plan.entries()) {
		if (ONLY !== undefined && Number(ONLY) !== index)
			continue;
		const data = path.join(folder, `case-${index}`);
		fs.cpSync(lakes[one.lake], data, { recursive: true });
		let outcome = "FAILED";
		await context.test(`case ${index}: ${one.lake} ${one.kind} ${one.damage}`, async () => {
			outcome = await runCase(one, data, origins[one.lake], randomNumbers(SEED * 1000 + index));
		}).catch(() => undefined);
		failures += Number(outcome === "FAILED");
		const cell = outcomes[`${one.kind} ${one.damage}`] ??= {};
		cell[outcome] = (cell[outcome] ?? 0) + 1;
		if (outcome !== "FAILED" || !process.env.OCTOLAKE_KEEP_FOLDERS)
			fs.rmSync(data, { recursive: true, force: true });
	}
	for (const [cell, counts] of Object.entries(outcomes).sort())
		context.diagnostic(`${cell}: ${Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ")}`);
	context.diagnostic(`${plan.length} cases, ${failures} failed`);
});

/** The batches in a name: "000000000007.parquet", "000000000001-000000000004.parquet". */
function batchesOf(name: string): number[] {
	const [first, last] = name.replace(/\..*/, "").split("-").map(Number);
	return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i);
}
