// SPDX-License-Identifier: Apache-2.0
// What the API answers (docs/formats/api.md) and how it is asked. Requests go to the page's own
// origin only. Everything that is not a good answer is thrown as a Problem.

export type Cell = string | number | boolean | null | Cell[];
export type Row = Record<string, Cell>;

export interface Parameter {
	name: string;
	type: string;
	label?: string | null;
	description?: string | null;
	unit?: string | null;
	default?: Cell;
	required?: boolean;
	multiple?: boolean;
	values?: (string | number)[] | null;
	values_from?: string | null;
	min?: string | number | null;
	max?: string | number | null;
	step?: string | number | null;
}

export interface Column {
	name: string;
	type: string;
	label?: string | null;
	description?: string | null;
	unit?: string | null;
	decimals?: number | null;
	hidden?: boolean;
}

export interface ChartDefinition {
	kind: string;
	x?: string | null;
	y?: string | string[] | null;
	series?: string | null;
	max_series?: number | null;
	stacked?: boolean;
	orient?: string | null;
	y_min?: number | null;
	y_max?: number | null;
	reference?: number | null;
}

export interface Metric {
	id: string;
	name: string;
	group?: string | null;
	description?: string | null;
	caveat?: string | null;
	version: number;
	built_in: boolean;
	hidden?: boolean;
	parameters: Parameter[];
	columns: Column[];
	chart: ChartDefinition | null;
	visualisation: string | null;
	limit?: { default: number; max: number } | null;
	refresh_ms: number;
	timeout_ms: number;
	sql: string;
	data_url: string;
}

export interface MetricProblem {
	file: string;
	line: number;
	column: number;
	text: string;
	warning: boolean;
}

export interface Catalogue {
	metrics: Metric[];
	problems: MetricProblem[];
	revision: number;
}

export interface DataMeta {
	as_of: string;
	parameters: Record<string, Cell>;
	rows: number;
	truncated: boolean;
	limit?: number | null;
	elapsed_ms: number;
	/** Name, type and unit only; the rest is in the metric's definition. */
	columns: Column[];
	data_from: string | null;
	data_to: string | null;
	lag_seconds: number | null;
	from_rollup?: boolean;
	hint?: string | null;
	caveat?: string | null;
}

export interface Data {
	data: Row[];
	meta: DataMeta;
}

export interface Sweep {
	stream: string;
	status: string;
	started_at: string;
	pages: number;
	received: number;
	fresh: number;
	overlap: number | null;
	gap: boolean;
	gap_from: string | null;
	gap_to: string | null;
	error: string | null;
}

export interface Quarantined {
	at: string;
	stage: string;
	reason: string;
	detail: string | null;
	path: string | null;
	offset: number;
	bytes: number;
	first_bytes: string | null;
}

export interface Polling {
	running: boolean;
	has_token: boolean;
	/** The public feed is among the streams. */
	public_feed: boolean;
	streams: number;
	last_poll: string | null;
	last_answer: string | null;
	next_poll: string | null;
	quota: { limit: number | null; remaining: number | null; reset: string | null } | null;
	limited_until: string | null;
	poll_interval_seconds: number | null;
	failures_in_row: number;
	last_error: string | null;
	/** This machine's clock less GitHub's. */
	clock: { off: boolean; ahead_seconds: number | null };
}

/** What share of a feed was seen, and over which event time that was measured. */
export interface Seen {
	share: number;
	streams: number;
	sweeps: number;
	from: string | null;
	to: string | null;
}

export interface Pipeline {
	mode: string;
	demo: boolean;
	as_of: string;
	version: string;
	layers: {
		bronze: { files: number; bytes: number; events: number };
		silver: { files: number; live_files: number; bytes: number; events: number };
		gold: {
			rows: number;
			bytes: number;
			generation: number;
			loads: number;
			state: string;
			rebuild: {
				reason: string;
				rows_done: number;
				rows_total: number;
				files_done: number;
				files_total: number;
			} | null;
			newest_event: string | null;
			oldest_event: string | null;
			loaded_at: string | null;
		};
	};
	ledger: {
		received: number;
		stored: number;
		duplicates: number;
		filtered: number;
		quarantined: number;
		/** Events under way, and the batches that hold them. */
		waiting: number;
		batches: number;
		waiting_silver: number;
		waiting_gold: number;
		balanced: boolean;
	};
	polling: Polling | null;
	lag_seconds: number | null;
	/** null: not known yet. */
	seen: { public: Seen | null; watched: Seen | null };
	sweeps: Sweep[];
	gaps: number;
	quarantine: Quarantined[];
	quarantine_entries: number;
	/** low: polling is paused; full: silver and gold wait too. */
	disk: {
		state: string;
		free_bytes: number;
		reserve_bytes: number;
		polling_paused: boolean;
		paused_since: string | null;
	};
	stage_error: { at: string; text: string } | null;
}

/** A fault of one parameter, in the API's words. */
export interface FieldFault {
	name: string;
	detail: string;
}

export class Problem extends Error {
	constructor(
		/** 0: no answer came. */
		readonly status: number,
		readonly title: string,
		readonly detail: string,
		readonly instance: string | null = null,
		readonly faults: FieldFault[] = [],
		/** Ask again no sooner than this; 0: not said. */
		readonly retry_ms = 0,
	) {
		super(detail || title);
	}
}

export type Answer<T> = { same: true } | { same: false; body: T; etag: string | null };

async function readProblem(response: Response): Promise<Problem> {
	const retry_ms = Number(response.headers.get("Retry-After") ?? 0) * 1000 || 0;
	let body: Record<string, unknown> = {};
	try {
		body = (await response.json()) as Record<string, unknown>;
	} catch {
		// Not ours, or cut off: the status has to say it all.
	}
	const text = (name: string): string =>
		typeof body[name] === "string" ? (body[name] as string) : "";
	const faults: FieldFault[] = [];
	if (Array.isArray(body["errors"]))
		for (const fault of body["errors"] as Record<string, unknown>[])
			faults.push({
				name: String(fault["name"] ?? ""),
				detail: String(fault["detail"] ?? ""),
			});
	return new Problem(
		response.status,
		text("title") || `Status ${response.status}`,
		text("detail"),
		text("instance") || null,
		faults,
		retry_ms,
	);
}

/** One GET. With `etag`, an unchanged answer is told as `same`. The HTTP cache is left out, because
 * it would hide for max-age seconds what has just arrived. An abort by `signal` is thrown as such.
 */
export async function ask<T>(
	url: string,
	etag: string | null,
	signal: AbortSignal,
): Promise<Answer<T>> {
	let response: Response;
	try {
		response = await fetch(url, {
			headers: {
				Accept: "application/json",
				...(etag ? { "If-None-Match": etag } : {}),
			},
			cache: "no-store",
			credentials: "same-origin",
			signal,
		});
		if (response.status === 304) return { same: true };
		if (!response.ok) throw await readProblem(response);
		return {
			same: false,
			body: (await response.json()) as T,
			etag: response.headers.get("ETag"),
		};
	} catch (error) {
		if (error instanceof Problem || signal.aborted) throw error;
		throw new Problem(0, "No connection", "Octolake does not answer.");
	}
}

/** Lets at most `places` of the calls given to it run at once, in order of arrival: a browser opens
 * six connections to one origin, and slow metrics must not keep the status line waiting for one. */
export class Turnstile {
	private readonly waiting: (() => void)[] = [];

	constructor(private places: number) {}

	async pass<T>(work: () => Promise<T>): Promise<T> {
		if (this.places > 0) this.places--;
		else await new Promise<void>((resolve) => this.waiting.push(resolve));
		try {
			return await work();
		} finally {
			const next = this.waiting.shift();
			if (next) next();
			else this.places++;
		}
	}
}
