// SPDX-License-Identifier: Apache-2.0
// The state of the page is its URL and nothing else: `METRIC.PARAMETER=value`,
// `table=METRIC,METRIC` for the panels that show their table, `as_of=`. What equals its default is
// not written.

type Listener = () => void;

const listeners: Listener[] = [];

function current(): URLSearchParams {
	return new URLSearchParams(location.search);
}

function write(search: URLSearchParams): void {
	// Readable: none of these needs an escape in a query.
	const text = search
		.toString()
		.replace(/%2C/g, ",")
		.replace(/%2F/g, "/")
		.replace(/%3A/g, ":");
	const url = location.pathname + (text ? `?${text}` : "") + location.hash;
	if (url !== location.pathname + location.search + location.hash)
		history.pushState(null, "", url);
}

/** Value of a metric's parameter as written; null: not in the URL. */
export function readParameter(metric: string, name: string): string | null {
	return current().get(`${metric}.${name}`);
}

export function writeParameter(metric: string, name: string, value: string | null): void {
	const search = current();
	if (value === null) search.delete(`${metric}.${name}`);
	else search.set(`${metric}.${name}`, value);
	write(search);
}

/** What the URL demands; null: whatever suits the mode. */
export function readAsOf(): string | null {
	return current().get("as_of");
}

export function writeAsOf(as_of: string | null): void {
	const search = current();
	if (as_of === null) search.delete("as_of");
	else search.set("as_of", as_of);
	write(search);
	listeners.forEach((listener) => listener());
}

function tables(search: URLSearchParams): string[] {
	return (search.get("table") ?? "").split(",").filter((id) => id !== "");
}

export function readShowsTable(metric: string): boolean {
	return tables(current()).includes(metric);
}

export function writeShowsTable(metric: string, shows: boolean): void {
	const search = current();
	const others = tables(search).filter((id) => id !== metric);
	const all = shows ? [...others, metric] : others;
	if (all.length > 0) search.set("table", all.join(","));
	else search.delete("table");
	write(search);
}

/** Calls back when the URL changed otherwise than by writeParameter and writeShowsTable. */
export function onStateChange(listener: Listener): void {
	listeners.push(listener);
}

addEventListener("popstate", () => listeners.forEach((listener) => listener()));
