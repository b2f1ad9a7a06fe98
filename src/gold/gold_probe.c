/* SPDX-License-Identifier: Apache-2.0 */
/* gold_probe.c - whether the generation in force opens, and what it holds. Writes nothing. */
#include "gold/gold_private.h"

enum { PROBE_MEMORY_BYTES = 64 * 1024 * 1024 };

static bool count_rows(const char *path, int64_t *rows_out, struct err *err)
{
	CLEANUP(duck_close) struct duck_database *database = NULL;
	struct duck_connection *connection = NULL;
	const struct duck_options options = {.memory_bytes_max = PROBE_MEMORY_BYTES, .attached_path = path};
	if (!duck_open(&options, &database, err) || !duck_connect(database, &connection, err))
		return false;
	bool ok = duck_query_integer(connection, "SELECT count(*) FROM foreign_file.main.events", NULL, 0, 0, rows_out,
				     err);
	duck_disconnect(&connection);
	return ok;
}

bool gold_probe(const struct layout *layout, struct catalog *catalog, struct gold_probe *probe_out, struct err *err)
{
	struct gold_probe probe = {0};
	struct file_path relative;
	struct file_path path;
	if (!catalog_read_setting(catalog, GOLD_GENERATION_SETTING, 0, &probe.generation, err))
		return false;
	if (probe.generation > 0) {
		if (!layout_gold(probe.generation, &relative, err)
		    || !layout_absolute(layout, relative.text, &path, err))
			return false;
		probe.file_bytes = file_size(path.text);
		if (probe.file_bytes < 0)
			return err_set(err, ERR_INPUT, "%s: missing", relative.text);
		if (!count_rows(path.text, &probe.rows, err))
			return false;
		probe.found = true;
	}
	*probe_out = probe;
	return true;
}
