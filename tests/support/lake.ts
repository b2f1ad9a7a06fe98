// SPDX-License-Identifier: Apache-2.0
// What tests ask a lake for, from outside: rows of gold through metrics of their own, lines of bronze
// through `octolake cat`, the counts in the logs, and real recorded events where they are.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { runOctolake, temporaryFolder, type Fake, type Finished, type LogLine, type Options } from "./processes";

export const TOKEN = "token-of-a-test";

const OWN_METRICS = `version: 2
defaults: {timeout: 60s}
kpis:
  - id: test_types
    name: Rows of each type
    description: Rows of each type.
    visualisation: table
    sql: SELECT type, COUNT(*) AS count FROM events GROUP BY type ORDER BY type
  - id: test_rows
    name: Rows and distinct keys
    description: Rows and distinct keys.
    visualisation: table
    sql: SELECT COUNT(*) AS "rows", COUNT(DISTINCT (id, type, created_at)) AS "keys" FROM events
  - id: test_coverage
    name: Covered minutes
    description: Covered minutes.
    visualisation: table
    sql: SELECT COUNT(*) AS minutes, MIN(minute) AS first, MAX(minute) AS last FROM coverage
  - id: test_keys
    name: Every key
    description: Every key.
    visualisation: table
    limit: {default: 100000, max: 100000}
    parameters:
      part: {type: integer, default: 0}
      parts: {type: integer, default: 1}
    sql: |
      SELECT CAST(id AS VARCHAR) || '|' || type || '|' || strftime(created_at, '%Y-%m-%dT%H:%M:%SZ') AS "key"
      FROM events WHERE id % \${parts} = \${part} ORDER BY 1 LIMIT \${limit}
`;

let own_metrics_path = "";

/** A metric file with test_types, test_rows, test_coverage and test_keys. */
export function ownMetrics(): string {
	if (!own_metrics_path) {
		own_metrics_path = path.join(temporaryFolder(), "own.yaml");
		fs.writeFileSync(own_metrics_path, OWN_METRICS);
	}
	return own_metrics_path;
}

/** Rows of a metric as `octolake query -o json` gives them, from a data folder or its server. */
export async function query(data: string, metric: string, args: string[] = [], options: Options = {}): Promise<any[]> {
	const metrics = args.includes("--metrics") ? [] : ["--metrics", ownMetrics()];
	const finished = await runOctolake(["query", metric, ...args, "-o", "json", "--data", data, "--types", "all",
		...metrics], options);
	assert.equal(finished.code, 0, finished.stderr);
	return JSON.parse(finished.stdout) as any[];
}

export async function typeCounts(data: string): Promise<Record<string, number>> {
	const rows = await query(data, "test_types");
	return Object.fromEntries(rows.map((row) => [row.type, row.count]));
}

/** Keys of all rows of gold, duplicates included; in several answers when one does not hold them. */
export async function goldKeys(data: string): Promise<string[]> {
	for (let parts = 1; ; parts *= 4) {
		const answers: string[][] = [];
		for (let part = 0; part < parts; part++) {
			const rows = await query(data, "test_keys", [`part=${part}`, `parts=${parts}`]);
			answers.push(rows.map((row) => row.key));
		}
		if (answers.every((keys) => keys.length < 100_000))
			return answers.flat();
	}
}

export interface Event {
	id: string;
	type: string;
	created_at: string;
	repo?: { id: number; name: string };
	payload?: any;
	[key: string]: any;
}

export function keyOf(event: Event): string {
	return `${event.id}|${event.type}|${event.created_at}`;
}

/** Keys of every line of bronze, which are not all held in memory. */
export async function bronzeKeys(data: string): Promise<Set<string>> {
	const keys = new Set<string>();
	let rest = "";
	const on_stdout = (text: string) => {
		const lines = (rest + text).split("\n");
		rest = lines.pop()!;
		for (const line of lines)
			keys.add(keyOf(JSON.parse(line) as Event));
	};
	const finished = await runOctolake(["cat", "--data", data], { on_stdout, wait_ms: 600_000 });
	assert.equal(finished.code, 0, finished.stderr);
	assert.equal(rest, "", "bronze ends with a whole line");
	return keys;
}

/** Every line of bronze, parsed. Lines that are no JSON are given as they are. */
export async function bronzeEvents(data: string): Promise<Event[]> {
	const finished = await runOctolake(["cat", "--data", data]);
	assert.equal(finished.code, 0, finished.stderr);
	return finished.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Each stage once, as a batch, until the feed is quiet. */
export async function runBatch(fake: Fake, data: string, args: string[] = [], options: Options = {}):
	Promise<Finished> {
	const env = { GITHUB_TOKEN: TOKEN, ...options.env };
	const types = args.includes("--types") || args.includes("--events") ? [] : ["--types", "all"];
	return runOctolake(["run", "--batch", "--until-quiet", "--exit", "--api-url", fake.url, "--data", data,
		...types, ...args], { ...options, env });
}

/** What the feed shows now, newest first, asked with a token of the test's own. */
export async function shownEvents(fake: Fake): Promise<Event[]> {
	const events: Event[] = [];
	for (const page of [1, 2, 3]) {
		const response = await fetch(`${fake.url}/events?per_page=100&page=${page}`,
			{ headers: { "User-Agent": "octolake-test", Authorization: "Bearer of-the-test" } });
		assert.equal(response.status, 200);
		events.push(...await response.json() as Event[]);
	}
	return events;
}

export interface Totals {
	received: number;
	stored: number;
	duplicates: number;
	filtered: number;
	quarantined: number;
}

/** The lake's totals as `run --batch` logs them at its end, checked to add up. */
export function batchTotals(logs: LogLine[]): Totals {
	const line = logs.find((candidate) => candidate.event === "batch done");
	assert.ok(line, `no "batch done" among ${logs.map((one) => one.event).join(", ")}`);
	const number = (name: string) => Number(line[`total_${name}`]);
	const totals: Totals = { received: number("received"), stored: number("stored"),
		duplicates: number("duplicates"), filtered: number("filtered"), quarantined: number("quarantined") };
	assert.equal(totals.received, totals.stored + totals.duplicates + totals.filtered + totals.quarantined,
		`received = stored + duplicates + filtered + quarantined: ${JSON.stringify(totals)}`);
	return totals;
}

/** mulberry32: random numbers that a seed repeats. */
export function randomNumbers(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

export function countBy<T>(items: Iterable<T>, name: (item: T) => string): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const item of items)
		counts[name(item)] = (counts[name(item)] ?? 0) + 1;
	return counts;
}

/** Paths of all files below a folder, sorted. */
export function filesBelow(folder: string): string[] {
	if (!fs.existsSync(folder))
		return [];
	const entries = fs.readdirSync(folder, { withFileTypes: true });
	return entries.flatMap((entry) => {
		const full = path.join(folder, entry.name);
		return entry.isDirectory() ? filesBelow(full) : [full];
	}).sort();
}

/** Folder of real recorded events, or the reason why tests on them are skipped. */
export function realData(): { folder: string; skip: string | false } {
	const folder = process.env.OCTOLAKE_REAL_DATA ?? "";
	if (folder && fs.existsSync(folder))
		return { folder, skip: false };
	return { folder: "", skip: "OCTOLAKE_REAL_DATA names no folder of recorded events" };
}

/** Distinct events of a recording that `--replay` serves, and how many there are with duplicates: read by
 * the test itself, so that a fault shared by the fake and octolake would show. */
export function readRecording(source: string): { events: Map<string, Event>; sightings: number } {
	const pages: unknown[] = [];
	if (fs.statSync(source).isDirectory()) {
		for (const name of fs.readdirSync(source).filter((one) => one.endsWith(".json")).sort())
			pages.push(JSON.parse(fs.readFileSync(path.join(source, name), "utf8")));
	} else {
		for (const line of fs.readFileSync(source, "utf8").split("\n").filter((one) => one !== "")) {
			const exchange = JSON.parse(line);
			if (exchange.status === 200)
				pages.push(typeof exchange.body === "string" ? JSON.parse(exchange.body) : exchange.body);
		}
	}
	const sightings = pages.filter(Array.isArray).flat() as Event[];
	const events = new Map<string, Event>();
	/* GitHub goes on editing what is inside an event: the first sighting is the one that is kept. */
	for (const event of sightings)
		if (!events.has(keyOf(event)))
			events.set(keyOf(event), event);
	return { events, sightings: sightings.length };
}

/** Mean minutes between pull requests of each repository that has more than one among `events`. */
export function meanGapMinutes(events: Iterable<Event>, counts: (event: Event) => boolean): Map<string, number> {
	const times = new Map<string, number[]>();
	for (const event of events)
		if (event.type === "PullRequestEvent" && event.repo && counts(event))
			times.set(event.repo.name, [...(times.get(event.repo.name) ?? []), Date.parse(event.created_at)]);
	const means = new Map<string, number>();
	for (const [repository, instants] of times) {
		instants.sort((a, b) => a - b);
		const gaps = instants.slice(1).map((instant, i) => (instant - instants[i]) / 60_000);
		if (gaps.length > 0)
			means.set(repository, gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length);
	}
	return means;
}

export function assertNear(actual: number, expected: number, what: string): void {
	assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
		`${what}: ${actual} instead of ${expected}`);
}
