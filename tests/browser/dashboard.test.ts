// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser against the real program: every metric has its panel, controls
// lead to requests and to the URL, all stays fresh without a reload, nothing from the feed is ever
// executed, and nothing is asked of another host. Skips when OCTOLAKE_CHROMIUM names no browser.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { openPage, skip, WAIT_MS, type Watched } from "../support/browser";
import {
	getJson,
	startFake,
	startOctolake,
	temporaryFolder,
	waitFor,
	type Octolake,
} from "../support/processes";

const OWN_METRIC = `version: 2
kpis:
  - id: ours_NUMBER
    name: "Ours NUMBER <b>bold</b>"
    description: "Counts <script>window.pwned = 1</script> all events"
    visualisation: value
    chart: {kind: value, y: stored_events}
    columns: {stored_events: {unit: events}}
    sql: SELECT COUNT(*) AS stored_events FROM events
`;

const panel = (id: string): string => `section[data-metric="${id}"]`;

/** Digits of a text as a number: "1,234 events" is 1234. */
function numberIn(text: string): number {
	return Number(text.replace(/[^0-9]/g, ""));
}

function receivedEvents(watched: Watched): Promise<number> {
	return watched.text("#pipeline .term b").then(numberIn);
}

async function seesEveryMetric(watched: Watched, octolake: Octolake): Promise<void> {
	const { metrics } = await getJson<{ metrics: { id: string; name: string }[] }>(
		`${octolake.ui}/api/v1/metrics`,
	);
	assert.ok(metrics.length >= 6);
	for (const { id, name } of metrics) {
		await watched.page.waitForSelector(panel(id));
		assert.equal(await watched.text(`${panel(id)} h3`), name);
		const picture = ".chart:not([hidden]) :is(canvas, .bars li, dd b)";
		await waitFor(
			() => watched.count(`${panel(id)} ${picture}`),
			WAIT_MS,
			`picture of ${id}`,
		);
		await watched.page
			.locator(`${panel(id)} .view button`, { hasText: "Table" })
			.click();
		await waitFor(
			() => watched.count(`${panel(id)} .table:not([hidden]) tbody tr`),
			WAIT_MS,
			`rows of ${id}`,
		);
	}
	const shown = new URL(watched.page.url()).searchParams.get("table")?.split(",") ?? [];
	assert.deepEqual([...shown].sort(), metrics.map((metric) => metric.id).sort());
	// The pictures come back from the table as they were.
	await watched.page
		.locator(`${panel("events_per_minute")} .view button`, { hasText: "Chart" })
		.click();
	await watched.page.waitForSelector(`${panel("events_per_minute")} canvas`);
}

async function changesOffset(watched: Watched): Promise<void> {
	const field = watched.page.locator(`${panel("event_count_offset")} input[type=number]`);
	assert.equal(await field.inputValue(), "60");
	await field.fill("30");
	await field.press("Enter");
	await waitFor(
		() =>
			watched.urls.some((url) =>
				url.endsWith("/event_count_offset/data?offset=30"),
			),
		WAIT_MS,
		"request with the new value",
	);
	assert.equal(
		new URL(watched.page.url()).searchParams.get("event_count_offset.offset"),
		"30",
	);

	await watched.page.goBack();
	await waitFor(
		async () => (await field.inputValue()) === "60",
		WAIT_MS,
		"the step back in the URL",
	);
	await watched.page.goForward();
	await waitFor(async () => (await field.inputValue()) === "30", WAIT_MS, "the step forward");
	await watched.page.reload();
	await watched.page.waitForSelector(panel("event_count_offset"));
	assert.equal(await field.inputValue(), "30");
}

async function staysFresh(watched: Watched): Promise<void> {
	await watched.page.evaluate(() => ((window as unknown as { kept: number }).kept = 1));
	const cell = `${panel("event_count_offset")} tbody td.number`;
	await watched.page.waitForSelector(cell);
	await watched.page.locator(panel("event_count_offset")).scrollIntoViewIfNeeded();
	const events = numberIn(await watched.text(cell));
	const received = await receivedEvents(watched);
	await waitFor(
		async () => (await receivedEvents(watched)) > received,
		WAIT_MS,
		"pipeline numbers grow",
	);
	await waitFor(
		async () => numberIn(await watched.text(cell)) > events,
		WAIT_MS,
		"the metric grows",
	);
	assert.equal(
		await watched.page.evaluate(() => (window as unknown as { kept?: number }).kept),
		1,
		"no reload",
	);
	assert.match(await watched.text("#status"), /Data to\s+\d\d:\d\d:\d\d UTC/);
	assert.match(await watched.text("#status"), /Quota/);
}

async function followsMetricFiles(watched: Watched, file: string): Promise<void> {
	fs.writeFileSync(file, OWN_METRIC.replaceAll("NUMBER", "2"));
	await watched.page.waitForSelector(panel("ours_2"));
	await waitFor(
		() => watched.count(`${panel("ours_1")}`).then((count) => count === 0),
		WAIT_MS,
		"the old one leaves",
	);
	assert.equal(await watched.text(`${panel("ours_2")} h3`), "Ours 2 <b>bold</b>");
	fs.writeFileSync(file, "version: 2\nkpis: [{id: 7}]\n");
	await watched.page.waitForSelector("#metrics > .faults:not([hidden]) li");
	assert.match(await watched.text("#metrics > .faults"), /^own\.yaml:2:\d+/);
	assert.equal(await watched.count(panel("ours_2")), 1, "the last good version stays");
}

async function showsFaultsAtControl(watched: Watched): Promise<void> {
	const field = watched.page.locator(`${panel("event_count_offset")} input[type=number]`);
	await field.fill("9999999");
	await field.press("Enter");
	await watched.page.waitForSelector(`${panel("event_count_offset")} .field.bad`);
	assert.match(await watched.text(`${panel("event_count_offset")} .field-line`), /43200/);
	assert.equal(await field.getAttribute("aria-invalid"), "true");
	assert.ok(
		(await watched.count(`${panel("event_count_offset")} tbody tr`)) > 0,
		"old rows stay",
	);
	await watched.page.locator(`${panel("event_count_offset")} .reset`).click();
	await waitFor(
		() =>
			watched
				.count(`${panel("event_count_offset")} .field.bad`)
				.then((count) => count === 0),
		WAIT_MS,
		"the fault goes with its value",
	);
}

async function fitsPhone(watched: Watched): Promise<void> {
	await watched.page.setViewportSize({ width: 360, height: 740 });
	await waitFor(
		() =>
			watched.page.evaluate(
				() =>
					document.documentElement.scrollWidth <=
					document.documentElement.clientWidth,
			),
		10_000,
		"no sideways scrolling",
	);
}

async function isLabelled(watched: Watched): Promise<void> {
	const nameless = await watched.page.evaluate(() =>
		Array.from(
			document.querySelectorAll<HTMLElement>(
				"input, select, button, a, section, nav",
			),
		)
			.filter((node) => {
				const labels = (node as HTMLInputElement).labels?.length ?? 0;
				return (
					labels === 0 &&
					!node.getAttribute("aria-label") &&
					!node.getAttribute("aria-labelledby") &&
					(node.matches("input, select, section, nav") ||
						node.textContent?.trim() === "") &&
					node.closest("[hidden]") === null
				);
			})
			.map((node) => node.outerHTML.slice(0, 120)),
	);
	assert.deepEqual(nameless, []);
}

test("the dashboard shows every metric and keeps it fresh", { skip }, async (context) => {
	const fake = await startFake(["--synthetic", "11", "--rate", "40", "--poll-interval", "1"]);
	context.after(() => fake.stop());
	const file = path.join(temporaryFolder(), "own.yaml");
	fs.writeFileSync(file, OWN_METRIC.replaceAll("NUMBER", "1"));
	const octolake = await startOctolake(["run", "--api-url", fake.url, "--metrics", file], {
		env: { GITHUB_TOKEN: "browser-test" },
	});
	context.after(() => octolake.stop());
	const watched = await openPage(context, octolake);

	await seesEveryMetric(watched, octolake);
	await changesOffset(watched);
	await staysFresh(watched);
	await followsMetricFiles(watched, file);
	await isLabelled(watched);
	await fitsPhone(watched);
	watched.assertClean();
	await showsFaultsAtControl(watched);
	watched.assertClean(/status of 422/);
});

test("what the feed holds is shown as text", { skip }, async (context) => {
	const hostile = `<img src=x onerror="window.pwned=1">/"><script>window.pwned=1</script>`;
	const events = [1, 2, 3].map((number) => ({
		id: `4000000000${number}`,
		type: "WatchEvent",
		public: true,
		created_at: `2026-03-01T12:00:0${number}Z`,
		actor: {
			id: number,
			login: `person-${number}`,
			url: "https://api.github.com/users/x",
		},
		repo: { id: 77, name: hostile, url: "https://api.github.com/repos/x/y" },
		payload: { action: "started" },
	}));
	const feed = path.join(temporaryFolder(), "feed.json");
	fs.writeFileSync(feed, JSON.stringify(events.reverse()));
	const fake = await startFake(["--replay", feed, "--poll-interval", "0"]);
	context.after(() => fake.stop());
	const octolake = await startOctolake(
		["run", "--batch", "--until-quiet", "--api-url", fake.url],
		{ env: { GITHUB_TOKEN: "browser-test" } },
	);
	context.after(() => octolake.stop());
	const watched = await openPage(context, octolake, "?top_repos_by_stars.window=30d");

	// Nothing is polled any more, so the page asks as of the newest event by itself.
	const label = `${panel("top_repos_by_stars")} .bars li .bar-label`;
	await watched.page.waitForSelector(label);
	assert.equal(await watched.text(label), hostile);
	await watched.page
		.locator(`${panel("top_repos_by_stars")} .view button`, { hasText: "Table" })
		.click();
	assert.equal(await watched.text(`${panel("top_repos_by_stars")} tbody td`), hostile);
	assert.equal(
		await watched.page.evaluate(() => (window as unknown as { pwned?: number }).pwned),
		undefined,
	);
	assert.match(await watched.text("#mode"), /Batch/);
	watched.assertClean();
});
