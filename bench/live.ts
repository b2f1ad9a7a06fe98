// SPDX-License-Identifier: Apache-2.0
// The live pipeline under a steady made-up feed: is an event in gold soon after its page arrived, do memory and
// descriptors stay flat, and how long does the first system's KPI take while gold is being refreshed? The rival
// of the KPI is /healthz of the same server in the same run: the same HTTP path without a query.
// What must not grow for ever (memory, descriptors, disk, lag) is shown with its slope: the least-squares line
// through the samples of the last two thirds of the run.
//
//   bench/live [SECONDS] [EVENTS_PER_SECOND] [OPTION...]        default 600 200; options go to octolake
//
// Disk only stops growing when retention is on, and only once its limits are met within the run.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { getJson, sleep, startFake, startOctolake } from "../tests/support/processes";

const SAMPLE_MS = 2_000;
const DISK_SAMPLE_MS = 20_000;
const REQUEST_MS = 20;
/** GitHub's window of 300 events must not be passed between two polls. */
const POLL_SHARE_OF_WINDOW = 0.6;

const seconds = Number(process.argv[2] ?? 600);
const rate = Number(process.argv[3] ?? 200);
const options = process.argv.slice(4);

interface Sample {
	at_s: number;
	rss_mib: number;
	descriptors: number;
	lag_s: number;
	waiting: number;
	rows: number;
	disk_mib: number;
}

function percentile(values: number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function mean(values: number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function rssMib(pid: number): number {
	const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
	return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

function diskMib(folder: string): number {
	return Number(/^\d+/.exec(execFileSync("du", ["-s", "--block-size=1024", folder], { encoding: "utf8",
		stdio: ["ignore", "pipe", "ignore"] }))![0]) / 1024;
}

/** Change of a value in an hour by the least-squares line through the last two thirds of the samples. */
function slopePerHour(samples: Sample[], value: (sample: Sample) => number): number {
	const used = samples.slice(Math.floor(samples.length / 3));
	const mean_at = mean(used.map((sample) => sample.at_s));
	const mean_value = mean(used.map(value));
	const above = used.reduce((sum, sample) => sum + (sample.at_s - mean_at) * (value(sample) - mean_value), 0);
	const below = used.reduce((sum, sample) => sum + (sample.at_s - mean_at) ** 2, 0);
	return above / below * 3600;
}

/** Milliseconds of one GET, body included. */
async function time(url: string): Promise<number> {
	const start = performance.now();
	const response = await fetch(url);
	await response.arrayBuffer();
	if (response.status !== 200)
		throw new Error(`${url}: ${response.status}`);
	return performance.now() - start;
}

const poll_ms = Math.min(1000, Math.floor(300 / rate * 1000 * POLL_SHARE_OF_WINDOW));
const fake = await startFake(["--synthetic", "11", "--rate", String(rate), "--poll-interval",
	poll_ms < 1000 ? "0" : "1", "--limit-token", "100000000"]);
const lake = await startOctolake(["run", "--api-url", fake.url, "--types", "all", "--poll-interval", `${poll_ms}ms`,
	...options], { env: { GITHUB_TOKEN: "bench" } });
const started = performance.now();
const samples: Sample[] = [];
const kpi_ms: number[] = [];
const health_ms: number[] = [];
let next_sample = 0;
let next_disk_sample = 0;
let disk_mib = 0;
await sleep(3_000);
while (performance.now() - started < seconds * 1000) {
	kpi_ms.push(await time(`${lake.api}/kpi/event_count_offset?offset=60`));
	health_ms.push(await time(`${lake.api}/healthz`));
	if (performance.now() >= next_sample) {
		next_sample = performance.now() + SAMPLE_MS;
		const pipeline = await getJson(`${lake.api}/api/v1/pipeline`);
		if (performance.now() >= next_disk_sample) {
			next_disk_sample = performance.now() + DISK_SAMPLE_MS;
			try {
				disk_mib = diskMib(lake.data);
			} catch {
				/* A file went while du looked at it: the next look counts. */
			}
		}
		samples.push({
			at_s: (performance.now() - started) / 1000,
			rss_mib: rssMib(lake.pid),
			descriptors: fs.readdirSync(`/proc/${lake.pid}/fd`).length,
			lag_s: pipeline.lag_seconds,
			waiting: pipeline.ledger.waiting_silver + pipeline.ledger.waiting_gold,
			rows: pipeline.layers.gold.rows,
			disk_mib,
		});
	}
	await sleep(REQUEST_MS);
}
// From a page's arrival to gold: the log says when a batch was stored and when gold was loaded.
const stored = lake.logs.filter((line) => line.event === "batch stored").map((line) => Date.parse(line.at));
const loaded = lake.logs.filter((line) => line.event === "gold loaded").map((line) => Date.parse(line.at));
const to_gold_ms = stored.flatMap((at) => {
	const next = loaded.find((time_ms) => time_ms >= at);
	return next === undefined ? [] : [next - at];
});
const ledger = await fake.ledger();
const quarter = Math.floor(samples.length / 4);
const early = samples.slice(quarter, 2 * quarter);
const late = samples.slice(-quarter);
const row = (name: string, unit: string, value: (sample: Sample) => number) =>
	console.log(`${name.padEnd(34)} ${mean(early.map(value)).toFixed(1).padStart(9)} -> `
		+ `${mean(late.map(value)).toFixed(1).padStart(9)} ${unit.padEnd(4)} `
		+ `slope ${slopePerHour(samples, value).toFixed(1).padStart(8)} an hour`);
console.log(`live, ${seconds} s at ${rate} events/s, a poll every ${poll_ms} ms ${options.join(" ")}`);
console.log("second quarter -> last quarter (means), slope of the last two thirds");
row("memory (RSS)", "MiB", (s) => s.rss_mib);
row("descriptors", "", (s) => s.descriptors);
row("lag (now - newest event in gold)", "s", (s) => s.lag_s);
row("disk (the data folder)", "MiB", (s) => s.disk_mib);
row("rows in gold", "", (s) => s.rows);
console.log(`memory at most                     ${Math.max(...samples.map((s) => s.rss_mib)).toFixed(1)} MiB`);
console.log(`lag at most                        ${Math.max(...samples.map((s) => s.lag_s)).toFixed(1)} s`);
console.log(`stored -> in gold                  p50 ${percentile(to_gold_ms, 0.5)} ms, p99 ${percentile(to_gold_ms, 0.99)} ms,`
	+ ` at most ${Math.max(...to_gold_ms)} ms (${to_gold_ms.length} batches)`);
console.log(`rows in gold                       ${samples.at(-1)!.rows}, served by the feed ${ledger.unique_events}`);
for (const [name, values] of [["/kpi/event_count_offset", kpi_ms], ["/healthz (rival)", health_ms]] as const)
	console.log(`${name.padEnd(34)} p50 ${percentile(values, 0.5).toFixed(2)} ms, p99 ${percentile(values, 0.99).toFixed(2)} ms`
		+ ` (${values.length} requests)`);
console.log(`ratio kpi / healthz                p50 ${(percentile(kpi_ms, 0.5) / percentile(health_ms, 0.5)).toFixed(1)},`
	+ ` p99 ${(percentile(kpi_ms, 0.99) / percentile(health_ms, 0.99)).toFixed(1)}`);
console.log(`violations of GitHub's limits      ${ledger.violations.length}`);
await lake.stop();
await fake.stop();
