// SPDX-License-Identifier: Apache-2.0
// A chart over time: uPlot, wrapped this once, with its legend beside it. Gaps are hatched, the
// step that is still filling is washed. The pointer, or the arrow keys on the focused chart, choose
// the step whose values the legend shows. Sizes are fixed by app.css, so that nothing moves when
// data arrive.
import uPlot from "uplot";
import type { Column } from "./api";
import type { Picture } from "./chart_definition";
import { drawBehind, drawInFront } from "./chart_time_marks";
import { make, patchChildren, setAttribute, setHidden, setText } from "./dom";
import {
	formatClock,
	formatColumnNumber,
	formatDay,
	formatTick,
	NOT_KNOWN,
	unitText,
} from "./format";
import { canvasColor, onThemeChange } from "./palette";
import type { Series, TimeSeries } from "./time_series";

const FILL_ALPHA = "b0";
const WASH_ALPHA = "2e";

const drawn = new Set<TimeChart>();
onThemeChange(() => drawn.forEach((chart) => chart.redraw()));

function axisTimes(
	_: uPlot,
	splits: number[],
	__: number,
	___: number,
	increment: number,
): string[] {
	return splits.map((seconds) => {
		const ms = seconds * 1000;
		return increment >= 86400 || ms % 86_400_000 === 0
			? formatDay(ms, false)
			: formatClock(ms, increment < 60);
	});
}

/** Running sums from the first series up; a step where no series has a value stays a gap. */
function stack(series: Series[], count: number): (number | null)[][] {
	const sums: (number | null)[] = new Array<number | null>(count).fill(null);
	return series.map((one) => {
		one.values.forEach((value, index) => {
			if (value !== null) sums[index] = (sums[index] ?? 0) + value;
		});
		return [...sums];
	});
}

/** A point between two gaps has no line: it is drawn as a dot. */
function lonePoints(plot: uPlot, index: number): number[] {
	const values = plot.data[index] as (number | null)[];
	return values.flatMap((value, at) =>
		value !== null &&
		(values[at - 1] ?? null) === null &&
		(values[at + 1] ?? null) === null
			? [at]
			: [],
	);
}

export class TimeChart {
	readonly element: HTMLElement;
	private readonly canvas = make("div", {
		class: "plot-canvas",
		attributes: { tabindex: "0", role: "group" },
	});
	private readonly unit = make("span");
	private readonly legend_head = make("span", { class: "legend-head" });
	private readonly legend = make("ul", { class: "legend" });
	private readonly zone = make("p", { class: "plot-zone" });
	private readonly spoken = make("p", { class: "sr", attributes: { "aria-live": "polite" } });
	private readonly resized: ResizeObserver;
	private plot: uPlot | null = null;
	private shape = "";
	private model: TimeSeries = { x: [], series: [], step: null, uncovered: [], left_out: 0 };
	private as_of = 0;

	constructor(
		private readonly name: string,
		private picture: Picture,
	) {
		setAttribute(this.canvas, "aria-roledescription", "chart");
		this.element = make(
			"div",
			{ class: "plot" },
			make("div", { class: "plot-head" }, this.unit, this.legend_head),
			make(
				"div",
				{ class: "plot-body" },
				make("div", { class: "plot-left" }, this.canvas, this.zone),
				this.legend,
			),
			this.spoken,
		);
		this.canvas.addEventListener("keydown", (event) => this.moveCursor(event));
		this.resized = new ResizeObserver(() => this.fit());
		this.resized.observe(this.canvas);
		drawn.add(this);
	}

	/** `as_of` in seconds: a step that ends after it is still filling. */
	update(model: TimeSeries, picture: Picture, as_of: number): void {
		this.model = model;
		this.picture = picture;
		this.as_of = as_of;
		const shape = JSON.stringify([
			this.stacked(),
			picture.kind,
			model.series.map((one) => [one.key, one.color]),
		]);
		if (this.plot && shape === this.shape) this.plot.setData(this.data());
		else this.rebuild(shape);
		this.describe();
		this.showLegend();
	}

	redraw(): void {
		this.plot?.redraw(false);
	}

	destroy(): void {
		drawn.delete(this);
		this.resized.disconnect();
		this.plot?.destroy();
	}

	private column(): Column {
		return this.picture.y[0]!;
	}

	private stacked(): boolean {
		return (
			this.model.series.length > 1 &&
			(this.picture.stacked || this.picture.kind === "area")
		);
	}

	/** Bars that stand for different things side by side are drawn as lines: they would hide
	 * one another. */
	private barred(): boolean {
		return (
			this.picture.kind === "bar" &&
			(this.stacked() || this.model.series.length === 1)
		);
	}

	private data(): uPlot.AlignedData {
		const { x, series } = this.model;
		const values = this.stacked()
			? stack(series, x.length)
			: series.map((one) => one.values);
		// The tallest bar first, so that it does not cover the ones below it.
		return [x, ...(this.barred() ? values.reverse() : values)] as uPlot.AlignedData;
	}

	/** Index into model.series of uPlot's series `index` (1 is the first). */
	private seriesAt(index: number): Series {
		const { series } = this.model;
		return series[this.barred() ? series.length - index : index - 1]!;
	}

	private rebuild(shape: string): void {
		this.plot?.destroy();
		this.plot = null;
		this.shape = shape;
		if (this.canvas.clientWidth > 0)
			this.plot = new uPlot(this.options(), this.data(), this.canvas);
	}

	private fit(): void {
		const width = this.canvas.clientWidth;
		const height = this.canvas.clientHeight;
		if (width === 0 || height === 0 || this.shape === "") return;
		if (!this.plot) this.rebuild(this.shape);
		else if (this.plot.width !== width || this.plot.height !== height)
			this.plot.setSize({ width, height });
	}

	private options(): uPlot.Options {
		const font = `12px ${getComputedStyle(document.body).fontFamily}`;
		const axis = { stroke: () => canvasColor("--text-3"), font };
		const edge = { stroke: () => canvasColor("--axis"), width: 1 };
		return {
			width: this.canvas.clientWidth,
			height: this.canvas.clientHeight,
			legend: { show: false },
			padding: [8, 20, 0, 0],
			tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
			cursor: {
				drag: { x: false, y: false },
				y: false,
				points: { show: !this.barred(), size: 6 },
			},
			scales: {
				x: { time: true, range: (_, low, high) => this.span(low, high) },
				y: { range: (_, low, high) => this.range(low, high) },
			},
			axes: [
				{
					...axis,
					values: axisTimes,
					size: 28,
					gap: 4,
					space: 64,
					grid: { show: false },
					ticks: { ...edge, size: 4 },
					border: { ...edge, show: true },
				},
				{
					...axis,
					size: 56,
					gap: 6,
					space: 36,
					ticks: { show: false },
					values: (_, splits) =>
						splits.map((value) => this.tick(value)),
					grid: { stroke: () => canvasColor("--grid"), width: 1 },
				},
			],
			series: [{}, ...this.model.series.map((_, index) => this.line(index + 1))],
			bands:
				this.stacked() && !this.barred()
					? this.model.series.slice(1).map((_, index) => ({
							series: [index + 2, index + 1] as [
								number,
								number,
							],
						}))
					: [],
			hooks: {
				drawClear: [(plot) => drawBehind(plot, this.model, this.barred())],
				draw: [
					(plot) =>
						drawInFront(
							plot,
							this.fillingFrom(),
							this.picture.reference,
						),
				],
				setLegend: [() => this.showLegend()],
			},
		};
	}

	private line(index: number): uPlot.Series {
		const color = (): string => canvasColor(this.seriesAt(index).color);
		const filled = this.picture.kind === "area" || this.barred();
		const alpha = this.barred() ? "" : this.stacked() ? FILL_ALPHA : WASH_ALPHA;
		const result: uPlot.Series = {
			stroke: color,
			width: this.barred() ? 0 : this.stacked() ? 1 : 1.75,
			points: this.barred()
				? { show: false }
				: {
						show: (plot, at) => lonePoints(plot, at).length > 0,
						filter: lonePoints,
						size: 5,
						fill: color,
					},
		};
		if (!this.barred() && !this.stacked()) result.dash = this.seriesAt(index).dash;
		if (filled) result.fill = () => color() + alpha;
		if (this.barred()) result.paths = uPlot.paths.bars!({ size: [0.72, 48] });
		return result;
	}

	/** Bars need half a step of room at both ends. A single point stands in the middle of an
	 * hour. */
	private span(low: number, high: number): [number, number] {
		const { x, step } = this.model;
		if (x.length === 1) return [x[0]! - 1800, x[0]! + 1800];
		const room = this.barred() ? (step ?? 0) / 2 : 0;
		return [low - room, high + room];
	}

	private range(low: number, high: number): [number, number] {
		const { y_min, y_max, reference } = this.picture;
		const top = Math.max(high ?? 0, reference ?? 0);
		const bottom = Math.min(low ?? 0, 0);
		const [, nice] = uPlot.rangeNum(0, top > 0 ? top : 1, 0.1, true);
		return [y_min ?? (bottom < 0 ? bottom * 1.1 : 0), y_max ?? nice ?? 1];
	}

	private tick(value: number): string {
		const column = this.column();
		return column.unit === "percent" || column.unit === "bytes"
			? formatColumnNumber(value, { ...column, decimals: 0 })
			: formatTick(value);
	}

	/** Index of the last step when it is not complete; else null. */
	private fillingIndex(): number | null {
		const { x, step } = this.model;
		return step !== null && x.length > 1 && x[x.length - 1]! + step > this.as_of
			? x.length - 1
			: null;
	}

	/** Where the part that is not complete begins: a line from the step before it, a bar at its
	 * edge. */
	private fillingFrom(): number | null {
		const index = this.fillingIndex();
		const { x, step } = this.model;
		return index === null
			? null
			: this.barred()
				? x[index]! - step! / 2
				: x[index - 1]!;
	}

	/** The step that the legend shows: the chosen one, else the latest. */
	private shownIndex(): number {
		const chosen = this.plot?.cursor.idx;
		return chosen !== null && chosen !== undefined && chosen < this.model.x.length
			? chosen
			: this.latestIndex();
	}

	/** The last step that is complete and has a value. */
	private latestIndex(): number {
		let index =
			this.fillingIndex() === null
				? this.model.x.length - 1
				: this.model.x.length - 2;
		while (
			index > 0 &&
			this.model.series.every((one) => (one.values[index] ?? null) === null)
		)
			index--;
		return index;
	}

	private valueText(series: Series, index: number): string {
		const value = series.values[index] ?? null;
		return value === null ? NOT_KNOWN : formatColumnNumber(value, this.column());
	}

	private showLegend(): void {
		const index = this.shownIndex();
		const time = this.model.x[index];
		const sub_minute = (this.model.step ?? 0) % 60 !== 0;
		const daily = (this.model.step ?? 0) >= 86400;
		setText(
			this.legend_head,
			time === undefined
				? ""
				: `at ${
						daily || this.spansDays()
							? `${formatDay(time * 1000, false)} `
							: ""
					}${daily ? "" : formatClock(time * 1000, sub_minute)} UTC`,
		);
		// As stacked: what lies on top is named first.
		const listed = this.stacked()
			? [...this.model.series].reverse()
			: this.model.series;
		patchChildren(
			this.legend,
			listed,
			() =>
				make(
					"li",
					{},
					make("span", { class: "swatch" }),
					make("bdi"),
					make("b"),
				),
			(node, series) => {
				const [swatch, label, value] = [...node.children] as HTMLElement[];
				swatch!.style.setProperty("--c", `var(${series.color})`);
				setText(label!, series.label);
				setText(value!, this.valueText(series, index));
			},
		);
	}

	private spansDays(): boolean {
		const { x } = this.model;
		return (
			x.length > 0 &&
			formatDay(x[0]! * 1000, true) !== formatDay(x[x.length - 1]! * 1000, true)
		);
	}

	private describe(): void {
		const { x, series, left_out, uncovered } = this.model;
		setText(this.unit, unitText(this.column().unit));
		const first = x.length > 0 ? formatDay(x[0]! * 1000, true) : "";
		const last = x.length > 0 ? formatDay(x[x.length - 1]! * 1000, true) : "";
		const days = first === last ? first : `${first} – ${last}`;
		const more = left_out > 0 ? ` · ${left_out} more series in the table` : "";
		setText(this.zone, `${days}${days && ", "}UTC${more}`);
		setHidden(this.legend, series.length === 0);
		// A reader who is at the chart is not told its summary again and again.
		if (document.activeElement === this.canvas) return;
		const latest = series
			.map((one) => `${one.label} ${this.valueText(one, this.latestIndex())}`)
			.join(", ");
		const gaps =
			uncovered.length > 0 ? `${uncovered.length} stretches without data, ` : "";
		setAttribute(
			this.canvas,
			"aria-label",
			`${this.name}, chart of ${x.length} steps, ${gaps}latest: ${latest}. ` +
				"Arrow keys choose a step. The table has all values.",
		);
	}

	private moveCursor(event: KeyboardEvent): void {
		const last = this.model.x.length - 1;
		const plot = this.plot;
		if (!plot || last < 0) return;
		const at = this.shownIndex();
		const targets: Record<string, number> = {
			ArrowLeft: Math.max(0, at - 1),
			ArrowRight: Math.min(last, at + 1),
			Home: 0,
			End: last,
		};
		const target = targets[event.key];
		if (target === undefined && event.key !== "Escape") return;
		event.preventDefault();
		plot.setCursor(
			target === undefined
				? { left: -10, top: -10 }
				: { left: plot.valToPos(this.model.x[target]!, "x"), top: 0 },
		);
		if (target !== undefined)
			setText(
				this.spoken,
				`${this.legend_head.textContent ?? ""}: ${this.model.series
					.map((one) => `${one.label} ${this.valueText(one, target)}`)
					.join(", ")}`,
			);
	}
}
