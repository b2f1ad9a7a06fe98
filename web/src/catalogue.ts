// SPDX-License-Identifier: Apache-2.0
// All panels, as the catalogue lists them: a metric that comes, goes or changes in a YAML file does
// so here without touching the others. Only panels in or near the view are kept fresh.
import type { Catalogue, Metric } from "./api";
import { byId, make, patchChildren, setHidden, setText } from "./dom";
import { Panel, type Round } from "./panel";

const NO_GROUP = "More metrics";

function isWide(metric: Metric): boolean {
	return metric.chart?.kind === "line" || metric.chart?.kind === "area";
}

/** Groups in order of their first metric; within one, pictures over time first: they take a whole
 * row. */
function groupMetrics(metrics: Metric[]): Map<string, Metric[]> {
	const groups = new Map<string, Metric[]>();
	for (const metric of metrics.filter((one) => !one.hidden)) {
		const group = metric.group || NO_GROUP;
		groups.set(group, [...(groups.get(group) ?? []), metric]);
	}
	for (const list of groups.values())
		list.sort((a, b) => Number(isWide(b)) - Number(isWide(a)));
	return groups;
}

export class CatalogueView {
	private readonly element = byId("metrics");
	private readonly announce = byId("announce");
	private readonly problems = make("ul", { class: "faults", attributes: { role: "alert" } });
	private readonly groups = new Map<string, HTMLElement>();
	private readonly panels = new Map<string, { definition: string; panel: Panel }>();
	private readonly seen: IntersectionObserver;
	private round: Round | null = null;
	private revision: number | null = null;

	constructor() {
		this.seen = new IntersectionObserver(
			(entries) => {
				for (const entry of entries)
					for (const { panel } of this.panels.values())
						if (panel.element === entry.target)
							panel.visible = entry.isIntersecting;
				if (this.round) this.refresh(this.round);
			},
			{ rootMargin: "300px" },
		);
		setHidden(this.problems, true);
	}

	update(catalogue: Catalogue): void {
		if (catalogue.revision === this.revision) return;
		const is_first = this.revision === null;
		this.revision = catalogue.revision;
		if (is_first) this.element.replaceChildren(this.problems);
		this.showProblems(catalogue);
		const groups = groupMetrics(catalogue.metrics);
		const metrics = [...groups.values()].flat();
		const changes = this.replacePanels(metrics);
		this.arrange(groups);
		if (!is_first && changes.length > 0) setText(this.announce, changes.join(". "));
		if (this.round) this.refresh(this.round);
	}

	refresh(round: Round): void {
		this.round = round;
		for (const { panel } of this.panels.values()) panel.refresh(round);
	}

	readState(): void {
		for (const { panel } of this.panels.values()) panel.readState();
	}

	/** Says in words what came and went. */
	private replacePanels(metrics: Metric[]): string[] {
		const changes: string[] = [];
		const wanted = new Map(
			metrics.map((metric) => [metric.id, JSON.stringify(metric)]),
		);
		for (const [id, { definition, panel }] of this.panels) {
			if (wanted.get(id) === definition) continue;
			if (!wanted.has(id)) changes.push(`Metric removed: ${panel.metric.name}`);
			this.seen.unobserve(panel.element);
			panel.destroy();
			this.panels.delete(id);
		}
		for (const metric of metrics) {
			if (this.panels.has(metric.id)) continue;
			const panel = new Panel(metric);
			this.panels.set(metric.id, { definition: wanted.get(metric.id)!, panel });
			this.seen.observe(panel.element);
			changes.push(`Metric loaded: ${metric.name}`);
		}
		return changes;
	}

	private arrange(groups: Map<string, Metric[]>): void {
		for (const [name, section] of this.groups)
			if (!groups.has(name)) {
				section.remove();
				this.groups.delete(name);
			}
		let place = 1; // behind the problems
		for (const [name, metrics] of groups) {
			let section = this.groups.get(name);
			if (!section) {
				section = make(
					"section",
					{ class: "group", attributes: { "aria-label": name } },
					make("h2", { text: name }),
					make("div", { class: "panels" }),
				);
				this.groups.set(name, section);
			}
			if (this.element.children[place] !== section)
				this.element.insertBefore(
					section,
					this.element.children[place] ?? null,
				);
			place++;
			const grid = section.querySelector(".panels")!;
			metrics.forEach((metric, index) => {
				const { element } = this.panels.get(metric.id)!.panel;
				if (grid.children[index] !== element)
					grid.insertBefore(element, grid.children[index] ?? null);
			});
			const narrow = metrics.filter((metric) => !isWide(metric));
			metrics.forEach((metric) =>
				this.panels
					.get(metric.id)!
					.panel.element.classList.toggle(
						"last-odd",
						narrow.length % 2 === 1 &&
							metric === narrow[narrow.length - 1],
					),
			);
		}
	}

	private showProblems({ problems }: Catalogue): void {
		setHidden(this.problems, problems.length === 0);
		patchChildren(
			this.problems,
			problems,
			() => make("li", {}, make("code"), make("span")),
			(node, problem) => {
				setText(
					node.children[0]!,
					`${problem.file}:${problem.line}:${problem.column}`,
				);
				setText(
					node.children[1]!,
					` ${problem.warning ? "warning: " : ""}${problem.text}`,
				);
			},
		);
	}
}
