/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/router.h"

#include "base/suggest.h"

#include <string.h>

enum { SUGGESTION_COUNT_MAX = 64 };

static const char placeholder[] = "{id}";

/* Takes the first segment off: "/kpi/x" gives "kpi" and "/x". False at the end. */
static bool next_segment(struct span *path, struct span *segment_out)
{
	if (path->size == 0 || path->data[0] != '/')
		return false;
	size_t end = 1;
	while (end < path->size && path->data[end] != '/')
		end++;
	*segment_out = (struct span){path->data + 1, end - 1};
	*path = (struct span){path->data + end, path->size - end};
	return true;
}

static bool matches(const char *pattern, struct span path, struct span *id_out)
{
	struct span wanted_rest = span_of(pattern);
	struct span id = {0};
	struct span wanted;
	struct span found;
	while (next_segment(&wanted_rest, &wanted)) {
		if (!next_segment(&path, &found))
			return false;
		if (span_equal_text(wanted, placeholder) && found.size > 0)
			id = found;
		else if (!span_equal(wanted, found))
			return false;
	}
	if (path.size > 0)
		return false;
	*id_out = id;
	return true;
}

const struct route *router_find(
	const struct route *table, size_t count, struct span path, struct span *id_out)
{
	for (size_t i = 0; i < count; i++)
		if (matches(table[i].pattern, path, id_out))
			return &table[i];
	return NULL;
}

/* The pattern with the path's own segment in the placeholder's place. */
static const char *fill_pattern(const char *pattern, struct span path, struct arena *arena)
{
	CLEANUP(buf_finish) struct buf filled = {.size_max = 256};
	struct span rest = span_of(pattern);
	struct span wanted;
	struct span found;
	while (next_segment(&rest, &wanted) && next_segment(&path, &found)) {
		buf_append_byte(&filled, '/');
		buf_append_span(&filled, span_equal_text(wanted, placeholder) ? found : wanted);
	}
	return filled.failed ? NULL : arena_copy_text(arena, buf_span(&filled));
}

/* Segments that the path and the pattern share, when every other one is at least near; else -1. */
static int count_shared(const char *pattern, struct span path)
{
	struct span rest = span_of(pattern);
	struct span wanted;
	struct span found;
	int shared = 0;
	while (next_segment(&rest, &wanted)) {
		char word[64] = {0};
		if (!next_segment(&path, &found) || found.size == 0 || wanted.size >= sizeof(word))
			return -1;
		const char *words[] = {memcpy(word, wanted.data, wanted.size)};
		if (span_equal(wanted, found))
			shared++;
		else if (!span_equal_text(wanted, placeholder) && !suggest_word(found, words, 1))
			return -1;
	}
	return path.size == 0 || span_equal_text(path, "/") ? shared : -1;
}

const char *router_suggest(
	const struct route *table, size_t count, struct span path, struct arena *arena)
{
	const char *literals[SUGGESTION_COUNT_MAX] = {0};
	size_t literal_count = 0;
	const struct route *best = NULL;
	int best_shared = -1;
	for (size_t i = 0; i < count; i++) {
		const char *pattern = table[i].pattern;
		int shared = strcmp(pattern, "/") == 0 ? -1 : count_shared(pattern, path);
		if (shared > best_shared) {
			best = &table[i];
			best_shared = shared;
		}
		if (!strstr(pattern, placeholder) && literal_count < SUGGESTION_COUNT_MAX)
			literals[literal_count++] = pattern;
	}
	/* "/api/metrics" is nearer to "/api/v1/metrics" than to "/kpi/metrics". */
	const char *literal = best_shared > 0 ? NULL : suggest_word(path, literals, literal_count);
	return best && !literal ? fill_pattern(best->pattern, path, arena) : literal;
}

/* "127.0.0.1:9000" without its port, "[::1]" without brackets. False when it is malformed. */
static bool host_name(struct span host, struct span *name_out)
{
	struct span port = {0};
	if (span_starts_with(host, "[")) {
		const char *end = memchr(host.data, ']', host.size);
		if (!end)
			return false;
		size_t size = (size_t)(end - host.data);
		*name_out = (struct span){host.data + 1, size - 1};
		port = (struct span){end + 1, host.size - size - 1};
	} else {
		size_t size = 0;
		while (size < host.size && host.data[size] != ':')
			size++;
		*name_out = (struct span){host.data, size};
		port = (struct span){host.data + size, host.size - size};
	}
	for (size_t i = 0; i < port.size; i++)
		if (i == 0 ? port.data[i] != ':' : port.data[i] < '0' || port.data[i] > '9')
			return false;
	return true;
}

bool router_host_is_local(struct span host, const char *bound)
{
	const char *const names[] = {"localhost", "127.0.0.1", "::1", bound};
	struct span name;
	if (!host.data || !host_name(host, &name))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (span_equal_ignore_case(name, span_of(names[i])))
			return true;
	return false;
}

bool router_address_is_loopback(const char *address)
{
	return strcmp(address, "localhost") == 0 || strcmp(address, "::1") == 0
	       || strncmp(address, "127.", strlen("127.")) == 0;
}
