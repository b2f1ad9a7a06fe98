// SPDX-License-Identifier: Apache-2.0
// Bars for categories as a list that reads without sight: name, bar, number. Lying bars by default;
// upright only when asked for and when the names have room. Several columns of one category lie
// under one another; series of one category, and what is stacked, add up.
import type { Row } from "./api";
import type { Picture } from "./chart_definition";
import { make, patchChildren, setClass, setHidden, setText } from "./dom";
import {
	cellNumber,
	columnLabel,
	formatCell,
	formatColumnNumber,
	labelWithUnit,
	NOT_KNOWN,
	unitText,
} from "./format";
import { eventTypeStyle, OTHER_COLOR, slotStyle, type SeriesStyle } from "./palette";

const UPRIGHT_COUNT_MAX = 12;
const UPRIGHT_LETTERS_MAX = 9;
const BAR_COUNT_MAX = 200;
/** Pixels for each of several bars of one category. */
const BESIDE_HEIGHT = 9;

interface Part extends SeriesStyle {
	key: string;
	value: number | null;
}

interface Category {
	key: string;
	label: string;
	parts: Part[];
}

interface Scale {
	low: number;
	high: number;
}

function buildCategories(rows: Row[], picture: Picture): Category[] {
	const categories = new Map<string, Category>();
	const series_keys: string[] = [];
	for (const row of rows) {
		const key = String(row[picture.x!.name] ?? "");
		const type = eventTypeStyle(key);
		const label =
			type?.label ?? (formatCell(row[picture.x!.name], picture.x!) || "(empty)");
		let category = categories.get(key);
		if (!category) categories.set(key, (category = { key, label, parts: [] }));
		if (!picture.series) {
			category.parts = picture.y.map((column, index) => ({
				...(picture.y.length === 1 && type
					? type
					: slotStyle(columnLabel(column), index, picture.y.length)),
				key: column.name,
				value: cellNumber(row[column.name]),
			}));
			continue;
		}
		const series = String(row[picture.series.name] ?? "");
		if (!series_keys.includes(series)) series_keys.push(series);
		const index = series_keys.indexOf(series);
		const style =
			eventTypeStyle(series) ??
			(index < picture.series_max
				? slotStyle(series || "not known", index, 2)
				: { label: series, color: OTHER_COLOR, dash: [] });
		category.parts.push({
			...style,
			key: series,
			value: cellNumber(row[picture.y[0]!.name]),
		});
	}
	return [...categories.values()].slice(0, BAR_COUNT_MAX);
}

export class BarChart {
	readonly element = make("div", { class: "bars" });
	private readonly head = make("div", { class: "bars-head" });
	private readonly list = make("ul");
	private readonly note = make("p", { class: "bars-note" });
	private order: string[] = [];

	constructor(name: string) {
		this.list.setAttribute("aria-label", name);
		this.element.append(this.head, this.list, this.note);
	}

	update(rows: Row[], picture: Picture): void {
		const categories = buildCategories(rows, picture);
		// Nothing changes places under the pointer.
		if (this.element.matches(":hover")) {
			const place = (key: string): number => this.order.indexOf(key) + 1 || 1e6;
			categories.sort((a, b) => place(a.key) - place(b.key));
		}
		this.order = categories.map((category) => category.key);
		const stacked = picture.stacked || picture.series !== null;
		const upright =
			!picture.horizontal &&
			(stacked || picture.y.length === 1) &&
			categories.length <= UPRIGHT_COUNT_MAX &&
			categories.every(
				(category) => category.label.length <= UPRIGHT_LETTERS_MAX,
			);
		setClass(this.element, upright ? "bars upright" : "bars");
		this.showHead(picture, categories);
		const scale = this.scaleOf(categories, picture, stacked);
		patchChildren(
			this.list,
			categories,
			() =>
				make(
					"li",
					{},
					make("bdi", { class: "bar-label" }),
					make("span", {
						class: "bar-track",
						attributes: { "aria-hidden": "true" },
					}),
					make("span", { class: "bar-value" }),
				),
			(node, category) => {
				const [label, track, value] = [...node.children] as HTMLElement[];
				setText(label!, category.label);
				if (label!.title !== category.label) label!.title = category.label;
				this.showParts(track!, category, scale, stacked, upright, picture);
				setText(value!, this.valueText(category, picture, stacked));
			},
		);
		setHidden(this.note, rows.length <= BAR_COUNT_MAX);
		setText(this.note, `The first ${BAR_COUNT_MAX} are drawn; the table has all.`);
	}

	private showHead(picture: Picture, categories: Category[]): void {
		const right =
			picture.y.length === 1
				? labelWithUnit(picture.y[0]!)
				: unitText(picture.y[0]!.unit);
		const texts: { text: string; color: string | null }[] = [
			{ text: columnLabel(picture.x!), color: null },
		];
		if (picture.series || picture.y.length > 1) {
			const seen = new Map(
				categories
					.flatMap((category) => category.parts)
					.map((part) => [part.key, part]),
			);
			texts.push(
				...[...seen.values()].map((part) => ({
					text: part.label,
					color: part.color,
				})),
			);
		}
		texts.push({ text: right, color: null });
		patchChildren(
			this.head,
			texts,
			() => make("span", {}, make("i", { class: "swatch" }), make("bdi")),
			(node, { text, color }) => {
				const [swatch, label] = [...node.children] as HTMLElement[];
				setHidden(swatch!, color === null);
				if (color !== null)
					swatch!.style.setProperty("--c", `var(${color})`);
				setText(label!, text);
			},
		);
	}

	private scaleOf(categories: Category[], picture: Picture, stacked: boolean): Scale {
		const ends = categories.flatMap((category) =>
			stacked
				? [category.parts.reduce((sum, part) => sum + (part.value ?? 0), 0)]
				: category.parts.map((part) => part.value ?? 0),
		);
		const low = Math.min(0, picture.y_min ?? 0, ...ends);
		const high = Math.max(picture.y_max ?? 0, picture.reference ?? 0, ...ends);
		return { low, high: high > low ? high : low + 1 };
	}

	private showParts(
		track: HTMLElement,
		category: Category,
		scale: Scale,
		stacked: boolean,
		upright: boolean,
		picture: Picture,
	): void {
		const share = (value: number): number =>
			((value - scale.low) / (scale.high - scale.low)) * 100;
		const unknown = category.parts.every((part) => part.value === null);
		const beside = stacked ? 1 : Math.max(1, category.parts.length);
		setClass(track, `bar-track${unknown ? " unknown" : ""}`);
		track.style.setProperty("height", beside > 1 ? `${beside * BESIDE_HEIGHT}px` : "");
		let base = 0;
		const bars = category.parts.map((part, index) => {
			const from = stacked ? base : Math.min(0, part.value ?? 0);
			const to = stacked
				? base + (part.value ?? 0)
				: Math.max(0, part.value ?? 0);
			base = stacked ? to : 0;
			return {
				color: part.color,
				start: share(from),
				size: share(to) - share(from),
				mark: false,
				row: index,
			};
		});
		if (picture.reference !== null)
			bars.push({
				color: "--text",
				start: share(picture.reference),
				size: 0,
				mark: true,
				row: 0,
			});
		patchChildren(
			track,
			bars,
			() => make("i"),
			(node, bar) => {
				setClass(node, bar.mark ? "mark" : "");
				node.style.setProperty("--c", `var(${bar.color})`);
				node.style.setProperty(
					upright ? "bottom" : "left",
					`${bar.start}%`,
				);
				node.style.setProperty(upright ? "left" : "bottom", "");
				node.style.setProperty(
					upright ? "height" : "width",
					bar.mark ? "" : `${bar.size}%`,
				);
				node.style.setProperty(
					upright ? "width" : "height",
					beside > 1 && !bar.mark ? `${BESIDE_HEIGHT - 1}px` : "",
				);
				node.style.setProperty(
					"top",
					beside > 1 && !bar.mark
						? `${bar.row * BESIDE_HEIGHT}px`
						: "",
				);
			},
		);
	}

	private valueText(category: Category, picture: Picture, stacked: boolean): string {
		const texts = category.parts.map((part) =>
			part.value === null
				? NOT_KNOWN
				: formatColumnNumber(
						part.value,
						picture.series
							? picture.y[0]
							: picture.y.find(
									(column) =>
										column.name ===
										part.key,
								),
					),
		);
		if (
			stacked &&
			category.parts.length > 1 &&
			category.parts.some((part) => part.value !== null)
		)
			return formatColumnNumber(
				category.parts.reduce((sum, part) => sum + (part.value ?? 0), 0),
				picture.y[0],
			);
		return texts.join(" · ");
	}
}
