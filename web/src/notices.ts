// SPDX-License-Identifier: Apache-2.0
// What a person has to know before trusting a number, at the top of the page: that no token is set
// and what follows from it, and every state in which the pipeline does not do what it should. The
// first can be put away, for this browser; the status line goes on saying the same. The others leave
// by themselves.
import type { Pipeline, Polling, Seen } from "./api";
import { byId, make, makeButton, patchChildren, setClass, setHidden, setText } from "./dom";
import { formatBytes, formatDuration, formatInstant, formatNumber, formatShare, parseInstant } from "./format";

const HIDDEN_KEY = "octolake.token-notice";
const TOKEN_PAGE = "https://github.com/settings/personal-access-tokens/new";

interface Notice {
	tone: "warn" | "bad";
	title: string;
	text: string;
}

interface Fact {
	name: string;
	value: string;
	more: string;
}

function isPutAway(): boolean {
	try {
		return localStorage.getItem(HIDDEN_KEY) !== null;
	} catch {
		return false; // Storage is off: the notice comes back with each visit.
	}
}

function putAway(): void {
	try {
		localStorage.setItem(HIDDEN_KEY, "hidden");
	} catch {
		// As above.
	}
}

/** "about 5 %", or "all of it", with how it was measured; never a number that nobody measured. */
export function describeSeen(seen: Seen | null, now_ms: number): { value: string; more: string } {
	if (!seen) return { value: "not known yet", more: "after two polls with events" };
	const from = parseInstant(seen.from);
	const to = parseInstant(seen.to);
	const span = from === null || to === null ? "" : formatDuration((to - from) / 1000);
	const end = to === null ? "" : ` to ${formatInstant(to, now_ms)}`;
	return {
		value: seen.share < 0.995 ? `about ${formatShare(seen.share)}` : "all of it",
		more: `${formatNumber(seen.sweeps)} polls, ${span}${end}`,
	};
}

/** "in 2 min 41 s", or why not. */
export function describeNextPoll(polling: Polling, now_ms: number): string {
	const next = parseInstant(polling.next_poll);
	if (!polling.running) return "none";
	if (next === null) return "not known";
	return next <= now_ms ? "now" : `in ${formatDuration((next - now_ms) / 1000)}`;
}

function makeSteps(): HTMLElement {
	const link = make("a", {
		text: "github.com/settings/personal-access-tokens/new",
		attributes: { href: TOKEN_PAGE, target: "_blank", rel: "noopener noreferrer" },
	});
	return make(
		"details",
		{ class: "notice-how" },
		make("summary", { text: "How to make a token" }),
		make(
			"ol",
			{},
			make(
				"li",
				{},
				"On GitHub open ",
				link,
				" (Settings, Developer settings, Fine-grained tokens).",
			),
			make("li", {
				text: "Give it a name and an expiry date. Leave repository access at “Public repositories” and add no permission at all.",
			}),
			make(
				"li",
				{},
				"Start Octolake with ",
				make("code", { text: "GITHUB_TOKEN=github_pat_…" }),
				" in its environment, or put the token into a file and add ",
				make("code", { text: "--token-file FILE" }),
				". It is sent to GitHub only, and never written to a log, a page or the lake.",
			),
		),
	);
}

export class Notices {
	private readonly list = make("ul", { class: "notices", attributes: { role: "alert" } });
	private readonly token = make("section", {
		class: "token-notice",
		attributes: { "aria-label": "No token" },
	});
	private readonly facts = make("dl");
	private put_away = isPutAway();
	private pipeline: Pipeline | null = null;

	constructor() {
		const hide = makeButton(
			"Hide",
			() => {
				putAway();
				this.put_away = true;
				setHidden(this.token, true);
			},
			"btn quiet",
		);
		hide.setAttribute("aria-label", "Hide the notice about the token");
		this.token.append(
			make(
				"div",
				{ class: "notice-head" },
				make("h2", { text: "Polling GitHub without a token" }),
				hide,
			),
			make("p", {
				text: "Without one GitHub allows few requests an hour, to everyone behind this network address together; they are spread over the time to the next reset. A token, which needs no permissions, allows 5,000: a poll each time GitHub permits one, and room for watched repositories. The public feed remains a sample either way.",
			}),
			this.facts,
			makeSteps(),
		);
		setHidden(this.token, true);
		setHidden(this.list, true);
		byId("notices").append(this.list, this.token);
	}

	update(pipeline: Pipeline, now_ms: number): void {
		this.pipeline = pipeline;
		this.show(now_ms);
	}

	/** Call it each second: the countdown goes on between answers. */
	show(now_ms: number): void {
		if (!this.pipeline) return;
		const notices = this.notices(this.pipeline, now_ms);
		setHidden(this.list, notices.length === 0);
		patchChildren(
			this.list,
			notices,
			() => make("li", {}, make("b"), make("span")),
			(node, notice) => {
				setClass(node, notice.tone);
				setText(node.children[0]!, notice.title);
				setText(node.children[1]!, notice.text);
			},
		);
		const { polling, demo } = this.pipeline;
		const wanted = !demo && !this.put_away && polling?.running && !polling.has_token;
		setHidden(this.token, !wanted);
		if (polling && wanted)
			patchChildren(
				this.facts,
				this.tokenFacts(polling, now_ms),
				() => make("div", {}, make("dt"), make("dd", {}, make("b"), make("span"))),
				(node, fact) => {
					setText(node.children[0]!, fact.name);
					setText(node.children[1]!.children[0]!, fact.value);
					setText(node.children[1]!.children[1]!, fact.more);
				},
			);
	}

	private tokenFacts(polling: Polling, now_ms: number): Fact[] {
		const quota = polling.quota;
		const reset = parseInstant(quota?.reset);
		const known = quota && quota.limit !== null && quota.remaining !== null;
		const facts: Fact[] = [
			{
				name: "Budget",
				value: known
					? `${formatNumber(quota.remaining!)} of ${formatNumber(quota.limit!)} left`
					: "not known yet",
				more:
					known && reset !== null
						? `full again ${formatInstant(reset, now_ms)}`
						: "told by the first answer",
			},
			{
				name: "Next poll",
				value: describeNextPoll(polling, now_ms),
				more: "the budget is spread evenly",
			},
		];
		if (polling.public_feed)
			facts.push({
				name: "Public feed seen",
				...describeSeen(this.pipeline!.seen.public, now_ms),
			});
		if (polling.streams > (polling.public_feed ? 1 : 0))
			facts.push({
				name: "Watched, seen",
				...describeSeen(this.pipeline!.seen.watched, now_ms),
			});
		return facts;
	}

	/** Read out when they change: no countdown in them. */
	private notices({ polling, disk, stage_error, layers }: Pipeline, now_ms: number): Notice[] {
		const notices: Notice[] = [];
		const limited = parseInstant(polling?.limited_until);
		if (limited !== null && limited > now_ms)
			notices.push({
				tone: "warn",
				title: `Limited by GitHub until ${formatInstant(limited, now_ms)}`,
				text: "Nothing is asked before. What is stored answers meanwhile.",
			});
		else if (polling?.last_error) {
			const next = parseInstant(polling.next_poll);
			const again = next === null ? "soon" : formatInstant(next, now_ms);
			notices.push({
				tone: "bad",
				title: "Polling fails",
				text: `${polling.last_error}. ${polling.running ? `Next try: ${again}.` : "Polling has ended."}`,
			});
		}
		if (disk.polling_paused || disk.state !== "ok") {
			const since = parseInstant(disk.paused_since);
			notices.push({
				tone: "bad",
				title:
					disk.state === "full"
						? "Disk full: nothing new is taken in"
						: "Disk low: polling is paused",
				text:
					`${formatBytes(disk.free_bytes)} free, ${formatBytes(disk.reserve_bytes)} are kept back` +
					`${since === null ? "" : `, since ${formatInstant(since, now_ms)}`}. ` +
					"It goes on by itself when there is room; what is stored answers meanwhile.",
			});
		}
		const clock = polling?.clock;
		if (clock?.off && clock.ahead_seconds !== null) {
			const ahead = clock.ahead_seconds;
			notices.push({
				tone: "warn",
				title: `This machine's clock is ${formatDuration(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} GitHub's`,
				text: "“The last hour” on this page is another hour than GitHub's. Set the clock, for example with timedatectl set-ntp true. Limits are kept whatever it says.",
			});
		}
		if (stage_error) {
			const at = formatInstant(parseInstant(stage_error.at) ?? now_ms, now_ms);
			notices.push({
				tone: "bad",
				title: `Pipeline, at ${at}`,
				text: stage_error.text,
			});
		}
		const { state, rebuild } = layers.gold;
		if (state !== "ready" || rebuild) {
			const so_far = rebuild
				? ` ${formatNumber(rebuild.rows_done)} of ${formatNumber(rebuild.rows_total)} rows so far.` : "";
			notices.push({
				tone: "warn",
				title: "Gold is rebuilding",
				text: `${rebuild ? `Why: ${rebuild.reason}.` : "It is made again from silver."}${so_far} `
					+ (state === "ready" ? "Until then answers are from before." : "Metrics answer when it is done."),
			});
		}
		return notices;
	}
}
