// SPDX-License-Identifier: Apache-2.0
// One row as large numbers, each with its name and unit.
import type { Row } from "./api";
import type { Picture } from "./chart_definition";
import { make, patchChildren, setText } from "./dom";
import { columnLabel, formatCell, unitText } from "./format";

export class ValueChart {
	readonly element = make("dl", { class: "figures" });

	update(rows: Row[], picture: Picture): void {
		const row = rows[0] ?? {};
		patchChildren(
			this.element,
			picture.y,
			() => make("div", {}, make("dt"), make("dd", {}, make("b"), make("span"))),
			(node, column) => {
				setText(node.querySelector("dt")!, columnLabel(column));
				setText(
					node.querySelector("b")!,
					formatCell(row[column.name], column),
				);
				setText(
					node.querySelector("span")!,
					column.unit === "percent" ? "" : unitText(column.unit),
				);
			},
		);
	}
}
