// SPDX-License-Identifier: Apache-2.0
// The table twin of a chart, and the tables of the pipeline panel: sortable by any column, NULL
// always last, long ones shown in parts. Rows and cells are used again, so a refresh moves nothing.
import type { Cell, Column, Row } from "./api";
import { isNumeric } from "./chart_definition";
import { make, makeButton, patchChildren, setAttribute, setClass, setHidden, setText } from "./dom";
import { cellNumber, formatCell, formatNumber, labelWithUnit, NOT_KNOWN } from "./format";

const ROWS_AT_FIRST = 100;
const ROWS_MORE = 1000;

export interface TableColumn extends Column {
	/** Name of the field in a row, when it is not `name`. */
	field?: string;
	/** What stands over the column, when it is not its label and unit. */
	head?: string;
}

interface Sort {
	field: string;
	descending: boolean;
}

function fieldOf(column: TableColumn): string {
	return column.field ?? column.name;
}

function compareCells(a: Cell | undefined, b: Cell | undefined, numeric: boolean): number {
	if (numeric) return cellNumber(a)! - cellNumber(b)!;
	return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function isMissing(cell: Cell | undefined, numeric: boolean): boolean {
	return cell === null || cell === undefined || (numeric && cellNumber(cell) === null);
}

export class Table {
	/** A frame that scrolls by itself and can be reached by keyboard. */
	readonly element: HTMLElement;
	private readonly head = make("tr");
	private readonly body = make("tbody");
	private readonly more: HTMLButtonElement;
	private columns: TableColumn[] = [];
	private rows: Row[] = [];
	private sort: Sort | null = null;
	private row_count_max = ROWS_AT_FIRST;

	constructor(name: string, first_sort: Sort | null = null) {
		this.sort = first_sort;
		const table = make(
			"table",
			{},
			make("caption", { class: "sr", text: name }),
			make("thead", {}, this.head),
			this.body,
		);
		this.more = makeButton(
			"",
			() => {
				this.row_count_max += ROWS_MORE;
				this.show();
			},
			"btn more",
		);
		this.element = make(
			"div",
			{
				class: "table",
				attributes: {
					tabindex: "0",
					role: "region",
					"aria-label": `${name}, table`,
				},
			},
			table,
			this.more,
		);
	}

	update(columns: TableColumn[], rows: Row[]): void {
		this.columns = columns;
		this.rows = rows;
		this.show();
	}

	private show(): void {
		patchChildren(
			this.head,
			this.columns,
			() => this.makeHead(),
			(node, column) => this.showHead(node, column),
		);
		const rows = this.sorted();
		const shown = rows.slice(0, this.row_count_max);
		patchChildren(
			this.body,
			shown,
			() => make("tr"),
			(node, row) => this.showRow(node, row),
		);
		setHidden(this.more, shown.length === rows.length);
		setText(
			this.more,
			`Show ${formatNumber(Math.min(ROWS_MORE, rows.length - shown.length))} more of ` +
				`${formatNumber(rows.length)} rows`,
		);
	}

	private makeHead(): HTMLTableCellElement {
		const button = make("button", { attributes: { type: "button" } });
		const cell = make("th", { attributes: { scope: "col" } }, button);
		button.addEventListener("click", () => {
			const column = this.columns[cell.cellIndex];
			if (column) this.sortBy(column);
		});
		return cell;
	}

	private showHead(cell: HTMLElement, column: TableColumn): void {
		setText(cell.firstElementChild!, column.head ?? labelWithUnit(column));
		setClass(cell, isNumeric(column) ? "number" : "");
		setAttribute(
			cell,
			"aria-sort",
			this.sort?.field !== fieldOf(column)
				? null
				: this.sort.descending
					? "descending"
					: "ascending",
		);
		setAttribute(cell, "title", column.description ?? null);
	}

	private showRow(node: HTMLElement, row: Row): void {
		patchChildren(
			node,
			this.columns,
			() => make("td", {}, make("bdi")),
			(cell, column) => {
				const text = formatCell(row[fieldOf(column)], column);
				setText(cell.firstElementChild!, text);
				const missing = text === NOT_KNOWN ? " missing" : "";
				setClass(
					cell,
					`${isNumeric(column) ? "number" : ""}${missing}`.trim(),
				);
				setAttribute(
					cell,
					"title",
					text === NOT_KNOWN
						? "not known"
						: text.length > 32
							? text
							: null,
				);
			},
		);
	}

	/** Numbers and times from the largest, text from A; then the other way round; then as
	 * answered. */
	private sortBy(column: TableColumn): void {
		const field = fieldOf(column);
		const first_descending = isNumeric(column) || column.type === "timestamp";
		if (this.sort?.field !== field) this.sort = { field, descending: first_descending };
		else if (this.sort.descending === first_descending)
			this.sort = { field, descending: !first_descending };
		else this.sort = null;
		this.show();
	}

	private sorted(): Row[] {
		const sort = this.sort;
		const column = this.columns.find((one) => fieldOf(one) === sort?.field);
		if (!sort || !column) return this.rows;
		const numeric = isNumeric(column);
		return [...this.rows].sort((a, b) => {
			const [left, right] = [a[sort.field], b[sort.field]];
			const [left_missing, right_missing] = [
				isMissing(left, numeric),
				isMissing(right, numeric),
			];
			if (left_missing || right_missing)
				return Number(left_missing) - Number(right_missing);
			return compareCells(left, right, numeric) * (sort.descending ? -1 : 1);
		});
	}
}
