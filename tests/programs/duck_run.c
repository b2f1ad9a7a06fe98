/* SPDX-License-Identifier: Apache-2.0 */
/* duck_run DATABASE FOLDER SQL...: runs the statements on the database file (made when missing; "-": in
 * memory), which may read and write files below FOLDER: so tests make Parquet and DuckDB files. A last
 * SQL "crash" leaves without closing, so that the write-ahead log stays beside the file. */
#include "wrap/duck.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argument_count, char **arguments)
{
	struct duck_database *database CLEANUP(duck_close) = NULL;
	struct duck_connection *connection CLEANUP(duck_disconnect) = NULL;
	struct err err = {0};
	if (argument_count < 4) {
		(void)fprintf(stderr, "duck_run DATABASE FOLDER SQL...\n");
		return 2;
	}
	bool in_memory = strcmp(arguments[1], "-") == 0;
	const struct duck_options options = {.path = in_memory ? NULL : arguments[1], .allowed_folder = arguments[2]};
	bool ok = duck_open(&options, &database, &err) && duck_connect(database, &connection, &err);
	for (int i = 3; ok && i < argument_count; i++) {
		if (strcmp(arguments[i], "crash") == 0)
			_exit(0);
		ok = duck_run(connection, arguments[i], &err);
	}
	if (!ok)
		(void)fprintf(stderr, "duck_run: %s\n", err.text);
	return ok ? 0 : 1;
}
