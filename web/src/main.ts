// SPDX-License-Identifier: Apache-2.0
// The page's one loop: asks for pipeline and catalogue every two seconds and tells the panels when
// their data changed. Nothing is asked while nobody looks; a server that does not answer is asked
// more seldom.
import { ask, Problem, type Catalogue, type Pipeline } from "./api";
import { AsOf } from "./as_of";
import { CatalogueView } from "./catalogue";
import { byId, setClass, setText } from "./dom";
import { Notices } from "./notices";
import { PipelinePanel } from "./pipeline";
import { onStateChange } from "./state";
import { Status } from "./status";

const ROUND_MS = 2000;
const ROUND_MS_MAX = 15_000;
const ANSWER_WAIT_MS = 10_000;

const status = new Status();
const notices = new Notices();
const as_of = new AsOf();
const pipeline_panel = new PipelinePanel();
const catalogue_view = new CatalogueView();

let pipeline: Pipeline | null = null;
let catalogue_etag: string | null = null;
let failures = 0;
let timer = 0;
let running = false;

function tellPanels(): void {
	if (!pipeline) return;
	const { gold } = pipeline.layers;
	catalogue_view.refresh({
		data_version: `${gold.generation}/${gold.loads}/${gold.state}`,
		as_of: as_of.value(),
		now_ms: status.now(),
		rows: gold.rows,
	});
}

async function askPipeline(signal: AbortSignal): Promise<void> {
	const answer = await ask<Pipeline>("/api/v1/pipeline", null, signal);
	if (answer.same) return;
	pipeline = answer.body;
	// Shown when what stands above it has its size: nothing jumps while the page starts.
	setClass(byId("page"), "page");
	status.update(pipeline);
	notices.update(pipeline, status.now());
	as_of.update(pipeline);
	pipeline_panel.update(pipeline, status.now());
}

async function askCatalogue(signal: AbortSignal): Promise<void> {
	const answer = await ask<Catalogue>("/api/v1/metrics", catalogue_etag, signal);
	if (answer.same) return;
	catalogue_etag = answer.etag;
	catalogue_view.update(answer.body);
}

async function askBoth(): Promise<void> {
	const request = new AbortController();
	const late = window.setTimeout(() => request.abort(), ANSWER_WAIT_MS);
	try {
		await Promise.all([askPipeline(request.signal), askCatalogue(request.signal)]);
		if (failures > 0) setText(byId("announce"), "Octolake answers again");
		failures = 0;
	} catch (error) {
		request.abort();
		failures++;
		status.fail(
			error instanceof Problem
				? error
				: new Problem(
						0,
						"No connection",
						error instanceof Error &&
							error.name !== "AbortError"
							? error.message
							: "Octolake did not answer in time.",
					),
		);
		if (failures === 1)
			setText(
				byId("announce"),
				"Octolake does not answer; what is shown is the last that came",
			);
	} finally {
		clearTimeout(late);
	}
}

async function round(): Promise<void> {
	if (running || document.hidden) return;
	running = true;
	clearTimeout(timer);
	await askBoth();
	running = false;
	if (failures === 0) tellPanels();
	// Many pages that lost one server do not come back in step.
	const wait_ms = Math.min(ROUND_MS_MAX, ROUND_MS * 2 ** Math.min(failures, 4));
	timer = window.setTimeout(
		() => void round(),
		failures > 0 ? wait_ms * (0.75 + Math.random() / 2) : wait_ms,
	);
}

document.addEventListener("visibilitychange", () => {
	if (document.hidden) clearTimeout(timer);
	else void round();
});
onStateChange(() => {
	catalogue_view.readState();
	tellPanels();
});
setInterval(() => {
	if (document.hidden) return;
	status.show();
	notices.show(status.now());
}, 1000);
void round();
