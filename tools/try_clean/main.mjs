// SPDX-License-Identifier: Apache-2.0
// tools/try-clean: see `usage`.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cases, long } from "./cases.mjs";
import { Chroots } from "./chroots.mjs";

const usage = `tools/try-clean [--folder DIR] [--source DIR] [--keep] CASE... | all | long
First runs on machines that know nothing of Octolake: bare Debian 12 and 13, each case in a fresh copy,
each to end working or with one command to copy. Prints a table; leaves with 1 when a case ends otherwise.

  all            every case but those of "long"
  long           ./check on both systems, some minutes each
  --folder DIR   where systems, downloads and logs are kept [build/try-clean]; 2 GB
  --source DIR   the repository whose committed state is tried [this one]
  --keep         keep what a case leaves behind in DIR/cases/CASE/upper

Needs root, mmdebstrap, util-linux, iproute2, git, openssl, and package registries, which are reached as this machine
reaches them. What each case printed is in DIR/cases/CASE/log.

Cases:
`;

function stop(text) {
	console.error(`try-clean: ${text}`);
	process.exit(2);
}

function checkTools() {
	if (process.getuid() !== 0)
		stop("needs root, to make systems and to enter them: sudo tools/try-clean ...");
	for (const [tool, from] of [["mmdebstrap", "mmdebstrap"], ["unshare", "util-linux"], ["ip", "iproute2"],
		["dpkg-deb", "dpkg"], ["git", "git"], ["openssl", "openssl"]])
		try {
			execFileSync("which", [tool], { stdio: "ignore" });
		} catch {
			stop(`needs ${tool}: apt-get install ${from}`);
		}
}

async function runCase(one, chroots, keep) {
	const machine = await chroots.machine(one.name, one.release, one.start);
	const start = Date.now();
	let result = one.expected;
	let remark = "";
	try {
		remark = await one.run(machine);
	} catch (error) {
		result = "WRONG";
		console.error(`${one.name}: ${error.message}`);
	}
	if (!keep)
		machine.discard();
	return { ...one, result, remark, seconds: Math.round((Date.now() - start) / 1000) };
}

async function main() {
	const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			folder: { type: "string", default: path.join(root, "build/try-clean") },
			source: { type: "string", default: root },
			keep: { type: "boolean", default: false },
			help: { type: "boolean", short: "h", default: false },
		},
	});
	if (values.help || positionals.length === 0) {
		const rows = cases.map(({ name, done, expected }) => `  ${name.padEnd(17)}${done} (${expected})`);
		console.log(usage + rows.join("\n"));
		return;
	}
	const names = positionals.flatMap((name) => name === "long" ? long
		: name === "all" ? cases.map((one) => one.name).filter((one) => !long.includes(one)) : [name]);
	const chosen = names.map((name) => cases.find((one) => one.name === name) ?? stop(`no case is named ${name}`));
	checkTools();
	const folder = path.resolve(values.folder);
	fs.mkdirSync(folder, { recursive: true });
	const chroots = new Chroots(folder, path.resolve(values.source));

	console.log("| case | what was done | result | seconds |\n|---|---|---|---|");
	let wrong = 0;
	for (const one of chosen) {
		const { result, remark, seconds } = await runCase(one, chroots, values.keep);
		console.log(`| ${one.name} | ${one.done}${remark ? ` (${remark})` : ""} | ${result} | ${seconds} |`);
		wrong += result === "WRONG" ? 1 : 0;
	}
	console.log(`${chosen.length - wrong} passed, ${wrong} failed`);
	process.exitCode = wrong ? 1 : 0;
}

await main();
