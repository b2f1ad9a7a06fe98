// SPDX-License-Identifier: Apache-2.0
// The pipeline panel: how much lies in each layer, whether every event is accounted for, what the
// last sweeps brought, what was set aside.
import type { Pipeline, Quarantined, Sweep, Row } from "./api";
import { byId, make, patchChildren, setClass, setText } from "./dom";
import { formatBytes, formatDuration, formatInstant, formatNumber, parseInstant } from "./format";
import { Table, type TableColumn } from "./table";

interface Stage {
	name: string;
	figure: string;
	unit: string;
	facts: [string, string][];
	tone: "" | "warn" | "bad" | "off";
}

const SWEEP_COLUMNS: TableColumn[] = [
	{ name: "started_at", type: "timestamp", label: "Started" },
	{ name: "stream", type: "string", label: "Stream" },
	{ name: "status", type: "string", label: "Status" },
	{ name: "pages", type: "integer", label: "Pages" },
	{ name: "received", type: "integer", label: "Received" },
	{ name: "fresh", type: "integer", label: "New" },
	{
		name: "overlap",
		type: "number",
		label: "Overlap",
		unit: "percent",
		decimals: 0,
		description: "Share of the sweep before that was met again",
	},
	{ name: "gap_text", type: "string", label: "Gap" },
	{ name: "error", type: "string", label: "Error" },
];

const QUARANTINE_COLUMNS: TableColumn[] = [
	{ name: "at", type: "timestamp", label: "Set aside" },
	{ name: "stage", type: "string", label: "Stage" },
	{ name: "reason", type: "string", label: "Reason" },
	{ name: "detail", type: "string", label: "Detail" },
	{ name: "path", type: "string", label: "From" },
	{ name: "offset", type: "integer", label: "Offset" },
	{ name: "bytes", type: "integer", label: "Bytes" },
	{ name: "first_bytes", type: "string", label: "First bytes" },
];

/** What came in is the sum of what became of it. */
const TERMS = [
	{ name: "received", operator: "" },
	{ name: "stored", operator: "=" },
	{ name: "duplicates", operator: "+" },
	{ name: "filtered", operator: "+" },
	{ name: "quarantined", operator: "+" },
	{ name: "waiting", operator: "+" },
] as const;

function gapText(sweep: Sweep, now_ms: number): string {
	const from = parseInstant(sweep.gap_from);
	const to = parseInstant(sweep.gap_to);
	if (!sweep.gap) return "";
	if (from === null || to === null) return "yes";
	const span = `${formatInstant(from, now_ms)} to ${formatInstant(to, now_ms)}`;
	return `${formatDuration((to - from) / 1000)}, ${span}`;
}

function sweepRow(sweep: Sweep, now_ms: number): Row {
	const { stream, status, started_at, pages, received, fresh, error } = sweep;
	const overlap = sweep.overlap === null || sweep.overlap < 0 ? null : sweep.overlap;
	return {
		stream,
		status,
		started_at,
		pages,
		received,
		fresh,
		overlap,
		error: error ?? "",
		gap_text: gapText(sweep, now_ms),
	};
}

function quarantineRow(entry: Quarantined): Row {
	return {
		at: entry.at,
		stage: entry.stage,
		reason: entry.reason,
		detail: entry.detail ?? "",
		path: entry.path ?? "",
		offset: entry.offset,
		bytes: entry.bytes,
		first_bytes: entry.first_bytes ?? "",
	};
}

function githubStage({ polling }: Pipeline): Stage {
	if (!polling) return { name: "GitHub", figure: "off", unit: "", facts: [], tone: "off" };
	const interval = polling.poll_interval_seconds;
	const ill = polling.failures_in_row > 0;
	return {
		name: "GitHub",
		figure: formatNumber(polling.streams),
		unit: polling.streams === 1 ? "stream" : "streams",
		facts: [
			[
				"Asked interval",
				interval === null || interval < 0
					? "not known"
					: formatDuration(interval),
			],
			["Token", polling.has_token ? "set" : "none"],
			["Failures in a row", formatNumber(polling.failures_in_row)],
		],
		tone: !polling.running ? "off" : ill ? "warn" : "",
	};
}

function stages(pipeline: Pipeline, now_ms: number): Stage[] {
	const { bronze, silver, gold } = pipeline.layers;
	const { ledger } = pipeline;
	const loaded = parseInstant(gold.loaded_at);
	const waits = (batches: number): string =>
		`${formatNumber(batches)} ${batches === 1 ? "batch" : "batches"}`;
	return [
		githubStage(pipeline),
		{
			name: "Bronze",
			figure: formatNumber(bronze.events),
			unit: "events",
			tone: "",
			facts: [
				["Files", formatNumber(bronze.files)],
				["Size", formatBytes(bronze.bytes)],
				["Batches", formatNumber(ledger.batches)],
			],
		},
		{
			name: "Silver",
			figure: formatNumber(silver.events),
			unit: "events",
			tone: "",
			facts: [
				[
					"Files",
					`${formatNumber(silver.files)}, ${formatNumber(silver.live_files)} live`,
				],
				["Size", formatBytes(silver.bytes)],
				["Waiting", waits(ledger.waiting_silver)],
			],
		},
		{
			name: "Gold",
			figure: formatNumber(gold.rows),
			unit: "events",
			tone: gold.state === "ready" ? "" : "warn",
			facts: [
				["Size", formatBytes(gold.bytes)],
				[
					"Loaded",
					loaded === null ? "never" : formatInstant(loaded, now_ms),
				],
				["Waiting", waits(ledger.waiting_gold)],
			],
		},
	];
}

export class PipelinePanel {
	private readonly flow = make("div", { class: "flow" });
	private readonly terms = make("div", { class: "terms" });
	private readonly balance = make("span", { class: "pill" });
	private readonly sweeps = new Table("Last sweeps");
	private readonly quarantine = new Table("Quarantine");
	private readonly sweeps_title = make("summary");
	private readonly quarantine_title = make("summary");

	constructor() {
		const details = (summary: HTMLElement, table: Table): HTMLElement =>
			make("details", { class: "panel" }, summary, table.element);
		byId("pipeline").append(
			make(
				"div",
				{ class: "panel" },
				this.flow,
				make("div", { class: "balance" }, this.terms, this.balance),
			),
			details(this.sweeps_title, this.sweeps),
			details(this.quarantine_title, this.quarantine),
		);
		setText(this.sweeps_title, "Last sweeps");
		setText(this.quarantine_title, "Quarantine");
	}

	update(pipeline: Pipeline, now_ms: number): void {
		patchChildren(
			this.flow,
			stages(pipeline, now_ms),
			() =>
				make(
					"div",
					{ class: "stage" },
					make(
						"h3",
						{},
						make("span", { class: "dot" }),
						make("span"),
					),
					make("p", { class: "figure" }, make("b"), make("span")),
					make("dl"),
				),
			(node, stage) => this.showStage(node, stage),
		);
		this.showBalance(pipeline);
		const gaps = pipeline.sweeps.filter((sweep) => sweep.gap).length;
		setText(
			this.sweeps_title,
			`Last sweeps: ${formatNumber(pipeline.sweeps.length)} shown, ` +
				`${gaps > 0 ? `${formatNumber(gaps)} with a gap` : "no gap among them"}`,
		);
		this.sweeps.update(
			SWEEP_COLUMNS,
			pipeline.sweeps.map((sweep) => sweepRow(sweep, now_ms)),
		);
		setText(
			this.quarantine_title,
			pipeline.quarantine_entries === 0
				? "Quarantine: empty"
				: `Quarantine: newest ${formatNumber(pipeline.quarantine.length)} of ` +
						formatNumber(pipeline.quarantine_entries),
		);
		this.quarantine.update(QUARANTINE_COLUMNS, pipeline.quarantine.map(quarantineRow));
	}

	private showStage(node: HTMLElement, stage: Stage): void {
		const dot = node.querySelector(".dot")!;
		setClass(dot, `dot ${stage.tone}`.trim());
		setText(dot.nextElementSibling!, stage.name);
		setText(node.querySelector("b")!, stage.figure);
		setText(node.querySelector("b + span")!, stage.unit);
		patchChildren(
			node.querySelector("dl")!,
			stage.facts,
			() => make("div", {}, make("dt"), make("dd")),
			(pair, [key, value]) => {
				setText(pair.children[0]!, key);
				setText(pair.children[1]!, value);
			},
		);
	}

	private showBalance({ ledger }: Pipeline): void {
		patchChildren(
			this.terms,
			TERMS,
			() => make("span", { class: "term" }, make("i"), make("b"), make("span")),
			(node, { name, operator }) => {
				setText(node.children[0]!, operator);
				setText(node.children[1]!, formatNumber(ledger[name]));
				setText(node.children[2]!, name);
			},
		);
		setText(this.balance, ledger.balanced ? "Balanced" : "Not balanced");
		setClass(this.balance, ledger.balanced ? "pill ok" : "pill bad");
	}
}
