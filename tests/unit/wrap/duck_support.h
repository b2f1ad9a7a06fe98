/* SPDX-License-Identifier: Apache-2.0 */
/* duck_support.h - the steps that the tests of duck.h share: what must work, or fail the test. */
#ifndef TESTS_UNIT_WRAP_DUCK_SUPPORT_H
#define TESTS_UNIT_WRAP_DUCK_SUPPORT_H

#include "tests/support/check.h"

#include "wrap/duck.h"

#include <string.h>

static inline struct duck_database *open_or_fail(const struct duck_options *options)
{
	struct duck_database *database = NULL;
	struct err err = {0};
	if (!duck_open(options, &database, &err))
		fail_msg("%s", err.text);
	return database;
}

static inline struct duck_connection *connect_or_fail(struct duck_database *database)
{
	struct duck_connection *connection = NULL;
	struct err err = {0};
	if (!duck_connect(database, &connection, &err))
		fail_msg("%s", err.text);
	return connection;
}

static inline void run_or_fail(struct duck_connection *connection, const char *sql)
{
	struct err err = {0};
	if (!duck_run(connection, sql, &err))
		fail_msg("%s: %s", sql, err.text);
}

static inline int64_t integer_or_fail(struct duck_connection *connection, const char *sql)
{
	int64_t integer = 0;
	struct err err = {0};
	if (!duck_query_integer(connection, sql, NULL, 0, -1, &integer, &err))
		fail_msg("%s: %s", sql, err.text);
	return integer;
}

/* `before`, the path as a literal, `after`. */
static inline struct check_path sql_with_path(const char *before, const struct check_path *path,
					      const char *after)
{
	struct check_path sql;
	CLEANUP(buf_finish) struct buf text;
	buf_init(&text, sizeof(sql.text) - 1);
	buf_append_text(&text, before);
	if (!duck_quote_text(&text, span_of(path->text)))
		fail_msg("a path that cannot be quoted: %s", path->text);
	buf_append_text(&text, after);
	assert_false(text.failed);
	memcpy(sql.text, text.data, text.size + 1);
	return sql;
}

#endif
