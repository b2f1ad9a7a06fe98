// SPDX-License-Identifier: Apache-2.0
// What a chart over time shows besides its series, drawn on uPlot's canvas: stretches without data,
// the step that is still filling, a reference line.
import type uPlot from "uplot";
import { canvasColor } from "./palette";
import type { TimeSeries } from "./time_series";

const LABEL_WIDTH_MIN = 64;

function pixels(plot: uPlot): number {
	return plot.ctx.canvas.width / plot.width || 1;
}

function hatch(
	context: CanvasRenderingContext2D,
	left: number,
	top: number,
	width: number,
	height: number,
	ratio: number,
): void {
	context.save();
	context.beginPath();
	context.rect(left, top, width, height);
	context.fillStyle = canvasColor("--hatch-bg");
	context.fill();
	context.clip();
	context.strokeStyle = canvasColor("--hatch");
	context.globalAlpha = 0.5;
	context.lineWidth = ratio;
	context.beginPath();
	// Anchored to the canvas, so that the lines stay where they are when the stretch grows.
	const spacing = 7 * ratio;
	const first = Math.floor((left - height) / spacing) * spacing;
	for (let x = first; x < left + width; x += spacing) {
		context.moveTo(x, top + height);
		context.lineTo(x + height, top);
	}
	context.stroke();
	context.restore();
}

function label(
	context: CanvasRenderingContext2D,
	text: string,
	middle: number,
	top: number,
	ratio: number,
): void {
	context.save();
	context.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
	context.textAlign = "center";
	context.textBaseline = "middle";
	const width = context.measureText(text).width + 12 * ratio;
	context.fillStyle = canvasColor("--panel");
	context.fillRect(middle - width / 2, top, width, 20 * ratio);
	context.fillStyle = canvasColor("--text-2");
	context.fillText(text, middle, top + 10 * ratio);
	context.restore();
}

/** Before the axes and series: hatching over the full height where no poll looked. */
export function drawBehind(plot: uPlot, model: TimeSeries, barred: boolean): void {
	const { left, top, width, height } = plot.bbox;
	const ratio = pixels(plot);
	const { x } = model;
	for (const [first, last] of model.uncovered) {
		// A line ends at the last point it has; a bar takes half a step to each side.
		const half = barred ? (model.step ?? 0) / 2 : 0;
		const from_time = barred ? x[first]! - half : x[Math.max(0, first - 1)]!;
		const to_time = barred ? x[last]! + half : x[Math.min(x.length - 1, last + 1)]!;
		const from = Math.max(left, plot.valToPos(from_time, "x", true));
		const to = Math.min(left + width, plot.valToPos(to_time, "x", true));
		if (!(to > from)) continue;
		hatch(plot.ctx, from, top, to - from, height, ratio);
		if (to - from > LABEL_WIDTH_MIN * ratio)
			label(plot.ctx, "No data", (from + to) / 2, top + 8 * ratio, ratio);
	}
}

/** After the series. `filling_from`: time from which on the values can still grow, or null. */
export function drawInFront(
	plot: uPlot,
	filling_from: number | null,
	reference: number | null,
): void {
	const { left, top, width, height } = plot.bbox;
	const ratio = pixels(plot);
	const context = plot.ctx;
	context.save();
	context.lineWidth = ratio;
	context.strokeStyle = canvasColor("--ink-soft");
	context.setLineDash([2 * ratio, 3 * ratio]);
	if (filling_from !== null) {
		const from = plot.valToPos(filling_from, "x", true);
		context.fillStyle = `${canvasColor("--panel")}99`;
		context.fillRect(from, top, left + width - from, height);
		context.beginPath();
		context.moveTo(from, top);
		context.lineTo(from, top + height);
		context.stroke();
	}
	if (reference !== null) {
		const y = plot.valToPos(reference, "y", true);
		context.beginPath();
		context.moveTo(left, y);
		context.lineTo(left + width, y);
		context.stroke();
	}
	context.restore();
}
