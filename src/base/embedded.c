/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.c - looks a file up in a generated table. */
#include "base/embedded.h"

#include <assert.h>
#include <string.h>

const struct embedded_file *embedded_find(const struct embedded_file *table, const char *name)
{
	assert(table && name);
	for (const struct embedded_file *file = table; file->name; file++)
		if (strcmp(file->name, name) == 0)
			return file;
	return NULL;
}
