// SPDX-License-Identifier: Apache-2.0
// The picture of one metric, whatever its kind, and the change from one kind to another when the
// answer's columns ask for it.
import type { Column, Data, Metric } from "./api";
import { BarChart } from "./chart_bars";
import { choosePicture, isTime, type Picture } from "./chart_definition";
import { TimeChart } from "./chart_time";
import { ValueChart } from "./chart_value";
import { make } from "./dom";
import { parseInstant } from "./format";
import { buildTimeSeries, type SeriesOrder } from "./time_series";

type Drawing = TimeChart | BarChart | ValueChart;

export class Chart {
	readonly element = make("div", { class: "chart" });
	private drawing: Drawing | null = null;

	constructor(
		private readonly metric: Metric,
		private readonly order: SeriesOrder,
	) {}

	/** Draws the answer and says which picture it chose; "table" draws nothing. */
	update(data: Data, columns: Column[]): Picture {
		const picture = choosePicture(this.metric, columns, data.data.length);
		const over_time =
			picture.kind === "line" ||
			picture.kind === "area" ||
			(picture.kind === "bar" && picture.x !== null && isTime(picture.x));
		if (over_time) {
			const chart = this.use(
				TimeChart,
				() => new TimeChart(this.metric.name, picture),
			);
			chart.update(
				buildTimeSeries(data.data, picture, this.order),
				picture,
				(parseInstant(data.meta.as_of) ?? 0) / 1000,
			);
		} else if (picture.kind === "bar") {
			this.use(BarChart, () => new BarChart(this.metric.name)).update(
				data.data,
				picture,
			);
		} else if (picture.kind === "value") {
			this.use(ValueChart, () => new ValueChart()).update(data.data, picture);
		}
		return picture;
	}

	destroy(): void {
		if (this.drawing instanceof TimeChart) this.drawing.destroy();
		this.drawing = null;
		this.element.replaceChildren();
	}

	private use<T extends Drawing>(kind: new (...args: never[]) => T, create: () => T): T {
		if (this.drawing instanceof kind) return this.drawing;
		this.destroy();
		const drawing = create();
		this.drawing = drawing;
		this.element.append(drawing.element);
		return drawing;
	}
}
