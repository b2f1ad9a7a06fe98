/* SPDX-License-Identifier: Apache-2.0 */
/* archive_source.c - argument to words (braces), word to hours, files, URL. */
#include "ingest/archive_source.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"
#include "ingest/archive_hour.h"
#include "wrap/http_client.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLE_SLOTS = 1 << 19 }; /* more than twice ARCHIVE_SOURCES_MAX */

/* What makes two sources the same. */
struct source_key {
	enum archive_source_kind kind;
	uint64_t a; /* time, device or hash */
	uint64_t b; /* inode */
};

struct collection {
	int64_t now_us;
	struct arena *arena;
	struct archive_source *items; /* ARCHIVE_SOURCES_MAX of them */
	struct source_key *keys;
	uint32_t *slots; /* 1 + index of an item, by key */
	size_t count;
	size_t words; /* that came out of braces */
	size_t duplicates;
	size_t unfinished;
	struct err *err;
};

const char *archive_source_kind_name(enum archive_source_kind kind)
{
	static const char *const names[] = {"hour", "file", "url", "stdin"};
	return names[kind];
}

static bool refuse(struct collection *all, const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(struct collection *all, const char *format, ...)
{
	char text[ERR_TEXT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	(void)err_set(all->err, ERR_INPUT, "%s", text);
	all->err->exit_code = 2;
	return false;
}

static bool refuse_count(struct collection *all)
{
	return refuse(all, "more than %d hours and files at once: import them in parts", ARCHIVE_SOURCES_MAX);
}

/* ---- the list ---- */

/* The slot of that source, or the free one where it belongs. */
static uint32_t *find_slot(const struct collection *all, const struct source_key *key, const char *name)
{
	uint64_t parts[3] = {(uint64_t)key->kind, key->a, key->b};
	uint64_t at = span_hash(span_make((const char *)parts, sizeof(parts)), 0);
	for (;; at++) {
		uint32_t *slot = &all->slots[at % TABLE_SLOTS];
		const struct source_key *found = *slot > 0 ? &all->keys[*slot - 1] : NULL;
		if (!found
		    || (found->kind == key->kind && found->a == key->a && found->b == key->b
			&& (key->kind != ARCHIVE_URL || strcmp(all->items[*slot - 1].name, name) == 0)))
			return slot;
	}
}

static bool add(struct collection *all, struct source_key key, const char *name, int64_t hour_us)
{
	uint32_t *slot = find_slot(all, &key, name);
	if (*slot > 0) {
		all->duplicates++;
		return true;
	}
	if (all->count == ARCHIVE_SOURCES_MAX)
		return refuse_count(all);
	const char *copy = arena_copy_text(all->arena, span_of(name));
	if (!copy)
		return refuse(all, "the names of all sources do not fit into %zu bytes", all->arena->size_max);
	all->keys[all->count] = key;
	all->items[all->count++] = (struct archive_source){key.kind, copy, hour_us};
	*slot = (uint32_t)all->count;
	return true;
}

/* ---- hours ---- */

/* All digits and what stands between them in hours and ranges. */
static bool looks_like_hours(const char *word)
{
	return strspn(word, "0123456789") == 4 && word[4] == '-' && word[strspn(word, "0123456789-.")] == '\0';
}

/* The first and last hour that `text` means. */
static bool parse_hours(struct collection *all, const char *word, struct span text, int64_t *first_out,
			int64_t *last_out)
{
	if (archive_hour_parse(text, first_out)) {
		*last_out = *first_out;
	} else if (archive_hour_parse_day(text, first_out)) {
		*last_out = *first_out + 23 * ARCHIVE_HOUR_US;
	} else {
		return refuse(all, "%.100s: %.*s is no hour (2026-09-20-7, from 0 to 23) or day (2026-09-20) of the "
			      "calendar", word, SPAN_ARGUMENTS(text));
	}
	if (*first_out < ARCHIVE_HOUR_FIRST_US)
		return refuse(all, "%.100s: the archive begins with 2011-02-12", word);
	return true;
}

static bool add_hours(struct collection *all, const char *word)
{
	struct span text = span_of(word);
	const char *dots = strstr(word, "..");
	struct span from = dots ? span_make(word, (size_t)(dots - word)) : text;
	struct span to = dots ? span_of(dots + 2) : text;
	int64_t first;
	int64_t last;
	int64_t ignored;
	int64_t over_us = all->now_us - ARCHIVE_HOUR_US; /* the newest that is over begins here or before */
	if (!parse_hours(all, word, from, &first, &ignored) || !parse_hours(all, word, to, &ignored, &last))
		return false;
	if (last < first)
		return refuse(all, "%.100s: ends before it begins", word);
	/* Of a day that has begun, what is there; whoever names an hour means that hour. */
	bool is_today = !archive_hour_parse(to, &ignored) && last - 23 * ARCHIVE_HOUR_US <= all->now_us;
	if (first > over_us || (last > over_us && !is_today))
		return refuse(all, "%.100s: the newest hour that is over is %s (UTC)", word,
			      archive_hour_name(over_us).text);
	for (int64_t hour_us = first; hour_us <= last; hour_us += ARCHIVE_HOUR_US) {
		struct source_key key = {ARCHIVE_HOUR, (uint64_t)hour_us, 0};
		if (hour_us > over_us)
			all->unfinished++;
		else if (!add(all, key, archive_hour_name(hour_us).text, hour_us))
			return false;
	}
	return true;
}

/* ---- files ---- */

static bool is_archive_file(const char *name)
{
	static const char *const endings[] = {".json", ".json.gz", ".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz"};
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++)
		if (span_ends_with(span_of(name), endings[i]))
			return true;
	return false;
}

static int is_shown_archive_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && is_archive_file(entry->d_name);
}

static bool add_file(struct collection *all, const char *path, const struct stat *status)
{
	struct source_key key = {ARCHIVE_FILE, (uint64_t)status->st_dev, (uint64_t)status->st_ino};
	if (strlen(path) >= FILE_PATH_BYTES_MAX)
		return refuse(all, "%.100s...: a path of more than %d bytes", path, FILE_PATH_BYTES_MAX - 1);
	if (access(path, R_OK) != 0)
		return refuse(all, "%.500s: %s", path, strerror(errno));
	return add(all, key, path, archive_hour_of_path(span_of(path)));
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static bool add_folder(struct collection *all, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_shown_archive_file, versionsort);
	if (count < 0)
		return refuse(all, "%.500s: %s", folder, strerror(errno));
	bool has_slash = span_ends_with(span_of(folder), "/");
	bool ok = true;
	int found = 0;
	for (int i = 0; i < count && ok; i++) {
		struct file_path path;
		struct stat status;
		ok = file_path_make(&path, all->err, "%s%s%s", folder, has_slash ? "" : "/", entries[i]->d_name)
		     || refuse(all, "%.100s...: a path of more than %d bytes", folder, FILE_PATH_BYTES_MAX - 1);
		if (ok && stat(path.text, &status) == 0 && S_ISREG(status.st_mode)) {
			ok = add_file(all, path.text, &status);
			found++;
		}
	}
	free_entries(entries, count);
	return ok && (found > 0 || refuse(all, "%.500s: no *.json, *.ndjson or *.jsonl in this folder, also not with "
					  ".gz", folder));
}

/* `path` exists. */
static bool add_path(struct collection *all, const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return refuse(all, "%.500s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return add_folder(all, path);
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return refuse(all, "%.500s: neither file, folder nor pipe", path);
	return add_file(all, path, &status);
}

static int compare_names(const void *left, const void *right)
{
	return strverscmp(*(char *const *)left, *(char *const *)right);
}

static bool add_matches(struct collection *all, const char *pattern)
{
	glob_t found CLEANUP(globfree) = {0};
	int result = glob(pattern, GLOB_NOSORT, NULL, &found);
	if (result == GLOB_NOMATCH)
		return refuse(all, "%.500s: nothing matches", pattern);
	if (result != 0)
		return refuse(all, "%.500s: cannot be looked through: %s", pattern,
			      result == GLOB_NOSPACE ? "too many files" : strerror(errno));
	qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_names);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!add_path(all, found.gl_pathv[i]))
			return false;
	return true;
}

static bool refuse_unknown(struct collection *all, const char *word)
{
	struct archive_hour_name hour = archive_hour_name(archive_hour_of_path(span_of(word)));
	if (archive_hour_of_path(span_of(word)) != 0)
		return refuse(all, "%.500s: no such file; for the archive's hour write %s", word, hour.text);
	return refuse(all, "%.500s: no such file, and no hour (2026-09-20-7), day (2026-09-20), range "
		      "(2026-09-01..2026-09-30) or URL", word);
}

/* ---- words ---- */

static bool add_url(struct collection *all, const char *url)
{
	struct source_key key = {ARCHIVE_URL, span_hash(span_of(url), 0), 0};
	if (!http_client_check_url(url, all->err))
		return refuse(all, "%.*s...: no http or https URL without user and password", 8, url);
	return add(all, key, url, archive_hour_of_path(span_of(url)));
}

static bool add_word(struct collection *all, const char *word)
{
	static const struct source_key stdin_key = {ARCHIVE_STDIN, 0, 0};
	if (++all->words > ARCHIVE_SOURCES_MAX)
		return refuse_count(all);
	if (word[0] == '\0')
		return refuse(all, "an empty argument names nothing");
	if (strcmp(word, "-") == 0)
		return add(all, stdin_key, word, 0);
	if (looks_like_hours(word))
		return add_hours(all, word);
	if (file_exists(word))
		return add_path(all, word);
	if (strstr(word, "://"))
		return add_url(all, word);
	if (strpbrk(word, "*?["))
		return add_matches(all, word);
	return refuse_unknown(all, word);
}

/* ---- braces ---- */

struct braces {
	struct span before;
	struct span inside;
	struct span after;
	bool is_range;
	int64_t from;
	int64_t to;
	int width; /* of padded numbers; 0: not padded */
};

static bool parse_number(struct span s, int64_t *value_out)
{
	return s.size >= 1 && s.size <= 9 && s.data[0] != '-' && span_parse_int64(s, value_out);
}

static bool is_padded(struct span s)
{
	return s.size > 1 && s.data[0] == '0';
}

static bool parse_range(struct braces *braces)
{
	const char *dots = memmem(braces->inside.data, braces->inside.size, "..", 2);
	if (!dots)
		return false;
	struct span from = span_make(braces->inside.data, (size_t)(dots - braces->inside.data));
	struct span to = span_make(dots + 2, braces->inside.size - from.size - 2);
	size_t wider = from.size > to.size ? from.size : to.size;
	braces->width = is_padded(from) || is_padded(to) ? (int)wider : 0;
	return parse_number(from, &braces->from) && parse_number(to, &braces->to);
}

/* The first braces that bash would open too. */
static bool find_braces(struct span word, struct braces *braces_out)
{
	for (size_t open = 0; open < word.size; open++) {
		if (word.data[open] != '{')
			continue;
		struct braces braces = {.before = span_make(word.data, open)};
		struct span rest = span_make(word.data + open + 1, word.size - open - 1);
		if (!span_split(rest, '}', &braces.inside, &braces.after))
			return false;
		if (memchr(braces.inside.data, '{', braces.inside.size))
			continue;
		braces.is_range = parse_range(&braces);
		if (!braces.is_range && !memchr(braces.inside.data, ',', braces.inside.size))
			continue;
		*braces_out = braces;
		return true;
	}
	return false;
}

static bool expand(struct collection *all, const char *word, int depth);

static bool expand_with(struct collection *all, const struct braces *braces, struct span middle, int depth)
{
	struct buf word CLEANUP(buf_finish) = {0};
	buf_init(&word, ARCHIVE_ARGUMENT_BYTES_MAX);
	buf_append_span(&word, braces->before);
	buf_append_span(&word, middle);
	buf_append_span(&word, braces->after);
	buf_append(&word, "", 0);
	if (word.failed)
		return refuse(all, "an argument of more than %d bytes", ARCHIVE_ARGUMENT_BYTES_MAX);
	return expand(all, word.data ? word.data : "", depth + 1);
}

static bool expand(struct collection *all, const char *word, int depth)
{
	struct braces braces;
	if (file_exists(word) || !find_braces(span_of(word), &braces))
		return add_word(all, word);
	if (depth == ARCHIVE_BRACES_MAX)
		return refuse(all, "more than %d pairs of braces in an argument", ARCHIVE_BRACES_MAX);
	if (!braces.is_range) {
		struct span rest = braces.inside;
		struct span piece;
		while (span_split(rest, ',', &piece, &rest))
			if (!expand_with(all, &braces, piece, depth))
				return false;
		return expand_with(all, &braces, rest, depth);
	}
	int64_t step = braces.from <= braces.to ? 1 : -1;
	for (int64_t i = braces.from;; i += step) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%0*lld", braces.width, (long long)i);
		if (!expand_with(all, &braces, span_of(number), depth))
			return false;
		if (i == braces.to)
			return true;
	}
}

/* ---- all of it ---- */

static void finish(struct collection *all)
{
	free(all->items);
	free(all->keys);
	free(all->slots);
}

bool archive_sources_parse(const char *const *arguments, size_t count, int64_t now_us, struct arena *arena,
			   struct archive_sources *sources_out, struct err *err)
{
	struct collection all CLEANUP(finish) = {.now_us = now_us, .arena = arena, .err = err};
	all.items = memory_allocate(ARCHIVE_SOURCES_MAX, sizeof(*all.items));
	all.keys = memory_allocate(ARCHIVE_SOURCES_MAX, sizeof(*all.keys));
	all.slots = memory_allocate(TABLE_SLOTS, sizeof(*all.slots));
	for (size_t i = 0; i < count; i++) {
		if (strlen(arguments[i]) > ARCHIVE_ARGUMENT_BYTES_MAX)
			return refuse(&all, "an argument of more than %d bytes", ARCHIVE_ARGUMENT_BYTES_MAX);
		if (!expand(&all, arguments[i], 0))
			return false;
	}
	if (all.count == 0)
		return refuse(&all, "nothing to import: name hours (2026-09-20-7), days (2026-09-20), ranges "
			      "(2026-09-01..2026-09-30), files, URLs, or -");
	struct archive_source *items = arena_allocate(arena, all.count, sizeof(*items));
	if (!items)
		return refuse(&all, "the names of all sources do not fit into %zu bytes", arena->size_max);
	memcpy(items, all.items, all.count * sizeof(*items));
	*sources_out = (struct archive_sources){items, all.count, all.duplicates, all.unfinished};
	return true;
}
