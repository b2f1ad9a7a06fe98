// SPDX-License-Identifier: Apache-2.0
// One row as large numbers, each with its name and unit.
import type { Row } from "./api";
import type { Picture } from "./chart_definition";
import { make, patchChildren, setText } from "./dom";
import { cellNumber, columnLabel, formatColumnNumber, NOT_KNOWN, unitText } from "./format";

export class ValueChart {
	readonly element = make("dl", { class: "figures" });

	update(rows: Row[], picture: Picture): void {
		const row = rows[0] ?? {};
		patchChildren(this.element, picture.y, () => make("div", {}, make("dt"), make("dd", {}, make("b"),
			make("span"))), (node, column) => {
			const value = cellNumber(row[column.name]);
			setText(node.querySelector("dt")!, columnLabel(column));
			setText(node.querySelector("b")!, value === null ? NOT_KNOWN : formatColumnNumber(value, column));
			setText(node.querySelector("span")!, column.unit === "percent" ? "" : unitText(column.unit));
		});
	}
}
