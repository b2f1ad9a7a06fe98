// SPDX-License-Identifier: Apache-2.0
// A machine that slept for an hour, a process that was stopped for one, and wall clocks set a day
// forward and back, with clocks that the test moves (tests/support/shim/shim_time.c).
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import fs from "node:fs";
import path from "node:path";
import { describe, test, type TestContext } from "node:test";
import { goldKeys, query, TOKEN } from "../support/lake";
import { getJson, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Fake, type Octolake }
	from "../support/processes";
import { Clocks } from "../support/shim";

const AT_ONCE = 3;
const HOUR_S = 3600;
const DAY_S = 86_400;
const MINUTE_MS = 60_000;

const COVERAGE_METRIC = `version: 2
kpis:
  - id: test_coverage
    name: Covered minutes
    description: Covered minutes.
    visualisation: table
    limit: {default: 100000, max: 100000}
    sql: SELECT strftime(minute, '%Y-%m-%dT%H:%M:%SZ') AS minute FROM coverage ORDER BY 1 LIMIT \${limit}
`;

interface Pair {
	fake: Fake;
	fake_clocks: Clocks;
	octolake: Octolake;
	clocks: Clocks;
}

async function start(context: TestContext, fake_args: string[], args: string[] = []): Promise<Pair> {
	const fake_clocks = new Clocks();
	const clocks = new Clocks();
	const fake = await startFake(["--synthetic", "11", ...fake_args], { env: fake_clocks.env });
	context.after(() => fake.stop());
	const octolake = await startOctolake(["--api-url", fake.url, "--types", "all", ...args],
		{ env: { GITHUB_TOKEN: TOKEN, ...clocks.env } });
	context.after(async () => {
		octolake.child.kill("SIGCONT");
		await octolake.stop();
	});
	return { fake, fake_clocks, octolake, clocks };
}

async function requestCount(fake: Fake): Promise<number> {
	return (await fake.ledger()).request_count;
}

async function waitForRequests(fake: Fake, more: number, what: string): Promise<void> {
	const before = await requestCount(fake);
	await waitFor(async () => await requestCount(fake) >= before + more, 20_000, what);
}

/** Stopped; meanwhile the world's clocks, and its own as far as they go on, move by so much. */
async function stopFor(pair: Pair, world_s: number, monotonic_s: number): Promise<void> {
	pair.octolake.child.kill("SIGSTOP");
	/* A request that is under way arrives before the clock moves. */
	await sleep(300);
	pair.fake_clocks.move(world_s, world_s);
	pair.clocks.move(world_s, monotonic_s);
	pair.octolake.child.kill("SIGCONT");
}

async function coveredMinutes(data: string): Promise<number[]> {
	const file = path.join(temporaryFolder(), "coverage.yaml");
	fs.writeFileSync(file, COVERAGE_METRIC);
	const rows = await query(data, "test_coverage", ["--metrics", file]);
	return rows.map((row) => Date.parse(row.minute));
}

/** Stops both; everything that the fake served is in gold once. */
async function finish({ fake, octolake }: Pair): Promise<void> {
	assert.equal((await octolake.stop()).code, 0, octolake.stderr.slice(-3000));
	const ledger = await fake.ledger("keys=1");
	assert.deepEqual(ledger.violations, []);
	const served = ledger.keys!.map(([id, type, created_at]) => `${id}|${type}|${created_at}`).sort();
	assert.deepEqual((await goldKeys(octolake.data)).sort(), served);
}

/** 100 events at that time, numbered from `first`. */
function pageOf(first: number, created_at: string, count = 100): object[] {
	return Array.from({ length: count }, (_, i) => ({ id: String(first + i), type: "WatchEvent",
		actor: { id: 1, login: "ann" }, repo: { id: 2, name: "own/rep" }, payload: { action: "started" },
		public: true, created_at }));
}

/** A feed that moves on by an hour while its second sweep is between page 1 and page 2. */
async function startSleepyFeed(context: TestContext): Promise<{ url: string; sweeps: () => number }> {
	const known = pageOf(1, "2026-09-20T10:00:00Z", 30);
	const late = [pageOf(3000, "2026-09-20T11:01:00Z"), pageOf(2000, "2026-09-20T11:00:30Z")];
	let sweeps = 0;
	const server = http.createServer((request, response) => {
		const page = Number(new URL(request.url!, "http://x").searchParams.get("page") ?? 1);
		sweeps += page === 1 ? 1 : 0;
		const body = sweeps === 1 ? known
			: sweeps > 2 ? late[0]
				: page === 1 ? [...pageOf(1000, "2026-09-20T10:01:00Z", 70), ...known] : late[page - 2];
		const { port } = server.address() as AddressInfo;
		const next = body.length === 100 && page < 3
			? { Link: `<http://127.0.0.1:${port}/events?per_page=100&page=${page + 1}>; rel="next"` } : {};
		response.writeHead(200, { "Content-Type": "application/json", "X-Poll-Interval": "0",
			ETag: `"${sweeps}-${page}"`, ...next });
		response.end(JSON.stringify(body));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sweeps: () => sweeps };
}

async function sleepForAnHour(context: TestContext, monotonic_s: number): Promise<void> {
	const pair = await start(context, ["--rate", "3", "--poll-interval", "1"]);
	await waitForRequests(pair.fake, 3, "polls before");
	/* Between two polls: an answer that is under way for an hour is given up, though it was served. */
	await sleep(300);
	const stopped_at = pair.fake_clocks.now();
	await stopFor(pair, HOUR_S, monotonic_s);
	const resumed_at = pair.fake_clocks.now();
	await waitForRequests(pair.fake, 5, "polls after it");
	const pipeline = await waitFor(async () => {
		const answer = await getJson(`${pair.octolake.api}/api/v1/pipeline`);
		if (answer.gaps > 0 && answer.lag_seconds < 60)
			return answer;
		throw new Error(JSON.stringify({ ...answer, counters: null }));
	}, 20_000, "fresh events");
	assert.equal(pipeline.gaps, 1, "what an hour of the feed showed is a gap, once");
	assert.equal(pipeline.polling.running, true);
	assert.equal(pipeline.polling.failures_in_row, 0);
	assert.equal(pipeline.stage_error, null);
	assert.ok(Date.parse(pipeline.polling.last_answer) >= resumed_at - 5000, "the status tells the new time");
	const gap = pipeline.sweeps.find((sweep: { gap: boolean }) => sweep.gap);
	assert.ok(Date.parse(gap.gap_to) - Date.parse(gap.gap_from) > 50 * MINUTE_MS, JSON.stringify(gap));
	await finish(pair);
	const minutes = await coveredMinutes(pair.octolake.data);
	const inside = minutes.filter((minute) => minute > stopped_at + MINUTE_MS && minute < resumed_at - 4 * MINUTE_MS);
	assert.deepEqual(inside, [], "nothing is known of that hour");
	assert.ok(minutes.some((minute) => minute <= stopped_at) && minutes.some((minute) => minute >= resumed_at - MINUTE_MS));
}

describe("suspend", { concurrency: AT_ONCE }, () => {
	test("a machine that slept for an hour", (context) => sleepForAnHour(context, 0));

	test("a process that was stopped for an hour", (context) => sleepForAnHour(context, HOUR_S));

	test("an hour that passes between two pages of a sweep is a gap too", async (context) => {
		const feed = await startSleepyFeed(context);
		const octolake = await startOctolake(["--api-url", feed.url, "--types", "all", "--poll-interval", "200ms"],
			{ env: { GITHUB_TOKEN: TOKEN } });
		context.after(() => octolake.stop());
		await waitFor(() => feed.sweeps() >= 6, 20_000, "sweeps");
		const pipeline = await getJson(`${octolake.api}/api/v1/pipeline`);
		assert.equal(pipeline.gaps, 1);
		const gap = pipeline.sweeps.find((sweep: { gap: boolean }) => sweep.gap);
		assert.deepEqual([gap.gap_from, gap.gap_to], ["2026-09-20T10:01:00Z", "2026-09-20T11:00:30Z"]);
		assert.equal((await octolake.stop()).code, 0);
		assert.equal((await goldKeys(octolake.data)).length, 300);
		const minutes = (await coveredMinutes(octolake.data)).map((minute) => new Date(minute).toISOString());
		assert.deepEqual(minutes.filter((minute) => minute > "2026-09-20T10:02" && minute < "2026-09-20T11:00"), []);
	});

	test("no request before a limit allows it, however the time passes", async (context) => {
		const pair = await start(context, ["--rate", "3", "--poll-interval", "1", "--scenario", "secondary-silent"]);
		const limited = async () => (await getJson(`${pair.octolake.api}/api/v1/pipeline`)).polling.limited_until;
		await waitFor(limited, 20_000, "the limit in the status");
		const requests = await requestCount(pair.fake);
		await stopFor(pair, 30, 30);
		await sleep(1500);
		assert.equal(await requestCount(pair.fake), requests, "30 of 60 s have passed");
		await stopFor(pair, 31, 31);
		await waitForRequests(pair.fake, 3, "polls after the limit");
		await finish(pair);
	});

	test("a limit that ends while the machine sleeps is waited out, no longer", async (context) => {
		const pair = await start(context, ["--rate", "3", "--poll-interval", "1", "--scenario", "secondary-silent"]);
		const limited = async () => (await getJson(`${pair.octolake.api}/api/v1/pipeline`)).polling.limited_until;
		await waitFor(limited, 20_000, "the limit in the status");
		await stopFor(pair, HOUR_S, 0);
		/* Its own clock stood still: at most the rest of the minute is left. */
		pair.clocks.move(61, 61);
		pair.fake_clocks.move(61, 61);
		await waitForRequests(pair.fake, 3, "polls after the limit");
		await finish(pair);
	});

	test("a wall clock set a day forward, then two back", async (context) => {
		const pair = await start(context, ["--rate", "3", "--poll-interval", "0"],
			["--poll-interval", "300ms"]);
		await waitForRequests(pair.fake, 3, "polls before");
		for (const days of [1, -2]) {
			/* Answers of a still feed extend coverage up to now: the feed's now. */
			await pair.fake.control("rate=0");
			await waitForRequests(pair.fake, 2, "polls of the still feed");
			pair.clocks.move(days * DAY_S, 0);
			await waitForRequests(pair.fake, 4, "polls at another time");
			await pair.fake.control("rate=3");
			await waitForRequests(pair.fake, 3, "polls of new events");
		}
		pair.clocks.move(DAY_S, 0);
		await waitForRequests(pair.fake, 3, "polls at the right time");
		const ended_at = pair.fake_clocks.now();
		assert.equal((await getJson(`${pair.octolake.api}/api/v1/pipeline`)).gaps, 0);
		await finish(pair);
		const minutes = await coveredMinutes(pair.octolake.data);
		const future = minutes.filter((minute) => minute > ended_at + MINUTE_MS).length;
		assert.equal(future, 0, "minutes covered before they came");
		assert.ok(minutes.length < 30, `${minutes.length} minutes covered in seconds`);
	});
});
