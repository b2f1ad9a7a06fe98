/* SPDX-License-Identifier: Apache-2.0 */
/* duck_value.c - our values as DuckDB's, to be bound. DuckDB's constructors throw on bad text, which
 * no C caller survives, so all text is checked here first. */
#include "base/memory.h"
#include "wrap/duck_private.h"

#include <assert.h>
#include <stdlib.h>

#define DAY_US INT64_C(86400000000)

duckdb_logical_type duck_value_logical_type(enum value_type type)
{
	switch (type) {
	case VALUE_BOOLEAN:
		return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
	case VALUE_INTEGER:
		return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
	case VALUE_REAL:
		return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
	case VALUE_TEXT:
		return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
	case VALUE_TIME:
		return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP);
	case VALUE_DATE:
		return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
	case VALUE_INTERVAL:
		return duckdb_create_logical_type(DUCKDB_TYPE_INTERVAL);
	case VALUE_NULL:
	case VALUE_LIST:
		break;
	}
	return NULL;
}

/* The C API makes NULL of no type only; as an element of a list it takes the list's type. */
static duckdb_value make_null(enum value_type type)
{
	duckdb_logical_type logical = duck_value_logical_type(type);
	duckdb_value null = duckdb_create_null_value();
	if (!logical)
		return null;
	duckdb_value list = duckdb_create_list_value(logical, &null, 1);
	duckdb_value typed = duckdb_get_list_child(list, 0);
	duckdb_destroy_value(&list);
	duckdb_destroy_value(&null);
	duckdb_destroy_logical_type(&logical);
	return typed;
}

static bool make_list(const struct value *value, duckdb_value *value_out, struct err *err)
{
	size_t count = value->list.count;
	if (count > DUCK_LIST_COUNT_MAX)
		return err_set(err, ERR_INPUT, "a list of %zu values, at most %d are possible",
			       count, DUCK_LIST_COUNT_MAX);
	duckdb_logical_type logical = duck_value_logical_type(value->inner_type);
	assert(logical);
	duckdb_value *elements = memory_allocate(count, sizeof(*elements));
	size_t made = 0;
	bool ok = true;
	for (; ok && made < count; made += ok)
		ok = duck_value_make(&value->list.elements[made], &elements[made], err);
	duckdb_value list = ok ? duckdb_create_list_value(logical, elements, count) : NULL;
	while (made > 0)
		duckdb_destroy_value(&elements[--made]);
	free(elements);
	duckdb_destroy_logical_type(&logical);
	if (!ok)
		return err_wrap(err, "in a list");
	if (!list)
		return err_set(err, ERR_INPUT, "no list of these values");
	*value_out = list;
	return true;
}

static bool make_text(struct span text, duckdb_value *value_out, struct err *err)
{
	if (!span_is_utf8(text))
		return err_set(err, ERR_INPUT, "text that is not UTF-8");
	*value_out = duckdb_create_varchar_length(text.data ? text.data : "", text.size);
	return true;
}

/* Days since 1970 of an instant, also before it. */
static int32_t days_of(int64_t time_us)
{
	int64_t days = time_us / DAY_US - (time_us % DAY_US < 0);
	return (int32_t)days; /* 2^63 us are 106,751,991 days */
}

bool duck_value_make(const struct value *value, duckdb_value *value_out, struct err *err)
{
	switch (value->type) {
	case VALUE_NULL:
		*value_out = make_null(value->inner_type);
		return true;
	case VALUE_BOOLEAN:
		*value_out = duckdb_create_bool(value->boolean);
		return true;
	case VALUE_INTEGER:
		*value_out = duckdb_create_int64(value->integer);
		return true;
	case VALUE_REAL:
		*value_out = duckdb_create_double(value->real);
		return true;
	case VALUE_TEXT:
		return make_text(value->text, value_out, err);
	case VALUE_TIME:
		*value_out = duckdb_create_timestamp((duckdb_timestamp){value->time_us});
		return true;
	case VALUE_DATE:
		*value_out = duckdb_create_date((duckdb_date){days_of(value->time_us)});
		return true;
	case VALUE_INTERVAL:
		*value_out =
			duckdb_create_interval((duckdb_interval){.micros = value->interval_us});
		return true;
	case VALUE_LIST:
		return make_list(value, value_out, err);
	}
	return err_set(err, ERR_INPUT, "a value of no type");
}
