// SPDX-License-Identifier: Apache-2.0
// node web/build.mjs OUTDIR: writes index.html, app.js and app.css, all that the dashboard is.
// Nothing in them refers to another host, and no script or style is inline (the page's CSP forbids
// both).
import { build } from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const output = process.argv[2];
if (!output || process.argv.length > 3) {
	console.error("usage: node web/build.mjs OUTDIR");
	process.exit(2);
}

// The notice that uPlot's licence (MIT) asks for; esbuild drops the comment that holds it.
const notice =
	"/*! Holds uPlot, https://github.com/leeoniya/uPlot, (c) Leon Sorokin, MIT licence */";

fs.mkdirSync(output, { recursive: true });
await build({
	absWorkingDir: here,
	entryPoints: { app: "src/main.ts" },
	outdir: path.resolve(output),
	bundle: true,
	minify: true,
	format: "esm",
	target: "es2020",
	banner: { js: notice },
	logLevel: "warning",
});
await build({
	absWorkingDir: here,
	entryPoints: { app: "src/app.css" },
	outdir: path.resolve(output),
	bundle: true,
	minify: true,
	target: ["chrome93", "firefox92", "safari15"],
	banner: { css: notice },
	logLevel: "warning",
});
fs.copyFileSync(path.join(here, "index.html"), path.join(output, "index.html"));
