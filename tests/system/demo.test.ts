// SPDX-License-Identifier: Apache-2.0
// `octolake demo`: living data without network or token, labelled as made up, and no process left behind.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { get, getJson, startOctolake, temporaryFolder, waitFor } from "../support/processes";

async function refuses(url: string): Promise<boolean> {
	try {
		await fetch(url, { signal: AbortSignal.timeout(2000) });
		return false;
	} catch {
		return true;
	}
}

test("demo shows data, says that it is a demo, and its feed dies with it", async (context) => {
	const cwd = temporaryFolder();
	const octolake = await startOctolake(["demo", "--data", path.join(cwd, "demo")], { cwd });
	context.after(() => octolake.stop());
	const feed = String((await octolake.waitForLog("demo: all events are made up")).feed);
	assert.match(feed, /^http:\/\/127\.0\.0\.1:\d+$/);
	assert.ok(!await refuses(`${feed}/_ledger`));

	const pipeline = await waitFor(async () => {
		const answer = await getJson(`${octolake.api}/api/v1/pipeline`);
		return answer.layers.gold.rows > 200 && answer;
	}, 30_000, "events in gold");
	assert.equal(pipeline.demo, true);
	assert.equal(pipeline.mode, "live");
	const counts = (await getJson(`${octolake.api}/kpi/event_count_offset?offset=60`)).data;
	assert.ok(counts.some((row: any) => row.count > 0));
	for (const url of [`${octolake.ui}/`, `${octolake.api}/docs`])
		assert.equal((await get(url)).status, 200);
	await waitFor(async () => (await getJson(`${octolake.api}/api/v1/pipeline`)).layers.gold.rows
		> pipeline.layers.gold.rows, 20_000, "the data to grow");

	assert.equal((await octolake.stop("SIGKILL")).signal, "SIGKILL");
	await waitFor(() => refuses(`${feed}/_ledger`), 5000, "the feed to end with the killed demo");
});

test("demo without --data uses a folder of its own, and ends its feed cleanly", async (context) => {
	const cwd = temporaryFolder();
	const octolake = await startOctolake(["demo"], { cwd, own_data: true });
	context.after(() => octolake.stop());
	const feed = String((await octolake.waitForLog("demo: all events are made up")).feed);
	await octolake.waitForLog("gold loaded");
	assert.equal((await octolake.stop()).code, 0);
	assert.ok(await refuses(`${feed}/_ledger`));
	assert.deepEqual(fs.readdirSync(cwd), ["data-demo"]);
});
