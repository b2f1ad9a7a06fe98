// SPDX-License-Identifier: Apache-2.0
// The instant that all metrics answer for: now, or that of the newest event. While nothing is
// polled "now" would only show emptiness, so the newest event is the default then.
import type { Pipeline } from "./api";
import { byId, make, makeButton, setAttribute, setHidden, setText } from "./dom";
import { onStateChange, readAsOf, writeAsOf } from "./state";

export class AsOf {
	private polled = true;
	private readonly now_button = makeButton("Now", () => this.choose("now"), "");
	private readonly data_button = makeButton("Latest data", () => this.choose("data"), "");
	private readonly other = make("button", {
		attributes: { type: "button", "aria-pressed": "true" },
	});

	constructor() {
		byId("as-of").append(
			make("span", { class: "as-of-label", text: "As of" }),
			make(
				"span",
				{
					class: "seg",
					attributes: {
						role: "group",
						"aria-label": "Metrics as of",
					},
				},
				this.now_button,
				this.data_button,
				this.other,
			),
		);
		onStateChange(() => this.show());
		this.show();
	}

	update(pipeline: Pipeline): void {
		this.polled = pipeline.polling?.running ?? false;
		this.show();
	}

	/** "now", "data" or an instant, as the API takes it. */
	value(): string {
		return readAsOf() ?? this.standard();
	}

	private standard(): string {
		return this.polled ? "now" : "data";
	}

	private choose(as_of: string): void {
		writeAsOf(as_of === this.standard() ? null : as_of);
	}

	private show(): void {
		const value = this.value();
		setAttribute(this.now_button, "aria-pressed", String(value === "now"));
		setAttribute(this.data_button, "aria-pressed", String(value === "data"));
		setHidden(this.other, value === "now" || value === "data");
		setText(this.other, value);
	}
}
