// SPDX-License-Identifier: Apache-2.0
// tools/check_layers.mjs must complain about each breach of a rule, and about nothing that keeps it.
import assert from "node:assert/strict";
import test from "node:test";
import { complaintsAbout } from "../../../tools/check_layers.mjs";

const licence = "/* SPDX-License-Identifier: Apache-2.0 */\n";
const lines = (count, text) => `${text}\n`.repeat(count);

const breaches = [
	["upwards", "src/base/err.c", '#include "lake/event.h"', /base is below lake/],
	["upwards by a stage", "src/gold/gold.c", '#include "metrics/metric.h"', /gold is below metrics/],
	["stage to stage", "src/silver/silver.c", '#include "gold/gold.h"', /both stages/],
	["stage to stage's rollup", "src/silver/silver.c", '#include "gold/rollup.h"', /both stages/],
	["inside of a stage", "src/app/daemon.c", '#include "gold/refresh.h"', /gold is gold\/gold\.h/],
	["header beside it", "src/lake/event.c", '#include "event.h"', /folder\/file\.h/],
	["folder without rank", "src/ship/ship.c", '#include "base/err.h"', /no rank/],
	["tool above base", "tools/fake_github/main.c", '#include "wrap/duck.h"', /nothing of src/],
	["engine outside its face", "src/gold/gold.c", "#include <duckdb.h>", /not for this file/],
	["curl outside its face", "src/wrap/duck.c", "#include <curl/curl.h>", /not for this file/],
	["cmocka in the product", "src/base/err.c", "#include <cmocka.h>", /not for this file/],
	["unknown library", "src/wrap/fast.c", "#include <isa-l.h>", /is unknown/],
	["strcpy", "src/base/err.c", "\tstrcpy(a, b);", /strcpy\(\) is banned: snprintf/],
	["atoi in a condition", "src/base/err.c", "\tif (atoi(a))", /atoi\(\) is banned/],
	["rename", "src/lake/bronze.c", "\trename(a, b);", /rename\(\) is banned/],
	["nameless fsync", "src/base/file.c", "\tif (fsync(fd) != 0)", /fsync\(\) without a name to be killed at/],
	["nameless rename", "src/base/file.c", "\trename(a, b);", /rename\(\) without a name/],
	["time", "src/lake/bronze.c", "\tx = time(NULL);", /time\(\) is banned: base\/clock\.h/],
	["getenv", "src/ingest/poll.c", '\tgetenv("A");', /getenv\(\) is banned/],
	["typedef", "src/base/err.h", "typedef struct err err_t;", /typedefs/],
	["note", "src/base/err.c", "/* TODO later */", /an issue/],
	["wide line", "src/base/err.c", "\t" + "x".repeat(113), /121 columns/],
	["long function", "src/base/err.c", `int f(void)\n{\n${lines(69, "\tg();")}}`, /function of 71 lines/],
	["long file", "src/base/err.c", lines(601, "int a;"), /split it/],
	["place", "docs/guide.md", "see " + "/ro" + "ot/lake", /path of one machine/],
	["host", "package-lock.json", '"resol' + 'ved": "https://example.org/a"', /registry's host/],
];
for (const [name, file, text, expected] of breaches)
	test(`complains: ${name}`, () => {
		const found = complaintsAbout(file, `${licence}${text}\n`);
		assert.equal(found.length, 1, found.join("\n"));
		assert.match(found[0], expected);
		assert.ok(found[0].startsWith(`${file}:`));
	});

test("complains: no licence line", () => {
	assert.match(complaintsAbout("src/base/err.c", "int a;\n").join(), /:1: .*licence/);
});

test("names the line", () => {
	const found = complaintsAbout("src/base/err.c", `${licence}/* two\nthree */\n\tstrcpy(a, b);\n`);
	assert.deepEqual(found.map((line) => line.split(":")[1]), ["4"]);
});

const kept = [
	["named fsync", "src/base/file.c", '\tif (FAILPOINT("fsync", fsync(fd)) != 0)\n\t(void)unlink(a);\n\td->write(d);'],
	["downwards", "src/gold/gold.c", '#include "lake/event.h"\n#include "gold/rollup.h"'],
	["a stage's face", "src/app/daemon.c", '#include "gold/gold.h"\n#include "gold/rollup.h"'],
	["own inside", "src/gold/gold.c", '#include "gold/refresh.h"'],
	["main", "src/main.c", '#include "app/commands.h"'],
	["wrapper", "src/wrap/duck.c", "#include <duckdb.h>\n#include <sys/stat.h>\n#include <stdio.h>"],
	["test of an inside", "tests/unit/gold/refresh_test.c", '#include "gold/refresh.h"'],
	["names in comments", "src/base/err.c", "/* strcpy() and\n * time() */\n// getenv()"],
	["names in strings", "src/base/err.c", '\tf("a \\" time() ", \'"\', "rename()");'],
	["names inside names", "src/base/err.c", "\tmy_strcpy(a); b.time(); c->time(); clock->rename();"],
	["owner of rename", "src/base/file.c", '\tFAILPOINT("rename", rename(a, b));'],
	["owner of the clock", "src/base/clock.c", "\tclock_gettime(a, b);"],
	["owner of the environment", "src/app/config.c", '\tgetenv("A");'],
	["function at the limit", "src/base/err.c", `int f(void)\n{\n${lines(68, "\tg();")}}`],
	["file at the limit", "src/base/err.c", lines(599, "int a;").trimEnd()],
];
for (const [name, file, text] of kept)
	test(`is content: ${name}`, () => {
		assert.deepEqual(complaintsAbout(file, `${licence}${text}\n`), []);
	});
