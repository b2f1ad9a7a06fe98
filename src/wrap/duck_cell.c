/* SPDX-License-Identifier: Apache-2.0 */
/* duck_cell.c - the text of any cell: it is made a DuckDB value again, which DuckDB then prints.
 * Slow, and meant for the few cells whose type has no mapping (base/table.h). */
#include "base/memory.h"
#include "wrap/duck_private.h"

#include <stdlib.h>

enum { NESTING_MAX = 16 };

/* A value of the cell, to be destroyed by the caller; NULL when its type has none. */
static duckdb_value make_value(duckdb_vector vector, duckdb_logical_type type, idx_t row,
			       int depth);

static void destroy_values(duckdb_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (values[i])
			duckdb_destroy_value(&values[i]);
	free(values);
}

/* Values of `count` cells; NULL when one of them has none. */
static duckdb_value *make_values(duckdb_vector vector, duckdb_logical_type type, idx_t row,
				 size_t count, int depth)
{
	duckdb_value *values = memory_allocate(count, sizeof(*values));
	for (size_t i = 0; i < count; i++) {
		values[i] = make_value(vector, type, row + i, depth);
		if (!values[i]) {
			destroy_values(values, count);
			return NULL;
		}
	}
	return values;
}

static duckdb_value make_list(duckdb_vector vector, duckdb_logical_type type, idx_t row, int depth)
{
	duckdb_list_entry entry = ((const duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type inner = duckdb_list_type_child_type(type);
	duckdb_value *elements = make_values(duckdb_list_vector_get_child(vector), inner,
					     entry.offset, entry.length, depth);
	if (!elements)
		return NULL;
	duckdb_value list = duckdb_create_list_value(inner, elements, entry.length);
	destroy_values(elements, entry.length);
	return list;
}

static duckdb_value make_array(duckdb_vector vector, duckdb_logical_type type, idx_t row, int depth)
{
	size_t count = (size_t)duckdb_array_type_array_size(type);
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type inner = duckdb_array_type_child_type(type);
	duckdb_value *elements = make_values(duckdb_array_vector_get_child(vector), inner,
					     row * count, count, depth);
	if (!elements)
		return NULL;
	duckdb_value array = duckdb_create_array_value(inner, elements, count);
	destroy_values(elements, count);
	return array;
}

static duckdb_value make_struct(duckdb_vector vector, duckdb_logical_type type, idx_t row,
				int depth)
{
	size_t count = (size_t)duckdb_struct_type_child_count(type);
	duckdb_value *fields = memory_allocate(count, sizeof(*fields));
	bool complete = true;
	for (size_t i = 0; complete && i < count; i++) {
		CLEANUP(duckdb_destroy_logical_type)
		duckdb_logical_type inner = duckdb_struct_type_child_type(type, i);
		fields[i] = make_value(duckdb_struct_vector_get_child(vector, i), inner, row,
				       depth);
		complete = fields[i] != NULL;
	}
	duckdb_value value = complete ? duckdb_create_struct_value(type, fields) : NULL;
	destroy_values(fields, count);
	return value;
}

/* A map is a list of structs of key and value. */
static duckdb_value make_map(duckdb_vector vector, duckdb_logical_type type, idx_t row, int depth)
{
	duckdb_list_entry entry = ((const duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
	duckdb_vector pairs = duckdb_list_vector_get_child(vector);
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type key_type = duckdb_map_type_key_type(type);
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type value_type = duckdb_map_type_value_type(type);
	duckdb_value *keys = make_values(duckdb_struct_vector_get_child(pairs, 0), key_type,
					 entry.offset, entry.length, depth);
	if (!keys)
		return NULL;
	duckdb_value map = NULL;
	duckdb_value *values = make_values(duckdb_struct_vector_get_child(pairs, 1), value_type,
					   entry.offset, entry.length, depth);
	if (values) {
		map = duckdb_create_map_value(type, keys, values, entry.length);
		destroy_values(values, entry.length);
	}
	destroy_values(keys, entry.length);
	return map;
}

/* A union is a struct of the tag and of all members, of which one is set. */
static duckdb_value make_union(duckdb_vector vector, duckdb_logical_type type, idx_t row, int depth)
{
	duckdb_vector tags = duckdb_struct_vector_get_child(vector, 0);
	uint8_t tag = ((const uint8_t *)duckdb_vector_get_data(tags))[row];
	CLEANUP(duckdb_destroy_logical_type)
	duckdb_logical_type inner = duckdb_union_type_member_type(type, tag);
	CLEANUP(duckdb_destroy_value)
	duckdb_value member = make_value(duckdb_struct_vector_get_child(vector, (idx_t)tag + 1),
					 inner, row, depth);
	return member ? duckdb_create_union_value(type, tag, member) : NULL;
}

static duckdb_value make_enum(const void *data, duckdb_logical_type type, idx_t row)
{
	switch (duckdb_enum_internal_type(type)) {
	case DUCKDB_TYPE_UTINYINT:
		return duckdb_create_enum_value(type, ((const uint8_t *)data)[row]);
	case DUCKDB_TYPE_USMALLINT:
		return duckdb_create_enum_value(type, ((const uint16_t *)data)[row]);
	default:
		return duckdb_create_enum_value(type, ((const uint32_t *)data)[row]);
	}
}

static duckdb_value make_decimal(const void *data, duckdb_logical_type type, idx_t row)
{
	duckdb_decimal decimal = {
		.width = duckdb_decimal_width(type),
		.scale = duckdb_decimal_scale(type),
	};
	int64_t integer = 0;
	switch (duckdb_decimal_internal_type(type)) {
	case DUCKDB_TYPE_SMALLINT:
		integer = ((const int16_t *)data)[row];
		break;
	case DUCKDB_TYPE_INTEGER:
		integer = ((const int32_t *)data)[row];
		break;
	case DUCKDB_TYPE_BIGINT:
		integer = ((const int64_t *)data)[row];
		break;
	default:
		decimal.value = ((const duckdb_hugeint *)data)[row];
		return duckdb_create_decimal(decimal);
	}
	decimal.value = (duckdb_hugeint){(uint64_t)integer, integer < 0 ? -1 : 0};
	return duckdb_create_decimal(decimal);
}

/* Types whose cells are bytes. */
static duckdb_value make_bytes(void *data, duckdb_type type, idx_t row)
{
	duckdb_string_t *bytes = &((duckdb_string_t *)data)[row];
	const char *start = duckdb_string_t_data(bytes);
	uint32_t size = duckdb_string_t_length(*bytes);
	if (type == DUCKDB_TYPE_VARCHAR)
		return duckdb_create_varchar_length(start, size);
	if (type == DUCKDB_TYPE_BLOB)
		return duckdb_create_blob((const uint8_t *)start, size);
	duckdb_bit bit = {.data = (uint8_t *)(uintptr_t)start, .size = size};
	return duckdb_create_bit(bit);
}

static duckdb_value make_number(const void *data, duckdb_type type, idx_t row)
{
	switch (type) {
	case DUCKDB_TYPE_BOOLEAN:
		return duckdb_create_bool(((const bool *)data)[row]);
	case DUCKDB_TYPE_TINYINT:
		return duckdb_create_int8(((const int8_t *)data)[row]);
	case DUCKDB_TYPE_SMALLINT:
		return duckdb_create_int16(((const int16_t *)data)[row]);
	case DUCKDB_TYPE_INTEGER:
		return duckdb_create_int32(((const int32_t *)data)[row]);
	case DUCKDB_TYPE_BIGINT:
		return duckdb_create_int64(((const int64_t *)data)[row]);
	case DUCKDB_TYPE_UTINYINT:
		return duckdb_create_uint8(((const uint8_t *)data)[row]);
	case DUCKDB_TYPE_USMALLINT:
		return duckdb_create_uint16(((const uint16_t *)data)[row]);
	case DUCKDB_TYPE_UINTEGER:
		return duckdb_create_uint32(((const uint32_t *)data)[row]);
	case DUCKDB_TYPE_UBIGINT:
		return duckdb_create_uint64(((const uint64_t *)data)[row]);
	case DUCKDB_TYPE_HUGEINT:
		return duckdb_create_hugeint(((const duckdb_hugeint *)data)[row]);
	case DUCKDB_TYPE_UHUGEINT:
		return duckdb_create_uhugeint(((const duckdb_uhugeint *)data)[row]);
	case DUCKDB_TYPE_FLOAT:
		return duckdb_create_float(((const float *)data)[row]);
	case DUCKDB_TYPE_DOUBLE:
		return duckdb_create_double(((const double *)data)[row]);
	case DUCKDB_TYPE_UUID: {
		/* Stored with the highest bit turned, so that they sort as signed integers. */
		duckdb_uhugeint uuid = ((const duckdb_uhugeint *)data)[row];
		uuid.upper ^= UINT64_C(1) << 63;
		return duckdb_create_uuid(uuid);
	}
	default:
		return NULL;
	}
}

static duckdb_value make_time(const void *data, duckdb_type type, idx_t row)
{
	switch (type) {
	case DUCKDB_TYPE_TIMESTAMP:
		return duckdb_create_timestamp(((const duckdb_timestamp *)data)[row]);
	case DUCKDB_TYPE_TIMESTAMP_TZ:
		return duckdb_create_timestamp_tz(((const duckdb_timestamp *)data)[row]);
	case DUCKDB_TYPE_TIMESTAMP_S:
		return duckdb_create_timestamp_s(((const duckdb_timestamp_s *)data)[row]);
	case DUCKDB_TYPE_TIMESTAMP_MS:
		return duckdb_create_timestamp_ms(((const duckdb_timestamp_ms *)data)[row]);
	case DUCKDB_TYPE_TIMESTAMP_NS:
		return duckdb_create_timestamp_ns(((const duckdb_timestamp_ns *)data)[row]);
	case DUCKDB_TYPE_DATE:
		return duckdb_create_date(((const duckdb_date *)data)[row]);
	case DUCKDB_TYPE_TIME:
		return duckdb_create_time(((const duckdb_time *)data)[row]);
	case DUCKDB_TYPE_TIME_NS:
		return duckdb_create_time_ns(((const duckdb_time_ns *)data)[row]);
	case DUCKDB_TYPE_TIME_TZ:
		return duckdb_create_time_tz_value(((const duckdb_time_tz *)data)[row]);
	case DUCKDB_TYPE_INTERVAL:
		return duckdb_create_interval(((const duckdb_interval *)data)[row]);
	default:
		return make_number(data, type, row);
	}
}

static duckdb_value make_value(duckdb_vector vector, duckdb_logical_type logical, idx_t row,
			       int depth)
{
	duckdb_type type = duckdb_get_type_id(logical);
	uint64_t *validity = duckdb_vector_get_validity(vector);
	if (type == DUCKDB_TYPE_SQLNULL
	    || (validity && !duckdb_validity_row_is_valid(validity, row)))
		return duckdb_create_null_value();
	if (depth >= NESTING_MAX)
		return NULL;
	switch (type) {
	case DUCKDB_TYPE_LIST:
		return make_list(vector, logical, row, depth + 1);
	case DUCKDB_TYPE_ARRAY:
		return make_array(vector, logical, row, depth + 1);
	case DUCKDB_TYPE_STRUCT:
		return make_struct(vector, logical, row, depth + 1);
	case DUCKDB_TYPE_MAP:
		return make_map(vector, logical, row, depth + 1);
	case DUCKDB_TYPE_UNION:
		return make_union(vector, logical, row, depth + 1);
	default:
		break;
	}
	void *data = duckdb_vector_get_data(vector);
	switch (type) {
	case DUCKDB_TYPE_ENUM:
		return make_enum(data, logical, row);
	case DUCKDB_TYPE_DECIMAL:
		return make_decimal(data, logical, row);
	case DUCKDB_TYPE_VARCHAR:
	case DUCKDB_TYPE_BLOB:
	case DUCKDB_TYPE_BIT:
		return make_bytes(data, type, row);
	default:
		return make_time(data, type, row);
	}
}

char *duck_cell_text(duckdb_vector vector, duckdb_logical_type type, idx_t row)
{
	duckdb_value value = make_value(vector, type, row, 0);
	if (!value)
		return NULL;
	char *text = duckdb_get_varchar(value);
	duckdb_destroy_value(&value);
	return text;
}
