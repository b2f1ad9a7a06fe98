// SPDX-License-Identifier: Apache-2.0
// Bare systems to try a first run in: folders made by mmdebstrap, laid under an overlay for each case,
// entered in mount and process namespaces of their own, so that nothing stays mounted or running.
// How this machine reaches its package registries (apt's sources and options, certificates, npm's
// registry, proxies) is passed on, and nothing else of it.
import { execFileSync, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const certificates = "/usr/local/share/ca-certificates";
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const codenames = { 12: "bookworm", 13: "trixie" };

// What a shell inside is started by. The variables come from Machine.run.
const enter = `
set -eu
cd "$CASE"
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=upper,workdir=work" root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount --bind "$ARCHIVES" root/var/cache/apt/archives
mkdir -p root/var/cache/ccache
mount --bind "$ARCHIVES/../ccache" root/var/cache/ccache
[ "$NETWORK" = host ] || ip link set lo up
group=$(sed -n "s/^$WHO:x:[0-9]*:\\([0-9]*\\):.*/\\1/p" root/etc/passwd)
exec chroot root setpriv --reuid "$WHO" --regid "$group" --init-groups "$@"
`;

function output(program, ...args) {
	return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

// apt's sources of this machine for another release of Debian; none when it is no Debian.
function debianSources(codename) {
	const own = /^VERSION_CODENAME=(\w+)/m.exec(fs.readFileSync("/etc/os-release", "utf8"))?.[1];
	const rows = output("apt-get", "indextargets", "--format",
		"$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages");
	return [...new Set(rows.split("\n"))]
		.map((row) => row.split(" "))
		.filter(([origin, , release]) => origin === "Debian" && release.startsWith(own))
		.map(([, uri, release, component]) => `deb ${uri} ${release.replace(own, codename)} ${component}`)
		.sort()
		.join("\n");
}

// Proxies, checks of dates and the like.
function aptOptions() {
	const folder = "/etc/apt/apt.conf.d";
	return fs.readdirSync(folder)
		.map((name) => path.join(folder, name))
		.filter((file) => /^\s*Acquire/m.test(fs.readFileSync(file, "utf8")))
		.map((file) => `--aptopt=${file}`);
}

function copyCertificates(root) {
	if (!fs.existsSync(certificates))
		return;
	fs.cpSync(certificates, path.join(root, certificates), { recursive: true });
}

// The environment of every command inside.
function registryEnvironment() {
	const found = { CCACHE_DIR: "/var/cache/ccache", CCACHE_UMASK: "000", CCACHE_BASEDIR: "/home/dev", CCACHE_NOHASHDIR: "1" };
	for (const name of ["http_proxy", "https_proxy", "no_proxy"])
		if (process.env[name])
			found[name] = process.env[name];
	found.npm_config_registry = output("npm", "config", "get", "registry").trim();
	// For a Node that comes with certificates of its own.
	if (fs.existsSync(certificates) && fs.readdirSync(certificates).length > 0)
		found.NODE_EXTRA_CA_CERTS = found.PIP_CERT = "/etc/ssl/certs/ca-certificates.crt";
	return found;
}

export class Chroots {
	// `folder` keeps what was made; `source` is the repository whose committed state is tried.
	constructor(folder, source) {
		this.folder = folder;
		this.source = source;
		this.environment = registryEnvironment();
		this.archives = path.join(folder, "archives");
		fs.mkdirSync(path.join(this.archives, "partial"), { recursive: true });
		fs.mkdirSync(path.join(folder, "ccache"), { recursive: true });
		fs.chmodSync(path.join(folder, "ccache"), 0o777);
	}

	#commit() {
		return output("git", "-C", this.source, "rev-parse", "HEAD").trim();
	}

	#base(release) {
		const base = path.join(this.folder, `debian-${release}`);
		if (fs.existsSync(base))
			return base;
		const draft = fs.mkdtempSync(path.join(this.folder, "draft-"));
		const sources = debianSources(codenames[release]);
		console.error(`making a bare Debian ${release} (mmdebstrap)`);
		execFileSync("mmdebstrap", ["--quiet", "--mode=root", "--variant=minbase", ...aptOptions(),
			codenames[release], draft, ...(sources ? ["-"] : [])],
		{ input: sources, stdio: ["pipe", "inherit", "inherit"] });
		copyCertificates(draft);
		for (const name of ["/etc/resolv.conf", "/etc/hosts"])
			fs.copyFileSync(name, path.join(draft, name));
		execFileSync("chroot", [draft, "useradd", "--create-home", "--shell", "/bin/sh", "dev"]);
		// As images of containers have it: no wait for the disk after each package.
		fs.writeFileSync(path.join(draft, "etc/dpkg/dpkg.cfg.d/try-clean"), "force-unsafe-io\n");
		fs.rmSync(path.join(draft, "var/cache/apt/archives"), { recursive: true });
		fs.mkdirSync(path.join(draft, "var/cache/apt/archives"));
		fs.chmodSync(draft, 0o755);
		fs.renameSync(draft, base);
		return base;
	}

	// A system on which `script` has run as root in a fresh clone, which stays there or not; kept while
	// key stays the same.
	async #layer(name, key, lowers, script, keepsClone) {
		const folder = path.join(this.folder, name);
		const stamp = path.join(folder, "key");
		if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === key)
			return path.join(folder, "upper");
		console.error(`making ${name}`);
		const machine = this.#machine(name, lowers);
		const result = await machine.run(script, { user: "root" });
		if (result.code !== 0)
			throw new Error(`${name}: ${result.output}`);
		if (!keepsClone)
			fs.rmSync(path.join(folder, "upper", machine.home), { recursive: true });
		fs.writeFileSync(stamp, key);
		return path.join(folder, "upper");
	}

	#machine(name, lowers) {
		return new Machine(this, path.join(this.folder, name), lowers);
	}

	// A machine of its own for a case, which starts as: "bare"; "packages": what ./run needs of apt is
	// there, and a ccache that all cases share, to be quick; "built": and ./run --build-only has been run, by dev.
	async machine(name, release, start) {
		let lowers = [this.#base(release)];
		const hash = crypto.createHash("sha256");
		for (const file of ["tools/packages.txt", "tools/install_packages"])
			hash.update(fs.readFileSync(path.join(this.source, file)));
		if (start !== "bare")
			lowers = [await this.#layer(`packages-${release}`, hash.digest("hex"), lowers,
				"tools/install_packages build && apt-get install -y -qq --no-install-recommends ccache", false), ...lowers];
		if (start === "built")
			lowers = [await this.#layer(`built-${release}`, this.#commit(), lowers,
				"./run --build-only && chown -R dev: .", true), ...lowers];
		return this.#machine(`cases/${name}`, lowers);
	}
}

export class Machine {
	constructor(chroots, folder, lowers) {
		this.chroots = chroots;
		this.folder = folder;
		this.lowers = lowers;
		this.home = "/home/dev/octolake";
		fs.rmSync(folder, { recursive: true, force: true });
		for (const name of ["upper", "work", "root"])
			fs.mkdirSync(path.join(folder, name), { recursive: true });
		fs.mkdirSync(this.#inside("/home/dev"), { recursive: true });
		fs.chownSync(this.#inside("/home/dev"), 1000, 1000);
		if (!lowers.some((lower) => fs.existsSync(path.join(lower, this.home))))
			this.clone(this.home);
	}

	#inside(file) {
		return path.join(this.folder, "upper", file);
	}

	// The committed state of the source, dev's own.
	clone(home) {
		output("git", "clone", "--quiet", "--no-hardlinks", this.chroots.source, this.#inside(home));
		execFileSync("chown", ["-R", "1000:1000", this.#inside(home)]);
		this.home = home;
	}

	// Runs `script` with sh in the clone. Options: user (dev), env, network ("host" or "none"),
	// seconds (1800). Gives {code, output}: both streams as they came; code 124 when it took too long.
	run(script, { user = "dev", env = {}, network = "host", seconds = 1800 } = {}) {
		const variables = {
			PATH: systemPath, HOME: user === "root" ? "/root" : `/home/${user}`, LANG: "C.UTF-8", USER: user,
			...this.chroots.environment, ...env,
		};
		const inside = ["env", "-i", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
			"timeout", "-k", "10", `${seconds}`, "sh", "-c", `cd '${this.home}' || exit\n${script}`];
		const child = spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child",
			...(network === "none" ? ["--net"] : []), "sh", "-c", enter, "enter", ...inside], {
			env: {
				...process.env, CASE: this.folder, WHO: user, NETWORK: network, ARCHIVES: this.chroots.archives,
				LOWER: this.lowers.map((lower) => path.relative(this.folder, lower)).join(":"),
			},
			stdio: ["ignore", "pipe", "pipe"],
		});
		let text = "";
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding("utf8").on("data", (data) => {
				text += data;
				fs.appendFileSync(path.join(this.folder, "log"), data);
			});
		return new Promise((resolve) => child.on("close", (code) => resolve({ code, output: text })));
	}

	// The same, as root.
	root(script, options = {}) {
		return this.run(script, { ...options, user: "root" });
	}

	// Frees the space; the log stays.
	discard() {
		for (const name of ["upper", "work"])
			fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
	}
}
