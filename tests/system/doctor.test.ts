// SPDX-License-Identifier: Apache-2.0
// `octolake doctor` finds each thing that can be wrong, says how to mend it, changes nothing and tells no
// secret; a port in use and a clock that is off are also told by the program itself.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { filesBelow, runBatch } from "../support/lake";
import { getJson, runOctolake, startFake, startOctolake, temporaryFolder, waitFor, type Fake,
	type Finished, type Options } from "../support/processes";

const AT_ONCE = 3;
const CANARY = "ghp_CANARYcanary0123456789CANARY";
const DAY_S = 86400;

interface Check {
	group: string;
	name: string;
	status: "ok" | "warn" | "fail";
	text: string;
	fix: string | null;
	at: string | null;
}

interface Report {
	octolake: string;
	at: string;
	healthy: boolean;
	ok: number;
	warn: number;
	fail: number;
	checks: Check[];
}

interface Examined extends Finished {
	report: Report;
	/** The only check of that name. */
	check(name: string): Check;
}

let fake: Fake;
let lake = "";

function copyOfLake(): string {
	const data = path.join(temporaryFolder(), "lake");
	fs.cpSync(lake, data, { recursive: true });
	return data;
}

/** What a folder holds, but for the lock (who held it last) and the files that SQLite keeps beside a catalog
 * while someone reads it. */
function fingerprint(folder: string): Record<string, string> {
	const files = filesBelow(folder).filter((file) => !/LOCK$|catalog\.sqlite-(shm|wal)$/.test(file));
	return Object.fromEntries(files.map((file) => [file,
		createHash("sha256").update(fs.readFileSync(file)).digest("hex")]));
}

async function examine(args: string[], options: Options = {}): Promise<Examined> {
	const ports = args.includes("--api-port") ? [] : ["--api-port", "0", "--ui-port", "0"];
	const finished = await runOctolake(["doctor", "--json", ...ports, ...args], options);
	const report = JSON.parse(finished.stdout) as Report;
	for (const status of ["ok", "warn", "fail"] as const)
		assert.equal(report[status], report.checks.filter((check) => check.status === status).length);
	assert.equal(report.healthy, report.fail === 0);
	assert.equal(finished.code, report.healthy ? 0 : 1, finished.stdout);
	for (const check of report.checks)
		assert.ok(check.status === "ok" || check.fix !== null || check.group === "data" || check.name === "quota",
			`a trouble without a way to mend it: ${JSON.stringify(check)}`);
	const check = (name: string): Check => {
		const found = report.checks.filter((each) => each.name === name);
		assert.equal(found.length, 1, `checks of the name ${name}`);
		return found[0]!;
	};
	return { ...finished, report, check };
}

/** Which checks are not ok. */
function troubles(report: Report): string[] {
	return report.checks.filter((check) => check.status !== "ok").map((check) => `${check.status} ${check.name}`);
}

/** A GitHub whose clock differs from ours, with a budget whose reset is half an hour away. */
async function startElsewhen(context: TestContext, offset_s: number): Promise<{ url: string; polls: number[] }> {
	const polls: number[] = [];
	const server = http.createServer((request, response) => {
		if (request.url !== "/rate_limit")
			polls.push(performance.now());
		const now_s = Math.floor(Date.now() / 1000) + offset_s;
		const budget = { limit: 5000, remaining: 4000, reset: now_s + 1800 };
		response.sendDate = false;
		response.writeHead(200, {
			Date: new Date(now_s * 1000).toUTCString(),
			"Content-Type": "application/json",
			"X-Poll-Interval": "1",
			"X-RateLimit-Limit": "5000",
			"X-RateLimit-Remaining": "4000",
			"X-RateLimit-Reset": String(budget.reset),
		});
		response.end(request.url === "/rate_limit" ? JSON.stringify({ resources: { core: budget } }) : "[]");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, polls };
}

function oneFile(data: string, part: string): string {
	const file = filesBelow(data).find((name) => name.includes(`/${part}/`));
	assert.ok(file, `a file below ${part}`);
	return file;
}

before(async () => {
	fake = await startFake(["--synthetic", "3", "--rate", "0", "--backlog", "250", "--poll-interval", "0"]);
	lake = path.join(temporaryFolder(), "lake");
	const run = await runBatch(fake, lake, ["--duration", "30s"], { env: { GITHUB_TOKEN: CANARY } });
	assert.equal(run.code, 0, run.stderr);
});

after(() => fake.stop());

describe("doctor", { concurrency: AT_ONCE }, () => {
	test("a healthy lake", async () => {
		const data = copyOfLake();
		const before_it = fingerprint(data);
		const options = { env: { GITHUB_TOKEN: CANARY, OCTOLAKE_KEEP_BRONZE: "9d", OCTOLAKE_BRONZE_MAX: "10GiB" } };
		const { report, check, stdout, stderr } = await examine(["--data", data, "--api-url", fake.url], options);
		/* What this machine is (its disk, its container) is not the test's to say. */
		assert.deepEqual(troubles(report).filter((each) => !/file-system|space|descriptors/.test(each)), []);
		assert.match(check("version").text, /octolake .*DuckDB v.*SQLite .*libcurl/);
		assert.match(check("files").text, /all there, size as written/);
		assert.match(check("retention").text, /^kept: bronze 9d and 10GiB, silver for ever, gold for ever/);
		assert.match(check("space").text, /free; polling pauses below /);
		assert.match(check("gold").text, /generation 1, 250 events/);
		assert.match(check("token").text, /GITHUB_TOKEN, accepted/);
		assert.match(check("quota").text, /^\d+ of 5000 left until /);
		assert.match(check("clock").text, /within \d+ s of GitHub's/);
		assert.match(check("ledger").text, /all accounted for/);
		const lines = await runOctolake(["doctor", "--deep", "--data", data, "--api-url", fake.url, "--api-port", "0",
			"--ui-port", "0"], options);
		assert.equal(lines.code, 0, lines.stdout);
		assert.match(lines.stdout, /^ {2}ok {4}files +\d+ files, .* size and checksum as written$/m);
		assert.match(lines.stdout, /^\d+ ok, \d+ to look at, 0 failed$/m);
		for (const text of [stdout, stderr, lines.stdout, lines.stderr])
			assert.ok(!text.includes(CANARY) && !text.includes("ghp_"), "no token is printed");
		assert.deepEqual(fingerprint(data), before_it, "nothing was changed");
	});

	test("no data folder yet: none is made", async () => {
		const data = path.join(temporaryFolder(), "a", "lake");
		const { check } = await examine(["--data", data, "--api-url", fake.url]);
		assert.match(check("folder").text, /to be made at the first start/);
		assert.equal(check("token").status, "warn");
		assert.match(check("token").fix!, /without any permission.*GITHUB_TOKEN/);
		assert.ok(!fs.existsSync(path.dirname(data)));
	});

	test("beside a running server, which goes on", async (context) => {
		const data = copyOfLake();
		const octolake = await startOctolake(["run", "--api-url", fake.url, "--data", data],
			{ env: { GITHUB_TOKEN: CANARY } });
		context.after(() => octolake.stop());
		await octolake.waitForLog("listening");
		const ports = ["--api-port", new URL(octolake.api).port, "--ui-port", new URL(octolake.ui).port];
		const { report, check } = await examine(["--data", data, "--api-url", fake.url, ...ports],
			{ env: { GITHUB_TOKEN: CANARY } });
		assert.equal(report.fail, 0, JSON.stringify(troubles(report)));
		assert.match(check("lock").text, new RegExp(`octolake run \\(pid ${octolake.pid}\\) .* answers at ${octolake.api}$`));
		assert.match(check("gold").text, /generation 1, 250 events/);
		assert.match(check("api-port").text, /this lake's own server/);
		assert.match(check("ui-port").text, /this lake's own server/);
		assert.match(check("polling").text, /^next at /);
		assert.equal((await getJson(`${octolake.api}/healthz`)).status, "ok");
		assert.equal((await octolake.stop()).code, 0);
	});

	test("a port that another has", async (context) => {
		const server = http.createServer();
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		context.after(() => server.close());
		const { port } = server.address() as AddressInfo;
		const holder = new RegExp(`${port} is in use by .*\\(pid ${process.pid}\\)`);
		const { check } = await examine(["--data", lake, "--api-url", fake.url, "--api-port", "0", "--ui-port",
			String(port)], { env: { GITHUB_TOKEN: CANARY } });
		assert.equal(check("ui-port").status, "fail");
		assert.match(check("ui-port").text, holder);
		assert.match(check("ui-port").fix!, /^octolake --ui-port \d+/);
		const start = await runOctolake(["serve", "--data", path.join(temporaryFolder(), "lake"), "--api-port",
			String(port), "--ui-port", "0"]);
		assert.equal(start.code, 6);
		const last = start.stderr.trimEnd().split("\n").at(-1)!;
		assert.match(last, holder);
		assert.match(last, /--api-port N/);
	});

	test("a port that another octolake has names its data folder", async (context) => {
		const octolake = await startOctolake(["serve"]);
		context.after(() => octolake.stop());
		const { port } = new URL(octolake.ui);
		const start = await runOctolake(["serve", "--data", path.join(temporaryFolder(), "lake"), "--api-port", port,
			"--ui-port", "0"]);
		assert.equal(start.code, 6);
		assert.ok(start.stderr.includes(`pid ${octolake.pid}, data folder ${fs.realpathSync(octolake.data)}`), start.stderr);
		const both = await runOctolake(["serve", "--data", path.join(temporaryFolder(), "lake"), "--api-port", "18999",
			"--ui-port", "18999"]);
		assert.equal(both.code, 2);
		assert.match(both.stderr, /--api-port and --ui-port are both 18999/);
	});

	test("a damaged metric file, with the place", async () => {
		const file = path.join(temporaryFolder(), "mine.yaml");
		fs.writeFileSync(file, "version: 2\nkpis:\n  - id: 7up\n    name: x\n    description: x\n    sql: SELECT 1\n");
		const { report } = await examine(["--data", lake, "--api-url", fake.url, "--metrics", file],
			{ env: { GITHUB_TOKEN: CANARY } });
		const found = report.checks.filter((check) => check.name === "metrics" && check.status === "fail");
		assert.ok(found.length >= 1);
		assert.match(found[0]!.at!, /mine\.yaml:3:\d+$/);
		const events = path.join(temporaryFolder(), "events.yaml");
		fs.writeFileSync(events, "version: 1\ntypes: {WatchEvent: 7}\nsurprise: 1\n");
		const { check } = await examine(["--data", lake, "--api-url", fake.url, "--events", events]);
		assert.equal(check("events").status, "fail");
		assert.match(check("events").text, /events\.yaml:\d+:\d+/);
	});

	test("no network is said quickly", async () => {
		const started = Date.now();
		const { report, check } = await examine(["--data", lake, "--api-url", "http://127.0.0.1:9"],
			{ env: { GITHUB_TOKEN: CANARY } });
		assert.ok(Date.now() - started < 15_000);
		assert.deepEqual(report.checks.filter((each) => each.status === "fail").map((each) => each.name), ["github"]);
		assert.match(check("github").fix!, /octolake demo/);
		assert.match(check("token").text, /not tried/);
	});

	test("a used-up budget is a warning with its end", async (context) => {
		const poor = await startFake(["--synthetic", "4", "--rate", "0", "--limit-anonymous", "1"]);
		context.after(() => poor.stop());
		assert.equal((await fetch(`${poor.url}/events`, { headers: { "User-Agent": "test" } })).status, 200);
		const { check, code } = await examine(["--data", lake, "--api-url", poor.url]);
		assert.equal(code, 0);
		assert.equal(check("quota").status, "warn");
		assert.match(check("quota").text, /^used up: 0 of 1 left until \d{4}-/);
		assert.equal((await poor.ledger()).violation_count, 0, "asking costs nothing and breaks nothing");
	});

	test("a refused token", async (context) => {
		const strict = await startFake(["--synthetic", "5", "--rate", "0", "--token", "the-good-one"]);
		context.after(() => strict.stop());
		const { check, stdout, stderr } = await examine(["--data", lake, "--api-url", strict.url],
			{ env: { GITHUB_TOKEN: CANARY } });
		assert.equal(check("token").status, "fail");
		assert.match(check("token").text, /GITHUB_TOKEN is refused \(401\)/);
		assert.ok(!(stdout + stderr).includes(CANARY));
		const missing = await examine(["--data", lake, "--api-url", strict.url, "--token-file", "/nonexistent/token"]);
		assert.equal(missing.check("token").status, "fail");
		assert.match(missing.check("token").text, /\/nonexistent\/token/);
	});

	for (const offset_s of [DAY_S, -DAY_S])
		test(`a clock a day ${offset_s > 0 ? "behind" : "ahead"}`, async (context) => {
			const elsewhen = await startElsewhen(context, offset_s);
			const { check, code } = await examine(["--data", lake, "--api-url", elsewhen.url]);
			assert.equal(code, 0, "a warning");
			assert.equal(check("clock").status, "warn");
			assert.match(check("clock").text, offset_s > 0 ? /24 h behind GitHub's/ : /24 h ahead of GitHub's/);
			assert.match(check("clock").fix!, /timedatectl/);
			const octolake = await startOctolake(["run", "--api-url", elsewhen.url], { env: { GITHUB_TOKEN: CANARY } });
			context.after(() => octolake.stop());
			const line = await octolake.waitForLog((each) => /clock is off/.test(each.event));
			assert.ok(Math.abs(Number(line.seconds_ahead) + offset_s) < 60, JSON.stringify(line));
			const { polling } = await getJson(`${octolake.api}/api/v1/pipeline`);
			assert.equal(polling.clock.off, true);
			assert.ok(Math.abs(polling.clock.ahead_seconds + offset_s) < 60);
			/* The reset is half an hour away for both clocks. */
			const reset_s = (Date.parse(polling.quota.reset) - Date.now()) / 1000;
			assert.ok(reset_s > 1700 && reset_s < 1900, `reset in ${reset_s} s`);
			/* Polls go on at the pace that GitHub asks for, not a day later or at once. */
			await waitFor(() => elsewhen.polls.length >= 4, 15_000, "four polls");
			const gaps = elsewhen.polls.slice(1).map((at, i) => at - elsewhen.polls[i]!);
			assert.ok(Math.min(...gaps) >= 950, `gaps in ms: ${gaps.join(" ")}`);
			await octolake.stop();
			assert.equal(octolake.logs.filter((each) => /clock is off/.test(each.event)).length, 1, "said once");
		});

	test("a broken catalog", async () => {
		const data = copyOfLake();
		const file = path.join(data, "catalog.sqlite");
		const bytes = fs.readFileSync(file);
		bytes.fill(0x5a, 8192, 24576);
		fs.writeFileSync(file, bytes);
		const before_it = fingerprint(data);
		const { check } = await examine(["--data", data, "--api-url", fake.url], { env: { GITHUB_TOKEN: CANARY } });
		assert.equal(check("catalog").status, "fail");
		assert.match(check("catalog").fix!, /start octolake/);
		assert.deepEqual(fingerprint(data), before_it, "left as it is");
	});

	test("a catalog of an older and of a newer format", async () => {
		const data = copyOfLake();
		const file = path.join(data, "catalog.sqlite");
		const bytes = fs.readFileSync(file);
		const say = async (version: number): Promise<Check> => {
			/* SQLite's header keeps user_version there. */
			bytes.writeUInt32BE(version, 60);
			fs.writeFileSync(file, bytes);
			return (await examine(["--data", data, "--api-url", fake.url])).check("catalog");
		};
		const older = await say(1);
		assert.equal(older.status, "warn");
		assert.match(older.fix!, /start octolake once/);
		const newer = await say(99);
		assert.equal(newer.status, "fail");
		assert.match(newer.fix!, /newer octolake/);
	});

	test("files that are missing, cut, or changed in a byte", async () => {
		const data = copyOfLake();
		const missing = oneFile(data, "bronze");
		fs.rmSync(missing);
		const gone = await examine(["--data", data, "--api-url", fake.url]);
		assert.equal(gone.check("files").status, "fail");
		assert.match(gone.check("files").text, /^1 of \d+ files/);
		assert.ok(gone.check("files").text.includes(`${path.relative(data, missing)}: missing`), gone.check("files").text);
		assert.match(gone.check("files").fix!, /backup/);

		const other = copyOfLake();
		const silver = oneFile(other, "silver");
		const bytes = fs.readFileSync(silver);
		bytes[bytes.length >> 1]! ^= 1;
		fs.writeFileSync(silver, bytes);
		assert.equal((await examine(["--data", other, "--api-url", fake.url])).check("files").status, "ok");
		const deep = await examine(["--deep", "--data", other, "--api-url", fake.url]);
		assert.match(deep.check("files").text, /another checksum/);
		fs.truncateSync(silver, bytes.length - 1);
		const cut = await examine(["--data", other, "--api-url", fake.url]);
		assert.match(cut.check("files").text, new RegExp(`${bytes.length - 1} bytes instead of ${bytes.length}`));
		assert.match(cut.check("files").fix!, /start octolake/);
	});

	test("a gold that will not open", async () => {
		const data = copyOfLake();
		const gold = oneFile(data, "gold");
		const bytes = fs.readFileSync(gold);
		bytes.fill(0, 0, 12288);
		fs.writeFileSync(gold, bytes);
		const before_it = fingerprint(data);
		const { check } = await examine(["--data", data, "--api-url", fake.url]);
		assert.equal(check("gold").status, "fail");
		assert.deepEqual(fingerprint(data), before_it);
	});

	test("a proxy is named, its password is not", async () => {
		const secret = "s3cr3t-of-a-proxy";
		const env = { https_proxy: `http://me:${secret}@127.0.0.1:9` };
		const { check, stdout, stderr } = await examine(["--data", lake, "--api-url", "https://api.github.invalid"],
			{ env });
		assert.match(check("proxy").text, /http:\/\/\*\*\*@127\.0\.0\.1:9, from https_proxy/);
		assert.equal(check("github").status, "fail");
		assert.ok(!(stdout + stderr).includes(secret));
		const refused = await examine(["--data", lake, "--api-url", `https://me:${secret}@api.github.invalid`]);
		assert.equal(refused.check("github").status, "fail");
		const config = await runOctolake(["config", "--api-url", `https://me:${secret}@api.github.invalid`]);
		assert.ok(!(refused.stdout + refused.stderr + config.stdout).includes(secret));
		/* What listens on this machine is reached without it. */
		const local = await examine(["--data", lake, "--api-url", fake.url], { env: { http_proxy: "http://127.0.0.1:9" } });
		assert.equal(local.check("github").status, "ok");
	});

	test("config tells value and source, and speaks JSON", async () => {
		const cwd = temporaryFolder();
		fs.writeFileSync(path.join(cwd, "octolake.yaml"), "api_port: 9100\n");
		const options = { cwd, env: { GITHUB_TOKEN: CANARY, OCTOLAKE_UI_PORT: "9200" } };
		const { stdout, code } = await runOctolake(["config", "--json", "--workers", "7"], options);
		assert.equal(code, 0);
		const { settings, token } = JSON.parse(stdout) as { settings: { name: string; value: string; source: string }[];
			token: { set: boolean; source: string } };
		const of = (name: string): string[] => settings.filter((each) => each.name === name)
			.flatMap((each) => [each.value, each.source]);
		assert.deepEqual(of("api-port"), ["9100", "octolake.yaml:1"]);
		assert.deepEqual(of("ui-port"), ["9200", "environment OCTOLAKE_UI_PORT"]);
		assert.deepEqual(of("workers"), ["7", "flag --workers"]);
		assert.deepEqual(of("listen"), ["127.0.0.1", "default"]);
		assert.deepEqual(token, { set: true, source: "environment GITHUB_TOKEN" });
		assert.ok(!stdout.includes(CANARY));
	});
});
