/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/synthetic_text.h"

#include "base/json_writer.h"

#include <inttypes.h>

static const char *const titles[] = {
	"Fix crash when the config file is empty",
	"Add support for IPv6 addresses",
	"chore(deps): bump serde from 1.0.197 to 1.0.228",
	"\"undefined is not a function\" after upgrade",
	"Don't panic on '; DROP TABLE events; -- in titles",
	"文档：修正安装步骤中的错误",
	"ドキュメントを更新する",
	"Ошибка при запуске на Windows 11",
	"قراءة الملفات الكبيرة بطيئة جدا",
	"🐛 Button does nothing 😭",
	"C:\\Users\\name\\AppData is not found",
	"<script>alert(1)</script> is not escaped in the preview",
	"Support ${VARIABLE} and $(command) in templates",
	"feat: faster parser (≈ 3× on large inputs)",
	"Memory leak in `stream.pipe()`",
	"Größe des Fensters wird nicht gespeichert",
	"Typo",
	"Question: how do I use this with Docker?",
	"Zero\u200bwidth and right\u202eto\u202cleft marks",
	"100% CPU on idle; see #1, #2 & #3",
	"Release 2.0 checklist",
	"Tests fail\twith tabs in names",
	"refactor: remove dead code",
	"Revert \"Revert \"Use new allocator\"\"",
};

static const char *const bodies[] = {
	"Thanks, merged!",
	"LGTM 👍",
	"### Problem\r\n\r\nThe build fails with:\r\n\r\n```\r\nerror: expected ';' before '}' token\r\n```\r\n",
	"Could you add a test for this?",
	"I can reproduce it on 14.2:\n\n1. open the file\n2. press \"Save\"\n3. see `null`\n",
	"'); DELETE FROM events; --",
	"感谢您的贡献！请查看一下评论。",
	"This pull request was created by a bot. You can trigger a rebase by commenting `@bot rebase`.",
	"| a | b |\n|---|---|\n| \\\\ | \\\" |\n",
	"Same here <img src=x onerror=alert(1)>",
	"Ça ne marche pas chez moi non plus… 🤷‍♀️",
	"See https://example.com/?q=1&r=%22two%22#three",
};

static const char *const branches[] = {
	"main",
	"master",
	"develop",
	"gh-pages",
	"feature/login-form",
	"fix/issue-17",
	"dependabot/npm_and_yarn/vite-7.1.2",
	"renovate/typescript-5.x",
	"release/2.4",
	"user/refactor-parser",
};

static const char *pick(const char *const *texts, size_t count, struct world_random *random)
{
	return texts[world_random_below(random, count)];
}

const char *text_pick_title(struct world_random *random)
{
	return pick(titles, ARRAY_COUNT(titles), random);
}

const char *text_pick_body(struct world_random *random)
{
	return pick(bodies, ARRAY_COUNT(bodies), random);
}

const char *text_pick_branch(struct world_random *random)
{
	return pick(branches, ARRAY_COUNT(branches), random);
}

void text_append(struct buf *out, const char *text)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_put_text(&json, text);
}

void text_append_sha(struct buf *out, struct world_random *random)
{
	buf_printf(out, "%016" PRIx64 "%016" PRIx64 "%08" PRIx32, world_random_next(random),
		   world_random_next(random), (uint32_t)world_random_next(random));
}
