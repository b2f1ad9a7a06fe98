/* SPDX-License-Identifier: Apache-2.0 */
/* metric_sql_test.c - placeholders become bound parameters, wherever they stand, or are refused. */
#include "tests/support/check.h"

#include "metrics/metric_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct arena arena;
	char faults[4096]; /* "offset text\n" for each */
	struct metric_sql sql;
};

static bool resolve(void *context, struct span name, size_t offset, struct metric_sql_name *out)
{
	static const struct {
		const char *name;
		struct metric_sql_name is;
	} names[] = {
		{"x", {7, "VARCHAR", false}},
		{"n", {8, "BIGINT", false}},
		{"list", {9, "VARCHAR[]", true}},
		{"as_of", {0, "TIMESTAMP", false}},
	};
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (!span_equal_text(name, names[i].name))
			continue;
		*out = names[i].is;
		return true;
	}
	struct fixture *f = context;
	size_t used = strlen(f->faults);
	(void)snprintf(f->faults + used, sizeof(f->faults) - used, "%zu no %.*s\n", offset,
		SPAN_ARGUMENTS(name));
	return false;
}

static void note_fault(void *context, size_t offset, const char *text)
{
	struct fixture *f = context;
	size_t used = strlen(f->faults);
	(void)snprintf(f->faults + used, sizeof(f->faults) - used, "%zu %s\n", offset, text);
}

static bool compile_span(struct fixture *f, struct span text)
{
	struct metric_sql_options options = {f, resolve, note_fault};
	/* A copy without the NUL behind it, so that a read past the end is seen. */
	char *exact = malloc(text.size + (text.size == 0));
	assert_non_null(exact);
	memcpy(exact, text.data, text.size);
	f->faults[0] = '\0';
	f->sql = (struct metric_sql){0};
	bool ok = metric_sql_compile((struct span){exact, text.size}, &options, &f->arena, &f->sql);
	free(exact);
	return ok;
}

static void makes(struct fixture *f, const char *text, const char *made)
{
	if (!compile_span(f, span_of(text)))
		fail_msg("%s: %s", text, f->faults);
	assert_string_equal(f->sql.text, made);
	assert_string_equal(f->faults, "");
}

static void refuses(struct fixture *f, const char *text, const char *faults)
{
	if (compile_span(f, span_of(text)))
		fail_msg("taken: %s", text);
	assert_string_equal(f->faults, faults);
}

static void refuses_at(struct fixture *f, const char *text, const char *part, const char *words)
{
	if (compile_span(f, span_of(text)))
		fail_msg("taken: %s", text);
	char place[32];
	(void)snprintf(place, sizeof(place), "%zu ", (size_t)(strstr(text, part) - text));
	if (strncmp(f->faults, place, strlen(place)) != 0 || !strstr(f->faults, words))
		fail_msg("%s: %s", text, f->faults);
}

static void bare_ones_are_cast(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT ${x}", "SELECT CAST($1 AS VARCHAR)");
	makes(f, "SELECT ${n}+${x},${n}",
		"SELECT CAST($1 AS BIGINT)+CAST($2 AS VARCHAR),CAST($1 AS BIGINT)");
	assert_int_equal(f->sql.slot_count, 2);
	assert_int_equal(f->sql.slots[0], 8);
	assert_int_equal(f->sql.slots[1], 7);
	makes(f, "SELECT list_contains(${list}, a) AND ${as_of} > b",
		"SELECT list_contains(CAST($1 AS VARCHAR[]), a) AND CAST($2 AS TIMESTAMP) > b");
	makes(f, "SELECT a LIMIT ${n}", "SELECT a LIMIT CAST($1 AS BIGINT)");
}

static void quoted_ones_are_cast_in_parentheses(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT a - INTERVAL '${n}' MINUTE",
		"SELECT a - INTERVAL (CAST($1 AS BIGINT)) MINUTE");
	makes(f, "SELECT '${x}'", "SELECT (CAST($1 AS VARCHAR))");
	makes(f, "SELECT a > TIMESTAMP '${x}'",
		"SELECT a > CAST((CAST($1 AS VARCHAR)) AS TIMESTAMP)");
	makes(f, "SELECT date /* ${x} */ '${x}'", "SELECT CAST((CAST($1 AS VARCHAR)) AS date)");
	makes(f, "SELECT 'it''s', '${x}', ''", "SELECT 'it''s', (CAST($1 AS VARCHAR)), ''");
}

static void parts_of_texts_are_joined(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT a LIKE '%${x}%'", "SELECT a LIKE ('%' || CAST($1 AS VARCHAR) || '%')");
	makes(f, "SELECT 'a''${x}${n} b'",
		"SELECT ('a''' || CAST($1 AS VARCHAR) || CAST(CAST($2 AS BIGINT) AS VARCHAR) || ' "
		"b')");
	makes(f, "SELECT '${x} '", "SELECT (CAST($1 AS VARCHAR) || ' ')");
	makes(f, "SELECT INTERVAL '${n} minutes'",
		"SELECT INTERVAL (CAST(CAST($1 AS BIGINT) AS VARCHAR) || ' minutes')");
}

static void comments_are_left_alone(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT 1 -- ${x} ' \"\n, 2", "SELECT 1 -- ${x} ' \"\n, 2");
	makes(f, "/* ${no} /* ' */ ${x} */SELECT 1 -- end",
		"/* ${no} /* ' */ ${x} */SELECT 1 -- end");
	makes(f, "SELECT '-- ${x}' -- '", "SELECT ('-- ' || CAST($1 AS VARCHAR)) -- '");
	makes(f, "SELECT '/*', ${x}, '*/'", "SELECT '/*', CAST($1 AS VARCHAR), '*/'");
	makes(f, "SELECT a - -1, b/c", "SELECT a - -1, b/c");
}

static void other_strings_pass_but_hold_none(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT E'it\\'s', e'\\\\', ${n}",
		"SELECT E'it\\'s', e'\\\\', CAST($1 AS BIGINT)");
	makes(f, "SELECT E'a'\n 'b\\' c', ${n}", "SELECT E'a'\n 'b\\' c', CAST($1 AS BIGINT)");
	makes(f, "SELECT $$it's \"$$, $t$ $$ $t$, ${n}",
		"SELECT $$it's \"$$, $t$ $$ $t$, CAST($1 AS BIGINT)");
	makes(f, "SELECT name'a', '\\', a$b, x'00'", "SELECT name'a', '\\', a$b, x'00'");
	makes(f, "SELECT \"a\"\"'b\", 'c'", "SELECT \"a\"\"'b\", 'c'");
	refuses_at(f, "SELECT E'\\${x}'", "${x}", "not in this kind");
	refuses_at(f, "SELECT $$ ${x} $$", "${x}", "not in this kind");
	refuses_at(f, "SELECT x'${x}'", "${x}", "not in this kind");
	refuses_at(f, "SELECT \"${x}\" FROM t", "${x}", "identifier");
	refuses_at(f, "SELECT \"a${x}\" FROM t", "${x}", "identifier");
}

static void a_placeholder_is_a_value_and_no_word(void **state)
{
	struct fixture *f = *state;
	refuses_at(f, "SELECT * FROM events_${x}", "${x}", "part of a word");
	refuses_at(f, "SELECT ${x}s", "${x}", "part of a word");
	refuses_at(f, "SELECT \xc3\xa9${x}", "${x}", "part of a word");
	refuses_at(f, "SELECT ${}", "${}", "is written ${name}");
	refuses_at(f, "SELECT ${a b}", "${a", "is written ${name}");
	refuses_at(f, "SELECT ${1x}", "${1", "is written ${name}");
	refuses_at(f, "SELECT ${x", "${x", "is written ${name}");
	refuses_at(f, "SELECT '${}'", "${}", "is written ${name}");
	refuses_at(f, "SELECT 'a ${x y} ${x}'", "${x y}", "is written ${name}");
	refuses_at(f, "SELECT '${list},'", "${list}", "several values");
	refuses(f, "SELECT ${no}, '${neither}', ${x}", "7 no no\n15 no neither\n");
}

static void parameters_of_the_engine_are_refused(void **state)
{
	struct fixture *f = *state;
	refuses_at(f, "SELECT $1", "$1", "${name}");
	refuses_at(f, "SELECT 1$1", "$1", "${name}");
	refuses_at(f, "SELECT $name", "$name", "${name}");
	refuses_at(f, "SELECT ?", "?", "${name}");
	makes(f, "SELECT '$1 ?', \"?\"", "SELECT '$1 ?', \"?\"");
}

static void functions_that_run_text_get_no_values(void **state)
{
	struct fixture *f = *state;
	refuses_at(f, "SELECT * FROM query(${x})", "${x}", "runs or opens");
	refuses_at(f, "SELECT * FROM QUERY /* */ ('' || lower('${x}'))", "${x}", "runs or opens");
	refuses_at(f, "SELECT * FROM \"query_table\"(${list})", "${list}", "runs or opens");
	refuses_at(f, "SELECT * FROM read_csv(${x})", "${x}", "runs or opens");
	refuses_at(f, "SELECT getenv(${x})", "${x}", "runs or opens");
	makes(f, "SELECT query, (${x}) FROM query('SELECT 1 AS query')",
		"SELECT query, (CAST($1 AS VARCHAR)) FROM query('SELECT 1 AS query')");
}

static void one_select_only(void **state)
{
	struct fixture *f = *state;
	makes(f, "SELECT 1;", "SELECT 1");
	makes(f, "  SELECT 1 ; -- end\n ;\n", "  SELECT 1  -- end\n \n");
	makes(f, "SELECT ';'", "SELECT ';'");
	makes(f, "-- why\nWITH a AS (SELECT 1) FROM a", "-- why\nWITH a AS (SELECT 1) FROM a");
	makes(f, "(SELECT 1)", "(SELECT 1)");
	refuses_at(f, "SELECT 1; DROP TABLE t", "DROP", "second statement");
	refuses_at(f, "SELECT 1;;/* a */SELECT 2", "SELECT 2", "second statement");
	refuses_at(f, "DROP TABLE t", "DROP", "one SELECT");
	refuses_at(f, "/* a */ PRAGMA x", "PRAGMA", "one SELECT");
	refuses(f, "", "0 the SQL is empty\n");
	refuses(f, " -- nothing", "0 the SQL is empty\n");
	refuses_at(f, "SELECT 'a", "'a", "not closed");
	refuses_at(f, "SELECT \"a", "\"a", "not closed");
	refuses_at(f, "SELECT E'a\\'", "'a", "not closed");
	refuses_at(f, "SELECT /* /* */", "/* /*", "not closed");
	refuses_at(f, "SELECT $a$ b", "$a$", "not closed");
}

static void limits_hold(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024 * 1024);
	buf_append_text(&text, "SELECT ");
	while (text.size < METRIC_SQL_BYTES_MAX - 5)
		buf_append_text(&text, "'${n}'");
	assert_true(compile_span(f, buf_span(&text)));
	while (text.size <= METRIC_SQL_BYTES_MAX)
		buf_append_byte(&text, ' ');
	assert_false(compile_span(f, buf_span(&text)));
	assert_non_null(strstr(f->faults, "64 KiB"));
	buf_clear(&text);
	buf_append_text(&text, "SELECT ");
	for (int i = 0; i < 300; i++)
		buf_append_byte(&text, '(');
	assert_false(compile_span(f, buf_span(&text)));
	assert_false(compile_span(f, (struct span){"SELECT \0 1", 10}));
	makes(f, "SELECT )) ${x} ((", "SELECT )) CAST($1 AS VARCHAR) ((");
}

static void places_are_found_again(void **state)
{
	struct fixture *f = *state;
	const char *text = "SELECT '${x}', ${n}, TIMESTAMP '${x}', here";
	assert_true(compile_span(f, span_of(text)));
	size_t made = (size_t)(strstr(f->sql.text, "here") - f->sql.text);
	assert_int_equal(metric_sql_written_offset(&f->sql, made), strstr(text, "here") - text);
	made = (size_t)(strstr(f->sql.text, "$2") - f->sql.text);
	assert_int_equal(metric_sql_written_offset(&f->sql, made), strstr(text, "${n}") - text);
	made = (size_t)(strstr(f->sql.text, "CAST((") - f->sql.text);
	assert_int_equal(
		metric_sql_written_offset(&f->sql, made), strstr(text, "TIMESTAMP") - text);
	assert_int_equal(metric_sql_written_offset(&f->sql, 3), 3);
}

/* Whatever the bytes are, what comes out names no parameter but those that were resolved. */
static void any_bytes_end_well(void **state)
{
	struct fixture *f = *state;
	static const char *const parts[] = {
		"SELECT ",
		"'",
		"\"",
		"$$",
		"$t$",
		"${x}",
		"${",
		"}",
		"E'",
		"\\",
		"/*",
		"*/",
		"--",
		"\n",
		";",
		"(",
		")",
		"query(",
		"\xc3\xa9",
		"$",
		"1",
		"TIMESTAMP ",
		"''",
		"?",
		" ",
	};
	CLEANUP(buf_finish) struct buf text = {0};
	buf_init(&text, 1024);
	unsigned seed = 1;
	for (int round = 0; round < 20000; round++) {
		buf_clear(&text);
		buf_append_text(&text, "SELECT ");
		for (int i = 0; i < 12; i++) {
			seed = seed * 1103515245u + 12345u;
			buf_append_text(&text, parts[(seed >> 16) % ARRAY_COUNT(parts)]);
		}
		if (compile_span(f, buf_span(&text)))
			assert_true(f->sql.slot_count <= 1);
		else
			assert_true(f->faults[0] != '\0');
		arena_reset(&f->arena);
	}
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	arena_init(&fixture.arena, (size_t)64 * 1024 * 1024);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_finish(&f->arena);
	return 0;
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(bare_ones_are_cast),
		WITH_ARENA(quoted_ones_are_cast_in_parentheses),
		WITH_ARENA(parts_of_texts_are_joined),
		WITH_ARENA(comments_are_left_alone),
		WITH_ARENA(other_strings_pass_but_hold_none),
		WITH_ARENA(a_placeholder_is_a_value_and_no_word),
		WITH_ARENA(parameters_of_the_engine_are_refused),
		WITH_ARENA(functions_that_run_text_get_no_values),
		WITH_ARENA(one_select_only),
		WITH_ARENA(limits_hold),
		WITH_ARENA(places_are_found_again),
		WITH_ARENA(any_bytes_end_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
