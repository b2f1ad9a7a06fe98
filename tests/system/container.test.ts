// SPDX-License-Identifier: Apache-2.0
// What the image relies on, without an image: the health check that needs no other program, and what is
// said about a data folder of somebody else. The image itself: tools/try-container.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { runOctolake, startOctolake, temporaryFolder } from "../support/processes";

test("health asks the server that holds the data folder", async () => {
	const data = path.join(temporaryFolder(), "lake");
	const before = await runOctolake(["health", "--data", data]);
	assert.equal(before.code, 1);
	assert.match(before.stderr, /no octolake serves the data folder/);
	assert.ok(!fs.existsSync(data), "asking makes nothing");
	/* As in the image: on every address, found by the lock file alone. */
	const octolake = await startOctolake(["serve", "--data", data], { env: { OCTOLAKE_LISTEN: "0.0.0.0" } });
	await octolake.waitForLog("open to everyone who reaches this address");
	const good = await runOctolake(["health"], { env: { OCTOLAKE_DATA: data } });
	assert.equal(good.code, 0, good.stderr);
	assert.equal(good.stdout, `${octolake.api}/healthz ok\n`);
	assert.equal((await runOctolake(["health", "now", "--data", data])).code, 2);
	/* A server that hangs is not healthy, and is not waited for long. */
	process.kill(octolake.pid, "SIGSTOP");
	const started = Date.now();
	const hung = await runOctolake(["health", "--data", data]);
	process.kill(octolake.pid, "SIGCONT");
	assert.equal(hung.code, 1, hung.stdout);
	assert.ok(Date.now() - started < 15_000);
	await octolake.stop();
	assert.equal((await runOctolake(["health", "--data", data])).code, 1, "the lock file alone is no server");
});

test("a data folder of somebody else: whose it is and what to do", (context) => {
	const nobody = 65534;
	const is_root = process.getuid!() === 0;
	const folder = temporaryFolder();
	const data = path.join(folder, "lake");
	fs.chmodSync(folder, 0o755);
	fs.mkdirSync(data);
	fs.chmodSync(data, 0o555);
	const run = spawnSync(process.env.OCTOLAKE_BIN!, ["transform", "--data", data], {
		encoding: "utf8", cwd: folder, ...(is_root ? { uid: nobody, gid: nobody } : {}) });
	if (run.error || run.status === 127) {
		context.skip("user 65534 cannot reach the built program");
		return;
	}
	const owner = fs.statSync(data).uid;
	const user = is_root ? nobody : owner;
	assert.equal(run.status, 1, run.stderr);
	assert.match(run.stderr, new RegExp(`belongs to user ${owner}, and user ${user} may not write in it: `
		+ `as root, run \`chown -R ${user}:\\d+\` on it`));
});
