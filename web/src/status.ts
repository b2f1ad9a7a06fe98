// SPDX-License-Identifier: Apache-2.0
// The line that is always in sight: mode, how fresh the data are, polls, quota, gaps, quarantine.
// Ages are counted on by the second between two answers, on the server's clock.
import type { Pipeline, Problem } from "./api";
import { byId, make, patchChildren, setClass, setHidden, setText } from "./dom";
import { formatDuration, formatInstant, formatNumber, parseInstant } from "./format";
import { describeNextPoll, describeSeen } from "./notices";

interface Fact {
	name: string;
	value: string;
	more: string;
	tone?: "warn" | "bad";
}

export class Status {
	private readonly element = byId("status");
	private readonly mode = byId("mode");
	private readonly demo = byId("demo");
	private pipeline: Pipeline | null = null;
	private problem: Problem | null = null;
	private server_ahead_ms = 0;
	private answered_ms = 0;
	private readonly list = make("ul");

	constructor() {
		this.element.append(this.list);
		this.show();
	}

	/** The server's clock. */
	now(): number {
		return Date.now() + this.server_ahead_ms;
	}

	update(pipeline: Pipeline): void {
		this.pipeline = pipeline;
		this.problem = null;
		this.answered_ms = Date.now();
		this.server_ahead_ms = (parseInstant(pipeline.as_of) ?? Date.now()) - Date.now();
		this.show();
	}

	fail(problem: Problem): void {
		this.problem = problem;
		this.show();
	}

	/** Call it each second. */
	show(): void {
		this.showMode();
		const facts = this.facts();
		setClass(this.element, this.problem ? "status bad" : "status");
		patchChildren(
			this.list,
			facts,
			() =>
				make(
					"li",
					{},
					make("span", { class: "key" }),
					make("b"),
					make("span", { class: "more" }),
				),
			(node, fact) => {
				setClass(node, fact.tone ?? "");
				setText(node.children[0]!, fact.name);
				setText(node.children[1]!, fact.value);
				setText(node.children[2]!, fact.more);
			},
		);
	}

	private showMode(): void {
		const mode = this.pipeline?.mode;
		const demo = this.pipeline?.demo ?? false;
		const names: Record<string, string> = {
			live: "Live",
			batch: "Batch",
			serve: "Serving, no polling",
		};
		const lost = this.problem !== null;
		setText(
			this.mode,
			lost
				? "No connection"
				: mode === undefined
					? "Starting"
					: (demo ? "Demo, " : "") +
						(demo
							? (names[mode] ?? mode).toLowerCase()
							: (names[mode] ?? mode)),
		);
		setClass(
			this.mode,
			lost
				? "pill bad"
				: demo
					? "pill warn"
					: mode === "live"
						? "pill ok"
						: "pill",
		);
		setHidden(this.demo, !demo);
		const title = demo ? "Demo – Octolake" : "Octolake";
		if (document.title !== title) document.title = title;
	}

	private facts(): Fact[] {
		if (!this.pipeline)
			return [
				{
					name: "Status",
					value: this.problem
						? this.problem.title
						: "waiting for the first answer",
					more: this.problem?.detail ?? "",
				},
			];
		const { layers, gaps, quarantine_entries: set_aside } = this.pipeline;
		const now = this.now();
		const newest = parseInstant(layers.gold.newest_event);
		const facts: Fact[] = [];
		if (this.problem)
			facts.push({
				name: "No answer for",
				value: formatDuration((Date.now() - this.answered_ms) / 1000),
				more: "asking again",
			});
		facts.push(
			newest === null
				? { name: "Data", value: "none yet", more: "" }
				: {
						name: "Data to",
						value: formatInstant(newest, now),
						more: `${formatDuration((now - newest) / 1000)} behind`,
					},
		);
		// Without answers nobody knows what is polled, and the line keeps its length.
		if (!this.problem) facts.push(...this.pollFacts(now));
		facts.push({
			name: "Gaps",
			value: formatNumber(gaps),
			more: gaps > 0 ? "polls that missed events" : "",
			...(gaps > 0 ? { tone: "warn" as const } : {}),
		});
		facts.push({
			name: "Quarantine",
			value: formatNumber(set_aside),
			more: "",
			...(set_aside > 0 ? { tone: "warn" as const } : {}),
		});
		return facts;
	}

	private pollFacts(now: number): Fact[] {
		const polling = this.pipeline?.polling;
		if (!polling || (!polling.running && !polling.last_poll))
			return [{ name: "Polling", value: "off", more: "" }];
		const last = parseInstant(polling.last_poll);
		const limited = parseInstant(polling.limited_until);
		const facts: Fact[] = [
			{
				name: "Last poll",
				value: last === null ? "none yet" : formatInstant(last, now),
				more:
					last === null
						? ""
						: `${formatDuration((now - last) / 1000)} ago`,
			},
		];
		if (!polling.running)
			facts.push({ name: "Next poll", value: "none", more: "polling has ended" });
		else if (limited !== null && limited > now)
			facts.push({
				name: "Limited by GitHub",
				value: `for ${formatDuration((limited - now) / 1000)}`,
				more: `until ${formatInstant(limited, now)}`,
				tone: "warn",
			});
		else
			facts.push({
				name: "Next poll",
				value: describeNextPoll(polling, now),
				more: "",
			});
		const { quota } = polling;
		const reset = parseInstant(quota?.reset);
		if (quota && quota.limit !== null && quota.limit >= 0 && quota.remaining !== null)
			facts.push({
				name: "Quota",
				value: `${formatNumber(quota.remaining)} of ${formatNumber(quota.limit)}`,
				more: reset === null ? "" : `resets ${formatInstant(reset, now)}`,
				...(quota.remaining === 0 ? { tone: "warn" as const } : {}),
			});
		const { seen } = this.pipeline!;
		const watched = polling.streams > (polling.public_feed ? 1 : 0);
		if (polling.public_feed)
			facts.push({
				name: "Seen",
				value: describeSeen(seen.public, now).value,
				more: "of the public feed",
			});
		if (watched)
			facts.push({
				name: "Watched",
				value: describeSeen(seen.watched, now).value,
				more: "seen",
			});
		return facts;
	}
}
