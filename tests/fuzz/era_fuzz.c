/* SPDX-License-Identifier: Apache-2.0 */
/* era_fuzz.c - libFuzzer target: any JSON as an event, beside another edition of it: the same document
 * written anew with its keys in another order, other blanks, other escapes, and, where the id is derived,
 * without its e-mail addresses. Both editions must be refused for the same reason or give the same
 * columns, and each must agree with the parser. */
#include "tests/fuzz/scan_oracle.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDITION_BYTES_MAX = 1024 * 1024, EDITION_KEYS_MAX = 4096 };

struct edition {
	struct buf json;
	uint64_t random;
	bool without_addresses;
};

static uint64_t next_random(struct edition *edition)
{
	edition->random ^= edition->random << 13;
	edition->random ^= edition->random >> 7;
	edition->random ^= edition->random << 17;
	return edition->random;
}

static void put_blanks(struct edition *edition)
{
	static const char blanks[] = " \t\r\n";
	while (next_random(edition) % 4 == 0)
		buf_append_byte(&edition->json, blanks[next_random(edition) % 4]);
}

static void put_character(struct edition *edition, unsigned char c)
{
	bool must = c < ' ' || c == '"' || c == '\\';
	if (c >= 0x80 || (!must && next_random(edition) % 8 != 0))
		buf_append_byte(&edition->json, (char)c);
	else if ((c == '"' || c == '\\' || c == '/') && next_random(edition) % 2)
		buf_printf(&edition->json, "\\%c", c);
	else
		buf_printf(&edition->json, next_random(edition) % 2 ? "\\u%04x" : "\\u%04X", c);
}

static void put_string(struct edition *edition, const char *text, size_t size)
{
	buf_append_byte(&edition->json, '"');
	for (size_t i = 0; i < size; i++)
		put_character(edition, (unsigned char)text[i]);
	buf_append_byte(&edition->json, '"');
}

static void put_value(struct edition *edition, const json_t *value);

static void put_object(struct edition *edition, const json_t *object)
{
	void *members[EDITION_KEYS_MAX];
	size_t count = 0;
	for (void *i = json_object_iter((json_t *)object); i && count < EDITION_KEYS_MAX;
		i = json_object_iter_next((json_t *)object, i))
		members[count++] = i;
	bool first = true;
	buf_append_byte(&edition->json, '{');
	put_blanks(edition);
	while (count > 0) {
		size_t at = next_random(edition) % count;
		const char *key = json_object_iter_key(members[at]);
		size_t size = json_object_iter_key_len(members[at]);
		const json_t *value = json_object_iter_value(members[at]);
		members[at] = members[--count];
		if (edition->without_addresses && size == 5 && memcmp(key, "email", 5) == 0)
			continue;
		if (!first)
			buf_append_byte(&edition->json, ',');
		first = false;
		put_blanks(edition);
		put_string(edition, key, size);
		put_blanks(edition);
		buf_append_byte(&edition->json, ':');
		put_value(edition, value);
	}
	buf_append_byte(&edition->json, '}');
}

static void put_real(struct edition *edition, double value)
{
	char text[64];
	(void)snprintf(text, sizeof(text), "%.17g", value);
	buf_append_text(&edition->json, text);
	/* It stays no integer. */
	if (!strpbrk(text, ".e"))
		buf_append_text(&edition->json, next_random(edition) % 2 ? ".00" : "E0");
}

static void put_value(struct edition *edition, const json_t *value)
{
	put_blanks(edition);
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		put_object(edition, value);
		break;
	case JSON_ARRAY:
		buf_append_byte(&edition->json, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i > 0)
				buf_append_byte(&edition->json, ',');
			put_value(edition, json_array_get(value, i));
		}
		put_blanks(edition);
		buf_append_byte(&edition->json, ']');
		break;
	case JSON_STRING:
		put_string(edition, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		buf_printf(&edition->json, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		put_real(edition, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_append_text(&edition->json, "true");
		break;
	case JSON_FALSE:
		buf_append_text(&edition->json, "false");
		break;
	default:
		buf_append_text(&edition->json, "null");
		break;
	}
	put_blanks(edition);
}

/* A value of the other edition: JSON that means the same where it is no scalar. */
static bool same_value(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == VALUE_NULL)
		return true;
	if (a->type != VALUE_TEXT)
		return a->type == VALUE_BOOLEAN ? a->boolean == b->boolean
		       : a->type == VALUE_REAL	? !(a->real < b->real) && !(a->real > b->real)
						: a->integer == b->integer;
	json_t *document = json_loadb(b->text.data, b->text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool same = span_equal(a->text, b->text) || (document && same_json_text(a->text, document));
	json_decref(document);
	return same;
}

static const char *find_difference_of_editions(
	const struct oracle *oracle, const struct event *a, const struct event *b)
{
	const struct {
		const char *name;
		bool same;
	} columns[] = {
		{"id", a->id == b->id},
		{"type", same_text(a->type, b->type)},
		{"created_at", a->created_at_us == b->created_at_us},
		{"actor_id", a->actor_id == b->actor_id},
		{"actor_login", same_text(a->actor_login, b->actor_login)},
		{"is_bot", a->is_bot == b->is_bot},
		{"repo_id", a->repo_id == b->repo_id},
		{"repo_name", same_text(a->repo_name, b->repo_name)},
		{"org_login", same_text(a->org_login, b->org_login)},
		{"action", same_text(a->action, b->action)},
		{"number", a->number == b->number},
		{"merged", a->merged_known == b->merged_known && a->merged == b->merged},
		{"ref_type", same_text(a->ref_type, b->ref_type)},
		{"era", a->era == b->era},
	};
	for (size_t i = 0; i < ARRAY_COUNT(columns); i++)
		if (!columns[i].same)
			return columns[i].name;
	/* E-mail addresses may stand in fields that are objects. */
	for (size_t i = 0; i < oracle->fields->field_count && a->id >= 0; i++)
		if (!same_value(&a->fields[i], &b->fields[i]))
			return oracle->fields->fields[i].path;
	return NULL;
}

static void fail(const char *what, struct span json, const struct edition *edition)
{
	(void)fprintf(stderr, "%s\n%.*s\n%s\n", what, (int)json.size, json.data, edition->json.data);
	abort();
}

static void compare_editions(struct oracle *oracle, struct span json, struct edition *edition)
{
	struct event event;
	struct event other;
	struct scan_problem problem = {0};
	struct scan_problem other_problem = {0};
	struct span other_json = buf_span(&edition->json);
	arena_reset(&oracle->arena);
	bool accepted = scan_event(oracle->plan, json, &oracle->arena, &event, &problem);
	bool other_accepted = scan_event(oracle->plan, other_json, &oracle->arena, &other, &other_problem);
	if (accepted != other_accepted || problem.reason != other_problem.reason)
		fail("one edition is refused", json, edition);
	const char *column = accepted ? find_difference_of_editions(oracle, &event, &other) : NULL;
	if (column)
		fail(column, json, edition);
	if (!oracle_agrees(oracle, other_json))
		fail(oracle->complaint, json, edition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct oracle oracle;
	static struct edition edition;
	if (!oracle.plan) {
		oracle_init(&oracle);
		buf_init(&edition.json, EDITION_BYTES_MAX);
	}
	struct span json = {(const char *)data, size};
	json_t *document = json_loadb(size ? json.data : "", size, JSON_ALLOW_NUL, NULL);
	/* Jansson overlooks a NUL byte behind a number. */
	if (json_is_object(document) && !memchr(data, '\0', size) && oracle_depth(json) <= SCAN_DEPTH_MAX) {
		edition.random = span_hash(json, 0) | 1;
		edition.without_addresses = !oracle_at(document, "id");
		buf_clear(&edition.json);
		put_value(&edition, document);
		if (!edition.json.failed)
			compare_editions(&oracle, json, &edition);
	}
	json_decref(document);
	return 0;
}
