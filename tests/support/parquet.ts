// SPDX-License-Identifier: Apache-2.0
// Silver read by somebody else: hyparquet, which shares no code with DuckDB, zstd included. For any lake,
// whatever filled it.
import assert from "node:assert/strict";
import path from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { filesBelow } from "./lake";

export interface SilverRow {
	id: bigint;
	type: string;
	created_at: Date;
	is_bot: boolean;
	era: string;
	source: string;
	batch: bigint;
	actor_id: bigint | null;
	actor_login: string | null;
	repo_id: bigint | null;
	repo_name: string | null;
	org_login: string | null;
	action: string | null;
	number: bigint | null;
	merged: boolean | null;
	ref_type: string | null;
	[field: string]: unknown;
}

export interface SilverFile {
	/** Below silver/. */
	name: string;
	row_count: number;
	/** Columns in their order, such as "INT64", "UTF8", "BOOLEAN", "TIMESTAMP(MICROS, UTC)". */
	columns: Record<string, string>;
	settings: Record<string, string>;
	rows: SilverRow[];
}

/** docs/formats/silver.md, in the order of the files; those of events.yaml follow. */
export const SILVER_COLUMNS: Record<string, string> = {
	id: "INT64", type: "UTF8", created_at: "TIMESTAMP(MICROS, no zone)", actor_id: "INT64", actor_login: "UTF8",
	is_bot: "BOOLEAN", repo_id: "INT64", repo_name: "UTF8", org_login: "UTF8", action: "UTF8", number: "INT64",
	merged: "BOOLEAN", ref_type: "UTF8", era: "UTF8", source: "UTF8", batch: "INT64",
};
const NEVER_NULL = ["id", "type", "created_at", "is_bot", "era", "source", "batch"];

/** What the schema says of a column, as a reader would understand it. */
function typeOf(element: any): string {
	const logical = element.logical_type;
	if (logical?.type === "TIMESTAMP")
		return `TIMESTAMP(${logical.unit}, ${logical.isAdjustedToUTC ? "UTC" : "no zone"})`;
	if (element.type === "BYTE_ARRAY")
		return logical?.type === "STRING" || element.converted_type === "UTF8" ? "UTF8" : "BYTE_ARRAY";
	return element.type;
}

export async function readParquet(file: string): Promise<Omit<SilverFile, "name">> {
	const buffer = await asyncBufferFromFile(file);
	const metadata = await parquetMetadataAsync(buffer);
	const [head, ...elements] = metadata.schema;
	assert.equal(head.num_children, elements.length, "a flat schema");
	const rows = await parquetReadObjects({ file: buffer, metadata, compressors, useOffsetIndex: false });
	return {
		row_count: Number(metadata.num_rows),
		columns: Object.fromEntries(elements.map((element) => [element.name, typeOf(element)])),
		settings: Object.fromEntries((metadata.key_value_metadata ?? []).map((one) => [one.key, one.value ?? ""])),
		rows: rows as SilverRow[],
	};
}

/** Every Parquet file of a lake, each held against docs/formats/silver.md: columns, types, what is never NULL,
 * names of folders, counts. Only for lakes at rest: files that the catalog no longer names are read too.
 * `fields`: the types of the columns that events.yaml adds. */
export async function readSilver(data: string, fields: Record<string, string>): Promise<SilverFile[]> {
	const root = path.join(data, "silver");
	const files: SilverFile[] = [];
	for (const file of filesBelow(root).filter((name) => name.endsWith(".parquet"))) {
		const name = path.relative(root, file);
		const read = await readParquet(file);
		assert.deepEqual(Object.entries(read.columns), Object.entries({ ...SILVER_COLUMNS, ...fields }), name);
		assert.equal(read.rows.length, read.row_count, name);
		assert.equal(read.settings.octolake_format, "1", name);
		assert.match(read.settings.octolake_fingerprint, /^[0-9a-f]{16}$/, name);
		const partition = /^type=([A-Za-z_]+)\/date=(\d{4}-\d\d-\d\d)\//.exec(name);
		for (const row of read.rows) {
			for (const column of NEVER_NULL)
				assert.notEqual(row[column] ?? null, null, `${name}: ${column}`);
			assert.equal(typeof row.id, "bigint", name);
			assert.equal(typeof row.is_bot, "boolean", name);
			assert.ok(row.created_at instanceof Date, name);
			if (partition) {
				assert.equal(row.type, partition[1], name);
				assert.equal(row.created_at.toISOString().slice(0, 10), partition[2], name);
			}
		}
		files.push({ name, ...read });
	}
	return files;
}

export function silverKey(row: SilverRow): string {
	return `${row.id}|${row.type}|${row.created_at.toISOString().replace(".000Z", "Z")}`;
}
