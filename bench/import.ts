// SPDX-License-Identifier: Apache-2.0
// The import of GH Archive beside what people would use for it: DuckDB, to the same Parquet, and bare
// decompression, which nothing can beat. Every ratio is of runs that took turns; medians, smallest and largest.
// The hours are made up (tools/make_hours/hours.h says how they differ from real ones) unless files are named.
//
//   bench/import --short                       a minute: small hours, three rounds, no gold
//   bench/import                               200,000 events an hour, five rounds, gold up to 20 million
//   bench/import --only gold --levels 1,10,100 one part alone
//   bench/import FILE...                       real hours, for the parts "parquet" and "inflate"
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { Failed, inTurns, measured, median, printTable, ratios, spread, type Contestant, type Run }
	from "./support/measure";
import { countDifferences, countRows, toParquet, WAYS, type Way } from "./support/rival";

const PARTS = ["parquet", "inflate", "memory", "gold", "order"];
const FIRST_HOUR = "2024-01-15-0";
const FIRST_THIN_HOUR = "2026-01-15-0";
/** Where the hours begin that find out what one costs at each level of gold: after those that fill it. */
const FIRST_PROBE_HOUR = "2025-01-15-0";
const FILL_HOURS = 10;
const HOUR_MS = 3_600_000;

const { values: options, positionals: given_files } = parseArgs({ allowPositionals: true, options: {
	events: { type: "string" },
	hours: { type: "string" },
	rounds: { type: "string" },
	levels: { type: "string" },
	only: { type: "string", default: PARTS.join(",") },
	work: { type: "string" },
	short: { type: "boolean", default: false },
	"stand-in": { type: "boolean", default: false },
} });
const events = Number(options.events ?? (options.short ? 20_000 : 200_000));
const hours = Number(options.hours ?? (options.short ? 3 : 24));
const rounds = Number(options.rounds ?? (options.short ? 3 : 5));
const levels = (options.levels ?? (options.short ? "" : "1,10,20")).split(",").filter(Boolean).map(Number);
const parts = options.only!.split(",");
for (const part of parts)
	if (!PARTS.includes(part))
		throw new Error(`--only: ${part} is none of ${PARTS.join(", ")}`);

const root = process.env.OCTOLAKE_BENCH_ROOT!;
const build = process.env.OCTOLAKE_BENCH_BUILD!;
const work = fs.mkdtempSync(path.join(options.work ?? os.tmpdir(), "octolake-bench-"));
process.on("exit", () => fs.rmSync(work, { recursive: true, force: true }));
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
	process.on(signal, () => process.exit(1));

const lake_folder = path.join(work, "lake");
const rival_folder = path.join(work, "rival");
const measure = (command: string[]) => measured(path.join(build, "bench/measure"), command);
const rival = (threads: number, ...sql: string[]) =>
	measure([path.join(build, "bench/duck_rival"), String(threads), ...sql]);
const hasDiscussions = (era: string) => era === "thin";

/** The command under test. With --stand-in DuckDB plays its part, to try the bench itself. */
function importCommand(files: string[], data: string, threads: number, to: "silver" | "gold"): string[] {
	if (options["stand-in"])
		return [path.join(build, "bench/duck_rival"), String(threads),
			toParquet("columns", files, path.join(data, "silver"), true)];
	return [path.join(build, "octolake"), "import", ...files, ...(to === "silver" ? ["--to", "silver"] : []), "--bronze", "link",
		"--data", data, "--threads", String(threads), "--events", path.join(root, "bench/import_events.yaml")];
}

function emptied(folder: string): void {
	fs.rmSync(folder, { recursive: true, force: true });
	if (folder !== lake_folder || options["stand-in"])
		fs.mkdirSync(folder, { recursive: true });
}

/** Makes hours; their paths. */
function makeHours(folder: string, from: string, count: number, more: string[] = []): string[] {
	const output = execFileSync(path.join(build, "octolake-make-hours"), [folder, "--from", from,
		"--hours", String(count), "--events", String(events), ...more], { encoding: "utf8" });
	return output.trim().split("\n").map((line) => path.join(folder, `${line.split("\t")[0]}.json.gz`));
}

/** So that no run pays for the disk. */
function warm(files: string[]): void {
	for (const file of files)
		fs.readFileSync(file);
}

function sizes(file: string): { gzip_bytes: number; raw_bytes: number; lines: number } {
	const raw_bytes = Number(measure([path.join(build, "bench/bare_inflate"), file]).stdout);
	const lines = Number(rival(1, `SELECT count(*) FROM read_csv('${file}', columns = {line: 'VARCHAR'}, header = false,
		delim = '', quote = '', escape = '', strict_mode = false, max_line_size = 100000000)`).stdout);
	return { gzip_bytes: fs.statSync(file).size, raw_bytes, lines };
}

function note(text: string): void {
	process.stderr.write(`bench/import: ${text}\n`);
}

// ---- the parts ----

interface Input {
	name: string;
	files: string[];
	discussions: boolean;
}

function inputs(): Input[] {
	if (given_files.length > 0)
		return given_files.map((file) => ({ name: path.basename(file), files: [path.resolve(file)],
			discussions: false }));
	note(`making hours of ${events} events`);
	return [["full", FIRST_HOUR], ["thin", FIRST_THIN_HOUR]].map(([era, from]) => ({ name: `${era} hour`,
		files: makeHours(path.join(work, era), from, 1), discussions: hasDiscussions(era) }));
}

function ours(name: string, files: string[], threads: number, to: "silver" | "gold" = "silver"): Contestant {
	return { name, prepare: () => emptied(lake_folder), run: () => measure(importCommand(files, lake_folder, threads, to)) };
}

function theirs(name: string, way: Way, input: Input, threads: number): Contestant {
	return { name, prepare: () => emptied(rival_folder),
		run: () => rival(threads, toParquet(way, input.files, rival_folder, input.discussions)) };
}

/** "0 of 200000 rows differ". Both folders hold what their last run wrote. */
function compare(): string {
	const silver = path.join(lake_folder, "silver");
	const [rows, differing] = rival(2, countRows(rival_folder), countDifferences(silver, rival_folder))
		.stdout.trim().split("\n");
	return `${differing} of ${rows} rows differ (\`EXCEPT ALL\`, both ways)`;
}

function parquetRow(input: Input, name: string, own: Run[], runs: Run[], why: string | undefined): string[] {
	const value = (list: Run[], of: (run: Run) => number) => spread(list.map(of));
	const ratio = (of: (run: Run) => number) => (own.length > 0 && runs.length > 0 ? spread(ratios(runs, own, of)) : "–");
	return [input.name, name, value(runs, (run) => run.cpu_s), ratio((run) => run.cpu_s),
		value(runs, (run) => run.wall_s), ratio((run) => run.wall_s),
		why ? `not measured: ${why.slice(0, 120).replaceAll("\n", " ")}` : spread(runs.map((run) => run.peak_mib), 0)];
}

function parquetPart(all: Input[]): void {
	console.log("### To Parquet\n");
	const rows = [["input", "what", "CPU s", "theirs / ours", "wall s", "theirs / ours", "peak MiB"]];
	const agreements: string[] = [];
	for (const input of all) {
		warm(input.files);
		const mine = ["octolake, 1 thread", "octolake, 2 threads"];
		const contestants = [ours(mine[0], input.files, 1), theirs(`DuckDB ${WAYS.columns}, 1 thread`, "columns", input, 1),
			ours(mine[1], input.files, 2), theirs(`DuckDB ${WAYS.columns}, 2 threads`, "columns", input, 2),
			/* Of a thin hour it finds no `merged` to ask for. */
			...(input.discussions ? [] : [theirs(`DuckDB ${WAYS.auto}, 1 thread`, "auto", input, 1)]),
			theirs(`DuckDB ${WAYS.objects}, 1 thread`, "objects", input, 1)];
		note(`${input.name}: ${rounds} rounds of ${contestants.length}`);
		const { runs, failed } = inTurns(contestants, rounds);
		for (const one of contestants) {
			const base = runs.get(one.name.endsWith("2 threads") ? mine[1] : mine[0])!;
			rows.push(parquetRow(input, one.name, base, runs.get(one.name)!, failed.get(one.name)));
		}
		if (runs.get(mine[0])!.length > 0)
			for (const way of ["columns", "objects"] as const) {
				const pair = [ours("mine", input.files, 1), theirs("theirs", way, input, 1)];
				inTurns(pair, 1);
				agreements.push(`- ${input.name}, ${WAYS[way]}: ${compare()}`);
			}
	}
	printTable(rows);
	console.log(agreements.join("\n"), agreements.length > 0 ? "\n" : "");
}

function inflatePart(all: Input[]): void {
	console.log("### Beside bare ISA-L\n");
	const rows = [["input", "MB gzip", "MB raw", "gzip ratio", "bytes an event", "bare inflate, CPU s", "raw MB/s",
		"octolake to Parquet, CPU s", "share of the bare rate", "DuckDB's share"]];
	for (const input of all) {
		warm(input.files);
		const bare: Contestant = { name: "bare",
			run: () => measure([path.join(build, "bench/bare_inflate"), ...input.files]) };
		const { runs } = inTurns([bare, ours("ours", input.files, 1), theirs("theirs", "columns", input, 1)], rounds);
		const size = sizes(input.files[0]);
		const of = (name: string) => runs.get(name)!;
		const cpu = (run: Run) => run.cpu_s;
		const share = (name: string) => (of(name).length === 0 ? "–"
			: `${spread(ratios(of("bare"), of(name), cpu).map((ratio) => ratio * 100), 0)} %`);
		rows.push([input.name, (size.gzip_bytes / 1e6).toFixed(1), (size.raw_bytes / 1e6).toFixed(1),
			(size.raw_bytes / size.gzip_bytes).toFixed(2), (size.raw_bytes / size.lines).toFixed(0),
			spread(of("bare").map(cpu)), spread(of("bare").map((run) => size.raw_bytes / 1e6 / run.cpu_s), 0),
			spread(of("ours").map(cpu)), share("ours"), share("theirs")]);
	}
	printTable(rows);
}

function memoryPart(): void {
	console.log("### Peak memory (to Parquet)\n");
	note(`making ${2 * hours} hours`);
	const files = makeHours(path.join(work, "memory"), FIRST_HOUR, 2 * hours);
	const input = (count: number): Input => ({ name: "", files: files.slice(0, count), discussions: false });
	const short_count = Math.min(2, hours);
	const contestants = [ours("octolake, 1 hour, 1 thread", files.slice(0, 1), 1),
		...[short_count, hours, 2 * hours].map((count) =>
			ours(`octolake, ${count} hours, 2 threads`, files.slice(0, count), 2)),
		theirs("DuckDB, explicit `columns`, 1 hour, 1 thread", "columns", input(1), 1),
		theirs(`DuckDB, explicit \`columns\`, ${hours} hours, 2 threads`, "columns", input(hours), 2)];
	const { runs, failed } = inTurns(contestants, Math.min(rounds, 3));
	printTable([["what", "peak MiB", "events/s"], ...contestants.map((one) => {
		const count = Number(/(\d+) hours?/.exec(one.name)![1]);
		const list = runs.get(one.name)!;
		return [one.name, failed.has(one.name) ? "not measured" : spread(list.map((run) => run.peak_mib), 0),
			spread(list.map((run) => count * events / run.wall_s), 0)];
	})]);
	const peak = (count: number) => runs.get(`octolake, ${count} hours, 2 threads`)!.map((run) => run.peak_mib);
	if (peak(hours).length > 0)
		console.log(`${2 * hours} hours against ${short_count}: ${(median(peak(2 * hours)) / median(peak(short_count)))
			.toFixed(2)} times the memory.\n`);
}

/** Imports `count` hours from `hour_ms` on and removes their files; seconds. */
function fill(hour_ms: number, count: number): number {
	const folder = path.join(work, "fill");
	const at = new Date(hour_ms).toISOString();
	const files = makeHours(folder, `${at.slice(0, 10)}-${Number(at.slice(11, 13))}`, count);
	const { wall_s } = measure(importCommand(files, lake_folder, 2, "gold"));
	fs.rmSync(folder, { recursive: true });
	return wall_s;
}

/** Fills gold level by level; at each, what some hours more cost. The files of the filling are gone after it. */
function goldPart(): void {
	console.log("### To gold\n");
	emptied(lake_folder);
	const rows = [["events in gold before", "filling, events/s", "an hour more: wall s", "events/s", "CPU µs an event",
		"by the first level", "peak MiB"]];
	const probes = makeHours(path.join(work, "probes"), FIRST_PROBE_HOUR, levels.length * rounds);
	let filled = 0;
	let hour_ms = Date.parse(`${FIRST_HOUR.slice(0, 10)}T00:00:00Z`);
	let first_cost = NaN;
	for (const level of levels) {
		let fill_s = 0;
		const before = filled;
		while (filled < level * 1e6) {
			const count = Math.min(FILL_HOURS, Math.ceil((level * 1e6 - filled) / events));
			fill_s += fill(hour_ms, count);
			filled += count * events;
			hour_ms += count * HOUR_MS;
			note(`gold: ${filled / 1e6} million`);
		}
		const there = filled;
		const mine = probes.splice(0, rounds);
		warm(mine);
		const runs = mine.map((file) => measure(importCommand([file], lake_folder, 1, "gold")));
		filled += mine.length * events;
		const cost = median(runs.map((run) => run.cpu_s / events * 1e6));
		first_cost = Number.isNaN(first_cost) ? cost : first_cost;
		rows.push([`${(there / 1e6).toFixed(1)} million`, ((there - before) / fill_s).toFixed(0),
			spread(runs.map((run) => run.wall_s)), spread(runs.map((run) => events / run.wall_s), 0),
			spread(runs.map((run) => run.cpu_s / events * 1e6)), (cost / first_cost).toFixed(2),
			spread(runs.map((run) => run.peak_mib), 0)]);
	}
	printTable(rows);
}

/** The same hours in order, backwards, and with a fifth of each in the one before as well. */
function orderPart(): void {
	console.log("### Hours in another order\n");
	const count = Math.min(hours, 6);
	const plain = makeHours(path.join(work, "order"), FIRST_HOUR, count);
	const overlapping = makeHours(path.join(work, "overlap"), FIRST_HOUR, count, ["--overlap", "20"]);
	const sequences: [string, string[]][] = [["in order", plain], ["in reverse order", [...plain].reverse()],
		["overlapping by 20 %", overlapping]];
	warm([...plain, ...overlapping]);
	const sum = (runs: Run[], of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
	const contestants = sequences.map(([name, files]): Contestant => ({ name, prepare: () => emptied(lake_folder),
		run: () => {
			const runs = files.map((file) => measure(importCommand([file], lake_folder, 1, "gold")));
			return { wall_s: sum(runs, (run) => run.wall_s), cpu_s: sum(runs, (run) => run.cpu_s), stdout: "",
				peak_mib: Math.max(...runs.map((run) => run.peak_mib)) };
		} }));
	const { runs, failed } = inTurns(contestants, Math.min(rounds, 3));
	const base = runs.get("in order")!;
	printTable([[`${count} hours, one import each, to gold`, "wall s", "CPU s", "by the hours in order (CPU)"],
		...sequences.map(([name]) => {
			const list = runs.get(name)!;
			return [name, failed.has(name) ? "not measured" : spread(list.map((run) => run.wall_s)),
				spread(list.map((run) => run.cpu_s)), spread(ratios(list, base, (run) => run.cpu_s))];
		})]);
}

function version(command: string[]): string {
	try {
		return execFileSync(command[0], command.slice(1), { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
	} catch {
		return "?";
	}
}

function printHead(): void {
	const packages = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
	const engine = packages.optionalDependencies["@duckdb/node-bindings-linux-x64"].split("-")[0];
	const cpus = os.cpus();
	console.log(`Octolake ${version(["git", "-C", root, "rev-parse", "--short", "HEAD"])}, DuckDB ${engine}, ISA-L ${
		version(["pkg-config", "--modversion", "libisal"])}; ${cpus.length} × ${cpus[0].model}, ${
		(os.totalmem() / 2 ** 30).toFixed(0)} GiB, load ${os.loadavg()[0].toFixed(1)} at the start; ${
		new Date().toISOString().slice(0, 10)}. ${given_files.length > 0 ? "Named files" : `${events} events an hour`}, ${
		rounds} rounds in turns; median (smallest–largest).${
		options["stand-in"] ? " THE COMMAND UNDER TEST IS A STAND-IN: DuckDB against itself." : ""}\n`);
}

printHead();
const all = parts.some((part) => ["parquet", "inflate"].includes(part)) ? inputs() : [];
if (parts.includes("parquet"))
	parquetPart(all);
if (parts.includes("inflate"))
	inflatePart(all);
if (parts.includes("memory") && given_files.length === 0)
	memoryPart();
if (parts.includes("gold") && given_files.length === 0 && levels.length > 0)
	try {
		goldPart();
	} catch (error) {
		if (!(error instanceof Failed))
			throw error;
		console.log(`Not measured: ${error.message}\n`);
	}
if (parts.includes("order") && given_files.length === 0)
	orderPart();
