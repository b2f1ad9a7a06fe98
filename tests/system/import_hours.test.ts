// SPDX-License-Identifier: Apache-2.0
// `octolake import` of GH Archive: real hours against an independent count, damage of every kind, mirrors
// that lack hours, kills at random moments, a full disk. Rows are read by a Parquet reader that is not DuckDB.
// OCTOLAKE_IMPORT_KILLS (6) says how often it is killed, OCTOLAKE_IMPORT_SEED repeats a run's moments.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import test, { type TestContext } from "node:test";
import zlib from "node:zlib";
import { countBy, filesBelow, goldKeys, randomNumbers, realData, typeCounts } from "../support/lake";
import { runOctolake, sleep, startOctolake, temporaryFolder } from "../support/processes";
import { silverKey, silverRows, type SilverRow } from "../support/silver";

const KILLS = Number(process.env.OCTOLAKE_IMPORT_KILLS ?? 6);
const SEED = Number(process.env.OCTOLAKE_IMPORT_SEED ?? Date.now() % 1_000_000);
const real = realData();

/** Hours from the project's own generator. */
function makeHours(hours: number, events: number, options: string[] = []): string[] {
	const folder = temporaryFolder();
	const made = spawnSync(path.join(process.env.OCTOLAKE_BUILD_DIR!, "octolake-make-hours"),
		[folder, "--hours", String(hours), "--events", String(events), "--repositories", "500", "--people", "500",
			...options]);
	assert.equal(made.status, 0, String(made.stderr));
	return filesBelow(folder).filter((name) => name.endsWith(".gz"));
}

function linesOf(file: string): string[] {
	const bytes = fs.readFileSync(file);
	const text = (bytes[0] === 0x1f ? zlib.gunzipSync(bytes) : bytes).toString("utf8");
	return text.split("\n").filter((line) => line.trim() !== "");
}

async function importHours(lake: string, args: string[], exit = 0, wait_ms = 300_000): Promise<any> {
	const finished = await runOctolake(["import", ...args, "--data", lake, "--types", "all", "--json"], { wait_ms });
	assert.equal(finished.code, exit, finished.stderr.slice(-3000));
	return JSON.parse(finished.stdout);
}

function assertAddsUp(report: any): void {
	assert.equal(report.received,
		report.filtered + report.silver_rows + report.duplicates + report.quarantined, JSON.stringify(report));
}

/** What a full JSON parser finds, in the columns that all eras share. */
function independent(file: string): { types: Record<string, number>; actors: number; repos: number; opened: number } {
	const events = linesOf(file).map((line) => JSON.parse(line));
	const login = (event: any) => typeof event.actor === "string" ? event.actor
		: event.actor?.login ?? event.actor_attributes?.login;
	const repo = (event: any) => event.repo?.name
		?? (event.repository ? `${event.repository.owner}/${event.repository.name}` : undefined);
	const distinct = (values: any[]) => new Set(values.filter((value) => value)).size;
	return {
		types: countBy(events, (event) => event.type),
		actors: distinct(events.map(login)),
		repos: distinct(events.map(repo)),
		opened: events.filter((e) => e.type === "PullRequestEvent" && e.payload.action === "opened").length,
	};
}

function found(rows: SilverRow[]): ReturnType<typeof independent> {
	const distinct = (values: (string | null)[]) => new Set(values.filter((value) => value)).size;
	return {
		types: countBy(rows, (row) => row.type),
		actors: distinct(rows.map((row) => row.actor_login)),
		repos: distinct(rows.map((row) => row.repo_name)),
		opened: rows.filter((row) => row.type === "PullRequestEvent" && row.action === "opened").length,
	};
}

/* The hour of 2012 has one event twice, with its keys in another order. */
for (const [file, events, twice] of [["2012-06-14-15.json.gz", 5313, ["PullRequestEvent"]],
	["2015-01-01-1.json.gz", 7427, []], ["2021-07-21-6to9.200-each.json", 800, []], ["2016-07-07-0.head2000.rebuilt.jsonl", 2000, []]] as const)
	test(`${file}: as an independent parser counts it`, { skip: real.skip }, async () => {
		const lake = temporaryFolder();
		const source = path.join(real.folder, "gharchive-hours", file);
		const report = await importHours(lake, [source]);
		assert.equal(report.received, events);
		assert.equal(report.quarantined, 0);
		assert.equal(report.duplicates, twice.length);
		assertAddsUp(report);
		const expected = independent(source);
		for (const type of twice)
			expected.types[type]--;
		assert.deepEqual(found(await silverRows(lake)), expected);
		const counts = await typeCounts(lake);
		for (const [type, count] of Object.entries(expected.types))
			assert.equal(counts[type.toLowerCase()] ?? counts[type], count, type);
	});

test("hours are not imported twice, nor are events that two of them share", async () => {
	const lake = temporaryFolder();
	const hours = makeHours(3, 2000, ["--overlap", "20"]);
	const first = await importHours(lake, [...hours, "--threads", "2"]);
	assert.equal(first.received, 6000);
	assert.ok(first.merged > 500, `${first.merged} merged`);
	assert.equal(first.gold_rows, 6000 - first.merged);
	const rows = await silverRows(lake);
	assert.equal(rows.length, first.gold_rows);
	assert.equal(new Set(rows.map(silverKey)).size, rows.length);
	const again = await importHours(lake, hours);
	assert.deepEqual([again.imported, again.known, again.gold_rows], [0, 3, 0]);
	/* The same hour in another compression is another file, whose events are there. */
	const other = path.join(temporaryFolder(), path.basename(hours[1]));
	fs.writeFileSync(other, zlib.gzipSync(zlib.gunzipSync(fs.readFileSync(hours[1])), { level: 1 }));
	const copy = await importHours(lake, [other]);
	assert.deepEqual([copy.imported, copy.merged, copy.gold_rows], [1, 2000, 0]);
	assert.equal((await silverRows(lake)).length, rows.length);
});

test("a rebuild from the kept files gives the same rows", async () => {
	const lake = temporaryFolder();
	await importHours(lake, [...makeHours(3, 1000, ["--overlap", "10"]), "--threads", "2"]);
	const keys = (await silverRows(lake)).map(silverKey).sort();
	const gold = await goldKeys(lake);
	const rebuilt = await runOctolake(["rebuild", "silver", "--data", lake, "--types", "all"]);
	assert.equal(rebuilt.code, 0, rebuilt.stderr);
	assert.deepEqual((await silverRows(lake)).map(silverKey).sort(), keys);
	assert.deepEqual(await goldKeys(lake), gold);
	fs.rmSync(path.join(lake, "catalog.sqlite"));
	const recovered = await runOctolake(["rebuild", "silver", "--data", lake, "--types", "all"]);
	assert.equal(recovered.code, 0, recovered.stderr);
	assert.deepEqual((await silverRows(lake)).map(silverKey).sort(), keys);
	assert.deepEqual(await goldKeys(lake), gold);
});

test("--bronze link, drop and keep; --to silver; standard input", async () => {
	const [hour, other] = makeHours(2, 500);
	const bronzeOf = (lake: string) => filesBelow(path.join(lake, "bronze"));
	const kept = temporaryFolder();
	assert.equal((await importHours(kept, [hour, "--to", "silver"])).gold_rows, 0);
	assert.equal(bronzeOf(kept).length, 1);
	assert.deepEqual(fs.readFileSync(bronzeOf(kept)[0]), fs.readFileSync(hour));
	const shown = await runOctolake(["cat", "--data", kept]);
	assert.deepEqual(shown.stdout.trimEnd().split("\n"), linesOf(hour));
	assert.equal((await importHours(kept, [other])).gold_rows, 1000, "what waits in silver goes along");
	const linked = temporaryFolder();
	await importHours(linked, [hour, "--bronze", "link"]);
	assert.equal(fs.statSync(bronzeOf(linked)[0]).ino, fs.statSync(hour).ino);
	const dropped = temporaryFolder();
	assert.equal((await importHours(dropped, [hour, "--bronze", "drop"])).gold_rows, 500);
	assert.deepEqual(bronzeOf(dropped), []);
	assert.ok(fs.existsSync(hour));
	assert.equal((await importHours(dropped, [hour, "--bronze", "drop"])).known, 1);
	/* What silver alone has survives a rebuild. */
	const rebuilt = await runOctolake(["rebuild", "silver", "--data", dropped, "--types", "all"]);
	assert.equal(rebuilt.code, 0, rebuilt.stderr);
	assert.equal((await goldKeys(dropped)).length, 500);
});

const good = (id: number, at = "2020-10-30T17:00:00Z") => JSON.stringify({ id: String(id), type: "WatchEvent",
	actor: { id: 1, login: "octocat" }, repo: { id: 2, name: "octo/repo" }, payload: { action: "started" }, public: true,
	created_at: at });
const gzip = (text: string | Buffer) => zlib.gzipSync(text);
const lines = (...texts: string[]) => texts.map((text) => `${text}\n`).join("");
const cut = good(9).slice(0, 70);

/* What silver alone has must be found by the backup of the catalog, also where a file of silver gave way to another. */
async function loseCatalog(lake: string, rows: number): Promise<void> {
	for (const name of ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"])
		fs.rmSync(path.join(lake, name), { force: true });
	const rebuilt = await runOctolake(["rebuild", "gold", "--data", lake, "--types", "all"]);
	assert.equal(rebuilt.code, 0, rebuilt.stderr);
	assert.equal((await goldKeys(lake)).length, rows);
}

test("--bronze drop, then the catalog is lost: merged rows are there", async () => {
	const lake = temporaryFolder();
	const report = await importHours(lake, [...makeHours(2, 500, ["--overlap", "20"]), "--bronze", "drop"]);
	assert.ok(report.merged > 50, `${report.merged} merged`);
	await loseCatalog(lake, report.gold_rows);
});

test("--bronze drop, then the catalog is lost: compacted rows are there", async () => {
	const lake = temporaryFolder();
	const far = path.join(temporaryFolder(), "far.json");
	fs.writeFileSync(far, lines(...Array.from({ length: 120 }, (_, i) =>
		good(i + 1, new Date(Date.UTC(2015, 0, 1 + i)).toISOString().replace(".000", "")))));
	await importHours(lake, [far, "--bronze", "drop"]);
	const compacted = await runOctolake(["retain", "--data", lake, "--types", "all", "--keep-bronze", "1d"]);
	assert.equal(compacted.code, 0, compacted.stderr);
	await loseCatalog(lake, 120);
});

/** name, bytes, events that are in silver, damaged places, exit code */
const damages: [string, Buffer, number, number, number][] = [
	["truncated", gzip(lines(...Array.from({ length: 400 }, (_, i) => good(i + 1)))).subarray(0, -40), -1, -1, 3],
	["two members", Buffer.concat([gzip(lines(good(1))), gzip(lines(good(2)))]), 2, 0, 0],
	["XML", Buffer.from("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code></Error>"), 0, 1, 3],
	["of nothing", gzip(""), 0, -1, -1],
	["NUL run", gzip(lines(good(1)) + "\0".repeat(300) + lines(good(2))), 2, 1, -1],
	["cut and glued", gzip(lines(good(1), cut + good(2), good(3))), 3, 1, -1],
	["several on a line", gzip(`${good(1)}${good(2)}${good(3)}\n`), 3, 0, 0],
	["no newline at the end", gzip(lines(good(1)) + good(2)), 2, 0, 0],
	["last line cut", gzip(lines(good(1)) + cut), 1, 1, -1],
	["35 MB line", gzip(lines(good(1), `{"id":"${"7".repeat(35_000_000)}`, good(2))), 2, 1, -1],
	["BOM", gzip("\ufeff" + lines(good(1))), 1, 0, 0],
	["UTF-16", Buffer.from(lines(good(1)), "utf16le"), 0, 1, 3],
	["invalid UTF-8", gzip(Buffer.concat([Buffer.from(lines(good(1))), Buffer.from(good(2).replace("octocat", "~~")
		.replace("~~", "\u00ff"), "latin1"), Buffer.from("\n" + lines(good(3)))])), 2, 1, -1],
	["lone surrogate", gzip(lines(good(1), good(2).replace("octocat", "\\ud800"), good(3))), 2, 1, -1],
	["plain JSON lines", Buffer.from(lines(good(1), good(2))), 2, 0, 0],
	["far days", gzip(lines(...Array.from({ length: 150 }, (_, i) =>
		good(i + 1, new Date(Date.UTC(2015, 0, 1 + i)).toISOString().replace(".000", ""))))), 150, 0, 0],
	["the future", gzip(lines(good(1), good(2, "2999-01-01T00:00:00Z"))), 1, 1, -1],
];
for (const [name, bytes, rows, damaged, exit] of damages)
	test(`an hour that is damaged: ${name}`, async () => {
		const lake = temporaryFolder();
		const file = path.join(temporaryFolder(), "2020-10-30-17.json.gz");
		fs.writeFileSync(file, bytes);
		const finished = await runOctolake(["import", file, "--data", lake, "--types", "all", "--json"]);
		const report = JSON.parse(finished.stdout);
		assertAddsUp(report);
		assert.ok(exit === -1 ? finished.code === 0 || finished.code === 3 : finished.code === exit,
			`${finished.code} ${finished.stderr.slice(-1000)}`);
		assert.equal((await silverRows(lake)).length, report.silver_rows);
		assert.equal((await goldKeys(lake)).length, report.silver_rows);
		if (rows >= 0)
			assert.equal(report.silver_rows, rows);
		else
			assert.ok(report.silver_rows > 5, "what came before the damage is kept");
		if (damaged >= 0)
			assert.equal(report.quarantined, damaged);
		else
			assert.ok(report.quarantined <= 2);
		const again = await runOctolake(["import", file, "--data", lake, "--types", "all", "--json"]);
		assert.equal(again.code, finished.code, "what is damaged is still said to be");
		assert.equal(JSON.parse(again.stdout).imported, 0);
	});

/** An archive over HTTP: names to bytes, and how often each was asked for. */
async function serve(t: TestContext, files: Map<string, Buffer>): Promise<{ url: string; asked: string[] }> {
	const asked: string[] = [];
	const server = http.createServer((request, response) => {
		const bytes = files.get(path.basename(request.url!));
		asked.push(`${request.method} ${path.basename(request.url!)}`);
		if (!bytes) {
			response.writeHead(404).end();
			return;
		}
		response.writeHead(200, { "content-length": bytes.length, etag: `"${bytes.length}"` });
		response.end(request.method === "HEAD" ? undefined : bytes);
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	t.after(() => server.close());
	return { url: `http://127.0.0.1:${(server.address() as any).port}`, asked };
}

test("hours by range from two mirrors; one that is missing is asked for again", async (t) => {
	const lake = temporaryFolder();
	const hours = makeHours(3, 300);
	const files = new Map(hours.map((name) => [path.basename(name), fs.readFileSync(name)]));
	const late = new Map([...files].slice(0, 2));
	const half = lines(...linesOf(hours[0]).slice(0, 100), good(77));
	const [first, second] = [await serve(t, late), await serve(t, new Map([["2024-01-15-0.json.gz", gzip(half)]]))];
	const args = ["2024-01-15-0..2024-01-15-2", "--mirror", `${first.url},${second.url}`];
	const dry = await runOctolake(["import", ...args, "--data", lake, "--dry-run", "--json"]);
	assert.equal(dry.code, 3);
	assert.deepEqual(JSON.parse(dry.stdout), { files: 6, known: 0, to_fetch: 3, to_fetch_bytes: [...late.values(),
		gzip(half)].reduce((sum, bytes) => sum + bytes.length, 0), of_unknown_size: 0, not_there: 3 });
	assert.ok(first.asked.every((request) => request.startsWith("HEAD ")));
	const report = await importHours(lake, args, 3);
	assert.deepEqual([report.imported, report.received, report.merged, report.gold_rows], [3, 701, 100, 601]);
	assert.deepEqual(report.problems.map((problem: any) => [problem.name, problem.state]),
		[["2024-01-15-1", "missing"], ["2024-01-15-2", "missing"], ["2024-01-15-2", "missing"]]);
	late.set("2024-01-15-2.json.gz", files.get("2024-01-15-2.json.gz")!);
	first.asked.length = 0;
	const again = await importHours(lake, ["2024-01-15-{0..2}", "--mirror", first.url]);
	assert.deepEqual([again.imported, again.known, again.gold_rows], [1, 2, 300]);
	assert.deepEqual(first.asked, ["GET 2024-01-15-2.json.gz"]);
	/* Another mirror with the same bytes: asked once. */
	const third = await serve(t, files);
	for (const requests of [3, 0]) {
		third.asked.length = 0;
		const other = await importHours(lake, ["2024-01-15-{0..2}", "--mirror", third.url]);
		assert.deepEqual([other.imported, other.known, third.asked.length], [0, 3, requests]);
	}
});

test("an hour of which the archive has hardly anything is listed", async (t) => {
	const hour = gzip(lines(good(1, "2015-01-05T20:00:00Z")));
	const archive = await serve(t, new Map([["2015-01-05-20.json.gz", hour]]));
	const report = await importHours(temporaryFolder(), ["2015-01-05-20", "--mirror", archive.url], 3);
	assert.deepEqual([report.silver_rows, report.problems[0].state], [1, "thin"]);
});

test("what is wrong with the command", async () => {
	const lake = temporaryFolder();
	for (const [args, words] of [[[], /2026-09-20/], [["2026-13-01"], /2026-13-01/], [["2010-01-01-0"], /2011-02-12/],
		[["/no/such/file.json.gz"], /no such file|No such file/], [["ftp://host/x"], /http/],
		[["2024-01-15-0", "--mirror", "ftp://host"], /http/]] as [string[], RegExp][]) {
		const finished = await runOctolake(["import", ...args, "--data", lake]);
		assert.equal(finished.code, 2, `${args}: ${finished.stderr}`);
		assert.match(finished.stderr, words);
	}
});

test(`kill -9, ${KILLS} times, then to its end: the same rows`, async (t) => {
	t.diagnostic(`OCTOLAKE_IMPORT_SEED=${SEED}`);
	const random = randomNumbers(SEED);
	const hours = makeHours(8, 3000, ["--overlap", "5"]);
	const quiet = temporaryFolder();
	const started = Date.now();
	await importHours(quiet, [...hours, "--threads", "2"]);
	const length_ms = Date.now() - started;
	const expected = (await silverRows(quiet)).map(silverKey).sort();
	let lake = temporaryFolder();
	let killed = 0;
	for (let i = 0; i < KILLS; i++) {
		const running = await startOctolake(["import", ...hours, "--data", lake, "--types", "all", "--threads", "2"],
			{ at_once: true });
		await Promise.race([sleep(20 + random() * length_ms * 0.8), running.exited]);
		killed += running.exit ? 0 : 1;
		running.child.kill("SIGKILL");
		await running.exited;
		/* It had come to its end: once more from nothing. */
		if (running.exit?.code === 0)
			lake = temporaryFolder();
	}
	assert.ok(killed >= KILLS / 2, `${killed} kills`);
	const report = await importHours(lake, [...hours, "--threads", "2"]);
	assert.equal(report.problem_count, 0);
	assert.deepEqual((await silverRows(lake)).map(silverKey).sort(), expected);
	assert.equal((await goldKeys(lake)).length, expected.length);
	const doctor = await runOctolake(["doctor", "--deep", "--json", "--data", lake, "--types", "all"]);
	const checks = JSON.parse(doctor.stdout).checks;
	for (const name of ["catalog", "files", "gold", "ledger"])
		assert.equal(checks.find((check: any) => check.name === name)?.status, "ok", name);
});

test("a disk that fills in the middle: a clear error, and the same command goes on", async (t) => {
	const disk = temporaryFolder();
	if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]).status !== 0) {
		t.skip("may not mount a disk of 24 MB here");
		return;
	}
	t.after(() => spawnSync("umount", ["-l", disk]));
	const lake = path.join(disk, "lake");
	const hours = makeHours(6, 2000);
	fs.writeFileSync(path.join(disk, "filler"), Buffer.alloc(18 * 1024 * 1024));
	const full = await runOctolake(["import", ...hours, "--data", lake, "--types", "all", "--to", "silver"]);
	assert.equal(full.code, 1, full.stderr.slice(-1000));
	assert.match(full.stderr, /[Nn]o space|disk is full/);
	fs.rmSync(path.join(disk, "filler"));
	const report = await importHours(lake, [...hours, "--to", "silver", "--bronze", "drop"]);
	assert.equal(report.problem_count, 0);
	assert.equal((await silverRows(lake)).length, 12000);
});
