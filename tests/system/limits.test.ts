// SPDX-License-Identifier: Apache-2.0
// GitHub's rules are kept to the letter, which the fake's ledger proves, and the token stays between
// octolake and the API's host.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { batchTotals, filesBelow, goldKeys, runBatch, TOKEN } from "../support/lake";
import { programPath, Running, runOctolake, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Ledger }
	from "../support/processes";

/** Most of the time is waiting for what GitHub asks to wait for. */
const AT_ONCE = 3;
/** Each costs a second of waiting. */
const KILLS = process.env.OCTOLAKE_SLOW_TESTS ? 100 : 20;
const CANARY = "ghp_CANARYcanary0123456789CANARY";

function firstPages(ledger: Ledger): Ledger["requests"] {
	return ledger.requests.filter((request) => request.page === 1 && request.stream === "/events");
}

function assertNowhere(secret: string, folders: string[], texts: string[]): void {
	for (const folder of folders)
		for (const file of filesBelow(folder))
			assert.ok(!fs.readFileSync(file).includes(secret), `the token is in ${file}`);
	for (const text of texts)
		assert.ok(!text.includes(secret), `the token was printed: ${text.slice(0, 2000)}`);
}

describe("limits", { concurrency: AT_ONCE }, () => {
	test("X-Poll-Interval is obeyed, also when it grows and across a restart", async (context) => {
		const fake = await startFake(["--synthetic", "2", "--rate", "20", "--poll-interval", "1"]);
		context.after(() => fake.stop());
		const options = { env: { GITHUB_TOKEN: TOKEN } };
		const first = await startOctolake(["--api-url", fake.url], options);
		context.after(() => first.stop());
		await waitFor(async () => firstPages(await fake.ledger()).length >= 4, 15_000, "four polls");
		await fake.control("poll-interval=2");
		const before = firstPages(await fake.ledger()).length;
		await waitFor(async () => firstPages(await fake.ledger()).length >= before + 2, 15_000, "two more polls");
		/* What a poll told is durable once its sweep is stored, which is well before the next one. */
		await sleep(500);
		assert.equal((await first.stop("SIGKILL")).signal, "SIGKILL");
		const second = await startOctolake(["--api-url", fake.url, "--data", first.data], options);
		context.after(() => second.stop());
		const at_restart = firstPages(await fake.ledger()).length;
		await waitFor(async () => firstPages(await fake.ledger()).length >= at_restart + 2, 15_000, "polls after it");
		assert.equal((await second.stop()).code, 0);

		const ledger = await fake.ledger();
		assert.deepEqual(ledger.violations, []);
		const polls = firstPages(ledger);
		const gaps = polls.slice(1).map((poll, i) => poll.t_ms - polls[i].t_ms);
		assert.ok(Math.min(...gaps) >= 950, `gaps in ms: ${gaps.join(" ")}`);
		/* Obeying must not become laziness. */
		assert.ok(Math.min(...gaps) <= 1800, `gaps in ms: ${gaps.join(" ")}`);
	});

	test("an anonymous budget is spread, never overdrawn", async (context) => {
		const fake = await startFake(["--synthetic", "3", "--rate", "30", "--backlog", "250", "--poll-interval", "0",
			"--limit-anonymous", "6", "--window-seconds", "4"]);
		context.after(() => fake.stop());
		const run = await runOctolake(["run", "--batch", "--exit", "--duration", "13s", "--api-url", fake.url,
			"--data", path.join(temporaryFolder(), "lake")]);
		assert.equal(run.code, 0, run.stderr);
		const ledger = await fake.ledger();
		assert.deepEqual(ledger.violations, []);
		assert.ok(ledger.requests.every((request) => request.status < 400), "nothing was refused");
		assert.ok(ledger.request_count >= 9, `only ${ledger.request_count} requests in three windows`);
		assert.equal(batchTotals(run.logs).received, ledger.served_events);
	});

	test("a budget that ends in the middle of a sweep: the rest after the reset", async (context) => {
		const fake = await startFake(["--synthetic", "4", "--rate", "0", "--backlog", "250", "--poll-interval", "0",
			"--limit-anonymous", "2", "--window-seconds", "4"]);
		context.after(() => fake.stop());
		const data = path.join(temporaryFolder(), "lake");
		const run = await runBatch(fake, data, ["--duration", "40s"], { env: { GITHUB_TOKEN: undefined } });
		assert.equal(run.code, 0, run.stderr);
		const ledger = await fake.ledger();
		assert.deepEqual(ledger.violations, []);
		assert.equal((await goldKeys(data)).length, 250);
	});

	test("kills right after a poll: its interval is kept all the same", async (context) => {
		const fake = await startFake(["--synthetic", "9", "--rate", "50", "--poll-interval", "1"]);
		context.after(() => fake.stop());
		const data = path.join(temporaryFolder(), "lake");
		const polls = async () => firstPages(await fake.ledger()).length;
		const run = await runOctolake(["ingest", "--duration", "2500ms", "--api-url", fake.url, "--data", data],
			{ env: { GITHUB_TOKEN: TOKEN } });
		assert.equal(run.code, 0, run.stderr);
		for (let kill = 0; kill < KILLS; kill++) {
			const before = await polls();
			const octolake = new Running(programPath("OCTOLAKE_BIN"),
				["ingest", "--duration", "1m", "--api-url", fake.url, "--data", data], { env: { GITHUB_TOKEN: TOKEN } });
			await waitFor(async () => await polls() > before, 20_000, "a poll", 1);
			await sleep(kill % 5);
			octolake.child.kill("SIGKILL");
			await octolake.exited;
		}
		const ledger = await fake.ledger();
		assert.deepEqual(ledger.violations, []);
		assert.ok(firstPages(ledger).length >= KILLS);
	});

	for (const scenario of ["secondary-429", "primary-limit-403"])
		test(`${scenario}: the wait holds across a kill`, async (context) => {
			const fake = await startFake(["--synthetic", "5", "--rate", "0", "--backlog", "50", "--poll-interval", "0",
				"--scenario", scenario, "--scenario-times", "1"]);
			context.after(() => fake.stop());
			const first = await startOctolake(["--api-url", fake.url], { env: { GITHUB_TOKEN: "t" } });
			context.after(() => first.stop());
			await waitFor(async () => (await fake.ledger()).scenario_hits > 0, 15_000, "the limit");
			await sleep(500);
			await first.stop("SIGKILL");
			const run = await runBatch(fake, first.data, ["--duration", "30s"], { env: { GITHUB_TOKEN: "t" } });
			assert.equal(run.code, 0, run.stderr);
			const ledger = await fake.ledger();
			assert.deepEqual(ledger.violations, []);
			assert.equal((await goldKeys(first.data)).length, 50);
		});

	test("the token goes to the API's host and nowhere else", async (context) => {
		const fake = await startFake(["--synthetic", "6", "--rate", "0", "--backlog", "120", "--poll-interval", "0",
			"--token", CANARY, "--scenario", "redirect-other-host"]);
		context.after(() => fake.stop());
		const cwd = temporaryFolder();
		const data = path.join(cwd, "lake");
		const options = { cwd, env: { GITHUB_TOKEN: CANARY } };
		const run = await runBatch(fake, data, ["--duration", "30s", "--verbose"], options);
		assert.equal(run.code, 0, run.stderr);
		const ledger = await fake.ledger();
		assert.deepEqual(ledger.violations, []);
		assert.ok(ledger.scenario_hits > 0);
		assert.ok(ledger.requests.every((request) => !request.foreign || request.token === "none"));
		assert.ok(ledger.requests.some((request) => !request.foreign && request.token !== "none"));
		assert.equal((await goldKeys(data)).length, 120);
		const config = await runOctolake(["config", "--data", data], options);
		assert.equal(config.code, 0);
		assertNowhere(CANARY, [cwd], [run.stdout, run.stderr, config.stdout, config.stderr]);
	});

	test("a token from a file, trimmed; a running server does not tell it", async (context) => {
		const fake = await startFake(["--synthetic", "6", "--rate", "5", "--poll-interval", "1", "--token", CANARY]);
		context.after(() => fake.stop());
		const cwd = temporaryFolder();
		const token_file = path.join(temporaryFolder(), "token");
		fs.writeFileSync(token_file, `${CANARY}\n`);
		const data = path.join(cwd, "lake");
		const octolake = await startOctolake(["--api-url", fake.url, "--token-file", token_file, "--data", data,
			"--verbose"], { cwd });
		context.after(() => octolake.stop());
		await octolake.waitForLog("gold loaded");
		const answers: string[] = [];
		for (const route of ["/api/v1/pipeline", "/api/v1/metrics", "/healthz", "/readyz", "/docs", "/", "/no-such"])
			answers.push(await (await fetch(octolake.api + route)).text());
		assert.equal((await octolake.stop()).code, 0);
		assert.ok((await fake.ledger()).requests.some((request) => request.status === 200));
		assertNowhere(CANARY, [cwd], [...answers, octolake.stdout, octolake.stderr]);
	});

	test("a batch that waits for quiet gives up on a GitHub that is not there", async () => {
		const run = await runOctolake(["run", "--batch", "--until-quiet", "--exit", "--api-url", "http://127.0.0.1:9",
			"--data", path.join(temporaryFolder(), "lake")], { env: { GITHUB_TOKEN: TOKEN } });
		assert.equal(run.code, 5, run.stderr);
		assert.match(run.stderr.trimEnd().split("\n").at(-1)!, /^octolake: GitHub gave no good answer/);
	});

	for (const live of [true, false])
		test(`a refused token ends ${live ? "live" : "batch"} with exit code 5 and says so`, async (context) => {
			const fake = await startFake(["--synthetic", "7", "--rate", "0", "--token", "the-good-one"]);
			context.after(() => fake.stop());
			const mode = live ? ["--api-port", "0", "--ui-port", "0"] : ["--batch", "--until-quiet", "--exit"];
			const run = await runOctolake(["run", ...mode, "--api-url", fake.url,
				"--data", path.join(temporaryFolder(), "lake")], { env: { GITHUB_TOKEN: CANARY } });
			assert.equal(run.code, 5, run.stderr);
			const last = run.stderr.trimEnd().split("\n").at(-1)!;
			assert.match(last, /^octolake: .*token/i);
			assert.match(last, /401|refuse|reject/i);
			assertNowhere(CANARY, [], [run.stdout, run.stderr]);
			assert.ok((await fake.ledger()).request_count <= 2, "a refused token is not shown again and again");
		});
});
