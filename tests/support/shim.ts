// SPDX-License-Identifier: Apache-2.0
// The libraries that stand in front of the C library (tests/support/shim/shim.h), the program that opens
// what a crash left (tests/power_loss/), and a feed of which every event is known beforehand.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { temporaryFolder } from "./processes";

function built(name: string): string {
	const build = process.env.OCTOLAKE_BUILD_DIR;
	if (!build)
		throw new Error("OCTOLAKE_BUILD_DIR must name the build folder (ctest sets it)");
	return path.join(build, "tests", name);
}

/** True when the programs are built with a sanitizer, which replaces malloc itself. */
export function isSanitized(): boolean {
	return fs.readFileSync(process.env.OCTOLAKE_BIN!).includes("__asan_init")
		|| fs.readFileSync(process.env.OCTOLAKE_BIN!).includes("__tsan_init");
}

/** Environment that puts a library in front: `settings` FOLDER: "/x" becomes OCTOLAKE_SHIM_FOLDER. */
export function shimEnvironment(settings: Record<string, string>, library = "liboctolake_shim.so"):
	Record<string, string> {
	const env: Record<string, string> = {
		LD_PRELOAD: built(library),
		/* The library has to come first, which a sanitizer takes for a mistake. */
		ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:verify_asan_link_order=0:detect_leaks=0`,
	};
	for (const [name, value] of Object.entries(settings))
		env[`OCTOLAKE_SHIM_${name}`] = value;
	return env;
}

export interface Check {
	code: number;
	output: string;
}

/** Runs power_loss_check; its output is also in what it throws when it cannot do its work. */
export function runCheck(args: string[], wait_ms = 120_000): Check {
	const finished = spawnSync(built("power_loss_check"), args, { cwd: temporaryFolder(), encoding: "utf8",
		timeout: wait_ms, maxBuffer: 64 * 1024 * 1024,
		env: { ...process.env, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:detect_leaks=0` } });
	const output = finished.stderr + finished.stdout;
	assert.ok(finished.status === 0 || finished.status === 1, `power_loss_check ${args.join(" ")}: ${output}`);
	return { code: finished.status, output };
}

/** A folder in memory where there is one: thousands of states are written. */
export function memoryFolder(): string {
	const base = fs.existsSync("/dev/shm") ? "/dev/shm" : temporaryFolder();
	const folder = fs.mkdtempSync(path.join(base, "octolake-test-"));
	process.on("exit", () => process.env.OCTOLAKE_KEEP_FOLDERS || fs.rmSync(folder, { recursive: true, force: true }));
	return folder;
}

const TYPES = ["PushEvent", "WatchEvent", "PullRequestEvent", "IssuesEvent", "CreateEvent"];

function knownEvent(index: number): object {
	const type = TYPES[index % TYPES.length];
	/* Two days, so that there is more than one partition of a type. */
	const created_at = new Date(Date.UTC(2026, 8, 20, 22) + index * 60_000).toISOString().replace(".000Z", "Z");
	const payload = type === "PullRequestEvent" ? { action: "opened", number: index, pull_request: { id: index } }
		: type === "IssuesEvent" ? { action: "opened", issue: { number: index, title: `Title ${index}` } } : {};
	return { id: String(100_000 + index), type, actor: { id: index % 7, login: `user-${index % 7}` },
		repo: { id: index % 11, name: `owner/repo-${index % 11}` }, payload, public: true, created_at };
}

export interface KnownFeed {
	/** For the fake's --replay. */
	folder: string;
	/** For power_loss_check: "STATE KEY" lines. */
	served: string;
	state_count: number;
	event_count: number;
}

/** `state_count` states of a feed: each shows `fresh` new events and as many of the one before, and, when
 * `broken`, one element of its own that is no event. */
export function knownFeed(state_count: number, fresh: number, broken = false): KnownFeed {
	const folder = temporaryFolder();
	const served = path.join(temporaryFolder(), "served");
	const lines: string[] = [];
	for (let state = 0; state < state_count; state++) {
		const first = Math.max(0, (state - 1) * fresh);
		const events: object[] = [];
		for (let index = (state + 1) * fresh - 1; index >= first; index--)
			events.push(knownEvent(index));
		if (broken) {
			events.unshift({ id: `broken-${state}`, type: "PushEvent" });
			lines.push(`${state} !broken-${state}\n`);
		}
		fs.writeFileSync(path.join(folder, `${String(state).padStart(4, "0")}.json`), JSON.stringify(events));
		for (let index = state * fresh; index < (state + 1) * fresh; index++) {
			const event = knownEvent(index) as { id: string; type: string; created_at: string };
			lines.push(`${state} ${event.id}|${event.type}|${event.created_at}\n`);
		}
	}
	fs.writeFileSync(served, lines.join(""));
	return { folder, served, state_count, event_count: state_count * fresh };
}

export interface KnownFile {
	path: string;
	/** As in "STATE KEY" of a feed, without the state. */
	keys: string[];
}

/** A file of `count` known events from the `first` on, for an import; and one element that is no event. */
export function knownFile(name: string, first: number, count: number): KnownFile {
	const events = Array.from({ length: count }, (_, i) => knownEvent(first + i) as any);
	const broken = `broken-${name}`;
	const file = path.join(temporaryFolder(), name);
	fs.writeFileSync(file, [...events, { id: broken, type: "PushEvent" }].map((event) => `${JSON.stringify(event)}\n`)
		.join(""));
	return { path: file, keys: [`!${broken}`, ...events.map((event) => `${event.id}|${event.type}|${event.created_at}`)] };
}

/** Clocks of a program, moved while it runs (tests/support/shim/shim_time.c). */
export class Clocks {
	readonly env: Record<string, string>;
	private readonly file = path.join(temporaryFolder(), "clocks");
	private readonly ahead_ns = new BigInt64Array(2);

	constructor() {
		this.write();
		this.env = shimEnvironment({ CLOCK: this.file }, "liboctolake_shim_time.so");
	}

	/** Moves the wall clock and the monotonic one on, or the wall clock back. */
	move(wall_s: number, monotonic_s: number): void {
		this.ahead_ns[0] += BigInt(wall_s) * 1_000_000_000n;
		this.ahead_ns[1] += BigInt(monotonic_s) * 1_000_000_000n;
		this.write();
	}

	/** What the wall clock shows, as Date.now(). */
	now(): number {
		return Date.now() + Number(this.ahead_ns[0] / 1_000_000n);
	}

	/** In place: the program has it mapped. */
	private write(): void {
		const descriptor = fs.openSync(this.file, fs.constants.O_RDWR | fs.constants.O_CREAT);
		fs.writeSync(descriptor, new Uint8Array(this.ahead_ns.buffer), 0, 16, 0);
		fs.closeSync(descriptor);
	}
}
