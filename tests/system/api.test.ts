// SPDX-License-Identifier: Apache-2.0
// The API as clients meet it: shapes, hints, status codes, hostile values, metric files edited while it
// runs, slow queries, and a stop that drains.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import test, { after, before } from "node:test";
import { countBy, filesBelow, shownEvents, TOKEN, type Event } from "../support/lake";
import { get, getJson, sleep, startFake, startOctolake, temporaryFolder, waitFor, type Fake, type Octolake }
	from "../support/processes";

const BUILT_IN = ["avg_pr_time", "event_count_offset", "events_per_minute", "top_repos_by_stars", "pr_merge_rate",
	"busiest_orgs"];

const OWN_METRICS = `version: 2
kpis:
  - id: test_echo
    name: Echo
    description: What was bound, and how often it is a repository.
    parameters:
      text: {type: string, required: true, max_length: 200}
    visualisation: table
    sql: |
      SELECT \${text} AS echo, '<' || '\${text}' || '>' AS quoted, '%\${text}%' AS pattern,
             (SELECT COUNT(*) FROM events WHERE repo_name = \${text}) AS found -- \${text} in a comment
  - id: test_rows
    name: Rows
    description: Rows and distinct keys.
    visualisation: table
    sql: SELECT COUNT(*) AS "rows", COUNT(DISTINCT (id, type, created_at)) AS "keys" FROM events
  - id: test_slow
    name: Slow
    description: More work than a second allows.
    timeout: 1s
    visualisation: table
    sql: |
      SELECT SUM(hash(a.range, b.range, c.range) % 7) AS total
      FROM range(100000) a CROSS JOIN range(100000) b CROSS JOIN range(100000) c
`;

const FORK_METRIC = (name: string, id = "test_forks") => `version: 2
kpis:
  - id: ${id}
    name: ${name}
    description: Forks.
    visualisation: value
    sql: SELECT COUNT(*) AS forks FROM events WHERE type = 'ForkEvent'
`;

let fake: Fake;
let octolake: Octolake;
let cwd: string;
let metrics_folder: string;
let shown: Event[];

before(async () => {
	fake = await startFake(["--synthetic", "10", "--rate", "0", "--backlog", "300", "--poll-interval", "1"]);
	cwd = temporaryFolder();
	metrics_folder = path.join(cwd, "metrics");
	fs.mkdirSync(metrics_folder);
	fs.writeFileSync(path.join(metrics_folder, "own.yaml"), OWN_METRICS);
	octolake = await startOctolake(["--api-url", fake.url, "--types", "all", "--data", path.join(cwd, "lake"),
		"--metrics", metrics_folder], { cwd, env: { GITHUB_TOKEN: TOKEN } });
	await waitFor(async () => (await getJson(`${octolake.api}/api/v1/pipeline`)).layers.gold.rows === 300, 30_000,
		"the feed in gold");
	shown = await shownEvents(fake);
});

after(async () => {
	await octolake?.stop();
	await fake?.stop();
});

const data = (metric: string, query = "") =>
	get(`${octolake.api}/api/v1/metrics/${metric}/data${query && `?${query}`}`);

/** The path as it stands, without the cleaning that fetch does. */
function getRaw(target: string, options: http.RequestOptions = {}, body?: string):
	Promise<{ status: number; headers: http.IncomingHttpHeaders; text: string }> {
	const { hostname, port } = new URL(octolake.api);
	return new Promise((resolve, reject) => {
		const request = http.request({ hostname, port, path: target, agent: false, ...options }, (response) => {
			let text = "";
			response.setEncoding("utf8").on("data", (part) => (text += part));
			response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
		});
		request.on("error", reject);
		request.end(body);
	});
}

test("/kpi in the first system's shape", async () => {
	const answer = await get(`${octolake.api}/kpi/event_count_offset?offset=43200&of=1&format=csv`);
	assert.equal(answer.status, 200, answer.text);
	assert.match(answer.headers.get("content-type")!, /^application\/json/);
	const body = JSON.parse(answer.text);
	assert.deepEqual(Object.keys(body), ["id", "name", "visualisation", "data"]);
	assert.equal(body.id, "event_count_offset");
	assert.equal(body.visualisation, null);
	const ignored = answer.headers.get("x-ignored-parameters")!.split(", ").sort();
	assert.deepEqual(ignored, ["format", "of"]);
	const counts = Object.fromEntries(body.data.map((row: any) => [row.event_type, row.count]));
	const expected = countBy(shown, (event) => event.type.toLowerCase());
	for (const [type, count] of Object.entries(expected))
		assert.equal(counts[type], count, type);
	for (const type of ["watchevent", "pullrequestevent", "issuesevent"])
		assert.ok(type in counts, `${type} is always among them`);
	assert.equal((await get(`${octolake.ui}/kpi/event_count_offset`)).status, 200, "on the other port too");
});

test("the catalogue, one definition, both formats of data", async () => {
	const catalogue = await getJson(`${octolake.api}/api/v1/metrics`);
	const ids = catalogue.metrics.map((metric: any) => metric.id);
	for (const id of [...BUILT_IN, "test_echo"])
		assert.ok(ids.includes(id), id);
	assert.deepEqual(catalogue.problems, []);
	const one = await getJson(`${octolake.api}/api/v1/metrics/event_count_offset`);
	assert.equal(one.parameters[0].name, "offset");
	assert.equal(one.parameters[0].max, 43200);
	assert.equal(one.built_in, true);

	const json = await data("event_count_offset", "as_of=data&offset=43200");
	const body = JSON.parse(json.text);
	assert.deepEqual(Object.keys(body), ["id", "name", "visualisation", "data", "meta"]);
	assert.equal(body.meta.rows, body.data.length);
	assert.equal(body.meta.parameters.offset, 43200);
	assert.deepEqual(body.meta.columns.map((column: any) => column.name), ["event_type", "count"]);
	assert.equal(body.data.reduce((sum: number, row: any) => sum + row.count, 0), shown.length);
	const again = await get(`${octolake.api}/api/v1/metrics/event_count_offset/data?as_of=data&offset=43200`,
		{ "If-None-Match": json.headers.get("etag")! });
	assert.equal(again.status, 304);

	for (const target of ["data.csv?", "data?format=csv&"]) {
		const csv = await get(`${octolake.api}/api/v1/metrics/event_count_offset/${target}as_of=data&offset=43200`);
		assert.match(csv.headers.get("content-type")!, /^text\/csv/);
		assert.equal(csv.text, ["event_type,count", ...body.data.map((row: any) => `${row.event_type},${row.count}`),
			""].join("\r\n"));
	}
	const limited = JSON.parse((await data("event_count_offset", "as_of=data&limit=2")).text);
	assert.equal(limited.data.length, 2);
	assert.equal(limited.meta.truncated, true);
});

test("every built-in metric answers", async () => {
	for (const id of BUILT_IN) {
		const answer = await data(id, "as_of=data");
		assert.equal(answer.status, 200, `${id}: ${answer.text}`);
		assert.equal((await get(`${octolake.api}/kpi/${id}`)).status, 200, id);
	}
});

test("what is wrong is said, with a hint and the right status", async () => {
	const cases: [string, number, RegExp][] = [
		["/kpi/event_count_ofset", 404, /event_count_offset/],
		["/api/v1/metrics/avg_pr_tim/data", 404, /avg_pr_time/],
		["/api/v1/metric", 404, /./],
		["/kpi/event_count_offset?offset=0", 422, /offset.*1 to 43200/],
		["/kpi/event_count_offset?offset=ten", 422, /offset/],
		["/kpi/event_count_offset?offset=1&offset=2", 422, /offset/],
		["/api/v1/metrics/event_count_offset/data?ofset=5", 422, /offset/],
		["/api/v1/metrics/event_count_offset/data?as_of=yesterday", 422, /as_of/],
		["/api/v1/metrics/event_count_offset/data?limit=0", 422, /limit/],
		["/api/v1/metrics/event_count_offset/data?format=xml", 422, /format/],
		["/api/v1/metrics/top_repos_by_stars/data?window=forever", 422, /window/],
		["/api/v1/metrics/test_echo/data", 422, /text/],
	];
	for (const [target, status, hint] of cases) {
		const answer = await get(octolake.api + target);
		assert.equal(answer.status, status, `${target}: ${answer.text}`);
		assert.equal(answer.headers.get("content-type"), "application/problem+json", target);
		const problem = JSON.parse(answer.text);
		assert.equal(problem.status, status);
		assert.equal(problem.error, problem.detail, "where clients of the first system look");
		assert.match(problem.detail, hint, target);
	}
	assert.equal((await getRaw("/kpi/avg_pr_time", { method: "DELETE" })).status, 405);
	assert.equal((await getRaw("/kpi/avg_pr_time", { method: "POST" }, "{}")).status, 405);
	const head = await getRaw("/kpi/avg_pr_time", { method: "HEAD" });
	assert.equal(head.status, 200);
	assert.equal(head.text, "");
	assert.equal((await getRaw("/kpi/avg_pr_time", { headers: { Host: "evil.example" } })).status, 421);
	assert.equal((await getRaw(`/kpi/avg_pr_time?repo=${"a".repeat(5000)}`)).status, 414);
	assert.equal((await getRaw("/kpi/avg_pr_time", { method: "POST" }, "x".repeat(1_100_000)).catch(() =>
		({ status: 413 }))).status, 413);
});

const HOSTILE = ["'", "''", "\"", ";", "--", "/* */", "'; DROP TABLE events; --", "\"; DROP TABLE events; --",
	"1' MINUTE UNION ALL SELECT content, 1 FROM read_text('/etc/hostname') --", "1; ATTACH '/tmp/x.duckdb'",
	"${repo}", "${as_of}", "$1", "?", "{{7*7}}", "%", "_", "\\", "\\'", "\\x27", "\t", "\r\nX-Injected: 1",
	"<script>alert(1)</script>",
	"../../etc/passwd", "file:///etc/passwd", "ＡＢＣ", "‮", "é́́", "🐙", "\u{10ffff}", "ʼ OR 1=1",
	"NULL", "null", "true", "nan", "inf", "-1", "99999999999999999999", "1e309", "0x10", " ", "a".repeat(1000)];
/** Written into the URL as they stand: bytes that no text has. */
const HOSTILE_RAW = ["%00", "a%00b", "%ff%fe", "%c0%af", "%ed%a0%80", "%zz", "%"];

test("hostile values change nothing: the answer of \"no match\", or 422", async () => {
	const before = (await data("test_rows")).text;
	const files = new Set(filesBelow(cwd).filter((name) => !name.includes("/lake/")));
	const metrics = (await getJson(`${octolake.api}/api/v1/metrics`)).metrics
		.filter((metric: any) => metric.id !== "test_slow" && metric.id !== "test_echo");
	let asked = 0;
	for (const metric of metrics)
		for (const parameter of [...metric.parameters.map((one: any) => one.name), "as_of", "limit"]) {
			const unmatched = JSON.parse((await data(metric.id, "as_of=data")).text).data;
			const nobody = await data(metric.id, `as_of=data&${parameter}=no-such/no-such`);
			const no_match = nobody.status === 200 && parameter !== "as_of" ? JSON.parse(nobody.text).data : unmatched;
			const values = [...HOSTILE.map((value) => encodeURIComponent(value)), ...HOSTILE_RAW];
			for (const value of values) {
				const as_of = parameter === "as_of" ? "" : "as_of=data&";
				const target = `/api/v1/metrics/${metric.id}/data?${as_of}${parameter}=${value}`;
				const answer = await getRaw(target);
				asked++;
				if (answer.status === 200) {
					/* "true", " " or "-1" may be a good value of some type: then it is no hostile one. */
					const plain = /^(true|null|%20|%09|0x10|NULL)$/.test(value);
					if (!plain)
						assert.deepEqual(JSON.parse(answer.text).data, no_match, target);
				} else {
					const refused = HOSTILE_RAW.includes(value) ? [400, 422] : [422];
					assert.ok(refused.includes(answer.status), `${target}: ${answer.status} ${answer.text}`);
				}
				assert.equal(answer.headers["x-injected"], undefined);
				assert.doesNotMatch(answer.text, /(Parser|Binder|Catalog|Conversion|Input) Error|\/lake\//, target);
			}
		}
	assert.ok(asked > 500, `only ${asked} requests`);
	assert.equal(JSON.parse((await data("test_rows")).text).data[0].rows, JSON.parse(before).data[0].rows);
	assert.deepEqual(new Set(filesBelow(cwd).filter((name) => !name.includes("/lake/"))), files);
	assert.equal(octolake.exit, null);
});

test("a value is bound as it is, in every place of the SQL", async () => {
	for (const value of HOSTILE) {
		const answer = await data("test_echo", `text=${encodeURIComponent(value)}`);
		if (Buffer.byteLength(value) > 200) {
			assert.equal(answer.status, 422);
			continue;
		}
		assert.equal(answer.status, 200, `${value}: ${answer.text}`);
		assert.deepEqual(JSON.parse(answer.text).data,
			[{ echo: value, quoted: `<${value}>`, pattern: `%${value}%`, found: 0 }]);
	}
	const name = shown[0].repo!.name;
	const found = JSON.parse((await data("test_echo", `text=${encodeURIComponent(name)}`)).text).data[0].found;
	assert.equal(found, shown.filter((event) => event.repo?.name === name).length);
});

test("a metric file edited while it runs", async () => {
	const file = path.join(metrics_folder, "forks.yaml");
	const forks = shown.filter((event) => event.type === "ForkEvent").length;
	const named = async (name: string) => {
		const answer = await get(`${octolake.api}/kpi/test_forks`);
		return answer.status === 200 && JSON.parse(answer.text).name === name;
	};
	fs.writeFileSync(file, FORK_METRIC("Forks"));
	await waitFor(() => named("Forks"), 3000, "the new metric");
	assert.deepEqual((await getJson(`${octolake.api}/kpi/test_forks`)).data, [{ forks }]);
	fs.writeFileSync(file, FORK_METRIC("Forks so far"));
	await waitFor(() => named("Forks so far"), 3000, "the edited metric");

	fs.writeFileSync(file, FORK_METRIC("Broken").replace("SELECT COUNT(*)", "SELEKT COUNT(*)"));
	const problems = await waitFor(async () => {
		const list = (await getJson(`${octolake.api}/api/v1/metrics`)).problems;
		return list.length > 0 && list;
	}, 3000, "the fault in the list");
	assert.equal(problems[0].file, "forks.yaml");
	assert.equal(problems[0].line, 7);
	assert.ok(await named("Forks so far"), "the last good version answers");
	fs.writeFileSync(file, "version: 2\nkpis: [");
	await sleep(2500);
	assert.ok(await named("Forks so far"), "the last good version answers");

	fs.writeFileSync(file, FORK_METRIC("Mine", "avg_pr_time"));
	await waitFor(async () => (await getJson(`${octolake.api}/kpi/avg_pr_time`)).name === "Mine", 3000,
		"a built-in metric replaced");
	fs.rmSync(file);
	await waitFor(async () => (await getJson(`${octolake.api}/kpi/avg_pr_time`)).name !== "Mine", 3000,
		"the built-in metric back");
	assert.equal((await get(`${octolake.api}/kpi/test_forks`)).status, 404);
	assert.deepEqual((await getJson(`${octolake.api}/api/v1/metrics`)).problems, []);
});

test("minutes that no sweep covered are NULL, covered ones are numbers", async () => {
	const body = JSON.parse((await data("events_per_minute", "window=1h&bucket=1m")).text);
	const covered = new Map<string, boolean>();
	for (const row of body.data) {
		const is_number = typeof row.per_minute === "number";
		assert.ok(is_number || row.per_minute === null);
		assert.equal(covered.get(row.ts) ?? is_number, is_number, "a minute is covered for all types or for none");
		covered.set(row.ts, is_number);
	}
	const minutes = [...covered.values()];
	assert.ok(minutes.length >= 60);
	assert.equal(minutes[0], false, "an hour ago nobody looked");
	assert.ok(minutes.includes(true));
	const total = body.data.reduce((sum: number, row: any) => sum + (row.per_minute ?? 0), 0);
	assert.equal(total, shown.length);
});

test("a slow query is ended and keeps nobody waiting", async () => {
	const started = Date.now();
	const slow = [1, 2, 3].map(() => data("test_slow"));
	await sleep(100);
	const waits: number[] = [];
	for (let i = 0; i < 5; i++) {
		const begun = Date.now();
		assert.equal((await get(`${octolake.api}/kpi/event_count_offset?offset=30`)).status, 200);
		assert.equal((await get(`${octolake.api}/healthz`)).status, 200);
		waits.push(Date.now() - begun);
	}
	for (const answer of await Promise.all(slow)) {
		assert.ok([503, 504].includes(answer.status), `${answer.status} ${answer.text}`);
		assert.ok(Number(answer.headers.get("retry-after")) > 0);
	}
	assert.ok((await Promise.all(slow)).some((answer) => answer.status === 504));
	assert.ok(Math.max(...waits) < 1500, `quick answers took ${waits.join(" ")} ms`);
	assert.ok(Date.now() - started < 15_000);
});

test("health, readiness, and a pipeline whose sums are equal", async () => {
	assert.equal((await getJson(`${octolake.api}/healthz`)).status, "ok");
	assert.equal((await getJson(`${octolake.api}/readyz`)).status, "ready");
	const pipeline = await getJson(`${octolake.api}/api/v1/pipeline`);
	assert.equal(pipeline.mode, "live");
	assert.equal(pipeline.demo, false);
	assert.equal(pipeline.ledger.balanced, true);
	assert.equal(pipeline.ledger.stored, 300);
	assert.equal(pipeline.ledger.quarantined, 0);
	assert.equal(pipeline.ledger.received, pipeline.ledger.stored + pipeline.ledger.duplicates
		+ pipeline.ledger.filtered + pipeline.ledger.quarantined + pipeline.ledger.waiting);
	assert.equal(pipeline.polling.running, true);
	assert.equal(pipeline.polling.has_token, true);
	assert.equal(pipeline.polling.quota.limit, 5000);
	assert.equal(pipeline.layers.bronze.events, 300);
	assert.equal(pipeline.gaps, 0);
	assert.equal(pipeline.stage_error, null);
	assert.ok(pipeline.sweeps.length > 0);
});

test("no page asks another host for anything", async () => {
	for (const url of [`${octolake.api}/docs`, `${octolake.ui}/`]) {
		const page = await get(url);
		assert.equal(page.status, 200);
		assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
		assert.ok(!/(src|href)="https?:/.test(page.text), url);
	}
	assert.equal((await get(`${octolake.api}/`)).headers.get("location"), "/docs");
});

test("SIGTERM drains: a request under way is answered or refused, the exit code is 0", async () => {
	const one = await startOctolake(["serve", "--data", path.join(temporaryFolder(), "lake"), "--metrics",
		metrics_folder]);
	const slow = fetch(`${one.api}/api/v1/metrics/test_slow/data`).then((answer) => answer.status, () => "closed");
	await sleep(200);
	const begun = Date.now();
	assert.deepEqual(await one.stop("SIGTERM"), { code: 0, signal: null });
	assert.ok(Date.now() - begun < 10_000);
	assert.ok([503, 504, "closed"].includes(await slow), String(await slow));
	const two = await startOctolake(["serve", "--data", one.data]);
	assert.equal((await two.stop("SIGINT")).code, 130);

	const live = await startOctolake(["--api-url", fake.url], { env: { GITHUB_TOKEN: TOKEN } });
	await live.waitForLog("batch stored");
	const stopped = Date.now();
	assert.deepEqual(await live.stop(), { code: 0, signal: null });
	assert.ok(Date.now() - stopped < 10_000);
});
