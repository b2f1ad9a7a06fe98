/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/synthetic_prose.h"

#include "fake_github/synthetic_text.h"

#include <inttypes.h>

/* Commonest first, as the draw wants it. */
static const char *const words[] = {
	"the", "to", "a", "and", "of", "in", "for", "is", "this", "add", "fix", "update", "with", "on", "from",
	"it", "not", "be", "that", "when", "as", "use", "remove", "by", "if", "or", "we", "are", "test", "file",
	"version", "error", "build", "code", "new", "change", "support", "readme", "can", "should", "issue",
	"an", "at", "has", "have", "was", "merge", "branch", "release", "bump", "make", "all", "but", "so",
	"set", "type", "default", "config", "into", "will", "only", "module", "function", "value", "request",
	"page", "name", "line", "run", "move", "more", "data", "option", "server", "docs", "which", "after",
	"before", "now", "also", "then", "there", "does", "work", "list", "missing", "user", "api", "client",
	"return", "check", "feature", "improve", "allow", "script", "failing", "tests", "package", "path",
	"string", "command", "image", "style", "refactor", "handle", "method", "class", "object", "instead",
	"without", "same", "first", "last", "using", "used", "between", "while", "because", "see", "need",
	"needs", "please", "thanks", "could", "would", "any", "other", "some", "one", "two", "cache", "table",
	"number", "result", "output", "input", "message", "event", "thread", "memory", "field", "column",
	"index", "query", "parser", "token", "login", "button", "window", "screen", "layout", "color",
	"header", "footer", "template", "component", "library", "dependency", "dependencies", "install",
	"upgrade", "upstream", "downstream", "patch", "minor", "major", "typo", "comment", "comments",
	"documentation", "example", "examples", "workflow", "action", "pipeline", "deploy", "docker",
	"container", "cluster", "node", "service", "endpoint", "schema", "migration", "database", "model",
	"view", "controller", "router", "route", "state", "store", "hook", "render", "async", "await",
	"promise", "callback", "timeout", "retry", "connection", "socket", "stream", "buffer", "encoding",
	"decode", "format", "convert", "validate", "validation", "exception", "crash", "panic", "warning",
	"deprecated", "legacy", "compatibility", "platform", "windows", "linux", "macos", "android", "mobile",
	"desktop", "browser", "safari", "chrome", "firefox", "plugin", "extension", "theme", "icon", "font",
	"locale", "translation", "language", "timezone", "calendar", "duration", "interval", "counter",
	"metric", "dashboard", "chart", "report", "export", "import", "download", "upload", "archive",
	"compress", "checksum", "signature", "certificate", "encryption", "password", "session", "cookie",
	"permission", "role", "admin", "account", "profile", "settings", "preference", "notification",
	"email", "template", "payment", "invoice", "order", "product", "customer", "search", "filter",
	"sort", "pagination", "scroll", "keyboard", "shortcut", "mouse", "gesture", "animation", "transition",
	"shader", "texture", "vertex", "matrix", "vector", "tensor", "gradient", "training", "dataset",
	"benchmark", "profiling", "performance", "latency", "throughput", "allocation", "garbage", "collector",
	"pointer", "reference", "ownership", "lifetime", "generic", "trait", "interface", "abstract",
	"inheritance", "closure", "iterator", "generator", "recursion", "algorithm", "hash", "tree", "graph",
	"queue", "stack", "heap", "mutex", "semaphore", "deadlock", "race", "condition", "atomic", "barrier",
	"scheduler", "worker", "daemon", "supervisor", "watcher", "listener", "dispatcher", "broker",
	"publisher", "subscriber", "topic", "partition", "replica", "leader", "follower", "election",
	"consensus", "snapshot", "checkpoint", "recovery", "failover", "rollback", "transaction", "isolation",
	"constraint", "trigger", "procedure", "cursor", "fixture", "mock", "stub", "assertion", "coverage",
	"regression", "flaky", "nightly", "canary", "staging", "production", "rollout", "hotfix", "cleanup",
	"whitespace", "indentation", "formatting", "linter", "lint", "spelling", "grammar", "wording",
	"clarify", "explain", "mention", "describe", "document", "rename", "extract", "inline", "simplify",
	"rewrite", "revert", "restore", "replace", "reduce", "increase", "avoid", "prevent", "ensure",
	"enable", "disable", "introduce", "implement", "initial", "temporary", "experimental", "optional",
	"required", "invalid", "unknown", "unexpected", "undefined", "empty", "duplicate", "stale", "broken",
	"wrong", "correct", "proper", "better", "faster", "slower", "smaller", "bigger", "nested", "recursive",
};

static const char *const suffixes[] = {"c", "h", "py", "js", "ts", "go", "rs", "java", "md", "json", "yml", "css"};

static const char *const prefixes[] = {"fix", "feat", "chore", "docs", "refactor", "ci", "build", "test"};

static const char *word(struct world_random *random)
{
	/* The square of an even draw from 0 to 1: the front of the list is met often, its end rarely. */
	uint64_t draw = world_random_next(random) >> 40;
	return words[(((draw * draw) >> 24) * ARRAY_COUNT(words)) >> 24];
}

static const char *even_word(struct world_random *random)
{
	return words[world_random_below(random, ARRAY_COUNT(words))];
}

/* Something that is no word, as developers write it. */
static void append_thing(struct buf *out, struct world_random *random)
{
	const char *one = even_word(random);
	const char *other = even_word(random);
	const char *suffix = suffixes[world_random_below(random, ARRAY_COUNT(suffixes))];
	uint64_t number = world_random_below(random, 10000);
	switch (world_random_below(random, 9)) {
	case 0:
		buf_printf(out, "`%s_%s()`", one, other);
		break;
	case 1:
		buf_printf(out, "%s/%s.%s", one, other, suffix);
		break;
	case 2:
		buf_printf(out, "#%" PRIu64, number);
		break;
	case 3:
		buf_printf(out, "%" PRIu64 ".%" PRIu64 ".%" PRIu64, number % 17, number % 41, number % 7);
		break;
	case 4:
		buf_printf(out, "[%s](https://%s-%s.dev/%s/%" PRIu64 ")", one, other, one, word(random), number);
		break;
	case 5:
		buf_printf(out, "\\\"%s %s\\\"", one, other);
		break;
	case 6:
		buf_printf(out, "@%s%s%" PRIu64, one, other, number % 100);
		break;
	case 7:
		buf_printf(out, "%07" PRIx64, world_random_next(random) >> 36);
		break;
	default:
		buf_printf(out, "`%s.%s`", one, other);
		break;
	}
}

static void append_words(struct buf *out, struct world_random *random, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_append_byte(out, ' ');
		if (world_random_below(random, 10) == 0)
			append_thing(out, random);
		else
			buf_append_text(out, world_random_below(random, 2) ? word(random) : even_word(random));
	}
}

static void append_capital(struct buf *out, const char *text)
{
	buf_append_byte(out, (char)(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' : text[0]));
	buf_append_text(out, text + 1);
}

static void append_sentence(struct buf *out, struct world_random *random)
{
	static const char *const ends[] = {".", ".", ".", "?", "!", ":", "..."};
	append_capital(out, word(random));
	buf_append_byte(out, ' ');
	append_words(out, random, 4 + world_random_below(random, 16));
	buf_append_text(out, ends[world_random_below(random, ARRAY_COUNT(ends))]);
}

static void append_line(struct buf *out, struct world_random *random)
{
	uint64_t draw = world_random_below(random, 10);
	if (draw < 3) {
		buf_append_text(out, prefixes[world_random_below(random, ARRAY_COUNT(prefixes))]);
		if (draw == 0)
			buf_printf(out, "(%s)", even_word(random));
		buf_append_text(out, ": ");
		buf_append_text(out, word(random));
	} else {
		append_capital(out, draw < 6 ? words[9 + world_random_below(random, 3)] : even_word(random));
	}
	buf_append_byte(out, ' ');
	append_words(out, random, 1 + world_random_below(random, 8));
}

static void append_code(struct buf *out, struct world_random *random, const char *line_end)
{
	buf_printf(out, "```%s", line_end);
	for (uint64_t lines = 1 + world_random_below(random, 8); lines > 0; lines--) {
		const char *one = even_word(random);
		const char *other = even_word(random);
		uint64_t number = world_random_below(random, 100000);
		if (world_random_below(random, 3) == 0)
			buf_printf(out, "\\tat %s.%s(%s.java:%" PRIu64 ")%s", one, other, one, number % 900,
				   line_end);
		else
			buf_printf(out, "  %s = %s[%" PRIu64 "] || \\\"%s\\\";%s", one, other, number,
				   word(random), line_end);
	}
	buf_printf(out, "```%s", line_end);
}

static void append_paragraphs(struct buf *out, struct world_random *random, uint64_t count, const char *line_end)
{
	for (uint64_t i = 0; i < count; i++) {
		if (i > 0)
			buf_printf(out, "%s%s", line_end, line_end);
		switch (world_random_below(random, 7)) {
		case 0:
			append_code(out, random, line_end);
			break;
		case 1:
			for (uint64_t items = 2 + world_random_below(random, 4); items > 0; items--) {
				buf_append_text(out, "- ");
				append_words(out, random, 2 + world_random_below(random, 8));
				buf_append_text(out, line_end);
			}
			break;
		case 2:
			buf_append_text(out, "### ");
			append_line(out, random);
			break;
		default:
			for (uint64_t sentences = 2 + world_random_below(random, 5); sentences > 0; sentences--) {
				append_sentence(out, random);
				buf_append_byte(out, ' ');
			}
			break;
		}
	}
}

static bool is_hostile(struct world_random *random)
{
	return world_random_below(random, 15) == 0;
}

void prose_append_title(struct buf *out, struct world_random *random)
{
	if (is_hostile(random)) {
		text_append(out, text_pick_title(random));
		return;
	}
	buf_append_byte(out, '"');
	append_line(out, random);
	buf_append_byte(out, '"');
}

void prose_append_body(struct buf *out, struct world_random *random)
{
	if (is_hostile(random)) {
		text_append(out, text_pick_body(random));
		return;
	}
	const char *line_end = world_random_below(random, 2) ? "\\r\\n" : "\\n";
	uint64_t draw = world_random_below(random, 10);
	uint64_t count = 1;
	if (draw >= 8)
		count = 5 + world_random_below(random, 9);
	else if (draw >= 4)
		count = 2 + world_random_below(random, 4);
	buf_append_byte(out, '"');
	append_paragraphs(out, random, count, line_end);
	buf_append_byte(out, '"');
}

void prose_append_message(struct buf *out, struct world_random *random)
{
	if (is_hostile(random)) {
		text_append(out, text_pick_title(random));
		return;
	}
	buf_append_byte(out, '"');
	append_line(out, random);
	if (world_random_below(random, 3) == 0) {
		buf_append_text(out, "\\n\\n");
		append_paragraphs(out, random, 1 + world_random_below(random, 3), "\\n");
	}
	buf_append_byte(out, '"');
}

void prose_append_branch(struct buf *out, struct world_random *random)
{
	if (world_random_below(random, 10) < 6)
		buf_append_text(out, text_pick_branch(random));
	else
		buf_printf(out, "%s/%s-%s-%" PRIu64,
			   prefixes[world_random_below(random, ARRAY_COUNT(prefixes))], even_word(random),
			   even_word(random), world_random_below(random, 1000));
}
