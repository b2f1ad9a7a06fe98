// SPDX-License-Identifier: Apache-2.0
// Real recorded events through the whole pipeline: counts to the last event, against a count that
// the test makes itself from the recordings.
import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { assertNear, batchTotals, bronzeEvents, countBy, keyOf, meanGapMinutes, query, readRecording, realData,
	runBatch, typeCounts } from "../support/lake";
import { runOctolake, startFake, temporaryFolder } from "../support/processes";

const RECORDINGS = [
	{ name: "hub4j 2019, ten pages", source: "http/hub4j-2019-public-events-10pages.jsonl", sightings: 281, rows: 155 },
	{ name: "azaidrahman 2026, 133 polls", source: "trimmed/series-azaidrahman", sightings: 15451, rows: 647 },
	{ name: "github3py 2017", source: "http/github3py-2017-user-and-public.jsonl", sightings: 344, rows: 344 },
];

const { folder, skip } = realData();

async function checkGaps(data: string, events: Iterable<any>): Promise<Map<string, number>> {
	const expected = meanGapMinutes(events, (event) => event.payload?.action === "opened");
	const rows = await query(data, "avg_pr_time", ["as_of=data", "limit=10000"]);
	assert.deepEqual(rows.map((row) => row["repo.name"]).sort(), [...expected.keys()].sort());
	for (const row of rows)
		assertNear(row.avg_minutes, expected.get(row["repo.name"])!, row["repo.name"]);
	return expected;
}

for (const recording of RECORDINGS)
	test(recording.name, { skip }, async (context) => {
		const source = path.join(folder, recording.source);
		const { events, sightings } = readRecording(source);
		assert.equal(events.size, recording.rows, "distinct events of the recording");
		assert.equal(sightings, recording.sightings, "events in the files");
		const types = countBy(events.values(), (event) => event.type);
		const data = path.join(temporaryFolder(), "lake");
		const fake = await startFake(["--replay", source, "--poll-interval", "0"]);
		context.after(() => fake.stop());

		const run = await runBatch(fake, data);
		assert.equal(run.code, 0, run.stderr);
		const ledger = await fake.ledger();
		const totals = batchTotals(run.logs);
		assert.equal(ledger.unique_events, recording.rows, "all of the recording was served");
		assert.equal(totals.received, ledger.served_events, "received is what was served");
		assert.equal(totals.stored, recording.rows);
		assert.equal(totals.quarantined, 0);
		assert.deepEqual(ledger.violations, []);

		assert.deepEqual(await typeCounts(data), types);
		const bronze = await bronzeEvents(data);
		assert.deepEqual(new Set(bronze.map(keyOf)), new Set(events.keys()));
		for (const event of bronze)
			assert.deepEqual(event, events.get(keyOf(event)), "bronze is what was received");
		const gaps = await checkGaps(data, events.values());
		if (recording.rows === 647)
			assertNear(Math.round(gaps.get("azaidrahman/azaidsani")! * 1e6) / 1e6, 18.151852, "azaidsani");

		const rebuild = await runOctolake(["rebuild", "silver", "--data", data, "--types", "all"]);
		assert.equal(rebuild.code, 0, rebuild.stderr);
		assert.deepEqual(await typeCounts(data), types, "after a rebuild from bronze");
		await checkGaps(data, events.values());
	});
