// SPDX-License-Identifier: Apache-2.0
// Which picture a metric has: what its definition says or, where it says nothing, what its columns
// allow.
import type { ChartDefinition, Column, Metric } from "./api";

export interface Picture {
	kind: "value" | "bar" | "line" | "area" | "table";
	x: Column | null;
	y: Column[];
	series: Column | null;
	series_max: number;
	stacked: boolean;
	horizontal: boolean;
	y_min: number | null;
	y_max: number | null;
	reference: number | null;
}

const KINDS = ["value", "bar", "line", "area", "table"];

export function isNumeric(column: Column): boolean {
	return column.type === "integer" || column.type === "number";
}

export function isTime(column: Column): boolean {
	return column.type === "timestamp" || column.type === "date";
}

function asList(names: string | string[] | null | undefined): string[] {
	return typeof names === "string" ? [names] : (names ?? []);
}

/** The columns of an answer, with all that the definition says about them; hidden ones left out. */
export function describeColumns(metric: Metric, columns: Column[]): Column[] {
	return columns
		.map((column) => ({
			...metric.columns.find((one) => one.name === column.name),
			...column,
		}))
		.filter((column) => !column.hidden);
}

function guessKind(columns: Column[], row_count: number): string {
	const numbers = columns.filter(isNumeric).length;
	if (numbers === 0) return "table";
	if (columns.some(isTime)) return "line";
	if (columns.length > numbers) return "bar";
	return row_count <= 1 ? "value" : "table";
}

/** Falls back to the table when the columns do not carry the picture. Metrics of version 1 that ask
 * for nothing get what their columns allow. */
export function choosePicture(metric: Metric, columns: Column[], row_count: number): Picture {
	const chart: Partial<ChartDefinition> = metric.chart ?? {};
	const find = (name: string | null | undefined): Column | null =>
		columns.find((column) => column.name === name) ?? null;
	const asks =
		KINDS.includes(chart.kind ?? "") &&
		!(chart.kind === "table" && metric.version === 1 && metric.visualisation === null);
	const kind = asks ? chart.kind! : guessKind(columns, row_count);
	const over_time = kind === "line" || kind === "area";
	const x =
		find(chart.x) ??
		(over_time ? columns.find(isTime) : columns.find((column) => !isNumeric(column))) ??
		null;
	const series = find(chart.series);
	const named = (asks ? asList(chart.y) : [])
		.map(find)
		.filter((column): column is Column => column !== null);
	const rest = columns.filter(
		(column) => isNumeric(column) && column !== x && column !== series,
	);
	// Columns that nobody named may not share a unit: only the first is drawn.
	const y =
		named.length > 0
			? named.slice(0, series ? 1 : 6)
			: rest.slice(0, kind === "value" ? 6 : 1);
	const possible =
		y.length > 0 && (kind === "value" || x !== null) && (!over_time || isTime(x!));
	return {
		kind: (possible ? kind : "table") as Picture["kind"],
		x,
		y,
		series,
		series_max: chart.max_series ?? 6,
		stacked: chart.stacked ?? false,
		horizontal: chart.orient === "horizontal",
		y_min: chart.y_min ?? null,
		y_max: chart.y_max ?? null,
		reference: chart.reference ?? null,
	};
}
