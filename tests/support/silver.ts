// SPDX-License-Identifier: Apache-2.0
// Silver's files through a reader that is not DuckDB.
import path from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { filesBelow } from "./lake";

export interface SilverRow {
	id: bigint;
	type: string;
	created_at: Date;
	actor_login: string | null;
	repo_id: bigint | null;
	repo_name: string | null;
	action: string | null;
	number: bigint | null;
	batch: bigint;
	[column: string]: unknown;
}

/** All rows of a lake's silver, in no order. */
export async function silverRows(data: string): Promise<SilverRow[]> {
	const rows: SilverRow[] = [];
	for (const name of filesBelow(path.join(data, "silver")))
		rows.push(...await parquetReadObjects({ file: await asyncBufferFromFile(name), compressors }) as SilverRow[]);
	return rows;
}

export function silverKey(row: SilverRow): string {
	return `${row.id} ${row.type} ${row.created_at.toISOString()}`;
}
