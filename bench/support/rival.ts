// SPDX-License-Identifier: Apache-2.0
// What somebody would write who has DuckDB and no octolake: hours of GH Archive to Parquet with silver's
// columns, as good as we know how. For payloads since 2015, all event types, lines up to DuckDB's own limit of 16 MiB:
// raising it to 64 MiB, as the archive's longest lines need, costs it 100 MiB.

/** Columns that both write and that say the same. `source` and `batch` are octolake's bookkeeping. */
export const SHARED_COLUMNS = ["id", "type", "created_at", "actor_id", "actor_login", "is_bot", "repo_id", "repo_name",
	"org_login", "action", "number", "merged", "ref_type", "era", "payload.issue.state", "payload.issue.title",
	"payload.pull_request.state"];

const COLUMN_TYPES = `{id: 'VARCHAR', type: 'VARCHAR', created_at: 'TIMESTAMP',
	actor: 'STRUCT(id BIGINT, login VARCHAR)', repo: 'STRUCT(id BIGINT, name VARCHAR)', org: 'STRUCT(login VARCHAR)',
	payload: 'STRUCT("action" VARCHAR, number BIGINT, ref_type VARCHAR,
		pull_request STRUCT(number BIGINT, merged BOOLEAN, state VARCHAR),
		issue STRUCT(number BIGINT, state VARCHAR, title VARCHAR), discussion STRUCT(number BIGINT))'}`;

export type Way = "columns" | "auto" | "objects";

export const WAYS: Record<Way, string> = {
	columns: "`read_ndjson`, explicit `columns`",
	auto: "`read_ndjson`, auto-detection",
	objects: "`read_ndjson_objects` and `->>`",
};

export function quoted(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}

function list(files: string[]): string {
	return `[${files.map(quoted).join(", ")}]`;
}

/** How a value is reached, in the three ways. */
function place(way: Way, path: string, type: "text" | "integer" | "boolean" | "time"): string {
	const sql_types = { text: "VARCHAR", integer: "BIGINT", boolean: "BOOLEAN", time: "TIMESTAMP" };
	if (way === "objects") {
		const text = `(json->>${quoted(`$.${path}`)})`;
		return type === "text" ? text : `CAST(${text} AS ${sql_types[type]})`;
	}
	const steps = path.split(".").map((step) => `"${step}"`).join(".");
	return way === "columns" && path !== "id" ? steps : `CAST(${steps} AS ${sql_types[type]})`;
}

function source(way: Way, files: string[]): string {
	if (way === "objects")
		return `read_ndjson_objects(${list(files)})`;
	return `read_ndjson(${list(files)}${way === "columns" ? `, columns = ${COLUMN_TYPES}` : ""})`;
}

/** Of one value only for one type: what events.yaml configures. */
function field(type: string, value: string, name: string): string {
	return `CASE WHEN type = ${quoted(type)} THEN ${value} END AS "${name}"`;
}

/** Auto-detection knows no discussions where an hour has none, and must not be asked for them. */
function select(way: Way, files: string[], with_discussions: boolean): string {
	const number = ["payload.number", "payload.pull_request.number", "payload.issue.number"];
	if (way !== "auto" || with_discussions)
		number.push("payload.discussion.number");
	const action = place(way, "payload.action", "text");
	const pull = (name: string, type: "text" | "integer" | "boolean") =>
		place(way, `payload.pull_request.${name}`, type);
	const login = place(way, "actor.login", "text");
	const type = place(way, "type", "text");
	const created_at = place(way, "created_at", "time");
	return `SELECT ${place(way, "id", "integer")} AS id, ${type} AS type, ${created_at} AS created_at,
		${place(way, "actor.id", "integer")} AS actor_id, ${login} AS actor_login,
		coalesce(ends_with(${login}, '[bot]'), false) AS is_bot,
		${place(way, "repo.id", "integer")} AS repo_id, ${place(way, "repo.name", "text")} AS repo_name,
		${place(way, "org.login", "text")} AS org_login, ${action} AS action,
		coalesce(${number.map((path) => place(way, path, "integer")).join(", ")}) AS number,
		coalesce(${pull("merged", "boolean")}, CASE WHEN ${type} = 'PullRequestEvent' AND ${action} IS NOT NULL
			AND NOT (${created_at} < TIMESTAMP '2025-10-07' AND ${action} = 'closed')
			THEN ${action} = 'merged' END) AS merged,
		${place(way, "payload.ref_type", "text")} AS ref_type,
		CASE WHEN ${created_at} < TIMESTAMP '2025-10-07' THEN 'full' ELSE 'thin' END AS era,
		'archive' AS source, CAST(1 AS BIGINT) AS batch,
		${field("IssuesEvent", place(way, "payload.issue.state", "text"), "payload.issue.state")},
		${field("IssuesEvent", place(way, "payload.issue.title", "text"), "payload.issue.title")},
		${field("PullRequestEvent", pull("state", "text"), "payload.pull_request.state")},
		CAST(${created_at} AS DATE) AS day
		FROM ${source(way, files)}`;
}

/** One statement that writes `folder`/type=…/day=…. `with_discussions`: the files hold some. */
export function toParquet(way: Way, files: string[], folder: string, with_discussions: boolean): string {
	return `COPY (${select(way, files, with_discussions)}) TO ${quoted(folder)} (FORMAT parquet, COMPRESSION zstd,
		PARTITION_BY (type, day), WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE true)`;
}

function rows(folder: string): string {
	const columns = SHARED_COLUMNS.map((name) => (name === "created_at"
		? 'CAST(created_at AS TIMESTAMP) AS created_at' : `"${name}"`));
	return `SELECT ${columns.join(", ")} FROM read_parquet(${quoted(`${folder}/**/*.parquet`)},
		hive_partitioning = false, union_by_name = true)`;
}

/** Number of rows of a folder of Parquet. */
export function countRows(folder: string): string {
	return `SELECT count(*) FROM (${rows(folder)})`;
}

/** Rows of one folder that the other does not have, both ways, over the shared columns: 0 when they agree. */
export function countDifferences(one: string, other: string): string {
	return `SELECT count(*) FROM ((${rows(one)} EXCEPT ALL ${rows(other)})
		UNION ALL (${rows(other)} EXCEPT ALL ${rows(one)}))`;
}
