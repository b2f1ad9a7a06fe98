// SPDX-License-Identifier: Apache-2.0
// Colours that mean something: an event type keeps its colour, label, dash and place in every
// chart; other series take the six places of the palette. Values are CSS variables of app.css.

export interface SeriesStyle {
	label: string;
	/** Name of the CSS variable. */
	color: string;
	dash: number[];
}

const DASHES: Record<string, number[]> = { solid: [], dash: [7, 4], dot: [2, 3] };

/** In the order in which they are chosen and stacked. */
const EVENT_TYPES: [name: string, label: string, color: string, dash: string][] = [
	["pushevent", "Push", "--type-push", "solid"],
	["createevent", "Create", "--type-create", "solid"],
	["pullrequestevent", "Pull request", "--type-pr", "solid"],
	["issuecommentevent", "Issue comment", "--type-issuecomment", "dash"],
	["issuesevent", "Issue", "--type-issues", "solid"],
	["watchevent", "Star", "--type-watch", "solid"],
	["forkevent", "Fork", "--type-fork", "dash"],
	["pullrequestreviewevent", "Review", "--type-review", "dash"],
	["pullrequestreviewcommentevent", "Review comment", "--type-reviewcomment", "dot"],
	["deleteevent", "Delete", "--type-delete", "dash"],
	["releaseevent", "Release", "--type-release", "dot"],
	["commitcommentevent", "Commit comment", "--type-commitcomment", "dash"],
	["discussionevent", "Discussion", "--type-discussion", "dot"],
	["gollumevent", "Wiki", "--type-gollum", "dot"],
	["memberevent", "Member", "--type-member", "dash"],
	["publicevent", "Made public", "--type-public", "solid"],
];

const type_order = new Map(EVENT_TYPES.map(([name], index) => [name, index]));

/** Place in the fixed order; null for what is no event type of GitHub's. */
export function eventTypeOrder(text: string): number | null {
	return type_order.get(text.toLowerCase()) ?? null;
}

export function eventTypeStyle(text: string): SeriesStyle | null {
	const order = eventTypeOrder(text);
	if (order === null) return null;
	const [, label, color, dash] = EVENT_TYPES[order]!;
	return { label, color, dash: DASHES[dash]! };
}

/** A series that is no event type: alone in ink, beside others in the palette's place `index`. */
export function slotStyle(label: string, index: number, count: number): SeriesStyle {
	if (count === 1) return { label, color: "--ink", dash: [] };
	const dash = [DASHES["solid"]!, DASHES["dash"]!, DASHES["dot"]!][
		Math.floor(index / 2) % 3
	]!;
	return { label, color: `--series-${(index % 6) + 1}`, dash };
}

export const OTHER_COLOR = "--type-other";

const dark = matchMedia("(prefers-color-scheme: dark)");
let colors = new Map<string, string>();

/** The colour behind a CSS variable, for the canvas. */
export function canvasColor(variable: string): string {
	let color = colors.get(variable);
	if (color === undefined) {
		color = getComputedStyle(document.documentElement)
			.getPropertyValue(variable)
			.trim();
		colors.set(variable, color);
	}
	return color;
}

/** Calls back when the theme has changed and canvases must be drawn again. */
export function onThemeChange(changed: () => void): void {
	dark.addEventListener("change", () => {
		colors = new Map();
		changed();
	});
}
