// SPDX-License-Identifier: Apache-2.0
// Numbers, sizes, durations and instants as text. All times are UTC and say so where they stand
// alone.
import type { Cell, Column } from "./api";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** What stands for NULL: not known is never 0. */
export const NOT_KNOWN = "–";

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(least: number, most: number): Intl.NumberFormat {
	const key = `${least}/${most}`;
	let found = formatters.get(key);
	if (!found) {
		found = new Intl.NumberFormat("en-US", {
			minimumFractionDigits: least,
			maximumFractionDigits: most,
		});
		formatters.set(key, found);
	}
	return found;
}

/** 1,904,220 or 18.2; without `decimals` as many as a reader needs. */
export function formatNumber(value: number, decimals: number | null = null): string {
	if (!Number.isFinite(value)) return NOT_KNOWN;
	const size = Math.abs(value);
	const natural = Number.isInteger(value) ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
	const text = formatter(decimals ?? 0, decimals ?? natural).format(value);
	return text.replace("-", "−");
}

/** For axes, where room is fixed: 1.2 M from a million on. */
export function formatTick(value: number): string {
	const size = Math.abs(value);
	if (size >= 1e9) return `${formatNumber(value / 1e9)} G`;
	if (size >= 1e6) return `${formatNumber(value / 1e6)} M`;
	return formatNumber(value);
}

export function formatBytes(bytes: number): string {
	const units = ["B", "kB", "MB", "GB", "TB", "PB"];
	let index = 0;
	let value = bytes;
	while (value >= 1000 && index < units.length - 1) {
		value /= 1000;
		index++;
	}
	const decimals = index === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
	return `${formatNumber(value, decimals)} ${units[index]}`;
}

/** 5 min 12 s; 2 h 5 min; 3 d 4 h. */
export function formatDuration(seconds: number): string {
	const whole = Math.max(0, Math.round(seconds));
	const parts: [number, string][] = [
		[Math.floor(whole / 86400), "d"],
		[Math.floor(whole / 3600) % 24, "h"],
		[Math.floor(whole / 60) % 60, "min"],
		[whole % 60, "s"],
	];
	const first = parts.findIndex(([count]) => count > 0);
	if (first < 0) return "0 s";
	return parts
		.slice(first, first + 2)
		.filter(([count]) => count > 0)
		.map(([count, unit]) => `${count} ${unit}`)
		.join(" ");
}

/** A share of 0 to 1 in percent, as exact as a measured share is. */
export function formatShare(share: number): string {
	const percent = share * 100;
	if (percent > 0 && percent < 0.1) return "less than 0.1 %";
	return `${formatNumber(percent, percent < 10 && percent > 0 ? 1 : 0)} %`;
}

function pad(value: number): string {
	return String(value).padStart(2, "0");
}

/** 12:03 or, with seconds, 12:03:41. */
export function formatClock(ms: number, with_seconds: boolean): string {
	const date = new Date(ms);
	const minutes = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
	return with_seconds ? `${minutes}:${pad(date.getUTCSeconds())}` : minutes;
}

/** 20 Sep, or Sun 20 Sep 2026. */
export function formatDay(ms: number, long: boolean): string {
	const date = new Date(ms);
	const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
	return long ? `${DAYS[date.getUTCDay()]} ${day} ${date.getUTCFullYear()}` : day;
}

/** An instant on its own: 12:03:41 UTC, with the date unless it is the day of `now_ms`. */
export function formatInstant(ms: number, now_ms: number): string {
	const clock = `${formatClock(ms, true)} UTC`;
	return formatDay(ms, true) === formatDay(now_ms, true)
		? clock
		: `${formatDay(ms, true)}, ${clock}`;
}

/** Milliseconds of an RFC 3339 text; null for null and for what is none. */
export function parseInstant(text: string | null | undefined): number | null {
	const ms = text ? Date.parse(text) : NaN;
	return Number.isNaN(ms) ? null : ms;
}

/** "avg_minutes" as people write it: "Avg minutes". */
export function humanise(name: string): string {
	if (name === "ts") return "Time";
	const words = name.replace(/[_.]+/g, " ").trim();
	return words.charAt(0).toUpperCase() + words.slice(1);
}

export function columnLabel(column: Column): string {
	return column.label || humanise(column.name);
}

/** The unit as it stands beside a number or over an axis; "" where the number itself carries it. */
export function unitText(unit: string | null | undefined): string {
	return !unit || unit === "count" || unit === "bytes" || unit === "ratio"
		? ""
		: unit === "percent"
			? "%"
			: unit;
}

/** As over a column of numbers: "Count (events)", but not "Stars (stars)". */
export function labelWithUnit(column: Column): string {
	const label = columnLabel(column);
	const unit = column.type === "timestamp" ? "UTC" : unitText(column.unit);
	return unit === "" || unit === "%" || label.toLowerCase().includes(unit.toLowerCase())
		? label
		: `${label} (${unit})`;
}

/** A number of that column. Shares come as 0 to 1 and are shown in percent. */
export function formatColumnNumber(value: number, column: Column | undefined): string {
	const decimals = column?.decimals ?? null;
	if (column?.unit === "percent") return `${formatNumber(value * 100, decimals ?? 1)}%`;
	if (column?.unit === "bytes") return formatBytes(value);
	return formatNumber(value, decimals);
}

function formatTimeCell(text: string, type: string): string {
	const ms = parseInstant(text);
	if (ms === null) return text;
	return type === "date"
		? formatDay(ms, true)
		: `${formatDay(ms, true)}, ${formatClock(ms, true)}`;
}

/** A cell of a table. */
export function formatCell(cell: Cell | undefined, column: Column | undefined): string {
	if (cell === null || cell === undefined) return NOT_KNOWN;
	if (typeof cell === "number")
		return column?.type === "interval"
			? formatDuration(cell)
			: formatColumnNumber(cell, column);
	if (typeof cell === "boolean") return cell ? "yes" : "no";
	if (Array.isArray(cell))
		return cell.map((element) => formatCell(element, undefined)).join(", ");
	if (column?.type === "timestamp" || column?.type === "date")
		return formatTimeCell(cell, column.type);
	// Integers beyond 2^53 come as text, so that no digit is lost.
	if (column?.type === "integer" && /^-?\d+$/.test(cell))
		return cell.replace(/\B(?=(\d{3})+$)/g, ",").replace("-", "−");
	return cell;
}

/** The number in a cell; null when there is none. */
export function cellNumber(cell: Cell | undefined): number | null {
	const value =
		typeof cell === "number"
			? cell
			: typeof cell === "string" && /^-?\d+(\.\d+)?$/.test(cell)
				? Number(cell)
				: NaN;
	return Number.isFinite(value) ? value : null;
}
