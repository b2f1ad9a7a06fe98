/* SPDX-License-Identifier: Apache-2.0 */
/* metric_sql.c - the tokenizer: only so much of DuckDB's lexer (which is PostgreSQL's) as tells
 * strings, identifiers and comments from the rest. */
#include "metrics/metric_sql.h"

#include <assert.h>
#include <string.h>

enum {
	DEPTH_MAX = 200,
	MADE_BYTES_MAX = 16 * METRIC_SQL_BYTES_MAX,
	NAME_BYTES_MAX = 64,
};

struct compiling {
	struct span sql;
	size_t at;
	const struct metric_sql_options *options;
	struct buf made;
	struct metric_sql *out;
	struct metric_sql_piece *pieces;
	size_t piece_count;
	bool failed;
	bool begun; /* the first word was looked at */
	/* The last token before this one that is neither space nor comment, when it is a word or an
	 * identifier; else absent. And where it went. */
	struct span word;
	size_t word_made_start;
	/* depth + 1 levels; true: inside a function that must not be given a value */
	bool forbids[DEPTH_MAX + 1];
	size_t depth;
};

static void tell(struct compiling *compiling, size_t offset, const char *text)
{
	compiling->failed = true;
	compiling->options->fault(compiling->options->context, offset, text);
}

static char byte_at(const struct compiling *compiling, size_t at)
{
	return at < compiling->sql.size ? compiling->sql.data[at] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
	       || (unsigned char)c >= 0x80;
}

static bool is_word_byte(char c)
{
	return is_word_start(c) || is_digit(c);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_one_of(struct span word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal_ignore_case(word, span_of(words[i])))
			return true;
	return false;
}

static void copy_until(struct compiling *compiling, size_t end)
{
	buf_append(&compiling->made, compiling->sql.data + compiling->at, end - compiling->at);
	compiling->at = end;
}

/* A placeholder's end (behind the brace) and name; false when what stands at `at` is none. */
static bool read_placeholder(
	const struct compiling *compiling, size_t at, struct span *name_out, size_t *end_out)
{
	if (byte_at(compiling, at) != '$' || byte_at(compiling, at + 1) != '{')
		return false;
	size_t start = at + 2;
	size_t end = start;
	while (is_word_byte(byte_at(compiling, end))
		&& (unsigned char)byte_at(compiling, end) < 0x80)
		end++;
	bool is_name = end > start && end - start <= NAME_BYTES_MAX
		       && !is_digit(byte_at(compiling, start));
	if (!is_name || byte_at(compiling, end) != '}')
		return false;
	*name_out = (struct span){compiling->sql.data + start, end - start};
	*end_out = end + 1;
	return true;
}

static void tell_malformed(struct compiling *compiling, size_t at)
{
	tell(compiling, at,
		"a placeholder is written ${name}, with letters, digits and _ in the name");
}

/* The number n of $n; the same name has the same one. */
static size_t slot_number(struct compiling *compiling, size_t slot, size_t offset)
{
	struct metric_sql *out = compiling->out;
	for (size_t i = 0; i < out->slot_count; i++)
		if (out->slots[i] == slot)
			return i + 1;
	if (out->slot_count == METRIC_SQL_SLOT_COUNT_MAX) {
		tell(compiling, offset, "too many different placeholders");
		return 1;
	}
	out->slots[out->slot_count++] = slot;
	return out->slot_count;
}

/* Appends the CAST for one placeholder; `as_text` where it is a part of a string. */
static void append_cast(struct compiling *compiling, struct span name, size_t offset, bool as_text)
{
	struct metric_sql_name resolved;
	if (compiling->forbids[compiling->depth])
		tell(compiling, offset,
			"no placeholder may stand inside a function that runs or opens what its "
			"text names");
	if (!compiling->options->resolve(compiling->options->context, name, offset, &resolved)) {
		compiling->failed = true;
		return;
	}
	size_t number = slot_number(compiling, resolved.slot, offset);
	if (as_text && resolved.is_list)
		tell(compiling, offset,
			"a parameter with several values cannot be a part of a text");
	bool twice = as_text && strcmp(resolved.type, "VARCHAR") != 0;
	buf_printf(&compiling->made, "%sCAST($%zu AS %s)%s", twice ? "CAST(" : "", number,
		resolved.type, twice ? " AS VARCHAR)" : "");
}

static void note_piece(struct compiling *compiling, size_t written_start, size_t made_start)
{
	assert(compiling->piece_count <= compiling->sql.size / 4);
	compiling->pieces[compiling->piece_count++] = (struct metric_sql_piece){
		written_start, compiling->at, made_start, compiling->made.size};
}

static void take_bare(struct compiling *compiling)
{
	size_t start = compiling->at;
	size_t made_start = compiling->made.size;
	struct span name;
	size_t end;
	if (!read_placeholder(compiling, start, &name, &end)) {
		tell_malformed(compiling, start);
		compiling->at += 2;
		return;
	}
	if ((start > 0 && is_word_byte(byte_at(compiling, start - 1)))
		|| is_word_byte(byte_at(compiling, end)))
		tell(compiling, start,
			"a placeholder stands for a value: it cannot be a part of a word");
	append_cast(compiling, name, start, false);
	compiling->at = end;
	note_piece(compiling, start, made_start);
}

/* Tells each placeholder up to `end`, where none may be. */
static void refuse_placeholders(struct compiling *compiling, size_t end, const char *text)
{
	for (size_t i = compiling->at; i + 1 < end; i++)
		if (compiling->sql.data[i] == '$' && compiling->sql.data[i + 1] == '{')
			tell(compiling, i, text);
}

/* Just behind the closing quote; doubled quotes (and, with `escapes`, backslashes) do not close. */
static size_t find_quote_end(struct compiling *compiling, char quote, bool escapes)
{
	size_t i = compiling->at + 1;
	while (i < compiling->sql.size) {
		char c = compiling->sql.data[i];
		if (escapes && c == '\\') {
			i += 2;
		} else if (c != quote) {
			i++;
		} else if (byte_at(compiling, i + 1) == quote) {
			i += 2;
		} else {
			return i + 1;
		}
	}
	tell(compiling, compiling->at,
		quote == '"' ? "the identifier is not closed" : "the string is not closed");
	return compiling->sql.size;
}

/* E'a' <newline> 'b' is one string for the engine, escapes included. */
static size_t find_continuation(const struct compiling *compiling, size_t end)
{
	size_t i = end;
	bool newline = false;
	for (; is_space(byte_at(compiling, i)); i++)
		newline = newline || byte_at(compiling, i) == '\n' || byte_at(compiling, i) == '\r';
	return newline && byte_at(compiling, i) == '\'' ? i : 0;
}

/* A string with escapes or of bits: copied, no placeholder inside. */
static void take_special_string(struct compiling *compiling, bool escapes)
{
	size_t quote = compiling->at;
	do {
		copy_until(compiling, quote);
		size_t end = find_quote_end(compiling, '\'', escapes);
		refuse_placeholders(
			compiling, end, "placeholders work in '' strings only, not in this kind");
		copy_until(compiling, end);
		quote = escapes ? find_continuation(compiling, end) : 0;
	} while (quote != 0);
}

/* Appends a string that has placeholders, as an expression in parentheses. */
static void append_expression(struct compiling *compiling, size_t content, size_t content_end)
{
	struct span name;
	size_t end;
	bool alone = read_placeholder(compiling, content, &name, &end) && end == content_end;
	const char *before = "(";
	for (size_t i = content, chunk = content; i <= content_end; i++) {
		bool found = i < content_end && read_placeholder(compiling, i, &name, &end);
		if (!found && i + 1 < content_end && compiling->sql.data[i] == '$'
			&& compiling->sql.data[i + 1] == '{')
			tell_malformed(compiling, i);
		if (!found && i < content_end)
			continue;
		if (i > chunk) {
			buf_printf(&compiling->made, "%s'", before);
			buf_append(&compiling->made, compiling->sql.data + chunk, i - chunk);
			buf_append_byte(&compiling->made, '\'');
			before = " || ";
		}
		if (!found)
			break;
		buf_append_text(&compiling->made, before);
		append_cast(compiling, name, i, !alone);
		before = " || ";
		chunk = end;
		i = end - 1;
	}
	buf_append_byte(&compiling->made, ')');
}

/* TIMESTAMP '…' takes a literal only; CAST takes an expression. */
static bool must_be_cast(struct span word)
{
	static const char *const types[] = {"DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ"};
	return word.data && is_one_of(word, types, ARRAY_COUNT(types));
}

static void take_string(struct compiling *compiling)
{
	size_t start = compiling->at;
	size_t end = find_quote_end(compiling, '\'', false);
	struct span content = {compiling->sql.data + start + 1, end - start - 1};
	if (!memmem(content.data, content.size, "${", 2)) {
		copy_until(compiling, end);
		return;
	}
	size_t made_start = compiling->made.size;
	struct span type = must_be_cast(compiling->word) ? compiling->word : (struct span){0};
	if (type.data) {
		made_start = compiling->word_made_start;
		compiling->made.size = made_start;
		buf_append_text(&compiling->made, "CAST(");
	}
	append_expression(compiling, start + 1, end - 1);
	if (type.data) {
		buf_append_text(&compiling->made, " AS ");
		buf_append_span(&compiling->made, type);
		buf_append_byte(&compiling->made, ')');
		start = (size_t)(type.data - compiling->sql.data);
	}
	compiling->at = end;
	note_piece(compiling, start, made_start);
}

static void take_identifier(struct compiling *compiling)
{
	size_t start = compiling->at;
	size_t end = find_quote_end(compiling, '"', false);
	refuse_placeholders(compiling, end,
		"a placeholder stands for a value: it cannot be (part of) an identifier");
	compiling->word = (struct span){
		compiling->sql.data + start + 1, end - start - (end - start > 1 ? 2 : 1)};
	compiling->word_made_start = compiling->made.size;
	copy_until(compiling, end);
}

/* The end of a $tag$ … $tag$ string, or 0 when none starts here. */
static size_t find_dollar_end(struct compiling *compiling)
{
	size_t i = compiling->at + 1;
	while (is_word_byte(byte_at(compiling, i))
		&& !(i == compiling->at + 1 && is_digit(byte_at(compiling, i))))
		i++;
	if (byte_at(compiling, i) != '$')
		return 0;
	size_t tag_size = i + 1 - compiling->at;
	const char *tag = compiling->sql.data + compiling->at;
	const char *found = memmem(tag + tag_size, compiling->sql.size - i - 1, tag, tag_size);
	if (found)
		return (size_t)(found - compiling->sql.data) + tag_size;
	tell(compiling, compiling->at, "the string is not closed");
	return compiling->sql.size;
}

static void take_dollar(struct compiling *compiling)
{
	if (byte_at(compiling, compiling->at + 1) == '{') {
		take_bare(compiling);
		return;
	}
	size_t end = find_dollar_end(compiling);
	if (end == 0) {
		tell(compiling, compiling->at, "write ${name} for a parameter, not $name or $1");
		end = compiling->at + 1;
	} else {
		refuse_placeholders(
			compiling, end, "placeholders work in '' strings only, not in this kind");
	}
	copy_until(compiling, end);
}

static void take_comment(struct compiling *compiling)
{
	size_t i = compiling->at + 2;
	if (byte_at(compiling, compiling->at) == '-') {
		while (i < compiling->sql.size && compiling->sql.data[i] != '\n'
			&& compiling->sql.data[i] != '\r')
			i++;
		copy_until(compiling, i);
		return;
	}
	size_t level = 1;
	for (; level > 0 && i < compiling->sql.size; i++) {
		char c = byte_at(compiling, i);
		char next = byte_at(compiling, i + 1);
		if (c == '/' && next == '*')
			level++;
		else if (c == '*' && next == '/')
			level--;
		else
			continue;
		i++;
	}
	if (level > 0)
		tell(compiling, compiling->at, "the comment is not closed");
	copy_until(compiling, i < compiling->sql.size ? i : compiling->sql.size);
}

static void take_word(struct compiling *compiling)
{
	size_t start = compiling->at;
	size_t end = start;
	bool is_number = is_digit(byte_at(compiling, start));
	while (is_word_byte(byte_at(compiling, end))
		|| (!is_number && byte_at(compiling, end) == '$'
			&& byte_at(compiling, end + 1) != '{'))
		end++;
	size_t made_start = compiling->made.size;
	struct span word = {compiling->sql.data + start, end - start};
	copy_until(compiling, end);
	if (!is_number && word.size == 1 && byte_at(compiling, end) == '\''
		&& strchr("eExXbB", word.data[0])) {
		take_special_string(compiling, word.data[0] == 'e' || word.data[0] == 'E');
		compiling->word = (struct span){0};
		return;
	}
	compiling->word = is_number ? (struct span){0} : word;
	compiling->word_made_start = made_start;
}

static bool opens_what_text_names(struct span word)
{
	static const char *const names[] = {
		"query",
		"query_table",
		"json_execute_serialized_sql",
		"from_substrait",
		"glob",
		"sniff_csv",
		"getenv",
		"getvariable",
		"current_setting",
		"seq_scan",
	};
	static const char *const prefixes[] = {"read_", "parquet_", "pragma_", "duckdb_", "write_"};
	for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
		size_t size = strlen(prefixes[i]);
		if (word.size > size
			&& span_equal_ignore_case(
				(struct span){word.data, size}, span_of(prefixes[i])))
			return true;
	}
	return word.data && is_one_of(word, names, ARRAY_COUNT(names));
}

static void take_parenthesis(struct compiling *compiling, char c)
{
	if (c == ')') {
		compiling->depth -= compiling->depth > 0;
	} else if (compiling->depth == DEPTH_MAX) {
		tell(compiling, compiling->at, "too many parentheses inside one another");
	} else {
		bool forbids = compiling->forbids[compiling->depth]
			       || opens_what_text_names(compiling->word);
		compiling->forbids[++compiling->depth] = forbids;
	}
	copy_until(compiling, compiling->at + 1);
}

/* Passes spaces and comments; false at the end. */
static bool skip_blank(struct compiling *compiling)
{
	while (compiling->at < compiling->sql.size) {
		char c = byte_at(compiling, compiling->at);
		char next = byte_at(compiling, compiling->at + 1);
		if (is_space(c))
			copy_until(compiling, compiling->at + 1);
		else if ((c == '-' && next == '-') || (c == '/' && next == '*'))
			take_comment(compiling);
		else
			return true;
	}
	return false;
}

/* Leaves a semicolon out; only blanks and more semicolons may follow. */
static void take_semicolon(struct compiling *compiling)
{
	do {
		compiling->at++;
		if (!skip_blank(compiling))
			return;
	} while (byte_at(compiling, compiling->at) == ';');
	tell(compiling, compiling->at, "a metric is one SELECT: here a second statement starts");
	compiling->at = compiling->sql.size;
}

static void check_first_word(struct compiling *compiling)
{
	static const char *const words[] = {"SELECT", "WITH", "FROM", "VALUES"};
	compiling->begun = true;
	size_t end = compiling->at;
	while (is_word_byte(byte_at(compiling, end)))
		end++;
	struct span word = {compiling->sql.data + compiling->at, end - compiling->at};
	if (byte_at(compiling, compiling->at) != '(' && !is_one_of(word, words, ARRAY_COUNT(words)))
		tell(compiling, compiling->at,
			"a metric is one SELECT (or WITH …, FROM …, VALUES …)");
}

static void take_token(struct compiling *compiling)
{
	char c = byte_at(compiling, compiling->at);
	if (!compiling->begun)
		check_first_word(compiling);
	if (is_word_byte(c)) {
		take_word(compiling);
		return;
	}
	if (c == '"') {
		take_identifier(compiling);
		return;
	}
	if (c == '\'')
		take_string(compiling);
	else if (c == '$')
		take_dollar(compiling);
	else if (c == '(' || c == ')')
		take_parenthesis(compiling, c);
	else if (c == ';')
		take_semicolon(compiling);
	else {
		if (c == '?')
			tell(compiling, compiling->at, "write ${name} for a parameter, not ?");
		copy_until(compiling, compiling->at + 1);
	}
	compiling->word = (struct span){0};
}

static bool check_text(struct compiling *compiling)
{
	if (compiling->sql.size > METRIC_SQL_BYTES_MAX)
		tell(compiling, 0, "the SQL is longer than 64 KiB");
	else if (compiling->sql.size > 0 && memchr(compiling->sql.data, '\0', compiling->sql.size))
		tell(compiling, 0, "the SQL holds a NUL byte");
	return !compiling->failed;
}

static void finish_compiling(struct compiling *compiling)
{
	buf_finish(&compiling->made);
}

bool metric_sql_compile(struct span sql, const struct metric_sql_options *options,
	struct arena *arena, struct metric_sql *sql_out)
{
	struct metric_sql out = {0};
	CLEANUP(finish_compiling)
	struct compiling compiling = {.sql = sql, .options = options, .out = &out};
	buf_init(&compiling.made, MADE_BYTES_MAX);
	/* "${x}" is the shortest placeholder. */
	compiling.pieces = arena_allocate(arena, sql.size / 4 + 1, sizeof(*compiling.pieces));
	if (!check_text(&compiling))
		return false;
	while (compiling.pieces && skip_blank(&compiling))
		take_token(&compiling);
	if (!compiling.begun)
		tell(&compiling, 0, "the SQL is empty");
	out.text = compiling.failed ? NULL : arena_copy_text(arena, buf_span(&compiling.made));
	if (!compiling.failed && (compiling.made.failed || !out.text))
		tell(&compiling, 0, "the SQL is too long");
	if (compiling.failed)
		return false;
	out.pieces = compiling.pieces;
	out.piece_count = compiling.piece_count;
	*sql_out = out;
	return true;
}

size_t metric_sql_written_offset(const struct metric_sql *sql, size_t made_offset)
{
	size_t written = made_offset;
	for (size_t i = 0; i < sql->piece_count; i++) {
		const struct metric_sql_piece *piece = &sql->pieces[i];
		if (made_offset < piece->made_start)
			break;
		if (made_offset < piece->made_end)
			return piece->written_start;
		written = piece->written_end + (made_offset - piece->made_end);
	}
	return written;
}
