// SPDX-License-Identifier: Apache-2.0
// Runs of octolake in which the n-th call of a class fails, against a feed without memory: what it
// answers follows from the ETag that it is shown, so that each run can be had again.
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { runOctolake, temporaryFolder, type Finished } from "./processes";
import { TOKEN } from "./lake";
import { shimEnvironment, type KnownFeed } from "./shim";

/** In the order of enum shim_class (tests/support/shim/shim.h). */
const CLASSES = ["open", "write", "truncate", "sync", "rename", "unlink", "mkdir", "memory"];

/** No tag: state 0. The tag of state i: state i + 1; of the last: 304. */
export async function startStatelessFeed(feed: KnownFeed): Promise<{ url: string; stop: () => void }> {
	const names = fs.readdirSync(feed.folder).sort();
	const bodies = names.map((name) => fs.readFileSync(path.join(feed.folder, name)));
	const server = http.createServer((request, response) => {
		const seen = /^"state-(\d+)"$/.exec(request.headers["if-none-match"] ?? "");
		const state = seen ? Number(seen[1]) + 1 : 0;
		const headers = { ETag: `"state-${Math.min(state, bodies.length - 1)}"`, "X-Poll-Interval": "0",
			"Content-Type": "application/json" };
		response.writeHead(state < bodies.length ? 200 : 304, headers);
		response.end(state < bodies.length ? bodies[state] : undefined);
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const stop = () => {
		server.closeAllConnections();
		server.close();
	};
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

export interface Fault {
	/** Of CLASSES. */
	kind: string;
	error: string;
	/** From the n-th on, or the n-th alone. */
	lasting: boolean;
	/** memory: the object whose allocations count; "" the program. */
	object?: string;
}

export function faultName(fault: Fault): string {
	const object = fault.kind === "memory" ? ` of ${fault.object || "the program"}` : "";
	return `${fault.kind}${object} ${fault.error}${fault.lasting ? " from then on" : ""}`;
}

export interface FailingRun {
	finished: Finished;
	/** Calls of the class, failed ones included. */
	count: number;
}

/** Runs octolake on `data` with the `nth` call failing. */
export async function runWithFault(args: string[], data: string, fault: Fault, nth: number): Promise<FailingRun> {
	const counts = path.join(temporaryFolder(), "counts");
	fs.writeFileSync(counts, Buffer.alloc(CLASSES.length * 8));
	const library = fault.kind === "memory" ? "liboctolake_shim_memory.so" : "liboctolake_shim.so";
	const env = { GITHUB_TOKEN: TOKEN, ...shimEnvironment({
		FOLDER: data, COUNTS: counts, OBJECT: fault.object ?? "",
		FAULT: `${fault.kind}:${fault.error}:${nth}${fault.lasting ? "+" : ""}`,
	}, library) };
	/* A disk that stays full is waited out for ever. */
	const finished = await runOctolake([...args, "--data", data], { env, cwd: path.dirname(counts), wait_ms: 60_000,
		stop_on: fault.lasting ? "disk full: polling paused" : undefined });
	const count = Number(fs.readFileSync(counts).readBigUInt64LE(CLASSES.indexOf(fault.kind) * 8));
	fs.rmSync(path.dirname(counts), { recursive: true });
	return { finished, count };
}

function lastLines(finished: Finished): string {
	return finished.stderr.trim().split("\n").slice(-2).join("\n");
}

/** What is wrong with how it ended; "" when nothing is. */
export function badEnd(finished: Finished, fault: Fault): string {
	const last = lastLines(finished).split("\n").at(-1)!;
	/* Out of memory is a controlled end (base/memory.h); the engine's own threads end it by themselves. */
	const out_of_memory = fault.kind === "memory" && finished.signal === "SIGABRT"
		&& (/octolake: out of memory .*nothing stored is lost/.test(finished.stderr)
			|| (fault.object === "libstdc++" && /bad_alloc/.test(lastLines(finished))));
	if (out_of_memory)
		return "";
	if (finished.signal)
		return `signal ${finished.signal}: ${finished.stderr.slice(-1500)}`;
	if (finished.code !== 0 && !last.startsWith("octolake: "))
		return `exit code ${finished.code} without a reason: ${finished.stderr.slice(-1500)}`;
	return "";
}
