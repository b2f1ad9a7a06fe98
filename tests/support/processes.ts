// SPDX-License-Identifier: Apache-2.0
// The built programs as tests drive them: started with an environment and a folder of their own,
// watched through their log lines and HTTP, ended with the test. Nothing here outlives the test
// process. A sanitizer's report of any program started here fails whoever ends or awaits it.
import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export interface LogLine {
	at: string;
	level: string;
	event: string;
	[key: string]: unknown;
}

export interface Exit {
	code: number | null;
	signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
	stdout: string;
	stderr: string;
	logs: LogLine[];
}

export interface Options {
	/** Added to a small clean environment; undefined takes a variable out of it. */
	env?: Record<string, string | undefined>;
	/** Default: an empty temporary folder, so that no settings or metric file is found by chance. */
	cwd?: string;
	/** runOctolake: the program is killed and the call throws after so long (default 120 s). */
	wait_ms?: number;
	/** Takes what comes on stdout, which is then not kept. */
	on_stdout?: (text: string) => void;
	/** runOctolake: called with the process id once it runs. */
	started?: (pid: number) => void;
	/** runOctolake: SIGTERM a second after this event was logged: the program waits for better times. */
	stop_on?: string;
	/** startOctolake: do not wait until it listens. */
	at_once?: boolean;
	/** startOctolake: leave the data folder to octolake's own default, below `cwd`. */
	own_data?: boolean;
}

const START_WAIT_MS = 60_000;
const STOP_WAIT_MS = 20_000;
const STDERR_BYTES_MAX = 64 * 1024 * 1024;
const SANITIZER_REPORT = /ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error: /;
/** What sanitizers, the loader and Node need, and nothing that octolake reads. */
const KEPT_VARIABLES = ["PATH", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
	"LSAN_OPTIONS", "TSAN_OPTIONS"];

const children = new Set<ChildProcess>();
const folders = new Set<string>();

process.on("exit", () => {
	for (const child of children)
		child.kill("SIGKILL");
	if (!process.env.OCTOLAKE_KEEP_FOLDERS)
		for (const folder of folders)
			fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
	process.on(signal, () => process.exit(1));

/** An empty folder, removed when the test process ends (OCTOLAKE_KEEP_FOLDERS=1 keeps it). */
export function temporaryFolder(): string {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "octolake-test-"));
	folders.add(folder);
	return folder;
}

export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Calls `ask` until it gives something true, and gives that; after `ms` throws, saying the last answer or
 * error. What `ask` throws counts as "not yet". Asks every `every_ms`. */
export async function waitFor<T>(ask: () => T | Promise<T>, ms: number, what = "condition", every_ms = 50):
	Promise<T> {
	const end = Date.now() + ms;
	let last: unknown;
	for (;;) {
		try {
			const answer = await ask();
			if (answer)
				return answer;
			last = answer;
		} catch (error) {
			last = error;
		}
		if (Date.now() > end)
			throw new Error(`${what}: not within ${ms} ms; last: ${String(last)}`);
		await sleep(every_ms);
	}
}

export interface Answer {
	status: number;
	headers: Headers;
	text: string;
}

/** One GET, whatever the status. */
export async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
	const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(60_000) });
	return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The JSON behind a URL; any status but 200 throws. */
export async function getJson<T = any>(url: string): Promise<T> {
	const answer = await get(url);
	if (answer.status !== 200)
		throw new Error(`${url}: ${answer.status} ${answer.text.slice(0, 500)}`);
	return JSON.parse(answer.text) as T;
}

export function programPath(variable: "OCTOLAKE_BIN" | "OCTOLAKE_FAKE"): string {
	const program = process.env[variable];
	if (!program)
		throw new Error(`${variable} must name the built program (ctest sets it)`);
	return program;
}

function environment(added: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
	const result: NodeJS.ProcessEnv = { HOME: "/nonexistent" };
	for (const name of KEPT_VARIABLES)
		if (process.env[name] !== undefined)
			result[name] = process.env[name];
	for (const [name, value] of Object.entries(added))
		if (value === undefined)
			delete result[name];
		else
			result[name] = value;
	return result;
}

/** A program that runs: its output so far and its end. */
export class Running {
	readonly child: ChildProcess;
	readonly logs: LogLine[] = [];
	readonly exited: Promise<Exit>;
	exit: Exit | null = null;
	stdout = "";
	stderr = "";
	private line_rest = "";

	constructor(program: string, args: string[], options: Options) {
		this.child = spawn(program, args, {
			cwd: options.cwd ?? temporaryFolder(),
			env: environment(options.env),
			stdio: ["ignore", "pipe", "pipe"],
		});
		children.add(this.child);
		const take_stdout = options.on_stdout ?? ((text: string) => (this.stdout += text));
		this.child.stdout!.setEncoding("utf8").on("data", take_stdout);
		this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.takeStderr(text));
		this.exited = new Promise((resolve, reject) => {
			this.child.on("error", reject);
			this.child.on("close", (code, signal) => {
				children.delete(this.child);
				this.exit = { code, signal };
				resolve(this.exit);
			});
		});
		this.exited.catch(() => undefined);
	}

	get pid(): number {
		return this.child.pid!;
	}

	get exitCode(): number | null {
		return this.exit?.code ?? null;
	}

	/** The first log line, past or to come, of that event or for which the function is true. */
	async waitForLog(wanted: string | ((line: LogLine) => boolean), ms = 30_000): Promise<LogLine> {
		const fits = typeof wanted === "string" ? (line: LogLine) => line.event === wanted : wanted;
		let seen = 0;
		const end = Date.now() + ms;
		for (;;) {
			for (; seen < this.logs.length; seen++)
				if (fits(this.logs[seen]))
					return this.logs[seen];
			if (this.exit || Date.now() > end)
				throw new Error(`no log line ${String(wanted)} `
					+ `(${this.exit ? `ended with ${JSON.stringify(this.exit)}` : `${ms} ms`})\n`
					+ this.stderr.slice(-4000));
			await sleep(20);
		}
	}

	/** Sends the signal and waits for the end; a program still there after 20 s is killed, which throws.
	 * Of one that ended before, gives that end. */
	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
		if (this.exit)
			return this.exit;
		this.child.kill(signal);
		const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_WAIT_MS);
		const exit = await this.exited;
		clearTimeout(timer);
		this.assertClean();
		if (exit.signal === "SIGKILL" && signal !== "SIGKILL")
			throw new Error(`did not end on ${signal} within ${STOP_WAIT_MS} ms\n${this.stderr.slice(-4000)}`);
		return exit;
	}

	assertClean(): void {
		const report = SANITIZER_REPORT.exec(this.stderr);
		if (report)
			throw new Error(`sanitizer report:\n${this.stderr.slice(report.index, report.index + 6000)}`);
	}

	private takeStderr(text: string): void {
		if (this.stderr.length < STDERR_BYTES_MAX)
			this.stderr += text;
		const lines = (this.line_rest + text).split("\n");
		this.line_rest = lines.pop()!;
		for (const line of lines)
			if (line.startsWith("{"))
				try {
					this.logs.push(JSON.parse(line) as LogLine);
				} catch {
					throw new Error(`log line that is no JSON: ${line}`);
				}
	}
}

export class Octolake extends Running {
	/** Base URLs without a slash at the end; empty until it listens. */
	api = "";
	ui = "";
	/** Its data folder; empty when it chose one itself. */
	readonly data: string;

	constructor(args: string[], options: Options) {
		const index = args.indexOf("--data");
		const data = index >= 0 ? args[index + 1] : options.own_data ? "" : path.join(temporaryFolder(), "lake");
		super(programPath("OCTOLAKE_BIN"), index >= 0 || !data ? args : [...args, "--data", data], options);
		this.data = data;
	}
}

function withDefaults(args: string[]): string[] {
	const result = [...args];
	for (const option of ["--api-port", "--ui-port"])
		if (!args.includes(option))
			result.push(option, "0");
	if (!args.includes("--log-format"))
		result.push("--log-format", "json");
	return result;
}

/** Starts octolake with free ports, JSON logs and, unless --data says otherwise, a new data folder; waits
 * until it listens. */
export async function startOctolake(args: string[], options: Options = {}): Promise<Octolake> {
	const octolake = new Octolake(withDefaults(args), options);
	if (options.at_once)
		return octolake;
	const line = await octolake.waitForLog("listening", START_WAIT_MS);
	octolake.api = String(line.api);
	octolake.ui = String(line.dashboard);
	return octolake;
}

/** Runs octolake to its end, whatever its exit code. JSON logs; nothing else is added to `args`. */
export async function runOctolake(args: string[], options: Options = {}): Promise<Finished> {
	const log_format = args.includes("--log-format") ? [] : ["--log-format", "json"];
	const running = new Running(programPath("OCTOLAKE_BIN"), [...args, ...log_format], options);
	options.started?.(running.child.pid!);
	const wait_ms = options.wait_ms ?? 120_000;
	let late = false;
	const timer = setTimeout(() => {
		late = true;
		running.child.kill("SIGKILL");
	}, wait_ms);
	const stopper = options.stop_on && running.waitForLog(options.stop_on, wait_ms).then(() => sleep(1000))
		.then(() => running.child.kill("SIGTERM")).catch(() => undefined);
	const exit = await running.exited;
	await stopper;
	clearTimeout(timer);
	running.assertClean();
	if (late)
		throw new Error(`octolake ${args.join(" ")}: not done within ${wait_ms} ms\n${running.stderr.slice(-4000)}`);
	return { ...exit, stdout: running.stdout, stderr: running.stderr, logs: running.logs };
}

/** What the fake GitHub says about itself (tools/fake_github/README.md). */
export interface Ledger {
	scenario: string | null;
	scenario_hits: number;
	request_count: number;
	served_events: number;
	unique_events: number;
	spoiled_events: number;
	spoiled_unique: number;
	conflicting_events: number;
	complete: boolean;
	per_type: Record<string, number>;
	violation_count: number;
	violations: { kind: string; seq: number; detail: string }[];
	requests: { seq: number; t_ms: number; target: string; stream: string; page: number; status: number;
		events: number; token: string; remaining: number; scenario: string | null; foreign: boolean }[];
	/** Only with keys=1: [id, type, created_at, repo id]. */
	keys?: [string, string, string, number][];
	feed: { kind: string; generated?: number; inserted?: number; quiet?: boolean;
		generated_keys?: [string, string, string, number][]; [key: string]: unknown };
}

export class Fake extends Running {
	url = "";

	constructor(args: string[], options: Options) {
		super(programPath("OCTOLAKE_FAKE"), args, options);
	}

	ledger(query = ""): Promise<Ledger> {
		return getJson<Ledger>(`${this.url}/_ledger${query ? `?${query}` : ""}`);
	}

	/** control("rate=0"): changes the fake while it runs. */
	async control(query: string): Promise<void> {
		const response = await fetch(`${this.url}/_control?${query}`, { method: "POST" });
		if (!response.ok)
			throw new Error(`control ${query}: ${response.status} ${await response.text()}`);
	}
}

/** Starts the fake GitHub on a free port and waits until it serves. */
export async function startFake(args: string[], options: Options = {}): Promise<Fake> {
	const fake = new Fake(args.includes("--port") ? args : ["--port", "0", ...args], options);
	fake.url = await waitFor(() => {
		if (fake.exit)
			throw new Error(`the fake ended: ${fake.stderr}`);
		return /http:\/\/[0-9.]+:\d+/.exec(fake.stdout)?.[0] ?? "";
	}, START_WAIT_MS, "address of the fake GitHub");
	return fake;
}
