// SPDX-License-Identifier: Apache-2.0
// The live pipeline under a steady made-up feed: is an event in gold soon after its page arrived, do memory and
// descriptors stay flat, and how long does the first system's KPI take while gold is being refreshed? The rival
// of the KPI is /healthz of the same server in the same run: the same HTTP path without a query.
//
//   bench/live [SECONDS] [EVENTS_PER_SECOND]        default 600 200
import fs from "node:fs";
import { getJson, sleep, startFake, startOctolake } from "../tests/support/processes.ts";

const SAMPLE_MS = 2_000;
const REQUEST_MS = 20;

const seconds = Number(process.argv[2] ?? 600);
const rate = Number(process.argv[3] ?? 200);

interface Sample {
	at_s: number;
	rss_mib: number;
	descriptors: number;
	lag_s: number;
	waiting: number;
	rows: number;
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

/** Milliseconds of one GET, body included. */
async function time(url: string): Promise<number> {
	const start = performance.now();
	const response = await fetch(url);
	await response.arrayBuffer();
	if (response.status !== 200)
		throw new Error(`${url}: ${response.status}`);
	return performance.now() - start;
}

const fake = await startFake(["--synthetic", "11", "--rate", String(rate), "--poll-interval", "1",
	"--limit-token", "100000000"]);
const lake = await startOctolake(["run", "--api-url", fake.url, "--types", "all"], { env: { GITHUB_TOKEN: "bench" } });
const started = performance.now();
const samples: Sample[] = [];
const kpi_ms: number[] = [];
const health_ms: number[] = [];
let next_sample = 0;
await sleep(3_000);
while (performance.now() - started < seconds * 1000) {
	kpi_ms.push(await time(`${lake.api}/kpi/event_count_offset?offset=60`));
	health_ms.push(await time(`${lake.api}/healthz`));
	if (performance.now() >= next_sample) {
		next_sample = performance.now() + SAMPLE_MS;
		const pipeline = await getJson(`${lake.api}/api/v1/pipeline`);
		samples.push({
			at_s: (performance.now() - started) / 1000,
			rss_mib: rssMib(lake.pid),
			descriptors: fs.readdirSync(`/proc/${lake.pid}/fd`).length,
			lag_s: pipeline.lag_seconds,
			waiting: pipeline.ledger.waiting_silver + pipeline.ledger.waiting_gold,
			rows: pipeline.layers.gold.rows,
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
const row = (name: string, from: number, to: number, unit: string) =>
	console.log(`${name.padEnd(34)} ${from.toFixed(1).padStart(9)} -> ${to.toFixed(1).padStart(9)} ${unit}`);
console.log(`live, ${seconds} s at ${rate} events/s; second quarter -> last quarter (means)`);
row("memory (RSS)", mean(early.map((s) => s.rss_mib)), mean(late.map((s) => s.rss_mib)), "MiB");
row("descriptors", mean(early.map((s) => s.descriptors)), mean(late.map((s) => s.descriptors)), "");
row("lag (now - newest event in gold)", mean(early.map((s) => s.lag_s)), mean(late.map((s) => s.lag_s)), "s");
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
