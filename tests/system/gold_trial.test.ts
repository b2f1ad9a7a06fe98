// SPDX-License-Identifier: Apache-2.0
// Gold that DuckDB will not open after a kill: its log cannot be replayed (a column with a default that is
// a function; zeros at the log's end, as power loss leaves them). It is set aside and built again while the
// API says so, answers come without a restart, and the next start has nothing to mend.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { filesBelow, goldKeys, ownMetrics, runBatch } from "../support/lake";
import { get, startFake, startOctolake, temporaryFolder, waitFor, type Octolake }
	from "../support/processes";

const DUCK_RUN = path.join(process.env.OCTOLAKE_BUILD_DIR ?? "", "tests", "duck_run");
const WAIT_MS = 60_000;

const goldFile = (data: string) => filesBelow(path.join(data, "gold")).find((name) => name.endsWith(".duckdb"))!;

async function makeLake(data: string): Promise<void> {
	const fake = await startFake(["--synthetic", "9", "--rate", "0", "--backlog", "250", "--poll-interval", "0"]);
	const run = await runBatch(fake, data);
	assert.equal(run.code, 0, run.stderr);
	await fake.stop();
}

/** Leaves the database as a kill does: its log beside it. */
function leaveLog(data: string, sql: string): void {
	execFileSync(DUCK_RUN, [goldFile(data), data, sql, "crash"], { stdio: "inherit" });
	assert.ok(fs.statSync(`${goldFile(data)}.wal`).size > 0);
}

const DAMAGES: Record<string, (data: string) => void> = {
	"a log that cannot be replayed": (data) =>
		leaveLog(data, "ALTER TABLE meta ADD COLUMN added_at TIMESTAMP DEFAULT now()"),
	"zeros at the end of its log": (data) => {
		leaveLog(data, "CREATE TABLE added AS SELECT range AS i FROM range(1000)");
		fs.appendFileSync(`${goldFile(data)}.wal`, Buffer.alloc(4096));
	},
};

const startServer = (data: string) =>
	startOctolake(["serve", "--data", data, "--types", "all", "--metrics", ownMetrics()]);

/** Status and problem of each answer, from the first on, until one has data. */
async function answersUntilReady(server: Octolake): Promise<string[]> {
	const answers = new Set<string>();
	await waitFor(async () => {
		const answer = await get(`${server.api}/api/v1/metrics/test_types/data`);
		const problem = answer.status === 200 ? "" : ` ${JSON.parse(answer.text).type}`;
		answers.add(`${answer.status}${problem}`);
		return answer.status === 200;
	}, WAIT_MS, "an answer", 1);
	return [...answers];
}

const MENDED = /damaged|set aside|will not open|rebuilding/;

for (const [name, damage] of Object.entries(DAMAGES)) {
	test(`gold with ${name}`, async () => {
		const data = path.join(temporaryFolder(), "lake");
		await makeLake(data);
		const before = await goldKeys(data);
		damage(data);

		const server = await startServer(data);
		const answers = await answersUntilReady(server);
		assert.equal(answers.at(-1), "200");
		assert.ok(answers.length > 1, "an answer before gold was built again");
		assert.ok(answers.slice(0, -1).every((one) => /^503 .*rebuilding$/.test(one)), answers.join(", "));
		assert.equal((await server.stop()).code, 0);
		assert.match(server.stderr, /gold damaged: set aside, building it again from silver/);
		assert.match(server.stderr, /gold will not open/);
		const aside = () => filesBelow(path.join(data, "gold")).filter((file) => file.includes(".damaged-"));
		assert.ok(aside().length > 0, "set aside");
		assert.deepEqual(await goldKeys(data), before);

		const kept = aside();
		const second = await startServer(data);
		assert.deepEqual(await answersUntilReady(second), ["200"], "nothing to build again");
		assert.equal((await second.stop()).code, 0);
		assert.doesNotMatch(second.stderr, MENDED);
		assert.deepEqual(aside(), kept);
	});
}
