// SPDX-License-Identifier: Apache-2.0
// One metric: its words, its controls, its picture and the table beside it, and what is to be known
// about the answer. Old data stay until new ones are there; a failure dims them and says why in its
// own place.
import { ask, Problem, Turnstile, type Column, type Data, type Metric, type Row } from "./api";
import { Chart } from "./chart";
import { describeColumns, isTime, type Picture } from "./chart_definition";
import { Controls } from "./controls";
import { make, makeButton, makeProse, setAttribute, setHidden, uniqueId } from "./dom";
import { labelWithUnit, unitText } from "./format";
import { PanelNotes } from "./panel_notes";
import { eventTypeStyle } from "./palette";
import { readParameter, readShowsTable, writeAsOf, writeParameter, writeShowsTable } from "./state";
import { Table, type TableColumn } from "./table";
import { pivotRows, type SeriesOrder } from "./time_series";

/** A running answer dims what it will replace only when it takes this long. */
const DIM_AFTER_MS = 200;
/** A metric is asked again at most so often, and a slow one more seldom. */
const REFRESH_MS_MIN = 1500;
const SLOWNESS_FACTOR = 4;
const RETRY_MS = 5000;
const ANSWER_WAIT_MS = 5000;

const turnstile = new Turnstile(3);

/** What the panels are told with each round: when the lake's data changed, and the instant to ask
 * for. */
export interface Round {
	/** Changes whenever an answer may change. */
	data_version: string;
	as_of: string;
	now_ms: number;
	/** Rows in gold; null: not known yet. */
	rows: number | null;
}

export class Panel {
	readonly element: HTMLElement;
	/** Shown in the overview of the page; set by the page. */
	visible = true;
	private readonly controls: Controls;
	private readonly chart: Chart;
	private readonly table: Table;
	private readonly order: SeriesOrder = new Map();
	private readonly frame = make("div", { class: "frame" });
	private readonly empty = make("div", { class: "empty" });
	private readonly notes: PanelNotes;
	private readonly chart_button: HTMLButtonElement;
	private readonly table_button: HTMLButtonElement;
	private picture: Picture | null = null;
	private data: Data | null = null;
	private round: Round | null = null;
	private request: AbortController | null = null;
	private asked_url = "";
	private asked_version = "";
	private answered_url = "";
	private etag: string | null = null;
	private refused = false;
	private next_ms = 0;
	private due_ms = 0;

	constructor(readonly metric: Metric) {
		const title_id = uniqueId("metric");
		this.controls = new Controls(metric, (name, text) => {
			writeParameter(metric.id, name, text);
			this.refreshNow();
		});
		this.chart = new Chart(metric, this.order);
		this.table = new Table(metric.name, this.firstSort());
		this.chart_button = makeButton("Chart", () => this.chooseTable(false), "");
		this.table_button = makeButton("Table", () => this.chooseTable(true), "");
		this.notes = new PanelNotes(metric, () => this.refreshNow());
		this.frame.append(
			this.chart.element,
			this.table.element,
			this.empty,
			this.notes.strip,
		);
		setHidden(this.empty, true);
		this.element = make(
			"section",
			{
				class: "panel",
				attributes: {
					"aria-labelledby": title_id,
					"data-metric": metric.id,
				},
			},
			make(
				"header",
				{},
				make("h3", { text: metric.name, attributes: { id: title_id } }),
				make(
					"span",
					{
						class: "seg view",
						attributes: {
							role: "group",
							"aria-label": `View of ${metric.name}`,
						},
					},
					this.chart_button,
					this.table_button,
				),
			),
			makeProse(metric.description ?? "", "description"),
			this.controls.element,
			this.frame,
			this.notes.element,
		);
		if (!metric.description) this.element.querySelector(".description")!.remove();
		this.readState();
	}

	/** Takes controls and view from the URL. */
	readState(): void {
		this.controls.write((name) => readParameter(this.metric.id, name));
		this.showView();
	}

	/** Asks again when the data, the question or the refresh interval say so. */
	refresh(round: Round): void {
		this.round = round;
		const url = this.url(round);
		const changed = url !== this.asked_url;
		// What was refused stays refused until the question changes.
		if (!changed && this.refused) return;
		const due =
			changed ||
			round.data_version !== this.asked_version ||
			performance.now() >= this.due_ms;
		const first = this.data === null && this.request === null;
		if (
			!due ||
			(!this.visible && !first) ||
			(!changed && (this.request || performance.now() < this.next_ms))
		)
			return;
		void this.load(url, round);
	}

	/** As refresh, whatever was asked before. */
	refreshNow(): void {
		this.refused = false;
		this.next_ms = 0;
		this.due_ms = 0;
		if (this.round) this.refresh(this.round);
	}

	destroy(): void {
		this.request?.abort();
		this.chart.destroy();
		this.element.remove();
	}

	private url(round: Round): string {
		const query = new URLSearchParams();
		for (const [name, value] of this.controls.values()) query.set(name, value);
		const limit = readParameter(this.metric.id, "limit");
		if (limit !== null) query.set("limit", limit);
		if (round.as_of !== "now") query.set("as_of", round.as_of);
		const text = query.toString();
		return this.metric.data_url + (text ? `?${text}` : "");
	}

	private async load(url: string, round: Round): Promise<void> {
		this.request?.abort();
		const request = new AbortController();
		this.request = request;
		this.asked_url = url;
		this.asked_version = round.data_version;
		this.refused = false;
		const started_ms = performance.now();
		const replaces = url !== this.answered_url;
		const dim = window.setTimeout(
			() => replaces && setAttribute(this.frame, "aria-busy", "true"),
			DIM_AFTER_MS,
		);
		const late = window.setTimeout(
			() => request.abort(),
			this.metric.timeout_ms + ANSWER_WAIT_MS,
		);
		try {
			const answer = await turnstile.pass(() =>
				ask<Data>(url, replaces ? null : this.etag, request.signal),
			);
			if (this.request === request) this.take(url, answer.same ? null : answer);
		} catch (error) {
			if (this.request === request)
				this.fail(
					request.signal.aborted
						? new Problem(
								0,
								"No answer",
								"Octolake did not answer in time.",
							)
						: error,
				);
		} finally {
			clearTimeout(dim);
			clearTimeout(late);
			if (this.request === request) {
				this.request = null;
				const took_ms = performance.now() - started_ms;
				this.next_ms = Math.max(
					this.next_ms,
					performance.now() +
						Math.max(REFRESH_MS_MIN, took_ms * SLOWNESS_FACTOR),
				);
				this.due_ms = Math.max(
					this.next_ms,
					performance.now() + this.metric.refresh_ms,
				);
				setAttribute(this.frame, "aria-busy", null);
			}
		}
	}

	/** null: what is shown is still the answer. */
	private take(url: string, answer: { body: Data; etag: string | null } | null): void {
		if (answer) {
			this.etag = answer.etag;
			this.answered_url = url;
			this.data = answer.body;
			this.draw();
		}
		this.controls.showFaults([]);
		this.frame.classList.remove("stale");
		this.notes.showProblem(null);
		this.notes.showAnswer(this.data!, url, this.round!.now_ms);
	}

	private fail(error: unknown): void {
		const problem =
			error instanceof Problem
				? error
				: new Problem(
						0,
						"The page failed",
						error instanceof Error
							? error.message
							: String(error),
					);
		const elsewhere = this.controls.showFaults(problem.faults);
		const told_at_controls = problem.faults.length > 0 && elsewhere.length === 0;
		this.refused = problem.status === 422;
		this.frame.classList.add("stale");
		this.notes.showProblem(problem, told_at_controls, this.data !== null);
		this.next_ms = performance.now() + Math.max(RETRY_MS, problem.retry_ms);
	}

	private draw(): void {
		const data = this.data!;
		const columns = describeColumns(this.metric, data.meta.columns);
		this.picture = this.chart.update(data, columns);
		this.table.update(...this.tableOf(data, columns, this.picture));
		this.showEmpty(data);
		this.showView();
	}

	/** Series over time read across: one row for each step. */
	private tableOf(data: Data, columns: Column[], picture: Picture): [TableColumn[], Row[]] {
		if (!picture.series || !picture.x || !isTime(picture.x) || columns.length !== 3)
			return [columns, data.data];
		const { keys, rows } = pivotRows(data.data, picture, this.order);
		const y = picture.y[0]!;
		const values = keys.map((key): TableColumn => ({
			...y,
			name: key,
			field: `=${key}`,
			head: eventTypeStyle(key)?.label ?? (key || "not known"),
			description: key,
		}));
		const unit = unitText(y.unit);
		return [
			[
				{
					...picture.x,
					head: labelWithUnit(picture.x) + (unit ? `; ${unit}` : ""),
				},
				...values,
			],
			rows,
		];
	}

	/** Over time the newest stands first; all else as the metric orders it. */
	private firstSort(): { field: string; descending: boolean } | null {
		const kind = this.metric.chart?.kind;
		const x = this.metric.columns.find(
			(column) => column.name === this.metric.chart?.x,
		);
		return (kind === "line" || kind === "area") && x && isTime(x)
			? { field: x.name, descending: true }
			: null;
	}

	private showEmpty(data: Data): void {
		const is_empty = data.data.length === 0;
		setHidden(this.empty, !is_empty);
		if (!is_empty) return;
		const nothing_yet = this.round?.rows === 0;
		const parts: Node[] = [
			make("p", {
				class: "empty-title",
				text: nothing_yet
					? "Nothing collected yet"
					: "Nothing in this range",
			}),
		];
		if (nothing_yet)
			parts.push(
				make("p", {
					text: "The first events appear here as soon as they are stored.",
				}),
			);
		else if (data.meta.hint) parts.push(make("p", { text: data.meta.hint }));
		if (!nothing_yet && this.round?.as_of === "now")
			parts.push(makeButton("Jump to latest data", () => writeAsOf("data")));
		this.empty.replaceChildren(...parts);
	}

	private chooseTable(shows: boolean): void {
		writeShowsTable(this.metric.id, shows);
		this.showView();
	}

	private showView(): void {
		const drawable =
			this.picture === null
				? this.metric.chart?.kind !== "table"
				: this.picture.kind !== "table";
		const shows_table = !drawable || readShowsTable(this.metric.id);
		const is_empty = this.data === null || this.data.data.length === 0;
		setHidden(this.chart_button.parentElement!, !drawable);
		setAttribute(this.chart_button, "aria-pressed", String(!shows_table));
		setAttribute(this.table_button, "aria-pressed", String(shows_table));
		setHidden(this.chart.element, shows_table || is_empty);
		setHidden(this.table.element, !shows_table || is_empty);
		const over_time =
			this.metric.chart?.kind === "line" || this.metric.chart?.kind === "area";
		this.element.classList.toggle("wide", over_time);
	}
}
