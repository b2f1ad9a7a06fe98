/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/type_guard.h"

#include <string.h>

static bool remember(void *context, const char *name, struct err *err)
{
	(void)err;
	if (strcmp(name, "archive") != 0) /* imported hours, of every type */
		(void)type_guard_route(context, span_of(name));
	return true;
}

bool type_guard_init(struct type_guard *guard, const struct layout *layout, struct err *err)
{
	struct file_path bronze;
	*guard = (struct type_guard){0};
	for (size_t i = 0; i < event_types_today_count; i++)
		(void)type_guard_route(guard, span_of(event_types_today[i]));
	return layout_absolute(layout, "bronze", &bronze, err)
	       && file_list_folders(bronze.text, remember, guard, err);
}

struct span type_guard_route(struct type_guard *guard, struct span type)
{
	static const struct span other = SPAN_LITERAL("_other");
	if (!event_type_is_plain(type))
		return other;
	for (size_t i = 0; i < guard->count; i++)
		if (span_equal_text(type, guard->names[i]))
			return type;
	if (guard->count == EVENT_TYPE_COUNT_MAX)
		return other;
	memcpy(guard->names[guard->count++], type.data, type.size);
	return type;
}
