// SPDX-License-Identifier: Apache-2.0
// The dashboard in a real browser, as tests of it look at it. They skip when OCTOLAKE_CHROMIUM names
// no browser.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Octolake } from "./processes";

export const WAIT_MS = 60_000;
const program = process.env.OCTOLAKE_CHROMIUM;
export const skip = program ? false : "OCTOLAKE_CHROMIUM is not set: no browser";

/** A page that notes all that a page of ours must not do. */
export class Watched {
	readonly faults: string[] = [];
	readonly urls: string[] = [];

	constructor(
		readonly page: Page,
		private readonly origin: string,
	) {
		page.on("console", (message) => {
			if (message.type() === "error" || message.type() === "warning")
				this.faults.push(
					`console: ${message.text()} (${message.location().url})`,
				);
		});
		page.on("pageerror", (error) =>
			this.faults.push(`script: ${error.stack ?? error.message}`),
		);
		page.on("dialog", (dialog) => {
			this.faults.push(`dialog: ${dialog.message()}`);
			void dialog.dismiss();
		});
		page.on("request", (request) => {
			this.urls.push(request.url());
			if (new URL(request.url()).origin !== this.origin)
				this.faults.push(`request to another host: ${request.url()}`);
		});
	}

	/** Everything that went wrong so far; `allowed` are known consequences of what the test
	 * did. */
	assertClean(allowed: RegExp | null = null): void {
		assert.deepEqual(
			this.faults.filter((fault) => !allowed?.test(fault)),
			[],
		);
	}

	text(selector: string): Promise<string> {
		return this.page.locator(selector).first().innerText();
	}

	count(selector: string): Promise<number> {
		return this.page.locator(selector).count();
	}
}

/** A browser of its own, closed after the test; `prepare` runs before the page is asked for. */
export async function openPage(
	context: TestContext,
	octolake: Octolake,
	query = "",
	prepare: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<Watched> {
	const browser: Browser = await chromium.launch({
		executablePath: program!,
		// Chromium has no sandbox for root, which is who tests in containers.
		args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
	});
	context.after(() => browser.close());
	const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
	page.setDefaultTimeout(WAIT_MS);
	const watched = new Watched(page, new URL(octolake.ui).origin);
	await page.addInitScript(() => {
		document.addEventListener("securitypolicyviolation", (event) =>
			console.error(
				`CSP violation: ${event.violatedDirective} ${event.blockedURI}`,
			),
		);
	});
	await prepare(page);
	await page.goto(`${octolake.ui}/${query}`);
	return watched;
}
