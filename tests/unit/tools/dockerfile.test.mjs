// SPDX-License-Identifier: Apache-2.0
// What can be said of the Dockerfile without building it (tools/try-container does): what it copies is
// there, its packages are those of every other build, and it says what the README says it does.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const read = (name) => fs.readFileSync(path.join(root, name), "utf8");
const instructions = read("Dockerfile").replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, "").split("\n").filter(Boolean)
	.map((line) => ({ name: line.split(" ")[0], text: line.slice(line.indexOf(" ") + 1) }));
const all = (name) => instructions.filter((one) => one.name === name).map((one) => one.text);
const ignored = read(".dockerignore").split("\n").filter((line) => line && !line.startsWith("#"));

test("docker and podman find the same file", () => {
	assert.equal(fs.readlinkSync(path.join(root, "Containerfile")), "Dockerfile");
});

test("what is copied from the sources is there and not ignored", () => {
	for (const copy of all("COPY").filter((text) => !text.startsWith("--from"))) {
		const sources = copy.split(" ").slice(0, -1);
		for (const source of sources) {
			assert.ok(fs.existsSync(path.join(root, source)), source);
			assert.ok(!ignored.includes(source.split("/")[0]), `${source} is in .dockerignore`);
		}
	}
	for (const made of read(".gitignore").split("\n").filter((line) => /^\/\w/.test(line)))
		assert.ok(ignored.includes(made.replaceAll("/", "")), `${made} is not in .dockerignore`);
});

test("scripts that run before the sources are there have all that they read", () => {
	const copied = all("COPY").filter((text) => !text.startsWith("--from")).flatMap((text) => text.split(" ").slice(0, -1));
	for (const script of copied.filter((name) => /^tools\/\w+$/.test(name)))
		for (const [, name] of read(script).matchAll(/^\s*\. ".*\/([\w.]+)"$/gm))
			assert.ok(copied.includes(`tools/${name}`), `${script} reads tools/${name}`);
});

test("build packages come from tools/packages.txt alone, none of them stays", () => {
	const listed = read("tools/packages.txt").split("\n").filter((line) => /^\w/.test(line))
		.flatMap((line) => line.split(" ")[1].split("|"));
	const stages = read("Dockerfile").split(/^FROM /m).slice(1);
	assert.equal(stages.length, 2);
	assert.ok(!/apt-get/.test(stages[0]) && /tools\/install_packages build/.test(stages[0]));
	for (const name of listed.filter((one) => one !== "ca-certificates"))
		assert.ok(!new RegExp(`(^|\\s)${name.replace(/[.+]/g, "\\$&")}(\\s|$)`, "m").test(stages[1]), name);
});

test("the image is safe where it can be, and says where it is open", () => {
	assert.match(all("USER").at(-1), /^[1-9]\d*:[1-9]\d*$/);
	const settings = Object.fromEntries(all("ENV").join(" ").split(/\s+/).map((pair) => pair.split("=")));
	assert.equal(settings.OCTOLAKE_LISTEN, "0.0.0.0");
	assert.equal(settings.OCTOLAKE_DATA, all("VOLUME")[0]);
	assert.deepEqual(all("EXPOSE"), ["9000 8501"]);
	assert.match(all("HEALTHCHECK")[0], /CMD \["octolake", "health"\]$/);
	assert.match(all("ENTRYPOINT")[0], /^\["octolake"\]$/, "no shell between: the program itself gets the signals");
});

test("every name in the image's environment is a setting", () => {
	const options = [...read("src/app/config_table.c").matchAll(/= \{"([a-z-]+)"/g)].map((found) => found[1]);
	const known = ["LIVE", "PATH", ...options.map((name) => `OCTOLAKE_${name.toUpperCase().replaceAll("-", "_")}`)];
	for (const pair of all("ENV").join(" ").split(/\s+/))
		assert.ok(known.includes(pair.split("=")[0]), pair);
});

test("the compose file publishes on the loopback, keeps the lake and drops rights", () => {
	const compose = read("compose.yaml");
	assert.match(compose, /"127\.0\.0\.1:9000:9000"/);
	assert.match(compose, /"127\.0\.0\.1:8501:8501"/);
	assert.match(compose, /- octolake:\/data/);
	assert.match(compose, /read_only: true/);
	assert.match(compose, /cap_drop: \[ALL\]/);
});
