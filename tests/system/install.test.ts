// SPDX-License-Identifier: Apache-2.0
// `cmake --install` yields a tree that still runs after it was moved, with its own copy of the engine.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

test("an installed prefix can be moved", (context) => {
	const build = process.env.OCTOLAKE_BUILD_DIR;
	assert.ok(build, "run by ctest");
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "octolake-test-"));
	context.after(() => fs.rmSync(folder, { recursive: true }));

	const first = path.join(folder, "first place");
	const second = path.join(folder, "second place");
	execFileSync("cmake", ["--install", build, "--prefix", first], { stdio: "pipe" });
	fs.renameSync(first, second);

	const binary = path.join(second, "bin", "octolake");
	assert.match(execFileSync(binary, ["--version"], { encoding: "utf8" }), /\d+\.\d+\.\d+/);
	const libraries = execFileSync("ldd", [binary], { encoding: "utf8" });
	const engine = libraries.split("\n").find((line) => line.includes("libduckdb.so"));
	assert.ok(engine?.includes(`${fs.realpathSync(second)}/`) || engine?.includes(second), engine);
});
