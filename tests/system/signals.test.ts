// SPDX-License-Identifier: Apache-2.0
// What signals do: one asks for a clean end, a second ends at once, and none loses what was acknowledged.
// A signal that whoever started us chose to ignore (nohup, a shell's background job) stays ignored.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import net from "node:net";
import path from "node:path";
import test from "node:test";
import { bronzeEvents, goldKeys, keyOf, TOKEN } from "../support/lake";
import { getJson, runOctolake, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Fake, type Octolake }
	from "../support/processes";

const ENV = { GITHUB_TOKEN: TOKEN };

function arguments_(fake: Fake, data: string): string[] {
	return ["--api-url", fake.url, "--data", data, "--types", "all", "--poll-interval", "100ms"];
}

async function startBusy(context: test.TestContext, scenario: string[] = []):
	Promise<{ fake: Fake; octolake: Octolake; data: string }> {
	const data = path.join(temporaryFolder(), "lake");
	const fake = await startFake(["--synthetic", "3", "--rate", "400", "--poll-interval", "0", "--limit-token",
		"1000000", ...scenario]);
	context.after(() => fake.stop());
	const octolake = await startOctolake(arguments_(fake, data), { env: ENV });
	context.after(() => octolake.stop("SIGKILL"));
	await octolake.waitForLog("batch stored");
	return { fake, octolake, data };
}

/** Everything that bronze holds is in gold, and nothing waits. */
async function assertDrained(data: string): Promise<void> {
	for (const stage of ["transform", "materialise"]) {
		const run = await runOctolake([stage, "--data", data, "--types", "all"]);
		assert.equal(run.code, 0, run.stderr);
		assert.equal(run.logs.find((line) => line.event === `${stage} done`)?.batches, 0, "no batch waits");
	}
	await assertKept(data);
}

async function assertKept(data: string): Promise<void> {
	const rows = await goldKeys(data);
	assert.deepEqual(new Set(rows), new Set((await bronzeEvents(data)).map(keyOf)));
	assert.equal(new Set(rows).size, rows.length);
}

for (const [signal, code] of [["SIGTERM", 0], ["SIGHUP", 0], ["SIGINT", 130]] as const)
	test(`${signal} under load: a clean end, nothing waits afterwards`, async (context) => {
		const { octolake, data } = await startBusy(context);
		const started = Date.now();
		assert.deepEqual(await octolake.stop(signal), { code, signal: null });
		assert.ok(Date.now() - started < 10_000, "within the time that a clean end may take");
		assert.ok(octolake.logs.some((line) => line.event === "stopped"), octolake.stderr.slice(-2000));
		await assertDrained(data);
	});

test("SIGINT twice: an end at once, although a request hangs; nothing that was stored is lost", async (context) => {
	const { octolake, data } = await startBusy(context);
	/* A worker that waits for the rest of a request, so that a clean end takes a while. */
	const api = new URL(octolake.api);
	const slow = net.connect(Number(api.port), api.hostname);
	slow.on("error", () => undefined);
	slow.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
	context.after(() => slow.destroy());
	octolake.child.kill("SIGINT");
	octolake.child.kill("SIGINT");
	await sleep(30);
	octolake.child.kill("SIGINT");
	const started = Date.now();
	const exit = await octolake.exited;
	assert.equal(exit.code, 130, octolake.stderr.slice(-2000));
	assert.ok(Date.now() - started < 3_000, "at once");
	/* What a batch had acknowledged is found and finished by the next start. */
	for (const stage of ["transform", "materialise"])
		assert.equal((await runOctolake([stage, "--data", data, "--types", "all"])).code, 0);
	await assertKept(data);
});

test("SIGINT while an answer of GitHub does not come", async (context) => {
	const silent = net.createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
	const sockets = new Set<net.Socket>();
	silent.on("connection", (socket) => sockets.add(socket));
	context.after(() => {
		sockets.forEach((socket) => socket.destroy());
		silent.close();
	});
	await waitFor(() => silent.address(), 5_000, "a port");
	const url = `http://127.0.0.1:${(silent.address() as net.AddressInfo).port}`;
	const octolake = await startOctolake(["--api-url", url]);
	await waitFor(() => sockets.size > 0, 10_000, "a request");
	const started = Date.now();
	assert.equal((await octolake.stop("SIGINT")).code, 130);
	assert.ok(Date.now() - started < 5_000, "a request under way does not hold up the end");
});

for (const signal of ["SIGHUP", "SIGINT"] as const)
	test(`${signal} ignored at start stays ignored`, async (context) => {
		const fake = await startFake(["--synthetic", "3", "--rate", "10", "--poll-interval", "0"]);
		context.after(() => fake.stop());
		const args = [...arguments_(fake, path.join(temporaryFolder(), "lake")), "--api-port", "0", "--ui-port", "0",
			"--log-format", "json"];
		const child = spawn("sh", ["-c", `trap "" ${signal.slice(3)}; exec "$@"`, "sh", process.env.OCTOLAKE_BIN!,
			...args], { env: { ...process.env, ...ENV }, stdio: ["ignore", "ignore", "pipe"] });
		context.after(() => child.kill("SIGKILL"));
		let logged = "";
		child.stderr.setEncoding("utf8").on("data", (text: string) => (logged += text));
		await waitFor(() => logged.includes('"event":"listening"'), 60_000, "listening");
		const api = /"api":"([^"]+)"/.exec(logged)![1];
		child.kill(signal);
		await sleep(500);
		assert.equal(child.exitCode, null, logged.slice(-2000));
		assert.equal((await getJson(`${api}/api/v1/pipeline`)).mode, "live");
		const ended = new Promise((resolve) => child.on("close", resolve));
		child.kill("SIGTERM");
		assert.equal(await ended, 0, logged.slice(-2000));
	});
