// SPDX-License-Identifier: Apache-2.0
// One control for each parameter of a metric, made from its type. A control knows its value as
// text, as a request writes it; what is wrong with it is said by the API and shown in the line
// under it, which is always there.
import type { Cell, FieldFault, Metric, Parameter } from "./api";
import { make, makeButton, setAttribute, setHidden, setText, uniqueId } from "./dom";
import { formatNumber, humanise } from "./format";
import { eventTypeStyle } from "./palette";

/** Typing is taken as done after so long without a key. */
const TYPING_MS = 600;
const RANGE_SPAN_MAX = 1000;
const DURATION_PRESETS = ["15m", "1h", "6h", "1d", "7d", "30d"];
const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 };

interface Control {
	element: HTMLElement;
	read(): string;
	write(text: string): void;
	showFault(text: string | null): void;
}

export function defaultText(parameter: Parameter): string {
	const write = (cell: Cell | undefined): string =>
		cell === null || cell === undefined
			? ""
			: Array.isArray(cell)
				? cell.map(write).join(",")
				: String(cell);
	return write(parameter.default);
}

/** The API repeats the name where no label is given. */
function labelText(parameter: Parameter): string {
	return parameter.label && parameter.label !== parameter.name
		? parameter.label
		: humanise(parameter.name);
}

function seconds(duration: string): number {
	const match = /^(\d+)([smhd])$/.exec(duration);
	return match ? Number(match[1]) * SECONDS[match[2]!]! : NaN;
}

function bounds(parameter: Parameter): string {
	const say = (value: string | number): string =>
		typeof value === "number" ? formatNumber(value) : value;
	const { min, max } = parameter;
	const has_min = min !== null && min !== undefined;
	const has_max = max !== null && max !== undefined;
	return has_min && has_max
		? `${say(min)} to ${say(max)}`
		: has_min
			? `at least ${say(min)}`
			: has_max
				? `at most ${say(max)}`
				: "";
}

function hintText(parameter: Parameter): string {
	const parts = [parameter.description ?? "", bounds(parameter)];
	if (parameter.multiple) parts.push("several: with commas");
	return parts.filter((part) => part !== "").join("; ");
}

/** The frame that all controls share: label, control, line for hint or fault. */
class Field {
	readonly element = make("div", { class: "field" });
	private readonly line = make("p", { class: "field-line" });
	private readonly hint: string;

	constructor(
		parameter: Parameter,
		private readonly input: HTMLElement,
		...parts: Node[]
	) {
		this.hint = hintText(parameter);
		input.id = uniqueId("control");
		this.line.id = `${input.id}-line`;
		setAttribute(input, "aria-describedby", this.line.id);
		const label = make("label", {
			text: labelText(parameter),
			attributes: { for: input.id },
		});
		if (parameter.required)
			label.append(make("span", { class: "required", text: " required" }));
		this.element.append(label, ...(parts.length > 0 ? parts : [input]), this.line);
		this.showFault(null);
	}

	showFault(text: string | null): void {
		this.element.classList.toggle("bad", text !== null);
		setAttribute(this.input, "aria-invalid", text === null ? null : "true");
		setText(this.line, text ?? this.hint);
		this.line.title = text ?? this.hint;
	}
}

type Changed = () => void;

/** Reports a change at once when the control is left or Enter is pressed, and after a pause in
 * typing. */
function listen(input: HTMLInputElement, changed: Changed): void {
	let timer = 0;
	input.addEventListener("input", () => {
		clearTimeout(timer);
		timer = window.setTimeout(() => changed(), TYPING_MS);
	});
	input.addEventListener("change", () => {
		clearTimeout(timer);
		changed();
	});
}

function withUnit(input: HTMLElement, unit: string | null | undefined): HTMLElement {
	return make(
		"span",
		{ class: "input" },
		input,
		...(unit ? [make("span", { class: "unit", text: unit })] : []),
	);
}

function textInput(parameter: Parameter): HTMLInputElement {
	const placeholders: Record<string, string> = {
		repo: "owner/name",
		login: "login",
		timestamp: "2026-09-20T12:00:00Z",
		duration: "15m, 6h, 7d",
		enum: "all",
	};
	const input = make("input", {
		attributes: {
			type: "text",
			autocomplete: "off",
			autocapitalize: "off",
			spellcheck: "false",
			placeholder: placeholders[parameter.type] ?? "",
		},
	});
	return input;
}

function makeText(parameter: Parameter, changed: Changed): Control {
	const input = textInput(parameter);
	listen(input, changed);
	const unit = parameter.type === "timestamp" ? "UTC" : parameter.unit;
	const field = new Field(parameter, input, withUnit(input, unit));
	return {
		element: field.element,
		read: () => input.value.trim(),
		write: (text) => (input.value = text),
		showFault: (text) => field.showFault(text),
	};
}

function makeNumber(parameter: Parameter, changed: Changed): Control {
	const input = make("input", {
		attributes: {
			type: "number",
			autocomplete: "off",
			inputmode: parameter.type === "integer" ? "numeric" : "decimal",
			step: parameter.step
				? String(parameter.step)
				: parameter.type === "integer"
					? "1"
					: "any",
		},
	});
	const { min, max } = parameter;
	if (min !== null && min !== undefined) input.min = String(min);
	if (max !== null && max !== undefined) input.max = String(max);
	listen(input, changed);
	const parts: Node[] = [withUnit(input, parameter.unit)];
	const span = Number(max ?? NaN) - Number(min ?? NaN);
	let range: HTMLInputElement | null = null;
	if (span > 0 && span <= RANGE_SPAN_MAX) {
		range = make("input", {
			class: "slider",
			attributes: {
				type: "range",
				min: input.min,
				max: input.max,
				step: input.step,
				"aria-label": `${labelText(parameter)}, slider`,
			},
		});
		const slider = range;
		slider.addEventListener("input", () => (input.value = slider.value));
		input.addEventListener("input", () => (slider.value = input.value));
		listen(slider, changed);
		parts.push(slider);
	}
	const field = new Field(parameter, input, ...parts);
	const write = (text: string): void => {
		input.value = text;
		if (range) range.value = text;
	};
	return {
		element: field.element,
		read: () => input.value.trim(),
		write,
		showFault: (text) => field.showFault(text),
	};
}

function makeSelect(parameter: Parameter, changed: Changed): Control {
	const select = make("select", { class: "select" });
	if (defaultText(parameter) === "")
		select.append(
			make("option", {
				text: parameter.required ? "Choose" : "all",
				attributes: { value: "" },
			}),
		);
	for (const value of parameter.values ?? []) {
		const text = String(value);
		select.append(
			make("option", {
				text: eventTypeStyle(text)?.label ?? text,
				attributes: { value: text },
			}),
		);
	}
	select.addEventListener("change", changed);
	const field = new Field(parameter, select);
	// A value of the URL that is no choice stays visible, so that the API's fault has something
	// to point at.
	const write = (text: string): void => {
		if (![...select.options].some((option) => option.value === text))
			select.append(make("option", { text, attributes: { value: text } }));
		select.value = text;
	};
	return {
		element: field.element,
		read: () => select.value,
		write,
		showFault: (text) => field.showFault(text),
	};
}

function makeSwitch(parameter: Parameter, changed: Changed): Control {
	const button = make(
		"button",
		{ class: "switch", attributes: { type: "button", role: "switch" } },
		make("span", { class: "switch-track" }),
		make("span"),
	);
	let text = "";
	const write = (value: string): void => {
		text = value;
		setAttribute(button, "aria-checked", value === "true" ? "true" : "false");
		setText(button.lastElementChild!, value === "true" ? "yes" : "no");
	};
	button.addEventListener("click", () => {
		write(text === "true" ? "false" : "true");
		changed();
	});
	const field = new Field(parameter, button);
	return {
		element: field.element,
		read: () => text,
		write,
		showFault: (fault) => field.showFault(fault),
	};
}

function makeDuration(parameter: Parameter, changed: Changed): Control {
	const input = textInput(parameter);
	listen(input, changed);
	const low = seconds(String(parameter.min ?? "")) || 0;
	const high = seconds(String(parameter.max ?? "")) || Infinity;
	const presets = DURATION_PRESETS.filter(
		(preset) => seconds(preset) >= low && seconds(preset) <= high,
	);
	const group = make("span", {
		class: "seg",
		attributes: { role: "group", "aria-label": `${labelText(parameter)}, presets` },
	});
	const showPressed = (): void => {
		for (const button of group.children)
			setAttribute(
				button,
				"aria-pressed",
				String(button.textContent === input.value.trim()),
			);
	};
	for (const preset of presets)
		group.append(
			makeButton(
				preset,
				() => {
					input.value = preset;
					showPressed();
					changed();
				},
				"",
			),
		);
	input.addEventListener("input", showPressed);
	const field = new Field(
		parameter,
		input,
		make("span", { class: "duration" }, group, withUnit(input, null)),
	);
	const write = (text: string): void => {
		input.value = text;
		showPressed();
	};
	return {
		element: field.element,
		read: () => input.value.trim(),
		write,
		showFault: (text) => field.showFault(text),
	};
}

function makeControl(parameter: Parameter, changed: Changed): Control {
	if (parameter.multiple) return makeText(parameter, changed);
	switch (parameter.type) {
		case "integer":
		case "number":
			return makeNumber(parameter, changed);
		case "boolean":
			return makeSwitch(parameter, changed);
		case "duration":
			return makeDuration(parameter, changed);
		case "enum":
			return parameter.values && parameter.values.length > 0
				? makeSelect(parameter, changed)
				: makeText(parameter, changed);
		default:
			return makeText(parameter, changed);
	}
}

export class Controls {
	readonly element: HTMLFormElement;
	private readonly controls = new Map<string, { parameter: Parameter; control: Control }>();
	private readonly reset: HTMLButtonElement;

	/** `changed` is told the parameter and its text, null for its default. */
	constructor(
		metric: Metric,
		private readonly changed: (name: string, text: string | null) => void,
	) {
		this.element = make("form", {
			class: "controls",
			attributes: {
				novalidate: "",
				"aria-label": `Parameters of ${metric.name}`,
			},
		});
		this.element.addEventListener("submit", (event) => event.preventDefault());
		for (const parameter of metric.parameters) {
			const control = makeControl(parameter, () => this.report(parameter.name));
			this.controls.set(parameter.name, { parameter, control });
			this.element.append(control.element);
		}
		this.reset = makeButton("Reset", () => this.resetAll(), "btn quiet reset");
		this.element.append(this.reset);
		setHidden(this.element, metric.parameters.length === 0);
	}

	/** The parameters that differ from their default. */
	values(): Map<string, string> {
		const result = new Map<string, string>();
		for (const [name, { parameter, control }] of this.controls) {
			const text = control.read();
			if (text !== "" && text !== defaultText(parameter)) result.set(name, text);
		}
		return result;
	}

	/** Shows what the URL says; a parameter that it does not name has its default. */
	write(read: (name: string) => string | null): void {
		for (const [name, { parameter, control }] of this.controls)
			control.write(read(name) ?? defaultText(parameter));
		this.showReset();
	}

	/** Shows each fault at its control and gives back those that belong to none. */
	showFaults(faults: FieldFault[]): FieldFault[] {
		for (const [name, { control }] of this.controls)
			control.showFault(
				faults.find((fault) => fault.name === name)?.detail ?? null,
			);
		return faults.filter((fault) => !this.controls.has(fault.name));
	}

	private report(name: string): void {
		this.showReset();
		this.changed(name, this.values().get(name) ?? null);
	}

	private resetAll(): void {
		const names = [...this.values().keys()];
		this.write(() => null);
		names.forEach((name) => this.changed(name, null));
	}

	/** Keeps its place when there is nothing to reset, so that the row does not move. */
	private showReset(): void {
		this.reset.disabled = this.values().size === 0;
	}
}
