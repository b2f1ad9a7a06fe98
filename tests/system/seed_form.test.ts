// SPDX-License-Identifier: Apache-2.0
// Files in the first system's form load unchanged and answer: its three event types, its dotted column
// names, its quoted placeholder, its shape of an answer. Over events of both payload eras.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { assertNear, batchTotals, countBy, meanGapMinutes, readRecording, realData, shownEvents, TOKEN, type Event }
	from "../support/lake";
import { get, runOctolake, startFake, startOctolake, temporaryFolder, type Fake } from "../support/processes";

const TYPES = ["IssuesEvent", "PullRequestEvent", "WatchEvent"];
const A_CENTURY_MINUTES = 52_560_000;

const OWN_EVENTS = `PullRequestEvent:
  fields: [id, type, created_at, repo.name, payload.pull_request.number, payload.pull_request.state]
WatchEvent:
  fields:
    - id
    - type
    - created_at
    - repo.name
IssuesEvent:
  fields: [id, type, created_at, repo.name, payload.action, payload.issue.title]
`;
const OWN_METRICS = `kpis:
  - id: avg_pr_time
    name: Average Time Between Pull Requests
    sql: |
      WITH opened AS (SELECT "repo.name", created_at,
          LAG(created_at) OVER (PARTITION BY "repo.name" ORDER BY created_at) AS before
        FROM pullrequestevent WHERE "payload.pull_request.state" = 'open')
      SELECT "repo.name", AVG(EXTRACT(EPOCH FROM created_at - before) / 60) AS avg_minutes
      FROM opened WHERE before IS NOT NULL GROUP BY "repo.name";
    visualisation: null
  - id: event_count_offset
    name: Event Counts in Last X Minutes
    sql: |
      SELECT 'pullrequestevent' AS event_type, COUNT(*) AS count FROM pullrequestevent
      WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL '\${offset}' MINUTE
      UNION ALL SELECT 'watchevent', COUNT(*) FROM watchevent
      WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL '\${offset}' MINUTE
      UNION ALL SELECT 'issuesevent', COUNT(*) FROM issuesevent
      WHERE created_at >= CURRENT_TIMESTAMP - INTERVAL '\${offset}' MINUTE
    visualisation: bar
`;

/** As the first system meant it: what GitHub said, or since October 2025 says no more. */
function isOpen(event: Event): boolean {
	const state = event.payload?.pull_request?.state;
	return state === undefined ? ["opened", "reopened"].includes(event.payload?.action) : state === "open";
}

async function askKpi(url: string, visualisation: string | null): Promise<any[]> {
	const answer = await get(url);
	assert.equal(answer.status, 200, answer.text);
	const body = JSON.parse(answer.text);
	assert.deepEqual(Object.keys(body), ["id", "name", "visualisation", "data"]);
	assert.equal(body.visualisation, visualisation);
	return body.data;
}

async function checkKpis(api: string, events: Event[], count_visualisation: string | null): Promise<void> {
	const gaps = meanGapMinutes(events, isOpen);
	const times = await askKpi(`${api}/kpi/avg_pr_time`, null);
	assert.deepEqual(times.map((row) => row["repo.name"]).sort(), [...gaps.keys()].sort());
	for (const row of times) {
		assert.deepEqual(Object.keys(row), ["repo.name", "avg_minutes"]);
		assertNear(row.avg_minutes, gaps.get(row["repo.name"])!, row["repo.name"]);
	}
	const url = `${api}/kpi/event_count_offset?offset=${A_CENTURY_MINUTES}`;
	const rows = await askKpi(url, count_visualisation);
	const counts = Object.fromEntries(rows.map((row) => [row.event_type, row.count]));
	const expected = countBy(events, (event) => event.type.toLowerCase());
	assert.deepEqual(counts, Object.fromEntries(TYPES.map((type) =>
		[type.toLowerCase(), expected[type.toLowerCase()] ?? 0])));
}

interface Files {
	events: string;
	metrics: string;
	count_visualisation: string | null;
}

/** The feed's events, and how many of the ledger's the test itself asked for to know them. */
type Truth = () => Promise<{ events: Event[]; asked: number }>;

async function playFeed(context: TestContext, fake: Fake, files: Files, truth: Truth): Promise<void> {
	context.after(() => fake.stop());
	const cwd = temporaryFolder();
	fs.writeFileSync(path.join(cwd, "filtered_events.yaml"), files.events);
	fs.writeFileSync(path.join(cwd, "metrics.yaml"), files.metrics);
	const check = await runOctolake(["check"], { cwd });
	assert.equal(check.code, 0, check.stdout + check.stderr);
	const octolake = await startOctolake(["run", "--batch", "--until-quiet", "--api-url", fake.url,
		"--data", path.join(cwd, "data")], { cwd, env: { GITHUB_TOKEN: TOKEN } });
	context.after(() => octolake.stop());
	await octolake.waitForLog("batch done", 60_000);

	const { events, asked } = await truth();
	const kept = events.filter((event) => TYPES.includes(event.type));
	assert.ok(kept.length > 0 && kept.length < events.length);
	const totals = batchTotals(octolake.logs);
	assert.equal(totals.stored, kept.length);
	assert.equal(totals.received, (await fake.ledger()).served_events - asked);
	const present = TYPES.filter((type) => kept.some((event) => event.type === type));
	/* Imported hours would lie in "archive". */
	const folders = fs.readdirSync(path.join(cwd, "data", "bronze")).filter((name) => name !== "archive");
	assert.deepEqual(folders.sort(), present);
	await checkKpis(octolake.api, kept, files.count_visualisation);

	const unasked = await get(`${octolake.api}/kpi/event_count_offset?offset=5&of=6`);
	assert.equal(unasked.status, 200);
	assert.equal(unasked.headers.get("x-ignored-parameters"), "of");
	const hostile = encodeURIComponent("1' MINUTE UNION ALL SELECT content, 1 FROM read_text('/etc/hostname') --");
	assert.equal((await get(`${octolake.api}/kpi/event_count_offset?offset=${hostile}`)).status, 422);
	assert.equal((await octolake.stop()).code, 0);
}

const { folder, skip } = realData();
for (const source of ["http/github3py-2017-user-and-public.jsonl", "trimmed/series-azaidrahman"])
	test(`the first system's own files over ${source}`, { skip }, async (context) => {
		const read = (name: string) => fs.readFileSync(path.join(folder, "seed-form", name), "utf8");
		const files = { events: read("filtered_events.yaml"), metrics: read("metrics.yaml"),
			count_visualisation: null };
		const { events } = readRecording(path.join(folder, source));
		const fake = await startFake(["--replay", path.join(folder, source), "--poll-interval", "0"]);
		await playFeed(context as TestContext, fake, files,
			async () => ({ events: [...events.values()], asked: 0 }));
	});

test("files in the same form over made-up events", async (context) => {
	const files = { events: OWN_EVENTS, metrics: OWN_METRICS, count_visualisation: "bar" };
	const fake = await startFake(["--synthetic", "8", "--rate", "0", "--backlog", "300", "--poll-interval", "0"]);
	await playFeed(context as TestContext, fake, files, async () => {
		const events = await shownEvents(fake);
		return { events, asked: events.length };
	});
});
