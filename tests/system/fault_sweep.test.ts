// SPDX-License-Identifier: Apache-2.0
// The n-th write, fsync, rename, open, … fails, for n over a whole cycle: poll, bronze, catalog, silver,
// gold, compaction; a rebuild; a query. The program says why or carries on, and the next run without
// faults has every event once. OCTOLAKE_FAULT_RUNS says how many n of each kind of fault are tried, spread
// over the cycle; 0 is every one, none is the short form: one n of some kinds, chosen by OCTOLAKE_FAULT_SEED.
// OCTOLAKE_FAULT_ONLY is a part of the names of kinds to try.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { filesBelow, ownMetrics, TOKEN } from "../support/lake";
import { badEnd, faultName, runWithFault, startStatelessFeed, type Fault } from "../support/failing_runs";
import { runOctolake } from "../support/processes";
import { isSanitized, knownFeed, memoryFolder, runCheck } from "../support/shim";

const RUNS = Number(process.env.OCTOLAKE_FAULT_RUNS ?? -1);
const SEED = Number(process.env.OCTOLAKE_FAULT_SEED ?? Date.now() % 1_000_000);
/** The short form tries one kind in so many. */
const KINDS_ONE_IN = 10;
const ONLY = process.env.OCTOLAKE_FAULT_ONLY ?? "";
const FEED = knownFeed(4, 8);

function both(kind: string, ...errors: string[]): Fault[] {
	return errors.flatMap((error) => [{ kind, error, lasting: false }, { kind, error, lasting: true }]);
}

const FILE_FAULTS: Fault[] = [...both("write", "ENOSPC", "EIO"), { kind: "write", error: "SHORT", lasting: false },
	...both("sync", "EIO"), ...both("rename", "EIO", "ENOSPC"), ...both("open", "EMFILE", "ENOSPC", "EACCES"),
	...both("truncate", "EIO"), ...both("unlink", "EIO"), ...both("mkdir", "ENOSPC")];
const MEMORY_FAULTS: Fault[] = ["", "libsqlite3", "libcurl", "libzstd", "libstdc++"].flatMap((object) =>
	[false, true].map((lasting) => ({ kind: "memory", error: "ENOMEM", lasting, object })));

interface Cycle {
	name: string;
	args: string[];
	/** A lake to start from; "" none. */
	from: string;
}

/** The n to try: spread evenly over the calls of a run without faults. */
function choose(total: number): number[] {
	if (RUNS < 0)
		return total > 0 ? [1 + SEED % total] : [];
	const count = RUNS === 0 ? total : Math.min(RUNS, total);
	return Array.from({ length: count }, (_, i) => 1 + Math.floor((i + 0.5) * total / count));
}

class Sweep {
	readonly folder = memoryFolder();
	readonly data = path.join(this.folder, "lake");
	readonly failures: string[] = [];
	readonly figures: string[] = [];
	private readonly totals = new Map<string, number>();
	runs = 0;
	url = "";

	batch(): string[] {
		return ["run", "--batch", "--until-quiet", "--exit", "--api-url", this.url, "--types", "all",
			"--poll-interval", "10ms"];
	}

	private prepare(cycle: Cycle): void {
		fs.rmSync(this.data, { recursive: true, force: true });
		if (cycle.from)
			fs.cpSync(cycle.from, this.data, { recursive: true });
	}

	/** The calls of the class in a run in which none fails. */
	private async count(cycle: Cycle, fault: Fault): Promise<number> {
		const name = `${cycle.name} ${fault.kind} ${fault.object ?? ""}`;
		let total = this.totals.get(name);
		if (total === undefined) {
			this.prepare(cycle);
			const run = await runWithFault(cycle.args, this.data, fault, Number.MAX_SAFE_INTEGER);
			assert.equal(run.finished.code, 0, run.finished.stderr);
			total = run.count;
			this.totals.set(name, total);
		}
		return total;
	}

	private async tryOne(cycle: Cycle, fault: Fault, nth: number): Promise<string> {
		this.prepare(cycle);
		const run = await runWithFault(cycle.args, this.data, fault, nth);
		const bad = badEnd(run.finished, fault);
		if (bad)
			return bad;
		const again = await runOctolake([...this.batch(), "--data", this.data], { env: { GITHUB_TOKEN: TOKEN } });
		if (again.code !== 0)
			return `the next run: ${again.stderr.slice(-1500)}`;
		const aside = filesBelow(this.data).filter((file) => /(zst|sqlite)\.damaged/.test(file));
		if (aside.length > 0)
			return `set aside, though nothing is damaged: ${aside.join(" ")}\n${run.finished.stderr.slice(-1500)}`;
		const check = runCheck(["lake", this.data, FEED.served]);
		return check.code === 0 ? "" : `the lake: ${check.output}`;
	}

	async sweep(cycle: Cycle, fault: Fault): Promise<void> {
		const name = `${cycle.name}: ${faultName(fault)}`;
		if (!name.includes(ONLY))
			return;
		const total = await this.count(cycle, fault);
		const chosen = choose(total);
		for (const nth of chosen) {
			const wrong = await this.tryOne(cycle, fault, nth);
			if (wrong)
				this.failures.push(`${name}, call ${nth}: ${wrong}`);
		}
		this.runs += chosen.length;
		if (chosen.length > 0)
			this.figures.push(`${name}: ${chosen.length} of ${total} calls`);
	}
}

async function sweepAll(context: TestContext, faults: Fault[]): Promise<void> {
	context.diagnostic(`OCTOLAKE_FAULT_SEED=${SEED}`);
	const sweep = new Sweep();
	const feed = await startStatelessFeed(FEED);
	context.after(feed.stop);
	sweep.url = feed.url;
	const whole = path.join(sweep.folder, "whole");
	const made = await runOctolake([...sweep.batch(), "--data", whole], { env: { GITHUB_TOKEN: TOKEN } });
	assert.equal(made.code, 0, made.stderr);
	assert.equal(runCheck(["lake", whole, FEED.served]).code, 0);
	const lost = path.join(sweep.folder, "lost");
	fs.cpSync(whole, lost, { recursive: true });
	fs.rmSync(path.join(lost, "catalog.sqlite"));
	const cycles: Cycle[] = [
		{ name: "run", args: sweep.batch(), from: "" },
		{ name: "recovery", args: sweep.batch(), from: lost },
		{ name: "rebuild", args: ["rebuild", "silver", "--types", "all"], from: whole },
		{ name: "query", args: ["query", "test_rows", "--metrics", ownMetrics(), "--types", "all"], from: whole },
	];
	const kinds = cycles.flatMap((cycle) => faults.map((fault) => ({ cycle, fault })));
	for (const [index, { cycle, fault }] of kinds.entries())
		if (RUNS >= 0 || index % KINDS_ONE_IN === SEED % KINDS_ONE_IN)
			await sweep.sweep(cycle, fault);
	for (const figure of sweep.figures)
		context.diagnostic(figure);
	context.diagnostic(`${sweep.runs} runs with a failing call, ${sweep.failures.length} bad ends`);
	assert.deepEqual(sweep.failures, []);
}

test("the n-th call fails", (context) => sweepAll(context, FILE_FAULTS));

test("the n-th allocation fails", { skip: isSanitized() && "a sanitizer has its own malloc" },
	(context) => sweepAll(context, MEMORY_FAULTS));
