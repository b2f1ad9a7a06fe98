// SPDX-License-Identifier: Apache-2.0
// tools/try-container [--no-build]: builds the image with buildah as the Dockerfile says and runs it with
// podman as the README says: ports, health, LIVE=true and LIVE=false, recreation on the same volume, the
// user, a read-only root, a stop, a folder of somebody else. Root is needed, a registry or a daemon is not:
// where the base image cannot be pulled it is made with mmdebstrap. How this machine reaches its packages
// (apt's settings, a certificate of its own) is mounted for the build and does not reach the image.
// The containers have no network of the outside: they talk to the fake GitHub that the image has for its
// demo. Prints a table; leaves with 0, 1 when a case failed, 77 when the tools for it are missing.
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const image = "gh-events";
const base = "docker.io/library/debian:12-slim";
const user = 10001;
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "octolake-container-"));
const volume = `octolake-try-${process.pid}`;
const containers = [];
const rows = [];

const has = (program) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const runtime = ["runc", "crun"].find(has);
// Both must look into the same store: buildah's choice where it works, else the one that always does.
const info = spawnSync("buildah", ["info"], { encoding: "utf8" });
const driver = info.status === 0 ? JSON.parse(info.stdout).store.GraphDriverName : "vfs";
const storage = ["--storage-driver", driver];
const podmanFlags = [...storage, "--cgroup-manager", "cgroupfs", "--runtime", runtime ?? "runc"];
const buildahFlags = storage;

function run(program, args, options = {}) {
	const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, ...options });
	return { code: done.status, out: done.stdout ?? "", err: done.stderr ?? "" };
}

function must(program, args, options = {}) {
	const done = run(program, args, options);
	if (done.code !== 0)
		throw new Error(`${program} ${args.join(" ")}: ${done.code}\n${done.out.slice(-2000)}${done.err.slice(-4000)}`);
	return done.out.trim();
}

const podman = (...args) => run("podman", [...podmanFlags, ...args]);

// Of "run": limits that need no right to raise any, and no timer for the health check where there is no
// systemd to keep it.
const runFlags = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096",
	...(fs.existsSync("/run/systemd/system") ? [] : ["--health-interval", "disable"])];
const once = (...args) => podman("run", "--rm", ...runFlags, "--network", "none", ...args);

function check(condition, what) {
	if (!condition)
		throw new Error(what);
}

async function until(ask, what, ms = 60_000) {
	const end = Date.now() + ms;
	let last = "";
	while (Date.now() < end) {
		try {
			const answer = await ask();
			if (answer)
				return answer;
		} catch (error) {
			last = String(error.message ?? error).slice(0, 300);
		}
		await sleep(200);
	}
	throw new Error(`${what}: not within ${ms} ms ${last}`);
}

// ---- the image ----

function makeBase() {
	if (run("buildah", [...buildahFlags, "inspect", "--type", "image", base]).code === 0)
		return "there";
	if (run("buildah", [...buildahFlags, "pull", base], { timeout: 60_000 }).code === 0)
		return "pulled";
	if (!has("mmdebstrap"))
		throw new Error(`${base} cannot be pulled, and there is no mmdebstrap to make it`);
	const tar = path.join(scratch, "base.tar");
	const left_out = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info"];
	must("mmdebstrap", ["--variant=minbase", ...left_out.map((folder) => `--dpkgopt=path-exclude=/${folder}/*`),
		"bookworm", tar]);
	const container = must("buildah", [...buildahFlags, "from", "scratch"]).split("\n").at(-1);
	must("buildah", [...buildahFlags, "add", "-q", container, tar, "/"]);
	must("buildah", [...buildahFlags, "commit", "-q", "--rm", container, base]);
	return "made with mmdebstrap";
}

// What the build needs of this machine, mounted into its steps.
function hostMounts() {
	const mounts = [];
	const mount = (name, content, at) => {
		fs.writeFileSync(path.join(scratch, name), content);
		mounts.push("--volume", `${path.join(scratch, name)}:${at}:ro`);
	};
	if (has("apt-config")) {
		const settings = must("apt-config", ["dump"]).split("\n")
			.filter((line) => /^Acquire::(Check|https?)/.test(line) && !line.includes("@"));
		mount("apt.conf", settings.join("\n") + "\n", "/etc/apt/apt.conf.d/99host");
	}
	const certificates = process.env.NODE_EXTRA_CA_CERTS;
	if (certificates && fs.existsSync(certificates)) {
		mount("ca.crt", fs.readFileSync(certificates), "/host-ca.crt");
		mount("npmrc", "cafile=/host-ca.crt\n", "/root/.npmrc");
	}
	return mounts;
}

function build() {
	const made = makeBase();
	const started = Date.now();
	must("buildah", [...buildahFlags, "bud", "--isolation", "chroot", "--network", "host", "--format", "docker",
		"--layers", "--pull-never", ...hostMounts(), "-t", image, "."], { cwd: root });
	const seconds = Math.round((Date.now() - started) / 1000);
	return `${seconds} s; base image ${made}`;
}

function describe() {
	const about = JSON.parse(must("podman", [...podmanFlags, "image", "inspect", image]))[0];
	const config = about.Config;
	check(config.User === `${user}:${user}`, `user ${config.User}`);
	check(Object.keys(config.Volumes ?? {}).includes("/data"), "no volume /data");
	check(config.Env.includes("OCTOLAKE_LISTEN=0.0.0.0"), "no explicit listen address");
	check(config.Env.every((entry) => !/^(NODE_|npm_|https?_proxy)/i.test(entry)), "settings of the build machine");
	check((about.Healthcheck ?? config.Healthcheck)?.Test?.join(" ") === "CMD octolake health", "no health check");
	for (const left of ["/host-ca.crt", "/etc/apt/apt.conf.d/99host", "/root/.npmrc", "/src", "/usr/bin/cc"])
		check(once("--entrypoint", "/bin/sh", image, "-c",
			`test ! -s ${left}`).code === 0, `${left} is in the image`);
	return `${Math.round(about.Size / 1e6)} MB`;
}

// ---- containers ----

// An address that is not the loopback, as that to which a published port leads (192.0.2.0/24 is for tests).
const address = "192.0.2.1";

function start(name, args) {
	containers.push(name);
	must("podman", [...podmanFlags, "run", "-d", ...runFlags, "--name", name, ...args]);
}

const pidOf = (name) => Number(must("podman", [...podmanFlags, "inspect", "--format", "{{.State.Pid}}", name]));
const logsOf = (name) => {
	const { out, err } = podman("logs", name);
	return out + err;
};

// A GET from within the network of a container, at its address as a published port reaches it.
function get(name, url) {
	const script = `fetch(${JSON.stringify(url)}).then(async (a) => { console.log(a.status); console.log(await a.text()); })`;
	const out = must("nsenter", ["-n", "-t", String(pidOf(name)), process.execPath, "-e", script]);
	const newline = out.indexOf("\n");
	return { status: Number(out.slice(0, newline)), text: out.slice(newline + 1) };
}

async function awaitPorts(name) {
	await until(() => get(name, "http://127.0.0.1:9000/readyz").status === 200, "the API on port 9000");
	check(get(name, "http://127.0.0.1:9000/docs").text.includes("<html"), "no API page");
	for (const host of ["127.0.0.1", address])
		check(/<title>[^<]*octolake/i.test(get(name, `http://${host}:8501/`).text), `no dashboard on ${host}:8501`);
}

const lake = (name) => JSON.parse(get(name, "http://127.0.0.1:9000/api/v1/pipeline").text);
const goldRows = (name) => lake(name).layers.gold.rows;

function stop(name) {
	const started = Date.now();
	must("podman", [...podmanFlags, "stop", "-t", "15", name]);
	const code = Number(must("podman", [...podmanFlags, "inspect", "--format", "{{.State.ExitCode}}", name]));
	check(code === 0, `exit code ${code} after SIGTERM`);
	return Date.now() - started;
}

const feed = "octolake-try-feed";
const hardened = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
const common = ["--network", `container:${feed}`, "-e", "OCTOLAKE_API_URL=http://127.0.0.1:8000",
	"-e", "GITHUB_TOKEN=of-the-test", "-v", `${volume}:/data`];

async function live() {
	start("octolake-try-live", [...common, ...hardened, "-e", "LIVE=true", image]);
	await awaitPorts("octolake-try-live");
	await until(() => goldRows("octolake-try-live") >= 300, "events in the lake");
	check(/open to everyone who reaches this address/.test(logsOf("octolake-try-live")), "the public bind is not said");
	const status = fs.readFileSync(`/proc/${pidOf("octolake-try-live")}/status`, "utf8");
	check(new RegExp(`^Uid:\\s+${user}\\s+${user}`, "m").test(status), "another user than 10001");
	check(/^CapEff:\s+0+$/m.test(status), "capabilities");
	return `${goldRows("octolake-try-live")} events, uid ${user}, read-only root, no capabilities`;
}

function health() {
	const good = podman("exec", "octolake-try-live", "octolake", "health");
	check(good.code === 0 && /healthz ok/.test(good.out), `octolake health: ${good.code} ${good.err}`);
	check(podman("healthcheck", "run", "octolake-try-live").code === 0, "podman healthcheck run");
	const none = once(image, "health");
	check(none.code === 1, `octolake health without a server: ${none.code}`);
	return "healthy; 1 without a server";
}

async function recreate() {
	const ms = stop("octolake-try-live");
	must("podman", [...podmanFlags, "rm", "octolake-try-live"]);
	const lines = once("-v", `${volume}:/data`, image, "cat").out.trim().split("\n").length;
	start("octolake-try-again", [...common, image, "serve"]);
	await awaitPorts("octolake-try-again");
	const count = goldRows("octolake-try-again");
	check(lake("octolake-try-again").ledger.balanced, "the ledger does not add up");
	stop("octolake-try-again");
	check(count === lines && lines >= 300, `${count} rows after recreation, ${lines} lines of bronze`);
	return `${count} events in a new container; a stop took ${ms} ms`;
}

async function batch() {
	start("octolake-try-batch", [...common.slice(0, -2), "-e", "LIVE=false", "-e", "OCTOLAKE_DURATION=3s", image]);
	await until(() => /batch done/.test(logsOf("octolake-try-batch")), "the end of the batch");
	await awaitPorts("octolake-try-batch");
	check(goldRows("octolake-try-batch") > 0, "no events");
	check(stop("octolake-try-batch") < 12_000, "a stop takes too long");
	return "batch ends, API and dashboard stay";
}

function foreignFolder() {
	const folder = path.join(scratch, "of-root");
	fs.mkdirSync(folder, { mode: 0o755 });
	const refused = once("-v", `${folder}:/data`, image);
	check(refused.code === 1, `exit code ${refused.code}: ${refused.err}`);
	check(refused.err.includes(`chown -R ${user}:${user}`), `no instruction: ${refused.err}`);
	execFileSync("chown", ["-R", `${user}:${user}`, folder]);
	const taken = once("-v", `${folder}:/data`, image, "transform");
	check(taken.code === 0, `after chown: ${taken.code} ${taken.err}`);
	return "refused with one instruction, which works";
}

async function tryCase(name, body) {
	try {
		rows.push([name, "ok", await body()]);
	} catch (error) {
		rows.push([name, "FAILED", String(error.message ?? error)]);
		for (const container of containers)
			console.error(`-- ${container}\n${logsOf(container).slice(-1500)}`);
	}
	const [, outcome, what] = rows.at(-1);
	console.log(`${name.padEnd(34)} ${outcome.padEnd(7)} ${what}`);
}

function cleanUp() {
	for (const name of [...containers].reverse())
		podman("rm", "-f", "-t", "1", name);
	podman("volume", "rm", "-f", volume);
	fs.rmSync(scratch, { recursive: true, force: true });
}

async function main() {
	const missing = ["buildah", "podman", "nsenter", "ip"].filter((program) => !has(program));
	if (missing.length > 0 || !runtime || process.getuid() !== 0) {
		console.log(`try-container: skipped: ${missing.length > 0 ? `no ${missing.join(", no ")}`
			: runtime ? "root is needed" : "no runc or crun"}`);
		cleanUp();
		process.exitCode = 77;
		return;
	}
	process.on("SIGINT", () => process.exit(130));
	process.on("exit", cleanUp);
	if (!process.argv.includes("--no-build"))
		await tryCase("docker build -t gh-events .", build);
	await tryCase("what the image says and holds", describe);
	start(feed, ["--network", "none", "--entrypoint", "octolake-fake-github", image, "--port", "8000",
		"--synthetic", "7", "--rate", "20", "--backlog", "300", "--poll-interval", "1", "--limit-token", "1000000"]);
	must("nsenter", ["-n", "-t", String(pidOf(feed)), "ip", "address", "add", `${address}/32`, "dev", "lo"]);
	await tryCase("docker run -e LIVE=true, hardened", live);
	await tryCase("health check", health);
	await tryCase("recreated on the same volume", recreate);
	await tryCase("docker run -e LIVE=false", batch);
	await tryCase("/data of somebody else", foreignFolder);
	process.exitCode = rows.every(([, outcome]) => outcome === "ok") ? 0 : 1;
}

await main();
