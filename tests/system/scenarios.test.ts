// SPDX-License-Identifier: Apache-2.0
// Every way in which the fake GitHub misbehaves ends in the state that its README documents: all
// events of the feed in gold once, sums equal, no rule of GitHub's broken, memory bounded.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { batchTotals, filesBelow, goldKeys, query, runBatch, TOKEN } from "../support/lake";
import { getJson, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Fake, type Finished, type Ledger }
	from "../support/processes";

/** Programs that work at the same time; those that only wait come on top. */
const AT_ONCE = 3;
const BACKLOG = 250;
/** A plain run of a program with AddressSanitizer stays below a third of this. */
const MEMORY_BYTES_MAX = 700 * 1024 * 1024;

interface Played {
	fake: Fake;
	data: string;
	run: Finished;
	ledger: Ledger;
	rows: string[];
	memory_bytes: number;
}

/** What differs from the usual: everything served is stored, the batch ends by itself with exit code 0. */
interface Expectation {
	fake?: string[];
	args?: string[];
	/** A word why it is left out unless OCTOLAKE_SLOW_TESTS is set. */
	slow?: string;
	/** It spends its time waiting: it runs beside the others. */
	idle?: boolean;
	/** Exit codes of the runs; the scenario is over before a last run when one is not 0. */
	codes?: number[];
	/** Events that the ledger holds for storable, and that are to be set aside all the same. */
	set_aside?: number;
	/** The README leaves the choice: up to so many are stored with NULLs or set aside. */
	may_be_set_aside?: number;
	memory?: boolean;
	check?: (played: Played) => void | Promise<void>;
}

function firstPages(ledger: Ledger): Ledger["requests"] {
	return ledger.requests.filter((request) => request.page === 1);
}

function assertOneSweep({ ledger }: Played): void {
	assert.equal(firstPages(ledger).length, 1, "one sweep");
}

/** Coverage must follow from events of now, not from odd ones. */
async function assertCoversMinutes({ data }: Played): Promise<void> {
	const [coverage] = await query(data, "test_coverage");
	assert.ok(coverage.minutes > 0 && coverage.minutes < 60, JSON.stringify(coverage));
	const now = Date.now();
	assert.ok(Math.abs(Date.parse(coverage.last) - now) < 3_600_000, JSON.stringify(coverage));
}

const EXPECTATIONS: Record<string, Expectation> = {
	"secondary-silent": { args: ["--duration", "150s"], slow: "waits a minute" },
	"null-actor": { may_be_set_aside: 3 },
	"redirect-renamed": {
		check: ({ ledger }) => {
			const followed = ledger.requests.filter((request) => request.target.startsWith("/repositories/"));
			assert.ok(followed.length >= 2, "the new place was asked");
			assert.deepEqual([...new Set(ledger.requests.map((request) => request.token))], ["good"]);
		},
	},
	"token-refused": { codes: [5] },
	"retry-after-years": {
		args: ["--duration", "3s"], codes: [5, 5], idle: true,
		check: ({ ledger }) => assert.equal(ledger.request_count, 1, "no second request"),
	},
	"reset-in-the-past": {
		check: ({ ledger }) => {
			const polls = firstPages(ledger).slice(0, 4).map((poll) => poll.t_ms);
			const waits = polls.slice(1).map((at_ms, i) => at_ms - polls[i]);
			assert.ok(Math.min(...waits) >= 450, `waits in ms: ${waits.join(" ")}`);
		},
	},
	"slow-head": { args: ["--duration", "90s"], idle: true },
	"slow-body": { args: ["--duration", "90s"], idle: true },
	"stalled-body": { args: ["--duration", "90s"], idle: true },
	"interval-missing": { args: ["--duration", "6s"], idle: true, check: assertOneSweep },
	"interval-absurd": { args: ["--duration", "6s"], idle: true, check: assertOneSweep },
	"link-loop": { fake: ["--poll-interval", "1"] },
	"gzip-bomb": { memory: true },
	"page-100mb": { memory: true },
	"huge-header": { memory: true },
	"many-headers": { memory: true },
	"large-event": { set_aside: 1, memory: true },
	"deep-event": { memory: true },
	"future-events": { set_aside: 4, check: assertCoversMinutes },
	"id-months": { check: assertCoversMinutes },
	"odd-types": {
		check: ({ data }) => {
			const folders = fs.readdirSync(path.join(data, "bronze"));
			assert.deepEqual(folders.filter((name) => !/^[A-Za-z_]+$/.test(name)), []);
			assert.ok(filesBelow(path.join(data, "bronze", "_other")).length > 0);
		},
	},
};

function scenarioNames(): string[] {
	const fake = process.env.OCTOLAKE_FAKE;
	assert.ok(fake, "run by ctest");
	const lines = execFileSync(fake, ["--scenarios"], { encoding: "utf8" }).split("\n");
	return lines.map((line) => /^([a-z0-9.-]+)(\s|$)/.exec(line)?.[1] ?? "").filter((name) => name !== "");
}

/** The fake's keys as gold writes them: a type with odd characters is kept as _other. */
function expectedKeys(ledger: Ledger): Set<string> {
	return new Set(ledger.keys!.map(([id, type, created_at]) =>
		`${id}|${/^[A-Za-z]{1,64}$/.test(type) ? type : "_other"}|${created_at}`));
}

/** The most memory that a process has used, looked at every so often while it runs. */
class MemoryWatch {
	bytes = 0;
	private timer: NodeJS.Timeout | undefined;

	start = (pid: number): void => {
		this.timer = setInterval(() => {
			try {
				const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
				this.bytes = Math.max(this.bytes, 1024 * Number(kilobytes ?? 0));
			} catch {
				/* It has ended. */
			}
		}, 20);
	};

	stop(): void {
		clearInterval(this.timer);
	}
}

async function checkPlayed(played: Played, expectation: Expectation): Promise<void> {
	const { ledger, rows } = played;
	assert.ok(ledger.complete);
	assert.deepEqual(ledger.violations, []);
	const keys = new Set(rows);
	const expected = expectedKeys(ledger);
	const lacking = [...expected].filter((key) => !keys.has(key));
	const set_aside = expectation.set_aside ?? 0;
	assert.equal(keys.size, rows.length, "no event twice");
	if (expectation.may_be_set_aside)
		assert.ok(lacking.length <= expectation.may_be_set_aside, `not in gold: ${lacking.join(" ")}`);
	else
		assert.equal(lacking.length, set_aside, `not in gold: ${lacking.join(" ")}`);
	assert.deepEqual(rows.filter((key) => !expected.has(key)), [], "nothing that was not served");
	await expectation.check?.(played);
}

function checkSums(totals: ReturnType<typeof batchTotals>, { ledger, rows }: Played, expectation: Expectation): void {
	assert.equal(totals.stored, rows.length);
	assert.equal(totals.received, ledger.served_events, "received is what was served");
	const set_aside = ledger.spoiled_events + ledger.conflicting_events + (expectation.set_aside ?? 0);
	/* What was set aside once and is shown again counts as a duplicate. */
	const unique = ledger.spoiled_unique + ledger.conflicting_events + (expectation.set_aside ?? 0);
	assert.ok(totals.quarantined >= unique, `${totals.quarantined} set aside, not ${unique}`);
	assert.ok(totals.quarantined <= set_aside + (expectation.may_be_set_aside ?? 0),
		`${totals.quarantined} set aside, not ${set_aside}`);
}

async function playScenario(context: TestContext, name: string): Promise<void> {
	const expectation = EXPECTATIONS[name] ?? {};
	const fake = await startFake(["--synthetic", "1", "--rate", "0", "--backlog", String(BACKLOG), "--poll-interval", "0",
		"--scenario", name, ...(expectation.fake ?? [])]);
	context.after(() => fake.stop());
	const data = path.join(temporaryFolder(), "lake");
	const args = expectation.args ?? ["--duration", "60s"];
	const watch = new MemoryWatch();
	const options = { wait_ms: 240_000, started: expectation.memory ? watch.start : undefined };
	let run: Finished;
	for (const code of expectation.codes ?? []) {
		run = await runBatch(fake, data, args, options);
		assert.equal(run.code, code, run.stderr);
	}
	const gives_up = (expectation.codes ?? []).length > 1;
	if (!gives_up) {
		if (expectation.codes)
			await fake.control("scenario=none");
		run = await runBatch(fake, data, args, options);
		assert.equal(run.code, 0, run.stderr);
	}
	watch.stop();
	const ledger = await fake.ledger("keys=1");
	assert.ok(expectation.codes || ledger.scenario_hits > 0 || ledger.unique_events + ledger.spoiled_unique > BACKLOG,
		"the scenario took part");
	const rows = gives_up ? [] : await goldKeys(data);
	const played = { fake, data, run: run!, ledger, rows, memory_bytes: watch.bytes };
	await checkPlayed(played, expectation);
	if (gives_up)
		return;
	assert.ok(ledger.unique_events >= BACKLOG, "the whole feed was asked for");
	checkSums(batchTotals(run!.logs), played, expectation);
	if (!expectation.memory)
		return;
	context.diagnostic(`${name}: ${Math.round(watch.bytes / 1024 / 1024)} MiB at most`);
	assert.ok(watch.bytes > 0 && watch.bytes < MEMORY_BYTES_MAX, `${watch.bytes} bytes of memory`);
}

/** Lets AT_ONCE at a time go on. */
function turnstile(): <T>(work: () => Promise<T>) => Promise<T> {
	const waiting: (() => void)[] = [];
	let inside = 0;
	return async (work) => {
		if (inside === AT_ONCE)
			await new Promise<void>((resolve) => waiting.push(resolve));
		else
			inside++;
		try {
			return await work();
		} finally {
			const next = waiting.shift();
			if (next)
				next();
			else
				inside--;
		}
	};
}

test("scenarios", { concurrency: 1000 }, async (context) => {
	const names = scenarioNames();
	const only = process.env.OCTOLAKE_SCENARIOS ? process.env.OCTOLAKE_SCENARIOS.split(",") : names;
	assert.ok(names.length >= 60, `only ${names.length} scenarios`);
	assert.deepEqual(Object.keys(EXPECTATIONS).filter((name) => !names.includes(name)), []);
	const pass = turnstile();
	assert.deepEqual(only.filter((name) => !names.includes(name)), [], "no such scenario");
	const chosen = names.filter((name) => only.includes(name));
	await Promise.all(chosen.map((name) => {
		const { slow, idle } = EXPECTATIONS[name] ?? {};
		const skip = slow && !process.env.OCTOLAKE_SLOW_TESTS && `${slow}; OCTOLAKE_SLOW_TESTS=1 runs it`;
		const play = (inner: TestContext) => playScenario(inner, name);
		return context.test(name, { skip }, (inner) =>
			idle ? play(inner as TestContext) : pass(() => play(inner as TestContext)));
	}));
});

const LIVE = { env: { GITHUB_TOKEN: TOKEN } };

async function startLive(context: TestContext, fake: Fake) {
	const octolake = await startOctolake(["--api-url", fake.url, "--types", "all"], LIVE);
	context.after(() => octolake.stop());
	return octolake;
}

test("a token that is refused in mid-flight: the API stays and says so, GitHub is not pestered", async (context) => {
	const fake = await startFake(["--synthetic", "3", "--rate", "20", "--poll-interval", "1"]);
	context.after(() => fake.stop());
	const octolake = await startLive(context, fake);
	await octolake.waitForLog("gold loaded");
	await fake.control("scenario=token-refused");
	await waitFor(async () => (await fake.ledger()).scenario_hits > 0, 20_000, "the refusal");
	const requests = (await fake.ledger()).request_count;
	const pipeline = await waitFor(async () => {
		const answer = await getJson(`${octolake.api}/api/v1/pipeline`);
		return /token/.test(JSON.stringify(answer.polling)) && answer;
	}, 10_000, "the reason on the pipeline page");
	assert.match(JSON.stringify(pipeline.polling), /401/);
	await sleep(3000);
	assert.equal((await fake.ledger()).request_count, requests, "the next request is a minute away");
	assert.equal((await getJson(`${octolake.api}/healthz`)).status, "ok");
	assert.equal((await octolake.stop()).code, 0, octolake.stderr.slice(-2000));
	assert.deepEqual((await fake.ledger()).violations, []);
});

test("304 for ever from a stale cache is seen through", async (context) => {
	const fake = await startFake(["--synthetic", "4", "--rate", "20", "--poll-interval", "0"]);
	context.after(() => fake.stop());
	const octolake = await startLive(context, fake);
	await octolake.waitForLog("gold loaded");
	await fake.control("scenario=stale-304");
	const before = await waitFor(async () => {
		const ledger = await fake.ledger();
		return ledger.scenario_hits > 0 ? ledger : null;
	}, 20_000, "an answer of 304");
	await waitFor(async () => (await fake.ledger()).unique_events > before!.unique_events, 30_000,
		"new events in spite of the cache");
	assert.ok((await fake.ledger()).scenario_hits >= 30);
	await octolake.waitForLog("answers of 304 came from a stale cache; the stream is asked without tags now");
	assert.equal((await octolake.stop()).code, 0);
});

test("a late event below known ones is found once the first page changes", async (context) => {
	const fake = await startFake(["--synthetic", "5", "--rate", "0", "--backlog", "290", "--poll-interval", "1"]);
	context.after(() => fake.stop());
	const octolake = await startLive(context, fake);
	await octolake.waitForLog("gold loaded");
	await fake.control("scenario=late-event");
	await waitFor(async () => (await fake.ledger()).unique_events === 292, 20_000, "the late event to be asked for");
	assert.equal((await octolake.stop()).code, 0);
	assert.equal((await goldKeys(octolake.data)).length, 292);
	assert.deepEqual((await fake.ledger()).violations, []);
});
