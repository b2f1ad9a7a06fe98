// SPDX-License-Identifier: Apache-2.0
// Every way in which the fake GitHub misbehaves ends in the state that its README documents: all
// events of the feed in gold once, sums equal, no rule of GitHub's broken.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { batchTotals, goldKeys, runBatch } from "../support/lake";
import { startFake, temporaryFolder, type Ledger } from "../support/processes";

/** Most of the time is waiting. */
const AT_ONCE = 3;
/** These ask for a wait of a minute: only with OCTOLAKE_SLOW_TESTS. */
const SLOW = new Set(["secondary-silent"]);

/** How many rows of gold may lack, because a README row leaves the choice: stored with NULLs or set aside. */
const MAY_BE_SET_ASIDE: Record<string, number> = { "null-actor": 3 };

function scenarioNames(): string[] {
	const fake = process.env.OCTOLAKE_FAKE;
	assert.ok(fake, "run by ctest");
	const lines = execFileSync(fake, ["--scenarios"], { encoding: "utf8" }).split("\n");
	return lines.map((line) => /^([a-z0-9-]+)(\s|$)/.exec(line)?.[1] ?? "").filter((name) => name !== "");
}

/** The fake's keys as gold writes them: a type with odd characters is kept as _other. */
function expectedKeys(ledger: Ledger): Set<string> {
	return new Set(ledger.keys!.map(([id, type, created_at]) =>
		`${id}|${/^[A-Za-z]{1,64}$/.test(type) ? type : "_other"}|${created_at}`));
}

async function playScenario(context: TestContext, name: string): Promise<void> {
	const slow = SLOW.has(name);
	const fake = await startFake(["--synthetic", "1", "--rate", "0", "--backlog", "250", "--poll-interval", "0",
		"--scenario", name]);
	context.after(() => fake.stop());
	const data = path.join(temporaryFolder(), "lake");
	const run = await runBatch(fake, data, ["--duration", slow ? "150s" : "30s"], { wait_ms: 240_000 });
	assert.equal(run.code, 0, run.stderr);
	const ledger = await fake.ledger("keys=1");
	assert.ok(ledger.complete);
	assert.ok(ledger.scenario_hits > 0 || ledger.unique_events + ledger.spoiled_unique > 250,
		"the scenario took part");
	assert.deepEqual(ledger.violations, []);

	const totals = batchTotals(run.logs);
	const rows = await goldKeys(data);
	const keys = new Set(rows);
	const expected = expectedKeys(ledger);
	const may_lack = MAY_BE_SET_ASIDE[name] ?? 0;
	const lacking = [...expected].filter((key) => !keys.has(key));
	assert.equal(keys.size, rows.length, "no event twice");
	assert.ok(lacking.length <= may_lack, `not in gold: ${lacking.join(" ")}`);
	assert.deepEqual(rows.filter((key) => !expected.has(key)), [], "nothing that was not served");
	assert.equal(totals.stored, rows.length);
	assert.equal(totals.received, ledger.served_events, "received is what was served");
	const set_aside = ledger.spoiled_events + ledger.conflicting_events;
	if (may_lack === 0)
		assert.equal(totals.quarantined, set_aside, "set aside is what was spoiled or contradicts");
	else
		assert.ok(totals.quarantined >= set_aside);
}

test("scenarios", { concurrency: AT_ONCE }, async (context) => {
	const names = scenarioNames();
	assert.ok(names.length >= 12, `only ${names.length} scenarios`);
	await Promise.all(names.map((name) => context.test(name, {
		skip: SLOW.has(name) && !process.env.OCTOLAKE_SLOW_TESTS && "waits a minute; OCTOLAKE_SLOW_TESTS=1 runs it",
	}, (inner) => playScenario(inner as TestContext, name))));
});
