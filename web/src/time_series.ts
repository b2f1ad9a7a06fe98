// SPDX-License-Identifier: Apache-2.0
// Rows to aligned series over time. What the rows do not say is null: a step without a row, or with
// NULL, is a gap and never 0 or a straight line.
import type { Row } from "./api";
import type { Picture } from "./chart_definition";
import { cellNumber, columnLabel, parseInstant } from "./format";
import {
	eventTypeOrder,
	eventTypeStyle,
	OTHER_COLOR,
	slotStyle,
	type SeriesStyle,
} from "./palette";

export interface Series extends SeriesStyle {
	key: string;
	values: (number | null)[];
}

export interface TimeSeries {
	/** Seconds since 1970, ascending. */
	x: number[];
	series: Series[];
	/** Seconds from one step to the next; null when there is no regular step. */
	step: number | null;
	/** Pairs of indices into x: first and last step of each stretch that has rows and no value.
	 */
	uncovered: [number, number][];
	/** Series that are only in the table, because there is no more room and no sum. */
	left_out: number;
}

type Values = Map<number, number | null>;

/** Remembers in which order series first came, so that live values never change places. */
export type SeriesOrder = Map<string, number>;

/** null for an empty list or no regular step. */
function findStep(x: number[]): number | null {
	const differences = x.slice(1).map((value, index) => value - x[index]!);
	if (differences.length === 0) return null;
	const least = differences.reduce((a, b) => Math.min(a, b));
	const regular = differences.every(
		(difference) =>
			Math.abs(difference / least - Math.round(difference / least)) < 1e-6,
	);
	return regular ? least : null;
}

/** All steps from the first to the last, so that a missing one breaks the line. */
function fillSteps(x: number[], step: number | null): number[] {
	const STEPS_MAX = 20_000;
	if (step === null || (x[x.length - 1]! - x[0]!) / step > STEPS_MAX) return x;
	const count = Math.round((x[x.length - 1]! - x[0]!) / step) + 1;
	return Array.from({ length: count }, (_, index) => x[0]! + index * step);
}

function readValues(
	rows: Row[],
	picture: Picture,
): { found: Map<string, Values>; times: Set<number> } {
	const found = new Map<string, Values>();
	const times = new Set<number>();
	const valuesOf = (key: string): Values => {
		let values = found.get(key);
		if (!values) found.set(key, (values = new Map()));
		return values;
	};
	for (const row of rows) {
		const ms = parseInstant(String(row[picture.x!.name] ?? ""));
		if (ms === null) continue;
		times.add(ms / 1000);
		if (picture.series)
			valuesOf(String(row[picture.series.name] ?? "")).set(
				ms / 1000,
				cellNumber(row[picture.y[0]!.name]),
			);
		else
			for (const column of picture.y)
				valuesOf(column.name).set(ms / 1000, cellNumber(row[column.name]));
	}
	return { found, times };
}

/** Event types in their fixed order; others as they first came, the largest first that time. */
function orderKeys(found: Map<string, Values>, order: SeriesOrder): string[] {
	const total = (key: string): number =>
		[...found.get(key)!.values()].reduce<number>(
			(sum, value) => sum + Math.abs(value ?? 0),
			0,
		);
	const fresh = [...found.keys()].filter((key) => !order.has(key));
	fresh.sort((a, b) => total(b) - total(a) || (a < b ? -1 : 1));
	for (const key of fresh) order.set(key, order.size);
	const place = (key: string): number => eventTypeOrder(key) ?? 1000 + order.get(key)!;
	return [...found.keys()].sort((a, b) => place(a) - place(b));
}

function sumOf(keys: string[], found: Map<string, Values>, x: number[]): (number | null)[] {
	return x.map((time) => {
		const values = keys
			.map((key) => found.get(key)!.get(time) ?? null)
			.filter((value) => value !== null);
		return values.length > 0
			? values.reduce<number>((sum, value) => sum + value!, 0)
			: null;
	});
}

function findUncovered(x: number[], times: Set<number>, series: Series[]): [number, number][] {
	const result: [number, number][] = [];
	x.forEach((time, index) => {
		if (!times.has(time) || series.some((one) => one.values[index] !== null)) return;
		const last = result[result.length - 1];
		if (last && last[1] === index - 1) last[1] = index;
		else result.push([index, index]);
	});
	return result;
}

export function buildTimeSeries(rows: Row[], picture: Picture, order: SeriesOrder): TimeSeries {
	const { found, times } = readValues(rows, picture);
	const sorted = [...times].sort((a, b) => a - b);
	const step = findStep(sorted);
	const x = sorted.length > 0 ? fillSteps(sorted, step) : [];
	const keys = picture.series ? orderKeys(found, order) : [...found.keys()];
	const shown = keys.slice(0, picture.series ? picture.series_max : 6);
	const rest = keys.slice(shown.length);
	const series: Series[] = shown.map((key, index) => {
		const label = picture.series
			? key || "not known"
			: columnLabel(picture.y.find((column) => column.name === key)!);
		const style =
			(picture.series && eventTypeStyle(key)) ||
			slotStyle(label, index, shown.length);
		return {
			...style,
			key,
			values: x.map((time) => found.get(key)!.get(time) ?? null),
		};
	});
	const adds_up = picture.stacked || picture.kind === "area";
	if (rest.length > 0 && adds_up)
		series.push({
			key: "",
			label: `Other, ${rest.length}`,
			color: OTHER_COLOR,
			dash: [],
			values: sumOf(rest, found, x),
		});
	return {
		x,
		series,
		step,
		uncovered: findUncovered(x, times, series),
		left_out: adds_up ? 0 : rest.length,
	};
}

/** The same rows as a table reads them: one row for each step, a column for each value of the
 * series. */
export function pivotRows(
	rows: Row[],
	picture: Picture,
	order: SeriesOrder,
): { keys: string[]; rows: Row[] } {
	const { found } = readValues(rows, picture);
	const x_name = picture.x!.name;
	const y_name = picture.y[0]!.name;
	const by_time = new Map<string, Row>();
	for (const row of rows) {
		const time = String(row[x_name] ?? "");
		let target = by_time.get(time);
		if (!target) by_time.set(time, (target = { [x_name]: row[x_name] ?? null }));
		target[`=${String(row[picture.series!.name] ?? "")}`] = row[y_name] ?? null;
	}
	return { keys: orderKeys(found, order), rows: [...by_time.values()] };
}
