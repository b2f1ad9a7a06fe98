/* SPDX-License-Identifier: Apache-2.0 */
/* silver_row.c - an event as a row of silver. */
#include "silver/silver_private.h"

#include "base/memory.h"
#include "lake/silver_file.h"

#include <assert.h>

struct duck_column *silver_row_columns(const struct field_set *fields, size_t more)
{
	struct duck_column *columns = memory_allocate(silver_column_count(fields) + more, sizeof(*columns));
	for (size_t i = 0; i < silver_column_count(fields); i++) {
		struct silver_column column = silver_column_at(fields, i);
		columns[i] = (struct duck_column){column.name, column.type};
	}
	return columns;
}

static void fill_number(struct duck_chunk *chunk, enum event_column_index column, size_t row, int64_t number)
{
	if (number != 0)
		duck_fill_integer(chunk, column, row, number);
}

static void fill_field(struct duck_chunk *chunk, size_t column, size_t row, const struct value *value)
{
	switch (value->type) {
	case VALUE_BOOLEAN:
		duck_fill_boolean(chunk, column, row, value->boolean);
		return;
	case VALUE_INTEGER:
		duck_fill_integer(chunk, column, row, value->integer);
		return;
	case VALUE_REAL:
		duck_fill_real(chunk, column, row, value->real);
		return;
	case VALUE_TEXT:
		duck_fill_text(chunk, column, row, value->text);
		return;
	case VALUE_TIME:
		duck_fill_time(chunk, column, row, value->time_us);
		return;
	case VALUE_NULL:
		return;
	case VALUE_DATE:
	case VALUE_INTERVAL:
	case VALUE_LIST:
		break;
	}
	assert(false && "no value of a configured field");
}

void silver_row_fill(struct silver_row *into, struct duck_chunk *chunk, size_t row, const struct event *event)
{
	duck_fill_integer(chunk, EVENT_COLUMN_ID, row, event->id);
	duck_fill_text(chunk, EVENT_COLUMN_TYPE, row, event->type);
	duck_fill_time(chunk, EVENT_COLUMN_CREATED_AT, row, event->created_at_us);
	fill_number(chunk, EVENT_COLUMN_ACTOR_ID, row, event->actor_id);
	duck_fill_text(chunk, EVENT_COLUMN_ACTOR_LOGIN, row, event->actor_login);
	duck_fill_boolean(chunk, EVENT_COLUMN_IS_BOT, row, event->is_bot);
	fill_number(chunk, EVENT_COLUMN_REPO_ID, row, event->repo_id);
	duck_fill_text(chunk, EVENT_COLUMN_REPO_NAME, row, event->repo_name);
	duck_fill_text(chunk, EVENT_COLUMN_ORG_LOGIN, row, event->org_login);
	duck_fill_text(chunk, EVENT_COLUMN_ACTION, row, event->action);
	fill_number(chunk, EVENT_COLUMN_NUMBER, row, event->number);
	if (event->merged_known)
		duck_fill_boolean(chunk, EVENT_COLUMN_MERGED, row, event->merged);
	duck_fill_text(chunk, EVENT_COLUMN_REF_TYPE, row, event->ref_type);
	duck_fill_text(chunk, EVENT_COLUMN_ERA, row, span_of(event_era_name(event->era)));
	duck_fill_text(chunk, EVENT_COLUMN_SOURCE, row, into->source);
	duck_fill_integer(chunk, EVENT_COLUMN_BATCH, row, into->batch->seq);
	for (size_t i = 0; i < into->field_count; i++)
		fill_field(chunk, EVENT_COLUMN_COUNT + i, row, &event->fields[i]);
	if (event->created_at_us < into->time_min_us)
		into->time_min_us = event->created_at_us;
	if (event->created_at_us > into->time_max_us)
		into->time_max_us = event->created_at_us;
}
