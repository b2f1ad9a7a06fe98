/* SPDX-License-Identifier: Apache-2.0 */
#include "lake/archive_salvage.h"

#include "lake/archive_private.h"
#include "lake/event.h"

#include <stdio.h>
#include <string.h>

/* Deeper brackets than the scanner takes are followed nevertheless, so that such an object is refused as
 * a whole. */
enum { FOLLOWED_DEPTH_MAX = 1024 };

enum outcome {
	OBJECT_COMPLETE, /* `end` is behind it */
	OBJECT_BROKEN,   /* `end` is the first byte that cannot stand there */
	OBJECT_OPEN,     /* the line ends in it */
};

static const char doubtful[] = "record-doubtful";

/* What may come next. */
enum expected { EXPECT_VALUE, EXPECT_FIRST_VALUE, EXPECT_KEY, EXPECT_FIRST_KEY, EXPECT_COLON, EXPECT_COMMA };

struct follower {
	struct span line;
	size_t at;
	size_t depth;
	enum expected expected;
	uint64_t arrays[FOLLOWED_DEPTH_MAX / 64]; /* bit per depth: an array, else an object */
};

void archive_salvage_init(struct archive_salvage *salvage, const struct scan_plan *plan, struct span line)
{
	*salvage = (struct archive_salvage){.plan = plan, .line = line};
	/* What scan_event asks for at most, and some for its fields. */
	arena_init(&salvage->arena, (size_t)4 * SCAN_EVENT_BYTES_MAX);
}

void archive_salvage_finish(struct archive_salvage *salvage)
{
	arena_finish(&salvage->arena);
}

/* ---- an object's extent ---- */

static bool is_blank_byte(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_in_array(const struct follower *follower)
{
	size_t index = follower->depth - 1;
	return (follower->arrays[index / 64] >> index % 64 & 1) != 0;
}

static bool open_bracket(struct follower *follower, bool is_array)
{
	size_t index = follower->depth;
	uint64_t bit = UINT64_C(1) << index % 64;
	if (index == FOLLOWED_DEPTH_MAX)
		return false;
	if (is_array)
		follower->arrays[index / 64] |= bit;
	else
		follower->arrays[index / 64] &= ~bit;
	follower->depth++;
	follower->expected = is_array ? EXPECT_FIRST_VALUE : EXPECT_FIRST_KEY;
	follower->at++;
	return true;
}

static bool close_bracket(struct follower *follower, bool is_array)
{
	bool may = follower->expected == EXPECT_COMMA
		   || follower->expected == (is_array ? EXPECT_FIRST_VALUE : EXPECT_FIRST_KEY);
	if (!may || is_in_array(follower) != is_array)
		return false;
	follower->depth--;
	follower->expected = EXPECT_COMMA;
	follower->at++;
	return true;
}

/* Passes a string; at the line's end when it has none. */
static void pass_string(struct follower *follower)
{
	const char *data = follower->line.data;
	size_t size = follower->line.size;
	size_t at = follower->at + 1;
	while (at < size && data[at] != '"')
		at += data[at] == '\\' && at + 1 < size ? 2 : 1;
	follower->at = at < size ? at + 1 : size;
}

/* A number or a literal, which the scanner will look at: up to what ends one. */
static void pass_scalar(struct follower *follower)
{
	while (follower->at < follower->line.size) {
		char byte = follower->line.data[follower->at];
		if (byte == '\0' || is_blank_byte(byte) || strchr(",:{}[]\"", byte))
			break;
		follower->at++;
	}
}

static bool follow_value(struct follower *follower, char byte)
{
	if (byte == '{' || byte == '[')
		return open_bracket(follower, byte == '[');
	if (byte == ']' && follower->expected == EXPECT_FIRST_VALUE)
		return close_bracket(follower, true);
	size_t at = follower->at;
	if (byte == '"')
		pass_string(follower);
	else
		pass_scalar(follower);
	follower->expected = EXPECT_COMMA;
	return follower->at > at;
}

static bool follow_key(struct follower *follower, char byte)
{
	if (byte == '}' && follower->expected == EXPECT_FIRST_KEY)
		return close_bracket(follower, false);
	if (byte != '"')
		return false;
	pass_string(follower);
	follower->expected = EXPECT_COLON;
	return true;
}

/* One token. False: its first byte cannot stand there. */
static bool follow_token(struct follower *follower)
{
	char byte = follower->line.data[follower->at];
	switch (follower->expected) {
	case EXPECT_VALUE:
	case EXPECT_FIRST_VALUE:
		return follow_value(follower, byte);
	case EXPECT_KEY:
	case EXPECT_FIRST_KEY:
		return follow_key(follower, byte);
	case EXPECT_COLON:
		follower->expected = EXPECT_VALUE;
		follower->at++;
		return byte == ':';
	case EXPECT_COMMA:
		break;
	}
	if (byte == '}' || byte == ']')
		return close_bracket(follower, byte == ']');
	follower->expected = is_in_array(follower) ? EXPECT_VALUE : EXPECT_KEY;
	follower->at++;
	return byte == ',';
}

/* The object that begins at `at`. Strings are not looked into, scalars neither. */
static enum outcome follow_object(struct span line, size_t at, size_t *end_out)
{
	struct follower follower = {.line = line, .at = at};
	(void)open_bracket(&follower, false);
	while (follower.depth > 0) {
		while (follower.at < line.size && is_blank_byte(line.data[follower.at]))
			follower.at++;
		*end_out = follower.at;
		if (follower.at == line.size)
			return OBJECT_OPEN;
		if (!follow_token(&follower))
			return OBJECT_BROKEN;
	}
	*end_out = follower.at;
	return OBJECT_COMPLETE;
}

/* ---- the next beginning ---- */

/* Where an object begins that made the grammar break at `broken_at`: there, or where the string began to
 * end whose closing quote is the first one of that object. line.size when there is none. */
static size_t find_seam(struct span line, size_t begin, size_t broken_at)
{
	size_t at = broken_at;
	if (archive_is_object_start(line, at))
		return at;
	if (at == begin || line.data[at - 1] != '"')
		return line.size;
	at--;
	while (at > begin && is_blank_byte(line.data[at - 1]))
		at--;
	return at > begin + 1 && archive_is_object_start(line, at - 1) ? at - 1 : line.size;
}

/* The first object from `from` on that stands where no value can. */
static size_t find_start(struct span line, size_t from)
{
	while (from < line.size) {
		const char *found = memchr(line.data + from, '{', line.size - from);
		if (!found)
			break;
		size_t at = (size_t)(found - line.data);
		size_t before = at;
		while (before > 0 && is_blank_byte(line.data[before - 1]))
			before--;
		bool may_be_value = before > 0 && strchr(":,[", line.data[before - 1]) && line.data[before - 1];
		if (!may_be_value && archive_is_object_start(line, at))
			return at;
		from = at + 1;
	}
	return line.size;
}

/* ---- judging ---- */

static void say(struct archive_salvage_item *item, const char *reason, const char *detail)
{
	item->is_record = false;
	item->reason = reason;
	(void)snprintf(item->detail, sizeof(item->detail), "%s", detail);
}

static char byte_behind(struct span line, size_t *at)
{
	while (*at < line.size && is_blank_byte(line.data[*at]))
		(*at)++;
	return *at < line.size ? line.data[*at] : '\0';
}

/* Whether there is nothing but commas and complete objects from `at` to the line's end. Asked once. */
static bool is_list(struct archive_salvage *salvage, size_t at)
{
	struct span line = salvage->line;
	bool ok = true;
	if (salvage->list_known)
		return salvage->is_list;
	while (ok && byte_behind(line, &at) == ',') {
		at++;
		if (byte_behind(line, &at) == '{')
			ok = follow_object(line, at, &at) == OBJECT_COMPLETE;
		else
			ok = at == line.size;
	}
	salvage->list_known = true;
	salvage->is_list = ok && at == line.size;
	return salvage->is_list;
}

/* Whether what stands behind an object says that it is nested: a comma (but for one in a list that goes
 * on to the line's end), a closing bracket. */
static bool looks_nested(struct archive_salvage *salvage, size_t end)
{
	char byte = byte_behind(salvage->line, &end);
	if (byte == ',')
		return salvage->broken || !is_list(salvage, end);
	return byte == '}' || byte == ']';
}

static bool looks_like_event(const struct event *event)
{
	bool has_actor = event->actor_login.data || event->actor_id != 0;
	bool has_repo = event->repo_name.data || event->repo_id != 0;
	return span_ends_with(event->type, "Event") && (has_actor || has_repo);
}

static void judge_object(struct archive_salvage *salvage, struct archive_salvage_item *item)
{
	struct event event;
	struct scan_problem problem;
	arena_reset(&salvage->arena);
	if (!scan_event(salvage->plan, item->bytes, &salvage->arena, &event, &problem))
		say(item, scan_reason_name(problem.reason), problem.detail);
	else if (looks_nested(salvage, item->offset + item->bytes.size))
		say(item, doubtful, "what follows says that it is part of another record");
	else if (salvage->broken && !looks_like_event(&event))
		say(item, doubtful, "behind damage, and not like an event");
	else
		item->is_record = true;
}

/* The rubbish that begins at item->offset: up to where the next record may. Returns its end. */
static size_t judge_rubbish(const struct archive_salvage *salvage, enum outcome outcome, size_t broken_at,
	struct archive_salvage_item *item)
{
	struct span line = salvage->line;
	size_t begin = item->offset;
	if (outcome == OBJECT_OPEN) {
		say(item, "record-cut", "the line ends within the record");
		return line.size;
	}
	if (line.data[begin] != '{') {
		say(item, "no-record", "bytes that are no object");
		return find_start(line, begin);
	}
	size_t seam = find_seam(line, begin, broken_at);
	if (seam < line.size) {
		say(item, "record-cut", "the record breaks off, another one begins");
		return seam;
	}
	(void)snprintf(item->detail, sizeof(item->detail), "not JSON from byte %zu of the record on",
		broken_at - begin);
	item->reason = "invalid-json";
	return find_start(line, broken_at > begin ? broken_at : begin + 1);
}

/* Passes blanks, and a list's comma. */
static void pass_between(struct archive_salvage *salvage)
{
	char byte = byte_behind(salvage->line, &salvage->at);
	if (byte != ',' || salvage->broken || salvage->at == 0 || !is_list(salvage, salvage->at))
		return;
	salvage->at++;
	(void)byte_behind(salvage->line, &salvage->at);
}

static struct span without_blanks_behind(struct span line, size_t begin, size_t end)
{
	while (end > begin && is_blank_byte(line.data[end - 1]))
		end--;
	return span_make(line.data + begin, end - begin);
}

/* The part that begins at `at`, which is no blank. */
static void take_part(struct archive_salvage *salvage, struct archive_salvage_item *item)
{
	struct span line = salvage->line;
	size_t begin = salvage->at;
	size_t end = begin;
	enum outcome outcome = OBJECT_BROKEN;
	*item = (struct archive_salvage_item){.offset = begin};
	if (line.data[begin] == '{')
		outcome = follow_object(line, begin, &end);
	if (outcome == OBJECT_COMPLETE) {
		item->bytes = span_make(line.data + begin, end - begin);
		judge_object(salvage, item);
		salvage->broken = salvage->broken || (!item->is_record && strcmp(item->reason, doubtful) == 0);
	} else {
		end = judge_rubbish(salvage, outcome, end, item);
		item->bytes = without_blanks_behind(line, begin, end);
		salvage->broken = true;
	}
	salvage->at = end;
	salvage->rubbish_count += !item->is_record;
}

bool archive_salvage_next(struct archive_salvage *salvage, struct archive_salvage_item *item_out)
{
	struct archive_salvage_item item;
	struct archive_salvage_item more;
	pass_between(salvage);
	if (salvage->at >= salvage->line.size)
		return false;
	take_part(salvage, &item);
	/* Together, up to the next record, which is met again. */
	while (!item.is_record && salvage->rubbish_count >= ARCHIVE_SALVAGE_RUBBISH_MAX) {
		pass_between(salvage);
		size_t at = salvage->at;
		if (at >= salvage->line.size)
			break;
		take_part(salvage, &more);
		if (more.is_record) {
			salvage->at = at;
			break;
		}
		item.bytes.size = more.offset + more.bytes.size - item.offset;
		say(&item, "no-record", "many pieces of rubbish");
	}
	*item_out = item;
	return true;
}
