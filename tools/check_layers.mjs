// SPDX-License-Identifier: Apache-2.0
// The rules of the house that a program can check: who may include what, which functions are banned
// and what to call instead, how long things may be, what must not be written down at all.
// Prints `file:line: complaint` and leaves with 1 when there is any. Its tests: tests/unit/tools/.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

// A folder of src/ may include itself and those of a lower rank.
const rankOf = {
	base: 0, wrap: 1, lake: 2, ingest: 3, silver: 3, gold: 3, metrics: 4, serve: 5, app: 6, main: 7,
};

// From outside, a stage is STAGE/STAGE.h, and these.
const stages = ["ingest", "silver", "gold"];
const stageHeadersForOthers = ["gold/rollup.h", "ingest/import.h"];

// Each third-party header and the only files that may include it.
const thirdParty = [
	[/^duckdb\.h$/, /^src\/wrap\/duck\w*\.[ch]$/],
	[/^sqlite3\.h$/, /^src\/wrap\/sqlite\w*\.c$/],
	[/^curl\//, /^src\/wrap\/http_client\w*\.c$/],
	[/^microhttpd\.h$/, /^src\/wrap\/http_server\w*\.[ch]$/],
	[/^zstd(_errors)?\.h$/, /^src\/wrap\/zstd\w*\.c$/],
	[/^yaml\.h$/, /^src\/wrap\/yaml\w*\.c$/],
	[/^jansson\.h$/, /^(src\/wrap\/json_document\w*\.c|tools\/fake_github\/\w+\.[ch]|tests\/.*\.c)$/],
	[/^openssl\//, /^src\/wrap\/digest\w*\.c$/],
	[/^zlib\.h$/, /^(src\/wrap\/gzip\w*\.c|tools\/fake_github\/\w+\.[ch]|tests\/.*\.[ch])$/],
	[/^isa-l\//, /^src\/wrap\/inflate\w*\.c$/],
	[/^cmocka\.h$/, /^tests\//],
];

// The C library's and the kernel's headers; any other name in <> is a third party.
const systemHeaders = new RegExp("^(" + [
	"assert|ctype|errno|float|inttypes|limits|locale|math|setjmp|signal|stdalign|stdarg|stdatomic",
	"stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|time|threads|wchar",
	"dirent|dlfcn|endian|fcntl|fnmatch|ftw|getopt|glob|ifaddrs|malloc|netdb|poll|pthread|pwd|regex",
	"link|sched|semaphore|spawn|syslog|termios|unistd",
	"(sys|netinet|arpa|net|linux|sanitizer)\\/\\w+|immintrin|arm_neon|cpuid",
].join("|") + ")\\.h$");

// [call, where it may stand nevertheless, what to write instead]
const banned = [
	[/strcpy|strcat|sprintf|vsprintf|stpcpy|strncpy|strncat/, null, "snprintf, memcpy or base/buf.h"],
	[/strtok|strtok_r/, null, "base/span.h"],
	[/atoi|atol|atoll|atof/, null, "strtol and its kind, with every error checked, or base/span.h"],
	[/gets|scanf|fscanf|sscanf/, null, "base/span.h"],
	[/gmtime|localtime|ctime|asctime/, null, "base/time_text.h (those keep static state)"],
	[/system|popen/, null, "posix_spawn with an argument list"],
	[/rename|renameat|renameat2/, /^src\/base\/file\.c$/, "the drafts of base/file.h, which fsync"],
	[/time|clock_gettime|gettimeofday/, /^src\/base\/clock\.c$/, "base/clock.h, which tests can move"],
	[/getenv|secure_getenv/, /^(src\/app\/config\.c|tools\/\w+\/main\.c)$/, "the options of app/config.h"],
];

// Calls that change what is on disk, each with a name for tests that kill there (base/failpoint.h).
// What is removed on the way out of a failure, (void)unlink(), counts for nothing.
const failpointed = /(?<![\w.>])(?<!\(void\))(write|pwrite|fsync|fdatasync|rename|unlink|mkdir)\s*\(/;

// CONTRIBUTING.md asks for 100 columns and about 500 lines; from here on it is an error.
const lineColumnsMax = 120;
const functionLinesMax = 70;
const fileLinesMax = 600;

// Places of one machine, hosts that a lock file must not pin.
const unspeakable = [
	[/(^|[\s"'`(=:])\/(root|Users)\/[A-Za-z]/, "a path of one machine"],
	[/"resolved":\s*"https?:/, "a package registry's host"],
];

const skippedFolders = new Set([".git", ".deps", "node_modules", "build", "data"]);
const textFile =
	/(\.(c|h|mjs|js|ts|css|html|md|txt|json|yaml|yml|cmake|sql|sh)|\/[A-Za-z_-]+|^[A-Za-z_-]+|npmrc)$/;

// The same text with comments and the insides of literals blanked, line for line.
function codeOnly(text) {
	const parts = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/g;
	return text.replace(parts, (part) => {
		const kept = part[0] === "/" ? "" : part[0] + part[0];
		return kept + part.replace(/[^\n]/g, "");
	});
}

function folderOf(file) {
	if (file === "src/main.c")
		return "main";
	return file.startsWith("src/") ? file.split("/")[1] : null;
}

function complaintAboutOwnHeader(file, header) {
	const own = folderOf(file);
	const its = header.split("/")[0];
	const isStage = stages.includes(its) && its !== own;
	const isOpen = header === `${its}/${its}.h` || stageHeadersForOthers.includes(header);
	if (file.startsWith("tools/"))
		return its in rankOf && its !== "base" ? "tools include nothing of src/ but base/" : null;
	if (own === null)
		return null;
	if (!(its in rankOf) || !header.includes("/"))
		return `"${header}" is not of the form "folder/file.h"`;
	if (!(own in rankOf))
		return `src/${own} has no rank in tools/check_layers.mjs`;
	if (isStage && stages.includes(own))
		return `${own} and ${its} are both stages: they meet in lake/`;
	if (its !== own && rankOf[its] >= rankOf[own])
		return `${own} is below ${its} and must not include it`;
	if (isStage && !isOpen)
		return `from outside, ${its} is ${its}/${its}.h`;
	return null;
}

function complaintAboutSystemHeader(file, header) {
	const entry = thirdParty.find(([name]) => name.test(header));
	if (entry)
		return entry[1].test(file) ? null : `<${header}> is not for this file: use the face in src/wrap`;
	if (!systemHeaders.test(header))
		return `<${header}> is unknown: give it one place in thirdParty of tools/check_layers.mjs`;
	return null;
}

function* complaintsAboutIncludes(file, lines) {
	for (const [index, line] of lines.entries()) {
		const found = /^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)/.exec(line);
		if (!found)
			continue;
		const complaint = found[1] !== undefined
			? complaintAboutOwnHeader(file, found[1])
			: complaintAboutSystemHeader(file, found[2]);
		if (complaint)
			yield [index, complaint];
	}
}

function* complaintsAboutCalls(file, codeLines) {
	for (const [index, line] of codeLines.entries()) {
		for (const [calls, allowed, instead] of banned) {
			const found = new RegExp(`(?<![\\w.>])(${calls.source})\\s*\\(`).exec(line);
			if (found && !(allowed && allowed.test(file)))
				yield [index, `${found[1]}() is banned: ${instead}`];
		}
		if (/\btypedef\s+(struct|union|enum)\b/.test(line))
			yield [index, "no typedefs for structs: write the tag"];
	}
}

function* complaintsAboutFailpoints(file, codeLines) {
	for (const [index, line] of codeLines.entries()) {
		const found = failpointed.exec(line);
		const isBanned = found?.[1] === "rename" && file !== "src/base/file.c";
		if (found && !isBanned && file.startsWith("src/") && !line.slice(0, found.index).includes("FAILPOINT"))
			yield [index, `${found[1]}() without a name to be killed at: FAILPOINT of base/failpoint.h`];
	}
}

function* complaintsAboutLength(lines, codeLines) {
	if (lines.length - 1 > fileLinesMax)
		yield [0, `${lines.length - 1} lines in one file, at most ${fileLinesMax}: split it`];
	for (const [index, line] of lines.entries()) {
		const columns = line.replace(/\t/g, "        ").length;
		if (columns > lineColumnsMax)
			yield [index, `${columns} columns, at most ${lineColumnsMax}`];
	}
	let start = -1;
	for (const [index, line] of codeLines.entries()) {
		if (/^\{/.test(line) || /^\w.*\)\s*\{\s*$/.test(line))
			start = index;
		if (!/^\}/.test(line) || start < 0)
			continue;
		const count = index - start + 1;
		if (count > functionLinesMax)
			yield [start, `a function of ${count} lines, at most ${functionLinesMax}`];
		start = -1;
	}
}

function* complaintsAboutText(file, lines) {
	for (const [index, line] of lines.entries())
		for (const [words, what] of unspeakable)
			if (words.test(line))
				yield [index, `${what} does not belong here`];
	if (!/\.[ch]$/.test(file))
		return;
	if (!lines[0].includes("SPDX-License-Identifier: Apache-2.0"))
		yield [0, "the first line names the licence: SPDX-License-Identifier: Apache-2.0"];
	for (const [index, line] of lines.entries())
		if (/\b(TODO|FIXME|XXX)\b/.test(line))
			yield [index, "an issue, not a note in the code"];
}

// All complaints about one file as `file:line: text`. `file` is relative to the repository.
export function complaintsAbout(file, text) {
	const lines = text.split("\n");
	const found = [...complaintsAboutText(file, lines)];
	if (/\.[ch]$/.test(file)) {
		found.push(...complaintsAboutIncludes(file, lines));
		if (!file.startsWith("tests/")) {
			const codeLines = codeOnly(text).split("\n");
			found.push(...complaintsAboutCalls(file, codeLines));
			found.push(...complaintsAboutFailpoints(file, codeLines));
			found.push(...complaintsAboutLength(lines, codeLines));
		}
	}
	found.sort((a, b) => a[0] - b[0]);
	return found.map(([index, complaint]) => `${file}:${index + 1}: ${complaint}`);
}

function* filesBelow(root, folder) {
	for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
		const file = folder ? `${folder}/${entry.name}` : entry.name;
		if (entry.isDirectory() && !skippedFolders.has(entry.name))
			yield* filesBelow(root, file);
		else if (entry.isFile() && textFile.test(file))
			yield file;
	}
}

function main() {
	const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
	let count = 0;
	for (const file of filesBelow(root, ""))
		for (const complaint of complaintsAbout(file, fs.readFileSync(path.join(root, file), "utf8"))) {
			console.log(complaint);
			count++;
		}
	console.log(count ? `check_layers: ${count} complaints` : "check_layers: nothing to complain about");
	process.exitCode = count ? 1 : 0;
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
	main();
