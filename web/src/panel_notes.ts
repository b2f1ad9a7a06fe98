// SPDX-License-Identifier: Apache-2.0
// What stands under a panel's picture: caveat, how fresh and complete the answer is, where to fetch
// it, its SQL with the values in force. And the strip over the picture that says what went wrong.
import type { Cell, Data, Metric, Problem } from "./api";
import {
	make,
	makeButton,
	makeProse,
	patchChildren,
	setAttribute,
	setClass,
	setHidden,
	setText,
} from "./dom";
import { formatDuration, formatInstant, formatNumber, parseInstant } from "./format";

/** Intervals come in seconds, whatever they were written as. */
function showValue(cell: Cell, type: string | undefined): string {
	if (cell === null) return "not set";
	if (Array.isArray(cell)) return cell.map((element) => showValue(element, type)).join(", ");
	return typeof cell === "number" && (type === "duration" || type === "enum")
		? formatDuration(cell)
		: String(cell);
}

function withFormat(url: string, format: string): string {
	return `${url}${url.includes("?") ? "&" : "?"}format=${format}`;
}

export class PanelNotes {
	readonly element = make("div", { class: "notes" });
	/** Lies over the upper edge of the frame, so that it moves nothing. */
	readonly strip = make("div", { class: "strip", attributes: { role: "alert" } });
	private readonly strip_text = make("p");
	private readonly facts = make("ul", { class: "facts" });
	private readonly json = make("a", { text: "JSON" });
	private readonly csv = make("a", { text: "CSV" });
	private readonly question = make("p", { class: "question" });

	constructor(
		private readonly metric: Metric,
		retry: () => void,
	) {
		this.strip.append(this.strip_text, makeButton("Try again", retry));
		setHidden(this.strip, true);
		const links = make("p", { class: "links" }, this.json, this.csv);
		this.showLinks(metric.data_url);
		const sql = make(
			"details",
			{ class: "sql" },
			make("summary", { text: "SQL" }),
			this.question,
			make(
				"pre",
				{
					attributes: {
						tabindex: "0",
						"aria-label": `SQL of ${metric.name}`,
					},
				},
				make("code", { text: metric.sql.trim() }),
			),
		);
		if (metric.caveat) this.element.append(makeProse(metric.caveat, "caveat"));
		this.element.append(make("div", { class: "foot" }, this.facts, links), sql);
	}

	showAnswer(data: Data, url: string, now_ms: number): void {
		const { meta } = data;
		const facts: string[] = [];
		const as_of = parseInstant(meta.as_of);
		if (as_of !== null) facts.push(`As of ${formatInstant(as_of, now_ms)}`);
		const count = `${formatNumber(meta.rows)} ${meta.rows === 1 ? "row" : "rows"}`;
		facts.push(meta.truncated ? `first ${count}, there are more` : count);
		if (
			meta.lag_seconds !== null &&
			meta.lag_seconds !== undefined &&
			meta.lag_seconds > 0
		)
			facts.push(`newest event ${formatDuration(meta.lag_seconds)} old`);
		facts.push(
			`${formatNumber(meta.elapsed_ms, meta.elapsed_ms < 10 ? 1 : 0)} ms` +
				`${meta.from_rollup ? ", from rollup" : ""}`,
		);
		patchChildren(
			this.facts,
			facts,
			() => make("li"),
			(node, fact) => setText(node, fact),
		);
		this.showLinks(url);
		const values = Object.entries(meta.parameters).map(([name, cell]) => {
			const parameter = this.metric.parameters.find((one) => one.name === name);
			return `${name} = ${showValue(cell, parameter?.type)}`;
		});
		const bound = "Values are bound, never part of the text.";
		setText(
			this.question,
			values.length > 0
				? `With ${values.join("; ")}. ${bound}`
				: "No parameters.",
		);
	}

	/** `at_controls`: its faults are shown there already. */
	showProblem(problem: Problem | null, at_controls = false, has_data = false): void {
		setHidden(this.strip, problem === null);
		if (!problem) return;
		setClass(this.strip, at_controls ? "strip mild" : "strip");
		setHidden(this.strip.lastElementChild as HTMLElement, at_controls);
		const where = problem.instance ? ` (${problem.instance})` : "";
		const kept = has_data ? " Shown is the last good answer." : "";
		const cause = problem.detail || "no more is known";
		setText(
			this.strip_text,
			at_controls
				? `A parameter is not valid.${kept || " Nothing is shown."}`
				: `${problem.title}: ${cause}${where}${kept}`,
		);
	}

	private showLinks(url: string): void {
		setAttribute(this.json, "href", url);
		setAttribute(this.csv, "href", withFormat(url, "csv"));
		setAttribute(this.json, "aria-label", `${this.metric.name} as JSON`);
		setAttribute(this.csv, "aria-label", `${this.metric.name} as CSV`);
	}
}
