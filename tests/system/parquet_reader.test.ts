// SPDX-License-Identifier: Apache-2.0
// Silver is for others too: a Parquet reader that is not DuckDB finds in it the documented columns with their
// types, every row that gold has, and in each row what the JSON of bronze says.
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { bronzeEvents, countBy, goldKeys, keyOf, query, realData, runBatch, TOKEN, typeCounts, type Event }
	from "../support/lake";
import { readSilver, silverKey, type SilverFile, type SilverRow } from "../support/parquet";
import { getJson, startFake, startOctolake, temporaryFolder, waitFor } from "../support/processes";

/** Of the events.yaml inside the program. */
const FIELDS = { "payload.issue.state": "UTF8", "payload.pull_request.state": "UTF8" };

function integer(value: bigint | null | undefined): number | null {
	return value === null || value === undefined ? null : Number(value);
}

/** A row's values by the names of their columns, as this test itself reads them out of the JSON. */
function expectedOf(event: Event): Record<string, unknown> {
	const payload = event.payload ?? {};
	const is_pull = event.type === "PullRequestEvent";
	const sent = payload.pull_request?.merged;
	const thin = Date.parse(event.created_at) >= Date.parse("2025-10-07T00:00:00Z");
	const merged = typeof sent === "boolean" ? sent
		: is_pull && (thin || payload.action !== "closed") ? payload.action === "merged" : null;
	return {
		actor_id: event.actor.id, actor_login: event.actor.login, is_bot: event.actor.login.endsWith("[bot]"),
		repo_id: event.repo!.id, repo_name: event.repo!.name, org_login: event.org?.login ?? null,
		action: payload.action ?? null,
		number: payload.number ?? payload.pull_request?.number ?? payload.issue?.number
			?? payload.discussion?.number ?? null,
		merged, ref_type: payload.ref_type ?? null, source: "api",
		"payload.issue.state": event.type === "IssuesEvent" ? payload.issue.state : null,
		"payload.pull_request.state": is_pull ? payload.pull_request.state ?? null : null,
	};
}

function foundIn(row: SilverRow): Record<string, unknown> {
	const text = (name: string) => row[name] ?? null;
	return {
		actor_id: integer(row.actor_id), actor_login: text("actor_login"), is_bot: row.is_bot,
		repo_id: integer(row.repo_id), repo_name: text("repo_name"), org_login: text("org_login"),
		action: text("action"), number: integer(row.number), merged: row.merged ?? null,
		ref_type: text("ref_type"), source: row.source, "payload.issue.state": text("payload.issue.state"),
		"payload.pull_request.state": text("payload.pull_request.state"),
	};
}

/** All of gold's rows are in the files, each once, and say what bronze says. */
async function checkRows(data: string, files: SilverFile[]): Promise<void> {
	const rows = files.flatMap((file) => file.rows);
	const [counts] = await query(data, "test_rows");
	assert.equal(rows.length, counts.rows);
	assert.deepEqual(countBy(rows, (row) => row.type), await typeCounts(data));
	assert.deepEqual(rows.map(silverKey).sort(), (await goldKeys(data)).sort());
	const events = new Map<string, Event>();
	for (const event of await bronzeEvents(data))
		if (!events.has(keyOf(event)))
			events.set(keyOf(event), event);
	for (const row of rows)
		assert.deepEqual(foundIn(row), expectedOf(events.get(silverKey(row))!), silverKey(row));
}

test("live files, and compacted ones", async (context) => {
	const data = path.join(temporaryFolder(), "lake");
	const feed = async (seed: string, delay_s: number) => {
		const fake = await startFake(["--synthetic", seed, "--rate", "0", "--poll-interval", "0",
			"--delay", String(delay_s)]);
		context.after(() => fake.stop());
		return fake;
	};
	const octolake = await startOctolake(["run", "--api-url", (await feed("21", 0)).url, "--types", "all",
		"--poll-interval", "300ms", "--data", data], { env: { GITHUB_TOKEN: TOKEN } });
	await waitFor(async () => (await getJson(`${octolake.api}/api/v1/pipeline`)).layers.gold.rows === 300, 60_000);
	assert.equal((await octolake.stop()).code, 0);
	const live = await readSilver(data, FIELDS);
	assert.ok(live.length > 0 && live.every((file) => file.name.startsWith("_live/")),
		live.map((file) => file.name).join(" "));
	await checkRows(data, live);

	/* A batch run compacts at its end. Every feed begins at the same id: at another hour the keys differ. */
	const run = await runBatch(await feed("22", 3600), data);
	assert.equal(run.code, 0, run.stderr);
	const compacted = await readSilver(data, FIELDS);
	assert.ok(compacted.length > 0 && compacted.every((file) => /^type=\w+\/date=/.test(file.name)),
		compacted.map((file) => file.name).join(" "));
	assert.equal(compacted.reduce((sum, file) => sum + file.row_count, 0), 600);
	await checkRows(data, compacted);
});

const { folder, skip } = realData();

test("real events of two eras", { skip }, async (context) => {
	const data = path.join(temporaryFolder(), "lake");
	for (const source of ["http/github3py-2017-user-and-public.jsonl", "trimmed/series-azaidrahman"]) {
		const fake = await startFake(["--replay", path.join(folder, source), "--poll-interval", "0"]);
		context.after(() => fake.stop());
		const run = await runBatch(fake, data);
		assert.equal(run.code, 0, run.stderr);
	}
	const files = await readSilver(data, FIELDS);
	assert.deepEqual([...new Set(files.flatMap((file) => file.rows.map((row) => row.era)))].sort(), ["full", "thin"]);
	await checkRows(data, files);
});
