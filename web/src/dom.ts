// SPDX-License-Identifier: Apache-2.0
// Making and patching elements. Text only ever enters the page as text nodes and attributes here,
// and a node is touched only when what it shows changes: no flicker, selections and focus survive.

export interface MakeOptions {
	class?: string;
	text?: string;
	attributes?: Record<string, string>;
}

export function make<K extends keyof HTMLElementTagNameMap>(
	tag: K,
	options: MakeOptions = {},
	...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
	const node = document.createElement(tag);
	if (options.class !== undefined) node.className = options.class;
	if (options.text !== undefined) node.textContent = options.text;
	for (const [name, value] of Object.entries(options.attributes ?? {}))
		node.setAttribute(name, value);
	node.append(...children);
	return node;
}

/** The element of index.html with that id. */
export function byId(id: string): HTMLElement {
	const node = document.getElementById(id);
	if (!node) throw new Error(`index.html has no #${id}`);
	return node;
}

export function setText(node: Node, text: string): void {
	if (node.textContent !== text) node.textContent = text;
}

/** null removes the attribute. */
export function setAttribute(node: Element, name: string, value: string | null): void {
	if (value === null) node.removeAttribute(name);
	else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setHidden(node: HTMLElement, hidden: boolean): void {
	if (node.hidden !== hidden) node.hidden = hidden;
}

export function setClass(node: Element, name: string): void {
	if (node.className !== name) node.className = name;
}

/** Makes `parent` hold one child per item, in order; children are used again by position. */
export function patchChildren<T, N extends HTMLElement>(
	parent: Element,
	items: readonly T[],
	create: (item: T) => N,
	update: (node: N, item: T) => void,
): void {
	while (parent.children.length > items.length) parent.lastElementChild!.remove();
	items.forEach((item, index) => {
		let node = parent.children[index] as N | undefined;
		if (!node) {
			node = create(item);
			parent.append(node);
		}
		update(node, item);
	});
}

/** Prose in which `names` stand between backticks. */
export function makeProse(text: string, style: string): HTMLParagraphElement {
	const parts = text.split("`");
	// An odd number of backticks: the last one is only a character.
	if (parts.length % 2 === 0) parts.push(`\`${parts.pop()!}`);
	return make(
		"p",
		{ class: style },
		...parts.map((part, index) =>
			index % 2 === 1 && index < parts.length - 1
				? make("code", { text: part })
				: part,
		),
	);
}

/** A button whose text says what it does. */
export function makeButton(text: string, action: () => void, style = "btn"): HTMLButtonElement {
	const button = make("button", { class: style, text, attributes: { type: "button" } });
	button.addEventListener("click", action);
	return button;
}

let last_number = 0;

/** An id that no other element has. */
export function uniqueId(prefix: string): string {
	last_number++;
	return `${prefix}-${last_number}`;
}
