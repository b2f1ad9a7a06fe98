// SPDX-License-Identifier: Apache-2.0
// One run of a program with what it took; several contestants in turns; medians with their spread.
import { spawnSync } from "node:child_process";

export interface Run {
	wall_s: number;
	/** User and system. */
	cpu_s: number;
	peak_mib: number;
	stdout: string;
}

/** The program failed, or is not there: what it said. */
export class Failed extends Error {}

/** Runs `command` to its end under bench/programs/measure.c at `measure`. */
export function measured(measure: string, command: string[]): Run {
	const done = spawnSync(measure, command, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe", "pipe"],
		maxBuffer: 64 * 1024 * 1024 });
	if (done.error)
		throw new Failed(String(done.error));
	const report = done.output[3] ? JSON.parse(done.output[3]) : { code: done.status };
	if (report.code !== 0)
		throw new Failed(`${command[0].split("/").at(-1)} ${command[1] ?? ""}: exit ${report.code}: ${done.stderr.trim().slice(-600)}`);
	return { wall_s: report.wall_s, cpu_s: report.user_s + report.sys_s, peak_mib: report.maxrss_kib / 1024,
		stdout: done.stdout };
}

export function median(values: number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** "1.23 (1.10–1.40)": median, smallest and largest. */
export function spread(values: number[], digits = 2): string {
	if (values.length === 0)
		return "–";
	const text = (value: number) => value.toFixed(digits);
	return values.length === 1 ? text(values[0])
		: `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

export interface Contestant {
	name: string;
	/** Everything that is not measured is in `prepare`. */
	prepare?: () => void;
	run: () => Run;
}

/** Lets all run once a round, in the order given and the other way round by turns, so that none of them always
 * has the warmer or the quieter machine. One that fails is left out from then on, its complaint in `failed`. */
export function inTurns(contestants: Contestant[], rounds: number):
	{ runs: Map<string, Run[]>; failed: Map<string, string> } {
	const runs = new Map<string, Run[]>(contestants.map((one) => [one.name, []]));
	const failed = new Map<string, string>();
	for (let round = 0; round < rounds; round++) {
		const order = round % 2 ? [...contestants].reverse() : contestants;
		for (const one of order) {
			if (failed.has(one.name))
				continue;
			try {
				one.prepare?.();
				runs.get(one.name)!.push(one.run());
			} catch (error) {
				if (!(error instanceof Failed))
					throw error;
				failed.set(one.name, error.message);
				runs.set(one.name, []);
			}
		}
	}
	return { runs, failed };
}

/** Value of one by that of the other, round by round. */
export function ratios(over: Run[], under: Run[], value: (run: Run) => number): number[] {
	const count = Math.min(over.length, under.length);
	return Array.from({ length: count }, (_, i) => value(over[i]) / value(under[i]));
}

/** A table of Markdown; the first row is its head. */
export function printTable(rows: string[][]): void {
	const [head, ...rest] = rows;
	console.log(`| ${head.join(" | ")} |`);
	console.log(`|${head.map(() => "---").join("|")}|`);
	for (const row of rest)
		console.log(`| ${row.join(" | ")} |`);
	console.log("");
}
