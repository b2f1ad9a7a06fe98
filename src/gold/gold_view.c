/* SPDX-License-Identifier: Apache-2.0 */
/* gold_view.c - a view for each event type under the first system's names: pullrequestevent with
 * "repo.name". Names of types come from outside, so everything is quoted, and a type that is called
 * like one of our tables has no view. */
#include "gold/gold_private.h"

#include "lake/silver_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VIEW_SQL_BYTES_MAX = 1024 * 1024, VIEW_LIST_BYTES_MAX = 64 * 1024 };

struct view_column {
	const char *name;
	const char *expression;
	const char *type_part; /* NULL: all views; else those of types that start so */
};

static const struct view_column view_columns[] = {
	{"id", "id", NULL},
	{"type", "type", NULL},
	{"created_at", "created_at AT TIME ZONE 'UTC'", NULL},
	{"actor.id", "actor_id", NULL},
	{"actor.login", "actor_login", NULL},
	{"repo.id", "repo_id", NULL},
	{"repo.name", "repo_name", NULL},
	{"org.login", "org_login", NULL},
	{"payload.action", "action", NULL},
	{"payload.number", "number", NULL},
	{"payload.ref_type", "ref_type", NULL},
	{"payload.pull_request.number", "number", "PullRequest"},
	{"payload.pull_request.merged", "merged", "PullRequest"},
	{"payload.issue.number", "number", "Issue"},
	{"payload.discussion.number", "number", "Discussion"},
};

/* What GitHub no longer sends for pull requests since October 2025 follows from the action; not from
 * actions that leave the state as it is. */
static const char STATE_PATH[] = "payload.pull_request.state";
static const char STATE_TYPE[] = "PullRequestEvent";
static const char STATE_SQL[] = "CASE WHEN action IN ('opened', 'reopened') THEN 'open'"
				" WHEN action IN ('closed', 'merged') THEN 'closed' END";

static bool is_for(const struct view_column *column, struct span type)
{
	return !column->type_part || span_starts_with(type, column->type_part);
}

static bool is_given(const char *path, struct span type)
{
	for (size_t i = 0; i < ARRAY_COUNT(view_columns); i++)
		if (is_for(&view_columns[i], type) && strcasecmp(view_columns[i].name, path) == 0)
			return true;
	return false;
}

static void append_state(struct buf *sql, const struct field_set *fields)
{
	buf_append_text(sql, ", coalesce(");
	for (size_t i = 0; i < fields->field_count; i++)
		if (strcmp(fields->fields[i].path, STATE_PATH) == 0 && fields->fields[i].type == VALUE_TEXT) {
			silver_append_name(sql, span_of(STATE_PATH));
			buf_append_text(sql, ", ");
		}
	buf_append_text(sql, STATE_SQL);
	buf_append_text(sql, ") AS ");
	silver_append_name(sql, span_of(STATE_PATH));
}

static void append_name(struct buf *sql, struct span type)
{
	buf_append_byte(sql, '"');
	for (size_t i = 0; i < type.size; i++)
		buf_append_byte(sql, (char)tolower((unsigned char)type.data[i]));
	buf_append_byte(sql, '"');
}

static void append_view(struct buf *sql, const struct field_set *fields, struct span type)
{
	bool has_state = span_equal_text(type, STATE_TYPE);
	buf_append_text(sql, "CREATE OR REPLACE VIEW ");
	append_name(sql, type);
	for (size_t i = 0, count = 0; i < ARRAY_COUNT(view_columns); i++) {
		if (!is_for(&view_columns[i], type))
			continue;
		buf_append_text(sql, count++ > 0 ? ", " : " AS SELECT ");
		buf_append_text(sql, view_columns[i].expression);
		buf_append_text(sql, " AS ");
		silver_append_name(sql, span_of(view_columns[i].name));
	}
	if (has_state)
		append_state(sql, fields);
	for (size_t i = 0; i < fields->field_count; i++) {
		const char *path = fields->fields[i].path;
		if (!field_is_for(&fields->fields[i], type) || is_given(path, type)
		    || (has_state && strcasecmp(path, STATE_PATH) == 0))
			continue;
		buf_append_text(sql, ", ");
		silver_append_name(sql, span_of(path));
	}
	buf_append_text(sql, " FROM events WHERE type = ");
	if (!duck_quote_text(sql, type))
		sql->failed = true;
	buf_append_text(sql, ";\n");
}

/* Types whose lower-case name is taken, by a table or by a type before them in the alphabet, have no
 * view of their own. */
static bool list_types(struct duck_connection *connection, struct arena *arena, struct table *table_out,
		       struct err *err)
{
	static const char sql[] =
		"SELECT min(type) FROM event_types WHERE lower(type) NOT IN"
		" (SELECT lower(table_name) FROM duckdb_tables()) GROUP BY lower(type) ORDER BY 1";
	CLEANUP(duck_result_free) struct duck_result *result = NULL;
	return duck_query(connection, sql, NULL, 0, &result, err)
	       && duck_result_read(result, arena, EVENT_TYPE_COUNT_MAX, table_out, err);
}

bool gold_view_make(const struct gold *gold, struct duck_connection *connection, bool *made_out,
		    struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = VIEW_LIST_BYTES_MAX};
	CLEANUP(buf_finish) struct buf sql = {.size_max = VIEW_SQL_BYTES_MAX};
	struct table types;
	struct gold_meta meta;
	char fingerprint[17];
	if (!list_types(connection, &arena, &types, err) || !gold_schema_read_meta(connection, &meta, err))
		return err_wrap(err, "views");
	for (size_t i = 0; i < types.row_count; i++)
		append_view(&sql, gold->options.fields, table_value(&types, i, 0)->text);
	if (sql.failed)
		return err_set(err, ERR_LOCAL, "the views of %zu event types are too long", types.row_count);
	(void)snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, span_hash(buf_span(&sql), 0));
	if (strcmp(fingerprint, meta.views) == 0) {
		*made_out = false;
		return true;
	}
	const struct value value = value_text(span_of(fingerprint));
	if (!duck_run(connection, sql.data, err)
	    || !duck_query(connection, "UPDATE meta SET views = $1", &value, 1, NULL, err))
		return err_wrap(err, "views");
	*made_out = true;
	return true;
}
